"""Files from a stage to a business procedure: register, claim, hand over, account for.

A version of a file (its path and ETag) is one row of the registry:

- ``NEW``: seen, nobody has it. ``CLAIMED``: the run RUN_ID has it until LEASE_UNTIL. ``DONE``: processed.
- ``FAILED``: its run failed; after LEASE_UNTIL it is offered again under the same run id, with ATTEMPTS one higher.
- ``PARKED``: failed, or died, as often as is allowed; ERROR says why. Set its STATUS to NEW to offer it again.
- ``GONE``: it left the stage, or was overwritten, before anybody processed it.

What is promised. *At least once*: a file is claimed by one UPDATE that changes only rows nobody else holds, so two
pollers never claim the same file; a claim whose run said nothing until the end of its lease is offered again, so no
file is lost. *Exactly once*, for a procedure that commits its work in one transaction with `complete_run`: that counts
the rows which this very attempt still holds, and raises where another attempt has taken over, so that of all attempts
only one can commit.

Each poll costs the same number of statements, however many files there are.

https://docs.snowflake.com/en/user-guide/data-load-dirtables-query,
https://docs.snowflake.com/en/user-guide/streams-intro (offsets move with the DML that reads the stream)
"""

from __future__ import annotations

import uuid
from typing import Any

from pinky_schema.runtime.database import as_json, changed_rows, execute, rows_of, shortened, transaction

_SOURCE = """
SELECT RELATIVE_PATH, SPLIT_PART(RELATIVE_PATH, '/', -1) AS FILE_NAME,
  IFF(ARRAY_SIZE(SPLIT(RELATIVE_PATH, '/')) > 1, SPLIT_PART(RELATIVE_PATH, '/', 1), NULL) AS PARTY,
  IFF(ARRAY_SIZE(SPLIT(RELATIVE_PATH, '/')) > 2, SPLIT_PART(RELATIVE_PATH, '/', 2), NULL) AS FLOW,
  SIZE, MD5, COALESCE(ETAG, MD5, TO_VARCHAR(LAST_MODIFIED)) AS ETAG, LAST_MODIFIED
FROM {source}{where}
QUALIFY ROW_NUMBER() OVER (PARTITION BY RELATIVE_PATH, COALESCE(ETAG, MD5, TO_VARCHAR(LAST_MODIFIED))
  ORDER BY LAST_MODIFIED DESC) = 1"""
_REGISTER = """
MERGE INTO {registry} R USING ({source}) S
ON R.RELATIVE_PATH = S.RELATIVE_PATH AND R.ETAG = S.ETAG
WHEN NOT MATCHED THEN INSERT
  (RELATIVE_PATH, PROVIDER_REF, REF_FLUX_PROVIDER, FILE_NAME, SIZE, MD5, ETAG, LAST_MODIFIED, FIRST_SEEN_AT, STATUS,
   ATTEMPTS)
VALUES (S.RELATIVE_PATH, S.PARTY, S.FLOW, S.FILE_NAME, S.SIZE, S.MD5, S.ETAG, S.LAST_MODIFIED, CURRENT_TIMESTAMP(),
  'NEW', 0)"""
