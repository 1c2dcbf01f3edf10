"""Tables and views: columns, keys, clustering, what DESCRIBE and SHOW say of them, and their rows."""

from __future__ import annotations

import json

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.engine import CatalogEngine

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")
from pinky_local.data import DuckDataPlane


@pytest.fixture
def rows() -> Speaker:
    """A session in D.S of an account with rows."""
    made = speaker(CatalogEngine(data=DuckDataPlane()))
    made.run("CREATE DATABASE d", "CREATE SCHEMA s")
    return made


def test_columns_are_described_as_snowflake_shows_them() -> None:
    account = in_schema()
    account.run(
        "CREATE TABLE t (id INT IDENTITY START 5 INCREMENT 2 ORDER, "
        "n NUMBER(10, 2) DEFAULT 1.5 NOT NULL COMMENT 'money', "
        "v VARCHAR(5) COLLATE 'en-ci' DEFAULT 'it''s', at TIMESTAMP_LTZ DEFAULT current_timestamp, "
        "twice NUMBER AS (n * 2), CONSTRAINT pk PRIMARY KEY (id), UNIQUE (v))"
    )
    found = {row["name"]: row for row in account.run("DESC TABLE t")}
    assert found["ID"]["default"] == "IDENTITY START 5 INCREMENT 2 ORDER"
    assert (found["ID"]["null?"], found["ID"]["primary key"]) == ("N", "Y")
    assert (found["N"]["type"], found["N"]["default"], found["N"]["comment"]) == ("NUMBER(10,2)", "1.5", "money")
    assert (found["V"]["type"], found["V"]["default"]) == ("VARCHAR(5) COLLATE 'en-ci'", "'it''s'")
    assert found["V"]["unique key"] == "Y"
    assert found["AT"]["default"] == "CURRENT_TIMESTAMP()"
    assert (found["TWICE"]["kind"], found["TWICE"]["expression"]) == ("VIRTUAL", "n * 2")
    shown = {row["column_name"]: row for row in account.run("SHOW COLUMNS IN TABLE t")}
    assert json.loads(shown["N"]["data_type"]) == {"type": "FIXED", "precision": 10, "scale": 2, "nullable": False}
    assert shown["ID"]["autoincrement"] == "IDENTITY START 5 INCREMENT 2 ORDER"


def test_keys_are_listed_with_their_order() -> None:
    account = in_schema()
    account.run(
        "CREATE TABLE p (a INT, b INT, CONSTRAINT pk PRIMARY KEY (b, a) RELY)",
        "CREATE TABLE c (x INT, y INT, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES p (b, a) ON DELETE CASCADE)",
    )
    keys = account.run("SHOW PRIMARY KEYS IN SCHEMA d.s")
    assert [(k["column_name"], k["key_sequence"], k["rely"]) for k in keys] == [("B", 1, "true"), ("A", 2, "true")]
    imported = account.run("SHOW IMPORTED KEYS IN TABLE c")
    assert [
        (k["pk_column_name"], k["fk_column_name"], k["delete_rule"], k["fk_name"], k["pk_name"]) for k in imported
    ] == [
        ("B", "X", "CASCADE", "FK", "PK"),
        ("A", "Y", "CASCADE", "FK", "PK"),
    ]
    assert len(account.run("SHOW EXPORTED KEYS IN TABLE p")) == 2
    assert account.refused("CREATE TABLE z (x INT REFERENCES p (a))").errno == 2270
    account.run("ALTER TABLE c DROP CONSTRAINT fk", "ALTER TABLE p DROP PRIMARY KEY", "ALTER TABLE p ADD UNIQUE (a)")
    assert account.run("SHOW PRIMARY KEYS IN TABLE p") == []
    assert [key["column_name"] for key in account.run("SHOW UNIQUE KEYS IN TABLE p")] == ["A"]


