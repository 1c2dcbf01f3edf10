"""Tags: statements of plain values, and the whole life on a local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema.tag import OnConflict, Propagate, Tag

from pinky_core import (
    Action,
    Address,
    Context,
    DiagnosticsError,
    Identifier,
    Names,
    Provider,
    Risk,
    make_registry,
)
from pinky_core.testing import Laboratory, check_resource_type

ADDRESS = Address("tag", (Identifier("D"), Identifier("S"), Identifier("COST")))
CONTEXT = Context(Names(()), {})


class OnlyTags:
    """A plugin with the one kind under test."""

    from pinky_core import hookimpl

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Tag]


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"tags": OnlyTags()}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def statements(desired: Tag, live: Tag) -> list[str]:
    changes = desired.changes(ADDRESS, live, CONTEXT)
    return [str(each) for each in desired.alter(ADDRESS, live, changes, CONTEXT)]


def test_laws(laboratory: Laboratory) -> None:
    allowed = st.lists(st.sampled_from(("red", "it's", 'a "b"', "x,y", "[z]", "back\\slash")), min_size=1, unique=True)
    propagation: dict[str, Any] = {
        "allowed_values": allowed,
        "propagate": st.just("on_dependency"),
        "on_conflict": st.sampled_from(("mixed", "allowed_values_sequence")),
    }
    check_resource_type(Tag, laboratory, values=propagation, skip={"multi_value", "on_conflict", "propagate"})
    check_resource_type(
        Tag,
        laboratory,
        values=propagation,
        fixed={"propagate": "ON_DATA_MOVEMENT"},
        skip={"multi_value"},
        together=[("propagate", "on_conflict")],
        max_examples=6,
    )


def test_create_writes_allowed_values_first() -> None:
    tag = Tag(
        comment="it's",
        propagate=Propagate.ON_DEPENDENCY,
        on_conflict=OnConflict.parse("merge"),
        multi_value=True,
        allowed_values=("a", "b"),
    )
    assert [str(each) for each in tag.create(ADDRESS, CONTEXT)] == [
        "CREATE TAG D.S.COST ALLOWED_VALUES 'a', 'b' MULTI_VALUE = TRUE"
        " PROPAGATE = ON_DEPENDENCY ON_CONFLICT = MERGE COMMENT = 'it''s'"
    ]


def test_what_is_not_declared_is_not_touched() -> None:
    live = Tag(allowed_values=("a",), comment="c", propagate=Propagate.ON_DEPENDENCY, on_conflict=None)
    assert Tag().changes(ADDRESS, live, CONTEXT) == []


def test_the_order_of_allowed_values_counts() -> None:
    live = Tag(allowed_values=("a", "b"), comment=None)
    assert statements(Tag(allowed_values=("b", "a")), live) == ["ALTER TAG D.S.COST SET ALLOWED_VALUES 'b', 'a'"]


def test_null_unsets_each_property_by_itself() -> None:
    live = Tag(allowed_values=("a",), comment="c", propagate=Propagate.ON_DEPENDENCY, on_conflict=OnConflict("x"))
    assert statements(Tag(allowed_values=None, propagate=None, on_conflict=None, comment=None), live) == [
        "ALTER TAG D.S.COST UNSET ALLOWED_VALUES",
        "ALTER TAG D.S.COST UNSET ON_CONFLICT",
        "ALTER TAG D.S.COST UNSET COMMENT",
        "ALTER TAG D.S.COST UNSET PROPAGATE",
    ]


def test_a_tag_that_is_not_propagated_shows_none() -> None:
    row = {"name": "COST", "allowed_values": None, "comment": "", "propagate": "NONE", "on_conflict": None}
    live = Tag.from_raw(Tag.from_row(row))
    assert Tag(propagate=None, on_conflict=None, allowed_values=None, comment="").changes(ADDRESS, live, CONTEXT) == []


def test_the_two_words_of_on_conflict_are_read_in_any_case_and_other_texts_as_they_are() -> None:
    assert [OnConflict.parse(each).sql for each in ("merge", "Allowed_Values_Sequence", "it's")] == [
        "MERGE",
        "ALLOWED_VALUES_SEQUENCE",
        "'it''s'",
    ]


def test_dropping_a_tag_is_destructive(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE TAG D.S.OLD")
    source = laboratory.source({"tag": [{"name": "cost"}]})
    plan = laboratory.provider.plan(source, prune=True)
    found = {str(c.address): (c.action, c.risk) for c in plan.changes}
    assert found == {
        "tag D.S.COST": (Action.CREATE, Risk.SAFE),
        "tag D.S.OLD": (Action.DROP, Risk.DESTRUCTIVE),
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on_conflict": "x"}, "'on_conflict' needs 'propagate'"),
        ({"on_conflict": "merge", "propagate": "ON_DEPENDENCY"}, "'on_conflict: MERGE' needs 'multi_value: true'"),
        ({"allowed_values": []}, "an empty list would allow no value"),
        ({"propagate": "ON_DEPENDENCE"}, "Did you mean 'ON_DEPENDENCY'"),
    ],
)
def test_contradictions_are_refused(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message):
        laboratory.plan({"tag": [{"name": "cost", **fields}]})
