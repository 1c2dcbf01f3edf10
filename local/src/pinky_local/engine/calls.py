"""CALL: arguments, overloads, rights, and what a procedure answers.

Rests on https://docs.snowflake.com/en/sql-reference/sql/call and
https://docs.snowflake.com/en/sql-reference/transactions (scoped transactions). No lock is held while a procedure runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pinky_local.engine import conversions, datatypes, errors, identifiers, overloads, rights
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.lexer import SYMBOL
from pinky_local.engine.overloads import Given
from pinky_local.engine.specs.programs import family
from pinky_local.engine.statement import Statement
from pinky_local.types import Result, ResultColumn, SessionContext, SqlError

CALL_TYPE = 0x9000

Body = Callable[[Statement, CatalogObject, SessionContext, Sequence[Any]], Result]
"""Runs a procedure's code in its session; gets the argument values as cells of a `Result`."""

LANGUAGES: dict[str, Body] = {}
"""By language: what runs a procedure; filled by the modules that know how."""

_FAMILIES = {"fixed": "NUMBER", "real": "FLOAT", "text": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of CALL as written."""

    name: str | None
    text: str

    @property
    def sql(self) -> str:
        """The argument as an expression: a bare query is a scalar subquery."""
        return f"({self.text})"


def read_arguments(statement: Statement) -> list[Argument]:
    """Read ( [name =>] expression, … )."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found: list[Argument] = []
    while not tokens.accept_symbol(")"):
        name = None
        if tokens.at_identifier() and tokens.is_symbol("=>", 1):
            name = tokens.identifier()
            tokens.expect_symbol("=>")
        found.append(Argument(name, _expression(statement)))
        if not tokens.is_symbol(")"):
            tokens.expect_symbol(",")
    if len({argument.name is None for argument in found}) > 1:
        raise errors.compilation(1003, "42000", "arguments are given either all by name or all by position.")
    return found


def _expression(statement: Statement) -> str:
    tokens = statement.tokens
    first, depth = tokens.index, 0
    while depth or not (tokens.is_symbol(",") or tokens.is_symbol(")")):
        token = tokens.token
        if token.kind == "end":
            raise tokens.unexpected()
        if token.kind == SYMBOL and token.value in "()[]{}":
            depth += 1 if token.value in "([{" else -1
        tokens.index += 1
    if tokens.index == first:
        raise tokens.unexpected()
    return tokens.text_between(first, tokens.index)


def call(statement: Statement, *, describe_only: bool = False) -> Result:
    """Run a CALL statement."""
    tokens = statement.tokens
    tokens.expect("CALL")
    parts = tokens.name()
    arguments = read_arguments(statement)
    if tokens.at("INTO"):
        raise errors.unsupported("CALL … INTO outside a Snowflake Scripting block")
    tokens.end()
    given = [Given(argument.name, kind) for argument, kind in zip(arguments, _types(statement, arguments), strict=True)]
    with statement.account.lock:
        routine, places = overloads.resolve(statement, "procedure", parts, given)
        inner = rights.enter(statement, routine)
    if describe_only:
        return Result(result_columns(routine), [], CALL_TYPE)
    values = _values(statement, routine, arguments, places)
    return run(statement, routine, inner, values)


def run(statement: Statement, routine: CatalogObject, inner: SessionContext, values: Sequence[Any]) -> Result:
    """Run a procedure's code with values for all its arguments."""
    if routine.state["null_handling"] != "CALLED ON NULL INPUT" and any(value is None for value in values):
        return Result(result_columns(routine), [[None]], CALL_TYPE)
    body = LANGUAGES.get(routine.state["language"])
    if body is None:
        raise errors.unsupported(f"running a procedure in {routine.state['language']}")
    try:
        with _transaction_scope(statement, inner):
            return body(statement, routine, inner, values)
    finally:
        rights.leave(statement.session, inner)


def _types(statement: Statement, arguments: Sequence[Argument]) -> list[str | None]:
    """The family of every argument's type, None for NULL."""
    if not arguments:
        return []
    sql = "SELECT " + ", ".join(argument.sql for argument in arguments)
    described = statement.account.evaluate(sql, statement.session, statement.binds, describe_only=True)
    return [
        None if argument.text.upper() == "NULL" else _FAMILIES.get(column.type, column.type.upper())
        for argument, column in zip(arguments, described.columns, strict=True)
    ]


def _values(
    statement: Statement, routine: CatalogObject, arguments: Sequence[Argument], places: Sequence[int | None]
) -> list[Any]:
    """The value of every parameter, of its type; arguments are evaluated in the order they are written in."""
    if not places:
        return []
    parameters = routine.state["arguments"]
    if any(argument[3] for argument in parameters):
        raise errors.unsupported("calling a procedure with OUT arguments outside a Snowflake Scripting block")
    where = {place: at for at, place in enumerate(places) if place is not None}
    items = [f"CAST({argument.sql} AS {passed_type(parameters[where[i]][1])})" for i, argument in enumerate(arguments)]
    left_out = [at for at, place in enumerate(places) if place is None]
    defaults = routine.state.get("defaults", {})
    items += [f"CAST(({defaults[parameters[at][0]]}) AS {passed_type(parameters[at][1])})" for at in left_out]
    sql = "SELECT " + ", ".join(items)
    (row,) = statement.account.evaluate(sql, statement.session, statement.binds).rows
    values: list[Any] = [None] * len(places)
    for i in range(len(arguments)):
        values[where[i]] = row[i]
    for offset, at in enumerate(left_out, len(arguments)):
        values[at] = row[offset]
    return values


def passed_type(kind: str) -> str:
    """The type that an argument is brought to: lengths of texts and bytes are not enforced."""
    return family(kind) if family(kind) in ("VARCHAR", "BINARY") else kind


def result_columns(routine: CatalogObject) -> list[ResultColumn]:
    """The columns that a call answers with, as far as they are declared."""
    table = routine.state.get("returns_table")
    if table is None:
        kind = conversions.kind_of(routine.state["returns"])
        return [datatypes.result_column(identifiers.printed(routine.name), kind)]
    return [datatypes.result_column(name, conversions.kind_of(kind)) for name, kind in table]


def scalar(routine: CatalogObject, value: Any) -> Result:
    """The answer of a procedure that returns one value, a cell of its declared type."""
    if value is None and routine.state.get("returns_not_null"):
        raise SqlError(100132, "P0000", f"NULL result in a non-nullable column of procedure {routine.name}")
    return Result(result_columns(routine), [[value]], CALL_TYPE)


def table(routine: CatalogObject, found: Result) -> Result:
    """The answer of a procedure that returns a table: these rows under the declared names, where there are any."""
    declared = routine.state["returns_table"]
    if not declared:
        return Result(found.columns, found.rows, CALL_TYPE)
    if len(declared) != len(found.columns):
        text = f"Declared return type has {len(declared)} columns, the returned table {len(found.columns)}."
        raise SqlError(100357, "P0000", text)
    for (name, kind), column in zip(declared, found.columns, strict=True):
        actual = _FAMILIES.get(column.type, column.type.upper())
        if overloads.cost(actual, kind) >= overloads.OUTSIDE:
            raise SqlError(100357, "P0000", f"Column {name} is declared as {kind}, the returned table has {actual}.")
    columns = [
        ResultColumn(name, column.type, column.nullable, column.precision, column.scale, column.length)
        for (name, _), column in zip(declared, found.columns, strict=True)
    ]
    return Result(columns, found.rows, CALL_TYPE)


@contextmanager
def _transaction_scope(statement: Statement, inner: SessionContext) -> Iterator[None]:
    """A transaction begins and ends in one procedure; one that is left open is rolled back and refused (090232)."""
    data: Any = statement.account.data
    if data is None or not hasattr(data, "enter_scope"):
        yield
        return
    with data.enter_scope(inner):
        yield