_GONE = """
UPDATE {registry} SET STATUS = 'GONE', FINISHED_AT = CURRENT_TIMESTAMP()
FROM (SELECT R.RELATIVE_PATH AS P, R.ETAG AS E FROM {registry} R
  LEFT JOIN (SELECT RELATIVE_PATH AS P, COALESCE(ETAG, MD5, TO_VARCHAR(LAST_MODIFIED)) AS E
    FROM DIRECTORY(@{stage})) D ON D.P = R.RELATIVE_PATH AND D.E = R.ETAG
  WHERE R.STATUS IN ('NEW', 'FAILED') AND D.P IS NULL) G
WHERE RELATIVE_PATH = G.P AND ETAG = G.E AND STATUS IN ('NEW', 'FAILED')"""
_PARK = """
UPDATE {registry} SET STATUS = 'PARKED', FINISHED_AT = CURRENT_TIMESTAMP(),
  ERROR = COALESCE(ERROR, 'the run said nothing until the end of its lease')
WHERE (STATUS = 'FAILED' OR STATUS = 'CLAIMED' AND LEASE_UNTIL < CURRENT_TIMESTAMP()) AND ATTEMPTS >= ?"""
_DUE = "STATUS IN ('CLAIMED', 'FAILED') AND LEASE_UNTIL < CURRENT_TIMESTAMP()"
_AGAIN = """
UPDATE {registry} SET STATUS = 'CLAIMED', ATTEMPTS = ATTEMPTS + 1, CLAIMED_BY = ?, CLAIMED_AT = CURRENT_TIMESTAMP(),
  LEASE_UNTIL = DATEADD(SECOND, ?, CURRENT_TIMESTAMP())
WHERE {due} AND RUN_ID = (SELECT RUN_ID FROM {registry} WHERE {due} ORDER BY CLAIMED_AT, RUN_ID LIMIT 1)"""
_CLAIM = """
UPDATE {registry} SET STATUS = 'CLAIMED', ATTEMPTS = 1, RUN_ID = ?, CLAIMED_BY = ?, CLAIMED_AT = CURRENT_TIMESTAMP(),
  LEASE_UNTIL = DATEADD(SECOND, ?, CURRENT_TIMESTAMP()), ERROR = NULL, FINISHED_AT = NULL
FROM (SELECT RELATIVE_PATH AS P, ETAG AS E FROM {registry} WHERE STATUS = 'NEW'
  ORDER BY FIRST_SEEN_AT, RELATIVE_PATH LIMIT {limit}) C
WHERE RELATIVE_PATH = C.P AND ETAG = C.E AND STATUS = 'NEW'"""
_DIED = """
UPDATE {runs} SET STATUS = 'DIED', FINISHED_AT = CURRENT_TIMESTAMP(), ERROR = 'another attempt took over'
WHERE STATUS = 'RUNNING' AND RUN_ID = (SELECT MAX(RUN_ID) FROM {registry} WHERE CLAIMED_BY = ?)"""
_RUN = """
INSERT INTO {runs} (RUN_ID, ATTEMPT, GRAPH, SP_VERSION, TRIGGERED_BY, GRAPH_RUN, STATUS, FILES, STARTED_AT)
SELECT RUN_ID, MAX(ATTEMPTS), ?, ?, ?, ?, 'RUNNING', COUNT(*), CURRENT_TIMESTAMP()
FROM {registry} WHERE CLAIMED_BY = ? AND STATUS = 'CLAIMED' GROUP BY RUN_ID"""
_ENDED = """
UPDATE {runs} SET STATUS = IFF(C.LOST > 0, 'DIED', 'DONE'), FINISHED_AT = CURRENT_TIMESTAMP(),
  ERROR = IFF(C.LOST > 0, 'the run said nothing until the end of its lease', NULL)
FROM (SELECT R.RUN_ID AS ID, R.ATTEMPT AS N, COUNT_IF(G.STATUS = 'CLAIMED') AS HELD,
    COUNT_IF(G.STATUS IN ('FAILED', 'PARKED')) AS LOST
  FROM {runs} R LEFT JOIN {registry} G ON G.RUN_ID = R.RUN_ID
  WHERE R.STATUS = 'RUNNING' AND R.FILES > 0 AND R.STARTED_AT < DATEADD(SECOND, ?, CURRENT_TIMESTAMP())
  GROUP BY R.RUN_ID, R.ATTEMPT) C
WHERE RUN_ID = C.ID AND ATTEMPT = C.N AND C.HELD = 0 AND STATUS = 'RUNNING'"""
_REPEAT = """
MERGE INTO {runs} R USING (
  SELECT RUN_ID, ATTEMPT + 1 AS ATTEMPT, GRAPH, SP_VERSION, TRIGGERED_BY, GRAPH_RUN FROM {runs} O
  WHERE RUN_ID = ? AND ATTEMPT = ? AND STATUS = 'FAILED') S
ON R.RUN_ID = S.RUN_ID AND R.ATTEMPT = S.ATTEMPT
WHEN NOT MATCHED THEN INSERT
  (RUN_ID, ATTEMPT, GRAPH, SP_VERSION, TRIGGERED_BY, GRAPH_RUN, STATUS, FILES, STARTED_AT)
VALUES (S.RUN_ID, S.ATTEMPT, S.GRAPH, S.SP_VERSION, S.TRIGGERED_BY, S.GRAPH_RUN, 'RUNNING', 0, CURRENT_TIMESTAMP())"""
_AGAIN_HERE = """
UPDATE {registry} SET STATUS = 'CLAIMED', ATTEMPTS = ATTEMPTS + 1, CLAIMED_BY = ?, CLAIMED_AT = CURRENT_TIMESTAMP(),
  LEASE_UNTIL = DATEADD(SECOND, ?, CURRENT_TIMESTAMP())
WHERE RUN_ID = ? AND ATTEMPTS = ? AND STATUS = 'FAILED'"""
_FILE_COLUMNS = "RELATIVE_PATH, PROVIDER_REF, REF_FLUX_PROVIDER, FILE_NAME, SIZE, MD5, ETAG, LAST_MODIFIED"


