"""What belongs to one session: temporary objects, running statements; and the end of Time Travel."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine


@pytest.fixture
def account() -> Speaker:
    made = speaker(CatalogEngine(data=DuckDataPlane()))
    made.run("CREATE DATABASE d", "CREATE SCHEMA s", "USE WAREHOUSE compute_wh")
    return made


def beside(account: Speaker) -> Speaker:
    """Another session of the same user in the same schema."""
    other = speaker(account.engine)
    other.run("USE SCHEMA d.s")
    return other


def test_a_temporary_table_is_private_to_its_session(account: Speaker) -> None:
    other = beside(account)
    account.run("CREATE TEMPORARY TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    assert account.one("SHOW TABLES")["kind"] == "TEMPORARY"
    assert account.one("SELECT count(*) AS n FROM t") == {"N": 1}
    assert other.run("SHOW TABLES") == []
    assert other.refused("SELECT * FROM t").errno == 2003
    assert other.refused("DROP TABLE t").errno == 2003
    assert other.run("SELECT table_name FROM information_schema.tables WHERE table_schema = 'S'") == []
    assert other.run("SHOW PRIMARY KEYS IN SCHEMA d.s") == []


def test_temporary_objects_end_with_their_session(account: Speaker) -> None:
    account.run("CREATE TABLE lasting (a INT)", "CREATE TEMPORARY STAGE st", "CREATE TEMPORARY TABLE t (a INT)")
    account.run("CREATE OR REPLACE TEMPORARY TABLE t (b INT)")
    account.engine.logout(account.session)
    other = beside(account)
    assert [row["name"] for row in other.run("SHOW TABLES")] == ["LASTING"]
    assert other.run("SHOW STAGES") == []
    assert other.refused("UNDROP TABLE t").errno == 2003
    other.run("CREATE TABLE t (c INT)")
    assert other.one("SELECT count(*) AS n FROM t") == {"N": 0}


def test_anybody_may_have_temporary_tables_but_not_beside_another_table(account: Speaker) -> None:
    account.run("CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r")
    account.run("GRANT USAGE ON SCHEMA d.s TO ROLE r")
    reader = speaker(account.engine, "R")
    assert reader.refused("CREATE TABLE d.s.t (a INT)").errno == 3001
    reader.run("CREATE TEMPORARY TABLE d.s.t (a INT)")
    assert "temporary" in account.refused("CREATE TABLE t (a INT)").message
    account.run("CREATE TABLE u (a INT)")
    assert "temporary" in account.refused("CREATE OR REPLACE TEMPORARY TABLE u (a INT)").message


def test_temporary_objects_do_not_outlive_the_process(tmp_path: Path) -> None:
    account = speaker(CatalogEngine(tmp_path))
    account.run("CREATE DATABASE d", "CREATE TEMPORARY TABLE t (a INT)", "GRANT SELECT ON TABLE t TO ROLE public")
    again = speaker(CatalogEngine(tmp_path))
    assert again.run("SHOW TABLES IN DATABASE d") == []
    again.run("CREATE TABLE d.public.t (a INT)")


# statements of other sessions ------------------------------------------------------------------------------------


@dataclass
class Running:
    """A statement that somebody waits for."""

    query_id: str
    session_id: int
    user: str = "PINKY"
    warehouse: str | None = "COMPUTE_WH"
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> bool:
        self.cancelled.set()
        return True


def test_a_statement_is_cancelled_by_its_id(account: Speaker) -> None:
    one, other = Running("q-1", 71), Running("q-2", 71)
    account.engine.attach_running(lambda: [one, other])
    assert account.one("SELECT SYSTEM$CANCEL_QUERY('q-1') AS a") == {"A": "query [q-1] terminated."}
    assert (one.cancelled.is_set(), other.cancelled.is_set()) == (True, False)
    assert "not currently executing" in account.one("SELECT SYSTEM$CANCEL_QUERY('nosuch') AS a")["A"]


def test_all_statements_of_a_session_are_cancelled_but_the_one_that_asks(account: Speaker) -> None:
    mine = Running("me", account.session.session_id, cancelled=account.session.cancelled)
    runs = [Running("q-1", 71), Running("q-2", 71), Running("q-3", 72), mine]
    account.engine.attach_running(lambda: runs)
    assert account.one("SELECT SYSTEM$CANCEL_ALL_QUERIES(71) AS a") == {"A": "2 cancelled."}
    assert account.one(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({mine.session_id}) AS a") == {"A": "0 cancelled."}
    assert [run.cancelled.is_set() for run in runs] == [True, True, False, False]
    assert account.refused("SELECT SYSTEM$CANCEL_ALL_QUERIES()").errno == 938


def test_the_statements_of_others_need_a_privilege(account: Speaker) -> None:
    foreign = Running("q-1", 71, user="BOB")
    account.engine.attach_running(lambda: [foreign])
    account.run("CREATE ROLE r", "GRANT ROLE r TO USER pinky", "CREATE USER bob")
    weak = speaker(account.engine, "R")
    assert weak.refused("SELECT SYSTEM$CANCEL_QUERY('q-1')").errno == 3001
    account.run("GRANT OPERATE ON WAREHOUSE compute_wh TO ROLE r")
    weak.run("SELECT SYSTEM$CANCEL_QUERY('q-1')")
    assert foreign.cancelled.is_set()


@pytest.mark.parametrize(
    "statement", ["ALTER WAREHOUSE compute_wh ABORT ALL QUERIES", "ALTER USER bob ABORT ALL QUERIES"]
)
def test_all_statements_of_a_warehouse_or_user_are_aborted(account: Speaker, statement: str) -> None:
    account.run("CREATE USER bob")
    hit, spared = Running("q-1", 71, user="BOB"), Running("q-2", 72, user="ANN", warehouse="OTHER")
    account.engine.attach_running(lambda: [hit, spared])
    account.run(statement)
    assert (hit.cancelled.is_set(), spared.cancelled.is_set()) == (True, False)


# Time Travel -----------------------------------------------------------------------------------------------------


def test_a_dropped_table_is_purged_when_its_retention_ends(account: Speaker) -> None:
    account.run("CREATE TABLE t (a INT) DATA_RETENTION_TIME_IN_DAYS = 2", "INSERT INTO t VALUES (7)", "DROP TABLE t")
    now = account.engine.account.now
    account.engine.account.now = lambda: now() + timedelta(days=1)  # type: ignore[method-assign]  # a clock to turn
    account.run("UNDROP TABLE t", "DROP TABLE t")
    assert held(account) == 1
    account.engine.account.now = lambda: now() + timedelta(days=3, seconds=1)  # type: ignore[method-assign]  # as above
    assert "purged" in account.refused("UNDROP TABLE t").message
    assert held(account) == 0


def held(account: Speaker) -> int:
    """Dropped tables whose rows the data plane still keeps."""
    return len(account.engine.account.data._storage._dropped)  # type: ignore[union-attr]  # nothing public counts them


def test_no_retention_means_no_undrop(account: Speaker) -> None:
    account.run("CREATE TABLE t (a INT) DATA_RETENTION_TIME_IN_DAYS = 0", "CREATE OR REPLACE TABLE t (b INT)")
    account.run("ALTER TABLE t SET DATA_RETENTION_TIME_IN_DAYS = 0", "DROP TABLE t")
    assert account.refused("UNDROP TABLE t").errno == 2003
    assert held(account) == 0


def test_rows_of_what_is_gone_do_not_outlive_the_process(tmp_path: Path) -> None:
    plane = DuckDataPlane(tmp_path)
    account = speaker(CatalogEngine(tmp_path, plane))
    account.run("CREATE DATABASE d", "CREATE TABLE kept (a INT)", "INSERT INTO kept VALUES (1), (2)")
    account.run("CREATE TEMPORARY TABLE t (a INT)", "CREATE TABLE gone (a INT)", "DROP TABLE gone")
    plane.close()
    again = speaker(CatalogEngine(tmp_path, DuckDataPlane(tmp_path)))
    assert held(again) == 0
    again.run("CREATE TABLE d.public.t (b INT)", "CREATE TABLE d.public.gone (b INT)")
    assert again.one("SELECT count(*) AS n FROM d.public.kept") == {"N": 2}
    again.engine.account.data.close()  # type: ignore[union-attr]  # the data plane was given above


@pytest.mark.parametrize("words", ["LOCKS", "TRANSACTIONS", "LOCKS IN ACCOUNT"])
def test_locks_and_transactions_are_not_shown(account: Speaker, words: str) -> None:
    error = account.refused(f"SHOW {words}")
    assert (error.errno, words.split()[0] in error.message) == (2, True)
