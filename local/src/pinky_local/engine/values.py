"""Readers of property values: each returns a function for `Property.read`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers
from pinky_local.engine.lexer import NUMBER, QUOTED, STRING, WORD
from pinky_local.engine.spec import Property, Reader

if TYPE_CHECKING:
    from pinky_local.engine.statement import Statement


def text(longest: int = 16_777_216) -> Reader:
    """A string constant; NULL means unset."""

    def read(statement: Statement, name: str) -> str | None:
        if statement.tokens.accept("NULL"):
            return None
        value = statement.text_value()
        if len(value) > longest:
            raise errors.invalid_value(value[:100], name)
        return value

    return read


def integer(least: int | None = None, most: int | None = None, *, null: bool = False) -> Reader:
    """An integer within a range. 0 to 90 days, 1 to 10 clusters, …"""

    def read(statement: Statement, name: str) -> int | None:
        if null and statement.tokens.accept("NULL"):
            return None
        if statement.tokens.at_string():
            raw = statement.tokens.string()
            if not raw.lstrip("-").isdigit():
                raise errors.invalid_value(raw, name)
            value = int(raw)
        else:
            value = statement.tokens.integer()
        if (least is not None and value < least) or (most is not None and value > most):
            raise errors.invalid_value(str(value), name)
        return value

    return read


def boolean() -> Reader:
    """TRUE or FALSE, with or without quotes."""

    def read(statement: Statement, name: str) -> bool:
        token = statement.tokens.token
        if token.kind in (WORD, STRING) and token.value.upper() in ("TRUE", "FALSE"):
            statement.tokens.index += 1
            return token.value.upper() == "TRUE"
        raise errors.invalid_value(token.value, name)

    return read


def keyword(*allowed: str, aliases: Mapping[str, str] | None = None) -> Reader:
    """One of a list of words, bare or quoted, in any case; ``aliases`` maps other spellings to canonical ones."""
    canonical = {word.upper(): word for word in allowed} | dict(aliases or {})

    def read(statement: Statement, name: str) -> str:
        token = statement.tokens.token
        if token.kind not in (WORD, STRING, QUOTED, NUMBER) or token.value.upper() not in canonical:
            raise errors.invalid_value(token.value, name)
        statement.tokens.index += 1
        return canonical[token.value.upper()]

    return read


def reference(kind: str) -> Reader:
    """The name of an existing object, canonical parts joined as SQL text."""

    def read(statement: Statement, name: str) -> str | None:
        if statement.tokens.accept("NULL"):
            return None
        tokens = statement.tokens
        parts = identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()
        statement.deferred_checks.append(lambda: statement.find(kind, parts))
        return identifiers.dotted(statement.qualified(kind, parts))

    return read


def identifier() -> Reader:
    """An identifier that need not exist, bare or as a string."""

    def read(statement: Statement, name: str) -> str | None:
        tokens = statement.tokens
        if tokens.accept("NULL"):
            return None
        if tokens.at_string():
            return tokens.string()
        return identifiers.dotted(tokens.name())

    return read


def text_list() -> Reader:
    """('a', 'b'), or one string without parentheses."""

    def read(statement: Statement, name: str) -> list[str]:
        tokens = statement.tokens
        if tokens.at_string():
            return [tokens.string()]
        tokens.expect_symbol("(")
        values: list[str] = []
        while not tokens.accept_symbol(")"):
            values.append(tokens.string())
            if not tokens.is_symbol(")"):
                tokens.expect_symbol(",")
        return values

    return read


def words(*allowed: str) -> Reader:
    """('A', 'B') out of a list of words, in any case."""

    def read(statement: Statement, name: str) -> list[str]:
        found: list[str] = [word.upper() for word in text_list()(statement, name)]
        for word in found:
            if word not in allowed:
                raise errors.invalid_value(word, name)
        return found

    return read


def name_list() -> Reader:
    """(a, db.b), as SQL text of canonical names."""

    def read(statement: Statement, name: str) -> list[str]:
        tokens = statement.tokens
        tokens.expect_symbol("(")
        values: list[str] = []
        while not tokens.accept_symbol(")"):
            values.append(identifiers.dotted(tokens.name()))
            if not tokens.is_symbol(")"):
                tokens.expect_symbol(",")
        return values

    return read


def secret_map() -> Reader:
    """('variable' = secret, …) as a mapping."""

    def secret(statement: Statement) -> str:
        parts = statement.tokens.name()
        statement.deferred_checks.append(partial(statement.find, "secret", parts))
        return identifiers.dotted(statement.qualified("secret", parts))

    return _map_of(secret)


def text_map() -> Reader:
    """('name' = 'text', …) as a mapping."""
    return _map_of(lambda statement: statement.tokens.string())


def _map_of(read_value: Callable[[Statement], str]) -> Reader:
    def read(statement: Statement, name: str) -> dict[str, str]:
        tokens = statement.tokens
        tokens.expect_symbol("(")
        values: dict[str, str] = {}
        while not tokens.accept_symbol(")"):
            key = tokens.string()
            tokens.expect_symbol("=")
            values[key] = read_value(statement)
            if not tokens.is_symbol(")"):
                tokens.expect_symbol(",")
        return values

    return read


def group(*properties: Property) -> Reader:
    """( NAME = value … ): a parenthesised group with properties of its own; an unknown one is refused by name."""
    known = {prop.name: prop for prop in properties}

    def read(statement: Statement, name: str) -> dict[str, Any]:
        tokens = statement.tokens
        tokens.expect_symbol("(")
        values: dict[str, Any] = {}
        while not tokens.accept_symbol(")"):
            tokens.accept_symbol(",")
            word = tokens.any_word()
            if word not in known:
                raise errors.invalid_property(word, name)
            if word in values:
                raise errors.duplicate_property(word)
            tokens.expect_symbol("=")
            values[word] = known[word].read(statement, word)
        return values

    return read


def missing(label: str) -> Reader:
    """A name, or a list of names, of a type that this account has no objects of: 2003 unless the list is empty."""

    def read(statement: Statement, name: str) -> list[str]:
        names = (
            name_list()(statement, name) if statement.tokens.is_symbol("(") else [str(identifier()(statement, name))]
        )

        def check() -> None:
            if names:
                raise errors.not_found(label, names[0])

        statement.deferred_checks.append(check)
        return names

    return read
