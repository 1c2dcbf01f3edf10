"""Procedure and function; the task is in ``tasks`` beside this file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pinky_local.engine import identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs import tasks
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"

# routines --------------------------------------------------------------------------------------------------------


def family(kind: str) -> str:
    """A type as signatures have it: without sizes, except that a vector's are part of its type."""
    return kind if kind.startswith("VECTOR") else kind.partition("(")[0]


def argument_types(item: CatalogObject) -> list[str]:
    """A routine's argument types, DEFAULT before those that may be left out and OUT before output arguments."""
    return [
        ("OUT " if out else "DEFAULT " if optional else "") + family(kind)
        for _, kind, optional, out in item.state["arguments"]
    ]


def table_type(columns: list[list[str]]) -> str:
    """What a routine that returns a table returns, from names and types."""
    return f"TABLE ({', '.join(f'{identifiers.printed(name)} {kind}' for name, kind in columns)})"


def _arguments(_: Statement, item: CatalogObject) -> str:
    table = item.state.get("returns_table")
    if table is None:
        returns = family(str(item.state["returns"]))
    else:
        returns = table_type([[name, family(kind)] for name, kind in table])
    return f"{item.name}({', '.join(argument_types(item))}) RETURN {returns}"


def _count(*, optional: bool) -> Any:
    def get(_: Statement, item: CatalogObject) -> int:
        return sum(1 for argument in item.state["arguments"] if optional or not argument[2])

    return get


def _secrets(_: Statement, item: CatalogObject) -> str:
    held = item.properties.get("SECRETS")
    return json.dumps(held) if held else ""


def _no() -> Any:
    return columns.fixed("N")


_ROUTINE_SHOWN = (
    columns.CREATED_ON,
    columns.NAME,
    columns.SCHEMA_NAME,
    ShowColumn("is_builtin", _no()),
    ShowColumn("is_aggregate", lambda _, item: columns.yes(item.state.get("AGGREGATE"))),
    ShowColumn("is_ansi", _no()),
    ShowColumn("min_num_arguments", _count(optional=False), "fixed"),
    ShowColumn("max_num_arguments", _count(optional=True), "fixed"),
    ShowColumn("arguments", _arguments),
    ShowColumn("description", lambda s, item: item.properties.get("COMMENT") or f"user-defined {item.kind}"),
    ShowColumn("catalog_name", columns.database_name),
    ShowColumn("is_table_function", lambda _, item: columns.yes(item.state.get("returns_table") is not None)),
    ShowColumn("valid_for_clustering", _no()),
    ShowColumn("is_secure", lambda _, item: columns.yes(item.state.get("SECURE"))),
    ShowColumn("secrets", _secrets),
    ShowColumn("external_access_integrations", columns.fixed("")),
)

_ROUTINE_PROPERTIES = (
    Property("RUNTIME_VERSION", values.identifier(), unsettable=False, create_only=True),
    Property("PACKAGES", values.text_list(), unsettable=False, create_only=True),
    Property("IMPORTS", values.text_list(), unsettable=False, create_only=True),
    Property("HANDLER", values.text(), unsettable=False, create_only=True),
    Property("TARGET_PATH", values.text(), unsettable=False, create_only=True),
    Property("ARTIFACT_REPOSITORY", values.identifier(), unsettable=False, create_only=True),
    Property("EXTERNAL_ACCESS_INTEGRATIONS", values.missing("Integration")),
    Property("SECRETS", values.secret_map()),
    COMMENT,
)

PROCEDURE = ObjectType(
    kind="procedure",
    words="PROCEDURE",
    plural="PROCEDURES",
    container="schema",
    modifiers=("SECURE",),
    properties=(
        *_ROUTINE_PROPERTIES,
        *parameter_properties("procedure", "LOG_LEVEL", "TRACE_LEVEL", "METRIC_LEVEL", "AUTO_EVENT_LOGGING"),
    ),
    show=_ROUTINE_SHOWN,
    privileges=("USAGE",),
    silent_ceiling=True,
    show_limit=False,
    citation=_DOCS + "create-procedure",
)

FUNCTION = ObjectType(
    kind="function",
    words="FUNCTION",
    plural="FUNCTIONS",
    container="schema",
    modifiers=("SECURE", "TEMPORARY", "AGGREGATE"),
    properties=(
        *_ROUTINE_PROPERTIES,
        *parameter_properties("function", "LOG_LEVEL", "TRACE_LEVEL", "METRIC_LEVEL"),
    ),
    show=(
        *_ROUTINE_SHOWN,
        ShowColumn("is_external_function", _no()),
        ShowColumn("language", lambda _, item: str(item.state["language"])),
        ShowColumn("is_memoizable", lambda _, item: columns.yes(item.state.get("memoizable"))),
        ShowColumn("is_data_metric", _no()),
    ),
    privileges=("USAGE",),
    silent_ceiling=True,
    show_limit=False,
    citation=_DOCS + "create-function",
)

TYPES = (tasks.TASK, PROCEDURE, FUNCTION)
