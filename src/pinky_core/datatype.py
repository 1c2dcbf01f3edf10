"""Snowflake data types in one canonical form.

`DataType.parse` accepts every documented synonym; ``str()`` gives the spelling DESCRIBE prints, so two spellings of one
type compare equal with ``==``. Rules: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Any

import attrs

from pinky_core.address import RESERVED

__all__ = ["DataType", "Element"]

MAX_VARCHAR = 134_217_728  # characters, https://docs.snowflake.com/en/sql-reference/data-types-text
MAX_BINARY = 67_108_864  # bytes, the same page
MAX_PRECISION = 38  # digits, https://docs.snowflake.com/en/sql-reference/data-types-numeric
MAX_DIMENSION = 4096  # https://docs.snowflake.com/en/sql-reference/data-types-vector
_MAX_DEPTH = 64  # nesting of structured types; a guard of ours, Snowflake documents 1000 sub-columns

_LENGTHS = {  # synonym: canonical name, default length, largest length
    **dict.fromkeys(("CHAR", "CHARACTER", "NCHAR"), ("VARCHAR", 1, MAX_VARCHAR)),
    **dict.fromkeys(
        ("VARCHAR", "VARCHAR2", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2", "CHAR VARYING", "CHARACTER VARYING"),
        ("VARCHAR", 16_777_216, MAX_VARCHAR),
    ),
    "NCHAR VARYING": ("VARCHAR", 16_777_216, MAX_VARCHAR),
    **dict.fromkeys(("BINARY", "VARBINARY"), ("BINARY", 8_388_608, MAX_BINARY)),
}
_FRACTIONS = {  # types with a precision of fractional seconds
    "TIME": "TIME",
    **dict.fromkeys(
        ("DATETIME", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMPNTZ", "TIMESTAMP WITHOUT TIME ZONE"), "TIMESTAMP_NTZ"
    ),
    **dict.fromkeys(("TIMESTAMP_LTZ", "TIMESTAMPLTZ", "TIMESTAMP WITH LOCAL TIME ZONE"), "TIMESTAMP_LTZ"),
    **dict.fromkeys(("TIMESTAMP_TZ", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), "TIMESTAMP_TZ"),
}
_PLAIN = {  # types without arguments
    **{name: name for name in ("BOOLEAN", "DATE", "VARIANT", "GEOGRAPHY", "GEOMETRY", "FILE", "UUID", "UNKNOWN")},
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "REAL"), "FLOAT"),
    "DOUBLE PRECISION": "FLOAT",
}
_DECIMALS = frozenset(("NUMBER", "DECIMAL", "DEC", "NUMERIC"))
_INTEGERS = frozenset(("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"))
_STRUCTURED = ("ARRAY", "OBJECT", "MAP", "VECTOR", "PERIOD", "INTERVAL", "DECFLOAT")
_NAMES = sorted({*_LENGTHS, *_FRACTIONS, *_PLAIN, *_DECIMALS, *_INTEGERS, *_STRUCTURED})
_FIRST_WORDS = frozenset(name.split()[0] for name in _NAMES)

_FAMILIES = {
    "NUMBER": "number",
    "FLOAT": "float",
    "DECFLOAT": "decfloat",
    "VARCHAR": "text",
    "BINARY": "binary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP_NTZ": "timestamp",
    "TIMESTAMP_LTZ": "timestamp",
    "TIMESTAMP_TZ": "timestamp",
    "VARIANT": "semi-structured",
    "GEOGRAPHY": "geospatial",
    "GEOMETRY": "geospatial",
    "VECTOR": "vector",
    "FILE": "file",
    "UUID": "uuid",
    "PERIOD": "period",
    "INTERVAL": "interval",
    "UNKNOWN": "unknown",
}
# Fields of an interval from the largest to the smallest; each may run TO a smaller one of its own row.
_INTERVALS = (("YEAR", "MONTH"), ("DAY", "HOUR", "MINUTE", "SECOND"))

_TOKEN = re.compile(r'\s*("(?:[^"]|"")*+"|\w[\w$]*|[(),])')
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


@attrs.frozen(slots=True)
class Element:
    """One part of a structured type: an array's element, a map's key or value, an object's entry.

    ``key`` is the entry's name in an OBJECT, case-sensitive, and empty elsewhere.
    """

    type: DataType
    nullable: bool = True
    key: str = ""

    def __str__(self) -> str:
        return f"{_spell_key(self.key)}{self.type}{'' if self.nullable else ' NOT NULL'}"


@attrs.frozen(cache_hash=True, slots=True)
class DataType:
    """A data type as Snowflake stores it; equal when Snowflake holds two spellings for the same type.

    ``precision`` is digits for NUMBER, digits of the leading field for INTERVAL, and digits of fractional seconds for
    TIME and TIMESTAMP types; ``scale`` is digits after the point for NUMBER and of fractional seconds for INTERVAL;
    ``length`` is characters for VARCHAR, bytes for BINARY, the dimension for VECTOR. ``elements`` is None for what is
    unstructured (also for semi-structured ARRAY and OBJECT) and empty for ``OBJECT()``. ``qualifier`` holds the element
    type of a VECTOR (FLOAT or INT) and the fields of an INTERVAL (``DAY TO SECOND``).

    TIMESTAMP and DATETIME alone mean TIMESTAMP_NTZ, the default of TIMESTAMP_TYPE_MAPPING; statements always carry the
    explicit type, so the parameter of a session never decides.
    """

    name: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    elements: tuple[Element, ...] | None = None
    qualifier: str = ""

    @classmethod
    def parse(cls, text: str) -> DataType:
        """Read any documented spelling; raises ValueError with what was found and what is allowed."""
        return _parse(text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment of a field of this type."""
        return {
            "type": "string",
            "description": "A Snowflake data type; synonyms and omitted lengths mean what they mean in SQL.",
            "examples": ["NUMBER(38,0)", "VARCHAR", "TIMESTAMP_NTZ", "BOOLEAN", "VARIANT", "ARRAY(NUMBER)"],
        }

    @property
    def sql(self) -> str:
        """The spelling for a statement."""
        return str(self)

    @property
    def family(self) -> str:
        """The group conversions stay within: ``number``, ``text``, ``timestamp``, ``structured`` and so on."""
        if self.name in ("ARRAY", "OBJECT", "MAP"):
            return "semi-structured" if self.elements is None else "structured"
        return _FAMILIES[self.name]

    @property
    def signature(self) -> str:
        """The type as part of a procedure's or function's identity: without length, precision and scale.

        https://docs.snowflake.com/en/sql-reference/sql/show-procedures (column ``arguments``)
        """
        if self.name == "VECTOR":
            return str(self)
        if self.elements is None:
            return f"INTERVAL {self.qualifier}" if self.name == "INTERVAL" else self.name
        return f"{self.name}({', '.join(_spell_key(each.key) + each.type.signature for each in self.elements)})"

    def widens_to(self, other: DataType) -> bool:
        """Whether ALTER COLUMN … SET DATA TYPE gets from here to ``other`` whatever the rows hold.

        A longer VARCHAR, a NUMBER of the same scale with more digits, the same type; nothing else:
        https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
        """
        if self == other:
            return True
        if self.name != other.name:
            return False
        if self.name == "VARCHAR":
            return (self.length or 0) < (other.length or 0)
        if self.name == "NUMBER":
            return self.scale == other.scale and (self.precision or 0) < (other.precision or 0)
        return False

    def __str__(self) -> str:
        if self.name == "INTERVAL":
            return _spell_interval(self)
        if self.name == "VECTOR":
            return f"VECTOR({self.qualifier}, {self.length})"
        if self.elements is not None:
            return f"{self.name}({', '.join(map(str, self.elements))})"
        arguments = [str(each) for each in (self.precision, self.scale, self.length) if each is not None]
        return f"{self.name}({','.join(arguments)})" if arguments else self.name


