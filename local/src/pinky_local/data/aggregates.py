"""Aggregate and window functions.

https://docs.snowflake.com/en/sql-reference/functions-aggregation and .../functions-window
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.arithmetic import numeric, quotient
from pinky_local.data.casts import cast
from pinky_local.data.parsing import only
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Typed

if TYPE_CHECKING:
    from pinky_local.data.expressions import Expressions

COUNT = dt.number(18, 0)


@dataclass(frozen=True, slots=True)
class Call:
    """One aggregate or window call, its pieces as DuckDB text.

    ``order`` stands inside the parentheses (WITHIN GROUP, by the values ``sorted_by``), ``tail`` after them (FILTER,
    OVER), ``nulls`` before them.
    """

    here: Expressions
    name: str
    nodes: list[Any]
    distinct: bool = False
    order: str = ""
    tail: str = ""
    nulls: str = ""
    sorted_by: tuple[Typed, ...] = ()

    def values(self) -> list[Typed]:
        """The arguments."""
        return self.here.all(self.nodes)

    def one(self) -> Typed:
        """The only argument."""
        if len(self.nodes) != 1:
            raise compilation(f"wrong number of arguments for function [{self.name}]: {len(self.nodes)}", errno=938)
        return self.here.compile(self.nodes[0])

    def render(self, function: str, *arguments: str) -> str:
        """The call in DuckDB."""
        distinct = "DISTINCT " if self.distinct else ""
        return f"{function}({distinct}{', '.join(arguments)}{self.order}{self.nulls}){self.tail}"


def _count(call: Call) -> Typed:
    if len(call.nodes) == 1 and isinstance(call.nodes[0], exp.Star):
        only(call.nodes[0])
        return Typed(f"CAST({call.render('count', '*')} AS DECIMAL(18,0))", COUNT, nullable=False)
    typed = call.values()
    values = [sort_key(value, "COUNT(DISTINCT)") for value in typed] if call.distinct else [v.sql for v in typed]
    if len(values) == 1:
        argument = values[0]
    else:
        nulls = " OR ".join(f"{value} IS NULL" for value in values)
        argument = f"CASE WHEN {nulls} THEN NULL ELSE row({', '.join(values)}) END"
    return Typed(f"CAST({call.render('count', argument)} AS DECIMAL(18,0))", COUNT, nullable=False)


def _count_if(call: Call) -> Typed:
    condition = cast(call.one(), dt.BOOLEAN).sql
    counted = call.render("count", f"CASE WHEN {condition} THEN 1 END")
    return Typed(f"CAST({counted} AS DECIMAL(18,0))", COUNT, nullable=False)


def _sum(call: Call) -> Typed:
    value = numeric(call.one(), "SUM")
    kind = dt.FLOAT if value.type.name == "FLOAT" else dt.number(38, value.type.scale or 0)
    return Typed(call.render("sum", value.sql), kind)


def _avg(call: Call) -> Typed:
    value = numeric(call.one(), "AVG")
    if value.type.name == "FLOAT":
        return Typed(call.render("avg", value.sql), dt.FLOAT)
    scale = value.type.scale or 0
    total = Typed(call.render("sum", value.sql), dt.number(38, scale))
    count = Typed(f"CAST({call.render('count', value.sql)} AS DECIMAL(18,0))", COUNT)
    return quotient(total, count, dt.number(38, max(scale, min(scale + 6, 12))), on_zero="NULL")


def _extreme(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        value = call.one()
        if value.type.semi_structured:
            raise unsupported(f"{call.name} of {value.type.name}")
        return Typed(call.render(function, value.sql), value.type)

    return rule


def _same(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        value = call.one()
        return Typed(call.render(function, value.sql), value.type)

    return rule


def _by(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        if len(call.nodes) != 2:
            raise unsupported(f"{call.name} with {len(call.nodes)} arguments")
        value, order = call.values()
        return Typed(call.render(function, value.sql, order.sql), value.type)

    return rule


def _float(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        return Typed(call.render(function, cast(numeric(call.one(), call.name), dt.FLOAT).sql), dt.FLOAT)

    return rule


def _boolean(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        return Typed(call.render(function, cast(call.one(), dt.BOOLEAN).sql), dt.BOOLEAN)

    return rule


def _median(call: Call) -> Typed:
    value = numeric(call.one(), "MEDIAN")
    if value.type.name == "FLOAT":
        return Typed(call.render("median", value.sql), dt.FLOAT)
    scale = min((value.type.scale or 0) + 3, 37)
    kind = dt.number(38, scale)
    return Typed(f"CAST({call.render('median', cast(value, kind).sql)} AS {kind.duckdb})", kind)


def _approx_percentile(call: Call) -> Typed:
    """APPROX_PERCENTILE; the exact value, which is one of those that Snowflake's may be."""
    if len(call.nodes) != 2:
        raise compilation(f"wrong number of arguments for function [APPROX_PERCENTILE]: {len(call.nodes)}", errno=938)
    value, share = call.values()
    sample = cast(numeric(value, "APPROX_PERCENTILE"), dt.FLOAT).sql
    return Typed(call.render("quantile_cont", sample, cast(share, dt.FLOAT).sql), dt.FLOAT)


