"""Sorting more row digests than fit into memory.

Digests are counted in memory. When enough different ones are held, they go to a temporary file as one run in the order
of their first bytes, with an index of where each first byte begins. At the end, one first byte after the other is taken
from all runs and counted again; should even those be too many, they are divided by their next byte in the same way.
Digests of SHA-256 are spread evenly and equal ones are counted, so memory depends neither on the number of rows nor on
how many are equal.
"""

from __future__ import annotations

import tempfile
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from operator import itemgetter
from typing import IO, NamedTuple, Protocol

HELD = 200_000
"""Different digests in memory before they are written to the temporary file; about 40 MB."""

_SIZE = sha256().digest_size
_AT_ONCE = 4096


class _Sink(Protocol):
    def update(self, data: bytes, /) -> object: ...


class _Run(NamedTuple):
    """A piece of the temporary file in the order of one byte: digests, then their counts where not all are 1."""

    offset: int
    starts: array[int]
    counted: bool


class RowDigests:
    """A multiset of SHA-256 digests, 32 bytes each, given back in their order.

    ``folder`` holds the temporary file (by default the system's place for such); it needs at most 40 bytes a row.
    ``level`` is how many first bytes all digests have in common. Use it as a context manager: leaving it removes the
    file.
    """

    def __init__(self, folder: str | None = None, *, held: int = HELD, level: int = 0) -> None:
        self._folder, self._held, self._level = folder, held, level
        self._counts: Counter[bytes] = Counter()
        self._runs: list[_Run] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> RowDigests:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._file is not None:
            self._file.close()

    def add_rows(self, rows: Iterable[bytes]) -> None:
        """Adds the digest of every row. Memory is looked at afterwards, so give some thousands at a time."""
        self._counts.update(map(_digest, rows))
        self._write_when_many()

    def add(self, digests: Iterable[bytes], counts: Iterable[int] | None = None) -> None:
        """Adds digests, each once or as often as ``counts`` says."""
        if counts is None:
            self._counts.update(digests)
        else:
            for digest, count in zip(digests, counts):  # noqa: B905  (both are read from one run)
                self._counts[digest] += count
        self._write_when_many()

    def update(self, sink: _Sink) -> int:
        """Passes every digest to ``sink``, in ascending order and as often as it was added; how many these were."""
        if not self._runs:
            return _pass_on(self._counts, sink)
        if self._counts:
            self._write()
        total = 0
        for first in range(256):
            with RowDigests(self._folder, held=self._held, level=self._level + 1) as part:
                for run in self._runs:
                    self._copy(run, first, part)
                total += part.update(sink)
        return total

    def _write_when_many(self) -> None:
        if len(self._counts) > self._held:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  (closed by __exit__)
        # By this one byte alone: the rest of the order is made when a part is in memory.
        byte = itemgetter(self._level)
        digests = sorted(self._counts, key=byte)
        starts = array("Q", (bisect_left(digests, first, key=byte) for first in range(256)))
        starts.append(len(digests))
        counted = sum(self._counts.values()) > len(digests)
        self._runs.append(_Run(self._file.seek(0, 2), starts, counted))
        self._file.write(b"".join(digests))
        if counted:
            self._file.write(array("Q", map(self._counts.__getitem__, digests)).tobytes())
        self._counts.clear()

    def _copy(self, run: _Run, first: int, part: RowDigests) -> None:
        begin, end = run.starts[first], run.starts[first + 1]
        if begin == end:
            return
        data = self._read(run.offset + _SIZE * begin, _SIZE * (end - begin))
        digests = [data[at : at + _SIZE] for at in range(0, len(data), _SIZE)]
        if not run.counted:
            part.add(digests)
            return
        counts = array("Q")
        counts.frombytes(
            self._read(run.offset + _SIZE * run.starts[256] + counts.itemsize * begin, counts.itemsize * (end - begin))
        )
        part.add(digests, counts)

    def _read(self, offset: int, size: int) -> bytes:
        assert self._file is not None  # a run was written to it
        self._file.seek(offset)
        return self._file.read(size)


def _digest(row: bytes) -> bytes:
    return sha256(row).digest()


def _pass_on(counts: Counter[bytes], sink: _Sink) -> int:
    digests, total = sorted(counts), sum(counts.values())
    if total == len(digests):
        for at in range(0, total, _AT_ONCE):
            sink.update(b"".join(digests[at : at + _AT_ONCE]))
        return total
    for digest in digests:
        many, rest = divmod(counts[digest], _AT_ONCE)
        if many:
            block = digest * _AT_ONCE
            for _ in range(many):
                sink.update(block)
        sink.update(digest * rest)
    return total
