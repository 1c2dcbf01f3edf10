"""``pinky gold``: known good outputs of a schema, recorded, listed and verified."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.commands_plan import AsJson, provider, run_errors, write_file
from pinky_cli.connect import CannotConnectError, opened
from pinky_cli.manifests import declared
from pinky_cli.options import CONNECTION, MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinky_cli.run import Run
    from pinky_core import Identifier, Session

gold = typer.Typer(help="Known good outputs: record, list, verify.", rich_markup_mode=None, no_args_is_help=True)
_STYLES = {"equal": "green", "reordered": "yellow"}
_SHORT = 12  # characters of a hash that a table shows

Inputs = Annotated[
    str, typer.Option("--inputs", metavar="PATTERN", help="Only inputs whose path is like this; * and ? stand for any.")
]


@gold.callback()
def _gold() -> None:
    """Known good outputs."""


@gold.command("record")
@with_options(MANIFEST, CONNECTION, OUTPUT)
def record(
    settings: Settings,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="DB.SCHEMA", help="Where the runs were, such as production. Default: target."),
    ] = None,
    inputs: Inputs = "*",
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="Runs of this version. Default: that of the last run."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most N inputs, the latest.")] = 1000,
    as_json: AsJson = False,
) -> int:
    """Record what runs made as known to be good.

    Into the table GOLD of the target, never in production; the inputs are kept beside it.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        with _ready(run) as (library, session, target, facts):
            found = library.record(
                session, target, facts=facts, source=source, inputs=inputs, version=version, limit=limit
            )
    except run_errors() as error:
        return run.failed(error)
    _warn(run, found.warnings)
    if as_json:
        _write_json(run, found.as_json())
        return 0 if found.rows else 1
    from pinky_cli.render_human import clean, counted

    outputs = sum(len(row.outputs) for row in found.rows)
    run.terminal.show(
        f"Recorded {counted(len(found.rows), 'input', 'inputs')} with {counted(outputs, 'output', 'outputs')} "
        f"of version {clean(found.version)} from {found.source} in {found.schema}."
    )
    for path in found.without_outputs:
        run.terminal.say(f"warning: {clean(path)}: its run made no output; that is what is known to be good now")
    for path, why in found.skipped:
        run.terminal.say(f"warning: {clean(path)} was not recorded: {clean(why)}")
    if found.left_out:
        run.terminal.say(f"{counted(found.left_out, 'older input was', 'older inputs were')} left out by --limit.")
    return 0 if found.rows else 1


@gold.command("list")
@with_options(MANIFEST, CONNECTION, OUTPUT)
def list_(settings: Settings, as_json: AsJson = False) -> int:
    """List what is recorded.

    Every version with its inputs and how many outputs each has; with --json their hashes too.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        with _ready(run) as (library, session, target, _):
            rows = library.list_gold(session, target)
    except run_errors() as error:
        return run.failed(error)
    if as_json:
        _write_json(run, {"gold": [row.as_json() for row in rows]})
    elif not rows:
        run.terminal.show("Nothing is recorded.")
    else:
        from pinky_cli.render_tables import moment, show_table

        columns = [("VERSION", "left"), ("INPUT", "left"), ("OUTPUTS", "right"), ("RECORDED", "left"), ("FROM", "left")]
        shown = [
            [row.version, row.input_path, str(len(row.outputs)), moment(row.recorded_at), row.recorded_from or ""]
            for row in rows
        ]
        show_table(run.terminal, columns, shown)
    return 0


@gold.command("verify")
@with_options(MANIFEST, CONNECTION, OUTPUT)
def verify(
    settings: Settings,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="Against this version of gold. Default: the last recorded."),
    ] = None,
    inputs: Inputs = "*",
    root: Annotated[
        str | None,
        typer.Option("--root", metavar="TASK", help="Root task. Default: POLL_AND_DISPATCH or CONSUME_STREAM."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long to wait for the graph.")
    ] = 1800.0,
    allow_reordered: Annotated[
        bool, typer.Option("--allow-reordered", help="The same rows in another order are no regression.")
    ] = False,
    junit: Annotated[
        str | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit XML report for CI.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Run the reference inputs and compare.

    Puts them into their slot, runs the graph of the target, never in production, and compares the outputs by hashes.
    The exit code is 1 where anything differs.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    if junit is not None and not Path(junit).absolute().parent.is_dir():
        raise typer.BadParameter(f"--junit {junit!r}: there is no such folder")
    try:
        with _ready(run) as (library, session, target, facts):
            found = library.verify(
                session,
                target,
                facts=facts,
                version=version,
                inputs=inputs,
                root=root,
                timeout=timeout,
                allow_reordered=allow_reordered,
                on_progress=lambda phrase, done, of: run.terminal.say(f"{phrase}: {done} of {of} inputs"),
            )
            report = library.junit_xml(found)
    except run_errors() as error:
        return run.failed(error)
    _warn(run, found.warnings)
    if as_json:
        _write_json(run, found.as_json())
    else:
        _show_verification(run, found)
    if junit is not None:
        try:
            write_file(Path(junit), report)
        except OSError as error:
            run.terminal.say(f"error: cannot write {junit}: {error.strerror}")
            return 1
    return 0 if found.ok else 1


@contextlib.contextmanager
def _ready(run: Run) -> Iterator[tuple[Any, Session, Sequence[Identifier], Any]]:
    """What each command works with: the library, a session, the target schema and the facts of its environment."""
    from pinky_core import PinkyError

    try:
        from pinky_schema import gold as library
    except ImportError:
        raise CannotConnectError("this needs the package pinky-schema, from the same place as pinky-cli") from None
    desired = declared(run)
    if len(desired.target) != 2:
        raise PinkyError(f"known good outputs belong to one schema; this manifest has scope {desired.scope}")
    facts = library.environment(desired.variables, desired.env)
    run.start_logging()
    with opened(run.settings, run.id) as connection:
        yield library, provider(run, connection).session, desired.target, facts


def _warn(run: Run, warnings: Sequence[str]) -> None:
    for text in warnings:
        run.terminal.say(f"warning: {text}")


def _write_json(run: Run, document: Any) -> None:
    from pinky_cli.render_json import to_text

    run.terminal.write(to_text(document))


def _show_verification(run: Run, found: Any) -> None:
    from rich.text import Text

    from pinky_cli.render_human import clean, counted
    from pinky_cli.render_tables import duration, show_table

    columns = [("RESULT", "left"), ("INPUT", "left"), ("OUTPUT", "left"), ("EXPECTED", "left"), ("FOUND", "left")]
    with_errors = any(row.error for row in found.rows)
    rows: list[list[str | Text]] = []
    for row in found.rows:
        result = Text(row.match.value, style=_STYLES.get(row.match.value, "bold red"))
        cells: list[str | Text] = [result, row.input_path, row.output, _short(row.expected), _short(row.found)]
        rows.append([*cells, row.error] if with_errors else cells)
    show_table(run.terminal, [*columns, ("ERROR", "left")] if with_errors else columns, rows)
    counts = ", ".join(f"{number} {match}" for match, number in found.counts.items())
    text = Text()
    text.append("passed" if found.ok else "FAILED", style="bold green" if found.ok else "bold red")
    outputs = counted(len(found.rows), "line", "lines")
    text.append(
        f": {clean(found.schema)} against version {clean(found.version)}: {counts} "
        f"({outputs}, {duration(found.seconds)})."
    )
    run.terminal.show(text)


def _short(output: Any) -> str:
    """The beginning of a file's hash."""
    return "" if output is None else str(output.hash_raw or "")[:_SHORT]
