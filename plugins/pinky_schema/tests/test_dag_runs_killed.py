"""Whole graph runs that die, and several at once: every file's effect is there exactly once, every attempt on record.

The step's procedure commits its work together with the registry (BEGIN, INSERT, CALL COMPLETE_RUN, COMMIT). A run dies
in one of these ways: the procedure that sends a statement ends before it, as if its sandbox were gone; a task's own
statement is lost before it, or after it has done its work; the account stops; the process that it lives in is gone.

A run has some fifty statements, and a death with what makes it good takes a second or more. So each test run takes
every `EVERY`-th statement and those around a COMMIT; with PINKY_EVERY_STATEMENT=1 in the environment it takes all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("snowflake.snowpark", reason="the graphs run Python procedures, which need Snowpark")

from pinky_local.account import LocalAccount
from pinky_local.faults import Call, DropAfter, DropBefore, EndProcedure, Latency
from pinky_schema.dispatch_tasks import DEFAULTS

sys.path.insert(0, str(Path(__file__).parent))
from graph_world import REGISTRY, SLOT, GraphWorld, graph_world, step

EVERY = 1 if os.environ.get("PINKY_EVERY_STATEMENT") else 5
FILES = ("acme/orders/1.csv", "bolt/orders/2.csv")
MINUTES = 60
DAG = {
    "name": "INGEST",
    "trigger": {"schedule": "10 MINUTES", "files": SLOT},
    "steps": [step("LOAD", procedure="TAKE"), step("SUM_UP", "LOAD", sql="SELECT COUNT(*) FROM D.S.TAKEN")],
    "timeout": "1 MINUTE",
    "suspend_after_failures": 0,
}
# Files of a run that died are offered again with the poll after the next: the lease ends six minutes after its begin.


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GraphWorld]:
    with graph_world(tmp_path) as made:
        made.apply(DAG, [SLOT])
        yield made


def settle(place: GraphWorld, files: int) -> None:
    """Let polls go by until every file is done and no run is left open."""
    for _ in range(5):
        place.account.advance(10 * MINUTES)
        done = place.run(f"SELECT COUNT(*) FROM {REGISTRY} WHERE STATUS = 'DONE'")
        if done == [(files,)] and place.run("SELECT COUNT(*) FROM RUNS WHERE STATUS = 'RUNNING'") == [(0,)]:
            return
    raise AssertionError(f"files do not settle: {place.files()}, {place.runs()}")


def check(place: GraphWorld, files: int) -> None:
    """What must hold when everything has settled, whatever happened before."""
    assert place.run("SELECT COUNT(*), COUNT(DISTINCT FILE) FROM TAKEN") == [(files, files)]
    assert place.run(f"SELECT STATUS, COUNT(*) FROM {REGISTRY} GROUP BY 1") == [("DONE", files)]
    owners = "SELECT COUNT(*) FROM TAKEN T JOIN {} R ON R.RELATIVE_PATH = T.FILE AND R.RUN_ID = T.RUN_ID"
    assert place.run(f"{owners.format(REGISTRY)} AND R.ATTEMPTS = T.ATTEMPT") == [(files,)]
    attempts = place.run(f"SELECT RUN_ID, MAX(ATTEMPTS) FROM {REGISTRY} GROUP BY 1 ORDER BY 1")
    recorded = place.run("SELECT RUN_ID, MAX(ATTEMPT), COUNT(*) FROM RUNS GROUP BY 1 ORDER BY 1")
    assert [(run, last, last) for run, last in attempts] == recorded
    assert place.run("SELECT COUNT(*) FROM RUNS WHERE STATUS = 'RUNNING'") == [(0,)]


def test_a_graph_run_whose_procedure_ends_at_any_statement_is_made_good(place: GraphWorld):
    place.deliver(*FILES)
    place.account.advance(10 * MINUTES + 1)
    settled = [entry for entry in place.account.journal if entry.procedure is not None]
    assert {entry.procedure for entry in settled} == {
        f"D.S.{name}" for name in ("POLL_AND_DISPATCH", "RUN_STEP", "TAKE", "COMPLETE_RUN", "FINISH_RUN")
    }
    commits = [place for place, entry in enumerate(settled, start=1) if entry.raw_sql == "COMMIT"]
    assert len(commits) == 3
    numbers = {*range(1, len(settled) + 1, EVERY), *commits, *(number + 1 for number in commits)} - {len(settled) + 1}
    files = len(FILES)
    for number in sorted(numbers):
        place.deliver(*(f"{number}/{name}" for name in FILES))
        files += len(FILES)
        place.account.faults.clear()
        rule = place.account.faults.inject(EndProcedure(), at=number)
        settle(place, files)
        assert rule.fired == 1, number
        check(place, files)


@pytest.mark.parametrize("task", ["POLL_AND_DISPATCH", "RUN_STEP", "FINISH_RUN"])
@pytest.mark.parametrize("fault", [DropBefore(), DropAfter()], ids=["before", "after"])
def test_a_task_whose_statement_is_lost_is_made_good(place: GraphWorld, task: str, fault: Any):
    place.deliver(*FILES)
    rule = place.account.faults.inject(fault, rf"^CALL D\.S\.{task}\(")
    settle(place, len(FILES))
    assert rule.fired == 1
    check(place, len(FILES))


def test_an_account_that_stops_in_the_middle_goes_on_where_it_starts_again(tmp_path: Path):
    folder = tmp_path / "account"
    with graph_world(tmp_path, folder=folder) as place:
        place.apply(DAG, [SLOT])
        place.deliver(*FILES)
        rule = place.account.faults.inject(Latency(600), "COMPLETE_RUN", procedure="TAKE")
        place.run("EXECUTE TASK POLL_AND_DISPATCH")
        place.connection.close()
        until = time.monotonic() + 60
        while not rule.fired:
            assert time.monotonic() < until
            time.sleep(0.01)
        place.account.stop()
    with started_again(folder, tmp_path) as place:
        ended = [("POLL_AND_DISPATCH", "SUCCEEDED"), ("LOAD", "CANCELLED"), ("INGEST_FINISH", "CANCELLED")]
        assert place.history() == ended
        settle(place, len(FILES))
        check(place, len(FILES))
        assert place.runs() == [(1, "DIED"), (2, "DONE")]


DIES = """
import os, sys
from pathlib import Path
from pinky_local.account import LocalAccount
from pinky_local.faults import Call

