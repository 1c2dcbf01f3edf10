"""Locks, READ COMMITTED and transaction scopes of the data plane.

https://docs.snowflake.com/en/sql-reference/transactions
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from data_account import Account
from pinky_local.types import SessionContext, SqlError

_PATIENCE = 20  # seconds after which a thread counts as stuck


@pytest.fixture
def account() -> Account:
    made = Account()
    made.table("T", ("A", "NUMBER(38,0)"), ("B", "VARCHAR(20)"))
    made.table("U", ("A", "NUMBER(38,0)"), ("B", "VARCHAR(20)"))
    made.query("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')")
    made.query("INSERT INTO u VALUES (1, 'one')")
    return made


@pytest.fixture
def other(account: Account) -> SessionContext:
    return account.new_session(2)


def run_aside(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run in a thread; the list gets what it returned or raised."""
    outcome: list[object] = []

    def body() -> None:
        try:
            outcome.append(work())
        except SqlError as problem:
            outcome.append(problem)

    thread = threading.Thread(target=body)
    thread.start()
    return thread, outcome


def until_waiting(account: Account, count: int = 1) -> None:
    """Return when so many statements wait for a lock."""
    for _ in range(_PATIENCE * 100):
        if sum(not held for _, _, held in account.plane.locks.snapshot()) == count:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing waits for a lock")


def finished(thread: threading.Thread) -> bool:
    thread.join(_PATIENCE)
    return not thread.is_alive()


