"""Table, view and stream: one name space, since each can stand in FROM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pinky_local.engine import show_columns as columns
from pinky_local.engine import values
from pinky_local.engine.parameters import PARAMETERS, effective
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name")


def _on(name: str) -> ShowColumn:
    return ShowColumn(name, lambda _, item: "ON" if item.properties.get(name.upper()) else "OFF")


def _rows(statement: Statement, item: CatalogObject) -> int:
    """Rows in a table; 0 where the account has no data plane, since nothing can have put any there."""
    return statement.row_counts.get(item.number, 0)


def count_rows(statement: Statement, tables: Sequence[CatalogObject]) -> None:
    """Ask the data plane once how many rows these tables have."""
    data = statement.account.data
    if data is None:
        return
    numbers = {}
    for table in tables:
        if table.number in statement.catalog.objects:
            database, schema, name = statement.catalog.path(table)
            numbers[(database, schema, name)] = table.number
    counts = data.row_counts(list(numbers))
    statement.row_counts.update({number: counts[name] for name, number in numbers.items()})


def _table_kind(_: Statement, item: CatalogObject) -> str:
    return next((word for word in ("TEMPORARY", "TRANSIENT") if item.state.get(word)), "TABLE")


TABLE = ObjectType(
    kind="table",
    prepare=count_rows,
    words="TABLE",
    plural="TABLES",
    container="schema",
    space="relation",
    modifiers=("TRANSIENT", "TEMPORARY"),
    properties=(
        COMMENT,
        Property("CHANGE_TRACKING", values.boolean(), default=False),
        Property("ENABLE_SCHEMA_EVOLUTION", values.boolean(), default=False),
        Property("ERROR_LOGGING", values.boolean(), default=False),
        Property("ROW_TIMESTAMP", values.boolean(), default=False),
        *parameter_properties(
            "table", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "DEFAULT_DDL_COLLATION"
        ),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("kind", _table_kind),
        columns.COMMENT,
        ShowColumn("cluster_by", lambda _, item: item.state.get("cluster_by") or ""),
        ShowColumn("rows", _rows, "fixed"),
        ShowColumn("bytes", columns.fixed(0), "fixed"),
        columns.OWNER,
        ShowColumn("retention_time", columns.retention_time),
        ShowColumn(
            "automatic_clustering",
            lambda _, i: "ON" if i.state.get("cluster_by") and not i.state.get("reclustering_off") else "OFF",
        ),
        _on("change_tracking"),
        ShowColumn("search_optimization", columns.fixed("OFF")),
        ShowColumn("search_optimization_progress", columns.fixed(None), "fixed"),
        ShowColumn("search_optimization_bytes", columns.fixed(None), "fixed"),
        ShowColumn("is_external", columns.fixed("N")),
        ShowColumn("enable_schema_evolution", lambda _, i: columns.yes(i.properties.get("ENABLE_SCHEMA_EVOLUTION"))),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("is_event", columns.fixed("N")),
        ShowColumn("budget", columns.fixed(None)),
        ShowColumn("is_hybrid", columns.fixed("N")),
        ShowColumn("is_iceberg", columns.fixed("N")),
        ShowColumn("is_dynamic", columns.fixed("N")),
        ShowColumn("is_immutable", columns.fixed("N")),
    ),
    terse=_TERSE,
    privileges=(
        "APPLYBUDGET",
        "DELETE",
        "EVOLVE SCHEMA",
        "INSERT",
        "REFERENCES",
        "SELECT",
        "SELECT ERROR TABLE",
        "TRUNCATE",
        "UPDATE",
    ),
    undrop=True,
    swap=True,
    citation=_DOCS + "create-table",
    guesses=("SHOW PRIMARY KEYS and its kin are cut off silently at 10,000 rows",),
)


def view_text(statement: Statement, item: CatalogObject) -> str:
    """A view's statement; nothing for a secure view of another owner."""
    hidden = item.state.get("SECURE") and item.owner not in statement.roles
    return "" if hidden else str(item.state.get("text", ""))


