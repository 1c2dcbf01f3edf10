"""Tasks that handed files over and that no manifest declares any more: they go on until somebody stops them."""

from __future__ import annotations

from collections.abc import Iterator

from pinky_core import Diagnostic, Plan

__all__ = ["tasks_left_behind"]

_NAMES = ("POLL_AND_DISPATCH", "CONSUME_STREAM")


def tasks_left_behind(plan: Plan) -> Iterator[Diagnostic]:
    """A warning for each task of a slot that is there and not declared, unless this plan drops it."""
    dropped = {change.address for change in plan.changes}
    for address in plan.orphans:
        if address.kind == "task" and address.path[-1].startswith(_NAMES) and address not in dropped:
            yield Diagnostic.warning(
                "task-left-behind",
                f"{address} is not declared any more; if it is started, it goes on claiming files",
                hint="Drop it with --prune, or suspend it: ALTER TASK … SUSPEND.",
                address=address,
            )
