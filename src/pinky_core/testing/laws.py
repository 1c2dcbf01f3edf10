"""What every kind must keep, whoever wrote it, tried with drawn documents on a real or local account."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinky_core.change import Action, plain
from pinky_core.convert import convert_body
from pinky_core.json_schema import document_schema
from pinky_core.spec import OnChange, Source, spec_of
from pinky_core.testing.laboratory import Laboratory
from pinky_core.testing.strategies import documents
from pinky_core.validate import Validator

__all__ = ["check_resource_type"]

_NAMES = itertools.count(1)


def check_resource_type(
    cls: Any,
    laboratory: Laboratory,
    *,
    values: Mapping[str, st.SearchStrategy[Any]] | None = None,
    fixed: Mapping[str, Any] | None = None,
    skip: Collection[str] = (),
    together: Collection[Collection[str]] = (),
    keep: Collection[str] = (),
    renames: bool = True,
    max_examples: int = 15,
) -> None:
    """Check all laws for one kind; raises AssertionError with the smallest documents that break one.

    The laws: its own schema accepts every document; document → value → document is stable; create, then the plan is
    empty; every alterable property is reached by altering and gone after null; rename keeps the object; a dropped
    object is gone. ``values``, ``fixed`` and ``skip`` are those of `documents`; ``together`` groups fields that only
    make sense with each other; ``keep`` names fields that are never set to null, since Snowflake has no way to unset
    them; ``renames`` is False for a kind Snowflake cannot rename.
    """
    drawn = documents(cls, values=values, fixed=fixed, skip=skip)
    run = settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    _check_documents(cls, drawn, run)
    _check_create_and_alter(cls, laboratory, drawn, run, together, keep)
    if renames:
        _check_rename(cls, laboratory, drawn, run)


def _check_documents(cls: Any, drawn: st.SearchStrategy[dict[str, Any]], run: settings) -> None:
    validator = Validator(document_schema(cls))

    @run
    @given(drawn)
    def schema_accepts_and_conversion_is_stable(document: dict[str, Any]) -> None:
        named = {"name": "X", **document} if "name" in document_schema(cls)["properties"] else document
        errors = [error.message for error in validator.errors(named)]
        assert not errors, f"the schema of {cls.spec.kind} refuses {named}: {errors}"
        body, mistakes = convert_body(cls, document)
        assert body is not None, f"conversion refuses {document}: {mistakes}"
        again, mistakes = convert_body(cls, plain(body))
        assert again == body, f"{document} becomes {plain(body)} and then {again}: {mistakes}"

    schema_accepts_and_conversion_is_stable()


def _check_create_and_alter(
    cls: Any,
    laboratory: Laboratory,
    drawn: st.SearchStrategy[dict[str, Any]],
    run: settings,
    together: Collection[Collection[str]],
    keep: Collection[str],
) -> None:
    kept = {field.name for field in spec_of(cls).fields if field.required} | set(keep)

    @run
    @given(drawn, drawn)
    def create_alter_unset_drop(first: dict[str, Any], second: dict[str, Any]) -> None:
        name = _fresh_name()
        _reaches(laboratory, cls, {**first, "name": name}, "creating")
        wanted = {**_frozen_of(cls, first), **_alterable_of(cls, second), "name": name}
        _reaches(laboratory, cls, wanted, "altering")
        nulls = {field: None for field in _alterable_of(cls, second) if field not in kept}
        unset = {**wanted, **_whole_groups(nulls, together)}
        _reaches(laboratory, cls, unset, "unsetting")
        _drop(laboratory, cls, unset)

    create_alter_unset_drop()


def _check_rename(cls: Any, laboratory: Laboratory, drawn: st.SearchStrategy[dict[str, Any]], run: settings) -> None:
    @settings(run, max_examples=3)
    @given(drawn)
    def rename_keeps_the_object(document: dict[str, Any]) -> None:
        old, new = _fresh_name(), _fresh_name()
        _reaches(laboratory, cls, {**document, "name": old}, "creating")
        renamed = {**document, "name": new, "renamed_from": old}
        plan = laboratory.plan({cls.spec.kind: [renamed]})
        actions = [change.action for change in plan.changes]
        assert actions == [Action.RENAME], f"renaming {old} to {new} plans {actions}"
        _reaches(laboratory, cls, renamed, "renaming")
        _drop(laboratory, cls, {**document, "name": new})

    rename_keeps_the_object()


def _reaches(laboratory: Laboratory, cls: Any, document: dict[str, Any], doing: str) -> None:
    """Apply a document; the next plan must be empty."""
    second = laboratory.converge({cls.spec.kind: [document]})
    left = [(str(change.address), change.reason, [str(f) for f in change.fields]) for change in second.changes]
    assert second.empty, f"after {doing} {document}, the second plan is not empty: {left}"


def _drop(laboratory: Laboratory, cls: Any, document: dict[str, Any]) -> None:
    """Drop the object by its kind's own statements; the next plan must create it again."""
    desired = laboratory.plan({cls.spec.kind: [document]})
    assert desired.empty
    kind = cls.spec.kind
    address = next(
        each
        for each in laboratory.addresses({kind: [document]})
        if each.kind == kind and each.name == _canonical(document["name"])
    )
    body = laboratory.live(address)
    for statement in body.drop(address):
        laboratory.execute(statement.text)
    again = laboratory.plan({kind: [document]})
    assert [change.action for change in again.changes] == [Action.CREATE], f"dropping {address} left it there"


def _canonical(name: str) -> str:
    return name.upper()


def _fresh_name() -> str:
    return f"law_{next(_NAMES)}"


def _alterable_of(cls: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    by_name = spec_of(cls).by_name
    return {
        name: value
        for name, value in document.items()
        if name in by_name
        and by_name[name].on_change in (OnChange.ALTER, OnChange.REPLACE)
        and by_name[name].source is not Source.NOWHERE
    }


def _frozen_of(cls: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    alterable = _alterable_of(cls, document)
    return {name: value for name, value in document.items() if name not in alterable}


def _whole_groups(nulls: Mapping[str, None], together: Collection[Collection[str]]) -> dict[str, None]:
    """A group of fields is unset as a whole, or not at all."""
    whole = dict(nulls)
    for group in together:
        if any(name in whole for name in group):
            whole.update(dict.fromkeys(group))
    return whole
