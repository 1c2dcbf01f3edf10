"""An apply while it runs: a moving display on a terminal, plain lines elsewhere.

What is skipped is left to the report, which says it once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pinky_cli.render_human import clean, render_event
from pinky_cli.terminal import Terminal
from pinky_core import Event, Outcome

_SHOWN = (Outcome.APPLIED, Outcome.FAILED)


@contextlib.contextmanager
def watching(terminal: Terminal, total: int, *, silent: bool = False) -> Iterator[Callable[[Event], None]]:
    """A function that takes the events of an apply of ``total`` changes. ``silent``: nothing is shown."""
    if silent:
        yield lambda event: None
    elif not terminal.interactive:
        yield lambda event: terminal.show(render_event(event)) if event.outcome in _SHOWN else None
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=terminal.out, transient=True) as progress:
            terminal.display = progress.console
            try:
                yield _Display(progress, terminal, total)
            finally:
                terminal.display = None


class _Display:
    """What runs now beside the bar; what has ended scrolls above it."""

    def __init__(self, progress: Progress, terminal: Terminal, total: int) -> None:
        self._progress = progress
        self._terminal = terminal
        self._task = progress.add_task("starting", total=total)
        self._running: list[str] = []

    def __call__(self, event: Event) -> None:
        if event.outcome is Outcome.STARTED:
            self._running.append(event.name)
        else:
            if event.name in self._running:
                self._running.remove(event.name)
            if event.outcome in _SHOWN:
                self._progress.console.print(render_event(event), soft_wrap=True)
            if event.address is not None:
                self._progress.advance(self._task)
        names = ", ".join(self._running[:2]) + (f" and {len(self._running) - 2} more" if self._running[2:] else "")
        self._progress.update(self._task, description=clean(names)[:60] or "done")
