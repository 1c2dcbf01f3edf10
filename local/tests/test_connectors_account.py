"""The whole local account (wire, catalog, rows) through the installed Snowflake clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import Action, DropAfter, DropBefore, ExpireToken, Latency, Status

connector = pytest.importorskip("snowflake.connector")
pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as account:
        yield account
        assert account.internal_errors == []


@pytest.fixture
def cursor(account: LocalAccount) -> Iterator[Any]:
    connection = account.connect(role="ACCOUNTADMIN", warehouse="COMPUTE_WH")
    yield connection.cursor()
    connection.close()


def test_objects_and_rows(cursor: Any) -> None:
    cursor.execute("create database d")
    cursor.execute("create table d.public.t (id int, price number(10, 2), name varchar(20))")
    assert cursor.execute("insert into d.public.t values (1, 1.5, 'a'), (2, null, 'é')").rowcount == 2
    rows = cursor.execute("select * from d.public.t order by id").fetchall()
    assert rows == [(1, Decimal("1.50"), "a"), (2, None, "é")]
    cursor.execute("show tables in schema d.public")
    names = [column.name for column in cursor.description]
    assert [dict(zip(names, row, strict=True))["name"] for row in cursor.fetchall()] == ["T"]


def test_an_error_has_snowflakes_number(cursor: Any) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        cursor.execute("drop database nowhere")
    assert (caught.value.errno, caught.value.sqlstate) == (2003, "02000")


def test_the_connection_follows_use(cursor: Any) -> None:
    connection = cursor.connection
    assert (connection.role, connection.warehouse, connection.database) == ("ACCOUNTADMIN", "COMPUTE_WH", None)
    cursor.execute("create database d")
    cursor.execute("create schema d.s")
    cursor.execute("use role sysadmin")
    assert (connection.role, connection.database, connection.schema) == ("SYSADMIN", "D", "S")


def test_bound_rows(account: LocalAccount) -> None:
    connection = account.connect(paramstyle="qmark", warehouse="COMPUTE_WH")
    cursor = connection.cursor()
    cursor.execute("create database d")
    cursor.execute("create table d.public.t (id int, name varchar)")
    cursor.execute("insert into d.public.t values (?, ?)", (1, "one"))
    assert cursor.execute("select name from d.public.t where id = ?", (1,)).fetchall() == [("one",)]
    connection.close()


def test_asynchronous_results_are_found_again(cursor: Any) -> None:
    cursor.execute("create database d")
    cursor.execute("create table d.public.t (id int)")
    cursor.execute("insert into d.public.t values (7)")
    cursor.execute_async("select id from d.public.t")
    cursor.get_results_from_sfqid(cursor.sfqid)
    assert cursor.fetchall() == [(7,)]


def test_the_statement_timeout_interrupts_a_query(cursor: Any) -> None:
    cursor.execute("create database d")
    cursor.execute("create table d.public.t (id int)")
    cursor.executemany("insert into d.public.t values (%s)", [(number,) for number in range(200)])
    cursor.execute("alter session set statement_timeout_in_seconds = 1")
    started = time.monotonic()
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        cursor.execute(
            "select count(*) from d.public.t a, d.public.t b, d.public.t c, d.public.t d, d.public.t e "
            "where mod(a.id * b.id + c.id * d.id + e.id, 1009) = 1008"
        )
    assert caught.value.errno == 630
    assert time.monotonic() - started < 15
    assert cursor.execute("select count(*) from d.public.t").fetchall() == [(200,)]


def test_faults_at_random_leave_each_statement_executed_once(account: LocalAccount, cursor: Any) -> None:
    actions: list[Action] = [Status(503), Status(429, 0), DropBefore(), DropAfter(), ExpireToken()]
    for seed, action in enumerate(actions):
        account.faults.inject(action, "database", probability=0.06, times=None, seed=seed)
    for number in range(30):
        cursor.execute(f"create database d{number}")
    assert sum(rule.fired for rule in account.faults) >= 5
    account.faults.clear()
    assert len(cursor.execute("show databases like 'D%'").fetchall()) == 30
    executed = [entry.sql for entry in account.journal if entry.executed and entry.verb == "CREATE"]
    assert executed == [f"create database d{number}" for number in range(30)]
    assert account.counters.failed["CREATE"] == 0


def test_a_folder_keeps_the_account(tmp_path: Path) -> None:
    for run in range(2):
        with LocalAccount(tmp_path) as account:
            connection = account.connect(warehouse="COMPUTE_WH")
            cursor = connection.cursor()
            if run == 0:
                cursor.execute("create database d")
                cursor.execute("create table d.public.t (id int)")
                cursor.execute("insert into d.public.t values (7)")
            else:
                assert cursor.execute("select id from d.public.t").fetchall() == [(7,)]
            connection.close()
            assert account.internal_errors == []


def test_users_with_passwords_are_made() -> None:
    with LocalAccount(data=False, users={"ana": "right"}) as account:
        connection = account.connect(user="ANA")
        assert connection.cursor().execute("select current_user()").fetchall() == [("ANA",)]
        connection.close()
        with pytest.raises(connector.errors.DatabaseError, match="Incorrect username or password"):
            account.connect(user="ANA", password="wrong")


def test_a_secret_is_not_in_the_journal(account: LocalAccount, cursor: Any) -> None:
    cursor.execute("create database d")
    cursor.execute("create secret d.public.s type = generic_string secret_string = 'hunter2'")
    assert not any("hunter2" in str(entry.as_json()) for entry in account.journal)
    assert any("hunter2" in text for text in account.journal.statements(raw=True))


def test_snowpark(account: LocalAccount) -> None:
    snowpark = pytest.importorskip("snowflake.snowpark", reason="Snowpark is not installed here")
    parameters = account.connection_parameters(role="ACCOUNTADMIN", warehouse="COMPUTE_WH")
    session = snowpark.Session.builder.configs(parameters).create()
    try:
        session.sql("create database d").collect()
        session.sql("create table d.public.t (id int, name varchar)").collect()
        session.sql("insert into d.public.t values (1, 'one'), (2, 'two')").collect()
        frame = session.table("d.public.t")
        assert [field.name for field in frame.schema.fields] == ["ID", "NAME"]
        assert [tuple(row) for row in frame.filter(snowpark.functions.col("ID") > 1).collect()] == [(2, "two")]
    finally:
        session.close()


def test_a_statement_of_another_connection_is_cancelled(account: LocalAccount, cursor: Any) -> None:
    account.faults.inject(Latency(30), "^select 41$")
    slow = account.connect().cursor()
    slow.execute_async("select 41")
    deadline = time.monotonic() + 10
    session = slow.connection.session_id
    while cursor.execute(f"select system$cancel_all_queries({session})").fetchone() != ("1 cancelled.",):
        assert time.monotonic() < deadline, "the statement never ran"
    while slow.connection.is_still_running(slow.connection.get_query_status(slow.sfqid)):
        assert time.monotonic() < deadline, "the statement was not cancelled"
    assert slow.connection.get_query_status(slow.sfqid).name == "FAILED_WITH_ERROR"
    slow.connection.close()


def test_temporary_tables_end_with_their_connection(account: LocalAccount, cursor: Any) -> None:
    cursor.execute("create database d")
    other = account.connect(role="ACCOUNTADMIN", warehouse="COMPUTE_WH", database="D", schema="PUBLIC")
    other.cursor().execute("create temporary table t (a int)")
    other.cursor().execute("begin")
    other.cursor().execute("insert into t values (1)")
    assert cursor.execute("show tables in schema d.public").fetchall() == []
    other.close()
    cursor.execute("create table d.public.t (b int)")
    assert cursor.execute("select count(*) from d.public.t").fetchone() == (0,)


def test_connections_wait_for_each_other_and_claim_different_rows(account: LocalAccount) -> None:
    def opened() -> Any:
        return account.connect(role="ACCOUNTADMIN", warehouse="COMPUTE_WH")

    first, second = opened(), opened()
    setup = first.cursor()
    setup.execute("create database d")
    setup.execute("create table d.public.files (path varchar, owner varchar)")
    setup.execute("create table d.public.log (path varchar)")
    setup.execute("create stream d.public.changes on table d.public.files")
    setup.execute("insert into d.public.files select 'f' || seq4(), null from table(generator(rowcount => 40))")
    failures: list[Exception] = []

    def poll(connection: Any, owner: str) -> None:
        try:
            cursor = connection.cursor()
            for _ in range(4):
                cursor.execute("begin")
                cursor.execute(
                    "update d.public.files set owner = %s from (select path p from d.public.files where owner is null "
                    "order by path limit 5) c where path = c.p and owner is null",
                    (owner,),
                )
                cursor.execute("insert into d.public.log select path from d.public.files where owner = %s", (owner,))
                cursor.execute("commit")
        except connector.errors.Error as failure:  # told by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=poll, args=pair) for pair in ((first, "one"), (second, "two"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert dict(setup.execute("select owner, count(*) from d.public.files group by owner")) == {"one": 20, "two": 20}
    shown = setup.execute("select count(*), count(distinct METADATA$ROW_ID) from d.public.changes").fetchone()
    assert shown == (40, 40)
    assert setup.execute("select system$stream_has_data('d.public.changes')").fetchone() == (True,)
    first.close()
    second.close()
