"""SCHEDULE of a task as times: an interval that starts when the task is resumed, or a cron expression.

https://docs.snowflake.com/en/sql-reference/sql/alter-task: an interval is counted from the moment of RESUME, so the
first run comes one interval later, and from the moment another interval is set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from pinky_local.engine.runs import cron
from pinky_local.engine.specs.tasks import SECONDS

_INTERVAL = re.compile(r"\s*(\d+)\s*([A-Za-z]+)\s*\Z")
_CRON = re.compile(r"\s*USING\s+CRON\s+(.+?)\s+(\S+)\s*\Z", re.IGNORECASE | re.DOTALL)


class Schedule(Protocol):
    """When a task runs."""

    def next_after(self, instant: datetime, base: datetime) -> datetime | None:
        """The first time after an instant; ``base`` is when the task was resumed. None: never again."""


@dataclass(frozen=True, slots=True)
class Every:
    """One interval after the other, counted from the base."""

    interval: timedelta

    def next_after(self, instant: datetime, base: datetime) -> datetime | None:
        """See `Schedule.next_after`."""
        if instant < base:
            return base + self.interval
        return base + ((instant - base) // self.interval + 1) * self.interval


@dataclass(frozen=True, slots=True)
class At:
    """The times of a cron expression."""

    expression: cron.Cron

    def next_after(self, instant: datetime, base: datetime) -> datetime | None:
        """See `Schedule.next_after`; a task resumed in a minute that the expression names does not run in it."""
        return self.expression.next_after(max(instant, base))


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """A schedule from the text of SCHEDULE. Raises `ValueError` for one that cannot be."""
    found = _CRON.match(text)
    if found is not None:
        return At(cron.parse(found[1], found[2]))
    interval = _INTERVAL.match(text)
    if interval is None or interval[2].upper() not in SECONDS:
        raise ValueError(f"not a schedule: {text}")
    return Every(timedelta(seconds=int(interval[1]) * SECONDS[interval[2].upper()]))
