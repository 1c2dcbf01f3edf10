"""How a declared table differs from a live one, and the ALTER statements that follow from it.

Everything here is a function of the two values. Order of the statements: the clustering key goes where it is in the
way of a rename, columns are renamed, keys go, columns are added and altered, the table is clustered, columns are
dropped, keys come, properties are set. Each statement is finished by itself, so that a run that ends between two of
them is continued by the next plan.
https://docs.snowflake.com/en/sql-reference/sql/alter-table
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from pinky_core import ABSENT, FieldChange, Identifier, OnChange, string_literal
from pinky_schema.column import Column, added_column, altered_fields, column_definition
from pinky_schema.table_expression import words_of
from pinky_schema.table_keys import ForeignKey, Key, PrimaryKey, identifiers, key_definition, key_differs

if TYPE_CHECKING:
    from pinky_schema.table import Table

__all__ = ["ColumnsDiff", "KeysDiff", "columns_diff", "field_changes", "keys_diff", "table_alters"]

Path = Sequence[Identifier]
KEY_FIELDS = ("primary_key", "unique_keys", "foreign_keys")
COLUMN_LOST = "the column and its values are lost"
#: Fields compared as a whole and set by ALTER TABLE … SET / UNSET.
PROPERTIES = (
    "enable_schema_evolution",
    "data_retention_time_in_days",
    "max_data_extension_time_in_days",
    "change_tracking",
    "default_ddl_collation",
    "comment",
)


@attrs.frozen
class ColumnsDiff:
    """What differs between the columns: pairs are (live, desired); ``altered`` also holds the fields that differ."""

    added: tuple[Column, ...] = ()
    undeclared: tuple[Column, ...] = ()
    renamed: tuple[tuple[Column, Column], ...] = ()
    altered: tuple[tuple[Column, Column, tuple[str, ...]], ...] = ()
    order_before: tuple[Identifier, ...] = ()
    order_after: tuple[Identifier, ...] = ()

    @property
    def out_of_order(self) -> bool:
        """Whether altering would leave the declared columns in another order than declared."""
        return self.order_before != self.order_after


@attrs.frozen
class KeysDiff:
    """What differs between keys of one sort: gone, new, and (live, desired, what differs) for those that stay.

    ``shared`` are the columns that several live keys have, so that only its name tells such a key.
    """

    removed: tuple[Key, ...] = ()
    added: tuple[Key, ...] = ()
    changed: tuple[tuple[Key, Key, str], ...] = ()
    shared: frozenset[tuple[Identifier, ...]] = attrs.field(default=frozenset(), eq=False)


def columns_diff(live: Sequence[Column], desired: Sequence[Column], base: Path) -> ColumnsDiff:
    """Compare columns by name, in linear time; a rename counts while the former name is there and the new is not."""
    by_name = {column.name: column for column in live}
    sources: dict[Identifier, Column] = {}
    renamed: list[tuple[Column, Column]] = []
    added: list[Column] = []
    altered: list[tuple[Column, Column, tuple[str, ...]]] = []
    for column in desired:
        before = by_name.get(column.name)
        if before is None and isinstance(column.renamed_from, Identifier) and column.renamed_from in by_name:
            before = by_name[column.renamed_from]
            renamed.append((before, column))
        if before is None:
            added.append(column)
            continue
        sources[before.name] = column
        differing = altered_fields(before, column, base)
        if differing:
            altered.append((before, column, tuple(differing)))
    undeclared = tuple(column for column in live if column.name not in sources)
    before_order = [sources[column.name].name for column in live if column.name in sources]
    return ColumnsDiff(
        tuple(added),
        undeclared,
        tuple(renamed),
        tuple(altered),
        (*before_order, *(column.name for column in added)),
        tuple(column.name for column in desired),
    )


def keys_of(table: Table, field: str) -> tuple[Key, ...] | None:
    """The keys of one sort; None where they were not declared or not read."""
    value = getattr(table, field)
    if value is ABSENT:
        return None
    if value is None:
        return ()
    return (value,) if isinstance(value, PrimaryKey) else tuple(value)


def renamed_keys(live: Sequence[Key], diff: ColumnsDiff) -> tuple[Key, ...]:
    """Live keys after the renames of columns, which they follow by themselves."""
    names = {before.name: column.name for before, column in diff.renamed}
    if not names:
        return tuple(live)
    return tuple(_with_columns(key, tuple(names.get(name, name) for name in key.columns)) for key in live)


def _with_columns(key: Key, columns: tuple[Identifier, ...]) -> Key:
    value: Any = key  # to a type checker, evolve takes classes made by attrs.define itself
    changed: Key = attrs.evolve(value, columns=columns)
    return changed


def keys_diff(live: Sequence[Key], desired: Sequence[Key], base: Path) -> KeysDiff:
    """Compare keys of one sort by their columns."""
    by_columns: dict[tuple[Identifier, ...], list[Key]] = {}
    for key in live:
        by_columns.setdefault(key.columns, []).append(key)
    shared = frozenset(columns for columns, keys in by_columns.items() if len(keys) > 1)
    added: list[Key] = []
    changed: list[tuple[Key, Key, str]] = []
    for key in desired:
        candidates = by_columns.get(key.columns, [])
        match = next((each for each in candidates if key_differs(each, key, base) != "content"), None)
        if match is None:
            added.append(key)
            continue
        candidates.remove(match)
        how = key_differs(match, key, base)
        if how:
            changed.append((match, key, how))
    removed = tuple(key for rest in by_columns.values() for key in rest)
    return KeysDiff(removed, tuple(added), tuple(changed), shared)


def field_changes(desired: Table, live: Table, base: Path) -> list[FieldChange]:
    """Every difference, as people see it in a plan."""
    diff = columns_diff(live.columns, desired.columns, base)
    changes = list(_column_changes(desired, diff, base))
    for field in KEY_FIELDS:
        wanted = keys_of(desired, field)
        if wanted is None:
            continue
        found = renamed_keys(keys_of(live, field) or (), diff)
        if keys_diff(found, wanted, base) != KeysDiff():
            changes.append(FieldChange(field, _shown(found, base), _shown(wanted, base) or None))
    if desired.cluster_by is not ABSENT and (desired.cluster_by or ()) != (live.cluster_by or ()):
        changes.append(FieldChange("cluster_by", live.cluster_by or None, desired.cluster_by or None))
    if desired.changes_lifetime(live):
        changes.append(FieldChange("transient", live.transient, bool(desired.transient), on_change=OnChange.REFUSE))
    return [*changes, *_property_changes(desired, live)]


def _shown(keys: Iterable[Key], base: Path) -> tuple[str, ...]:
    return tuple(key_definition(key, base) for key in keys)


def _column_changes(desired: Table, diff: ColumnsDiff, base: Path) -> Iterator[FieldChange]:
    for before, column in diff.renamed:
        yield FieldChange(f"columns.{column.name}.name", before.name, column.name)
    for column in diff.added:
        yield FieldChange(f"columns.{column.name}", None, column_definition(column, base))
    for before, column, names in diff.altered:
        for name in names:
            after = getattr(column, name)
            yield FieldChange(f"columns.{column.name}.{name}", getattr(before, name), after)
    if desired.drops_undeclared:
        for column in diff.undeclared:
            yield FieldChange(f"columns.{column.name}", column_definition(column, base), None, COLUMN_LOST)
    if desired.keeps_order and diff.out_of_order:
        note = "the table is written anew"
        yield FieldChange("column_order", diff.order_before, diff.order_after, note, on_change=OnChange.REFUSE)


def _property_changes(desired: Table, live: Table) -> Iterator[FieldChange]:
    by_name = desired.spec.by_name
    for name in PROPERTIES:
        after = getattr(desired, name)
        if after is ABSENT:
            continue
        field, before = by_name[name], getattr(live, name)
        before = None if before is ABSENT else before
        after = None if after == "" else after  # Snowflake keeps no empty comment or collation
        if name == "data_retention_time_in_days":
            same = before == (after if after is not None else live.inherited_retention)
        elif after == before:
            same = True
        else:
            default = None if name in ("max_data_extension_time_in_days", "default_ddl_collation") else field.default
            same = (default if before is None else before) == (default if after is None else after)
        if not same:
            yield FieldChange(name, before, after)


def table_alters(desired: Table, live: Table, name: str, base: Path) -> Iterator[str]:
    """The ALTER TABLE statements for columns, keys and clustering; ``name`` is the table's, in full."""
    head = f"ALTER TABLE {name}"
    diff = columns_diff(live.columns, desired.columns, base)
    keys = {field: _keys_diff_of(desired, live, field, diff, base) for field in KEY_FIELDS}
    new_cluster = _new_cluster(desired, live)
    blocked = {before.name for before, _ in diff.renamed} & set().union(*map(words_of, live.cluster_by or ()))
    if live.cluster_by and (blocked or new_cluster == ()):
        yield f"{head} DROP CLUSTERING KEY"
    for before, column in diff.renamed:
        yield f"{head} RENAME COLUMN {before.name.sql} TO {column.name.sql}"
    for field in reversed(KEY_FIELDS):
        yield from _key_drops(head, keys[field])
    yield from _column_alters(head, diff, base)
    if new_cluster:
        yield f"{head} CLUSTER BY ({', '.join(each.sql for each in new_cluster)})"
    if desired.drops_undeclared and diff.undeclared:
        yield f"{head} DROP COLUMN {', '.join(column.name.sql for column in diff.undeclared)}"
    for field in KEY_FIELDS:
        yield from _key_additions(head, keys[field], base)


