"""Policies on users: SET and UNSET POLICY, what cannot be dropped, DESCRIBE, and POLICY_REFERENCES.

https://docs.snowflake.com/en/sql-reference/sql/alter-user, drop-authentication-policy, drop-password-policy,
drop-session-policy, and https://docs.snowflake.com/en/sql-reference/functions/policy_references. A policy is kept with
the user by its number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import context, errors, families, identifiers, show
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.information_schema import columns_of
from pinky_local.engine.runs import arguments as named
from pinky_local.engine.specs.policies import ATTACHED
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn, SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_COLUMNS = columns_of(
    "POLICY_DB POLICY_SCHEMA POLICY_NAME POLICY_KIND REF_DATABASE_NAME REF_SCHEMA_NAME REF_ENTITY_NAME "
    "REF_ENTITY_DOMAIN REF_COLUMN_NAME REF_ARG_COLUMN_NAMES TAG_DATABASE TAG_SCHEMA TAG_NAME POLICY_STATUS"
)
_KINDS = (*ATTACHED.values(), "network_policy")
_SELECT_TYPE = 0x1000
_ENTITIES = {"TABLE": ("table", "event_table"), "VIEW": ("view",), "TAG": ("tag",)}  # none of them has a policy here


def read_alter_user(statement: Statement, user: CatalogObject) -> Callable[[], None] | None:
    """Read SET … POLICY name [FORCE] or UNSET … POLICY; None for other actions."""
    tokens = statement.tokens
    for word in ATTACHED:
        if tokens.accept("SET", word, "POLICY"):
            parts = tokens.name()
            force = tokens.accept("FORCE")
            return partial(_attach, statement, user, word, parts, force=force)
        if tokens.accept("UNSET", word, "POLICY"):
            return partial(_detach, statement, user, word)
    return None


def _require(statement: Statement, user: CatalogObject, word: str, policy: CatalogObject | None) -> None:
    """APPLY … POLICY on the account; or ownership of the user with APPLY on the policy."""
    if statement.access.holds_account(statement.roles, f"APPLY {word} POLICY"):
        return
    if user.owner not in statement.roles:
        raise errors.insufficient("USER", user.name)
    if policy is not None:
        statement.require(policy, "APPLY")


def _attach(statement: Statement, user: CatalogObject, word: str, parts: tuple[str, ...], *, force: bool) -> None:
    policy = statement.find(ATTACHED[word], parts)
    _require(statement, user, word, policy)
    held = user.state.setdefault("policies", {})
    before = statement.catalog.objects.get(held.get(word, -1))
    if before is not None and before is not policy and not force:
        text = f"Object {identifiers.printed(user.name)} already has a {word}_POLICY. Only one is allowed at a time."
        raise SqlError(3546, "23001", text)
    held[word] = policy.number


def _detach(statement: Statement, user: CatalogObject, word: str) -> None:
    held = user.state.setdefault("policies", {})
    policy = statement.catalog.objects.get(held.get(word, -1))
    _require(statement, user, word, policy)
    if policy is None:
        text = f"Any policy of kind {word}_POLICY is not attached to USER {identifiers.printed(user.name)}."
        raise SqlError(3534, "23001", text)
    del held[word]


# what is attached ----------------------------------------------------------------------------------------------------


def _attached(statement: Statement) -> Iterator[tuple[CatalogObject, CatalogObject]]:
    """Every policy that a user has, with the user."""
    for user in statement.catalog.of_kind(ACCOUNT, "user"):
        for number in (user.state.get("policies") or {}).values():
            policy = statement.catalog.objects.get(number)
            if policy is not None:
                yield policy, user
        name = user.parameters.get("NETWORK_POLICY")
        policy = statement.catalog.get(ACCOUNT, "network_policy", str(name)) if name else None
        if policy is not None:
            yield policy, user


def _check_drop(statement: Statement, item: CatalogObject) -> None:
    """Raise for a policy that is set on a user, and for a container that holds one."""
    going = {child.number for child in statement.catalog.below(item)}
    for policy, user in _attached(statement):
        if policy.number in going:
            name = statement.catalog.printed(policy)
            text = f"Cannot drop {item.kind.replace('_', ' ')} because policy '{name}' is set on user '{user.name}'."
            raise SqlError(3537, "23001", f"{text} Unset the policy '{name}' and then try the drop operation again.")


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE of a policy as property, value, default, description."""
    found = []
    for declared in statement.spec(item).properties:
        if declared.default is not None or item.properties.get(declared.name) is not None:
            value = item.properties.get(declared.name, declared.default)
            found.append([declared.name, _shown(value), _shown(declared.default), ""])
    names = ("property", "value", "default", "description")
    return rows([ResultColumn(name, length=16_777_216) for name in names], found, show.DESCRIBE_TYPE)


