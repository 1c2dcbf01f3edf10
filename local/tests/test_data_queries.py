from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from data_account import Account
from pinky_local.types import Bind, Relation, Result, ResultColumn, SqlError, TableColumn


@pytest.fixture
def account() -> Account:
    made = Account()
    made.table("T", ("A", "NUMBER(38,0)"), ("B", "VARCHAR(5)"), ("V", "VARIANT"))
    made.query(
        """INSERT INTO t SELECT 1, 'x', PARSE_JSON('{"b":[1,{"c":"q"}],"n":null}') UNION ALL SELECT 2, NULL, NULL
           UNION ALL SELECT 3, 'y', PARSE_JSON('{"b":[]}')"""
    )
    made.table("U", ("A", "NUMBER(38,0)"), ("C", "VARCHAR"))
    made.query("INSERT INTO u VALUES (1, 'one'), (1, 'uno'), (9, 'nine')")
    return made


QUERIES: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("select a from t where b is not null order by a desc", [(3,), (1,)]),
    ("select a, b from t order by b", [(1, "x"), (3, "y"), (2, None)]),
    ("select a, b from t order by b desc", [(2, None), (3, "y"), (1, "x")]),
    ("select b as q, count(*) c from t group by q having c >= 1 order by 1", [("x", 1), ("y", 1), (None, 1)]),
    ("select a from t qualify row_number() over (order by a desc) = 1", [(3,)]),
    ("select t.a, u.c from t join u on t.a = u.a order by 2", [(1, "one"), (1, "uno")]),
    ("select a, c from t left join u using (a) order by a, c", [(1, "one"), (1, "uno"), (2, None), (3, None)]),
    ("select a from t full outer join u using (a) order by a", [(1,), (1,), (2,), (3,), (9,)]),
    ("select count(*) from t, u", [(9,)]),
    ("select a from t where a in (select a from u)", [(1,)]),
    ("select a from t where a not in (select u.a from u) order by a", [(2,), (3,)]),
    ("select a from t where exists (select 1 from u where u.a = t.a)", [(1,)]),
    ("select (select max(c) from u where u.a = t.a) from t order by a", [("uno",), (None,), (None,)]),
    ("with recursive n as (select 1 i union all select i + 1 from n where i < 12) select sum(i) from n", [(78,)]),
    ("with x(k) as (select a from t), y as (select k + 1 as k from x) select max(k) from y", [(4,)]),
    ("select 1 union all select 2.5 order by 1 desc", [(2.5,), (1,)]),
    ("select a from t intersect select a from u", [(1,)]),
    ("select a from t minus select a from u order by a", [(2,), (3,)]),
    ("select v:b[1].c::string, v['b'][0]::int, v:zz, v:n::string from t where a = 1", [("q", 1, None, None)]),
    ("select f.index, f.value::string from t, lateral flatten(input => v:b) f order by 1",
     [(0, "1"), (1, '{"c":"q"}')]),
    ("select a, f.index from t, lateral flatten(input => t.v:b, outer => true) f where a > 1 order by a",
     [(2, None), (3, None)]),
    ("select seq, key, path, value from table(flatten(parse_json('{\"k\": 7}')))", [(1, "k", "k", "7")]),
    ("select seq4() from table(generator(rowcount => 3)) order by 1", [(0,), (1,), (2,)]),
    ("select column1 + 1, $2 from values (1, 'a'), (2, 'b')", [(2, "a"), (3, "b")]),
    ("select * exclude (v) rename (b as z) from t where a = 1", [(1, "x")]),
    ('select "a", "A" from (select 1 as "a", 2 as "A")', [(1, 2)]),
    ("select top 1 a from t order by a", [(1,)]),
    ("select a from t order by a limit 1 offset 1", [(2,)]),
    ("select distinct iff(a > 1, 'many', 'one') s from t order by s", [("many",), ("one",)]),
    ("select listagg(b, '|') within group (order by a desc), count(distinct b), count_if(a > 1) from t",
     [("y|x", 2, 2)]),
    ("select sum(a) over (order by a rows between unbounded preceding and current row) from t order by 1",
     [(1,), (3,), (6,)]),
    ("select lag(a, 1, 0) over (order by a), first_value(b) ignore nulls over (order by a) from t order by a",
     [(0, "x"), (1, "x"), (2, "x")]),
    ("select 1 as a, a + 1 as b", [(1, 2)]),
    ("select 'it''s', $$a'b$$, 'a' || 1, 'a' || null", [("it's", "a'b", "a1", None)]),
    ("select a from t where b like any ('x%', 'z') or b ilike 'Y'", [(1,), (3,)]),
    ("select db.s.t.a from db.s.t where t.a = 1", [(1,)]),
    ("select a from identifier('db.s.t') where a = 1", [(1,)]),
    ("values (1, 'x'), (2, 'y')", [(1, "x"), (2, "y")]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), QUERIES, ids=[sql[:60] for sql, _ in QUERIES])
