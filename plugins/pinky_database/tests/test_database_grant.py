from __future__ import annotations

import subprocess
import sys
from typing import Any

import pinky_database
import pytest
from pinky_database.database_grant import DatabaseGrant
from pinky_database.grants import Grant, ObjectName, said_by
from pinky_database.held import object_name, signature_of
from pinky_database.object_types import OBJECT_TYPES, SCHEMA, privilege_of

from pinky_core import (
    Address,
    DiagnosticsError,
    Identifier,
    Provider,
    Registry,
    Resource,
    Risk,
    hookimpl,
    make_registry,
    plan_from_json,
    plan_to_json,
    resource,
)
from pinky_core.testing import FakeSession, Laboratory

VISIBLE: dict[str, Any] = {
    "SHOW DATABASES": [{"name": "D"}],
    "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}, {"name": "PUBLIC"}, {"name": "INFORMATION_SCHEMA"}],
}


def held(*values: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"privilege": p, "granted_on": o, "name": n, "grant_option": "false"} for p, o, n in values]


def future(*values: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"privilege": p, "grant_on": o, "name": n, "grant_option": "true"} for p, o, n in values]


def plan(registry: Registry, *grants: dict[str, Any], answers: dict[str, Any] | None = None) -> list[str]:
    session = FakeSession({**VISIBLE, **(answers or {})})
    laboratory = Laboratory(Provider(session, registry=registry), "database", "D")
    return [each.text for each in laboratory.plan({"database_grant": list(grants)}).statements()]


def to_role(privilege: str, **on: str) -> dict[str, Any]:
    return {"privilege": privilege, "on": on, "to_role": "r"}


def to_database_role(privilege: str, **on: str) -> dict[str, Any]:
    return {"privilege": privilege, "on": on, "to_database_role": "x"}


def test_statements_name_everything_in_full(registry: Registry) -> None:
    assert sorted(
        plan(
            registry,
            to_role("usage", database="d"),
            to_database_role("create table", schema='"My s"'),
            {**to_role("select", future="tables", in_schema="s"), "with_grant_option": True},
            to_database_role("usage", future="schemas", in_database="d"),
            {"database_role": "x", "to_role": "r"},
            {"database_role": "x", "to_database_role": "y"},
            answers={"SHOW SCHEMAS IN DATABASE D": [{"name": "S"}, {"name": "My s"}]},
        )
    ) == [
        'GRANT CREATE TABLE ON SCHEMA D."My s" TO DATABASE ROLE D.X',
        "GRANT DATABASE ROLE D.X TO DATABASE ROLE D.Y",
        "GRANT DATABASE ROLE D.X TO ROLE R",
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA D.S TO ROLE R WITH GRANT OPTION",
        "GRANT USAGE ON DATABASE D TO ROLE R",
        "GRANT USAGE ON FUTURE SCHEMAS IN DATABASE D TO DATABASE ROLE D.X",
    ]


def test_what_is_held_is_not_granted_again(registry: Registry) -> None:
    answers = {
        "SHOW GRANTS TO ROLE R": held(("USAGE", "DATABASE", "D"), ("USAGE", "SCHEMA", "D.S")),
        "SHOW FUTURE GRANTS TO ROLE R": future(("SELECT", "TABLE", "D.S.<TABLE>"), ("USAGE", "SCHEMA", "D.<SCHEMA>")),
        "SHOW FUTURE GRANTS TO DATABASE ROLE D.X": future(("SELECT", "MATERIALIZED_VIEW", "D.<MATERIALIZED_VIEW>")),
    }
    wanted = [
        to_role("usage", database="d"),
        to_role("usage", schema="s"),
        to_role("select", future="tables", in_schema="s"),
        to_role("usage", future="schemas", in_database="d"),
        to_database_role("select", future="materialized_views", in_database="d"),
    ]
    assert plan(registry, *wanted, answers=answers) == []


def test_a_future_grant_on_the_database_is_not_one_on_the_schema(registry: Registry) -> None:
    answers = {"SHOW FUTURE GRANTS TO ROLE R": future(("SELECT", "TABLE", "D.<TABLE>"))}
    assert plan(registry, to_role("select", future="tables", in_schema="s"), answers=answers) == [
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA D.S TO ROLE R"
    ]


