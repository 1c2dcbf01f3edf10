"""Account roles.

https://docs.snowflake.com/en/sql-reference/sql/create-role, https://docs.snowflake.com/en/sql-reference/sql/alter-role,
https://docs.snowflake.com/en/sql-reference/sql/show-roles
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pinky_core import Action, Address, FieldChange, Resource, Risk, prop, resource


@resource("role", scope="account", stateful=False)
class Role(Resource):
    """A role of the account: what privileges are granted to, and what is granted to users."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (("CREATE ROLE", "the account"), ("OWNERSHIP", "the role"))

    comment: str | None = prop(default="", doc="Free text.")

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping a role takes what it grants from everybody who has it."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the role, every grant to it, and the access of everybody it is granted to"
        return super().risk(address, action, live, changes)
