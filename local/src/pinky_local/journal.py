"""What the account was asked: a journal of statements and counters by verb."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pinky_local.sqltext import mask, redact, verb


@dataclass(slots=True)
class Entry:
    """One attempt to run one statement.

    ``sql`` and ``error`` have secret literals masked; ``raw_sql`` and ``raw_error`` do not, and are for tests in the
    same process only. ``seconds`` is the time from acceptance to the answer. ``fault`` names what was injected.
    ``procedure`` is the qualified name of the procedure whose code sent it, ``origin`` the task run that it is part of
    (``task D.S.T``), ``query_tag`` the session parameter QUERY_TAG as the statement found it. A replay (the same
    request id again) is an entry of its own with ``replayed`` true and ``executed`` false.
    """

    sequence: int
    session_id: int
    query_id: str
    request_id: str
    raw_sql: str = field(repr=False)
    raw_binds: tuple[str, ...] = field(default=(), repr=False)
    describe_only: bool = False
    replayed: bool = False
    executed: bool = False
    fault: str | None = None
    procedure: str | None = None
    errno: int | None = None
    raw_error: str | None = field(default=None, repr=False)
    seconds: float | None = None
    origin: str | None = None
    query_tag: str | None = None

    @property
    def sql(self) -> str:
        """The statement with secret literals masked."""
        return redact(self.raw_sql)[0]

    @property
    def error(self) -> str | None:
        """The error's message with the statement's secret literals masked."""
        if self.raw_error is None:
            return None
        return mask(self.raw_error, redact(self.raw_sql, self.raw_binds)[1])

    @property
    def verb(self) -> str:
        """The statement's first keyword."""
        return verb(self.raw_sql)

    def as_json(self) -> dict[str, Any]:
        """The entry for the control API; never a secret."""
        return {
            "sequence": self.sequence,
            "session_id": self.session_id,
            "query_id": self.query_id,
            "request_id": self.request_id,
            "sql": self.sql,
            "describe_only": self.describe_only,
            "replayed": self.replayed,
            "executed": self.executed,
            "fault": self.fault,
            "procedure": self.procedure,
            "errno": self.errno,
            "error": self.error,
            "seconds": self.seconds,
            "origin": self.origin,
            "query_tag": self.query_tag,
        }


class Journal:
    """Entries in the order statements arrived, the oldest dropped beyond ``limit``. Thread safe."""

    def __init__(self, limit: int = 100_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._sequence = 0
        self._lock = threading.Lock()

    def record(
        self,
        session_id: int,
        query_id: str,
        request_id: str,
        sql: str,
        *,
        binds: tuple[str, ...] = (),
        describe_only: bool = False,
        replayed: bool = False,
        procedure: str | None = None,
        origin: str | None = None,
    ) -> Entry:
        """A new entry with the next sequence number, counted from 1."""
        with self._lock:
            self._sequence += 1
            entry = Entry(
                self._sequence,
                session_id,
                query_id,
                request_id,
                sql,
                binds,
                describe_only=describe_only,
                replayed=replayed,
                procedure=procedure,
                origin=origin,
            )
            self._entries.append(entry)
        return entry

    def entries(self, since: int = 0) -> list[Entry]:
        """Entries with a sequence number above ``since``."""
        with self._lock:
            return [entry for entry in self._entries if entry.sequence > since]

    def statements(self, *, raw: bool = False, executed: bool = True) -> list[str]:
        """Texts of the executed statements (``executed=False``: of all attempts), secrets masked unless ``raw``."""
        return [entry.raw_sql if raw else entry.sql for entry in self.entries() if entry.executed or not executed]

    def clear(self) -> None:
        """Forget the entries; sequence numbers go on."""
        with self._lock:
            self._entries.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self._entries)


class Counters:
    """How many statements were executed, replayed and refused before execution, by verb. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.executed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.replayed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def count(self, entry: Entry) -> None:
        """Count a finished attempt."""
        name = entry.verb
        with self._lock:
            if entry.replayed:
                self.replayed[name] += 1
            elif entry.executed:
                self.executed[name] += 1
                if entry.errno is not None:
                    self.failed[name] += 1
            else:
                self.refused[name] += 1

    @property
    def total(self) -> int:
        """Statements executed, whether they succeeded or not."""
        return self.executed.total()

    def __getitem__(self, name: str) -> int:
        return self.executed[name.upper()]

    def reset(self) -> None:
        """Start again from nought."""
        with self._lock:
            for counter in (self.executed, self.failed, self.replayed, self.refused):
                counter.clear()

    def as_json(self) -> dict[str, dict[str, int]]:
        """All four counters."""
        with self._lock:
            return {
                "executed": dict(self.executed),
                "failed": dict(self.failed),
                "replayed": dict(self.replayed),
                "refused": dict(self.refused),
            }
