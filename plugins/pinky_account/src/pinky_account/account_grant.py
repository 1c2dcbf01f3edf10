"""Privileges of account roles on the account and on objects of the account.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/sql-reference/sql/revoke-privilege
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.grants import PRIVILEGES, expanded, grants_to, names_of, privilege_of, unknown
from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Names,
    Place,
    Reader,
    Resource,
    Risk,
    Rows,
    Statement,
    Wanted,
    prop,
    resource,
    statement,
)

_NAME = r'"(?:[^"]|"")*"|[A-Z_][A-Z0-9_$]*'
_TYPES = "|".join(sorted(PRIVILEGES, key=len, reverse=True))
_DETAIL = re.compile(
    rf"(?P<privilege>[A-Z0-9_$. ]+?) ON (?P<on>{_TYPES})(?: (?P<name>{_NAME}))? TO ROLE (?P<role>{_NAME})\Z"
)
#: Kinds of resources that are integrations.
_INTEGRATIONS = (
    "api_integration", "external_access_integration", "notification_integration", "security_integration",
    "storage_integration",
)  # fmt: skip


@attrs.frozen
class Grant:
    """One grant: ``name`` is None for the account itself."""

    privilege: str
    on: str
    name: Identifier | None
    role: Identifier

    @classmethod
    def of(cls, address: Address) -> Self:
        """What an address says."""
        match = _DETAIL.match(address.detail)
        if match is None:
            raise ValueError(f"{address} is not the address of an account grant")
        name = Identifier.parse(match["name"]) if match["name"] else None
        return cls(match["privilege"], match["on"], name, Identifier.parse(match["role"]))

    @property
    def target(self) -> str:
        """What follows ON in a statement."""
        return self.on if self.name is None else f"{self.on} {self.name.sql}"

    @property
    def address(self) -> Address:
        """The address that says this; a grant on the account belongs to no object, so the role stands in its path."""
        path = (self.name if self.name is not None else self.role,)
        return Address("account_grant", path, f"{self.privilege} ON {self.target} TO ROLE {self.role.sql}")


@resource("account_grant", scope="account", sql="", depth=1, stateful=False)
class AccountGrant(Resource):
    """One privilege of an account role on the account or on an object of the account."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (("OWNERSHIP", "the object"), ("MANAGE GRANTS", "the account"))
    naming: ClassVar[Mapping[str, Any]] = {
        "privilege": {"type": "string", "minLength": 1, "description": "A privilege, or ALL of the type of object."},
        "on": {
            "type": "object",
            "description": "The account, or one object by its type.",
            "properties": {
                "account": {"const": True},
                **{
                    word.lower().replace(" ", "_"): {"type": "string", "minLength": 1}
                    for word in PRIVILEGES
                    if word != "ACCOUNT"
                },
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "to_role": {"type": "string", "minLength": 1, "description": "The account role that gets it."},
    }
    naming_required: ClassVar[tuple[str, ...]] = ("privilege", "on", "to_role")

    with_grant_option: bool = prop(default=False, doc="Whether the role may pass the privilege on.")
    #: What the role holds of what is wanted, and whether it may pass that on; only live bodies have it.
    held: Mapping[str, bool] = attrs.field(factory=dict, eq=False)

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError with what is wrong, and the nearest privilege."""
        on = document.get("on")
        if not isinstance(on, Mapping) or len(on) != 1:
            raise ValueError("`on` takes exactly one of account, warehouse, database and the other types")
        ((word, value),) = on.items()
        kind = str(word).upper().replace("_", " ")
        if kind not in PRIVILEGES:
            raise ValueError(f"{word!r} is not a type of object of the account")
        name = None if kind == "ACCOUNT" else Identifier.parse(str(value))
        role = Identifier.parse(str(document.get("to_role") or ""))
        return Grant(privilege_of(document.get("privilege"), kind), kind, name, role).address

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Grants have no name to change."""
        raise ValueError("a grant has no name, so it cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The object and the role."""
        grant = Grant.of(address)
        yield from names.at((grant.role,), ("role",))
        if grant.name is not None:
            kind = grant.on.lower().replace(" ", "_")
            yield from names.at((grant.name,), _INTEGRATIONS if grant.on == "INTEGRATION" else (kind,))

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """GRANT, with ALL spelled out."""
        grant = Grant.of(address)
        return [self._grant(grant, expanded(grant.privilege, grant.on))]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """Privileges that are missing (of ALL), and the right to pass them on."""
        wanted = expanded(Grant.of(address).privilege, Grant.of(address).on)
        found = []
        missing = [each for each in wanted if each not in live.held]
        if missing:
            found.append(FieldChange("privilege", ", ".join(live.held), ", ".join(wanted), note="missing"))
        if self._option_differs(live):
            found.append(FieldChange("with_grant_option", not self.with_grant_option, self.with_grant_option))
        return found

    def _option_differs(self, live: Self) -> list[str]:
        wish: Any = self.with_grant_option
        wish = False if wish is None else wish
        return [each for each, option in live.held.items() if isinstance(wish, bool) and option is not wish]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """GRANT what is missing; grant again, or revoke only, the right to pass on."""
        grant = Grant.of(address)
        missing = [each for each in expanded(grant.privilege, grant.on) if each not in live.held]
        differing = self._option_differs(live)
        statements = []
        if self.with_grant_option is True:
            missing += differing
        elif differing:
            revoked = ", ".join(differing)
            statements.append(
                statement(f"REVOKE GRANT OPTION FOR {revoked} ON {grant.target} FROM ROLE {grant.role.sql}")
            )
        return [self._grant(grant, missing), *statements] if missing else statements

    def _grant(self, grant: Grant, privileges: Sequence[str]) -> Statement:
        option = " WITH GRANT OPTION" if self.with_grant_option is True else ""
        return statement(f"GRANT {', '.join(privileges)} ON {grant.target} TO ROLE {grant.role.sql}{option}")

    def drop(self, address: Address) -> Sequence[Statement]:
        """REVOKE what this live grant holds."""
        grant = Grant.of(address)
        return [statement(f"REVOKE {', '.join(self.held)} ON {grant.target} FROM ROLE {grant.role.sql}")]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Revoking takes access away."""
        role = Grant.of(address).role.sql
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, f"what role {role} may do by this privilege"
        if any(change.path == "with_grant_option" and not change.after for change in changes):
            return Risk.DESTRUCTIVE, f"the right of role {role} to pass the privilege on"
        return Risk.SAFE, ""

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """Which of the wanted privileges are held, by one statement per role."""
        grants = [Grant.of(each.address) for each in wanted]
        roles = sorted({grant.role for grant in grants})
        for role in roles:
            reader.start(f"SHOW GRANTS TO ROLE {role.sql}")
        holdings = {role: _holding(grants_to(reader, role)) for role in roles}
        found: dict[Address, Resource] = {}
        for grant in grants:
            held = {
                privilege: option
                for privilege in expanded(grant.privilege, grant.on)
                if (option := holdings[grant.role].get((privilege, grant.on, grant.name))) is not None
            }
            if held:
                found[grant.address] = cls(with_grant_option=all(held.values()), held=held)
        _refuse_unknown(reader, [grant for grant in grants if grant.address not in found])
        return found


#: Types whose objects are listed to tell one that is not there from one on which nothing is granted.
_LISTED: Mapping[str, str] = {"DATABASE": "DATABASES", "WAREHOUSE": "WAREHOUSES"}


def _refuse_unknown(reader: Reader, grants: Sequence[Grant]) -> None:
    """Raise `NotVisibleError` for an object that is neither there nor about to be created."""
    for on, plural in _LISTED.items():
        names = {grant.name for grant in grants if grant.on == on and grant.name is not None}
        names = {name for name in names if (on.lower(), (name,)) not in reader.expected}
        missing = sorted(
            names - {Identifier(name) for (name,) in reader.listing(plural, ()).pick("name")} if names else ()
        )
        if missing:
            raise unknown(missing[0], kind=on.lower())


def _holding(rows: Rows) -> dict[tuple[str, str, Identifier | None], bool]:
    """Privilege, type and name of what a role holds, with whether it may pass it on.

    IMPORTED PRIVILEGES on a shared database shows as USAGE of it. Several grantors may have given the same.
    """
    held: dict[tuple[str, str, Identifier | None], bool] = {}
    for privilege, granted_on, name, option in rows.pick("privilege", "granted_on", "name", "grant_option"):
        on = str(granted_on).upper().replace("_", " ")
        on = "INTEGRATION" if on.endswith(" INTEGRATION") else on
        may_pass = str(option).lower() == "true"
        names = [None] if on == "ACCOUNT" else [*names_of(str(name))]
        words = [privilege, "IMPORTED PRIVILEGES"] if (privilege, on) == ("USAGE", "DATABASE") else [privilege]
        for each in names:
            for word in words:
                key = (str(word), on, each)
                held[key] = held.get(key, False) or may_pass
    return held
