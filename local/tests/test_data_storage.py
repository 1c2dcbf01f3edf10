from __future__ import annotations

import pytest
from data_account import Account
from pinky_local.types import SqlError, TableColumn

T, U = ("DB", "S", "T"), ("DB", "S", "U")


@pytest.fixture
def account() -> Account:
    made = Account()
    made.table("T", TableColumn("A", "NUMBER(5,0)"), TableColumn("B", "VARCHAR(10)"))
    made.query("INSERT INTO t VALUES (1, 'one'), (2, NULL)")
    return made


def names(account: Account) -> list[str]:
    return [column.name for column in account.query("SELECT * FROM t", describe_only=True).columns]


def test_rename_swap_drop_and_restore_move_rows_without_copying(account: Account) -> None:
    account.table("U", ("A", "NUMBER(5,0)"), ("B", "VARCHAR(10)"))
    account.plane.swap(T, U)
    assert (account.plane.row_count(T), account.plane.row_count(U)) == (0, 2)
    dropped = account.plane.drop(T)
    account.plane.rename(U, T)
    assert account.plane.row_count(T) == 2
    assert not account.plane.has_table(U)
    account.plane.restore(U, dropped)
    assert account.plane.row_count(U) == 0
    with pytest.raises(SqlError) as refused:
        account.plane.rename(U, T)
    assert refused.value.errno == 2002


def test_a_purged_table_cannot_come_back(account: Account) -> None:
    dropped = account.plane.drop(T)
    account.plane.purge(dropped)
    with pytest.raises(SqlError) as refused:
        account.plane.restore(T, dropped)
    assert refused.value.errno == 2003


def test_a_clone_has_the_rows_and_goes_its_own_way() -> None:
    account = Account()
    columns = [TableColumn("A", "NUMBER(38,0)"), TableColumn("ID", "NUMBER(38,0)", identity=(5, 2))]
    account.table("T", *columns)
    account.query("INSERT INTO t (a) VALUES (1), (2)")
    account.plane.clone(T, U)
    account.catalog.relations[U] = type(account.catalog.relations[T])("table", U, columns=columns)
    account.query("INSERT INTO u (a) VALUES (3)")
    assert account.rows("SELECT a, id FROM u ORDER BY a") == [(1, 5), (2, 7), (3, 9)]
    assert account.rows("SELECT count(*) FROM t") == [(2,)]


def test_columns_are_added_renamed_and_dropped(account: Account) -> None:
    account.plane.add_column(T, TableColumn("C", "VARCHAR(5)", default="'d' || 1"))
    account.plane.add_column(T, TableColumn("N", "NUMBER(38,0)", identity=(7, 1)))
    account.plane.add_column(T, TableColumn("c", "DATE"))
    assert account.rows('SELECT c, "c" FROM t') == [("d1", None), ("d1", None)]
    assert sorted(account.rows("SELECT n FROM t")) == [(7,), (8,)]
    account.plane.rename_column(T, "A", "Z")
    account.plane.drop_column(T, "C")
    assert names(account) == ["Z", "B", "N", "c"]
    assert account.rows("SELECT z FROM t ORDER BY z") == [(1,), (2,)]
    with pytest.raises(SqlError, match="already exists"):
        account.plane.add_column(T, TableColumn("B", "DATE"))
    with pytest.raises(SqlError, match="invalid identifier 'NOSUCH'"):
        account.plane.drop_column(T, "NOSUCH")


def test_a_type_is_widened_and_a_narrowing_that_loses_is_refused(account: Account) -> None:
    account.plane.change_type(T, "A", "NUMBER(20,0)")
    account.query("INSERT INTO t (a) VALUES (12345678901)")
    with pytest.raises(SqlError) as refused:
        account.plane.change_type(T, "A", "NUMBER(3,0)")
    assert refused.value.errno == 100039
    with pytest.raises(SqlError) as too_long:
        account.plane.change_type(T, "B", "VARCHAR(2)")
    assert too_long.value.errno == 100078
    assert account.query("SELECT a FROM t").columns[0].precision == 20


def test_nulls_and_rows_are_counted(account: Account) -> None:
    assert (account.plane.has_nulls(T, "A"), account.plane.has_nulls(T, "B")) == (False, True)
    assert account.plane.truncate(T) == 2
    assert account.plane.row_count(T) == 0
    with pytest.raises(SqlError) as refused:
        account.plane.row_count(U)
    assert (refused.value.errno, refused.value.sqlstate) == (2003, "42S02")


def test_rows_are_loaded_as_python_values(account: Account) -> None:
    assert account.plane.insert_rows(T, ["B", "A"], [("x'y", 5), (None, None)]) == 2
    assert account.rows("SELECT a, b FROM t WHERE a = 5") == [(5, "x'y")]
    assert account.plane.insert_rows(T, ["A"], []) == 0
    with pytest.raises(SqlError, match="too long"):
        account.plane.insert_rows(T, ["B"], [("x" * 11,)])


def test_a_query_fills_a_table_as_create_table_as_select_does(account: Account) -> None:
    described = account.plane.describe("select a, upper(b) as u, a / 2 as half from t", account.session)
    assert [(one.name, one.data_type) for one in described] == [
        ("A", "NUMBER(5,0)"), ("U", "VARCHAR(10)"), ("HALF", "NUMBER(11,6)"),
    ]  # fmt: skip
    account.plane.create_table(U, described)
    query = "select a, upper(b) as u, a / 2 as half from t"
    assert account.plane.insert_query(U, query, account.session, (), account.catalog, described) == 2
    with pytest.raises(SqlError, match="duplicate column name 'A'"):
        account.plane.describe("select a, a from t", account.session)


def test_rows_of_many_tables_are_counted_at_once(account: Account) -> None:
    names = [account.table(f"N{place}", ("A", "NUMBER(38,0)")) for place in range(120)]
    account.query("INSERT INTO N7 VALUES (1), (2)")
    account.query("INSERT INTO N119 VALUES (3)")
    counts = account.plane.row_counts(names)
    assert list(counts) == names
    assert {name[2]: count for name, count in counts.items() if count} == {"N7": 2, "N119": 1}
    assert account.plane.row_counts([]) == {}
