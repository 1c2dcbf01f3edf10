"""What the kinds that attach contacts have in common: names, statements, comparison.

A plugin for each scope brings its own kind with the types of object that lie in its scope (decision 0014).

https://docs.snowflake.com/en/user-guide/contacts-using. Named after the view that lists what is attached,
https://docs.snowflake.com/en/sql-reference/account-usage/contact_references.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core.address import Address, Identifier, parse_path, sql_path
from pinky_core.change import Action, Risk
from pinky_core.diff import FieldChange
from pinky_core.read import Reader, Wanted
from pinky_core.resource import Context, Names, Place, Resource
from pinky_core.spec import ABSENT, is_given, prop, resource_base
from pinky_core.sql import Statement, statement

__all__ = ["PURPOSES", "AttachedContacts", "Held", "Holder", "Path", "holder_of", "naming_of"]

PURPOSES = ("steward", "support", "access_approval", "security_compliance")
"""What a contact can be for, in lower case, as Snowflake names it."""

Path = tuple[Identifier, ...]


@attrs.frozen
class Holder:
    """A type of object that contacts are attached to.

    ``words`` are those of its ALTER (one for an Iceberg table is ALTER TABLE, as the guide demands), ``kinds`` which
    resources make it, ``depth`` how many parts its name has; the account has none. ``domain`` is what GET_CONTACTS
    calls it; the function does not know tasks and the account, where it is empty.
    """

    words: str
    domain: str
    depth: int
    kinds: tuple[str, ...]


_TEXT = {"type": "string", "minLength": 1}
_DETAIL = re.compile(r"CONTACTS ON (?P<type>[A-Z ]+?)(?: (?P<path>[^ ].*))?\Z", re.DOTALL)
_ACCOUNT: Path = (Identifier("ACCOUNT"),)


@attrs.frozen
class Held:
    """A contact that an object itself holds: the contacts that it can be, by full name.

    GET_CONTACTS tells how to reach the contact and not its name; ``method`` is that, for people.
    """

    candidates: frozenset[Path]
    method: str


def naming_of(holders: Mapping[str, Holder], description: str) -> Mapping[str, Any]:
    """The key ``on`` of a document, with its JSON Schema."""
    return {
        "on": {
            "type": "object",
            "description": description,
            "properties": {word: _TEXT if holder.depth else {"const": True} for word, holder in holders.items()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    }


@resource_base
class AttachedContacts(Resource):
    """Which contacts an object has for which purpose. Purposes that are not declared are not touched."""

    #: The types of object by their word in a manifest.
    holders: ClassVar[Mapping[str, Holder]]
    #: What a document without ``on`` means for a target of this many parts.
    without_on: ClassVar[tuple[str, int] | None] = None
    naming_required: ClassVar[tuple[str, ...]] = ()
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("OWNERSHIP", "the object"), ("APPLY", "each contact"), ("APPLY CONTACT", "the account, instead of these two"),
        ("DATABASE ROLE SNOWFLAKE.CORE_VIEWER", "the account, where it was revoked from PUBLIC"),
    )  # fmt: skip

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
            if cls.without_on is None or len(place.target) != cls.without_on[1]:
                raise ValueError(f"say on which object: `on: {{{next(iter(cls.holders))}: NAME}}`")
            return cls.address_on(cls.without_on[0], place.target)
        if not isinstance(on, Mapping) or len(on) != 1:
            raise ValueError("`on` takes exactly one type of object with its name, such as `table: ORDERS`")
        ((word, name),) = on.items()
        holder = cls.holders.get(str(word))
        if holder is None:
            near = difflib.get_close_matches(str(word), cls.holders, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(cls.holders)}"
            raise ValueError(f"{word!r} takes no contacts here; {hint}")
        if not holder.depth:
            return cls.address_on(str(word), ())
        return cls.address_on(str(word), place.complete(str(name), holder.depth))

    @classmethod
    def address_on(cls, word: str, path: Path) -> Address:
        """The address of the contacts on one object; one in a schema belongs to the schema."""
        words = word.upper().replace("_", " ")
        detail = f"CONTACTS ON {words} {sql_path(path)}" if path else f"CONTACTS ON {words}"
        return Address(cls.spec.kind, path[:2] or _ACCOUNT, detail)

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """It has no name to change."""
        raise ValueError("contacts on an object have no name of their own, so they cannot be renamed")

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """The containers, the object and the contacts."""
        word, path = holder_of(address)
        for length in range(1, len(path)):
            yield from names.at(path[:length], ("database", "schema"))
        yield from names.at(path, self.holders[word].kinds)
        try:
            wanted = self._wanted(address)
        except ValueError:
            return  # which name is none, `contradictions` says
        for name in wanted.values():
            if name is not None:
                yield from names.at(name, ("contact",))

    def _wanted(self, address: Address) -> dict[str, Path | None]:
        """The full name of the contact for each declared purpose; None for one that shall have none."""
        found: dict[str, Path | None] = {}
        for purpose in PURPOSES:
            name = getattr(self, purpose)
            if name is not ABSENT:
                found[purpose] = None if name is None else _contact_path(str(name), holder_of(address)[1])
        return found

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Every name must be one, and say enough: an object that lies in no schema completes no name of one part."""
        least = 3 - min(2, max(holder.depth for holder in self.holders.values()))
        for purpose in PURPOSES:
            name = getattr(self, purpose)
            if is_given(name):
                try:
                    parts = len(parse_path(str(name)))
                except ValueError as error:
                    yield purpose, str(error)
                    continue
                if parts > 3:
                    yield purpose, f"{name!r} has more than three parts"
                if parts < least:
                    wanted = "its schema" if least == 2 else "its database and schema"
                    yield purpose, f"{name!r}: say with {wanted} where the contact lies"

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """ALTER … SET CONTACT, which must stand alone in its statement, with all purposes."""
        wanted = self._wanted(address)
        return self._set(address, {purpose: name for purpose, name in wanted.items() if name is not None})

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
        new = {purpose: name for purpose, name in changed.items() if name is not None}
        return [*self._set(address, new), *self._unset(address, gone)]

    def drop(self, address: Address) -> Sequence[Statement]:
        """UNSET CONTACT for each purpose this live object holds."""
        return self._unset(address, self.held)

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """A contact that is taken away can be attached again; nothing is lost."""
        return Risk.SAFE, ""

    def _set(self, address: Address, names: Mapping[str, Path]) -> list[Statement]:
        if not names:
            return []
        pairs = ", ".join(f"{purpose.upper()} = {sql_path(name)}" for purpose, name in names.items())
        return [statement(f"{self._head(address)} SET CONTACT {pairs}")]

    def _unset(self, address: Address, purposes: Iterable[str]) -> list[Statement]:
        return [statement(f"{self._head(address)} UNSET CONTACT {purpose.upper()}") for purpose in purposes]

    def _head(self, address: Address) -> str:
        word, path = holder_of(address)
        return " ".join(("ALTER", self.holders[word].words, *([sql_path(path)] if path else ())))

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """What each object holds itself; objects without contacts of their own have no body."""
        from pinky_core.contact_reading import read_held

        asked = [(each.address, *holder_of(each.address)) for each in wanted]
        held = read_held(reader, [(address, cls.holders[word], path) for address, word, path in asked])
        return {address: cls(held=found) for address, found in held.items() if found}


def holder_of(address: Address) -> tuple[str, Path]:
    """The type (a word of `AttachedContacts.holders`) and the path of the object that an address is about."""
    match = _DETAIL.match(address.detail)
    if match is None:
        raise ValueError(f"{address} is not the address of contacts on an object")
    return match["type"].lower().replace(" ", "_"), parse_path(match["path"]) if match["path"] else ()


def _contact_path(text: str, base: Path) -> Path:
    """The full name of a contact, completed by the object's database and schema."""
    parts = parse_path(text)
    return (*base[: 3 - len(parts)], *parts)
