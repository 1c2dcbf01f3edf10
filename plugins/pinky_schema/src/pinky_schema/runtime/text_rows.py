"""Rows of text files in their canonical form: lines, and records of CSV (RFC 4180).

Both look at bytes alone, so a file may have any encoding in which delimiter, quote and line ends are the bytes of
ASCII. A row ends at LF, CRLF or CR; the end is not part of it, and the last row may lack it. A byte order mark of UTF-8
at the beginning is not part of the first row; UTF-16 and UTF-32, told by theirs, are refused.

The functions give the rows in portions. A portion is used up before the next one is asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from pinky_schema.runtime.content import BLOCK, ROW_LIMIT, Content, HashError

PORTION = 16_384
"""Rows in a portion where rows are made one by one."""

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_SEPARATOR, _ESCAPE = "\x1f", "\x1e"
_NUL_FOR_CSV = "\u0100"  # no byte decodes to it; Python's csv module refuses NUL before 3.11


def line_blocks(content: Content, limit: int = ROW_LIMIT) -> Iterator[bytes]:
    """The content in blocks that end where a line ends; `HashError` where a line has more than ``limit`` bytes."""
    begun = content.read(len(_UTF8_MARK))
    if begun.startswith(_UTF16_MARKS):
        raise HashError("the file is UTF-16 or UTF-32 (byte order mark); its rows are read as UTF-8")
    begun = begun.removeprefix(_UTF8_MARK)
    for block in content.blocks():
        block = begun + block
        # A CR at the very end waits: the LF that may follow belongs to it.
        last = len(block) - block.endswith(b"\r")
        cut = max(block.rfind(b"\n", 0, last), block.rfind(b"\r", 0, last)) + 1
        if cut:
            yield block[:cut]
        begun = block[cut:]
        if len(begun) > limit:
            raise HashError(f"a line has more than {limit:,} bytes, the limit for one row")
    if begun:
        yield begun


def text_lines(content: Content, limit: int = ROW_LIMIT) -> Iterator[Iterable[bytes]]:
    """The lines of any file, in portions."""
    return (block.splitlines() for block in line_blocks(content, limit))


def csv_records(
    content: Content, delimiter: str = ",", quote: str = '"', limit: int = ROW_LIMIT
) -> Iterator[Iterable[bytes]]:
    """The records of a CSV file in canonical form, in portions.

    Canonical form: the fields' bytes with the byte 1F between them; in a field, 1E is written 1E 30 and 1F is written
    1E 31. A field is what RFC 4180 says: quotes around it are taken off, two quotes inside are one, line ends inside
    stay as they are. So neither the delimiter nor needless quotes make a difference. An empty line is a record of one
    empty field. A quote in a field that does not begin with one stands for itself. ``delimiter`` and ``quote`` are one
    ASCII character each; an empty ``quote`` means that the file has none.

    `HashError` for text after a closing quote, for a quote that is not closed, for a record beyond the limit.
    """
    blocks = line_blocks(content, limit)
    for block in blocks:
        if delimiter == _ESCAPE or (quote and quote.encode() in block):
            rows = _parsed(chain((block,), blocks), delimiter, quote, limit)
            yield from portions(rows)
        else:
            yield _plain(block, delimiter)


def portions(rows: Iterator[bytes]) -> Iterator[Iterable[bytes]]:
    """The same rows some thousands at a time, none of them held."""
    return (chain((row,), islice(rows, PORTION - 1)) for row in rows)


def _plain(block: bytes, delimiter: str) -> list[bytes]:
    """Records of a block without any quote: there is nothing to parse."""
    separator, escape = _SEPARATOR.encode(), _ESCAPE.encode()
    block = block.replace(escape, escape + b"0")
    if delimiter != _SEPARATOR:
        block = block.replace(separator, escape + b"1").replace(delimiter.encode(), separator)
    return block.splitlines()


def _parsed(blocks: Iterator[bytes], delimiter: str, quote: str, limit: int) -> Iterator[bytes]:
    # The module's limit for a field holds for the whole process; it is raised where it is lower, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _Feed(blocks, limit)
    reader = csv.reader(
        chain.from_iterable(feed),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    number = 0
    try:
        for number, fields in enumerate(reader, 1):  # noqa: B007  (the error says how far we came)
            feed.used = feed.given
            yield _escaped(fields) if feed.special else _SEPARATOR.join(fields).encode("latin-1")
    except csv.Error as error:
        place = f"record {number + 1} after the first one with a quote" if number else "the first record with a quote"
        raise HashError(f"not CSV at {place}: {error}") from error


def _escaped(fields: list[str]) -> bytes:
    """A record that may hold one of the characters with a meaning here."""
    escaped = (
        field.replace(_ESCAPE, _ESCAPE + "0").replace(_SEPARATOR, _ESCAPE + "1").replace(_NUL_FOR_CSV, "\0")
        for field in fields
    )
    return _SEPARATOR.join(escaped).encode("latin-1")


class _Feed:
    """Blocks as lines of text for the csv module: one character for each byte, line ends kept.

    ``special`` tells that a character came which `_escaped` looks after. ``given`` and ``used`` count bytes: what lies
    between them belongs to a record that is not complete yet.
    """

    def __init__(self, blocks: Iterator[bytes], limit: int) -> None:
        self._blocks, self._limit = blocks, limit
        self.special = False
        self.given = self.used = 0

    def __iter__(self) -> Iterator[io.StringIO]:
        for block in self._blocks:
            if self.given - self.used > self._limit + BLOCK:
                raise HashError(f"a record has more than {self._limit:,} bytes, the limit for one row")
            self.given += len(block)
            text = block.decode("latin-1")
            if _SEPARATOR in text or _ESCAPE in text or "\0" in text:
                self.special = True
                text = text.replace("\0", _NUL_FOR_CSV)
            yield io.StringIO(text, newline="")
