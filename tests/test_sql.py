from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core import Identifier, SecretReference, Statement, literal, statement, string_literal
from pinky_core.values import tokenize


@given(st.text(max_size=60))
def test_a_text_is_always_one_literal(text: str):
    assert [token.kind for token in tokenize(string_literal(text))] == ["string"]


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (5, "5"),
        ("it's", "'it''s'"),
        ("a\\b", "'a\\\\b'"),
        (Identifier("x y"), '"x y"'),
        (("a", 1, (True,)), "('a', 1, (TRUE))"),
    ],
)
def test_literals(value: object, sql: str):
    assert literal(value) == sql


def test_what_has_no_literal_is_an_error():
    with pytest.raises(TypeError, match="object"):
        literal(object())


def test_a_statement_shows_a_reference_and_sends_the_value():
    secret = SecretReference("env", "KEY")
    made = statement("ALTER X SET A = ", secret, statement(", B = ", "2"))
    assert made == Statement(("ALTER X SET A = ", secret, ", B = 2"))
    assert made.text == "ALTER X SET A = '<env:KEY>', B = 2"
    assert made.render(lambda reference: "it's") == "ALTER X SET A = 'it''s', B = 2"
    assert made.has_secrets
