"""Databases: standard ones only; imported, shared, replicated and application databases are not theirs to change.

https://docs.snowflake.com/en/sql-reference/sql/create-database,
https://docs.snowflake.com/en/sql-reference/sql/alter-database,
https://docs.snowflake.com/en/sql-reference/sql/show-databases
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_core import (
    ABSENT,
    Address,
    Context,
    Diagnostic,
    DiagnosticsError,
    IcebergMergeOnRead,
    Identifier,
    Keyword,
    LogLevel,
    MetricLevel,
    OnChange,
    QualifiedName,
    Reader,
    Resource,
    SerializationPolicy,
    Source,
    Statement,
    TraceLevel,
    Wanted,
    YesNo,
    alter_set,
    assignment,
    prop,
    resource,
    statement,
)
from pinky_core.read import is_standard_database

PARAMETER = Source.PARAMETER
#: A parameter holding an empty text cannot be told from one that is not set; null unsets it.
NOT_EMPTY = r"\S"


class Visibility(Keyword):
    """Who finds the object in a search; the form for other accounts, a YAML text, is not covered."""

    PRIVILEGED = "PRIVILEGED"


class NamespaceMode(Keyword):
    """How namespaces are synchronised with Snowflake Open Catalog."""

    NEST = "NEST"
    FLATTEN = "FLATTEN"


@resource("database", scope="account")
class Database(Resource):
    """A database."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE DATABASE", "the account"),
        ("OWNERSHIP", "the database"),
        ("MODIFY", "the database"),
    )
    #: Properties that the syntax of CREATE DATABASE does not list; a new database gets them by ALTER.
    after_create: ClassVar[frozenset[str]] = frozenset(
        {
            "default_notebook_compute_pool_cpu", "default_notebook_compute_pool_gpu", "log_level", "metric_level",
            "trace_level", "event_table", "replicable_with_failover_groups", "base_location_prefix",
            "default_streamlit_notebook_warehouse",
        }
    )  # fmt: skip

    transient: bool = prop(
        default=False, on_change=OnChange.REFUSE, loses="the database with everything in it",
        doc="Without Fail-safe; counts for everything in it and cannot be changed.",
    )  # fmt: skip
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
    comment: str | None = prop(default="", doc="Free text.")
    catalog_sync: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Open Catalog integration tables sync to."
    )
    catalog_sync_namespace_mode: NamespaceMode | None = prop(
        default=NamespaceMode.NEST, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="Set at creation only."
    )
    catalog_sync_namespace_flatten_delimiter: str | None = prop(
        default=None, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="Set at creation only."
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
    metric_level: MetricLevel | None = prop(default=MetricLevel.NONE, source=PARAMETER, doc="Which metrics are kept.")
    trace_level: TraceLevel | None = prop(default=TraceLevel.OFF, source=PARAMETER, doc="Which traces are kept.")
    event_table: QualifiedName | None = prop(
        default=None, source=PARAMETER, doc="Event table that collects telemetry; it must exist before."
    )
    replicable_with_failover_groups: YesNo | None = prop(
        default=YesNo.YES, source=PARAMETER, doc="Whether its schemas are replicated with failover groups."
    )
    base_location_prefix: str | None = prop(
        default=None, source=PARAMETER, pattern=NOT_EMPTY, doc="Path prefix of Iceberg tables."
    )
    default_streamlit_notebook_warehouse: Identifier | None = prop(
        default=None, source=PARAMETER, refers_to="warehouse", doc="Warehouse of new notebooks."
    )

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE with what its syntax knows, then one ALTER for the rest."""
        words = "TRANSIENT DATABASE" if self.transient is True else "DATABASE"
        first, later = self._assignments(after=False), self._assignments(after=True)
        parts = [f"CREATE {words} {address.sql}", *(part for each in first for part in (" ", each))]
        statements = [statement(*parts)]
        return [*statements, alter_set(self.spec, address, later)] if later else statements

    def _assignments(self, *, after: bool) -> list[Statement]:
        return [
            assignment(field, value)
            for field in self.spec.fields
            if field.name != "transient"
            and (field.name in self.after_create) is after
            and (value := getattr(self, field.name)) is not ABSENT
            and value is not None
        ]

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A database stays what it was created as: recreating it would take everything in it along."""
        wanted: Any = self.transient
        if live is None or wanted is ABSENT or bool(wanted) is bool(live.transient):
            return
        now = "transient" if live.transient else "permanent"
        yield Diagnostic.error(
            "cannot-change",
            f"{address} is {now}, and Snowflake cannot change that",
            hint="Declare it as it is, or a database of another name and move the content.",
            address=address,
            path=("transient",),
        )

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """The live databases; a wanted one that is imported, shared or an application's is an error."""
        names = {each.address.path for each in wanted}
        problems = []
        for row in reader.listing("DATABASES", ()):
            path = (Identifier(row["name"]),)
            if path in names and not cls.lists(row):
                kind = str(row.get("kind") or f"of origin {row.get('origin')}").lower()
                summary = f"database {path[0].sql} is {kind}; only standard databases can be declared"
                problems.append(Diagnostic.error("not-standard", summary, address=Address("database", path)))
        if problems:
            raise DiagnosticsError(problems)
        return super().read(reader, wanted)

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """Only databases that were created here, from nothing else."""
        return is_standard_database(row)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """``options`` tells what is transient."""
        return {**super().from_row(row), "transient": "TRANSIENT" in str(row.get("options") or "").upper()}
