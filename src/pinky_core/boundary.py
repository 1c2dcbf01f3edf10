"""Proves from a statement's text that it stays inside its target schema, whichever plugin wrote it.

A statement is let through only where it has one of a few shapes: a verb, the words of a type that lives in a schema,
and right behind them a name written in full that lies in the target. Everything that would run besides it (a second
statement, what follows the operator ``->>``) or act elsewhere (RENAME TO, SWAP WITH, another name in a list, a share)
is refused, and so is whatever has none of these shapes.

https://docs.snowflake.com/en/sql-reference/sql/create, https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pinky_core.address import Identifier, sql_path
from pinky_core.change import Change, Guard
from pinky_core.errors import BoundaryError
from pinky_core.read import flows_on
from pinky_core.secret import SecretReference
from pinky_core.sql import Statement, string_literal
from pinky_core.values import Token, tokenize

__all__ = ["check_boundary", "refusal"]

Path = tuple[Identifier, ...]

_POLICIES = (
    "AGGREGATION", "AUTHENTICATION", "BACKUP", "FEATURE", "JOIN", "MASKING", "PACKAGES", "PASSWORD", "PRIVACY",
    "PROJECTION", "ROW ACCESS", "SESSION", "SNAPSHOT", "STORAGE LIFECYCLE",
)  # fmt: skip
#: What lives in a schema and has a name of several words, and the single words that are documented. Only with a closed
#: list of the former is it certain which word is the name: in CREATE DATABASE E CLONE D.S.T it is E. One word that is
#: not known, with a name of three parts right behind it, can be nothing but a type of such objects.
_TYPES = frozenset(
    tuple(words.split())
    for words in (
        "AGENT", "ALERT", "APPLICATION SERVICE", "ARTIFACT REPOSITORY", "BACKUP SET", "CONTACT", "CORTEX EXTENSION",
        "CORTEX SEARCH SERVICE", "DATA METRIC FUNCTION", "DATASET", "DBT PROJECT", "DYNAMIC ICEBERG TABLE",
        "DYNAMIC TABLE", "EVENT TABLE", "EXPERIMENT", "EXTERNAL FUNCTION", "EXTERNAL TABLE", "FILE FORMAT", "FUNCTION",
        "GATEWAY", "GIT REPOSITORY", "HYBRID TABLE", "ICEBERG TABLE", "IMAGE REPOSITORY", "INTERACTIVE TABLE",
        "MATERIALIZED VIEW", "MCP SERVER", "MODEL", "MODEL MONITOR", "NETWORK RULE", "NOTEBOOK",
        "ONLINE FEATURE TABLE", "PIPE", "PROCEDURE", "SECRET", "SEMANTIC VIEW", "SEQUENCE", "SERVICE", "SNAPSHOT",
        "SNAPSHOT SET", "STAGE", "STREAM", "STREAMLIT", "TABLE", "TAG", "TASK", "TYPE", "VIEW", "WORKSPACE",
        *(f"{word} POLICY" for word in _POLICIES),
    )
)  # fmt: skip
#: Never a type of what lives in a schema, however the name behind it is written.
_ACCOUNT_WIDE = frozenset(
    {
        "ACCOUNT", "APPLICATION", "CONNECTION", "DATABASE", "INTEGRATION", "LISTING", "ORGANIZATION", "ROLE", "SCHEMA",
        "SESSION", "SHARE", "USER", "WAREHOUSE",
    }
)  # fmt: skip
_LONGEST = max(len(words) for words in _TYPES)
_MODIFIERS = frozenset(
    {"AGGREGATE", "GLOBAL", "LOCAL", "RECURSIVE", "SECURE", "TEMP", "TEMPORARY", "TRANSIENT", "VOLATILE"}
)
#: Types whose definition may be a block of statements without quotes.
_SCRIPTED = frozenset({("ALERT",), ("FUNCTION",), ("PROCEDURE",), ("TASK",)})
_AWAY = (("RENAME", "TO"), ("SWAP", "WITH"), ("MOVE", "TO"))
_GRANTEES = (("ROLE",), ("DATABASE", "ROLE"), ("APPLICATION", "ROLE"), ("USER",))
_NEUTRAL = f"a secret {os.urandom(8).hex()}"  # which nothing else in a statement says


class _RefusedError(ValueError):
    """Why a statement may not run."""


def check_boundary(changes: Iterable[Change], guards: Iterable[Guard], target: Sequence[Identifier]) -> None:
    """Raise `BoundaryError` naming every statement of a plan that leaves the target, which must be a schema."""
    place = tuple(target)
    if len(place) != 2:
        raise BoundaryError(f"a plan of scope schema has a schema as target, not {sql_path(place) or 'the account'}")
    refused = []
    for change in changes:
        refused += [f"{change.address}: {r}" for s in change.statements if (r := refusal(s, place))]
    for guard in guards:
        refused += [f"{guard.name}: {r}" for s in (*guard.opening, *guard.closing) if (r := refusal(s, place))]
    if refused:
        where = sql_path(place)
        raise BoundaryError(f"these statements would act outside {where}; nothing was run:\n  " + "\n  ".join(refused))


def refusal(statement: Statement, target: Path) -> str:
    """Why a statement may not run inside a target schema; empty where it may."""
    text = statement.text
    try:
        _Statement(_tokens(statement), target).check()
    except _RefusedError as error:
        return f"{error}: {text if len(text) <= 160 else text[:157] + '...'}"
    return ""


def _tokens(statement: Statement) -> list[Token]:
    """The tokens of what will be sent; a secret must be a literal of its own, so that its value can add nothing."""
    try:
        tokens = list(tokenize(statement.render(lambda _: _NEUTRAL)))
    except ValueError as error:
        raise _RefusedError(f"the statement does not end properly ({error})") from None
    secrets = sum(isinstance(part, SecretReference) for part in statement.parts)
    if secrets and sum(token.text == string_literal(_NEUTRAL) for token in tokens) != secrets:
        raise _RefusedError("a secret does not stand where a text can stand")
    if flows_on(tokens):
        raise _RefusedError("another statement follows by ->>")
    return tokens


class _Statement:
    """One statement on its way from the first token to the last."""

    def __init__(self, tokens: Sequence[Token], target: Path) -> None:
        self._tokens = tokens
        self._target = target
        self._place = 0
        self._type: tuple[str, ...] = ()

    def check(self) -> None:
        verb = self._word()
        self._place += 1
        if verb == "CREATE":
            self._create()
        elif verb == "ALTER":
            self._alter()
        elif verb in ("DROP", "UNDROP", "TRUNCATE"):
            self._object("IF", "EXISTS")
            self._only_signature_and("CASCADE", "RESTRICT")
        elif verb == "COMMENT":
            self._comment()
        elif verb in ("GRANT", "REVOKE"):
            self._privileges("TO" if verb == "GRANT" else "FROM")
        else:
            raise _RefusedError(f"the verb {verb or '(none)'} is not allowed here")
        self._refuse_second()

    # -- shapes ------------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        if self._accept("OR") and not (self._accept("REPLACE") or self._accept("ALTER")):
            raise _RefusedError("CREATE OR is followed by neither REPLACE nor ALTER")
        while self._word() in _MODIFIERS:
            self._place += 1
        self._object("IF", "NOT", "EXISTS")

    def _alter(self) -> None:
        if self._word() == "SCHEMA":
            self._place += 1
            self._accept("IF", "EXISTS")
            self._is_target()
        else:
            self._object("IF", "EXISTS")
        if self._text() == ",":
            raise _RefusedError("more than one object is named")
        for place in range(self._place, len(self._tokens) - 1):
            if (self._word(place), self._word(place + 1)) in _AWAY:
                self._inside(self._name_at(place + 2)[0])

    def _comment(self) -> None:
        self._accept("IF", "EXISTS")
        if not self._accept("ON"):
            raise _RefusedError("COMMENT without ON")
        if self._accept("SCHEMA"):
            self._is_target()
        elif self._accept("COLUMN"):
            path, self._place = self._name_at(self._place)
            self._inside(path[:-1] if len(path) == 4 else path[:3] if len(path) < 3 else ())
        else:
            self._object()
        if not self._accept("IS"):
            raise _RefusedError("COMMENT without IS behind the name")

    def _privileges(self, towards: str) -> None:
        """``GRANT <words> ON <object> TO <grantee>``; without ON roles are granted, which no schema holds."""
        while self._word() != "ON":
            if self._place >= len(self._tokens) or not (self._word() or self._text() in (",", ".")):
                raise _RefusedError("no object is named behind ON")
            self._place += 1
        self._place += 1
        if self._accept("ALL") or self._accept("FUTURE"):
            while self._word() not in ("IN", ""):
                self._place += 1
            if not (self._accept("IN", "SCHEMA")):
                raise _RefusedError("ALL and FUTURE reach beyond the target without IN SCHEMA")
            self._is_target()
        elif self._accept("SCHEMA"):
            self._is_target()
        else:
            self._object()
            self._skip_parentheses()
        if not self._accept(towards):
            raise _RefusedError(f"more than one object is named, or no {towards} follows the name")
        if not any(self._accept(*words) for words in _GRANTEES):
            raise _RefusedError("privileges go to roles here, not to shares or anything else")

    # -- pieces ------------------------------------------------------------------------------------------------------

    def _object(self, *condition: str) -> None:
        """The words of a type and a name in the target."""
        for length in range(_LONGEST, 0, -1):
            words = tuple(self._word(self._place + ahead) for ahead in range(length))
            if words in _TYPES:
                self._type = words
                self._place += length
                break
        else:
            self._type = (self._word(),)
            self._place += 1
            if self._type[0] in ("", *_ACCOUNT_WIDE):
                raise _RefusedError(f"{self._type[0] or 'nothing'} is no type of object that lives in a schema")
        if condition:
            self._accept(*condition)
        path, self._place = self._name_at(self._place)
        self._inside(path)

    def _inside(self, path: Path) -> None:
        if len(path) != 3 or path[:2] != self._target:
            raise _RefusedError(f"{sql_path(path) or 'a name'} is not inside the target")

    def _is_target(self) -> None:
        path, self._place = self._name_at(self._place)
        if path != self._target:
            raise _RefusedError(f"the schema {sql_path(path)} is not the target")

    def _only_signature_and(self, *words: str) -> None:
        """Nothing may follow but argument types, one of some words, and the end."""
        self._skip_parentheses()
        for word in words:
            self._accept(word)
        if self._text() not in ("", ";"):
            raise _RefusedError(f"{self._text()} follows the name")

    def _skip_parentheses(self) -> None:
        if self._text() != "(":
            return
        depth = 0
        while self._place < len(self._tokens):
            depth += (self._text() == "(") - (self._text() == ")")
            self._place += 1
            if not depth:
                return

    def _refuse_second(self) -> None:
        """A semicolon may stand at the end, and inside a block that goes on to the end."""
        end = len(self._tokens) - (bool(self._tokens) and self._tokens[-1].text == ";")
        start = self._block_start() if self._type in _SCRIPTED else end
        if any(token.text == ";" for token in self._tokens[:start]):
            raise _RefusedError("more than one statement")
        if start < end and self._block_end(start) != end:
            raise _RefusedError("more than one statement: something follows the block")

    def _block_start(self) -> int:
        for place in range(self._place, len(self._tokens) - 1):
            if self._word(place) in ("AS", "THEN") and self._word(place + 1) in ("BEGIN", "DECLARE"):
                return place + 1
        return len(self._tokens) - (self._tokens[-1].text == ";")

    def _block_end(self, start: int) -> int:
        """The place behind the END that closes a block; that of IF, FOR, WHILE, LOOP and REPEAT closes no block."""
        depth = 0
        for place in range(start, len(self._tokens)):
            word = self._word(place)
            opens = word == "CASE" and self._word(place - 1) != "END"
            if opens or (word == "BEGIN" and self._begins_block(place, start)):
                depth += 1
            elif word == "END" and self._word(place + 1) not in ("IF", "FOR", "WHILE", "LOOP", "REPEAT"):
                depth -= 1
                if not depth:
                    return place + 1
        return -1

    def _begins_block(self, place: int, start: int) -> bool:
        """BEGIN where a statement can start, and not BEGIN TRANSACTION."""
        if place + 1 < len(self._tokens) and self._tokens[place + 1].text == ";":
            return False
        if self._word(place + 1) in ("TRANSACTION", "WORK", "NAME"):
            return False
        before = self._tokens[place - 1].text.upper()
        return place == start or before in (";", "BEGIN", "DECLARE", "THEN", "ELSE", "DO", "LOOP", "REPEAT")

    # -- tokens ------------------------------------------------------------------------------------------------------

    def _word(self, place: int | None = None) -> str:
        """The word at a place (here, where none is given) in upper case; empty for anything that is no plain word."""
        where = self._place if place is None else place
        if not 0 <= where < len(self._tokens) or self._tokens[where].kind != "word":
            return ""
        return self._tokens[where].text.upper()

    def _text(self) -> str:
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    def _accept(self, *words: str) -> bool:
        if all(self._word(self._place + ahead) == word for ahead, word in enumerate(words)):
            self._place += len(words)
            return True
        return False

    def _name_at(self, place: int) -> tuple[Path, int]:
        """The qualified name that starts at a token, and the place behind it."""
        parts: list[Identifier] = []
        while place < len(self._tokens) and self._tokens[place].kind in ("word", "quoted"):
            try:
                parts.append(Identifier.parse(self._tokens[place].text))
            except ValueError as error:
                raise _RefusedError(str(error)) from None
            place += 1
            if place >= len(self._tokens) or self._tokens[place].text != ".":
                break
            place += 1
        return tuple(parts), place
