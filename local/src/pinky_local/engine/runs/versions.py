"""A version of a task graph: everything a run needs to know of its tasks, as they were when it began.

https://docs.snowflake.com/en/user-guide/tasks-graphs (Versioning): a graph changes only while its root is suspended,
and a run that has begun goes on with the version it began with.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pinky_local.engine import parameters, task_graphs
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.tasks import EXECUTE_AS_USER
from pinky_local.engine.statement import Statement

NO_OVERLAP, CHILD_OVERLAP, ALL_OVERLAP = "NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP"
LONGEST_MS = 604_800_000
"""What 0 stands for in USER_TASK_TIMEOUT_MS: seven days."""


@dataclass(frozen=True, slots=True)
class TaskVersion:
    """One task of a version. ``after`` are numbers; ``own_timeout`` says that the task itself sets its time limit."""

    number: int
    path: tuple[str, str, str]
    definition: str
    condition: str | None
    after: tuple[int, ...]
    started: bool
    warehouse: str | None
    user: str | None
    session_parameters: dict[str, Any]
    timeout_ms: int
    own_timeout: bool

    @property
    def name(self) -> str:
        """The task's own name."""
        return self.path[2]


@dataclass(frozen=True, slots=True)
class GraphVersion:
    """A graph: the root, the tasks after it in an order in which they can run, the finalizer, what the root decides."""

    root: TaskVersion
    children: tuple[TaskVersion, ...]
    finalizer: TaskVersion | None
    number: int
    fingerprint: str
    schedule: str | None
    config: str | None
    overlap: str
    retries: int
    suspend_after: int
    trigger_seconds: int
    error_integration: str | None
    success_integration: str | None

    def task(self, number: int) -> TaskVersion | None:
        """A task by its number, the finalizer too."""
        members = (self.root, *self.children, *((self.finalizer,) if self.finalizer else ()))
        return next((member for member in members if member.number == number), None)


def take(statement: Statement, root: CatalogObject) -> GraphVersion:
    """The present version of a graph; its number rises where something changed since the last one was taken.

    The caller holds the account's lock.
    """
    last = task_graphs.finalizer(statement, root)
    members = [task for task in task_graphs.below(statement, root) if last is None or task.number != last.number]
    ordered = _in_order(statement, root, members)
    fingerprint = _fingerprint([*ordered, *((last,) if last is not None else ())], root)
    if root.state.get("graph_fingerprint") != fingerprint:
        root.state["graph_fingerprint"] = fingerprint
        root.state["graph_version"] = int(root.state.get("graph_version", 0)) + 1
        statement.account.changed = True
    return GraphVersion(
        root=_task(statement, root),
        children=tuple(_task(statement, task) for task in ordered if task.number != root.number),
        finalizer=_task(statement, last) if last is not None else None,
        number=int(root.state["graph_version"]),
        fingerprint=fingerprint,
        schedule=root.properties.get("SCHEDULE"),
        config=root.properties.get("CONFIG"),
        overlap=str(root.properties.get("OVERLAP_POLICY") or NO_OVERLAP),
        retries=int(_effective(statement, "TASK_AUTO_RETRY_ATTEMPTS", root)),
        suspend_after=int(_effective(statement, "SUSPEND_TASK_AFTER_NUM_FAILURES", root)),
        trigger_seconds=int(_effective(statement, "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS", root)),
        error_integration=root.properties.get("ERROR_INTEGRATION"),
        success_integration=root.properties.get("SUCCESS_INTEGRATION"),
    )


def _in_order(statement: Statement, root: CatalogObject, members: list[CatalogObject]) -> list[CatalogObject]:
    """Predecessors before their children, else by name: the same order in every run."""
    waiting = sorted((task for task in members if task.number != root.number), key=lambda task: task.name)
    numbers = {task.number for task in members}
    done, ordered = {root.number}, [root]
    while waiting:
        ready = next((task for task in waiting if _before(statement, task) & numbers <= done), None)
        if ready is None:
            raise task_graphs.graph_error(f"Graph has at least one cycle containing task {waiting[0].name}.")
        waiting.remove(ready)
        done.add(ready.number)
        ordered.append(ready)
    return ordered


def _before(statement: Statement, task: CatalogObject) -> set[int]:
    return {other.number for other in task_graphs.predecessors(statement, task)}


def _task(statement: Statement, task: CatalogObject) -> TaskVersion:
    database, schema, name = statement.catalog.path(task)
    timeout = int(_effective(statement, "USER_TASK_TIMEOUT_MS", task)) or LONGEST_MS
    return TaskVersion(
        number=task.number,
        path=(database, schema, name),
        definition=str(task.state.get("definition") or ""),
        condition=task.state.get("condition"),
        after=tuple(other.number for other in task_graphs.predecessors(statement, task)),
        started=task.state.get("state") == task_graphs.STARTED,
        warehouse=task.properties.get("WAREHOUSE"),
        user=task.properties.get(EXECUTE_AS_USER),
        session_parameters=_for_session(task),
        timeout_ms=timeout,
        own_timeout="USER_TASK_TIMEOUT_MS" in task.parameters,
    )


def _for_session(task: CatalogObject) -> dict[str, Any]:
    known = parameters.PARAMETERS
    return {name: value for name, value in task.parameters.items() if "session" in known[name].levels}


def _effective(statement: Statement, name: str, task: CatalogObject) -> Any:
    return parameters.effective(statement, parameters.PARAMETERS[name], task)[0]


def _fingerprint(tasks: list[CatalogObject], root: CatalogObject) -> str:
    """What of a graph counts as its definition; whether the root is started does not."""
    facts = [
        [
            task.number, task.name, task.state.get("definition"), task.state.get("condition"), task.state.get("after"),
            task.state.get("finalize"), task.properties, task.parameters,
            None if task.number == root.number else task.state.get("state"),
        ]
        for task in tasks
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
