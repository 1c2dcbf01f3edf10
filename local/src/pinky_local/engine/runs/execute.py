"""EXECUTE TASK, and CALL of a system function. https://docs.snowflake.com/en/sql-reference/sql/execute-task"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pinky_local.engine import context, errors, identifiers, task_graphs
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.runs import records, versions
from pinky_local.engine.runs.records import GraphRun
from pinky_local.engine.runs.scheduler import Request, Scheduler
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result, ResultColumn, SqlError

RETRY_DAYS = timedelta(days=14)
_CALL_TYPE = 0x9000


def scheduler_of(statement: Statement) -> Scheduler:
    """The account's scheduler."""
    scheduler = statement.account.scheduler
    assert isinstance(scheduler, Scheduler)
    return scheduler


def execute_task(statement: Statement) -> Result:
    """Run EXECUTE TASK: the graph run begins in the background, the answer comes at once. (Its text is a guess.)"""
    tokens = statement.tokens
    tokens.expect("EXECUTE", "TASK")
    parts = identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()
    config: str | None = None
    group: str | None = None
    retry = False
    if tokens.accept("USING"):
        tokens.expect("CONFIG")
        if not tokens.accept_symbol("=>"):
            tokens.expect_symbol("=")
        config = statement.text_value()
    elif tokens.accept("RETRY"):
        retry = True
        if tokens.accept("GRAPH", "RUN", "GROUP"):
            group = statement.text_value()
        else:
            tokens.expect("LAST")
    statement.finish_parsing()
    task = statement.find("task", parts)
    statement.require(task, "OPERATE")
    if not task_graphs.is_root(statement, task):
        raise task_graphs.graph_error(
            f"Task {identifiers.printed(task.name)} is not a root task and cannot be executed."
        )
    task_graphs.check_owner(statement, task)
    task_graphs.check_graph(statement, task)
    scheduler = scheduler_of(statement)
    if retry:
        old = _retried(statement, scheduler, task, group)
        scheduler.request(Request(task.number, records.MANUAL_RETRY, retried=old))
    else:
        merged = _merged(task, config) if config is not None else None
        scheduler.request(Request(task.number, records.EXECUTE_TASK, config=merged))
    return status(f"Task {identifiers.printed(task.name)} is scheduled to run immediately.")


def _merged(task: CatalogObject, text: str) -> str:
    """The default configuration with the given one laid over it, field by field at every depth."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise errors.invalid_value(text, "CONFIG")
    default = task.properties.get("CONFIG")
    return json.dumps(_over(json.loads(default) if default else {}, given))


def _over(default: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = dict(default)
    for key, value in given.items():
        held = merged.get(key)
        merged[key] = _over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def _retried(statement: Statement, scheduler: Scheduler, task: CatalogObject, group: str | None) -> GraphRun:
    """The graph run that RETRY repeats. Raises 091425 (a guess) where the page's conditions are not met."""
    runs = [run for run in scheduler.history.of(task.number) if group is None or run.group == group]
    name = identifiers.printed(task.name)
    if not runs:
        raise _not_retried(f"Task {name} has no graph run{f' of group {group}' if group else ''} to retry.")
    last = runs[-1]
    if last.state == records.EXECUTING:
        raise _not_retried(f"The graph run of task {name} is still in progress.")
    if not any(run.state in records.ENDED_BADLY for run in last.tasks):
        raise _not_retried(f"The last graph run of task {name} is not in state FAILED or CANCELED.")
    if last.fingerprint != versions.take(statement, task).fingerprint:
        raise _not_retried(f"The graph of task {name} was modified since the run that is to be retried.")
    if statement.now - last.original_time > RETRY_DAYS:
        raise _not_retried(f"The graph run of task {name} began more than {RETRY_DAYS.days} days ago.")
    return last


def _not_retried(text: str) -> SqlError:
    return SqlError(91425, "23001", f"Cannot execute task with retry last: {text}")


def call_system_function(statement: Statement) -> Result:
    """CALL SYSTEM$…(constants): the function's value as a row of one column, named as the function."""
    tokens = statement.tokens
    tokens.expect("CALL")
    name = tokens.any_word()
    tokens.expect_symbol("(")
    arguments: list[Any] = []
    while not tokens.accept_symbol(")"):
        arguments.append(statement.text_value() if tokens.is_symbol("?") else _constant(statement))
        if not tokens.is_symbol(")"):
            tokens.expect_symbol(",")
    statement.finish_parsing()
    value = context.call(statement.account, name, arguments, statement.session)
    kind = ResultColumn(name, "boolean") if isinstance(value, bool) else ResultColumn(name, "text", length=16_777_216)
    return Result([kind], [[value]], _CALL_TYPE)


def _constant(statement: Statement) -> Any:
    tokens = statement.tokens
    if tokens.at_string():
        return tokens.string()
    if tokens.word() in ("TRUE", "FALSE", "NULL"):
        return {"TRUE": True, "FALSE": False, "NULL": None}[tokens.any_word()]
    return tokens.integer()
