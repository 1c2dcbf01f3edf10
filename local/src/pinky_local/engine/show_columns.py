"""Columns that SHOW has for many types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.spec import Getter, ShowColumn

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement


def owner_name(statement: Statement, item: CatalogObject) -> str:
    """The owner role's name; empty for what the system owns."""
    owner = statement.catalog.objects.get(item.owner) if item.owner is not None else None
    return owner.name if owner is not None else ""


def owner_role_type(statement: Statement, item: CatalogObject) -> str:
    """ROLE or DATABASE_ROLE; empty for what the system owns."""
    owner = statement.catalog.objects.get(item.owner) if item.owner is not None else None
    return "" if owner is None else owner.kind.upper()


def database_name(statement: Statement, item: CatalogObject) -> str:
    """The database an object is in."""
    return statement.catalog.path(item)[0]


def schema_name(statement: Statement, item: CatalogObject) -> str:
    """The schema an object is in."""
    return statement.catalog.path(item)[1]


def is_current(statement: Statement, item: CatalogObject) -> str:
    """Y for the session's current database, schema, warehouse or role."""
    session = statement.session
    if item.kind == "schema":
        return yes((session.database, session.schema) == statement.catalog.path(item))
    current = {"database": session.database, "warehouse": session.warehouse, "role": session.role}
    return yes(current.get(item.kind) == item.name)


def is_default(statement: Statement, item: CatalogObject) -> str:
    """Y for the user's default role or warehouse."""
    user = statement.catalog.get(ACCOUNT, "user", statement.session.user)
    if user is None or item.kind not in ("role", "warehouse"):
        return "N"
    return yes(user.properties.get(f"DEFAULT_{item.kind.upper()}") == item.name)


def yes(value: object) -> str:
    """Y or N."""
    return "Y" if value else "N"


def declared(name: str, *, empty: Any = None) -> Getter:
    """The value of a property."""

    def get(statement: Statement, item: CatalogObject) -> Any:
        value = item.properties.get(name)
        if value is None:
            for prop in statement.spec(item).properties:
                if prop.name == name:
                    value = prop.default
        return empty if value is None else value

    return get


def fixed(value: Any) -> Getter:
    """The same value for every object: what this account does not keep."""

    def get(statement: Statement, item: CatalogObject) -> Any:
        return value

    return get


def retention_time(statement: Statement, item: CatalogObject) -> str:
    """DATA_RETENTION_TIME_IN_DAYS in force, as text."""
    from pinky_local.engine import parameters  # parameters needs specs for nothing, but specs load first

    value, _ = parameters.effective(statement, parameters.PARAMETERS["DATA_RETENTION_TIME_IN_DAYS"], item)
    return str(value)


CREATED_ON = ShowColumn("created_on", lambda _, item: item.created_on, "timestamp_ltz")
NAME = ShowColumn("name", lambda _, item: item.name)
DATABASE_NAME = ShowColumn("database_name", database_name)
SCHEMA_NAME = ShowColumn("schema_name", schema_name)
OWNER = ShowColumn("owner", owner_name)
OWNER_ROLE_TYPE = ShowColumn("owner_role_type", owner_role_type)
COMMENT = ShowColumn("comment", declared("COMMENT", empty=""))
IS_CURRENT = ShowColumn("is_current", is_current)
IS_DEFAULT = ShowColumn("is_default", is_default)
