"""Writing delimited text as Snowflake does.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-location (TYPE = CSV). Text is enclosed where a character for
that is given, everything else only where it must be (that numbers and times are not is a guess).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinky_local.files.content import UnsupportedContentError
from pinky_local.files.formats import csv_format, null_texts

_ENCLOSED = frozenset({"VARCHAR", "VARIANT", "OBJECT", "ARRAY", "BINARY"})


class Writer:
    """Turns rows of texts into lines. ``kinds`` are the names of the columns' Snowflake types."""

    def __init__(self, given: Mapping[str, Any], kinds: Sequence[str]) -> None:
        options = csv_format(given)
        if options.encoding.upper() not in ("UTF8", "UTF-8"):
            raise UnsupportedContentError(f"ENCODING = {options.encoding} for unloading")
        if options.empty_is_null and options.enclosed is None and "EMPTY_FIELD_AS_NULL" in given:
            raise UnsupportedContentError("EMPTY_FIELD_AS_NULL = TRUE without FIELD_OPTIONALLY_ENCLOSED_BY")
        self._field = options.field or ""
        self._record = options.record or "\n"
        self._quote = options.enclosed
        self._escape = options.escape_unenclosed
        nulls = null_texts(given, ("\\N",))
        self._null = nulls[0] if nulls else ""
        self._enclosed = [kind in _ENCLOSED for kind in kinds]

    def line(self, row: Sequence[str | None]) -> bytes:
        """One record."""
        fields = (self._text(value, enclosed=enclosed) for value, enclosed in zip(row, self._enclosed, strict=True))
        return (self._field.join(fields) + self._record).encode()

    def header(self, names: Sequence[str]) -> bytes:
        """The record of column names."""
        return (self._field.join(self._text(name, enclosed=True) for name in names) + self._record).encode()

    def _text(self, value: str | None, *, enclosed: bool) -> str:
        if value is None:
            return self._null
        if self._quote is not None and (enclosed or self._field in value or self._quote in value or "\n" in value):
            return self._quote + value.replace(self._quote, self._quote * 2) + self._quote
        if self._quote is not None or not self._escape:
            return value
        for sign in dict.fromkeys((self._escape, self._field, *self._record)):
            if sign:
                value = value.replace(sign, self._escape + sign)
        return value
