"""Mistakes of the user, as values with a place. They are collected, sorted and shown all at once; never thrown."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable

import attrs

from pinky_core.address import Address

__all__ = ["Diagnostic", "Location", "Severity", "has_errors", "nearest"]


class Severity(enum.Enum):
    """How much a diagnostic weighs: an error stops the run, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@attrs.frozen(order=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@attrs.frozen
class Diagnostic:
    """One thing that is wrong: a stable ``code``, what was found, and a hint what to do.

    ``path`` leads to the field inside the resource, such as ``("columns", 2, "type")``.
    """

    severity: Severity
    code: str
    summary: str
    hint: str = ""
    address: Address | None = None
    path: tuple[str | int, ...] = ()
    location: Location | None = None

    @classmethod
    def error(
        cls,
        code: str,
        summary: str,
        *,
        hint: str = "",
        address: Address | None = None,
        path: tuple[str | int, ...] = (),
        location: Location | None = None,
    ) -> Diagnostic:
        """A diagnostic that stops the run."""
        return cls(Severity.ERROR, code, summary, hint, address, path, location)

    @classmethod
    def warning(
        cls,
        code: str,
        summary: str,
        *,
        hint: str = "",
        address: Address | None = None,
        path: tuple[str | int, ...] = (),
        location: Location | None = None,
    ) -> Diagnostic:
        """A diagnostic that is only shown."""
        return cls(Severity.WARNING, code, summary, hint, address, path, location)

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        hint = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.severity.value}[{self.code}]: {self.summary}{hint}"


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the run."""
    return any(each.severity is Severity.ERROR for each in diagnostics)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint ``Did you mean 'x'?`` for the closest known spelling, or the empty string where none is close."""
    by_folded = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_folded, n=1, cutoff=0.6)
    return f"Did you mean {by_folded[close[0]]!r}?" if close else ""
