"""GRANT and REVOKE of privileges and ownership; roles are in `role_grants`.

Rests on https://docs.snowflake.com/en/sql-reference/sql/grant-privilege, grant-ownership, revoke-privilege and
https://docs.snowflake.com/en/user-guide/security-access-control-privileges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pinky_local.engine import errors, families, role_grants, show
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject, FutureGrant, Grant
from pinky_local.engine.create import read_kind
from pinky_local.engine.privileges import ALL_PRIVILEGES, CLASS_PRIVILEGES, fits, privileges_of
from pinky_local.engine.specs import BY_PLURAL, TYPES
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result

_DONE = "Statement executed successfully."
_MANAGE = "MANAGE GRANTS"


@dataclass(slots=True)
class Target:
    """What follows ON: the account, one object, or all or future objects of a kind in a container."""

    form: str
    kind: str
    container: int = ACCOUNT
    parts: tuple[str, ...] = ()
    signature: str = ""
    items: list[CatalogObject] = field(default_factory=list)


def grant(statement: Statement) -> Result:
    """Run a GRANT statement."""
    tokens = statement.tokens
    tokens.expect("GRANT")
    if tokens.at("ROLE") or tokens.at("DATABASE", "ROLE"):
        return role_grants.grant(statement)
    if tokens.accept("OWNERSHIP", "ON"):
        return _grant_ownership(statement)
    privileges = _read_privileges(statement)
    target = _read_target(statement)
    tokens.expect("TO")
    kind, name = _read_grantee(statement)
    option = tokens.accept("WITH", "GRANT", "OPTION")
    statement.finish_parsing()
    _find_target(statement, target)
    to = _grantee(statement, kind, name, target)
    expanded = _expand(privileges, target.kind)
    if to.kind == "user":
        expanded = _for_user(privileges, expanded, target)
    if target.form == "future":
        _grant_future(statement, expanded, target, to, option=option)
    elif target.form == "account":
        for privilege in expanded:
            by = _grantor_on_account(statement, privilege)
            statement.catalog.grant(Grant(privilege, ACCOUNT, to.number, by, statement.now, option))
    else:
        planned = [
            Grant(privilege, item.number, to.number, _grantor(statement, item, privilege), statement.now, option)
            for item in target.items
            for privilege in _fitting(privileges, expanded, item)
        ]
        for item in target.items:
            _check_stage(statement, item, to, adding=expanded)
        for entry in planned:
            statement.catalog.grant(entry)
    statement.account.changed = True
    return status(_DONE)


def revoke(statement: Statement) -> Result:
    """Run a REVOKE statement."""
    tokens = statement.tokens
    tokens.expect("REVOKE")
    only_option = tokens.accept("GRANT", "OPTION", "FOR")
    if tokens.at("ROLE") or tokens.at("DATABASE", "ROLE"):
        return role_grants.revoke(statement, only_option=only_option)
    privileges = _read_privileges(statement)
    target = _read_target(statement)
    tokens.expect("FROM")
    kind, name = _read_grantee(statement)
    cascade = tokens.accept("CASCADE") or (tokens.accept("RESTRICT") and False)
    statement.finish_parsing()
    _find_target(statement, target)
    to = _grantee(statement, kind, name, target)
    if privileges == ["OWNERSHIP"] and target.form != "future":
        raise errors.access_control(3030, "OWNERSHIP cannot be revoked; grant it to another role.")
    expanded = _expand(privileges, target.kind)
    if target.form == "future":
        _revoke_future(statement, expanded, target, to)
    else:
        numbers = [ACCOUNT] if target.form == "account" else [item.number for item in target.items]
        for item in target.items:
            for privilege in expanded:
                _grantor(statement, item, privilege)
        if target.form == "account":
            for privilege in expanded:
                _grantor_on_account(statement, privilege)
        for item in () if only_option else target.items:
            _check_stage(statement, item, to, removing=expanded)
        for number in numbers:
            _revoke_on(statement, number, expanded, to, only_option=only_option, cascade=cascade)
    statement.account.changed = True
    return status(_DONE)


# reading ---------------------------------------------------------------------------------------------------------


def _read_privileges(statement: Statement) -> list[str]:
    tokens = statement.tokens
    if tokens.accept("ALL"):
        tokens.accept("PRIVILEGES")
        tokens.expect("ON")
        return ["ALL"]
    found: list[str] = []
    while True:
        start = tokens.index
        words = []
        while tokens.word() and tokens.word() != "ON":
            word = tokens.any_word()
            while tokens.accept_symbol("."):
                word += "." + tokens.any_word()
            words.append(word)
        privilege = " ".join(words)
        if privilege not in ALL_PRIVILEGES:
            tokens.index = start
            raise tokens.unexpected()
        found.append(privilege)
        if tokens.accept_symbol(","):
            continue
        tokens.expect("ON")
        return found


def _read_target(statement: Statement) -> Target:
    tokens = statement.tokens
    if tokens.accept("ACCOUNT"):
        return Target("account", "account")
    if tokens.word() in ("ALL", "FUTURE"):
        form = tokens.any_word().lower()
        for length in (3, 2, 1):
            words = " ".join(tokens.word(ahead) for ahead in range(length))
            if words in BY_PLURAL and BY_PLURAL[words].container != "account":
                tokens.index += length
                kind = BY_PLURAL[words].kind
                tokens.expect("IN")
                where = tokens.one_of("DATABASE", "SCHEMA").lower()
                if kind in ("tag",) and form == "all":
                    raise errors.unsupported("GRANT ON ALL TAGS")
                return Target(f"{form}:{where}", kind, parts=tokens.name(2))
        raise tokens.unexpected()
    spec = read_kind(statement)
    parts = tokens.name()
    return Target("object", spec.kind, parts=parts, signature=families.read_signature(statement, spec.kind))


def _read_grantee(statement: Statement) -> tuple[str, tuple[str, ...]]:
    tokens = statement.tokens
    if tokens.accept("DATABASE", "ROLE"):
        return "database_role", tokens.name(2)
    if tokens.word(0) in ("SHARE", "APPLICATION") and tokens.tokens[tokens.index + 1].kind in ("word", "quoted"):
        raise errors.unsupported(f"GRANT TO {tokens.word()}")
    if tokens.word() == "USER" and tokens.tokens[tokens.index + 1].kind in ("word", "quoted"):
        tokens.index += 1
        return "user", tokens.name(1)
    if tokens.word() == "ROLE" and tokens.tokens[tokens.index + 1].kind in ("word", "quoted"):
        tokens.index += 1
    return "role", tokens.name(1)


# finding ---------------------------------------------------------------------------------------------------------


def _find_target(statement: Statement, target: Target) -> None:
    if target.form == "account":
        return
    if target.form == "object":
        target.items = [statement.find(target.kind, target.parts, target.signature)]
        return
    form, where = target.form.split(":")
    container = statement.find(where, target.parts)
    target.form, target.container = form, container.number
    if form == "all":
        spec = TYPES[target.kind]
        for number in show.containers_below(statement, spec, container.number):
            target.items += [
                item
                for item in statement.catalog.of_kind(number, target.kind)
                if statement.access.sees(statement.roles, item) and not item.hidden_from(statement.session.session_id)
            ]


def _grantee(statement: Statement, kind: str, parts: tuple[str, ...], target: Target) -> CatalogObject:
    role = statement.find(kind, parts)
    if kind == "database_role":
        database = statement.catalog.database_of(role)
        numbers = [item.number for item in target.items] or ([target.container] if target.container else [])
        for number in numbers:
            owner = statement.catalog.database_of(statement.catalog.objects[number])
            if owner is not database:
                raise errors.access_control(3072, f"Database role '{role.name}' is limited to its own database.")
        if target.form == "account":
            raise errors.access_control(3072, f"Database role '{role.name}' cannot hold account level privileges.")
    return role


def _expand(privileges: list[str], kind: str) -> list[str]:
    valid = privileges_of(kind)
    if privileges == ["ALL"]:
        return list(valid)
    for privilege in privileges:
        on_class = kind == "schema" and privilege in CLASS_PRIVILEGES
        if privilege != "OWNERSHIP" and privilege not in valid and not on_class:
            name = kind.upper().replace("_", " ")
            raise errors.access_control(3008, f"Invalid object type '{name}' for privilege '{privilege}'")
    return privileges


def _fitting(privileges: list[str], expanded: list[str], item: CatalogObject) -> list[str]:
    found = [privilege for privilege in expanded if fits(privilege, item)]
    if privileges != ["ALL"] and len(found) < len(expanded):
        wrong = next(privilege for privilege in expanded if privilege not in found)
        raise errors.access_control(3008, f"Invalid object type 'STAGE' for privilege '{wrong}' on this kind of stage")
    return found


def _for_user(privileges: list[str], expanded: list[str], target: Target) -> list[str]:
    """What of it a user can have: no CREATE, no OWNERSHIP, nothing on future objects (grant-privilege-user)."""
    if target.form == "future":
        raise errors.access_control(3008, "Future grants cannot be made to a user.")
    found = [each for each in expanded if each != "OWNERSHIP" and not each.startswith("CREATE ")]
    if privileges != ["ALL"] and len(found) < len(expanded):
        wrong = next(each for each in expanded if each not in found)
        raise errors.access_control(3008, f"Privilege '{wrong}' cannot be granted to a user.")
    return found


def _check_stage(
    statement: Statement, item: CatalogObject, to: CatalogObject, *, adding: Sequence[str] = (),
    removing: Sequence[str] = (),
) -> None:  # fmt: skip
    """On an internal stage WRITE comes with or after READ and goes with or before it (privileges of stages)."""
    if item.kind != "stage":
        return
    held = {privilege for privilege, role in statement.catalog.grants_on.get(item.number, {}) if role == to.number}
    if "WRITE" in adding and "READ" not in held | set(adding):
        text = f"Cannot grant WRITE on stage '{item.name}': READ must be granted first, or with it."
        raise errors.access_control(3010, text)
    if "READ" in removing and "WRITE" in held - set(removing):
        text = f"Cannot revoke READ on stage '{item.name}': WRITE must be revoked first, or with it."
        raise errors.access_control(3010, text)


# authority -------------------------------------------------------------------------------------------------------


def _managed_schema(statement: Statement, item: CatalogObject) -> CatalogObject | None:
    parent = statement.catalog.objects.get(item.parent)
    return parent if parent is not None and parent.kind == "schema" and parent.state.get("MANAGED") else None


def _grantor(statement: Statement, item: CatalogObject, privilege: str) -> int | None:
    """The role that grants: the owner for MANAGE GRANTS and owners, else a role that holds the grant option."""
    roles = statement.roles
    if statement.access.holds_account(roles, _MANAGE):
        return item.owner
    managed = _managed_schema(statement, item)
    if managed is not None:
        if managed.owner in roles:
            return managed.owner
    elif item.owner in roles:
        return item.owner
    for role in roles:
        held = statement.catalog.grants_on.get(item.number, {}).get((privilege, role))
        if held is not None and held.grantable:
            return role
    raise errors.insufficient(TYPES[item.kind].words, item.name)


def _grantor_on_account(statement: Statement, privilege: str) -> int:
    roles = statement.roles
    if statement.access.holds_account(roles, _MANAGE):
        return statement.primary_role().number
    for role in roles:
        held = statement.catalog.grants_on.get(ACCOUNT, {}).get((privilege, role))
        if held is not None and held.grantable:
            return role
    raise errors.insufficient("account", statement.account.name)


# future ----------------------------------------------------------------------------------------------------------


def _may_grant_future(statement: Statement, container: CatalogObject) -> None:
    roles = statement.roles
    if statement.access.holds_account(roles, _MANAGE):
        return
    if container.kind == "schema" and container.state.get("MANAGED") and container.owner in roles:
        return
    raise errors.insufficient(TYPES[container.kind].words, container.name)


def _grant_future(
    statement: Statement, privileges: list[str], target: Target, to: CatalogObject, *, option: bool
) -> None:
    catalog = statement.catalog
    _may_grant_future(statement, catalog.objects[target.container])
    entries = catalog.future.setdefault(target.container, [])
    for privilege in privileges:
        same = [e for e in entries if (e.privilege, e.kind, e.to) == (privilege, target.kind, to.number)]
        if same:
            same[0].grantable = same[0].grantable or option
            continue
        if privilege == "OWNERSHIP" and any(e.privilege == "OWNERSHIP" and e.kind == target.kind for e in entries):
            raise errors.access_control(3042, "A future grant of OWNERSHIP exists for this object type already.")
        by = statement.primary_role().number
        entries.append(FutureGrant(privilege, target.kind, target.container, to.number, statement.now, option, by))


def _revoke_future(statement: Statement, privileges: list[str], target: Target, to: CatalogObject) -> None:
    catalog = statement.catalog
    _may_grant_future(statement, catalog.objects[target.container])
    wanted = {(privilege, target.kind, to.number) for privilege in privileges}
    entries = catalog.future.get(target.container, [])
    catalog.future[target.container] = [e for e in entries if (e.privilege, e.kind, e.to) not in wanted]


def _revoke_on(
    statement: Statement, number: int, privileges: list[str], to: CatalogObject, *, only_option: bool, cascade: bool
) -> None:
    catalog = statement.catalog
    for privilege in privileges:
        held = catalog.grants_on.get(number, {}).get((privilege, to.number))
        if held is None:
            continue
        dependent = [
            other
            for other in catalog.grants_on[number].values()
            if other.privilege == privilege and other.granted_by == to.number and other.to != to.number
        ]
        item = catalog.objects.get(number)
        if dependent and not cascade and (item is None or item.owner != to.number):
            raise errors.access_control(3016, f"Dependent grant of '{privilege}' exists; revoke it or use CASCADE.")
        if cascade and (item is None or item.owner != to.number):
            for other in dependent:
                receiver = catalog.objects[other.to]
                _revoke_on(statement, number, [privilege], receiver, only_option=False, cascade=True)
        if only_option:
            held.grantable = False
        else:
            catalog.revoke(held)


# ownership -------------------------------------------------------------------------------------------------------


def _grant_ownership(statement: Statement) -> Result:
    tokens = statement.tokens
    target = _read_target(statement)
    tokens.expect("TO")
    kind, name = _read_grantee(statement)
    current = ""
    if tokens.word() in ("REVOKE", "COPY"):
        current = tokens.any_word()
        tokens.expect("CURRENT", "GRANTS")
    statement.finish_parsing()
    _find_target(statement, target)
    to = _grantee(statement, kind, name, target)
    if target.form == "account" or to.kind == "user":
        raise errors.access_control(3008, "Invalid object type 'ACCOUNT' for privilege 'OWNERSHIP'")
    if target.form == "future":
        _grant_future(statement, ["OWNERSHIP"], target, to, option=False)
    else:
        for item in target.items:
            _check_transfer(statement, item, to, current)
        for item in target.items:
            _transfer(statement, item, to, current)
    statement.account.changed = True
    return status(_DONE)


def _check_transfer(statement: Statement, item: CatalogObject, to: CatalogObject, current: str) -> None:
    manages = statement.access.holds_account(statement.roles, _MANAGE)
    if item.owner not in statement.roles and not manages:
        raise errors.insufficient(TYPES[item.kind].words, item.name)
    if item.state.get("system"):
        raise errors.insufficient(TYPES[item.kind].words, item.name)
    managed = _managed_schema(statement, item)
    inside = managed is not None and managed.owner is not None and not manages
    if inside and managed is not None and to.number not in statement.access.closure(managed.owner or 0):
        text = "Ownership in a managed access schema can only go to a role below the schema owner."
        raise errors.access_control(3036, text)
    outbound = [g for g in statement.catalog.grants_on.get(item.number, {}).values() if g.to != to.number]
    if outbound and not current and item.owner != to.number:
        text = "Dependent grant of privilege '{}' on securable '{}' to role '{}' exists.  It must be revoked first.  More than one dependent grant may exist: use 'SHOW GRANTS' command to view them.  To revoke all dependent grants while transferring object ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO <target_role> REVOKE CURRENT GRANTS'."  # noqa: E501
        first = outbound[0]
        role = statement.catalog.objects[first.to].name
        raise errors.access_control(3016, text.format(first.privilege, statement.catalog.printed(item), role))


def _transfer(statement: Statement, item: CatalogObject, to: CatalogObject, current: str) -> None:
    catalog = statement.catalog
    before = item.owner
    if current == "REVOKE":
        catalog.revoke_all(item.number)
    elif current == "COPY":
        for entry in catalog.grants_on.get(item.number, {}).values():
            if entry.granted_by == before:
                entry.granted_by = to.number
    catalog.set_owner(item, to.number)
    if before != to.number and item.kind in families.OWNER_CHANGED:
        families.OWNER_CHANGED[item.kind](statement, item)
