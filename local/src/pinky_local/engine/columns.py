"""Column and constraint definitions of tables, as CREATE and ALTER TABLE write them.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-table and create-table-constraint.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from pinky_local.engine import datatypes, errors, identifiers, parameters
from pinky_local.engine.catalog import CatalogObject, Column, Constraint
from pinky_local.engine.lexer import END, QUOTED, STRING, WORD, Token
from pinky_local.engine.properties import read_tag_values
from pinky_local.engine.statement import Statement

PRIMARY, UNIQUE, FOREIGN, CHECK = "PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "CHECK"
_AFTER_DEFAULT = frozenset({
    "NOT", "NULL", "COMMENT", "PRIMARY", "UNIQUE", "CONSTRAINT", "REFERENCES", "COLLATE", "WITH", "MASKING", "TAG",
    "FOREIGN", "AUTOINCREMENT", "IDENTITY", "PROJECTION", "CHECK",
})  # fmt: skip
_CALLS = {
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_USER",
    "CURRENT_ROLE",
    "SYSDATE",
    "LOCALTIMESTAMP",
}


@dataclass(slots=True)
class Definition:
    """Columns and constraints as written; targets of foreign keys are still names."""

    columns: list[Column] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    nullable_said: set[str] = field(default_factory=set)

    def resolve(self, statement: Statement, item: CatalogObject) -> None:
        """Find the tables that foreign keys name and check columns on both sides."""
        own = {column.name for column in item.columns}
        for constraint in self.constraints:
            for name in constraint.columns:
                if name not in own:
                    raise errors.invalid_identifier(identifiers.printed(name))
            parts = self.targets.get(constraint.name)
            if parts is None:
                continue
            full = statement.qualified("table", parts)
            if full == statement.catalog.path(item) or (item.parent and full[-1] == item.name and len(parts) == 1):
                target = item
            else:
                target = statement.find("table", parts)
                statement.require(target, "REFERENCES")
            constraint.target = target.number
            keys = [key.columns for key in target.constraints if key.kind in (PRIMARY, UNIQUE)]
            if not constraint.target_columns:
                primary = [key.columns for key in target.constraints if key.kind == PRIMARY]
                constraint.target_columns = list(primary[0]) if primary else []
            if constraint.target_columns not in keys or len(constraint.target_columns) != len(constraint.columns):
                listed = ", ".join(constraint.target_columns)
                text = f"primary or unique key ({listed}) does not exist in table '{identifiers.dotted(parts)}'"
                raise errors.compilation(2270, "42P10", text)


def read_definitions(statement: Statement) -> Definition:
    """Read ( column …, constraint … )."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found = Definition()
    while True:
        if _at_constraint(statement):
            read_constraint(statement, found, [])
        else:
            read_column(statement, found)
        if tokens.accept_symbol(")"):
            break
        tokens.expect_symbol(",")
    check_unique(found.columns)
    return found


def check_unique(columns: list[Column]) -> None:
    """Raise 2025 for a repeated column."""
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise errors.duplicate_column(column.name)
        seen.add(column.name)


def _at_constraint(statement: Statement) -> bool:
    tokens = statement.tokens
    if tokens.word() == "CONSTRAINT":
        return True
    if tokens.at("PRIMARY", "KEY") or tokens.at("FOREIGN", "KEY"):
        return True
    return tokens.word() in ("UNIQUE", "CHECK") and tokens.is_symbol("(", 1)


def read_column(statement: Statement, found: Definition) -> Column:
    """Read one column definition into ``found``."""
    tokens = statement.tokens
    name = tokens.identifier()
    kind = datatypes.read_type(tokens, timestamp_mapping(statement))
    column = Column(name, str(kind))
    found.columns.append(column)
    while tokens.word():
        if not _read_clause(statement, found, column):
            break
    return column


def timestamp_mapping(statement: Statement) -> str:
    """What TIMESTAMP stands for in this session."""
    value, _ = parameters.in_session(statement, parameters.PARAMETERS["TIMESTAMP_TYPE_MAPPING"])
    return str(value)


