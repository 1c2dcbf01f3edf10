"""``hash_raw`` and ``hash_sorted``: has a file the same bytes, has it the same rows.

Both are defined here; docs/explanation/hashes.md says the same with examples.

**hash_raw** is the SHA-256 of the content's bytes. The content is the file without its gzip: where the first three
bytes are 1F 8B 08, one layer of gzip (of any number of members) is taken off first, since its header holds a time.

**hash_sorted** is the SHA-256 of the rows' digests, in ascending order, one after the other (32 bytes each, equal ones
as often as they are there). A row's digest is the SHA-256 of the row's canonical form, which depends on the format:

=========  ==================================  ========================================================================
format     files                               rows
=========  ==================================  ========================================================================
csv        ``.csv``                            records of RFC 4180 (`text_rows`). With ``header`` the first one is no
                                               row: its digest comes before all others
tsv        ``.tsv``                            as csv; the delimiter is a tab
jsonl      ``.jsonl``, ``.ndjson``             the JSON value of each line (`json_rows`)
json       ``.json``                           JSON values, and elements of an array at the top (`json_rows`)
parquet    ``.parquet``                        rows (`parquet_rows`)
lines      ``.txt`` and all others             lines (`text_rows`)
=========  ==================================  ========================================================================

A name may have ``.gz`` behind; case makes no difference. A file without rows has the hash_sorted of nothing,
``e3b0c442…``, which is also the hash_raw of an empty file.

Memory stays below 256 MB for text files of any size and any rows (`content.ROW_LIMIT` and `json_rows.JSON_LIMIT` for
one row); digests beyond it lie in a temporary file of at most 40 bytes a row. In Snowflake ``/tmp`` is part of the
memory of the query (https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-security-practices).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Protocol

from pinky_schema.runtime.content import ROW_LIMIT, Content, Readable
from pinky_schema.runtime.json_rows import JSON_LIMIT, json_lines, json_values
from pinky_schema.runtime.parquet_rows import parquet_rows
from pinky_schema.runtime.row_digests import RowDigests
from pinky_schema.runtime.text_rows import csv_records, text_lines

FORMATS = ("lines", "csv", "tsv", "jsonl", "json", "parquet")
"""The formats of which rows are known."""

_BY_SUFFIX = {"csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "parquet": "parquet"}


class Hashes(NamedTuple):
    """Both hashes of a file, 64 hexadecimal digits each, and how many rows it has (a header is none)."""

    raw: str
    sorted: str
    rows: int


class HasHashes(Protocol):
    """What `compare` compares."""

    @property
    def raw(self) -> str:
        """The hash_raw."""

    @property
    def sorted(self) -> str:
        """The hash_sorted."""


def format_of(name: str) -> str:
    """The format that a file's name, or its path or URL, tells: ``lines`` where the suffix is none of those above."""
    suffix = name.lower().removesuffix(".gz").rpartition(".")[2]
    return _BY_SUFFIX.get(suffix, "lines")


def hash_raw(stream: Readable) -> str:
    """The hash_raw of a binary stream, read from where it stands to its end. `HashError` where its gzip is damaged."""
    content = Content(stream)
    for _ in content.blocks():
        pass
    return content.raw()


def hash_sorted(
    stream: Readable,
    format: str = "lines",  # noqa: A002  (the word of file formats)
    *,
    delimiter: str | None = None,
    quote: str | None = None,
    header: bool = False,
    row_limit: int | None = None,
    folder: str | None = None,
) -> str:
    """The hash_sorted of a binary stream, read from where it stands to its end; arguments as for `hash_file`."""
    found = hash_file(
        stream,
        format=format,
        delimiter=delimiter,
        quote=quote,
        header=header,
        row_limit=row_limit,
        folder=folder,
    )
    return found.sorted


def hash_file(
    stream: Readable,
    name: str = "",
    *,
    format: str | None = None,  # noqa: A002  (the word of file formats)
    delimiter: str | None = None,
    quote: str | None = None,
    header: bool = False,
    row_limit: int | None = None,
    folder: str | None = None,
) -> Hashes:
    """Both hashes of a binary stream, which is read once, from where it stands to its end. It is not closed.

    ``format`` is one of `FORMATS`; without it the suffix of ``name`` tells it. For CSV and TSV alone: ``delimiter`` and
    ``quote`` are one ASCII character each (by default comma or tab, and ``"``; an empty quote means that the file has
    none), and with ``header`` the first record is a header. ``row_limit`` is how many bytes a row may have (by default
    8 MiB, and 4 MiB for JSON; memory grows with it); a little more may pass. ``folder`` holds temporary files.

    `ValueError` for arguments that do not fit; `HashError`, which is one, for a file that is not what its format says.
    """
    format = format or format_of(name)  # noqa: A001
    if format not in FORMATS:
        raise ValueError(f"there is no format {format!r}; the formats are {', '.join(FORMATS)}")
    if format not in ("csv", "tsv") and (header or delimiter is not None or quote is not None):
        raise ValueError(f"delimiter, quote and header belong to csv and tsv; the format is {format}")
    content = Content(stream)
    found = hashlib.sha256()
    if format in ("csv", "tsv"):
        delimiter = ("," if format == "csv" else "\t") if delimiter is None else delimiter
        quote = '"' if quote is None else quote
        _check_characters(delimiter, quote)
        rows = csv_records(content, delimiter, quote, row_limit or ROW_LIMIT)
        if header:
            rows = _without_first(rows, found)
    elif format == "jsonl":
        rows = json_lines(content, row_limit or JSON_LIMIT)
    elif format == "json":
        rows = json_values(content, row_limit or JSON_LIMIT)
    elif format == "parquet":
        rows = parquet_rows(content, folder)
    else:
        rows = text_lines(content, row_limit or ROW_LIMIT)
    with RowDigests(folder) as digests:
        for portion in rows:
            digests.add_rows(portion)
        count = digests.update(found)
    return Hashes(content.raw(), found.hexdigest(), count)


def compare(expected: HasHashes, found: HasHashes) -> str:
    """Whether a file is what it was: ``equal``, ``reordered`` or ``changed``.

    ``equal``: the same bytes. ``reordered``: other bytes but the same rows, in another order or written in a way that
    makes no difference in the format. ``changed``: other rows.
    """
    if expected.raw == found.raw:
        return "equal"
    return "reordered" if expected.sorted == found.sorted else "changed"


def _check_characters(delimiter: str, quote: str) -> None:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in "\r\n\0":
        raise ValueError(f"the delimiter is one ASCII character other than a line end or NUL, not {delimiter!r}")
    if len(quote) > 1 or not quote.isascii() or (quote and quote in f"\r\n\0{delimiter}"):
        raise ValueError(f"the quote is one ASCII character other than the delimiter, a line end or NUL, not {quote!r}")


def _without_first(rows: Iterator[Iterable[bytes]], found: hashlib._Hash) -> Iterator[Iterable[bytes]]:
    """The rows but the first one, whose digest goes into ``found`` at once."""
    for portion in rows:
        rest = iter(portion)
        found.update(hashlib.sha256(next(rest)).digest())
        return chain((rest,), rows)
    return iter(())
