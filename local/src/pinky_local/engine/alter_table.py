"""ALTER TABLE: columns, constraints, clustering.

Rests on https://docs.snowflake.com/en/sql-reference/sql/alter-table and alter-table-column. Each change edits a draft
and returns what the data plane has to do; the data plane works last, so that a refusal leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pinky_local.engine import columns as definitions
from pinky_local.engine import datatypes, errors, families, identifiers, tables
from pinky_local.engine.alter import changed
from pinky_local.engine.catalog import CatalogObject, Column, Constraint
from pinky_local.engine.columns import FOREIGN, PRIMARY, UNIQUE, Definition
from pinky_local.engine.properties import check_tag, read_tag_values
from pinky_local.engine.statement import Statement
from pinky_local.types import TableColumn

Work = Callable[[], None] | None
Edit = Callable[[CatalogObject], list[Work]]


def run(work: list[Work]) -> None:
    """Let the data plane do what the edits left to it."""
    for step in work:
        if step is not None:
            step()


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read an action that only tables have."""
    edit = _read(statement)
    if edit is None:
        return None

    def change() -> None:
        changed(statement, item, "OWNERSHIP")
        draft = item.draft()
        work = edit(draft)
        run(work)
        statement.catalog.replace(item, draft)

    return change


def _read(statement: Statement) -> Edit | None:
    tokens = statement.tokens
    if tokens.accept("CLUSTER", "BY"):
        text = tables.read_clustering(statement)
        return lambda draft: _cluster(draft, text)
    if tokens.accept("DROP", "CLUSTERING", "KEY"):
        return lambda draft: _cluster(draft, None)
    if tokens.word() in ("SUSPEND", "RESUME") and tokens.word(1) == "RECLUSTER":
        off = tokens.any_word() == "SUSPEND"
        tokens.expect("RECLUSTER")
        return lambda draft: _set_state(draft, "reclustering_off", value=off)
    if tokens.accept("RENAME", "COLUMN"):
        old = tokens.identifier()
        tokens.expect("TO")
        new = tokens.identifier()
        return lambda draft: [rename_column(statement, draft, old, new)]
    if tokens.accept("RENAME", "CONSTRAINT"):
        old = tokens.identifier()
        tokens.expect("TO")
        new = tokens.identifier()
        return lambda draft: _rename_constraint(draft, old, new)
    if tokens.accept("ADD"):
        return _read_add(statement)
    if tokens.accept("DROP"):
        return _read_drop(statement)
    if tokens.word() in ("ALTER", "MODIFY"):
        tokens.index += 1
        return _read_modify(statement)
    return None


def _set_state(draft: CatalogObject, key: str, *, value: bool) -> list[Work]:
    draft.state[key] = value
    return []


def _cluster(draft: CatalogObject, text: str | None) -> list[Work]:
    draft.state["cluster_by"] = text
    tables.check_clustering(draft)
    return []


# ADD -------------------------------------------------------------------------------------------------------------


def _read_add(statement: Statement) -> Edit:
    tokens = statement.tokens
    for words in (("ROW", "ACCESS"), ("SEARCH", "OPTIMIZATION"), ("STORAGE", "LIFECYCLE"), ("DATA", "METRIC")):
        if tokens.at(*words):
            raise errors.unsupported(f"ALTER TABLE ADD {' '.join(words)}")
    if (
        tokens.word() == "CONSTRAINT"
        or tokens.at("PRIMARY", "KEY")
        or tokens.at("FOREIGN", "KEY")
        or (tokens.word() in ("UNIQUE", "CHECK") and tokens.is_symbol("(", 1))
    ):
        definition = Definition()
        definitions.read_constraint(statement, definition, [])
        return lambda draft: _add_constraints(statement, draft, definition)
    definition = Definition()
    optional: set[str] = set()
    tokens.accept("COLUMN")
    parenthesised = tokens.accept_symbol("(")
    while True:
        tokens.accept("COLUMN")
        skip = tokens.accept("IF", "NOT", "EXISTS")
        column = definitions.read_column(statement, definition)
        if skip:
            optional.add(column.name)
        if not tokens.accept_symbol(","):
            break
    if parenthesised:
        tokens.expect_symbol(")")
    definitions.check_unique(definition.columns)

    def edit(draft: CatalogObject) -> list[Work]:
        present = {column.name for column in draft.columns}
        work: list[Work] = []
        for column in definition.columns:
            if column.name in present and column.name in optional:
                continue
            work.append(add_column(statement, draft, column))
        return work + _add_constraints(statement, draft, definition)

    return edit


