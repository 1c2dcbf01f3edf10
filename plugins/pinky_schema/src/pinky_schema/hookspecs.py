"""What other plugins can add to the sections that this package owns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pinky_core import hookspec

if TYPE_CHECKING:
    from pinky_schema.dag_predicates import Predicate
    from pinky_schema.slots import Slot

__all__ = ["pinky_dag_predicates", "pinky_stage_slots"]


@hookspec
def pinky_stage_slots() -> Iterable[Slot]:  # type: ignore[empty-body]  # a hook specification has no body
    """When a manifest has the section ``stages``: the slots of this plugin. Two plugins giving one name is an error
    that names both."""


@hookspec
def pinky_dag_predicates() -> Iterable[Predicate]:  # type: ignore[empty-body]  # see above
    """When a manifest has the section ``dag``, and for its JSON Schema: words for ``when`` of a schedule, each a
    boolean SQL expression over ``{now}`` and ``{today}``. Two plugins giving one name is an error that names both."""
