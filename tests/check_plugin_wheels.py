"""For `nox -s plugins`: each plugin works with nothing installed but its wheel and the core.

Called with the folder of wheels. For every plugin it makes a virtual environment, installs the core's and the
plugin's wheel with their dependencies, checks what importing loads, and lists the kinds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

FORBIDDEN = ("typer", "rich", "click", "snowflake", "duckdb", "sqlglot", "pinky_cli", "pinky_local")
PROBE = """
import sys, {name}
from pinky_core import load_plugins
loaded = sorted(set(m.split('.')[0] for m in sys.modules) & set({forbidden!r}))
assert not loaded, f'importing {name} loads {{loaded}}'
registry = load_plugins()
assert [p.name for p in registry.plugins] == ['{name}'], registry.plugins
print('{name}:', ', '.join(sorted(registry.kinds)))
"""


def main(folder: Path) -> None:
    """Check every plugin wheel of a folder."""
    core = next(folder.glob("pinky_core-*.whl"))
    for wheel in sorted(folder.glob("*.whl")):
        name = wheel.name.split("-")[0]
        if name == "pinky_core":
            continue
        with tempfile.TemporaryDirectory() as place:
            venv.create(place, with_pip=True)
            python = str(Path(place, "Scripts" if sys.platform == "win32" else "bin", "python"))
            subprocess.run([python, "-m", "pip", "install", "-q", str(core), str(wheel)], check=True)
            subprocess.run([python, "-c", PROBE.format(name=name, forbidden=FORBIDDEN)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
