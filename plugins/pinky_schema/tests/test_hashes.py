"""What hash_raw and hash_sorted are: pinned values, so that nobody changes the definition without noticing."""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from pinky_schema.runtime.content import HashError
from pinky_schema.runtime.functions import hash_raw_of_url, hash_sorted_of_url
from pinky_schema.runtime.hashes import FORMATS, Hashes, compare, format_of, hash_file, hash_raw, hash_sorted
from pinky_schema.runtime.row_digests import RowDigests
from pinky_schema.runtime_source import bundled

NOTHING = hashlib.sha256().hexdigest()


def rows_hash(*rows: bytes) -> str:
    """hash_sorted of rows in canonical form, in the words of its definition."""
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(row).digest() for row in rows))).hexdigest()


def of(text: bytes, kind: str = "csv", **options: object) -> str:
    return hash_sorted(io.BytesIO(text), kind, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "raw", "rows_sorted", "rows"),
    [
        (
            "orders.csv",
            b'ID,NAME\r\n1,"Ann, ""A"""\r\n2,\r\n',
            "50599d26774e3b81aae3b0746d3b9fa4f46b1966b02f54311e1fa12a3e6d34ae",
            "70eb6482d8f7e4d56d6534fc529b80c89ab02b5ac3b9fc79b20588d78f53448f",
            3,
        ),
        (
            "orders.tsv",
            b"1\tx\n2\ty\n",
            "6dc2d55ef1e36bf9e784d668ee6659a92fa4fe6a085ea1efbb2c30013e65d3a7",
            "8fe35556eb46b518d06ae8bc527c06ff880fffabca438dc47032b5ce3568cc05",
            2,
        ),
        (
            "orders.jsonl",
            b'{"b": 1.0, "a": "\xc3\xa9"}\n[]\n',
            "46d61833981cc49b0197df2c014a41c7e4c36cc9b98f2b497a842bc32dd9d4d0",
            "733cf10eda1eb861e107f017239c3d1647c6ee3bc1f573ab612312c5a6a2a8f7",
            2,
        ),
        (
            "orders.json",
            b'[{"b": 1.0, "a": "\xc3\xa9"}, []]',
            "c8163736029548ad3f3c49565501e502bae105f9a701b5c0bf58af945854c9d3",
            "733cf10eda1eb861e107f017239c3d1647c6ee3bc1f573ab612312c5a6a2a8f7",
            2,
        ),
        (
            "orders.txt",
            b"b\na\n",
            "aea8a04c2f293417e499bf5de2def8ebb1ed40264d128a67180ea56fbe4600ff",
            "18d79cb747ea174c59f3a3b41768672526d56fecc58360a99d283d0f9b0a3cc0",
            2,
        ),
    ],
)
def test_the_values_of_small_files_never_change(
    name: str, content: bytes, raw: str, rows_sorted: str, rows: int
) -> None:
    assert hash_file(io.BytesIO(content), name) == Hashes(raw, rows_sorted, rows)


def test_hash_sorted_is_the_digest_of_the_sorted_digests_of_canonical_rows() -> None:
    assert of(b'ID,NAME\r\n1,"Ann, ""A"""\r\n2,\r\n') == rows_hash(b"ID\x1fNAME", b'1\x1fAnn, "A"', b"2\x1f")
    assert of(b'{"b": 1.0, "a": "\xc3\xa9"}\n', "jsonl") == rows_hash(b'{"a":"\\u00e9","b":1.0}')
    assert of(b"b\na\na\n", "lines") == rows_hash(b"a", b"a", b"b")


def test_a_header_is_the_first_digest_and_no_row() -> None:
    header = hashlib.sha256(b"B\x1fA").digest()
    row = hashlib.sha256(b"1\x1f2").digest()
    found = hash_file(io.BytesIO(b"B,A\n1,2\n"), "x.csv", header=True)
    assert found.sorted == hashlib.sha256(header + row).hexdigest()
    assert found.rows == 1
    only = hash_file(io.BytesIO(b'"B",A\n'), "x.csv", header=True)
    assert (only.sorted, only.rows) == (hashlib.sha256(header).hexdigest(), 0)
    assert hash_file(io.BytesIO(b""), "x.csv", header=True).sorted == NOTHING
    assert of(b"B,A\n1,2\n", header=True) != of(b"1,2\nB,A\n", header=True)
    assert of(b"B,A\n1,2\n") == of(b"1,2\nB,A\n")


