"""A slot of ACME's own: `archive_files`, an internal stage with a registry whose files go after a time.

https://docs.snowflake.com/en/sql-reference/sql/remove, https://docs.snowflake.com/en/user-guide/data-load-dirtables
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from pinky_schema import Kept, Slot, SlotUse

from pinky_core import Expanded, string_literal


def expire(session: Any, stage: str, days: int) -> int:
    """Registers what is in the stage, removes what is older than so many days; returns how many paths these were."""

    def run(statement: str) -> Any:
        return session.sql(statement).collect()

    version = "COALESCE(ETAG, MD5, TO_VARCHAR(LAST_MODIFIED))"  # as in every registry
    files = f"""(SELECT RELATIVE_PATH, SPLIT_PART(RELATIVE_PATH, '/', -1) AS FILE_NAME, SIZE, MD5, {version} AS ETAG,
        LAST_MODIFIED, LAST_MODIFIED < DATEADD(DAY, -{days}, CURRENT_TIMESTAMP()) AS OLD FROM DIRECTORY(@{stage}))"""
    run(f"ALTER STAGE {stage} REFRESH")
    run(f"""
        MERGE INTO {stage}_REGISTRY R USING {files} S ON R.RELATIVE_PATH = S.RELATIVE_PATH AND R.ETAG = S.ETAG
        WHEN MATCHED THEN UPDATE SET STATUS = 'KEPT', LAST_MODIFIED = S.LAST_MODIFIED
        WHEN NOT MATCHED THEN INSERT
          (RELATIVE_PATH, FILE_NAME, SIZE, MD5, ETAG, LAST_MODIFIED, FIRST_SEEN_AT, STATUS) VALUES
          (S.RELATIVE_PATH, S.FILE_NAME, S.SIZE, S.MD5, S.ETAG, S.LAST_MODIFIED, CURRENT_TIMESTAMP(), 'KEPT')""")
    # REMOVE takes every file whose path begins like that, so a path waits until all of these are old.
    old = run(f"""
        SELECT O.RELATIVE_PATH FROM {files} O WHERE O.OLD AND NOT EXISTS
          (SELECT 1 FROM {files} Y WHERE NOT Y.OLD AND STARTSWITH(Y.RELATIVE_PATH, O.RELATIVE_PATH))""")
    for (path,) in old:
        quoted = path.replace("\\", "\\\\").replace("'", "''")
        run(f"REMOVE '@{stage}/{quoted}'")
    run(f"ALTER STAGE {stage} REFRESH")
    run(f"""
        UPDATE {stage}_REGISTRY SET STATUS = 'GONE' WHERE STATUS = 'KEPT' AND NOT EXISTS
          (SELECT 1 FROM {files} S WHERE S.RELATIVE_PATH = {stage}_REGISTRY.RELATIVE_PATH
            AND S.ETAG = {stage}_REGISTRY.ETAG)""")
    return len(old)


def retention(use: SlotUse) -> Iterable[Expanded]:
    """The procedure, and the task that calls it every night."""
    days = use.options.get("retention_days", 90)
    procedure = {
        "name": "EXPIRE_ARCHIVE",
        "arguments": [{"name": "STAGE", "type": "VARCHAR"}, {"name": "DAYS", "type": "NUMBER"}],
        "returns": "NUMBER",
        "language": "PYTHON",
        "runtime_version": use.facts.runtime_version,
        "packages": ["snowflake-snowpark-python"],
        "handler": "expire",
        "execute_as": "CALLER",  # with its owner's rights a procedure may not REMOVE
        "body": f"from typing import Any\n\n\n{inspect.getsource(expire)}",
    }
    yield use.expanded("procedure", procedure)
    call = f"CALL {use.qualified('EXPIRE_ARCHIVE')}({string_literal(use.qualified(use.stage))}, {days})"
    task = {"name": "EXPIRE_ARCHIVE", "schedule": "USING CRON 0 3 * * * UTC", "definition": call, "state": "started"}
    yield use.expanded("task", task if use.facts.warehouse is None else {**task, "warehouse": use.facts.warehouse})


ARCHIVE_FILES = Slot(
    name="archive_files",
    doc="Files that are kept for a time and then removed.",
    kept=Kept.INTERNAL,
    registry=True,
    options={"retention_days": {"type": "integer", "minimum": 1, "default": 90, "description": "Days a file is kept."}},
    also=retention,
)
