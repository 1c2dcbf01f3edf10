"""What streams show and when they move. https://docs.snowflake.com/en/user-guide/streams-intro"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine

_SHOWN = "SELECT a, b, METADATA$ACTION AS action, METADATA$ISUPDATE AS updated FROM {0} ORDER BY a, action"


@pytest.fixture
def account() -> Speaker:
    made = speaker(CatalogEngine(data=DuckDataPlane()))
    made.run(
        "CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE t (a INT, b VARCHAR)", "CREATE TABLE sink LIKE t",
        "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')", "CREATE STREAM x ON TABLE t",
    )  # fmt: skip
    return made


def second(account: Speaker) -> Speaker:
    other = speaker(account.engine)
    other.run("USE SCHEMA d.s")
    return other


def changes(account: Speaker, stream: str = "x") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in account.run(_SHOWN.format(stream))]


def actions(account: Speaker, stream: str = "x") -> list[tuple[int, str]]:
    return [(row[0], row[2]) for row in changes(account, stream)]


def has_data(account: Speaker, stream: str = "X") -> bool:
    (value,) = account.one(f"SELECT SYSTEM$STREAM_HAS_DATA('d.s.{stream}')").values()
    return bool(value)


def test_a_stream_shows_the_columns_of_its_source_and_three_more(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (4, 'four')")
    row = account.one("SELECT * FROM x")
    assert list(row) == ["A", "B", "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID"]
    assert (row["A"], row["METADATA$ACTION"], row["METADATA$ISUPDATE"]) == (4, "INSERT", False)
    assert len(row["METADATA$ROW_ID"]) == 40


def test_net_changes(account: Speaker) -> None:
    assert changes(account) == []
    assert has_data(account) is False
    account.run(
        "INSERT INTO t VALUES (4, 'four'), (5, 'five')", "UPDATE t SET b = 'uno' WHERE a = 1",
        "UPDATE t SET b = 'UNO' WHERE a = 1", "DELETE FROM t WHERE a IN (2, 5)", "UPDATE t SET b = 'FOUR' WHERE a = 4",
    )  # fmt: skip
    assert changes(account) == [
        (1, "one", "DELETE", True), (1, "UNO", "INSERT", True), (2, "two", "DELETE", False),
        (4, "FOUR", "INSERT", False),
    ]  # fmt: skip
    assert has_data(account) is True
    ids = {row["A"]: row["METADATA$ROW_ID"] for row in account.run("SELECT * FROM x WHERE METADATA$ACTION = 'INSERT'")}
    assert account.run("SELECT * FROM x WHERE METADATA$ACTION = 'DELETE' AND a = 1")[0]["METADATA$ROW_ID"] == ids[1]


def test_a_row_that_is_updated_and_deleted_is_deleted_with_its_old_values(account: Speaker) -> None:
    account.run("UPDATE t SET b = 'x', a = 9 WHERE a = 1", "DELETE FROM t WHERE a = 9")
    assert changes(account) == [(1, "one", "DELETE", False)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("TRUNCATE TABLE t", [(1, "DELETE"), (2, "DELETE"), (3, "DELETE")]),
        ("DELETE FROM t", [(1, "DELETE"), (2, "DELETE"), (3, "DELETE")]),
        ("INSERT OVERWRITE INTO t SELECT 1, 'new'", [(1, "DELETE"), (1, "INSERT"), (2, "DELETE"), (3, "DELETE")]),
        (
            "MERGE INTO t USING (SELECT column1 k, column2 v FROM VALUES (1, 'd'), (2, 'u'), (8, 'i')) s ON t.a = s.k "
            "WHEN MATCHED AND s.v = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.v "
            "WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.v)",
            [(1, "DELETE"), (2, "DELETE"), (2, "INSERT"), (8, "INSERT")],
        ),
        ("UPDATE t SET b = s.v FROM (SELECT 3 k, 'v' v) s WHERE t.a = s.k", [(3, "DELETE"), (3, "INSERT")]),
    ],
)
def test_every_way_to_change_rows(account: Speaker, change: str, expected: list[tuple[int, str]]) -> None:
    account.run(change)
    assert actions(account) == expected


def test_a_select_never_moves_a_stream_and_every_dml_does(account: Speaker) -> None:
    consumers = (
        "INSERT INTO sink SELECT a, b FROM x",
        "MERGE INTO sink USING (SELECT * FROM x WHERE METADATA$ACTION = 'INSERT') s ON sink.a = s.a "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)",
        "UPDATE sink SET b = 'seen' FROM x WHERE x.a = sink.a",
        "DELETE FROM sink USING x WHERE x.a = sink.a",
        "CREATE TABLE copy AS SELECT a FROM x WHERE 1 = 0",
        "INSERT INTO sink SELECT a, b FROM (WITH w AS (SELECT * FROM x) SELECT * FROM w WHERE FALSE)",
    )
    for number, consumer in enumerate(consumers, 10):
        account.run(f"INSERT INTO t VALUES ({number}, 'n')")
        account.run("SELECT * FROM x", "BEGIN", "SELECT * FROM x", "COMMIT")
        assert actions(account) == [(number, "INSERT")], consumer
        account.run(consumer)
        assert actions(account) == [], consumer
    assert account.one("SHOW STREAMS LIKE 'x'")["stale_after"] > account.one("SHOW STREAMS LIKE 'x'")["created_on"]


def test_consumption_moves_stale_after(account: Speaker) -> None:
    before = account.one("SHOW STREAMS LIKE 'x'")["stale_after"]
    account.run("INSERT INTO sink SELECT a, b FROM x")
    assert account.one("SHOW STREAMS LIKE 'x'")["stale_after"] > before


def test_a_failing_consumer_leaves_the_offset(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (4, 'four')")
    account.refused("INSERT INTO sink SELECT 1 / 0, b FROM x")
    account.refused("CREATE TABLE copy AS SELECT a / 0 AS q FROM x")
    assert actions(account) == [(4, "INSERT")]


def test_in_a_transaction_the_offset_moves_at_its_commit(account: Speaker) -> None:
    other = second(account)
    account.run("INSERT INTO t VALUES (4, 'four')", "BEGIN", "INSERT INTO sink SELECT a, b FROM x")
    assert actions(account) == [(4, "INSERT")]
    assert actions(other) == [(4, "INSERT")]
    account.run("ROLLBACK")
    assert actions(account) == [(4, "INSERT")]
    account.run("BEGIN", "INSERT INTO sink SELECT a, b FROM x", "INSERT INTO t VALUES (5, 'own')")
    other.run("INSERT INTO t VALUES (6, 'foreign')")
    assert actions(account) == [(4, "INSERT")]
    account.run("INSERT INTO sink SELECT a, b FROM x", "COMMIT")
    assert actions(account) == [(5, "INSERT"), (6, "INSERT")]
    assert [row["A"] for row in account.run("SELECT a FROM sink")] == [4, 4]


def test_changes_of_a_transaction_that_commits_late_are_not_lost(account: Speaker) -> None:
    other = second(account)
    other.run("BEGIN", "INSERT INTO t VALUES (50, 'late')", "UPDATE t SET b = 'late' WHERE a = 1")
    account.run("INSERT INTO t VALUES (4, 'four')", "INSERT INTO sink SELECT a, b FROM x")
    assert actions(account) == []
    other.run("COMMIT")
    assert actions(account) == [(1, "DELETE"), (1, "INSERT"), (50, "INSERT")]


def test_changes_that_are_rolled_back_are_not_shown(account: Speaker) -> None:
    account.run("BEGIN", "DELETE FROM t", "INSERT INTO t VALUES (7, 'x')", "ROLLBACK")
    assert has_data(account) is False


def test_a_failed_statement_and_foreign_commits_keep_the_log_right(account: Speaker) -> None:
    other = second(account)
    account.run("BEGIN", "INSERT INTO t VALUES (7, 'x')", "INSERT INTO t VALUES (8, 'y')", "DELETE FROM t WHERE a = 2")
    account.refused("INSERT INTO t SELECT 1 / 0, 'z'")
    other.run("INSERT INTO t VALUES (9, 'foreign')")
    account.run("UPDATE t SET b = 'X' WHERE a = 7")
    account.refused("INSERT INTO t SELECT 1 / 0, 'z'")
    account.run("UPDATE t SET b = 'UNO' WHERE a = 1", "COMMIT")
    assert changes(account) == [
        (1, "one", "DELETE", True), (1, "UNO", "INSERT", True), (2, "two", "DELETE", False), (7, "X", "INSERT", False),
        (8, "y", "INSERT", False), (9, "foreign", "INSERT", False),
    ]  # fmt: skip


def test_two_consumers_never_get_the_same_rows(account: Speaker) -> None:
    other = second(account)
    account.run("INSERT INTO t VALUES (4, 'four')", "BEGIN", "INSERT INTO sink SELECT a, b FROM x")
    other.run("ALTER SESSION SET LOCK_TIMEOUT = 0")
    assert other.refused("INSERT INTO sink SELECT a, b FROM x").errno == 625
    assert other.refused("CREATE TABLE copy AS SELECT a FROM x").errno == 625
    account.run("COMMIT")
    other.run("INSERT INTO sink SELECT a, b FROM x")
    assert account.run("SELECT count(*) AS n FROM sink") == [{"N": 1}]


def test_a_stream_read_first_in_a_transaction_is_locked_for_others(account: Speaker) -> None:
    other = second(account)
    account.run("INSERT INTO t VALUES (4, 'four')", "BEGIN", "SELECT * FROM x")
    other.run("ALTER SESSION SET LOCK_TIMEOUT = 0")
    assert other.refused("INSERT INTO sink SELECT a, b FROM x").errno == 625
    assert actions(other) == [(4, "INSERT")]
    account.run("COMMIT")


def test_streams_on_one_table_are_independent(account: Speaker) -> None:
    account.run("CREATE STREAM y ON TABLE t", "INSERT INTO t VALUES (4, 'four')", "INSERT INTO sink SELECT a, b FROM x")
    assert (actions(account, "x"), actions(account, "y")) == ([], [(4, "INSERT")])
    account.run("DROP STREAM x", "INSERT INTO t VALUES (5, 'five')")
    assert actions(account, "y") == [(4, "INSERT"), (5, "INSERT")]
    account.run(
        "DROP STREAM y", "INSERT INTO t VALUES (6, 'six')", "CREATE STREAM z ON TABLE t", "DELETE FROM t WHERE a = 6"
    )
    assert actions(account, "z") == [(6, "DELETE")]


def test_append_only_shows_inserted_rows_even_when_they_are_gone(account: Speaker) -> None:
    account.run(
        "CREATE STREAM y ON TABLE t APPEND_ONLY = TRUE", "INSERT INTO t VALUES (4, 'four'), (5, 'five')",
        "UPDATE t SET b = 'x' WHERE a IN (1, 4)", "DELETE FROM t WHERE a = 5", "TRUNCATE TABLE t",
    )  # fmt: skip
    assert changes(account, "y") == [(4, "four", "INSERT", False), (5, "five", "INSERT", False)]
    account.run("INSERT INTO sink SELECT a, b FROM y")
    assert has_data(account, "Y") is False


def test_initial_rows_come_first_and_alone(account: Speaker) -> None:
    account.run("CREATE STREAM y ON TABLE t SHOW_INITIAL_ROWS = TRUE", "INSERT INTO t VALUES (4, 'four')",
                "DELETE FROM t WHERE a = 1")  # fmt: skip
    assert actions(account, "y") == [(1, "INSERT"), (2, "INSERT"), (3, "INSERT")]
    account.run("CREATE STREAM z ON TABLE t AT (STREAM => 'y')", "INSERT INTO sink SELECT a, b FROM y")
    assert actions(account, "y") == [(1, "DELETE"), (4, "INSERT")]
    assert actions(account, "z") == [(1, "INSERT"), (2, "INSERT"), (3, "INSERT")]
    account.run("INSERT INTO sink SELECT a, b FROM z")
    assert actions(account, "z") == [(1, "DELETE"), (4, "INSERT")]


def test_a_recreated_stream_can_keep_its_offset(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (4, 'four')", "CREATE OR REPLACE STREAM x ON TABLE t AT (STREAM => 'x')")
    assert actions(account) == [(4, "INSERT")]
    account.run("CREATE OR REPLACE STREAM x ON TABLE t")
    assert actions(account) == []
    assert account.refused("CREATE STREAM w ON TABLE t AT (OFFSET => -60)").errno == 2


def test_a_stream_follows_its_table(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (4, 'four')", "ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (5, 'five')")
    assert actions(account) == [(4, "INSERT"), (5, "INSERT")]
    account.run(
        "ALTER TABLE u SWAP WITH sink", "INSERT INTO sink VALUES (6, 'six')", "INSERT INTO u VALUES (7, 'other')"
    )
    assert actions(account) == [(4, "INSERT"), (5, "INSERT"), (6, "INSERT")]
    account.run("CREATE TABLE c CLONE sink", "INSERT INTO c VALUES (8, 'clone')", "DROP TABLE sink")
    assert "cannot read from stream" in account.refused("SELECT * FROM x").message
    account.run("UNDROP TABLE sink")
    assert actions(account) == [(4, "INSERT"), (5, "INSERT"), (6, "INSERT")]
    account.run("CREATE OR REPLACE TABLE sink (a INT, b VARCHAR)")
    assert account.refused("SELECT * FROM x").errno == 2203


def test_a_stream_outlives_the_rows_of_its_table(account: Speaker) -> None:
    account.run("ALTER TABLE t SET DATA_RETENTION_TIME_IN_DAYS = 0", "DROP TABLE t", "SHOW TABLES", "DROP STREAM x")
    assert account.run("SHOW STREAMS") == []


def test_columns_come_and_go(account: Speaker) -> None:
    account.run(
        "INSERT INTO t VALUES (4, 'four')", "ALTER TABLE t ADD COLUMN c INT", "INSERT INTO t VALUES (5, 'five', 50)"
    )
    rows = account.run("SELECT a, b, c FROM x ORDER BY a")
    assert rows == [{"A": 4, "B": "four", "C": None}, {"A": 5, "B": "five", "C": 50}]
    account.run("ALTER TABLE t RENAME COLUMN c TO e", "ALTER TABLE t DROP COLUMN b",
                "ALTER TABLE t ALTER e SET DATA TYPE NUMBER(38,0)",
                "UPDATE t SET e = 40 WHERE a = 4")  # fmt: skip
    assert account.run("SELECT a, e FROM x ORDER BY a") == [{"A": 4, "E": 40}, {"A": 5, "E": 50}]


def test_a_dropped_schema_brings_its_streams_back(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (4, 'four')", "DROP SCHEMA d.s", "UNDROP SCHEMA d.s", "USE SCHEMA d.s")
    assert actions(account) == [(4, "INSERT")]


def test_streams_survive_a_restart(tmp_path: Path) -> None:
    plane = DuckDataPlane(tmp_path)
    first = speaker(CatalogEngine(tmp_path, plane))
    first.run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE t (a INT, b VARCHAR)", "CREATE TABLE sink LIKE t",
              "INSERT INTO t VALUES (1, 'one')", "CREATE STREAM x ON TABLE t", "CREATE STREAM y ON TABLE t",
              "INSERT INTO t VALUES (2, 'two')", "INSERT INTO sink SELECT a, b FROM y")  # fmt: skip
    plane.close()
    again = DuckDataPlane(tmp_path)
    account = speaker(CatalogEngine(tmp_path, again))
    account.run("USE SCHEMA d.s", "UPDATE t SET b = 'uno' WHERE a = 1", "INSERT INTO t VALUES (3, 'three')")
    updated = [(1, "one", "DELETE", True), (1, "uno", "INSERT", True)]
    assert changes(account, "x") == [*updated, (2, "two", "INSERT", False), (3, "three", "INSERT", False)]
    assert changes(account, "y") == [*updated, (3, "three", "INSERT", False)]
    account.run("INSERT INTO sink SELECT a, b FROM x", "INSERT INTO t VALUES (4, 'four')")
    assert actions(account, "x") == [(4, "INSERT")]
    again.close()


def test_tables_without_streams_have_no_log(account: Speaker) -> None:
    plane = account.engine.account.data
    assert isinstance(plane, DuckDataPlane)
    assert list(plane._storage.logs) == [plane._storage.table(("D", "S", "T")).log]
    account.run("DROP STREAM x")
    assert plane._storage.logs == set()


def test_the_log_forgets_what_no_stream_reads(account: Speaker) -> None:
    plane = account.engine.account.data
    assert isinstance(plane, DuckDataPlane)
    log = plane._storage.table(("D", "S", "T")).log
    account.run("CREATE STREAM y ON TABLE t", "DELETE FROM t", "INSERT INTO sink SELECT a, b FROM x")
    assert plane._storage.scalar(f"SELECT count(*) FROM {log}") == 3
    account.run("INSERT INTO sink SELECT a, b FROM y")
    assert plane._storage.scalar(f"SELECT count(*) FROM {log}") == 0


def test_tracking_does_not_begin_under_an_open_change(account: Speaker) -> None:
    other = second(account)
    other.run("BEGIN", "INSERT INTO sink VALUES (1, 'open')")
    assert account.refused("CREATE STREAM y ON TABLE sink").errno == 625
    other.run("COMMIT")
    account.run("CREATE STREAM y ON TABLE sink")


def test_reading_needs_select_on_the_stream_and_on_its_source(account: Speaker) -> None:
    account.run("CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
                "GRANT USAGE ON SCHEMA d.s TO ROLE r", "GRANT USAGE ON WAREHOUSE compute_wh TO ROLE r",
                "GRANT SELECT ON STREAM x TO ROLE r")  # fmt: skip
    other = speaker(account.engine, "R")
    assert other.refused("SELECT * FROM d.s.x").errno == 3001
    assert other.refused("SELECT SYSTEM$STREAM_HAS_DATA('d.s.x')").errno == 3001
    account.run("GRANT SELECT ON TABLE t TO ROLE r")
    assert other.run("SELECT * FROM d.s.x") == []
    account.run("REVOKE SELECT ON STREAM x FROM ROLE r", "GRANT REFERENCES ON TABLE t TO ROLE r")
    assert other.refused("SELECT * FROM d.s.x").errno in (2003, 3001)


def test_a_view_over_a_stream_consumes_it(account: Speaker) -> None:
    account.run(
        "CREATE VIEW v AS SELECT a, b FROM x WHERE METADATA$ACTION = 'INSERT'", "INSERT INTO t VALUES (4, 'four')"
    )
    assert account.run("SELECT a FROM v") == [{"A": 4}]
    account.run("INSERT INTO sink SELECT a, b FROM v")
    assert has_data(account) is False


# streams on views ------------------------------------------------------------------------------------------------


def test_a_stream_on_a_view_shows_rows_as_the_view_does(account: Speaker) -> None:
    account.run("CREATE VIEW v (k, word) AS SELECT a, upper(b) FROM t WHERE a < 10", "CREATE STREAM y ON VIEW v",
                "INSERT INTO t VALUES (4, 'four'), (40, 'no')", "UPDATE t SET b = 'uno' WHERE a = 1",
                "UPDATE t SET a = 20 WHERE a = 2", "UPDATE t SET a = 5 WHERE a = 40")  # fmt: skip
    rows = account.run("SELECT * EXCLUDE METADATA$ROW_ID FROM y ORDER BY k, METADATA$ACTION")
    assert [tuple(row.values()) for row in rows] == [
        (1, "ONE", "DELETE", True), (1, "UNO", "INSERT", True), (2, "TWO", "DELETE", False),
        (4, "FOUR", "INSERT", False), (5, "NO", "INSERT", False),
    ]  # fmt: skip
    account.run("INSERT INTO sink SELECT k, word FROM y")
    assert has_data(account, "Y") is False


def test_a_star_in_a_view_is_the_tables_columns(account: Speaker) -> None:
    account.run("CREATE VIEW v AS SELECT * FROM d.s.t AS q WHERE q.a > 1", "CREATE STREAM y ON VIEW v", "DELETE FROM t")
    assert actions(account, "y") == [(2, "DELETE"), (3, "DELETE")]


@pytest.mark.parametrize(
    "query",
    ["SELECT t.a FROM t JOIN sink ON t.a = sink.a", "SELECT a FROM t UNION ALL SELECT a FROM sink",
     "SELECT a FROM t GROUP BY a", "SELECT a FROM (SELECT a FROM t)", "SELECT a FROM t LIMIT 1"],
)  # fmt: skip
def test_a_stream_on_another_view_is_there_and_not_readable(account: Speaker, query: str) -> None:
    account.run(f"CREATE VIEW v AS {query}", "CREATE STREAM y ON VIEW v")
    assert "a stream on a view" in account.refused("SELECT * FROM y").message


# streams on stages -----------------------------------------------------------------------------------------------


def refresh(account: Speaker, *entries: tuple[str, str, str]) -> None:
    """What ALTER STAGE … REFRESH writes down: one version, with (action, path, ETag)."""
    catalog = account.engine.account.catalog
    (stage,) = [item for item in catalog.objects.values() if item.kind == "stage"]
    version = stage.state["directory_version"] = stage.state.get("directory_version", 0) + 1
    for action, path, etag in entries:
        row = {"size": len(path), "last_modified": "2024-05-06T07:08:09.123+00:00", "md5": etag, "etag": etag}
        stage.state.setdefault("directory_log", []).append([version, action, path, row])


@pytest.fixture
def staged(account: Speaker) -> Speaker:
    account.run("CREATE STAGE inbox DIRECTORY = (ENABLE = TRUE)")
    refresh(account, ("INSERT", "old.csv", "e0"))
    account.run("CREATE STREAM f ON STAGE inbox")
    return account


def files(account: Speaker) -> list[tuple[Any, ...]]:
    rows = account.run("SELECT relative_path, etag, METADATA$ACTION AS x FROM f ORDER BY relative_path, x")
    return [tuple(row.values()) for row in rows]


def test_a_stream_on_a_stage_shows_its_directory_tables_net_changes(staged: Speaker) -> None:
    assert files(staged) == []
    refresh(staged, ("INSERT", "a b/é.csv", "e1"), ("INSERT", "gone.csv", "e2"))
    refresh(staged, ("DELETE", "gone.csv", "e2"), ("DELETE", "old.csv", "e0"), ("INSERT", "old.csv", "e3"))
    assert files(staged) == [("a b/é.csv", "e1", "INSERT"), ("old.csv", "e0", "DELETE"), ("old.csv", "e3", "INSERT")]
    row = staged.one("SELECT * FROM f WHERE relative_path LIKE 'a%'")
    assert list(row) == ["RELATIVE_PATH", "SIZE", "LAST_MODIFIED", "MD5", "ETAG", "FILE_URL", "METADATA$ACTION",
                         "METADATA$ISUPDATE", "METADATA$ROW_ID"]  # fmt: skip
    assert row["LAST_MODIFIED"].isoformat() == "2024-05-06T07:08:09.123000+00:00"
    assert row["FILE_URL"].endswith("/api/files/D/S/INBOX/a%20b/%C3%A9.csv")
    assert has_data(staged, "F") is True


def test_a_stream_on_a_stage_moves_when_it_is_consumed(staged: Speaker) -> None:
    refresh(staged, ("INSERT", "one.csv", "e1"))
    staged.run("BEGIN", "INSERT INTO sink SELECT size, relative_path FROM f")
    refresh(staged, ("INSERT", "two.csv", "e2"))
    assert files(staged) == [("one.csv", "e1", "INSERT")]
    staged.run("ROLLBACK")
    assert len(files(staged)) == 2
    staged.run("INSERT INTO sink SELECT size, relative_path FROM f WHERE METADATA$ACTION = 'INSERT'")
    assert (files(staged), has_data(staged, "F")) == ([], False)
    refresh(staged, ("INSERT", "three.csv", "e3"))
    assert files(staged) == [("three.csv", "e3", "INSERT")]


def test_a_stream_on_a_stage_with_many_files(staged: Speaker) -> None:
    refresh(staged, *(("INSERT", f"f{number}.csv", f"e{number}") for number in range(1200)))
    assert len(files(staged)) == 1200
    assert has_data(staged, "F") is True
    staged.run("BEGIN", "INSERT INTO sink SELECT size, relative_path FROM f")
    staged.refused("INSERT INTO sink SELECT 1 / 0, relative_path FROM f")
    staged.run("COMMIT")
    assert staged.run("SELECT count(*) AS n FROM sink") == [{"N": 1200}]
    assert files(staged) == []
    plane = staged.engine.account.data
    assert isinstance(plane, DuckDataPlane)
    assert list(plane._storage.scratch_file().parent.glob("*")) == []


def test_a_procedures_ddl_does_not_commit_its_callers_transaction(account: Speaker) -> None:
    plane = account.engine.account.data
    assert isinstance(plane, DuckDataPlane)
    account.run("BEGIN", "INSERT INTO t VALUES (4, 'four')")
    with plane.enter_scope(account.session):
        account.run("ALTER SESSION SET QUERY_TAG = 'inner'")
        for refused in ("CREATE TABLE other (a INT)", "COMMIT"):
            assert "different scope" in account.refused(refused).message
    account.run("ROLLBACK")
    assert actions(account) == []
