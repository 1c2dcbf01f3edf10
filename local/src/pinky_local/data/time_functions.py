"""Functions on dates and times.

https://docs.snowflake.com/en/sql-reference/functions-date-time
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import cast, wall_clock
from pinky_local.data.constants import constant
from pinky_local.data.datatypes import TIMESTAMPS, SnowType
from pinky_local.data.expressions import Expressions
from pinky_local.data.refusals import unsupported
from pinky_local.data.registry import define, define_raw, whole
from pinky_local.data.scopes import Typed

_UNITS = {
    "YEAR": "YEAR Y YY YYY YYYY YR YEARS YRS", "QUARTER": "QUARTER Q QTR QTRS QUARTERS",
    "MONTH": "MONTH MM MON MONS MONTHS",
    "WEEK": "WEEK W WK WEEKOFYEAR WOY WY", "DAY": "DAY D DD DAYS DAYOFMONTH", "HOUR": "HOUR H HH HR HOURS HRS",
    "MINUTE": "MINUTE M MI MIN MINUTES MINS", "SECOND": "SECOND S SEC SECONDS SECS",
    "MILLISECOND": "MILLISECOND MS MSEC MILLISECONDS", "MICROSECOND": "MICROSECOND US USEC MICROSECONDS",
    "DAYOFWEEK": "DAYOFWEEK WEEKDAY DOW DW", "DAYOFYEAR": "DAYOFYEAR YEARDAY DOY DY",
    "EPOCH_SECOND": "EPOCH_SECOND EPOCH",
    "DAYOFWEEKISO": "DAYOFWEEKISO WEEKDAY_ISO DOW_ISO DW_ISO",
    "WEEKISO": "WEEKISO WEEK_ISO WEEKOFYEARISO WEEKOFYEAR_ISO",
    "EPOCH_MILLISECOND": "EPOCH_MILLISECOND EPOCH_MILLISECONDS",
}  # fmt: skip
_UNIT_OF = {alias: unit for unit, aliases in _UNITS.items() for alias in aliases.split()}
_TIME_UNITS = frozenset({"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"})
_SPANS = {
    "YEAR": "to_years", "MONTH": "to_months", "DAY": "to_days", "HOUR": "to_hours", "MINUTE": "to_minutes",
    "SECOND": "to_seconds", "MILLISECOND": "to_milliseconds", "MICROSECOND": "to_microseconds",
}  # fmt: skip


def unit(node: Any) -> str:
    """The date or time part an argument names, as a word or a string."""
    name = str(node.this) if isinstance(node, exp.Literal | exp.Var) else getattr(node, "name", "")
    known = _UNIT_OF.get(str(name).upper())
    if known is None:
        raise unsupported(f"date or time part {name or node}")
    return known


def _moment(value: Typed) -> Typed:
    """A date or time; text is read as TIMESTAMP_NTZ."""
    if value.type.name in ("VARCHAR", "VARIANT", "NULL"):
        return cast(value, dt.NTZ)
    if value.type.name in TIMESTAMPS or value.type.name in ("DATE", "TIME"):
        return value
    raise unsupported(f"a date or time function of {value.type.name}")


def _span(part: str, amount: Typed) -> str:
    count = f"CAST(round({amount.sql}) AS BIGINT)"
    if part == "WEEK":
        return f"to_days(CAST({count} * 7 AS INTEGER))"
    if part == "QUARTER":
        return f"to_months(CAST({count} * 3 AS INTEGER))"
    if part not in _SPANS:
        raise unsupported(f"DATEADD by {part}")
    whole_count = count if part in _TIME_UNITS else f"CAST({count} AS INTEGER)"
    if part in ("MILLISECOND",):
        whole_count = f"CAST({count} AS DOUBLE)"
    if part == "SECOND":
        whole_count = f"CAST({count} AS DOUBLE)"
    return f"{_SPANS[part]}({whole_count})"


def _dateadd(here: Expressions, nodes: list[Any]) -> Typed:
    part, amount, value = unit(nodes[0]), here.compile(nodes[1]), _moment(here.compile(nodes[2]))
    span = _span(part, amount)
    kind = value.type
    if kind.name == "DATE" and part in _TIME_UNITS:
        kind = dt.NTZ
    if kind.name == "TIME" and part not in _TIME_UNITS:
        raise unsupported(f"DATEADD of {part} to TIME")
    if kind.name == "TIMESTAMP_TZ":
        moved = f"struct_extract({value.sql}, 'utc') + {span}"
        minutes = f"struct_extract({value.sql}, 'minutes')"
        sql = f"(CASE WHEN {value.sql} IS NULL THEN NULL ELSE struct_pack(utc := {moved}, minutes := {minutes}) END)"
        return Typed(sql, kind)
    return Typed(f"CAST({value.sql} + {span} AS {kind.duckdb})", kind)


def _clock(value: Typed) -> str:
    moment = _moment(value)
    if moment.type.name == "TIME":
        return f"(DATE '1970-01-01' + {moment.sql})"
    return wall_clock(moment).sql


def _datediff(here: Expressions, nodes: list[Any]) -> Typed:
    part = unit(nodes[0])
    if part not in (*_SPANS, "WEEK", "QUARTER"):
        raise unsupported(f"DATEDIFF in {part}")
    moments = [_moment(here.compile(node)) for node in nodes[1:]]
    if any(moment.type.name == "TIMESTAMP_TZ" for moment in moments):
        start, end = (_instant(moment, part) for moment in moments)
    else:
        start, end = (_clock(moment) for moment in moments)
    if part == "WEEK":  # weeks begin on Monday; DuckDB counts spans of seven days instead
        days = f"date_diff('day', date_trunc('week', {start}), date_trunc('week', {end}))"
        return Typed(f"CAST({days} // 7 AS DECIMAL(18,0))", dt.number(18, 0))
    return Typed(f"CAST(date_diff('{part.lower()}', {start}, {end}) AS DECIMAL(18,0))", dt.number(18, 0))


def _instant(value: Typed, part: str) -> str:
    """A moment in UTC, for differences in units that all offsets share."""
    if part not in _TIME_UNITS or value.type.name not in ("TIMESTAMP_TZ", "TIMESTAMP_LTZ"):
        raise unsupported(f"DATEDIFF in {part} of TIMESTAMP_TZ and {value.type.name} without a cast")
    utc = f"struct_extract({value.sql}, 'utc')" if value.type.name == "TIMESTAMP_TZ" else value.sql
    return f"timezone('UTC', {utc})"


def _truncated(here: Expressions, part_node: Any, value_node: Any) -> Typed:
    part, value = unit(part_node), _moment(here.compile(value_node))
    if value.type.name == "TIME" or part not in (*_SPANS, "WEEK", "QUARTER"):
        raise unsupported(f"DATE_TRUNC of {value.type.name} to {part}")
    if value.type.name == "TIMESTAMP_TZ":
        minutes = f"struct_extract({value.sql}, 'minutes')"
        offset = f"to_minutes(CAST({minutes} AS BIGINT))"
        wall = f"timezone('UTC', struct_extract({value.sql}, 'utc')) + {offset}"
        utc = f"timezone('UTC', CAST(date_trunc('{part.lower()}', {wall}) AS TIMESTAMP) - {offset})"
        packed = f"struct_pack(utc := {utc}, minutes := {minutes})"
        return Typed(f"(CASE WHEN {value.sql} IS NULL THEN NULL ELSE {packed} END)", value.type)
    if value.type.name == "DATE" and part in _TIME_UNITS:
        return value
    return Typed(f"CAST(date_trunc('{part.lower()}', {value.sql}) AS {value.type.duckdb})", value.type)


def _date_trunc(here: Expressions, nodes: list[Any]) -> Typed:
    first_is_part = (isinstance(nodes[0], exp.Literal) and nodes[0].is_string) or _names_a_unit(nodes[0])
    return _truncated(here, *(nodes if first_is_part else reversed(nodes)))


def _names_a_unit(node: Any) -> bool:
    return isinstance(node, exp.Column | exp.Var) and str(node.name).upper() in _UNIT_OF


def _extracted(part: str, value: Typed) -> Typed:
    kind = dt.number(9 if not part.startswith("EPOCH") else 18, 0)
    clock = _clock(value)
    if part == "EPOCH_SECOND":
        return Typed(f"CAST(floor(epoch({clock})) AS DECIMAL(18,0))", kind)
    if part == "EPOCH_MILLISECOND":
        return Typed(f"CAST(epoch_ms({clock}) AS DECIMAL(18,0))", kind)
    word = {"DAYOFWEEK": "dow", "DAYOFYEAR": "doy", "DAYOFWEEKISO": "isodow", "WEEKISO": "week"}.get(part, part.lower())
    if part in ("MILLISECOND", "MICROSECOND"):
        raise unsupported(f"DATE_PART {part}")
    return Typed(f"CAST(date_part('{word}', {clock}) AS {kind.duckdb})", kind)


def _date_part(here: Expressions, nodes: list[Any]) -> Typed:
    return _extracted(unit(nodes[0]), here.compile(nodes[1]))


def _part_function(part: str) -> Callable[[list[Typed]], Typed]:
    return lambda values: _extracted(part, values[0])


def _last_day(values: list[Typed]) -> Typed:
    return Typed(f"last_day(CAST({_clock(values[0])} AS DATE))", dt.DATE)


def _name(pattern: str) -> Callable[[list[Typed]], Typed]:
    return lambda values: Typed(f"strftime({_clock(values[0])}, '{pattern}')", dt.varchar(3))


def _add_months(values: list[Typed]) -> Typed:
    value = _moment(values[0])
    clock, count = _clock(value), f"CAST({whole(values[1])} AS INTEGER)"
    moved = f"({clock} + to_months({count}))"
    at_end = f"CAST({clock} AS DATE) = last_day(CAST({clock} AS DATE))"
    if value.type.name != "DATE":
        raise unsupported(f"ADD_MONTHS of {value.type.name}")
    return Typed(f"CAST(CASE WHEN {at_end} THEN last_day(CAST({moved} AS DATE)) ELSE {moved} END AS DATE)", dt.DATE)


_PIECES = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "MON": "%b", "MMMM": "%B", "DD": "%d", "DY": "%a", "HH24": "%H", "HH12": "%I",
    "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S", "FF3": "%g", "FF6": "%f",
}  # fmt: skip
_PATTERN = re.compile(
    r"YYYY|YY|MMMM|MM|MON|DD|DY|HH24|HH12|AM|PM|MI|SS|FF3|FF6|\"[^\"]*\"|[^A-Za-z\"]+|[A-Za-z]+", re.I
)


def _strftime_pattern(written: Typed) -> str:
    if not (written.sql.startswith("'") and written.sql.endswith("'")):
        raise unsupported("a computed date or time format")
    pattern = ""
    for piece in _PATTERN.findall(written.sql[1:-1].replace("''", "'")):
        if piece.startswith('"'):
            pattern += piece[1:-1].replace("%", "%%")
        elif piece.upper() in _PIECES:
            pattern += _PIECES[piece.upper()]
        elif piece == "T" or not piece[0].isalpha():
            pattern += piece.replace("%", "%%")
        else:
            raise unsupported(f"format element {piece}")
    return pattern.replace("'", "''")


def formatted(value: Typed, written: Typed) -> Typed:
    """TO_CHAR of a date or time with a format."""
    if value.type.name not in TIMESTAMPS and value.type.name not in ("DATE", "TIME"):
        raise unsupported(f"TO_CHAR of {value.type.name} with a format")
    return Typed(f"strftime({_clock(value)}, '{_strftime_pattern(written)}')", dt.TEXT)


def _to_text(values: list[Typed]) -> Typed:
    return formatted(values[0], values[1]) if len(values) == 2 else cast(values[0], dt.TEXT)


def _to(kind: SnowType, *, safe: bool) -> Callable[[list[Typed]], Typed]:
    def rule(values: list[Typed]) -> Typed:
        if len(values) == 1:
            return cast(values[0], kind, safe=safe)
        if values[1].type.name != "VARCHAR" or kind.name == "TIMESTAMP_TZ":
            raise unsupported(f"conversion to {kind.name} with a scale or format of this kind")
        parser = "try_strptime" if safe else "strptime"
        moment = Typed(f"{parser}({cast(values[0], dt.TEXT).sql}, '{_strftime_pattern(values[1])}')", dt.NTZ)
        if kind.name == "TIME":
            return Typed(f"CAST({moment.sql} AS TIME)", kind)
        return cast(moment, kind)

    return rule


def _timestamp(*, safe: bool) -> Callable[[Expressions, list[Any]], Typed]:
    def raw(here: Expressions, nodes: list[Any]) -> Typed:
        kind = {"TIMESTAMP_LTZ": dt.LTZ, "TIMESTAMP_TZ": dt.TZ}.get(here.translation.timestamp_mapping, dt.NTZ)
        return _to(kind, safe=safe)(here.all(nodes))

    return raw


def _now(kind: SnowType) -> Callable[[Expressions, list[Any]], Typed]:
    def raw(here: Expressions, nodes: list[Any]) -> Typed:
        return Typed(cast(constant(here.translation.now), kind).sql, kind, nullable=False)

    return raw


def _sysdate(here: Expressions, nodes: list[Any]) -> Typed:
    return Typed(f"timezone('UTC', {constant(here.translation.now).sql})", dt.NTZ, nullable=False)


def _convert_timezone(values: list[Typed]) -> Typed:
    if len(values) == 3:
        source, target, moment = values
        local = wall_clock(_moment(moment)).sql
        return Typed(f"timezone({target.sql}, timezone({source.sql}, {local}))", dt.NTZ)
    target, moment = values
    instant = cast(_moment(moment), dt.LTZ).sql
    minutes = f"date_diff('minute', timezone('UTC', {instant}), timezone({target.sql}, {instant}))"
    packed = f"struct_pack(utc := {instant}, minutes := CAST({minutes} AS SMALLINT))"
    return Typed(f"(CASE WHEN {instant} IS NULL THEN NULL ELSE {packed} END)", dt.TZ)


def _define_all() -> None:
    define("TO_VARCHAR TO_CHAR", 1, 2, _to_text)
    define_raw("DATEADD TIMEADD TIMESTAMPADD", 3, 3, _dateadd)
    define_raw("DATEDIFF TIMEDIFF TIMESTAMPDIFF", 3, 3, _datediff)
    define_raw("DATE_TRUNC", 2, 2, _date_trunc)
    define_raw("DATE_PART", 2, 2, _date_part)
    for part in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "DAYOFWEEK", "DAYOFYEAR",
                 "DAYOFWEEKISO", "WEEKISO", "DAYOFMONTH"):  # fmt: skip
        define(part, 1, 1, _part_function(_UNIT_OF[part]))
    define("LAST_DAY", 1, 1, _last_day)
    define("DAYNAME", 1, 1, _name("%a"))
    define("MONTHNAME", 1, 1, _name("%b"))
    define("ADD_MONTHS", 2, 2, _add_months)
    define("CONVERT_TIMEZONE", 2, 3, _convert_timezone)
    for names, kind in (("DATE", dt.DATE), ("TIME", dt.TIME), ("TIMESTAMP_NTZ", dt.NTZ), ("TIMESTAMP_LTZ", dt.LTZ),
                        ("TIMESTAMP_TZ", dt.TZ)):  # fmt: skip
        define(f"TO_{names}", 1, 2, _to(kind, safe=False))
        define(f"TRY_TO_{names}", 1, 2, _to(kind, safe=True))
    define("DATE", 1, 2, _to(dt.DATE, safe=False))
    define_raw("TO_TIMESTAMP", 1, 2, _timestamp(safe=False))
    define_raw("TRY_TO_TIMESTAMP", 1, 2, _timestamp(safe=True))
    define_raw("CURRENT_TIMESTAMP LOCALTIMESTAMP GETDATE SYSTIMESTAMP", 0, 1, _now(dt.LTZ))
    define_raw("CURRENT_DATE", 0, 0, _now(dt.DATE))
    define_raw("CURRENT_TIME LOCALTIME", 0, 1, _now(dt.TIME))
    define_raw("SYSDATE", 0, 0, _sysdate)


_define_all()
