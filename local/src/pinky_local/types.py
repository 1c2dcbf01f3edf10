"""The words in which the wire server, the catalog engine and the data plane speak to each other.

The wire server (``server``) turns HTTP into calls of `Engine.execute` and `Result` values back into HTTP. The
catalog engine (``engine``) owns every object but no row. The data plane (``data``) holds rows and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result as the wire describes it.

    ``type`` is Snowflake's wire name: fixed, real, text, boolean, date, time, timestamp_ntz, timestamp_ltz,
    timestamp_tz, variant, array, object, binary. ``length`` is in characters (text) or bytes (binary).
    """

    name: str
    type: str = "text"
    nullable: bool = True
    precision: int | None = None
    scale: int | None = None
    length: int | None = None


@dataclass(slots=True)
class Result:
    """What one statement answered: columns, Python values by row, and the wire's statement type id.

    Cell values: int/Decimal (fixed), float (real), str (text, and JSON text of variant/array/object), bool,
    datetime.date, datetime.time, datetime.datetime (aware for ltz/tz, naive for ntz), bytes, None.
    ``rows_affected`` is None for everything but DML. ``transfer`` is what PUT and GET tell the client to do.
    """

    columns: Sequence[ResultColumn]
    rows: Sequence[Sequence[Any]]
    statement_type: int = 0x6000
    rows_affected: int | None = None
    transfer: Mapping[str, Any] | None = None


class SqlError(Exception):
    """A statement that Snowflake would refuse: its number, SQLSTATE and text, with the place in the statement."""

    def __init__(self, errno: int, sqlstate: str, message: str, *, line: int = -1, position: int = -1) -> None:
        super().__init__(f"{errno:06d} ({sqlstate}): {message}")
        self.errno = errno
        self.sqlstate = sqlstate
        self.message = message
        self.line = line
        self.position = position


@dataclass(slots=True, eq=False)
class ProcedureFrame:
    """A procedure that runs: statements whose session has one were sent by its code.

    ``name`` is qualified, as SQL text. ``owner_rights`` says whose rights hold, ``caller_owns`` whether the caller's
    roles own the procedure. ``depth`` counts from 1. After ``ended`` is set neither its statements nor those of what it
    calls run. ``transferring`` is set while a method of ``session.file`` moves files: the client sends PUT or GET then,
    which in Snowflake is no statement of the procedure.
    """

    name: str
    number: int
    language: str
    owner_rights: bool
    caller_owns: bool = False
    depth: int = 1
    parent: ProcedureFrame | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    transferring: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether this procedure, or one that called it, has ended."""
        return self.ended.is_set() or (self.parent is not None and self.parent.is_over)

    def within(self, other: ProcedureFrame) -> bool:
        """Whether this is the other procedure, or was called by it, at whatever depth."""
        return self is other or (self.parent is not None and self.parent.within(other))


class TaskContext(Protocol):
    """What the statements of a task run, and of the procedures it calls, can ask and say about the run."""

    @property
    def name(self) -> str:
        """The task's full name as SQL text."""

    @property
    def serverless(self) -> bool:
        """Whether the task has no warehouse of its own, so that its statements need none."""

    def set_return_value(self, value: str) -> None:
        """What the tasks after this one can read. Raises `SqlError` where it is longer than 10 kB."""

    def predecessor_value(self, name: str | None) -> str | None:
        """What a task before this one set, None for the only one. Raises `SqlError` where there is no such task."""

    def config(self, path: str | None) -> str | None:
        """The configuration of the graph run, or what a path in it leads to."""

    def information(self, what: str) -> str | None:
        """What SYSTEM$TASK_RUNTIME_INFO tells. Raises `SqlError` for an unknown word."""


@dataclass(slots=True)
class SessionContext:
    """What one session carries between statements. Names are canonical (as SHOW prints them), None where unset.

    ``transaction_scope`` is what the data plane's ``enter_scope`` returned, in statements of a procedure.
    ``task_run`` is set in the session of a task run and in those of the procedures that the task calls.
    """

    session_id: int
    user: str
    role: str | None
    secondary_roles: str = "ALL"
    database: str | None = None
    schema: str | None = None
    warehouse: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    last_query_id: str | None = None
    created_on: datetime | None = None
    procedure: ProcedureFrame | None = None
    transaction_scope: object = None
    task_run: TaskContext | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """A value bound to a ``?``: its wire type (FIXED, TEXT, BOOLEAN, REAL, DATE, ANY …) and its text, None for NULL."""

    type: str
    value: str | list[str | None] | None


class RunningStatement(Protocol):
    """A statement that a client waits for. ``cancelled`` is the event that its `SessionContext` carries too."""

    query_id: str
    session_id: int
    user: str
    warehouse: str | None
    procedure: ProcedureFrame | None
    cancelled: threading.Event
    done: threading.Event

    def cancel(self) -> bool:
        """Ask the statement to stop; False where it is done already."""


OpenSession = Callable[[SessionContext], AbstractContextManager[Any]]
"""Opens a Snowpark session that acts as this `SessionContext`; closed when the context manager is left."""

