"""Polls of a stage with many files: statements, seconds and peak memory, for 1,000, 10,000 and 100,000 files.

`python benchmarks/dispatch.py [--files N …] [--folder FOLDER] [--write]`. For each size the embedded account is a
process of its own with a folder as its bucket, and each poll another one that speaks to it through the connector; so
the peak memory of each is its own. A poll runs the functions that are the body of POLL_AND_DISPATCH, with a business
procedure that does nothing. There are three: all files are new (the first 1,000 are claimed, the rest is then marked as
done), none is, and 1,000 have come since. `--write` puts the figures into benchmarks/README.md.

An aim is missed where a poll of more files costs more statements, or more than a fifth more of the runtime's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

BEGIN, END = "<!-- dispatch: begin -->", "<!-- dispatch: end -->"
SIZES = (1_000, 10_000, 100_000)
BATCH = 1_000
MEMORY_AIM = 1.2
POLLS = ("all new", "nothing new", "1,000 new")
BUCKET = "s3://acme"
INBOX = "external_input_files/d/s"
REGISTRY = "D.S.EXTERNAL_INPUT_FILES_REGISTRY"
GROUND = (
    "CREATE DATABASE D",
    "CREATE SCHEMA D.S",
    "CREATE WAREHOUSE W",
    "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
    f"STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('{BUCKET}/')",
)
MANIFEST = f"""\
scope: schema
target: D.S
vars:
  stages: {{bucket: "{BUCKET}", storage_integration: ACME, warehouse: W, viewer: NOBODY}}
stages: [external_input_files]
"""


class Measured(NamedTuple):
    """One size: statements, seconds and peak memory in MB of each poll, peak memory in MB of the account."""

    files: int
    statements: list[int]
    seconds: list[float]
    runtime_mb: list[float]
    account_mb: float


class Session:
    """What the runtime takes for a Snowpark session; a CALL of the business procedure does nothing."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements = 0

    def sql(self, statement: str, params: Sequence[Any] | None = None) -> Answer:
        if statement.startswith("CALL NOTHING("):
            return Answer([("{}",)])
        self.statements += 1
        return Answer(self.connection.cursor().execute(statement, params or None))


