"""Schemas.

https://docs.snowflake.com/en/sql-reference/sql/create-schema,
https://docs.snowflake.com/en/sql-reference/sql/alter-schema,
https://docs.snowflake.com/en/sql-reference/sql/show-schemas
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_core import (
    ABSENT,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    IcebergMergeOnRead,
    Identifier,
    Keyword,
    LogLevel,
    OnChange,
    Resource,
    SerializationPolicy,
    Source,
    Statement,
    TraceLevel,
    YesNo,
    alter_set,
    assignment,
    prop,
    resource,
    set_and_unset,
    statement,
)
from pinky_database.profile_name import ProfileName

PARAMETER = Source.PARAMETER
#: A parameter holding an empty text cannot be told from one that is not set; null unsets it.
NOT_EMPTY = r"\S"
#: What is said by a clause of its own instead of ``NAME = value``.
CLAUSES = frozenset({"transient", "managed_access"})


class Visibility(Keyword):
    """Who finds the schema in a search."""

    PRIVILEGED = "PRIVILEGED"


@resource("schema", scope="database")
class Schema(Resource):
    """A schema of a database."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE SCHEMA", "the database"),
        ("OWNERSHIP", "the schema"),
        ("MODIFY", "the schema"),
    )
    #: Properties that the syntax of CREATE SCHEMA does not list; a new schema gets them by ALTER.
    after_create: ClassVar[frozenset[str]] = frozenset(
        {
            "default_notebook_compute_pool_cpu", "default_notebook_compute_pool_gpu", "log_level", "trace_level",
            "replicable_with_failover_groups", "base_location_prefix", "default_streamlit_notebook_warehouse",
        }
    )  # fmt: skip

    transient: bool = prop(
        default=False, on_change=OnChange.REFUSE, loses="the schema with everything in it",
        doc="Without Fail-safe; counts for every table in it and cannot be changed.",
    )  # fmt: skip
    managed_access: bool = prop(default=False, doc="Only the owner of the schema grants privileges on what is in it.")
    data_retention_time_in_days: int | None = prop(
        default=1, minimum=0, maximum=90, source=PARAMETER, doc="Days of Time Travel."
    )
    max_data_extension_time_in_days: int | None = prop(
        default=14, minimum=0, maximum=90, source=PARAMETER, doc="Days retention may grow to keep streams fresh."
    )
    external_volume: Identifier | None = prop(
        default=None, source=PARAMETER, refers_to="external_volume", doc="External volume of new Iceberg tables."
    )
    catalog: Identifier | None = prop(default=None, source=PARAMETER, doc="Catalog integration of new Iceberg tables.")
    iceberg_default_ddl_collation: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Collation of new string columns of Iceberg tables."
    )
    iceberg_version_default: int | None = prop(
        default=2, minimum=2, maximum=3, source=PARAMETER, doc="Format version of new Iceberg tables."
    )
    iceberg_merge_on_read_behavior: IcebergMergeOnRead | None = prop(
        default=IcebergMergeOnRead.AUTO, source=PARAMETER, doc="How rows of Iceberg tables are changed."
    )
    enable_iceberg_merge_on_read: bool | None = prop(
        default=True, source=PARAMETER, doc="Deprecated by Snowflake for iceberg_merge_on_read_behavior."
    )
    replace_invalid_characters: bool | None = prop(
        default=False, source=PARAMETER, doc="Replaces invalid UTF-8 in results of Iceberg tables."
    )
    default_ddl_collation: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Collation of new string columns."
    )
    storage_serialization_policy: SerializationPolicy | None = prop(
        default=SerializationPolicy.OPTIMIZED, source=PARAMETER, doc="Encoding of files of Iceberg tables."
    )
    classification_profile: ProfileName | None = prop(default=None, doc="Profile that classifies sensitive data.")
    comment: str | None = prop(default="", doc="Free text.")
    catalog_sync: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Open Catalog integration tables sync to."
    )
    object_visibility: Visibility | None = prop(default=Visibility.PRIVILEGED, doc="Who finds it in a search.")
    enable_data_compaction: bool | None = prop(default=True, source=PARAMETER, doc="Compacts files of Iceberg tables.")
    oauth_authorization_server: Identifier | None = prop(
        default=None, source=PARAMETER, doc="External OAuth integration for MCP servers."
    )
    oauth_scopes_supported: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="OAuth scopes of MCP servers."
    )
    default_notebook_compute_pool_cpu: str | None = prop(
        default=None,
        source=PARAMETER,
        pattern=NOT_EMPTY,
        refers_to="compute_pool",
        doc="CPU compute pool of notebooks.",
    )
    default_notebook_compute_pool_gpu: str | None = prop(
        default=None,
        source=PARAMETER,
        pattern=NOT_EMPTY,
        refers_to="compute_pool",
        doc="GPU compute pool of notebooks.",
    )
    log_level: LogLevel | None = prop(default=LogLevel.OFF, source=PARAMETER, doc="Least severity of messages kept.")
    trace_level: TraceLevel | None = prop(default=TraceLevel.OFF, source=PARAMETER, doc="Which traces are kept.")
    replicable_with_failover_groups: YesNo | None = prop(
        default=YesNo.YES, source=PARAMETER, doc="Whether it is replicated with failover groups."
    )
    base_location_prefix: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Path prefix of Iceberg tables."
    )
    default_streamlit_notebook_warehouse: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, refers_to="warehouse", doc="Warehouse of new notebooks."
    )

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE with what its syntax knows, then one ALTER for the rest.

        PUBLIC comes with its database: in a database that this plan makes, it is there by now and is altered.
        """
        if comes_with_database(address, context):
            later = [*self._assignments(after=False), *self._assignments(after=True)]
            statements = [statement(f"CREATE SCHEMA IF NOT EXISTS {address.sql}")]
            if self.managed_access is True:
                statements.append(statement(f"ALTER SCHEMA {address.sql} ENABLE MANAGED ACCESS"))
        else:
            later = self._assignments(after=True)
            head = f"CREATE {'TRANSIENT ' if self.transient is True else ''}SCHEMA {address.sql}"
            managed = " WITH MANAGED ACCESS" if self.managed_access is True else ""
            first = self._assignments(after=False)
            statements = [statement(head + managed, *(part for each in first for part in (" ", each)))]
        return [*statements, alter_set(self.spec, address, later)] if later else statements

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET and UNSET, and a statement of its own for managed access."""
        others = [change for change in changes if change.path not in CLAUSES]
        statements = set_and_unset(self.spec, address, others)
        if len(others) < len(changes):
            word = "ENABLE" if self.managed_access is True else "DISABLE"
            statements.append(statement(f"ALTER SCHEMA {address.sql} {word} MANAGED ACCESS"))
        return statements

    def _assignments(self, *, after: bool) -> list[Statement]:
        return [
            assignment(field, value)
            for field in self.spec.fields
            if field.name not in CLAUSES
            and (field.name in self.after_create) is after
            and (value := getattr(self, field.name)) is not ABSENT
            and value is not None
        ]

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A schema stays what it was created as: recreating it would take everything in it along."""
        wanted: Any = self.transient
        if wanted is ABSENT:
            return
        if live is not None:
            is_transient = bool(live.transient)
        elif comes_with_database(address, context):
            database = context.declared[Address("database", address.path[:1])].body
            is_transient = getattr(database, "transient", False) is True
        else:
            return
        if bool(wanted) is not is_transient:
            yield Diagnostic.error(
                "cannot-change",
                f"{address} is {'transient' if is_transient else 'permanent'}, and Snowflake cannot change that",
                hint="Declare it as it is (PUBLIC is as its database), or a schema of another name.",
                address=address,
                path=("transient",),
            )

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """INFORMATION_SCHEMA is Snowflake's own."""
        return str(row["name"]) != "INFORMATION_SCHEMA"

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """``options`` tells what is transient and managed; the classification profile stands in three columns."""
        options = str(row.get("options") or "").upper()
        raw = super().from_row(row)
        raw.update(transient="TRANSIENT" in options, managed_access="MANAGED ACCESS" in options)
        parts = [row.get(f"classification_profile{part}") for part in ("_database", "_schema", "")]
        if all(parts):
            raw["classification_profile"] = ".".join(Identifier(part).sql for part in parts)
        return raw


def comes_with_database(address: Address, context: Context) -> bool:
    """Whether the schema is PUBLIC of a database that the same plan makes: CREATE DATABASE makes it too."""
    public = str(address.name) == "PUBLIC"
    return public and bool(context.creates(Address("database", address.path[:1])))
