"""Stopping statements that run: SYSTEM$CANCEL_QUERY, SYSTEM$CANCEL_ALL_QUERIES and ABORT ALL QUERIES.

Rests on https://docs.snowflake.com/en/sql-reference/functions/system_cancel_query, system_cancel_all_queries,
https://docs.snowflake.com/en/sql-reference/sql/alter-warehouse and alter-user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pinky_local.engine import context, errors
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.statement import Statement
from pinky_local.types import RunningStatement


def _others(statement: Statement) -> list[RunningStatement]:
    """What runs, except the statement that asks."""
    return [run for run in statement.account.running() if run.cancelled is not statement.session.cancelled]


def _require(statement: Statement, run: RunningStatement, *, administrator: bool) -> None:
    """Raise 3001 unless the statement is the user's own, or a role owns its user or may operate its warehouse."""
    session, catalog = statement.session, statement.catalog
    if run.user == session.user:
        return
    user = catalog.get(ACCOUNT, "user", run.user)
    warehouse = catalog.get(ACCOUNT, "warehouse", run.warehouse) if run.warehouse else None
    if user is not None and user.owner in statement.roles:
        return
    if warehouse is not None and statement.access.holds(statement.roles, warehouse, "OPERATE"):
        return
    highest = statement.access.role_named("ACCOUNTADMIN")
    if administrator and highest is not None and highest.number in statement.roles:
        return
    raise errors.insufficient("query", run.query_id)


def cancel_query(statement: Statement, arguments: Sequence[Any]) -> str:
    """SYSTEM$CANCEL_QUERY('query id'). The text for a statement that does not run is a guess."""
    _check_arity("SYSTEM$CANCEL_QUERY", arguments)
    for run in _others(statement):
        if run.query_id == str(arguments[0]):
            _require(statement, run, administrator=True)
            if run.cancel():
                return f"query [{run.query_id}] terminated."
    return "Identified SQL statement is not currently executing."


def cancel_all_queries(statement: Statement, arguments: Sequence[Any]) -> str:
    """SYSTEM$CANCEL_ALL_QUERIES(session id): how many were cancelled."""
    _check_arity("SYSTEM$CANCEL_ALL_QUERIES", arguments)
    runs = [run for run in _others(statement) if str(run.session_id) == str(arguments[0])]
    for run in runs:
        _require(statement, run, administrator=False)
    return f"{sum(run.cancel() for run in runs)} cancelled."


def _check_arity(name: str, arguments: Sequence[Any]) -> None:
    if len(arguments) != 1:
        number, word = (939, "too many") if arguments else (938, "not enough")
        text = f"{word} arguments for function [{name}] expected 1, got {len(arguments)}"
        raise errors.compilation(number, "22023", text)


def abort_all(statement: Statement, item: CatalogObject) -> Callable[[], None]:
    """What ABORT ALL QUERIES of a warehouse or user does."""

    def change() -> None:
        statement.require(item, "OPERATE")
        for run in _others(statement):
            if item.name == (run.warehouse if item.kind == "warehouse" else run.user):
                run.cancel()

    return change


def alter_user(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read ABORT ALL QUERIES."""
    return abort_all(statement, item) if statement.tokens.accept("ABORT", "ALL", "QUERIES") else None


context.NEEDS_STATEMENT["SYSTEM$CANCEL_QUERY"] = cancel_query
context.NEEDS_STATEMENT["SYSTEM$CANCEL_ALL_QUERIES"] = cancel_all_queries
