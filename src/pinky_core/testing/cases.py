"""Cases as data: what is live, what is desired, which statements follow. One YAML file holds several.

::

    widen_a_column:
      live:      {…rows of SHOW and DESCRIBE by pattern…}
      desired:   {table: [{name: T, …}]}
      statements:
        - ALTER TABLE …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from pinky_core.engine import Provider
from pinky_core.nodes import parse_yaml, to_plain
from pinky_core.plugins import Registry
from pinky_core.testing.fakes import FakeSession
from pinky_core.testing.laboratory import Laboratory

__all__ = ["Case", "load_cases", "run_case"]


@attrs.frozen
class Case:
    """One case: ``live`` maps patterns of statements to rows, ``desired`` kinds to documents."""

    name: str
    live: Mapping[str, Sequence[Mapping[str, Any]]]
    desired: Mapping[str, Sequence[Mapping[str, Any]]]
    statements: Sequence[str]
    scope: str = "account"
    target: str | None = None


def load_cases(folder: Path) -> Iterator[Case]:
    """Every case of every YAML file in a folder; raises ValueError naming a file that is not right."""
    for path in sorted(folder.glob("*.yaml")):
        parsed = parse_yaml(path.read_text(encoding="utf-8"), path.name)
        if parsed.root is None or parsed.diagnostics:
            raise ValueError(f"{path}: " + "; ".join(str(each) for each in parsed.diagnostics))
        for name, content in to_plain(parsed.root).items():
            yield Case(name=f"{path.stem}: {name}", **{"live": {}, **content})


def run_case(case: Case, registry: Registry) -> None:
    """Plan the case against a fake session; raises AssertionError where other statements follow."""
    provider = Provider(FakeSession(case.live), registry=registry)
    plan = Laboratory(provider, case.scope, case.target).plan(case.desired)
    found = [statement.text for statement in plan.statements()]
    assert found == list(case.statements), "\n".join([f"{case.name} plans:", *found])
