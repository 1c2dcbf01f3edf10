"""Options of file formats by format type, with their defaults.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-file-format and desc-stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine.spec import Reader

if TYPE_CHECKING:
    from pinky_local.engine.statement import Statement


@dataclass(frozen=True, slots=True)
class Option:
    """One option: the type DESC STAGE prints, its reader, and the formats that have it."""

    type: str
    read: Reader
    formats: frozenset[str]


def text_or_keyword(*words: str) -> Reader:
    """A string, or one of the bare words."""

    def read(statement: Statement, name: str) -> str:
        if statement.tokens.word() in words:
            return statement.tokens.any_word()
        if not statement.tokens.at_string():
            raise errors.invalid_value(statement.tokens.token.value, name)
        return statement.tokens.string()

    return read


_ALL = frozenset({"CSV", "JSON", "AVRO", "ORC", "PARQUET", "XML"})
_CSV, _JSON, _XML, _PARQUET = (frozenset({name}) for name in ("CSV", "JSON", "XML", "PARQUET"))
_COMPRESSION = ("AUTO", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "LZO", "SNAPPY", "NONE")
_TEXTUAL = _CSV | _JSON

OPTIONS: dict[str, Option] = {
    "RECORD_DELIMITER": Option("String", text_or_keyword("NONE"), _CSV),
    "FIELD_DELIMITER": Option("String", text_or_keyword("NONE"), _CSV),
    "MULTI_LINE": Option("Boolean", values.boolean(), _TEXTUAL),
    "FILE_EXTENSION": Option("String", text_or_keyword("NONE"), _TEXTUAL),
    "SKIP_HEADER": Option("Integer", values.integer(0), _CSV),
    "PARSE_HEADER": Option("Boolean", values.boolean(), _CSV),
    "DATE_FORMAT": Option("String", text_or_keyword("AUTO"), _TEXTUAL),
    "TIME_FORMAT": Option("String", text_or_keyword("AUTO"), _TEXTUAL),
    "TIMESTAMP_FORMAT": Option("String", text_or_keyword("AUTO"), _TEXTUAL),
    "BINARY_FORMAT": Option("String", values.keyword("HEX", "BASE64", "UTF8", aliases={"UTF-8": "UTF8"}), _TEXTUAL),
    "ESCAPE": Option("String", text_or_keyword("NONE"), _CSV),
    "ESCAPE_UNENCLOSED_FIELD": Option("String", text_or_keyword("NONE"), _CSV),
    "TRIM_SPACE": Option("Boolean", values.boolean(), _ALL - _XML),
    "FIELD_OPTIONALLY_ENCLOSED_BY": Option("String", text_or_keyword("NONE"), _CSV),
    "NULL_IF": Option("List", values.text_list(), _ALL - _XML),
    "COMPRESSION": Option("String", values.keyword(*_COMPRESSION), _ALL - frozenset({"ORC"})),
    "ERROR_ON_COLUMN_COUNT_MISMATCH": Option("Boolean", values.boolean(), _CSV),
    "VALIDATE_UTF8": Option("Boolean", values.boolean(), _CSV),
    "SKIP_BLANK_LINES": Option("Boolean", values.boolean(), _CSV),
    "REPLACE_INVALID_CHARACTERS": Option("Boolean", values.boolean(), _ALL),
    "EMPTY_FIELD_AS_NULL": Option("Boolean", values.boolean(), _CSV),
    "SKIP_BYTE_ORDER_MARK": Option("Boolean", values.boolean(), _TEXTUAL | _XML),
    "ENCODING": Option("String", values.identifier(), _CSV),
    "ENABLE_OCTAL": Option("Boolean", values.boolean(), _JSON),
    "ALLOW_DUPLICATE": Option("Boolean", values.boolean(), _JSON),
    "STRIP_OUTER_ARRAY": Option("Boolean", values.boolean(), _JSON),
    "STRIP_NULL_VALUES": Option("Boolean", values.boolean(), _JSON),
    "IGNORE_UTF8_ERRORS": Option("Boolean", values.boolean(), _JSON | _XML),
    "SNAPPY_COMPRESSION": Option("Boolean", values.boolean(), _PARQUET),
    "BINARY_AS_TEXT": Option("Boolean", values.boolean(), _PARQUET),
    "USE_LOGICAL_TYPE": Option("Boolean", values.boolean(), _PARQUET),
    "USE_VECTORIZED_SCANNER": Option("Boolean", values.boolean(), _PARQUET),
    "PRESERVE_SPACE": Option("Boolean", values.boolean(), _XML),
    "STRIP_OUTER_ELEMENT": Option("Boolean", values.boolean(), _XML),
    "DISABLE_SNOWFLAKE_DATA": Option("Boolean", values.boolean(), _XML),
    "DISABLE_AUTO_CONVERT": Option("Boolean", values.boolean(), _XML),
}

_DEFAULTS: dict[str, Any] = {
    "RECORD_DELIMITER": "\\n", "FIELD_DELIMITER": ",", "MULTI_LINE": True, "FILE_EXTENSION": "", "SKIP_HEADER": 0,
    "DATE_FORMAT": "AUTO", "TIME_FORMAT": "AUTO", "TIMESTAMP_FORMAT": "AUTO", "BINARY_FORMAT": "HEX", "ESCAPE": "NONE",
    "ESCAPE_UNENCLOSED_FIELD": "\\\\", "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE", "NULL_IF": ["\\\\N"],
    "COMPRESSION": "AUTO", "ERROR_ON_COLUMN_COUNT_MISMATCH": True, "VALIDATE_UTF8": True, "EMPTY_FIELD_AS_NULL": True,
    "SKIP_BYTE_ORDER_MARK": True, "ENCODING": "UTF8", "SNAPPY_COMPRESSION": True, "BINARY_AS_TEXT": True,
}  # fmt: skip


def default_of(name: str, format_type: str) -> Any:
    """The default of an option; NULL_IF is empty for everything but CSV."""
    if name == "NULL_IF" and format_type != "CSV":
        return []
    return _DEFAULTS.get(name, False if OPTIONS[name].type == "Boolean" else "")


def printed(value: Any) -> str:
    """An option's value as DESC STAGE and DESC FILE FORMAT print it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(str(entry) for entry in value) + "]"
    return str(value).replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def check(format_type: str, options: dict[str, Any]) -> None:
    """Raise for an option that the format type does not have."""
    for name in options:
        if name in OPTIONS and format_type not in OPTIONS[name].formats:
            raise errors.invalid_property(name, f"{format_type} FILE FORMAT")


def read_format(statement: Statement, name: str) -> dict[str, Any]:
    """FILE_FORMAT = ( FORMAT_NAME = … ) or ( TYPE = … options )."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    found: dict[str, Any] = {}
    while not tokens.accept_symbol(")"):
        tokens.accept_symbol(",")
        key = tokens.any_word()
        if key in found:
            raise errors.duplicate_property(key)
        tokens.expect_symbol("=")
        if key == "TYPE":
            found[key] = values.keyword(*_ALL, "CUSTOM")(statement, key)
        elif key == "FORMAT_NAME":
            parts = identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()
            statement.deferred_checks.append(partial(statement.find, "file_format", parts))
            found[key] = identifiers.dotted(statement.qualified("file_format", parts))
        elif key in OPTIONS:
            found[key] = OPTIONS[key].read(statement, key)
        else:
            raise errors.invalid_property(key, name)
    if "FORMAT_NAME" in found and len(found) > 1:
        raise errors.compilation(2091, "22023", "FORMAT_NAME and TYPE are mutually exclusive in FILE_FORMAT.")
    check(found.get("TYPE", "CSV"), found)
    return found
