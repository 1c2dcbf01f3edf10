"""Options of file formats, shared by file formats that have a name and those that stand in a stage.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format,
https://docs.snowflake.com/en/sql-reference/sql/create-stage,
https://docs.snowflake.com/en/sql-reference/sql/desc-file-format
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import Keyword, is_given, literal, prop, resource, string_literal

__all__ = ["COMPRESSIONS", "OPTIONS", "BinaryFormat", "Compression", "FormatOptions", "same_text", "spelled"]


class Compression(Keyword):
    """How files are compressed."""

    AUTO = ("AUTO",)
    GZIP = ("GZIP",)
    BZ2 = ("BZ2",)
    BROTLI = ("BROTLI",)
    ZSTD = ("ZSTD",)
    DEFLATE = ("DEFLATE",)
    RAW_DEFLATE = ("RAW_DEFLATE",)
    LZO = ("LZO",)
    SNAPPY = ("SNAPPY",)
    NONE = ("NONE",)


class BinaryFormat(Keyword):
    """How bytes are written as text."""

    HEX = ("HEX",)
    BASE64 = ("BASE64",)
    UTF8 = "UTF8", "UTF-8"


_TEXT_OPTIONS = ("date_format", "time_format", "timestamp_format", "binary_format")
#: The options of each type of files, as the pages of CREATE FILE FORMAT and CREATE STAGE list them.
OPTIONS: Mapping[str, frozenset[str]] = {
    "CSV": frozenset(
        {
            "compression", "record_delimiter", "field_delimiter", "multi_line", "file_extension", "parse_header",
            "skip_header", "skip_blank_lines", *_TEXT_OPTIONS, "escape", "escape_unenclosed_field", "trim_space",
            "field_optionally_enclosed_by", "null_if", "error_on_column_count_mismatch", "validate_utf8",
            "replace_invalid_characters", "empty_field_as_null", "skip_byte_order_mark", "encoding",
        }
    ),
    "JSON": frozenset(
        {
            "compression", *_TEXT_OPTIONS, "trim_space", "multi_line", "null_if", "file_extension", "enable_octal",
            "allow_duplicate", "strip_outer_array", "strip_null_values", "replace_invalid_characters",
            "ignore_utf8_errors", "skip_byte_order_mark",
        }
    ),
    "AVRO": frozenset({"compression", "trim_space", "replace_invalid_characters", "null_if"}),
    "ORC": frozenset({"trim_space", "replace_invalid_characters", "null_if"}),
    "PARQUET": frozenset(
        {
            "compression", "snappy_compression", "binary_as_text", "use_logical_type", "trim_space",
            "use_vectorized_scanner", "replace_invalid_characters", "null_if",
        }
    ),
    "XML": frozenset(
        {
            "compression", "ignore_utf8_errors", "preserve_space", "strip_outer_element", "disable_auto_convert",
            "replace_invalid_characters", "skip_byte_order_mark",
        }
    ),
    "CUSTOM": frozenset(),
}  # fmt: skip
_GENERAL = frozenset(Compression) - {Compression.LZO, Compression.SNAPPY}
#: The compressions of each type of files.
COMPRESSIONS: Mapping[str, frozenset[Compression]] = {
    "CSV": _GENERAL,
    "JSON": _GENERAL,
    "XML": _GENERAL,
    "AVRO": _GENERAL - {Compression.BZ2},
    "PARQUET": frozenset({Compression.AUTO, Compression.LZO, Compression.SNAPPY, Compression.NONE}),
}
# Words that stand without quotes where a text is expected.
_BARE = {"NONE", "AUTO"}


@resource("format_options", scope="schema", stateful=False)
class FormatOptions:
    """Every option of every type of files; no kind by itself. There is no UNSET for any of them."""

    compression: Compression = prop(default=Compression.AUTO, unset=False, doc="How files are compressed.")
    record_delimiter: str = prop(default="\\n", unset=False, doc="What ends a record, or NONE.")
    field_delimiter: str = prop(default=",", unset=False, doc="What separates fields, or NONE.")
    multi_line: bool = prop(default=True, unset=False, doc="Whether a value may span lines.")
    file_extension: str | None = prop(default=None, unset=False, doc="Extension of unloaded files.")
    parse_header: bool = prop(default=False, unset=False, doc="Whether the first line names the columns.")
    skip_header: int = prop(default=0, minimum=0, unset=False, doc="Lines to leave out at the start.")
    skip_blank_lines: bool = prop(default=False, unset=False, doc="Whether blank lines are left out.")
    date_format: str = prop(default="AUTO", unset=False, doc="How dates are written.")
    time_format: str = prop(default="AUTO", unset=False, doc="How times are written.")
    timestamp_format: str = prop(default="AUTO", unset=False, doc="How timestamps are written.")
    binary_format: BinaryFormat = prop(default=BinaryFormat.HEX, unset=False, doc="How bytes are written.")
    escape: str = prop(default="NONE", unset=False, doc="Escape character in enclosed fields, or NONE.")
    escape_unenclosed_field: str = prop(default="\\", unset=False, doc="Escape character in other fields, or NONE.")
    trim_space: bool = prop(default=False, unset=False, doc="Whether white space around fields is removed.")
    field_optionally_enclosed_by: str = prop(default="NONE", unset=False, doc="Quoting character, or NONE.")
    null_if: tuple[str, ...] = prop(default=None, unset=False, doc="Texts that mean NULL.")
    error_on_column_count_mismatch: bool = prop(
        default=True, unset=False, doc="Whether a wrong number of fields is an error."
    )
    validate_utf8: bool = prop(default=True, unset=False, doc="Whether text is checked to be UTF-8.")
    replace_invalid_characters: bool = prop(default=False, unset=False, doc="Whether invalid characters are replaced.")
    empty_field_as_null: bool = prop(default=True, unset=False, doc="Whether empty fields are NULL.")
    skip_byte_order_mark: bool = prop(default=True, unset=False, doc="Whether a byte order mark is left out.")
    encoding: str = prop(default="UTF8", unset=False, doc="Character set of the files.")
    enable_octal: bool = prop(default=False, unset=False, doc="Whether octal numbers are read.")
    allow_duplicate: bool = prop(default=False, unset=False, doc="Whether the last of duplicate keys counts.")
    strip_outer_array: bool = prop(default=False, unset=False, doc="Whether an outer array is removed.")
    strip_null_values: bool = prop(default=False, unset=False, doc="Whether null values are removed.")
    ignore_utf8_errors: bool = prop(default=False, unset=False, doc="Whether invalid UTF-8 is replaced.")
    snappy_compression: bool = prop(default=True, unset=False, doc="Whether unloaded files are compressed with Snappy.")
    binary_as_text: bool = prop(default=True, unset=False, doc="Whether binary columns are read as text.")
    use_logical_type: bool = prop(default=False, unset=False, doc="Whether logical types of Parquet count.")
    use_vectorized_scanner: bool = prop(
        default=False, unset=False, doc="Whether the vectorized scanner reads the files."
    )
    preserve_space: bool = prop(default=False, unset=False, doc="Whether white space in elements is kept.")
    strip_outer_element: bool = prop(default=False, unset=False, doc="Whether the outer element is removed.")
    disable_auto_convert: bool = prop(default=False, unset=False, doc="Whether numbers and booleans stay text.")

    def given_options(self) -> dict[str, Any]:
        """The options that were declared, without nulls, by field name."""
        return {name: value for name in OPTION_NAMES if is_given(value := getattr(self, name))}

    def option_mistakes(self, type_: str) -> Iterator[tuple[str, str]]:
        """Options that this type of files does not have, and such that exclude each other: name and text."""
        given, options = self.given_options(), OPTIONS.get(type_, frozenset())
        for name in sorted(given.keys() - options):
            known = ", ".join(sorted(options)) or "none"
            yield name, f"{name!r} is not an option of {type_} files; options: {known}"
        compression = given.get("compression")
        if "compression" in options and compression and compression not in COMPRESSIONS[type_]:
            known = ", ".join(each for each in Compression if each in COMPRESSIONS[type_])
            yield "compression", f"{compression} is not a compression of {type_} files; allowed: {known}"
        if given.get("parse_header") and given.get("skip_header"):
            yield "skip_header", "'skip_header' does not go together with 'parse_header: true'"


OPTION_NAMES: tuple[str, ...] = tuple(field.name for field in FormatOptions.spec.fields)  # type: ignore[attr-defined]


def spelled(value: Any) -> str:
    """The value of an option in a statement: NONE and AUTO stand bare, other texts in quotes."""
    if isinstance(value, str) and not isinstance(value, Keyword):
        return value.upper() if value.upper() in _BARE else string_literal(value)
    return literal(value)


def same_text(one: str, other: str) -> bool:
    r"""Whether two option values are one: DESCRIBE prints a line end as ``\n`` and a backslash as two."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    if text.upper() in _BARE:
        return text.upper()
    for character, written in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, written)
    return text.replace("\\\\", "\\")
