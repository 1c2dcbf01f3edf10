"""The version of what Snowflake never tells: a number at the end of an object's comment, ``[pinky version 3]``.

A changed secret cannot be seen, so a manifest says that it changed: where its version is higher than the one in the
comment, the value is set again. People never see the number as part of the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pinky_core.address import Address
from pinky_core.diagnostics import Diagnostic

__all__ = ["check_version", "marked", "unmarked"]

_MARKER = re.compile(r"\s?\[pinky version (\d+)\]\Z")


def marked(comment: str, version: int | None) -> str:
    """A comment with the version behind it."""
    if version is None:
        return comment
    return f"{comment} [pinky version {version}]" if comment else f"[pinky version {version}]"


def unmarked(text: str) -> tuple[str, int | None]:
    """The comment without the version, and the version; None where it has none."""
    match = _MARKER.search(text)
    return (text[: match.start()], int(match[1])) if match else (text, None)


def check_version(address: Address, wanted: Any, known: Any) -> Iterator[Diagnostic]:
    """A version only goes up: a lower one would look like a change and set nothing new."""
    if isinstance(wanted, int) and isinstance(known, int) and wanted < known:
        summary = f"{address}: version {wanted} is lower than version {known}, which is set"
        hint = "Raise the version to set the value again."
        yield Diagnostic.error("version", summary, hint=hint, address=address)
