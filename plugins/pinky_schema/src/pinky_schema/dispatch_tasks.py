"""The task of the slot ``external_input_files``: what finds new files and hands them over.

https://docs.snowflake.com/en/user-guide/tasks-triggered (what wakes a triggered task on a directory table)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import Expanded, string_literal
from pinky_schema import dag
from pinky_schema.slots import SlotUse

__all__ = ["DEFAULTS", "SCHEDULE", "dispatch_settings", "is_triggered", "tasks_of"]

SCHEDULE = "5 MINUTES"
#: Settings of dispatching with the values they have where a manifest does not say them.
DEFAULTS: Mapping[str, int] = {
    "batch_size": 1000,
    "max_attempts": 3,
    "lease_seconds": 3900,  # more than the hour that a task may run where nobody says otherwise
    "retry_seconds": 60,
    "existing_files": 1000,
}


def dispatch_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of dispatching that a slot's options give, for the procedure POLL_AND_DISPATCH."""
    return {name: options.get(name, default) for name, default in DEFAULTS.items()}


def is_triggered(use: SlotUse) -> bool:
    """Whether cloud notifications fill the directory table: the slot's option, or a graph that the stream starts."""
    return use.options.get("trigger") == "stream" or dag.triggered(use.sections, use.slot.name)


def tasks_of(use: SlotUse) -> Iterator[Expanded]:
    """POLL_AND_DISPATCH, or CONSUME_STREAM where notifications bring the files; none where a graph takes them."""
    if dag.takes_files(use.sections, use.slot.name):
        return
    triggered = is_triggered(use)
    name = "CONSUME_STREAM" if triggered else "POLL_AND_DISPATCH"
    settings: dict[str, Any] = {"graph": name, "slot": use.slot.name, "refresh": not triggered}
    settings |= dispatch_settings(use.options)
    if use.options.get("procedure"):
        settings["procedure"] = use.options["procedure"]
    else:
        settings["register_only"] = True
    document: dict[str, Any] = {
        "name": name,
        "definition": call("POLL_AND_DISPATCH", settings, use),
        "query_tag": json.dumps({"pinky": {"slot": use.slot.name}}),
        "comment": f"Finds new files of {use.slot.name}",
    }
    if triggered:
        document["when"] = f"SYSTEM$STREAM_HAS_DATA({string_literal(use.qualified(use.stream))})"
    else:
        document["schedule"] = use.options.get("schedule", SCHEDULE)
    if use.facts.warehouse is not None:
        document["warehouse"] = use.facts.warehouse
    elif triggered:
        document["target_completion_interval"] = SCHEDULE
    state = use.options.get("state", "started")
    if state != "unmanaged":
        document["state"] = state
    yield use.expanded("task", document)


def call(procedure: str, settings: Mapping[str, Any], use: SlotUse) -> str:
    """``CALL DB.SCHEMA.PROCEDURE(PARSE_JSON('…'))`` with the settings in a fixed order."""
    schema = ".".join(part.sql for part in use.schema)
    text = json.dumps({"schema": schema, **settings}, ensure_ascii=False)
    return f"CALL {use.qualified(procedure)}(PARSE_JSON({string_literal(text)}))"