def test_all_privileges_are_spelled_out_by_type_and_by_who_gets_them(registry: Registry) -> None:
    assert plan(registry, to_database_role("ALL", database="d")) == [
        "GRANT CREATE SCHEMA, MODIFY, MONITOR, USAGE ON DATABASE D TO DATABASE ROLE D.X"
    ]
    missing = [each for each in SCHEMA.privileges if each not in ("CREATE TABLE", "USAGE")]
    have = [(each, "SCHEMA", "D.S") for each in missing]
    answers = {"SHOW GRANTS TO ROLE R": held(*have)}
    assert plan(registry, to_role("all privileges", schema="s"), answers=answers) == [
        "GRANT CREATE TABLE, USAGE ON SCHEMA D.S TO ROLE R"
    ]
    assert not [each for each in SCHEMA.privileges if "SNOWFLAKE." in each or each == "MANAGE GRANTS"]


@pytest.mark.parametrize("granted_on", ["VIEW", "TABLE"])
def test_views_may_show_as_tables(registry: Registry, granted_on: str) -> None:
    answers = {
        "SHOW VIEWS IN SCHEMA D.S": [{"name": "V", "is_materialized": "false"}, {"name": "W"}, {"name": "v v"}],
        "SHOW GRANTS TO ROLE R": held(("SELECT", granted_on, "D.S.V"), ("SELECT", granted_on, 'D.S."v v"')),
    }
    assert plan(registry, to_role("select", all="views", in_schema="s"), answers=answers) == [
        "GRANT SELECT ON VIEW D.S.W TO ROLE R"
    ]


def test_all_tables_are_tables_and_nothing_else_that_show_tables_lists(registry: Registry) -> None:
    names = ["T", "EXT", "EVT", "ICE", "DYN", "TMP", "HYB"]
    flags = [{}, {"is_external": "Y"}, {"is_event": "Y"}, {"is_iceberg": "Y"}, {"is_dynamic": "Y"}]
    flags += [{"kind": "TEMPORARY"}, {"is_hybrid": "Y"}]
    rows = [{"name": name, "schema_name": "S", **flag} for name, flag in zip(names, flags, strict=True)]
    rows.append({"name": "TABLES", "schema_name": "INFORMATION_SCHEMA"})
    for on in ({"in_schema": "s"}, {"in_database": "d"}):
        answers = {"SHOW TABLES IN (SCHEMA D.S|DATABASE D)": rows}
        assert plan(registry, to_role("select", all="tables", **on), answers=answers) == [
            "GRANT SELECT ON TABLE D.S.HYB TO ROLE R",
            "GRANT SELECT ON TABLE D.S.T TO ROLE R",
        ]


def test_hybrid_tables_have_fewer_privileges(registry: Registry) -> None:
    answers = {"SHOW TABLES IN SCHEMA D.S": [{"name": "H", "is_hybrid": "Y"}]}
    assert plan(registry, to_role("all", all="tables", in_schema="s"), answers=answers) == [
        "GRANT APPLYBUDGET, DELETE, INSERT, REFERENCES, SELECT, TRUNCATE, UPDATE ON TABLE D.S.H TO ROLE R"
    ]


def test_stages_take_the_privileges_of_their_place(registry: Registry) -> None:
    answers = {"SHOW STAGES IN SCHEMA D.S": [{"name": "I", "type": "INTERNAL"}, {"name": "E", "type": "EXTERNAL"}]}
    assert plan(registry, to_role("all", all="stages", in_schema="s"), answers=answers) == [
        "GRANT USAGE ON STAGE D.S.E TO ROLE R",
        "GRANT READ, WRITE ON STAGE D.S.I TO ROLE R",
    ]
    assert plan(registry, to_role("usage", all="stages", in_schema="s"), answers=answers) == [
        "GRANT USAGE ON STAGE D.S.E TO ROLE R"
    ]


def test_procedures_are_told_apart_by_their_arguments(registry: Registry) -> None:
    rows = [
        {"name": "P", "arguments": "P(NUMBER, DEFAULT VARCHAR) RETURN VARCHAR", "is_builtin": "N"},
        {"name": "P", "arguments": "P() RETURN TABLE (A NUMBER)", "is_builtin": "N"},
        {"name": "SYS", "arguments": "SYS() RETURN VARCHAR", "is_builtin": "Y"},
    ]
    answers = {
        "SHOW PROCEDURES IN SCHEMA D.S": rows,
        "SHOW GRANTS TO ROLE R": held(("USAGE", "PROCEDURE", 'D.S."P(A NUMBER, B VARCHAR):VARCHAR(16777216)"')),
    }
    assert plan(registry, to_role("usage", all="procedures", in_schema="s"), answers=answers) == [
        "GRANT USAGE ON PROCEDURE D.S.P() TO ROLE R"
    ]


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ('D.S."P(A NUMBER, B VARCHAR):VARCHAR"', "(NUMBER, VARCHAR)"),
        ('D.S."P(NUMBER(38,0), TEXT):TABLE: (X NUMBER)"', "(NUMBER, VARCHAR)"),
        ("D.S.P(A DATE):NUMBER", "(DATE)"),
        ("D.S.P():NUMBER", "()"),
    ],
)
def test_names_of_procedures_in_show_grants(text: str, signature: str) -> None:
    path = (Identifier("D"), Identifier("S"), Identifier("P"))
    assert object_name("PROCEDURE", text) == ObjectName("PROCEDURE", path, signature)