class Names:
    """Names of a slot's objects in full. ``schema`` is ``DB.SCHEMA`` as SQL writes it."""

    def __init__(self, schema: str, slot: str | None) -> None:
        self.schema = schema
        self.runs = f"{schema}.RUNS"
        self.steps = f"{schema}.RUN_STEPS"
        self.stage = f"{schema}.{slot.upper()}" if slot else ""
        self.registry = f"{self.stage}_REGISTRY"
        self.stream = f"{self.stage}_STREAM"

    def fill(self, statement: str, **more: object) -> str:
        """A statement with these names in it."""
        return statement.format(
            registry=self.registry, stage=self.stage, stream=self.stream, runs=self.runs, steps=self.steps, **more
        )


def register_files(session: Any, names: Names, *, refresh: bool) -> dict[str, Any]:
    """Bring the registry up to date with the stage: by the stream first, whose offset moves, then by the whole list.

    The list finds what a stream cannot tell: files older than the stream, and what was lost with a stale one. A stream
    that cannot be read is reported as ``stream_error`` and holds nothing up.
    """
    report: dict[str, Any] = {}
    if refresh:
        execute(session, f"ALTER STAGE {names.stage} REFRESH")  # which answers a row for each file that changed
    arrived = _SOURCE.format(source=names.stream, where="\nWHERE METADATA$ACTION = 'INSERT'")
    try:
        report["registered"] = changed_rows(session, names.fill(_REGISTER, source=arrived))
    except Exception as error:  # noqa: BLE001 - whatever the stream has, the list below finds the same files
        report["registered"] = 0
        report["stream_error"] = shortened(error)
    listed = _SOURCE.format(source=f"DIRECTORY(@{names.stage})", where="")
    report["registered"] += changed_rows(session, names.fill(_REGISTER, source=listed))
    report["gone"] = changed_rows(session, names.fill(_GONE))
    return report


