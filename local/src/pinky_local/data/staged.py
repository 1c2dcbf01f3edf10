"""FROM @stage and FROM DIRECTORY(@stage): staged files and directory tables as sources of a query.

https://docs.snowflake.com/en/user-guide/querying-stage, querying-metadata and data-load-dirtables-query.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import literal
from pinky_local.data.parsing import name_of, only
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Column, Scope, Source, Typed
from pinky_local.data.translation import Compiled, OutputColumn, Translation
from pinky_local.files.content import ContentError, UnsupportedContentError
from pinky_local.types import SqlError, StagedRead, StagedRows

_LARGEST_ROW = 256 * 1024 * 1024


def is_location(node: Any) -> bool:
    """Whether an item of FROM is a stage, bare or as a string."""
    if isinstance(node, exp.Var):
        return str(node.this).startswith("@")
    return isinstance(node, exp.Literal) and node.is_string and str(node.this).startswith("@")


def location_text(node: Any) -> str:
    """The stage a function's argument names, as written: ``@db.schema.stage`` or that in a string."""
    if is_location(node):
        return str(node.this)
    parts: list[str] = []
    while isinstance(node, exp.Dot):
        parts.insert(0, _part(node.expression))
        node = node.this
    if not isinstance(node, exp.Parameter):
        raise compilation(f"syntax error: a stage (@…) is expected, not {node.sql(dialect='snowflake')}")
    return "@" + ".".join([_part(node.this), *parts])


def _part(node: Any) -> str:
    if isinstance(node, exp.Identifier) and node.args.get("quoted"):
        return '"' + str(node.this).replace('"', '""') + '"'
    return str(node.this)


# directory tables ------------------------------------------------------------------------------------------------

_DIRECTORY = [
    OutputColumn("RELATIVE_PATH", dt.TEXT), OutputColumn("SIZE", dt.number(38, 0)),
    OutputColumn("LAST_MODIFIED", dt.SnowType("TIMESTAMP_TZ", scale=3)), OutputColumn("MD5", dt.TEXT),
    OutputColumn("ETAG", dt.TEXT), OutputColumn("FILE_URL", dt.TEXT),
]  # fmt: skip


def directory(translation: Translation, node: Any) -> Compiled:
    """DIRECTORY(@stage) as a query."""
    if len(node.expressions) != 1:
        raise compilation("syntax error: DIRECTORY takes one stage")
    path = translation.resolver.directory(location_text(node.expressions[0]), translation.session)
    kinds = {"c1": "VARCHAR", "c2": "BIGINT", "c3": "BIGINT", "c4": "VARCHAR", "c5": "VARCHAR", "c6": "VARCHAR"}
    rows = _json_lines([path], kinds)
    instant = "struct_pack(utc := to_timestamp(c3), minutes := CAST(0 AS SMALLINT)) AS c3"
    return Compiled(f"SELECT c1, CAST(c2 AS DECIMAL(38,0)) AS c2, {instant}, c4, c5, c6 FROM {rows}", _DIRECTORY)


def _json_lines(paths: Sequence[str], kinds: dict[str, str]) -> str:
    files = ", ".join(literal(path) for path in paths)
    columns = ", ".join(f"{name}: {literal(kind)}" for name, kind in kinds.items())
    options = f"format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = {_LARGEST_ROW}"
    return f"read_json([{files}], {options})"


# staged files ----------------------------------------------------------------------------------------------------


class StagedSource(Source):
    """A stage in FROM: ``$n`` beyond the longest record is NULL, ``*`` are the fields and not the metadata."""

    __slots__ = ("beyond",)

    def __init__(self, fields: list[Column], metadata: list[Column], beyond: Typed) -> None:
        super().__init__("", [*fields, *metadata], hidden=frozenset(one.name for one in metadata))
        self.beyond = beyond

    def positional(self, position: int) -> Column | None:
        """The n-th field."""
        fields = [one for one in self.columns if one.name not in self.hidden]
        if position <= len(fields):
            return fields[position - 1]
        return Column(f"${position}", self.beyond)

    def left_out(self, *, qualified: bool) -> frozenset[str]:
        """The metadata columns, also of ``alias.*``."""
        del qualified
        return self.hidden


def staged(translation: Translation, node: Any, scope: Scope) -> str:
    """A stage in FROM as DuckDB text; the scope gets it as a source."""
    only(node, "this", "alias", "format", "pattern", "joins")
    given = translation.resolver.staged(
        str(node.this.this), _format_name(node.args.get("format")), _text(node.args.get("pattern")), translation.session
    )
    translation.volatile = True  # other files may be there when a failed transaction is repeated
    alias = node.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        raise unsupported("column aliases of a stage")
    physical = translation.fresh("s")
    source, text = staged_source(given, physical)
    source.alias = name_of(alias.this) if alias is not None and alias.this is not None else ""
    scope.sources.append(source)
    return text


