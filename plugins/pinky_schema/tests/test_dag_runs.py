"""Graphs of the section ``dag`` run: every trigger mode, what skips what, failures and repeats, clients, changes.

Each test applies a manifest to a local account and lets its clock, a notification or EXECUTE TASK start the graph; the
procedures run in Python and speak through the connector. https://docs.snowflake.com/en/user-guide/tasks-graphs
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("snowflake.snowpark", reason="the graphs run Python procedures, which need Snowpark")

from pinky_local.faults import Call
from pinky_schema import Predicate

from pinky_core import hookimpl

sys.path.insert(0, str(Path(__file__).parent))
from graph_world import REGISTRY, SLOT, GraphWorld, graph_world, step, table

FILES = {"schedule": "10 MINUTES", "files": SLOT}
DIAMOND = [step("LEFT"), step("RIGHT"), step("JOIN", "LEFT", "RIGHT"), step("LAST", "JOIN")]


class Switch:
    """A plugin with a predicate that a table decides."""

    @hookimpl
    def pinky_dag_predicates(self) -> list[Predicate]:
        return [
            Predicate("switched_on", "(SELECT MAX(ON_NOW) FROM D.S.SWITCH WHERE {now} IS NOT NULL)", "A table says so.")
        ]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GraphWorld]:
    with graph_world(tmp_path, {"acme": Switch()}) as made:
        yield made


def graph(trigger: Any, steps: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"name": "NIGHTLY", "trigger": trigger, "steps": steps, **more}


# -- trigger modes -----------------------------------------------------------------------------------------------------


def test_a_schedule_without_files_runs_every_step_in_order(place: GraphWorld):
    place.apply(graph({"schedule": "10 MINUTES"}, DIAMOND, version="1.4", finalizer="TELL"))
    place.account.advance(601)
    assert place.runs("GRAPH, SP_VERSION, TRIGGERED_BY, ATTEMPT, STATUS, FILES, ERROR, FINISHED_AT >= STARTED_AT") == [
        ("NIGHTLY", "1.4", "NIGHTLY", 1, "DONE", 0, None, True)
    ]
    order = ["LEFT", "RIGHT", "JOIN", "LAST"]
    assert place.steps("STEP, CLIENT_SCHEMA, ATTEMPT, STATUS, ERROR") == [(name, "", 1, "DONE", None) for name in order]
    assert place.history() == [(name, "SUCCEEDED") for name in ("NIGHTLY", *order, "NIGHTLY_FINISH")]
    ((run_id,),) = place.runs("RUN_ID")
    values = dict(place.history("NAME, RETURN_VALUE"))
    assert json.loads(values["NIGHTLY"]) == {"status": "STARTED", "run_id": run_id, "attempt": 1, "files": 0}
    assert json.loads(values["JOIN"]) == {"status": "DONE", "run_id": run_id, "result": {"files": 0}}
    assert [told["status"] for told in place.finished()] == ["DONE"]
    place.account.advance(1200)
    assert place.runs() == [(1, "DONE")] * 3


def test_a_schedule_with_files_takes_each_file_once_and_skips_where_there_is_none(place: GraphWorld):
    place.apply(graph(FILES, [step("LOAD"), step("COUNT_THEM", "LOAD", sql="DELETE FROM D.S.TAKEN")]), [SLOT])
    place.deliver("acme/orders/a.csv", "bolt/returns/b.csv")
    place.account.advance(601)
    assert place.files() == {"acme/orders/a.csv": ("DONE", 1), "bolt/returns/b.csv": ("DONE", 1)}
    assert place.runs("TRIGGERED_BY, STATUS, FILES") == [("POLL_AND_DISPATCH", "DONE", 2)]
    assert place.steps() == [("LOAD", "DONE"), ("COUNT_THEM", "DONE")]
    (given,) = place.given("LOAD")
    assert [file["relative_path"] for file in given["new_files"]] == ["acme/orders/a.csv", "bolt/returns/b.csv"]
    tasks = ["POLL_AND_DISPATCH", "LOAD", "COUNT_THEM", "NIGHTLY_FINISH"]
    assert place.history() == [(name, "SUCCEEDED") for name in tasks]
    place.account.advance(600)
    assert place.history("NAME, STATE, RETURN_VALUE")[4:] == [
        ("POLL_AND_DISPATCH", "SUCCEEDED", "SKIP"),
        ("LOAD", "SKIPPED", None),
        ("NIGHTLY_FINISH", "SUCCEEDED", "SKIP"),
    ]
    place.deliver("acme/orders/c.csv")
    place.account.advance(600)
    assert place.runs("STATUS, FILES") == [("DONE", 2), ("DONE", 1)]
    assert place.given("LOAD")[1]["existing_files_count"] == 2


def test_files_that_the_cloud_tells_of_start_a_triggered_graph(place: GraphWorld):
    place.apply(graph({"stream": SLOT}, [step("LOAD")]), [SLOT])
    place.account.advance(120)
    assert place.history() == []
    place.deliver("acme/orders/a.csv")
    place.account.advance(120)
    assert place.history() == []  # the file is there, and nobody was told
    assert place.account.notify(bucket="s3://acme") == ["D.S.EXTERNAL_INPUT_FILES"]
    place.account.advance(120)
    assert place.history() == [(name, "SUCCEEDED") for name in ("CONSUME_STREAM", "LOAD", "NIGHTLY_FINISH")]
    assert place.runs("TRIGGERED_BY, STATUS, FILES") == [("CONSUME_STREAM", "DONE", 1)]
    assert place.files() == {"acme/orders/a.csv": ("DONE", 1)}
    assert place.column("SELECT SYSTEM$STREAM_HAS_DATA('D.S.EXTERNAL_INPUT_FILES_STREAM')::VARCHAR") == ["false"]
    place.account.advance(600)
    assert len(place.history()) == 3  # its stream was read, so nothing starts it again


def test_on_demand_a_graph_runs_only_where_it_is_asked_to_and_with_the_configuration_it_is_given(place: GraphWorld):
    steps = [step("LOAD", config={"mode": "full"})]
    place.apply(graph("on_demand", steps, config={"mode": "none", "year": 2025, "to": {"a": 1, "b": 2}}))
    place.account.advance(86400)
    assert (place.history(), place.state("NIGHTLY")) == ([], "suspended")
    place.execute("NIGHTLY")
    place.execute("NIGHTLY", """USING CONFIG = '{"year": 2026, "to": {"b": 3}}'""")
    assert place.runs() == [(1, "DONE"), (1, "DONE")]
    found = sorted((given["config"] for given in place.given("LOAD")), key=lambda config: config["year"])
    assert found == [
        {"mode": "full", "year": 2025, "to": {"a": 1, "b": 2}},
        {"mode": "full", "year": 2026, "to": {"a": 1, "b": 3}},
    ]
    assert place.history() == [(name, "SUCCEEDED") for name in ("NIGHTLY", "LOAD", "NIGHTLY_FINISH")] * 2


def test_a_condition_decides_whether_a_scheduled_run_does_anything(place: GraphWorld):
    switch = table("SWITCH", {"ON_NOW": "BOOLEAN"})
    trigger = {"schedule": "10 MINUTES", "when": "switched_on"}
    place.apply(graph(trigger, DIAMOND, finalizer="TELL"), table=[switch])
    place.account.advance(601)  # the table is empty: the condition is NULL
    place.run("INSERT INTO SWITCH SELECT FALSE")
    place.account.advance(600)
    skipped = [("NIGHTLY", "SUCCEEDED", "SKIP"), ("LEFT", "SKIPPED", None), ("RIGHT", "SKIPPED", None)]
    skipped += [("NIGHTLY_FINISH", "SUCCEEDED", "SKIP")]
    assert place.history("NAME, STATE, RETURN_VALUE") == skipped * 2
    assert (place.runs(), place.steps(), place.finished()) == ([], [], [])
    place.run("UPDATE SWITCH SET ON_NOW = TRUE")
    place.account.advance(600)
    tasks = ["NIGHTLY", "LEFT", "RIGHT", "JOIN", "LAST", "NIGHTLY_FINISH"]
    assert place.history()[8:] == [(name, "SUCCEEDED") for name in tasks]
    assert place.runs() == [(1, "DONE")]


def test_files_wait_until_the_condition_holds(place: GraphWorld):
    switch = table("SWITCH", {"ON_NOW": "BOOLEAN"})
    place.apply(graph({**FILES, "when": "switched_on"}, [step("LOAD")]), [SLOT], table=[switch])
    place.deliver("a.csv")
    place.account.advance(601)
    assert (place.files(), place.runs()) == ({}, [])
    assert place.history("NAME, RETURN_VALUE")[0] == ("POLL_AND_DISPATCH", "SKIP")
    place.run("INSERT INTO SWITCH SELECT TRUE")
    place.account.advance(600)
    assert place.files() == {"a.csv": ("DONE", 1)}


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_failing_step_is_repeated_with_its_files_under_the_same_run(place: GraphWorld):
    place.apply(graph(FILES, [step("LOAD"), step("SUM_UP", "LOAD")], finalizer="TELL"), [SLOT])
    place.deliver("acme/orders/a.csv")
    place.breaks("LOAD")
    place.account.advance(601)
    assert place.history("NAME, STATE") == [
        ("POLL_AND_DISPATCH", "SUCCEEDED"), ("LOAD", "FAILED"), ("NIGHTLY_FINISH", "SUCCEEDED"),
    ]  # fmt: skip
    assert place.files() == {"acme/orders/a.csv": ("FAILED", 1)}
    ((error,),) = place.runs("ERROR")
    assert "LOAD: " in error
    assert "ValueError: no such column" in error
    assert "SUM_UP: it did not run" in error
    place.mend()
    place.deliver("acme/orders/b.csv")
    place.account.advance(600)  # first what has to be repeated, and what is new with the next run
    place.account.advance(600)
    assert place.runs("ATTEMPT, STATUS, FILES") == [(1, "FAILED", 1), (2, "DONE", 1), (1, "DONE", 1)]
    assert len(set(place.column("SELECT RUN_ID FROM RUNS WHERE FILES = 1"))) == 2
    assert place.files() == {"acme/orders/a.csv": ("DONE", 2), "acme/orders/b.csv": ("DONE", 1)}
    assert [(each["attempt"], len(each["new_files"])) for each in place.given("LOAD")] == [(1, 1), (1, 1), (2, 1)]
    assert [told["status"] for told in place.finished()] == ["FAILED", "DONE", "DONE"]


def test_files_of_a_step_that_keeps_failing_are_parked_and_hold_no_other_file_up(place: GraphWorld):
    slot = {SLOT: {"max_attempts": 2, "lease_seconds": 3900}}
    place.apply(graph(FILES, [step("LOAD")]), [slot])
    place.deliver("bad.csv")
    place.breaks("LOAD")
    place.account.advance(1201)
    assert place.files() == {"bad.csv": ("PARKED", 2)}
    assert place.runs() == [(1, "FAILED"), (2, "FAILED")]
    assert "no such column" in place.column(f"SELECT ERROR FROM {REGISTRY}")[0]
    place.mend()
    place.deliver("good.csv")
    place.account.advance(600)
    assert place.files() == {"bad.csv": ("PARKED", 2), "good.csv": ("DONE", 1)}
    place.run(f"UPDATE {REGISTRY} SET STATUS = 'NEW' WHERE STATUS = 'PARKED'")
    place.account.advance(600)
    assert place.files() == {"bad.csv": ("DONE", 1), "good.csv": ("DONE", 1)}


def test_a_retry_goes_on_from_the_step_that_failed_and_knows_what_was_done_before(place: GraphWorld):
    steps = [step("LOAD"), step("SUM_UP", "LOAD"), step("SEND", "SUM_UP")]
    place.apply(graph(FILES, steps, retries=2, finalizer="TELL"), [SLOT])
    place.deliver("acme/orders/a.csv")
    place.breaks("SUM_UP")
    place.account.faults.inject(  # the finalizer of the first attempt has told; then somebody mends it
        Call(before=lambda _: place.mend()), "INSERT INTO FINISHED", procedure="TELL"
    )
    place.account.advance(601)
    assert place.history("NAME, STATE, ATTEMPT_NUMBER") == [
        ("POLL_AND_DISPATCH", "SUCCEEDED", 1), ("LOAD", "SUCCEEDED", 1), ("SUM_UP", "FAILED", 1),
        ("NIGHTLY_FINISH", "SUCCEEDED", 1), ("SUM_UP", "SUCCEEDED", 2), ("SEND", "SUCCEEDED", 2),
        ("NIGHTLY_FINISH", "SUCCEEDED", 2),
    ]  # fmt: skip
    assert place.runs("ATTEMPT, STATUS, FILES") == [(1, "FAILED", 1), (2, "DONE", 1)]
    assert place.column("SELECT COUNT(DISTINCT RUN_ID, GRAPH_RUN) FROM RUNS") == [1]
    assert place.files() == {"acme/orders/a.csv": ("DONE", 2)}
    assert len(place.given("LOAD")) == 1
    assert [each["predecessors"] for each in place.given("SUM_UP")] == [{"LOAD": {"files": 1}}] * 2
    assert place.given("SEND")[0]["predecessors"] == {"LOAD": {"files": 1}, "SUM_UP": {"files": 1}}
    assert [told["status"] for told in place.finished()] == ["FAILED", "DONE"]


def test_a_retry_of_a_run_whose_files_are_parked_fails_and_says_so(place: GraphWorld):
    place.apply(graph(FILES, [step("LOAD")], retries=1), [{SLOT: {"max_attempts": 1}}])
    place.deliver("a.csv")
    place.breaks("LOAD")
    place.account.advance(601)
    assert place.files() == {"a.csv": ("PARKED", 1)}
    assert place.runs() == [(1, "FAILED")]
    errors = [error for name, error in place.history("NAME, ERROR_MESSAGE") if name == "LOAD"]
    assert len(errors) == 2
    assert "failed for the last time allowed, and 1 of its files are parked" in errors[1]


def test_a_retry_without_files_and_one_by_hand(place: GraphWorld):
    place.apply(graph("on_demand", DIAMOND, retries=1))
    place.breaks("LEFT")
    place.execute("NIGHTLY")
    assert place.runs() == [(1, "FAILED"), (2, "FAILED")]
    assert len(place.given("RIGHT")) == 1
    place.mend()
    place.execute("NIGHTLY", "RETRY LAST")
    assert place.runs() == [(1, "FAILED"), (2, "FAILED"), (3, "DONE")]
    assert place.history("NAME, STATE, ATTEMPT_NUMBER")[-4:] == [
        ("LEFT", "SUCCEEDED", 3), ("JOIN", "SUCCEEDED", 3), ("LAST", "SUCCEEDED", 3),
        ("NIGHTLY_FINISH", "SUCCEEDED", 3),
    ]  # fmt: skip
    assert place.given("LAST")[0]["predecessors"].keys() == {"LEFT", "RIGHT", "JOIN"}


def test_a_finalizer_that_fails_is_tried_again_with_what_became_of_the_run(place: GraphWorld):
    place.apply(graph("on_demand", [step("LOAD")], retries=1, finalizer="TELL"))
    place.breaks("TELL")
    place.execute("NIGHTLY")
    assert place.runs() == [(1, "DONE")]
    assert [(told["status"], told["problems"]) for told in place.finished()] == [("DONE", [])] * 2
    assert place.history() == [
        ("NIGHTLY", "SUCCEEDED"), ("LOAD", "SUCCEEDED"), ("NIGHTLY_FINISH", "FAILED"), ("NIGHTLY_FINISH", "FAILED"),
    ]  # fmt: skip


def test_what_a_step_whose_task_is_suspended_would_have_done_is_missing(place: GraphWorld):
    steps = [step("LOAD"), step("CHECK", "LOAD"), step("SEND", "CHECK"), step("BESIDE")]
    place.apply(graph(FILES, steps, state="unmanaged"), [SLOT])
    for task in ("NIGHTLY_FINISH", "LOAD", "SEND", "BESIDE", "POLL_AND_DISPATCH"):
        place.run(f"ALTER TASK {task} RESUME")
    place.deliver("a.csv")
    place.account.advance(601)
    assert place.steps() == [("BESIDE", "DONE"), ("LOAD", "DONE")]
    assert dict(place.history())["SEND"] == "FAILED"  # its condition asks for what a suspended task returned
    assert place.runs("STATUS, ERROR") == [("FAILED", "CHECK: it did not run; SEND: it did not run")]
    assert place.files() == {"a.csv": ("FAILED", 1)}


def test_a_failed_task_is_told_of(place: GraphWorld):
    integration = (
        "CREATE NOTIFICATION INTEGRATION ALARM TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = AWS_SNS "
        "ENABLED = TRUE AWS_SNS_TOPIC_ARN = 'arn:aws:sns:eu-west-1:1:alarm' AWS_SNS_ROLE_ARN = 'arn:aws:iam::1:role/r'"
    )
    place.run(integration)
    place.apply(graph("on_demand", DIAMOND, notify_on_error="ALARM"))
    place.execute("NIGHTLY")
    assert place.account.outbox == []
    place.breaks("RIGHT", "disk full")
    place.execute("NIGHTLY")
    (told,) = place.account.outbox
    assert (told["integration"], told["message"]["taskName"]) == ("ALARM", "D.S.RIGHT")
    assert "disk full" in told["message"]["messages"][0]["errorMessage"]
    assert place.steps()[4:] == [("LEFT", "DONE"), ("RIGHT", "FAILED")]


# -- steps -------------------------------------------------------------------------------------------------------------


def test_steps_are_told_results_configuration_and_long_results_do_no_harm(place: GraphWorld):
    steps = [step("LOAD", config={"a": 2}), step("SEND", "LOAD", config={"c": 3}), step("TIDY", sql="SELECT 1")]
    place.apply(graph("on_demand", steps, config={"a": 1, "b": 1}))
    long = {"rows": 7, "text": "é€" * 5000}
    place.run("INSERT INTO RESULTS SELECT 'LOAD', PARSE_JSON(?)", json.dumps(long))
    place.execute("NIGHTLY")
    assert place.given("SEND")[0]["predecessors"] == {"LOAD": long}
    assert [place.given(name)[0]["config"] for name in ("LOAD", "SEND")] == [{"a": 2, "b": 1}, {"a": 1, "b": 1, "c": 3}]
    assert place.steps("STEP, STATUS, RESULT::VARCHAR IS NULL") == [
        ("LOAD", "DONE", False), ("SEND", "DONE", False), ("TIDY", "DONE", True),
    ]  # fmt: skip
    assert dict(place.history())["LOAD"] == "SUCCEEDED"
    assert len(dict(place.history("NAME, RETURN_VALUE"))["LOAD"].encode()) <= 10240


def test_everything_that_runs_carries_the_tag_of_its_task(place: GraphWorld):
    place.apply(graph(FILES, [step("LOAD", procedure="TAKE")]), [SLOT])
    place.deliver("a.csv")
    place.account.journal.clear()
    place.account.advance(601)
    tags: dict[str, set[str]] = {}
    for entry in place.account.journal:
        tags.setdefault(str(entry.query_tag), set()).add(str(entry.procedure))
    tagged = {
        "POLL_AND_DISPATCH": {"None", "D.S.POLL_AND_DISPATCH"},
        "LOAD": {"None", "D.S.RUN_STEP", "D.S.TAKE", "D.S.COMPLETE_RUN"},
        "NIGHTLY_FINISH": {"None", "D.S.FINISH_RUN"},
    }
    assert tags == {
        json.dumps({"pinky": {"graph": "NIGHTLY", "step": name}}): procedures for name, procedures in tagged.items()
    }


@pytest.mark.parametrize(
    ("rule", "clients"),
    [
        (True, ["CLIENT_A", "CLIENT_B", "OTHER", "s p"]),
        ({"like": "client_%"}, ["CLIENT_A", "CLIENT_B"]),
        ({"except": ["other", '"s p"']}, ["CLIENT_A", "CLIENT_B"]),
    ],
    ids=["all", "like", "except"],
)
def test_a_step_runs_for_every_client_schema(place: GraphWorld, rule: Any, clients: list[str]):
    for name in ("CLIENT_B", "CLIENT_A", "OTHER", '"s p"'):
        place.run(f"CREATE SCHEMA D.{name}")
    place.run("USE SCHEMA D.S")
    steps = [step("EXPORT", multi_client_execution=rule), step("SEND", "EXPORT")]
    place.apply(graph("on_demand", steps))
    place.execute("NIGHTLY")
    full = [f'D."{name}"' for name in clients]
    assert place.steps("STEP, CLIENT_SCHEMA, STATUS") == [
        *(("EXPORT", name, "DONE") for name in full), ("SEND", "", "DONE"),
    ]  # fmt: skip
    assert [given["client_schema"] for given in place.given("EXPORT")] == full
    assert place.given("SEND")[0]["predecessors"] == {"EXPORT": {name: {"files": 0} for name in full}}


def test_a_client_that_fails_keeps_no_other_from_running_and_is_named(place: GraphWorld):
    for name in ("CLIENT_A", "CLIENT_B", "CLIENT_C"):
        place.run(f"CREATE SCHEMA D.{name}")
    place.run("USE SCHEMA D.S")
    place.apply(graph(FILES, [step("EXPORT", multi_client_execution=True), step("SEND", "EXPORT")]), [SLOT])
    place.deliver("a.csv")
    place.breaks("EXPORT", "no rights", client='D."CLIENT_B"')
    place.account.advance(601)
    assert [status for _, status in place.steps("CLIENT_SCHEMA, STATUS")] == ["DONE", "FAILED", "DONE"]
    ((error,),) = place.run("SELECT ERROR_MESSAGE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE NAME = 'EXPORT'")
    assert 'step EXPORT failed: D."CLIENT_B": ' in error
    assert "no rights" in error
    assert "CLIENT_A" not in error
    assert place.runs() == [(1, "FAILED")]
    place.mend()
    place.account.advance(600)
    assert place.runs() == [(1, "FAILED"), (2, "DONE")]
    assert place.files() == {"a.csv": ("DONE", 2)}


# -- changes -----------------------------------------------------------------------------------------------------------


def test_a_graph_that_changes_while_it_runs_ends_as_it_began_and_is_started_again(place: GraphWorld):
    def steps(word: str) -> list[dict[str, Any]]:
        return [step("LOAD", config={"word": word}), step("SEND", "LOAD", config={"word": word})]

    trigger = {"schedule": "10 MINUTES"}
    place.apply(graph(trigger, steps("old")))
    reached, go_on = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        reached.set()
        assert go_on.wait(60)

    place.account.faults.inject(Call(before=hold), "INSERT INTO GIVEN", procedure="NOTE")
    place.run("EXECUTE TASK NIGHTLY")
    assert reached.wait(60)
    place.apply(graph(trigger, [*steps("new"), step("MORE", "SEND")]))
    assert place.state("NIGHTLY") == "started"
    go_on.set()
    assert place.account.wait_for_tasks()
    assert place.runs() == [(1, "DONE")]
    assert place.steps() == [("LOAD", "DONE"), ("SEND", "DONE")]
    assert [place.given(name)[0]["config"] for name in ("LOAD", "SEND")] == [{"word": "old"}] * 2
    place.account.advance(601)
    assert place.runs() == [(1, "DONE")] * 2
    assert place.steps()[2:] == [("LOAD", "DONE"), ("SEND", "DONE"), ("MORE", "DONE")]
    assert place.given("SEND")[1]["config"] == {"word": "new"}


def test_a_graph_that_somebody_suspended_stays_so_where_its_state_is_nobodys_business(place: GraphWorld):
    trigger = {"schedule": "10 MINUTES"}
    place.apply(graph(trigger, [step("LOAD")]))
    place.run("ALTER TASK NIGHTLY SUSPEND")
    place.apply(graph(trigger, [step("LOAD", config={"a": 1})], state="unmanaged"))
    assert (place.state("NIGHTLY"), place.state("LOAD")) == ("suspended", "started")
    place.account.advance(3600)
    assert place.history() == []
    place.run("ALTER TASK NIGHTLY RESUME")
    place.apply(graph(trigger, [step("LOAD", config={"a": 2})], state="unmanaged"))
    assert place.state("NIGHTLY") == "started"
    place.account.advance(601)
    assert place.given("LOAD")[0]["config"] == {"a": 2}
    place.apply(graph(trigger, [step("LOAD", config={"a": 2})], state="suspended"))
    place.account.advance(3600)
    assert (place.state("NIGHTLY"), len(place.runs())) == ("suspended", 1)
