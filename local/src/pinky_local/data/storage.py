"""Where rows live: DuckDB tables under opaque names, and the map from Snowflake's names to them.

Renaming, swapping, dropping and bringing back a table, and renaming a column, change the map only. The map is kept in
DuckDB itself (``pinky_tables``) where there is a folder, so that the account finds it again. A table that a stream
reads has a column of row ids and a log of its changes beside it (`changes`).
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pinky_local.data.changes import Changes
from pinky_local.data.datatypes import SnowType, parse_type
from pinky_local.data.refusals import compilation, from_duckdb, invalid_identifier, marked, missing_table
from pinky_local.types import SqlError, TableColumn

PythonCall = Callable[[Sequence[str | None]], str | None]

Name = tuple[str, str, str]

OWN_ROWS = 2**50
"""DuckDB numbers the rows that an open transaction has inserted from far above this, and committed ones from zero."""


@dataclass(slots=True)
class StoredColumn:
    """A column as it is stored: its DuckDB name, type and, for an identity, its sequence."""

    physical: str
    type: SnowType
    sequence: str | None = None


@dataclass(slots=True)
class StoredTable:
    """A table as it is stored. ``columns`` maps canonical names, in order.

    ``row_ids`` tells whether it has the hidden column ``rid``; ``log`` is where its changes are written down for
    streams, empty where there are none.
    """

    physical: str
    columns: dict[str, StoredColumn]
    next_column: int
    row_ids: bool = False
    log: str = ""

    def column(self, name: str) -> StoredColumn:
        """The stored column of this canonical name."""
        if name not in self.columns:
            raise invalid_identifier(name)
        return self.columns[name]


class Storage:
    """The rows of one account. Every method takes the lock: one change of the map at a time.

    The lock is also held while a statement changes rows and while a transaction commits. ``version`` counts the commits
    that changed tracked tables, ``commits`` all of them since the start, ``shapes`` the changes of tables themselves.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], datetime]) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.connection = duckdb.connect(":memory:" if folder is None else str(folder / "rows.duckdb"))
        self.lock = threading.RLock()
        self._tables: dict[Name, StoredTable] = {}
        self._dropped: dict[str, StoredTable] = {}
        self.clock = clock
        self.commits = 0
        self.shapes = 0
        self.logs: set[str] = set()
        self._python: dict[str, PythonCall] = {}
        self._lasting = folder is not None
        self._numbers = itertools.count(1)
        self._files = itertools.count(1)
        self._scratch: Path | None = None
        self.execute("CREATE TABLE IF NOT EXISTS pinky_loads (physical VARCHAR, file VARCHAR, etag VARCHAR)")
        if self._lasting:
            self.execute(
                "CREATE TABLE IF NOT EXISTS pinky_tables "
                "(physical VARCHAR PRIMARY KEY, database VARCHAR, schema VARCHAR, name VARCHAR, columns VARCHAR)"
            )
            self.execute("CREATE SEQUENCE IF NOT EXISTS pinky_names")
            self._load()
        self.changes = Changes(self)
        self.version = self.changes.newest()

    def _load(self) -> None:
        rows = self.execute("SELECT physical, database, schema, name, columns FROM pinky_tables").fetchall()
        for physical, database, schema, name, columns in rows:
            table = _decoded(physical, columns)
            if database is None:
                self._dropped[physical] = table
            else:
                self._tables[database, schema, name] = table
            if table.log:
                self.logs.add(table.log)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        """Run a statement outside every session, committed at once; the lock must be held."""
        try:
            return self.connection.execute(sql, list(parameters))
        except duckdb.Error as problem:
            raise from_duckdb(problem) from problem

    def scalar(self, sql: str) -> Any:
        """The one value a query answers."""
        rows = self.execute(sql).fetchall()  # all of it: a result that is not read to its end keeps the connection busy
        return rows[0][0] if rows else None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows a query answers."""
        with self.lock:
            return self.execute(sql).fetchall()

    def constant(self, expression: str) -> Any:
        """The value of an expression that reads no row."""
        with self.lock:
            return self.scalar(f"SELECT {expression}")

    def offer_python(self, key: str, call: PythonCall) -> None:
        """Let statements call a Python function: `pinky_python(key, list of texts)` gives its text."""
        with self.lock:
            if not self._python:
                self.connection.create_function(  # type: ignore[call-overload]  # its stubs want enumerations
                    "pinky_python", self._call_python, ["VARCHAR", "VARCHAR[]"], "VARCHAR",
                    null_handling="special", side_effects=True,
                )  # fmt: skip
            self._python[key] = call

    def _call_python(self, key: str, arguments: list[str | None]) -> str | None:
        try:
            return self._python[key](arguments)
        except SqlError as problem:
            raise RuntimeError(marked(problem)) from problem

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, for one session."""
        return self.connection.cursor()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch)
            self._scratch = None

    def scratch_file(self) -> Path:
        """The path of a new Parquet file that does not outlive the account."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="pinky-local-"))
            weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        return self._scratch / f"{next(self._files)}.parquet"

    def columns_of(self, physical: str) -> list[str]:
        """The DuckDB columns of a stored table; none where there is no such table."""
        found = self.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = ?", (physical,))
        return [row[0] for row in found.fetchall()]

    def committed(self, *, changed: bool, consumed: Collection[int], wrote: bool) -> None:
        """A transaction has committed: ``changed`` tracked tables, ``consumed`` streams, or wrote anything else."""
        self.version += changed
        if wrote or consumed:
            self.commits += 1
        if consumed:
            self.changes.clean(consumed)

    # -- streams -----------------------------------------------------------------------------------------------------

    def track(self, name: Name) -> StoredTable:
        """Give a table row ids and a log, where it has none."""
        with self.lock:
            table = self.table(name)
            if table.log:
                return table
            if not table.row_ids:
                self.execute(f"ALTER TABLE {table.physical} ADD COLUMN rid BIGINT")
                self.execute(f"UPDATE {table.physical} SET rid = nextval('pinky_rows')")
                self.execute(f"ALTER TABLE {table.physical} ALTER COLUMN rid SET DEFAULT nextval('pinky_rows')")
                table.row_ids = True
            table.log = f"{table.physical}_log"
            columns = "".join(f", {one.physical} {one.type.duckdb}" for one in table.columns.values())
            self.execute(f"CREATE TABLE {table.log} (n BIGINT, v BIGINT, op VARCHAR, rid BIGINT, s BIGINT{columns})")
            self.logs.add(table.log)
            self._keep(name, table)
            return table

    def stop_stream(self, stream: int) -> None:
        """Forget a stream, and the log of its table where no other stream reads it."""
        with self.lock:
            log = self.changes.stop(stream)
            if log is None:
                return
            self.execute(f"DROP TABLE IF EXISTS {log}")
            self.logs.discard(log)
            for name, table in [*self._tables.items(), *((None, table) for table in self._dropped.values())]:
                if table.log == log:
                    table.log = ""
                    self._keep(name, table)

    def has(self, name: Name) -> bool:
        """Whether a table of this name is stored."""
        return name in self._tables

    def table(self, name: Name) -> StoredTable:
        """The stored table of this name. Raises `SqlError` 2003 where there is none."""
        try:
            return self._tables[name]
        except KeyError:
            raise missing_table(name) from None

    def create(self, name: Name, columns: Sequence[TableColumn]) -> StoredTable:
        """An empty table."""
        with self.lock:
            if name in self._tables:
                raise compilation(f"Object '{name[2]}' already exists.", errno=2002, sqlstate="42710")
            stored = StoredTable(self._new_name(), {}, 1)
            for column in columns:
                self._define(stored, column)
            body = ", ".join(f"{one.physical} {one.type.duckdb}" for one in stored.columns.values())
            self.execute(f"CREATE TABLE {stored.physical} ({body})")
            self._keep(name, stored)
            return stored

    def _new_name(self) -> str:
        return "t" + str(self.scalar("SELECT nextval('pinky_names')") if self._lasting else next(self._numbers))

    def _define(self, table: StoredTable, column: TableColumn) -> StoredColumn:
        stored = StoredColumn(f"c{table.next_column}", parse_type(column.data_type))
        if column.identity is not None:
            stored.sequence = f"s_{table.physical}_{stored.physical}"
            self._sequence(stored.sequence, *column.identity)
        table.next_column += 1
        table.columns[column.name] = stored
        return stored

    def _sequence(self, name: str, start: int, step: int) -> None:
        bounds = "MINVALUE -9223372036854775807 MAXVALUE 9223372036854775807"
        self.execute(f"CREATE SEQUENCE {name} INCREMENT BY {step} {bounds} START WITH {start}")

    def _keep(self, name: Name | None, table: StoredTable) -> None:
        """Write where a table is (``name`` None: dropped), in memory and, with a folder, in DuckDB."""
        self.shapes += 1
        if self._lasting:
            self.execute(
                "INSERT OR REPLACE INTO pinky_tables VALUES (?, ?, ?, ?, ?)",
                (table.physical, *(name or (None, None, None)), _encoded(table)),
            )
        if name is None:
            self._dropped[table.physical] = table
        else:
            self._tables[name] = table

    def drop(self, name: Name) -> str:
        """Take a table away; the text returned brings it back."""
        with self.lock:
            table = self.table(name)
            del self._tables[name]
            self._keep(None, table)
            return table.physical

    def restore(self, name: Name, dropped: str) -> None:
        """Bring back a dropped table under this name."""
        with self.lock:
            if name in self._tables:
                raise compilation(f"Object '{name[2]}' already exists.", errno=2002, sqlstate="42710")
            if dropped not in self._dropped:
                raise missing_table(name)
            self._keep(name, self._dropped.pop(dropped))

    def purge(self, dropped: str) -> None:
        """Delete the rows of a dropped table for good."""
        with self.lock:
            table = self._dropped.pop(dropped)
            self.shapes += 1
            self.execute(f"DROP TABLE {table.physical}")
            if table.log:
                self.execute(f"DROP TABLE {table.log}")
                self.logs.discard(table.log)
            for column in table.columns.values():
                if column.sequence:
                    self.execute(f"DROP SEQUENCE {column.sequence}")
            if self._lasting:
                self.execute("DELETE FROM pinky_tables WHERE physical = ?", (table.physical,))

    def retain(self, names: Collection[Name]) -> None:
        """Delete for good every table but these, dropped ones too."""
        with self.lock:
            for name in self._tables.keys() - set(names):
                self.drop(name)
            for dropped in list(self._dropped):
                self.purge(dropped)

    def rename(self, old: Name, new: Name) -> None:
        """Move a table to another name."""
        with self.lock:
            table = self.table(old)
            if new in self._tables:
                raise compilation(f"Object '{new[2]}' already exists.", errno=2002, sqlstate="42710")
            del self._tables[old]
            self._keep(new, table)

    def swap(self, one: Name, other: Name) -> None:
        """Exchange two tables."""
        with self.lock:
            first, second = self.table(one), self.table(other)
            self._keep(one, second)
            self._keep(other, first)

    def clone(self, source: Name, target: Name) -> None:
        """A copy of columns, rows and the positions of identities."""
        with self.lock:
            table = self.table(source)
            if target in self._tables:
                raise compilation(f"Object '{target[2]}' already exists.", errno=2002, sqlstate="42710")
            copy = StoredTable(self._new_name(), {}, table.next_column)
            shown = ", ".join(column.physical for column in table.columns.values())
            self.execute(f"CREATE TABLE {copy.physical} AS SELECT {shown} FROM {table.physical}")
            for name, column in table.columns.items():
                sequence = self._continued(column.sequence, copy.physical, column.physical)
                copy.columns[name] = StoredColumn(column.physical, column.type, sequence)
            self._keep(target, copy)

    def _continued(self, sequence: str | None, table: str, column: str) -> str | None:
        if sequence is None:
            return None
        found = self.execute(
            "SELECT start_value, increment_by, last_value FROM duckdb_sequences() WHERE sequence_name = ?", (sequence,)
        ).fetchall()
        if not found:
            raise compilation(f"the identity {sequence} has no sequence")
        start, step, last = found[0]
        name = f"s_{table}_{column}"
        self._sequence(name, start if last is None else last + step, step)
        return name

    def add_column(self, name: Name, column: TableColumn, filler: str | None) -> None:
        """Add a column; existing rows get ``filler`` (a DuckDB expression), an identity's next values, or NULL."""
        with self.lock:
            table = self.table(name)
            if column.name in table.columns:
                raise compilation(f"column '{column.name}' already exists", errno=1430, sqlstate="42601")
            stored = self._define(table, column)
            for place in _places(table):
                self.execute(f"ALTER TABLE {place} ADD COLUMN {stored.physical} {stored.type.duckdb}")
            filler = f"nextval('{stored.sequence}')" if stored.sequence else filler
            if filler is not None:
                self.execute(f"UPDATE {table.physical} SET {stored.physical} = {filler}")
            self._keep(name, table)

    def drop_column(self, name: Name, column: str) -> None:
        """Drop a column with its values."""
        with self.lock:
            table = self.table(name)
            stored = table.column(column)
            for place in _places(table):
                self.execute(f"ALTER TABLE {place} DROP COLUMN {stored.physical}")
            if stored.sequence:
                self.execute(f"DROP SEQUENCE {stored.sequence}")
            del table.columns[column]
            self._keep(name, table)

    def rename_column(self, name: Name, old: str, new: str) -> None:
        """Rename a column, keeping its place and values."""
        with self.lock:
            table = self.table(name)
            table.column(old)
            if new in table.columns:
                raise compilation(f"column '{new}' already exists", errno=1430, sqlstate="42601")
            table.columns = {new if known == old else known: stored for known, stored in table.columns.items()}
            self._keep(name, table)

    def change_type(self, name: Name, column: str, converted: tuple[SnowType, str]) -> None:
        """Give a column another type; ``converted`` is the type and the DuckDB expression of the new value."""
        with self.lock:
            table = self.table(name)
            stored = table.column(column)
            kind, value = converted
            for place in _places(table):
                self.execute(
                    f"ALTER TABLE {place} ALTER COLUMN {stored.physical} SET DATA TYPE {kind.duckdb} USING {value}"
                )
            stored.type = kind
            self._keep(name, table)


def _places(table: StoredTable) -> list[str]:
    """Where a table's columns are: the table, and its log."""
    return [table.physical, table.log] if table.log else [table.physical]


def _encoded(table: StoredTable) -> str:
    columns = [[name, one.physical, one.type.text, one.sequence] for name, one in table.columns.items()]
    held = {"next": table.next_column, "columns": columns, "row_ids": table.row_ids, "log": table.log}
    return json.dumps(held)


def _decoded(physical: str, text: str) -> StoredTable:
    data = json.loads(text)
    columns = {
        name: StoredColumn(column, parse_type(kind), sequence) for name, column, kind, sequence in data["columns"]
    }
    return StoredTable(physical, columns, data["next"], data.get("row_ids", False), data.get("log", ""))
