"""Two applies at once, sessions that end, interrupts, timeouts and lost connections, through the real connector."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from pinky_local import LocalAccount
from pinky_local.faults import DropAfter, DropBefore, ExpireToken, FaultRule, Latency, Status

from pinky_core import Event, Outcome, Provider, Report, RetryPolicy, Rows, SessionError, TransportError, as_session
from pinky_core.apply import run_plan
from tests.acceptance.world import REGISTRY, DirectSession, dump, engine, provider

FIRST = """
scope: account
resources:
  database: [{name: D}]
  schema: [{name: S, database: D}]
  role: [{name: R1}, {name: R2}]
  role_grant: [{role: R1, to_role: R2}]
  warehouse: [{name: W, auto_suspend: 60, initially_suspended: true}]
  account_grant: [{privilege: USAGE, on: {warehouse: W}, to_role: R1}]
  table:
    - {name: T1, database: D, schema: S, columns: [{name: A, type: NUMBER}, {name: B, type: STRING}]}
    - {name: T2, database: D, schema: S, columns: [{name: A, type: NUMBER}]}
    - {name: OLD, database: D, schema: S, columns: [{name: A, type: NUMBER}]}
    - {name: GONE, database: D, schema: S, columns: [{name: A, type: NUMBER}]}
  view: [{name: V, database: D, schema: S, query: SELECT A FROM D.S.T1}]
  task:
    - {name: ROOT, database: D, schema: S, schedule: 60 MINUTES, definition: SELECT 1, state: started}
    - {name: CHILD, database: D, schema: S, after: [ROOT], definition: SELECT 2, state: started}
"""
# Columns altered, renamed, added and dropped, a table renamed, another gone (with pruning), a graph changed, a grant.
SECOND = """
scope: schema
target: D.S
resources:
  table:
    - name: T1
      comment: changed
      columns:
        - {name: A, type: NUMBER, not_null: true}
        - {name: C, type: STRING, renamed_from: B}
        - {name: E, type: DATE}
    - {name: T2, strategy: drop, columns: [{name: F, type: NUMBER}]}
    - {name: NEW, renamed_from: OLD, columns: [{name: A, type: NUMBER}]}
  task:
    - {name: ROOT, schedule: 30 MINUTES, definition: SELECT 1, state: started}
    - {name: MID, after: [ROOT], definition: SELECT 4, state: started}
    - {name: CHILD, after: [MID], definition: SELECT 3, state: started}
  grant: [{privilege: SELECT, on: {table: T1}, to_role: R1}]
"""


# The time for a whole statement with its repetitions; connector 5.x gave it another name.
TIMEOUT = "query_timeout" if int(snowflake.connector.__version__.split(".")[0]) >= 5 else "network_timeout"


def state(connection: Any) -> dict[str, Any]:
    """Everything that stands in the account."""
    return dump(as_session(connection))


def manifest(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return manifest(tmp_path / "first", FIRST)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return manifest(tmp_path / "second", SECOND)


def changing(account: LocalAccount) -> list[str]:
    """Statements the account executed that change it."""
    return [s for s in account.journal.statements() if not s.startswith(("SHOW", "DESC", "SELECT"))]


def errors(report: Report) -> list[str]:
    return [f"{event.name}: {event.error}" for event in report.of(Outcome.FAILED)]


def side_by_side(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run work(0) … work(count - 1) in threads that start together; raises what any of them raised."""
    found: dict[int, Any] = {}
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = work(number)
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in found.values():
        if isinstance(outcome, Exception):
            raise outcome
    return [found[number] for number in range(count)]


def test_two_applies_of_one_plan_at_once_say_what_the_other_made_and_one_more_apply_finishes(first: Path):
    with LocalAccount(data=False) as account:
        account.faults.add(FaultRule(action=Latency(0.01), times=None, match="^(CREATE|GRANT|ALTER)"))
        connections = [account.connect(), account.connect()]
        plans = [provider(connection).plan(first) for connection in connections]

        def run(number: int) -> Report:
            session = provider(connections[number]).session
            return run_plan(plans[number], session, resolve=lambda reference: "")

        reports = side_by_side(2, run)
        for event in [event for report in reports for event in report.of(Outcome.FAILED)]:
            assert "2002" in event.error
            assert "It exists: it was made after this plan read the account" in event.error
        names = {str(change.address) for change in plans[0].changes}
        made = [{event.name for event in report.of(Outcome.APPLIED)} & names for report in reports]
        assert made[0] | made[1]
        created = [statement for statement in changing(account) if statement.startswith("CREATE")]
        account.faults.clear()

        last = provider(connections[0]).apply(first)
        assert errors(last) == []
        assert last.ok
        assert provider(connections[1]).plan(first).empty
        assert account.internal_errors == []
        assert created
        found = state(connections[0])
        for connection in connections:
            connection.close()
    with LocalAccount(data=False) as alone, alone.connect() as connection:
        assert provider(connection).apply(first).ok
        assert state(connection) == found


