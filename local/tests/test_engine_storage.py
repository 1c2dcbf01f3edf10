"""Stages, file formats, sequences, secrets, tags, streams, routines: what is kept, shown, and refused."""

from __future__ import annotations

import json

import pytest
from engine_account import in_schema
from pinky_local.types import Bind


def test_stages_are_internal_or_external() -> None:
    account = in_schema()
    account.run(
        "CREATE STAGE i DIRECTORY = (ENABLE = TRUE) COMMENT = 'c'",
        "CREATE STAGE e URL = 's3://bucket/path/' CREDENTIALS = (AWS_KEY_ID = 'id' AWS_SECRET_KEY = 'hush') "
        "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 FIELD_DELIMITER = '|')",
    )
    shown = {row["name"]: row for row in account.run("SHOW STAGES")}
    assert (shown["I"]["type"], shown["I"]["directory_enabled"], shown["I"]["comment"]) == ("INTERNAL", "Y", "c")
    assert (shown["E"]["type"], shown["E"]["cloud"], shown["E"]["has_credentials"]) == ("EXTERNAL", "AWS", "Y")
    described = account.run("DESC STAGE e")
    found = {(row["parent_property"], row["property"]): row["property_value"] for row in described}
    assert found["STAGE_LOCATION", "URL"] == '["s3://bucket/path/"]'
    assert found["STAGE_FILE_FORMAT", "SKIP_HEADER"] == "1"
    assert found["STAGE_FILE_FORMAT", "FIELD_DELIMITER"] == "|"
    assert "hush" not in str(described)


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE STAGE x CREDENTIALS = (AWS_KEY_ID = 'a')", 1420),
        ("CREATE STAGE x URL = 'ftp://a/b'", 1422),
        ("CREATE STAGE x ENCRYPTION = (TYPE = 'AWS_SSE_S3')", 1422),
        ("CREATE STAGE x FILE_FORMAT = (TYPE = JSON SKIP_HEADER = 1)", 1420),
        ("CREATE STAGE x FILE_FORMAT = (FORMAT_NAME = 'nosuch')", 2003),
        ("CREATE STAGE x URL = 's3://a/' STORAGE_INTEGRATION = nosuch", 2003),
        ("ALTER STAGE i SET DIRECTORY = (AUTO_REFRESH = TRUE)", 1420),
        ("ALTER STAGE i SET URL = 's3://a/'", 2),
        ("ALTER STAGE i REFRESH", 2220),
    ],
)
def test_stages_refuse(sql: str, errno: int) -> None:
    account = in_schema()
    account.run("CREATE STAGE i")
    assert account.refused(sql).errno == errno


def test_secrets_take_the_properties_of_their_type_and_never_show_values() -> None:
    account = in_schema()
    account.run("CREATE SECRET s TYPE = PASSWORD USERNAME = 'u' PASSWORD = 'hush' COMMENT = 'c'")
    row = account.one("DESC SECRET s")
    assert (row["secret_type"], row["username"], row["comment"]) == ("PASSWORD", "u", "c")
    assert "hush" not in str(account.run("SHOW SECRETS") + account.run("DESC SECRET s"))
    assert account.refused("CREATE SECRET x TYPE = PASSWORD USERNAME = 'u'").errno == 2029
    assert account.refused("CREATE SECRET x TYPE = GENERIC_STRING SECRET_STRING = 'a' USERNAME = 'u'").errno == 1420
    assert account.refused("CREATE SECRET x USERNAME = 'u'").errno == 2029
    assert account.refused("ALTER SECRET s SET SECRET_STRING = 'x'").errno == 1420
    assert account.refused("ALTER SECRET s SET TYPE = PASSWORD").errno == 1420
    account.run("ALTER SECRET s SET USERNAME = 'v' PASSWORD = 'new'")
    assert account.one("DESC SECRET s")["username"] == "v"


def test_a_secret_value_can_be_bound() -> None:
    account = in_schema()
    sql = "CREATE SECRET s TYPE = GENERIC_STRING SECRET_STRING = ?"
    account.engine.execute(sql, account.session, [Bind("TEXT", "hush")], query_id="q")
    assert account.one("SHOW SECRETS")["secret_type"] == "GENERIC_STRING"
    assert account.refused("ALTER SECRET s SET SECRET_STRING = ?").errno == 2049


def test_tags_follow_their_allowed_values_and_their_name() -> None:
    account = in_schema()
    account.run(
        "CREATE TAG cost ALLOWED_VALUES 'a', 'b' COMMENT = 'c'",
        "CREATE TABLE t (x INT WITH TAG (cost = 'a')) WITH TAG (cost = 'b')",
    )
    assert account.one("SHOW TAGS")["allowed_values"] == '["a","b"]'
    assert account.refused("ALTER TABLE t SET TAG cost = 'z'").errno == 391801
    account.run(
        "ALTER TAG cost ADD ALLOWED_VALUES 'z'", "ALTER TABLE t SET TAG cost = 'z'", "ALTER TAG cost RENAME TO money"
    )
    (held,) = [item for item in account.engine.account.catalog.objects.values() if item.kind == "table"]
    assert held.tags == {"D.S.MONEY": "z"}
    assert held.columns[0].tags == {"D.S.MONEY": "a"}
    account.run("ALTER TABLE t UNSET TAG money", "DROP TAG money")
    assert held.columns[0].tags == {}
    assert account.refused("ALTER TABLE t SET TAG money = 'a'").errno == 2003


