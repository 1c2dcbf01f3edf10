"""Rows of Parquet files. Needs pyarrow, which comes with Snowpark's extra for pandas."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import io
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinky_schema.runtime.content import HashError
from pinky_schema.runtime.hashes import hash_file, hash_sorted

pyarrow: Any = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
parquet: Any = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

UTC = dt.timezone.utc  # noqa: UP017  (the runtime's own oldest Python)


def to_parquet(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file, **options)
    return file.getvalue()


def of(table: Any, **options: Any) -> str:
    return hash_sorted(io.BytesIO(to_parquet(table, **options)), "parquet")


def rows_hash(*rows: str) -> str:
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(row.encode()).digest() for row in rows))).hexdigest()


MOMENT = dt.datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC)
NANOSECONDS = "1714979289000010000"


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pyarrow.array([1, None, -5], pyarrow.int8()), ["1", "null", "-5"]),
        (pyarrow.array([1, None, -5], pyarrow.int64()), ["1", "null", "-5"]),
        (pyarrow.array([2**64 - 1], pyarrow.uint64()), [str(2**64 - 1)]),
        (pyarrow.array([True, False, None]), ["true", "false", "null"]),
        (pyarrow.array([1.0, float("nan"), float("inf"), -0.0]), ["1.0", "nan", "inf", "-0.0"]),
        (pyarrow.array([0.1], pyarrow.float32()), ["0.10000000149011612"]),
        (pyarrow.array([decimal.Decimal("1.50"), decimal.Decimal("0E-2")]), ["decimal 1.50", "decimal 0.00"]),
        (pyarrow.array(["é", 'a"b', ""]), ['"\\u00e9"', '"a\\"b"', '""']),
        (pyarrow.array(["a", "b", None], pyarrow.large_string()), ['"a"', '"b"', "null"]),
        (pyarrow.array(["a", "b", "a"]).dictionary_encode(), ['"a"', '"b"', '"a"']),
        (pyarrow.array([b"\x00\xff", None]), ["binary 00ff", "null"]),
        (pyarrow.array([b"ab"], pyarrow.binary(2)), ["binary 6162"]),
        (pyarrow.array([dt.date(1970, 1, 2), dt.date(1969, 12, 31)]), ["date 1", "date -1"]),
        (pyarrow.array([dt.date(1970, 1, 2)], pyarrow.date64()), ["date 1"]),
        (pyarrow.array([dt.time(0, 0, 1)], pyarrow.time32("ms")), ["time 1000000000"]),
        (pyarrow.array([dt.time(0, 0, 1)], pyarrow.time64("ns")), ["time 1000000000"]),
        (pyarrow.array([dt.timedelta(milliseconds=1)], pyarrow.duration("ms")), ["duration 1000000"]),
        (pyarrow.array([MOMENT], pyarrow.timestamp("us")), [f"timestamp {NANOSECONDS}"]),
        (pyarrow.array([MOMENT], pyarrow.timestamp("ns")), [f"timestamp {NANOSECONDS}"]),
        (pyarrow.array([MOMENT], pyarrow.timestamp("us", "UTC")), [f"timestamptz {NANOSECONDS}"]),
        (pyarrow.array([MOMENT], pyarrow.timestamp("ns", "Europe/Paris")), [f"timestamptz {NANOSECONDS}"]),
        (pyarrow.array([[1, None], [], None]), ["[1,null]", "[]", "null"]),
        (pyarrow.array([[1, 2], None, [3, None]], pyarrow.list_(pyarrow.int8(), 2)), ["[1,2]", "null", "[3,null]"]),
        (pyarrow.array([["a"], None], pyarrow.large_list(pyarrow.string())), ['["a"]', "null"]),
        (
            pyarrow.array([{"b": 1, "a": [MOMENT]}, None, {"b": None, "a": None}]),
            [f'{{"a":[timestamptz {NANOSECONDS}],"b":1}}', "null", '{"a":null,"b":null}'],
        ),
        (
            pyarrow.array([[("k", 1), ("a", None)], None, []], pyarrow.map_(pyarrow.string(), pyarrow.int32())),
            ['map["a":null,"k":1]', "null", "map[]"],
        ),
        (pyarrow.array([[[1], None], [[]], None]), ["[[1],null]", "[[]]", "null"]),
        (pyarrow.nulls(2), ["null", "null"]),
    ],
)
def test_the_canonical_form_of_each_type(array: Any, texts: list[str]) -> None:
    assert of(pyarrow.table({"x": array})) == rows_hash(*(f'{{"x":{text}}}' for text in texts))


def test_rows_have_their_columns_by_name() -> None:
    one = pyarrow.table({"b": [1, 2], "a": ["x", "y"]})
    assert of(one) == rows_hash('{"a":"x","b":1}', '{"a":"y","b":2}')
    assert of(one.select(["a", "b"])) == of(one)
    assert of(one.rename_columns(["b", "c"])) != of(one)
    assert of(pyarrow.table({"b": [1.0, 2.0], "a": ["x", "y"]})) != of(one)
    assert of(one.slice(0, 0)) == hashlib.sha256().hexdigest()


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(-9, 9) | st.none(), st.text(max_size=3), st.lists(st.booleans(), max_size=2))),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_order_row_groups_and_compression_do_not_matter(rows: list[tuple[Any, ...]], random: Any, group: int) -> None:
    schema = pyarrow.schema([("n", pyarrow.int32()), ("t", pyarrow.string()), ("l", pyarrow.list_(pyarrow.bool_()))])

    def table(rows: list[tuple[Any, ...]]) -> Any:
        return pyarrow.table([[row[at] for row in rows] for at in range(3)], schema=schema)

    expected = of(table(rows))
    shuffled = rows[:]
    random.shuffle(shuffled)
    assert of(table(shuffled), row_group_size=group, compression="gzip", use_dictionary=False) == expected
    assert of(table([*rows, (None, "", [])])) != expected


def test_what_is_no_parquet_is_refused_and_so_is_a_type_without_canonical_form() -> None:
    with pytest.raises(HashError, match="not Parquet"):
        hash_file(io.BytesIO(b"a,b\n"), "x.parquet")
    with pytest.raises(HashError, match="there is no canonical form"):
        of(pyarrow.table({"x": pyarrow.array(["a"], pyarrow.string_view())}))


def test_many_batches_and_a_stream_that_only_reads() -> None:
    table = pyarrow.table({"n": list(range(5000)), "l": [[n] * (n % 3) for n in range(5000)]})
    table = table.append_column(
        "m", pyarrow.array([[(n % 9, n)] for n in range(5000)], pyarrow.map_(pyarrow.int8(), pyarrow.int64()))
    )
    data = to_parquet(table, row_group_size=700)

    class Unseekable:
        def __init__(self) -> None:
            self.file = io.BytesIO(data)

        def read(self, size: int, /) -> bytes:
            return self.file.read(min(size, 1000))

    found = hash_file(Unseekable(), "p/x.parquet")
    lists = ["[" + ",".join([str(n)] * (n % 3)) + "]" for n in range(5000)]
    assert found.sorted == rows_hash(*(f'{{"l":{lists[n]},"m":map[{n % 9}:{n}],"n":{n}}}' for n in range(5000)))
    assert found.rows == 5000
    assert found.raw == hashlib.sha256(data).hexdigest()


def test_without_pyarrow_the_error_names_it() -> None:
    code = """
import io, sys
sys.modules["pyarrow"] = None
from pinky_schema.runtime.hashes import hash_file
try:
    hash_file(io.BytesIO(b"PAR1"), "x.parquet")
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "need the package pyarrow" in done.stdout
