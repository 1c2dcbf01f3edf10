"""What Snowflake would refuse, said before anything runs.

`mistakes_in` needs the declaration only; `objections` also looks at the live table.
https://docs.snowflake.com/en/sql-reference/sql/alter-table-column,
https://docs.snowflake.com/en/sql-reference/sql/alter-table
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pinky_core import ABSENT, Address, DataType, Diagnostic, Identifier, parse_path
from pinky_schema.column import Column, Identity, is_given
from pinky_schema.table_changes import ColumnsDiff, columns_diff, keys_of
from pinky_schema.table_expression import DefaultExpression, words_of
from pinky_schema.table_keys import ForeignKey, Key, PrimaryKey

if TYPE_CHECKING:
    from pinky_schema.table import Table

__all__ = ["mistakes_in", "objections"]

_NUMERIC = frozenset({"number", "float", "decfloat"})


def mistakes_in(table: Table) -> Iterator[str]:
    """What is wrong with a declaration whatever the account holds."""
    if not table.columns:
        yield "a table needs at least one column"
    names: set[Identifier] = set()
    for column in table.columns:
        if column.name in names:
            yield f"column {column.name.sql} is declared twice"
        names.add(column.name)
        if is_given(column.identity):
            yield from _identity_mistakes(column)
        if is_given(column.collate) and column.type.name != "VARCHAR":
            what = f"column {column.name.sql} has a collation"
            yield f"{what}, which needs a text type; its type is {column.type}"
    for column in table.columns:
        if isinstance(column.renamed_from, Identifier) and column.renamed_from in names:
            yield f"column {column.name.sql} is renamed from {column.renamed_from.sql}, which is declared as well"
    for field in ("primary_key", "unique_keys", "foreign_keys"):
        for key in keys_of(table, field) or ():
            yield from _key_mistakes(table, key, names)
    retention = table.data_retention_time_in_days
    if table.transient is True and isinstance(retention, int) and retention > 1:
        yield f"a transient table keeps 0 or 1 days of history; data_retention_time_in_days is {retention}"


def _identity_mistakes(column: Column) -> Iterator[str]:
    name = column.name.sql
    if is_given(column.default):
        yield f"column {name} has both a default and an identity"
    if column.type.family not in _NUMERIC:
        yield f"column {name} has an identity, which needs a numeric type; its type is {column.type}"
    if isinstance(column.identity, Identity) and column.identity.increment == 0:
        yield f"column {name}: the increment of an identity cannot be 0"


def _key_mistakes(table: Table, key: Key, names: set[Identifier]) -> Iterator[str]:
    word = {PrimaryKey: "primary key", ForeignKey: "foreign key"}.get(type(key), "unique key")
    if not key.columns:
        yield f"the {word} has no columns"
    for name in key.columns:
        if name not in names:
            yield f"the {word} names column {name.sql}, which is not declared"
    if isinstance(key, PrimaryKey):
        nullable = [c.name.sql for c in table.columns if c.name in key.columns and c.not_null is False]
        if nullable:
            yield f"the columns of a primary key are NOT NULL; {', '.join(nullable)} has `not_null: false`"
    if isinstance(key, ForeignKey):
        yield from _reference_mistakes(key)


def _reference_mistakes(key: ForeignKey) -> Iterator[str]:
    try:
        parts = parse_path(key.references)
    except ValueError as error:
        yield f"references: {error}"
        return
    if len(parts) > 3:
        yield f"references: {key.references!r} has {len(parts)} parts; a table has at most 3"
    if key.referenced_columns and len(key.referenced_columns) != len(key.columns):
        yield (
            f"the foreign key has {len(key.columns)} columns and refers to {len(key.referenced_columns)} "
            f"of {key.references}"
        )


def objections(table: Table, address: Address, live: Table) -> Iterator[Diagnostic]:
    """What stands between the declaration and this live table."""
    base = address.path[:-1]
    diff = columns_diff(live.columns, table.columns, base)
    rebuilt = table.is_rebuilt(live, diff)
    filled = live.rows is None or live.rows > 0
    for column in diff.added:
        yield from _addition(column, address, filled=filled, rebuilt=rebuilt)
    for before, column, names in diff.altered:
        for name in names:
            yield from _alteration(name, before, column, address, filled=filled)
    yield from _clustered_renames(table, live, diff, address)
    reason = "`transient`" if table.changes_lifetime(live) else "the order of its columns"
    if rebuilt and any(isinstance(column.identity, Identity) for column in (*table.columns, *live.columns)):
        yield _error(
            address,
            "rebuild-identity",
            f"{address} cannot be written anew for {reason}, because a column has an identity",
            "Writing it anew would lose how far the numbers have come. Use `strategy: preserve`, and keep `transient`.",
        )
    if live.in_transient_schema and table.transient is False:
        yield Diagnostic.warning(
            "transient-schema",
            f"{address} is transient, because its schema is: every table of a transient schema is",
            hint="Take `transient: false` out, or declare the table in a permanent schema.",
            address=address,
            path=("transient",),
        )
    if diff.undeclared and not table.drops_undeclared:
        listed = ", ".join(column.name.sql for column in diff.undeclared)
        yield Diagnostic.warning(
            "undeclared-columns",
            f"{address} has columns that are not declared, and keeps them: {listed}",
            hint="Declare them, or use `strategy: drop` to drop what is not declared.",
            address=address,
            path=("columns",),
        )


def _error(address: Address, code: str, summary: str, hint: str, column: Column | None = None) -> Diagnostic:
    path: Sequence[str | int] = ("columns", str(column.name)) if column is not None else ("columns",)
    return Diagnostic.error(code, summary, hint=hint, address=address, path=tuple(path))


def _addition(column: Column, address: Address, *, filled: bool, rebuilt: bool) -> Iterator[Diagnostic]:
    name = f"{address}: column {column.name.sql}"
    if filled and column.not_null is True and not is_given(column.default) and not is_given(column.identity):
        yield _error(
            address,
            "not-null-column",
            f"{name} is new, NOT NULL and has no default, and the table has rows",
            "Give it a default, or add it without `not_null`, fill it, and declare `not_null: true` afterwards.",
            column,
        )
    if isinstance(column.default, DefaultExpression) and not column.default.constant and not rebuilt:
        yield _error(
            address,
            "column-default",
            f"{name} is new, and Snowflake adds columns only with a literal default, not {column.default.sql}",
            "Use a literal, or add the column without a default.",
            column,
        )
    if is_given(column.identity) and filled:
        yield _error(
            address,
            "column-identity",
            f"{name} is new and has an identity, which Snowflake adds only to an empty table",
            "Add it to a new table, or use a sequence as the default of a new table's column.",
            column,
        )


def _alteration(name: str, live: Column, column: Column, address: Address, *, filled: bool) -> Iterator[Diagnostic]:
    what = f"{address}: column {column.name.sql}"
    if name == "type" and not live.type.widens_to(column.type):
        yield _error(address, "column-type", f"{what} is {live.type} and cannot become {column.type} in place",
                     _type_hint(live.type), column)  # fmt: skip
    elif name == "default" and is_given(column.default) and not _is_sequence_change(live, column, address):
        found = f"has the default {live.default}" if is_given(live.default) else "has no default"
        yield _error(
            address,
            "column-default",
            f"{what} {found}, and Snowflake cannot make it {column.default}",
            "A default is set when the column is made; afterwards it can only be dropped, or one sequence exchanged "
            "for another. Take `default` out of the declaration, or add a new column.",
            column,
        )
    elif name in ("identity", "collate"):
        word = "identity" if name == "identity" else "collation"
        yield _error(
            address,
            f"column-{word}",
            f"{what}: its {word} differs ({getattr(live, name)}, declared {getattr(column, name)}) and cannot change",
            f"The {word} is set when the column is made. Take it out of the declaration, or add a new column.",
            column,
        )
    elif name == "not_null" and column.not_null and filled and column.type.family in ("semi-structured", "structured"):
        yield _error(
            address,
            "not-null-column",
            f"{what} is {column.type} and cannot become NOT NULL while the table has rows",
            "Snowflake sets NOT NULL on ARRAY, OBJECT and VARIANT columns of empty tables only.",
            column,
        )


def _is_sequence_change(live: Column, column: Column, address: Address) -> bool:
    base = address.path[:-1]
    both = (live.default, column.default)
    return all(isinstance(each, DefaultExpression) and each.sequence(base) is not None for each in both)


def _type_hint(live: DataType) -> str:
    if live.name == "VARCHAR":
        allowed = "A VARCHAR can only become longer"
    elif live.name == "NUMBER":
        allowed = f"A NUMBER can only get more digits with the same scale ({live.scale})"
    else:
        allowed = f"Snowflake changes no {live.name} column in place"
    return f"{allowed}. Declare a new column, copy the values, and drop or rename the old one."


def _clustered_renames(table: Table, live: Table, diff: ColumnsDiff, address: Address) -> Iterator[Diagnostic]:
    if not live.cluster_by or table.cluster_by is not ABSENT:
        return
    used = set().union(*map(words_of, live.cluster_by))
    for before, column in diff.renamed:
        if before.name in used:
            yield _error(
                address,
                "clustered-column",
                f"{address}: column {before.name.sql} is part of the clustering key and cannot be renamed",
                "Declare `cluster_by` with the new name; the key is then dropped and set again.",
                column,
            )