def add_column(statement: Statement, draft: CatalogObject, column: Column) -> Work:
    """Add a column at the end. A table with rows takes NOT NULL only with a default."""
    if any(other.name == column.name for other in draft.columns):
        text = f"column {identifiers.printed(column.name)} already exists"
        raise errors.compilation(1430, "42601", text)
    data = statement.account.data
    name = tables.table_name(statement, draft)
    has_rows = data is not None and data.row_count(name) > 0
    if has_rows and column.identity is not None:
        text = f"Cannot add column '{column.name}' with identity: the table is not empty"
        raise errors.compilation(2271, "22000", text)
    if has_rows and not column.nullable and column.default is None:
        text = f"Non-nullable column '{column.name}' cannot be added to non-empty table '{draft.name}'"
        text += " unless it has a non-null default value."
        raise errors.compilation(1408, "23502", text)
    draft.columns.append(column)
    if data is None:
        return None
    plane = data
    described = TableColumn(column.name, column.data_type, column.nullable, column.default, column.identity)
    return lambda: plane.add_column(name, described)


def _add_constraints(statement: Statement, draft: CatalogObject, definition: Definition) -> list[Work]:
    for constraint in definition.constraints:
        if constraint.kind == PRIMARY and any(key.kind == PRIMARY for key in draft.constraints):
            raise errors.compilation(1430, "42710", f"primary key already exists for table '{draft.name}'")
        if any(key.name == constraint.name for key in draft.constraints):
            raise errors.already_exists(constraint.name)
        draft.constraints.append(constraint)
    definition.resolve(statement, draft)
    data = statement.account.data
    for constraint in definition.constraints:
        for column in draft.columns:
            if constraint.kind == PRIMARY and column.name in constraint.columns and column.nullable:
                if data is not None and data.has_nulls(tables.table_name(statement, draft), column.name):
                    raise _has_nulls(column.name)
                column.nullable = False
    return []


def _has_nulls(name: str) -> Exception:
    text = f"NULL result in a non-nullable column: column '{name}' contains NULLs, NOT NULL was not added"
    return errors.compilation(1471, "42601", text)


# DROP ------------------------------------------------------------------------------------------------------------


def _read_drop(statement: Statement) -> Edit:
    tokens = statement.tokens
    for words in (("ROW", "ACCESS"), ("SEARCH", "OPTIMIZATION"), ("STORAGE", "LIFECYCLE"), ("ALL", "ROW")):
        if tokens.at(*words):
            raise errors.unsupported(f"ALTER TABLE DROP {' '.join(words)}")
    if (
        tokens.word() == "CONSTRAINT"
        or tokens.at("PRIMARY", "KEY")
        or tokens.at("FOREIGN", "KEY")
        or (tokens.word() == "UNIQUE" and tokens.is_symbol("(", 1))
    ):
        matches = _read_constraint_reference(statement)
        tokens.accept("CASCADE")
        tokens.accept("RESTRICT")
        return lambda draft: _drop_constraint(draft, matches)
    tokens.accept("COLUMN")
    if_exists = tokens.accept("IF", "EXISTS")
    names = [tokens.identifier()]
    while tokens.accept_symbol(","):
        tokens.accept("COLUMN")
        names.append(tokens.identifier())
    tokens.accept("CASCADE")
    tokens.accept("RESTRICT")

    def edit(draft: CatalogObject) -> list[Work]:
        present = {column.name for column in draft.columns}
        return [drop_column(statement, draft, name, keys=True) for name in names if name in present or not if_exists]

    return edit


def drop_column(statement: Statement, draft: CatalogObject, name: str, *, keys: bool) -> Work:
    """Drop a column; a key over it must go first, and the last column stays."""
    column = tables.draft_column(draft, name)
    if keys and any(key.kind in (PRIMARY, UNIQUE) and name in key.columns for key in draft.constraints):
        raise errors.compilation(2273, "42601", f"Cannot drop column '{name}': it is part of a key of the table.")
    if name in str(draft.state.get("cluster_by") or "").replace("(", " ").replace(")", " ").replace(",", " ").split():
        raise errors.compilation(2274, "42601", f"Cannot drop column '{name}': it is used by clustering key.")
    if len(draft.columns) == 1:
        raise errors.compilation(2272, "42601", f"Cannot drop the only column '{name}' of table '{draft.name}'.")
    draft.columns.remove(column)
    draft.constraints = [key for key in draft.constraints if name not in key.columns]
    data = statement.account.data
    if data is None:
        return None
    plane, table = data, tables.table_name(statement, draft)
    return lambda: plane.drop_column(table, name)


