"""What importing pinky_schema loads, where it is all that is installed besides the core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pinky_schema
import pytest

import pinky_core

FORBIDDEN = ("typer", "rich", "click", "snowflake", "duckdb", "sqlglot", "pinky_cli", "pinky_local", "pinky_account")
# What is there before the first import does not count: a namespace package such as snowflake may be made at start-up.
PROBE = """
import json, sys
before = set(sys.modules)
{first}
print(json.dumps(sorted({{name.split('.')[0] for name in set(sys.modules) - before}})))
"""
REFUSED = """
import json, sys
from pathlib import Path
from pinky_core import DiagnosticsError
from pinky_core.testing.fakes import FakeSession
from pinky_schema import SchemaProvider

session = FakeSession()
try:
    SchemaProvider(session).plan(Path(sys.argv[1]), "D.S")
except DiagnosticsError as error:
    print(json.dumps([str(error), session.statements]))
"""


def run(code: str, *arguments: str) -> str:
    """The output of code in a new interpreter that finds the core and pinky_schema first."""
    roots = [str(Path(str(package.__file__)).parent.parent) for package in (pinky_core, pinky_schema)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return answer.stdout


@pytest.mark.parametrize(
    "first",
    [
        "import pinky_schema",
        "from pinky_schema import SchemaProvider",
        "import pinky_schema; pinky_schema.pinky_resource_types()",
        "from pinky_core.testing.fakes import FakeSession as F; import pinky_schema; pinky_schema.SchemaProvider(F())",
    ],
)
def test_nothing_of_the_terminal_or_the_connector_is_loaded(first: str) -> None:
    loaded = set(json.loads(run(PROBE.format(first=first))))
    assert "pinky_schema" in loaded
    assert loaded & set(FORBIDDEN) == set()


def test_importing_the_package_loads_no_kind() -> None:
    first = "import pinky_schema; names = [name for name in sys.modules if name.startswith('pinky_schema.')]"
    assert run(f"import sys\n{first}\nprint(names)").strip() == "[]"


def test_a_warehouse_is_refused_by_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text("scope: schema\nresources:\n  warehouse:\n    - {name: w}\n")
    text, statements = json.loads(run(REFUSED, str(tmp_path)))
    assert "manifest.yml:3:3" in text
    assert "the kind 'warehouse' is not installed here; the package pinky-account provides it" in text
    assert statements == []
