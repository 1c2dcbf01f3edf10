"""The account that acceptance tests act in: a session without the wire, a dump to compare, a process that dies."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine
from pinky_local.types import SqlError

from pinky_core import Plan, Provider, RetryPolicy, Rows, Session, load_plugins
from pinky_core.session import statement_error

ROOT = Path(__file__).resolve().parent.parent.parent
SHOP = ROOT / "examples/shop"
REGISTRY = load_plugins()
_IDS = itertools.count(1)
_LOCK = threading.Lock()

# What differs between two accounts with the same content: these (the session, too), and every time.
VOLATILE = frozenset({"id", "uuid", "session_id", "is_current", "is_default"})
GENERATED = re.compile(r"SYS_CONSTRAINT_[0-9a-f-]+")  # the name of a key that was given none
LISTS = (
    "DATABASES", "WAREHOUSES", "ROLES", "SCHEMAS IN ACCOUNT", "TABLES IN ACCOUNT", "VIEWS IN ACCOUNT",
    "STAGES IN ACCOUNT", "STREAMS IN ACCOUNT", "TASKS IN ACCOUNT", "PROCEDURES IN ACCOUNT", "SECRETS IN ACCOUNT",
    "TAGS IN ACCOUNT", "COLUMNS IN ACCOUNT", "PRIMARY KEYS IN ACCOUNT", "IMPORTED KEYS IN ACCOUNT",
)  # fmt: skip


class DirectSession:
    """The catalog engine without the wire, for tests that apply the whole example hundreds of times."""

    concurrency = 1

    def __init__(self, engine: CatalogEngine) -> None:
        self._engine = engine
        self._context = engine.login("PINKY", dict.fromkeys(("database", "schema", "warehouse", "role")), {})
        self.statements: list[str] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        self.statements.append(statement)
        with _LOCK:
            number = next(_IDS)
        try:
            result = self._engine.execute(statement, self._context, query_id=f"q{number}")
        except SqlError as error:
            raise statement_error(str(error), errno=error.errno, statement=statement) from error
        return Rows(tuple(column.name.lower() for column in result.columns), [tuple(row) for row in result.rows])


class Killed(BaseException):
    """The process is gone."""


class DyingSession:
    """A session whose process dies before its n-th changing statement: nothing runs from then on."""

    def __init__(self, session: Session, survives: int) -> None:
        self._session = session
        self._left = survives
        self.concurrency = session.concurrency

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        if not statement.startswith(("SHOW", "DESC", "SELECT")):
            if self._left <= 0:
                raise Killed
            self._left -= 1
        return self._session.execute(statement, parameters)


def provider(session: Any, **options: Any) -> Provider:
    """A provider with every plugin of this repository, whose retries do not wait long."""
    return Provider(session, registry=REGISTRY, retry=RetryPolicy(first_delay=0.01, longest_delay=0.05), **options)


def dump(session: Session) -> dict[str, Any]:
    """Everything that stands in an account, without what differs between two equal ones."""
    found: dict[str, Any] = {}
    for what in LISTS:
        found[what] = _lasting(session.execute(f"SHOW {what}"))
    holders = [f'ROLE "{name}"' for (name,) in session.execute("SHOW ROLES").pick("name")]
    for (database,) in session.execute("SHOW DATABASES").pick("name"):
        rows = session.execute(f'SHOW DATABASE ROLES IN DATABASE "{database}"')
        holders += [f'DATABASE ROLE "{database}"."{name}"' for (name,) in rows.pick("name")]
    for holder in holders:
        for what in ("GRANTS", "FUTURE GRANTS"):
            rows = session.execute(f"SHOW {what} TO {holder}")
            found[f"{what} TO {holder}"] = _lasting(rows)
    return found


def _lasting(rows: Rows) -> list[str]:
    """Rows without what differs between two equal accounts, in an order of their own."""
    return sorted(
        GENERATED.sub(
            "SYS_CONSTRAINT",
            str({name: cell for name, cell in row.items() if name not in VOLATILE and not isinstance(cell, datetime)}),
        )
        for row in rows
    )


@contextmanager
def engine(*, data: bool = False, repositories: Mapping[str, Path] | None = None) -> Iterator[CatalogEngine]:
    """An empty account in memory; with ``data`` it answers queries, ``repositories`` are remote Git repositories."""
    plane = DuckDataPlane() if data else None
    yield CatalogEngine(None, plane, None, repositories)
    if plane is not None:
        plane.close()


def differences(plan: Plan) -> list[str]:
    """What a plan would still do, for the message of an assertion."""
    return [f"{change.address}: {change.reason}" for change in plan.changes]
