"""When graphs run: what falls due while the clock moves, what EXECUTE TASK asks for, retries, overlaps, suspension.

Rests on https://docs.snowflake.com/en/user-guide/tasks-intro, tasks-graphs, tasks-triggered and
https://docs.snowflake.com/en/sql-reference/sql/execute-task. Moving the clock runs what falls due in order of time,
each graph to its end, one after the other; the time that a run takes counts as though it had begun on time, and
schedules of the same root that fall into it are skipped as its overlap policy says. EXECUTE TASK runs in a thread of
its own.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pinky_local.engine import identifiers, task_graphs
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.runs import notifications, records, schedules, versions
from pinky_local.engine.runs.history import KEPT, History
from pinky_local.engine.runs.records import GraphRun, TaskRun
from pinky_local.engine.runs.runner import Attempt, Runner, StatementRunner
from pinky_local.engine.runs.task_session import system_statement
from pinky_local.engine.runs.versions import GraphVersion

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

Mode = Literal["clock", "live"]
_TICK = 0.5
"""Seconds between two looks at the clock in live mode."""


@dataclass(frozen=True, slots=True)
class Request:
    """A graph run to begin. ``retried`` is the attempt that it repeats, ``point`` the time of a schedule."""

    root: int
    scheduled_from: str
    config: str | None = None
    retried: GraphRun | None = None
    point: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A root that is to run, and when; equal times are ordered by name."""

    time: datetime
    path: tuple[str, ...]
    root: int
    triggered: bool


