"""One manifest, many client schemas: read in bulk for a whole database, planned and applied client by client.

A client's part of a fleet is an ordinary plan of scope schema, with the same boundary, guards and risks as if it were
planned alone. Only reading is done together, so that its statements grow with the kinds of a manifest and not with the
clients. Nothing is remembered between runs: a run that ended early is continued by running again, for clients that are
as declared cost nothing but their part of the reading.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from pinky_core.address import Address, Identifier, sql_path
from pinky_core.apply import Event, Outcome, Report
from pinky_core.collector import collector_paused
from pinky_core.diagnostics import Diagnostic, has_errors
from pinky_core.engine import Desired, Provider
from pinky_core.errors import BlockedPlanError, DiagnosticsError, NotVisibleError, PinkyError, SecretError
from pinky_core.live import read_live
from pinky_core.manifest import ManifestSource
from pinky_core.plan import Plan, declared_fields
from pinky_core.read import Reader
from pinky_core.resource import Resource

__all__ = ["MARK", "ClientPlan", "ClientResult", "Fleet", "FleetReport", "client_schemas", "slice_of"]

MARK = "[client of pinky]"
"""How the comment of a client's schema begins; what provisioning writes there."""

Path2 = tuple[Identifier, ...]


def client_schemas(session: Any, database: Identifier) -> list[Identifier]:
    """The schemas of a database that are marked as clients', by name; one statement, more beyond 10,000 schemas.

    Raises `DiagnosticsError` for a database that is not there.
    """
    try:
        with Reader(session) as reader:
            rows = reader.listing("SCHEMAS", (database,))
    except NotVisibleError as error:
        summary = f"the database {database.sql} does not exist, or this role may not see it"
        hint = "It takes USAGE on the database, and some privilege on each schema."
        raise DiagnosticsError([Diagnostic.error("not-visible", summary, hint=hint)]) from error
    return sorted(Identifier(name) for name, comment in rows.pick("name", "comment") if str(comment).startswith(MARK))


def slice_of(clients: Sequence[Identifier], number: int, count: int) -> list[Identifier]:
    """Every client belongs to one of ``count`` slices by its name alone, so that tasks agree without talking."""
    import zlib

    return [each for each in clients if zlib.crc32(each.encode()) % count == number]


@attrs.frozen
class ClientPlan:
    """What is to be done for one client: a plan, or why there is none."""

    client: Identifier
    target: Path2
    plan: Plan | None = None
    problems: tuple[Diagnostic, ...] = ()

    @property
    def state(self) -> str:
        """``current``: as declared; ``behind``: there are changes; ``broken``: it cannot be planned or applied."""
        if self.plan is None or has_errors(self.plan.diagnostics):
            return "broken"
        return "current" if self.plan.empty else "behind"


