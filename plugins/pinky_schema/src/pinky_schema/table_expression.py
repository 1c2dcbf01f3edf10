"""SQL expressions inside a table: clustering keys and column defaults, compared by what they mean.

Snowflake prints such an expression in its own spelling: words in upper case, ``CURRENT_TIMESTAMP`` with parentheses,
sequences fully qualified, a cast to the column's type around it. A difference in spelling is not a difference.
https://docs.snowflake.com/en/sql-reference/sql/alter-table-column (its examples show the printed forms)
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from pinky_core import Identifier, SqlText, parse_path, sql_path, tokenize

__all__ = ["DefaultExpression", "SqlExpression", "clustering_keys", "words_of"]

# Functions of the context that may be written without parentheses.
_WITHOUT_PARENTHESES = frozenset(
    {"CURRENT_DATE", "CURRENT_ROLE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP"}
)
_CONSTANTS = frozenset({"FALSE", "NULL", "TRUE"})
_PLAIN_NAME = re.compile(r'"[A-Z_][A-Z0-9_$]*"\Z')
_WORD_LIKE = re.compile(r'[\w$"]')
_NEXTVAL = ".NEXTVAL"


class SqlExpression(str):
    """An expression; equal to another when only letter case of bare words, white space and comments differ."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> SqlExpression:
        """Read an expression; raises ValueError when it is empty or something in it is never closed."""
        found = cls(text)
        if not found.canonical:
            raise ValueError("the expression is empty")
        return found

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": "string", "minLength": 1, "description": "A SQL expression."}

    @property
    def canonical(self) -> str:
        """What comparison uses."""
        return _canonical(str.__str__(self))

    @property
    def sql(self) -> str:
        """The text for a statement."""
        return SqlText(str.__str__(self)).sql

    def __eq__(self, other: object) -> bool:
        return self.canonical == _canonical(str.__str__(other)) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.canonical)


class DefaultExpression(SqlExpression):
    """The default of a column, a SQL expression; a number or a truth value may be given as such.

    Equality ignores a cast around the whole, since the value is converted to the column's type anyway; ``means``
    also completes the name of a sequence.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> DefaultExpression:
        """Read a default; raises ValueError for what is no expression, and for text without quotes."""
        if isinstance(text, bool):
            return cls("TRUE" if text else "FALSE")
        if isinstance(text, (int, float)):
            return cls(repr(text))
        if not isinstance(text, str):
            raise ValueError(f"expected a SQL expression, found {text!r}")
        words = [(token.kind, token.text.upper()) for token in tokenize(text)]
        if not words:
            raise ValueError("the expression is empty; an empty text is written \"''\"")
        kind, word = words[0]
        if len(words) == 1 and kind == "word" and word not in _WITHOUT_PARENTHESES | _CONSTANTS:
            raise ValueError(f"{text!r} is a bare word; a text needs quotes inside the YAML value: \"'{text}'\"")
        return cls(text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {
            "anyOf": [{"type": "string", "minLength": 1}, {"type": "number"}, {"type": "boolean"}],
            "description": "A SQL expression; text is quoted inside the value.",
            "examples": ["'new'", 0, "CURRENT_TIMESTAMP()", "MY_SEQUENCE.NEXTVAL"],
        }

    @property
    def canonical(self) -> str:
        """What comparison uses."""
        return _canonical_default(str.__str__(self))

    def __eq__(self, other: object) -> bool:
        return self.canonical == _canonical_default(str.__str__(other)) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.canonical)

    def sequence(self, base: Sequence[Identifier]) -> tuple[Identifier, ...] | None:
        """The path of the sequence this takes values from, completed by a schema's path; None where it is none."""
        canonical = self.canonical
        if not canonical.endswith(_NEXTVAL):
            return None
        try:
            parts = parse_path(canonical[: -len(_NEXTVAL)])
        except ValueError:
            return None
        return (*base[: max(0, 3 - len(parts))], *parts)

    def means(self, base: Sequence[Identifier]) -> object:
        """What it comes down to in a table of this schema; equal for defaults that do the same."""
        return self.sequence(base) or (None if self.canonical == "NULL" else self.canonical)

    def spelled(self, base: Sequence[Identifier]) -> str:
        """The text for a statement, with a sequence's name in full."""
        path = self.sequence(base)
        return self.sql if path is None else sql_path(path) + _NEXTVAL

    @property
    def constant(self) -> bool:
        """Whether it is a literal, the only default a column added to a table may have."""
        tokens = _tokens(self.canonical)
        if tokens and tokens[0] in ("-", "+"):
            tokens = tokens[1:]
        return len(tokens) == 1 and (tokens[0][0] in "'$" or tokens[0][0].isdigit() or tokens[0] in _CONSTANTS)


