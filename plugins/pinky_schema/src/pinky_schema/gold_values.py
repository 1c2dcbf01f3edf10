"""What non-regression is about, as values: known good outputs, what a run made of an input, and how the two compare."""

from __future__ import annotations

import datetime
import enum
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs

from pinky_core import PinkyError

__all__ = [
    "Compared",
    "GoldError",
    "GoldRow",
    "InputState",
    "Match",
    "Output",
    "Pattern",
    "Recording",
    "Verification",
]


class GoldError(PinkyError):
    """Recording or verifying is not possible, and why; what was changed until then is in the text."""


@attrs.frozen(order=True)
class Output:
    """A file that was made: slot and path say which, the hashes what is in it.

    ``hash_raw`` is that of the bytes; ``hash_sorted`` that of the rows in any order, None where a file has no rows.
    """

    slot: str
    path: str
    hash_raw: str | None = attrs.field(default=None, order=False)
    hash_sorted: str | None = attrs.field(default=None, order=False)

    def as_json(self) -> dict[str, Any]:
        """As the column OUTPUTS of GOLD holds it."""
        return {
            "output_file_name": self.path,
            "slot": self.slot,
            "hash_raw": self.hash_raw,
            "hash_sorted": self.hash_sorted,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Output:
        """Of one element of OUTPUTS."""
        name, slot = str(found["output_file_name"]), str(found.get("slot") or "")
        return cls(slot, name, found.get("hash_raw"), found.get("hash_sorted"))


@attrs.frozen
class GoldRow:
    """A row of GOLD: what a version of the graph made of a reference input, known to be good."""

    version: str
    input_path: str
    outputs: tuple[Output, ...]
    recorded_at: datetime.datetime | None = None
    recorded_from: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "sp_version": self.version,
            "input_file_name": self.input_path,
            "outputs": [each.as_json() for each in self.outputs],
            "recorded_at": self.recorded_at.isoformat() if self.recorded_at else None,
            "recorded_from": self.recorded_from,
        }


@attrs.frozen
class InputState:
    """What became of an input file: the newest row of its path in the registry, and the outputs of its run.

    ``version`` is that of the graph that ran; None where the graph has none.
    """

    path: str
    status: str
    run_id: str | None = None
    error: str | None = None
    version: str | None = None
    outputs: tuple[Output, ...] = ()


class Match(enum.Enum):
    """How an output compares with what is known to be good."""

    EQUAL = "equal"  # byte for byte
    REORDERED = "reordered"  # the same rows in another order
    CHANGED = "changed"
    MISSING = "missing"  # it is in gold and was not made
    UNEXPECTED = "unexpected"  # it was made and is not in gold
    INPUT_FAILED = "input failed"  # the run failed on the input, so nothing can be compared
    NOT_PROCESSED = "not processed"  # the run did not come to the input


@attrs.frozen
class Compared:
    """One line of a verification. ``slot`` and ``path`` are empty where it is about the input as a whole."""

    input_path: str
    match: Match
    slot: str = ""
    path: str = ""
    expected: Output | None = None
    found: Output | None = None
    error: str = ""

    @property
    def output(self) -> str:
        """The output as people name it."""
        return f"{self.slot}/{self.path}" if self.path else "(no outputs)"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "input_file_name": self.input_path,
            "slot": self.slot or None,
            "output_file_name": self.path or None,
            "match": self.match.value,
            "expected": _hashes(self.expected),
            "found": _hashes(self.found),
            "error": self.error or None,
        }


def _hashes(output: Output | None) -> dict[str, str | None] | None:
    return None if output is None else {"hash_raw": output.hash_raw, "hash_sorted": output.hash_sorted}


@attrs.frozen
class Verification:
    """The result of a verification. ``version`` is that of gold, ``found_versions`` those that ran; time in seconds."""

    schema: str
    version: str
    rows: tuple[Compared, ...]
    allow_reordered: bool = False
    found_versions: tuple[str, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    def passes(self, row: Compared) -> bool:
        """Whether one line is no regression."""
        return row.match is Match.EQUAL or (self.allow_reordered and row.match is Match.REORDERED)

    @property
    def failures(self) -> tuple[Compared, ...]:
        """The lines that are regressions."""
        return tuple(row for row in self.rows if not self.passes(row))

    @property
    def ok(self) -> bool:
        """Whether there is no regression."""
        return not self.failures

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each match, in the order of `Match`."""
        found = Counter(row.match for row in self.rows)
        return {match.value: found[match] for match in Match if found[match]}

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.ok,
            "schema": self.schema,
            "sp_version": self.version,
            "found_versions": list(self.found_versions),
            "allow_reordered": self.allow_reordered,
            "seconds": round(self.seconds, 3),
            "counts": self.counts,
            "rows": [row.as_json() for row in self.rows],
        }


@attrs.frozen
class Recording:
    """The result of recording.

    ``without_outputs`` are inputs that were recorded and whose run made nothing; ``skipped`` says of other inputs why
    they were not recorded; ``left_out`` is how many more there were than the limit.
    """

    schema: str
    source: str
    version: str
    rows: tuple[GoldRow, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def without_outputs(self) -> tuple[str, ...]:
        """Inputs whose run made nothing."""
        return tuple(row.input_path for row in self.rows if not row.outputs)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "schema": self.schema,
            "source": self.source,
            "sp_version": self.version,
            "recorded": [row.as_json() for row in self.rows],
            "without_outputs": list(self.without_outputs),
            "skipped": [{"input_file_name": path, "because": why} for path, why in self.skipped],
            "left_out": self.left_out,
        }


@attrs.frozen
class Pattern:
    """Which paths are meant: ``*`` stands for any characters, ``/`` too, ``?`` for one; everything else for itself."""

    text: str = "*"

    @property
    def like(self) -> str:
        """For ``LIKE … ESCAPE '^'``."""
        escaped = re.sub(r"[%_^]", r"^\g<0>", self.text)
        return escaped.replace("*", "%").replace("?", "_")

    def matches(self, path: str) -> bool:
        """Whether a path is meant."""
        parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in self.text)
        return re.fullmatch("".join(parts), path, re.S) is not None
