"""Keywords that SQL wants in single quotes, shared by the kinds of this package."""

from __future__ import annotations

from pinky_core import Keyword, string_literal

__all__ = ["IcebergMergeOnRead", "LogLevel", "MetricLevel", "Quoted", "SerializationPolicy", "TraceLevel", "YesNo"]


class Quoted(Keyword):
    """Base of keywords whose documented spelling in statements is a string, such as ``LOG_LEVEL = 'INFO'``."""

    @property
    def sql(self) -> str:
        """The quoted spelling for a statement."""
        return string_literal(str(self.value))


class LogLevel(Quoted):
    """Least severity of messages kept: https://docs.snowflake.com/en/sql-reference/parameters#log-level."""

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    FATAL = "FATAL"
    OFF = "OFF"


class TraceLevel(Quoted):
    """Which trace events are kept: https://docs.snowflake.com/en/sql-reference/parameters#trace-level."""

    ALWAYS = "ALWAYS"
    ON_EVENT = "ON_EVENT"
    PROPAGATE = "PROPAGATE"
    OFF = "OFF"


class MetricLevel(Quoted):
    """Which metrics are kept: https://docs.snowflake.com/en/sql-reference/parameters#metric-level."""

    ALL = "ALL"
    NONE = "NONE"


class IcebergMergeOnRead(Quoted):
    """How rows of Iceberg tables are updated and deleted."""

    AUTO = "AUTO"
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class YesNo(Quoted):
    """A switch that Snowflake spells as text."""

    YES = "YES"
    NO = "NO"


class SerializationPolicy(Keyword):
    """How files of Iceberg tables managed by Snowflake are encoded."""

    COMPATIBLE = "COMPATIBLE"
    OPTIMIZED = "OPTIMIZED"
