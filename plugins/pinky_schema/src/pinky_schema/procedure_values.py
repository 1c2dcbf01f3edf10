"""Values of procedures and functions: bodies, return types, argument lists, paths of imports.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure,
https://docs.snowflake.com/en/sql-reference/sql/show-procedures,
https://docs.snowflake.com/en/sql-reference/sql/desc-procedure
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from pinky_core import DataType, Identifier, Keyword, parse_path, string_literal

__all__ = [
    "Body",
    "ExecuteAs",
    "Language",
    "NullHandling",
    "Returns",
    "argument_types",
    "completed",
    "import_path",
    "pieces",
    "secret_map",
    "stage_of_import",
]


class Language(Keyword):
    """What a handler is written in."""

    SQL = ("SQL",)
    PYTHON = ("PYTHON",)


class ExecuteAs(Keyword):
    """Whose privileges a procedure runs with."""

    OWNER = ("OWNER",)
    CALLER = ("CALLER",)
    RESTRICTED_CALLER = "RESTRICTED CALLER", "RESTRICTED_CALLER"


class NullHandling(Keyword):
    """What happens when an argument is NULL."""

    CALLED = ("CALLED ON NULL INPUT",)
    RETURNS_NULL = "RETURNS NULL ON NULL INPUT", "STRICT"


class Body(str):
    """The text of a handler: every character counts, except line ends, blank lines before and white space after it."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Body:
        """The text as a value; raises ValueError for one that holds nothing."""
        if not isinstance(text, str) or not text.strip():
            raise ValueError("the body is empty")
        return cls(text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": "string", "minLength": 1, "description": "Source text of the handler."}

    @property
    def canonical(self) -> str:
        """What comparison uses."""
        text = str.__str__(self).replace("\r\n", "\n").replace("\r", "\n").rstrip()
        return re.sub(r"\A(?:[ \t]*\n)+", "", text)

    @property
    def sql(self) -> str:
        """Between dollars, where nothing is escaped; quoted where the text itself could end them."""
        text = str.__str__(self).replace("\r\n", "\n")
        return string_literal(text) if "$$" in text or text.endswith("$") else f"$${text}$$"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        return self.canonical == Body(other).canonical

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.canonical)


def pieces(text: str) -> list[str]:
    """The parts between commas outside parentheses and double quotes, without white space around them."""
    found, depth, quoted = [""], 0, False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
        if character == "," and depth == 0 and not quoted:
            found.append("")
        else:
            found[-1] += character
    return [part for each in found if (part := each.strip())]


_NAME = re.compile(r'\s*("(?:[^"]|"")+"|[^\s"]+)\s+(.+)\Z', re.DOTALL)
_TABLE = re.compile(r"\s*TABLE\s*\((.*)\)\s*\Z", re.IGNORECASE | re.DOTALL)
_NOT_NULL = re.compile(r"\s+NOT\s+NULL\s*\Z", re.IGNORECASE)


def named_types(text: str) -> Iterator[tuple[Identifier, str]]:
    """``A NUMBER, "b" VARCHAR(3)`` as names and types; raises ValueError for anything else."""
    for each in pieces(text):
        match = _NAME.match(each)
        if match is None:
            raise ValueError(f"{each!r} is not a name and a type")
        yield Identifier.parse(match[1]), match[2]


