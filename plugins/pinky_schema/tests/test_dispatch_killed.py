"""Dispatching killed between any two statements: nothing is lost, nothing is done twice, every attempt is on record."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_schema.runtime.graph import poll_and_dispatch

sys.path.insert(0, str(Path(__file__).parent))
from dispatch_world import REGISTRY, SCHEMA, RuntimeSession, World, ingest, settings, world

FILES = ("a/x/1.csv", "a/x/2.csv", "b/y/3.csv")


class Killed(BaseException):
    """The process is gone: nothing in it is handled any more."""


class MortalSession(RuntimeSession):
    """A session whose process dies before its n-th statement, or right after the account ran it."""

    def __init__(self, connection: Any, dies_at: int, *, after: bool) -> None:
        super().__init__(connection)
        self._left = dies_at
        self._after = after
        self.dead = False

    def sql(self, statement: str, params: Any = None) -> Any:
        if self.dead:
            raise Killed  # even what runs in `finally` is gone
        if statement.split("(")[0].split()[:2] == ["CALL", "INGEST"]:
            return super().sql(statement, params)
        self._left -= 1
        if self._left == 0 and not self._after:
            self._die()
        answer = super().sql(statement, params)
        if self._left == 0:
            self._die()
        return answer

    def _die(self) -> None:
        self.dead = True
        self.connection.close()  # the account rolls an open transaction back
        raise Killed


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def run(place: World, session: RuntimeSession) -> bool:
    """One poll; whether it lived to its end."""
    session.calls["INGEST"] = ingest
    try:
        poll_and_dispatch(session, settings(lease_seconds=0, max_attempts=9))
    except Killed:
        return False
    return True


def check(place: World, files: int) -> None:
    """What must hold when everything has settled."""
    done = place.rows(f"SELECT COUNT(*), COUNT(DISTINCT FILE) FROM {SCHEMA}.DONE_FILES")
    assert done == [(files, files)]
    states = place.rows(f"SELECT DISTINCT STATUS FROM {REGISTRY}")
    assert states == [("DONE",)]
    attempts = place.rows(f"SELECT RUN_ID, MAX(ATTEMPTS) FROM {REGISTRY} GROUP BY 1 ORDER BY 1")
    recorded = place.rows(f"SELECT RUN_ID, MAX(ATTEMPT), COUNT(*) FROM {SCHEMA}.RUNS GROUP BY 1 ORDER BY 1")
    assert [(run, attempt, attempt) for run, attempt in attempts] == [tuple(row) for row in recorded]
    assert place.rows(f"SELECT COUNT(*) FROM {SCHEMA}.RUNS WHERE STATUS NOT IN ('DONE', 'DIED')") == [(0,)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_dispatch_killed_at_any_statement_is_made_good_by_the_next_polls(place: World, after: bool):
    lived, number, files = False, 0, 0
    while not lived:
        number += 1
        place.deliver(*(f"{number}/{name}" for name in FILES))
        files += len(FILES)
        lived = run(place, MortalSession(place.connect(), number, after=after))
        for _ in range(3):  # the next polls: one repeats the run that died, one takes what is new, one finds nothing
            run(place, place.session())
        check(place, files)
    assert number > 15


def test_pollers_that_are_killed_and_pollers_that_live_at_once(place: World):
    place.deliver(*(f"p/f/{number}.csv" for number in range(30)))
    gate = threading.Barrier(4)

    def work(dies_at: int) -> None:
        session = MortalSession(place.connect(), dies_at, after=dies_at % 2 == 0)
        session.calls["INGEST"] = ingest
        gate.wait()
        with contextlib.suppress(Killed):
            poll_and_dispatch(session, settings(lease_seconds=3600, batch_size=4, max_attempts=9))

    threads = [threading.Thread(target=work, args=(dies_at,)) for dies_at in (9, 14, 1000, 1001)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place.connection.cursor().execute(
        f"UPDATE {REGISTRY} SET LEASE_UNTIL = DATEADD(HOUR, -1, CURRENT_TIMESTAMP()) WHERE STATUS = 'CLAIMED'"
    )
    while place.rows(f"SELECT COUNT(*) FROM {REGISTRY} WHERE STATUS <> 'DONE'") != [(0,)]:
        assert run(place, place.session())
    for _ in range(2):
        run(place, place.session())
    check(place, 30)
