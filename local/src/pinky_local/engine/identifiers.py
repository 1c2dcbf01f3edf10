"""Canonical names and how they are printed.

Rests on https://docs.snowflake.com/en/sql-reference/identifiers-syntax: unquoted identifiers fold to upper case,
quoted ones are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pinky_local.engine import errors

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")
_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\W\d][\w$]*))\s*(\.|\Z)')


def printed(name: str) -> str:
    """A canonical name as SQL text: quoted only where folding would change it."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def dotted(parts: Iterable[str]) -> str:
    """A qualified name as SQL text."""
    return ".".join(printed(part) for part in parts)


def parse_dotted(text: str) -> tuple[str, ...]:
    """The canonical parts of a qualified name written in a string. Raises 001003 for anything else."""
    parts: list[str] = []
    position = 0
    while True:
        found = _PART.match(text, position)
        if found is None:
            raise errors.syntax(1, position, text[position:] or "<EOF>")
        quoted, plain, dot = found.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else plain.upper())
        position = found.end()
        if not dot:
            return tuple(parts)
