"""What happens around an object's birth and death: owner, future grants, dropping with everything below, UNDROP."""

from __future__ import annotations

from datetime import timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pinky_local.engine import errors, identifiers, parameters
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject, Dropped, Grant, Key
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement
from pinky_local.types import DataPlane

if TYPE_CHECKING:
    from pinky_local.engine.account import Account


def owner_for_new(statement: Statement, parent: int) -> int:
    """The creating role; in a managed access schema too, where only grants are the schema owner's affair."""
    del parent
    return statement.primary_role().number


def give_new(statement: Statement, item: CatalogObject, kept: list[Grant]) -> None:
    """Apply future grants (schema level ones win over database level ones) and grants kept by COPY GRANTS."""
    catalog = statement.catalog
    for grant in kept:
        catalog.grant(Grant(grant.privilege, item.number, grant.to, grant.granted_by, statement.now, grant.grantable))
    if kept or item.parent == ACCOUNT:
        return
    schema = catalog.objects[item.parent]
    levels = [item.parent] + ([schema.parent] if schema.kind == "schema" else [])
    for number in levels:
        matching = [future for future in catalog.future.get(number, []) if future.kind == item.kind]
        for future in matching:
            if future.privilege == "OWNERSHIP":
                catalog.set_owner(item, future.to)
            else:
                catalog.grant(
                    Grant(future.privilege, item.number, future.to, item.owner, statement.now, future.grantable)
                )
        if matching:
            return


def enter(statement: Statement, item: CatalogObject) -> None:
    """A created database, schema or warehouse becomes the session's current one."""
    session = statement.session
    if item.kind == "database":
        session.database = item.name
        public = statement.account.new("schema", "PUBLIC", space="schema", parent=item.number, owner=item.owner)
        if statement.catalog.get(item.number, "schema", "PUBLIC") is None:
            public.state.update({key: True for key in ("TRANSIENT",) if item.state.get(key)})
            statement.catalog.add(public)
            give_new(statement, public, [])
        session.schema = "PUBLIC"
    elif item.kind == "schema":
        session.database, session.schema = statement.catalog.path(item)
    elif item.kind == "warehouse":
        session.warehouse = item.name
        if item.properties.pop("INITIALLY_SUSPENDED", False):
            item.state["state"] = "SUSPENDED"


def drop(statement: Statement, item: CatalogObject, *, replaced: bool = False) -> None:
    """Drop an object with everything below it and keep it for UNDROP where the type has that."""
    catalog = statement.catalog
    root = item.parent, item.key
    days = _retention(statement, item)
    below = list(catalog.below(item))
    rows = []
    data = statement.account.data
    grants: list[Grant] = []
    names = [(child, catalog.path(child)) for child in below]
    for child, path in reversed(names):
        if child.kind == "table" and data is not None:
            name = (path[0], path[1], path[2])
            rows.append((name, data.drop(name)))
        grants += catalog.revoke_all(child.number)
        catalog.future.pop(child.number, None)
        if child.kind in ("role", "database_role", "user"):
            _forget_grantee(statement, child)
        catalog.remove(child)
    if data is not None and not TYPES[item.kind].undrop:
        _stop_streams(data, below)  # those of a dropped schema wait for UNDROP with it
    if TYPES[item.kind].undrop:
        until = statement.now + timedelta(days=days)
        catalog.dropped.setdefault(root, []).append(Dropped(below, grants, statement.now, until, rows))
        heappush(catalog.expiring, (until, item.number, root))
    else:
        _delete_files(statement.account, below)  # those of a dropped schema wait for UNDROP with it
    if not replaced:
        _leave(statement, item)
    statement.account.changed = True


def _delete_files(account: Account, gone: list[CatalogObject]) -> None:
    for stage in gone:
        if stage.kind in ("stage", "git_repository"):
            account.files.delete_internal(stage.number)


def _stop_streams(data: DataPlane, gone: list[CatalogObject]) -> None:
    for stream in gone:
        if stream.kind == "stream":
            data.stop_stream(stream.number)


def _retention(statement: Statement, item: CatalogObject) -> int:
    """Days for which a dropped object can come back; one at most for transient and temporary ones.

    https://docs.snowflake.com/en/user-guide/data-time-travel; that of a container counts for what is in it. A tag has
    no retention of its own: a day (a guess).
    """
    if item.kind == "tag":
        return 1
    days = int(parameters.effective(statement, parameters.PARAMETERS["DATA_RETENTION_TIME_IN_DAYS"], item)[0])
    return min(days, 1) if item.state.get("TRANSIENT") or item.state.get("TEMPORARY") else days


