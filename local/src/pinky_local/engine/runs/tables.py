"""Table functions of INFORMATION_SCHEMA about tasks: what ran, what runs, what will run, and what depends on what.

Columns and arguments are those of https://docs.snowflake.com/en/sql-reference/functions/task_history,
complete_task_graphs, current_task_graphs and task_dependents. Query hashes are the account's own: equal texts have
equal hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pinky_local.engine import context, errors, identifiers, task_graphs
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.information_schema import columns_of
from pinky_local.engine.lexer import NUMBER, STRING, tokenize
from pinky_local.engine.runs import arguments as named
from pinky_local.engine.runs import records
from pinky_local.engine.runs.execute import scheduler_of
from pinky_local.engine.runs.records import GraphRun, TaskRun
from pinky_local.engine.specs.tasks import SHOW, identity
from pinky_local.engine.statement import Statement
from pinky_local.types import Result, SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_SELECT_TYPE = 0x1000
_HISTORY_DAYS = timedelta(days=7)
_AHEAD = timedelta(days=8)
_RECENT = timedelta(minutes=60)

_RUN = "GRAPH_VERSION:n RUN_ID:n"
TASK_HISTORY = columns_of(
    "QUERY_ID NAME DATABASE_NAME SCHEMA_NAME QUERY_TEXT CONDITION_TEXT STATE ERROR_CODE:n ERROR_MESSAGE "
    "SCHEDULED_TIME:t QUERY_START_TIME:t NEXT_SCHEDULED_TIME:t COMPLETED_TIME:t ROOT_TASK_ID "
    f"{_RUN} RETURN_VALUE SCHEDULED_FROM ATTEMPT_NUMBER:n CONFIG QUERY_HASH QUERY_HASH_VERSION:n "
    "QUERY_PARAMETERIZED_HASH QUERY_PARAMETERIZED_HASH_VERSION:n GRAPH_RUN_GROUP_ID BACKFILL_INFO:o SPCS_JOB_ID:n"
)
_GRAPH = (
    "ROOT_TASK_NAME DATABASE_NAME SCHEMA_NAME STATE SCHEDULED_FROM FIRST_ERROR_TASK_NAME FIRST_ERROR_CODE:n "
    "FIRST_ERROR_MESSAGE SCHEDULED_TIME:t QUERY_START_TIME:t NEXT_SCHEDULED_TIME:t"
)
_GRAPH_END = f"ROOT_TASK_ID {_RUN} ATTEMPT_NUMBER:n CONFIG GRAPH_RUN_GROUP_ID BACKFILL_INFO:o"
COMPLETE = columns_of(f"{_GRAPH} COMPLETED_TIME:t {_GRAPH_END}")
CURRENT = columns_of(f"{_GRAPH} {_GRAPH_END}")


def table_function(account: Account, name: str, arguments: Sequence[Any], session: SessionContext) -> Result | None:
    """The rows of a function of this module; None for another one's name."""
    *schema, last = name.split(".")
    function = _FUNCTIONS.get(last.upper())
    if function is None:
        return None
    if [part.upper() for part in schema[-1:]] != ["INFORMATION_SCHEMA"] and session.schema != "INFORMATION_SCHEMA":
        raise errors.compilation(2141, "42P13", f"Unknown table function {name.upper()}")
    with account.lock:
        return function(Statement(account, session, "SELECT 1", (), ""), arguments)


# who sees what ----------------------------------------------------------------------------------------------------


