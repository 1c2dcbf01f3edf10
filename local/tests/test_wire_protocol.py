from __future__ import annotations

import base64
import http.client
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import DropAfter, ExpireToken, SqlFault
from pinky_local.types import Result, ResultColumn
from wire_client import WireClient, logged_in
from wire_engine import ScriptedEngine


def jwt(**payload: object) -> str:
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, payload)]
    return ".".join([*encoded, "signature"])


# -- login ------------------------------------------------------------------------------------------------------------


def test_login_answers_tokens_names_and_parameters(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    client = WireClient(wire)
    answer = client.login(
        "?databaseName=d&schemaName=s&warehouse=w&roleName=r&request_id=x", SESSION_PARAMETERS={"QUERY_TAG": "t"}
    )
    data = answer["data"]
    assert answer["success"] is True
    assert data["sessionId"] == 1
    assert data["token"] != data["masterToken"]
    assert data["sessionInfo"] == {
        "databaseName": "d", "schemaName": "s", "warehouseName": "w", "roleName": "r",
    }  # fmt: skip
    parameters = {item["name"]: item["value"] for item in data["parameters"]}
    assert parameters["TIMEZONE"] == "Europe/Paris"
    assert parameters["CLIENT_TELEMETRY_ENABLED"] is False
    assert scripted_engine.logins == [
        ("PINKY", {"database": "d", "schema": "s", "warehouse": "w", "role": "r"}, {"QUERY_TAG": "t"})
    ]


@pytest.mark.parametrize(
    "credentials",
    [
        {"PASSWORD": "x"},
        {"PASSWORD": "x", "AUTHENTICATOR": "SNOWFLAKE"},
        {"PASSWORD": None, "AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN", "TOKEN": "t"},
        {"PASSWORD": None, "AUTHENTICATOR": "OAUTH", "TOKEN": "t"},
        {
            "PASSWORD": None,
            "AUTHENTICATOR": "SNOWFLAKE_JWT",
            "TOKEN": jwt(sub="PINKY_LOCAL.PINKY", exp=time.time() + 3600),
        },
    ],
)
def test_every_supported_kind_of_credential_logs_in(wire: LocalAccount, credentials: dict[str, str]) -> None:
    assert WireClient(wire).login(**credentials)["success"] is True


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ({"LOGIN_NAME": "STRANGER"}, "390100"),
        ({"PASSWORD": ""}, "390100"),
        ({"PASSWORD": None, "AUTHENTICATOR": "OAUTH"}, "390100"),
        ({"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": "a.b"}, "390144"),
        ({"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": jwt(sub="A.PINKY", exp=1)}, "390144"),
        ({"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": jwt(sub="A.ANA", exp=time.time() + 3600)}, "390144"),
        ({"AUTHENTICATOR": "EXTERNALBROWSER"}, "390400"),
    ],
)
def test_a_login_without_good_credentials_is_refused(
    wire: LocalAccount, credentials: dict[str, str], code: str
) -> None:
    answer = WireClient(wire).login(**credentials)
    assert (answer["success"], answer["code"]) == (False, code)


def test_a_role_that_is_not_granted_is_refused_at_login(wire: LocalAccount) -> None:
    assert WireClient(wire).login("?roleName=NOBODY")["code"] == "390189"


def test_a_password_counts_where_one_was_given(scripted_engine: ScriptedEngine) -> None:
    with LocalAccount(engine=scripted_engine, users={"ana": "right", "pinky": None}) as account:
        assert WireClient(account).login(LOGIN_NAME="Ana", PASSWORD="wrong")["code"] == "390100"
        assert WireClient(account).login(LOGIN_NAME="Ana", PASSWORD="right")["success"] is True
        assert WireClient(account).login(PASSWORD="whatever")["success"] is True
        assert account.connection_parameters(user="ANA")["password"] == "right"


# -- statements -------------------------------------------------------------------------------------------------------


def test_a_statement_answers_rows_types_and_names(wire: LocalAccount) -> None:
    client = logged_in(wire)
    client.sql("create table a")
    answer = client.sql("show tables")
    data = answer["data"]
    assert answer["success"] is True
    assert data["rowset"] == [["A", "0"]]
    assert [column["name"] for column in data["rowtype"]] == ["name", "rows"]
    assert (data["total"], data["returned"], data["statementTypeId"], data["sqlState"]) == (1, 1, 0x4400, "00000")
    assert data["finalRoleName"] == "SYSADMIN"
    assert {"name": "TIMEZONE", "value": "Europe/Paris"} in data["parameters"]
    assert uuid.UUID(data["queryId"])


