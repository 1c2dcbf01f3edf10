"""What runs or serves what runs: tasks, routines, secrets, tags and streams live in ``tasks``, ``routines``,
``secrets``, ``tags`` and ``streams`` beside this file."""

from __future__ import annotations

from pinky_local.engine.spec import ObjectType
from pinky_local.engine.specs import tasks

TYPES: tuple[ObjectType, ...] = (*tasks.TYPES,)
