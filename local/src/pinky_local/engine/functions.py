"""User-defined functions as queries call them.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-function,
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-designing and
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-tabular-functions (class, process, end_partition).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pinky_local.engine import conversions, errors, handlers, overloads
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.overloads import Given
from pinky_local.engine.specs.programs import family
from pinky_local.engine.statement import Statement
from pinky_local.types import SessionContext, SqlError, UserFunction

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_MOST_LOADED = 200


class Functions:
    """`types.UserFunctions` over the account. Handlers stay loaded, the latest used `_MOST_LOADED` of them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._loaded: OrderedDict[str, tuple[ExitStack, Callable[..., Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, parts: tuple[str, ...], session: SessionContext) -> bool:
        """Whether a function of this name is visible."""
        if len(parts) > 3:
            return False
        with self._account.lock:
            return bool(overloads.visible(self._statement(session), "function", parts))

    def resolve(
        self, parts: tuple[str, ...], given: Sequence[tuple[str | None, str | None]], session: SessionContext
    ) -> tuple[UserFunction, Sequence[int | None]]:
        """The overload that arguments mean. Raises `SqlError` 1044 where none fits and 3001 without USAGE."""
        with self._account.lock:
            statement = self._statement(session)
            item, places = overloads.resolve(statement, "function", parts, [Given(*one) for one in given])
            if item.state["language"] not in ("SQL", "PYTHON") or item.state.get("AGGREGATE"):
                kind = "an aggregate" if item.state.get("AGGREGATE") else f"a {item.state['language']}"
                raise errors.unsupported(f"calling {kind} function")
            if item.state["language"] == "PYTHON":
                self._account.resolver.need_warehouse(session)
            return self._described(statement, item), places

    def close(self) -> None:
        """Unload every handler."""
        with self._lock:
            while self._loaded:
                self._loaded.popitem()[1][0].close()

    def _statement(self, session: SessionContext) -> Statement:
        return Statement(self._account, session, "SELECT 1", (), "")

    def _described(self, statement: Statement, item: CatalogObject) -> UserFunction:
        path = statement.catalog.path(item)
        state, session = item.state, statement.session
        owner = statement.catalog.objects.get(item.owner) if item.owner is not None else None
        acting = replace(session, database=path[0], schema=path[1])
        if owner is not None and owner.kind == "role":
            acting = replace(acting, role=owner.name, secondary_roles="NONE")
        described = UserFunction(
            (path[0], path[1], path[2]),
            state["language"],
            [(name, _evaluated(kind)) for name, kind, _, _ in state["arguments"]],
            _evaluated(state["returns"]) if state.get("returns_table") is None else "",
            state["body"] or "",
            acting,
            None
            if state.get("returns_table") is None
            else [(one, _evaluated(kind)) for one, kind in state["returns_table"]],
            state.get("defaults", {}),
            state["volatility"] == "VOLATILE",
        )
        if state["language"] == "SQL":
            return described
        code = json.dumps([state["body"], item.properties, state["arguments"], described.returns, described.table])
        key = f"{item.number}:{hashlib.sha256(code.encode()).hexdigest()[:16]}:{session.session_id}"
        return replace(described, key=key, call=self._call(item.draft(), key, session, acting))

    def _call(
        self, item: CatalogObject, key: str, session: SessionContext, acting: SessionContext
    ) -> Callable[[Sequence[str | None]], str | None]:
        zone = str(session.parameters.get("TIMEZONE") or conversions.DEFAULT_ZONE)
        kinds = [conversions.kind_of(kind) for _, kind, _, _ in item.state["arguments"]]
        table = item.state.get("returns_table")
        strict = item.state["null_handling"] != "CALLED ON NULL INPUT"

        def call(texts: Sequence[str | None]) -> str | None:
            if strict and any(text is None for text in texts):
                return None if table is None else "[]"
            given = [conversions.from_text(text, kind, zone) for text, kind in zip(texts, kinds, strict=True)]
            handler = self._handler(item, key, session, acting)
            if table is not None:
                return json.dumps([_texts(row, item, table, zone) for row in _rows(handler, given, item)])
            try:
                returned = handler(*given)
            except Exception as failure:
                raise handlers.failed(failure, item) from failure
            if returned is None and item.state.get("returns_not_null"):
                raise SqlError(100132, "P0000", f"NULL result in a non-nullable column of function {item.name}")
            return _text(returned, item.state["returns"], item, zone)

        return call

    def _handler(
        self, item: CatalogObject, key: str, session: SessionContext, acting: SessionContext
    ) -> Callable[..., Any]:
        with self._lock:
            known = self._loaded.get(key)
            if known is None:
                stack = ExitStack()
                handler = stack.enter_context(handlers.loaded(item, handlers.Files(self._account, session, acting)))
                known = self._loaded[key] = (stack, handler)
                while len(self._loaded) > _MOST_LOADED:
                    self._loaded.popitem(last=False)[1][0].close()
            self._loaded.move_to_end(key)
            return known[1]


def _evaluated(kind: str) -> str:
    """A type as the data plane is told it: texts and bytes without a limit."""
    return family(kind) if family(kind) in ("VARCHAR", "BINARY") else kind


def _rows(handler: Callable[..., Any], given: list[Any], item: CatalogObject) -> list[Sequence[Any]]:
    """What an object of a handler class yields for one input row, which is a partition of its own."""
    try:
        made = handler()
        rows = list(made.process(*given) or ())
        if hasattr(made, "end_partition"):
            rows += list(made.end_partition() or ())
        return rows
    except Exception as failure:
        raise handlers.failed(failure, item) from failure


def _texts(row: Sequence[Any], item: CatalogObject, table: list[list[str]], zone: str) -> list[str | None]:
    if not isinstance(row, tuple | list) or len(row) != len(table):
        raise handlers.refused(f"expected tuples of {len(table)} values, got {row!r}", item)
    return [_text(value, kind, item, zone) for value, (_, kind) in zip(row, table, strict=True)]


def _text(value: Any, kind: str, item: CatalogObject, zone: str) -> str | None:
    try:
        return conversions.to_text(value, conversions.kind_of(kind), zone)
    except conversions.ConversionError as problem:
        raise handlers.refused(str(problem), item) from problem
