"""SQL text to tokens: one regular expression, every token with its place.

Rests on https://docs.snowflake.com/en/sql-reference/identifiers-syntax and
https://docs.snowflake.com/en/sql-reference/data-types-text (string constants).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pinky_local.engine import errors

WORD, QUOTED, STRING, NUMBER, SYMBOL, VARIABLE, END = "word", "quoted", "string", "number", "symbol", "variable", "end"

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<symbol>=>|::|<=|>=|<>|!=|\|\||->>|[-+*/%(),.;:=<>\[\]{}?@!&|^~])
  | (?P<string>'(?:[^'\\]|''|\\.)*')
  | (?P<dollars>\$\$.*?\$\$)
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
  | (?P<variable>\$\w+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"''|\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


class Token(NamedTuple):
    """One token: its kind, its value (words in upper case, strings unescaped), and where it starts and ends."""

    kind: str
    value: str
    start: int
    stop: int


def tokenize(sql: str) -> list[Token]:
    """The tokens of a statement, closed by one of kind ``end``. Raises 001003 at a character that starts no token."""
    tokens: list[Token] = []
    position = 0
    match = _TOKEN.match
    while position < len(sql):
        found = match(sql, position)
        if found is None:
            line, column = place(sql, position)
            raise errors.syntax(line, column, sql[position])
        kind, start, position = found.lastgroup or "", position, found.end()
        if kind == "skip":
            continue
        text = found.group()
        if kind == "word":
            text = text.upper()
        elif kind == "string":
            text = unescape(text[1:-1])
        elif kind == "dollars":
            kind, text = STRING, text[2:-2]
        elif kind == "quoted":
            text = text[1:-1].replace('""', '"')
        tokens.append(Token(kind, text, start, position))
    tokens.append(Token(END, "<EOF>", len(sql), len(sql)))
    return tokens


def unescape(text: str) -> str:
    """The value of what stands between single quotes."""
    if "'" not in text and "\\" not in text:
        return text
    return _ESCAPE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    escape = found.group(1)
    if escape is None:
        return "'"
    if escape in _CONTROL:
        return _CONTROL[escape]
    if escape[0] in "xu" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    return chr(int(escape, 8)) if escape[0] in "01234567" else escape


def place(sql: str, position: int) -> tuple[int, int]:
    """Line (from 1) and column (from 0) of a position."""
    before = sql[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1)
