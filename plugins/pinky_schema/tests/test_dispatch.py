"""Registering, claiming and accounting for files: at least once always, exactly once with the registry."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_schema.runtime.dispatch import Names, claim, complete_run, files_of, register_files
from pinky_schema.runtime.graph import complete, poll_and_dispatch

sys.path.insert(0, str(Path(__file__).parent))
from dispatch_world import REGISTRY, SCHEMA, RuntimeSession, World, ingest, settings, world

NAMES = Names(SCHEMA, "external_input_files")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def poll(place: World, procedure: Any = ingest, **more: Any) -> dict[str, Any]:
    session = place.session()
    session.calls["INGEST"] = procedure
    return poll_and_dispatch(session, settings(**more))


def test_files_are_registered_by_their_path_and_processed_once(place: World):
    place.deliver("acme/orders/a.csv", "acme/orders/b.csv", "bolt/returns/2026/c.csv", "stray.csv")
    assert poll(place)["done"] == 4
    found = place.rows(
        f"SELECT RELATIVE_PATH, PROVIDER_REF, REF_FLUX_PROVIDER, FILE_NAME, STATUS, ATTEMPTS FROM {REGISTRY} ORDER BY 1"
    )
    assert [tuple(row) for row in found] == [
        ("acme/orders/a.csv", "acme", "orders", "a.csv", "DONE", 1),
        ("acme/orders/b.csv", "acme", "orders", "b.csv", "DONE", 1),
        ("bolt/returns/2026/c.csv", "bolt", "returns", "c.csv", "DONE", 1),
        ("stray.csv", None, None, "stray.csv", "DONE", 1),
    ]
    assert poll(place)["status"] == "SKIP"
    assert place.rows(f"SELECT COUNT(*) FROM {SCHEMA}.DONE_FILES") == [(4,)]
    assert place.rows(f"SELECT STATUS, ATTEMPT, FILES FROM {SCHEMA}.RUNS") == [("DONE", 1, 4)]


def test_the_procedure_is_told_new_and_existing_files(place: World):
    seen: list[dict[str, Any]] = []

    def look(session: RuntimeSession, text: str) -> str:
        seen.append(json.loads(text))
        return "{}"

    place.deliver("acme/orders/a.csv")
    poll(place, look, config={"mode": "full"})
    place.deliver("acme/orders/b.csv")
    poll(place, look, existing_files=5)
    first, second = seen
    assert [file["relative_path"] for file in first["new_files"]] == ["acme/orders/a.csv"]
    assert first["new_files"][0]["stage_path"] == "@D.S.EXTERNAL_INPUT_FILES/acme/orders/a.csv"
    assert (first["existing_files"], first["existing_files_count"], first["attempt"]) == ([], 0, 1)
    assert first["config"] == {"mode": "full"}
    assert [file["relative_path"] for file in second["existing_files"]] == ["acme/orders/a.csv"]
    assert second["existing_files_count"] == 1
    assert [file["file_name"] for file in second["new_files"]] == ["b.csv"]


def test_other_bytes_under_the_same_path_are_a_new_version_and_the_same_bytes_are_not(place: World):
    place.deliver("acme/orders/a.csv", content="one")
    assert poll(place)["done"] == 1
    place.deliver("acme/orders/a.csv", content="one")
    assert poll(place)["status"] == "SKIP"
    place.deliver("acme/orders/a.csv", content="two")
    assert poll(place)["done"] == 1
    assert place.rows(f"SELECT STATUS, COUNT(*) FROM {REGISTRY} GROUP BY 1") == [("DONE", 2)]


def test_a_file_that_left_or_was_overwritten_before_anybody_took_it_is_gone(place: World):
    place.deliver("a.csv", content="one")
    place.deliver("b.csv")
    session = place.session()
    register_files(session, NAMES, refresh=True)
    place.deliver("a.csv", content="two")
    (place.inbox / "b.csv").unlink()
    assert register_files(session, NAMES, refresh=True)["gone"] == 2
    found = place.rows(f"SELECT RELATIVE_PATH, STATUS FROM {REGISTRY} ORDER BY FIRST_SEEN_AT, RELATIVE_PATH")
    assert [tuple(row) for row in found] == [("a.csv", "GONE"), ("b.csv", "GONE"), ("a.csv", "NEW")]


def test_a_failing_procedure_is_repeated_under_the_same_run_and_then_parked(place: World):
    seen: list[tuple[str, int]] = []

    def fail(session: RuntimeSession, text: str) -> str:
        work = json.loads(text)
        seen.append((work["run_id"], work["attempt"]))
        raise ValueError("no such column")

    place.deliver("a.csv", "b.csv")
    for _ in range(3):
        with pytest.raises(ValueError, match="no such column"):
            poll(place, fail)
    assert place.states() == {"a.csv": ("PARKED", 3), "b.csv": ("PARKED", 3)}
    assert len({run for run, _ in seen}) == 1
    assert [attempt for _, attempt in seen] == [1, 2, 3]
    assert place.rows(f"SELECT DISTINCT ERROR FROM {REGISTRY}") == [("ValueError: no such column",)]
    assert poll(place)["status"] == "SKIP"
    runs = place.rows(f"SELECT ATTEMPT, STATUS, ERROR FROM {SCHEMA}.RUNS ORDER BY 1")
    assert [tuple(row) for row in runs] == [(n, "FAILED", "ValueError: no such column") for n in (1, 2, 3)]


def test_files_that_the_procedure_names_as_failed_are_repeated_alone(place: World):
    def half(session: RuntimeSession, text: str) -> str:
        work = json.loads(text)
        bad = [file["relative_path"] for file in work["new_files"] if "bad" in file["relative_path"]]
        return json.dumps({"failed": dict.fromkeys(bad, "not a CSV")})

    place.deliver("good.csv", "bad.csv")
    assert poll(place, half)["failed"] == 1
    assert place.states() == {"good.csv": ("DONE", 1), "bad.csv": ("FAILED", 1)}
    poll(place, half)
    poll(place, half)
    assert place.states()["bad.csv"] == ("PARKED", 3)


def test_a_retry_waits_its_time(place: World):
    def fail(session: RuntimeSession, text: str) -> str:
        raise ValueError("later")

    place.deliver("a.csv")
    with pytest.raises(ValueError, match="later"):
        poll(place, fail, retry_seconds=3600)
    assert poll(place)["status"] == "SKIP"


def test_a_batch_has_at_most_so_many_files_and_none_is_forgotten(place: World):
    place.deliver(*(f"{number}.csv" for number in range(7)))
    assert [poll(place, batch_size=3).get("done") for _ in range(4)] == [3, 3, 1, None]


def test_a_claim_whose_run_died_is_offered_again_with_a_higher_attempt(place: World):
    place.deliver("a.csv")
    session = place.session()
    register_files(session, NAMES, refresh=True)
    first = claim(session, NAMES, settings(lease_seconds=0), None)
    assert first is not None
    second = claim(session, NAMES, settings(), None)
    assert second is not None
    assert (second["run_id"], second["attempt"]) == (first["run_id"], 2)
    with pytest.raises(RuntimeError, match="another attempt has taken over"):
        complete_run(session, NAMES, first)
    assert complete_run(session, NAMES, second) == 1
    runs = place.rows(f"SELECT ATTEMPT, STATUS FROM {SCHEMA}.RUNS ORDER BY 1")
    assert [tuple(row) for row in runs] == [(1, "DIED"), (2, "RUNNING")]


def test_a_step_behind_the_one_that_completed_the_files_still_sees_them(place: World):
    place.deliver("a.csv", "b.csv")
    session = place.session()
    register_files(session, NAMES, refresh=True)
    run = claim(session, NAMES, settings(), None)
    assert run is not None
    works = [{**run, "schema": SCHEMA, "slot": "external_input_files", **files_of(session, NAMES, run, 10)}]
    assert complete(session, works[0]) == 2
    works.append({**works[0], **files_of(session, NAMES, run, 10)})
    seen = [[(file["relative_path"], file["status"]) for file in work["new_files"]] for work in works]
    assert seen == [[("a.csv", "CLAIMED"), ("b.csv", "CLAIMED")], [("a.csv", "DONE"), ("b.csv", "DONE")]]
    assert complete(session, works[1]) == 0
    with pytest.raises(RuntimeError, match="another attempt has taken over"):
        complete(session, works[0])  # the same attempt cannot take effect twice either


def test_two_pollers_at_once_never_claim_the_same_file(place: World):
    place.deliver(*(f"{number:03}.csv" for number in range(120)))
    register_files(place.session(), NAMES, refresh=True)
    claims: list[dict[str, Any]] = []
    failures: list[BaseException] = []
    gate = threading.Barrier(4)

    def work() -> None:
        try:
            session = place.session()
            gate.wait()
            while (taken := claim(session, NAMES, settings(batch_size=7), None)) is not None:
                claims.append(taken)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sum(each["files"] for each in claims) == 120
    owners = place.rows(f"SELECT COUNT(*), COUNT(DISTINCT RELATIVE_PATH), MAX(ATTEMPTS) FROM {REGISTRY}")
    assert owners == [(120, 120, 1)]
    assert place.rows(f"SELECT COUNT(DISTINCT RUN_ID), SUM(FILES) FROM {SCHEMA}.RUNS") == [(len(claims), 120)]


def test_a_poll_costs_the_same_statements_for_ten_files_and_for_a_thousand(place: World):
    counts = []
    for number in (10, 1000):
        place.deliver(*(f"p{number}/f/{each}.csv" for each in range(number)))
        session = place.session()
        session.calls["INGEST"] = lambda _session, _text: "{}"
        poll_and_dispatch(session, settings())
        counts.append(len(session.statements))
    assert counts[0] == counts[1]
    assert counts[0] <= 20


def test_a_stream_that_cannot_be_read_is_told_and_holds_nothing_up(place: World):
    place.connection.cursor().execute("DROP STREAM D.S.EXTERNAL_INPUT_FILES_STREAM")
    place.deliver("a.csv")
    report = poll(place)
    assert report["done"] == 1
    assert "EXTERNAL_INPUT_FILES_STREAM" in report["stream_error"]
