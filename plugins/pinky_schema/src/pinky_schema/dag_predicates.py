"""Named predicates of a conditional schedule: whether a graph has anything to do now.

A schedule says when a graph's root runs; a predicate says whether that run does anything. Its expression becomes part
of the call that the root makes, and is evaluated there: the WHEN clause of a task cannot look at the time.

https://docs.snowflake.com/en/sql-reference/sql/create-task (what WHEN supports),
https://docs.snowflake.com/en/sql-reference/functions/year (DAYOFWEEKISO: 1 is Monday),
https://docs.snowflake.com/en/sql-reference/functions/last_day,
https://docs.snowflake.com/en/sql-reference/functions/convert_timezone
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from pinky_core import PluginError, SectionWord, string_literal

__all__ = ["BUILT_IN", "Predicate", "predicate_words", "predicates_of"]


@attrs.frozen
class Predicate:
    """A word for ``when``.

    ``sql`` is a boolean expression in which ``{now}`` stands for the current time in the graph's time zone (a
    TIMESTAMP_TZ) and ``{today}`` for its date. ``doc`` says in one sentence when it is true.
    """

    name: str
    sql: str
    doc: str

    def in_zone(self, time_zone: str) -> str:
        """The expression for a time zone, an IANA name."""
        now = f"CONVERT_TIMEZONE({string_literal(time_zone)}, CURRENT_TIMESTAMP())"
        return self.sql.replace("{today}", f"TO_DATE({now})").replace("{now}", now)


#: The predicates of this package. None of them knows public holidays.
BUILT_IN = (
    Predicate("always", "TRUE", "Every time."),
    Predicate("business_day", "DAYOFWEEKISO({today}) <= 5", "Monday to Friday."),
    Predicate("weekend", "DAYOFWEEKISO({today}) >= 6", "Saturday and Sunday."),
    Predicate("first_of_month", "DAY({today}) = 1", "The first day of a month."),
    Predicate("last_of_month", "{today} = LAST_DAY({today})", "The last day of a month."),
    Predicate(
        "first_business_day",
        "DAYOFWEEKISO({today}) <= 5 AND (DAY({today}) = 1 OR (DAYOFWEEKISO({today}) = 1 AND DAY({today}) <= 3))",
        "The first day of a month that is a Monday to Friday.",
    ),
    Predicate(
        "last_business_day",
        "DAYOFWEEKISO({today}) <= 5 AND ({today} = LAST_DAY({today})"
        " OR (DAYOFWEEKISO({today}) = 5 AND DATEDIFF(DAY, {today}, LAST_DAY({today})) <= 2))",
        "The last day of a month that is a Monday to Friday.",
    ),
)


def predicates_of(hooks: Any) -> dict[str, Predicate]:
    """Every predicate by name; raises `PluginError` where two plugins claim one name."""
    return {predicate.name: predicate for _, predicate in _brought(hooks)}


def predicate_words(hooks: Any) -> Iterator[SectionWord]:
    """The predicates as listings show them."""
    for plugin, predicate in _brought(hooks):
        yield SectionWord(predicate.name, predicate.doc, plugin)


def _brought(hooks: Any) -> Iterator[tuple[str, Predicate]]:
    owners: dict[str, str] = {}
    for implementation in hooks.pinky_dag_predicates.get_hookimpls():  # in the order of registration
        plugin = implementation.plugin_name
        for predicate in implementation.function():
            if not isinstance(predicate, Predicate):
                raise PluginError(f"the plugin {plugin!r} gives {predicate!r}, which is not a Predicate")
            if predicate.name in owners:
                other = owners[predicate.name]
                raise PluginError(f"{other} and {plugin} both define the predicate {predicate.name!r}")
            owners[predicate.name] = plugin
            yield plugin, predicate
