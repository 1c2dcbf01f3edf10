"""Statements of the runtime: one function to run them, one to keep several in one transaction.

https://docs.snowflake.com/en/sql-reference/transactions (scoped transactions in procedures)
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any


def rows_of(session: Any, statement: str, *parameters: Any) -> list[Any]:
    """The rows that one statement answers; ``parameters`` stand for its ``?`` in order."""
    return list(session.sql(statement, params=list(parameters) or None).collect())


def execute(session: Any, statement: str) -> None:
    """Run a statement whose answer nobody looks at; its rows, a million maybe, pass by and none is kept."""
    for _ in session.sql(statement).to_local_iterator():
        pass


def changed_rows(session: Any, statement: str, *parameters: Any) -> int:
    """How many rows an INSERT, UPDATE, DELETE or MERGE changed: the sum of the counts it answers."""
    found = rows_of(session, statement, *parameters)
    counts: Sequence[Any] = tuple(found[0])[:2] if found else ()
    return sum(int(count) for count in counts[: 1 if statement.lstrip()[:6].upper() == "UPDATE" else 2])


@contextlib.contextmanager
def transaction(session: Any) -> Iterator[None]:
    """Everything inside takes effect at once, or nothing does."""
    rows_of(session, "BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        rows_of(session, "ROLLBACK")
        raise
    rows_of(session, "COMMIT")


def decoded(value: Any) -> Any:
    """A cell of a VARIANT, ARRAY or OBJECT as Python data; it comes as JSON text.

    NULL as an argument of type VARIANT is an object with ``is_sql_null``:
    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-designing
    """
    if getattr(value, "is_sql_null", False):
        return None
    return json.loads(value) if isinstance(value, str) else value


def as_json(value: Any) -> str:
    """Python data as the JSON text for PARSE_JSON(?); what JSON does not know becomes text."""
    return json.dumps(value, default=str, ensure_ascii=False)


def shortened(error: BaseException) -> str:
    """What an error says, in at most 4,000 characters; of a long traceback the end, which says what happened."""
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= 4000 else f"{text[:1000]}\n...\n{text[-2900:]}"
