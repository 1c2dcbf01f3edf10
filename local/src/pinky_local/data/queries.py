"""Queries: SELECT, set operations, VALUES and WITH, compiled to DuckDB with opaque column names.

Inside DuckDB every query's columns are c1, c2, …; what Snowflake calls them stays on our side, because DuckDB does not
tell "a" from "A".
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.aggregates import direction, sort_key
from pinky_local.data.casts import cast
from pinky_local.data.expressions import Expressions
from pinky_local.data.parsing import arg, name_of, only
from pinky_local.data.refusals import compilation, invalid_identifier, unsupported
from pinky_local.data.scopes import Scope, Typed
from pinky_local.data.sources import join_sources
from pinky_local.data.translation import Compiled, OutputColumn, Translation

_SET_WORDS = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}


def compile_query(translation: Translation, node: Any, outer: Scope | None = None) -> Compiled:
    """A query of any form. Raises `SqlError` 2 for a clause that is not carried."""
    clause = arg(node, "with")
    if clause is None:
        return _body(translation, node, outer)
    known, names = dict(translation.ctes), dict(translation.cte_names)
    try:
        definitions = [_cte(translation, one, outer) for one in clause.expressions]
        body = _body(translation, node, outer)
    finally:
        translation.ctes, translation.cte_names = known, names
    return Compiled(f"WITH RECURSIVE {', '.join(definitions)} {body.sql}", body.columns)


def _body(translation: Translation, node: Any, outer: Scope | None) -> Compiled:
    if isinstance(node, exp.Select):
        return _select(translation, node, outer)
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias", "order", "limit", "offset", "with_", "with")
        return _ordered(translation, compile_query(translation, node.this, outer), node)
    if isinstance(node, exp.Values):
        return compile_values(Expressions(translation, Scope(outer=outer)), node.expressions)
    if type(node) in _SET_WORDS:
        return _set_operation(translation, node, outer)
    raise unsupported(f"{type(node).__name__.upper()} statement")


def _cte(translation: Translation, node: Any, outer: Scope | None) -> str:
    only(node, "this", "alias")
    name = name_of(node.args["alias"].this)
    names = [name_of(one) for one in node.args["alias"].args.get("columns") or []]
    physical = translation.fresh("w")
    if isinstance(node.this, exp.Union) and _mentions(node.this.expression, name):
        return _recursive_cte(translation, node, outer, (name, names, physical))
    compiled = renamed(compile_query(translation, node.this, outer), names)
    translation.ctes[name], translation.cte_names[name] = compiled.columns, physical
    return f"{physical} AS ({compiled.sql})"


def _mentions(node: Any, name: str) -> bool:
    return any(
        isinstance(table.this, exp.Identifier) and not table.args.get("db") and name_of(table.this) == name
        for table in node.find_all(exp.Table)
    )


def _recursive_cte(translation: Translation, node: Any, outer: Scope | None, names: tuple[str, list[str], str]) -> str:
    name, columns, physical = names
    only(node.this, "this", "expression")
    anchor = renamed(compile_query(translation, node.this.this, outer), columns)
    wide = [OutputColumn(one.name, _widened(one.type), True) for one in anchor.columns]
    translation.ctes[name], translation.cte_names[name] = wide, physical
    step = compile_query(translation, node.this.expression, outer)
    if len(step.columns) != len(wide):
        raise _different_widths(len(wide), len(step.columns))
    return f"{physical} AS ({_converted(anchor, wide)} UNION ALL {_converted(step, wide)})"


def _widened(kind: dt.SnowType) -> dt.SnowType:
    if kind.name == "NUMBER":
        return dt.number(38, kind.scale or 0)
    return dt.TEXT if kind.name == "VARCHAR" else kind


def renamed(compiled: Compiled, names: list[str]) -> Compiled:
    """The query with its columns called as a column list says."""
    if not names:
        return compiled
    if len(names) != len(compiled.columns):
        text = f"declared {len(names)} column(s), but the query produces {len(compiled.columns)} column(s)"
        raise compilation(text, errno=2057, sqlstate="42601")
    columns = [OutputColumn(name, one.type, one.nullable) for name, one in zip(names, compiled.columns, strict=True)]
    return Compiled(compiled.sql, columns)


def _different_widths(left: int, right: int) -> Exception:
    text = f"invalid number of result columns for set operator input branches, expected {left}, got {right} in a branch"
    return compilation(text, errno=1789, sqlstate="42601")


def _converted(compiled: Compiled, columns: list[OutputColumn]) -> str:
    """The query with its columns cast to other types."""
    items = [
        f"{cast(Typed(f'q.c{i}', have.type), want.type).sql} AS c{i}"
        for i, (have, want) in enumerate(zip(compiled.columns, columns, strict=True), 1)
    ]
    return f"SELECT {', '.join(items)} FROM ({compiled.sql}) AS q"


def _set_operation(translation: Translation, node: Any, outer: Scope | None) -> Compiled:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_", "with")
    left = compile_query(translation, node.this, outer)
    right = compile_query(translation, node.expression, outer)
    if len(left.columns) != len(right.columns):
        raise _different_widths(len(left.columns), len(right.columns))
    columns = [_joined(one, other) for one, other in zip(left.columns, right.columns, strict=True)]
    word = _SET_WORDS[type(node)] + ("" if node.args.get("distinct") else " ALL")
    if node.args.get("distinct"):
        for column in columns:
            sort_key(Typed("", _comparable_whole(column.type, word)), word)
    sql = f"({_converted(left, columns)}) {word} ({_converted(right, columns)})"
    return _ordered(translation, Compiled(sql, columns), node)


def _joined(one: OutputColumn, other: OutputColumn) -> OutputColumn:
    kind = dt.common_type([one.type, other.type])
    if kind is None:
        raise unsupported(f"set operation combining {one.type.text} and {other.type.text}")
    return OutputColumn(one.name, kind, one.nullable or other.nullable)


def _comparable_whole(kind: dt.SnowType, what: str) -> dt.SnowType:
    if kind.name == "TIMESTAMP_TZ":
        raise unsupported(f"{what} over TIMESTAMP_TZ")
    return kind


def _ordered(translation: Translation, compiled: Compiled, node: Any) -> Compiled:
    """A query with ORDER BY and LIMIT of an enclosing node, which see its output columns only."""
    if not any(node.args.get(name) for name in ("order", "limit", "offset")):
        return compiled
    scope = Scope()
    outputs = {one.name: Typed(f"q.c{i}", one.type) for i, one in enumerate(compiled.columns, 1)}
    positions = [Typed(f"q.c{i}", one.type) for i, one in enumerate(compiled.columns, 1)]
    here = Expressions(translation, scope)
    scope.aliases = outputs
    tail = _order(here, node.args.get("order"), positions, outputs) + limits(here, node)
    return Compiled(f"SELECT * FROM ({compiled.sql}) AS q{tail}", compiled.columns)


def compile_values(here: Expressions, rows: list[Any], defaults: Any = None) -> Compiled:
    """VALUES: columns COLUMN1, COLUMN2, … of the common type of their values.

    ``defaults(position)`` gives the expression for DEFAULT, where an INSERT allows it.
    """
    width = len(rows[0].expressions)
    if any(len(row.expressions) != width for row in rows):
        raise compilation("Invalid number of columns in VALUES rows", errno=1789, sqlstate="42601")
    typed = [[_cell(here, cell, i, defaults) for i, cell in enumerate(row.expressions)] for row in rows]
    kinds = []
    for i in range(width):
        kind = dt.common_type([row[i].type for row in typed])
        if kind is None:
            raise unsupported("VALUES combining " + " and ".join(sorted({row[i].type.text for row in typed})))
        kinds.append(kind)
    lines = [
        "(" + ", ".join(cast(cell, kind).sql for cell, kind in zip(row, kinds, strict=True)) + ")" for row in typed
    ]
    names = ", ".join(f"c{i}" for i in range(1, width + 1))
    columns = [
        OutputColumn(f"COLUMN{i}", kind, any(row[i - 1].nullable for row in typed)) for i, kind in enumerate(kinds, 1)
    ]
    return Compiled(f"SELECT * FROM (VALUES {', '.join(lines)}) AS v({names})", columns)


def _cell(here: Expressions, cell: Any, position: int, defaults: Any) -> Typed:
    if isinstance(cell, exp.Var) and str(cell.this).upper() == "DEFAULT" and defaults is not None:
        value = defaults(position)
        assert isinstance(value, Typed)
        return value
    return here.compile(cell)


def _select(translation: Translation, node: Any, outer: Scope | None) -> Compiled:
    only(node, "expressions", "from_", "from", "joins", "laterals", "where", "group", "having", "qualify", "order",
         "limit", "offset", "distinct", "with_", "with", "kind", "hint", "operation_modifiers")  # fmt: skip
    if node.args.get("kind") or node.args.get("operation_modifiers"):
        raise unsupported("SELECT modifiers")
    scope = Scope(outer=outer)
    here = Expressions(translation, scope)
    source = join_sources(translation, node, scope)
    items = _items(here, node.expressions)
    outputs = [Typed(f"c{i}", value.type) for i, (_, value) in enumerate(items, 1)]
    named = {name: output for (name, _), output in zip(items, outputs, strict=True)}
    distinct = _distinct(node, items)
    shown = ", ".join(f"{_output(value)} AS c{i}" for i, (_, value) in enumerate(items, 1))
    sql = f"SELECT {distinct}{shown}{source}"
    if node.args.get("where") is not None:
        sql += f" WHERE {here.boolean(node.args['where'].this)}"
    sql += _group(here, node.args.get("group"), items)
    for word in ("having", "qualify"):
        if node.args.get(word) is not None:
            sql += f" {word.upper()} {here.boolean(node.args[word].this)}"
    sql += _order(here, node.args.get("order"), outputs, named) + limits(here, node)
    return Compiled(sql, [OutputColumn(name, value.type, value.nullable) for name, value in items])


def _output(value: Typed) -> str:
    return f"CAST({value.sql} AS VARCHAR)" if value.type.name == "NULL" else value.sql


def _distinct(node: Any, items: list[tuple[str, Typed]]) -> str:
    if node.args.get("distinct") is None:
        return ""
    only(node.args["distinct"])
    for _, value in items:
        sort_key(Typed(value.sql, _comparable_whole(value.type, "DISTINCT")), "DISTINCT")
    return "DISTINCT "


def _items(here: Expressions, nodes: list[Any]) -> list[tuple[str, Typed]]:
    items: list[tuple[str, Typed]] = []
    for node in nodes:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            items.extend(_starred(here, node))
            continue
        inner = node.this if isinstance(node, exp.Alias) else node
        value = here.compile(inner)
        name = name_of(node.args["alias"]) if isinstance(node, exp.Alias) else unaliased(node)
        items.append((name, value))
        if isinstance(node, exp.Alias):
            here.scope.aliases.setdefault(name, Typed(f"({value.sql})", value.type, value.nullable))
    return items


def unaliased(node: Any) -> str:
    """What a column without alias is called: a column's own name, or the expression's text in upper case."""
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return name_of(node.this)
    if isinstance(node, exp.Subquery):
        return f"({node.this.sql(dialect='snowflake', comments=False)})".upper()
    return str(node.sql(dialect="snowflake", comments=False)).upper()


def _starred(here: Expressions, node: Any) -> list[tuple[str, Typed]]:
    star = node.this if isinstance(node, exp.Column) else node
    qualifier: tuple[str, ...] = ()
    if isinstance(node, exp.Column):
        parts = [part for part in (arg(node, "catalog"), arg(node, "db"), arg(node, "table")) if part is not None]
        qualifier = tuple(name_of(part) for part in parts)
    only(star, "except_", "except", "rename", "ilike", "replace")
    items = here.scope.expanded(qualifier)
    pattern = star.args.get("ilike")
    if pattern is not None:
        regex = re.compile(re.escape(str(pattern.this)).replace("%", ".*").replace("_", "."), re.I | re.S)
        items = [item for item in items if regex.fullmatch(item[0])]
    left_out = {_listed(one) for one in arg(star, "except") or []}
    replaced = {name_of(one.args["alias"]): here.compile(one.this) for one in star.args.get("replace") or []}
    new_names = {_listed(one.this): name_of(one.args["alias"]) for one in star.args.get("rename") or []}
    for name in (*left_out, *replaced, *new_names):
        if name not in {item[0] for item in items}:
            raise invalid_identifier(name)
    return [(new_names.get(name, name), replaced.get(name, value)) for name, value in items if name not in left_out]


def _listed(node: Any) -> str:
    return name_of(node.this if isinstance(node, exp.Column) else node)


def _group(here: Expressions, node: Any, items: list[tuple[str, Typed]]) -> str:
    if node is None:
        return ""
    only(node, "expressions", "all", "rollup", "cube", "grouping_sets")
    if node.args.get("all"):
        return " GROUP BY ALL"
    groups = [_group_item(here, one, items) for one in node.expressions]
    for name in ("rollup", "cube", "grouping_sets"):
        groups.extend(_group_item(here, one, items) for one in node.args.get(name) or [])
    return f" GROUP BY {', '.join(groups)}"


def _group_item(here: Expressions, node: Any, items: list[tuple[str, Typed]]) -> str:
    word = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}.get(type(node))
    if word is not None:
        return f"{word} ({', '.join(_group_item(here, one, items) for one in node.expressions)})"
    if isinstance(node, exp.Tuple):
        return f"({', '.join(_group_item(here, one, items) for one in node.expressions)})"
    if isinstance(node, exp.Literal) and not node.is_string:
        value = items[_ordinal(node, len(items)) - 1][1]
    else:
        value = here.compile(node)
    return sort_key(Typed(value.sql, _comparable_whole(value.type, "GROUP BY")), "GROUP BY")


def _ordinal(node: Any, count: int) -> int:
    position = int(node.this)
    if not 1 <= position <= count:
        raise compilation(f"Invalid position {position} in GROUP BY or ORDER BY", errno=1108, sqlstate="42601")
    return position


def _order(here: Expressions, node: Any, outputs: list[Typed], named: dict[str, Typed]) -> str:
    if node is None:
        return ""
    only(node, "expressions")
    keys = []
    for one in node.expressions:
        value = _order_value(here, one.this, outputs, named)
        keys.append(f"{sort_key(value, 'ORDER BY')} {direction(one)}")
    return f" ORDER BY {', '.join(keys)}"


def _order_value(here: Expressions, node: Any, outputs: list[Typed], named: dict[str, Typed]) -> Typed:
    if isinstance(node, exp.Literal) and not node.is_string:
        return outputs[_ordinal(node, len(outputs)) - 1]
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and arg(node, "table") is None:
        name = name_of(node.this)
        if name in named:
            return named[name]
    return here.compile(node)


def limits(here: Expressions, node: Any) -> str:
    """LIMIT, TOP, FETCH and OFFSET."""
    sql = ""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if isinstance(limit, exp.Fetch):
        only(limit, "direction", "count", "limit_options")
        sql += f" LIMIT {_row_count(here, limit.args['count'])}"
    elif limit is not None:
        only(limit, "this", "expression")
        if not isinstance(limit.expression, exp.Null):
            sql += f" LIMIT {_row_count(here, limit.expression)}"
    if offset is not None:
        sql += f" OFFSET {_row_count(here, offset.expression)}"
    return sql


def _row_count(here: Expressions, node: Any) -> str:
    if not isinstance(node, exp.Literal | exp.Placeholder | exp.Parameter):
        raise compilation("LIMIT and OFFSET take a constant", errno=1011, sqlstate="42601")
    value = here.translation.bind(node) if isinstance(node, exp.Placeholder) else here.compile(node)
    return f"CAST({value.sql} AS BIGINT)"
