from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import (
    Call,
    DropAfter,
    DropBefore,
    ExpireToken,
    FaultError,
    FaultRule,
    Faults,
    Latency,
    SqlFault,
    Status,
    rule_from_json,
)
from wire_client import WireClient, logged_in
from wire_engine import ScriptedEngine


def hits(rule: FaultRule, *texts: str) -> list[bool]:
    return [rule.hit(text) for text in texts]


def test_a_rule_fires_once_on_the_first_match() -> None:
    rule = FaultRule(DropBefore(), "^create")
    assert hits(rule, "show", "CREATE a", "create b") == [False, True, False]
    assert (rule.matched, rule.fired) == (2, 1)


def test_a_rule_starts_at_a_match_and_goes_on_for_some() -> None:
    assert hits(FaultRule(DropBefore(), "a", at=2, times=2), *"aaaaa") == [False, True, True, False, False]


def test_a_rule_without_times_never_ends() -> None:
    assert hits(FaultRule(DropBefore(), at=2, times=None), *"aaa") == [False, True, True]


def test_the_same_seed_gives_the_same_faults() -> None:
    drawn = [hits(FaultRule(DropBefore(), times=None, probability=0.5, seed=seed), *"a" * 200) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert 60 < sum(drawn[0]) < 140


def test_several_rules_may_fire_together() -> None:
    faults = Faults()
    faults.inject(Latency(0.1))
    faults.inject(DropAfter(), "x")
    faults.inject(DropBefore(), on="login")
    assert faults.decide("x") == [Latency(0.1), DropAfter()]
    faults.clear()
    assert faults.decide("x") == []


def test_a_rule_survives_its_json_form() -> None:
    rule = FaultRule(Status(429, 2), "^create", at=3, times=None, probability=0.5, seed=9)
    value = json.loads(json.dumps(rule.as_json()))
    assert value["action"] == {"kind": "status", "status": 429, "retry_after": 2}
    read = rule_from_json({key: item for key, item in value.items() if key not in ("matched", "fired")})
    assert read.as_json() == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a fault rule is a JSON object"),
        ({}, "needs an action"),
        ({"action": {"kind": "explode"}}, "unknown action 'explode'; allowed: drop_after, drop_before, end_procedure"),
        ({"action": {"kind": "drop_before", "seconds": 1}}, "action drop_before has no field 'seconds'; allowed: none"),
        ({"action": {"kind": "status", "status": 200}}, "status 200 cannot be injected; allowed: 400, 403"),
        ({"action": {"kind": "latency", "seconds": -1}}, "latency of -1 seconds"),
        ({"action": {"kind": "sql_error", "sqlstate": "1"}}, "an SQLSTATE of 5 characters"),
        ({"action": {"kind": "drop_before"}, "match": "("}, "not a regular expression"),
        ({"action": {"kind": "drop_before"}, "at": 0}, "at is 0"),
        ({"action": {"kind": "drop_before"}, "times": 0}, "times is 0"),
        ({"action": {"kind": "drop_before"}, "at": "1"}, "field 'at' of fault rule cannot be '1'"),
        ({"action": {"kind": "drop_before"}, "probability": 2}, "probability is 2"),
        ({"action": {"kind": "drop_before"}, "on": "logout"}, "on is 'logout'; allowed: statement, login"),
        ({"action": {"kind": "expire_token"}, "on": "login"}, "expire_token cannot be injected into a login"),
        ({"action": {"kind": "drop_before"}, "nth": 1}, "fault rule has no field 'nth'; allowed: action, at, match"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(value: Any, message: str) -> None:
    with pytest.raises(FaultError, match=message.replace("(", r"\(")):
        rule_from_json(value)


# -- over the wire ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_a_status_keeps_the_statement_from_running(
    wire: LocalAccount, scripted_engine: ScriptedEngine, status: int
) -> None:
    rule = wire.faults.inject(Status(status, retry_after=7), "^create")
    client = logged_in(wire)
    path, body = "/queries/v1/query-request?requestId=r", {"sqlText": "create table a"}
    answered, _, headers = client.request("POST", path, body)
    assert (answered, headers["Retry-After"]) == (status, "7")
    assert scripted_engine.objects == []
    assert client.request("POST", path, body)[0] == 200
    assert scripted_engine.objects == ["A"]
    assert rule.fired == 1
    assert [(entry.fault, entry.executed) for entry in wire.journal] == [("status", False), (None, True)]
    assert wire.counters.refused["CREATE"] == 1


def test_a_connection_dropped_before_execution_leaves_nothing(
    wire: LocalAccount, scripted_engine: ScriptedEngine
) -> None:
    wire.faults.inject(DropBefore(), "create")
    with pytest.raises(OSError):
        logged_in(wire).sql("create table a")
    assert scripted_engine.objects == []


def test_an_sql_error_is_the_answer_and_stays_it(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    wire.faults.inject(SqlFault(1304, "42501", "no"), "create")
    client = logged_in(wire)
    for _ in range(2):
        answer = client.sql("create table a", request_id="r")
        assert (answer["code"], answer["message"], answer["data"]["sqlState"]) == ("001304", "no", "42501")
    assert scripted_engine.executed == []


def test_latency_comes_before_execution_and_can_be_cut_by_the_timeout(
    wire: LocalAccount, scripted_engine: ScriptedEngine
) -> None:
    wire.faults.inject(Latency(0.2), "create")
    wire.faults.inject(Latency(30), "show")
    client = logged_in(wire)
    started = time.monotonic()
    client.sql("create table a")
    assert time.monotonic() - started >= 0.2
    answer = client.sql("show tables", parameters={"STATEMENT_TIMEOUT_IN_SECONDS": 1})
    assert answer["code"] == "000630"
    assert [text for text, *_ in scripted_engine.executed] == ["create table a"]


def test_hooks_see_the_statement_before_and_after_it_ran(wire: LocalAccount, scripted_engine: ScriptedEngine) -> None:
    seen: list[tuple[str, list[str]]] = []

    def look(sql: str) -> None:
        seen.append((sql, list(scripted_engine.objects)))

    wire.faults.inject(Call(before=look, after=look), "create", at=2)
    client = logged_in(wire)
    client.sql("create table a")
    client.sql("create table b")
    assert seen == [("create table b", ["A"]), ("create table b", ["A", "B"])]


def test_logins_can_fail_too(wire: LocalAccount) -> None:
    wire.faults.inject(Status(503), "pinky", on="login")
    client = WireClient(wire)
    body = {"data": {"LOGIN_NAME": "PINKY", "PASSWORD": "x"}}
    assert client.request("POST", "/session/v1/login-request", body)[0] == 503
    assert client.request("POST", "/session/v1/login-request", body)[0] == 200


# -- the control API --------------------------------------------------------------------------------------------------


def test_faults_are_set_listed_and_cleared_over_http(wire: LocalAccount) -> None:
    client = logged_in(wire)
    rule = {"match": "show", "action": {"kind": "sql_error", "errno": 604, "sqlstate": "57014", "message": "stop"}}
    assert client.request("POST", "/pinky-local/faults", rule)[0] == 200
    assert client.sql("show tables")["code"] == "000604"
    assert client.request("GET", "/pinky-local/status")[1] == {"account": "PINKY_LOCAL", "sessions": 1, "statements": 0}
    assert [rule.fired for rule in wire.faults] == [1]
    assert client.request("DELETE", "/pinky-local/faults")[0] == 200
    assert list(wire.faults) == []


def test_journal_and_counters_are_read_over_http(wire: LocalAccount) -> None:
    client = logged_in(wire)
    client.sql("create table a -- password = 'hunter2'")
    client.sql("show tables")
    status, entries, _ = client.request("GET", "/pinky-local/journal")
    assert status == 200
    assert [(entry["sequence"], entry["sql"]) for entry in entries] == [
        (1, "create table a -- password = '***'"),
        (2, "show tables"),
    ]
    since = client.request("GET", "/pinky-local/journal?since=1")[1]
    assert [entry["sequence"] for entry in since] == [2]
    assert client.request("GET", "/pinky-local/counters")[1]["executed"] == {"CREATE": 1, "SHOW": 1}
    client.request("DELETE", "/pinky-local/journal")
    client.request("DELETE", "/pinky-local/counters")
    assert len(wire.journal) == 0
    assert wire.counters.total == 0


def test_the_control_api_refuses_what_it_does_not_know(wire: LocalAccount) -> None:
    client = WireClient(wire)
    assert client.request("GET", "/pinky-local/clock")[0] == 404
    assert client.request("PUT", "/pinky-local/faults")[0] == 405
    status, answer, _ = client.request("POST", "/pinky-local/faults", {"action": {"kind": "explode"}})
    assert (status, answer["error"].split(";")[0]) == (400, "unknown action 'explode'")
    assert client.request("POST", "/pinky-local/faults", b"nonsense")[0] == 400
    assert client.request("GET", "/pinky-local/journal?since=x")[0] == 400


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_the_control_api_answers_no_web_page(wire: LocalAccount, headers: dict[str, str]) -> None:
    assert WireClient(wire, headers=headers).request("GET", "/pinky-local/journal")[0] == 403


def test_an_expired_token_is_a_refusal_in_the_journal(wire: LocalAccount) -> None:
    wire.faults.inject(ExpireToken(), "create")
    assert logged_in(wire).sql("create table a")["code"] == "390112"
    assert [(entry.fault, entry.executed) for entry in wire.journal] == [("expire_token", False)]