def test_a_query_answers_as_snowflake_does(account: Account, sql: str, rows: list[tuple[Any, ...]]) -> None:
    assert account.rows(sql) == rows


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("nvl(null, 'd')", "d"),
        ("decode(2, 1, 'one', 2, 'two', 'other')", "two"),
        ("decode(null, null, 'none')", "none"),
        ("coalesce(null, 1.5, 2)", 1.5),
        ("greatest(1, null)", None),
        ("split_part('a.b.c', '.', -1)", "c"),
        ("substr('hello', 2, 3)", "ell"),
        ("charindex('l', 'hello')", 3),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("sha2('a')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("regexp_like('abc', 'b')", False),
        ("regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
        ("dateadd(month, 1, '2024-01-31'::date)", date(2024, 2, 29)),
        ("dateadd('hour', -1, '2024-01-01'::date)", datetime(2023, 12, 31, 23)),
        ("datediff(month, '2024-01-31', '2024-02-01')", 1),
        ("datediff(week, '2020-01-05', '2020-01-06')", 1),
        ("datediff(week, '2020-01-06', '2020-01-12')", 0),
        ("datediff(hour, '2020-01-05 00:59:00', '2020-01-05 01:01:00')", 1),
        ("datediff(year, '2020-12-31', '2021-01-01')", 1),
        ("date_trunc('quarter', '2024-05-06'::date)", date(2024, 4, 1)),
        ("'2024-01-01'::date + 31", date(2024, 2, 1)),
        ("date '2024-01-01' - interval '1 day'", date(2023, 12, 31)),
        ("to_varchar('2024-01-02 03:04:05'::timestamp_ntz, 'DD.MM.YYYY HH24:MI')", "02.01.2024 03:04"),
        ("to_date('02.01.2024', 'DD.MM.YYYY')", date(2024, 1, 2)),
        ("extract(year from '2024-01-02'::date)", 2024),
        ("dayofweek('2024-01-07'::date)", 0),
        ("to_json(object_construct('a', 1, 'b', null))", '{"a":1}'),
        ("array_size(array_construct(1, null, 'x'))", 3),
        ("typeof(parse_json('1.5'))", "DECIMAL"),
        ("is_null_value(parse_json('null'))", True),
        ("parse_json('null') is null", False),
        ("'3' + 4", 7),
        ("true::varchar || 1.50::varchar", "true1.50"),
        ("2::float::varchar", "2"),
        ("equal_null(null, null)", True),
    ],
)
def test_a_function_answers_as_snowflake_does(expression: str, value: object) -> None:
    assert Account().one(expression) == value


