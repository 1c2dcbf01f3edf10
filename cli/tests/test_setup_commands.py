"""`init`, `validate`, `schema`, `plugins`, `local serve`, `demo`, and what the program says of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import jsonschema
import pytest


def test_init_writes_what_plan_accepts(pinky, tmp_path):
    folder = tmp_path / "new"
    first = pinky("init", folder)
    assert first.code == 0
    assert f"Next: pinky --local plan -m {folder}" in first.out
    planned = pinky("--local", "plan", "-m", folder)
    assert planned.code == 0
    assert "Plan: 3 to create, 0 to change, 0 to drop." in planned.out


def test_init_overwrites_nothing(pinky, tmp_path):
    (tmp_path / "manifest.yml").write_text("mine")
    ran = pinky("init", tmp_path)
    assert ran.code == 1
    assert "these files are there already: manifest.yml" in ran.err
    assert (tmp_path / "manifest.yml").read_text() == "mine"
    assert not (tmp_path / "resources").exists()


@pytest.mark.parametrize("target", ["D", "D.S.T", "D.S: x", "D.S;x"])
def test_init_refuses_what_is_not_the_name_of_a_schema(pinky, tmp_path, target):
    ran = pinky("init", tmp_path / "client", "--target", target)
    assert ran.code == 1
    assert "--target" in ran.err
    assert not (tmp_path / "client").exists()


def test_init_for_a_quoted_schema_is_valid(pinky, tmp_path):
    assert pinky("init", tmp_path / "client", "--target", '"my db".S').code == 0
    assert 'Plan for "my db".S ' in pinky("--local", "plan", "-m", tmp_path / "client").out


def test_help_shows_whole_sentences(pinky):
    shown = pinky("--help").out
    assert "..." not in shown.replace("[ARGS]...", "")
    assert "validate  Check a manifest, without an account." in shown
    assert "[[" not in pinky("apply", "--help").out


def test_init_for_one_schema_is_valid(pinky, tmp_path):
    assert pinky("init", tmp_path / "client", "--target", "D.S").code == 0
    assert "Valid: 1 resource, scope schema." in pinky("validate", "-m", tmp_path / "client").out
    planned = pinky("--local", "plan", "-m", tmp_path / "client")
    assert planned.code == 0
    assert planned.err == "The embedded account is empty: D.S was made as the target.\n"
    assert "Plan: 1 to create, 0 to change, 0 to drop." in planned.out
    kept = pinky(f"--local={tmp_path / 'account'}", "plan", "-m", tmp_path / "client")
    assert kept.code == 1  # a kept account is like a real one: what is missing is an error
    assert "made as the target" not in kept.err


def test_a_mistake_shows_its_line_and_a_caret(pinky, manifest):
    table = manifest / "resources" / "table" / "customers.yml"
    table.write_text(table.read_text().replace("not_null: true", "not_nul: true"))
    ran = pinky("validate", "-m", manifest)
    assert (ran.code, ran.out) == (1, "")
    line = '  4 |   - {name: CUSTOMER_ID, type: "NUMBER(38,0)", not_nul: true}\n'
    caret = "    | " + " " * 46 + "^\n"
    assert ran.err.startswith("resources/table/customers.yml:4:47: error[unknown-field]: ")
    assert line + caret in ran.err
    assert ran.err.endswith("1 error.\n")


def test_validate_as_json(pinky, manifest):
    ran = pinky("validate", "-m", manifest, "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"diagnostics": [], "resources": 3})


def test_a_secret_that_was_written_out_is_not_repeated(pinky, manifest):
    planted = "planted-5d1f"
    text = (manifest / "manifest.yml").read_text()
    for spelling in (f"secret_string: {planted}", f"'secret_string': '{planted}'", f"secret_string: [{planted}]"):
        fields = f"name: K, database: PLAYGROUND, schema: CORE, type: GENERIC_STRING, version: 1, {spelling}"
        resource = f"  secret:\n    - {{{fields}}}\n"
        (manifest / "manifest.yml").write_text(text + resource)
        for arguments in (
            ["validate"],
            ["validate", "--json"],
            ["plan", "--local"],
            ["plan", "--local", "--log-level=debug"],
        ):
            ran = pinky(*arguments, "-m", manifest)
            assert ran.code == 1, spelling
            assert planted not in ran.out + ran.err


def test_the_value_of_a_secret_appears_nowhere(pinky, manifest, local, monkeypatch, tmp_path):
    planted = "planted-8c2e"
    monkeypatch.setenv("PLANTED", planted)
    resource = (
        "  secret:\n    - {name: K, database: PLAYGROUND, schema: CORE, type: GENERIC_STRING,"
        " secret_string: env:PLANTED, version: 1}\n"
    )
    (manifest / "manifest.yml").write_text((manifest / "manifest.yml").read_text() + resource)
    saved = tmp_path / "plan.json"
    written = ""
    for arguments in (
        ["plan", "--out", str(saved)],
        ["plan", "--json"],
        ["apply", "--yes", "--log-level", "debug", "--log-format", "json"],
    ):
        ran = pinky(*arguments, local, "-m", manifest)
        assert ran.code == 0
        written += ran.out + ran.err
    assert "env:PLANTED" in written
    assert planted not in written + saved.read_text()


def test_schemas_are_valid_and_come_with_the_modeline(pinky, tmp_path):
    folder = tmp_path / "schemas"
    ran = pinky("schema", "--out", folder)
    assert ran.code == 0
    assert f"# yaml-language-server: $schema={folder.as_posix()}/manifest.schema.json" in ran.out
    names = {path.name for path in folder.iterdir()}
    assert {"manifest.schema.json", "manifest_client.schema.json", "table.schema.json", "database.schema.json"} <= names
    for path in folder.iterdir():
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
    client = json.loads((folder / "manifest_client.schema.json").read_text(encoding="utf-8"))
    assert "table" in json.dumps(client)
    assert "warehouse" not in client["properties"]["resources"]["properties"]
    one = pinky("schema", "table")
    assert one.out == (folder / "table.schema.json").read_text(encoding="utf-8")
    wrong = pinky("schema", "tabel")
    assert wrong.code == 1
    assert "Did you mean 'table'?" in wrong.err


def test_plugins_are_listed_with_where_they_come_from(pinky):
    ran = pinky("plugins", "--json")
    assert ran.code == 0
    found = {each["name"]: each for each in json.loads(ran.out)["plugins"]}
    assert found["pinky_schema"]["distribution"] == "pinky-schema"
    assert "table" in found["pinky_schema"]["kinds"]
    assert "pinky_resource_types" in found["pinky_schema"]["hooks"]
    assert "pinky_schema  0.1.0  (distribution pinky-schema)\n    kinds: " in pinky("plugins").out


def test_help_loads_neither_the_engine_nor_the_connector():
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom pinky_cli.main import main\n"
        "for words in (['--help'], ['plan', '--help'], ['--version']):\n    assert main(words) == 0\n"
        "heavy = ('pinky_core', 'pinky_schema', 'pinky_local', 'snowflake', 'duckdb', 'sqlglot', 'ruamel', 'jinja2',\n"
        "         'jsonschema', 'cattrs', 'pluggy', 'structlog', 'rich.progress', 'cryptography')\n"
        "found = sorted(m for m in set(sys.modules) - before if any(m == h or m.startswith(h + '.') for h in heavy))\n"
        "print('LOADED', found)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("LOADED []\n")


def test_an_unknown_command_names_the_nearest(pinky):
    ran = pinky("aply")
    assert ran.code == 1
    assert "No such command 'aply'" in ran.err
    assert "apply" in ran.err.split("aply", 1)[1]


def test_the_log_is_json_with_the_run_in_every_line(pinky, manifest):
    ran = pinky("--log-format", "json", "--log-level", "debug", "plan", "--local", "-m", manifest)
    assert ran.code == 0
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert lines
    assert len({line["run"] for line in lines}) == 1
    assert any(line["event"] == "read" for line in lines)


def test_wrong_words_for_the_log_are_refused(pinky):
    assert "is not one of: text, json" in pinky("plan", "--log-format", "xml").err
    assert "is not one of: debug, info" in pinky("plan", "--log-level", "loud").err


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_local_serve_answers_until_it_is_terminated():
    command = [sys.executable, "-m", "pinky_cli", "local", "serve", "--no-data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("pinky-local listening on 127.0.0.1:")
        address = line.split()[-1]
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://{address}/pinky-local/status", timeout=10
        ) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_local_advance_moves_the_clock_of_a_served_account(pinky):
    from pinky_local import LocalAccount

    with LocalAccount(data=False) as account:
        ran = pinky("local", "advance", "5m", "--port", account.port)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith(" there, 300 seconds ahead\n")
        assert account.clock.offset.total_seconds() == 300
        port = account.port
        assert "90 is not a number with s, m, h or d" in pinky("local", "advance", "90", "--port", port).err
    gone = pinky("local", "advance", "5m", "--port", port)
    assert gone.code == 1
    assert f"no embedded account answers on port {port}" in gone.err


def test_the_demo_plans_applies_and_finds_nothing_more(pinky, manifest):
    ran = pinky("demo", manifest)
    assert (ran.code, ran.err) == (0, "")
    plan, applied, second = ran.out.split("\n$ ")
    assert plan.startswith("$ pinky --local plan")
    assert "Plan: 3 to create" in plan
    assert "Apply: 3 applied, 0 failed, 0 skipped" in applied
    assert "No changes. 3 resources are as declared." in second


def test_the_demo_finds_the_examples_of_this_repository(pinky, monkeypatch):
    monkeypatch.delenv("SHOP_PAYMENT_API_KEY", raising=False)
    ran = pinky("demo", "--brief")
    assert (ran.code, ran.err) == (0, "")
    assert "(secrets invented for the demo: SHOP_PAYMENT_API_KEY)" in ran.out
    monkeypatch.delenv("SHOP_PAYMENT_API_KEY")
    planned = int(ran.out.split("Plan: ")[1].split()[0])
    assert planned >= 40
    assert f"Apply: {planned} applied, 0 failed, 0 skipped" in ran.out
    assert f"No changes. {planned} resources are as declared." in ran.out


def test_the_demo_without_an_example_says_so(pinky, tmp_path):
    ran = pinky("demo", tmp_path)
    assert ran.code == 1
    assert "no example found" in ran.err


def test_validate_loads_no_logging_library(manifest):
    code = (
        "import sys; before = set(sys.modules); from pinky_cli.main import main; code = main(sys.argv[1:]); "
        "print(sorted({'structlog', 'snowflake'} & (set(sys.modules) - before))); sys.exit(code)"
    )
    command = [sys.executable, "-c", code, "validate", "-m", str(manifest)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "Valid: 3 resources, scope account.\n[]\n"), ran.stderr
