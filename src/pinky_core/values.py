"""Values whose spelling is settled once: keywords, durations, schedules and SQL texts.

Each type has ``parse(text)``, ``json_schema()`` and ``.sql``; after parsing, plain ``==`` says whether two values mean
the same to Snowflake. `tokenize` cuts SQL text into tokens for whoever has to look inside.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple, Self

import attrs

__all__ = ["Duration", "Keyword", "Schedule", "SqlText", "Token", "tokenize"]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


# -- keywords --------------------------------------------------------------------------------------------------------


class Keyword(StrEnum):
    """Base of enumerations of Snowflake keywords: ``XSMALL = "XSMALL", "X-SMALL"``.

    The first string is the spelling for SQL, the others are what SHOW prints or the documentation also allows.
    """

    aliases: tuple[str, ...]

    def __new__(cls, sql: str, *aliases: str) -> Self:
        """A member from its declaration."""
        member = str.__new__(cls, sql)
        member._value_ = sql
        member.aliases = aliases
        return member

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read any spelling in any case; raises ValueError with the allowed ones and the nearest."""
        spellings = _spellings(cls)
        found = spellings.get(text.strip().upper())
        if found is None:
            near = difflib.get_close_matches(text.strip().upper(), spellings, n=1)
            hint = f"; did you mean {spellings[near[0]].value}?" if near else ""
            allowed = ", ".join(each.value for each in cls)
            raise ValueError(f"{text!r} is not one of {allowed}{hint}")
        assert isinstance(found, cls)
        return found

    @classmethod
    def read(cls, text: str) -> Self | str:
        """What a server printed: the member, or the text in upper case where this version does not know it."""
        folded = text.strip().upper()
        found = _spellings(cls).get(folded)
        return found if isinstance(found, cls) else folded

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment: the SQL spellings for completion, every spelling in any case for validation."""
        pattern = "|".join(_any_case(each) for each in _spellings(cls))
        return {"type": "string", "anyOf": [{"enum": [each.value for each in cls]}, {"pattern": f"^(?:{pattern})$"}]}

    @property
    def sql(self) -> str:
        """The spelling for a statement."""
        return str(self.value)

    def __str__(self) -> str:
        return str(self.value)


@cache
def _spellings(cls: type[Keyword]) -> dict[str, Keyword]:
    found: dict[str, Keyword] = {}
    for member in cls:
        for spelling in (member.value, *member.aliases):
            if found.setdefault(spelling.upper(), member) is not member:
                raise TypeError(f"{cls.__name__}: {spelling!r} stands for two keywords")
    return found


def _any_case(text: str) -> str:
    # A pattern has no portable case-insensitive flag in JSON Schema, hence one class per letter.
    return "".join(
        f"[{c.upper()}{c.lower()}]" if c.isalpha() else "\\" + c if c in "\\.^$*+?()[]{}|" else c for c in text
    )


# -- durations and schedules -----------------------------------------------------------------------------------------

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
_UNITS = {
    spelling: unit
    for unit in _SECONDS
    for spelling in (unit, unit + "S", unit[0], *((unit[:3], unit[:3] + "S") if unit in ("SECOND", "MINUTE") else ()))
}
_DURATION = re.compile(r"\s*(\d{1,12})\s*([A-Za-z]+)\s*\Z", re.ASCII)


@attrs.frozen(slots=True)
class Duration:
    """A length of time with the unit it was given in; equal when it lasts equally long.

    ``unit`` is kept because properties differ in the units they accept; it does not take part in comparison. Used for
    SCHEDULE, TARGET_COMPLETION_INTERVAL and TARGET_LAG: https://docs.snowflake.com/en/sql-reference/sql/create-task
    """

    seconds: int
    unit: str = attrs.field(default="SECOND", eq=False)

    def __attrs_post_init__(self) -> None:
        if self.unit not in _SECONDS or self.seconds < 0 or self.seconds % _SECONDS[self.unit]:
            raise ValueError(f"{self.seconds} seconds is not a whole, positive number of {self.unit!r}")

    @classmethod
    def parse(cls, text: str | int, unit: str = "SECOND") -> Duration:
        """Read ``5 MINUTES``, ``10 m``, ``2 hours``; a bare integer counts ``unit``. Raises ValueError."""
        if isinstance(text, bool):
            raise ValueError(f"{text!r} is not a duration; write a number and a unit, such as 5 MINUTES")
        if isinstance(text, int):
            return cls(text * _SECONDS[unit], unit)
        match = _DURATION.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a duration; write a number and a unit, such as 5 MINUTES")
        found = _UNITS.get(match[2].upper())
        if found is None:
            near = difflib.get_close_matches(match[2].upper(), _UNITS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{text!r}: unknown unit {match[2]!r}; allowed: SECONDS, MINUTES, HOURS, DAYS{hint}")
        return cls(int(match[1]) * _SECONDS[found], found)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {
            "type": "string",
            "pattern": r"^\s*[0-9]+\s*[A-Za-z]+\s*$",
            "description": "A number and a unit: SECONDS, MINUTES, HOURS or DAYS.",
            "examples": ["5 MINUTES", "30 SECONDS", "1 HOUR"],
        }

    @property
    def sql(self) -> str:
        """The quoted text for a statement: ``'5 MINUTES'``."""
        return _quoted(str(self))

    def __str__(self) -> str:
        count = self.seconds // _SECONDS[self.unit]
        return f"{count} {self.unit}{'' if count == 1 else 'S'}"


_CRON = re.compile(r"\s*USING\s+CRON\s+(.*?)\s*\Z", re.IGNORECASE | re.DOTALL)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*\Z")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_CRON_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (  # name, lowest, highest, names
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)


@attrs.frozen(slots=True)
class Schedule:
    """When a task runs: every ``interval``, or by a ``cron`` expression of five fields in ``time_zone``.

    https://docs.snowflake.com/en/sql-reference/sql/create-task
    """

    interval: Duration | None = None
    cron: str = ""
    time_zone: str = ""

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read ``5 MINUTES`` or ``USING CRON 0 9 * * MON Europe/Paris``; raises ValueError."""
        match = _CRON.match(text)
        if match is None:
            return cls(_interval(text))
        *fields, zone = match[1].split() or [""]
        if len(fields) != 5:
            raise ValueError(f"{text!r}: cron takes five fields and a time zone, found {len(fields)} and {zone!r}")
        if _ZONE.match(zone) is None:
            raise ValueError(f"{text!r}: {zone!r} is not a time zone; write an IANA name such as UTC or Europe/Paris")
        cron = [field.upper() for field in fields]
        for field, rule in zip(cron, _CRON_FIELDS, strict=True):
            _check_cron(text, field, *rule)
        return cls(None, " ".join(cron), zone)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {
            "type": "string",
            "description": "An interval, or USING CRON with five fields and a time zone.",
            "examples": ["5 MINUTES", "USING CRON 0 9 * * MON-FRI Europe/Paris"],
        }

    @property
    def sql(self) -> str:
        """The quoted text for a statement."""
        return _quoted(str(self))

    def __str__(self) -> str:
        return f"USING CRON {self.cron} {self.time_zone}" if self.interval is None else str(self.interval)