def test_argument_types_of_a_later_version_pass_as_they_are() -> None:
    assert signature_of("A NUMBER, B HYPERCUBE(3)") == "(NUMBER, B HYPERCUBE(3))"


def test_names_that_are_no_names_of_objects_are_passed_over() -> None:
    assert object_name("TABLE", "a.b.c.d.e") is None
    assert object_name("TABLE", 'a."b') is None
    assert object_name("PROCEDURE", "D.S.P") is None


def test_names_without_quotes_stand_as_they_are() -> None:
    path = (Identifier("D"), Identifier("S"), Identifier("small table"))
    assert object_name("TABLE", "D.S.small table") == ObjectName("TABLE", path)
    assert object_name("TABLE", 'D.S."small table"') == ObjectName("TABLE", path)


@pytest.mark.parametrize("name", ["Y", "D.Y"])
def test_the_name_of_a_database_role_may_have_its_database_before_it(registry: Registry, name: str) -> None:
    rows = [
        {"granted_to": "DATABASE_ROLE", "grantee_name": name},
        {"granted_to": "ROLE", "grantee_name": "R"},
        {"granted_to": "USER", "grantee_name": "U"},
    ]
    wanted = [{"database_role": "x", to: who} for to, who in (("to_database_role", "y"), ("to_role", "r"))]
    wanted.append({"database_role": "x", "to_user": "u"})
    assert plan(registry, *wanted, answers={"SHOW GRANTS OF DATABASE ROLE D.X": rows}) == []


def test_one_statement_per_grantee_and_per_listing(registry: Registry) -> None:
    session = FakeSession(VISIBLE)
    grants = [to_role(each, all="tables", in_schema="s") for each in OBJECT_TYPES["TABLES"].privileges]
    grants += [to_role(each, schema="s") for each in SCHEMA.privileges]
    grants += [to_role("select", future=each, in_schema="s") for each in ("tables", "views")]
    Laboratory(Provider(session, registry=registry), "database", "D").plan({"database_grant": grants})
    assert sorted(each for each in session.statements if each.startswith("SHOW")) == [
        "SHOW DATABASES",
        "SHOW FUTURE GRANTS TO ROLE R",
        "SHOW GRANTS TO ROLE R",
        "SHOW SCHEMAS IN DATABASE D",
        "SHOW TABLES IN SCHEMA D.S",
    ]


def test_what_is_neither_there_nor_declared_is_named(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match=r"role NOBODY does not exist or may not be seen"):
        plan(
            registry,
            {"privilege": "usage", "on": {"database": "d"}, "to_role": "nobody"},
            answers={"SHOW GRANTS TO ROLE NOBODY": 2003},
        )
    with pytest.raises(DiagnosticsError, match=r"database role D\.X does not exist or may not be seen"):
        plan(
            registry,
            {"database_role": "x", "to_role": "r"},
            answers={"SHOW GRANTS OF DATABASE ROLE D.X": 2003},
        )
    with pytest.raises(DiagnosticsError, match=r"schema D\.ELSEWHERE does not exist or may not be seen"):
        plan(registry, to_role("usage", schema="elsewhere"))