class Scheduler:
    """Runs the tasks of an account. Thread safe.

    ``run_statement`` is replaced where statements are to be watched (journal, faults, cancelling). The account's lock
    is taken before ``_changed`` where both are needed, and neither is held while a statement of a task runs.
    """

    def __init__(self, account: Account, history: History, run_statement: StatementRunner) -> None:
        self._account = account
        self.history = history
        self.outbox = notifications.Outbox()
        self.run_statement = run_statement
        account.clock.forward(history.offset)
        self._since = account.now()
        history.forget_before(self._since - KEPT)
        self._runner = Runner(account, lambda: self.run_statement, self._task_failed)
        self._handled: dict[int, datetime] = {}
        self._active: dict[int, list[Attempt]] = {}
        self._waiting: dict[int, Request] = {}
        self._threads: set[threading.Thread] = set()
        self._changed = threading.Condition()
        self._moving = threading.Lock()
        self._here = threading.local()
        self._live: threading.Thread | None = None
        self._wake = threading.Event()

    # the clock -----------------------------------------------------------------------------------------------------

    def advance(self, by: timedelta) -> None:
        """Move the clock and run everything that falls due until then; what runs in the background is waited for.

        Called by a task run itself it only moves the clock. Raises `ValueError` for a negative time.
        """
        if by < timedelta():
            raise ValueError(f"the clock cannot be moved by {by.total_seconds()} seconds; it only moves forward")
        if getattr(self._here, "running", False):
            self._account.clock.forward(by)
            return
        with self._moving:
            self.settle()
            target, ahead = self._account.now() + by, self._account.clock.offset + by
            while not self._stopping:
                due = self.next_due(target)
                if due is None:
                    break
                self._account.clock.forward_to(due.time)
                self._run_due(due)
                self.settle()
            # Real time went by as well: the clock ends as far ahead as was asked for, whatever the runs took.
            self._account.clock.forward(max(ahead - self._account.clock.offset, timedelta()))
            self.history.clock_moved(self._account.clock.offset)

    def settle(self, seconds: float | None = None) -> bool:
        """Wait until nothing runs in the background; False where the seconds were over first, or the account stops."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or not self._threads, seconds) and not self._stopping

    def next_due(self, until: datetime) -> Due | None:
        """The first graph that falls due up to a time: by its schedule, or now where a stream has data."""
        found: list[Due] = []
        with self._account.lock:
            statement = system_statement(self._account)
            roots = [root for root in self._started() if task_graphs.is_root(statement, root)]
            for root in roots:
                point = self.next_point(root)
                if point is not None and point <= until:
                    found.append(Due(point, self._account.catalog.path(root), root.number, triggered=False))
            waiting = [root for root in roots if not root.properties.get("SCHEDULE") and root.state.get("condition")]
            with self._changed:
                waiting = [root for root in waiting if self._may_begin(root.number)]
            triggered = [versions.take(statement, root) for root in waiting]
        found += [due for graph in triggered if (due := self._trigger(graph, until)) is not None]
        return min(found, default=None)

    def _started(self) -> Iterator[CatalogObject]:
        for item in self._account.catalog.objects.values():
            if item.kind == "task" and item.state.get("state") == task_graphs.STARTED:
                yield item

    def next_point(self, root: CatalogObject) -> datetime | None:
        """When a scheduled root runs next; None without a schedule."""
        text = root.properties.get("SCHEDULE")
        if not text:
            return None
        base = root.state.get("resumed_on") or root.state.get("last_committed_on") or root.created_on
        after = max(base, self._since, self._handled.get(root.number, base))
        return schedules.parse(str(text)).next_after(after, base)

    def _trigger(self, graph: GraphVersion, until: datetime) -> Due | None:
        """A triggered task runs at most every so many seconds, counted from when the last run was scheduled."""
        now = self._account.now()
        last = self._handled.get(graph.root.number)
        time = min(now, until)
        if last is not None:
            time = max(time, last + timedelta(seconds=graph.trigger_seconds))
        if time > until or "SYSTEM$STREAM_HAS_DATA" not in (graph.root.condition or "").upper():
            return None
        if not self._runner.is_triggered(graph, now):
            return None
        return Due(time, graph.root.path, graph.root.number, triggered=True)

    def _run_due(self, due: Due) -> None:
        """Run what is due here and now, and note until when it counts as running."""
        began = self._account.now()
        self._handled[due.root] = due.time
        with self._account.lock, self._changed:
            attempt = self._begin(self._due_request(due)) if self._may_begin(due.root) else None
        if attempt is None:
            return
        self._run_group(attempt)
        if due.triggered or attempt.graph.overlap == versions.ALL_OVERLAP:
            return
        if attempt.graph.overlap == versions.CHILD_OVERLAP:
            root = attempt.run.outcomes().get(due.root)
            ended = root.completed_time if root is not None and root.completed_time else began
        else:
            ended = self._account.now()
        self._handled[due.root] = due.time + max(ended - began, timedelta())

    @staticmethod
    def _due_request(due: Due) -> Request:
        return Request(due.root, records.TRIGGER if due.triggered else records.SCHEDULE, point=due.time)

    # background ----------------------------------------------------------------------------------------------------

    def request(self, request: Request) -> None:
        """Begin a graph run in a thread of its own, or when the overlap policy allows it; a later request replaces one
        that waits. https://docs.snowflake.com/en/sql-reference/sql/execute-task (Usage notes)
        """
        with self._changed:
            self._waiting[request.root] = request
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Start every waiting request whose root may run now."""
        with self._account.lock, self._changed:
            for number in list(self._waiting):
                if self._stopping or number not in self._account.catalog.objects:
                    del self._waiting[number]
                elif self._may_begin(number):
                    self._start(self._waiting.pop(number))

    def _may_begin(self, number: int) -> bool:
        """Whether a root's overlap policy allows another run now; the caller holds both locks."""
        root = self._account.catalog.objects.get(number)
        overlap = root.properties.get("OVERLAP_POLICY") if root is not None else None
        active = self._active.get(number, [])
        if overlap == versions.ALL_OVERLAP:
            return True
        if overlap == versions.CHILD_OVERLAP:
            return all(attempt.root_ended for attempt in active)
        return not active

    def _start(self, request: Request) -> None:
        """Start a thread for a request; the caller holds both locks."""
        attempt = self._begin(request)
        if attempt is None:
            return
        thread = threading.Thread(target=self._in_thread, args=(attempt,), name="pinky-local-task")
        self._threads.add(thread)
        thread.start()

    def _in_thread(self, attempt: Attempt) -> None:
        try:
            self._run_group(attempt)
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())
                self._changed.notify_all()

    def go_live(self) -> None:
        """From now on schedules and triggers start runs also as real time passes."""
        if self._live is None:
            self._live = threading.Thread(target=self._watch, name="pinky-local-schedules")
            self._live.start()

    @property
    def mode(self) -> Mode:
        """Whether real time starts schedules (live) or only a moved clock does (clock)."""
        return "clock" if self._live is None else "live"

    def _watch(self) -> None:
        while not self._wake.wait(_TICK) and threading.main_thread().is_alive():
            if not self._moving.acquire(blocking=False):
                continue  # the clock is being moved, which runs what falls due
            try:
                self._tick()
            finally:
                self._moving.release()

    def _tick(self) -> None:
        """Start what is due by now, once however many times were missed; without leave to overlap they are skipped."""
        now = self._account.now()
        while not self._stopping and (due := self.next_due(now)) is not None:
            with self._account.lock, self._changed:
                self._handled[due.root] = now
                if self._may_begin(due.root):
                    self._start(self._due_request(due))

    # graph runs ----------------------------------------------------------------------------------------------------

    def _begin(self, request: Request) -> Attempt | None:
        """The first attempt of a request, entered in the history; None where the root is gone or no longer a root."""
        account = self._account
        with account.lock:
            statement = system_statement(account)
            root = account.catalog.objects.get(request.root)
            if root is None or not task_graphs.is_root(statement, root):
                return None
            graph = versions.take(statement, root)
            account.save()
            now = account.now()
            scheduled = request.point or now
            run = GraphRun(
                group=str(uuid.uuid4()), attempt=1, root=root.number, path=graph.root.path, version=graph.number,
                fingerprint=graph.fingerprint, scheduled_from=request.scheduled_from, scheduled_time=scheduled,
                original_time=scheduled, config=request.config or graph.config, next_time=self.next_point(root),
                last_success=self._last_success(root.number),
            )  # fmt: skip
        attempt = Attempt(graph, run)
        if request.retried is not None:
            attempt = self._repeated(attempt, request.retried, request.scheduled_from)
        self._enter(attempt)
        return attempt

    def _last_success(self, root: int) -> tuple[str, datetime] | None:
        good = [run for run in self.history.of(root) if run.state == records.SUCCEEDED]
        return (good[-1].group, good[-1].original_time) if good else None

    def _repeated(self, attempt: Attempt, old: GraphRun, origin: str) -> Attempt:
        """An attempt that begins where an older one failed: what succeeded or was skipped then counts now."""
        carried = {
            number: run
            for earlier in self.history.of(old.root)
            if earlier.group == old.group
            for number, run in earlier.outcomes().items()
        }
        finalizer = attempt.graph.finalizer
        kept = {
            number: run
            for number, run in carried.items()
            if run.state in (records.SUCCEEDED, records.SKIPPED) and (finalizer is None or number != finalizer.number)
        }
        run = replace(
            attempt.run, group=old.group, attempt=old.attempt + 1, original_time=old.original_time, config=old.config,
            last_success=old.last_success, scheduled_from=origin, tasks=[],
        )  # fmt: skip
        return Attempt(attempt.graph, run, kept)

    def _enter(self, attempt: Attempt) -> None:
        self.history.begin(attempt.run)
        with self._changed:
            self._active.setdefault(attempt.run.root, []).append(attempt)

    def _run_group(self, attempt: Attempt) -> None:
        """Run an attempt and the automatic retries after it."""
        runs: dict[int, TaskRun] = {}
        retries = attempt.graph.retries
        with self._running_here():
            while True:
                try:
                    self._runner.run(attempt, self._start_waiting)
                finally:
                    self._leave(attempt)
                runs |= attempt.run.outcomes()
                if self._stopping or attempt.run.state != records.FAILED or retries == 0:
                    break
                retries -= 1
                self.history.ended(attempt.run)
                attempt = self._again(attempt)
            self._count_failures(attempt, runs)
            self.history.ended(attempt.run)
            self._notify_success(attempt)
        self._start_waiting()

    def _again(self, failed: Attempt) -> Attempt:
        """The automatic retry of a failed attempt."""
        run = replace(
            failed.run, scheduled_time=self._account.now(), state=records.EXECUTING, completed_time=None, tasks=[]
        )
        attempt = self._repeated(Attempt(failed.graph, run), failed.run, records.AUTOMATIC_RETRY)
        self._enter(attempt)
        return attempt

    def _notify_success(self, attempt: Attempt) -> None:
        """GRAPH_SUCCEEDED is for graphs, not for a task alone."""
        graph, integration = attempt.graph, attempt.graph.success_integration
        if integration is not None and attempt.run.state == records.SUCCEEDED and (graph.children or graph.finalizer):
            self._send(integration, notifications.success(self._account.name, self._account.now(), attempt.run))

    @contextmanager
    def _running_here(self) -> Iterator[None]:
        self._here.running = True
        try:
            yield
        finally:
            self._here.running = False

    def _leave(self, attempt: Attempt) -> None:
        with self._changed:
            self._active[attempt.run.root].remove(attempt)
            self._changed.notify_all()

    def _count_failures(self, attempt: Attempt, runs: dict[int, TaskRun]) -> None:
        """Suspend a root of which one task failed in so many runs in a row; skipped and cancelled ones do not count."""
        account, limit = self._account, attempt.graph.suspend_after
        with account.lock:
            root = account.catalog.objects.get(attempt.run.root)
            if root is None:
                return
            counts: dict[str, int] = dict(root.state.get("failures") or {})
            for number, run in runs.items():
                if run.failed:
                    counts[str(number)] = counts.get(str(number), 0) + 1
                elif run.state == records.SUCCEEDED:
                    counts.pop(str(number), None)
            reached = [number for number, count in counts.items() if limit and count >= limit]
            if reached and root.state.get("state") == task_graphs.STARTED:
                task_graphs.suspend(system_statement(account), root, "SUSPENDED_DUE_TO_ERRORS")
                for run in (runs[int(key)] for key in reached if int(key) in runs):
                    run.state = records.AUTO_SUSPENDED
                counts = {}
            if counts != (root.state.get("failures") or {}):
                root.state["failures"] = counts
                account.changed = True
            account.save()

    def _task_failed(self, attempt: Attempt, run: TaskRun) -> None:
        integration = attempt.graph.error_integration
        if integration is not None:
            self._send(integration, notifications.failure(self._account.name, self._account.now(), attempt.run, run))

    def _send(self, integration: str, message: dict[str, Any]) -> None:
        """Put a message into the outbox, unless its integration is disabled or gone."""
        (name,) = identifiers.parse_dotted(integration)
        with self._account.lock:
            found = self._account.catalog.get(ACCOUNT, "integration", name)
            if found is not None and found.properties.get("ENABLED"):
                self.outbox.put(name, message)

    # stopping ------------------------------------------------------------------------------------------------------

    def cancel(self, task: int) -> list[str]:
        """Cancel the runs of a task that are under way; their query ids."""
        with self._changed:
            lives = [attempt.live for attempts in self._active.values() for attempt in attempts if attempt.live]
        found = [live for live in lives if live.run.number == task]
        for live in found:
            live.cancelled.set()
        return [live.run.query_id for live in found if live.run.query_id]

    def active(self) -> list[GraphRun]:
        """The graph runs that are under way."""
        with self._changed:
            return [attempt.run for attempts in self._active.values() for attempt in attempts]

    @property
    def _stopping(self) -> bool:
        return self._runner.stopping.is_set()

    def stop(self) -> None:
        """Cancel what runs, start nothing any more, and wait for the threads. What was cancelled is in the history."""
        self._runner.stopping.set()
        self._wake.set()
        with self._changed:
            self._waiting.clear()
            for attempts in self._active.values():
                for attempt in attempts:
                    if attempt.live is not None:
                        attempt.live.cancelled.set()
            self._changed.notify_all()
            threads = [*self._threads, *((self._live,) if self._live is not None else ())]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()
        if not getattr(self._here, "running", False):
            with self._moving:
                self.history.clock_moved(self._account.clock.offset)
