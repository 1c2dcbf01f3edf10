from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pinky_database
import pytest

from pinky_core import Provider, Registry, make_registry
from pinky_core.testing import Laboratory


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry({"pinky_database": pinky_database})


@pytest.fixture
def account() -> Iterator[Any]:
    """A fresh embedded account, spoken to through the real connector; skipped where neither is installed."""
    local = pytest.importorskip("pinky_local.account")
    pytest.importorskip("snowflake.connector")
    with local.LocalAccount(data=False) as running:
        yield running
        assert running.internal_errors == []


@pytest.fixture
def laboratory(account: Any, registry: Registry) -> Iterator[Laboratory]:
    """Manifests of scope database, in a database D that exists, beside roles R and S."""
    connection = account.connect()
    found = Laboratory(Provider(connection, registry=registry), scope="database", target="D")
    for statement in ("CREATE DATABASE D", "CREATE ROLE R", "CREATE ROLE S"):
        found.execute(statement)
    yield found
    connection.close()
