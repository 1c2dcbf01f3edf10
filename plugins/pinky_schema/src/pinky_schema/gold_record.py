"""Recording known good outputs: what a run made of its inputs becomes the measure for later versions.

The registries that it is read from may be those of a production schema of the same account, which is only read: USAGE
of its input stage and SELECT on its registries and on RUNS are enough. The reference inputs are copied into the stage
GOLD_INPUTS, a folder for each version, so that they stay when providers or production move on.

https://docs.snowflake.com/en/sql-reference/sql/copy-files, https://docs.snowflake.com/en/sql-reference/sql/merge
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pinky_core import Identifier, Session, string_literal
from pinky_schema.gold_registries import (
    MAX_NAMES,
    NEWEST,
    Place,
    copy_files,
    gold_rows,
    gold_versions,
    like,
    literals,
    made_of,
    output_registries,
    outputs_of,
)
from pinky_schema.gold_values import GoldError, GoldRow, Pattern, Recording
from pinky_schema.stage_facts import Facts

__all__ = ["UNVERSIONED", "record", "refuse_production"]

UNVERSIONED = "unversioned"  # what runs of a graph without a version are recorded as, where nobody says otherwise
_STATEMENT_SIZE = 200_000  # characters of values; a statement may have 1 MB


def refuse_production(facts: Facts, what: str) -> tuple[str, ...]:
    """Raise `GoldError` in production, before any statement; warnings where the environment has no name."""
    if facts.is_production:
        raise GoldError(
            f"{what} is refused in production, and {facts.env} is production: known good outputs are kept, and inputs "
            "run again, only in other environments"
        )
    if facts.env is None:
        return ("this environment has no name, so nobody can tell whether it is production: give --env",)
    return ()


def record(
    session: Session,
    schema: str | Sequence[Identifier],
    *,
    facts: Facts,
    source: str | Sequence[Identifier] | None = None,
    inputs: str = "*",
    version: str | None = None,
    limit: int = MAX_NAMES,
) -> Recording:
    """Record what the runs of one version made of their inputs, as known to be good, in the table GOLD of ``schema``.

    ``facts`` are those of the schema's environment. ``source`` is the schema whose registries tell the inputs and
    outputs, by default the same. ``inputs`` says which paths, with ``*`` and ``?``. ``version`` is the version of the
    graph, by default that of the run that finished last; runs without one are recorded under the version given, or
    `UNVERSIONED`. Of more than ``limit`` inputs those that finished last are taken.

    An input of the same version that was recorded before is replaced. Raises `GoldError` where there is nothing to
    record, `SessionError` where a statement fails.
    """
    warnings = refuse_production(facts, "recording")
    place = Place.of(schema)
    origin = place if source is None else Place.of(source)
    pattern = Pattern(inputs)
    gold_versions(session, place)  # raises where there is no table to record into
    chosen = version if version is not None else _last_version(session, origin, pattern)
    name = chosen or UNVERSIONED
    found, left_out = _inputs(session, origin, pattern, chosen, limit, labelled=version is not None)
    if not found:
        raise GoldError(_nothing(session, origin, pattern, version))
    made = outputs_of(session, output_registries(session, origin), sorted({run_id for _, run_id in found}))
    rows = [
        GoldRow(name, path, made_of(made.get(run_id, ()), path), recorded_from=origin.schema) for path, run_id in found
    ]
    known = {row.input_path: row for row in gold_rows(session, place, name)}
    # A row stands only beside the input it belongs to, wherever this is interrupted: away first, written last.
    paths = literals(row.input_path for row in rows)
    session.execute(
        f"DELETE FROM {place.gold} WHERE SP_VERSION = {string_literal(name)} AND INPUT_FILE_NAME IN ({paths})"
    )
    gone = copy_files(session, place.kept(name), f"@{origin.stage}/", [row.input_path for row in rows])
    kept = tuple(row for row in rows if row.input_path not in set(gone))
    # what an earlier recording kept of an input that left its slot is as good as it was
    for statement in _merges(place, [*kept, *(known[path] for path in gone if path in known)]):
        session.execute(statement)
    skipped = tuple((path, _why_skipped(origin, known=path in known)) for path in gone)
    return Recording(place.schema, origin.schema, name, kept, skipped, left_out, warnings)


def _why_skipped(origin: Place, *, known: bool) -> str:
    left = f"it is not in {origin.stage} any more"
    return f"{left}; what was recorded before stays" if known else left


def _newest(place: Place, pattern: Pattern) -> str:
    """The newest version of each path, where it is done, with the version of the graph that did it."""
    return (
        f"FROM (SELECT RELATIVE_PATH, STATUS, RUN_ID, ATTEMPTS, FINISHED_AT FROM {place.registry} "
        f"WHERE {like('RELATIVE_PATH', pattern)} {NEWEST}) I LEFT JOIN {place.name('RUNS')} R "
        "ON R.RUN_ID = I.RUN_ID AND R.ATTEMPT = I.ATTEMPTS WHERE I.STATUS = 'DONE'"
    )


def _last_version(session: Session, place: Place, pattern: Pattern) -> str | None:
    """The version of the graph of the run that finished last; None where that has none, or nothing finished."""
    query = f"SELECT R.SP_VERSION {_newest(place, pattern)} ORDER BY I.FINISHED_AT DESC, I.RUN_ID LIMIT 1"
    found = session.execute(query).values
    return found[0][0] if found else None


def _inputs(
    session: Session, place: Place, pattern: Pattern, version: str | None, limit: int, *, labelled: bool
) -> tuple[list[tuple[str, str]], int]:
    """Path and run of the inputs that a version finished, by path; and how many more there are than the limit."""
    same = "R.SP_VERSION IS NULL" if version is None else f"R.SP_VERSION = {string_literal(version)}"
    if labelled:
        same = f"({same} OR R.SP_VERSION IS NULL)"
    found = session.execute(
        f"SELECT I.RELATIVE_PATH, I.RUN_ID, COUNT(*) OVER () AS ALL_OF_THEM {_newest(place, pattern)} AND {same} "
        f"ORDER BY I.FINISHED_AT DESC, I.RELATIVE_PATH LIMIT {max(1, int(limit))}"
    ).values
    left_out = int(found[0][2]) - len(found) if found else 0
    return sorted((path, run_id) for path, run_id, _ in found), left_out


def _nothing(session: Session, place: Place, pattern: Pattern, version: str | None) -> str:
    """Why there is nothing to record."""
    found = session.execute(f"SELECT DISTINCT R.SP_VERSION {_newest(place, pattern)} ORDER BY 1").values
    what = "" if pattern.text == "*" else f" like {pattern.text!r}"
    if not found:
        return f"{place.registry} has no input{what} that is done"
    names = ", ".join(str(row[0]) if row[0] is not None else UNVERSIONED for row in found)
    return f"{place.registry} has no input{what} that version {version!r} has done; versions there: {names}"


def _merges(place: Place, rows: Sequence[GoldRow]) -> Iterator[str]:
    """MERGE statements that write rows, each of a bounded size; running one twice has the effect of once."""
    for values in _chunks([_values(row) for row in rows]):
        yield (
            f"MERGE INTO {place.gold} G USING (SELECT COLUMN1 AS V, COLUMN2 AS P, PARSE_JSON(COLUMN3)::ARRAY AS O, "
            f"COLUMN4 AS S FROM VALUES {', '.join(values)}) N ON G.SP_VERSION = N.V AND G.INPUT_FILE_NAME = N.P "
            "WHEN MATCHED THEN UPDATE SET OUTPUTS = N.O, RECORDED_AT = CURRENT_TIMESTAMP(), RECORDED_FROM = N.S "
            "WHEN NOT MATCHED THEN INSERT (SP_VERSION, INPUT_FILE_NAME, OUTPUTS, RECORDED_AT, RECORDED_FROM) "
            "VALUES (N.V, N.P, N.O, CURRENT_TIMESTAMP(), N.S)"
        )


def _values(row: GoldRow) -> str:
    outputs: Any = [each.as_json() for each in row.outputs]
    return f"({literals([row.version, row.input_path, json.dumps(outputs), row.recorded_from or ''])})"


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for each in values:
        if chunk and size + len(each) > _STATEMENT_SIZE:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += len(each)
    if chunk:
        yield chunk
