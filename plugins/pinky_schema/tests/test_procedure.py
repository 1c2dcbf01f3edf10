"""Procedures through the real connector on a local account, and values with plain texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.procedure import Procedure
from pinky_schema.procedure_values import Body, Language, Returns, argument_types, import_path, secret_map

from pinky_core import (
    Action,
    Address,
    Context,
    DiagnosticsError,
    Identifier,
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
from pinky_core.resource import Names
from pinky_core.testing import Laboratory, check_resource_type

PLACE = (Identifier("D"), Identifier("S"))
NOTHING = Context(Names(()), {})
HANDLER = "def main(session, a):\n    return f'{a}$$'\n"


class OnlyProcedures:
    """A plugin with the one kind under test."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Procedure]


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
        provider = Provider(connection, registry=make_registry({"procedures": OnlyProcedures()}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def apply(laboratory: Laboratory, *documents: dict[str, Any]) -> list[str]:
    """Apply procedures, check that the second plan is empty, and answer the statements."""
    plan = laboratory.plan({"procedure": documents})
    laboratory.apply(plan, allow=())
    again = laboratory.plan({"procedure": documents})
    assert again.empty, [(change.reason, change.fields) for change in again.changes]
    return [statement.text for statement in plan.statements()]


def sql(name: str = "p", **fields: Any) -> dict[str, Any]:
    return {"name": name, "returns": "VARCHAR", "body": "BEGIN RETURN 'a'; END", **fields}


def python(**fields: Any) -> dict[str, Any]:
    return {
        "name": "p",
        "arguments": [{"name": "a", "type": "int"}],
        "returns": "string",
        "language": "python",
        "runtime_version": "3.11",
        "packages": ["snowflake-snowpark-python", "numpy>=1.2,<3"],
        "handler": "main",
        "body": "def main(session, a):\n    return str(a)\n",
        **fields,
    }


def test_create_in_sql(laboratory: Laboratory) -> None:
    arguments = [{"name": "a", "type": "int"}, {"name": '"b c"', "type": "varchar(10)", "default": "'x'"}]
    fields: dict[str, Any] = {"execute_as": "caller", "comment": "it's", "null_handling": "strict", "secure": True}
    assert apply(laboratory, sql(arguments=arguments, **fields)) == [
        "CREATE SECURE PROCEDURE D.S.P(A NUMBER(38,0), \"b c\" VARCHAR(10) DEFAULT 'x') RETURNS VARCHAR(16777216) "
        "LANGUAGE SQL RETURNS NULL ON NULL INPUT COMMENT = 'it''s' EXECUTE AS CALLER AS $$BEGIN RETURN 'a'; END$$"
    ]


def test_create_in_python(laboratory: Laboratory) -> None:
    (text,) = apply(laboratory, python(imports=["@code/lib/a.py"]))
    assert text == (
        "CREATE PROCEDURE D.S.P(A NUMBER(38,0)) RETURNS VARCHAR(16777216) LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
        "PACKAGES = ('snowflake-snowpark-python', 'numpy>=1.2,<3') IMPORTS = ('@D.S.CODE/lib/a.py') HANDLER = 'main' "
        "AS $$def main(session, a):\n    return str(a)\n$$"
    )


def test_overloads_are_different_procedures(laboratory: Laboratory) -> None:
    one, other = sql(arguments=[{"name": "a", "type": "int"}]), sql(arguments=[{"name": "a", "type": "text"}])
    apply(laboratory, one, other, sql())
    other["body"] = "BEGIN RETURN 'changed'; END"
    (text,) = apply(laboratory, one, other, sql())
    assert text.startswith("CREATE OR REPLACE PROCEDURE D.S.P(A VARCHAR(16777216)) COPY GRANTS")


def test_replace_keeps_grants_and_what_is_not_declared(laboratory: Laboratory) -> None:
    apply(laboratory, python(comment="kept", execute_as="CALLER"))
    laboratory.execute("GRANT USAGE ON PROCEDURE D.S.P(NUMBER) TO ROLE CALLERS")
    plan = laboratory.plan({"procedure": [python(body="def main(session, a):\n  return 1")]})
    (change,) = plan.changes
    assert (change.action, change.risk) == (Action.REPLACE, Risk.SAFE)
    (text,) = apply(laboratory, python(body="def main(session, a):\n  return 1"))
    assert " COPY GRANTS RETURNS " in text
    assert "COMMENT = 'kept' EXECUTE AS CALLER" in text
    grants = laboratory.provider.session.execute("SHOW GRANTS ON PROCEDURE D.S.P(NUMBER)")
    assert ("USAGE", "CALLERS") in {(row["privilege"], row["grantee_name"]) for row in grants}


def test_what_alter_can_do_is_altered(laboratory: Laboratory) -> None:
    apply(laboratory, sql())
    assert apply(laboratory, sql(comment="c", execute_as="CALLER")) == [
        "ALTER PROCEDURE D.S.P() SET COMMENT = 'c'",
        "ALTER PROCEDURE D.S.P() EXECUTE AS CALLER",
    ]
    assert apply(laboratory, sql(comment=None, execute_as=None)) == [
        "ALTER PROCEDURE D.S.P() EXECUTE AS OWNER",
        "ALTER PROCEDURE D.S.P() UNSET COMMENT",
    ]


def test_levels_are_set_after_creation(laboratory: Laboratory) -> None:
    statements = apply(laboratory, sql(log_level="info"))
    assert statements[1:] == ["ALTER PROCEDURE D.S.P() SET LOG_LEVEL = 'INFO'"]
    assert apply(laboratory, sql(log_level=None)) == ["ALTER PROCEDURE D.S.P() UNSET LOG_LEVEL"]


def test_secrets_are_names(laboratory: Laboratory) -> None:
    (text,) = apply(laboratory, python(secrets={"t": "token"}))
    assert "SECRETS = ('t' = D.S.TOKEN)" in text
    assert apply(laboratory, python(secrets={"t": "d.s.TOKEN"})) == []


def test_body_may_hold_dollars(laboratory: Laboratory) -> None:
    (text,) = apply(laboratory, python(body=HANDLER))
    assert text.endswith("AS 'def main(session, a):\n    return f''{a}$$''\n'")


def test_white_space_of_python_counts_and_that_of_sql_does_not(laboratory: Laboratory) -> None:
    apply(laboratory, python(), sql("q"))
    assert apply(laboratory, python(body="\r\ndef main(session, a):\r\n    return str(a)"), sql("q")) == []
    assert len(apply(laboratory, python(body="def main(session, a):\n  return str(a)\n"), sql("q"))) == 1
    changed = sql("q", body="BEGIN  -- a comment\n  RETURN 'a';\nEND")
    assert apply(laboratory, python(body="def main(session, a):\n  return str(a)\n"), changed) == []


def test_body_from_a_file(laboratory: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "p.py").write_text("def main(session, a):\n    return 7\n")
    document = python(body={"file": "code/p.py"})
    manifest = {"scope": "schema", "target": "D.S", "resources": {"procedure": [document]}}
    (tmp_path / "manifest.yml").write_text(json.dumps(manifest))
    plan = laboratory.provider.plan(tmp_path)
    assert plan.statements()[0].text.endswith("AS $$def main(session, a):\n    return 7\n$$")


def test_rename_names_the_new_one_without_types(laboratory: Laboratory) -> None:
    apply(laboratory, python())
    assert apply(laboratory, python(name="r", renamed_from="p")) == ["ALTER PROCEDURE D.S.P(NUMBER) RENAME TO D.S.R"]


def test_arguments_of_the_same_types_under_new_names(laboratory: Laboratory) -> None:
    apply(laboratory, sql(arguments=[{"name": "a", "type": "int"}]))
    (text,) = apply(laboratory, sql(arguments=[{"name": "b", "type": "int", "default": "1"}]))
    assert text.startswith("CREATE OR REPLACE PROCEDURE D.S.P(B NUMBER(38,0) DEFAULT 1) COPY GRANTS")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"language": "python"}, "a Python procedure needs 'runtime_version'"),
        ({"handler": "main"}, "'handler' is for Python"),
        ({"body": None}, "needs a 'body'"),
        ({"arguments": [{"name": "a", "type": "int", "default": "1"}, {"name": "b", "type": "int"}]}, "come last"),
        ({"arguments": [{"name": "a", "type": "int"}, {"name": "A", "type": "int"}]}, "two arguments are named A"),
        ({"arguments": [{"name": "a", "type": "integr"}]}, "did you mean INTEGER"),
        ({"returns": "TABLE (A)"}, "is not a name and a type"),
        ({"language": "cobol"}, "language"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({"procedure": [sql(**fields)]})


@pytest.mark.parametrize(
    ("name", "column", "found"),
    [
        ("P", "P() RETURN VARCHAR", []),
        ("P", "P(NUMBER, DEFAULT VARCHAR) RETURN NUMBER", [("NUMBER", False), ("VARCHAR", True)]),
        ("P", "P(NUMBER(38,0), DEFAULT VARCHAR(20)) RETURN TABLE (A NUMBER)", [("NUMBER", False), ("VARCHAR", True)]),
        ("A(B", "A(B(FLOAT) RETURN FLOAT", [("FLOAT", False)]),
        ("P", "P(NEWTYPE(3), OUT NUMBER) RETURN FLOAT", [("NEWTYPE(3)", False), ("NUMBER", False)]),
        ("P", "P(ARRAY, VECTOR(INT, 3)) RETURN VARIANT", [("ARRAY", False), ("VECTOR(INT, 3)", False)]),
    ],
)
def test_argument_types_of_show_procedures(name: str, column: str, found: list[tuple[str, bool]]) -> None:
    assert argument_types(name, column) == found


@pytest.mark.parametrize(
    ("declared", "told", "same"),
    [
        ("VARCHAR(20)", "VARCHAR", True),  # as it was told before sizes were
        ("VARCHAR(20)", "VARCHAR(16777216)", False),
        ("INT", "NUMBER(38,0)", True),
        ("INT NOT NULL", "NUMBER(38,0)", False),
        ("TABLE (a int, b text)", "TABLE (A NUMBER, B VARCHAR)", True),
        ("TABLE (a int)", "TABLE (A NUMBER, B VARCHAR)", False),
        ("table()", "TABLE ()", True),
    ],
)
def test_return_types(declared: str, told: str, same: bool) -> None:
    assert Returns.parse(declared).means(Returns.parse(told)) is same


def test_body_is_never_cut_short_by_dollars() -> None:
    assert Body("a").sql == "$$a$$"
    assert Body("a$").sql == "'a$'"
    assert Body("\\n$$'").sql == "'\\\\n$$'''"


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("@code/a.py", "@D.S.CODE/a.py"),
        ('@x."my/stage"/a/b.zip', '@D.X."my/stage"/a/b.zip'),
        ("@~/a.py", "@~/a.py"),
        ("@%t/a.py", "@%t/a.py"),
        ("snow://notebook/x", "snow://notebook/x"),
    ],
)
def test_imports_name_their_stage_in_full(text: str, full: str) -> None:
    assert import_path(text, PLACE) == full


