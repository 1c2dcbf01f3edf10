"""Reading a list of properties as a type declares them, in CREATE, SET and UNSET."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pinky_local.engine import errors, families, identifiers
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.spec import ObjectType, Property
from pinky_local.engine.statement import Statement


@dataclass(slots=True)
class Settings:
    """What a statement sets: properties, parameters, tags (name as SQL text to value)."""

    properties: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def apply(self, item: CatalogObject) -> None:
        """Put the values on an object. A parameter set to NULL is unset."""
        item.properties.update(self.properties)
        item.parameters.update({name: value for name, value in self.parameters.items() if value is not None})
        for name, value in self.parameters.items():
            if value is None:
                item.parameters.pop(name, None)
        item.tags.update(self.tags)


def read_settings(
    statement: Statement,
    spec: ObjectType,
    *,
    creating: bool,
    settings: Settings | None = None,
) -> Settings:
    """Read NAME = value pairs as long as they come, up to a clause that the type reads itself.

    Raises for unknown, repeated and forbidden names.
    """
    clauses = families.CLAUSES.get(spec.kind, ())
    settings = settings or Settings()
    tokens = statement.tokens
    while tokens.word() and tokens.word() not in clauses:
        if creating and read_tags_clause(statement, settings):
            continue
        if tokens.word() == "WITH" and spec.property_named(tokens.word(1)):
            tokens.accept("WITH")
        name = tokens.word()
        if not (tokens.is_symbol("=", 1) or spec.property_named(name)):
            return settings
        read_one(statement, spec, settings, creating=creating)
        tokens.accept_symbol(",")
    return settings


def read_one(statement: Statement, spec: ObjectType, settings: Settings, *, creating: bool) -> None:
    """Read one NAME = value pair."""
    tokens = statement.tokens
    name = tokens.any_word()
    declared = spec.property_named(name)
    if declared is None or (declared.create_only and not creating) or (declared.alter_only and creating):
        raise errors.invalid_property(name, spec.words)
    target = settings.parameters if declared.parameter else settings.properties
    if name in target:
        raise errors.duplicate_property(name)
    tokens.expect_symbol("=")
    target[name] = declared.read(statement, name)


def read_tags_clause(statement: Statement, settings: Settings) -> bool:
    """Read [WITH] TAG (name = 'value', …) if it comes next."""
    tokens = statement.tokens
    if not (tokens.at("WITH", "TAG") or (tokens.at("TAG") and tokens.is_symbol("(", 1))):
        return False
    tokens.accept("WITH")
    tokens.expect("TAG")
    tokens.expect_symbol("(")
    settings.tags.update(read_tag_values(statement))
    tokens.expect_symbol(")")
    return True


def read_tag_values(statement: Statement) -> dict[str, str]:
    """Read name = 'value', …; the tags are looked up when parsing is over."""
    tokens = statement.tokens
    found: dict[str, str] = {}
    while True:
        parts = tokens.name()
        tokens.expect_symbol("=")
        value = statement.text_value()
        if len(value) > 256:
            raise errors.compilation(2220, "22023", "Tag value exceeds the maximum length of 256 characters.")
        name = identifiers.dotted(statement.qualified("tag", parts))
        found[name] = value
        statement.deferred_checks.append(partial(check_tag, statement, parts, value))
        if not tokens.accept_symbol(","):
            return found


def check_tag(statement: Statement, parts: tuple[str, ...], value: str | None) -> None:
    """Raise unless the tag exists, may be applied by the session, and allows the value."""
    tag = statement.find("tag", parts)
    if not statement.access.holds_account(statement.roles, "APPLY TAG"):
        statement.require(tag, "APPLY")
    allowed = tag.properties.get("ALLOWED_VALUES")
    if value is not None and allowed is not None and value not in allowed:
        listed = ", ".join(f"'{entry}'" for entry in allowed)
        text = f"Invalid value '{value}' for tag '{tag.name}'. Allowed values: [{listed}]."
        raise errors.compilation(391801, "22023", text)


def read_unset(statement: Statement, spec: ObjectType) -> list[Property]:
    """Read the names of UNSET a, b."""
    tokens = statement.tokens
    found: list[Property] = []
    while True:
        name = tokens.any_word()
        declared = spec.property_named(name)
        if declared is None or declared.create_only or not declared.unsettable:
            raise errors.invalid_property(name, spec.words)
        found.append(declared)
        if not tokens.accept_symbol(",") and not tokens.word():
            return found


def unset(item: CatalogObject, names: list[Property]) -> None:
    """Give properties back their defaults."""
    for declared in names:
        (item.parameters if declared.parameter else item.properties).pop(declared.name, None)


def check_values(statement: Statement, item: CatalogObject, given: Collection[str] = ()) -> None:
    """Rules between properties of one object, checked on the finished draft; ``given`` are those just set."""
    if item.kind in families.VALUE_CHECK:
        families.VALUE_CHECK[item.kind](statement, item, frozenset(given))
    if item.kind == "user":
        login = item.properties.get("LOGIN_NAME")
        if login is not None:
            item.properties["LOGIN_NAME"] = login = str(login).upper()
        for other in statement.catalog.of_kind(ACCOUNT, "user"):
            if login and other.number != item.number and other.properties.get("LOGIN_NAME", other.name) == login:
                raise errors.already_exists(login)
