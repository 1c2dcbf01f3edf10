"""Tasks, routines, secrets, tags and streams: their types are in ``tasks``, ``routines``, ``secrets``, ``tags`` and
``streams`` beside this file (written by another author at this moment; nothing of them belongs here)."""

from __future__ import annotations

from pinky_local.engine.spec import ObjectType

TYPES: tuple[ObjectType, ...] = ()
