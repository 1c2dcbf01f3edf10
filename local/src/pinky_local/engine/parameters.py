"""Parameters: what exists, at which levels it may be set, what it defaults to, and which level wins.

Rests on https://docs.snowflake.com/en/sql-reference/parameters. A value comes from the nearest level that sets it;
SHOW PARAMETERS prints that level, and nothing where the default holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.lexer import NUMBER, QUOTED, STRING, WORD

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

SESSION_LEVELS = frozenset({"account", "user", "session", "task"})
_DATA = frozenset({"account", "database", "schema"})
_TABLE = _DATA | {"table"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``type`` is BOOLEAN, NUMBER or STRING as SHOW PARAMETERS prints it."""

    name: str
    type: str
    default: Any
    levels: frozenset[str]
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    nullable: bool = False


def _session(name: str, default: Any, description: str, **rules: Any) -> Parameter:
    return Parameter(name, _type_of(default), default, SESSION_LEVELS, description=description, **rules)


def _object(name: str, default: Any, levels: frozenset[str], description: str, **rules: Any) -> Parameter:
    return Parameter(name, _type_of(default), default, levels, description=description, **rules)


def _type_of(default: Any) -> str:
    if isinstance(default, bool):
        return "BOOLEAN"
    return "NUMBER" if isinstance(default, int) else "STRING"


_LOG = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")
_SIZE_ALIASES = {"X-SMALL": "XSMALL", "X-LARGE": "XLARGE", "X2LARGE": "XXLARGE", "2X-LARGE": "XXLARGE"}
_WAREHOUSE = frozenset({"warehouse"})
_TASK = _DATA | {"task"}

