from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinky_core import ABSENT
from pinky_core.diff import changed_fields, keyed_diff
from tests.kinds import Box, Colour

LISTS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)), unique_by=lambda pair: pair[0])


@given(LISTS, LISTS)
def test_following_a_keyed_diff_leads_from_one_list_to_the_other(before, after):
    diff = keyed_diff(before, after, lambda pair: pair[0])
    result = [pair for pair in before if pair not in diff.removed]
    result = [next((new for old, new in diff.changed if old == pair), pair) for pair in result]
    assert sorted([*result, *diff.added]) == sorted(after)
    kept = [pair[0] for pair in before if pair[0] in dict(after)]
    assert diff.moved == (kept != [pair[0] for pair in after if pair[0] in dict(before)])


def test_a_rename_hint_counts_while_the_former_is_there_and_the_new_is_not():
    hint = {"new": "old"}

    def diff(before: list[str], after: list[str]):
        return keyed_diff(before, after, str, renamed_from=hint.get)

    assert diff(["old", "x"], ["new", "x"]).renamed == (("old", "new"),)
    assert not diff(["old", "x"], ["new", "x"]).removed
    both = diff(["old", "new"], ["new"])
    assert (both.renamed, both.removed) == ((), ("old",))
    assert diff(["x"], ["new", "x"]).added == ("new",)
    assert not diff(["new"], ["new"]).renamed


def test_absent_null_and_default():
    live = Box(colour=Colour.RED, weight=5, label=None)
    assert changed_fields(Box(), live) == []
    assert changed_fields(Box(weight=None, colour=None, label=None), live) == []
    [change] = changed_fields(Box(weight=6), live)
    assert (change.path, change.before, change.after) == ("weight", 5, 6)
    assert [c.path for c in changed_fields(Box(label="x"), Box(label=ABSENT))] == ["label"]
