"""Procedures and functions of the catalog engine, against create-procedure, desc-procedure, show-procedures."""

from __future__ import annotations

from typing import Any

import pytest
from engine_account import Speaker, in_schema, speaker

PYTHON = (
    "LANGUAGE PYTHON RUNTIME_VERSION = '3.12' PACKAGES = ('snowflake-snowpark-python', 'absl-py==0.12.0') "
    "HANDLER = 'main' AS $$\ndef main(session, a):\n    return 'it''s'\n$$"
)


@pytest.fixture
def account() -> Speaker:
    return in_schema()


def described(account: Speaker, sql: str) -> dict[str, Any]:
    return {row["property"]: row["value"] for row in account.run(sql)}


def test_a_sql_procedure_shows_its_signature(account: Speaker) -> None:
    account.run(
        "CREATE PROCEDURE p(a NUMBER(10,2), b VARCHAR DEFAULT 'x') RETURNS VARCHAR NOT NULL LANGUAGE SQL "
        "COMMENT = 'adds' EXECUTE AS CALLER AS BEGIN RETURN b; END;"
    )
    (shown,) = account.run("SHOW PROCEDURES IN SCHEMA d.s")
    assert shown["name"] == "P"
    assert shown["arguments"] == "P(NUMBER, DEFAULT VARCHAR) RETURN VARCHAR"
    assert (shown["min_num_arguments"], shown["max_num_arguments"]) == (1, 2)
    assert (shown["schema_name"], shown["catalog_name"]) == ("S", "D")
    assert shown["description"] == "adds"
    assert shown["is_secure"] == "N"
    rows = described(account, "DESC PROCEDURE p(NUMBER, VARCHAR)")
    assert rows["signature"] == "(A NUMBER, B VARCHAR)"
    assert rows["returns"] == "VARCHAR NOT NULL"
    assert rows["language"] == "SQL"
    assert rows["execute as"] == "CALLER"
    assert rows["body"] == "BEGIN RETURN b; END"
    assert "null handling" not in rows
    assert "volatility" not in rows


def test_without_a_comment_a_procedure_is_user_defined(account: Speaker) -> None:
    account.run("CREATE PROCEDURE p() RETURNS FLOAT LANGUAGE SQL AS $$ BEGIN RETURN 1; END $$")
    assert account.one("SHOW PROCEDURES")["description"] == "user-defined procedure"
    assert described(account, "DESC PROCEDURE p()")["execute as"] == "OWNER"


def test_a_python_procedure_shows_what_runs_it(account: Speaker) -> None:
    account.run(f"CREATE PROCEDURE p(a VARCHAR(10)) RETURNS VARCHAR(20) {PYTHON}")
    rows = described(account, "DESCRIBE PROCEDURE d.s.p(VARCHAR)")
    assert rows["handler"] == "main"
    assert rows["runtime_version"] == "3.12"
    assert rows["packages"] == "['snowflake-snowpark-python','absl-py==0.12.0']"
    assert rows["imports"] == "[]"
    assert rows["returns"] == "VARCHAR(20)"
    assert rows["null handling"] == "CALLED ON NULL INPUT"
    assert rows["volatility"] == "VOLATILE"
    assert rows["body"] == "\ndef main(session, a):\n    return 'it''s'\n"


