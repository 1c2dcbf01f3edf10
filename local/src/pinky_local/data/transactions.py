"""A transaction on DuckDB that behaves as Snowflake's do: READ COMMITTED, and a failed statement undoes only itself.

DuckDB gives a transaction the snapshot of its beginning, and gives up the whole transaction when a statement fails.
Here a transaction is begun again, in both cases, and what it had done is put back: the rows it had inserted and changed
are kept aside in Parquet files, those it had changed or deleted are known by their row ids, which stay what they are
while a transaction is open. A statement is only run again where nobody else committed since it ran.

What differs from Snowflake: a query that fails in a transaction that has changed rows while somebody else commits
takes the transaction with it, and says so.
https://docs.snowflake.com/en/sql-reference/transactions#read-committed-isolation-level
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from pinky_local.data.interrupting import Interrupter
from pinky_local.data.refusals import from_duckdb
from pinky_local.data.steps import Steps
from pinky_local.data.storage import OWN_ROWS, Storage
from pinky_local.types import SessionContext, SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinky_local.data.locks import Owner

_Answer = TypeVar("_Answer")

_IDS = "kept_ids"


class Connection:
    """A DuckDB cursor that runs one statement at a time."""

    def __init__(self, storage: Storage, interrupter: Interrupter) -> None:
        self.storage = storage
        self.cursor = storage.cursor()
        self.lock = threading.RLock()
        self._interrupter = interrupter
        self._timezone: str | None = None

    def set_timezone(self, name: str) -> None:
        """The session's TIMEZONE, which text without offset is read in."""
        if name != self._timezone:
            try:
                self.cursor.execute(f"SET TimeZone = '{name.replace(chr(39), '')}'")
            except duckdb.Error as problem:
                raise SqlError(1008, "22023", f"invalid value [{name}] for parameter 'TIMEZONE'") from problem
            self._timezone = name

    @contextmanager
    def statement(self, context: SessionContext) -> Iterator[None]:
        """While a statement of this session runs, nothing else does."""
        with self.lock:
            self.set_timezone(str(context.parameters.get("TIMEZONE") or "America/Los_Angeles"))
            yield

    @contextmanager
    def watched(self, context: SessionContext) -> Iterator[None]:
        """Within `statement`: cancelling the session interrupts what DuckDB does."""
        key = self._interrupter.enter(context.cancelled, self.cursor)
        try:
            yield
        finally:
            self._interrupter.leave(key)

    def rollback(self) -> None:
        """Undo the open DuckDB transaction, where there still is one."""
        try:
            self.cursor.execute("ROLLBACK")
        except duckdb.TransactionException as problem:
            if "no transaction is active" not in str(problem):
                raise

    def close(self) -> None:
        """Give the cursor back."""
        self.cursor.close()


@dataclass(slots=True)
class _Kept:
    """The effect on one table: the committed rows that are gone, and a file with those that are there instead."""

    removed: list[int]
    file: Path


