"""COPY: the way to its three forms."""

from __future__ import annotations

from pinky_local.engine import copying, loading, stage_files, unloading
from pinky_local.engine.statement import Statement
from pinky_local.types import Result


def copy(statement: Statement) -> Result:
    """Run COPY INTO a table, COPY INTO a stage or COPY FILES."""
    if statement.tokens.word(1) == "FILES":
        return stage_files.copy_files(statement)
    read = copying.read(statement)
    statement.finish_parsing()
    return loading.load(statement, read) if read.table is not None else unloading.unload(statement, read)
