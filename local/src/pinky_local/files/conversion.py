"""Staged CSV and JSON files as JSON lines that DuckDB reads fast, one converted file for each staged file and format.

A line is {"f": METADATA$FILENAME, "n": row number, "m": seconds of METADATA$FILE_LAST_MODIFIED, "k": content key,
"v": [fields]}; a JSON document is the only field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinky_local.files import csv_records, json_records
from pinky_local.files.content import ContentError, decoded, plain
from pinky_local.files.csv_records import Record
from pinky_local.files.formats import csv_format, refuse_others


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be read: its number, its line in the file, and why."""

    row: int
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted file. ``lines`` are the lines its rows begin in; ``header`` the names PARSE_HEADER read."""

    path: Path
    rows: int
    width: int
    problems: tuple[Problem, ...]
    lines: tuple[int, ...]
    header: tuple[str, ...] = ()


class Conversions:
    """Converts staged files and remembers what it converted. Raises `ContentError`."""

    def __init__(self) -> None:
        self._known: dict[str, Converted] = {}

    def of(
        self, name: str, path: str, size: int, changed_ns: int, key: str, given: Mapping[str, Any], scratch: Path,
        expected: int | None = None,
    ) -> Converted:  # fmt: skip
        """A staged file, converted; ``expected`` is the number of fields each CSV record must have."""
        told = json.dumps([name, path, size, changed_ns, dict(given), expected], sort_keys=True)
        mark = hashlib.sha256(told.encode()).hexdigest()[:32]
        known = self._known.get(mark)
        if known is None or not known.path.exists():
            target = scratch / f"rows-{mark}.jsonl"
            base = {"f": name, "m": changed_ns // 1_000_000_000, "k": key}
            known = self._known[mark] = _convert(path, given, target, base, expected)
        return known


def _convert(
    path: str, given: Mapping[str, Any], target: Path, base: dict[str, Any], expected: int | None
) -> Converted:
    problems: list[Problem] = []
    lines: list[int] = []
    width = 0
    header: tuple[str, ...] = ()
    found = _records(path, given)
    if given.get("TYPE", "CSV") == "CSV" and given.get("PARSE_HEADER"):
        first = next(found, None)
        header = tuple(one or "" for one in first.fields) if first is not None else ()
    beside = target.with_suffix(".new")
    prefix = json.dumps(base, ensure_ascii=False)[:-1]
    with beside.open("w", encoding="utf-8") as file:
        for row, record in enumerate(found, 1):
            lines.append(record.line)
            width = max(width, len(record.fields))
            problem = record.problem or _count_problem(record, expected)
            if problem is not None:
                problems.append(Problem(row, record.line, problem))
            file.write(f'{prefix}, "n": {row}, "v": {json.dumps(record.fields, ensure_ascii=False)}}}\n')
    beside.replace(target)
    return Converted(target, len(lines), width, tuple(problems), tuple(lines), header)


def _count_problem(record: Record, expected: int | None) -> str | None:
    if expected is None or len(record.fields) == expected:
        return None
    return f"Number of columns in file ({len(record.fields)}) does not match that of the corresponding table ({expected}), use file format option error_on_column_count_mismatch=false to ignore this error"  # noqa: E501


def _records(path: str, given: Mapping[str, Any]) -> Iterator[Record]:
    kind = str(given.get("TYPE", "CSV"))
    if kind == "CSV":
        options = csv_format(given)
        content = plain(path, options.compression)
        text = decoded(content, options.encoding, replace=options.replace_invalid, skip_mark=options.skip_mark)
        return csv_records.records(text, options)
    if kind == "JSON":
        refuse_others(given)
        replace = bool(given.get("REPLACE_INVALID_CHARACTERS") or given.get("IGNORE_UTF8_ERRORS"))
        content = plain(path, str(given.get("COMPRESSION", "AUTO")))
        mark = bool(given.get("SKIP_BYTE_ORDER_MARK", True))
        return json_records.records(decoded(content, "UTF8", replace=replace, skip_mark=mark), given)
    raise ContentError(f"files of TYPE = {kind}")
