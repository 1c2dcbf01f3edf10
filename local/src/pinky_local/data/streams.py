"""What a query of a stream reads: the net changes of its source since the stream's offset.

Streams on tables read the table's change log (`changes`), streams on stages the log of the directory table, streams on
views the changes of the view's one table, as the view shows them. A stream reads up to the beginning of the open
transaction, or up to now where there is none; on a stage, up to the first time the transaction read it.
https://docs.snowflake.com/en/user-guide/streams-intro
"""

from __future__ import annotations

import json
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.casts import literal
from pinky_local.data.changes import Position
from pinky_local.data.parsing import arg, names_of, parse
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.storage import StoredTable
from pinky_local.data.translation import Compiled, OutputColumn, Translation
from pinky_local.types import Relation, StreamSource

METADATA = (
    OutputColumn("METADATA$ACTION", dt.varchar(6), nullable=False),
    OutputColumn("METADATA$ISUPDATE", dt.BOOLEAN, nullable=False),
    OutputColumn("METADATA$ROW_ID", dt.varchar(40), nullable=False),
)
_REMOVALS, _ADDITIONS = "('D', 'd')", "('I', 'i')"


def stream_query(translation: Translation, relation: Relation) -> Compiled:
    """The changes a stream shows now. Notes it in the translation, with the version its consumption would move it to.

    Raises `SqlError` 2203 for a stream without offset.
    """
    stream = relation.stream
    assert stream is not None
    with translation.storage.lock:
        position = translation.storage.changes.position(stream.number)
    if position is None:
        raise compilation(f"Stream '{relation.name[2]}' has no offset in its source.", errno=2203, sqlstate="0A000")
    translation.stream_names[stream.number] = relation.name[2]
    translation.positions[stream.number] = position
    if stream.source is None:
        return _of_stage(translation, stream, position)
    end = translation.storage.version if translation.horizon is None else translation.horizon
    translation.streams[stream.number] = end
    if stream.source.kind == "view":
        return _of_view(translation, stream, stream.source, position, end)
    return _of_table(translation.storage.table(stream.source.name), stream, position, end)


# tables ----------------------------------------------------------------------------------------------------------


def _of_table(table: StoredTable, stream: StreamSource, position: Position, end: int) -> Compiled:
    if position.table is None or position.table != table.log:
        raise compilation("The stream is stale: its source was recreated.", errno=2203, sqlstate="0A000")
    columns = [OutputColumn(name, one.type) for name, one in table.columns.items()]
    shown = ", ".join(f"l.{one.physical} AS c{i}" for i, one in enumerate(table.columns.values(), 1))
    row_id = f"sha1('{table.physical}:' || l.rid)"
    between = f"l.s IS NULL AND l.v > {position.version} AND l.v <= {end}"
    metadata = [f"{place} AS c{len(columns) + i}" for i, place in enumerate(("{0}", "{1}", row_id), 1)]
    items = f"{shown}, {', '.join(metadata)}"
    if position.initial:
        rows = f"SELECT {items.format(_INSERT, 'FALSE')} FROM {table.log} AS l WHERE l.s = {stream.number}"
    elif stream.append_only:
        rows = f"SELECT {items.format(_INSERT, 'FALSE')} FROM {table.log} AS l WHERE {between} AND l.op = 'I'"
    else:
        action = f"CASE WHEN l.op IN {_REMOVALS} THEN 'DELETE' ELSE 'INSERT' END"
        rows = (
            f"SELECT {items.format(action, 'l.was AND l.stays')} FROM ({_ends(table.log, between)}) AS l WHERE {_NET}"
        )
    return Compiled(rows, [*columns, *METADATA])


_INSERT = "'INSERT'"
_NET = f"(l.begins AND l.op IN {_REMOVALS}) OR (l.ends AND l.op IN {_ADDITIONS})"


def _ends(log: str, between: str) -> str:
    """The logged changes, each with whether it is its row's first or last, and whether the row was there and is."""
    whole = "(PARTITION BY l.rid ORDER BY l.n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    return (
        f"SELECT l.*, l.n = min(l.n) OVER {whole} AS begins, l.n = max(l.n) OVER {whole} AS ends, "
        f"first_value(l.op) OVER {whole} IN {_REMOVALS} AS was, last_value(l.op) OVER {whole} IN {_ADDITIONS} AS stays "
        f"FROM {log} AS l WHERE {between}"
    )


# views -----------------------------------------------------------------------------------------------------------

_CHANGES = "PINKY$CHANGES"
_SIMPLE = ("expressions", "from_", "from", "where")


def view_table(query: Any) -> exp.Table:
    """The one table that a view over projections and filters reads. Raises `SqlError` 2 for any other view."""
    start = arg(query, "from") if isinstance(query, exp.Select) else None
    others = [name for name, value in query.args.items() if value and name not in _SIMPLE]
    nested = list(query.find_all(exp.Select, exp.Window))[isinstance(query, exp.Select) :]
    if start is None or others or nested or not isinstance(start.this, exp.Table) or start.this.args.get("joins"):
        raise unsupported("a stream on a view that does more than select columns and filter rows of one table")
    assert isinstance(start.this, exp.Table)
    return start.this


