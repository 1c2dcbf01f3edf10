"""Which fields of staged files go into which columns of a table.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table: by position, by the query of COPY, or by name
(MATCH_BY_COLUMN_NAME).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinky_local.engine import errors
from pinky_local.engine.copying import Copy
from pinky_local.types import TableColumn

_SEMI_STRUCTURED = ("VARIANT", "OBJECT", "ARRAY")


@dataclass(frozen=True, slots=True)
class Selection:
    """The query that reads the files, and the columns of the table that its columns fill."""

    query: str
    columns: list[str]


def selection(
    copy: Copy,
    columns: Sequence[TableColumn],
    given: Mapping[str, Any],
    keys: Callable[[], list[str]],
    headers: Callable[[], list[tuple[str, ...]]],
) -> Selection:
    """What to read. ``keys`` finds the names in JSON and Parquet files, ``headers`` those of CSV files."""
    named = copy.columns or [one.name for one in columns]
    known = {one.name: one for one in columns}
    for name in named:
        if name not in known:
            raise errors.invalid_identifier(name)
    kind = str(given.get("TYPE", "CSV"))
    match = str(copy.options.get("MATCH_BY_COLUMN_NAME", "NONE"))
    truncates = copy.options.get("TRUNCATECOLUMNS") or not copy.options.get("ENFORCE_LENGTH", True)
    if copy.query is not None:
        if match != "NONE":
            raise errors.compilation(2091, "22023", "match_by_column_name is not supported with copy transform.")
        if truncates:
            raise errors.unsupported("TRUNCATECOLUMNS with the query of COPY INTO")
        if given.get("PARSE_HEADER"):
            raise errors.unsupported("PARSE_HEADER with the query of COPY INTO")
        return Selection(copy.query, named)
    if match != "NONE":
        sources = _by_name(named, kind, given, keys, headers, sensitive=match == "CASE_SENSITIVE")
    else:
        sources = _by_position(named, kind, known, given)
    shown = [_cut(sources[name], known[name]) if truncates else sources[name] for name in sources]
    if not shown:
        raise errors.unsupported("COPY INTO where no column of the files matches a column of the table")
    return Selection(f"SELECT {', '.join(shown)} FROM @files t", list(sources))


def _by_position(
    named: Sequence[str], kind: str, known: Mapping[str, TableColumn], given: Mapping[str, Any]
) -> dict[str, str]:
    if kind == "CSV":
        if given.get("PARSE_HEADER"):
            raise errors.unsupported("PARSE_HEADER without MATCH_BY_COLUMN_NAME")
        return {name: f"t.${position}" for position, name in enumerate(named, 1)}
    if len(named) != 1 or not known[named[0]].data_type.startswith(_SEMI_STRUCTURED):
        text = f"{kind} file format can produce one and only one column of type variant, object, or array. "
        text += (
            "Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with transformation."
        )
        raise errors.compilation(2019, "0A000", text)
    return {named[0]: "t.$1"}


def _by_name(
    named: Sequence[str],
    kind: str,
    given: Mapping[str, Any],
    keys: Callable[[], list[str]],
    headers: Callable[[], list[tuple[str, ...]]],
    *,
    sensitive: bool,
) -> dict[str, str]:
    def same(one: str, other: str) -> bool:
        return one == other if sensitive else one.upper() == other.upper()

    if kind != "CSV":
        found = keys()
        paths = {name: [f't.$1:"{key}"' for key in found if same(key, name)] for name in named}
        return {name: one[0] if len(one) == 1 else f"COALESCE({', '.join(one)})" for name, one in paths.items() if one}
    if not given.get("PARSE_HEADER"):
        raise errors.compilation(2091, "22023", "MATCH_BY_COLUMN_NAME of CSV files needs PARSE_HEADER = TRUE.")
    written = set(headers())
    if len(written) > 1:
        raise errors.unsupported("COPY INTO by column name from CSV files with different headers in one statement")
    header = next(iter(written), ())
    return {name: f"t.${position}" for name in named for position, title in enumerate(header, 1) if same(title, name)}


def _cut(source: str, column: TableColumn) -> str:
    if not column.data_type.startswith("VARCHAR("):
        return source
    return f"LEFT({source}, {column.data_type[len('VARCHAR(') :].rstrip(')')})"
