"""Files of stages on disk: keys, folders that stand for URLs, and reading delimited text and JSON."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from pinky_local.files import Buckets, FileStore, UnmappedUrlError, bucket_option, csv_records, json_records
from pinky_local.files.content import ContentError, UnsupportedContentError, compressed, plain
from pinky_local.files.csv_texts import Writer
from pinky_local.files.formats import CsvFormat, csv_format
from pinky_local.files.store import HASHED_WHOLE, BadKeyError


def keys(store: FileStore, prefix: str = "") -> list[str]:
    return [one.key for one in store.internal(1).files(prefix)]


def test_a_path_is_a_prefix_of_keys() -> None:
    store = FileStore()
    for key in ("a/b.csv", "a/bc/d.csv", "ab.csv", "z.csv"):
        store.internal(1).write(key, [b"x"])
    assert keys(store) == ["a/b.csv", "a/bc/d.csv", "ab.csv", "z.csv"]
    assert keys(store, "a") == ["a/b.csv", "a/bc/d.csv", "ab.csv"]
    assert keys(store, "a/b") == ["a/b.csv", "a/bc/d.csv"]
    assert keys(store, "nothing/here") == []
    assert store.internal(2).files() == []


def test_removing_the_last_file_of_a_folder_removes_the_folder() -> None:
    store = FileStore()
    place = store.internal(1)
    place.write("a/b/c.csv", [b"x"])
    assert place.remove("a/b/c.csv")
    assert not place.remove("a/b/c.csv")
    assert not (place.folder / "a").exists()


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", ".", "a/./b", "", "a\0b"])
def test_no_key_leads_out_of_the_folder(key: str) -> None:
    place = FileStore().internal(1)
    with pytest.raises(BadKeyError):
        place.write(key, [b"x"])
    with pytest.raises(BadKeyError):
        place.open(key)


def test_symbolic_links_out_of_the_folder_are_neither_listed_nor_followed(tmp_path: Path) -> None:
    outside, bucket = tmp_path / "outside", tmp_path / "bucket"
    outside.mkdir()
    (outside / "secret.csv").write_text("x")
    store = FileStore(buckets=Buckets({"s3://b": bucket}))
    place = store.external("s3://b/")
    place.write("real.csv", [b"x"])
    (bucket / "link.csv").symlink_to(outside / "secret.csv")
    (bucket / "folder").symlink_to(outside)
    (bucket / "inside.csv").symlink_to(bucket / "real.csv")
    assert [one.key for one in place.files()] == ["inside.csv", "real.csv"]
    for key in ("link.csv", "folder/secret.csv", "folder/new.csv"):
        with pytest.raises(BadKeyError):
            place.path(key)


def test_the_etag_changes_with_the_content_and_not_with_the_time(tmp_path: Path) -> None:
    place = FileStore().internal(1)
    first = place.etag(place.write("f", [b"one"]))
    second = place.etag(place.write("f", [b"two"]))
    again = place.write("f", [b"one"])
    os.utime(again.path, (1, 1))
    told = place.file("f")
    assert told is not None
    assert first != second
    assert place.etag(told) == first
    large = place.write("large", [b"x" * (HASHED_WHOLE + 1)])
    assert place.etag(large).endswith("-1")


def test_the_longest_prefix_of_a_url_counts(tmp_path: Path) -> None:
    buckets = Buckets({"s3://b": tmp_path / "b", "s3://b/deep/": tmp_path / "deep", "azure://a.net/c": tmp_path / "c"})
    assert buckets.folder_of("s3://b/x/") == tmp_path / "b" / "x"
    assert buckets.folder_of("s3://b/deep/x") == tmp_path / "deep" / "x"
    assert buckets.folder_of("azure://a.net/c/") == tmp_path / "c"
    for url in ("s3://other/", "s3://bb/", "gcs://b/", "s3://b/../x"):
        with pytest.raises(UnmappedUrlError, match="--bucket URL=FOLDER"):
            buckets.folder_of(url)
    with pytest.raises(ValueError, match="no URL of a stage"):
        Buckets({"ftp://x": tmp_path})


def test_a_bucket_option_is_a_url_and_a_folder() -> None:
    assert bucket_option("s3://b=/data/x=y") == ("s3://b", Path("/data/x=y"))
    for text in ("s3://b", "s3://b=", "b=/x"):
        with pytest.raises(ValueError, match="URL=FOLDER"):
            bucket_option(text)


def test_temporary_files_go_when_the_store_is_closed() -> None:
    store = FileStore()
    folder = store.internal(1).write("a", [b"x"]).path
    scratch = store.scratch()
    store.close()
    assert not Path(folder).exists()
    assert not scratch.exists()


def test_only_the_files_of_known_stages_are_kept(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for number in (1, 2):
        store.internal(number).write("a", [b"x"])
    store.retain([2])
    assert (store.internal(1).files(), len(store.internal(2).files())) == ([], 1)


# delimited text ----------------------------------------------------------------------------------------------------


def fields(text: str, options: CsvFormat | None = None) -> list[list[str | None]]:
    return [one.fields for one in csv_records.records(text, options or CsvFormat())]


def test_fields_are_not_enclosed_unless_the_format_says_so() -> None:
    assert fields('1,"a,b"\n') == [["1", '"a', 'b"']]
    assert fields('1,"a,b"\n2,"say ""hi"""\n', CsvFormat(enclosed='"')) == [["1", "a,b"], ["2", 'say "hi"']]
    assert fields('1,"two\nlines"\r\n2,x', CsvFormat(enclosed='"')) == [["1", "two\nlines"], ["2", "x"]]


