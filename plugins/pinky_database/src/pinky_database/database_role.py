"""Database roles.

https://docs.snowflake.com/en/sql-reference/sql/create-database-role,
https://docs.snowflake.com/en/sql-reference/sql/alter-database-role,
https://docs.snowflake.com/en/sql-reference/sql/show-database-roles
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pinky_core import Action, Address, FieldChange, Resource, Risk, prop, resource


@resource("database_role", scope="database", stateful=False)
class DatabaseRole(Resource):
    """A role inside one database, granted to account roles or to other roles of the same database."""

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE DATABASE ROLE", "the database"),
        ("OWNERSHIP", "the database role"),
    )

    comment: str | None = prop(default="", doc="Free text.")

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Dropping a role takes what it grants from everybody who has it."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, "the role, every grant to it, and the access of every role it is granted to"
        return super().risk(address, action, live, changes)
