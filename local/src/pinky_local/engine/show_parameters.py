"""SHOW PARAMETERS. https://docs.snowflake.com/en/sql-reference/sql/show-parameters"""

from __future__ import annotations

from pinky_local.engine import parameters, show
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.parameters import PARAMETERS, applies, printed
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_COLUMNS = [ResultColumn(n, length=16_777_216) for n in ("key", "value", "default", "level", "description", "type")]
_KINDS = ("USER", "WAREHOUSE", "DATABASE", "SCHEMA", "TASK", "TABLE", "PROCEDURE", "FUNCTION")


def show_parameters(statement: Statement) -> Result:
    """Answer SHOW PARAMETERS [LIKE …] [IN | FOR …]; without a scope those of the session."""
    tokens = statement.tokens
    pattern = show.like_pattern(tokens.string()) if tokens.accept("LIKE") else None
    level, item = "session", None
    if tokens.word() in ("IN", "FOR"):
        tokens.index += 1
        level, item = _scope(statement)
    if pattern is None and tokens.accept("LIKE"):
        pattern = show.like_pattern(tokens.string())
    statement.finish_parsing()
    values = []
    for name in sorted(PARAMETERS):
        parameter = PARAMETERS[name]
        if not (applies(parameter, level) or level == "account") or (
            pattern is not None and not pattern.fullmatch(name)
        ):
            continue
        if level == "session":
            value, at = parameters.in_session(statement, parameter)
        else:
            value, at = parameters.effective(statement, parameter, item)
        values.append([name, printed(value), printed(parameter.default), at, parameter.description, parameter.type])
    return rows(_COLUMNS, values, show.SHOW_TYPE)


def _scope(statement: Statement) -> tuple[str, CatalogObject | None]:
    tokens, session = statement.tokens, statement.session
    if tokens.accept("ACCOUNT"):
        return "account", None
    if tokens.accept("SESSION"):
        return "session", None
    kind = tokens.one_of(*_KINDS).lower()
    if kind in ("procedure", "function"):
        from pinky_local.engine import families

        parts = tokens.name()
        return kind, statement.find(kind, parts, families.read_signature(statement, kind))
    current = {"user": session.user, "warehouse": session.warehouse, "database": session.database}
    if tokens.at_identifier() and not tokens.at("LIKE"):
        parts = tokens.name()
    elif kind == "schema" and session.database and session.schema:
        parts = (session.database, session.schema)
    elif current.get(kind):
        parts = (str(current[kind]),)
    else:
        raise tokens.unexpected()
    if kind == "table" and statement.lookup("table", parts) is None:
        event_table = statement.lookup("event_table", parts)
        return "table", event_table if event_table is not None else statement.find("view", parts)
    return kind, statement.find(kind, parts)


show.SPECIAL["PARAMETERS"] = show_parameters
