"""What the installed Snowflake clients see. The same file runs with the connector 4.x and 5.x, and with Snowpark."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Decimal
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import DropAfter, DropBefore, ExpireToken, Status
from pinky_local.types import Result, ResultColumn
from wire_engine import ScriptedEngine

connector = pytest.importorskip("snowflake.connector")

VERSION = int(connector.__version__.split(".")[0])

RETRIED = [
    pytest.param(lambda: Status(503), id="503"),
    pytest.param(lambda: Status(429, 1), id="429"),
    pytest.param(lambda: Status(500), id="500"),
    pytest.param(DropBefore, id="drop before"),
    pytest.param(DropAfter, id="drop after"),
    pytest.param(ExpireToken, id="expired token"),
]


@pytest.fixture
def connection(wire: LocalAccount) -> Iterator[Any]:
    connection = wire.connect()
    yield connection
    connection.close()


def test_a_connection_knows_its_names(wire: LocalAccount) -> None:
    connection = wire.connect(role="R", database="D", schema="S", warehouse="W")
    assert (connection.role, connection.database, connection.schema, connection.warehouse) == ("R", "D", "S", "W")
    connection.cursor().execute("use schema other")
    assert connection.schema == "OTHER"
    connection.close()
    assert wire.sessions.sessions() == []


def test_rows_and_their_description(connection: Any) -> None:
    cursor = connection.cursor()
    assert cursor.execute("create table a").fetchall() == [("Table A successfully created.",)]
    assert cursor.sfqid
    cursor.execute("show tables")
    assert [column.name for column in cursor.description] == ["name", "rows"]
    assert cursor.fetchall() == [("A", 0)]
    assert cursor.rowcount == 1


def test_dictionary_rows(connection: Any) -> None:
    connection.cursor().execute("create table a")
    with connection.cursor(connector.DictCursor) as cursor:
        assert cursor.execute("show tables").fetchall() == [{"name": "A", "rows": 0}]


def test_every_type_arrives_as_what_it_was(connection: Any, scripted_engine: ScriptedEngine) -> None:
    values: list[tuple[ResultColumn, Any]] = [
        (ResultColumn("I", "fixed", precision=38, scale=0), 12345678901234567890123456789012345678),
        (ResultColumn("D", "fixed", precision=10, scale=2), Decimal("-12.30")),
        (ResultColumn("R", "real"), 1.5),
        (ResultColumn("T", "text"), "é'\"\\"),
        (ResultColumn("B", "boolean"), True),
        (ResultColumn("F", "boolean"), False),
        (ResultColumn("DA", "date"), date(1969, 12, 30)),
        (ResultColumn("TI", "time", scale=9), clock(12, 34, 56, 123456)),
        (ResultColumn("TN", "timestamp_ntz", scale=9), datetime(2024, 8, 2, 1, 2, 3, 4)),
        (ResultColumn("T3", "timestamp_ntz", scale=3), datetime(2024, 8, 2, 1, 2, 3, 456000)),
        (ResultColumn("TZ", "timestamp_tz", scale=9), datetime(2024, 8, 2, 1, 2, 3, 4, timezone(timedelta(hours=-7)))),
        (ResultColumn("TL", "timestamp_ltz", scale=9), datetime(2024, 8, 2, 1, 2, 3, 4, UTC)),
        (ResultColumn("V", "variant"), '{"a": 1}'),
        (ResultColumn("A", "array"), "[1]"),
        (ResultColumn("O", "object"), "{}"),
        (ResultColumn("BI", "binary"), b"\x00\xff"),
    ]
    columns = [column for column, _ in values]
    row = [value for _, value in values]
    scripted_engine.answers["types"] = Result(columns, [row, [None] * len(row)], 0x1000)
    first, second = connection.cursor().execute("types").fetchall()
    assert list(first) == row
    assert first[10].utcoffset() == timedelta(hours=-7)
    assert set(second) == {None}


def test_an_error_is_a_programming_error_with_its_number(connection: Any) -> None:
    with pytest.raises(connector.errors.ProgrammingError, match="does not exist or not authorized") as caught:
        connection.cursor().execute("drop gone")
    assert (caught.value.errno, caught.value.sqlstate) == (2003, "02000")
    assert caught.value.sfqid


def test_a_wrong_user_is_refused(wire: LocalAccount) -> None:
    with pytest.raises(connector.errors.DatabaseError, match="Incorrect username or password") as caught:
        wire.connect(user="STRANGER")
    assert caught.value.errno in (390100, 250001)


def test_bindings(wire: LocalAccount) -> None:
    connection = wire.connect(paramstyle="qmark")
    assert connection.cursor().execute("select ?, ?", (1, "a")).fetchall() == [("1", "a")]
    connection.close()


@pytest.mark.parametrize("rows", [2, 70_000])
def test_many_rows_are_bound_as_arrays(wire: LocalAccount, scripted_engine: ScriptedEngine, rows: int) -> None:
    text = "insert into t values (?, ?)"
    column = ResultColumn("number of rows inserted", "fixed", precision=38, scale=0)
    scripted_engine.answers[text] = Result([column], [[rows]], 0x3100, rows)
    connection = wire.connect(paramstyle="qmark")
    cursor = connection.cursor()
    cursor.executemany(text, [(number, None if number else "a") for number in range(rows)])
    connection.close()
    assert cursor.rowcount == rows
    [binds] = [binds for sql, binds, describe_only in scripted_engine.executed if sql == text and not describe_only]
    assert [len(bind.value or "") for bind in binds] == [rows, rows]
    assert (binds[0].value or "")[:2] == ["0", "1"]
    assert (binds[1].value or "")[:2] == ["a", None]


def test_a_row_count_comes_from_the_answer_of_dml(connection: Any, scripted_engine: ScriptedEngine) -> None:
    column = ResultColumn("number of rows inserted", "fixed", precision=38, scale=0)
    scripted_engine.answers["insert"] = Result([column], [[3]], 0x3100, 3)
    assert connection.cursor().execute("insert").rowcount == 3


@pytest.mark.parametrize("fault", RETRIED)
def test_a_fault_is_retried_by_the_connector_and_executed_once(
    wire: LocalAccount, connection: Any, scripted_engine: ScriptedEngine, fault: Any
) -> None:
    rule = wire.faults.inject(fault(), "^create")
    connection.cursor().execute("create table a")
    assert rule.fired == 1
    assert scripted_engine.objects == ["A"]
    assert wire.counters["CREATE"] == 1


def test_threads_share_a_connection_and_survive_an_expired_token(
    wire: LocalAccount, connection: Any, scripted_engine: ScriptedEngine
) -> None:
    wire.faults.inject(ExpireToken(), "create table t1$")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: connection.cursor().execute(f"create table t{number}"), range(12)))
    assert sorted(scripted_engine.objects) == sorted(f"T{number}" for number in range(12))


def test_threads_share_a_connection_and_run_at_the_same_time(connection: Any, scripted_engine: ScriptedEngine) -> None:
    together = threading.Barrier(4, timeout=10)

    def meet() -> Result:
        together.wait()
        return Result([ResultColumn("status")], [["met"]])

    scripted_engine.answers["meet"] = meet
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: connection.cursor().execute("meet").fetchall(), range(4)))
    assert answers == [[("met",)]] * 4


def test_an_asynchronous_statement(connection: Any, scripted_engine: ScriptedEngine) -> None:
    released = threading.Event()

    def slow() -> Result:
        assert released.wait(20)
        return Result([ResultColumn("status")], [["done"]], 0x1000)

    scripted_engine.answers["slow"] = slow
    cursor = connection.cursor()
    cursor.execute_async("slow")
    query_id = cursor.sfqid
    assert connection.is_still_running(connection.get_query_status(query_id))
    released.set()
    cursor.get_results_from_sfqid(query_id)
    assert cursor.fetchall() == [("done",)]
    assert connection.get_query_status(query_id).name == "SUCCESS"


def test_an_asynchronous_statement_that_fails(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute_async("drop gone")
    deadline = time.monotonic() + 10
    while connection.is_still_running(connection.get_query_status(cursor.sfqid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(connector.errors.ProgrammingError, match="does not exist or not authorized"):
        connection.get_query_status_throw_if_error(cursor.sfqid)


def test_several_statements_in_one_request(connection: Any, scripted_engine: ScriptedEngine) -> None:
    cursor = connection.cursor()
    cursor.execute("create table a; show tables;", num_statements=2)
    assert cursor.fetchall() == [("Table A successfully created.",)]
    assert cursor.nextset() is not None
    assert cursor.fetchall() == [("A", 0)]
    with pytest.raises(connector.errors.ProgrammingError, match="Actual statement count 2 did not match") as caught:
        connection.cursor().execute("create table b; show tables")
    assert (caught.value.errno, caught.value.sqlstate) == (8, "0A000")
    assert scripted_engine.objects == ["A"]


def test_the_statement_timeout(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("alter session set statement_timeout_in_seconds = 1")
    with pytest.raises(connector.errors.ProgrammingError, match="timeout of 1 second") as caught:
        cursor.execute("call wait(30)")
    assert (caught.value.errno, caught.value.sqlstate) == (630, "57014")


def test_a_statement_held_too_long_is_polled_by_the_connector(scripted_engine: ScriptedEngine) -> None:
    with LocalAccount(engine=scripted_engine, hold_seconds=0.1) as account:
        connection = account.connect()
        assert connection.cursor().execute("call wait(1)").fetchall() == [("waited",)]
        connection.close()
    assert account.counters["CALL"] == 1


@pytest.mark.skipif(VERSION >= 5, reason="connector 5.x ignores the timeout argument of execute")
def test_a_client_timeout_aborts_the_statement(wire: LocalAccount, connection: Any) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        connection.cursor().execute("call wait(30)", timeout=1)
    assert caught.value.errno == 604
    assert [entry.errno for entry in wire.journal.entries()] == [604]


def test_snowpark(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    snowpark = pytest.importorskip("snowflake.snowpark", reason="Snowpark is not installed here")
    columns = [ResultColumn("A", "fixed", precision=38, scale=0), ResultColumn("B")]
    scripted_engine.answers["select a, b"] = Result(columns, [[1, "x"]], 0x1000)
    session = snowpark.Session.builder.configs(wire.connection_parameters(role="R")).create()
    try:
        assert session.get_current_role() == '"R"'
        frame = session.sql("select a, b")
        assert [field.name for field in frame.schema.fields] == ["A", "B"]
        assert [row.as_dict() for row in frame.collect()] == [{"A": 1, "B": "x"}]
        with pytest.raises(snowpark.exceptions.SnowparkSQLException) as caught:
            session.sql("drop gone").collect()
        assert caught.value.sql_error_code == 2003
    finally:
        session.close()
