"""GRANT and REVOKE of roles and database roles.

Rests on https://docs.snowflake.com/en/sql-reference/sql/grant-role, grant-database-role and the REVOKE pages. Only
grants of database roles to roles can carry the grant option.
"""

from __future__ import annotations

from pinky_local.engine import errors, identifiers
from pinky_local.engine.catalog import CatalogObject, Membership
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result

_DONE = "Statement executed successfully."
_MANAGE = "MANAGE GRANTS"


def grant(statement: Statement) -> Result:
    """Run GRANT [DATABASE] ROLE."""
    kind, names = _read_roles(statement)
    holder_kind, holder_name = _read_holder(statement, "TO")
    option = statement.tokens.at("WITH", "GRANT", "OPTION")
    if option and (kind, holder_kind) in (("database_role", "role"), ("database_role", "database_role")):
        statement.tokens.accept("WITH", "GRANT", "OPTION")
    statement.finish_parsing()
    roles, holder = _find(statement, kind, names, holder_kind, holder_name)
    grantors = [_grantor(statement, role) for role in roles]
    for role in roles:
        if holder.kind != "user" and holder.number in statement.access.closure(role.number):
            name = identifiers.printed(role.name)
            text = f"Role '{name}' cannot be granted to '{holder.name}': it would form a cycle."
            raise errors.access_control(3044, text)
    for role, by in zip(roles, grantors, strict=True):
        statement.catalog.join(Membership(role.number, holder.number, by, statement.now, option))
    statement.account.changed = True
    return status(_DONE)


def revoke(statement: Statement, *, only_option: bool) -> Result:
    """Run REVOKE [GRANT OPTION FOR] [DATABASE] ROLE, from the word ROLE or DATABASE on."""
    tokens = statement.tokens
    if only_option and not tokens.at("DATABASE", "ROLE"):
        raise tokens.unexpected()
    kind, names = _read_roles(statement)
    holder_kind, holder_name = _read_holder(statement, "FROM")
    cascade = False
    if kind == "database_role" and holder_kind != "user" and tokens.word() in ("RESTRICT", "CASCADE"):
        cascade = tokens.any_word() == "CASCADE"
    statement.finish_parsing()
    roles, holder = _find(statement, kind, names, holder_kind, holder_name)
    for role in roles:
        _grantor(statement, role)
    for role in roles:
        _check_dependents(statement, role, holder, cascade=cascade)
    for role in roles:
        _take(statement, role, holder, only_option=only_option)
    statement.account.changed = True
    return status(_DONE)


# reading ---------------------------------------------------------------------------------------------------------


def _read_roles(statement: Statement) -> tuple[str, list[tuple[str, ...]]]:
    tokens = statement.tokens
    kind, longest = ("role", 1) if tokens.accept("ROLE") else ("database_role", 2)
    if kind == "database_role":
        tokens.expect("DATABASE", "ROLE")
    names = [tokens.name(longest)]
    while tokens.accept_symbol(","):
        names.append(tokens.name(longest))
    return kind, names


def _read_holder(statement: Statement, word: str) -> tuple[str, tuple[str, ...]]:
    tokens = statement.tokens
    tokens.expect(word)
    if tokens.accept("DATABASE", "ROLE"):
        return "database_role", tokens.name(2)
    kind = tokens.one_of("ROLE", "USER").lower()
    return kind, tokens.name(1)


# finding and checking --------------------------------------------------------------------------------------------


def _find(
    statement: Statement, kind: str, names: list[tuple[str, ...]], holder_kind: str, holder_name: tuple[str, ...]
) -> tuple[list[CatalogObject], CatalogObject]:
    roles = [statement.find(kind, name) for name in names]
    holder = statement.find(holder_kind, holder_name)
    if kind == "role" and holder_kind == "database_role":
        raise errors.access_control(3055, "An account role cannot be granted to a database role.")
    for role in roles:
        within = kind == "database_role" and holder_kind == "database_role"
        if within and statement.catalog.database_of(role) is not statement.catalog.database_of(holder):
            raise errors.access_control(3055, "Database roles can only be granted within their database.")
    return roles, holder


def _grantor(statement: Statement, role: CatalogObject) -> int:
    """The role that grants: the session's for owners and MANAGE GRANTS, else one that holds the grant option."""
    if statement.access.holds_account(statement.roles, _MANAGE) or role.owner in statement.roles:
        return statement.primary_role().number
    for number, member in statement.catalog.members.get(role.number, {}).items():
        if member.grantable and number in statement.roles:
            return number
    raise errors.insufficient(TYPES[role.kind].words, role.name)


def _dependents(statement: Statement, role: CatalogObject, holder: CatalogObject) -> list[CatalogObject]:
    """Who has the role from this holder, which is not its owner."""
    if role.owner == holder.number:
        return []
    members = statement.catalog.members.get(role.number, {})
    if holder.number not in members or not members[holder.number].grantable:
        return []
    given = [number for number, member in members.items() if member.granted_by == holder.number]
    return [statement.catalog.objects[number] for number in given if number != holder.number]


def _check_dependents(statement: Statement, role: CatalogObject, holder: CatalogObject, *, cascade: bool) -> None:
    if not cascade and _dependents(statement, role, holder):
        text = f"Database role '{role.name}' was granted on by '{holder.name}'; revoke that first or use CASCADE."
        raise errors.access_control(3016, text)


def _take(statement: Statement, role: CatalogObject, holder: CatalogObject, *, only_option: bool) -> None:
    for other in _dependents(statement, role, holder):
        _take(statement, role, other, only_option=False)
    member = statement.catalog.members.get(role.number, {}).get(holder.number)
    if only_option and member is not None:
        member.grantable = False
    elif not only_option:
        statement.catalog.leave(role.number, holder.number)
