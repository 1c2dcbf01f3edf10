"""Streams: the changes of a table, view, dynamic table, external table, event table or of the files in a stage.

https://docs.snowflake.com/en/sql-reference/sql/create-stream,
https://docs.snowflake.com/en/sql-reference/sql/alter-stream,
https://docs.snowflake.com/en/sql-reference/sql/show-streams
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Identifier,
    Nested,
    OnChange,
    Resource,
    Risk,
    Source,
    Statement,
    is_given,
    literal,
    nested,
    parse_path,
    prop,
    resource,
    statement,
    string_literal,
)

_LOST = "the stream's offset, that is, which changes were not consumed yet, and its grants"

# The word behind ON, and what SHOW STREAMS calls it in source_type, folded.
_SOURCES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "on_table": ("TABLE", ("TABLE",)),
    "on_view": ("VIEW", ("VIEW",)),
    "on_stage": ("STAGE", ("STAGE", "DIRECTORY TABLE")),
    "on_external_table": ("EXTERNAL TABLE", ("EXTERNAL TABLE",)),
    "on_dynamic_table": ("DYNAMIC TABLE", ("DYNAMIC TABLE",)),
    "on_event_table": ("EVENT TABLE", ("EVENT TABLE",)),
}
# SHOW STREAMS may call all of these a table.
_TABLES = frozenset({"on_table", "on_dynamic_table", "on_event_table"})


@nested
class PointInTime(Nested):
    """Where the stream begins: exactly one of the fields."""

    timestamp: str | None = prop(default=None, doc="A moment, as text with its time zone.")
    offset: int | None = prop(default=None, maximum=0, doc="Seconds before now, as a negative number.")
    statement: str | None = prop(default=None, doc="Id of a query.")
    stream: str | None = prop(default=None, doc="Another stream, whose offset is taken.")


@resource("stream", scope="schema")
class Stream(Resource):
    """Which rows or files changed since they were last consumed.

    Nothing but the comment can be altered. Every other difference means a new stream, which starts where the source is
    now: what was not consumed is lost, so it needs permission. ``at``, ``before`` and ``show_initial_rows`` count at
    creation only; Snowflake does not tell them.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE STREAM", "the schema"),
        ("SELECT", "the source of the stream"),
        ("OWNERSHIP", "the stream"),
    )

    on_table: str | None = prop(
        default=None, refers_to=("table", "iceberg_table"), on_change=OnChange.REFUSE, loses=_LOST, doc="Source table."
    )
    on_view: str | None = prop(
        default=None, refers_to="view", on_change=OnChange.REFUSE, loses=_LOST, doc="Source view."
    )
    on_stage: str | None = prop(
        default=None, refers_to="stage", on_change=OnChange.REFUSE, loses=_LOST, doc="Stage with a directory table."
    )
    on_external_table: str | None = prop(
        default=None, refers_to="external_table", on_change=OnChange.REFUSE, loses=_LOST, doc="Source external table."
    )
    on_dynamic_table: str | None = prop(
        default=None, refers_to="dynamic_table", on_change=OnChange.REFUSE, loses=_LOST, doc="Source dynamic table."
    )
    on_event_table: str | None = prop(
        default=None, refers_to="event_table", on_change=OnChange.REFUSE, loses=_LOST, doc="Source event table."
    )
    at: PointInTime | None = prop(
        default=None, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Begin at this point; at creation."
    )
    before: PointInTime | None = prop(
        default=None, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Begin before this point; at creation."
    )
    append_only: bool = prop(
        default=False, on_change=OnChange.REFUSE, loses=_LOST, doc="Whether only inserted rows are recorded."
    )
    insert_only: bool = prop(
        default=False, on_change=OnChange.REFUSE, loses=_LOST, doc="The same for external and Iceberg tables."
    )
    show_initial_rows: bool | None = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="First answer all rows; at creation."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    #: Which sources take which clauses.
    clauses: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "at": ("on_table", "on_view", "on_external_table"),
        "before": ("on_table", "on_view", "on_external_table"),
        "append_only": ("on_table", "on_view"),
        "insert_only": ("on_external_table", "on_table"),
        "show_initial_rows": ("on_table", "on_view"),
    }

    @property
    def source(self) -> str:
        """Name of the field that gives the source; empty where none does."""
        return next((name for name in _SOURCES if is_given(getattr(self, name))), "")

    # -- declaration -------------------------------------------------------------------------------------------------

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Exactly one source, and only the clauses it takes."""
        given = [name for name in _SOURCES if is_given(getattr(self, name))]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            yield (given[-1] if given else "name"), f"a stream has exactly one of {', '.join(_SOURCES)}; found: {found}"
            return
        for name, sources in self.clauses.items():
            if getattr(self, name) not in (ABSENT, None, False) and given[0] not in sources:
                yield name, f"{name!r} does not exist for a stream with {given[0]!r}"
        if given[0] == "on_external_table" and self.insert_only is not True:
            yield "on_external_table", "a stream on an external table needs 'insert_only: true'"
        if is_given(self.at) and is_given(self.before):
            yield "before", "'at' and 'before' exclude each other"
        for name in ("at", "before"):
            yield from self._point_mistakes(name)
        try:
            parse_path(getattr(self, given[0]))
        except ValueError as error:
            yield given[0], str(error)

    def _point_mistakes(self, name: str) -> Iterable[tuple[str, str]]:
        point = getattr(self, name)
        if is_given(point):
            given = [field.name for field in point.spec.fields if is_given(getattr(point, field.name))]
            if len(given) != 1:
                yield name, f"{name!r} has exactly one of timestamp, offset, statement, stream"
            if name == "before" and given == ["stream"]:
                yield name, "'stream' belongs to 'at'"

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename a stream."""
        raise ValueError("Snowflake cannot rename a stream: declare the new one, and drop the old one later")

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE STREAM … ON … with everything declared."""
        return [self._create("CREATE", address)]

    def replace(
        self, address: Address, live: Stream, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE STREAM; the offset is never taken over unasked. Streams do not support COPY GRANTS."""
        return [self._create("CREATE OR REPLACE", address)]

    def _create(self, words: str, address: Address) -> Statement:
        source = self.source
        pieces = [f"{words} STREAM {address.sql} ON {_SOURCES[source][0]} {_sql(self._source_path(address))}"]
        for name in ("at", "before"):
            point = getattr(self, name)
            if is_given(point):
                pieces.append(f"{name.upper()} ({_point(point, address)})")
        for name in ("append_only", "insert_only", "show_initial_rows"):
            value = getattr(self, name)
            if value is True or (value is False and source in self.clauses[name] and name != "insert_only"):
                pieces.append(f"{name.upper()} = {literal(value)}")
        if is_given(self.comment):
            pieces.append(f"COMMENT = {literal(self.comment)}")
        return statement(" ".join(pieces))

    def _source_path(self, address: Address) -> tuple[Identifier, ...]:
        return _complete(str(getattr(self, self.source)), address)

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Stream, context: Context) -> Sequence[FieldChange]:
        """What differs. A source is compared by its full name, and by its kind as far as SHOW STREAMS tells it."""
        found = []
        for change in super().changes(address, live, context):
            if change.path in _SOURCES or (change.before is None and change.after == ""):
                continue
            found.append(change)
        wanted, there = self.source, live.source
        if not there:
            return found  # the source is gone or not visible: nothing to compare with
        same_kind = wanted == there or {wanted, there} <= _TABLES
        name = str(getattr(live, there))
        if not same_kind or _complete(name, address) != self._source_path(address):
            found.insert(0, FieldChange(wanted, name, getattr(self, wanted), on_change=OnChange.REFUSE))
        return found

    def risk(
        self, address: Address, action: Action, live: Resource, changes: Sequence[FieldChange]
    ) -> tuple[Risk, str]:
        """Whatever is not only a comment loses the offset."""
        if action is Action.DROP or any(change.on_change is OnChange.REFUSE for change in changes):
            return Risk.DESTRUCTIVE, _LOST
        return Risk.SAFE, ""

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW STREAMS: source and mode in several fields of ours."""
        mode = str(row.get("mode") or "").upper()
        raw = {
            "comment": row.get("comment"),
            "append_only": mode == "APPEND_ONLY",
            "insert_only": mode == "INSERT_ONLY",
        }
        kind = str(row.get("source_type") or "TABLE").upper()
        table = str(row.get("table_name") or "")
        field = next((name for name, (_, words) in _SOURCES.items() if kind in words), "on_table")
        try:
            parse_path(table)
        except ValueError:
            return raw  # "No privilege or table dropped"
        return {**raw, field: table}


def _complete(name: str, address: Address) -> tuple[Identifier, ...]:
    parts = parse_path(name)
    return (*address.path[: 3 - len(parts)], *parts)


def _sql(path: Iterable[Identifier]) -> str:
    return ".".join(part.sql for part in path)


def _point(point: PointInTime, address: Address) -> str:
    """``TIMESTAMP => '…'::TIMESTAMP_TZ`` and its like (https://docs.snowflake.com/en/sql-reference/constructs/at-before)."""
    if is_given(point.timestamp):
        return f"TIMESTAMP => {string_literal(str(point.timestamp))}::TIMESTAMP_TZ"
    if is_given(point.offset):
        return f"OFFSET => {point.offset}"
    if is_given(point.statement):
        return f"STATEMENT => {string_literal(str(point.statement))}"
    return f"STREAM => {string_literal(_sql(_complete(str(point.stream), address)))}"