def _interval(text: str) -> Duration:
    try:
        found = Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"{error}; or USING CRON <minute hour day month weekday> <time zone>") from None
    if found.unit == "DAY" or found.seconds == 0:
        raise ValueError(f"{text!r} is not a schedule; allowed: 1 or more HOURS, MINUTES or SECONDS, or USING CRON")
    return found


def _check_cron(text: str, field: str, name: str, low: int, high: int, names: list[str]) -> None:
    last = name.startswith("day")  # L, the last day, exists for days only
    for item in field.split(","):
        span, slash, step = item.partition("/")
        if slash and not (step.isascii() and step.isdigit() and 0 < int(step[:4]) <= high):
            raise ValueError(f"{text!r}: {name} has step {step!r}; allowed: 1 to {high}")
        if span == "*" or (last and span == "L"):
            continue
        if last and names and span.endswith("L"):
            span = span[:-1]  # 5L: the last Friday of a month
        bounds = span.split("-")
        if len(bounds) > 2:
            raise ValueError(f"{text!r}: {name} is {item!r}; a range has two ends")
        for bound in bounds:
            if bound in names or (bound.isascii() and bound.isdigit() and low <= int(bound[:4]) <= high):
                continue
            allowed = f"{low} to {high}" + (f", {names[0]} to {names[-1]}" if names else "") + (", L" if last else "")
            raise ValueError(f"{text!r}: {name} is {item!r}; allowed: *, {allowed}")


