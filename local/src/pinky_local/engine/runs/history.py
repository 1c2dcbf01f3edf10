"""The runs of tasks, the oldest forgotten; in a folder one JSON line for each that ended, so a restart keeps them."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

from pinky_local.engine.runs.records import SUCCEEDED, GraphRun, from_json, to_json

KEPT = timedelta(days=14)
"""How long a run is kept: EXECUTE TASK … RETRY reaches back 14 days, TASK_HISTORY seven."""

MOST = 100_000


class History:
    """Graph runs in the order in which they began. Thread safe.

    ``folder`` holds task_runs.jsonl, with the offset of the clock in lines of its own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._runs: list[GraphRun] = []
        self._lock = threading.Lock()
        self._path = folder / "task_runs.jsonl" if folder is not None else None
        self.offset = timedelta()
        if self._path is not None and self._path.exists():
            self._load(self._path)

    def _load(self, path: Path) -> None:
        """A last line that the end of a process cut short is left out."""
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            values = json.loads(line)
            if "offset" in values:
                self.offset = timedelta(seconds=values["offset"])
            else:
                self._runs.append(from_json(values))

    def begin(self, run: GraphRun) -> None:
        """Add a run that has just begun."""
        with self._lock:
            self._runs.append(run)
            del self._runs[: max(0, len(self._runs) - MOST)]

    def ended(self, run: GraphRun) -> None:
        """Write a run that has ended into the folder."""
        self._append(json.dumps(to_json(run)))

    def clock_moved(self, offset: timedelta) -> None:
        """Write how far the clock is ahead, so that time does not run backwards over a restart."""
        self._append(json.dumps({"offset": offset.total_seconds()}))

    def forget_before(self, instant: datetime) -> None:
        """Forget what was scheduled before, except the latest success of each root; once, when an account starts."""
        with self._lock:
            lasting = {run.root: run for run in self._runs if run.state == SUCCEEDED}
            self._runs = [run for run in self._runs if run.scheduled_time >= instant or lasting.get(run.root) is run]
            if self._path is None or not self._path.exists():
                return
            beside = self._path.with_suffix(".new")
            lines = [json.dumps({"offset": self.offset.total_seconds()}), *(json.dumps(to_json(r)) for r in self._runs)]
            beside.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            beside.replace(self._path)

    def runs(self) -> list[GraphRun]:
        """All runs, the earliest first."""
        with self._lock:
            return list(self._runs)

    def of(self, root: int) -> list[GraphRun]:
        """The runs of one graph."""
        return [run for run in self.runs() if run.root == root]

    def _append(self, line: str) -> None:
        if self._path is not None:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
