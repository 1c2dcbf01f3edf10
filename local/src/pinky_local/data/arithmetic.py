"""Arithmetic with Snowflake's precision and scale.

https://docs.snowflake.com/en/sql-reference/operators-arithmetic#arithmetic-operators
"""

from __future__ import annotations

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast
from pinky_local.data.refusals import raising, unsupported
from pinky_local.data.scopes import Typed


def numeric(value: Typed, what: str) -> Typed:
    """A value as a number: text becomes NUMBER(18,5), a variant FLOAT, as Snowflake coerces them."""
    if value.type.name in ("NUMBER", "FLOAT"):
        return value
    if value.type.name == "NULL":
        return cast(value, dt.INTEGER)
    if value.type.name == "VARCHAR":
        return cast(value, dt.number(18, 5))
    if value.type.name == "VARIANT":
        return cast(value, dt.FLOAT)
    raise unsupported(f"{what} of {value.type.name}")


def _floats(left: Typed, right: Typed) -> tuple[Typed, Typed] | None:
    if "FLOAT" in (left.type.name, right.type.name):
        return cast(left, dt.FLOAT), cast(right, dt.FLOAT)
    return None


def _days(left: Typed, right: Typed, symbol: str) -> Typed | None:
    """DATE plus or minus a number of days, and the days between two dates."""
    if left.type.name == "DATE" and right.type.name == "NUMBER":
        return Typed(f"CAST({left.sql} {symbol} CAST({right.sql} AS INTEGER) AS DATE)", dt.DATE)
    if symbol == "-" and left.type.name == right.type.name == "DATE":
        return Typed(f"CAST(date_diff('day', {right.sql}, {left.sql}) AS DECIMAL(9,0))", dt.number(9, 0))
    return None


def _sum(left: Typed, right: Typed, symbol: str, what: str) -> Typed:
    days = _days(left, right, symbol) or (_days(right, left, symbol) if symbol == "+" else None)
    if days is not None:
        return days
    left, right = numeric(left, what), numeric(right, what)
    floats = _floats(left, right)
    if floats:
        return Typed(f"({floats[0].sql} {symbol} {floats[1].sql})", dt.FLOAT)
    kind = dt.sum_type(left.type, right.type)
    return Typed(f"CAST({cast(left, _wide(kind)).sql} {symbol} {cast(right, _wide(kind)).sql} AS {kind.duckdb})", kind)


def _wide(kind: dt.SnowType) -> dt.SnowType:
    return dt.number(kind.precision or 38, kind.scale or 0)


def add(left: Typed, right: Typed) -> Typed:
    """``left + right``."""
    return _sum(left, right, "+", "addition")


def subtract(left: Typed, right: Typed) -> Typed:
    """``left - right``."""
    return _sum(left, right, "-", "subtraction")


def multiply(left: Typed, right: Typed) -> Typed:
    """``left * right``."""
    left, right = numeric(left, "multiplication"), numeric(right, "multiplication")
    floats = _floats(left, right)
    if floats:
        return Typed(f"({floats[0].sql} * {floats[1].sql})", dt.FLOAT)
    kind = dt.product_type(left.type, right.type)
    if (left.type.scale or 0) + (right.type.scale or 0) > 38:
        raise unsupported(f"product of {left.type.text} and {right.type.text}")
    return Typed(f"CAST({left.sql} * {right.sql} AS {kind.duckdb})", kind)


def divide(left: Typed, right: Typed) -> Typed:
    """``left / right``: exact, rounded half away from zero; a zero divisor is error 100051."""
    left, right = numeric(left, "division"), numeric(right, "division")
    floats = _floats(left, right)
    if floats:
        zero = raising(100051, "22012", "'Division by zero'", "DOUBLE")
        return Typed(
            f"(CASE WHEN {floats[1].sql} = 0 THEN {zero} ELSE {floats[0].sql} / {floats[1].sql} END)", dt.FLOAT
        )
    return quotient(left, right, dt.quotient_type(left.type, right.type), on_zero=None)


def quotient(left: Typed, right: Typed, kind: dt.SnowType, *, on_zero: str | None) -> Typed:
    """An exact quotient of two NUMBERs in ``kind``; ``on_zero`` is what a zero divisor gives, None for the error."""
    scale, shift = kind.scale or 0, (kind.scale or 0) - (left.type.scale or 0) + (right.type.scale or 0)
    top = f"({_unscaled(left)} * {10**shift}::HUGEINT)" if shift else _unscaled(left)
    bottom = _unscaled(right)
    rounded = f"((2 * abs({top}) + abs({bottom})) // (2 * abs({bottom})) * sign({top}) * sign({bottom}))"
    unit = f"CAST({_unit(scale)} AS DECIMAL({scale + 1},{scale}))"
    value = f"CAST(CAST({rounded} AS DECIMAL(38,0)) * {unit} AS {kind.duckdb})"
    zero = raising(100051, "22012", "'Division by zero'", kind.duckdb) if on_zero is None else on_zero
    return Typed(f"(CASE WHEN {right.sql} = 0 THEN {zero} WHEN {left.sql} IS NULL THEN NULL ELSE {value} END)", kind)


def _unscaled(value: Typed) -> str:
    scale = value.type.scale or 0
    if not scale:
        return f"CAST({value.sql} AS HUGEINT)"
    return f"CAST(CAST({value.sql} AS DECIMAL(38,{scale})) * CAST({10**scale} AS DECIMAL({scale + 1},0)) AS HUGEINT)"


def _unit(scale: int) -> str:
    return "1" if scale == 0 else "0." + "0" * (scale - 1) + "1"


def modulo(left: Typed, right: Typed) -> Typed:
    """``left % right``; a zero divisor is error 100051."""
    left, right = numeric(left, "modulo"), numeric(right, "modulo")
    floats = _floats(left, right)
    if floats:
        zero = raising(100051, "22012", "'Division by zero'", "DOUBLE")
        return Typed(
            f"(CASE WHEN {floats[1].sql} = 0 THEN {zero} ELSE {floats[0].sql} % {floats[1].sql} END)", dt.FLOAT
        )
    scale = max(left.type.scale or 0, right.type.scale or 0)
    kind = dt.number(max(left.type.precision or 38, right.type.precision or 38), scale)
    zero = raising(100051, "22012", "'Division by zero'", kind.duckdb)
    one, other = cast(left, dt.number(38, scale)).sql, cast(right, dt.number(38, scale)).sql
    return Typed(f"(CASE WHEN {other} = 0 THEN {zero} ELSE CAST({one} % {other} AS {kind.duckdb}) END)", kind)


def negate(value: Typed) -> Typed:
    """``-value``."""
    value = numeric(value, "negation")
    return Typed(f"(-{value.sql})", value.type, value.nullable)
