"""External access integrations: which hosts and secrets the code of functions and procedures may use.

https://docs.snowflake.com/en/sql-reference/sql/create-external-access-integration,
https://docs.snowflake.com/en/sql-reference/sql/alter-external-access-integration,
https://docs.snowflake.com/en/sql-reference/sql/desc-integration
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_account.integrations import (
    altered,
    created,
    described,
    no_rename,
    only_listed,
    secret_mistakes,
    secret_names,
    spelled_secrets,
    split_list,
)
from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    QualifiedName,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    literal,
    prop,
    resource,
)

__all__ = ["ExternalAccessIntegration"]

_LOST = "grants on the integration, and the access of functions and procedures that use it"


@resource("external_access_integration", scope="account", stateful=False)
class ExternalAccessIntegration(Resource):
    """Network rules of mode EGRESS, and secrets that go with them, all named in full.

    A secret may be used where it is allowed itself, or where the security integration is that it was made with.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE INTEGRATION or CREATE EXTERNAL ACCESS INTEGRATION", "the account"),
        ("USAGE", "each secret and its schema"),
        ("OWNERSHIP", "the external access integration"),
    )

    allowed_network_rules: tuple[QualifiedName, ...] = prop(
        source=Source.DESCRIBE, refers_to="network_rule", doc="Rules of mode EGRESS, in any order."
    )
    allowed_api_authentication_integrations: tuple[Identifier, ...] | None = prop(
        default=(), source=Source.DESCRIBE, refers_to="security_integration",
        doc="Security integrations (API_AUTHENTICATION) whose secrets code may use, in any order.",
    )  # fmt: skip
    allowed_authentication_secrets: tuple[str, ...] | None = prop(
        default=("none",), source=Source.DESCRIBE, refers_to="secret",
        doc="Secrets that code may use, in full and in any order; or all, or none, alone in the list.",
    )  # fmt: skip
    enabled: bool = prop(default=True, unset=False, doc="Whether it can be used.")
    comment: str | None = prop(default=None, doc="Free text.")

    former_address = classmethod(no_rename)

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Without a rule nothing could be reached."""
        if not self.allowed_network_rules:
            yield "allowed_network_rules", "name at least one rule"
        if self.allowed_authentication_secrets:
            yield from secret_mistakes("allowed_authentication_secrets", self.allowed_authentication_secrets)

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE EXTERNAL ACCESS INTEGRATION; ENABLED is demanded."""
        return [created("CREATE", self, address, spell=_clause)]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET, then UNSET; an empty list is unset."""
        return altered(self, address, {change.path: change.after for change in changes}, spell=_clause)

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists counts for nothing."""
        found = super().changes(address, live, context)
        return [c for c in found if c.path[:8] != "allowed_" or _sorted(c.path, c.before) != _sorted(c.path, c.after)]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping it takes the access away."""
        return (Risk.DESTRUCTIVE, _LOST) if action is Action.DROP else (Risk.SAFE, "")

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE; lists are told with commas, perhaps in brackets, and none as such."""
        told = described(cls.spec, rows)
        lists = {name: split_list(told[name]) for name in told if name.startswith("allowed_")}
        integrations = lists.get("allowed_api_authentication_integrations")
        if integrations and [each.lower() for each in integrations] == ["none"]:
            lists["allowed_api_authentication_integrations"] = ()
        return {**told, **lists}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body that may be only listed, not described."""
        return super().from_raw(only_listed(cls.spec, raw))


def _clause(name: str, value: Any) -> str:
    return spelled_secrets(value) if name == "allowed_authentication_secrets" else literal(value)


def _sorted(name: str, values: Any) -> list[str]:
    if name == "allowed_authentication_secrets":
        return secret_names(values, otherwise="none")
    return sorted(map(str, values or ()))
