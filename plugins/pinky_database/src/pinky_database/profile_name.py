"""Names of classification profiles as a schema refers to them."""

from __future__ import annotations

from typing import Any, Self

from pinky_core import parse_path, sql_path, string_literal

__all__ = ["ProfileName"]


class ProfileName(str):
    """A name of three parts in canonical spelling; statements take it as a string."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a qualified name; raises ValueError where it has not three parts."""
        path = parse_path(text)
        if len(path) != 3:
            raise ValueError(f"{text!r} has {len(path)} parts; give database, schema and name")
        return cls(sql_path(path))

    @classmethod
    def read(cls, text: str) -> str:
        """What Snowflake printed: canonical where it can be read as a name, as it is otherwise."""
        try:
            return cls(sql_path(parse_path(text)))
        except ValueError:
            return text

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": "string", "minLength": 5, "description": "Database, schema and name, separated by dots."}

    @property
    def sql(self) -> str:
        """The spelling for a statement."""
        return string_literal(str(self))
