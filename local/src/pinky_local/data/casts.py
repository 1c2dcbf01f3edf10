"""Bringing a value to another type: casts as Snowflake defines them.

https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from collections.abc import Callable

from pinky_local.data.datatypes import NTZ, TEXT, TIMESTAMPS, TZ, SnowType
from pinky_local.data.refusals import raising, unsupported
from pinky_local.data.scopes import Typed


def literal(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def cast(value: Typed, to: SnowType, *, safe: bool = False) -> Typed:
    """An explicit cast; ``safe`` answers NULL where the value does not convert (TRY_CAST)."""
    if value.type == to:
        return value
    if value.type.name == "NULL":
        return Typed(f"CAST({value.sql} AS {to.duckdb})", to)
    rule = _RULES.get((_family(value.type), _family(to)))
    if rule is None:
        raise unsupported(f"cast from {value.type.name} to {to.name}")
    return Typed(rule(value, to, "TRY_CAST" if safe else "CAST"), to, value.nullable or safe)


def assign(value: Typed, to: SnowType) -> Typed:
    """The value as a column of this type stores it: a text too long is an error, not cut."""
    limit = to.length or 0
    if to.name == "VARCHAR" and limit < _text_length(value.type):
        text = cast(value, TEXT).sql
        message = f"'String ''' || {text} || ''' is too long and would be truncated'"
        sql = f"CASE WHEN length({text}) > {limit} THEN {raising(100078, '22000', message, 'VARCHAR')} ELSE {text} END"
        return Typed(sql, to, value.nullable)
    if (to.name == "NUMBER" and value.type.name in ("NUMBER", "FLOAT")) or value.type.name != to.name:
        return cast(value, to)
    return Typed(value.sql, to, value.nullable)


def _text_length(kind: SnowType) -> int:
    if kind.name == "VARCHAR":
        return kind.length or TEXT.length or 0
    return {"NULL": 0, "BOOLEAN": 5, "DATE": 10}.get(kind.name, TEXT.length or 0)


def _family(kind: SnowType) -> str:
    return kind.name


def _plain(value: Typed, to: SnowType, word: str) -> str:
    return f"{word}({value.sql} AS {to.duckdb})"


def _text(value: Typed, to: SnowType, word: str) -> str:
    del word
    if (to.length or 0) < _text_length(value.type):
        return f"left({value.sql}, {to.length})"
    return value.sql


def _limited(render: Callable[[str], str]) -> Callable[[Typed, SnowType, str], str]:
    def rule(value: Typed, to: SnowType, word: str) -> str:
        del word
        text = render(value.sql)
        return text if (to.length or 0) >= (TEXT.length or 0) else f"left({text}, {to.length})"

    return rule


def _from_text(value: Typed, to: SnowType, word: str) -> str:
    return f"{word}(trim({value.sql}) AS {to.duckdb})"


def _instant(text: str, word: str) -> str:
    joined = rf"regexp_replace(trim({text}), '\s+([+-]\d)', '\1')"
    return f"{word}({joined} AS TIMESTAMPTZ)"


def _text_to_ltz(value: Typed, to: SnowType, word: str) -> str:
    del to
    return _instant(value.sql, word)


def _text_to_ntz(value: Typed, to: SnowType, word: str) -> str:
    wall = rf"regexp_replace(trim({value.sql}), '(:\d\d(\.\d+)?)\s*(Z|[+-]\d\d:?\d\d)$', '\1')"
    return f"{word}({wall} AS {to.duckdb})"


def local_offset(instant: str) -> str:
    """Minutes by which the session's zone is ahead of UTC at an instant (an SQL expression)."""
    wall = f"CAST({instant} AS TIMESTAMP)"
    return f"CAST(date_diff('minute', timezone('UTC', {instant}), {wall}) AS SMALLINT)"


def _with_offset(instant: str, minutes: str) -> str:
    packed = f"struct_pack(utc := {instant}, minutes := CAST({minutes} AS SMALLINT))"
    return f"CASE WHEN {instant} IS NULL THEN NULL ELSE {packed} END"


