"""Users: people and services that log in.

https://docs.snowflake.com/en/sql-reference/sql/create-user, https://docs.snowflake.com/en/sql-reference/sql/alter-user,
https://docs.snowflake.com/en/sql-reference/sql/show-users, https://docs.snowflake.com/en/sql-reference/sql/desc-user
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Identifier,
    Keyword,
    OnChange,
    Resource,
    Risk,
    SecretReference,
    Source,
    Statement,
    is_given,
    literal,
    parse_path,
    prop,
    resource,
    sql_path,
    statement,
)

__all__ = ["User", "UserType"]


class UserType(Keyword):
    """A person, a service, or a service that still logs in with a password."""

    PERSON = ("PERSON",)
    SERVICE = ("SERVICE",)
    LEGACY_SERVICE = ("LEGACY_SERVICE",)


_OF_PERSONS = ("first_name", "middle_name", "last_name", "password", "must_change_password")


@resource("user", scope="account", stateful=False)
class User(Resource):
    """A user of the account. Roles are given by `role_grant`.

    A password and whether it must be changed count at creation only: after it the user has them in hand. What runs out
    by itself (days to expiry, minutes to unlock or to bypass MFA) is not covered, nor are parameters, network and
    authentication policies of a user.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE USER", "the account"),
        ("OWNERSHIP", "the user"),
        ("MANAGE GRANTS", "the account, to see users of others"),
    )

    login_name: str | None = prop(default=None, unset=False, doc="Name to log in with; case counts for nothing.")
    display_name: str | None = prop(default=None, doc="Name that is shown.")
    first_name: str | None = prop(default=None, doc="Of a person.")
    middle_name: str | None = prop(default=None, source=Source.DESCRIBE, doc="Of a person.")
    last_name: str | None = prop(default=None, doc="Of a person.")
    email: str | None = prop(default=None, doc="E-mail address; a changed one has to be verified again.")
    type: UserType | None = prop(default=None, doc="PERSON, SERVICE or LEGACY_SERVICE.")
    password: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="First password, as a reference."
    )
    must_change_password: bool = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Whether it must be changed; at creation."
    )
    disabled: bool = prop(default=False, doc="Whether the user is shut out.")
    default_warehouse: Identifier | None = prop(default=None, refers_to="warehouse", doc="Warehouse of new sessions.")
    default_namespace: str | None = prop(default=None, doc="Database, or database and schema, of new sessions.")
    default_role: Identifier | None = prop(default=None, refers_to="role", doc="Role of new sessions; it grants none.")
    default_secondary_roles: tuple[str, ...] | None = prop(default=("ALL",), doc="ALL in a list, or an empty list.")
    rsa_public_key: str | None = prop(default=None, source=Source.DESCRIBE, doc="Public key in PEM, head and foot off.")
    rsa_public_key_2: str | None = prop(default=None, source=Source.DESCRIBE, doc="A second one, to change keys.")
    comment: str | None = prop(default="", doc="Free text.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What services have not, and names that are none."""
        if self.type is UserType.SERVICE:
            for name in _OF_PERSONS:
                if getattr(self, name) not in (ABSENT, None, False):
                    yield name, f"a user of type SERVICE has no {name!r}"
        if is_given(self.default_secondary_roles) and self.default_secondary_roles not in ((), ("ALL",)):
            yield "default_secondary_roles", "give [ALL] or an empty list"
        if is_given(self.default_namespace):
            try:
                if len(parse_path(str(self.default_namespace))) > 2:
                    yield "default_namespace", f"{self.default_namespace!r} has more than two parts"
            except ValueError as error:
                yield "default_namespace", str(error)

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A role that neither owns the user nor has MANAGE GRANTS sees the name alone, which is no difference."""
        if live is not None and not is_given(live.login_name):
            summary = f"{address} is there, but this role sees its name alone"
            hint = "It takes OWNERSHIP of the user, or MANAGE GRANTS on the account."
            yield Diagnostic.error("not-visible", summary, hint=hint, address=address)

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE USER."""
        pieces: list[str | SecretReference] = [f"CREATE USER {address.sql}"]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if isinstance(value, SecretReference):
                pieces += [f" {field.sql} = ", value]
            elif is_given(value):
                pieces.append(f" {field.sql} = {_clause(field.name, value)}")
        return [statement(*pieces)]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """ALTER USER … SET and UNSET; a login name that is unset is the name of the user."""
        by_name = self.spec.by_name
        given = [f"{by_name[c.path].sql} = {_clause(c.path, c.after)}" for c in changes if c.after is not None]
        given += [f"LOGIN_NAME = {literal(str(address.name))}" for c in changes if _unset_login(c)]
        gone = [by_name[c.path].sql for c in changes if c.after is None and not _unset_login(c)]
        head = f"ALTER USER {address.sql}"
        return [
            *([statement(f"{head} SET {' '.join(given)}")] if given else []),
            *([statement(f"{head} UNSET {', '.join(gone)}")] if gone else []),
        ]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs, by what names mean: a login name knows no case, a name that was not given is the user's."""
        found = []
        for change in super().changes(address, live, context):
            before, after = change.before, change.after
            if change.path == "login_name" and str(before or "").upper() == str(after or address.name).upper():
                continue
            if change.path == "display_name" and after is None and before == str(address.name):
                continue
            if change.path == "default_namespace" and _namespace(before) == _namespace(after):
                continue
            if change.path.startswith("rsa_public_key") and _key(before) == _key(after):
                continue
            found.append(change)
        return found

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping a user shuts somebody out, and hands over nothing."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the user, with its credentials, grants and worksheets"
        return Risk.SAFE, ""

    @classmethod
    def from_description(cls, rows: Any) -> dict[str, Any]:
        """The rows of DESCRIBE USER, which prints null as a word."""
        told = super().from_description(rows)
        return {name: None if value in (None, "", "null") else value for name, value in told.items()}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A live body."""
        body: Any = super().from_raw(raw)
        roles = body.default_secondary_roles
        whole: Self = attrs.evolve(body, default_secondary_roles=() if roles is None else roles)
        return whole


def _unset_login(change: FieldChange) -> bool:
    return change.path == "login_name" and change.after is None


def _clause(name: str, value: Any) -> str:
    return literal(sql_path(parse_path(value))) if name == "default_namespace" else literal(value)


def _namespace(text: Any) -> Any:
    try:
        return parse_path(str(text)) if text else None
    except ValueError:
        return text


def _key(text: Any) -> str:
    return "".join(str(text or "").split())