def purge_expired(account: Account) -> None:
    """Forget for good what was dropped longer ago than its retention time, with its rows."""
    catalog = account.catalog
    if not catalog.expiring:
        return
    now = account.now()
    while catalog.expiring and catalog.expiring[0][0] <= now:
        _, number, root = heappop(catalog.expiring)
        for entry in [one for one in catalog.dropped.get(root, []) if one.objects[0].number == number]:
            _purge(account, root, entry)


def _purge(account: Account, root: tuple[int, Key], entry: Dropped) -> None:
    waiting = account.catalog.dropped[root]
    waiting.remove(entry)
    if not waiting:
        del account.catalog.dropped[root]
    _delete_files(account, entry.objects)
    if account.data is not None:
        _stop_streams(account.data, entry.objects)
        for _, rows in entry.rows:
            account.data.purge(rows)


def end_session(statement: Statement) -> None:
    """Drop a session's temporary objects for good; nothing brings them back."""
    catalog = statement.catalog
    numbers = set(catalog.temporary.pop(statement.session.session_id, ()))
    for number in numbers & catalog.objects.keys():
        drop(statement, catalog.objects[number], replaced=True)
    if not numbers:
        return
    for root, entries in list(catalog.dropped.items()):
        for entry in [one for one in entries if one.objects[0].number in numbers]:
            _purge(statement.account, root, entry)


def forget_leftovers(account: Account) -> None:
    """After a start from a folder: rows and files of no object are what the last process had dropped, or temporary."""
    with_files = ("stage", "git_repository")
    account.files.retain(item.number for item in account.catalog.objects.values() if item.kind in with_files)
    if account.data is None:
        return
    tables = (item for item in account.catalog.objects.values() if item.kind == "table")
    paths = (account.catalog.path(table) for table in tables)
    account.data.retain([(path[0], path[1], path[2]) for path in paths])
    account.data.retain_streams([item.number for item in account.catalog.objects.values() if item.kind == "stream"])


def discard(statement: Statement, item: CatalogObject, replaced: CatalogObject | None) -> None:
    """Undo a creation whose rows could not be made, and bring back what it had replaced."""
    catalog = statement.catalog
    catalog.revoke_all(item.number)
    catalog.remove(item)
    if replaced is not None and TYPES[replaced.kind].undrop:
        waiting = catalog.dropped[(replaced.parent, replaced.key)].pop()
        for old in waiting.objects:
            catalog.add(old)
        for grant in waiting.grants:
            catalog.grant(grant)
        if statement.account.data is not None:
            for name, rows in waiting.rows:
                statement.account.data.restore(name, rows)


def _forget_grantee(statement: Statement, role: CatalogObject) -> None:
    """A dropped role loses what it holds; what it owns goes to the role that drops it."""
    catalog = statement.catalog
    for grant in list(catalog.grants_to.get(role.number, {}).values()):
        catalog.revoke(grant)
    for other in list(catalog.members.get(role.number, {})):
        catalog.leave(role.number, other)
    for other in list(catalog.memberships.get(role.number, {})):
        catalog.leave(other, role.number)
    for container in list(catalog.future):
        catalog.future[container] = [entry for entry in catalog.future[container] if entry.to != role.number]
    heir = statement.access.role_named(statement.session.role)
    for number in list(catalog.owned.get(role.number, ())):
        if number in catalog.objects:
            catalog.set_owner(catalog.objects[number], heir.number if heir is not None else None)


def _leave(statement: Statement, item: CatalogObject) -> None:
    session = statement.session
    if item.kind == "database" and session.database == item.name:
        session.database = session.schema = None
    elif item.kind == "schema" and session.schema == item.name:
        database = statement.catalog.objects.get(item.parent)
        if database is not None and database.name == session.database:
            session.schema = None
    elif item.kind == "warehouse" and session.warehouse == item.name:
        session.warehouse = None


def undrop(statement: Statement, kind: str, parts: tuple[str, ...]) -> CatalogObject:
    """Bring back the object of this name that was dropped last. Raises 2002 when the name is taken, 2003 when none."""
    spec = TYPES[kind]
    full = statement.qualified(kind, parts)
    parent = statement.container(kind, full)
    catalog = statement.catalog
    key = (spec.name_space, full[-1])
    if catalog.get(parent, *key) is not None:
        raise errors.already_exists(full[-1])
    waiting = catalog.dropped.get((parent, key), [])
    if not waiting or waiting[-1].objects[0].kind != kind:
        raise errors.compilation(
            2003, "02000", f"{spec.label} '{identifiers.dotted(parts)}' did not exist or was purged."
        )
    if waiting[-1].objects[0].owner not in statement.roles:
        raise errors.insufficient(spec.words, full[-1])
    found = waiting.pop()
    for item in found.objects:
        catalog.add(item)
    for grant in found.grants:
        if grant.to in catalog.objects:
            catalog.grant(grant)
    if statement.account.data is not None:
        for name, rows in found.rows:
            statement.account.data.restore(name, rows)
    statement.account.changed = True
    return found.objects[0]
