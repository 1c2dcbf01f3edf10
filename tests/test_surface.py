"""The public surface: what is exported, what hooks exist, and that both are documented and tested."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pinky_core
from pinky_core import hookspecs

ROOT = Path(__file__).resolve().parent.parent
HOOKS = [name for name, each in vars(hookspecs).items() if name.startswith("pinky_") and inspect.isfunction(each)]


def test_exported_names_are_all_there_is():
    names = {name for name, each in vars(pinky_core).items() if not inspect.ismodule(each)}
    assert set(pinky_core.__all__) == {name for name in names if not name.startswith("_")} - {"annotations"}


def test_every_exported_class_and_function_says_what_it_is():
    silent = [
        name for name in pinky_core.__all__ if inspect.isroutine(each := getattr(pinky_core, name)) and not each.__doc__
    ]
    assert silent == []


def test_there_are_seven_hooks_each_documented():
    assert len(HOOKS) == 7
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    assert [name for name in HOOKS if f"## `{name}(" not in page] == []


def test_every_hook_has_a_test_named_after_it():
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    tested = set(re.findall(r"def test_hook_(\w+)", texts))
    missing = [name for name in HOOKS if not any(name.removeprefix("pinky_") in test for test in tested)]
    assert missing == []


def test_importing_the_core_loads_nothing_heavy():
    code = "import sys, pinky_core; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"jsonschema", "jsonschema_rs", "ruamel", "jinja2", "snowflake", "typer", "rich", "hypothesis", "duckdb"}
    assert heavy & set(loaded) == set()
