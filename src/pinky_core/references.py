"""Which names a SQL text uses, as far as its tokens tell: enough to order what a manifest declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinky_core.address import RESERVED, Identifier, parse_path
from pinky_core.values import Token, tokenize

__all__ = ["names_in"]

Name = tuple[Identifier, ...]

_BEFORE_NAME = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "CALL", "USING", "REFERENCES", "STREAM", "TASK", "@"}
)
_CLAUSE_ENDS = frozenset(
    {
        "WHERE", "GROUP", "ORDER", "HAVING", "QUALIFY", "LIMIT", "ON", "UNION", "INTERSECT", "EXCEPT", "MINUS",
        "SELECT", "SET", "VALUES", ")", ";",
    }
)  # fmt: skip


def names_in(text: str) -> Iterator[Name]:
    """Names after FROM, JOIN, INTO, CALL and the like, before ``(``, after ``@``, and in ``SYSTEM$…('name')``.

    A text that does not end properly names nothing: Snowflake will say what is wrong with it.
    """
    try:
        tokens = list(tokenize(text))
    except ValueError:
        return
    yield from _in_system_functions(tokens)
    in_from = False
    previous = ""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind not in ("word", "quoted"):
            in_from = in_from and token.text not in _CLAUSE_ENDS
            previous, place = token.text, place + 1
            continue
        parts, following = _dotted(tokens, place)
        word = token.text.upper() if len(parts) == 1 and token.kind == "word" else ""
        called = following < len(tokens) and tokens[following].text == "("
        relevant = previous in _BEFORE_NAME or called or (in_from and previous == ",")
        if relevant and word not in _BEFORE_NAME and word not in RESERVED:
            yield from _identifiers(parts)
        in_from = word in ("FROM", "JOIN") or (in_from and word not in _CLAUSE_ENDS)
        previous, place = word or token.text, following


def _dotted(tokens: Sequence[Token], place: int) -> tuple[list[str], int]:
    """The parts of the qualified name that starts at a token, and the place after it."""
    parts = [tokens[place].text]
    while place + 2 < len(tokens) and tokens[place + 1].text == "." and tokens[place + 2].kind in ("word", "quoted"):
        place += 2
        parts.append(tokens[place].text)
    return parts, place + 1


def _in_system_functions(tokens: Sequence[Token]) -> Iterator[Name]:
    """``SYSTEM$STREAM_HAS_DATA('db.s.stream')`` names an object inside a string."""
    for place in range(2, len(tokens)):
        function = tokens[place - 2]
        if tokens[place].kind == "string" and tokens[place - 1].text == "(" and function.text[:7].upper() == "SYSTEM$":
            try:
                yield parse_path(tokens[place].text[1:-1])
            except ValueError:
                continue  # the argument of this function is something else


def _identifiers(parts: Sequence[str]) -> Iterator[Name]:
    try:
        yield tuple(Identifier.parse(part) for part in parts)
    except ValueError:
        return  # letters that an identifier cannot have: not a name of anything declared
