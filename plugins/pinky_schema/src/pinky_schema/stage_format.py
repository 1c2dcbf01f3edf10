"""The file format of a stage: a named one, or a type with options.

https://docs.snowflake.com/en/sql-reference/sql/create-stage,
https://docs.snowflake.com/en/sql-reference/sql/desc-stage
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pinky_core import (
    ABSENT,
    Identifier,
    Keyword,
    Nested,
    is_given,
    literal,
    nested,
    parse_path,
    prop,
    string_literal,
)

__all__ = ["Compression", "FileType", "StageFileFormat", "same_text"]


class FileType(Keyword):
    """What kind of files a stage holds."""

    CSV = ("CSV",)
    JSON = ("JSON",)
    AVRO = ("AVRO",)
    ORC = ("ORC",)
    PARQUET = ("PARQUET",)
    XML = ("XML",)
    CUSTOM = ("CUSTOM",)


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
#: The options of each type of files, as the syntax on the page of CREATE STAGE lists them.
_OPTIONS: Mapping[FileType, frozenset[str]] = {
    FileType.CSV: frozenset(
        {
            "compression", "record_delimiter", "field_delimiter", "multi_line", "file_extension", "parse_header",
            "skip_header", "skip_blank_lines", *_TEXT_OPTIONS, "escape", "escape_unenclosed_field", "trim_space",
            "field_optionally_enclosed_by", "null_if", "error_on_column_count_mismatch", "validate_utf8",
            "replace_invalid_characters", "empty_field_as_null", "skip_byte_order_mark", "encoding",
        }
    ),
    FileType.JSON: frozenset(
        {
            "compression", *_TEXT_OPTIONS, "trim_space", "multi_line", "null_if", "file_extension", "enable_octal",
            "allow_duplicate", "strip_outer_array", "strip_null_values", "replace_invalid_characters",
            "ignore_utf8_errors", "skip_byte_order_mark",
        }
    ),
    FileType.AVRO: frozenset({"compression", "trim_space", "replace_invalid_characters", "null_if"}),
    FileType.ORC: frozenset({"trim_space", "replace_invalid_characters", "null_if"}),
    FileType.PARQUET: frozenset(
        {
            "compression", "snappy_compression", "binary_as_text", "use_logical_type", "trim_space",
            "use_vectorized_scanner", "replace_invalid_characters", "null_if",
        }
    ),
    FileType.XML: frozenset(
        {
            "compression", "ignore_utf8_errors", "preserve_space", "strip_outer_element", "disable_auto_convert",
            "replace_invalid_characters", "skip_byte_order_mark",
        }
    ),
    FileType.CUSTOM: frozenset(),
}  # fmt: skip
# Words that stand without quotes where a text is expected.
_BARE = {"NONE", "AUTO"}


@nested
class StageFileFormat(Nested):
    """The format of the files in a stage: `format_name`, or `type` with its options; only what is given is compared."""

    format_name: str | None = prop(default=None, doc="A file format by name; then nothing else is given.")
    type: FileType = prop(default=FileType.CSV, doc="What kind of files these are.")
    compression: Compression = prop(default=Compression.AUTO, doc="How files are compressed.")
    record_delimiter: str = prop(default="\\n", doc="What ends a record, or NONE.")
    field_delimiter: str = prop(default=",", doc="What separates fields, or NONE.")
    multi_line: bool = prop(default=True, doc="Whether a value may span lines.")
    file_extension: str | None = prop(default=None, doc="Extension of unloaded files.")
    parse_header: bool = prop(default=False, doc="Whether the first line names the columns.")
    skip_header: int = prop(default=0, minimum=0, doc="Lines to leave out at the start.")
    skip_blank_lines: bool = prop(default=False, doc="Whether blank lines are left out.")
    date_format: str = prop(default="AUTO", doc="How dates are written.")
    time_format: str = prop(default="AUTO", doc="How times are written.")
    timestamp_format: str = prop(default="AUTO", doc="How timestamps are written.")
    binary_format: BinaryFormat = prop(default=BinaryFormat.HEX, doc="How bytes are written.")
    escape: str = prop(default="NONE", doc="Escape character in enclosed fields, or NONE.")
    escape_unenclosed_field: str = prop(default="\\\\", doc="Escape character in other fields, or NONE.")
    trim_space: bool = prop(default=False, doc="Whether white space around fields is removed.")
    field_optionally_enclosed_by: str = prop(default="NONE", doc="Quoting character, or NONE.")
    null_if: tuple[str, ...] = prop(default=None, doc="Texts that mean NULL.")
    error_on_column_count_mismatch: bool = prop(default=True, doc="Whether a wrong number of fields is an error.")
    validate_utf8: bool = prop(default=True, doc="Whether text is checked to be UTF-8.")
    replace_invalid_characters: bool = prop(default=False, doc="Whether invalid characters are replaced.")
    empty_field_as_null: bool = prop(default=True, doc="Whether empty fields are NULL.")
    skip_byte_order_mark: bool = prop(default=True, doc="Whether a byte order mark is left out.")
    encoding: str = prop(default="UTF8", doc="Character set of the files.")
    enable_octal: bool = prop(default=False, doc="Whether octal numbers are read.")
    allow_duplicate: bool = prop(default=False, doc="Whether the last of duplicate keys counts.")
    strip_outer_array: bool = prop(default=False, doc="Whether an outer array is removed.")
    strip_null_values: bool = prop(default=False, doc="Whether null values are removed.")
    ignore_utf8_errors: bool = prop(default=False, doc="Whether invalid UTF-8 is replaced.")
    snappy_compression: bool = prop(default=True, doc="Whether unloaded files are compressed with Snappy.")
    binary_as_text: bool = prop(default=True, doc="Whether binary columns are read as text.")
    use_logical_type: bool = prop(default=False, doc="Whether logical types of Parquet count.")
    use_vectorized_scanner: bool = prop(default=False, doc="Whether the vectorized scanner reads the files.")
    preserve_space: bool = prop(default=False, doc="Whether white space in elements is kept.")
    strip_outer_element: bool = prop(default=False, doc="Whether the outer element is removed.")
    disable_auto_convert: bool = prop(default=False, doc="Whether numbers and booleans stay text.")

    def given(self) -> dict[str, Any]:
        """What was declared, without nulls, by field name."""
        return {f.name: value for f in self.spec.fields if is_given(value := getattr(self, f.name))}

    def mistakes(self) -> Iterable[str]:
        """What does not go together."""
        given = self.given()
        if "format_name" in given and len(given) > 1:
            yield "'format_name' stands alone: the named file format has the options"
        type_ = given.get("type", FileType.CSV)
        if "format_name" not in given and type_ in _OPTIONS:
            for name in given.keys() - _OPTIONS[type_] - {"type", "format_name"}:
                yield f"{name!r} is not an option of {type_} files; options: {', '.join(sorted(_OPTIONS[type_]))}"

    def clause(self, base: Sequence[Identifier]) -> str:
        """``FILE_FORMAT = (…)``; a name is completed from the schema of the stage."""
        given = self.given()
        if "format_name" in given:
            name = ".".join(part.sql for part in complete(given["format_name"], base))
            return f"FILE_FORMAT = (FORMAT_NAME = {string_literal(name)})"
        given = {"type": given.pop("type", FileType.CSV), **given}
        return (
            "FILE_FORMAT = (" + " ".join(f"{name.upper()} = {_spelled(value)}" for name, value in given.items()) + ")"
        )

    def differs(self, live: StageFileFormat, base: Sequence[Identifier]) -> bool:
        """Whether anything declared here is another thing there."""
        given = self.given()
        if "format_name" in given:
            there = live.format_name
            return not is_given(there) or complete(given["format_name"], base) != complete(str(there), base)
        if is_given(live.format_name):
            return True
        given.setdefault("type", FileType.CSV)
        return any(not _same(value, getattr(live, name)) for name, value in given.items())


def complete(name: str, base: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """The full path of a name that an object in a schema uses; raises ValueError for what is no name."""
    parts = parse_path(name)
    return (*tuple(base)[: 3 - len(parts)], *parts)


def _spelled(value: Any) -> str:
    if isinstance(value, str) and not isinstance(value, Keyword):
        return value.upper() if value.upper() in _BARE else string_literal(value)
    return literal(value)


def _same(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, Keyword) or not isinstance(wanted, (str, tuple)):
        return bool(wanted == live)
    if isinstance(wanted, str):
        return same_text(wanted, "" if live in (ABSENT, None) else str(live))
    # DESC STAGE joins a list by commas, which its texts may hold too: only the joined text is certain
    return same_text(", ".join(wanted), "" if live in (ABSENT, None) else ", ".join(live))


def same_text(one: str, other: str) -> bool:
    r"""Whether two option values are one: DESC STAGE prints a line end as ``\n`` and a backslash as two."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    if text.upper() in _BARE:
        return text.upper()
    for character, spelled in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, spelled)
    return text.replace("\\\\", "\\")
