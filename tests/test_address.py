from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core import Address, Identifier, parse_path, sql_path

NAMES = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text)


@given(NAMES)
def test_any_name_survives_its_own_spelling(name: str):
    assert Identifier.parse(Identifier(name).sql) == name


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_any_path_survives_its_own_spelling(parts: list[str]):
    assert parse_path(sql_path(tuple(parts))) == tuple(parts)


@pytest.mark.parametrize(
    ("written", "name", "sql"),
    [
        ("orders", "ORDERS", "ORDERS"),
        ('"orders"', "orders", '"orders"'),
        ('"ORDERS"', "ORDERS", "ORDERS"),
        ("_a$1", "_A$1", "_A$1"),
        ('"a.b"', "a.b", '"a.b"'),
        ('"say ""hi"""', 'say "hi"', '"say ""hi"""'),
        ('"select"', "select", '"select"'),
        ('"SELECT"', "SELECT", '"SELECT"'),
    ],
)
def test_folding_and_quoting(written: str, name: str, sql: str):
    assert (Identifier.parse(written), Identifier.parse(written).sql) == (name, sql)


@pytest.mark.parametrize("text", ["", "1a", "a b", "a-b", '"', '""', '"a"b"', "é", "a" * 256, "x; DROP TABLE y"])
def test_what_is_no_identifier(text: str):
    with pytest.raises(ValueError, match="identifier"):
        Identifier.parse(text)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a b", 'a."b'])
def test_what_is_no_path(text: str):
    with pytest.raises(ValueError):
        parse_path(text)


def test_addresses_print_as_people_say_them():
    path = (Identifier("DB"), Identifier("my schema"), Identifier("P"))
    assert str(Address("table", path)) == 'table DB."my schema".P'
    assert str(Address("procedure", path, "(NUMBER, VARCHAR)")) == 'procedure DB."my schema".P(NUMBER, VARCHAR)'
    grant = Address("grant", path, "SELECT ON TABLE T TO ROLE R")
    assert str(grant) == "grant SELECT ON TABLE T TO ROLE R"
    assert sorted([grant, Address("a", path)])[0].kind == "a"
