"""Contacts attached to an object, each for one purpose.

https://docs.snowflake.com/en/user-guide/contacts-using. Named after the view that lists them,
https://docs.snowflake.com/en/sql-reference/account-usage/contact_references.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Names,
    Place,
    Reader,
    Resource,
    Risk,
    Statement,
    Wanted,
    is_given,
    parse_path,
    prop,
    resource,
    sql_path,
    statement,
)

__all__ = ["PURPOSES", "ContactReference", "Held", "Holder"]

PURPOSES = ("steward", "support", "access_approval", "security_compliance")
"""What a contact can be for, in lower case, as Snowflake names it."""

Path = tuple[Identifier, ...]


@attrs.frozen
class Holder:
    """A type of object that contacts are attached to.

    ``words`` are those of its ALTER (one for an Iceberg table is ALTER TABLE, as the guide demands), ``domain`` is what
    GET_CONTACTS calls it, ``kinds`` which resources make it.
    """

    words: str
    domain: str
    depth: int
    kinds: tuple[str, ...]


HOLDERS: Mapping[str, Holder] = {
    "schema": Holder("SCHEMA", "SCHEMA", 2, ("schema",)),
    "table": Holder("TABLE", "TABLE", 3, ("table",)),
    "view": Holder("VIEW", "TABLE", 3, ("view",)),
    "dynamic_table": Holder("TABLE", "TABLE", 3, ("dynamic_table",)),
    "event_table": Holder("TABLE", "TABLE", 3, ("event_table",)),
    "external_table": Holder("TABLE", "TABLE", 3, ("external_table",)),
    "iceberg_table": Holder("TABLE", "TABLE", 3, ("iceberg_table",)),
}
_TEXT = {"type": "string", "minLength": 1}
_DETAIL = re.compile(r"CONTACTS ON (?P<type>[A-Z ]+?) (?P<path>[^ ].*)\Z", re.DOTALL)


@attrs.frozen
class Held:
    """A contact that an object itself holds: the contacts of this database that it can be, by full name.

    Snowflake tells how to reach the contact and not its name; ``method`` is that, for people.
    """

    candidates: frozenset[Path]
    method: str


@resource("contact_reference", scope="schema", sql="", stateful=False)
class ContactReference(Resource):
    """Which contacts an object has for which purpose; on the schema itself unless `on` says otherwise.

    Purposes that are not declared are not touched; null takes a contact away. What is in the object inherits from it.
    Names of contacts are completed by the schema, so `PUBLIC.SUPPORT` is one of the same database.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("OWNERSHIP", "the object"), ("APPLY", "each contact"), ("APPLY CONTACT", "the account, instead of these two"),
        ("DATABASE ROLE SNOWFLAKE.CORE_VIEWER", "the account, where it was revoked from PUBLIC"),
    )  # fmt: skip
    naming: ClassVar[Mapping[str, Any]] = {
        "on": {
            "type": "object",
            "description": "The object by its type, such as `table: ORDERS`; without it the schema of the target.",
            "properties": dict.fromkeys(HOLDERS, _TEXT),
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    }
    naming_required: ClassVar[tuple[str, ...]] = ()

    steward: str | None = prop(default=None, refers_to="contact", doc="Who knows the data.")
    support: str | None = prop(default=None, refers_to="contact", doc="Who gives technical support.")
    access_approval: str | None = prop(
        default=None, refers_to="contact", doc="Who grants access; Snowsight labels it Approver."
    )
    security_compliance: str | None = prop(
        default=None, refers_to="contact", doc="Who gets updates about security and compliance."
    )
    #: What a live object holds itself, by purpose; what it inherits is not in it.
    held: Mapping[str, Held] = attrs.field(factory=dict, eq=False)

    # -- naming and dependencies -------------------------------------------------------------------------------------

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError with what is wrong."""
        on = document.get("on")
        if on is None:
            if len(place.target) != 2:
                raise ValueError("say on which object: `on: {schema: NAME}`, for the target is no schema")
            return address_on("schema", place.target)
        if not isinstance(on, Mapping) or len(on) != 1:
            raise ValueError("`on` takes exactly one type of object with its name, such as `table: ORDERS`")
        ((word, name),) = on.items()
        holder = HOLDERS.get(str(word))
        if holder is None:
            near = difflib.get_close_matches(str(word), HOLDERS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(HOLDERS)}"
            raise ValueError(f"{word!r} takes no contacts; {hint}")
        names = {"database": document.get("database"), "schema": document.get("schema")}
        return address_on(str(word), place.complete(str(name), holder.depth, **names))

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """It has no name to change."""
        raise ValueError("contacts on an object have no name of their own, so they cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The containers, the object and the contacts."""
        word, path = holder_of(address)
        for length in range(1, len(path)):
            yield from names.at(path[:length], ("database", "schema"))
        yield from names.at(path, HOLDERS[word].kinds)
        for name in self._wanted(address).values():
            if name is not None:
                yield from names.at(name, ("contact",))

    def _wanted(self, address: Address) -> dict[str, Path | None]:
        """The full name of the contact for each declared purpose; None for one that shall have none."""
        found: dict[str, Path | None] = {}
        for purpose in PURPOSES:
            name = getattr(self, purpose)
            if name is not ABSENT:
                found[purpose] = None if name is None else contact_path(str(name), holder_of(address)[1])
        return found

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Every name must be one."""
        for purpose in PURPOSES:
            name = getattr(self, purpose)
            if is_given(name):
                try:
                    if len(parse_path(str(name))) > 3:
                        yield purpose, f"{name!r} has more than three parts"
                except ValueError as error:
                    yield purpose, str(error)

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """ALTER … SET CONTACT, which must stand alone in its statement, with all purposes."""
        return _set(address, {purpose: name for purpose, name in self._wanted(address).items() if name is not None})

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """Purposes whose contact is another one, or one too many."""
        found = []
        for purpose, name in self._wanted(address).items():
            held = live.held.get(purpose)
            if name is None and held is not None:
                found.append(FieldChange(purpose, held.method, None))
            elif name is not None and (held is None or name not in held.candidates):
                found.append(FieldChange(purpose, None if held is None else held.method, sql_path(name)))
        return found

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One SET for all that are new, then one UNSET for each that goes."""
        wanted = self._wanted(address)
        changed = {change.path: wanted[change.path] for change in changes}
        gone = [purpose for purpose, name in changed.items() if name is None]
        return [*_set(address, {p: name for p, name in changed.items() if name is not None}), *_unset(address, gone)]

    def drop(self, address: Address) -> Sequence[Statement]:
        """UNSET CONTACT for each purpose this live object holds."""
        return _unset(address, self.held)

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """A contact that is taken away can be attached again; nothing is lost."""
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """What each object holds itself; objects without contacts of their own have no body."""
        from pinky_schema.contact_reading import read_held

        held = read_held(reader, [(each.address, *holder_of(each.address)) for each in wanted])
        return {address: cls(held=found) for address, found in held.items() if found}


def address_on(word: str, path: Path) -> Address:
    """The address of the contacts on one object."""
    container = path if len(path) == 2 else path[:2]
    return Address("contact_reference", container, f"CONTACTS ON {word.upper().replace('_', ' ')} {sql_path(path)}")


def holder_of(address: Address) -> tuple[str, Path]:
    """The type (a key of `HOLDERS`) and the path of the object that an address is about."""
    match = _DETAIL.match(address.detail)
    if match is None:
        raise ValueError(f"{address} is not the address of contacts on an object")
    return match["type"].lower().replace(" ", "_"), parse_path(match["path"])


def contact_path(text: str, base: Path) -> Path:
    """The full name of a contact, completed by the object's schema."""
    parts = parse_path(text)
    return (*base[: 3 - len(parts)], *parts)


def _set(address: Address, names: Mapping[str, Path]) -> list[Statement]:
    if not names:
        return []
    pairs = ", ".join(f"{purpose.upper()} = {sql_path(name)}" for purpose, name in names.items())
    return [statement(f"{_head(address)} SET CONTACT {pairs}")]


def _unset(address: Address, purposes: Iterator[str] | Sequence[str] | Mapping[str, Any]) -> list[Statement]:
    return [statement(f"{_head(address)} UNSET CONTACT {purpose.upper()}") for purpose in purposes]


def _head(address: Address) -> str:
    word, path = holder_of(address)
    return f"ALTER {HOLDERS[word].words} {sql_path(path)}"