def claim(session: Any, names: Names, settings: dict[str, Any], graph_run: str | None) -> dict[str, Any] | None:
    """Claim files for one run, in one transaction: those of a run to repeat, else new ones; None where there are none.

    The claim is ``{"run_id", "attempt", "files", "claimed_by"}``.
    """
    claimed_by, lease = str(uuid.uuid4()), int(settings["lease_seconds"])
    with transaction(session):
        changed_rows(session, names.fill(_PARK), int(settings["max_attempts"]))
        taken = changed_rows(session, names.fill(_AGAIN, due=_DUE), claimed_by, lease)
        if taken:
            changed_rows(session, names.fill(_DIED), claimed_by)
        else:
            limit = int(settings["batch_size"])
            taken = changed_rows(session, names.fill(_CLAIM, limit=limit), str(uuid.uuid4()), claimed_by, lease)
        if taken:
            graph = settings["graph"]
            root = settings.get("root", graph)
            changed_rows(session, names.fill(_RUN), graph, settings.get("version"), root, graph_run, claimed_by)
    if not taken:
        changed_rows(session, names.fill(_ENDED), -lease)
        return None
    found = rows_of(session, f"SELECT RUN_ID, ATTEMPTS FROM {names.registry} WHERE CLAIMED_BY = ? LIMIT 1", claimed_by)
    return {"run_id": found[0][0], "attempt": int(found[0][1]), "files": taken, "claimed_by": claimed_by}


def repeat_run(session: Any, names: Names, run: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any] | None:
    """The next attempt of a run that failed, with the files that it failed on, in one transaction.

    None where another attempt has begun, be it here or in another graph run. Raises RuntimeError where its files were
    tried as often as is allowed.
    """
    key = (run["run_id"], run["attempt"])
    again = {**run, "attempt": run["attempt"] + 1, "files": 0, "status": "RUNNING", "error": None}
    with transaction(session):
        begun = changed_rows(session, names.fill(_REPEAT), *key)
        if begun and settings.get("slot"):
            _need_unparked(session, names, run)
            lease = (str(uuid.uuid4()), int(settings["lease_seconds"]))
            again["files"] = changed_rows(session, names.fill(_AGAIN_HERE), *lease, *key)
            files = f"UPDATE {names.runs} SET FILES = ? WHERE RUN_ID = ? AND ATTEMPT = ?"
            changed_rows(session, files, again["files"], run["run_id"], again["attempt"])
    return again if begun else None


def _need_unparked(session: Any, names: Names, run: dict[str, Any]) -> None:
    parked = rows_of(
        session,
        f"SELECT COUNT(*) FROM {names.registry} WHERE RUN_ID = ? AND ATTEMPTS = ? AND STATUS = 'PARKED'",
        run["run_id"],
        run["attempt"],
    )[0][0]
    if parked:
        text = f"failed for the last time allowed, and {parked} of its files are parked"
        raise RuntimeError(f"run {run['run_id']} {text}")


def files_of(session: Any, names: Names, run: dict[str, Any], limit: int) -> dict[str, Any]:
    """What the business procedure is told of files: ``new_files``, ``existing_files`` and their whole number.

    A new file has a ``scoped_url``, by which SnowflakeFile reads it from internal and external stages alike, and a
    ``status``: DONE where an earlier step of this attempt has completed it, else CLAIMED.
    ``existing_files`` are those processed before, latest first, at most ``limit`` of them; the registry has them all.
    """
    new = rows_of(
        session,
        f"SELECT {_FILE_COLUMNS}, BUILD_SCOPED_FILE_URL(@{names.stage}, RELATIVE_PATH), STATUS FROM {names.registry} "
        "WHERE RUN_ID = ? AND ATTEMPTS = ? AND STATUS IN ('CLAIMED', 'DONE') ORDER BY RELATIVE_PATH, ETAG",
        run["run_id"],
        run["attempt"],
    )
    old = rows_of(
        session,
        f"SELECT {_FILE_COLUMNS}, COUNT(*) OVER () FROM {names.registry} WHERE STATUS = 'DONE' "
        f"ORDER BY FINISHED_AT DESC, RELATIVE_PATH LIMIT {max(int(limit), 1)}",
    )
    return {
        "new_files": [{**_file(row, names), "scoped_url": row[8], "status": row[9]} for row in new],
        "existing_files": [_file(row, names) for row in old[: int(limit)]],
        "existing_files_count": int(old[0][8]) if old else 0,
    }


