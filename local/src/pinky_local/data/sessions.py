"""Statements of one session on DuckDB: one cursor, one transaction at a time, and cancelling.

A failed statement undoes only itself in Snowflake, while DuckDB then gives up the whole transaction. So the statements
of an open transaction are remembered, and after a failure those that had succeeded are run again in a new one. That
is only done where running again gives the same rows: after RANDOM() and the like the transaction is rolled back, and
the error says so. Reads see what was committed when the transaction began (Snowflake: when the statement began).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import duckdb

from pinky_local.data.refusals import from_duckdb
from pinky_local.types import SessionContext, SqlError

_Answer = TypeVar("_Answer")


class Interrupter:
    """Watches running statements and interrupts those whose session was cancelled. One thread, only while needed."""

    def __init__(self, interval: float = 0.02) -> None:
        self._running: dict[int, tuple[threading.Event, duckdb.DuckDBPyConnection]] = {}
        self._changed = threading.Condition()
        self._interval = interval
        self._thread: threading.Thread | None = None

    def enter(self, cancelled: threading.Event, cursor: duckdb.DuckDBPyConnection) -> int:
        """Watch a statement; the number returned ends it."""
        with self._changed:
            key = id(cursor)
            self._running[key] = (cancelled, cursor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="pinky-local-interrupter", daemon=True)
                self._thread.start()
            return key

    def leave(self, key: int) -> None:
        """Stop watching."""
        with self._changed:
            self._running.pop(key, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._running:
                    self._changed.wait(timeout=1.0)
                if not self._running:
                    self._thread = None
                    return
                for cancelled, cursor in self._running.values():
                    if cancelled.is_set():
                        cursor.interrupt()
                self._changed.wait(timeout=self._interval)


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

    def run(self, context: SessionContext, work: Callable[[Callable[[str], list[Any]]], _Answer], *, volatile: bool) -> _Answer:
        """Run the DuckDB statements of one Snowflake statement: all of them, or none.

        ``work`` gets a function that runs one DuckDB statement and returns its rows.
        """
        with self.lock:
            key = self._interrupter.enter(context.cancelled, self.cursor)
            ran: list[str] = []

            def execute(sql: str) -> list[Any]:
                if context.cancelled.is_set():
                    raise SqlError(604, "57014", "SQL execution canceled")
                ran.append(sql)
                return self.cursor.execute(sql).fetchall()

            try:
                return self._guarded(work, execute, ran, volatile=volatile)
            finally:
                self._interrupter.leave(key)

    def _guarded(
        self, work: Callable[[Callable[[str], list[Any]]], _Answer], execute: Callable[[str], list[Any]],
        ran: list[str], *, volatile: bool,
    ) -> _Answer:  # fmt: skip
        own = not self.in_transaction
        try:
            if own:
                self.cursor.execute("BEGIN")
            answer = work(execute)
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
            self._done.extend(ran)
            self._repeatable = self._repeatable and not volatile
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
                return self.run(context, lambda execute: execute(sql), volatile=False)
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
