"""Contacts attached to the account, each for one purpose.

https://docs.snowflake.com/en/user-guide/contacts-using, https://docs.snowflake.com/en/sql-reference/sql/alter-account
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pinky_core import resource
from pinky_core.contact_references import AttachedContacts, Holder, naming_of

__all__ = ["AccountContactReference"]

_HOLDERS: Mapping[str, Holder] = {"account": Holder("ACCOUNT", "", 0, ())}


@resource("account_contact_reference", scope="account", sql="", depth=1, stateful=False)
class AccountContactReference(AttachedContacts):
    """Which contacts the account has for which purpose. Every object of the account inherits them.

    Purposes that are not declared are not touched; null takes a contact away. Names of contacts are full:
    `DB.SCHEMA.NAME`. GET_CONTACTS does not ask about the account, so its contacts are found as what databases inherit.
    A purpose for which every database that this role sees has a contact of its own cannot be read back; it is set again
    each time.
    """

    holders: ClassVar[Mapping[str, Holder]] = _HOLDERS
    without_on: ClassVar[tuple[str, int] | None] = ("account", 0)
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("APPLY CONTACT", "the account"),
        ("DATABASE ROLE SNOWFLAKE.CORE_VIEWER", "the account, where it was revoked from PUBLIC"),
    )
    naming: ClassVar[Mapping[str, Any]] = naming_of(_HOLDERS, "The account, which is also meant without it.")
