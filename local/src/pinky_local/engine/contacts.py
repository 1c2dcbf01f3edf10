"""Contacts on objects and on the account: WITH CONTACT, SET CONTACT, UNSET CONTACT, inheritance, and GET_CONTACTS.

Rests on https://docs.snowflake.com/en/user-guide/contacts-using and
https://docs.snowflake.com/en/sql-reference/functions/get_contacts. Associations are kept with the object, by purpose
and the contact's number: one that was dropped is not shown, and comes back with an UNDROP of its schema. The database
role SNOWFLAKE.CORE_VIEWER that the function needs is granted to PUBLIC in every account, so nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pinky_local.engine import context, errors, families, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.information_schema import columns_of
from pinky_local.engine.specs.contacts import METHODS
from pinky_local.engine.statement import Statement
from pinky_local.types import Result, SessionContext

if TYPE_CHECKING:
    from pinky_local.engine.account import Account
    from pinky_local.engine.create import Creation

PURPOSES = ("ACCESS_APPROVAL", "SECURITY_COMPLIANCE", "STEWARD", "SUPPORT")
SUPPORTED = frozenset({"database", "schema", "table", "view", "task", "event_table"})
"""The types of this account that can have contacts."""

_COLUMNS = columns_of("PURPOSE EMAIL_DISTRIBUTION_LIST URL USER LEVEL")
_DOMAINS = {"DATABASE": ("database",), "SCHEMA": ("schema",), "TABLE": ("table", "view", "event_table")}
_SELECT_TYPE = 0x1000


def check(_: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """One method at most; the one that a statement gives takes the place of the one that was there."""
    methods = [name for name in METHODS if name in given]
    if len(methods) > 1:
        raise errors.compilation(1003, "42000", f"A contact takes one of {', '.join(METHODS)}: {' and '.join(methods)}")
    for name in METHODS if methods else ():
        if name not in methods:
            item.properties.pop(name, None)


def _purpose(statement: Statement) -> str:
    word = statement.tokens.any_word()
    if word not in PURPOSES:
        raise errors.invalid_value(word, "CONTACT purpose")
    return word


def _read_pairs(statement: Statement) -> dict[str, tuple[str, ...]]:
    """PURPOSE = contact, …; the contacts are looked up when parsing is over."""
    found: dict[str, tuple[str, ...]] = {}
    tokens = statement.tokens
    while True:
        purpose = _purpose(statement)
        if purpose in found:
            raise errors.duplicate_property(purpose)
        tokens.expect_symbol("=")
        found[purpose] = tokens.name()
        if not tokens.accept_symbol(","):
            return found


def read_clause(statement: Statement, creation: Creation) -> bool:
    """Read WITH CONTACT (PURPOSE = contact, …) if it comes next."""
    tokens = statement.tokens
    if not tokens.at("WITH", "CONTACT"):
        return False
    tokens.expect("WITH", "CONTACT")
    tokens.expect_symbol("(")
    pairs = _read_pairs(statement)
    tokens.expect_symbol(")")
    creation.build.append(lambda item: _associate(statement, item, pairs))
    return True


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read SET CONTACT … or UNSET CONTACT PURPOSE, which stand alone in their statement; None for other actions."""
    tokens = statement.tokens
    if item.kind not in SUPPORTED:
        return None
    if tokens.accept("SET", "CONTACT"):
        pairs = _read_pairs(statement)
        return lambda: _associate(statement, item, pairs)
    if tokens.accept("UNSET", "CONTACT"):
        purpose = _purpose(statement)
        return lambda: _detach(statement, item, purpose)
    return None


def read_alter_account(statement: Statement) -> Callable[[], None] | None:
    """Read SET CONTACT … or UNSET CONTACT PURPOSE of the account; None for other actions."""
    tokens, held = statement.tokens, statement.account.contacts
    if tokens.accept("SET", "CONTACT"):
        pairs = _read_pairs(statement)

        def change() -> None:
            found = {purpose: statement.find("contact", parts) for purpose, parts in pairs.items()}
            _require_account(statement, found.values())
            held.update({purpose: contact.number for purpose, contact in found.items()})

        return change
    if tokens.accept("UNSET", "CONTACT"):
        purpose = _purpose(statement)

        def detach() -> None:
            contact = statement.catalog.objects.get(held.get(purpose, -1))
            _require_account(statement, [contact] if contact is not None else [])
            held.pop(purpose, None)

        return detach
    return None