def _file(row: Any, names: Names) -> dict[str, Any]:
    keys = [word.strip().lower() for word in _FILE_COLUMNS.split(",")]
    found = dict(zip(keys, tuple(row)[: len(keys)], strict=True))
    found["size"] = None if found["size"] is None else int(found["size"])
    found["last_modified"] = None if found["last_modified"] is None else found["last_modified"].isoformat()
    found["stage_path"] = f"@{names.stage}/{found['relative_path']}"
    return found


def complete_run(session: Any, names: Names, run: dict[str, Any]) -> int:
    """Mark what this attempt holds as done, inside the transaction of whoever calls; returns the number of files.

    Raises RuntimeError where the attempt does not hold all its files any more: somebody else took over, and the
    caller's work must be rolled back.
    """
    done = changed_rows(
        session,
        f"UPDATE {names.registry} SET STATUS = 'DONE', FINISHED_AT = CURRENT_TIMESTAMP(), ERROR = NULL "
        "WHERE RUN_ID = ? AND ATTEMPTS = ? AND STATUS = 'CLAIMED'",
        run["run_id"],
        run["attempt"],
    )
    wanted = int(run.get("files", done))
    if done != wanted:
        raise RuntimeError(
            f"attempt {run['attempt']} of run {run['run_id']} holds {done} of its {wanted} files: "
            "another attempt has taken over, so this one must not take effect"
        )
    return done


def done_files(session: Any, names: Names, run: dict[str, Any]) -> int:
    """How many files this attempt has done, whoever marked them."""
    found = rows_of(
        session,
        f"SELECT COUNT(*) FROM {names.registry} WHERE RUN_ID = ? AND ATTEMPTS = ? AND STATUS = 'DONE'",
        run["run_id"],
        run["attempt"],
    )
    return int(found[0][0])


def fail_files(
    session: Any, names: Names, run: dict[str, Any], errors: dict[str, str] | str, settings: dict[str, Any]
) -> int:
    """Note a failure of this attempt: of all the files it holds, or of some by path; returns their number.

    They are offered again after ``retry_seconds``, or parked where this was the last attempt allowed.
    """
    last = int(run["attempt"]) >= int(settings["max_attempts"])
    status = "PARKED" if last else "FAILED"
    finished = "CURRENT_TIMESTAMP()" if last else "NULL"
    head = (
        f"UPDATE {names.registry} SET STATUS = '{status}', FINISHED_AT = {finished}, "
        "LEASE_UNTIL = DATEADD(SECOND, ?, CURRENT_TIMESTAMP()), ERROR = "
    )
    held = "RUN_ID = ? AND ATTEMPTS = ? AND STATUS = 'CLAIMED'"
    key = (run["run_id"], run["attempt"])
    wait = int(settings["retry_seconds"])
    if isinstance(errors, str):
        return changed_rows(session, f"{head}? WHERE {held}", wait, errors, *key)
    listed = "(SELECT F.KEY AS P, F.VALUE::VARCHAR AS WHY FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) F) E"
    return changed_rows(
        session, f"{head}E.WHY FROM {listed} WHERE RELATIVE_PATH = E.P AND {held}", wait, as_json(errors), *key
    )


def end_run(session: Any, names: Names, run: dict[str, Any], status: str, error: str | None, info: Any = None) -> None:
    """Close the record of an attempt: ``DONE`` or ``FAILED``, and why."""
    changed_rows(
        session,
        f"UPDATE {names.runs} SET STATUS = ?, ERROR = ?, INFO = PARSE_JSON(?), FINISHED_AT = CURRENT_TIMESTAMP() "
        "WHERE RUN_ID = ? AND ATTEMPT = ? AND STATUS = 'RUNNING'",
        status,
        error,
        as_json(info),
        run["run_id"],
        run["attempt"],
    )
