"""Streams through the real connector on a local account, and statements the local account does not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.stream import PointInTime, Stream

from pinky_core import (
    Address,
    BlockedPlanError,
    Context,
    DiagnosticsError,
    Identifier,
    Provider,
    Risk,
    hookimpl,
    make_registry,
)
from pinky_core.resource import Names
from pinky_core.testing import Laboratory, check_resource_type

ADDRESS = Address("stream", (Identifier("D"), Identifier("S"), Identifier("X")))
NOTHING = Context(Names(()), {})


class OnlyStreams:
    """A plugin with the one kind under test."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Stream]


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D",
            "CREATE SCHEMA D.S",
            "CREATE TABLE D.S.T (A INT)",
            'CREATE TABLE D.S."t u" (A INT)',
            "CREATE STAGE D.S.ST DIRECTORY = (ENABLE = TRUE)",
            "CREATE VIEW D.S.V AS SELECT A FROM D.S.T",
        ):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"streams": OnlyStreams()}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def apply(laboratory: Laboratory, **fields: Any) -> list[str]:
    """Apply one stream, check that the second plan is empty, and answer the statements."""
    document = {"stream": [{"name": "x", **fields}]}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    again = laboratory.plan(document)
    assert again.empty, [(change.reason, change.fields) for change in again.changes]
    return [statement.text for statement in plan.statements()]


@pytest.mark.parametrize(
    ("fields", "clause"),
    [
        ({"on_table": "t", "append_only": True}, "ON TABLE D.S.T APPEND_ONLY = TRUE"),
        ({"on_table": 'd.s."t u"', "append_only": False}, 'ON TABLE D.S."t u" APPEND_ONLY = FALSE'),
        ({"on_table": "s.t", "show_initial_rows": True}, "ON TABLE D.S.T SHOW_INITIAL_ROWS = TRUE"),
        ({"on_view": "v", "comment": "it's"}, "ON VIEW D.S.V COMMENT = 'it''s'"),
        ({"on_stage": "st"}, "ON STAGE D.S.ST"),
    ],
)
def test_create_on_each_source(laboratory: Laboratory, fields: dict[str, Any], clause: str) -> None:
    assert apply(laboratory, **fields) == [f"CREATE STREAM D.S.X {clause}"]


def test_only_the_comment_is_altered(laboratory: Laboratory) -> None:
    apply(laboratory, on_table="t")
    assert apply(laboratory, on_table="t", comment="a") == ["ALTER STREAM D.S.X SET COMMENT = 'a'"]
    assert apply(laboratory, on_table="t", comment=None) == ["ALTER STREAM D.S.X UNSET COMMENT"]


@pytest.mark.parametrize("fields", [{"on_table": '"t u"'}, {"on_view": "v"}, {"on_table": "t", "append_only": True}])
def test_everything_else_loses_the_offset(laboratory: Laboratory, fields: dict[str, Any]) -> None:
    apply(laboratory, on_table="t")
    plan = laboratory.plan({"stream": [{"name": "x", **fields}]})
    (change,) = plan.changes
    assert change.risk is Risk.DESTRUCTIVE
    assert "offset" in change.loses
    with pytest.raises(BlockedPlanError, match="offset"):
        laboratory.provider.apply(plan)
    (text,) = apply(laboratory, **fields)
    assert text.startswith("CREATE OR REPLACE STREAM D.S.X ON ")


def test_what_counts_at_creation_is_never_a_difference(laboratory: Laboratory) -> None:
    apply(laboratory, on_table="t", show_initial_rows=True)
    assert apply(laboratory, on_table="t", show_initial_rows=False, at={"offset": -60}) == []


@pytest.mark.parametrize(
    ("point", "clause"),
    [
        (
            PointInTime(timestamp="2026-01-01 00:00:00 +0000"),
            "AT (TIMESTAMP => '2026-01-01 00:00:00 +0000'::TIMESTAMP_TZ)",
        ),
        (PointInTime(offset=-60), "AT (OFFSET => -60)"),
        (PointInTime(statement="01-ab"), "AT (STATEMENT => '01-ab')"),
        (PointInTime(stream="y"), "AT (STREAM => 'D.S.Y')"),
    ],
)
def test_points_in_time(point: PointInTime, clause: str) -> None:
    (created,) = Stream(on_table="t", at=point).create(ADDRESS, NOTHING)
    assert created.text == f"CREATE STREAM D.S.X ON TABLE D.S.T {clause}"


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (Stream(on_external_table="e", insert_only=True), "ON EXTERNAL TABLE D.S.E INSERT_ONLY = TRUE"),
        (Stream(on_dynamic_table="dt"), "ON DYNAMIC TABLE D.S.DT"),
        (Stream(on_event_table="et"), "ON EVENT TABLE D.S.ET"),
    ],
)
def test_sources_of_other_kinds(body: Stream, clause: str) -> None:
    assert not list(body.contradictions())
    (created,) = body.create(ADDRESS, NOTHING)
    assert created.text == f"CREATE STREAM D.S.X {clause}"


@pytest.mark.parametrize(
    ("source_type", "body"),
    [
        ("Table", Stream(on_table="t")),
        ("Table", Stream(on_dynamic_table="t")),
        ("Dynamic Table", Stream(on_dynamic_table="t")),
        ("Directory Table", Stream(on_stage="t")),
        ("Stage", Stream(on_stage="t")),
        ("External Table", Stream(on_external_table="t")),
        ("View", Stream(on_view="t")),
    ],
)
def test_kinds_of_sources_as_show_streams_spells_them(source_type: str, body: Stream) -> None:
    row = {"name": "X", "table_name": "D.S.T", "source_type": source_type, "mode": "DEFAULT", "comment": ""}
    live = Stream.from_raw(Stream.from_row(row))
    assert not list(body.changes(ADDRESS, live, NOTHING))
    assert Stream(on_table="other").changes(ADDRESS, live, NOTHING)


def test_source_that_is_gone_is_no_difference() -> None:
    row = {"name": "X", "table_name": "No privilege or table dropped", "source_type": "Table", "mode": "DEFAULT"}
    live = Stream.from_raw(Stream.from_row(row))
    assert not list(Stream(on_table="t").changes(ADDRESS, live, NOTHING))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "exactly one of on_table"),
        ({"on_table": "t", "on_view": "v"}, "found: on_table, on_view"),
        ({"on_stage": "st", "append_only": True}, "'append_only' does not exist"),
        ({"on_external_table": "e"}, "needs 'insert_only"),
        ({"on_table": "t", "at": {"offset": -1}, "before": {"offset": -1}}, "exclude each other"),
        ({"on_table": "t", "at": {"offset": -1, "stream": "y"}}, "exactly one of timestamp"),
        ({"on_table": "t", "before": {"stream": "y"}}, "belongs to 'at'"),
        ({"on_table": "t", "renamed_from": "y"}, "cannot rename a stream"),
        ({"on_table": "a b"}, "is not a name"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({"stream": [{"name": "x", **fields}]})


def test_laws(laboratory: Laboratory) -> None:
    check_resource_type(
        Stream,
        laboratory,
        fixed={"on_table": "t"},
        skip={"at", "before", "insert_only", *(name for name in Stream.spec.by_name if name.startswith("on_"))}
        - {"on_table"},
        renames=False,
        max_examples=8,
    )