@pytest.mark.parametrize(
    ("sql", "feature"),
    [
        ("select soundex(b) from t", "function SOUNDEX"),
        ("select * from t sample (10)", "SAMPLE"),
        ("select * from t at(offset => -60)", "Time Travel"),
        ("select * from t pivot(sum(a) for b in ('x'))", "PIVOTS"),
        ("select a from t order by v", "VARIANT"),
        ("select v = v from t", "VARIANT"),
        ("select seq.nextval", "SEQ.NEXTVAL"),
        ("select b collate 'de' from t", "COLLATE"),
        ("select to_char(1.5, '99.9')", "TO_CHAR"),
        ("select datediff(day, current_timestamp::timestamp_tz, current_timestamp)", "DATEDIFF in DAY of TIMESTAMP_TZ"),
        ("select f.seq from t, lateral flatten(v:b) f", "SEQ"),
        ("create table x (a int)", "CREATE"),
        ("insert all into t (a) values (a) select a from u", ""),
        ("select width_bucket(a, 1, 2, 3) over () from t", "WIDTH_BUCKET"),
    ],
)
def test_what_is_not_carried_is_refused_by_name(account: Account, sql: str, feature: str) -> None:
    with pytest.raises(SqlError) as refused:
        account.query(sql)
    assert (refused.value.errno, refused.value.sqlstate) == (2, "0A000")
    assert feature in refused.value.message


