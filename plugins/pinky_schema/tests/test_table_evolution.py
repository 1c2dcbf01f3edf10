"""A table that lives through many versions of its declaration keeps its rows, and every second plan is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pinky_schema.table import Table

from pinky_core import Provider, hookimpl, make_registry
from pinky_core.testing import Laboratory

pinky_local = pytest.importorskip("pinky_local")
pytest.importorskip("snowflake.connector")

NAMES = ("a", "b", "c", "d", '"odd one"')
WIDER = {
    "VARCHAR(5)": "VARCHAR(9)",
    "VARCHAR(9)": "VARCHAR",
    "NUMBER(5,2)": "NUMBER(9,2)",
    "NUMBER(9,2)": "NUMBER(38,2)",
}


class OnlyTables:
    """A plugin with one kind."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        """Tables."""
        return [Table]


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with pinky_local.LocalAccount() as account:
        connected = account.connect()
        connected.cursor().execute("CREATE DATABASE DB")
        yield connected
        connected.close()
        assert not account.internal_errors


def new_column(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["VARCHAR(5)", "NUMBER(5,2)", "DATE", "BOOLEAN"]))
    default = {"VARCHAR(5)": "'x'", "NUMBER(5,2)": 1.5}.get(kind)
    column: dict[str, Any] = {"name": name, "type": kind}
    if default is not None and draw(st.booleans()):
        column |= {"default": default, "not_null": draw(st.booleans())}
    if draw(st.booleans()):
        column["comment"] = draw(st.sampled_from(["it's", '\\ and "', ""]))
    return column


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Documents that follow one another by edits Snowflake allows; a column KEY carries the rows through."""
    columns: list[dict[str, Any]] = [{"name": "key", "type": "INT"}, new_column(draw, "a")]
    documents = [{"columns": [dict(column) for column in columns]}]
    for _ in range(draw(st.integers(1, 4))):
        strategy = draw(st.sampled_from(["preserve", "drop", "reorder"]))
        columns = [{k: v for k, v in column.items() if k != "renamed_from"} for column in columns]
        free = [name for name in NAMES if name not in {column["name"] for column in columns}]
        edit = draw(st.sampled_from(["add", "widen", "rename", "drop", "comment", "nullable", "shuffle", "keys"]))
        other = [column for column in columns if column["name"] != "key"]
        chosen = draw(st.sampled_from(other)) if other else None
        document: dict[str, Any] = {}
        if edit == "add" and free:
            columns.insert(draw(st.integers(0, len(columns))), new_column(draw, draw(st.sampled_from(free))))
        elif edit == "widen" and chosen and chosen["type"] in WIDER:
            chosen["type"] = WIDER[chosen["type"]]
        elif edit == "rename" and chosen and free:
            chosen["renamed_from"], chosen["name"] = chosen["name"], draw(st.sampled_from(free))
        elif edit == "drop" and chosen:
            columns.remove(chosen)
            strategy = "drop"  # a column that stays behind under its name would come back as it is
        elif edit == "comment" and chosen:
            chosen["comment"] = draw(st.sampled_from(["new", None]))
        elif edit == "nullable" and chosen:
            chosen["not_null"] = False
        elif edit == "shuffle":
            columns = draw(st.permutations(columns))
        elif edit == "keys":
            document = {"unique_keys": [{"columns": ["key"]}], "cluster_by": ["key"]}
        documents.append({**document, "strategy": strategy, "columns": [dict(column) for column in columns]})
    return documents


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_rows_live_through_every_version(connection: Any, history: list[dict[str, Any]]) -> None:
    connection.cursor().execute("CREATE OR REPLACE SCHEMA DB.S")
    provider = Provider(connection, registry=make_registry({"tables": OnlyTables()}))
    laboratory = Laboratory(provider, scope="schema", target="DB.S")
    for version, document in enumerate(history):
        resources = {"table": [{"name": "t", **document}]}
        assert laboratory.converge(resources).empty, document
        laboratory.execute(f"INSERT INTO DB.S.T (KEY) SELECT {version}" if version == 0 else _filled(document, version))
        found = connection.cursor().execute("SELECT KEY FROM DB.S.T ORDER BY KEY").fetchall()
        assert [int(key) for (key,) in found] == list(range(version + 1))


def _filled(document: dict[str, Any], version: int) -> str:
    """An INSERT with a value for every column without a default."""
    values = {"VARCHAR": "'v'", "NUMBER": "2", "DATE": "'2024-01-01'", "BOOLEAN": "TRUE", "INT": str(version)}
    names = ", ".join(column["name"] for column in document["columns"])
    cells = ", ".join(values[column["type"].partition("(")[0]] for column in document["columns"])
    return f"INSERT INTO DB.S.T ({names}) SELECT {cells}"
