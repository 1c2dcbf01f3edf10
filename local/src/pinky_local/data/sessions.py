"""The transactions of one session, by scope.

A session has a scope of its own, and one more for every procedure that runs in it. A transaction belongs to the scope
that began it; statements of the scopes below take part in it, until they begin one of their own, which is independent
("autonomous scoped transaction").
https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb

from pinky_local.data.interrupting import Interrupter
from pinky_local.data.locks import Locks, Owner
from pinky_local.data.refusals import from_duckdb
from pinky_local.data.steps import Steps
from pinky_local.data.storage import Storage
from pinky_local.data.transactions import Connection, Transaction
from pinky_local.types import SessionContext, SqlError

_Answer = TypeVar("_Answer")


class TransactionScope:
    """One level of procedure calls in a session; ``parent`` is None for the session itself.

    As a context manager it is left at the end: silently rolled back where an exception passes.
    """

    def __init__(self, session: DataSession, parent: TransactionScope | None = None) -> None:
        self.session = session
        self.parent = parent
        self.transaction: Transaction | None = None
        self._context: SessionContext | None = None

    def enter(self, context: SessionContext) -> Self:
        """Make a context's statements run in this scope."""
        self._context = context
        context.transaction_scope = self
        return self

    def leave(self) -> None:
        """End it. Raises `SqlError` 90232 where it left a transaction open, after rolling that back."""
        if self._context is not None:
            self._context.transaction_scope = self.parent
        if self.transaction is None:
            return
        self.session.rollback(self)
        text = "Scoped transaction started in stored procedure is incomplete and it was rolled back."
        raise SqlError(90232, "22000", f"Stored procedure execution error: {text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.transaction is not None:
            self.session.rollback(self)
        self.leave()

    @property
    def current(self) -> Transaction | None:
        """The open transaction that a statement here is part of."""
        scope: TransactionScope | None = self
        while scope is not None:
            if scope.transaction is not None:
                return scope.transaction
            scope = scope.parent
        return None


class DataSession:
    """The scopes of one session, and its connections: one, and one more for each open transaction."""

    def __init__(self, storage: Storage, interrupter: Interrupter, locks: Locks, session_id: int) -> None:
        self.root = TransactionScope(self)
        self.session_id = session_id
        self._storage = storage
        self._interrupter = interrupter
        self._locks = locks
        self._lock = threading.RLock()
        self._connection = Connection(storage, interrupter)
        self._open: list[tuple[TransactionScope, Transaction]] = []

    # -- statements --------------------------------------------------------------------------------------------------

    def run(
        self,
        scope: TransactionScope,
        context: SessionContext,
        work: Callable[[Steps], _Answer],
        *,
        volatile: bool,
        consumed: dict[int, int],
    ) -> _Answer:
        """Run the DuckDB statements of one Snowflake statement: all of them, or none.

        ``consumed`` are the streams the statement reads, with the versions they move to when it is committed.
        """
        transaction = scope.current
        if transaction is None:
            return self._alone(context, work, consumed)
        with transaction.connection.statement(context):
            _check_open(transaction)
            answer = transaction.run(context, work, volatile=volatile)
            transaction.consumed.update(consumed)
            return answer

    def _alone(self, context: SessionContext, work: Callable[[Steps], _Answer], consumed: dict[int, int]) -> _Answer:
        """A statement that is a transaction of its own."""
        storage = self._storage
        connection = self._connection
        with connection.statement(context), storage.lock:
            steps = Steps(connection.cursor, context.cancelled, storage, None)
            try:
                connection.cursor.execute("BEGIN")
                with connection.watched(context):
                    answer = work(steps)
                changed = storage.changes.stamp(connection.cursor, steps.logged, consumed)
                connection.cursor.execute("COMMIT")
            except (duckdb.Error, SqlError) as problem:
                connection.rollback()
                raise problem if isinstance(problem, SqlError) else from_duckdb(problem) from problem
            storage.committed(changed=changed, consumed=consumed, wrote=True)
            return answer

    def read(self, scope: TransactionScope, context: SessionContext, sql: str) -> list[Any]:
        """Rows of a query."""
        transaction = scope.current
        if transaction is not None:
            with transaction.connection.statement(context):
                _check_open(transaction)
                return transaction.read(context, sql)
        connection = self._connection
        with connection.statement(context):
            try:
                if context.cancelled.is_set():
                    raise SqlError(604, "57014", "SQL execution canceled")
                with connection.watched(context):
                    return connection.cursor.execute(sql).fetchall()
            except duckdb.Error as problem:
                raise from_duckdb(problem) from problem

    # -- transactions ------------------------------------------------------------------------------------------------

    def begin(self, scope: TransactionScope) -> None:
        """Open a transaction of this scope; within one of its own, nothing (Snowflake ignores a second BEGIN)."""
        with self._lock:
            if scope.transaction is not None:
                return
            transaction = Transaction(Connection(self._storage, self._interrupter), Owner(self.session_id))
            transaction.begin()
            outer = scope.current
            if outer is not None:
                outer.owner.inner = transaction.owner
            scope.transaction = transaction
            self._open.append((scope, transaction))

    def commit(self, scope: TransactionScope) -> None:
        """Keep what the open transaction did. Raises `SqlError` where an outer scope opened it."""
        self._end(scope, Transaction.commit)

    def rollback(self, scope: TransactionScope) -> None:
        """Undo what the open transaction did. Raises `SqlError` where an outer scope opened it."""
        self._end(scope, Transaction.rollback)

    def _end(self, scope: TransactionScope, how: Callable[[Transaction], None]) -> None:
        transaction = scope.transaction
        if transaction is None:
            if scope.current is not None:
                raise SqlError(
                    90231, "55000", "Modifying a transaction that has started at a different scope is not allowed."
                )
            return
        try:
            how(transaction)
        finally:
            self._forget(scope, transaction)

    def _forget(self, scope: TransactionScope, transaction: Transaction) -> None:
        with self._lock:
            scope.transaction = None
            outer = scope.current
            if outer is not None:
                outer.owner.inner = None
            self._locks.release(transaction.owner)
            self._open.remove((scope, transaction))
            transaction.connection.close()

    # -- the session -------------------------------------------------------------------------------------------------

    def transactions(self) -> list[Transaction]:
        """The open transactions of all scopes."""
        with self._lock:
            return [transaction for _, transaction in self._open]

    def close(self) -> None:
        """End the session; open transactions are rolled back, the innermost first."""
        with self._lock:
            for scope, _ in reversed(self._open.copy()):
                self.rollback(scope)
        self._connection.close()


def _check_open(transaction: Transaction) -> None:
    if transaction.finished:
        raise SqlError(625, "57014", "The transaction of this statement was ended by another statement of its session.")
