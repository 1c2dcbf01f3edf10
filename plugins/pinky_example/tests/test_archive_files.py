"""The slot of the example works in a manifest like the four of pinky_schema."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pinky_example
import pytest
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry, make_registry, validate_manifest
from pinky_core.testing import MemorySource

MANIFEST = """\
scope: schema
target: D.S
vars:
  stages: {viewer: NOBODY}
stages:
- archive_files: {retention_days: 7}
"""


@pytest.fixture
def pinky_schema() -> ModuleType:
    return pytest.importorskip("pinky_schema", reason="the slot is for a section of pinky-schema")  # type: ignore[no-any-return]


@pytest.fixture
def registry(pinky_schema: ModuleType) -> Registry:
    return make_registry({"pinky_schema": pinky_schema, "pinky_example": pinky_example})


def test_the_slot_expands_into_stage_registry_procedure_and_task(registry: Registry) -> None:
    desired = validate_manifest(MemorySource({"manifest.yml": MANIFEST}), registry)
    made = {str(each.address) for each in desired.resources if each.origin == "slot archive_files"}
    assert made == {
        "stage D.S.ARCHIVE_FILES",
        "table D.S.ARCHIVE_FILES_REGISTRY",
        "procedure D.S.EXPIRE_ARCHIVE(VARCHAR, NUMBER)",
        "task D.S.EXPIRE_ARCHIVE",
    }


def test_its_option_is_checked_and_spelling_is_helped(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match="at least 1"):
        validate_manifest(MemorySource({"manifest.yml": MANIFEST.replace("7", "0")}), registry)
    with pytest.raises(DiagnosticsError, match="Did you mean 'retention_days'"):
        validate_manifest(MemorySource({"manifest.yml": MANIFEST.replace("retention_days", "retention_day")}), registry)


def test_it_appears_in_the_schema_and_in_the_listing(registry: Registry) -> None:
    assert "retention_days" in str(registry.section_schemas()["stages"])
    section = registry.sections["stages"]
    assert section.words is not None
    listed = {word.name: word.brought_by for word in section.words(registry.manager.hook)}
    assert listed["archive_files"] == "pinky_example"


def test_a_second_plan_is_empty(registry: Registry) -> None:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=registry)
        source = MemorySource({"manifest.yml": MANIFEST})
        assert provider.apply(provider.plan(source)).ok
        assert provider.plan(source).empty
        assert not account.internal_errors


class World:
    """The slot on an account that is kept in a folder, where files of any age can lie in the stage."""

    def __init__(self, account: LocalAccount, connection: Any, folder: Path) -> None:
        self.account = account
        self.connection = connection
        seed = folder / "seed"
        seed.touch()
        connection.cursor().execute(f"PUT 'file://{seed.as_posix()}' @D.S.ARCHIVE_FILES AUTO_COMPRESS = FALSE")
        (stored,) = (folder / "account").rglob("seed")
        stored.unlink()
        self.stage = stored.parent

    def sql(self, statement: str) -> Any:
        """What the procedure takes for a Snowpark session: a statement whose rows `collect` gives."""
        rows = self.connection.cursor().execute(statement).fetchall()
        return SimpleNamespace(collect=lambda: rows)

    def keep(self, path: str, days: int, content: str = "x") -> None:
        """Lay a file into the stage as if it had been put there so many days ago."""
        file = self.stage / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        then = time.time() - days * 86400
        os.utime(file, (then, then))

    def files(self) -> set[str]:
        """What lies in the stage."""
        return {row[0].partition("/")[2] for row in self.sql("LIST @D.S.ARCHIVE_FILES").collect()}

    def registry(self) -> list[tuple[str, str]]:
        """Path and status of each version."""
        statement = "SELECT RELATIVE_PATH, STATUS FROM D.S.ARCHIVE_FILES_REGISTRY ORDER BY 1, LAST_MODIFIED"
        return [tuple(row) for row in self.sql(statement).collect()]


@pytest.fixture
def world(registry: Registry, tmp_path: Path) -> Iterator[World]:
    pytest.importorskip("duckdb", reason="the registry has rows")
    with LocalAccount(tmp_path / "account") as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=registry)
        assert provider.apply(provider.plan(MemorySource({"manifest.yml": MANIFEST}))).ok
        yield World(account, connection, tmp_path)
        assert not account.internal_errors


def test_old_files_are_removed_and_the_registry_remembers_them(world: World) -> None:
    from pinky_example.archive_files import expire

    world.keep("2026/old's.csv", 8)
    world.keep("2026/young.csv", 6)
    assert expire(world, "D.S.ARCHIVE_FILES", 7) == 1
    assert world.files() == {"2026/young.csv"}
    assert world.registry() == [("2026/old's.csv", "GONE"), ("2026/young.csv", "KEPT")]
    assert expire(world, "D.S.ARCHIVE_FILES", 7) == 0
    assert expire(world, "D.S.ARCHIVE_FILES", 5) == 1
    assert world.files() == set()


def test_a_file_that_came_again_is_as_young_as_its_last_version(world: World) -> None:
    from pinky_example.archive_files import expire

    world.keep("a.csv", 6, "first")
    world.keep("b.csv", 6, "same")
    assert expire(world, "D.S.ARCHIVE_FILES", 7) == 0
    world.keep("a.csv", 1, "second")
    world.keep("b.csv", 1, "same")
    assert expire(world, "D.S.ARCHIVE_FILES", 5) == 0
    assert world.files() == {"a.csv", "b.csv"}
    assert world.registry() == [("a.csv", "GONE"), ("a.csv", "KEPT"), ("b.csv", "KEPT")]


def test_a_path_with_which_a_younger_one_begins_waits_for_it(world: World) -> None:
    from pinky_example.archive_files import expire

    world.keep("report", 9)
    world.keep("report.csv", 1)
    assert expire(world, "D.S.ARCHIVE_FILES", 7) == 0
    assert world.files() == {"report", "report.csv"}


def test_the_task_calls_the_procedure_at_night(world: World) -> None:
    pytest.importorskip("snowflake.snowpark", reason="a Python procedure runs with Snowpark")
    world.keep("old.csv", 8)
    world.keep("young.csv", 1)
    world.account.advance(86400)
    assert world.files() == {"young.csv"}
    assert world.registry() == [("old.csv", "GONE"), ("young.csv", "KEPT")]