Around = Callable[[str, SessionContext, str, Callable[[], Result]], Result]
"""Runs an inner statement: its text, its session, its query id, and the function that executes it."""


class Engine(Protocol):
    """What the wire server needs of an account. Implementations are thread safe: sessions call it from many threads.

    Three methods are optional: ``logout(session)`` is called when a session is over, ``attach_running(running)`` once
    with a function that lists the `RunningStatement` values of all sessions, and ``attach_procedures(open_session,
    around)`` once with what running procedures need: a function that opens a client's session for a `SessionContext`,
    and one through which statements that do not come over the wire are run, so that they are seen and can be faulted.
    """

    def login(self, login_name: str, requested: dict[str, str | None], parameters: dict[str, Any]) -> SessionContext:
        """A new session for a user.

        ``requested`` has the keys database, schema, warehouse, role as the client asked for them. Raises `SqlError`
        390100 for an unknown user, 390189 for a role that does not exist or is not granted.
        """

    def execute(
        self,
        sql: str,
        session: SessionContext,
        binds: Sequence[Bind] = (),
        *,
        query_id: str,
        describe_only: bool = False,
    ) -> Result:
        """Run one statement, or raise `SqlError` leaving nothing half done."""

    def session_parameters(self, session: SessionContext) -> list[dict[str, Any]]:
        """The ``{name, value}`` list a login and every answer carry (TIMEZONE, CLIENT_TELEMETRY_ENABLED, …)."""

    def results(self, query_id: str) -> Result | None:
        """The remembered result of an earlier statement, for RESULT_SCAN and asynchronous polling."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the data plane sees it: canonical name and full Snowflake type, such as NUMBER(38,0)."""

    name: str
    data_type: str
    nullable: bool = True
    default: str | None = None
    identity: tuple[int, int] | None = None


