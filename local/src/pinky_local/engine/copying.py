"""COPY INTO: reading its grammar, for loading and for unloading.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table and copy-into-location. Options that are not carried
out are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pinky_local.engine import errors, identifiers, stage_files, stage_places
from pinky_local.engine.specs.file_formats import read_format
from pinky_local.engine.statement import Statement
from pinky_local.engine.tokens import TokenStream

Reader = Callable[[Statement, str], Any]


@dataclass(slots=True)
class Copy:
    """A COPY INTO as read.

    Loading: ``table`` and ``columns`` are the target, ``query`` the transformation, ``location`` the stage. Unloading:
    ``table`` is None and ``query`` what is unloaded to ``location``.
    """

    location: str
    table: tuple[str, ...] | None = None
    columns: list[str] | None = None
    query: str | None = None
    format: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def read(statement: Statement) -> Copy:
    """Read COPY INTO; what follows decides whether it loads or unloads."""
    tokens = statement.tokens
    tokens.expect("COPY", "INTO")
    if stage_places.at_location(tokens) or tokens.at_string():
        return _unload(statement)
    table = tokens.name()
    columns = None
    if tokens.accept_symbol("("):
        columns = [tokens.identifier()]
        while tokens.accept_symbol(","):
            columns.append(tokens.identifier())
        tokens.expect_symbol(")")
    if not tokens.accept("FROM"):
        raise errors.unsupported("COPY INTO a table from its table stage")
    query = None
    if tokens.is_symbol("("):
        query = tokens.balanced()
        copy = Copy(_stage_in(query), table, columns, query)
    else:
        copy = Copy(stage_places.read(tokens), table, columns)
    _read_options(statement, copy, _LOADING)
    return copy


def _unload(statement: Statement) -> Copy:
    tokens = statement.tokens
    location = stage_places.read(tokens)
    tokens.expect("FROM")
    if tokens.is_symbol("("):
        query = tokens.balanced()
    else:
        query = f"SELECT * FROM {identifiers.dotted(tokens.name())}"
    if tokens.at("PARTITION", "BY"):
        raise errors.unsupported("COPY INTO a location with PARTITION BY")
    copy = Copy(location, query=query)
    _read_options(statement, copy, _UNLOADING)
    return copy


def _stage_in(query: str) -> str:
    """The one stage that a transformation reads."""
    tokens = TokenStream(query)
    found: list[str] = []
    while not tokens.at_end():
        if stage_places.at_location(tokens):
            found.append(stage_places.read(tokens))
        else:
            tokens.index += 1
    if len(found) != 1:
        raise errors.unsupported("COPY INTO a table from a query that does not read exactly one stage")
    return found[0]


def _read_options(statement: Statement, copy: Copy, known: dict[str, Reader]) -> None:
    tokens = statement.tokens
    while tokens.word():
        name = tokens.any_word()
        tokens.accept_symbol("=") if name != "HEADER" else None
        if name in copy.options or (name == "FILE_FORMAT" and copy.format is not None):
            raise errors.duplicate_property(name)
        if name == "FILE_FORMAT":
            copy.format = _format(statement)
        elif name == "HEADER" and name in known:
            copy.options[name] = _boolean(statement, name) if tokens.accept_symbol("=") else True
        elif name in known:
            copy.options[name] = known[name](statement, name)
        elif name in _NOT_CARRIED:
            raise errors.unsupported(f"COPY INTO with {name}")
        else:
            raise errors.invalid_property(name, "COPY")
        tokens.accept_symbol(",")


_NOT_CARRIED = frozenset({
    "VALIDATION_MODE", "CLUSTER_AT_INGEST_TIME", "INCLUDE_METADATA", "LOAD_MODE", "STORAGE_INTEGRATION", "CREDENTIALS",
    "ENCRYPTION", "FILE_PROCESSOR", "PARTITION",
})  # fmt: skip


def _format(statement: Statement) -> dict[str, Any]:
    """( … ), or the name of a format by itself."""
    tokens = statement.tokens
    if tokens.is_symbol("("):
        return read_format(statement, "FILE_FORMAT")
    parts = identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()
    statement.deferred_checks.append(partial(statement.find, "file_format", parts))
    return {"FORMAT_NAME": identifiers.dotted(statement.qualified("file_format", parts))}


def _boolean(statement: Statement, name: str) -> bool:
    token = statement.tokens.token
    if token.value.upper() not in ("TRUE", "FALSE"):
        raise errors.invalid_value(token.value, name)
    statement.tokens.index += 1
    return token.value.upper() == "TRUE"


def _text(statement: Statement, _: str) -> str:
    return statement.tokens.string()


def _names(statement: Statement, _: str) -> list[str]:
    return stage_files.read_names(statement)


def _positive(statement: Statement, name: str) -> int:
    value = statement.tokens.integer()
    if value <= 0:
        raise errors.invalid_value(str(value), name)
    return value


def _match(statement: Statement, name: str) -> str:
    token = statement.tokens.token
    if token.value.upper() not in ("CASE_SENSITIVE", "CASE_INSENSITIVE", "NONE"):
        raise errors.invalid_value(token.value, name)
    statement.tokens.index += 1
    return token.value.upper()


def _on_error(statement: Statement, name: str) -> str:
    """CONTINUE, ABORT_STATEMENT, SKIP_FILE, SKIP_FILE_<n> or 'SKIP_FILE_<n>%'."""
    token = statement.tokens.token
    value = token.value.upper()
    number = value.removeprefix("SKIP_FILE_").removesuffix("%")
    if value not in ("CONTINUE", "ABORT_STATEMENT", "SKIP_FILE") and not (
        value.startswith("SKIP_FILE_") and number.isdigit()
    ):
        raise errors.invalid_value(token.value, name)
    statement.tokens.index += 1
    return value


_LOADING: dict[str, Reader] = {
    "FILES": _names, "PATTERN": _text, "ON_ERROR": _on_error, "FORCE": _boolean, "PURGE": _boolean,
    "MATCH_BY_COLUMN_NAME": _match, "SIZE_LIMIT": _positive, "RETURN_FAILED_ONLY": _boolean,
    "ENFORCE_LENGTH": _boolean, "TRUNCATECOLUMNS": _boolean, "LOAD_UNCERTAIN_FILES": _boolean,
}  # fmt: skip
_UNLOADING: dict[str, Reader] = {
    "OVERWRITE": _boolean, "SINGLE": _boolean, "MAX_FILE_SIZE": _positive, "INCLUDE_QUERY_ID": _boolean,
    "DETAILED_OUTPUT": _boolean, "HEADER": _boolean,
}  # fmt: skip
