"""Snowflake Scripting, against https://docs.snowflake.com/en/developer-guide/snowflake-scripting/index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from engine_account import Speaker
from pinky_local import sqltext
from pinky_local.account import LocalAccount
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine
from pinky_local.faults import EndProcedure, SqlFault

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")


class Caller(Speaker):
    """A session that runs blocks."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.result(sql).rows]

    def value(self, sql: str) -> Any:
        ((found,),) = self.rows(sql)
        return found


@pytest.fixture
def caller() -> Iterator[Caller]:
    plane = DuckDataPlane()
    engine = CatalogEngine(data=plane)
    made = Caller(engine, engine.login("PINKY", {"warehouse": "COMPUTE_WH"}, {}))
    made.run("use secondary roles none", "create database d", "create schema s", "create table t (a int, b varchar)")
    made.run("insert into t values (1, 'one'), (2, 'two')")
    yield made
    engine.close()
    plane.close()


def test_an_anonymous_block_answers_what_it_returns(caller: Caller) -> None:
    result = caller.result(
        "DECLARE profit NUMBER(38, 2) DEFAULT 0.0; BEGIN LET cost NUMBER(38, 2) := 100.0;"
        " LET revenue NUMBER(38, 2) DEFAULT 110.0; profit := revenue - cost; RETURN profit; END;"
    )
    assert [column.name for column in result.columns] == ["anonymous block"]
    assert result.rows == [[Decimal("10.00")]]
    assert caller.value("BEGIN NULL; END") is None
    assert caller.value("EXECUTE IMMEDIATE $$ BEGIN RETURN 'x'; END; $$") == "x"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("LET n := 0; FOR i IN 1 TO 4 DO n := n + i; END FOR; RETURN n;", 10),
        ("LET s := ''; FOR i IN REVERSE 1 TO 3 LOOP s := s || i; END LOOP; RETURN s;", "321"),
        ("LET n := 0; WHILE (n < 5) DO n := n + 2; END WHILE; RETURN n;", 6),
        ("LET n := 9; REPEAT n := n - 1; UNTIL (n < 5) END REPEAT; RETURN n;", 4),
        ("LET n := 0; LOOP n := n + 1; IF (n = 3) THEN BREAK; END IF; END LOOP; RETURN n;", 3),
        (
            "LET n := 0; FOR i IN 1 TO 5 DO IF (i IN (2, 4)) THEN CONTINUE; END IF; n := n + i; END FOR; RETURN n;",
            9,
        ),
        (
            "LET n := 0; LOOP LOOP n := n + 1; BREAK outer_one; END LOOP inner_one; END LOOP outer_one; RETURN n;",
            1,
        ),
        (
            "LET x := 2; IF (x = 1) THEN RETURN 'one'; ELSEIF (x = 2) THEN RETURN 'two'; ELSE RETURN 'many'; END IF;",
            "two",
        ),
        ("LET x := 'b'; CASE (x) WHEN 'a' THEN RETURN 1; WHEN 'b' THEN RETURN 2; ELSE RETURN 3; END CASE;", 2),
        (
            "LET x := 5; CASE WHEN x > 7 THEN RETURN 1; ELSE RETURN CASE WHEN x = 5 THEN 'five' ELSE '?' END; END;",
            "five",
        ),
        ("LET x := 1; BEGIN LET x := 2; x := x + 1; END; RETURN x;", 1),
        ("LET x INT; RETURN COALESCE(x, -3) + 1;", -2),
        ("LET d DATE := '2020-09-30'; RETURN DATEADD('day', 1, d);", date(2020, 10, 1)),
        ('LET v VARIANT := PARSE_JSON(\'{"a": {"b": 3}}\'); RETURN v:a.b::INT + 1;', 4),
        ("LET q := 'it''s \\\\ here'; RETURN q;", "it's \\ here"),
        ("LET n := (SELECT SUM(a) FROM t); RETURN n;", 3),
        ("LET n := 0; SELECT a, b INTO :n, :m FROM t WHERE a = 2; RETURN n || m;", "2two"),
    ],
)
def test_control_flow(caller: Caller, body: str, answer: Any) -> None:
    assert caller.value(f"DECLARE m VARCHAR; BEGIN {body} END;") == answer


