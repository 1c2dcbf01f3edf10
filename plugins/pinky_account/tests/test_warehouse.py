from __future__ import annotations

from typing import Any

import pytest

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import FakeSession, Laboratory

SHOWN = {
    "name": "W",
    "type": "STANDARD",
    "size": "2X-Large",
    "min_cluster_count": 1,
    "max_cluster_count": 3,
    "scaling_policy": "ECONOMY",
    "auto_suspend": 60,
    "auto_resume": "true",
    "resource_monitor": "null",
    "comment": "",
    "enable_query_acceleration": "false",
    "query_acceleration_max_scale_factor": 8,
    "resource_constraint": "STANDARD_GEN_2",
    "generation": "2",
}


def plan(registry: Registry, declared: dict[str, Any], **shown: Any) -> list[str]:
    session = FakeSession({"SHOW WAREHOUSES": [{**SHOWN, **shown}]})
    laboratory = Laboratory(Provider(session, registry=registry))
    return [each.text for each in laboratory.plan({"warehouse": [{"name": "w", **declared}]}).statements()]


def test_what_show_prints_means_what_is_declared(registry: Registry) -> None:
    declared = {
        "warehouse_type": "standard",
        "warehouse_size": "XXLARGE",
        "max_cluster_count": 3,
        "scaling_policy": "economy",
        "auto_suspend": 60,
        "auto_resume": True,
        "resource_monitor": None,
        "comment": "",
        "generation": 2,
        "initially_suspended": True,
    }
    assert plan(registry, declared) == []


def test_a_warehouse_that_never_stops_shows_no_seconds(registry: Registry) -> None:
    assert plan(registry, {"auto_suspend": 0}, auto_suspend=None) == []
    assert plan(registry, {"auto_suspend": None}, auto_suspend=None) == ["ALTER WAREHOUSE W UNSET AUTO_SUSPEND"]


def test_null_leaves_to_snowflake_what_it_chooses_itself(registry: Registry) -> None:
    declared = {"generation": None, "resource_constraint": None, "enable_query_acceleration": None}
    assert plan(registry, declared) == []


def test_adaptive_warehouses_have_properties_of_their_own(registry: Registry) -> None:
    shown = {"type": "ADAPTIVE", "max_query_performance_level": "2X-Large", "query_throughput_multiplier": 2}
    same = {"warehouse_type": "adaptive", "max_query_performance_level": "xxlarge", "query_throughput_multiplier": 2}
    assert plan(registry, same, **shown) == []
    assert plan(registry, {"query_throughput_multiplier": 0}, **shown) == [
        "ALTER WAREHOUSE W SET QUERY_THROUGHPUT_MULTIPLIER = 0"
    ]


def test_the_size_has_no_unset(registry: Registry) -> None:
    assert plan(registry, {"warehouse_size": None}) == ["ALTER WAREHOUSE W SET WAREHOUSE_SIZE = XSMALL"]


def test_values_with_hyphens_and_generations_are_quoted(registry: Registry) -> None:
    assert plan(registry, {"generation": "1", "warehouse_type": "STANDARD"}) == [
        "ALTER WAREHOUSE W SET GENERATION = '1'"
    ]
    assert plan(registry, {"warehouse_type": "snowpark-optimized"}) == [
        "ALTER WAREHOUSE W SET WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'"
    ]


def test_an_unknown_size_that_snowflake_prints_passes(registry: Registry) -> None:
    assert plan(registry, {"comment": ""}, size="9X-Large") == []


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"min_cluster_count": 3, "max_cluster_count": 2}, "min_cluster_count 3 is more than max_cluster_count 2"),
        ({"generation": 1, "warehouse_type": "ADAPTIVE"}, "generation is for standard warehouses"),
        ({"warehouse_type": "ADAPTIVE", "warehouse_size": "SMALL"}, "warehouse_size is not for adaptive warehouses"),
        (
            {"warehouse_type": "STANDARD", "max_query_performance_level": "SMALL"},
            "max_query_performance_level is for adaptive warehouses",
        ),
        ({"query_throughput_multiplier": 1}, "query_throughput_multiplier is 0, or 2 and more"),
        ({"generation": 1, "resource_constraint": "STANDARD_GEN_2"}, "contradicts resource_constraint"),
        ({"generation": 1, "resource_constraint": "MEMORY_16X"}, "contradicts resource_constraint"),
        (
            {"warehouse_type": "SNOWPARK-OPTIMIZED", "resource_constraint": "STANDARD_GEN_1"},
            "STANDARD_GEN_1 is for standard warehouses",
        ),
    ],
)
def test_contradictions_are_told_before_anything_is_sent(
    registry: Registry, declared: dict[str, Any], found: str
) -> None:
    session = FakeSession()
    laboratory = Laboratory(Provider(session, registry=registry))
    with pytest.raises(DiagnosticsError, match=found):
        laboratory.plan({"warehouse": [{"name": "w", **declared}]})
    assert session.statements == []


def test_sound_combinations_are_no_contradiction(registry: Registry) -> None:
    laboratory = Laboratory(Provider(FakeSession(), registry=registry))
    planned = laboratory.plan(
        {
            "warehouse": [
                {"name": "a", "min_cluster_count": 2, "max_cluster_count": 2, "generation": 1},
                {"name": "b", "generation": 2, "resource_constraint": "STANDARD_GEN_2"},
                {"name": "c", "warehouse_type": "SNOWPARK-OPTIMIZED", "resource_constraint": "MEMORY_16X_x86"},
            ]
        }
    )
    assert [each.text for each in planned.statements()] == [
        "CREATE WAREHOUSE A GENERATION = '1' MAX_CLUSTER_COUNT = 2 MIN_CLUSTER_COUNT = 2",
        "CREATE WAREHOUSE B GENERATION = '2' RESOURCE_CONSTRAINT = STANDARD_GEN_2",
        "CREATE WAREHOUSE C WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED' RESOURCE_CONSTRAINT = MEMORY_16X_x86",
    ]
