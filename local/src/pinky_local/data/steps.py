"""The DuckDB statements of one Snowflake statement: what they change is remembered, and logged for streams."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import duckdb

from pinky_local.data.storage import OWN_ROWS, Storage, StoredTable
from pinky_local.types import SqlError

if TYPE_CHECKING:
    from pinky_local.data.changes import Changes


class Steps:
    """Runs DuckDB statements and remembers how to do the same again.

    Rows of tables change only through `insert`, `update`, `delete` and `clear`. ``touched`` (None outside an explicit
    transaction) collects by table the row ids of committed rows that the transaction changes or deletes.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        cancelled: threading.Event,
        storage: Storage,
        touched: dict[str, set[int]] | None,
    ) -> None:
        self._cursor = cursor
        self._cancelled = cancelled
        self._changes: Changes = storage.changes
        self._touched = touched
        self.done: list[str] = []
        self.logged: set[str] = set()

    def __call__(self, sql: str) -> list[Any]:
        """The rows one DuckDB statement answers."""
        if self._cancelled.is_set():
            raise SqlError(604, "57014", "SQL execution canceled")
        rows = self._cursor.execute(sql).fetchall()
        if self._touched is not None:
            self.done.append(sql)
        return rows

    def insert(self, table: StoredTable, statement: str) -> int:
        """Run an INSERT into a table and return the number of rows."""
        self._touch(table, None)
        if not table.log:
            return int(self(statement)[0][0])
        self._log(table)
        for sql in self._changes.before_insert():
            self(sql)
        count = int(self(statement)[0][0])
        for sql in self._changes.after_insert(table):
            self(sql)
        return count

    def update(self, table: StoredTable, rows: str, statement: str) -> int:
        """Run an UPDATE that changes the rows whose row ids the query ``rows`` gives."""
        self._touch(table, rows)
        if not table.log:
            return int(self(statement)[0][0])
        self._log(table)
        for sql in self._changes.before_change(table, rows, "d"):
            self(sql)
        count = int(self(statement)[0][0])
        for sql in self._changes.after_update(table):
            self(sql)
        return count

    def delete(self, table: StoredTable, rows: str) -> int:
        """Delete the rows whose row ids the query ``rows`` gives."""
        self._touch(table, rows)
        if table.log:
            self._log(table)
            for sql in self._changes.before_change(table, rows, "D"):
                self(sql)
        return int(self(f"DELETE FROM {table.physical} WHERE rowid IN ({rows})")[0][0])

    def clear(self, table: StoredTable) -> int:
        """Delete every row."""
        return self.delete(table, f"SELECT rowid FROM {table.physical}")

    def _touch(self, table: StoredTable, rows: str | None) -> None:
        if self._touched is None:
            return
        known = self._touched.setdefault(table.physical, set())
        if rows is not None:
            found = self._cursor.execute(f"SELECT r FROM ({rows}) AS q(r) WHERE r < {OWN_ROWS}").fetchall()
            known.update(row[0] for row in found)

    def note(self, table: str) -> None:
        """Say that the statement inserts into another DuckDB table too, so that its rows are kept with the others."""
        if self._touched is not None:
            self._touched.setdefault(table, set())

    def _log(self, table: StoredTable) -> None:
        self.logged.add(table.log)
        self.note(table.log)
