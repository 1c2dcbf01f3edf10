"""Task: what SHOW TASKS prints and what CREATE and ALTER take; graph rules are in `pinky_local.engine.task_graphs`.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task, alter-task and show-tasks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.runs.cron import parse as parse_cron
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT, parameter_properties

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"

SECONDS = {
    "H": 3600, "HOUR": 3600, "HOURS": 3600, "M": 60, "MINUTE": 60, "MINUTES": 60, "S": 1, "SECOND": 1, "SECONDS": 1,
}  # fmt: skip
"""Units of an interval, in seconds."""

LONGEST_SCHEDULE = 8 * 86_400
"""Seconds between two runs at most: 691200 seconds, 11520 minutes or 192 hours."""

EXECUTE_AS_USER = "EXECUTE AS USER"
"""Where a task's properties keep the user it runs as; no name of a property has spaces."""

LONGEST_TARGET = 86_400
SHORTEST = 10

_INTERVAL = re.compile(r"\s*(\d+)\s*([A-Za-z]+)\s*\Z")
_CRON = re.compile(r"\s*USING\s+CRON\s+(.+)\Z", re.IGNORECASE | re.DOTALL)


def check_interval(text: str, name: str, longest: int) -> None:
    """Raise 001422 unless the text is a number of hours, minutes or seconds within the bounds."""
    found = _INTERVAL.match(text)
    if found is None or found[2].upper() not in SECONDS:
        raise errors.invalid_value(text, name)
    if not SHORTEST <= int(found[1]) * SECONDS[found[2].upper()] <= longest:
        raise errors.invalid_value(text, name)


def check_schedule(text: str, name: str) -> None:
    """Raise 001422 unless the text is an interval, or USING CRON with five fields and a known time zone."""
    cron = _CRON.match(text)
    if cron is None:
        check_interval(text, name, LONGEST_SCHEDULE)
        return
    parts = cron[1].split()
    try:
        parse_cron(" ".join(parts[:-1]), parts[-1])
    except ValueError as problem:
        raise errors.invalid_value(text, name) from problem


def _schedule(statement: Statement, name: str) -> str | None:
    if statement.tokens.accept("NULL"):
        return None
    value = statement.text_value()
    check_schedule(value, name)
    return value


def _target_interval(statement: Statement, name: str) -> str:
    value = statement.text_value()
    check_interval(value, name, LONGEST_TARGET)
    return value


def _config(statement: Statement, name: str) -> str | None:
    """A JSON object as text, kept as written."""
    if statement.tokens.accept("NULL"):
        return None
    value = statement.text_value()
    try:
        held = json.loads(value)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise errors.invalid_value(value, name)
    return value


def _warehouse(statement: Statement, name: str) -> str | None:
    """The name of a visible warehouse, as it is written bare, quoted or in a string."""
    tokens = statement.tokens
    if tokens.accept("NULL"):
        return None
    if tokens.at_string():
        text = tokens.string()
        held = text[1:-1].replace('""', '"') if text[:1] == '"' else text.upper()
    else:
        (held,) = tokens.name(1)
    statement.deferred_checks.append(lambda: statement.find("warehouse", (held,)))
    return held


def _integration(statement: Statement, name: str) -> str | None:
    """The name of a notification integration, on which the session needs USAGE."""
    tokens = statement.tokens
    if tokens.accept("NULL"):
        return None
    parts = identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name(1)
    statement.deferred_checks.append(
        lambda: statement.require(statement.find("notification_integration", parts), "USAGE")
    )
    return identifiers.dotted(parts)


def relations(statement: Statement, item: CatalogObject) -> dict[str, Any]:
    """Predecessors, finalizer and finalized root as SHOW TASKS prints them in ``task_relations``."""
    from pinky_local.engine import task_graphs

    catalog = statement.catalog
    found: dict[str, Any] = {}
    root = task_graphs.finalized(statement, item)
    if root is not None:
        found["FinalizedRootTask"] = catalog.printed(root)
    found["Predecessors"] = [catalog.printed(task) for task in task_graphs.predecessors(statement, item)]
    finalizer = task_graphs.finalizer(statement, item)
    if finalizer is not None:
        found["FinalizerTask"] = catalog.printed(finalizer)
    return found


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def identity(number: int) -> str:
    """A task's id in the form of a UUID; it changes with OR REPLACE, as the object's number does."""
    return f"00000000-0000-4000-8000-{number:012x}"


