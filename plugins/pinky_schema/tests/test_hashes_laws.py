"""Laws of hash_raw and hash_sorted, on files that hypothesis makes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from pinky_schema.runtime import content, hashes, row_digests, text_rows
from pinky_schema.runtime.content import HashError
from pinky_schema.runtime.hashes import Hashes, hash_file, hash_raw, hash_sorted

FIELD = st.text(st.sampled_from('ab",\n\r \x00\x1e\x1fé0\t;'), max_size=4)
RECORDS = st.lists(st.lists(FIELD, min_size=1, max_size=3), max_size=8)
NUMBER = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


class Slow:
    """A stream of which nothing but `read` is there, and that returns pieces of given sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes, self._at = data, sizes or [1], 0

    def read(self, size: int, /) -> bytes:
        size = min(size, self._sizes[self._at % len(self._sizes)])
        self._at += 1
        piece, self._data = self._data[:size], self._data[size:]
        return piece


class Number(str):
    """A number as it is written, for `written`."""


def written(value: Any, space: str = "", *, backwards: bool = False) -> str:
    """JSON text of a value, by hand, in one of the ways one can write it."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = sorted(value.items(), reverse=backwards)
        inner = f",{space}".join(
            f"{json.dumps(k)}{space}:{space}{written(v, space, backwards=backwards)}" for k, v in items
        )
        return f"{{{space}{inner}{space}}}"
    if isinstance(value, list):
        return f"[{space}" + f"{space},".join(written(each, space, backwards=backwards) for each in value) + f"{space}]"
    return json.dumps(value)


VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(max_size=4), NUMBER.map(Number)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def to_csv(records: list[list[str]], *, quote_all: bool = False, end: str = "\n", delimiter: str = ",") -> bytes:
    """Records as RFC 4180 wants them; Python's csv.writer leaves a lone CR without quotes."""

    def field(text: str) -> str:
        needed = quote_all or any(character in text for character in f'{delimiter}"\r\n')
        return '"' + text.replace('"', '""') + '"' if needed else text

    return "".join(delimiter.join(map(field, record)) + end for record in records).encode()


def rows_hash(rows: list[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(row).digest() for row in rows))).hexdigest()


def canonical(record: list[str]) -> bytes:
    return "\x1f".join(f.replace("\x1e", "\x1e0").replace("\x1f", "\x1e1") for f in record).encode()


def of(data: bytes, kind: str = "csv", **options: Any) -> str:
    return hash_sorted(io.BytesIO(data), kind, **options)


@given(RECORDS, st.randoms(use_true_random=False))
def test_any_order_and_any_way_to_write_it_has_the_same_value(records: list[list[str]], random: Any) -> None:
    shuffled = records[:]
    random.shuffle(shuffled)
    expected = rows_hash([canonical(record) for record in records])
    assert of(to_csv(records)) == expected
    assert of(to_csv(shuffled)) == expected
    assert of(to_csv(shuffled, quote_all=True, end="\r\n")) == expected
    assert of(to_csv(shuffled, delimiter=";"), delimiter=";") == expected
    assert of(to_csv(shuffled, delimiter="\t"), "tsv") == expected


@given(RECORDS, RECORDS)
def test_other_records_have_another_value(one: list[list[str]], other: list[list[str]]) -> None:
    same = Counter(map(tuple, one)) == Counter(map(tuple, other))
    assert (of(to_csv(one)) == of(to_csv(other))) == same


