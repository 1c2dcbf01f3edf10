"""LIST, REMOVE, COPY FILES, directory tables, notifications and storage integrations, without rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.engine import CatalogEngine
from pinky_local.engine.catalog import CatalogObject
from pinky_local.files import FolderPlace


def stage_of(account: Speaker, name: str) -> CatalogObject:
    (found,) = [
        item for item in account.engine.account.catalog.objects.values() if (item.kind, item.name) == ("stage", name)
    ]
    return found


def files_of(account: Speaker, name: str) -> FolderPlace:
    return account.engine.account.files.internal(stage_of(account, name).number)


def with_buckets(folder: Path) -> Speaker:
    account = speaker(CatalogEngine(buckets={"s3://acme": folder}))
    account.run("CREATE DATABASE d", "CREATE SCHEMA s")
    return account


def names(rows: list[dict[str, Any]], column: str = "name") -> list[str]:
    return [row[column] for row in rows]


def test_list_names_files_below_the_stage_or_the_url(tmp_path: Path) -> None:
    account = with_buckets(tmp_path)
    account.run("CREATE STAGE i", "CREATE STAGE e URL = 's3://acme/in'")
    for key in ("x/a.csv", "x/b.json", "xy.csv"):
        files_of(account, "I").write(key, [b"data"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.csv").write_text("1")
    assert names(account.run("LIST @i/x")) == ["i/x/a.csv", "i/x/b.json", "i/xy.csv"]
    assert names(account.run("LS @d.s.i/x/ PATTERN = '.*[.]csv'")) == ["i/x/a.csv"]
    assert names(account.run("LIST '@d.s.\"I\"/x/'")) == ["i/x/a.csv", "i/x/b.json"]
    (row,) = account.run("LIST @e")
    assert row["name"] == "s3://acme/in/c.csv"
    assert (row["size"], row["sha1"], len(row["md5"])) == (1, None, 32)
    assert row["last_modified"].endswith(" GMT")


def test_remove_takes_a_path_and_a_pattern() -> None:
    account = in_schema()
    account.run("CREATE STAGE i")
    for key in ("x/a.csv", "x/b.json"):
        files_of(account, "I").write(key, [b"data"])
    assert account.run("REMOVE @i PATTERN = '.*json'") == [{"name": "i/x/b.json", "result": "removed"}]
    assert names(account.run("RM @i/x", "LIST @i")) == []


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("LIST @nosuch", 2003),
        ("LIST @~", 2),
        ("LIST @%t", 2),
        ("LIST 's3://acme/'", 2),
        ("LIST @i/../x", 1422),
        ("LIST @i PATTERN = '('", 1422),
        ("LIST @e", 2),
        ("ALTER STAGE e REFRESH", 2),
        ("COPY FILES INTO @i FROM (SELECT '@i/x')", 2),
        ("COPY FILES INTO @i FROM @nosuch", 2003),
        ("COPY INTO @i FROM t PARTITION BY (a)", 2),
        ("COPY INTO t FROM @i VALIDATION_MODE = RETURN_ERRORS", 2),
        ("COPY INTO t FROM @i NOSUCH = 1", 1420),
        ("COPY INTO t FROM @i ON_ERROR = MAYBE", 1422),
        ("COPY INTO t FROM @i", 2),
        ("PUT file:///tmp/x @e", 2),
        ("PUT file:///tmp/x @i NOSUCH = 1", 1420),
        ("PUT file:///tmp/x @i PARALLEL = 100", 1422),
        ("PUT /tmp/x @i", 1003),
        ("GET @i", 1003),
    ],
)
def test_refusals(sql: str, errno: int) -> None:
    account = in_schema()
    account.run("CREATE STAGE i", "CREATE STAGE e URL = 's3://unmapped/' DIRECTORY = (ENABLE = TRUE)")
    account.run("CREATE TABLE t (a INT)")
    assert account.refused(sql).errno == errno


def test_an_unmapped_url_says_what_maps_it() -> None:
    account = in_schema()
    account.run("CREATE STAGE e URL = 's3://unmapped/x/'")
    message = account.refused("LIST @e").message
    assert "s3://unmapped/x/" in message
    assert "--local-bucket URL=FOLDER" in message
    assert "buckets=" in message


def test_copy_files_keeps_paths_below_the_source() -> None:
    account = in_schema()
    account.run("CREATE STAGE a", "CREATE STAGE b")
    for key in ("in/x/1.csv", "in/x/2.txt", "in/y.csv"):
        files_of(account, "A").write(key, [key.encode()])
    assert names(account.run("COPY FILES INTO @b/out/ FROM @a/in/ PATTERN = '.*csv'"), "file") == [
        "out/x/1.csv",
        "out/y.csv",
    ]
    with files_of(account, "B").open("out/x/1.csv") as file:
        assert file.read() == b"in/x/1.csv"
    only = "COPY FILES INTO @b FROM @a/in/ FILES = ('y.csv', 'none') DETAILED_OUTPUT = FALSE"
    assert account.run(only) == [{"numOfFilesCopied": 1}]


def test_privileges_split_by_internal_and_external(tmp_path: Path) -> None:
    account = with_buckets(tmp_path)
    account.run(
        "CREATE STAGE i DIRECTORY = (ENABLE = TRUE)", "CREATE STAGE e URL = 's3://acme/'",
        "CREATE ROLE r", "GRANT USAGE ON DATABASE d TO ROLE r", "GRANT USAGE ON SCHEMA s TO ROLE r",
        "GRANT ROLE r TO USER pinky",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    other.run("USE SCHEMA d.s")
    assert other.refused("LIST @i").errno == 2003
    account.run("GRANT READ ON STAGE i TO ROLE r", "GRANT USAGE ON STAGE e TO ROLE r")
    other.run("LIST @i", "LIST @e", "RM @e")
    for sql in ("RM @i", "ALTER STAGE i REFRESH", "COPY FILES INTO @i FROM @e", "PUT file:///x/y @i"):
        assert other.refused(sql).errno == 3001, sql
    account.run("GRANT WRITE ON STAGE i TO ROLE r")
    other.run("RM @i", "ALTER STAGE i REFRESH", "COPY FILES INTO @i FROM @e")


# directory tables --------------------------------------------------------------------------------------------------


def test_refresh_tells_changes_and_keeps_a_log() -> None:
    account = in_schema()
    account.run("CREATE STAGE i DIRECTORY = (ENABLE = TRUE)")
    stage, files = stage_of(account, "I"), files_of(account, "I")
    files.write("a/1.csv", [b"1"])
    files.write("b/2.csv", [b"22"])
    assert account.engine.account.directory_rows(stage) == []
    changed = account.run("ALTER STAGE i REFRESH")
    assert [(row["file"], row["status"]) for row in changed] == [
        ("a/1.csv", "REGISTERED_NEW"),
        ("b/2.csv", "REGISTERED_NEW"),
    ]
    assert account.run("ALTER STAGE i REFRESH") == []
    assert stage.state["directory_version"] == 1
    files.write("a/1.csv", [b"one"])
    files.remove("b/2.csv")
    changed = account.run("ALTER STAGE i REFRESH SUBPATH = 'a/'")
    assert [(row["file"], row["status"]) for row in changed] == [("a/1.csv", "REGISTERED_UPDATE")]
    changed = account.run("ALTER STAGE i REFRESH")
    assert [(row["file"], row["status"]) for row in changed] == [("b/2.csv", "UNREGISTERED")]
    log = [tuple(entry[:3]) for entry in stage.state["directory_log"]]
    assert log == [
        (1, "INSERT", "a/1.csv"), (1, "INSERT", "b/2.csv"), (2, "DELETE", "a/1.csv"), (2, "INSERT", "a/1.csv"),
        (3, "DELETE", "b/2.csv"),
    ]  # fmt: skip
    ((path, size, _, md5, etag, url),) = account.engine.account.directory_rows(stage)
    assert (path, size, md5) == ("a/1.csv", 3, etag)
    assert url.endswith("/api/files/D/S/I/a/1.csv")


def test_a_directory_table_switched_off_is_forgotten() -> None:
    account = in_schema()
    account.run("CREATE STAGE i DIRECTORY = (ENABLE = TRUE)")
    files_of(account, "I").write("a", [b"1"])
    account.run("ALTER STAGE i REFRESH", "ALTER STAGE i SET DIRECTORY = (ENABLE = FALSE)")
    assert account.refused("ALTER STAGE i REFRESH").errno == 2220
    account.run("ALTER STAGE i SET DIRECTORY = (ENABLE = TRUE)")
    assert account.engine.account.directory_rows(stage_of(account, "I")) == []


def test_refresh_on_create_and_notifications(tmp_path: Path) -> None:
    account = with_buckets(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1")
    account.run(
        "CREATE STAGE auto URL = 's3://acme/in/' DIRECTORY = (ENABLE = TRUE AUTO_REFRESH = TRUE"
        " REFRESH_ON_CREATE = TRUE)",
        "CREATE STAGE manual URL = 's3://acme/in/' DIRECTORY = (ENABLE = TRUE REFRESH_ON_CREATE = FALSE)",
        "CREATE STAGE silent URL = 's3://acme/in/' DIRECTORY = (ENABLE = TRUE)",
        "CREATE STAGE nowhere URL = 's3://another/in/' DIRECTORY = (ENABLE = TRUE)",
    )
    rows = account.engine.account.directory_rows
    found = [len(rows(stage_of(account, name))) for name in ("AUTO", "MANUAL", "SILENT", "NOWHERE")]
    assert found == [1, 0, 1, 0]
    (tmp_path / "in" / "b.csv").write_text("2")
    assert account.engine.notify(bucket="s3://other/") == []
    assert account.engine.notify(stage="D.S.MANUAL") == []
    assert account.engine.notify(bucket="s3://acme/in/b.csv") == ["D.S.AUTO"]
    assert [len(rows(stage_of(account, name))) for name in ("AUTO", "MANUAL")] == [2, 0]
    assert account.engine.notify(stage="D.S.AUTO", bucket="s3://acme") == ["D.S.AUTO"]


# files live and die with their stage --------------------------------------------------------------------------------


def test_files_go_with_an_internal_stage_and_stay_in_a_bucket(tmp_path: Path) -> None:
    account = with_buckets(tmp_path)
    account.run("CREATE STAGE i", "CREATE STAGE e URL = 's3://acme/'", "CREATE STAGE r")
    (tmp_path / "a").write_text("1")
    dropped, replaced = files_of(account, "I"), files_of(account, "R")
    dropped.write("a", [b"1"])
    replaced.write("a", [b"1"])
    account.run("ALTER STAGE i RENAME TO j")
    assert names(account.run("LIST @j")) == ["j/a"]
    account.run("DROP STAGE j", "DROP STAGE e", "CREATE OR REPLACE STAGE r")
    assert (dropped.files(), replaced.files()) == ([], [])
    assert (tmp_path / "a").exists()
    assert account.run("LIST @r") == []
    assert account.refused("UNDROP STAGE j").errno == 2


def test_files_come_back_with_a_schema(tmp_path: Path) -> None:
    account = in_schema()
    account.run("CREATE STAGE i")
    files_of(account, "I").write("a", [b"1"])
    account.run("DROP SCHEMA d.s", "UNDROP SCHEMA d.s", "USE SCHEMA d.s")
    assert names(account.run("LIST @i")) == ["i/a"]


def test_files_outlive_the_process_in_a_folder(tmp_path: Path) -> None:
    account = speaker(CatalogEngine(tmp_path))
    account.run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE STAGE i DIRECTORY = (ENABLE = TRUE)")
    account.run("CREATE TEMPORARY STAGE t")
    kept, lost = files_of(account, "I"), files_of(account, "T")
    kept.write("a", [b"1"])
    lost.write("a", [b"1"])
    account.run("ALTER STAGE i REFRESH")
    again = speaker(CatalogEngine(tmp_path))
    assert names(again.run("LIST @d.s.i")) == ["i/a"]
    assert len(again.engine.account.directory_rows(stage_of(again, "I"))) == 1
    assert lost.files() == []


# storage integrations ----------------------------------------------------------------------------------------------

S3 = "CREATE STORAGE INTEGRATION {} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE" \
     " STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/in/')"  # fmt: skip


def test_an_integration_of_each_cloud_is_shown_and_described() -> None:
    account = in_schema()
    account.run(
        S3.format("aws") + " STORAGE_BLOCKED_LOCATIONS = ('s3://acme/in/secret/') COMMENT = 'c'",
        "CREATE STORAGE INTEGRATION google TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' ENABLED = FALSE"
        " STORAGE_ALLOWED_LOCATIONS = ('*')",
        "CREATE STORAGE INTEGRATION azure TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'AZURE' ENABLED = TRUE"
        " AZURE_TENANT_ID = 't' STORAGE_ALLOWED_LOCATIONS = ('azure://a.blob.core.windows.net/c/')",
    )
    shown = {row["name"]: row for row in account.run("SHOW INTEGRATIONS")}
    assert sorted(shown) == names(account.run("SHOW STORAGE INTEGRATIONS")) == ["AWS", "AZURE", "GOOGLE"]
    assert (shown["AWS"]["category"], shown["AWS"]["enabled"], shown["GOOGLE"]["enabled"]) == (
        "STORAGE",
        "true",
        "false",
    )
    told = {row["property"]: row["property_value"] for row in account.run("DESC INTEGRATION aws")}
    assert told["STORAGE_ALLOWED_LOCATIONS"] == "s3://acme/in/"
    assert told["STORAGE_AWS_ROLE_ARN"] == "arn:aws:iam::1:role/r"
    assert told["STORAGE_AWS_EXTERNAL_ID"]
    assert "STORAGE_GCP_SERVICE_ACCOUNT" in names(account.run("DESC STORAGE INTEGRATION google"), "property")
    assert "AZURE_CONSENT_URL" in names(account.run("DESC INTEGRATION azure"), "property")
    account.run("ALTER STORAGE INTEGRATION aws SET ENABLED = FALSE STORAGE_AWS_EXTERNAL_ID = 'x'")
    account.run("ALTER INTEGRATION aws UNSET STORAGE_BLOCKED_LOCATIONS, COMMENT", "DROP INTEGRATION azure")
    told = {row["property"]: row["property_value"] for row in account.run("DESC INTEGRATION aws")}
    assert (told["ENABLED"], told["STORAGE_AWS_EXTERNAL_ID"], told["STORAGE_BLOCKED_LOCATIONS"]) == ("false", "x", "")


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        (S3.format("x").replace("STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r'", ""), 2029),
        (S3.format("x") + " AZURE_TENANT_ID = 't'", 1420),
        (S3.format("x").replace("s3://", "gcs://"), 1422),
        (S3.format("x") + " STORAGE_AWS_OBJECT_ACL = 'public-read'", 1422),
        (S3.format("x").replace("'S3'", "'GCS'"), 1420),
        (S3.format("x").replace("EXTERNAL_STAGE", "POSTGRES_EXTERNAL_STORAGE"), 2),
        (S3.format("aws"), 2002),
        ("ALTER STORAGE INTEGRATION aws SET STORAGE_PROVIDER = 'GCS'", 1420),
        ("ALTER STORAGE INTEGRATION aws UNSET STORAGE_ALLOWED_LOCATIONS", 1420),
        ("ALTER STORAGE INTEGRATION aws SET STORAGE_ALLOWED_LOCATIONS = ('gcs://x/')", 1422),
        ("CREATE STAGE e URL = 's3://acme/other/' STORAGE_INTEGRATION = aws", 3167),
        ("CREATE STAGE e URL = 's3://acme/inside/' STORAGE_INTEGRATION = aws", 3167),
        ("ALTER STAGE good SET URL = 's3://acme/out/'", 3167),
    ],
)
def test_integrations_refuse(sql: str, errno: int) -> None:
    account = in_schema()
    account.run(S3.format("aws"), "CREATE STAGE good URL = 's3://acme/in/x/' STORAGE_INTEGRATION = aws")
    assert account.refused(sql).errno == errno


def test_a_stage_needs_usage_on_its_integration_and_an_enabled_one(tmp_path: Path) -> None:
    account = with_buckets(tmp_path)
    account.run(
        S3.format("aws"), "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT ALL ON SCHEMA s TO ROLE r",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    other.run("USE SCHEMA d.s")
    make = "CREATE STAGE e URL = 's3://acme/in/x/' STORAGE_INTEGRATION = aws"
    assert other.refused(make).errno == 2003
    account.run("GRANT USAGE ON INTEGRATION aws TO ROLE r")
    other.run(make, "LIST @e")
    account.run("ALTER STORAGE INTEGRATION aws SET ENABLED = FALSE")
    assert "not enabled" in other.refused("LIST @e").message
    assert other.refused(make.replace("STAGE e", "STAGE f")).errno == 2091
