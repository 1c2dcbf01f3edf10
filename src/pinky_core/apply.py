"""`Plan` × `Session` → events. Follows the plan to the letter: it decides nothing but what can run now.

Statements run through a bounded pool in dependency order. A failure stops only its own branch; what waited for it is
skipped, saying because of whom. A guard's closing statements run whatever happened.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import enum
import heapq
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from pinky_core.address import Address
from pinky_core.change import Action, Change, Guard, differences, field_digests
from pinky_core.driver_logs import without_driver_logs
from pinky_core.errors import PinkyError, SecretError, SessionError, StalePlanError, StatementError
from pinky_core.logs import LazyLogger
from pinky_core.plan import Plan
from pinky_core.refusal import refusal_hint
from pinky_core.resource import Resource
from pinky_core.secret import SecretReference
from pinky_core.session import Session
from pinky_core.sql import Statement

__all__ = ["Event", "Outcome", "Report", "check_fresh", "run_plan"]

log = LazyLogger("pinky.apply")


class Outcome(enum.Enum):
    """What became of a change."""

    STARTED = "started"
    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class Event:
    """Something that happened to a change (or to a guard, then ``address`` is None and ``name`` its name).

    ``seconds`` is how long it took; ``error`` the failure; ``because`` what a skipped change waited for; ``statement``
    the text, without secret values, of the statement that failed, ``errno`` Snowflake's number for it, ``hint`` what to
    do about it (which ``error`` says too).
    """

    outcome: Outcome
    name: str
    address: Address | None = None
    action: Action | None = None
    seconds: float = 0.0
    error: str = ""
    because: str = ""
    statement: str = ""
    errno: int = 0
    hint: str = ""


@attrs.frozen
class Report:
    """The end of a run: one event per change and guard, in the order in which they ended."""

    events: tuple[Event, ...]
    interrupted: bool = False

    def of(self, outcome: Outcome) -> tuple[Event, ...]:
        """The events with one outcome."""
        return tuple(event for event in self.events if event.outcome is outcome)

    @property
    def ok(self) -> bool:
        """Whether everything planned was applied."""
        return not self.interrupted and all(event.outcome is Outcome.APPLIED for event in self.events)


@attrs.define(eq=False)
class _Step:
    """One node of the execution: a change, or a guard's opening or closing."""

    rank: int
    name: str
    statements: tuple[Statement, ...]
    change: Change | None = None
    needs: set[int] = attrs.field(factory=set)
    after: set[int] = attrs.field(factory=set)
    requires: int | None = None
    always: bool = False


def check_fresh(plan: Plan, live: Mapping[Address, Resource]) -> None:
    """Raise `StalePlanError` naming each address that is no longer as the plan saw it, and the fields that moved."""
    changed = []
    for change in plan.changes:
        body = live.get(change.former or change.address)
        now = field_digests(body) if body is not None else {}
        if change.observed and not now:
            changed.append(f"{change.address}: it is no longer there")
        elif now and not change.observed:
            changed.append(f"{change.address}: it is there now")
        elif moved := differences(change.observed, now):
            changed.append(f"{change.address}: {', '.join(moved)} changed")
    for guard in plan.guards:
        body = live.get(guard.root) if guard.root is not None else None
        now = field_digests(body) if body is not None else {}
        moved = [name for name in sorted(guard.observed) if now.get(name) != guard.observed[name]]
        if moved:
            changed.append(f"{guard.root} ({guard.name}): {', '.join(moved)} changed")
    if changed:
        raise StalePlanError(changed)


def run_plan(
    plan: Plan,
    session: Session,
    *,
    resolve: Callable[[SecretReference], str],
    workers: int = 8,
    on_event: Callable[[Event], None] = lambda event: None,
    stop: threading.Event | None = None,
    kinds: Mapping[str, type[Resource]] | None = None,
) -> Report:
    """Run every statement of a plan and report what became of each change.

    ``resolve`` gives the value of a secret reference. ``stop``: once set, nothing new starts, running statements
    finish, and opened guards are closed. ``on_event`` is called from the calling thread. ``kinds`` are the resource
    types by name: what they say about privileges goes into the error of a refused statement.
    """
    steps = _steps(plan.changes, plan.guards)
    width = max(1, min(workers, session.concurrency))

    def explain(error: PinkyError, change: Change | None) -> str:
        if not isinstance(error, StatementError):
            return ""
        kind = (kinds or {}).get(change.address.kind) if change is not None else None
        return refusal_hint(error, plan.role, kind, change.action if change is not None else None)

    runner = _Run(steps, session, resolve, on_event, stop or threading.Event(), explain)
    with concurrent.futures.ThreadPoolExecutor(max_workers=width, thread_name_prefix="pinky-apply") as pool:
        return runner.run(pool, width)


def _steps(changes: Sequence[Change], guards: Iterable[Guard]) -> list[_Step]:
    steps: list[_Step] = []
    by_address: dict[Address, _Step] = {}
    for change in changes:
        step = _Step(len(steps), str(change.address), change.statements, change)
        steps.append(step)
        by_address[change.address] = step
    for change in changes:
        step = by_address[change.address]
        step.needs |= {by_address[need].rank for need in change.needs if need in by_address}
    for guard in guards:
        members = [by_address[address] for address in guard.members if address in by_address]
        opening: _Step | None = None
        if guard.opening:
            opening = _Step(len(steps), f"{guard.name} (before)", guard.opening)
            steps.append(opening)
            for member in members:
                member.needs.add(opening.rank)
        if guard.closing:
            closing = _Step(len(steps), f"{guard.name} (after)", guard.closing, always=True)
            closing.after = {member.rank for member in members} | ({opening.rank} if opening else set())
            requirement = by_address.get(guard.requires) if guard.requires else opening
            closing.requires = requirement.rank if requirement else None
            steps.append(closing)
    return steps