@given(RECORDS, st.data())
def test_one_row_more_or_less_has_another_value(records: list[list[str]], data: st.DataObject) -> None:
    more = [*records, data.draw(st.sampled_from(records)) if records else ["x"]]
    assert of(to_csv(more)) != of(to_csv(records))


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line and b"\r" not in line)), st.data())
def test_lines_of_any_bytes_may_have_any_order(rows: list[bytes], data: st.DataObject) -> None:
    rows = [row for row in rows if not row.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08"))]
    shuffled = data.draw(st.permutations(rows))
    prefix = b"first\n"  # so that nothing at the beginning is taken for a mark
    found = hash_file(io.BytesIO(prefix + b"".join(row + b"\n" for row in shuffled)), "x.bin")
    assert found.sorted == rows_hash([b"first", *rows])
    assert found.rows == len(rows) + 1


@given(st.lists(VALUE, max_size=5), st.randoms(use_true_random=False), st.sampled_from(["", " ", "\t"]))
def test_json_has_one_value_for_each_way_to_write_it(values: list[Any], random: Any, space: str) -> None:
    shuffled = values[:]
    random.shuffle(shuffled)
    expected = rows_hash([written(value).encode() for value in values])
    lines = "\n".join(written(value, space, backwards=True) for value in shuffled).encode()
    assert of(lines, "jsonl") == expected
    assert of(f"[{lines.decode()}]".replace("\n", ",\n").encode() if values else b"[]", "json") == expected


@given(st.lists(VALUE, max_size=4), st.lists(VALUE, max_size=4))
def test_other_json_values_have_another_value(one: list[Any], other: list[Any]) -> None:
    texts = [[written(value) for value in values] for values in (one, other)]
    found = [of("\n".join(each).encode(), "jsonl") for each in texts]
    assert (found[0] == found[1]) == (Counter(texts[0]) == Counter(texts[1]))


@given(st.binary(), st.binary())
def test_hash_raw_differs_where_bytes_do(one: bytes, other: bytes) -> None:
    one, other = b"x" + one, b"x" + other
    assert (hash_raw(io.BytesIO(one)) == hash_raw(io.BytesIO(other))) == (one == other)
    assert hash_raw(io.BytesIO(one)) == hashlib.sha256(one).hexdigest()


@given(RECORDS, st.lists(st.integers(1, 9), max_size=5), st.integers(0, 30), st.sampled_from(["x.csv", "x.txt"]))
def test_neither_gzip_nor_the_sizes_of_reads_matter(
    records: list[list[str]], sizes: list[int], cut: int, name: str
) -> None:
    data = to_csv(records)
    zipped = gzip.compress(data[:cut]) + gzip.compress(data[cut:])
    whole = hash_file(io.BytesIO(data), name)
    assert hash_file(Slow(data, sizes), name) == whole
    assert hash_file(Slow(zipped, sizes), name) == whole
    assert hash_file(io.BytesIO(gzip.compress(data)), name + ".gz") == whole


@given(RECORDS, st.sampled_from(["csv", "tsv", "lines"]))
def test_one_pass_gives_what_two_give(records: list[list[str]], kind: str) -> None:
    data = to_csv(records, quote_all=True, delimiter="\t" if kind == "tsv" else ",")
    found = hash_file(io.BytesIO(data), format=kind)
    assert found[:2] == (hash_raw(io.BytesIO(data)), of(data, kind))
    if kind != "lines":
        assert found.rows == len(records)


@given(RECORDS, st.integers(1, 40), st.integers(1, 5), st.integers(1, 5))
def test_what_fits_into_memory_does_not_matter(records: list[list[str]], block: int, held: int, portion: int) -> None:
    data = to_csv(records * 3)
    whole = hash_file(io.BytesIO(data), "x.csv")
    values = [hash_file(io.BytesIO(json.dumps(records * 3).encode()), format="json")]
    with (
        mock.patch.object(content, "BLOCK", block),
        mock.patch("pinky_schema.runtime.json_rows.BLOCK", block),
        mock.patch.object(text_rows, "PORTION", portion),
        mock.patch.object(hashes, "RowDigests", lambda folder: row_digests.RowDigests(folder, held=held)),
    ):
        assert hash_file(io.BytesIO(data), "x.csv") == whole
        assert hash_file(io.BytesIO(json.dumps(records * 3).encode()), format="json") == values[0]


@given(st.text(st.sampled_from('a",\n\r;\x00'), max_size=12), st.booleans())
def test_any_text_is_read_as_the_csv_module_reads_it_or_refused(text: str, header: bool) -> None:
    lines = io.StringIO(text, newline="")
    try:
        expected = [canonical(record or [""]) for record in csv.reader(lines, strict=True)]
    except csv.Error:
        expected = None
    try:
        found: Hashes | None = hash_file(io.BytesIO(text.encode()), "x.csv", header=header)
    except HashError:
        found = None
    if expected is None or found is None:
        assert expected is found
        return
    first, rest = (expected[:1], expected[1:]) if header else ([], expected)
    digests = [hashlib.sha256(row).digest() for row in first] + sorted(hashlib.sha256(row).digest() for row in rest)
    assert found.sorted == hashlib.sha256(b"".join(digests)).hexdigest()
    assert found.rows == len(rest)
