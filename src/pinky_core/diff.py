"""Two values → what differs. After spelling is settled by the fields' types, a difference is plain ``!=``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from pinky_core.spec import ABSENT, Field, OnChange, Source, spec_of

__all__ = ["FieldChange", "ListDiff", "changed_fields", "keyed_diff"]

T = TypeVar("T")


@attrs.frozen
class FieldChange:
    """One property that differs. ``after`` None means: unset it. ``note`` tells people what follows from it."""

    path: str
    before: Any
    after: Any
    note: str = ""
    on_change: OnChange = OnChange.ALTER


def changed_fields(desired: Any, live: Any) -> list[FieldChange]:
    """Every declared field whose live value differs.

    Absent fields are not compared. An explicit null equals Snowflake's default. Fields that count only at creation,
    and fields Snowflake does not tell, are never a difference.
    """
    changes = []
    for field in spec_of(desired).fields:
        after = getattr(desired, field.name)
        if after is ABSENT or field.on_change is OnChange.IGNORE or field.source is Source.NOWHERE:
            continue
        before = getattr(live, field.name)
        if not same(field, before, after):
            shown = None if before is ABSENT else before
            changes.append(FieldChange(field.name, shown, after, on_change=field.on_change))
    return changes


def same(field: Field, before: Any, after: Any) -> bool:
    """Whether a live and a desired value mean the same for this field."""
    if before is ABSENT:
        before = None
    if field.type is str:  # Snowflake shows a text that is empty and one that was never set alike
        before, after = before or None, after or None
    if before == after:
        return True
    if field.source is Source.PARAMETER:  # null means: not set here, whatever is inherited
        return False
    return bool((field.default if before is None else before) == (field.default if after is None else after))


@attrs.frozen
class ListDiff(Generic[T]):
    """How a keyed list differs: elements by what happened to them. ``changed`` and ``renamed`` hold (before, after)."""

    added: tuple[T, ...]
    removed: tuple[T, ...]
    changed: tuple[tuple[T, T], ...]
    renamed: tuple[tuple[T, T], ...]
    moved: bool


def keyed_diff(
    before: Sequence[T],
    after: Sequence[T],
    key: Callable[[T], Any],
    *,
    renamed_from: Callable[[T], Any] = lambda element: None,
    differs: Callable[[T, T], bool] = lambda before, after: before != after,
) -> ListDiff[T]:
    """Compare lists whose elements are told apart by a key, in linear time.

    ``renamed_from`` gives the former key of a desired element; it counts only while the former is there and the new
    one is not. ``moved``: whether the elements on both sides stand in another order.
    """
    old = {key(element): element for element in before}
    renames = {}
    for element in after:
        former = renamed_from(element)
        if former is not None and former in old and key(element) not in old:
            renames[former] = element
    taken = {key(element) for element in renames.values()}
    added = tuple(element for element in after if key(element) not in old and key(element) not in taken)
    wanted = {key(element) for element in after}
    removed = tuple(element for element in before if key(element) not in wanted and key(element) not in renames)
    pairs = [(old[key(element)], element) for element in after if key(element) in old]
    changed = tuple((one, other) for one, other in pairs if differs(one, other))
    renamed = tuple((old[former], element) for former, element in renames.items())
    names_before = [key(renames[name]) if (name := key(element)) in renames else name for element in before]
    kept_before = [name for name in names_before if name in wanted]
    staying = set(kept_before)
    kept_after = [key(element) for element in after if key(element) in staying]
    return ListDiff(added, removed, changed, renamed, kept_before != kept_after)
