"""Statements of one session on DuckDB: one cursor, one transaction at a time, and cancelling.

A failed statement undoes only itself in Snowflake, while DuckDB then gives up the whole transaction. So the statements
of an open transaction are remembered, and after a failure those that had succeeded are run again in a new one. That
is only done where running again gives the same rows: after RANDOM() and the like the transaction is rolled back, and
the error says so. Reads see what was committed when the transaction began (Snowflake: when the statement began).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import duckdb

from pinky_local.data.casts import literal
from pinky_local.data.refusals import from_duckdb
from pinky_local.types import SessionContext, SqlError

_Answer = TypeVar("_Answer")


class Interrupter:
    """Watches running statements and interrupts those whose session was cancelled.

    Its thread lives only while statements run, and shortly after. It is no daemon: one that outlived the interpreter
    would take the process down inside DuckDB.
    """

    def __init__(self, interval: float = 0.02, idle: float = 0.1) -> None:
        self._running: dict[int, tuple[threading.Event, duckdb.DuckDBPyConnection]] = {}
        self._changed = threading.Condition()
        self._interval = interval
        self._idle = idle
        self._thread: threading.Thread | None = None

    def enter(self, cancelled: threading.Event, cursor: duckdb.DuckDBPyConnection) -> int:
        """Watch a statement; the number returned ends it."""
        with self._changed:
            key = id(cursor)
            self._running[key] = (cancelled, cursor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="pinky-local-interrupter")
                self._thread.start()
            return key

    def leave(self, key: int) -> None:
        """Stop watching."""
        with self._changed:
            self._running.pop(key, None)

    def close(self) -> None:
        """Wait for the watching thread to end."""
        with self._changed:
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._running:
                    self._changed.wait(self._idle)
                if not self._running or not threading.main_thread().is_alive():
                    self._thread = None
                    return
                self._interrupt_cancelled()
                self._changed.wait(self._interval)

    def _interrupt_cancelled(self) -> None:
        for cancelled, cursor in self._running.values():
            if cancelled.is_set():
                cursor.interrupt()


class Steps:
    """Runs the DuckDB statements of one Snowflake statement and remembers how to do the same again."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, cancelled: threading.Event, *, remember: bool) -> None:
        self._cursor = cursor
        self._cancelled = cancelled
        self._remember = remember
        self.done: list[str] = []
        self.repeatable = False

    def __call__(self, sql: str) -> list[Any]:
        """The rows one DuckDB statement answers."""
        rows = self._fetch(sql)
        if self._remember:
            self.done.append(sql)
        return rows

    def _fetch(self, sql: str) -> list[Any]:
        if self._cancelled.is_set():
            raise SqlError(604, "57014", "SQL execution canceled")
        return self._cursor.execute(sql).fetchall()

    def insert(self, statement: str, table: str, columns: Sequence[tuple[str, str]], *, volatile: bool) -> int:
        """Insert, and return the number of rows.

        Where random values or an identity are involved, it is the rows that are remembered, not the statement.
        ``columns`` are the table's DuckDB names and types.
        """
        if not (self._remember and volatile):
            return int(self(statement)[0][0])
        texts = ", ".join(f"CAST({name} AS VARCHAR)" for name, _ in columns)
        rows = self._fetch(f"{statement} RETURNING {texts}")
        if rows:
            lines = ", ".join("(" + ", ".join("NULL" if v is None else literal(v) for v in row) + ")" for row in rows)
            names = ", ".join(f"v{i}" for i in range(len(columns)))
            items = ", ".join(f"CAST(v{i} AS {kind})" for i, (_, kind) in enumerate(columns))
            listed = ", ".join(name for name, _ in columns)
            self.done.append(f"INSERT INTO {table} ({listed}) SELECT {items} FROM (VALUES {lines}) AS v({names})")
        self.repeatable = True
        return len(rows)


