"""What a real account would send to the queue of a notification integration; here it lies in an outbox.

The messages are those of https://docs.snowflake.com/en/user-guide/tasks-errors-integrate and tasks-success-integrate.
"""

from __future__ import annotations

import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

from pinky_local.engine import identifiers
from pinky_local.engine.runs.records import GraphRun, TaskRun
from pinky_local.engine.specs.tasks import identity

MOST = 10_000


class Outbox:
    """The messages in the order in which they were sent, each with its integration; the oldest go beyond 10,000."""

    def __init__(self) -> None:
        self._messages: deque[dict[str, Any]] = deque(maxlen=MOST)

    def put(self, integration: str, message: dict[str, Any]) -> None:
        """Send a message."""
        self._messages.append({"integration": integration, "message": message})

    def messages(self) -> list[dict[str, Any]]:
        """All of them, as ``{"integration": name, "message": {…}}``."""
        return list(self._messages)

    def clear(self) -> None:
        """Forget them."""
        self._messages.clear()


def failure(account: str, now: datetime, graph: GraphRun, run: TaskRun) -> dict[str, Any]:
    """USER_TASK_FAILED. ``completedTime`` is the text null, as the documented sample has it."""
    about = {
        "runId": _iso(graph.original_time),
        "scheduledTime": _iso(run.scheduled_time),
        "queryStartTime": _iso(run.query_start_time),
        "completedTime": "null",
        "queryId": run.query_id,
        "errorCode": f"{run.error_code or 0:06d}",
        "errorMessage": run.error_message,
    }
    return _head("USER_TASK_FAILED", account, now) | {
        "taskName": identifiers.dotted(run.path),
        "taskId": identity(run.number),
        **_root(graph),
        "messages": [about],
    }


def success(account: str, now: datetime, graph: GraphRun) -> dict[str, Any]:
    """GRAPH_SUCCEEDED."""
    root = graph.outcomes().get(graph.root)
    about = {
        "runId": _iso(graph.original_time),
        "scheduledTime": _iso(graph.scheduled_time),
        "queryStartTime": _iso(graph.query_start_time),
        "graphCompletedTime": _iso(graph.completed_time),
        "queryId": root.query_id if root is not None else None,
        "attemptNumber": graph.attempt,
    }
    return _head("GRAPH_SUCCEEDED", account, now) | _root(graph) | {"messages": [about]}


def _head(kind: str, account: str, now: datetime) -> dict[str, Any]:
    return {
        "version": "1.0",
        "messageId": str(uuid.uuid4()),
        "messageType": kind,
        "timestamp": _iso(now),
        "accountName": account,
    }


def _root(graph: GraphRun) -> dict[str, Any]:
    return {"rootTaskName": identifiers.dotted(graph.path), "rootTaskId": identity(graph.root)}


def _iso(moment: datetime | None) -> str:
    if moment is None:
        return "null"
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
