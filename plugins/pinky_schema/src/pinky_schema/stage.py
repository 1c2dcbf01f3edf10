"""Stages, internal and external.

https://docs.snowflake.com/en/sql-reference/sql/create-stage,
https://docs.snowflake.com/en/sql-reference/sql/alter-stage,
https://docs.snowflake.com/en/sql-reference/sql/show-stages,
https://docs.snowflake.com/en/sql-reference/sql/desc-stage
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, get_origin

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Identifier,
    Keyword,
    Names,
    Nested,
    OnChange,
    Resource,
    Risk,
    Rows,
    SecretReference,
    Source,
    Statement,
    is_given,
    literal,
    nested,
    prop,
    read_value,
    resource,
    statement,
    string_literal,
)
from pinky_schema.stage_format import StageFileFormat

_EXTERNAL_ONLY = ("storage_integration", "credentials", "endpoint", "aws_access_point_arn")
_FILES = "every file in the stage, its directory table, its grants, and the offsets of streams on it"
_STAGE = "the stage's grants, its directory table, and the offsets of streams on it"


class EncryptionType(Keyword):
    """Who encrypts the files, and how."""

    SNOWFLAKE_FULL = ("SNOWFLAKE_FULL",)
    SNOWFLAKE_SSE = ("SNOWFLAKE_SSE",)
    AWS_CSE = ("AWS_CSE",)
    AWS_SSE_S3 = ("AWS_SSE_S3",)
    AWS_SSE_KMS = ("AWS_SSE_KMS",)
    GCS_SSE_KMS = ("GCS_SSE_KMS",)
    AZURE_CSE = ("AZURE_CSE",)
    NONE = ("NONE",)


_INTERNAL = (EncryptionType.SNOWFLAKE_FULL, EncryptionType.SNOWFLAKE_SSE)


@nested
class Encryption(Nested):
    """Encryption of the files; that of an external stage cannot be read back."""

    type: EncryptionType = prop(default=None, doc="Who encrypts, and how.")
    master_key: SecretReference | None = prop(default=None, doc="Client-side master key, as a reference.")
    kms_key_id: str | None = prop(default=None, doc="Key of the cloud's key management; not given, its default key.")


@nested
class Credentials(Nested):
    """Credentials of an external stage, as references; prefer a storage integration."""

    aws_key_id: SecretReference | None = prop(default=None, doc="Key id of an IAM user.")
    aws_secret_key: SecretReference | None = prop(default=None, doc="Secret key of an IAM user.")
    aws_token: SecretReference | None = prop(default=None, doc="Session token of temporary credentials.")
    aws_role: SecretReference | None = prop(default=None, doc="ARN of a role.")
    azure_sas_token: SecretReference | None = prop(default=None, doc="Shared access signature.")


@nested
class Directory(Nested):
    """The directory table: a catalog of the files in the stage."""

    enable: bool = prop(default=False, doc="Whether there is one.")
    auto_refresh: bool = prop(default=False, doc="Whether cloud notifications keep it current.")
    refresh_on_create: bool = prop(default=True, doc="Whether it is filled when the stage is created.")
    notification_integration: Identifier | None = prop(default=None, doc="Who receives notifications (GCS, Azure).")
    aws_sns_topic: str | None = prop(default=None, doc="Topic of notifications (S3).")


@resource("stage", scope="schema")
class Stage(Resource):
    """A place for files: inside Snowflake, or, with a ``url``, in cloud storage.

    Credentials and the encryption of an external stage are written at creation and never read back; they are written
    again when the URL changes.
    """

    show_pages = False
    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE STAGE", "the schema"),
        ("OWNERSHIP", "the stage"),
        ("USAGE", "the storage integration"),
    )

    url: str | None = prop(default=None, loses=_FILES, doc="Place in cloud storage; none makes an internal stage.")
    storage_integration: Identifier | None = prop(
        default=None, refers_to="storage_integration", loses=_STAGE, doc="Who holds access to the cloud storage."
    )
    credentials: Credentials | None = prop(
        default=None, source=Source.NOWHERE, doc="Access to the cloud storage without integration; at creation."
    )
    encryption: Encryption | None = prop(default=None, loses=_FILES, doc="How files are encrypted.")
    endpoint: str | None = prop(
        default=None, on_change=OnChange.REFUSE, loses=_STAGE, doc="Endpoint of S3-compatible storage."
    )
    aws_access_point_arn: str | None = prop(default=None, source=Source.DESCRIBE, doc="Access point of the bucket.")
    use_privatelink_endpoint: bool | None = prop(
        default=False, source=Source.DESCRIBE, doc="Whether private connectivity is used."
    )
    directory: Directory | None = prop(default=None, source=Source.DESCRIBE, loses=_STAGE, doc="The directory table.")
    file_format: StageFileFormat | None = prop(default=None, source=Source.DESCRIBE, doc="Format of its files.")
    comment: str | None = prop(default=None, doc="Free text.")

    # -- declaration -------------------------------------------------------------------------------------------------

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What is only for external stages, and what excludes each other."""
        if not is_given(self.url):
            for name in _EXTERNAL_ONLY:
                if is_given(getattr(self, name)) and self.url is not ABSENT:
                    yield name, f"{name!r} is for external stages; this one has no url"
        if is_given(self.storage_integration) and is_given(self.credentials):
            yield "credentials", "'credentials' and 'storage_integration' exclude each other"
        type_ = self.encryption.type if self.encryption else ABSENT
        if is_given(type_) and is_given(self.url) and type_ in _INTERNAL:
            yield "encryption", f"{type_} is for internal stages; this one has a url"
        if is_given(type_) and self.url is None and type_ not in _INTERNAL:
            yield "encryption", f"{type_} is for external stages; this one has no url"
        if self.file_format:
            yield from (("file_format", text) for text in self.file_format.mistakes())
        if self.directory and self.directory.auto_refresh and not self.directory.enable:
            yield "directory", "'auto_refresh' needs 'enable: true'"

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A stage that is not there yet is internal unless it gets a URL."""
        if live is None and self.url is ABSENT:
            for name in _EXTERNAL_ONLY:
                if is_given(getattr(self, name)):
                    summary = f"{address}: {name!r} is for external stages; this one has no url"
                    yield Diagnostic.error("contradiction", summary, hint="Give `url:`.", address=address, path=(name,))

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """Also the named file format and the notification integration."""
        yield from super().needs(address, names)
        base = address.path[:-1]
        if self.file_format and is_given(self.file_format.format_name):
            yield from names.resolve(str(self.file_format.format_name), base, ("file_format",))
        if self.directory and is_given(self.directory.notification_integration):
            wanted = Identifier(self.directory.notification_integration or "").sql
            yield from names.resolve(wanted, base, ("notification_integration",))

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE STAGE with everything declared."""
        return [self._create("CREATE", address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE STAGE with everything declared; it has no COPY GRANTS."""
        return [self._create("CREATE OR REPLACE", address)]

    def _create(self, words: str, address: Address) -> Statement:
        parts: list[Statement | str] = [f"{words} STAGE {address.sql}"]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if is_given(value):
                parts += [" ", self._clause(field.name, value, address)]
        return statement(*parts)

    def _clause(self, name: str, value: Any, address: Address) -> Statement:
        """``NAME = value`` of one declared property."""
        if isinstance(value, StageFileFormat):
            return statement(value.clause(address.path[:-1]))
        if isinstance(value, (Directory, Encryption, Credentials)):
            return _group(name, value)
        return statement(f"{name.upper()} = {literal(value)}")

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET of what can be set at once, and SET DIRECTORY, which stands alone; there is no UNSET."""
        clauses: list[Statement] = []
        directory: list[Statement] = []
        paths = {change.path for change in changes}
        for change in changes:
            if change.path == "directory.enable":
                enable = literal(bool(change.after))
                directory = [statement(f"ALTER STAGE {address.sql} SET DIRECTORY = (ENABLE = {enable})")]
            elif change.path == "storage_integration" and change.after is None:
                continue  # SET CREDENTIALS, below, takes the integration's place
            else:
                clauses.append(self._set_clause(change, address))
        if paths & {"url", "storage_integration"}:
            clauses += [
                self._clause(name, value, address)
                for name in ("credentials", "encryption")
                if is_given(value := getattr(self, name)) and name not in paths
            ]
        found = directory
        if clauses:
            parts: list[Statement | str] = [f"ALTER STAGE {address.sql} SET"]
            for clause in clauses:
                parts += [" ", clause]
            found = [statement(*parts), *directory]
        return found

    def _set_clause(self, change: FieldChange, address: Address) -> Statement:
        name = change.path.split(".")[0]
        value = getattr(self, name)
        if is_given(value):
            return self._clause(name, value, address)
        empty = {"file_format": "FILE_FORMAT = (TYPE = CSV)", "use_privatelink_endpoint": f"{name.upper()} = FALSE"}
        return statement(empty.get(name, f"{name.upper()} = {string_literal('')}"))

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs: of nested values only what is declared, and with what it means for the stage."""
        nested_fields = {"directory", "file_format", "encryption"}
        found = []
        for change in super().changes(address, live, context):
            if change.path in nested_fields or (change.before is None and change.after == ""):
                continue  # an empty text is shown as none
            if change.path == "url" and (change.before is None) != (change.after is None):
                change = attrs.evolve(change, on_change=OnChange.REFUSE, note="internal and external are different")
            if change.path == "storage_integration" and change.after is None and not is_given(self.credentials):
                change = attrs.evolve(change, on_change=OnChange.REFUSE, note="nothing takes its place")
            found.append(change)
        return [*found, *self._nested_changes(address, live)]

    def _nested_changes(self, address: Address, live: Self) -> Iterator[FieldChange]:
        base = address.path[:-1]
        if self.directory is not ABSENT:
            yield from _directory_changes(self.directory or Directory(), live.directory or Directory())
        if self.file_format is not ABSENT:
            wanted, there = self.file_format or StageFileFormat(), live.file_format or StageFileFormat()
            if wanted.differs(there, base):
                yield FieldChange("file_format", there, self.file_format)
        wanted_type = self.encryption.type if self.encryption else ABSENT
        there_type = live.encryption.type if live.encryption else ABSENT
        if is_given(wanted_type) and is_given(there_type) and wanted_type != there_type and not is_given(self.url):
            yield FieldChange("encryption.type", there_type, wanted_type, on_change=OnChange.REFUSE)

    def risk(
        self, address: Address, action: Action, live: Resource, changes: Sequence[FieldChange]
    ) -> tuple[Risk, str]:
        """Dropping or replacing an internal stage loses its files; an external one leaves them where they are."""
        internal = isinstance(live, Stage) and not is_given(live.url)
        if action is Action.DROP or any(change.on_change is OnChange.REFUSE for change in changes):
            return Risk.DESTRUCTIVE, _FILES if internal else _STAGE
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW STAGES. ``INTERNAL NO CSE`` is its word for server-side encryption only."""
        raw = super().from_row(row)
        raw["directory"] = Directory(enable=str(row.get("directory_enabled")).upper() in ("Y", "TRUE"))
        kind = str(row.get("type") or "").upper()
        if kind.startswith("INTERNAL"):
            type_ = EncryptionType.SNOWFLAKE_SSE if "NO CSE" in kind else EncryptionType.SNOWFLAKE_FULL
            raw["encryption"] = Encryption(type=type_)
        return raw

    @classmethod
    def needs_description(cls, fields: frozenset[str]) -> bool:
        """SHOW STAGES tells whether there is a directory table; what it is like only DESCRIBE tells."""
        told = {"directory.enable", "directory.refresh_on_create"}
        if not any(each.startswith("directory.") for each in fields - told):
            fields -= {"directory"}
        return super().needs_description(fields)

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE STAGE, by parent property."""
        groups: dict[str, dict[str, Any]] = {}
        for parent, name, value in rows.pick("parent_property", "property", "property_value"):
            groups.setdefault(str(parent), {})[str(name).lower()] = value
        return {
            "directory": _from_cells(Directory, groups.get("DIRECTORY", {})),
            "file_format": _from_cells(StageFileFormat, groups.get("STAGE_FILE_FORMAT", {})),
            "aws_access_point_arn": groups.get("STAGE_LOCATION", {}).get("aws_access_point_arn"),
            "use_privatelink_endpoint": groups.get("PRIVATELINK", {}).get("use_privatelink_endpoint"),
        }

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """Nested values are made already; the others are cells."""
        made = {name: value for name, value in raw.items() if isinstance(value, Nested)}
        body: Any = super().from_raw({name: value for name, value in raw.items() if name not in made})
        whole: Self = attrs.evolve(body, **made)
        return whole


def _directory_changes(wanted: Directory, there: Directory) -> Iterator[FieldChange]:
    """ENABLE can be altered, everything else needs a new stage."""
    for name, on_change in (
        ("enable", OnChange.ALTER),
        ("auto_refresh", OnChange.REFUSE),
        ("notification_integration", OnChange.REFUSE),
        ("aws_sns_topic", OnChange.REFUSE),
    ):
        field = Directory.spec.by_name[name]
        after, before = getattr(wanted, name), getattr(there, name)
        if after is ABSENT and name == "enable":
            after = field.default
        if before is ABSENT and name in ("notification_integration", "aws_sns_topic"):
            continue  # not every account tells it
        after_value = field.default if after is None else after
        if after is not ABSENT and (field.default if before in (ABSENT, None) else before) != after_value:
            yield FieldChange(f"directory.{name}", None if before is ABSENT else before, after, on_change=on_change)


def _group(name: str, value: Nested) -> Statement:
    """``NAME = (A = 'x' B = TRUE)``; secrets stay references."""
    parts: list[Statement | str | SecretReference] = [f"{name.upper()} = ("]
    first = True
    for field in value.spec.fields:
        content = getattr(value, field.name)
        if not is_given(content):
            continue
        parts.append(f"{'' if first else ' '}{field.sql} = ")
        first = False
        if isinstance(content, SecretReference):
            parts.append(content)
        elif isinstance(content, (Keyword, Identifier)):
            parts.append(string_literal(str(content)))
        else:
            parts.append(literal(content))
    return statement(*parts, ")")


def _from_cells(cls: type[Any], cells: Mapping[str, Any]) -> Any:
    """A nested value from the cells of DESCRIBE."""
    return cls(**{f.name: _cell(f.type, cells[f.name]) for f in cls.spec.fields if f.name in cells})


def _cell(type_: Any, raw: Any) -> Any:
    text = "" if raw is None else str(raw)
    if type_ is str:
        return text or None
    if get_origin(type_) is tuple:  # texts without quotes, which may hold anything
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return tuple(inner.split(", ")) if inner else ()
    return read_value(type_, raw)
