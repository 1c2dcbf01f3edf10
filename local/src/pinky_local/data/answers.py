"""From the rows of DuckDB to the values of a result."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pinky_local.data import datatypes as dt
from pinky_local.data.translation import Compiled, OutputColumn


def shown(compiled: Compiled) -> str:
    """The query with instants as numbers, which need no time zone package to read."""
    if not any(column.type.name in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ") for column in compiled.columns):
        return compiled.sql
    items = []
    for i, column in enumerate(compiled.columns, 1):
        if column.type.name == "TIMESTAMP_LTZ":
            items.append(f"epoch_us(q.c{i})")
        elif column.type.name == "TIMESTAMP_TZ":
            utc, minutes = f"struct_extract(q.c{i}, 'utc')", f"struct_extract(q.c{i}, 'minutes')"
            items.append(f"CASE WHEN {utc} IS NULL THEN NULL ELSE [epoch_us({utc}), {minutes}] END")
        else:
            items.append(f"q.c{i}")
    return f"SELECT {', '.join(items)} FROM ({compiled.sql}) AS q"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _with_offset(value: list[int]) -> datetime:
    return _instant(value[0]).astimezone(timezone(timedelta(minutes=value[1])))


def _whole(value: Decimal | int) -> int:
    return int(value)


def _json_text(value: str) -> str:
    """JSON as Snowflake prints it: two spaces of indentation, keys in order."""
    return json.dumps(json.loads(value), indent=2, sort_keys=True, ensure_ascii=False)


def _decoder(kind: dt.SnowType) -> Callable[[Any], Any] | None:
    if kind.name == "NUMBER" and kind.scale == 0:
        return _whole
    if kind.semi_structured:
        return _json_text
    zoned: dict[str, Callable[[Any], Any]] = {"TIMESTAMP_LTZ": _instant, "TIMESTAMP_TZ": _with_offset}
    return zoned.get(kind.name)


def decoded(rows: list[Any], columns: list[OutputColumn]) -> list[Any]:
    """Rows of `shown` with the Python values that a `Result` carries."""
    decoders = [(i, decode) for i, column in enumerate(columns) if (decode := _decoder(column.type)) is not None]
    if not decoders:
        return rows
    result = []
    for row in rows:
        cells = list(row)
        for i, decode in decoders:
            if cells[i] is not None:
                cells[i] = decode(cells[i])
        result.append(tuple(cells))
    return result
