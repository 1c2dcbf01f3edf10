"""An account with rows whose tasks run on its clock, spoken to in process."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine


class TaskAccount:
    """A session of ACCOUNTADMIN in D.S, with a table LOG (WHAT, AT) that task bodies write into."""

    def __init__(self, folder: Path | None = None) -> None:
        self.data = DuckDataPlane(folder)
        self.engine = CatalogEngine(folder, self.data)
        self.scheduler = self.engine.scheduler
        self.speaker: Speaker = speaker(self.engine)
        self.speaker.session.parameters["TIMEZONE"] = "UTC"
        self.speaker.session.warehouse = "COMPUTE_WH"

    def set_up(self) -> None:
        self.run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE log (what VARCHAR, at TIMESTAMP_LTZ)")

    def run(self, *statements: str) -> list[dict[str, Any]]:
        return self.speaker.run(*statements)

    def task(self, name: str, clauses: str = "", body: str | None = None, *, resume: bool = True) -> None:
        """A task on COMPUTE_WH that writes its name into LOG, or does what ``body`` says."""
        text = body or f"INSERT INTO log SELECT '{name}', CURRENT_TIMESTAMP()"
        self.run(f"CREATE TASK {name} WAREHOUSE = compute_wh {clauses} AS {text}")
        if resume:
            self.run(f"ALTER TASK {name} RESUME")

    def graph(self, *tasks: tuple[str, str] | tuple[str, str, str], resume: bool = True) -> None:
        """Tasks, the root first; they are resumed from the last to the first."""
        for name, *rest in tasks:
            self.task(name, *rest, resume=False)
        if resume:
            for name, *_ in reversed(tasks):
                self.run(f"ALTER TASK {name} RESUME")

    def advance(self, seconds: float) -> None:
        self.scheduler.advance(timedelta(seconds=seconds))

    def execute(self, statement: str) -> str:
        """Run EXECUTE TASK and wait until its run is over; what it answered."""
        answer = self.speaker.one(statement)["status"]
        assert self.scheduler.settle(30)
        return str(answer)

    @property
    def log(self) -> list[str]:
        return [row["WHAT"] for row in self.run("SELECT what FROM log ORDER BY at, what")]

    def history(self, *columns: str, arguments: str = "") -> list[Any]:
        """TASK_HISTORY of what has run, the earliest first."""
        listed = ", ".join(columns)
        rows = self.run(
            f"SELECT {listed} FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY({arguments})) WHERE state <> 'SCHEDULED'"
        )
        found = [tuple(row.values()) for row in reversed(rows)]
        return [row[0] for row in found] if len(columns) == 1 else found

    def states(self) -> dict[str, str]:
        """The state of each task's last run."""
        return dict(self.history("NAME", "STATE"))

    def close(self) -> None:
        self.engine.stop()
        self.data.close()