def _percentile(call: Call) -> tuple[Typed, str]:
    """The value that WITHIN GROUP orders by, and the share, from the other end where that is descending."""
    if len(call.sorted_by) != 1:
        raise unsupported(f"{call.name} without WITHIN GROUP over one value")
    share = cast(call.one(), dt.FLOAT).sql
    return call.sorted_by[0], f"1 - {share}" if " DESC " in call.order else share


def _percentile_cont(call: Call) -> Typed:
    value, share = _percentile(call)
    number = numeric(value, "PERCENTILE_CONT")
    if number.type.name == "FLOAT":
        return Typed(f"quantile_cont({number.sql}, {share}){call.tail}", dt.FLOAT)
    kind = dt.number(38, min((number.type.scale or 0) + 3, 37))
    found = f"quantile_cont({cast(number, kind).sql}, {share}){call.tail}"
    return Typed(f"CAST({found} AS {kind.duckdb})", kind)


def _percentile_disc(call: Call) -> Typed:
    value, share = _percentile(call)
    if " DESC " in call.order:
        raise unsupported("PERCENTILE_DISC over a descending order")
    return Typed(f"quantile_disc({value.sql}, {share}){call.tail}", value.type)


def _approx_count_distinct(call: Call) -> Typed:
    """APPROX_COUNT_DISTINCT; the exact number."""
    return _count(replace(call, distinct=True))


def _ratio_to_report(call: Call) -> Typed:
    _needs_window(call)
    value = numeric(call.one(), "RATIO_TO_REPORT")
    if value.type.name == "FLOAT":
        return Typed(f"({value.sql} / nullif({call.render('sum', value.sql)}, 0))", dt.FLOAT)
    scale = value.type.scale or 0
    total = Typed(call.render("sum", value.sql), dt.number(38, scale))
    return quotient(value, total, dt.number(38, max(scale, min(scale + 6, 12))), on_zero="NULL")


def _listagg(call: Call) -> Typed:
    if not 1 <= len(call.nodes) <= 2:
        raise compilation(f"wrong number of arguments for function [LISTAGG]: {len(call.nodes)}", errno=938)
    value, *separator = call.values()
    between = separator[0].sql if separator else "''"
    return Typed(f"coalesce({call.render('string_agg', cast(value, dt.TEXT).sql, between)}, '')", dt.TEXT)


def _array_agg(call: Call) -> Typed:
    value = call.one()
    json = cast(value, dt.VARIANT).sql
    listed = (
        call.render("list", json) if call.tail else f"{call.render('list', json)} FILTER (WHERE {json} IS NOT NULL)"
    )
    if call.tail:
        listed = f"list_filter({listed}, lambda x: x IS NOT NULL)"
    return Typed(f"coalesce(to_json({listed}), CAST('[]' AS JSON))", dt.ARRAY, nullable=False)


