"""Runs statements for the wire: worker threads, time limits, injected faults, the journal, the answer.

Cancelling is cooperative: the engine sees ``session.cancelled`` and raises 604. A statement that finished all the same
answers what it did, for an answer that says "cancelled" about a change that was made would be a lie.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pinky_local import sqltext, wire
from pinky_local.faults import Action, Call, DropAfter, DropBefore, EndProcedure, Faults, Latency, SqlFault, Status
from pinky_local.journal import Counters, Entry, Journal
from pinky_local.queries import Run, Runs
from pinky_local.sessions import WireSession
from pinky_local.types import Bind, Engine, Result, SessionContext, SqlError

_logger = logging.getLogger("pinky_local")
_LONGEST_TIMEOUT = 604_800  # seconds; what 0 stands for in STATEMENT_TIMEOUT_IN_SECONDS
_WRITTEN_BACK = ("role", "secondary_roles", "database", "schema", "warehouse", "variables", "last_query_id")


@dataclass(frozen=True, slots=True)
class Order:
    """What a statement request asks for.

    ``parameters`` are the statement's own; ``statement_count`` is the number of statements it may hold (0: any).
    ``actions`` are the faults to inject around the execution. ``procedure`` is the name of the procedure that asks.
    """

    sql: str
    binds: tuple[Bind, ...] = ()
    describe_only: bool = False
    statement_count: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    procedure: str | None = None

    @property
    def bind_texts(self) -> tuple[str, ...]:
        """Every bound text, for masking."""
        texts: list[str] = []
        for bind in self.binds:
            values = bind.value if isinstance(bind.value, list) else [bind.value]
            texts.extend(value for value in values if value is not None)
        return tuple(texts)


class Executor:
    """Executes orders on an engine, in threads of its own.

    ``internal_errors`` collects what broke inside the local account itself; it must stay empty.
    """

    def __init__(
        self, engine: Engine, runs: Runs, journal: Journal, counters: Counters, faults: Faults, workers: int = 64
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._journal = journal
        self._counters = counters
        self._faults = faults
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pinky-local-statement")
        self._limits = _TimeLimits()
        self.internal_errors: list[Exception] = []

    def submit(self, run: Run, session: WireSession, order: Order) -> None:
        """Start an order; ``run.done`` is set when its answer is there."""
        self._pool.submit(self._execute, run, session, order)

    def run_inside(self, run: Run, context: SessionContext, order: Order) -> Result:
        """Run one statement in this thread and in exactly this session, as the body of a task is run.

        Raises `SqlError`, 603 where the local account itself broke. Faults that stand for a broken connection end it
        with 603 too: before the statement, or (drop_after) when it has done its work.
        """
        error: SqlError | None = None
        try:
            result = self._one(run, context, order)
            if any(isinstance(action, DropAfter) for action in order.actions):
                raise SqlError(603, "XX000", "SQL execution internal error: injected fault after the statement")
        except SqlError as failure:
            error = failure
            raise
        except Exception as failure:  # as in `_execute`
            _logger.exception("internal error in query %s", run.query_id)
            self.internal_errors.append(failure)
            error = _internal_error(failure)
            raise error from failure
        finally:
            self._runs.finish(run, b"", error)
        return result

    def close(self) -> None:
        """Cancel what runs and end the threads."""
        self._runs.cancel_all()
        self._pool.shutdown(wait=True)
        self._limits.close()

    def around(self, sql: str, session: SessionContext, query_id: str, run: Callable[[], Result]) -> Result:
        """Run a statement that no client sends (of a block, a task, an SQL procedure): journal, counters and faults."""
        frame = session.procedure
        name = None if frame is None else frame.name
        actions = self._faults.decide_inner(sql, name)
        entry = self._journal.record(session.session_id, query_id, "", sql, procedure=name)
        entry.query_tag = session.parameters.get("QUERY_TAG")
        entry.fault = ",".join(action.kind for action in actions) or None
        started = time.perf_counter()
        error: SqlError | None = None
        try:
            for action in actions:
                if isinstance(action, EndProcedure) and frame is not None:
                    frame.ended.set()
                _inject_before(action, session.cancelled, sql)
            entry.executed = True
            result = run()
            _inject_after(actions, sql)
        except SqlError as failure:
            error = failure
            raise
        except Exception as failure:
            error = _internal_error(failure)
            raise
        finally:
            self._close_entry(entry, started, error)
        return result

    def _execute(self, run: Run, session: WireSession, order: Order) -> None:
        view = _statement_view(session.context, order.parameters, run)
        before = _Snapshot(view)
        seconds = _timeout(view, session)
        self._limits.watch(run, seconds)
        answer, error = b"", None
        try:
            answer = self._answer(run, session, view, order)
        except SqlError as failure:
            error = _as_limit_error(failure, run)
            answer = wire.sql_failure(error, run.query_id, order.sql)
        except Exception as failure:  # the client is told, the traceback logged, and the account remembers
            _logger.exception("internal error in query %s", run.query_id)
            self.internal_errors.append(failure)
            error = _internal_error(failure)
            answer = wire.sql_failure(error, run.query_id, order.sql)
        finally:
            self._limits.release(run)
            before.write_changes(view, session)
            self._runs.finish(run, answer, error)

    def _answer(self, run: Run, session: WireSession, view: SessionContext, order: Order) -> bytes:
        statements = self._statements(run, order)
        if len(statements) == 1:
            result = self._one(run, view, dataclasses.replace(order, sql=statements[0]))
            return self._encoded(run, session, view, order, result)
        children: list[tuple[str, int]] = []
        for text in statements:
            child = self._runs.child(run, text)
            child_order = dataclasses.replace(order, sql=text, binds=())
            children.append((child.query_id, self._child(child, session, view, child_order)))
        return wire.multi_statement_answer(children, view, self._parameters(session, view), run.query_id)

    def _child(self, child: Run, session: WireSession, view: SessionContext, order: Order) -> int:
        try:
            result = self._one(child, view, order)
            answer = self._encoded(child, session, view, order, result)
        except Exception as failure:
            error = failure if isinstance(failure, SqlError) else _internal_error(failure)
            self._runs.finish(child, wire.sql_failure(error, child.query_id, order.sql), error)
            raise
        self._runs.finish(child, answer)
        return result.statement_type

    def _statements(self, run: Run, order: Order) -> list[str]:
        """The statements of an order; refusals before execution are in the journal too."""
        statements = sqltext.split(order.sql)
        error: SqlError | None = None
        if not statements:
            error = SqlError(900, "42601", "SQL compilation error:\nEmpty SQL statement.")
        elif order.statement_count and len(statements) != order.statement_count:
            error = SqlError(
                8,
                "0A000",
                f"Actual statement count {len(statements)} did not match the desired statement count "
                f"{order.statement_count}.",
            )
        elif len(statements) > 1 and (order.binds or order.describe_only):
            what = "Bindings" if order.binds else "Describing"
            error = SqlError(2, "0A000", f"Unsupported feature '{what} of a multi-statement request'.")
        if error is not None:
            self._close_entry(self._entry(run, order), time.perf_counter(), error)
            raise error
        return statements

    def _one(self, run: Run, view: SessionContext, order: Order) -> Result:
        entry = self._entry(run, order)
        entry.query_tag = view.parameters.get("QUERY_TAG")
        if view.task_run is not None:
            entry.origin = f"task {view.task_run.name}"
        started = time.perf_counter()
        error: SqlError | None = None
        try:
            for action in order.actions:
                _inject_before(action, run.cancelled, order.sql)
            entry.executed = True
            result = self._engine.execute(
                order.sql, view, order.binds, query_id=run.query_id, describe_only=order.describe_only
            )
            _inject_after(order.actions, order.sql)
            view.last_query_id = run.query_id
        except SqlError as failure:
            view.last_query_id = run.query_id
            error = _as_limit_error(failure, run)
            raise error from failure
        except Exception as failure:
            error = _internal_error(failure)
            raise
        finally:
            self._close_entry(entry, started, error)
        return result

    def _entry(self, run: Run, order: Order) -> Entry:
        entry = self._journal.record(
            run.session_id,
            run.query_id,
            run.request_id,
            order.sql,
            binds=order.bind_texts,
            describe_only=order.describe_only,
            procedure=order.procedure,
        )
        entry.fault = ",".join(action.kind for action in order.actions) or None
        return entry

    def _close_entry(self, entry: Entry, started: float, error: SqlError | None) -> None:
        entry.seconds = time.perf_counter() - started
        if error is not None:
            entry.errno, entry.raw_error = error.errno, error.message
        self._counters.count(entry)

    def _encoded(self, run: Run, session: WireSession, view: SessionContext, order: Order, result: Result) -> bytes:
        return wire.statement_answer(
            result,
            view,
            self._parameters(session, view),
            run.query_id,
            placeholders=sqltext.placeholders(order.sql),
            array_binds=sqltext.verb(order.sql) == "INSERT",
            describe_only=order.describe_only,
        )

    def _parameters(self, session: WireSession, view: SessionContext) -> Sequence[Mapping[str, Any]]:
        parameters = wire.with_wire_parameters(self._engine.session_parameters(view))
        session.parameter_values = {item["name"]: item["value"] for item in parameters}
        return parameters


def _inject_before(action: Action, cancelled: threading.Event, sql: str) -> None:
    if isinstance(action, Latency):
        if cancelled.wait(action.seconds):
            raise SqlError(604, "57014", "SQL execution canceled")
    elif isinstance(action, EndProcedure):
        raise SqlError(604, "57014", "SQL execution canceled")
    elif isinstance(action, SqlFault):
        raise SqlError(action.errno, action.sqlstate, action.message)
    elif isinstance(action, Status | DropBefore):  # over the wire these never come so far
        raise SqlError(603, "XX000", "SQL execution internal error: injected fault before the statement")
    elif isinstance(action, Call) and action.before is not None:
        action.before(sql)


def _inject_after(actions: Sequence[Action], sql: str) -> None:
    for action in actions:
        if isinstance(action, Call) and action.after is not None:
            action.after(sql)


def _internal_error(failure: Exception) -> SqlError:
    return SqlError(603, "XX000", f"SQL execution internal error: {type(failure).__name__}: {failure}")


def _as_limit_error(error: SqlError, run: Run) -> SqlError:
    """A cancellation that came from the time limit is answered as such."""
    if error.errno != 604 or run.timed_out is None:
        return error
    seconds = run.timed_out
    return SqlError(
        630, "57014", f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled."
    )


def _statement_view(context: SessionContext, overlay: Mapping[str, Any], run: Run) -> SessionContext:
    """The session as one statement sees it: its own cancel event, its own parameters on top of the session's.

    Statements of one session may run at the same time; aborting one must not abort the others.
    """
    parameters = {**context.parameters, **overlay} if overlay else context.parameters
    return dataclasses.replace(context, cancelled=run.cancelled, parameters=parameters)


class _Snapshot:
    """How a statement found the session, so that only what it changed (USE, ALTER SESSION, SET) is carried over."""

    def __init__(self, view: SessionContext) -> None:
        self._fields = {name: getattr(view, name) for name in _WRITTEN_BACK}
        self._parameters = dict(view.parameters)

    def write_changes(self, view: SessionContext, session: WireSession) -> None:
        """Carry the changes over; what other statements changed meanwhile stays."""
        context = session.context
        with session.lock:
            for name, value in self._fields.items():
                if getattr(view, name) != value:
                    setattr(context, name, getattr(view, name))
            if view.parameters is context.parameters:
                return
            for name, value in view.parameters.items():
                if name not in self._parameters or self._parameters[name] != value:
                    context.parameters[name] = value
            for name in self._parameters.keys() - view.parameters.keys():
                context.parameters.pop(name, None)


def _timeout(view: SessionContext, session: WireSession) -> int:
    """STATEMENT_TIMEOUT_IN_SECONDS of a statement: its own, the session's, or what the last answer said."""
    name = "STATEMENT_TIMEOUT_IN_SECONDS"
    value = view.parameters.get(name, session.parameter_values.get(name))
    try:
        seconds = int(str(value)) if value is not None else 0
    except ValueError:
        seconds = 0  # the engine refuses such a value where it is set; here there is no limit then
    return seconds if seconds > 0 else _LONGEST_TIMEOUT


class _TimeLimits:
    """One thread that cancels runs at their deadline; it is started by the first limit below the longest."""

    def __init__(self) -> None:
        self._deadlines: dict[str, tuple[float, int, Run]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, run: Run, seconds: int) -> None:
        if seconds >= _LONGEST_TIMEOUT:
            return
        with self._changed:
            self._deadlines[run.query_id] = (time.monotonic() + seconds, seconds, run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="pinky-local-time-limits", daemon=True)
                self._thread.start()
            self._changed.notify()

    def release(self, run: Run) -> None:
        if run.query_id in self._deadlines:
            with self._changed:
                del self._deadlines[run.query_id]

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for deadline, seconds, run in self._deadlines.values():
                    if deadline <= now:
                        run.cancel(timed_out=seconds)
                pending = [deadline for deadline, _, run in self._deadlines.values() if not run.cancelled.is_set()]
                self._changed.wait(max(0.0, min(pending) - now) if pending else None)
