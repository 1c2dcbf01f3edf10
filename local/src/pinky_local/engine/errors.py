"""Refusals, each with Snowflake's number, SQLSTATE and text. One function per refusal.

Numbers and texts come from the documentation, the Snowflake CLI and the connector; where no source prints the number
the docstring says *guess*.
"""

from __future__ import annotations

from pinky_local.types import SqlError

COMPILATION = "SQL compilation error:\n"


def syntax(line: int, position: int, unexpected: str) -> SqlError:
    """001003: a token that no rule of the grammar expects there. ``position`` is the column, counted from 0."""
    text = f"{COMPILATION}syntax error line {line} at position {position} unexpected '{unexpected}'."
    return SqlError(1003, "42000", text, line=line, position=position)


def empty_statement() -> SqlError:
    """000900: nothing but white space and comments."""
    return SqlError(900, "42601", f"{COMPILATION}Empty SQL statement.")


def unsupported(feature: str) -> SqlError:
    """000002: a feature the account does not offer, named."""
    return SqlError(2, "0A000", f"Unsupported feature '{feature}'.")


def invalid_property(name: str, kind: str) -> SqlError:
    """001420 (number a guess): a property this object type does not have."""
    return SqlError(1420, "22023", f"{COMPILATION}invalid property '{name}' for '{kind}'")


def duplicate_property(name: str) -> SqlError:
    """001423 (number a guess): a property given twice."""
    return SqlError(1423, "22023", f"{COMPILATION}duplicate property '{name}';")


def invalid_value(value: str, name: str) -> SqlError:
    """001422: a value outside the range or the list of a property."""
    return SqlError(1422, "22023", f"{COMPILATION}invalid value '{value}' for property '{name}'")


def invalid_parameter_value(value: str, name: str) -> SqlError:
    """001008: a value outside the range or the list of a parameter."""
    return SqlError(1008, "22023", f"{COMPILATION}invalid value [{value}] for parameter '{name}'")


def invalid_parameter(name: str) -> SqlError:
    """001006 (number a guess): a parameter that does not exist."""
    return SqlError(1006, "22023", f"{COMPILATION}invalid parameter '{name}'")


def missing_option(names: str) -> SqlError:
    """002029: a required property was not given."""
    return SqlError(2029, "42601", f"{COMPILATION}Missing option(s): [{names}].")


def already_exists(name: str) -> SqlError:
    """002002: the name is taken by an object of the same type."""
    return SqlError(2002, "42710", f"{COMPILATION}Object '{name}' already exists.")


def exists_as(name: str, kind: str) -> SqlError:
    """001998: the name is taken by an object of another type in the same name space."""
    return SqlError(1998, "42710", f"{COMPILATION}Object '{name}' already exists as {kind}")


def exists_hidden(kind: str, name: str) -> SqlError:
    """003041: the name is taken by an object that the session's roles hold no privilege on, IF NOT EXISTS or not."""
    text = f"{kind} '{name}' already exists, but current role has no privileges on it. If this is unexpected and you"
    text += " cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may be required to"
    return SqlError(3041, "42710", f"{COMPILATION}{text} manage the privileges on the object.")


def not_found(kind: str, name: str, *, in_query: bool = False) -> SqlError:
    """002003: absent, or hidden from the session's roles; Snowflake does not tell which."""
    return SqlError(
        2003, "42S02" if in_query else "02000", f"{COMPILATION}{kind} '{name}' does not exist or not authorized."
    )


def cannot_perform() -> SqlError:
    """002043: USE or SHOW IN of something absent or hidden."""
    return SqlError(2043, "02000", f"{COMPILATION}Object does not exist, or operation cannot be performed.")


def insufficient(kind: str, name: str) -> SqlError:
    """003001: the object is visible, the privilege is missing."""
    return SqlError(
        3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'"
    )


def access_control(errno: int, text: str) -> SqlError:
    """A refusal of GRANT or REVOKE in the 3000 range."""
    return SqlError(errno, "42501", f"SQL access control error:\n{text}")


def no_database(action: str) -> SqlError:
    """090105: an unqualified name and no current database."""
    text = f"Cannot perform {action}. This session does not have a current database."
    text += " Call 'USE DATABASE', or use a qualified name."
    return SqlError(90105, "22000", text)


def no_schema(action: str) -> SqlError:
    """090106: an unqualified name and no current schema."""
    text = f"Cannot perform {action}. This session does not have a current schema."
    text += " Call 'USE SCHEMA', or use a qualified name."
    return SqlError(90106, "22000", text)


def no_warehouse() -> SqlError:
    """000606: a statement that reads rows in a session without a warehouse."""
    text = "No active warehouse selected in the current session."
    text += "  Select an active warehouse with the 'use warehouse' command.\n"
    return SqlError(606, "57P03", text)


def invalid_identifier(name: str) -> SqlError:
    """000904: a column that the relation does not have."""
    return SqlError(904, "42000", f"{COMPILATION}error line 1 at position 0\ninvalid identifier '{name}'")


def duplicate_column(name: str) -> SqlError:
    """002025: two columns of one name."""
    return SqlError(2025, "42S21", f"{COMPILATION}duplicate column name '{name}'")


def compilation(errno: int, sqlstate: str, text: str) -> SqlError:
    """Any other compilation error whose number is known."""
    return SqlError(errno, sqlstate, COMPILATION + text)
