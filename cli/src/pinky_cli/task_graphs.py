"""Task graphs among declared resources: which task runs after which, as values that can be drawn.

Only what every task says of itself is looked at (``after``, ``finalize``, ``schedule``), so graphs that a section of a
manifest made and tasks that were written out by hand are the same here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from pinky_core import Address, Declared

__all__ = ["Node", "TaskGraph", "children", "task_graphs"]

KIND = "task"
SECTION = "dag "  # how the section of graphs begins the origin of its tasks


@attrs.frozen
class Node:
    """One task: its address, the tasks directly before it, what starts it (for a root), whether it is declared."""

    address: Address
    after: tuple[Address, ...] = ()
    starts: str = ""
    finalizes: bool = False
    declared: bool = True


@attrs.frozen
class TaskGraph:
    """The tasks that are linked to each other, each after those before it; the first has none before it.

    ``name`` is the graph's in the manifest, else its root's. ``made_by`` is the section that made it, if one did.
    """

    name: str
    nodes: tuple[Node, ...]
    made_by: str = ""

    @property
    def root(self) -> Node:
        """The task that starts the graph."""
        return self.nodes[0]

    def called(self, text: str) -> bool:
        """Whether a person means this graph: by its name or by its root's, qualified or not."""
        from pinky_core import parse_path

        try:
            path = parse_path(text)
        except ValueError:
            return False
        return (len(path) == 1 and str(path[0]) == self.name) or self.root.address.path[-len(path) :] == path


def task_graphs(resources: Iterable[Declared]) -> list[TaskGraph]:
    """The graphs of all declared tasks, by address of their roots; a task of its own is a graph of one."""
    declared = {each.address: each for each in resources if each.address.kind == KIND}
    nodes = {address: _node(item) for address, item in declared.items()}
    for node in list(nodes.values()):
        for address in node.after:
            nodes.setdefault(address, Node(address, declared=False))
    found = []
    for members in _linked(nodes):
        ordered = _in_order(members)
        origin = next((declared[each.address].origin for each in ordered if each.declared), "")
        made_by = origin if origin.startswith(SECTION) else ""
        name = made_by.removeprefix(SECTION) or str(ordered[0].address.name)
        found.append(TaskGraph(name, tuple(ordered), made_by))
    return sorted(found, key=lambda graph: graph.root.address)


def _node(item: Declared) -> Node:
    body: Any = item.body
    address = item.address
    finalize = getattr(body, "finalize", None)
    names = [*(getattr(body, "after", None) or ()), *([finalize] if finalize else [])]
    before = tuple(attrs.evolve(address, path=(*address.path[:-1], name)) for name in names)
    return Node(address, before, "" if before else _starts(body), bool(finalize))


def _starts(body: Any) -> str:
    """What makes a root run, in few words."""
    schedule, when = getattr(body, "schedule", None), getattr(body, "when", None)
    if schedule:
        text = str(schedule)
        shown = text if text.startswith("USING") else f"every {text}"
        return f"{shown}, when {when}" if when else shown
    return f"when {when}" if when else "on demand"


def _linked(nodes: Mapping[Address, Node]) -> Iterator[dict[Address, Node]]:
    """The nodes in groups in which every node is reached from every other, whatever way the links point.

    A group keeps the order in which the nodes were given.
    """
    rank = {address: number for number, address in enumerate(nodes)}
    neighbours: dict[Address, list[Address]] = {address: list(node.after) for address, node in nodes.items()}
    for address, node in nodes.items():
        for other in node.after:
            neighbours[other].append(address)
    left = dict(nodes)
    while left:
        waiting = [next(iter(left))]
        group: dict[Address, Node] = {}
        while waiting:
            address = waiting.pop()
            if address in left:
                group[address] = left.pop(address)
                waiting.extend(neighbours[address])
        yield dict(sorted(group.items(), key=lambda item: rank[item[0]]))


def _in_order(members: Mapping[Address, Node]) -> list[Node]:
    """Each node after those before it, otherwise in the order of the manifest; the finalizer at the end.

    The engine has refused circles.
    """
    open_links = {address: len(node.after) for address, node in members.items()}
    below: dict[Address, list[Address]] = {address: [] for address in members}
    for address, node in members.items():
        for other in node.after:
            below[other].append(address)
    ready = deque(address for address, count in open_links.items() if not count)
    found: list[Node] = []
    while ready:
        address = ready.popleft()
        found.append(members[address])
        for each in below[address]:
            open_links[each] -= 1
            if not open_links[each]:
                ready.append(each)
    return sorted(found, key=lambda node: node.finalizes)


def children(nodes: Sequence[Node]) -> dict[Address, list[Node]]:
    """The nodes below each address in a tree in which every node stands once: below the last it waits for."""
    place = {node.address: number for number, node in enumerate(nodes)}
    found: dict[Address, list[Node]] = {node.address: [] for node in nodes}
    for node in nodes:
        if node.after:
            found[max(node.after, key=lambda address: place[address])].append(node)
    return found
