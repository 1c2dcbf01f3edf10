"""Task, procedure and function."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.parameters import PARAMETERS, SESSION_LEVELS
from pinky_local.engine.spec import ObjectType, Property, Reader, ShowColumn
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"

# task ------------------------------------------------------------------------------------------------------------

_INTERVAL = re.compile(r"\s*(\d+)\s*(h|hours?|m|minutes?|s|seconds?)\s*\Z", re.IGNORECASE)
_CRON = re.compile(r"\s*USING\s+CRON\s+(\S+\s+){5}\S+\s*\Z", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def _interval(text: str) -> int | None:
    """Seconds of '10 MINUTES'; None for anything else."""
    found = _INTERVAL.match(text)
    return None if found is None else int(found.group(1)) * _SECONDS[found.group(2)[0].lower()]


def schedule(*, cron: bool) -> Reader:
    """'<num> HOURS | MINUTES | SECONDS' (10 seconds to 8 days) or 'USING CRON <expr> <time zone>'."""

    def read(statement: Statement, name: str) -> str | None:
        if statement.tokens.accept("NULL"):
            return None
        text = statement.text_value()
        if cron and _CRON.match(text):
            return text
        seconds = _interval(text)
        if seconds is None or not 10 <= seconds <= 8 * 24 * 3600:
            raise errors.invalid_value(text, name)
        return text

    return read


def config(statement: Statement, name: str) -> str | None:
    """A string that holds a JSON object."""
    text = statement.text_value()
    try:
        parsed = json.loads(text)
    except ValueError:
        raise errors.invalid_value(text, name) from None
    if not isinstance(parsed, dict):
        raise errors.invalid_value(text, name)
    return text


_OWN_PARAMETERS = (
    "LOG_LEVEL", "SUSPEND_TASK_AFTER_NUM_FAILURES", "TASK_AUTO_RETRY_ATTEMPTS", "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE", "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS", "USER_TASK_TIMEOUT_MS",
)  # fmt: skip
_SESSION = tuple(name for name, p in PARAMETERS.items() if p.levels == SESSION_LEVELS and name != "SEARCH_PATH")


def _names(statement: Statement, numbers: list[int]) -> list[str]:
    catalog = statement.catalog
    return [catalog.printed(catalog.objects[number]) for number in numbers if number in catalog.objects]


def _predecessors(statement: Statement, item: CatalogObject) -> str:
    return json.dumps(_names(statement, item.state.get("after", [])))


def _relations(statement: Statement, item: CatalogObject) -> str:
    found: dict[str, Any] = {"Predecessors": _names(statement, item.state.get("after", []))}
    root = item.state.get("finalize")
    if root in statement.catalog.objects:
        found = {"FinalizedRootTask": statement.catalog.printed(statement.catalog.objects[root]), **found}
    for other in statement.catalog.of_kind(item.parent, "task"):
        if other.state.get("finalize") == item.number:
            found["FinalizerTask"] = statement.catalog.printed(other)
    return json.dumps(found, separators=(",", ":"))


def _overlap(statement: Statement, item: CatalogObject) -> str | None:
    if item.state.get("after") or item.state.get("finalize"):
        return None
    policy = item.properties.get("OVERLAP_POLICY")
    allowed = item.properties.get("ALLOW_OVERLAPPING_EXECUTION") if policy is None else policy != "NO_OVERLAP"
    return "true" if allowed else "false"


def _root_only(name: str) -> Any:
    def get(_: Statement, item: CatalogObject) -> Any:
        return None if item.state.get("after") else item.properties.get(name)

    return get


def _state(name: str, kind: str = "text") -> ShowColumn:
    return ShowColumn(name, lambda _, item: item.state.get(name), kind)


TASK = ObjectType(
    kind="task",
    words="TASK",
    plural="TASKS",
    container="schema",
    properties=(
        Property("WAREHOUSE", values.reference("warehouse")),
        Property("SCHEDULE", schedule(cron=True)),
        Property("TARGET_COMPLETION_INTERVAL", schedule(cron=False)),
        Property("CONFIG", config),
        Property("OVERLAP_POLICY", values.keyword("NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP")),
        Property("ALLOW_OVERLAPPING_EXECUTION", values.boolean(), default=False),
        Property("ERROR_INTEGRATION", values.missing("Integration")),
        Property("SUCCESS_INTEGRATION", values.missing("Integration")),
        COMMENT,
        *parameter_properties("task", *_OWN_PARAMETERS, *_SESSION),
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        ShowColumn("id", lambda _, item: f"01b00000-0000-0000-0000-{item.number:012d}"),
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        columns.OWNER,
        columns.COMMENT,
        ShowColumn("warehouse", columns.declared("WAREHOUSE")),
        ShowColumn("schedule", columns.declared("SCHEDULE")),
        ShowColumn("predecessors", _predecessors),
        ShowColumn("state", lambda _, item: str(item.state.get("state", "suspended"))),
        _state("definition"),
        _state("condition"),
        ShowColumn("allow_overlapping_execution", _overlap),
        ShowColumn("error_integration", columns.fixed("null")),
        _state("last_committed_on", "timestamp_ltz"),
        _state("last_suspended_on", "timestamp_ltz"),
        columns.OWNER_ROLE_TYPE,
        ShowColumn("config", _root_only("CONFIG")),
        ShowColumn("budget", columns.fixed(None)),
        ShowColumn("task_relations", _relations),
        _state("last_suspended_reason"),
        ShowColumn("success_integration", columns.fixed("null")),
        ShowColumn("scheduling_mode", lambda _, i: None if i.properties.get("WAREHOUSE") else "FIXED" if not i.properties.get("TARGET_COMPLETION_INTERVAL") else "FLEXIBLE"),  # noqa: E501
        ShowColumn("target_completion_interval", columns.declared("TARGET_COMPLETION_INTERVAL")),
        _state("execute_as_user"),
    ),
    terse=("created_on", "name", "kind", "database_name", "schema_name", "schedule", "state"),
    privileges=("APPLYBUDGET", "MONITOR", "OPERATE"),
    rename=False,
    citation=_DOCS + "create-task",
)

# routines --------------------------------------------------------------------------------------------------------


def argument_types(item: CatalogObject) -> list[str]:
    """The families of a routine's argument types, DEFAULT before those that may be left out."""
    return [("DEFAULT " if optional else "") + kind.partition("(")[0] for _, kind, optional in item.state["arguments"]]