def test_variables_are_bound_in_sql_by_colon_only(caller: Caller) -> None:
    caller.run(
        "DECLARE a INT DEFAULT 7; name VARCHAR DEFAULT 'd.s.t'; note VARCHAR DEFAULT 'it''s'; BEGIN "
        "INSERT INTO t (a, b) SELECT :a, 'a' FROM t WHERE a = 1; "
        "UPDATE t SET b = :note WHERE a IN (SELECT MAX(a) FROM IDENTIFIER(:name)); "
        "CREATE TABLE made (x INT) COMMENT = :note; END"
    )
    assert caller.rows("select b from t where a = 7") == [("it's",)]
    assert caller.one("show tables like 'made'")["comment"] == "it's"
    assert caller.refused("BEGIN SELECT :nothing; END").errno == 2049


def test_counts_of_the_last_statement(caller: Caller) -> None:
    counted = "UPDATE t SET b = 'x'; LET n := SQLROWCOUNT; DELETE FROM t WHERE a > 9;"
    body = f"{counted} RETURN n || ' ' || SQLFOUND || SQLNOTFOUND;"
    assert caller.value(f"BEGIN {body} END") == "2 falsetrue"


def test_cursors_and_resultsets(caller: Caller) -> None:
    assert (
        caller.value(
            "DECLARE x INT DEFAULT 0; c CURSOR FOR SELECT a FROM t WHERE a > ? ORDER BY a; least INT DEFAULT 0; BEGIN "
            "OPEN c USING (least); FETCH c INTO x; LET y := x; FETCH c INTO x; y := y * 10 + x; FETCH c INTO x; "
            "CLOSE c; "
            "RETURN y || COALESCE(x::VARCHAR, 'end'); END"
        )
        == "12end"
    )
    assert (
        caller.value(
            'DECLARE n INT DEFAULT 0; r RESULTSET DEFAULT (SELECT a, b AS "Name" FROM t); c CURSOR FOR r; BEGIN '
            'FOR line IN c DO n := n + line.a + LENGTH(line."Name"); END FOR; RETURN n; END'
        )
        == 9
    )
    rows = (
        "LET r RESULTSET := (SELECT a FROM t ORDER BY a); r := (SELECT a + 1 AS up FROM t ORDER BY 1); RETURN TABLE(r);"
    )
    assert caller.run(f"BEGIN {rows} END") == [{"UP": 2}, {"UP": 3}]
    table = "LET c CURSOR FOR SELECT b FROM t ORDER BY a; OPEN c; RETURN TABLE(RESULTSET_FROM_CURSOR(c));"
    assert caller.rows(f"BEGIN {table} END") == [("one",), ("two",)]
    assert caller.rows("BEGIN LET r RESULTSET := (SHOW TABLES LIKE 'T'); RETURN TABLE(r); END")[0][1] == "T"


def test_select_into_wants_one_row(caller: Caller) -> None:
    assert (
        "exactly 1 returned row, but got 2" in caller.refused("BEGIN LET x := 0; SELECT a INTO :x FROM t; END").message
    )
    assert "but got 0" in caller.refused("BEGIN LET x := 0; SELECT a INTO :x FROM t WHERE a = 9; END").message


def test_declared_exceptions(caller: Caller) -> None:
    declared = "DECLARE\n  my_exception EXCEPTION (-20002, 'Raised MY_EXCEPTION.');\nBEGIN\n  RAISE my_exception;\n"
    error = caller.refused(declared + "END;")
    assert (error.errno, error.sqlstate) == (-20002, "P0001")
    assert error.message == "Uncaught exception of type 'MY_EXCEPTION' on line 4 at position 2 : Raised MY_EXCEPTION."
    told = "RETURN OBJECT_CONSTRUCT('code', sqlcode, 'text', sqlerrm, 'state', sqlstate);"
    found = caller.value(f"{declared} EXCEPTION WHEN STATEMENT_ERROR THEN RETURN 1; WHEN my_exception THEN {told} END")
    assert json.loads(found) == {"code": -20002, "text": "Raised MY_EXCEPTION.", "state": "P0001"}
    again = f"{declared} EXCEPTION WHEN OTHER THEN INSERT INTO t VALUES (9, :sqlerrm); RAISE; END"
    assert caller.refused(again).errno == -20002
    assert caller.rows("select b from t where a = 9") == [("Raised MY_EXCEPTION.",)]


