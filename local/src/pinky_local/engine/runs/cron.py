"""Cron expressions as tasks write them: five fields in a time zone.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task (SCHEDULE). An expression names minutes on the
clocks of its zone, so what falls into an hour that daylight saving time skips does not run, and what falls into a
repeated hour runs twice. A day that both day fields restrict is one that either of them names.
"""

from __future__ import annotations

import calendar
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_MONTHS = {name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
_DAYS = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())}
_YEARS_AHEAD = 30
"""29 February on a given weekday comes back after 28 years; what has not come by then never does."""

DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    day: DayTest
    zone: zoneinfo.ZoneInfo

    def next_after(self, instant: datetime) -> datetime | None:
        """The first run after an instant (both aware), or None where there is none in thirty years."""
        start = instant.astimezone(self.zone).date() - timedelta(days=1)
        for ahead in range(_YEARS_AHEAD * 366):
            day = start + timedelta(days=ahead)
            if day.month not in self.months or not self.day(day):
                continue
            found = self._first_on(day, instant)
            if found is not None:
                return found
        return None

    def _first_on(self, day: date, instant: datetime) -> datetime | None:
        """The first run on a local day after the instant: every wall clock time in both its folds, where it exists."""
        times = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone, fold=fold)
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
            for fold in (0, 1)
        )
        instants = (local.astimezone(UTC) for local in times if _exists(local))
        return min((found for found in instants if found > instant), default=None)


def _exists(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def parse(expression: str, zone: str) -> Cron:
    """A cron expression. Raises `ValueError` naming the field that cannot be."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"a cron expression has five fields, found {len(fields)}")
    try:
        known = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as problem:
        raise ValueError(f"unknown time zone {zone}") from problem
    return Cron(
        _numbers(fields[0], 0, 59, {}),
        _numbers(fields[1], 0, 23, {}),
        _numbers(fields[3], 1, 12, _MONTHS),
        _day_test(fields[2], fields[4]),
        known,
    )


def _day_test(of_month: str, of_week: str) -> DayTest:
    by_month, by_week = _of_month(of_month), _of_week(of_week)
    if of_month == "*":
        return by_week
    if of_week == "*":
        return by_month
    return lambda day: by_month(day) or by_week(day)


def _of_month(field: str) -> DayTest:
    parts = field.upper().split(",")
    numbers = _numbers(",".join(part for part in parts if part != "L"), 1, 31, {}) if parts != ["L"] else frozenset()
    last = "L" in parts
    return lambda day: day.day in numbers or (last and day.day == _length(day))


def _of_week(field: str) -> DayTest:
    """Days of the week; ``5L`` is the last Friday of a month, a bare ``L`` Saturday, the last day of the week."""
    numbers: frozenset[int] = frozenset()
    last: set[int] = set()
    for part in field.upper().split(","):
        if part == "L":
            numbers |= {6}
        elif part.endswith("L") and part not in _DAYS:
            last |= {number % 7 for number in _numbers(part[:-1], 0, 7, _DAYS)}
        else:
            numbers |= {number % 7 for number in _numbers(part, 0, 7, _DAYS)}
    closing = frozenset(last)
    return lambda day: _weekday(day) in numbers or (_weekday(day) in closing and day.day > _length(day) - 7)


def _weekday(day: date) -> int:
    return (day.weekday() + 1) % 7


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _numbers(field: str, least: int, most: int, names: dict[str, int]) -> frozenset[int]:
    """``*``, numbers or names, ranges and steps; ``4/3`` is every third from 4."""
    found: set[int] = set()
    for part in field.upper().split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, most, {}, field) if slash else 1
        if span == "*":
            first, last = least, most
        elif "-" in span:
            low, _, high = span.partition("-")
            first, last = _number(low, least, most, names, field), _number(high, least, most, names, field)
        else:
            first = _number(span, least, most, names, field)
            last = most if slash else first
        if first > last:
            raise ValueError(f"{part} in the cron field {field} is an empty range")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, least: int, most: int, names: dict[str, int], field: str) -> int:
    if text in names:
        return names[text]
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{text or 'nothing'} in the cron field {field} is not a number from {least} to {most}")
    return int(text)
