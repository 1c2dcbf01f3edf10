"""CREATE TABLE in its forms, CREATE OR ALTER TABLE, and DESCRIBE TABLE.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-table and desc-table.
"""

from __future__ import annotations

import copy
from typing import Any

from pinky_local.engine import columns as definitions
from pinky_local.engine import contacts, errors, families, show
from pinky_local.engine.catalog import CatalogObject, Column
from pinky_local.engine.columns import PRIMARY, UNIQUE, Definition
from pinky_local.engine.create import Creation
from pinky_local.engine.datatypes import parse
from pinky_local.engine.properties import read_settings, read_tags_clause
from pinky_local.engine.resolver import table_columns
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn, SqlError, TableColumn

Name = tuple[str, str, str]


def table_name(statement: Statement, item: CatalogObject) -> Name:
    """The full name as the data plane takes it."""
    database, schema, name = statement.catalog.path(item)
    return database, schema, name


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE TABLE name."""
    tokens = statement.tokens
    if tokens.word() in ("CLONE", "LIKE"):
        _read_copy(statement, creation)
        return
    definition = Definition()
    untyped: list[str] = []
    start = tokens.index
    cluster_by: str | None = None
    query: str | None = None
    while not tokens.at_end():
        if tokens.is_symbol("(") and not untyped and not definition.columns:
            if _names_only(statement):
                untyped = definitions.read_names(statement)
            else:
                definition = definitions.read_definitions(statement)
        elif tokens.accept("CLUSTER", "BY"):
            cluster_by = read_clustering(statement)
        elif tokens.accept("COPY", "GRANTS"):
            creation.copy_grants = True
        elif tokens.accept("COPY", "TAGS"):
            creation.copy_tags = True
        elif tokens.accept("AS"):
            query = tokens.rest()
        elif contacts.read_clause(statement, creation):
            continue
        elif tokens.word() == "WITH" and tokens.word(1) in ("ROW", "AGGREGATION", "STORAGE", "JOIN"):
            raise errors.unsupported(f"WITH {tokens.word(1)} in CREATE TABLE")
        elif not read_tags_clause(statement, creation.settings):
            before = tokens.index
            read_settings(statement, TYPES["table"], creating=True, settings=creation.settings)
            if tokens.index == before:
                raise tokens.unexpected()
    if query is None and not definition.columns:
        tokens.index = start
        raise tokens.unexpected()
    if query is not None and creation.mode == "alter":
        raise errors.unsupported("CREATE OR ALTER TABLE with AS SELECT")
    creation.build.append(lambda item: _build(statement, item, definition, cluster_by, query, untyped))
    creation.alter.append(lambda draft: _alter_to(statement, draft, definition, cluster_by))
    creation.finish.append(lambda item: _create_rows(statement, item, query))


def _names_only(statement: Statement) -> bool:
    """Whether a parenthesis holds bare names, as before AS SELECT."""
    after = statement.tokens.tokens[statement.tokens.index + 2]
    return after.kind == "symbol" and after.value in (",", ")")


def read_clustering(statement: Statement) -> str:
    """Read (expression, …) and return it as SHOW TABLES prints it: LINEAR(A, B)."""
    tokens = statement.tokens
    tokens.accept("LINEAR")
    first = tokens.index + 1
    tokens.balanced()
    text = definitions.spelled(statement, first, tokens.index - 1)
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    return f"LINEAR({', '.join(parts)})"


def check_clustering(item: CatalogObject) -> None:
    """Raise 904 where a clustering key names a column the table does not have."""
    from pinky_local.engine.lexer import QUOTED, WORD, tokenize

    known = {column.name for column in item.columns}
    tokens = tokenize(str(item.state.get("cluster_by") or "").removeprefix("LINEAR"))
    for index, token in enumerate(tokens[:-1]):
        called = tokens[index + 1].value == "(" and tokens[index + 1].kind == "symbol"
        cast = index > 0 and tokens[index - 1].value in ("::", "AS")
        if token.kind in (WORD, QUOTED) and not called and not cast and token.value not in known:
            raise errors.invalid_identifier(token.value)


def _build(
    statement: Statement,
    item: CatalogObject,
    definition: Definition,
    cluster_by: str | None,
    query: str | None,
    untyped: list[str],
) -> None:
    item.columns = definition.columns
    if query is not None:
        item.columns = _selected(statement, definition, query, untyped)
    item.constraints = definition.constraints
    definition.resolve(statement, item)
    if cluster_by is not None:
        item.state["cluster_by"] = cluster_by
        check_clustering(item)
    if query is not None:
        _select_rows(statement, item, query)


def _selected(statement: Statement, definition: Definition, query: str, untyped: list[str]) -> list[Column]:
    """The columns of CREATE TABLE … AS SELECT."""
    found = [Column(column.name, column.data_type, column.nullable) for column in describe_query(statement, query)]
    names = untyped or [column.name for column in definition.columns]
    if names and len(names) != len(found):
        text = f"Invalid column definition list: {len(names)} columns, the query returns {len(found)}."
        raise errors.compilation(2026, "21S01", text)
    if definition.columns:
        return definition.columns
    for column, name in zip(found, untyped, strict=False):
        column.name = name
    definitions.check_unique(found)
    return found


def describe_query(statement: Statement, query: str) -> list[TableColumn]:
    """The columns of a query. Raises 000002 without a data plane."""
    describe = getattr(statement.account.data, "describe", None)
    if describe is None:
        raise errors.unsupported("AS SELECT: this account has no data plane (install the extra [data])")
    with statement.account.compiling():
        return list(describe(query, statement.session, statement.account.resolver))


def _select_rows(statement: Statement, item: CatalogObject, query: str) -> None:
    """Run the query of CREATE TABLE … AS SELECT while a table to be replaced is still there to be read."""
    data = statement.account.data
    fill = getattr(data, "insert_query", None)
    if data is None or fill is None:
        raise errors.unsupported("AS SELECT: this account has no data plane (install the extra [data])")
    resolver = statement.account.resolver
    resolver.need_warehouse(statement.session)
    aside = _aside(statement, item)
    data.create_table(aside, table_columns(item))
    try:
        fill(aside, query, statement.session, statement.binds, resolver, table_columns(item))
    except SqlError:
        data.drop(aside)
        raise


def _aside(statement: Statement, item: CatalogObject) -> Name:
    """Where rows wait until the table is in its place; no name of a table begins with a space and a number."""
    database, schema, _ = statement.catalog.path(item)
    return database, schema, f" {item.number}"


def _create_rows(statement: Statement, item: CatalogObject, query: str | None) -> None:
    data = statement.account.data
    if data is None:
        return
    name = table_name(statement, item)
    if query is not None:
        data.rename(_aside(statement, item), name)
    else:
        data.create_table(name, table_columns(item))


def _read_copy(statement: Statement, creation: Creation) -> None:
    """CREATE TABLE … CLONE source and CREATE TABLE … LIKE source."""
    tokens = statement.tokens
    clone = tokens.any_word() == "CLONE"
    parts = tokens.name()
    creation.copy_grants = tokens.accept("COPY", "GRANTS")
    if creation.mode == "alter":
        raise tokens.unexpected()
    found: list[CatalogObject] = []

    def build(item: CatalogObject) -> None:
        source = statement.find("table", parts)
        statement.require(source, "SELECT")
        found.append(source)
        copied = source.draft()
        item.columns, item.constraints = copied.columns, copied.constraints
        for constraint in item.constraints:
            constraint.created_on = statement.now
        item.properties = copied.properties | creation.settings.properties
        item.parameters = copied.parameters
        item.state |= {key: value for key, value in copied.state.items() if key == "cluster_by" or clone}

    def finish(item: CatalogObject) -> None:
        data = statement.account.data
        if data is None:
            return
        name = table_name(statement, item)
        source = found[0]
        if clone and source.number in statement.catalog.objects:
            data.clone(table_name(statement, source), name)
        else:
            data.create_table(name, table_columns(item))

    creation.build.append(build)
    creation.finish.append(finish)


def _alter_to(statement: Statement, draft: CatalogObject, definition: Definition, cluster_by: str | None) -> None:
    """CREATE OR ALTER TABLE of an existing one: columns dropped, changed, and added at the end."""
    from pinky_local.engine import alter_table

    wanted = {column.name: column for column in definition.columns}
    kept = [column for column in draft.columns if column.name in wanted]
    order = [column.name for column in definition.columns]
    if order[: len(kept)] != [column.name for column in kept]:
        raise errors.compilation(391842, "0A000", "CREATE OR ALTER TABLE can add columns only at the end.")
    work: list[Any] = []
    gone = [column.name for column in draft.columns if column.name not in wanted]
    work += [alter_table.drop_column(statement, draft, name, keys=False) for name in gone]
    for column in kept:
        target = wanted[column.name]
        work += alter_table.change_column(statement, draft, draft_column(draft, column.name), target)
    for name in order[len(kept) :]:
        work.append(alter_table.add_column(statement, draft, copy.deepcopy(wanted[name])))
    draft.constraints = _kept_constraints(draft, definition)
    definition.resolve(statement, draft)
    draft.state["cluster_by"] = cluster_by
    check_clustering(draft)
    alter_table.run(work)


def draft_column(item: CatalogObject, name: str) -> Column:
    """A column by name. Raises 904."""
    for column in item.columns:
        if column.name == name:
            return column
    raise errors.invalid_identifier(name)


def _kept_constraints(draft: CatalogObject, definition: Definition) -> list[Any]:
    found = []
    for constraint in definition.constraints:
        same = [c for c in draft.constraints if (c.kind, c.columns) == (constraint.kind, constraint.columns)]
        if same and constraint.name.startswith("SYS_CONSTRAINT_"):
            renamed = same[0].name
            if constraint.name in definition.targets:
                definition.targets[renamed] = definition.targets.pop(constraint.name)
            constraint.name = renamed
            constraint.created_on = same[0].created_on
        found.append(constraint)
    return found


# DESCRIBE --------------------------------------------------------------------------------------------------------

_DESCRIBED = (
    "name", "type", "kind", "null?", "default", "primary key", "unique key", "check", "expression", "comment",
    "policy name", "privacy domain",
)  # fmt: skip


def default_text(column: Column) -> str | None:
    """A column's default as SHOW and DESCRIBE print it."""
    if column.identity is not None:
        start, step = column.identity
        return f"IDENTITY START {start} INCREMENT {step} {'ORDER' if column.ordered else 'NOORDER'}"
    return column.default


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE TABLE and DESCRIBE VIEW."""
    primary = {name for key in item.constraints if key.kind == PRIMARY for name in key.columns}
    unique = {name for key in item.constraints if key.kind == UNIQUE for name in key.columns}
    values = []
    for column in item.columns:
        shown = column.data_type + (f" COLLATE '{column.collation}'" if column.collation else "")
        values.append([
            column.name, shown, "COLUMN" if column.expression is None else "VIRTUAL", "Y" if column.nullable else "N",
            default_text(column), "Y" if column.name in primary else "N", "Y" if column.name in unique else "N", None,
            column.expression, column.comment, None, None,
        ])  # fmt: skip
    names = _DESCRIBED if item.kind == "view" else (*_DESCRIBED, "schema evolution record")
    if item.kind == "table":
        values = [[*row, None] for row in values]
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


def wire_type(column: Column) -> dict[str, Any]:
    """The JSON that SHOW COLUMNS prints for a type."""
    kind = parse(column.data_type)
    numbers = [int(argument) for argument in kind.arguments if argument.isdigit()]
    match kind.family:
        case "NUMBER":
            return {"type": "FIXED", "precision": numbers[0], "scale": numbers[1], "nullable": column.nullable}
        case "FLOAT":
            return {"type": "REAL", "nullable": column.nullable}
        case "VARCHAR":
            octets = min(numbers[0] * 4, 134_217_728 if numbers[0] > 16_777_216 else 16_777_216)
            found = {"type": "TEXT", "length": numbers[0], "byteLength": octets, "nullable": column.nullable}
            return found | {"fixed": False} | ({"collation": column.collation} if column.collation else {})
        case "BINARY":
            size = {"length": numbers[0], "byteLength": numbers[0]}
            return {"type": "BINARY", **size, "nullable": column.nullable, "fixed": True}
        case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return {"type": kind.family, "precision": 0, "scale": numbers[0], "nullable": column.nullable}
    return {"type": kind.family, "nullable": column.nullable}


families.CREATE["table"] = read_create
families.DESCRIBE["table"] = describe
