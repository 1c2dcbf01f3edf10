"""Account roles granted to account roles and to users.

https://docs.snowflake.com/en/sql-reference/sql/grant-role, https://docs.snowflake.com/en/sql-reference/sql/revoke-role,
https://docs.snowflake.com/en/sql-reference/sql/show-grants
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.grants import names_of, unknown
from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Names,
    NotVisibleError,
    Place,
    Reader,
    Resource,
    Risk,
    Rows,
    Statement,
    Wanted,
    resource,
    statement,
)

_NAME = r'"(?:[^"]|"")*"|[A-Z_][A-Z0-9_$]*'
_DETAIL = re.compile(rf"ROLE (?P<role>{_NAME}) TO (?P<word>ROLE|USER) (?P<to>{_NAME})\Z")


@attrs.frozen
class Membership:
    """A role and who has it: ``word`` is ROLE or USER."""

    role: Identifier
    word: str
    to: Identifier

    @classmethod
    def of(cls, address: Address) -> Self:
        """What an address says."""
        match = _DETAIL.match(address.detail)
        if match is None:
            raise ValueError(f"{address} is not the address of a role grant")
        return cls(Identifier.parse(match["role"]), match["word"], Identifier.parse(match["to"]))

    @property
    def address(self) -> Address:
        """The address that says this."""
        return Address("role_grant", (self.role,), f"ROLE {self.role.sql} TO {self.word} {self.to.sql}")


@resource("role_grant", scope="account", sql="", depth=1, stateful=False)
class RoleGrant(Resource):
    """One role granted to one role or user; its address is its whole content."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (("OWNERSHIP", "the role"), ("MANAGE GRANTS", "the account"))
    naming: ClassVar[Mapping[str, Any]] = {
        "role": {"type": "string", "minLength": 1, "description": "The account role that is granted."},
        "to_role": {"type": "string", "minLength": 1, "description": "The account role that gets it."},
        "to_user": {"type": "string", "minLength": 1, "description": "The user that gets it."},
    }
    naming_required: ClassVar[tuple[str, ...]] = ("role",)

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError unless exactly one of to_role and to_user is given."""
        given = [word for word in ("to_role", "to_user") if word in document]
        if len(given) != 1:
            raise ValueError("give exactly one of `to_role` and `to_user`")
        role, to = (Identifier.parse(str(document.get(word) or "")) for word in ("role", given[0]))
        if given[0] == "to_role" and role == to:
            raise ValueError(f"role {role.sql} cannot be granted to itself")
        return Membership(role, given[0].removeprefix("to_").upper(), to).address

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Grants have no name to change."""
        raise ValueError("a grant has no name, so it cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The role, and who gets it."""
        grant = Membership.of(address)
        yield from names.at((grant.role,), ("role",))
        yield from names.at((grant.to,), (grant.word.lower(),))

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """GRANT ROLE."""
        grant = Membership.of(address)
        return [statement(f"GRANT ROLE {grant.role.sql} TO {grant.word} {grant.to.sql}")]

    def drop(self, address: Address) -> Sequence[Statement]:
        """REVOKE ROLE."""
        grant = Membership.of(address)
        return [statement(f"REVOKE ROLE {grant.role.sql} FROM {grant.word} {grant.to.sql}")]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Revoking takes access away."""
        if action is Action.DROP:
            grant = Membership.of(address)
            return Risk.DESTRUCTIVE, f"what {grant.word.lower()} {grant.to.sql} may do through role {grant.role.sql}"
        return Risk.SAFE, ""

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """Which of the wanted grants stand, by one statement per role that is granted or that gets roles.

        Whichever needs fewer statements: what is granted to each grantee, or who has each role.
        """
        grants = {Membership.of(each.address) for each in wanted}
        roles = {grant.role for grant in grants}
        grantees = {(grant.word, grant.to) for grant in grants}
        by_role = len(roles) <= len(grantees)
        held = _members(reader, roles) if by_role else _memberships(reader, grantees)
        return {grant.address: cls() for grant in grants if grant in held}


USAGE_OF_ROLE = ("USAGE", "ROLE")


def _members(reader: Reader, roles: set[Identifier]) -> set[Membership]:
    """Who has each of these roles."""
    answers = _answers(reader, {("role", role): f"SHOW GRANTS OF ROLE {role.sql}" for role in sorted(roles)})
    return {
        Membership(role, str(word).upper(), Identifier(to))
        for (_, role), rows in answers
        for word, to in rows.pick("granted_to", "grantee_name")
    }


def _memberships(reader: Reader, grantees: set[tuple[str, Identifier]]) -> set[Membership]:
    """Which roles each of these roles and users has."""
    statements = {(word.lower(), to): f"SHOW GRANTS TO {word} {to.sql}" for word, to in sorted(grantees)}
    held: set[Membership] = set()
    for (kind, to), rows in _answers(reader, statements):
        if kind == "user":
            held.update(Membership(Identifier(role), "USER", to) for (role,) in rows.pick("role"))
            continue
        for privilege, granted_on, name in rows.pick("privilege", "granted_on", "name"):
            if (privilege, granted_on) == USAGE_OF_ROLE:
                held.update(Membership(role, "ROLE", to) for role in names_of(str(name)))
    return held


def _answers(
    reader: Reader, statements: Mapping[tuple[str, Identifier], str]
) -> Iterator[tuple[tuple[str, Identifier], Rows]]:
    """The answer per kind and name; none for what the manifest is about to create."""
    started = {key: reader.start(text) for key, text in statements.items()}
    for (kind, name), future in started.items():
        try:
            yield (kind, name), future.result()
        except NotVisibleError as error:
            if (kind, (name,)) not in reader.expected:
                raise unknown(name, error, kind) from error
