"""Network rules: addresses and hosts that network policies and external access integrations name.

https://docs.snowflake.com/en/sql-reference/sql/create-network-rule,
https://docs.snowflake.com/en/sql-reference/sql/alter-network-rule,
https://docs.snowflake.com/en/sql-reference/sql/desc-network-rule
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_account.integrations import created, only_listed, risk_of, split_list
from pinky_core import (
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    is_given,
    prop,
    resource,
)

__all__ = ["NetworkRule", "RuleMode", "RuleType"]

_LOST = "the rule's place in network policies and integrations, which must name it again"


class RuleType(Keyword):
    """What the values are."""

    IPV4 = ("IPV4",)
    IPV6 = ("IPV6",)
    AWSVPCEID = ("AWSVPCEID",)
    AZURELINKID = ("AZURELINKID",)
    GCPPSCID = ("GCPPSCID",)
    HOST_PORT = ("HOST_PORT",)
    PRIVATE_HOST_PORT = ("PRIVATE_HOST_PORT",)
    COMPUTE_POOL = ("COMPUTE_POOL",)


class RuleMode(Keyword):
    """What is restricted."""

    INGRESS = ("INGRESS",)
    INTERNAL_STAGE = ("INTERNAL_STAGE",)
    SNOWFLAKE_MANAGED_STORAGE_VOLUME = ("SNOWFLAKE_MANAGED_STORAGE_VOLUME",)
    EGRESS = ("EGRESS",)


_MODES: Mapping[RuleType, tuple[RuleMode, ...]] = {
    RuleType.HOST_PORT: (RuleMode.EGRESS,),
    RuleType.PRIVATE_HOST_PORT: (RuleMode.EGRESS,),
    RuleType.COMPUTE_POOL: (RuleMode.INGRESS,),
    RuleType.IPV6: (RuleMode.INGRESS,),
}


@resource("network_rule", scope="account", depth=3, stateful=False)
class NetworkRule(Resource):
    """Addresses or hosts; it lives in a schema, which it is named with in full: `name: PINKY.SECURITY.PARTNERS`.

    It is of account scope all the same, for what names it is the account's. Type and mode cannot be altered, and it
    cannot be renamed.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("USAGE", "the database and schema"),
        ("CREATE NETWORK RULE", "the schema"),
        ("OWNERSHIP", "the network rule"),
    )

    type: RuleType = prop(on_change=OnChange.REFUSE, loses=_LOST, doc="What the values are.")
    mode: RuleMode = prop(
        default=RuleMode.INGRESS, on_change=OnChange.REFUSE, loses=_LOST, doc="What is restricted."
    )
    value_list: tuple[str, ...] = prop(source=Source.DESCRIBE, doc="The values, in any order.")
    comment: str | None = prop(default=None, doc="Free text.")

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename a network rule."""
        raise ValueError("Snowflake cannot rename a network rule: declare the new one, and drop the old one later")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """A mode that does not go with the type, and values that cannot be told apart again."""
        mode = self.mode if is_given(self.mode) else RuleMode.INGRESS
        modes = _MODES.get(self.type)
        if modes is not None and mode not in modes:
            yield "mode", f"a rule of type {self.type} has mode {modes[0]}, not {mode}"
        storage = mode in (RuleMode.INTERNAL_STAGE, RuleMode.SNOWFLAKE_MANAGED_STORAGE_VOLUME)
        if storage and self.type is not RuleType.AWSVPCEID:
            yield "mode", f"mode {mode} is for type AWSVPCEID, not for {self.type}"
        if mode is RuleMode.EGRESS and self.type not in (RuleType.HOST_PORT, RuleType.PRIVATE_HOST_PORT):
            yield "mode", f"a rule of type {self.type} is not for EGRESS"
        if not self.value_list:
            yield "value_list", "name at least one value"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE NETWORK RULE."""
        return [created("CREATE", self, address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE NETWORK RULE."""
        return [created("CREATE OR REPLACE", self, address)]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order of values counts for nothing."""
        found = super().changes(address, live, context)
        return [c for c in found if c.path != "value_list" or sorted(c.before or ()) != sorted(c.after or ())]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """A rule that goes opens or closes what named it."""
        return risk_of(action, changes, _LOST)

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The one row of DESCRIBE NETWORK RULE."""
        told = [value for (value,) in rows.pick("value_list")]
        return {"value_list": split_list(told[0])} if told else {}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body that may be only listed, not described."""
        return super().from_raw(only_listed(cls.spec, raw))
