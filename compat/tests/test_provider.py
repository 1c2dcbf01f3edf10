"""The import paths of pinky-provider lead to the classes of the packages that make them."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import pinky_provider
import pytest
from pinky_provider.resources import schema
from pinky_schema import SchemaProvider

from pinky_core import Provider


def test_the_provider_is_that_of_the_core() -> None:
    assert pinky_provider.Provider is Provider


def test_the_schema_provider_is_that_of_pinky_schema() -> None:
    assert schema.SchemaProvider is SchemaProvider
    assert issubclass(SchemaProvider, Provider)


def test_there_is_nothing_else() -> None:
    found = {each.name for each in pkgutil.walk_packages(pinky_provider.__path__, "pinky_provider.")}
    assert found == {"pinky_provider.resources", "pinky_provider.resources.schema"}
    assert (pinky_provider.__all__, schema.__all__) == (["Provider"], ["SchemaProvider"])


def test_without_pinky_schema_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pinky_schema", None)
    monkeypatch.delitem(sys.modules, "pinky_provider.resources.schema")
    with pytest.raises(ImportError, match=r"install pinky-provider\[schema\]"):
        importlib.import_module("pinky_provider.resources.schema")