def test_secrets_as_they_are_told() -> None:
    assert secret_map('{"a":"\\"D\\".\\"S\\".TOKEN"}') == {"a": '"D"."S".TOKEN'}
    assert secret_map("") == {}


def test_description_of_a_python_procedure_as_snowflake_prints_it() -> None:
    """The spellings of lists differ between releases; none of them is a difference."""
    row = {
        "name": "P",
        "arguments": "P(NUMBER, DEFAULT VARCHAR) RETURN VARCHAR",
        "description": "user-defined procedure",
        "is_secure": "N",
        "is_builtin": "N",
    }
    told = {
        "signature": "(A NUMBER, B VARCHAR)",
        "returns": "VARCHAR",
        "language": "PYTHON",
        "null handling": "CALLED ON NULL INPUT",
        "execute as": "OWNER",
        "body": "\ndef main(s, a, b):\n  return b\n",
        "imports": '[@"D"."S"."CODE"/a.py]',
        "handler": "main",
        "runtime_version": "3.11",
        "packages": "['numpy>=1.2,<3','snowflake-snowpark-python']",
        "installed_packages": "['_libgcc_mutex==0.1']",
        "secrets": '{"t":"\\"D\\".\\"S\\".TOKEN"}',
        "external_access_integrations": "[ONE, TWO]",
    }
    rows = Rows(("property", "value"), list(told.items()))
    live = Procedure.from_raw({**Procedure.from_row(row), **Procedure.from_description(rows)})
    address = Address("procedure", (*PLACE, Identifier("P")), "(NUMBER, VARCHAR)")
    from pinky_core.convert import convert_body

    body, mistakes = convert_body(
        Procedure,
        python(
            arguments=[{"name": "a", "type": "int"}, {"name": "b", "type": "varchar(7)", "default": "'x'"}],
            body="def main(s, a, b):\n  return b",
            imports=["@code/a.py"],
            secrets={"t": "token"},
            external_access_integrations=["two", "one"],
            comment=None,
            secure=False,
            execute_as="owner",
        ),
    )
    assert not mistakes
    assert [change.path for change in body.changes(address, live, NOTHING)] == []


