from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.graph import CycleError, in_order

GRAPHS = st.dictionaries(st.integers(0, 30), st.sets(st.integers(0, 30), max_size=4), max_size=30)


@given(GRAPHS)
def test_everything_comes_after_what_it_needs_or_a_true_cycle_is_named(needs: dict[int, set[int]]):
    try:
        order = in_order(needs)
    except CycleError as error:
        cycle = error.cycle
        assert cycle[0] == cycle[-1]
        assert all(after in needs[before] for before, after in itertools.pairwise(cycle))
        return
    place = {node: index for index, node in enumerate(order)}
    assert sorted(order) == sorted(needs)
    assert all(place[need] < place[node] for node, wanted in needs.items() for need in wanted if need in place)


@given(GRAPHS, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_input(needs: dict[int, set[int]], random: object):
    items = list(needs.items())
    random.shuffle(items)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    try:
        expected = in_order(needs)
    except CycleError:
        with pytest.raises(CycleError):
            in_order(dict(items))
        return
    assert in_order(dict(items)) == expected


def test_a_node_that_needs_itself_is_a_cycle():
    with pytest.raises(CycleError, match="1 → 1"):
        in_order({1: {1}})


def test_ties_go_by_the_nodes_own_order():
    assert in_order({3: set(), 1: set(), 2: {3}}) == [1, 3, 2]
