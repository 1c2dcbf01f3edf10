"""COPY INTO a table: which files, which rows, and what is said of them.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table and
https://docs.snowflake.com/en/user-guide/data-load-considerations-load (load metadata). Everything that is loaded is
loaded by one insertion together with the record of the files, so that a file is loaded wholly or not at all and once.
Where that fails, the rows that do not fit are searched for by halves, and left out or reported as ON_ERROR says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pinky_local.engine import errors, identifiers, stage_places, staged_rows
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.copying import Copy
from pinky_local.engine.load_columns import Selection, selection
from pinky_local.engine.resolver import CatalogResolver, table_columns
from pinky_local.engine.stage_places import Location
from pinky_local.engine.statement import Statement, rows
from pinky_local.files import StagedFile
from pinky_local.files.content import ContentError, UnsupportedContentError
from pinky_local.types import Result, ResultColumn, SessionContext, SqlError, StagedRows

_COPY = 0x3600


@dataclass(slots=True)
class _Bad:
    """A row that is not loaded."""

    row: int
    line: int
    error: SqlError
    column: str | None = None


@dataclass(slots=True)
class _File:
    """One file of a load: how it is shown, what is read, its rows and those that do not fit."""

    shown: str
    staged: StagedFile
    key: str
    parsed: int = 0
    bad: list[_Bad] = field(default_factory=list)
    failed: SqlError | None = None
    skipped: bool = False
    searched: bool = False


class LoadResolver(CatalogResolver):
    """The catalog's answers, but the stage of the statement is the files that are being loaded."""

    def __init__(self, inner: CatalogResolver, given: StagedRows) -> None:
        super().__init__(inner.account)
        self._given = given

    def staged(
        self, location: str, file_format: str | None, pattern: str | None, session: SessionContext
    ) -> StagedRows:
        """The files that are being loaded; format and pattern belong to COPY itself."""
        if file_format is not None or pattern is not None:
            raise errors.unsupported("FILE_FORMAT or PATTERN inside the query of COPY INTO")
        return self._given


def load(statement: Statement, copy: Copy) -> Result:
    """Run COPY INTO a table."""
    account = statement.account
    if account.data is None:
        raise errors.unsupported("COPY on rows: this account has no data plane (install the extra [data])")
    location = stage_places.locate(statement, copy.location, "READ")
    with account.lock:
        table = statement.find("table", copy.table or ())
        statement.require(table, "INSERT")
        given = staged_rows.effective_format(statement, location.stage, copy.format)
        account.resolver.need_warehouse(statement.session)
    return _Load(statement, copy, location, table, given).run()


