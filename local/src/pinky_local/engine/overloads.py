"""Which procedure or function a call means: arguments by position or name, defaults, overloads by type.

Rests on https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-naming-conventions,
https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-arguments and
https://docs.snowflake.com/en/sql-reference/data-type-conversion (which types are coerced).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pinky_local.engine import errors, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.programs import family
from pinky_local.engine.statement import Statement
from pinky_local.types import SqlError

_TIMESTAMPS = ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")
_COERCED: dict[str, tuple[str, ...]] = {
    "NUMBER": ("FLOAT", "DECFLOAT", "VARCHAR", "VARIANT", "BOOLEAN"),
    "FLOAT": ("DECFLOAT", "NUMBER", "VARCHAR", "VARIANT", "BOOLEAN"),
    "VARCHAR": ("NUMBER", "FLOAT", "DECFLOAT", "DATE", "TIME", *_TIMESTAMPS, "BOOLEAN", "VARIANT"),
    "BOOLEAN": ("VARCHAR", "NUMBER", "VARIANT"),
    "DATE": (*_TIMESTAMPS, "VARCHAR", "VARIANT"),
    "TIME": ("VARCHAR", "VARIANT"),
    "TIMESTAMP_NTZ": ("TIMESTAMP_LTZ", "TIMESTAMP_TZ", "DATE", "TIME", "VARCHAR", "VARIANT"),
    "TIMESTAMP_LTZ": ("TIMESTAMP_TZ", "TIMESTAMP_NTZ", "DATE", "TIME", "VARCHAR", "VARIANT"),
    "TIMESTAMP_TZ": ("TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "DATE", "TIME", "VARCHAR", "VARIANT"),
    "BINARY": ("VARIANT",),
    "OBJECT": ("VARIANT",),
    "ARRAY": ("VARIANT",),
    "VARIANT": (
        "OBJECT", "ARRAY", "NUMBER", "FLOAT", "DECFLOAT", "VARCHAR", "BOOLEAN", "DATE", "TIME", *_TIMESTAMPS,
    ),
}  # fmt: skip
"""By type: what a value of it is coerced to, the nearest first."""

OUTSIDE = 1000
"""The cost of a coercion that does not exist."""


@dataclass(frozen=True, slots=True)
class Given:
    """An argument as written: its name (None by position) and its type's family, None for NULL."""

    name: str | None
    family: str | None


def cost(given: str | None, wanted: str) -> int:
    """How far a value of one type is from a parameter of another; `OUTSIDE` where it does not convert."""
    wanted = family(wanted)
    if given is None or given == wanted:
        return 0
    known = _COERCED.get(given, ())
    return known.index(wanted) + 1 if wanted in known else OUTSIDE


def matched(routine: CatalogObject, given: Sequence[Given]) -> list[int | None] | None:
    """For every parameter the place of its argument, None for its default; None where the call does not fit."""
    parameters = routine.state["arguments"]
    if len(given) > len(parameters):
        return None
    places: list[int | None] = [None] * len(parameters)
    names = [name for name, *_ in parameters]
    for place, argument in enumerate(given):
        at = place if argument.name is None else names.index(argument.name) if argument.name in names else -1
        if at < 0 or places[at] is not None:
            return None
        places[at] = place
    if any(place is None and not optional for place, (_, _, optional, _) in zip(places, parameters, strict=True)):
        return None
    return places


def resolve(
    statement: Statement, kind: str, parts: tuple[str, ...], given: Sequence[Given]
) -> tuple[CatalogObject, list[int | None]]:
    """The routine that a call means and where its arguments go; the roles may use it.

    Raises 002140 or 002141 for an unknown one, 001044 where no overload fits, 003001 without USAGE.
    """
    known = visible(statement, kind, parts)
    best: list[tuple[int, CatalogObject, list[int | None]]] = []
    for routine in known:
        places = matched(routine, given)
        if places is None:
            continue
        total = sum(
            cost(given[place].family, str(kind))
            for place, (_, kind, _, _) in zip(places, routine.state["arguments"], strict=True)
            if place is not None
        )
        if total < OUTSIDE:
            best.append((total, routine, places))
    if not best:
        raise _misfit(parts, given) if known else unknown(parts)
    _, routine, places = min(best, key=lambda one: one[0])
    statement.require(routine, "USAGE")
    return routine, places


def visible(statement: Statement, kind: str, parts: tuple[str, ...]) -> list[CatalogObject]:
    """The overloads of a name that the session's roles see; none where its schema is not visible."""
    session = statement.session
    if len(parts) < 3 and (session.database is None or (len(parts) == 1 and session.schema is None)):
        return []
    full = statement.qualified(kind, parts)
    try:
        parent = statement.container(kind, full)
    except SqlError as error:
        if error.errno == 2003:
            return []
        raise
    found = statement.catalog.overloads(parent, kind, full[-1])
    return [
        item
        for item in found
        if not item.hidden_from(session.session_id) and statement.access.sees(statement.roles, item)
    ]


def unknown(parts: tuple[str, ...]) -> SqlError:
    """002140, or 002141 for a qualified name (both guesses): no routine of this name."""
    if len(parts) == 1:
        return errors.compilation(2140, "42601", f"Unknown function {parts[0]}")
    return errors.compilation(2141, "42601", f"Unknown user-defined function {identifiers.dotted(parts)}")


def _misfit(parts: tuple[str, ...], given: Sequence[Given]) -> SqlError:
    types = ", ".join(
        (f"{argument.name} => " if argument.name else "") + (argument.family or "NULL") for argument in given
    )
    text = f"error line 1 at position 0\nInvalid argument types for function '{identifiers.dotted(parts)}': ({types})"
    return errors.compilation(1044, "42P13", text)
