"""The account as the wire server calls it: sessions, statements one at a time, results."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pinky_local.engine import (
    access_integrations,
    alter,
    alter_table,
    api_integrations,
    calls,
    cancelling,
    context,
    copies,
    create,
    definitions_text,
    directory,
    errors,
    git_repositories,
    grants,
    lifecycle,
    notification_integrations,
    parameters,
    policies,
    procedures,
    remarks,
    rights,
    routines,
    schemas,
    session,
    show,
    show_grants,
    show_keys,
    show_parameters,
    stage_files,
    stage_places,
    stages,
    storage,
    store,
    streams,
    tags,
    tasks,
    transfers,
    users,
    views,
    warehouses,
)
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.account import Account
from pinky_local.engine.runs import execute as run_tasks
from pinky_local.engine.runs import functions as run_functions
from pinky_local.engine.runs import tables as run_tables
from pinky_local.engine.runs.history import History
from pinky_local.engine.runs.runner import StatementRunner
from pinky_local.engine.runs.scheduler import Scheduler
from pinky_local.engine.scripting import statements as scripting
from pinky_local.engine.scripting.reading import is_block
from pinky_local.engine.statement import Statement
from pinky_local.files import Buckets, FileStore
from pinky_local.files.store import BadKeyError
from pinky_local.types import (
    Around,
    Bind,
    DataPlane,
    OpenSession,
    Result,
    RunningStatement,
    SessionContext,
    SqlError,
)

FAMILIES = (
    access_integrations, alter_table, api_integrations, cancelling, definitions_text, git_repositories,
    notification_integrations, policies, procedures, remarks, routines, schemas, show_grants, show_keys,
    show_parameters, stages, storage, streams, tags, tasks, users, views, warehouses, run_functions, run_tables,
)  # fmt: skip
"""Modules that enter their grammar in the tables of `families` and `show` when they are loaded."""

_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"})
_DDL = frozenset({"CREATE", "ALTER", "DROP", "UNDROP", "GRANT", "REVOKE", "COMMENT", "TRUNCATE"})
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})

Handler = Callable[[Statement], Result]


class Runner(Protocol):
    """Runs, or only describes, a statement that runs other statements."""

    def __call__(self, statement: Statement, *, describe_only: bool = False) -> Result:
        """The statement's result. Raises `SqlError`."""


HANDLERS: dict[str, Handler] = {
    "CREATE": create.create,
    "DROP": alter.drop,
    "UNDROP": alter.undrop,
    "SHOW": show.show,
    "DESCRIBE": show.describe,
    "DESC": show.describe,
    "USE": session.use,
    "GRANT": grants.grant,
    "REVOKE": grants.revoke,
    "BEGIN": session.transaction,
    "START": session.transaction,
    "COMMIT": session.transaction,
    "ROLLBACK": session.transaction,
    "COMMENT": remarks.comment,
    "TRUNCATE": remarks.truncate,
    "SET": remarks.set_variable,
    "UNSET": remarks.unset_variable,
}

RUNNERS: dict[str, Runner] = {
    "CALL": calls.call,
    "EXECUTE": scripting.execute_immediate,
    "BEGIN": scripting.block,
    "DECLARE": scripting.block,
}
"""Statements that run other statements: no lock is held meanwhile."""

FILE_HANDLERS: dict[str, Handler] = {
    "LIST": stage_files.list_files,
    "LS": stage_files.list_files,
    "REMOVE": stage_files.remove_files,
    "RM": stage_files.remove_files,
    "COPY": copies.copy,
    "PUT": transfers.put,
    "GET": transfers.get,
}
"""Statements on files and rows: the catalog is locked only where they look into it, for they may take long."""

_REFUSED = {
    "EXPLAIN": "EXPLAIN",
}


def _commits(statement: Statement, word: str) -> bool:
    """Whether the statement commits the open transaction first: DDL does, and ALTER SESSION only for AUTOCOMMIT."""
    if word == "ALTER" and statement.tokens.word(1) == "SESSION":
        return "AUTOCOMMIT" in statement.tokens.sql.upper()
    return word in _DDL


