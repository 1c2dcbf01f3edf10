"""Types still to come."""

from __future__ import annotations

from pinky_local.engine.spec import ObjectType

TYPES: tuple[ObjectType, ...] = ()
