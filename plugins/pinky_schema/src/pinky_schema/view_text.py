"""The text of a view as SHOW VIEWS prints it: the whole statement that made it, as it was written.

https://docs.snowflake.com/en/sql-reference/sql/create-view
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from pinky_core import Identifier, SqlText, tokenize

if TYPE_CHECKING:
    from pinky_core.values import Token

__all__ = ["ViewText", "parse_view"]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


@attrs.frozen
class ViewText:
    """What a CREATE VIEW statement says of the view's content: its query, whether RECURSIVE, its list of columns with
    their comments (empty where it has none)."""

    query: SqlText
    recursive: bool = False
    columns: tuple[tuple[Identifier, str | None], ...] = ()


def parse_view(text: str) -> ViewText:
    """Take a CREATE VIEW statement apart; a text that is not one is taken as the query itself."""
    try:
        tokens = list(tokenize(text))
    except ValueError:
        return ViewText(SqlText(text))
    view = _word(tokens, "VIEW", 1) if tokens and tokens[0].text.upper() == "CREATE" else -1
    if view < 0:
        return ViewText(SqlText(text))
    words = {token.text.upper() for token in tokens[:view] if token.kind == "word"}
    place = _after_name(tokens, view + 1)
    body = _top_level_as(tokens, place)
    if body < 0:
        return ViewText(SqlText(text))
    start = tokens[body].position + len(tokens[body].text)
    columns = tuple(_columns(tokens, _list_start(tokens, place, body)))
    return ViewText(SqlText(text[start:].strip()), "RECURSIVE" in words, columns)


def _word(tokens: Sequence[Token], word: str, start: int) -> int:
    for place in range(start, len(tokens)):
        if tokens[place].kind == "word" and tokens[place].text.upper() == word:
            return place
    return -1


def _after_name(tokens: Sequence[Token], place: int) -> int:
    """The place behind ``[IF NOT EXISTS] a.b.c``."""
    if [token.text.upper() for token in tokens[place : place + 3]] == ["IF", "NOT", "EXISTS"]:
        place += 3
    while place + 1 < len(tokens) and tokens[place + 1].text == ".":
        place += 2
        if tokens[place].text == ".":  # db..view
            place += 1
    return place + 1


def _top_level_as(tokens: Sequence[Token], place: int) -> int:
    """The place of the AS before the query: the first one outside parentheses."""
    depth = 0
    for current in range(place, len(tokens)):
        token = tokens[current]
        depth += (token.text == "(") - (token.text == ")")
        if not depth and token.kind == "word" and token.text.upper() == "AS":
            return current
    return -1


def _list_start(tokens: Sequence[Token], place: int, body: int) -> int:
    """The opening parenthesis of the list of columns: right behind the name, or behind COPY GRANTS; -1 without."""
    if [token.text.upper() for token in tokens[place : place + 2]] == ["COPY", "GRANTS"]:
        place += 2
    return place if place < body and tokens[place].text == "(" else -1


def _columns(tokens: Sequence[Token], opening: int) -> Iterator[tuple[Identifier, str | None]]:
    """Names and comments between the parentheses; whatever else stands behind a name is passed over."""
    if opening < 0:
        return
    name: Identifier | None = None
    comment: str | None = None
    depth = 0
    for place in range(opening, len(tokens)):
        token = tokens[place]
        depth += (token.text == "(") - (token.text == ")")
        ends = (depth == 1 and token.text == ",") or not depth
        if ends:
            if name is not None:
                yield name, comment
            name, comment = None, None
            if not depth:
                return
        elif depth == 1 and token.text != "(" and name is None:
            name = Identifier.parse(token.text)
        elif depth == 1 and token.kind in ("string", "dollar") and tokens[place - 1].text.upper() == "COMMENT":
            comment = _unquoted(token) or None


def _unquoted(token: Token) -> str:
    """The value of a text constant.

    https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants
    """
    if token.kind == "dollar":
        return token.text[2:-2]
    inner, pieces, place = token.text[1:-1], [], 0
    while place < len(inner):
        character = inner[place]
        if character in "\\'" and place + 1 < len(inner):
            place += 1
            escaped = inner[place]
            pieces.append(_ESCAPES.get(escaped, escaped) if character == "\\" else escaped)
        else:
            pieces.append(character)
        place += 1
    return "".join(pieces)
