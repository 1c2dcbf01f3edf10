"""One statement on its way to DuckDB: what it was called with, and where calls, binds and subqueries are resolved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from pinky_local.data import datatypes as dt
from pinky_local.data import functions, json_functions, time_functions, user_functions
from pinky_local.data.aggregates import AGGREGATES, compile_aggregate, compile_window
from pinky_local.data.casts import cast
from pinky_local.data.changes import Position
from pinky_local.data.constants import constant, number_literal
from pinky_local.data.expressions import Expressions
from pinky_local.data.parsing import name_of
from pinky_local.data.refusals import compilation, unsupported
from pinky_local.data.registry import FUNCTIONS, is_context_function
from pinky_local.data.scopes import Scope, Typed
from pinky_local.data.storage import Storage
from pinky_local.types import Bind, Relation, Resolver, SessionContext


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a compiled query: what Snowflake calls it and its type. In DuckDB it is ``c<position>``."""

    name: str
    type: dt.SnowType
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Compiled:
    """A DuckDB query whose columns are called c1, c2, …, and what they are in Snowflake."""

    sql: str
    columns: list[OutputColumn]


@dataclass(slots=True)
class Translation:
    """Everything a statement's translation needs beside its tree. One per statement, or per view inside it.

    With ``describing`` it is not to be run. ``streams`` collects what streams the statement reads, with the versions up
    to which it does; ``horizon`` limits these in a transaction, ``directories`` those of streams on stages;
    ``positions`` are where the streams stood. ``files`` are deleted after the statement.
    """

    storage: Storage
    resolver: Resolver
    session: SessionContext
    now: datetime
    binds: Sequence[Bind] = ()
    check_privileges: bool = True
    volatile: bool = False
    describing: bool = False
    ctes: dict[str, list[OutputColumn]] = field(default_factory=dict)
    cte_names: dict[str, str] = field(default_factory=dict)
    horizon: int | None = None
    directories: dict[int, int] = field(default_factory=dict)
    streams: dict[int, int] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    stream_names: dict[int, str] = field(default_factory=dict)
    _counter: list[int] = field(default_factory=lambda: [0])
    _next_bind: int = 0
    _view_stack: tuple[tuple[str, str, str], ...] = ()

    @property
    def timestamp_mapping(self) -> str:
        """What plain TIMESTAMP means in this session."""
        return str(self.session.parameters.get("TIMESTAMP_TYPE_MAPPING") or "TIMESTAMP_NTZ").upper()

    def fresh(self, prefix: str) -> str:
        """A DuckDB name not used yet in this statement."""
        self._counter[0] += 1
        return f"{prefix}{self._counter[0]}"

    def inside_view(self, relation: Relation) -> Translation:
        """The translation of a view's own query: its schema resolves names, its owner holds the privileges.

        A resolver may offer ``view_session(relation, session)``, a session that acts as the view's owner, so that
        names the reader cannot see still resolve inside the view.
        """
        if relation.name in self._view_stack:
            raise compilation(f"Infinite recursion in definition of view '{'.'.join(relation.name)}'", errno=2037)
        acting = getattr(self.resolver, "view_session", None)
        session = self.session if acting is None else acting(relation, self.session)
        session = replace(session, database=relation.name[0], schema=relation.name[1])
        return replace(
            self, session=session, binds=(), check_privileges=False, ctes={}, cte_names={}, _next_bind=0,
            _view_stack=(*self._view_stack, relation.name),
        )  # fmt: skip

    def close(self) -> None:
        """Delete the statement's files."""
        for file in self.files:
            file.unlink(missing_ok=True)

    def require(self, privilege: str, relation: Relation) -> None:
        """Ask for a privilege unless a view's owner already holds it."""
        if self.check_privileges:
            self.resolver.require(privilege, relation, self.session)

    def subquery(self, node: Any, outer: Scope | None) -> Compiled:
        """A nested query, which may refer to the scope around it."""
        from pinky_local.data.queries import compile_query  # queries and expressions nest in each other

        return compile_query(self, node, outer)

    def bind(self, node: Any) -> Typed:
        """The value of the next ``?``, or of ``:n`` and ``:name``."""
        if node.this is not None:
            text = str(node.this)
            return self._bound(int(text) - 1) if text.isdigit() else self.variable(text.upper())
        self._next_bind += 1
        return self._bound(self._next_bind - 1)

    def _bound(self, position: int) -> Typed:
        if position >= len(self.binds):
            raise compilation("Bind variable not set.", errno=2049, sqlstate="42601")
        return bound(self.binds[position])

    def variable(self, name: str) -> Typed:
        """A session variable (``$name``)."""
        known = {key.upper(): value for key, value in self.session.variables.items()}
        if name.upper() not in known:
            raise compilation(f"Session variable '${name.upper()}' does not exist", errno=2211, sqlstate="02000")
        return constant(known[name.upper()])

    def call(self, here: Expressions, name: str, nodes: list[Any]) -> Typed:
        """A function call: a translated function, an aggregate, or a context function of the catalog."""
        if name in AGGREGATES:
            return compile_aggregate(here, name, nodes)
        if name in FUNCTIONS:
            return FUNCTIONS[name].compile(here, nodes)
        if is_context_function(name):
            arguments = [self.constant_argument(here, node) for node in nodes]
            return constant(self.resolver.context_function(name, arguments, self.session))
        return self.call_user_function(here, [name], nodes)

    def call_user_function(self, here: Expressions, parts: Sequence[str], nodes: list[Any]) -> Typed:
        """A call of a user-defined function. Raises `SqlError` 2 where there is none of that name."""
        call = user_functions.find(self, here, parts, nodes)
        if call is None:
            raise unsupported(f"function {'.'.join(parts)}")
        return user_functions.scalar(self, call)

    def constant_argument(self, here: Expressions, node: Any) -> Any:
        """The Python value of an argument that the catalog evaluates: a literal, a bind, a context function."""
        if isinstance(node, exp.Kwarg):
            raise unsupported(f"named argument {name_of(node.this)}")
        if isinstance(node, exp.Literal):
            return (
                str(node.this) if node.is_string else int(node.this) if str(node.this).isdigit() else float(node.this)
            )
        if isinstance(node, exp.Boolean):
            return bool(node.this)
        if isinstance(node, exp.Null):
            return None
        if isinstance(node, exp.Anonymous) and is_context_function(str(node.this).upper()):
            inner = [self.constant_argument(here, one) for one in node.expressions]
            return self.resolver.context_function(str(node.this).upper(), inner, self.session)
        value = here.compile(node)
        return self.storage.constant(cast(value, dt.TEXT).sql)

    def windowed(self, here: Expressions, node: Any) -> Typed:
        """An aggregate or window function with OVER, WITHIN GROUP, FILTER or IGNORE NULLS."""
        return compile_window(here, node)

    def shifted(self, here: Expressions, node: Any) -> Typed:
        """A date or time plus or minus INTERVAL."""
        interval = node.expression
        amount, unit = str(interval.this.this).strip(), interval.args.get("unit")
        if unit is None or not amount.lstrip("+-").isdigit():
            raise unsupported(f"INTERVAL '{amount}'")
        sign = "-" if isinstance(node, exp.Sub) else ""
        count = exp.Literal.number(str(int(sign + amount))) if not sign else exp.Neg(this=exp.Literal.number(amount))
        return FUNCTIONS["DATEADD"].compile(here, [exp.Var(this=unit.name), count, node.this])