VIEW = ObjectType(
    kind="view",
    words="VIEW",
    plural="VIEWS",
    container="schema",
    space="relation",
    modifiers=("SECURE", "TEMPORARY", "RECURSIVE"),
    properties=(COMMENT, Property("CHANGE_TRACKING", values.boolean(), default=False)),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        ShowColumn("reserved", columns.fixed("")),
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("text", view_text),
        ShowColumn("is_secure", lambda _, item: "true" if item.state.get("SECURE") else "false"),
        ShowColumn("is_materialized", columns.fixed("false")),
        columns.OWNER_ROLE_TYPE,
        _on("change_tracking"),
    ),
    terse=_TERSE,
    privileges=("REFERENCES", "SELECT"),
    citation=_DOCS + "create-view",
)

_SOURCES = {"table": "Table", "view": "View", "stage": "Stage"}


def _source_kind(statement: Statement, item: CatalogObject) -> str:
    return _SOURCES[item.state["source_kind"]]


def _source_name(statement: Statement, item: CatalogObject) -> str:
    """The source's name, or the text that stands there when it is gone or hidden (known from the provider)."""
    source = statement.catalog.objects.get(item.state["source"])
    if source is None or not statement.access.sees(statement.roles, source):
        return "No privilege or table dropped"
    return statement.catalog.printed(source)


def _base_tables(statement: Statement, item: CatalogObject) -> str | None:
    """The tables below a view, as far as the session sees them; NULL where no data plane has read the view.

    The page has this column "on views only"; on tables and stages it repeats the source (known from the provider).
    """
    source = statement.catalog.objects.get(item.state["source"])
    if source is None or source.kind != "view":
        return _source_name(statement, item)
    numbers = source.state.get("base_tables")
    if numbers is None:
        return None
    tables = [statement.catalog.objects[number] for number in numbers if number in statement.catalog.objects]
    seen = [table for table in tables if statement.access.sees(statement.roles, table)]
    return ",".join(statement.catalog.printed(table) for table in seen)


def _stale(statement: Statement, item: CatalogObject) -> str:
    return "false" if item.state["source"] in statement.catalog.objects else "true"


def _stale_after(statement: Statement, item: CatalogObject) -> datetime | None:
    """The last consumption, or the creation, plus the longer of the source's two retention periods."""
    source = statement.catalog.objects.get(item.state["source"])
    if source is None or source.kind == "stage":
        return None
    names = ("DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS")
    days = max(int(effective(statement, PARAMETERS[name], source)[0]) for name in names)
    data = statement.account.data
    moved = data.stream_moved(item.number) if data is not None else None
    return (moved or item.created_on) + timedelta(days=days)


STREAM = ObjectType(
    kind="stream",
    words="STREAM",
    plural="STREAMS",
    container="schema",
    space="relation",
    properties=(
        Property("APPEND_ONLY", values.boolean(), default=False, create_only=True),
        Property("INSERT_ONLY", values.boolean(), default=False, create_only=True),
        Property("SHOW_INITIAL_ROWS", values.boolean(), default=False, create_only=True),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("table_name", _source_name),
        ShowColumn("source_type", _source_kind),
        ShowColumn("base_tables", _base_tables),
        ShowColumn("type", columns.fixed("DELTA")),
        ShowColumn("stale", _stale),
        ShowColumn("mode", lambda _, item: "APPEND_ONLY" if item.properties.get("APPEND_ONLY") else "DEFAULT"),
        ShowColumn("stale_after", _stale_after, "timestamp_ltz"),
        ShowColumn("invalid_reason", lambda s, i: "N/A" if _stale(s, i) == "false" else "Base object was dropped."),
        columns.OWNER_ROLE_TYPE,
    ),
    terse=("created_on", "name", "kind", "database_name", "schema_name", "tableOn"),
    terse_names={"kind": "type", "tableOn": "table_name"},
    privileges=("SELECT",),
    rename=False,
    citation=_DOCS + "create-stream",
    grade="provider",
)


TYPES = (TABLE, VIEW, STREAM)
