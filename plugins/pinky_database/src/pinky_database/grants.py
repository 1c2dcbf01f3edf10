"""What a database grant says: its parts, its address, and the single privileges on single objects it stands for.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/sql-reference/sql/grant-database-role
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from pinky_core import Address, Identifier, Place, parse_path, sql_path
from pinky_database.object_types import (
    DATABASE,
    DATABASE_FOR_DATABASE_ROLES,
    OBJECT_TYPES,
    SCHEMA,
    ObjectType,
    object_type_of,
    privilege_of,
)

__all__ = ["Grant", "Grantee", "ObjectName", "RoleMembership", "grant_of", "said_by"]

Path = tuple[Identifier, ...]

_PART = r'(?:"(?:[^"]|"")*"|[A-Z_][A-Z0-9_$]*)'
_NAME = rf"{_PART}(?:\.{_PART})*"
_TO = rf"TO (?P<word>ROLE|DATABASE ROLE|USER) (?P<to>{_NAME})\Z"
_PLURALS = "|".join(sorted(OBJECT_TYPES, key=len, reverse=True))
_ROLE = re.compile(rf"DATABASE ROLE (?P<role>{_NAME}) {_TO}")
_OBJECT = re.compile(rf"(?P<privilege>[A-Z0-9_. ]+?) ON (?P<type>DATABASE|SCHEMA) (?P<path>{_NAME}) {_TO}")
_BULK = re.compile(
    rf"(?P<privilege>[A-Z0-9_. ]+?) ON (?P<form>ALL|FUTURE) (?P<type>{_PLURALS})"
    rf" IN (?:DATABASE|SCHEMA) (?P<path>{_NAME}) {_TO}"
)


@attrs.frozen(order=True)
class Grantee:
    """Who gets something: ``word`` is ROLE, DATABASE ROLE or USER."""

    word: str
    path: Path

    @property
    def kind(self) -> str:
        """The kind of resource it is."""
        return self.word.lower().replace(" ", "_")

    def __str__(self) -> str:
        return f"{self.word} {sql_path(self.path)}"


@attrs.frozen(order=True)
class ObjectName:
    """One object: its type in the singular, its path, and for a procedure or function the types of its arguments."""

    type: str
    path: Path
    signature: str = ""

    def __str__(self) -> str:
        return f"{self.type} {sql_path(self.path)}{self.signature}"


@attrs.frozen
class RoleMembership:
    """A database role granted to a role or user."""

    role: Path
    to: Grantee

    @property
    def address(self) -> Address:
        """The address that says this."""
        return Address("database_grant", self.role, f"DATABASE ROLE {sql_path(self.role)} TO {self.to}")


@attrs.frozen
class Grant:
    """Privileges on a database or schema (``form`` OBJECT), or on all or future objects of a type in one.

    ``privilege`` may be ALL; ``path`` is the object, or the container for ALL and FUTURE.
    """

    privilege: str
    form: str
    type: ObjectType
    path: Path
    to: Grantee

    @property
    def container(self) -> str:
        """DATABASE or SCHEMA, whichever the path leads to."""
        return "DATABASE" if len(self.path) == 1 else "SCHEMA"

    @property
    def target(self) -> str:
        """What follows ON in a statement."""
        name = f"{self.container} {sql_path(self.path)}"
        return name if self.form == "OBJECT" else f"{self.form} {self.type.plural} IN {name}"

    @property
    def address(self) -> Address:
        """The address that says this."""
        return Address("database_grant", self.path, f"{self.privilege} ON {self.target} TO {self.to}")

    @property
    def privileges(self) -> tuple[str, ...]:
        """The single privileges that are meant: ALL is never compared as such."""
        return self.type.privileges if self.privilege == "ALL" else (self.privilege,)


def said_by(address: Address) -> Grant | RoleMembership:
    """What the address of a database grant says; raises ValueError for another address."""
    text = address.detail
    match = _ROLE.match(text)
    if match is not None:
        return RoleMembership(parse_path(match["role"]), Grantee(match["word"], parse_path(match["to"])))
    match = _BULK.match(text)
    if match is not None:
        to = Grantee(match["word"], parse_path(match["to"]))
        return Grant(match["privilege"], match["form"], OBJECT_TYPES[match["type"]], parse_path(match["path"]), to)
    match = _OBJECT.match(text)
    if match is None:
        raise ValueError(f"{address} is not the address of a database grant")
    to = Grantee(match["word"], parse_path(match["to"]))
    return Grant(match["privilege"], "OBJECT", _type_on(match["type"], to), parse_path(match["path"]), to)


def _type_on(word: str, to: Grantee) -> ObjectType:
    if word == "SCHEMA":
        return SCHEMA
    return DATABASE_FOR_DATABASE_ROLES if to.word == "DATABASE ROLE" else DATABASE


def grant_of(document: Mapping[str, Any], place: Place) -> Grant | RoleMembership:
    """What a document declares; raises ValueError with what is wrong and the nearest right word."""
    to = _grantee(document, place)
    if "database_role" in document:
        return _membership(document, place, to)
    if to.word == "USER":
        raise ValueError("privileges go to roles; only a database role can be granted to a user")
    form, word, path = _target(document.get("on"), place)
    kind = _type_on(str(word), to) if form == "OBJECT" else object_type_of(word, form)
    if kind is not SCHEMA and kind.plural == "SCHEMAS":
        kind = OBJECT_TYPES["SCHEMAS"]
    if kind.plural == "SCHEMAS" and form != "OBJECT" and len(path) != 1:
        raise ValueError("schemas lie in a database: give `in_database`")
    if to.word == "DATABASE ROLE" and to.path[0] != path[0]:
        raise ValueError(f"{to} can have privileges in its own database only, not in {path[0].sql}")
    return Grant(privilege_of(document.get("privilege"), kind), form, kind, path, to)


def _grantee(document: Mapping[str, Any], place: Place) -> Grantee:
    given = [word for word in ("to_role", "to_database_role", "to_user") if word in document]
    if len(given) != 1:
        raise ValueError("give exactly one of `to_role`, `to_database_role` and `to_user`")
    name = str(document[given[0]])
    if given[0] == "to_database_role":
        return Grantee("DATABASE ROLE", place.complete(name, 2))
    path = (Identifier.parse(name),)
    return Grantee("ROLE" if given[0] == "to_role" else "USER", path)


def _membership(document: Mapping[str, Any], place: Place, to: Grantee) -> RoleMembership:
    for word in ("privilege", "on", "with_grant_option"):
        if word in document:
            raise ValueError(f"`{word}` says nothing where a database role is granted")
    role: Path = place.complete(str(document["database_role"]), 2)
    if to.word == "DATABASE ROLE" and to.path[0] != role[0]:
        raise ValueError(f"database role {sql_path(role)} can be granted to roles of its own database, not to {to}")
    if to.path == role:
        raise ValueError(f"database role {sql_path(role)} cannot be granted to itself")
    return RoleMembership(role, to)


def _target(on: Any, place: Place) -> tuple[str, str, Path]:
    """Form, word and path of ``on``: an object, or all or future objects in a container."""
    rule = "`on` takes `database`, `schema`, or `all` or `future` with `in_schema` or `in_database`"
    if not isinstance(on, Mapping):
        raise ValueError(rule)
    words = set(on)
    if words == {"database"}:
        return "OBJECT", "DATABASE", place.complete(str(on["database"]), 1)
    if words == {"schema"}:
        return "OBJECT", "SCHEMA", place.complete(str(on["schema"]), 2)
    for form in ("all", "future"):
        for container, depth in (("in_database", 1), ("in_schema", 2)):
            if words == {form, container}:
                return form.upper(), str(on[form]), place.complete(str(on[container]), depth)
    raise ValueError(rule)
