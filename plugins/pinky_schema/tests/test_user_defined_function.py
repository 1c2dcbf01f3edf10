"""User-defined functions through the real connector on a local account, and texts that only Snowflake prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.grant import Grant
from pinky_schema.procedure_values import Body, Language
from pinky_schema.table import Table
from pinky_schema.user_defined_function import UserDefinedFunction, Volatility
from pinky_schema.view import View

from pinky_core import (
    Action,
    Address,
    Context,
    DiagnosticsError,
    Identifier,
    Names,
    OnChange,
    Provider,
    Risk,
    Rows,
    Source,
    hookimpl,
    make_registry,
    prop,
    resource,
)
from pinky_core.convert import convert_body
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

PLACE = (Identifier("D"), Identifier("S"))
NOTHING = Context(Names(()), {})
KIND = "user_defined_function"


class Functions:
    """A plugin with the kind under test and those that use functions."""

    def __init__(self, *kinds: Any) -> None:
        self._kinds = kinds

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return list(self._kinds)


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D",
            "CREATE SCHEMA D.S",
            "CREATE STAGE D.S.CODE",
            "CREATE ROLE CALLERS",
            "CREATE SECRET D.S.TOKEN TYPE = GENERIC_STRING SECRET_STRING = 'x'",
        ):
            connection.cursor().execute(statement)
        registry = make_registry({"functions": Functions(UserDefinedFunction, Table, View, Grant)})
        yield Laboratory(Provider(connection, registry=registry), "schema", "D.S")
        assert not account.internal_errors


def apply(laboratory: Laboratory, *documents: dict[str, Any], **others: Any) -> list[str]:
    """Apply functions, check that the second plan is empty, and answer the statements."""
    resources = {KIND: documents, **others}
    plan = laboratory.plan(resources)
    laboratory.apply(plan, allow=())
    again = laboratory.plan(resources)
    assert again.empty, [(change.reason, change.fields) for change in again.changes]
    return [statement.text for statement in plan.statements()]


def created(*documents: dict[str, Any]) -> list[str]:
    """What an account in which nothing is there would be sent."""
    registry = make_registry({"functions": Functions(UserDefinedFunction)})
    answers = {"SHOW DATABASES.*": [{"name": "D"}], "SHOW SCHEMAS.*": [{"name": "S"}]}
    provider = Provider(FakeSession(answers), registry=registry)
    return [each.text for each in Laboratory(provider, "schema", "D.S").plan({KIND: documents}).statements()]


def sql(name: str = "f", **fields: Any) -> dict[str, Any]:
    return {"name": name, "arguments": [{"name": "a", "type": "int"}], "returns": "int", "body": "a + 1", **fields}


def python(name: str = "f", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "arguments": [{"name": "a", "type": "int"}],
        "returns": "string",
        "language": "python",
        "runtime_version": "3.12",
        "handler": "main",
        "body": "def main(a):\n    return str(a)\n",
        **fields,
    }


# -- statements --------------------------------------------------------------------------------------------------------


def test_create_in_sql_keeps_to_its_syntax(laboratory: Laboratory) -> None:
    arguments = [{"name": "a", "type": "int"}, {"name": '"b c"', "type": "varchar(10)", "default": "'x'"}]
    fields: dict[str, Any] = {"volatility": "immutable", "memoizable": True, "comment": "it's", "secure": True}
    assert apply(laboratory, sql(arguments=arguments, null_handling="CALLED ON NULL INPUT", **fields)) == [
        "CREATE SECURE FUNCTION D.S.F(A NUMBER(38,0), \"b c\" VARCHAR(10) DEFAULT 'x') RETURNS NUMBER(38,0) "
        "IMMUTABLE MEMOIZABLE COMMENT = 'it''s' AS $$a + 1$$"
    ]


def test_create_in_python(laboratory: Laboratory) -> None:
    fields: dict[str, Any] = {"packages": ["numpy>=1.2,<3"], "imports": ["@code/lib/a.py"], "null_handling": "strict"}
    assert apply(laboratory, python(volatility="IMMUTABLE", **fields)) == [
        "CREATE FUNCTION D.S.F(A NUMBER(38,0)) RETURNS VARCHAR(16777216) LANGUAGE PYTHON RETURNS NULL ON NULL INPUT "
        "IMMUTABLE RUNTIME_VERSION = '3.12' PACKAGES = ('numpy>=1.2,<3') IMPORTS = ('@D.S.CODE/lib/a.py') "
        "HANDLER = 'main' AS $$def main(a):\n    return str(a)\n$$"
    ]


def test_a_python_function_may_need_no_package_and_no_body(laboratory: Laboratory) -> None:
    document = python(imports=["@code/lib/a.py"], handler="a.main")
    del document["body"]
    assert apply(laboratory, document) == [
        "CREATE FUNCTION D.S.F(A NUMBER(38,0)) RETURNS VARCHAR(16777216) LANGUAGE PYTHON RUNTIME_VERSION = '3.12' "
        "IMPORTS = ('@D.S.CODE/lib/a.py') HANDLER = 'a.main'"
    ]


def test_table_functions_name_their_columns(laboratory: Laboratory) -> None:
    (text,) = apply(laboratory, sql(returns="table (id int, name varchar(20))", body="SELECT 1, 'a'"))
    assert text == (
        "CREATE FUNCTION D.S.F(A NUMBER(38,0)) RETURNS TABLE (ID NUMBER(38,0), NAME VARCHAR(20)) AS $$SELECT 1, 'a'$$"
    )
    (text,) = apply(laboratory, sql(returns="table (id int)", body="SELECT 1"))
    assert text.startswith("CREATE OR REPLACE FUNCTION D.S.F(A NUMBER(38,0)) COPY GRANTS RETURNS TABLE (ID ")


def test_everything_a_python_function_can_have_is_in_its_statement() -> None:
    document = python(
        aggregate=True,
        secure=True,
        artifact_repository="snowflake.snowpark.pypi_shared_repository",
        packages=["pandas"],
        external_access_integrations=["web"],
        secrets={"t": "token"},
        comment="c",
        log_level="debug",
        trace_level="always",
        metric_level="all",
    )
    assert created(document) == [
        "CREATE SECURE AGGREGATE FUNCTION D.S.F(A NUMBER(38,0)) RETURNS VARCHAR(16777216) LANGUAGE PYTHON "
        "RUNTIME_VERSION = '3.12' ARTIFACT_REPOSITORY = SNOWFLAKE.SNOWPARK.PYPI_SHARED_REPOSITORY "
        "PACKAGES = ('pandas') HANDLER = 'main' EXTERNAL_ACCESS_INTEGRATIONS = (WEB) SECRETS = ('t' = D.S.TOKEN) "
        "COMMENT = 'c' AS $$def main(a):\n    return str(a)\n$$",
        "ALTER FUNCTION D.S.F(NUMBER) SET LOG_LEVEL = 'DEBUG', TRACE_LEVEL = 'ALWAYS', METRIC_LEVEL = 'ALL'",
    ]


def test_what_alter_can_do_is_altered(laboratory: Laboratory) -> None:
    apply(laboratory, sql())
    assert apply(laboratory, sql(comment="c", secure=True, log_level="info")) == [
        "ALTER FUNCTION D.S.F(NUMBER) SET COMMENT = 'c'",
        "ALTER FUNCTION D.S.F(NUMBER) SET LOG_LEVEL = 'INFO'",
        "ALTER FUNCTION D.S.F(NUMBER) SET SECURE",
    ]
    assert apply(laboratory, sql(comment=None, secure=False, log_level=None)) == [
        "ALTER FUNCTION D.S.F(NUMBER) UNSET SECURE",
        "ALTER FUNCTION D.S.F(NUMBER) UNSET COMMENT",
        "ALTER FUNCTION D.S.F(NUMBER) UNSET LOG_LEVEL",
    ]


def test_replace_keeps_grants_and_what_is_not_declared(laboratory: Laboratory) -> None:
    apply(laboratory, python(comment="kept", secure=True, volatility="IMMUTABLE", packages=["numpy"]))
    laboratory.execute("GRANT USAGE ON FUNCTION D.S.F(NUMBER) TO ROLE CALLERS")
    changed = python(body="def main(a):\n  return '1'")
    (change,) = laboratory.plan({KIND: [changed]}).changes
    assert (change.action, change.risk) == (Action.REPLACE, Risk.SAFE)
    (text,) = apply(laboratory, changed)
    assert text.startswith("CREATE OR REPLACE SECURE FUNCTION D.S.F(A NUMBER(38,0)) COPY GRANTS RETURNS ")
    assert " IMMUTABLE RUNTIME_VERSION = '3.12' PACKAGES = ('numpy') HANDLER = 'main' COMMENT = 'kept' AS " in text
    grants = laboratory.provider.session.execute("SHOW GRANTS ON FUNCTION D.S.F(NUMBER)")
    assert ("USAGE", "CALLERS") in {(row["privilege"], row["grantee_name"]) for row in grants}


def test_another_language_takes_over_nothing_of_the_former(laboratory: Laboratory) -> None:
    apply(laboratory, python(packages=["numpy"], null_handling="STRICT", comment="kept"))
    (text,) = apply(laboratory, sql(returns="string", body="a::VARCHAR"))
    assert text == (
        "CREATE OR REPLACE FUNCTION D.S.F(A NUMBER(38,0)) COPY GRANTS RETURNS VARCHAR(16777216) COMMENT = 'kept' "
        "AS $$a::VARCHAR$$"
    )


def test_rename_names_the_new_one_without_types(laboratory: Laboratory) -> None:
    apply(laboratory, sql())
    assert apply(laboratory, sql("g", renamed_from="f")) == ["ALTER FUNCTION D.S.F(NUMBER) RENAME TO D.S.G"]


def test_overloads_are_different_functions(laboratory: Laboratory) -> None:
    one, other = sql(), sql(arguments=[{"name": "a", "type": "text"}], body="1")
    apply(laboratory, one, other)
    (text,) = apply(laboratory, one, {**other, "body": "2"})
    assert text.startswith("CREATE OR REPLACE FUNCTION D.S.F(A VARCHAR(16777216)) COPY GRANTS")


def test_optional_arguments_exclude_overloads(laboratory: Laboratory) -> None:
    optional = sql(arguments=[{"name": "a", "type": "text", "default": "'x'"}], body="1")
    with pytest.raises(DiagnosticsError, match="no other function of this name"):
        laboratory.plan({KIND: [sql(), optional]})


def test_body_from_a_file(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "f.sql").write_text("a * 2\n")
    manifest = {"scope": "schema", "target": "D.S", "resources": {KIND: [sql(body={"file": "f.sql"})]}}
    (tmp_path / "manifest.yml").write_text(json.dumps(manifest))
    assert laboratory.provider.plan(tmp_path).statements()[0].text.endswith("AS $$a * 2\n$$")


def test_comments_and_white_space_of_sql_are_no_difference(laboratory: Laboratory) -> None:
    apply(laboratory, sql())
    assert apply(laboratory, sql(body="\n  a  -- the argument\n  + 1\n")) == []


# -- order and grants --------------------------------------------------------------------------------------------------


def test_a_function_is_made_before_what_calls_it_and_after_what_it_reads(laboratory: Laboratory) -> None:
    statements = apply(
        laboratory,
        sql("z", arguments=[], returns="int", body="SELECT MAX(id) FROM t"),
        sql("y", returns="table (id int)", body="SELECT z()"),
        table=[{"name": "t", "columns": [{"name": "id", "type": "int"}]}],
        view=[{"name": "a", "query": "SELECT id FROM TABLE(y(1))"}],
    )
    heads = [text.split(" ")[1] + " " + text.split(" ")[2].split("(")[0] for text in statements]
    assert heads == ["TABLE D.S.T", "FUNCTION D.S.Z", "FUNCTION D.S.Y", "VIEW D.S.A"]


def test_a_default_that_calls_a_function_needs_it() -> None:
    table, mistakes = convert_body(Table, {"columns": [{"name": "id", "type": "int", "default": "f(1)"}]})
    assert table is not None, mistakes
    function = Address(KIND, (*PLACE, Identifier("F")), "(NUMBER)")
    assert function in set(table.needs(Address("table", (*PLACE, Identifier("T"))), Names([function])))


def test_a_function_is_no_need_of_its_own_overloads() -> None:
    body, mistakes = convert_body(UserDefinedFunction, sql(body="f('a') + f(a::FLOAT)"))
    assert body is not None, mistakes
    overloads = [Address(KIND, (*PLACE, Identifier("F")), f"({each})") for each in ("NUMBER", "VARCHAR", "FLOAT")]
    assert list(body.needs(overloads[0], Names(overloads))) == []


def test_usage_is_granted_on_a_function_once_it_is_there(laboratory: Laboratory) -> None:
    grant = {"privilege": "USAGE", "on": {"function": "f(int)"}, "to_role": "callers"}
    statements = apply(laboratory, sql(), grant=[grant])
    assert statements[-1] == "GRANT USAGE ON FUNCTION D.S.F(NUMBER) TO ROLE CALLERS"
    assert len(apply(laboratory, sql(body="a + 2"), grant=[grant])) == 1  # nothing to grant again


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (sql(language="python"), "a Python function needs 'runtime_version'"),
        (sql(handler="main"), "'handler' is for Python; this function is written in SQL"),
        (sql(body=None), "a SQL function needs a 'body'"),
        (sql(null_handling="STRICT"), "a function in SQL is always called"),
        (sql(secrets={"a": "b"}), "'secrets' is for functions in Python"),
        (sql(aggregate=True), "'aggregate' is for functions in Python"),
        (sql(returns="TABLE ()"), "names its columns"),
        (sql(returns="TABLE (A INT)", memoizable=True), "only a scalar function is memoizable"),
        (python(memoizable=True), "'memoizable' is for functions in SQL"),
        (python(returns="TABLE (A INT)", aggregate=True), "returns one value"),
        (python(aggregate=True, volatility="IMMUTABLE"), "cannot be IMMUTABLE"),
        (python(volatility="STABLE"), "volatility"),
        (python(execute_as="OWNER"), "execute_as"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, document: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({KIND: [document]})


# -- reading -----------------------------------------------------------------------------------------------------------


def test_description_of_a_python_function_as_snowflake_prints_it() -> None:
    row = {
        "name": "F",
        "arguments": "F(NUMBER) RETURN VARCHAR",
        "description": "user-defined function",
        "is_builtin": "N",
        "is_aggregate": "Y",
        "is_secure": "N",
        "is_memoizable": "N",
        "is_external_function": "N",
        "is_data_metric": "N",
        "language": "PYTHON",
    }
    told = {
        "signature": "(A NUMBER)",
        "returns": "VARCHAR",
        "language": "PYTHON",
        "null handling": "CALLED ON NULL INPUT",
        "volatility": "VOLATILE",
        "body": "\nclass Main: ...\n",
        "imports": "[]",
        "handler": "Main",
        "runtime_version": "3.12",
        "packages": "['numpy']",
        "installed_packages": "['numpy==2.1.0']",
        "is_aggregate": "true",
    }
    rows = Rows(("property", "value"), list(told.items()))
    live = UserDefinedFunction.from_raw(
        {**UserDefinedFunction.from_row(row), **UserDefinedFunction.from_description(rows)}
    )
    assert live.volatility is Volatility.VOLATILE
    wanted = python(handler="Main", packages=["numpy"], body="class Main: ...", aggregate=True, imports=[])
    body, mistakes = convert_body(UserDefinedFunction, {**wanted, "null_handling": None, "volatility": None})
    assert body is not None, mistakes
    address = Address(KIND, (*PLACE, Identifier("F")), "(NUMBER)")
    assert list(body.changes(address, live, NOTHING)) == []


def test_a_sql_function_tells_neither_null_handling_nor_volatility() -> None:
    """The four properties of the example on the page of DESCRIBE FUNCTION."""
    told = [("signature", "(a NUMBER(38,0))"), ("returns", "NUMBER(38,0)"), ("language", "SQL"), ("body", "a + 1")]
    live = UserDefinedFunction.from_raw(UserDefinedFunction.from_description(Rows(("property", "value"), told)))
    body, mistakes = convert_body(
        UserDefinedFunction, sql(volatility="IMMUTABLE", null_handling="CALLED ON NULL INPUT")
    )
    assert body is not None, mistakes
    address = Address(KIND, (*PLACE, Identifier("F")), "(NUMBER)")
    assert list(body.changes(address, live, NOTHING)) == []


@pytest.mark.parametrize("column", ["is_builtin", "is_external_function", "is_data_metric"])
def test_what_is_no_function_of_this_kind_is_not_listed(column: str) -> None:
    assert UserDefinedFunction.lists({"is_builtin": "N"})
    assert not UserDefinedFunction.lists({"is_builtin": "N", column: "Y"})


def test_the_body_of_anothers_secure_function_is_no_difference() -> None:
    body, _ = convert_body(UserDefinedFunction, sql())
    live = UserDefinedFunction.from_raw({"body": None, "secure": "Y"})
    address = Address(KIND, (*PLACE, Identifier("F")), "(NUMBER)")
    assert body is not None
    assert [each.code for each in body.check(address, live, NOTHING)] == ["not-visible"]


# -- laws --------------------------------------------------------------------------------------------------------------


@resource(KIND, scope="schema", sql="FUNCTION", plural="USER FUNCTIONS", stateful=False)
class SqlFunction(UserDefinedFunction):
    """A function that always has a body, as one in SQL must: the laws set every other field to null."""

    body: Body = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE, file=True)


@resource(KIND, scope="schema", sql="FUNCTION", plural="USER FUNCTIONS", stateful=False)
class PythonFunction(SqlFunction):
    """The same for Python, which needs more."""

    language: Language = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)
    runtime_version: str = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)
    handler: str = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)


COMMON = {"returns", "body", "secure", "comment", "log_level", "trace_level", "metric_level"}
BODIES = ("def main():\n    return 1\n", "def main():\n  '$$ \\n'\n  return 'ü'")
PYTHON = {"language": "PYTHON", "runtime_version": "3.12", "handler": "main"}


@pytest.mark.parametrize(
    ("kind", "drawn", "fixed"),
    [
        (SqlFunction, {"memoizable"}, {"body": "SELECT 1", "returns": "INT"}),
        (SqlFunction, {"volatility"}, {"body": "SELECT 1, 'a'", "returns": "TABLE (A INT, B TEXT)"}),
        (PythonFunction, {*PYTHON, "packages", "imports", "volatility", "null_handling"}, PYTHON),
        (PythonFunction, {*PYTHON, "aggregate"}, PYTHON),
    ],
)
def test_laws(laboratory: Laboratory, kind: Any, drawn: set[str], fixed: dict[str, Any]) -> None:
    from hypothesis import strategies as st

    returns = ("VARCHAR", "NUMBER(10,2) NOT NULL") + (() if "aggregate" in drawn else ("TABLE (A INT, B TEXT)",))
    provider = Provider(laboratory.provider.session, registry=make_registry({"functions": Functions(kind)}))
    values: dict[str, st.SearchStrategy[Any]] = {
        "returns": st.sampled_from(returns),
        "packages": st.sampled_from((["numpy"], ["pandas", "numpy>=1,<3"])),
        "imports": st.sampled_from((["@code/a.py"], ["@d.s.code/b c.zip", "@CODE/a.py"])),
        "body": st.sampled_from(BODIES),
    }
    check_resource_type(
        kind,
        Laboratory(provider, "schema", "D.S"),
        values={name: value for name, value in values.items() if name not in fixed},
        fixed=fixed,
        skip=set(UserDefinedFunction.spec.by_name) - drawn - COMMON,
        max_examples=5,
    )