class DataPlane(Protocol):
    """Rows of tables. Every method raises `SqlError`; table and view names are canonical (database, schema, name)."""

    def create_table(self, name: tuple[str, str, str], columns: Sequence[TableColumn]) -> None:
        """An empty table."""

    def drop(self, name: tuple[str, str, str]) -> Any:
        """Take a table away and return what `restore` needs to bring it back (UNDROP)."""

    def restore(self, name: tuple[str, str, str], dropped: Any) -> None:
        """Bring back what `drop` returned, under this name."""

    def rename(self, old: tuple[str, str, str], new: tuple[str, str, str]) -> None:
        """Move rows to another name."""

    def swap(self, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
        """Exchange the rows of two tables."""

    def clone(self, source: tuple[str, str, str], target: tuple[str, str, str]) -> None:
        """A copy of columns and rows."""

    def add_column(self, name: tuple[str, str, str], column: TableColumn) -> None:
        """Add a column; existing rows get its default, or NULL."""

    def drop_column(self, name: tuple[str, str, str], column: str) -> None:
        """Drop a column with its values."""

    def rename_column(self, name: tuple[str, str, str], old: str, new: str) -> None:
        """Rename a column, keeping its values."""

    def change_type(self, name: tuple[str, str, str], column: str, data_type: str) -> None:
        """Widen a column; raises when a value does not fit."""

    def has_nulls(self, name: tuple[str, str, str], column: str) -> bool:
        """Whether any row has NULL there (SET NOT NULL is refused then)."""

    def row_count(self, name: tuple[str, str, str]) -> int:
        """Rows in a table."""

    def row_counts(self, names: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
        """Rows in many tables, asked for at once."""

    def purge(self, dropped: Any) -> None:
        """Forget for good what `drop` returned."""

    def retain(self, names: Sequence[tuple[str, str, str]]) -> None:
        """Forget for good every table but these: what was dropped, or temporary, when the last process ended."""

    def create_view(self, name: tuple[str, str, str], query: str, session: SessionContext) -> Sequence[TableColumn]:
        """Check a view's query against what exists and return its columns with Snowflake types."""

    def truncate(self, name: tuple[str, str, str], session: SessionContext | None = None) -> int:
        """Delete all rows and return how many there were."""

    def start_stream(
        self, stream: int, table: tuple[str, str, str] | None, *, version: int = 0, initial: bool = False
    ) -> None:
        """Give a stream an offset: at present in a table, or at a version of a stage's directory table."""

    def start_stream_like(self, stream: int, other: int) -> None:
        """Give a stream the offset of another one."""

    def stop_stream(self, stream: int) -> None:
        """Forget a stream's offset."""

    def retain_streams(self, streams: Sequence[int]) -> None:
        """Forget the offsets of all streams but these."""

    def stream_moved(self, stream: int) -> datetime | None:
        """When a stream was created or consumed last; None for one without offset."""

    def stream_has_data(self, stream: Relation, session: SessionContext, resolver: Resolver) -> bool:
        """Whether a stream shows any change now."""

    def view_table(self, query: str, session: SessionContext, resolver: Resolver) -> tuple[str, str, str]:
        """The one table that a view only projects and filters. Raises `SqlError` 2 for any other view."""

    def query(
        self,
        sql: str,
        session: SessionContext,
        binds: Sequence[Bind],
        resolver: Resolver,
        *,
        describe_only: bool = False,
    ) -> Result:
        """Run SELECT / INSERT / UPDATE / DELETE / MERGE / VALUES / WITH."""


class Resolver(Protocol):
    """What the data plane asks the catalog while it translates a query."""

    def relation(self, parts: Sequence[str], session: SessionContext) -> Relation:
        """What a possibly unqualified name in FROM is. Raises `SqlError` 2003 where it is not visible."""

    def context_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Any:
        """The value of CURRENT_ROLE(), CURRENT_ACCOUNT(), SYSTEM$… ; raises `SqlError` for an unknown one."""

    def table_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Result:
        """The rows of RESULT_SCAN, GET_CONTACTS, … ; raises `SqlError` for an unknown one."""

    def staged(
        self, location: str, file_format: str | None, pattern: str | None, session: SessionContext
    ) -> StagedRows:
        """The files a stage in FROM (``@db.schema.stage/path``) means, and how to read them."""

    def directory(self, location: str, session: SessionContext) -> str:
        """A file of JSON lines with the directory table of a stage: c1 to c6, the third in seconds since 1970."""

    def stage(self, location: str, session: SessionContext) -> StageHandle:
        """A stage that a file function names, with READ or USAGE on it."""

    def require(self, privilege: str, relation: Relation, session: SessionContext) -> None:
        """Raise unless the session's roles hold SELECT / INSERT / UPDATE / DELETE on the relation."""


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A user-defined function as a query calls it.

    ``arguments`` are names and types, ``table`` the columns of a table function. ``session`` is what a SQL body runs
    in: the owner's role, the function's schema. ``call`` runs a Python handler: it gets the arguments as texts, as
    `pinky_local.data.user_functions` packs them, and gives the result as text (a table as JSON); it raises `SqlError`.
    ``key`` is the same for the same code in the same session.
    """

    name: tuple[str, str, str]
    language: str
    arguments: Sequence[tuple[str, str]]
    returns: str
    body: str
    session: SessionContext
    table: Sequence[tuple[str, str]] | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    volatile: bool = True
    key: str = ""
    call: Callable[[Sequence[str | None]], str | None] | None = None


class UserFunctions(Protocol):
    """How the data plane finds user-defined functions; the optional attribute ``user_functions`` of a `Resolver`."""

    def has(self, parts: tuple[str, ...], session: SessionContext) -> bool:
        """Whether a function of this name is visible."""

    def resolve(
        self, parts: tuple[str, ...], given: Sequence[tuple[str | None, str | None]], session: SessionContext
    ) -> tuple[UserFunction, Sequence[int | None]]:
        """The overload that arguments (name or None, type name or None for NULL) mean, and where each of them goes.

        Raises `SqlError` 1044 where none fits and 3001 without USAGE.
        """


@dataclass(frozen=True, slots=True)
class Relation:
    """A resolved name in FROM.

    ``kind`` is table, view, stream or rows. A view carries its ``query`` (text), a stream its `StreamSource`; ``rows``
    (INFORMATION_SCHEMA) a `Result`.
    """

    kind: str
    name: tuple[str, str, str]
    query: str | None = None
    result: Result | None = None
    columns: Sequence[TableColumn] = ()
    stream: StreamSource | None = None


@dataclass(frozen=True, slots=True)
class StagedRead:
    """A staged file to read rows from: METADATA$FILENAME, where it lies, its size, when it changed, its ETag."""

    name: str
    path: str
    size: int
    changed_ns: int
    etag: str


@dataclass(frozen=True, slots=True)
class StagedRows:
    """What a query reads from a stage. ``format`` are the options of the file format with its TYPE.

    ``convert`` turns a CSV or JSON file into JSON lines (`files.conversion.Converted`), with the number of fields each
    record must have; ``left_out`` are numbers of rows by file name that are not read, ``tolerant`` says that rows
    which cannot be parsed are among them and no reason to fail.
    """

    files: Sequence[StagedRead]
    format: Mapping[str, Any]
    convert: Callable[[StagedRead, int | None], Any]
    expected: int | None = None
    left_out: Mapping[str, Sequence[int]] = field(default_factory=dict)
    span: tuple[int, int] | None = None
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class StageHandle:
    """A stage as the file functions need it.

    ``location`` is its URL, ``file_url`` what its file URLs begin with, ``scoped_url`` what scoped ones begin with,
    ``mark`` what names the stage in them, and ``seal`` the secret that marks those that this account made.
    """

    location: str
    file_url: str
    scoped_url: str
    mark: str
    seal: str


@dataclass(frozen=True, slots=True)
class StreamSource:
    """What a stream reads.

    ``number`` is the stream's in the catalog, under which the data plane keeps its offset. ``source`` is the table or
    view; None for a stage, whose log of its directory table is ``entries``: [version, "INSERT" | "DELETE", relative
    path, {size, last_modified, md5, etag}]. ``file_url`` is what the URLs of a stage's files begin with.
    """

    number: int
    source: Relation | None = None
    append_only: bool = False
    entries: Sequence[Sequence[Any]] = ()
    file_url: str = ""