def _format_name(node: Any) -> str | None:
    if node is None:
        return None
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Table):
        return ".".join(_part(one) for one in (node.args.get("catalog"), node.args.get("db"), node.this) if one)
    raise unsupported(f"FILE_FORMAT => {node.sql(dialect='snowflake')}")


def _text(node: Any) -> str | None:
    if node is None:
        return None
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise unsupported(f"PATTERN => {node.sql(dialect='snowflake')}")


def staged_source(given: StagedRows, physical: str) -> tuple[StagedSource, str]:
    """The rows of staged files as a source under a DuckDB alias, and its text."""
    kind = str(given.format.get("TYPE", "CSV"))
    if kind == "PARQUET":
        fields, text = [Column("$1", Typed(f"{physical}.d", dt.VARIANT))], _parquet(given)
        beyond = Typed("CAST(NULL AS JSON)", dt.VARIANT)
    else:
        width, text = _converted(given)
        if kind == "JSON":
            fields = [Column("$1", Typed(f"CAST({physical}.v[1] AS JSON)", dt.VARIANT))]
            beyond = Typed("CAST(NULL AS JSON)", dt.VARIANT)
        else:
            fields = [Column(f"${i}", Typed(f"{physical}.v[{i}]", dt.TEXT)) for i in range(1, width + 1)]
            beyond = Typed("CAST(NULL AS VARCHAR)", dt.TEXT)
    source = StagedSource(fields, _metadata(physical), beyond)
    return source, f"({text}{_filter(given)}) AS {physical}"


def _metadata(physical: str) -> list[Column]:
    modified = f"timezone('UTC', to_timestamp({physical}.m))"
    return [
        Column("METADATA$FILENAME", Typed(f"{physical}.f", dt.TEXT)),
        Column("METADATA$FILE_ROW_NUMBER", Typed(f"CAST({physical}.n AS DECIMAL(38,0))", dt.number(38, 0))),
        Column("METADATA$FILE_CONTENT_KEY", Typed(f"{physical}.k", dt.TEXT)),
        Column("METADATA$FILE_LAST_MODIFIED", Typed(modified, dt.NTZ)),
        Column("METADATA$START_SCAN_TIME", Typed("now()", dt.LTZ)),
    ]


def _filter(given: StagedRows) -> str:
    tests = []
    if given.span is not None:
        tests.append(f"n BETWEEN {given.span[0]} AND {given.span[1]}")
    for name, numbers in given.left_out.items():
        if numbers:
            tests.append(f"NOT (f = {literal(name)} AND n IN ({', '.join(map(str, numbers))}))")
    return f" WHERE {' AND '.join(tests)}" if tests else ""


_NO_ROWS = "SELECT NULL::VARCHAR AS f, 0::BIGINT AS n, 0::BIGINT AS m, NULL::VARCHAR AS k, {} WHERE FALSE"


def _converted(given: StagedRows) -> tuple[int, str]:
    found = [_read(given, one) for one in given.files]
    paths = [str(one.path) for one in found if one.rows]
    width = max((one.width for one in found), default=0)
    if not paths:
        return width, f"SELECT * FROM ({_NO_ROWS.format('NULL::VARCHAR[] AS v')})"
    kinds = {"f": "VARCHAR", "n": "BIGINT", "m": "BIGINT", "k": "VARCHAR", "v": "VARCHAR[]"}
    return width, f"SELECT * FROM {_json_lines(paths, kinds)}"


def _read(given: StagedRows, file: StagedRead) -> Any:
    try:
        converted = given.convert(file, given.expected)
    except UnsupportedContentError as problem:
        raise unsupported(str(problem)) from problem
    except ContentError as problem:
        raise SqlError(100016, "22000", f"{problem}\n  File '{file.name}'") from problem
    if converted.problems and not given.tolerant:
        first = converted.problems[0]
        text = f"{first.text}\n  File '{file.name}', line {first.line}"
        raise SqlError(100080 if "Number of columns" in first.text else 100016, "22000", text)
    return converted


def _parquet(given: StagedRows) -> str:
    if not given.files:
        return f"SELECT * FROM ({_NO_ROWS.format('NULL::JSON AS d')})"
    parts = []
    for one in given.files:
        constants = f"{literal(one.name)} AS f, row_number() OVER () AS n, {one.changed_ns // 1_000_000_000} AS m"
        parts.append(f"SELECT {constants}, {literal(one.etag)} AS k, to_json(p) AS d "
                     f"FROM read_parquet({literal(one.path)}) AS p")  # fmt: skip
    return f"SELECT * FROM ({' UNION ALL '.join(parts)})"
