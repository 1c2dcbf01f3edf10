"""Users: people and services that log in.

https://docs.snowflake.com/en/sql-reference/sql/create-user, https://docs.snowflake.com/en/sql-reference/sql/alter-user,
https://docs.snowflake.com/en/sql-reference/sql/show-users, https://docs.snowflake.com/en/sql-reference/sql/desc-user,
https://docs.snowflake.com/en/user-guide/admin-user-management, and for policies
https://docs.snowflake.com/en/sql-reference/functions/policy_references
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.user_parameters import UserParameters
from pinky_account.workload_identity import WorkloadIdentity, identity_of, same_identity
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
    QualifiedName,
    Reader,
    Risk,
    SecretReference,
    Source,
    Statement,
    Wanted,
    is_given,
    literal,
    parse_path,
    prop,
    resource,
    sql_path,
    statement,
    string_literal,
)

__all__ = ["User", "UserType"]


class UserType(Keyword):
    """A person, a service, an agent, or a service that still logs in with a password."""

    PERSON = ("PERSON",)
    SERVICE = ("SERVICE",)
    SERVICE_AGENT = ("SERVICE_AGENT",)
    LEGACY_SERVICE = ("LEGACY_SERVICE",)


class Interface(Keyword):
    """What a user may open."""

    ALL = ("ALL",)
    SNOWFLAKE_INTELLIGENCE = ("SNOWFLAKE_INTELLIGENCE",)
    STREAMLIT = ("STREAMLIT",)


_SERVICES = (UserType.SERVICE, UserType.SERVICE_AGENT)
_OF_PERSONS = ("first_name", "middle_name", "last_name", "password", "must_change_password", "mins_to_bypass_mfa")
POLICIES = ("authentication_policy", "password_policy", "session_policy")
"""The fields that are policies; each has its own statement, and is read by POLICY_REFERENCES."""
_READ_APART = frozenset({*POLICIES, "workload_identity"})
AT_ONCE = 100
"""Users asked for their policies in one statement."""


@resource("user", scope="account", stateful=False)
class User(UserParameters):
    """A user of the account. Roles are given by `role_grant`.

    A password, whether it must be changed, minutes to unlock or to bypass MFA, and interfaces count at creation only:
    after it the user has them in hand, they run out, or Snowflake does not tell them. Of days to expiry, which run out
    too, it counts whether there are any: declared on a user that never expires they are set, and null ends them.
    Parameters, policies and the workload identity take a statement each for a user that declares some.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE USER", "the account"),
        ("OWNERSHIP", "the user"),
        ("MANAGE GRANTS", "the account, to see users of others"),
        ("APPLY … POLICY", "the account or the user, and on the policy, to attach one"),
        ("AUDIT", "the account, for the parameters ENABLE_UNREDACTED_…"),
        ("MONITOR", "the user, to see a workload identity"),
    )

    login_name: str | None = prop(default=None, unset=False, doc="Name to log in with; case counts for nothing.")
    display_name: str | None = prop(default=None, doc="Name that is shown.")
    first_name: str | None = prop(default=None, doc="Of a person.")
    middle_name: str | None = prop(default=None, source=Source.DESCRIBE, doc="Of a person.")
    last_name: str | None = prop(default=None, doc="Of a person.")
    email: str | None = prop(default=None, doc="E-mail address; a changed one has to be verified again.")
    type: UserType | None = prop(
        default=UserType.PERSON, doc="PERSON, SERVICE, SERVICE_AGENT or LEGACY_SERVICE, which is deprecated."
    )
    password: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="First password, as a reference."
    )
    must_change_password: bool = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Whether it must be changed; at creation."
    )
    disabled: bool = prop(default=False, doc="Whether the user is shut out.")
    days_to_expiry: int | None = prop(
        default=None, minimum=1, doc="Days after which the user may not log in any more; null is never."
    )
    mins_to_unlock: int | None = prop(
        default=None, minimum=0, on_change=OnChange.IGNORE, source=Source.NOWHERE,
        doc="Minutes in which the user cannot log in yet; at creation.",
    )  # fmt: skip
    mins_to_bypass_mfa: int | None = prop(
        default=None, minimum=0, on_change=OnChange.IGNORE, source=Source.NOWHERE,
        doc="Minutes in which a person logs in without MFA; at creation.",
    )  # fmt: skip
    allowed_interfaces: tuple[Interface, ...] | None = prop(
        default=(Interface.ALL,), on_change=OnChange.IGNORE, source=Source.NOWHERE,
        doc="What the user may open: ALL, or some of SNOWFLAKE_INTELLIGENCE and STREAMLIT; at creation.",
    )  # fmt: skip
    default_warehouse: Identifier | None = prop(default=None, refers_to="warehouse", doc="Warehouse of new sessions.")
    default_namespace: str | None = prop(default=None, doc="Database, or database and schema, of new sessions.")
    default_role: Identifier | None = prop(default=None, refers_to="role", doc="Role of new sessions; it grants none.")
    default_secondary_roles: tuple[str, ...] | None = prop(default=("ALL",), doc="ALL in a list, or an empty list.")
    rsa_public_key: str | None = prop(default=None, source=Source.DESCRIBE, doc="Public key in PEM, head and foot off.")
    rsa_public_key_2: str | None = prop(default=None, source=Source.DESCRIBE, doc="A second one, to change keys.")
    workload_identity: WorkloadIdentity | None = prop(
        default=None, source=Source.DESCRIBE, doc="Who the user is to its cloud (SERVICE, SERVICE_AGENT)."
    )
    authentication_policy: QualifiedName | None = prop(
        default=None, source=Source.DESCRIBE, refers_to="authentication_policy", doc="How the user may log in."
    )
    password_policy: QualifiedName | None = prop(
        default=None, source=Source.DESCRIBE, refers_to="password_policy", doc="What passwords must be like."
    )
    session_policy: QualifiedName | None = prop(
        default=None, source=Source.DESCRIBE, refers_to="session_policy", doc="When sessions end."
    )
    comment: str | None = prop(default="", doc="Free text.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What services have not, and names that are none."""
        if self.type in _SERVICES:
            for name in _OF_PERSONS:
                if getattr(self, name) not in (ABSENT, None, False):
                    yield name, f"a user of type {self.type} has no {name!r}"
        if isinstance(self.workload_identity, WorkloadIdentity):
            yield from (("workload_identity", text) for text in self.workload_identity.mistakes())
            if is_given(self.type) and self.type not in _SERVICES:
                yield "workload_identity", f"a user of type {self.type} has none; it is for SERVICE and SERVICE_AGENT"
        if is_given(self.allowed_interfaces):
            interfaces = self.allowed_interfaces or ()
            if not interfaces or (Interface.ALL in interfaces and len(interfaces) > 1):
                yield "allowed_interfaces", "give [ALL], or a list of others"
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
        """CREATE USER, then a statement for each policy."""
        pieces: list[str | SecretReference] = [f"CREATE USER {address.sql}"]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if isinstance(value, SecretReference):
                pieces += [f" {field.sql} = ", value]
            elif is_given(value) and field.name not in POLICIES:
                pieces.append(f" {field.sql} = {_clause(field.name, value)}")
        attached = [_attach(address, name, getattr(self, name)) for name in POLICIES if is_given(getattr(self, name))]
        return [statement(*pieces), *attached]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """ALTER USER … SET and UNSET, then policies; a login name that is unset is the name of the user.

        FORCE lets another policy take the place of one, so that the user is never without.
        """
        by_name = self.spec.by_name
        plain = [change for change in changes if change.path not in POLICIES]
        given = [f"{by_name[c.path].sql} = {_clause(c.path, c.after)}" for c in plain if c.after is not None]
        given += [f"LOGIN_NAME = {literal(str(address.name))}" for c in plain if _unset_login(c)]
        gone = [by_name[c.path].sql for c in plain if c.after is None and not _unset_login(c)]
        head = f"ALTER USER {address.sql}"
        return [
            *([statement(f"{head} SET {' '.join(given)}")] if given else []),
            *([statement(f"{head} UNSET {', '.join(gone)}")] if gone else []),
            *(_attach(address, c.path, c.after, before=c.before) for c in changes if c.path in POLICIES),
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
            if change.path == "days_to_expiry" and before is not None and after is not None:
                continue  # they run out, a little every minute
            if change.path == "workload_identity" and after is not None and same_identity(before, after):
                continue
            found.append(change)
        return found

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping a user shuts somebody out, and hands over nothing."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the user, with its credentials, grants and worksheets"
        return Risk.SAFE, ""

    @classmethod
    def needs_description(cls, fields: frozenset[str]) -> bool:
        """What is read by statements of its own is not in DESCRIBE."""
        return super().needs_description(fields - _READ_APART)

    @classmethod
    def read_details(
        cls, reader: Reader, found: dict[Address, dict[str, Any]], wanted: Mapping[Address, Wanted]
    ) -> None:
        """DESCRIBE and SHOW PARAMETERS where they are needed, and what has statements of its own."""
        declared = {address: wanted[address].fields for address in found if address in wanted}
        with_policies = [address for address, fields in declared.items() if fields & set(POLICIES)]
        with_identity = [address for address, fields in declared.items() if "workload_identity" in fields]
        identities = {a: f"SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS FOR USER {a.sql}" for a in with_identity}
        parts = [with_policies[start : start + AT_ONCE] for start in range(0, len(with_policies), AT_ONCE)]
        for text in (*identities.values(), *map(_asked_policies, parts)):
            reader.start(text)
        super().read_details(reader, found, wanted)
        for address, text in identities.items():
            found[address]["workload_identity"] = identity_of(reader.rows(text))
        for part in parts:
            for address in part:
                found[address].update(dict.fromkeys(POLICIES))
            for row in reader.rows(_asked_policies(part)):
                name = str(row["policy_kind"]).lower()
                if name in POLICIES:
                    path = (row["policy_db"], row["policy_schema"], row["policy_name"])
                    found[part[int(row["asked"])]][name] = sql_path(path)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of SHOW USERS; of days to expiry, fractions are told."""
        raw = super().from_row(row)
        days = raw.get("days_to_expiry")
        return {**raw, "days_to_expiry": None if days in (None, "", "null") else math.ceil(float(str(days)))}

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


def _asked_policies(users: Sequence[Address]) -> str:
    """One SELECT for each user, with its number, joined by UNION ALL."""
    return " UNION ALL ".join(
        f"SELECT {number} AS ASKED, POLICY_DB, POLICY_SCHEMA, POLICY_NAME, POLICY_KIND FROM "
        "TABLE(SNOWFLAKE.INFORMATION_SCHEMA.POLICY_REFERENCES("
        f"REF_ENTITY_NAME => {string_literal(user.sql)}, REF_ENTITY_DOMAIN => 'USER'))"
        for number, user in enumerate(users)
    )


def _attach(address: Address, name: str, policy: Any, *, before: Any = None) -> Statement:
    words = name.upper().replace("_", " ")
    if policy is None:
        return statement(f"ALTER USER {address.sql} UNSET {words}")
    force = " FORCE" if before is not None else ""
    return statement(f"ALTER USER {address.sql} SET {words} {literal(policy)}{force}")


def _unset_login(change: FieldChange) -> bool:
    return change.path == "login_name" and change.after is None


def _clause(name: str, value: Any) -> str:
    if name == "allowed_interfaces":
        return literal(tuple(str(each) for each in value))
    return literal(sql_path(parse_path(value))) if name == "default_namespace" else literal(value)


def _namespace(text: Any) -> Any:
    try:
        return parse_path(str(text)) if text else None
    except ValueError:
        return text


def _key(text: Any) -> str:
    return "".join(str(text or "").split())
