from __future__ import annotations

import pytest

from pinky_core.address import Address, Identifier
from pinky_core.references import names_in
from pinky_core.resource import Names, named_in


def names(sql: str) -> set[str]:
    return {".".join(parts) for parts in names_in(sql)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t", {"T"}),
        ("select * from db.s.t join S2.U u on u.a = t.a", {"DB.S.T", "S2.U"}),
        ("SELECT * FROM a, b x, c WHERE d = e", {"A", "B", "C"}),
        ('SELECT * FROM "lower"."t"', {"lower.t"}),
        ("WITH q AS (SELECT * FROM t) SELECT * FROM q", {"T", "Q"}),
        ("SELECT 'FROM hidden' FROM t -- FROM comment", {"T"}),
        ("CALL db.s.p(1)", {"DB.S.P"}),
        ("SELECT f(x), db.s.g(y) FROM t", {"F", "DB.S.G", "T"}),
        ("COPY INTO t FROM @db.s.stage/path", {"T", "DB.S.STAGE"}),
        ("SYSTEM$STREAM_HAS_DATA('db.s.st')", {"SYSTEM$STREAM_HAS_DATA", "DB.S.ST"}),
        ("MERGE INTO t USING s ON t.a = s.a", {"T", "S"}),
        ("SELECT 'never closed", set()),
    ],
)
def test_names_a_text_uses(sql: str, expected: set[str]):
    assert names(sql) == expected


def test_a_column_with_the_name_of_a_table_is_no_reference():
    assert "CUSTOMERS" not in names("SELECT customers, x.orders FROM t WHERE customers > 1")


def test_the_nearest_declared_object_is_meant():
    def table(*path: str) -> Address:
        return Address("table", tuple(Identifier(each) for each in path))

    here, there = table("D", "S", "T"), table("D", "OTHER", "T")
    declared = Names([here, there])
    base = (Identifier("D"), Identifier("S"))
    assert list(named_in("SELECT * FROM t", base, declared)) == [here]
    assert list(named_in("SELECT * FROM other.t", base, declared)) == [there]
    assert list(named_in("SELECT * FROM d.other.t", (), declared)) == [there]
    assert list(named_in("SELECT * FROM nowhere.t", base, declared)) == []