_DECLARED = (
    _session("ABORT_DETACHED_QUERY", False, "Cancel queries in progress when the connection is lost."),
    _session("AUTOCOMMIT", True, "Commit each statement on its own."),
    _session("BINARY_INPUT_FORMAT", "HEX", "Format of VARCHAR converted to BINARY.", choices=("HEX", "BASE64", "UTF8")),
    _session("BINARY_OUTPUT_FORMAT", "HEX", "Format of BINARY converted to VARCHAR.", choices=("HEX", "BASE64")),
    _session("CLIENT_MEMORY_LIMIT", 1536, "Memory in MB that a client may use for results."),
    _session("CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX", False, "Metadata requests use the current schema only."),
    _session("CLIENT_PREFETCH_THREADS", 4, "Threads that fetch result chunks.", least=1, most=10),
    _session("CLIENT_RESULT_CHUNK_SIZE", 160, "Largest result chunk in MB.", least=16, most=160),
    _session("CLIENT_RESULT_COLUMN_CASE_INSENSITIVE", False, "Match result column names without regard to case."),
    _session("CLIENT_SESSION_KEEP_ALIVE", False, "Keep the session alive while the client runs."),
    _session(
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", 3600, "Seconds between heartbeats.", least=900, most=3600
    ),
    _session(
        "CLIENT_TIMESTAMP_TYPE_MAPPING",
        "TIMESTAMP_LTZ",
        "Variant of bound timestamps.",
        choices=("TIMESTAMP_LTZ", "TIMESTAMP_NTZ"),
    ),
    _session("DATE_INPUT_FORMAT", "AUTO", "Format of date input."),
    _session("DATE_OUTPUT_FORMAT", "YYYY-MM-DD", "Format of date output."),
    _session("DEFAULT_NULL_ORDERING", "LAST", "Where nulls stand in an order.", choices=("FIRST", "LAST")),
    _session("ENABLE_GET_DDL_USE_DATA_TYPE_ALIAS", False, "GET_DDL keeps the aliases of data types."),
    _session("ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION", True, "Optimize physical types of unloaded Parquet files."),
    _session("ERROR_ON_NONDETERMINISTIC_MERGE", True, "MERGE fails when a row matches several source rows."),
    _session("ERROR_ON_NONDETERMINISTIC_UPDATE", False, "UPDATE fails when a row matches several source rows."),
    _session(
        "GEOGRAPHY_OUTPUT_FORMAT",
        "GeoJSON",
        "Format of GEOGRAPHY output.",
        choices=("GeoJSON", "WKT", "WKB", "EWKT", "EWKB"),
    ),
    _session(
        "GEOMETRY_OUTPUT_FORMAT",
        "GeoJSON",
        "Format of GEOMETRY output.",
        choices=("GeoJSON", "WKT", "WKB", "EWKT", "EWKB"),
    ),
    _session("HYBRID_TABLE_LOCK_TIMEOUT", 3600, "Seconds a statement waits for a row lock.", least=0),
    _session("JDBC_TREAT_DECIMAL_AS_INT", True, "JDBC returns scale 0 numbers as integers."),
    _session("JDBC_TREAT_TIMESTAMP_NTZ_AS_UTC", False, "JDBC reads TIMESTAMP_NTZ as UTC."),
    _session("JDBC_USE_SESSION_TIMEZONE", True, "JDBC shows times in the session's zone."),
    _session("JSON_INDENT", 2, "Spaces per level of JSON output.", least=0, most=16),
    _session("LOCK_TIMEOUT", 43200, "Seconds a statement waits for a lock.", least=0),
    _session("MULTI_STATEMENT_COUNT", 1, "Statements that one request may hold.", least=0),
    _session("NOORDER_SEQUENCE_AS_DEFAULT", True, "New sequences and identity columns are NOORDER."),
    _session("ODBC_TREAT_DECIMAL_AS_INT", False, "ODBC returns scale 0 numbers as integers."),
    _session("OPT_OUT_ERROR_LOGGING", False, "Turn the logging of DML errors off."),
    _session("QUERY_TAG", "", "Text attached to the session's queries."),
    _session("QUOTED_IDENTIFIERS_IGNORE_CASE", False, "Fold quoted identifiers to upper case."),
    _session("ROWS_PER_RESULTSET", 0, "Most rows of a result; 0 is no limit.", least=0),
    _session("S3_STAGE_VPCE_DNS_NAME", "", "DNS name of the VPC endpoint for stages."),
    _session("SEARCH_PATH", "$current, $public", "Schemas searched for unqualified names."),
    _session("SIMULATED_DATA_SHARING_CONSUMER", "", "Consumer account to simulate for shared views."),
    _session("STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", 0, "Seconds a statement may wait in a queue.", least=0),
    _session("STATEMENT_TIMEOUT_IN_SECONDS", 172800, "Seconds a statement may run.", least=0, most=604800),
    _session("STRICT_JSON_OUTPUT", False, "JSON output follows the standard strictly."),
    _session("TIMESTAMP_DAY_IS_ALWAYS_24H", False, "DATEADD with days adds 24 hours."),
    _session("TIMESTAMP_INPUT_FORMAT", "AUTO", "Format of timestamp input."),
    _session("TIMESTAMP_LTZ_OUTPUT_FORMAT", "", "Format of TIMESTAMP_LTZ output."),
    _session("TIMESTAMP_NTZ_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF3", "Format of TIMESTAMP_NTZ output."),
    _session("TIMESTAMP_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM", "Format of timestamp output."),
    _session(
        "TIMESTAMP_TYPE_MAPPING",
        "TIMESTAMP_NTZ",
        "Variant that TIMESTAMP stands for.",
        choices=("TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ"),
    ),
    _session("TIMESTAMP_TZ_OUTPUT_FORMAT", "", "Format of TIMESTAMP_TZ output."),
    _session("TIMEZONE", "America/Los_Angeles", "Time zone of the session."),
    _session("TIME_INPUT_FORMAT", "AUTO", "Format of time input."),
    _session("TIME_OUTPUT_FORMAT", "HH24:MI:SS", "Format of time output."),
    _session("TRANSACTION_ABORT_ON_ERROR", False, "An error aborts the open transaction."),
    _session(
        "TRANSACTION_DEFAULT_ISOLATION_LEVEL",
        "READ COMMITTED",
        "Isolation of transactions.",
        choices=("READ COMMITTED",),
    ),
    _session("TWO_DIGIT_CENTURY_START", 1970, "First year of two-digit years.", least=1900, most=2100),
    _session(
        "UNSUPPORTED_DDL_ACTION",
        "ignore",
        "What happens to unsupported column constraints.",
        choices=("ignore", "fail"),
    ),
    _session("USE_CACHED_RESULT", True, "Reuse results of equal queries."),
    _session("WEEK_OF_YEAR_POLICY", 0, "How weeks of a year are counted.", least=0, most=1),
    _session("WEEK_START", 0, "First day of the week.", least=0, most=7),
    _object("NETWORK_POLICY", "", frozenset({"account", "user"}), "Network policy in force."),
    _object(
        "ENABLE_UNREDACTED_QUERY_SYNTAX_ERROR",
        False,
        frozenset({"account", "user"}),
        "Query history shows statements with syntax errors.",
    ),
    _object("DISABLE_UI_DOWNLOAD_BUTTON", False, frozenset({"account", "user"}), "Hide the button to download."),
    _object(
        "ENABLE_NOTEBOOK_CREATION_IN_PERSONAL_DB", False, frozenset({"account", "user"}), "Allow private notebooks."
    ),
    _object(
        "ENABLE_UNREDACTED_SECURE_OBJECT_ERROR",
        False,
        frozenset({"account", "user"}),
        "Errors of secure objects are shown in full.",
    ),
    _object("PREVENT_UNLOAD_TO_INLINE_URL", False, frozenset({"account", "user"}), "Refuse unloading to a URL."),
    _object("PREVENT_UNLOAD_TO_INTERNAL_STAGES", False, frozenset({"account", "user"}), "Refuse unloading to stages."),
    _object("ALLOW_CLIENT_MFA_CACHING", False, frozenset({"account"}), "Clients may keep MFA tokens."),
    _object("ALLOW_ID_TOKEN", False, frozenset({"account"}), "Clients may keep connection tokens."),
    _object("MIN_DATA_RETENTION_TIME_IN_DAYS", 0, frozenset({"account"}), "Least retention.", least=0, most=90),
    _object("PERIODIC_DATA_REKEYING", False, frozenset({"account"}), "Re-encrypt data every year."),
    _object("DATA_RETENTION_TIME_IN_DAYS", 1, _TABLE, "Days of Time Travel.", least=0, most=90),
    _object("MAX_DATA_EXTENSION_TIME_IN_DAYS", 14, _TABLE, "Days retention is extended for streams.", least=0, most=90),
    _object("DEFAULT_DDL_COLLATION", "", _TABLE, "Collation of new string columns."),
    _object("ENABLE_DATA_COMPACTION", True, _TABLE, "Compact Iceberg data files."),
    _object("EXTERNAL_VOLUME", "", _DATA, "External volume of new Iceberg tables."),
    _object("CATALOG", "", _DATA, "Catalog integration of new Iceberg tables."),
    _object("CATALOG_SYNC", "", _DATA, "Open Catalog integration that tables sync to."),
    _object("ICEBERG_DEFAULT_DDL_COLLATION", "", _DATA, "Collation of string columns of Iceberg tables."),
    _object("ICEBERG_VERSION_DEFAULT", 2, _DATA, "Version of new Iceberg tables.", least=2, most=3),
    _object(
        "ICEBERG_MERGE_ON_READ_BEHAVIOR",
        "AUTO",
        _DATA,
        "How Iceberg rows change.",
        choices=("AUTO", "ENABLED", "DISABLED"),
    ),
    _object("ENABLE_ICEBERG_MERGE_ON_READ", True, _DATA, "Older form of ICEBERG_MERGE_ON_READ_BEHAVIOR."),
    _object("REPLACE_INVALID_CHARACTERS", False, _DATA, "Replace invalid UTF-8 in Iceberg results."),
    _object(
        "STORAGE_SERIALIZATION_POLICY",
        "OPTIMIZED",
        _DATA,
        "Encoding of Iceberg files.",
        choices=("COMPATIBLE", "OPTIMIZED"),
    ),
    _object("DEFAULT_STREAMLIT_NOTEBOOK_WAREHOUSE", "", _DATA, "Warehouse of new notebooks."),
    _object("DEFAULT_NOTEBOOK_COMPUTE_POOL_CPU", "", _DATA, "CPU compute pool of new notebooks."),
    _object("DEFAULT_NOTEBOOK_COMPUTE_POOL_GPU", "", _DATA, "GPU compute pool of new notebooks."),
    _object("PIPE_EXECUTION_PAUSED", False, frozenset({"account", "schema"}), "Pause pipes."),
    _object(
        "LOG_LEVEL", "OFF", _TASK | {"user", "session", "procedure", "function"}, "Least severity kept.", choices=_LOG
    ),
    _object(
        "TRACE_LEVEL",
        "OFF",
        _TASK | {"user", "session", "procedure", "function"},
        "Which trace events are kept.",
        choices=("ALWAYS", "ON_EVENT", "PROPAGATE", "OFF"),
    ),
    _object(
        "METRIC_LEVEL",
        "NONE",
        _DATA | {"user", "session", "procedure", "function"},
        "Which metrics are kept.",
        choices=("ALL", "NONE"),
    ),
    _object("LOG_EVENT_LEVEL", "OFF", _TASK | {"user"}, "Least severity of platform events kept.", choices=_LOG),
    _object(
        "AUTO_EVENT_LOGGING",
        "OFF",
        frozenset({"procedure"}),
        "Messages a procedure logs by itself.",
        choices=("LOGGING", "TRACING", "ALL", "OFF"),
    ),
    _object("ENABLE_CONSOLE_OUTPUT", False, _DATA, "Write handler output to the event table."),
    _object("SUSPEND_TASK_AFTER_NUM_FAILURES", 10, _TASK, "Failed runs in a row that suspend a task.", least=0),
    _object("TASK_AUTO_RETRY_ATTEMPTS", 0, _TASK, "Automatic retries of a task graph.", least=0, most=30),
    _object(
        "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
        "Medium",
        _TASK,
        "First size of serverless tasks.",
        choices=_SIZES,
        aliases=_SIZE_ALIASES,
    ),
    _object(
        "SERVERLESS_TASK_MIN_STATEMENT_SIZE",
        "XSMALL",
        _TASK,
        "Least size of serverless tasks.",
        choices=_SIZES,
        aliases=_SIZE_ALIASES,
    ),
    _object(
        "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
        "XXLARGE",
        _TASK,
        "Largest size of serverless tasks.",
        choices=_SIZES,
        aliases=_SIZE_ALIASES,
    ),
    _object(
        "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS",
        30,
        _TASK,
        "Seconds between triggered runs.",
        least=10,
        most=604800,
    ),
    _object("USER_TASK_TIMEOUT_MS", 3600000, _TASK, "Milliseconds a task run may take.", least=0, most=604800000),
    _object(
        "MAX_CONCURRENCY_LEVEL", 8, _WAREHOUSE | {"account"}, "Statements one cluster runs at a time.", least=1, most=32
    ),
)

PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for parameter in _DECLARED}
_ALSO_WAREHOUSE = ("STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "STATEMENT_TIMEOUT_IN_SECONDS")


def applies(parameter: Parameter, level: str) -> bool:
    """Whether a parameter can be set on an object of this type (or on session, account)."""
    return level in parameter.levels or (level == "warehouse" and parameter.name in _ALSO_WAREHOUSE)


def read(statement: Statement, name: str, level: str) -> Any:
    """Read a value for a parameter from the statement. Raises 001006 for an unknown name, 001008 for a bad value."""
    parameter = PARAMETERS.get(name)
    if parameter is None or not applies(parameter, level):
        raise errors.invalid_parameter(name)
    tokens = statement.tokens
    token = tokens.token
    if tokens.accept("NULL"):
        return None
    if parameter.type == "NUMBER":
        raw = tokens.string() if token.kind == STRING else str(tokens.integer())
    elif token.kind == WORD and not (parameter.choices or parameter.type == "BOOLEAN"):
        raw = ".".join(tokens.name())
    elif token.kind in (WORD, STRING, QUOTED, NUMBER):
        tokens.index += 1
        raw = token.value
    elif tokens.is_symbol("?"):
        raw = statement.text_value()
    else:
        raise tokens.unexpected()
    return checked(parameter, raw)


def checked(parameter: Parameter, raw: Any) -> Any:
    """The value in its own type. Raises 001008."""
    text = str(raw)
    if parameter.type == "BOOLEAN":
        if text.upper() not in ("TRUE", "FALSE"):
            raise errors.invalid_parameter_value(text, parameter.name)
        return text.upper() == "TRUE"
    if parameter.type == "NUMBER":
        if not text.lstrip("-").isdigit():
            raise errors.invalid_parameter_value(text, parameter.name)
        value = int(text)
        if (parameter.least is not None and value < parameter.least) or (
            parameter.most is not None and value > parameter.most
        ):
            raise errors.invalid_parameter_value(text, parameter.name)
        return value
    if parameter.choices:
        spelled = {choice.upper(): choice for choice in parameter.choices} | dict(parameter.aliases)
        if text.upper() not in spelled:
            raise errors.invalid_parameter_value(text, parameter.name)
        return spelled[text.upper()]
    return text


def printed(value: Any) -> str:
    """A value as SHOW PARAMETERS prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def effective(statement: Statement, parameter: Parameter, item: CatalogObject | None) -> tuple[Any, str]:
    """Value and level in force for an object (None: the account). The level is empty where the default holds."""
    catalog = statement.catalog
    while item is not None:
        if parameter.name in item.parameters:
            level = "TABLE" if item.kind in ("view", "event_table") else item.kind.upper()
            return item.parameters[parameter.name], level
        if item.parent == ACCOUNT:
            break
        item = catalog.objects[item.parent]
    if parameter.name in statement.account.parameters:
        return statement.account.parameters[parameter.name], "ACCOUNT"
    return parameter.default, ""


def in_session(statement: Statement, parameter: Parameter) -> tuple[Any, str]:
    """Value and level in force for the session: session, then user, then account."""
    session = statement.session
    if parameter.name in session.parameters:
        return session.parameters[parameter.name], "SESSION"
    user = statement.catalog.get(ACCOUNT, "user", session.user)
    return effective(statement, parameter, user)
