"""Network policies: from which addresses users and the account are reached.

https://docs.snowflake.com/en/sql-reference/sql/create-network-policy,
https://docs.snowflake.com/en/sql-reference/sql/alter-network-policy,
https://docs.snowflake.com/en/sql-reference/sql/desc-network-policy
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.integrations import altered, created, split_list
from pinky_core import (
    Address,
    Context,
    FieldChange,
    QualifiedName,
    Resource,
    Rows,
    Source,
    Statement,
    literal,
    prop,
    resource,
)

__all__ = ["NetworkPolicy"]

_RULES = ("allowed_network_rule_list", "blocked_network_rule_list")
_ADDRESSES = ("allowed_ip_list", "blocked_ip_list")


@resource("network_policy", scope="account", plural="NETWORK POLICIES", stateful=False)
class NetworkPolicy(Resource):
    """Which addresses are let in, by network rules or, older, by addresses of IPv4. What is blocked goes first.

    It counts for a user that names it in `network_policy`. Snowflake refuses one that shuts out whoever applies it.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE NETWORK POLICY", "the account"),
        ("OWNERSHIP", "the network policy"),
        ("USAGE", "the schema of each network rule"),
    )

    allowed_network_rule_list: tuple[QualifiedName, ...] | None = prop(
        default=(), source=Source.DESCRIBE, refers_to="network_rule", unset=False, doc="Rules that let in."
    )
    blocked_network_rule_list: tuple[QualifiedName, ...] | None = prop(
        default=(), source=Source.DESCRIBE, refers_to="network_rule", unset=False, doc="Rules that shut out."
    )
    allowed_ip_list: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, unset=False, doc="Addresses or ranges that are let in."
    )
    blocked_ip_list: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, unset=False, doc="Addresses or ranges that are shut out."
    )
    comment: str | None = prop(default="", doc="Free text.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What is no address or range of IPv4, and a block that shuts everybody out."""
        for name in _ADDRESSES:
            for text in getattr(self, name) or ():
                try:
                    network = ipaddress.IPv4Network(text, strict=False)
                except ValueError:
                    yield name, f"{text!r} is no IPv4 address or range such as 10.0.0.0/24; IPv6 takes a network rule"
                    continue
                if name == "blocked_ip_list" and network.prefixlen == 0:
                    yield name, f"{text!r} shuts everybody out: what is blocked goes first"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE NETWORK POLICY; names of rules are strings."""
        return [created("CREATE", self, address, spell=_spelled)]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One SET, in which an empty list takes the place of one; then UNSET of the comment, which alone has it."""
        return altered(self, address, {change.path: change.after for change in changes}, spell=_spelled)

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists counts for nothing."""
        found = []
        for change in super().changes(address, live, context):
            if change.path == "comment":
                found.append(change)
            elif sorted(change.before or ()) != sorted(change.after or ()):
                found.append(attrs.evolve(change, note="who can connect"))
        return found

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE, of what has a value: rules as JSON or as names, addresses with commas."""
        told = {str(name).lower(): value for name, value in rows.pick("name", "value")}
        rules = {name: _rules(told[name]) if name in told else () for name in _RULES}
        return {**rules, **{name: split_list(told.get(name)) for name in _ADDRESSES}}


def _spelled(name: str, value: Any) -> str:
    return literal(tuple(str(each) for each in value) if name in _RULES else value)


def _rules(cell: Any) -> tuple[str, ...]:
    """``[{"fullyQualifiedRuleName":"DB.S.R"}]`` as Snowflake's Terraform provider reads it, or names with commas."""
    text = str(cell or "").strip()
    if text.startswith("["):
        try:
            entries = json.loads(text)
        except ValueError:
            return split_list(text)
        return tuple(str(next(iter(each.values()))) if isinstance(each, dict) else str(each) for each in entries)
    return split_list(text)
