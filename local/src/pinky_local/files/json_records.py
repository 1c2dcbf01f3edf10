"""Reading JSON documents one after the other, as text that is kept as written.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format (TYPE = JSON). Documents may be separated by white
space or commas (https://docs.snowflake.com/en/user-guide/querying-stage, example 3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pinky_local.files.csv_records import Record

_BETWEEN = re.compile(r"[\s,]*")


def records(text: str, given: Mapping[str, Any]) -> Iterator[Record]:
    """The documents of a text, each a record of one field. After one that is no JSON nothing more is read."""
    decoder = _decoder(allow_duplicate=bool(given.get("ALLOW_DUPLICATE")))
    strip_nulls = bool(given.get("STRIP_NULL_VALUES"))
    outer = bool(given.get("STRIP_OUTER_ARRAY"))
    position, inside = 0, False
    while True:
        found = _BETWEEN.match(text, position)
        position = found.end() if found else position
        if inside and text.startswith("]", position):
            position, inside = position + 1, False
            continue
        if outer and not inside and text.startswith("[", position):
            position, inside = position + 1, True
            continue
        if position >= len(text):
            return
        line = text.count("\n", 0, position) + 1
        try:
            value, stop = decoder.raw_decode(text, position)
        except ValueError as problem:
            yield Record(line, [None], f"Error parsing JSON: {problem}")
            return
        written = json.dumps(_stripped(value), ensure_ascii=False) if strip_nulls else text[position:stop]
        yield Record(line, [written])
        position = stop


def _decoder(*, allow_duplicate: bool) -> json.JSONDecoder:
    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            names = [name for name, _ in found]
            repeated = next(name for name in names if names.count(name) > 1)
            raise ValueError(f'duplicate object attribute "{repeated}"')
        return made

    hook = None if allow_duplicate else pairs
    return json.JSONDecoder(object_pairs_hook=hook, parse_constant=constant)


def _stripped(value: Any) -> Any:
    """A value without object members and array elements that are null."""
    if isinstance(value, dict):
        return {name: _stripped(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_stripped(one) for one in value if one is not None]
    return value
