"""Streams of the catalog engine, against create-stream, alter-stream and show-streams."""

from __future__ import annotations

from typing import Any

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine


@pytest.fixture
def account() -> Speaker:
    made = in_schema()
    made.run("CREATE TABLE t (a INT)", "CREATE STAGE inbox DIRECTORY = (ENABLE = TRUE)")
    return made


def stream(account: Speaker) -> dict[str, Any]:
    return account.one("SHOW STREAMS LIKE 'x'")


def test_a_stream_on_a_table(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t COMMENT = 'changes'")
    shown = stream(account)
    assert list(shown) == [
        "created_on", "name", "database_name", "schema_name", "owner", "comment", "table_name", "source_type",
        "base_tables", "type", "stale", "mode", "stale_after", "invalid_reason", "owner_role_type",
    ]  # fmt: skip
    assert (shown["table_name"], shown["source_type"], shown["base_tables"]) == ("D.S.T", "Table", "D.S.T")
    assert (shown["type"], shown["mode"]) == ("DELTA", "DEFAULT")
    assert (shown["stale"], shown["invalid_reason"]) == ("false", "N/A")
    assert shown["comment"] == "changes"
    assert shown["stale_after"] > shown["created_on"]
    assert account.one("DESC STREAM x") == shown
    assert account.one("SHOW TABLES LIKE 't'")["change_tracking"] == "ON"


def test_an_append_only_stream(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE")
    assert stream(account)["mode"] == "APPEND_ONLY"


def test_a_stream_on_a_stage_needs_its_directory(account: Speaker) -> None:
    account.run("CREATE STREAM x ON STAGE inbox", "CREATE STAGE plain")
    shown = stream(account)
    assert (shown["table_name"], shown["source_type"], shown["base_tables"]) == ("D.S.INBOX", "Stage", "D.S.INBOX")
    assert "directory" in account.refused("CREATE STREAM y ON STAGE plain").message
    assert account.refused("CREATE STREAM y ON STAGE inbox APPEND_ONLY = TRUE").errno != 0


def test_a_stream_on_a_dropped_or_recreated_table_is_stale(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t", "DROP TABLE t")
    assert stream(account)["stale"] == "true"
    assert "No privilege or table dropped" in stream(account)["table_name"]
    account.run("UNDROP TABLE t")
    assert (stream(account)["stale"], stream(account)["table_name"]) == ("false", "D.S.T")
    account.run("CREATE OR REPLACE TABLE t (a INT)")
    assert stream(account)["stale"] == "true"
    account.run("CREATE OR REPLACE STREAM x ON TABLE t")
    assert stream(account)["stale"] == "false"


def test_a_stream_follows_a_renamed_table(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t", "ALTER TABLE t RENAME TO u")
    assert (stream(account)["table_name"], stream(account)["stale"]) == ("D.S.U", "false")


def test_only_the_comment_changes(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t", "ALTER STREAM x SET COMMENT = 'c'")
    assert stream(account)["comment"] == "c"
    account.run("ALTER STREAM x UNSET COMMENT")
    assert stream(account)["comment"] == ""
    assert account.refused("ALTER STREAM x SET APPEND_ONLY = TRUE").errno == 1420
    assert account.refused("ALTER STREAM x RENAME TO y").errno == 1003


def test_create_or_alter_takes_a_comment_and_refuses_the_rest(account: Speaker) -> None:
    account.run("CREATE TABLE u (a INT)", "CREATE STREAM x ON TABLE t COMMENT = 'c'")
    account.run("CREATE OR ALTER STREAM x ON TABLE t")
    assert stream(account)["comment"] == ""
    assert account.refused("CREATE OR ALTER STREAM x ON TABLE u").errno == 2
    assert account.refused("CREATE OR ALTER STREAM x ON TABLE t APPEND_ONLY = TRUE").errno == 2
    account.run("CREATE OR ALTER STREAM x ON TABLE t COMMENT = 'd'")
    assert (stream(account)["comment"], stream(account)["table_name"]) == ("d", "D.S.T")


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE STREAM x ON TABLE nothing", 2003),
        ("CREATE STREAM x", 1003),
        ("CREATE STREAM x ON SEQUENCE t", 1003),
        ("CREATE STREAM x ON TABLE t INSERT_ONLY = TRUE", 2203),
        ("CREATE STREAM x ON TABLE t SPEED = 1", 1420),
        ("CREATE STREAM x ON TABLE t AT (STREAM => 'nothing')", 2003),
        ("CREATE STREAM x ON DYNAMIC TABLE t", 2),
        ("CREATE STREAM t ON TABLE t", 1998),
    ],
)
def test_what_is_wrong_is_refused(account: Speaker, sql: str, errno: int) -> None:
    assert account.refused(sql).errno == errno
    assert account.run("SHOW STREAMS") == []


def test_the_offset_of_another_stream_can_be_kept(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t")
    account.run("CREATE OR REPLACE STREAM x ON TABLE t AT (STREAM => 'x') COMMENT = 'same'")
    assert stream(account)["comment"] == "same"


def test_the_first_stream_on_a_table_is_its_owners(account: Speaker) -> None:
    account.run(
        "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT USAGE, CREATE STREAM ON SCHEMA d.s TO ROLE r", "GRANT REFERENCES ON TABLE t TO ROLE r",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    assert other.refused("CREATE STREAM d.s.x ON TABLE d.s.t").errno == 3001
    account.run("GRANT SELECT ON TABLE t TO ROLE r")
    assert other.refused("CREATE STREAM d.s.x ON TABLE d.s.t").errno == 3001
    account.run("ALTER TABLE t SET CHANGE_TRACKING = TRUE")
    other.run("CREATE STREAM d.s.x ON TABLE d.s.t")
    assert other.one("SHOW STREAMS IN SCHEMA d.s")["owner"] == "R"


def test_terse_columns_have_names_of_their_own(account: Speaker) -> None:
    account.run("CREATE STREAM x ON TABLE t")
    row = account.one("SHOW TERSE STREAMS")
    assert list(row) == ["created_on", "name", "kind", "database_name", "schema_name", "tableOn"]
    assert (row["kind"], row["tableOn"]) == ("DELTA", "D.S.T")


def test_a_stream_on_a_view_shows_the_tables_below_it() -> None:
    account = speaker(CatalogEngine(data=DuckDataPlane()))
    account.run(
        "CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE one (a INT)", "CREATE TABLE two (a INT)",
        "CREATE VIEW low AS SELECT a FROM one", "CREATE VIEW high AS SELECT low.a FROM low JOIN two ON low.a = two.a",
        "CREATE STREAM x ON VIEW high",
    )  # fmt: skip
    shown = stream(account)
    assert (shown["table_name"], shown["source_type"]) == ("D.S.HIGH", "View")
    assert sorted(shown["base_tables"].split(",")) == ["D.S.ONE", "D.S.TWO"]
    account.run("ALTER TABLE two RENAME TO other")
    assert "D.S.OTHER" in stream(account)["base_tables"]


def test_time_travel_is_refused_by_name() -> None:
    account = speaker(CatalogEngine(data=DuckDataPlane()))
    account.run("CREATE DATABASE d", "CREATE TABLE t (a INT)")
    travel = account.refused("SELECT * FROM t AT (OFFSET => -60)")
    assert (travel.errno, "Time Travel" in travel.message) == (2, True)
