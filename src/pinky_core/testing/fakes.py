"""A session without an account: answers by pattern, remembers what it was asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pinky_core.session import Rows, statement_error

__all__ = ["FakeSession"]

_CONTEXT = Rows(("account", "username", "role"), [("FAKE", "TESTER", "TESTER_ROLE")])


class FakeSession:
    """Answers SHOW and DESCRIBE from ``answers`` (pattern → list of row mappings) and everything else with success.

    A pattern is a regular expression that must match a whole statement. An answer may be an error number instead of
    rows. A SHOW or DESCRIBE that no pattern matches has no rows.
    """

    def __init__(
        self, answers: Mapping[str, Sequence[Mapping[str, Any]] | int] | None = None, *, concurrency: int = 4
    ) -> None:
        self.answers = dict(answers or {})
        self.statements: list[str] = []
        self.concurrency = concurrency
        self._lock = threading.Lock()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Answer one statement; raises the error that an answer stands for."""
        with self._lock:
            self.statements.append(statement)
        for pattern, answer in self.answers.items():
            if re.fullmatch(pattern, statement, re.DOTALL):
                if isinstance(answer, int):
                    raise statement_error(f"{answer:06d}: refused by the fake", errno=answer, statement=statement)
                columns = tuple(dict.fromkeys(name for row in answer for name in row))
                return Rows(columns, [tuple(row.get(name) for name in columns) for row in answer])
        return _CONTEXT if statement.startswith("SELECT CURRENT_ACCOUNT()") else Rows((), [])

    @property
    def changes(self) -> list[str]:
        """The statements that were not reading."""
        return [each for each in self.statements if not re.match(r"SHOW|DESC|SELECT|LIST", each)]
