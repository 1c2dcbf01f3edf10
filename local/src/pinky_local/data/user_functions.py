"""User-defined functions in queries: SQL bodies put in place, Python handlers called for every row.

https://docs.snowflake.com/en/developer-guide/udf/sql/udf-sql-introduction and
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction. An argument that a SQL body uses twice
is computed twice. A Python function with constant arguments is called while the query is compiled; over rows DuckDB
calls it, for which it needs numpy.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast, literal
from pinky_local.data.expressions import Expressions
from pinky_local.data.parsing import name_of, parse
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Column, Scope, Source, Typed
from pinky_local.types import SqlError, UserFunction

if TYPE_CHECKING:
    from pinky_local.data.translation import Compiled, Translation

_QUERY = re.compile(r"\s*\(*\s*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:BEGIN|DECLARE)\b", re.IGNORECASE)
_DEEPEST = 30  # functions that call functions

PYTHON_CALL = "pinky_python"
"""The DuckDB function behind every Python function: its key and its arguments as texts."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a user-defined function: the value of every parameter, and whether none of them reads a row."""

    function: UserFunction
    arguments: list[Typed]
    constant: bool


def find(translation: Translation, here: Expressions, parts: Sequence[str], nodes: list[Any]) -> Call | None:
    """What a call of a name means; None where no user-defined function is named so.

    Raises `SqlError` 1044 where no overload fits.
    """
    functions = getattr(translation.resolver, "user_functions", None)
    if functions is None or not functions.has(tuple(parts), translation.session):
        return None
    start = translation._next_bind
    names = [str(node.this.name).upper() if isinstance(node, exp.Kwarg) else None for node in nodes]
    values = [here.compile(node.expression if isinstance(node, exp.Kwarg) else node) for node in nodes]
    families = [None if value.type.name == "NULL" else value.type.name for value in values]
    function, places = functions.resolve(tuple(parts), list(zip(names, families, strict=True)), translation.session)
    arguments = []
    for (name, kind), place in zip(function.arguments, places, strict=True):
        value = values[place] if place is not None else _default(translation, function, name)
        arguments.append(cast(value, dt.parse_type(kind)))
    return Call(function, arguments, _reads_no_row(translation, nodes, start))


def _reads_no_row(translation: Translation, nodes: list[Any], first_bind: int) -> bool:
    """Whether the arguments mean something where there is no row to read."""
    if any(node.find(exp.Query) is not None for node in nodes):
        return False
    after, translation._next_bind = translation._next_bind, first_bind
    try:
        nowhere = Expressions(translation, Scope())
        for node in nodes:
            nowhere.compile(node.expression if isinstance(node, exp.Kwarg) else node)
    except SqlError:
        return False
    finally:
        translation._next_bind = after
    return True


def _default(translation: Translation, function: UserFunction, name: str) -> Typed:
    tree = parse(f"SELECT {function.defaults[name]}")
    return Expressions(translation, Scope()).compile(tree.expressions[0])


def scalar(translation: Translation, call: Call) -> Typed:
    """A call of a scalar function as an expression."""
    function = call.function
    if function.table is not None:
        raise compilation(f"Unknown function {function.name[2]}", errno=2140, sqlstate="42601")
    kind = dt.parse_type(function.returns)
    if function.language == "PYTHON":
        translation.volatile = translation.volatile or function.volatile
        return _decoded(Typed(_python(translation, call), dt.TEXT), kind)
    inner = _inside(translation, function)
    body = _body(function)
    scope = _parameters(call)
    if _QUERY.match(body):
        query = inner.subquery(parse(body), scope)
        if len(query.columns) != 1:
            raise compilation(f"function {function.name[2]} returns {len(query.columns)} columns", errno=2031)
        value = Typed(f"({query.sql})", query.columns[0].type)
    else:
        tree = parse(f"SELECT {body}")
        if len(tree.expressions) != 1 or any(value for key, value in tree.args.items() if key != "expressions"):
            raise compilation(f"the body of function {function.name[2]} is not an expression", errno=1003)
        compiled = Expressions(inner, scope).compile(tree.expressions[0])
        value = Typed(f"({compiled.sql})", compiled.type, compiled.nullable)
    translation.volatile = translation.volatile or inner.volatile
    return cast(value, kind)


