"""Event tables and Git repositories: their laws, and their statements."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema import SchemaProvider
from pinky_schema.event_table import EventTable
from pinky_schema.git_repository import GitRepository

from pinky_core import DiagnosticsError
from pinky_core.testing import Laboratory, check_resource_type

ORIGIN = "https://git.example/acme/product.git"


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Laboratory]:
    remote = tmp_path / "remote"
    names = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["init", "-q", str(remote)], ["-C", str(remote), "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], env={**os.environ, **names}, check=True)
    with LocalAccount(data=False, repositories={ORIGIN: remote}) as account, account.connect() as connection:
        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S",
            "CREATE SECRET D.S.K TYPE = PASSWORD USERNAME = 'a' PASSWORD = 'b'",
            "CREATE API INTEGRATION GIT API_PROVIDER = git_https_api API_ALLOWED_PREFIXES = ('https://git.example/') "
            "ALLOWED_AUTHENTICATION_SECRETS = ALL ENABLED = TRUE",
            "CREATE API INTEGRATION OTHER API_PROVIDER = git_https_api API_ALLOWED_PREFIXES = ('https://') "
            "ALLOWED_AUTHENTICATION_SECRETS = ALL ENABLED = TRUE",
        ):  # fmt: skip
            connection.cursor().execute(text)
        yield Laboratory(SchemaProvider(connection), "schema", "D.S")
        assert not account.internal_errors


def texts(laboratory: Laboratory, documents: dict[str, Any]) -> list[str]:
    plan = laboratory.plan(documents)
    laboratory.apply(plan)
    return [str(each) for each in plan.statements()]


def test_event_tables_keep_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(EventTable, laboratory)


def test_an_event_table_is_altered_and_dropped_as_a_table(laboratory: Laboratory) -> None:
    assert texts(laboratory, {"event_table": [{"name": "E", "change_tracking": True}]}) == [
        "CREATE EVENT TABLE D.S.E CHANGE_TRACKING = TRUE"
    ]
    changed = {"event_table": [{"name": "E", "comment": "x", "data_retention_time_in_days": 2}]}
    assert texts(laboratory, changed) == ["ALTER TABLE D.S.E SET DATA_RETENTION_TIME_IN_DAYS = 2 COMMENT = 'x'"]
    assert texts(laboratory, changed) == []
    none = {"event_table": [{"name": "E", "comment": None, "data_retention_time_in_days": None}]}
    assert texts(laboratory, none) == ["ALTER TABLE D.S.E UNSET DATA_RETENTION_TIME_IN_DAYS, COMMENT"]


def test_git_repositories_keep_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(
        GitRepository,
        laboratory,
        values={"git_credentials": st.just("D.S.K"), "api_integration": st.sampled_from(("git", "other"))},
        fixed={"origin": ORIGIN},
        keep={"api_integration"},
        renames=False,
    )


def test_a_git_repository_is_reached_by_https_and_never_replaced_without_permission(laboratory: Laboratory) -> None:
    with pytest.raises(DiagnosticsError, match="by HTTPS only"):
        laboratory.plan({"git_repository": [{"name": "R", "origin": "git@host:x.git", "api_integration": "GIT"}]})
    documents = {"git_repository": [{"name": "R", "origin": ORIGIN, "api_integration": "GIT"}]}
    assert texts(laboratory, documents) == [
        f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = GIT"
    ]
    documents["git_repository"][0]["origin"] = ORIGIN.replace("product", "other")
    assert [change.loses for change in laboratory.plan(documents).destructive()] == [
        "the clone with what was fetched, and grants on it"
    ]
