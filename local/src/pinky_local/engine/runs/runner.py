"""One attempt to run a graph, task by task, each in a session of its own.

Rests on https://docs.snowflake.com/en/user-guide/tasks-graphs. Branches that could run side by side run one after the
other, by name, so that two runs of the same graph do the same in the same order. A task runs when each task before it
succeeded: one that was skipped (its WHEN did not hold), failed or did not run keeps it from running, and then it is
not in the history
(https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state calls that the default condition). A
suspended task counts as though it had succeeded; of several tasks before it, at least one must not be suspended.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pinky_local.engine import context as functions
from pinky_local.engine.runs import conditions
from pinky_local.engine.runs.records import CANCELLED, EXECUTING, FAILED, SKIPPED, SUCCEEDED, GraphRun, TaskRun
from pinky_local.engine.runs.task_context import RunningTask
from pinky_local.engine.runs.task_session import close_session, open_session
from pinky_local.engine.runs.versions import GraphVersion, TaskVersion
from pinky_local.types import Result, SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

PASSED, NOT_RUN = "PASSED", "NOT_RUN"
"""Outcomes of tasks that leave no row: suspended ones that count as successful, and those kept from running."""

CONDITION_FALSE = 40003
"""The code of a skipped run; with its text it is what histories of real accounts show."""

StatementRunner = Callable[[str, SessionContext, str], Result]
"""Runs one statement: its text, the session (whose ``task_run`` says what it is part of), the query id."""


@dataclass(slots=True)
class Live:
    """A task run that is under way. ``timed_out`` is the limit in seconds that was passed, if one was."""

    run: TaskRun
    cancelled: threading.Event = field(default_factory=threading.Event)
    timed_out: float | None = None


@dataclass(slots=True)
class Attempt:
    """A graph run under way. ``carried`` are the task runs of earlier attempts that count in this one."""

    graph: GraphVersion
    run: GraphRun
    carried: dict[int, TaskRun] = field(default_factory=dict)
    outcomes: dict[int, str] = field(default_factory=dict)
    root_ended: bool = False
    live: Live | None = None
    deadline: float = 0.0

    def earlier(self) -> dict[int, TaskRun]:
        """The task runs that count by now, by number."""
        return self.carried | self.run.outcomes()


class Runner:
    """Runs attempts. ``run_statement`` runs a statement, ``failed`` hears of every task run that failed."""

    def __init__(
        self, account: Account, run_statement: Callable[[], StatementRunner], failed: Callable[[Attempt, TaskRun], None]
    ) -> None:
        self._account = account
        self._run_statement = run_statement
        self._failed = failed
        self.stopping = threading.Event()

    def run(self, attempt: Attempt, root_ended: Callable[[], None]) -> None:
        """Run an attempt to its end and note how it ended. ``root_ended`` is called when the root is done."""
        graph, run = attempt.graph, attempt.run
        attempt.deadline = time.monotonic() + graph.root.timeout_ms / 1000
        self._step(attempt, graph.root)
        attempt.root_ended = True
        root_ended()
        if attempt.outcomes[graph.root.number] != SKIPPED:
            for child in graph.children:
                self._step(attempt, child)
            last = graph.finalizer
            if last is not None and last.started:
                attempt.outcomes[last.number] = self._task(attempt, last)
        outcomes = set(attempt.outcomes.values())
        if attempt.outcomes[graph.root.number] == SKIPPED:
            run.state = SKIPPED
        else:
            run.state = next((state for state in (FAILED, CANCELLED) if state in outcomes), SUCCEEDED)
        run.completed_time = self._account.now()

    def _step(self, attempt: Attempt, task: TaskVersion) -> None:
        before = attempt.carried.get(task.number)
        if before is not None:
            attempt.outcomes[task.number] = before.state
        elif not may_run(attempt, task):
            attempt.outcomes[task.number] = NOT_RUN
        elif not task.started and task.number != attempt.graph.root.number:
            attempt.outcomes[task.number] = PASSED
        else:
            attempt.outcomes[task.number] = self._task(attempt, task)

    # one task ------------------------------------------------------------------------------------------------------

    def _task(self, attempt: Attempt, task: TaskVersion) -> str:
        now = self._account.now()
        is_root = task.number == attempt.graph.root.number
        scheduled = attempt.run.scheduled_time if is_root else now
        run = TaskRun(task.number, task.path, task.definition, task.condition, scheduled)
        attempt.live = live = Live(run)
        attempt.run.tasks.append(run)
        if self.stopping.is_set():
            live.cancelled.set()
        try:
            self._guarded(attempt, task, live)
            if run.state == EXECUTING:
                run.state = SUCCEEDED
        except SqlError as problem:
            self._note_failure(live, problem)
        finally:
            attempt.live = None
            run.completed_time = self._account.now()
        if run.failed:
            self._failed(attempt, run)
        return run.state

    def _guarded(self, attempt: Attempt, task: TaskVersion, live: Live) -> None:
        """Run a task's statement where its condition holds. Raises what the statement, or getting to it, raises."""
        if live.cancelled.is_set():
            raise SqlError(604, "57014", "SQL execution canceled")
        context = open_session(self._account, task)
        context.cancelled = live.cancelled
        context.task_run = RunningTask(attempt.graph, task, attempt.run, live.run, attempt.earlier())
        try:
            if task.condition is not None and not self._holds(task.condition, context):
                live.run.state = SKIPPED
                live.run.error_code = CONDITION_FALSE
                live.run.error_message = "Conditional expression for task evaluated to false."
                return
            self._statement(attempt, task, live, context)
        finally:
            close_session(self._account, context)

    def _statement(self, attempt: Attempt, task: TaskVersion, live: Live, context: SessionContext) -> None:
        live.run.query_id = str(uuid.uuid4())
        live.run.query_start_time = self._account.now()
        seconds, stated = self._seconds(attempt, task)

        def too_late() -> None:
            live.timed_out = stated
            live.cancelled.set()

        limit = threading.Timer(seconds, too_late)
        limit.daemon = True
        limit.start()
        try:
            self._run_statement()(task.definition, context, live.run.query_id)
        finally:
            limit.cancel()

    def _seconds(self, attempt: Attempt, task: TaskVersion) -> tuple[float, float]:
        """How long a task may still take, and the limit that says so, in seconds.

        Its own limit, else what is left of the graph's, which is the root's; a lower statement timeout counts instead.
        """
        root = attempt.graph.root
        if task.own_timeout and task.number != root.number:
            seconds = limit = task.timeout_ms / 1000
        else:
            seconds, limit = max(0.0, attempt.deadline - time.monotonic()), root.timeout_ms / 1000
        name = "STATEMENT_TIMEOUT_IN_SECONDS"
        statement = float(task.session_parameters.get(name) or self._account.parameters.get(name) or 0)
        return (statement, statement) if 0 < statement < seconds else (seconds, limit)

    def _holds(self, condition: str, context: SessionContext) -> bool:
        def call(name: str, arguments: Sequence[Any]) -> Any:
            return functions.call(self._account, name, arguments, context)

        return conditions.holds(condition, call)

    def _note_failure(self, live: Live, problem: SqlError) -> None:
        run = live.run
        run.state = FAILED
        run.error_code, run.error_message = problem.errno, problem.message
        if problem.errno == 604 and live.timed_out is not None:
            seconds = f"{live.timed_out:g}"
            run.error_code = 630
            run.error_message = (
                f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled."
            )
        elif problem.errno == 604:
            run.state = CANCELLED

    # conditions of triggered tasks ---------------------------------------------------------------------------------

    def is_triggered(self, graph: GraphVersion, now: datetime) -> bool:
        """Whether a triggered root's condition holds. One that cannot be evaluated counts: its run then says why."""
        root = graph.root
        run = TaskRun(root.number, root.path, root.definition, root.condition, now)
        graph_run = GraphRun("", 1, root.number, root.path, graph.number, graph.fingerprint, "", now, now)
        try:
            context = open_session(self._account, root)
        except SqlError:
            return True
        context.task_run = RunningTask(graph, root, graph_run, run, {})
        try:
            return self._holds(root.condition or "TRUE", context)
        except SqlError:
            return True
        finally:
            close_session(self._account, context)


def may_run(attempt: Attempt, task: TaskVersion) -> bool:
    """Whether the outcomes of the tasks before it let a task run; the root has none before it."""
    before = [found for number in task.after if (found := attempt.graph.task(number)) is not None]
    if not before:
        return True
    root = attempt.graph.root.number
    awake = [other for other in before if other.started or other.number == root]
    if len(before) == 1 and not awake:
        return attempt.outcomes[before[0].number] == PASSED
    return bool(awake) and all(attempt.outcomes[other.number] == SUCCEEDED for other in awake)
