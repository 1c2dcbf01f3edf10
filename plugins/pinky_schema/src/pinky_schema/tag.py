"""Tags.

https://docs.snowflake.com/en/sql-reference/sql/create-tag,
https://docs.snowflake.com/en/sql-reference/sql/alter-tag,
https://docs.snowflake.com/en/sql-reference/sql/show-tags
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    Resource,
    Risk,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
    statement,
    string_literal,
)


class Propagate(Keyword):
    """When a tag's value is carried to other objects."""

    ON_DEPENDENCY_AND_DATA_MOVEMENT = ("ON_DEPENDENCY_AND_DATA_MOVEMENT",)
    ON_DEPENDENCY = ("ON_DEPENDENCY",)
    ON_DATA_MOVEMENT = ("ON_DATA_MOVEMENT",)


class OnConflict(str):
    """The value a tag gets where propagated values conflict, or one of two words that are no values."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> OnConflict:
        """The two words in any case; every other text is a value."""
        return cls(text.upper() if text.upper() in _CONFLICT_WORDS else text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": "string", "minLength": 1, "examples": list(_CONFLICT_WORDS)}

    @property
    def sql(self) -> str:
        """The words bare, a value quoted."""
        return str(self) if self in _CONFLICT_WORDS else string_literal(str(self))


_CONFLICT_WORDS = ("ALLOWED_VALUES_SEQUENCE", "MERGE")


@resource("tag", scope="schema")
class Tag(Resource):
    """A key that objects and columns can be given a value for.

    Setting tags on objects and masking policies on tags are not part of this kind.
    """

    privileges = (("USAGE", "the database and schema"), ("CREATE TAG", "the schema"), ("OWNERSHIP", "the tag"))

    allowed_values: tuple[str, ...] | None = prop(default=None, doc="The values it may have; null allows any.")
    propagate: Propagate | None = prop(default=None, doc="When its value is carried to other objects.")
    on_conflict: OnConflict | None = prop(
        default=None, doc="The value where propagated values conflict, or ALLOWED_VALUES_SEQUENCE or MERGE."
    )
    multi_value: bool | None = prop(
        default=None,
        on_change=OnChange.IGNORE,
        source=Source.NOWHERE,
        doc="Whether it holds several values at once; at creation, as SHOW TAGS does not tell it.",
    )
    comment: str | None = prop(default="", doc="Free text.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """A conflict can only arise where values are propagated."""
        if is_given(self.on_conflict) and not is_given(self.propagate):
            yield "on_conflict", "'on_conflict' needs 'propagate'"
        if self.on_conflict == "MERGE" and self.multi_value is not True:
            yield "on_conflict", "'on_conflict: MERGE' needs 'multi_value: true'"
        if self.allowed_values == ():
            yield "allowed_values", "an empty list would allow no value at all; give values, or null for any value"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE TAG; ALLOWED_VALUES must come before everything else."""
        pieces = [f"CREATE TAG {address.sql}"]
        if is_given(self.allowed_values) and self.allowed_values:
            pieces.append(values_clause(self.allowed_values))
        if self.multi_value is True:
            pieces.append("MULTI_VALUE = TRUE")
        if is_given(self.propagate):
            pieces.append(propagate_clause(self.propagate, self.on_conflict))
        if is_given(self.comment):
            pieces.append(f"COMMENT = {literal(self.comment)}")
        return [statement(" ".join(pieces))]

    def alter(
        self, address: Address, live: Tag, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One SET, then one UNSET for each property, as the grammar has it; PROPAGATE after what depends on it."""
        changed = {change.path: change.after for change in changes}
        sets, unsets = [], [name for name, value in changed.items() if value is None]
        if changed.get("allowed_values"):
            sets.append(values_clause(self.allowed_values or ()))
        if {"propagate", "on_conflict"} & changed.keys() and is_given(self.propagate):
            sets.append(propagate_clause(self.propagate, self.on_conflict))
        if changed.get("comment") is not None:
            sets.append(f"COMMENT = {literal(changed['comment'])}")
        head = f"ALTER TAG {address.sql}"
        return [
            *([statement(f"{head} SET {' '.join(sets)}")] if sets else []),
            *(statement(f"{head} UNSET {name.upper()}") for name in sorted(unsets, key="propagate".__eq__)),
        ]

    def risk(
        self, address: Address, action: Action, live: Resource, changes: Sequence[FieldChange]
    ) -> tuple[Risk, str]:
        """Dropping a tag takes it from every object it is set on."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the tag, and its values on every object and column it is set on"
        return super().risk(address, action, self, changes)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW TAGS, which prints NONE for a tag that is not propagated."""
        raw = super().from_row(row)
        return {**raw, "propagate": None} if str(raw.get("propagate")).upper() == "NONE" else raw


def values_clause(values: Sequence[str]) -> str:
    """``ALLOWED_VALUES 'a', 'b'``."""
    return "ALLOWED_VALUES " + ", ".join(string_literal(each) for each in values)


def propagate_clause(propagate: Propagate | None, on_conflict: OnConflict | None) -> str:
    """``PROPAGATE = … ON_CONFLICT = …``; the two words that are no strings stay bare."""
    clause = f"PROPAGATE = {literal(propagate)}"
    if not is_given(on_conflict):
        return clause
    return f"{clause} ON_CONFLICT = {literal(on_conflict)}"
