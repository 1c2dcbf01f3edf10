"""SHOW for object types: scope, visibility, filters, ceilings.

Ceilings as each type's page states them: without LIMIT, more than 10,000 rows are an error for most types and are cut
off silently for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pinky_local.engine import errors, families
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.spec import ObjectType, ShowColumn
from pinky_local.engine.specs import BY_PLURAL, TYPES
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

CEILING = 10_000
SHOW_TYPE = 0x4400
_SCALED = {"timestamp_ltz": 3, "fixed": 0}

SPECIAL: dict[str, Callable[[Statement], Result]] = {}
"""SHOW statements that list no object type, by first word: GRANTS, PARAMETERS, COLUMNS, …"""


@dataclass(slots=True)
class Listing:
    """What a SHOW statement asks for.

    ``scope`` is the container's number; ``like`` a pattern and ``prefix`` its literal beginning.
    """

    scope: int = ACCOUNT
    scoped: bool = False
    like: re.Pattern[str] | None = None
    prefix: str = ""
    starts: str = ""
    limit: int | None = None
    after: str | None = None
    history: bool = False
    terse: bool = False

    def matches(self, name: str) -> bool:
        """Whether a name passes LIKE, STARTS WITH and FROM."""
        if self.like is not None and not self.like.fullmatch(name):
            return False
        return name.startswith(self.starts) and (self.after is None or name > self.after)


def like_pattern(text: str) -> re.Pattern[str]:
    """A LIKE pattern of SHOW: % and _ are wild, a backslash escapes, case does not matter."""
    out, index = [], 0
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text):
            index += 1
            out.append(re.escape(text[index]))
        else:
            out.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
        index += 1
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def _literal_start(text: str) -> str:
    """What every name that matches a LIKE pattern begins with, in any case."""
    return re.split(r"[%_\\]", text, maxsplit=1)[0]


def show(statement: Statement) -> Result:
    """Run a SHOW statement."""
    tokens = statement.tokens
    tokens.expect("SHOW")
    terse = tokens.accept("TERSE")
    for length in (3, 2, 1):
        words = " ".join(tokens.word(ahead) for ahead in range(length))
        if words in SPECIAL and (not terse or words.endswith("KEYS")):
            tokens.index += length
            return SPECIAL[words](statement)
        if words == "INTEGRATIONS":
            tokens.index += length
            return _integrations(statement)
        if words in BY_PLURAL:
            tokens.index += length
            return _list(statement, BY_PLURAL[words], terse=terse)
    raise tokens.unexpected()


def _integrations(statement: Statement) -> Result:
    """SHOW INTEGRATIONS [LIKE '…']: those of every type, with the columns that all of them have."""
    listing = Listing()
    read_filters(statement, listing, BY_PLURAL["INTEGRATIONS"])
    statement.finish_parsing()
    kinds = [each for each in TYPES.values() if each.space == "integration"]
    found = [item for each in kinds for item in _visible(statement, each, listing)]
    names = ("name", "type", "category", "enabled", "comment", "created_on")
    shown = []
    for item in sorted(found, key=lambda one: one.name):
        by_name = {column.name: column for column in TYPES[item.kind].show}
        shown.append([by_name[name].get(statement, item) for name in names])
    columns = [ResultColumn(name, length=16_777_216) for name in names[:-1]]
    return rows([*columns, ResultColumn("created_on", "timestamp_ltz", scale=3)], shown, SHOW_TYPE)


def _list(statement: Statement, spec: ObjectType, *, terse: bool) -> Result:
    tokens = statement.tokens
    if terse and not spec.terse:
        raise tokens.unexpected()
    listing = Listing(terse=terse)
    if tokens.accept("HISTORY"):
        if not spec.undrop:
            raise errors.unsupported(f"SHOW {spec.plural} HISTORY")
        listing.history = True
    root_only = False
    read_filters(statement, listing, spec)
    if spec.kind == "task" and tokens.accept("ROOT", "ONLY"):
        root_only = True
        read_filters(statement, listing, spec)
    statement.finish_parsing()
    found = _visible(statement, spec, listing)
    if root_only:
        found = [item for item in found if not item.state.get("after") and not item.state.get("finalize")]
    if spec.kind == "table" or spec.space == "relation":
        found = [item for item in found if item.kind == spec.kind]
    if listing.limit is not None:
        found = found[: listing.limit]
    elif len(found) > CEILING:
        if not spec.silent_ceiling:
            text = f"The result set size exceeded the max number of rows({CEILING}) supported for SHOW statements."
            text += " Use LIMIT option to limit result set to a smaller number."
            raise errors.compilation(90153, "22000", text)
        found = found[:CEILING]
    columns = _columns(spec, listing)
    if spec.prepare is not None and not listing.terse:
        spec.prepare(statement, found)
    return table(statement, columns, found)


def table(
    statement: Statement, columns: tuple[ShowColumn, ...], items: list[CatalogObject], kind: int = SHOW_TYPE
) -> Result:
    """Objects as the rows of a result."""
    described = [
        ResultColumn(
            column.name,
            column.type,
            precision=38 if column.type == "fixed" else None,
            scale=_SCALED.get(column.type),
            length=16_777_216 if column.type == "text" else None,
        )
        for column in columns
    ]
    getters = [column.get for column in columns]
    return rows(described, [[get(statement, item) for get in getters] for item in items], kind)


def _columns(spec: ObjectType, listing: Listing) -> tuple[ShowColumn, ...]:
    columns = spec.show
    if listing.terse:
        named = {column.name: column for column in columns}
        chosen = []
        for name in spec.terse:
            full = named.get(spec.terse_names.get(name, name))
            get = full.get if full is not None else _nothing
            chosen.append(ShowColumn(name, get, full.type if full is not None else "text"))
        columns = tuple(chosen)
    if listing.history:
        dropped_on = ShowColumn("dropped_on", _dropped_on, "timestamp_ltz")
        at = next((place for place, column in enumerate(columns) if column.name == "kind"), len(columns))
        columns = (*columns[:at], dropped_on, *columns[at:]) if not listing.terse else (*columns, dropped_on)
    return columns


def _nothing(_: Statement, __: CatalogObject) -> None:
    """A column of SHOW TERSE that this type has no value for."""


def _dropped_on(statement: Statement, item: CatalogObject) -> object:
    if item.number in statement.catalog.objects:
        return None
    for entry in statement.catalog.dropped.get((item.parent, item.key), []):
        if entry.objects[0] is item:
            return entry.dropped_on
    return None


def read_filters(statement: Statement, listing: Listing, spec: ObjectType | None) -> None:
    """Read LIKE, IN, STARTS WITH and LIMIT … FROM, each at most once, in the order of the reference."""
    tokens = statement.tokens
    if listing.like is None and tokens.accept("LIKE"):
        text = tokens.string()
        listing.like, listing.prefix = like_pattern(text), _literal_start(text)
    if not listing.scoped and spec is not None:
        listing.scope = _scope(statement, spec, listing)
    if spec is not None and not spec.show_limit:
        return
    if tokens.accept("STARTS", "WITH"):
        listing.starts = tokens.string()
    if tokens.accept("LIMIT"):
        listing.limit = tokens.integer()
        if not 0 <= listing.limit <= CEILING:
            text = f"Invalid value [{listing.limit}] for LIMIT: must be 1 to {CEILING}."
            raise errors.compilation(1003, "42000", text)
        if tokens.accept("FROM"):
            listing.after = tokens.string()


def _scope(statement: Statement, spec: ObjectType, listing: Listing) -> int:
    """The container that IN names, or the session's own."""
    tokens = statement.tokens
    if tokens.accept("IN"):
        listing.scoped = True
        if tokens.accept("ACCOUNT"):
            return ACCOUNT
        if spec.container == "account":
            raise tokens.unexpected()
        return read_container(statement, spec)
    if spec.container == "account":
        return ACCOUNT
    catalog, session = statement.catalog, statement.session
    database = catalog.get(ACCOUNT, "database", session.database) if session.database else None
    return ACCOUNT if database is None else database.number


