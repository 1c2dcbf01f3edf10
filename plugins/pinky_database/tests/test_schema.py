from __future__ import annotations

from typing import Any, ClassVar

import pinky_database
import pytest

from pinky_core import DiagnosticsError, Provider, Registry, Resource, hookimpl, make_registry, prop, resource
from pinky_core.testing import FakeSession, Laboratory

SHOWN = {"name": "S", "options": "", "comment": "", "object_visibility": None}


def plan(registry: Registry, shown: dict[str, Any] | None, declared: dict[str, Any], **answers: Any) -> list[str]:
    rows = [{**SHOWN, "name": "INFORMATION_SCHEMA"}] + ([] if shown is None else [{**SHOWN, **shown}])
    session = FakeSession({"SHOW DATABASES": [{"name": "D"}], "SHOW SCHEMAS IN DATABASE D": rows, **answers})
    laboratory = Laboratory(Provider(session, registry=registry), "database", "D")
    return [each.text for each in laboratory.plan({"schema": [{"name": "s", **declared}]}).statements()]


def test_create_says_what_its_syntax_lists_and_alter_the_rest(registry: Registry) -> None:
    declared = {"transient": True, "managed_access": True, "comment": "x", "trace_level": "always", "catalog": "c"}
    assert plan(registry, None, {**declared, "classification_profile": "a.b.c"}) == [
        "CREATE TRANSIENT SCHEMA D.S WITH MANAGED ACCESS CATALOG = C CLASSIFICATION_PROFILE = 'A.B.C' COMMENT = 'x'",
        "ALTER SCHEMA D.S SET TRACE_LEVEL = 'ALWAYS'",
    ]


def test_options_tell_managed_access_and_transient(registry: Registry) -> None:
    both = {"options": "TRANSIENT, MANAGED ACCESS"}
    assert plan(registry, both, {"managed_access": True, "transient": True}) == []
    assert plan(registry, both, {"managed_access": False}) == ["ALTER SCHEMA D.S DISABLE MANAGED ACCESS"]
    assert plan(registry, {}, {"managed_access": True, "comment": "x"}) == [
        "ALTER SCHEMA D.S SET COMMENT = 'x'",
        "ALTER SCHEMA D.S ENABLE MANAGED ACCESS",
    ]


def test_the_classification_profile_stands_in_three_columns(registry: Registry) -> None:
    shown = {
        "classification_profile_database": "A",
        "classification_profile_schema": "b c",
        "classification_profile": "P",
    }
    assert plan(registry, shown, {"classification_profile": 'a."b c".p'}) == []
    assert plan(registry, shown, {"classification_profile": None}) == ["ALTER SCHEMA D.S UNSET CLASSIFICATION_PROFILE"]


def test_transient_stays_what_it_was(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match=r"schema D\.S is permanent, and Snowflake cannot change that"):
        plan(registry, {}, {"transient": True})


def test_inherited_parameters_are_not_set_here(registry: Registry) -> None:
    answer = {"SHOW PARAMETERS IN SCHEMA D.S": [{"key": "LOG_LEVEL", "value": "INFO", "level": "DATABASE"}]}
    assert plan(registry, {}, {"log_level": None}, **answer) == []
    assert plan(registry, {}, {"log_level": "INFO"}, **answer) == ["ALTER SCHEMA D.S SET LOG_LEVEL = 'INFO'"]


@resource("database", scope="account")
class Database(Resource):
    """As much of a database as a schema needs to know."""

    transient: bool = prop(default=False)


class Databases:
    @hookimpl
    def pinky_resource_types(self) -> list[type[Resource]]:
        return [Database]


class TestPublicOfANewDatabase:
    registry: ClassVar[Registry] = make_registry({"databases": Databases(), "pinky_database": pinky_database})

    def plan(self, schema: dict[str, Any], **database: Any) -> list[str]:
        laboratory = Laboratory(Provider(FakeSession(), registry=self.registry))
        resources = {"database": [{"name": "n", **database}], "schema": [{"name": "n.public", **schema}]}
        return [each.text for each in laboratory.plan(resources).statements()][1:]

    def test_it_is_there_when_its_turn_comes(self) -> None:
        assert self.plan({"managed_access": True, "comment": "x"}) == [
            "CREATE SCHEMA IF NOT EXISTS N.PUBLIC",
            "ALTER SCHEMA N.PUBLIC ENABLE MANAGED ACCESS",
            "ALTER SCHEMA N.PUBLIC SET COMMENT = 'x'",
        ]

    def test_it_is_as_transient_as_its_database(self) -> None:
        assert self.plan({"transient": True}, transient=True) == ["CREATE SCHEMA IF NOT EXISTS N.PUBLIC"]
        with pytest.raises(DiagnosticsError, match=r"schema N\.PUBLIC is permanent"):
            self.plan({"transient": True})
