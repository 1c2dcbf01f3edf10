from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from data_account import Account
from pinky_local.data import datatypes as dt
from pinky_local.types import SqlError


@pytest.mark.parametrize(
    ("written", "full", "duckdb"),
    [
        ("number", "NUMBER(38,0)", "DECIMAL(38,0)"),
        ("decimal(10, 2)", "NUMBER(10,2)", "DECIMAL(10,2)"),
        ("int", "NUMBER(38,0)", "DECIMAL(38,0)"),
        ("double precision", "FLOAT", "DOUBLE"),
        ("varchar", "VARCHAR(16777216)", "VARCHAR"),
        ("char", "VARCHAR(1)", "VARCHAR"),
        ("string(7)", "VARCHAR(7)", "VARCHAR"),
        ("timestamp_tz(3)", "TIMESTAMP_TZ(3)", "STRUCT(utc TIMESTAMPTZ, minutes SMALLINT)"),
        ("timestamp without time zone", "TIMESTAMP_NTZ(9)", "TIMESTAMP"),
        ("variant", "VARIANT", "JSON"),
        ("varbinary(5)", "BINARY(5)", "BLOB"),
    ],
)
def test_a_type_has_a_full_text_and_a_carrier(written: str, full: str, duckdb: str) -> None:
    kind = dt.parse_type(written)
    assert (kind.text, kind.duckdb) == (full, duckdb)
    assert dt.parse_type(kind.text) == kind


@pytest.mark.parametrize("written", ["geography", "number(39)", "number(5,6)", "int(3)", "", "varchar(x)"])
def test_an_unknown_type_is_refused(written: str) -> None:
    with pytest.raises(SqlError) as refused:
        dt.parse_type(written)
    assert refused.value.errno == 2040


@pytest.mark.parametrize(
    ("expression", "value", "precision", "scale"),
    [
        ("1/3", Decimal("0.333333"), 7, 6),
        ("2/3", Decimal("0.666667"), 7, 6),
        ("-2/3", Decimal("-0.666667"), 7, 6),
        ("10/4", Decimal("2.500000"), 8, 6),
        ("1.5 * 1.5", Decimal("2.25"), 4, 2),
        ("1 + 2.25", Decimal("3.25"), 4, 2),
        ("7 % 4", 3, 1, 0),
        ("99999 + 1", 100000, 6, 0),
        ("round(2.55, 1)", Decimal("2.6"), 4, 1),
        ("floor(-1.2)", -2, 3, 0),
        ("div0(5, 0)", Decimal("0.000000"), 7, 6),
    ],
)
def test_arithmetic_has_snowflakes_precision_and_scale(
    expression: str, value: object, precision: int, scale: int
) -> None:
    result = Account().query(f"SELECT {expression}")
    assert [tuple(row) for row in result.rows] == [(value,)]
    assert (result.columns[0].type, result.columns[0].precision, result.columns[0].scale) == ("fixed", precision, scale)