def test_failed_statements_and_expressions_are_exceptions(caller: Caller) -> None:
    error = caller.refused("BEGIN\n  SELECT * FROM nowhere;\nEND")
    assert error.errno == 2003
    assert error.message.startswith("Uncaught exception of type 'STATEMENT_ERROR' on line 2 at position 2 : SQL compil")
    handlers = "EXCEPTION WHEN STATEMENT_ERROR THEN RETURN 'statement ' || sqlcode; "
    handlers += "WHEN EXPRESSION_ERROR THEN RETURN 'expression';"
    assert caller.value(f"BEGIN DROP TABLE nowhere; {handlers} END") == "statement 2003"
    assert caller.value(f"BEGIN LET x INT := 'abc'; {handlers} END") == "expression"
    going_on = "EXCEPTION WHEN OTHER CONTINUE THEN INSERT INTO t VALUES (8, 'handled');"
    assert caller.value(f"DECLARE n INT DEFAULT 1; BEGIN DROP TABLE nowhere; n := n + 1; RETURN n; {going_on} END") == 2
    inner = "BEGIN DROP TABLE nowhere; EXCEPTION WHEN OTHER THEN NULL; END; RETURN 'outer';"
    assert caller.value(f"BEGIN {inner} END") == "outer"


def test_execute_immediate(caller: Caller) -> None:
    assert caller.rows("EXECUTE IMMEDIATE 'select a from t where b = ''two'''") == [(2,)]
    caller.run("SET stmt = 'select 41 + 1'")
    assert caller.value("EXECUTE IMMEDIATE $stmt") == 42
    assert caller.rows("EXECUTE IMMEDIATE 'select a from t where a > ? and b <> ?' USING (0, 'two')") == [(1,)]
    body = (
        "DECLARE q VARCHAR DEFAULT 'INSERT INTO t VALUES (?, ?)'; n INT DEFAULT 5; BEGIN "
        "EXECUTE IMMEDIATE :q USING (n, 'five'); EXECUTE IMMEDIATE 'DELETE FROM t' || ' WHERE a = 1'; "
        "LET r RESULTSET := (EXECUTE IMMEDIATE 'SELECT COUNT(*) c FROM IDENTIFIER(?)' USING ('t')); "
        "RETURN TABLE(r); END"
    )
    assert caller.run(body) == [{"C": 2}]
    assert caller.value("EXECUTE IMMEDIATE 'IF (1 = 1) THEN RETURN ''yes''; END IF'") == "yes"
    assert caller.refused("EXECUTE IMMEDIATE FROM @stage").errno == 2
    assert caller.refused("EXECUTE IMMEDIATE ''").errno == 900


def test_begin_of_a_transaction_stays_one(caller: Caller) -> None:
    for opened in ("BEGIN", "BEGIN;", "BEGIN TRANSACTION", "BEGIN WORK", "BEGIN NAME x"):
        caller.run(opened, "delete from t", "rollback")
    assert caller.value("select count(*) from t") == 2
    caller.run("BEGIN BEGIN TRANSACTION; DELETE FROM t; ROLLBACK; BEGIN; DELETE FROM t WHERE a = 1; COMMIT; END")
    assert caller.rows("select a from t") == [(2,)]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("LET r RESULTSET := ASYNC (SELECT 1);", "ASYNC"),
        ("ASYNC (SELECT 1);", "ASYNC"),
        ("AWAIT r;", "AWAIT"),
    ],
)
def test_what_is_not_there_is_refused_by_name(caller: Caller, body: str, named: str) -> None:
    error = caller.refused(f"BEGIN {body} END")
    assert error.errno == 2
    assert named in error.message


def test_a_block_that_is_no_block_is_a_syntax_error(caller: Caller) -> None:
    for body in ("LET;", "IF (1=1) THEN NULL; END;", "x := ;", "FOR i IN 1 DO NULL; END FOR;", "RETURN 1"):
        assert caller.refused(f"BEGIN {body} END").errno == 1003


# procedures --------------------------------------------------------------------------------------------------------


