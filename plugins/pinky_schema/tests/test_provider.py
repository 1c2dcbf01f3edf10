"""The provider for one schema: one registry, one scope, one target, whatever plugins are handed to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from pinky_local.account import LocalAccount
from pinky_schema import KINDS, SchemaProvider

from pinky_core import (
    Address,
    BoundaryError,
    Context,
    DiagnosticsError,
    PluginError,
    Reader,
    Resource,
    Statement,
    Wanted,
    hookimpl,
    prop,
    resource,
    statement,
)
from pinky_core.testing import FakeSession

VISIBLE: dict[str, Any] = {"SHOW DATABASES": [{"name": "D"}], "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}]}


def manifest(folder: Path, text: str) -> Path:
    (folder / "manifest.yml").write_text(text)
    return folder


# -- hostile plugins -------------------------------------------------------------------------------------------------


@resource("gadget", scope="schema")
class Gadget(Resource):
    """Whose statements are whatever the manifest says: what a plugin could write by mistake or on purpose."""

    text: str = prop()

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        return [statement(self.text)]


@resource("snoop", scope="schema")
class Snoop(Resource):
    """Which changes something while it reads."""

    text: str = prop()

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        reader.rows("SHOW TABLES IN SCHEMA D.S ->> DROP DATABASE D")
        return {}


class Hostile:
    @hookimpl
    def pinky_resource_types(self) -> list[type[Resource]]:
        return [Gadget, Snoop]


@pytest.mark.parametrize(
    "text",
    [
        "DROP DATABASE D",
        "DROP SCHEMA D.S",
        "CREATE WAREHOUSE W",
        "CREATE DATABASE E CLONE D.S.T",
        "CREATE TABLE T (X INT)",
        "CREATE TABLE T CLONE D.S.X",
        "CREATE TABLE D.OTHER.T (X INT)",
        'CREATE TABLE "D.S".X (X INT)',
        "CREATE TABLE D.S.T (X INT); DROP DATABASE D",
        "CREATE TABLE D.S.T (BEGIN INT); DROP DATABASE D",
        "GRANT ROLE ACCOUNTADMIN TO USER EVE",
        "GRANT SELECT ON TABLE D.S.T TO SHARE OUT",
        "ALTER TABLE D.S.T RENAME TO D.OTHER.T",
        "EXECUTE IMMEDIATE 'DROP DATABASE D'",
        "USE ROLE ACCOUNTADMIN",
        "/* CREATE TABLE D.S.T */ DROP DATABASE D",
        "CALL D.S.P()",
        "ALTER SESSION SET QUERY_TAG = 'x'",
    ],
)
def test_a_statement_outside_the_target_is_refused_whoever_wrote_it(tmp_path: Path, text: str) -> None:
    session = FakeSession(VISIBLE)
    source = manifest(tmp_path, f"scope: schema\nresources:\n  gadget:\n    - {{name: g, text: {text!r}}}\n")
    provider = SchemaProvider(session, {"hostile": Hostile()})
    for run in (provider.plan, provider.apply):
        with pytest.raises(BoundaryError, match="nothing was run"):
            run(source, "D.S")
    assert session.changes == []


def test_reading_that_would_change_something_is_refused(tmp_path: Path) -> None:
    session = FakeSession(VISIBLE)
    source = manifest(tmp_path, "scope: schema\nresources:\n  snoop:\n    - {name: s, text: x}\n")
    with pytest.raises(BoundaryError, match="reading sends only"):
        SchemaProvider(session, {"hostile": Hostile()}).plan(source, "D.S")
    assert [each for each in session.statements if "DROP" in each] == []


def test_a_plan_whose_target_was_widened_is_refused(tmp_path: Path) -> None:
    session = FakeSession(VISIBLE)
    provider = SchemaProvider(session, {"hostile": Hostile()})
    inside = "{name: g, text: CREATE TABLE D.S.T (X INT)}"
    source = manifest(tmp_path, f"scope: schema\nresources:\n  gadget:\n    - {inside}\n")
    plan = provider.plan(source, "D.S")
    for widened in (attrs.evolve(plan, target=()), attrs.evolve(plan, scope="account", target=())):
        with pytest.raises(BoundaryError):
            provider.apply(widened)
    with pytest.raises(BoundaryError, match=r"a plan for D\.S, not for d\.other"):
        provider.apply(plan, "d.other")
    assert session.changes == []
    assert provider.apply(plan, "d.s").ok
    assert session.changes == ["CREATE TABLE D.S.T (X INT)"]


# -- what it knows ---------------------------------------------------------------------------------------------------


def test_it_knows_this_package_and_what_is_passed_in() -> None:
    own = {module for module, _ in KINDS}
    assert {"secret", "tag", "grant", "table"} <= own
    alone, more = SchemaProvider(FakeSession()).registry, SchemaProvider(FakeSession(), {"h": Hostile()}).registry
    assert set(more.kinds) - set(alone.kinds) == {"gadget", "snoop"}
    assert {cls.spec.scope for cls in alone.kinds.values()} == {"schema"}
    assert set(alone.kind_plugins.values()) == {"pinky_schema"}


def test_a_plugin_cannot_take_a_kind_of_this_package() -> None:
    import pinky_schema

    with pytest.raises(PluginError, match="pinky_schema and again both define the kind"):
        SchemaProvider(FakeSession(), {"again": type("Again", (), {"pinky_resource_types": again(pinky_schema)})()})


def again(module: Any) -> Any:
    @hookimpl
    def pinky_resource_types(self: Any) -> list[type[Resource]]:
        return list(module.pinky_resource_types())

    return pinky_resource_types


# -- what is refused before anything is sent -------------------------------------------------------------------------


def test_a_warehouse_is_refused_with_its_place_and_its_package(tmp_path: Path) -> None:
    session = FakeSession()
    source = manifest(tmp_path, "scope: schema\nresources:\n  tag:\n    - {name: t}\n  warehouse:\n    - {name: w}\n")
    with pytest.raises(DiagnosticsError) as raised:
        SchemaProvider(session).plan(source, "D.S")
    (found,) = raised.value.diagnostics
    assert found.location is not None
    assert (Path(found.location.file).name, found.location.line, found.location.column) == ("manifest.yml", 5, 3)
    assert "pinky-account" in found.summary
    assert session.statements == []


@pytest.mark.parametrize(("scope", "target"), [("account", None), ("database", "D")])
def test_a_wider_scope_is_refused(tmp_path: Path, scope: str, target: str | None) -> None:
    session = FakeSession()
    source = manifest(tmp_path, f"scope: {scope}\nresources:\n  tag:\n    - {{name: t}}\n")
    with pytest.raises(DiagnosticsError, match=f"this manifest has scope {scope}"):
        SchemaProvider(session).plan(source, target)
    assert session.statements == []


@pytest.mark.parametrize(
    "fields", ["{name: d.other.t}", "{name: other.t}", "{name: t, schema: other}", "{name: t, database: e}"]
)
def test_a_name_outside_the_target_is_refused(tmp_path: Path, fields: str) -> None:
    session = FakeSession()
    source = manifest(tmp_path, f"scope: schema\nresources:\n  tag:\n    - {fields}\n")
    with pytest.raises(DiagnosticsError, match="outside the target"):
        SchemaProvider(session).plan(source, "D.S")
    assert session.statements == []


# -- on an account ---------------------------------------------------------------------------------------------------

CLIENT = """\
scope: schema
vars: {client_id: none}
resources:
  tag:
    - {name: client, allowed_values: ["{{ vars.client_id }}"]}
  table:
    - {name: orders, columns: [{name: id, type: int}]}
  grant:
    - {privilege: select, on: {table: orders}, to_role: viewer}
    - {privilege: apply, on: {tag: client}, to_role: viewer}
