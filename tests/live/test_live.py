"""The example and the laws on an account of your own: `nox -s live -- --live-connection NAME`.

Off by default (marker ``live``). The named connection's role must be able to create databases, warehouses and roles. It
makes ``SHOP_LIVE…`` and ``LAW_…`` objects and drops them at the end; run it on an account that holds nothing you need.
It was never run on a live account by the authors; against the embedded account it passes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from pinky_cli.connect import connect
from pinky_cli.connection_settings import resolve_connection

from pinky_core import Provider
from pinky_core.testing import Laboratory, check_resource_type
from tests.acceptance.world import REGISTRY, SHOP, differences

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def connection(request: pytest.FixtureRequest) -> Iterator[Any]:
    name = request.config.getoption("--live-connection")
    if name is None:
        pytest.skip("give --live-connection NAME: a connection of connections.toml")
    with contextlib.closing(connect(resolve_connection(name), "live-tests")) as opened:
        yield opened


@pytest.fixture
def provider(connection: Any) -> Provider:
    return Provider(connection, registry=REGISTRY)


@pytest.fixture
def shop_is_dropped(connection: Any) -> Iterator[None]:
    yield
    with contextlib.closing(connection.cursor()) as cursor:
        for what in ("DATABASE SHOPLIVE_DEV", "WAREHOUSE SHOPLIVE_DEV_LOAD", "WAREHOUSE SHOPLIVE_DEV_QUERY"):
            cursor.execute(f"DROP {what}")
        for role in ("SHOPLIVE_DEV_ENGINEER", "SHOPLIVE_DEV_ANALYST"):
            cursor.execute(f"DROP ROLE {role}")


def test_the_example_and_an_empty_second_plan(
    provider: Provider, shop_is_dropped: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SHOP_PAYMENT_API_KEY", "not-a-secret")
    names = {"product": "SHOPLIVE"}
    report = provider.apply(SHOP, vars=names, env="DEV")
    assert report.ok, [event for event in report.events if event.error]
    assert differences(provider.plan(SHOP, vars=names, env="DEV")) == []


@pytest.mark.parametrize("kind", ["role", "database"])
def test_the_laws(provider: Provider, kind: str):
    cls = provider.registry.kinds[kind]
    fields = set(cls.spec.by_name) - {"comment", "data_retention_time_in_days"}
    check_resource_type(cls, Laboratory(provider), skip=fields, max_examples=3)