def test_a_second_update_waits_and_sees_what_the_first_committed(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("UPDATE t SET b = 'mine' WHERE a = 1")
    thread, outcome = run_aside(lambda: account.rows("UPDATE t SET b = b || '!' WHERE b = 'mine'", session=other))
    until_waiting(account)
    account.query("COMMIT")
    assert finished(thread)
    assert outcome == [[(1, 0)]]
    assert account.rows("SELECT b FROM t WHERE a = 1") == [("mine!",)]
    assert account.plane.locks.snapshot() == []


def test_the_lock_timeout_is_honoured(account: Account, other: SessionContext) -> None:
    other.parameters["LOCK_TIMEOUT"] = 0
    account.query("BEGIN")
    account.query("UPDATE t SET b = 'x' WHERE a = 1")
    merge = "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE"
    overwrite = "INSERT OVERWRITE INTO t SELECT * FROM u"
    for refused in ("UPDATE t SET b = 'y'", "DELETE FROM t", merge, overwrite, "TRUNCATE TABLE t"):
        with pytest.raises(SqlError, match="has locked table 'T'") as caught:
            account.query(refused, session=other)
        assert caught.value.errno == 625
    account.query("INSERT INTO t VALUES (9, 'nine')", session=other)
    account.query("UPDATE u SET b = 'other'", session=other)
    account.query("ROLLBACK")
    account.query("DELETE FROM t WHERE a = 1", session=other)
    assert account.rows("SELECT a FROM t ORDER BY a") == [(2,), (3,), (9,)]


def test_waiting_can_be_cancelled(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("DELETE FROM t WHERE a = 1")
    thread, outcome = run_aside(lambda: account.query("DELETE FROM t", session=other))
    until_waiting(account)
    other.cancelled.set()
    assert finished(thread)
    assert isinstance(outcome[0], SqlError)
    assert outcome[0].errno == 604
    account.query("COMMIT")
    assert account.one("count(*) from t") == 2


def test_a_cancelled_statement_leaves_its_transaction_as_it_was(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'own')")
    account.query("INSERT INTO t VALUES (20, 'foreign')", session=other)
    timer = threading.Timer(0.2, account.session.cancelled.set)
    timer.start()
    with pytest.raises(SqlError) as caught:
        account.query(
            "INSERT INTO u SELECT count(*), 'x' FROM TABLE(GENERATOR(ROWCOUNT => 3000000)) x, "
            "TABLE(GENERATOR(ROWCOUNT => 3000000)) y"
        )
    assert caught.value.errno == 604
    account.session.cancelled.clear()
    assert account.one("count(*) from t where a >= 10") == 2
    account.query("COMMIT")
    assert account.rows("SELECT a FROM t WHERE a >= 10 ORDER BY a", session=other) == [(10,), (20,)]


def test_a_deadlock_aborts_the_last_statement_and_leaves_its_transaction_open(
    account: Account, other: SessionContext
) -> None:
    account.query("BEGIN")
    account.query("UPDATE t SET b = 'first' WHERE a = 1")
    account.query("BEGIN", session=other)
    account.query("UPDATE u SET b = 'second' WHERE a = 1", session=other)
    thread, outcome = run_aside(lambda: account.query("UPDATE u SET b = 'first' WHERE a = 1"))
    until_waiting(account)
    with pytest.raises(SqlError, match="deadlock") as caught:
        account.query("UPDATE t SET b = 'second' WHERE a = 1", session=other)
    assert caught.value.errno == 625
    assert account.plane.in_transaction(other)
    account.query("COMMIT", session=other)
    assert finished(thread)
    assert not isinstance(outcome[0], SqlError)
    account.query("COMMIT")
    assert account.rows("SELECT b FROM t WHERE a = 1 UNION ALL SELECT b FROM u") == [("first",), ("first",)]


def test_two_claimers_never_take_the_same_row(account: Account) -> None:
    account.query("INSERT INTO t SELECT seq4() + 100, 'NEW' FROM TABLE(GENERATOR(ROWCOUNT => 60))")
    claim = (
        "UPDATE t SET b = '{0}' FROM (SELECT a AS k FROM t WHERE b = 'NEW' ORDER BY a LIMIT 7) c WHERE t.a = c.k "
        "AND t.b = 'NEW'"
    )
    claimed: dict[str, list[int]] = {}

    def poller(name: str, number: int) -> None:
        session = account.new_session(number)
        for _ in range(6):
            account.query("BEGIN", session=session)
            account.rows("SELECT count(*) FROM t", session=session)
            result = account.rows(claim.format(name), session=session)
            claimed.setdefault(name, []).append(result[0][0])
            account.query("COMMIT", session=session)

    threads = [run_aside(lambda n=n: poller(f"P{n}", 20 + n)) for n in range(3)]  # type: ignore[misc]
    for thread, outcome in threads:
        assert finished(thread)
        assert outcome == [None]
    assert account.one("count(*) from t where b = 'NEW'") == 0
    held = dict(account.rows("SELECT b, count(*) FROM t WHERE a >= 100 GROUP BY b"))
    assert sum(held.values()) == 60
    assert {name: sum(counts) for name, counts in claimed.items() if sum(counts)} == held


def test_counters_lose_no_update(account: Account) -> None:
    def count(number: int) -> None:
        session = account.new_session(number)
        for _ in range(10):
            account.query("BEGIN", session=session)
            account.query("INSERT INTO u VALUES (0, 'log')", session=session)
            account.query("UPDATE t SET a = a + 1 WHERE b = 'one'", session=session)
            account.query("COMMIT", session=session)

    threads = [run_aside(lambda n=n: count(30 + n)) for n in range(3)]  # type: ignore[misc]
    for thread, outcome in threads:
        assert finished(thread)
        assert outcome == [None]
    assert account.rows("SELECT a FROM t WHERE b = 'one'") == [(31,)]
    assert account.one("count(*) from u where b = 'log'") == 30


def test_each_statement_sees_what_was_committed_before_it(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'own')")
    account.query("UPDATE t SET b = 'changed' WHERE a = 2")
    account.query("DELETE FROM t WHERE a = 3")
    account.query("INSERT INTO t VALUES (20, 'foreign')", session=other)
    account.query("UPDATE u SET b = 'foreign'", session=other)
    expected = [(1, "one"), (2, "changed"), (10, "own"), (20, "foreign")]
    assert account.rows("SELECT a, b FROM t ORDER BY a") == expected
    assert account.rows("SELECT b FROM u") == [("foreign",)]
    account.query("UPDATE t SET b = b || '+' WHERE a IN (10, 20)")
    account.query("INSERT INTO u VALUES (5, 'more')", session=other)
    with pytest.raises(SqlError):
        account.query("SELECT 1 / 0 FROM t")
    account.query("COMMIT")
    expected = [(1, "one"), (2, "changed"), (10, "own+"), (20, "foreign+")]
    assert account.rows("SELECT a, b FROM t ORDER BY a", session=other) == expected


def test_a_rollback_after_others_committed_leaves_nothing(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("DELETE FROM t WHERE a < 3")
    account.query("INSERT INTO t VALUES (20, 'foreign')", session=other)
    assert account.one("count(*) from t") == 2
    account.query("ROLLBACK")
    assert account.one("count(*) from t") == 4


def test_a_transaction_survives_a_table_that_is_altered_meanwhile(account: Account) -> None:
    from pinky_local.types import TableColumn

    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'own')")
    account.query("UPDATE t SET b = 'changed' WHERE a = 1")
    account.plane.add_column(("DB", "S", "T"), TableColumn("C", "NUMBER(38,0)", default="7"))
    account.query("COMMIT")
    assert account.rows("SELECT a, b FROM t WHERE a IN (1, 10) ORDER BY a") == [(1, "changed"), (10, "own")]


def test_every_type_survives_being_put_back(account: Account, other: SessionContext) -> None:
    kinds = {
        "N": ("NUMBER(38,5)", "12345.67891"),
        "F": ("FLOAT", "0.1"),
        "D": ("DATE", "'2024-02-29'::date"),
        "M": ("TIME", "'12:34:56.789'::time"),
        "X": ("BINARY", "to_binary('AB01', 'HEX')"),
        "O": ("BOOLEAN", "true"),
        "P": ("TIMESTAMP_NTZ", "'2024-01-02 03:04:05.678'::timestamp_ntz"),
        "L": ("TIMESTAMP_LTZ", "'2024-01-02 03:04:05 +02:00'::timestamp_ltz"),
        "Z": ("TIMESTAMP_TZ", "'2024-01-02 03:04:05 +02:00'::timestamp_tz"),
        "V": ("VARIANT", "parse_json('{\"a\": [1]}')"),
        "W": ("ARRAY", "array_construct(1, 'x')"),
        "J": ("OBJECT", "object_construct('k', 1)"),
    }
    account.table("K", *((name, kind) for name, (kind, _) in kinds.items()))
    values = ", ".join(value for _, value in kinds.values())
    account.query(f"INSERT INTO k SELECT {values}")
    before = account.rows("SELECT * FROM k")
    account.query("BEGIN")
    account.query("UPDATE k SET n = n")
    account.query(f"INSERT INTO k SELECT {values}")
    account.query("INSERT INTO u VALUES (5, 'foreign')", session=other)
    assert account.rows("SELECT * FROM k") == before * 2
    account.query("COMMIT")
    assert account.rows("SELECT * FROM k") == before * 2


def test_the_files_a_transaction_loaded_are_remembered(account: Account, other: SessionContext) -> None:
    name, files = ("DB", "S", "T"), [("mark", "etag")]
    columns = account.catalog.relations[name].columns
    account.query("BEGIN")
    account.plane.load(name, ["A", "B"], "SELECT 5, 'x'", account.session, account.catalog, columns, files)
    account.query("INSERT INTO u VALUES (5, 'foreign')", session=other)
    assert account.plane.loaded_files(name, account.session) == set(files)
    assert account.plane.loaded_files(name, other) == set()
    account.query("COMMIT")
    assert account.plane.loaded_files(name, other) == set(files)


# -- scopes ------------------------------------------------------------------------------------------------------------


def in_scope(account: Account, session: SessionContext) -> SessionContext:
    """The context of a procedure that this session calls, as another wire session has it."""
    procedure = replace(session)
    account.plane.enter_scope(procedure)
    return replace(procedure, session_id=session.session_id + 1000)


def leave(account: Account, context: SessionContext) -> None:
    account.plane.leave_scope(context.transaction_scope)  # type: ignore[arg-type]


def test_a_procedure_takes_part_in_the_transaction_of_its_caller(account: Account, other: SessionContext) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'outer')")
    inner = in_scope(account, account.session)
    assert account.plane.in_transaction(inner)
    assert account.rows("SELECT b FROM t WHERE a = 10", session=inner) == [("outer",)]
    account.query("UPDATE t SET b = 'inner' WHERE a = 10", session=inner)
    leave(account, inner)
    assert account.rows("SELECT count(*) FROM t WHERE a = 10", session=other) == [(0,)]
    account.query("ROLLBACK")
    assert account.one("count(*) from t where a = 10") == 0


@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK"])
def test_a_procedure_cannot_end_the_transaction_of_its_caller(account: Account, word: str) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'outer')")
    inner = in_scope(account, account.session)
    with pytest.raises(SqlError) as refused:
        account.query(word, session=inner)
    assert refused.value.message == "Modifying a transaction that has started at a different scope is not allowed."
    with pytest.raises(SqlError):  # what the engine calls before DDL
        account.plane.commit(inner)
    leave(account, inner)
    account.query("COMMIT")
    assert account.one("count(*) from t where a = 10") == 1


