"""The state of one account: catalog, parameters, what a new account holds, remembered results."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pinky_local.engine.access import ACCOUNT, SYSTEM_ROLES, Access
from pinky_local.engine.catalog import Catalog, CatalogObject, Grant, Membership
from pinky_local.engine.clock import Clock
from pinky_local.engine.privileges import GLOBAL_PRIVILEGES
from pinky_local.engine.resolver import CatalogResolver
from pinky_local.files import FileStore
from pinky_local.types import Around, Bind, DataPlane, OpenSession, Result, RunningStatement, SessionContext

REMEMBERED_RESULTS = 2000
"""How many results RESULT_SCAN can reach back to (Snowflake keeps them for 24 hours)."""

_SYSADMIN = ("CREATE DATABASE", "CREATE WAREHOUSE", "CREATE COMPUTE POOL", "CREATE EXTERNAL VOLUME")
_HIERARCHY = (("SECURITYADMIN", "ACCOUNTADMIN"), ("SYSADMIN", "ACCOUNTADMIN"), ("USERADMIN", "SECURITYADMIN"))


def _unwatched(_sql: str, _session: SessionContext, _query_id: str, run: Callable[[], Result]) -> Result:
    return run()


class Execution(Protocol):
    """Runs or describes a statement in a session."""

    def __call__(
        self, sql: str, session: SessionContext, binds: Sequence[Bind] = (), *, describe_only: bool = False
    ) -> Result:
        """The statement's result. Raises `SqlError`."""


class Account:
    """One account. ``lock`` is held while a statement of the catalog runs; ``running`` lists what clients wait for.

    ``run_statement`` runs an inner statement under a query id of its own and remembers its result; ``evaluate`` runs a
    query and leaves no trace. The engine sets both. Neither is called with the lock held.
    ``clock`` is what all of the account tells the time by. ``session_numbers`` gives every session, also those of task
    runs, a number of its own. ``contacts`` are those of the account itself: their numbers by purpose. ``save`` writes
    the catalog where the account has a folder. ``scheduler`` runs the tasks
    (`pinky_local.engine.runs.scheduler`). ``files`` holds the files of stages.
    """

    def __init__(self, data: DataPlane | None, name: str = "PINKY_LOCAL", files: FileStore | None = None) -> None:
        self.name: str = name
        self.data = data
        self.files = files or FileStore()
        self.repositories: dict[str, Path | str] = {}
        self.catalog = Catalog()
        self.access = Access(self.catalog)
        self.parameters: dict[str, Any] = {}
        self.contacts: dict[str, int] = {}
        self.lock = threading.RLock()
        self.changed = False
        self.clock = Clock()
        self.session_numbers = itertools.count(1)
        self.running: Callable[[], Sequence[RunningStatement]] = tuple
        self.around: Around = _unwatched
        self.open_session: OpenSession | None = None
        self.run_statement: Execution
        self.evaluate: Execution
        self.save: Callable[[], None] = _nowhere
        self.scheduler: object = None
        self.resolver = CatalogResolver(self)
        self._compiling = threading.local()
        if data is not None and hasattr(data, "resolver"):
            data.resolver = self.resolver
        if data is not None and hasattr(data, "clock"):
            data.clock = self.now
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._results_lock = threading.Lock()

    def now(self) -> datetime:
        """The present in whole milliseconds, by the account's clock; it never runs backwards."""
        return self.clock.now()

    @contextmanager
    def compiling(self) -> Iterator[list[int]]:
        """While a definition is only checked, not run, no warehouse is needed. Gives the numbers of tables it reads."""
        self._compiling.on = True
        found: list[int] = []
        self._compiling.tables = found
        try:
            yield found
        finally:
            self._compiling.on = False

    @property
    def is_compiling(self) -> bool:
        """Whether this thread is inside `compiling`."""
        return bool(getattr(self._compiling, "on", False))

    def note_table(self, number: int) -> None:
        """Remember that the definition being checked reads this table."""
        if self.is_compiling:
            self._compiling.tables.append(number)

    def directory_rows(self, stage: CatalogObject) -> list[tuple[Any, ...]]:
        """The directory table of a stage: relative_path, size, last_modified, md5, etag, file_url."""
        from pinky_local.engine import directory  # which needs this class

        return list(directory.directory_rows(self, stage))

    def new(self, kind: str, name: str, *, space: str, parent: int, owner: int | None) -> CatalogObject:
        """An object that is in no container yet."""
        return CatalogObject(self.catalog.number(), kind, name, space, parent, owner, self.now())

    def remember(self, query_id: str, result: Result) -> None:
        """Keep a result for RESULT_SCAN and polling."""
        with self._results_lock:
            self._results[query_id] = result
            while len(self._results) > REMEMBERED_RESULTS:
                self._results.popitem(last=False)

    def remembered(self, query_id: str) -> Result | None:
        """A result kept by `remember`."""
        with self._results_lock:
            return self._results.get(query_id)

    def bootstrap(self) -> None:
        """Fill an empty account: system roles, one user, one warehouse."""
        catalog = self.catalog
        roles = {}
        for name in SYSTEM_ROLES:
            role = self.new("role", name, space="role", parent=ACCOUNT, owner=None)
            role.state["system"] = True
            catalog.add(role)
            roles[name] = role
        for child, holder in _HIERARCHY:
            catalog.join(Membership(roles[child].number, roles[holder].number, None, self.now()))
        user = self.new("user", "PINKY", space="user", parent=ACCOUNT, owner=roles["ACCOUNTADMIN"].number)
        user.properties.update(DEFAULT_ROLE="ACCOUNTADMIN", LOGIN_NAME="PINKY", DEFAULT_WAREHOUSE="COMPUTE_WH")
        catalog.add(user)
        catalog.join(Membership(roles["ACCOUNTADMIN"].number, user.number, None, self.now()))
        self._account_grants(roles)
        owner = roles["ACCOUNTADMIN"].number
        warehouse = self.new("warehouse", "COMPUTE_WH", space="warehouse", parent=ACCOUNT, owner=owner)
        catalog.add(warehouse)
        catalog.grant(Grant("USAGE", warehouse.number, roles["PUBLIC"].number, owner, self.now()))

    def _account_grants(self, roles: dict[str, CatalogObject]) -> None:
        given = {
            "ACCOUNTADMIN": GLOBAL_PRIVILEGES,
            "SECURITYADMIN": ("MANAGE GRANTS", "CREATE ROLE", "CREATE USER", "CREATE NETWORK POLICY"),
            "USERADMIN": ("CREATE ROLE", "CREATE USER"),
            "SYSADMIN": _SYSADMIN,
        }
        for name, privileges in given.items():
            for privilege in privileges:
                self.catalog.grant(Grant(privilege, ACCOUNT, roles[name].number, None, self.now(), grantable=True))


def _nowhere() -> None:
    """An account in memory alone is not saved."""
