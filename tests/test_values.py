from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.values import Duration, Keyword, Schedule, SqlText, tokenize


class Size(Keyword):
    XSMALL = "XSMALL", "X-Small", "X-SMALL"
    X2LARGE = "XXLARGE", "2X-Large"


@pytest.mark.parametrize("text", ["XSMALL", "xsmall", "X-Small", " x-small "])
def test_a_keyword_is_read_in_any_spelling_and_case(text: str) -> None:
    assert Size.parse(text) is Size.XSMALL
    assert Size.parse(text).sql == "XSMALL"


def test_an_unknown_keyword_is_refused_from_people_and_passes_from_the_server() -> None:
    with pytest.raises(ValueError, match="XSMALL, XXLARGE; did you mean XXLARGE"):
        Size.parse("xxlarg")
    assert Size.read("7x-large") == "7X-LARGE"
    assert Size.read("2x-large") is Size.X2LARGE


def test_a_keyword_is_a_plain_string_for_json() -> None:
    assert json.dumps({"size": Size.X2LARGE}) == '{"size": "XXLARGE"}'


def test_one_spelling_for_two_keywords_is_a_programming_error() -> None:
    class Broken(Keyword):
        ONE = "ONE", "SAME"
        TWO = "TWO", "same"

    with pytest.raises(TypeError, match="stands for two"):
        Broken.parse("ONE")


@pytest.mark.parametrize(
    ("text", "valid"), [("x-sMaLL", True), ("XXLARGE", True), ("huge", False), ("XSMALLER", False)]
)
def test_the_schema_of_a_keyword_accepts_what_parse_accepts(text: str, valid: bool) -> None:
    assert jsonschema.Draft202012Validator(Size.json_schema()).is_valid(text) is valid


@pytest.mark.parametrize(
    ("text", "seconds", "printed"),
    [
        ("5 MINUTES", 300, "5 MINUTES"),
        ("5 minute", 300, "5 MINUTES"),
        ("10 m", 600, "10 MINUTES"),
        ("1 minutes", 60, "1 MINUTE"),
        ("60 SECONDS", 60, "60 SECONDS"),
        ("2 hours", 7200, "2 HOURS"),
        ("1 d", 86400, "1 DAY"),
    ],
)
def test_a_duration_has_seconds_and_a_canonical_text(text: str, seconds: int, printed: str) -> None:
    assert Duration.parse(text).seconds == seconds
    assert str(Duration.parse(text)) == printed
    assert Duration.parse(text).sql == f"'{printed}'"


def test_durations_of_the_same_length_are_equal() -> None:
    assert Duration.parse("60 SECONDS") == Duration.parse("1 MINUTE") == Duration.parse(1, "MINUTE")
    assert hash(Duration.parse("60 SECONDS")) == hash(Duration.parse("1 MINUTE"))


@pytest.mark.parametrize("text", ["5", "MINUTES", "-5 MINUTES", "5 fortnights", "1.5 HOURS", "5 MINUTES x", ""])
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|unknown unit"):
        Duration.parse(text)


@given(st.integers(0, 10**9), st.sampled_from(["SECOND", "MINUTE", "HOUR", "DAY"]))
def test_parsing_the_printed_duration_gives_it_back(count: int, unit: str) -> None:
    duration = Duration.parse(count, unit)
    assert Duration.parse(str(duration)) == duration
    assert str(Duration.parse(str(duration))) == str(duration)


