"""What only databases and schemas have: managed access, cloning."""

from __future__ import annotations

from collections.abc import Callable

from pinky_local.engine import contacts, errors, families
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.properties import read_settings, read_tags_clause
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE SCHEMA name or CREATE DATABASE name."""
    tokens = statement.tokens
    managed = False
    while not tokens.at_end():
        if creation.spec.kind == "schema" and tokens.accept("WITH", "MANAGED", "ACCESS"):
            managed = True
        elif contacts.read_clause(statement, creation):
            continue
        elif tokens.word() in ("CLONE", "FROM", "AS"):
            raise errors.unsupported(f"CREATE {creation.spec.words} … {tokens.word()}")
        elif not read_tags_clause(statement, creation.settings):
            before = tokens.index
            read_settings(statement, TYPES[creation.spec.kind], creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()

    def build(item: CatalogObject) -> None:
        item.state["MANAGED"] = managed

    creation.build.append(build)


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read ENABLE | DISABLE MANAGED ACCESS."""
    tokens = statement.tokens
    if tokens.word() not in ("ENABLE", "DISABLE"):
        return None
    on = tokens.any_word() == "ENABLE"
    tokens.expect("MANAGED", "ACCESS")

    def change() -> None:
        if not statement.access.holds_account(statement.roles, "MANAGE GRANTS"):
            raise errors.insufficient("schema", item.name)
        changed(statement, item, "OWNERSHIP")
        item.state["MANAGED"] = on

    return change


families.CREATE["schema"] = read_create
families.CREATE["database"] = read_create
families.ALTER["schema"] = read_alter
