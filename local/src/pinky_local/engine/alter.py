"""ALTER: what every type has (RENAME, SET, UNSET, SET TAG, SWAP) and the way to each type's own verbs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pinky_local.engine import contacts, errors, families, identifiers, lifecycle, properties
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import read_kind
from pinky_local.engine.spec import ObjectType
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement, status
from pinky_local.types import Result, SqlError

Change = Callable[[], Result | None]
"""Carries out what was read; gives an answer where that is more than a status."""


def alter(statement: Statement) -> Result:
    """Run an ALTER statement other than ALTER SESSION and ALTER ACCOUNT."""
    tokens = statement.tokens
    tokens.expect("ALTER")
    spec = read_kind(statement)
    if_exists = tokens.accept("IF", "EXISTS")
    parts = tokens.name()
    spec = _event_table(statement, spec, parts)
    signature = families.read_signature(statement, spec.kind)
    item = statement.existing(spec.kind, parts, if_exists=if_exists, signature=signature)
    if item is None:
        return status("Statement executed successfully.")
    change = _read(statement, item)
    statement.finish_parsing()
    answer = change()
    statement.account.changed = True
    return answer or status(families.altered_message(statement, item))


def _event_table(statement: Statement, spec: ObjectType, parts: tuple[str, ...]) -> ObjectType:
    """An event table is altered and dropped as TABLE; the words EVENT TABLE stand in CREATE alone.

    https://docs.snowflake.com/en/sql-reference/sql/alter-table-event-table
    """
    if spec.kind == "event_table":
        raise statement.tokens.unexpected()
    if spec.kind == "table" and statement.session.database is None and len(parts) < 3:
        return spec
    is_one = spec.kind == "table" and _is_event_table(statement, parts)
    return TYPES["event_table"] if is_one else spec


def _is_event_table(statement: Statement, parts: tuple[str, ...]) -> bool:
    try:
        return statement.lookup("event_table", parts) is not None
    except SqlError:
        return False  # whatever is wrong with the name is told for the table


def _read(statement: Statement, item: CatalogObject) -> Change:
    """Read one action and return what carries it out."""
    tokens = statement.tokens
    contact = contacts.read_alter(statement, item)
    if contact is not None:
        return contact
    own = families.ALTER.get(item.kind)
    if own is not None:
        change = own(statement, item)
        if change is not None:
            return change
    if tokens.accept("RENAME", "TO"):
        return _rename(statement, item)
    if tokens.accept("SWAP", "WITH"):
        return _swap(statement, item)
    if tokens.accept("SET", "TAG"):
        tags = properties.read_tag_values(statement)
        return lambda: _set_tags(statement, item, tags)
    if tokens.accept("UNSET", "TAG"):
        names = _tag_names(statement)
        return lambda: _unset_tags(statement, item, names)
    if tokens.accept("SET"):
        return _set(statement, item)
    if tokens.accept("UNSET"):
        return _unset(statement, item)
    raise tokens.unexpected()


def changed(statement: Statement, item: CatalogObject, *privileges: str) -> None:
    """Raise unless the session may change the object (as owner, or by a privilege) and its type allows it now."""
    statement.require(item, *privileges)
    families.check_change(statement, item)


def _set(statement: Statement, item: CatalogObject) -> Change:
    settings = properties.read_settings(statement, TYPES[item.kind], creating=False)
    if not (settings.properties or settings.parameters):
        raise statement.tokens.unexpected()

    def change() -> None:
        changed(statement, item, "MODIFY", *(("MANAGE WAREHOUSES",) if item.kind == "warehouse" else ()))
        draft = item.draft()
        settings.apply(draft)
        properties.check_values(statement, draft, settings.properties)
        statement.catalog.replace(item, draft)

    return change


def _unset(statement: Statement, item: CatalogObject) -> Change:
    names = properties.read_unset(statement, TYPES[item.kind])

    def change() -> None:
        changed(statement, item, "MODIFY")
        draft = item.draft()
        properties.unset(draft, names)
        properties.check_values(statement, draft)
        statement.catalog.replace(item, draft)

    return change


def _tag_names(statement: Statement) -> list[str]:
    names = []
    while True:
        parts = statement.tokens.name()
        statement.deferred_checks.append(partial(properties.check_tag, statement, parts, None))
        names.append(identifiers.dotted(statement.qualified("tag", parts)))
        if not statement.tokens.accept_symbol(","):
            return names


def _set_tags(statement: Statement, item: CatalogObject, tags: dict[str, str]) -> None:
    require_tagging(statement, item)
    item.tags.update(tags)


def _unset_tags(statement: Statement, item: CatalogObject, names: list[str]) -> None:
    require_tagging(statement, item)
    for name in names:
        item.tags.pop(name, None)


def require_tagging(statement: Statement, item: CatalogObject) -> None:
    """Raise unless the type takes tags and the session owns the object or holds APPLY TAG."""
    if not TYPES[item.kind].tags:
        raise errors.unsupported(f"TAG on {TYPES[item.kind].words}")
    if not statement.access.holds_account(statement.roles, "APPLY TAG"):
        statement.require(item, "OWNERSHIP")


def _rename(statement: Statement, item: CatalogObject) -> Change:
    spec = TYPES[item.kind]
    if not spec.rename:
        raise statement.tokens.unexpected()
    parts = statement.tokens.name()

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        if item.kind == "role" and item.state.get("system"):
            raise errors.insufficient("ROLE", item.name)
        full = _renamed(statement, item, parts)
        parent = statement.container(item.kind, full)
        taken = statement.catalog.get(parent, spec.name_space, full[-1] + item.signature)
        if taken is not None and taken is not item:
            raise errors.already_exists(identifiers.dotted(parts))
        if parent != item.parent:
            statement.require_create(spec, parent)
        _move(statement, item, parent, full[-1])

    return change


def _renamed(statement: Statement, item: CatalogObject, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The new full name; an unqualified one means the current schema, as everywhere else in a session with one."""
    wanted = len(statement.catalog.path(item))
    if len(parts) < wanted and statement.session.database is None:
        return (*statement.catalog.path(item)[: wanted - len(parts)], *parts)
    return statement.qualified(item.kind, parts)


