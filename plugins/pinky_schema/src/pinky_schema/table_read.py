"""Columns and keys of live tables, read in bulk: a constant number of statements per schema, or per database.

SHOW COLUMNS comes first: it needs no warehouse, and its types are complete. It answers at most 10,000 rows and leaves
the others out without a word (https://docs.snowflake.com/en/sql-reference/sql/show-columns#usage-notes), so a full
answer is not used: then INFORMATION_SCHEMA.COLUMNS tells, which needs a warehouse. DESCRIBE TABLE is left for tables
of which neither says enough: without a warehouse, or with types whose arguments the view does not hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pinky_core import (
    ABSENT,
    Address,
    DataType,
    Identifier,
    Reader,
    Rows,
    StatementError,
    sql_path,
    string_literal,
)
from pinky_schema.column import Column, Identity
from pinky_schema.table_expression import DefaultExpression
from pinky_schema.table_keys import ForeignKey, PrimaryKey, UniqueKey

__all__ = ["BulkRows", "columns_of", "foreign_keys_of", "plain_keys_of"]

Path = tuple[Identifier, ...]
CEILING = 10_000
TOO_MANY_ROWS = 90153
NO_WAREHOUSE = 606
# From this many schemas of a database on, one statement over the database is cheaper than one per schema.
BULK_FROM = 3
# From this many schemas on, columns of a database beyond the ceiling are asked of INFORMATION_SCHEMA at once.
VIEW_FROM = 20
# Names in one IN list; with more of them the view is read whole.
LONGEST_LIST = 1000


class BulkRows:
    """``SHOW <plural> IN SCHEMA`` for some schemas, or IN DATABASE for many of one, started at once."""

    def __init__(self, reader: Reader, plural: str, schemas: Collection[Path]) -> None:
        self._reader = reader
        self._plural = plural
        self._schemas: dict[Path, list[Path]] = {}
        for schema in sorted(schemas):
            self._schemas.setdefault(schema[:1], []).append(schema)
        for container in self._containers():
            reader.start(self._statement(container))

    def _containers(self) -> Iterator[Path]:
        for database, schemas in self._schemas.items():
            yield from [database] if len(schemas) >= BULK_FROM else schemas

    def _statement(self, container: Path) -> str:
        return f"SHOW {self._plural} IN {'DATABASE' if len(container) == 1 else 'SCHEMA'} {sql_path(container)}"

    def collect(self, spread: int | None = None) -> tuple[list[tuple[Identifier, Rows]], list[Path]]:
        """The complete answers with their database, and the schemas of which no complete answer was had.

        The schemas of a database that is beyond the ceiling are asked one by one; with ``spread`` no more than that
        many of them, others are left to the caller.
        """
        complete: list[tuple[Identifier, Rows]] = []
        again: list[Path] = []
        truncated: list[Path] = []
        for container in self._containers():
            rows = self._below_ceiling(container)
            if rows is not None:
                complete.append((container[0], rows))
            elif len(container) == 1 and spread is not None and len(self._schemas[container]) > spread:
                truncated += self._schemas[container]
            elif len(container) == 1:
                again += self._schemas[container]
            else:
                truncated.append(container)
        found, left = self.one_by_one(again)
        return [*complete, *found], [*truncated, *left]

    def one_by_one(self, schemas: Sequence[Path]) -> tuple[list[tuple[Identifier, Rows]], list[Path]]:
        """The same for single schemas, a statement for each."""
        for schema in schemas:
            self._reader.start(self._statement(schema))
        answers = [(schema, self._below_ceiling(schema)) for schema in schemas]
        complete = [(schema[0], rows) for schema, rows in answers if rows is not None]
        return complete, [schema for schema, rows in answers if rows is None]

    def _below_ceiling(self, container: Path) -> Rows | None:
        try:
            rows = self._reader.rows(self._statement(container))
        except StatementError as error:
            if error.errno != TOO_MANY_ROWS:
                raise
            return None
        return rows if len(rows) < CEILING else None


def columns_of(reader: Reader, started: BulkRows, wanted: Collection[Address]) -> dict[Address, tuple[Column, ...]]:
    """The columns of the wanted tables, all of which exist."""
    complete, truncated = started.collect(spread=VIEW_FROM)
    found: dict[Path, list[Column] | None] = {address.path: [] for address in wanted}
    paths: Paths = {}
    for path in found:
        paths.setdefault(path[0], {})[path[1], path[2]] = path
    viewed = _from_information_schema(reader, truncated, paths)
    unanswered = [path for path in truncated if path[0] not in {database for database, _ in viewed}]
    shown, _ = started.one_by_one([path for path in unanswered if len(unanswered) > VIEW_FROM])
    for database, rows in [*complete, *shown]:
        _collect(rows.pick(*_SHOWN_COLUMNS), _shown, paths.get(database, {}), found)
    for database, rows in viewed:
        _collect(rows.pick(*map(str.lower, _VIEW_COLUMNS)), _viewed, paths.get(database, {}), found)
    unclear = [address for address in wanted if not found[address.path]]
    described = reader.many(f"DESCRIBE TABLE {address.sql}" for address in unclear)
    for address, rows in zip(unclear, described, strict=True):
        found[address.path] = list(_described(rows))
    return {address: tuple(found[address.path] or ()) for address in wanted}


Paths = dict[Identifier, dict[tuple[str, str], Path]]
_SHOWN_COLUMNS = ("schema_name", "table_name", "column_name", "data_type", "default", "comment", "autoincrement")


def _collect(
    rows: Iterable[tuple[Any, ...]],
    make: Callable[..., Column | None],
    paths: Mapping[tuple[str, str], Path],
    found: dict[Path, list[Column] | None],
) -> None:
    """Append the columns of each table in the order of the rows; a table with a type not told in full gets None.

    Equal cells make one value: most columns of a schema have few forms.
    """
    made: dict[tuple[Any, ...], Column | None] = {}
    for schema, table, *cells in rows:
        path = paths.get((schema, table))
        if path is None:
            continue
        content = tuple(cells)
        if content not in made:
            made[content] = make(*content)
        column, list_of_table = made[content], found[path]
        if column is None or list_of_table is None:
            found[path] = None
        else:
            list_of_table.append(column)


def _shown(name: str, data_type: str, default: str | None, comment: str | None, identity: str | None) -> Column | None:
    told = _type_of_json(data_type)
    if told is None:
        return None
    type_, nullable, collation = told
    return Column(
        name=Identifier(name),
        type=type_,
        not_null=not nullable,
        default=DefaultExpression(default) if default else None,
        identity=_identity(identity),
        collate=collation if collation is not None else ABSENT,
        comment=comment or None,
    )


_TYPE_KEYS = frozenset({"type", "nullable", "fixed", "precision", "scale", "length", "byteLength", "collation"})
_JSON_NAMES = {"FIXED": "NUMBER", "TEXT": "VARCHAR", "REAL": "FLOAT"}


@lru_cache(maxsize=16384)
def _type_of_json(text: str) -> tuple[DataType, bool, str | None] | None:
    """A cell ``data_type`` of SHOW COLUMNS: type, whether nullable, collation where told; None where unclear."""
    told: dict[str, Any] = json.loads(text)
    name = _JSON_NAMES.get(told["type"], told["type"])
    arguments = ""
    if name == "NUMBER":
        arguments = f"({told['precision']},{told['scale']})"
    elif name in ("VARCHAR", "BINARY"):
        arguments = f"({told['length']})"
    elif name == "TIME" or name.startswith("TIMESTAMP_"):
        arguments = f"({told['scale']})"
    elif set(told) - _TYPE_KEYS:
        return None
    try:
        return DataType.parse(name + arguments), bool(told.get("nullable", True)), told.get("collation") or None
    except ValueError:  # MAP, VECTOR and their like need arguments that this form may not hold
        return None


_IDENTITY = re.compile(
    r"(?:IDENTITY|AUTOINCREMENT) START (-?\d+) INCREMENT (-?\d+)(?: (ORDER|NOORDER))?", re.IGNORECASE
)


def _identity(text: str | None) -> Identity | None:
    match = _IDENTITY.match(text.strip()) if text else None
    if match is None:
        return None
    order = match[3].upper() == "ORDER" if match[3] else ABSENT
    return Identity(start=int(match[1]), increment=int(match[2]), order=order)


_VIEW_COLUMNS = (
    "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "DATA_TYPE", "CHARACTER_MAXIMUM_LENGTH", "NUMERIC_PRECISION",
    "NUMERIC_SCALE", "DATETIME_PRECISION", "IS_NULLABLE", "COLUMN_DEFAULT", "COMMENT", "COLLATION_NAME", "IS_IDENTITY",
    "IDENTITY_START", "IDENTITY_INCREMENT", "IDENTITY_ORDERED",
)  # fmt: skip


def _from_information_schema(reader: Reader, schemas: Iterable[Path], paths: Paths) -> list[tuple[Identifier, Rows]]:
    """Rows of INFORMATION_SCHEMA.COLUMNS, one query per database; nothing where there is no warehouse."""
    by_database: dict[Identifier, list[str]] = {}
    for database, schema in schemas:
        by_database.setdefault(database, []).append(string_literal(schema))
    statements = {
        database: f"SELECT {', '.join(_VIEW_COLUMNS)} FROM {database.sql}.INFORMATION_SCHEMA.COLUMNS"
        + (f" WHERE TABLE_SCHEMA IN ({', '.join(names)})" if len(names) <= LONGEST_LIST else "")
        + " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
        for database, names in by_database.items()
        if database in paths
    }
    for statement in statements.values():
        reader.start(statement)
    answers: list[tuple[Identifier, Rows]] = []
    for database, statement in statements.items():
        try:
            answers.append((database, reader.rows(statement)))
        except StatementError as error:
            if error.errno != NO_WAREHOUSE:
                raise
    return answers


def _viewed(*cells: Any) -> Column | None:
    name, kind, length, precision, scale, fraction, nullable, default, comment, collation, *identity = cells
    type_ = _type_of_view(kind, length, precision, scale, fraction)
    if type_ is None:
        return None
    is_identity, start, increment, ordered = identity
    numbered = str(is_identity).upper() == "YES"
    return Column(
        name=Identifier(name),
        type=type_,
        not_null=str(nullable).upper() == "NO",
        default=DefaultExpression(default) if default and not numbered else None,
        identity=Identity(start=int(start), increment=int(increment), order=ordered == "YES") if numbered else None,
        collate=collation or ABSENT,
        comment=comment or None,
    )


def _type_of_view(kind: str, length: Any, precision: Any, scale: Any, fraction: Any) -> DataType | None:
    """The view holds no elements of structured types, and documents no precision of times: then DESCRIBE tells."""
    if kind == "NUMBER":
        arguments: tuple[Any, ...] = (precision, scale)
    elif kind in ("TEXT", "VARCHAR", "BINARY"):
        arguments = (length,)
    elif kind == "TIME" or kind.startswith("TIMESTAMP_"):
        arguments = (fraction,)
    elif kind in ("BOOLEAN", "DATE", "FLOAT", "VARIANT", "GEOGRAPHY", "GEOMETRY", "FILE", "UUID"):
        return DataType.parse(kind)
    else:
        return None
    if None in arguments:
        return None
    return DataType.parse(f"{kind}({','.join(str(int(each)) for each in arguments)})")


_COLLATED = re.compile(r"(?P<type>.*?)(?:\s+COLLATE\s+'(?P<collation>[^']*)')?\s*\Z", re.IGNORECASE | re.DOTALL)


def _described(rows: Rows) -> Iterator[Column]:
    for name, text, nullable, default, comment in rows.pick("name", "type", "null?", "default", "comment"):
        match = _COLLATED.match(text)
        identity = _identity(default)
        yield Column(
            name=Identifier(name),
            type=_type_or_unknown(match["type"] if match else text),
            not_null=nullable == "N",
            default=DefaultExpression(default) if default and identity is None else None,
            identity=identity,
            collate=match["collation"] if match else None,
            comment=comment or None,
        )


def _type_or_unknown(text: str) -> DataType:
    """A type newer than this version passes as unknown: nobody can have declared it."""
    try:
        return DataType.parse(text)
    except ValueError:
        return DataType("UNKNOWN", qualifier=text)


def plain_keys_of(
    reader: Reader, started: BulkRows, plural: str, wanted: Collection[Address], made: type[PrimaryKey | UniqueKey]
) -> dict[Address, tuple[PrimaryKey | UniqueKey, ...]]:
    """Primary or unique keys of the wanted tables."""
    names = ("schema_name", "table_name", "constraint_name", "key_sequence", "column_name", "rely")
    found: dict[Address, tuple[PrimaryKey | UniqueKey, ...]] = {}
    for address, keys in _grouped(reader, started, plural, wanted, names):
        found[address] = tuple(
            made(name=Identifier(name), columns=_identifiers(cells, 0), rely=_rely(cells[0][1]))
            for name, cells in keys.items()
        )
    return found


def foreign_keys_of(
    reader: Reader, started: BulkRows, wanted: Collection[Address]
) -> dict[Address, tuple[ForeignKey, ...]]:
    """Foreign keys of the wanted tables."""
    names = ("fk_schema_name", "fk_table_name", "fk_name", "key_sequence", "fk_column_name", "rely", "pk_column_name",
             "pk_database_name", "pk_schema_name", "pk_table_name")  # fmt: skip
    found: dict[Address, tuple[ForeignKey, ...]] = {}
    for address, keys in _grouped(reader, started, "IMPORTED KEYS", wanted, names):
        found[address] = tuple(
            ForeignKey(
                name=Identifier(name),
                columns=_identifiers(cells, 0),
                references=sql_path(tuple(cells[0][3:6])),
                referenced_columns=_identifiers(cells, 2),
                rely=_rely(cells[0][1]),
            )
            for name, cells in keys.items()
        )
    return found


Cells = list[tuple[Any, ...]]


def _grouped(
    reader: Reader, started: BulkRows, plural: str, wanted: Collection[Address], names: Sequence[str]
) -> Iterator[tuple[Address, dict[str, Cells]]]:
    """Per table its constraints by name, each with the cells of its columns in order (without schema to sequence)."""
    complete, truncated = started.collect()
    answers = [(database, rows) for database, rows in complete]
    alone = [address for address in wanted if address.path[:-1] in set(truncated)]
    single = reader.many(f"SHOW {plural} IN TABLE {address.sql}" for address in alone)
    answers += [(address.path[0], rows) for address, rows in zip(alone, single, strict=True)]
    by_path: dict[tuple[str, ...], dict[str, list[tuple[int, tuple[Any, ...]]]]] = {each.path: {} for each in wanted}
    for database, rows in answers:
        for schema, table, name, place, *cells in rows.pick(*names):
            keys = by_path.get((database, schema, table))
            if keys is not None:
                keys.setdefault(name, []).append((int(place), tuple(cells)))
    for address in wanted:
        keys = by_path[address.path]
        yield address, {name: [cells for _, cells in sorted(keys[name], key=_first)] for name in sorted(keys)}


def _first(pair: tuple[int, tuple[Any, ...]]) -> int:
    return pair[0]


def _identifiers(cells: Cells, place: int) -> tuple[Identifier, ...]:
    return tuple(Identifier(each[place]) for each in cells)


def _rely(cell: Any) -> Any:
    return ABSENT if cell is None else str(cell).strip().lower() in ("true", "y", "yes", "rely")
