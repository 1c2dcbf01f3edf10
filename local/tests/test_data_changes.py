from __future__ import annotations

import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
from data_account import Account
from pinky_local.types import Bind, SqlError, TableColumn


@pytest.fixture
def account() -> Account:
    made = Account()
    made.table(
        "T",
        TableColumn("A", "NUMBER(38,0)", nullable=False),
        TableColumn("B", "VARCHAR(3)"),
        TableColumn("C", "NUMBER(10,2)", default="1.5"),
        TableColumn("ID", "NUMBER(38,0)", identity=(10, 5)),
    )
    made.query("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, DEFAULT)")
    return made


def test_an_insert_fills_defaults_and_identities(account: Account) -> None:
    assert account.rows("SELECT a, b, c, id FROM t ORDER BY a") == [
        (1, "x", 1.5, 10), (2, "y", 1.5, 15), (3, None, 1.5, 20),
    ]  # fmt: skip
    result = account.query("INSERT INTO t (a, c) SELECT 4, 2.345")
    assert (result.columns[0].name, [tuple(row) for row in result.rows]) == ("number of rows inserted", [(1,)])
    assert (result.rows_affected, result.statement_type) == (1, 0x3100)
    assert account.rows("SELECT c, id FROM t WHERE a = 4") == [(Decimal("2.35"), 25)]


@pytest.mark.parametrize(
    ("sql", "errno", "message"),
    [
        ("insert into t (b) values ('q')", 100072, "NULL result in a non-nullable column"),
        ("insert into t (a) values (9), (null)", 100072, "NULL result in a non-nullable column"),
        ("insert into t (a, b) values (9, 'long')", 100078, "String 'long' is too long and would be truncated"),
        ("insert into t (a) values ('nine')", 100038, "Numeric value 'nine' is not recognized"),
        ("insert into t (a, c) values (9, 123456789)", 100039, "Numeric value '123456789' is out of range"),
        ("insert into t (a, b) values (9)", 2020, "expecting 2 but got 1"),
        ("insert into t (a, nosuch) values (9, 9)", 904, "invalid identifier 'NOSUCH'"),
        ("insert into t (a, a) values (9, 9)", 2025, "duplicate column name"),
        ("insert into t (a) values (parse_json('1'))", 2014, "Invalid expression [PARSE_JSON('1')] in VALUES clause"),
        ("update t set a = null where a = 2", 100072, "NULL result in a non-nullable column"),
        ("update t set b = 'long'", 100078, "String 'long' is too long"),
        ("update t set c = 1 / (a - 2)", 100051, "Division by zero"),
    ],
)
def test_a_refused_change_changes_nothing(account: Account, sql: str, errno: int, message: str) -> None:
    before = account.rows("SELECT * FROM t ORDER BY a")
    with pytest.raises(SqlError) as refused:
        account.query(sql)
    assert refused.value.errno == errno
    assert message in refused.value.message
    assert account.rows("SELECT * FROM t ORDER BY a") == before


def test_an_update_counts_rows_joined_several_times(account: Account) -> None:
    result = account.query(
        "UPDATE t SET b = s.n, c = DEFAULT FROM (SELECT 1 k, 'p' n UNION ALL SELECT 1, 'p') s WHERE t.a = s.k"
    )
    assert [tuple(row) for row in result.rows] == [(1, 1)]
    assert (result.rows_affected, result.statement_type) == (1, 0x3200)
    assert [c.name for c in result.columns] == ["number of rows updated", "number of multi-joined rows updated"]
    assert account.rows("SELECT b FROM t WHERE a = 1") == [("p",)]


def test_an_update_reads_the_values_from_before(account: Account) -> None:
    account.query("UPDATE t x SET x.a = x.a + 1, c = a")
    assert account.rows("SELECT a, c FROM t ORDER BY a") == [(2, 1), (3, 2), (4, 3)]


def test_a_delete_may_use_other_sources(account: Account) -> None:
    result = account.query("DELETE FROM t USING (SELECT 2 k UNION ALL SELECT 2) s WHERE t.a = s.k")
    assert ([tuple(row) for row in result.rows], result.statement_type) == ([(1,)], 0x3300)
    assert account.rows("SELECT a FROM t ORDER BY a") == [(1,), (3,)]


