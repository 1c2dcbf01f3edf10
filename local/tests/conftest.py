from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# pytest's importlib mode leaves sys.path alone; helper modules beside the tests are found through this.
sys.path.insert(0, str(Path(__file__).parent))

from pinky_local.account import LocalAccount

if TYPE_CHECKING:
    from wire_engine import ScriptedEngine


@pytest.fixture
def scripted_engine() -> ScriptedEngine:
    from wire_engine import ScriptedEngine

    return ScriptedEngine()


@pytest.fixture
def wire(scripted_engine: ScriptedEngine) -> Iterator[LocalAccount]:
    """The wire server over an engine that knows a handful of statements."""
    with LocalAccount(engine=scripted_engine) as account:
        yield account
