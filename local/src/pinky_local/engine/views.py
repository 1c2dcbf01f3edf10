"""CREATE VIEW and ALTER VIEW. https://docs.snowflake.com/en/sql-reference/sql/create-view and alter-view"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinky_local.engine import contacts, errors, families, identifiers, tables
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject, Column
from pinky_local.engine.columns import check_unique
from pinky_local.engine.create import Creation
from pinky_local.engine.datatypes import VARCHAR_DEFAULT
from pinky_local.engine.properties import check_tag, read_settings, read_tag_values, read_tags_clause
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE VIEW name."""
    tokens = statement.tokens
    named: list[Column] = _read_columns(statement) if tokens.is_symbol("(") else []
    while not tokens.accept("AS"):
        if tokens.accept("COPY", "GRANTS"):
            creation.copy_grants = True
        elif tokens.accept("COPY", "TAGS"):
            creation.copy_tags = True
        elif contacts.read_clause(statement, creation):
            continue
        elif tokens.word() == "WITH" and tokens.word(1) in ("ROW", "AGGREGATION", "JOIN", "MASKING"):
            raise errors.unsupported(f"WITH {tokens.word(1)} in CREATE VIEW")
        elif not read_tags_clause(statement, creation.settings):
            before = tokens.index
            read_settings(statement, TYPES["view"], creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()
    query = tokens.rest()
    creation.build.append(lambda item: _build(statement, item, named, query))


def _read_columns(statement: Statement) -> list[Column]:
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found: list[Column] = []
    while True:
        column = Column(tokens.identifier(), f"VARCHAR({VARCHAR_DEFAULT})")
        found.append(column)
        while tokens.word():
            if tokens.accept("COMMENT"):
                tokens.accept_symbol("=")
                column.comment = statement.text_value() or None
            elif tokens.at("WITH", "TAG") or tokens.at("TAG"):
                tokens.accept("WITH")
                tokens.expect("TAG")
                tokens.expect_symbol("(")
                column.tags.update(read_tag_values(statement))
                tokens.expect_symbol(")")
            else:
                raise errors.unsupported("policies on columns")
        if tokens.accept_symbol(")"):
            check_unique(found)
            return found
        tokens.expect_symbol(",")


def _build(statement: Statement, item: CatalogObject, named: list[Column], query: str) -> None:
    item.properties["QUERY"] = query
    item.state["text"] = statement.tokens.sql.strip().rstrip(";").rstrip()
    data = statement.account.data
    if data is None:
        item.columns = named
        return
    name = tables.table_name(statement, item)
    # https://docs.snowflake.com/en/sql-reference/name-resolution: unqualified names in a view are its own schema's
    inside = replace(statement.session, database=name[0], schema=name[1])
    with statement.account.compiling() as tables_read:
        found = data.create_view(name, query, inside)
    if named and len(named) != len(found):
        text = f"Invalid column definition list: {len(named)} columns, the query returns {len(found)}."
        raise errors.compilation(2026, "21S01", text)
    columns = [Column(column.name, column.data_type, column.nullable) for column in found]
    for column, given in zip(columns, named, strict=False):
        column.name, column.comment, column.tags = given.name, given.comment, given.tags
    check_unique(columns)
    item.columns = columns
    item.state["base_tables"] = list(dict.fromkeys(tables_read))


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read an action that only views have."""
    tokens = statement.tokens
    if tokens.accept("SET", "SECURE"):
        return lambda: _secure(statement, item, on=True)
    if tokens.accept("UNSET", "SECURE"):
        return lambda: _secure(statement, item, on=False)
    if tokens.word() not in ("ALTER", "MODIFY"):
        return None
    tokens.index += 1
    parenthesised = tokens.accept_symbol("(")
    edits: list[Callable[[CatalogObject], None]] = []
    while True:
        tokens.accept("COLUMN")
        edits.append(_read_column_action(statement, tokens.identifier()))
        if not tokens.accept_symbol(","):
            break
    if parenthesised:
        tokens.expect_symbol(")")

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        draft = item.draft()
        for edit in edits:
            edit(draft)
        statement.catalog.replace(item, draft)

    return change


def _read_column_action(statement: Statement, name: str) -> Callable[[CatalogObject], None]:
    tokens = statement.tokens
    if tokens.accept("COMMENT") or tokens.at("UNSET", "COMMENT"):
        text = None if tokens.accept("UNSET", "COMMENT") else statement.text_value() or None

        def comment(draft: CatalogObject) -> None:
            tables.draft_column(draft, name).comment = text

        return comment
    if tokens.accept("SET", "TAG"):
        values = read_tag_values(statement)
        return lambda draft: tables.draft_column(draft, name).tags.update(values)
    tokens.expect("UNSET", "TAG")
    parts = tokens.name()
    statement.deferred_checks.append(lambda: check_tag(statement, parts, None))
    tag = identifiers.dotted(statement.qualified("tag", parts))

    def unset(draft: CatalogObject) -> None:
        tables.draft_column(draft, name).tags.pop(tag, None)

    return unset


def _secure(statement: Statement, item: CatalogObject, *, on: bool) -> None:
    changed(statement, item, "OWNERSHIP")
    item.state["SECURE"] = on


families.CREATE["view"] = read_create
families.ALTER["view"] = read_alter
families.DESCRIBE["view"] = tables.describe
