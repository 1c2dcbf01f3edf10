"""Snowflake's data types, their DuckDB carriers, and the type rules of arithmetic.

https://docs.snowflake.com/en/sql-reference/intro-summary-data-types and .../sql-reference/operators-arithmetic

Carriers: NUMBER is DECIMAL, FLOAT is DOUBLE, BINARY is BLOB, the three timestamps are TIMESTAMP (ntz), TIMESTAMPTZ
(ltz) and STRUCT(utc TIMESTAMPTZ, minutes SMALLINT) (tz: an instant and the offset it was written with), and VARIANT,
OBJECT, ARRAY are JSON. Times keep microseconds, which is all that Python's datetime can carry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinky_local.data.refusals import compilation
from pinky_local.types import ResultColumn

TEXT_LENGTH = 16777216
MAX_TEXT_LENGTH = 134217728
BINARY_LENGTH = 8388608
SEMI_STRUCTURED = frozenset({"VARIANT", "OBJECT", "ARRAY"})
TIMESTAMPS = frozenset({"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})


@dataclass(frozen=True, slots=True)
class SnowType:
    """A Snowflake type: its name, and precision and scale (NUMBER), scale (times) or length (VARCHAR, BINARY)."""

    name: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    @property
    def duckdb(self) -> str:
        """The DuckDB type that carries it."""
        if self.name == "NUMBER":
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB[self.name]

    @property
    def text(self) -> str:
        """The full Snowflake text, such as NUMBER(38,0)."""
        if self.name == "NUMBER":
            return f"NUMBER({self.precision},{self.scale})"
        if self.name in ("VARCHAR", "BINARY"):
            return f"{self.name}({self.length})"
        if self.name == "TIME" or self.name in TIMESTAMPS:
            return f"{self.name}({self.scale})"
        return "VARCHAR(16777216)" if self.name == "NULL" else self.name

    @property
    def semi_structured(self) -> bool:
        """Whether values are JSON."""
        return self.name in SEMI_STRUCTURED

    def result_column(self, name: str, *, nullable: bool) -> ResultColumn:
        """How the wire describes a column of this type."""
        wire = _WIRE[self.name]
        if self.name == "NUMBER":
            return ResultColumn(name, wire, nullable, self.precision, self.scale)
        if self.name == "TIME" or self.name in TIMESTAMPS:
            return ResultColumn(name, wire, nullable, 0, self.scale)
        if self.name == "NULL":
            return ResultColumn(name, wire, nullable, length=TEXT_LENGTH)
        return ResultColumn(name, wire, nullable, length=self.length)


_DUCKDB = {
    "FLOAT": "DOUBLE", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP", "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "TIMESTAMP_TZ": "STRUCT(utc TIMESTAMPTZ, minutes SMALLINT)",
    "VARIANT": "JSON", "OBJECT": "JSON", "ARRAY": "JSON", "BINARY": "BLOB", "NULL": "VARCHAR",
}  # fmt: skip
_WIRE = {
    "NUMBER": "fixed", "FLOAT": "real", "VARCHAR": "text", "BOOLEAN": "boolean", "DATE": "date", "TIME": "time",
    "TIMESTAMP_NTZ": "timestamp_ntz", "TIMESTAMP_LTZ": "timestamp_ltz", "TIMESTAMP_TZ": "timestamp_tz",
    "VARIANT": "variant", "OBJECT": "object", "ARRAY": "array", "BINARY": "binary", "NULL": "text",
}  # fmt: skip

FLOAT = SnowType("FLOAT")
BOOLEAN = SnowType("BOOLEAN")
DATE = SnowType("DATE")
TIME = SnowType("TIME", scale=9)
NTZ = SnowType("TIMESTAMP_NTZ", scale=9)
LTZ = SnowType("TIMESTAMP_LTZ", scale=9)
TZ = SnowType("TIMESTAMP_TZ", scale=9)
VARIANT = SnowType("VARIANT")
OBJECT = SnowType("OBJECT")
ARRAY = SnowType("ARRAY")
NULL = SnowType("NULL")
BINARY = SnowType("BINARY", length=BINARY_LENGTH)
TEXT = SnowType("VARCHAR", length=TEXT_LENGTH)
INTEGER = SnowType("NUMBER", 38, 0)


def number(precision: int, scale: int) -> SnowType:
    """NUMBER(precision, scale), with precision capped at 38."""
    return SnowType("NUMBER", min(38, precision), scale)


def varchar(length: int) -> SnowType:
    """VARCHAR(length)."""
    return SnowType("VARCHAR", length=length)


_PLAIN: dict[str, SnowType] = {
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"), INTEGER),
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"), FLOAT),
    "BOOLEAN": BOOLEAN, "DATE": DATE, "VARIANT": VARIANT, "OBJECT": OBJECT, "ARRAY": ARRAY,
}  # fmt: skip
_NUMBERS = frozenset({"NUMBER", "DECIMAL", "DEC", "NUMERIC"})
_LONG_TEXT = frozenset({"VARCHAR", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2", "CHAR VARYING", "NCHAR VARYING"})
_SHORT_TEXT = frozenset({"CHAR", "CHARACTER", "NCHAR"})
_TIMES = {
    "TIME": "TIME", "DATETIME": "TIMESTAMP_NTZ", "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP_NTZ": "TIMESTAMP_NTZ", "TIMESTAMPNTZ": "TIMESTAMP_NTZ", "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ", "TIMESTAMPLTZ": "TIMESTAMP_LTZ",
    "TIMESTAMP WITH LOCAL TIME ZONE": "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ", "TIMESTAMPTZ": "TIMESTAMP_TZ", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
}  # fmt: skip
_SHAPE = re.compile(r"([A-Z0-9_ ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$")


def parse_type(text: str) -> SnowType:
    """The type that a text such as ``number(10, 2)`` means. Raises `SqlError` 2040 for an unknown one."""
    shape = _SHAPE.match(" ".join(text.upper().split()))
    known = shape and type_named(shape[1].strip(), *(int(part) for part in shape.groups()[1:] if part is not None))
    if not known:
        raise compilation(f"Unsupported data type '{text}'.", errno=2040, sqlstate="0A000")
    return known


def type_named(name: str, first: int | None = None, second: int | None = None) -> SnowType | None:
    """The type of this name with its arguments, or None for an unknown one."""
    if name in _NUMBERS:
        return _checked_number(38 if first is None else first, second or 0)
    if name in _PLAIN and first is None:
        return _PLAIN[name]
    if name in _LONG_TEXT:
        return varchar(TEXT_LENGTH if first is None else first)
    if name in _SHORT_TEXT:
        return varchar(1 if first is None else first)
    if name in ("BINARY", "VARBINARY"):
        return SnowType("BINARY", length=BINARY_LENGTH if first is None else first)
    if name in _TIMES:
        return SnowType(_TIMES[name], scale=9 if first is None else first)
    return None


def _checked_number(precision: int, scale: int) -> SnowType:
    if not 1 <= precision <= 38 or not 0 <= scale <= min(37, precision):
        raise compilation(f"Invalid precision or scale in NUMBER({precision},{scale}).", errno=2040, sqlstate="0A000")
    return SnowType("NUMBER", precision, scale)


def _digits(kind: SnowType) -> tuple[int, int]:
    scale = kind.scale or 0
    return (kind.precision or 38) - scale, scale


def sum_type(one: SnowType, other: SnowType) -> SnowType:
    """The type of ``+`` and ``-`` of two NUMBERs."""
    (leading, scale), (leading2, scale2) = _digits(one), _digits(other)
    scale = max(scale, scale2)
    return number(max(leading, leading2) + scale + 1, scale)


def product_type(one: SnowType, other: SnowType) -> SnowType:
    """The type of ``*`` of two NUMBERs."""
    (leading, scale), (leading2, scale2) = _digits(one), _digits(other)
    scale = min(scale + scale2, max(scale, scale2, 12))
    return number(leading + leading2 + scale, scale)


def quotient_type(one: SnowType, other: SnowType) -> SnowType:
    """The type of ``/`` of two NUMBERs: integers give six decimals."""
    (leading, scale), (_, scale2) = _digits(one), _digits(other)
    result = max(scale, min(scale + 6, 12))
    return number(leading + scale2 + result, result)


def common_type(types: list[SnowType]) -> SnowType | None:
    """The type that values of all these types are brought to (CASE, UNION, VALUES); None where there is none."""
    result = NULL
    for kind in types:
        joined = _common(result, kind)
        if joined is None:
            return None
        result = joined
    return result


def _common(one: SnowType, other: SnowType) -> SnowType | None:
    if one.name == "NULL" or one == other:
        return other
    if other.name == "NULL":
        return one
    names = {one.name, other.name}
    if names == {"NUMBER"}:
        (leading, scale), (leading2, scale2) = _digits(one), _digits(other)
        return number(max(leading, leading2) + max(scale, scale2), max(scale, scale2))
    if len(names) == 1:
        return SnowType(one.name, scale=max(one.scale or 0, other.scale or 0) if one.scale is not None else None,
                        length=max(one.length or 0, other.length or 0) if one.length is not None else None)  # fmt: skip
    return _common_of_families(one, other, names)


def _common_of_families(one: SnowType, other: SnowType, names: set[str]) -> SnowType | None:
    if names & SEMI_STRUCTURED:
        return VARIANT
    if names == {"NUMBER", "FLOAT"} or names == {"VARCHAR", "FLOAT"}:
        return FLOAT
    if names == {"NUMBER", "VARCHAR"}:
        return number(38, max(one.scale or 0, other.scale or 0))
    if "VARCHAR" in names:
        return one if other.name == "VARCHAR" else other
    for kind in (TZ, LTZ, NTZ):
        if kind.name in names and names <= TIMESTAMPS | {"DATE"}:
            return kind
    return None
