"""Manifests that lie in Snowflake: what a source may be called, and files of a stage through the connector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinky_local.account import LocalAccount
from pinky_schema import SchemaProvider

from pinky_core import DiagnosticsError, Identifier
from pinky_core.fleet import Fleet
from pinky_core.manifest_source import FolderSource
from pinky_core.session import Rows
from pinky_core.sources import GitSource, StageSource, open_source
from pinky_core.testing import FakeSession

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
REPOSITORY = {
    r"SHOW GIT BRANCHES IN D\.S\.NOGIT": 2003,
    r"SHOW GIT BRANCHES IN D\.S\.R": [
        {"name": "main", "commit_hash": SHA},
        {"name": "feature/x", "commit_hash": OTHER},
    ],
    r"SHOW GIT TAGS IN D\.S\.R": [{"name": "v1.0", "commit_hash": OTHER}],
}


class Reading(FakeSession):
    """A fake session that can be asked for files, and has none."""

    def read_file(self, location: str, size: int) -> bytes:
        raise AssertionError(f"nothing shall be read: {location}")


@pytest.mark.parametrize(
    ("text", "place", "commit"),
    [
        ("@D.S.ST/manifest_client/", "@D.S.ST/manifest_client", None),
        ('@"my db".s."St"', '@"my db".S."St"', None),
        ("D.S.R:/manifest_client/", f"@D.S.R/commits/{SHA}/manifest_client", SHA),
        ("d.s.r:/", f"@D.S.R/commits/{SHA}", SHA),
        ("@D.S.R/branches/feature/x/a/b", f"@D.S.R/commits/{OTHER}/a/b", OTHER),
        ("@D.S.R/tags/v1.0/manifest_client", f"@D.S.R/commits/{OTHER}/manifest_client", OTHER),
        (f"@D.S.R/commits/{OTHER}/a", f"@D.S.R/commits/{OTHER}/a", OTHER),
        ("@D.S.NOGIT/branches/a", "@D.S.NOGIT/branches/a", None),
    ],
)
def test_spellings(text: str, place: str, commit: str | None) -> None:
    source = open_source(text, Reading(REPOSITORY))
    assert isinstance(source, StageSource)
    assert (source.name, source.commit) == (place, commit)
    assert isinstance(source, GitSource) is (commit is not None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@ST/manifest_client", "has 1 parts; write DB.SCHEMA.NAME in full"),
        ("S.R:/manifest_client/", "has 2 parts; write DB.SCHEMA.NAME in full"),
        ("@D.S.R/branches/mian/a", "no branch 'mian' was fetched.*Did you mean 'main'"),
        ("@D.S.R/tags/v2/a", "no tag 'v2' was fetched"),
        ("@D.S.R/commits/abc/a", "'abc' is no commit"),
        ("@D.S.ST/../other", "'..' is no folder"),
        ("@D.S.ST/a/%2e%2e/b", "no folder that a source may name"),
        ("@D.S.ST/a\\..\\b", "no folder that a source may name"),
        ("@D.S.ST/x' ; DROP TABLE T --", "no folder that a source may name"),
        ("@D.S.ST/{{ vars.x }}", "no folder that a source may name"),
        ('@D.S.X"; DROP SCHEMA D.S; --', "neither a stage"),
        ("@D.S.ST/" + "a/" * 600, "characters; at most 1024"),
        ("@D.S." + "A" * 300, "identifier of 300 characters"),
        ("@D.S.ST\nDROP", "neither a stage"),
    ],
)
def test_bad_sources(text: str, message: str) -> None:
    session = Reading(REPOSITORY)
    with pytest.raises(DiagnosticsError) as caught:
        open_source(text, session)
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)
    assert session.changes == []


STAGED = st.text(alphabet="@DSR./\\\"'; :-{}%\n", max_size=40).map(lambda text: f"@D.S.{text}")


@given(st.one_of(st.text(max_size=60), STAGED))
def test_whatever_a_source_is_called_it_is_quoted_or_refused(text: str) -> None:
    session = Reading(REPOSITORY)
    try:
        source = open_source(text, session)
    except DiagnosticsError:
        source = None
    if isinstance(source, StageSource):
        session.answers["LIST .*"] = []
        source.list("**/*.yml")
    name = r'(?:"(?:[^"]|"")*"|[A-Z_][A-Z0-9_$]*)'
    full = rf"{name}\.{name}\.{name}"
    shapes = rf"SHOW GIT (?:BRANCHES|TAGS) IN {full}"
    shapes += r"|LIST '(?:[^'\\]|''|\\\\)*'"
    assert all(re.fullmatch(shapes, each, re.DOTALL) for each in session.statements), session.statements


def test_other_texts_are_paths() -> None:
    assert isinstance(open_source("manifest_client", Reading()), FolderSource)
    assert isinstance(open_source("C:/data/manifest", Reading()), FolderSource)


def test_a_repository_that_is_not_there_names_the_privilege() -> None:
    with pytest.raises(DiagnosticsError, match="It takes READ on the Git repository"):
        open_source("D.S.GONE:/a/", Reading({r"SHOW GIT BRANCHES IN D\.S\.GONE": 2003}))


# -- on the local account ------------------------------------------------------------------------------------------

MANIFEST = """scope: schema
vars: {who: nobody}
resources:
  view:
    - {name: V, query: {file: sql/v.sql}}
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    files = {
        "manifest.yml": MANIFEST,
        "sql/v.sql": "SELECT 'é' AS A",
        "resources/table/t one.yml": 'name: T\ncomment: "{{ vars.who }}"\ncolumns: [{name: A, type: INT}]\n',
        "vars/DEV.yml": "who: dev\n",
    }
    with LocalAccount() as account, account.connect() as made:
        for text in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE SCHEMA D.T", "CREATE STAGE D.S.ST"):
            made.cursor().execute(text)
        for path, text in files.items():
            file = tmp_path / "manifest_client" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            folder = f"@D.S.ST/v1/manifest_client/{path}".rpartition("/")[0]
            made.cursor().execute(f"PUT 'file://{file.as_posix()}' '{folder}' AUTO_COMPRESS = FALSE")
        yield made
        assert not account.internal_errors


