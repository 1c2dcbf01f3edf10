"""Hypothesis strategies that draw documents of a kind from its `Spec`."""

from __future__ import annotations

import typing
from collections.abc import Collection, Mapping
from typing import Any

from hypothesis import strategies as st

from pinky_core.address import Identifier
from pinky_core.datatype import DataType
from pinky_core.spec import Field, Nested, spec_of
from pinky_core.values import Duration, Keyword, Schedule

__all__ = ["documents", "field_values"]

# Quotes, backslashes, comment marks, braces, line ends and letters beyond ASCII: whatever a literal could stumble over.
TEXTS = st.text(alphabet="abcXYZ 0123'\"\\;-/*$%@{}\n\tàß漢", max_size=24).filter(
    lambda text: "{{" not in text and "{%" not in text
)
TYPES = (
    "NUMBER",
    "NUMBER(10,2)",
    "INT",
    "VARCHAR",
    "VARCHAR(20)",
    "STRING",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP_NTZ",
    "FLOAT",
)


def documents(
    cls: Any,
    *,
    values: Mapping[str, st.SearchStrategy[Any]] | None = None,
    fixed: Mapping[str, Any] | None = None,
    skip: Collection[str] = (),
) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of a kind without name: required fields always, the others sometimes.

    ``values`` overrides how a field is drawn, ``fixed`` gives keys every document has, ``skip`` leaves fields out.
    Fields that refer to other objects or hold SQL or secrets are left out unless ``values`` draws them.
    """
    given = dict(values or {})
    constants = {name: st.just(value) for name, value in (fixed or {}).items()}
    required: dict[str, st.SearchStrategy[Any]] = dict(constants)
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in spec_of(cls).fields:
        if field.name in skip or field.name in constants:
            continue
        drawn = None if field.refers_to else field_values(field)
        strategy = given.get(field.name, drawn)  # asking a strategy for its truth is a warning of hypothesis
        if strategy is None:
            if field.required:
                raise TypeError(f"{spec_of(cls).kind}.{field.name} is required and cannot be drawn: give it in values=")
            continue
        (required if field.required else optional)[field.name] = strategy
    return st.fixed_dictionaries(required, optional=optional)


def field_values(field: Field) -> st.SearchStrategy[Any] | None:
    """Values of one field as a manifest spells them; None where only the kind's author can say."""
    if field.type is int:
        low = field.minimum if field.minimum is not None else 0
        high = field.maximum if field.maximum is not None else low + 1000
        return st.integers(low, high)
    return _values(field.type)


def _values(annotation: Any) -> st.SearchStrategy[Any] | None:
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return TEXTS
    if annotation is float:
        return st.floats(0, 1000, allow_nan=False)
    if annotation is int:
        return st.integers(0, 1000)
    if annotation is DataType:
        return st.sampled_from(TYPES)
    if annotation is Duration:
        return st.sampled_from(("1 MINUTE", "5 minutes", "2 HOURS", "90 SECONDS"))
    if annotation is Schedule:
        return st.sampled_from(("5 MINUTES", "USING CRON 0 9 * * * UTC"))
    if annotation is Identifier:
        return st.sampled_from(("A", "b_2", '"quoted one"'))
    if isinstance(annotation, type) and issubclass(annotation, Keyword):
        spellings = [spelling for member in annotation for spelling in (member.value, member.value.lower())]
        return st.sampled_from(spellings)
    if typing.get_origin(annotation) in (list, tuple):
        inner = _values(typing.get_args(annotation)[0])
        return None if inner is None else st.lists(inner, max_size=3, unique_by=repr)
    if isinstance(annotation, type) and issubclass(annotation, Nested):
        return documents(annotation)
    return None
