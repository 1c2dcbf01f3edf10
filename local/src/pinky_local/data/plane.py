"""`DuckDataPlane`: the data plane of the local account, on one DuckDB database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data import file_functions
from pinky_local.data.answers import decoded, shown
from pinky_local.data.captions import written_captions
from pinky_local.data.casts import assign
from pinky_local.data.copying import loading, parquet_copy, probing, texts_query
from pinky_local.data.dml import Change, Target, compile_default, compile_dml, insert_select, insertion, resolve_target
from pinky_local.data.locks import Owner, Resource
from pinky_local.data.parsing import names_of, only, parse
from pinky_local.data.plane_sessions import PlaneSessions
from pinky_local.data.queries import compile_query
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Typed
from pinky_local.data.sessions import TransactionScope
from pinky_local.data.sources import rows_query
from pinky_local.data.steps import Steps
from pinky_local.data.storage import Name, Storage
from pinky_local.data.streams import stream_query, view_table
from pinky_local.data.tables import table_resource
from pinky_local.data.translation import Compiled, Translation
from pinky_local.types import (
    Bind,
    Relation,
    Resolver,
    Result,
    ResultColumn,
    SessionContext,
    SqlError,
    StagedRows,
    StageHandle,
    TableColumn,
)

FUNCTION_FAMILIES = (file_functions,)
"""Modules that enter their functions in the registry when they are loaded, and that need what this module needs."""

_SELECT, _TCL, _DDL = 0x1000, 0x5000, 0x6000
_DONE = "Statement executed successfully."


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DuckDataPlane(PlaneSessions):
    """Rows in DuckDB; in ``folder``/rows.duckdb where a folder is given, else in memory.

    ``resolver`` is asked where a call brings none (`create_view`, defaults of `add_column`); ``clock`` says what
    CURRENT_TIMESTAMP is; ``listener`` hears of every DML statement after it ran, inside its transaction.
    """

    def __init__(self, folder: Path | None = None, *, clock: Callable[[], datetime] = _utc_now) -> None:
        super().__init__(Storage(folder, lambda: self.clock()))
        self.clock = clock
        self.resolver: Resolver | None = None
        self.listener: Callable[[Change, Result], None] | None = None

    # -- tables ------------------------------------------------------------------------------------------------------

    def add_column(self, name: Name, column: TableColumn) -> None:
        """Add a column; existing rows get its default, or NULL."""
        filler = None
        if column.default is not None and column.identity is None:
            translation = self._translation(SessionContext(0, "", None), (), self.resolver or _NoResolver())
            filler = assign(compile_default(translation, column.default), dt.parse_type(column.data_type)).sql
        self._storage.add_column(name, column, filler)

    def change_type(self, name: Name, column: str, data_type: str) -> None:
        """Give a column another type; raises when a value does not fit."""
        stored = self._storage.table(name).column(column)
        kind = dt.parse_type(data_type)
        self._storage.change_type(name, column, (kind, assign(Typed(stored.physical, stored.type), kind).sql))

    def truncate(self, name: Name, session: SessionContext | None = None) -> int:
        """Delete all rows, committed at once, and return how many there were.

        Does not wait for a lock: raises `SqlError` 625 where another transaction has one on the table.
        """
        table = self._storage.table(name)
        context = session or SessionContext(0, "", None)
        data = self._session(context)
        owner = Owner(context.session_id)
        with self._locked([table_resource(table.physical, name)], owner, context, alone=True, wait=False):

            def work(execute: Steps) -> int:
                execute(f"DELETE FROM pinky_loads WHERE physical = '{table.physical}'")
                return execute.clear(table)

            return data.run(TransactionScope(data), context, work, volatile=False, consumed={})

    # -- streams -----------------------------------------------------------------------------------------------------

    def stream_has_data(self, stream: Relation, session: SessionContext, resolver: Resolver) -> bool:
        """Whether a stream shows any change now. Locks nothing."""
        translation = self._translation(session, (), resolver)
        compiled = stream_query(translation, stream)
        scope = self.scope_of(session)
        with closing(translation):
            return bool(scope.session.read(scope, session, f"SELECT EXISTS ({compiled.sql})")[0][0])

    def view_table(self, query: str, session: SessionContext, resolver: Resolver) -> Name:
        """The one table that a view only projects and filters. Raises `SqlError` 2 for any other view."""
        found = resolver.relation(names_of(view_table(parse(query))), session)
        if found.kind != "table":
            raise unsupported(f"a stream on a view of a {found.kind}")
        return found.name

    # -- queries -----------------------------------------------------------------------------------------------------

    def create_view(
        self, name: Name, query: str, session: SessionContext, resolver: Resolver | None = None
    ) -> Sequence[TableColumn]:
        """Check a view's query against what exists and return its columns with Snowflake types."""
        del name
        return self.describe(query, session, resolver)

    def describe(self, query: str, session: SessionContext, resolver: Resolver | None = None) -> list[TableColumn]:
        """The columns a query (of a view, or of CREATE TABLE … AS SELECT) has, without running it."""
        used = resolver or self.resolver
        if used is None:
            raise unsupported("a view without a catalog to resolve its names")
        translation = self._translation(session, (), used)
        translation.describing = True
        compiled = compile_query(translation, parse(query))
        names = [column.name for column in compiled.columns]
        for one in names:
            if names.count(one) > 1:
                raise compilation(f"duplicate column name '{one}'", errno=2025, sqlstate="42S21")
        return [TableColumn(column.name, column.type.text, column.nullable) for column in compiled.columns]

    def insert_query(
        self, name: Name, query: str, session: SessionContext, binds: Sequence[Bind], resolver: Resolver,
        columns: Sequence[TableColumn] = (),
    ) -> int:  # fmt: skip
        """Fill an existing table with a query's rows, as CREATE TABLE … AS SELECT does; no privilege is asked on it.

        A stream that the query reads is consumed. Does not wait for a lock on it: `SqlError` 625 where there is one.
        """
        tree = parse(query)

        def compiled(translation: Translation) -> Change:
            source = compile_query(translation, tree)
            return self._filling(translation, name, columns, list(self._storage.table(name).columns), source)

        result = self._change(lambda: self._translation(session, binds, resolver), compiled, wait=False)
        return int(result.rows[0][0])

    def insert_rows(
        self, name: Name, columns: Sequence[str], rows: Sequence[Sequence[Any]], session: SessionContext | None = None
    ) -> int:  # fmt: skip
        """Load Python values into the named columns; the other columns get NULL or their identity.

        In the open transaction of ``session`` where it has one.
        """
        stored = self._storage.table(name)
        kinds = [stored.column(one).type for one in columns]  # texts of any length, so that it is checked
        shown = [dt.TEXT if kind.name == "VARCHAR" else kind for kind in kinds]
        result = Result(
            [kind.result_column(one, nullable=True) for kind, one in zip(shown, columns, strict=True)], rows
        )
        if not rows:
            return 0
        context = session or SessionContext(0, "", None)
        done = self._change(
            lambda: self._translation(context, (), self.resolver or _NoResolver()),
            lambda translation: self._filling(translation, name, (), list(columns), rows_query(result)),
        )
        return int(done.rows[0][0])

    def _filling(
        self, translation: Translation, name: Name, columns: Sequence[TableColumn], named: list[str], source: Compiled
    ) -> Change:
        target = self._target(translation, name, columns)
        if len(source.columns) != len(named):
            raise compilation(
                f"{len(named)} columns expected, {len(source.columns)} given", errno=2020, sqlstate="21S01"
            )
        return insertion(target, insert_select(target, named, source))

    # -- files -------------------------------------------------------------------------------------------------------

    def load(
        self, name: Name, named: list[str], query: str, session: SessionContext, resolver: Resolver,
        columns: Sequence[TableColumn], files: Sequence[tuple[str, str]],
    ) -> int:  # fmt: skip
        """Insert a query's rows and remember the files, by mark and ETag, that they came from, in one step."""
        tree = parse(query)

        def compiled(translation: Translation) -> Change:
            return loading(self._target(translation, name, columns), named, compile_query(translation, tree), files)

        return int(self._change(lambda: self._translation(session, (), resolver), compiled).rows[0][0])

    def probe(
        self, name: Name, named: list[str], query: str, session: SessionContext, resolver: Resolver,
        columns: Sequence[TableColumn], only_column: str | None = None,
    ) -> SqlError | None:  # fmt: skip
        """What would go wrong if a query's rows, or one column of them, were put into a table; None for nothing."""
        translation = self._translation(session, (), resolver)
        target = self._target(translation, name, columns)
        try:
            sql = probing(target, named, compile_query(translation, parse(query)), only_column)
            scope = self.scope_of(session)
            scope.session.read(scope, session, sql)
        except SqlError as problem:
            return problem
        return None

    def loaded_files(self, name: Name, session: SessionContext) -> set[tuple[str, str]]:
        """Mark and ETag of the files loaded into a table since it was made or truncated."""
        physical, scope = self._storage.table(name).physical, self.scope_of(session)
        sql = f"SELECT file, etag FROM pinky_loads WHERE physical = '{physical}'"
        return {(str(file), str(etag)) for file, etag in scope.session.read(scope, session, sql)}

    def unload(
        self, query: str, session: SessionContext, binds: Sequence[Bind], resolver: Resolver
    ) -> tuple[list[tuple[str, str]], list[Any]]:
        """Name and type name of a query's columns, and its rows as texts; JSON is compact. Streams are consumed."""
        translate = lambda: self._translation(session, binds, resolver)  # noqa: E731  # a name for what is passed on
        compiled, rows = self._read(translate, parse(query), texts_query, consume=True)
        return [(one.name, one.type.name) for one in compiled.columns], rows

    def unload_parquet(
        self, query: str, session: SessionContext, binds: Sequence[Bind], resolver: Resolver, path: Path,
        *, names: bool, compression: str,
    ) -> int:  # fmt: skip
        """Write a query's rows to a Parquet file, with the columns' names or col1, col2, …; the number of rows."""
        _, rows = self._read(
            lambda: self._translation(session, binds, resolver),
            parse(query),
            lambda compiled: parquet_copy(compiled, path, names=names, compression=compression),
            consume=True,
        )
        return int(rows[0][0])

    def _target(self, translation: Translation, name: Name, columns: Sequence[TableColumn]) -> Target:
        relation = Relation("table", name, columns=columns)
        return Target(translation, relation, self._storage.table(name), {one.name: one for one in columns})

    def query(
        self,
        sql: str,
        session: SessionContext,
        binds: Sequence[Bind],
        resolver: Resolver,
        *,
        describe_only: bool = False,
    ) -> Result:
        """Run SELECT / INSERT / UPDATE / DELETE / MERGE / TRUNCATE / VALUES / WITH, or BEGIN, COMMIT, ROLLBACK."""
        tree = parse(sql)
        if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge):
            if describe_only:
                change = compile_dml(self._translation(session, binds, resolver), tree)
                return Result(change.columns(), [], _SELECT)
            return self._change(
                lambda: self._translation(session, binds, resolver), lambda translation: compile_dml(translation, tree)
            )
        if isinstance(tree, exp.TruncateTable):
            return self._truncate(self._translation(session, binds, resolver), tree, describe_only=describe_only)
        if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
            return self._transaction(tree, session)
        return self._select(sql, tree, lambda: self._translation(session, binds, resolver), describe_only=describe_only)

    def _select(
        self, sql: str, tree: Any, translate: Callable[[], Translation], *, describe_only: bool = False
    ) -> Result:
        translation = translate()
        translation.describing = describe_only
        compiled = compile_query(translation, tree)
        captions = written_captions(sql, tree) or [one.name for one in compiled.columns]
        columns = [
            one.type.result_column(caption, nullable=one.nullable)
            for caption, one in zip(captions, compiled.columns, strict=True)
        ]
        if describe_only:
            return Result(columns, [], _SELECT)
        compiled, rows = self._read(translate, tree, shown, first=(translation, compiled))
        return Result(columns, decoded(rows, compiled.columns), _SELECT)

    def _read(
        self,
        translate: Callable[[], Translation],
        tree: Any,
        text_of: Callable[[Compiled], str],
        *,
        first: tuple[Translation, Compiled] | None = None,
        consume: bool = False,
    ) -> tuple[Compiled, list[Any]]:
        """A query and what DuckDB answers to the text made of it; ``consume`` moves the streams that it reads.

        ``first`` is what the query was compiled to already; it is compiled again where it had to wait for a lock.
        """
        translation = first[0] if first else translate()
        compiled = first[1] if first else compile_query(translation, tree)
        session, scope = translation.session, self.scope_of(translation.session)
        alone = scope.current is None
        wanted = _stream_resources(translation) if consume or not alone else []
        with self._locked(wanted, self._owner(scope), session, alone=alone) as waited:
            if waited or (wanted and self._moved(translation)):
                translation.close()
                translation = translate()
                compiled = compile_query(translation, tree)
            query = text_of(compiled)
            with closing(translation):
                if not consume:
                    return compiled, scope.session.read(scope, session, query)
                consumed, volatile = translation.streams, translation.volatile
                rows = scope.session.run(scope, session, lambda run: run(query), volatile=volatile, consumed=consumed)
                return compiled, rows

    def _moved(self, translation: Translation) -> bool:
        """Whether another statement has moved a stream that this one was compiled to read, before it was locked."""
        with self._storage.lock:
            position = self._storage.changes.position
            return any(position(stream) != found for stream, found in translation.positions.items())

    def _change(
        self, translate: Callable[[], Translation], compiled: Callable[[Translation], Change], *, wait: bool = True
    ) -> Result:
        """Compile a change and run it with the locks it needs; compiled again where it had to wait for one."""
        translation = translate()
        session = translation.session
        scope = self.scope_of(session)
        if str(session.parameters.get("AUTOCOMMIT", "true")).lower() == "false" and scope.current is None:
            scope.session.begin(scope)
            translation = translate()
        change = compiled(translation)
        wanted = [*_resources(change), *_stream_resources(translation)]
        with self._locked(wanted, self._owner(scope), session, alone=scope.current is None, wait=wait) as waited:
            if waited or self._moved(translation):
                translation.close()
                translation = translate()
                change = compiled(translation)
            with closing(translation):
                return self._write(change, translation, scope)

    def _write(self, change: Change, translation: Translation, scope: TransactionScope) -> Result:
        """The one place through which every change of rows passes."""

        def work(execute: Steps) -> Result:
            result = change.run(execute)
            if self.listener is not None:
                self.listener(change, result)
            return result

        session = translation.session
        return scope.session.run(scope, session, work, volatile=translation.volatile, consumed=translation.streams)

    def _truncate(self, translation: Translation, tree: Any, *, describe_only: bool) -> Result:
        only(tree, "expressions", "exists")
        try:
            target = resolve_target(translation, tree.expressions[0], "TRUNCATE")
        except SqlError as problem:
            if problem.errno != 2003 or not tree.args.get("exists"):
                raise
        else:
            if not describe_only:
                self.commit(translation.session)
                self.truncate(target.relation.name, translation.session)
        return Result([ResultColumn("status", length=dt.TEXT_LENGTH)], [] if describe_only else [(_DONE,)], _DDL)

    # -- sessions and transactions -----------------------------------------------------------------------------------

    def _transaction(self, tree: Any, session: SessionContext) -> Result:
        only(tree)
        if isinstance(tree, exp.Transaction):
            self.begin(session)
        elif isinstance(tree, exp.Commit):
            self.commit(session)
        else:
            self.rollback(session)
        return Result([ResultColumn("status", length=dt.TEXT_LENGTH)], [(_DONE,)], _TCL)

    def _translation(self, session: SessionContext, binds: Sequence[Bind], resolver: Resolver) -> Translation:
        translation = Translation(self._storage, resolver, session, self.clock(), list(binds))
        transaction = self.scope_of(session).current
        if transaction is not None:
            translation.horizon, translation.directories = transaction.horizon, transaction.directories
        return translation


def _resources(change: Change) -> list[Resource]:
    """What a change locks."""
    target = change.target
    return [table_resource(target.stored.physical, target.relation.name)] if change.locks else []


def _stream_resources(translation: Translation) -> list[Resource]:
    """The streams that a statement reads."""
    return [Resource("stream", str(number), translation.stream_names[number]) for number in translation.streams]


class _NoResolver:
    """Stands in where no name may be asked for."""

    def relation(self, parts: Sequence[str], session: SessionContext) -> Relation:
        raise unsupported(f"the object {'.'.join(parts)} here")

    def context_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Any:
        raise unsupported(f"function {name} here")

    def table_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Result:
        raise unsupported(f"table function {name} here")

    def staged(
        self, location: str, file_format: str | None, pattern: str | None, session: SessionContext
    ) -> StagedRows:
        raise unsupported(f"the stage {location} here")

    def directory(self, location: str, session: SessionContext) -> str:
        raise unsupported(f"the stage {location} here")

    def stage(self, location: str, session: SessionContext) -> StageHandle:
        raise unsupported(f"the stage {location} here")

    def require(self, privilege: str, relation: Relation, session: SessionContext) -> None:
        return None


__all__ = ["DuckDataPlane"]
