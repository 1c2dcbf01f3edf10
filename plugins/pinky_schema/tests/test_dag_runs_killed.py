"""Whole graph runs that die, and several at once: every file's effect is there exactly once, every attempt on record.

The step's procedure commits its work together with the registry (BEGIN, INSERT, CALL COMPLETE_RUN, COMMIT). A run dies
in one of these ways: the procedure that sends a statement ends (its sandbox is gone), before the statement; a task's own
statement is lost before it, or after it has done its work; the whole account stops and is started again.

A run has some forty statements, and each death takes seconds. So one test run takes every `EVERY`-th statement of the
procedures, another start each day so that all are taken in turn; PINKY_EVERY_STATEMENT=1 takes them all.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("snowflake.snowpark", reason="the graphs run Python procedures, which need Snowpark")

from pinky_local.account import LocalAccount
from pinky_local.faults import DropAfter, DropBefore, EndProcedure, Latency

sys.path.insert(0, str(Path(__file__).parent))
from graph_world import REGISTRY, SLOT, GraphWorld, graph_world, step

EVERY = 1 if os.environ.get("PINKY_EVERY_STATEMENT") else 4
FILES = ("acme/orders/1.csv", "bolt/orders/2.csv")
MINUTES = 60
DAG = {
    "name": "INGEST",
    "trigger": {"schedule": "10 MINUTES", "files": SLOT},
    "steps": [step("LOAD", procedure="TAKE"), step("SUM_UP", "LOAD", sql="SELECT COUNT(*) FROM D.S.TAKEN")],
    "timeout": "1 MINUTE",
}
# Files of a run that died are offered again with the poll after the next: the lease ends six minutes after its begin.


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GraphWorld]:
    with graph_world(tmp_path) as made:
        made.apply(DAG, [SLOT])
        yield made


def settle(place: GraphWorld) -> None:
    """Let polls go by until every file is done, and one more that finds nothing."""
    for _ in range(6):
        place.account.advance(10 * MINUTES)
        left = f"SELECT COUNT(*) FROM {REGISTRY} WHERE STATUS <> 'DONE'"
        if place.run(left) == [(0,)] and place.run("SELECT COUNT(*) FROM RUNS WHERE STATUS = 'RUNNING'") == [(0,)]:
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
    files, first = len(FILES), 1 + date.today().toordinal() % EVERY
    for number in range(first, len(settled) + 1, EVERY):
        place.deliver(*(f"{number}/{name}" for name in FILES))
        files += len(FILES)
        place.account.faults.clear()
        rule = place.account.faults.inject(EndProcedure(), at=number)
        settle(place)
        assert rule.fired == 1, number
        check(place, files)


@pytest.mark.parametrize("task", ["POLL_AND_DISPATCH", "RUN_STEP", "FINISH_RUN"])
@pytest.mark.parametrize("fault", [DropBefore(), DropAfter()], ids=["before", "after"])
def test_a_task_whose_statement_is_lost_is_made_good(place: GraphWorld, task: str, fault: Any):
    place.deliver(*FILES)
    rule = place.account.faults.inject(fault, rf"^CALL D\.S\.{task}\(")
    settle(place)
    assert rule.fired == 1
    check(place, len(FILES))
