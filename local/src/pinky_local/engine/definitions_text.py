"""GET_DDL for tables and views. https://docs.snowflake.com/en/sql-reference/functions/get_ddl"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinky_local.engine import context, errors, identifiers
from pinky_local.engine.catalog import CatalogObject, Column, Constraint
from pinky_local.engine.columns import CHECK, FOREIGN
from pinky_local.engine.statement import Statement


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def get_ddl(statement: Statement, arguments: Sequence[Any]) -> str:
    """GET_DDL('TABLE' | 'VIEW', 'name' [, use_fully_qualified_names]) for whoever sees the object."""
    if not 2 <= len(arguments) <= 3:
        raise errors.compilation(938, "22023", "not enough arguments for function [GET_DDL], expected 2")
    kind, parts = str(arguments[0]).upper(), identifiers.parse_dotted(str(arguments[1]))
    qualified = len(arguments) == 3 and str(arguments[2]).upper() == "TRUE"
    if kind not in ("TABLE", "VIEW"):
        raise errors.unsupported(f"GET_DDL of {kind}")
    found = statement.lookup("table", parts) or statement.lookup("view", parts)
    if found is None or not statement.access.sees(statement.roles, found):
        raise errors.not_found("Object", identifiers.dotted(parts))
    name = statement.catalog.printed(found) if qualified else identifiers.printed(found.name)
    return _view(statement, found, name) if found.kind == "view" else _table(statement, found, name)


def _view(statement: Statement, item: CatalogObject, name: str) -> str:
    if item.state.get("SECURE") and item.owner not in statement.roles:
        raise errors.insufficient("view", item.name)
    secure = "secure " if item.state.get("SECURE") else ""
    columns = [
        "\t" + identifiers.printed(column.name) + (f" COMMENT {_text(column.comment)}" if column.comment else "")
        for column in item.columns
    ]
    comment = f" COMMENT={_text(item.properties['COMMENT'])}\n" if item.properties.get("COMMENT") else ""
    listed = ",\n".join(columns)
    return f"create or replace {secure}view {name}(\n{listed}\n){comment} as {item.properties['QUERY']};"


def _column(column: Column) -> str:
    words = [identifiers.printed(column.name), column.data_type]
    if column.collation:
        words.append(f"COLLATE {_text(column.collation)}")
    if not column.nullable:
        words.append("NOT NULL")
    if column.expression is not None:
        words.append(f"AS ({column.expression})")
    elif column.identity is not None:
        start, step = column.identity
        words.append(f"autoincrement start {start} increment {step} {'order' if column.ordered else 'noorder'}")
    elif column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.comment:
        words.append(f"COMMENT {_text(column.comment)}")
    return "\t" + " ".join(words)


def _constraint(statement: Statement, constraint: Constraint) -> str:
    named = (
        "" if constraint.name.startswith("SYS_CONSTRAINT_") else f"constraint {identifiers.printed(constraint.name)} "
    )
    if constraint.kind == CHECK:
        return f"\t{named}check ({constraint.options['CHECK']})"
    text = f"\t{named}{constraint.kind.lower()} ({', '.join(map(identifiers.printed, constraint.columns))})"
    if constraint.kind == FOREIGN and constraint.target is not None:
        target = statement.catalog.objects.get(constraint.target)
        if target is not None:
            columns = ", ".join(map(identifiers.printed, constraint.target_columns))
            text += f" references {statement.catalog.printed(target)}({columns})"
    return text


def _table(statement: Statement, item: CatalogObject, name: str) -> str:
    words = [word for word in ("TEMPORARY", "TRANSIENT") if item.state.get(word)]
    cluster = item.state.get("cluster_by")
    lines = [_column(column) for column in item.columns]
    lines += [_constraint(statement, constraint) for constraint in item.constraints]
    text = f"create or replace {' '.join([*words, 'TABLE'])} {name}"
    text += f" cluster by {cluster.removeprefix('LINEAR')}" if cluster else ""
    text += " (\n" + ",\n".join(lines) + "\n)"
    if item.properties.get("CHANGE_TRACKING"):
        text += " CHANGE_TRACKING = TRUE"
    for key in ("DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"):
        if key in item.parameters:
            text += f" {key} = {item.parameters[key]}"
    if item.properties.get("COMMENT"):
        text += f" COMMENT={_text(item.properties['COMMENT'])}"
    return text + "\n;"


context.NEEDS_STATEMENT["GET_DDL"] = get_ddl
