"""Conditions of tasks, against the WHEN clause of create-task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pinky_local.engine.runs.conditions import holds
from pinky_local.types import SqlError

VALUES = {"N": "12", "F": "0.15", "T": "true", "S": "SKIP", "EMPTY": None}


def functions(name: str, arguments: Sequence[Any]) -> Any:
    if name == "SYSTEM$STREAM_HAS_DATA":
        return arguments[0] == "FULL"
    assert name == "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"
    return VALUES[arguments[0]]


def value(name: str) -> str:
    return f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{name}')"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1=1", True),
        ("1 = 2", False),
        ("SYSTEM$STREAM_HAS_DATA('FULL')", True),
        ("system$stream_has_data('EMPTY') or SYSTEM$STREAM_HAS_DATA('FULL')", True),
        ("SYSTEM$STREAM_HAS_DATA('EMPTY') AND SYSTEM$STREAM_HAS_DATA('FULL')", False),
        ("FALSE AND FALSE OR TRUE", True),
        ("FALSE AND (FALSE OR TRUE)", False),
        ("NOT FALSE AND TRUE", True),
        (f"NOT {value('T')}::BOOLEAN", False),
        (f"{value('S')} <> 'SKIP'", False),
        (f"{value('S')} != 'VALIDATION'", True),
        (f"{value('F')}::FLOAT < 0.2", True),
        (f"{value('N')} > 5", True),
        (f"{value('N')} = '12.0'", False),
        (f"CAST({value('N')} AS NUMBER(10,2)) = 12.0", True),
        (f"TO_NUMBER({value('N')}) BETWEEN -1 AND 12", True),
        (f"{value('S')} IN ('RUN', 'SKIP')", True),
        (f"{value('S')} NOT IN ('RUN', 'SKIP')", False),
        (f"{value('EMPTY')} <> 'SKIP'", False),
        (f"NOT {value('EMPTY')} = 'SKIP'", False),
        (f"{value('EMPTY')} IS NULL", True),
        (f"{value('S')} IS NOT NULL", True),
        (f"TRY_CAST({value('S')} AS NUMBER) IS NULL", True),
        (f"TO_VARCHAR({value('T')}::BOOLEAN) = 'true'", True),
        ("NULL OR TRUE", True),
        ("NULL AND FALSE", False),
        ("'yes'", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    assert holds(text, functions) is expected


@pytest.mark.parametrize(
    ("text", "errno"),
    [
        (f"{value('S')}::NUMBER = 1", 100038),
        (f"{value('S')}", 100037),
        ("1 =", 1003),
        ("TRUE TRUE", 1003),
        ("'1'::GEOGRAPHY = 1", 2040),
        ("(TRUE", 1003),
    ],
)
def test_what_cannot_be_evaluated(text: str, errno: int) -> None:
    with pytest.raises(SqlError) as caught:
        holds(text, functions)
    assert caught.value.errno == errno
