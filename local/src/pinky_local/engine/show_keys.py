"""SHOW COLUMNS, SHOW PRIMARY | UNIQUE | IMPORTED | EXPORTED KEYS.

All are cut off silently at 10,000 rows: so says the page of SHOW COLUMNS; for the keys it is a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pinky_local.engine import errors, identifiers, show, tables
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.columns import FOREIGN, PRIMARY, UNIQUE
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_COLUMNS = (
    "table_name", "schema_name", "column_name", "data_type", "null?", "default", "kind", "expression", "comment",
    "database_name", "autoincrement", "schema_evolution_record",
)  # fmt: skip
_KEYS = (
    "created_on", "database_name", "schema_name", "table_name", "column_name", "key_sequence", "constraint_name",
    "rely", "comment",
)  # fmt: skip
_IMPORTED = (
    "created_on", "pk_database_name", "pk_schema_name", "pk_table_name", "pk_column_name", "fk_database_name",
    "fk_schema_name", "fk_table_name", "fk_column_name", "key_sequence", "update_rule", "delete_rule", "fk_name",
    "pk_name", "deferrability", "rely", "comment",
)  # fmt: skip


def _relations(statement: Statement, *kinds: str) -> Iterator[CatalogObject]:
    """The tables (and views) that IN names, as far as the session sees them."""
    access, catalog = statement.access, statement.catalog
    scope, single = _scope(statement, kinds)
    statement.finish_parsing()
    if single:
        yield _find(statement, single, kinds)
        return
    for number in show.containers_below(statement, TYPES["table"], scope):
        found = [item for kind in kinds for item in catalog.of_kind(number, kind)]
        for item in sorted(found, key=lambda item: item.name):
            if access.sees(statement.roles, item) and not item.hidden_from(statement.session.session_id):
                yield item


def _scope(statement: Statement, kinds: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    tokens, session = statement.tokens, statement.session
    database = statement.catalog.get(ACCOUNT, "database", session.database) if session.database else None
    current = database.number if database is not None else ACCOUNT
    if not tokens.accept("IN"):
        return current, ()
    if tokens.accept("ACCOUNT"):
        return ACCOUNT, ()
    if tokens.word() in ("DATABASE", "SCHEMA"):
        bare = tokens.tokens[tokens.index + 1].kind not in ("word", "quoted")
        if bare and (tokens.word() == "DATABASE" or session.schema is None):
            tokens.index += 1
            return current, ()
        return show.read_container(statement), ()
    for word in ("TABLE", "VIEW"):
        if tokens.word() == word and word.lower() in kinds:
            tokens.index += 1
            break
    if not tokens.at_identifier():
        return current, ()
    return ACCOUNT, tokens.name()


def _find(statement: Statement, parts: tuple[str, ...], kinds: tuple[str, ...]) -> CatalogObject:
    for kind in kinds:
        item = statement.lookup(kind, parts)
        if item is not None and statement.access.sees(statement.roles, item):
            return item
    raise errors.not_found("Table", identifiers.dotted(parts))


def _result(names: tuple[str, ...], values: list[list[Any]]) -> Result:
    kinds = {"created_on": ("timestamp_ltz", 3), "key_sequence": ("fixed", 0)}
    columns = []
    for name in names:
        kind, scale = kinds.get(name, ("text", None))
        precision, length = (38 if kind == "fixed" else None), (16_777_216 if kind == "text" else None)
        columns.append(ResultColumn(name, kind, precision=precision, scale=scale, length=length))
    return rows(columns, values[: show.CEILING], show.SHOW_TYPE)


def show_columns(statement: Statement) -> Result:
    """Answer SHOW COLUMNS."""
    pattern = show.like_pattern(statement.tokens.string()) if statement.tokens.accept("LIKE") else None
    values: list[list[Any]] = []
    for item in _relations(statement, "table", "view"):
        database, schema, table = statement.catalog.path(item)
        for column in item.columns:
            if pattern is not None and not pattern.fullmatch(column.name):
                continue
            values.append([
                table, schema, column.name, json.dumps(tables.wire_type(column), separators=(",", ":")),
                "true" if column.nullable else "NOT_NULL", column.default or "",
                "COLUMN" if column.expression is None else "VIRTUAL_COLUMN", column.expression or "",
                column.comment or "", database, tables.default_text(column) if column.identity else "", None,
            ])  # fmt: skip
    return _result(_COLUMNS, values)


def _keys(kind: str) -> Any:
    def answer(statement: Statement) -> Result:
        values: list[list[Any]] = []
        for item in _relations(statement, "table"):
            path = statement.catalog.path(item)
            for key in item.constraints:
                if key.kind != kind:
                    continue
                rely = "true" if key.options.get("RELY") == "RELY" else "false"
                for sequence, column in enumerate(key.columns, 1):
                    values.append([key.created_on, *path, column, sequence, key.name, rely, key.comment])
        return _result(_KEYS, values)

    return answer


def _foreign_row(statement: Statement, item: CatalogObject, key: Any, sequence: int) -> list[Any]:
    target = statement.catalog.objects[key.target]
    named = [k.name for k in target.constraints if k.columns == key.target_columns and k.kind in (PRIMARY, UNIQUE)]
    options = key.options
    return [
        key.created_on, *statement.catalog.path(target), key.target_columns[sequence - 1],
        *statement.catalog.path(item), key.columns[sequence - 1], sequence, options.get("UPDATE", "NO ACTION"),
        options.get("DELETE", "NO ACTION"), key.name, named[0] if named else None, "NOT DEFERRABLE",
        "true" if options.get("RELY") == "RELY" else "false", key.comment,
    ]  # fmt: skip


def show_imported_keys(statement: Statement) -> Result:
    """Answer SHOW IMPORTED KEYS: foreign keys of the tables named."""
    values = []
    for item in _relations(statement, "table"):
        for key in item.constraints:
            if key.kind == FOREIGN and key.target in statement.catalog.objects:
                values += [_foreign_row(statement, item, key, n) for n in range(1, len(key.columns) + 1)]
    return _result(_IMPORTED, values)


def show_exported_keys(statement: Statement) -> Result:
    """Answer SHOW EXPORTED KEYS: foreign keys that point at the tables named."""
    wanted = {item.number for item in _relations(statement, "table")}
    values = []
    for item in statement.catalog.objects.values():
        for key in item.constraints:
            if key.kind == FOREIGN and key.target in wanted and statement.access.sees(statement.roles, item):
                values += [_foreign_row(statement, item, key, n) for n in range(1, len(key.columns) + 1)]
    return _result(_IMPORTED, values)


show.SPECIAL["COLUMNS"] = show_columns
show.SPECIAL["PRIMARY KEYS"] = _keys(PRIMARY)
show.SPECIAL["UNIQUE KEYS"] = _keys(UNIQUE)
show.SPECIAL["IMPORTED KEYS"] = show_imported_keys
show.SPECIAL["EXPORTED KEYS"] = show_exported_keys
