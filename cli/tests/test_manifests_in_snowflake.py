"""Manifests on a stage: plan and apply read them there; commands without an account say that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pinky_cli.manifests import lies_in_snowflake
from pinky_cli.settings import Settings
from pinky_local import LocalAccount

from .conftest import Pinky

VIEW = 'scope: schema\ntarget: D.T\nresources:\n  view: [{name: V, query: "SELECT 1 AS A"}]\n'


@pytest.fixture
def account(tmp_path: Path) -> str:
    """A kept account with a manifest on a stage, as the option that opens it."""
    folder, manifest = tmp_path / "account", tmp_path / "manifest.yml"
    manifest.write_text(VIEW, encoding="utf-8")
    with LocalAccount(folder=folder) as made, made.connect() as connection:
        for text in ("CREATE DATABASE D", "CREATE SCHEMA D.T", "CREATE STAGE D.PUBLIC.S"):
            connection.cursor().execute(text)
        put = f"PUT 'file://{manifest.as_posix()}' @D.PUBLIC.S/some/ AUTO_COMPRESS = FALSE"
        connection.cursor().execute(put)
    return f"--local={folder}"


def test_plan_and_apply_read_a_manifest_on_a_stage(pinky: Pinky, account: str) -> None:
    planned = pinky(account, "plan", "-m", "@D.PUBLIC.S/some/", "--detailed-exitcode")
    assert (planned.code, "1 to create" in planned.out) == (2, True), planned.err
    applied = pinky(account, "apply", "-m", "@D.PUBLIC.S/some", "--yes")
    assert (applied.code, "1 applied" in applied.out) == (0, True), applied.err
    assert pinky(account, "plan", "-m", "@D.PUBLIC.S/some/", "--detailed-exitcode", "--prune").code == 0


def test_a_stage_without_a_manifest_or_that_is_not_there_is_said(pinky: Pinky, account: str) -> None:
    none = pinky(account, "plan", "-m", "@D.PUBLIC.S/other/")
    assert none.code == 1
    assert "no manifest.yml" in none.err
    missing = pinky(account, "plan", "-m", "@D.PUBLIC.NOWHERE/other/")
    assert missing.code == 1
    assert "D.PUBLIC.NOWHERE is not there, or this role may not read it" in missing.err
    repository = pinky(account, "apply", "-m", "D.PUBLIC.R:/other/", "--yes")
    assert repository.code == 1
    assert "READ on the Git repository" in repository.err


@pytest.mark.parametrize("command", ["validate", "graph"])
def test_what_opens_no_account_does_not_read_from_one(pinky: Pinky, command: str) -> None:
    ran = pinky(command, "-m", "@D.PUBLIC.S/some/")
    assert ran.code == 1
    assert "@D.PUBLIC.S/some/ lies in Snowflake" in ran.err


@pytest.mark.parametrize(
    ("source", "there"),
    [("@D.S.T", True), ("@D.S.T/a/", True), ("D.S.R:/a/", True), ('"d".S.R:/', True),
     ("C:/data/manifest", False), ("./a.b/c:/d", False), ("a", False), (".", False), ("../x.y", False)],
)  # fmt: skip
def test_where_a_text_leads(source: str, there: bool) -> None:
    assert lies_in_snowflake(Settings(manifest=source)) is there