def table(translation: Translation, call: Call) -> Compiled:
    """A call of a table function as a query."""
    function = call.function
    from pinky_local.data.translation import Compiled, OutputColumn

    if function.table is None:
        raise compilation(f"Function {function.name[2]} is not a table function", errno=2141, sqlstate="42P13")
    columns = [OutputColumn(name, dt.parse_type(kind)) for name, kind in function.table]
    if function.language == "PYTHON":
        return Compiled(_python_rows(translation, call, columns), columns)
    inner = _inside(translation, function)
    query = inner.subquery(parse(_body(function)), _parameters(call))
    translation.volatile = translation.volatile or inner.volatile
    if len(query.columns) != len(columns):
        text = f"Declared return type of {function.name[2]} has {len(columns)} columns, its query {len(query.columns)}."
        raise compilation(text, errno=2057, sqlstate="42601")
    items = [
        f"{cast(Typed(f'q.c{i}', one.type), wanted.type).sql} AS c{i}"
        for i, (one, wanted) in enumerate(zip(query.columns, columns, strict=True), 1)
    ]
    return Compiled(f"SELECT {', '.join(items)} FROM ({query.sql}) AS q", columns)


def _body(function: UserFunction) -> str:
    body = function.body.strip().removesuffix(";")
    if _BLOCK.match(body):
        raise unsupported("Snowflake Scripting in a function")
    return body


def _inside(translation: Translation, function: UserFunction) -> Translation:
    """The translation of a function's body: its schema resolves names, its owner holds the privileges."""
    stack = (*translation._view_stack, function.name)
    if len(stack) > _DEEPEST:
        raise compilation(f"Infinite recursion in definition of function '{'.'.join(function.name)}'", errno=2037)
    return replace(
        translation, session=function.session, binds=(), check_privileges=False, ctes={}, cte_names={}, _next_bind=0,
        _view_stack=stack,
    )  # fmt: skip


def _parameters(call: Call) -> Scope:
    """What a SQL body sees: the parameters by name, alone or after the function's name."""
    names = [name for name, _ in call.function.arguments]
    columns = [Column(name, value) for name, value in zip(names, call.arguments, strict=True)]
    return Scope(sources=[Source(call.function.name[2], columns)])


# Python ----------------------------------------------------------------------------------------------------------


def _python(translation: Translation, call: Call) -> str:
    """A call of a Python handler as an expression that gives its result as text."""
    function = call.function
    assert function.call is not None
    packed = [_packed(value) for value in call.arguments]
    if translation.describing:
        return "CAST(NULL AS VARCHAR)"
    if call.constant:
        answer = function.call([translation.storage.constant(one) for one in packed])
        return "CAST(NULL AS VARCHAR)" if answer is None else literal(answer)
    if importlib.util.find_spec("numpy") is None:
        raise unsupported("a Python function over rows, which needs numpy: install pinky-local[functions]")
    translation.storage.offer_python(function.key, function.call)
    return f"{PYTHON_CALL}({literal(function.key)}, CAST([{', '.join(packed)}] AS VARCHAR[]))"


def _packed(value: Typed) -> str:
    """An argument as the text that the handler's side reads."""
    name = value.type.name
    if name == "VARCHAR":
        return value.sql
    if name == "BINARY":
        return f"hex({value.sql})"
    if name == "TIMESTAMP_LTZ":
        return f"CAST(epoch_us({value.sql}) AS VARCHAR)"
    if name == "TIMESTAMP_TZ":
        utc, minutes = f"struct_extract({value.sql}, 'utc')", f"struct_extract({value.sql}, 'minutes')"
        return f"(CAST(epoch_us({utc}) AS VARCHAR) || ' ' || CAST({minutes} AS VARCHAR))"
    return f"CAST({value.sql} AS VARCHAR)"


def _decoded(value: Typed, kind: dt.SnowType) -> Typed:
    """The text that the handler's side wrote, as a value of its type."""
    if kind.name == "VARCHAR":
        return Typed(value.sql, kind)
    if kind.name == "BINARY":
        return Typed(f"unhex({value.sql})", kind)
    if kind.name in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        head = f"CAST(split_part({value.sql}, ' ', 1) AS BIGINT)"
        instant = f"timezone('UTC', make_timestamp({head}))"
        if kind.name == "TIMESTAMP_LTZ":
            return Typed(instant, kind)
        minutes = f"CAST(split_part({value.sql}, ' ', 2) AS SMALLINT)"
        packed = f"struct_pack(utc := {instant}, minutes := {minutes})"
        return Typed(f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE {packed} END", kind)
    return Typed(f"CAST({value.sql} AS {kind.duckdb})", kind)


def _python_rows(translation: Translation, call: Call, columns: Sequence[Any]) -> str:
    """A call of a Python handler class as a query of its rows."""
    rows = f"from_json({_python(translation, call)}, '[[\"VARCHAR\"]]')"
    items = [f"{_decoded(Typed(f'r[{i}]', dt.TEXT), one.type).sql} AS c{i}" for i, one in enumerate(columns, 1)]
    return f"SELECT {', '.join(items)} FROM (SELECT unnest({rows}) AS r) AS u"


def function_parts(node: Any) -> list[str]:
    """The parts of a qualified function's name."""
    return [name_of(one) if isinstance(one, exp.Identifier) else str(one.this).upper() for one in node.flatten()]
