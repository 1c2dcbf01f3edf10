"""Publishing files that a procedure wrote: hash them, and write them to the registry of their slot.

https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-read-files,
https://docs.snowflake.com/en/sql-reference/functions/build_scoped_file_url
"""

from __future__ import annotations

from typing import Any

from pinky_schema.runtime.database import as_json, changed_rows, rows_of
from pinky_schema.runtime.hashes import hash_file

_PUBLISH = """
MERGE INTO {registry} R USING (SELECT V.VALUE:relative_path::VARCHAR AS RELATIVE_PATH, V.VALUE:party::VARCHAR AS PARTY,
    V.VALUE:flow::VARCHAR AS FLOW, V.VALUE:file_name::VARCHAR AS FILE_NAME, V.VALUE:size::NUMBER AS SIZE,
    V.VALUE:hash_raw::VARCHAR AS HASH_RAW, V.VALUE:hash_sorted::VARCHAR AS HASH_SORTED,
    V.VALUE:input_files::ARRAY AS INPUT_FILES, ? AS RUN_ID, ? AS ATTEMPTS, ? AS SP_VERSION
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) V) S
ON R.RELATIVE_PATH = S.RELATIVE_PATH AND R.ETAG = S.HASH_RAW
WHEN MATCHED THEN UPDATE SET SIZE = S.SIZE, LAST_MODIFIED = CURRENT_TIMESTAMP(), STATUS = 'PUBLISHED',
  RUN_ID = S.RUN_ID, ATTEMPTS = S.ATTEMPTS, ERROR = NULL, HASH_SORTED = S.HASH_SORTED, HASH_RAW = S.HASH_RAW,
  SP_VERSION = S.SP_VERSION, INPUT_FILES = S.INPUT_FILES
WHEN NOT MATCHED THEN INSERT (RELATIVE_PATH, CONSUMER_REF, REF_FLUX_CONSUMER, FILE_NAME, SIZE, ETAG,
  LAST_MODIFIED, FIRST_SEEN_AT, STATUS, RUN_ID, ATTEMPTS, HASH_SORTED, HASH_RAW, SP_VERSION, INPUT_FILES)
VALUES (S.RELATIVE_PATH, S.PARTY, S.FLOW, S.FILE_NAME, S.SIZE, S.HASH_RAW,
  CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP(), 'PUBLISHED', S.RUN_ID, S.ATTEMPTS, S.HASH_SORTED,
  S.HASH_RAW, S.SP_VERSION, S.INPUT_FILES)"""


def publish(session: Any, slot: str, files: list[Any], work: dict[str, Any], schema: str) -> list[dict[str, Any]]:
    """Register files of an output slot with both their hashes, in one statement; the same file again changes its row.

    ``files`` are paths below the slot's stage, or ``{"relative_path", "input_files"}`` with the paths of the input
    files it was made from; without, those are all ``new_files`` of ``work``, the dict that the business procedure got.
    Takes part in the caller's transaction. Returns path, size and hashes of each.

    The version of a file in the registry is its `hash_raw`: a file that was just written has no ETag yet that
    everybody could read.
    """
    stage = f"{schema}.{slot.upper()}"
    inputs = [each["relative_path"] for each in work.get("new_files", ())]
    entries = [file if isinstance(file, dict) else {"relative_path": file} for file in files]
    urls = _urls(session, stage, [entry["relative_path"] for entry in entries]) if entries else {}
    found = [{"input_files": inputs, **entry, **_looked_at(entry["relative_path"], urls)} for entry in entries]
    if found:
        statement = _PUBLISH.format(registry=f"{stage}_REGISTRY")
        run = (work.get("run_id"), work.get("attempt"), work.get("version"))
        changed_rows(session, statement, *run, as_json(found))
    told = ("relative_path", "size", "hash_raw", "hash_sorted")
    return [{key: each[key] for key in told} for each in found]


def publish_files(session: Any, slot: str, files: list[Any], work: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The procedure PUBLISH_FILES(slot, files, work): `publish` in the schema of the procedure itself."""
    found = rows_of(session, "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()")[0]
    schema = ".".join('"' + str(name).replace('"', '""') + '"' for name in tuple(found)[:2])
    return publish(session, slot, files, work or {}, schema)


def _urls(session: Any, stage: str, paths: list[str]) -> dict[str, str]:
    """Scoped URLs of staged files by path: how a procedure reads files of internal and of external stages alike."""
    found = rows_of(
        session,
        f"SELECT V.VALUE::VARCHAR, BUILD_SCOPED_FILE_URL(@{stage}, V.VALUE::VARCHAR) "
        "FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) V",
        as_json(paths),
    )
    return {row[0]: row[1] for row in found}


def _looked_at(relative_path: str, urls: dict[str, str]) -> dict[str, Any]:
    """What the registry holds of one file: the parts of its path, its size and hashes."""
    from snowflake.snowpark.files import SnowflakeFile

    with SnowflakeFile.open(urls[relative_path], "rb") as file:
        stream = _Counted(file)
        hashes = hash_file(stream, relative_path)
    parts = relative_path.split("/")
    return {
        "party": parts[0] if len(parts) > 1 else None,
        "flow": parts[1] if len(parts) > 2 else None,
        "file_name": parts[-1],
        "size": stream.size,
        "hash_raw": hashes.raw,
        "hash_sorted": hashes.sorted,
    }


class _Counted:
    """A stream that counts the bytes read from it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self._stream.read(size)
        self.size += len(data)
        return data
