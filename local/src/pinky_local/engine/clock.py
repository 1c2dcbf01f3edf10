"""The account's clock: real time plus an offset that only ever grows, so that hours pass in a test in no time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus ``offset``. Thread safe; it never runs backwards, not even when the machine's clock does."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._last = datetime(2000, 1, 1, tzinfo=UTC)
        self._lock = threading.Lock()

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead of real time."""
        return self._offset

    def now(self) -> datetime:
        """The present in UTC, in whole milliseconds."""
        with self._lock:
            instant = datetime.now(UTC) + self._offset
            self._last = max(instant.replace(microsecond=instant.microsecond // 1000 * 1000), self._last)
            return self._last

    def forward(self, by: timedelta) -> None:
        """Move the clock. Raises `ValueError` for a negative time: what has happened stays in the past."""
        if by < timedelta():
            raise ValueError(f"the clock cannot be moved by {by.total_seconds()} seconds; it only moves forward")
        with self._lock:
            self._offset += by

    def forward_to(self, instant: datetime) -> None:
        """Move the clock so that it is at least this instant; where it is later already, nothing happens."""
        missing = instant - self.now()
        if missing > timedelta():
            self.forward(missing)