@pytest.mark.parametrize("kind", [each for each in FORMATS if each != "parquet"])
def test_a_file_without_rows_has_the_hash_of_nothing(kind: str) -> None:
    for content in (b"", b"\xef\xbb\xbf", gzip.compress(b"")):
        assert hash_file(io.BytesIO(content), format=kind)[1:] == (NOTHING, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a,b\n1,2\n", b"a,b\n1,2"),
        (b"a,b\n1,2\n", b"a,b\r\n1,2\r\n"),
        (b"a,b\n1,2\n", b"a,b\r1,2\r"),
        (b"a,b\n1,2\n", b"\xef\xbb\xbfa,b\n1,2\n"),
        (b"a,b\n1,2\n", b'"a","b"\n"1",2\n'),
        (b"a\n\nb\n", b'a\n""\nb\n'),
        (b"\xef\xbb\xbfa\n", b'\xef\xbb\xbf"a"\n'),
        (b"a\0,b\n", b'"a\0",b\n'),
        (b"a\x1fb,\x1e\n", b'a\x1fb,"\x1e"\n'),
        (b"\xff,\xe9\n", b'"\xff","\xe9"\n'),
        (b'a"b,c\n', b'"a""b",c\n'),
    ],
)
def test_two_ways_to_write_the_same_records(one: bytes, other: bytes) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a,b\n", b"b,a\n"),
        (b"a,b\n", b"a,b\n\n"),
        (b"a,b\n", b"a,b,\n"),
        (b"a,b\n", b"a, b\n"),
        (b"a\n", b"a\na\n"),
        (b"a,b\n", b"a\x1fb\n"),
        (b"a\x1f\n", b"a\x1e1\n"),
        (b'"a\nb"\n', b'"a\r\nb"\n'),
        (b'"a\nb"\n', b"a\nb\n"),
        (b"a\0\n", b"a\n"),
        (b"1.0\n", b"1\n"),
        (b"\xc3\xa9\n", b"\xe9\n"),
    ],
)
def test_two_files_with_other_records(one: bytes, other: bytes) -> None:
    assert of(one) != of(other)