@attrs.frozen
class ClientResult:
    """What became of one client: ``ok``, ``unchanged``, ``failed``, ``refused`` (nothing was run) or ``skipped``.

    ``changes`` are the addresses that were changed, ``failures`` texts, ``seconds`` how long applying took.
    """

    client: str
    target: str
    status: str
    changes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The same for a line of a report."""
        found = attrs.asdict(self)
        return {**found, "changes": list(self.changes), "failures": list(self.failures)}


@attrs.frozen
class FleetReport:
    """All clients of a run, in the order in which they ended; ``stopped`` says why not all were tried."""

    results: tuple[ClientResult, ...]
    stopped: str = ""
    statements: int = 0

    @property
    def ok(self) -> bool:
        """Whether every client is at the manifest now."""
        return not self.stopped and all(each.status in ("ok", "unchanged") for each in self.results)

    def counts(self) -> dict[str, int]:
        """How many clients ended in each way."""
        found: dict[str, int] = {}
        for each in self.results:
            found[each.status] = found.get(each.status, 0) + 1
        return dict(sorted(found.items()))


@attrs.define(eq=False)
class Fleet:
    """The clients of one database and the manifest they are brought to.

    ``variables`` are for all, ``by_client`` adds to them for single clients (keys as the schema's name);
    ``client_id`` and ``database`` are given besides.
    """

    provider: Provider
    source: ManifestSource | str | Path
    database: Identifier
    clients: Sequence[Identifier]
    variables: Mapping[str, Any] = attrs.field(factory=dict)
    by_client: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    env: str | None = None
    workers: int = 8
    statements: int = attrs.field(default=0, init=False)

    # -- planning ----------------------------------------------------------------------------------------------------

    @collector_paused()
    def plan(self) -> list[ClientPlan]:
        """A plan for each client. A mistake that is one client's own makes that client broken and no other.

        Raises `DiagnosticsError` for a source that cannot be read at all.
        """
        source = self.provider.open(self.source)
        wanted: dict[Identifier, Desired] = {}
        found: dict[Identifier, ClientPlan] = {}
        for client in self.clients:
            try:
                wanted[client] = self._desired(source, client)
            except DiagnosticsError as error:
                found[client] = ClientPlan(client, (self.database, client), problems=error.diagnostics)
        found |= self._planned(wanted)
        return [found[client] for client in self.clients]

    def _desired(self, source: ManifestSource, client: Identifier) -> Desired:
        target = sql_path((self.database, client))
        own = self.by_client.get(str(client), {})
        values = {**self.variables, **own, "client_id": str(client), "database": str(self.database)}
        return self.provider.validate(source, target, values, env=self.env)

    def _planned(self, wanted: Mapping[Identifier, Desired]) -> dict[Identifier, ClientPlan]:
        """Read together what can be; where that fails, in halves, until it is known which clients it is about.

        What the first and the last client are told alike is about all: a database that this role cannot see, say.
        """
        if not wanted:
            return {}
        try:
            context, live = self._read(wanted.values())
        except DiagnosticsError as error:
            if len(wanted) == 1:
                ((client, _),) = wanted.items()
                return {client: ClientPlan(client, (self.database, client), problems=error.diagnostics)}
            items = list(wanted.items())
            first, last = self._planned(dict(items[:1])), self._planned(dict(items[-1:]))
            shared = [each.problems for each in (*first.values(), *last.values())]
            if shared[0] and shared[0] == shared[1]:
                return {client: ClientPlan(client, (self.database, client), problems=shared[0]) for client in wanted}
            middle = (len(items) + 1) // 2
            halves = self._planned(dict(items[1:middle])) | self._planned(dict(items[middle:-1]))
            return first | halves | last
        by_schema: dict[Path2, dict[Address, Resource]] = {}
        for address, body in live.items():
            by_schema.setdefault(address.path[:2], {})[address] = body
        return {
            client: self._client_plan(client, desired, by_schema.get((self.database, client), {}), context)
            for client, desired in wanted.items()
        }

    def _read(self, wanted: Iterable[Desired]) -> tuple[Mapping[str, Any], Mapping[Address, Resource]]:
        resources = [each for desired in wanted for each in desired.resources]
        fields = [(each.address, each.former, declared_fields(each.body)) for each in resources]
        with Reader(self.provider.session, workers=self.workers) as reader:
            try:
                context = reader.context()
                live = read_live(reader, self.provider.registry.kinds, fields, str(context["role"]))
            finally:
                self.statements += reader.statements
        return context, live

    def _client_plan(
        self, client: Identifier, desired: Desired, live: Mapping[Address, Resource], context: Mapping[str, Any]
    ) -> ClientPlan:
        try:
            plan = self.provider.plan_from(desired, live, context)
        except DiagnosticsError as error:
            return ClientPlan(client, desired.target, problems=error.diagnostics)
        return ClientPlan(client, desired.target, plan)

    # -- applying ----------------------------------------------------------------------------------------------------

    def apply(
        self,
        plans: Sequence[ClientPlan],
        *,
        canary: int = 1,
        parallel: int = 4,
        max_failures: float = 0.05,
        allow: Collection[str] = (),
        on_result: Callable[[ClientResult], None] = lambda result: None,
        stop: threading.Event | None = None,
    ) -> FleetReport:
        """Apply the plans: ``canary`` clients with changes first, one by one; then ``parallel`` at a time.

        Nothing new starts once a canary failed, or the failed clients exceed ``max_failures`` (a share of all clients
        up to 1, a number above it), or ``stop`` is set; what runs finishes. Broken clients count as failed.
        """
        run = _FleetRun(self, plans, max_failures, allow, on_result, stop or threading.Event())
        return run.run(canary, parallel)


class _FleetRun:
    """One apply: what is left to do, and whether to go on."""

    def __init__(
        self,
        fleet: Fleet,
        plans: Sequence[ClientPlan],
        max_failures: float,
        allow: Collection[str],
        on_result: Callable[[ClientResult], None],
        stop: threading.Event,
    ) -> None:
        self._fleet = fleet
        self._allow = allow
        self._on_result = on_result
        self._stop = stop
        self._plans = plans
        self._limit = max_failures * len(plans) if max_failures <= 1 else max_failures
        self._allowed = f"{max_failures:.3g}" if max_failures > 1 else f"{100 * max_failures:g}%"
        self._results: list[ClientResult] = []
        self._failed = 0
        self._why = ""

    def run(self, canary: int, parallel: int) -> FleetReport:
        waiting: list[ClientPlan] = []
        for each in self._plans:
            if each.state == "behind":
                waiting.append(each)
            else:
                self._end(_settled(each))
        first, rest = waiting[:canary], waiting[canary:]
        for each in first:
            if not self._goes_on():
                break
            result = self._apply(each)
            self._end(result)
            if result.status != "ok":
                self._why = f"the canary {result.client} failed"
        self._side_by_side(rest, parallel)
        tried = {each.client for each in self._results}
        left = [each for each in self._plans if str(each.client) not in tried]
        for each in left:
            self._end(ClientResult(str(each.client), sql_path(each.target), "skipped"))
        return FleetReport(tuple(self._results), self._why, self._fleet.statements)

    def _side_by_side(self, waiting: Sequence[ClientPlan], parallel: int) -> None:
        left = iter(waiting)
        with concurrent.futures.ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="pinky-fleet") as pool:
            running: set[concurrent.futures.Future[ClientResult]] = set()
            while True:
                while len(running) < parallel and self._goes_on():
                    following = next(left, None)
                    if following is None:
                        break
                    running.add(pool.submit(self._apply, following))
                if not running:
                    return
                done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    self._end(future.result())

    def _goes_on(self) -> bool:
        if self._stop.is_set() and not self._why:
            self._why = "the run was interrupted"
        if self._failed > self._limit and not self._why:
            self._why = f"{self._failed} of {len(self._plans)} clients failed, and {self._allowed} may"
        return not self._why

    def _apply(self, each: ClientPlan) -> ClientResult:
        """Apply one client's plan. Destructive changes only as long as the client is as it was when it was planned."""
        assert each.plan is not None
        begin = time.monotonic()
        client, target = str(each.client), sql_path(each.target)
        provider = self._fleet.provider
        try:
            ended = (provider.apply if each.plan.destructive() else provider.run)(each.plan, allow=self._allow)
        except (BlockedPlanError, SecretError, DiagnosticsError) as error:
            return ClientResult(client, target, "refused", failures=(str(error),))
        except PinkyError as error:
            return ClientResult(client, target, "failed", failures=(str(error),), seconds=time.monotonic() - begin)
        seconds = time.monotonic() - begin
        done = tuple(event.name for event in ended.of(Outcome.APPLIED))
        return ClientResult(client, target, "ok" if ended.ok else "failed", done, _failures(ended), seconds)

    def _end(self, result: ClientResult) -> None:
        self._results.append(result)
        self._failed += result.status in ("failed", "refused")
        self._on_result(result)


def _settled(each: ClientPlan) -> ClientResult:
    """The result of a client for which nothing is run."""
    client, target = str(each.client), sql_path(each.target)
    if each.state == "current":
        return ClientResult(client, target, "unchanged")
    problems = each.problems or (each.plan.diagnostics if each.plan is not None else ())
    return ClientResult(client, target, "refused", failures=tuple(str(problem) for problem in problems))


def _failures(ended: Report) -> tuple[str, ...]:
    failed: Iterable[Event] = ended.of(Outcome.FAILED)
    return tuple(f"{event.name}: {event.error}" for event in failed)