def _new_cluster(desired: Table, live: Table) -> tuple[Any, ...] | None:
    """The clustering key to set; empty to drop it, None to leave it."""
    if desired.cluster_by is ABSENT or (desired.cluster_by or ()) == (live.cluster_by or ()):
        return None
    return tuple(desired.cluster_by or ())


def _keys_diff_of(desired: Table, live: Table, field: str, diff: ColumnsDiff, base: Path) -> KeysDiff:
    wanted = keys_of(desired, field)
    if wanted is None:
        return KeysDiff()
    return keys_diff(renamed_keys(keys_of(live, field) or (), diff), wanted, base)


def _column_alters(head: str, diff: ColumnsDiff, base: Path) -> Iterator[str]:
    if diff.added:
        yield f"{head} ADD COLUMN {', '.join(added_column(column, base) for column in diff.added)}"
    clauses = [f"COLUMN {c.name.sql} {clause}" for _, c, names in diff.altered for clause in _clauses(c, names, base)]
    commented = [(c.name.sql, c.comment) for c in diff.added if isinstance(c.comment, str) and c.comment]
    clauses += [f"COLUMN {name} COMMENT {string_literal(comment)}" for name, comment in commented]
    if clauses:
        yield f"{head} ALTER {', '.join(clauses)}"


