"""Streams against a model: what a consumer applies to a copy makes the copy equal to the table."""

from __future__ import annotations

import random

import pytest
from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine
from pinky_local.types import SqlError

_APPLY = (
    "MERGE INTO copy USING (SELECT * FROM x WHERE METADATA$ACTION = 'INSERT' OR NOT METADATA$ISUPDATE) s "
    "ON copy.a = s.a "
    "WHEN MATCHED AND s.METADATA$ACTION = 'DELETE' THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.b "
    "WHEN NOT MATCHED AND s.METADATA$ACTION = 'INSERT' THEN INSERT VALUES (s.a, s.b)"
)


def _change(chance: random.Random, fresh: list[int]) -> str:
    kind = chance.choice(["insert", "insert", "update", "delete", "merge", "fail"])
    low = chance.randrange(30)
    if kind == "insert":
        rows = [fresh.pop() for _ in range(chance.randrange(1, 4))]
        return "INSERT INTO t VALUES " + ", ".join(f"({row}, 'i{chance.randrange(9)}')" for row in rows)
    if kind == "update":
        return f"UPDATE t SET b = b || '{chance.randrange(9)}' WHERE a % 30 BETWEEN {low} AND {low + 4}"
    if kind == "delete":
        return f"DELETE FROM t WHERE a % 30 BETWEEN {low} AND {low + 2}"
    if kind == "merge":
        source = f"SELECT {fresh.pop()} k UNION ALL SELECT a FROM t WHERE a % 30 = {low}"
        return (
            f"MERGE INTO t USING ({source}) s ON t.a = s.k "
            "WHEN MATCHED THEN UPDATE SET b = 'm' WHEN NOT MATCHED THEN INSERT VALUES (s.k, 'n')"
        )
    return "UPDATE t SET b = 1 / 0"


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_that_consumes_the_stream_equals_the_table(seed: int) -> None:
    chance = random.Random(seed)
    fresh = list(range(1000, 0, -1))
    first = speaker(CatalogEngine(data=DuckDataPlane()))
    first.run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE t (a INT, b VARCHAR)", "CREATE TABLE copy LIKE t",
              "CREATE STREAM x ON TABLE t")  # fmt: skip
    sessions = [first, speaker(first.engine), speaker(first.engine)]
    for session in sessions:
        session.run("USE SCHEMA d.s", "ALTER SESSION SET LOCK_TIMEOUT = 0")
    for _ in range(60):
        session = chance.choice(sessions)
        text = chance.choice([_APPLY, "BEGIN", "COMMIT", "ROLLBACK", *(_change(chance, fresh) for _ in range(5))])
        _attempt(session, text)
    for session in sessions:
        session.run("COMMIT")
    first.run(_APPLY)
    assert first.run("SELECT a, b FROM copy ORDER BY a") == first.run("SELECT a, b FROM t ORDER BY a")
    assert first.run("SELECT * FROM x") == []


def _attempt(session: Speaker, text: str) -> None:
    try:
        session.run(text)
    except SqlError as error:
        if error.errno not in (625, 100051):
            raise
