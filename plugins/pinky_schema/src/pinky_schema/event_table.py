"""Event tables: where Snowflake writes telemetry.

https://docs.snowflake.com/en/sql-reference/sql/create-event-table,
https://docs.snowflake.com/en/sql-reference/sql/alter-table-event-table (altered and dropped as TABLE),
https://docs.snowflake.com/en/sql-reference/sql/show-event-tables
"""

from __future__ import annotations

from collections.abc import Sequence

from pinky_core import (
    Address,
    Context,
    FieldChange,
    OnChange,
    Resource,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
    sql_path,
    statement,
)


@resource("event_table", scope="schema")
class EventTable(Resource):
    """A table with the fixed columns of telemetry. Which one an account or database writes to is their property.

    Clustering, policies and search optimization are not covered. Whether changes are tracked is not told by SHOW, so
    it counts at creation only.
    """

    privileges = (
        ("USAGE", "the database and schema"),
        ("CREATE EVENT TABLE", "the schema"),
        ("OWNERSHIP", "the event table"),
    )

    data_retention_time_in_days: int | None = prop(
        default=None, minimum=0, maximum=90, source=Source.PARAMETER, doc="Days of Time Travel; null inherits."
    )
    max_data_extension_time_in_days: int | None = prop(
        default=None, minimum=0, maximum=90, source=Source.PARAMETER, doc="Days for streams beyond that; null inherits."
    )
    change_tracking: bool = prop(
        default=False, on_change=OnChange.IGNORE, source=Source.NOWHERE, doc="Whether changes are tracked; at creation."
    )
    comment: str | None = prop(default="", doc="Free text.")

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE EVENT TABLE."""
        pieces = [f"CREATE EVENT TABLE {address.sql}"]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if is_given(value):
                pieces.append(f"{field.sql} = {literal(value)}")
        return [statement(" ".join(pieces))]

    def alter(
        self, address: Address, live: EventTable, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """ALTER TABLE … SET and UNSET."""
        by_name = self.spec.by_name
        given = [f"{by_name[c.path].sql} = {literal(c.after)}" for c in changes if c.after is not None]
        unset = [by_name[c.path].sql for c in changes if c.after is None]
        head = f"ALTER TABLE {address.sql}"
        return [
            *([statement(f"{head} SET {' '.join(given)}")] if given else []),
            *([statement(f"{head} UNSET {', '.join(unset)}")] if unset else []),
        ]

    def rename(self, former: Address, address: Address) -> Sequence[Statement]:
        """ALTER TABLE … RENAME TO."""
        return [statement(f"ALTER TABLE {sql_path(former.path)} RENAME TO {address.sql}")]

    def drop(self, address: Address) -> Sequence[Statement]:
        """DROP TABLE."""
        return [statement(f"DROP TABLE {address.sql}")]

    @classmethod
    def parameters_of(cls) -> str:
        """Its parameters are those of a table."""
        return "TABLE"
