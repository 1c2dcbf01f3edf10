"""One measurement in a process of its own: `python benchmarks/measure.py NAME [ARGUMENT …]` prints one JSON object.

CPU seconds are those of the whole process, start of Python and imports included, without the making of the manifest
and of the prepared answers. Peak memory is the process's, prepared answers included.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import worlds
from answering_session import AnsweringSession

WIDTH = 8


def main() -> int:
    name, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="pinky-bench-") as folder:
        print(json.dumps(SCENARIOS[name](Path(folder), *arguments)))
    return 0


def plan_warehouses(folder: Path, count: str) -> dict[str, Any]:
    return _plan(lambda: worlds.warehouses(folder, int(count)))


def plan_tables(folder: Path, schemas: str, per_schema: str, latency: str = "0", columns: str = "10") -> dict[str, Any]:
    return _plan(lambda: worlds.tables(folder, int(schemas), int(per_schema), int(columns)), latency=float(latency))


def apply_warehouses(folder: Path, count: str, latency: str = "0") -> dict[str, Any]:
    """Create warehouses that are not there; plan and apply together, as one run of the command does it."""
    from pinky_core import Provider, load_plugins

    prepared, world = _prepare(lambda: worlds.warehouses(folder, int(count), there=False))
    session = AnsweringSession(world.answers, world.view, latency=float(latency), width=WIDTH)
    begin = time.perf_counter()
    provider = Provider(session, registry=load_plugins(), workers=WIDTH)
    plan = provider.plan(world.folder)
    planned = session.statements
    report = provider.apply(plan)
    wall = time.perf_counter() - begin
    if not report.ok or len(report.events) != world.resources:
        raise SystemExit(f"applied {len(report.events)} of {world.resources}, ok={report.ok}")
    result = {**_used(prepared), "wall": wall, "statements": session.statements, "planned": planned}
    if session.latency:
        result["in_flight"] = width_in_flight(session.spans[-int(count) :])
    return result


def width_in_flight(spans: list[tuple[float, float]]) -> float:
    """Mean share of the width in use from the first start to the last start, that is, while work remained."""
    first, last = min(begin for begin, _ in spans), max(begin for begin, _ in spans)
    busy = sum(min(end, last) - begin for begin, end in spans)
    return busy / (last - first) / WIDTH


def _plan(make: Callable[[], worlds.World], *, latency: float = 0.0) -> dict[str, Any]:
    from pinky_core import Provider, load_plugins

    prepared, world = _prepare(make)
    session = AnsweringSession(world.answers, world.view, latency=latency, width=WIDTH)
    begin = time.perf_counter()
    plan = Provider(session, registry=load_plugins(), workers=WIDTH).plan(world.folder)
    wall = time.perf_counter() - begin
    if not plan.empty or plan.unchanged != world.resources:
        first = plan.changes[0] if plan.changes else None
        raise SystemExit(f"the plan is not empty: {len(plan.changes)} changes, {plan.unchanged} unchanged; {first}")
    return {**_used(prepared), "wall": wall, "statements": session.statements, "lower_bound": _lower_bound(world)}


def _lower_bound(world: worlds.World) -> int:
    """Statements no reader of columns can do without: one per listing and 10,000 rows, over the whole account."""
    return sum(
        max(1, -(-len(rows) // 10_000)) for statement, rows in world.answers.items() if "IN SCHEMA" not in statement
    )


def _prepare(make: Callable[[], worlds.World]) -> tuple[float, worlds.World]:
    begin = time.process_time()
    world = make()
    return time.process_time() - begin, world


def _used(prepared: float) -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": used.ru_utime + used.ru_stime - prepared, "peak_mb": used.ru_maxrss / 1024}


SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    "plan-warehouses": plan_warehouses,
    "plan-tables": plan_tables,
    "apply-warehouses": apply_warehouses,
}

if __name__ == "__main__":
    raise SystemExit(main())
