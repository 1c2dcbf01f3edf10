"""Data types as DDL writes them, in the form Snowflake shows them.

Synonyms and defaults: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types and the pages below it.
The length of VARCHAR without one is 16777216 characters, of BINARY 8388608 bytes; a column may ask for more.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinky_local.engine import errors
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import ResultColumn

VARCHAR_DEFAULT, VARCHAR_MAXIMUM = 16_777_216, 134_217_728
BINARY_DEFAULT, BINARY_MAXIMUM = 8_388_608, 67_108_864

_INTEGERS = frozenset({"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"})
_NUMBERS = frozenset({"NUMBER", "DECIMAL", "DEC", "NUMERIC"})
_FLOATS = frozenset({"FLOAT", "FLOAT4", "FLOAT8", "REAL", "DOUBLE"})
_TEXTS = {"VARCHAR": VARCHAR_DEFAULT, "STRING": VARCHAR_DEFAULT, "TEXT": VARCHAR_DEFAULT, "NVARCHAR": VARCHAR_DEFAULT}
_TEXTS |= {"NVARCHAR2": VARCHAR_DEFAULT, "CHAR": 1, "CHARACTER": 1, "NCHAR": 1}
_TIMESTAMPS = {"TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ", "TIMESTAMPLTZ", "TIMESTAMPNTZ", "TIMESTAMPTZ"}
_PLAIN = {"BOOLEAN", "DATE", "VARIANT", "GEOGRAPHY", "GEOMETRY", "FILE", "UUID", "DECFLOAT"}


@dataclass(frozen=True, slots=True)
class DataType:
    """A type in canonical words: family (NUMBER, VARCHAR, …) and what stands in its parentheses."""

    family: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.family if not self.arguments else f"{self.family}({','.join(self.arguments)})"


def read_type(stream: TokenStream, timestamp_mapping: str = "TIMESTAMP_NTZ") -> DataType:
    """Read a data type. Raises 001003 for an unknown one and 001022 (a guess) for sizes out of range."""
    start = stream.index
    word = stream.any_word()
    if word in _NUMBERS or word in _INTEGERS:
        precision, scale = (38, 0) if word in _INTEGERS else _numbers(stream, (38, 0), 2)
        _between(precision, 1, 38, "NUMBER precision")
        _between(scale, 0, min(37, precision), "NUMBER scale")
        return DataType("NUMBER", (str(precision), str(scale)))
    if word in _FLOATS:
        if word == "DOUBLE":
            stream.accept("PRECISION")
        return DataType("FLOAT")
    if word in _TEXTS:
        if word in ("CHAR", "CHARACTER", "NCHAR") and stream.accept("VARYING"):
            word = "VARCHAR"
        (length,) = _numbers(stream, (_TEXTS[word],), 1)
        _between(length, 1, VARCHAR_MAXIMUM, "VARCHAR length")
        return DataType("VARCHAR", (str(length),))
    if word in ("BINARY", "VARBINARY"):
        (length,) = _numbers(stream, (BINARY_DEFAULT,), 1)
        _between(length, 1, BINARY_MAXIMUM, "BINARY length")
        return DataType("BINARY", (str(length),))
    if word in _TIMESTAMPS or word in ("DATETIME", "TIMESTAMP", "TIME"):
        return _time(stream, word, timestamp_mapping)
    if word in _PLAIN:
        return DataType(word)
    if word in ("ARRAY", "OBJECT", "MAP"):
        return DataType(word, (stream.balanced(),)) if stream.is_symbol("(") else DataType(word)
    if word == "VECTOR":
        inner = [part.strip().upper() for part in stream.balanced().split(",")]
        return DataType("VECTOR", (inner[0], *inner[1:]))
    stream.index = start
    raise errors.compilation(2040, "42601", f"Unsupported data type '{word}'.")


def _time(stream: TokenStream, word: str, mapping: str) -> DataType:
    if word == "TIMESTAMP":
        family = mapping
        for clause, zoned in (
            (("WITH", "TIME", "ZONE"), "TIMESTAMP_TZ"),
            (("WITHOUT", "TIME", "ZONE"), "TIMESTAMP_NTZ"),
        ):
            if stream.accept(*clause):
                family = zoned
        if stream.accept("WITH", "LOCAL", "TIME", "ZONE"):
            family = "TIMESTAMP_LTZ"
    else:
        family = {"DATETIME": "TIMESTAMP_NTZ", "TIME": "TIME"}.get(word) or "TIMESTAMP_" + word.removeprefix(
            "TIMESTAMP"
        ).lstrip("_")
    (scale,) = _numbers(stream, (9,), 1)
    _between(scale, 0, 9, f"{family} precision")
    return DataType(family, (str(scale),))


def _numbers(stream: TokenStream, defaults: tuple[int, ...], longest: int) -> tuple[int, ...]:
    if not stream.accept_symbol("("):
        return defaults
    values = [stream.integer()]
    while len(values) < longest and stream.accept_symbol(","):
        values.append(stream.integer())
    stream.expect_symbol(")")
    return (*values, *defaults[len(values) :])


def _between(value: int, least: int, most: int, what: str) -> None:
    if not least <= value <= most:
        raise errors.compilation(2083, "42601", f"Invalid {what}: {value}. Must be between {least} and {most}.")


def result_column(name: str, data_type: DataType, *, nullable: bool = True) -> ResultColumn:
    """The column of a result that holds values of this type."""
    arguments = data_type.arguments
    match data_type.family:
        case "NUMBER":
            return ResultColumn(name, "fixed", nullable, precision=int(arguments[0]), scale=int(arguments[1]))
        case "FLOAT" | "DECFLOAT":
            return ResultColumn(name, "real", nullable)
        case "VARCHAR":
            return ResultColumn(name, "text", nullable, length=int(arguments[0]))
        case "BINARY":
            return ResultColumn(name, "binary", nullable, length=int(arguments[0]))
        case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return ResultColumn(name, data_type.family.lower(), nullable, precision=0, scale=int(arguments[0]))
        case "BOOLEAN" | "DATE" | "VARIANT" | "ARRAY" | "OBJECT":
            return ResultColumn(name, data_type.family.lower(), nullable)
    return ResultColumn(name, "text", nullable, length=VARCHAR_DEFAULT)


def parse(text: str) -> DataType:
    """A type from its canonical text."""
    return read_type(TokenStream(text))