def test_clustering_is_shown_and_follows_a_renamed_column() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT, b DATE) CLUSTER BY (a, YEAR(b))")
    assert account.one("SHOW TABLES")["cluster_by"] == "LINEAR(A, YEAR(B))"
    account.run("ALTER TABLE t RENAME COLUMN b TO c")
    assert account.one("SHOW TABLES")["cluster_by"] == "LINEAR(A, YEAR(C))"
    assert account.refused("ALTER TABLE t DROP COLUMN a").errno == 2274
    assert account.refused("ALTER TABLE t CLUSTER BY (nosuch)").errno == 904
    account.run("ALTER TABLE t DROP CLUSTERING KEY")
    assert account.one("SHOW TABLES")["cluster_by"] == ""


@pytest.mark.parametrize(
    ("change", "errno"),
    [
        ("ALTER a TYPE NUMBER(38, 2)", 2023),
        ("ALTER v TYPE VARCHAR(1)", 2023),
        ("ALTER v TYPE NUMBER", 2023),
        ("ALTER a SET DEFAULT 5", 2),
        ("DROP COLUMN nosuch", 904),
        ("RENAME COLUMN a TO v", 1430),
        ("ADD COLUMN v INT", 1430),
        ("ADD COLUMN n INT NOT NULL", 1408),
        ("ALTER v SET NOT NULL", 1471),
        ("SET NOSUCH = 1", 1420),
        ("ADD ROW ACCESS POLICY p ON (a)", 2),
    ],
)
def test_changes_that_snowflake_refuses(rows: Speaker, change: str, errno: int) -> None:
    rows.run("CREATE TABLE t (a INT, v VARCHAR(5))", "INSERT INTO t VALUES (1, NULL)")
    assert rows.refused(f"ALTER TABLE t {change}").errno == errno
    assert rows.run("SELECT * FROM t") == [{"A": 1, "V": None}]


def test_changes_keep_rows(rows: Speaker) -> None:
    rows.run(
        "CREATE TABLE t (a INT, v VARCHAR(5))",
        "INSERT INTO t VALUES (1, 'x')",
        "ALTER TABLE t ADD COLUMN d INT DEFAULT 7 NOT NULL",
        "ALTER TABLE t ALTER v SET DATA TYPE VARCHAR(50), a SET NOT NULL",
        "ALTER TABLE t RENAME COLUMN v TO w",
        "CREATE OR ALTER TABLE t (a INT NOT NULL, w VARCHAR(60), d INT DEFAULT 7 NOT NULL, e DATE)",
        "ALTER TABLE t RENAME TO u",
    )
    assert rows.run("SELECT * FROM u") == [{"A": 1, "W": "x", "D": 7, "E": None}]
    assert rows.one("SHOW TABLES")["rows"] == 1
    rows.run("CREATE TABLE other AS SELECT w FROM u", "ALTER TABLE u SWAP WITH other")
    assert rows.run("SELECT * FROM u") == [{"W": "x"}]
    rows.run("DROP TABLE u", "UNDROP TABLE u", "CREATE TABLE copy CLONE u", "TRUNCATE TABLE u")
    assert rows.run("SELECT * FROM u") == []
    assert rows.run("SELECT * FROM copy") == [{"W": "x"}]


def test_create_or_alter_adds_columns_only_at_the_end() -> None:
    account = in_schema()
    account.run("CREATE TABLE t (a INT, b INT)")
    assert account.refused("CREATE OR ALTER TABLE t (a INT, c INT, b INT)").errno == 391842
    account.run("CREATE OR ALTER TABLE t (b INT COMMENT 'x', c INT)")
    assert [(row["name"], row["comment"]) for row in account.run("DESC TABLE t")] == [("B", "x"), ("C", None)]


def test_views_know_their_columns_and_read_as_their_owner(rows: Speaker) -> None:
    rows.run(
        "CREATE TABLE t (a INT NOT NULL, b VARCHAR(5))",
        "INSERT INTO t VALUES (1, 'x')",
        "CREATE VIEW v (one COMMENT 'first', two) COMMENT = 'c' AS SELECT a, b FROM t",
        "CREATE ROLE reader",
        "GRANT ROLE reader TO USER pinky",
        "GRANT USAGE ON DATABASE d TO ROLE reader",
        "GRANT USAGE ON SCHEMA d.s TO ROLE reader",
        "GRANT SELECT ON VIEW v TO ROLE reader",
    )
    assert [(row["name"], row["type"], row["comment"]) for row in rows.run("DESC VIEW v")] == [
        ("ONE", "NUMBER(38,0)", "first"),
        ("TWO", "VARCHAR(5)", None),
    ]
    assert rows.one("SHOW VIEWS")["text"].startswith("CREATE VIEW v (one")
    reader = speaker(rows.engine, "READER")
    assert reader.refused("SELECT * FROM d.s.t").errno == 2003
    assert reader.run("SELECT two FROM d.s.v") == [{"TWO": "x"}]
    assert rows.refused("CREATE VIEW w AS SELECT * FROM nosuch").errno == 2003
    rows.run("ALTER VIEW v SET SECURE")
    assert reader.one("SHOW VIEWS IN SCHEMA d.s")["text"] == ""


