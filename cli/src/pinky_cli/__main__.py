"""``python -m pinky_cli``: the same as ``pinky``."""

from __future__ import annotations

from pinky_cli.main import run

run()