def rename_column(statement: Statement, draft: CatalogObject, old: str, new: str) -> Work:
    """Rename a column, in the table's keys and in foreign keys that point at it too."""
    column = tables.draft_column(draft, old)
    if any(other.name == new for other in draft.columns):
        raise errors.compilation(1430, "42601", f"column {identifiers.printed(new)} already exists")
    column.name = new
    for key in draft.constraints:
        key.columns = [new if name == old else name for name in key.columns]
    for other in statement.catalog.objects.values():
        for key in draft.constraints if other.number == draft.number else other.constraints:
            if key.target == draft.number:
                key.target_columns = [new if name == old else name for name in key.target_columns]
    cluster = draft.state.get("cluster_by")
    if cluster:
        from pinky_local.engine.tokens import TokenStream

        stream = TokenStream(cluster)
        pieces = [(t.start, t.stop) for t in stream.tokens if t.kind in ("word", "quoted") and t.value == old]
        for start, stop in reversed(pieces):
            cluster = cluster[:start] + identifiers.printed(new) + cluster[stop:]
        draft.state["cluster_by"] = cluster
    data = statement.account.data
    if data is None:
        return None
    plane, table = data, tables.table_name(statement, draft)
    return lambda: plane.rename_column(table, old, new)


# constraints -----------------------------------------------------------------------------------------------------

Matches = Callable[[Constraint], bool]


def _read_constraint_reference(statement: Statement) -> Matches:
    tokens = statement.tokens
    if tokens.accept("CONSTRAINT"):
        name = tokens.identifier()
        return lambda key: key.name == name
    if tokens.accept("PRIMARY", "KEY"):
        if tokens.is_symbol("("):
            definitions.read_names(statement)
        return lambda key: key.kind == PRIMARY
    kind = UNIQUE if tokens.accept("UNIQUE") else FOREIGN
    if kind == FOREIGN:
        tokens.expect("FOREIGN", "KEY")
    names = definitions.read_names(statement)
    return lambda key: key.kind == kind and key.columns == names


def _drop_constraint(draft: CatalogObject, matches: Matches) -> list[Work]:
    kept = [key for key in draft.constraints if not matches(key)]
    if len(kept) == len(draft.constraints):
        raise errors.compilation(2003, "02000", "Constraint does not exist or not authorized.")
    draft.constraints = kept
    return []


def _rename_constraint(draft: CatalogObject, old: str, new: str) -> list[Work]:
    found = [key for key in draft.constraints if key.name == old]
    if not found:
        raise errors.not_found("Constraint", identifiers.printed(old))
    if any(key.name == new for key in draft.constraints):
        raise errors.already_exists(new)
    found[0].name = new
    return []


# ALTER COLUMN ----------------------------------------------------------------------------------------------------


def _read_modify(statement: Statement) -> Edit:
    tokens = statement.tokens
    if (
        tokens.word() == "CONSTRAINT"
        or tokens.at("PRIMARY", "KEY")
        or tokens.at("FOREIGN", "KEY")
        or (tokens.word() == "UNIQUE" and tokens.is_symbol("(", 1))
    ):
        return _read_modify_constraint(statement)
    parenthesised = tokens.accept_symbol("(")
    edits: list[Edit] = []
    while True:
        tokens.accept("COLUMN")
        edits.append(_read_column_action(statement, tokens.identifier()))
        if not tokens.accept_symbol(","):
            break
    if parenthesised:
        tokens.expect_symbol(")")
    return lambda draft: [step for edit in edits for step in edit(draft)]


def _read_modify_constraint(statement: Statement) -> Edit:
    matches = _read_constraint_reference(statement)
    options: dict[str, str] = {}
    tokens = statement.tokens
    while not tokens.at_end():
        if tokens.accept("NOT", "ENFORCED"):
            options["ENFORCED"] = "NO"
        elif tokens.accept("ENFORCED"):
            options["ENFORCED"] = "YES"
        elif tokens.word() in ("RELY", "NORELY"):
            options["RELY"] = tokens.any_word()
        else:
            options["VALIDATE"] = tokens.one_of("VALIDATE", "NOVALIDATE")

    def edit(draft: CatalogObject) -> list[Work]:
        found = [key for key in draft.constraints if matches(key)]
        if not found:
            raise errors.compilation(2003, "02000", "Constraint does not exist or not authorized.")
        for key in found:
            key.options.update(options)
        return []

    return edit