def _object_agg(call: Call) -> Typed:
    if len(call.nodes) != 2 or call.tail or call.distinct:
        raise unsupported("OBJECT_AGG in this form")
    name, value = call.values()
    json = cast(value, dt.VARIANT).sql
    entry = f"CAST(to_json({cast(name, dt.TEXT).sql}) AS VARCHAR) || ':' || CAST({json} AS VARCHAR)"
    made = f"string_agg({entry}, ',') FILTER (WHERE {name.sql} IS NOT NULL AND {json} IS NOT NULL)"
    return Typed(f"CAST('{{' || coalesce({made}, '') || '}}' AS JSON)", dt.OBJECT, nullable=False)


def _rank(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        _needs_window(call)
        if call.nodes:
            raise compilation(f"too many arguments for function [{call.name}]", errno=939)
        return Typed(f"CAST({call.render(function)} AS DECIMAL(18,0))", COUNT, nullable=False)

    return rule


def _ratio(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        _needs_window(call)
        return Typed(call.render(function), dt.FLOAT, nullable=False)

    return rule


def _ntile(call: Call) -> Typed:
    _needs_window(call)
    return Typed(f"CAST({call.render('ntile', f'CAST({call.one().sql} AS BIGINT)')} AS DECIMAL(18,0))", COUNT)


def _neighbour(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        _needs_window(call)
        if not 1 <= len(call.nodes) <= 3:
            raise compilation(f"wrong number of arguments for function [{call.name}]: {len(call.nodes)}", errno=938)
        value, *rest = call.values()
        arguments = [value.sql]
        if rest:
            arguments.append(f"CAST({rest[0].sql} AS BIGINT)")
        if len(rest) == 2:
            arguments.append(cast(rest[1], value.type).sql)
        return Typed(call.render(function, *arguments), value.type)

    return rule


def _positional(function: str) -> Callable[[Call], Typed]:
    def rule(call: Call) -> Typed:
        _needs_window(call)
        value = call.one()
        return Typed(call.render(function, value.sql), value.type)

    return rule


def _nth(call: Call) -> Typed:
    _needs_window(call)
    if len(call.nodes) != 2:
        raise compilation(f"wrong number of arguments for function [NTH_VALUE]: {len(call.nodes)}", errno=938)
    value, position = call.values()
    return Typed(call.render("nth_value", value.sql, f"CAST({position.sql} AS BIGINT)"), value.type)


def _needs_window(call: Call) -> None:
    if "OVER" not in call.tail:
        raise compilation(f"Missing OVER clause for window function [{call.name}]", errno=1210)


AGGREGATES: dict[str, Callable[[Call], Typed]] = {
    "COUNT": _count, "COUNT_IF": _count_if, "SUM": _sum, "AVG": _avg, "MIN": _extreme("min"), "MAX": _extreme("max"),
    "ANY_VALUE": _same("any_value"), "MODE": _same("mode"), "MIN_BY": _by("min_by"), "MAX_BY": _by("max_by"),
    "STDDEV": _float("stddev_samp"), "STDDEV_SAMP": _float("stddev_samp"), "STDDEV_POP": _float("stddev_pop"),
    "VARIANCE": _float("var_samp"), "VAR_SAMP": _float("var_samp"), "VAR_POP": _float("var_pop"),
    "BOOLAND_AGG": _boolean("bool_and"), "BOOLOR_AGG": _boolean("bool_or"), "MEDIAN": _median,
    "APPROX_PERCENTILE": _approx_percentile, "PERCENTILE_CONT": _percentile_cont, "PERCENTILE_DISC": _percentile_disc,
    "APPROX_COUNT_DISTINCT": _approx_count_distinct, "HLL": _approx_count_distinct, "RATIO_TO_REPORT": _ratio_to_report,
    "LISTAGG": _listagg, "STRING_AGG": _listagg, "ARRAY_AGG": _array_agg, "OBJECT_AGG": _object_agg,
    "ROW_NUMBER": _rank("row_number"), "RANK": _rank("rank"), "DENSE_RANK": _rank("dense_rank"),
    "PERCENT_RANK": _ratio("percent_rank"), "CUME_DIST": _ratio("cume_dist"), "NTILE": _ntile,
    "LAG": _neighbour("lag"), "LEAD": _neighbour("lead"), "FIRST_VALUE": _positional("first_value"),
    "LAST_VALUE": _positional("last_value"), "NTH_VALUE": _nth,
}  # fmt: skip


def compile_aggregate(here: Expressions, name: str, nodes: list[Any], **pieces: Any) -> Typed:
    """An aggregate call; DISTINCT is taken from its arguments."""
    distinct = len(nodes) == 1 and isinstance(nodes[0], exp.Distinct)
    if distinct:
        only(nodes[0], "expressions")
        nodes = list(nodes[0].expressions)
    elif nodes and isinstance(nodes[0], exp.Distinct):
        nodes = [*nodes[0].expressions, *nodes[1:]]
        distinct = True
    return AGGREGATES[name](Call(here, name, nodes, distinct=distinct, **pieces))


def compile_window(here: Expressions, node: Any) -> Typed:
    """Unwrap OVER, FILTER, WITHIN GROUP and IGNORE NULLS around a call, and compile it with them."""
    pieces: dict[str, Any] = {"order": "", "tail": "", "nulls": ""}
    filters, over = "", ""
    while not isinstance(node, exp.Anonymous):
        if isinstance(node, exp.Window):
            over = _over(here, node)
        elif isinstance(node, exp.Filter):
            only(node, "this", "expression")
            filters = f" FILTER (WHERE {here.boolean(node.expression.this)})"
        elif isinstance(node, exp.WithinGroup):
            only(node, "this", "expression")
            pieces["order"] = f" {order_clause(here, node.expression)}"
            pieces["sorted_by"] = tuple(here.compile(one.this) for one in node.expression.expressions)
        elif isinstance(node, exp.IgnoreNulls):
            pieces["nulls"] = " IGNORE NULLS"
        elif not isinstance(node, exp.RespectNulls):
            raise unsupported(f"{type(node).__name__} around a window function")
        node = node.this
    name = str(node.this).upper()
    if name not in AGGREGATES:
        raise unsupported(f"window function {name}")
    pieces["tail"] = filters + over
    return compile_aggregate(here, name, node.expressions, **pieces)


def _over(here: Expressions, node: Any) -> str:
    only(node, "this", "partition_by", "order", "spec", "over")
    parts: list[str] = []
    if node.args.get("partition_by"):
        parts.append(
            "PARTITION BY "
            + ", ".join(sort_key(here.compile(one), "PARTITION BY") for one in node.args["partition_by"])
        )
    if node.args.get("order") is not None:
        parts.append(order_clause(here, node.args["order"]))
    if node.args.get("spec") is not None:
        parts.append(_frame(node.args["spec"]))
    return f" OVER ({' '.join(parts)})"


def _frame(spec: Any) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")

    def edge(which: str) -> str:
        value, side = spec.args.get(which), spec.args.get(f"{which}_side") or ""
        text = value if isinstance(value, str) else value.sql() if isinstance(value, exp.Literal) else None
        if text is None:
            raise unsupported("a computed window frame")
        return f"{text} {side}".strip()

    kind = str(spec.args.get("kind") or "ROWS").upper()
    return f"{kind} BETWEEN {edge('start')} AND {edge('end')}" if spec.args.get("end") else f"{kind} {edge('start')}"


def order_clause(here: Expressions, node: Any) -> str:
    """ORDER BY over expressions of one scope."""
    only(node, "expressions")
    return "ORDER BY " + ", ".join(
        f"{sort_key(here.compile(one.this), 'ORDER BY')} {direction(one)}" for one in node.expressions
    )


def direction(node: Any) -> str:
    """ASC or DESC with NULLs where Snowflake puts them: last ascending, first descending, unless written."""
    only(node, "this", "desc", "nulls_first")
    return f"{'DESC' if node.args.get('desc') else 'ASC'} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"


def sort_key(value: Typed, what: str) -> str:
    """The expression by which a value is ordered or partitioned."""
    if value.type.semi_structured:
        raise unsupported(f"{what} {value.type.name} without a cast")
    return f"struct_extract({value.sql}, 'utc')" if value.type.name == "TIMESTAMP_TZ" else value.sql


__all__ = ["AGGREGATES", "compile_aggregate", "compile_window", "direction", "order_clause", "sort_key"]
