"""The endpoints that the connectors call, each a function of the request.

https://docs.snowflake.com documents none of them; they are what the connectors send and read.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from pinky_local import wire
from pinky_local.executor import Executor, Order
from pinky_local.faults import Action, DropAfter, DropBefore, EndProcedure, ExpireToken, Faults, Status
from pinky_local.http11 import Request, Response
from pinky_local.journal import Counters, Journal
from pinky_local.login import Credentials
from pinky_local.loopback import Tickets
from pinky_local.queries import Run, Runs, kept_answer
from pinky_local.sessions import SessionRegistry, WireSession
from pinky_local.types import Bind, Engine, Result, SessionContext, SqlError
from pinky_local.wire import Code, WireError

HOLD_SECONDS = 45.0  # how long a statement or a poll is held before the client is told to poll (again)

_CANCEL_SECONDS = 5.0  # how long a logout waits for the statements it cancelled


class Routes:
    """The wire protocol over an engine.

    ``end_session`` is called when a session has been closed and none of its statements runs any more.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        credentials: Credentials,
        sessions: SessionRegistry,
        tickets: Tickets,
        faults: Faults,
        journal: Journal,
        counters: Counters,
        end_session: Callable[[SessionContext], None],
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._engine = engine
        self._credentials = credentials
        self._sessions = sessions
        self._tickets = tickets
        self._faults = faults
        self._journal = journal
        self._counters = counters
        self._end_session = end_session
        self._hold_seconds = hold_seconds
        self.runs = Runs()
        self.executor = Executor(engine, self.runs, journal, counters, faults)
        self._posts = {
            "/queries/v1/query-request": self._statement,
            "/queries/v1/abort-request": self._abort,
            "/session/v1/login-request": self._login,
            "/session/token-request": self._renew,
            "/session/heartbeat": self._heartbeat,
            "/telemetry/send": self._telemetry,
            "/session": self._session,
        }

    def handle(self, request: Request) -> Response:
        """The answer to a request; SQL errors and refusals are answers with status 200."""
        try:
            return self._dispatch(request)
        except WireError as error:
            return Response(wire.refusal(error), 404 if error.code == Code.NOT_FOUND else 200)

    def _dispatch(self, request: Request) -> Response:
        endpoint = self._posts.get(request.path)
        if endpoint is not None:
            if request.method != "POST":
                return Response(status=405, headers={"Allow": "POST"})
            return endpoint(request)
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["queries", query_id, "result"]:
                return self._result(request, query_id)
            case "POST", ["queries", query_id, "abort-request"]:
                return self._abort_query(request, query_id)
            case "GET", ["monitoring", "queries", query_id]:
                return self._monitoring(request, query_id)
        raise WireError(Code.NOT_FOUND, f"The local account has no endpoint {request.method} {request.path}.")

    # -- sessions ---------------------------------------------------------------------------------------------------

    def _login(self, request: Request) -> Response:
        data = _json(request).get("data")
        if not isinstance(data, dict):
            raise WireError(Code.BAD_REQUEST, "A login request needs data.")
        procedure = self._tickets.take(data.get("TOKEN"))
        if procedure is not None:
            return Response(self._opened(procedure))
        name = data.get("LOGIN_NAME")
        actions = self._faults.decide(name if isinstance(name, str) else "", "login")
        refused = _refused_by(actions)
        if refused is not None:
            return refused
        try:
            answer = self._open_session(request.query, data)
        except WireError as error:
            return Response(wire.login_refusal(error.code, error.message))
        except SqlError as error:
            return Response(wire.login_refusal(f"{error.errno:06d}", error.message))
        return Response(answer, drop=any(isinstance(action, DropAfter) for action in actions))

    def _open_session(self, query: Mapping[str, str], data: Mapping[str, Any]) -> bytes:
        name = self._credentials.login_name(data)
        requested = {
            "database": query.get("databaseName") or None,
            "schema": query.get("schemaName") or None,
            "warehouse": query.get("warehouse") or None,
            "role": query.get("roleName") or None,
        }
        context = self._engine.login(name, requested, data.get("SESSION_PARAMETERS") or {})
        return self._opened(context)

    def _opened(self, context: SessionContext) -> bytes:
        tokens = self._sessions.open(context)
        return wire.success(
            {
                "token": tokens.session_token,
                "masterToken": tokens.master_token,
                "validityInSeconds": tokens.session_seconds,
                "masterValidityInSeconds": tokens.master_seconds,
                "sessionId": context.session_id,
                "displayUserName": context.user,
                "serverVersion": wire.SERVER_VERSION,
                "firstLogin": False,
                "remMeToken": None,
                "remMeValidityInSeconds": 0,
                "healthCheckInterval": 45,
                "newClientForUpgrade": None,
                "parameters": wire.with_wire_parameters(self._engine.session_parameters(context)),
                "sessionInfo": {
                    "databaseName": context.database,
                    "schemaName": context.schema,
                    "warehouseName": context.warehouse,
                    "roleName": context.role,
                },
                "idToken": None,
                "idTokenValidityInSeconds": 0,
            }
        )

    def _renew(self, request: Request) -> Response:
        body = _json(request)
        if body.get("requestType") != "RENEW":
            raise WireError(Code.BAD_REQUEST, f"Unknown requestType {body.get('requestType')!r}; supported: RENEW.")
        session, tokens = self._sessions.renew(_authorization(request), str(body.get("oldSessionToken") or ""))
        return Response(
            wire.success(
                {
                    "sessionToken": tokens.session_token,
                    "masterToken": tokens.master_token,
                    "sessionId": session.context.session_id,
                    "validityInSecondsST": tokens.session_seconds,
                    "validityInSecondsMT": tokens.master_seconds,
                }
            )
        )

    def _session(self, request: Request) -> Response:
        if request.query.get("delete", "").lower() != "true":
            raise WireError(Code.BAD_REQUEST, "POST /session is supported with delete=true only.")
        session = self._session_of(request)
        self._sessions.close(session)
        if session.context.procedure is not None:
            return Response(wire.success(None))  # it is its caller's session, which goes on
        if self.runs.cancel_session(session.context.session_id, _CANCEL_SECONDS):
            self._end_session(session.context)
        return Response(wire.success(None))

    def _heartbeat(self, request: Request) -> Response:
        self._session_of(request)
        return Response(wire.success(None))

    def _telemetry(self, _request: Request) -> Response:
        return Response(wire.success("Log Received"))

    def _session_of(self, request: Request) -> WireSession:
        return self._sessions.authenticate(_authorization(request))

    # -- statements -------------------------------------------------------------------------------------------------

    def _statement(self, request: Request) -> Response:
        session = self._session_of(request)
        request_id = request.query.get("requestId") or str(uuid.uuid4())
        body = _json(request)
        sql = body.get("sqlText")
        if not isinstance(sql, str):
            raise WireError(Code.BAD_REQUEST, "A statement request needs sqlText.")
        frame = session.context.procedure
        actions = self._faults.decide(sql, procedure=None if frame is None else frame.name)
        if frame is not None and any(isinstance(action, EndProcedure) for action in actions):
            frame.ended.set()
        if any(isinstance(action, ExpireToken) for action in actions):
            self._sessions.expire_session_token(_authorization(request))
        refused = _refused_by(actions)
        if refused is not None or any(isinstance(action, ExpireToken) for action in actions):
            self._journal_refused(session, request_id, sql, actions)
            if refused is not None:
                return refused
            self._session_of(request)  # raises: the token has just expired
        order = _order(body, sql, actions, session)
        run, is_new = self._claim(session, request_id, order, detached=body.get("asyncExec") is True)
        if is_new:
            self.executor.submit(run, session, order)
        if run.detached:
            return _held(wire.progress_answer(run.query_id, Code.DETACHED), actions)
        if not run.done.wait(self._hold_seconds):
            return _held(wire.progress_answer(run.query_id, Code.IN_PROGRESS), actions)
        return _held(kept_answer(run), actions)

    def run_inside(self, sql: str, context: SessionContext, query_id: str) -> Result:
        """Run a statement that the account itself asks for, with journal, counters, faults and cancelling."""
        actions = tuple(self._faults.decide(sql))
        run = self.runs.inside(query_id, context, sql)
        return self.executor.run_inside(run, context, Order(sql, actions=actions))

    def _claim(self, session: WireSession, request_id: str, order: Order, *, detached: bool) -> tuple[Run, bool]:
        context = session.context
        run, is_new = self.runs.claim(
            context.session_id,
            context.user,
            request_id,
            order.sql,
            detached=detached,
            warehouse=context.warehouse,
            procedure=context.procedure,
        )
        if not is_new:
            entry = self._journal.record(
                context.session_id, run.query_id, request_id, order.sql, binds=order.bind_texts, replayed=True,
                procedure=order.procedure,
            )  # fmt: skip
            self._counters.count(entry)
        return run, is_new

    def _journal_refused(self, session: WireSession, request_id: str, sql: str, actions: list[Action]) -> None:
        frame = session.context.procedure
        name = None if frame is None else frame.name
        entry = self._journal.record(session.context.session_id, "", request_id, sql, procedure=name)
        entry.fault = ",".join(action.kind for action in actions)
        self._counters.count(entry)

    def _result(self, request: Request, query_id: str) -> Response:
        run = self._run_of(request, query_id)
        if not run.done.wait(self._hold_seconds):
            return Response(wire.progress_answer(run.query_id, Code.IN_PROGRESS))
        return Response(kept_answer(run))

    def _run_of(self, request: Request, query_id: str) -> Run:
        run = self.runs.by_query(query_id, self._session_of(request).context.user)
        if run is None:
            raise WireError("000709", f"Statement {query_id} not found")
        return run

    def _monitoring(self, request: Request, query_id: str) -> Response:
        run = self.runs.by_query(query_id, self._session_of(request).context.user)
        return Response(wire.success({"queries": [] if run is None else [_status_of(run)]}))

    def _abort(self, request: Request) -> Response:
        session = self._session_of(request)
        request_id = str(_json(request).get("requestId") or "")
        return _aborted(self.runs.by_request(session.context.session_id, request_id))

    def _abort_query(self, request: Request, query_id: str) -> Response:
        return _aborted(self.runs.by_query(query_id, self._session_of(request).context.user))


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