def _text_to_tz(value: Typed, to: SnowType, word: str) -> str:
    del to
    instant = _instant(value.sql, word)
    offset = rf"regexp_extract(trim({value.sql}), ':\d\d.*?([+-]\d\d):?(\d\d)?$', "
    hours, minutes = offset + "1)", offset + "2)"
    sign = f"CASE WHEN {hours} LIKE '-%' THEN -1 ELSE 1 END"
    past_hour = f"CASE WHEN {minutes} = '' THEN '0' ELSE {minutes} END"
    written = f"CAST({hours} AS INTEGER) * 60 + {sign} * CAST({past_hour} AS INTEGER)"
    zulu = f"WHEN trim({value.sql}) LIKE '%Z' THEN 0"
    return _with_offset(instant, f"CASE {zulu} WHEN {hours} <> '' THEN {written} ELSE {local_offset(instant)} END")


def wall_clock(value: Typed) -> Typed:
    """A timestamp of any kind as TIMESTAMP_NTZ: what its clock shows."""
    if value.type.name == "TIMESTAMP_TZ":
        utc, minutes = f"struct_extract({value.sql}, 'utc')", f"struct_extract({value.sql}, 'minutes')"
        return Typed(f"(timezone('UTC', {utc}) + to_minutes({minutes}))", NTZ, value.nullable)
    return Typed(f"CAST({value.sql} AS TIMESTAMP)", NTZ, value.nullable)


def _from_tz(value: Typed, to: SnowType, word: str) -> str:
    if to.name == "TIMESTAMP_LTZ":
        return f"struct_extract({value.sql}, 'utc')"
    clock = wall_clock(value).sql
    return clock if to.name == "TIMESTAMP_NTZ" else f"{word}({clock} AS {to.duckdb})"


def _to_tz(value: Typed, to: SnowType, word: str) -> str:
    del to
    instant = f"{word}({value.sql} AS TIMESTAMPTZ)"
    return _with_offset(instant, local_offset(instant))


def _timestamp_text(sql: str) -> str:
    return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g')"


def _zoned_text(value: Typed, to: SnowType, word: str) -> str:
    del to, word
    zoned = value if value.type.name == "TIMESTAMP_TZ" else cast(value, TZ)
    minutes = f"struct_extract({zoned.sql}, 'minutes')"
    digits = f"printf('%02d%02d', abs({minutes}) // 60, abs({minutes}) % 60)"
    return f"{_timestamp_text(wall_clock(zoned).sql)} || CASE WHEN {minutes} < 0 THEN ' -' ELSE ' +' END || {digits}"


def scalar_text(value: str) -> str:
    """The text inside a JSON value: NULL for JSON null, without quotes for a string."""
    return f"json_extract_string({value}, '$')"


def _from_variant(value: Typed, to: SnowType, word: str) -> str:
    text = Typed(scalar_text(value.sql), TEXT)
    if to.name in TIMESTAMPS or to.name in ("NUMBER", "FLOAT", "BOOLEAN", "DATE", "TIME", "VARCHAR"):
        return cast(text, to, safe=word == "TRY_CAST").sql
    raise unsupported(f"cast from {value.type.name} to {to.name}")


def _to_variant(value: Typed, to: SnowType, word: str) -> str:
    del to, word
    if value.type.name in TIMESTAMPS or value.type.name == "BINARY":
        return f"to_json({cast(value, TEXT).sql})"
    if value.type.name == "NUMBER":  # to_json would write 1 as 1.0
        return f"CAST(CAST({value.sql} AS VARCHAR) AS JSON)"
    return f"to_json({value.sql})"


def _to_array(value: Typed, to: SnowType, word: str) -> str:
    del to, word
    kind = f"json_type({value.sql})"
    return f"CASE WHEN {kind} IS NULL OR {kind} = 'ARRAY' THEN {value.sql} ELSE json_array({value.sql}) END"


def _to_object(value: Typed, to: SnowType, word: str) -> str:
    del to, word
    wrong = raising(
        100071, "22000", f"'Failed to cast variant value ' || CAST({value.sql} AS VARCHAR) || ' to OBJECT'", "JSON"
    )
    kind = f"json_type({value.sql})"
    return f"CASE WHEN {kind} IS NULL OR {kind} = 'OBJECT' THEN {value.sql} ELSE {wrong} END"


