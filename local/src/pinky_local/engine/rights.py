"""Whose rights the code of a procedure has, and which statements it may run.

Rests on https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights and
https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-limitations (temporary objects).
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

from pinky_local.engine import errors
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.lexer import SYMBOL, WORD
from pinky_local.engine.statement import Statement
from pinky_local.types import ProcedureFrame, SessionContext, SqlError

DEEPEST = 5
"""How deep calls may nest, the outermost included. The documentation names no number; it is a guess."""

_INHERITED = frozenset(
    "AUTOCOMMIT BINARY_INPUT_FORMAT BINARY_OUTPUT_FORMAT DATE_INPUT_FORMAT DATE_OUTPUT_FORMAT "
    "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION ERROR_ON_NONDETERMINISTIC_MERGE ERROR_ON_NONDETERMINISTIC_UPDATE "
    "JDBC_TREAT_DECIMAL_AS_INT JSON_INDENT LOCK_TIMEOUT MAX_CONCURRENCY_LEVEL ODBC_USE_CUSTOM_SQL_DATA_TYPES "
    "PERIODIC_DATA_REKEYING QUERY_TAG QUERY_WAREHOUSE_NAME ROWS_PER_RESULTSET STATEMENT_QUEUED_TIMEOUT_IN_SECONDS "
    "STATEMENT_TIMEOUT_IN_SECONDS STRICT_JSON_OUTPUT TIMESTAMP_DAY_IS_ALWAYS_24H TIMESTAMP_INPUT_FORMAT "
    "TIMESTAMP_LTZ_OUTPUT_FORMAT TIMESTAMP_NTZ_OUTPUT_FORMAT TIMESTAMP_OUTPUT_FORMAT TIMESTAMP_TYPE_MAPPING "
    "TIMESTAMP_TZ_OUTPUT_FORMAT TIMEZONE TIME_INPUT_FORMAT TIME_OUTPUT_FORMAT TRANSACTION_ABORT_ON_ERROR "
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL TWO_DIGIT_CENTURY_START UNSUPPORTED_DDL_ACTION USE_CACHED_RESULT "
    "WEEK_OF_YEAR_POLICY WEEK_START".split()
)
"""The caller's session parameters that count inside an owner's rights procedure."""

_ALLOWED = frozenset(
    "SELECT WITH VALUES INSERT UPDATE DELETE MERGE TRUNCATE COPY CREATE ALTER DROP UNDROP COMMENT GRANT REVOKE SHOW "
    "DESC DESCRIBE LIST LS CALL BEGIN START COMMIT ROLLBACK DECLARE EXECUTE".split()
)
_WRITTEN_BACK = ("role", "secondary_roles", "database", "schema", "warehouse")
_OWNERS_FUNCTIONS = (
    "GET_DDL", "SYSTEM$ENABLE_BEHAVIOR_CHANGE_BUNDLE", "SYSTEM$DISABLE_BEHAVIOR_CHANGE_BUNDLE",
)  # fmt: skip


def unsupported_statement(kind: str) -> SqlError:
    """090236: a statement that an owner's rights procedure may not run."""
    return SqlError(90236, "42601", f"Stored procedure execution error: Unsupported statement type '{kind}'.")


def enter(statement: Statement, procedure: CatalogObject) -> SessionContext:
    """The session in which a procedure's code runs, called from the session of the statement.

    It is the caller's session with another context: the same number, so the same transaction and temporary objects.
    Raises `SqlError` where calls nest too deep.
    """
    caller = statement.session
    outer = caller.procedure
    owner_rights = procedure.state["execute_as"] == "OWNER" or (outer is not None and outer.owner_rights)
    frame = ProcedureFrame(
        statement.catalog.printed(procedure),
        procedure.number,
        str(procedure.state["language"]),
        owner_rights,
        caller_owns=procedure.owner in statement.roles,
        depth=1 if outer is None else outer.depth + 1,
        parent=outer,
    )
    if frame.depth > DEEPEST:
        text = f"Stored procedure execution error: the maximum stack depth of {DEEPEST} nested calls was exceeded."
        raise SqlError(90234, "P0000", text)
    if procedure.state["execute_as"] == "RESTRICTED CALLER" and not owner_rights:
        raise errors.unsupported("restricted caller's rights")
    if not owner_rights:
        return replace(caller, cancelled=threading.Event(), procedure=frame)
    owner = statement.catalog.objects.get(procedure.owner) if procedure.owner is not None else None
    if owner is None or owner.kind != "role":
        raise errors.unsupported("owner's rights of anything but an account role")
    database, schema, _ = statement.catalog.path(procedure)
    kept = {name: value for name, value in caller.parameters.items() if name in _INHERITED}
    return replace(
        caller,
        role=owner.name,
        secondary_roles="NONE",
        database=database,
        schema=schema,
        parameters=kept,
        variables={},
        cancelled=threading.Event(),
        procedure=frame,
        last_query_id=None,
    )


