"""Scalar expressions: a parsed Snowflake expression into a DuckDB one, with its Snowflake type.

Every node this module does not know is refused by name; nothing is passed through unread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.arithmetic import add, divide, modulo, multiply, negate, subtract
from pinky_local.data.casts import cast, literal
from pinky_local.data.constants import constant, number_literal
from pinky_local.data.datatypes import SnowType
from pinky_local.data.parsing import arg, name_of, only
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Scope, Typed
from pinky_local.types import SqlError

if TYPE_CHECKING:
    from pinky_local.data.translation import Compiled, Translation


@dataclass(slots=True)
class Expressions:
    """Compiles expressions in one scope. ``grouped`` tells whether aggregates are allowed here."""

    translation: Translation
    scope: Scope

    def compile(self, node: Any) -> Typed:
        """The typed DuckDB expression of a node. Raises `SqlError` 2 for anything not known."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise unsupported(_label(node))
        return rule(self, node)

    def boolean(self, node: Any) -> str:
        """A condition (WHERE, ON, HAVING, QUALIFY)."""
        return cast(self.compile(node), dt.BOOLEAN).sql

    def all(self, nodes: list[Any]) -> list[Typed]:
        """Several expressions."""
        return [self.compile(node) for node in nodes]


def _label(node: Any) -> str:
    if isinstance(node, exp.Expression):
        return f"{type(node).__name__} expression {node.sql(dialect='snowflake')[:80]}"
    return str(node)


def _literal(here: Expressions, node: Any) -> Typed:
    text = str(node.this)
    return constant(text) if node.is_string else number_literal(text)


def _raw_text(here: Expressions, node: Any) -> Typed:
    return constant(str(node.this))


def _boolean(here: Expressions, node: Any) -> Typed:
    return constant(bool(node.this))


def _null(here: Expressions, node: Any) -> Typed:
    return Typed("NULL", dt.NULL)


def _hex(here: Expressions, node: Any) -> Typed:
    return constant(bytes.fromhex(str(node.this)))


def _paren(here: Expressions, node: Any) -> Typed:
    only(node, "this")
    inner = here.compile(node.this)
    return Typed(f"({inner.sql})", inner.type, inner.nullable)


def _column(here: Expressions, node: Any) -> Typed:
    only(node, "this", "table", "db", "catalog")
    parts = [part for part in (arg(node, "catalog"), arg(node, "db"), arg(node, "table")) if part is not None]
    qualifier = tuple(name_of(part) for part in parts)
    if isinstance(node.this, exp.Parameter):
        return here.scope.positional(int(node.this.this.this), qualifier)
    name = name_of(node.this)
    if not qualifier and not node.this.args.get("quoted") and name in _BARE_FUNCTIONS:
        return here.translation.call(here, name, [])
    if qualifier and name in ("NEXTVAL", "CURRVAL"):
        raise unsupported(f"sequence {'.'.join(qualifier)}.{name}")
    try:
        return here.scope.find(name, qualifier)
    except SqlError as problem:
        raise _placed(problem, (*parts, node.this)[0]) from None


def _placed(problem: SqlError, identifier: Any) -> SqlError:
    """The error with the place of the identifier in the statement, as Snowflake writes it."""
    meta = identifier.meta
    if problem.errno not in (904, 1052) or "line" not in meta:
        return problem
    line, position = meta["line"], meta["col"] - (meta["end"] - meta["start"] + 1)
    text = problem.message.replace("error line 1 at position 0", f"error line {line} at position {position}")
    return SqlError(problem.errno, problem.sqlstate, text, line=line, position=position)


_BARE_FUNCTIONS = frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_USER", "CURRENT_ROLE"}
)


def _parameter(here: Expressions, node: Any) -> Typed:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return here.scope.positional(int(node.this.this))
    return here.translation.variable(
        name_of(node.this) if isinstance(node.this, exp.Identifier) else str(node.this.this)
    )


def _placeholder(here: Expressions, node: Any) -> Typed:
    return here.translation.bind(node)