class DataSession:
    """The cursor of one session. Not shared: a session runs one statement at a time."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, interrupter: Interrupter) -> None:
        self.cursor = cursor
        self.lock = threading.RLock()
        self.in_transaction = False
        self._interrupter = interrupter
        self._done: list[str] = []
        self._repeatable = True
        self._timezone: str | None = None

    def set_timezone(self, name: str) -> None:
        """The session's TIMEZONE, which text without offset is read in."""
        if name != self._timezone:
            try:
                self.cursor.execute(f"SET TimeZone = '{name.replace(chr(39), '')}'")
            except duckdb.Error as problem:
                raise SqlError(1008, "22023", f"invalid value [{name}] for parameter 'TIMEZONE'") from problem
            self._timezone = name

    def run(self, context: SessionContext, work: Callable[[Steps], _Answer], *, volatile: bool) -> _Answer:
        """Run the DuckDB statements of one Snowflake statement: all of them, or none."""
        with self.lock:
            key = self._interrupter.enter(context.cancelled, self.cursor)
            try:
                return self._guarded(
                    work, Steps(self.cursor, context.cancelled, remember=self.in_transaction), volatile=volatile
                )
            finally:
                self._interrupter.leave(key)

    def _guarded(self, work: Callable[[Steps], _Answer], steps: Steps, *, volatile: bool) -> _Answer:
        own = not self.in_transaction
        try:
            if own:
                self.cursor.execute("BEGIN")
            answer = work(steps)
            if own:
                self.cursor.execute("COMMIT")
        except (duckdb.Error, SqlError) as problem:
            failure = problem if isinstance(problem, SqlError) else from_duckdb(problem)
            if own:
                self._rollback()
            else:
                failure = self._recovered(failure)
            raise failure from problem
        if not own:
            self._done.extend(steps.done)
            self._repeatable = self._repeatable and (steps.repeatable or not volatile)
        return answer

    def _recovered(self, failure: SqlError) -> SqlError:
        """Bring the transaction back to where it was before the failed statement."""
        self._rollback()
        if self._repeatable:
            self.cursor.execute("BEGIN")
            for sql in self._done:
                self.cursor.execute(sql)
            return failure
        self._forget()
        text = f"{failure.message}\nThe transaction was rolled back: the local account cannot repeat its random values."
        return SqlError(failure.errno, failure.sqlstate, text)

    def _rollback(self) -> None:
        try:
            self.cursor.execute("ROLLBACK")
        except duckdb.TransactionException as problem:
            if "no transaction is active" not in str(problem):
                raise

    def read(self, context: SessionContext, sql: str) -> list[Any]:
        """Rows of a query."""
        with self.lock:
            if self.in_transaction:
                return self._guarded(
                    lambda steps: steps(sql), Steps(self.cursor, context.cancelled, remember=False), volatile=False
                )
            key = self._interrupter.enter(context.cancelled, self.cursor)
            try:
                if context.cancelled.is_set():
                    raise SqlError(604, "57014", "SQL execution canceled")
                return self.cursor.execute(sql).fetchall()
            except duckdb.Error as problem:
                raise from_duckdb(problem) from problem
            finally:
                self._interrupter.leave(key)

    def begin(self) -> None:
        """Open a transaction; within one, nothing (Snowflake ignores a second BEGIN)."""
        with self.lock:
            if not self.in_transaction:
                self.cursor.execute("BEGIN")
                self.in_transaction = True

    def commit(self) -> None:
        """Keep what the open transaction did."""
        with self.lock:
            if self.in_transaction:
                self._forget()
                try:
                    self.cursor.execute("COMMIT")
                except duckdb.Error as problem:
                    raise from_duckdb(problem) from problem

    def rollback(self) -> None:
        """Undo what the open transaction did."""
        with self.lock:
            if self.in_transaction:
                self._forget()
                self._rollback()

    def _forget(self) -> None:
        self.in_transaction = False
        self._done = []
        self._repeatable = True

    def close(self) -> None:
        """End the session; an open transaction is rolled back."""
        self.rollback()
        self.cursor.close()
