"""Views, plain and materialized.

https://docs.snowflake.com/en/sql-reference/sql/create-view,
https://docs.snowflake.com/en/sql-reference/sql/alter-view,
https://docs.snowflake.com/en/sql-reference/sql/show-views,
https://docs.snowflake.com/en/sql-reference/sql/create-materialized-view,
https://docs.snowflake.com/en/sql-reference/sql/alter-materialized-view
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Identifier,
    Nested,
    OnChange,
    Reader,
    Resource,
    Risk,
    SqlText,
    Statement,
    Wanted,
    nested,
    prop,
    resource,
    statement,
    string_literal,
)
from pinky_schema.table_expression import SqlExpression, clustering_keys
from pinky_schema.view_text import ViewText, parse_view

__all__ = ["View", "ViewColumn"]

_STALE = "streams on the view go stale, and policies on it are set anew"


@nested
class ViewColumn(Nested):
    """One column of a view, where its name or comment is not left to the query."""

    name: Identifier = prop(doc="Name; folds to upper case unless it holds double quotes.")
    comment: str | None = prop(default=None, doc="Free text.")


@resource("view", scope="schema", stateful=False)
class View(Resource):
    """A query with a name; a materialized one keeps its rows.

    Policies, tags and contacts are left out: no statement over a whole schema tells them. A changed query, list of
    columns or RECURSIVE makes the view anew with its grants and tags (COPY GRANTS, and COPY TAGS where the view is not
    materialized); what is not declared is kept as it is.
    """

    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE VIEW", "the schema"),
        ("OWNERSHIP", "the view"),
        ("SELECT", "what its query reads"),
    )

    query: SqlText = prop(on_change=OnChange.REPLACE, doc="The query.")
    columns: tuple[ViewColumn, ...] = prop(
        default=None, on_change=OnChange.REPLACE, key="name", doc="All columns, to name or comment them."
    )
    secure: bool = prop(default=False, column="is_secure", doc="Whether its text is shown to its owner only.")
    recursive: bool = prop(default=False, on_change=OnChange.REPLACE, doc="Whether its query may name the view itself.")
    materialized: bool = prop(
        default=False,
        column="is_materialized",
        on_change=OnChange.REFUSE,
        loses="grants on the view; streams on it",
        doc="Whether Snowflake keeps its rows.",
    )
    cluster_by: tuple[SqlExpression, ...] = prop(default=None, doc="Clustering key of a materialized view.")
    change_tracking: bool = prop(default=False, unset=False, doc="Whether changes are recorded for streams.")
    comment: str | None = prop(default=None, doc="Free text.")

    def __attrs_post_init__(self) -> None:
        if self.query is ABSENT:
            return  # a live view of another owner
        names = [column.name for column in self.columns or ()]
        twice = sorted({name.sql for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns declared twice: {', '.join(twice)}")
        for name in ("recursive", "change_tracking") if self.materialized else ():
            if getattr(self, name):
                raise ValueError(f"a materialized view has no `{name}`")
        if self.cluster_by and not self.materialized:
            raise ValueError("`cluster_by` needs `materialized: true`")
        if self.cluster_by and not self.columns:
            raise ValueError("a materialized view with `cluster_by` needs the list of its `columns`")

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE VIEW with everything declared."""
        return [statement(_create(self, address))]

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One ALTER per property: Snowflake takes them one at a time."""
        head = f"ALTER {_type_of(live)} {address.sql}"
        return [statement(f"{head} {_alteration(change)}") for change in changes]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE … COPY GRANTS; between plain and materialized, a drop and a creation."""
        whole = self._with_undeclared(live)
        if bool(whole.materialized) is not bool(live.materialized):
            return [*live.drop(address), statement(_create(whole, address))]
        return [statement(_create(whole, address, replace=True))]

    def rename(self, former: Address, address: Address) -> Sequence[Statement]:
        """ALTER [MATERIALIZED] VIEW … RENAME TO."""
        return [statement(f"ALTER {_type_of(self)} {former.sql} RENAME TO {address.sql}")]

    def drop(self, address: Address) -> Sequence[Statement]:
        """DROP [MATERIALIZED] VIEW."""
        return [statement(f"DROP {_type_of(self)} {address.sql}")]

    def _with_undeclared(self, live: Self) -> Self:
        """This view, with what it leaves open as it is live."""
        values = {field.name: getattr(self, field.name) for field in self.spec.fields}
        for name, value in values.items():
            if value is ABSENT and name != "materialized":
                values[name] = getattr(live, name)
        if values["materialized"] is ABSENT:
            values["materialized"] = live.materialized
        elif bool(values["materialized"]) is not bool(live.materialized):
            kept = {name: getattr(self, name) for name in ("cluster_by", "change_tracking", "recursive")}
            values.update(kept)
        return type(self)(**values)

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; a query that is hidden from this role is not compared (see `check`)."""
        found = []
        for change in super().changes(address, live, context):
            if live.query is ABSENT and change.path in ("query", "columns", "recursive"):
                continue
            if change.path == "comment" and (change.before or None) == (change.after or None):
                continue  # Snowflake keeps no empty comment
            if change.path == "columns" and _same_columns(live.columns or (), self.columns or ()):
                continue
            note = _STALE if change.on_change is OnChange.REPLACE else ""
            found.append(FieldChange(change.path, change.before, change.after, note, change.on_change))
        return found

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A secure view of another owner cannot be compared."""
        if live is not None and live.query is ABSENT:
            yield Diagnostic.error(
                "not-visible",
                f"{address} is a secure view, and its query is shown to its owner only",
                hint="Use the role that owns the view.",
                address=address,
                path=("query",),
            )

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """A materialized view that is made anew or clustered costs a rebuild."""
        risk, loses = super().risk(address, action, live, changes)
        rebuilt = action is Action.REPLACE or any(change.path == "cluster_by" and change.after for change in changes)
        if risk is Risk.SAFE and live.materialized and rebuilt:
            return Risk.EXPENSIVE, ""
        return risk, loses

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """Values from a row of SHOW VIEWS, whose ``text`` is the whole CREATE statement; empty where it is hidden."""
        values = {
            "query": ABSENT,
            "secure": _true(row.get("is_secure")),
            "materialized": _true(row.get("is_materialized")),
            "change_tracking": _true(row.get("change_tracking")),
            "comment": row.get("comment") or None,
        }
        if row.get("text"):
            text = parse_view(str(row["text"]))
            values.update(query=text.query, recursive=text.recursive, columns=_columns(text))
        return values

    @classmethod
    def read_details(
        cls, reader: Reader, found: dict[Address, dict[str, Any]], wanted: Mapping[Address, Wanted]
    ) -> None:
        """Clustering keys, which only SHOW MATERIALIZED VIEWS tells: one statement per schema that declares one."""
        declaring = {a.path[:-1] for a, each in wanted.items() if "cluster_by" in each.fields and a in found}
        for container, rows in reader.by_container("MATERIALIZED VIEWS", declaring).items():
            for name, keys in rows.pick("name", "cluster_by"):
                address = Address("view", (*map(Identifier, container), Identifier(name)))
                if address in wanted and "cluster_by" in wanted[address].fields and address in found:
                    found[address]["cluster_by"] = clustering_keys(keys)

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A live body; what is read here needs no conversion any more."""
        return cls(**raw)


def _true(cell: object) -> bool:
    return str(cell).strip().lower() in ("true", "y", "on")


def _columns(text: ViewText) -> tuple[ViewColumn, ...] | None:
    columns = tuple(ViewColumn(name=name, comment=comment) for name, comment in text.columns)
    return columns or None


def _same_columns(live: Sequence[ViewColumn], desired: Sequence[ViewColumn]) -> bool:
    """Whether names and order agree, and every comment that is declared."""
    if [column.name for column in live] != [column.name for column in desired]:
        return False
    pairs = zip(live, desired, strict=True)
    return all(wanted.comment is ABSENT or (wanted.comment or None) == found.comment for found, wanted in pairs)


def _type_of(view: View) -> str:
    return "MATERIALIZED VIEW" if view.materialized else "VIEW"


def _create(view: View, address: Address, *, replace: bool = False) -> str:
    return " ".join(_clauses(view, address, replace=replace))


def _clauses(view: View, address: Address, *, replace: bool) -> Iterator[str]:
    """The statement in the order of clauses of its kind's page: COPY GRANTS stands elsewhere in a materialized view."""
    yield "CREATE OR REPLACE" if replace else "CREATE"
    if view.secure:
        yield "SECURE"
    if view.recursive:
        yield "RECURSIVE"
    yield f"{_type_of(view)} {address.sql}"
    if replace and view.materialized:
        yield "COPY GRANTS"
    if view.columns:
        yield f"({', '.join(map(_column, view.columns))})"
    if view.change_tracking:
        yield "CHANGE_TRACKING = TRUE"
    if replace and not view.materialized:
        yield "COPY GRANTS COPY TAGS"
    if view.comment:
        yield f"COMMENT = {string_literal(view.comment)}"
    if view.cluster_by:
        yield f"CLUSTER BY ({', '.join(each.sql for each in view.cluster_by)})"
    yield f"AS {view.query.sql}"


def _column(column: ViewColumn) -> str:
    return f"{column.name.sql} COMMENT {string_literal(column.comment)}" if column.comment else column.name.sql


def _alteration(change: FieldChange) -> str:
    if change.path == "secure":
        return "SET SECURE" if change.after else "UNSET SECURE"
    if change.path == "comment":
        return f"SET COMMENT = {string_literal(change.after)}" if change.after else "UNSET COMMENT"
    if change.path == "change_tracking":
        return f"SET CHANGE_TRACKING = {'TRUE' if change.after else 'FALSE'}"
    if change.path == "cluster_by":
        keys = ", ".join(each.sql for each in change.after or ())
        return f"CLUSTER BY ({keys})" if keys else "DROP CLUSTERING KEY"
    raise ValueError(f"{change.path} of a view cannot be altered")
