"""What the options of a file format mean to a reader and a writer, defaults filled in.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format. Options whose effect is not here are refused by name
where they are given with another value than their default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinky_local.files.content import UnsupportedContentError

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_SEQUENCE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{3}|.)|0x([0-9a-fA-F]{2})", re.DOTALL)


def character(text: str) -> str:
    r"""The characters an option means: ``\t``, ``\x41``, ``\136`` and ``0x5e`` stand for one each."""
    return _SEQUENCE.sub(_meant, text)


def _meant(found: re.Match[str]) -> str:
    code, hexadecimal = found.groups()
    if hexadecimal is not None:
        return chr(int(hexadecimal, 16))
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    if len(code) == 3:
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)


def optional(given: Mapping[str, Any], name: str, default: str | None) -> str | None:
    """A delimiter or escape character; None for NONE."""
    value = given.get(name, default)
    return None if value is None or value == "NONE" else character(str(value))


def null_texts(given: Mapping[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that stand for NULL."""
    return tuple(given.get("NULL_IF", default))


@dataclass(frozen=True, slots=True)
class CsvFormat:
    r"""The options of a CSV format. ``record`` None stands for a line end of any kind."""

    field: str | None = ","
    record: str | None = None
    enclosed: str | None = None
    escape: str | None = None
    escape_unenclosed: str | None = "\\"
    skip: int = 0
    header: bool = False
    skip_blank: bool = False
    trim: bool = False
    nulls: tuple[str, ...] = ("\\N",)
    empty_is_null: bool = True
    count_matters: bool = True
    encoding: str = "UTF8"
    replace_invalid: bool = False
    skip_mark: bool = True
    compression: str = "AUTO"


_NEUTRAL: dict[str, Any] = {
    "DATE_FORMAT": "AUTO", "TIME_FORMAT": "AUTO", "TIMESTAMP_FORMAT": "AUTO", "BINARY_FORMAT": "HEX",
    "MULTI_LINE": True, "VALIDATE_UTF8": True, "ENABLE_OCTAL": False,
}  # fmt: skip


def refuse_others(given: Mapping[str, Any]) -> None:
    """Raise for an option that would change how values are read or written, and is not carried out here."""
    for name, neutral in _NEUTRAL.items():
        if given.get(name, neutral) != neutral:
            raise UnsupportedContentError(f"{name} = {given[name]} in a file format")


def csv_format(given: Mapping[str, Any]) -> CsvFormat:
    """The CSV options as given. Raises `UnsupportedContentError`."""
    refuse_others(given)
    record = given.get("RECORD_DELIMITER")
    made = None if record is None or character(str(record)) == "\n" else optional(given, "RECORD_DELIMITER", None)
    if record == "NONE":
        raise UnsupportedContentError("RECORD_DELIMITER = NONE")
    return CsvFormat(
        field=optional(given, "FIELD_DELIMITER", ","),
        record=made,
        enclosed=optional(given, "FIELD_OPTIONALLY_ENCLOSED_BY", None),
        escape=optional(given, "ESCAPE", None),
        escape_unenclosed=optional(given, "ESCAPE", None) or optional(given, "ESCAPE_UNENCLOSED_FIELD", "\\"),
        skip=int(given.get("SKIP_HEADER", 0)),
        header=bool(given.get("PARSE_HEADER")),
        skip_blank=bool(given.get("SKIP_BLANK_LINES")),
        trim=bool(given.get("TRIM_SPACE")),
        nulls=null_texts(given, ("\\N",)),
        empty_is_null=bool(given.get("EMPTY_FIELD_AS_NULL", True)),
        count_matters=bool(given.get("ERROR_ON_COLUMN_COUNT_MISMATCH", True)),
        encoding=str(given.get("ENCODING", "UTF8")),
        replace_invalid=bool(given.get("REPLACE_INVALID_CHARACTERS")),
        skip_mark=bool(given.get("SKIP_BYTE_ORDER_MARK", True)),
        compression=str(given.get("COMPRESSION", "AUTO")),
    )