def _json(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body or b"{}")
    except ValueError as error:
        raise WireError(Code.BAD_REQUEST, f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WireError(Code.BAD_REQUEST, "The body is not a JSON object.")
    return value


def _refused_by(actions: list[Action]) -> Response | None:
    """The answer of a fault that keeps the request from being looked at."""
    for action in actions:
        if isinstance(action, Status):
            headers = {} if action.retry_after is None else {"Retry-After": str(action.retry_after)}
            return Response(wire.refusal(WireError(str(action.status), "injected fault")), action.status, headers)
        if isinstance(action, DropBefore):
            return Response(drop=True)
    return None


def _held(answer: bytes, actions: list[Action]) -> Response:
    return Response(answer, drop=any(isinstance(action, DropAfter) for action in actions))


def _order(body: Mapping[str, Any], sql: str, actions: list[Action], session: WireSession) -> Order:
    if body.get("bindStage"):
        raise WireError(Code.BAD_REQUEST, "The local account does not read bindings from a stage.")
    parameters = {str(key).upper(): value for key, value in (body.get("parameters") or {}).items()}
    count = parameters.pop("MULTI_STATEMENT_COUNT", session.context.parameters.get("MULTI_STATEMENT_COUNT", 1))
    try:
        statement_count = int(count)
    except (TypeError, ValueError) as error:
        raise WireError(Code.BAD_REQUEST, f"MULTI_STATEMENT_COUNT {count!r} is not a number.") from error
    return Order(
        sql,
        _binds(body.get("bindings") or {}),
        body.get("describeOnly") is True,
        statement_count,
        {key: value for key, value in parameters.items() if not key.startswith("_")},
        tuple(action for action in actions if not isinstance(action, DropAfter)),
        None if session.context.procedure is None else session.context.procedure.name,
    )


def _binds(bindings: Mapping[str, Any]) -> tuple[Bind, ...]:
    try:
        ordered = sorted(bindings.items(), key=lambda item: int(item[0]))
        return tuple(Bind(str(item.get("type", "TEXT")).upper(), item.get("value")) for _, item in ordered)
    except (ValueError, AttributeError) as error:
        raise WireError(Code.BAD_REQUEST, "Bindings are an object of {number: {type, value}}.") from error


def _status_of(run: Run) -> dict[str, Any]:
    error = run.error
    return {
        "id": run.query_id,
        "status": run.status,
        "state": run.status,
        "sqlText": run.sql,
        "startTime": int(run.started_at * 1000),
        "endTime": 0 if run.ended_at is None else int(run.ended_at * 1000),
        "errorCode": None if error is None else f"{error.errno:06d}",
        "errorMessage": None if error is None else error.message,
        "sessionId": run.session_id,
    }


def _aborted(run: Run | None) -> Response:
    if run is None or not run.cancel():
        raise WireError("000605", "Identified SQL statement is not currently executing.")
    return Response(wire.success(None))