folder, bucket, statement, procedure = sys.argv[1:]
with LocalAccount(Path(folder), buckets={"s3://acme": Path(bucket)}) as account:
    account.faults.inject(Call(before=lambda _: os._exit(9)), statement, procedure=procedure)
    account.advance(3600)
"""


@pytest.mark.parametrize(
    ("statement", "procedure", "attempts"),
    [("^INSERT INTO D.S.RUNS", "POLL_AND_DISPATCH", 1), ("^COMMIT", "TAKE", 2), ("^UPDATE D.S.RUN_S", "RUN_STEP", 1)],
    ids=["claim", "work", "record"],
)
def test_a_process_that_is_gone_in_the_middle(tmp_path: Path, statement: str, procedure: str, attempts: int):
    folder = tmp_path / "account"
    with graph_world(tmp_path, folder=folder) as place:
        place.apply(DAG, [SLOT])
        place.deliver(*FILES)
    arguments = [str(folder), str(place.bucket), statement, procedure]
    died = subprocess.run([sys.executable, "-c", DIES, *arguments], capture_output=True, text=True, check=False)
    assert died.returncode == 9, died.stderr
    with started_again(folder, tmp_path) as place:
        settle(place, len(FILES))
        check(place, len(FILES))
        assert place.files() == dict.fromkeys(FILES, ("DONE", attempts))


@contextmanager
def started_again(folder: Path, where: Path) -> Iterator[GraphWorld]:
    with LocalAccount(folder, buckets={"s3://acme": where / "bucket"}) as account:
        place = GraphWorld(account, where / "bucket", {})
        try:
            yield place
        finally:
            place.connection.close()
        assert not account.internal_errors


def test_two_graph_runs_and_a_poller_at_once_never_take_the_same_file(place: GraphWorld):
    place.apply({**DAG, "overlap_policy": "ALLOW_ALL_OVERLAP"}, [{SLOT: {"batch_size": 3}}])
    files = [f"acme/orders/{number}.csv" for number in range(10)]
    place.deliver(*files)
    gate = threading.Barrier(3, timeout=60)  # all three are about to claim
    place.account.faults.inject(
        Call(before=lambda _: gate.wait() and None), "^BEGIN", procedure="POLL_AND_DISPATCH", times=3
    )
    settings = {**DEFAULTS, "schema": "D.S", "slot": SLOT, "graph": "BY_HAND", "procedure": "TAKE", "batch_size": 3}
    answers: list[Any] = []

    def by_hand() -> None:
        with place.account.connect(warehouse="W", paramstyle="qmark") as connection:
            cursor = connection.cursor()
            cursor.execute("CALL D.S.POLL_AND_DISPATCH(PARSE_JSON(?))", [json.dumps(settings)])
            answers.extend(cursor.fetchall())

    poller = threading.Thread(target=by_hand)
    poller.start()
    place.run("EXECUTE TASK POLL_AND_DISPATCH")
    place.run("EXECUTE TASK POLL_AND_DISPATCH")
    poller.join()
    assert place.account.wait_for_tasks()
    assert json.loads(answers[0][0])["done"] == 3
    runs = place.run("SELECT GRAPH, STATUS, FILES FROM RUNS ORDER BY GRAPH, FILES")
    assert runs == [("BY_HAND", "DONE", 3), ("INGEST", "DONE", 3), ("INGEST", "DONE", 3)]
    settle(place, len(files))
    check(place, len(files))
    assert place.runs("STATUS, FILES").count(("DONE", 3)) == 3
    assert set(place.files().values()) == {("DONE", 1)}