def test_delimiter_and_quote_can_be_given() -> None:
    assert of(b"a;'b;c'\n", delimiter=";", quote="'") == rows_hash(b"a\x1fb;c")
    assert of(b'a|"b\n', delimiter="|", quote="") == rows_hash(b'a\x1f"b')
    assert of(b'a\t"b\tc"\n', "tsv") == rows_hash(b"a\x1fb\tc")
    assert of(b"a\x1fb\x1ec\n", delimiter="\x1f") == rows_hash(b"a\x1fb\x1e0c")
    assert of(b"a\x1eb\x1fc\n", delimiter="\x1e") == rows_hash(b"a\x1fb\x1e1c")
    assert of(b"a\x1eb\n", delimiter="\x1e", quote="") == rows_hash(b"a\x1fb")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xml"}, "no format 'xml'"),
        ({"format": "lines", "header": True}, "belong to csv and tsv"),
        ({"format": "json", "delimiter": ","}, "belong to csv and tsv"),
        ({"format": "csv", "delimiter": "\n"}, "the delimiter"),
        ({"format": "csv", "delimiter": ""}, "the delimiter"),
        ({"format": "csv", "delimiter": "§"}, "the delimiter"),
        ({"format": "csv", "quote": ","}, "the quote"),
        ({"format": "csv", "quote": "''"}, "the quote"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hash_file(io.BytesIO(b""), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b'a,"b\n', "csv", "record"),
        (b'a,b\n"a"b,c\n', "csv", "not CSV"),
        ("a,b\n".encode("utf-16"), "csv", "UTF-16"),
        (b'{"a": 1}\n{"a": }\n', "jsonl", "line 2"),
        (b"1 2\n", "jsonl", "line 1: text after the value"),
        (b'"\xff"\n', "jsonl", "line 1: byte 2 is not UTF-8"),
        (b'{"a": 1, "b": 2, "a": 3}', "jsonl", 'the name "a" is there twice'),
        (b'{"x": {"b": 1, "b": 2}, "x": 3}', "jsonl", 'the name "b" is there twice'),
        (b'{"a": NaN}', "jsonl", "NaN is not JSON"),
        (b"-Infinity", "json", "-Infinity is not JSON"),
        (b"[1, 2", "json", "ends inside an array"),
        (b"[1 2]", "json", "character 4: a comma or ] is missing"),
        (b"[1,]", "json", "character 4"),
        (b"[1] x", "json", "character 5"),
        (b'["\xff"]', "json", "not UTF-8"),
        (b'{"a": "\0"}', "json", "character 1: Invalid control character"),
        (b"[" * 200_000, "jsonl", "nested too deeply"),
        (b"[" + b'{"a":' * 200_000, "json", "nested too deeply"),
        (gzip.compress(b"a,b\n", mtime=0)[:-3], "csv", "damaged gzip"),
        (gzip.compress(b"a,b\n", mtime=0) + b"rest", "csv", "damaged gzip"),
    ],
)
def test_a_file_that_is_not_what_its_format_says_is_refused(content: bytes, kind: str, message: str) -> None:
    with pytest.raises(HashError, match=message):
        of(content, kind)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"x" * 3_000_000, "lines"),
        (b"a," * 1_500_000, "csv"),
        (b'"' + b"x" * 3_000_000 + b'"', "csv"),
        (b'"' + b'\n","' * 1_000_000, "csv"),
        (b'"' + b"x" * 3_000_000 + b'"', "jsonl"),
        (b'["' + b"x" * 3_000_000 + b'"]', "json"),
    ],
)
def test_a_row_beyond_the_limit_is_refused_and_one_below_is_not(content: bytes, kind: str) -> None:
    with pytest.raises(HashError, match="1,000,000 bytes, the limit for one row"):
        of(content, kind, row_limit=1_000_000)
    if not content.startswith(b'"\n'):
        assert of(content, kind) != NOTHING


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (b"1", b"1"),
        (b"1.0", b"1.0"),
        (b"1e0", b"1e0"),
        (b"1E+2", b"1E+2"),
        (b"-0", b"-0"),
        (b"-0.0", b"-0.0"),
        (b"[0, -0, 1e-05, 1e400]", b"[0,-0,1e-05,1e400]"),
        (b"0.1000000000000000055", b"0.1000000000000000055"),
        (b"1" * 5000, b"1" * 5000),
        (b'{"b": [1.50, {"d": null, "c": true}], "a": "\\u00E9/"}', b'{"a":"\\u00e9/","b":[1.50,{"c":true,"d":null}]}'),
        (b'"\\ud800\\/\\n\x7f"', b'"\\ud800/\\n\\u007f"'),
        ('"\U0001f600"'.encode(), b'"\\ud83d\\ude00"'),
    ],
)
def test_the_canonical_form_of_a_json_value(text: bytes, canonical: bytes) -> None:
    assert of(text, "jsonl") == rows_hash(canonical)
    assert of(b"[0," + text + b"]", "json") == rows_hash(b"0", canonical)


def test_json_values_stand_alone_or_in_arrays() -> None:
    rows = rows_hash(b'{"a":1}', b"[2]", b"3", b'"x"')
    assert of(b' [ {"a": 1}, [2],\n3 , "x" ] ', "json") == rows
    assert of(b'{"a":\n1}\n[[2]] 3 "x"', "json") == rows
    assert of(b'{"a":1}\n[2]\n\n \n3\n"x"', "jsonl") == rows
    assert of(b"[] [1] []", "json") == rows_hash(b"1")
    # Arrays at the top are taken apart in one format and are rows in the other.
    assert of(b"[1,2]\n[3]\n", "json") == rows_hash(b"1", b"2", b"3")
    assert of(b"[1,2]\n[3]\n", "jsonl") == rows_hash(b"[1,2]", b"[3]")


@pytest.mark.parametrize("size", [262_100, 262_143, 262_144, 262_145, 600_000])
def test_a_json_value_may_end_anywhere_in_what_is_read_at_once(size: int) -> None:
    filler = b'"' + b"x" * (size - 8) + b'"'
    for number in (b"12345", b"1.5e+10", b"-0.25", b"true"):
        assert of(b"[" + filler + b"," + number + b"]", "json") == rows_hash(filler, number)
        assert of(filler + b" " + number, "json") == rows_hash(filler, number)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_line_may_end_anywhere_in_what_is_read_at_once(end: bytes, quote: bytes) -> None:
    for size in range(262_140, 262_152):
        row = b"x" * size
        text = quote + row + quote + end + b"b" + end + b"c"
        assert of(text) == rows_hash(row, b"b", b"c")