"""


def test_it_fills_one_schema_and_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    source = manifest(tmp_path, CLIENT)
    with LocalAccount(data=False) as account, account.connect() as connection:
        for text in ("CREATE DATABASE D", "CREATE SCHEMA D.ACME", "CREATE ROLE VIEWER"):
            connection.cursor().execute(text)
        provider = SchemaProvider(connection)
        values = {"client_id": "C1"}
        assert provider.apply(source=source, target="D.ACME", vars=values).ok
        assert provider.plan(source=source, target="D.ACME", vars=values).empty
        changes = [each for each in account.journal.statements() if each.startswith(("CREATE T", "GRANT"))]
        assert sorted(changes) == sorted(each for each in changes if "D.ACME." in each)
        assert len(changes) == 4
        assert not account.internal_errors


def test_it_takes_a_snowpark_session(tmp_path: Path) -> None:
    snowpark = pytest.importorskip("snowflake.snowpark", reason="Snowpark is not installed here")
    source = manifest(tmp_path, CLIENT)
    with LocalAccount(data=False) as account:
        session = snowpark.Session.builder.configs(account.connection_parameters()).create()
        try:
            for text in ("CREATE DATABASE D", "CREATE SCHEMA D.ACME", "CREATE ROLE VIEWER"):
                session.sql(text).collect()
            provider = SchemaProvider(session)
            assert provider.session.concurrency == 1
            assert provider.apply(source=source, target="D.ACME").ok
            assert provider.plan(source=source, target="D.ACME").empty
        finally:
            session.close()
        assert not account.internal_errors
