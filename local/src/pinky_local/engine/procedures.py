"""Python procedures: the handler runs in a thread of its own, with a Snowpark session over the wire.

Rests on https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-overview. The caller's
thread waits; when its statement is cancelled, so is everything that the handler runs, and the handler ends where it is
next in Python code.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pinky_local.engine import calls, conversions, errors, handlers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.statement import Statement
from pinky_local.types import ProcedureFrame, Result, SessionContext, SqlError

_LOOK_SECONDS = 0.02  # how often a waiting CALL looks whether it was cancelled
_CHILD_SECONDS = 5.0  # how long statements that a handler left behind may take to stop
_GRACE_SECONDS = 1.0  # how long a handler may take to end by itself, now that all its statements are refused


class _Run(threading.Thread):
    """One run of one handler; ``answer`` or ``failure`` is set at its end. It owns nothing that must be closed."""

    def __init__(
        self, statement: Statement, routine: CatalogObject, session: Any, arguments: Sequence[Any], zone: str,
        files: handlers.Files,
    ) -> None:  # fmt: skip
        super().__init__(name=f"pinky-local-procedure-{routine.name}", daemon=True)
        self._account = statement.account
        self._routine = routine
        self._session = session
        self._arguments = arguments
        self._zone = zone
        self._files = files
        self.answer: Result | None = None
        self.failure: Exception | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Call the handler."""
        try:
            self.answer = self._called()
        except handlers.HandlerEndedError:
            self.failure = SqlError(604, "57014", "SQL execution canceled")
        except Exception as failure:  # noqa: BLE001  # the waiting thread raises it
            self.failure = failure
        finally:
            self.done.set()

    def _called(self) -> Result:
        routine = self._routine
        is_table = routine.state.get("returns_table") is not None
        with handlers.loaded(routine, self._files) as handler:
            try:
                returned = handler(self._session, *self._arguments)
                rows = self._rows(self._session, returned) if is_table else None
            except Exception as failure:
                raise handlers.failed(failure, routine) from failure
        if rows is not None:
            return calls.table(routine, rows)
        try:
            value = conversions.from_python(returned, conversions.kind_of(routine.state["returns"]), self._zone)
        except conversions.ConversionError as problem:
            raise handlers.refused(str(problem), routine) from problem
        return calls.scalar(routine, value)

    def _rows(self, session: Any, frame: Any) -> Result:
        """What a returned DataFrame holds, with the types that the account gave it."""
        plan = getattr(frame, "queries", None)
        if not isinstance(plan, dict):
            raise TypeError(f"expected a Snowpark DataFrame for TABLE, got {type(frame).__name__}")
        with session.connection.cursor() as cursor:
            for sql in plan["queries"]:
                cursor.execute(sql)
            found = self._account.remembered(str(cursor.sfqid))
            for sql in plan["post_actions"]:
                cursor.execute(sql)
        if found is None:
            raise LookupError(f"the result of {cursor.sfqid} is no longer known")
        return found


def run(statement: Statement, routine: CatalogObject, inner: SessionContext, values: Sequence[Any]) -> Result:
    """Run a Python procedure and wait for it."""
    account = statement.account
    with account.lock:
        account.resolver.need_warehouse(statement.session)
    if account.open_session is None:
        raise errors.unsupported("a Python procedure in an account that no client can connect to")
    zone = str(inner.parameters.get("TIMEZONE") or conversions.DEFAULT_ZONE)
    kinds = [conversions.kind_of(kind) for _, kind, _, _ in routine.state["arguments"]]
    arguments = [conversions.to_python(value, kind, zone) for value, kind in zip(values, kinds, strict=True)]
    database, schema, _ = statement.catalog.path(routine)
    owner = replace(inner, database=database, schema=schema)
    with account.open_session(inner) as session:
        work = _Run(statement, routine, session, arguments, zone, handlers.Files(account, inner, owner))
        work.start()
        _wait(statement, work, inner)
    if work.failure is not None:
        raise work.failure
    assert work.answer is not None
    return work.answer


def _wait(statement: Statement, work: _Run, inner: SessionContext) -> None:
    """Wait for a handler; end it where the call is cancelled or a fault ends the procedure."""
    frame = inner.procedure
    assert frame is not None
    try:
        while not (work.done.wait(_LOOK_SECONDS) or frame.ended.is_set()):
            if statement.session.cancelled.is_set():
                raise SqlError(604, "57014", "SQL execution canceled")
        if frame.ended.is_set():
            text = f"SQL execution internal error:\nProcessing aborted: procedure {frame.name} was ended."
            raise SqlError(603, "XX000", text)
    finally:
        frame.ended.set()
        _stop_children(statement, frame)
        if not work.done.wait(_GRACE_SECONDS):  # ended inside the client it might leave a socket open
            _end(work)
            work.done.wait(_GRACE_SECONDS)


def _stop_children(statement: Statement, frame: ProcedureFrame) -> None:
    """Cancel what the procedure started and did not wait for."""
    left = [run for run in statement.account.running() if run.procedure is not None and run.procedure.within(frame)]
    for run in left:
        run.cancel()
    for run in left:
        run.done.wait(_CHILD_SECONDS)


def _end(work: threading.Thread) -> None:
    if work.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(work.ident), ctypes.py_object(handlers.HandlerEndedError)
        )


calls.LANGUAGES["PYTHON"] = run