def read_container(statement: Statement, spec: ObjectType | None = None) -> int:
    """Read [DATABASE | SCHEMA] name after IN and find it. Raises 2043 where it is not visible."""
    tokens, session = statement.tokens, statement.session
    kind = ""
    if tokens.word() in ("DATABASE", "SCHEMA") and not tokens.is_symbol(".", 1):
        kind = tokens.any_word().lower()
    at_name = tokens.at_identifier() and tokens.word() not in ("STARTS", "LIMIT", "ROOT", "LIKE")
    if at_name:
        parts = tokens.name(2)
        if not kind:
            kind = "schema" if len(parts) == 2 or (spec is not None and spec.container == "schema") else "database"
            if kind == "schema" and len(parts) == 1 and session.database is None:
                kind = "database"
    elif kind == "database" and session.database:
        parts = (session.database,)
    elif kind == "schema" and session.database and session.schema:
        parts = (session.database, session.schema)
    else:
        raise errors.cannot_perform()
    return container_number(statement, kind, parts)


def container_number(statement: Statement, kind: str, parts: tuple[str, ...]) -> int:
    """The number of a visible database or schema. Raises 2043."""
    full = statement.qualified(kind, parts)
    number = ACCOUNT
    for depth, part in enumerate(full):
        item = statement.catalog.get(number, "schema" if depth else "database", part)
        if item is None or not statement.access.sees(statement.roles, item):
            raise errors.cannot_perform()
        number = item.number
    return number


