"""Commands that plugins add, and plugins that are broken."""

from __future__ import annotations

import types
from typing import Any

import pytest
import typer
from pinky_cli import hookspecs, run

from pinky_core import PluginError, hookimpl, make_registry


def plugin(add: Any) -> Any:
    module: Any = types.ModuleType("a_plugin")
    module.pinky_commands = hookimpl(add)
    return module


@pytest.fixture
def install(monkeypatch):
    """Replace the installed plugins by these and the command line's own."""

    def replace(**plugins: Any) -> None:
        registry = make_registry({"pinky_cli": hookspecs, **plugins})
        monkeypatch.setattr(run, "load_registry", lambda: registry)

    return replace


def test_the_command_of_a_plugin_runs_and_is_listed(pinky, install):
    def add(app: typer.Typer) -> None:
        @app.command("greet")
        def greet(name: str) -> int:
            """Greet someone."""
            typer.echo(f"hello {name}")
            return 3

    install(friendly=plugin(add))
    ran = pinky("greet", "Ana")
    assert (ran.code, ran.out) == (3, "hello Ana\n")
    assert "commands of plugins: greet" in pinky("plugins").out


def test_a_command_that_is_ours_cannot_be_replaced(pinky, install):
    def add(app: typer.Typer) -> None:
        app.command("apply")(lambda: None)

    install(rude=plugin(add))
    ran = pinky("unknown")
    assert ran.code == 1
    assert "the command 'apply' is added twice" in ran.err


def test_a_plugin_that_does_not_load_stops_the_run_and_is_named(pinky, manifest, monkeypatch):
    def broken() -> Any:
        raise PluginError("the plugin 'bad' of bad-dist 1.0 does not load: ImportError: no module")

    monkeypatch.setattr(run, "load_registry", broken)
    for command in (["validate", "-m", manifest], ["plan", "--local", "-m", manifest], ["plugins"], ["schema"]):
        ran = pinky(*command)
        assert ran.code == 1
        assert "the plugin 'bad' of bad-dist 1.0 does not load" in ran.err


def test_a_defect_is_a_short_message_and_a_traceback_on_demand(pinky, manifest, monkeypatch):
    def broken() -> Any:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(run, "load_registry", broken)
    ran = pinky("validate", "-m", manifest)
    assert ran.code == 1
    assert "ZeroDivisionError: boom" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in pinky("validate", "-m", manifest, "--log-level", "debug").err


def test_the_hook_is_announced_to_the_core():
    registry = make_registry({"pinky_cli": hookspecs})
    assert hasattr(registry.manager.hook, "pinky_commands")
