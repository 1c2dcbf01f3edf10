"""A tiny engine for tests of the wire alone: it knows a handful of statements and refuses every other."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from pinky_local.types import Bind, Result, ResultColumn, SessionContext, SqlError

CANCELED = SqlError(604, "57014", "SQL execution canceled")


class ScriptedEngine:
    """Implements `pinky_local.types.Engine`; ``objects`` is its whole catalog, ``answers`` maps texts to results."""

    def __init__(self, answers: dict[str, Result | Callable[[], Result]] | None = None) -> None:
        self.answers = answers or {}
        self.objects: list[str] = []
        self.logins: list[tuple[str, dict[str, str | None], dict[str, Any]]] = []
        self.executed: list[tuple[str, tuple[Bind, ...], bool]] = []
        self.seen_parameters: list[dict[str, Any]] = []
        self.timezone = "Europe/Paris"
        self._results: dict[str, Result] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def login(self, login_name: str, requested: dict[str, str | None], parameters: dict[str, Any]) -> SessionContext:
        self.logins.append((login_name, requested, parameters))
        if login_name.upper() not in {"PINKY", "ANA"}:
            raise SqlError(390100, "28000", "Incorrect username or password was specified.")
        if requested["role"] == "NOBODY":
            raise SqlError(390189, "08004", "Role 'NOBODY' specified in the connect string does not exist.")
        return SessionContext(
            next(self._ids),
            login_name.upper(),
            requested["role"] or "SYSADMIN",
            database=requested["database"],
            schema=requested["schema"],
            warehouse=requested["warehouse"],
        )

    def session_parameters(self, session: SessionContext) -> list[dict[str, Any]]:
        values = {"TIMEZONE": self.timezone, "CLIENT_TELEMETRY_ENABLED": False, **session.parameters}
        return [{"name": name, "value": value} for name, value in values.items()]

    def results(self, query_id: str) -> Result | None:
        return self._results.get(query_id)

    def execute(
        self,
        sql: str,
        session: SessionContext,
        binds: Sequence[Bind] = (),
        *,
        query_id: str,
        describe_only: bool = False,
    ) -> Result:
        with self._lock:
            self.executed.append((sql, tuple(binds), describe_only))
            self.seen_parameters.append(dict(session.parameters))
        result = self._run(sql.strip(), session, binds)
        self._results[query_id] = result
        return result

    def _run(self, sql: str, session: SessionContext, binds: Sequence[Bind]) -> Result:
        if sql in self.answers:
            answer = self.answers[sql]
            return answer() if callable(answer) else answer
        if match := re.fullmatch(r"create table (\w+).*", sql, re.IGNORECASE | re.DOTALL):
            return self._create(match[1].upper())
        if match := re.fullmatch(r"use (role|database|schema|warehouse) (\w+)", sql, re.IGNORECASE):
            setattr(session, match[1].lower(), match[2].upper())
            return status("Statement executed successfully.", 0x4300)
        if match := re.fullmatch(r"alter session set (\w+) = (\w+)", sql, re.IGNORECASE):
            session.parameters[match[1].upper()] = match[2]
            return status("Statement executed successfully.", 0x4000)
        if match := re.fullmatch(r"call wait\((\d+)\)", sql, re.IGNORECASE):
            if session.cancelled.wait(int(match[1])):
                raise CANCELED
            return status("waited", 0x9000)
        if match := re.fullmatch(r"select \* from table\(result_scan\('([-\w]+)'\)\)", sql, re.IGNORECASE):
            earlier = self.results(match[1])
            if earlier is None:
                raise SqlError(709, "02000", f"Statement {match[1]} not found")
            return earlier
        if sql.lower() == "show tables":
            columns = [ResultColumn("name"), ResultColumn("rows", "fixed", precision=38, scale=0)]
            return Result(columns, [[name, 0] for name in self.objects], 0x4400)
        if sql.lower().startswith("select system$cancel_all_queries"):
            return status("0 statements cancelled", 0x1000)
        if sql.lower().startswith("select") and binds:
            return Result([ResultColumn(f"?{i}") for i in range(len(binds))], [[str(b.value) for b in binds]], 0x1000)
        if sql.lower() == "break":
            raise ZeroDivisionError("the engine has a bug")
        position = max(sql.find("gone"), 0)
        raise SqlError(
            2003,
            "02000",
            f"SQL compilation error:\nObject in {sql!r} does not exist or not authorized.",
            line=1,
            position=position,
        )

    def _create(self, name: str) -> Result:
        with self._lock:
            if name in self.objects:
                raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")
            self.objects.append(name)
        return status(f"Table {name} successfully created.")


def status(text: str, statement_type: int = 0x6000) -> Result:
    return Result([ResultColumn("status", length=16_777_216)], [[text]], statement_type)
