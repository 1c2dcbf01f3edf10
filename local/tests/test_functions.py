"""User-defined functions in queries.

Against https://docs.snowflake.com/en/sql-reference/sql/create-function and the pages on SQL and Python functions below
https://docs.snowflake.com/en/developer-guide/udf/udf-overview.
"""

from __future__ import annotations

import importlib.util
import json
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from engine_account import Speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine

needs_numpy = pytest.mark.skipif(
    importlib.util.find_spec("numpy") is None, reason="numpy, which DuckDB needs to call Python, is not installed here"
)
PYTHON = "language python runtime_version = '3.11' handler = '{handler}' {more} as $$\n{code}\n$$"


class Caller(Speaker):
    """A session that defines functions and asks for values."""

    def function(self, head: str, code: str, *, handler: str = "main", more: str = "") -> None:
        code = textwrap.dedent(code)
        self.run(f"create or replace function {head} {PYTHON.format(handler=handler, more=more, code=code)}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.result(sql).rows]

    def value(self, expression: str) -> Any:
        ((found,),) = self.rows(f"select {expression}")
        return found


@pytest.fixture
def caller() -> Iterator[Caller]:
    plane = DuckDataPlane()
    engine = CatalogEngine(data=plane)
    made = Caller(engine, engine.login("PINKY", {"warehouse": "COMPUTE_WH"}, {}))
    made.run("use secondary roles none", "create database d", "create schema s", "create table t (a int, b varchar)")
    made.run("insert into t values (1, 'one'), (2, 'two'), (3, null)")
    yield made
    engine.close()
    plane.close()


# SQL -------------------------------------------------------------------------------------------------------------


def test_a_sql_expression_is_computed_for_every_row(caller: Caller) -> None:
    caller.run("create function area(r float) returns float as 'pi() * r * r'")
    assert caller.value("area(1)") == pytest.approx(3.14159265)
    caller.run("create function label(n int, t varchar) returns varchar as $$ n || ':' || coalesce(t, '?') $$")
    assert caller.rows("select label(a, b) from t where label(a, b) <> '1:one' order by a") == [("2:two",), ("3:?",)]
    assert caller.rows("select d.s.label(count(*), 'n') from t") == [("3:n",)]


def test_a_sql_query_is_a_function_of_its_arguments(caller: Caller) -> None:
    caller.run("create function named(n int) returns varchar as 'select b from t where a = n'")
    assert caller.value("named(2)") == "two"
    assert caller.value("named(9)") is None
    assert caller.rows("select a, named(a) from t order by a") == [(1, "one"), (2, "two"), (3, None)]


def test_functions_call_functions_and_recursion_is_refused(caller: Caller) -> None:
    caller.run(
        "create function twice(n int) returns int as '2 * n'",
        "create function four(n int) returns int as 'twice(twice(n))'",
    )
    assert caller.value("four(3)") == 12
    caller.run("create or replace function twice(n int) returns int as 'four(n)'")
    assert caller.refused("select four(1)").errno == 2037


def test_overloads_names_and_defaults(caller: Caller) -> None:
    caller.run(
        "create function add5(n number) returns number as 'n + 5'",
        "create function add5(s varchar) returns varchar as $$ s || '5' $$",
        "create function joined(a varchar, b varchar default 'x' || 'y') returns varchar as 'a || b'",
    )
    assert [caller.value(f"add5({sql})") for sql in ("1", "'1'", "'2014-01-01'::date", "s => 1")] == [
        6, "15", "2014-01-015", "15",
    ]  # fmt: skip
    assert [caller.value(f"joined({sql})") for sql in ("'a'", "b => 'b', a => 'a'")] == ["axy", "ab"]
    assert caller.refused("select add5(1, 2)").errno == 1044
    assert caller.refused("select no_such_function(1)").errno == 2


def test_a_function_reads_with_its_owners_privileges(caller: Caller) -> None:
    caller.run(
        "create function total() returns int as 'select sum(a) from t'", "create role r", "grant role r to user pinky",
        "grant usage on database d to role r", "grant usage on schema d.s to role r",
        "grant usage on warehouse compute_wh to role r",
    )  # fmt: skip
    other = Caller(caller.engine, caller.engine.login("PINKY", {"role": "R", "warehouse": "COMPUTE_WH"}, {}))
    other.run("use secondary roles none")
    assert other.refused("select d.s.total()").errno == 2
    caller.run("grant usage on function total() to role r")
    assert other.value("d.s.total()") == 6
    assert other.refused("select * from d.s.t").errno == 2003


def test_a_table_function_in_sql(caller: Caller) -> None:
    caller.run("create function upto(n int) returns table (num int, name varchar) as 'select a, b from t where a <= n'")
    assert caller.rows("select num, name from table(upto(2)) order by num") == [(1, "one"), (2, "two")]
    rows = caller.rows("select t.a, f.num from t, table(d.s.upto(t.a)) f order by 1, 2")
    assert rows == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]
    assert caller.refused("select upto(1)").errno == 2140


