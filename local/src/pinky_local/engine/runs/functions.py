"""System functions about task runs; what they answer about the run itself is `task_context`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pinky_local.engine import context, errors, identifiers
from pinky_local.engine.runs.execute import scheduler_of
from pinky_local.engine.runs.task_context import outside
from pinky_local.engine.statement import Statement
from pinky_local.types import TaskContext

Answer = Callable[[TaskContext, Sequence[Any]], Any]


def _set_return_value(run: TaskContext, arguments: Sequence[Any]) -> str:
    """What it answers itself is a guess."""
    run.set_return_value("" if arguments[0] is None else str(arguments[0]))
    return "Return value set."


def _config(run: TaskContext, arguments: Sequence[Any]) -> str | None:
    return run.config(str(arguments[0]) if arguments else None)


def _predecessor_value(run: TaskContext, arguments: Sequence[Any]) -> str | None:
    return run.predecessor_value(str(arguments[0]) if arguments else None)


_WITHIN_RUNS: dict[str, tuple[int, int, Answer]] = {
    "SYSTEM$SET_RETURN_VALUE": (1, 1, _set_return_value),
    "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": (0, 1, _predecessor_value),
    "SYSTEM$GET_TASK_GRAPH_CONFIG": (0, 1, _config),
    "SYSTEM$TASK_RUNTIME_INFO": (1, 1, lambda run, arguments: run.information(str(arguments[0]))),
    "SYSTEM$CURRENT_USER_TASK_NAME": (0, 0, lambda run, _: run.name),
}
"""Least and most arguments, and the answer; outside of a task run they are refused."""


def _within(name: str, least: int, most: int, answer: Answer) -> Callable[[Statement, Sequence[Any]], Any]:
    def function(statement: Statement, arguments: Sequence[Any]) -> Any:
        check_arity(name, arguments, least, most)
        if statement.session.task_run is None:
            raise outside(name)
        return answer(statement.session.task_run, arguments)

    return function


def check_arity(name: str, arguments: Sequence[Any], least: int, most: int) -> None:
    """Raise 000938 or 000939 for a wrong number of arguments."""
    if not least <= len(arguments) <= most:
        number, word = (938, "not enough") if len(arguments) < least else (939, "too many")
        expected = least if len(arguments) < least else most
        text = f"{word} arguments for function [{name}] expected {expected}, got {len(arguments)}"
        raise errors.compilation(number, "22023", text)


def cancel_ongoing(statement: Statement, arguments: Sequence[Any]) -> str:
    """https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions"""
    check_arity("SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS", arguments, 1, 1)
    task = statement.find("task", identifiers.parse_dotted(str(arguments[0])))
    statement.require(task, "OPERATE")
    queries = scheduler_of(statement).cancel(task.number)
    if not queries:
        text = f"Task {identifiers.printed(task.name)} has no currently running executions. If the task was dropped or"
        text += " replaced after a previous execution started, use SYSTEM$CANCEL_QUERY along with the query id to"
        return text + " cancel the run."
    text = f"Marked {len(queries)} task runs for cancellation. It may take a few seconds for cancellation to complete."
    return f"{text} Query ids canceled: [{', '.join(queries)}]"


for _name, (_least, _most, _answer) in _WITHIN_RUNS.items():
    context.NEEDS_STATEMENT[_name] = _within(_name, _least, _most, _answer)
context.NEEDS_STATEMENT["SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS"] = cancel_ongoing