def _read_column_action(statement: Statement, name: str) -> Edit:
    tokens = statement.tokens
    if tokens.accept("DROP", "DEFAULT"):
        return lambda draft: _set_default(statement, draft, name, None)
    if tokens.accept("SET", "DEFAULT"):
        text = definitions.read_default(statement)
        return lambda draft: _set_default(statement, draft, name, text)
    if tokens.accept("DROP", "NOT", "NULL"):
        return lambda draft: [_set_nullable(statement, draft, name, nullable=True)]
    if tokens.accept("SET", "NOT", "NULL") or tokens.accept("NOT", "NULL"):
        return lambda draft: [_set_nullable(statement, draft, name, nullable=False)]
    if tokens.accept("COMMENT"):
        comment = statement.text_value() or None
        return lambda draft: _set_comment(draft, name, comment)
    if tokens.accept("UNSET", "COMMENT"):
        return lambda draft: _set_comment(draft, name, None)
    if tokens.accept("SET", "TAG"):
        tags = read_tag_values(statement)
        return lambda draft: _set_column_tags(draft, name, tags, [])
    if tokens.accept("UNSET", "TAG"):
        gone = []
        while True:
            parts = tokens.name()
            statement.deferred_checks.append(partial(check_tag, statement, parts, None))
            gone.append(identifiers.dotted(statement.qualified("tag", parts)))
            if not tokens.accept_symbol(","):
                return lambda draft: _set_column_tags(draft, name, {}, gone)
    if tokens.at("SET", "MASKING") or tokens.at("UNSET", "MASKING") or tokens.at("SET", "PROJECTION"):
        raise errors.unsupported("policies on columns")
    if not tokens.accept("SET", "DATA", "TYPE"):
        tokens.accept("TYPE")
    kind = datatypes.read_type(tokens, definitions.timestamp_mapping(statement))
    return lambda draft: [_set_type(statement, draft, name, kind)]


def _set_default(statement: Statement, draft: CatalogObject, name: str, text: str | None) -> list[Work]:
    column = tables.draft_column(draft, name)
    if text is not None:
        if not (text.endswith(".NEXTVAL") and (column.default or "").endswith(".NEXTVAL")):
            raise errors.unsupported("ALTER COLUMN SET DEFAULT other than from sequence to sequence")
        statement.find("sequence", identifiers.parse_dotted(text.removesuffix(".NEXTVAL")))
    column.default = text
    column.identity = None
    return []


def _set_nullable(statement: Statement, draft: CatalogObject, name: str, *, nullable: bool) -> Work:
    column = tables.draft_column(draft, name)
    data = statement.account.data
    narrowing = not nullable and column.nullable
    if narrowing and data is not None and data.has_nulls(tables.table_name(statement, draft), name):
        raise _has_nulls(name)
    if nullable and any(key.kind == PRIMARY and name in key.columns for key in draft.constraints):
        raise errors.compilation(2275, "42601", f"Cannot drop NOT NULL of primary key column '{name}'.")
    column.nullable = nullable
    return None


def _set_comment(draft: CatalogObject, name: str, comment: str | None) -> list[Work]:
    tables.draft_column(draft, name).comment = comment
    return []


def _set_column_tags(draft: CatalogObject, name: str, tags: dict[str, str], gone: list[str]) -> list[Work]:
    held = tables.draft_column(draft, name).tags
    held.update(tags)
    for tag in gone:
        held.pop(tag, None)
    return []


def _set_type(statement: Statement, draft: CatalogObject, name: str, kind: datatypes.DataType) -> Work:
    column = tables.draft_column(draft, name)
    definitions.check_type_change(column, kind)
    if column.data_type == str(kind):
        return None
    column.data_type = str(kind)
    data = statement.account.data
    if data is None:
        return None
    plane, table = data, tables.table_name(statement, draft)
    return lambda: plane.change_type(table, name, str(kind))


def change_column(statement: Statement, draft: CatalogObject, column: Column, wanted: Column) -> list[Work]:
    """Bring an existing column to a definition of CREATE OR ALTER TABLE."""
    work = [_set_type(statement, draft, column.name, datatypes.parse(wanted.data_type))]
    if column.nullable != wanted.nullable:
        if wanted.nullable:
            draft.constraints = [k for k in draft.constraints if k.kind != PRIMARY or column.name not in k.columns]
        work.append(_set_nullable(statement, draft, column.name, nullable=wanted.nullable))
    if column.collation != wanted.collation:
        raise errors.unsupported("changing the collation of a column")
    if (column.default, column.identity) != (wanted.default, wanted.identity):
        if wanted.identity is not None:
            raise errors.unsupported("adding an identity to an existing column")
        _set_default(statement, draft, column.name, wanted.default)
    column.comment = wanted.comment
    return work


families.ALTER["table"] = read_alter
