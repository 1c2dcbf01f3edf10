"""FROM: tables, views, subqueries, VALUES, table functions, FLATTEN and joins, as sources of a scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data import staged, user_functions
from pinky_local.data.casts import cast
from pinky_local.data.constants import constant
from pinky_local.data.expressions import Expressions, comparable, element
from pinky_local.data.json_functions import path_steps
from pinky_local.data.parsing import arg, name_of, names_of, only, parse
from pinky_local.data.refusals import compilation, invalid_identifier, unsupported
from pinky_local.data.scopes import Column, Scope, Source, Typed
from pinky_local.data.translation import Compiled, OutputColumn, Translation
from pinky_local.types import Relation, Result


def join_sources(translation: Translation, node: Any, scope: Scope) -> str:
    """The FROM clause of a SELECT as DuckDB text; the scope gets its sources."""
    start = arg(node, "from")
    if start is None:
        return ""
    text = " FROM " + add_source(translation, start.this, scope)
    nested = start.this.args.get("joins") or []
    for join in [*nested, *(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
        text += add_join(translation, join, scope)
    return text


def add_join(translation: Translation, node: Any, scope: Scope) -> str:
    """A join as DuckDB text; its right side becomes a source."""
    if isinstance(node, exp.Lateral):
        return " CROSS JOIN " + add_source(translation, node, scope)
    only(node, "this", "side", "kind", "on", "using", "method")
    side, kind, method = (str(node.args.get(name) or "").upper() for name in ("side", "kind", "method"))
    if (
        method not in ("", "NATURAL")
        or kind not in ("", "INNER", "OUTER", "CROSS")
        or side not in ("", "LEFT", "RIGHT", "FULL")
    ):
        raise unsupported(f"{method} {side} {kind} JOIN".strip())
    before = list(scope.sources)
    right = add_source(translation, node.this, scope)
    added = scope.sources[len(before) :]
    using = [name_of(one) for one in node.args.get("using") or []]
    if method == "NATURAL":
        using = [
            c.name
            for source in before
            for c in source.columns
            if any(c.name == d.name for s in added for d in s.columns)
        ]
    if using:
        return f" {side} JOIN {right} ON {_using(scope, before, added, using, side)}"
    if node.args.get("on") is not None:
        return f" {side} JOIN {right} ON {Expressions(translation, scope).boolean(node.args['on'])}"
    if side:
        if isinstance(node.this, exp.Lateral):
            return f" {side} JOIN {right} ON TRUE"
        raise compilation(f"{side} JOIN without a condition", errno=1003)
    return f" CROSS JOIN {right}"


def _using(scope: Scope, before: list[Source], added: list[Source], names: list[str], side: str) -> str:
    tests: list[str] = []
    for name in names:
        left = scope.merged.get(name) or Scope(sources=before).find(name)
        right = Scope(sources=added).find(name)
        one, other = comparable([left, right], "USING")
        tests.append(f"{one} = {other}")
        kept = {"RIGHT": right.sql, "FULL": f"coalesce({left.sql}, {right.sql})"}.get(side, left.sql)
        scope.merged[name] = Typed(kept, left.type)
    for source in (*before, *added):
        source.hidden = source.hidden | frozenset(names)
    return " AND ".join(tests)


def add_source(translation: Translation, node: Any, scope: Scope) -> str:
    """One item of FROM as DuckDB text; the scope gets it as a source."""
    if isinstance(node, exp.Table):
        return _table(translation, node, scope)
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias", "joins", "order", "limit", "offset", "with_", "with")
        if isinstance(node.this, exp.Table):
            raise unsupported("a parenthesized join")
        compiled = translation.subquery(_without_alias(node), scope.outer)
        return derived(translation, compiled, node, scope)
    if isinstance(node, exp.Values):
        only(node, "expressions", "alias")
        return derived(translation, translation.subquery(node, scope.outer), node, scope)
    if isinstance(node, exp.Lateral):
        return _lateral(translation, node, scope)
    if isinstance(node, exp.TableFromRows):
        return _table_function(translation, node.this, node, scope)
    raise unsupported(f"{type(node).__name__} in FROM")


def _without_alias(node: Any) -> Any:
    bare = node.copy()
    bare.set("alias", None)
    bare.set("joins", None)
    return bare


def _alias(node: Any) -> tuple[str | None, list[str]]:
    alias = node.args.get("alias")
    if alias is None:
        return None, []
    return name_of(alias.this) if alias.this is not None else None, [
        name_of(one) for one in alias.args.get("columns") or []
    ]


def derived(translation: Translation, compiled: Compiled, node: Any, scope: Scope, *, lateral: bool = False) -> str:
    """A subquery as a source."""
    alias, names = _alias(node)
    physical = translation.fresh("s")
    scope.sources.append(Source(alias or "", _columns(physical, compiled.columns, names)))
    return f"{'LATERAL ' if lateral else ''}({compiled.sql}) AS {physical}"


def _columns(physical: str, columns: Sequence[OutputColumn], names: list[str]) -> list[Column]:
    if len(names) > len(columns):
        raise compilation(
            f"column alias list has {len(names)} names for {len(columns)} columns", errno=2057, sqlstate="42601"
        )
    shown = [*names, *(one.name for one in columns[len(names) :])]
    return [
        Column(name, Typed(f"{physical}.c{i}", one.type, one.nullable))
        for i, (name, one) in enumerate(zip(shown, columns, strict=True), 1)
    ]


def _table(translation: Translation, node: Any, scope: Scope) -> str:
    if staged.is_location(node.this):
        return staged.staged(translation, node, scope)
    only(node, "this", "db", "catalog", "alias", "joins")
    if isinstance(node.this, exp.Anonymous):
        called = str(node.this.this).upper()
        if called == "TABLE" and len(node.this.expressions) == 1:
            return _table_function(translation, node.this.expressions[0], node, scope)
        if called == "IDENTIFIER" and len(node.this.expressions) == 1:
            return _named(translation, _identifier(translation, node.this.expressions[0]), node, scope)
        if called == "DIRECTORY":
            return derived(translation, staged.directory(translation, node.this), node, scope)
        raise unsupported(f"{called}(…) in FROM")
    if not isinstance(node.this, exp.Identifier):
        raise unsupported(f"{node.this.sql(dialect='snowflake')} in FROM")
    return _named(translation, names_of(node), node, scope)


def _identifier(translation: Translation, node: Any) -> list[str]:
    value = translation.constant_argument(Expressions(translation, Scope()), node)
    tree = parse(f"SELECT 1 FROM {value}")
    table = arg(tree, "from").this
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        raise compilation(f"invalid identifier '{value}'", errno=904)
    return names_of(table)


def _named(translation: Translation, parts: list[str], node: Any, scope: Scope) -> str:
    alias, names = _alias(node)
    if len(parts) == 1 and parts[0] in translation.ctes:
        physical = translation.fresh("s")
        columns = _columns(physical, translation.ctes[parts[0]], names)
        scope.sources.append(Source(alias or parts[0], columns))
        return f"{translation.cte_names[parts[0]]} AS {physical}"
    relation = translation.resolver.relation(parts, translation.session)
    translation.require("SELECT", relation)
    source, text = relation_source(translation, relation, names)
    source.alias = alias or relation.name[2]
    source.path = () if alias else relation.name
    scope.sources.append(source)
    return text


def relation_source(translation: Translation, relation: Relation, names: list[str]) -> tuple[Source, str]:
    """A resolved object as a source, and its DuckDB text."""
    physical = translation.fresh("s")
    if relation.kind == "table":
        return table_source(translation, relation, physical, names), f"{_stored(translation, relation)} AS {physical}"
    if relation.kind == "stream":
        from pinky_local.data.streams import stream_query  # a stream on a view reads sources again

        compiled = stream_query(translation, relation)
    else:
        compiled = _view(translation, relation) if relation.kind == "view" else rows_query(_rows(relation))
    return Source("", _columns(physical, compiled.columns, names)), f"({compiled.sql}) AS {physical}"


def _stored(translation: Translation, relation: Relation) -> str:
    return translation.storage.table(relation.name).physical


def table_source(translation: Translation, relation: Relation, physical: str, names: list[str]) -> Source:
    """A table's columns under a DuckDB alias."""
    stored = translation.storage.table(relation.name)
    known = {column.name: column for column in relation.columns}
    shown = [*names, *list(stored.columns)[len(names) :]]
    columns = []
    for name, (own, column) in zip(shown, stored.columns.items(), strict=True):
        nullable = known[own].nullable if own in known else True
        columns.append(Column(name, Typed(f"{physical}.{column.physical}", column.type, nullable)))
    return Source("", columns)


