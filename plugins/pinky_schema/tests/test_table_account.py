"""Tables on the local account, through the real connector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_schema.table import Table

from pinky_core import (
    BlockedPlanError,
    DiagnosticsError,
    Provider,
    Risk,
    StalePlanError,
    hookimpl,
    make_registry,
    plan_from_json,
    plan_to_json,
)
from pinky_core.testing import Laboratory, check_resource_type

pinky_local = pytest.importorskip("pinky_local")
pytest.importorskip("snowflake.connector")


class OnlyTables:
    """A plugin with one kind."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        """Tables."""
        return [Table]


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    with pinky_local.LocalAccount() as running:
        yield running
        broken = running.internal_errors
    assert not broken, broken


@pytest.fixture(scope="module")
def connection(account: Any) -> Iterator[Any]:
    connected = account.connect()
    for statement in ("CREATE DATABASE DB", "CREATE SCHEMA DB.S", "CREATE WAREHOUSE W"):
        connected.cursor().execute(statement)
    yield connected
    connected.close()


@pytest.fixture
def laboratory(connection: Any) -> Laboratory:
    connection.cursor().execute("CREATE OR REPLACE SCHEMA DB.S")
    provider = Provider(connection, registry=make_registry({"tables": OnlyTables()}))
    return Laboratory(provider, scope="schema", target="DB.S")


def rows_of(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    return list(connection.cursor().execute(statement).fetchall())


def table(*columns: Mapping[str, Any], **more: Any) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return {"table": [{"name": "t", "columns": list(columns), **more}]}


def column(name: str, kind: str = "INT", **more: Any) -> Mapping[str, Any]:
    return {"name": name, "type": kind, **more}


LAW_COLUMNS = st.sampled_from(
    [
        [column("a", "VARCHAR(10)"), column("b", "NUMBER(5,2)")],
        [column("a", "VARCHAR(10)", comment="it's \\ odd"), column("b", "NUMBER(5,2)", not_null=True)],
        [column("a", "VARCHAR(10)", not_null=False, comment=None), column("b", "NUMBER(5,2)"), column("c", "BOOLEAN")],
        [column("b", "NUMBER(5,2)", not_null=False), column("a", "VARCHAR(10)"), column("c", "BOOLEAN", default=False)],
    ]
)
LAW_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "columns": LAW_COLUMNS,
    "strategy": st.sampled_from(["preserve", "PRESERVE"]),
    "unique_keys": st.sampled_from([[], [{"columns": ["a"]}], [{"columns": ["b", "a"], "name": "u"}]]),
    "foreign_keys": st.just([]),
    "cluster_by": st.sampled_from([["a"], ["b", "substr(a, 1, 3)"]]),
    "data_retention_time_in_days": st.integers(0, 1),
    "default_ddl_collation": st.sampled_from(["en", "de-ci"]),
}


def test_tables_keep_the_laws_of_kinds(laboratory: Laboratory) -> None:
    # The key stands on a column of its own: columns a primary key was taken from stay NOT NULL.
    keyed = {
        "primary_key": st.sampled_from([{"columns": ["d"], "rely": True}, {"columns": ["d"], "name": "pk"}]),
        "columns": LAW_COLUMNS.map(lambda columns: [*columns, column("d")]),
    }
    check_resource_type(Table, laboratory, values={**LAW_VALUES, **keyed}, max_examples=6)


EVERY_TYPE = (
    "NUMBER", "NUMBER(12,3)", "INT", "FLOAT", "VARCHAR", "VARCHAR(7)", "CHAR", "STRING", "TEXT(9)", "BINARY",
    "VARBINARY(8)", "BOOLEAN", "DATE", "TIME", "TIME(3)", "DATETIME", "TIMESTAMP", "TIMESTAMP(3)", "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ(6)", "VARIANT", "OBJECT", "ARRAY",
)  # fmt: skip


def test_every_type_reads_back_as_declared(laboratory: Laboratory) -> None:
    columns = [column(f"c{place}", kind) for place, kind in enumerate(EVERY_TYPE)]
    assert laboratory.converge(table(*columns)).empty


def test_defaults_identities_and_collations_read_back_as_declared(laboratory: Laboratory) -> None:
    columns = [
        column("a", identity={}),
        column("b", identity={"start": 5, "increment": 2, "order": True}),
        column("c", "VARCHAR(20)", default="'it''s'", collate="en-ci"),
        column("d", "NUMBER(10,2)", default=0),
        column("e", "TIMESTAMP_NTZ", default="current_timestamp"),
        column("f", "BOOLEAN", default=True),
        column("g", default="numbers.nextval"),
        column('"quoted one"', "DATE", default="'2024-01-01'::date", comment="x"),
        column("h", default="NULL"),
    ]
    laboratory.execute("CREATE SEQUENCE DB.S.NUMBERS")
    assert laboratory.converge(table(*columns)).empty


def test_a_table_grows_without_losing_a_row(laboratory: Laboratory, connection: Any) -> None:
    first = table(column("id", not_null=True), column("code", "VARCHAR(5)"), column("gone", "DATE"))
    assert laboratory.converge(first).empty
    laboratory.execute("INSERT INTO DB.S.T (ID, CODE) VALUES (1, 'x'), (2, NULL)")
    second = table(
        column("id"),
        column("label", "VARCHAR(50)", renamed_from="code", comment="what it says"),
        column("amount", "NUMBER(10,2)", default=7, not_null=True),
        strategy="drop",
        primary_key={"columns": ["id"]},
        cluster_by=["id"],
        comment="grown",
    )
    plan = laboratory.plan(second)
    assert plan.changes[0].risk is Risk.DESTRUCTIVE
    with pytest.raises(BlockedPlanError, match="column GONE and its values"):
        laboratory.apply(plan, allow=())
    laboratory.apply(plan)
    assert laboratory.plan(second).empty
    found = rows_of(connection, "SELECT ID, LABEL, AMOUNT FROM DB.S.T ORDER BY ID")
    assert [(int(a), b, float(c)) for a, b, c in found] == [(1, "x", 7.0), (2, None, 7.0)]
    assert [row[0] for row in rows_of(connection, "DESCRIBE TABLE DB.S.T")] == ["ID", "LABEL", "AMOUNT"]


def test_a_new_not_null_column_is_refused_while_there_are_rows(laboratory: Laboratory) -> None:
    assert laboratory.converge(table(column("a"))).empty
    laboratory.execute("INSERT INTO DB.S.T VALUES (1)")
    wider = table(column("a"), column("b", not_null=True))
    with pytest.raises(DiagnosticsError, match="NOT NULL and has no default, and the table has rows"):
        laboratory.plan(wider)
    laboratory.execute("DELETE FROM DB.S.T")
    assert laboratory.converge(wider).empty


def test_reorder_keeps_rows_keys_and_undeclared_columns(laboratory: Laboratory, connection: Any) -> None:
    first = table(
        column("a", comment="one"), column("b", "VARCHAR(5)"), column("extra"), primary_key={"columns": ["a"]}
    )
    assert laboratory.converge(first).empty
    laboratory.execute("INSERT INTO DB.S.T VALUES (1, 'x', 5)")
    second = table(column("b", "VARCHAR(5)"), column("c", default=9), column("a"), strategy="reorder")
    assert laboratory.converge(second).empty
    assert [row[0] for row in rows_of(connection, "DESCRIBE TABLE DB.S.T")] == ["B", "C", "A", "EXTRA"]
    assert [tuple(map(str, row)) for row in rows_of(connection, "SELECT * FROM DB.S.T")] == [("x", "9", "1", "5")]
    assert laboratory.plan(first).empty  # the comment and the key are still there


def test_foreign_keys_order_the_plan_and_read_back(laboratory: Laboratory) -> None:
    keys = [
        {"columns": ["x", "y"], "references": "parent", "referenced_columns": ["a", "b"], "name": "f"},
        {"columns": ["x"], "references": "DB.S.other"},
    ]
    documents: list[dict[str, Any]] = [
        {"name": "child", "columns": [column("x"), column("y")], "foreign_keys": keys},
        {"name": "parent", "columns": [column("a"), column("b")], "primary_key": {"columns": ["a", "b"]}},
        {"name": "other", "columns": [column("k")], "primary_key": {"columns": ["k"]}},
    ]
    resources = {"table": documents}
    plan = laboratory.plan(resources)
    assert [str(change.address) for change in plan.changes][-1] == "table DB.S.CHILD"
    laboratory.apply(plan)
    assert laboratory.plan(resources).empty
    documents[0]["foreign_keys"] = []
    assert laboratory.converge(resources).empty


def test_retention_and_parameters_read_back(laboratory: Laboratory) -> None:
    laboratory.execute("ALTER SCHEMA DB.S SET DATA_RETENTION_TIME_IN_DAYS = 5")
    own = table(column("a"), data_retention_time_in_days=3, max_data_extension_time_in_days=20)
    assert laboratory.converge(own).empty
    inherited = table(column("a"), data_retention_time_in_days=None, max_data_extension_time_in_days=None)
    assert [change.risk for change in laboratory.plan(inherited).changes] == [Risk.SAFE]
    assert laboratory.converge(inherited).empty


def test_a_transient_schema_makes_every_table_transient(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE OR REPLACE TRANSIENT SCHEMA DB.S")
    plan = laboratory.converge(table(column("a"), transient=False))
    assert plan.empty
    assert [each.code for each in plan.diagnostics] == ["transient-schema"]


def test_a_saved_plan_is_applied_and_refused_once_the_table_moved(laboratory: Laboratory) -> None:
    assert laboratory.converge(table(column("a"), column("b"), primary_key={"columns": ["a"]})).empty
    wanted = table(column("b"), column("c", "DATE"), column("a"), strategy="reorder", comment="x", cluster_by=["a"])
    saved = plan_to_json(laboratory.plan(wanted))
    laboratory.execute("ALTER TABLE DB.S.T ADD COLUMN D INT")
    with pytest.raises(StalePlanError, match="columns"):
        laboratory.apply(plan_from_json(saved))
    laboratory.execute("ALTER TABLE DB.S.T DROP COLUMN D")
    laboratory.apply(plan_from_json(saved))
    assert laboratory.plan(wanted).empty


def test_other_kinds_of_relations_are_no_tables(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE VIEW DB.S.V AS SELECT 1 AS A")
    laboratory.execute("CREATE TEMPORARY TABLE DB.S.T (A INT)")
    plan = laboratory.plan(table(column("a")))
    assert [change.action.value for change in plan.changes] == ["create"]


def test_pruning_drops_a_table_that_is_not_declared(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE TABLE DB.S.OLD (A INT)")
    source = laboratory.source(table(column("a")))
    laboratory.apply(laboratory.provider.plan(source))
    plan = laboratory.provider.plan(source, prune=True)
    assert [statement.text for statement in plan.statements()] == ["DROP TABLE DB.S.OLD"]
    assert plan.changes[0].risk is Risk.DESTRUCTIVE
    laboratory.apply(plan)


@pytest.mark.parametrize("count", [10, 1000])
def test_the_number_of_statements_does_not_depend_on_the_number_of_tables(
    count: int, laboratory: Laboratory, connection: Any
) -> None:
    for number in range(count):
        connection.cursor().execute(f"CREATE TABLE DB.S.T{number} (A INT, B VARCHAR, C DATE, PRIMARY KEY (A))")
    documents = [
        {"name": f"t{number}", "columns": [column("a"), column("b", "VARCHAR"), column("c", "DATE")],
         "primary_key": {"columns": ["a"]}, "unique_keys": [], "foreign_keys": [], "cluster_by": [],
         "data_retention_time_in_days": 1, "comment": None}
        for number in range(count)
    ]  # fmt: skip
    sent: list[str] = []
    session, send = laboratory.provider.session, laboratory.provider.session.execute

    def counted(statement: str, parameters: Sequence[Any] = ()) -> Any:
        sent.append(statement)
        return send(statement, parameters)

    session.execute = counted  # type: ignore[method-assign]
    assert laboratory.plan({"table": documents}).empty
    assert sorted(sent) == [
        "SELECT CURRENT_ACCOUNT() AS ACCOUNT, CURRENT_USER() AS USERNAME, CURRENT_ROLE() AS ROLE",
        "SHOW COLUMNS IN SCHEMA DB.S",
        "SHOW DATABASES",
        "SHOW IMPORTED KEYS IN SCHEMA DB.S",
        "SHOW PRIMARY KEYS IN SCHEMA DB.S",
        "SHOW SCHEMAS IN DATABASE DB",
        "SHOW TABLES IN SCHEMA DB.S",
        "SHOW UNIQUE KEYS IN SCHEMA DB.S",
    ]