def _arguments(_: Statement, item: CatalogObject) -> str:
    returns = str(item.state["returns"])
    shown = returns if returns.startswith("TABLE") else returns.partition("(")[0]
    return f"{item.name}({', '.join(argument_types(item))}) RETURN {shown}"


def _count(optional: bool) -> Any:
    def get(_: Statement, item: CatalogObject) -> int:
        return sum(1 for argument in item.state["arguments"] if optional or not argument[2])

    return get


def _no() -> Any:
    return columns.fixed("N")


_ROUTINE_SHOWN = (
    columns.CREATED_ON,
    columns.NAME,
    columns.SCHEMA_NAME,
    ShowColumn("is_builtin", _no()),
    ShowColumn("is_aggregate", _no()),
    ShowColumn("is_ansi", _no()),
    ShowColumn("min_num_arguments", _count(optional=False), "fixed"),
    ShowColumn("max_num_arguments", _count(optional=True), "fixed"),
    ShowColumn("arguments", _arguments),
    ShowColumn("description", lambda s, item: item.properties.get("COMMENT") or f"user-defined {item.kind}"),
    ShowColumn("catalog_name", columns.database_name),
    ShowColumn("is_table_function", lambda _, item: columns.yes(str(item.state["returns"]).startswith("TABLE") and item.kind == "function")),  # noqa: E501
    ShowColumn("valid_for_clustering", _no()),
    ShowColumn("is_secure", lambda _, item: columns.yes(item.state.get("SECURE"))),
    ShowColumn("secrets", lambda _, item: json.dumps(item.properties["SECRETS"]) if item.properties.get("SECRETS") else ""),
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
    modifiers=("SECURE", "TEMPORARY"),
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

TYPES = (TASK, PROCEDURE, FUNCTION)