def test_two_applies_of_the_same_alterations_at_once_both_end_well(tmp_path: Path, first: Path):
    changed = manifest(tmp_path / "changed", FIRST.replace("auto_suspend: 60", "auto_suspend: 90, comment: x"))
    with LocalAccount(data=False) as account, account.connect() as one, account.connect() as two:
        assert provider(one).apply(first).ok
        plans = [provider(connection).plan(changed) for connection in (one, two)]
        sessions = [provider(connection).session for connection in (one, two)]
        reports = side_by_side(2, lambda n: run_plan(plans[n], sessions[n], resolve=lambda reference: ""))
        assert [errors(report) for report in reports] == [[], []]
        assert all(report.ok for report in reports)
        assert provider(one).plan(changed).empty


@pytest.mark.parametrize("at", [1, 4, 9, 14])
def test_a_session_that_expires_in_the_middle_is_renewed_and_nothing_runs_twice(first: Path, at: int):
    with LocalAccount(data=False) as account, account.connect() as connection:
        rule = FaultRule(action=ExpireToken(), match="^(CREATE|GRANT|ALTER)", at=at)
        account.faults.add(rule)
        report = provider(connection).apply(first)
        assert errors(report) == []
        assert report.ok
        assert rule.fired == 1
        applied = changing(account)
        assert sorted(applied) == sorted(set(applied))
        assert provider(connection).plan(first).empty


def task_states(connection: Any) -> dict[str, str]:
    rows = as_session(connection).execute("SHOW TASKS IN SCHEMA D.S")
    return dict(rows.pick("name", "state"))


def test_interrupted_while_statements_run_the_graph_runs_again_and_the_rest_is_skipped(first: Path, second: Path):
    with LocalAccount(data=False) as account, account.connect() as connection:
        pinky = provider(connection, workers=1)
        assert pinky.apply(first).ok
        assert task_states(connection) == {"ROOT": "started", "CHILD": "started"}
        stop = threading.Event()
        account.faults.add(FaultRule(action=Latency(0.3), times=None, match="ALTER TASK .* (MODIFY|SET)"))

        def interrupt(event: Event) -> None:
            if event.outcome is Outcome.STARTED and event.name.startswith("task D.S."):
                threading.Timer(0.05, stop.set).start()

        report = pinky.apply(second, allow=["destructive"], on_event=interrupt, stop=stop)
        assert report.interrupted
        assert not report.ok
        assert errors(report) == []
        assert "the run was interrupted" in {event.because for event in report.of(Outcome.SKIPPED)}
        assert any(event.name.startswith("task D.S.") for event in report.of(Outcome.APPLIED))
        assert task_states(connection) == {"ROOT": "started", "CHILD": "started"}
        account.faults.clear()
        assert pinky.apply(second, allow=["destructive"]).ok
        assert pinky.plan(second).empty


def test_a_failing_change_of_a_task_leaves_the_graph_running(first: Path, second: Path):
    with LocalAccount(data=False) as account, account.connect() as connection:
        pinky = provider(connection)
        assert pinky.apply(first).ok
        account.faults.add(FaultRule(action=Status(503), times=None, match="ALTER TASK .*CHILD.* MODIFY"))
        slow = account.connect(**{TIMEOUT: 1})
        report = provider(slow, workers=1).apply(second, allow=["destructive"])
        slow.close()
        assert [event.name for event in report.of(Outcome.FAILED)] == ["task D.S.CHILD"]
        assert task_states(connection) == {"ROOT": "started", "MID": "started", "CHILD": "started"}


def test_a_connection_closed_for_good_in_the_middle_ends_in_a_report(first: Path):
    with LocalAccount(data=False) as account, account.connect() as watcher:
        connection = account.connect()

        def close(event: Event) -> None:
            if event.outcome is Outcome.APPLIED and event.name == "schema D.S":
                connection.close()

        report = provider(connection, workers=1).apply(first, on_event=close)
        assert not report.ok
        assert {"database D", "schema D.S"} <= {event.name for event in report.of(Outcome.APPLIED)}
        failed = report.of(Outcome.FAILED)
        assert failed
        assert {event.error for event in failed} == {"the connection is closed"}
        changes = provider(watcher).plan(first).changes
        assert {event.name for event in failed} <= {str(change.address) for change in changes}
        with pytest.raises(SessionError, match="the connection is closed"):
            provider(connection).plan(first)
        assert provider(watcher).apply(first).ok


