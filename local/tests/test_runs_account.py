"""Tasks of an account on the wire: journal, counters, faults, the control API, real time, the end of the account."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_local.faults import Call, DropAfter, DropBefore, Latency, SqlFault

LONG = "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 40000000000))"


class Client:
    """A connection to an account with the schema D.S and the table LOG."""

    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        self.connection = account.connect()

    def set_up(self) -> None:
        self.run("CREATE DATABASE d", "CREATE SCHEMA s", "CREATE TABLE log (what VARCHAR)")

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for sql in statements:
            rows = self.connection.cursor().execute(sql).fetchall()
        return rows

    def task(self, name: str, clauses: str = "", body: str | None = None) -> None:
        text = body or f"INSERT INTO log VALUES ('{name}')"
        self.run(f"CREATE TASK {name} WAREHOUSE = compute_wh {clauses} AS {text}", f"ALTER TASK {name} RESUME")

    @property
    def log(self) -> list[str]:
        return [what for (what,) in self.run("SELECT what FROM log ORDER BY what")]

    def states(self) -> list[tuple[Any, ...]]:
        sql = "SELECT name, state, error_code FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE state <> 'SCHEDULED'"
        return self.run(sql)[::-1]


@pytest.fixture
def client() -> Iterator[Client]:
    with LocalAccount() as account:
        made = Client(account)
        made.set_up()
        yield made
        made.connection.close()
        broken = account.internal_errors
    assert not broken


def control(account: LocalAccount, path: str, body: Any = None, method: str | None = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{account.port}/pinky-local{path}",
        None if body is None else json.dumps(body).encode(),
        method=method or ("GET" if body is None else "POST"),
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.loads(answer.read())


def test_statements_of_tasks_are_in_the_journal_and_the_counters(client: Client) -> None:
    client.task("t", "SCHEDULE = '1 MINUTE'")
    before = client.account.counters["INSERT"]
    client.account.advance(61)
    (entry,) = [entry for entry in client.account.journal if entry.origin]
    assert (entry.origin, entry.verb, entry.executed, entry.errno) == ("task D.S.T", "INSERT", True, None)
    assert entry.as_json()["origin"] == "task D.S.T"
    assert client.account.counters["INSERT"] == before + 1
    ((query_id,),) = client.run(
        "SELECT query_id FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE query_id IS NOT NULL"
    )
    assert entry.query_id == query_id


@pytest.mark.parametrize(
    ("action", "done"),
    [(SqlFault(), False), (DropBefore(), False), (DropAfter(), True), (Call(after=lambda _: 1 / 0), True)],
)
def test_faults_kill_a_graph_at_a_statement(client: Client, action: Any, done: bool) -> None:
    client.task("root", "SCHEDULE = '1 MINUTE' TASK_AUTO_RETRY_ATTEMPTS = 1")
    client.run("ALTER TASK root SUSPEND")
    client.task("child", "AFTER root")
    client.run("ALTER TASK root RESUME")
    rule = client.account.faults.inject(action, "^INSERT.*'child'")
    client.account.advance(61)
    assert rule.fired == 1
    assert client.states() == [("ROOT", "SUCCEEDED", None), ("CHILD", "FAILED", 603), ("CHILD", "SUCCEEDED", None)]
    assert client.log == ["child"] * (1 + done) + ["root"]
    if isinstance(action, Call):
        assert [type(error) for error in client.account.internal_errors] == [ZeroDivisionError]
        client.account.internal_errors.clear()


def test_a_fault_can_move_the_clock_while_a_task_runs(client: Client) -> None:
    client.task("t", "SCHEDULE = '1 MINUTE'", "INSERT INTO log SELECT CURRENT_TIMESTAMP()::VARCHAR")
    client.account.faults.inject(Call(before=lambda _: client.account.advance(3600)), "^INSERT")
    start = client.account.clock.now()
    client.account.advance(61)
    assert (client.account.clock.now() - start).total_seconds() >= 3660
    assert len(client.log) == 1


def test_the_control_api_moves_the_clock_and_reads_the_outbox(client: Client) -> None:
    client.task("t", "SCHEDULE = '1 MINUTE'")
    before = control(client.account, "/clock")
    assert (before["offset"], before["tasks"]) == (0, "clock")
    after = control(client.account, "/clock", {"advance": 300.5})
    assert after["offset"] >= 300
    assert client.log == ["t"] * 5
    assert control(client.account, "/outbox") == []
    assert control(client.account, "/outbox", method="DELETE") == []
    for wrong in ({"advance": -1}, {"advance": "1"}, {"advance": True}, {}, [], {"advance": 1, "more": 2}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            control(client.account, "/clock", wrong)
        assert caught.value.code == 400
        caught.value.close()


def test_execute_task_answers_at_once(client: Client) -> None:
    client.account.faults.inject(Latency(60), "^INSERT")
    client.task("t", "", "INSERT INTO log VALUES ('slow')")
    client.run("EXECUTE TASK t")
    assert client.log == []
    assert not client.account.wait_for_tasks(0)
    (running,) = control(client.account, "/tasks")
    assert (running["root"], running["attempt"], running["scheduled_from"]) == ("D.S.T", 1, "EXECUTE_TASK")
    begun: list[str] = []
    while not begun:
        begun = [entry.query_id for entry in client.account.journal if entry.origin]
    client.run(f"SELECT SYSTEM$CANCEL_QUERY('{begun[0]}')")
    assert client.account.wait_for_tasks(30)
    assert client.states() == [("T", "CANCELLED", 604)]
    assert client.log == []
    assert control(client.account, "/tasks") == []


def test_execute_task_while_a_run_is_under_way_waits_for_it_and_the_last_one_counts(client: Client) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        entered.set()
        go.wait(30)

    client.account.faults.inject(Call(before=hold), "^INSERT")
    client.task("t", "", "INSERT INTO log SELECT SYSTEM$GET_TASK_GRAPH_CONFIG('n')")
    client.run("EXECUTE TASK t USING CONFIG = $${\"n\": \"1\"}$$")
    assert entered.wait(30)
    client.run(*(f"EXECUTE TASK t USING CONFIG = $${{\"n\": \"{n}\"}}$$" for n in (2, 3)))
    go.set()
    assert client.account.wait_for_tasks(30)
    assert client.log == ["1", "3"]


def test_stopping_the_account_ends_what_runs(tmp_path: Path) -> None:
    entered = threading.Event()
    with LocalAccount(tmp_path) as account:
        client = Client(account)
        client.set_up()
        client.task("t", "", LONG)
        account.faults.inject(Call(before=lambda _: entered.set()), "^SELECT.*GENERATOR")
        client.run("EXECUTE TASK t")
        assert entered.wait(30)
        client.connection.close()
    assert account.internal_errors == []
    with LocalAccount(tmp_path) as account:
        client = Client(account)
        client.run("USE SCHEMA d.s")
        assert client.states() == [("T", "CANCELLED", 604)]
        client.connection.close()


def test_in_live_mode_real_time_starts_schedules() -> None:
    ran = threading.Event()
    with LocalAccount(tasks="live") as account:
        client = Client(account)
        client.set_up()
        account.faults.inject(Call(after=lambda _: ran.set()), "^INSERT")
        client.task("t", "SCHEDULE = '10 SECONDS'")
        account.clock.forward(timedelta(hours=1))
        assert ran.wait(30)
        assert account.wait_for_tasks(30)
        assert control(account, "/clock")["tasks"] == "live"
        client.run("ALTER TASK t SUSPEND")
        account.advance(60)
        assert {state for _, state, _ in client.states()} == {"SUCCEEDED"}
        client.connection.close()
    assert account.internal_errors == []