def test_what_the_manifest_is_about_to_make_has_nothing(registry: Registry) -> None:
    answers = {**VISIBLE, "SHOW GRANTS (TO|OF) DATABASE ROLE D.(X|Y)": 2003}
    laboratory = Laboratory(Provider(FakeSession(answers), registry=registry), "database", "D")
    planned = laboratory.plan(
        {
            "schema": [{"name": "new"}],
            "database_role": [{"name": "x"}, {"name": "y"}],
            "database_grant": [
                to_database_role("usage", schema="new"),
                to_database_role("usage", all="schemas", in_database="d"),
                {"database_role": "x", "to_database_role": "y"},
            ],
        }
    )
    texts = [each.text for each in planned.statements()]
    assert texts[-1] == "GRANT USAGE ON SCHEMA D.NEW TO DATABASE ROLE D.X"
    assert sorted(texts) == [
        "CREATE DATABASE ROLE D.X",
        "CREATE DATABASE ROLE D.Y",
        "CREATE SCHEMA D.NEW",
        "GRANT DATABASE ROLE D.X TO DATABASE ROLE D.Y",
        "GRANT USAGE ON SCHEMA D.NEW TO DATABASE ROLE D.X",
        "GRANT USAGE ON SCHEMA D.NEW TO DATABASE ROLE D.X",
        "GRANT USAGE ON SCHEMA D.PUBLIC TO DATABASE ROLE D.X",
        "GRANT USAGE ON SCHEMA D.S TO DATABASE ROLE D.X",
    ]


def test_a_renamed_schema_keeps_its_grants(registry: Registry) -> None:
    answers = {**VISIBLE, "SHOW GRANTS TO ROLE R": held(("USAGE", "SCHEMA", "D.S"), ("USAGE", "SCHEMA", "D.PUBLIC"))}
    laboratory = Laboratory(Provider(FakeSession(answers), registry=registry), "database", "D")
    planned = laboratory.plan(
        {
            "schema": [{"name": "t", "renamed_from": "s"}],
            "database_grant": [to_role("usage", all="schemas", in_database="d")],
        }
    )
    assert [each.text for each in planned.statements()] == ["ALTER SCHEMA D.S RENAME TO D.T"]


def test_taking_the_right_to_pass_on_is_destructive(registry: Registry) -> None:
    rows = [{"privilege": "USAGE", "granted_on": "SCHEMA", "name": "D.S", "grant_option": "true"}]
    session = FakeSession({**VISIBLE, "SHOW GRANTS TO ROLE R": rows})
    laboratory = Laboratory(Provider(session, registry=registry), "database", "D")
    wanted = to_role("usage", schema="s")
    assert laboratory.plan({"database_grant": [wanted]}).empty
    (change,) = laboratory.plan({"database_grant": [{**wanted, "with_grant_option": False}]}).changes
    assert [each.text for each in change.statements] == ["REVOKE GRANT OPTION FOR USAGE ON SCHEMA D.S FROM ROLE R"]
    assert (change.risk, change.loses) == (Risk.DESTRUCTIVE, "the right of ROLE R to pass the privilege on")


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (to_role("slect", future="tables", in_schema="s"), "did you mean SELECT"),
        (to_role("select", future="tabels", in_schema="s"), "did you mean TABLES"),
        (to_role("select", future="table", in_schema="s"), "did you mean TABLES"),
        (to_role("apply", all="tags", in_schema="s"), "there are no grants on ALL TAGS"),
        (to_role("monitor", all="pipes", in_schema="s"), "there are no grants on ALL PIPES"),
        (to_role("apply", future="masking policies", in_schema="s"), "there are no grants on FUTURE MASKING POLICIES"),
        (to_role("usage", all="schemas", in_schema="s"), "give `in_database`"),
        (to_role("usage", schema="s", database="d"), "`on` takes"),
        (to_role("usage", future="tables"), "`on` takes"),
        (to_role("ownership", schema="s"), "OWNERSHIP is not a privilege to add"),
        ({"on": {"schema": "s"}, "to_role": "r"}, "`privilege` is missing"),
        ({"privilege": "usage", "on": {"schema": "s"}}, "exactly one of `to_role`"),
        ({"privilege": "usage", "on": {"schema": "s"}, "to_user": "u"}, "privileges go to roles"),
        (to_database_role("applybudget", database="d"), "is not a privilege on DATABASE"),
        ({"database_role": "x", "to_role": "r", "privilege": "usage"}, "`privilege` says nothing"),
        ({"database_role": "x", "to_role": "r", "with_grant_option": True}, "`with_grant_option` says nothing"),
        ({"database_role": "x", "to_database_role": "D.X"}, "cannot be granted to itself"),
        ({"database_role": "x", "to_role": "r", "renamed_from": "y"}, "cannot be renamed"),
        (to_role("usage", schema="other.s"), "outside the target"),
    ],
)
def test_wrong_grants_are_told_before_anything_is_sent(
    registry: Registry, document: dict[str, Any], found: str
) -> None:
    session = FakeSession(VISIBLE)
    with pytest.raises(DiagnosticsError, match=found):
        Laboratory(Provider(session, registry=registry), "database", "D").plan({"database_grant": [document]})
    assert session.statements == []


