"""COMMENT ON, TRUNCATE TABLE, session variables, warehouses that start and stop, DESCRIBE of account objects."""

from __future__ import annotations

from typing import Any

from pinky_local.engine import errors, families, show, tables
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import read_kind
from pinky_local.engine.lexer import NUMBER, STRING
from pinky_local.engine.session import SET_TYPE
from pinky_local.engine.spec import ShowColumn
from pinky_local.engine.specs import TYPES
from pinky_local.engine.specs.account import NOT_OF_SERVICES
from pinky_local.engine.statement import Statement, rows, status
from pinky_local.types import Result, ResultColumn


def comment(statement: Statement) -> Result:
    """Run COMMENT [IF EXISTS] ON type name IS 'text', and ON COLUMN table.column."""
    tokens = statement.tokens
    tokens.expect("COMMENT")
    if_exists = tokens.accept("IF", "EXISTS")
    tokens.expect("ON")
    column: str | None = None
    if tokens.accept("COLUMN"):
        spec, (*table, column) = TYPES["table"], tokens.name(4)
        parts, signature = tuple(table), ""
        if not parts:
            raise tokens.unexpected()
    else:
        spec = read_kind(statement)
        parts = tokens.name()
        signature = families.read_signature(statement, spec.kind)
    tokens.expect("IS")
    text = statement.text_value()
    statement.finish_parsing()
    if spec.property_named("COMMENT") is None:
        raise errors.unsupported(f"COMMENT ON {spec.words}")
    item = statement.existing(spec.kind, parts, if_exists=if_exists, signature=signature)
    if item is not None:
        statement.require(item, "MODIFY", "OWNERSHIP")
        families.check_change(statement, item)
        if column is not None:
            tables.draft_column(item, column).comment = text or None
        else:
            item.properties["COMMENT"] = text
        statement.account.changed = True
    return status("Statement executed successfully.")


def truncate(statement: Statement) -> Result:
    """Run TRUNCATE [TABLE] [IF EXISTS] name."""
    tokens = statement.tokens
    tokens.expect("TRUNCATE")
    tokens.accept("TABLE")
    if_exists = tokens.accept("IF", "EXISTS")
    parts = tokens.name()
    statement.finish_parsing()
    item = statement.existing("table", parts, if_exists=if_exists)
    if item is not None:
        statement.require(item, "TRUNCATE", "DELETE")
        data = statement.account.data
        if data is None:
            raise errors.unsupported("TRUNCATE: this account has no data plane (install the extra [data])")
        data.truncate(tables.table_name(statement, item), statement.session)
    return status("Statement executed successfully.")


def set_variable(statement: Statement) -> Result:
    """Run SET name = literal."""
    tokens = statement.tokens
    tokens.expect("SET")
    name = tokens.identifier()
    tokens.expect_symbol("=")
    token = tokens.token
    if token.kind not in (STRING, NUMBER) and token.value not in ("TRUE", "FALSE"):
        raise errors.unsupported("SET with anything but a literal")
    tokens.index += 1
    statement.finish_parsing()
    value: Any = token.value
    if token.kind == NUMBER:
        value = int(token.value) if token.value.isdigit() else float(token.value)
    elif token.kind != STRING:
        value = token.value == "TRUE"
    statement.session.variables[name] = value
    return status("Statement executed successfully.", SET_TYPE)


def unset_variable(statement: Statement) -> Result:
    """Run UNSET name, or UNSET (name, …)."""
    tokens = statement.tokens
    tokens.expect("UNSET")
    parenthesised = tokens.accept_symbol("(")
    names = [tokens.identifier()]
    while parenthesised and tokens.accept_symbol(","):
        names.append(tokens.identifier())
    if parenthesised:
        tokens.expect_symbol(")")
    statement.finish_parsing()
    for name in names:
        statement.session.variables.pop(name, None)
    return status("Statement executed successfully.", SET_TYPE)


def describe_user(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE USER as property, value, default, description. Passwords and keys are masked."""
    values: list[list[Any]] = [["NAME", item.name, None, "Name"]]
    service = item.properties.get("TYPE") in ("SERVICE", "SERVICE_AGENT")
    for prop in TYPES["user"].properties:
        if prop.parameter or prop.name in ("ALLOWED_INTERFACES", "WORKLOAD_IDENTITY"):
            continue
        value = item.properties.get(prop.name, prop.default)
        if service and prop.name in NOT_OF_SERVICES:
            value = prop.default  # kept, and not told
        if prop.name in ("LOGIN_NAME", "DISPLAY_NAME") and value is None:
            value = item.name
        if prop.name == "PASSWORD":
            value = "********" if value else None
        if prop.name == "DEFAULT_SECONDARY_ROLES":
            value = "[" + ",".join(f'"{name}"' for name in value) + "]"
        elif isinstance(value, bool):
            value = "true" if value else "false"
        default = prop.default if not isinstance(prop.default, list) else '["ALL"]'
        shown = ("true" if default else "false") if isinstance(default, bool) else default
        text = "null" if value is None else str(value)
        values.append(
            [prop.name, text, "null" if shown is None else str(shown), prop.name.replace("_", " ").capitalize()]
        )
    identity = "true" if item.properties.get("WORKLOAD_IDENTITY") else "false"
    values.append(["HAS_WORKLOAD_IDENTITY", identity, "false", "Has workload identity"])
    names = ("property", "value", "default", "description")
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


_BRIEF = (
    ShowColumn("created_on", lambda _, item: item.created_on, "timestamp_ltz"),
    ShowColumn("name", lambda _, item: item.name),
    ShowColumn("kind", lambda s, item: s.spec(item).words),
)


def describe_brief(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE WAREHOUSE: created_on, name, kind."""
    return show.table(statement, _BRIEF, [item], show.DESCRIBE_TYPE)


families.DESCRIBE |= {"user": describe_user, "warehouse": describe_brief}
