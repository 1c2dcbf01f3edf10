"""Task graphs: which roots a change touches, and what must be suspended before it and resumed after it.

Snowflake refuses every change in a graph whose root is started
(https://docs.snowflake.com/en/sql-reference/sql/alter-task#usage-notes). So the root is suspended before the first
change and resumed after the last one, whatever became of them. A process killed in between leaves the root suspended:
where its task declares ``state: started`` the next run resumes it; where it declares no state, nobody can know later
whether it was started, so declare the state of every root that has to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Change,
    Context,
    Guard,
    Identifier,
    Keyword,
    field_digests,
    statement,
)

__all__ = ["Graph", "Linked", "State", "graph_guards", "neighbour", "parents"]


class State(Keyword):
    """Whether a task runs when it is its turn; SHOW TASKS prints these words."""

    STARTED = ("started",)
    SUSPENDED = ("suspended",)


class Linked(Protocol):
    """What a graph needs to know of a task: the tasks before it, the root it finalizes, its state."""

    after: tuple[Identifier, ...]
    finalize: Identifier | None
    state: State


def neighbour(address: Address, name: Identifier) -> Address:
    """The task of that name in the same schema: a graph never leaves its schema."""
    return attrs.evolve(address, path=(*address.path[:-1], name))


def parents(address: Address, after: Iterable[Identifier] | None, finalize: Identifier | None) -> list[Address]:
    """The tasks directly before a task; for a finalizer its root."""
    names = [*(after or ()), *((finalize,) if finalize else ())]
    return [neighbour(address, name) for name in names]


@attrs.frozen
class Graph:
    """The links of all tasks, by address."""

    links: Mapping[Address, Sequence[Address]]
    _roots: dict[Address, frozenset[Address]] = attrs.field(init=False, factory=dict, eq=False)

    def roots(self, address: Address) -> frozenset[Address]:
        """The tasks without predecessor from which a task is reached; itself where nothing is before it.

        Every task is looked at once, however many ask; a cycle, which only unfinished links could make, has no root.
        """
        waiting, below = [address], set()
        while waiting:
            current = waiting[-1]
            if current not in self._roots:
                below.add(current)
                before = self.links.get(current, ())
                unknown = [each for each in before if each not in self._roots and each not in below]
                if unknown:
                    waiting.extend(unknown)
                    continue
                found = (self._roots.get(each, frozenset()) for each in before)
                self._roots[current] = frozenset().union(*found) if before else frozenset({current})
            waiting.pop()
        return self._roots[address]


def _live_graph(context: Context, kind: str) -> Graph:
    return Graph({a: _known(parents(a, *_links_of(b)), context) for a, b in context.live.items() if a.kind == kind})


def _links_of(body: object) -> tuple[tuple[Identifier, ...] | None, Identifier | None]:
    after, finalize = getattr(body, "after", None), getattr(body, "finalize", None)
    return after or None, finalize or None


def _desired_graph(context: Context, kind: str, dropped: set[Address]) -> Graph:
    """Declared links over live ones: what is not declared stays as it is."""
    links: dict[Address, Sequence[Address]] = {}
    for address in {*context.live, *context.declared} - dropped:
        if address.kind != kind:
            continue
        after, finalize = _links_of(context.live.get(address))
        item = context.declared.get(address)
        if item is not None:
            wanted_after, wanted_finalize = getattr(item.body, "after", ABSENT), getattr(item.body, "finalize", ABSENT)
            after = after if wanted_after is ABSENT else wanted_after
            finalize = finalize if wanted_finalize is ABSENT else wanted_finalize
        links[address] = [each for each in _known(parents(address, after, finalize), context) if each not in dropped]
    return Graph(links)


def _known(addresses: Iterable[Address], context: Context) -> list[Address]:
    return [each for each in addresses if each in context.live or each in context.declared]


def graph_guards(changes: Sequence[Change], context: Context) -> list[Guard]:
    """One guard for each root above a changed task, in the graph as it is and in the graph as it will be."""
    if not changes:
        return []
    kind = changes[0].address.kind
    dropped = {change.address for change in changes if change.action is Action.DROP}
    before, after = _live_graph(context, kind), _desired_graph(context, kind, dropped)
    members: dict[Address, list[Address]] = {}
    for change in changes:
        roots = before.roots(change.address) if change.address in context.live else frozenset()
        if change.action is not Action.DROP:
            roots = roots | after.roots(change.address)
        for root in roots:
            members.setdefault(root, []).append(change.address)
    by_address = {change.address: change for change in changes}
    found = []
    for root, addresses in sorted(members.items()):
        if addresses == [root] and _only_suspends(by_address[root]):
            continue  # its own statement does all there is to do
        guard = _guard_of(root, addresses, before, after, context, gone=root in dropped)
        if guard.opening or guard.closing:
            found.append(guard)
    return found


def _only_suspends(change: Change) -> bool:
    return [field.path for field in change.fields] == ["state"] and change.fields[0].after is State.SUSPENDED


def _guard_of(
    root: Address, members: Sequence[Address], before: Graph, after: Graph, context: Context, *, gone: bool
) -> Guard:
    was_root = root in context.live and not before.links.get(root)
    running = was_root and getattr(context.live[root], "state", None) == State.STARTED
    item = context.declared.get(root)
    declared = getattr(item.body, "state", ABSENT) if item is not None else ABSENT
    stays_root = not gone and not after.links.get(root)
    resume = stays_root and (running if declared is ABSENT else declared is State.STARTED)
    observed = {"state": field_digests(context.live[root])["state"]} if was_root else {}
    return Guard(
        name=f"task graph {root.sql}",
        members=tuple(members),
        opening=(statement(f"ALTER TASK {root.sql} SUSPEND"),) if running else (),
        closing=(statement(f"ALTER TASK {root.sql} RESUME"),) if resume else (),
        requires=None if running else root,
        root=root if was_root else None,
        observed=observed,
    )
