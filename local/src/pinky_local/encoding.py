"""Python values as the cells of a JSON result, and columns as its ``rowtype``.

Every cell is a string or null. The spellings are those the connectors decode (4.x in Python, 5.x in its core); a value
that does not fit its column's type is a `TypeError`, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pinky_local.types import Result, ResultColumn

Cell = str | None
Encoder = Callable[[Any], str]

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TZ_BIAS_MINUTES = 1440  # the wire adds a day so that offsets are never negative
_DEFAULT_TEXT_LENGTH = 16_777_216
_DEFAULT_BINARY_LENGTH = 8_388_608
_TIME_TYPES = frozenset({"time", "timestamp_ntz", "timestamp_ltz", "timestamp_tz"})


def rowtype(column: ResultColumn) -> dict[str, Any]:
    """One entry of ``data.rowtype`` with every key both connectors read.

    Raises `TypeError` for a type name the wire does not know.
    """
    kind = column.type
    encoder_of(column)
    precision, scale, length = column.precision, column.scale, column.length
    if kind == "fixed":
        precision, scale = 38 if precision is None else precision, scale or 0
    elif kind in _TIME_TYPES:
        precision, scale = precision or 0, 9 if scale is None else scale
    elif kind == "text":
        length = _DEFAULT_TEXT_LENGTH if length is None else length
    elif kind == "binary":
        length = _DEFAULT_BINARY_LENGTH if length is None else length
    byte_length = length if kind == "binary" else None if length is None else min(length * 4, _DEFAULT_TEXT_LENGTH)
    return {
        "name": column.name,
        "type": kind,
        "nullable": column.nullable,
        "precision": precision,
        "scale": scale,
        "length": length,
        "byteLength": byte_length,
        "database": "",
        "schema": "",
        "table": "",
        "collation": None,
    }


def rowset(result: Result) -> list[list[Cell]]:
    """All rows of a result as wire cells. Raises `TypeError` naming the column of a value that does not fit."""
    encoders = [encoder_of(column) for column in result.columns]
    rows: list[list[Cell]] = []
    for row in result.rows:
        if len(row) != len(encoders):
            raise TypeError(f"a row has {len(row)} cells, the result {len(encoders)} columns")
        try:
            rows.append([None if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)])
        except TypeError as error:
            raise TypeError(_misfit(result.columns, row)) from error
    return rows


def _misfit(columns: Sequence[ResultColumn], row: Sequence[Any]) -> str:
    for column, value in zip(columns, row, strict=True):
        try:
            if value is not None:
                encoder_of(column)(value)
        except TypeError as error:
            return f"column {column.name}: {error}"
    return "a row does not fit its columns"  # pragma: no cover - one of the cells failed before


def encoder_of(column: ResultColumn) -> Encoder:
    """The function that writes one non-null cell of a column. Raises `TypeError` for an unknown wire type."""
    scale = column.scale
    match column.type:
        case "fixed":
            return _fixed(scale or 0)
        case "real":
            return _real
        case "text" | "variant" | "array" | "object":
            return _text
        case "boolean":
            return _boolean
        case "date":
            return _date
        case "time":
            return _time(9 if scale is None else scale)
        case "timestamp_ntz":
            return _timestamp_ntz(9 if scale is None else scale)
        case "timestamp_ltz":
            return _timestamp_ltz(9 if scale is None else scale)
        case "timestamp_tz":
            return _timestamp_tz(9 if scale is None else scale)
        case "binary":
            return _binary
    raise TypeError(f"column {column.name}: the wire has no type {column.type!r}")


def _wants(value: Any, kinds: type | tuple[type, ...], wire_type: str) -> None:
    if not isinstance(value, kinds):
        raise TypeError(f"{type(value).__name__} is not a value of wire type {wire_type}")


def _fixed(scale: int) -> Encoder:
    def encode(value: Any) -> str:
        if type(value) is int and scale == 0:
            return str(value)
        _wants(value, (int, Decimal), "fixed")
        if isinstance(value, bool):
            raise TypeError("bool is not a value of wire type fixed")
        number = Decimal(value)
        if not number.is_finite():
            raise TypeError(f"{number} is not a value of wire type fixed")
        sign, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int)  # finite
        if -exponent > scale and any(digits[exponent + scale :]):
            raise TypeError(f"{number} has more than {scale} decimals")
        unscaled = int("".join(map(str, digits)))
        shift = exponent + scale
        unscaled = unscaled * 10**shift if shift >= 0 else unscaled // 10**-shift
        text = str(unscaled)
        if scale:
            text = text.rjust(scale + 1, "0")
            text = f"{text[:-scale]}.{text[-scale:]}"
        return f"-{text}" if sign and unscaled else text

    return encode


def _real(value: Any) -> str:
    _wants(value, (int, float, Decimal), "real")
    number = float(value)
    if math.isnan(number):
        return "NaN"
    return repr(number)


def _text(value: Any) -> str:
    _wants(value, str, "text")
    return str(value)


def _boolean(value: Any) -> str:
    _wants(value, bool, "boolean")
    return "1" if value else "0"


def _date(value: Any) -> str:
    _wants(value, date, "date")
    if isinstance(value, datetime):
        raise TypeError("datetime is not a value of wire type date")
    return str(value.toordinal() - _EPOCH_DAY)


def _decimals(microseconds: int, scale: int) -> str:
    """Seconds with exactly ``scale`` decimals; finer digits are cut off towards zero, as a cast in Snowflake does."""
    sign = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    if scale == 0:
        return f"{sign}{seconds}"
    return f"{sign}{seconds}.{rest:06d}000"[: len(sign) + len(str(seconds)) + 1 + scale]


def _time(scale: int) -> Encoder:
    def encode(value: Any) -> str:
        _wants(value, time, "time")
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return _decimals(seconds * 1_000_000 + value.microsecond, scale)

    return encode


def _timestamp_ntz(scale: int) -> Encoder:
    def encode(value: Any) -> str:
        _wants(value, datetime, "timestamp_ntz")
        if value.tzinfo is not None:
            raise TypeError("a datetime with a time zone is not a value of wire type timestamp_ntz")
        return _decimals((value - _EPOCH) // _MICROSECOND, scale)

    return encode


def _aware(value: Any, wire_type: str) -> datetime:
    _wants(value, datetime, wire_type)
    assert isinstance(value, datetime)
    if value.utcoffset() is None:
        raise TypeError(f"a datetime without a time zone is not a value of wire type {wire_type}")
    return value


def _timestamp_ltz(scale: int) -> Encoder:
    def encode(value: Any) -> str:
        return _decimals((_aware(value, "timestamp_ltz") - _EPOCH_UTC) // _MICROSECOND, scale)

    return encode


def _timestamp_tz(scale: int) -> Encoder:
    def encode(value: Any) -> str:
        moment = _aware(value, "timestamp_tz")
        offset = moment.utcoffset()
        assert offset is not None
        minutes = offset // timedelta(minutes=1)
        return f"{_decimals((moment - _EPOCH_UTC) // _MICROSECOND, scale)} {minutes + _TZ_BIAS_MINUTES}"

    return encode


def _binary(value: Any) -> str:
    _wants(value, (bytes, bytearray, memoryview), "binary")
    return bytes(value).hex().upper()