def test_a_statement_timeout_is_final_and_named(first: Path):
    with LocalAccount(data=False) as account, account.connect() as connection:
        connection.cursor().execute("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
        rule = FaultRule(action=Latency(5), times=None, match="^CREATE TABLE D.S.T2")
        account.faults.add(rule)
        report = provider(connection).apply(first)
        (failed,) = report.of(Outcome.FAILED)
        assert failed.name == "table D.S.T2"
        assert "timeout of 1 second" in failed.error
        assert rule.fired == 1
        assert "view D.S.V" in {event.name for event in report.of(Outcome.APPLIED)}


@pytest.mark.parametrize("fault", [Status(503), Status(429), DropBefore()])
def test_a_service_that_stays_away_ends_the_branch_within_bounded_time_and_the_report_says_so(
    first: Path, fault: Status | DropBefore
):
    with LocalAccount(data=False) as account, account.connect(**{TIMEOUT: 1}) as connection:
        policy = RetryPolicy(first_delay=0.01, longest_delay=0.05, patience=2)
        pinky = Provider(connection, registry=REGISTRY, retry=policy)
        plan = pinky.plan(first)
        account.faults.add(FaultRule(action=fault, times=None, match="^CREATE DATABASE"))
        begin = time.monotonic()
        report = pinky.apply(plan)
        assert time.monotonic() - begin < 10
        (failed,) = report.of(Outcome.FAILED)
        assert failed.name == "database D"
        assert "the connection failed" in failed.error
        assert failed.statement == "CREATE DATABASE D"
        assert {"schema D.S", "table D.S.T1"} <= {event.name for event in report.of(Outcome.SKIPPED)}
        assert {"role R1", "warehouse W"} <= {event.name for event in report.of(Outcome.APPLIED)}
        account.faults.clear()
        assert pinky.apply(first).ok


def evolved(first: Path, second: Path) -> dict[str, Any]:
    """The end state of both manifests in an account that nothing disturbs."""
    with LocalAccount(data=False) as account, account.connect() as connection:
        assert provider(connection).apply(first).ok
        assert provider(connection).apply(second, allow=["destructive"], prune=True).ok
        return state(connection)


@pytest.mark.parametrize("seed", range(4))
def test_changes_renames_drops_and_grants_under_random_faults_end_the_same_and_nothing_runs_twice(
    first: Path, second: Path, seed: int
):
    undisturbed = evolved(first, second)
    chance = random.Random(seed)
    with LocalAccount(data=False) as account, account.connect() as connection:
        assert provider(connection).apply(first).ok
        before = len(changing(account))
        rules = [
            # rare enough that the driver's six attempts never all fail: then pinky would have to send again
            FaultRule(action=action, probability=0.04, times=None, seed=chance.randrange(1000))
            for action in (Status(503), Status(429), DropBefore(), DropAfter())
        ]
        for rule in rules:
            account.faults.add(rule)
        report = provider(connection).apply(second, allow=["destructive"], prune=True)
        account.faults.clear()
        assert errors(report) == []
        assert report.ok
        assert sum(rule.fired for rule in rules) >= 3
        applied = changing(account)[before:]
        for words in ("RENAME TO", "RENAME COLUMN", "ADD COLUMN", "DROP COLUMN", "DROP TABLE", "GRANT SELECT"):
            assert any(words in statement for statement in applied), words
        assert sorted(set(applied)) == sorted(applied)
        assert state(connection) == undisturbed
        assert provider(connection).plan(second, prune=True).empty


class LosingSession:
    """A session that executes its n-th changing statement and loses the answer, so that its outcome is unknown."""

    def __init__(self, session: DirectSession, at: int) -> None:
        self._session = session
        self._at = at
        self.concurrency = 1
        self.lost = ""
        self.changing = 0

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        rows = self._session.execute(statement, parameters)
        if not statement.startswith(("SHOW", "DESC", "SELECT")):
            self.changing += 1
            if self.changing == self._at:
                self.lost = statement
                raise TransportError("the answer was lost", statement=statement)
        return rows


@pytest.mark.parametrize("part", range(3))
def test_an_answer_lost_after_any_statement_does_not_change_the_end(first: Path, second: Path, part: int):
    def run(at: int) -> tuple[LosingSession, Report, dict[str, Any]]:
        with engine() as account:
            direct = DirectSession(account)
            session = LosingSession(direct, at)
            assert provider(session).apply(first).ok, session.lost
            report = provider(session).apply(second, allow=["destructive"], prune=True)
            return session, report, dump(direct)

    undisturbed, _, expected = run(0)
    assert undisturbed.changing >= 25
    for at in range(1 + part, undisturbed.changing + 1, 3):
        session, report, found = run(at)
        assert errors(report) == [], session.lost
        assert report.ok, session.lost
        assert found == expected, session.lost


class LateSession:
    """A session whose first CREATE TABLE is lost on the way while somebody else takes the name for a view."""

    concurrency = 1

    def __init__(self, session: DirectSession) -> None:
        self._session = session
        self._lost = False

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        if statement.startswith("CREATE TABLE") and not self._lost:
            self._lost = True
            self._session.execute("CREATE VIEW D.S.T AS SELECT 1 AS A")
            raise TransportError("lost on the way", statement=statement)
        return self._session.execute(statement, parameters)


def test_a_name_that_a_view_took_while_the_answer_was_lost_is_a_failure(tmp_path: Path):
    text = "scope: schema\ntarget: D.S\nresources:\n  table: [{name: T, columns: [{name: A, type: INT}]}]\n"
    table = manifest(tmp_path, text)
    with engine() as account:
        direct = DirectSession(account)
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            direct.execute(statement)
        (failed,) = provider(LateSession(direct)).apply(table).of(Outcome.FAILED)
        assert "already exists as VIEW" in failed.error
        assert "An object of another kind has this name" in failed.error
