"""Not visible is not absent: what weak roles are told, through the real connector, for every kind with a name."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount

from pinky_core import Action, DiagnosticsError, Event, Outcome, Plan, Report, as_session
from tests.acceptance.world import dump, provider

WEAK = "WEAK"
SETUP = (
    "CREATE WAREHOUSE W",
    "CREATE ROLE WEAK",
    "CREATE ROLE OTHER",
    "GRANT ROLE WEAK TO USER PINKY",
    "CREATE DATABASE D",
    "CREATE DATABASE ROLE D.DR",
    "CREATE SCHEMA D.S",
    "CREATE TABLE D.S.T (A NUMBER)",
    "CREATE VIEW D.S.V AS SELECT A FROM D.S.T",
    "CREATE STAGE D.S.ST",
    "CREATE TASK D.S.TK SCHEDULE = '60 MINUTES' AS SELECT 1",
    "CREATE SECRET D.S.SE TYPE = GENERIC_STRING SECRET_STRING = 'x' COMMENT = '[pinky version 1]'",
    "CREATE TAG D.S.TG",
    "CREATE STREAM D.S.SM ON TABLE D.S.T",
    "CREATE PROCEDURE D.S.P() RETURNS VARCHAR LANGUAGE SQL AS $$BEGIN RETURN 'x'; END$$",
    "CREATE FILE FORMAT D.S.FF TYPE = CSV SKIP_HEADER = 1",
    "CREATE FUNCTION D.S.FN() RETURNS VARCHAR AS 'SELECT 1'",
)
# Kind → (the object as it is, declared; a change of it; the least privilege that shows it).
OBJECTS = {
    "table": (
        "{name: T, columns: [{name: A, type: NUMBER}]}",
        "{name: T, comment: changed, columns: [{name: A, type: NUMBER}]}",
        "SELECT ON TABLE D.S.T",
    ),
    "view": (
        "{name: V, query: SELECT A FROM D.S.T}",
        "{name: V, comment: changed, query: SELECT A FROM D.S.T}",
        "SELECT ON VIEW D.S.V",
    ),
    "stage": ("{name: ST}", "{name: ST, comment: changed}", "READ ON STAGE D.S.ST"),
    "task": (
        "{name: TK, schedule: 60 MINUTES, definition: SELECT 1}",
        "{name: TK, schedule: 90 MINUTES, definition: SELECT 1}",
        "MONITOR ON TASK D.S.TK",
    ),
    "secret": (
        "{name: SE, type: GENERIC_STRING, secret_string: 'env:WEAK_TEST_SECRET', version: 1}",
        "{name: SE, type: GENERIC_STRING, secret_string: 'env:WEAK_TEST_SECRET', version: 2}",
        "READ ON SECRET D.S.SE",
    ),
    "tag": ("{name: TG}", "{name: TG, comment: changed}", "APPLY ON TAG D.S.TG"),
    "stream": (
        "{name: SM, on_table: T}",
        "{name: SM, on_table: T, comment: changed}",
        "SELECT ON STREAM D.S.SM",
    ),
    "procedure": (
        "{name: P, language: SQL, returns: VARCHAR, body: \"BEGIN RETURN 'x'; END\"}",
        "{name: P, language: SQL, returns: VARCHAR, comment: changed, body: \"BEGIN RETURN 'x'; END\"}",
        "USAGE ON PROCEDURE D.S.P()",
    ),
    "file_format": (
        "{name: FF, skip_header: 1}",
        "{name: FF, skip_header: 2}",
        "USAGE ON FILE FORMAT D.S.FF",
    ),
    "user_defined_function": (
        "{name: FN, returns: VARCHAR, body: SELECT 1}",
        "{name: FN, returns: VARCHAR, comment: changed, body: SELECT 1}",
        "USAGE ON FUNCTION D.S.FN()",
    ),
}
# What its type is called in statements and messages.
WORDS = {kind: kind.replace("_", " ") for kind in OBJECTS} | {"user_defined_function": "function"}
CREATED_BY = {kind: f"CREATE {words.upper()} on the schema" for kind, words in WORDS.items()}
# Their bodies are shown to their owner only.
ROUTINES = {"procedure", "user_defined_function"}


@pytest.fixture(autouse=True)
def secret_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAK_TEST_SECRET", "planted-4e11")


class World:
    """An account with one object of each kind, an administrator, and a role that holds what a test grants."""

    def __init__(self, account: LocalAccount, folder: Path) -> None:
        self._account = account
        self._folder = folder
        self._admin = account.connect()
        for statement in SETUP:
            self.run(statement)
        self.weak = account.connect(role=WEAK)
        self.weak.cursor().execute("USE SECONDARY ROLES NONE")

    def run(self, statement: str) -> None:
        self._admin.cursor().execute(statement)

    def everything(self) -> dict[str, Any]:
        return dump(as_session(self._admin))

    def grant(self, *privileges: str) -> None:
        for privilege in privileges:
            self.run(f"GRANT {privilege} TO ROLE {WEAK}")

    def manifest(self, resources: str, *, scope: str = "schema", target: str = "D.S") -> Path:
        head = f"scope: {scope}\n" + (f"target: {target}\n" if target else "")
        (self._folder / "manifest.yml").write_text(
            head + "resources:\n" + textwrap.indent(textwrap.dedent(resources).strip(), "  ") + "\n", encoding="utf-8"
        )
        return self._folder

    def plan(self, resources: str, **options: str) -> Plan:
        return provider(self.weak).plan(self.manifest(resources, **options))

    def apply(self, resources: str, **options: str) -> Report:
        return provider(self.weak).apply(self.manifest(resources, **options))

    def close(self) -> None:
        self.weak.close()
        self._admin.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with LocalAccount(data=False) as account:
        found = World(account, tmp_path)
        yield found
        found.close()
        assert account.internal_errors == []


def failure(report: Report) -> Event:
    (event,) = report.of(Outcome.FAILED)
    return event


@pytest.mark.parametrize("kind", OBJECTS)
def test_without_usage_on_the_database_nothing_is_planned_and_the_database_and_role_are_named(world: World, kind: str):
    with pytest.raises(DiagnosticsError) as caught:
        world.plan(f"{kind}: [{OBJECTS[kind][0]}]")
    (found,) = caught.value.diagnostics
    assert found.code == "not-visible"
    assert "database D " in found.summary
    assert "role WEAK" in found.summary
    assert "USAGE" in found.hint


@pytest.mark.parametrize("kind", OBJECTS)
def test_without_usage_on_the_schema_nothing_is_planned_and_the_schema_and_role_are_named(world: World, kind: str):
    world.grant("USAGE ON DATABASE D")
    with pytest.raises(DiagnosticsError) as caught:
        world.plan(f"{kind}: [{OBJECTS[kind][0]}]")
    (found,) = caught.value.diagnostics
    assert found.code == "not-visible"
    assert "schema D.S " in found.summary
    assert "role WEAK" in found.summary


@pytest.mark.parametrize("kind", sorted(set(OBJECTS) - ROUTINES))
def test_the_least_privilege_on_an_object_is_enough_for_an_empty_plan(world: World, kind: str):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", OBJECTS[kind][2])
    if kind == "stream":
        world.grant("SELECT ON TABLE D.S.T")
    plan = world.plan(f"{kind}: [{OBJECTS[kind][0]}]")
    assert [(str(change.address), change.reason) for change in plan.changes] == []
    assert plan.unchanged == 1


def test_the_query_of_a_secure_view_is_its_owners_to_see_and_no_difference(world: World):
    world.run("CREATE SECURE VIEW D.S.SV AS SELECT A FROM D.S.T")
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", "SELECT ON VIEW D.S.SV")
    with pytest.raises(DiagnosticsError, match=r"not-visible.*view D\.S\.SV"):
        world.plan("view: [{name: SV, secure: true, query: SELECT A FROM D.S.T}]")


@pytest.mark.parametrize("kind", sorted(ROUTINES))
def test_the_body_of_a_routine_is_its_owners_to_see_and_no_difference(world: World, kind: str):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", OBJECTS[kind][2])
    with pytest.raises(DiagnosticsError, match=rf"not-visible.*{kind} D\.S\..*shown to its owner only"):
        world.plan(f"{kind}: [{OBJECTS[kind][0]}]")


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_hidden_from_the_role_is_not_replaced_and_the_error_says_that_it_exists_unseen(
    world: World, kind: str
):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", f"CREATE {WORDS[kind].upper()} ON SCHEMA D.S")
    if kind in ("view", "stream"):
        world.grant("SELECT ON TABLE D.S.T")
    before = world.everything()
    event = failure(world.apply(f"{kind}: [{OBJECTS[kind][1]}]"))
    assert "3041" in event.error
    assert "role WEAK holds no privilege on it and cannot see it" in event.error
    assert CREATED_BY[kind] in event.error
    assert "planted-4e11" not in event.error
    assert world.everything() == before


@pytest.mark.parametrize("kind", sorted(set(OBJECTS) - ROUTINES))
def test_a_change_without_the_privilege_names_the_role_and_what_it_needs(world: World, kind: str):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", OBJECTS[kind][2])
    if kind == "stream":
        world.grant("SELECT ON TABLE D.S.T")
    event = failure(world.apply(f"{kind}: [{OBJECTS[kind][1]}]"))
    assert "3001" in event.error
    assert "Role WEAK lacks a privilege" in event.error
    assert f"OWNERSHIP on the {kind.replace('_', ' ')}" in event.error
    assert f"CREATE {WORDS[kind].upper()}" not in event.error.split("Role WEAK")[1]


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_create_without_the_privilege_names_it(world: World, kind: str):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", "SELECT ON TABLE D.S.T")
    new = OBJECTS[kind][0].replace("{name: ", "{name: NEW_", 1)
    event = failure(world.apply(f"{kind}: [{new}]"))
    assert "3001" in event.error
    assert CREATED_BY[kind] in event.error
    assert "OWNERSHIP" not in event.error


def test_a_database_out_of_sight_keeps_everything_in_it_from_being_made(world: World):
    before = world.everything()
    report = world.apply(
        """
        database: [{name: D}]
        schema: [{name: S, database: D}]
        table: [{name: T, database: D, schema: S, columns: [{name: A, type: NUMBER}]}]
        """,
        scope="account",
        target="",
    )
    assert failure(report).name == "database D"
    assert "cannot see it" in failure(report).error
    skipped = [(event.name, event.because) for event in report.of(Outcome.SKIPPED)]
    assert skipped == [("schema D.S", "database D"), ("table D.S.T", "database D")]
    assert world.everything() == before


@pytest.mark.parametrize(
    ("resources", "errno", "says"),
    [
        ("warehouse: [{name: W, auto_suspend: 60}]", "3041", "CREATE WAREHOUSE on the account"),
        ("database: [{name: D, comment: mine}]", "3041", "CREATE DATABASE on the account"),
        ("warehouse: [{name: FRESH}]", "3001", "CREATE WAREHOUSE on the account"),
        ("role: [{name: OTHER, comment: mine}]", "3001", "OWNERSHIP on the role"),
        ("role: [{name: FRESH}]", "3001", "CREATE ROLE on the account"),
        ("role_grant: [{role: OTHER, to_role: SYSADMIN}]", "3001", "OWNERSHIP on the role"),
        (
            "storage_integration: [{name: SI, storage_provider: GCS, storage_allowed_locations: ['gcs://b/']}]",
            "3001",
            "CREATE STORAGE INTEGRATION on the account",
        ),
    ],
)
def test_account_objects_out_of_reach_are_refused_with_role_and_privilege(
    world: World, resources: str, errno: str, says: str
):
    before = world.everything()
    event = failure(world.apply(resources, scope="account", target=""))
    assert errno in event.error
    assert "ole WEAK" in event.error
    assert says in event.error
    assert world.everything() == before


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ("schema: [{name: S, database: D, comment: mine}]", "database D "),
        ("database_role: [{name: DR, database: D, comment: mine}]", "database D "),
        ("database_grant: [{privilege: USAGE, on: {database: D}, to_database_role: D.DR}]", "database D "),
        ("account_grant: [{privilege: USAGE, on: {warehouse: W}, to_role: OTHER}]", "warehouse W "),
    ],
)
def test_grants_and_containers_out_of_sight_are_errors_of_the_plan(world: World, resources: str, says: str):
    with pytest.raises(DiagnosticsError) as caught:
        world.plan(resources, scope="account", target="")
    assert {each.code for each in caught.value.diagnostics} == {"not-visible"}
    text = str(caught.value)
    assert says in text
    assert "ole WEAK" in text


def test_pruning_with_a_role_that_sees_nothing_drops_nothing(world: World):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S")
    manifest = world.manifest("table: [{name: NEW, columns: [{name: A, type: NUMBER}]}]")
    plan = provider(world.weak).plan(manifest, prune=True)
    assert [(change.action, str(change.address)) for change in plan.changes] == [(Action.CREATE, "table D.S.NEW")]
    assert plan.orphans == ()


def test_a_refused_branch_does_not_keep_the_others_from_going_on(world: World):
    world.grant("USAGE ON DATABASE D", "USAGE ON SCHEMA D.S", "CREATE TABLE ON SCHEMA D.S", "CREATE VIEW ON SCHEMA D.S")
    report = world.apply(
        """
        table:
          - {name: FIRST, columns: [{name: A, type: NUMBER}]}
          - {name: T, columns: [{name: A, type: NUMBER}]}
        view:
          - {name: OF_FIRST, query: SELECT A FROM D.S.FIRST}
          - {name: OF_T, query: SELECT A FROM D.S.T}
        """
    )
    assert {event.name for event in report.of(Outcome.APPLIED)} == {"table D.S.FIRST", "view D.S.OF_FIRST"}
    assert failure(report).name == "table D.S.T"
    assert [(event.name, event.because) for event in report.of(Outcome.SKIPPED)] == [("view D.S.OF_T", "table D.S.T")]
