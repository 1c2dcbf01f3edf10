"""Builds the files of the application package: pinky's core, schema and database packages as zips, and the manifest.

    python examples/native_app/build.py OUT

OUT then holds what is uploaded to the stage of an application package: manifest.yml, setup.sql, README.md, the
handler, lib/*.zip and manifest_client.zip. Nothing of the account's package or of the command line is in it.
"""

from __future__ import annotations

import argparse
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = {
    "pinky_core": ROOT / "src/pinky_core",
    "pinky_schema": ROOT / "plugins/pinky_schema/src/pinky_schema",
    "pinky_database": ROOT / "plugins/pinky_database/src/pinky_database",
}
CLIENT = ROOT / "examples/provision/manifest_client"


def build(out: Path) -> None:
    """Write everything into a folder, which is made anew."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "lib").mkdir(parents=True)
    for file in (HERE / "app").iterdir():
        shutil.copy(file, out / file.name)
    for name, folder in PACKAGES.items():
        files = (each for each in folder.rglob("*") if each.is_file() and each.suffix in (".py", ".typed"))
        write_zip(out / "lib" / f"{name}.zip", files, folder.parent)
    write_zip(out / "manifest_client.zip", (each for each in CLIENT.rglob("*.yml")), CLIENT.parent)


def write_zip(target: Path, files: Iterable[Path], base: Path) -> None:
    """The same bytes for the same files, whenever it is built."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files):
            entry = zipfile.ZipInfo(file.relative_to(base).as_posix(), (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    build(parser.parse_args().out)
