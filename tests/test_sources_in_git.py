"""Manifests in a Git repository object: from the connector, and inside a procedure; one run reads one commit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_schema import SchemaProvider

from pinky_core import DiagnosticsError

ORIGIN = "https://git.example/acme/product.git"
BODY = """
from pinky_schema.provisioning import provision

def main(session, source, client_id):
    return provision(session, source=source, database="D", client_id=client_id)
"""

RESTRICTED = """
from pinky_schema.provisioning import provision

def main(session, source, client_id, staging):
    class Files:
        def get(self, location, folder):
            if location.startswith("@D.S.R/"):
                raise NotImplementedError("no Git here")
            return session.file.get(location, folder)

        def get_stream(self, location, decompress=False):
            if location.startswith("@D.S.R/"):
                raise ValueError("no stream of it either")
            return session.file.get_stream(location, decompress=decompress)

    class Session:
        file = Files()
        sql = session.sql

    return provision(Session(), source=source, database="D", client_id=client_id, staging=staging)
"""


def git(folder: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.check_output(command, env={**os.environ, **names}, encoding="utf-8").strip()


def commit(folder: Path, comment: str) -> str:
    manifest = folder / "manifest_client/manifest.yml"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text("resources:\n  view: [{name: V, query: {file: v.sql}}]\n", encoding="utf-8")
    (manifest.parent / "v.sql").write_text(f"SELECT '{comment}' AS A", encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", comment)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "one")
    git(folder, "tag", "v1")
    return folder


@pytest.fixture
def connection(remote: Path) -> Iterator[Any]:
    with LocalAccount(repositories={ORIGIN: remote}) as account, account.connect(paramstyle="qmark") as made:
        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE SCHEMA D.T",
            "CREATE API INTEGRATION GIT API_PROVIDER = git_https_api API_ALLOWED_PREFIXES = ('https://git.example/') "
            "ENABLED = TRUE", f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = GIT",
        ):  # fmt: skip
            made.cursor().execute(text)
        yield made
        assert not account.internal_errors


def query_of(connection: Any, source: str) -> str:
    plan = SchemaProvider(connection).plan(source, "D.T")
    return str(plan.statements()[-1]).partition(" AS ")[2]


def test_branches_tags_and_commits(connection: Any, remote: Path) -> None:
    first = git(remote, "rev-parse", "HEAD")
    second = commit(remote, "two")
    git(remote, "checkout", "-q", "-b", "feature/x")
    commit(remote, "three")
    with pytest.raises(DiagnosticsError, match=r"manifest\.yml"):
        query_of(connection, f"@D.S.R/commits/{second}/manifest_client/")
    connection.cursor().execute("ALTER GIT REPOSITORY D.S.R FETCH")
    for source, word in (
        ("D.S.R:/manifest_client/", "two"),
        ("@D.S.R/branches/main/manifest_client/", "two"),
        ("@D.S.R/branches/feature/x/manifest_client/", "three"),
        ("@D.S.R/tags/v1/manifest_client/", "one"),
        (f"@D.S.R/commits/{first}/manifest_client/", "one"),
    ):
        assert query_of(connection, source) == f"SELECT '{word}' AS A", source


def test_a_run_reads_the_commit_it_began_with(connection: Any, remote: Path) -> None:
    provider = SchemaProvider(connection)
    source = provider.open("D.S.R:/manifest_client/")
    assert source.list("*.yml") == ["manifest.yml"]
    commit(remote, "two")
    connection.cursor().execute("ALTER GIT REPOSITORY D.S.R FETCH")
    assert source.read("v.sql") == "SELECT 'one' AS A"
    assert provider.open("D.S.R:/manifest_client/").read("v.sql") == "SELECT 'two' AS A"


def test_a_procedure_reads_it_and_the_report_names_the_commit(connection: Any, remote: Path) -> None:
    pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")
    connection.cursor().execute(
        "CREATE PROCEDURE D.S.P(SOURCE VARCHAR, CLIENT_ID VARCHAR) RETURNS VARIANT LANGUAGE PYTHON "
        "RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' EXECUTE AS OWNER "
        f"AS $${BODY}$$"
    )
    call = "CALL D.S.P('D.S.R:/manifest_client/', 'acme')"
    report = json.loads(connection.cursor().execute(call).fetchone()[0])
    assert (report["status"], report["failures"]) == ("ok", [])
    assert report["commit"] == git(remote, "rev-parse", "HEAD")
    assert connection.cursor().execute("SELECT A FROM D.ACME.V").fetchall() == [("one",)]
    bad = json.loads(connection.cursor().execute(call.replace("R:/", "R:/../")).fetchone()[0])
    assert bad["status"] == "refused"
    assert "no folder that a source may name" in bad["failures"][0]["message"]


def test_where_a_procedure_cannot_read_git_files_they_are_copied_to_a_stage(connection: Any, remote: Path) -> None:
    pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")
    run = connection.cursor().execute
    run("CREATE STAGE D.S.COPIES")
    run(
        "CREATE PROCEDURE D.S.Q(SOURCE VARCHAR, CLIENT_ID VARCHAR, STAGING VARCHAR) RETURNS VARIANT LANGUAGE PYTHON "
        "RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' EXECUTE AS OWNER "
        f"AS $${RESTRICTED}$$"
    )
    call = "CALL D.S.Q('D.S.R:/manifest_client/', ?, ?)"
    without = json.loads(run(call, ("acme", None)).fetchone()[0])
    assert without["status"] == "refused"
    assert "no Git here" in without["failures"][0]["message"]
    report = json.loads(run(call, ("acme", "@D.S.COPIES/git/")).fetchone()[0])
    assert (report["status"], report["failures"]) == ("ok", [])
    head = git(remote, "rev-parse", "HEAD")
    assert report["commit"] == head
    assert run("SELECT A FROM D.ACME.V").fetchall() == [("one",)]
    copies = sorted(row[0] for row in run("LIST @D.S.COPIES").fetchall())
    assert copies == [f"copies/git/commits/{head}/manifest_client/{name}" for name in ("manifest.yml", "v.sql")]
