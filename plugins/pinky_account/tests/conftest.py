from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pinky_account
import pytest

from pinky_core import Provider, Registry, make_registry
from pinky_core.testing import Laboratory


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry({"pinky_account": pinky_account})


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
    connection = account.connect()
    yield Laboratory(Provider(connection, registry=registry))
    connection.close()