def test_a_merge_updates_deletes_and_inserts_by_the_first_clause_that_applies(account: Account) -> None:
    result = account.query(
        """MERGE INTO t
           USING (SELECT column1 k, column2 n FROM VALUES (1, 'p'), (2, 'del'), (8, 'new'), (9, 'no')) s ON t.a = s.k
           WHEN MATCHED AND s.n = 'del' THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.n
           WHEN NOT MATCHED AND s.n <> 'no' THEN INSERT (a, b) VALUES (s.k, s.n)"""
    )
    assert [c.name for c in result.columns] == [
        "number of rows inserted",
        "number of rows updated",
        "number of rows deleted",
    ]
    assert ([tuple(row) for row in result.rows], result.rows_affected, result.statement_type) == (
        [(1, 1, 1)],
        3,
        0x3400,
    )
    assert account.rows("SELECT a, b, c FROM t ORDER BY a") == [(1, "p", 1.5), (3, None, 1.5), (8, "new", 1.5)]


def test_a_merge_with_a_row_matched_twice_is_refused_unless_allowed(account: Account) -> None:
    merge = "MERGE INTO t USING (SELECT 1 k UNION ALL SELECT 1) s ON t.a = s.k WHEN MATCHED THEN UPDATE SET b = 'm'"
    with pytest.raises(SqlError) as refused:
        account.query(merge)
    assert refused.value.errno == 100090
    account.session.parameters["ERROR_ON_NONDETERMINISTIC_MERGE"] = False
    assert [tuple(row) for row in account.query(merge).rows] == [(1,)]


def test_insert_overwrite_replaces_all_rows_and_may_read_the_table(account: Account) -> None:
    assert account.rows("INSERT OVERWRITE INTO t (a) SELECT a + 100 FROM t WHERE a < 3") == [(2,)]
    assert account.rows("SELECT a FROM t ORDER BY a") == [(101,), (102,)]


def test_truncate_empties_and_if_exists_forgives(account: Account) -> None:
    account.query("TRUNCATE TABLE t")
    assert account.plane.row_count(("DB", "S", "T")) == 0
    assert account.rows("TRUNCATE TABLE IF EXISTS nosuch") == [("Statement executed successfully.",)]
    with pytest.raises(SqlError, match="does not exist"):
        account.query("TRUNCATE TABLE nosuch")


def test_values_are_bound_in_the_order_of_the_text(account: Account) -> None:
    account.query("INSERT INTO t (a, b) VALUES (71, 'old')")
    change = "UPDATE t SET b = ? FROM (SELECT a AS k FROM t WHERE b = ?) s WHERE t.a = s.k AND t.a < ?"
    account.query(change, Bind("TEXT", "new"), Bind("TEXT", "old"), Bind("FIXED", "99"))
    assert account.rows("SELECT a FROM t WHERE b = 'new'") == [(71,)]


def test_array_binds_insert_a_row_for_each(account: Account) -> None:
    result = account.query("INSERT INTO t (a, b) VALUES (?, ?)", Bind("FIXED", ["7", "8"]), Bind("TEXT", ["p", None]))
    assert [tuple(row) for row in result.rows] == [(2,)]
    assert account.rows("SELECT a, b FROM t WHERE a > 5 ORDER BY a") == [(7, "p"), (8, None)]


def test_a_transaction_is_its_own_until_committed(account: Account) -> None:
    other = account.new_session(2)
    account.query("BEGIN")
    account.query("INSERT INTO t (a) VALUES (50)")
    assert account.rows("SELECT count(*) FROM t WHERE a = 50", session=other) == [(0,)]
    account.query("COMMIT")
    assert account.rows("SELECT count(*) FROM t WHERE a = 50", session=other) == [(1,)]
    account.query("START TRANSACTION")
    account.query("DELETE FROM t")
    account.query("ROLLBACK")
    assert account.one("count(*) from t") == 4


def test_without_autocommit_a_change_opens_a_transaction(account: Account) -> None:
    other = account.new_session(2)
    account.session.parameters["AUTOCOMMIT"] = False
    account.query("DELETE FROM t WHERE a = 1")
    assert account.rows("SELECT count(*) FROM t", session=other) == [(3,)]
    account.query("COMMIT")
    assert account.rows("SELECT count(*) FROM t", session=other) == [(2,)]


