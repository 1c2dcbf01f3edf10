"""`pinky files` on the views of a local account, and what its tables look like."""

from __future__ import annotations

import decimal
import json
import sys
from pathlib import Path

import pytest
from pinky_cli import render_tables
from pinky_cli.terminal import Terminal
from pinky_local.account import LocalAccount

MANIFEST = """\
scope: schema
target: D.S
vars:
  stages: {bucket: 's3://acme', storage_integration: ACME, warehouse: W, viewer: NOBODY}
stages: [external_input_files, internal_exposed_files]
"""
SETUP = (
    "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W",
    "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
    "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
)  # fmt: skip
INSERT = (
    "INSERT INTO D.S.EXTERNAL_INPUT_FILES_REGISTRY (RELATIVE_PATH, PROVIDER_REF, REF_FLUX_PROVIDER, FILE_NAME, SIZE, "
    "ETAG, LAST_MODIFIED, FIRST_SEEN_AT, STATUS, ATTEMPTS, ERROR, FINISHED_AT) SELECT '{0}/sales/{1}', '{0}', 'sales', "
    "'{1}', {2}, 'e', DATEADD(SECOND, -30, '2026-01-02 03:04:05'::TIMESTAMP_LTZ), "
    "'2026-01-02 03:04:05'::TIMESTAMP_LTZ, '{3}', 1, {4}, DATEADD(SECOND, 200, '2026-01-02 03:04:05'::TIMESTAMP_LTZ)"
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an account in which the manifest is applied and providers have delivered three files."""
    from pinky_cli.main import main

    root = tmp_path_factory.mktemp("files")
    (root / "manifest.yml").write_text(MANIFEST, encoding="utf-8")
    folder = root / "account"
    with LocalAccount(folder) as made, made.connect() as connection:
        for statement in SETUP:
            connection.cursor().execute(statement)
    assert main(["apply", "--yes", f"--local={folder}", "-m", str(root)]) == 0
    with LocalAccount(folder) as made, made.connect() as connection:
        for statement in (
            INSERT.format("hubspot", "a.csv", 1_400_000, "DONE", "NULL"),
            INSERT.format("hubspot", "b.csv", 20, "PARKED", "'division by zero'"),
            INSERT.format("adp", "c.csv", 999, "DONE", "NULL"),
        ):
            connection.cursor().execute(statement)
    return root


@pytest.fixture
def files(pinky, account):
    return lambda *words: pinky("files", *words, f"--local={account / 'account'}", "-m", account)


def test_files_are_listed_with_sizes_and_latency(files):
    ran = files()
    assert (ran.code, ran.err) == (0, "")
    header, _, *lines = ran.out.splitlines()
    assert header.split() == [
        "STATUS",
        "SLOT",
        "PATH",
        "SIZE",
        "SEEN",
        "SEEN",
        "AFTER",
        "DONE",
        "AFTER",
        "ATTEMPTS",
        "ERROR",
    ]
    assert len(lines) == 3
    line = next(each for each in lines if "a.csv" in each)
    for word in ("DONE", "external_input_files", "hubspot/sales/a.csv", "1.4 MB", "30 s", "3 min 20 s"):
        assert word in line


def test_parked_files_are_shown_with_their_errors(files):
    ran = files("--status", "parked")
    assert "hubspot/sales/b.csv" in ran.out
    assert "division by zero" in ran.out
    assert "a.csv" not in ran.out
    assert files("--status", "GONE").out == "No files.\n"


@pytest.mark.parametrize(
    ("by", "columns"),
    [("provider", ["PROVIDER", "REF"]), ("flow", ["DIRECTION", "SLOT"]), ("day", ["DIRECTION", "SLOT"])],
)
def test_files_are_counted_straight_from_their_paths(files, by, columns):
    ran = files("--by", by)
    assert (ran.code, ran.err) == (0, "")
    header, _, *lines = ran.out.splitlines()
    assert header.split()[:2] == columns
    assert len(lines) == 2
    line = next(each for each in lines if "hubspot" in each)
    assert "1.4 MB" in line
    assert "3 min 20 s" in line


def test_files_for_programs(files):
    flows = json.loads(files("--by", "provider", "--json").out)
    assert flows["more"] is False
    assert [(row["provider_ref"], row["files"], row["parked"], row["bytes"]) for row in flows["flows"]] == [
        ("hubspot", 2, 1, 1_400_020),
        ("adp", 1, 0, 999),
    ]
    listed = json.loads(files("--json", "--limit", "2").out)
    assert (len(listed["files"]), listed["more"]) == (2, True)
    assert listed["files"][0]["seconds_to_done"] == 200


def test_more_files_than_the_limit_are_told(files):
    assert files("--limit", 2).err == "There are more than 2; --limit N shows more, --limit 0 all.\n"
    assert files("--limit", 0).err == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "month"], "files cannot be counted by 'month'; by provider, consumer, flow, day"),
        (["--status", "LOST"], "no status of a file: LOST; there are NEW, CLAIMED"),
        (["--by", "flow", "--status", "NEW"], "--status picks files"),
    ],
)
def test_questions_that_make_no_sense_are_refused(files, words, told):
    ran = files(*words)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err


def test_a_schema_without_slots_and_a_manifest_without_a_schema_are_told(pinky, manifest, account, tmp_path):
    ran = pinky("files", "--local", "-m", manifest)
    assert (ran.code, ran.err) == (1, "error: files belong to one schema, DB.SCHEMA; found none\n")
    ran = pinky("files", f"--local={account / 'account'}", "-m", account, "--target", "D.PUBLIC", "--json")
    assert ran.code == 1
    error = json.loads(ran.out)["error"]
    assert error["code"] == "files"
    assert error["message"].startswith("there is no view D.PUBLIC.FILES here")


def test_without_the_package_of_slots_the_command_says_which_one_it_needs(pinky, manifest, monkeypatch):
    import pinky_schema

    monkeypatch.delattr(pinky_schema, "flow_reading", raising=False)
    monkeypatch.setitem(sys.modules, "pinky_schema.flow_reading", None)
    ran = pinky("files", "--local", "-m", manifest)
    assert (ran.code, ran.err) == (1, "error: this needs the package pinky-schema, from the same place as pinky-cli\n")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_940, "99.9 kB"), (99_960, "100 kB"),
        (999_600, "1.0 MB"), (decimal.Decimal(1_400_000), "1.4 MB"), (2_000_000_000, "2.0 GB"), (10**18, "1000 PB"),
    ],
)  # fmt: skip
def test_sizes_as_people_read_them(count, text):
    assert render_tables.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""), (0, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (3_600, "1 h"),
        (3_605, "1 h"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h"), (-61, "-1 min 1 s"),
    ],
)  # fmt: skip
def test_times_as_people_read_them(seconds, text):
    assert render_tables.duration(seconds) == text


def test_a_pipe_loses_nothing_and_no_text_commands_the_terminal(capsys):
    long = "x" * 300
    render_tables.show_table(Terminal(), [("A", "left"), ("B", "right")], [[long, "\x1b[31mred"], ["[bold]a[/]", "1"]])
    out = capsys.readouterr().out
    assert long in out
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out
    assert "[bold]a[/]" in out
