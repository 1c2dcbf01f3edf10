"""Order by need: stable, linear, and able to explain a cycle. It knows nothing of resources."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Hashable, Mapping
from typing import Any, TypeVar

__all__ = ["CycleError", "in_order"]

Node = TypeVar("Node", bound=Hashable)


class CycleError(ValueError):
    """The nodes need each other in a circle; ``cycle`` starts and ends with the same node."""

    def __init__(self, cycle: list[Any]) -> None:
        super().__init__(" → ".join(str(each) for each in cycle))
        self.cycle = cycle


def in_order(needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """All keys, each after what it needs; ties by the nodes' own order. Needs that are not keys are ignored.

    Raises `CycleError` with one shortest-found circle. Time is linear but for the heap that settles ties.
    """
    nodes: list[Any] = sorted(needs)
    rank = {node: place for place, node in enumerate(nodes)}
    waiting = [0] * len(nodes)
    dependants: list[list[int]] = [[] for _ in nodes]
    for place, node in enumerate(nodes):
        known = {rank[each] for each in needs[node] if each in rank}
        waiting[place] = len(known)
        for each in known:
            dependants[each].append(place)
    ready = [place for place, count in enumerate(waiting) if count == 0]  # ascending, so a heap already
    order: list[Node] = []
    while ready:
        place = heapq.heappop(ready)
        order.append(nodes[place])
        for each in dependants[place]:
            waiting[each] -= 1
            if waiting[each] == 0:
                heapq.heappush(ready, each)
    if len(order) < len(nodes):
        raise CycleError(_cycle({nodes[place] for place, count in enumerate(waiting) if count}, needs))
    return order


def _cycle(stuck: set[Any], needs: Mapping[Any, Collection[Any]]) -> list[Any]:
    """Walk along needs inside the stuck nodes until one repeats: that stretch is a circle."""
    node = min(stuck)
    path: list[Any] = []
    seen: dict[Any, int] = {}
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = min(each for each in needs[node] if each in stuck)
    return [*path[seen[node] :], node]
