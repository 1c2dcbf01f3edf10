"""API integrations and Git repository clones, through the connector; the remote is a real repository on disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinky_local import LocalAccount

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")
ORIGIN = "https://git.example/acme/product.git"


class Remote:
    """A Git repository, and what is committed to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example"}
        environment = {**os.environ, **who, "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.example"}
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.check_output(command, env=environment, encoding="utf-8").strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    made.commit(manifest_client__manifest="scope: schema\n")
    return made


@pytest.fixture
def run(remote: Remote) -> Iterator[Any]:
    with LocalAccount(repositories={ORIGIN: remote.folder}) as account, account.connect() as connection:

        def run(text: str) -> list[Any]:
            return list(connection.cursor().execute(text).fetchall())

        run("CREATE DATABASE D")
        run("CREATE SCHEMA D.S")
        run(
            "CREATE API INTEGRATION GIT API_PROVIDER = git_https_api "
            "API_ALLOWED_PREFIXES = ('https://git.example/acme/') ENABLED = TRUE"
        )
        yield run
        assert not account.internal_errors


def refused(run: Any, errno: int, text: str) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        run(text)
    assert caught.value.errno == errno, caught.value


def test_branches_tags_and_commits_are_those_that_were_fetched(run: Any, remote: Remote) -> None:
    first = remote.git("rev-parse", "HEAD")
    remote.git("tag", "v1")
    remote.git("branch", "feature/x")
    run(f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = GIT")
    assert [row[4:7] for row in run("SHOW GIT REPOSITORIES IN SCHEMA D.S")] == [(ORIGIN, "GIT", None)]
    second = remote.commit(manifest_client__manifest="scope: schema\nvars: {}\n", more="x")
    assert [(row[0], row[3]) for row in run("SHOW GIT BRANCHES IN D.S.R")] == [("feature/x", first), ("main", first)]
    assert [(row[0], row[2]) for row in run("SHOW GIT TAGS LIKE 'v%' IN D.S.R")] == [("v1", first)]
    assert [row[0] for row in run("LS @D.S.R/branches/main/")] == ["r/branches/main/manifest_client/manifest"]
    assert run(f"LS @D.S.R/commits/{second}/") == []
    run("ALTER GIT REPOSITORY D.S.R FETCH")
    assert [row[1] for row in run("LS @D.S.R/branches/main/")] == [23, 1]
    assert [row[1] for row in run(f"LS @D.S.R/commits/{first}/")] == [14]
    assert [row[1] for row in run("LS @D.S.R/tags/v1/")] == [14]
    ((_, _, md5, sha, _),) = run("LS @D.S.R/branches/main/more")
    assert (md5, sha) == (None, remote.git("rev-parse", "HEAD:more"))


def test_files_are_read_and_never_written(run: Any, remote: Remote, tmp_path: Path) -> None:
    run(f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = GIT")
    run(f"GET @D.S.R/branches/main/manifest_client/manifest file://{tmp_path}/")
    assert (tmp_path / "manifest").read_text(encoding="utf-8") == "scope: schema\n"
    run("CREATE STAGE D.S.ST")
    run("COPY FILES INTO @D.S.ST FROM @D.S.R/branches/main/")
    assert [row[0] for row in run("LS @D.S.ST")] == ["st/manifest_client/manifest"]
    refused(run, 2, f"PUT file://{tmp_path}/manifest @D.S.R/branches/main/")
    refused(run, 2, "REMOVE @D.S.R/branches/main/")


def test_what_an_integration_does_not_allow(run: Any) -> None:
    other = "https://git.example/other/product.git"
    refused(run, 93545, f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{other}' API_INTEGRATION = GIT")
    refused(run, 93545, f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}x' API_INTEGRATION = GIT")
    refused(run, 2003, f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = NONE")
    refused(run, 1422, "CREATE GIT REPOSITORY D.S.R ORIGIN = 'git@x:y' API_INTEGRATION = GIT")
    run("CREATE SECRET D.S.K TYPE = PASSWORD USERNAME = 'a' PASSWORD = 'b'")
    create = f"CREATE GIT REPOSITORY D.S.R ORIGIN = '{ORIGIN}' API_INTEGRATION = GIT GIT_CREDENTIALS = D.S.K"
    run("ALTER API INTEGRATION GIT SET ALLOWED_AUTHENTICATION_SECRETS = NONE")
    refused(run, 93545, create)
    run("ALTER API INTEGRATION GIT SET ALLOWED_AUTHENTICATION_SECRETS = (D.S.K)")
    run(create)
    assert [row[6] for row in run("SHOW GIT REPOSITORIES IN SCHEMA D.S")] == ["D.S.K"]
    run("ALTER GIT REPOSITORY D.S.R UNSET GIT_CREDENTIALS, COMMENT")
    run("ALTER API INTEGRATION GIT SET ENABLED = FALSE")
    refused(run, 93545, "ALTER GIT REPOSITORY D.S.R FETCH")
    described = {row[0]: row[2] for row in run("DESCRIBE API INTEGRATION GIT")}
    assert described["ALLOWED_AUTHENTICATION_SECRETS"] == ""  # which Snowflake does not tell
    assert described["ENABLED"] == "false"
