"""Values of variables, how they are written into SQL, and where in a text variables stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pinky_local.engine import errors
from pinky_local.engine.datatypes import DataType
from pinky_local.engine.lexer import QUOTED, SYMBOL, WORD, Token
from pinky_local.engine.scripting.nodes import Span
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import ResultColumn


@dataclass(frozen=True, slots=True)
class Value:
    """A cell of a `Result` with its type; the type of NULL is None where nothing says it."""

    cell: Any
    kind: DataType | None = None


NULL = Value(None)

_OF_WIRE = {
    "real": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "variant": "VARIANT",
    "array": "ARRAY",
    "object": "OBJECT",
}


def kind_of(column: ResultColumn) -> DataType:
    """The type of a result's column."""
    if column.type == "fixed":
        return DataType("NUMBER", (str(column.precision or 38), str(column.scale or 0)))
    if column.type == "text":
        return DataType("VARCHAR", (str(column.length or 16_777_216),))
    if column.type == "binary":
        return DataType("BINARY", (str(column.length or 8_388_608),))
    if column.type in _OF_WIRE:
        return DataType(_OF_WIRE[column.type])
    return DataType(column.type.upper(), (str(9 if column.scale is None else column.scale),))


def inferred(kind: DataType) -> DataType:
    """The type of a variable that is declared by its value alone: wide, and FLOAT for a number with decimals."""
    if kind.family == "NUMBER":
        return DataType("FLOAT") if kind.arguments[1] != "0" else DataType("NUMBER", ("38", "0"))
    if kind.family == "VARCHAR":
        return DataType("VARCHAR", ("16777216",))
    return kind


def quoted(text: str) -> str:
    """A text as a string constant."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def literal(value: Value) -> str:
    """A value as SQL text."""
    cell, kind = value.cell, value.kind
    if cell is None or kind is None:
        return "NULL"
    return _LITERALS.get(kind.family, _unwritable)(cell, kind)


def _unwritable(_: Any, kind: DataType) -> str:
    raise errors.unsupported(f"a Snowflake Scripting variable of type {kind}")


def _number(cell: Any, _: DataType) -> str:
    return f"({cell})" if str(cell).startswith("-") else str(cell)


def _cast(cell: Any, kind: DataType) -> str:
    return f"{quoted(str(cell))}::{kind.family}"


def _instant(cell: datetime, kind: DataType) -> str:
    shown = cell.astimezone(UTC) if kind.family == "TIMESTAMP_LTZ" else cell
    return f"{quoted(shown.isoformat(sep=' '))}::{kind.family}"


_LITERALS: dict[str, Callable[[Any, DataType], str]] = {
    "NUMBER": _number,
    "FLOAT": lambda cell, kind: f"'{cell!r}'::FLOAT",
    "VARCHAR": lambda cell, kind: quoted(cell),
    "BOOLEAN": lambda cell, kind: "TRUE" if cell else "FALSE",
    "DATE": _cast,
    "TIME": _cast,
    "TIMESTAMP_NTZ": _cast,
    "TIMESTAMP_LTZ": _instant,
    "TIMESTAMP_TZ": _instant,
    "BINARY": lambda cell, kind: f"TO_BINARY('{bytes(cell).hex()}', 'HEX')",
    "VARIANT": lambda cell, kind: f"PARSE_JSON({quoted(cell)})",
    "OBJECT": lambda cell, kind: f"PARSE_JSON({quoted(cell)})::OBJECT",
    "ARRAY": lambda cell, kind: f"PARSE_JSON({quoted(cell)})::ARRAY",
}

Lookup = Callable[[str, str | None], Value | None]
"""The value of a variable, or of a column of a row variable; None where there is no such variable."""


class Substitution:
    """Writes values in the place of variables. ``bare`` names count in expressions, only ``:name`` in SQL."""

    def __init__(self, tokens: TokenStream, lookup: Lookup) -> None:
        self._tokens = tokens
        self._all = tokens.tokens
        self._lookup = lookup

    def text(self, span: Span, *, bare: bool, using: list[Value] | None = None) -> str:
        """The text of a span. ``using`` are the values of its ``?``, in order."""
        pieces: list[str] = []
        position, stop = self._all[span[0]].start, self._all[span[1] - 1].stop
        binds = iter(using or ())
        depths: list[bool] = []
        place = span[0]
        while place < span[1]:
            self._note_parentheses(depths, place)
            found = self._bind(place, binds) if using is not None else None
            found = found or self._named(place, bare=bare and not any(depths))
            if found is None:
                place += 1
                continue
            written, used = found
            pieces += [self._tokens.sql[position : self._all[place].start], written]
            position = self._all[place + used - 1].stop
            place += used
        pieces.append(self._tokens.sql[position:stop])
        return "".join(pieces)

    def _note_parentheses(self, depths: list[bool], place: int) -> None:
        token = self._all[place]
        if token.kind == SYMBOL and token.value == "(":
            following = self._all[place + 1]
            depths.append(following.kind == WORD and following.value in ("SELECT", "WITH"))
        elif token.kind == SYMBOL and token.value == ")" and depths:
            depths.pop()

    def _bind(self, place: int, binds: Any) -> tuple[str, int] | None:
        if not self._is(place, "?"):
            return None
        value = next(binds, None)
        if value is None:
            raise errors.compilation(2049, "42601", "Bind variable not set.")
        return literal(value), 1

    def _named(self, place: int, *, bare: bool) -> tuple[str, int] | None:
        token = self._all[place]
        if self._is(place, ":") and self._all[place + 1].kind in (WORD, QUOTED) and not self._is_path(place):
            name = self._all[place + 1].value
            value = self._lookup(name, None)
            if value is None:
                raise errors.compilation(2049, "42601", f"Bind variable :{name} not set.")
            return literal(value), 2
        if not bare or token.kind not in (WORD, QUOTED) or self._is(place - 1, ".") or self._is_after_path(place):
            return None
        if self._is(place + 1, "(") or self._is(place + 1, "=>"):
            return None
        if self._is(place + 1, "."):
            value = self._lookup(token.value, self._all[place + 2].value)
            return None if value is None else (literal(value), 3)
        value = self._lookup(token.value, None)
        return None if value is None else (literal(value), 1)

    def _is(self, place: int, symbol: str) -> bool:
        token = self._all[place] if place >= 0 else None
        return token is not None and token.kind == SYMBOL and token.value == symbol

    def _is_path(self, place: int) -> bool:
        """Whether a colon leads into a semi-structured value: it stands right behind what it belongs to."""
        before: Token | None = self._all[place - 1] if place else None
        if before is None or before.stop != self._all[place].start:
            return False
        return before.kind in (WORD, QUOTED) or before.value in (")", "]")

    def _is_after_path(self, place: int) -> bool:
        return self._is(place - 1, ":") and self._is_path(place - 1)
