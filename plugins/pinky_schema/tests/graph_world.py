"""A schema with a task graph on a local account: applied by pinky, run by the account's clock, looked at by SQL.

The business procedures are Python and so need Snowpark. `NOTE` writes what it was given into GIVEN and fails where
BROKEN has a row for its step; `TAKE` commits its work together with the registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pinky_schema
from dispatch_world import GROUND
from pinky_local.account import LocalAccount

from pinky_core import Plan, Provider, make_registry
from pinky_core.testing import MemorySource

SLOT = "external_input_files"
REGISTRY = "EXTERNAL_INPUT_FILES_REGISTRY"
FACTS = {"bucket": "s3://acme", "storage_integration": "ACME", "warehouse": "W", "viewer": "NOBODY"}
NOTE = """\
import json


def main(session, work):
    key = [work["step"], work["client_schema"] or ""]
    session.sql("INSERT INTO GIVEN SELECT ?, ?, PARSE_JSON(?)", params=[*key, json.dumps(work)]).collect()
    broken = session.sql("SELECT WHY FROM BROKEN WHERE STEP = ? AND CLIENT IN (?, '*')", params=key).collect()
    if broken:
        raise ValueError(broken[0][0])
    told = session.sql("SELECT RESULT FROM RESULTS WHERE STEP = ?", params=key[:1]).collect()
    return json.loads(told[0][0]) if told else {"files": len(work["new_files"])}
"""
TAKE = """\
import json


def main(session, work):
    session.sql("BEGIN TRANSACTION").collect()
    try:
        for file in work["new_files"]:
            row = [file["relative_path"], work["run_id"], work["attempt"]]
            session.sql("INSERT INTO TAKEN SELECT ?, ?, ?", params=row).collect()
        session.sql("CALL COMPLETE_RUN(PARSE_JSON(?))", params=[json.dumps(work)]).collect()
    except Exception:
        session.sql("ROLLBACK").collect()
        raise
    session.sql("COMMIT").collect()
    return {"taken": len(work["new_files"])}
"""
TELL = """\
import json


def main(session, outcome):
    session.sql("INSERT INTO FINISHED SELECT PARSE_JSON(?)", params=[json.dumps(outcome)]).collect()
    if session.sql("SELECT WHY FROM BROKEN WHERE STEP = 'TELL'").collect():
        raise ValueError("nobody listens")