def _of_view(
    translation: Translation, stream: StreamSource, view: Relation, position: Position, end: int
) -> Compiled:  # fmt: skip
    """The changes of the view's table, filtered and projected as the view does.

    An updated row that the filter shows before or after only is inserted into, or deleted from, the view.
    """
    inner = translation.inside_view(view)
    query = parse(view.query or "")
    node = view_table(query)
    base = inner.resolver.relation(names_of(node), inner.session)
    if base.kind != "table":
        raise unsupported("a stream on a view of a view")
    changes = _of_table(translation.storage.table(base.name), stream, position, end)
    if node.args.get("alias") is None:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(base.name[2], quoted=True)))
    node.set("this", exp.to_identifier(_CHANGES, quoted=True))
    node.set("db", None)
    node.set("catalog", None)
    hidden = [exp.to_identifier(one.name, quoted=True) for one in METADATA]
    for star in query.find_all(exp.Star):
        star.set("except_", [*(star.args.get("except_") or []), *(one.copy() for one in hidden)])
    query.set("expressions", [*query.expressions, *(exp.Column(this=one) for one in hidden)])
    name = inner.fresh("w")
    inner.ctes[_CHANGES], inner.cte_names[_CHANGES] = changes.columns, name
    shown = inner.subquery(query, None)
    width = len(shown.columns) - len(METADATA)
    action, updated, row = (f"q.c{width + i}" for i in (1, 2, 3))
    pairs = f"{updated} AND count(*) OVER (PARTITION BY {row}) = 2"
    items = ", ".join([*(f"q.c{i}" for i in range(1, width + 1)), f"{action}", f"{pairs} AS c{width + 2}", row])
    columns = [
        OutputColumn(named.name, one.type, one.nullable)
        for named, one in zip(view.columns, shown.columns, strict=False)
    ]
    return Compiled(f"WITH {name} AS ({changes.sql}) SELECT {items} FROM ({shown.sql}) AS q", [*columns, *METADATA])


# stages ----------------------------------------------------------------------------------------------------------

_DIRECTORY = (
    OutputColumn("RELATIVE_PATH", dt.TEXT), OutputColumn("SIZE", dt.number(38, 0)),
    OutputColumn("LAST_MODIFIED", dt.SnowType("TIMESTAMP_TZ", scale=3)), OutputColumn("MD5", dt.TEXT),
    OutputColumn("ETAG", dt.TEXT), OutputColumn("FILE_URL", dt.TEXT),
)  # fmt: skip


_IN_TEXT = 500


def _of_stage(translation: Translation, stream: StreamSource, position: Position) -> Compiled:
    """The net changes of a directory table.

    Snowflake does not say whether an overwritten file counts as an update; here it is a DELETE and an INSERT of rows of
    their own (a guess).
    """
    newest = max((int(entry[0]) for entry in stream.entries), default=position.version)
    end = translation.directories.setdefault(stream.number, newest) if translation.horizon is not None else newest
    translation.streams[stream.number] = end
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for entry in stream.entries:
        if position.version < int(entry[0]) <= end:
            first.setdefault(entry[2], entry)
            last[entry[2]] = entry
    found = [_file(one) for one in first.values() if one[1] == "DELETE"]
    found += [_file(one) for one in last.values() if one[1] == "INSERT"]
    return Compiled(_entries(translation, found, stream.file_url), [*_DIRECTORY, *METADATA])


def _file(entry: Any) -> dict[str, Any]:
    _, action, path, row = entry
    return {"a": action, "p": path, "s": row["size"], "l": row["last_modified"], "m": row["md5"], "e": row["etag"]}


def _entries(translation: Translation, rows: list[dict[str, Any]], file_url: str) -> str:
    """Rows as a query: from a constant, or from a file where they are so many that DuckDB reads that far faster."""
    kinds = {name: "BIGINT" if name == "s" else "VARCHAR" for name in "apslme"}
    instant = "CAST(f.l AS TIMESTAMPTZ)"
    modified = f"CASE WHEN f.l IS NOT NULL THEN struct_pack(utc := {instant}, minutes := CAST(0 AS SMALLINT)) END"
    url = f"({literal(file_url)} || replace(url_encode(f.p), '%2F', '/'))"
    items = f"f.p AS c1, CAST(f.s AS DECIMAL(38,0)) AS c2, {modified} AS c3, f.m AS c4, f.e AS c5, {url} AS c6"
    shown = f"SELECT {items}, f.a AS c7, FALSE AS c8, sha1({url} || ':' || coalesce(f.e, '')) AS c9"
    text = json.dumps(rows)
    if len(rows) <= _IN_TEXT:
        elements = f"SELECT unnest(from_json({literal(text)}, {literal(json.dumps([kinds]))})) AS f"
        return f"{shown} FROM ({elements})"
    file = translation.storage.scratch_file()
    file.write_text(text, encoding="ascii")
    translation.files.append(file)
    translation.volatile = True  # the file is gone when a failed transaction would repeat the statement
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
    return f"{shown} FROM read_json('{file}', format = 'array', columns = {{{columns}}}) AS f"