def _spell_key(key: str) -> str:
    if not key:
        return ""
    if _BARE_KEY.match(key) and key.upper() not in RESERVED:
        return f"{key} "
    return '"' + key.replace('"', '""') + '" '


def _spell_interval(type_: DataType) -> str:
    first, _, last = type_.qualifier.partition(" TO ")
    if first == "SECOND":
        return f"INTERVAL SECOND({type_.precision}, {type_.scale})"
    text = f"INTERVAL {first}({type_.precision})"
    if last:
        text += f" TO {last}"
    return text if type_.scale is None else f"{text}({type_.scale})"


@lru_cache(maxsize=16384)
def _parse(text: str) -> DataType:
    reader = _Reader(text)
    found = reader.data_type(0)
    if reader.peek():
        raise reader.error(f"unexpected {reader.peek()!r} after {found}")
    return found


class _Reader:
    """Recursive descent over the tokens of one type; every token is read once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        self.place = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.error(f"unexpected {text[position:].strip()[:1]!r} at character {position + 1}")
            self.tokens.append(match.group(1))
            position = match.end()

    def error(self, what: str) -> ValueError:
        return ValueError(f"{self.text!r} is not a data type: {what}")

    def peek(self, ahead: int = 0) -> str:
        """The upper-cased token to come; empty at the end."""
        place = self.place + ahead
        return self.tokens[place].upper() if place < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        """Move past these tokens when they are what comes next."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self.place += len(words)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise self.error(f"expected {word!r}, found {self.peek() or 'the end'!r}")

    def data_type(self, depth: int) -> DataType:
        if depth > _MAX_DEPTH:
            raise self.error(f"nested more than {_MAX_DEPTH} levels deep")
        name = self.type_name()
        if name in _DECIMALS:
            return self.number()
        if name in _INTEGERS:
            self.no_arguments(name, "write NUMBER(precision, scale) for another size")
            return DataType("NUMBER", precision=38, scale=0)
        if name in _LENGTHS:
            canonical, default, largest = _LENGTHS[name]
            length = self.argument(f"length of {name}", 1, largest)
            return DataType(canonical, length=default if length is None else length)
        if name in _FRACTIONS:
            return self.fraction(name)
        if name in _PLAIN:
            self.no_arguments(name, f"{name} takes none")
            return DataType(_PLAIN[name])
        if name == "DECFLOAT":
            self.argument("precision of DECFLOAT", 38, 38)
            return DataType("DECFLOAT")
        if name == "VECTOR":
            return self.vector()
        if name == "INTERVAL":
            return self.interval()
        return self.structured(name, depth)

    def type_name(self) -> str:
        word = self.peek()
        if word not in _FIRST_WORDS:
            if not word:
                raise self.error("a type's name is missing")
            near = difflib.get_close_matches(word, _NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(_NAMES)}"
            raise self.error(f"unknown type {word!r}; {hint}")
        self.place += 1
        if word in ("CHAR", "CHARACTER", "NCHAR") and self.take("VARYING"):
            return f"{word} VARYING"
        if word == "DOUBLE" and self.take("PRECISION"):
            return "DOUBLE PRECISION"
        return word

    def integer(self, what: str, lowest: int, highest: int) -> int:
        token = self.peek()
        if not (token.isascii() and token.isdigit()) or len(token) > 12 or not lowest <= int(token) <= highest:
            allowed = str(lowest) if lowest == highest else f"{lowest} to {highest}"
            raise self.error(f"{what} is {token or 'missing'!r}; allowed: {allowed}")
        self.place += 1
        return int(token)

    def argument(self, what: str, lowest: int, highest: int) -> int | None:
        """One number in parentheses, when there is one."""
        if not self.take("("):
            return None
        value = self.integer(what, lowest, highest)
        self.expect(")")
        return value

    def no_arguments(self, name: str, hint: str) -> None:
        if self.peek() == "(":
            raise self.error(f"{name} has arguments; {hint}")

    def number(self) -> DataType:
        precision, scale = MAX_PRECISION, 0
        if self.take("("):
            precision = self.integer("precision of NUMBER", 1, MAX_PRECISION)
            if self.take(","):
                scale = self.integer("scale of NUMBER", 0, min(precision, 37))
            self.expect(")")
        return DataType("NUMBER", precision=precision, scale=scale)

    def fraction(self, name: str) -> DataType:
        what = f"precision of {name}"
        precision = self.argument(what, 0, 9)
        if name == "TIMESTAMP":
            for zone in ("WITHOUT TIME ZONE", "WITH LOCAL TIME ZONE", "WITH TIME ZONE"):
                if self.take(*zone.split()):
                    name = f"TIMESTAMP {zone}"
                    break
            if precision is None:
                precision = self.argument(what, 0, 9)
        return DataType(_FRACTIONS[name], precision=9 if precision is None else precision)

    def vector(self) -> DataType:
        self.expect("(")
        kind = self.peek()
        element = {"INT": "INT", "INTEGER": "INT", "FLOAT": "FLOAT"}.get(kind)
        if element is None:
            raise self.error(f"element of VECTOR is {kind or 'missing'!r}; allowed: FLOAT, INT")
        self.place += 1
        self.expect(",")
        dimension = self.integer("dimension of VECTOR", 1, MAX_DIMENSION)
        self.expect(")")
        return DataType("VECTOR", length=dimension, qualifier=element)

    def interval(self) -> DataType:
        row = next((each for each in _INTERVALS if self.peek() in each), None)
        if row is None:
            allowed = ", ".join(field for each in _INTERVALS for field in each)
            raise self.error(f"INTERVAL is followed by {self.peek() or 'nothing'!r}; allowed: {allowed}")
        qualifier = first = self.peek()
        self.place += 1
        precision, scale = 9, None
        if self.take("("):
            precision = self.integer(f"precision of {first}", 1, 9)
            if first == "SECOND" and self.take(","):
                scale = self.integer("fractional seconds", 0, 9)
            self.expect(")")
        if self.take("TO"):
            last, smaller = self.peek(), row[row.index(first) + 1 :]
            if last not in smaller:
                raise self.error(f"{first} TO {last or 'nothing'}; allowed: {', '.join(smaller) or 'no TO'}")
            self.place += 1
            qualifier += f" TO {last}"
            if last == "SECOND":
                scale = self.argument("fractional seconds", 0, 9)
        if qualifier.endswith("SECOND") and scale is None:
            scale = 9
        return DataType("INTERVAL", precision=precision, scale=scale, qualifier=qualifier)

    def structured(self, name: str, depth: int) -> DataType:
        """ARRAY, OBJECT, MAP and PERIOD; https://docs.snowflake.com/en/sql-reference/data-types-structured"""
        if self.peek() != "(":
            if name in ("MAP", "PERIOD"):
                example = "MAP(VARCHAR, NUMBER)" if name == "MAP" else "PERIOD(DATE)"
                raise self.error(f"{name} needs its element types, as in {example}")
            return DataType(name)
        self.expect("(")
        if name == "OBJECT":
            elements = self.entries(depth)
        elif name == "ARRAY":
            elements = (self.element(depth),)
        elif name == "MAP":
            key = self.data_type(depth + 1)
            if key.name != "VARCHAR" and not (key.name == "NUMBER" and key.scale == 0):
                raise self.error(f"key of MAP is {key}; allowed: VARCHAR, NUMBER with scale 0")
            self.expect(",")
            elements = (Element(key), self.element(depth))
        else:
            moment = self.data_type(depth + 1)
            if moment.family not in ("date", "time", "timestamp"):
                raise self.error(f"element of PERIOD is {moment}; allowed: DATE, TIME, TIMESTAMP_NTZ, _LTZ, _TZ")
            elements = (Element(moment),)
        self.expect(")")
        return DataType(name, elements=elements)

    def element(self, depth: int, key: str = "") -> Element:
        type_ = self.data_type(depth + 1)
        return Element(type_, nullable=not self.take("NOT", "NULL"), key=key)

    def entries(self, depth: int) -> tuple[Element, ...]:
        found: dict[str, Element] = {}
        while self.peek() != ")":
            if found:
                self.expect(",")
            key = self.key()
            if key in found:
                raise self.error(f"key {key!r} twice in one OBJECT")
            found[key] = self.element(depth, key)
        return tuple(found.values())

    def key(self) -> str:
        token = self.tokens[self.place] if self.place < len(self.tokens) else ""
        quoted = token.startswith('"')
        if token in ("", '""') or not (quoted or _BARE_KEY.match(token)):
            raise self.error(f"expected the name of an OBJECT's key, found {token or 'the end'!r}")
        self.place += 1
        return token[1:-1].replace('""', '"') if quoted else token
