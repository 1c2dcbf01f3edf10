"""The DuckDB side of COPY: inserting with a record of the files, trying rows, and rows as text or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast, literal
from pinky_local.data.dml import Change, Target, insert_select, insertion
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Typed
from pinky_local.data.steps import Steps
from pinky_local.data.translation import Compiled


def loading(target: Target, named: list[str], source: Compiled, files: Sequence[tuple[str, str]]) -> Change:
    """The insertion of a query's rows, with the files they came from written to ``pinky_loads``."""
    _check_width(named, source)
    change = insertion(target, insert_select(target, named, source))
    inner = change.steps
    physical = target.stored.physical

    def steps(execute: Steps) -> list[int]:
        counts = inner(execute)
        if files:
            lines = ", ".join(f"('{physical}', {literal(file)}, {literal(etag)})" for file, etag in files)
            execute.note("pinky_loads")
            execute(f"INSERT INTO pinky_loads VALUES {lines}")
        return counts

    return replace(change, steps=steps)


def _check_width(named: list[str], source: Compiled) -> None:
    if len(named) != len(source.columns):
        text = f"Insert value list does not match column list expecting {len(named)} but got {len(source.columns)}"
        raise compilation(text, errno=2020, sqlstate="21S01")


def probing(target: Target, named: list[str], source: Compiled, only_column: str | None) -> str:
    """A query that fails where the rows, or one column of them, would not fit the table."""
    _check_width(named, source)
    values = [
        target.stored_value(name, Typed(f"q.c{i}", one.type))
        for i, (name, one) in enumerate(zip(named, source.columns, strict=True), 1)
        if only_column in (None, name)
    ]
    return f"SELECT {', '.join(f'max(hash({value}))' for value in values)} FROM ({source.sql}) AS q"


def texts_query(source: Compiled) -> str:
    """A query's rows as text."""
    items = []
    for i, one in enumerate(source.columns, 1):
        value = Typed(f"q.c{i}", one.type)
        items.append(f"CAST(json({value.sql}) AS VARCHAR)" if one.type.semi_structured else cast(value, dt.TEXT).sql)
    return f"SELECT {', '.join(items)} FROM ({source.sql}) AS q"


def parquet_copy(source: Compiled, path: Path, *, names: bool, compression: str) -> str:
    """A DuckDB COPY of a query's rows to a Parquet file. Raises 000002 for instants, as Snowflake does."""
    items = []
    for i, one in enumerate(source.columns, 1):
        if one.type.name in ("TIMESTAMP_TZ", "TIMESTAMP_LTZ"):
            raise unsupported(f"unloading {one.type.name} to PARQUET")
        value = f"CAST(json(q.c{i}) AS VARCHAR)" if one.type.semi_structured else f"q.c{i}"
        title = (one.name if names else f"col{i}").replace('"', '""')
        items.append(f'{value} AS "{title}"')
    return f"COPY (SELECT {', '.join(items)} FROM ({source.sql}) AS q) TO {literal(str(path))} " + (
        f"(FORMAT PARQUET, COMPRESSION {compression})"
    )
