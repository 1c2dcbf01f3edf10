"""A session that answers from rows prepared before the clock starts, counts, and can take time for each statement.

It keeps the ceiling of SHOW: more than 10,000 rows are an error without LIMIT (SHOW COLUMNS and SHOW … KEYS leave
rows out instead). A statement it does not know is refused, so that a measurement cannot pass on empty answers.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pinky_core import Rows, StatementError

CEILING = 10_000
TOO_MANY_ROWS = 90153
_PAGE = re.compile(r"(?P<head>.*?) LIMIT (?P<limit>\d+)(?: FROM '(?P<after>(?:[^']|'')*)')?\Z")
_CUT = re.compile(r"SHOW (COLUMNS|PRIMARY KEYS|UNIQUE KEYS|IMPORTED KEYS)\b")
_CHANGING = re.compile(r"(CREATE|ALTER|DROP|GRANT|REVOKE)\b")


class AnsweringSession:
    """Answers by whole statement text, or asks ``view`` for the rows of a SELECT.

    ``latency`` is seconds a statement takes; ``width`` how many run at once.
    """

    def __init__(
        self,
        answers: Mapping[str, Rows],
        view: Callable[[str], Rows | None] | None = None,
        *,
        latency: float = 0.0,
        width: int = 8,
    ) -> None:
        self.answers = dict(answers)
        self.view = view
        self.concurrency = width
        self.latency = latency
        self.statements = 0
        self.spans: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Answer one statement after its latency."""
        begin = time.perf_counter()
        answer = self._answer(statement)
        if self.latency:
            time.sleep(self.latency)
        with self._lock:
            self.statements += 1
            if self.latency:
                self.spans.append((begin, time.perf_counter()))
        return answer

    def _answer(self, statement: str) -> Rows:
        page = _PAGE.match(statement)
        rows = self.answers.get(page["head"] if page else statement)
        if rows is None and self.view is not None:
            rows = self.view(statement)
            if rows is not None:
                return rows  # the ceiling is one of SHOW
        if rows is None:
            if _CHANGING.match(statement):
                return Rows(("status",), [("done",)])
            raise StatementError(f"no answer was prepared for: {statement[:200]}", errno=1003, statement=statement)
        if page:
            return _paged(rows, int(page["limit"]), page["after"])
        if len(rows) <= CEILING:
            return rows
        if _CUT.match(statement):
            return Rows(rows.columns, rows.values[:CEILING])
        raise StatementError("the result has more than 10000 rows", errno=TOO_MANY_ROWS, statement=statement)


def _paged(rows: Rows, limit: int, after: str | None) -> Rows:
    """Rows come sorted by name; FROM starts behind the name given."""
    name = rows.columns.index("name")
    values = rows.values
    if after is not None:
        last = after.replace("''", "'")
        values = [row for row in values if row[name] > last]
    return Rows(rows.columns, values[:limit])
