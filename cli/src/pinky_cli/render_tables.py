"""Tables for people: as wide as what is in them where no terminal sets a width, so that a pipe loses nothing."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from pinky_cli.render_human import clean
from pinky_cli.terminal import Terminal

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_TIMES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def show_table(terminal: Terminal, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table on standard output. ``columns`` are names, each with ``left`` or ``right``; texts are cleaned here."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else Text(clean(each)) for each in row))
    console, kept = terminal.out, terminal.out.width
    if not terminal.interactive:
        console.width = Measurement.get(console, console.options.update(max_width=1_000_000), table).maximum
    try:
        with console.capture() as capture:
            console.print(table)
    finally:
        console.width = kept
    # without the blanks that rich puts behind the last column
    lines = [line.rstrip() for line in capture.get().splitlines()]
    terminal.write("\n".join(lines) + "\n")


def size(count: Any) -> str:
    """Bytes as people read them: ``1.4 MB``."""
    if count is None:
        return ""
    number = float(count)
    for unit in _SIZES:
        if number < 999.5 or unit == _SIZES[-1]:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.95 else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("the last unit takes everything")


def duration(seconds: Any) -> str:
    """A time as people read it, in its two largest units: ``3 min 20 s``."""
    if seconds is None:
        return ""
    left = round(float(seconds))
    if left < 0:
        return f"-{duration(-left)}"
    for place, (length, unit) in enumerate(_TIMES[:-1]):
        if left >= length:
            below, smaller = _TIMES[place + 1]
            rest = left % length // below
            return f"{left // length} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{left} s"


def moment(value: Any) -> str:
    """A point in time, to the second, with its offset from UTC; a day as it is."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "" if value is None else str(value)


def plain_value(value: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return value
