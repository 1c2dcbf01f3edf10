"""What a query of a stream reads, and who may.

https://docs.snowflake.com/en/user-guide/streams-intro#required-access-privileges
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import errors, file_urls
from pinky_local.engine.catalog import CatalogObject
from pinky_local.types import Relation, SessionContext, StreamSource, TableColumn

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_METADATA = (
    TableColumn("METADATA$ACTION", "VARCHAR(6)", nullable=False),
    TableColumn("METADATA$ISUPDATE", "BOOLEAN", nullable=False),
    TableColumn("METADATA$ROW_ID", "VARCHAR(40)", nullable=False),
)


def relation(account: Account, item: CatalogObject) -> Relation:
    """A stream as the data plane reads it. Raises 002203 for a stale one, 000002 for one that cannot be read here."""
    path = account.catalog.path(item)
    full = path[0], path[1], path[2]
    source = account.catalog.objects.get(item.state["source"])
    if source is None:
        text = f"Base {item.state['source_kind']} dropped, cannot read from stream '{item.name}'."
        raise errors.compilation(2203, "0A000", text)
    if "unreadable" in item.state:
        raise errors.unsupported(str(item.state["unreadable"]))
    if source.kind == "stage":
        entries = list(source.state.get("directory_log", ()))
        stream = StreamSource(item.number, None, False, entries, file_urls.file_url(account, source, ""))
        return Relation("stream", full, stream=stream)
    origin = account.catalog.path(source)
    columns = [TableColumn(column.name, column.data_type, column.nullable) for column in source.columns]
    query = source.properties.get("QUERY") if source.kind == "view" else None
    below = Relation(source.kind, (origin[0], origin[1], origin[2]), query=query, columns=columns)
    stream = StreamSource(item.number, below, bool(item.properties.get("APPEND_ONLY")))
    return Relation("stream", full, columns=[*columns, *_METADATA], stream=stream)


def check_readable(account: Account, item: CatalogObject, session: SessionContext) -> None:
    """Raise 003001 unless the session may read the stream: SELECT on it and its source, READ or USAGE of a stage."""
    access = account.access
    roles = access.active(session)
    if not access.holds(roles, item, "SELECT"):
        raise errors.insufficient("stream", item.name)
    source = account.catalog.objects.get(item.state["source"])
    if source is None:
        return
    wanted = ("READ", "USAGE") if source.kind == "stage" else ("SELECT",)
    if not any(access.holds(roles, source, privilege) for privilege in wanted):
        raise errors.insufficient(source.kind, source.name)