def test_a_database_role_has_privileges_in_its_own_database_only(registry: Registry) -> None:
    laboratory = Laboratory(Provider(FakeSession(), registry=registry))
    document = {"privilege": "usage", "on": {"database": "other"}, "to_database_role": "d.x"}
    with pytest.raises(DiagnosticsError, match="in its own database only, not in OTHER"):
        laboratory.plan({"database_grant": [document]})
    with pytest.raises(DiagnosticsError, match="roles of its own database"):
        laboratory.plan({"database_grant": [{"database_role": "a.x", "to_database_role": "b.y"}]})


def test_addresses_say_everything_and_are_read_back(registry: Registry) -> None:
    laboratory = Laboratory(Provider(FakeSession(), registry=registry), "database", "D")
    grants = [
        to_database_role("select", future="tables", in_schema='"a TO ROLE b"'),
        to_role("all", all="semantic_views", in_database="d"),
        to_role("create snowflake.ml.forecast", schema="s"),
        {"database_role": '"x TO y"', "to_user": '"u ON v"'},
    ]
    addresses = laboratory.addresses({"database_grant": grants})
    assert [str(each) for each in addresses] == [
        'database_grant SELECT ON FUTURE TABLES IN SCHEMA D."a TO ROLE b" TO DATABASE ROLE D.X',
        "database_grant ALL ON ALL SEMANTIC VIEWS IN DATABASE D TO ROLE R",
        "database_grant CREATE SNOWFLAKE.ML.FORECAST ON SCHEMA D.S TO ROLE R",
        'database_grant DATABASE ROLE D."x TO y" TO USER "u ON v"',
    ]
    assert [said_by(each).address for each in addresses] == addresses


def test_every_documented_privilege_is_known_in_any_spelling() -> None:
    for kind in OBJECT_TYPES.values():
        for privilege in (*kind.privileges, *kind.only_named):
            assert privilege_of(f" {privilege.lower()} ", kind) == privilege
            assert said_by(_address(privilege, kind.plural)).address == _address(privilege, kind.plural)


def _address(privilege: str, plural: str) -> Any:
    to = said_by(_role_address())
    return Grant(privilege, "FUTURE", OBJECT_TYPES[plural], (Identifier("D"),), to.to).address


def _role_address() -> Any:
    return Address(DatabaseGrant.spec.kind, (Identifier("D"), Identifier("X")), "DATABASE ROLE D.X TO ROLE R")


@resource("table", scope="schema")
class Table(Resource):
    """As much of a table as a grant needs to know."""


class Tables:
    @hookimpl
    def pinky_resource_types(self) -> list[type[Resource]]:
        return [Table]


@pytest.mark.parametrize("on", [{"in_schema": "s"}, {"in_database": "d"}])
def test_all_means_declared_objects_too_and_comes_after_them(on: dict[str, str]) -> None:
    registry = make_registry({"tables": Tables(), "pinky_database": pinky_database})
    shown = [{"name": "OLD", "schema_name": "S"}, {"name": "THERE", "schema_name": "S"}]
    answers = {
        **VISIBLE,
        "SHOW TABLES IN (SCHEMA D.S|DATABASE D)": shown,
        "SHOW GRANTS TO ROLE R": held(("SELECT", "TABLE", "D.S.OLD")),
    }
    laboratory = Laboratory(Provider(FakeSession(answers), registry=registry), "database", "D")
    resources = {
        "table": [
            {"schema": "s", "name": "fresh"},
            {"schema": "s", "name": "there"},
            {"schema": "s", "name": "renamed", "renamed_from": "old"},
        ],
        "database_grant": [to_role("select", all="tables", **on)],
    }
    planned = laboratory.plan(resources)
    assert [each.text for each in planned.statements()] == [
        "CREATE TABLE D.S.FRESH",
        "ALTER TABLE D.S.OLD RENAME TO D.S.RENAMED",
        "GRANT SELECT ON TABLE D.S.FRESH TO ROLE R",
        "GRANT SELECT ON TABLE D.S.THERE TO ROLE R",
    ]
    assert [str(each) for each in planned.changes[-1].needs] == ["table D.S.FRESH", "table D.S.RENAMED"]
    again = plan_from_json(plan_to_json(planned))
    assert again == planned


def test_importing_the_package_brings_no_terminal_and_no_connector() -> None:
    code = (
        "import sys, pinky_database; found = {name.split('.')[0] for name in sys.modules};"
        "print(sorted(found & {'typer', 'rich', 'click', 'snowflake', 'pinky_schema', 'pinky_account', 'pinky_cli'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
