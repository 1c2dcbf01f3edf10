"""Tasks of the catalog engine, against create-task, alter-task, show-tasks, drop-task and tasks-graphs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_account import Speaker, in_schema, speaker
from pinky_local.engine import CatalogEngine

NOT_SUSPENDED = "since that root task is not suspended"


@pytest.fixture
def account() -> Speaker:
    return in_schema()


@pytest.fixture
def graph(account: Speaker) -> Speaker:
    """A started root R with a started child C and a suspended grandchild G."""
    account.run(
        "CREATE TASK r WAREHOUSE = compute_wh SCHEDULE = '5 MINUTES' AS SELECT 1",
        "CREATE TASK c WAREHOUSE = compute_wh AFTER r AS SELECT 2",
        "CREATE TASK g WAREHOUSE = compute_wh AFTER c AS SELECT 3",
        "ALTER TASK c RESUME",
        "ALTER TASK r RESUME",
    )
    return account


def task(account: Speaker, name: str) -> dict[str, object]:
    return account.one(f"SHOW TASKS LIKE '{name}'")


def states(account: Speaker) -> dict[str, str]:
    return {row["name"]: row["state"] for row in account.run("SHOW TASKS")}


def test_a_new_task_is_suspended_and_shows_what_was_declared(account: Speaker) -> None:
    account.run(
        "CREATE TASK t WAREHOUSE = compute_wh SCHEDULE = 'USING CRON 0 9 * * SUN America/Los_Angeles' "
        "CONFIG = $${\"a\": 1}$$ OVERLAP_POLICY = ALLOW_CHILD_OVERLAP COMMENT = 'hourly' "
        "WHEN SYSTEM$STREAM_HAS_DATA('S1') AND CAST(1 AS BOOLEAN) AS BEGIN SELECT 1; SELECT 2; END;"
    )
    shown = task(account, "t")
    assert shown["state"] == "suspended"
    assert shown["warehouse"] == "COMPUTE_WH"
    assert shown["schedule"] == "USING CRON 0 9 * * SUN America/Los_Angeles"
    assert shown["config"] == '{"a": 1}'
    assert shown["allow_overlapping_execution"] == "true"
    assert shown["overlap_policy"] == "ALLOW_CHILD_OVERLAP"
    assert shown["condition"] == "SYSTEM$STREAM_HAS_DATA('S1') AND CAST(1 AS BOOLEAN)"
    assert shown["definition"] == "BEGIN SELECT 1; SELECT 2; END"
    assert shown["predecessors"] == "[]"
    assert shown["task_relations"] == '{"Predecessors":[]}'
    assert shown["last_suspended_reason"] is None
    assert account.one("DESC TASK t") == shown


@pytest.mark.parametrize(
    "clause",
    [
        "SCHEDULE = '5 DAYS'",
        "SCHEDULE = '9 SECONDS'",
        "SCHEDULE = '193 HOURS'",
        "SCHEDULE = 'USING CRON * * * * UTC'",
        "SCHEDULE = 'USING CRON 0 9 * * * Mars/Olympus'",
        "CONFIG = 'text'",
        "CONFIG = '[1]'",
        "OVERLAP_POLICY = SOMETIMES",
        "TARGET_COMPLETION_INTERVAL = '25 HOURS'",
    ],
)
def test_a_value_out_of_range_is_refused_by_name(account: Speaker, clause: str) -> None:
    error = account.refused(f"CREATE TASK t {clause} AS SELECT 1")
    assert error.errno == 1422
    assert clause.partition(" ")[0] in error.message
    assert account.run("SHOW TASKS") == []


@pytest.mark.parametrize("interval", ["10 m", "15 SECONDS", "1 MINUTE", "1 HOURS", "192 hours"])
def test_intervals_are_kept_as_written(account: Speaker, interval: str) -> None:
    account.run(f"CREATE TASK t SCHEDULE = '{interval}' AS SELECT 1")
    assert task(account, "t")["schedule"] == interval


def test_unknown_words_are_refused(account: Speaker) -> None:
    assert account.refused("CREATE TASK t FREQUENCY = 3 AS SELECT 1").errno == 1420
    assert account.refused("CREATE TASK t SOMETIMES AS SELECT 1").errno == 1003
    assert account.refused("CREATE TASK t AS").errno == 1003
    assert account.refused("CREATE TASK t WAREHOUSE = nowhere AS SELECT 1").errno == 2003
    assert account.refused("CREATE TASK t ERROR_INTEGRATION = nowhere AS SELECT 1").errno == 2003
    assert account.refused("CREATE TASK t WHEN CURRENT_DATE() AS SELECT 1").errno == 2
    account.run("CREATE TASK t AS SELECT 1")
    assert account.refused("ALTER TASK t RENAME TO u").errno == 1003
    assert account.refused("ALTER TASK t SET COLOUR = 'red'").errno == 1420
    assert account.refused("ALTER TASK t SET").errno == 1003
    assert account.refused("ALTER TASK t SET AUTOCOMMIT = FALSE").errno == 2


def test_a_warehouse_excludes_serverless_settings(account: Speaker) -> None:
    account.run("CREATE TASK t USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'XSMALL' AS SELECT 1")
    assert "cannot be set on the same task" in account.refused("ALTER TASK t SET WAREHOUSE = compute_wh").message
    account.run("ALTER TASK t UNSET USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE")
    account.run("ALTER TASK t SET WAREHOUSE = compute_wh")
    assert task(account, "t")["scheduling_mode"] is None
    account.run("ALTER TASK t UNSET WAREHOUSE", "ALTER TASK t SET TARGET_COMPLETION_INTERVAL = '10 MINUTES'")
    assert task(account, "t")["scheduling_mode"] == "FLEXIBLE"


def test_parameters_of_a_task_are_shown_at_its_level(account: Speaker) -> None:
    account.run("CREATE TASK t USER_TASK_TIMEOUT_MS = 1000 TIMEZONE = 'UTC' AS SELECT 1")
    rows = {row["key"]: row for row in account.run("SHOW PARAMETERS IN TASK t")}
    assert (rows["USER_TASK_TIMEOUT_MS"]["value"], rows["USER_TASK_TIMEOUT_MS"]["level"]) == ("1000", "TASK")
    assert rows["USER_TASK_TIMEOUT_MS"]["default"] == "3600000"
    assert (rows["TIMEZONE"]["value"], rows["TIMEZONE"]["level"]) == ("UTC", "TASK")
    assert rows["SUSPEND_TASK_AFTER_NUM_FAILURES"]["level"] == ""
    account.run("ALTER TASK t UNSET USER_TASK_TIMEOUT_MS, TIMEZONE")
    rows = {row["key"]: row for row in account.run("SHOW PARAMETERS IN TASK t")}
    assert rows["USER_TASK_TIMEOUT_MS"]["level"] == ""


def test_the_old_word_for_overlap_is_translated(account: Speaker) -> None:
    account.run("CREATE TASK t ALLOW_OVERLAPPING_EXECUTION = TRUE AS SELECT 1")
    assert task(account, "t")["overlap_policy"] == "ALLOW_CHILD_OVERLAP"
    account.run("ALTER TASK t UNSET ALLOW_OVERLAPPING_EXECUTION")
    assert task(account, "t")["overlap_policy"] == "NO_OVERLAP"


def test_children_name_their_predecessors_in_full(graph: Speaker) -> None:
    shown = task(graph, "c")
    assert json.loads(str(shown["predecessors"])) == ["D.S.R"]
    assert json.loads(str(shown["task_relations"])) == {"Predecessors": ["D.S.R"]}
    assert [row["name"] for row in graph.run("SHOW TASKS ROOT ONLY")] == ["R"]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TASK c SET COMMENT = 'x'",
        "ALTER TASK c SUSPEND",
        "ALTER TASK g RESUME",
        "ALTER TASK g REMOVE AFTER c",
        "ALTER TASK g ADD AFTER r",
        "ALTER TASK r SET COMMENT = 'x'",
        "ALTER TASK r MODIFY AS SELECT 9",
        "CREATE TASK n AFTER c AS SELECT 1",
        "CREATE TASK n FINALIZE = r AS SELECT 1",
        "CREATE OR REPLACE TASK c AFTER r AS SELECT 9",
        "CREATE OR ALTER TASK c AFTER r AS SELECT 9",
        "DROP TASK g",
        "DROP TASK r",
    ],
)
def test_nothing_in_a_graph_changes_while_its_root_is_started(graph: Speaker, sql: str) -> None:
    before = graph.run("SHOW TASKS")
    error = graph.refused(sql)
    assert NOT_SUSPENDED in error.message
    assert "D.S.R" in error.message
    assert graph.run("SHOW TASKS") == before


def test_with_the_root_suspended_everything_may_change_and_children_keep_their_state(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND")
    assert states(graph) == {"R": "suspended", "C": "started", "G": "suspended"}
    assert task(graph, "r")["last_suspended_reason"] == "USER_SUSPENDED"
    graph.run("ALTER TASK c MODIFY AS SELECT 9", "ALTER TASK g RESUME", "ALTER TASK r RESUME")
    assert states(graph) == {"R": "started", "C": "started", "G": "started"}
    assert task(graph, "c")["definition"] == "SELECT 9"
    assert task(graph, "g")["last_committed_on"] is not None


def test_a_task_alone_may_change_while_it_is_started(account: Speaker) -> None:
    account.run("CREATE TASK t SCHEDULE = '5 MINUTES' AS SELECT 1", "ALTER TASK t RESUME")
    account.run("ALTER TASK t SET SCHEDULE = '6 MINUTES'", "ALTER TASK t MODIFY AS SELECT 2")
    assert (task(account, "t")["schedule"], task(account, "t")["state"]) == ("6 MINUTES", "started")
    account.run("DROP TASK t")
    assert account.run("SHOW TASKS") == []


def test_removing_the_last_predecessor_makes_a_suspended_root(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND", "ALTER TASK c REMOVE AFTER r")
    shown = task(graph, "c")
    assert (shown["state"], shown["last_suspended_reason"]) == ("suspended", "CHILD_BECAME_ROOT")
    assert graph.refused("ALTER TASK c REMOVE AFTER r").message.endswith("is not a predecessor of C.")
    assert [row["name"] for row in graph.run("SHOW TASKS ROOT ONLY")] == ["C", "R"]


def test_dropping_a_task_cuts_its_links(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND", "ALTER TASK g RESUME", "DROP TASK c")
    assert states(graph) == {"R": "suspended", "G": "suspended"}
    assert task(graph, "g")["predecessors"] == "[]"
    graph.run("ALTER TASK r RESUME", "ALTER TASK g SET COMMENT = 'free'")


def test_a_replaced_task_keeps_its_place_in_the_graph_and_gets_a_new_id(graph: Speaker) -> None:
    old = task(graph, "c")["id"]
    graph.run("ALTER TASK r SUSPEND", "CREATE OR REPLACE TASK c AFTER r AS SELECT 9")
    assert task(graph, "c")["id"] != old
    assert task(graph, "c")["state"] == "suspended"
    assert json.loads(str(task(graph, "g")["predecessors"])) == ["D.S.C"]
    graph.run("ALTER TASK r RESUME")
    assert NOT_SUSPENDED in graph.refused("ALTER TASK g RESUME").message


def test_a_cycle_or_a_second_root_is_refused_when_the_root_is_resumed(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND", "ALTER TASK c ADD AFTER g")
    assert "Graph has at least one cycle containing task" in graph.refused("ALTER TASK r RESUME").message
    graph.run("ALTER TASK c REMOVE AFTER g", "ALTER TASK r RESUME", "ALTER TASK r SUSPEND")
    graph.run("CREATE TASK r2 SCHEDULE = '5 MINUTES' AS SELECT 1", "ALTER TASK g ADD AFTER r2")
    assert "more than one root task" in graph.refused("ALTER TASK r RESUME").message


def test_what_belongs_to_the_root_is_refused_on_children(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND")
    assert "schedule" in graph.refused("ALTER TASK c SET SCHEDULE = '5 MINUTES'").message
    message = graph.refused("ALTER TASK c SET ALLOW_OVERLAPPING_EXECUTION = TRUE").message
    assert message == "Cannot set allow_overlapping_execution on non-root task"
    assert "config" in graph.refused("ALTER TASK c SET CONFIG = '{}'").message
    assert "task_auto_retry_attempts" in graph.refused("ALTER TASK c SET TASK_AUTO_RETRY_ATTEMPTS = 2").message


def test_links_stay_in_one_schema(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND", "CREATE SCHEMA other")
    assert "another schema" in graph.refused("CREATE TASK n AFTER d.s.r AS SELECT 1").message
    assert graph.refused("CREATE TASK n AFTER nothing AS SELECT 1").errno == 2003


def test_finalizers(account: Speaker) -> None:
    account.run(
        "CREATE TASK r SCHEDULE = '5 MINUTES' AS SELECT 1",
        "CREATE TASK c AFTER r AS SELECT 1",
        "CREATE TASK f FINALIZE = r AS SELECT 1",
    )
    assert json.loads(str(task(account, "f")["task_relations"])) == {"FinalizedRootTask": "D.S.R", "Predecessors": []}
    assert json.loads(str(task(account, "r")["task_relations"])) == {"Predecessors": [], "FinalizerTask": "D.S.F"}
    assert "already has a finalizer" in account.refused("CREATE TASK f2 FINALIZE = r AS SELECT 1").message
    assert "cannot be a predecessor" in account.refused("CREATE TASK n AFTER f AS SELECT 1").message
    assert "not a root task" in account.refused("CREATE TASK f2 FINALIZE = c AS SELECT 1").message
    assert "neither a schedule" in account.refused("ALTER TASK f SET SCHEDULE = '5 MINUTES'").message
    account.run("ALTER TASK f RESUME", "ALTER TASK r RESUME")
    assert NOT_SUSPENDED in account.refused("ALTER TASK f UNSET FINALIZE").message
    account.run("ALTER TASK r SUSPEND", "ALTER TASK f UNSET FINALIZE")
    assert task(account, "f")["last_suspended_reason"] == "FINALIZER_BECAME_ROOT"
    account.run("ALTER TASK f SET FINALIZE = r", "DROP TASK r")
    assert json.loads(str(task(account, "f")["task_relations"])) == {"Predecessors": []}


def test_conditions_and_predecessors_change_by_verbs(account: Speaker) -> None:
    account.run("CREATE TASK t SCHEDULE = '5 MINUTES' AS SELECT 1")
    account.run("ALTER TASK t UNSET SCHEDULE", "ALTER TASK t MODIFY WHEN SYSTEM$STREAM_HAS_DATA('X')")
    assert (task(account, "t")["schedule"], task(account, "t")["condition"]) == (None, "SYSTEM$STREAM_HAS_DATA('X')")
    assert "TARGET_COMPLETION_INTERVAL" in account.refused("ALTER TASK t RESUME").message
    account.run("ALTER TASK t REMOVE WHEN", "ALTER TASK t RESUME")
    assert task(account, "t")["condition"] is None


def test_create_or_alter_changes_in_place(graph: Speaker) -> None:
    graph.run("ALTER TASK r SUSPEND")
    before = task(graph, "g")
    graph.run("CREATE OR ALTER TASK g COMMENT = 'now' AFTER r AS SELECT 9")
    after = task(graph, "g")
    assert after["id"] == before["id"]
    assert (after["warehouse"], after["comment"], after["definition"]) == (None, "now", "SELECT 9")
    assert json.loads(str(after["predecessors"])) == ["D.S.R"]
    graph.run("CREATE OR ALTER TASK g SCHEDULE = '5 MINUTES' AS SELECT 9")
    assert task(graph, "g")["last_suspended_reason"] == "CHILD_BECAME_ROOT"
    assert json.loads(str(task(graph, "g")["predecessors"])) == []


def test_all_of_a_graph_is_resumed_at_once(account: Speaker) -> None:
    account.run(
        "CREATE TASK \"root of all\" SCHEDULE = '5 MINUTES' AS SELECT 1",
        'CREATE TASK c AFTER "root of all" AS SELECT 1',
        'CREATE TASK f FINALIZE = "root of all" AS SELECT 1',
    )
    account.run("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('d.s.\"root of all\"')")
    assert set(states(account).values()) == {"started"}
    account.run("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('d.s.\"root of all\"')")
    assert account.refused("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('nothing')").errno == 2003


def test_an_owner_needs_the_right_to_run_tasks(account: Speaker) -> None:
    account.run(
        "CREATE ROLE tasker", "GRANT ROLE tasker TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE tasker",
        "GRANT USAGE, CREATE TASK ON SCHEMA d.s TO ROLE tasker", "CREATE WAREHOUSE other", "CREATE ROLE operator",
        "GRANT ROLE operator TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE operator",
        "GRANT USAGE ON SCHEMA d.s TO ROLE operator",
    )  # fmt: skip
    worker = speaker(account.engine, "TASKER")
    worker.run("CREATE TASK d.s.t SCHEDULE = '5 MINUTES' AS SELECT 1")
    worker.run("CREATE TASK d.s.w WAREHOUSE = compute_wh AS SELECT 1")
    error = worker.refused("ALTER TASK d.s.t RESUME")
    assert error.message == "Cannot execute task , EXECUTE TASK privilege must be granted to owner role"
    account.run("GRANT EXECUTE TASK ON ACCOUNT TO ROLE tasker")
    assert "EXECUTE MANAGED TASK" in worker.refused("ALTER TASK d.s.t RESUME").message
    worker.run("ALTER TASK d.s.w RESUME")
    account.run("GRANT EXECUTE MANAGED TASK ON ACCOUNT TO ROLE tasker")
    worker.run("ALTER TASK d.s.t RESUME")
    operator = speaker(account.engine, "OPERATOR")
    assert operator.refused("ALTER TASK d.s.t SUSPEND").errno == 2003
    worker.run("GRANT MONITOR ON TASK d.s.t TO ROLE operator")
    assert operator.refused("ALTER TASK d.s.t SUSPEND").errno == 3001
    worker.run("GRANT OPERATE ON TASK d.s.t TO ROLE operator")
    operator.run("ALTER TASK d.s.t SUSPEND")
    assert operator.refused("ALTER TASK d.s.t SET COMMENT = 'x'").errno == 3001


def test_giving_one_task_away_cuts_its_links(graph: Speaker) -> None:
    graph.run("CREATE ROLE heir", "ALTER TASK r SUSPEND", "GRANT OWNERSHIP ON TASK c TO ROLE heir")
    shown = task(graph, "c")
    assert (shown["owner"], shown["state"], shown["last_suspended_reason"]) == ("HEIR", "suspended", "GRANT_OWNERSHIP")
    assert shown["predecessors"] == "[]"
    assert task(graph, "g")["last_suspended_reason"] == "CHILD_BECAME_ROOT"


def test_giving_all_tasks_of_a_schema_keeps_the_graph(graph: Speaker) -> None:
    graph.run("CREATE ROLE heir", "ALTER TASK r SUSPEND", "GRANT OWNERSHIP ON ALL TASKS IN SCHEMA d.s TO ROLE heir")
    assert {row["owner"] for row in graph.run("SHOW TASKS")} == {"HEIR"}
    assert json.loads(str(task(graph, "g")["predecessors"])) == ["D.S.C"]


def test_a_graph_outlives_the_process(tmp_path: Path) -> None:
    first = speaker(CatalogEngine(tmp_path))
    first.run("CREATE DATABASE d", "CREATE TASK r SCHEDULE = '5 MINUTES' AS SELECT 1")
    first.run("CREATE TASK c AFTER r AS SELECT 1")
    first.run("ALTER TASK c RESUME", "ALTER TASK r RESUME", "ALTER TASK r SUSPEND")
    shown = first.run("SHOW TASKS IN ACCOUNT")
    again = speaker(CatalogEngine(tmp_path))
    assert again.run("SHOW TASKS IN ACCOUNT") == shown
    again.run("ALTER TASK d.public.r RESUME")
    assert NOT_SUSPENDED in again.refused("ALTER TASK d.public.c SUSPEND").message


def test_tasks_come_back_suspended_with_their_schema_and_keep_their_links(graph: Speaker) -> None:
    graph.run("DROP SCHEMA d.s", "UNDROP SCHEMA d.s", "USE SCHEMA d.s")
    assert set(states(graph).values()) == {"suspended"}
    assert task(graph, "r")["last_suspended_reason"] == "SCHEMA_OR_DATABASE_DELETED"
    assert task(graph, "g")["last_suspended_reason"] is None
    assert json.loads(str(task(graph, "g")["predecessors"])) == ["D.S.C"]


def test_showing_many_tasks_of_graphs_is_linear(account: Speaker) -> None:
    account.run("CREATE TASK r SCHEDULE = '5 MINUTES' AS SELECT 1")
    for number in range(100):
        account.run(f"CREATE TASK c{number} AFTER r AS SELECT 1")
    assert "more than 100 child tasks" in account.refused("CREATE TASK c100 AFTER r AS SELECT 1").message
    assert len(account.run("SHOW TASKS")) == 101
