from __future__ import annotations

import pytest
from pinky_local.sqltext import mask, placeholders, redact, split, tokens, verb


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("select 1 ; \n -- done", ["select 1"]),
        ("select 1; select 2", ["select 1", " select 2"]),
        ("select ';' ; select 2;", ["select ';'", " select 2"]),
        (r"select 'it\';s'; select 2", [r"select 'it\';s'", " select 2"]),
        ("select 'it'';s'; select 2", ["select 'it'';s'", " select 2"]),
        ('select 1 as "a;""b"; select 2', ['select 1 as "a;""b"', " select 2"]),
        (
            "select 1 /* ; */; select 2 -- ;\n; select 3 // ;\n",
            ["select 1 /* ; */", " select 2 -- ;", " select 3 // ;"],
        ),
        ("create function f() as $$ a; b $$; select 2", ["create function f() as $$ a; b $$", " select 2"]),
        ("put file:///tmp/a;b @s; select 2", ["put file:///tmp/a", "b @s", " select 2"]),
        ("begin; insert into t values (1); commit", ["begin", " insert into t values (1)", " commit"]),
        ("begin transaction; select 1", ["begin transaction", " select 1"]),
        ("begin work ; select 1", ["begin work", " select 1"]),
        ("begin name t; select 1", ["begin name t", " select 1"]),
        ("begin let x := 1; return x; end; select 1", ["begin let x := 1; return x; end", " select 1"]),
        (
            "declare x int; begin x := 1; end; select 1",
            ["declare x int; begin x := 1; end", " select 1"],
        ),
        (
            "create procedure p() as begin if (a) then b(); end if; case when c then d(); end case; end; select 1",
            ["create procedure p() as begin if (a) then b(); end if; case when c then d(); end case; end", " select 1"],
        ),
        (
            "create task t as begin for i in c do select case when 1 then 2 end; end for; begin a(); end; end;show x",
            [
                "create task t as begin for i in c do select case when 1 then 2 end; end for; begin a(); end; end",
                "show x",
            ],
        ),
        ("select 1 as begin; select 2", ["select 1 as begin", " select 2"]),
        ("alter task t modify as begin a(); end; select 1", ["alter task t modify as begin a(); end", " select 1"]),
        ("", []),
        (" ; ;; -- nothing\n", []),
        ("select 'open; select 2", ["select 'open; select 2"]),
    ],
)
def test_a_text_is_split_where_its_statements_end(sql: str, expected: list[str]) -> None:
    assert split(sql) == expected


def test_tokens_lose_no_character() -> None:
    sql = "select $1, $x, 'é''', \"q\", $$d$$, a.b:c::int /* c */ -- d\nfrom @s/p//q where x <> 1e9; 'open"
    assert "".join(token.text for token in tokens(sql)) == sql


def test_placeholders_are_counted_outside_quotes_and_comments() -> None:
    assert placeholders("select ?, '?', \"?\", $$?$$ /* ? */ from t where a = ? -- ?") == 2
    assert placeholders("select 1") == 0


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("Show tables", "SHOW"),
        ("-- why\n /* and */ // so\n ((select 1))", "SELECT"),
        ("", ""),
        ("123", ""),
    ],
)
def test_the_verb_is_the_first_keyword(sql: str, expected: str) -> None:
    assert verb(sql) == expected


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("create secret s type = password username = 'u' password = 'hunter2'",
         "create secret s type = password username = 'u' password = '***'"),
        ("alter secret s set secret_string='hunter2' comment='c'",
         "alter secret s set secret_string='***' comment='c'"),
        ("create user u PASSWORD = $$hunter2$$", "create user u PASSWORD = '***'"),
        ("create stage s credentials=(aws_key_id='k' aws_secret_key='hunter2')",
         "create stage s credentials=(aws_key_id='k' aws_secret_key='***')"),
        ("create stage s credentials=(azure_sas_token='hunter2')",
         "create stage s credentials=(azure_sas_token='***')"),
        ("call f(secret_string => 'hunter2')", "call f(secret_string => '***')"),
        ("create secret s secret_string = -- the\n 'hunter2'", "create secret s secret_string = -- the\n '***'"),
        ("select 1 -- password = 'hunter2'", "select 1 -- password = '***'"),
        ("create user u password = 'hunter2", "create user u password = '***'"),
        ("create user u password = 'hun''ter2'", "create user u password = '***'"),
        ("create user u must_change_password = true comment = 'c'",
         "create user u must_change_password = true comment = 'c'"),
        ("create user u password_policy = 'p'", "create user u password_policy = 'p'"),
    ],
)  # fmt: skip
def test_secret_literals_are_masked_and_nothing_else_is(sql: str, shown: str) -> None:
    assert redact(sql)[0] == shown


def test_the_secrets_of_a_statement_are_masked_in_its_messages() -> None:
    _, secrets = redact("create user u password = 'it''s'")
    assert mask("syntax error near 'it's' or 'it''s'", secrets) == "syntax error near '***' or '***'"


def test_a_placeholder_as_a_secret_makes_the_bound_values_secret() -> None:
    shown, secrets = redact("create user u password = ?", ["hunter2"])
    assert shown == "create user u password = ?"
    assert secrets == {"hunter2"}
