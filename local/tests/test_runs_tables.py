"""What the account tells of task runs, against task_history, the pages on task graphs, and task_dependents."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_account import speaker
from task_account import TaskAccount


@pytest.fixture
def account() -> Iterator[TaskAccount]:
    made = TaskAccount()
    made.set_up()
    yield made
    made.close()


def names(account: TaskAccount, arguments: str = "") -> list[str]:
    rows = account.run(f"SELECT name, state FROM TABLE(d.INFORMATION_SCHEMA.TASK_HISTORY({arguments}))")
    return [f"{row['NAME']} {row['STATE']}" for row in rows]


def test_the_history_has_the_documented_columns(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '1 HOUR'", "SELECT   1")
    account.advance(3601)
    account.execute("EXECUTE TASK t")
    scheduled, manual, first = account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())")
    assert list(first) == [
        "QUERY_ID", "NAME", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TEXT", "CONDITION_TEXT", "STATE", "ERROR_CODE",
        "ERROR_MESSAGE", "SCHEDULED_TIME", "QUERY_START_TIME", "NEXT_SCHEDULED_TIME", "COMPLETED_TIME", "ROOT_TASK_ID",
        "GRAPH_VERSION", "RUN_ID", "RETURN_VALUE", "SCHEDULED_FROM", "ATTEMPT_NUMBER", "CONFIG", "QUERY_HASH",
        "QUERY_HASH_VERSION", "QUERY_PARAMETERIZED_HASH", "QUERY_PARAMETERIZED_HASH_VERSION", "GRAPH_RUN_GROUP_ID",
        "BACKFILL_INFO", "SPCS_JOB_ID",
    ]  # fmt: skip
    assert (first["DATABASE_NAME"], first["SCHEMA_NAME"], first["QUERY_TEXT"]) == ("D", "S", "SELECT   1")
    assert first["RUN_ID"] == int(first["SCHEDULED_TIME"].timestamp() * 1000)
    assert first["QUERY_START_TIME"] >= first["SCHEDULED_TIME"]
    assert first["COMPLETED_TIME"] >= first["QUERY_START_TIME"]
    assert first["ROOT_TASK_ID"] == account.speaker.one("SHOW TASKS")["id"]
    assert first["QUERY_HASH"] == manual["QUERY_HASH"]
    assert manual["SCHEDULED_FROM"] == "EXECUTE_TASK"
    assert (scheduled["STATE"], scheduled["QUERY_ID"]) == ("SCHEDULED", None)
    assert scheduled["SCHEDULED_TIME"] == first["NEXT_SCHEDULED_TIME"]


def test_the_history_is_narrowed_by_its_arguments(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root", "SELECT 1 / 0"))
    account.task("other", "SCHEDULE = '30 MINUTES'")
    account.advance(3601)
    assert names(account, "TASK_NAME => 'a'") == ["A FAILED"]
    assert names(account, "ERROR_ONLY => TRUE") == ["A FAILED"]
    assert names(account, "RESULT_LIMIT => 1") == ["ROOT SCHEDULED"]
    root_id = account.speaker.one("SHOW TASKS LIKE 'root'")["id"]
    assert names(account, f"ROOT_TASK_ID => '{root_id}'") == ["ROOT SCHEDULED", "A FAILED", "ROOT SUCCEEDED"]
    assert len(names(account, "SCHEDULED_TIME_RANGE_END => CURRENT_TIMESTAMP()")) == 4
    since = "SCHEDULED_TIME_RANGE_START => DATEADD('minute', -10, CURRENT_TIMESTAMP())"
    assert names(account, f"{since}, TASK_NAME => 'OTHER'") == ["OTHER SCHEDULED", "OTHER SUCCEEDED"]
    assert names(account, "DATABASE_NAME => 'd', SCHEMA_NAME => 's', TASK_NAME => 'A'") == ["A FAILED"]
    assert names(account, "DATABASE_NAME => '\"d\"'") == []


@pytest.mark.parametrize(
    ("arguments", "errno"),
    [
        ("RESULT_LIMIT => 0", 1044),
        ("RESULT_LIMIT => 10001", 1044),
        ("COLOUR => 'red'", 904),
        ("SCHEMA_NAME => 'S'", 1044),
        ("SCHEDULED_TIME_RANGE_START => DATEADD('day', -8, CURRENT_TIMESTAMP())", 2236),
        ("SCHEDULED_TIME_RANGE_START => 'yesterday'", 100035),
    ],
)
def test_arguments_out_of_range(account: TaskAccount, arguments: str, errno: int) -> None:
    sql = f"SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY({arguments}))"
    assert account.speaker.refused(sql).errno == errno


def test_the_functions_are_found_in_the_information_schema_only(account: TaskAccount) -> None:
    assert account.speaker.refused("SELECT * FROM TABLE(TASK_HISTORY())").errno == 2141


def test_only_those_who_may_see_a_task_see_its_runs(account: TaskAccount) -> None:
    account.task("t", "SCHEDULE = '1 HOUR'")
    account.advance(3601)
    account.run("CREATE ROLE other", "GRANT ROLE other TO USER pinky")
    other = speaker(account.engine, "OTHER")
    account.run("GRANT USAGE ON DATABASE d TO ROLE other")
    other.session.database, other.session.schema, other.session.warehouse = "D", "S", "COMPUTE_WH"
    sql = "SELECT name, database_name, schema_name FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
    sql += " WHERE query_id IS NOT NULL"
    assert other.run(sql) == []
    account.run("GRANT MONITOR ON TASK t TO ROLE other")
    assert other.one(sql) == {"NAME": "T", "DATABASE_NAME": None, "SCHEMA_NAME": None}
    account.run("REVOKE MONITOR ON TASK t FROM ROLE other", "GRANT USAGE ON SCHEMA s TO ROLE other")
    account.run("GRANT MONITOR EXECUTION ON ACCOUNT TO ROLE other")
    assert other.one(sql) == {"NAME": "T", "DATABASE_NAME": "D", "SCHEMA_NAME": "S"}


def test_graphs_under_way_and_waiting(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"))
    seen = []
    runner = account.scheduler.run_statement

    def looking(sql, session, query_id):  # type: ignore[no-untyped-def]
        seen.append(account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS())"))
        return runner(sql, session, query_id)

    account.scheduler.run_statement = looking
    account.advance(3601)
    rows = [(row["ROOT_TASK_NAME"], row["STATE"]) for row in seen[1]]
    assert rows == [("ROOT", "SCHEDULED"), ("ROOT", "EXECUTING")]
    assert "COMPLETED_TIME" not in seen[1][0]
    (done,) = account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(RESULT_LIMIT => 10))")
    assert (done["STATE"], done["SCHEDULED_FROM"], done["ATTEMPT_NUMBER"]) == ("SUCCEEDED", "SCHEDULE", 1)
    account.run("ALTER TASK root SUSPEND")
    account.advance(3601)
    assert account.run("SELECT 1 FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == [], "an hour ago"


def test_dependents(account: TaskAccount) -> None:
    account.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root"), ("b", "AFTER a"), ("f", "FINALIZE = root"))
    function = "SELECT name, predecessors, state FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS({}))"
    rows = account.run(function.format("'root'"))
    assert rows[0] == {"NAME": "ROOT", "PREDECESSORS": "[]", "STATE": "started"}
    assert {row["NAME"]: row["PREDECESSORS"] for row in rows[1:]} == {"A": '["D.S.ROOT"]', "B": '["D.S.A"]', "F": "[]"}
    rows = account.run(function.format("TASK_NAME => 'd.s.root', RECURSIVE => FALSE"))
    assert [row["NAME"] for row in rows] == ["ROOT", "A", "F"]
    (column,) = [list(row) for row in account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS('b'))")]
    assert column == [
        "CREATED_ON", "NAME", "DATABASE_NAME", "SCHEMA_NAME", "OWNER", "COMMENT", "WAREHOUSE", "SCHEDULE",
        "PREDECESSORS", "STATE", "DEFINITION", "CONDITION",
    ]  # fmt: skip
    assert account.speaker.refused(function.format("'nothing'")).errno == 2003
    assert account.speaker.refused(function.format("")).errno == 938


def test_a_run_under_way_can_be_cancelled(account: TaskAccount) -> None:
    account.task("t", "", "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 40000000000))", resume=False)
    begun = threading.Event()
    runner = account.scheduler.run_statement

    def noting(sql, session, query_id):  # type: ignore[no-untyped-def]
        begun.set()
        return runner(sql, session, query_id)

    account.scheduler.run_statement = noting
    cancel = "SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('d.s.t') AS said"
    assert "no currently running executions" in account.speaker.one(cancel)["SAID"]
    account.run("EXECUTE TASK t")
    assert begun.wait(30)
    said = account.speaker.one(cancel)["SAID"]
    assert account.scheduler.settle(30)
    ((query_id, state, code),) = account.history("QUERY_ID", "STATE", "ERROR_CODE")
    assert (state, code) == ("CANCELLED", 604)
    assert said.startswith("Marked 1 task runs for cancellation.")
    assert said.endswith(f"Query ids canceled: [{query_id}]")
    account.scheduler.run_statement = runner
    account.run("ALTER TASK t MODIFY AS SELECT 1")
    assert "modified" in account.speaker.refused("EXECUTE TASK t RETRY LAST").message


def test_history_and_time_outlive_the_process(tmp_path: Path) -> None:
    first = TaskAccount(tmp_path)
    first.set_up()
    first.graph(("root", "SCHEDULE = '1 HOUR'"), ("a", "AFTER root", "SELECT * FROM later"))
    first.advance(7201)
    rows = first.history("NAME", "STATE", "SCHEDULED_TIME", "RETURN_VALUE", "GRAPH_RUN_GROUP_ID")
    (now,) = (row["NOW"] for row in first.run("SELECT CURRENT_TIMESTAMP() AS now"))
    first.close()
    again = TaskAccount(tmp_path)
    again.run("USE SCHEMA d.s", "CREATE TABLE later (a INT)")
    assert again.history("NAME", "STATE", "SCHEDULED_TIME", "RETURN_VALUE", "GRAPH_RUN_GROUP_ID") == rows
    assert again.run("SELECT CURRENT_TIMESTAMP() AS now")[0]["NOW"] >= now
    again.execute("EXECUTE TASK root RETRY LAST")
    assert again.history("NAME", "STATE", "ATTEMPT_NUMBER")[4:] == [("A", "SUCCEEDED", 2)]
    again.advance(3600)
    assert again.history("NAME")[5:] == ["ROOT", "A"]
    again.close()


def test_a_run_that_the_end_of_the_account_interrupts_is_cancelled(tmp_path: Path) -> None:
    account = TaskAccount(tmp_path)
    account.set_up()
    account.graph(("root", "", "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 40000000000))"), ("a", "AFTER root"))
    begun = threading.Event()
    runner = account.scheduler.run_statement

    def noting(sql, session, query_id):  # type: ignore[no-untyped-def]
        begun.set()
        return runner(sql, session, query_id)

    account.scheduler.run_statement = noting
    account.run("EXECUTE TASK root")
    assert begun.wait(30)
    account.close()
    again = TaskAccount(tmp_path)
    again.run("USE SCHEMA d.s")
    assert again.history("NAME", "STATE") == [("ROOT", "CANCELLED")]
    again.close()