def test_a_manifest_on_a_stage_is_the_same_as_in_a_folder(connection: Any, tmp_path: Path) -> None:
    provider = SchemaProvider(connection)
    staged = provider.plan("@D.S.ST/v1/manifest_client/", target="D.T", env="DEV")
    assert staged == provider.plan(tmp_path / "manifest_client", target="D.T", env="DEV")
    assert provider.apply(staged).ok
    assert provider.plan("@D.S.ST/v1/manifest_client", target="D.T", env="DEV").empty


def test_what_is_missing_or_broken_on_a_stage_is_told_with_its_place(connection: Any, tmp_path: Path) -> None:
    provider = SchemaProvider(connection)
    with pytest.raises(DiagnosticsError, match=r"manifest\.yml"):
        provider.plan("@D.S.ST/v2/manifest_client/", target="D.T")
    with pytest.raises(DiagnosticsError, match=r"D\.S\.GONE is not there, or this role may not read it"):
        provider.plan("@D.S.GONE/manifest_client/", target="D.T")
    bad = tmp_path / "v.sql"
    bad.write_bytes(b"SELECT\n '\xff'")
    connection.cursor().execute(
        f"PUT 'file://{bad.as_posix()}' @D.S.ST/v1/manifest_client/sql AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
    )
    with pytest.raises(DiagnosticsError, match="byte 0xFF is not UTF-8"):
        provider.plan("@D.S.ST/v1/manifest_client/", target="D.T")


def test_a_file_that_changes_after_it_was_listed_is_refused() -> None:
    class Changing(FakeSession):
        def execute(self, statement: str, parameters: Any = ()) -> Rows:
            return Rows(("name", "size", "md5"), [("st/manifest.yml", 400, "x")])

        def read_file(self, location: str, size: int) -> bytes:
            return b"scope: schema"

    source = open_source("@D.S.ST/", Changing())
    with pytest.raises(ValueError, match="it changed while it was read: 13 bytes, listed as 400"):
        source.read("manifest.yml")


class Stage:
    """A folder on a stage of a local account."""

    def __init__(self, connection: Any, folder: Path) -> None:
        self.connection = connection
        self._folder = folder

    def put(self, name: str, text: str) -> None:
        file = self._folder / name
        file.write_text(text, encoding="utf-8")
        put = f"PUT 'file://{file.as_posix()}' @D.S.ST/m AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
        self.connection.cursor().execute(put)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with LocalAccount() as account, account.connect() as connection:
        for text in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE STAGE D.S.ST"):
            connection.cursor().execute(text)
        made = Stage(connection, tmp_path)
        made.put("manifest.yml", "scope: schema\nresources:\n  view: [{name: V, query: {file: v.sql}}]\n")
        made.put("v.sql", "SELECT 1 AS A")
        yield made


def test_neighbours_that_begin_with_the_name_of_a_file_do_not_matter(stage: Stage) -> None:
    for name in ("manifest.yml.bak", "v.sql.orig", "v.sqlx"):
        stage.put(name, "{[}]")
    plan = SchemaProvider(stage.connection).plan("@D.S.ST/m/", "D.S")
    assert "SELECT 1 AS A" in str(plan.statements()[-1])


def test_a_stage_that_changes_while_it_is_read_is_refused(stage: Stage) -> None:
    provider = SchemaProvider(stage.connection)
    source = provider.open("@D.S.ST/m/")
    assert source.list("*") == ["manifest.yml", "v.sql"]
    stage.put("v.sql", "SELECT 2 AS A")  # as long as before
    with pytest.raises(DiagnosticsError, match=r"v\.sql changed while the source @D\.S\.ST/m was read"):
        provider.validate(source, "D.S")
    assert provider.validate("@D.S.ST/m/", "D.S").resources


def test_a_fleet_reads_each_file_once(stage: Stage) -> None:
    for number in range(5):
        stage.connection.cursor().execute(f"CREATE SCHEMA D.C{number}")
    provider = SchemaProvider(stage.connection)
    sent: list[str] = []
    run = provider.session.execute
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider.session, "execute", lambda text, *values: sent.append(text) or run(text, *values))
        read = provider.session.read_file  # type: ignore[attr-defined]
        patch.setattr(provider.session, "read_file", lambda place, size: sent.append("GET") or read(place, size))
        plans = Fleet(provider, "@D.S.ST/m/", Identifier("D"), [Identifier(f"C{n}") for n in range(5)]).plan()
    assert {each.state for each in plans} == {"behind"}
    listed = "LIST '@D.S.ST/m/'"
    assert [each for each in sent if each.startswith(("GET", "LIST"))] == [listed, "GET", "GET", listed]
