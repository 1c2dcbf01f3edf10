"""Python procedures, called through the installed client; they need Snowpark.

Against https://docs.snowflake.com/en/sql-reference/sql/call,
https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights and
https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping.
"""

from __future__ import annotations

import json
import textwrap
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_local.faults import Call, DropAfter, EndProcedure, SqlFault

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")
snowpark = pytest.importorskip("snowflake.snowpark", reason="Snowpark is not installed here")


class Caller:
    """A connection whose statements answer rows."""

    def __init__(self, account: LocalAccount, **parameters: Any) -> None:
        self.account = account
        self.connection = account.connect(warehouse="COMPUTE_WH", paramstyle="qmark", **parameters)
        self.cursor = self.connection.cursor()

    def run(self, *statements: str) -> list[Any]:
        for sql in statements:
            self.cursor.execute(sql)
        return list(self.cursor.fetchall())

    def refused(self, sql: str) -> Any:
        with pytest.raises(connector.errors.ProgrammingError) as caught:
            self.cursor.execute(sql)
        return caught.value

    def procedure(self, head: str, body: str, more: str = "") -> None:
        code = textwrap.dedent(body)
        self.run(
            f"create or replace procedure {head} language python runtime_version = '3.11' handler = 'main' {more} "
            f"packages = ('snowflake-snowpark-python') as $$\n{code}\n$$"
        )

    def value(self, sql: str) -> Any:
        ((found,),) = self.run(sql)
        return found


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as running:
        yield running
        assert running.internal_errors == []
        assert all(one.context.procedure is None for one in running.sessions.sessions())


@pytest.fixture
def caller(account: LocalAccount) -> Iterator[Caller]:
    made = Caller(account, role="ACCOUNTADMIN")
    made.run("use secondary roles none", "create database d", "create schema d.s", "create table t (a int)")
    yield made
    made.connection.close()


def test_a_procedure_reads_and_writes_with_its_session(caller: Caller) -> None:
    caller.procedure(
        "p(name varchar) returns varchar",
        """
        def main(session, name):
            session.sql("insert into t values (?), (2)", params=[1]).collect()
            return f"{name}: {session.table('t').count()} rows"
        """,
    )
    assert caller.run("call p('T')") == [("T: 2 rows",)]
    assert [column[0] for column in caller.cursor.description] == ["P"]
    assert caller.run("select a from t order by a") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("kind", "given", "seen", "answer"),
    [
        ("varchar", "'it''s'", "str it's", "it's"),
        ("number", "12", "int 12", 12),
        ("number(10, 2)", "1.5", "Decimal 1.50", None),
        ("float", "1.5", "float 1.5", 1.5),
        ("boolean", "true", "bool True", True),
        ("date", "'2024-02-03'::date", "date 2024-02-03", None),
        ("time", "'01:02:03'::time", "time 01:02:03", None),
        ("binary", "to_binary('AB', 'HEX')", "bytes b'\\xab'", b"\xab"),
        ("timestamp_ntz", "'2024-02-03 04:05:06'::timestamp_ntz", "datetime 2024-02-03 04:05:06", None),
        ("timestamp_tz", "'2024-02-03 04:05:06 +0200'::timestamp_tz", "datetime 2024-02-03 04:05:06+02:00", None),
        ("timestamp_ltz", "'2024-02-03 04:05:06 +0000'::timestamp_ltz", "datetime 2024-02-03 04:05:06", None),
        ("array", "array_construct(1, 'x')", "list [1, 'x']", None),
        ("object", "object_construct('k', 1)", "dict {'k': 1}", None),
        ("variant", "parse_json('[1, {\"a\": null}]')", "list [1, {'a': None}]", None),
        ("variant", "to_variant('x')", "str x", None),
        ("varchar", "null", "NoneType None", None),
    ],
)
def test_values_pass_both_ways(caller: Caller, kind: str, given: str, seen: str, answer: Any) -> None:
    caller.run("alter session set timezone = 'UTC'")
    caller.procedure(f"see(a {kind}) returns varchar", "def main(session, a):\n    return f'{type(a).__name__} {a}'")
    caller.procedure(f"same(a {kind}) returns {kind}", "def main(session, a):\n    return a")
    assert caller.value(f"call see({given})") == seen
    back, straight = caller.value(f"call same({given})"), caller.value(f"select ({given})::{kind}")
    if kind in ("variant", "array", "object"):
        back, straight = json.loads(back), json.loads(straight)
    assert back == straight
    if answer is not None:
        assert back == answer


