"""INFORMATION_SCHEMA views as rows. https://docs.snowflake.com/en/sql-reference/info-schema"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinky_local.engine import datatypes, errors
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.types import Result, ResultColumn, SessionContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinky_local.engine.account import Account

_TYPES = {"n": "fixed", "t": "timestamp_ltz", "s": "text", "o": "object"}


def columns_of(declared: str) -> list[ResultColumn]:
    """Columns from NAME, NAME:n (number), NAME:t (timestamp) and NAME:o (object)."""
    found = []
    for word in declared.split():
        name, _, code = word.partition(":")
        kind = _TYPES[code or "s"]
        scale = 0 if kind == "fixed" else 3 if kind == "timestamp_ltz" else None
        length = 16_777_216 if kind == "text" else None
        found.append(ResultColumn(name, kind, precision=38 if kind == "fixed" else None, scale=scale, length=length))
    return found


_VIEWS: dict[str, str] = {
    "DATABASES": "DATABASE_NAME DATABASE_OWNER IS_TRANSIENT COMMENT CREATED:t LAST_ALTERED:t RETENTION_TIME:n TYPE "
    "OWNER_ROLE_TYPE",
    "SCHEMATA": "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER IS_TRANSIENT IS_MANAGED_ACCESS RETENTION_TIME:n "
    "DEFAULT_CHARACTER_SET_CATALOG DEFAULT_CHARACTER_SET_SCHEMA DEFAULT_CHARACTER_SET_NAME SQL_PATH CREATED:t "
    "LAST_ALTERED:t COMMENT OWNER_ROLE_TYPE",
    "TABLES": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT CLUSTERING_KEY ROW_COUNT:n "
    "BYTES:n RETENTION_TIME:n SELF_REFERENCING_COLUMN_NAME REFERENCE_GENERATION USER_DEFINED_TYPE_CATALOG "
    "USER_DEFINED_TYPE_SCHEMA USER_DEFINED_TYPE_NAME IS_INSERTABLE_INTO IS_TYPED COMMIT_ACTION CREATED:t "
    "LAST_ALTERED:t LAST_DDL:t LAST_DDL_BY AUTO_CLUSTERING_ON COMMENT IS_TEMPORARY IS_ICEBERG IS_DYNAMIC IS_IMMUTABLE "
    "IS_HYBRID OWNER_ROLE_TYPE",
    "VIEWS": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE "
    "INSERTABLE_INTO IS_SECURE CREATED:t LAST_ALTERED:t LAST_DDL:t LAST_DDL_BY COMMENT OWNER_ROLE_TYPE",
    "COLUMNS": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION:n COLUMN_DEFAULT IS_NULLABLE "
    "DATA_TYPE CHARACTER_MAXIMUM_LENGTH:n CHARACTER_OCTET_LENGTH:n NUMERIC_PRECISION:n NUMERIC_PRECISION_RADIX:n "
    "NUMERIC_SCALE:n DATETIME_PRECISION:n INTERVAL_TYPE INTERVAL_PRECISION:n CHARACTER_SET_CATALOG "
    "CHARACTER_SET_SCHEMA CHARACTER_SET_NAME COLLATION_CATALOG COLLATION_SCHEMA COLLATION_NAME DOMAIN_CATALOG "
    "DOMAIN_SCHEMA DOMAIN_NAME UDT_CATALOG UDT_SCHEMA UDT_NAME SCOPE_CATALOG SCOPE_SCHEMA SCOPE_NAME "
    "MAXIMUM_CARDINALITY:n DTD_IDENTIFIER IS_SELF_REFERENCING IS_IDENTITY IDENTITY_GENERATION IDENTITY_START "
    "IDENTITY_INCREMENT IDENTITY_MAXIMUM IDENTITY_MINIMUM IDENTITY_CYCLE IDENTITY_ORDERED "
    "SCHEMA_EVOLUTION_RECORD COMMENT",
    "TABLE_CONSTRAINTS": "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME "
    "CONSTRAINT_TYPE IS_DEFERRABLE INITIALLY_DEFERRED ENFORCED COMMENT CREATED:t LAST_ALTERED:t RELY",
}
VIEWS = {name: columns_of(declared) for name, declared in _VIEWS.items()}


class _Reader:
    """The rows a session may see in one database."""

    def __init__(self, account: Account, session: SessionContext, database: CatalogObject) -> None:
        self.account, self.catalog, self.database = account, account.catalog, database
        self.session_id = session.session_id
        self.roles = account.access.active(session)
        self.everything = account.access.holds_account(self.roles, "MANAGE GRANTS")

    def visible(self, parent: int, kind: str) -> list[CatalogObject]:
        touches = self.account.access.touches
        return [
            item
            for item in self.catalog.of_kind(parent, kind)
            if (self.everything or touches(self.roles, item)) and not item.hidden_from(self.session_id)
        ]

    def relations(self, *kinds: str) -> Iterator[tuple[CatalogObject, CatalogObject]]:
        for schema in self.visible(self.database.number, "schema"):
            for kind in kinds:
                for item in self.visible(schema.number, kind):
                    yield schema, item

    def owner(self, item: CatalogObject) -> tuple[str | None, str | None]:
        owner = self.catalog.objects.get(item.owner) if item.owner is not None else None
        return (None, None) if owner is None else (owner.name, owner.kind.upper())

    def retention(self, item: CatalogObject) -> int:
        name = "DATA_RETENTION_TIME_IN_DAYS"
        at: CatalogObject | None = item
        while at is not None:
            if name in at.parameters:
                return int(at.parameters[name])
            at = self.catalog.objects.get(at.parent)
        return int(self.account.parameters.get(name, 1))


def view(account: Account, session: SessionContext, database: str, name: str) -> Result:
    """The rows of one view as this session sees them. Raises 2003 for a view that does not exist here."""
    if name not in VIEWS:
        raise errors.not_found("Object", f"{database}.INFORMATION_SCHEMA.{name}", in_query=True)
    found = account.catalog.get(ACCOUNT, "database", database)
    if found is None:
        raise errors.not_found("Database", database)
    reader = _Reader(account, session, found)
    make = {
        "DATABASES": _databases,
        "SCHEMATA": _schemata,
        "TABLES": _tables,
        "VIEWS": _views,
        "COLUMNS": _column_rows,
        "TABLE_CONSTRAINTS": _constraints,
    }[name]
    columns = VIEWS[name]
    rows = [[values.get(column.name) for column in columns] for values in make(reader)]
    return Result(columns, rows, 0x1000)


def _yes(value: object) -> str:
    return "YES" if value else "NO"


def _common(reader: _Reader, item: CatalogObject, prefix: str) -> dict[str, Any]:
    owner, kind = reader.owner(item)
    return {
        f"{prefix}_OWNER": owner,
        "OWNER_ROLE_TYPE": kind,
        "CREATED": item.created_on,
        "LAST_ALTERED": item.created_on,
        "LAST_DDL": item.created_on,
        "COMMENT": item.properties.get("COMMENT"),
        "IS_TRANSIENT": _yes(item.state.get("TRANSIENT")),
    }


def _databases(reader: _Reader) -> Iterator[dict[str, Any]]:
    for item in reader.visible(ACCOUNT, "database"):
        values = {"DATABASE_NAME": item.name, "RETENTION_TIME": reader.retention(item), "TYPE": "STANDARD"}
        yield _common(reader, item, "DATABASE") | values


def _schemata(reader: _Reader) -> Iterator[dict[str, Any]]:
    for item in reader.visible(reader.database.number, "schema"):
        yield _common(reader, item, "SCHEMA") | {
            "CATALOG_NAME": reader.database.name,
            "SCHEMA_NAME": item.name,
            "IS_MANAGED_ACCESS": _yes(item.state.get("MANAGED")),
            "RETENTION_TIME": reader.retention(item),
        }


def _place(reader: _Reader, schema: CatalogObject, item: CatalogObject) -> dict[str, Any]:
    return {"TABLE_CATALOG": reader.database.name, "TABLE_SCHEMA": schema.name, "TABLE_NAME": item.name}


def _tables(reader: _Reader) -> Iterator[dict[str, Any]]:
    data = reader.account.data
    found = list(reader.relations("table", "view"))
    counts = {}
    if data is not None:
        named = [(schema.name, item.name) for schema, item in found if item.kind == "table"]
        counts = data.row_counts([(reader.database.name, schema, name) for schema, name in named])
    for schema, item in found:
        table = item.kind == "table"
        temporary = bool(item.state.get("TEMPORARY"))
        count = counts.get((reader.database.name, schema.name, item.name)) if table else None
        yield (
            _common(reader, item, "TABLE")
            | _place(reader, schema, item)
            | {
                "TABLE_TYPE": "VIEW" if not table else "LOCAL TEMPORARY" if temporary else "BASE TABLE",
                "CLUSTERING_KEY": item.state.get("cluster_by"),
                "ROW_COUNT": count,
                "RETENTION_TIME": reader.retention(item) if table else None,
                "IS_INSERTABLE_INTO": "YES",
                "IS_TYPED": "YES",
                "AUTO_CLUSTERING_ON": _yes(item.state.get("cluster_by")) if table else None,
                "IS_TEMPORARY": _yes(temporary),
                "IS_ICEBERG": "NO",
                "IS_DYNAMIC": "NO",
                "IS_IMMUTABLE": "NO",
                "IS_HYBRID": "NO",
            }
        )


def _views(reader: _Reader) -> Iterator[dict[str, Any]]:
    for schema, item in reader.relations("view"):
        shown = item.owner in reader.roles or not item.state.get("SECURE")
        yield (
            _common(reader, item, "TABLE")
            | _place(reader, schema, item)
            | {
                "VIEW_DEFINITION": item.state.get("text") if shown else None,
                "CHECK_OPTION": "NONE",
                "IS_UPDATABLE": "NO",
                "INSERTABLE_INTO": "NO",
                "IS_SECURE": _yes(item.state.get("SECURE")),
            }
        )


def _column_rows(reader: _Reader) -> Iterator[dict[str, Any]]:
    for schema, item in reader.relations("table", "view"):
        for position, column in enumerate(item.columns, 1):
            kind = datatypes.parse(column.data_type)
            identity = column.identity
            yield (
                _place(reader, schema, item)
                | _type_values(kind)
                | {
                    "COLUMN_NAME": column.name,
                    "ORDINAL_POSITION": position,
                    "COLUMN_DEFAULT": column.default,
                    "IS_NULLABLE": _yes(column.nullable),
                    "COLLATION_NAME": column.collation,
                    "IS_SELF_REFERENCING": "NO",
                    "IS_IDENTITY": _yes(identity),
                    "IDENTITY_GENERATION": "BY DEFAULT" if identity else None,
                    "IDENTITY_START": str(identity[0]) if identity else None,
                    "IDENTITY_INCREMENT": str(identity[1]) if identity else None,
                    "IDENTITY_CYCLE": "NO" if identity else None,
                    "IDENTITY_ORDERED": _yes(column.ordered) if identity else None,
                    "COMMENT": column.comment,
                }
            )


def _type_values(kind: datatypes.DataType) -> dict[str, Any]:
    values: dict[str, Any] = {"DATA_TYPE": "TEXT" if kind.family == "VARCHAR" else kind.family}
    numbers = [int(argument) for argument in kind.arguments if argument.isdigit()]
    if kind.family == "NUMBER":
        values |= {"NUMERIC_PRECISION": numbers[0], "NUMERIC_PRECISION_RADIX": 10, "NUMERIC_SCALE": numbers[1]}
    elif kind.family == "VARCHAR":
        octets = (
            min(numbers[0] * 4, datatypes.VARCHAR_MAXIMUM)
            if numbers[0] > 16_777_216
            else min(numbers[0] * 4, 16_777_216)
        )
        values |= {"CHARACTER_MAXIMUM_LENGTH": numbers[0], "CHARACTER_OCTET_LENGTH": octets}
    elif kind.family == "BINARY":
        values |= {"CHARACTER_MAXIMUM_LENGTH": numbers[0], "CHARACTER_OCTET_LENGTH": numbers[0]}
    elif kind.family.startswith("TIME"):
        values["DATETIME_PRECISION"] = numbers[0]
    return values


def _constraints(reader: _Reader) -> Iterator[dict[str, Any]]:
    for schema, item in reader.relations("table"):
        for constraint in item.constraints:
            yield _place(reader, schema, item) | {
                "CONSTRAINT_CATALOG": reader.database.name,
                "CONSTRAINT_SCHEMA": schema.name,
                "CONSTRAINT_NAME": constraint.name,
                "CONSTRAINT_TYPE": constraint.kind,
                "IS_DEFERRABLE": "NO",
                "INITIALLY_DEFERRED": "YES",
                "ENFORCED": "NO",
                "COMMENT": constraint.comment,
                "CREATED": constraint.created_on,
                "LAST_ALTERED": constraint.created_on,
                "RELY": _yes(constraint.options.get("RELY") == "RELY"),
            }