def test_streams_turn_change_tracking_on_and_go_stale_with_their_table() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "CREATE STREAM st ON TABLE t APPEND_ONLY = TRUE COMMENT = 'c'")
    row = account.one("SHOW STREAMS")
    assert (row["table_name"], row["mode"], row["stale"], row["comment"]) == ("D.S.T", "APPEND_ONLY", "false", "c")
    assert account.one("SHOW TABLES")["change_tracking"] == "ON"
    account.run("DROP TABLE t")
    assert account.one("DESC STREAM st")["stale"] == "true"
    account.run("CREATE STAGE plain")
    assert account.refused("CREATE STREAM x ON STAGE plain").errno == 2203
    assert account.refused("CREATE STREAM x ON TABLE nosuch").errno == 2003


def test_sequences_and_file_formats() -> None:
    account = in_schema()
    account.run(
        "CREATE SEQUENCE sq START = 5 INCREMENT = 2 ORDER", "CREATE FILE FORMAT ff TYPE = JSON STRIP_OUTER_ARRAY = TRUE"
    )
    row = account.one("SHOW SEQUENCES")
    assert (row["next_value"], row["interval"], row["ordered"]) == (5, 2, "Y")
    found = {entry["property"]: entry["property_value"] for entry in account.run("DESC FILE FORMAT ff")}
    assert found["STRIP_OUTER_ARRAY"] == "true"
    assert account.refused("CREATE FILE FORMAT x TYPE = JSON SKIP_HEADER = 1").errno == 1420
    assert account.refused("CREATE SEQUENCE x INCREMENT = 0").errno == 1422


def test_routines_are_told_apart_by_argument_types() -> None:
    account = in_schema()
    account.run(
        "CREATE PROCEDURE p(a INT, b VARCHAR(10) DEFAULT 'x') RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.12' "
        "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'run' EXECUTE AS CALLER AS $$\ndef run(s): ...\n$$",
        "CREATE PROCEDURE p() RETURNS TABLE (a INT) LANGUAGE SQL AS BEGIN RETURN 1; END;",
    )
    shown = [row["arguments"] for row in account.run("SHOW PROCEDURES")]
    assert shown == ["P() RETURN TABLE (A NUMBER)", "P(NUMBER, DEFAULT VARCHAR) RETURN VARCHAR"]
    found = {row["property"]: row["value"] for row in account.run("DESC PROCEDURE p(BIGINT, STRING)")}
    assert found["signature"] == "(A NUMBER, B VARCHAR)"
    assert (found["execute as"], found["handler"], found["packages"]) == (
        "CALLER",
        "run",
        "['snowflake-snowpark-python']",
    )
    assert found["body"] == "\ndef run(s): ...\n"
    account.run(
        "ALTER PROCEDURE p(INT, TEXT) EXECUTE AS OWNER", "GRANT USAGE ON PROCEDURE p(INT, TEXT) TO ROLE sysadmin"
    )
    (grant,) = [row for row in account.run("SHOW GRANTS TO ROLE sysadmin") if row["granted_on"] == "PROCEDURE"]
    assert grant["name"].startswith('D.S."P(A NUMBER(38,0), B VARCHAR(10)):VARCHAR')
    account.run("DROP PROCEDURE p()")
    assert len(account.run("SHOW PROCEDURES")) == 1
    assert account.refused("DROP PROCEDURE p(FLOAT)").errno == 2003
    assert account.refused("CREATE PROCEDURE q() RETURNS INT LANGUAGE PYTHON AS 'x'").errno == 2029
    assert account.refused("CREATE PROCEDURE q() RETURNS INT LANGUAGE SQL HANDLER = 'x' AS 'x'").errno == 1420


def test_show_file_formats_tells_every_option_of_the_type() -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/show-file-formats: defaults where nothing was given."""
    account = in_schema()
    account.run("CREATE FILE FORMAT f TYPE = JSON STRIP_OUTER_ARRAY = TRUE NULL_IF = ('a, b')")
    (shown,) = account.run("SHOW FILE FORMATS IN SCHEMA d.s")
    options = json.loads(shown["format_options"])
    assert (options["TYPE"], options["STRIP_OUTER_ARRAY"], options["NULL_IF"]) == ("JSON", True, ["a, b"])
    assert (options["COMPRESSION"], options["TRIM_SPACE"]) == ("AUTO", False)
    assert "SKIP_HEADER" not in options