def test_views_use_functions(caller: Caller) -> None:
    caller.run("create function twice(n int) returns int as '2 * n'", "create view v as select twice(a) x from t")
    assert caller.rows("select sum(x) from v") == [(12,)]


# Python ----------------------------------------------------------------------------------------------------------


def test_a_python_function_of_constants(caller: Caller) -> None:
    caller.function("up(t varchar) returns varchar", "def main(t): return None if t is None else t.upper()")
    assert caller.value("up('abc')") == "ABC"
    assert caller.value("up(null)") is None
    assert caller.value("length(up('it''s' || 'x'))") == 5
    assert caller.run("describe function up(varchar)")


@pytest.mark.parametrize(
    ("kind", "given", "seen"),
    [
        ("number", "12", "int 12"),
        ("number(10, 2)", "1.5", "Decimal 1.50"),
        ("float", "1.5", "float 1.5"),
        ("boolean", "true", "bool True"),
        ("date", "'2024-02-03'::date", "date 2024-02-03"),
        ("time", "'01:02:03.5'::time", "time 01:02:03.500000"),
        ("binary", "to_binary('AB', 'HEX')", "bytes b'\\xab'"),
        ("timestamp_ntz", "'2024-02-03 04:05:06'::timestamp_ntz", "datetime 2024-02-03 04:05:06"),
        ("timestamp_tz", "'2024-02-03 04:05:06 +0200'::timestamp_tz", "datetime 2024-02-03 04:05:06+02:00"),
        ("timestamp_ltz", "'2024-02-03 04:05:06 +0000'::timestamp_ltz", "datetime 2024-02-03 04:05:06"),
        ("array", "array_construct(1, 'x')", "list [1, 'x']"),
        ("object", "object_construct('k', 1)", "dict {'k': 1}"),
        ("variant", "parse_json('{\"a\": null}')", "dict {'a': None}"),
    ],
)
def test_values_pass_both_ways(caller: Caller, kind: str, given: str, seen: str) -> None:
    caller.run("alter session set timezone = 'UTC'")
    caller.function(f"see(a {kind}) returns varchar", "def main(a): return f'{type(a).__name__} {a}'")
    caller.function(f"same(a {kind}) returns {kind}", "def main(a): return a")
    assert caller.value(f"see({given})") == seen
    assert caller.value(f"same({given})") == caller.value(f"({given})::{kind}")
    assert caller.value("same(null)") is None


def test_null_handling_of_python(caller: Caller) -> None:
    caller.function("f(a int) returns varchar", "def main(a): return 'ran'", more="returns null on null input")
    assert (caller.value("f(null)"), caller.value("f(1)")) == (None, "ran")
    caller.function("g(a int) returns varchar not null", "def main(a): return None")
    assert caller.refused("select g(1)").errno == 100132


def test_errors_of_python(caller: Caller) -> None:
    caller.function("f(a int) returns int", "def main(a):\n    return 1 / a")
    error = caller.refused("select f(0)")
    assert error.errno == 100357
    assert 'File "_udf_code.py", line 3, in main' in error.message
    assert "ZeroDivisionError: division by zero\n in function F with handler main" in error.message
    assert "expected int or Decimal" in caller.refused("select f(2)").message
    caller.run(
        "create aggregate function agg(a int) returns int " + PYTHON.format(handler="A", more="", code="class A: ...")
    )
    assert caller.one("show user functions like 'agg'")["is_aggregate"] == "Y"
    assert caller.refused("select agg(1)").errno == 2


