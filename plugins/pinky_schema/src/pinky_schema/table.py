"""Tables.

https://docs.snowflake.com/en/sql-reference/sql/create-table,
https://docs.snowflake.com/en/sql-reference/sql/alter-table,
https://docs.snowflake.com/en/sql-reference/sql/show-tables
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    DiagnosticsError,
    FieldChange,
    Identifier,
    Keyword,
    Names,
    OnChange,
    Reader,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    Wanted,
    literal,
    named_in,
    prop,
    resource,
    set_and_unset,
    statement,
)
from pinky_schema.column import Column, column_definition
from pinky_schema.table_changes import (
    COLUMN_LOST,
    KEY_FIELDS,
    PROPERTIES,
    ColumnsDiff,
    field_changes,
    keys_of,
    table_alters,
)
from pinky_schema.table_checks import mistakes_in, objections
from pinky_schema.table_expression import DefaultExpression, SqlExpression, clustering_keys
from pinky_schema.table_keys import ForeignKey, PrimaryKey, UniqueKey, key_definition, referenced_path
from pinky_schema.table_read import BulkRows, columns_of, foreign_keys_of, plain_keys_of
from pinky_schema.table_rebuild import REBUILD_LOSES, rebuild

__all__ = ["Strategy", "Table"]


class Strategy(Keyword):
    """What becomes of live columns that are not declared, and of the order of the columns."""

    PRESERVE = "PRESERVE"
    REORDER = "REORDER"
    DROP = "DROP"


@resource("table", scope="schema")
class Table(Resource):
    """Rows in columns: a permanent or transient table.

    Left out, because no statement over a whole schema tells them: policies, tags and contacts on the table or its
    columns, CHECK constraints, virtual columns, ERROR_LOGGING and ROW_TIMESTAMP. What is set there stays untouched.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE TABLE", "the schema"),
        ("OWNERSHIP", "the table"),
        ("SELECT", "the table"),
    )

    columns: tuple[Column, ...] = prop(source=Source.NOWHERE, on_change=OnChange.ALTER, key="name", doc="The columns.")
    strategy: Strategy = prop(
        default=Strategy.PRESERVE,
        source=Source.NOWHERE,
        on_change=OnChange.IGNORE,
        doc="PRESERVE keeps columns that are not declared, DROP drops them, REORDER keeps them and puts the declared "
        "ones in order by writing the table anew.",
    )
    transient: bool = prop(
        default=False, on_change=OnChange.REFUSE, loses=REBUILD_LOSES, doc="Without Fail-safe, and 1 day of history."
    )
    primary_key: PrimaryKey | None = prop(default=None, source=Source.NOWHERE, doc="The primary key.")
    unique_keys: tuple[UniqueKey, ...] = prop(default=None, source=Source.NOWHERE, doc="All unique keys.")
    foreign_keys: tuple[ForeignKey, ...] = prop(default=None, source=Source.NOWHERE, doc="All foreign keys.")
    cluster_by: tuple[SqlExpression, ...] = prop(default=None, doc="The clustering key: columns or expressions.")
    enable_schema_evolution: bool = prop(default=False, doc="Whether loading may add columns.")
    data_retention_time_in_days: int | None = prop(
        default=None, column="retention_time", minimum=0, maximum=90, doc="Days of Time Travel history."
    )
    max_data_extension_time_in_days: int | None = prop(
        default=14, source=Source.PARAMETER, minimum=0, maximum=90, doc="Days history is kept longer for streams."
    )
    change_tracking: bool = prop(default=False, doc="Whether changes are recorded for streams and CHANGES.")
    default_ddl_collation: str | None = prop(
        default=None, source=Source.PARAMETER, doc="Collation of text columns that are added later."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    #: For a live table: whether it is one, how many rows it has, and the retention it would have without its own.
    observed: bool = attrs.field(default=False, eq=False, repr=False)
    rows: int | None = attrs.field(default=None, eq=False, repr=False)
    inherited_retention: int | None = attrs.field(default=None, eq=False, repr=False)
    #: Whether its schema is transient: then every table in it is, whatever CREATE TABLE says.
    in_transient_schema: bool = attrs.field(default=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        mistakes = [] if self.observed else list(mistakes_in(self))
        if mistakes:
            raise ValueError("; ".join(mistakes))

    @property
    def drops_undeclared(self) -> bool:
        """Whether live columns that are not declared are dropped."""
        return self.strategy is Strategy.DROP

    @property
    def keeps_order(self) -> bool:
        """Whether the declared order of the columns counts."""
        return self.strategy is Strategy.REORDER

    def changes_lifetime(self, live: Table) -> bool:
        """Whether a live table must become transient, or permanent, which it cannot in a transient schema."""
        if self.transient is ABSENT or live.in_transient_schema:
            return False
        return bool(self.transient) is not bool(live.transient)

    def is_rebuilt(self, live: Table, diff: ColumnsDiff) -> bool:
        """Whether a live table must be written anew to become like this one."""
        return self.changes_lifetime(live) or (self.keeps_order and diff.out_of_order)

    # -- dependencies ------------------------------------------------------------------------------------------------

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """Also the tables its foreign keys refer to, and the sequences and functions its defaults use."""
        yield from super().needs(address, names)
        base = address.path[:-1]
        for key in self.foreign_keys or ():
            yield from names.at(referenced_path(key, base), ("table",))
        for column in self.columns:
            if isinstance(column.default, DefaultExpression):
                path = column.default.sequence(base)
                if path is not None:
                    yield from names.at(path)
                called = named_in(str(column.default), base, names)
                yield from (each for each in called if each.kind == "user_defined_function")

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """One CREATE TABLE with everything inside."""
        base = address.path[:-1]
        inside = [column_definition(column, base) for column in self.columns]
        inside += [key_definition(key, base) for field in KEY_FIELDS for key in keys_of(self, field) or ()]
        words = "CREATE TRANSIENT TABLE" if self.transient else "CREATE TABLE"
        parts = [f"{words} {address.sql} ({', '.join(inside)})"]
        if self.cluster_by:
            parts.append(f"CLUSTER BY ({', '.join(each.sql for each in self.cluster_by)})")
        for name in PROPERTIES:
            value = getattr(self, name)
            if value is not ABSENT and value is not None:
                parts.append(f"{self.spec.by_name[name].sql} = {literal(value)}")
        return [statement(" ".join(parts))]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """ALTER TABLE for columns, keys and clustering, then one SET and one UNSET."""
        altered = [statement(text) for text in table_alters(self, live, address.sql, address.path[:-1])]
        properties = [change for change in changes if change.path in PROPERTIES]
        return [*altered, *set_and_unset(self.spec, address, properties)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """The table written anew with its rows."""
        return [statement(text) for text in rebuild(self, live, address.sql, address.path[:-1])]

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs, down to the property of a column."""
        return field_changes(self, live, address.path[:-1])

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """What Snowflake would refuse."""
        return () if live is None else objections(self, address, live)

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Destructive where rows, columns or history go; expensive where the rows are ordered anew."""
        if action is Action.DROP:
            return super().risk(address, action, live, changes)
        losses = list(dict.fromkeys(loss for change in changes if (loss := _loss(change, live))))
        if losses:
            return Risk.DESTRUCTIVE, "; ".join(losses)
        if any(change.path == "cluster_by" and change.after for change in changes):
            return Risk.EXPENSIVE, ""
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """SHOW TABLES also lists other kinds of tables, and temporary ones of this session."""
        return row.get("kind") != "TEMPORARY" and not _other_kind(row)

    @classmethod
    def read(cls, reader: Reader, wanted: Sequence[Wanted]) -> dict[Address, Resource]:
        """SHOW TABLES, SHOW COLUMNS and SHOW … KEYS over whole schemas, all under way at once."""
        by_address = {each.address: each for each in wanted}
        started = {name: BulkRows(reader, show, _schemas_with(wanted, name)) for name, show in _SHOWN.items()}
        facts = _facts_of_schemas(reader, wanted)
        schemas = {each.address.path[:-1] for each in wanted}
        found: dict[Address, dict[str, Any]] = {}
        for container, rows in reader.by_container(cls.spec.plural, schemas, pages=cls.show_pages).items():
            _refuse_other_kinds(rows, container, by_address)
            for address, raw in _shown_tables(rows, container):
                found[address] = raw
                days, raw["in_transient_schema"] = facts.get(container, (None, False))
                raw["inherited_retention"] = _inherited(days, transient=raw["transient"])
        for name, bulk in started.items():
            there = [a for a in found if a in by_address and _reads(by_address[a].fields, name)]
            for address, value in _part(reader, bulk, name, there).items():
                found[address][name] = value
        cls.read_details(reader, found, by_address)
        return {address: cls(**{"columns": (), **raw}, observed=True) for address, raw in found.items()}

    @classmethod
    def from_parameters(cls, rows: Rows) -> dict[str, Any]:
        """Parameters set on the table itself."""
        raw = super().from_parameters(rows)
        days = "max_data_extension_time_in_days"
        return {**raw, days: _whole_number(raw[days]), "default_ddl_collation": raw["default_ddl_collation"] or None}


#: What is read beside SHOW TABLES, by the field it is for.
_SHOWN: Mapping[str, str] = {
    "columns": "COLUMNS",
    "primary_key": "PRIMARY KEYS",
    "unique_keys": "UNIQUE KEYS",
    "foreign_keys": "IMPORTED KEYS",
}


def _reads(fields: frozenset[str], name: str) -> bool:
    """Whether a declaration needs this part of the live table; writing a table anew needs all of its keys."""
    return name in fields or (name != "columns" and bool(fields & {"strategy", "transient"}))


def _schemas_with(wanted: Sequence[Wanted], name: str) -> set[tuple[Identifier, ...]]:
    return {each.address.path[:-1] for each in wanted if _reads(each.fields, name)}


def _part(reader: Reader, started: BulkRows, name: str, there: Sequence[Address]) -> Mapping[Address, Any]:
    if name == "columns":
        return columns_of(reader, started, there)
    if name == "foreign_keys":
        return foreign_keys_of(reader, started, there)
    if name == "unique_keys":
        return plain_keys_of(reader, started, _SHOWN[name], there, UniqueKey)
    keys = plain_keys_of(reader, started, _SHOWN[name], there, PrimaryKey)
    return {address: found[0] if found else None for address, found in keys.items()}


def _other_kind(row: Mapping[str, Any]) -> str:
    """What a row of SHOW TABLES is where it is no plain table: ``dynamic``, ``iceberg`` and so on."""
    names = ("external", "event", "hybrid", "iceberg", "dynamic")
    return next((name for name in names if row.get(f"is_{name}") == "Y"), "")


def _refuse_other_kinds(rows: Rows, container: tuple[str, ...], wanted: Mapping[Address, Wanted]) -> None:
    """Raise `DiagnosticsError` where a declared name belongs to another kind of table: a CREATE would run into it."""
    base = tuple(map(Identifier, container))
    taken = [
        Diagnostic.error(
            "other-kind",
            f"{address.sql} is there, and is of kind {kind} table",
            hint="Give this one another name, or drop the other one.",
            address=address,
        )
        for row in rows
        if (kind := _other_kind(row)) and (address := Address("table", (*base, Identifier(row["name"])))) in wanted
    ]
    if taken:
        raise DiagnosticsError(taken)


def _shown_tables(rows: Rows, container: tuple[str, ...]) -> Iterator[tuple[Address, dict[str, Any]]]:
    base = tuple(map(Identifier, container))
    for row in rows:
        if not Table.lists(row):
            continue
        yield (
            Address("table", (*base, Identifier(row["name"]))),
            {
                "transient": row["kind"] == "TRANSIENT",
                "cluster_by": clustering_keys(row.get("cluster_by")),
                "comment": row.get("comment") or None,
                "rows": _whole_number(row.get("rows")),
                "data_retention_time_in_days": _whole_number(row.get("retention_time")),
                "change_tracking": str(row.get("change_tracking")).upper() == "ON",
                "enable_schema_evolution": str(row.get("enable_schema_evolution")).upper() == "Y",
            },
        )


def _whole_number(cell: Any) -> int | None:
    return None if cell in (None, "") else int(cell)


def _facts_of_schemas(reader: Reader, wanted: Sequence[Wanted]) -> dict[tuple[str, ...], tuple[int | None, bool]]:
    """Retention of schemas and whether they are transient, from SHOW SCHEMAS, which the run has read already."""
    fields = {"data_retention_time_in_days", "strategy", "transient"}
    databases = {each.address.path[0] for each in wanted if each.fields & fields}
    return {
        (database, name): (_whole_number(days), "TRANSIENT" in str(options))
        for database in sorted(databases)
        for name, days, options in reader.listing("SCHEMAS", (database,)).pick("name", "retention_time", "options")
    }


def _inherited(days: int | None, *, transient: bool) -> int | None:
    """A transient table keeps at most one day of history, whatever its schema says."""
    return days if days is None or not transient else min(days, 1)


def _loss(change: FieldChange, live: Table) -> str:
    """What one change destroys; empty where it destroys nothing."""
    if change.on_change is OnChange.REFUSE:
        return REBUILD_LOSES
    if change.note == COLUMN_LOST:
        return f"column {change.path.partition('.')[2]} and its values"
    if change.path == "change_tracking" and change.before and not change.after:
        return "the recorded changes; streams on it stop working"
    if change.path == "data_retention_time_in_days":
        after = live.inherited_retention if change.after is None else change.after
        if isinstance(change.before, int) and isinstance(after, int) and after < change.before:
            return f"Time Travel history older than {after} days"
    return ""
