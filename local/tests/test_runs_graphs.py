"""Graphs of tasks that run, against tasks-graphs, tasks-intro, create-task and execute-task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from engine_account import speaker
from task_account import TaskAccount


@pytest.fixture
def account() -> Iterator[TaskAccount]:
    made = TaskAccount()
    made.set_up()
    yield made
    made.close()


# schedules --------------------------------------------------------------------------------------------------------


def test_only_a_moved_clock_starts_a_schedule_and_the_first_run_is_one_interval_after_resume(
    account: TaskAccount,
) -> None:
    account.task("t", "SCHEDULE = '5 MINUTES'")
    account.advance(240)
    assert account.log == []
    account.advance(61)
    assert account.log == ["t"]
    account.advance(900)
    assert account.log == ["t"] * 4


def test_everything_falls_due_in_order_of_time(account: TaskAccount) -> None:
    account.task("b", "SCHEDULE = '3 MINUTES'")
    account.task("a", "SCHEDULE = '2 MINUTES'")
    account.advance(301)
    assert account.history("NAME") == ["A", "B", "A"]
    (times,) = [account.history("SCHEDULED_TIME")]
    assert times == sorted(times)


def test_the_time_of_a_run_is_the_account_s_time(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '2 HOURS'")
    before = account.run("SELECT CURRENT_TIMESTAMP() AS now")[0]["NOW"]
    account.advance(7201)
    after = account.run("SELECT CURRENT_TIMESTAMP() AS now")[0]["NOW"]
    assert (after - before).total_seconds() >= 7201
    (row,) = account.run("SELECT at FROM log")
    (scheduled,) = account.history("SCHEDULED_TIME")
    assert before < scheduled <= row["AT"] < after


def test_cron_tasks_run_on_the_clock(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = 'USING CRON 0 9 * * * Europe/Paris'")
    account.advance(3 * 86_400)
    assert account.log == ["t"] * 3
    assert {moment.minute for moment in account.history("SCHEDULED_TIME")} == {0}


def test_a_suspended_task_runs_no_more_and_resuming_starts_the_interval_anew(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '10 MINUTES'")
    account.advance(540)
    account.run("ALTER TASK t SUSPEND")
    account.advance(600)
    account.run("ALTER TASK t RESUME")
    account.advance(590)
    assert account.log == []
    account.advance(20)
    assert account.log == ["t"]


def test_a_schedule_that_falls_into_a_run_is_skipped_unless_runs_may_overlap(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '1 MINUTE'")
    account.task("o", "SCHEDULE = '1 MINUTE' OVERLAP_POLICY = ALLOW_ALL_OVERLAP")
    runner = account.scheduler.run_statement

    def slow(sql, session, query_id):  # type: ignore[no-untyped-def]
        account.advance(150)  # a run calls this: only the clock moves
        return runner(sql, session, query_id)

    account.scheduler.run_statement = slow
    account.advance(299)
    names = account.history("NAME")
    assert names.count("T") == 2
    assert names.count("O") == 4


# graphs -----------------------------------------------------------------------------------------------------------


def test_children_run_after_all_that_stands_before_them_and_the_finalizer_last(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"), ("b", "AFTER root"), ("c", "AFTER a, b"),
        ("f", "FINALIZE = root"),
    )  # fmt: skip
    account.advance(3601)
    assert account.history("NAME") == ["ROOT", "A", "B", "C", "F"]
    assert set(account.states().values()) == {"SUCCEEDED"}
    assert len(set(account.history("GRAPH_RUN_GROUP_ID"))) == 1
    assert account.history("SCHEDULED_FROM") == ["SCHEDULE"] * 5


def test_a_failure_stops_what_comes_after_it_and_not_the_finalizer(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root", "SELECT 1 / 0"), ("b", "AFTER root"), ("c", "AFTER a, b"),
        ("f", "FINALIZE = root"),
    )  # fmt: skip
    account.advance(3601)
    assert account.states() == {"ROOT": "SUCCEEDED", "A": "FAILED", "B": "SUCCEEDED", "F": "SUCCEEDED"}
    assert account.history("ERROR_CODE", arguments="ERROR_ONLY => TRUE") == [100051]
    (graph,) = account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => 'root'))")
    assert (graph["STATE"], graph["FIRST_ERROR_TASK_NAME"], graph["FIRST_ERROR_CODE"]) == ("FAILED", "A", 100051)


def test_a_suspended_child_counts_as_though_it_had_succeeded(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"), ("b", "AFTER a"), ("c", "AFTER root"),
        ("d", "AFTER a, c"), ("e", "AFTER root"), ("g", "AFTER a, e"), resume=False,
    )  # fmt: skip
    for name in "bcdg":
        account.run(f"ALTER TASK {name} RESUME")
    account.run("ALTER TASK root RESUME")
    account.advance(3601)
    assert account.history("NAME") == ["ROOT", "B", "C", "D"], "G waits for suspended tasks only"


def test_a_condition_that_does_not_hold_skips_a_task_and_all_after_it(account: TaskAccount) -> None:
    set_value = "CALL SYSTEM$SET_RETURN_VALUE('SKIP')"
    condition = "WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') <> 'SKIP'"
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'", set_value), ("a", f"AFTER root {condition}"), ("b", "AFTER root"),
        ("c", "AFTER a, b"), ("f", "FINALIZE = root"),
    )  # fmt: skip
    account.advance(3601)
    assert account.states() == {"ROOT": "SUCCEEDED", "A": "SKIPPED", "B": "SUCCEEDED", "F": "SUCCEEDED"}
    skipped = account.history("QUERY_ID", "ERROR_CODE", "ERROR_MESSAGE", arguments="TASK_NAME => 'a'")
    assert skipped == [(None, 40003, "Conditional expression for task evaluated to false.")]
    (graph,) = account.run("SELECT state FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())")
    assert graph["STATE"] == "SUCCEEDED"


def test_nothing_runs_after_a_skipped_root_not_even_the_finalizer(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR' WHEN 1 = 2"), ("a", "AFTER root"), ("f", "FINALIZE = root"))
    account.advance(3601)
    assert account.states() == {"ROOT": "SKIPPED"}
    assert account.run("SELECT state FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == []


def test_a_condition_that_cannot_be_evaluated_fails_the_run(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '1 HOUR' WHEN 'perhaps'::BOOLEAN")
    account.advance(3601)
    assert account.history("STATE", "ERROR_CODE", "QUERY_ID") == [("FAILED", 100037, None)]


# return values, configuration, facts ------------------------------------------------------------------------------


def test_return_values_reach_the_tasks_after_it_and_the_history(account: TaskAccount) -> None:
    read = "INSERT INTO log VALUES ({}, CURRENT_TIMESTAMP())"
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'", "CALL SYSTEM$SET_RETURN_VALUE('of root')"),
        ("a", "AFTER root", "SELECT SYSTEM$SET_RETURN_VALUE('of a')"),
        ("b", "AFTER root", read.format("SYSTEM$GET_PREDECESSOR_RETURN_VALUE()")),
        ("c", "AFTER a, b", read.format("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A')")),
        ("d", "AFTER c", read.format("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') || '!'")),
    )
    account.advance(3601)
    assert account.log == ["of root", "of a", "of root!"]
    assert account.history("RETURN_VALUE") == ["of root", "of a", None, None, None]


@pytest.mark.parametrize(
    ("call", "errno"),
    [
        ("SYSTEM$GET_PREDECESSOR_RETURN_VALUE()", 91094),
        ("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('root')", 91094),
        ("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('OFF')", 91094),
        ("SYSTEM$TASK_RUNTIME_INFO('MOOD')", 1044),
        ("SYSTEM$TASK_RUNTIME_INFO()", 938),
        ("SYSTEM$SET_RETURN_VALUE('" + "x" * 10_241 + "')", 100078),
    ],
)
def test_what_a_task_cannot_ask(account: TaskAccount, call: str, errno: int) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("off", "AFTER root"), ("on_", "AFTER root, off", f"SELECT {call}"))
    account.run("ALTER TASK root SUSPEND", "ALTER TASK off SUSPEND", "ALTER TASK root RESUME")
    if call.endswith("()") and "PREDECESSOR" in call:
        account.run("ALTER TASK root SUSPEND", "ALTER TASK off RESUME", "ALTER TASK root RESUME")
    account.advance(3601)
    assert account.history("STATE", "ERROR_CODE", arguments="TASK_NAME => 'ON_'") == [("FAILED", errno)]


@pytest.mark.parametrize(
    "call",
    [
        "SYSTEM$SET_RETURN_VALUE('x')",
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE()",
        "SYSTEM$GET_TASK_GRAPH_CONFIG()",
        "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')",
        "SYSTEM$CURRENT_USER_TASK_NAME()",
    ],
)
def test_outside_of_a_task_run_these_functions_are_refused(account: TaskAccount, call: str) -> None:
    assert account.speaker.refused(f"SELECT {call}").errno == 91093
    assert account.speaker.refused(f"CALL {call}").errno == 91093


def test_configuration_and_facts_of_a_run(account: TaskAccount) -> None:
    info = "SYSTEM$TASK_RUNTIME_INFO('{}')"
    asked = [
        "SYSTEM$GET_TASK_GRAPH_CONFIG('dir')", "SYSTEM$GET_TASK_GRAPH_CONFIG('deep.list[1]')",
        "SYSTEM$GET_TASK_GRAPH_CONFIG('deep')", "SYSTEM$GET_TASK_GRAPH_CONFIG('none.at.all')",
        "SYSTEM$CURRENT_USER_TASK_NAME()", info.format("CURRENT_TASK_NAME"), info.format("CURRENT_ROOT_TASK_NAME"),
        info.format("CURRENT_ROOT_TASK_UUID"), info.format("CURRENT_TASK_GRAPH_RUN_GROUP_ID"),
        info.format("CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP") + "::TIMESTAMP_LTZ",
        info.format("LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID"), "CURRENT_USER()", "CURRENT_ROLE()",
    ]  # fmt: skip
    account.run("CREATE TABLE facts (" + ", ".join(f"c{i} VARCHAR" for i in range(len(asked))) + ")")
    config = '{"dir": "/tmp", "deep": {"list": [1, 2.5]}}'
    account.graph(
        ("root", f"SCHEDULE = '1 HOUR' CONFIG = '{config}'"),
        ("child", "AFTER root", "INSERT INTO facts SELECT " + ", ".join(asked)),
    )
    account.advance(7201)
    first, second = [list(row.values()) for row in account.run("SELECT * FROM facts ORDER BY c9")]
    groups = account.history("GRAPH_RUN_GROUP_ID", arguments="TASK_NAME => 'CHILD'")
    root_id = account.speaker.one("SHOW TASKS LIKE 'ROOT'")["id"]
    assert first[:8] == ["/tmp", "2.5", '{"list":[1,2.5]}', None, "D.S.CHILD", "CHILD", "ROOT", root_id]
    assert [first[8], second[8]] == groups
    assert (first[10], second[10]) == (None, groups[0])
    assert first[11:] == ["SYSTEM", "ACCOUNTADMIN"]
    assert set(account.history("CONFIG")) == {config}


# sessions ---------------------------------------------------------------------------------------------------------


def test_a_task_runs_under_its_owner_s_role_alone_in_its_schema_with_its_parameters(account: TaskAccount) -> None:
    account.run(
        "CREATE ROLE worker", "GRANT ROLE worker TO USER pinky", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE worker",
        "GRANT USAGE ON DATABASE d TO ROLE worker", "GRANT USAGE, CREATE TASK ON SCHEMA d.s TO ROLE worker",
        "CREATE TABLE secret (a INT)",
    )  # fmt: skip
    worker = speaker(account.engine, "WORKER")
    worker.run("USE SCHEMA d.s")
    for name, body in (("t", "SELECT CURRENT_TIMESTAMP()"), ("u", "SELECT * FROM secret")):
        worker.run(f"CREATE TASK {name} WAREHOUSE = compute_wh SCHEDULE = '1 HOUR' TIMEZONE = 'Asia/Tokyo' AS {body}")
        worker.run(f"ALTER TASK {name} RESUME")
    seen = []
    runner = account.scheduler.run_statement

    def watching(sql, session, query_id):  # type: ignore[no-untyped-def]
        seen.append((session.user, session.role, session.secondary_roles, session.database, session.schema,
                     session.warehouse, session.parameters, session.task_run.name))  # fmt: skip
        return runner(sql, session, query_id)

    account.scheduler.run_statement = watching
    account.advance(3601)
    place = ("SYSTEM", "WORKER", "NONE", "D", "S", "COMPUTE_WH", {"TIMEZONE": "Asia/Tokyo"})
    assert seen == [(*place, "D.S.T"), (*place, "D.S.U")]
    assert account.history("NAME", "STATE", "ERROR_CODE") == [("T", "SUCCEEDED", None), ("U", "FAILED", 2003)]
    account.run("REVOKE EXECUTE TASK ON ACCOUNT FROM ROLE worker")
    account.advance(3600)
    assert account.history("STATE", "ERROR_CODE")[2:] == [("FAILED", 91089)] * 2
    assert len(seen) == 2


def test_a_serverless_task_needs_no_warehouse(account: TaskAccount) -> None:
    account.run("CREATE TASK t SCHEDULE = '1 HOUR' AS INSERT INTO log SELECT 't', CURRENT_TIMESTAMP()")
    account.run("ALTER TASK t RESUME")
    account.advance(3601)
    assert account.log == ["t"]


def test_execute_as_user(account: TaskAccount) -> None:
    account.run("CREATE USER bot", "CREATE TABLE who (a VARCHAR)")
    account.task("t", "SCHEDULE = '1 HOUR' EXECUTE AS USER bot", "INSERT INTO who SELECT CURRENT_USER()")
    account.advance(3601)
    assert account.history("STATE", "ERROR_CODE") == [("FAILED", 91089)], "the user does not hold the owner's role"
    account.run("GRANT ROLE accountadmin TO USER bot")
    account.advance(3600)
    assert account.run("SELECT a FROM who") == [{"A": "BOT"}]


# failures ---------------------------------------------------------------------------------------------------------


def test_automatic_retries_begin_at_what_failed(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR' TASK_AUTO_RETRY_ATTEMPTS = 2", "SELECT SYSTEM$SET_RETURN_VALUE('kept')"),
        ("a", "AFTER root", "INSERT INTO later SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT')"),
        ("b", "AFTER a"),
        ("f", "FINALIZE = root", "CREATE TABLE IF NOT EXISTS later (a VARCHAR)"),
    )
    account.advance(3601)
    names = account.history("NAME", "STATE", "ATTEMPT_NUMBER", "SCHEDULED_FROM")
    assert names == [
        ("ROOT", "SUCCEEDED", 1, "SCHEDULE"), ("A", "FAILED", 1, "SCHEDULE"), ("F", "SUCCEEDED", 1, "SCHEDULE"),
        ("A", "SUCCEEDED", 2, "AUTOMATIC RETRY"), ("B", "SUCCEEDED", 2, "AUTOMATIC RETRY"),
        ("F", "SUCCEEDED", 2, "AUTOMATIC RETRY"),
    ]  # fmt: skip
    assert len(set(account.history("GRAPH_RUN_GROUP_ID"))) == 1
    assert account.run("SELECT a FROM later") == [{"A": "kept"}]


def test_a_root_is_suspended_after_so_many_failures_in_a_row(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR' SUSPEND_TASK_AFTER_NUM_FAILURES = 2"),
        ("a", "AFTER root", "SELECT * FROM nothing"),
    )
    account.advance(3601)
    account.run("CREATE TABLE nothing (a INT)")
    account.advance(3600)
    account.run("DROP TABLE nothing")
    account.advance(4 * 3600)
    states = account.history("STATE", arguments="TASK_NAME => 'A'")
    assert states == ["FAILED", "SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED"]
    shown = account.speaker.one("SHOW TASKS LIKE 'ROOT'")
    assert (shown["state"], shown["last_suspended_reason"]) == ("suspended", "SUSPENDED_DUE_TO_ERRORS")


def test_a_timeout_ends_a_task_in_real_time(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR'"),
        (
            "a",
            "AFTER root USER_TASK_TIMEOUT_MS = 100",
            "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 40000000000))",
        ),
    )
    account.advance(3601)
    (row,) = account.history("STATE", "ERROR_CODE", "ERROR_MESSAGE", arguments="TASK_NAME => 'A'")
    assert row[:2] == ("FAILED", 630)
    assert "timeout of 0.1 second(s)" in row[2]


# triggers ---------------------------------------------------------------------------------------------------------


def test_a_triggered_task_runs_when_its_stream_has_data_and_not_more_often_than_allowed(
    account: TaskAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pinky_local.engine import context

    waiting = [3]
    monkeypatch.setitem(context.NEEDS_STATEMENT, "SYSTEM$STREAM_HAS_DATA", lambda _, arguments: waiting[0] > 0)
    account.graph(("t", "WHEN SYSTEM$STREAM_HAS_DATA('S')"), ("u", "AFTER t"))
    runner = account.scheduler.run_statement

    def consuming(sql, session, query_id):  # type: ignore[no-untyped-def]
        waiting[0] -= session.task_run.name == "D.S.T"
        return runner(sql, session, query_id)

    account.scheduler.run_statement = consuming
    account.advance(0)
    assert account.history("NAME") == ["T", "U"]
    account.advance(10)
    assert account.history("NAME") == ["T", "U"]
    account.advance(600)
    assert account.history("NAME") == ["T", "U"] * 3
    times = account.history("SCHEDULED_TIME", arguments="TASK_NAME => 'T'")
    assert [(later - before).total_seconds() for before, later in pairwise(times)] == [30, 30]
    assert set(account.history("SCHEDULED_FROM")) == {"TRIGGER"}
    account.run("ALTER TASK t SUSPEND")
    waiting[0] = 1
    account.advance(600)
    assert len(account.history("NAME")) == 6


def test_a_triggered_task_consumes_its_stream(account: TaskAccount) -> None:
    account.run("CREATE TABLE source (a VARCHAR)", "CREATE STREAM changes ON TABLE source")
    body = "INSERT INTO log SELECT a, CURRENT_TIMESTAMP() FROM changes"
    account.task("t", "WHEN SYSTEM$STREAM_HAS_DATA('changes')", body)
    account.advance(600)
    assert account.history("NAME") == []
    account.run("INSERT INTO source VALUES ('x'), ('y')")
    account.advance(600)
    assert account.log == ["x", "y"]
    assert account.history("STATE", "SCHEDULED_FROM") == [("SUCCEEDED", "TRIGGER")]


# EXECUTE TASK -----------------------------------------------------------------------------------------------------


def test_execute_task_runs_a_suspended_root_with_its_resumed_children(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"), ("b", "AFTER root"), resume=False)
    account.run("ALTER TASK a RESUME")
    assert account.execute("EXECUTE TASK root") == "Task ROOT is scheduled to run immediately."
    assert account.history("NAME", "SCHEDULED_FROM") == [("ROOT", "EXECUTE_TASK"), ("A", "EXECUTE_TASK")]
    assert account.speaker.refused("EXECUTE TASK a").errno == 91421
    assert account.speaker.refused("EXECUTE TASK nowhere").errno == 2003
    assert account.speaker.refused("EXECUTE TASK root NOW").errno == 1003


def test_execute_task_takes_a_configuration_for_one_run(account: TaskAccount) -> None:
    account.task(
        "root", 'CONFIG = \'{"env": "prod", "out": {"logs": "/l", "results": "/r"}}\'',
        "INSERT INTO log SELECT SYSTEM$GET_TASK_GRAPH_CONFIG('out.results'), CURRENT_TIMESTAMP()", resume=False,
    )  # fmt: skip
    account.execute('EXECUTE TASK root USING CONFIG = $${"out": {"results": "/t"}}$$')
    account.execute("EXECUTE TASK root")
    assert account.log == ["/t", "/r"]
    merged = {"env": "prod", "out": {"logs": "/l", "results": "/t"}}
    assert json.loads(account.history("CONFIG")[0]) == merged
    assert account.speaker.refused("EXECUTE TASK root USING CONFIG = 'x'").errno == 1422


def test_retry_last_begins_at_what_failed(account: TaskAccount) -> None:
    account.graph(("root", ""), ("a", "AFTER root", "SELECT * FROM later"), ("b", "AFTER a"), resume=False)
    account.run("ALTER TASK a RESUME", "ALTER TASK b RESUME")
    assert account.speaker.refused("EXECUTE TASK root RETRY LAST").errno == 91425
    account.execute("EXECUTE TASK root")
    account.run("CREATE TABLE later (a INT)")
    account.execute("EXECUTE TASK root RETRY LAST")
    rows = account.history("NAME", "ATTEMPT_NUMBER", "SCHEDULED_FROM")
    assert rows[2:] == [("A", 2, "MANUAL RETRY"), ("B", 2, "MANUAL RETRY")]
    assert len(set(account.history("GRAPH_RUN_GROUP_ID"))) == 1
    assert "not in state FAILED" in account.speaker.refused("EXECUTE TASK root RETRY LAST").message


def test_a_graph_run_group_is_retried_unless_the_graph_was_changed(account: TaskAccount) -> None:
    account.task("t", "", "SELECT * FROM later", resume=False)
    account.execute("EXECUTE TASK t")
    account.execute("EXECUTE TASK t")
    first, second = account.history("GRAPH_RUN_GROUP_ID")
    account.run("CREATE TABLE later (a INT)")
    account.execute(f"EXECUTE TASK t RETRY GRAPH RUN GROUP '{first}'")
    assert account.history("GRAPH_RUN_GROUP_ID", "STATE")[2] == (first, "SUCCEEDED")
    account.run("ALTER TASK t SET COMMENT = 'changed'")
    assert "modified" in account.speaker.refused(f"EXECUTE TASK t RETRY GRAPH RUN GROUP '{second}'").message
    assert account.speaker.refused("EXECUTE TASK t RETRY GRAPH RUN GROUP 'x'").errno == 91425


def test_execute_task_needs_operate(account: TaskAccount) -> None:
    account.task("t", resume=False)
    account.run(
        "CREATE ROLE other", "GRANT ROLE other TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE other",
        "GRANT USAGE ON SCHEMA d.s TO ROLE other", "GRANT MONITOR ON TASK t TO ROLE other",
    )  # fmt: skip
    other = speaker(account.engine, "OTHER")
    assert other.refused("EXECUTE TASK d.s.t").errno == 3001
    account.run("GRANT OPERATE ON TASK t TO ROLE other")
    other.run("EXECUTE TASK d.s.t")
    assert account.scheduler.settle(30)
    assert account.log == ["t"]


def test_a_graph_that_runs_goes_on_with_the_version_it_began_with(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"))
    runner = account.scheduler.run_statement

    def meddling(sql, session, query_id):  # type: ignore[no-untyped-def]
        if session.task_run.name == "D.S.ROOT" and len(account.history("NAME")) == 1:
            account.run("ALTER TASK root SUSPEND", "ALTER TASK a MODIFY AS SELECT 'new'", "ALTER TASK root RESUME")
        return runner(sql, session, query_id)

    account.scheduler.run_statement = meddling
    account.advance(3601)
    account.advance(3601)
    texts = account.history("QUERY_TEXT", "GRAPH_VERSION", arguments="TASK_NAME => 'A'")
    assert [text for text, _ in texts] == ["INSERT INTO log SELECT 'a', CURRENT_TIMESTAMP()", "SELECT 'new'"]
    assert [version for _, version in texts] == [1, 2]
