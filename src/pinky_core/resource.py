"""The base of every resource type: defaults that a kind may override, one method at a time.

The order in which to look for a way to say something irregular: a setting of `prop`; a value type; one overridden
method; several.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import sql
from pinky_core.address import Address, Identifier, parse_path
from pinky_core.change import Action, Change, Guard, Risk
from pinky_core.diagnostics import Diagnostic, Location
from pinky_core.diff import FieldChange, changed_fields
from pinky_core.read import Reader, Wanted, read_value
from pinky_core.references import names_in
from pinky_core.session import Rows
from pinky_core.spec import ABSENT, Field, Nested, OnChange, Source, Spec
from pinky_core.sql import Statement
from pinky_core.values import SqlText

__all__ = ["Context", "Declared", "Names", "Place", "Resource"]


@attrs.frozen
class Place:
    """Where names without qualifier belong: the target of the manifest, as a path of none, one or two identifiers."""

    target: tuple[Identifier, ...] = ()

    def complete(self, text: str, depth: int, *, database: str | None = None, schema: str | None = None) -> Any:
        """The full path of a name with ``depth`` parts; raises ValueError naming what is missing."""
        parts = parse_path(text)
        if len(parts) > depth:
            raise ValueError(f"{text!r} has {len(parts)} parts; a name here has at most {depth}")
        base: list[Identifier | None] = [*self.target[: depth - 1], *[None] * (depth - 1 - len(self.target))]
        if database is not None and depth >= 2:
            base[0] = Identifier.parse(database)
        if schema is not None and depth >= 3:
            base[1] = Identifier.parse(schema)
        path = [*base[: depth - len(parts)], *parts]
        for part, word in zip(path, ("database", "schema", "name"), strict=False):
            if part is None:
                raise ValueError(f"{text!r} needs a {word}: give `{word}:`, a qualified name, or a target that has one")
        return tuple(path)


@attrs.frozen
class Declared:
    """A resource as a manifest declares it.

    ``former`` is the address before a rename; ``depends_on`` what the manifest orders by hand; ``origin`` names the
    section or slot that made the resource, empty for one that was written out.
    """

    address: Address
    body: Resource
    location: Location | None = None
    former: Address | None = None
    depends_on: tuple[Address, ...] = ()
    origin: str = ""


class Names:
    """Finds declared addresses by what other resources call them, in constant time."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        self._by_path: dict[tuple[str, ...], list[Address]] = {}
        self._by_container: dict[tuple[str, ...], list[Address]] = {}
        self._by_database: dict[str, list[Address]] = {}
        for address in addresses:
            if address.detail and not address.detail.startswith("("):
                continue  # a grant is nobody's dependency by name
            self._by_path.setdefault(address.path, []).append(address)
            self._by_container.setdefault(address.path[:-1], []).append(address)
            if len(address.path) > 1:
                self._by_database.setdefault(address.path[0], []).append(address)

    def at(self, path: Sequence[str], kinds: Collection[str] = ()) -> list[Address]:
        """Declared addresses with exactly this path, of these kinds (any kind where none is given)."""
        return [each for each in self._by_path.get(tuple(path), ()) if not kinds or each.kind in kinds]

    def inside(self, container: Sequence[str], kinds: Collection[str] = ()) -> list[Address]:
        """Declared addresses directly in a database or schema."""
        return [each for each in self._by_container.get(tuple(container), ()) if not kinds or each.kind in kinds]

    def beneath(self, database: str, kinds: Collection[str] = ()) -> list[Address]:
        """Declared addresses anywhere in a database."""
        return [each for each in self._by_database.get(database, ()) if not kinds or each.kind in kinds]

    def resolve(self, text: str, base: Sequence[Identifier], kinds: Collection[str] = ()) -> list[Address]:
        """What a possibly unqualified name means for an object in ``base``; empty where nothing declared fits."""
        try:
            parts = parse_path(text)
        except ValueError:
            return []
        return self.resolve_path(parts, base, kinds)

    def resolve_path(
        self, parts: Sequence[Identifier], base: Sequence[Identifier], kinds: Collection[str] = ()
    ) -> list[Address]:
        """The same for a path that is parsed already; the nearest container wins."""
        for length in range(min(len(base), 3 - len(parts)), -1, -1):
            found = self.at((*base[:length], *parts), kinds)
            if found:
                return found
        return []