def test_a_transaction_of_a_procedure_is_separate(account: Account) -> None:
    account.query("BEGIN")
    account.query("INSERT INTO t VALUES (10, 'outer')")
    inner = in_scope(account, account.session)
    account.query("BEGIN", session=inner)
    assert account.rows("SELECT count(*) FROM t WHERE a = 10", session=inner) == [(0,)]
    account.query("INSERT INTO t VALUES (11, 'inner')", session=inner)
    account.query("COMMIT", session=inner)
    account.query("INSERT INTO t VALUES (12, 'outer again')", session=inner)
    leave(account, inner)
    account.query("ROLLBACK")
    assert account.rows("SELECT a FROM t WHERE a >= 10") == [(11,)]


def test_a_transaction_left_open_is_rolled_back_with_an_error(account: Account) -> None:
    inner = in_scope(account, account.session)
    account.query("INSERT INTO t VALUES (10, 'autocommitted')", session=inner)
    account.query("BEGIN", session=inner)
    account.query("INSERT INTO t VALUES (11, 'lost')", session=inner)
    with pytest.raises(SqlError, match="rolled back"):
        leave(account, inner)
    assert account.rows("SELECT a FROM t WHERE a >= 10") == [(10,)]
    assert not account.plane.in_transaction(account.session)
    assert account.plane.locks.snapshot() == []


