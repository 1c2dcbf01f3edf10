"""Contacts attached to a database, each for one purpose.

https://docs.snowflake.com/en/user-guide/contacts-using
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pinky_core import resource
from pinky_core.contact_references import AttachedContacts, Holder, naming_of

__all__ = ["DatabaseContactReference"]

_HOLDERS: Mapping[str, Holder] = {"database": Holder("DATABASE", "DATABASE", 1, ("database",))}


@resource("database_contact_reference", scope="database", sql="", depth=1, stateful=False)
class DatabaseContactReference(AttachedContacts):
    """Which contacts a database has for which purpose; that of the target unless `on` says otherwise.

    Purposes that are not declared are not touched; null takes a contact away. What is in the database inherits from
    it. Names of contacts have a schema and are completed by the database: `PUBLIC.SUPPORT`.
    """

    holders: ClassVar[Mapping[str, Holder]] = _HOLDERS
    without_on: ClassVar[tuple[str, int] | None] = ("database", 1)
    naming: ClassVar[Mapping[str, Any]] = naming_of(_HOLDERS, "The database; without it that of the target.")
