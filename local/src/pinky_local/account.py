"""The embedded account as one object: start it, connect to it, look at what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pinky_local import transfers
from pinky_local.control import PREFIX, Control
from pinky_local.faults import Faults
from pinky_local.http11 import Request, Response
from pinky_local.journal import Counters, Journal
from pinky_local.login import Credentials
from pinky_local.loopback import Loopback, Tickets
from pinky_local.routes import HOLD_SECONDS, Routes
from pinky_local.server import HttpServer
from pinky_local.sessions import SessionRegistry
from pinky_local.task_clock import TaskMode, Tasks
from pinky_local.types import DataPlane, Engine, SessionContext, SqlError

if TYPE_CHECKING:
    from datetime import datetime

    from pinky_local.data import DuckDataPlane
    from pinky_local.engine.clock import Clock
    from pinky_local.files import FileStore

ACCOUNT = "pinky_local"
DEFAULT_USER = "PINKY"
DEFAULT_PASSWORD = "pinky"  # any password is accepted unless ``users`` says otherwise


class LocalAccount:
    """A Snowflake account inside this process, reached through the real connector on loopback.

    ``folder`` keeps it between runs (None: in memory). ``data`` is False for a catalog without rows. ``users`` maps
    names to passwords (None: any password); those that do not exist are created. ``buckets`` maps URLs of external
    stages, such as ``s3://acme-dev``, to local folders. ``engine`` replaces the built-in catalog engine. ``port`` 0
    takes a free one. ``tasks`` says what starts scheduled and triggered tasks: only `advance` (``clock``), or real time
    too (``live``). Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        data: bool = True,
        users: Mapping[str, str | None] | None = None,
        buckets: Mapping[str, Path | str] | None = None,
        repositories: Mapping[str, Path | str] | None = None,
        engine: Engine | None = None,
        port: int = 0,
        tasks: TaskMode = "clock",
        hold_seconds: float = HOLD_SECONDS,
        session_seconds: int = 3_600,
        master_seconds: int = 14_400,
    ) -> None:
        self._data = _duck_data_plane(folder) if data and engine is None else None
        self.engine: Engine = engine or _catalog_engine(folder, self._data, buckets, repositories)
        self._files: FileStore | None = getattr(getattr(self.engine, "account", None), "files", None)
        self._tasks = _tasks_of(self.engine)
        self._task_mode = tasks
        self.faults = Faults()
        self.journal = Journal()
        self.counters = Counters()
        self.sessions = SessionRegistry(session_seconds, master_seconds)
        self._users = dict(users or {})
        self._passwords = {name.upper(): password for name, password in self._users.items()}
        self._port = port
        self._hold_seconds = hold_seconds
        self._server: HttpServer | None = None
        self._routes: Routes | None = None

    def start(self) -> Self:
        """Create missing users, open the port and answer. Raises `RuntimeError` on a second call."""
        if self._routes is not None:
            state = "runs already" if self._server is not None else "was stopped; make another one"
            raise RuntimeError(f"the local account {state}")
        self._create_users()
        tickets = Tickets()
        self._routes = Routes(
            self.engine,
            credentials=Credentials(self._users),
            sessions=self.sessions,
            tickets=tickets,
            faults=self.faults,
            journal=self.journal,
            counters=self.counters,
            end_session=self._end_session,
            hold_seconds=self._hold_seconds,
        )
        attach = getattr(self.engine, "attach_running", None)
        if callable(attach):
            attach(self._routes.runs.running)
        attach_procedures = getattr(self.engine, "attach_procedures", None)
        if callable(attach_procedures):
            loopback = Loopback(tickets, self.connection_parameters)
            attach_procedures(loopback.open, self._routes.executor.around)
        watch = getattr(self.engine, "watch_tasks", None)
        if callable(watch):
            watch(self._routes.run_inside, live=self._task_mode == "live")
        self._control = Control(self.faults, self.journal, self.counters, self.sessions, self.notify, self._tasks)
        self._server = HttpServer(self._handle, self._port)
        if self._files is not None:
            self._files.address = f"http://{self._server.host}:{self._server.port}"
        self._server.failures = self._routes.executor.internal_errors
        self._server.start()
        return self

    def stop(self) -> None:
        """Cancel what runs, close every connection, the port and the files. Does nothing where it is stopped."""
        server, routes = self._server, self._routes
        if server is None or routes is None:
            return
        self._server = None
        end = getattr(self.engine, "stop", None)
        if callable(end):
            end()
        routes.runs.cancel_all()
        server.stop()
        routes.executor.close()
        if self._data is not None:
            self._data.close()
        close = getattr(self.engine, "close", None)
        if callable(close):
            close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The address it listens on."""
        return str(self._running().host)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._running().port)

    @property
    def internal_errors(self) -> list[Exception]:
        """What broke inside the local account itself; a test should find this empty."""
        return [] if self._routes is None else self._routes.executor.internal_errors

    @property
    def clock(self) -> Clock:
        """The account's clock; `advance` moves it and runs what falls due."""
        return self._need_tasks().clock

    def advance(self, seconds: float) -> datetime:
        """Move the clock and run, each graph to its end, all tasks that fall due until then; the time afterwards.

        Runs in the background (EXECUTE TASK) are waited for. Called within a task run it only moves the clock.
        Raises `ValueError` for a negative number.
        """
        return self._need_tasks().advance(seconds)

    def wait_for_tasks(self, seconds: float | None = 60) -> bool:
        """Wait until no graph run is left in the background; False where the time was over first."""
        return self._need_tasks().wait(seconds)

    @property
    def outbox(self) -> list[dict[str, Any]]:
        """What error and success integrations of tasks would have sent: ``{"integration": name, "message": {…}}``."""
        return self._need_tasks().outbox

    def verify_email(self, user: str) -> None:
        """Let a user, by canonical name, have verified the address in EMAIL. Raises `ValueError` for an unknown one."""
        verify = getattr(self.engine, "verify_email", None)
        if not callable(verify):
            raise RuntimeError("an engine of one's own has no users")
        verify(user)

    def dump(self) -> dict[str, Any]:
        """Everything the catalog holds: objects with their properties, grants, memberships; see `engine.dump`."""
        from pinky_local.engine.dump import dump

        account = getattr(self.engine, "account", None)
        if account is None:
            raise RuntimeError("an engine of one's own has no catalog")
        return dump(account)

    def _need_tasks(self) -> Tasks:
        if self._tasks is None:
            raise RuntimeError("an engine of one's own has no tasks")
        return self._tasks

    def connection_parameters(
        self, user: str | None = None, role: str | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Arguments for ``snowflake.connector.connect``; ``parameters`` are added or take precedence."""
        name = user or DEFAULT_USER
        arguments: dict[str, Any] = {
            "account": ACCOUNT,
            "host": self.host,
            "port": self.port,
            "protocol": "http",
            "user": name,
            "password": self._passwords.get(name.upper()) or DEFAULT_PASSWORD,
            "enable_server_session_keep_alive_auto_detection": False,
        }
        if role is not None:
            arguments["role"] = role
        return arguments | parameters

    def connect(self, **overrides: Any) -> Any:
        """A connection of whatever ``snowflake-connector-python`` is installed."""
        import snowflake.connector

        return snowflake.connector.connect(**self.connection_parameters(**overrides))

    def notify(self, *, stage: str | None = None, bucket: str | None = None) -> list[str]:
        """Tell the account what the cloud would, that files changed, and get the names of the stages it refreshed.

        ``stage`` is a full name as SQL prints it, ``bucket`` a URL. Only external stages whose directory table has
        AUTO_REFRESH listen. Raises `ValueError` where neither is given.
        """
        if stage is None and bucket is None:
            raise ValueError("say which stage, or which bucket, changed")
        notify = getattr(self.engine, "notify", None)
        return list(notify(stage=stage, bucket=bucket)) if callable(notify) else []

    def _running(self) -> HttpServer:
        if self._server is None:
            raise RuntimeError("the local account is not running; call start() or use it as a context manager")
        return self._server

    def _handle(self, request: Request) -> Response:
        assert self._routes is not None
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return self._control.handle(request)
        if request.path.startswith(transfers.PREFIX) and self._files is not None:
            return transfers.handle(self._files, request)
        return self._routes.handle(request)

    def _end_session(self, context: SessionContext) -> None:
        if self._data is not None:
            self._data.close_session(context)  # first: an open transaction may hold the session's temporary tables
        logout = getattr(self.engine, "logout", None)
        if callable(logout):
            logout(context)

    def _create_users(self) -> None:
        requested: dict[str, str | None] = dict.fromkeys(("database", "schema", "warehouse", "role"))
        for name in self._users:
            try:
                self.engine.login(name, dict(requested), {})
            except SqlError as error:
                if error.errno != 390100:
                    raise
                admin = self.engine.login(DEFAULT_USER, requested | {"role": "ACCOUNTADMIN"}, {})
                quoted = '"' + name.upper().replace('"', '""') + '"'
                self.engine.execute(f"CREATE USER {quoted}", admin, query_id="create-user")


def _tasks_of(engine: Engine) -> Tasks | None:
    from pinky_local.engine import CatalogEngine

    return Tasks(engine) if isinstance(engine, CatalogEngine) else None


def _catalog_engine(
    folder: Path | None,
    data: DataPlane | None,
    buckets: Mapping[str, Path | str] | None,
    repositories: Mapping[str, Path | str] | None,
) -> Engine:
    from pinky_local.engine import CatalogEngine

    return CatalogEngine(folder, data, buckets, repositories)


def _duck_data_plane(folder: Path | None) -> DuckDataPlane:
    from pinky_local.data import DuckDataPlane

    return DuckDataPlane(folder)