def test_a_failed_statement_undoes_only_itself(account: Account) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t (a, b) VALUES (50, 'in')")
    account.query("UPDATE t SET b = 'up' WHERE a = 1")
    identity = account.one("id from t where a = 50")
    for failing in ("INSERT INTO t (a) VALUES (NULL)", "SELECT 1/0 FROM t"):
        with pytest.raises(SqlError):
            account.query(failing)
    assert account.rows("SELECT b, id FROM t WHERE a = 50") == [("in", identity)]
    account.query("COMMIT")
    assert account.rows("SELECT a, b FROM t WHERE a IN (1, 50) ORDER BY a") == [(1, "up"), (50, "in")]


def test_a_failure_keeps_the_random_values_of_its_transaction(account: Account) -> None:
    account.query("BEGIN")
    account.query("UPDATE t SET c = uniform(1, 100, random())")
    before = account.rows("SELECT c FROM t ORDER BY a")
    with pytest.raises(SqlError):
        account.query("INSERT INTO t (a) VALUES (NULL)")
    assert account.rows("SELECT c FROM t ORDER BY a") == before
    account.query("COMMIT")
    assert account.rows("SELECT c FROM t ORDER BY a") == before


def test_cancelling_interrupts_a_running_query(account: Account) -> None:
    timer = threading.Timer(0.2, account.session.cancelled.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(SqlError) as refused:
        account.query(
            "SELECT count(*) FROM TABLE(GENERATOR(ROWCOUNT => 3000000)) x, TABLE(GENERATOR(ROWCOUNT => 3000000)) y"
        )
    assert (refused.value.errno, refused.value.sqlstate) == (604, "57014")
    assert time.monotonic() - started < 10
    account.session.cancelled.clear()
    assert account.one("1") == 1


def test_every_change_of_rows_passes_the_listener(account: Account) -> None:
    heard: list[tuple[str, str, int]] = []
    account.plane.listener = lambda change, result: heard.append(
        (change.verb, change.target.relation.name[2], result.rows_affected or 0)
    )
    account.query("INSERT INTO t (a) VALUES (5)")
    account.query("UPDATE t SET b = 'z' WHERE a > 2")
    account.query("DELETE FROM t WHERE a = 1")
    account.query("MERGE INTO t USING (SELECT 2 k) s ON t.a = s.k WHEN MATCHED THEN DELETE")
    account.plane.insert_rows(("DB", "S", "T"), ["A"], [(6,)])
    assert heard == [("INSERT", "T", 1), ("UPDATE", "T", 2), ("DELETE", "T", 1), ("MERGE", "T", 1), ("INSERT", "T", 1)]


def test_sessions_write_at_the_same_time(account: Account) -> None:
    sessions = [account.new_session(number) for number in range(10, 14)]
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            for i in range(10):
                account.query(f"INSERT INTO t (a, b) VALUES ({i}, 'w')", session=sessions[number])
                account.query("UPDATE t SET c = c + 1 WHERE a = 1", session=sessions[number])
        except SqlError as problem:
            failures.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert account.one("count(*) from t where b = 'w'") == 40
    assert account.one("c from t where b = 'x'") == 41.5


def test_rows_survive_in_a_folder(tmp_path: Path) -> None:
    first = Account(tmp_path)
    name = first.table("T", TableColumn("A", "NUMBER(38,0)"), TableColumn("ID", "NUMBER(38,0)", identity=(1, 1)))
    gone = first.table("GONE", ("X", "VARCHAR"))
    first.query("INSERT INTO t (a) VALUES (5)")
    first.query("INSERT INTO gone VALUES ('kept')")
    first.plane.rename_column(name, "A", "Z")
    token = first.plane.drop(gone)
    first.plane.close()
    again = Account(tmp_path)
    again.catalog.relations |= first.catalog.relations
    again.plane.restore(gone, token)
    assert again.rows("SELECT x FROM gone") == [("kept",)]
    again.query("INSERT INTO t (z) VALUES (6)")
    assert again.rows("SELECT z, id FROM t ORDER BY z") == [(5, 1), (6, 2)]
    again.plane.close()