def test_every_type_comes_back_as_it_went_in() -> None:
    account = Account()
    account.table(
        "T", ("I", "NUMBER(38,0)"), ("N", "NUMBER(10,2)"), ("F", "FLOAT"), ("S", "VARCHAR(9)"), ("B", "BOOLEAN"),
        ("D", "DATE"),
        ("M", "TIME(9)"), ("NTZ", "TIMESTAMP_NTZ(9)"), ("LTZ", "TIMESTAMP_LTZ(9)"), ("TZ", "TIMESTAMP_TZ(9)"),
        ("X", "BINARY(10)"), ("V", "VARIANT"), ("A", "ARRAY"), ("O", "OBJECT"),
    )  # fmt: skip
    account.query(
        "INSERT INTO t SELECT 12345678901234567890123456789012345678, 1.5, 2.25, 'é', TRUE, "
        "'2024-02-29', '01:02:03.5', "
        "'2024-02-29 01:02:03.456', '2024-02-29 01:02:03 +0100', '2024-02-29 01:02:03 -03:30', 'ff00', "
        "PARSE_JSON('{\"b\":1,\"a\":[true,null]}'), ARRAY_CONSTRUCT(1, 'x'), OBJECT_CONSTRUCT('k', 1, 'gone', NULL)"
    )
    result = account.query("SELECT * FROM t")
    zone = timezone(-timedelta(hours=3, minutes=30))
    assert list(result.rows[0]) == [
        12345678901234567890123456789012345678, Decimal("1.50"), 2.25, "é", True, date(2024, 2, 29),
        time(1, 2, 3, 500000),
        datetime(2024, 2, 29, 1, 2, 3, 456000), datetime(2024, 2, 29, 0, 2, 3, tzinfo=UTC),
        datetime(2024, 2, 29, 1, 2, 3, tzinfo=zone), b"\xff\x00",
        '{\n  "a": [\n    true,\n    null\n  ],\n  "b": 1\n}', '[\n  1,\n  "x"\n]', '{\n  "k": 1\n}',
    ]  # fmt: skip
    assert result.rows[0][9].utcoffset() == -timedelta(hours=3, minutes=30)
    assert [column.type for column in result.columns] == [
        "fixed", "fixed", "real", "text", "boolean", "date", "time", "timestamp_ntz", "timestamp_ltz", "timestamp_tz",
        "binary", "variant", "array", "object",
    ]  # fmt: skip
    assert (result.columns[3].length, result.columns[7].scale, result.columns[1].scale) == (9, 9, 2)


def test_timestamps_with_offsets_compare_by_instant_and_keep_their_offset() -> None:
    account = Account()
    account.table("T", ("Z", "TIMESTAMP_TZ(9)"))
    account.query("INSERT INTO t VALUES ('2024-01-01 12:00:00 +02:00'), ('2024-01-01 11:30:00 +00:00')")
    assert (
        account.one("'2024-01-01 12:00:00 +02:00'::timestamp_tz = '2024-01-01 10:00:00 +00:00'::timestamp_tz") is True
    )
    assert [row[0] for row in account.rows("SELECT z::varchar FROM t ORDER BY z")] == [
        "2024-01-01 12:00:00.000 +0200",
        "2024-01-01 11:30:00.000 +0000",
    ]
    assert account.rows("SELECT z::timestamp_ntz FROM t WHERE z < '2024-01-01 11:00:00 +00:00'::timestamp_tz") == [
        (datetime(2024, 1, 1, 12, 0),)
    ]


def test_text_without_an_offset_is_read_in_the_sessions_time_zone() -> None:
    account = Account()
    account.session.parameters["TIMEZONE"] = "Europe/Berlin"
    assert account.one("'2024-07-01 12:00:00'::timestamp_ltz") == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert account.one("'2024-07-01 12:00:00'::timestamp_tz::varchar") == "2024-07-01 12:00:00.000 +0200"
    assert account.one("'2024-07-01 12:00:00 +05:00'::timestamp_ntz") == datetime(2024, 7, 1, 12)


@pytest.mark.parametrize(
    ("expression", "errno", "message"),
    [
        ("'abc'::int", 100038, "Numeric value 'abc' is not recognized"),
        ("'maybe'::boolean", 100037, "Boolean value 'maybe' is not recognized"),
        ("'2024-13-01'::date", 100040, "Date '2024-13-01' is not recognized"),
        ("'soon'::timestamp_ntz", 100035, "Timestamp 'soon' is not recognized"),
        ("1000::number(2,0)", 100039, "Numeric value '1000' is out of range"),
        ("99999999999999999999999999999999999999 * 10", 100046, "Number out of representable range"),
        ("1/0", 100051, "Division by zero"),
        ("1.5::float / 0", 100051, "Division by zero"),
        ("5 % 0", 100051, "Division by zero"),
        ("parse_json('{')", 100069, "Error parsing JSON"),
    ],
)
def test_a_value_that_does_not_convert_is_snowflakes_error(expression: str, errno: int, message: str) -> None:
    with pytest.raises(SqlError) as refused:
        Account().one(expression)
    assert refused.value.errno == errno
    assert message in refused.value.message


@pytest.mark.parametrize("expression", ["try_cast('x' as int)", "try_to_number('1x')", "try_to_date('x')"])
def test_trying_gives_null(expression: str) -> None:
    assert Account().one(expression) is None