class Answer:
    """The rows of a statement, read when somebody asks for them."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows

    def collect(self) -> list[Any]:
        return list(self._rows)

    def to_local_iterator(self) -> Iterator[Any]:
        return iter(self._rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=list(SIZES), help="how many files are in the stage")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/README.md")
    parser.add_argument("--poll", nargs=2, type=int, metavar=("PORT", "NEW"), help="only poll (what is measured)")
    options = parser.parse_args()
    if options.poll:
        return poll(*options.poll)
    found = []
    for count in options.files:
        print(f"  {count:,} files …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="pinky-bench-dispatch-", dir=options.folder) as folder:
            found.append(measure(Path(folder), count))
    text = report(found)
    print(text, end="")
    if options.write:
        page = Path(__file__).with_name("README.md")
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        page.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8", newline="\n")
    return 0


def measure(bucket: Path, count: int) -> Measured:
    """One size: the account with its schema, the files, and the processes that poll."""
    usage: dict[str, float] = {}
    polls: list[Any] = []
    with account(bucket, usage) as port:
        ground(port)  # before any file: a stage made over files lists them at once, and REFRESH would find none new
        for new in (count, 0, BATCH):
            first = count if polls else 0
            deliver(bucket / INBOX, range(first, first + new))
            command = [sys.executable, __file__, "--poll", str(port), str(new)]
            answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            if answer.returncode:
                raise SystemExit(f"a poll of {count:,} files ended with {answer.returncode}")
            polls.append(json.loads(answer.stdout))
    statements, seconds, peaks = ([each[key] for each in polls] for key in ("statements", "seconds", "peak_mb"))
    return Measured(count, statements, seconds, peaks, usage["peak_mb"])


def deliver(inbox: Path, numbers: range) -> None:
    """Small files as ten providers deliver them in ten flows each."""
    for number in numbers:
        file = inbox / f"provider_{number % 10}" / f"flow_{number // 10 % 10}" / f"file_{number:07}.csv"
        if number - numbers.start < 100:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n", encoding="utf-8")


@contextmanager
def account(bucket: Path, usage: dict[str, float]) -> Iterator[int]:
    """The embedded account as a process of its own: its port. Afterwards ``usage`` has its peak memory in MB."""
    command = [sys.executable, "-m", "pinky_local", "serve", "--tasks", "clock", "--bucket", f"{BUCKET}={bucket}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().rpartition(":")[2])
        finally:
            server.terminate()
            _, status, used = os.wait4(server.pid, 0)
            server.returncode = os.waitstatus_to_exitcode(status)
            usage["peak_mb"] = used.ru_maxrss / 1024


def connect(port: int) -> Any:
    import snowflake.connector

    return snowflake.connector.connect(
        account="pinky_local", host="127.0.0.1", port=port, protocol="http", user="PINKY", password="pinky",
        warehouse="W", paramstyle="qmark", enable_server_session_keep_alive_auto_detection=False,
    )  # fmt: skip


def ground(port: int) -> None:
    """Make what the manifest stands on, and apply the manifest."""
    import pinky_schema

    from pinky_core import Provider, make_registry
    from pinky_core.testing import MemorySource

    with connect(port) as connection:
        for statement in GROUND:
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
        report = provider.apply(provider.plan(MemorySource({"manifest.yml": MANIFEST})))
        if not report.ok:
            raise SystemExit(f"the schema was not made: {report.failures}")


def poll(port: int, new: int) -> int:
    """Poll once and print what that took, as JSON."""
    from pinky_schema.dispatch_tasks import DEFAULTS
    from pinky_schema.runtime.graph import poll_and_dispatch

    settings = {
        **DEFAULTS, "schema": "D.S", "slot": "external_input_files", "graph": "NOTHING", "procedure": "NOTHING",
        "batch_size": BATCH,
    }  # fmt: skip
    with connect(port) as connection:
        session = Session(connection)
        begin = time.perf_counter()
        found = poll_and_dispatch(session, settings)
        seconds = time.perf_counter() - begin
        check(found, new)
        connection.cursor().execute(f"UPDATE {REGISTRY} SET STATUS = 'DONE' WHERE STATUS = 'NEW'")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"statements": session.statements, "seconds": seconds, "peak_mb": peak}))
    return 0


def check(found: Mapping[str, Any], registered: int) -> None:
    """What a poll says has to be what was delivered."""
    told = found["registered"], found.get("done", 0), found.get("stream_error")
    if told != (registered, min(registered, BATCH), None):
        raise SystemExit(f"{registered:,} files had come, and the poll says {dict(found)}")


def report(found: Sequence[Measured]) -> str:
    """All measurements as Markdown."""
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; one run.",
        "",
        f"| files | {' | '.join(f'{name}: statements | s | MB' for name in POLLS)} | account MB |",
        f"|---|{'---|' * (3 * len(POLLS) + 1)}",
    ]
    for each in found:
        polls = zip(each.statements, each.seconds, each.runtime_mb, strict=True)
        cells = (f"{count} | {wall:.1f} | {peak:.0f}" for count, wall, peak in polls)
        lines.append(f"| {each.files:,} | {' | '.join(cells)} | {each.account_mb:.0f} |")
    lines += ["", "| aim | measured | bound |  |", "|---|---|---|---|"]
    least, most = found[0], found[-1]
    shown = [", ".join(map(str, each.statements)) for each in (most, least)]
    same, sizes = met(most.statements == least.statements), f"{most.files:,} files as {least.files:,}"
    lines.append(f"| statements of a poll: {sizes} | {shown[0]} | {shown[1]} | {same} |")
    for name, peak, base in zip(POLLS, most.runtime_mb, least.runtime_mb, strict=True):
        ratio = peak / base
        measured, bound = f"{ratio:.2f} times", f"at most {MEMORY_AIM} times"
        lines.append(f"| memory of a poll, {name}: {sizes} | {measured} | {bound} | {met(ratio <= MEMORY_AIM)} |")
    return "\n".join(lines) + "\n"


def met(yes: bool) -> str:  # noqa: FBT001
    return "met" if yes else "**missed**"


if __name__ == "__main__":
    raise SystemExit(main())
