"""The table of scalar functions by Snowflake's names, and how a rule is put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data.arithmetic import numeric
from pinky_local.data.casts import cast
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.scopes import Typed

if TYPE_CHECKING:
    from pinky_local.data.expressions import Expressions


@dataclass(frozen=True, slots=True)
class Function:
    """A translated function: how many arguments it takes, and its rule.

    ``rule`` gets compiled arguments; ``raw`` (instead) gets the place and the unread arguments.
    """

    name: str
    least: int
    most: int
    rule: Callable[[list[Typed]], Typed] | None = None
    raw: Callable[[Expressions, list[Any]], Typed] | None = None

    def compile(self, here: Expressions, nodes: list[Any]) -> Typed:
        """The typed DuckDB expression of a call."""
        if len(nodes) < self.least:
            text = f"not enough arguments for function [{self.name}], expected {self.least}, got {len(nodes)}"
            raise compilation(text, errno=938, sqlstate="22023")
        if len(nodes) > self.most:
            text = f"too many arguments for function [{self.name}] expected {self.most}, got {len(nodes)}"
            raise compilation(text, errno=939, sqlstate="22023")
        if self.raw is not None:
            return self.raw(here, nodes)
        if any(isinstance(node, exp.Kwarg | exp.Star | exp.Distinct) for node in nodes):
            raise unsupported(f"function {self.name} with named arguments, * or DISTINCT")
        if self.rule is None:
            raise unsupported(f"function {self.name}")
        return self.rule(here.all(nodes))


FUNCTIONS: dict[str, Function] = {}
MANY = 1000


def define(names: str, least: int, most: int, rule: Callable[[list[Typed]], Typed]) -> None:
    """Put a function under one or several names (separated by spaces)."""
    for name in names.split():
        FUNCTIONS[name] = Function(name, least, most, rule=rule)


def define_raw(names: str, least: int, most: int, raw: Callable[[Expressions, list[Any]], Typed]) -> None:
    """Put a function whose arguments are not all expressions under one or several names."""
    for name in names.split():
        FUNCTIONS[name] = Function(name, least, most, raw=raw)


_CONTEXT = frozenset(
    "GET_DDL IS_ROLE_IN_SESSION IS_DATABASE_ROLE_IN_SESSION LAST_QUERY_ID LAST_TRANSACTION INVOKER_ROLE INVOKER_SHARE "
    "IS_GRANTED_TO_INVOKER_ROLE ALL_USER_NAMES".split()
)


def is_context_function(name: str) -> bool:
    """Whether the catalog, not the rows, answers this function."""
    return name not in FUNCTIONS and (name in _CONTEXT or name.startswith(("CURRENT_", "SYSTEM$")))


def text(value: Typed) -> str:
    """A value as text."""
    return value.sql if value.type.name == "VARCHAR" else cast(value, dt.TEXT).sql


def whole(value: Typed) -> str:
    """A value as a BIGINT argument."""
    return f"CAST({numeric(value, 'an integer argument').sql} AS BIGINT)"