def _require_account(statement: Statement, found: Iterable[CatalogObject]) -> None:
    """APPLY CONTACT on the account; or APPLY on the contacts for ACCOUNTADMIN, whose the account is (a guess)."""
    if statement.access.holds_account(statement.roles, "APPLY CONTACT"):
        return
    administrator = statement.access.role_named("ACCOUNTADMIN")
    if administrator is None or administrator.number not in statement.roles:
        raise errors.insufficient("account", statement.account.name)
    for contact in found:
        statement.require(contact, "APPLY")


def _associate(statement: Statement, item: CatalogObject, pairs: dict[str, tuple[str, ...]]) -> None:
    found = {purpose: statement.find("contact", parts) for purpose, parts in pairs.items()}
    if not statement.access.holds_account(statement.roles, "APPLY CONTACT"):
        if item.owner not in statement.roles:
            raise errors.insufficient(statement.spec(item).words, item.name)
        for contact in found.values():
            statement.require(contact, "APPLY")
    held = item.state.setdefault("contacts", {})
    held.update({purpose: contact.number for purpose, contact in found.items()})


def _detach(statement: Statement, item: CatalogObject, purpose: str) -> None:
    held = item.state.get("contacts") or {}
    contact = statement.catalog.objects.get(held.get(purpose, -1))
    if not statement.access.holds_account(statement.roles, "APPLY CONTACT"):
        if item.owner not in statement.roles:
            raise errors.insufficient(statement.spec(item).words, item.name)
        if contact is not None:
            statement.require(contact, "APPLY")
    held.pop(purpose, None)


# GET_CONTACTS -----------------------------------------------------------------------------------------------------


def table_function(account: Account, name: str, arguments: Sequence[Any], session: SessionContext) -> Result | None:
    """SNOWFLAKE.CORE.GET_CONTACTS('object', 'domain'[, 'contact']); None for another function's name."""
    if name.upper() != "SNOWFLAKE.CORE.GET_CONTACTS":
        return None
    if len(arguments) not in (2, 3) or not all(isinstance(argument, str) for argument in arguments):
        text = f"wrong arguments for function [GET_CONTACTS], expected 2 or 3 strings, got {len(arguments)}"
        raise errors.compilation(938, "22023", text)
    with account.lock:
        statement = Statement(account, session, "SELECT 1", (), "")
        item = _object(statement, arguments[0], arguments[1])
        wanted = statement.find("contact", identifiers.parse_dotted(arguments[2])) if len(arguments) == 3 else None
        rows = [
            row
            for purpose, (contact, level) in sorted(effective(statement, item).items())
            if wanted is None or contact.number == wanted.number
            for row in _rows(purpose, contact, level)
        ]
    return Result(_COLUMNS, rows, _SELECT_TYPE)


def _object(statement: Statement, name: str, domain: str) -> CatalogObject:
    kinds = _DOMAINS.get(domain.upper())
    if kinds is None:
        raise errors.invalid_value(domain, "object type of GET_CONTACTS")
    parts = identifiers.parse_dotted(name)
    for kind in kinds[1:]:
        found = statement.lookup(kind, parts)
        if found is not None:
            return statement.find(kind, parts)
    return statement.find(kinds[0], parts)


def effective(statement: Statement, item: CatalogObject) -> dict[str, tuple[CatalogObject, str]]:
    """By purpose: the contact of the nearest object, from this one up to the account, and its kind."""
    found: dict[str, tuple[CatalogObject, str]] = {}
    for holder in _upwards(statement, item):
        level = "TABLE" if holder.kind in ("table", "view", "event_table") else holder.kind.upper()
        for purpose, number in (holder.state.get("contacts") or {}).items():
            contact = statement.catalog.objects.get(number)
            if contact is not None:
                found.setdefault(purpose, (contact, level))
    for purpose, number in statement.account.contacts.items():
        contact = statement.catalog.objects.get(number)
        if contact is not None:
            found.setdefault(purpose, (contact, "ACCOUNT"))
    return found


def _upwards(statement: Statement, item: CatalogObject) -> Iterator[CatalogObject]:
    yield item
    while item.parent:
        item = statement.catalog.objects[item.parent]
        yield item


def _rows(purpose: str, contact: CatalogObject, level: str) -> Iterator[list[Any]]:
    email, url = (contact.properties.get(name) for name in ("EMAIL_DISTRIBUTION_LIST", "URL"))
    for user in contact.properties.get("USERS") or [None]:
        yield [purpose, email, url, user, level]


def _no_describe(statement: Statement, _: CatalogObject) -> Result:
    """Raise: the documentation has no DESCRIBE CONTACT."""
    raise errors.syntax(1, 0, "CONTACT")


families.VALUE_CHECK["contact"] = check
families.DESCRIBE["contact"] = _no_describe
context.TABLE_FUNCTIONS.append(table_function)