def _view(translation: Translation, relation: Relation) -> Compiled:
    if relation.query is None:
        raise compilation(f"View '{'.'.join(relation.name)}' has no query", errno=2057, sqlstate="42601")
    inner = translation.inside_view(relation)
    compiled = inner.subquery(parse(relation.query), None)
    translation.volatile = translation.volatile or inner.volatile
    names = [column.name for column in relation.columns]
    if names and len(names) != len(compiled.columns):
        text = (
            f"View definition for '{'.'.join(relation.name)}' declared {len(names)} column(s), but view query produces "
        )
        raise compilation(f"{text}{len(compiled.columns)} column(s).", errno=2057, sqlstate="42601")
    if not names:
        return compiled
    columns = [OutputColumn(name, one.type, one.nullable) for name, one in zip(names, compiled.columns, strict=True)]
    return Compiled(compiled.sql, columns)


def _rows(relation: Relation) -> Result:
    if relation.kind != "rows" or relation.result is None:
        raise unsupported(f"a query over {relation.kind} {'.'.join(relation.name)}")
    return relation.result


_OF_WIRE = {
    "text": dt.TEXT, "real": dt.FLOAT, "boolean": dt.BOOLEAN, "date": dt.DATE, "time": dt.TIME, "timestamp_ntz": dt.NTZ,
    "timestamp_ltz": dt.LTZ, "timestamp_tz": dt.TZ, "variant": dt.VARIANT, "array": dt.ARRAY, "object": dt.OBJECT,
    "binary": dt.BINARY,
}  # fmt: skip


