"""A schema with the input slot on a local account, and sessions for the runtime that speak through the connector.

The runtime asks a Snowpark session for ``sql(statement, params=…)`` with ``collect()`` or ``to_local_iterator()`` only,
so that its tests need no Snowpark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pinky_schema
from pinky_local.account import LocalAccount
from pinky_schema.dispatch_tasks import DEFAULTS
from pinky_schema.runtime.graph import complete

from pinky_core import Provider, make_registry
from pinky_core.testing import MemorySource

SCHEMA = "D.S"
REGISTRY = f"{SCHEMA}.EXTERNAL_INPUT_FILES_REGISTRY"
GROUND = (
    "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W",
    "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
    "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
)  # fmt: skip
MANIFEST = """\
scope: schema
target: D.S
vars:
  stages: {bucket: "s3://acme", storage_integration: ACME, warehouse: W, viewer: NOBODY}
stages: [external_input_files]
resources:
  table: [{name: DONE_FILES, columns: [{name: FILE, type: VARCHAR}]}]
"""


class _Answer:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def collect(self) -> list[Any]:
        return self._rows

    def to_local_iterator(self) -> Iterator[Any]:
        return iter(self._rows)


class RuntimeSession:
    """What the runtime takes for a Snowpark session. ``calls`` says what a CALL of a procedure does, by its name."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.calls: dict[str, Any] = {}
        self.statements: list[str] = []

    def sql(self, statement: str, params: Sequence[Any] | None = None) -> _Answer:
        words = statement.split("(")[0].split()
        if words[0] == "CALL" and words[1] in self.calls:
            return _Answer([(self.calls[words[1]](self, *(params or ())),)])
        self.statements.append(statement)
        cursor = self.connection.cursor()
        cursor.execute(statement, params or None)
        return _Answer(list(cursor.fetchall()))


class World:
    """The account, the bucket's folder and how to look at the registry."""

    def __init__(self, account: LocalAccount, bucket: Path) -> None:
        self.account = account
        self.inbox = bucket / "external_input_files/d/s"
        self.connections: list[Any] = []
        self.connection = self.connect()

    def connect(self) -> Any:
        """A connection that is closed with the world."""
        self.connections.append(self.account.connect(warehouse="W", paramstyle="qmark"))
        return self.connections[-1]

    def session(self) -> RuntimeSession:
        """A session of its own."""
        return RuntimeSession(self.connect())

    def deliver(self, *names: str, content: str = "x") -> None:
        """Write files as providers do."""
        for name in names:
            file = self.inbox / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")

    def rows(self, statement: str) -> list[Any]:
        """What a query answers."""
        return list(self.connection.cursor().execute(statement).fetchall())

    def states(self) -> dict[str, tuple[str, int]]:
        """Status and attempts by path."""
        found = self.rows(f"SELECT RELATIVE_PATH, STATUS, ATTEMPTS FROM {REGISTRY} ORDER BY 1, FIRST_SEEN_AT")
        return {path: (status, attempts) for path, status, attempts in found}


def ingest(session: RuntimeSession, text: str) -> str:
    """A business procedure that commits its work together with the registry."""
    work = json.loads(text)
    session.sql("BEGIN TRANSACTION")
    try:
        for file in work["new_files"]:
            session.sql(f"INSERT INTO {SCHEMA}.DONE_FILES SELECT ?", params=[file["relative_path"]])
        complete(session, work)
    except BaseException:
        session.sql("ROLLBACK")
        raise
    session.sql("COMMIT")
    return json.dumps({"files": len(work["new_files"])})


def settings(**more: Any) -> dict[str, Any]:
    """Settings of a poll that calls a procedure of its own."""
    own = {
        "schema": SCHEMA,
        "slot": "external_input_files",
        "graph": "INGEST",
        "procedure": "INGEST",
        "retry_seconds": 0,
    }
    return {**DEFAULTS, **own, **more}


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The schema, applied by pinky itself."""
    bucket = folder / "bucket"
    bucket.mkdir()
    with LocalAccount(buckets={"s3://acme": bucket}) as account:
        with account.connect() as connection:
            for statement in GROUND:
                connection.cursor().execute(statement)
            provider = Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
            report = provider.apply(provider.plan(MemorySource({"manifest.yml": MANIFEST})))
            assert report.ok, report.failures
        made = World(account, bucket)
        try:
            yield made
        finally:
            for connection in made.connections:
                connection.close()
        assert not account.internal_errors
