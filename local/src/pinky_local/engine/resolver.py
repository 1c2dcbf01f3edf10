"""What the data plane asks while it translates a query: names in FROM, functions, privileges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pinky_local.engine import (
    account_usage,
    context,
    directory,
    errors,
    file_urls,
    identifiers,
    information_schema,
    stage_places,
    staged_rows,
    stream_reading,
)
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.functions import Functions
from pinky_local.engine.specs.account import is_adaptive
from pinky_local.engine.statement import Statement
from pinky_local.types import Relation, Result, SessionContext, SqlError, StagedRows, StageHandle, TableColumn

if TYPE_CHECKING:
    from pinky_local.engine.account import Account


def table_columns(item: CatalogObject) -> list[TableColumn]:
    """A table's columns as the data plane takes them."""
    return [
        TableColumn(column.name, column.data_type, column.nullable, column.default, column.identity)
        for column in item.columns
    ]


class CatalogResolver:
    """`types.Resolver` over the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.user_functions = Functions(account)

    @property
    def account(self) -> Account:
        """The account whose catalog answers."""
        return self._account

    def relation(self, parts: Sequence[str], session: SessionContext) -> Relation:
        """A table, a view, or one of INFORMATION_SCHEMA or ACCOUNT_USAGE.

        Raises 2003 where it is not visible, 606 without a warehouse.
        """
        with self._account.lock:
            full = self._full(tuple(parts), session)
            if full[:2] == ("SNOWFLAKE", "ACCOUNT_USAGE"):
                found = account_usage.view(self._account, session, full[2])
                self.need_warehouse(session)
                return Relation("rows", full, result=found)
            if full[1] == "INFORMATION_SCHEMA":
                self._database(full, session)
                found = information_schema.view(self._account, session, full[0], full[2])
                self.need_warehouse(session)
                return Relation("rows", full, result=found)
            item = self._item(full, session)
            if item is not None and item.kind == "stream":
                self.need_warehouse(session)
                return stream_reading.relation(self._account, item)
            if item is None or item.kind not in ("table", "view"):
                raise errors.not_found("Object", identifiers.dotted(parts), in_query=True)
            self.need_warehouse(session)
            if item.kind == "table":
                self._account.note_table(item.number)
            query = item.properties.get("QUERY") if item.kind == "view" else None
            return Relation(item.kind, full, query=query, columns=table_columns(item))

    def need_warehouse(self, session: SessionContext) -> None:
        """Raise 606 without a current warehouse; a suspended one is resumed when it resumes by itself."""
        if self._account.is_compiling:
            return
        if session.warehouse is None and session.task_run is not None and session.task_run.serverless:
            return  # serverless compute
        warehouse = self._account.catalog.get(ACCOUNT, "warehouse", session.warehouse) if session.warehouse else None
        if warehouse is None:
            raise errors.no_warehouse()
        if is_adaptive(warehouse) and warehouse.state.get("disabled"):
            raise SqlError(606, "57P03", f"Warehouse '{warehouse.name}' is disabled and takes no new jobs.")
        if warehouse.state.get("state") == "SUSPENDED" and not is_adaptive(warehouse):
            if not warehouse.properties.get("AUTO_RESUME", True):
                raise SqlError(606, "57P03", f"Warehouse '{warehouse.name}' cannot be resumed: AUTO_RESUME is off.")
            warehouse.state["state"] = "STARTED"

    def context_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Any:
        """The value of a context or system function."""
        return context.call(self._account, name, list(arguments), session)

    def table_function(self, name: str, arguments: Sequence[Any], session: SessionContext) -> Result:
        """RESULT_SCAN and what `context.TABLE_FUNCTIONS` knows. Raises 002141 for any other."""
        for function in context.TABLE_FUNCTIONS:
            result = function(self._account, name, arguments, session)
            if result is not None:
                return result
        if name.upper() == "RESULT_SCAN" and len(arguments) == 1:
            return context.result_scan(self._account, arguments[0])
        raise errors.compilation(2141, "42P13", f"Unknown table function {name.upper()}")

    def staged(
        self, location: str, file_format: str | None, pattern: str | None, session: SessionContext
    ) -> StagedRows:
        """The files a stage in FROM means. Raises 002003, 003001 and, without a warehouse, 000606."""
        self.need_warehouse(session)
        return staged_rows.of_query(self._account, location, file_format, pattern, session)

    def directory(self, location: str, session: SessionContext) -> str:
        """A directory table as a file of JSON lines."""
        self.need_warehouse(session)
        found = stage_places.locate(self._statement(session), location, "READ")
        return str(directory.rows_file(self._account, found.stage))

    def stage(self, location: str, session: SessionContext) -> StageHandle:
        """A stage that a file function names."""
        found = stage_places.locate(self._statement(session), location, "READ")
        return file_urls.handle(self._account, found.stage)

    def _statement(self, session: SessionContext) -> Statement:
        return Statement(self._account, session, "SELECT 1", (), "")

    def require(self, privilege: str, relation: Relation, session: SessionContext) -> None:
        """Raise 2003 where the relation is invisible and 3001 where it is visible without the privilege."""
        if relation.kind == "rows":
            return
        access = self._account.access
        with self._account.lock:
            item = self._item(relation.name, session)
            if item is None:
                raise errors.not_found("Object", identifiers.dotted(relation.name), in_query=True)
            if item.kind == "stream":
                stream_reading.check_readable(self._account, item, session)
            elif not access.holds(access.active(session), item, privilege):
                raise errors.insufficient(item.kind, item.name)

    def view_session(self, relation: Relation, session: SessionContext) -> SessionContext:
        """A session that acts as the view's owner: what a view reads, its owner reads."""
        with self._account.lock:
            item = self._item(relation.name, session)
            owner = self._account.catalog.objects.get(item.owner) if item is not None and item.owner else None
        if item is None or owner is None:
            return session
        acting = replace(session, role=owner.name, secondary_roles="NONE")
        acting.database, acting.schema = relation.name[0], relation.name[1]
        return acting

    def _full(self, parts: tuple[str, ...], session: SessionContext) -> tuple[str, str, str]:
        if len(parts) < 3 and session.database is None:
            raise errors.no_database("SELECT")
        if len(parts) == 1 and session.schema is None:
            raise errors.no_schema("SELECT")
        prefix = (session.database or "", session.schema or "")
        full = (*prefix[: 3 - len(parts)], *parts)
        return full[0], full[1], full[2]

    def _database(self, full: tuple[str, str, str], session: SessionContext) -> CatalogObject:
        access = self._account.access
        found = self._account.catalog.get(ACCOUNT, "database", full[0])
        if found is None or not access.sees(access.active(session), found):
            raise errors.not_found("Database", identifiers.printed(full[0]))
        return found

    def _item(self, full: tuple[str, str, str], session: SessionContext) -> CatalogObject | None:
        catalog, access = self._account.catalog, self._account.access
        roles = access.active(session)
        database = self._database(full, session)
        schema = catalog.get(database.number, "schema", full[1])
        if schema is None or not access.sees(roles, schema):
            raise errors.not_found("Schema", identifiers.dotted(full[:2]))
        item = catalog.get(schema.number, "relation", full[2])
        if item is None or item.hidden_from(session.session_id):
            return None
        return item if access.sees(roles, item) else None
