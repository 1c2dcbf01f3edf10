"""The application package: what is in it, what it can import, and that a warehouse is no word it knows."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "native_app"
# What the packages of the setup script bring, by the names of modules; nothing else of the environment is visible.
THIRD_PARTY = ("attr", "attrs", "cattr", "cattrs", "jinja2", "markupsafe", "jsonschema", "jsonschema_specifications",
               "referencing", "rpds", "pluggy", "ruamel", "typing_extensions")  # fmt: skip
PROBE = """
import importlib.util, json, sys
from pathlib import Path
site, visible = Path({site!r}), {visible!r}

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        head = name.partition('.')[0]
        if path is None and head not in visible and (site / head).exists():
            raise ModuleNotFoundError(name)
        return None

sys.meta_path.insert(0, OnlyThese())
sys.path[:0] = sorted(str(each) for each in (Path({out!r}) / 'lib').glob('*.zip'))
sys.path.append(str(site))
import pinky_core, pinky_database, pinky_schema, pinky_schema.provisioning
from pinky_core import make_registry
registry = make_registry({{'pinky_schema': pinky_schema, 'pinky_database': pinky_database}})
found = {{}}
for name in {asked!r}:
    try:
        found[name] = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        found[name] = False
print(json.dumps({{'importable': found, 'kinds': sorted(registry.kinds),
                   'from': [m.__file__ for m in (pinky_core, pinky_schema, pinky_database)],
                   'loaded': sorted({{name.partition('.')[0] for name in sys.modules}})}}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("app") / "out"
    subprocess.run([sys.executable, str(EXAMPLE / "build.py"), str(out)], check=True)
    return out


def test_the_package_holds_core_schema_and_database_and_nothing_else(built: Path) -> None:
    assert sorted(each.name for each in (built / "lib").iterdir()) == [
        "pinky_core.zip", "pinky_database.zip", "pinky_schema.zip",
    ]  # fmt: skip
    for archive in (built / "lib").glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            assert {name.partition("/")[0] for name in opened.namelist()} == {archive.stem}
    with zipfile.ZipFile(built / "manifest_client.zip") as opened:
        assert "manifest_client/manifest.yml" in opened.namelist()


def test_every_file_that_the_setup_script_names_is_there_and_so_is_every_dependency(built: Path) -> None:
    script = (built / "setup.sql").read_text(encoding="utf-8")
    imports = re.search(r"IMPORTS = \(([^)]*)\)", script)
    packages = re.search(r"PACKAGES = \(([^)]*)\)", script)
    assert imports is not None
    assert packages is not None
    for name in re.findall(r"'/([^']+)'", imports[1]):
        assert (built / name).is_file(), name
    declared = [each for each in importlib.metadata.requires("pinky-core") or () if "extra" not in each]
    needed = {re.split(r"[<>=!~; \[]", each)[0].replace("_", "-").replace(".", "-") for each in declared}
    assert needed <= {each.replace(".", "-") for each in re.findall(r"'([^']+)'", packages[1])}


def test_what_can_be_imported_in_the_application(built: Path) -> None:
    asked = ("pinky_account", "pinky_cli", "pinky_local", "typer", "rich", "duckdb", "snowflake.connector", "jinja2")
    site = sysconfig.get_paths()["purelib"]
    code = PROBE.format(site=site, visible=THIRD_PARTY, out=str(built), asked=asked)
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [name for name, there in told["importable"].items() if there] == ["jinja2"]
    assert all(str(built) in place for place in told["from"])
    assert {"schema", "database_role", "table", "contact"} <= set(told["kinds"])
    assert not {"warehouse", "role", "user", "database", "storage_integration"} & set(told["kinds"])
    assert not {"snowflake", "typer", "rich", "pinky_account", "pinky_cli"} & set(told["loaded"])
