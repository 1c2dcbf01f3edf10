from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live-connection", help="Connection of connections.toml for tests/live.")
