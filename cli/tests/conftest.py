"""A command line called in this process, and the manifests it works on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from pinky_cli.main import main

MANIFEST = """\
scope: account
vars:
  database: PLAYGROUND
resources:
  database:
    - name: "{{ vars.database }}"
      comment: Made by pinky
  schema:
    - {name: CORE, database: "{{ vars.database }}"}
"""
TABLE = """\
database: "{{ vars.database }}"
schema: CORE
columns:
  - {name: CUSTOMER_ID, type: "NUMBER(38,0)", not_null: true}
  - {name: NAME, type: VARCHAR}
"""


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Pinky = Callable[..., Ran]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings of the machine's user, and the logging of the process as it was."""
    import os

    for name in list(os.environ):
        if name.startswith("SNOWFLAKE_") or name in ("CI", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path / "snowflake-home"))
    monkeypatch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def pinky(capsys: pytest.CaptureFixture[str]) -> Pinky:
    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A database, a schema and a table."""
    folder = tmp_path / "manifest"
    table = folder / "resources" / "table" / "customers.yml"
    table.parent.mkdir(parents=True)
    table.write_text(TABLE, encoding="utf-8")
    (folder / "manifest.yml").write_text(MANIFEST, encoding="utf-8")
    return folder


@pytest.fixture
def local(tmp_path: Path) -> str:
    """The option for an embedded account that is kept between commands."""
    return f"--local={tmp_path / 'account'}"
