"""Reading delimited text as Snowflake does.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format (TYPE = CSV): fields are enclosed only where
FIELD_OPTIONALLY_ENCLOSED_BY says with what, a backslash escapes in fields that are not enclosed, \\N is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pinky_local.files.formats import CsvFormat

_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the line it begins in (from 1), its fields, or why it cannot be read."""

    line: int
    fields: list[str | None]
    problem: str | None = None


def records(text: str, options: CsvFormat) -> Iterator[Record]:
    """The records of a text, after the lines that SKIP_HEADER names."""
    return _Reader(text, options).records()


class _Reader:
    def __init__(self, text: str, options: CsvFormat) -> None:
        self._text = text
        self._options = options
        self._end = (options.record and re.escape(options.record)) or "\r\n|\n|\r"
        self._line_end = re.compile(self._end)
        self._field = re.compile(self._pattern(), re.DOTALL)
        self._nulls = frozenset(options.nulls)

    def _pattern(self) -> str:
        """Field and what ends it: group 1 what is enclosed, group 2 what is not, group 3 the delimiter."""
        given = self._options
        stop = self._end if given.field is None else f"{re.escape(given.field)}|{self._end}"
        bare = f"(?:{re.escape(given.escape_unenclosed)}.|.)*?" if given.escape_unenclosed else ".*?"
        if given.enclosed is None:
            return rf"()?({bare})({stop}|\Z)"
        quote = re.escape(given.enclosed)
        inside = rf"[^{quote}{re.escape(given.escape)}]|{re.escape(given.escape)}." if given.escape else rf"[^{quote}]"
        space = r"[ \t]*" if given.trim else ""
        return rf"(?:{space}{quote}((?:{inside}|{quote}{quote})*){quote}{space}|({bare}))({stop}|\Z)"

    def records(self) -> Iterator[Record]:
        position, line = 0, 1
        for _ in range(self._options.skip):
            found = self._line_end.search(self._text, position)
            if found is None:
                return
            position, line = found.end(), line + 1
        size = len(self._text)
        while position < size:
            start = line
            fields, problem, begin = [], None, position
            while True:
                found = self._field.match(self._text, position)
                if found is None:  # cannot be: the bare alternative ends at the end of the text
                    raise AssertionError("no field matches")
                value, wrong = self._value(found)
                fields.append(value)
                problem = problem or wrong
                position = found.end()
                delimiter = found.group(3)
                if delimiter != self._options.field or not delimiter:
                    break
            line += self._lines(begin, position)
            if self._options.skip_blank and len(fields) == 1 and not self._text[begin:position].strip("\r\n"):
                continue
            yield Record(start, fields, problem)

    def _lines(self, begin: int, end: int) -> int:
        if self._options.record is not None:
            return self._text.count(self._options.record, begin, end)
        return self._text.count("\n", begin, end) or (1 if "\r" in self._text[begin:end] else 0)

    def _value(self, found: re.Match[str]) -> tuple[str | None, str | None]:
        given = self._options
        enclosed, bare = found.group(1), found.group(2)
        if given.enclosed is not None and enclosed is not None:
            text = enclosed.replace(given.enclosed * 2, given.enclosed)
            text = self._unescaped(text, given.escape)
            return (None if text in self._nulls else text), None
        text = bare or ""
        problem = None
        if given.enclosed is not None and text.startswith(given.enclosed):
            problem = f"Found character '{text[-1]}' instead of field delimiter '{given.field}'"
        if given.trim:
            text = text.strip()
        if text in self._nulls or (not text and given.empty_is_null):
            return None, problem
        text = self._unescaped(text, given.escape_unenclosed)
        return (None if text in self._nulls else text), problem

    @staticmethod
    def _unescaped(text: str, escape: str | None) -> str:
        if not escape or escape not in text:
            return text
        return re.sub(re.escape(escape) + "(.)", lambda one: _CONTROL.get(one[1], one[1]), text, flags=re.DOTALL)