def containers_below(statement: Statement, spec: ObjectType, scope: int) -> list[int]:
    """The containers in a scope that hold this type directly, only those the session can enter."""
    depth = {"account": 0, "database": 1, "schema": 2}[spec.container]
    catalog, access, roles = statement.catalog, statement.access, statement.roles
    item = catalog.objects.get(scope)
    at = 0 if item is None else (1 if item.kind == "database" else 2)
    numbers = [scope]
    for level in range(at, depth):
        kind = "schema" if level else "database"
        numbers = [
            child.number for number in numbers for child in catalog.of_kind(number, kind) if access.sees(roles, child)
        ]
    return numbers if at <= depth else []


def _visible(statement: Statement, spec: ObjectType, listing: Listing) -> list[CatalogObject]:
    catalog, access, roles = statement.catalog, statement.access, statement.roles
    everything = access.holds_account(roles, "MANAGE GRANTS")
    found: list[CatalogObject] = []
    for number in containers_below(statement, spec, listing.scope):
        candidates = catalog.of_kind(number, spec.kind, listing.prefix)
        if listing.history:
            gone = [e.objects[0] for (parent, _), es in catalog.dropped.items() if parent == number for e in es]
            candidates = sorted([*candidates, *(item for item in gone if item.kind == spec.kind)], key=lambda i: i.name)
        found += [
            item
            for item in candidates
            if listing.matches(item.name)
            and (everything or access.touches(roles, item))
            and not item.hidden_from(statement.session.session_id)
        ]
    return found


# DESCRIBE --------------------------------------------------------------------------------------------------------

DESCRIBE_TYPE = 0x4500


def describe(statement: Statement) -> Result:
    """Run a DESCRIBE statement."""
    from pinky_local.engine.create import read_kind

    tokens = statement.tokens
    tokens.index += 1
    spec = read_kind(statement)
    parts = tokens.name()
    signature = families.read_signature(statement, spec.kind)
    if spec.kind == "table" and tokens.accept("TYPE"):
        tokens.expect_symbol("=")
        tokens.one_of("COLUMNS")
    statement.finish_parsing()
    item = statement.find(spec.kind, parts, signature)
    require_describe(statement, item)
    if spec.kind in families.DESCRIBE:
        return families.DESCRIBE[spec.kind](statement, item)
    if spec.kind in ("database", "schema"):
        children = [
            child
            for kind in TYPES
            for child in statement.catalog.of_kind(item.number, kind)
            if statement.access.sees(statement.roles, child) and not child.hidden_from(statement.session.session_id)
        ]
        return table(statement, spec.describe, children, DESCRIBE_TYPE)
    if not spec.describe:
        raise errors.unsupported(f"DESCRIBE {spec.words}")
    return table(statement, spec.describe, [item], DESCRIBE_TYPE)


def require_describe(statement: Statement, item: CatalogObject) -> None:
    """DESCRIBE needs a privilege on the object itself; MANAGE GRANTS alone does not give it (bundle 2026_07)."""
    if not statement.access.touches(statement.roles, item):
        raise errors.insufficient(TYPES[item.kind].words, item.name)
