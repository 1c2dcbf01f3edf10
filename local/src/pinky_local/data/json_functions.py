"""Functions on semi-structured values.

https://docs.snowflake.com/en/sql-reference/functions-semistructured
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast, scalar_text
from pinky_local.data.expressions import Expressions, element
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.registry import MANY, define, define_raw, text, whole
from pinky_local.data.scopes import Typed


def _parse_json(values: list[Typed]) -> Typed:
    if values[0].type.name not in ("VARCHAR", "NULL"):
        raise compilation(f"Invalid argument types for function 'PARSE_JSON': ({values[0].type.text})", errno=1044)
    return Typed(f"CAST(nullif(trim({values[0].sql}), '') AS JSON)", dt.VARIANT)


def _try_parse_json(values: list[Typed]) -> Typed:
    return Typed(f"TRY_CAST(nullif(trim({text(values[0])}), '') AS JSON)", dt.VARIANT)


def _json(value: Typed) -> str:
    """A value as JSON; SQL NULL stays NULL."""
    return value.sql if value.type.semi_structured else cast(value, dt.VARIANT).sql


def _to_json(values: list[Typed]) -> Typed:
    return Typed(f"CAST({_json(values[0])} AS VARCHAR)", dt.TEXT)


def _array_construct(values: list[Typed]) -> Typed:
    return Typed(f"json_array({', '.join(_json(value) for value in values)})", dt.ARRAY, nullable=False)


def _object_construct(*, keep_null: bool) -> Callable[[Expressions, list[Any]], Typed]:
    def rule(here: Expressions, nodes: list[Any]) -> Typed:
        if len(nodes) == 1 and isinstance(nodes[0], exp.Star):
            return _object([(_quoted(name), value) for name, value in here.scope.expanded()], keep_null=keep_null)
        if len(nodes) % 2:
            raise compilation(f"wrong number of arguments for function [OBJECT_CONSTRUCT]: {len(nodes)}", errno=938)
        values = here.all(nodes)
        pairs = [(text(values[i]), values[i + 1]) for i in range(0, len(values), 2)]
        return _object(pairs, keep_null=keep_null)

    return rule


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _object(pairs: list[tuple[str, Typed]], *, keep_null: bool = False) -> Typed:
    """An object; a key whose value is NULL is left out, or has the JSON null."""
    if not pairs:
        return Typed("CAST('{}' AS JSON)", dt.OBJECT, nullable=False)
    rows = ", ".join(f"struct_pack(k := {key}, v := {_json(value)})" for key, value in pairs)
    there = "x.k IS NOT NULL" if keep_null else "x.k IS NOT NULL AND x.v IS NOT NULL"
    kept = f"list_filter([{rows}], lambda x: {there})"
    shown = "coalesce(CAST(x.v AS VARCHAR), 'null')"
    entries = f"list_transform({kept}, lambda x: CAST(to_json(x.k) AS VARCHAR) || ':' || {shown})"
    return Typed(f"CAST('{{' || array_to_string({entries}, ',') || '}}' AS JSON)", dt.OBJECT, nullable=False)


def _array_size(values: list[Typed]) -> Typed:
    value = values[0]
    if not value.type.semi_structured:
        raise compilation(f"Invalid argument types for function 'ARRAY_SIZE': ({value.type.text})", errno=1044)
    size = f"CASE WHEN json_type({value.sql}) = 'ARRAY' THEN json_array_length({value.sql}) END"
    return Typed(f"CAST({size} AS DECIMAL(9,0))", dt.number(9, 0))


def _object_keys(values: list[Typed]) -> Typed:
    return Typed(f"to_json(list_sort(json_keys({values[0].sql})))", dt.ARRAY)


def _get(here: Expressions, nodes: list[Any]) -> Typed:
    step = nodes[1]
    if not isinstance(step, exp.Literal):
        raise unsupported("GET with a computed key")
    return element(here.compile(nodes[0]), [str(step.this) if step.is_string else int(step.this)])


def _get_path(here: Expressions, nodes: list[Any]) -> Typed:
    path = nodes[1]
    if not (isinstance(path, exp.Literal) and path.is_string):
        raise unsupported("GET_PATH with a computed path")
    return element(here.compile(nodes[0]), path_steps(str(path.this)))


def path_steps(path: str) -> list[str | int]:
    """The steps of a path text such as ``a.b[0]``. Raises for quoting and brackets with keys, which are not carried."""
    steps: list[str | int] = []
    for part in path.split("."):
        name, *indexes = part.replace("]", "").split("[")
        if name:
            steps.append(name)
        for index in indexes:
            if not index.isdigit():
                raise unsupported(f"path '{path}'")
            steps.append(int(index))
    return steps


_KINDS = {
    "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "OBJECT": "OBJECT", "ARRAY": "ARRAY", "NULL": "NULL_VALUE",
    "DOUBLE": "DECIMAL",
    "BIGINT": "INTEGER", "UBIGINT": "INTEGER", "HUGEINT": "INTEGER",
}  # fmt: skip


def _typeof(values: list[Typed]) -> Typed:
    if values[0].type.name != "VARIANT":
        raise compilation(f"Invalid argument types for function 'TYPEOF': ({values[0].type.text})", errno=1044)
    body = " ".join(f"WHEN '{found}' THEN '{shown}'" for found, shown in _KINDS.items())
    return Typed(f"(CASE json_type({values[0].sql}) {body} END)", dt.varchar(11))


def _is(*kinds: str) -> Any:
    def rule(values: list[Typed]) -> Typed:
        names = ", ".join(f"'{kind}'" for kind in kinds)
        return Typed(f"(json_type({values[0].sql}) IN ({names}))", dt.BOOLEAN)

    return rule


def _array_contains(values: list[Typed]) -> Typed:
    needle, array = values
    if not needle.type.semi_structured:
        raise compilation(f"Invalid argument types for function 'ARRAY_CONTAINS': ({needle.type.text})", errno=1044)
    return Typed(f"list_contains(from_json({array.sql}, '[\"JSON\"]'), {needle.sql})", dt.BOOLEAN)


def _array_to_string(values: list[Typed]) -> Typed:
    array, separator = values
    items = f"list_transform(from_json({array.sql}, '[\"JSON\"]'), lambda x: coalesce({scalar_text('x')}, ''))"
    return Typed(f"array_to_string({items}, {text(separator)})", dt.TEXT)


def _items(value: Typed, function: str) -> str:
    """The elements of an ARRAY as a DuckDB list of JSON."""
    if not value.type.semi_structured:
        raise compilation(f"Invalid argument types for function '{function}': ({value.type.text})", errno=1044)
    return f"from_json({value.sql}, '[\"JSON\"]')"


def _array_cat(values: list[Typed]) -> Typed:
    lists = [_items(value, "ARRAY_CAT") for value in values]
    nulls = " OR ".join(f"{value.sql} IS NULL" for value in values)
    return Typed(f"(CASE WHEN {nulls} THEN NULL ELSE to_json(list_concat({', '.join(lists)})) END)", dt.ARRAY)


def _array_append(values: list[Typed]) -> Typed:
    added = f"coalesce({_json(values[1])}, CAST('null' AS JSON))"
    joined = f"to_json(list_append({_items(values[0], 'ARRAY_APPEND')}, {added}))"
    return Typed(f"(CASE WHEN {values[0].sql} IS NULL THEN NULL ELSE {joined} END)", dt.ARRAY)


def _array_slice(values: list[Typed]) -> Typed:
    """Elements from a position (counted from 0) up to, not including, another; negative ones count from the end."""
    items = _items(values[0], "ARRAY_SLICE")
    start, end = (
        f"(CASE WHEN {whole(one)} < 0 THEN greatest(len({items}) + {whole(one)}, 0) ELSE {whole(one)} END)"
        for one in values[1:]
    )
    return Typed(f"to_json(list_slice({items}, {start} + 1, {end}))", dt.ARRAY)


def _array_distinct(values: list[Typed]) -> Typed:
    items = _items(values[0], "ARRAY_DISTINCT")
    first = f"list_filter({items}, lambda x, i: list_position({items}, x) = i)"
    return Typed(f"to_json({first})", dt.ARRAY)


def _array_compact(values: list[Typed]) -> Typed:
    kept = f"list_filter({_items(values[0], 'ARRAY_COMPACT')}, lambda x: json_type(x) <> 'NULL')"
    return Typed(f"to_json({kept})", dt.ARRAY)


def _split(values: list[Typed]) -> Typed:
    return Typed(f"to_json(string_split({text(values[0])}, {text(values[1])}))", dt.ARRAY)


def _as(kind: dt.SnowType, *json_kinds: str) -> Any:
    def rule(values: list[Typed]) -> Typed:
        names = ", ".join(f"'{one}'" for one in json_kinds)
        converted = cast(values[0], kind, safe=True).sql
        return Typed(f"(CASE WHEN json_type({values[0].sql}) IN ({names}) THEN {converted} END)", kind)

    return rule


def _define_all() -> None:
    define("PARSE_JSON", 1, 1, _parse_json)
    define("TRY_PARSE_JSON", 1, 1, _try_parse_json)
    define("TO_JSON", 1, 1, _to_json)
    define("ARRAY_CONSTRUCT", 0, MANY, _array_construct)
    define_raw("OBJECT_CONSTRUCT", 0, MANY, _object_construct(keep_null=False))
    define_raw("OBJECT_CONSTRUCT_KEEP_NULL", 0, MANY, _object_construct(keep_null=True))
    define("ARRAY_CAT", 2, 2, _array_cat)
    define("ARRAY_APPEND", 2, 2, _array_append)
    define("ARRAY_SLICE", 3, 3, _array_slice)
    define("ARRAY_DISTINCT", 1, 1, _array_distinct)
    define("ARRAY_COMPACT", 1, 1, _array_compact)
    define("ARRAY_SIZE", 1, 1, _array_size)
    define("OBJECT_KEYS", 1, 1, _object_keys)
    define_raw("GET", 2, 2, _get)
    define_raw("GET_PATH", 2, 2, _get_path)
    define("TYPEOF", 1, 1, _typeof)
    define("IS_ARRAY", 1, 1, _is("ARRAY"))
    define("IS_OBJECT", 1, 1, _is("OBJECT"))
    define("IS_NULL_VALUE", 1, 1, _is("NULL"))
    define("IS_BOOLEAN", 1, 1, _is("BOOLEAN"))
    define("IS_VARCHAR IS_CHAR", 1, 1, _is("VARCHAR"))
    define("IS_INTEGER", 1, 1, _is("BIGINT", "UBIGINT", "HUGEINT"))
    define("ARRAY_CONTAINS", 2, 2, _array_contains)
    define("ARRAY_TO_STRING", 2, 2, _array_to_string)
    define("SPLIT", 2, 2, _split)
    define("AS_VARCHAR AS_CHAR", 1, 1, _as(dt.TEXT, "VARCHAR"))
    define("AS_INTEGER", 1, 1, _as(dt.INTEGER, "BIGINT", "UBIGINT", "HUGEINT"))
    define("AS_BOOLEAN", 1, 1, _as(dt.BOOLEAN, "BOOLEAN"))


_define_all()
