"""Reading the registries of a schema for non-regression, and moving reference inputs between its stages.

Values stand in the statements as literals, so that every kind of session runs them alike.

https://docs.snowflake.com/en/sql-reference/sql/copy-files: stages may be internal or external on both sides, at most
1,000 names a statement, and names that are not there are skipped without an error. Needed are USAGE of external stages,
READ of an internal source and WRITE of an internal target.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from pinky_core import Identifier, NotVisibleError, Rows, Session, parse_path, sql_path, string_literal
from pinky_schema.builtin_slots import SLOTS
from pinky_schema.gold_values import GoldError, GoldRow, InputState, Output, Pattern
from pinky_schema.slots import SlotUse
from pinky_schema.stage_facts import Facts

__all__ = [
    "MAX_NAMES",
    "Place",
    "copy_files",
    "gold_rows",
    "gold_versions",
    "like",
    "literals",
    "made_of",
    "output_registries",
    "outputs_of",
    "states_of",
]

MAX_NAMES = 1000  # of one COPY FILES
_INPUT = next(slot for slot in SLOTS if slot.name == "external_input_files")
_SUFFIX = "_REGISTRY"
#: The newest row of each path. A version that is gone counts only where there is no other of the same moment.
NEWEST = (
    "QUALIFY ROW_NUMBER() OVER (PARTITION BY RELATIVE_PATH "
    "ORDER BY FIRST_SEEN_AT DESC, IFF(STATUS = 'GONE', 1, 0), ETAG) = 1"
)


@attrs.frozen
class Place:
    """A schema with the names that non-regression uses in it."""

    use: SlotUse

    @classmethod
    def of(cls, schema: str | Sequence[Identifier]) -> Place:
        """From ``DB.SCHEMA`` or its parts; raises `GoldError` for what is no schema."""
        try:
            path = parse_path(schema) if isinstance(schema, str) else tuple(schema)
        except ValueError as error:
            raise GoldError(str(error)) from None
        if len(path) != 2:
            raise GoldError(f"expected a schema, DB.SCHEMA; found {sql_path(path) or 'nothing'}")
        return cls(SlotUse(_INPUT, tuple(path), Facts()))

    @property
    def schema(self) -> str:
        """``DB.SCHEMA`` as SQL writes it."""
        return sql_path(self.use.schema)

    def name(self, name: str) -> str:
        """A name in the schema, in full."""
        return self.use.qualified(name)

    @property
    def gold(self) -> str:
        """The table of known good outputs."""
        return self.name("GOLD")

    @property
    def gold_inputs(self) -> str:
        """The stage that keeps reference inputs."""
        return self.name("GOLD_INPUTS")

    @property
    def stage(self) -> str:
        """The stage that input files lie in."""
        return self.name(self.use.stage)

    @property
    def registry(self) -> str:
        """The registry of input files."""
        return self.name(self.use.registry)

    def kept(self, version: str) -> str:
        """The folder with the reference inputs of a version: ``@DB.SCHEMA.GOLD_INPUTS/<version>/``.

        Whatever is no letter, digit, dot or hyphen is written as its number between underscores, so that any text is
        one folder.
        """
        folder = re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found.group()):x}_", version)
        return f"@{self.gold_inputs}/{folder if folder.strip('.') else folder.replace('.', '_2e_')}/"


def literals(values: Iterable[str]) -> str:
    """Texts as a list for IN."""
    return ", ".join(string_literal(each) for each in values)


def gold_rows(
    session: Session, place: Place, version: str | None = None, pattern: Pattern | None = None
) -> list[GoldRow]:
    """The rows of GOLD, those recorded last first. Raises `GoldError` where there is no such table."""
    which = like("INPUT_FILE_NAME", pattern or Pattern())
    if version is not None:
        which += f" AND SP_VERSION = {string_literal(version)}"
    found = _of_gold(
        session,
        place,
        f"SELECT SP_VERSION, INPUT_FILE_NAME, OUTPUTS, RECORDED_AT, RECORDED_FROM FROM {place.gold} WHERE {which} "
        "ORDER BY RECORDED_AT DESC, SP_VERSION, INPUT_FILE_NAME",
    )
    return [
        GoldRow(version, path, tuple(Output.from_json(each) for each in decoded(outputs) or ()), at, origin)
        for version, path, outputs, at, origin in found.values
    ]


def gold_versions(session: Session, place: Place) -> list[str]:
    """The versions in GOLD, the one recorded last first. Raises `GoldError` where there is no such table."""
    query = f"SELECT SP_VERSION, MAX(RECORDED_AT) FROM {place.gold} GROUP BY SP_VERSION ORDER BY 2 DESC, 1 DESC"
    return [str(row[0]) for row in _of_gold(session, place, query).values]


def _of_gold(session: Session, place: Place, query: str) -> Rows:
    try:
        return session.execute(query)
    except NotVisibleError as error:
        raise GoldError(
            f"there is no table {place.gold} here, or the role may not see it: it comes with the section stages, in "
            "environments that are not production"
        ) from error


def output_registries(session: Session, place: Place) -> dict[str, str]:
    """Registries with hashes by slot, those of other plugins too."""
    database, schema = place.use.schema
    found = session.execute(
        f"SELECT TABLE_NAME FROM {database.sql}.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = {string_literal(schema)} AND COLUMN_NAME = 'HASH_SORTED' ORDER BY TABLE_NAME"
    )
    names = [str(row[0]) for row in found.values if str(row[0]).endswith(_SUFFIX)]
    return {name.removesuffix(_SUFFIX).lower(): place.name(name) for name in names}


def _outputs(registries: Mapping[str, str], runs: str) -> Iterator[str]:
    """A SELECT for each registry of what these runs published; columns as in `_inputs`."""
    for slot, registry in registries.items():
        yield (
            f"SELECT {string_literal(slot)} AS SLOT, RELATIVE_PATH, STATUS, RUN_ID, ERROR, SP_VERSION, HASH_RAW, "
            f"HASH_SORTED, INPUT_FILES, ATTEMPTS, LAST_MODIFIED FROM {registry} "
            f"WHERE STATUS = 'PUBLISHED' AND RUN_ID IN ({runs})"
        )


def outputs_of(session: Session, registries: Mapping[str, str], run_ids: Sequence[str]) -> dict[str, list[_Made]]:
    """What runs published, by run id."""
    if not registries or not run_ids:
        return {}
    found: list[Sequence[Any]] = []
    for start in range(0, len(run_ids), MAX_NAMES):
        runs = literals(run_ids[start : start + MAX_NAMES])
        found += session.execute("\nUNION ALL\n".join(_outputs(registries, runs))).values
    return _by_run(found)


def states_of(session: Session, place: Place, registries: Mapping[str, str], which: str) -> dict[str, InputState]:
    """What became of inputs, with their outputs, by path; ``which`` is a condition on the registry's RELATIVE_PATH.

    One statement, so that an input and its outputs are seen at one moment: whoever processes the input again takes its
    row away before the outputs change.
    """
    newest = (
        f"SELECT RELATIVE_PATH, STATUS, RUN_ID, ERROR, ATTEMPTS, FIRST_SEEN_AT FROM {place.registry} "
        f"WHERE {which} {NEWEST}"
    )
    inputs = (
        "SELECT NULL::VARCHAR AS SLOT, I.RELATIVE_PATH, I.STATUS, I.RUN_ID, I.ERROR, R.SP_VERSION, NULL::VARCHAR AS "
        "HASH_RAW, NULL::VARCHAR AS HASH_SORTED, NULL::ARRAY AS INPUT_FILES, I.ATTEMPTS, I.FIRST_SEEN_AT AS "
        f"LAST_MODIFIED FROM ({newest}) I LEFT JOIN {place.name('RUNS')} R "
        "ON R.RUN_ID = I.RUN_ID AND R.ATTEMPT = I.ATTEMPTS"
    )
    runs = f"SELECT RUN_ID FROM {place.registry} WHERE {which}"
    found = session.execute("\nUNION ALL\n".join([inputs, *_outputs(registries, runs)]))
    made = _by_run(row for row in found.values if row[0] is not None)
    return {
        path: InputState(path, status, run_id, error, version, made_of(made.get(run_id, ()), path))
        for slot, path, status, run_id, error, version, *_ in found.values
        if slot is None
    }


@attrs.frozen
class _Made:
    """An output with what it was made from."""

    output: Output
    inputs: frozenset[str]
    order: tuple[Any, ...]


def _by_run(rows: Iterable[Sequence[Any]]) -> dict[str, list[_Made]]:
    found: dict[str, list[_Made]] = {}
    for slot, path, _, run_id, _, _, raw, by_rows, inputs, attempt, modified in rows:
        made = _Made(Output(slot, path, raw, by_rows), frozenset(decoded(inputs) or ()), (attempt or 0, modified))
        found.setdefault(run_id, []).append(made)
    return found


def made_of(made: Iterable[_Made], input_path: str) -> tuple[Output, ...]:
    """The outputs of one run that were made from an input; of several versions of one file the last."""
    last: dict[tuple[str, str], _Made] = {}
    for each in made:
        key = (each.output.slot, each.output.path)
        if input_path in each.inputs and (key not in last or last[key].order < each.order):
            last[key] = each
    return tuple(sorted(each.output for each in last.values()))


def copy_files(session: Session, into: str, source: str, paths: Sequence[str]) -> list[str]:
    """Copy files from one stage location to another, both as ``@stage`` or ``@stage/folder/``; the paths not there."""
    missing: list[str] = []
    for start in range(0, len(paths), MAX_NAMES):
        chunk = paths[start : start + MAX_NAMES]
        found = session.execute(
            f"COPY FILES INTO {string_literal(into)} FROM {string_literal(source)} FILES = ({literals(chunk)}) "
            "DETAILED_OUTPUT = TRUE"
        )
        if len(found) < len(chunk):
            missing += _not_copied(chunk, found)
    return missing


def _not_copied(paths: Sequence[str], found: Rows) -> list[str]:
    """The names that COPY FILES left out; it answers each file with the target's path in front, or without."""
    copied = [str(name) for (name,) in found.pick("file")]
    exact = set(copied)
    # the longest names first, so that none is taken for the end of another
    left = sorted(set(paths) - exact, key=len, reverse=True)
    rest = [name for name in copied if name not in set(paths)]
    for path in list(left):
        whole = next((name for name in rest if name.endswith(f"/{path}")), None)
        if whole is not None:
            left.remove(path)
            rest.remove(whole)
    return sorted(left)


def decoded(value: Any) -> Any:
    """A cell of an ARRAY as Python data; it comes as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def like(column: str, pattern: Pattern) -> str:
    """A condition on a column."""
    return f"{column} LIKE {string_literal(pattern.like)} ESCAPE '^'"
