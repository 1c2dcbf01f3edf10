"""The commands against the embedded account, through the real connector."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from pinky_cli.commands_plan import ways_to_allow
from pinky_local import LocalAccount

GOLDEN = """\
Plan for the account (account PINKY_LOCAL, role ACCOUNTADMIN)

  + database PLAYGROUND  declared, not there  [manifest.yml]
      CREATE DATABASE PLAYGROUND COMMENT = 'Made by pinky'

  + schema PLAYGROUND.CORE  declared, not there  [manifest.yml]
      CREATE SCHEMA PLAYGROUND.CORE

  + table PLAYGROUND.CORE.CUSTOMERS  declared, not there  [resources/table/customers.yml]
      CREATE TABLE PLAYGROUND.CORE.CUSTOMERS (CUSTOMER_ID NUMBER(38,0) NOT NULL, NAME VARCHAR(16777216))

Plan: 3 to create, 0 to change, 0 to drop.
"""
TEXT = {"type": "string"}
REPORT_SCHEMA = {
    "type": "object",
    "required": ["run", "ok", "interrupted", "events"],
    "additionalProperties": False,
    "properties": {
        "run": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
        "ok": {"type": "boolean"},
        "interrupted": {"type": "boolean"},
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["outcome", "name", "address", "action", "seconds", "error", "because", "statement"],
                "additionalProperties": False,
                "properties": {
                    "outcome": {"enum": ["applied", "failed", "skipped"]},
                    "name": TEXT,
                    "address": {"type": ["object", "null"], "required": ["kind", "path", "detail"]},
                    "action": {"type": ["string", "null"]},
                    "seconds": {"type": "number", "minimum": 0},
                    "error": TEXT,
                    "because": TEXT,
                    "statement": TEXT,
                },
            },
        },
    },
}


def test_the_text_of_a_plan(pinky, manifest):
    ran = pinky("plan", "--local", "-m", manifest)
    assert (ran.code, ran.out, ran.err) == (0, GOLDEN, "")


def test_brief_leaves_the_statements_out(pinky, manifest):
    ran = pinky("--local", "plan", "-m", manifest, "--brief")
    assert "CREATE" not in ran.out
    assert "+ table PLAYGROUND.CORE.CUSTOMERS" in ran.out


def test_apply_then_nothing_to_do(pinky, manifest, local):
    applied = pinky("apply", local, "-m", manifest, "--yes")
    assert applied.code == 0
    assert "applied + table PLAYGROUND.CORE.CUSTOMERS" in applied.out
    assert "Apply: 3 applied, 0 failed, 0 skipped in " in applied.out
    second = pinky("plan", local, "-m", manifest, "--detailed-exitcode")
    assert second.code == 0
    assert "\nNo changes. 3 resources are as declared.\n" in second.out
    again = pinky("apply", local, "-m", manifest)  # nothing to do, so nobody is asked
    assert again.code == 0
    assert "Apply:" not in again.out


def test_the_detailed_exit_code_tells_changes_from_none_and_from_mistakes(pinky, manifest):
    assert pinky("plan", "--local", "-m", manifest, "--detailed-exitcode").code == 2
    assert pinky("plan", "--local", "-m", manifest).code == 0
    assert pinky("plan", "--local", "-m", manifest / "nowhere", "--detailed-exitcode").code == 1
    assert pinky("plan", "--no-such-option", "--detailed-exitcode").code == 1


def test_a_difference_shows_before_and_after(pinky, manifest, local):
    assert pinky("apply", local, "-m", manifest, "--yes").code == 0
    text = (manifest / "manifest.yml").read_text().replace("Made by pinky", "Someone else's")
    (manifest / "manifest.yml").write_text(text)
    ran = pinky("plan", local, "-m", manifest, "--detailed-exitcode")
    assert ran.code == 2
    assert '      comment: "Made by pinky" → "Someone else\'s"\n' in ran.out
    assert "ALTER DATABASE PLAYGROUND SET COMMENT = 'Someone else''s'" in ran.out
    assert "Plan: 0 to create, 1 to change, 0 to drop (2 unchanged)." in ran.out


def test_a_destructive_change_is_refused_until_it_is_allowed_by_kind_or_address(pinky, manifest, local):
    assert pinky("apply", local, "-m", manifest, "--yes").code == 0
    table = manifest / "resources" / "table" / "customers.yml"
    table.write_text(table.read_text().replace("  - {name: NAME, type: VARCHAR}\n", "strategy: drop\n"))
    shown = pinky("plan", local, "-m", manifest)
    assert "      DESTRUCTIVE: loses " in shown.out
    assert "(1 destructive, 2 unchanged)." in shown.out
    refused = pinky("apply", local, "-m", manifest, "--yes")
    assert refused.code == 1
    assert "these destructive changes are not allowed; nothing was run" in refused.err
    assert '--allow "destructive:table PLAYGROUND.CORE.CUSTOMERS"' in refused.err
    assert pinky("apply", local, "-m", manifest, "--yes", "--allow", "destructive:schema").code == 1
    other = pinky("apply", local, "-m", manifest, "--yes", "--allow", "destructive:table PLAYGROUND.CORE.OTHER")
    assert other.code == 1
    right = "destructive:table PLAYGROUND.CORE.CUSTOMERS"
    assert pinky("apply", local, "-m", manifest, "--yes", "--allow", right).code == 0
    assert pinky("plan", local, "-m", manifest, "--detailed-exitcode").code == 0


@pytest.mark.parametrize("word", ["all", "destructive:", "table"])
def test_a_permission_that_is_none_is_refused(pinky, manifest, word):
    ran = pinky("apply", "--local", "-m", manifest, "--yes", "--allow", word)
    assert ran.code == 1
    assert "--allow" in ran.err
    assert ran.out == ""


def test_json_of_a_plan_is_the_plan_that_apply_takes(pinky, manifest, local, tmp_path):
    shown = pinky("plan", local, "-m", manifest, "--json")
    assert shown.code == 0
    document = json.loads(shown.out)
    assert document["pinky_plan"] == 1
    assert [change["action"] for change in document["changes"]] == ["create"] * 3
    saved = tmp_path / "plan.json"
    saved.write_text(shown.out, encoding="utf-8")
    applied = pinky("apply", saved, local, "--yes", "--json")
    assert applied.code == 0
    report = json.loads(applied.out)
    jsonschema.validate(report, REPORT_SCHEMA)
    assert report["ok"] is True
    assert [event["outcome"] for event in report["events"]] == ["applied"] * 3


def test_json_of_mistakes(pinky, manifest):
    table = manifest / "resources" / "table" / "customers.yml"
    table.write_text(table.read_text() + "colour: red\n")
    ran = pinky("plan", "--local", "-m", manifest, "--json")
    assert (ran.code, ran.err) == (1, "")
    (found,) = json.loads(ran.out)["diagnostics"]
    assert (found["severity"], found["code"]) == ("error", "unknown-field")
    assert found["location"] == {"file": "resources/table/customers.yml", "line": 6, "column": 1}


def test_a_saved_plan_is_applied_and_refused_when_the_world_moved(pinky, manifest, local, tmp_path):
    saved = tmp_path / "plan.json"
    planned = pinky("plan", local, "-m", manifest, "--out", saved)
    assert planned.code == 0
    assert saved.read_text(encoding="utf-8").startswith('{\n  "pinky_plan": 1,')
    assert pinky("apply", saved, local, "--yes").code == 0
    stale = pinky("apply", saved, local, "--yes")
    assert stale.code == 1
    assert "the account changed since this plan was made; make a new plan" in stale.err
    assert "  table PLAYGROUND.CORE.CUSTOMERS: it is there now" in stale.err


def test_a_saved_plan_cannot_be_combined_with_what_makes_another_plan(pinky, manifest, tmp_path):
    ran = pinky("apply", tmp_path / "plan.json", "--local", "--env", "DEV", "--var", "a=b", "--yes")
    assert ran.code == 1
    assert "cannot be combined with --env, --var" in ran.err


def test_a_file_that_is_no_plan_is_refused(pinky, tmp_path):
    saved = tmp_path / "plan.json"
    assert "no such file" in pinky("apply", saved, "--local", "--yes").err.lower()
    saved.write_text("[]")
    ran = pinky("apply", saved, "--local", "--yes")
    assert ran.code == 1
    assert "not a plan of pinky" in ran.err
    saved.write_text("scope: account")
    assert "it is not JSON (line 1, column 1)" in pinky("apply", saved, "--local", "--yes").err
    saved.write_text("{}")
    assert "error: not a plan of pinky: 'pinky_plan' is missing\n" in pinky("apply", saved, "--local", "--yes").err


def test_nobody_to_ask_means_no(pinky, manifest, local):
    ran = pinky("apply", local, "-m", manifest)
    assert ran.code == 1
    assert "nobody can be asked here; to apply without a question give --yes" in ran.err
    assert pinky("plan", local, "-m", manifest, "--detailed-exitcode").code == 2


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 1), ("", 1), (None, 1)])
def test_only_yes_is_yes(pinky, manifest, local, monkeypatch, answer, code):
    def reply(_question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", reply)
    assert pinky("apply", local, "-m", manifest).code == code


def test_ctrl_c_at_the_question_says_that_nothing_was_done(pinky, manifest, local, monkeypatch):
    def interrupt(_question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", interrupt)
    ran = pinky("apply", local, "-m", manifest)
    assert (ran.code, ran.err) == (130, "Interrupted: nothing more was done.\n")
    assert pinky("plan", local, "-m", manifest, "--detailed-exitcode").code == 2


def test_a_failure_skips_what_waited_and_tells_how_to_go_on(pinky, manifest, local):
    text = (manifest / "manifest.yml").read_text()
    query = "SELECT NO_SUCH FROM PLAYGROUND.CORE.CUSTOMERS"
    extra = f"  view:\n    - {{name: V, database: PLAYGROUND, schema: CORE, query: {query}}}\n"
    (manifest / "manifest.yml").write_text(text + extra)
    ran = pinky("apply", local, "-m", manifest, "--yes")
    assert ran.code == 1
    assert "FAILED  + view PLAYGROUND.CORE.V" in ran.out
    assert "Failed:\n  view PLAYGROUND.CORE.V\n" in ran.out
    assert "Apply: 3 applied, 1 failed, 0 skipped" in ran.out
    assert f"To continue: pinky apply -m {manifest} {local}" in ran.out


def test_variables_are_text_unless_they_say_json(pinky, manifest):
    ran = pinky("plan", "--local", "-m", manifest, "--var", "database=OTHER", "--brief")
    assert "+ database OTHER" in ran.out
    last = pinky("plan", "--local", "--var", "database=FIRST", "plan", "-m", manifest)
    assert last.code == 1  # `plan` twice
    both = pinky("--var", "database=FIRST", "--local", "plan", "-m", manifest, "--var", "database=LAST", "--brief")
    assert "+ database LAST" in both.out
    assert pinky("plan", "--local", "-m", manifest, "--var", "database:=5").code == 1
    bad = pinky("plan", "--local", "-m", manifest, "--var", "database:=[")
    assert "is not JSON" in bad.err


def test_prune_needs_a_schema(pinky, manifest):
    ran = pinky("plan", "--local", "-m", manifest, "--prune")
    assert ran.code == 1
    assert "--prune drops only inside one schema; this manifest has scope account" in ran.err


def test_prune_drops_what_is_not_declared(pinky, manifest, local, tmp_path):
    assert pinky("apply", local, "-m", manifest, "--yes").code == 0
    client = tmp_path / "manifest_client"
    client.mkdir()
    (client / "manifest.yml").write_text(
        "scope: schema\ntarget: PLAYGROUND.CORE\nresources:\n  table:\n"
        "    - {name: KEPT, columns: [{name: ID, type: NUMBER}]}\n"
    )
    listed = pinky("plan", local, "-m", client)
    assert "Not declared, left alone; --prune drops them:\n    table PLAYGROUND.CORE.CUSTOMERS\n" in listed.out
    pruned = pinky("plan", local, "-m", client, "--prune")
    assert "  - table PLAYGROUND.CORE.CUSTOMERS  not declared" in pruned.out
    assert "Plan: 1 to create, 0 to change, 1 to drop" in pruned.out
    assert pinky("apply", local, "-m", client, "--prune", "--yes").code == 1
    assert pinky("apply", local, "-m", client, "--prune", "--yes", "--allow", "destructive").code == 0
    assert "No changes." in pinky("plan", local, "-m", client).out


def test_no_connection_is_an_error_that_names_the_ways(pinky, manifest):
    ran = pinky("plan", "-m", manifest)
    assert ran.code == 1
    assert "names no account" in ran.err
    assert "--local" in ran.err
    assert "--local and --connection exclude each other" in pinky("plan", "--local", "-c", "x", "-m", manifest).err


def test_a_warning_about_connection_files_is_shown(pinky, manifest, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "connections.toml").write_text('[dev]\naccount = "a"\nhost = "127.0.0.1"\nport = 9\nprotocol = "http"\n')
    (home / "connections.toml").chmod(0o644)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(home))
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_DEV_LOGIN_TIMEOUT", "1")
    ran = pinky("plan", "-c", "dev", "-m", manifest)
    assert ran.code == 1
    assert "may be read by other users" in ran.err
    assert "error: cannot connect to a as None (connection 'dev'): " in ran.err


def test_mistakes_are_shown_before_anything_is_connected(pinky, manifest):
    (manifest / "manifest.yml").write_text("scope: account\nresources: {databse: [{name: D}]}\n")
    ran = pinky("plan", "-m", manifest)  # there is no connection, and nobody notices
    assert ran.code == 1
    assert "error[unknown-kind]" in ran.err
    assert "names no account" not in ran.err


def test_a_plan_file_that_cannot_be_written_is_an_error(pinky, manifest, tmp_path: Path):
    ran = pinky("plan", "--local", "-m", manifest, "--out", tmp_path / "no" / "plan.json")
    assert ran.code == 1
    assert "cannot write" in ran.err


@pytest.mark.parametrize("option", ["--local=", "--connection=", "--env=", "--target=", "--manifest="])
def test_an_unset_variable_of_a_script_never_means_the_default(pinky, manifest, option):
    ran = pinky("apply", "-m", manifest, "--yes", option)
    assert ran.code == 1
    assert "the value is empty; leave the option out for its default" in ran.err


def test_a_folder_that_cannot_hold_an_account_is_told(pinky, manifest, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert (
        f"cannot use {str(file)!r} as an embedded account: it is a file"
        in pinky("plan", f"--local={file}", "-m", manifest).err
    )
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "catalog.json").write_text("x")
    ran = pinky("plan", f"--local={broken}", "-m", manifest)
    assert ran.code == 1
    assert "as an embedded account: what is in it cannot be read (JSONDecodeError: " in ran.err


def test_a_folder_that_another_process_uses_is_told(pinky, manifest, tmp_path):
    with LocalAccount(tmp_path / "account"):
        code = "import sys; from pinky_cli.main import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "plan", f"--local={tmp_path / 'account'}", "-m", str(manifest)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "another process uses it" in ran.stderr


def test_a_permission_for_a_kind_that_nobody_knows_is_refused(pinky, manifest):
    ran = pinky("apply", "--local", "-m", manifest, "--yes", "--allow", "destructive:tabel")
    assert ran.code == 1
    assert "the kind 'tabel' is not installed. Did you mean 'table'?" in ran.err


def test_ways_to_allow_can_be_pasted_into_a_shell():
    assert ways_to_allow(["table D.S.T"]) == ['To allow one:   --allow "destructive:table D.S.T"']
    ways = ways_to_allow(["table D.S.T", 'table D.S."a b$"'])
    assert ways == [
        'To allow one:   --allow "destructive:table D.S.T"',
        "                --allow 'destructive:table D.S.\"a b$\"'",
        "To allow all:   --allow destructive",
    ]
    assert shlex.split(ways[1]) == ["--allow", 'destructive:table D.S."a b$"']


def test_a_manifest_that_is_not_there_is_one_mistake_that_says_where_it_was_looked_for(pinky, tmp_path, monkeypatch):
    ran = pinky("validate", "-m", tmp_path / "gone")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert f"there is no folder or file '{tmp_path / 'gone'}'" in ran.err
    assert "there is no manifest.yml in" in pinky("plan", "-m", tmp_path, "--local").err
    monkeypatch.chdir(tmp_path)
    assert "error: there is no manifest.yml here; -m names" in pinky("plan", "--local").err


def test_a_secret_without_a_value_stops_an_apply_before_its_first_statement(pinky, manifest, local, monkeypatch):
    secret = (
        "{name: K, database: PLAYGROUND, schema: CORE, type: GENERIC_STRING, secret_string: 'env:NO_KEY', version: 1}"
    )
    text = (manifest / "manifest.yml").read_text()
    (manifest / "manifest.yml").write_text(f"{text}  secret:\n    - {secret}\n")
    ran = pinky("apply", local, "-m", manifest, "--yes")
    assert ran.code == 1
    assert ran.err == (
        "error: secrets of this plan have no value here; nothing was run\n"
        "  the environment variable NO_KEY is not set\n"
    )
    assert "Plan: 4 to create" in pinky("plan", local, "-m", manifest).out
    monkeypatch.setenv("NO_KEY", "k")
    assert pinky("apply", local, "-m", manifest, "--yes").code == 0


def test_local_is_explained_where_it_is_mistaken(pinky, manifest):
    assert "an account that is kept in a folder is --local=FOLDER" in pinky("plan", "--local", "account").err
    refused = pinky("validate", "-m", manifest, "--local=account").err
    assert "--local=FOLDER is for commands that connect; this one does not" in refused


def test_an_account_in_memory_cannot_be_continued(pinky, manifest):
    text = (manifest / "manifest.yml").read_text()
    view = "{name: V, database: PLAYGROUND, schema: CORE, query: SELECT NO_SUCH FROM PLAYGROUND.CORE.CUSTOMERS}"
    (manifest / "manifest.yml").write_text(f"{text}  view:\n    - {view}\n")
    ran = pinky("apply", "--local", "-m", manifest, "--yes")
    assert "To continue: with --local=FOLDER, which keeps the account" in ran.out