class _Run:
    """One execution: which steps are ready, running and done."""

    def __init__(
        self,
        steps: Sequence[_Step],
        session: Session,
        resolve: Callable[[SecretReference], str],
        on_event: Callable[[Event], None],
        stop: threading.Event,
        explain: Callable[[PinkyError, Change | None], str],
    ) -> None:
        self._steps = steps
        self._explain = explain
        self._session = session
        self._resolve = resolve
        self._on_event = on_event
        self._stop = stop
        self._waiting = [len(step.needs | step.after) for step in steps]
        self._dependants: list[list[int]] = [[] for _ in steps]
        for step in steps:
            for rank in step.needs | step.after:
                self._dependants[rank].append(step.rank)
        self._ready = [step.rank for step in steps if not self._waiting[step.rank]]
        heapq.heapify(self._ready)
        self._outcome: dict[int, Outcome] = {}
        self._cause: dict[int, str] = {}
        self._started: set[int] = set()
        self._events: list[Event] = []

    def run(self, pool: concurrent.futures.ThreadPoolExecutor, width: int) -> Report:
        running: dict[concurrent.futures.Future[Event], int] = {}
        while self._ready or running:
            while self._ready and len(running) < width:
                rank = heapq.heappop(self._ready)
                skip = self._skip_reason(self._steps[rank])
                if skip is not None:
                    self._end(rank, self._event(self._steps[rank], Outcome.SKIPPED, because=skip))
                    continue
                self._started.add(rank)
                self._on_event(self._event(self._steps[rank], Outcome.STARTED))
                running[pool.submit(self._execute, self._steps[rank])] = rank
            if not running:
                continue
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: running[each]):
                self._end(running.pop(future), future.result())
        return Report(tuple(self._events), interrupted=self._stop.is_set())

    def _skip_reason(self, step: _Step) -> str | None:
        """Why a step cannot run, or None. A closing runs whenever its opening was tried or its requirement applied."""
        if step.always:
            if step.requires is None:
                return None
            required = self._steps[step.requires]
            if required.change is None:
                return None if step.requires in self._started else f"{required.name} did not run"
            return None if self._outcome.get(step.requires) is Outcome.APPLIED else f"{required.name} was not applied"
        for rank in sorted(step.needs):
            if self._outcome[rank] is not Outcome.APPLIED:
                return self._cause.get(rank, self._steps[rank].name)
        return "the run was interrupted" if self._stop.is_set() else None

    def _end(self, rank: int, event: Event) -> None:
        self._outcome[rank] = event.outcome
        if event.outcome is Outcome.FAILED:
            self._cause[rank] = event.name
        elif event.outcome is Outcome.SKIPPED:
            self._cause[rank] = event.because
        self._events.append(event)
        self._on_event(event)
        for dependant in self._dependants[rank]:
            self._waiting[dependant] -= 1
            if not self._waiting[dependant]:
                heapq.heappush(self._ready, dependant)

    def _execute(self, step: _Step) -> Event:
        """Run the statements of one step; the first failure ends it."""
        begin = time.monotonic()
        for statement in step.statements:
            try:
                with without_driver_logs() if statement.has_secrets else contextlib.nullcontext():
                    self._session.execute(statement.render(self._resolve))
            except (SessionError, SecretError) as error:
                seconds = time.monotonic() - begin
                hint = self._explain(error, step.change)
                text = _clean(error, statement) + (f"\n  {hint}" if hint else "")
                log.error("statement failed", step=step.name, statement=statement.text, error=text)
                failed = self._event(step, Outcome.FAILED, seconds, error=text, statement=statement.text)
                return attrs.evolve(failed, errno=getattr(error, "errno", 0), hint=hint)
            except Exception as error:  # noqa: BLE001 - a defect in an adapter must not lose the report or a guard
                text = type(error).__name__ + ("" if statement.has_secrets else f": {error}")
                return self._event(step, Outcome.FAILED, error=text, statement=statement.text)
            log.debug("statement applied", step=step.name, statement=statement.text)
        return self._event(step, Outcome.APPLIED, time.monotonic() - begin)

    def _event(
        self,
        step: _Step,
        outcome: Outcome,
        seconds: float = 0.0,
        *,
        error: str = "",
        because: str = "",
        statement: str = "",
    ) -> Event:
        change = step.change
        return Event(
            outcome,
            step.name,
            change.address if change else None,
            change.action if change else None,
            seconds,
            error,
            because,
            statement,
        )


def _clean(error: PinkyError, statement: Statement) -> str:
    """The message of an error; where the statement held a secret only its number, since Snowflake may repeat it."""
    if statement.has_secrets and isinstance(error, SessionError):
        number = getattr(error, "errno", 0)
        return f"Snowflake refused the statement with error {number:06d}; its text may hold the secret and is not shown"
    return str(error)
