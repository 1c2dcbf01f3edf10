"""hash_file of a large CSV file and of the same rows in another order, against `sha256sum` and GNU `sort`.

`python benchmarks/hashes.py [--megabytes 2000] [--folder FOLDER] [--write]`. It makes three files of that size one
after the other in a temporary folder, which with the temporary files of `sort` needs about twice as much: one without
quotes, the same rows shuffled, one with quotes in every row. Where the first two have different hashes of their rows,
or equal ones of their bytes, that is an error. `--write` puts the figures into benchmarks/README.md.

`sort` gets one thread and 256 MB. It compares lines, not records: it knows neither quotes nor other line ends.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

BEGIN, END = "<!-- hashes: begin -->", "<!-- hashes: end -->"
MEMORY_AIM, SPEED_AIM = 256, 30
ROW_BYTES = 100
PLAIN = "%d,customer %d,2024-%02d-%02d,%d.25,a comment of some length,FR,ACTIVE,%d,xxxxxxxxxx\r\n"
QUOTED = '%d,"customer, %d",2024-%02d-%02d,%d.25,"a ""comment"" of some length",FR,ACTIVE,%d,xx\r\n'


class Used(NamedTuple):
    """What one command used: seconds of CPU and of the clock, peak memory in MB, and what it printed."""

    cpu: float
    wall: float
    peak_mb: float
    printed: str


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=2000, help="size of each file")
    parser.add_argument("--folder", help="where the temporary folder is made")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/README.md")
    parser.add_argument("--hash", type=Path, help="only print the hashes of this file (what is measured)")
    options = parser.parse_args()
    if options.hash:
        return hash_one(options.hash, options.folder)
    with tempfile.TemporaryDirectory(prefix="pinky-bench-hashes-", dir=options.folder) as folder:
        text = report(Path(folder), options.megabytes)
    print(text, end="")
    if options.write:
        page = Path(__file__).with_name("README.md")
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        page.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8", newline="\n")
    return 0


def hash_one(path: Path, folder: str | None) -> int:
    from pinky_schema.runtime.hashes import hash_file

    with path.open("rb") as file:
        print(json.dumps(hash_file(file, path.name, folder=folder)))
    return 0


def report(folder: Path, megabytes: int) -> str:
    """All measurements as Markdown."""
    rows = megabytes * 1_000_000 // ROW_BYTES
    file = folder / "rows.csv"
    used: dict[str, Used] = {}

    def measure(name: str, pattern: str, step: int) -> list[object]:
        write(file, pattern, rows, step)
        print(f"  {name} …", file=sys.stderr, flush=True)
        used[f"hash_file, {name}"] = run([sys.executable, __file__, "--hash", str(file), "--folder", str(folder)])
        hashes: list[object] = json.loads(used[f"hash_file, {name}"].printed)
        return hashes

    ordered = measure("no quotes", PLAIN, 1)
    check(ordered, measure("no quotes, rows shuffled", PLAIN, another_step(rows)))
    used.update(others(file, folder))
    measure("quotes in every row", QUOTED, 1)
    return table(used, file.stat().st_size / 1e6, rows)


def others(file: Path, folder: Path) -> Iterator[tuple[str, Used]]:
    """The programs that are there, on the shuffled file."""
    if shutil.which("sha256sum"):
        yield "sha256sum (the bytes alone)", run(["sha256sum", str(file)])
    if shutil.which("sort"):
        command = ["sort", "--parallel=1", "--buffer-size=256M", f"--temporary-directory={folder}", str(file)]
        yield "sort (the lines alone)", run(command, printed=False, environment={**os.environ, "LC_ALL": "C"})


def another_step(rows: int) -> int:
    """A step with which counting modulo ``rows`` comes to every row, far apart."""
    return next(step for step in range(int(rows * 0.618), 2 * rows + 2) if math.gcd(step, rows) == 1)


def write(file: Path, pattern: str, rows: int, step: int) -> None:
    with file.open("wb") as out:
        for begin in range(0, rows, 10_000):
            numbers = (n * step % rows for n in range(begin, min(rows, begin + 10_000)))
            lines = (pattern % (n, n * 7, n % 12 + 1, n % 28 + 1, n * 3, n * 13) for n in numbers)
            out.write("".join(lines).encode())


def check(ordered: list[object], shuffled: list[object]) -> None:
    if ordered[1:] != shuffled[1:]:
        raise SystemExit(f"hash_sorted depends on the order of rows: {ordered} {shuffled}")
    if ordered[0] == shuffled[0]:
        raise SystemExit("hash_raw does not depend on the order of rows")


def run(command: list[str], *, printed: bool = True, environment: Mapping[str, str] | None = None) -> Used:
    """Runs a command; what it used is what the system tells of this one child."""
    with tempfile.TemporaryFile() as answer:
        begin = time.perf_counter()
        target = answer if printed else subprocess.DEVNULL
        with subprocess.Popen(command, stdout=target, env=environment) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        answer.seek(0)
        text = answer.read().decode()
    if child.returncode:
        raise SystemExit(f"{command[0]} ended with {child.returncode}")
    return Used(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, text)


def table(used: Mapping[str, Used], file_mb: float, rows: int) -> str:
    base = used.get("sort (the lines alone)")
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {rows:,} rows of CSV, {file_mb:,.0f} MB.",
        "",
        "| work | CPU s | wall s | MB per CPU s | peak MB | CPU against `sort` |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in used.items():
        ratio = f"{each.cpu / base.cpu:.2f}" if base else ""
        speed = file_mb / each.cpu
        lines.append(f"| {name} | {each.cpu:.1f} | {each.wall:.1f} | {speed:.0f} | {each.peak_mb:.0f} | {ratio} |")
    mine = [each for name, each in used.items() if name.startswith("hash_file")]
    peak, speed = max(each.peak_mb for each in mine), file_mb / max(each.cpu for each in mine)
    lines += [
        "",
        "| aim | measured | bound |  |",
        "|---|---|---|---|",
        "| the same hash_sorted for another order of rows | the same | the same | met |",
        f"| peak memory | {peak:.0f} MB | at most {MEMORY_AIM} MB | {met(peak <= MEMORY_AIM)} |",
        f"| speed of the slowest | {speed:.0f} MB/s of CPU | at least {SPEED_AIM} MB/s | {met(speed >= SPEED_AIM)} |",
    ]
    return "\n".join(lines) + "\n"


def met(yes: bool) -> str:  # noqa: FBT001
    return "met" if yes else "**missed**"


if __name__ == "__main__":
    raise SystemExit(main())