def test_hash_raw_is_of_the_content_without_gzip() -> None:
    raw = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    members = gzip.compress(b"a,b\n", mtime=1) + gzip.compress(b"1,2\n", mtime=2)
    for content in (b"a,b\n1,2\n", gzip.compress(b"a,b\n1,2\n", mtime=3), members, members + b"\0" * 9):
        assert hash_raw(io.BytesIO(content)) == raw
    twice = gzip.compress(gzip.compress(b"x"))
    assert hash_raw(io.BytesIO(twice)) == hashlib.sha256(gzip.decompress(twice)).hexdigest()
    for short in (b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x09"):
        assert hash_raw(io.BytesIO(short)) == hashlib.sha256(short).hexdigest()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"),
        ("p/q.d/A.CSV.GZ", "csv"),
        ("a.tsv.gz", "tsv"),
        ("a.ndjson", "jsonl"),
        ("a.jsonl.gz", "jsonl"),
        ("a.json", "json"),
        ("a.parquet", "parquet"),
        ("a.txt", "lines"),
        ("a.gz", "lines"),
        ("csv", "csv"),
        ("", "lines"),
    ],
)
def test_the_name_tells_the_format(name: str, kind: str) -> None:
    assert format_of(name) == kind


def test_compare_tells_reordered_from_changed() -> None:
    gold = hash_file(io.BytesIO(b"h\n1\n2\n"), "x.csv")
    assert compare(gold, hash_file(io.BytesIO(b"h\n1\n2\n"), "y.csv")) == "equal"
    assert compare(gold, hash_file(io.BytesIO(b"h\n2\n1\n"), "x.csv")) == "reordered"
    assert compare(gold, hash_file(io.BytesIO(b"h\n2\n2\n"), "x.csv")) == "changed"


@pytest.mark.parametrize("held", [1, 2, 7, 1000])
def test_digests_are_sorted_whatever_they_have_in_common(held: int, tmp_path: Path) -> None:
    digests = [bytes(31) + bytes([last]) for last in range(9)] + [bytes([first]) * 32 for first in range(256)]
    digests += [bytes(30) + b"\1\0"] * 5000 + [b"\xff" * 31 + b"\0"] * 3
    with RowDigests(str(tmp_path), held=held) as bag:
        for at in range(0, len(digests), 5):
            bag.add(digests[at : at + 5])
        bag.add([bytes(32), b"\xff" * 32], [10_000, 2])
        found = hashlib.sha256()
        assert bag.update(found) == len(digests) + 10_002
    digests += [bytes(32)] * 10_000 + [b"\xff" * 32] * 2
    assert found.hexdigest() == hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def scoped(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Files by URL, opened as SnowflakeFile does it."""
    files: dict[str, bytes] = {}

    class SnowflakeFile:
        @classmethod
        def open(cls, url: str, mode: str = "r", *, require_scoped_url: bool = True) -> io.BytesIO:
            assert mode == "rb"
            assert require_scoped_url
            return io.BytesIO(files[url])

    module = types.ModuleType("snowflake.snowpark.files")
    module.SnowflakeFile = SnowflakeFile  # type: ignore[attr-defined]
    for name in ("snowflake", "snowflake.snowpark"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "snowflake.snowpark.files", module)
    return files


def test_the_functions_hash_what_a_url_gives(scoped: dict[str, bytes]) -> None:
    url = "https://a.snowflakecomputing.com/api/files/01/bXlfZGF0"
    scoped[url] = b'"a",b\n'
    assert hash_raw_of_url(url) == hashlib.sha256(b'"a",b\n').hexdigest()
    assert hash_sorted_of_url(url, "csv") == hash_sorted_of_url(url, "p/q/orders.csv.gz") == rows_hash(b"a\x1fb")
    assert hash_sorted_of_url(url, "notes.txt") == rows_hash(b'"a",b')
    with pytest.raises(ValueError, match="does not tell the file's format"):
        hash_sorted_of_url(url)
    scoped[url + "/orders.csv?x=1.json"] = b'"a",b\n'
    assert hash_sorted_of_url(url + "/orders.csv?x=1.json") == rows_hash(b"a\x1fb")
    assert hash_raw_of_url(None) is hash_sorted_of_url(None) is None


def test_a_body_made_of_the_modules_gives_the_same_values() -> None:
    text = bundled("functions")
    ast.parse(text, feature_version=(3, 10))
    body: dict[str, Any] = {}
    exec(compile(text, "<body>", "exec"), body)
    content = b'ID,NAME\r\n1,"Ann, ""A"""\r\n2,\r\n'
    assert body["hash_raw"](io.BytesIO(content)) == hash_raw(io.BytesIO(content))
    assert body["hash_sorted"](io.BytesIO(content), "csv") == of(content)
    assert body["hash_sorted"](io.BytesIO(b"[1, 2.0]"), "json") == of(b"[1, 2.0]", "json")
