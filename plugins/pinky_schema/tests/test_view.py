"""Views as plain values: the printed text taken apart, conversion, statements, risks."""

from __future__ import annotations

from typing import Any

import pytest
from pinky_schema.view import View
from pinky_schema.view_text import parse_view

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Identifier,
    Names,
    OnChange,
    Provider,
    Risk,
    hookimpl,
    make_registry,
    parse_path,
)
from pinky_core.convert import convert_body
from pinky_core.testing import FakeSession, Laboratory

ADDRESS = Address("view", parse_path("DB.S.V"))
CONTEXT = Context(Names(()), {})


def declared(**document: Any) -> View:
    body, mistakes = convert_body(View, document)
    assert isinstance(body, View), mistakes
    return body


def live(text: str, **more: Any) -> View:
    """A live view from a row of SHOW VIEWS."""
    row = {"name": "V", "comment": "", "text": text, "is_secure": "false", "is_materialized": "false"}
    return View.from_raw(View.from_row({**row, "change_tracking": "OFF", **more}))


def statements(desired: View, before: View) -> list[str]:
    changes = desired.changes(ADDRESS, before, CONTEXT)
    if not changes:
        return []
    replaced = any(change.on_change in (OnChange.REPLACE, OnChange.REFUSE) for change in changes)
    method = desired.replace if replaced else desired.alter
    return [statement.text for statement in method(ADDRESS, before, changes, CONTEXT)]


# -- the printed text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "create view v as",
        'CREATE OR REPLACE SECURE VIEW IF NOT EXISTS db.s."as" COPY GRANTS COPY TAGS AS',
        "create or replace view v comment = 'made as (select 1)' change_tracking = true as",
        "create /* as */ view v -- as\n as",
        "create view v with tag (t = 'as') with row access policy p on (a) as",
        "CREATE OR REPLACE LOCAL TEMPORARY VIEW DB..V AS",
    ],
)
def test_the_query_begins_behind_the_first_as_outside(head: str) -> None:
    query = "select a as b, (select max(c) as d from u) from t where e = 'as' -- end"
    found = parse_view(f"{head}\n {query};")
    assert found.query == query
    assert found.columns == ()
    assert found.recursive is False


def test_the_list_of_columns_is_read_with_its_comments() -> None:
    text = (
        "CREATE RECURSIVE VIEW DB.S.V (a COMMENT 'it''s \\'odd\\', (x)', \"b c\", "
        "d WITH MASKING POLICY p USING (d, a) COMMENT $$as it is$$, e) COMMENT = 'whole' AS SELECT 1, 2, 3, 4"
    )
    found = parse_view(text)
    assert found.recursive
    assert found.columns == (
        (Identifier("A"), "it's 'odd', (x)"),
        (Identifier("b c"), None),
        (Identifier("D"), "as it is"),
        (Identifier("E"), None),
    )
    assert found.query == "SELECT 1, 2, 3, 4"


def test_the_list_may_stand_behind_copy_grants() -> None:
    found = parse_view("CREATE MATERIALIZED VIEW V COPY GRANTS (A) AS SELECT 1")
    assert [name for name, _ in found.columns] == ["A"]


@pytest.mark.parametrize("text", ["select 1", "create view v", "'never closed", "create table t (a int)"])
def test_what_is_no_view_is_taken_as_the_query(text: str) -> None:
    assert str(parse_view(text).query) == text


# -- declaring -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"columns": [{"name": "a"}, {"name": "A"}]}, "columns declared twice: A"),
        ({"materialized": True, "recursive": True}, "no `recursive`"),
        ({"materialized": True, "change_tracking": True}, "no `change_tracking`"),
        ({"cluster_by": ["a"]}, "needs `materialized: true`"),
        ({"materialized": True, "cluster_by": ["a"]}, "needs the list of its `columns`"),
        ({"query": "select 'open"}, "never closed"),
    ],
)
def test_mistakes_are_found_without_an_account(document: dict[str, Any], said: str) -> None:
    body, mistakes = convert_body(View, {"query": "select 1", **document})
    assert body is None
    assert said in mistakes[0][1]


def test_create_says_everything() -> None:
    body = declared(
        query="select a, b from t; -- done",
        columns=[{"name": "x", "comment": "it's"}, {"name": '"y z"'}],
        secure=True,
        recursive=True,
        change_tracking=True,
        comment="c",
    )
    assert [s.text for s in body.create(ADDRESS, CONTEXT)] == [
        "CREATE SECURE RECURSIVE VIEW DB.S.V (X COMMENT 'it''s', \"y z\") CHANGE_TRACKING = TRUE COMMENT = 'c' "
        "AS select a, b from t"
    ]


