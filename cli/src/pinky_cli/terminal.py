"""Standard output and error as consoles: styled on a terminal, plain text everywhere else."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.text import Text


class Terminal:
    """Where a command writes. ``interactive`` says whether a person watches standard output."""

    def __init__(self, *, no_color: bool = False, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        plain = is_automated(environ)
        colorless = no_color or plain or bool(environ.get("NO_COLOR"))
        self.out = _console(sys.stdout, plain=plain, colorless=colorless)
        self.err = _console(sys.stderr, plain=plain, colorless=colorless)
        self.interactive = self.out.is_terminal and not plain
        self.display: Console | None = None  # of a progress display, while there is one

    def show(self, text: Text | str) -> None:
        """A result, on standard output."""
        self.out.print(text, soft_wrap=True)

    def say(self, text: Text | str) -> None:
        """A message about the run, on standard error; above the progress display, where both are one terminal."""
        console = self.display if self.display is not None and self.err.is_terminal else self.err
        console.print(text, soft_wrap=True)

    def write(self, text: str) -> None:
        """Text for programs, on standard output, exactly as it is."""
        self.out.file.write(text)
        self.out.file.flush()


def is_automated(environ: Mapping[str, str]) -> bool:
    """Whether this runs on a CI runner, as practically all of them say, or on a terminal that can do nothing."""
    return environ.get("CI", "").lower() not in ("", "0", "false") or environ.get("TERM") == "dumb"


def use_utf8() -> None:
    """Write UTF-8 whatever the code page of the console or the locale says; what cannot be written is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _console(file: TextIO, *, plain: bool, colorless: bool) -> Console:
    return Console(
        file=file,
        force_terminal=False if plain else None,
        color_system=None if colorless else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False if plain else None,
    )