def test_information_schema_agrees_with_show(rows: Speaker) -> None:
    rows.run("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(7) DEFAULT 'q')", "INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    assert rows.run("SELECT table_name, row_count FROM d.information_schema.tables") == [
        {"TABLE_NAME": "T", "ROW_COUNT": 2}
    ]
    columns = rows.run(
        "SELECT column_name, data_type, character_maximum_length, is_nullable FROM information_schema.columns "
        "ORDER BY ordinal_position"
    )
    assert [tuple(row.values()) for row in columns] == [("A", "NUMBER", None, "NO"), ("B", "TEXT", 7, "YES")]
    assert rows.one("SELECT constraint_type FROM d.information_schema.table_constraints") == {
        "CONSTRAINT_TYPE": "PRIMARY KEY"
    }
    assert rows.refused("SELECT * FROM d.information_schema.nosuch").errno == 2003


def test_queries_need_a_warehouse_and_resume_it(rows: Speaker) -> None:
    rows.run("CREATE TABLE t (a INT)", "ALTER WAREHOUSE compute_wh SUSPEND")
    assert rows.run("SELECT * FROM t") == []
    assert rows.one("SHOW WAREHOUSES")["state"] == "STARTED"
    rows.session.warehouse = None
    assert rows.refused("SELECT * FROM t").errno == 606
    assert rows.refused("SELECT * FROM information_schema.tables").errno == 606
    rows.run("CREATE VIEW v AS SELECT a FROM t", "SHOW TABLES")


def test_get_ddl_can_be_run_again(rows: Speaker) -> None:
    rows.run(
        "CREATE TABLE t (a INT NOT NULL DEFAULT 3 COMMENT 'it''s', b VARCHAR(9), CONSTRAINT pk PRIMARY KEY (a)) "
        "CLUSTER BY (a) COMMENT = 'c'",
        "CREATE VIEW v COMMENT = 'vc' AS SELECT a FROM t",
    )
    before = rows.run("DESC TABLE t"), rows.run("DESC VIEW v"), rows.one("SHOW TABLES")["cluster_by"]
    ddl = [
        rows.one(f"SELECT GET_DDL('{kind}', '{name}') AS ddl")["DDL"] for kind, name in (("TABLE", "t"), ("VIEW", "v"))
    ]
    rows.run("DROP VIEW v", *ddl)
    assert (rows.run("DESC TABLE t"), rows.run("DESC VIEW v"), rows.one("SHOW TABLES")["cluster_by"]) == before
    assert rows.one("SHOW VIEWS")["comment"] == "vc"


def test_a_table_can_be_replaced_from_itself(rows: Speaker) -> None:
    rows.run(
        "CREATE TAG tg",
        "CREATE TABLE t (a INT WITH TAG (tg = 'x'))",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE OR REPLACE TABLE t (a, b) COPY GRANTS COPY TAGS AS SELECT a, a * 2 FROM t",
    )
    assert rows.run("SELECT * FROM t ORDER BY a") == [{"A": 1, "B": 2}, {"A": 2, "B": 4}]
    (table,) = [item for item in rows.engine.account.catalog.objects.values() if item.kind == "table"]
    assert table.columns[0].tags == {"D.S.TG": "x"}


def test_a_failed_create_leaves_the_old_table(rows: Speaker) -> None:
    rows.run("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    assert rows.refused("CREATE OR REPLACE TABLE t AS SELECT 1 / 0 AS x").errno
    assert rows.run("SELECT * FROM t") == [{"A": 1}]
