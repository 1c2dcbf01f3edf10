"""Named file formats.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format,
https://docs.snowflake.com/en/sql-reference/sql/alter-file-format,
https://docs.snowflake.com/en/sql-reference/sql/show-file-formats,
https://docs.snowflake.com/en/sql-reference/sql/desc-file-format
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, get_origin

import attrs

from pinky_core import (
    ABSENT,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Keyword,
    OnChange,
    Reader,
    Resource,
    Rows,
    Statement,
    Wanted,
    is_given,
    literal,
    prop,
    read_value,
    resource,
    statement,
)
from pinky_schema.format_options import OPTION_NAMES, OPTIONS, FormatOptions, same_text, spelled

__all__ = ["FileFormat", "FileType"]


class FileType(Keyword):
    """What kind of files a file format describes."""

    CSV = ("CSV",)
    JSON = ("JSON",)
    AVRO = ("AVRO",)
    ORC = ("ORC",)
    PARQUET = ("PARQUET",)
    XML = ("XML",)


@resource("file_format", scope="schema", stateful=False)
class FileFormat(FormatOptions, Resource):
    """How files are to be read or written, under a name.

    Options and comment are altered in place. Nothing changes its type: another one needs CREATE OR REPLACE FILE FORMAT,
    by which external tables lose it (they know it by a hidden id) and grants on it are gone.
    """

    show_pages = False
    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE FILE FORMAT", "the schema"),
        ("OWNERSHIP", "the file format"),
    )

    type: FileType = prop(
        default=FileType.CSV,
        on_change=OnChange.REFUSE,
        loses="grants on the file format, and its tie to external tables, which must be recreated",
        doc="What kind of files these are.",
    )
    comment: str | None = prop(default=None, unset=False, doc="Free text.")

    # -- declaration -------------------------------------------------------------------------------------------------

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Options that the type of files does not have."""
        yield from self.option_mistakes(self.type or FileType.CSV)

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """Options without a type are those of CSV; a live format of another type does not have them."""
        if live is not None and self.type is ABSENT and is_given(live.type):
            for name, text in self.option_mistakes(live.type):
                hint = "Give `type:`."
                yield Diagnostic.error("contradiction", f"{address}: {text}", hint=hint, address=address, path=(name,))

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE FILE FORMAT; the type comes before its options."""
        return [self._create("CREATE", address, self.comment)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE FILE FORMAT; options belong to the type, so only a comment outlives it."""
        return [self._create("CREATE OR REPLACE", address, live.comment if self.comment is ABSENT else self.comment)]

    def _create(self, words: str, address: Address, comment: Any) -> Statement:
        given = {"type": self.type or FileType.CSV, **self.given_options()}
        given |= {"comment": comment} if is_given(comment) else {}
        return statement(" ".join([f"{words} FILE FORMAT {address.sql}", *_assignments(given)]))

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One SET; there is no UNSET, so null sets what Snowflake itself would."""
        type_ = self._type_beside(live)
        given = {
            change.path: default_of(change.path, type_) if change.after is None else change.after for change in changes
        }
        return [statement(" ".join([f"ALTER FILE FORMAT {address.sql} SET", *_assignments(given)]))]

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; an option that is null means its default, which for NULL_IF depends on the type of files."""
        type_ = self._type_beside(live)
        return [
            change
            for change in super().changes(address, live, context)
            if change.path not in OPTION_NAMES
            or (
                change.path in OPTIONS.get(type_, frozenset())
                and not _same(change.path, type_, change.before, change.after)
            )
        ]

    def _type_beside(self, live: Self) -> FileType:
        """The type once this is applied: what is not declared stays."""
        return (live.type if self.type is ABSENT else self.type) or FileType.CSV

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW FILE FORMATS, whose column ``format_options`` holds every option of the type as JSON."""
        raw = super().from_row(row)
        try:
            told = json.loads(str(row.get("format_options") or "{}"))
        except ValueError:
            told = {}  # the page does not say how it is written; DESCRIBE then tells the same
        return {**raw, **_options({str(name).lower(): value for name, value in told.items()})}

    @classmethod
    def read_details(
        cls, reader: Reader, found: dict[Address, dict[str, Any]], wanted: Mapping[Address, Wanted]
    ) -> None:
        """DESCRIBE FILE FORMAT where the listing leaves out an option that a manifest declares."""
        untold = {
            address: f"DESCRIBE FILE FORMAT {address.sql}"
            for address, raw in found.items()
            if address in wanted and (wanted[address].fields & set(OPTION_NAMES)) - raw.keys()
        }
        for address, rows in zip(untold, reader.many(untold.values()), strict=True):
            found[address] = {**cls.from_description(rows), **found[address]}

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE FILE FORMAT."""
        return _options({str(name).lower(): value for name, value in rows.pick("property", "property_value")})

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """Options are values already; the others are cells."""
        body: Any = super().from_raw({name: value for name, value in raw.items() if name not in OPTION_NAMES})
        whole: Self = attrs.evolve(body, **{name: value for name, value in raw.items() if name in OPTION_NAMES})
        return whole


def default_of(name: str, type_: FileType) -> Any:
    r"""What an option is where nobody sets it: of NULL_IF ``\N`` for CSV and nothing for others."""
    if name == "null_if":
        return ("\\N",) if type_ is FileType.CSV else ()
    default = FileFormat.spec.by_name[name].default
    return {"file_extension": "NONE", "comment": ""}.get(name, default)


def _assignments(given: Mapping[str, Any]) -> list[str]:
    # a comment of NONE is a text, not the word
    return [
        f"{name.upper()} = {literal(value) if name == 'comment' else spelled(value)}" for name, value in given.items()
    ]


def _options(told: Mapping[str, Any]) -> dict[str, Any]:
    fields = FileFormat.spec.by_name
    return {name: _cell(fields[name].type, told[name]) for name in OPTION_NAMES if name in told}


def _cell(type_: Any, raw: Any) -> Any:
    """JSON of SHOW, or text of DESCRIBE; in lists and texts blanks and the word null are content."""
    if get_origin(type_) is tuple:
        if isinstance(raw, list):
            return tuple(map(str, raw))
        inner = str(raw or "").removeprefix("[").removesuffix("]")
        return tuple(inner.split(", ")) if inner else ()
    if type_ is str:
        return None if raw is None else str(raw)
    return read_value(type_, raw)


def _same(name: str, type_: FileType, live: Any, wanted: Any) -> bool:
    wanted = default_of(name, type_) if wanted is None else wanted
    live = default_of(name, type_) if live is None else live
    if isinstance(wanted, tuple):
        return len(wanted) == len(live) and all(map(same_text, wanted, live))
    if isinstance(wanted, str) and not isinstance(wanted, Keyword):
        return same_text(_text(name, wanted), _text(name, str(live)))
    return bool(wanted == live)


def _text(name: str, text: str) -> str:
    """Without an extension, Snowflake may tell NONE or nothing."""
    return text or "NONE" if name == "file_extension" else text
