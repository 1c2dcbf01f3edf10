"""The line of a manifest that a diagnostic points at, with a caret under its column."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

_TAB = "    "


class Excerpts:
    """Reads lines of the files of a manifest; a file that cannot be read has none.

    ``write_only`` are the names of fields whose values must not be shown, whatever a person wrote there.
    """

    def __init__(self, source: str, write_only: Collection[str] = ()) -> None:
        self._source = source
        self._write_only = frozenset(write_only)
        self._files: dict[str, list[str]] = {}
        names = "|".join(re.escape(each) for each in sorted(write_only))
        self._masked = re.compile(rf"(?P<key>[\"']?\b(?:{names})[\"']?\s*:\s*)(?P<value>[^\s].*)") if names else None

    def of(self, diagnostic: Any) -> tuple[str, str] | None:
        """The line and the line with the caret, or None where there is nothing to show."""
        from pinky_core.validate import SECRET

        location = diagnostic.location
        if location is None or diagnostic.code == SECRET:  # the line holds a secret
            return None
        lines = self._lines(location.file)
        if not 1 <= location.line <= len(lines):
            return None
        line = lines[location.line - 1]
        before = line[: location.column - 1]
        secret = any(part in self._write_only for part in diagnostic.path)
        shown = self._mask(line, whole=secret)
        if shown is None:
            return None
        return shown.replace("\t", _TAB), " " * len(before.replace("\t", _TAB)) + "^"

    def _mask(self, line: str, *, whole: bool) -> str | None:
        """The line with the value of a write-only field hidden; None where it may be nothing but such a value."""
        found = self._masked.search(line) if self._masked else None
        if found is not None:
            return line[: found.start("value")] + "***"
        return None if whole else line

    def _lines(self, file: str) -> list[str]:
        if file not in self._files:
            from pinky_core import FolderSource

            try:
                self._files[file] = FolderSource(self._source).read(file).splitlines()
            except (OSError, ValueError):
                self._files[file] = []  # the diagnostic itself says what is wrong with the file
        return self._files[file]


def write_only_fields(registry: Any) -> frozenset[str]:
    """Names of the fields of all installed kinds whose values are secrets."""
    return frozenset(field.name for kind in registry.kinds.values() for field in kind.spec.fields if field.write_only)
