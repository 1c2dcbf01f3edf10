"""Writing a table anew with its rows: the only way to another order of columns, or to and from transient.

One statement, ``CREATE OR REPLACE TABLE … COPY GRANTS AS SELECT … FROM`` the same table, which Snowflake does as a
whole or not at all; grants and tags stay. Keys follow by ALTER, since a table made from a query takes none.
https://docs.snowflake.com/en/sql-reference/sql/create-table (the variant CREATE TABLE … AS SELECT)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from pinky_core import ABSENT, Identifier, literal
from pinky_schema.column import Column, column_definition
from pinky_schema.table_changes import KEY_FIELDS, PROPERTIES, columns_diff, keys_of, renamed_keys
from pinky_schema.table_expression import DefaultExpression
from pinky_schema.table_keys import Key, key_definition

if TYPE_CHECKING:
    from pinky_schema.table import Table

__all__ = ["REBUILD_LOSES", "rebuild"]

REBUILD_LOSES = (
    "its Time Travel history; streams on it go stale; masking and row access policies on it, foreign keys of other "
    "tables that refer to it, and parameters and column collations that are not declared are gone"
)


def rebuild(desired: Table, live: Table, name: str, base: Sequence[Identifier]) -> Iterator[str]:
    """The statements; what is not declared is kept as it is live."""
    diff = columns_diff(live.columns, desired.columns, base)
    sources = {column.name: before.name for before, column in diff.renamed}
    sources.update({column.name: column.name for column in live.columns if column.name not in sources})
    by_name = {column.name: column for column in live.columns}
    kept = () if desired.drops_undeclared else diff.undeclared
    new = {column.name for column in diff.added}
    columns = [_whole(column, by_name.get(sources.get(column.name, column.name))) for column in desired.columns]
    columns += kept
    values = [_new_value(c, base) if c.name in new else sources[c.name].sql for c in columns]
    transient = live.transient if desired.transient is ABSENT else desired.transient
    clauses = [f"({', '.join(column_definition(column, base) for column in columns)})"]
    clauses += _properties(desired, live, transient=bool(transient))
    words = "CREATE OR REPLACE TRANSIENT TABLE" if transient else "CREATE OR REPLACE TABLE"
    yield f"{words} {name} {' '.join(clauses)} AS SELECT {', '.join(values)} FROM {name}"
    for field in KEY_FIELDS:
        declared = keys_of(desired, field)
        for key in renamed_keys(keys_of(live, field) or (), diff) if declared is None else declared:
            yield f"ALTER TABLE {name} ADD {key_definition(_without_made_up_name(key), base)}"


def _without_made_up_name(key: Key) -> Key:
    """A key whose name Snowflake made up gets a new one."""
    if not isinstance(key.name, Identifier) or not key.name.startswith("SYS_CONSTRAINT_"):
        return key
    value: Any = key
    unnamed: Key = attrs.evolve(value, name=ABSENT)
    return unnamed


def _whole(column: Column, live: Column | None) -> Column:
    """The declared column, with what it leaves open as it is live."""
    if live is None:
        return column
    names = ("not_null", "default", "identity", "collate", "comment")
    declared: Any = column  # to a type checker, evolve takes classes made by attrs.define itself
    open_ = {name: getattr(live, name) for name in names if getattr(column, name) is ABSENT}
    whole: Column = attrs.evolve(declared, **open_)
    return whole


def _new_value(column: Column, base: Sequence[Identifier]) -> str:
    """What existing rows get in a new column."""
    value = column.default.spelled(base) if isinstance(column.default, DefaultExpression) else "NULL"
    return f"CAST({value} AS {column.type.sql})"


def _properties(desired: Table, live: Table, *, transient: bool) -> Iterator[str]:
    cluster_by = (live.cluster_by if desired.cluster_by is ABSENT else desired.cluster_by) or ()
    if cluster_by:
        yield f"CLUSTER BY ({', '.join(each.sql for each in cluster_by)})"
    by_name = desired.spec.by_name
    values = {field: _effective(desired, live, field) for field in PROPERTIES}
    comment = values.pop("comment")
    retention = values["data_retention_time_in_days"]
    if transient and isinstance(retention, int):
        values["data_retention_time_in_days"] = min(retention, 1)
    for field, value in values.items():
        if value is not None and value is not ABSENT:
            yield f"{by_name[field].sql} = {literal(value)}"
    yield "COPY GRANTS COPY TAGS"
    if comment:
        yield f"COMMENT = {literal(comment)}"


def _effective(desired: Table, live: Table, field: str) -> object:
    declared = getattr(desired, field)
    if declared is not ABSENT:
        return declared
    value = getattr(live, field)
    inherited = field == "data_retention_time_in_days" and value == live.inherited_retention
    return None if inherited or value is False else value
