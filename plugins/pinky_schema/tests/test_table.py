"""Tables as plain values: conversion, statements, differences, risks, objections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pinky_schema.table import Table

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    Identifier,
    Names,
    OnChange,
    Risk,
    Severity,
    parse_path,
)
from pinky_core.convert import convert_body

ADDRESS = Address("table", parse_path("DB.S.T"))
CONTEXT = Context(Names(()), {})


def declared(**document: Any) -> Table:
    """The body a document declares."""
    body, mistakes = convert_body(Table, document)
    assert isinstance(body, Table), mistakes
    return body


def mistakes_of(**document: Any) -> str:
    """What conversion objects to."""
    body, mistakes = convert_body(Table, document)
    assert body is None
    return "; ".join(text for _, text in mistakes)


def live(rows: int | None = 0, inherited: int = 1, **document: Any) -> Table:
    """A live table: everything a declaration leaves open is what Snowflake fills in."""
    columns = tuple(_filled(column) for column in declared(**document).columns)
    body = declared(**document)
    values: dict[str, Any] = {field.name: getattr(body, field.name) for field in Table.spec.fields}
    defaults = {"transient": False, "cluster_by": (), "change_tracking": False, "enable_schema_evolution": False}
    defaults |= {"comment": None, "data_retention_time_in_days": inherited, "primary_key": None}
    defaults |= {"unique_keys": (), "foreign_keys": ()}
    values = {name: defaults.get(name, ABSENT) if value is ABSENT else value for name, value in values.items()}
    values["columns"] = columns
    return Table(**values, observed=True, rows=rows, inherited_retention=inherited)


def _filled(column: Any) -> Any:
    defaults = {"not_null": False, "default": None, "identity": None, "collate": None, "comment": None}
    values = {field.name: getattr(column, field.name) for field in column.spec.fields}
    return type(column)(**{n: defaults.get(n, ABSENT) if v is ABSENT else v for n, v in values.items()})


def column(name: str, kind: str = "INT", **more: Any) -> Mapping[str, Any]:
    return {"name": name, "type": kind, **more}


def statements(desired: Table, before: Table) -> list[str]:
    """What a plan would send to bring ``before`` to ``desired``."""
    changes = desired.changes(ADDRESS, before, CONTEXT)
    if not changes:
        return []
    replaced = any(change.on_change in (OnChange.REPLACE, OnChange.REFUSE) for change in changes)
    method = desired.replace if replaced else desired.alter
    return [statement.text for statement in method(ADDRESS, before, changes, CONTEXT)]


def errors(desired: Table, before: Table) -> list[Diagnostic]:
    return [each for each in desired.check(ADDRESS, before, CONTEXT) if each.severity is Severity.ERROR]


def risk(desired: Table, before: Table) -> tuple[Risk, str]:
    return desired.risk(ADDRESS, Action.ALTER, before, desired.changes(ADDRESS, before, CONTEXT))


# -- creating --------------------------------------------------------------------------------------------------------


def test_create_says_everything_in_one_statement() -> None:
    body = declared(
        columns=[
            column("id", identity={"start": 10, "increment": 5, "order": True}),
            column("name", "STRING", not_null=True, collate="en-ci", default="'it''s'", comment="it's"),
            column('"odd one"', "DECIMAL(10,2)", default="numbers.nextval"),
        ],
        transient=True,
        primary_key={"columns": ["id"], "name": "pk", "rely": True},
        unique_keys=[{"columns": ["name", '"odd one"']}],
        foreign_keys=[{"columns": ["id"], "references": "other.parents", "referenced_columns": ["key"]}],
        cluster_by=["to_date(id)", "name"],
        data_retention_time_in_days=1,
        change_tracking=True,
        comment="a\\b",
    )
    assert [s.text for s in body.create(ADDRESS, CONTEXT)] == [
        "CREATE TRANSIENT TABLE DB.S.T ("
        "ID NUMBER(38,0) IDENTITY START 10 INCREMENT 5 ORDER, "
        "NAME VARCHAR(16777216) NOT NULL COLLATE 'en-ci' DEFAULT 'it''s' COMMENT 'it''s', "
        '"odd one" NUMBER(10,2) DEFAULT DB.S.NUMBERS.NEXTVAL, '
        'CONSTRAINT PK PRIMARY KEY (ID) RELY, UNIQUE (NAME, "odd one"), '
        "FOREIGN KEY (ID) REFERENCES DB.OTHER.PARENTS (KEY)) "
        "CLUSTER BY (to_date(id), name) "
        "DATA_RETENTION_TIME_IN_DAYS = 1 CHANGE_TRACKING = TRUE COMMENT = 'a\\\\b'"
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"columns": []}, "at least one column"),
        ({"columns": [column("a"), column("A")]}, "column A is declared twice"),
        ({"columns": [column("a", default=1, identity={})]}, "both a default and an identity"),
        ({"columns": [column("a", "DATE", identity={})]}, "needs a numeric type; its type is DATE"),
        ({"columns": [column("a", identity={"increment": 0})]}, "cannot be 0"),
        ({"columns": [column("a", collate="en")]}, "needs a text type"),
        ({"columns": [column("a"), column("b", renamed_from="a")]}, "renamed from A, which is declared as well"),
        ({"columns": [column("a")], "primary_key": {"columns": ["b"]}}, "names column B, which is not declared"),
        ({"columns": [column("a")], "unique_keys": [{"columns": []}]}, "the unique key has no columns"),
        ({"columns": [column("a", not_null=False)], "primary_key": {"columns": ["a"]}}, "are NOT NULL"),
        ({"columns": [column("a")], "foreign_keys": [{"columns": ["a"], "references": "a.b.c.d"}]}, "4 parts"),
        ({"columns": [column("a")], "foreign_keys": [{"columns": ["a"], "references": "t-x"}]}, "is not a name"),
        (
            {
                "columns": [column("a")],
                "foreign_keys": [{"columns": ["a"], "references": "t", "referenced_columns": ["x", "y"]}],
            },
            "has 1 columns and refers to 2",
        ),
        ({"columns": [column("a")], "transient": True, "data_retention_time_in_days": 7}, "keeps 0 or 1 days"),
        ({"columns": [column("a", "NUMBR")]}, "did you mean NUMBER"),
        ({"columns": [column("a", default="new")]}, "needs quotes"),
    ],
)
def test_mistakes_are_found_without_an_account(document: dict[str, Any], said: str) -> None:
    assert said in mistakes_of(**document)


# -- altering --------------------------------------------------------------------------------------------------------


def test_nothing_declared_beyond_columns_means_nothing_to_do() -> None:
    before = live(columns=[column("a", comment="x", default=1)], comment="y", primary_key={"columns": ["a"]})
    assert statements(declared(columns=[column("a")]), before) == []


def test_columns_are_added_together_and_commented_after() -> None:
    before = live(columns=[column("a")])
    desired = declared(
        columns=[column("a"), column("b", "DATE", comment="when"), column("c", default=0, not_null=True)]
    )
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T ADD COLUMN B DATE, C NUMBER(38,0) DEFAULT 0 NOT NULL",
        "ALTER TABLE DB.S.T ALTER COLUMN B COMMENT 'when'",
    ]


def test_columns_are_altered_together() -> None:
    before = live(columns=[column("a", "NUMBER(10,2)", default=1), column("b", "VARCHAR(5)", comment="x")])
    desired = declared(
        columns=[column("a", "NUMBER(12,2)", default=None, not_null=True), column("b", "VARCHAR(9)", comment=None)]
    )
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T ALTER COLUMN A DROP DEFAULT, COLUMN A SET DATA TYPE NUMBER(12,2), COLUMN A SET NOT NULL, "
        "COLUMN B SET DATA TYPE VARCHAR(9), COLUMN B UNSET COMMENT"
    ]


def test_undeclared_columns_stay_unless_they_are_to_be_dropped() -> None:
    before = live(columns=[column("a"), column("b"), column('"c.d"')])
    kept, dropping = declared(columns=[column("a")]), declared(columns=[column("a")], strategy="drop")
    assert statements(kept, before) == []
    (warning,) = kept.check(ADDRESS, before, CONTEXT)
    assert warning.severity is Severity.WARNING
    assert 'keeps them: B, "c.d"' in warning.summary
    assert statements(dropping, before) == ['ALTER TABLE DB.S.T DROP COLUMN B, "c.d"']
    assert risk(dropping, before) == (Risk.DESTRUCTIVE, "column B and its values; column c.d and its values")


def test_a_hint_renames_a_column_and_alters_it_under_its_new_name() -> None:
    before = live(columns=[column("old", "VARCHAR(5)"), column("z")])
    desired = declared(columns=[column("new", "VARCHAR(10)", renamed_from="old"), column("z")], strategy="drop")
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T RENAME COLUMN OLD TO NEW",
        "ALTER TABLE DB.S.T ALTER COLUMN NEW SET DATA TYPE VARCHAR(10)",
    ]
    after = live(columns=[column("new", "VARCHAR(10)"), column("z")])
    assert statements(desired, after) == []  # the hint may stay in the file


def test_a_clustering_key_is_dropped_before_a_rename_and_set_after_it() -> None:
    before = live(columns=[column("old")], cluster_by=["old"])
    desired = declared(columns=[column("new", renamed_from="old")], cluster_by=["new"])
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T DROP CLUSTERING KEY",
        "ALTER TABLE DB.S.T RENAME COLUMN OLD TO NEW",
        "ALTER TABLE DB.S.T CLUSTER BY (new)",
    ]
    assert errors(declared(columns=[column("new", renamed_from="old")]), before)[0].code == "clustered-column"


def test_clustering_costs_and_its_end_does_not() -> None:
    before = live(columns=[column("a")], cluster_by=["a"])
    assert risk(declared(columns=[column("a")], cluster_by=["a + 1"]), before)[0] is Risk.EXPENSIVE
    ended = declared(columns=[column("a")], cluster_by=None)
    assert statements(ended, before) == ["ALTER TABLE DB.S.T DROP CLUSTERING KEY"]
    assert risk(ended, before)[0] is Risk.SAFE
    assert statements(declared(columns=[column("a")], cluster_by=["A"]), before) == []


def test_keys_are_dropped_first_and_added_last() -> None:
    before = live(
        columns=[column("a"), column("b")],
        primary_key={"columns": ["a"], "name": "sys_1"},
        unique_keys=[{"columns": ["a"], "name": "u1"}],
        foreign_keys=[{"columns": ["b"], "references": "DB.S.P", "referenced_columns": ["k"], "name": "f1"}],
    )
    desired = declared(
        columns=[column("a"), column("b"), column("c", "DATE")],
        primary_key={"columns": ["b"]},
        unique_keys=[{"columns": ["a", "b"], "name": "u2"}],
        foreign_keys=[{"columns": ["b"], "references": "q"}],
    )
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T DROP FOREIGN KEY (B)",
        "ALTER TABLE DB.S.T DROP UNIQUE (A)",
        "ALTER TABLE DB.S.T DROP PRIMARY KEY",
        "ALTER TABLE DB.S.T ADD COLUMN C DATE",
        "ALTER TABLE DB.S.T ADD PRIMARY KEY (B)",
        "ALTER TABLE DB.S.T ADD CONSTRAINT U2 UNIQUE (A, B)",
        "ALTER TABLE DB.S.T ADD FOREIGN KEY (B) REFERENCES DB.S.Q",
    ]


def test_keys_follow_a_renamed_column() -> None:
    before = live(
        columns=[column("old", not_null=True), column("b")],
        primary_key={"columns": ["old"], "name": "p"},
        unique_keys=[{"columns": ["old", "b"], "name": "u"}],
    )
    desired = declared(
        columns=[column("new", renamed_from="old"), column("b")], primary_key={"columns": ["new"]}, unique_keys=None
    )
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T RENAME COLUMN OLD TO NEW",
        "ALTER TABLE DB.S.T DROP UNIQUE (NEW, B)",
    ]


def test_a_key_that_stays_is_renamed_and_relied_on_in_place() -> None:
    before = live(columns=[column("a")], primary_key={"columns": ["a"], "name": "sys_1", "rely": False})
    desired = declared(columns=[column("a")], primary_key={"columns": ["a"], "name": "pk", "rely": True})
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T RENAME CONSTRAINT SYS_1 TO PK",
        "ALTER TABLE DB.S.T ALTER CONSTRAINT PK RELY",
    ]
    unnamed = declared(columns=[column("a")], primary_key={"columns": ["a"]})
    assert statements(unnamed, before) == []


def test_two_foreign_keys_on_the_same_columns_are_dropped_by_name() -> None:
    keys = [{"columns": ["a"], "references": name, "referenced_columns": ["k"], "name": name} for name in ("p", "q")]
    before = live(columns=[column("a")], foreign_keys=keys)
    assert statements(declared(columns=[column("a")], foreign_keys=None), before) == [
        "ALTER TABLE DB.S.T DROP CONSTRAINT P",
        "ALTER TABLE DB.S.T DROP CONSTRAINT Q",
    ]


def test_of_two_unique_keys_on_the_same_columns_one_is_dropped_by_name() -> None:
    keys = [{"columns": ["a"], "name": name} for name in ("u1", "u2")]
    before = live(columns=[column("a")], unique_keys=keys)
    desired = declared(columns=[column("a")], unique_keys=[{"columns": ["a"]}])
    assert statements(desired, before) == ["ALTER TABLE DB.S.T DROP CONSTRAINT U2"]


def test_properties_are_set_and_unset() -> None:
    before = live(columns=[column("a")], comment="x", change_tracking=True, data_retention_time_in_days=7)
    desired = declared(
        columns=[column("a")], comment=None, change_tracking=None, data_retention_time_in_days=9,
        enable_schema_evolution=True,
    )  # fmt: skip
    assert statements(desired, before) == [
        "ALTER TABLE DB.S.T SET ENABLE_SCHEMA_EVOLUTION = TRUE, DATA_RETENTION_TIME_IN_DAYS = 9",
        "ALTER TABLE DB.S.T UNSET CHANGE_TRACKING, COMMENT",
    ]


def test_retention_of_null_is_what_the_schema_says() -> None:
    desired = declared(columns=[column("a")], data_retention_time_in_days=None)
    assert statements(desired, live(columns=[column("a")], inherited=5)) == []
    own = live(columns=[column("a")], inherited=5, data_retention_time_in_days=7)
    assert statements(desired, own) == ["ALTER TABLE DB.S.T UNSET DATA_RETENTION_TIME_IN_DAYS"]
    assert risk(desired, own) == (Risk.DESTRUCTIVE, "Time Travel history older than 5 days")


def test_ending_change_tracking_is_destructive() -> None:
    before = live(columns=[column("a")], change_tracking=True)
    assert risk(declared(columns=[column("a")], change_tracking=False), before)[0] is Risk.DESTRUCTIVE


def test_a_dropped_table_loses_its_rows() -> None:
    before = live(columns=[column("a")])
    assert before.risk(ADDRESS, Action.DROP, before, ())[0] is Risk.DESTRUCTIVE
    assert [s.text for s in before.drop(ADDRESS)] == ["DROP TABLE DB.S.T"]


# -- writing anew ----------------------------------------------------------------------------------------------------


def test_reorder_writes_the_table_anew_and_keeps_what_is_not_declared() -> None:
    before = live(
        columns=[
            column("a", comment="first", not_null=True),
            column("b", "VARCHAR(5)", default="'x'", collate="en"),
            column("extra", "DATE"),
        ],
        primary_key={"columns": ["a"], "name": "SYS_CONSTRAINT_1"},
        cluster_by=["b"],
        comment="kept",
        data_retention_time_in_days=1,
    )
    desired = declared(
        columns=[column("c", "FLOAT", default=1), column("b", "VARCHAR(5)"), column("z", renamed_from="a")],
        strategy="reorder",
        change_tracking=True,
    )
    assert statements(desired, before) == [
        "CREATE OR REPLACE TABLE DB.S.T (C FLOAT DEFAULT 1, B VARCHAR(5) COLLATE 'en' DEFAULT 'x', "
        "Z NUMBER(38,0) NOT NULL COMMENT 'first', EXTRA DATE) CLUSTER BY (b) CHANGE_TRACKING = TRUE "
        "COPY GRANTS COPY TAGS COMMENT = 'kept' AS SELECT CAST(1 AS FLOAT), B, A, EXTRA FROM DB.S.T",
        "ALTER TABLE DB.S.T ADD PRIMARY KEY (Z)",
    ]
    found, loses = risk(desired, before)
    assert found is Risk.DESTRUCTIVE
    assert "streams on it go stale" in loses


def test_the_order_counts_only_with_reorder() -> None:
    before = live(columns=[column("a"), column("b")])
    columns = [column("b"), column("a")]
    assert statements(declared(columns=columns), before) == []
    assert statements(declared(columns=columns, strategy="drop"), before) == []
    added_last = [column("a"), column("b"), column("c")]
    assert statements(declared(columns=added_last, strategy="reorder"), before) == [
        "ALTER TABLE DB.S.T ADD COLUMN C NUMBER(38,0)"
    ]


def test_transient_needs_a_permission_and_keeps_the_rows() -> None:
    before = live(columns=[column("a")], data_retention_time_in_days=9)
    desired = declared(columns=[column("a")], transient=True)
    assert statements(desired, before) == [
        "CREATE OR REPLACE TRANSIENT TABLE DB.S.T (A NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 1 "
        "COPY GRANTS COPY TAGS AS SELECT A FROM DB.S.T"
    ]
    assert risk(desired, before)[0] is Risk.DESTRUCTIVE
    numbered = live(columns=[column("a", identity={})])
    assert [each.code for each in errors(desired, numbered)] == ["rebuild-identity"]


# -- objections ------------------------------------------------------------------------------------------------------


def test_not_null_without_default_is_refused_on_a_table_with_rows() -> None:
    desired = declared(columns=[column("a"), column("b", not_null=True)])
    (problem,) = errors(desired, live(rows=3, columns=[column("a")]))
    assert problem.code == "not-null-column"
    assert problem.path == ("columns", "B")
    assert "Give it a default" in problem.hint
    assert errors(desired, live(rows=0, columns=[column("a")])) == []
    assert errors(desired, live(rows=None, columns=[column("a")])) != []  # unknown is not none
    with_default = declared(columns=[column("a"), column("b", not_null=True, default=0)])
    assert errors(with_default, live(rows=3, columns=[column("a")])) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (column("a", "VARCHAR(10)"), column("a", "VARCHAR(5)"), "column-type"),
        (column("a", "NUMBER(10,2)"), column("a", "NUMBER(10,3)"), "column-type"),
        (column("a", "VARCHAR"), column("a", "NUMBER"), "column-type"),
        (column("a", default=1), column("a", default=2), "column-default"),
        (column("a"), column("a", default=2), "column-default"),
        (column("a"), column("a", default="numbers.nextval"), "column-default"),
        (column("a"), column("a", identity={}), "column-identity"),
        (column("a", identity={"start": 1}), column("a", identity={"start": 5}), "column-identity"),
        (column("a", "STRING"), column("a", "STRING", collate="en"), "column-collation"),
        (column("a", "VARIANT"), column("a", "VARIANT", not_null=True), "not-null-column"),
    ],
)
def test_what_snowflake_cannot_alter_is_an_error_with_a_hint(
    before: Mapping[str, Any], after: Mapping[str, Any], code: str
) -> None:
    (problem,) = errors(declared(columns=[after]), live(rows=1, columns=[before]))
    assert problem.code == code
    assert problem.hint


def test_one_sequence_may_follow_another() -> None:
    before = live(columns=[column("a", default="DB.S.ONE.NEXTVAL")])
    desired = declared(columns=[column("a", default="two.nextval")])
    assert errors(desired, before) == []
    assert statements(desired, before) == ["ALTER TABLE DB.S.T ALTER COLUMN A SET DEFAULT DB.S.TWO.NEXTVAL"]


def test_new_columns_take_literals_only() -> None:
    before = live(columns=[column("a")])
    problems = errors(declared(columns=[column("a"), column("b", "DATE", default="current_date()")]), before)
    assert [each.code for each in problems] == ["column-default"]
    rebuilt = declared(columns=[column("b", "DATE", default="current_date()"), column("a")], strategy="reorder")
    assert errors(rebuilt, before) == []  # a table written anew takes any default


def test_new_identities_need_an_empty_table() -> None:
    desired = declared(columns=[column("a"), column("b", identity={})])
    assert [each.code for each in errors(desired, live(rows=2, columns=[column("a")]))] == ["column-identity"]
    assert errors(desired, live(rows=0, columns=[column("a")])) == []


# -- dependencies ----------------------------------------------------------------------------------------------------


def test_foreign_keys_and_sequences_come_first() -> None:
    parent = Address("table", parse_path("DB.S.PARENTS"))
    numbers = Address("sequence", parse_path("DB.S.NUMBERS"))
    schema = Address("schema", parse_path("DB.S"))
    body = declared(
        columns=[column("a", default="numbers.nextval")],
        foreign_keys=[{"columns": ["a"], "references": "parents"}],
    )
    assert set(body.needs(ADDRESS, Names([parent, numbers, schema]))) == {parent, numbers, schema}
    assert list(body.needs(ADDRESS, Names([Address("table", (Identifier("X"), *parent.path[1:]))]))) == []
