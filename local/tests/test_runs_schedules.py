"""When tasks run: intervals and cron expressions, against create-task, alter-task and the pages on daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pinky_local.engine.clock import Clock
from pinky_local.engine.runs import cron, schedules


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(expression: str, zone: str, start: str, count: int) -> list[str]:
    parsed, moment, found = cron.parse(expression, zone), at(start), []
    for _ in range(count):
        following = parsed.next_after(moment)
        assert following is not None
        moment = following
        found.append(moment.strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("* * * * *", "2026-03-01 10:00:30", ["2026-03-01 10:01", "2026-03-01 10:02"]),
        ("18 9-11/2 * * *", "2026-03-01 10:00", ["2026-03-01 11:18", "2026-03-02 09:18"]),
        ("5/25 0 * * *", "2026-03-01 00:00", ["2026-03-01 00:05", "2026-03-01 00:30", "2026-03-01 00:55"]),
        ("0 0 L * *", "2026-02-01 00:00", ["2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 1,L FEB *", "2028-01-01 00:00", ["2028-02-01 00:00", "2028-02-29 00:00"]),
        ("0 0 * * 5L", "2026-03-01 00:00", ["2026-03-27 00:00", "2026-04-24 00:00"]),
        ("0 0 * * L", "2026-03-01 00:00", ["2026-03-07 00:00"]),
        ("0 0 * * 7", "2026-03-02 00:00", ["2026-03-08 00:00"]),
        ("0 0 * 4/3 SUN", "2026-03-01 00:00", ["2026-04-05 00:00"]),
        ("0 12 * jan-mar Mon,wed", "2026-03-01 00:00", ["2026-03-02 12:00", "2026-03-04 12:00"]),
        ("0 0 10-11 * TUE", "2026-03-02 00:00", ["2026-03-03 00:00", "2026-03-10 00:00", "2026-03-11 00:00"]),
    ],
)
def test_cron_fields(expression: str, start: str, expected: list[str]) -> None:
    assert times(expression, "UTC", start, len(expected)) == expected


def test_an_hour_that_summer_time_skips_does_not_run() -> None:
    assert times("30 2 * * *", "America/Los_Angeles", "2026-03-07 00:00", 2) == ["2026-03-07 10:30", "2026-03-09 09:30"]


def test_an_hour_that_comes_twice_runs_twice() -> None:
    found = times("0 1 * * *", "America/Los_Angeles", "2026-11-01 00:00", 3)
    assert found == ["2026-11-01 08:00", "2026-11-01 09:00", "2026-11-02 09:00"]


def test_a_day_that_never_comes() -> None:
    assert cron.parse("0 0 31 2 *", "UTC").next_after(at("2026-01-01 00:00")) is None


@pytest.mark.parametrize(
    "expression",
    ["* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "9-5 * * * *", "*/0 * * * *", "a * * * *"],
)
def test_what_is_no_cron_expression(expression: str) -> None:
    with pytest.raises(ValueError, match="cron"):
        cron.parse(expression, "UTC")


def test_an_unknown_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone Mars"):
        cron.parse("* * * * *", "Mars")


@pytest.mark.parametrize(("text", "seconds"), [("5 MINUTES", 300), ("10 m", 600), ("15 second", 15), ("2 H", 7200)])
def test_intervals_count_from_the_moment_of_resume(text: str, seconds: int) -> None:
    base = at("2026-03-01 09:03:07")
    schedule = schedules.parse(text)
    assert schedule.next_after(base, base) == base + timedelta(seconds=seconds)
    assert schedule.next_after(base + timedelta(seconds=seconds), base) == base + timedelta(seconds=2 * seconds)
    assert schedule.next_after(base + timedelta(seconds=seconds + 1), base) == base + timedelta(seconds=2 * seconds)


def test_a_cron_task_resumed_within_its_minute_waits_for_the_next() -> None:
    schedule = schedules.parse("USING CRON 0 0 * * * Europe/Paris")
    resumed = at("2026-01-01 23:00:05")
    assert schedule.next_after(resumed, resumed) == at("2026-01-02 23:00")


def test_the_clock_only_moves_forward() -> None:
    clock = Clock()
    before = clock.now()
    clock.forward(timedelta(hours=3))
    assert clock.now() - before >= timedelta(hours=3)
    clock.forward_to(before)
    assert clock.offset == timedelta(hours=3)
    with pytest.raises(ValueError, match="only moves forward"):
        clock.forward(timedelta(seconds=-1))