def clustering_keys(text: str | None) -> tuple[SqlExpression, ...]:
    """The expressions in what SHOW prints as ``LINEAR(A, TO_DATE(B))``; empty where there is no key."""
    if not text:
        return ()
    tokens = _tokens(text)
    if tokens and tokens[0] == "LINEAR":
        tokens = tokens[1:]
    tokens = _unwrapped(tokens)
    keys: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if token == "," and not depth:
            keys.append([])
        else:
            keys[-1].append(token)
    return tuple(SqlExpression(_joined(key)) for key in keys if key)


def words_of(text: str) -> frozenset[str]:
    """The names and words in an expression, canonical."""
    return frozenset(
        word[1:-1].replace('""', '"') if word[0] == '"' else word for word in _tokens(text) if _WORD_LIKE.match(word)
    )


@lru_cache(maxsize=16384)
def _canonical(text: str) -> str:
    return _joined(_tokens(text))


@lru_cache(maxsize=16384)
def _canonical_default(text: str) -> str:
    tokens = _tokens(text)
    while True:
        inner = _without_cast(_unwrapped(tokens))
        if inner == tokens:
            return _joined(tokens)
        tokens = inner


def _tokens(text: str) -> list[str]:
    return list(_spelled(text))


def _spelled(text: str) -> Iterator[str]:
    """Tokens in one spelling; ``()`` behind a function that needs none is left out."""
    tokens = [token for token in tokenize(text) if token.text != ";"]
    place = 0
    while place < len(tokens):
        kind, word = tokens[place].kind, tokens[place].text
        place += 1
        if kind == "word":
            word = word.upper()
            if word in _WITHOUT_PARENTHESES and [token.text for token in tokens[place : place + 2]] == ["(", ")"]:
                place += 2
        elif kind == "quoted" and _PLAIN_NAME.match(word):
            word = word[1:-1]
        elif kind == "number":
            word = format(decimal.Decimal(word).normalize(), "f")
        yield word


def _joined(tokens: Sequence[str]) -> str:
    pieces: list[str] = []
    for token in tokens:
        if pieces and _WORD_LIKE.match(token) and _WORD_LIKE.match(pieces[-1][-1]):
            pieces.append(" ")
        pieces.append(token)
    return "".join(pieces)


def _closing(tokens: Sequence[str], opening: int) -> int:
    """The place of the parenthesis that closes the one at ``opening``; -1 where none does."""
    depth = 0
    for place in range(opening, len(tokens)):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        if not depth:
            return place
    return -1


def _unwrapped(tokens: list[str]) -> list[str]:
    while len(tokens) > 2 and tokens[0] == "(" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _is_one_term(tokens: Sequence[str]) -> bool:
    """A literal, a name, a call, or something in parentheses: what a cast behind it binds to."""
    if len(tokens) == 1:
        return True
    opening = 0 if tokens[0] == "(" else 1
    return tokens[opening] == "(" and _closing(tokens, opening) == len(tokens) - 1


def _without_cast(tokens: list[str]) -> list[str]:
    """``CAST(x AS t)`` and ``x::t`` → x, where the cast spans the whole."""
    if tokens[:2] == ["CAST", "("] and _closing(tokens, 1) == len(tokens) - 1:
        depth = 0
        for place in range(len(tokens) - 1, 1, -1):
            depth += (tokens[place] == ")") - (tokens[place] == "(")
            if depth == 1 and tokens[place] == "AS":
                return tokens[2:place]
    for place in range(len(tokens) - 2, 0, -1):
        if tokens[place] == tokens[place + 1] == ":":
            return tokens[:place] if _is_one_term(tokens[:place]) else tokens
        if tokens[place] not in "(),:" and not _WORD_LIKE.match(tokens[place]):
            break
    return tokens
