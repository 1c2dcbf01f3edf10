"""Named arguments of table functions, as the data plane hands them over: (name, value), or a value alone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pinky_local.engine import errors, parameters
from pinky_local.engine.statement import Statement
from pinky_local.types import SqlError

MOST_ROWS = 10_000


def read(function: str, arguments: Sequence[Any], *names: str) -> dict[str, Any]:
    """Arguments by name, those without one in order. Raises 000904 for an unknown one, 000939 for too many."""
    found: dict[str, Any] = {}
    for position, argument in enumerate(arguments):
        if isinstance(argument, tuple):
            name, value = argument
        elif position < len(names):
            name, value = names[position], argument
        else:
            text = f"too many arguments for function [{function}] expected {len(names)}, got {len(arguments)}"
            raise errors.compilation(939, "22023", text)
        if name not in names:
            raise errors.invalid_identifier(name)
        found[name] = value
    return found


def limit(value: Any, default: int) -> int:
    """RESULT_LIMIT: from 1 to 10,000. Raises 001044 outside of it."""
    if value is None:
        return default
    if not str(value).isdigit() or not 1 <= int(value) <= MOST_ROWS:
        raise errors.compilation(1044, "42P13", f"invalid value [{value}] for RESULT_LIMIT: from 1 to {MOST_ROWS}")
    return int(value)


def flag(value: Any) -> bool:
    """A boolean, also as text."""
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1")


def moment(statement: Statement, value: Any) -> datetime | None:
    """A timestamp, also as text; without an offset it is of the session's time zone. Raises 100035 for other text."""
    if value is None or isinstance(value, datetime):
        return value
    text = str(value).strip()
    for pattern in ("%Y-%m-%d %H:%M:%S.%f %z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            return datetime.strptime(text, pattern).astimezone(UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise SqlError(100035, "22007", f"Timestamp '{text}' is not recognized") from problem
    if found.tzinfo is None:
        zone, _ = parameters.in_session(statement, parameters.PARAMETERS["TIMEZONE"])
        found = found.replace(tzinfo=zoneinfo.ZoneInfo(str(zone)))
    return found.astimezone(UTC)