@needs_numpy
def test_a_python_function_over_rows(caller: Caller) -> None:
    caller.function("f(a int, b varchar) returns variant", "def main(a, b): return {'a': a, 'b': b}")
    found = caller.rows("select f(a, b) from t order by a")
    assert [json.loads(one) for (one,) in found] == [{"a": 1, "b": "one"}, {"a": 2, "b": "two"}, {"a": 3, "b": None}]
    caller.run(
        "begin", "create or replace table u as select f(a, b):a::int x from t", "update u set x = f(x, 'n'):a + 1"
    )
    assert caller.rows("select sum(x) from u where f(x, 'y'):a > 2") == [(7,)]
    caller.function("bad(a int) returns int", "def main(a): return 1 // (a - 2)")
    error = caller.refused("select bad(a) from t")
    assert (error.errno, "ZeroDivisionError" in error.message) == (100357, True)


def test_without_numpy_rows_are_refused_by_name(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    caller.function("f(a int) returns int", "def main(a): return a")
    assert "pinky-local[functions]" in caller.refused("select f(a) from t").message
    assert caller.value("f(1)") == 1


def test_a_python_table_function(caller: Caller) -> None:
    caller.function(
        "parts(t varchar, n int) returns table (part varchar, day date)",
        """
        from datetime import date
        class Parts:
            def process(self, t, n):
                self.last = t
                for piece in t.split(","):
                    yield piece, date(2024, 1, n)
            def end_partition(self):
                yield self.last, None
        """,
        handler="Parts",
    )
    rows = caller.rows("select part, day from table(parts('a,b', 2))")
    assert rows == [("a", date(2024, 1, 2)), ("b", date(2024, 1, 2)), ("a,b", None)]


@needs_numpy
def test_a_python_table_function_joined_to_rows(caller: Caller) -> None:
    code = "class Letters:\n    def process(self, t):\n        return [(one,) for one in t or '']"
    caller.function("letters(t varchar) returns table (letter varchar)", code, handler="Letters")
    rows = caller.rows("select a, letter from t, table(letters(b)) order by a, letter limit 3")
    assert rows == [(1, "e"), (1, "n"), (1, "o")]


def test_files_of_stages_are_read_by_scoped_url(caller: Caller, tmp_path: Path) -> None:
    caller.run("create stage st")
    source = tmp_path / "q.csv"
    source.write_bytes(b"x,y\n1,2\n")
    stage = caller.engine.account
    _put(caller, "st", "p/q.csv", source.read_bytes())
    caller.function(
        "size_of(url varchar) returns int",
        """
        from snowflake.snowpark.files import SnowflakeFile
        def main(url):
            with SnowflakeFile.open(url, "rb") as file:
                return len(file.read())
        """,
    )
    caller.function(
        "lines(url varchar) returns array",
        """
        from snowflake.snowpark.files import SnowflakeFile
        def main(url):
            with SnowflakeFile.open(url) as file:
                return [line.strip() for line in file]
        """,
    )
    assert stage.open_session is None
    assert caller.value("size_of(build_scoped_file_url(@d.s.st, 'p/q.csv'))") == 8
    assert json.loads(caller.value("lines(build_scoped_file_url(@st, 'p/q.csv'))")) == ["x,y", "1,2"]
    assert "was not found" in caller.refused("select size_of(build_scoped_file_url(@st, 'none'))").message
    assert "scoped URL is required" in caller.refused("select size_of('@st/p/q.csv')").message


def test_imports_are_modules_and_files(caller: Caller) -> None:
    caller.run("create stage code")
    _put(caller, "code", "lib/tools_of_a_test.py", b"def double(x):\n    return 2 * x\n")
    _put(caller, "code", "words.txt", b"hello")
    caller.function(
        "f(a int) returns varchar",
        """
        import sys
        import tools_of_a_test
        from pathlib import Path
        def main(a):
            folder = sys._xoptions["snowflake_import_directory"]
            return Path(folder + "words.txt").read_text() + str(tools_of_a_test.double(a))
        """,
        more="imports = ('@code/lib/tools_of_a_test.py', '@d.s.code/words.txt')",
    )
    assert caller.value("f(4)") == "hello8"
    caller.run(
        "create function g(a int) returns int language python runtime_version = '3.11' "
        "handler = 'tools_of_a_test.double' imports = ('@code/lib/tools_of_a_test.py')"
    )
    assert caller.value("g(5)") == 10


def _put(caller: Caller, stage: str, key: str, content: bytes) -> None:
    from pinky_local.engine import stage_places
    from pinky_local.engine.statement import Statement

    account = caller.engine.account
    found = Statement(account, caller.session, "SELECT 1", (), "").find("stage", (stage.upper(),))
    stage_places.place_of(account, found).write(key, [content])