def _overlapping(statement: Statement, item: CatalogObject) -> str:
    """The old word for OVERLAP_POLICY; the text null for a child, as the provider's column is never NULL."""
    if item.state.get("after") and relations(statement, item)["Predecessors"]:
        return "null"
    return "false" if item.properties.get("OVERLAP_POLICY", "NO_OVERLAP") == "NO_OVERLAP" else "true"


def _overlap_policy(statement: Statement, item: CatalogObject) -> str | None:
    if item.state.get("after") and relations(statement, item)["Predecessors"]:
        return None
    return str(item.properties.get("OVERLAP_POLICY") or "NO_OVERLAP")


def _scheduling_mode(_: Statement, item: CatalogObject) -> str | None:
    if item.properties.get("WAREHOUSE"):
        return None
    return "FLEXIBLE" if item.properties.get("TARGET_COMPLETION_INTERVAL") else "FIXED"


def _held(key: str) -> ShowColumn:
    return ShowColumn(key, lambda _, item: item.state.get(key))


def _moment(key: str) -> ShowColumn:
    return ShowColumn(key, lambda _, item: item.state.get(key), "timestamp_ltz")


SHOW = (
    columns.CREATED_ON,
    columns.NAME,
    ShowColumn("id", lambda _, item: identity(item.number)),
    columns.DATABASE_NAME,
    columns.SCHEMA_NAME,
    columns.OWNER,
    columns.COMMENT,
    ShowColumn("warehouse", columns.declared("WAREHOUSE")),
    ShowColumn("schedule", columns.declared("SCHEDULE")),
    ShowColumn("predecessors", lambda s, item: _compact(relations(s, item)["Predecessors"])),
    ShowColumn("state", lambda _, item: item.state.get("state", "suspended")),
    _held("definition"),
    _held("condition"),
    ShowColumn("allow_overlapping_execution", _overlapping),
    ShowColumn("error_integration", columns.declared("ERROR_INTEGRATION", empty="null")),
    _moment("last_committed_on"),
    _moment("last_suspended_on"),
    columns.OWNER_ROLE_TYPE,
    ShowColumn("config", columns.declared("CONFIG")),
    ShowColumn("budget", columns.fixed(None)),
    ShowColumn("task_relations", lambda s, item: _compact(relations(s, item))),
    _held("last_suspended_reason"),
    ShowColumn("success_integration", columns.declared("SUCCESS_INTEGRATION", empty="null")),
    ShowColumn("scheduling_mode", _scheduling_mode),
    ShowColumn("target_completion_interval", columns.declared("TARGET_COMPLETION_INTERVAL")),
    ShowColumn("execute_as_user", lambda _, item: item.properties.get(EXECUTE_AS_USER)),
    ShowColumn("overlap_policy", _overlap_policy),
)
"""The order up to ``last_suspended_reason`` is the provider's, what follows came later and its order is a guess."""

TASK = ObjectType(
    kind="task",
    words="TASK",
    plural="TASKS",
    container="schema",
    properties=(
        Property("WAREHOUSE", _warehouse),
        Property("SCHEDULE", _schedule),
        Property("CONFIG", _config),
        Property(
            "OVERLAP_POLICY",
            values.keyword("NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP"),
            default="NO_OVERLAP",
        ),
        Property("ALLOW_OVERLAPPING_EXECUTION", values.boolean()),
        Property("ERROR_INTEGRATION", _integration),
        Property("SUCCESS_INTEGRATION", _integration),
        Property("TARGET_COMPLETION_INTERVAL", _target_interval),
        COMMENT,
        *parameter_properties("task"),
    ),
    show=SHOW,
    terse=("created_on", "name", "kind", "database_name", "schema_name", "schedule"),
    describe=SHOW,
    privileges=("APPLYBUDGET", "MONITOR", "OPERATE"),
    rename=False,
    citation=_DOCS + "create-task",
    grade="provider",
    guesses=(
        "the order of the columns after last_suspended_reason",
        "the answer of SYSTEM$TASK_DEPENDENTS_ENABLE",
        "tasks after a replaced task follow its replacement",
        "the answers of EXECUTE TASK and of SYSTEM$SET_RETURN_VALUE",
        "a task that waits only for several suspended ones does not run",
    ),
)

TYPES = (TASK,)
