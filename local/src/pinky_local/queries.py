"""Running and finished statements: by request id for replays, by query id for polling.

A client that got no answer sends the statement again with the same request id. It must get the first answer, never a
second execution; so answers are kept by request id.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

from pinky_local.types import ProcedureFrame, SessionContext, SqlError
from pinky_local.wire import WireError

_MOST_RUNS = 50_000
_MOST_ANSWER_BYTES = 256 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Run:
    """One statement (or multi-statement request) from acceptance to its answer.

    ``cancelled`` is set by an abort or a timeout; ``timed_out`` is the limit in seconds that was passed, if one was.
    ``procedure`` is the procedure whose code sent it.
    ``started_at`` and ``ended_at`` are seconds since the epoch.
    """

    query_id: str
    session_id: int
    user: str
    request_id: str
    sql: str = field(repr=False)
    detached: bool = False
    warehouse: str | None = None
    procedure: ProcedureFrame | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    timed_out: int | None = None
    answer: bytes | None = field(default=None, repr=False)
    error: SqlError | None = None
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None

    def finish(self, answer: bytes, error: SqlError | None = None) -> None:
        """Set the answer and wake whoever waits for it."""
        self.answer = answer
        self.error = error
        self.ended_at = time.time()
        self.done.set()

    def cancel(self, *, timed_out: int | None = None) -> bool:
        """Ask the statement to stop; False where it is done already."""
        if self.done.is_set():
            return False
        if not self.cancelled.is_set():
            self.timed_out = timed_out
            self.cancelled.set()
        return True

    @property
    def status(self) -> str:
        """RUNNING, SUCCESS or FAILED_WITH_ERROR, as the monitoring endpoint says it."""
        if not self.done.is_set():
            return "RUNNING"
        return "SUCCESS" if self.error is None else "FAILED_WITH_ERROR"


class Runs:
    """The table of runs. Thread safe.

    The oldest finished ones are dropped beyond a number of runs, and their answers beyond a number of bytes.
    """

    def __init__(self, most_runs: int = _MOST_RUNS, most_bytes: int = _MOST_ANSWER_BYTES) -> None:
        self._most_runs = most_runs
        self._most_bytes = most_bytes
        self._running: dict[str, Run] = {}
        self._by_request: dict[tuple[int, str], Run] = {}
        self._by_query: OrderedDict[str, Run] = OrderedDict()
        self._answered: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def claim(
        self,
        session_id: int,
        user: str,
        request_id: str,
        sql: str,
        *,
        detached: bool = False,
        warehouse: str | None = None,
        procedure: ProcedureFrame | None = None,
    ) -> tuple[Run, bool]:
        """The run of this request id, and whether it is new and the caller has to execute it."""
        with self._lock:
            run = self._by_request.get((session_id, request_id))
            if run is not None:
                return run, False
            run = Run(str(uuid.uuid4()), session_id, user, request_id, sql, detached, warehouse, procedure)
            self._by_request[(session_id, request_id)] = run
            self._by_query[run.query_id] = run
            self._running[run.query_id] = run
            self._drop_oldest()
            return run, True

    def inside(self, query_id: str, context: SessionContext, sql: str) -> Run:
        """A run that no client asked for (a task's statement). It has the session's own event for cancelling."""
        run = Run(query_id, context.session_id, context.user, query_id, sql, warehouse=context.warehouse,
                  cancelled=context.cancelled)  # fmt: skip
        with self._lock:
            self._by_query[query_id] = run
            self._running[query_id] = run
            self._drop_oldest()
        return run

    def child(self, parent: Run, sql: str) -> Run:
        """A run for one statement of a multi-statement request; it is cancelled with its parent."""
        run = Run(str(uuid.uuid4()), parent.session_id, parent.user, parent.request_id, sql, cancelled=parent.cancelled)
        with self._lock:
            self._by_query[run.query_id] = run
        return run

    def finish(self, run: Run, answer: bytes, error: SqlError | None = None) -> None:
        """Finish a run and make room for its answer."""
        with self._lock:
            self._running.pop(run.query_id, None)
            self._answered[run.query_id] = len(answer)
            self._bytes += len(answer)
            while self._bytes > self._most_bytes and len(self._answered) > 1:
                query_id, size = self._answered.popitem(last=False)
                self._bytes -= size
                if query_id in self._by_query:
                    self._by_query[query_id].answer = None
        run.finish(answer, error)

    def by_query(self, query_id: str, user: str) -> Run | None:
        """The run with this query id, where this user started it."""
        run = self._by_query.get(query_id)
        return run if run is not None and run.user == user else None

    def by_request(self, session_id: int, request_id: str) -> Run | None:
        """The run with this request id."""
        return self._by_request.get((session_id, request_id))

    def running(self, session_id: int | None = None) -> list[Run]:
        """The requests that run now, of one session or of all."""
        with self._lock:
            return [run for run in self._running.values() if session_id in (None, run.session_id)]

    def cancel_all(self) -> None:
        """Ask everything that runs to stop."""
        for run in self.running():
            run.cancel()

    def cancel_session(self, session_id: int, wait_seconds: float) -> bool:
        """Ask a session's statements to stop, except detached ones; whether none is left running.

        https://docs.snowflake.com/en/sql-reference/parameters#abort-detached-query: detached statements go on.
        """
        attached = [run for run in self.running(session_id) if not run.detached]
        for run in attached:
            run.cancel()
        deadline = time.monotonic() + wait_seconds
        for run in attached:
            run.done.wait(max(0.0, deadline - time.monotonic()))
        return not self.running(session_id)

    def _drop_oldest(self) -> None:
        while len(self._by_query) > self._most_runs:
            oldest = next(iter(self._by_query.values()))
            if not oldest.done.is_set():
                break
            del self._by_query[oldest.query_id]
            if self._by_request.get((oldest.session_id, oldest.request_id)) is oldest:
                del self._by_request[(oldest.session_id, oldest.request_id)]
            self._bytes -= self._answered.pop(oldest.query_id, 0)


def kept_answer(run: Run) -> bytes:
    """The answer of a finished run. Raises `WireError` where it was dropped for want of room."""
    if run.answer is None:
        raise WireError("000709", f"The result of query {run.query_id} is no longer kept by the local account.")
    return run.answer
