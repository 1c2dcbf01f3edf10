"""Columns of a table.

https://docs.snowflake.com/en/sql-reference/sql/create-table,
https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pinky_core import ABSENT, DataType, Identifier, Nested, OnChange, Source, nested, prop, string_literal
from pinky_schema.table_expression import DefaultExpression

__all__ = ["Column", "Identity", "added_column", "altered_fields", "column_definition"]


@nested
class Identity(Nested):
    """Numbers Snowflake gives to the rows by itself (IDENTITY, also called AUTOINCREMENT)."""

    start: int = prop(default=1, doc="The first number.")
    increment: int = prop(default=1, doc="The step from one number to the next.")
    order: bool = prop(default=False, doc="Numbers rise with the order of the rows (ORDER), else NOORDER.")

    @property
    def sql(self) -> str:
        """The clause of a column definition; ORDER is left to the account's default where it is not declared."""
        start = 1 if self.start is None or self.start is ABSENT else self.start
        increment = 1 if self.increment is None or self.increment is ABSENT else self.increment
        order = "" if self.order is ABSENT or self.order is None else " ORDER" if self.order else " NOORDER"
        return f"IDENTITY START {start} INCREMENT {increment}{order}"

    def __str__(self) -> str:
        return self.sql


@nested
class Column(Nested):
    """One column of a table."""

    name: Identifier = prop(doc="Name; folds to upper case unless it holds double quotes.")
    type: DataType = prop(doc="Data type, in any spelling Snowflake knows.")
    not_null: bool = prop(default=False, doc="Whether every row needs a value.")
    default: DefaultExpression | None = prop(default=None, doc="Default, a SQL expression: text needs quotes.")
    identity: Identity | None = prop(default=None, doc="Numbers given by Snowflake; set when the column is made.")
    collate: str | None = prop(default=None, doc="Collation, such as en-ci; set when the column is made.")
    comment: str | None = prop(default=None, doc="Free text.")
    renamed_from: Identifier | None = prop(
        default=None,
        source=Source.NOWHERE,
        on_change=OnChange.IGNORE,
        doc="Former name: turns drop and add into a rename.",
    )


def is_given(value: Any) -> bool:
    """Whether a property was declared and is not null."""
    return value is not ABSENT and value is not None


def column_definition(column: Column, base: Sequence[Identifier]) -> str:
    """The column inside CREATE TABLE; ``base`` is the path of the table's schema."""
    return " ".join(_definition(column, base))


def _definition(column: Column, base: Sequence[Identifier]) -> Iterator[str]:
    yield column.name.sql
    yield column.type.sql
    if column.not_null is True:
        yield "NOT NULL"
    if is_given(column.collate):
        yield f"COLLATE {string_literal(str(column.collate))}"
    yield from _value_clause(column, base)
    if is_given(column.comment):
        yield f"COMMENT {string_literal(str(column.comment))}"


def _value_clause(column: Column, base: Sequence[Identifier]) -> Iterator[str]:
    if isinstance(column.default, DefaultExpression):
        yield f"DEFAULT {column.default.spelled(base)}"
    elif isinstance(column.identity, Identity):
        yield column.identity.sql


def added_column(column: Column, base: Sequence[Identifier]) -> str:
    """The column inside ALTER TABLE … ADD COLUMN, whose clauses stand in another order and include no comment."""
    parts = [column.name.sql, column.type.sql, *_value_clause(column, base)]
    if column.not_null is True:
        parts.append("NOT NULL")
    if is_given(column.collate):
        parts.append(f"COLLATE {string_literal(str(column.collate))}")
    return " ".join(parts)


def altered_fields(live: Column, desired: Column, base: Sequence[Identifier]) -> list[str]:
    """Names of the declared properties that differ; what Snowflake does not tell of a column is not compared."""
    found: list[str] = []
    if desired.type is not live.type and desired.type != live.type:
        found.append("type")
    if desired.not_null is not ABSENT and bool(desired.not_null) is not bool(live.not_null):
        found.append("not_null")
    if desired.default is not ABSENT and default_meaning(desired, base) != default_meaning(live, base):
        found.append("default")
    if desired.identity is not ABSENT and not _same_identity(live.identity, desired.identity):
        found.append("identity")
    if desired.collate is not ABSENT and live.collate is not ABSENT and (desired.collate or "") != (live.collate or ""):
        found.append("collate")
    if desired.comment is not ABSENT and (desired.comment or "") != (live.comment or ""):
        found.append("comment")
    return found


def default_meaning(column: Column, base: Sequence[Identifier]) -> object:
    """What a column's default comes down to; None where there is none."""
    return column.default.means(base) if isinstance(column.default, DefaultExpression) else None


def _same_identity(live: Identity | None, desired: Identity | None) -> bool:
    if not isinstance(live, Identity) or not isinstance(desired, Identity):
        return not isinstance(live, Identity) and not isinstance(desired, Identity)
    for field in Identity.spec.fields:
        wanted, found = getattr(desired, field.name), getattr(live, field.name)
        declared = wanted is not ABSENT and found is not ABSENT
        if declared and (field.default if wanted is None else wanted) != found:
            return False
    return True
