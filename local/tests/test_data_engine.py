"""The data plane under the real catalog."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine
from pinky_local.types import SqlError


class Client:
    """Statements of one session on a catalog with rows."""

    def __init__(self, folder: Path | None = None) -> None:
        self.data = DuckDataPlane(folder)
        self.engine = CatalogEngine(folder, self.data)
        wanted = {"database": None, "schema": None, "warehouse": "COMPUTE_WH", "role": None}
        self.session = self.engine.login("PINKY", wanted, {})
        self.count = 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        self.count += 1
        result = self.engine.execute(sql, self.session, (), query_id=f"query-{self.count}")
        return [tuple(row) for row in result.rows]


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    made.rows("CREATE DATABASE d")
    made.rows("CREATE SCHEMA d.s")
    made.rows(
        "CREATE TABLE t (a INT NOT NULL, b VARCHAR(5) DEFAULT 'x', id INT AUTOINCREMENT START 1 INCREMENT 1, v VARIANT)"
    )
    made.rows("""INSERT INTO t (a, v) SELECT 1, PARSE_JSON('{"k":[7]}')""")
    yield made
    made.data.close()


def test_rows_follow_what_the_catalog_does(client: Client) -> None:
    client.rows("CREATE VIEW w AS SELECT a, v:k[0]::int AS k FROM t")
    assert client.rows("SELECT * FROM w") == [(1, 7)]
    client.rows("CREATE TABLE c AS SELECT a, b, a / 3 AS third FROM t")
    assert client.rows("SELECT * FROM c") == [(1, "x", Decimal("0.333333"))]
    client.rows("ALTER TABLE t ADD COLUMN z NUMBER(5,2) DEFAULT 1.5")
    client.rows("ALTER TABLE t RENAME COLUMN z TO zz")
    assert client.rows("SELECT zz FROM t") == [(Decimal("1.50"),)]
    client.rows("ALTER TABLE t SWAP WITH c")
    assert client.rows("SELECT b FROM t WHERE third > 0") == [("x",)]
    client.rows("DROP TABLE c")
    with pytest.raises(SqlError, match="does not exist"):
        client.rows("SELECT 1 FROM c")
    client.rows("UNDROP TABLE c")
    assert client.rows("SELECT id, zz FROM c") == [(1, Decimal("1.50"))]
    client.rows("CREATE OR REPLACE TABLE t CLONE c")
    listed = client.rows(
        "SELECT table_name FROM d.information_schema.tables WHERE table_type = 'BASE TABLE' ORDER BY 1"
    )
    assert listed == [("C",), ("T",)]


def test_not_null_of_the_catalog_holds_for_rows(client: Client) -> None:
    client.rows("ALTER TABLE t ALTER COLUMN b SET NOT NULL")
    with pytest.raises(SqlError) as refused:
        client.rows("INSERT INTO t (a, b) VALUES (1, NULL)")
    assert refused.value.errno == 100072


def test_an_earlier_result_is_a_table(client: Client) -> None:
    client.rows("SELECT a, b FROM t")
    assert client.rows("SELECT b FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == [("x",)]


def test_a_transaction_is_undone(client: Client) -> None:
    client.rows("BEGIN")
    client.rows("INSERT INTO t (a) VALUES (7)")
    assert client.rows("SELECT count(*) FROM t") == [(2,)]
    client.rows("ROLLBACK")
    assert client.rows("SELECT count(*) FROM t") == [(1,)]


def test_rows_and_catalog_come_back_from_a_folder(tmp_path: Path) -> None:
    first = Client(tmp_path)
    for sql in ("CREATE DATABASE d", "CREATE SCHEMA d.s", "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (5)"):
        first.rows(sql)
    first.data.close()
    again = Client(tmp_path)
    assert again.rows("SELECT a FROM d.s.t") == [(5,)]
    again.data.close()