class _Load:
    def __init__(
        self, statement: Statement, copy: Copy, location: Location, table: CatalogObject, given: Mapping[str, Any]
    ) -> None:
        self._statement = statement
        self._copy = copy
        self._location = location
        self._given = given
        path = statement.catalog.path(table)
        self._name = (path[0], path[1], path[2])
        self._columns = table_columns(table)
        self._data: Any = statement.account.data
        self._on_error = str(copy.options.get("ON_ERROR", "ABORT_STATEMENT"))

    def run(self) -> Result:
        files = self._chosen()
        if not files:
            text = "Copy executed with 0 files processed."
            return rows([ResultColumn("status", length=16_777_216)], [[text]], _COPY)
        self._measure(files)
        picked = self._selection(files)
        for one in files:
            if one.bad and one.failed is None:
                self._search(picked, one)
        self._judge(files)
        try:
            self._insert(picked, files)
        except SqlError:
            found = [self._search(picked, one) for one in files if not (one.skipped or one.searched)]
            if not any(found):
                raise
            self._judge(files)
            self._insert(picked, files)
        if self._copy.options.get("PURGE"):
            for one in files:
                if not one.skipped:
                    self._location.place.remove(one.staged.key)
        return self._answer(files)

    # which files ---------------------------------------------------------------------------------------------------

    def _chosen(self) -> list[_File]:
        found = self._location.files(self._copy.options.get("PATTERN"))
        names = self._copy.options.get("FILES")
        if names is not None:
            found = self._named(names)
        if self._copy.options.get("FORCE"):
            known: set[tuple[str, str]] = set()
        else:
            known = self._data.loaded_files(self._name, self._statement.session)
        limit = self._copy.options.get("SIZE_LIMIT")
        chosen: list[_File] = []
        size = 0
        for one in found:
            shown = self._location.shown(one.key)
            if (self._mark(one), self._location.place.etag(one)) in known:
                continue
            if limit is not None and chosen and size > limit:
                break
            chosen.append(_File(shown, one, self._location.metadata_name(one.key)))
            size += one.size
        return chosen

    def _mark(self, file: StagedFile) -> str:
        """What a file is remembered by: its stage and its path, wherever the stage is called."""
        return f"{self._location.stage.number}/{file.key}"

    def _named(self, names: Sequence[str]) -> list[StagedFile]:
        path = self._location.path
        folder = path if not path or path.endswith("/") else path + "/"
        found = []
        for name in names:
            one = self._location.place.file(folder + name.lstrip("/"))
            if one is not None:
                found.append(one)
            elif self._on_error == "ABORT_STATEMENT":
                text = f"Remote file '{self._location.shown(folder + name)}' was not found. There are several potential"
                raise SqlError(100016, "22000", f"{text} root causes. The file might not exist.")
        return found

    # rows ----------------------------------------------------------------------------------------------------------

    def _rows(self, files: Sequence[_File], expected: int | None = None) -> StagedRows:
        made = staged_rows.rows_of(self._statement.account, self._location, [one.staged for one in files], self._given)
        left_out = {one.key: [bad.row for bad in one.bad] for one in files}
        return replace(made, expected=expected, left_out=left_out, tolerant=True)

    def _expected(self) -> int | None:
        """The number of fields each CSV record must have."""
        simple = self._copy.query is None and self._match == "NONE"
        if self._given.get("TYPE", "CSV") != "CSV" or not simple:
            return None
        if not self._given.get("ERROR_ON_COLUMN_COUNT_MISMATCH", True):
            return None
        return len(self._copy.columns or self._columns)

    @property
    def _match(self) -> str:
        return str(self._copy.options.get("MATCH_BY_COLUMN_NAME", "NONE"))

    def _measure(self, files: Sequence[_File]) -> None:
        """Count each file's rows and find those that cannot be parsed."""
        for one in files:
            given = self._rows([one], self._expected())
            if self._given.get("TYPE") == "PARQUET":
                counted = self._query("SELECT COUNT(*) FROM @files", [one])
                one.parsed = int(counted[0][0]) if one.staged.size else 0
                continue
            try:
                converted = given.convert(given.files[0], given.expected)
            except UnsupportedContentError as problem:
                raise errors.unsupported(str(problem)) from problem
            except ContentError as problem:
                one.failed = SqlError(100016, "22000", str(problem))
                one.bad.append(_Bad(1, 1, one.failed))
                continue
            one.parsed = converted.rows
            one.bad = [_Bad(bad.row, bad.line, _parse_error(bad.text)) for bad in converted.problems]
        if self._on_error == "ABORT_STATEMENT":
            for one in files:
                self._abort(one)

    def _query(self, sql: str, files: Sequence[_File]) -> Sequence[Sequence[Any]]:
        resolver = LoadResolver(self._statement.account.resolver, self._rows(files))
        return self._data.query(sql, self._statement.session, (), resolver).rows  # type: ignore[no-any-return]

    def _selection(self, files: Sequence[_File]) -> Selection:
        readable = [one for one in files if one.failed is None]

        def keys() -> list[str]:
            sql = "SELECT DISTINCT f.key FROM (SELECT $1 AS v FROM @files) t, LATERAL FLATTEN(INPUT => t.v) f"
            return [str(row[0]) for row in self._query(sql, readable)]

        def headers() -> list[tuple[str, ...]]:
            given = self._rows(readable)
            return [given.convert(file, None).header for file in given.files]

        return selection(self._copy, self._columns, self._given, keys, headers)

    def _insert(self, picked: Selection, every: Sequence[_File]) -> None:
        files = [one for one in every if not one.skipped]
        if not files:
            return
        resolver = LoadResolver(self._statement.account.resolver, self._rows(files, self._expected()))
        marks = [(self._mark(one.staged), self._location.place.etag(one.staged)) for one in files]
        self._data.load(
            self._name, picked.columns, picked.query, self._statement.session, resolver, self._columns, marks
        )

    def _search(self, picked: Selection, file: _File) -> bool:
        """Find the rows of a file that do not fit; whether there are any."""
        file.searched = True
        lines = self._lines(file)
        first_only = self._on_error == "ABORT_STATEMENT"
        waiting = [(1, file.parsed)]
        found: list[_Bad] = []
        while waiting:
            low, high = waiting.pop()
            if low > high:
                continue
            error = self._probe(picked, file, (low, high))
            if error is None:
                continue
            if low == high:
                column = next((one for one in picked.columns if self._probe(picked, file, (low, high), one)), None)
                found.append(_Bad(low, lines[low - 1] if lines else low, error, column))
                if first_only:
                    break
                continue
            middle = (low + high) // 2
            waiting += [(middle + 1, high), (low, middle)]
        file.bad = sorted([*file.bad, *found], key=lambda bad: bad.row)
        if first_only:
            self._abort(file)
        return bool(found)

    def _lines(self, file: _File) -> Sequence[int]:
        if self._given.get("TYPE") == "PARQUET":
            return ()
        given = self._rows([file], self._expected())
        return given.convert(given.files[0], given.expected).lines  # type: ignore[no-any-return]

    def _probe(
        self, picked: Selection, file: _File, span: tuple[int, int], column: str | None = None
    ) -> SqlError | None:
        given = replace(self._rows([file], self._expected()), span=span)
        resolver = LoadResolver(self._statement.account.resolver, given)
        error: SqlError | None = self._data.probe(
            self._name, picked.columns, picked.query, self._statement.session, resolver, self._columns, column
        )
        return error

    # what is said --------------------------------------------------------------------------------------------------

    def _abort(self, file: _File) -> None:
        if not file.bad:
            return
        bad = file.bad[0]
        text = f"{bad.error.message}\n  File '{file.key}', line {bad.line}, character 1\n  Row {bad.row}"
        if bad.column is not None:
            position = [column.name for column in self._columns].index(bad.column) + 1
            text += f', column "{self._name[2]}"["{bad.column}":{position}]'
        text += "\n  If you would like to continue loading when an error is encountered, use other values such as"
        text += " 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option. For more information on loading options, please"
        text += " run 'info loading_data' in a SQL client."
        raise SqlError(bad.error.errno, bad.error.sqlstate, text)

    def _judge(self, files: Sequence[_File]) -> None:
        """Decide by ON_ERROR which files are left out."""
        for one in files:
            one.skipped = one.failed is not None or (bool(one.bad) and self._limit(one) is not None)

    def _limit(self, file: _File) -> int | None:
        """The number of errors from which on a file is left out, where this file reached it; else None."""
        rule = self._on_error
        if not rule.startswith("SKIP_FILE"):
            return None
        number = rule.removeprefix("SKIP_FILE").lstrip("_")
        if number.endswith("%"):
            share = len(file.bad) * 100 / max(file.parsed, 1)
            return len(file.bad) if share > int(number[:-1]) else None
        limit = int(number or 1)
        return limit if len(file.bad) >= limit else None

    def _answer(self, files: Sequence[_File]) -> Result:
        text = {"file", "status", "first_error", "first_error_column_name"}
        names = ("file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error",
                 "first_error_line", "first_error_character", "first_error_column_name")  # fmt: skip
        columns = [
            ResultColumn(name, length=4096) if name in text else ResultColumn(name, "fixed", precision=38, scale=0)
            for name in names
        ]
        found = [self._row(one) for one in files if one.bad or not self._copy.options.get("RETURN_FAILED_ONLY")]
        loaded = sum(int(row[3]) for row in found)
        return replace_affected(rows(columns, found, _COPY), loaded)

    def _row(self, file: _File) -> list[Any]:
        loaded = 0 if file.skipped else file.parsed - len(file.bad)
        status = "LOADED" if not file.bad else "LOAD_FAILED" if file.skipped or not loaded else "PARTIALLY_LOADED"
        limit = {"CONTINUE": file.parsed}.get(self._on_error, self._limit(file) or 1)
        if not file.bad:
            return [file.shown, status, file.parsed, loaded, limit, 0, None, None, None, None]
        first = file.bad[0]
        column = None
        if first.column is not None:
            position = [one.name for one in self._columns].index(first.column) + 1
            column = f'"{identifiers.printed(self._name[2])}"["{first.column}":{position}]'
        head = [file.shown, status, file.parsed, loaded, limit, len(file.bad)]
        return [*head, first.error.message, first.line, 1, column]


def replace_affected(result: Result, count: int) -> Result:
    """The answer with the number of rows it changed."""
    result.rows_affected = count
    return result


def _parse_error(text: str) -> SqlError:
    return SqlError(100080 if text.startswith("Number of columns") else 100016, "22000", text)
