"""WHEN of a task: read and evaluated without warehouse or rows.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task: two system functions, boolean operators,
comparisons, and casts between numbers, text and booleans. NULL is neither true nor false; a condition that is NULL
does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pinky_local.engine.lexer import NUMBER, STRING
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import SqlError

Truth = bool | None
Functions = Callable[[str, Sequence[Any]], Any]
"""Calls a system function by name with argument values."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}
_TEXT = frozenset({"VARCHAR", "STRING", "TEXT", "CHAR", "CHARACTER"})
_WHOLE = frozenset({"NUMBER", "NUMERIC", "DECIMAL", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"})
_REAL = frozenset({"FLOAT", "DOUBLE", "REAL", "FLOAT4", "FLOAT8"})
_TRUE = frozenset({"TRUE", "T", "YES", "Y", "ON", "1"})
_FALSE = frozenset({"FALSE", "F", "NO", "N", "OFF", "0"})


def holds(text: str, functions: Functions) -> bool:
    """Whether a condition is true now. Raises `SqlError` for one that cannot be read or evaluated."""
    tokens = TokenStream(text)
    value = _Reader(tokens, functions).disjunction()
    tokens.end()
    return as_boolean(value) is True


class _Reader:
    """Reads and evaluates in one go; both sides of AND and OR are evaluated."""

    def __init__(self, tokens: TokenStream, functions: Functions) -> None:
        self.tokens = tokens
        self.functions = functions

    def disjunction(self) -> Any:
        value = self._conjunction()
        while self.tokens.accept("OR"):
            value = _either(as_boolean(value), as_boolean(self._conjunction()))
        return value

    def _conjunction(self) -> Any:
        value = self._negation()
        while self.tokens.accept("AND"):
            value = _both(as_boolean(value), as_boolean(self._negation()))
        return value

    def _negation(self) -> Any:
        if not self.tokens.accept("NOT"):
            return self._comparison()
        return _not(as_boolean(self._negation()))

    def _comparison(self) -> Any:
        tokens = self.tokens
        value = self._cast()
        for symbol, compare in _COMPARE.items():
            if tokens.accept_symbol(symbol):
                return _compared(value, self._cast(), compare)
        if tokens.accept("IS"):
            negative = tokens.accept("NOT")
            tokens.expect("NULL")
            return (value is None) != negative
        negative = tokens.at("NOT", "IN") or tokens.at("NOT", "BETWEEN")
        tokens.index += negative
        if tokens.accept("IN"):
            found = self._among(value)
            return _not(found) if negative else found
        if tokens.accept("BETWEEN"):
            low = _compared(value, self._cast(), _COMPARE[">="])
            tokens.expect("AND")
            found = _both(low, _compared(value, self._cast(), _COMPARE["<="]))
            return _not(found) if negative else found
        return value

    def _among(self, value: Any) -> bool | None:
        self.tokens.expect_symbol("(")
        found: bool | None = False
        while True:
            found = _either(found, _compared(value, self._cast(), _COMPARE["="]))
            if not self.tokens.accept_symbol(","):
                self.tokens.expect_symbol(")")
                return found

    def _cast(self) -> Any:
        value = self._primary()
        while self.tokens.accept_symbol("::"):
            value = self._to_type(value)
        return value

    def _to_type(self, value: Any) -> Any:
        name = self.tokens.any_word()
        digits: list[int] = []
        if self.tokens.accept_symbol("("):
            digits.append(self.tokens.integer())
            if self.tokens.accept_symbol(","):
                digits.append(self.tokens.integer())
            self.tokens.expect_symbol(")")
        return converted(value, name, digits[1] if len(digits) > 1 else 0)

    def _primary(self) -> Any:
        tokens = self.tokens
        if tokens.accept_symbol("("):
            value = self.disjunction()
            tokens.expect_symbol(")")
            return value
        if tokens.token.kind == STRING:
            return tokens.string()
        if tokens.token.kind == NUMBER or tokens.is_symbol("-"):
            sign = -1 if tokens.accept_symbol("-") else 1
            if tokens.token.kind != NUMBER:
                raise tokens.unexpected()
            tokens.index += 1
            return sign * Decimal(tokens.tokens[tokens.index - 1].value)
        name = tokens.word()
        if name in ("TRUE", "FALSE", "NULL"):
            tokens.index += 1
            return {"TRUE": True, "FALSE": False, "NULL": None}[name]
        return self._call()

    def _call(self) -> Any:
        tokens = self.tokens
        if not (tokens.word() and tokens.is_symbol("(", 1)):
            raise tokens.unexpected()
        name = tokens.any_word()
        tokens.expect_symbol("(")
        if name in ("CAST", "TRY_CAST"):
            value = self.disjunction()
            tokens.expect("AS")
            try:
                value = self._to_type(value)
            except SqlError as problem:
                if name == "CAST" or problem.errno == 1003:
                    raise
                value = None
            tokens.expect_symbol(")")
            return value
        arguments: list[Any] = []
        while not tokens.accept_symbol(")"):
            arguments.append(self.disjunction())
            if not tokens.is_symbol(")"):
                tokens.expect_symbol(",")
        if name in ("TO_BOOLEAN", "TO_NUMBER", "TO_VARCHAR") and len(arguments) == 1:
            return converted(arguments[0], name.removeprefix("TO_"), 0)
        return self.functions(name, arguments)


def _both(*sides: Truth) -> Truth:
    return False if False in sides else None if None in sides else True


def _either(*sides: Truth) -> Truth:
    return True if True in sides else None if None in sides else False


def _not(*values: Truth) -> Truth:
    (value,) = values
    return None if value is None else not value


def _compared(one: Any, other: Any, compare: Callable[[Any, Any], bool]) -> bool | None:
    """Text next to a number or a boolean is read as one, as Snowflake coerces it."""
    if one is None or other is None:
        return None
    if isinstance(one, bool) or isinstance(other, bool):
        return compare(as_boolean(one), as_boolean(other))
    if isinstance(one, str) and isinstance(other, str):
        return compare(one, other)
    return compare(_number(one), _number(other))


def converted(value: Any, name: str, scale: int) -> Any:
    """A value as another type. Raises 100037 or 100038 where it is none, 002040 for an unknown type."""
    if name == "BOOLEAN":
        return as_boolean(value)
    if name in _TEXT:
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if name in _WHOLE:
        return None if value is None else round(_number(value), scale)
    if name in _REAL:
        return None if value is None else Decimal(_number(value))
    raise SqlError(2040, "42601", f"SQL compilation error:\nUnsupported data type '{name}'.")


def as_boolean(value: Any) -> bool | None:
    """A value as a boolean. Raises 100037 for text that is none."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value.strip().upper() in _TRUE | _FALSE:
            return value.strip().upper() in _TRUE
        raise SqlError(100037, "22018", f"Boolean value '{value}' is not recognized")
    return bool(value != 0)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        return Decimal(int(value))
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as problem:
        raise SqlError(100038, "22018", f"Numeric value '{value}' is not recognized") from problem
