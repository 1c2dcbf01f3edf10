"""A fleet of client schemas: planned together, applied one by one, through the connector."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_schema import SchemaProvider
from typer.testing import CliRunner

from pinky_core import Identifier
from pinky_core.fleet import MARK, ClientResult, Fleet, client_schemas, slice_of
from pinky_core.testing import MemorySource

MANIFEST = """scope: schema
vars: {portal: https://portal.example}
contacts:
  STEWARD: {email: "{{ vars.email }}"}
  SECURITY_COMPLIANCE: {url: "{{ vars.portal }}/security?client={{ vars.client_id }}"}
resources:
  table:
    - name: INVOICES
      columns: [{name: ID, type: INT}, {name: AMOUNT, type: "NUMBER(12, 2)"}%s]
      primary_key: {columns: [ID]}
  view:
    - {name: OPEN_INVOICES, query: SELECT ID FROM INVOICES}
"""
FIRST, SECOND = MANIFEST % "", MANIFEST % ", {name: PAID_AT, type: DATE}"
VARS = {"email": "all@example.com"}


class World:
    """An account with a database of clients."""

    def __init__(self, account: LocalAccount, connection: Any) -> None:
        self.account = account
        self.connection = connection
        self.provider = SchemaProvider(connection)

    def sql(self, text: str) -> list[Any]:
        return list(self.connection.cursor().execute(text).fetchall())

    def clients(self, *names: str) -> None:
        for name in names:
            self.sql(f"CREATE SCHEMA X.{name} COMMENT = '{MARK}'")

    def fleet(self, text: str = FIRST, **given: Any) -> Fleet:
        database = Identifier("X")
        clients = given.pop("clients", None) or client_schemas(self.provider.session, database)
        source = MemorySource({"manifest.yml": text})
        return Fleet(self.provider, source, database, clients, **{"variables": VARS, **given})

    def applied(self, text: str = FIRST, **given: Any) -> dict[str, int]:
        fleet = self.fleet(text)
        return fleet.apply(fleet.plan(), **given).counts()


@pytest.fixture
def world() -> Iterator[World]:
    with LocalAccount() as account, account.connect() as connection:
        connection.cursor().execute("CREATE DATABASE X")
        connection.cursor().execute("CREATE SCHEMA X.NOT_A_CLIENT")
        yield World(account, connection)
        assert not account.internal_errors


def states(fleet: Fleet) -> dict[str, str]:
    return {str(each.client): each.state for each in fleet.plan()}


def test_every_marked_schema_is_brought_to_the_manifest_and_then_nothing_is_left(world: World) -> None:
    world.clients("A", "B", "C")
    assert states(world.fleet()) == {"A": "behind", "B": "behind", "C": "behind"}
    assert world.applied() == {"ok": 3}
    assert states(world.fleet()) == {"A": "current", "B": "current", "C": "current"}
    assert world.applied() == {"unchanged": 3}
    assert world.applied(SECOND) == {"ok": 3}
    assert states(world.fleet(SECOND)) == {"A": "current", "B": "current", "C": "current"}
    assert world.sql("SHOW TABLES IN SCHEMA X.NOT_A_CLIENT") == []


def test_a_client_in_a_fleet_has_the_plan_it_has_alone(world: World) -> None:
    world.clients("A", "B", "C", "D")
    world.applied()
    fleet = world.fleet(SECOND)
    for each in fleet.plan():
        values = {**VARS, "client_id": str(each.client), "database": "X"}
        assert each.plan == world.provider.plan(fleet.source, f"X.{each.client}", values)


@pytest.mark.parametrize("clients", [10, 100])
def test_reading_a_fleet_takes_as_many_statements_for_ten_clients_as_for_a_hundred(world: World, clients: int) -> None:
    world.clients(*(f"C{number}" for number in range(clients)))
    assert world.applied(parallel=8) == {"ok": clients}
    fleet = world.fleet(SECOND)
    start = len(world.account.journal)
    assert set(states(fleet).values()) == {"behind"}
    sent = world.account.journal.statements()[start:]
    shapes = [re.sub(r"\bC\d+\b", "C", each)[:90] for each in sent]
    assert len(sent) == fleet.statements == 10, Counter(shapes)


def test_the_variables_of_one_client_are_its_own_and_a_missing_one_breaks_no_other(world: World) -> None:
    world.clients("A", "B", "C")
    fleet = world.fleet(variables={}, by_client={"A": {"email": "a@example.com"}, "C": {"email": "c@example.com"}})
    plans = fleet.plan()
    assert [each.state for each in plans] == ["behind", "broken", "behind"]
    assert "email" in str(plans[1].problems[0])
    assert fleet.apply(plans, max_failures=2).counts() == {"ok": 2, "refused": 1}
    shown = world.sql("SHOW CONTACTS LIKE 'STEWARD' IN DATABASE X")
    assert {row[3]: row[7] for row in shown} == {"A": "a@example.com", "C": "c@example.com"}


def test_three_broken_clients_are_told_and_the_others_are_served(world: World) -> None:
    world.clients(*(f"C{number}" for number in range(12)))
    world.applied()
    world.sql("DROP VIEW X.C3.OPEN_INVOICES")
    world.sql("CREATE TABLE X.C3.OPEN_INVOICES (A INT)")  # the name of the view is taken
    world.sql("ALTER TABLE X.C5.INVOICES DROP COLUMN AMOUNT")
    world.sql("ALTER TABLE X.C5.INVOICES ADD COLUMN AMOUNT VARCHAR")  # a type that cannot be altered
    world.sql("DROP SCHEMA X.C7")  # named, and not there
    fleet = world.fleet(SECOND, clients=[Identifier(f"C{number}") for number in range(12)])
    plans = fleet.plan()
    broken = [each for each in plans if each.state == "broken"]
    assert [str(each.client) for each in broken] == ["C5", "C7"]
    assert "AMOUNT" in str(broken[0].problems[0])
    assert "does not exist" in str(broken[1].problems[0])
    report = fleet.apply(plans, canary=1, max_failures=3)
    results = {each.client: each for each in report.results}
    assert report.counts() == {"failed": 1, "ok": 9, "refused": 2}
    assert "another kind" in results["C3"].failures[0]
    assert "AMOUNT" in results["C5"].failures[0]
    assert not report.ok


def test_what_is_wrong_for_all_is_found_without_reading_each(world: World) -> None:
    clients = [Identifier(f"C{number}") for number in range(200)]
    start = len(world.account.journal)
    fleet = Fleet(world.provider, MemorySource({"manifest.yml": FIRST}), Identifier("NOPE"), clients, variables=VARS)
    plans = fleet.plan()
    assert len(plans) == 200
    assert {str(each.problems[0]).partition(":")[0] for each in plans} == {"error[not-visible]"}
    assert len(world.account.journal) - start < 20


@pytest.mark.parametrize("missing", [{0}, {99}, {0, 99}, {41, 42, 98}, set(range(60))], ids=str)
def test_schemas_that_are_missing_are_told_one_by_one(world: World, missing: set[int]) -> None:
    world.clients(*(f"C{number:02}" for number in range(100) if number not in missing))
    fleet = world.fleet(clients=[Identifier(f"C{number:02}") for number in range(100)])
    plans = fleet.plan()
    broken = {number for number, each in enumerate(plans) if each.state == "broken"}
    assert broken == missing
    assert all(f"X.C{number:02} does not exist" in str(plans[number].problems[0]) for number in missing)


def test_a_canary_that_fails_stops_the_run_before_any_other_client(world: World) -> None:
    world.clients("A", "B", "C")
    world.sql("CREATE TABLE X.A.OPEN_INVOICES (A INT)")
    fleet = world.fleet()
    report = fleet.apply(fleet.plan(), canary=1)
    assert report.counts() == {"failed": 1, "skipped": 2}
    assert report.stopped == "the canary A failed"
    assert world.sql("SHOW TABLES IN SCHEMA X.B") == []
    world.sql("DROP TABLE X.A.OPEN_INVOICES")
    assert world.applied() == {"ok": 3}


def test_failures_beyond_the_limit_stop_the_run(world: World) -> None:
    world.clients(*(f"C{number}" for number in range(10)))
    for number in (2, 3, 4):
        world.sql(f"CREATE TABLE X.C{number}.OPEN_INVOICES (A INT)")
    fleet = world.fleet()
    report = fleet.apply(fleet.plan(), canary=1, parallel=1, max_failures=0.1)
    assert report.counts() == {"failed": 2, "ok": 2, "skipped": 6}
    assert report.stopped == "2 of 10 clients failed, and 10% may"


def test_an_interrupted_run_is_continued_by_the_next(world: World) -> None:
    world.clients(*(f"C{number}" for number in range(10)))
    stop = threading.Event()
    done: list[ClientResult] = []

    def told(result: ClientResult) -> None:
        done.append(result)
        if sum(each.status == "ok" for each in done) == 3:
            stop.set()

    fleet = world.fleet()
    report = fleet.apply(fleet.plan(), parallel=2, on_result=told, stop=stop)
    assert report.stopped == "the run was interrupted"
    ok = report.counts()["ok"]
    assert 3 <= ok <= 5
    assert world.applied() == {"ok": 10 - ok, "unchanged": ok}


def test_slices_hold_every_client_once() -> None:
    clients = [Identifier(f"C{number}") for number in range(500)]
    slices = [slice_of(clients, number, 7) for number in range(7)]
    assert sorted(each for part in slices for each in part) == sorted(clients)
    assert all(len(part) > 40 for part in slices)


# -- the command ---------------------------------------------------------------------------------------------------


def pinky(account: LocalAccount, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    import os
    import subprocess
    import sys

    parameters: Mapping[str, Any] = account.connection_parameters()
    config = tmp_path / "connections.toml"
    if not config.exists():
        lines = [f"{key} = {json.dumps(value)}" for key, value in parameters.items()]
        config.write_text("[fleet]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        config.chmod(0o600)
    environment = {**os.environ, "SNOWFLAKE_HOME": str(tmp_path), "NO_COLOR": "1"}
    ran = subprocess.run(
        [sys.executable, "-m", "pinky_cli", *arguments, "-c", "fleet"],
        env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def test_the_command_plans_applies_and_tells_the_status(world: World, tmp_path: Path) -> None:
    world.clients("A", "B", "C")
    manifest = tmp_path / "manifest_client"
    manifest.mkdir()
    (manifest / "manifest.yml").write_text(FIRST, encoding="utf-8")
    vars_file = tmp_path / "clients.yml"
    vars_file.write_text("a: {email: a@example.com}\nB: {email: b@example.com}\n", encoding="utf-8")
    common = ("-m", str(manifest), "--database", "X", "--vars-file", str(vars_file))
    code, text = pinky(world.account, tmp_path, "fleet", "plan", *common)
    assert code == 1, text
    assert "2 clients: A, B" in text
    assert "create table INVOICES: declared, not there" in text
    assert "broken: C" in text
    assert "3 clients: 0 current, 2 behind, 1 broken." in text
    lines = tmp_path / "report.jsonl"
    code, text = pinky(
        world.account, tmp_path, "fleet", "apply", *common, "--yes", "--max-failures", "1", "--report", str(lines)
    )
    assert code == 1, text
    assert "3 clients: 2 ok, 1 refused." in text
    found = {each["client"]: each["status"] for each in map(json.loads, lines.read_text(encoding="utf-8").splitlines())}
    assert found == {"A": "ok", "B": "ok", "C": "refused"}
    code, text = pinky(world.account, tmp_path, "fleet", "status", *common, "--client", "A", "--client", "B")
    assert code == 0, text
    assert "2 clients: 2 current, 0 behind, 0 broken." in text
    code, text = pinky(world.account, tmp_path, "fleet", "status", *common, "--json")
    assert [each["state"] for each in json.loads(text)["clients"]] == ["current", "current", "broken"]


def test_the_guide_shows_what_the_command_prints(world: World, tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs/how-to/fleet.md").read_text(encoding="utf-8")
    folder = tmp_path / "manifest_client"
    folder.mkdir()
    wanted = page.partition("# manifest_client/manifest.yml\n")[2].partition("```")[0]
    manifest = folder / "manifest.yml"
    manifest.write_text(wanted.replace(", {name: PAID_AT, type: DATE}", ""), encoding="utf-8")
    world.clients("ACME", "GLOBEX", "HOOLI", "INITECH", "STARK", "UMBRELLA", "WAYNE")
    run = ("-m", str(folder), "--database", "X")
    assert pinky(world.account, tmp_path, "fleet", "apply", *run, "--yes")[0] == 0
    world.sql("ALTER TABLE X.STARK.INVOICES ADD COLUMN PAID_AT DATE")
    world.sql("ALTER TABLE X.HOOLI.INVOICES ADD COLUMN PAID_AT VARCHAR")
    manifest.write_text(wanted, encoding="utf-8")
    code, text = pinky(world.account, tmp_path, "fleet", "plan", *run)
    assert code == 1
    assert text in page
    code, text = pinky(world.account, tmp_path, "fleet", "apply", *run, "--yes")
    assert code == 1
    assert "1 of 7 clients failed, and 5% may. Mend what failed, or raise --max-failures." in text


def test_clients_with_one_trouble_are_told_together(world: World, tmp_path: Path) -> None:
    world.clients(*(f"C{number}" for number in range(7)))
    manifest = tmp_path / "manifest.yml"
    manifest.write_text(FIRST.replace("{name: ID, type: INT}", "{name: ID, type: INTO}"), encoding="utf-8")
    run = ("-m", str(tmp_path), "--database", "X", "--var", "email=a@b.c")
    code, text = pinky(world.account, tmp_path, "fleet", "plan", *run)
    assert code == 1
    assert "broken, 7 clients: C0, C1, C2, C3, C4 and 2 more\n  manifest.yml:9:" in text
    assert text.count("unknown type") == 1


@pytest.mark.parametrize(
    ("manifest", "database", "message"),
    [
        ("nowhere", "X", "there is no folder or file 'nowhere'"),
        ("@X.PUBLIC.NOPE/a", "X", "X.PUBLIC.NOPE is not there, or this role may not read it"),
        ("@X.PUBLIC.EMPTY/a", "X", "there is no manifest.yml in @X.PUBLIC.EMPTY/a/"),
        ("", "NOPE", "the database NOPE does not exist, or this role may not see it"),
        ("", "a b", "'a b' is not an identifier"),
    ],
)
def test_what_is_not_there_is_said_once(
    world: World, tmp_path: Path, manifest: str, database: str, message: str
) -> None:
    world.clients("A", "B")
    world.sql("CREATE STAGE X.PUBLIC.EMPTY")
    (tmp_path / "manifest.yml").write_text(FIRST, encoding="utf-8")
    run = ("-m", manifest or str(tmp_path), "--database", database)
    code, text = pinky(world.account, tmp_path, "fleet", "plan", *run)
    assert (code, text.count(message)) == (1, 1), text


def test_help_lists_the_three_commands() -> None:
    from pinky_cli.main import app

    shown = CliRunner().invoke(app, ["fleet", "--help"])
    assert all(word in shown.output for word in ("plan", "apply", "status"))
