"""The objects of the account and nothing else: a tree of containers with an index per container and name space.

Objects point at their container and their owner by number, so renaming or moving one is a change in one place.
"""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pinky_local.engine import identifiers

Key = tuple[str, str]
"""Name space and name; a routine's name carries its argument types."""


@dataclass(slots=True)
class Column:
    """A column of a table or view. ``default`` and ``expression`` are SQL text; ``identity`` is (start, step)."""

    name: str
    data_type: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    collation: str | None = None
    identity: tuple[int, int] | None = None
    ordered: bool = False
    expression: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Constraint:
    """A key or check of a table; ``target`` is the number of the referenced table for a foreign key."""

    name: str
    kind: str
    columns: list[str]
    created_on: datetime
    target: int | None = None
    target_columns: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    comment: str | None = None


@dataclass(slots=True)
class CatalogObject:
    """One object: identity, container, owner, declared properties, own parameters, tags; columns where it has them.

    ``properties`` and ``state`` hold JSON values only; ``state`` is what the account keeps for itself.
    """

    number: int
    kind: str
    name: str
    space: str
    parent: int
    owner: int | None
    created_on: datetime
    signature: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    columns: list[Column] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """Where its container's index holds it."""
        return self.space, self.name + self.signature

    def hidden_from(self, session_id: int) -> bool:
        """Whether this is a temporary object of another session."""
        return bool(self.state.get("session", session_id) != session_id)

    def draft(self) -> CatalogObject:
        """A copy to change and to put in its place when the whole statement has succeeded."""
        return copy.deepcopy(self)


@dataclass(slots=True)
class Grant:
    """A privilege held by a role. ``granted_by`` is None for what the system gave."""

    privilege: str
    on: int
    to: int
    granted_by: int | None
    created_on: datetime
    grantable: bool = False


@dataclass(slots=True)
class FutureGrant:
    """A privilege that new objects of one type in a container will give to a role."""

    privilege: str
    kind: str
    container: int
    to: int
    created_on: datetime
    grantable: bool = False
    granted_by: int | None = None


@dataclass(slots=True)
class Membership:
    """A role held by a role or a user. Only database roles held by roles can be ``grantable``."""

    role: int
    to: int
    granted_by: int | None
    created_on: datetime
    grantable: bool = False


@dataclass(slots=True)
class Dropped:
    """A dropped object with everything below it, kept for UNDROP. ``rows`` is what the data plane returned.

    ``kept_until`` is when its Time Travel ends and the rows go for good.
    """

    objects: list[CatalogObject]
    grants: list[Grant]
    dropped_on: datetime
    kept_until: datetime
    rows: list[tuple[tuple[str, str, str], Any]] = field(default_factory=list)


class _Index:
    """The objects of one type in one container by name, and by name in one case."""

    def __init__(self, items: list[CatalogObject]) -> None:
        self.items = items
        self._folded: list[tuple[str, int]] | None = None

    def beginning(self, prefix: str) -> list[CatalogObject]:
        """Those whose name begins with a text in any case; all of them where a name or the text is not ASCII."""
        if self._folded is None:
            names = [(item.name.lower(), place) for place, item in enumerate(self.items)]
            self._folded = sorted(names) if all(name.isascii() for name, _ in names) else []
        if len(self._folded) != len(self.items) or not prefix.isascii():
            return list(self.items)
        low = prefix.lower()
        first = bisect_left(self._folded, (low, -1))
        last = bisect_left(self._folded, (low + "\x7f", -1))
        return [self.items[place] for place in sorted(place for _, place in self._folded[first:last])]