def test_decimals_inside_a_variant_become_texts(caller: Caller) -> None:
    caller.procedure("p() returns variant", "from decimal import Decimal\ndef main(s): return {'d': Decimal('1.50')}")
    assert json.loads(caller.value("call p()")) == {"d": "1.50"}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("int", "'1'", "expected int or Decimal for NUMBER(38,0), got str"),
        ("varchar", "1", "expected str for VARCHAR"),
        ("boolean", "1", "expected bool"),
        ("variant", "object()", "not JSON serializable"),
        ("array", "{}", "expected list"),
        (
            "timestamp_ntz",
            "__import__('datetime').datetime.now(__import__('datetime').UTC)",
            "expected a naive datetime",
        ),
    ],
)
def test_values_of_another_type_are_refused(caller: Caller, kind: str, value: str, text: str) -> None:
    caller.procedure(f"p() returns {kind}", f"def main(session): return {value}")
    error = caller.refused("call p()")
    assert error.errno == 100357
    assert text in str(error)


def test_arguments_by_name_defaults_and_overloads(caller: Caller) -> None:
    code = "def main(session, *given): return repr(given)"
    caller.procedure("p(a int, b varchar default 'x' || 'y', c float default 1) returns varchar", code)
    assert caller.value("call p(7)") == "(7, 'xy', 1.0)"
    assert caller.value("call d.s.p(c => 2, a => 1)") == "(1, 'xy', 2.0)"
    assert caller.value("call p('7', 'b')") == "(7, 'b', 1.0)"
    caller.procedure("q(a int) returns varchar", "def main(session, a): return 'number'")
    caller.procedure("q(b varchar) returns varchar", "def main(session, b): return 'text'")
    assert [caller.value(f"call q({sql})") for sql in ("1", "'1'", "b => 1", "'2024-01-01'::date")] == [
        "number", "text", "text", "text",
    ]  # fmt: skip
    assert caller.refused("call q(1, 2)").errno == 1044
    assert caller.refused("call q(z => 1)").errno == 1044
    assert caller.refused("call q(a => 1, 2)").errno == 1003
    assert caller.refused("call nothing()").errno == 2140


def test_binds_variables_and_subqueries_are_arguments(caller: Caller) -> None:
    caller.procedure("p(a int, b variant) returns varchar", "def main(session, a, b): return repr((a, b))")
    caller.cursor.execute("call p(?, parse_json(?))", (5, '{"k": [1]}'))
    assert caller.cursor.fetchone() == ("(5, {'k': [1]})",)
    caller.run("set v = 9", "insert into t values (4), (5)")
    assert caller.value("call p($v, (select max(a) from t))") == "(9, 5)"
    assert caller.value("call p(select count(*) from t, null)") == "(2, sqlNullWrapper)"


def test_null_is_not_passed_to_a_strict_procedure(caller: Caller) -> None:
    caller.procedure("p(a int) returns varchar", "def main(session, a): return 'ran'", "returns null on null input")
    assert caller.value("call p(null)") is None
    assert caller.value("call p(1)") == "ran"


def test_a_table_is_returned_with_its_types(caller: Caller) -> None:
    caller.run("insert into t values (1), (2)")
    caller.procedure(
        "p() returns table (n number, square number)",
        "def main(session): return session.sql('select a, a * a from t order by a')",
    )
    assert caller.run("call p()") == [(1, 1), (2, 4)]
    assert [column[0] for column in caller.cursor.description] == ["N", "SQUARE"]
    caller.procedure("q() returns table ()", "def main(session): return session.table('t').filter('a > 1')")
    assert caller.run("call q()") == [(2,)]
    assert [column[0] for column in caller.cursor.description] == ["A"]
    caller.procedure("q() returns table (a int, b int)", "def main(session): return session.table('t')")
    assert caller.refused("call q()").errno == 100357


def test_an_exception_is_told_with_its_place(caller: Caller) -> None:
    caller.procedure("p() returns int", "def inner():\n    return 1 / 0\ndef main(session):\n    return inner()")
    error = caller.refused("call p()")
    assert (error.errno, error.sqlstate) == (100357, "P0000")
    for piece in (
        'Python Interpreter Error:\nTraceback (most recent call last):\n  File "_udf_code.py", line 5, in main',
        "in inner\n    return 1 / 0",
        "ZeroDivisionError: division by zero\n in function P with handler main",
    ):
        assert piece in error.msg
    caller.procedure("p() returns int", "import no_such_module\ndef main(session): return 1")
    assert "ModuleNotFoundError: No module named 'no_such_module'" in caller.refused("call p()").msg
    caller.procedure("p() returns int", "def main(session: return 1")
    assert "SyntaxError" in caller.refused("call p()").msg
    caller.procedure("p() returns int", "def other(session): return 1")
    assert "handler function 'main'" in caller.refused("call p()").msg