def test_nulls_escapes_and_blank_lines() -> None:
    assert fields("\\N,,a\\,b,\\\\,\\t\n") == [[None, None, "a,b", "\\", "\t"]]
    assert fields(",x", CsvFormat(empty_is_null=False)) == [["", "x"]]
    assert fields('"",NA', CsvFormat(enclosed='"', nulls=("NA",))) == [["", None]]
    assert fields("a\n\nb\n") == [["a"], [None], ["b"]]
    assert fields("a\n\nb\n", CsvFormat(skip_blank=True)) == [["a"], ["b"]]
    assert fields("  a , b ", CsvFormat(trim=True)) == [["a", "b"]]


def test_delimiters_of_every_kind_and_line_numbers() -> None:
    assert fields("a||b|c\n", CsvFormat(field="||")) == [["a", "b|c"]]
    assert fields("a;b^c;d", CsvFormat(field=";", record="^")) == [["a", "b"], ["c", "d"]]
    assert fields("a,b", CsvFormat(field=None)) == [["a,b"]]
    found = list(csv_records.records('h\n"x\ny",1\nz,2\n', CsvFormat(enclosed='"', skip=1)))
    assert [(one.line, one.fields[1]) for one in found] == [(2, "1"), (4, "2")]
    assert fields("", CsvFormat()) == []


def test_text_after_an_enclosed_field_is_a_problem() -> None:
    (found,) = csv_records.records('"a"b,1', CsvFormat(enclosed='"'))
    assert found.problem == "Found character 'b' instead of field delimiter ','"


def test_options_as_sql_writes_them() -> None:
    made = csv_format({"FIELD_DELIMITER": "\\t", "FIELD_OPTIONALLY_ENCLOSED_BY": "0x27", "ESCAPE": "NONE"})
    assert (made.field, made.enclosed, made.escape, made.record) == ("\t", "'", None, None)
    with pytest.raises(UnsupportedContentError, match="DATE_FORMAT"):
        csv_format({"DATE_FORMAT": "YYYY"})


def test_what_is_written_is_read_back() -> None:
    rows: list[list[str | None]] = [["a,b", None, 'say "hi"'], ["back\\slash", "", "two\nlines"]]
    for given in ({}, {"FIELD_OPTIONALLY_ENCLOSED_BY": '"'}, {"FIELD_DELIMITER": "|", "NULL_IF": ["NULL"]}):
        writer = Writer(given, ["VARCHAR"] * 3)
        options = csv_format({"EMPTY_FIELD_AS_NULL": False} | given)
        text = b"".join(writer.line(row) for row in rows).decode()
        assert fields(text, options) == rows, given


def test_json_documents_keep_their_text() -> None:
    def texts(text: str, **options: bool) -> list[str | None]:
        return [one.fields[0] for one in json_records.records(text, options)]

    assert texts('{"a": 1.50},\n{"b":2}\n[1]') == ['{"a": 1.50}', '{"b":2}', "[1]"]
    assert texts('[{"a":1},{"a":null}]', STRIP_OUTER_ARRAY=True) == ['{"a":1}', '{"a":null}']
    assert texts('{"a":null,"b":[null,1]}', STRIP_NULL_VALUES=True) == ['{"b": [1]}']
    bad = list(json_records.records('{"a":1}\n{"a":', {}))
    assert (bad[0].problem, bad[1].line, "Error parsing JSON" in str(bad[1].problem)) == (None, 2, True)
    (twice,) = json_records.records('{"a":1,"a":2}', {})
    assert 'duplicate object attribute "a"' in str(twice.problem)
    assert texts('{"a":1,"a":2}', ALLOW_DUPLICATE=True) == ['{"a":1,"a":2}']


@pytest.mark.parametrize("compression", ["GZIP", "BZ2", "DEFLATE", "RAW_DEFLATE", "NONE"])
def test_compressions(compression: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(compressed(b"content", compression))
    assert plain(str(tmp_path / "f"), compression) == b"content"


def test_compression_is_detected_and_broken_content_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(gzip.compress(b"content"))
    assert plain(str(tmp_path / "f"), "AUTO") == b"content"
    (tmp_path / "g").write_bytes(b"no gzip")
    with pytest.raises(ContentError):
        plain(str(tmp_path / "g"), "GZIP")
    with pytest.raises(UnsupportedContentError, match="BROTLI"):
        plain(str(tmp_path / "g"), "BROTLI")
