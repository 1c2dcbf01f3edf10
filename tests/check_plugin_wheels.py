"""For `nox -s plugins`: each plugin works with nothing installed but its wheel and the core.

Called with the folder of wheels. For every plugin it makes a virtual environment with the core's and the plugin's
wheel and their dependencies, checks what importing loads, and then adds what tests need (pytest, the local account,
the connector; none of them a package of pinky that brings kinds) and runs the plugin's own tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = ("typer", "rich", "click", "snowflake", "duckdb", "sqlglot", "pinky_cli", "pinky_local")
TEST_TOOLS = ("pytest>=8.3,<10", "pytest-xdist>=3.6,<4", "hypothesis>=6.120,<7", "snowflake-connector-python>=4,<6")
PROBE = """
import sys, {name}
from pinky_core import load_plugins
loaded = sorted(set(m.split('.')[0] for m in sys.modules) & set({forbidden!r}))
assert not loaded, f'importing {name} loads {{loaded}}'
registry = load_plugins()
assert [p.name for p in registry.plugins] == ['{name}'], registry.plugins
print('{name}:', ', '.join(sorted(registry.kinds)), flush=True)
"""


def main(folder: Path) -> None:
    """Check every plugin wheel of a folder."""
    core = next(folder.glob("pinky_core-*.whl"))
    local = next(folder.glob("pinky_local-*.whl"))
    for wheel in sorted(folder.glob("*.whl")):
        name = wheel.name.split("-")[0]
        if name not in ("pinky_core", "pinky_local"):
            with tempfile.TemporaryDirectory() as place:
                check_plugin(name, Path(place), core, wheel, local)


def check_plugin(name: str, place: Path, core: Path, wheel: Path, local: Path) -> None:
    """Probe one plugin alone, then run its tests."""
    venv.create(place, with_pip=True)
    python = str(place / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(core), str(wheel)], check=True)
    subprocess.run([python, "-c", PROBE.format(name=name, forbidden=FORBIDDEN)], check=True)
    subprocess.run([*pip, f"{local}[data]", *TEST_TOOLS], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    tests = [python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", str(ROOT / "plugins" / name / "tests")]
    subprocess.run(tests, check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
