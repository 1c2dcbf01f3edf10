"""What a grant says: a privilege, the object it is on, and who gets it; from a document, and from an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import attrs

from pinky_core import Address, DataType, Identifier, Place, parse_path, sql_path
from pinky_schema.privileges import SCHEMA, SECURABLES, Securable, privilege_of, securable_of

__all__ = ["GrantContent", "Grantee", "Path", "signature_of"]

Path = tuple[Identifier, ...]

_PART = r'(?:"(?:[^"]|"")*"|[A-Z_][A-Z0-9_$]*)'
_NAME = rf"{_PART}(?:\.{_PART})*"
_TYPES = "|".join(sorted(SECURABLES, key=len, reverse=True))
_DETAIL = re.compile(
    rf"(?P<privilege>[A-Z0-9_. ]+?) ON (?P<on>{_TYPES}) (?P<path>{_NAME})(?P<signature>\(.*\))?"
    rf" TO (?P<word>ROLE|DATABASE ROLE) (?P<to>{_NAME})\Z"
)
_CALL = re.compile(rf"(?P<name>(?i:{_NAME}))\s*\((?P<arguments>.*)\)\s*\Z", re.DOTALL)


@attrs.frozen(order=True)
class Grantee:
    """Who gets a privilege: ``word`` is ROLE or DATABASE ROLE."""

    word: str
    path: Path

    @property
    def kind(self) -> str:
        """The kind of resource it is."""
        return self.word.lower().replace(" ", "_")

    def __str__(self) -> str:
        return f"{self.word} {sql_path(self.path)}"


@attrs.frozen
class GrantContent:
    """One grant. ``privilege`` may be ALL; ``signature`` holds the argument types of a function or procedure."""

    privilege: str
    on: Securable
    path: Path
    signature: str
    to: Grantee

    @classmethod
    def of_document(cls, document: Mapping[str, Any], place: Place) -> Self:
        """What a document declares; raises ValueError with what is wrong and the nearest right word."""
        on = document.get("on")
        if not isinstance(on, Mapping) or len(on) != 1:
            raise ValueError("`on` takes exactly one type of object with its name, such as `table: ORDERS`")
        ((word, name),) = on.items()
        kind = securable_of(word)
        text, signature = _called(str(name), kind)
        names = {"database": document.get("database"), "schema": document.get("schema")}
        path: Path = place.complete(text, 2 if kind.name == SCHEMA.name else 3, **names)
        to = _grantee(document, Place(path[:1]))
        if to.word == "DATABASE ROLE" and to.path[0] != path[0]:
            raise ValueError(f"{to} can have privileges in its own database only, not in {path[0].sql}")
        return cls(privilege_of(document.get("privilege"), kind), kind, path, signature, to)

    @classmethod
    def of_address(cls, address: Address) -> Self:
        """What the address of a grant says; raises ValueError for another address."""
        match = _DETAIL.match(address.detail)
        if match is None:
            raise ValueError(f"{address} is not the address of a grant")
        to = Grantee(match["word"], parse_path(match["to"]))
        kind = SECURABLES[match["on"]]
        return cls(match["privilege"], kind, parse_path(match["path"]), match["signature"] or "", to)

    @property
    def target(self) -> str:
        """What follows ON in a statement."""
        return f"{self.on.name} {sql_path(self.path)}{self.signature}"

    @property
    def address(self) -> Address:
        """The address that says this."""
        return Address("grant", self.path, f"{self.privilege} ON {self.target} TO {self.to}")

    @property
    def implied(self) -> tuple[str, ...]:
        """What must be held first: "to grant the WRITE privilege on an internal stage, READ must first be granted"."""
        return ("READ",) if (self.on.name, self.privilege) == ("STAGE", "WRITE") else ()


def _grantee(document: Mapping[str, Any], place: Place) -> Grantee:
    given = [word for word in ("to_role", "to_database_role") if word in document]
    if len(given) != 1:
        raise ValueError("give exactly one of `to_role` and `to_database_role`")
    name = str(document[given[0]])
    if given[0] == "to_role":
        return Grantee("ROLE", (Identifier.parse(name),))
    return Grantee("DATABASE ROLE", place.complete(name, 2))


def _called(text: str, kind: Securable) -> tuple[str, str]:
    """Name and canonical argument types of ``load(number, varchar)``; other types have a name only."""
    if not kind.callable:
        return text, ""
    match = _CALL.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r}: a {kind.name} is named with the types of its arguments: NAME(NUMBER, VARCHAR)")
    return match["name"], signature_of(match["arguments"], strict=True)


def signature_of(arguments: str, *, strict: bool = False) -> str:
    """The canonical types of ``NUMBER, VARCHAR`` or ``A NUMBER(38,0), DEFAULT VARCHAR``: ``(NUMBER, VARCHAR)``.

    ``strict`` takes types only and raises ValueError for anything else; otherwise a name may stand before a type, and
    a type this version does not know stays as it is written.
    """
    types = [DataType.parse(each).signature if strict else _printed_type(each) for each in _between_commas(arguments)]
    return f"({', '.join(types)})"


def _printed_type(text: str) -> str:
    words = text.split(" ")
    for start in range(len(words)):  # before the type may stand a name, quoted or not, or DEFAULT
        try:
            return DataType.parse(" ".join(words[start:])).signature
        except ValueError:
            continue
    return text.upper()


def _between_commas(text: str) -> list[str]:
    """The parts between commas that stand outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, character in enumerate(text):
        quoted ^= character == '"'
        if not quoted:
            depth += (character == "(") - (character == ")")
        if character == "," and depth == 0 and not quoted:
            parts.append(text[start:place].strip())
            start = place + 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else []
