"""How the code of a procedure reaches the account it runs in: a client's session over loopback, let in by a ticket.

A ticket is good for one login and stands for a session that the engine has already made, so that no user's password is
needed and none is guessed.
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pinky_local.types import ProcedureFrame, SessionContext, SqlError


class Tickets:
    """Sessions that wait for their one login. Thread safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, SessionContext] = {}
        self._lock = threading.Lock()

    def issue(self, context: SessionContext) -> str:
        """A ticket for this session."""
        ticket = f"ticket:{secrets.token_urlsafe(24)}"
        with self._lock:
            self._waiting[ticket] = context
        return ticket

    def take(self, ticket: object) -> SessionContext | None:
        """The session of a ticket, which is worth nothing from now on."""
        with self._lock:
            return self._waiting.pop(ticket, None) if isinstance(ticket, str) else None


class Loopback:
    """Opens Snowpark sessions. ``parameters`` gives the arguments of a connection to this account."""

    def __init__(self, tickets: Tickets, parameters: Callable[[], Mapping[str, Any]]) -> None:
        self._tickets = tickets
        self._parameters = parameters

    @contextmanager
    def open(self, context: SessionContext) -> Iterator[Any]:
        """A Snowpark session that acts as this one. Raises 000002 where Snowpark is not installed."""
        try:
            import snowflake.connector
            from snowflake.snowpark import Session
        except ModuleNotFoundError as missing:
            text = "Unsupported feature 'running Python procedures without Snowpark: install pinky-local[snowpark]'."
            raise SqlError(2, "0A000", text) from missing
        ticket = self._tickets.issue(context)
        try:
            connection = snowflake.connector.connect(
                **{
                    **self._parameters(),
                    "user": context.user,
                    "authenticator": "oauth",
                    "token": ticket,
                    "paramstyle": "qmark",
                }
            )
        finally:
            self._tickets.take(ticket)
        session = Session.builder.configs({"connection": connection}).create()
        session.close = _stays_open  # in Snowflake closing a procedure's session does nothing
        session._file = _file_operation(session, context)
        try:
            yield session
        finally:
            del session.close
            connection.close()
            session.close()  # the connection is closed, so this only ends what Snowpark keeps in this process


def _file_operation(session: Any, context: SessionContext) -> Any:
    """``session.file`` as in a procedure: its methods move files although PUT and GET are no statements there.

    https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-limitations
    """
    from snowflake.snowpark.file_operation import FileOperation

    frame = context.procedure
    operation = FileOperation(session)
    if frame is None:
        return operation
    for name in ("put", "get", "put_stream", "get_stream"):
        setattr(operation, name, _transferring(getattr(operation, name), frame))
    return operation


def _transferring(method: Callable[..., Any], frame: ProcedureFrame) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(*arguments: Any, **named: Any) -> Any:
        frame.transferring.set()
        try:
            return method(*arguments, **named)
        finally:
            frame.transferring.clear()

    return called


def _stays_open() -> None:
    """What ``session.close()`` is while a procedure runs."""