@pytest.mark.parametrize(
    ("sql", "errno", "message"),
    [
        ("select nosuch from t", 904, "error line 1 at position 7\ninvalid identifier 'NOSUCH'"),
        ("select t.nosuch\nfrom t where\n  q = 1", 904, "invalid identifier 'T.NOSUCH'"),
        ("select a from t, u", 1052, "ambiguous column name 'A'"),
        ("select t.a from t x", 904, "invalid identifier 'T.A'"),
        ("select 1 from nosuch", 2003, "Object 'NOSUCH' does not exist or not authorized."),
        ("selec 1", 1003, "unexpected 'selec'"),
        ("select 1 +", 1003, "syntax error"),
        ("select a from t group by b", 979, "not a valid group by expression"),
        ("select left('a') from t", 938, "not enough arguments for function [LEFT], expected 2, got 1"),
        ("select ?", 2049, "Bind variable not set."),
        ("select 1 union select 1, 2", 1789, "invalid number of result columns"),
    ],
)
def test_a_mistake_is_snowflakes_error(account: Account, sql: str, errno: int, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        account.query(sql)
    assert refused.value.errno == errno
    assert message in refused.value.message


def test_columns_are_called_as_they_were_written(account: Account) -> None:
    result = account.query('SELECT a, count(*) , a::varchar(3) x, 1+1, "V" is null FROM t GROUP BY 1, 5')
    assert [column.name for column in result.columns] == ["A", "COUNT(*)", "X", "1+1", '"V" IS NULL']


def test_describing_gives_columns_and_runs_nothing(account: Account) -> None:
    result = account.query("SELECT a, b FROM t WHERE 1/0 = 1", describe_only=True)
    assert ([c.name for c in result.columns], list(result.rows)) == (["A", "B"], [])
    changed = account.query("DELETE FROM t", describe_only=True)
    assert ([c.name for c in changed.columns], account.one("count(*) from t")) == (["number of rows deleted"], 3)


def test_binds_are_typed() -> None:
    account = Account()
    binds = [
        Bind("TEXT", "x'y"), Bind("FIXED", "2"), Bind("REAL", "1.5"), Bind("BOOLEAN", "true"), Bind("FIXED", None),
        Bind("DATE", "1704067200000"), Bind("TIMESTAMP_NTZ", "1704067200000000000"), Bind("BINARY", "ff"),
        Bind("TIMESTAMP_TZ", "1704067200000000000 1560"), Bind("ANY", "z"),
    ]  # fmt: skip
    row = account.rows(f"SELECT {', '.join('?' for _ in binds)}", *binds)[0]
    assert row[:8] == ("x'y", 2, 1.5, True, None, date(2024, 1, 1), datetime(2024, 1, 1), b"\xff")
    assert row[8] == datetime(2024, 1, 1, tzinfo=UTC)
    assert row[8].utcoffset().total_seconds() == 7200
    assert row[9] == "z"


def test_views_expand_resolve_names_in_their_own_schema_and_ask_for_no_privilege_inside(account: Account) -> None:
    account.view("W", "select a, b as bb, v:b[0]::int as first from t where a < 3")
    account.view("W2", "select w.*, upper(bb) as u from w")
    elsewhere = account.new_session(2)
    elsewhere.schema = "OTHER"
    account.catalog.required.clear()
    assert account.rows("SELECT * FROM db.s.w2 ORDER BY a", session=elsewhere) == [
        (1, "x", 1, "X"),
        (2, None, None, None),
    ]
    assert account.catalog.required == [("SELECT", ("DB", "S", "W2"))]
    assert [(c.name, c.data_type) for c in account.catalog.relations["DB", "S", "W"].columns] == [
        ("A", "NUMBER(38,0)"), ("BB", "VARCHAR(5)"), ("FIRST", "NUMBER(38,0)"),
    ]  # fmt: skip


def test_a_view_resolves_its_names_as_its_owner_where_the_catalog_says_who_that_is(account: Account) -> None:
    account.view("W", "select current_role() as r from t where a = 1")
    account.catalog.view_session = lambda relation, session: replace(session, role="OWNER")  # type: ignore[attr-defined]
    assert account.rows("SELECT r, current_role() FROM w") == [("OWNER", "ACCOUNTADMIN")]


def test_a_view_that_names_itself_is_refused(account: Account) -> None:
    full = ("DB", "S", "LOOP")
    account.catalog.relations[full] = Relation("view", full, query="select * from loop")
    with pytest.raises(SqlError, match="Infinite recursion"):
        account.query("SELECT * FROM loop")


def test_rows_of_the_catalog_are_a_relation(account: Account) -> None:
    made = [
        ResultColumn("TABLE_NAME"),
        ResultColumn("ROW_COUNT", "fixed", precision=38, scale=0),
        ResultColumn("CREATED", "timestamp_ltz"),
    ]
    rows = [("T'1", 3, datetime(2024, 1, 1, tzinfo=UTC)), ("T2", None, None)]
    full = ("DB", "INFORMATION_SCHEMA", "TABLES")
    account.catalog.relations[full] = Relation("rows", full, result=Result(made, rows))
    assert (
        account.rows("SELECT * FROM information_schema.tables t WHERE table_name LIKE 'T%' ORDER BY t.table_name")
        == rows
    )
    account.catalog.relations[full] = Relation("rows", full, result=Result(made, []))
    assert account.rows("SELECT count(*) FROM db.information_schema.tables") == [(0,)]


def test_table_functions_and_context_functions_come_from_the_catalog(account: Account) -> None:
    account.catalog.functions["RESULT_SCAN"] = Result([ResultColumn("x y")], [("one",)])
    assert account.rows("SELECT \"x y\" FROM TABLE(RESULT_SCAN('id'))") == [("one",)]
    assert account.rows("SELECT current_role(), system$echo('a', 1, current_role())") == [
        ("ACCOUNTADMIN", "a|1|ACCOUNTADMIN")
    ]
    with pytest.raises(SqlError) as refused:
        account.query("SELECT current_nothing()")
    assert refused.value.errno == 2140


def test_a_missing_privilege_is_asked_before_anything_runs(account: Account) -> None:
    account.catalog.denied.add(("SELECT", ("DB", "S", "U")))
    with pytest.raises(SqlError, match="Insufficient privileges"):
        account.query("SELECT 1 FROM t JOIN u ON t.a = u.a")
    account.catalog.denied.add(("DELETE", ("DB", "S", "T")))
    with pytest.raises(SqlError, match="Insufficient privileges"):
        account.query("MERGE INTO t USING (SELECT 1 k) s ON t.a = s.k WHEN MATCHED AND k = 2 THEN UPDATE SET b = 'z' "
                      "WHEN MATCHED THEN DELETE")  # fmt: skip
    assert account.one("count(*) from t") == 3


def test_a_column_default_may_not_read_rows() -> None:
    account = Account()
    account.table("T", ("A", "NUMBER(38,0)"), TableColumn("B", "NUMBER(38,0)", default="nosuch + 1"))
    with pytest.raises(SqlError, match="invalid identifier 'NOSUCH'"):
        account.query("INSERT INTO t (a) VALUES (1)")

