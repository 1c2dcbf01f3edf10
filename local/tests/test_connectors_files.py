"""PUT and GET through the installed connector, and Snowpark's file operations where Snowpark is installed."""

from __future__ import annotations

import gzip
import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local.account import LocalAccount

pytest.importorskip("snowflake.connector")
pytest.importorskip("duckdb")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[LocalAccount]:
    with LocalAccount(buckets={"s3://acme": tmp_path / "bucket"}) as made:
        yield made
        broken = made.internal_errors
    assert not broken


@pytest.fixture
def cursor(account: LocalAccount) -> Iterator[Any]:
    connection = account.connect(warehouse="COMPUTE_WH")
    with connection.cursor() as made:
        for sql in ("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE STAGE st"):
            made.execute(sql)
        yield made
    connection.close()


def run(cursor: Any, sql: str) -> list[dict[str, Any]]:
    cursor.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("one.csv", "two.csv"):
        (folder / name).write_text(f"{name},1\n")
    return folder


def test_put_compresses_unless_told_otherwise(cursor: Any, source: Path) -> None:
    (row,) = run(cursor, f"PUT file://{source}/one.csv @st/in")
    assert (row["source"], row["target"], row["source_size"]) == ("one.csv", "one.csv.gz", 10)
    assert (row["source_compression"], row["target_compression"], row["status"]) == ("NONE", "GZIP", "UPLOADED")
    rows = run(cursor, f"PUT 'file://{source}/*.csv' '@d.s.st/plain/' AUTO_COMPRESS = FALSE PARALLEL = 2")
    assert sorted((row["target"], row["target_size"]) for row in rows) == [("one.csv", 10), ("two.csv", 10)]
    names = [row["name"] for row in run(cursor, "LIST @st")]
    assert names == ["st/in/one.csv.gz", "st/plain/one.csv", "st/plain/two.csv"]
    assert [row["$1"] for row in run(cursor, "SELECT $1 FROM @st/in")] == ["one.csv"]


def test_a_compressed_source_is_taken_as_it_is(cursor: Any, source: Path) -> None:
    (source / "z.csv.gz").write_bytes(gzip.compress(b"z"))
    (row,) = run(cursor, f"PUT file://{source}/z.csv.gz @st")
    assert (row["target"], row["source_compression"], row["target_compression"]) == ("z.csv.gz", "GZIP", "GZIP")
    (source / "raw").write_bytes(gzip.compress(b"raw"))
    (row,) = run(cursor, f"PUT file://{source}/raw @st SOURCE_COMPRESSION = GZIP")
    assert (row["target"], row["target_compression"]) == ("raw", "GZIP")


def test_without_overwrite_what_is_there_stays(cursor: Any, source: Path) -> None:
    put = f"PUT file://{source}/one.csv @st AUTO_COMPRESS = FALSE"
    run(cursor, put)
    (source / "one.csv").write_text("changed")
    (row,) = run(cursor, put)
    assert (row["status"], row["target_size"]) == ("SKIPPED", 0)
    assert [row["size"] for row in run(cursor, "LIST @st")] == [10]
    (row,) = run(cursor, f"{put} OVERWRITE = TRUE")
    assert row["status"] == "UPLOADED"
    assert [row["size"] for row in run(cursor, "LIST @st")] == [7]


def test_get_downloads_what_the_path_and_the_pattern_mean(cursor: Any, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    run(cursor, f"PUT file://{source}/*.csv @st/in AUTO_COMPRESS = FALSE")
    rows = run(cursor, f"GET @st/in file://{out}/ PATTERN = '.*two.*'")
    assert [(row["size"], row["status"]) for row in rows] == [(10, "DOWNLOADED")]
    assert [one.name for one in out.iterdir()] == ["two.csv"]
    run(cursor, f"GET @st/in/one.csv file://{out}/")
    assert (out / "one.csv").read_text() == "one.csv,1\n"


def test_put_and_get_refuse(cursor: Any, source: Path) -> None:
    import snowflake.connector

    cursor.execute("CREATE STAGE e URL = 's3://acme/'")
    for sql, errno in (
        (f"PUT file://{source}/one.csv @e", 2),
        (f"PUT file://{source}/one.csv @nosuch", 2003),
        (f"PUT file://{source}/one.csv @st/../up", 1422),
        ("GET @nosuch file:///tmp/", 2003),
    ):
        with pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
            cursor.execute(sql)
        assert caught.value.errno == errno, sql


def test_a_presigned_url_is_for_one_file_and_one_purpose(account: LocalAccount, cursor: Any, source: Path) -> None:
    run(cursor, f"PUT file://{source}/one.csv @st AUTO_COMPRESS = FALSE")
    client = http.client.HTTPConnection(account.host, account.port)
    for method, path, status in (("GET", "/pinky-local-files/unknown/x", 403), ("PUT", "/pinky-local-files/x/y", 403)):
        client.request(method, path, body=b"")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
    client.close()


def test_the_control_api_notifies(account: LocalAccount, cursor: Any, tmp_path: Path) -> None:
    cursor.execute("CREATE STAGE e URL = 's3://acme/in/' DIRECTORY = (ENABLE = TRUE AUTO_REFRESH = TRUE)")
    folder = tmp_path / "bucket" / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("1")

    def told(body: Any) -> tuple[int, Any]:
        client = http.client.HTTPConnection(account.host, account.port)
        client.request("POST", "/pinky-local/notify", json.dumps(body))
        answer = client.getresponse()
        found = answer.status, json.loads(answer.read())
        client.close()
        return found

    assert told({"bucket": "s3://acme"}) == (200, {"refreshed": ["D.S.E"]})
    assert [row["RELATIVE_PATH"] for row in run(cursor, "SELECT RELATIVE_PATH FROM DIRECTORY(@e)")] == ["a.csv"]
    assert account.notify(stage="D.S.ST") == []
    assert told({})[0] == 400
    assert told({"nosuch": 1})[0] == 400


def test_snowpark_puts_and_gets_files_and_streams(account: LocalAccount, source: Path, tmp_path: Path) -> None:
    snowpark = pytest.importorskip("snowflake.snowpark")
    session = snowpark.Session.builder.configs(account.connection_parameters(warehouse="COMPUTE_WH")).create()
    try:
        for sql in ("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE STAGE st"):
            session.sql(sql).collect()
        files = session.file
        assert [one.target for one in files.put(f"{source}/one.csv", "@st/a")] == ["one.csv.gz"]
        assert [one.status for one in files.put(f"{source}/one.csv", "@st/a")] == ["SKIPPED"]
        for content in (b"first", b"second"):
            stored = files.put_stream(io.BytesIO(content), "@D.S.ST/b/c.txt", auto_compress=False, overwrite=True)
            assert (stored.target, stored.status) == ("c.txt", "UPLOADED")
        files.put_stream(io.BytesIO(b"packed"), "@st/b/d.txt")
        with files.get_stream("@st/b/c.txt") as plain, files.get_stream("@st/b/d.txt.gz", decompress=True) as packed:
            assert (plain.read(), packed.read()) == (b"second", b"packed")
        got = files.get("@st/b", str(tmp_path / "got"))
        assert sorted(one.file for one in got) == ["c.txt", "d.txt.gz"]
    finally:
        session.close()