# -- SQL text --------------------------------------------------------------------------------------------------------


class Token(NamedTuple):
    """One token of SQL text; ``kind`` is word, quoted, string, dollar, number, variable or punctuation.

    ``text`` is as written, delimiters included; ``position`` counts characters from 0.
    """

    kind: str
    text: str
    position: int


# Comments are --, // and /* */, which do not nest. Every repetition is possessive, so that matching stays linear.
_SQL = re.compile(
    r"""
      (?P<skip>(?:\s|--[^\r\n]*+|//[^\r\n]*+|/\*.*?\*/)++)
    | (?P<word>[^\W\d][\w$]*+)
    | (?P<quoted>"(?:[^"]|"")*+")
    | (?P<string>'(?:[^'\\]|\\.|'')*+')
    | (?P<dollar>\$\$.*?\$\$)
    | (?P<variable>\$\w++)
    | (?P<number>\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+)
    | (?P<open>["']|\$\$|/\*)
    | (?P<punctuation>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of a SQL text in order, without white space and comments; punctuation one character at a time.

    Raises ValueError where a string, quoted identifier, ``$$`` block or comment is never closed.
    """
    for match in _SQL.finditer(text):
        kind = match.lastgroup or ""
        if kind == "open":
            raise ValueError(f"{match.group()} at character {match.start() + 1} is never closed")
        if kind != "skip":
            yield Token(kind, match.group(), match.start())


class SqlText(str):
    """The text of a query or a SQL body; equal to another when only white space, comments and a last ``;`` differ.

    Letter case always counts, and so does everything inside strings, quoted identifiers and ``$$`` blocks. Not for
    Python: there, white space has meaning. A plain string is compared as if it were a SqlText; the hash is that of the
    canonical form, so do not mix both as keys of one dictionary.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> SqlText:
        """The text as a value; raises ValueError when it holds no SQL or something in it is never closed."""
        for _ in tokenize(text):
            pass
        found = cls(text)
        if not found.canonical:
            raise ValueError("the SQL text is empty")
        return found

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": "string", "minLength": 1, "description": "SQL text."}

    @property
    def canonical(self) -> str:
        """What comparison uses: one space for each run of white space and comments, no closing semicolons."""
        return _canonical(str.__str__(self))

    @property
    def sql(self) -> str:
        """The text for a statement: as written, without what surrounds it: white space, comments, closing semicolons.

        A comment at the end would swallow whatever a statement puts behind the text. Raises ValueError where something
        in the text is never closed.
        """
        text = str.__str__(self).replace("\r\n", "\n")
        start = end = -1
        for token in tokenize(text):
            start = token.position if start < 0 else start
            if token.text != ";":
                end = token.position + len(token.text)
        return text[start:end] if end > start >= 0 else ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        return self.canonical == _canonical(str.__str__(other))

    def __ne__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        return not self == other

    def __hash__(self) -> int:
        return hash(self.canonical)


@lru_cache(maxsize=8192)
def _canonical(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces: list[str] = []
    for match in _SQL.finditer(text):
        if match.lastgroup == "open":
            return text.strip()  # not SQL we understand: only what is certain is ignored
        pieces.append(" " if match.lastgroup == "skip" else match.group())
    while pieces and pieces[-1] in (" ", ";"):
        pieces.pop()
    return "".join(pieces[1:] if pieces and pieces[0] == " " else pieces)
