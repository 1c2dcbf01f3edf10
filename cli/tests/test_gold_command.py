"""`pinky gold`: what it hands to the library, what it shows, how it ends. The library has tests of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest
from pinky_local.account import LocalAccount
from pinky_schema import gold

from pinky_core import NotVisibleError

INTEGRATION = (
    "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
    "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')"
)
FACTS = "stages: {bucket: 's3://acme', storage_integration: ACME, viewer: NOBODY}\n"
MANIFEST = "scope: schema\ntarget: D.S\nstages: [external_input_files, internal_exposed_files]\n"
OUTPUT = gold.Output("internal_exposed_files", "c/f/a.csv", "0123456789abcdef", "s")
CHANGED = attrs.evolve(OUTPUT, hash_raw="fedcba9876543210", hash_sorted="t")
ROW = gold.GoldRow("1.4", "p/f/a.csv", (OUTPUT,), recorded_from="PROD.S")
EQUAL = gold.Compared("p/f/a.csv", gold.Match.EQUAL, OUTPUT.slot, OUTPUT.path, OUTPUT, OUTPUT)
DIFFERENT = gold.Compared("p/f/b.csv", gold.Match.CHANGED, OUTPUT.slot, OUTPUT.path, OUTPUT, CHANGED)
FAILED = gold.Compared("p/f/c.csv", gold.Match.INPUT_FAILED, error="division by \x1b zero")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vars").mkdir()
    (tmp_path / "manifest.yml").write_text(MANIFEST, encoding="utf-8")
    for env in ("DEV", "PROD"):
        (tmp_path / "vars" / f"{env}.yml").write_text(FACTS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def command(pinky, folder):
    return lambda *words: pinky(
        "gold", *words, "--local", "-m", folder, *(() if "--env" in words else ("--env", "DEV"))
    )


@pytest.fixture
def called(monkeypatch) -> dict[str, Any]:
    """What the library was called with; it answers with `rows`, `progress` is told first."""
    found: dict[str, Any] = {"rows": (EQUAL,)}

    def verify(session: Any, schema: Any, **values: Any) -> gold.Verification:
        values.pop("on_progress")("waiting for the graph", 0, 1)
        found.update(values, schema=schema)
        return gold.Verification("D.S", "1.4", found["rows"], values["allow_reordered"], ("1.5",), 61.0, ("careful",))

    def record(session: Any, schema: Any, **values: Any) -> gold.Recording:
        found.update(values, schema=schema)
        rows = (ROW, attrs.evolve(ROW, input_path="p/f/e.csv", outputs=()))
        return gold.Recording("D.S", "PROD.S", "1.4", rows, (("p/f/d.csv", "it is gone"),), 3)

    monkeypatch.setattr(gold, "verify", verify)
    monkeypatch.setattr(gold, "record", record)
    return found


def test_a_verification_without_differences_ends_with_0(command, called):
    ran = command("verify")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "passed: D.S against version 1.4: 1 equal (1 line, 1 min 1 s)."
    assert ran.err == "waiting for the graph: 0 of 1 inputs\nwarning: careful\n"
    assert [str(part) for part in called["schema"]] == ["D", "S"]
    assert (called["facts"].env, called["facts"].viewer) == ("DEV", "NOBODY")
    assert (called["version"], called["inputs"], called["root"], called["timeout"]) == (None, "*", None, gold.TIMEOUT)


def test_differences_are_shown_with_their_hashes_and_end_with_1(command, called):
    called["rows"] = (EQUAL, DIFFERENT, FAILED)
    ran = command("verify", "--version", "1.4", "--inputs", "p/*", "--root", "R", "--timeout", "5", "--allow-reordered")
    assert ran.code == 1
    lines = ran.out.splitlines()
    changed = next(line for line in lines if line.startswith("changed"))
    assert changed.split() == [
        "changed",
        "p/f/b.csv",
        "internal_exposed_files/c/f/a.csv",
        "0123456789ab",
        "fedcba987654",
    ]
    assert any(line.startswith("input failed") and line.endswith("division by \\x1b zero") for line in lines)
    assert lines[-1].startswith("FAILED: D.S against version 1.4: 1 equal, 1 changed, 1 input failed")
    assert (called["version"], called["inputs"], called["root"], called["timeout"]) == ("1.4", "p/*", "R", 5.0)
    assert called["allow_reordered"] is True


def test_a_verification_for_programs_and_for_ci(command, called, tmp_path):
    called["rows"] = (EQUAL, DIFFERENT)
    report = tmp_path / "report.xml"
    ran = command("verify", "--json", "--junit", report)
    assert ran.code == 1
    document = json.loads(ran.out)
    assert (document["ok"], document["counts"]) == (False, {"equal": 1, "changed": 1})
    assert document["rows"][1]["found"] == {"hash_raw": "fedcba9876543210", "hash_sorted": "t"}
    root = ElementTree.parse(report).getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(command, called, tmp_path):
    ran = command("verify", "--junit", tmp_path / "nowhere" / "report.xml")
    assert ran.code == 1
    assert "there is no such folder" in ran.err
    assert "schema" not in called


def test_a_recording_tells_what_is_odd_about_it(command, called):
    ran = command("record", "--source", "PROD.S", "--version", "1.4", "--limit", 9, "--inputs", "p/*")
    assert ran.code == 0
    assert ran.out == "Recorded 2 inputs with 1 output of version 1.4 from PROD.S in D.S.\n"
    assert ran.err.splitlines() == [
        "warning: p/f/e.csv: its run made no output; that is what is known to be good now",
        "warning: p/f/d.csv was not recorded: it is gone",
        "3 older inputs were left out by --limit.",
    ]
    given = [called[name] for name in ("source", "version", "limit", "inputs")]
    assert given == ["PROD.S", "1.4", 9, "p/*"]
    assert json.loads(command("record", "--json").out)["without_outputs"] == ["p/f/e.csv"]


@pytest.mark.parametrize("word", ["record", "verify"])
def test_production_is_refused_by_the_name_of_its_environment(command, word):
    ran = command(word, "--env", "PROD")
    assert (ran.code, ran.out) == (1, "")
    assert "is refused in production, and PROD is production" in ran.err


def test_what_is_recorded_is_listed(pinky, folder):
    kept = f"--local={folder / 'account'}"
    with LocalAccount(folder / "account") as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S", INTEGRATION):
            connection.cursor().execute(statement)
    words = (kept, "-m", folder, "--env", "DEV")
    ran = pinky("gold", "list", *words, "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["error"]["code"] == "gold"
    assert "there is no table D.S.GOLD here" in json.loads(ran.out)["error"]["message"]
    assert pinky("apply", "--yes", *words).code == 0
    assert pinky("gold", "list", *words).out == "Nothing is recorded.\n"
    with LocalAccount(folder / "account") as account, account.connect() as connection:
        connection.cursor().execute(
            "INSERT INTO D.S.GOLD (SP_VERSION, INPUT_FILE_NAME, OUTPUTS, RECORDED_AT, RECORDED_FROM) SELECT '1.4', "
            "'p/f/a.csv', PARSE_JSON('" + json.dumps([OUTPUT.as_json()]) + "')::ARRAY, CURRENT_TIMESTAMP(), 'PROD.S'"
        )
    ran = pinky("gold", "list", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].split() == ["VERSION", "INPUT", "OUTPUTS", "RECORDED", "FROM"]
    assert ran.out.splitlines()[-1].split()[:3] == ["1.4", "p/f/a.csv", "1"]
    (row,) = json.loads(pinky("gold", "list", *words, "--json").out)["gold"]
    assert row["outputs"] == [OUTPUT.as_json()]


def test_a_refused_statement_ends_with_its_words(command, monkeypatch):
    def refused(session: Any, schema: Any, **values: Any) -> None:
        raise NotVisibleError("002043: no task", errno=2043, statement="EXECUTE TASK D.S.R")

    monkeypatch.setattr(gold, "verify", refused)
    ran = command("verify")
    assert (ran.code, ran.out) == (1, "")
    assert "002043: no task" in ran.err
    assert "EXECUTE TASK D.S.R" in ran.err


def test_interrupting_the_wait_ends_with_130(command, monkeypatch):
    def interrupted(session: Any, schema: Any, **values: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gold, "verify", interrupted)
    assert command("verify").code == 130


def test_gold_needs_one_schema(pinky, manifest):
    ran = pinky("gold", "list", "--local", "-m", manifest)
    assert ran.code == 1
    assert "belong to one schema; this manifest has scope account" in ran.err


def test_without_the_package_of_slots_the_command_says_which_one_it_needs(command, monkeypatch):
    import pinky_schema

    monkeypatch.delattr(pinky_schema, "gold")
    monkeypatch.setitem(sys.modules, "pinky_schema.gold", None)
    ran = command("list")
    assert (ran.code, ran.err) == (1, "error: this needs the package pinky-schema, from the same place as pinky-cli\n")
