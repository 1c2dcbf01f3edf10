"""Context functions, system functions, and SELECT statements made of nothing else.

A SELECT without FROM over literals and these functions needs neither warehouse nor data plane, as in Snowflake.
https://docs.snowflake.com/en/sql-reference/functions-context
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers
from pinky_local.engine.lexer import NUMBER, STRING
from pinky_local.types import Result, ResultColumn, SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account
    from pinky_local.engine.statement import Statement

VERSION = "10.37.0"
SELECT_TYPE = 0x1000

Function = Callable[["Account", SessionContext, Sequence[Any]], Any]


def _active_roles(account: Account, session: SessionContext, _: Sequence[Any]) -> str:
    return json.dumps(account.access.available(session.user))


def _secondary(account: Account, session: SessionContext, _: Sequence[Any]) -> str:
    chosen = session.secondary_roles
    held = [role.name for role in account.access.granted_to_user(session.user) if role is not None]
    names = "" if chosen == "NONE" else ",".join(sorted(held)) if chosen == "ALL" else chosen
    return json.dumps({"roles": names, "value": chosen if chosen in ("ALL", "NONE") else ""}, separators=(",", ":"))


def _in_session(account: Account, session: SessionContext, arguments: Sequence[Any]) -> bool:
    role = account.access.role_named(str(arguments[0]))
    return role is not None and role.number in account.access.active(session)


def _schemas(_: Account, session: SessionContext, __: Sequence[Any]) -> str:
    names = [name for name in ("PUBLIC", session.schema) if name]
    qualified = (
        [identifiers.dotted((session.database, name)) for name in dict.fromkeys(reversed(names))]
        if (session.database)
        else []
    )
    return json.dumps(qualified, separators=(",", ":"))


FUNCTIONS: dict[str, tuple[int, Function]] = {
    "CURRENT_ACCOUNT": (0, lambda account, session, _: account.name),
    "CURRENT_ACCOUNT_NAME": (0, lambda account, session, _: account.name),
    "CURRENT_ORGANIZATION_NAME": (0, lambda account, session, _: "PINKY"),
    "CURRENT_REGION": (0, lambda account, session, _: "LOCAL"),
    "CURRENT_VERSION": (0, lambda account, session, _: VERSION),
    "CURRENT_CLIENT": (0, lambda account, session, _: "PINKY_LOCAL"),
    "CURRENT_IP_ADDRESS": (0, lambda account, session, _: "127.0.0.1"),
    "CURRENT_USER": (0, lambda account, session, _: session.user),
    "CURRENT_ROLE": (0, lambda account, session, _: session.role),
    "CURRENT_ROLE_TYPE": (0, lambda account, session, _: "ROLE" if session.role else None),
    "CURRENT_SECONDARY_ROLES": (0, _secondary),
    "CURRENT_AVAILABLE_ROLES": (0, _active_roles),
    "CURRENT_DATABASE": (0, lambda account, session, _: session.database),
    "CURRENT_SCHEMA": (0, lambda account, session, _: session.schema),
    "CURRENT_SCHEMAS": (0, _schemas),
    "CURRENT_WAREHOUSE": (0, lambda account, session, _: session.warehouse),
    "CURRENT_SESSION": (0, lambda account, session, _: str(session.session_id)),
    "LAST_QUERY_ID": (0, lambda account, session, _: session.last_query_id),
    "CURRENT_TRANSACTION": (0, lambda account, session, arguments: _transaction(account, session, arguments)),
    "IS_ROLE_IN_SESSION": (1, _in_session),
    "SYSTEM$CLIENT_VERSION_INFO": (0, lambda account, session, _: "[]"),
    "SYSTEM$TYPEOF": (1, lambda account, session, arguments: _typeof(arguments[0])),
}
"""Function name to number of arguments and implementation."""

NEEDS_STATEMENT: dict[str, Callable[[Statement, Sequence[Any]], Any]] = {}
"""Functions that read or change the catalog, filled by the modules that know how."""


TABLE_FUNCTIONS: list[Callable[[Account, str, Sequence[Any], SessionContext], Result | None]] = []
"""Table functions, filled by the modules that know them; each answers None for a name that is not its own."""


def _transaction(account: Account, session: SessionContext, _: Sequence[Any]) -> str | None:
    """The number of the open transaction; NULL without one."""
    current = getattr(account.data, "current_transaction", None)
    number = current(session) if callable(current) else None
    return None if number is None else str(number)


def _typeof(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOLEAN[SB1]"
    if isinstance(value, str):
        return f"VARCHAR({len(value)})[LOB]"
    return "NUMBER(38,0)[SB1]" if isinstance(value, int) else "NULL[LOB]"


def call(account: Account, name: str, arguments: Sequence[Any], session: SessionContext) -> Any:
    """The value of a context or system function. Raises 002140 for an unknown one, 000938 for a wrong arity."""
    name = name.upper()
    if name in NEEDS_STATEMENT:
        from pinky_local.engine.statement import Statement

        with account.lock:
            return NEEDS_STATEMENT[name](Statement(account, session, "SELECT 1", (), ""), arguments)
    known = FUNCTIONS.get(name)
    if known is None:
        raise errors.compilation(2140, "42601", f"Unknown function {name}")
    arity, function = known
    if len(arguments) != arity and not (name == "LAST_QUERY_ID" and arguments == [-1]):
        number, word = (939, "too many") if len(arguments) > arity else (938, "not enough")
        text = f"{word} arguments for function [{name}] expected {arity}, got {len(arguments)}"
        raise errors.compilation(number, "22023", text)
    with account.lock:
        return function(account, session, arguments)


def select(statement: Statement) -> Result | None:
    """The answer of a SELECT of context functions and literals, or None when the statement is anything else."""
    tokens = statement.tokens
    start = tokens.index
    try:
        answer = _simple(statement)
    except _NotSimpleError:
        answer = None
    if answer is None:
        tokens.index = start
    return answer


class _NotSimpleError(Exception):
    """The SELECT needs a data plane."""


def _simple(statement: Statement) -> Result | None:
    tokens = statement.tokens
    tokens.expect("SELECT")
    columns: list[ResultColumn] = []
    values: list[Any] = []
    while True:
        first = tokens.index
        value = _expression(statement)
        name = tokens.text_between(first, tokens.index).upper()
        if tokens.accept("AS") or (tokens.at_identifier() and tokens.word() not in _CLAUSES):
            name = tokens.identifier()
        columns.append(_column(name, value))
        values.append(value)
        if not tokens.accept_symbol(","):
            break
    if not tokens.at_end():
        return None
    return Result(columns, [values], SELECT_TYPE)


_CLAUSES = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "HAVING", "QUALIFY", "EXCEPT", "INTERSECT", "MINUS"}
)


def _expression(statement: Statement) -> Any:
    tokens = statement.tokens
    token = tokens.token
    if token.kind == STRING:
        return tokens.string()
    if token.kind == NUMBER or tokens.is_symbol("-"):
        return _number(statement)
    if tokens.word() in ("TRUE", "FALSE", "NULL") and not tokens.is_symbol("(", 1):
        return {"TRUE": True, "FALSE": False, "NULL": None}[tokens.any_word()]
    name = tokens.word()
    if name in ("CURRENT_TIMESTAMP", "SYSDATE", "GETDATE", "LOCALTIMESTAMP"):
        raise _NotSimpleError
    if name not in FUNCTIONS and name not in NEEDS_STATEMENT:
        if name.startswith("SYSTEM$"):
            raise errors.compilation(2140, "42601", f"Unknown function {name}")
        raise _NotSimpleError
    tokens.index += 1
    arguments: list[Any] = []
    if tokens.accept_symbol("("):
        while not tokens.accept_symbol(")"):
            arguments.append(_expression(statement))
            if not tokens.is_symbol(")") and not tokens.accept_symbol(","):
                raise _NotSimpleError
    elif name not in ("CURRENT_USER", "CURRENT_ROLE"):
        raise _NotSimpleError
    return call(statement.account, name, arguments, statement.session)


def _number(statement: Statement) -> Any:
    tokens = statement.tokens
    sign = -1 if tokens.accept_symbol("-") else 1
    if tokens.token.kind != NUMBER:
        raise _NotSimpleError
    text = tokens.token.value
    tokens.index += 1
    return sign * (int(text) if text.isdigit() else Decimal(text))


def _column(name: str, value: Any) -> ResultColumn:
    if isinstance(value, bool):
        return ResultColumn(name, "boolean")
    if isinstance(value, int):
        return ResultColumn(name, "fixed", nullable=False, precision=max(1, len(str(abs(value)))), scale=0)
    if isinstance(value, Decimal):
        scale = max(0, -int(value.as_tuple().exponent))
        return ResultColumn(name, "fixed", nullable=False, precision=38, scale=scale)
    if isinstance(value, datetime):
        return ResultColumn(name, "timestamp_ltz", precision=0, scale=9)
    return ResultColumn(name, "text", length=16_777_216)


def scan(statement: Statement) -> Result | None:
    """SELECT * FROM TABLE(RESULT_SCAN(…)) without a data plane; None for any other statement."""
    tokens = statement.tokens
    start = tokens.index
    try:
        tokens.expect("SELECT")
        wanted = None if tokens.accept_symbol("*") else _names(statement)
        tokens.expect("FROM", "TABLE")
        tokens.expect_symbol("(")
        tokens.expect("RESULT_SCAN")
        tokens.expect_symbol("(")
        query_id = _expression(statement)
        tokens.expect_symbol(")")
        tokens.expect_symbol(")")
        tokens.end()
    except (SqlError, _NotSimpleError):
        tokens.index = start
        return None
    found = result_scan(statement.account, query_id)
    if wanted is None:
        return Result(found.columns, found.rows, SELECT_TYPE)
    places = {column.name: place for place, column in enumerate(found.columns)}
    for name in wanted:
        if name not in places:
            raise errors.invalid_identifier(identifiers.printed(name))
    chosen = [places[name] for name in wanted]
    rows = [[row[place] for place in chosen] for row in found.rows]
    return Result([found.columns[place] for place in chosen], rows, SELECT_TYPE)


def _names(statement: Statement) -> list[str]:
    names = [statement.tokens.identifier()]
    while statement.tokens.accept_symbol(","):
        names.append(statement.tokens.identifier())
    return names


def result_scan(account: Account, query_id: Any) -> Result:
    """A remembered result. Raises 000709 (a guess) for one that is not known."""
    found = account.remembered(str(query_id)) if query_id is not None else None
    if found is None:
        raise SqlError(709, "02000", f"Statement {query_id} not found")
    return found
