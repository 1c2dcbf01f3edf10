"""``pinky files``: the file flows of a schema, from the views over its registries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.commands_plan import AsJson, provider, run_errors
from pinky_cli.connect import opened
from pinky_cli.manifests import declared
from pinky_cli.options import CONNECTION, MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_cli.run import Run
    from pinky_core import Rows

DEFAULT_LIMIT = 50
#: Columns of the views that are no plain text, with how they are shown.
_SIZES = frozenset({"size", "bytes"})
_TITLES = {
    "avg_seconds_to_register": "seen after",
    "avg_seconds_to_done": "done after",
    "max_seconds_to_done": "at most",
    "seconds_to_register": "seen after",
    "seconds_to_done": "done after",
    "last_seen_at": "last seen",
    "first_seen_at": "seen",
    "relative_path": "path",
}
_OF_FILES = (
    "status",
    "slot",
    "relative_path",
    "size",
    "first_seen_at",
    "seconds_to_register",
    "seconds_to_done",
    "attempts",
    "error",
)
_NUMBERS = frozenset({"files", "done", "waiting", "parked", "gone", "attempts"})


@with_options(MANIFEST, CONNECTION, OUTPUT)
def files(
    settings: Settings,
    by: Annotated[
        str | None, typer.Option("--by", metavar="WHAT", help="Count by provider, consumer, flow or day.")
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only files of this status, such as PARKED. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="At most N rows; 0: all.")] = DEFAULT_LIMIT,
    as_json: AsJson = False,
) -> int:
    """Show the files that slots follow.

    Each version of a file, those seen last first; or with --by their number, volume and latency. Parked files with
    their errors: --status PARKED.
    """
    from pinky_cli.run import Run

    if by is not None and status:
        raise typer.BadParameter("--status picks files; --by counts them all, by status too")
    run = Run(settings, as_json=as_json)
    try:
        reading = _reading()
        desired = declared(run)
        run.start_logging()
        with opened(settings, run.id) as connection:
            session = provider(run, connection).session
            # one more than is shown tells whether there are more
            wanted = limit + 1 if limit else None
            if by is None:
                statuses = [each.upper() for each in status or ()]
                found = reading.read_files(session, desired.target, statuses=statuses, limit=wanted)
            else:
                found = reading.read_flows(session, desired.target, by=by, limit=wanted)
    except run_errors() as error:
        return run.failed(error)
    _show(run, found, limit, key="files" if by is None else "flows")
    return 0


def _reading() -> Any:
    """What reads the views; `CannotConnectError` where the package that knows them is not installed."""
    from pinky_cli.connect import CannotConnectError

    try:
        from pinky_schema import flow_reading
    except ImportError:
        raise CannotConnectError("this needs the package pinky-schema, from the same place as pinky-cli") from None
    return flow_reading


def _show(run: Run, found: Rows, limit: int, *, key: str) -> None:
    from pinky_cli.render_tables import plain_value, show_table

    rows = [dict(zip(found.columns, row, strict=True)) for row in found.values]
    more = bool(limit) and len(rows) > limit
    rows = rows[: limit or None]
    if run.as_json:
        from pinky_cli.render_json import to_text

        plain = [{name: plain_value(value) for name, value in row.items()} for row in rows]
        run.terminal.write(to_text({key: plain, "more": more}))
        return
    if not rows:
        run.terminal.show("No files.")
        return
    names = [name for name in (_OF_FILES if key == "files" else found.columns) if name in found.columns]
    names = [name for name in names if name != "error" or any(row["error"] for row in rows)]
    columns = [(_TITLES.get(name, name.replace("_", " ")).upper(), _side(name)) for name in names]
    show_table(run.terminal, columns, [[_shown(name)(row[name]) for name in names] for row in rows])
    if more:
        run.terminal.say(f"There are more than {limit}; --limit N shows more, --limit 0 all.")


def _side(name: str) -> str:
    return "right" if name in _SIZES or name in _NUMBERS or "seconds" in name else "left"


def _shown(name: str) -> Callable[[Any], str]:
    """How the values of a column are shown."""
    from pinky_cli.render_tables import duration, moment, size

    if name in _SIZES:
        return size
    return duration if "seconds" in name else moment