def _move(statement: Statement, item: CatalogObject, parent: int, name: str) -> None:
    catalog, data = statement.catalog, statement.account.data
    tables = [(child, catalog.path(child)) for child in catalog.below(item) if child.kind == "table"]
    session = statement.session
    current = {"database": session.database, "warehouse": session.warehouse, "role": session.role}
    was_current = current.get(item.kind) == item.name
    in_schema = item.kind == "schema" and (session.database, session.schema) == catalog.path(item)
    catalog.remove(item)
    item.parent, item.name = parent, name
    catalog.add(item)
    for child in catalog.below(item):
        if child.kind == "tag":
            families.rename_tag(statement, child)
    if was_current:
        setattr(session, item.kind, name)
    if in_schema:
        session.database, session.schema = catalog.path(item)
    if data is not None:
        for child, old in tables:
            new = catalog.path(child)
            data.rename((old[0], old[1], old[2]), (new[0], new[1], new[2]))


def _swap(statement: Statement, item: CatalogObject) -> Change:
    spec = TYPES[item.kind]
    if not spec.swap:
        raise statement.tokens.unexpected()
    parts = statement.tokens.name()

    def change() -> None:
        other = statement.find(item.kind, parts)
        changed(statement, item, "OWNERSHIP")
        changed(statement, other, "OWNERSHIP")
        catalog, data = statement.catalog, statement.account.data
        one, two = catalog.path(item), catalog.path(other)
        inner = [(child, catalog.path(child)) for root in (item, other) for child in catalog.below(root)]
        catalog.remove(item)
        catalog.remove(other)
        item.name, other.name = other.name, item.name
        item.parent, other.parent = other.parent, item.parent
        catalog.add(item)
        catalog.add(other)
        if data is None:
            return
        if item.kind == "table":
            data.swap((one[0], one[1], one[2]), (two[0], two[1], two[2]))
            return
        moved = [(child, old) for child, old in inner if child.kind == "table"]
        for number, (_, old) in enumerate(moved):
            data.rename((old[0], old[1], old[2]), (old[0], old[1], f"SWAP {number}"))
        for number, (child, old) in enumerate(moved):
            new = catalog.path(child)
            data.rename((old[0], old[1], f"SWAP {number}"), (new[0], new[1], new[2]))

    return change


# DROP and UNDROP -------------------------------------------------------------------------------------------------


def drop(statement: Statement) -> Result:
    """Run a DROP statement."""
    tokens = statement.tokens
    tokens.expect("DROP")
    spec = read_kind(statement)
    if_exists = tokens.accept("IF", "EXISTS")
    parts = tokens.name()
    spec = _event_table(statement, spec, parts)
    signature = families.read_signature(statement, spec.kind)
    restrict = False
    if spec.kind in ("database", "schema", "table") and tokens.word() in ("CASCADE", "RESTRICT"):
        restrict = tokens.any_word() == "RESTRICT"
    statement.finish_parsing()
    item = statement.existing(spec.kind, parts, if_exists=if_exists, signature=signature)
    name = identifiers.dotted(parts[-1:])
    if item is None:
        return status("Drop statement executed successfully (" + identifiers.dotted(parts) + " already dropped).")
    statement.require(item, "OWNERSHIP")
    if item.state.get("system") or (item.kind == "user" and item.name == statement.session.user):
        raise errors.insufficient(spec.words, item.name)
    if restrict:
        families.check_restrict(statement, item)
    families.check_drop(statement, item)
    lifecycle.drop(statement, item)
    return status(f"{name} successfully dropped.")


def undrop(statement: Statement) -> Result:
    """Run an UNDROP statement."""
    tokens = statement.tokens
    tokens.expect("UNDROP")
    spec = read_kind(statement)
    if not spec.undrop:
        raise errors.unsupported(f"UNDROP {spec.words}")
    parts = tokens.name()
    statement.finish_parsing()
    item = lifecycle.undrop(statement, spec.kind, parts)
    for child in statement.catalog.below(item):
        if child.kind in families.RESTORED:
            families.RESTORED[child.kind](statement, child)
    return status(f"{spec.label} {identifiers.printed(item.name)} successfully restored.")
