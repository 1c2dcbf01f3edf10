"""Runs every measurement in a process of its own, several times, and prints medians, ratios, and every aim missed.

`nox -s bench`, or `python benchmarks/run.py [--runs N] [--large] [--long] [--write]` in an environment that has every
distribution of this repository. `--large` adds 100,000 resources, `--long` Terraform's creation of 10,000 (about ten
minutes), `--write` puts the figures into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import terraform
import worlds

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Figures = dict[str, float]
LATENCY, WIDTH = 0.06, 8


@attrs.frozen
class Aim:
    """What we aim at, what was measured, and the most (or with ``least`` the least) that meets it."""

    what: str
    measured: float
    limit: float
    unit: str = ""
    least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def row(self) -> Sequence[str]:
        bound = f"{'at least' if self.least else 'at most'} {self.limit:.3g} {self.unit}".strip()
        return self.what, f"{self.measured:.3g} {self.unit}".strip(), bound, "met" if self.met else "**missed**"


class Bench:
    """The measurements of one run and what came of them."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.figures: dict[str, Figures] = {}
        self.failed: dict[str, str] = {}

    def measure(self, name: str, script: str, *arguments: str, runs: int | None = None) -> Figures | None:
        """Medians of one measurement, or None where it failed; a failure is reported, never filled in."""
        return self._repeat(name, lambda: _child(script, arguments), runs or self.runs)

    def time_command(self, name: str, *arguments: str) -> Figures | None:
        """Wall seconds of the installed command, best known by its median."""
        return self._repeat(name, lambda: _command(arguments), max(self.runs, 5))

    def time_import(self, name: str, code: str) -> Figures | None:
        """Seconds that a piece of code takes in a fresh interpreter, its start left out."""
        return self._repeat(name, lambda: _timed(code), max(self.runs, 5))

    def _repeat(self, name: str, once: Callable[[], Figures], runs: int) -> Figures | None:
        print(f"  {name} …", file=sys.stderr, flush=True)
        try:
            found = [once() for _ in range(runs)]
        except MeasurementError as error:
            self.failed[name] = str(error)
            return None
        medians = {key: statistics.median(each[key] for each in found) for key in found[0]}
        self.figures[name] = medians
        return medians

    def get(self, name: str, key: str) -> float | None:
        figures = self.figures.get(name)
        return figures.get(key) if figures else None


class MeasurementError(Exception):
    """A measurement that did not come to its end."""


