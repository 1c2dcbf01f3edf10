"""Plans, reports and diagnostics as text and JSON, from values alone."""

from __future__ import annotations

import jsonschema
import pytest
from pinky_cli.excerpt import Excerpts
from pinky_cli.render_human import render_diagnostic, render_event, render_plan, render_report, summary_of
from pinky_cli.render_json import diagnostics_json, error_json, report_json

from pinky_core import (
    Action,
    Address,
    Change,
    Diagnostic,
    Event,
    FieldChange,
    Guard,
    Location,
    Outcome,
    Plan,
    Report,
    Risk,
    parse_path,
    statement,
)

TABLE = Address("table", parse_path("D.S.T"))
TASK = Address("task", parse_path("D.S.ROOT"))
OLD = Address("table", parse_path("D.S.OLD"))


def test_every_action_risk_guard_orphan_and_warning_has_its_text():
    changes = (
        Change(
            TABLE,
            Action.REPLACE,
            "differs: columns",
            Risk.DESTRUCTIVE,
            "the rows of column A",
            (FieldChange("columns.A", "NUMBER(38,0)", None, "dropped"),),
            (statement("CREATE OR REPLACE TABLE D.S.T\n  (B NUMBER)"),),
        ),
        Change(TASK, Action.ALTER, "differs: schedule", Risk.EXPENSIVE, "", (), (statement("ALTER TASK D.S.ROOT …"),)),
        Change(OLD, Action.DROP, "not declared", Risk.SAFE, "", (), (statement("DROP TABLE D.S.OLD"),)),
        Change(TABLE, Action.RENAME, "renamed from D.S.U", statements=(statement("ALTER TABLE …"),)),
    )
    guard = Guard(
        "graph of D.S.ROOT", (TASK,), (statement("ALTER TASK R SUSPEND"),), (statement("ALTER TASK R RESUME"),)
    )
    plan = Plan(
        "schema",
        parse_path("D.S"),
        "ACC",
        "ROLE",
        changes,
        (guard,),
        7,
        (OLD,),
        (Diagnostic.warning("heavy", "this takes long", hint="Wait."),),
    )
    assert render_plan(plan).plain == (
        "Plan for D.S (account ACC, role ROLE)\n\n"
        "  ± table D.S.T  differs: columns\n"
        "      DESTRUCTIVE: loses the rows of column A\n"
        '      columns.A: "NUMBER(38,0)" → (not set)  (dropped)\n'
        "      CREATE OR REPLACE TABLE D.S.T\n"
        "        (B NUMBER)\n\n"
        "  ~ task D.S.ROOT  differs: schedule\n"
        "      EXPENSIVE: rebuilds the object\n"
        "      ALTER TASK D.S.ROOT …\n\n"
        "  - table D.S.OLD  not declared\n"
        "      DROP TABLE D.S.OLD\n\n"
        "  → table D.S.T  renamed from D.S.U\n"
        "      ALTER TABLE …\n\n"
        "  ! graph of D.S.ROOT\n"
        "      before: ALTER TASK R SUSPEND\n"
        "      after, whatever happens: ALTER TASK R RESUME\n\n"
        "Not declared, left alone; --prune drops them:\n"
        "    table D.S.OLD\n\n"
        "warning[heavy]: this takes long\n  Wait.\n\n"
        "Plan: 0 to create, 2 to change, 1 to replace, 1 to drop (1 destructive, 1 expensive, 7 unchanged)."
    )


def test_texts_of_several_lines_are_shown_as_a_difference():
    field = FieldChange("query", "SELECT A\nFROM T", "SELECT B\nFROM T")
    text = render_plan(Plan("account", (), changes=(Change(TABLE, Action.ALTER, "differs: query", fields=(field,)),)))
    assert (
        "      query: \n        @@ -1,2 +1,2 @@\n        -SELECT A\n        +SELECT B\n         FROM T\n" in text.plain
    )


def test_what_an_account_says_cannot_drive_the_terminal():
    change = Change(TABLE, Action.ALTER, "differs: comment", fields=(FieldChange("comment", "a\x1b[2Jb", "c\x07"),))
    text = render_plan(Plan("account", (), account="A\x1b[31m", changes=(change,))).plain
    assert not {"\x1b", "\x07"} & set(text)
    assert "account A\\x1b[31m" in text


def test_the_summary_counts_one_resource_as_one():
    assert summary_of(Plan("account", (), unchanged=1)) == "No changes. 1 resource is as declared."