def test_schedules_with_other_spacing_and_case_are_equal() -> None:
    left = Schedule.parse("using cron  0 9-17 * jan mon-fri  Europe/Paris")
    assert left == Schedule.parse("USING CRON 0 9-17 * JAN MON-FRI Europe/Paris")
    assert str(left) == "USING CRON 0 9-17 * JAN MON-FRI Europe/Paris"
    assert Schedule.parse("5 minute") == Schedule.parse("300 SECONDS")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("USING CRON 0 9 * * UTC", "five fields"),
        ("USING CRON 60 9 * * * UTC", "minute is '60'"),
        ("USING CRON 0 9 * FOO * UTC", "month is 'FOO'"),
        ("USING CRON 0 L * * * UTC", "hour is 'L'"),
        ("USING CRON */0 9 * * * UTC", "step '0'"),
        ("USING CRON 0 9 * * * 'UTC'", "not a time zone"),
        ("1 DAY", "not a schedule"),
        ("0 MINUTES", "not a schedule"),
        ("soon", "USING CRON"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Schedule.parse(text)


@pytest.mark.parametrize("text", ["5 MINUTES", "USING CRON 0 0 L * 5L UTC", "USING CRON */5,30 * 1-15/2 * * Etc/GMT+3"])
def test_parsing_the_printed_schedule_gives_it_back(text: str) -> None:
    assert str(Schedule.parse(text)) == text
    assert Schedule.parse(str(Schedule.parse(text))) == Schedule.parse(text)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select 1", "  select\r\n  1 ;\n"),
        ("select /* why */ 1", "select 1 -- done"),
        ("select 1;;", "select // c\n 1"),
    ],
)
def test_sql_texts_that_differ_in_layout_are_equal(left: str, right: str) -> None:
    assert SqlText(left) == SqlText(right)
    assert (SqlText(left) != SqlText(right)) is False
    assert hash(SqlText(left)) == hash(SqlText(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select a", "select A"),
        ("select 'a  b'", "select 'a b'"),
        ("select '-- a'", "select '-- b'"),
        ('select "a  b"', 'select "a b"'),
        ("call $$a  b$$", "call $$a b$$"),
        ("select 'it\\'s -- x'", "select 'it\\'s -- y'"),
        ("select 'a;'", "select 'a'"),
    ],
)
def test_sql_texts_that_mean_something_else_differ(left: str, right: str) -> None:
    assert SqlText(left) != SqlText(right)
    assert (SqlText(left) == SqlText(right)) is False


def test_the_text_for_a_statement_ends_without_comment_and_semicolon() -> None:
    assert SqlText("-- head\nSELECT  'x;' ; -- tail").sql == "SELECT  'x;'"


def test_an_empty_or_open_sql_text_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        SqlText.parse(" -- nothing\n ;")
    with pytest.raises(ValueError, match="' at character 8 is never closed"):
        SqlText.parse("select 'abc")


@given(st.text(alphabet="aB1 \n\r\t'\"$;-/*\\.,", max_size=40))
def test_the_canonical_form_is_its_own_canonical_form(text: str) -> None:
    canonical = SqlText(text).canonical
    assert SqlText(canonical).canonical == canonical
    assert SqlText(canonical) == SqlText(text)


def test_tokens_know_kind_text_and_place() -> None:
    text = "select \"A\"\"b\", 'it''s', $$x;y$$, 1.5e3, $v /* c */ from @s.t -- end"
    tokens = list(tokenize(text))
    assert [(token.kind, token.text) for token in tokens if token.text != ","] == [
        ("word", "select"),
        ("quoted", '"A""b"'),
        ("string", "'it''s'"),
        ("dollar", "$$x;y$$"),
        ("number", "1.5e3"),
        ("variable", "$v"),
        ("word", "from"),
        ("punctuation", "@"),
        ("word", "s"),
        ("punctuation", "."),
        ("word", "t"),
    ]
    assert all(text[token.position :].startswith(token.text) for token in tokens)


@pytest.mark.parametrize("text", ["'", '"a', "$$ a", "/* a", "'a\\'"])
def test_what_is_never_closed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="never closed"):
        list(tokenize(text))


@pytest.mark.parametrize("schema", [Duration.json_schema(), Schedule.json_schema()])
def test_the_schemas_accept_their_examples(schema: dict[str, list[str]]) -> None:
    for example in schema["examples"]:
        jsonschema.validate(example, schema)