def _child(script: str, arguments: Sequence[str]) -> Figures:
    command = [sys.executable, str(HERE / script), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise MeasurementError((answer.stderr.strip().splitlines() or ["no message"])[-1][:300])
    return {key: value for key, value in json.loads(answer.stdout).items() if isinstance(value, (int, float))}


def _timed(code: str) -> Figures:
    script = f"import time; begin = time.perf_counter(); {code}; print(time.perf_counter() - begin)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise MeasurementError((answer.stderr.strip().splitlines() or ["no message"])[-1][:300])
    return {"wall": float(answer.stdout)}


def _command(arguments: Sequence[str]) -> Figures:
    program = Path(sys.executable).with_name("pinky")
    environment = {**os.environ, "NO_COLOR": "1"}
    begin = time.perf_counter()
    try:
        answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise MeasurementError(f"{program.name} does not run: {error}") from error
    wall = time.perf_counter() - begin
    if answer.returncode:
        raise MeasurementError((answer.stderr.strip().splitlines() or ["no message"])[-1][:300])
    return {"wall": wall}


def measure_all(bench: Bench, options: argparse.Namespace) -> None:
    """Every measurement, small ones first."""
    sizes = [1, 1_000, 10_000, *([100_000] if options.large else [])]
    for count in sizes:
        runs = 1 if count == 100_000 else None
        bench.measure(f"warehouses {count}", "measure.py", "plan-warehouses", str(count), runs=runs)
    for schemas in [10, 100, *([1_000] if options.large else [])]:
        runs = 1 if schemas == 1_000 else None
        bench.measure(f"tables {schemas * 100}", "measure.py", "plan-tables", str(schemas), "100", runs=runs)
    for per_schema in (10, 1_000):
        arguments = ("1", str(per_schema), "0", "9")  # 9 columns: 1,000 tables stay below the ceiling of SHOW COLUMNS
        bench.measure(f"one schema {per_schema}", "measure.py", "plan-tables", *arguments, runs=1)
    bench.measure("create 10000", "measure.py", "apply-warehouses", "10000")
    bench.measure("latency", "measure.py", "plan-tables", "100", "50", str(LATENCY))
    bench.measure("width", "measure.py", "apply-warehouses", "800", str(LATENCY))
    bench.time_import("import", "import pinky_schema")
    bench.time_import("kinds", "import pinky_schema; pinky_schema.pinky_resource_types()")
    bench.time_command("help", "--help")
    with tempfile.TemporaryDirectory(prefix="pinky-bench-") as folder:
        worlds.warehouses(Path(folder), 1_000)
        bench.time_command("validate", "validate", "--manifest", folder)
    if terraform.installed():
        for count in (1_000, 10_000):
            for work in ("warehouses", "tables"):
                runs = 1 if count == 10_000 else None
                bench.measure(f"terraform {work} {count}", "terraform.py", "plan", work, str(count), runs=runs)
        bench.measure("terraform create 1000", "terraform.py", "apply", "warehouses", "1000", runs=1)
        bench.measure("create 1000", "measure.py", "apply-warehouses", "1000")
        if options.long:
            bench.measure("terraform create 10000", "terraform.py", "apply", "warehouses", "10000", runs=1)


def work_table(bench: Bench) -> list[Sequence[str]]:
    """Work against CPU, memory and statements, beside Terraform on the same work."""
    rows: list[Sequence[str]] = [
        ("work", "CPU s", "peak MB", "statements", "Terraform CPU s", "Terraform MB", "CPU ratio", "memory ratio")
    ]
    for name, label in _LABELS.items():
        ours = bench.figures.get(name)
        if ours is None:
            continue
        theirs = bench.figures.get(f"terraform {name}")
        row = [label, f"{ours['cpu']:.2f}", f"{ours['peak_mb']:.0f}", f"{ours.get('statements', 0):.0f}"]
        if theirs:
            ratios = [f"1/{theirs[key] / ours[key]:.0f}" for key in ("cpu", "peak_mb")]
            row += [f"{theirs['cpu']:.2f}", f"{theirs['peak_mb']:.0f}", *ratios]
        rows.append([*row, *[""] * (8 - len(row))])
    return rows


_LABELS = {
    "warehouses 1000": "plan without change, 1,000 warehouses",
    "warehouses 10000": "plan without change, 10,000 warehouses",
    "warehouses 100000": "plan without change, 100,000 warehouses",
    "tables 1000": "plan without change, 1,000 tables × 10 columns, 10 schemas",
    "tables 10000": "plan without change, 10,000 tables × 10 columns, 100 schemas",
    "tables 100000": "plan without change, 100,000 tables × 10 columns, 1,000 schemas",
    "create 1000": "plan and apply, 1,000 warehouses created",
    "create 10000": "plan and apply, 10,000 warehouses created",
}


def other_table(bench: Bench) -> list[Sequence[str]]:
    """Everything that is measured by the clock."""
    rows: list[Sequence[str]] = [("measurement", "figure")]
    for name, label in (("help", "`pinky --help`"), ("validate", "`pinky validate` of 1,000 warehouses")):
        if wall := bench.get(name, "wall"):
            rows.append((label, f"{wall:.2f} s"))
    for name, label in (("import", "`import pinky_schema`"), ("kinds", "the same with all its kinds")):
        if wall := bench.get(name, "wall"):
            rows.append((label, f"{wall:.3f} s"))
    if latency := bench.figures.get("latency"):
        rows.append((
            f"plan of 100 schemas × 50 tables, {LATENCY * 1000:.0f} ms a statement, {WIDTH} workers",
            f"{latency['wall']:.2f} s, {latency['statements']:.0f} statements (least: {latency['lower_bound']:.0f})",
        ))  # fmt: skip
    counted = {count: bench.get(f"one schema {count}", "statements") for count in (10, 1_000)}
    rows.extend(
        (f"statements of a plan over {count:,} tables × 9 columns in one schema", f"{statements:.0f}")
        for count, statements in counted.items()
        if statements is not None
    )
    if width := bench.get("width", "in_flight"):
        rows.append((f"width in flight while 800 creations wait, {WIDTH} workers", f"{width:.0%}"))
    return rows


def aims(bench: Bench) -> list[Aim]:
    """Every aim that could be measured here."""
    found: list[Aim] = []

    def aim(what: str, measured: float | None, limit: float | None, unit: str = "", *, least: bool = False) -> None:
        if measured is not None and limit is not None:
            found.append(Aim(what, measured, limit, unit, least))

    for work in ("warehouses", "tables"):
        name = f"{work} 10000"
        cpu, peak = bench.get(f"terraform {name}", "cpu"), bench.get(f"terraform {name}", "peak_mb")
        aim(f"plan of 10,000 {work}: 1/25 of Terraform's CPU", bench.get(name, "cpu"), cpu and cpu / 25, "s")
        aim(f"plan of 10,000 {work}: 1/5 of Terraform's memory", bench.get(name, "peak_mb"), peak and peak / 5, "MB")
        aim(f"{work}: ten times the work (1,000 → 10,000), start-up left out", _growth(bench, work, 1_000), 11, "times")
        aim(f"{work}: ten times the work (10,000 → 100,000)", _growth(bench, work, 10_000), 11, "times")
    for count in (1_000, 10_000):
        cpu = bench.get(f"terraform create {count}", "cpu")
        ours = bench.get(f"create {count}", "cpu")
        aim(f"creation of {count:,}: 0.03 of Terraform's CPU", ours, cpu and cpu * 0.03, "s")
    if latency := bench.figures.get("latency"):
        waiting = latency["wall"] - latency["cpu"]
        bound = 1.5 * math.ceil(latency["statements"] / WIDTH) * LATENCY
        aim("100 × 50 tables: waiting, wall without CPU", waiting, bound, "s")
        aim("100 × 50 tables: statements, lower bound + 5 (stretch)", latency["statements"], latency["lower_bound"] + 5)
        aim("100 × 50 tables: statements, one per schema and kind", latency["statements"], 2 * 100 + 4)
    few, many = bench.get("one schema 10", "statements"), bench.get("one schema 1000", "statements")
    aim("one schema: statements for 1,000 tables as for 10", many, few)
    aim("`pinky --help`", bench.get("help", "wall"), 0.2, "s")
    aim("`import pinky_schema`", bench.get("import", "wall"), 0.15, "s")
    aim("`pinky validate` of 1,000 resources", bench.get("validate", "wall"), 0.6, "s")
    aim("apply: share of the width in flight", bench.get("width", "in_flight"), 0.9, least=True)
    return found


def _growth(bench: Bench, work: str, count: int) -> float | None:
    """How many times the CPU ten times the work takes, without what a plan of one resource costs."""
    base = bench.get("warehouses 1", "cpu")
    small, large = bench.get(f"{work} {count}", "cpu"), bench.get(f"{work} {count * 10}", "cpu")
    if base is None or small is None or large is None:
        return None
    return (large - base) / (small - base)


def report(bench: Bench) -> str:
    """The figures as Markdown."""
    version = terraform.installed()
    judged = aims(bench)
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of {bench.runs} runs, one where it",
        f"takes minutes. Terraform: {version or 'not installed'}.",
        "",
    ]
    lines += [*_markdown(work_table(bench)), "", *_markdown(other_table(bench)), ""]
    lines += _markdown([("aim", "measured", "bound", ""), *(each.row for each in judged)])
    missed = [f"- {each.what}: {each.row[1]}, aim {each.row[2]}" for each in judged if not each.met]
    lines += ["", "Missed:", "", *missed] if missed else ["", "No aim that was measured is missed."]
    if bench.failed:
        lines += ["", "Did not run:", "", *(f"- {name}: {why}" for name, why in bench.failed.items())]
    return "\n".join(lines) + "\n"


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = rows
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in body)]


def write(text: str) -> None:
    """Put the figures between the marks of benchmarks/README.md."""
    page = HERE / "README.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8", newline="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="how often each measurement runs; the median counts")
    parser.add_argument("--large", action="store_true", help="also 100,000 resources")
    parser.add_argument("--long", action="store_true", help="also Terraform's creation of 10,000 resources")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/README.md")
    options = parser.parse_args()
    bench = Bench(options.runs)
    measure_all(bench, options)
    text = report(bench)
    print(text)
    if options.write:
        write(text)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