def test_a_gzip_body_is_read(wire: LocalAccount) -> None:
    assert logged_in(wire).sql("show tables", zipped=True)["success"] is True


def test_use_and_alter_session_last_for_the_session_and_no_other(wire: LocalAccount) -> None:
    one, other = logged_in(wire), logged_in(wire)
    assert one.sql("use schema s")["data"]["finalSchemaName"] == "S"
    one.sql("alter session set TIMEZONE = UTC")
    data = one.sql("show tables")["data"]
    assert data["finalSchemaName"] == "S"
    assert {"name": "TIMEZONE", "value": "UTC"} in data["parameters"]
    assert other.sql("show tables")["data"]["finalSchemaName"] is None


def test_a_statement_that_ends_late_undoes_no_use_that_came_between(
    wire: LocalAccount, scripted_engine: ScriptedEngine
) -> None:
    started, released = threading.Event(), threading.Event()

    def slow() -> Result:
        started.set()
        assert released.wait(10)
        return Result([ResultColumn("status")], [["done"]])

    scripted_engine.answers["slow"] = slow
    client = logged_in(wire)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.sql, "slow", parameters={"QUERY_TAG": "t"})
        assert started.wait(10)
        client.sql("use schema s")
        client.sql("alter session set a = 1")
        released.set()
        running.result()
    data = client.sql("show tables")["data"]
    assert data["finalSchemaName"] == "S"
    assert {"name": "A", "value": "1"} in data["parameters"]


def test_an_error_has_its_number_state_and_place(wire: LocalAccount) -> None:
    answer = logged_in(wire).sql("drop gone")
    assert (answer["success"], answer["code"]) == (False, "002003")
    data = answer["data"]
    assert (data["errorCode"], data["sqlState"], data["line"], data["pos"]) == ("002003", "02000", 1, 5)
    assert data["queryId"]


def test_bindings_reach_the_engine_in_order_with_their_types(
    wire: LocalAccount, scripted_engine: ScriptedEngine
) -> None:
    bindings: dict[str, dict[str, str | None]] = {
        str(number): {"type": "fixed", "value": str(number)} for number in range(1, 12)
    }
    bindings["2"] = {"type": "TEXT", "value": None}
    data = logged_in(wire).sql("select " + ", ".join("?" * 11), bindings=bindings)["data"]
    assert data["rowset"] == [["1", "None", "3", "4", "5", "6", "7", "8", "9", "10", "11"]]
    assert data["numberOfBinds"] == 11
    assert scripted_engine.executed[-1][1][0].type == "FIXED"
    assert scripted_engine.executed[-1][1][1].value is None


