"""Reading one statement with sqlglot's Snowflake grammar, function calls left as they were written.

sqlglot turns many functions into its own canonical nodes, losing arguments on the way. Here every call stays a name
with arguments, so that a function is either one this package knows by Snowflake's own name, or refused.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import TokenType, exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import ParseError, TokenError

from pinky_local.data.refusals import compilation, syntax_error, unsupported
from pinky_local.types import SqlError

_BASE: Any = Snowflake.Parser
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/|\()*(\w+)", re.S)
_QUERY_WORDS = frozenset({"SELECT", "WITH", "VALUES"})
_WORDS = _QUERY_WORDS | {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "BEGIN", "START", "COMMIT", "ROLLBACK"}


_KNOWN_ELSEWHERE = frozenset(
    "ALTER CALL COMMENT COPY CREATE DESC DESCRIBE DROP EXECUTE EXPLAIN GET GRANT LIST LS PUT REMOVE REVOKE RM SET SHOW "
    "UNDROP UNSET USE".split()
)


class _LiteralSnowflake(Snowflake):
    class Parser(_BASE):  # type: ignore[misc]  # sqlglot's parser classes are untyped
        FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012  # overrides a class table of the same type
        FUNCTION_PARSERS = {name: _BASE.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT")}  # noqa: RUF012
        NO_PAREN_FUNCTIONS: dict[Any, Any] = {}  # noqa: RUF012


_DIALECT = _LiteralSnowflake()
_MARKS = frozenset({TokenType.PLACEHOLDER, TokenType.QDCOLON})


def parse(sql: str) -> Any:
    """The tree of exactly one statement. Raises `SqlError` 1003 with the place where reading stopped."""
    first = _FIRST_WORD.match(sql)
    if first and first[1].upper() not in _WORDS:
        if first[1].upper() in _KNOWN_ELSEWHERE:
            raise unsupported(first[1].upper())
        raise syntax_error(1, first.start(1), first[1])
    if first and first[1].upper() == "START":
        sql = re.sub(r"^\s*start\s+transaction", "BEGIN", sql, flags=re.I)
    try:
        trees = [tree for tree in _DIALECT.parse(_numbered(sql)) if tree is not None]
    except ParseError as problem:
        raise _located(problem) from problem
    except TokenError as problem:
        raise compilation(f"syntax error: {problem}") from problem
    if len(trees) != 1:
        raise compilation(f"syntax error: one statement expected, found {len(trees)}")
    tree = trees[0]
    if isinstance(tree, exp.Command):
        raise unsupported(str(tree.this).upper())
    return tree


def _numbered(sql: str) -> str:
    """The text with ``:1``, ``:2`` … for its ``?``, so that a bind keeps its place whatever is compiled first."""
    if "?" not in sql:
        return sql
    parts: list[str] = []
    done = count = 0
    for token in _DIALECT.tokenize(sql):
        if token.text.startswith("?") and token.token_type in _MARKS:  # ``?::`` is one token
            count += 1
            parts += [sql[done : token.start], f":{count}"]
            done = token.start + 1
    return "".join([*parts, sql[done:]])


def _located(problem: ParseError) -> SqlError:
    first: dict[str, Any] = problem.errors[0] if problem.errors else {}
    return syntax_error(first.get("line") or 1, first.get("col") or 0, str(first.get("highlight") or "<EOF>"))


_CLAUSES = {"when": "AT or BEFORE (Time Travel)"}
"""What Snowflake calls a clause where sqlglot's name for it says something else."""


def only(node: exp.Expression, *allowed: str) -> None:
    """Refuse a node that carries a clause other than these: nothing that was written is silently left out."""
    for name, value in node.args.items():
        if value and name not in allowed and value is not False:
            written = name.rstrip("_")
            clause = _CLAUSES.get(written) or written.replace("_", " ").upper()
            raise unsupported(f"{clause} in {type(node).__name__.upper()}")


def arg(node: exp.Expression, name: str) -> Any:
    """A clause whose key newer sqlglot versions spell with a trailing underscore (``from_``, ``with_``)."""
    return node.args.get(f"{name}_") or node.args.get(name)


def name_of(identifier: exp.Expression) -> str:
    """The canonical name: exact where quoted, folded to upper case where not."""
    if not isinstance(identifier, exp.Identifier):
        raise unsupported(f"{identifier.sql()} as a name")
    return str(identifier.this) if identifier.args.get("quoted") else str(identifier.this).upper()


def names_of(table: exp.Table) -> list[str]:
    """The one to three parts of a table name."""
    parts = [table.args.get("catalog"), table.args.get("db"), table.this]
    return [name_of(part) for part in parts if part is not None]
