"""Statements about the session: USE, ALTER SESSION, SET, UNSET, ALTER ACCOUNT, transactions."""

from __future__ import annotations

from collections.abc import Callable

from pinky_local.engine import contacts, errors, parameters, show
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result, SqlError

USE_TYPE, SET_TYPE, TRANSACTION_TYPE = 0x4300, 0x4100, 0x5000
_DONE = "Statement executed successfully."


def _not_assigned(name: str) -> SqlError:
    text = f"Requested role '{name}' is not assigned to the executing user. Specify another role to activate."
    return errors.access_control(3013, text)


def use(statement: Statement) -> Result:
    """Run USE ROLE, USE SECONDARY ROLES, USE WAREHOUSE, USE [DATABASE | SCHEMA]."""
    tokens, session = statement.tokens, statement.session
    tokens.expect("USE")
    if tokens.accept("SECONDARY", "ROLES"):
        return _secondary(statement)
    if tokens.accept("ROLE"):
        (name,) = tokens.name(1)
        statement.finish_parsing()
        if statement.access.role_named(name) is None:
            raise errors.cannot_perform()
        if name not in statement.access.available(session.user):
            raise _not_assigned(name)
        session.role = name
        return status(_DONE, USE_TYPE)
    if tokens.accept("WAREHOUSE"):
        (name,) = tokens.name(1)
        statement.finish_parsing()
        warehouse = statement.catalog.get(ACCOUNT, "warehouse", name)
        if warehouse is None or not any(
            statement.access.holds(statement.roles, warehouse, privilege) for privilege in ("USAGE", "OPERATE")
        ):
            raise errors.cannot_perform()
        session.warehouse = name
        return status(_DONE, USE_TYPE)
    kind = tokens.any_word() if tokens.word() in ("DATABASE", "SCHEMA") and not tokens.is_symbol(".", 1) else ""
    parts = tokens.name(2)
    statement.finish_parsing()
    _use_container(statement, kind or ("DATABASE" if len(parts) == 1 else "SCHEMA"), parts)
    return status(_DONE, USE_TYPE)


def _use_container(statement: Statement, kind: str, parts: tuple[str, ...]) -> None:
    session, catalog = statement.session, statement.catalog
    if kind == "SCHEMA" and len(parts) == 1 and session.database is None:
        raise errors.no_database("USE SCHEMA")
    full = parts if kind == "DATABASE" or len(parts) == 2 else (str(session.database), *parts)
    if kind == "DATABASE" and len(full) > 1:
        raise errors.cannot_perform()
    number = ACCOUNT
    for depth, part in enumerate(full):
        item = catalog.get(number, "schema" if depth else "database", part)
        if item is None or not statement.access.sees(statement.roles, item):
            raise errors.cannot_perform()
        number = item.number
    session.database = full[0]
    if len(full) == 2:
        session.schema = full[1]
        return
    public = catalog.get(number, "schema", "PUBLIC")
    session.schema = "PUBLIC" if public is not None and statement.access.sees(statement.roles, public) else None


def _secondary(statement: Statement) -> Result:
    tokens, session = statement.tokens, statement.session
    if tokens.word() in ("ALL", "NONE"):
        chosen = tokens.any_word()
        statement.finish_parsing()
    else:
        names = [tokens.identifier()]
        while tokens.accept_symbol(","):
            names.append(tokens.identifier())
        statement.finish_parsing()
        for name in names:
            if name not in statement.access.available(session.user):
                raise _not_assigned(name)
        chosen = ",".join(names)
    session.secondary_roles = chosen
    return status(_DONE, USE_TYPE)


def alter_session(statement: Statement) -> Result:
    """Run ALTER SESSION SET | UNSET."""
    tokens, session = statement.tokens, statement.session
    tokens.expect("ALTER", "SESSION")
    changes, gone = _read_parameters(statement, "session")
    statement.finish_parsing()
    if changes.get("QUOTED_IDENTIFIERS_IGNORE_CASE"):
        raise errors.unsupported("QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE")
    session.parameters.update(changes)
    for name in gone:
        session.parameters.pop(name, None)
    return status(_DONE)


def alter_account(statement: Statement) -> Result:
    """Run ALTER ACCOUNT SET | UNSET of parameters, or of contacts."""
    tokens = statement.tokens
    tokens.expect("ALTER", "ACCOUNT")
    attach = contacts.read_alter_account(statement)
    if attach is not None:
        statement.finish_parsing()
        attach()
        statement.account.changed = True
        return status(_DONE)
    changes, gone = _read_parameters(statement, "account")
    statement.finish_parsing()
    administrator = statement.access.role_named("ACCOUNTADMIN")
    if administrator is None or administrator.number not in statement.roles:
        raise errors.insufficient("account", statement.account.name)
    if changes.get("QUOTED_IDENTIFIERS_IGNORE_CASE"):
        raise errors.unsupported("QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE")
    statement.account.parameters.update(changes)
    for name in gone:
        statement.account.parameters.pop(name, None)
    statement.account.changed = True
    return status(_DONE)


def _read_parameters(statement: Statement, level: str) -> tuple[dict[str, object], list[str]]:
    tokens = statement.tokens
    changes: dict[str, object] = {}
    gone: list[str] = []
    if tokens.one_of("SET", "UNSET") == "SET":
        while tokens.word():
            name = tokens.any_word()
            tokens.expect_symbol("=")
            changes[name] = parameters.read(statement, name, level)
            tokens.accept_symbol(",")
        if not changes:
            raise tokens.unexpected()
        return changes, gone
    while True:
        name = tokens.any_word()
        if name not in parameters.PARAMETERS or not parameters.applies(parameters.PARAMETERS[name], level):
            raise errors.invalid_parameter(name)
        gone.append(name)
        if not tokens.accept_symbol(","):
            return changes, gone


def transaction(statement: Statement) -> Result:
    """Run BEGIN, COMMIT or ROLLBACK. The data plane's transaction where it has one; the catalog needs none."""
    tokens = statement.tokens
    word = tokens.one_of("BEGIN", "START", "COMMIT", "ROLLBACK")
    if word == "START":
        tokens.expect("TRANSACTION")
    elif word == "BEGIN":
        tokens.accept("TRANSACTION")
        tokens.accept("WORK")
    else:
        tokens.accept("WORK")
    if word in ("BEGIN", "START") and tokens.accept("NAME"):
        tokens.identifier()
    statement.finish_parsing()
    action = {"BEGIN": "begin", "START": "begin"}.get(word, word.lower())
    run = getattr(statement.account.data, action, None)
    if callable(run):
        run(statement.session)
    return status(_DONE, TRANSACTION_TYPE)


def _not_shown(words: str) -> Callable[[Statement], Result]:
    def refuse(_: Statement) -> Result:
        raise errors.unsupported(f"SHOW {words}")

    return refuse


show.SPECIAL |= {words: _not_shown(words) for words in ("LOCKS", "TRANSACTIONS")}
