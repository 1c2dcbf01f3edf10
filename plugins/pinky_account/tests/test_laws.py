from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pinky_account.database import Database
from pinky_account.role import Role
from pinky_account.warehouse import Warehouse

from pinky_core.testing import Laboratory, check_resource_type

SOME_TEXT = st.text(alphabet="abcXYZ 0123'\"\\;-/*$%@\n\tàß漢", max_size=24).filter(lambda text: bool(text.strip()))


def test_role_keeps_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(Role, laboratory, max_examples=6)


def test_warehouse_keeps_the_laws(laboratory: Laboratory) -> None:
    # These make sense only with each other; each is tried alone in the other tests.
    skip = (
        "generation", "resource_constraint", "warehouse_type", "max_cluster_count", "min_cluster_count",
        "max_query_performance_level", "query_throughput_multiplier",
    )  # fmt: skip
    values = {"max_concurrency_level": st.integers(1, 32)}
    check_resource_type(Warehouse, laboratory, values=values, skip=skip, max_examples=6)


def test_database_keeps_the_laws(laboratory: Laboratory) -> None:
    unknown = (
        "catalog_sync_namespace_mode", "catalog_sync_namespace_flatten_delimiter", "object_visibility",
        "oauth_authorization_server", "oauth_scopes_supported", "event_table", "replicable_with_failover_groups",
        "base_location_prefix",
    )  # fmt: skip
    texts: dict[str, Any] = {
        field.name: SOME_TEXT for field in Database.spec.fields if field.type is str and field.pattern is not None
    }
    check_resource_type(Database, laboratory, values=texts, skip=unknown, max_examples=6)
