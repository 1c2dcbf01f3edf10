"""Looking at file flows: what the views over the registries say, for whoever shows it.

Values stand in the statements as literals, so that every kind of session runs them alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinky_core import Identifier, NotVisibleError, PinkyError, Rows, Session, parse_path, sql_path, string_literal

__all__ = ["STATUSES", "VIEWS_BY", "FlowError", "read_files", "read_flows"]

#: What the status of a file may be, in any registry.
STATUSES = ("NEW", "CLAIMED", "DONE", "FAILED", "PARKED", "GONE", "PUBLISHED")
#: By what files can be counted: the view, and the order in which its rows are told.
VIEWS_BY = {
    "provider": ("FILES_BY_PROVIDER", "FILES DESC, PROVIDER_REF"),
    "consumer": ("FILES_BY_CONSUMER", "FILES DESC, CONSUMER_REF"),
    "flow": ("FILES_BY_FLOW", "DIRECTION, FILES DESC, SLOT, PARTY, FLOW"),
    "day": ("FILES_BY_DAY", "DAY DESC, DIRECTION, SLOT, PARTY, FLOW"),
}


class FlowError(PinkyError):
    """There are no views of file flows to read, or the question makes no sense."""


def read_files(
    session: Session, schema: str | Sequence[Identifier], *, statuses: Sequence[str] = (), limit: int | None = None
) -> Rows:
    """Versions of files, those registered last first: the columns of the view FILES.

    ``statuses`` are from `STATUSES`, empty for all. Raises `FlowError` where the schema has no such view.
    """
    if unknown := [each for each in statuses if each not in STATUSES]:
        raise FlowError(f"no status of a file: {', '.join(unknown)}; there are {', '.join(STATUSES)}")
    which = f" WHERE STATUS IN ({', '.join(string_literal(each) for each in statuses)})" if statuses else ""
    return _read(session, schema, "FILES", f"{which} ORDER BY FIRST_SEEN_AT DESC, SLOT, RELATIVE_PATH", limit)


def read_flows(session: Session, schema: str | Sequence[Identifier], *, by: str, limit: int | None = None) -> Rows:
    """Counts of files, their volume and latency in seconds, ``by`` one of `VIEWS_BY`: the columns of that view.

    Raises `FlowError` where the schema has no such view.
    """
    if by not in VIEWS_BY:
        raise FlowError(f"files cannot be counted by {by!r}; by {', '.join(VIEWS_BY)}")
    view, order = VIEWS_BY[by]
    return _read(session, schema, view, f" ORDER BY {order}", limit)


def _read(session: Session, schema: str | Sequence[Identifier], view: str, rest: str, limit: int | None) -> Rows:
    path = parse_path(schema) if isinstance(schema, str) else tuple(schema)
    if len(path) != 2:
        raise FlowError(f"files belong to one schema, DB.SCHEMA; found {sql_path(path) or 'none'}")
    name = sql_path((*path, Identifier(view)))
    try:
        return session.execute(f"SELECT * FROM {name}{rest}{'' if limit is None else f' LIMIT {int(limit)}'}")
    except NotVisibleError as error:
        text = f"there is no view {name} here, or the role may not see it: it comes with the section stages"
        raise FlowError(text) from error