def test_describing_executes_nothing_and_answers_no_rows(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    scripted_engine.answers["select a"] = Result([ResultColumn("A", "date")], [])
    data = logged_in(wire).sql("select a", describeOnly=True)["data"]
    scripted_engine.answers["insert into t values (?, '?')"] = Result([ResultColumn("A", "date")], [])
    insert = logged_in(wire).sql("insert into t values (?, '?')", describeOnly=True)["data"]
    assert (insert["numberOfBinds"], insert["arrayBindSupported"]) == (1, True)
    assert data["rowset"] == []
    assert data["rowtype"][0]["type"] == "date"
    assert scripted_engine.executed[-1][2] is True


def test_parameters_of_a_statement_are_gone_after_it(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    client = logged_in(wire)
    client.sql("alter session set a = 1", parameters={"query_tag": "once", "_PLAN_UUID": "x"})
    client.sql("show tables")
    assert scripted_engine.seen_parameters == [{"QUERY_TAG": "once"}, {"A": "1"}]


def test_a_bug_in_the_engine_is_answered_and_remembered(wire: LocalAccount) -> None:
    answer = logged_in(wire).sql("break")
    assert answer["code"] == "000603"
    assert "ZeroDivisionError" in answer["message"]
    assert [type(error) for error in wire.internal_errors] == [ZeroDivisionError]
    assert wire.journal.entries()[-1].errno == 603


def test_a_cell_that_does_not_fit_is_an_internal_error(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    scripted_engine.answers["bad"] = Result([ResultColumn("A", "boolean")], [["yes"]])
    answer = logged_in(wire).sql("bad")
    assert answer["code"] == "000603"
    assert "column A: str is not a value of wire type boolean" in answer["message"]


@pytest.mark.parametrize("text", ["", "  -- nothing\n", ";"])
def test_an_empty_statement_is_refused(wire: LocalAccount, text: str) -> None:
    assert logged_in(wire).sql(text)["code"] == "000900"


def test_several_statements_need_their_count(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    answer = logged_in(wire).sql("create table a; create table b")
    assert answer["code"] == "000008"
    assert answer["message"] == "Actual statement count 2 did not match the desired statement count 1."
    assert scripted_engine.objects == []
    assert wire.journal.entries()[-1].executed is False


@pytest.mark.parametrize("count", [2, 0])
def test_several_statements_answer_the_ids_of_their_results(
    wire: LocalAccount, scripted_engine: ScriptedEngine, count: int
) -> None:
    client = logged_in(wire)
    answer = client.sql("create table a; show tables", parameters={"MULTI_STATEMENT_COUNT": count})
    first, second = answer["data"]["resultIds"].split(",")
    assert answer["data"]["statementTypeId"] == 0xA000
    assert answer["data"]["resultTypes"] == f"{0x6000},{0x4400}"
    assert client.get(f"/queries/{first}/result")["data"]["rowset"] == [["Table A successfully created."]]
    assert client.get(f"/queries/{second}/result")["data"]["rowset"] == [["A", "0"]]
    assert scripted_engine.objects == ["A"]


def test_several_statements_stop_at_the_first_error(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    text = "create table a; drop gone; create table b"
    answer = logged_in(wire).sql(text, parameters={"MULTI_STATEMENT_COUNT": 3})
    assert answer["code"] == "002003"
    assert scripted_engine.objects == ["A"]


# -- replay -----------------------------------------------------------------------------------------------------------


def test_the_same_request_id_is_answered_again_and_not_executed_again(
    wire: LocalAccount, scripted_engine: ScriptedEngine
) -> None:
    client, request_id = logged_in(wire), str(uuid.uuid4())
    first = client.sql("create table a", request_id=request_id)
    again = client.sql("create table a", request_id=request_id)
    assert first == again
    assert len(scripted_engine.executed) == 1
    assert [(entry.replayed, entry.executed) for entry in wire.journal] == [(False, True), (True, False)]
    assert wire.counters["CREATE"] == 1
    assert wire.counters.replayed["CREATE"] == 1


def test_an_error_is_replayed_too(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    client, request_id = logged_in(wire), str(uuid.uuid4())
    answers = [client.sql("drop gone", request_id=request_id) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(scripted_engine.executed) == 1


def test_a_duplicate_waits_for_the_statement_that_runs(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    released, request_id = threading.Event(), str(uuid.uuid4())

    def slow() -> Result:
        assert released.wait(10)
        return Result([ResultColumn("status")], [["done"]])

    scripted_engine.answers["slow"] = slow
    client = logged_in(wire)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(client.sql, "slow", request_id=request_id) for _ in range(2)]
        deadline = time.monotonic() + 10
        while len(wire.journal) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert not any(answer.done() for answer in answers)
        released.set()
        assert answers[0].result() == answers[1].result()
    assert len(scripted_engine.executed) == 1


def test_two_sessions_may_use_the_same_request_id(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    request_id = str(uuid.uuid4())
    assert logged_in(wire).sql("create table a", request_id=request_id)["success"] is True
    assert logged_in(wire).sql("create table a", request_id=request_id)["code"] == "002002"


def test_a_connection_dropped_after_execution_is_replayed(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    wire.faults.inject(DropAfter(), "create")
    client, request_id = logged_in(wire), str(uuid.uuid4())
    with pytest.raises((ConnectionError, OSError)):
        client.sql("create table a", request_id=request_id)
    assert client.sql("create table a", request_id=request_id)["success"] is True
    assert scripted_engine.objects == ["A"]


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_an_expired_session_token_is_renewed_with_the_master_token(wire: LocalAccount) -> None:
    wire.faults.inject(ExpireToken(), "show", at=2)
    client, request_id = logged_in(wire), str(uuid.uuid4())
    assert client.sql("show tables")["success"] is True
    assert client.sql("show tables", request_id=request_id)["code"] == "390112"
    assert client.sql("show tables", request_id=request_id)["code"] == "390112"
    renewed = client.post(
        "/session/token-request", {"oldSessionToken": client.token, "requestType": "RENEW"}, token=client.master
    )
    data = renewed["data"]
    assert data["sessionId"] == client.session_id
    assert (data["validityInSecondsST"], data["validityInSecondsMT"]) == (3600, 14400)
    client.token = data["sessionToken"]
    assert client.sql("show tables", request_id=request_id)["success"] is True


def test_tokens_expire_by_themselves(scripted_engine: ScriptedEngine) -> None:
    with LocalAccount(engine=scripted_engine, session_seconds=0) as account:
        client = logged_in(account)
        assert client.sql("show tables")["code"] == "390112"
        account.sessions.expire_all(masters=True)
        body = {"oldSessionToken": client.token, "requestType": "RENEW"}
        assert client.post("/session/token-request", body, token=client.master)["code"] == "390114"


def test_a_master_token_renews_its_own_session_only(wire: LocalAccount) -> None:
    one, other = logged_in(wire), logged_in(wire)
    body = {"oldSessionToken": other.token, "requestType": "RENEW"}
    assert one.post("/session/token-request", body, token=one.master)["code"] == "390115"
    assert one.post("/session/token-request", body, token="made up")["code"] == "390113"
    assert one.post("/session/token-request", body | {"requestType": "CLONE"}, token=one.master)["code"] == "390400"


def test_a_closed_session_is_gone(wire: LocalAccount) -> None:
    client, other = logged_in(wire), logged_in(wire)
    assert client.post("/session?delete=true")["success"] is True
    assert client.sql("show tables")["code"] == "390111"
    assert client.post("/session/heartbeat")["code"] == "390111"
    assert other.post("/session/heartbeat")["success"] is True


def test_nothing_is_answered_without_a_token(wire: LocalAccount) -> None:
    stranger = WireClient(wire)
    assert stranger.sql("show tables")["code"] == "390111"
    assert stranger.get("/queries/x/result")["code"] == "390111"
    assert stranger.get("/monitoring/queries/x")["code"] == "390111"


# -- asynchronous statements, aborts, limits --------------------------------------------------------------------------


def test_an_asynchronous_statement_is_polled(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    released = threading.Event()

    def slow() -> Result:
        assert released.wait(10)
        return Result([ResultColumn("status")], [["done"]])

    scripted_engine.answers["slow"] = slow
    client = logged_in(wire)
    started = client.sql("slow", asyncExec=True)
    query_id = started["data"]["queryId"]
    assert (started["success"], started["code"]) == (True, "333334")
    assert started["data"]["getResultUrl"] == f"/queries/{query_id}/result"
    assert client.get(f"/monitoring/queries//{query_id}")["data"]["queries"][0]["status"] == "RUNNING"
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(client.get, f"/queries/{query_id}/result")
        time.sleep(0.1)
        assert not polled.done()  # the poll is held
        released.set()
        assert polled.result()["data"]["rowset"] == [["done"]]
    assert client.get(f"/monitoring/queries/{query_id}")["data"]["queries"][0]["status"] == "SUCCESS"
    assert client.sql(f"select * from table(result_scan('{query_id}'))")["data"]["rowset"] == [["done"]]


def test_the_status_of_a_failed_statement_says_why(wire: LocalAccount) -> None:
    client = logged_in(wire)
    query_id = client.sql("drop gone", asyncExec=True)["data"]["queryId"]
    assert client.get(f"/queries/{query_id}/result")["code"] == "002003"
    status = client.get(f"/monitoring/queries/{query_id}")["data"]["queries"][0]
    assert (status["status"], status["errorCode"]) == ("FAILED_WITH_ERROR", "002003")
    assert "does not exist" in status["errorMessage"]


def test_unknown_queries_and_those_of_other_users_are_not_shown(wire: LocalAccount) -> None:
    client, ana = logged_in(wire), WireClient(wire)
    ana.login(LOGIN_NAME="ANA")
    query_id = client.sql("show tables")["data"]["queryId"]
    for who, which in ((client, str(uuid.uuid4())), (ana, query_id)):
        assert who.get(f"/queries/{which}/result")["code"] == "000709"
        assert who.get(f"/monitoring/queries/{which}")["data"]["queries"] == []


def test_a_statement_that_takes_long_turns_into_polling(scripted_engine: ScriptedEngine) -> None:
    with LocalAccount(engine=scripted_engine, hold_seconds=0.05) as account:
        client = logged_in(account)
        answer = client.sql("call wait(30)")
        assert (answer["success"], answer["code"]) == (True, "333333")
        assert client.get(answer["data"]["getResultUrl"])["code"] == "333333"


@pytest.mark.parametrize("by", ["request id", "query id"])
def test_an_aborted_statement_answers_604(wire: LocalAccount, by: str) -> None:
    client, request_id = logged_in(wire), str(uuid.uuid4())
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.sql, "call wait(30)", request_id=request_id)
        deadline = time.monotonic() + 10
        while not len(wire.journal) and time.monotonic() < deadline:
            time.sleep(0.005)
        if by == "request id":
            aborted = client.post("/queries/v1/abort-request", {"sqlText": "", "requestId": request_id})
        else:
            aborted = client.post(f"/queries/{wire.journal.entries()[0].query_id}/abort-request", {})
        assert aborted["success"] is True
        answer = running.result(timeout=10)
    assert (answer["code"], answer["data"]["sqlState"]) == ("000604", "57014")
    assert client.post("/queries/v1/abort-request", {"requestId": request_id})["code"] == "000605"


def test_aborting_one_statement_leaves_the_others_of_the_session_alone(wire: LocalAccount) -> None:
    client, request_id = logged_in(wire), str(uuid.uuid4())
    with ThreadPoolExecutor(2) as pool:
        doomed = pool.submit(client.sql, "call wait(30)", request_id=request_id)
        other = pool.submit(client.sql, "call wait(1)")
        deadline = time.monotonic() + 10
        while len(wire.journal) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        client.post("/queries/v1/abort-request", {"requestId": request_id})
        assert doomed.result(timeout=10)["code"] == "000604"
        assert other.result(timeout=10)["success"] is True


def test_the_statement_timeout_is_honoured(wire: LocalAccount) -> None:
    client = logged_in(wire)
    client.sql("alter session set statement_timeout_in_seconds = 1")
    answer = client.sql("call wait(30)")
    assert (answer["code"], answer["data"]["sqlState"]) == ("000630", "57014")
    assert answer["message"] == "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled."
    assert wire.journal.entries()[-1].errno == 630
    assert client.sql("show tables")["success"] is True


def test_closing_the_account_cancels_what_runs(scripted_engine: ScriptedEngine) -> None:
    def code_of_a_long_statement(client: WireClient) -> str:
        try:
            return str(client.sql("call wait(60)")["code"])
        except (OSError, http.client.HTTPException):
            return "connection closed"

    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        with LocalAccount(engine=scripted_engine) as account:
            running = pool.submit(code_of_a_long_statement, logged_in(account))
            while not len(account.journal):
                time.sleep(0.005)
        assert running.result() in {"000604", "connection closed"}
    assert account.journal.entries()[-1].errno == 604
    assert time.monotonic() - started < 20


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_unknown_endpoints_and_methods_are_refused_by_name(wire: LocalAccount) -> None:
    client = logged_in(wire)
    status, answer, _ = client.request("GET", "/api/v2/databases")
    assert (status, answer["code"]) == (404, "390404")
    assert "GET /api/v2/databases" in answer["message"]
    assert client.request("GET", "/queries/v1/query-request")[0] == 405


def test_a_body_that_is_no_json_is_refused(wire: LocalAccount) -> None:
    client = logged_in(wire)
    assert client.post("/queries/v1/query-request?requestId=1", b"nonsense")["code"] == "390400"
    assert client.post("/queries/v1/query-request?requestId=1", [1])["code"] == "390400"
    assert client.post("/queries/v1/query-request?requestId=1", {})["code"] == "390400"
    assert client.sql("select ?", bindings={"x": 1})["code"] == "390400"
    assert client.sql("select ?", bindStage="@s")["code"] == "390400"


def test_a_body_that_is_no_gzip_is_a_bad_request(wire: LocalAccount) -> None:
    client = logged_in(wire)
    client.headers["Content-Encoding"] = "gzip"
    assert client.request("POST", "/telemetry/send", b"nonsense")[0] == 400
    client.headers["Content-Encoding"] = "br"
    assert client.request("POST", "/telemetry/send", b"nonsense")[0] == 415


def test_telemetry_is_taken_and_forgotten(wire: LocalAccount) -> None:
    assert logged_in(wire).post("/telemetry/send", {"logs": []}, zipped=True)["success"] is True


def test_the_journal_shows_no_secret_unless_asked(wire: LocalAccount) -> None:
    client = logged_in(wire)
    wire.faults.inject(SqlFault(1003, "42000", "syntax error near 'hunter2'"), "secret")
    client.sql("create secret s secret_string = 'hunter2'")
    entry = wire.journal.entries()[-1]
    assert "hunter2" not in repr(entry) + entry.sql + str(entry.error) + json.dumps(entry.as_json())
    assert entry.error == "syntax error near '***'"
    assert wire.journal.statements(executed=False) == ["create secret s secret_string = '***'"]
    assert wire.journal.statements(executed=False, raw=True) == ["create secret s secret_string = 'hunter2'"]
