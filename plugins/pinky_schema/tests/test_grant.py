"""Grants on objects of a schema: statements of plain values, reading of both spellings, and life on a local account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.grant import Grant
from pinky_schema.grant_content import GrantContent, signature_of
from pinky_schema.privileges import SECURABLES

from pinky_core import (
    Action,
    Address,
    BlockedPlanError,
    Context,
    DiagnosticsError,
    Identifier,
    Names,
    Place,
    Plan,
    Provider,
    Resource,
    Risk,
    make_registry,
    prop,
    resource,
)
from pinky_core.testing import FakeSession, Laboratory

PLACE = Place((Identifier("D"), Identifier("S")))
CONTEXT = Context(Names(()), {})


@resource("stage", scope="schema")
class Stage(Resource):
    """As much of a stage as a grant looks at."""

    url: str | None = prop(default=None)


@resource("procedure", scope="schema")
class Procedure(Resource):
    """As much of a procedure as a grant looks at."""


class Plugin:
    """The kind under test, and two it can be about."""

    from pinky_core import hookimpl

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Grant, Stage, Procedure]


REGISTRY = make_registry({"grants": Plugin()})
GROUND = (
    "CREATE DATABASE D",
    "CREATE SCHEMA D.S",
    "CREATE ROLE R",
    'CREATE ROLE "two words"',
    "CREATE DATABASE ROLE D.DR",
    "CREATE TABLE D.S.T (X INT)",
    'CREATE TABLE D.S."a.b" (X INT)',
    "CREATE VIEW D.S.V AS SELECT 1 AS X",
    "CREATE STAGE D.S.FILES",
    "CREATE STAGE D.S.BUCKET URL = 's3://b/x/'",
    "CREATE TAG D.S.COST",
    "CREATE SECRET D.S.KEY TYPE = GENERIC_STRING SECRET_STRING = 'x'",
    "CREATE PROCEDURE D.S.LOAD(A NUMBER, B VARCHAR) RETURNS VARCHAR LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
    "CREATE PROCEDURE D.S.LOAD() RETURNS VARCHAR LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
)


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in GROUND:
            connection.cursor().execute(statement)
        yield Laboratory(Provider(connection, registry=REGISTRY), "schema", "D.S")
        assert not account.internal_errors


def grant(privilege: str, on: Mapping[str, str], role: str = "r", **more: Any) -> dict[str, Any]:
    to = {} if "to_database_role" in more else {"to_role": role}
    return {"privilege": privilege, "on": dict(on), **to, **more}


def address_of(document: Mapping[str, Any]) -> Address:
    return Grant.address_of(document, PLACE)


def texts(plan: Plan) -> list[str]:
    return [str(each) for each in plan.statements()]


def apply(laboratory: Laboratory, *grants: dict[str, Any]) -> list[str]:
    """Apply grants, check that the second plan is empty, and answer the statements."""
    plan = laboratory.plan({"grant": grants})
    laboratory.apply(plan)
    again = laboratory.plan({"grant": grants})
    assert again.empty, [(str(c.address), c.reason) for c in again.changes]
    return texts(plan)


# -- on an account ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (grant("select", {"table": "t"}), "GRANT SELECT ON TABLE D.S.T TO ROLE R"),
        (grant("select", {"table": '"a.b"'}, '"two words"'), 'GRANT SELECT ON TABLE D.S."a.b" TO ROLE "two words"'),
        (grant("SELECT", {"view": "d.s.v"}), "GRANT SELECT ON VIEW D.S.V TO ROLE R"),
        (grant("APPLY", {"tag": "cost"}), "GRANT APPLY ON TAG D.S.COST TO ROLE R"),
        (grant("read", {"secret": "key"}), "GRANT READ ON SECRET D.S.KEY TO ROLE R"),
        (grant("usage", {"schema": "s"}), "GRANT USAGE ON SCHEMA D.S TO ROLE R"),
        (grant("create  table", {"schema": "S"}), "GRANT CREATE TABLE ON SCHEMA D.S TO ROLE R"),
        (
            grant("usage", {"procedure": "load(int, string)"}),
            "GRANT USAGE ON PROCEDURE D.S.LOAD(NUMBER, VARCHAR) TO ROLE R",
        ),
        (grant("usage", {"procedure": "load()"}), "GRANT USAGE ON PROCEDURE D.S.LOAD() TO ROLE R"),
        (grant("read", {"stage": "files"}), "GRANT READ ON STAGE D.S.FILES TO ROLE R"),
        (grant("usage", {"stage": "bucket"}), "GRANT USAGE ON STAGE D.S.BUCKET TO ROLE R"),
        (
            grant("select", {"view": "v"}, to_database_role="dr", with_grant_option=True),
            "GRANT SELECT ON VIEW D.S.V TO DATABASE ROLE D.DR WITH GRANT OPTION",
        ),
    ],
)
def test_one_privilege_is_granted_once(laboratory: Laboratory, document: dict[str, Any], text: str) -> None:
    assert apply(laboratory, document) == [text]


def test_all_is_spelled_out_and_only_what_is_missing_is_granted(laboratory: Laboratory) -> None:
    laboratory.execute("GRANT SELECT ON VIEW D.S.V TO ROLE R")
    assert apply(laboratory, grant("all privileges", {"view": "v"})) == ["GRANT REFERENCES ON VIEW D.S.V TO ROLE R"]
    laboratory.execute("REVOKE SELECT ON VIEW D.S.V FROM ROLE R")
    plan = laboratory.plan({"grant": [grant("ALL", {"view": "v"})]})
    assert [change.action for change in plan.changes] == [Action.ALTER]
    assert texts(plan) == ["GRANT SELECT ON VIEW D.S.V TO ROLE R"]


def test_all_of_a_stage_depends_on_where_its_files_are(laboratory: Laboratory) -> None:
    found = apply(laboratory, grant("all", {"stage": "files"}), grant("all", {"stage": "bucket"}))
    assert found == [
        "GRANT USAGE ON STAGE D.S.BUCKET TO ROLE R",
        "GRANT READ, WRITE ON STAGE D.S.FILES TO ROLE R",
    ]


def test_writing_to_a_stage_needs_reading_first(laboratory: Laboratory) -> None:
    document = grant("write", {"stage": "files"}, with_grant_option=True)
    assert apply(laboratory, document) == [
        "GRANT READ ON STAGE D.S.FILES TO ROLE R",
        "GRANT WRITE ON STAGE D.S.FILES TO ROLE R WITH GRANT OPTION",
    ]
    assert apply(laboratory, document, grant("read", {"stage": "files"}, with_grant_option=False)) == []


def test_the_right_to_pass_on_is_given_and_taken(laboratory: Laboratory) -> None:
    apply(laboratory, grant("select", {"table": "t"}))
    assert apply(laboratory, grant("select", {"table": "t"}, with_grant_option=True)) == [
        "GRANT SELECT ON TABLE D.S.T TO ROLE R WITH GRANT OPTION"
    ]
    taken = grant("select", {"table": "t"}, with_grant_option=False)
    plan = laboratory.plan({"grant": [taken]})
    assert plan.changes[0].risk is Risk.DESTRUCTIVE
    with pytest.raises(BlockedPlanError, match="the right of ROLE R to pass the privilege on"):
        laboratory.provider.apply(plan)
    assert apply(laboratory, taken) == ["REVOKE GRANT OPTION FOR SELECT ON TABLE D.S.T FROM ROLE R"]


def test_what_is_not_declared_is_never_revoked(laboratory: Laboratory) -> None:
    laboratory.execute("GRANT INSERT ON TABLE D.S.T TO ROLE R")
    source = laboratory.source({"grant": [grant("select", {"table": "t"})]})
    plan = laboratory.provider.plan(source, prune=True)
    assert (texts(plan), plan.orphans) == (["GRANT SELECT ON TABLE D.S.T TO ROLE R"], ())


def test_a_role_that_nobody_knows_is_an_error_not_a_plan(laboratory: Laboratory) -> None:
    with pytest.raises(DiagnosticsError, match="ROLE NOBODY does not exist or may not be seen"):
        laboratory.plan({"grant": [grant("select", {"table": "t"}, "nobody")]})


def test_reading_takes_one_statement_for_each_grantee(laboratory: Laboratory) -> None:
    session = Counting(laboratory.provider.session)
    many = [grant(each, {"table": "t"}) for each in ("select", "insert", "update", "delete", "truncate")]
    more = [grant("select", {"table": '"a.b"'}, to_database_role="d.dr"), grant("select", {"view": "v"}, '"two words"')]
    Laboratory(Provider(session, registry=REGISTRY), "schema", "D.S").plan({"grant": [*many, *more]})
    assert sorted(each for each in session.statements if "GRANTS" in each) == [
        "SHOW GRANTS TO DATABASE ROLE D.DR",
        'SHOW GRANTS TO ROLE "two words"',
        "SHOW GRANTS TO ROLE R",
    ]


class Counting:
    """A session that remembers what it was asked."""

    concurrency = 4

    def __init__(self, session: Any) -> None:
        self._session = session
        self.statements: list[str] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        self.statements.append(statement)
        return self._session.execute(statement, parameters)


def test_dropping_revokes_what_was_granted(laboratory: Laboratory) -> None:
    document = grant("write", {"stage": "files"})
    apply(laboratory, document)
    address = address_of(document)
    (revoke,) = laboratory.live(address).drop(address)
    assert str(revoke) == "REVOKE WRITE ON STAGE D.S.FILES FROM ROLE R"
    laboratory.execute(str(revoke))
    again = laboratory.plan({"grant": [document]})
    assert [change.action for change in again.changes] == [Action.CREATE]
    assert texts(again)[-1] == "GRANT WRITE ON STAGE D.S.FILES TO ROLE R"


# -- what Snowflake prints --------------------------------------------------------------------------------------------


def planned(rows: Sequence[Mapping[str, Any]], *documents: dict[str, Any]) -> list[str]:
    """The statements planned for an account whose SHOW GRANTS answers these rows."""
    session = FakeSession(
        {
            "SHOW DATABASES": [{"name": "D"}],
            "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}],
            "SHOW GRANTS TO .*": [{"grant_option": "false", **row} for row in rows],
        }
    )
    return texts(Laboratory(Provider(session, registry=REGISTRY), "schema", "D.S").plan({"grant": documents}))


@pytest.mark.parametrize("granted_on", ["VIEW", "TABLE", "MATERIALIZED_VIEW"])
@pytest.mark.parametrize("name", ["D.S.V", '"D"."S"."V"'])
def test_a_view_may_show_as_a_table(granted_on: str, name: str) -> None:
    row = {"privilege": "SELECT", "granted_on": granted_on, "name": name}
    assert planned([row], grant("select", {"view": "v"})) == []


@pytest.mark.parametrize(
    "name",
    [
        'D.S."LOAD(A NUMBER(38,0), B VARCHAR(16777216)):VARCHAR(16777216)"',
        'D.S."LOAD(A NUMBER, B VARCHAR):TABLE (X NUMBER)"',
        "D.S.LOAD(NUMBER, VARCHAR):VARCHAR",
        "D.S.LOAD(NUMBER, VARCHAR)",
    ],
)
def test_a_procedure_is_known_by_its_argument_types(name: str) -> None:
    row = {"privilege": "USAGE", "granted_on": "PROCEDURE", "name": name}
    assert planned([row], grant("usage", {"procedure": "load(int, text)"})) == []
    assert planned([row], grant("usage", {"procedure": "load(int)"})) == [
        "GRANT USAGE ON PROCEDURE D.S.LOAD(NUMBER) TO ROLE R"
    ]


def test_one_of_several_grantors_may_have_allowed_passing_on() -> None:
    row = {"privilege": "SELECT", "granted_on": "TABLE", "name": "D.S.T"}
    rows = [{**row, "grant_option": "true"}, row]
    assert planned(rows, grant("select", {"table": "t"}, with_grant_option=True)) == []


def test_rows_of_other_kinds_and_unknown_spellings_pass() -> None:
    rows = [
        {"privilege": "USAGE", "granted_on": "WAREHOUSE", "name": "W"},
        {"privilege": "USAGE", "granted_on": "ROLE", "name": "OTHER"},
        {"privilege": "SOMETHING NEW", "granted_on": "TABLE", "name": "D.S.T"},
        {"privilege": "SELECT", "granted_on": "TABLE", "name": 'D.S."half'},
    ]
    assert planned(rows, grant("select", {"table": "t"})) == ["GRANT SELECT ON TABLE D.S.T TO ROLE R"]


# -- addresses, dependencies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(each.word for each in SECURABLES.values()))
def test_every_type_has_an_address_that_says_it_all(word: str) -> None:
    kind = SECURABLES[word.upper().replace("_", " ")]
    name = "s" if word == "schema" else "x(array, vector(float, 3))" if kind.callable else "x"
    for privilege in (*kind.all_privileges, *kind.only_named):
        address = address_of(grant(privilege, {word: name}, to_database_role="dr"))
        content = GrantContent.of_address(address)
        assert (content.address, content.privilege, content.on) == (address, privilege, kind)
        assert address.path == PLACE.target if word == "schema" else address.path[-1] == "X"


def test_a_grant_needs_the_object_the_schema_and_who_gets_it() -> None:
    path = (*PLACE.target, Identifier("LOAD"))
    others = [
        Address("procedure", path, "(NUMBER)"),
        Address("procedure", path, "(VARCHAR)"),
        Address("schema", PLACE.target),
        Address("role", (Identifier("R"),)),
        Address("role", (Identifier("OTHER"),)),
    ]
    address = address_of(grant("usage", {"procedure": "load(int)"}))
    needed = set(Grant().needs(address, Names(others)))
    assert needed == {others[0], others[2], others[3]}


def test_all_of_a_stage_that_is_still_to_come_follows_its_declaration() -> None:
    bucket = {"name": "bucket", "url": "s3://b/"}
    session = FakeSession({"SHOW DATABASES": [{"name": "D"}], "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}]})
    laboratory = Laboratory(Provider(session, registry=REGISTRY), "schema", "D.S")
    grants = [grant("all", {"stage": "bucket"}), grant("all", {"stage": "files"})]
    plan = laboratory.plan({"stage": [bucket, {"name": "files"}], "grant": grants})
    assert [each for each in texts(plan) if each.startswith("GRANT")] == [
        "GRANT USAGE ON STAGE D.S.BUCKET TO ROLE R",
        "GRANT READ, WRITE ON STAGE D.S.FILES TO ROLE R",
    ]
    position = {str(change.address): place for place, change in enumerate(plan.changes)}
    assert position["stage D.S.BUCKET"] < position["grant ALL ON STAGE D.S.BUCKET TO ROLE R"]


def test_argument_types_are_read_from_every_spelling() -> None:
    assert signature_of("") == "()"
    assert signature_of('A NUMBER(38,0), "x, y" VARCHAR, DEFAULT FLOAT') == "(NUMBER, VARCHAR, FLOAT)"


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (grant("selct", {"table": "t"}), "did you mean SELECT"),
        (grant("OWNERSHIP", {"table": "t"}), "GRANT OWNERSHIP"),
        (grant("all", {"tag": "cost"}), "Snowflake has no ALL for TAG; name each of: APPLY, READ"),
        (grant("usage", {"procedure": "load"}), "named with the types of its arguments"),
        (grant("usage", {"procedure": "load(a number)"}), "a number"),
        (grant("select", {"table": "other.t"}), "outside the target"),
        (grant("select", {"table": "d.other.t"}), "outside the target"),
        (grant("usage", {"schema": "other"}), "outside the target"),
        (grant("select", {"table": "t"}, to_database_role="e.dr"), "in its own database only"),
        (grant("select", {"tabel": "t"}), "table"),
        (grant("select", {"table": "t", "view": "v"}), "on"),
        ({"privilege": "select", "on": {"table": "t"}}, "exactly one of `to_role` and `to_database_role`"),
        ({**grant("select", {"table": "t"}), "renamed_from": "x"}, "cannot be renamed"),
    ],
)
def test_mistakes_are_refused_before_anything_is_sent(document: dict[str, Any], message: str) -> None:
    session = FakeSession()
    with pytest.raises(DiagnosticsError, match=message):
        Laboratory(Provider(session, registry=REGISTRY), "schema", "D.S").plan({"grant": [document]})
    assert session.statements == []
