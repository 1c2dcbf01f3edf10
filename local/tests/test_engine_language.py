"""Tokens, names, types and refusals by name."""

from __future__ import annotations

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.engine.datatypes import parse
from pinky_local.engine.lexer import tokenize


def test_strings_comments_and_quoted_names_are_told_apart() -> None:
    tokens = tokenize("select 'it''s', $$a;b$$, \"x\"\"Y\", abc -- c\n/* d */ 1.5")
    assert [(token.kind, token.value) for token in tokens] == [
        ("word", "SELECT"),
        ("string", "it's"),
        ("symbol", ","),
        ("string", "a;b"),
        ("symbol", ","),
        ("quoted", 'x"Y'),
        ("symbol", ","),
        ("word", "ABC"),
        ("number", "1.5"),
        ("end", "<EOF>"),
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("int", "NUMBER(38,0)"),
        ("decimal(10)", "NUMBER(10,0)"),
        ("numeric(10, 2)", "NUMBER(10,2)"),
        ("double precision", "FLOAT"),
        ("string", "VARCHAR(16777216)"),
        ("char", "VARCHAR(1)"),
        ("character varying", "VARCHAR(16777216)"),
        ("varbinary", "BINARY(8388608)"),
        ("datetime", "TIMESTAMP_NTZ(9)"),
        ("timestamp(3)", "TIMESTAMP_NTZ(3)"),
        ("timestamptz", "TIMESTAMP_TZ(9)"),
        ("timestamp_ltz(0)", "TIMESTAMP_LTZ(0)"),
        ("time", "TIME(9)"),
        ("variant", "VARIANT"),
    ],
)
def test_types_are_shown_in_canonical_form(written: str, shown: str) -> None:
    assert str(parse(written)) == shown


def test_timestamp_follows_the_session() -> None:
    account = in_schema()
    account.run("ALTER SESSION SET TIMESTAMP_TYPE_MAPPING = 'TIMESTAMP_LTZ'", "CREATE TABLE t (a TIMESTAMP)")
    assert account.one("DESC TABLE t")["type"] == "TIMESTAMP_LTZ(9)"


@pytest.mark.parametrize(
    ("sql", "errno", "part"),
    [
        ("CREATE SCHEMA x FOO = 1", 1420, "invalid property 'FOO' for 'SCHEMA'"),
        ("CREATE SCHEMA x COMMENT = 'a' COMMENT = 'b'", 1423, "duplicate property 'COMMENT'"),
        ("CREATE SCHEMA x DATA_RETENTION_TIME_IN_DAYS = 91", 1008, "invalid value [91] for parameter"),
        ("CREATE WAREHOUSE x WAREHOUSE_SIZE = HUGE", 1422, "invalid value 'HUGE' for property 'WAREHOUSE_SIZE'"),
        ("CREATE WAREHOUSE x AUTO_SUSPEND = -1", 1422, "'-1'"),
        ("CREATE TABEL x (a INT)", 1003, "syntax error line 1 at position 7 unexpected 'TABEL'"),
        ("CREATE TABLE x (a INT) blah", 1003, "unexpected 'blah'"),
        ("CREATE TABLE x (a NOSUCHTYPE)", 2040, "Unsupported data type 'NOSUCHTYPE'"),
        ("CREATE DYNAMIC TABLE x", 2, "DYNAMIC"),
        ("ALTER WAREHOUSE compute_wh SET INITIALLY_SUSPENDED = TRUE", 1420, "INITIALLY_SUSPENDED"),
        ("CALL p()", 2140, "Unknown function P"),
        ("EXECUTE IMMEDIATE FROM @st/x.sql", 2, "EXECUTE IMMEDIATE FROM"),
        ("FROBNICATE", 1003, "unexpected 'FROBNICATE'"),
        ("  -- nothing\n", 900, "Empty SQL statement"),
        ("SELECT SYSTEM$NOSUCH()", 2140, "SYSTEM$NOSUCH"),
        ("ALTER SESSION SET NOSUCH = 1", 1006, "NOSUCH"),
    ],
)
def test_what_is_not_known_is_refused_by_name(sql: str, errno: int, part: str) -> None:
    error = in_schema().refused(sql)
    assert error.errno == errno
    assert part in error.message


def test_names_without_a_database_or_schema_are_refused() -> None:
    account = speaker()
    assert account.refused("CREATE TABLE t (a INT)").errno == 90105
    account.run("CREATE DATABASE d", "DROP SCHEMA d.public", "USE DATABASE d")
    assert account.refused("CREATE TABLE t (a INT)").errno == 90106


def test_quoted_names_are_exact_and_printed_quoted() -> None:
    account = in_schema()
    account.run('CREATE TABLE "My t" ("a b" INT)', 'GRANT SELECT ON TABLE "My t" TO ROLE SYSADMIN')
    assert account.one("SHOW TABLES")["name"] == "My t"
    names = {row["name"] for row in account.run('SHOW GRANTS ON TABLE "My t"')}
    assert names == {'D.S."My t"'}
    assert account.refused("DESC TABLE my_t").errno == 2003


def test_context_functions_need_no_data_plane() -> None:
    account = speaker()
    row = account.one("SELECT CURRENT_ACCOUNT(), CURRENT_ROLE() AS r, 'x', -5")
    assert list(row.values()) == ["PINKY_LOCAL", "ACCOUNTADMIN", "x", -5]
    assert list(row) == ["CURRENT_ACCOUNT()", "R", "'X'", "-5"]


def test_result_scan_reaches_the_last_result() -> None:
    account = in_schema()
    account.run("SHOW SCHEMAS")
    found = account.run('SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))')
    assert [row["name"] for row in found] == ["PUBLIC", "S"]


def test_a_syntax_error_comes_before_a_missing_object() -> None:
    account: Speaker = in_schema()
    assert account.refused("GRANT SELECT ON TABLE nosuch TO ROLE r x").errno == 1003


def test_types_that_are_not_here_are_named_in_full() -> None:
    account = in_schema()
    for words in ("ROW ACCESS POLICY", "DYNAMIC TABLE", "MATERIALIZED VIEW", "SECURITY INTEGRATION", "ALERT"):
        error = account.refused(f"CREATE {words} x")
        assert error.message == f"Unsupported feature '{words} (not part of this local account)'."
