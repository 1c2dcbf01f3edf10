"""Known good outputs beside what a run made of the same inputs: pure functions over values.

``hash_raw`` decides whether a file is the same byte for byte; where it is not, ``hash_sorted`` tells rows in another
order from other content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pinky_schema.gold_values import Compared, GoldRow, InputState, Match, Output

__all__ = ["FINAL", "compare", "match_of"]

#: States of an input that its run does not leave by itself.
FINAL = frozenset({"DONE", "FAILED", "PARKED", "GONE"})
_SAID = {
    "FAILED": "the run failed",
    "PARKED": "the run failed as often as is allowed",
    "GONE": "the file left the slot before it was processed",
}


def match_of(expected: Output | None, found: Output | None) -> Match:
    """How one output compares; at least one of the two is there."""
    if found is None:
        return Match.MISSING
    if expected is None:
        return Match.UNEXPECTED
    if expected.hash_raw is not None and expected.hash_raw == found.hash_raw:
        return Match.EQUAL
    if expected.hash_sorted is not None and expected.hash_sorted == found.hash_sorted:
        return Match.REORDERED
    return Match.CHANGED


def compare(gold: Iterable[GoldRow], states: Mapping[str, InputState], problem: str = "") -> tuple[Compared, ...]:
    """One line for each output of each input, in their order; one about the input where there is no output.

    ``problem`` says of inputs that were not processed why that is so.
    """
    found = [line for row in gold for line in _lines(row, states.get(row.input_path), problem)]
    return tuple(sorted(found, key=lambda line: (line.input_path, line.slot, line.path)))


def _lines(row: GoldRow, state: InputState | None, problem: str) -> Iterator[Compared]:
    path = row.input_path
    if state is None or state.status not in FINAL:
        seen = "it was not registered" if state is None else f"its state is {state.status}"
        yield from _uncompared(row, Match.NOT_PROCESSED, f"{seen}; {problem}" if problem else seen)
        return
    if state.status != "DONE":
        yield from _uncompared(row, Match.INPUT_FAILED, state.error or _SAID[state.status])
        return
    expected = {(each.slot, each.path): each for each in row.outputs}
    made = {(each.slot, each.path): each for each in state.outputs}
    if not expected and not made:
        yield Compared(path, Match.EQUAL)
    for key in sorted(expected.keys() | made.keys()):
        good, new = expected.get(key), made.get(key)
        yield Compared(path, match_of(good, new), *key, good, new)


def _uncompared(row: GoldRow, match: Match, error: str) -> Iterator[Compared]:
    """A line for each output that should have been made, so that a report has the same cases in every run."""
    if not row.outputs:
        yield Compared(row.input_path, match, error=error)
    for each in row.outputs:
        yield Compared(row.input_path, match, each.slot, each.path, each, error=error)
