"""Parameters of users: the defaults of their sessions, and what holds for them as objects.

https://docs.snowflake.com/en/sql-reference/parameters, https://docs.snowflake.com/en/sql-reference/sql/create-user and
alter-user list them. Null unsets one: what the account says holds again.
"""

from __future__ import annotations

from typing import Any

from pinky_core import (
    Identifier,
    LogLevel,
    MetricLevel,
    QuotedKeyword,
    Resource,
    Source,
    TraceLevel,
    prop,
    resource_base,
)

__all__ = ["UserParameters"]


class BinaryFormat(QuotedKeyword):
    """How binary values are written."""

    HEX = ("HEX",)
    BASE64 = ("BASE64",)
    UTF8 = "UTF8", "UTF-8"


class BinaryOutputFormat(QuotedKeyword):
    """How binary values are shown."""

    HEX = ("HEX",)
    BASE64 = ("BASE64",)


class GeoFormat(QuotedKeyword):
    """How geospatial values are shown."""

    GEOJSON = ("GeoJSON",)
    WKT = ("WKT",)
    WKB = ("WKB",)
    EWKT = ("EWKT",)
    EWKB = ("EWKB",)


class TimestampType(QuotedKeyword):
    """What TIMESTAMP stands for."""

    TIMESTAMP_LTZ = ("TIMESTAMP_LTZ",)
    TIMESTAMP_NTZ = ("TIMESTAMP_NTZ",)
    TIMESTAMP_TZ = ("TIMESTAMP_TZ",)


class ClientTimestampType(QuotedKeyword):
    """What a bound timestamp is."""

    TIMESTAMP_LTZ = ("TIMESTAMP_LTZ",)
    TIMESTAMP_NTZ = ("TIMESTAMP_NTZ",)


class NullOrdering(QuotedKeyword):
    """Where nulls stand in an order."""

    FIRST = ("FIRST",)
    LAST = ("LAST",)


class IsolationLevel(QuotedKeyword):
    """How transactions are isolated; there is one way."""

    READ_COMMITTED = ("READ COMMITTED",)


class UnsupportedDdlAction(QuotedKeyword):
    """What happens to constraints that Snowflake does not have."""

    IGNORE = ("IGNORE",)
    FAIL = ("FAIL",)


def _switch(doc: str, *, default: bool = False) -> Any:
    return prop(default=default, source=Source.PARAMETER, doc=doc)


def _number(doc: str, default: int | None, least: int = 0, most: int | None = None) -> Any:
    return prop(default=default, minimum=least, maximum=most, source=Source.PARAMETER, doc=doc)


def _text(doc: str) -> Any:
    """A text, which is not empty: SHOW PARAMETERS prints an empty one and one that is not set alike."""
    return prop(default=None, pattern=r"\S", source=Source.PARAMETER, doc=doc)


def _word(doc: str) -> Any:
    return prop(default=None, source=Source.PARAMETER, doc=doc)


