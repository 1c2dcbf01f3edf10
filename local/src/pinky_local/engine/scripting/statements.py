"""Where scripts begin: anonymous blocks, EXECUTE IMMEDIATE, and procedures in SQL.

Rests on https://docs.snowflake.com/en/sql-reference/sql/execute-immediate and
https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-snowflake-scripting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinky_local.engine import calls, conversions, errors
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.lexer import END
from pinky_local.engine.scripting import reading, running, values
from pinky_local.engine.scripting.running import Script
from pinky_local.engine.scripting.values import Value
from pinky_local.engine.statement import Statement
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import Result, ResultColumn, SessionContext, SqlError


def block(statement: Statement, *, describe_only: bool = False) -> Result:
    """Run an anonymous block."""
    if describe_only:
        return _undescribed()
    return running.answered(Script(statement.account, statement.session, statement.tokens.sql).run())


def execute_immediate(statement: Statement, *, describe_only: bool = False) -> Result:
    """Run EXECUTE IMMEDIATE text [USING (…)]."""
    tokens, account, session = statement.tokens, statement.account, statement.session
    tokens.expect("EXECUTE", "IMMEDIATE")
    last = len(tokens.tokens) - 1
    if tokens.tokens[last - 1].value == ";":
        last -= 1
    text, using = running.read_immediate(tokens, (0, last), reading.Reader(tokens))
    if describe_only:
        return _undescribed()
    if text[1] - text[0] == 1 and not using and tokens.at_string():
        return running.immediate(account, session, tokens.string(), [])
    spans = [text, *using]
    items = ", ".join(f"({tokens.text_between(*span)})" for span in spans)
    found = account.evaluate(f"SELECT {items}", session, statement.binds)
    given = [Value(cell, values.kind_of(column)) for cell, column in zip(found.rows[0], found.columns, strict=True)]
    return running.immediate(account, session, given[0].cell, given[1:])


def _undescribed() -> Result:
    """The answer of a block is known when it has run."""
    return Result([ResultColumn("anonymous block", length=16_777_216)], [], running.CALL_TYPE)


def run_procedure(
    statement: Statement, routine: CatalogObject, inner: SessionContext, arguments: Sequence[Any]
) -> Result:
    """Run the body of a procedure in SQL; it is a block, or one statement."""
    inner.cancelled = statement.session.cancelled
    parameters = routine.state["arguments"]
    given = {
        name: Value(cell, conversions.kind_of(kind))
        for (name, kind, _, _), cell in zip(parameters, arguments, strict=True)
    }
    body = str(routine.state["body"])
    tokens = TokenStream(body)
    if tokens.token.kind == END:
        raise errors.empty_statement()
    try:
        answer = Script(statement.account, inner, body, given).run()
    except SqlError as problem:
        frame = inner.procedure
        if problem.errno == 604 and frame is not None and frame.ended.is_set():
            text = f"SQL execution internal error:\nProcessing aborted: procedure {frame.name} was ended."
            raise SqlError(603, "XX000", text) from problem
        raise
    if routine.state.get("returns_table") is not None:
        if not isinstance(answer, Result):
            raise SqlError(100357, "P0000", f"Procedure {routine.name} returns a table: RETURN TABLE(…) is missing.")
        return calls.table(routine, answer)
    if isinstance(answer, Result):
        raise SqlError(100357, "P0000", f"Procedure {routine.name} returns {routine.state['returns']}, not a table.")
    return calls.scalar(routine, _returned(statement, routine, inner, answer))


def _returned(statement: Statement, routine: CatalogObject, inner: SessionContext, answer: Value) -> Any:
    kind = conversions.kind_of(routine.state["returns"])
    if answer.cell is None or answer.kind == kind:
        return answer.cell
    sql = f"SELECT CAST({values.literal(answer)} AS {kind})"
    return statement.account.evaluate(sql, inner).rows[0][0]


calls.LANGUAGES["SQL"] = run_procedure
