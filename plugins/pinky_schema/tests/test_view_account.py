"""Views on the local account, through the real connector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_schema.table import Table
from pinky_schema.view import View

from pinky_core import DiagnosticsError, Provider, hookimpl, make_registry
from pinky_core.testing import Laboratory, check_resource_type

pinky_local = pytest.importorskip("pinky_local")
pytest.importorskip("snowflake.connector")

TABLE = {"name": "t", "columns": [{"name": "a", "type": "INT"}, {"name": "b", "type": "VARCHAR(10)"}]}


class TablesAndViews:
    """A plugin with two kinds."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        """Tables and views."""
        return [Table, View]


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    with pinky_local.LocalAccount() as running:
        yield running
        broken = running.internal_errors
    assert not broken, broken


@pytest.fixture
def connection(account: Any) -> Iterator[Any]:
    connected = account.connect()
    for statement in ("CREATE OR REPLACE DATABASE DB", "CREATE SCHEMA DB.S"):
        connected.cursor().execute(statement)
    yield connected
    connected.close()


@pytest.fixture
def laboratory(connection: Any) -> Laboratory:
    provider = Provider(connection, registry=make_registry({"relations": TablesAndViews()}))
    return Laboratory(provider, scope="schema", target="DB.S", ground={"table": [TABLE]})


def test_views_keep_the_laws_of_kinds(laboratory: Laboratory) -> None:
    queries = ["select a, b from t", "SELECT A, B\nFROM T -- all of it\n", "select 1 as a, 'as; --' as b"]
    columns = [
        [{"name": "a"}, {"name": '"b c"', "comment": "it's \\ (odd)"}],
        [{"name": "x", "comment": None}, {"name": "y"}],
    ]
    check_resource_type(
        View,
        laboratory,
        values={"query": st.sampled_from(queries), "columns": st.sampled_from(columns)},
        skip=("materialized", "cluster_by"),
        max_examples=8,
    )


def test_a_view_comes_after_what_it_reads_and_follows_its_query(laboratory: Laboratory, connection: Any) -> None:
    first = {
        "view": [{"name": "a_view", "query": "select * from z_view"}, {"name": "z_view", "query": "select a from t"}]
    }
    plan = laboratory.plan(first)
    assert [str(change.address) for change in plan.changes] == ["table DB.S.T", "view DB.S.Z_VIEW", "view DB.S.A_VIEW"]
    laboratory.apply(plan)
    assert laboratory.plan(first).empty
    connection.cursor().execute("CREATE ROLE READER")
    connection.cursor().execute("GRANT SELECT ON VIEW DB.S.Z_VIEW TO ROLE READER")
    first["view"][1]["query"] = "select a + 1 as a from t"
    assert laboratory.converge(first).empty
    grants = connection.cursor().execute("SHOW GRANTS ON VIEW DB.S.Z_VIEW").fetchall()
    assert any("READER" in row for row in grants)


def test_a_secure_view_of_another_owner_is_an_error_not_a_plan(laboratory: Laboratory, account: Any) -> None:
    document = {"view": [{"name": "v", "query": "select a from t", "secure": True}]}
    assert laboratory.converge(document).empty
    for statement in (
        "CREATE ROLE OTHER",
        "GRANT ROLE OTHER TO USER PINKY",
        "GRANT USAGE ON DATABASE DB TO ROLE OTHER",
        "GRANT USAGE ON SCHEMA DB.S TO ROLE OTHER",
        "GRANT SELECT ON VIEW DB.S.V TO ROLE OTHER",
        "GRANT SELECT ON TABLE DB.S.T TO ROLE OTHER",
    ):
        laboratory.execute(statement)
    with account.connect(role="OTHER") as connected:
        connected.cursor().execute("USE SECONDARY ROLES NONE")
        other = Laboratory(Provider(connected, registry=laboratory.provider.registry), "schema", "DB.S")
        with pytest.raises(DiagnosticsError, match="shown to its owner only"):
            other.plan(document)
