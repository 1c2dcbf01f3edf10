"""CREATE STREAM and SYSTEM$STREAM_HAS_DATA.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-stream,
https://docs.snowflake.com/en/user-guide/streams-intro and
https://docs.snowflake.com/en/sql-reference/functions/system_stream_has_data. The rows are the data plane's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinky_local.engine import context, errors, families, identifiers, properties, show, stream_reading
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement
from pinky_local.engine.tables import table_name
from pinky_local.types import DataPlane, Relation, Result, SqlError


def create_stream(statement: Statement, creation: Creation) -> None:
    """Read [COPY GRANTS] ON TABLE | VIEW | STAGE name [AT (STREAM => …)] properties."""
    tokens = statement.tokens
    creation.copy_grants = tokens.accept("COPY", "GRANTS")
    settings = creation.settings
    while properties.read_tags_clause(statement, settings):
        continue
    if tokens.at("CLONE"):
        raise errors.unsupported("CREATE STREAM … CLONE")
    tokens.expect("ON")
    if tokens.word() in ("EXTERNAL", "EVENT", "DYNAMIC"):
        raise errors.unsupported(f"streams on {tokens.word()} tables")
    kind = tokens.one_of("TABLE", "VIEW", "STAGE").lower()
    parts = tokens.name()
    like = _read_offset(statement)
    properties.read_settings(statement, TYPES["stream"], creating=True, settings=settings)
    if kind == "stage" and (like or set(settings.properties) - {"COMMENT"}):
        raise errors.compilation(2203, "0A000", "A stream on a stage takes no AT, BEFORE, APPEND_ONLY or initial rows.")
    if settings.properties.get("INSERT_ONLY"):
        raise errors.compilation(2203, "0A000", "INSERT_ONLY is only for streams on external tables.")

    def build(item: CatalogObject) -> None:
        source = statement.find(kind, parts)
        if kind == "stage":
            statement.require(source, "USAGE", "READ")
            if not (source.properties.get("DIRECTORY") or {}).get("ENABLE"):
                raise errors.compilation(2203, "0A000", f"Stage '{source.name}' has no directory table enabled.")
        else:
            _check_source(statement, source)
        item.state.update(source=source.number, source_kind=kind)
        if statement.account.data is not None:
            _start(statement, statement.account.data, item, source, like)

    def finish(item: CatalogObject) -> None:
        source = statement.catalog.objects[item.state["source"]]
        if kind != "stage":
            source.properties["CHANGE_TRACKING"] = True

    def change(draft: CatalogObject) -> None:
        if statement.find(kind, parts).number != draft.state["source"]:
            raise errors.unsupported("changing the source of a stream with CREATE OR ALTER")
        held = statement.catalog.objects[draft.number].properties
        for name in ("APPEND_ONLY", "INSERT_ONLY", "SHOW_INITIAL_ROWS"):
            if settings.properties.get(name, False) != held.get(name, False):
                raise errors.unsupported(f"changing {name} of a stream with CREATE OR ALTER")

    creation.build.append(build)
    creation.alter.append(change)
    creation.finish.append(finish)


def _check_source(statement: Statement, source: CatalogObject) -> None:
    """SELECT on the source, and OWNERSHIP of it for the first stream, which turns change tracking on."""
    statement.require(source, "SELECT")
    if not source.properties.get("CHANGE_TRACKING"):
        statement.require(source, "OWNERSHIP")


def _read_offset(statement: Statement) -> tuple[str, ...]:
    """The stream of AT (STREAM => …), empty without such a clause."""
    tokens = statement.tokens
    if tokens.word() not in ("AT", "BEFORE"):
        return ()
    tokens.index += 1
    tokens.expect_symbol("(")
    word = tokens.one_of("STREAM", "TIMESTAMP", "OFFSET", "STATEMENT")
    tokens.expect_symbol("=>")
    if word == "STREAM":
        parts = identifiers.parse_dotted(tokens.string())
        statement.deferred_checks.append(lambda: statement.find("stream", parts))
        tokens.expect_symbol(")")
        return parts
    raise errors.unsupported(f"streams from {word}: this account keeps no history of rows")


def _start(
    statement: Statement, data: DataPlane, item: CatalogObject, source: CatalogObject, like: tuple[str, ...]
) -> None:
    """Give a new stream its offset."""
    if like:
        other = statement.find("stream", like)
        if other.state["source"] != source.number:
            raise errors.unsupported("AT (STREAM => …) of a stream on another source")
        data.start_stream_like(item.number, other.number)
    elif source.kind == "stage":
        data.start_stream(item.number, None, version=int(source.state.get("directory_version", 0)))
    else:
        initial = bool(item.properties.get("SHOW_INITIAL_ROWS"))
        tracked = table_name(statement, source) if source.kind == "table" else _tracked(statement, data, source)
        if tracked is None or (initial and source.kind == "view"):
            item.state["unreadable"] = "SHOW_INITIAL_ROWS of a stream on a view" if tracked else _COMPLEX_VIEW
        else:
            data.start_stream(item.number, tracked, initial=initial)


_COMPLEX_VIEW = "a stream on a view that does more than select columns and filter rows of one table"


def _tracked(statement: Statement, data: DataPlane, view: CatalogObject) -> tuple[str, str, str] | None:
    """The table below a view whose changes can be shown; None where the view does more (reading is refused then)."""
    resolver = statement.account.resolver
    path = statement.catalog.path(view)
    relation = Relation("view", (path[0], path[1], path[2]))
    acting = resolver.view_session(relation, statement.session)
    try:
        with statement.account.compiling():
            return data.view_table(view.properties["QUERY"], acting, resolver)
    except SqlError as error:
        if error.errno != 2:
            raise
        return None


def describe_stream(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE STREAM: the row of SHOW STREAMS."""
    return show.table(statement, TYPES["stream"].show, [item], show.DESCRIBE_TYPE)


def _has_data(statement: Statement, arguments: Sequence[Any]) -> bool:
    """SYSTEM$STREAM_HAS_DATA: exact here, where Snowflake may answer TRUE for changes that cancel each other out."""
    if len(arguments) != 1:
        raise errors.compilation(938, "22023", "not enough arguments for function [SYSTEM$STREAM_HAS_DATA] expected 1")
    item = statement.find("stream", identifiers.parse_dotted(str(arguments[0])))
    stream_reading.check_readable(statement.account, item, statement.session)
    data = statement.account.data
    if data is None:
        raise errors.unsupported("SYSTEM$STREAM_HAS_DATA: this account has no data plane (install the extra [data])")
    with statement.account.compiling():
        return data.stream_has_data(
            stream_reading.relation(statement.account, item), statement.session, statement.account.resolver
        )


context.NEEDS_STATEMENT["SYSTEM$STREAM_HAS_DATA"] = _has_data
families.CREATE["stream"] = create_stream
families.DESCRIBE["stream"] = describe_stream
