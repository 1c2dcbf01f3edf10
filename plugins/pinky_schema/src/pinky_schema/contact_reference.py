"""Contacts attached to a schema or to what lies in it, each for one purpose.

https://docs.snowflake.com/en/user-guide/contacts-using
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pinky_core import Address, Context, Diagnostic, resource
from pinky_core.contact_references import AttachedContacts, Holder, holder_of, naming_of

__all__ = ["ContactReference"]

_HOLDERS: Mapping[str, Holder] = {
    "schema": Holder("SCHEMA", "SCHEMA", 2, ("schema",)),
    "table": Holder("TABLE", "TABLE", 3, ("table",)),
    "view": Holder("VIEW", "TABLE", 3, ("view",)),
    "materialized_view": Holder("MATERIALIZED VIEW", "TABLE", 3, ("materialized_view",)),
    "dynamic_table": Holder("TABLE", "TABLE", 3, ("dynamic_table",)),
    "event_table": Holder("TABLE", "TABLE", 3, ("event_table",)),
    "external_table": Holder("TABLE", "TABLE", 3, ("external_table",)),
    "iceberg_table": Holder("TABLE", "TABLE", 3, ("iceberg_table",)),
    "task": Holder("TASK", "", 3, ("task",)),
}


@resource("contact_reference", scope="schema", sql="", stateful=False)
class ContactReference(AttachedContacts):
    """Which contacts an object has for which purpose; on the schema itself unless `on` says otherwise.

    Purposes that are not declared are not touched; null takes a contact away. What is in the object inherits from it.
    Names of contacts are completed by the schema, so `PUBLIC.SUPPORT` is one of the same database.

    Contacts of a task are read from the view CONTACT_REFERENCES of ACCOUNT_USAGE, the only place that tells them. It
    takes SNOWFLAKE.GOVERNANCE_VIEWER, and is up to two hours late: so long a plan may attach again what is attached.
    """

    holders: ClassVar[Mapping[str, Holder]] = _HOLDERS
    without_on: ClassVar[tuple[str, int] | None] = ("schema", 2)
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        *AttachedContacts.privileges,
        ("DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER", "the account, for contacts of tasks"),
    )
    naming: ClassVar[Mapping[str, Any]] = naming_of(
        _HOLDERS, "The object by its type, such as `table: ORDERS`; without it the schema of the target."
    )

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """What is to change on a task may have changed already."""
        word, path = holder_of(address)
        task_is_new = any(context.creates(each) for each in context.names.at(path, ("task",)))
        changed = any(self._wanted(address).values()) if live is None else self.changes(address, live, context)
        if word == "task" and changed and not task_is_new:
            summary = f"{address}: Snowflake tells contacts of tasks up to two hours late, so this may be done already"
            yield Diagnostic.warning("late", summary, hint="Attaching it once more changes nothing.", address=address)
