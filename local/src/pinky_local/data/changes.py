"""The change log of tables that streams read, and the offsets of streams.

A tracked table has a column of row ids (``rid``) and a log table, which gets a row for every inserted (I) and deleted
(D) row, and two for every updated one (its old values, d, and its new ones, i). A logged change gets its version when
its transaction commits; the versions of an account count its commits. A stream's offset is a version: it reads the
changes with a higher one. Tables without streams have none of this.

The rows that a stream with SHOW_INITIAL_ROWS gives first are in the log too (S), under the stream's number (``s``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pinky_local.data.storage import Storage, StoredTable

_IDS, _MARK = "changing_ids", "inserting_mark"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands. ``table`` is the log it reads, None for a stage's directory table."""

    table: str | None
    version: int
    initial: bool


class Changes:
    """Logs and offsets. Every method expects the storage's lock to be held."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        for sql in (
            "CREATE SEQUENCE IF NOT EXISTS pinky_rows",
            "CREATE SEQUENCE IF NOT EXISTS pinky_order",
            "CREATE TABLE IF NOT EXISTS pinky_streams (stream BIGINT, log VARCHAR, version BIGINT, initial BOOLEAN, "
            "moved TIMESTAMP)",
        ):
            storage.execute(sql)

    def newest(self) -> int:
        """The highest version that is written down anywhere."""
        logs = (f"SELECT max(v) AS v FROM {log}" for log in self._storage.logs)
        queries = ["SELECT max(version) AS v FROM pinky_streams WHERE log IS NOT NULL", *logs]
        return int(self._storage.scalar(f"SELECT max(v) FROM ({' UNION ALL '.join(queries)})") or 0)

    # -- steps of statements -----------------------------------------------------------------------------------------

    def before_insert(self) -> list[str]:
        """Remember from which row id on rows are new."""
        return [f"CREATE OR REPLACE TEMP TABLE {_MARK} AS SELECT nextval('pinky_rows') AS m"]

    def after_insert(self, table: StoredTable) -> list[str]:
        """Log the new rows."""
        return [_logging(table, "I", f"WHERE rid > (SELECT m FROM {_MARK})"), f"DROP TABLE {_MARK}"]

    def before_change(self, table: StoredTable, rows: str, action: str) -> list[str]:
        """Log the rows that an UPDATE (d) or DELETE (D) is about to change."""
        ids = f"SELECT rid FROM {table.physical} WHERE rowid IN ({rows})"
        steps = [f"CREATE OR REPLACE TEMP TABLE {_IDS} AS {ids}"]
        steps.append(_logging(table, action, f"WHERE rid IN (SELECT rid FROM {_IDS})"))
        return steps if action == "d" else [*steps, f"DROP TABLE {_IDS}"]

    def after_update(self, table: StoredTable) -> list[str]:
        """Log the rows that an UPDATE has changed."""
        return [_logging(table, "i", f"WHERE rid IN (SELECT rid FROM {_IDS})"), f"DROP TABLE {_IDS}"]

    def stamp(self, cursor: duckdb.DuckDBPyConnection, tables: Collection[str], consumed: Mapping[int, int]) -> bool:
        """Give the logged changes of a transaction their version and move the streams it consumed.

        ``tables`` are the DuckDB tables it wrote to; True where logs are among them.
        """
        logged = [table for table in tables if table in self._storage.logs]
        for log in logged:
            cursor.execute(f"UPDATE {log} SET v = {self._storage.version + 1} WHERE v IS NULL")
        for stream, version in consumed.items():
            cursor.execute(
                "UPDATE pinky_streams SET version = CASE WHEN initial THEN version ELSE greatest(version, ?) END, "
                "initial = FALSE, moved = ? WHERE stream = ?",
                [version, self._storage.clock().replace(tzinfo=None), stream],
            )
        return bool(logged)

    def clean(self, streams: Collection[int]) -> None:
        """Forget what no stream reads any more, after these have moved."""
        execute = self._storage.execute
        numbers = ", ".join(str(stream) for stream in streams)
        logs = execute(f"SELECT DISTINCT log FROM pinky_streams WHERE stream IN ({numbers}) AND log IS NOT NULL")
        for (log,) in logs.fetchall():
            read = f"SELECT stream FROM pinky_streams WHERE log = '{log}' AND initial"
            least = f"SELECT min(version) FROM pinky_streams WHERE log = '{log}'"
            execute(f"DELETE FROM {log} WHERE CASE WHEN s IS NULL THEN v <= ({least}) ELSE s NOT IN ({read}) END")

    # -- streams -----------------------------------------------------------------------------------------------------

    def start(self, stream: int, table: StoredTable | None, version: int, *, initial: bool) -> None:
        """A stream that reads changes after this version; ``initial`` gives the present rows first."""
        log = table.log if table is not None else None
        self._storage.execute(
            "INSERT INTO pinky_streams VALUES (?, ?, ?, ?, ?)",
            (stream, log, version, initial, self._storage.clock().replace(tzinfo=None)),
        )
        if initial and table is not None:
            self._storage.execute(_logging(table, "S", "", version, stream))

    def start_like(self, stream: int, other: int) -> None:
        """A stream with the offset of another one."""
        execute = self._storage.execute
        held = "log, version, initial, moved FROM pinky_streams"
        execute(f"INSERT INTO pinky_streams SELECT {stream}, {held} WHERE stream = {other}")
        position = self.position(stream)
        if position is not None and position.initial and position.table in self._storage.logs:
            copied = f"SELECT * REPLACE ({stream} AS s) FROM {position.table} WHERE s = {other}"
            execute(f"INSERT INTO {position.table} {copied}")

    def stop(self, stream: int) -> str | None:
        """Forget a stream; the log that nobody reads any more, where that is so."""
        position = self.position(stream)
        self._storage.execute("DELETE FROM pinky_streams WHERE stream = ?", (stream,))
        if position is None or position.table not in self._storage.logs:
            return None  # the log went with its table
        self._storage.execute(f"DELETE FROM {position.table} WHERE s = {stream}")
        left = self._storage.scalar(f"SELECT count(*) FROM pinky_streams WHERE log = '{position.table}'")
        return None if left else position.table

    def position(self, stream: int) -> Position | None:
        """Where a stream stands; None for one that has no offset."""
        query = "SELECT log, version, initial FROM pinky_streams WHERE stream = ?"
        found = self._storage.execute(query, (stream,)).fetchall()
        return Position(*found[0]) if found else None

    def moved(self, stream: int) -> object:
        """When a stream was made or consumed last, in UTC without zone; None for one that has no offset."""
        return self._storage.scalar(f"SELECT moved FROM pinky_streams WHERE stream = {stream}")

    def streams(self) -> list[int]:
        """The streams that have an offset."""
        return [row[0] for row in self._storage.execute("SELECT stream FROM pinky_streams").fetchall()]


def _logging(
    table: StoredTable, action: str, where: str, version: int | None = None, stream: int | None = None
) -> str:  # fmt: skip
    columns = "".join(f", {column.physical}" for column in table.columns.values())
    marks = f"{'NULL' if version is None else version}, '{action}', rid, {'NULL' if stream is None else stream}"
    rows = f"SELECT nextval('pinky_order'), {marks}{columns} FROM {table.physical} {where}"
    return f"INSERT INTO {table.log} (n, v, op, rid, s{columns}) {rows}"
