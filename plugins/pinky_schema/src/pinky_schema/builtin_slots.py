"""The four slots of this package, given by the same hook as anybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pinky_core import Expanded
from pinky_schema import dispatch_tasks
from pinky_schema.registry import HASHES, viewer_grants
from pinky_schema.slots import Kept, Party, Slot, SlotUse

__all__ = ["SLOTS"]


def _readable(use: SlotUse) -> Iterator[Expanded]:
    """Whoever may look may read the files."""
    return viewer_grants(use, "READ", {"stage": use.qualified(use.stage)})


def _dispatched(use: SlotUse) -> Iterable[Expanded]:
    return dispatch_tasks.tasks_of(use)


_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}

SLOTS: tuple[Slot, ...] = (
    Slot(
        name="external_input_files",
        doc="Files that providers deliver in cloud storage; each is handed to the business procedure once.",
        kept=Kept.EXTERNAL,
        registry=True,
        party=Party.PROVIDER,
        stream=True,
        options={
            "trigger": {
                "enum": ["schedule", "stream"],
                "default": "schedule",
                "description": "schedule: the task POLL_AND_DISPATCH looks for files; stream: the task CONSUME_STREAM "
                "runs when the cloud's notifications have brought some.",
            },
            "schedule": {
                "type": "string",
                "default": dispatch_tasks.SCHEDULE,
                "description": "How often POLL_AND_DISPATCH runs.",
            },
            "procedure": {
                "type": "string",
                "description": "The business procedure, of one VARIANT argument. Without one, and without a graph in "
                "the section dag that takes the files, they are only registered.",
            },
            "state": {
                "enum": ["started", "suspended", "unmanaged"],
                "default": "started",
                "description": "State of the slot's task; unmanaged leaves it as it is.",
            },
            "batch_size": {**_COUNT, "default": 1000, "description": "Most files that one run gets."},
            "max_attempts": {
                **_COUNT,
                "default": 3,
                "description": "Attempts after which files of a failing run are parked.",
            },
            "lease_seconds": {
                **_COUNT,
                "default": 3900,
                "description": "Seconds after which a run that said nothing counts as died; more than a run may take.",
            },
            "retry_seconds": {
                "type": "integer",
                "minimum": 0,
                "default": 60,
                "description": "Seconds between a failure and the next attempt.",
            },
            "existing_files": {
                "type": "integer",
                "minimum": 0,
                "default": 1000,
                "description": "How many files that were processed before are listed for the procedure, latest first.",
            },
        },
        also=_dispatched,
    ),
    Slot(
        name="external_output_files",
        doc="Files made for consumers, in cloud storage; each is registered with its hashes.",
        kept=Kept.EXTERNAL,
        registry=True,
        columns=HASHES,
        party=Party.CONSUMER,
    ),
    Slot(
        name="internal_exposed_files",
        doc="Files that other teams may read, in Snowflake; each is registered with its hashes.",
        kept=Kept.INTERNAL,
        registry=True,
        columns=HASHES,
        party=Party.CONSUMER,
        also=_readable,
    ),
    Slot(
        name="resources_static",
        doc="Static resources that the pipeline uses, in Snowflake; nothing follows them.",
        kept=Kept.INTERNAL,
    ),
)