def test_a_materialized_view_has_its_own_statements() -> None:
    body = declared(query="select a from t", materialized=True, columns=[{"name": "a"}], cluster_by=["a"], comment="c")
    assert [s.text for s in body.create(ADDRESS, CONTEXT)] == [
        "CREATE MATERIALIZED VIEW DB.S.V (A) COMMENT = 'c' CLUSTER BY (a) AS select a from t"
    ]
    before = live("CREATE MATERIALIZED VIEW DB.S.V (A) AS SELECT b FROM t", is_materialized="true", is_secure="true")
    assert statements(body, before) == [
        "CREATE OR REPLACE SECURE MATERIALIZED VIEW DB.S.V COPY GRANTS (A) COMMENT = 'c' CLUSTER BY (a) "
        "AS select a from t"
    ]
    changes = body.changes(ADDRESS, before, CONTEXT)
    assert body.risk(ADDRESS, Action.REPLACE, before, changes)[0] is Risk.EXPENSIVE
    other = Address("view", parse_path("DB.S.W"))
    assert [s.text for s in body.rename(ADDRESS, other)] == ["ALTER MATERIALIZED VIEW DB.S.V RENAME TO DB.S.W"]
    assert [s.text for s in before.drop(ADDRESS)] == ["DROP MATERIALIZED VIEW DB.S.V"]


# -- altering --------------------------------------------------------------------------------------------------------


def test_white_space_comments_and_the_last_semicolon_are_no_difference() -> None:
    before = live("create view v as\nselect  a\n from t -- x\n;")
    assert statements(declared(query="select a from t"), before) == []


def test_a_new_query_keeps_grants_and_whatever_is_not_declared() -> None:
    before = live(
        "create view v (x comment 'y') as select a from t", comment="kept", is_secure="true", change_tracking="ON"
    )
    desired = declared(query="select b from t")
    assert statements(desired, before) == [
        "CREATE OR REPLACE SECURE VIEW DB.S.V (X COMMENT 'y') CHANGE_TRACKING = TRUE COPY GRANTS COPY TAGS "
        "COMMENT = 'kept' AS select b from t"
    ]
    (change,) = desired.changes(ADDRESS, before, CONTEXT)
    assert "streams on the view go stale" in change.note
    assert desired.risk(ADDRESS, Action.REPLACE, before, [change]) == (Risk.SAFE, "")


def test_properties_are_altered_one_at_a_time() -> None:
    before = live("create view v as select 1 as a", comment="old", change_tracking="ON")
    desired = declared(query="select 1 as a", secure=True, comment=None, change_tracking=False)
    assert statements(desired, before) == [
        "ALTER VIEW DB.S.V SET SECURE",
        "ALTER VIEW DB.S.V SET CHANGE_TRACKING = FALSE",
        "ALTER VIEW DB.S.V UNSET COMMENT",
    ]


def test_comments_of_columns_count_only_where_they_are_declared() -> None:
    before = live("create view v (a comment 'x', b) as select 1, 2")
    assert statements(declared(query="select 1, 2", columns=[{"name": "a"}, {"name": "b"}]), before) == []
    desired = declared(query="select 1, 2", columns=[{"name": "a", "comment": "y"}, {"name": "b"}])
    assert statements(desired, before) == [
        "CREATE OR REPLACE VIEW DB.S.V (A COMMENT 'y', B) COPY GRANTS COPY TAGS AS select 1, 2"
    ]


def test_becoming_materialized_needs_a_permission() -> None:
    before = live("create view v as select 1 as a", change_tracking="ON")
    desired = declared(query="select 1 as a", materialized=True)
    assert statements(desired, before) == [
        "DROP VIEW DB.S.V",
        "CREATE MATERIALIZED VIEW DB.S.V AS select 1 as a",
    ]
    found, loses = desired.risk(ADDRESS, Action.REPLACE, before, desired.changes(ADDRESS, before, CONTEXT))
    assert found is Risk.DESTRUCTIVE
    assert "grants" in loses


def test_a_hidden_text_is_an_error_and_never_a_difference() -> None:
    before = live("", is_secure="true")
    assert before.query is ABSENT
    desired = declared(query="select 1 as a", secure=True)
    assert desired.changes(ADDRESS, before, CONTEXT) == []
    (problem,) = desired.check(ADDRESS, before, CONTEXT)
    assert problem.code == "not-visible"
    assert "Use the role that owns the view" in problem.hint


# -- reading ---------------------------------------------------------------------------------------------------------


class OnlyViews:
    """A plugin with one kind."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        """Views."""
        return [View]


def test_clustering_keys_are_read_once_per_schema() -> None:
    text = "CREATE MATERIALIZED VIEW V (A) CLUSTER BY (A) AS select a from t"
    row = {"database_name": "DB", "schema_name": "S", "text": text, "is_secure": "false", "is_materialized": "true"}
    keys = "SHOW MATERIALIZED VIEWS IN SCHEMA DB.S"
    session = FakeSession(
        {
            "SHOW DATABASES": [{"name": "DB"}],
            "SHOW SCHEMAS IN DATABASE DB": [{"name": "S"}],
            "SHOW VIEWS IN SCHEMA DB.S": [{"name": "V", **row}, {"name": "W", **row}],
            keys: [{"name": "V", "cluster_by": "LINEAR(A)"}, {"name": "W", "cluster_by": "LINEAR(A, SUBSTR(A, 1))"}],
        }
    )
    laboratory = Laboratory(Provider(session, registry=make_registry({"views": OnlyViews()})), "schema", "DB.S")
    document = {"query": "select a from t", "materialized": True, "columns": [{"name": "a"}], "cluster_by": ["a"]}
    plan = laboratory.plan({"view": [{"name": "v", **document}, {"name": "w", **document}]})
    assert [s.text for s in plan.statements()] == ["ALTER MATERIALIZED VIEW DB.S.W CLUSTER BY (a)"]
    assert session.statements.count(keys) == 1
