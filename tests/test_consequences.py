"""One mistake is told once: what only follows from it is left out, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinky_core import Diagnostic, DiagnosticsError, Location, validate_manifest
from pinky_core.consequences import without_consequences
from tests.acceptance.world import REGISTRY

MANIFEST = """\
scope: account
resources:
  database:
    - name: "SHOP_{{ env }}"
      data_retention_time_in_days: "{{ vars.days }}"
  schema:
    - {name: RAW, database: "SHOP_{{ env }}"}
    - {name: CORE, database: "SHOP_{{ env }}"}
"""


def mistakes(folder: Path, manifest: str, **given: str) -> list[tuple[str, str, str]]:
    (folder / "manifest.yml").write_text(manifest, encoding="utf-8")
    with pytest.raises(DiagnosticsError) as raised:
        validate_manifest(folder, REGISTRY, **given)  # type: ignore[arg-type]  # options by name
    return [(str(each.location), each.summary, each.hint) for each in raised.value.diagnostics]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vars").mkdir()
    for env in ("DEV", "PROD"):
        (tmp_path / "vars" / f"{env}.yml").write_text("days: 1\n", encoding="utf-8")
    return tmp_path


def test_a_forgotten_environment_is_one_mistake_and_names_those_there_are(folder):
    assert mistakes(folder, MANIFEST) == [
        (
            "manifest.yml:4:13",
            "{{ env }}: no environment is known (here and in 2 further places)",
            "Choose one with --env: DEV, PROD.",
        ),
        (
            "manifest.yml:5:36",
            "{{ vars.days }}: the variable 'days' is not defined",
            "Choose an environment with --env: DEV, PROD. Define it in vars:, in vars/<ENV>.yml or with --var.",
        ),
    ]


def test_a_mistyped_environment_is_one_mistake_without_a_place_in_another_file(folder):
    assert mistakes(folder, MANIFEST, env="DVE") == [("None", "there is no vars/DVE.yml", "Did you mean 'DEV'?")]


def test_a_mistake_beside_a_missing_variable_is_still_told(folder):
    found = mistakes(folder, MANIFEST + "    - {name: MARTS, databse: X}\n")
    assert [each[0] for each in found] == ["manifest.yml:4:13", "manifest.yml:5:36", "manifest.yml:9:21"]


@pytest.mark.parametrize("text", ["a: b: c\n", "scope: account\nresources:\n\ttable: []\n"])
def test_a_manifest_that_cannot_be_read_says_nothing_of_its_scope(folder, text):
    (found,) = mistakes(folder, text)
    assert "not valid YAML" in found[1]


def test_what_cannot_be_read_in_other_files_is_told_too(folder):
    (folder / "resources" / "table").mkdir(parents=True)
    (folder / "resources" / "table" / "t.yml").write_text("a: b: c\n", encoding="utf-8")
    assert [each[0].split(":")[0] for each in mistakes(folder, "a: b: c\n")] == [
        "manifest.yml",
        "resources/table/t.yml",
    ]


def test_a_file_that_a_resource_names_hides_no_other_mistake(folder):
    body = "target: D.S\nresources:\n  view: [{name: V, query: {file: nope.sql}}]\n  table: [{name: T, colums: []}]\n"
    assert [each[0] for each in mistakes(folder, body)] == [
        "manifest.yml:3:34",
        "manifest.yml:4:11",
        "manifest.yml:4:21",
    ]


def test_a_manifest_that_is_not_there_is_one_mistake(tmp_path):
    with pytest.raises(DiagnosticsError) as raised:
        validate_manifest(tmp_path, REGISTRY)
    (found,) = raised.value.diagnostics
    assert found.summary == "cannot read 'manifest.yml': there is no such file"


@pytest.mark.parametrize(
    ("target", "summary"),
    [
        ("D.S;x", "target: 'D.S;x' is not a name: unexpected ';' at character 4"),
        ("D", "a manifest of scope schema has DB.SCHEMA as its target; found 'D'"),
    ],
)
def test_a_wrong_target_of_the_caller_has_no_place_in_the_manifest(folder, target, summary):
    manifest = "scope: schema\ntarget: D.S\nresources:\n  table: [{name: T, columns: [{name: A, type: INT}]}]\n"
    assert [each[:2] for each in mistakes(folder, manifest, target=target)] == [("None", summary)]


def test_a_missing_target_is_one_mistake(folder):
    manifest = "scope: schema\nresources:\n  table: [{name: T, columns: [{name: A, type: INT}]}]\n"
    assert [each[1] for each in mistakes(folder, manifest)] == ["a manifest of scope schema needs a target: DB.SCHEMA"]


def test_an_account_has_no_target(folder):
    (found,) = mistakes(folder, "scope: account\nresources: {database: [{name: D}]}\n", target="D")
    assert found[1] == "a manifest of scope account has no target: it is about the account itself; found 'D'"


def test_an_unknown_kind_without_resources_is_told(folder):
    (found,) = mistakes(folder, "scope: account\nresources: {databse: []}\n")
    assert found == ("manifest.yml:2:13", "unknown kind 'databse'", "Did you mean 'database'?")


def test_equal_mistakes_of_other_codes_all_stay():
    places = [Location("manifest.yml", line, 1) for line in (1, 2)]
    found = [Diagnostic.error("wrong-type", "expected a text", location=place) for place in places]
    assert without_consequences(found, "manifest.yml") == found
