"""Loads the grammar of tasks, routines, secrets, tags and streams, which enter it in the tables of `families`."""

from __future__ import annotations

from pinky_local.engine import tasks

FAMILIES = (tasks,)
