"""SQL values as Python code sees them, and back.

Rests on https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping (SQL and Python).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pinky_local.engine import datatypes
from pinky_local.engine.datatypes import DataType

DEFAULT_ZONE = "America/Los_Angeles"


class SqlNull:
    """What a handler gets for NULL of type VARIANT, whose JSON null is None.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-designing; the page is about functions, and
    procedures are taken to do the same.
    """

    is_sql_null = True

    def __repr__(self) -> str:
        return "sqlNullWrapper"


class ConversionError(Exception):
    """A Python value that its SQL type does not take."""


def to_python(value: Any, kind: DataType, zone: str) -> Any:
    """A cell of a `Result` as an argument of a Python handler; ``zone`` is the session's TIMEZONE."""
    if value is None:
        return SqlNull() if kind.family == "VARIANT" else None
    if kind.family in ("VARIANT", "OBJECT", "ARRAY"):
        return json.loads(value)
    if kind.family == "NUMBER":
        return int(value) if kind.arguments[1] == "0" else Decimal(value)
    if kind.family == "TIMESTAMP_LTZ":
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return value


def from_python(value: Any, kind: DataType, zone: str) -> Any:
    """What a Python handler returned, as a cell of a `Result`. Raises `ConversionError`."""
    if value is None or isinstance(value, SqlNull):
        return None
    rule = _RULES.get(kind.family)
    if rule is None:
        raise ConversionError(f"the local account returns no {kind.family} from Python")
    return rule(value, kind, zone)


def _wants(value: Any, kinds: tuple[type, ...], kind: DataType) -> None:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(one.__name__ for one in kinds)
        raise ConversionError(f"expected {wanted} for {kind}, got {type(value).__name__}")


def _text(value: Any, kind: DataType, _: str) -> str:
    _wants(value, (str,), kind)
    return str(value)


def _number(value: Any, kind: DataType, _: str) -> int | Decimal:
    _wants(value, (int, Decimal), kind)
    scale = int(kind.arguments[1])
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() >= int(kind.arguments[0]) - scale:
        raise ConversionError(f"{value} is out of range of {kind}")
    if scale == 0:
        return int(number.to_integral_value(ROUND_HALF_UP))
    return number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


def _float(value: Any, kind: DataType, _: str) -> float:
    _wants(value, (int, float, Decimal), kind)
    return float(value)


def _boolean(value: Any, kind: DataType, _: str) -> bool:
    _wants(value, (bool,), kind)
    return bool(value)


def _binary(value: Any, kind: DataType, _: str) -> bytes:
    _wants(value, (bytes, bytearray), kind)
    return bytes(value)


def _date(value: Any, kind: DataType, _: str) -> date:
    _wants(value, (date,), kind)
    if isinstance(value, datetime):
        raise ConversionError(f"expected date for {kind}, got datetime")
    assert isinstance(value, date)
    return value


def _time(value: Any, kind: DataType, _: str) -> time:
    _wants(value, (time,), kind)
    assert isinstance(value, time)
    return value


def _timestamp(value: Any, kind: DataType, zone: str) -> datetime:
    _wants(value, (datetime,), kind)
    assert isinstance(value, datetime)
    aware = value.utcoffset() is not None
    if aware != (kind.family == "TIMESTAMP_TZ"):
        raise ConversionError(f"expected {'a naive' if aware else 'an aware'} datetime for {kind}")
    return value.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if kind.family == "TIMESTAMP_LTZ" else value


def _variant(value: Any, kind: DataType, _: str) -> str:
    if kind.family == "OBJECT":
        _wants(value, (dict,), kind)
    elif kind.family == "ARRAY":
        _wants(value, (list, tuple), kind)
    try:
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=_embedded)
    except (TypeError, ValueError) as problem:
        raise ConversionError(f"{problem} (as {kind})") from problem


def _embedded(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_RULES: dict[str, Callable[[Any, DataType, str], Any]] = {
    "VARCHAR": _text, "NUMBER": _number, "FLOAT": _float, "BOOLEAN": _boolean, "BINARY": _binary, "DATE": _date,
    "TIME": _time, "VARIANT": _variant, "OBJECT": _variant, "ARRAY": _variant,
    **dict.fromkeys(("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"), _timestamp),
}  # fmt: skip


def kind_of(text: str) -> DataType:
    """The type of a routine's argument or result from its text."""
    return datatypes.parse(text)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_text(text: str | None, kind: DataType, zone: str) -> Any:
    """An argument of a function, as the data plane writes it as text, for a Python handler."""
    if text is None:
        return to_python(None, kind, zone)
    return to_python(_READERS[kind.family](text), kind, zone)


def _read_offset(text: str) -> datetime:
    micros, minutes = text.split(" ")
    return (_EPOCH + int(micros) * _MICROSECOND).astimezone(timezone(timedelta(minutes=int(minutes))))


_READERS: dict[str, Callable[[str], Any]] = {
    "VARCHAR": str, "VARIANT": str, "OBJECT": str, "ARRAY": str, "NUMBER": Decimal, "FLOAT": float,
    "BOOLEAN": lambda text: text == "true", "BINARY": bytes.fromhex, "DATE": date.fromisoformat,
    "TIME": time.fromisoformat, "TIMESTAMP_NTZ": datetime.fromisoformat,
    "TIMESTAMP_LTZ": lambda text: _EPOCH + int(text) * _MICROSECOND, "TIMESTAMP_TZ": _read_offset,
}  # fmt: skip


def to_text(value: Any, kind: DataType, zone: str) -> str | None:
    """What a Python handler returned, as the text that the data plane reads. Raises `ConversionError`."""
    cell = from_python(value, kind, zone)
    if cell is None:
        return None
    if kind.family == "BOOLEAN":
        return "true" if cell else "false"
    if kind.family == "BINARY":
        return str(cell.hex())
    if kind.family in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        micros = str((cell - _EPOCH) // _MICROSECOND)
        return micros if kind.family == "TIMESTAMP_LTZ" else f"{micros} {cell.utcoffset() // timedelta(minutes=1)}"
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
