"""Views of SNOWFLAKE.ACCOUNT_USAGE as rows; here they never lag.

https://docs.snowflake.com/en/sql-reference/account-usage. Who may read them: the role ACCOUNTADMIN alone, for the
database roles of SNOWFLAKE (https://docs.snowflake.com/en/sql-reference/snowflake-db-roles) do not exist here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.information_schema import columns_of
from pinky_local.types import Result, SessionContext

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_VIEWS = {
    "CONTACT_REFERENCES": columns_of(
        "CONTACT_DATABASE CONTACT_SCHEMA CONTACT_ID:n CONTACT_NAME CONTACT_PURPOSE OBJECT_DATABASE OBJECT_SCHEMA "
        "OBJECT_ID:n OBJECT_NAME OBJECT_DELETED:t OBJECT_DOMAIN"
    ),
}
_DOMAINS = {"view": "TABLE", "event_table": "TABLE"}  # a guess, after GET_CONTACTS; other types are called as they are


def view(account: Account, session: SessionContext, name: str) -> Result:
    """The rows of one view. Raises 2003 for a view that does not exist here, and for other roles."""
    administrator = account.access.role_named("ACCOUNTADMIN")
    allowed = administrator is not None and administrator.number in account.access.active(session)
    if name not in _VIEWS or not allowed:
        raise errors.not_found("Object", f"SNOWFLAKE.ACCOUNT_USAGE.{name}", in_query=True)
    columns = _VIEWS[name]
    rows = [[row.get(column.name) for column in columns] for row in _contact_references(account)]
    return Result(columns, rows, 0x1000)


def _contact_references(account: Account) -> Iterator[dict[str, Any]]:
    """A row for each contact that an object itself holds; of the account, the name."""
    for item in account.catalog.objects.values():
        path = account.catalog.path(item)
        place = {
            "OBJECT_DATABASE": path[0] if len(path) > 1 else None,
            "OBJECT_SCHEMA": path[1] if len(path) > 2 else None,
            "OBJECT_ID": item.number,
            "OBJECT_NAME": item.name,
            "OBJECT_DOMAIN": _DOMAINS.get(item.kind, item.kind.upper()),
        }
        for purpose, number in (item.state.get("contacts") or {}).items():
            yield from _row(account, account.catalog.objects.get(number), purpose, place)
    place = {"OBJECT_NAME": account.name, "OBJECT_DOMAIN": "ACCOUNT"}
    for purpose, number in account.contacts.items():
        yield from _row(account, account.catalog.objects.get(number), purpose, place)


def _row(
    account: Account, contact: CatalogObject | None, purpose: str, place: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if contact is not None:
        database, schema, name = account.catalog.path(contact)
        yield place | {
            "CONTACT_DATABASE": database,
            "CONTACT_SCHEMA": schema,
            "CONTACT_ID": contact.number,
            "CONTACT_NAME": name,
            "CONTACT_PURPOSE": purpose,
        }
