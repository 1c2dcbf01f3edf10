"""Publishing files of an output slot: hashes, parts of the path, one row for each version, the caller's transaction."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_local.engine.file_urls import open_staged
from pinky_schema.runtime.hashes import hash_file
from pinky_schema.runtime.publish import publish, publish_files

from pinky_core import Provider, make_registry
from pinky_core.testing import MemorySource

sys.path.insert(0, str(Path(__file__).parent))
from dispatch_world import RuntimeSession

MANIFEST = """\
scope: schema
target: D.S
vars:
  stages: {viewer: NOBODY}
stages: [internal_exposed_files]
"""
ROWS = (
    "SELECT RELATIVE_PATH, CONSUMER_REF, REF_FLUX_CONSUMER, FILE_NAME, SIZE, STATUS, RUN_ID, ATTEMPTS, SP_VERSION, "
    "HASH_RAW, HASH_SORTED, INPUT_FILES FROM D.S.INTERNAL_EXPOSED_FILES_REGISTRY ORDER BY RELATIVE_PATH, FIRST_SEEN_AT"
)
WORK = {"run_id": "r", "attempt": 2, "version": "1.0", "new_files": [{"relative_path": "a/x/1.csv"}]}


class Place:
    """The slot on a local account, a session for the runtime, and a folder to upload from."""

    def __init__(self, account: LocalAccount, session: RuntimeSession, folder: Path) -> None:
        self.account, self.session, self._folder = account, session, folder

    def upload(self, path: str, content: bytes) -> None:
        folder, _, name = path.rpartition("/")
        (self._folder / name).write_bytes(content)
        source = (self._folder / name).as_posix()
        target = f"@D.S.INTERNAL_EXPOSED_FILES/{folder}"
        self.session.sql(f"PUT 'file://{source}' '{target}' AUTO_COMPRESS = FALSE OVERWRITE = TRUE")

    def publish(self, files: list[Any], work: dict[str, Any]) -> list[dict[str, Any]]:
        return publish(self.session, "internal_exposed_files", files, work, "D.S")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with LocalAccount() as account, account.connect(warehouse="COMPUTE_WH", paramstyle="qmark") as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"pinky_schema": pinky_schema}))
        assert provider.apply(provider.plan(MemorySource({"manifest.yml": MANIFEST}))).ok
        engine: Any = account.engine
        context = account.sessions.sessions()[0].context

        class SnowflakeFile:
            """Opens what a scoped URL of the account points to."""

            @staticmethod
            def open(url: str, mode: str) -> Any:
                assert mode == "rb"
                return open_staged(engine.account, url, context)

        files = ModuleType("snowflake.snowpark.files")
        files.SnowflakeFile = SnowflakeFile  # type: ignore[attr-defined]  # a module is given what it holds
        monkeypatch.setitem(sys.modules, "snowflake.snowpark", ModuleType("snowflake.snowpark"))
        monkeypatch.setitem(sys.modules, "snowflake.snowpark.files", files)
        yield Place(account, RuntimeSession(connection), tmp_path)
        assert not account.internal_errors


def rows(place: Place) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in place.session.sql(ROWS).collect()]


def test_a_published_file_has_both_hashes_and_says_what_it_was_made_from(place: Place):
    place.upload("crm/leads/out.csv", b"b,1\na,2\n")
    place.upload("flat.csv", b"")
    told = place.publish(["crm/leads/out.csv", {"relative_path": "flat.csv", "input_files": []}], WORK)
    assert [(each["relative_path"], each["size"]) for each in told] == [("crm/leads/out.csv", 8), ("flat.csv", 0)]
    first, second = rows(place)
    assert first[:9] == ("crm/leads/out.csv", "crm", "leads", "out.csv", 8, "PUBLISHED", "r", 2, "1.0")
    assert first[9:11] == (told[0]["hash_raw"], told[0]["hash_sorted"])
    assert "a/x/1.csv" in first[11]
    assert second[1:4] == (None, None, "flat.csv")


def test_the_same_file_again_changes_its_row_and_another_content_is_another_version(place: Place):
    place.upload("crm/leads/out.csv", b"b,1\na,2\n")
    place.publish(["crm/leads/out.csv"], WORK)
    place.publish(["crm/leads/out.csv"], {**WORK, "run_id": "again"})
    assert [row[6] for row in rows(place)] == ["again"]
    place.upload("crm/leads/out.csv", b"a,2\nb,1\n")
    place.publish(["crm/leads/out.csv"], WORK)
    both = rows(place)
    assert len({row[9] for row in both}) == 2
    assert len({row[10] for row in both}) == 1, "the same rows in another order"


def test_publishing_is_part_of_the_callers_transaction(place: Place):
    place.upload("crm/leads/out.csv", b"a\n")
    place.session.sql("BEGIN TRANSACTION")
    place.publish(["crm/leads/out.csv"], WORK)
    place.session.sql("ROLLBACK")
    assert rows(place) == []


def test_many_files_are_published_by_as_many_statements_as_one(place: Place):
    for number in range(12):
        place.upload(f"crm/leads/{number}.csv", b"a\n")
    counts = []
    for files in (["crm/leads/0.csv"], [f"crm/leads/{number}.csv" for number in range(12)], []):
        before = len(place.session.statements)
        place.publish(files, WORK)
        counts.append(len(place.session.statements) - before)
    assert counts == [2, 2, 0]


def test_the_procedure_publishes_in_its_own_schema_and_without_a_run(place: Place):
    place.session.sql("USE SCHEMA D.S")
    place.upload("crm/leads/out.csv", b"a\n")
    (told,) = publish_files(place.session, "internal_exposed_files", ["crm/leads/out.csv"], None)
    assert told["hash_raw"] == rows(place)[0][9]
    with (Path(place._folder) / "out.csv").open("rb") as stream:
        assert told["hash_sorted"] == hash_file(stream, "out.csv").sorted
