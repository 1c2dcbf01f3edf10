"""Keys of a table: primary, unique and foreign.

Snowflake records the keys of a standard table and does not enforce them; of their properties only RELY changes
anything, and setting another one means that the key is not created.
https://docs.snowflake.com/en/sql-reference/sql/create-table-constraint
"""

from __future__ import annotations

from collections.abc import Sequence

from pinky_core import ABSENT, Identifier, Nested, nested, parse_path, prop, sql_path

__all__ = ["ForeignKey", "Key", "PrimaryKey", "UniqueKey", "key_definition", "key_differs", "referenced_path"]


@nested
class PrimaryKey(Nested):
    """The key that tells the rows of a table apart."""

    columns: tuple[Identifier, ...] = prop(doc="Its columns, in order.")
    name: Identifier | None = prop(
        default=None, doc="Name of the constraint; Snowflake makes one up where none is given."
    )
    rely: bool = prop(default=False, doc="Whether queries may be rewritten as if the key were enforced.")


@nested
class UniqueKey(Nested):
    """Columns whose values are meant to be unique together."""

    columns: tuple[Identifier, ...] = prop(doc="Its columns, in order.")
    name: Identifier | None = prop(
        default=None, doc="Name of the constraint; Snowflake makes one up where none is given."
    )
    rely: bool = prop(default=False, doc="Whether queries may be rewritten as if the key were enforced.")


@nested
class ForeignKey(Nested):
    """Columns whose values refer to a key of another table."""

    columns: tuple[Identifier, ...] = prop(doc="Its columns, in order.")
    references: str = prop(doc="The other table; a name without qualifier means the same schema.")
    referenced_columns: tuple[Identifier, ...] = prop(
        default=None, doc="Columns there; where none are given, its primary key."
    )
    name: Identifier | None = prop(
        default=None, doc="Name of the constraint; Snowflake makes one up where none is given."
    )
    rely: bool = prop(default=False, doc="Whether queries may be rewritten as if the key were enforced.")


Key = PrimaryKey | UniqueKey | ForeignKey


def identifiers(names: Sequence[Identifier]) -> str:
    """``(A, "b")``."""
    return "(" + ", ".join(name.sql for name in names) + ")"


def referenced_path(key: ForeignKey, base: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """The full path of the table a foreign key refers to. Raises ValueError for what is no name."""
    parts = parse_path(key.references)
    return (*base[: max(0, 3 - len(parts))], *parts)


def key_definition(key: Key, base: Sequence[Identifier]) -> str:
    """The key as CREATE TABLE and ALTER TABLE … ADD take it; ``base`` is the path of the table's schema."""
    parts = [f"CONSTRAINT {key.name.sql}"] if isinstance(key.name, Identifier) else []
    word = {PrimaryKey: "PRIMARY KEY", UniqueKey: "UNIQUE", ForeignKey: "FOREIGN KEY"}[type(key)]
    parts.append(f"{word} {identifiers(key.columns)}")
    if isinstance(key, ForeignKey):
        columns = f" {identifiers(key.referenced_columns)}" if key.referenced_columns else ""
        parts.append(f"REFERENCES {sql_path(referenced_path(key, base))}{columns}")
    if key.rely is True:
        parts.append("RELY")
    return " ".join(parts)


def key_differs(live: Key, desired: Key, base: Sequence[Identifier]) -> str:
    """How a live key must be changed: ``name``, ``rely``, ``content`` (made anew), or empty where nothing differs."""
    if live.columns != desired.columns or _refers_elsewhere(live, desired, base):
        return "content"
    if isinstance(desired.name, Identifier) and desired.name != live.name:
        return "name"
    if desired.rely is not ABSENT and live.rely is not ABSENT and bool(desired.rely) is not bool(live.rely):
        return "rely"
    return ""


def _refers_elsewhere(live: Key, desired: Key, base: Sequence[Identifier]) -> bool:
    if not isinstance(live, ForeignKey) or not isinstance(desired, ForeignKey):
        return False
    if referenced_path(live, base) != referenced_path(desired, base):
        return True
    return bool(desired.referenced_columns) and desired.referenced_columns != live.referenced_columns
