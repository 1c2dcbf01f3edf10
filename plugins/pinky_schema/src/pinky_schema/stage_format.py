"""The file format of a stage: a named one, or a type with options.

https://docs.snowflake.com/en/sql-reference/sql/create-stage,
https://docs.snowflake.com/en/sql-reference/sql/desc-stage
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pinky_core import ABSENT, Identifier, Keyword, Nested, is_given, nested, parse_path, prop, string_literal
from pinky_schema.format_options import FormatOptions, same_text, spelled

__all__ = ["StageFileFormat", "StageFileType"]


class StageFileType(Keyword):
    """What kind of files a stage holds."""

    CSV = ("CSV",)
    JSON = ("JSON",)
    AVRO = ("AVRO",)
    ORC = ("ORC",)
    PARQUET = ("PARQUET",)
    XML = ("XML",)
    CUSTOM = ("CUSTOM",)


@nested
class StageFileFormat(FormatOptions, Nested):
    """The format of the files in a stage: `format_name`, or `type` with its options; only what is given is compared."""

    format_name: str | None = prop(default=None, doc="A file format by name; then nothing else is given.")
    type: StageFileType = prop(default=StageFileType.CSV, doc="What kind of files these are.")

    def given(self) -> dict[str, Any]:
        """What was declared, without nulls, by field name; the type first."""
        names = ("type", "format_name")
        return {name: value for name in names if is_given(value := getattr(self, name))} | self.given_options()

    def mistakes(self) -> Iterable[str]:
        """What does not go together."""
        given = self.given()
        if "format_name" not in given:
            yield from (text for _, text in self.option_mistakes(given.get("type", StageFileType.CSV)))
        elif len(given) > 1:
            yield "'format_name' stands alone: the named file format has the options"

    def clause(self, base: Sequence[Identifier]) -> str:
        """``FILE_FORMAT = (…)``; a name is completed from the schema of the stage."""
        given = self.given()
        if "format_name" in given:
            name = ".".join(part.sql for part in complete(given["format_name"], base))
            return f"FILE_FORMAT = (FORMAT_NAME = {string_literal(name)})"
        given = {"type": StageFileType.CSV} | given
        return "FILE_FORMAT = (" + " ".join(f"{name.upper()} = {spelled(value)}" for name, value in given.items()) + ")"

    def differs(self, live: StageFileFormat, base: Sequence[Identifier]) -> bool:
        """Whether anything declared here is another thing there."""
        given = self.given()
        if "format_name" in given:
            there = live.format_name
            return not is_given(there) or complete(given["format_name"], base) != complete(str(there), base)
        if is_given(live.format_name):
            return True
        given.setdefault("type", StageFileType.CSV)
        return any(not _same(value, getattr(live, name)) for name, value in given.items())


def complete(name: str, base: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """The full path of a name that an object in a schema uses; raises ValueError for what is no name."""
    parts = parse_path(name)
    return (*tuple(base)[: 3 - len(parts)], *parts)


def _same(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, Keyword) or not isinstance(wanted, (str, tuple)):
        return bool(wanted == live)
    if isinstance(wanted, str):
        return same_text(wanted, "" if live in (ABSENT, None) else str(live))
    # DESC STAGE joins a list by commas, which its texts may hold too: only the joined text is certain
    return same_text(", ".join(wanted), "" if live in (ABSENT, None) else ", ".join(live))