_BIND_TYPES: dict[str, Callable[[str], Typed]] = {
    "TEXT": constant,
    "BOOLEAN": lambda text: constant(text.lower() in ("true", "1")),
    "REAL": lambda text: constant(float(text)),
}


def bound(value: Bind) -> Typed:
    """A bound value as a typed literal."""
    if isinstance(value.value, list):
        raise unsupported("an array bind outside INSERT … VALUES")
    if value.value is None:
        return Typed("NULL", dt.NULL)
    kind, text = value.type.upper(), value.value
    if kind in _BIND_TYPES:
        return _BIND_TYPES[kind](text)
    if kind in ("FIXED", "ANY", "DECFLOAT"):
        return _number_or_text(kind, text)
    if kind == "BINARY":
        return constant(bytes.fromhex(text))
    return _time(kind, text)


def _number_or_text(kind: str, text: str) -> Typed:
    try:
        float(text)
    except ValueError:
        if kind == "ANY":
            return constant(text)
        raise compilation(f"Numeric value '{text}' is not recognized", errno=100038, sqlstate="22018") from None
    return number_literal(text) if kind != "ANY" else constant(text)


def _time(kind: str, text: str) -> Typed:
    """A date or time as the client sends it: an epoch number (of milliseconds or nanoseconds), or plain text."""
    if kind == "DATE":
        if text.lstrip("-").isdigit():
            return Typed(f"CAST(to_timestamp({int(text)} / 1000) AT TIME ZONE 'UTC' AS DATE)", dt.DATE, nullable=False)
        return cast(constant(text), dt.DATE)
    if kind == "TIME":
        if text.isdigit():
            sql = f"CAST(make_timestamp({int(text) // 1000}) AS TIME)"
            return Typed(sql, dt.TIME, nullable=False)
        return cast(constant(text), dt.TIME)
    target = {"TIMESTAMP_NTZ": dt.NTZ, "TIMESTAMP_LTZ": dt.LTZ, "TIMESTAMP_TZ": dt.TZ}.get(kind)
    if target is None:
        raise unsupported(f"bind of type {kind}")
    head, _, offset = text.partition(" ")
    if not head.lstrip("-").isdigit():
        return cast(constant(text), target)
    micros = int(head) // 1000
    if target == dt.NTZ:
        return Typed(f"make_timestamp({micros})", target, nullable=False)
    instant = f"timezone('UTC', make_timestamp({micros}))"
    if target == dt.LTZ:
        return Typed(instant, target, nullable=False)
    minutes = int(offset or 1440) - 1440
    return Typed(f"struct_pack(utc := {instant}, minutes := CAST({minutes} AS SMALLINT))", target, nullable=False)


__all__ = ["Compiled", "OutputColumn", "Translation", "bound", "functions", "json_functions", "time_functions"]