def _read_clause(statement: Statement, found: Definition, column: Column) -> bool:
    tokens = statement.tokens
    if tokens.accept("NOT", "NULL"):
        column.nullable = False
        found.nullable_said.add(column.name)
    elif tokens.accept("NULL"):
        found.nullable_said.add(column.name)
    elif tokens.accept("DEFAULT"):
        column.default = read_default(statement)
    elif tokens.word() in ("AUTOINCREMENT", "IDENTITY"):
        _read_identity(statement, column)
    elif tokens.accept("COLLATE"):
        column.collation = tokens.string() or None
    elif tokens.accept("COMMENT"):
        tokens.accept_symbol("=")
        column.comment = statement.text_value() or None
    elif tokens.at("WITH", "TAG") or (tokens.at("TAG") and tokens.is_symbol("(", 1)):
        tokens.accept("WITH")
        tokens.expect("TAG")
        tokens.expect_symbol("(")
        column.tags.update(read_tag_values(statement))
        tokens.expect_symbol(")")
    elif tokens.word() in ("AS", "GENERATED"):
        if tokens.accept("GENERATED"):
            tokens.expect("ALWAYS")
        if not (tokens.at("AS") and tokens.is_symbol("(", 1)):
            return False
        tokens.expect("AS")
        column.expression = tokens.balanced()
        tokens.accept("VIRTUAL")
    elif tokens.word() in ("WITH", "MASKING", "PROJECTION"):
        raise errors.unsupported("policies on columns")
    elif tokens.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "REFERENCES", "CHECK"):
        read_constraint(statement, found, [column.name])
    else:
        return False
    return True


def read_default(statement: Statement) -> str:
    """Read a default expression and spell it as Snowflake shows it: keywords in upper case, calls with parentheses."""
    tokens = statement.tokens
    first = tokens.index
    depth = 0
    while True:
        token = tokens.token
        if token.kind == END:
            break
        if token.value in ("(", ")", ",") and token.kind == "symbol":
            if depth == 0 and token.value in (")", ","):
                break
            depth += {"(": 1, ")": -1}.get(token.value, 0)
        elif depth == 0 and (_ends_default(token) or token.value == ";") and tokens.index > first:
            break
        tokens.index += 1
    if tokens.index == first:
        raise tokens.unexpected()
    return spelled(statement, first, tokens.index)


def _ends_default(token: Token) -> bool:
    return token.kind == WORD and token.value in _AFTER_DEFAULT


def spelled(statement: Statement, first: int, last: int) -> str:
    """The text of tokens with words folded to upper case and strings, quoted names and spacing kept."""
    tokens = statement.tokens
    out: list[str] = []
    for index in range(first, last):
        token = tokens.tokens[index]
        if out and token.start > tokens.tokens[index - 1].stop:
            out.append(" ")
        if token.kind == WORD:
            out.append(token.value)
            follows = tokens.tokens[index + 1]
            if token.value in _CALLS and not (follows.kind == "symbol" and follows.value == "("):
                out.append("()")
        elif token.kind == STRING:
            out.append("'" + token.value.replace("\\", "\\\\").replace("'", "''") + "'")
        elif token.kind == QUOTED:
            out.append(identifiers.printed(token.value))
        else:
            out.append(token.value)
    return "".join(out)


def _read_identity(statement: Statement, column: Column) -> None:
    tokens = statement.tokens
    tokens.index += 1
    start, step = 1, 1
    if tokens.accept_symbol("("):
        start = tokens.integer()
        tokens.expect_symbol(",")
        step = tokens.integer()
        tokens.expect_symbol(")")
    elif tokens.accept("START"):
        tokens.accept("WITH")
        tokens.accept_symbol("=")
        start = tokens.integer()
        tokens.expect("INCREMENT")
        tokens.accept("BY")
        tokens.accept_symbol("=")
        step = tokens.integer()
    if not column.data_type.startswith(("NUMBER", "FLOAT")):
        raise errors.compilation(1433, "22023", f"Identity column {column.name} has to be numeric")
    column.identity = (start, step)
    ordered = "ORDER" if tokens.accept("ORDER") else "NOORDER" if tokens.accept("NOORDER") else ""
    if not ordered:
        value, _ = parameters.in_session(statement, parameters.PARAMETERS["NOORDER_SEQUENCE_AS_DEFAULT"])
        ordered = "NOORDER" if value else "ORDER"
    column.ordered = ordered == "ORDER"