def _anonymous(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expressions")
    return here.translation.call(here, str(node.this).upper(), node.expressions)


def _dotted(here: Expressions, node: Any) -> Typed:
    *names, called = list(node.flatten())
    if not isinstance(called, exp.Anonymous) or not all(isinstance(name, exp.Identifier) for name in names):
        raise unsupported(f"function {node.sql(dialect='snowflake')}")
    parts = [*(name_of(name) for name in names), str(called.this).upper()]
    return here.translation.call_user_function(here, parts, called.expressions)


def _cast(here: Expressions, node: Any) -> Typed:
    only(node, "this", "to", "safe", "requires_string", "_type")
    value = here.compile(node.this)
    if isinstance(node, exp.TryCast) and value.type.name not in ("VARCHAR", "NULL"):
        raise compilation(f"Function TRY_CAST cannot be used with arguments of types {value.type.text}", errno=1065)
    return cast(value, type_of(node.args["to"], here.translation.timestamp_mapping), safe=isinstance(node, exp.TryCast))


_SQLGLOT_NAMES = {
    "TINYINT": "INT", "SMALLINT": "INT", "INT": "INT", "BIGINT": "INT", "INT128": "INT", "DECIMAL": "NUMBER",
    "FLOAT": "FLOAT", "DOUBLE": "FLOAT", "TEXT": "VARCHAR", "VARCHAR": "VARCHAR", "CHAR": "CHAR", "NCHAR": "CHAR",
    "NVARCHAR": "VARCHAR", "BINARY": "BINARY", "VARBINARY": "BINARY", "BOOLEAN": "BOOLEAN", "DATE": "DATE",
    "TIME": "TIME", "DATETIME": "DATETIME", "TIMESTAMP": "TIMESTAMP", "TIMESTAMPNTZ": "TIMESTAMP_NTZ",
    "TIMESTAMPLTZ": "TIMESTAMP_LTZ", "TIMESTAMPTZ": "TIMESTAMP_TZ", "VARIANT": "VARIANT", "OBJECT": "OBJECT",
    "ARRAY": "ARRAY", "DECFLOAT": "DECFLOAT",
}  # fmt: skip


def type_of(node: Any, timestamp: str) -> SnowType:
    """The type a parsed type names; ``timestamp`` is what plain TIMESTAMP means (TIMESTAMP_TYPE_MAPPING)."""
    written = node.this.name if hasattr(node.this, "name") else str(node.this)
    name = _SQLGLOT_NAMES.get(str(written))
    if name == "TIMESTAMP":
        name = timestamp
    if any(not isinstance(one.this, exp.Literal) for one in node.expressions):
        raise unsupported(f"data type {node.sql(dialect='snowflake')}")
    sizes = [int(one.this.this) for one in node.expressions]
    known = dt.type_named(name, *sizes) if name else None
    if known is None:
        raise unsupported(f"data type {node.sql(dialect='snowflake')}")
    return known


_Operator = Callable[[Typed, Typed], Typed]


def _binary(operator: _Operator) -> Callable[[Expressions, Any], Typed]:
    def rule(here: Expressions, node: Any) -> Typed:
        if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
            return here.translation.shifted(here, node)
        return operator(here.compile(node.this), here.compile(node.expression))

    return rule


def _negated(here: Expressions, node: Any) -> Typed:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return number_literal("-" + str(node.this.this))
    return negate(here.compile(node.this))


def _not(here: Expressions, node: Any) -> Typed:
    return Typed(f"(NOT {here.boolean(node.this)})", dt.BOOLEAN)


def _logical(word: str) -> Callable[[Expressions, Any], Typed]:
    def rule(here: Expressions, node: Any) -> Typed:
        return Typed(f"({here.boolean(node.this)} {word} {here.boolean(node.expression)})", dt.BOOLEAN)

    return rule


def comparable(values: list[Typed], what: str) -> list[str]:
    """Values brought to one type in which DuckDB compares them as Snowflake does."""
    semi = [value for value in values if value.type.semi_structured]
    plain = [value.type for value in values if not value.type.semi_structured and value.type.name != "NULL"]
    if semi and not plain:
        raise unsupported(f"{what} of {semi[0].type.name} values without a cast")
    kind = dt.common_type(plain)
    if kind is None:
        raise unsupported(f"{what} of {' and '.join(sorted({one.name for one in plain}))}")
    if semi and kind.name == "NUMBER":
        kind = (
            dt.FLOAT if any(value.type.name == "FLOAT" for value in values) else dt.number(38, max(kind.scale or 0, 9))
        )
    elif kind.name == "NUMBER" and any(value.type.name == "VARCHAR" for value in values):
        kind = dt.number(38, max(kind.scale or 0, 9))
    if kind.name == "VARCHAR":
        kind = dt.TEXT
    return [key(cast(value, kind)) for value in values]


def key(value: Typed) -> str:
    """The expression by which a value is compared: a TIMESTAMP_TZ by its instant."""
    return f"struct_extract({value.sql}, 'utc')" if value.type.name == "TIMESTAMP_TZ" else value.sql


def _comparison(symbol: str) -> Callable[[Expressions, Any], Typed]:
    def rule(here: Expressions, node: Any) -> Typed:
        only(node, "this", "expression")
        if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
            raise unsupported("comparison of row values")
        if isinstance(node.expression, exp.Any | exp.All):
            inner = node.expression.this
            known = {("=", exp.Any): "", ("<>", exp.All): "NOT "}.get((symbol, type(node.expression)))
            if known is not None and isinstance(inner, exp.Subquery | exp.Query):
                found = _in_query(here, exp.In(this=node.this, query=inner))
                return Typed(f"({known}{found.sql})", dt.BOOLEAN)
            raise unsupported(f"{type(node.expression).__name__.upper()} comparison")
        left, right = comparable([here.compile(node.this), here.compile(node.expression)], "comparison")
        return Typed(f"({left} {symbol} {right})", dt.BOOLEAN)

    return rule


def _between(here: Expressions, node: Any) -> Typed:
    only(node, "this", "low", "high")
    value, low, high = comparable(here.all([node.this, node.args["low"], node.args["high"]]), "BETWEEN")
    return Typed(f"({value} BETWEEN {low} AND {high})", dt.BOOLEAN)


def _in(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expressions", "query")
    if node.args.get("query") is not None:
        return _in_query(here, node)
    if isinstance(node.this, exp.Tuple):
        return _in_rows(here, node)
    value, *options = comparable(here.all([node.this, *node.expressions]), "IN")
    return Typed(f"({value} IN ({', '.join(options)}))", dt.BOOLEAN)


def _in_rows(here: Expressions, node: Any) -> Typed:
    width = len(node.this.expressions)
    rows = [node.this, *node.expressions]
    if any(not isinstance(row, exp.Tuple) or len(row.expressions) != width for row in rows):
        raise unsupported("IN with rows of different widths")
    columns = [comparable([here.compile(row.expressions[i]) for row in rows], "IN") for i in range(width)]
    left, *options = [f"({', '.join(column[i] for column in columns)})" for i in range(len(rows))]
    return Typed(f"({left} IN ({', '.join(options)}))", dt.BOOLEAN)


def _in_query(here: Expressions, node: Any) -> Typed:
    query = here.translation.subquery(node.args["query"], here.scope)
    if isinstance(node.this, exp.Tuple):
        return _in_query_rows(here, here.all(node.this.expressions), query)
    if len(query.columns) != 1:
        raise unsupported("IN of one value with a subquery of several columns")
    column = Typed("q.c1", query.columns[0].type)
    value, option = comparable([here.compile(node.this), column], "IN")
    return Typed(f"({value} IN (SELECT {option} FROM ({query.sql}) AS q))", dt.BOOLEAN)


def _in_query_rows(here: Expressions, values: list[Typed], query: Compiled) -> Typed:
    """(a, b) IN (SELECT …): NULL where a row might be equal but for its NULLs."""
    if len(values) != len(query.columns):
        raise unsupported("IN with rows of different widths")
    q = here.translation.fresh("q")
    columns = [Typed(f"{q}.c{i}", one.type) for i, one in enumerate(query.columns, 1)]
    equals = [" = ".join(comparable([one, other], "IN")) for one, other in zip(values, columns, strict=True)]
    found = f"EXISTS (SELECT 1 FROM ({query.sql}) AS {q} WHERE {' AND '.join(equals)})"
    possible = " AND ".join(f"({test}) IS NOT FALSE" for test in equals)
    unknown = f"EXISTS (SELECT 1 FROM ({query.sql}) AS {q} WHERE {possible})"
    return Typed(f"(CASE WHEN {found} THEN TRUE WHEN {unknown} THEN NULL ELSE FALSE END)", dt.BOOLEAN)


def _exists(here: Expressions, node: Any) -> Typed:
    return Typed(f"EXISTS ({here.translation.subquery(node.this, here.scope).sql})", dt.BOOLEAN, nullable=False)


def _scalar_subquery(here: Expressions, node: Any) -> Typed:
    only(node, "this", "alias")
    query = here.translation.subquery(node.this, here.scope)
    if len(query.columns) != 1:
        raise compilation("Unsupported subquery type: a scalar subquery must have one column", errno=2031)
    return Typed(f"({query.sql})", query.columns[0].type)


def _is(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expression")
    value = here.compile(node.this)
    if isinstance(node.expression, exp.Null):
        return Typed(f"({value.sql} IS NULL)", dt.BOOLEAN, nullable=False)
    if isinstance(node.expression, exp.Boolean):
        word = "TRUE" if node.expression.this else "FALSE"
        return Typed(f"({cast(value, dt.BOOLEAN).sql} IS {word})", dt.BOOLEAN, nullable=False)
    raise unsupported(_label(node))


def _case(here: Expressions, node: Any) -> Typed:
    only(node, "this", "ifs", "default")
    branches: list[tuple[str, Any]] = []
    for branch in node.args["ifs"]:
        if node.this is None:
            branches.append((here.boolean(branch.this), branch.args["true"]))
        else:
            left, right = comparable([here.compile(node.this), here.compile(branch.this)], "CASE")
            branches.append((f"{left} = {right}", branch.args["true"]))
    default = here.compile(node.args["default"]) if node.args.get("default") is not None else Typed("NULL", dt.NULL)
    return choose([(condition, here.compile(value)) for condition, value in branches], default)


def choose(branches: list[tuple[str, Typed]], default: Typed) -> Typed:
    """CASE over typed branches, brought to their common type."""
    *values, other = unified([value for _, value in branches] + [default], "CASE")
    body = " ".join(
        f"WHEN {condition} THEN {value.sql}" for (condition, _), value in zip(branches, values, strict=True)
    )
    return Typed(f"(CASE {body} ELSE {other.sql} END)", other.type)


def unified(values: list[Typed], what: str) -> list[Typed]:
    """Values cast to their common type."""
    kind = dt.common_type([value.type for value in values])
    if kind is None:
        raise unsupported(f"{what} combining {' and '.join(sorted({value.type.text for value in values}))}")
    return [cast(value, kind) if value.type.name != kind.name or value.type.name == "NUMBER" else
            Typed(value.sql, kind, value.nullable) for value in values]  # fmt: skip


def _concatenation(here: Expressions, node: Any) -> Typed:
    left, right = here.compile(node.this), here.compile(node.expression)
    if left.type.name == right.type.name == "BINARY":
        return Typed(f"({left.sql} || {right.sql})", dt.BINARY)
    return concatenated([left, right])


def concatenated(values: list[Typed]) -> Typed:
    """Texts joined; NULL where any is NULL."""
    texts = [cast(value, dt.TEXT) if value.type.name != "VARCHAR" else value for value in values]
    length = min(dt.TEXT_LENGTH, sum(text.type.length or 0 for text in texts))
    return Typed("(" + " || ".join(text.sql for text in texts) + ")", dt.varchar(length))


def _like(word: str) -> Callable[[Expressions, Any], Typed]:
    def rule(here: Expressions, node: Any) -> Typed:
        return _liked(here, node, word, None)

    return rule


def _escape(here: Expressions, node: Any) -> Typed:
    word = {exp.Like: "LIKE", exp.ILike: "ILIKE"}.get(type(node.this))
    if word is None:
        raise unsupported(_label(node))
    return _liked(here, node.this, word, node.expression)


def _liked(here: Expressions, node: Any, word: str, escape: Any) -> Typed:
    only(node, "this", "expression")
    value = cast(here.compile(node.this), dt.TEXT).sql
    tail = f" ESCAPE {here.compile(escape).sql}" if escape is not None else ""
    joiner = {exp.Any: " OR ", exp.All: " AND "}.get(type(node.expression))
    if joiner is None:
        return Typed(f"({value} {word} {cast(here.compile(node.expression), dt.TEXT).sql}{tail})", dt.BOOLEAN)
    inner = node.expression.this
    patterns = inner.expressions if isinstance(inner, exp.Tuple) else [inner]
    tests = [f"{value} {word} {cast(here.compile(one), dt.TEXT).sql}{tail}" for one in patterns]
    return Typed(f"({joiner.join(tests)})", dt.BOOLEAN)


def _rlike(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expression", "full_match")
    value, pattern = here.compile(node.this), here.compile(node.expression)
    return Typed(f"regexp_full_match({cast(value, dt.TEXT).sql}, {cast(pattern, dt.TEXT).sql})", dt.BOOLEAN)


def _null_safe(symbol: str) -> Callable[[Expressions, Any], Typed]:
    def rule(here: Expressions, node: Any) -> Typed:
        left, right = comparable([here.compile(node.this), here.compile(node.expression)], "comparison")
        return Typed(f"({left} {symbol} {right})", dt.BOOLEAN, nullable=False)

    return rule


def _path(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expression", "variant_extract", "requires_json")
    return element(here.compile(node.this), _steps(node.expression))


def _steps(path: Any) -> list[str | int]:
    steps: list[str | int] = []
    for step in path.expressions:
        if (isinstance(step, exp.JSONPathKey) and isinstance(step.this, str)) or (
            isinstance(step, exp.JSONPathSubscript) and isinstance(step.this, int)
        ):
            steps.append(step.this)
        elif not isinstance(step, exp.JSONPathRoot):
            raise unsupported(f"path element {type(step).__name__}")
    return steps


def element(value: Typed, steps: list[str | int]) -> Typed:
    """What lies at a path inside a semi-structured value; NULL where the path leads nowhere."""
    if not value.type.semi_structured:
        raise compilation(f"Function GET does not support {value.type.text} argument type", errno=1216)
    path = "$"
    for step in steps:
        if (isinstance(step, int) and step < 0) or (isinstance(step, str) and '"' in step):
            raise unsupported(f"path element {step!r}")
        path += f"[{step}]" if isinstance(step, int) else f'."{step}"'
    return Typed(f"json_extract({value.sql}, {literal(path)})", dt.VARIANT)


def _bracket(here: Expressions, node: Any) -> Typed:
    only(node, "this", "expressions", "json_access")
    steps: list[str | int] = []
    for index in node.expressions:
        if not isinstance(index, exp.Literal):
            raise unsupported("a computed index or key in []")
        steps.append(str(index.this) if index.is_string else int(index.this))
    return element(here.compile(node.this), steps)


def _array(here: Expressions, node: Any) -> Typed:
    return here.translation.call(here, "ARRAY_CONSTRUCT", node.expressions)


def _object(here: Expressions, node: Any) -> Typed:
    pairs: list[Any] = []
    for pair in node.expressions:
        if not isinstance(pair, exp.PropertyEQ):
            raise unsupported(_label(node))
        name = pair.this
        pairs += [exp.Literal.string(str(name.this)) if isinstance(name, exp.Identifier) else name, pair.expression]
    return here.translation.call(here, "OBJECT_CONSTRUCT", pairs)


def _part(here: Expressions, node: Any) -> Typed:
    return here.translation.call(here, "DATE_PART", [node.this, node.expression])


def _windowed(here: Expressions, node: Any) -> Typed:
    return here.translation.windowed(here, node)


def _collated(here: Expressions, node: Any) -> Typed:
    raise unsupported("COLLATE")


_RULES: dict[type, Callable[[Expressions, Any], Typed]] = {
    exp.Literal: _literal, exp.RawString: _raw_text,
    exp.Boolean: _boolean, exp.Null: _null, exp.HexString: _hex, exp.Paren: _paren,
    exp.Column: _column, exp.Parameter: _parameter, exp.Placeholder: _placeholder, exp.Anonymous: _anonymous,
    exp.Dot: _dotted, exp.Cast: _cast, exp.TryCast: _cast, exp.Neg: _negated, exp.Not: _not,
    exp.Add: _binary(add), exp.Sub: _binary(subtract), exp.Mul: _binary(multiply), exp.Div: _binary(divide),
    exp.Mod: _binary(modulo), exp.And: _logical("AND"), exp.Or: _logical("OR"),
    exp.EQ: _comparison("="), exp.NEQ: _comparison("<>"), exp.LT: _comparison("<"), exp.LTE: _comparison("<="),
    exp.GT: _comparison(">"), exp.GTE: _comparison(">="), exp.Between: _between, exp.In: _in, exp.Exists: _exists,
    exp.Subquery: _scalar_subquery, exp.Is: _is, exp.Case: _case, exp.DPipe: _concatenation,
    exp.Like: _like("LIKE"), exp.ILike: _like("ILIKE"), exp.Escape: _escape, exp.RegexpLike: _rlike,
    exp.NullSafeEQ: _null_safe("IS NOT DISTINCT FROM"), exp.NullSafeNEQ: _null_safe("IS DISTINCT FROM"),
    exp.JSONExtract: _path, exp.Bracket: _bracket, exp.Array: _array, exp.Struct: _object, exp.Extract: _part,
    exp.Window: _windowed, exp.WithinGroup: _windowed, exp.Filter: _windowed, exp.IgnoreNulls: _windowed,
    exp.RespectNulls: _windowed, exp.Collate: _collated,
}  # fmt: skip