def test_scopes_nest(account: Account) -> None:
    first = in_scope(account, account.session)
    account.query("BEGIN", session=first)
    account.query("INSERT INTO t VALUES (10, 'first')", session=first)
    second = in_scope(account, first)
    account.query("INSERT INTO t VALUES (11, 'second')", session=second)
    with pytest.raises(SqlError, match="different scope"):
        account.query("COMMIT", session=second)
    account.query("BEGIN", session=second)
    account.query("INSERT INTO t VALUES (12, 'own')", session=second)
    account.query("ROLLBACK", session=second)
    leave(account, second)
    account.query("COMMIT", session=first)
    leave(account, first)
    assert account.rows("SELECT a FROM t WHERE a >= 10 ORDER BY a") == [(10,), (11,)]


def test_a_procedure_that_waits_for_its_caller_is_a_deadlock(account: Account) -> None:
    account.query("BEGIN")
    account.query("UPDATE t SET b = 'outer' WHERE a = 1")
    inner = in_scope(account, account.session)
    account.query("BEGIN", session=inner)
    with pytest.raises(SqlError, match="deadlock"):
        account.query("UPDATE t SET b = 'inner' WHERE a = 2", session=inner)
    account.query("ROLLBACK", session=inner)
    leave(account, inner)
    account.query("COMMIT")


def test_closing_a_session_rolls_its_scopes_back(account: Account, other: SessionContext) -> None:
    account.query("BEGIN", session=other)
    account.query("UPDATE t SET b = 'lost'", session=other)
    inner = in_scope(account, other)
    account.query("BEGIN", session=inner)
    account.query("UPDATE u SET b = 'lost'", session=inner)
    account.plane.close_session(other)
    assert account.plane.locks.snapshot() == []
    assert account.rows("SELECT b FROM u") == [("one",)]
