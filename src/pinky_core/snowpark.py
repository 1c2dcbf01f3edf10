"""The session of a stored procedure's runtime, or any Snowpark session, as a `Session`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pinky_core.errors import PinkyError, SessionError
from pinky_core.session import Rows, statement_error
from pinky_core.sql import string_literal

__all__ = ["SnowparkSession"]

Way = Callable[[str], bytes]
_DETAILS = re.compile(r"(?P<errno>\d{6}) \((?P<state>[0-9A-Z]{5})\): (?:[0-9a-f-]{36}: )?")


class SnowparkSession:
    """Statements run one after the other.

    ``staging``, an internal stage such as ``@DB.SCHEMA.STAGE/copies``, is where files of a Git repository are copied to
    which the session can read in no other way: WRITE on it is needed then, and the copies, by commit, stay there.
    """

    concurrency = 1

    def __init__(self, session: Any, staging: str | None = None) -> None:
        self._session = session
        self._staging = None if staging is None else f"@{staging.strip('/').removeprefix('@')}"
        self._ways: list[Way] = [self._downloaded, self._streamed]
        if self._staging is not None:
            self._ways.append(self._copied)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement by ``session.sql(...).collect()``."""
        try:
            rows = self._session.sql(statement, params=list(parameters) or None).collect()
        except Exception as error:
            raise _from_snowpark(error, statement) from error
        if not rows:
            return Rows((), [])
        columns = tuple(str(name).strip('"').lower() for name in rows[0].as_dict())
        return Rows(columns, [tuple(row) for row in rows])

    # -- files -------------------------------------------------------------------------------------------------------

    def read_file(self, location: str, size: int) -> bytes:
        """The bytes of a staged file of ``size`` bytes: by the first way that works, with which later ones begin.

        Raises `SessionError` where none works, with what the others said as notes.

        https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-limitations: PUT and GET
        are no statements in a procedure, the methods of ``session.file`` are. Which of them read from Git repositories
        there is not said. The stream comes second: outside of a procedure Snowpark makes it from a download into the
        one folder for temporary files, where two sessions that read files of one name at once get in each other's way.
        """
        way, data = _first_that_works(self._ways, location)
        self._ways = [way, *(each for each in self._ways if each != way)]
        return data

    def _downloaded(self, location: str) -> bytes:
        import tempfile  # not needed by most runs, as the next
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            self._session.file.get(location, folder)
            return Path(folder, location.rpartition("/")[2]).read_bytes()  # others may begin with the same name

    def _streamed(self, location: str) -> bytes:
        with self._session.file.get_stream(location, decompress=False) as stream:
            return bytes(stream.read())

    def _copied(self, location: str) -> bytes:
        """By COPY FILES, https://docs.snowflake.com/en/sql-reference/sql/copy-files, from a commit's folder."""
        folder, _, name = location.rpartition("/")
        _, commits, path = folder.partition("/commits/")
        if not commits:
            raise SessionError("only files of a Git repository are copied")
        target = f"{self._staging}/commits/{path}"
        statement = f"COPY FILES INTO {string_literal(target + '/')} FROM {string_literal(folder + '/')} "
        self._session.sql(f"{statement}FILES = ({string_literal(name)})").collect()
        return _first_that_works((self._downloaded, self._streamed), f"{target}/{name}")[1]


def _first_that_works(ways: Sequence[Way], location: str) -> tuple[Way, bytes]:
    failures: list[PinkyError] = []
    for way in ways:
        try:
            return way, way(location)
        except Exception as error:  # noqa: BLE001 - raised below where no way works
            failures.append(_unread(error, location))
    for other in failures[1:]:
        failures[0].add_note(f"Another way to read it failed too: {other}")
    raise failures[0]


def _unread(error: Exception, location: str) -> PinkyError:
    found = _from_snowpark(error, f"reading {location}")
    unread = found if isinstance(found, PinkyError) else SessionError(f"{type(error).__name__}: {error}")
    if unread is not error:
        unread.__cause__ = error
    return unread


def _from_snowpark(error: Exception, statement: str) -> Exception:
    """Errors of Snowpark in our words; anything that is not an answer of Snowflake stays as it is."""
    number = getattr(error, "sql_error_code", None)
    text = str(error)
    found = _DETAILS.search(text)
    errno = int(number) if isinstance(number, int) else int(found["errno"]) if found else 0
    if errno:
        state = found["state"] if found else ""
        message = f"{errno:06d}: {text[found.end() :]}" if found else text
        query = str(getattr(error, "sfqid", "") or "")
        return statement_error(message, errno=errno, sqlstate=state, query_id=query, statement=statement)
    if type(error).__module__.startswith("snowflake."):
        return SessionError(text, statement=statement)
    return error
