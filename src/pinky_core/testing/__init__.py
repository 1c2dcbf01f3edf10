"""For authors of plugins: laws every kind must keep, strategies that draw documents, cases as data, a fake session.

Needs the extra ``pinky-core[testing]`` (hypothesis).
"""

from __future__ import annotations

from pinky_core.testing.cases import Case, load_cases, run_case
from pinky_core.testing.fakes import FakeSession
from pinky_core.testing.laboratory import Laboratory, MemorySource
from pinky_core.testing.laws import check_resource_type
from pinky_core.testing.strategies import documents, field_values

__all__ = [
    "Case",
    "FakeSession",
    "Laboratory",
    "MemorySource",
    "check_resource_type",
    "documents",
    "field_values",
    "load_cases",
    "run_case",
]
