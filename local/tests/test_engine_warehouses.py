"""Warehouses of the catalog engine, against create-warehouse, alter-warehouse and warehouses-adaptive."""

from __future__ import annotations

from typing import Any

import pytest
from engine_account import Speaker, speaker
from pinky_local.data import DuckDataPlane
from pinky_local.engine import CatalogEngine


@pytest.fixture
def account() -> Speaker:
    return speaker()


def shown(account: Speaker, name: str = "W") -> dict[str, Any]:
    return account.one(f"SHOW WAREHOUSES LIKE '{name}'")


def test_an_adaptive_warehouse_has_properties_of_its_own(account: Speaker) -> None:
    account.run("CREATE ADAPTIVE WAREHOUSE w WITH MAX_QUERY_PERFORMANCE_LEVEL = '2X-LARGE' COMMENT = 'c'")
    row = shown(account)
    assert (row["type"], row["state"], row["comment"]) == ("ADAPTIVE", "ENABLED", "c")
    assert (row["max_query_performance_level"], row["query_throughput_multiplier"]) == ("2X-Large", 2)
    absent = ("size", "min_cluster_count", "max_cluster_count", "auto_suspend", "scaling_policy", "generation")
    assert [row[name] for name in absent] == [None] * len(absent)
    account.run("ALTER WAREHOUSE w SET QUERY_THROUGHPUT_MULTIPLIER = 0")
    assert shown(account)["query_throughput_multiplier"] == 0
    assert account.refused("ALTER WAREHOUSE w SET QUERY_THROUGHPUT_MULTIPLIER = 1").errno == 1422
    assert account.refused("ALTER WAREHOUSE w SET MAX_QUERY_PERFORMANCE_LEVEL = X5LARGE").errno == 1422


@pytest.mark.parametrize(
    "setting", ["WAREHOUSE_SIZE = SMALL", "MAX_CLUSTER_COUNT = 2", "SCALING_POLICY = ECONOMY", "AUTO_SUSPEND = 60"]
)
def test_properties_of_standard_warehouses_are_refused_for_adaptive_ones(account: Speaker, setting: str) -> None:
    error = account.refused(f"CREATE WAREHOUSE w WAREHOUSE_TYPE = ADAPTIVE {setting}")
    assert setting.split()[0] in error.message
    account.run("CREATE ADAPTIVE WAREHOUSE w")
    assert account.refused(f"ALTER WAREHOUSE w SET {setting}").errno == error.errno


def test_properties_of_adaptive_warehouses_are_refused_for_standard_ones(account: Speaker) -> None:
    account.run("CREATE WAREHOUSE w")
    assert (
        "QUERY_THROUGHPUT_MULTIPLIER"
        in account.refused("ALTER WAREHOUSE w SET QUERY_THROUGHPUT_MULTIPLIER = 3").message
    )
    assert shown(account)["query_throughput_multiplier"] is None


def test_conversion_forgets_what_no_longer_applies(account: Speaker) -> None:
    account.run("CREATE WAREHOUSE w WAREHOUSE_SIZE = LARGE MAX_CLUSTER_COUNT = 3")
    account.run(
        "ALTER WAREHOUSE w SET WAREHOUSE_TYPE = 'ADAPTIVE'", "ALTER WAREHOUSE w SET WAREHOUSE_TYPE = 'STANDARD'"
    )
    row = shown(account)
    assert (row["size"], row["max_cluster_count"], row["max_query_performance_level"]) == ("X-Small", 1, None)


def test_a_disabled_adaptive_warehouse_takes_no_new_jobs() -> None:
    account = speaker(CatalogEngine(data=DuckDataPlane()))
    account.run("CREATE ADAPTIVE WAREHOUSE w", "CREATE DATABASE d", "CREATE TABLE t (a INT)", "SELECT * FROM t")
    account.run("ALTER WAREHOUSE w DISABLE")
    assert shown(account)["state"] == "DISABLED"
    assert "disabled" in account.refused("SELECT * FROM t").message
    account.run("ALTER WAREHOUSE w ENABLE", "SELECT * FROM t")
    account.run("CREATE WAREHOUSE standard")
    assert account.refused("ALTER WAREHOUSE standard DISABLE").errno == 2


def test_generation_and_resource_constraint_say_the_same(account: Speaker) -> None:
    refused = account.refused("CREATE WAREHOUSE w GENERATION = '1' RESOURCE_CONSTRAINT = STANDARD_GEN_2")
    assert "STANDARD_GEN_2" in refused.message
    account.run("CREATE WAREHOUSE w GENERATION = '1' RESOURCE_CONSTRAINT = STANDARD_GEN_1")
    account.run("ALTER WAREHOUSE w SET GENERATION = '2'")
    assert (shown(account)["generation"], shown(account)["resource_constraint"]) == ("2", None)
    account.run("CREATE WAREHOUSE m WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'")
    assert shown(account, "M")["resource_constraint"] == "MEMORY_16X"
    assert account.refused("ALTER WAREHOUSE m SET GENERATION = '2'").errno == 1420


def test_waiting_for_a_resize_is_not_kept(account: Speaker) -> None:
    account.run("CREATE WAREHOUSE w", "ALTER WAREHOUSE w SET WAREHOUSE_SIZE = MEDIUM WAIT_FOR_COMPLETION = TRUE")
    assert shown(account)["size"] == "Medium"
    assert "WAREHOUSE_SIZE" in account.refused("ALTER WAREHOUSE w SET WAIT_FOR_COMPLETION = TRUE").message


def test_a_warehouse_is_suspended_and_resumed_once(account: Speaker) -> None:
    account.run("CREATE WAREHOUSE w INITIALLY_SUSPENDED = TRUE")
    assert account.refused("ALTER WAREHOUSE w SUSPEND").errno == 90064
    account.run("ALTER WAREHOUSE w RESUME", "ALTER WAREHOUSE w RESUME IF SUSPENDED")
    assert account.refused("ALTER WAREHOUSE w RESUME").errno == 90063
    assert shown(account)["state"] == "STARTED"


def test_the_size_fits_the_resource_constraint(account: Speaker) -> None:
    snowpark = "CREATE WAREHOUSE w WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'"
    assert account.refused(f"{snowpark} WAREHOUSE_SIZE = SMALL").errno == 1425
    assert account.refused(f"{snowpark} RESOURCE_CONSTRAINT = MEMORY_64X").errno == 1425
    account.run(f"{snowpark} RESOURCE_CONSTRAINT = MEMORY_1X WAREHOUSE_SIZE = SMALL")
    error = account.refused("ALTER WAREHOUSE w SET RESOURCE_CONSTRAINT = MEMORY_16X")
    assert "'RESOURCE_CONSTRAINT'='MEMORY_16X' and 'WAREHOUSE_SIZE'='Small'" in error.message
    account.run("CREATE OR REPLACE WAREHOUSE w WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'")
    assert shown(account)["size"] == "Medium"
    assert account.refused("CREATE WAREHOUSE x WAREHOUSE_SIZE = X5LARGE GENERATION = '2'").errno == 1425
    account.run("CREATE WAREHOUSE x WAREHOUSE_SIZE = X5LARGE GENERATION = '1'")