def rows_query(result: Result) -> Compiled:
    """Rows the catalog gave, as a query."""
    columns = []
    for one in result.columns:
        if one.type == "fixed":
            kind = dt.number(one.precision or 38, one.scale or 0)
        elif one.type == "text":
            kind = dt.varchar(one.length or dt.TEXT_LENGTH)
        else:
            kind = _OF_WIRE[one.type]
        columns.append(OutputColumn(one.name, kind, one.nullable))
    names = ", ".join(f"c{i}" for i in range(1, len(columns) + 1))
    if not result.rows:
        empty = ", ".join(f"CAST(NULL AS {one.type.duckdb}) AS c{i}" for i, one in enumerate(columns, 1))
        return Compiled(f"SELECT {empty} WHERE FALSE", columns)
    lines = [f"({', '.join(_cell(v, c) for v, c in zip(row, columns, strict=True))})" for row in result.rows]
    return Compiled(f"SELECT * FROM (VALUES {', '.join(lines)}) AS v({names})", columns)


def _cell(value: Any, column: OutputColumn) -> str:
    if value is None:
        return f"CAST(NULL AS {column.type.duckdb})"
    if column.type.semi_structured:
        return f"CAST({constant(str(value)).sql} AS JSON)"
    typed = constant(value)
    return typed.sql if typed.type.name == column.type.name == "VARCHAR" else cast(typed, column.type).sql


def _table_function(translation: Translation, call: Any, node: Any, scope: Scope) -> str:
    parts = [str(call.this).upper()] if isinstance(call, exp.Anonymous) else []
    if isinstance(call, exp.Dot):
        parts = [name_of(one) if isinstance(one, exp.Identifier) else str(one.this).upper() for one in call.flatten()]
        call = call.expression
    name = ".".join(parts)
    if not isinstance(call, exp.Anonymous):
        raise unsupported(f"TABLE({call.sql(dialect='snowflake')})")
    if name == "FLATTEN":
        return flatten(translation, call, node, scope)
    if name == "GENERATOR":
        return _generator(translation, call, node, scope)
    visible = Scope(sources=list(scope.sources), outer=scope.outer, merged=scope.merged)
    own = user_functions.find(translation, Expressions(translation, visible), parts, call.expressions)
    if own is not None:
        return derived(translation, user_functions.table(translation, own), node, scope, lateral=not own.constant)
    here = Expressions(translation, Scope())
    arguments = [_argument(translation, here, one) for one in call.expressions]
    result = translation.resolver.table_function(name, arguments, translation.session)
    return derived(translation, rows_query(result), node, scope)


def _argument(translation: Translation, here: Expressions, node: Any) -> Any:
    """A positional argument's value, or (name, value) of a named one."""
    if isinstance(node, exp.Kwarg):
        return (str(node.this.name).upper(), translation.constant_argument(here, node.expression))
    return translation.constant_argument(here, node)


