"""Documents → declared resources: validation, naming, conversion, references, duplicates, cycles.

Every step goes on with what is sound, so that one run shows all mistakes at once; nothing is sent to Snowflake here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import attrs

from pinky_core.address import Address, Identifier, sql_path
from pinky_core.convert import convert_body
from pinky_core.diagnostics import Diagnostic, Location, nearest
from pinky_core.graph import CycleError, in_order
from pinky_core.json_schema import document_schema
from pinky_core.plan import needs_of
from pinky_core.plugins import Registry, package_of
from pinky_core.resource import Declared, Names, Place, Resource
from pinky_core.secret import SecretReference
from pinky_core.spec import Nested
from pinky_core.validate import SECRET, Located, Validator, check_schema

__all__ = ["SCOPES", "Declarer", "Document"]

SCOPES: Mapping[str, tuple[str, ...]] = {
    "schema": ("schema",),
    "database": ("schema", "database"),
    "account": ("schema", "database", "account"),
}


class Document(Located, Protocol):
    """One resource as a manifest holds it."""

    @property
    def kind(self) -> str:
        """The kind it was written under."""

    @property
    def kind_location(self) -> Location:
        """Where the kind was written."""

    @property
    def location(self) -> Location:
        """Where the resource starts."""

    @property
    def origin(self) -> str:
        """The section or slot it comes from; empty for one that was written out."""


@attrs.define
class Declarer:
    """Turns documents into declared resources for one scope and target, collecting diagnostics."""

    registry: Registry
    scope: str
    target: tuple[Identifier, ...]
    diagnostics: list[Diagnostic] = attrs.field(factory=list)
    _refused: set[Location] = attrs.field(factory=set)
    # Places with a mistake already told: a missing variable need not be of the wrong type as well.
    _reported: set[Location] = attrs.field(init=False)

    @_reported.default
    def _places(self) -> set[Location]:
        return {each.location for each in self.diagnostics if each.location}

    def declare(self, documents: Iterable[Document]) -> list[Declared]:
        """The sound resources among the documents; what is wrong with the others is in ``diagnostics``."""
        named: list[tuple[Document, type[Resource], Address]] = []
        for document in documents:
            kind = self._kind_of(document)
            if kind is not None:
                address = self._check_one(document, kind)
                if address is not None:
                    named.append((document, kind, address))
        unique = self._without_duplicates(named)
        addresses = {address for _, _, address in unique}
        declared = []
        for document, kind, address in unique:
            item = self._convert(document, kind, address, addresses)
            if item is not None:
                declared.append(item)
        self._check_cycles(declared)
        return declared

    def _kind_of(self, document: Document) -> type[Resource] | None:
        kind = self.registry.kinds.get(document.kind)
        if document.kind_location in self._refused:
            return None  # told once for all documents under the same word
        if kind is None:
            self._refused.add(document.kind_location)
            self._error("unknown-kind", *self._unknown_kind(document.kind), document.kind_location)
            return None
        if kind.spec.scope not in SCOPES[self.scope]:
            summary = (
                f"a {kind.spec.kind} lives at the {kind.spec.scope}; a manifest of scope {self.scope} may not hold one"
            )
            hint = f"Move it to a manifest whose scope is {kind.spec.scope}, applied by someone with that authority."
            self._refused.add(document.kind_location)
            self._error("wrong-scope", summary, hint, document.kind_location)
            return None
        return kind

    def _unknown_kind(self, word: str) -> tuple[str, str]:
        known = sorted(name for name, cls in self.registry.kinds.items() if cls.spec.scope in SCOPES[self.scope])
        package = package_of(word)
        if package is not None:
            summary = f"the kind {word!r} is not installed here; the package {package} provides it"
            return summary, f"Installed kinds: {', '.join(known)}."
        return f"unknown kind {word!r}", nearest(word, known) or f"Installed kinds: {', '.join(known)}."

    def _check_one(self, document: Document, kind: type[Resource]) -> Address | None:
        """Check a document against its schema and name it; a document with mistakes may still have a name."""
        word = kind.spec.kind
        mistakes = check_schema(document, _validator_of(cast("Any", kind)), f"this {word}")
        found = [each for each in mistakes if each.location not in self._reported]
        self.diagnostics.extend(found)
        self._reported.update(each.location for each in found if each.location)
        try:
            address = kind.address_of(document.plain, Place(self.target))
        except (ValueError, TypeError) as error:
            place = document.location_of(("name",))
            if not mistakes and place not in self._reported:
                self._error("bad-name", str(error), "", place)
            return None
        if address.path[: len(self.target)] != self.target[: len(address.path)]:
            where = sql_path(self.target)
            summary = f"{address} is outside the target {where}"
            self._error("outside-target", summary, "A manifest acts inside its target only.", document.location)
            return None
        return address

    def _without_duplicates(
        self, named: Sequence[tuple[Document, type[Resource], Address]]
    ) -> list[tuple[Document, type[Resource], Address]]:
        first: dict[Address, Document] = {}
        unique = []
        for document, kind, address in named:
            other = first.setdefault(address, document)
            if other is document:
                unique.append((document, kind, address))
            else:
                hint = f"The first one is at {other.location}."
                self._error("duplicate", f"{address} is declared twice", hint, document.location, address)
        return unique

    def _convert(
        self, document: Document, kind: type[Resource], address: Address, addresses: set[Address]
    ) -> Declared | None:
        body, mistakes = convert_body(kind, document.plain)
        for path, text in mistakes:
            place = document.location_of(path)
            if place not in self._reported:
                self.diagnostics.append(
                    Diagnostic.error("wrong-value", _at(path, text), address=address, path=path, location=place)
                )
        depends_on = self._depends_on(document, address, addresses)
        former = self._former(document, kind, address)
        if body is None:
            return None
        for name, text in body.contradictions():
            self._error("contradiction", text, "", document.location_of((name,)), address)
        for path, reference in references_in(body):
            if reference.scheme not in self.registry.resolvers:  # a secret with a colon in it looks like this
                known = ", ".join(sorted(self.registry.resolvers))
                summary = f"{'.'.join(map(str, path))}: nothing resolves this reference to a secret"
                self._error(SECRET, summary, f"Known schemes: {known}.", document.location_of(path), address)
        return Declared(address, body, document.location, former, depends_on, document.origin)

    def _depends_on(self, document: Document, address: Address, addresses: set[Address]) -> tuple[Address, ...]:
        found = []
        entries = document.plain.get("depends_on") or ()
        for index, text in enumerate(entries if isinstance(entries, (list, tuple)) else ()):
            if not isinstance(text, str):
                continue  # the schema has told it
            match = self._named(text, address, addresses)
            if match is None:
                known = [spelling for each in addresses for spelling in (str(each), f"{each.kind} {each.path[-1]}")]
                hint = nearest(text, known) or "Only declared resources can be named here."
                place = document.location_of(("depends_on", index))
                self._error("unknown-reference", f"{text!r} names no declared resource", hint, place, address)
            else:
                found.append(match)
        return tuple(found)

    def _named(self, text: str, base: Address, addresses: set[Address]) -> Address | None:
        """The declared address that ``<kind> <name>`` means for a resource."""
        kind, _, rest = text.strip().partition(" ")
        for address in addresses if "(" in rest or " " in rest else ():
            if str(address) == text.strip():
                return address
        cls = self.registry.kinds.get(kind)
        if cls is None:
            return None
        for target in (base.path[:-1], self.target):
            try:
                path = Place(tuple(target)).complete(rest, cls.spec.depth)
            except ValueError:
                continue
            matches = [each for each in (Address(kind, path),) if each in addresses]
            if matches:
                return matches[0]
        return None

    def _former(self, document: Document, kind: type[Resource], address: Address) -> Address | None:
        text = document.plain.get("renamed_from")
        if not isinstance(text, str):
            return None
        try:
            return kind.former_address(text, address)
        except ValueError as error:
            self._error("bad-name", str(error), "", document.location_of(("renamed_from",)), address)
            return None

    def _check_cycles(self, declared: Sequence[Declared]) -> None:
        names = Names(each.address for each in declared)
        try:
            in_order({each.address: needs_of(each, names) for each in declared})
        except CycleError as error:
            place = next((each.location for each in declared if each.address == error.cycle[0]), None)
            hint = "Take one of these dependencies away."
            self._error("cycle", f"these resources need each other: {error}", hint, place)

    def _error(
        self, code: str, summary: str, hint: str, location: Location | None, address: Address | None = None
    ) -> None:
        self.diagnostics.append(Diagnostic.error(code, summary, hint=hint, location=location, address=address))


@functools.lru_cache(maxsize=512)
def _validator_of(kind: Any) -> Validator:
    """Kept for the whole process: a fleet checks the same manifest for a thousand clients."""
    return Validator(document_schema(kind))


def references_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], SecretReference]]:
    """Every reference to a secret in a body, nested values included, with its path."""
    if isinstance(value, SecretReference):
        yield (), value
    elif isinstance(value, (Resource, Nested)):
        for field in value.spec.secrets:
            for path, found in references_in(getattr(value, field.name)):
                yield (field.name, *path), found
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            for path, found in references_in(each):
                yield (index, *path), found


def _at(path: tuple[str | int, ...], text: str) -> str:
    where = ".".join(str(each) for each in path)
    return f"{where}: {text}" if where else text