def leave(caller: SessionContext, inner: SessionContext) -> None:
    """Carry over what a caller's rights procedure changed in the session (USE; variables and parameters are shared)."""
    if inner.procedure is not None and not inner.procedure.owner_rights:
        for name in _WRITTEN_BACK:
            setattr(caller, name, getattr(inner, name))


def check(statement: Statement, word: str) -> None:
    """Raise where the procedure whose code sends this statement is over, or may not run it."""
    frame = statement.session.procedure
    if frame is None:
        return
    if frame.is_over:
        raise SqlError(604, "57014", "SQL execution canceled")
    if not frame.owner_rights:
        return
    tokens = statement.tokens
    if word in ("PUT", "GET") and frame.transferring.is_set():
        return
    if word not in _ALLOWED:
        raise unsupported_statement(word)
    if word in ("LIST", "LS") and frame.language in ("SQL", "JAVASCRIPT"):
        raise unsupported_statement("LIST_FILES")
    if word == "EXECUTE" and not (tokens.word(1) == "IMMEDIATE" and tokens.word(2) != "FROM"):
        raise unsupported_statement(f"EXECUTE_{tokens.word(1)}")
    if word == "SHOW":
        _check_show(statement)
    elif word == "ALTER":
        _check_alter(statement)
    elif word == "CREATE":
        _check_create(statement)
    if not frame.caller_owns:
        _check_functions(statement)


def _check_show(statement: Statement) -> None:
    tokens = statement.tokens
    words = [token.value for token in tokens.tokens if token.kind == WORD]
    scoped = [word for word in words[2:] if word in ("IN", "FOR", "ON", "TO", "OF")]
    what = tokens.word(1)
    if what == "PARAMETERS" and (not scoped or "SESSION" in words[2:]):
        raise unsupported_statement("SHOW_PARAMETERS")
    if what in ("VARIABLES", "LOCKS", "TRANSACTIONS") or (what == "DELEGATED" and "AUTHORIZATIONS" in words):
        raise unsupported_statement(f"SHOW_{what}")
    if what == "GRANTS" and not scoped:
        raise unsupported_statement("SHOW_GRANTS")


def _check_alter(statement: Statement) -> None:
    tokens = statement.tokens
    if tokens.word(1) == "SESSION":
        raise unsupported_statement("ALTER_SESSION")
    if tokens.word(1) != "USER":
        return
    place = 4 if tokens.word(2) == "IF" else 2
    named = tokens.tokens[min(place, len(tokens.tokens) - 1)]
    if named.value in (statement.session.user, "SET", "UNSET"):
        raise unsupported_statement("ALTER_USER")


def _check_create(statement: Statement) -> None:
    tokens = statement.tokens
    for ahead in range(1, 6):
        if tokens.word(ahead) in ("TEMPORARY", "TEMP", "VOLATILE"):
            raise unsupported_statement(f"temporary {tokens.word(ahead + 1)}")
        if tokens.word(ahead) not in ("OR", "REPLACE", "ALTER", "LOCAL", "GLOBAL", "SECURE"):
            return


def _check_functions(statement: Statement) -> None:
    every = statement.tokens.tokens
    for token, following in itertools.pairwise(every):
        called = following.kind == SYMBOL and following.value == "("
        if called and token.kind == WORD and token.value in _OWNERS_FUNCTIONS:
            raise unsupported_statement(token.value)