def _named_arguments(call: Any, allowed: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for position, one in enumerate(call.expressions):
        name = str(one.this.name).upper() if isinstance(one, exp.Kwarg) else allowed[min(position, len(allowed) - 1)]
        if name not in allowed:
            raise invalid_identifier(name)
        found[name] = one.expression if isinstance(one, exp.Kwarg) else one
    return found


def _generator(translation: Translation, call: Any, node: Any, scope: Scope) -> str:
    arguments = _named_arguments(call, ["ROWCOUNT", "TIMELIMIT"])
    if set(arguments) != {"ROWCOUNT"}:
        raise unsupported("GENERATOR without ROWCOUNT, or with TIMELIMIT")
    count = translation.constant_argument(Expressions(translation, Scope()), arguments["ROWCOUNT"])
    physical = translation.fresh("s")
    alias, _ = _alias(node)
    scope.sources.append(Source(alias or "", [], row_number=f"{physical}.n"))
    return f"(SELECT range AS n FROM range({int(count)})) AS {physical}"


def _lateral(translation: Translation, node: Any, scope: Scope) -> str:
    only(node, "this", "alias")
    if isinstance(node.this, exp.Subquery):
        visible = Scope(sources=list(scope.sources), outer=scope.outer, merged=scope.merged)
        return derived(translation, translation.subquery(node.this, visible), node, scope, lateral=True)
    if isinstance(node.this, exp.Anonymous) and str(node.this.this).upper() == "FLATTEN":
        return flatten(translation, node.this, node, scope)
    raise unsupported(f"LATERAL {node.this.sql(dialect='snowflake')}")


_FLATTENED = [
    OutputColumn("SEQ", dt.number(19, 0)), OutputColumn("KEY", dt.TEXT), OutputColumn("PATH", dt.TEXT),
    OutputColumn("INDEX", dt.number(19, 0)), OutputColumn("VALUE", dt.VARIANT), OutputColumn("THIS", dt.VARIANT),
]  # fmt: skip


def flatten(translation: Translation, call: Any, node: Any, scope: Scope) -> str:
    """FLATTEN of one value: its elements, in order. https://docs.snowflake.com/en/sql-reference/functions/flatten."""
    arguments = _named_arguments(call, ["INPUT", "PATH", "OUTER", "RECURSIVE", "MODE"])
    if "RECURSIVE" in arguments or "INPUT" not in arguments:
        raise unsupported("FLATTEN with RECURSIVE or without INPUT")
    here = Expressions(translation, Scope(sources=list(scope.sources), outer=scope.outer, merged=scope.merged))
    given = here.compile(arguments["INPUT"])
    prefix = _option(translation, arguments, "PATH", "")
    value = element(given, path_steps(prefix)) if prefix else given
    if not value.type.semi_structured:
        raise compilation(f"Invalid argument types for function 'FLATTEN': (INPUT => {value.type.text})", errno=1044)
    mode = str(_option(translation, arguments, "MODE", "BOTH")).upper()
    sql = _flattened(value.sql, prefix, mode, outer=bool(_option(translation, arguments, "OUTER", False)))
    physical = translation.fresh("s")
    alias, names = _alias(node)
    columns = _columns(physical, _FLATTENED, names)
    if scope.sources:
        columns[0] = Column("SEQ", columns[0].value, "SEQ of a FLATTEN joined to rows")
    scope.sources.append(Source(alias or "", columns))
    return f"LATERAL ({sql}) AS {physical}"


def _option(translation: Translation, arguments: dict[str, Any], name: str, default: Any) -> Any:
    if name not in arguments:
        return default
    return translation.constant_argument(Expressions(translation, Scope()), arguments[name])


def _flattened(value: str, prefix: str, mode: str, *, outer: bool) -> str:
    if mode not in ("BOTH", "ARRAY", "OBJECT"):
        raise compilation(f"invalid FLATTEN mode '{mode}'", errno=1003)
    kinds = [kind for kind in ("ARRAY", "OBJECT") if mode in ("BOTH", kind)]
    kind = f"json_type({value})"
    wanted = f"{kind} IN ({', '.join(repr(one) for one in kinds)})"
    elements_of = f"WHEN 'ARRAY' THEN from_json({value}, '[\"JSON\"]') WHEN 'OBJECT' THEN json_extract({value}, '$.*')"
    items = f"CASE {kind} {elements_of} END"
    keys = f"CASE {kind} WHEN 'OBJECT' THEN json_keys({value}) END"
    columns = f"unnest({items}) AS v, unnest({keys}) AS k, unnest(range(len({items}))) AS i, {kind} AS t"
    elements = f"SELECT {columns} WHERE {wanted}"
    dot = f"{prefix}." if prefix else ""
    path = f"CASE e.t WHEN 'ARRAY' THEN '{prefix}[' || e.i || ']' ELSE '{dot}' || e.k END"
    index = "CASE e.t WHEN 'ARRAY' THEN CAST(e.i AS DECIMAL(19,0)) END"
    this = f"CAST({value} AS JSON)"
    shown = f"CAST(1 AS DECIMAL(19,0)) AS c1, e.k AS c2, {path} AS c3, {index} AS c4, e.v AS c5"
    if not outer:
        return f"SELECT {shown}, {this} AS c6 FROM ({elements}) AS e"
    one = f"(SELECT 1 AS one) AS o LEFT JOIN ({elements}) AS e ON TRUE"
    return f"SELECT {shown}, {this} AS c6 FROM {one}"
