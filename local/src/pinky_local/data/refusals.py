"""Refusals in Snowflake's numbers and words, and DuckDB's run-time failures translated into them."""

from __future__ import annotations

import re

import duckdb

from pinky_local.types import SqlError

_MARK = "PINKY"


def unsupported(what: str) -> SqlError:
    """Something Snowflake may have and this data plane does not carry."""
    return SqlError(2, "0A000", f"Unsupported feature '{what}'.")


def syntax_error(line: int, position: int, unexpected: str) -> SqlError:
    """Text that is no statement."""
    text = f"SQL compilation error:\nsyntax error line {line} at position {position} unexpected '{unexpected}'."
    return SqlError(1003, "42000", text, line=line, position=position)


def invalid_identifier(name: str) -> SqlError:
    """A column that no source in scope has."""
    return SqlError(904, "42000", f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'")


def ambiguous(name: str) -> SqlError:
    """A column that several sources in scope have."""
    return SqlError(1052, "42601", f"SQL compilation error: error line 1 at position 0\nambiguous column name '{name}'")


def missing_table(name: tuple[str, str, str]) -> SqlError:
    """A table the data plane holds no rows for."""
    text = f"SQL compilation error:\nObject '{'.'.join(name)}' does not exist or not authorized."
    return SqlError(2003, "42S02", text)


def compilation(text: str, *, errno: int = 1003, sqlstate: str = "42000") -> SqlError:
    """A refusal found while a statement is compiled."""
    return SqlError(errno, sqlstate, f"SQL compilation error:\n{text}")


def raising(errno: int, sqlstate: str, message_sql: str, duckdb_type: str) -> str:
    """A DuckDB expression that fails with one of Snowflake's run-time errors; ``message_sql`` is an SQL expression."""
    return f"CAST(error('{_MARK}:{errno}:{sqlstate}:' || {message_sql}) AS {duckdb_type})"


def marked(problem: SqlError) -> str:
    """The text of an exception, raised while DuckDB runs a statement, that `from_duckdb` turns into this error."""
    return f"{_MARK}:{problem.errno}:{problem.sqlstate}:{problem.message}"


_RULES: tuple[tuple[str, int, str, str], ...] = (
    (r"Could not convert string \"(.*)\" to (?:DECIMAL|U?INT|DOUBLE|FLOAT|HUGEINT|BIGINT)", 100038, "22018",
     "Numeric value '{0}' is not recognized"),
    (r"Could not convert string ['\"](.*)['\"] to BOOL", 100037, "22018", "Boolean value '{0}' is not recognized"),
    (r"invalid date field format: \"(.*?)\"", 100040, "22007", "Date '{0}' is not recognized"),
    (r"invalid time(?:_ns)? field format: \"(.*?)\"", 100108, "22007", "Time '{0}' is not recognized"),
    (r"invalid timestamp field format: \"(.*?)\"", 100035, "22007", "Timestamp '{0}' is not recognized"),
    (r"date field value out of range: \"(.*?)\"", 100040, "22007", "Date '{0}' is not recognized"),
    (r"time field value out of range: \"(.*?)\"", 100108, "22007", "Time '{0}' is not recognized"),
    (r"timestamp field value out of range: \"(.*?)\"", 100035, "22007", "Timestamp '{0}' is not recognized"),
    (r"Malformed JSON(?: at byte \d+)?.*", 100069, "22P02", "Error parsing JSON: {message}"),
    (r"Could not cast value (\S+) to (DECIMAL\(\d+,\d+\))", 100039, "22003", "Numeric value '{0}' is out of range"),
    (r"Casting value \"(\S+)\" to type DECIMAL\(\d+,\d+\) failed", 100039, "22003",
     "Numeric value '{0}' is out of range"),
    (r"Division by zero", 100051, "22012", "Division by zero"),
    (r"(?:[Oo]verflow|[Oo]ut of [Rr]ange|out of range)", 100046, "22003",
     "Number out of representable range: {message}"),
    (r"must appear in the GROUP BY clause", 979, "42601",
     "SQL compilation error:\na selected column is not a valid group by expression"),
    (r"More than one row returned by a subquery", 100117, "22000", "Single-row subquery returns more than one row."),
)  # fmt: skip


def from_duckdb(problem: duckdb.Error) -> SqlError:
    """The error of Snowflake that a failure of DuckDB stands for; an unforeseen one is refused, in DuckDB's words."""
    text = str(problem)
    own = re.search(rf"{_MARK}:(\d+):(\w+):(.*)", text, re.S)
    if own:
        return SqlError(int(own[1]), own[2], own[3].strip())
    if isinstance(problem, duckdb.InterruptException):
        return SqlError(604, "57014", "SQL execution canceled")
    if isinstance(problem, duckdb.TransactionException):
        return SqlError(625, "57014", f"Statement conflicts with a transaction that has not been committed: {text}")
    for pattern, errno, sqlstate, message in _RULES:
        found = re.search(pattern, text)
        if found:
            return SqlError(errno, sqlstate, message.format(*found.groups(), message=text.splitlines()[0]))
    return SqlError(2, "0A000", f"Unsupported feature: the local account cannot run this statement ({text})")
