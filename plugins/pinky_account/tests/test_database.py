from __future__ import annotations

from typing import Any

import pytest

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import FakeSession, Laboratory

SHOWN = {"name": "D", "origin": "", "options": "", "comment": "", "kind": "STANDARD", "object_visibility": None}


def laboratory_with(registry: Registry, shown: dict[str, Any] | None, **answers: Any) -> Laboratory:
    rows = [] if shown is None else [{**SHOWN, **shown}]
    return Laboratory(Provider(FakeSession({"SHOW DATABASES": rows, **answers}), registry=registry))


def statements(laboratory: Laboratory, **declared: Any) -> list[str]:
    return [each.text for each in laboratory.plan({"database": [{"name": "d", **declared}]}).statements()]


def test_create_says_what_its_syntax_lists_and_alter_the_rest(registry: Registry) -> None:
    laboratory = laboratory_with(registry, None)
    found = statements(
        laboratory,
        transient=True,
        data_retention_time_in_days=0,
        catalog="snowflake",
        comment="it's",
        log_level="info",
        event_table="ops.public.events",
        iceberg_merge_on_read_behavior="auto",
    )
    assert found == [
        "CREATE TRANSIENT DATABASE D DATA_RETENTION_TIME_IN_DAYS = 0 CATALOG = SNOWFLAKE"
        " ICEBERG_MERGE_ON_READ_BEHAVIOR = 'AUTO' COMMENT = 'it''s'",
        "ALTER DATABASE D SET LOG_LEVEL = 'INFO', EVENT_TABLE = OPS.PUBLIC.EVENTS",
    ]


def test_an_inherited_parameter_is_not_set_here(registry: Registry) -> None:
    inherited = {"SHOW PARAMETERS IN DATABASE D": [{"key": "LOG_LEVEL", "value": "INFO", "level": "ACCOUNT"}]}
    assert statements(laboratory_with(registry, {}, **inherited), log_level="INFO") == [
        "ALTER DATABASE D SET LOG_LEVEL = 'INFO'"
    ]
    assert statements(laboratory_with(registry, {}, **inherited), log_level=None) == []


def test_a_parameter_set_here_is_compared_and_unset(registry: Registry) -> None:
    own = {
        "SHOW PARAMETERS IN DATABASE D": [
            {"key": "EVENT_TABLE", "value": "ops.PUBLIC.EVENTS", "level": "DATABASE"},
            {"key": "DATA_RETENTION_TIME_IN_DAYS", "value": "7", "level": "DATABASE"},
        ]
    }
    same = {"event_table": "OPS.public.events", "data_retention_time_in_days": 7}
    assert statements(laboratory_with(registry, {}, **own), **same) == []
    assert statements(laboratory_with(registry, {}, **own), data_retention_time_in_days=None) == [
        "ALTER DATABASE D UNSET DATA_RETENTION_TIME_IN_DAYS"
    ]


@pytest.mark.parametrize("kind", ["IMPORTED DATABASE", "APPLICATION", "PERSONAL DATABASE", "CATALOG-LINKED DATABASE"])
def test_a_database_of_another_kind_is_not_ours_to_change(registry: Registry, kind: str) -> None:
    with pytest.raises(DiagnosticsError, match=f"database D is {kind.lower()}; only standard"):
        statements(laboratory_with(registry, {"kind": kind, "origin": "X.Y"}), comment="x")


def test_other_databases_of_other_kinds_disturb_nobody(registry: Registry) -> None:
    laboratory = laboratory_with(registry, {"name": "SNOWFLAKE", "kind": "APPLICATION", "origin": "S.A"})
    assert statements(laboratory) == ["CREATE DATABASE D"]


def test_transient_stays_what_it_was(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match="database D is permanent, and Snowflake cannot change that"):
        statements(laboratory_with(registry, {}), transient=True)
    with pytest.raises(DiagnosticsError, match="database D is transient"):
        statements(laboratory_with(registry, {"options": "TRANSIENT"}), transient=False)
    assert statements(laboratory_with(registry, {"options": "TRANSIENT"}), transient=True) == []


def test_an_event_table_needs_its_full_name(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError, match="has 1 parts; give database, schema and name"):
        statements(laboratory_with(registry, {}), event_table="events")


def test_an_empty_text_is_no_value_of_a_parameter(registry: Registry) -> None:
    with pytest.raises(DiagnosticsError):
        statements(laboratory_with(registry, {}), default_ddl_collation="")
