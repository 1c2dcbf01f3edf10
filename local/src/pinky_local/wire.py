"""The envelope of every answer and the numbers that the connectors act on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pinky_local import encoding
from pinky_local.types import Result, SessionContext, SqlError

SERVER_VERSION = "10.37.0"
MULTI_STATEMENT_TYPE = 0xA000

# What the connectors need to know and an engine may leave out: no telemetry, and array bindings inline (there is no
# stage to upload them to).
WIRE_PARAMETERS: Mapping[str, Any] = {
    "CLIENT_TELEMETRY_ENABLED": False,
    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
    "CLIENT_SESSION_KEEP_ALIVE": False,
    "AUTOCOMMIT": True,
    "TIMEZONE": "America/Los_Angeles",
}


class Code(StrEnum):
    """Codes of the service itself, apart from SQL errors."""

    IN_PROGRESS = "333333"
    DETACHED = "333334"
    LOGIN_REFUSED = "390100"
    SESSION_GONE = "390111"
    SESSION_TOKEN_EXPIRED = "390112"
    MASTER_TOKEN_NOT_FOUND = "390113"
    MASTER_TOKEN_EXPIRED = "390114"
    MASTER_TOKEN_INVALID = "390115"
    JWT_INVALID = "390144"
    BAD_REQUEST = "390400"
    NOT_FOUND = "390404"


class WireError(Exception):
    """A request that the service refuses before any SQL is looked at."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def success(data: Any, *, code: str | None = None, message: str | None = None) -> bytes:
    """The envelope of an answer that is not an error."""
    return dumps({"data": data, "code": code, "message": message, "success": True})


def refusal(error: WireError) -> bytes:
    """The envelope of a `WireError`."""
    return dumps({"data": {}, "code": error.code, "message": error.message, "success": False})


def login_refusal(code: str, message: str) -> bytes:
    """The envelope of a login that failed."""
    return dumps({"data": {"nextAction": "RETRY_LOGIN"}, "code": code, "message": message, "success": False})


def sql_failure(error: SqlError, query_id: str, sql_text: str) -> bytes:
    """The envelope of a statement that failed: HTTP 200, the number in six digits, the place in the statement."""
    code = f"{error.errno:06d}"
    data = {
        "errorCode": code,
        "sqlState": error.sqlstate,
        "queryId": query_id,
        "line": error.line,
        "pos": error.position,
        "internalError": error.sqlstate == "XX000",
        "age": 0,
        "type": "COMPILATION" if error.line >= 0 or error.sqlstate[:2] in {"02", "42"} else "EXECUTION",
    }
    message = error.message or f"Statement failed: {sql_text[:80]}"
    return dumps({"data": data, "code": code, "message": message, "success": False})


def statement_answer(
    result: Result,
    session: SessionContext,
    parameters: Sequence[Mapping[str, Any]],
    query_id: str,
    *,
    placeholders: int = 0,
    array_binds: bool = False,
    describe_only: bool = False,
) -> bytes:
    """The envelope of a statement that succeeded.

    ``placeholders`` is the number of ``?`` in it, ``array_binds`` whether each may be bound to a list.
    Raises `TypeError` where a cell does not fit its column.
    """
    rows = [] if describe_only else encoding.rowset(result)
    data = {
        "parameters": parameters,
        "rowtype": [encoding.rowtype(column) for column in result.columns],
        "rowset": rows,
        "total": len(rows),
        "returned": len(rows),
        "queryId": query_id,
        "sqlState": "00000",
        "statementTypeId": result.statement_type,
        "queryResultFormat": "json",
        "numberOfBinds": placeholders,
        "arrayBindSupported": array_binds,
        "version": 1,
        **_final_names(session),
        **(result.transfer or {}),
    }
    return success(data)


def multi_statement_answer(
    children: Sequence[tuple[str, int]],
    session: SessionContext,
    parameters: Sequence[Mapping[str, Any]],
    query_id: str,
) -> bytes:
    """The envelope of a multi-statement request: the query ids and statement types of its children."""
    data = {
        "parameters": parameters,
        "rowtype": [{**_TEXT_COLUMN, "name": "multiple statement execution"}],
        "rowset": [["Multiple statements executed successfully."]],
        "total": 1,
        "returned": 1,
        "queryId": query_id,
        "sqlState": "00000",
        "statementTypeId": MULTI_STATEMENT_TYPE,
        "resultIds": ",".join(child_id for child_id, _ in children),
        "resultTypes": ",".join(str(statement_type) for _, statement_type in children),
        "queryResultFormat": "json",
        "numberOfBinds": 0,
        "arrayBindSupported": False,
        "version": 1,
        **_final_names(session),
    }
    return success(data)


def progress_answer(query_id: str, code: Code) -> bytes:
    """The envelope that tells a client to poll for the result."""
    data = {
        "queryId": query_id,
        "getResultUrl": f"/queries/{query_id}/result",
        "queryAbortsAfterSecs": 300,
        "progressDesc": None,
    }
    message = "Query execution in progress. Please refer to getResultUrl for the result."
    return success(data, code=code, message=message)


def with_wire_parameters(parameters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """An engine's parameter list, completed by what the connectors must be told."""
    known = {parameter["name"] for parameter in parameters}
    rest = [{"name": name, "value": value} for name, value in WIRE_PARAMETERS.items() if name not in known]
    return [*parameters, *rest]


def _final_names(session: SessionContext) -> dict[str, str | None]:
    return {
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.role,
    }


_TEXT_COLUMN: Mapping[str, Any] = {
    "name": "status",
    "type": "text",
    "nullable": True,
    "precision": None,
    "scale": None,
    "length": 16_777_216,
    "byteLength": 16_777_216,
    "database": "",
    "schema": "",
    "table": "",
    "collation": None,
}
