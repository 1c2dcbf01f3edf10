"""Values that properties of kinds in several packages share: levels of parameters, names with several parts.

They belong to no object type; a plugin imports them from here, because plugins never import each other.
https://docs.snowflake.com/en/sql-reference/parameters
"""

from __future__ import annotations

from typing import Any, Self

from pinky_core.address import parse_path, sql_path
from pinky_core.values import Keyword

__all__ = [
    "IcebergMergeOnRead",
    "LogLevel",
    "MetricLevel",
    "QualifiedName",
    "QuotedKeyword",
    "SerializationPolicy",
    "TraceLevel",
    "YesNo",
]


class QuotedKeyword(Keyword):
    """Base of keywords whose documented spelling in statements is a string, such as ``LOG_LEVEL = 'INFO'``."""

    @property
    def sql(self) -> str:
        """The quoted spelling for a statement."""
        return f"'{self.value}'"


class LogLevel(QuotedKeyword):
    """Least severity of messages kept: https://docs.snowflake.com/en/sql-reference/parameters#log-level."""

    TRACE = ("TRACE",)
    DEBUG = ("DEBUG",)
    INFO = ("INFO",)
    WARN = ("WARN",)
    ERROR = ("ERROR",)
    FATAL = ("FATAL",)
    OFF = ("OFF",)


class TraceLevel(QuotedKeyword):
    """Which trace events are kept: https://docs.snowflake.com/en/sql-reference/parameters#trace-level."""

    ALWAYS = ("ALWAYS",)
    ON_EVENT = ("ON_EVENT",)
    PROPAGATE = ("PROPAGATE",)
    OFF = ("OFF",)


class MetricLevel(QuotedKeyword):
    """Which metrics are kept: https://docs.snowflake.com/en/sql-reference/parameters#metric-level."""

    ALL = ("ALL",)
    NONE = ("NONE",)


class IcebergMergeOnRead(QuotedKeyword):
    """How rows of Iceberg tables are updated and deleted."""

    AUTO = ("AUTO",)
    ENABLED = ("ENABLED",)
    DISABLED = ("DISABLED",)


class YesNo(QuotedKeyword):
    """A switch that Snowflake spells as text."""

    YES = ("YES",)
    NO = ("NO",)


class SerializationPolicy(Keyword):
    """How files of Iceberg tables managed by Snowflake are encoded."""

    COMPATIBLE = ("COMPATIBLE",)
    OPTIMIZED = ("OPTIMIZED",)


class QualifiedName(str):
    """A name of three parts in canonical spelling, ``DB.SCHEMA."Name"``; equal spellings compare equal."""

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
        return str(self)
