"""A session over a connection of the Snowflake connector, recognised by what it can do; nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pinky_core.errors import SessionError, TransportError
from pinky_core.session import Rows, Session, statement_error
from pinky_core.snowpark import SnowparkSession
from pinky_core.sql import string_literal

__all__ = ["ConnectionSession", "as_session"]

# What the connector raises for an answer of Snowflake; everything else of its errors is about the way there.
_ANSWERS = frozenset({"ProgrammingError", "IntegrityError", "DataError", "NotSupportedError"})
_CLOSED = 250002  # the connection is closed: nothing was sent, and trying again is in vain
_PREFIX = re.compile(r"^\d{6} \([0-9A-Z]{5}\): (?:[0-9a-f-]{36}: )?")


class ConnectionSession:
    """Several cursors on one connection; the connector runs them in parallel."""

    def __init__(self, connection: Any, *, concurrency: int = 8) -> None:
        self._connection = connection
        self.concurrency = concurrency

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement and fetch all rows."""
        cursor = None
        try:
            cursor = self._connection.cursor()
            cursor.execute(statement, tuple(parameters)) if parameters else cursor.execute(statement)
            columns = tuple(str(each[0]).lower() for each in cursor.description or ())
            return Rows(columns, cursor.fetchall() if columns else [])
        except Exception as error:
            translated = _translated(error, statement)
            if translated is None:
                raise
            raise translated from error
        finally:
            if cursor is not None:
                cursor.close()


    def read_file(self, location: str, size: int) -> bytes:
        """The bytes of a staged file, by GET into a temporary folder."""
        import tempfile  # not needed by most runs, as the next
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder).resolve().as_uri()
            self.execute(f"GET {string_literal(location)} {string_literal(to + '/')}")
            file = Path(folder, location.rpartition("/")[2])  # others may begin with the same name
            if not file.is_file():
                raise SessionError("GET did not bring the file", statement=f"GET {location}")
            return file.read_bytes()


def _translated(error: Exception, statement: str) -> SessionError | None:
    """An error of the connector in our words; None for anything else."""
    if not type(error).__module__.startswith("snowflake."):
        return None
    names = {cls.__name__ for cls in type(error).__mro__}
    message = _PREFIX.sub("", str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error))
    errno = getattr(error, "errno", None) or 0
    if names & _ANSWERS and errno > 0:
        return statement_error(
            f"{errno:06d}: {message}",
            errno=errno,
            sqlstate=str(getattr(error, "sqlstate", "") or ""),
            query_id=str(getattr(error, "sfqid", "") or ""),
            statement=statement,
        )
    if errno == _CLOSED:
        return SessionError("the connection is closed", statement=statement)
    return TransportError(f"the connection failed: {message}", statement=statement)


def as_session(given: Any, *, concurrency: int = 8) -> Session:
    """A `Session` from what a caller has: one already, a Snowpark session, or a connection of the connector."""
    if hasattr(given, "execute") and hasattr(given, "concurrency"):
        session: Session = given
        return session
    if hasattr(given, "sql") and hasattr(given, "file"):
        return SnowparkSession(given)
    if hasattr(given, "cursor"):
        return ConnectionSession(given, concurrency=concurrency)
    raise TypeError(f"expected a Session, a Snowpark session or a connection, found {type(given).__name__}")
