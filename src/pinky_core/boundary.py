"""Proves from a statement's text that it stays inside its target, whichever plugin wrote it.

Nothing here knows an object type: what is acted on is the first name after the verb and its words, and that name must
be written in full and lie in the target. Whatever cannot be shown to stay inside is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinky_core.address import Identifier, sql_path
from pinky_core.change import Change, Guard
from pinky_core.errors import BoundaryError
from pinky_core.sql import Statement
from pinky_core.values import Token, tokenize

__all__ = ["check_boundary", "refusal"]

Path = tuple[Identifier, ...]

_VERBS = frozenset({"CREATE", "ALTER", "DROP", "UNDROP", "COMMENT", "GRANT", "REVOKE", "TRUNCATE"})
_AWAY = (("RENAME", "TO"), ("SWAP", "WITH"), ("MOVE", "TO"))


def check_boundary(changes: Iterable[Change], guards: Iterable[Guard], target: Sequence[Identifier]) -> None:
    """Raise `BoundaryError` naming every statement of a plan that leaves the target (a schema or a database)."""
    place = tuple(target)
    refused = []
    for change in changes:
        refused += [f"{change.address}: {r}" for s in change.statements if (r := refusal(s, place))]
    for guard in guards:
        refused += [f"{guard.name}: {r}" for s in (*guard.opening, *guard.closing) if (r := refusal(s, place))]
    if refused:
        where = sql_path(place)
        raise BoundaryError(f"these statements would act outside {where}; nothing was run:\n  " + "\n  ".join(refused))


def refusal(statement: Statement, target: Path) -> str:
    """Why a statement may not run inside a target; empty where it may."""
    text = statement.text
    try:
        tokens = list(tokenize(text))
    except ValueError as error:
        return f"the statement does not end properly: {error}"
    shown = text if len(text) <= 160 else text[:157] + "..."
    if any(token.text == ";" for token in _outside_body(tokens)):
        return f"more than one statement: {shown}"
    verb = tokens[0].text.upper() if tokens and tokens[0].kind == "word" else ""
    if verb not in _VERBS:
        return f"the verb {verb or '(none)'} is not allowed here: {shown}"
    names = _acted_on(verb, tokens)
    if not names:
        return f"no object named: {shown}"
    for path in names:
        if not _inside(path, target, verb):
            return f"{sql_path(path)} is not inside the target: {shown}"
    return ""


def _outside_body(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens before AS: the body of a task or procedure may hold semicolons; the last one is never a separator."""
    for place, token in enumerate(tokens):
        if place and token.kind == "word" and token.text.upper() in ("AS", "BEGIN"):
            return tokens[:place]
    return tokens[:-1] if tokens and tokens[-1].text == ";" else tokens


def _inside(path: Path, target: Path, verb: str) -> bool:
    if path[: len(target)] != target:
        return False
    if len(path) > len(target):
        return len(path) <= 3
    return verb in ("ALTER", "GRANT", "REVOKE", "COMMENT")  # the target itself is never created or dropped from inside


def _acted_on(verb: str, tokens: Sequence[Token]) -> list[Path]:
    """Every name the statement acts on: the object itself, and where it would be renamed or swapped to."""
    start = 1
    if verb in ("GRANT", "REVOKE", "COMMENT"):
        start = next((i for i, t in enumerate(tokens) if t.kind == "word" and t.text.upper() == "ON"), len(tokens)) + 1
    first = _first_name(tokens, start)
    paths = [first] if first else []
    for place in range(len(tokens) - 1):
        if (tokens[place].text.upper(), tokens[place + 1].text.upper()) in _AWAY and verb == "ALTER":
            away = _name_at(tokens, place + 2)
            # a column is renamed by a plain name, an object by a qualified one; an unqualified object name would
            # resolve in whatever schema the session is in
            column = place > 0 and any(t.text.upper() == "COLUMN" for t in tokens[max(0, place - 6) : place])
            if away and not column:
                paths.append(away)
    return paths


# Words between the verb and the name; none of them can be the name itself without quotes in a qualified name.
def _first_name(tokens: Sequence[Token], start: int) -> Path:
    """The first qualified name; an unqualified one only where a clause begins after it, so the statement is refused."""
    place = start
    while place < len(tokens):
        token = tokens[place]
        if token.kind not in ("word", "quoted"):
            return _previous_word(tokens, place, start)
        if place + 1 < len(tokens) and tokens[place + 1].text == ".":
            return _name_at(tokens, place)
        if token.kind == "quoted" or token.text.upper() in ("AS", "SET", "UNSET", "RENAME", "TO", "FROM"):
            return (Identifier.parse(token.text),) if token.kind == "quoted" else _previous_word(tokens, place, start)
        place += 1
    return _previous_word(tokens, place, start)


def _previous_word(tokens: Sequence[Token], place: int, start: int) -> Path:
    if place - 1 < start:
        return ()
    try:
        return (Identifier.parse(tokens[place - 1].text),)
    except ValueError:
        return ()


def _name_at(tokens: Sequence[Token], place: int) -> Path:
    """The qualified name that starts at a token; empty where there is none."""
    parts: list[Identifier] = []
    while place < len(tokens) and tokens[place].kind in ("word", "quoted"):
        try:
            parts.append(Identifier.parse(tokens[place].text))
        except ValueError:
            return ()
        if place + 1 >= len(tokens) or tokens[place + 1].text != ".":
            break
        place += 2
    return tuple(parts)
