"""Where statements run: a protocol of one method, and the policy of retries above the driver.

The adapters are `pinky_core.connection` and `pinky_core.snowpark`; neither imports what it adapts.
"""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import attrs

from pinky_core.errors import NotVisibleError, SessionError, StatementError, TransportError

__all__ = ["RetryPolicy", "RetryingSession", "Rows", "Session", "statement_error"]

NOT_VISIBLE = frozenset({2003, 2043, 3001})
# What passes by itself: a lock with too many waiters (625), a statement that an internal error aborted (603). The
# statement timeout (630) is not among them: the same statement would take as long again.
TRANSIENT = frozenset({603, 625})


@attrs.frozen
class Rows:
    """The answer of one statement: lower-case column names and rows of plain values in that order."""

    columns: tuple[str, ...]
    values: Sequence[Sequence[Any]]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))

    def pick(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Only these columns of each row, None for a column the answer does not have."""
        places = [self.columns.index(name) if name in self.columns else None for name in names]
        for row in self.values:
            yield tuple(None if place is None else row[place] for place in places)


class Session(Protocol):
    """Runs one statement and returns its rows.

    Raises `StatementError` (of which `NotVisibleError` is one) when Snowflake refuses, `TransportError` when it is
    unknown whether the statement ran. ``concurrency`` is how many statements may run at once.
    """

    concurrency: int

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement with positional parameters for its ``?``."""


def statement_error(
    message: str, *, errno: int, sqlstate: str = "", query_id: str = "", statement: str = ""
) -> StatementError:
    """The right error class for an error number of Snowflake."""
    kind = NotVisibleError if errno in NOT_VISIBLE else StatementError
    return kind(message, errno=errno, sqlstate=sqlstate, query_id=query_id, statement=statement)


@attrs.frozen
class RetryPolicy:
    """Bounded exponential backoff with full jitter; times in seconds.

    ``patience``: no attempt starts later than this after the first one did, since the driver below may have spent its
    own ``network_timeout`` on each.
    """

    attempts: int = 6
    first_delay: float = 0.5
    longest_delay: float = 20.0
    patience: float = 300.0

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """How long to wait after this failed attempt, counted from 1."""
        return chance() * min(self.longest_delay, self.first_delay * float(2 ** (attempt - 1)))


# What a second execution answers when the first one, whose outcome was lost, did take effect.
_ALREADY_DONE = (
    (re.compile(r"\s*CREATE\b(?!\s+OR\b)", re.I), frozenset({2002})),
    (re.compile(r"\s*DROP\b", re.I), frozenset({2003, 2043})),
    (re.compile(r"\s*ALTER\b.*\bRENAME\s+TO\b", re.I | re.S), frozenset({2003, 2043})),
    (re.compile(r"\s*ALTER\s+TABLE\b.*\bADD\s+COLUMN\b", re.I | re.S), frozenset({1430, 2025})),
    (re.compile(r"\s*ALTER\s+TABLE\b.*\b(DROP|RENAME)\s+COLUMN\b", re.I | re.S), frozenset({904, 2003})),
    (re.compile(r"\s*ALTER\s+TASK\b.*\bREMOVE\s+AFTER\b", re.I | re.S), frozenset({91421})),
)
# A refusal with several meanings counts only with the right text: 91421 also says that the graph is running.
_ALREADY_DONE_TEXT = {91421: "not a predecessor"}


class RetryingSession:
    """A session that repeats what failed on the way: never a refusal, except conflicts that pass by themselves.

    After a lost outcome the statement may have taken effect. The repetition of a CREATE, DROP, RENAME, ADD or DROP
    COLUMN, REMOVE AFTER then answers that its work is already done; exactly that answer, after exactly that failure,
    counts as success. All other statements pinky sends may run twice with the effect of once.
    """

    def __init__(
        self,
        session: Session,
        policy: RetryPolicy | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._clock = clock
        self.concurrency = session.concurrency

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run a statement under the policy."""
        outcome_lost = False
        begin = self._clock()
        for attempt in itertools.count(1):
            try:
                return self._session.execute(statement, parameters)
            except TransportError:
                outcome_lost = True
                if self._is_last(attempt, begin):
                    raise
            except StatementError as error:
                if outcome_lost and _already_done(statement, error):
                    return Rows(("status",), [("done by an earlier attempt whose answer was lost",)])
                if error.errno not in TRANSIENT or self._is_last(attempt, begin):
                    raise
            self._sleep(self._policy.delay(attempt))
        raise AssertionError("the last attempt returns or raises")

    def read_file(self, location: str, size: int) -> bytes:
        """The bytes of a staged file, tried again where the way there failed."""
        reader = getattr(self._session, "read_file", None)
        if reader is None:
            raise SessionError(f"{type(self._session).__name__} cannot read files of a stage", statement=location)
        begin = self._clock()
        for attempt in itertools.count(1):
            try:
                return bytes(reader(location, size))
            except TransportError:
                if self._is_last(attempt, begin):
                    raise
            self._sleep(self._policy.delay(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _is_last(self, attempt: int, begin: float) -> bool:
        return attempt >= self._policy.attempts or self._clock() - begin >= self._policy.patience


def _already_done(statement: str, error: StatementError) -> bool:
    if _ALREADY_DONE_TEXT.get(error.errno, "") not in str(error):
        return False
    return any(error.errno in numbers and pattern.match(statement) for pattern, numbers in _ALREADY_DONE)