@dataclass(slots=True)
class Transaction:
    """An open transaction. ``horizon`` is the version of the account at its beginning, up to which it reads streams.

    ``consumed`` are the streams whose offset its commit moves, with the version they move to.
    """

    connection: Connection
    owner: Owner
    horizon: int = 0
    touched: dict[str, set[int]] = field(default_factory=dict)
    consumed: dict[int, int] = field(default_factory=dict)
    directories: dict[int, int] = field(default_factory=dict)
    finished: bool = False
    _done: list[str] = field(default_factory=list)
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _seen: tuple[int, int] = (0, 0)

    @property
    def _storage(self) -> Storage:
        return self.connection.storage

    def begin(self) -> None:
        """Open it."""
        with self.connection.lock, self._storage.lock:
            self.connection.cursor.execute("BEGIN")
            self.horizon = self._storage.version
            self._seen = self._storage.commits, self._storage.shapes

    def run(self, context: SessionContext, work: Callable[[Steps], _Answer], *, volatile: bool) -> _Answer:
        """Run the DuckDB statements of one Snowflake statement: all of them, or none."""
        with self._storage.lock:
            self.refresh()
            steps = Steps(self.connection.cursor, context.cancelled, self._storage, self.touched)
            try:
                with self.connection.watched(context):
                    answer = work(steps)
            except (duckdb.Error, SqlError) as problem:
                raise self._recovered(problem) from problem
            self._done.extend(steps.done)
            if volatile:
                self._keep()
            return answer

    def read(self, context: SessionContext, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query, which sees what others had committed when it began."""
        with self._storage.lock:
            self.refresh()
        try:
            if context.cancelled.is_set():
                raise SqlError(604, "57014", "SQL execution canceled")
            with self.connection.watched(context):
                return self.connection.cursor.execute(sql).fetchall()
        except (duckdb.Error, SqlError) as problem:
            with self._storage.lock:
                raise self._recovered(problem) from problem

    def refresh(self) -> None:
        """See what others have committed since the last statement."""
        if self._seen == (self._storage.commits, self._storage.shapes):
            return
        if self._done:
            self._keep()
        self._restart()

    def _restart(self) -> None:
        self.connection.rollback()
        self.connection.cursor.execute("BEGIN")
        self._seen = self._storage.commits, self._storage.shapes
        for table, kept in self._kept.items():
            self._put_back(table, kept)

    def _put_back(self, table: str, kept: _Kept) -> None:
        execute = self.connection.cursor.execute
        found = self._storage.columns_of(table)
        if not found:
            return  # dropped for good meanwhile
        if kept.removed:
            self._list_ids(kept.removed)
            execute(f"DELETE FROM {table} WHERE rowid IN (SELECT r FROM {_IDS})")
        stored = [row[0] for row in execute(f"DESCRIBE SELECT * FROM '{kept.file}'").fetchall()]
        both = ", ".join(column for column in stored if column in found)
        execute(f"INSERT INTO {table} ({both}) SELECT {both} FROM '{kept.file}'")

    def _keep(self) -> None:
        """Write down what the transaction has done so far as rows, so that no statement has to be run again."""
        for table, ids in self.touched.items():
            changed = ""
            if ids:
                self._list_ids(sorted(ids))
                changed = f" OR rowid IN (SELECT r FROM {_IDS})"
            file = self._storage.scratch_file()
            rows = f"SELECT * FROM {table} WHERE rowid >= {OWN_ROWS}{changed}"
            self.connection.cursor.execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet)")
            self._forget_file(table)
            self._kept[table] = _Kept(sorted(ids), file)
        self._done.clear()

    def _list_ids(self, ids: list[int]) -> None:
        self.connection.cursor.execute(f"CREATE OR REPLACE TEMP TABLE {_IDS} AS SELECT unnest(?) AS r", [ids])

    def _forget_file(self, table: str) -> None:
        if table in self._kept:
            self._kept[table].file.unlink(missing_ok=True)

    def _recovered(self, problem: Exception) -> SqlError:
        """Bring the transaction back to where it was before the failed statement; the failure in Snowflake's words."""
        failure = from_duckdb(problem) if isinstance(problem, duckdb.Error) else problem
        assert isinstance(failure, SqlError)
        if self._done and self._seen != (self._storage.commits, self._storage.shapes):
            self.connection.rollback()
            self._finish()
            text = f"{failure.message}\nThe transaction was rolled back: the local account cannot repeat its statements"
            return SqlError(failure.errno, failure.sqlstate, f"{text}, because another transaction committed.")
        self._restart()
        for sql in self._done:
            self.connection.cursor.execute(sql)
        return failure

    def commit(self) -> None:
        """Keep what it did: changes of tracked tables get a version, consumed streams move. Raises `SqlError` 625."""
        storage = self._storage
        with self.connection.lock, storage.lock:
            if self.finished:
                return
            try:
                if self.touched and self._seen[1] != storage.shapes:
                    self.refresh()  # a table was altered, and DuckDB would refuse to commit rows of its old shape
                changed = storage.changes.stamp(self.connection.cursor, self.touched, self.consumed)
                self.connection.cursor.execute("COMMIT")
            except duckdb.Error as problem:
                self.connection.rollback()
                raise from_duckdb(problem) from problem
            finally:
                self._finish()
            storage.committed(changed=changed, consumed=self.consumed, wrote=bool(self.touched))

    def rollback(self) -> None:
        """Undo what it did."""
        with self.connection.lock, self._storage.lock:
            if not self.finished:
                try:
                    self.connection.rollback()
                finally:
                    self._finish()

    def _finish(self) -> None:
        self.finished = True
        for table in self._kept:
            self._forget_file(table)
        self._kept.clear()
        self._done.clear()
