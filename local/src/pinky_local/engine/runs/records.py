"""What is kept of a task run and of a graph run, in memory and in the folder of the account."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

EXECUTING, SUCCEEDED, FAILED, CANCELLED, SKIPPED = "EXECUTING", "SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED"
AUTO_SUSPENDED = "FAILED_AND_AUTO_SUSPENDED"
SCHEDULE, EXECUTE_TASK, MANUAL_RETRY, AUTOMATIC_RETRY, TRIGGER = (
    "SCHEDULE", "EXECUTE_TASK", "MANUAL RETRY", "AUTOMATIC RETRY", "TRIGGER",
)  # fmt: skip
"""States, and what started a run, as https://docs.snowflake.com/en/sql-reference/functions/task_history names them."""

ENDED_BADLY = (FAILED, AUTO_SUSPENDED, CANCELLED)


@dataclass(slots=True)
class TaskRun:
    """One run of one task. ``number`` is the task's in the catalog, ``path`` its database, schema and name."""

    number: int
    path: tuple[str, str, str]
    definition: str
    condition: str | None
    scheduled_time: datetime
    state: str = EXECUTING
    query_id: str | None = None
    query_start_time: datetime | None = None
    completed_time: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None
    return_value: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it failed, also where that suspended the graph."""
        return self.state in (FAILED, AUTO_SUSPENDED)


@dataclass(slots=True)
class GraphRun:
    """One attempt to run a graph (a task alone is a graph of one).

    ``group`` is the same for all attempts, ``original_time`` the first attempt's scheduled time, ``last_success`` the
    group and original time of the latest successful run before the group began.
    """

    group: str
    attempt: int
    root: int
    path: tuple[str, str, str]
    version: int
    fingerprint: str
    scheduled_from: str
    scheduled_time: datetime
    original_time: datetime
    config: str | None = None
    next_time: datetime | None = None
    last_success: tuple[str, datetime] | None = None
    state: str = EXECUTING
    completed_time: datetime | None = None
    tasks: list[TaskRun] = field(default_factory=list)

    @property
    def first_error(self) -> TaskRun | None:
        """The first task run that failed."""
        return next((run for run in self.tasks if run.failed), None)

    @property
    def query_start_time(self) -> datetime | None:
        """When the root's statement began; None where this attempt did not run the root."""
        return next((run.query_start_time for run in self.tasks if run.number == self.root), None)

    def outcomes(self) -> dict[int, TaskRun]:
        """The task runs by the task's number."""
        return {run.number: run for run in self.tasks}


def to_json(run: GraphRun) -> dict[str, Any]:
    """A graph run as JSON values."""
    return {key: _plain(value) for key, value in asdict(run).items()}


def from_json(values: dict[str, Any]) -> GraphRun:
    """What `to_json` wrote."""
    tasks = [_made(TaskRun, task) for task in values.pop("tasks")]
    success = values.pop("last_success")
    run: GraphRun = _made(GraphRun, values)
    run.tasks = tasks
    run.last_success = (success[0], datetime.fromisoformat(success[1])) if success else None
    return run


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _made(kind: Any, values: dict[str, Any]) -> Any:
    known = {one.name for one in fields(kind)}
    made = {key: value for key, value in values.items() if key in known}
    for name, value in made.items():
        if name.endswith("_time") and value is not None:
            made[name] = datetime.fromisoformat(value)
    made["path"] = tuple(made["path"])
    return kind(**made)