def test_a_report_names_what_failed_what_waited_and_how_to_go_on():
    report = Report(
        (
            Event(Outcome.APPLIED, "schema D.S", Address("schema", parse_path("D.S")), Action.CREATE, 0.25),
            Event(Outcome.FAILED, str(TABLE), TABLE, Action.CREATE, error="001003: no", statement="CREATE TABLE"),
            Event(Outcome.SKIPPED, str(TASK), TASK, Action.CREATE, because=str(TABLE)),
        )
    )
    assert render_report(report, 1.25, "pinky apply -m x").plain == (
        "Failed:\n  table D.S.T\n    001003: no\n    CREATE TABLE\n\n"
        "Skipped, because of table D.S.T:\n  task D.S.ROOT\n\n"
        "Apply: 1 applied, 1 failed, 1 skipped in 1.2 s.\nTo continue: pinky apply -m x"
    )
    assert render_event(report.events[1]).plain == "FAILED  + table D.S.T  001003: no"
    long = Event(Outcome.FAILED, str(TABLE), TABLE, Action.CREATE, error="2003: error:\nNo 'X'.\n  Was it dropped?")
    assert render_event(long).plain == "FAILED  + table D.S.T  2003: error: No 'X'."
    document = report_json(report, "r1")
    assert (document["run"], document["ok"]) == ("r1", False)
    assert document["events"][2]["because"] == "table D.S.T"
    assert document["events"][0]["address"] == {"kind": "schema", "path": ["D", "S"], "detail": ""}


def test_a_report_counts_what_is_too_much_to_list():
    names = [f"task D.S.T{number}" for number in range(25)]
    report = Report(tuple(Event(Outcome.SKIPPED, name, None, Action.CREATE, because="table D.S.T") for name in names))
    text = render_report(report, 0.0, "pinky apply").plain
    assert text.startswith("Skipped, because of table D.S.T:\n  task D.S.T0\n")
    assert "  task D.S.T19\n  and 5 more\n\nApply: 0 applied, 0 failed, 25 skipped" in text


def test_a_brief_plan_counts_safe_changes_and_lists_every_loss():
    addresses = [Address("table", parse_path(f"D.S.T{number}")) for number in range(1, 31)]
    created = [Change(each, Action.CREATE, "declared, not there") for each in addresses[:15]]
    dropped = [Change(each, Action.DROP, "not declared", Risk.DESTRUCTIVE, "its rows") for each in addresses[15:]]
    lines = render_plan(Plan("schema", parse_path("D.S"), changes=(*created, *dropped)), brief=True).plain.splitlines()
    assert lines[2:12] == [f"  + table D.S.T{number}  declared, not there" for number in range(1, 11)]
    assert [line for line in lines if "  - " in line] == [f"  - {each}  not declared" for each in addresses[15:]]
    assert lines.count("      DESTRUCTIVE: loses its rows") == 15
    assert lines[-3:] == [
        "  + 5 more of kind table",
        "",
        "Plan: 15 to create, 0 to change, 15 to drop (15 destructive).",
    ]


def test_a_diagnostic_points_with_tabs_and_without_a_file(tmp_path):
    (tmp_path / "manifest.yml").write_text("scope: schema\n\tresources: x\n", encoding="utf-8")
    excerpts = Excerpts(str(tmp_path))
    found = Diagnostic.error("c", "wrong", hint="Right.", location=Location("manifest.yml", 2, 2))
    assert render_diagnostic(found, excerpts).plain == (
        "manifest.yml:2:2: error[c]: wrong\n  2 |     resources: x\n    |     ^\n  Right.\n"
    )
    for place in (Location("manifest.yml", 99, 1), Location("gone.yml", 1, 1), Location("../secret", 1, 1)):
        assert render_diagnostic(Diagnostic.error("c", "wrong", location=place), excerpts).plain == (
            f"{place}: error[c]: wrong\n"
        )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("secret_string: planted", "secret_string: ***"),
        ('- {name: A, "secret_string": "planted", x: y}', '- {name: A, "secret_string": ***'),
        ("name: A", "name: A"),
    ],
)
def test_the_line_of_a_write_only_field_is_masked(tmp_path, line, shown):
    (tmp_path / "manifest.yml").write_text(line, encoding="utf-8")
    found = Diagnostic.error("c", "wrong", location=Location("manifest.yml", 1, 1))
    pair = Excerpts(str(tmp_path), {"secret_string"}).of(found)
    assert pair is not None
    assert pair[0] == shown


def test_a_line_that_may_be_nothing_but_a_secret_is_not_shown(tmp_path):
    (tmp_path / "manifest.yml").write_text("secret_string:\n  planted\n", encoding="utf-8")
    found = Diagnostic.error("c", "wrong", path=("secret_string",), location=Location("manifest.yml", 2, 3))
    assert Excerpts(str(tmp_path), {"secret_string"}).of(found) is None


def test_json_of_diagnostics_and_errors():
    place = Location("manifest.yml", 3, 5)
    document = diagnostics_json([Diagnostic.warning("c", "s", address=TABLE, path=("columns", 0), location=place)])
    assert document["diagnostics"] == [
        {
            "severity": "warning",
            "code": "c",
            "summary": "s",
            "hint": "",
            "address": {"kind": "table", "path": ["D", "S", "T"], "detail": ""},
            "path": ["columns", 0],
            "location": {"file": "manifest.yml", "line": 3, "column": 5},
        }
    ]
    jsonschema.validate(error_json("blocked", "no", ["a"]), {"required": ["error"]})
    assert error_json("blocked", "no", ["a"])["error"] == {"code": "blocked", "message": "no", "details": ["a"]}
