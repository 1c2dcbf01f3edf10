"""For every test of the repository: a slow machine is no failure, so hypothesis sets no time for one example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("pinky", deadline=None)
settings.load_profile("pinky")
