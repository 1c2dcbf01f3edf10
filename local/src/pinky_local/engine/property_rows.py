"""DESCRIBE answers that have one row for each property, and the rows of a file format.

https://docs.snowflake.com/en/sql-reference/sql/desc-stage, desc-file-format and desc-integration.
"""

from __future__ import annotations

from typing import Any

from pinky_local.engine import show
from pinky_local.engine.specs import file_formats
from pinky_local.engine.statement import rows
from pinky_local.types import Result, ResultColumn


def properties_table(values: list[list[Any]], *, parent: bool) -> Result:
    """Rows of property, type, value and default, with the parent property before them where there is one."""
    names = [
        *(["parent_property"] if parent else []),
        "property",
        "property_type",
        "property_value",
        "property_default",
    ]
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


def format_rows(given: dict[str, Any]) -> list[list[str]]:
    """The rows of a file format: its name, or every option of its type."""
    if "FORMAT_NAME" in given:
        return [["FORMAT_NAME", "String", given["FORMAT_NAME"], ""]]
    kind = str(given.get("TYPE", "CSV"))
    found = [["TYPE", "String", kind, "CSV"]]
    for name, option in file_formats.OPTIONS.items():
        if kind not in option.formats:
            continue
        default = file_formats.default_of(name, kind)
        value = file_formats.printed(given.get(name, default))
        found.append([name, option.type, value, file_formats.printed(default)])
    return found