"""
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "GIVEN": {"STEP": "VARCHAR", "CLIENT": "VARCHAR", "WORK": "VARIANT"},
    "BROKEN": {"STEP": "VARCHAR", "CLIENT": "VARCHAR", "WHY": "VARCHAR"},
    "RESULTS": {"STEP": "VARCHAR", "RESULT": "VARIANT"},
    "TAKEN": {"FILE": "VARCHAR", "RUN_ID": "VARCHAR", "ATTEMPT": "INT"},
    "FINISHED": {"OUTCOME": "VARIANT"},
}


def procedure(name: str, body: str) -> dict[str, Any]:
    """The document of a business procedure."""
    return {
        "name": name,
        "arguments": [{"name": "WORK", "type": "VARIANT"}],
        "returns": "VARIANT",
        "language": "PYTHON",
        "runtime_version": "3.11",
        "packages": ["snowflake-snowpark-python"],
        "handler": "main",
        "body": body,
    }


def step(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """A step that calls NOTE unless it says something else."""
    found = {"name": name, **({} if "sql" in more else {"procedure": "NOTE"}), **more}
    return {**found, "after": list(after)} if after else found


def table(name: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """The document of a table."""
    return {"name": name, "columns": [{"name": column, "type": kind} for column, kind in columns.items()]}


def manifest(dag: Any, stages: Sequence[Any] = (), **resources: Any) -> str:
    """The text of a manifest with these graphs and slots."""
    procedures = [procedure("NOTE", NOTE), procedure("TAKE", TAKE), procedure("TELL", TELL)]
    procedures += resources.get("procedure", [])
    tables = [*(table(*each) for each in _COLUMNS.items()), *resources.get("table", [])]
    whole: dict[str, Any] = {"scope": "schema", "target": "D.S", "vars": {"stages": FACTS}, "dag": dag}
    if stages:
        whole["stages"] = list(stages)
    whole["resources"] = {**resources, "table": tables, "procedure": procedures}
    return json.dumps(whole)


class GraphWorld:
    """The account, the bucket's folder, and how to look at runs."""

    def __init__(self, account: LocalAccount, bucket: Path, plugins: Mapping[str, Any]) -> None:
        self.account = account
        self.bucket = bucket
        self.inbox = bucket / "external_input_files/d/s"
        self.connection = account.connect(warehouse="W", database="D", schema="S", paramstyle="qmark")
        self.provider = Provider(self.connection, registry=make_registry({"pinky_schema": pinky_schema, **plugins}))

    def apply(self, dag: Any, stages: Sequence[Any] = (), **resources: Any) -> Plan:
        """Apply a manifest; a second plan is empty."""
        source = MemorySource({"manifest.yml": manifest(dag, stages, **resources)})
        plan = self.provider.plan(source)
        report = self.provider.apply(plan)
        assert report.ok, report.failures
        assert self.provider.plan(source).empty
        return plan

    def run(self, statement: str, *values: Any) -> list[Any]:
        """The rows that a statement answers."""
        found = self.connection.cursor().execute(statement, values or None).fetchall()
        return [tuple(row) for row in found]

    def column(self, statement: str) -> list[Any]:
        """The first column of a query's answer."""
        return [row[0] for row in self.run(statement)]

    def execute(self, root: str, clause: str = "") -> None:
        """Run a graph by hand, to its end."""
        self.run(f"EXECUTE TASK D.S.{root} {clause}")
        assert self.account.wait_for_tasks()

    def deliver(self, *names: str, content: str = "x") -> None:
        """Write files as providers do."""
        for name in names:
            file = self.inbox / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")

    def breaks(self, name: str, why: str = "no such column", client: str = "*") -> None:
        """From now on a step fails, for one client or for all."""
        self.run("INSERT INTO BROKEN SELECT ?, ?, ?", name, client, why)

    def mend(self) -> None:
        """From now on nothing fails."""
        self.run("DELETE FROM BROKEN")

    def history(self, columns: str = "NAME, STATE") -> list[Any]:
        """TASK_HISTORY of what has run, the earliest first."""
        rows = self.run(f"SELECT {columns} FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE STATE <> 'SCHEDULED'")
        return rows[::-1]

    def runs(self, columns: str = "ATTEMPT, STATUS") -> list[Any]:
        """RUNS, the earliest first."""
        return self.run(f"SELECT {columns} FROM RUNS ORDER BY STARTED_AT, ATTEMPT")

    def steps(self, columns: str = "STEP, STATUS") -> list[Any]:
        """RUN_STEPS, the earliest first."""
        return self.run(f"SELECT {columns} FROM RUN_STEPS ORDER BY STARTED_AT, STEP, CLIENT_SCHEMA")

    def files(self) -> dict[str, tuple[str, int]]:
        """Status and attempts of each file by its path."""
        return {
            path: (status, n) for path, status, n in self.run(f"SELECT RELATIVE_PATH, STATUS, ATTEMPTS FROM {REGISTRY}")
        }

    def given(self, name: str) -> list[dict[str, Any]]:
        """What NOTE was given for a step, call by call."""
        rows = self.run("SELECT WORK FROM GIVEN WHERE STEP = ? ORDER BY WORK:attempt::INT, CLIENT", name)
        return [json.loads(row[0]) for row in rows]

    def finished(self) -> list[dict[str, Any]]:
        """What TELL was told."""
        return [json.loads(text) for text in self.column("SELECT OUTCOME FROM FINISHED")]

    def state(self, task: str) -> str:
        """Whether a task is started or suspended."""
        rows = self.provider.session.execute("SHOW TASKS IN SCHEMA D.S")
        return str(next(row["state"] for row in rows if row["name"] == task))


@contextmanager
def graph_world(where: Path, plugins: Mapping[str, Any] = {}, **options: Any) -> Iterator[GraphWorld]:
    """An account with what the manifests stand on; nothing is applied yet. ``options`` are the account's."""
    bucket = where / "bucket"
    bucket.mkdir()
    with LocalAccount(buckets={"s3://acme": bucket}, **options) as account:
        with account.connect() as connection:
            for statement in GROUND:
                connection.cursor().execute(statement)
        made = GraphWorld(account, bucket, plugins)
        try:
            yield made
        finally:
            made.connection.close()
        assert not account.internal_errors