def test_built_in_procedures_are_not_ours() -> None:
    assert not Procedure.lists({"is_builtin": "Y"})
    assert Procedure.lists({"is_builtin": "N"})


@resource("procedure", scope="schema", stateful=False)
class SqlProcedure(Procedure):
    """A procedure that always has a body, as one in SQL must: the laws set every other field to null."""

    body: Body = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE, file=True)


@resource("procedure", scope="schema", stateful=False)
class PythonProcedure(SqlProcedure):
    """The same for Python, which needs more."""

    language: Language = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)
    runtime_version: str = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)
    handler: str = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE)


class Only:
    """A plugin with one kind."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [self._kind]


COMMON = {"returns", "body", "secure", "comment", "execute_as", "null_handling", "log_level"}
BODIES = ("def main(session):\n    return 1\n", "def main(session):\n  '$$ \\n'\n  return 'ü'")


@pytest.mark.parametrize(
    ("kind", "drawn", "fixed"),
    [
        (SqlProcedure, set(), {"body": "BEGIN\n  RETURN 1;\nEND"}),
        (
            PythonProcedure,
            {"language", "runtime_version", "handler", "packages", "imports"},
            {"language": "PYTHON", "runtime_version": "3.11", "handler": "main"},
        ),
    ],
)
def test_laws(laboratory: Laboratory, kind: Any, drawn: set[str], fixed: dict[str, Any]) -> None:
    from hypothesis import strategies as st

    provider = Provider(laboratory.provider.session, registry=make_registry({"procedures": Only(kind)}))
    values: dict[str, st.SearchStrategy[Any]] = {
        "returns": st.sampled_from(("VARCHAR", "NUMBER(10,2) NOT NULL", "TABLE ()", "TABLE (A INT, B TEXT)")),
        "packages": st.sampled_from((["snowflake-snowpark-python"], ["snowflake-snowpark-python", "numpy>=1,<3"])),
        "imports": st.sampled_from((["@code/a.py"], ["@d.s.code/b c.zip", "@CODE/a.py"])),
        "body": st.sampled_from(BODIES),
    }
    check_resource_type(
        kind,
        Laboratory(provider, "schema", "D.S"),
        values={name: value for name, value in values.items() if name not in fixed},
        fixed=fixed,
        skip=set(Procedure.spec.by_name) - drawn - COMMON,
        max_examples=5,
    )