def test_overloads_differ_by_argument_types_and_sizes_do_not_count(account: Speaker) -> None:
    for arguments in ("", "a NUMBER", "a VARCHAR", "a NUMBER, b NUMBER"):
        account.run(f"CREATE PROCEDURE p({arguments}) RETURNS VARCHAR LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    assert len(account.run("SHOW PROCEDURES LIKE 'p'")) == 4
    error = account.refused("CREATE PROCEDURE p(z INT) RETURNS VARCHAR LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    assert error.errno == 2002
    account.run("DROP PROCEDURE p(NUMBER(5,0))")
    assert account.refused("DROP PROCEDURE p(NUMBER)").errno == 2003
    assert account.refused("DROP PROCEDURE p").errno == 1003
    account.run("ALTER PROCEDURE p(VARCHAR) RENAME TO q", "ALTER PROCEDURE p() SET COMMENT = 'none'")
    shown = {row["arguments"]: row["description"] for row in account.run("SHOW PROCEDURES")}
    assert shown == {
        "P() RETURN VARCHAR": "none",
        "P(NUMBER, NUMBER) RETURN VARCHAR": "user-defined procedure",
        "Q(VARCHAR) RETURN VARCHAR": "user-defined procedure",
    }


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("INTEGER", "NUMBER"),
        ("DOUBLE", "FLOAT"),
        ("CHAR(10)", "VARCHAR"),
        ("VARBINARY", "BINARY"),
        ("DATETIME", "TIMESTAMP_NTZ"),
        ("TIME", "TIME"),
        ("VARIANT", "VARIANT"),
        ("VECTOR(INT, 16)", "VECTOR(INT, 16)"),
    ],
)
def test_types_of_arguments_are_shown_without_sizes(account: Speaker, written: str, shown: str) -> None:
    account.run(f"CREATE FUNCTION f(a {written}) RETURNS {written} AS 'a'")
    assert account.one("SHOW USER FUNCTIONS")["arguments"] == f"F({shown}) RETURN {shown}"
    assert described(account, f"DESC FUNCTION f({written})")["signature"] == f"(A {shown})"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("NUMBER", "NUMBER(38,0)"), ("NUMBER(36,2)", "NUMBER(36,2)"), ("TEXT", "VARCHAR"), ("VARCHAR(7)", "VARCHAR(7)"),
     ("CHAR", "VARCHAR(1)"), ("VARBINARY", "BINARY"), ("BINARY(9)", "BINARY(9)"), ("FLOAT", "FLOAT")],
)  # fmt: skip
def test_the_returned_type_is_described_with_its_size_as_far_as_written(
    account: Speaker, written: str, shown: str
) -> None:
    account.run(f"CREATE PROCEDURE p() RETURNS {written} LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    assert described(account, "DESC PROCEDURE p()")["returns"] == shown


def test_tables_are_returned_with_their_columns(account: Speaker) -> None:
    account.run(
        "CREATE PROCEDURE p() RETURNS TABLE (id INT, \"Name of\" VARCHAR) LANGUAGE SQL AS 'BEGIN RETURN TABLE(r); END'"
    )
    shown = account.one("SHOW PROCEDURES")
    assert shown["arguments"] == 'P() RETURN TABLE (ID NUMBER, "Name of" VARCHAR)'
    assert shown["is_table_function"] == "Y"


def test_the_rights_a_procedure_runs_with_may_change(account: Speaker) -> None:
    account.run("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    for rights in ("CALLER", "RESTRICTED CALLER", "OWNER"):
        account.run(f"ALTER PROCEDURE p() EXECUTE AS {rights}")
        assert described(account, "DESC PROCEDURE p()")["execute as"] == rights


def test_or_replace_keeps_grants_when_asked(account: Speaker) -> None:
    account.run(
        "CREATE ROLE r",
        f"CREATE PROCEDURE p(a VARCHAR) RETURNS VARCHAR {PYTHON}",
        "GRANT USAGE ON PROCEDURE p(VARCHAR) TO ROLE r",
        f"CREATE OR REPLACE PROCEDURE p(a VARCHAR) COPY GRANTS RETURNS VARCHAR {PYTHON}",
    )
    granted = account.run("SHOW GRANTS ON PROCEDURE p(VARCHAR)")
    held = {row["privilege"]: row["grantee_name"] for row in granted}
    assert held == {"OWNERSHIP": "ACCOUNTADMIN", "USAGE": "R"}
    account.run(f"CREATE OR REPLACE PROCEDURE p(a VARCHAR) RETURNS VARCHAR {PYTHON}")
    assert [row["privilege"] for row in account.run("SHOW GRANTS ON PROCEDURE p(VARCHAR)")] == ["OWNERSHIP"]


def test_create_or_alter_keeps_the_object(account: Speaker) -> None:
    account.run("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    made = account.one("SHOW PROCEDURES")["created_on"]
    account.run("CREATE OR ALTER PROCEDURE p() RETURNS INT LANGUAGE SQL COMMENT = 'two' AS 'BEGIN RETURN 2; END'")
    shown = account.one("SHOW PROCEDURES")
    assert (shown["created_on"], shown["description"]) == (made, "two")
    assert described(account, "DESC PROCEDURE p()")["body"] == "BEGIN RETURN 2; END"


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE COBOL AS 'x'", 1003),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL", 2029),
        ("CREATE PROCEDURE p() LANGUAGE SQL AS 'x'", 1003),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.12' AS 'x'", 2029),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL HANDLER = 'main' AS 'x'", 1420),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL SPEED = 'high' AS 'x'", 1420),
        ("CREATE PROCEDURE p(a SHAPE) RETURNS INT LANGUAGE SQL AS 'x'", 2040),
        ("CREATE PROCEDURE p(a INT DEFAULT 1, b INT) RETURNS INT LANGUAGE SQL AS 'x'", 1003),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL EXECUTE AS NOBODY AS 'x'", 1003),
        (f"CREATE PROCEDURE p(a INT) RETURNS INT SECRETS = ('k' = nothing) {PYTHON}", 2003),
    ],
)
def test_what_is_wrong_is_refused(account: Speaker, sql: str, errno: int) -> None:
    assert account.refused(sql).errno == errno
    assert account.run("SHOW PROCEDURES") == []