@resource_base
class UserParameters(Resource):
    """What a user's parameters are; each is read only where it is declared."""

    network_policy: Identifier | None = prop(
        default=None, source=Source.PARAMETER, refers_to="network_policy", doc="Network policy of the user."
    )
    enable_unredacted_query_syntax_error: bool | None = _switch("Shows the user statements with syntax errors.")
    enable_unredacted_secure_object_error: bool | None = _switch("Shows the user errors of secure objects in full.")
    prevent_unload_to_inline_url: bool | None = _switch("Refuses unloading to a URL given in COPY.")
    prevent_unload_to_internal_stages: bool | None = _switch("Refuses unloading to internal stages.")
    disable_ui_download_button: bool | None = _switch("Hides the button to download in Snowsight.")
    enable_notebook_creation_in_personal_db: bool | None = prop(
        default=None, source=Source.PARAMETER, doc="Allows private notebooks."
    )
    log_level: LogLevel | None = _word("Least severity of messages kept.")
    log_event_level: LogLevel | None = _word("Least severity of events kept.")
    metric_level: MetricLevel | None = _word("Which metrics are kept.")
    trace_level: TraceLevel | None = _word("Which traces are kept.")

    abort_detached_query: bool | None = _switch("Cancels queries when the connection is lost.")
    autocommit: bool | None = _switch("Commits each statement on its own.", default=True)
    binary_input_format: BinaryFormat | None = _word("How texts become binary.")
    binary_output_format: BinaryOutputFormat | None = _word("How binary becomes text.")
    client_memory_limit: int | None = _number("Megabytes that JDBC and ODBC use for results.", 1536)
    client_metadata_request_use_connection_ctx: bool | None = _switch("Metadata requests see the current schema only.")
    client_prefetch_threads: int | None = _number("Threads that fetch results.", 4, 1, 10)
    client_result_chunk_size: int | None = _number("Largest chunk of a result, in megabytes.", 160, 16, 160)
    client_result_column_case_insensitive: bool | None = _switch("Finds columns of results in any case.")
    client_session_keep_alive: bool | None = _switch("Keeps sessions alive while the client runs.")
    client_session_keep_alive_heartbeat_frequency: int | None = _number("Seconds between signs.", 3600, 900, 3600)
    client_timestamp_type_mapping: ClientTimestampType | None = _word("What a bound timestamp is.")
    date_input_format: str | None = _text("Format of dates that are read.")
    date_output_format: str | None = _text("Format of dates that are shown.")
    default_null_ordering: NullOrdering | None = _word("Where nulls stand in an order.")
    enable_get_ddl_use_data_type_alias: bool | None = _switch("GET_DDL keeps the aliases of data types.")
    enable_unload_physical_type_optimization: bool | None = _switch("Smaller types in Parquet files.", default=True)
    error_on_nondeterministic_merge: bool | None = _switch("MERGE fails where rows match twice.", default=True)
    error_on_nondeterministic_update: bool | None = _switch("UPDATE fails where rows match twice.")
    geography_output_format: GeoFormat | None = _word("How GEOGRAPHY is shown.")
    geometry_output_format: GeoFormat | None = _word("How GEOMETRY is shown.")
    hybrid_table_lock_timeout: int | None = _number("Seconds a statement waits for a row's lock.", 3600)
    jdbc_treat_decimal_as_int: bool | None = _switch("JDBC tells whole numbers as integers.", default=True)
    jdbc_treat_timestamp_ntz_as_utc: bool | None = _switch("JDBC reads TIMESTAMP_NTZ as UTC.")
    jdbc_use_session_timezone: bool | None = _switch("JDBC shows times in the session's zone.", default=True)
    json_indent: int | None = _number("Spaces for each level of JSON.", 2, 0, 16)
    lock_timeout: int | None = _number("Seconds a statement waits for a lock.", 43200)
    multi_statement_count: int | None = _number("Statements in one request; 0 is any number.", 1)
    noorder_sequence_as_default: bool | None = _switch("New sequences are without order.", default=True)
    odbc_treat_decimal_as_int: bool | None = _switch("ODBC tells whole numbers as integers.")
    opt_out_error_logging: bool | None = _switch("Turns the logging of DML errors off.")
    query_tag: str | None = _text("Tag of the user's queries.")
    quoted_identifiers_ignore_case: bool | None = _switch("Quoted names are upper case too; do not use it with pinky.")
    rows_per_resultset: int | None = _number("Most rows of a result; 0 is no limit.", 0)
    s3_stage_vpce_dns_name: str | None = _text("DNS name of the endpoint to internal stages.")
    search_path: str | None = _text("Schemas in which names are looked up.")
    simulated_data_sharing_consumer: str | None = _text("Account that shared views are tried for.")
    statement_queued_timeout_in_seconds: int | None = _number("Seconds a statement may wait; 0 is no limit.", 0)
    statement_timeout_in_seconds: int | None = _number("Seconds a statement may run.", 172800, 0, 604800)
    strict_json_output: bool | None = _switch("JSON follows the standard strictly.")
    time_input_format: str | None = _text("Format of times that are read.")
    time_output_format: str | None = _text("Format of times that are shown.")
    timestamp_day_is_always_24h: bool | None = _switch("A day has 24 hours in DATEADD.")
    timestamp_input_format: str | None = _text("Format of timestamps that are read.")
    timestamp_ltz_output_format: str | None = _text("Format of TIMESTAMP_LTZ that is shown.")
    timestamp_ntz_output_format: str | None = _text("Format of TIMESTAMP_NTZ that is shown.")
    timestamp_output_format: str | None = _text("Format of timestamps that are shown.")
    timestamp_type_mapping: TimestampType | None = _word("What TIMESTAMP stands for.")
    timestamp_tz_output_format: str | None = _text("Format of TIMESTAMP_TZ that is shown.")
    timezone: str | None = _text("Time zone.")
    transaction_abort_on_error: bool | None = _switch("An error ends the open transaction.")
    transaction_default_isolation_level: IsolationLevel | None = _word("Isolation of transactions.")
    two_digit_century_start: int | None = _number("First year of years with two digits.", 1970, 1900, 2100)
    unsupported_ddl_action: UnsupportedDdlAction | None = _word("What happens to constraints that do not exist.")
    use_cached_result: bool | None = _switch("Results are used again.", default=True)
    week_of_year_policy: int | None = _number("Which week is the first: 0 ISO, 1 that of 1 January.", 0, 0, 1)
    week_start: int | None = _number("First day of the week: 0 as ever, 1 Monday, …, 7 Sunday.", 0, 0, 7)
