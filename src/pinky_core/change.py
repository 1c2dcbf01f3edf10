"""What a plan is made of: a `Change` of one resource, and the `Guard` that surrounds changes of a task graph."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pinky_core.address import Address, Identifier
from pinky_core.diff import FieldChange
from pinky_core.spec import ABSENT, spec_of
from pinky_core.sql import Statement

__all__ = ["Action", "Change", "Guard", "Risk", "field_digests", "plain"]


class Action(enum.Enum):
    """What happens to a resource."""

    CREATE = "create"
    ALTER = "alter"
    RENAME = "rename"
    REPLACE = "replace"
    DROP = "drop"
    NONE = "none"


class Risk(enum.Enum):
    """What a change can cost: nothing, time and money (a rebuild), or something that cannot be brought back."""

    SAFE = "safe"
    EXPENSIVE = "expensive"
    DESTRUCTIVE = "destructive"


@attrs.frozen
class Change:
    """One resource's part of a plan, with finished statements.

    ``reason`` says to people why; ``loses`` what a destructive change destroys. ``needs`` are the addresses of changes
    that come first. ``observed`` are digests of the live fields the change was planned from (empty: the resource was
    not there), ``read_fields`` the declared fields, so that apply reads the same again. ``former`` is the address
    before a rename. ``file`` is where the resource is declared.
    """

    address: Address
    action: Action
    reason: str
    risk: Risk = Risk.SAFE
    loses: str = ""
    fields: tuple[FieldChange, ...] = ()
    statements: tuple[Statement, ...] = ()
    needs: tuple[Address, ...] = ()
    observed: Mapping[str, str] = attrs.field(factory=dict)
    read_fields: tuple[str, ...] = ()
    former: Address | None = None
    file: str = ""


@attrs.frozen
class Guard:
    """Statements before the first and after the last of some changes.

    ``opening`` runs before any member; ``closing`` runs after all members are done, failed or skipped, whatever
    happened, so that what was suspended is running again. ``requires``: closing makes sense only if this change was
    applied (a graph that did not exist before). ``root`` and ``observed``: the object that opening and closing act on,
    with digests of the live fields they were planned from, so that a stale guard is noticed like a stale change.
    """

    name: str
    members: tuple[Address, ...]
    opening: tuple[Statement, ...] = ()
    closing: tuple[Statement, ...] = ()
    requires: Address | None = None
    root: Address | None = None
    observed: Mapping[str, str] = attrs.field(factory=dict)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: our value types as their text, nested values as objects without absent fields."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Identifier):
        return value.sql  # as a manifest would spell it
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if hasattr(value, "spec"):
        fields = spec_of(value).fields
        return {f.name: plain(found) for f in fields if (found := getattr(value, f.name)) is not ABSENT}
    if isinstance(value, enum.Enum):
        return str(value.value)
    return str(value)


def field_digests(live: Any) -> dict[str, str]:
    """A short digest per live field, and one under ``""`` that says the resource is there.

    64 bits: enough to notice a change, too little to tell the value.
    """
    digests = {"": "present"}
    for field in spec_of(live).fields:
        value = getattr(live, field.name)
        if value is not ABSENT and not field.write_only:
            text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
            digests[field.name] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return digests


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    """Names of the fields whose digests differ; empty where nothing moved."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
