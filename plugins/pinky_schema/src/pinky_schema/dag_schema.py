"""The JSON Schema of the section ``dag``. Its descriptions are the reference page of the section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pinky_core import Duration, Schedule
from pinky_schema.dag_predicates import predicates_of
from pinky_schema.dag_values import DEFAULT_NAME
from pinky_schema.slots import slots_of
from pinky_schema.task_values import OverlapPolicy, ServerlessSize

__all__ = ["dag_schema"]

_NAMED = "letters, digits, _ and $, not starting with a digit; folds to upper case"


def dag_schema(hooks: Any) -> Mapping[str, Any]:
    """The schema of one graph, or of a list of them, with the slots and predicates that are installed."""
    graph = _graph(hooks)
    return {
        **graph,
        "type": ["object", "array"],
        "items": {"type": "object", **graph},
        "minItems": 1,
        "description": "A task graph, or a list of task graphs.",
    }


def _graph(hooks: Any) -> dict[str, Any]:
    """What holds for a mapping; it says nothing about a list."""
    return {
        "properties": {
            "name": {**_name("Name of the graph"), "default": DEFAULT_NAME},
            "version": _text("Version of what the graph does, recorded with each of its runs (sp_version)."),
            "trigger": _trigger(hooks),
            "timezone": {
                "type": "string",
                "pattern": "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
                "description": "Time zone for `when`, an IANA name. Default: that of the schedule, else UTC.",
            },
            "warehouse": _nullable_text(
                "Warehouse of its tasks; null: serverless. Default: `warehouse` of the variable `stages`, or none."
            ),
            "serverless": _serverless(),
            "steps": {
                "type": "array",
                "items": _step(),
                "minItems": 1,
                "description": "What it does: a task for each step.",
            },
            "config": _config("Configuration of the graph; EXECUTE TASK … USING CONFIG overrides it for one run."),
            "notify_on_error": _text("Notification integration that is told when a task of the graph fails."),
            "state": {
                "enum": ["started", "suspended", "unmanaged"],
                "default": "started",
                "description": "Whether the root is started. The other tasks are started either way, so that a run by "
                "hand is a whole one. unmanaged: nothing is declared, so tasks stay as they are and new ones are "
                "suspended. The root of a graph on demand is always suspended: it runs all the same.",
            },
            "overlap_policy": {
                **OverlapPolicy.json_schema(),
                "description": "How far runs may overlap. Default: NO_OVERLAP.",
            },
            "timeout": _duration("How long a run of the whole graph may take. Default: 1 HOUR."),
            "retries": _count("How often a failed run is tried again by itself. Default: 0.", 30),
            "suspend_after_failures": _count("Failed runs in a row that suspend it; 0: none do. Default: 10."),
            "finalizer": _text("Procedure of this schema that is called at the end of every run, even a failed one."),
            "comment": _text("Comment of the root."),
        },
        "required": ["trigger", "steps"],
        "additionalProperties": False,
    }


def _trigger(hooks: Any) -> dict[str, Any]:
    """A mapping or the one word; one schema for both, so that a mistake in the mapping is told and not the word."""
    slots = sorted(slot.name for _, slot in slots_of(hooks))
    slot: dict[str, Any] = {"type": "string", **({"enum": slots} if slots else {})}
    predicates = predicates_of(hooks)
    meanings = " ".join(f"{name}: {each.doc}" for name, each in sorted(predicates.items()))
    return {
        "type": ["object", "string"],
        "pattern": "^on_demand$",
        "properties": {
            "schedule": {**Schedule.json_schema(), "description": "When it runs: an interval, or USING CRON."},
            "files": {
                **slot,
                "description": "Slot whose new files each run takes. The root is POLL_AND_DISPATCH then: it refreshes "
                "the directory table, and says SKIP where there is no new file.",
            },
            "when": {
                "enum": sorted(predicates),
                "description": f"Condition of a scheduled run; where it is false the run is skipped. {meanings}",
            },
            "stream": {
                **slot,
                "description": "Slot whose stream starts the graph when it has data. The root is CONSUME_STREAM then. "
                "New files have to be told by the cloud: see `notification_integration` of the variable `stages`.",
            },
        },
        "additionalProperties": False,
        "description": "What starts it: a mapping with `schedule` or `stream`, or on_demand: EXECUTE TASK alone.",
    }


def _step() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": _name("Name of the step, and of its task"),
            "procedure": _text("Procedure of this schema that it calls: one VARIANT in, one VARIANT out."),
            "sql": _text("Statement that it runs instead of a procedure."),
            "after": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "pattern": "^[A-Za-z_][A-Za-z0-9_$]*$"},
                "description": "Steps that it waits for. Default: the root.",
            },
            "config": _config("What the procedure is given beside the configuration of the graph."),
            "multi_client_execution": {
                "type": ["boolean", "object"],
                "properties": {
                    "like": _text("Names of schemas, as a pattern of LIKE."),
                    "except": {
                        "type": "array",
                        "items": {"type": "string", "minLength": 1},
                        "description": "Names of schemas that are no clients.",
                    },
                },
                "additionalProperties": False,
                "description": "Call the procedure once for each client schema of the database. true: for all schemas "
                "but this one and those of Snowflake.",
            },
            "warehouse": _nullable_text("Warehouse of this task; null: serverless. Default: that of the graph."),
            "timeout": _duration("How long this task may take. Default: that of the graph."),
            "comment": _text("Comment of the task."),
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def _serverless() -> dict[str, Any]:
    size = ServerlessSize.json_schema()
    return {
        "type": "object",
        "properties": {
            "initial_size": {**size, "description": "Size of the first runs. Default: MEDIUM."},
            "min_size": {**size, "description": "Smallest size. Default: XSMALL."},
            "max_size": {**size, "description": "Largest size. Default: XXLARGE."},
            "completion_interval": _duration(
                "When a run should be done. Default for a graph that a stream starts: 15 MINUTES, for it needs one."
            ),
        },
        "additionalProperties": False,
        "description": "Sizes of tasks without a warehouse.",
    }


def _name(what: str) -> dict[str, Any]:
    pattern = "^[A-Za-z_][A-Za-z0-9_$]*$"
    return {"type": "string", "pattern": pattern, "maxLength": 240, "description": f"{what}: {_NAMED}."}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _nullable_text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "description": description}


def _config(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description}


def _duration(description: str) -> dict[str, Any]:
    return {**Duration.json_schema(), "description": description}


def _count(description: str, maximum: int | None = None) -> dict[str, Any]:
    bound = {} if maximum is None else {"maximum": maximum}
    return {"type": "integer", "minimum": 0, **bound, "description": description}
