"""A graph of the section ``dag`` as the documents of its tasks: a root, a task for each step, a finalizer.

The root starts the run and sets its return value: SKIP where there is nothing to do, else JSON. So does every step. A
step runs unless one of the tasks before it says SKIP; what comes after a task that did not run does not run either. The
function that reads a return value knows tasks by their names without schema, in the case in which they are stored.

Everything that the section can say is in the documents, as null where it is not said: what is taken out of a manifest
is taken off the task.

https://docs.snowflake.com/en/sql-reference/sql/create-task,
https://docs.snowflake.com/en/user-guide/tasks-graphs,
https://docs.snowflake.com/en/user-guide/tasks-triggered,
https://docs.snowflake.com/en/sql-reference/functions/system_get_predecessor_return_value,
https://docs.snowflake.com/en/sql-reference/sql/execute-task (a suspended root is run without resuming it)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pinky_core import Expanded, Identifier, sql_path, string_literal
from pinky_schema.dag_calls import call_text
from pinky_schema.dag_values import Graph, Mode, Step
from pinky_schema.dispatch_tasks import dispatch_settings

__all__ = ["COMPLETION", "graph_documents"]

GRACE_SECONDS = 300  # between the longest run of a graph and the end of its claim on files
COMPLETION = "15 MINUTES"  # a serverless task that a stream starts needs an interval; this is ours

_SIZES = {
    "initial_size": "user_task_managed_initial_warehouse_size",
    "min_size": "serverless_task_min_statement_size",
    "max_size": "serverless_task_max_statement_size",
    "completion_interval": "target_completion_interval",
}


def graph_documents(graph: Graph, *, notify: bool = False) -> Iterator[Expanded]:
    """The tasks of a graph."""
    origin = f"dag {graph.name}"
    yield Expanded("task", _root(graph), origin, graph.path)
    for step in graph.steps:
        yield Expanded("task", _step(graph, step), origin, step.path)
    yield Expanded("task", _finalizer(graph, notify=notify), origin, graph.path)


def _root(graph: Graph) -> dict[str, Any]:
    plain, trigger = graph.plain, graph.trigger
    stream = f"{str(trigger.slot).upper()}_STREAM"
    in_stream = f"SYSTEM$STREAM_HAS_DATA({string_literal(graph.qualified(stream))})"
    argument: dict[str, Any] = {"when": trigger.when}
    if trigger.slot is not None:
        argument |= {"refresh": trigger.mode is not Mode.STREAM, **_dispatch(graph)}
    return {
        **_common(graph, graph.root, graph.warehouse, completion=trigger.mode is Mode.STREAM),
        "schedule": trigger.schedule,
        "config": dict(plain.get("config") or {}) or None,
        "overlap_policy": plain.get("overlap_policy"),
        "error_integration": plain.get("notify_on_error"),
        "task_auto_retry_attempts": plain.get("retries"),
        "suspend_task_after_num_failures": plain.get("suspend_after_failures"),
        "user_task_timeout_ms": graph.timeout_ms,
        "comment": plain.get("comment"),
        "after": [],
        "when": in_stream if trigger.mode is Mode.STREAM else None,
        "definition": _call(graph, "START_RUN" if trigger.slot is None else "POLL_AND_DISPATCH", argument),
        **_state(graph, root=True),
    }


def _dispatch(graph: Graph) -> dict[str, Any]:
    """How files of the graph's slot are claimed; the claim of a run outlasts the longest run."""
    lease = graph.longest_ms // 1000 + GRACE_SECONDS
    return dispatch_settings({"lease_seconds": lease, **graph.trigger.options})


def _step(graph: Graph, step: Step) -> dict[str, Any]:
    argument: dict[str, Any] = {
        "step": step.name,
        "procedure": step.procedure,
        "sql": step.sql,
        "config": step.plain.get("config"),
    }
    if graph.trigger.slot is not None:
        argument |= {key: _dispatch(graph)[key] for key in ("existing_files", "lease_seconds")}
    if clients := step.plain.get("multi_client_execution"):
        database, schema = graph.schema
        argument |= {"clients": clients, "database": database.sql, "own_schema": str(schema)}
    return {
        **_common(graph, step.name, step.plain.get("warehouse", graph.warehouse)),
        "user_task_timeout_ms": step.timeout_ms,
        "comment": step.plain.get("comment"),
        "after": [name.sql for name in step.after],
        "when": _unless_skipped(step.after),
        "definition": _call(graph, "RUN_STEP", argument),
        **_state(graph),
    }


def _finalizer(graph: Graph, *, notify: bool) -> dict[str, Any]:
    argument: dict[str, Any] = {"steps": [step.name for step in graph.steps], "procedure": graph.finalizer}
    if graph.trigger.slot is not None:
        argument |= _dispatch(graph)
    if notify:
        argument["notify"] = True
    return {
        **_common(graph, graph.finish, graph.warehouse),
        "user_task_timeout_ms": None,
        "comment": None,
        "finalize": graph.root.sql,
        "definition": _call(graph, "FINISH_RUN", argument),
        **_state(graph),
    }


def _common(graph: Graph, name: Identifier, warehouse: str | None, *, completion: bool = False) -> dict[str, Any]:
    """What every task has: its name, what it runs on, its query tag."""
    sizes: Mapping[str, Any] = graph.plain.get("serverless") or {}
    values = {field: sizes.get(key) if warehouse is None else None for key, field in _SIZES.items()}
    if completion and warehouse is None and values["target_completion_interval"] is None:
        values["target_completion_interval"] = COMPLETION
    tag = {"pinky": {"graph": graph.name, "step": name}}
    return {"name": name.sql, "warehouse": warehouse, **values, "query_tag": json.dumps(tag, ensure_ascii=False)}


def _state(graph: Graph, *, root: bool = False) -> dict[str, str]:
    """Nobody but the root decides whether a graph runs: its other tasks are started, so that a run is a whole one.

    A root that is called on demand stays suspended: it runs all the same, and there is nothing to start.
    """
    wanted = graph.plain.get("state") or "started"
    if wanted == "unmanaged":
        return {}
    idle = wanted == "suspended" or graph.trigger.mode is Mode.ON_DEMAND
    return {"state": "suspended" if root and idle else "started"}


def _unless_skipped(names: Sequence[Identifier]) -> str:
    return " AND ".join(f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE({string_literal(name)}) <> 'SKIP'" for name in names)


def _call(graph: Graph, procedure: str, argument: Mapping[str, Any]) -> str:
    """A call of one of the procedures around a run, with what all of them need to know of the graph."""
    everywhere = {
        "schema": sql_path(graph.schema),
        "graph": graph.name,
        "root": graph.root,
        "version": graph.plain.get("version"),
        "slot": graph.trigger.slot,
    }
    given = {key: value for key, value in {**everywhere, **argument}.items() if value is not None}
    return call_text(graph.qualified(procedure), given)