class CatalogEngine:
    """`types.Engine` over a catalog in memory or, with ``folder``, one that outlives the process.

    ``buckets`` says which folders stand for the URLs of external stages, ``repositories`` which Git repositories of
    this machine stand for the origins of Git repository clones.
    """

    def __init__(
        self,
        folder: Path | None = None,
        data: DataPlane | None = None,
        buckets: Mapping[str, Path | str] | None = None,
        repositories: Mapping[str, Path | str] | None = None,
    ) -> None:
        self.account = Account(data, files=FileStore(folder, Buckets(buckets)))
        self.account.repositories = dict(repositories or {})
        self.account.run_statement = self._run_inner
        self.account.evaluate = self._evaluate
        self.resolver = self.account.resolver
        self._store = store.Store(folder) if folder is not None else None
        if self._store is not None and self._store.load(self.account):
            lifecycle.forget_leftovers(self.account)
        else:
            self.account.bootstrap()
            self._save()
        self.account.save = self._save_changes
        self.scheduler = Scheduler(self.account, History(folder), self._run_for_task)
        self.account.scheduler = self.scheduler

    def watch_tasks(self, run_statement: StatementRunner, *, live: bool) -> None:
        """Say how statements of tasks are run where they are watched; with ``live`` real time starts schedules."""
        self.scheduler.run_statement = run_statement
        if live:
            self.scheduler.go_live()

    def stop(self) -> None:
        """End what runs in the background, before the data plane is closed."""
        self.scheduler.stop()

    def _run_for_task(self, sql: str, session: SessionContext, query_id: str) -> Result:
        """A statement of a task run where nobody watches statements."""
        return self.execute(sql, session, query_id=query_id)

    def login(self, login_name: str, requested: dict[str, str | None], parameters: dict[str, Any]) -> SessionContext:
        """See `types.Engine.login`. A database, schema or warehouse that is not there is left unset."""
        with self.account.lock:
            user = self._user(login_name)
            role = self._role(user.name, requested.get("role") or user.properties.get("DEFAULT_ROLE"))
            secondary = "ALL" if "ALL" in user.properties.get("DEFAULT_SECONDARY_ROLES", ["ALL"]) else "NONE"
            context = SessionContext(
                next(self.account.session_numbers), user.name, role, secondary, created_on=self.account.now()
            )
            self._enter(context, requested, user.properties)
            for name, value in parameters.items():
                self._session_parameter(context, name.upper(), value)
            return context

    def execute(
        self,
        sql: str,
        session: SessionContext,
        binds: Sequence[Bind] = (),
        *,
        query_id: str,
        describe_only: bool = False,
    ) -> Result:
        """See `types.Engine.execute`."""
        statement = Statement(self.account, session, sql, binds, query_id)
        word = statement.tokens.word()
        if not word and statement.tokens.is_symbol("("):
            word = "SELECT"
        if statement.tokens.at_end():
            raise errors.empty_statement()
        rights.check(statement, word)
        if word in FILE_HANDLERS:
            if describe_only:
                raise errors.unsupported(f"describing {word} without running it")
            result = self._on_files(statement, word)
        elif word in _QUERIES:
            result = self._query(statement, word, describe_only=describe_only)
        elif (runner := self._runner(statement, word)) is not None:
            result = runner(statement, describe_only=describe_only)
        else:
            result = self._command(statement, word, describe_only=describe_only)
        session.last_query_id = query_id
        self.account.remember(query_id, result)
        return result

    def session_parameters(self, session: SessionContext) -> list[dict[str, Any]]:
        """See `types.Engine.session_parameters`."""
        with self.account.lock:
            statement = Statement(self.account, session, "SELECT 1", (), "")
            found = [
                {"name": name, "value": parameters.in_session(statement, parameter)[0]}
                for name, parameter in parameters.PARAMETERS.items()
                if "session" in parameter.levels
            ]
        return [*found, {"name": "CLIENT_TELEMETRY_ENABLED", "value": False}]

    def attach_running(self, running: Callable[[], Sequence[RunningStatement]]) -> None:
        """Say where the statements are found that SYSTEM$CANCEL_QUERY and its kin stop."""
        self.account.running = running

    def attach_procedures(self, open_session: OpenSession, around: Around) -> None:
        """Say how procedures get a session of a client, and what sees the statements that they run in process."""
        self.account.open_session = open_session
        self.account.around = around

    def logout(self, session: SessionContext) -> None:
        """End a session: its temporary objects are dropped for good."""
        with self.account.lock:
            lifecycle.end_session(Statement(self.account, session, "SELECT 1", (), ""))
            if self.account.changed:
                self._save()

    def results(self, query_id: str) -> Result | None:
        """See `types.Engine.results`."""
        return self.account.remembered(query_id)

    def _run_inner(
        self, sql: str, session: SessionContext, binds: Sequence[Bind] = (), *, describe_only: bool = False
    ) -> Result:
        query_id = str(uuid.uuid4())

        def run() -> Result:
            return self.execute(sql, session, binds, query_id=query_id, describe_only=describe_only)

        return self.account.around(sql, session, query_id, run)

    def _evaluate(
        self, sql: str, session: SessionContext, binds: Sequence[Bind] = (), *, describe_only: bool = False
    ) -> Result:
        return self._query(Statement(self.account, session, sql, binds, ""), "SELECT", describe_only=describe_only)

    def verify_email(self, user: str) -> None:
        """A user has verified the address. Raises `ValueError` for an unknown user."""
        found = self.account.catalog.get(ACCOUNT, "user", user)
        if found is None:
            raise ValueError(f"there is no user {user}")
        with self.account.lock:
            found.state["verified_email"] = found.properties.get("EMAIL")
            self.account.save()

    def notify(self, *, stage: str | None = None, bucket: str | None = None) -> list[str]:
        """Refresh the directory tables that a notification of the cloud would; the names of their stages."""
        names = directory.notify(self.account, stage=stage, bucket=bucket)
        with self.account.lock:
            if self.account.changed:
                self._save()
        return names

    def close(self) -> None:
        """Remove the files of stages that are not kept, and unload the code of functions."""
        self.resolver.user_functions.close()
        self.account.files.close()

    # statements ----------------------------------------------------------------------------------------------------

    def _command(self, statement: Statement, word: str, *, describe_only: bool) -> Result:
        handler = self._handler(statement, word)
        if describe_only and word not in ("SHOW", "DESC", "DESCRIBE"):
            raise errors.unsupported(f"describing {word} without running it")
        with self.account.lock:
            self.account.changed = False
            commit = getattr(self.account.data, "commit", None)
            if _commits(statement, word) and callable(commit):
                commit(statement.session)  # every DDL statement commits what is open before it
            lifecycle.purge_expired(self.account)
            result = handler(statement)
            lifecycle.purge_expired(self.account)
            if self.account.changed:
                self._save()
            return result

    @staticmethod
    def _runner(statement: Statement, word: str) -> Runner | None:
        tokens = statement.tokens
        if (word == "CALL" and tokens.word(1).startswith("SYSTEM$")) or (
            word == "EXECUTE" and tokens.word(1) == "TASK"
        ):
            return None
        if word == "BEGIN" and not is_block(tokens):
            return None
        return RUNNERS.get(word)

    def _on_files(self, statement: Statement, word: str) -> Result:
        try:
            return FILE_HANDLERS[word](statement)
        except BadKeyError as problem:
            raise stage_places.bad_path(problem) from problem

    def _handler(self, statement: Statement, word: str) -> Handler:
        tokens = statement.tokens
        if word == "ALTER":
            if tokens.word(1) == "SESSION" and tokens.word(2) in ("SET", "UNSET"):
                return session.alter_session
            return session.alter_account if tokens.word(1) == "ACCOUNT" else alter.alter
        if tokens.at("EXECUTE", "TASK"):
            return run_tasks.execute_task
        if word == "CALL" and tokens.word(1).startswith("SYSTEM$"):
            return run_tasks.call_system_function
        handler = HANDLERS.get(word)
        if handler is not None:
            return handler
        if word in _REFUSED:
            raise errors.unsupported(_REFUSED[word])
        raise tokens.unexpected()

    def _query(self, statement: Statement, word: str, *, describe_only: bool) -> Result:
        if word == "SELECT":
            answer = context.select(statement)
            if answer is None and self.account.data is None:
                answer = context.scan(statement)
            if answer is not None:
                if self.account.changed:
                    self._save()
                return answer if not describe_only else Result(answer.columns, [], answer.statement_type)
        data = self.account.data
        if data is None:
            raise errors.unsupported(f"{word} on rows: this account has no data plane (install the extra [data])")
        if word in _CHANGES:
            self.resolver.need_warehouse(statement.session)
        sql = statement.tokens.sql
        effective = self._effective(statement.session)
        return data.query(sql, effective, statement.binds, self.resolver, describe_only=describe_only)

    def _effective(self, session: SessionContext) -> SessionContext:
        """The session with the parameters that its user and the account set, as the data plane reads them."""
        user = self.account.catalog.get(ACCOUNT, "user", session.user)
        inherited = self.account.parameters | (user.parameters if user is not None else {})
        if not inherited:
            return session
        return replace(session, parameters=inherited | session.parameters)

    def _save_changes(self) -> None:
        """Save what something other than a statement changed; the caller holds the account's lock."""
        if self.account.changed:
            self._save()

    def _save(self) -> None:
        if self._store is not None:
            self._store.save(self.account)
        self.account.changed = False

    # sessions ------------------------------------------------------------------------------------------------------

    def _user(self, login_name: str) -> Any:
        for user in self.account.catalog.of_kind(ACCOUNT, "user"):
            if user.properties.get("LOGIN_NAME", user.name) == login_name.upper():
                if user.properties.get("DISABLED"):
                    raise SqlError(390101, "08001", "User access disabled. Contact your local system administrator.")
                return user
        raise SqlError(390100, "08001", "Incorrect username or password was specified.")

    def _role(self, user: str, wanted: str | None) -> str:
        if wanted is None:
            return "PUBLIC"
        name = self._folded(wanted)
        if name not in self.account.access.available(user):
            text = f"Role '{wanted}' specified in the connect string does not exist or not authorized."
            text += " Contact your local system administrator, or attempt to login with another role."
            raise SqlError(390189, "08001", text)
        return name

    @staticmethod
    def _folded(name: str) -> str:
        return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name.upper()

    def _enter(self, context: SessionContext, requested: dict[str, str | None], defaults: dict[str, Any]) -> None:
        namespace = str(defaults.get("DEFAULT_NAMESPACE") or "").split(".")
        database = requested.get("database") or (namespace[0] or None)
        schema = requested.get("schema") or (
            namespace[1] if len(namespace) > 1 and not requested.get("database") else None
        )
        warehouse = requested.get("warehouse") or defaults.get("DEFAULT_WAREHOUSE")
        steps = [
            (f"USE WAREHOUSE {self._quoted(warehouse)}", warehouse),
            (f"USE DATABASE {self._quoted(database)}", database),
        ]
        steps.append((f"USE SCHEMA {self._quoted(schema)}", schema if database else None))
        for sql, wanted in steps:
            if not wanted:
                continue
            try:
                session.use(Statement(self.account, context, sql, (), ""))
            except SqlError as error:
                if error.errno not in (2043, 3001, 90105):
                    raise

    def _quoted(self, name: str | None) -> str:
        return '"' + self._folded(name).replace('"', '""') + '"' if name else ""

    def _session_parameter(self, context: SessionContext, name: str, value: Any) -> None:
        known = parameters.PARAMETERS.get(name)
        if known is None or "session" not in known.levels or value is None:
            return  # clients send parameters of their own, which servers ignore
        context.parameters[name] = parameters.checked(known, value)
