"""IMPORTS of a handler: files of stages that its code can import or read.

Rests on https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-creating and udf-python-examples (reading
an import through ``sys._xoptions["snowflake_import_directory"]``). A process has one list of modules: two handlers that
import different modules of one name must not run at the same time.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pinky_local.engine import errors

_OPTION = "snowflake_import_directory"


@contextmanager
def importable(locations: Sequence[str], opened: Callable[[str], BinaryIO]) -> Iterator[None]:
    """Copies of these files in a folder where Python finds them; ``opened`` opens one by ``@stage/path``."""
    if not locations:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="pinky-local-imports-") as name:
        folder = Path(name)
        paths = [str(folder)]
        for location in locations:
            file = folder / location.rstrip("/").rpartition("/")[2]
            if location.endswith("/"):
                raise errors.unsupported(f"IMPORTS of the directory {location}")
            with opened(location) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target)
            if file.suffix in (".zip", ".whl"):
                paths.append(str(file))
        before = sys._xoptions.get(_OPTION)
        sys.path[:0] = paths
        sys._xoptions[_OPTION] = f"{folder}/"
        try:
            yield
        finally:
            for path in paths:
                sys.path.remove(path)
            _forget(folder)
            if before is None:
                sys._xoptions.pop(_OPTION, None)
            else:
                sys._xoptions[_OPTION] = before


def _forget(folder: Path) -> None:
    """Take the modules that came from a folder out of the process."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
    for path in list(sys.path_importer_cache):
        if path.startswith(str(folder)):
            del sys.path_importer_cache[path]
