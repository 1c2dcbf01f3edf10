"""Rows of JSON files in their canonical form: JSON lines, and files of JSON values.

Canonical form of a value: its JSON text (RFC 8259) without white space between tokens, names in ascending order of
their code points, strings with quotes, backslashes and everything outside printable ASCII escaped the way Python's
``json`` module does it, and **numbers as they are written**: ``1``, ``1.0`` and ``1e0`` are three values, and
no digit is lost.

Refused (`HashError`): invalid JSON, NaN and Infinity, a name twice in one object, bytes that are not UTF-8, nesting
deeper than Python can follow, a value beyond the limit.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pinky_schema.runtime.content import BLOCK, Content, HashError
from pinky_schema.runtime.text_rows import line_blocks, portions

JSON_LIMIT = 4 << 20
"""Bytes that one JSON value may have; as Python objects it takes up to thirty times as many."""

_WHITE = re.compile(r"[ \t\n\r]*")
_NEGATIVE_ZERO = re.compile(r"-0(?![.eE\d])")
_NUMBER_END = 3  # characters after a number that settle where it ends: `1` may become `1e+5`


class _Written(str):
    """A number as it is written."""


class _NotPlainError(Exception):
    """A number that Python would write in another way."""


def json_lines(content: Content, limit: int = JSON_LIMIT) -> Iterator[Iterable[bytes]]:
    """The values of a file with one value in each line, in portions; lines of white space do not count."""
    return portions(_of_lines(content, limit))


def json_values(content: Content, limit: int = JSON_LIMIT) -> Iterator[Iterable[bytes]]:
    """The values of a JSON file, in portions: one or several values with nothing or white space between them.

    An array at the top contributes its elements, so a file with one array has the same rows as JSON lines. The file is
    never in memory as a whole.
    """
    return portions(_of_window(_Window(content, limit)))


def _of_lines(content: Content, limit: int) -> Iterator[bytes]:
    number = 0
    for block in line_blocks(content, limit):
        for number, line in enumerate(block.splitlines(), number + 1):  # noqa: B020  (line numbers go on)
            try:
                text = line.decode("utf-8")
                begin = _end_of_white(text, 0)
                if begin == len(text):
                    continue
                row, end = _canonical(text, begin)
                if _end_of_white(text, end) != len(text):
                    raise HashError(f"text after the value, at character {end + 1}")
            except UnicodeDecodeError as error:
                raise HashError(f"line {number}: byte {error.start + 1} is not UTF-8") from error
            except ValueError as error:
                raise HashError(f"line {number}: {error}") from error
            yield row


def _of_window(window: _Window) -> Iterator[bytes]:
    """Values one by one. In an array at the top, ``before`` is the token that was last: ``[``, ``,`` or a value."""
    before = ""
    while character := window.next_character():
        if before and character == "]" and before != ",":
            window.skip()
            before = ""
        elif before == "value":
            if character != ",":
                raise HashError(f"{window.place()}: a comma or ] is missing")
            window.skip()
            before = ","
        elif not before and character == "[":
            window.skip()
            before = "["
        else:
            yield window.value()
            before = before and "value"
    if before:
        raise HashError("the file ends inside an array")


class _Window:
    """The part of a JSON file that is in memory: from the value that is looked at to somewhere behind it."""

    def __init__(self, content: Content, limit: int) -> None:
        self._content, self._limit = content, limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._passed = "", 0, 0
        self._complete = False

    def place(self) -> str:
        return f"character {self._passed + self._at + 1}"

    def next_character(self) -> str:
        """The character that is next after white space; empty at the end."""
        while True:
            self._at = _end_of_white(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._extend():
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self) -> bytes:
        """The value that begins here, in canonical form."""
        while True:
            try:
                row, end = _canonical(self._text, self._at)
            except json.JSONDecodeError as error:
                # Perhaps the rest of the value is not here yet.
                place = self.place()
                if not self._extend():
                    raise HashError(f"{place}: {error.msg}") from error
                if len(self._text) > self._limit + BLOCK:
                    message = f"{place}: no JSON value of at most {self._limit:,} bytes, the limit for one row"
                    raise HashError(f"{message} ({error.msg})") from error
            except HashError as error:
                raise HashError(f"{self.place()}: {error}") from error
            else:
                if self._complete or end + _NUMBER_END <= len(self._text):
                    self._at = end
                    return row
                self._extend()

    def _extend(self) -> bool:
        """Reads on; a value that is not complete yet gets twice its length, so it is not parsed over and over."""
        if self._complete:
            return False
        rest = self._text[self._at :]
        data = self._content.read(max(BLOCK, len(rest)))
        self._complete = not data
        try:
            more = self._decoder.decode(data, final=self._complete)
        except UnicodeDecodeError as error:
            raise HashError(f"after character {self._passed + len(self._text)}: not UTF-8 ({error.reason})") from error
        self._passed += self._at
        self._text, self._at = rest + more, 0
        return True


def _end_of_white(text: str, at: int) -> int:
    white = _WHITE.match(text, at)
    assert white is not None  # it matches nothing, too
    return white.end()


def _canonical(text: str, begin: int) -> tuple[bytes, int]:
    """The value that begins at ``begin`` and where it ends. `json.JSONDecodeError` where it is not JSON."""
    try:
        try:
            value, end = _PLAIN.raw_decode(text, begin)
        except (json.JSONDecodeError, HashError):
            raise
        except (_NotPlainError, ValueError):  # ValueError: an integer with more digits than Python converts
            return _as_written(text, begin)
        if _NEGATIVE_ZERO.search(text, begin, end):
            return _as_written(text, begin)
        return _ENCODER.encode(value).encode("ascii"), end
    except RecursionError as error:
        raise HashError("nested too deeply") from error


def _as_written(text: str, begin: int) -> tuple[bytes, int]:
    value, end = _WRITTEN.raw_decode(text, begin)
    return _text_of(value).encode("ascii"), end


def _text_of(value: Any) -> str:
    if isinstance(value, _Written):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_ENCODER.encode(name)}:{_text_of(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text_of, value)) + "]"
    return _ENCODER.encode(value)


def _float(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise _NotPlainError
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Taken out at its first place, a name that comes again is not there any more.
        twice = next(name for name, _ in pairs if found.pop(name, pairs) is pairs)
        raise HashError(f"the name {json.dumps(twice)} is there twice in one object")
    return found


def _constant(name: str) -> Any:
    raise HashError(f"{name} is not JSON")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_PLAIN = json.JSONDecoder(parse_float=_float, parse_constant=_constant, object_pairs_hook=_object)
_WRITTEN = json.JSONDecoder(
    parse_int=_Written, parse_float=_Written, parse_constant=_constant, object_pairs_hook=_object
)
