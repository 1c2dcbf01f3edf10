"""The SQL that dispatchers of files are written in: claims, registries, JSON, binds inside everything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from data_account import Account
from pinky_local.types import Bind


@pytest.fixture
def account() -> Account:
    made = Account()
    made.table("R", ("P", "VARCHAR"), ("SIZE", "NUMBER(38,0)"), ("STATUS", "VARCHAR"), ("RUN", "VARCHAR"),
               ("ATTEMPTS", "NUMBER(38,0)"), ("SEEN", "TIMESTAMP_TZ"), ("LEASE", "TIMESTAMP_TZ"), ("INFO", "VARIANT"),
               ("FILES", "ARRAY"))  # fmt: skip
    made.query(
        "INSERT INTO r (p, size, status, attempts, seen, info) SELECT 'a/b' || seq4() || '.csv', seq4(), 'NEW', 0, "
        "DATEADD(SECOND, seq4(), '2024-01-02 23:30:00 +02:00'::TIMESTAMP_TZ), PARSE_JSON('{\"k\": [1]}') "
        "FROM TABLE(GENERATOR(ROWCOUNT => 6))"
    )
    return made


EXPRESSIONS: list[tuple[str, Any]] = [
    ("regexp_substr('a1b2', '[0-9]', 1, 2)", "2"),
    ("regexp_substr('a1b2', '[0-9]', 3)", "2"),
    ("regexp_substr('Abc', 'a', 1, 1, 'i')", "A"),
    ("regexp_substr('in/out', '([a-z]+)/([a-z]+)', 1, 1, 'e', 2)", "out"),
    ("regexp_substr('in/out', '([a-z]+)/', 1, 1, 'e')", "in"),
    ("regexp_substr('abc', '[0-9]')", None),
    ("regexp_like('ABC', 'a.*', 'i')", True),
    ("sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ("array_size(array_cat(array_construct(1), array_construct(2, 3)))", 3),
    ("array_to_string(array_append(array_construct(1), 'x'), ',')", "1,x"),
    ("array_to_string(array_slice(array_construct(1, 2, 3), 1, 3), ',')", "2,3"),
    ("array_to_string(array_slice(array_construct(1, 2, 3), 0, -1), ',')", "1,2"),
    ("array_to_string(array_distinct(array_construct(2, 1, 2)), ',')", "2,1"),
    ("array_size(array_compact(parse_json('[1, null]')))", 1),
    ("datediff(second, '2024-01-01 00:00:00 +00:00'::timestamp_tz, '2024-01-01 03:00:05 +02:00'::timestamp_tz)", 3605),
    ("datediff(hour, '2024-01-01 00:00:00 +00:00'::timestamp_tz, '2024-01-01 03:00:05 +02:00'::timestamp_ltz)", 1),
    ("date_trunc(day, '2024-01-02 00:30:00 +02:00'::timestamp_tz)::varchar", "2024-01-02 00:00:00.000 +0200"),
    ("greatest('2024-01-02 00:30:00 +02:00'::timestamp_tz, '2024-01-01 23:00:00 +00:00'::timestamp_tz)::varchar",
     "2024-01-01 23:00:00.000 +0000"),
    ("(1, 'a') in (select 1, 'a' union all select 2, null)", True),
    ("(2, 'a') in (select 1, 'a' union all select 2, null)", None),
    ("(3, 'a') in (select 1, 'a' union all select 2, null)", False),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS)
def test_expressions(account: Account, expression: str, expected: Any) -> None:
    assert account.one(expression) == expected


def test_objects_with_and_without_nulls(account: Account) -> None:
    made = account.one("object_construct_keep_null('a', 1, 'b', NULL, NULL, 2)")
    assert json.loads(made) == {"a": 1, "b": None}
    made = account.one("object_construct('a', 1, 'b', NULL, 'c', parse_json('null'))")
    assert json.loads(made) == {"a": 1, "c": None}


def test_percentiles_and_shares(account: Account) -> None:
    shown = account.rows(
        "SELECT MEDIAN(size), APPROX_PERCENTILE(size, 0.5), PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY size), "
        "PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY size DESC), PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY size), "
        "APPROX_COUNT_DISTINCT(status) FROM r"
    )
    assert [float(one) for one in shown[0]] == [2.5, 2.5, 1.25, 3.75, 2.0, 1.0]
    shares = account.rows("SELECT RATIO_TO_REPORT(size) OVER (PARTITION BY status) FROM r WHERE size > 3 ORDER BY size")
    assert [round(float(share), 4) for (share,) in shares] == [0.4444, 0.5556]
    grouped = account.rows("SELECT status, RATIO_TO_REPORT(COUNT(*)) OVER () FROM r GROUP BY ALL")
    assert [(status, float(share)) for status, share in grouped] == [("NEW", 1.0)]


def test_binds_keep_the_order_they_are_written_in(account: Account) -> None:
    claim = (
        "UPDATE r SET status = ?, run = ?, attempts = attempts + ?, lease = DATEADD(SECOND, ?, CURRENT_TIMESTAMP()) "
        "FROM (SELECT p FROM r WHERE status = ? ORDER BY seen LIMIT 2) c WHERE r.p = c.p AND r.status <> ?"
    )
    binds = [Bind("TEXT", "CLAIMED"), Bind("TEXT", "run"), Bind("FIXED", "1"), Bind("FIXED", "60"), Bind("TEXT", "NEW"),
             Bind("TEXT", "DONE")]  # fmt: skip
    assert account.rows(claim, *binds) == [(2, 0)]
    assert account.rows("SELECT p, run, attempts FROM r WHERE status = 'CLAIMED' ORDER BY p") == [
        ("a/b0.csv", "run", 1), ("a/b1.csv", "run", 1),
    ]  # fmt: skip
    chosen = "SELECT ? AS a, x FROM (SELECT ? AS x) WHERE x = ? -- ?"
    assert account.rows(chosen, *(Bind("TEXT", one) for one in ("first", "second", "second"))) == [("first", "second")]
    assert account.query("SELECT ?", Bind("TEXT", "x")).columns[0].name == "?"


def test_binds_of_every_type_with_casts(account: Account) -> None:
    zone = timezone(timedelta(0))
    values = account.rows(
        "SELECT ?::NUMBER(10,2), ?::TIMESTAMP_TZ, OBJECT_CONSTRUCT('b', ?::BOOLEAN, 'd', ?, 't', TO_VARIANT(?)), "
        "ARRAY_CONTAINS(?::VARIANT, PARSE_JSON(?)), ?",
        Bind("TEXT", "1.25"), Bind("TIMESTAMP_TZ", "1700000000000000000 1440"), Bind("BOOLEAN", "true"),
        Bind("DATE", "1700000000000"), Bind("TEXT", "x"), Bind("TEXT", "y"), Bind("TEXT", '["y"]'), Bind("TEXT", None),
    )[0]  # fmt: skip
    assert (float(values[0]), values[1]) == (1.25, datetime(2023, 11, 14, 22, 13, 20, tzinfo=zone))
    assert json.loads(values[2]) == {"b": True, "d": "2023-11-14", "t": "x"}
    assert values[3:] == (True, None)


def test_rows_from_a_bound_json_text(account: Account) -> None:
    merge = (
        "MERGE INTO r USING (SELECT f.value:p::VARCHAR AS p, f.value:s::NUMBER AS s FROM TABLE(FLATTEN(INPUT => "
        "PARSE_JSON(?))) f) s ON r.p = s.p AND r.status <> ? WHEN MATCHED AND s.s = 0 THEN DELETE WHEN MATCHED THEN "
        "UPDATE SET size = s.s, info = OBJECT_CONSTRUCT('k', s.s) WHEN NOT MATCHED THEN INSERT (p, size, status) "
        "VALUES (s.p, s.s, ?)"
    )
    given = '[{"p": "a/b1.csv", "s": 7}, {"p": "a/b2.csv", "s": 0}, {"p": "new", "s": 8}]'
    result = account.query(merge, Bind("TEXT", given), Bind("TEXT", "DONE"), Bind("TEXT", "FOUND"))
    assert [tuple(row) for row in result.rows] == [(1, 1, 1)]
    assert account.rows("SELECT p, size, status, info:k::INT FROM r WHERE size > 5 ORDER BY size") == [
        ("a/b1.csv", 7, "NEW", 7), ("new", 8, "FOUND", None),
    ]  # fmt: skip
    account.query("INSERT INTO r (p, info, files) SELECT ?, PARSE_JSON(?), ARRAY_CONSTRUCT(?)",
                  Bind("TEXT", "z"), Bind("TEXT", "[1]"), Bind("TEXT", "f"))  # fmt: skip
    assert account.rows("SELECT info[0]::INT, files[0]::VARCHAR FROM r WHERE p = 'z'") == [(1, "f")]


def test_many_rows_bound_at_once(account: Account) -> None:
    names, sizes = Bind("TEXT", ["x", "y"]), Bind("FIXED", ["1", "2"])
    account.query("INSERT INTO r (p, size, status) VALUES (?, ?, 'NEW')", names, sizes)
    assert account.rows("SELECT p, size FROM r WHERE p IN ('x', 'y') ORDER BY p") == [("x", 1), ("y", 2)]
