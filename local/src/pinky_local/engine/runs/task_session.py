"""The session in which a task runs: the owner's role alone, the task's schema, warehouse and session parameters.

Rests on https://docs.snowflake.com/en/user-guide/tasks-intro: tasks run as a system service with the privileges of
their owner, or with EXECUTE AS USER as that user, whose default secondary roles are then active too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import errors, lifecycle, task_graphs
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.runs.versions import TaskVersion
from pinky_local.engine.statement import Statement
from pinky_local.types import SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

SYSTEM = "SYSTEM"
"""Whom the history names for what the system service does."""


def system_statement(account: Account) -> Statement:
    """What the catalog's functions need where nobody's statement runs."""
    return Statement(account, SessionContext(0, SYSTEM, None, "NONE"), "SELECT 1", (), "")


def open_session(account: Account, version: TaskVersion) -> SessionContext:
    """A session for one run. Raises `SqlError` where the owner may not run the task (any more)."""
    with account.lock:
        statement = system_statement(account)
        task = account.catalog.objects.get(version.number)
        owner = _owner(account, task, version)
        if task is not None:
            task_graphs.check_owner(statement, task)
        database, schema, _ = version.path
        context = SessionContext(
            next(account.session_numbers), SYSTEM, owner, "NONE", database, schema, version.warehouse,
            parameters=dict(version.session_parameters), created_on=account.now(),
        )  # fmt: skip
        if version.user is not None:
            _act_as(account, context, version.user)
        return context


def _owner(account: Account, task: CatalogObject | None, version: TaskVersion) -> str:
    """The name of the owner's role. A task dropped while its graph ran has none left to run under."""
    role = account.catalog.objects.get(task.owner) if task is not None and task.owner is not None else None
    if role is None:
        raise errors.not_found("Task", version.name)
    return role.name


def _act_as(account: Account, context: SessionContext, name: str) -> None:
    user = account.catalog.get(ACCOUNT, "user", name)
    if user is None:
        raise errors.not_found("User", name)
    if context.role not in account.access.available(name):
        raise SqlError(91089, "23001", f"Cannot execute task , role {context.role} must be granted to user {name}")
    context.user = name
    secondary = user.properties.get("DEFAULT_SECONDARY_ROLES", ["ALL"])
    context.secondary_roles = "ALL" if "ALL" in secondary else "NONE"


def close_session(account: Account, context: SessionContext) -> None:
    """End the session of a run: what it left open is rolled back, its temporary objects are dropped."""
    close = getattr(account.data, "close_session", None)
    if callable(close):
        close(context)
    with account.lock:
        lifecycle.end_session(Statement(account, context, "SELECT 1", (), ""))