def _clauses(column: Column, names: Sequence[str], base: Path) -> Iterator[str]:
    """The clauses of ALTER COLUMN for one column; a default goes before its type changes."""
    sequence = column.default.spelled(base) if column.default else ""
    spelled: Mapping[str, str] = {
        "default": f"SET DEFAULT {sequence}" if sequence else "DROP DEFAULT",
        "type": f"SET DATA TYPE {column.type.sql}",
        "not_null": "SET NOT NULL" if column.not_null else "DROP NOT NULL",
        "comment": f"COMMENT {string_literal(column.comment)}" if column.comment else "UNSET COMMENT",
    }
    for name, clause in spelled.items():
        if name in names:
            yield clause


def _key_drops(head: str, diff: KeysDiff) -> Iterator[str]:
    for key in diff.removed:
        if isinstance(key, PrimaryKey):
            yield f"{head} DROP PRIMARY KEY"
        elif key.columns in diff.shared:
            yield f"{head} DROP CONSTRAINT {_name(key)}"
        else:
            word = "FOREIGN KEY" if isinstance(key, ForeignKey) else "UNIQUE"
            yield f"{head} DROP {word} {identifiers(key.columns)}"


def _key_additions(head: str, diff: KeysDiff, base: Path) -> Iterator[str]:
    for live, desired, how in diff.changed:
        name = _name(live)
        if how == "name":
            yield f"{head} RENAME CONSTRAINT {name} TO {_name(desired)}"
            name = _name(desired)
        if desired.rely is not ABSENT and bool(desired.rely) is not bool(live.rely):
            yield f"{head} ALTER CONSTRAINT {name} {'RELY' if desired.rely else 'NORELY'}"
    for key in diff.added:
        yield f"{head} ADD {key_definition(key, base)}"


def _name(key: Key) -> str:
    if not isinstance(key.name, Identifier):
        raise ValueError(f"the constraint on {identifiers(key.columns)} has no name")
    return key.name.sql