def _same(value: Typed, to: SnowType, word: str) -> str:
    del to, word
    return value.sql


def _from_number_to_time(value: Typed, to: SnowType, word: str) -> str:
    ntz = f"make_timestamp(CAST({value.sql} * 1000000 AS BIGINT))"
    return ntz if to.name == "TIMESTAMP_NTZ" else f"{word}(timezone('UTC', {ntz}) AS {to.duckdb})"


_Rule = Callable[[Typed, SnowType, str], str]


def _rules() -> dict[tuple[str, str], _Rule]:
    rules: dict[tuple[str, str], _Rule] = {}
    scalars = ("NUMBER", "FLOAT", "VARCHAR", "BOOLEAN", "DATE", "TIME", *sorted(TIMESTAMPS), "BINARY")
    for name in ("NUMBER", "FLOAT", "BOOLEAN"):
        for other in ("NUMBER", "FLOAT", "BOOLEAN"):
            rules[name, other] = _plain
        rules["VARCHAR", name] = _from_text
    for name in scalars:
        rules[name, "VARIANT"] = _to_variant
        rules["VARIANT", name] = _from_variant
        rules.setdefault(
            (name, "ARRAY"), lambda value, to, word: _to_array(Typed(_to_variant(value, to, word), to), to, word)
        )
    for name in ("DATE", "TIME"):
        rules["VARCHAR", name] = _from_text
    rules["VARCHAR", "TIMESTAMP_NTZ"] = _text_to_ntz
    rules["VARCHAR", "TIMESTAMP_LTZ"] = _text_to_ltz
    rules["VARCHAR", "TIMESTAMP_TZ"] = _text_to_tz
    for name in ("DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ"):
        for other in ("DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ"):
            if (name, other) != ("DATE", "TIME"):
                rules[name, other] = _plain
        rules[name, "TIMESTAMP_TZ"] = _to_tz
        rules["TIMESTAMP_TZ", name] = _from_tz
    rules["TIMESTAMP_TZ", "TIME"] = _from_tz
    for name in sorted(TIMESTAMPS | {"DATE", "TIME", "BINARY"}):
        rules[name, name] = _same
    rules["NUMBER", "TIMESTAMP_NTZ"] = rules["NUMBER", "TIMESTAMP_LTZ"] = _from_number_to_time
    rules |= _text_rules()
    for name in ("VARIANT", "OBJECT", "ARRAY"):
        rules[name, "VARIANT"] = rules[name, name] = _same
        rules[name, "VARCHAR"] = _limited(scalar_text)
    rules["VARIANT", "ARRAY"] = rules["OBJECT", "ARRAY"] = _to_array
    rules["VARIANT", "OBJECT"] = _to_object
    return rules


def _text_rules() -> dict[tuple[str, str], _Rule]:
    return {
        ("VARCHAR", "VARCHAR"): _text,
        ("NUMBER", "VARCHAR"): _limited(lambda sql: f"CAST({sql} AS VARCHAR)"),
        ("FLOAT", "VARCHAR"): _limited(lambda sql: rf"regexp_replace(CAST({sql} AS VARCHAR), '\.0$', '')"),
        ("BOOLEAN", "VARCHAR"): _limited(lambda sql: f"CAST({sql} AS VARCHAR)"),
        ("DATE", "VARCHAR"): _limited(lambda sql: f"strftime({sql}, '%Y-%m-%d')"),
        ("TIME", "VARCHAR"): _limited(lambda sql: f"left(CAST({sql} AS VARCHAR), 8)"),
        ("TIMESTAMP_NTZ", "VARCHAR"): _limited(_timestamp_text),
        ("TIMESTAMP_LTZ", "VARCHAR"): _zoned_text,
        ("TIMESTAMP_TZ", "VARCHAR"): _zoned_text,
        ("BINARY", "VARCHAR"): _limited(lambda sql: f"hex({sql})"),
        ("VARCHAR", "BINARY"): lambda value, to, word: f"unhex({value.sql})",
    }


_RULES = _rules()