def read_constraint(statement: Statement, found: Definition, inline: list[str]) -> Constraint:
    """Read a constraint. ``inline`` names the column it stands behind; empty for one of its own."""
    tokens = statement.tokens
    name = tokens.identifier() if tokens.accept("CONSTRAINT") else f"SYS_CONSTRAINT_{uuid.uuid4()}"
    kind = _constraint_kind(statement)
    constraint = Constraint(name, kind, list(inline), statement.now)
    if kind == CHECK:
        constraint.options["CHECK"] = tokens.balanced()
    else:
        if not inline:
            constraint.columns = read_names(statement)
        if kind == FOREIGN:
            tokens.expect("REFERENCES")
            found.targets[name] = tokens.name()
            if tokens.is_symbol("("):
                constraint.target_columns = read_names(statement)
    _read_constraint_options(statement, constraint, inline=bool(inline))
    same = [other for other in found.constraints if other.name == name or (other.kind == kind == PRIMARY)]
    if same:
        text = "primary key already exists" if kind == PRIMARY else f"Constraint '{name}' already exists"
        raise errors.compilation(1430 if kind == PRIMARY else 2002, "42710", text)
    found.constraints.append(constraint)
    if kind == PRIMARY:
        for column in found.columns:
            if column.name in constraint.columns:
                column.nullable = False
    return constraint


def _constraint_kind(statement: Statement) -> str:
    tokens = statement.tokens
    if tokens.accept("PRIMARY", "KEY"):
        return PRIMARY
    if tokens.accept("UNIQUE"):
        tokens.accept("KEY")
        return UNIQUE
    if tokens.accept("CHECK"):
        return CHECK
    if tokens.accept("FOREIGN", "KEY") or tokens.at("REFERENCES"):
        return FOREIGN
    raise tokens.unexpected()


def read_names(statement: Statement) -> list[str]:
    """Read ( column, … )."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    names = [tokens.identifier()]
    while tokens.accept_symbol(","):
        names.append(tokens.identifier())
    tokens.expect_symbol(")")
    return names


def _read_constraint_options(statement: Statement, constraint: Constraint, *, inline: bool) -> None:
    tokens, options = statement.tokens, constraint.options
    while True:
        if tokens.accept("NOT", "ENFORCED"):
            options["ENFORCED"] = "NO"
        elif tokens.accept("ENFORCED"):
            options["ENFORCED"] = "YES"
        elif tokens.accept("NOT", "DEFERRABLE") or tokens.accept("DEFERRABLE"):
            continue
        elif tokens.accept("INITIALLY"):
            options["INITIALLY"] = tokens.one_of("DEFERRED", "IMMEDIATE")
        elif tokens.word() in ("ENABLE", "DISABLE"):
            options["ENABLED"] = tokens.any_word()
        elif tokens.word() in ("VALIDATE", "NOVALIDATE"):
            options["VALIDATE"] = tokens.any_word()
        elif tokens.word() in ("RELY", "NORELY"):
            options["RELY"] = tokens.any_word()
        elif tokens.accept("MATCH"):
            options["MATCH"] = tokens.one_of("FULL", "SIMPLE", "PARTIAL")
        elif tokens.accept("ON"):
            event = tokens.one_of("UPDATE", "DELETE")
            options[event] = _action(statement)
        elif tokens.at("COMMENT") and not inline and tokens.tokens[tokens.index + 1].kind == STRING:
            tokens.expect("COMMENT")
            constraint.comment = tokens.string()
        else:
            return


def _action(statement: Statement) -> str:
    tokens = statement.tokens
    if tokens.accept("NO", "ACTION"):
        return "NO ACTION"
    if tokens.accept("SET"):
        return "SET " + tokens.one_of("NULL", "DEFAULT")
    return tokens.one_of("CASCADE", "RESTRICT")


def check_type_change(column: Column, wanted: datatypes.DataType) -> None:
    """Raise unless a column may become this type: longer text, other precision at the same scale, the same type.

    https://docs.snowflake.com/en/sql-reference/sql/alter-table-column; the number 2023 is a guess.
    """
    now = datatypes.parse(column.data_type)
    fine = now.family == wanted.family
    if fine and now.family == "VARCHAR":
        fine = int(wanted.arguments[0]) >= int(now.arguments[0])
    elif fine and now.family == "NUMBER":
        fine = now.arguments[1] == wanted.arguments[1]
    elif fine:
        fine = now == wanted
    if not fine:
        raise errors.compilation(2023, "22000", f"cannot change column {column.name} from type {now} to {wanted}")