class Catalog:
    """All objects by number and by container. ``version`` rises with every change of roles, grants or owners.

    ``expiring`` is a heap: when a dropped object's Time Travel ends, its number, and where `dropped` has it.
    ``temporary`` has the numbers of temporary objects by session; some of them may be gone.
    """

    def __init__(self) -> None:
        self.objects: dict[int, CatalogObject] = {}
        self.children: dict[int, dict[Key, CatalogObject]] = {}
        self.by_kind: dict[int, dict[str, dict[Key, CatalogObject]]] = {}
        self._sorted: dict[tuple[int, str], _Index] = {}
        self.owned: dict[int, set[int]] = {}
        self.grants_on: dict[int, dict[tuple[str, int], Grant]] = {}
        self.grants_to: dict[int, dict[tuple[str, int], Grant]] = {}
        self.future: dict[int, list[FutureGrant]] = {}
        self.members: dict[int, dict[int, Membership]] = {}
        self.memberships: dict[int, dict[int, Membership]] = {}
        self.dropped: dict[tuple[int, Key], list[Dropped]] = {}
        self.expiring: list[tuple[datetime, int, tuple[int, Key]]] = []
        self.temporary: dict[int, list[int]] = {}
        self.next_number = 1
        self.version = 0

    def number(self) -> int:
        """A number no object has had."""
        number = self.next_number
        self.next_number += 1
        return number

    def add(self, item: CatalogObject) -> None:
        """Put an object into its container."""
        self.objects[item.number] = item
        self.children.setdefault(item.parent, {})[item.key] = item
        self.by_kind.setdefault(item.parent, {}).setdefault(item.kind, {})[item.key] = item
        self._sorted.pop((item.parent, item.kind), None)
        if item.owner is not None:
            self.owned.setdefault(item.owner, set()).add(item.number)
        self.version += 1

    def remove(self, item: CatalogObject) -> None:
        """Take an object out of its container; what is below it and grants on it stay the caller's affair."""
        del self.objects[item.number]
        del self.children[item.parent][item.key]
        del self.by_kind[item.parent][item.kind][item.key]
        self._sorted.pop((item.parent, item.kind), None)
        if item.owner is not None:
            self.owned[item.owner].discard(item.number)
        self.version += 1

    def replace(self, item: CatalogObject, draft: CatalogObject) -> None:
        """Put a changed copy in the place of an object of the same number."""
        self.remove(item)
        self.add(draft)

    def get(self, parent: int, space: str, name: str) -> CatalogObject | None:
        """The object of this name in a container's name space."""
        return self.children.get(parent, {}).get((space, name))

    def of_kind(self, parent: int, kind: str, prefix: str = "") -> list[CatalogObject]:
        """The objects of one type directly in a container, by name; those whose name may begin with a text.

        ``prefix`` narrows the search where that is cheap: case does not matter, and more than asked for may come.
        """
        index = self._sorted.get((parent, kind))
        if index is None:
            held = sorted(self.by_kind.get(parent, {}).get(kind, {}).items())
            index = self._sorted[(parent, kind)] = _Index([item for _, item in held])
        return index.beginning(prefix) if prefix else list(index.items)

    def overloads(self, parent: int, space: str, name: str) -> list[CatalogObject]:
        """The routines of one name in a schema."""
        held = self.by_kind.get(parent, {}).get(space, {})
        return [item for _, item in sorted(held.items()) if item.name == name]

    def below(self, item: CatalogObject) -> Iterator[CatalogObject]:
        """An object and everything in it, the container first."""
        yield item
        for child in list(self.children.get(item.number, {}).values()):
            yield from self.below(child)

    def path(self, item: CatalogObject) -> tuple[str, ...]:
        """The canonical names from the database down to the object."""
        parts = [item.name]
        while item.parent:
            item = self.objects[item.parent]
            parts.append(item.name)
        return tuple(reversed(parts))

    def printed(self, item: CatalogObject) -> str:
        """The qualified name as SQL text."""
        return identifiers.dotted(self.path(item))

    def database_of(self, item: CatalogObject) -> CatalogObject | None:
        """The database an object is in."""
        while item.kind != "database":
            if not item.parent:
                return None
            item = self.objects[item.parent]
        return item

    def set_owner(self, item: CatalogObject, owner: int | None) -> None:
        """Give an object to a role."""
        if item.owner is not None:
            self.owned[item.owner].discard(item.number)
        item.owner = owner
        if owner is not None:
            self.owned.setdefault(owner, set()).add(item.number)
        self.version += 1

    def grant(self, grant: Grant) -> None:
        """Record a privilege; a repeated grant can only add the grant option."""
        held = self.grants_on.setdefault(grant.on, {})
        known = held.get((grant.privilege, grant.to))
        if known is not None:
            known.grantable = known.grantable or grant.grantable
            return
        held[(grant.privilege, grant.to)] = grant
        self.grants_to.setdefault(grant.to, {})[(grant.privilege, grant.on)] = grant
        self.version += 1

    def revoke(self, grant: Grant) -> None:
        """Forget a privilege."""
        self.grants_on[grant.on].pop((grant.privilege, grant.to), None)
        self.grants_to[grant.to].pop((grant.privilege, grant.on), None)
        self.version += 1

    def revoke_all(self, number: int) -> list[Grant]:
        """Forget every privilege on an object and return what was held."""
        gone = list(self.grants_on.get(number, {}).values())
        for grant in gone:
            self.revoke(grant)
        return gone

    def join(self, membership: Membership) -> None:
        """Give a role to a role or user; a repeated grant can only add the grant option."""
        known = self.members.get(membership.role, {}).get(membership.to)
        if known is not None:
            known.grantable = known.grantable or membership.grantable
            return
        self.members.setdefault(membership.role, {})[membership.to] = membership
        self.memberships.setdefault(membership.to, {})[membership.role] = membership
        self.version += 1

    def leave(self, role: int, to: int) -> None:
        """Take a role from a role or user."""
        self.members.get(role, {}).pop(to, None)
        self.memberships.get(to, {}).pop(role, None)
        self.version += 1