def describe_network(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE NETWORK POLICY as name and value, of what has one; rules as Snowflake's Terraform provider reads
    them, a list of objects.
    """
    held = item.properties
    lists = [declared.name for declared in statement.spec(item).properties if declared.name.endswith("_LIST")]
    found = [[name, _entries(name, held[name])] for name in lists if held.get(name)]
    return rows([ResultColumn(name, length=16_777_216) for name in ("name", "value")], found, show.DESCRIBE_TYPE)


def _entries(name: str, values: list[str]) -> str:
    if "RULE" not in name:
        return ",".join(values)
    return json.dumps([{"fullyQualifiedRuleName": value} for value in values], separators=(",", ":"))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    return "null" if value is None else str(value)


# POLICY_REFERENCES ---------------------------------------------------------------------------------------------------


def table_function(account: Account, name: str, arguments: Sequence[Any], session: SessionContext) -> Result | None:
    """INFORMATION_SCHEMA.POLICY_REFERENCES by entity or by policy; None for another function's name."""
    if name.upper().split(".")[-2:] != ["INFORMATION_SCHEMA", "POLICY_REFERENCES"]:
        return None
    known = ("POLICY_NAME", "POLICY_KIND", "REF_ENTITY_NAME", "REF_ENTITY_DOMAIN")
    given = named.read("POLICY_REFERENCES", arguments, *known)
    with account.lock:
        statement = Statement(account, session, "SELECT 1", (), "")
        if "POLICY_NAME" in given:
            policy = _policy(statement, str(given["POLICY_NAME"]), given.get("POLICY_KIND"))
            found = [(one, user) for one, user in _attached(statement) if one is policy]
        elif {"REF_ENTITY_NAME", "REF_ENTITY_DOMAIN"} <= given.keys():
            entity = _entity(statement, str(given["REF_ENTITY_NAME"]), str(given["REF_ENTITY_DOMAIN"]))
            found = [(policy, user) for policy, user in _attached(statement) if user is entity]
        else:
            text = "not enough arguments for function [POLICY_REFERENCES], needs a policy, or an entity and its domain"
            raise errors.compilation(938, "22023", text)
        values = [_row(statement, policy, user) for policy, user in found]
    return Result(_COLUMNS, values, _SELECT_TYPE)


def _policy(statement: Statement, name: str, kind: Any) -> CatalogObject:
    parts = identifiers.parse_dotted(name)
    if kind is not None:
        if str(kind).upper() != "NETWORK_POLICY":
            raise errors.invalid_value(str(kind), "POLICY_KIND")
        return statement.find("network_policy", parts)
    for each in ATTACHED.values():
        if statement.lookup(each, parts) is not None:
            return statement.find(each, parts)
    raise errors.not_found("Policy", name)


def _entity(statement: Statement, name: str, domain: str) -> CatalogObject | None:
    """The user; None for objects that no policy here can be on. Raises 2003 for what does not exist."""
    parts = identifiers.parse_dotted(name)
    if domain.upper() == "USER":
        return statement.find("user", parts)
    kinds = _ENTITIES.get(domain.upper())
    if kinds is None:
        raise errors.invalid_value(domain, "REF_ENTITY_DOMAIN")
    if not any(statement.lookup(kind, parts) is not None for kind in kinds):
        statement.find(kinds[0], parts)
    return None


def _row(statement: Statement, policy: CatalogObject, user: CatalogObject) -> list[Any]:
    path = statement.catalog.path(policy)
    place = path[:2] if len(path) == 3 else (None, None)
    nothing = [None] * 5
    return [*place, policy.name, policy.kind.upper(), None, None, user.name, "USER", *nothing, "ACTIVE"]


for _kind in ATTACHED.values():
    families.DESCRIBE[_kind] = describe
families.DESCRIBE["network_policy"] = describe_network
for _kind in (*_KINDS, "schema", "database"):
    families.DROP_CHECK[_kind] = _check_drop
context.TABLE_FUNCTIONS.append(table_function)
