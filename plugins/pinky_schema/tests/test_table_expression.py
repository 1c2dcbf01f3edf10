"""Expressions of tables: what counts as the same."""

from __future__ import annotations

import pytest
from pinky_schema.table_expression import DefaultExpression, SqlExpression, clustering_keys, words_of

from pinky_core import Identifier

BASE = (Identifier("DB"), Identifier("S"))


@pytest.mark.parametrize(
    ("declared", "printed"),
    [
        ("'x'", "'x'::VARCHAR(20)"),
        ("'x'", "CAST('x' AS VARCHAR(16777216))"),
        ("current_timestamp", "CURRENT_TIMESTAMP()"),
        ("current_timestamp()", "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(9))"),
        ("current_timestamp()", "CURRENT_TIMESTAMP()::TIMESTAMP_NTZ(9)"),
        ("(0)", "0.00"),
        ("1.50", "1.5"),
        ("true", "TRUE"),
        ("-1", "- 1"),
        ("coalesce( a ,  'B' )", "COALESCE(A, 'B')"),
        ('"A" + 1', "a+1"),
    ],
)
def test_spellings_of_one_default_are_equal(declared: str, printed: str) -> None:
    assert DefaultExpression.parse(declared) == DefaultExpression(printed)
    assert hash(DefaultExpression(declared)) == hash(DefaultExpression(printed))


@pytest.mark.parametrize(
    ("one", "other"),
    [("'x'", "'X'"), ("0", "1"), ('"a"', "A"), ("'a'||'b'", "'ab'"), ("'1'", "1"), ("a::int + 1", "a")],
)
def test_different_defaults_differ(one: str, other: str) -> None:
    assert DefaultExpression(one) != DefaultExpression(other)


def test_a_default_may_be_a_number_or_a_truth_value() -> None:
    assert DefaultExpression.parse(0).sql == "0"
    assert DefaultExpression.parse(True).sql == "TRUE"
    assert DefaultExpression.parse(-1.5).sql == "-1.5"


def test_text_without_quotes_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(ValueError, match="needs quotes inside the YAML value: \"'active'\""):
        DefaultExpression.parse("active")
    with pytest.raises(ValueError, match="expression is empty"):
        DefaultExpression.parse("  ")
    with pytest.raises(ValueError, match="never closed"):
        DefaultExpression.parse("'open")
    with pytest.raises(ValueError, match="expected a SQL expression"):
        DefaultExpression.parse(["a"])


def test_a_sequence_is_found_under_its_full_name() -> None:
    short, full = DefaultExpression("numbers.nextval"), DefaultExpression('"DB"."S"."NUMBERS".NEXTVAL')
    assert short.means(BASE) == full.means(BASE) == ("DB", "S", "NUMBERS")
    assert short.spelled(BASE) == "DB.S.NUMBERS.NEXTVAL"
    assert DefaultExpression("other.numbers.nextval").sequence(BASE) == ("DB", "OTHER", "NUMBERS")
    assert DefaultExpression("CURRENT_DATE()").sequence(BASE) is None


def test_null_is_no_default() -> None:
    assert DefaultExpression("NULL").means(BASE) is None


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        *((text, True) for text in ("1", "-1", "'x'", "TRUE", "1.5::FLOAT")),
        *((text, False) for text in ("CURRENT_DATE()", "S.NEXTVAL", "1 + 1")),
    ],
)
def test_only_literals_are_constant(text: str, *, constant: bool) -> None:
    assert DefaultExpression(text).constant is constant


def test_clustering_keys_are_split_outside_parentheses() -> None:
    assert clustering_keys("LINEAR(A, TO_DATE(B, 'x,y'), \"c d\")") == (
        SqlExpression("a"),
        SqlExpression("to_date(b, 'x,y')"),
        SqlExpression('"c d"'),
    )
    assert clustering_keys("(a, b)") == (SqlExpression("A"), SqlExpression("B"))
    assert clustering_keys("") == ()
    assert clustering_keys(None) == ()


def test_words_of_an_expression_are_canonical() -> None:
    assert words_of("to_date(at) || \"a b\" || 'text'") == {"TO_DATE", "AT", "a b"}
