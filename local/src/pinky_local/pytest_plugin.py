"""Fixtures for tests that want an account: installed with pinky-local, found by pytest itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pinky_local.account import LocalAccount


@pytest.fixture
def pinky_local_account() -> Iterator[LocalAccount]:
    """A fresh local account in memory, running. The test fails where the account itself broke."""
    from pinky_local.account import LocalAccount

    with LocalAccount() as account:
        yield account
        broken = account.internal_errors
    assert not broken, f"internal errors of the local account: {broken}"


@pytest.fixture
def pinky_local_connection(pinky_local_account: LocalAccount) -> Iterator[Any]:
    """A connection of the installed connector to `pinky_local_account`, as its default user."""
    connection = pinky_local_account.connect()
    try:
        yield connection
    finally:
        connection.close()
