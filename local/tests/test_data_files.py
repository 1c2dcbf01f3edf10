"""Rows of staged files: queries, directory tables, file functions, COPY INTO tables and stages."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine
from pinky_local.engine.file_urls import open_staged
from pinky_local.files import FolderPlace
from pinky_local.types import SqlError

CSV = "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1)"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Speaker]:
    """ACCOUNTADMIN in D.S of an account with rows, an internal stage I, an external one E and some file formats."""
    data = DuckDataPlane()
    engine = CatalogEngine(None, data, {"s3://acme": tmp_path / "bucket"})
    made = speaker(engine)
    made.run(
        "USE WAREHOUSE compute_wh", "CREATE DATABASE d", "CREATE SCHEMA s",
        "CREATE STAGE i DIRECTORY = (ENABLE = TRUE)", "CREATE STAGE e URL = 's3://acme/in/'",
        "CREATE FILE FORMAT quoted TYPE = CSV FIELD_OPTIONALLY_ENCLOSED_BY = '\"'",
        "CREATE FILE FORMAT j TYPE = JSON", "CREATE FILE FORMAT p TYPE = PARQUET",
        "CREATE TABLE t (a INT, b VARCHAR, c INT DEFAULT 7)",
    )  # fmt: skip
    yield made
    data.close()
    engine.close()


def place(account: Speaker, name: str = "I") -> FolderPlace:
    objects = account.engine.account.catalog.objects.values()
    (stage,) = [item for item in objects if (item.kind, item.name) == ("stage", name)]
    return account.engine.account.files.internal(stage.number)


def put(account: Speaker, **files: str) -> None:
    for key, text in files.items():
        place(account).write(key.replace("__", "/").replace("_", "."), [text.encode()])


def values(account: Speaker, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in account.run(sql)]


def read(account: Speaker, key: str) -> bytes:
    with place(account).open(key) as file:
        return file.read()


# queries -----------------------------------------------------------------------------------------------------------


def test_fields_and_metadata_of_delimited_files(account: Speaker) -> None:
    place(account).write("in/a.csv.gz", [gzip.compress(b'1,"x,y"\n2,\\N\n')])
    put(account, in__b_csv="3\n", in__c_txt="no\n")
    sql = "SELECT t.$1, t.$2, $5, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM @d.s.i/in"
    sql += " (FILE_FORMAT => 'quoted', PATTERN => '.*[.]csv.*') t ORDER BY 4, 5"
    assert values(account, sql) == [
        ("1", "x,y", None, "in/a.csv.gz", 1), ("2", None, None, "in/a.csv.gz", 2), ("3", None, None, "in/b.csv", 1),
    ]  # fmt: skip
    assert values(account, "SELECT * FROM @i/in/a (FILE_FORMAT => quoted) WHERE $1 = 1") == [("1", "x,y")]
    assert values(account, "SELECT COUNT(*) FROM @i/nothing") == [(0,)]
    assert values(account, "SELECT $1 FROM '@i/in/b.csv'") == [("3",)]


def test_an_external_stage_names_files_by_their_path_in_the_bucket(account: Speaker, tmp_path: Path) -> None:
    folder = tmp_path / "bucket" / "in" / "2024"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("1,2")
    sql = "SELECT METADATA$FILENAME, METADATA$FILE_LAST_MODIFIED IS NOT NULL, $2 FROM @e/2024/"
    assert values(account, sql) == [("in/2024/a.csv", True, "2")]


def test_json_and_parquet(account: Speaker) -> None:
    put(account, x_json='{"a": {"b": "x1"}},\n{"a": 1}')
    assert values(account, "SELECT $1:a.b::STRING FROM @i/x.json (FILE_FORMAT => j)") == [("x1",), (None,)]
    account.run("INSERT INTO t VALUES (1, 'x', 2)")
    account.run("COPY INTO @i/p/ FROM t FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE")
    sql = "SELECT $1:A::INT, $1:B::STRING, METADATA$FILENAME FROM @i/p (FILE_FORMAT => p)"
    assert values(account, sql) == [(1, "x", "p/data_0_0_0.snappy.parquet")]


def test_the_format_of_the_stage_is_used_where_none_is_named(account: Speaker) -> None:
    account.run("CREATE STAGE piped FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '|')")
    place(account, "PIPED").write("a", [b"1|2\n"])
    assert values(account, "SELECT $1, $2 FROM @piped") == [("1", "2")]


def test_a_file_that_changes_is_read_anew(account: Speaker) -> None:
    put(account, a_csv="1")
    assert values(account, "SELECT $1 FROM @i") == [("1",)]
    put(account, a_csv="2")
    assert values(account, "SELECT $1 FROM @i") == [("2",)]


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("SELECT $1 FROM @nosuch", 2003),
        ("SELECT $1 FROM @i (FILE_FORMAT => 'nosuch')", 2003),
        ("SELECT $1 FROM @i (FILE_FORMAT => broken)", 100016),
        ("SELECT $1 FROM @i (FILE_FORMAT => avro)", 2),
        ("SELECT $1 FROM @i (FILE_FORMAT => dated)", 2),
        ("SELECT $1 FROM @i (FILE_FORMAT => header)", 2),
        ("SELECT * FROM DIRECTORY(@e)", 2220),
        ("SELECT nosuch FROM @i", 904),
    ],
)
def test_queries_of_files_refuse(account: Speaker, sql: str, errno: int) -> None:
    put(account, a_csv='{"a":')
    account.run(
        "CREATE FILE FORMAT broken TYPE = JSON", "CREATE FILE FORMAT avro TYPE = AVRO",
        "CREATE FILE FORMAT dated TYPE = CSV DATE_FORMAT = 'YYYY'",
        "CREATE FILE FORMAT header TYPE = CSV PARSE_HEADER = TRUE",
    )  # fmt: skip
    assert account.refused(sql).errno == errno


def test_a_view_over_a_stage_reads_it_as_its_owner(account: Speaker) -> None:
    put(account, a_csv="1")
    account.run(
        "CREATE VIEW v AS SELECT $1::INT AS n FROM @i", "CREATE ROLE r", "GRANT ROLE r TO USER pinky",
        "GRANT USAGE ON DATABASE d TO ROLE r", "GRANT USAGE ON SCHEMA s TO ROLE r", "GRANT SELECT ON VIEW v TO ROLE r",
        "GRANT USAGE ON WAREHOUSE compute_wh TO ROLE r",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    other.run("USE WAREHOUSE compute_wh")
    assert values(other, "SELECT n FROM d.s.v") == [(1,)]
    assert other.refused("SELECT $1 FROM @d.s.i").errno == 2003


def test_directory_tables_change_by_refresh_alone(account: Speaker) -> None:
    put(account, a__1_csv="1", b__2_csv="22")
    assert values(account, "SELECT COUNT(*) FROM DIRECTORY(@i)") == [(0,)]
    account.run("ALTER STAGE i REFRESH")
    sql = "SELECT RELATIVE_PATH, SPLIT_PART(RELATIVE_PATH, '/', 1), SIZE, MD5 = ETAG, LAST_MODIFIED <= SYSDATE()"
    sql += " FROM DIRECTORY(@D.S.I) d WHERE d.SIZE > 0 ORDER BY 1"
    assert values(account, sql) == [("a/1.csv", "a", 1, True, True), ("b/2.csv", "b", 2, True, True)]
    place(account).remove("a/1.csv")
    assert values(account, "SELECT COUNT(*) FROM DIRECTORY(@i)") == [(2,)]
    account.run("ALTER STAGE i REFRESH")
    assert values(account, "SELECT FILE_URL LIKE '%/D/S/I/b/2.csv' FROM DIRECTORY('@i')") == [(True,)]
    account.run("CREATE TABLE r (p VARCHAR, m TIMESTAMP_TZ)")
    account.run(
        "MERGE INTO r USING (SELECT RELATIVE_PATH, LAST_MODIFIED FROM DIRECTORY(@i)) s ON r.p = s.RELATIVE_PATH"
        " WHEN NOT MATCHED THEN INSERT (p, m) VALUES (s.RELATIVE_PATH, s.LAST_MODIFIED)"
    )
    assert values(account, "SELECT p FROM r") == [("b/2.csv",)]


# functions ---------------------------------------------------------------------------------------------------------


def opened(account: Speaker, url: str) -> bytes:
    with open_staged(account.engine.account, url, account.session) as file:
        return file.read()


def test_urls_of_every_kind_open_their_file(account: Speaker) -> None:
    put(account, a__1_csv="content")
    account.run("ALTER STAGE i REFRESH")
    (scoped, stage_file, plain) = values(
        account,
        "SELECT BUILD_SCOPED_FILE_URL(@i, RELATIVE_PATH), BUILD_STAGE_FILE_URL(@d.s.i, RELATIVE_PATH), FILE_URL"
        " FROM DIRECTORY(@i)",
    )[0]
    for url in (scoped, stage_file, plain, "@d.s.i/a/1.csv"):
        assert opened(account, url) == b"content"
    token, _, seal = scoped.rpartition(".")
    for url in (f"{token}.{seal[::-1]}", f"{token}x.{seal}", "@i/none"):
        with pytest.raises(SqlError) as caught:
            opened(account, url)
        assert caught.value.errno == 2003
    with pytest.raises(SqlError, match="Unsupported"):
        opened(account, "https://example.org/x")


def test_a_scoped_url_needs_no_privilege_and_a_file_url_does(account: Speaker) -> None:
    put(account, a_csv="content")
    ((scoped, stage_file),) = values(
        account, "SELECT BUILD_SCOPED_FILE_URL(@i, 'a.csv'), BUILD_STAGE_FILE_URL(@i, 'a.csv')"
    )
    account.run("CREATE ROLE r", "GRANT ROLE r TO USER pinky")
    other = speaker(account.engine, "R")
    assert opened(other, scoped) == b"content"
    with pytest.raises(SqlError) as caught:
        opened(other, stage_file)
    assert caught.value.errno == 2003
    assert other.refused("SELECT BUILD_SCOPED_FILE_URL(@d.s.i, 'a.csv')").errno == 2003


def test_paths_of_a_stage(account: Speaker) -> None:
    sql = "SELECT GET_STAGE_LOCATION(@e), GET_RELATIVE_PATH(@e, 's3://acme/in/x/y.csv'), GET_ABSOLUTE_PATH(@e, 'y')"
    assert values(account, sql) == [("s3://acme/in/", "x/y.csv", "s3://acme/in/y")]


# COPY INTO a table ---------------------------------------------------------------------------------------------------


def test_a_file_is_loaded_once_until_it_changes(account: Speaker) -> None:
    put(account, in__a_csv="A,B\n1,x\n2,y\n")
    copy = f"COPY INTO t (a, b) FROM @i/in {CSV}"
    (row,) = account.run(copy)
    assert (row["file"], row["status"], row["rows_parsed"], row["rows_loaded"]) == ("i/in/a.csv", "LOADED", 2, 2)
    assert account.run(copy) == [{"status": "Copy executed with 0 files processed."}]
    put(account, in__a_csv="A,B\n3,z\n")
    assert account.run(copy)[0]["rows_loaded"] == 1
    assert values(account, "SELECT * FROM t ORDER BY a") == [(1, "x", 7), (2, "y", 7), (3, "z", 7)]
    account.run(f"{copy} FORCE = TRUE")
    assert values(account, "SELECT COUNT(*) FROM t") == [(4,)]
    account.run("TRUNCATE TABLE t", copy)
    assert values(account, "SELECT COUNT(*) FROM t") == [(1,)]


def test_the_load_history_is_part_of_the_transaction(account: Speaker) -> None:
    put(account, a_csv="1,x,1\n")
    account.run("BEGIN", "COPY INTO t FROM @i")
    assert account.run("COPY INTO t FROM @i") == [{"status": "Copy executed with 0 files processed."}]
    account.run("ROLLBACK")
    assert values(account, "SELECT COUNT(*) FROM t") == [(0,)]
    account.run("BEGIN", "COPY INTO t FROM @i", "COMMIT")
    assert values(account, "SELECT COUNT(*) FROM t") == [(1,)]
    assert account.run("COPY INTO t FROM @i") == [{"status": "Copy executed with 0 files processed."}]


def test_an_error_stops_everything_and_says_where(account: Speaker) -> None:
    put(account, a_csv="A,B\n1,x\n", b_csv="A,B\n2,y\noops,z\n")
    error = account.refused(f"COPY INTO t (a, b) FROM @i {CSV}")
    assert error.errno == 100038
    assert "Numeric value 'oops' is not recognized\n  File 'b.csv', line 3" in error.message
    assert 'Row 2, column "T"["A":1]' in error.message
    assert values(account, "SELECT COUNT(*) FROM t") == [(0,)]


@pytest.mark.parametrize(
    ("rule", "rows", "statuses"),
    [
        ("CONTINUE", [1, 2, 4], ["LOADED", "PARTIALLY_LOADED"]),
        ("SKIP_FILE", [1], ["LOADED", "LOAD_FAILED"]),
        ("SKIP_FILE_2", [1], ["LOADED", "LOAD_FAILED"]),
        ("SKIP_FILE_3", [1, 2, 4], ["LOADED", "PARTIALLY_LOADED"]),
        ("'SKIP_FILE_40%'", [1], ["LOADED", "LOAD_FAILED"]),
        ("'SKIP_FILE_60%'", [1, 2, 4], ["LOADED", "PARTIALLY_LOADED"]),
    ],
)
def test_on_error(account: Speaker, rule: str, rows: list[int], statuses: list[str]) -> None:
    put(account, a_csv="A,B\n1,x\n", b_csv="A,B\n2,y\noops,z\n4,w\n5,w,more\n")
    told = account.run(f"COPY INTO t (a, b) FROM @i {CSV} ON_ERROR = {rule}")
    assert [row["status"] for row in told] == statuses
    assert (told[1]["errors_seen"], told[1]["first_error_line"]) == (2, 3)
    assert told[1]["first_error_column_name"] == '"T"["A":1]'
    assert [row[0] for row in values(account, "SELECT a FROM t ORDER BY a")] == rows
    again = account.run(f"COPY INTO t (a, b) FROM @i {CSV} ON_ERROR = {rule}")
    assert (len(again) == 1 and again[0]["status"] == "LOAD_FAILED") == ("LOAD_FAILED" in statuses)


def test_transformations_patterns_files_and_purge(account: Speaker) -> None:
    put(account, in__a_csv="1,x\n", in__b_csv="2,y\n", in__c_txt="3,z\n")
    account.run("COPY INTO t (b, a) FROM (SELECT t.$2 || METADATA$FILENAME, t.$1 FROM @i/in t) PATTERN = '.*csv'")
    assert values(account, "SELECT a, b FROM t ORDER BY a") == [(1, "xin/a.csv"), (2, "yin/b.csv")]
    account.run("TRUNCATE TABLE t", "COPY INTO t (a, b) FROM @i/in/ FILES = ('a.csv') PURGE = TRUE")
    assert values(account, "SELECT a FROM t") == [(1,)]
    assert [one.key for one in place(account).files()] == ["in/b.csv", "in/c.txt"]
    assert account.refused("COPY INTO t (a, b) FROM @i/in/ FILES = ('none.csv')").errno == 100016
    sized = account.run("COPY INTO t (a, b) FROM @i/in/ SIZE_LIMIT = 1")
    assert [row["file"] for row in sized] == ["i/in/b.csv"]


def test_the_number_of_fields_and_the_length_of_texts(account: Speaker) -> None:
    put(account, a_csv="1,long\n2\n")
    account.run("CREATE TABLE short (a INT, b VARCHAR(2))")
    assert account.refused("COPY INTO short FROM @i").errno == 100080
    loose = "FILE_FORMAT = (TYPE = CSV ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE)"
    assert account.refused(f"COPY INTO short FROM @i {loose}").errno == 100078
    account.run(f"COPY INTO short FROM @i {loose} TRUNCATECOLUMNS = TRUE")
    assert values(account, "SELECT * FROM short ORDER BY a") == [(1, "lo"), (2, None)]


def test_json_parquet_and_headers_by_column_name(account: Speaker) -> None:
    put(account, j__x_json='{"A": 1, "b": "x", "more": 2}\n{"a": 3}\n', h__y_csv="B,C,A\nx,9,1\n")
    by_name = "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    account.run(f"COPY INTO t FROM @i/j FILE_FORMAT = (FORMAT_NAME = 'j') {by_name}")
    assert values(account, "SELECT a, b, c FROM t ORDER BY a") == [(1, "x", 7), (3, None, 7)]
    account.run("COPY INTO @i/p/ FROM t FILE_FORMAT = p HEADER = TRUE", "TRUNCATE TABLE t")
    account.run(f"COPY INTO t FROM @i/p FILE_FORMAT = (TYPE = PARQUET) {by_name}")
    assert values(account, "SELECT COUNT(*), MAX(a) FROM t") == [(2, 3)]
    account.run("TRUNCATE TABLE t")
    account.run(f"COPY INTO t FROM @i/h FILE_FORMAT = (TYPE = CSV PARSE_HEADER = TRUE) {by_name}")
    assert values(account, "SELECT a, b, c FROM t") == [(1, "x", 9)]
    account.run("CREATE TABLE v (x VARIANT)", "COPY INTO v FROM @i/j FILE_FORMAT = (TYPE = JSON)")
    assert values(account, "SELECT x:more::INT FROM v ORDER BY 1 NULLS LAST") == [(2,), (None,)]
    assert account.refused("COPY INTO t FROM @i/j FILE_FORMAT = (TYPE = JSON)").errno == 2019


def test_loading_needs_insert_read_and_a_warehouse(account: Speaker) -> None:
    put(account, a_csv="1,x,1\n")
    account.run(
        "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT USAGE ON SCHEMA s TO ROLE r", "GRANT SELECT ON TABLE t TO ROLE r", "GRANT READ ON STAGE i TO ROLE r",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    other.run("USE SCHEMA d.s")
    assert other.refused("COPY INTO t FROM @i").errno == 3001
    account.run("GRANT INSERT ON TABLE t TO ROLE r")
    other.session.warehouse = None
    assert other.refused("COPY INTO t FROM @i").errno == 606
    assert other.refused("COPY INTO @i FROM t").errno == 3001


# COPY INTO a stage ---------------------------------------------------------------------------------------------------


def test_unloading_one_file_with_a_header(account: Speaker) -> None:
    account.run("INSERT INTO t VALUES (1, 'x,y', NULL), (2, NULL, 3)")
    sql = "COPY INTO @D.S.I/out/y.csv FROM (SELECT a, b, c FROM t ORDER BY a) FILE_FORMAT = (TYPE = CSV"
    sql += " COMPRESSION = NONE) SINGLE = TRUE OVERWRITE = TRUE HEADER = TRUE"
    size = len(b"A,B,C\n1,x\\,y,\\N\n2,\\N,3\n")
    assert account.run(sql) == [{"rows_unloaded": 2, "input_bytes": size, "output_bytes": size}]
    assert read(account, "out/y.csv") == b"A,B,C\n1,x\\,y,\\N\n2,\\N,3\n"
    account.run(sql)
    assert account.refused(sql.replace("OVERWRITE = TRUE", "")).errno == 1030


def test_unloading_splits_names_and_compresses(account: Speaker) -> None:
    account.run("INSERT INTO t SELECT SEQ4(), 'text', 1 FROM TABLE(GENERATOR(ROWCOUNT => 0))")
    assert account.run("COPY INTO @i/none/ FROM t")[0]["rows_unloaded"] == 0
    assert place(account).files("none") == []
    account.run("INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)")
    told = account.run("COPY INTO @i/a/ FROM t FILE_FORMAT = quoted MAX_FILE_SIZE = 5 DETAILED_OUTPUT = TRUE")
    assert [(row["FILE_NAME"], row["ROW_COUNT"]) for row in told] == [
        ("a/data_0_0_0.csv.gz", 1), ("a/data_0_0_1.csv.gz", 1),
    ]  # fmt: skip
    assert gzip.decompress(read(account, "a/data_0_0_0.csv.gz")) == b'1,"x",1\n'
    account.run("COPY INTO @i/b/pre FROM t FILE_FORMAT = (TYPE = CSV FILE_EXTENSION = 'txt' COMPRESSION = NONE)")
    assert [one.key for one in place(account).files("b")] == ["b/pre_0_0_0.txt"]
    account.run("COPY INTO @i/c/ FROM t INCLUDE_QUERY_ID = TRUE")
    assert account.session.last_query_id in place(account).files("c")[0].key


def test_unloading_json_and_what_is_refused(account: Speaker) -> None:
    account.run("COPY INTO @i/j/ FROM (SELECT OBJECT_CONSTRUCT('a', 1)) FILE_FORMAT = (TYPE = JSON COMPRESSION = NONE)")
    assert read(account, "j/data_0_0_0.json") == b'{"a":1}\n'
    account.run("INSERT INTO t VALUES (1, 'x', 1)")
    for sql, errno in (
        ("COPY INTO @i/x/ FROM t FILE_FORMAT = (TYPE = JSON)", 2019),
        ("COPY INTO @i/x/ FROM t FILE_FORMAT = (TYPE = XML)", 2),
        ("COPY INTO @i/x/ FROM t FILE_FORMAT = (TYPE = CSV COMPRESSION = ZSTD)", 2),
        ("COPY INTO @i/x/ FROM t FILE_FORMAT = (TYPE = CSV TIMESTAMP_FORMAT = 'YYYY')", 2),
        ("COPY INTO @i/x/ FROM (SELECT CURRENT_TIMESTAMP()) FILE_FORMAT = (TYPE = PARQUET)", 2),
        ("COPY INTO @i/x/ FROM t SINGLE = TRUE INCLUDE_QUERY_ID = TRUE", 1425),
        ("COPY INTO @i/../x FROM t", 1422),
    ):
        assert account.refused(sql).errno == errno, sql
    assert place(account).files("x") == []
