"""Scalar functions on conditions, text and numbers. A function that no module defines is refused.

https://docs.snowflake.com/en/sql-reference/functions-all
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.arithmetic import divide, modulo, numeric
from pinky_local.data.casts import cast
from pinky_local.data.datatypes import SnowType
from pinky_local.data.expressions import Expressions, choose, comparable, concatenated, unified
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.registry import MANY, define, define_raw, text, whole
from pinky_local.data.scopes import Typed


def _text_length(value: Typed) -> SnowType:
    return value.type if value.type.name == "VARCHAR" else dt.TEXT


def _text_function(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return Typed(f"{function}({', '.join(text(value) for value in values)})", _text_length(values[0]))

    return rule


def _integer(function: str, kind: SnowType) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return Typed(f"CAST({function}({', '.join(text(value) for value in values)}) AS {kind.duckdb})", kind)

    return rule


def _test(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return Typed(f"{function}({', '.join(text(value) for value in values)})", dt.BOOLEAN)

    return rule


def _iff(values: list[Typed]) -> Typed:
    return choose([(cast(values[0], dt.BOOLEAN).sql, values[1])], values[2])


def _coalesce(values: list[Typed]) -> Typed:
    same = unified(values, "COALESCE")
    return Typed(f"coalesce({', '.join(v.sql for v in same)})", same[0].type, all(v.nullable for v in values))


def _nvl2(values: list[Typed]) -> Typed:
    return choose([(f"{values[0].sql} IS NOT NULL", values[1])], values[2])


def _nullif(values: list[Typed]) -> Typed:
    left, right = comparable(values, "NULLIF")
    return Typed(f"(CASE WHEN {left} = {right} THEN NULL ELSE {values[0].sql} END)", values[0].type)


def _decode(values: list[Typed]) -> Typed:
    subject, *rest = values
    branches: list[tuple[str, Typed]] = []
    while len(rest) >= 2:
        left, right = comparable([subject, rest[0]], "DECODE")
        branches.append((f"{left} IS NOT DISTINCT FROM {right}", rest[1]))
        rest = rest[2:]
    return choose(branches, rest[0] if rest else Typed("NULL", dt.NULL))


def _equal_null(values: list[Typed]) -> Typed:
    left, right = comparable(values, "EQUAL_NULL")
    return Typed(f"({left} IS NOT DISTINCT FROM {right})", dt.BOOLEAN, nullable=False)


def _extreme(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        same = unified(values, function.upper())
        nulls = " OR ".join(f"{value.sql} IS NULL" for value in same)
        kind = same[0].type
        if kind.semi_structured:
            raise unsupported(f"{function.upper()} of {kind.name}")
        call = f"{function}({', '.join(value.sql for value in same)})"
        return Typed(f"(CASE WHEN {nulls} THEN NULL ELSE {call} END)", kind)

    return rule


def _concat(values: list[Typed]) -> Typed:
    return concatenated(values)


def _concat_ws(values: list[Typed]) -> Typed:
    separator, first, *rest = values
    parts = [first]
    for value in rest:
        parts += [separator, value]
    return concatenated(parts)


def _substring(values: list[Typed]) -> Typed:
    start = whole(values[1])
    start = f"CASE WHEN {start} = 0 THEN 1 ELSE {start} END"
    length = f", greatest({whole(values[2])}, 0)" if len(values) == 3 else ""
    return Typed(f"substring({text(values[0])}, {start}{length})", _text_length(values[0]))


def _side(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return Typed(f"{function}({text(values[0])}, greatest({whole(values[1])}, 0))", _text_length(values[0]))

    return rule


def _pad(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        filler = text(values[2]) if len(values) == 3 else "' '"
        size = f"CAST(greatest({whole(values[1])}, 0) AS INTEGER)"
        return Typed(f"{function}({text(values[0])}, {size}, {filler})", dt.TEXT)

    return rule


def _repeat(values: list[Typed]) -> Typed:
    return Typed(f"repeat({text(values[0])}, {whole(values[1])})", dt.TEXT)


def _replace(values: list[Typed]) -> Typed:
    into = text(values[2]) if len(values) == 3 else "''"
    return Typed(f"replace({text(values[0])}, {text(values[1])}, {into})", dt.TEXT)


def _trim(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        characters = text(values[1]) if len(values) == 2 else "' '"
        return Typed(f"{function}({text(values[0])}, {characters})", _text_length(values[0]))

    return rule


def _position(values: list[Typed]) -> Typed:
    needle, haystack = text(values[0]), text(values[1])
    kind = dt.number(18, 0)
    if len(values) == 2:
        return Typed(f"CAST(strpos({haystack}, {needle}) AS DECIMAL(18,0))", kind)
    start = whole(values[2])
    found = f"strpos(substring({haystack}, {start}), {needle})"
    return Typed(f"CAST(CASE WHEN {found} = 0 THEN 0 ELSE {found} + {start} - 1 END AS DECIMAL(18,0))", kind)


def _split_part(values: list[Typed]) -> Typed:
    index = whole(values[2])
    index = f"CASE WHEN {index} = 0 THEN 1 ELSE {index} END"
    return Typed(f"split_part({text(values[0])}, {text(values[1])}, {index})", dt.TEXT)


def _length(values: list[Typed]) -> Typed:
    value = values[0]
    inner = f"octet_length({value.sql})" if value.type.name == "BINARY" else f"length({text(value)})"
    return Typed(f"CAST({inner} AS DECIMAL(18,0))", dt.number(18, 0))


def _sha2(values: list[Typed]) -> Typed:
    if len(values) == 2 and values[1].sql != "CAST(256 AS DECIMAL(3,0))":
        raise unsupported("SHA2 with a size other than 256")
    return Typed(f"sha256({text(values[0])})", dt.varchar(128))


def _hex_encode(values: list[Typed]) -> Typed:
    value = values[0]
    return Typed(f"hex({value.sql if value.type.name == 'BINARY' else f'encode({text(value)})'})", dt.TEXT)


def _base64_encode(values: list[Typed]) -> Typed:
    value = values[0]
    return Typed(f"to_base64({value.sql if value.type.name == 'BINARY' else f'encode({text(value)})'})", dt.TEXT)


def _constant_text(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return Typed(f"{function}({', '.join(text(value) for value in values)})", dt.varchar(32))

    return rule


def _round(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        value = numeric(values[0], function.upper())
        digits = _digits(values[1]) if len(values) == 2 else 0
        if value.type.name == "FLOAT":
            power = f"CAST('1e{digits}' AS DOUBLE)"
            return Typed(f"({function}({value.sql} * {power}) / {power})", dt.FLOAT)
        precision, scale = value.type.precision or 38, value.type.scale or 0
        if digits >= scale:
            return value
        if digits < 0:
            raise unsupported(f"{function.upper()} to a negative number of digits")
        kind = dt.number(min(38, precision + 1), digits)
        if function == "round":
            return Typed(f"CAST({value.sql} AS {kind.duckdb})", kind)
        unit = 10**digits
        return Typed(
            f"CAST(CAST({function}({value.sql} * {unit}) AS DECIMAL(38,0)) * {_decimal(digits)} AS {kind.duckdb})", kind
        )

    return rule


def _decimal(digits: int) -> str:
    return "1" if digits == 0 else f"CAST(0.{'0' * (digits - 1)}1 AS DECIMAL({digits + 1},{digits}))"


def _digits(value: Typed) -> int:
    shown = value.sql.removeprefix("CAST(").split(" AS ")[0]
    if not shown.lstrip("-").isdigit():
        raise unsupported("a computed number of digits")
    return int(shown)


def _abs(values: list[Typed]) -> Typed:
    value = numeric(values[0], "ABS")
    return Typed(f"abs({value.sql})", value.type)


def _sign(values: list[Typed]) -> Typed:
    return Typed(f"CAST(sign({numeric(values[0], 'SIGN').sql}) AS DECIMAL(1,0))", dt.number(1, 0))


def _float(function: str) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        arguments = ", ".join(cast(numeric(value, function.upper()), dt.FLOAT).sql for value in values)
        return Typed(f"{function}({arguments})", dt.FLOAT)

    return rule


def _square(values: list[Typed]) -> Typed:
    return _float("power")([values[0], Typed("2", dt.number(1, 0))])


def _guarded_division(*, null_too: bool) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        left, right = numeric(values[0], "division"), numeric(values[1], "division")
        safe = Typed(f"(CASE WHEN {right.sql} = 0 THEN NULL ELSE {right.sql} END)", right.type)
        ratio = divide(left, safe)
        zero = f"{right.sql} = 0" + (f" OR {right.sql} IS NULL" if null_too else "")
        return Typed(
            f"(CASE WHEN {zero} THEN {cast(Typed('0', dt.number(1, 0)), ratio.type).sql} ELSE {ratio.sql} END)",
            ratio.type,
        )

    return rule


def _null_to_zero(values: list[Typed]) -> Typed:
    value = numeric(values[0], "ZEROIFNULL")
    return Typed(f"coalesce({value.sql}, 0)", value.type, nullable=False)


def _zero_to_null(values: list[Typed]) -> Typed:
    value = numeric(values[0], "NULLIFZERO")
    return Typed(f"(CASE WHEN {value.sql} = 0 THEN NULL ELSE {value.sql} END)", value.type)


def _regexp_replace(values: list[Typed]) -> Typed:
    into = text(values[2]) if len(values) == 3 else "''"
    return Typed(f"regexp_replace({text(values[0])}, {text(values[1])}, {into}, 'g')", dt.TEXT)


def _regexp_options(here: Expressions, node: Any) -> tuple[str, bool]:
    """Parameters of a regular expression: those DuckDB takes, and whether a group is asked for."""
    given = str(here.translation.constant_argument(here, node))
    wrong = set(given) - set("cimse")
    if wrong:
        raise compilation(f"Invalid regular expression parameter '{sorted(wrong)[0]}'", errno=1210)
    return given.replace("e", ""), "e" in given


def _regexp_substr(here: Expressions, nodes: list[Any]) -> Typed:
    """REGEXP_SUBSTR(subject, pattern, position, occurrence, parameters, group); NULL where nothing is found."""
    values = here.all(nodes[:4])
    subject, pattern = text(values[0]), text(values[1])
    options, grouped = _regexp_options(here, nodes[4]) if len(nodes) > 4 else ("", False)
    group = int(here.translation.constant_argument(here, nodes[5])) if len(nodes) > 5 else int(grouped)
    if len(values) > 2:
        subject = f"substr({subject}, {whole(values[2])})"
    number = whole(values[3]) if len(values) > 3 else "1"
    return Typed(f"(regexp_extract_all({subject}, {pattern}, {group}, '{options}')[{number}])", dt.TEXT)


def _regexp_like(here: Expressions, nodes: list[Any]) -> Typed:
    values = here.all(nodes[:2])
    options = f", '{_regexp_options(here, nodes[2])[0]}'" if len(nodes) > 2 else ""
    return Typed(f"regexp_full_match({text(values[0])}, {text(values[1])}{options})", dt.BOOLEAN)


def _regexp_count(values: list[Typed]) -> Typed:
    return Typed(
        f"CAST(length(regexp_extract_all({text(values[0])}, {text(values[1])})) AS DECIMAL(18,0))", dt.number(18, 0)
    )


def _to_number(*, safe: bool) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        sizes = [_digits(value) for value in values[1:]]
        kind = dt.number(sizes[0] if sizes else 38, sizes[1] if len(sizes) == 2 else 0)
        return cast(values[0], kind, safe=safe)

    return rule


def _to(kind: SnowType, *, safe: bool = False) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        return cast(values[0], kind, safe=safe)

    return rule


def _to_binary(values: list[Typed]) -> Typed:
    if len(values) == 1:
        return cast(values[0], dt.BINARY)
    function = {"'HEX'": "unhex", "'UTF-8'": "encode", "'BASE64'": "from_base64"}.get(values[1].sql.upper())
    if function is None:
        raise unsupported(f"binary format {values[1].sql}")
    return Typed(f"{function}({text(values[0])})", dt.BINARY)


def _random(here: Expressions, nodes: list[Any]) -> Typed:
    if nodes:
        raise unsupported("RANDOM with a seed")
    here.translation.volatile = True
    return Typed("CAST(floor((random() * 2 - 1) * 9223372036854774784.0) AS DECIMAL(19,0))", dt.number(19, 0))


def _uniform(here: Expressions, nodes: list[Any]) -> Typed:
    if not (
        isinstance(nodes[2], exp.Anonymous) and str(nodes[2].this).upper() == "RANDOM" and not nodes[2].expressions
    ):
        raise unsupported("UNIFORM with a generator other than RANDOM()")
    here.translation.volatile = True
    low, high = here.compile(nodes[0]), here.compile(nodes[1])
    if "FLOAT" in (low.type.name, high.type.name):
        return Typed(f"({low.sql} + random() * ({high.sql} - {low.sql}))", dt.FLOAT)
    if (low.type.scale, high.type.scale) != (0, 0):
        raise unsupported("UNIFORM of decimals")
    low_text, high_text = whole(low), whole(high)
    return Typed(f"CAST(floor({low_text} + random() * ({high_text} - {low_text} + 1)) AS DECIMAL(38,0))", dt.INTEGER)


def _uuid(here: Expressions, nodes: list[Any]) -> Typed:
    here.translation.volatile = True
    return Typed("CAST(gen_random_uuid() AS VARCHAR)", dt.varchar(36), nullable=False)


def _sequence_number(here: Expressions, nodes: list[Any]) -> Typed:
    found = [source.row_number for source in here.scope.sources if source.row_number]
    if nodes or len(found) != 1:
        raise unsupported("SEQ outside a query over one GENERATOR")
    return Typed(f"CAST({found[0]} AS DECIMAL(19,0))", dt.number(19, 0), nullable=False)


def _define_all() -> None:
    define("IFF", 3, 3, _iff)
    define("NVL IFNULL", 2, 2, _coalesce)
    define("COALESCE", 2, MANY, _coalesce)
    define("NVL2", 3, 3, _nvl2)
    define("NULLIF", 2, 2, _nullif)
    define("DECODE", 3, MANY, _decode)
    define("EQUAL_NULL", 2, 2, _equal_null)
    define("GREATEST", 1, MANY, _extreme("greatest"))
    define("LEAST", 1, MANY, _extreme("least"))
    define("ZEROIFNULL", 1, 1, _null_to_zero)
    define("NULLIFZERO", 1, 1, _zero_to_null)
    define("CONCAT", 1, MANY, _concat)
    define("CONCAT_WS", 2, MANY, _concat_ws)
    for name in ("upper", "lower", "reverse"):
        define(name.upper(), 1, 1, _text_function(name))
    define("SUBSTR SUBSTRING", 2, 3, _substring)
    define("LEFT", 2, 2, _side("left"))
    define("RIGHT", 2, 2, _side("right"))
    define("LPAD", 2, 3, _pad("lpad"))
    define("RPAD", 2, 3, _pad("rpad"))
    define("REPEAT", 2, 2, _repeat)
    define("REPLACE", 2, 3, _replace)
    define("TRANSLATE", 3, 3, _text_function("translate"))
    define("TRIM", 1, 2, _trim("trim"))
    define("LTRIM", 1, 2, _trim("ltrim"))
    define("RTRIM", 1, 2, _trim("rtrim"))
    define("CHARINDEX POSITION", 2, 3, _position)
    define("SPLIT_PART", 3, 3, _split_part)
    define("LENGTH LEN", 1, 1, _length)
    define("ASCII", 1, 1, _integer("ascii", dt.number(3, 0)))
    define("CHR CHAR", 1, 1, lambda v: Typed(f"chr(CAST({v[0].sql} AS INTEGER))", dt.varchar(1)))
    define("STARTSWITH", 2, 2, _test("starts_with"))
    define("ENDSWITH", 2, 2, _test("ends_with"))
    define("CONTAINS", 2, 2, _test("contains"))
    define_raw("REGEXP_LIKE RLIKE", 2, 3, _regexp_like)
    define("REGEXP_REPLACE", 2, 3, _regexp_replace)
    define_raw("REGEXP_SUBSTR", 2, 6, _regexp_substr)
    define("REGEXP_COUNT", 2, 2, _regexp_count)
    define("MD5 MD5_HEX", 1, 1, _constant_text("md5"))
    define("SHA1 SHA1_HEX", 1, 1, _constant_text("sha1"))
    define("SHA2 SHA2_HEX", 1, 2, _sha2)
    define("HEX_ENCODE", 1, 1, _hex_encode)
    define("BASE64_ENCODE", 1, 1, _base64_encode)
    define("ABS", 1, 1, _abs)
    define("SIGN", 1, 1, _sign)
    define("ROUND", 1, 2, _round("round"))
    define("CEIL CEILING", 1, 2, _round("ceil"))
    define("FLOOR", 1, 2, _round("floor"))
    define("TRUNC TRUNCATE", 1, 2, _round("trunc"))
    define("MOD", 2, 2, lambda v: modulo(v[0], v[1]))
    define("DIV0", 2, 2, _guarded_division(null_too=False))
    define("DIV0NULL", 2, 2, _guarded_division(null_too=True))
    for name in ("sqrt", "exp", "ln", "sin", "cos", "tan", "asin", "acos", "atan", "radians", "degrees", "cbrt"):
        define(name.upper(), 1, 1, _float(name))
    define("POWER POW", 2, 2, _float("power"))
    define("ATAN2", 2, 2, _float("atan2"))
    define("LOG", 2, 2, lambda v: _float("log")(v))
    define("SQUARE", 1, 1, _square)
    define("PI", 0, 0, lambda v: Typed("pi()", dt.FLOAT, nullable=False))
    define("TO_NUMBER TO_DECIMAL TO_NUMERIC", 1, 3, _to_number(safe=False))
    define("TRY_TO_NUMBER TRY_TO_DECIMAL TRY_TO_NUMERIC", 1, 3, _to_number(safe=True))
    define("TO_DOUBLE", 1, 1, _to(dt.FLOAT))
    define("TRY_TO_DOUBLE", 1, 1, _to(dt.FLOAT, safe=True))
    define("TO_BOOLEAN", 1, 1, _to(dt.BOOLEAN))
    define("TRY_TO_BOOLEAN", 1, 1, _to(dt.BOOLEAN, safe=True))
    define("TO_VARIANT", 1, 1, _to(dt.VARIANT))
    define("TO_ARRAY", 1, 1, _to(dt.ARRAY))
    define("TO_OBJECT", 1, 1, _to(dt.OBJECT))
    define("TO_BINARY", 1, 2, _to_binary)
    define_raw("RANDOM", 0, 1, _random)
    define_raw("UNIFORM", 3, 3, _uniform)
    define_raw("UUID_STRING", 0, 0, _uuid)
    define_raw("SEQ1 SEQ2 SEQ4 SEQ8", 0, 1, _sequence_number)


_define_all()