class _Viewer:
    """What the session's roles may see of runs: their own tasks', MONITOR, OPERATE, MONITOR EXECUTION, ACCOUNTADMIN."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        administrator = statement.access.role_named("ACCOUNTADMIN")
        self._all = statement.access.holds_account(statement.roles, "MONITOR EXECUTION") or (
            administrator is not None and administrator.number in statement.roles
        )

    def sees(self, number: int) -> bool:
        task = self.statement.catalog.objects.get(number)
        if self._all:
            return True
        holds, roles = self.statement.access.holds, self.statement.roles
        return task is not None and any(holds(roles, task, privilege) for privilege in ("MONITOR", "OPERATE"))

    def place(self, path: tuple[str, str, str]) -> dict[str, Any]:
        """Database and schema, NULL without USAGE on them."""
        catalog, access, roles = self.statement.catalog, self.statement.access, self.statement.roles
        database = catalog.get(ACCOUNT, "database", path[0])
        schema = catalog.get(database.number, "schema", path[1]) if database is not None else None
        usable = all(item is not None and access.holds(roles, item, "USAGE") for item in (database, schema))
        gone = database is None or schema is None
        shown = usable or (gone and self._all)
        return {"DATABASE_NAME": path[0] if shown else None, "SCHEMA_NAME": path[1] if shown else None}


# TASK_HISTORY -----------------------------------------------------------------------------------------------------


def task_history(statement: Statement, arguments: Sequence[Any]) -> Result:
    """Runs by scheduled time, the latest first, and the next run of every started root."""
    given = named.read(
        "TASK_HISTORY", arguments, "SCHEDULED_TIME_RANGE_START", "SCHEDULED_TIME_RANGE_END", "RESULT_LIMIT",
        "TASK_NAME", "DATABASE_NAME", "SCHEMA_NAME", "ERROR_ONLY", "ROOT_TASK_ID",
    )  # fmt: skip
    start = named.moment(statement, given.get("SCHEDULED_TIME_RANGE_START"))
    end = named.moment(statement, given.get("SCHEDULED_TIME_RANGE_END"))
    limit = named.limit(given.get("RESULT_LIMIT"), 100)
    earliest = statement.now - _HISTORY_DAYS
    if start is not None and (start < earliest or (end is not None and end < start)):
        raise SqlError(2236, "22023", "Invalid time range: TASK_HISTORY reaches back 7 days.")
    if given.get("SCHEMA_NAME") is not None and given.get("DATABASE_NAME") is None:
        raise errors.compilation(1044, "42P13", "TASK_HISTORY with SCHEMA_NAME needs DATABASE_NAME")
    viewer = _Viewer(statement)
    only_errors = named.flag(given.get("ERROR_ONLY"))
    found = [
        _history_row(viewer, graph, run)
        for graph, run in _task_runs(statement)
        if (run.state in records.ENDED_BADLY or not only_errors)
        and _in(start or earliest, run.scheduled_time, end)
        and _matches(given, graph, run.path)
        and viewer.sees(run.number)
    ]
    found += [
        _scheduled_row(viewer, graph, root)
        for graph, root in (() if only_errors else _scheduled(statement))
        if _in(start or earliest, graph.scheduled_time, end)
        and _matches(given, graph, graph.path)
        and viewer.sees(root.number)
    ]
    return _result(TASK_HISTORY, _latest_first(found, "SCHEDULED_TIME")[:limit])


def _in(start: datetime, moment: datetime, end: datetime | None) -> bool:
    return start <= moment and (end is None or moment <= end)


def _task_runs(statement: Statement) -> Iterator[tuple[GraphRun, TaskRun]]:
    for graph in scheduler_of(statement).history.runs():
        for run in list(graph.tasks):
            yield graph, run


def _matches(given: dict[str, Any], graph: GraphRun, path: tuple[str, str, str]) -> bool:
    name, root = given.get("TASK_NAME"), given.get("ROOT_TASK_ID")
    if name is not None and str(name).upper() != path[2].upper():
        return False
    if root is not None and str(root) != identity(graph.root):
        return False
    places = zip((given.get("DATABASE_NAME"), given.get("SCHEMA_NAME")), path[:2], strict=True)
    return all(wanted is None or identifiers.parse_dotted(str(wanted)) == (held,) for wanted, held in places)


def _history_row(viewer: _Viewer, graph: GraphRun, run: TaskRun) -> dict[str, Any]:
    row = _common(graph) | viewer.place(run.path)
    row |= {
        "QUERY_ID": run.query_id,
        "NAME": run.path[2],
        "QUERY_TEXT": run.definition,
        "CONDITION_TEXT": run.condition,
        "STATE": run.state,
        "ERROR_CODE": run.error_code,
        "ERROR_MESSAGE": run.error_message,
        "SCHEDULED_TIME": run.scheduled_time,
        "QUERY_START_TIME": run.query_start_time,
        "NEXT_SCHEDULED_TIME": graph.next_time if run.number == graph.root else None,
        "COMPLETED_TIME": run.completed_time,
        "RETURN_VALUE": run.return_value,
    }
    return row | (_hashes(run.definition) if run.query_id is not None else {})


def _scheduled_row(viewer: _Viewer, graph: GraphRun, root: CatalogObject) -> dict[str, Any]:
    row = _common(graph) | viewer.place(graph.path)
    return row | {
        "NAME": root.name,
        "QUERY_TEXT": root.state.get("definition"),
        "CONDITION_TEXT": root.state.get("condition"),
        "STATE": "SCHEDULED",
        "SCHEDULED_TIME": graph.scheduled_time,
    }


def _common(graph: GraphRun) -> dict[str, Any]:
    return {
        "ROOT_TASK_ID": identity(graph.root),
        "GRAPH_VERSION": graph.version,
        "RUN_ID": int(graph.original_time.timestamp() * 1000),
        "SCHEDULED_FROM": graph.scheduled_from,
        "ATTEMPT_NUMBER": graph.attempt,
        "CONFIG": graph.config,
        "GRAPH_RUN_GROUP_ID": graph.group or None,
    }


def _scheduled(statement: Statement) -> Iterator[tuple[GraphRun, CatalogObject]]:
    """The next run of every started root with a schedule, within eight days, as a graph run that has not begun."""
    scheduler = scheduler_of(statement)
    for root in list(statement.catalog.objects.values()):
        if root.kind != "task" or root.state.get("state") != task_graphs.STARTED or not root.properties.get("SCHEDULE"):
            continue
        time = scheduler.next_point(root)
        if time is None or time > statement.now + _AHEAD or not task_graphs.is_root(statement, root):
            continue
        database, schema, name = statement.catalog.path(root)
        version = int(root.state.get("graph_version", 1))
        yield GraphRun(
            "", 1, root.number, (database, schema, name), version, "", records.SCHEDULE, time, time,
            root.properties.get("CONFIG"),
        ), root  # fmt: skip


def _hashes(text: str) -> dict[str, Any]:
    """Hashes of the text without layout, and without its constants."""
    pieces = [(token.kind, token.value) for token in tokenize(text)]
    bare = [(kind, "?" if kind in (STRING, NUMBER) else value) for kind, value in pieces]
    return {
        "QUERY_HASH": hashlib.md5(repr(pieces).encode(), usedforsecurity=False).hexdigest(),
        "QUERY_HASH_VERSION": 1,
        "QUERY_PARAMETERIZED_HASH": hashlib.md5(repr(bare).encode(), usedforsecurity=False).hexdigest(),
        "QUERY_PARAMETERIZED_HASH_VERSION": 1,
    }


# graph runs -------------------------------------------------------------------------------------------------------


def complete_task_graphs(statement: Statement, arguments: Sequence[Any]) -> Result:
    """Graph runs that ended within the last hour, the latest first; not those whose root was skipped."""
    given = named.read("COMPLETE_TASK_GRAPHS", arguments, "RESULT_LIMIT", "ROOT_TASK_NAME", "ERROR_ONLY")
    only_errors = named.flag(given.get("ERROR_ONLY"))
    since = statement.now - _RECENT
    ended = [
        run
        for run in scheduler_of(statement).history.runs()
        if run.completed_time is not None
        and run.completed_time >= since
        and run.state != records.SKIPPED
        and (run.state in records.ENDED_BADLY or not only_errors)
    ]
    rows = [row | {"COMPLETED_TIME": run.completed_time} for run, row in _graph_rows(statement, given, ended)]
    return _result(COMPLETE, _latest_first(rows, "COMPLETED_TIME")[: named.limit(given.get("RESULT_LIMIT"), 1000)])


def current_task_graphs(statement: Statement, arguments: Sequence[Any]) -> Result:
    """Graph runs under way, and the next one of every started root, the latest first."""
    given = named.read("CURRENT_TASK_GRAPHS", arguments, "RESULT_LIMIT", "ROOT_TASK_NAME")
    waiting = [graph for graph, _ in _scheduled(statement)]
    runs = [*scheduler_of(statement).active(), *waiting]
    rows = [row | ({"STATE": "SCHEDULED"} if not run.group else {}) for run, row in _graph_rows(statement, given, runs)]
    return _result(CURRENT, _latest_first(rows, "SCHEDULED_TIME")[: named.limit(given.get("RESULT_LIMIT"), 1000)])


def _graph_rows(
    statement: Statement, given: dict[str, Any], runs: Iterable[GraphRun]
) -> Iterator[tuple[GraphRun, dict[str, Any]]]:
    viewer = _Viewer(statement)
    name = given.get("ROOT_TASK_NAME")
    for run in runs:
        if not viewer.sees(run.root) or (name is not None and str(name).upper() != run.path[2].upper()):
            continue
        error = run.first_error
        row = _common(run) | viewer.place(run.path)
        row |= {
            "ROOT_TASK_NAME": run.path[2],
            "STATE": run.state,
            "FIRST_ERROR_TASK_NAME": error.path[2] if error is not None else None,
            "FIRST_ERROR_CODE": error.error_code if error is not None else None,
            "FIRST_ERROR_MESSAGE": error.error_message if error is not None else None,
            "SCHEDULED_TIME": run.scheduled_time,
            "QUERY_START_TIME": run.query_start_time,
            "NEXT_SCHEDULED_TIME": run.next_time,
        }
        yield run, row


# TASK_DEPENDENTS --------------------------------------------------------------------------------------------------

_DEPENDENT_COLUMNS = (
    "created_on", "name", "database_name", "schema_name", "owner", "comment", "warehouse", "schedule", "predecessors",
    "state", "definition", "condition",
)  # fmt: skip


def task_dependents(statement: Statement, arguments: Sequence[Any]) -> Result:
    """A task and the tasks after it, as SHOW TASKS prints them, in upper-case columns."""
    given = named.read("TASK_DEPENDENTS", arguments, "TASK_NAME", "RECURSIVE")
    if given.get("TASK_NAME") is None:
        raise errors.compilation(938, "22023", "not enough arguments for function [TASK_DEPENDENTS], needs TASK_NAME")
    task = statement.find("task", identifiers.parse_dotted(str(given["TASK_NAME"])))
    statement.require(task, "MONITOR", "OPERATE")
    if named.flag(given.get("RECURSIVE", True)):
        tasks = task_graphs.below(statement, task)
    else:
        last = task_graphs.finalizer(statement, task)
        tasks = [task, *task_graphs.children(statement, task), *((last,) if last is not None else ())]
    shown = {column.name: column for column in SHOW}
    chosen = [shown[name] for name in _DEPENDENT_COLUMNS]
    columns = columns_of("CREATED_ON:t " + " ".join(name.upper() for name in _DEPENDENT_COLUMNS[1:]))
    rows = [[column.get(statement, item) for column in chosen] for item in tasks]
    return Result(columns, rows, _SELECT_TYPE)


def _latest_first(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Rows by a time, the latest first; of equal times the one that began later."""
    turned = rows[::-1]
    turned.sort(key=lambda row: row[column], reverse=True)
    return turned


def _result(columns: Any, rows: list[dict[str, Any]]) -> Result:
    return Result(columns, [[_local(row.get(column.name)) for column in columns] for row in rows], _SELECT_TYPE)


def _local(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


_FUNCTIONS: dict[str, Callable[[Statement, Sequence[Any]], Result]] = {
    "TASK_HISTORY": task_history,
    "COMPLETE_TASK_GRAPHS": complete_task_graphs,
    "CURRENT_TASK_GRAPHS": current_task_graphs,
    "TASK_DEPENDENTS": task_dependents,
}

context.TABLE_FUNCTIONS.append(table_function)
