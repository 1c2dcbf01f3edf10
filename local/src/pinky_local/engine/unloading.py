"""COPY INTO a stage: rows of a table or query as files.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-location and
https://docs.snowflake.com/en/user-guide/data-unload-overview (names of files). One thread writes: files are called
data_0_0_0, data_0_0_1 and so on; a new one begins where MAX_FILE_SIZE bytes before compression are exceeded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinky_local.engine import errors, stage_places, staged_rows
from pinky_local.engine.copying import Copy
from pinky_local.engine.stage_places import Location
from pinky_local.engine.statement import Statement, rows
from pinky_local.files import csv_texts
from pinky_local.files.content import UnsupportedContentError, compressed, ending
from pinky_local.types import Result, ResultColumn

_UNLOAD = 0x3500
_DEFAULT_SIZE = 16_777_216


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    size: int
    rows: int
    plain: int


def unload(statement: Statement, copy: Copy) -> Result:
    """Run COPY INTO @stage. Raises 000002 for formats and compressions that are not written here."""
    location = stage_places.locate(statement, copy.location, "WRITE")
    options = copy.options
    with statement.account.lock:
        given = staged_rows.effective_format(statement, location.stage, copy.format)
    if options.get("INCLUDE_QUERY_ID") and (options.get("SINGLE") or options.get("OVERWRITE")):
        raise errors.invalid_combination("INCLUDE_QUERY_ID", True, "SINGLE or OVERWRITE", True)
    try:
        written = _Unload(statement, copy, location, given).run()
    except UnsupportedContentError as problem:
        raise errors.unsupported(str(problem)) from problem
    if options.get("DETAILED_OUTPUT"):
        columns = [_text("FILE_NAME"), _number("FILE_SIZE"), _number("ROW_COUNT")]
        return rows(columns, [[one.key, one.size, one.rows] for one in written], _UNLOAD)
    columns = [_number("rows_unloaded"), _number("input_bytes"), _number("output_bytes")]
    totals = [sum(one.rows for one in written), sum(one.plain for one in written), sum(one.size for one in written)]
    return rows(columns, [totals], _UNLOAD)


def _text(name: str) -> ResultColumn:
    return ResultColumn(name, length=16_777_216)


def _number(name: str) -> ResultColumn:
    return ResultColumn(name, "fixed", precision=38, scale=0)


class _Unload:
    def __init__(self, statement: Statement, copy: Copy, location: Location, given: dict[str, Any]) -> None:
        self._statement = statement
        self._copy = copy
        self._location = location
        self._given = given
        self._kind = str(given.get("TYPE", "CSV"))
        self._single = bool(copy.options.get("SINGLE"))
        self._size = int(copy.options.get("MAX_FILE_SIZE", _DEFAULT_SIZE))

    def run(self) -> list[_File]:
        account = self._statement.account
        data: Any = account.data
        if data is None:
            raise errors.unsupported("COPY on rows: this account has no data plane (install the extra [data])")
        account.resolver.need_warehouse(self._statement.session)
        if self._kind == "PARQUET":
            return self._parquet(data)
        if self._kind not in ("CSV", "JSON"):
            raise errors.unsupported(f"unloading files of TYPE = {self._kind}")
        compression = str(self._given.get("COMPRESSION", "AUTO"))
        compression = "GZIP" if compression == "AUTO" else compression
        ending(compression)  # refuses what cannot be written before anything is read
        columns, found = data.unload(
            self._copy.query or "", self._statement.session, self._statement.binds, account.resolver
        )
        written = []
        for number, (content, count) in enumerate(self._contents(columns, found)):
            key = self._key(number, compression)
            packed = compressed(content, compression)
            self._write(key, packed)
            written.append(_File(key, len(packed), count, len(content)))
        return written

    def _contents(
        self, columns: Sequence[tuple[str, str]], found: Sequence[Sequence[Any]]
    ) -> Iterator[tuple[bytes, int]]:
        """The plain content of each file and its number of rows; none where there are no rows."""
        header = b""
        if self._kind == "CSV":
            writer = csv_texts.Writer(self._given, [kind for _, kind in columns])
            if self._copy.options.get("HEADER"):
                header = writer.header([name for name, _ in columns])
            lines = (writer.line(row) for row in found)
        else:
            if len(columns) != 1 or columns[0][1] not in ("VARIANT", "OBJECT", "ARRAY"):
                text = "JSON file format can produce one and only one column of type variant, object, or array. "
                text += "Use CSV file format if you want to load more than one column."
                raise errors.compilation(2019, "0A000", text)
            lines = (f"{'null' if row[0] is None else row[0]}\n".encode() for row in found)
        part, size, count = [header], len(header), 0
        for line in lines:
            if count and not self._single and size + len(line) > self._size:
                yield b"".join(part), count
                part, size, count = [header], len(header), 0
            part.append(line)
            size += len(line)
            count += 1
        if count:
            yield b"".join(part), count

    def _parquet(self, data: Any) -> list[_File]:
        compression = str(self._given.get("COMPRESSION", "AUTO"))
        if compression == "LZO":
            raise UnsupportedContentError("COMPRESSION = LZO")
        snappy = compression in ("AUTO", "SNAPPY") and self._given.get("SNAPPY_COMPRESSION", True)
        made = self._statement.account.files.scratch() / f"unload-{self._statement.query_id}.parquet"
        count = data.unload_parquet(
            self._copy.query or "", self._statement.session, self._statement.binds, self._statement.account.resolver,
            made, names=bool(self._copy.options.get("HEADER")), compression="snappy" if snappy else "uncompressed",
        )  # fmt: skip
        if not count:
            return []
        key = self._key(0, "SNAPPY" if snappy else "NONE")
        content = made.read_bytes()
        Path(made).unlink()
        self._write(key, content)
        return [_File(key, len(content), count, len(content))]

    def _key(self, number: int, compression: str) -> str:
        path = self._location.path
        if self._single:
            return path + "data" if not path or path.endswith("/") else path
        base = path + "data" if not path or path.endswith("/") else path
        if self._copy.options.get("INCLUDE_QUERY_ID"):
            base = f"{base}_{self._statement.query_id}"
        extension = self._given.get("FILE_EXTENSION")
        if extension and extension != "NONE":
            return f"{base}_0_0_{number}.{str(extension).lstrip('.')}"
        if self._kind == "PARQUET":
            return f"{base}_0_0_{number}{'.snappy' if compression == 'SNAPPY' else ''}.parquet"
        return f"{base}_0_0_{number}.{self._kind.lower()}{ending(compression)}"

    def _write(self, key: str, content: bytes) -> None:
        if not self._copy.options.get("OVERWRITE") and self._location.place.file(key) is not None:
            text = f"Files already existing at the unload destination: {self._copy.location}. "
            text += "Use overwrite option to force unloading."
            raise errors.compilation(1030, "22000", text)
        self._location.place.write(key, [content])
