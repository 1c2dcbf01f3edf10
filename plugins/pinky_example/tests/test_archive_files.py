"""The slot of the example works in a manifest like the four of pinky_schema."""

from __future__ import annotations

from types import ModuleType

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