def test_a_procedure_in_sql(caller: Caller) -> None:
    caller.run(
        "CREATE PROCEDURE total(least INT, word VARCHAR DEFAULT 'sum') RETURNS VARCHAR LANGUAGE SQL AS BEGIN "
        "LET n INT := 0; SELECT SUM(a) INTO :n FROM t WHERE a >= :least; RETURN word || n; END;"
    )
    assert caller.run("CALL total(1)") == [{"TOTAL": "sum3"}]
    assert caller.value("CALL d.s.total(word => 'from', least => 2)") == "from2"
    caller.run(
        "CREATE PROCEDURE rows_of(n INT) RETURNS TABLE (x INT) AS $$ BEGIN "
        "LET r RESULTSET := (SELECT a FROM t WHERE a <= :n); RETURN TABLE(r); END $$"
    )
    assert caller.run("CALL rows_of(1)") == [{"X": 1}]
    caller.run(
        "CREATE PROCEDURE outer_one() RETURNS INT AS $$ DECLARE s VARCHAR; BEGIN CALL total(1, 'x') INTO :s; "
        "LET r RESULTSET := (CALL rows_of(2)); LET n := 0; FOR one IN r DO n := n + one.x; END FOR; "
        "RETURN n + LENGTH(s); END $$"
    )
    assert caller.value("CALL outer_one()") == 5
    caller.run("CREATE PROCEDURE wrong() RETURNS TABLE (x INT) AS 'BEGIN RETURN 1; END'")
    assert "RETURN TABLE" in caller.refused("CALL wrong()").message


def test_rights_of_a_procedure_in_sql(caller: Caller) -> None:
    caller.run(
        "CREATE PROCEDURE p() RETURNS VARCHAR AS $$ BEGIN USE SCHEMA public; RETURN 'ran'; "
        "EXCEPTION WHEN OTHER THEN RETURN sqlerrm; END $$"
    )
    assert "Unsupported statement type 'USE'" in caller.value("CALL p()")
    caller.run("ALTER PROCEDURE p() EXECUTE AS CALLER")
    assert caller.value("CALL p()") == "ran"
    assert caller.value("select current_schema()") == "PUBLIC"


def test_scoped_transactions_of_a_procedure_in_sql(caller: Caller) -> None:
    caller.run("CREATE PROCEDURE p() RETURNS INT AS $$ BEGIN BEGIN TRANSACTION; DELETE FROM t; RETURN 1; END $$")
    assert "incomplete and it was rolled back" in caller.refused("CALL p()").message
    caller.run("CREATE PROCEDURE q() RETURNS INT AS $$ BEGIN COMMIT; RETURN 1; END $$", "begin", "delete from t")
    assert "different scope" in caller.refused("CALL q()").message
    caller.run("rollback")
    assert caller.value("select count(*) from t") == 2


def test_the_journal_and_faults_see_the_statements_of_a_procedure() -> None:
    with LocalAccount() as account:
        connection = account.connect(role="ACCOUNTADMIN", warehouse="COMPUTE_WH")
        cursor = connection.cursor()
        for sql in ("create database d", "create table d.public.t (a int)", "use schema d.public"):
            cursor.execute(sql)
        cursor.execute(
            "create procedure p() returns int as 'begin insert into t values (1); begin insert into t values (2); "
            "exception when other then null; end; return 1; end'"
        )
        account.journal.clear()
        cursor.execute("call p()")
        assert [(entry.sql, entry.procedure) for entry in account.journal] == [
            ("call p()", None), ("insert into t values (1)", "D.PUBLIC.P"), ("insert into t values (2)", "D.PUBLIC.P"),
        ]  # fmt: skip
        account.faults.inject(SqlFault(), at=2, procedure="P")
        assert cursor.execute("call p()").fetchall() == [(1,)]
        account.faults.clear()
        account.faults.inject(EndProcedure(), at=2)
        with pytest.raises(connector.errors.ProgrammingError, match="was ended"):
            cursor.execute("call p()")
        cursor.execute("begin let x := 1; return x + 1; end")
        assert cursor.fetchall() == [(2,)]
        connection.close()
        assert account.internal_errors == []


def test_texts_of_several_statements_are_not_split_in_blocks() -> None:
    block = "declare x int; begin if (x = 1) then x := 2; end if; case when 1 = 1 then null; end case; "
    block += "return case when true then 1 end; exception when other then raise; end"
    procedure = f"create procedure p() returns int as {block}"
    found = sqltext.split(f"{block}; begin; select 1; commit; {procedure}; select 2")
    assert [one.strip() for one in found] == [
        block, "begin", "select 1", "commit", procedure, "select 2",
    ]  # fmt: skip