def test_output_arguments_are_shown(account: Speaker) -> None:
    account.run("CREATE PROCEDURE p(a IN INT, b OUT INT) RETURNS INT LANGUAGE SQL AS 'BEGIN b := 1; END'")
    assert account.one("SHOW PROCEDURES")["arguments"] == "P(NUMBER, OUT NUMBER) RETURN NUMBER"
    assert described(account, "DESC PROCEDURE p(NUMBER, NUMBER)")["language"] == "SQL"


def test_functions_and_procedures_do_not_share_names(account: Speaker) -> None:
    account.run(
        "CREATE SECURE FUNCTION f(a INT) RETURNS INT COMMENT = 'twice' AS '2 * a'",
        "CREATE PROCEDURE f(a INT) RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
    )
    shown = account.one("SHOW USER FUNCTIONS IN SCHEMA d.s")
    assert (shown["language"], shown["is_secure"], shown["description"]) == ("SQL", "Y", "twice")
    account.run("ALTER FUNCTION f(NUMBER) UNSET SECURE", "ALTER FUNCTION f(NUMBER) UNSET COMMENT")
    shown = account.one("SHOW USER FUNCTIONS")
    assert (shown["is_secure"], shown["description"]) == ("N", "user-defined function")


def test_a_role_with_usage_does_not_see_the_body(account: Speaker) -> None:
    account.run(
        "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT USAGE ON SCHEMA d.s TO ROLE r", "CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
    )  # fmt: skip
    caller = speaker(account.engine, "R")
    assert caller.run("SHOW PROCEDURES IN SCHEMA d.s") == []
    assert caller.refused("DESC PROCEDURE d.s.p()").errno == 2003
    account.run("GRANT USAGE ON PROCEDURE p() TO ROLE r")
    assert [row["name"] for row in caller.run("SHOW PROCEDURES IN SCHEMA d.s")] == ["P"]
    assert described(caller, "DESC PROCEDURE d.s.p()").get("body") is None
    assert caller.refused("ALTER PROCEDURE d.s.p() SET COMMENT = 'mine'").errno == 3001


def test_an_aggregate_function_is_written_in_python_and_shown_as_such(account: Speaker) -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/create-function: AGGREGATE is for Python, and never IMMUTABLE."""
    body = PYTHON.replace("main", "Sum").replace(", 'absl-py==0.12.0'", "")
    account.run(f"CREATE AGGREGATE FUNCTION f(a INT) RETURNS INT {body}")
    account.run("CREATE FUNCTION g(a INT) RETURNS INT AS 'a'")
    shown = {row["name"]: row["is_aggregate"] for row in account.run("SHOW USER FUNCTIONS IN SCHEMA d.s")}
    assert shown == {"F": "Y", "G": "N"}
    for sql, errno in (
        ("CREATE AGGREGATE FUNCTION h(a INT) RETURNS INT AS 'a'", 2),
        (f"CREATE AGGREGATE FUNCTION h(a INT) RETURNS INT IMMUTABLE {body}", 2),
        ("CREATE AGGREGATE PROCEDURE h() RETURNS INT AS 'BEGIN RETURN 1; END'", 1003),
    ):
        assert account.refused(sql).errno == errno