@attrs.frozen
class Returns:
    """What a procedure returns: a ``type``, or a table with ``columns`` (none: any); ``sized`` where sizes are told."""

    type: DataType | None = None
    columns: tuple[tuple[Identifier, DataType], ...] = ()
    required: bool = False
    sized: bool = attrs.field(default=True, eq=False)

    @classmethod
    def parse(cls, text: str) -> Returns:
        """Read ``VARCHAR``, ``NUMBER NOT NULL``, ``TABLE (A NUMBER, B VARCHAR)`` or ``TABLE ()``; raises ValueError."""
        table = _TABLE.match(text)
        if table is not None:
            columns = tuple((name, DataType.parse(type_)) for name, type_ in named_types(table[1]))
            return cls(columns=columns, sized=not columns or bool(re.search(r"\d", table[1])))
        bare = _NOT_NULL.sub("", text)
        return cls(DataType.parse(bare), required=bare != text, sized="(" in bare)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {
            "type": "string",
            "description": "A data type, with NOT NULL where it never is, or TABLE (column type, …).",
            "examples": ["VARCHAR", "NUMBER NOT NULL", "TABLE (ID NUMBER, NAME VARCHAR)", "TABLE ()"],
        }

    @property
    def sql(self) -> str:
        """The clause behind RETURNS."""
        if self.type is None:
            return f"TABLE ({', '.join(f'{name.sql} {type_}' for name, type_ in self.columns)})"
        return f"{self.type}{' NOT NULL' if self.required else ''}"

    def means(self, live: Returns) -> bool:
        """Whether DESCRIBE tells the same; where it leaves out the sizes, they are not compared."""
        return self == live or (not live.sized and self._signature() == live._signature())

    def _signature(self) -> tuple[Any, ...]:
        columns = tuple((name, type_.signature) for name, type_ in self.columns)
        return (self.type.signature if self.type else None, columns, self.required)

    def __str__(self) -> str:
        return self.sql


def argument_types(name: str, arguments: str) -> list[tuple[str, bool]]:
    """The types of the column ``arguments`` of SHOW PROCEDURES, and which of them may be left out.

    The column reads ``NAME(NUMBER, DEFAULT VARCHAR) RETURN TABLE ()``.
    """
    rest = arguments[len(name) :] if arguments.startswith(name) else arguments[arguments.find("(") :]
    found = []
    for each in pieces(_in_parentheses(rest)):
        text = re.sub(r"\A(?:(?:IN|OUT|INOUT|DEFAULT)\s+)+", "", each, flags=re.IGNORECASE)
        found.append((_signature(text), bool(re.match(r"(?:\w+\s+)?DEFAULT\s", each, re.IGNORECASE))))
    return found


def _signature(text: str) -> str:
    """A type without sizes; one that this version does not know as it was told, for it is not ours."""
    try:
        return DataType.parse(text).signature
    except ValueError:
        return text.strip().upper()


def _in_parentheses(text: str) -> str:
    """What stands between the first parenthesis and the one that closes it; raises ValueError where none does."""
    start, depth = text.find("("), 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            return text[start + 1 : place]
    raise ValueError(f"{text!r} is not a signature")


def completed(name: str, base: Sequence[Identifier]) -> str:
    """A name in full, as an object in a schema means it."""
    parts = parse_path(name)
    return ".".join(part.sql for part in (*tuple(base)[: 3 - len(parts)], *parts))


def stage_of_import(text: str) -> tuple[str, str] | None:
    """Stage and path of ``@stage/path``; None for user and table stages and for what is no stage path."""
    if not text.startswith("@") or text[1:2] in ("~", "%", "/", ""):
        return None
    stage, _, path = _split_path(text[1:])
    return stage, path


def _split_path(text: str) -> tuple[str, str, str]:
    quoted = False
    for place, character in enumerate(text):
        quoted ^= character == '"'
        if character == "/" and not quoted:
            return text[:place], "/", text[place + 1 :]
    return text, "", ""


def import_path(text: str, base: Sequence[Identifier]) -> str:
    """``@stage/path`` with the stage's full name, so that it means the same whatever schema a session is in."""
    found = stage_of_import(text)
    return text if found is None else f"@{completed(found[0], base)}/{found[1]}"


def secret_map(raw: Any) -> dict[str, str]:
    """What SHOW and DESCRIBE print of secrets: a JSON object of variables and names."""
    if raw is None or not str(raw).strip() or str(raw).strip().lower() == "null":
        return {}
    found = json.loads(str(raw))
    return {str(variable): str(name) for variable, name in found.items()} if isinstance(found, dict) else {}


def as_multiset(texts: Iterable[str]) -> list[str]:
    """Lists of DESCRIBE cut at every comma, in one order, so that a comma inside a text makes no difference."""
    return sorted(part.strip() for text in texts for part in text.split(","))
