"""An account without rows, spoken to in process."""

from __future__ import annotations

from typing import Any

import pytest
from pinky_local.engine import CatalogEngine
from pinky_local.types import Result, SessionContext, SqlError


class Speaker:
    """A session of an account: `run` gives rows as mappings, `refused` the error."""

    def __init__(self, engine: CatalogEngine, session: SessionContext) -> None:
        self.engine = engine
        self.session = session
        self._queries = 0

    def result(self, sql: str) -> Result:
        self._queries += 1
        return self.engine.execute(sql, self.session, query_id=f"{self.session.session_id}-{self._queries}")

    def run(self, *statements: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for sql in statements:
            found = self.result(sql)
            names = [column.name for column in found.columns]
            rows = [dict(zip(names, row, strict=True)) for row in found.rows]
        return rows

    def one(self, sql: str) -> dict[str, Any]:
        (row,) = self.run(sql)
        return row

    def refused(self, sql: str) -> SqlError:
        with pytest.raises(SqlError) as caught:
            self.result(sql)
        return caught.value


def speaker(engine: CatalogEngine | None = None, role: str | None = None) -> Speaker:
    """A session of the user PINKY, in a new account if none is given, with only its primary role in force."""
    engine = engine or CatalogEngine()
    session = engine.login("PINKY", {"role": role}, {})
    made = Speaker(engine, session)
    made.run("USE SECONDARY ROLES NONE")
    return made


def in_schema() -> Speaker:
    """A session of ACCOUNTADMIN in the schema D.S of a new account."""
    made = speaker()
    made.run("CREATE DATABASE d", "CREATE SCHEMA s")
    return made
