"""SHOW GRANTS and SHOW FUTURE GRANTS. https://docs.snowflake.com/en/sql-reference/sql/show-grants"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pinky_local.engine import errors, families, identifiers, show
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject, FutureGrant, Grant, Membership
from pinky_local.engine.create import read_kind
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_OBJECT = ("created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by")
_FUTURE = ("created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")
_USER = (*_OBJECT[:4], "role", *_OBJECT[4:])
_MEMBER = ("created_on", "role", "granted_to", "grantee_name", "granted_by")


def _result(names: tuple[str, ...], values: list[list[Any]], limit: int | None) -> Result:
    columns = [
        ResultColumn(name, "timestamp_ltz", scale=3) if name == "created_on" else ResultColumn(name, length=16_777_216)
        for name in names
    ]
    return rows(columns, values[:limit], show.SHOW_TYPE)


def show_grants(statement: Statement) -> Result:
    """Answer SHOW GRANTS in each of its forms."""
    tokens = statement.tokens
    if tokens.accept("ON"):
        return _on(statement)
    if tokens.accept("OF"):
        role = _read_role(statement)
        limit = _limit(statement)
        return _result(_MEMBER, _of(statement, role), limit)
    if tokens.accept("TO"):
        return _to(statement)
    limit = _limit(statement)
    user = statement.catalog.get(ACCOUNT, "user", statement.session.user)
    if user is None:
        raise errors.not_found("User", statement.session.user)
    return _result(_USER, _to_user(statement, user), limit)


def _limit(statement: Statement) -> int | None:
    limit = statement.tokens.integer() if statement.tokens.accept("LIMIT") else None
    statement.finish_parsing()
    return limit


def _read_role(statement: Statement) -> CatalogObject:
    tokens = statement.tokens
    if tokens.accept("DATABASE", "ROLE"):
        return statement.find("database_role", tokens.name(2))
    tokens.expect("ROLE")
    return statement.find("role", tokens.name(1))


def _on(statement: Statement) -> Result:
    tokens = statement.tokens
    names = (*_OBJECT, "granted_by_role_type")
    if tokens.accept("ACCOUNT"):
        limit = _limit(statement)
        return _result(names, [_row(statement, entry, typed=True) for entry in _sorted(statement, ACCOUNT)], limit)
    spec = read_kind(statement)
    parts = tokens.name()
    signature = families.read_signature(statement, spec.kind)
    limit = _limit(statement)
    item = statement.find(spec.kind, parts, signature)
    values = [_row(statement, entry, typed=True) for entry in _sorted(statement, item.number)]
    if item.owner is not None:
        values.append([*_ownership(statement, item), TYPES[statement.catalog.objects[item.owner].kind].kind.upper()])
    parent = statement.catalog.objects.get(item.parent)
    if parent is not None and parent.kind == "schema" and parent.state.get("MANAGED"):
        for value in values:
            value[_OBJECT.index("grant_option")] = "false"  # so says the page of objects in managed access schemas
    if item.kind in ("role", "database_role"):
        catalog = statement.catalog
        values += [_membership(statement, item, member) for member in catalog.members.get(item.number, {}).values()]
    return _result(names, values, limit)


def _membership(statement: Statement, role: CatalogObject, member: Membership) -> list[Any]:
    to = statement.catalog.objects[member.to]
    name, kind = statement.catalog.printed(role), role.kind.upper()
    by = _name(statement, member.granted_by)
    return [member.created_on, "USAGE", kind, name, to.kind.upper(), to.name, "false", by, "ROLE" if by else ""]


def _sorted(statement: Statement, number: int) -> list[Grant]:
    held = statement.catalog.grants_on.get(number, {}).values()
    return sorted(held, key=lambda entry: (statement.catalog.objects[entry.to].name, entry.privilege))


def object_name(statement: Statement, item: CatalogObject) -> str:
    """An object's name as SHOW GRANTS prints it: qualified; routines with argument names, types and return type."""
    if item.kind not in ("procedure", "function"):
        return statement.catalog.printed(item)
    path = statement.catalog.path(item)
    arguments = ", ".join(f"{name} {kind}" for name, kind, *_ in item.state.get("arguments", []))
    routine = f'"{item.name}({arguments}):{item.state.get("returns", "")}"'
    return f"{identifiers.dotted(path[:2])}.{routine}"


def _name(statement: Statement, number: int | None) -> str:
    role = statement.catalog.objects.get(number) if number is not None else None
    return "" if role is None else role.name


