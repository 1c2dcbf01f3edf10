"""Tags of the catalog engine, against create-tag, alter-tag, show-tags and object-tagging."""

from __future__ import annotations

import json

import pytest
from engine_account import Speaker, in_schema, speaker


@pytest.fixture
def account() -> Speaker:
    return in_schema()


def allowed(account: Speaker) -> list[str] | None:
    text = account.one("SHOW TAGS LIKE 't'")["allowed_values"]
    return None if text is None else list(json.loads(text))


def test_a_tag_shows_what_was_declared(account: Speaker) -> None:
    account.run(
        "CREATE TAG t ALLOWED_VALUES 'blue', 'red' PROPAGATE = ON_DEPENDENCY ON_CONFLICT = ALLOWED_VALUES_SEQUENCE "
        "COMMENT = 'colour'"
    )
    shown = account.one("SHOW TAGS IN SCHEMA d.s")
    assert shown["allowed_values"] == '["blue","red"]'
    assert (shown["propagate"], shown["on_conflict"]) == ("ON_DEPENDENCY", "ALLOWED_VALUES_SEQUENCE")
    assert (shown["comment"], shown["owner"], shown["database_name"]) == ("colour", "ACCOUNTADMIN", "D")
    account.run("ALTER TAG t UNSET ON_CONFLICT", "ALTER TAG t UNSET PROPAGATE", "ALTER TAG t UNSET COMMENT")
    shown = account.one("SHOW TAGS")
    assert (shown["on_conflict"], shown["comment"]) == (None, "")


def test_allowed_values_are_added_dropped_and_replaced_in_order(account: Speaker) -> None:
    account.run("CREATE TAG t")
    assert allowed(account) is None
    account.run("ALTER TAG t ADD ALLOWED_VALUES 'a', 'b'", "ALTER TAG t ADD ALLOWED_VALUES 'b', 'c'")
    assert allowed(account) == ["a", "b", "c"]
    account.run("ALTER TAG t DROP ALLOWED_VALUES 'a', 'c'")
    assert allowed(account) == ["b"]
    account.run("ALTER TAG t SET ALLOWED_VALUES 'z', 'y' COMMENT = 'c'")
    assert allowed(account) == ["z", "y"]
    assert account.one("SHOW TAGS")["comment"] == "c"
    account.run("ALTER TAG t DROP ALLOWED_VALUES 'z', 'y'")
    assert allowed(account) == []
    account.run("CREATE TABLE x (a INT)")
    assert account.refused("ALTER TABLE x SET TAG t = 'z'").errno != 0
    account.run("ALTER TAG t UNSET ALLOWED_VALUES", "ALTER TABLE x SET TAG t = 'anything'")
    assert allowed(account) is None


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE TAG t COMMENT = 'c' ALLOWED_VALUES 'a'", 1003),
        ("CREATE TAG t PROPAGATE = SOMETIMES", 1422),
        ("CREATE TAG t ON_CONFLICT = SOMETHING", 1422),
        ("CREATE TAG t SHAPE = 'round'", 1420),
        ("CREATE TAG t ON_CONFLICT = MERGE", 1422),
        ("CREATE TAG t PROPAGATE = NONE", 1422),
    ],
)
def test_what_is_wrong_is_refused(account: Speaker, sql: str, errno: int) -> None:
    assert account.refused(sql).errno == errno
    assert account.run("SHOW TAGS") == []


def test_values_are_checked_where_a_tag_is_set(account: Speaker) -> None:
    account.run("CREATE TAG t ALLOWED_VALUES 'a', 'b'", "CREATE TABLE x (c INT)", "CREATE WAREHOUSE w")
    account.run("ALTER TABLE x SET TAG t = 'a'", "ALTER WAREHOUSE w SET TAG d.s.t = 'b'")
    account.run("ALTER SCHEMA d.s SET TAG t = 'b'")
    account.run("ALTER TABLE x MODIFY COLUMN c SET TAG t = 'a'", "ALTER TABLE x MODIFY COLUMN c UNSET TAG t")
    assert "'c'" in account.refused("ALTER TABLE x SET TAG t = 'c'").message
    assert account.refused("ALTER TABLE x SET TAG nothing = 'a'").errno == 2003
    assert account.refused("ALTER TAG t SET TAG t = 'a'").errno == 2
    account.run("ALTER TABLE x UNSET TAG t")


