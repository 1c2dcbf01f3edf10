"""Where tags are set: what they are worth on an object, and what becomes of that when a tag goes, comes back or moves.

Rests on https://docs.snowflake.com/en/sql-reference/functions/system_get_tag, undrop-tag and
https://docs.snowflake.com/en/user-guide/object-tagging/inheritance. Values are kept with the objects, by the tag's
qualified name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pinky_local.engine import context, errors, families, identifiers
from pinky_local.engine.catalog import CatalogObject, Column
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement


def get_tag(statement: Statement, arguments: Sequence[Any]) -> str | None:
    """SYSTEM$GET_TAG('tag', 'object', 'domain'): the nearest value from the object up to its database, or None."""
    if len(arguments) != 3 or not all(isinstance(argument, str) for argument in arguments):
        text = f"not enough arguments for function [SYSTEM$GET_TAG], expected 3, got {len(arguments)}"
        raise errors.compilation(938, "22023", text)
    tag = statement.find("tag", identifiers.parse_dotted(arguments[0]))
    name = statement.catalog.printed(tag)
    item, column = _holder(statement, arguments[1], arguments[2].upper())
    if column is not None and name in column.tags:
        return column.tags[name]
    while True:
        if name in item.tags:
            return item.tags[name]
        if not item.parent:
            return None
        item = statement.catalog.objects[item.parent]


def _holder(statement: Statement, name: str, domain: str) -> tuple[CatalogObject, Column | None]:
    """The object, and the column for the domain COLUMN, that a name means."""
    reading = Statement(statement.account, statement.session, name, (), "")
    kind = "table" if domain in ("TABLE", "COLUMN", "VIEW") else domain.lower().replace(" ", "_")
    if kind not in TYPES:
        raise errors.invalid_value(domain, "object domain")
    parts = reading.tokens.name(4 if domain == "COLUMN" else 3)
    signature = families.read_signature(reading, kind)
    reading.tokens.end()
    if domain == "COLUMN":
        relation = _relation(statement, parts[:-1])
        for column in relation.columns:
            if column.name == parts[-1]:
                return relation, column
        raise errors.invalid_identifier(identifiers.printed(parts[-1]))
    return (_relation(statement, parts) if kind == "table" else statement.find(kind, parts, signature)), None


def _relation(statement: Statement, parts: tuple[str, ...]) -> CatalogObject:
    """The table or view of this name; both are of the domain TABLE."""
    view = statement.lookup("view", parts) if parts else None
    return statement.find("table" if view is None else "view", parts)


def _holders(statement: Statement) -> Iterator[tuple[int, str | None, dict[str, str]]]:
    """Everything that can have tags: object number, column name, its tags."""
    for item in statement.catalog.objects.values():
        yield item.number, None, item.tags
        for column in item.columns:
            yield item.number, column.name, column.tags


def dropped(statement: Statement, tag: CatalogObject) -> None:
    """A dropped tag is gone from everything that had it, and remembers where it was for UNDROP."""
    name = statement.catalog.printed(tag)
    tag.state["assigned"] = [
        [number, column, tags.pop(name)] for number, column, tags in _holders(statement) if name in tags
    ]


def restored(statement: Statement, tag: CatalogObject) -> None:
    """UNDROP TAG brings the assignments back to what still exists."""
    name = statement.catalog.printed(tag)
    assigned = {(number, column): value for number, column, value in tag.state.pop("assigned", [])}
    if not assigned:
        return
    for number, column, tags in _holders(statement):
        if (number, column) in assigned:
            tags[name] = assigned[(number, column)]


families.DROP_CHECK["tag"] = dropped
families.RESTORED["tag"] = restored
context.NEEDS_STATEMENT["SYSTEM$GET_TAG"] = get_tag
