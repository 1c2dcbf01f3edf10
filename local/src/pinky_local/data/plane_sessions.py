"""The sessions of the data plane: their transactions, scopes and locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pinky_local.data.interrupting import Interrupter
from pinky_local.data.locks import Locks, Owner, Resource
from pinky_local.data.sessions import DataSession, TransactionScope
from pinky_local.data.storage import Storage
from pinky_local.data.tables import StoredTables
from pinky_local.data.transactions import Transaction
from pinky_local.types import SessionContext

_LOCK_TIMEOUT = 43_200  # seconds; the default of the parameter


class PlaneSessions(StoredTables):
    """Sessions over the tables of one account."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.locks = Locks()
        self._sessions: dict[int, DataSession] = {}
        self._interrupter = Interrupter()

    def begin(self, session: SessionContext) -> None:
        """Open a transaction of this session and scope, separate from one that an outer scope has open."""
        scope = self.scope_of(session)
        scope.session.begin(scope)

    def commit(self, session: SessionContext) -> None:
        """Commit the scope's open transaction; without one, nothing. DDL calls it first.

        Raises `SqlError` 90231 where the statement is part of a transaction that an outer scope opened.
        """
        scope = self.scope_of(session)
        scope.session.commit(scope)

    def rollback(self, session: SessionContext) -> None:
        """Roll back the scope's open transaction; without one, nothing. Raises like `commit`."""
        scope = self.scope_of(session)
        scope.session.rollback(scope)

    def in_transaction(self, session: SessionContext) -> bool:
        """Whether the session's statements are part of an open transaction."""
        return self.scope_of(session).current is not None

    def current_transaction(self, session: SessionContext) -> int | None:
        """The number of the transaction that the session's statements are part of; None without one."""
        current = self.scope_of(session).current
        return None if current is None else current.owner.number

    def enter_scope(self, context: SessionContext) -> TransactionScope:
        """Put the context of a procedure (a copy of its caller's) into a new scope below its caller's.

        `SessionContext.transaction_scope` is then the new scope; another wire session takes part in it by having the
        same one, whatever its number is. Statements in the scope are part of the transaction that is open outside;
        BEGIN opens a separate one; COMMIT, ROLLBACK and DDL raise `SqlError` 90231 while only the outer one is open.
        Leave it with `leave_scope`, or use it as a context manager, which leaves it. Statements of one transaction run
        one at a time.
        """
        return TransactionScope(self.scope_of(context).session, self.scope_of(context)).enter(context)

    def leave_scope(self, scope: TransactionScope) -> None:
        """End a scope. Raises `SqlError` 90232 where it left a transaction open, after rolling that back."""
        scope.leave()

    def scope_of(self, session: SessionContext) -> TransactionScope:
        """The scope that a context's statements run in."""
        given = session.transaction_scope
        return given if isinstance(given, TransactionScope) else self._session(session).root

    def transactions(self) -> list[Transaction]:
        """Every open transaction."""
        with self._storage.lock:
            return [one for session in self._sessions.values() for one in session.transactions()]

    def close_session(self, session: SessionContext) -> None:
        """Forget a session; its open transaction is rolled back."""
        with self._storage.lock:
            known = self._sessions.pop(session.session_id, None)
        if known is not None:
            known.close()

    def close(self) -> None:
        """Close the database."""
        for session in list(self._sessions.values()):
            session.close()
        self._sessions.clear()
        self._interrupter.close()
        self._storage.close()

    def _session(self, context: SessionContext) -> DataSession:
        known = self._sessions.get(context.session_id)
        if known is None:
            with self._storage.lock:
                known = self._sessions.get(context.session_id)
                if known is None:
                    known = DataSession(self._storage, self._interrupter, self.locks, context.session_id)
                    self._sessions[context.session_id] = known
        return known

    def _owner(self, scope: TransactionScope) -> Owner:
        return scope.current.owner if scope.current is not None else Owner(scope.session.session_id)

    @contextmanager
    def _locked(
        self, wanted: Sequence[Resource], owner: Owner, session: SessionContext, *, alone: bool, wait: bool = True
    ) -> Iterator[bool]:
        """Hold locks: until the end of the transaction, or of this statement where that is ``alone``."""
        timeout = float(session.parameters.get("LOCK_TIMEOUT", _LOCK_TIMEOUT)) if wait else 0.0
        try:
            waited = [self.locks.acquire(one, owner, timeout, session.cancelled) for one in wanted]
            yield any(waited)
        finally:
            if alone:
                self.locks.release(owner)