def test_dataclasses_of_a_handler_find_their_module(caller: Caller) -> None:
    caller.procedure(
        "p() returns int",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass(slots=True)
        class Point:
            x: int = 1
        def main(session):
            return Point(3).x
        """,
    )
    assert caller.value("call p()") == 3


def test_owners_rights_use_the_owner_and_its_schema(account: LocalAccount, caller: Caller) -> None:
    show = """
        def main(session):
            sql = "select current_role(), current_database(), current_schema(), current_user()"
            session.sql("insert into t values (1)").collect()
            return list(session.sql(sql).collect()[0])
        """
    caller.procedure("p() returns array", show)
    caller.run(
        "create role r", "grant role r to user pinky", "grant usage on database d to role r",
        "grant usage on schema d.s to role r", "create database other",
    )  # fmt: skip
    other = Caller(account, role="R")
    other.run("use secondary roles none")
    assert other.refused("call d.s.p()").errno == 2141
    caller.run("grant usage on procedure d.s.p() to role r")
    assert json.loads(other.value("call d.s.p()")) == ["ACCOUNTADMIN", "D", "S", "PINKY"]
    assert other.value("select current_role()") == "R"
    caller.run("alter procedure d.s.p() execute as caller")
    other.run("use schema d.s")
    assert "does not exist or not authorized" in other.refused("call d.s.p()").msg
    other.connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "use role public", "use schema public", "alter session set query_tag = 'x'", "set v = 1", "unset v",
        "show parameters", "show parameters in session", "show grants", "create temporary table x (a int)",
        "put file:///x @y", "get @y file:///x", "execute task t", "select get_ddl('table', 't')",
        "alter user pinky set comment = 'x'", "alter user set comment = 'x'",
    ],
)  # fmt: skip
def test_what_an_owners_rights_procedure_may_not_run(account: LocalAccount, caller: Caller, sql: str) -> None:
    caller.procedure(
        "p(sql varchar) returns varchar",
        """
        def main(session, sql):
            try:
                session.sql(sql).collect()
            except Exception as error:
                return str(error)
            return "ran"
        """,
    )
    caller.run(
        "create role r", "grant role r to user pinky", "grant usage on database d to role r",
        "grant usage on schema d.s to role r", "grant usage on procedure p(varchar) to role r",
    )  # fmt: skip
    other = Caller(account, role="R")
    other.run("use secondary roles none")
    other.cursor.execute("call d.s.p(?)", (sql,))
    (answer,) = other.cursor.fetchone()
    assert "090236" in answer or "Unsupported statement type" in answer or "EXECUTE" in answer, answer
    other.connection.close()


@pytest.mark.parametrize(
    "sql", ["show parameters in account", "show grants to role public", "show tables in schema d.s"]
)
def test_what_an_owners_rights_procedure_may_show(caller: Caller, sql: str) -> None:
    caller.procedure(
        "p(q varchar) returns varchar", "def main(session, q):\n    session.sql(q).collect()\n    return 'ran'"
    )
    assert caller.value(f"call p('{sql}')") == "ran"


def test_a_callers_rights_procedure_changes_its_callers_session(caller: Caller) -> None:
    caller.run("set v = 3", "create schema d.other", "use schema d.s", "create temporary table own (a int)")
    caller.procedure(
        "p() returns int",
        """
        def main(session):
            session.sql("insert into own values (1)").collect()
            found = session.sql("select $v").collect()[0][0]
            session.sql("set w = 5").collect()
            session.sql("alter session set query_tag = 'seen'").collect()
            session.use_schema("d.other")
            return found
        """,
        "execute as caller",
    )
    assert caller.value("call p()") == 3
    assert caller.run("select $w, current_schema()") == [(5, "OTHER")]
    assert caller.run("show parameters like 'query_tag'")[0][1] == "seen"
    assert caller.run("select a from d.s.own") == [(1,)]


def test_procedures_call_procedures_and_inherit_owners_rights(caller: Caller) -> None:
    caller.procedure(
        "inner_one() returns varchar",
        """
        def main(session):
            try:
                session.sql("use schema public").collect()
            except Exception as error:
                return "Unsupported" if "Unsupported statement type 'USE'" in str(error) else str(error)
        """,
        "execute as caller",
    )
    caller.procedure("outer_one() returns varchar", "def main(session): return session.call('inner_one')")
    assert caller.value("call outer_one()") == "Unsupported"


def test_recursion_ends(caller: Caller) -> None:
    caller.procedure(
        "p(n int) returns int", "def main(session, n): return 0 if n == 0 else 1 + session.call('p', n - 1)"
    )
    assert caller.value("call p(4)") == 4
    assert "maximum stack depth" in caller.refused("call p(5)").msg


def test_a_call_within_a_transaction_takes_part_in_it(caller: Caller) -> None:
    caller.procedure("p() returns int", "def main(s):\n    s.sql('insert into t values (1)').collect()\n    return 1")
    caller.run("begin", "call p()")
    assert caller.value("select count(*) from t") == 1
    caller.run("rollback")
    assert caller.value("select count(*) from t") == 0


def test_a_transaction_left_open_is_rolled_back(caller: Caller) -> None:
    body = (
        "def main(s):\n    s.sql('begin').collect()\n"
        "    s.sql('insert into t values (1)').collect()\n    {}\n    return 1"
    )
    caller.procedure("p() returns int", body.format("s.sql('commit').collect()"))
    assert caller.value("call p()") == 1
    caller.procedure("p() returns int", body.format(""))
    assert "incomplete and it was rolled back" in caller.refused("call p()").msg
    caller.procedure("p() returns int", body.format("raise ValueError(1)"))
    assert "ValueError" in caller.refused("call p()").msg
    assert caller.value("select count(*) from t") == 1


def test_statements_of_a_procedure_are_in_the_journal(account: LocalAccount, caller: Caller) -> None:
    caller.procedure("p() returns int", "def main(s): return s.sql('select 41 + 1').collect()[0][0]")
    account.journal.clear()
    account.counters.reset()
    caller.run("call p()")
    assert [(entry.sql, entry.procedure) for entry in account.journal] == [
        ("call p()", None), ("select 41 + 1", "D.S.P"),
    ]  # fmt: skip
    assert (account.counters["CALL"], account.counters["SELECT"]) == (1, 1)


def test_faults_hit_statements_of_procedures(account: LocalAccount, caller: Caller) -> None:
    caller.procedure(
        "p() returns int",
        "def main(s):\n    for i in (1, 2, 3): s.sql(f'insert into t values ({i})').collect()\n    return 1",
    )
    account.faults.inject(SqlFault(), at=2, procedure="^d.s.p$")
    assert "injected fault" in caller.refused("call p()").msg
    assert caller.run("select a from t") == [(1,)]
    account.faults.clear()
    account.faults.inject(DropAfter(), "^insert")
    caller.run("call p()")
    assert caller.value("select count(*) from t") == 4


def test_a_procedure_can_be_ended_at_any_of_its_statements(account: LocalAccount, caller: Caller) -> None:
    caller.procedure(
        "p() returns int",
        """
        def main(session):
            session.sql("begin").collect()
            for i in (1, 2):
                try:
                    session.sql(f"insert into t values ({i})").collect()
                except Exception:
                    pass
            session.sql("commit").collect()
            return 1
        """,
    )
    for place in (1, 2, 3, 4):
        account.faults.clear()
        rule = account.faults.inject(EndProcedure(), at=place)
        error = caller.refused("call p()")
        assert (error.errno, rule.fired) == (603, 1)
        assert caller.value("select count(*) from t") == 0
    account.faults.clear()
    caller.run("call p()")
    assert caller.value("select count(*) from t") == 2


def test_a_cancelled_call_ends_what_it_runs(account: LocalAccount, caller: Caller) -> None:
    caller.procedure("p() returns int", "def main(s):\n    s.sql('select 77').collect()\n    while True:\n        pass")
    started = threading.Event()
    account.faults.inject(Call(after=lambda _: started.set()), "select 77")
    answer: list[Any] = []
    work = threading.Thread(target=lambda: answer.append(caller.refused("call p()")))
    work.start()
    assert started.wait(30)
    other = Caller(account, role="ACCOUNTADMIN")
    other.run(f"select system$cancel_all_queries({caller.connection.session_id})")
    other.connection.close()
    work.join(30)
    assert answer[0].errno == 604


def test_snowparks_own_call(account: LocalAccount, caller: Caller) -> None:
    caller.procedure("p(a int, b variant) returns variant", "def main(session, a, b): return {'a': a, 'b': b}")
    parameters = account.connection_parameters(role="ACCOUNTADMIN", warehouse="COMPUTE_WH", database="D", schema="S")
    session = snowpark.Session.builder.configs(parameters).create()
    try:
        assert json.loads(session.call("p", 1, {"k": 2})) == {"a": 1, "b": {"k": 2}}
        rows = session.sql("call p(1, parse_json('[1]'))").collect()
        assert json.loads(rows[0]["P"]) == {"a": 1, "b": [1]}
    finally:
        session.close()


def test_session_file_moves_files_where_put_and_get_are_no_statements(caller: Caller) -> None:
    caller.run("create stage st")
    caller.procedure(
        "files() returns varchar",
        """
        import io

        def main(session):
            session.file.put_stream(io.BytesIO(b"a,b"), "@d.s.st/x/y.csv", auto_compress=False, overwrite=True)
            with session.file.get_stream("@d.s.st/x/y.csv") as stream:
                read = stream.read().decode()
            try:
                session.sql("get @d.s.st/x file:///tmp/").collect()
            except Exception as error:
                return f"{read}; {'Unsupported statement type' in str(error)}"
        """,
    )
    assert caller.run("call files()") == [("a,b; True",)]
