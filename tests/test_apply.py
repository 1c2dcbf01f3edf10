from __future__ import annotations

import threading
import time

import pytest

from pinky_core import (
    Action,
    Address,
    Change,
    Guard,
    Identifier,
    Outcome,
    PinkyError,
    Plan,
    Rows,
    SecretReference,
    StalePlanError,
    StatementError,
    TransportError,
    statement,
)
from pinky_core.apply import check_fresh, run_plan
from pinky_core.change import field_digests
from tests.kinds import Box, Colour


def address(name: str) -> Address:
    return Address("box", (Identifier(name),))


def change(name: str, *needs: str, sql: str | None = None) -> Change:
    return Change(
        address(name),
        Action.CREATE,
        "test",
        statements=(statement(sql or f"MAKE {name}"),),
        needs=tuple(address(each) for each in needs),
    )


class Recorder:
    """Runs everything, fails what it is told to, and remembers order and overlap."""

    def __init__(self, *failing: str, concurrency: int = 4, seconds: float = 0.0) -> None:
        self.failing = set(failing)
        self.concurrency = concurrency
        self.seconds = seconds
        self.done: list[str] = []
        self.running = 0
        self.widest = 0
        self.lock = threading.Lock()

    def execute(self, text: str, parameters: object = ()) -> Rows:
        with self.lock:
            self.running += 1
            self.widest = max(self.widest, self.running)
        time.sleep(self.seconds)
        with self.lock:
            self.running -= 1
            self.done.append(text)
        if text in self.failing:
            raise StatementError("000001: no", errno=1, statement=text)
        return Rows((), [])


def run(session: Recorder, *changes: Change, guards: tuple[Guard, ...] = (), **options: object):  # type: ignore[no-untyped-def]  # options are run_plan's
    plan = Plan("account", (), changes=changes, guards=guards)
    return run_plan(plan, session, resolve=lambda reference: f"value of {reference}", **options)  # type: ignore[arg-type]  # as above


def outcomes(report) -> dict[str, Outcome]:  # type: ignore[no-untyped-def]  # a report
    return {event.name: event.outcome for event in report.events}


def test_statements_run_after_what_they_need():
    session = Recorder()
    report = run(session, change("A"), change("B", "A"), change("C", "B"))
    assert session.done == ["MAKE A", "MAKE B", "MAKE C"]
    assert report.ok


def test_a_failure_stops_its_own_branch_only_and_says_because_of_whom():
    session = Recorder("MAKE B")
    report = run(session, change("A"), change("B", "A"), change("C", "B"), change("D", "C"), change("E", "A"))
    assert outcomes(report) == {
        "box A": Outcome.APPLIED,
        "box B": Outcome.FAILED,
        "box C": Outcome.SKIPPED,
        "box D": Outcome.SKIPPED,
        "box E": Outcome.APPLIED,
    }
    assert {event.because for event in report.of(Outcome.SKIPPED)} == {"box B"}
    assert report.of(Outcome.FAILED)[0].statement == "MAKE B"
    assert not report.ok


def test_independent_statements_run_side_by_side_within_the_width():
    session = Recorder(concurrency=3, seconds=0.02)
    run(session, *(change(f"X{n}") for n in range(12)), workers=8)
    assert session.widest == 3


def test_a_guard_closes_whatever_happened():
    session = Recorder("MAKE B")
    guard = Guard("graph", (address("A"), address("B")), (statement("SUSPEND"),), (statement("RESUME"),))
    run(session, change("A"), change("B"), guards=(guard,))
    assert session.done[0] == "SUSPEND"
    assert session.done[-1] == "RESUME"


def test_a_guard_whose_opening_fails_skips_its_members_and_still_closes():
    session = Recorder("SUSPEND")
    guard = Guard("graph", (address("A"),), (statement("SUSPEND"),), (statement("RESUME"),))
    report = run(session, change("A"), guards=(guard,))
    assert session.done == ["SUSPEND", "RESUME"]
    assert outcomes(report)["box A"] is Outcome.SKIPPED


