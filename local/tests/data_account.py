"""A small catalog for tests of the data plane: it knows tables, views and rows, and answers context functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pinky_local.data import DuckDataPlane
from pinky_local.types import Bind, Relation, Result, SessionContext, SqlError, TableColumn

Name = tuple[str, str, str]


class Catalog:
    """A resolver over a dictionary."""

    def __init__(self) -> None:
        self.relations: dict[Name, Relation] = {}
        self.required: list[tuple[str, Name]] = []
        self.denied: set[tuple[str, Name]] = set()
        self.functions: dict[str, Any] = {}

    def relation(self, parts: Sequence[str], session: SessionContext) -> Relation:
        full = (*(session.database or "", session.schema or "")[: 3 - len(parts)], *parts)
        if full not in self.relations:
            name = ".".join(parts)
            raise SqlError(2003, "42S02", f"SQL compilation error:\nObject '{name}' does not exist or not authorized.")
        return self.relations[full]

    def context_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Any:
        if name == "CURRENT_ROLE":
            return session.role
        if name == "SYSTEM$ECHO":
            return "|".join(str(one) for one in arguments)
        raise SqlError(2140, "42601", f"SQL compilation error:\nUnknown function {name}")

    def table_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Result:
        if name in self.functions:
            return self.functions[name]
        raise SqlError(2140, "42601", f"SQL compilation error:\nUnknown table function {name}")

    def require(self, privilege: str, relation: Relation, session: SessionContext) -> None:
        self.required.append((privilege, relation.name))
        if (privilege, relation.name) in self.denied:
            raise SqlError(3001, "42501", "SQL access control error:\nInsufficient privileges to operate on table")


class Account:
    """A data plane with its catalog and one session."""

    def __init__(self, folder: Path | None = None) -> None:
        self.plane = DuckDataPlane(folder)
        self.catalog = Catalog()
        self.plane.resolver = self.catalog
        self.session = self.new_session(1)

    def new_session(self, number: int) -> SessionContext:
        return SessionContext(
            number, "PINKY", "ACCOUNTADMIN", database="DB", schema="S", parameters={"TIMEZONE": "UTC"}
        )

    def table(self, name: str, *columns: TableColumn | tuple[str, str]) -> Name:
        full = ("DB", "S", name)
        made = [one if isinstance(one, TableColumn) else TableColumn(*one) for one in columns]
        self.plane.create_table(full, made)
        self.catalog.relations[full] = Relation("table", full, columns=made)
        return full

    def view(self, name: str, query: str) -> None:
        full = ("DB", "S", name)
        columns = self.plane.create_view(full, query, self.session)
        self.catalog.relations[full] = Relation("view", full, query=query, columns=columns)

    def query(
        self, sql: str, *binds: Bind, session: SessionContext | None = None, describe_only: bool = False
    ) -> Result:
        return self.plane.query(sql, session or self.session, binds, self.catalog, describe_only=describe_only)

    def rows(self, sql: str, *binds: Bind, session: SessionContext | None = None) -> list[Any]:
        return [tuple(row) for row in self.query(sql, *binds, session=session).rows]

    def one(self, expression: str, *binds: Bind) -> Any:
        return self.rows(f"SELECT {expression}", *binds)[0][0]
