"""A slot of ACME's own: `archive_files`, an internal stage with a registry whose files go after a time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pinky_schema import Kept, Slot, SlotUse

from pinky_core import Expanded

EXPIRE = textwrap.dedent("""
    def expire(session, stage, days):
        session.sql(f"ALTER STAGE {stage} REFRESH").collect()
        registry = f"{stage}_REGISTRY"
        session.sql(
            f"MERGE INTO {registry} R USING DIRECTORY(@{stage}) D"
            " ON R.RELATIVE_PATH = D.RELATIVE_PATH AND R.ETAG = COALESCE(D.ETAG, D.MD5)"
            " WHEN NOT MATCHED THEN INSERT (RELATIVE_PATH, ETAG, SIZE, LAST_MODIFIED, FIRST_SEEN_AT, STATUS) VALUES"
            " (D.RELATIVE_PATH, COALESCE(D.ETAG, D.MD5), D.SIZE, D.LAST_MODIFIED, CURRENT_TIMESTAMP(), 'KEPT')"
        ).collect()
        old = session.sql(
            f"SELECT DISTINCT RELATIVE_PATH FROM {registry} WHERE STATUS = 'KEPT'"
            " AND LAST_MODIFIED < DATEADD(DAY, ?, CURRENT_TIMESTAMP())",
            params=[-days],
        ).collect()
        for (path,) in old:
            quoted = path.replace("'", "\\\\'")
            session.sql(f"REMOVE '@{stage}/{quoted}'").collect()
            session.sql(f"UPDATE {registry} SET STATUS = 'GONE' WHERE RELATIVE_PATH = ?", params=[path]).collect()
        return len(old)
""")


def retention(use: SlotUse) -> Iterable[Expanded]:
    """A procedure that registers what is kept and removes what is too old, and the task that calls it every night."""
    days = use.options.get("retention_days", 90)
    procedure = {
        "name": "EXPIRE_ARCHIVE",
        "arguments": [{"name": "STAGE", "type": "VARCHAR"}, {"name": "DAYS", "type": "NUMBER"}],
        "returns": "NUMBER",
        "language": "PYTHON",
        "runtime_version": use.facts.runtime_version,
        "packages": ["snowflake-snowpark-python"],
        "handler": "expire",
        "body": EXPIRE,
    }
    task = {
        "name": "EXPIRE_ARCHIVE",
        "schedule": "USING CRON 0 3 * * * UTC",
        "definition": f"CALL {use.qualified('EXPIRE_ARCHIVE')}('{use.qualified(use.stage)}', {days})",
        "state": "started",
    }
    yield use.expanded("procedure", procedure)
    yield use.expanded("task", task)


ARCHIVE_FILES = Slot(
    name="archive_files",
    doc="Files that are kept for a time and then removed.",
    kept=Kept.INTERNAL,
    registry=True,
    options={"retention_days": {"type": "integer", "minimum": 1, "default": 90, "description": "Days a file is kept."}},
    also=retention,
)
