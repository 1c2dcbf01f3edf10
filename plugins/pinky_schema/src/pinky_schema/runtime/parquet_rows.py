"""Rows of Parquet files in their canonical form. Needs ``pyarrow``.

A row is written ``{"name":value,…}``, columns in ascending order of their names (code points), so their order in the
file makes no difference; neither do row groups, encodings and compression. A name is written as a JSON string. Values:

==================  ===============================================================================================
null                ``null``
boolean             ``true``, ``false``
integer             decimal digits; how many bits the column has makes no difference
floating point      the shortest digits that give the same double (``1.0``, ``1e+16``); ``nan``, ``inf``, ``-0.0``
decimal             ``decimal`` and all digits of the column's scale: ``decimal 1.50``
string              a JSON string (escaped as in `json_rows`); dictionary encoding makes no difference
binary              ``binary`` and hexadecimal digits
date                ``date`` and days since 1970-01-01
time, duration      ``time`` or ``duration`` and nanoseconds
timestamp           ``timestamp`` (without time zone) or ``timestamptz`` and nanoseconds since 1970-01-01 (UTC); the
                    unit and the name of the zone make no difference
list                ``[a,b]`` in its order
struct              as a row
map                 ``map[k:v,…]``, entries in ascending order of their text
==================  ===============================================================================================

Other types are refused by name (`HashError`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pinky_schema.runtime.content import BLOCK, Content, HashError

_BATCH = 1024
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}


def parquet_rows(content: Content, folder: str | None = None) -> Iterator[Iterable[bytes]]:
    """The rows of a Parquet file, in portions.

    Parquet is read from its end, so the content is first copied into a temporary file in ``folder``. Beside one batch
    of 1,024 rows, memory holds what pyarrow needs for the pages of one row group.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise HashError("rows of Parquet files need the package pyarrow, which is not installed here") from error
    with tempfile.TemporaryFile(dir=folder) as copy:
        for block in content.blocks():
            copy.write(block)
        copy.seek(0)
        try:
            with parquet.ParquetFile(copy, buffer_size=BLOCK, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
                    yield _rows(batch)
        except pyarrow.ArrowException as error:
            raise HashError(f"not Parquet: {error}") from error


def _rows(batch: Any) -> list[bytes]:
    names, arrays = batch.schema.names, batch.columns
    if not names:
        return [b"{}"] * batch.num_rows
    return [row.encode("utf-8") for row in _objects(names, arrays)]


def _objects(names: list[str], arrays: list[Any]) -> Iterator[str]:
    """One text for each row of some columns. Columns of one name stay in their order."""
    order = sorted(range(len(names)), key=names.__getitem__)
    labels = [json.dumps(names[at]) + ":" for at in order]
    for values in zip(*(_texts(arrays[at]) for at in order), strict=True):
        yield "{" + ",".join(map(str.__add__, labels, values)) + "}"


def _texts(array: Any) -> list[str]:
    """The canonical text of each value of an Arrow array."""
    import pyarrow
    from pyarrow import types

    kind = array.type
    if types.is_dictionary(kind):
        return _texts(array.dictionary_decode())
    if types.is_struct(kind):
        names = [kind.field(at).name for at in range(kind.num_fields)]
        rows = list(_objects(names, array.flatten())) if names else ["{}"] * len(array)
        return [row if there.as_py() else "null" for row, there in zip(rows, array.is_valid(), strict=True)]
    if types.is_map(kind):
        entries = (
            f"{key}:{value}" for key, value in zip(*map(_spanned(array), (array.keys, array.items)), strict=True)
        )
        return _lists(array, list(entries), lambda own: f"map[{','.join(sorted(own))}]")
    if types.is_fixed_size_list(kind):
        return _texts(array.cast(pyarrow.list_(kind.value_type)))
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(array, _spanned(array)(array.values), lambda own: f"[{','.join(own)}]")
    values, text = _scalars(array)
    return ["null" if value is None else text(value) for value in values]


def _spanned(array: Any) -> Callable[[Any], list[str]]:
    """Texts of the part of a child array that a list array spans; a batch is a piece of something longer."""
    begin = array.offsets[0].as_py()
    size = array.offsets[-1].as_py() - begin
    return lambda child: _texts(child.slice(begin, size))


def _lists(array: Any, entries: list[str], text: Callable[[list[str]], str]) -> list[str]:
    """Texts of lists, given those of all their entries. What a null spans is not looked at."""
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [
        text(entries[begin - ends[0] : end - ends[0]]) if there else "null"
        for begin, end, there in zip(ends, ends[1:], valid, strict=False)
    ]


def _scalars(array: Any) -> tuple[list[Any], Callable[[Any], str]]:
    """Python values of an array that is not nested, and what writes one of them."""
    import pyarrow
    from pyarrow import types

    kind = array.type
    if types.is_null(kind) or types.is_integer(kind):
        return array.to_pylist(), str
    if types.is_boolean(kind):
        return array.to_pylist(), lambda value: "true" if value else "false"
    if types.is_floating(kind):
        return array.cast(pyarrow.float64()).to_pylist(), repr
    if types.is_decimal(kind):
        return array.to_pylist(), lambda value: f"decimal {value:f}"
    if types.is_string(kind) or types.is_large_string(kind):
        return array.to_pylist(), json.dumps
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return array.to_pylist(), lambda value: f"binary {value.hex()}"
    if types.is_date(kind):
        return array.cast(pyarrow.date32()).cast(pyarrow.int32()).to_pylist(), lambda value: f"date {value}"
    if types.is_timestamp(kind):
        return _nanoseconds(array, "timestamp" if kind.tz is None else "timestamptz")
    if types.is_time(kind):
        return _nanoseconds(array, "time")
    if types.is_duration(kind):
        return _nanoseconds(array, "duration")
    raise HashError(f"a Parquet column has the type {kind}, of which there is no canonical form")


def _nanoseconds(array: Any, word: str) -> tuple[list[Any], Callable[[Any], str]]:
    import pyarrow

    factor = _NANOSECONDS[array.type.unit]
    whole = pyarrow.int32() if array.type.bit_width == 32 else pyarrow.int64()
    return array.cast(whole).to_pylist(), lambda value: f"{word} {value * factor}"
