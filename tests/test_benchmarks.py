"""The benchmarks run, count what they say, and do not pass on an account that is not as declared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("resource", reason="the benchmarks measure by getrusage, which Windows does not have")

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"


def measured(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARKS / "measure.py"), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize(
    ("arguments", "statements"),
    [
        (("plan-warehouses", "20"), 2),
        (("plan-tables", "1", "20"), 5),
        (("plan-tables", "5", "20"), 5),  # SHOW … IN DATABASE for many schemas
        (("plan-tables", "1", "1000"), 6),  # 10,000 columns: INFORMATION_SCHEMA tells
    ],
)
def test_a_plan_without_change_sends_as_many_statements_as_the_page_tells(arguments: tuple[str, ...], statements: int):
    found = measured(*arguments)
    assert found["statements"] == statements
    assert found["cpu"] > 0
    assert found["peak_mb"] > 10


def test_an_apply_keeps_the_width_in_flight():
    found = measured("apply-warehouses", "40", "0.02")
    assert found["statements"] - found["planned"] >= 40
    assert 0.5 < found["in_flight"] <= 1


def test_the_session_refuses_what_it_has_no_answer_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from answering_session import AnsweringSession

    from pinky_core import StatementError

    session = AnsweringSession({})
    with pytest.raises(StatementError, match="no answer was prepared"):
        session.execute("SHOW WAREHOUSES")


def test_an_aim_is_missed_above_its_bound_and_met_on_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from run import Aim

    assert Aim("time", 1.0, 1.0).met
    assert not Aim("time", 1.1, 1.0).met
    assert Aim("width", 0.95, 0.9, least=True).met
    assert "**missed**" in Aim("width", 0.8, 0.9, least=True).row


def test_hashes_are_measured_on_files_that_differ_in_the_order_of_rows(tmp_path: Path):
    command = [sys.executable, str(BENCHMARKS / "hashes.py"), "--megabytes", "1", "--folder", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "10,000 rows of CSV" in answer.stdout
    assert list(tmp_path.iterdir()) == []


def test_hashes_that_depend_on_the_order_of_rows_end_the_benchmark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import hashes

    hashes.check(["raw", "sorted", 2], ["other", "sorted", 2])
    with pytest.raises(SystemExit, match="depends on the order"):
        hashes.check(["raw", "sorted", 2], ["other", "changed", 2])
    with pytest.raises(SystemExit, match="does not depend"):
        hashes.check(["raw", "sorted", 2], ["raw", "sorted", 2])
    assert sorted(n * hashes.another_step(10_000) % 10_000 for n in range(10_000)) == list(range(10_000))


def test_a_poll_of_more_files_takes_as_many_statements():
    command = [sys.executable, str(BENCHMARKS / "dispatch.py"), "--files", "5", "1200"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "| statements of a poll: 1,200 files as 5 | 18, 10, 18 | 18, 10, 18 | met |" in answer.stdout


def test_a_poll_that_finds_what_was_not_delivered_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import dispatch

    dispatch.check({"registered": 1200, "done": 1000}, 1200)
    for found in ({"registered": 4}, {"registered": 5, "done": 4}, {"done": 5, "stream_error": "it is stale"}):
        with pytest.raises(SystemExit, match="5 files had come"):
            dispatch.check({"registered": 5, **found}, 5)
