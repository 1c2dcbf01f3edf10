"""CREATE modes, SHOW filters, DROP and UNDROP, parameters, persistence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.engine import CatalogEngine, show
from pinky_local.engine.specs import TYPES


def names(account: Speaker, sql: str) -> list[str]:
    return [str(row["name"]) for row in account.run(sql)]


def test_create_modes() -> None:
    account = speaker()
    account.run("CREATE WAREHOUSE w COMMENT = 'one' AUTO_SUSPEND = 60")
    assert account.refused("CREATE WAREHOUSE w").errno == 2002
    account.run("CREATE WAREHOUSE IF NOT EXISTS w COMMENT = 'two'")
    assert account.one("SHOW WAREHOUSES LIKE 'W'")["comment"] == "one"
    account.run("CREATE OR ALTER WAREHOUSE w AUTO_RESUME = FALSE")
    row = account.one("SHOW WAREHOUSES LIKE 'w'")
    assert (row["comment"], row["auto_suspend"], row["auto_resume"]) == ("", 600, "false")
    account.run("CREATE OR REPLACE WAREHOUSE w COMMENT = 'three'")
    assert account.one("SHOW WAREHOUSES LIKE 'w'")["comment"] == "three"
    assert account.refused("CREATE OR REPLACE WAREHOUSE IF NOT EXISTS w").errno == 1003


def test_replacing_drops_grants_unless_they_are_copied() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "GRANT SELECT ON TABLE t TO ROLE sysadmin")
    account.run("CREATE OR REPLACE TABLE t (a INT) COPY GRANTS")
    assert "SELECT" in {row["privilege"] for row in account.run("SHOW GRANTS ON TABLE t")}
    account.run("CREATE OR REPLACE TABLE t (a INT)")
    assert {row["privilege"] for row in account.run("SHOW GRANTS ON TABLE t")} == {"OWNERSHIP"}


def test_tables_and_views_share_a_name_space() -> None:
    account = in_schema()
    account.run("CREATE TABLE x (a INT)")
    assert account.refused("CREATE VIEW x (a) AS SELECT a FROM x").errno == 1998


def test_warehouse_rules_between_properties() -> None:
    account = speaker()
    assert "MAX_CLUSTER_COUNT" in account.refused("CREATE WAREHOUSE w MIN_CLUSTER_COUNT = 2").message
    account.run("CREATE WAREHOUSE w MIN_CLUSTER_COUNT = 2 MAX_CLUSTER_COUNT = 3 INITIALLY_SUSPENDED = TRUE")
    assert account.refused("ALTER WAREHOUSE w UNSET MAX_CLUSTER_COUNT").errno == 2145
    row = account.one("SHOW WAREHOUSES LIKE 'w'")
    assert (row["state"], row["size"], row["max_cluster_count"]) == ("SUSPENDED", "X-Small", 3)
    account.run("ALTER WAREHOUSE w RESUME")
    assert account.refused("ALTER WAREHOUSE w RESUME").errno == 90063
    account.run("ALTER WAREHOUSE w RESUME IF SUSPENDED", "ALTER WAREHOUSE w SET WAREHOUSE_SIZE = '2X-LARGE'")
    assert account.one("SHOW WAREHOUSES LIKE 'w'")["size"] == "2X-Large"


def test_show_filters() -> None:
    account = in_schema()
    account.run(*(f"CREATE TABLE {name} (a INT)" for name in ("apple", "avocado", "banana", '"anis"')))
    assert names(account, "SHOW TABLES LIKE 'a%' IN SCHEMA d.s") == ["APPLE", "AVOCADO", "anis"]
    assert names(account, "SHOW TABLES IN d.s STARTS WITH 'A'") == ["APPLE", "AVOCADO"]
    assert names(account, "SHOW TABLES IN SCHEMA d.s LIMIT 2") == ["APPLE", "AVOCADO"]
    assert names(account, "SHOW TABLES IN SCHEMA d.s LIMIT 2 FROM 'AVOCADO'") == ["BANANA", "anis"]
    assert names(account, "SHOW TABLES LIKE '_nis' IN DATABASE d") == ["anis"]
    account.run("CREATE TABLE d.public.cherry (a INT)")
    assert "CHERRY" not in names(account, "SHOW TABLES IN SCHEMA d.s")
    assert "CHERRY" in names(account, "SHOW TABLES IN ACCOUNT")
    assert list(account.run("SHOW TERSE TABLES LIKE 'apple'")[0]) == [
        "created_on", "name", "kind", "database_name", "schema_name",
    ]  # fmt: skip


def test_more_rows_than_the_ceiling_are_an_error_or_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "CEILING", 3)
    account = in_schema()
    account.run(*(f"CREATE TABLE t{number} (a INT)" for number in range(4)))
    account.run(*(f"CREATE STAGE st{number}" for number in range(4)))
    assert account.refused("SHOW TABLES IN SCHEMA d.s").errno == 90153
    assert len(account.run("SHOW TABLES IN SCHEMA d.s LIMIT 3")) == 3
    assert names(account, "SHOW STAGES IN SCHEMA d.s") == ["ST0", "ST1", "ST2"]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_has_a_citation_distinct_columns_and_a_name_column(kind: str) -> None:
    spec = TYPES[kind]
    columns = [column.name for column in spec.show]
    assert spec.citation.startswith("https://docs.snowflake.com/en/sql-reference/sql/")
    assert "name" in columns
    assert len(columns) == len(set(columns))
    assert len({prop.name for prop in spec.properties}) == len(spec.properties)


def test_drop_and_undrop_bring_back_what_was_inside() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "GRANT SELECT ON TABLE t TO ROLE sysadmin", "DROP SCHEMA d.s")
    assert account.session.schema is None
    assert account.refused("DESC TABLE d.s.t").errno == 2003
    (gone,) = [row for row in account.run("SHOW SCHEMAS HISTORY IN DATABASE d") if row["name"] == "S"]
    assert gone["dropped_on"] is not None
    account.run("UNDROP SCHEMA d.s")
    assert "SELECT" in {row["privilege"] for row in account.run("SHOW GRANTS ON TABLE d.s.t")}
    assert account.refused("UNDROP SCHEMA d.s").errno == 2002
    account.run("DROP TABLE d.s.t", "CREATE TABLE d.s.t (b INT)", "DROP TABLE d.s.t", "UNDROP TABLE d.s.t")
    assert account.one("DESC TABLE d.s.t")["name"] == "B"
    account.run("ALTER TABLE d.s.t RENAME TO d.s.t2", "UNDROP TABLE d.s.t")
    assert account.one("DESC TABLE d.s.t")["name"] == "A"
    assert account.refused("UNDROP TABLE d.s.nosuch").errno == 2003


def test_drop_if_exists_is_quiet_and_restrict_is_not() -> None:
    account = in_schema()
    assert "already dropped" in account.one("DROP TABLE IF EXISTS nosuch")["status"]
    assert account.refused("DROP TABLE nosuch").errno == 2003
    account.run("CREATE TABLE p (a INT PRIMARY KEY)", "CREATE TABLE c (a INT REFERENCES p)")
    assert account.refused("DROP TABLE p RESTRICT").errno == 3539
    account.run("DROP TABLE p CASCADE")
    assert account.refused("DROP ROLE accountadmin").errno == 3001


def test_parameters_come_from_the_nearest_level() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)")

    def seen() -> tuple[str, str]:
        row = account.one("SHOW PARAMETERS LIKE 'DATA_RETENTION%' IN TABLE t")
        return row["value"], row["level"]

    assert seen() == ("1", "")
    for value, (sql, level) in enumerate(
        [
            ("ALTER ACCOUNT SET DATA_RETENTION_TIME_IN_DAYS = {}", "ACCOUNT"),
            ("ALTER DATABASE d SET DATA_RETENTION_TIME_IN_DAYS = {}", "DATABASE"),
            ("ALTER SCHEMA d.s SET DATA_RETENTION_TIME_IN_DAYS = {}", "SCHEMA"),
            ("ALTER TABLE t SET DATA_RETENTION_TIME_IN_DAYS = {}", "TABLE"),
        ],
        start=2,
    ):
        account.run(sql.format(value))
        assert seen() == (str(value), level)
    assert account.one("SHOW TABLES")["retention_time"] == "5"
    account.run("ALTER TABLE t UNSET DATA_RETENTION_TIME_IN_DAYS")
    assert seen() == ("4", "SCHEMA")
    account.run("ALTER SESSION SET QUERY_TAG = 'x'")
    row = account.one("SHOW PARAMETERS LIKE 'query_tag'")
    assert (row["value"], row["default"], row["level"], row["type"]) == ("x", "", "SESSION", "STRING")


def test_renaming_a_container_keeps_what_is_inside_and_its_grants() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "GRANT SELECT ON TABLE t TO ROLE sysadmin", "ALTER DATABASE d RENAME TO e")
    assert (account.session.database, account.session.schema) == ("E", "S")
    assert "E.S.T" in {row["name"] for row in account.run("SHOW GRANTS TO ROLE sysadmin")}
    account.run("CREATE SCHEMA e.z", "ALTER TABLE e.s.t RENAME TO e.z.u")
    assert names(account, "SHOW TABLES IN SCHEMA e.z") == ["U"]
    assert account.refused("ALTER SCHEMA e.z RENAME TO e.s").errno == 2002


def test_comment_on_objects_and_columns() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT)", "COMMENT ON TABLE t IS 'x'", "COMMENT ON COLUMN t.a IS 'y'")
    assert account.one("SHOW TABLES")["comment"] == "x"
    assert account.one("DESC TABLE t")["comment"] == "y"
    account.run("COMMENT IF EXISTS ON SCHEMA nosuch IS 'x'")
    assert account.refused("COMMENT ON SCHEMA nosuch IS 'x'").errno == 2003


def test_an_account_in_a_folder_outlives_the_engine(tmp_path: Path) -> None:
    account = speaker(CatalogEngine(tmp_path))
    account.run(
        "CREATE DATABASE d COMMENT = 'kept'",
        "CREATE ROLE r",
        "GRANT ROLE r TO ROLE sysadmin",
        "GRANT SELECT ON FUTURE TABLES IN DATABASE d TO ROLE r",
        "CREATE TABLE d.public.t (a INT IDENTITY (5, 2), b VARCHAR NOT NULL, PRIMARY KEY (b)) CLUSTER BY (b)",
        "CREATE SECRET d.public.s TYPE = PASSWORD USERNAME = 'u' PASSWORD = 'hunter2'",
    )
    questions = (
        "SHOW DATABASES",
        "DESC TABLE d.public.t",
        "SHOW PRIMARY KEYS IN DATABASE d",
        "SHOW GRANTS TO ROLE r",
        "SHOW GRANTS TO ROLE sysadmin",
        "SHOW FUTURE GRANTS IN DATABASE d",
        "DESC SECRET d.public.s",
    )
    before = {sql: account.run(sql) for sql in questions}
    again = speaker(CatalogEngine(tmp_path))
    again.run("USE DATABASE d")
    for sql, rows in before.items():
        assert again.run(sql) == rows
    assert "hunter2" not in (tmp_path / "catalog.json").read_text()
    content = json.loads((tmp_path / "catalog.json").read_text())
    (tmp_path / "catalog.json").write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(ValueError, match="format 99"):
        CatalogEngine(tmp_path)


def test_users_log_in_by_login_name_with_roles_they_hold() -> None:
    account = speaker()
    account.run("CREATE USER bob LOGIN_NAME = 'Bob@x' DEFAULT_ROLE = r", "CREATE ROLE r", "GRANT ROLE r TO USER bob")
    session = account.engine.login("bob@X", {}, {})
    assert (session.user, session.role) == ("BOB", "R")
    with pytest.raises(Exception, match="390189"):
        account.engine.login("bob@x", {"role": "accountadmin"}, {})
    with pytest.raises(Exception, match="390100"):
        account.engine.login("nobody", {}, {})
    account.run("ALTER USER bob SET DISABLED = TRUE")
    with pytest.raises(Exception, match="390101"):
        account.engine.login("bob@x", {}, {})


def test_a_refused_statement_changes_nothing() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT, b VARCHAR(10))")
    before = account.run("DESC TABLE t")
    assert account.refused("ALTER TABLE t ALTER a COMMENT 'x', b TYPE VARCHAR(5)").errno == 2023
    assert account.refused("ALTER TABLE t ADD COLUMN c INT, a INT").errno == 1430
    assert account.refused("CREATE OR ALTER TABLE t (a INT COMMENT 'x', b NUMBER)").errno == 2023
    assert account.run("DESC TABLE t") == before