@attrs.frozen
class Context:
    """What planning one resource may look at besides itself: what is declared, and what is live."""

    names: Names
    live: Mapping[Address, Resource]
    declared: Mapping[Address, Declared] = attrs.field(factory=dict)

    def creates(self, address: Address) -> bool:
        """Whether the address is declared and not there yet."""
        return address in self.declared and address not in self.live


class Resource:
    """A declared or live object: its body, that is, everything but its name."""

    spec: ClassVar[Spec]
    #: SHOW has LIMIT … FROM for this kind, so more than 10,000 rows can be paged by name.
    show_pages: ClassVar[bool] = True
    #: Privileges that reading and changing this kind needs, for the hint of an error: (privilege, on what).
    privileges: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: Keys of the document beside the fields that the kind's `address_of` reads, with their JSON Schemas.
    naming: ClassVar[Mapping[str, Any]] = {}
    #: Which of them must be given, beside ``name``.
    naming_required: ClassVar[tuple[str, ...]] = ()

    # -- naming ------------------------------------------------------------------------------------------------------

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The address of a document; raises ValueError with what is wrong about its name."""
        name = document.get("name")
        if not isinstance(name, str):
            raise ValueError("`name` is missing")
        path = place.complete(name, cls.spec.depth, database=document.get("database"), schema=document.get("schema"))
        return Address(cls.spec.kind, path)

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """The address that ``renamed_from: text`` means for a resource."""
        parts = parse_path(text)
        return attrs.evolve(address, path=(*address.path[: len(address.path) - len(parts)], *parts))

    # -- dependencies ------------------------------------------------------------------------------------------------

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """Declared resources that must exist first: containers, references, and what SQL texts name."""
        for length in range(1, len(address.path)):
            yield from names.at(address.path[:length], ("database", "schema"))
        base = address.path[:-1]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if value is ABSENT or value is None:
                continue
            if field.refers_to:
                for each in value if isinstance(value, (list, tuple)) else (value,):
                    yield from names.resolve(_spelled(each), base, field.refers_to)
            elif isinstance(value, SqlText):
                yield from named_in(value, base, names)

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """Statements that make the object as declared."""
        return [sql.create(address, self)]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """Statements that bring a live object to the declared values: one SET, then one UNSET."""
        return set_and_unset(self.spec, address, changes)

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """Statements that recreate the object."""
        return [sql.drop(self.spec, address), *self.create(address, context)]

    def rename(self, former: Address, address: Address) -> Sequence[Statement]:
        """Statements that rename a live object."""
        return [sql.rename(self.spec, former, address)]

    def drop(self, address: Address) -> Sequence[Statement]:
        """Statements that drop this live object."""
        return [sql.drop(self.spec, address)]

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs between this declared and the live body."""
        return changed_fields(self, live)

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What is wrong with the declared fields taken together: a field's name and a text. Known without a session."""
        return ()

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """What is wrong with this declaration, seen beside the live object."""
        return ()

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """How much the planned change can cost, and what it loses."""
        if action is Action.DROP:
            return Risk.DESTRUCTIVE, drop_loses(self.spec)
        refused = [change for change in changes if change.on_change is OnChange.REFUSE]
        if refused:
            by_name = self.spec.by_name
            losses = {by_name[name].loses for c in refused if (name := c.path.split(".")[0]) in by_name}
            return Risk.DESTRUCTIVE, "; ".join(sorted(losses - {""})) or drop_loses(self.spec)
        return Risk.SAFE, ""

    @classmethod
    def guards(cls, changes: Sequence[Change], context: Context) -> Iterable[Guard]:
        """Statements to run around the changes of this kind; none for most kinds."""
        return ()

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """The live bodies of wanted addresses, and of whatever else the same listing answered.

        Every container of a wanted address is visible when this is called.
        """
        by_address = {each.address: each for each in wanted}
        listings = reader.by_container(
            cls.spec.plural, {each.address.path[:-1] for each in wanted}, pages=cls.show_pages
        )
        found: dict[Address, dict[str, Any]] = {}
        for container, rows in listings.items():
            for row in rows:
                if cls.lists(row):
                    found[cls.address_of_row(row, container)] = cls.from_row(row)
        cls.read_details(reader, found, by_address)
        return {address: cls.from_raw(raw) for address, raw in found.items()}

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """Whether a row of SHOW is of this kind (SHOW TABLES also lists dynamic tables, for instance)."""
        return True

    @classmethod
    def address_of_row(cls, row: Mapping[str, Any], container: Sequence[str]) -> Address:
        """The address of a row of SHOW; names in rows are canonical."""
        return Address(cls.spec.kind, (*map(Identifier, container), Identifier(row["name"])))

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """Raw values by field from a row of SHOW."""
        return {f.name: row[f.column] for f in cls.spec.fields if f.source is Source.COLUMN and f.column in row}

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """Raw values by field from the property/value rows of DESCRIBE."""
        named = {str(name).lower(): value for name, value in rows.pick("property", "value")}
        return {f.name: named[f.column] for f in cls.spec.fields if f.source is Source.DESCRIBE and f.column in named}

    @classmethod
    def read_details(
        cls, reader: Reader, found: dict[Address, dict[str, Any]], wanted: Mapping[Address, Wanted]
    ) -> None:
        """Fill in what the listing does not tell, for wanted objects only, with all statements under way at once."""
        parameters = {f.name for f in cls.spec.fields if f.source is Source.PARAMETER}
        describe: dict[Address, str] = {}
        show: dict[Address, str] = {}
        for address in found:
            fields = wanted[address].fields if address in wanted else frozenset()
            if cls.needs_description(fields):
                describe[address] = f"DESCRIBE {cls.spec.sql} {address.sql}"
            if parameters & fields:
                show[address] = f"SHOW PARAMETERS IN {cls.parameters_of()} {address.sql}"
        reader_starts = [*describe.values(), *show.values()]
        for statement in reader_starts:
            reader.start(statement)
        for address, statement in describe.items():
            found[address].update(cls.from_description(reader.rows(statement)))
        for address, statement in show.items():
            found[address].update(cls.from_parameters(reader.rows(statement)))

    @classmethod
    def needs_description(cls, fields: frozenset[str]) -> bool:
        """Whether DESCRIBE is needed to compare these declared fields, such as ``directory.enable``."""
        return any(f.source is Source.DESCRIBE and f.name in fields for f in cls.spec.fields)

    @classmethod
    def parameters_of(cls) -> str:
        """What SHOW PARAMETERS calls this kind, in its statement and in the column ``level``."""
        return cls.spec.sql

    @classmethod
    def from_parameters(cls, rows: Rows) -> dict[str, Any]:
        """Parameters set on the object itself; one that is inherited reads as not set."""
        own = cls.parameters_of()
        rows_of_three = rows.pick("key", "value", "level")
        values = {str(key).upper(): value if level == own else None for key, value, level in rows_of_three}
        return {f.name: values.get(f.sql) for f in cls.spec.fields if f.source is Source.PARAMETER}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A live body from raw values by field; a field nobody told stays absent."""
        by_name = cls.spec.by_name
        return cls(**{name: _read(by_name[name], value) for name, value in raw.items() if name in by_name})


def _read(field: Field, raw: Any) -> Any:
    """A cell as the field's value; a nested value that was read already is one.

    In free text even blanks and the word null are content; elsewhere they are none.
    """
    if isinstance(raw, Nested):
        return raw
    if field.type is str and not field.refers_to:
        return None if raw is None or raw == "" else str(raw)
    return read_value(field.type, raw)


def _spelled(value: Any) -> str:
    return value.sql if isinstance(value, Identifier) else str(value)


def drop_loses(spec: Spec) -> str:
    """What people lose when an object of a kind goes."""
    what = "its content and history" if spec.stateful else "its grants and whatever depends on it"
    return f"the {spec.kind.replace('_', ' ')}, {what}"


def set_and_unset(spec: Spec, address: Address, changes: Sequence[FieldChange]) -> list[Statement]:
    """``ALTER … SET`` for new values, ``ALTER … UNSET`` for nulls; a null that has no UNSET sets the default."""
    assignments: list[Statement] = []
    unset: list[str] = []
    for change in changes:
        field: Field = spec.by_name[change.path]
        if change.after is not None:
            assignments.append(sql.assignment(field, change.after))
        elif field.unset:
            unset.append(field.sql)
        else:
            assignments.append(sql.assignment(field, field.default))
    statements = [sql.alter_set(spec, address, assignments)] if assignments else []
    return [*statements, *([sql.alter_unset(spec, address, unset)] if unset else [])]


def named_in(text: str, base: Sequence[Identifier], names: Names) -> Iterator[Address]:
    """Declared addresses whose names a SQL text uses."""
    for parts in set(names_in(text)):
        if len(parts) <= 3:
            yield from names.resolve_path(parts, base)
