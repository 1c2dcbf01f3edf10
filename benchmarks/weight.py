"""What a stored procedure carries: wheels of core and schema with what they need, cold import, time to first statement.

    python benchmarks/weight.py

Prints a table. Times are the median of several fresh processes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 9
IMPORT = "import time; begin = time.perf_counter(); import {module}; print(time.perf_counter() - begin)"
FIRST = """
import time
begin = time.perf_counter()
from pinky_schema import SchemaProvider
class First(Exception): pass
class Session:
    concurrency = 1
    def execute(self, statement, parameters=()):
        raise First(statement)
try:
    SchemaProvider(Session()).plan({source!r}, 'D.S', {{'email': 'a@b.example', 'client_id': 'S', 'team_id': 't'}})
except First:
    print(time.perf_counter() - begin)
"""


def median(code: str) -> float:
    """Milliseconds that a fresh interpreter reports, the median of several."""
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(RUNS)]
    return statistics.median(times) * 1000


def wheels() -> dict[str, tuple[int, int]]:
    """Bytes of our wheels, and of everything that pip would bring with them: number and bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (".", "plugins/pinky_schema"):
            build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder / "own"), part]
            subprocess.run(build, cwd=ROOT, check=True)
        own = sorted((folder / "own").glob("*.whl"))
        needs = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder / "all"), *map(str, own)]
        subprocess.run(needs, check=True)
        found = {wheel.name.split("-")[0]: (1, wheel.stat().st_size) for wheel in own}
        every = [each for each in (folder / "all").iterdir() if each.name not in {wheel.name for wheel in own}]
        found["third party"] = (len(every), sum(each.stat().st_size for each in every))
        return found


def main() -> None:
    """Measure and print."""
    begin = time.perf_counter()
    for name, (count, size) in wheels().items():
        print(f"| wheel {name} | {count} | {size / 1000:,.0f} kB |")
    print(f"| cold import, nothing | | {median('print(0.0)'):.0f} ms |")
    for module in ("pinky_core", "pinky_schema", "pinky_schema.provisioning"):
        print(f"| cold import of {module} | | {median(IMPORT.format(module=module)):.0f} ms |")
    source = str(ROOT / "examples/provision/manifest_client")
    first = median(FIRST.format(source=source))
    print(f"| from nothing to the first statement of manifest_client | | {first:.0f} ms |")
    print(f"measured in {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
