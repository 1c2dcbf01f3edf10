"""Locks of tables and streams: who holds one, who waits, and who would wait for ever.

UPDATE, DELETE, MERGE and TRUNCATE lock their table, the consumption of a stream locks the stream, until the transaction
ends; INSERT and COPY lock nothing. https://docs.snowflake.com/en/sql-reference/transactions#resource-locking
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pinky_local.types import SqlError

_LOOK_AGAIN = 0.02  # seconds; how soon a waiting statement sees that it was cancelled

_numbers = itertools.count(int(time.time() * 1000))


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be locked: a table or a stream (``kind``) by an identity that a renaming leaves alone."""

    kind: str
    identity: str
    name: str = field(compare=False)


@dataclass(slots=True, eq=False)
class Owner:
    """A transaction as the locks know it. ``inner`` is the transaction of a scope below it that it waits for."""

    session_id: int
    number: int = field(default_factory=lambda: next(_numbers))
    inner: Owner | None = None


class Locks:
    """The locks of one account. Thread safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Resource, Owner] = {}
        self._wanted: dict[Owner, Resource] = {}

    def acquire(self, resource: Resource, owner: Owner, timeout: float, cancelled: threading.Event) -> bool:
        """Take a lock, waiting up to ``timeout`` seconds; True where it had to wait.

        Raises `SqlError` 625 where the time is over or the wait would be a deadlock, 604 where the statement is
        cancelled meanwhile.
        """
        until = time.monotonic() + timeout
        with self._changed:
            if self._free(resource, owner):
                self._held[resource] = owner
                return False
            self._wanted[owner] = resource
            try:
                while not self._free(resource, owner):
                    self._check(resource, owner)
                    if cancelled.is_set():
                        raise SqlError(604, "57014", "SQL execution canceled")
                    if time.monotonic() >= until:
                        raise _timed_out(resource, self._held[resource])
                    self._changed.wait(_LOOK_AGAIN)
            finally:
                del self._wanted[owner]
            self._held[resource] = owner
            return True

    def _free(self, resource: Resource, owner: Owner) -> bool:
        return self._held.get(resource, owner) is owner

    def _check(self, resource: Resource, owner: Owner) -> None:
        """Raise where who holds the lock waits, directly or through others, for the one that asks."""
        waiting, seen = [self._held[resource]], set[int]()
        while waiting:
            one = waiting.pop()
            if one is owner:
                raise _deadlock(resource, self._held[resource])
            if one.number in seen:
                continue
            seen.add(one.number)
            if one.inner is not None:
                waiting.append(one.inner)
            if one in self._wanted and self._wanted[one] in self._held:
                waiting.append(self._held[self._wanted[one]])

    def release(self, owner: Owner) -> None:
        """Give back everything a transaction holds."""
        with self._changed:
            for resource in [known for known, holder in self._held.items() if holder is owner]:
                del self._held[resource]
            self._changed.notify_all()

    def snapshot(self) -> Sequence[tuple[Resource, Owner, bool]]:
        """Every lock that is held (True) or waited for (False)."""
        with self._changed:
            held = [(resource, owner, True) for resource, owner in self._held.items()]
            return [*held, *((resource, owner, False) for owner, resource in self._wanted.items())]


def locked(resource: Resource, holder: Owner) -> str:
    """What Snowflake says of a lock that somebody else holds."""
    return (
        f"Statement has locked {resource.kind} '{resource.name}' in transaction {holder.number} "
        "and this lock has not yet been released."
    )


def _timed_out(resource: Resource, holder: Owner) -> SqlError:
    text = f"{locked(resource, holder)}\nYour statement was aborted because it waited longer than LOCK_TIMEOUT allows."
    return SqlError(625, "57014", text)


def _deadlock(resource: Resource, holder: Owner) -> SqlError:
    text = f"{locked(resource, holder)}\nYour statement was aborted because of a deadlock."
    return SqlError(625, "57014", text)
