from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pinky_local.encoding import rowset, rowtype
from pinky_local.types import Result, ResultColumn


def cell(value: Any, kind: str, scale: int | None = None) -> str | None:
    return rowset(Result([ResultColumn("C", kind, scale=scale)], [[value]]))[0][0]


@pytest.mark.parametrize(
    ("value", "kind", "scale", "expected"),
    [
        (None, "fixed", 0, None),
        (123, "fixed", 0, "123"),
        (-7, "fixed", None, "-7"),
        (10**37, "fixed", 0, "1" + "0" * 37),
        (12, "fixed", 2, "12.00"),
        (Decimal("12.3"), "fixed", 2, "12.30"),
        (Decimal("-0.05"), "fixed", 2, "-0.05"),
        (Decimal("-0.00"), "fixed", 2, "0.00"),
        (Decimal("1E+3"), "fixed", 0, "1000"),
        (Decimal("1.500"), "fixed", 1, "1.5"),
        (Decimal("12345678901234567890123456789012345678"), "fixed", 0, "12345678901234567890123456789012345678"),
        (1.5, "real", None, "1.5"),
        (float("nan"), "real", None, "NaN"),
        (float("-inf"), "real", None, "-inf"),
        ("é", "text", None, "é"),
        ('{"a": 1}', "variant", None, '{"a": 1}'),
        (True, "boolean", None, "1"),
        (False, "boolean", None, "0"),
        (date(2024, 8, 2), "date", None, "19937"),
        (date(1969, 12, 31), "date", None, "-1"),
        (time(12, 34, 56, 123456), "time", 9, "45296.123456000"),
        (time(12, 34, 56), "time", 0, "45296"),
        (datetime(1970, 1, 2), "timestamp_ntz", 9, "86400.000000000"),
        (datetime(1970, 1, 1, 0, 0, 1, 250000), "timestamp_ntz", 3, "1.250"),
        (datetime(1969, 12, 31, 23, 59, 58, 500000), "timestamp_ntz", 3, "-1.500"),
        (datetime(1969, 12, 31, 23, 59, 59, 500000), "timestamp_ntz", 1, "-0.5"),
        (datetime(2024, 1, 1, tzinfo=UTC), "timestamp_ltz", 0, "1704067200"),
        (datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "timestamp_tz", 3, "1704067200.000 1500"),
        (datetime(2024, 1, 1, tzinfo=timezone(-timedelta(hours=8))), "timestamp_tz", 0, "1704096000 960"),
        (b"\x00\xff", "binary", None, "00FF"),
    ],
)
def test_cells_are_written_as_the_connectors_read_them(
    value: Any, kind: str, scale: int | None, expected: str | None
) -> None:
    assert cell(value, kind, scale) == expected


@pytest.mark.parametrize(
    ("value", "kind", "scale"),
    [
        ("1", "fixed", 0),
        (True, "fixed", 0),
        (Decimal("1.5"), "fixed", 0),
        (Decimal("NaN"), "fixed", 0),
        (1, "text", None),
        (1, "boolean", None),
        (datetime(2024, 1, 1), "date", None),
        (datetime(2024, 1, 1, tzinfo=UTC), "timestamp_ntz", 9),
        (datetime(2024, 1, 1), "timestamp_ltz", 9),
        (datetime(2024, 1, 1), "timestamp_tz", 9),
        ("00", "binary", None),
        (1, "int", None),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_refused_and_named(value: Any, kind: str, scale: int | None) -> None:
    with pytest.raises(TypeError, match="column C: "):
        cell(value, kind, scale)


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(TypeError, match="a row has 2 cells, the result 1 columns"):
        rowset(Result([ResultColumn("A")], [["a", "b"]]))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (ResultColumn("N", "fixed"), {"precision": 38, "scale": 0, "length": None}),
        (ResultColumn("N", "fixed", precision=10, scale=2), {"precision": 10, "scale": 2, "length": None}),
        (ResultColumn("T", "text"), {"precision": None, "scale": None, "length": 16_777_216}),
        (ResultColumn("T", "text", length=10), {"length": 10, "byteLength": 40}),
        (ResultColumn("B", "binary", length=10), {"length": 10, "byteLength": 10}),
        (ResultColumn("S", "timestamp_ltz"), {"precision": 0, "scale": 9}),
        (ResultColumn("S", "time", scale=0), {"precision": 0, "scale": 0}),
        (ResultColumn("V", "variant", nullable=False), {"nullable": False, "precision": None, "scale": None}),
    ],
)
def test_every_column_is_described_with_every_key(column: ResultColumn, expected: dict[str, Any]) -> None:
    described = rowtype(column)
    assert {"name", "type", "nullable", "precision", "scale", "length"} <= described.keys()
    assert described.items() >= {"name": column.name, "type": column.type, **expected}.items()
