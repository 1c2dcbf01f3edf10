"""The tasks of an account as its owner sees them: move the clock, wait for runs, read what would have been sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pinky_local.engine import CatalogEngine
    from pinky_local.engine.clock import Clock

TaskMode = Literal["clock", "live"]


class Tasks:
    """Tasks and clock of the built-in engine."""

    def __init__(self, engine: CatalogEngine) -> None:
        self._engine = engine

    @property
    def clock(self) -> Clock:
        """What the whole account tells the time by."""
        return self._engine.account.clock

    def advance(self, seconds: float) -> datetime:
        """Move the clock and run, to the end, all tasks that fall due until then; the time afterwards.

        Raises `ValueError` for a negative number.
        """
        self._engine.scheduler.advance(timedelta(seconds=seconds))
        return self.clock.now()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until no graph run is left in the background; False where the time was over first."""
        return self._engine.scheduler.settle(seconds)

    @property
    def outbox(self) -> list[dict[str, Any]]:
        """What error and success integrations of tasks would have sent."""
        return self._engine.scheduler.outbox.messages()

    def clear_outbox(self) -> None:
        """Forget what is in the outbox."""
        self._engine.scheduler.outbox.clear()

    def running_json(self) -> list[dict[str, Any]]:
        """The graph runs that are under way, for the control API."""
        from pinky_local.engine import identifiers

        return [
            {
                "root": identifiers.dotted(run.path),
                "group": run.group,
                "attempt": run.attempt,
                "scheduled_from": run.scheduled_from,
            }
            for run in self._engine.scheduler.active()
        ]

    def clock_json(self) -> dict[str, Any]:
        """Time, offset in seconds and mode, for the control API."""
        return {
            "now": self.clock.now().isoformat(timespec="milliseconds"),
            "offset": self.clock.offset.total_seconds(),
            "tasks": self._engine.scheduler.mode,
        }
