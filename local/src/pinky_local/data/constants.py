"""Constants: Python values, and numbers as they were written, as typed DuckDB literals."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import literal
from pinky_local.data.refusals import unsupported
from pinky_local.data.scopes import Typed


def constant(value: Any) -> Typed:
    """A Python value (of a context function or a bind) as a typed literal."""
    if value is None:
        return Typed("NULL", dt.NULL)
    if isinstance(value, bool):
        return Typed("TRUE" if value else "FALSE", dt.BOOLEAN, nullable=False)
    if isinstance(value, int | Decimal):
        return number_literal(str(value))
    if isinstance(value, float):
        return Typed(f"CAST('{value!r}' AS DOUBLE)", dt.FLOAT, nullable=False)
    if isinstance(value, datetime):
        kind = dt.NTZ if value.tzinfo is None else dt.LTZ
        return Typed(f"CAST('{value.isoformat(sep=' ')}' AS {kind.duckdb})", kind, nullable=False)
    if isinstance(value, date | time):
        kind = dt.DATE if isinstance(value, date) else dt.TIME
        return Typed(f"CAST('{value.isoformat()}' AS {kind.duckdb})", kind, nullable=False)
    if isinstance(value, bytes):
        return Typed(f"unhex('{value.hex()}')", dt.BINARY, nullable=False)
    if isinstance(value, str):
        return Typed(literal(value), dt.varchar(max(1, len(value))), nullable=False)
    raise unsupported(f"a value of type {type(value).__name__}")


def number_literal(text: str) -> Typed:
    """A number as written: exact digits are NUMBER, an exponent or too many digits is FLOAT."""
    if "e" in text.lower():
        return Typed(f"CAST('{text}' AS DOUBLE)", dt.FLOAT, nullable=False)
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = body.partition(".")
    whole = whole.lstrip("0")
    scale = len(fraction)
    if len(whole) + scale > 38 or scale > 37:
        return Typed(f"CAST('{text}' AS DOUBLE)", dt.FLOAT, nullable=False)
    kind = dt.number(max(1, len(whole) + scale), scale)
    return Typed(f"CAST({sign}{body} AS {kind.duckdb})", kind, nullable=False)