def test_a_tag_is_renamed_moved_and_comes_back(account: Speaker) -> None:
    account.run("CREATE TAG t", "ALTER TAG t RENAME TO u", "CREATE SCHEMA other", "ALTER TAG d.s.u RENAME TO d.other.u")
    assert account.one("SHOW TAGS IN DATABASE d")["schema_name"] == "OTHER"
    account.run("DROP TAG d.other.u")
    assert account.run("SHOW TAGS IN DATABASE d") == []
    account.run("UNDROP TAG d.other.u")
    assert account.one("SHOW TAGS IN DATABASE d")["name"] == "U"


def test_create_or_alter_resets_what_is_not_said(account: Speaker) -> None:
    account.run("CREATE TAG t ALLOWED_VALUES 'a' COMMENT = 'c'", "CREATE OR ALTER TAG t ALLOWED_VALUES 'b'")
    assert allowed(account) == ["b"]
    assert account.one("SHOW TAGS")["comment"] == ""
    account.run("CREATE OR ALTER TAG t COMMENT = 'd'")
    assert allowed(account) is None


def test_setting_a_tag_needs_apply_on_it_and_ownership_of_the_object(account: Speaker) -> None:
    account.run(
        "CREATE ROLE r", "GRANT ROLE r TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE r",
        "GRANT USAGE, CREATE TABLE ON SCHEMA d.s TO ROLE r", "CREATE TAG t", "CREATE TABLE mine (a INT)",
    )  # fmt: skip
    other = speaker(account.engine, "R")
    other.run("CREATE TABLE d.s.x (a INT)")
    assert other.refused("ALTER TABLE d.s.x SET TAG d.s.t = 'v'").errno == 2003
    account.run("GRANT APPLY ON TAG t TO ROLE r", "GRANT SELECT ON TABLE mine TO ROLE r")
    other.run("ALTER TABLE d.s.x SET TAG d.s.t = 'v'")
    assert other.refused("ALTER TABLE d.s.mine SET TAG d.s.t = 'v'").errno == 3001


def worth(account: Speaker, name: str, domain: str, tag: str = "t") -> str | None:
    (row,) = account.result(f"SELECT SYSTEM$GET_TAG('{tag}', '{name}', '{domain}')").rows
    return None if row[0] is None else str(row[0])


def test_a_value_is_found_where_it_was_set_and_inherited_below(account: Speaker) -> None:
    account.run(
        "CREATE TAG t", "CREATE TABLE x (a INT, b INT)", "CREATE PROCEDURE p(a INT) RETURNS INT LANGUAGE SQL AS 'x'",
        "CREATE WAREHOUSE w WITH TAG (t = 'compute')", "CREATE TASK k AS SELECT 1",
    )  # fmt: skip
    assert worth(account, "x", "table") is None
    account.run("ALTER SCHEMA d.s SET TAG t = 'schema'", "ALTER TABLE x MODIFY COLUMN a SET TAG t = 'column'")
    account.run("ALTER PROCEDURE p(NUMBER) SET TAG t = 'procedure'", "ALTER TASK k SET TAG t = 'task'")
    assert worth(account, "x", "table") == "schema"
    assert worth(account, "x.a", "column") == "column"
    assert worth(account, "d.s.x.b", "COLUMN") == "schema"
    assert worth(account, "p(NUMBER)", "procedure") == "procedure"
    assert worth(account, "k", "task") == "task"
    assert worth(account, "w", "warehouse") == "compute"
    assert worth(account, "d", "database") is None
    account.run("ALTER SCHEMA d.s UNSET TAG t")
    assert worth(account, "x", "table") is None
    assert account.refused("SELECT SYSTEM$GET_TAG('t', 'x', 'planet')").errno == 1422
    assert account.refused("SELECT SYSTEM$GET_TAG('nothing', 'x', 'table')").errno == 2003
    assert account.refused("SELECT SYSTEM$GET_TAG('t', 'x.z', 'column')").errno == 904


def test_assignments_follow_a_tag_that_is_renamed_moved_or_brought_back(account: Speaker) -> None:
    account.run("CREATE TAG t", "CREATE WAREHOUSE w", "ALTER WAREHOUSE w SET TAG t = 'v'", "ALTER TAG t RENAME TO u")
    assert worth(account, "w", "warehouse", "u") == "v"
    account.run("ALTER SCHEMA d.s RENAME TO d.z", "ALTER DATABASE d RENAME TO e")
    assert worth(account, "w", "warehouse", "e.z.u") == "v"
    account.run("DROP TAG e.z.u", "UNDROP TAG e.z.u")
    assert worth(account, "w", "warehouse", "e.z.u") == "v"
    account.run("CREATE OR REPLACE TAG e.z.u")
    assert worth(account, "w", "warehouse", "e.z.u") is None