def test_a_closing_that_requires_a_change_runs_only_after_it_was_applied():
    guard = Guard("graph", (address("A"),), (), (statement("RESUME"),), requires=address("A"))
    failed = Recorder("MAKE A")
    run(failed, change("A"), guards=(guard,))
    assert failed.done == ["MAKE A"]
    worked = Recorder()
    run(worked, change("A"), guards=(guard,))
    assert worked.done == ["MAKE A", "RESUME"]


def test_stopping_lets_running_statements_finish_and_closes_guards():
    stop = threading.Event()

    class Stopping(Recorder):
        def execute(self, text: str, parameters: object = ()) -> Rows:
            if text == "MAKE A":
                stop.set()
            return super().execute(text, parameters)

    session = Stopping()
    guard = Guard("graph", (address("A"), address("B")), (statement("SUSPEND"),), (statement("RESUME"),))
    report = run(session, change("A"), change("B", "A"), guards=(guard,), stop=stop)
    assert session.done == ["SUSPEND", "MAKE A", "RESUME"]
    assert report.interrupted
    assert [event.because for event in report.of(Outcome.SKIPPED)] == ["the run was interrupted"]


def test_a_secret_is_resolved_only_for_sending():
    session = Recorder()
    made = Change(address("A"), Action.CREATE, "t", statements=(statement("SET KEY = ", SecretReference("env", "K")),))
    run(session, made)
    assert session.done == ["SET KEY = 'value of env:K'"]
    assert "value of" not in repr(made)


def test_an_error_of_a_statement_with_a_secret_does_not_repeat_snowflakes_text():
    class Leaking(Recorder):
        def execute(self, text: str, parameters: object = ()) -> Rows:
            raise StatementError(f"001003: syntax error near {text}", errno=1003, statement=text)

    made = Change(address("A"), Action.CREATE, "t", statements=(statement("SET KEY = ", SecretReference("env", "K")),))
    report = run(Leaking(), made)
    assert "value of env:K" not in repr(report)
    assert "001003" in report.of(Outcome.FAILED)[0].error


def test_a_transport_error_fails_the_change_and_the_rest_goes_on():
    class Flaky(Recorder):
        def execute(self, text: str, parameters: object = ()) -> Rows:
            if text == "MAKE A":
                raise TransportError("gone")
            return super().execute(text, parameters)

    report = run(Flaky(), change("A"), change("B"))
    assert outcomes(report) == {"box A": Outcome.FAILED, "box B": Outcome.APPLIED}


def test_a_fresh_plan_passes_and_a_stale_one_names_what_moved():
    live = Box(colour=Colour.RED, weight=1)
    seen = Change(address("A"), Action.ALTER, "t", observed=field_digests(live))
    new = Change(address("N"), Action.CREATE, "t")
    plan = Plan("account", (), changes=(seen, new))
    check_fresh(plan, {address("A"): Box(colour=Colour.RED, weight=1)})
    with pytest.raises(StalePlanError) as stale:
        check_fresh(plan, {address("A"): Box(colour=Colour.BLUE, weight=1), address("N"): Box()})
    assert stale.value.changed == ("box A: colour changed", "box N: it is there now")
    with pytest.raises(StalePlanError, match="no longer there"):
        check_fresh(plan, {})


def test_a_guard_is_stale_when_what_it_acts_on_moved():
    seen = {"colour": field_digests(Box(colour=Colour.RED))["colour"]}
    guard = Guard("graph", (address("A"),), (statement("SUSPEND"),), root=address("R"), observed=seen)
    plan = Plan("account", (), guards=(guard,))
    check_fresh(plan, {address("R"): Box(colour=Colour.RED, weight=77)})
    with pytest.raises(StalePlanError, match=r"box R \(graph\): colour changed"):
        check_fresh(plan, {address("R"): Box(colour=Colour.BLUE)})


def test_errors_of_pinky_share_one_root():
    assert issubclass(StalePlanError, PinkyError)