def _row(statement: Statement, entry: Grant, *, typed: bool) -> list[Any]:
    catalog = statement.catalog
    item = catalog.objects.get(entry.on)
    to = catalog.objects[entry.to]
    on = "ACCOUNT" if item is None else TYPES[item.kind].words.replace(" ", "_")
    name = statement.account.name if item is None else object_name(statement, item)
    option = "true" if entry.grantable else "false"
    by = catalog.objects.get(entry.granted_by) if entry.granted_by is not None else None
    values = [entry.created_on, entry.privilege, on, name, to.kind.upper(), to.name, option, by.name if by else ""]
    return [*values, by.kind.upper() if by else ""] if typed else values


def _ownership(statement: Statement, item: CatalogObject) -> list[Any]:
    owner = statement.catalog.objects[item.owner or 0]
    on = TYPES[item.kind].words.replace(" ", "_")
    name = object_name(statement, item)
    return [item.created_on, "OWNERSHIP", on, name, owner.kind.upper(), owner.name, "true", owner.name]


def _to(statement: Statement) -> Result:
    tokens = statement.tokens
    if tokens.accept("USER"):
        user = statement.find("user", tokens.name(1))
        limit = _limit(statement)
        return _result(_USER, _to_user(statement, user), limit)
    role = _read_role(statement)
    limit = _limit(statement)
    catalog = statement.catalog
    values = [_row(statement, entry, typed=False) for entry in catalog.grants_to.get(role.number, {}).values()]
    values += [
        _ownership(statement, catalog.objects[n]) for n in catalog.owned.get(role.number, ()) if n in catalog.objects
    ]
    for member in catalog.memberships.get(role.number, {}).values():
        held = catalog.objects[member.role]
        values.append([
            member.created_on, "USAGE", held.kind.upper(), catalog.printed(held), role.kind.upper(), role.name,
            "true" if member.grantable else "false",
            _name(statement, member.granted_by),
        ])  # fmt: skip
    return _result(_OBJECT, sorted(values, key=lambda value: (value[2], value[3], value[1])), limit)


def _to_user(statement: Statement, user: CatalogObject) -> list[list[Any]]:
    """Roles (with no privilege, a guess) and privileges of a user."""
    catalog = statement.catalog
    values: list[list[Any]] = []
    for member in catalog.memberships.get(user.number, {}).values():
        role, by = catalog.objects[member.role].name, _name(statement, member.granted_by)
        values.append([member.created_on, None, None, None, role, "USER", user.name, "false", by])
    for entry in catalog.grants_to.get(user.number, {}).values():
        row = _row(statement, entry, typed=False)
        values.append([*row[:4], None, *row[4:]])
    return values


def _of(statement: Statement, role: CatalogObject) -> list[list[Any]]:
    catalog = statement.catalog
    found = []
    for member in catalog.members.get(role.number, {}).values():
        to = catalog.objects[member.to]
        by = _name(statement, member.granted_by)
        found.append([member.created_on, role.name, to.kind.upper(), to.name, by])
    return sorted(found, key=lambda value: (value[2], value[3]))


def show_future_grants(statement: Statement) -> Result:
    """Answer SHOW FUTURE GRANTS IN | TO."""
    tokens = statement.tokens
    if tokens.one_of("IN", "TO") == "IN":
        kind = tokens.one_of("DATABASE", "SCHEMA").lower()
        container = statement.find(kind, tokens.name(2))
        limit = _limit(statement)
        entries = list(statement.catalog.future.get(container.number, []))
    else:
        role = _read_role(statement)
        limit = _limit(statement)
        entries = [entry for entry in _all_future(statement) if entry.to == role.number]
    return _result(_FUTURE, [_future_row(statement, entry) for entry in entries], limit)


def _all_future(statement: Statement) -> Iterator[FutureGrant]:
    for entries in statement.catalog.future.values():
        yield from entries


def _future_row(statement: Statement, entry: FutureGrant) -> list[Any]:
    catalog = statement.catalog
    words = TYPES[entry.kind].words.replace(" ", "_")
    to = catalog.objects[entry.to]
    name = f"{catalog.printed(catalog.objects[entry.container])}.<{words}>"
    option = "true" if entry.grantable else "false"
    return [entry.created_on, entry.privilege, words, name, to.kind.upper(), to.name, option]


show.SPECIAL["GRANTS"] = show_grants
show.SPECIAL["FUTURE GRANTS"] = show_future_grants
