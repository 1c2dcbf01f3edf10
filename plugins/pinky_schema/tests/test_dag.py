"""The section ``dag``: every trigger mode as the tasks it stands for, applied, changed and applied again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema.dag import takes_files, triggered

from pinky_core import Action, Plan, Provider, Risk, make_registry, validate_manifest
from pinky_core.testing import MemorySource

FACTS = {"bucket": "s3://acme", "storage_integration": "ACME", "warehouse": "W", "viewer": "NOBODY"}
PROCEDURE = {
    "language": "SQL",
    "returns": "VARIANT",
    "arguments": [{"name": "WORK", "type": "VARIANT"}],
    "body": "BEGIN RETURN WORK; END",
}
STEPS: list[dict[str, Any]] = [
    {"name": "load", "procedure": "LOAD"},
    {"name": "clean", "sql": "DELETE FROM D.S.T", "after": ["load"]},
    {"name": "report", "procedure": "REPORT", "after": ["load", "clean"]},
]
REGISTRY = make_registry({"pinky_schema": pinky_schema})
RUN = '"graph": "NIGHTLY"'
UNLESS = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{}') <> 'SKIP'"


def manifest(dag: Any, **more: Any) -> MemorySource:
    """A manifest with these graphs; the slot is there where one of them takes its files."""
    slot = "external_input_files"
    whole = {
        "scope": "schema",
        "target": "D.S",
        "vars": {"stages": FACTS},
        "stages": [slot] if takes_files({"dag": dag}, slot) else [],
        "dag": dag,
        "resources": {
            "table": [{"name": "T", "columns": [{"name": "A", "type": "INT"}]}],
            "procedure": [{"name": name, **PROCEDURE} for name in ("LOAD", "REPORT", "TELL")],
        },
    }
    return MemorySource({"manifest.yml": json.dumps({**whole, **more})})


def graph(trigger: Any, steps: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "nightly", "trigger": trigger, "steps": STEPS if steps is None else steps, **more}


def tasks(dag: Any, **more: Any) -> dict[str, Any]:
    """The declared tasks by name, as their statements."""
    desired = validate_manifest(manifest(dag, **more), REGISTRY)
    found = [each for each in desired.resources if each.address.kind == "task"]
    return {str(each.address.name): each for each in found}


def bodies(dag: Any, **more: Any) -> dict[str, Any]:
    return {name: each.body for name, each in tasks(dag, **more).items()}


def called(body: Any) -> tuple[str, dict[str, Any]]:
    """The procedure that a definition calls, and the JSON that it hands over."""
    head, _, rest = body.definition.partition("(PARSE_JSON('")
    text = rest.removesuffix("'))").replace("''", "'").replace("\\\\", "\\")
    return head.removeprefix("CALL "), json.loads(text)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W", "CREATE WAREHOUSE V",
            "CREATE STORAGE INTEGRATION ACME TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
            "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://acme/')",
        ):  # fmt: skip
            connection.cursor().execute(statement)
        yield Provider(connection, registry=REGISTRY)
        assert not account.internal_errors


def applied(provider: Provider, source: MemorySource, **options: Any) -> Plan:
    """The plan that was applied; a second one is empty."""
    plan = provider.plan(source, prune=options.pop("prune", False))
    report = provider.apply(plan, **options)
    assert [(event.name, event.error) for event in report.events if event.error] == []
    again = provider.plan(source)
    assert [(str(change.address), change.fields) for change in again.changes] == []
    return plan


def statements(plan: Plan, name: str) -> list[str]:
    address = f"task D.S.{name}"
    return [each.text for change in plan.changes if str(change.address) == address for each in change.statements]


def states(provider: Provider) -> dict[str, str]:
    rows = provider.session.execute("SHOW TASKS IN SCHEMA D.S")
    return {row["name"]: row["state"] for row in rows}


MODES: Mapping[str, Any] = {
    "schedule": {"schedule": "5 MINUTES"},
    "files": {"schedule": "USING CRON 0 6 * * MON-FRI Europe/Paris", "files": "external_input_files"},
    "stream": {"stream": "external_input_files"},
    "on_demand": "on_demand",
    "conditional": {"schedule": "1 HOURS", "when": "business_day"},
    "conditional_files": {"schedule": "1 HOURS", "files": "external_input_files", "when": "weekend"},
}
ROOTS = {"files": "POLL_AND_DISPATCH", "conditional_files": "POLL_AND_DISPATCH", "stream": "CONSUME_STREAM"}
CLAIM = (
    '"batch_size": 1000, "existing_files": 1000, "graph": "NIGHTLY", "lease_seconds": 3900, "max_attempts": 3, '
    '"refresh": {}, "retry_seconds": 60, "root": "{}", "schema": "D.S", "slot": "external_input_files"{}'
)
TODAY = "DAYOFWEEKISO(TO_DATE(CONVERT_TIMEZONE(''UTC'', CURRENT_TIMESTAMP())))"
STATEMENTS: Mapping[str, str] = {
    "schedule": "SCHEDULE = '5 MINUTES' QUERY_TAG = '{tag}' AS CALL D.S.START_RUN(PARSE_JSON('{{"
    '"graph": "NIGHTLY", "root": "NIGHTLY", "schema": "D.S"}}\'))',
    "files": "SCHEDULE = 'USING CRON 0 6 * * MON-FRI Europe/Paris' QUERY_TAG = '{tag}' "
    "AS CALL D.S.POLL_AND_DISPATCH(PARSE_JSON('{{" + CLAIM.format("true", "POLL_AND_DISPATCH", "") + "}}'))",
    "stream": "QUERY_TAG = '{tag}' WHEN SYSTEM$STREAM_HAS_DATA('D.S.EXTERNAL_INPUT_FILES_STREAM') "
    "AS CALL D.S.POLL_AND_DISPATCH(PARSE_JSON('{{" + CLAIM.format("false", "CONSUME_STREAM", "") + "}}'))",
    "on_demand": "QUERY_TAG = '{tag}' AS CALL D.S.START_RUN(PARSE_JSON('{{"
    '"graph": "NIGHTLY", "root": "NIGHTLY", "schema": "D.S"}}\'))',
    "conditional": "SCHEDULE = '1 HOUR' QUERY_TAG = '{tag}' AS CALL D.S.START_RUN(PARSE_JSON('{{"
    f'"graph": "NIGHTLY", "root": "NIGHTLY", "schema": "D.S", "when": "{TODAY} <= 5"' + "}}'))",
    "conditional_files": "SCHEDULE = '1 HOUR' QUERY_TAG = '{tag}' "
    "AS CALL D.S.POLL_AND_DISPATCH(PARSE_JSON('{{"
    + CLAIM.format("true", "POLL_AND_DISPATCH", f', "when": "{TODAY} >= 6"')
    + "}}'))",
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_a_root_that_calls_its_wrapper_and_a_second_plan_is_empty(mode: str, provider: Provider):
    root = ROOTS.get(mode, "NIGHTLY")
    plan = applied(provider, manifest(graph(MODES[mode])))
    tag = json.dumps({"pinky": {"graph": "NIGHTLY", "step": root}})
    expected = STATEMENTS[mode].format(tag=tag)
    assert statements(plan, root) == [f"CREATE TASK D.S.{root} WAREHOUSE = W {expected}"]
    started = {"LOAD": "started", "CLEAN": "started", "REPORT": "started", "NIGHTLY_FINISH": "started"}
    assert states(provider) == {root: "suspended" if mode == "on_demand" else "started", **started}


def test_steps_and_the_finalizer_as_statements(provider: Provider):
    plan = applied(provider, manifest(graph({"schedule": "5 MINUTES"}, version="1.2")))
    common = '"root": "NIGHTLY", "schema": "D.S"'
    assert statements(plan, "LOAD") == [
        'CREATE TASK D.S.LOAD WAREHOUSE = W QUERY_TAG = \'{"pinky": {"graph": "NIGHTLY", "step": "LOAD"}}\' '
        f"AFTER D.S.NIGHTLY WHEN {UNLESS.format('NIGHTLY')} AS CALL D.S.RUN_STEP(PARSE_JSON('{{{RUN}, "
        f'"procedure": "D.S.LOAD", {common}, "step": "LOAD", "version": "1.2"}}\'))',
        "ALTER TASK D.S.LOAD RESUME",
    ]
    assert statements(plan, "REPORT") == [
        'CREATE TASK D.S.REPORT WAREHOUSE = W QUERY_TAG = \'{"pinky": {"graph": "NIGHTLY", "step": "REPORT"}}\' '
        f"AFTER D.S.LOAD, D.S.CLEAN WHEN {UNLESS.format('LOAD')} AND {UNLESS.format('CLEAN')} "
        f'AS CALL D.S.RUN_STEP(PARSE_JSON(\'{{{RUN}, "procedure": "D.S.REPORT", {common}, "step": "REPORT", '
        '"version": "1.2"}\'))',
        "ALTER TASK D.S.REPORT RESUME",
    ]
    assert statements(plan, "NIGHTLY_FINISH") == [
        "CREATE TASK D.S.NIGHTLY_FINISH WAREHOUSE = W QUERY_TAG = "
        '\'{"pinky": {"graph": "NIGHTLY", "step": "NIGHTLY_FINISH"}}\' FINALIZE = D.S.NIGHTLY '
        f"AS CALL D.S.FINISH_RUN(PARSE_JSON('{{{RUN}, {common}, "
        '"steps": ["LOAD", "CLEAN", "REPORT"], "version": "1.2"}\'))',
        "ALTER TASK D.S.NIGHTLY_FINISH RESUME",
    ]


def test_tasks_come_after_what_they_call_and_use(provider: Provider):
    order = [str(change.address) for change in provider.plan(manifest(graph(MODES["files"]))).changes]
    place = {name: number for number, name in enumerate(order)}
    assert place["procedure D.S.LOAD(VARIANT)"] < place["task D.S.LOAD"]
    assert place["procedure D.S.RUN_STEP(VARIANT)"] < place["task D.S.LOAD"]
    assert place["table D.S.T"] < place["task D.S.CLEAN"]
    assert place["procedure D.S.POLL_AND_DISPATCH(VARIANT)"] < place["task D.S.POLL_AND_DISPATCH"]


def test_a_triggered_root_comes_after_its_stream(provider: Provider):
    order = [str(change.address) for change in provider.plan(manifest(graph(MODES["stream"]))).changes]
    assert order.index("stream D.S.EXTERNAL_INPUT_FILES_STREAM") < order.index("task D.S.CONSUME_STREAM")


def test_every_task_says_which_graph_made_it_and_where_that_is_written():
    found = tasks(graph("on_demand"))
    assert {each.origin for each in found.values()} == {"dag NIGHTLY"}
    text = manifest(graph("on_demand")).files["manifest.yml"]
    columns = {name: each.location.column for name, each in found.items() if each.location}
    assert text[columns["LOAD"] - 1 :].startswith('{"name": "load"')
    assert text[columns["NIGHTLY"] - 1 :].startswith('{"name": "nightly"')


def test_the_slot_whose_files_a_graph_takes_has_no_task_of_its_own():
    assert sorted(tasks(graph(MODES["files"]))) == ["CLEAN", "LOAD", "NIGHTLY_FINISH", "POLL_AND_DISPATCH", "REPORT"]
    found = tasks(graph("on_demand"), stages=["external_input_files"])
    assert found["POLL_AND_DISPATCH"].origin == "slot external_input_files"


def test_what_a_graph_takes_is_known_from_sections_that_need_not_be_sound():
    slot = "external_input_files"
    for sections, takes, stream in (
        ({"dag": graph(MODES["files"])}, True, False),
        ({"dag": [graph("on_demand"), graph(MODES["stream"])]}, True, True),
        ({"dag": graph({"stream": "other"})}, False, False),
        ({"dag": graph("on_demand")}, False, False),
        ({"dag": ["x", None, {"trigger": ["y"]}]}, False, False),
        ({"dag": "x"}, False, False),
        ({}, False, False),
    ):
        assert (takes_files(sections, slot), triggered(sections, slot)) == (takes, stream), sections


def test_without_the_section_stages_a_graph_brings_what_runs_it():
    desired = validate_manifest(manifest(graph("on_demand")), REGISTRY)
    made = {str(each.address): each.origin for each in desired.resources}
    assert made["table D.S.RUNS"] == made["procedure D.S.RUN_STEP(VARIANT)"] == "runtime"


def test_several_graphs_in_one_schema():
    found = tasks([graph("on_demand", STEPS[:1]), {"trigger": MODES["files"], "steps": [{**STEPS[0], "name": "x"}]}])
    assert sorted(found) == ["LOAD", "NIGHTLY", "NIGHTLY_FINISH", "PIPELINE_FINISH", "POLL_AND_DISPATCH", "X"]
    assert found["X"].origin == "dag PIPELINE"


def test_properties_of_the_graph_are_those_of_its_root():
    root = bodies(
        graph(
            {"schedule": "1 HOUR"},
            config={"b": 1, "a": "it's"},
            notify_on_error="ALARM",
            overlap_policy="ALLOW_CHILD_OVERLAP",
            timeout="2 HOURS",
            retries=3,
            suspend_after_failures=0,
            comment="every night",
        )
    )["NIGHTLY"]
    assert json.loads(str(root.config)) == {"a": "it's", "b": 1}
    assert root.error_integration == "ALARM"
    assert str(root.overlap_policy) == "ALLOW_CHILD_OVERLAP"
    assert root.user_task_timeout_ms == 7_200_000
    assert (root.task_auto_retry_attempts, root.suspend_task_after_num_failures) == (3, 0)
    assert root.comment == "every night"


def test_properties_of_a_step_are_those_of_its_task():
    step = {
        "name": "per_client", "procedure": "s.load", "warehouse": "V", "timeout": "90 SECONDS", "comment": "c",
        "config": {"quote": "it's", "path": "a\\b"},
        "multi_client_execution": {"like": "CLIENT%", "except": ["CLIENT_X"]},
    }  # fmt: skip
    body = bodies(graph(MODES["files"], [step]))["PER_CLIENT"]
    assert (body.warehouse, body.user_task_timeout_ms, body.comment) == ("V", 90_000, "c")
    assert called(body) == (
        "D.S.RUN_STEP",
        {
            "clients": {"except": ["CLIENT_X"], "like": "CLIENT%"},
            "config": {"path": "a\\b", "quote": "it's"},
            "database": "D",
            "existing_files": 1000,
            "graph": "NIGHTLY",
            "lease_seconds": 3900,
            "own_schema": "S",
            "procedure": "D.S.LOAD",
            "root": "POLL_AND_DISPATCH",
            "schema": "D.S",
            "slot": "external_input_files",
            "step": "PER_CLIENT",
        },
    )


def test_a_step_for_all_clients_says_so_and_one_for_none_says_nothing():
    steps = [{**STEPS[0], "multi_client_execution": value, "name": name} for name, value in (("a", True), ("b", False))]
    found = bodies(graph("on_demand", steps))
    assert called(found["A"])[1]["clients"] is True
    assert "clients" not in called(found["B"])[1]


def test_the_same_graph_written_in_another_order_is_the_same_text():
    config = {"a": {"x": 1, "y": 2}, "b": 2}
    other = {"b": 2, "a": {"y": 2, "x": 1}}
    first, second = (bodies(graph("on_demand", [{**STEPS[0], "config": each}]))["LOAD"] for each in (config, other))
    assert str(first.definition) == str(second.definition)


def test_a_procedure_of_the_users_is_called_at_the_end():
    procedure, argument = called(bodies(graph(MODES["files"], finalizer="tell"))["NIGHTLY_FINISH"])
    assert procedure == "D.S.FINISH_RUN"
    assert argument["procedure"] == "D.S.TELL"
    assert (argument["slot"], argument["max_attempts"]) == ("external_input_files", 3)


@pytest.mark.parametrize(
    ("trigger", "zone", "expected"),
    [
        ({"schedule": "1 HOUR"}, None, "UTC"),
        ({"schedule": "1 HOUR"}, "Asia/Tokyo", "Asia/Tokyo"),
        ({"schedule": "USING CRON 0 * * * * Europe/Paris"}, None, "Europe/Paris"),
        ({"schedule": "USING CRON 0 * * * * Europe/Paris"}, "Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_a_condition_is_in_the_time_zone_of_the_graph(trigger: dict[str, str], zone: str | None, expected: str):
    more = {} if zone is None else {"timezone": zone}
    root = bodies(graph({**trigger, "when": "first_of_month"}, **more))["NIGHTLY"]
    assert called(root)[1]["when"] == f"DAY(TO_DATE(CONVERT_TIMEZONE('{expected}', CURRENT_TIMESTAMP()))) = 1"


def test_the_warehouse_is_the_environments_unless_something_else_is_said():
    def of(**more: Any) -> set[str | None]:
        return {body.warehouse for body in bodies(graph("on_demand", **more)).values()}

    assert of() == {"W"}
    assert of(warehouse="V") == {"V"}
    assert of(warehouse=None) == {None}


def test_a_graph_without_a_warehouse_has_sizes_and_a_triggered_one_the_interval_that_it_needs(provider: Provider):
    sizes = {"initial_size": "SMALL", "min_size": "XSMALL", "max_size": "LARGE"}
    plan = applied(provider, manifest(graph(MODES["stream"], warehouse=None, serverless=sizes)))
    (create,) = statements(plan, "CONSUME_STREAM")
    assert "TARGET_COMPLETION_INTERVAL = '15 MINUTES'" in create
    assert "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'SMALL'" in create
    assert "TARGET_COMPLETION_INTERVAL" not in statements(plan, "LOAD")[0]
    assert "SERVERLESS_TASK_MAX_STATEMENT_SIZE = 'LARGE'" in statements(plan, "LOAD")[0]


def test_the_claim_on_files_outlasts_the_longest_run():
    lease = called(bodies(graph(MODES["files"], timeout="2 HOURS"))["POLL_AND_DISPATCH"])[1]["lease_seconds"]
    assert lease == 7200 + 300
    slot = [{"external_input_files": {"lease_seconds": 9000, "max_attempts": 5}}]
    root = bodies(graph(MODES["files"], timeout="2 HOURS"), stages=slot)["POLL_AND_DISPATCH"]
    assert (called(root)[1]["lease_seconds"], called(root)[1]["max_attempts"]) == (9000, 5)


@pytest.mark.parametrize(
    ("state", "trigger", "root", "step"),
    [
        ("started", {"schedule": "1 HOUR"}, "started", "started"),
        ("suspended", {"schedule": "1 HOUR"}, "suspended", "started"),
        ("started", "on_demand", "suspended", "started"),
    ],
)
def test_the_state_is_the_roots_and_the_other_tasks_are_started(state: str, trigger: Any, root: str, step: str):
    found = bodies(graph(trigger, state=state))
    assert (str(found["NIGHTLY"].state), str(found["LOAD"].state)) == (root, step)
    assert str(found["NIGHTLY_FINISH"].state) == step


# -- changes -----------------------------------------------------------------------------------------------------------


def test_an_unmanaged_graph_stays_as_people_left_it(provider: Provider):
    source = manifest(graph({"schedule": "1 HOUR"}, state="unmanaged"))
    applied(provider, source)
    assert set(states(provider).values()) - {"started"} == {"suspended"}
    provider.session.execute("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('D.S.NIGHTLY')")
    changed = manifest(graph({"schedule": "2 HOURS"}, state="unmanaged"))
    plan = applied(provider, changed)
    (guard,) = plan.guards
    assert [each.text for each in (*guard.opening, *guard.closing)] == [
        "ALTER TASK D.S.NIGHTLY SUSPEND",
        "ALTER TASK D.S.NIGHTLY RESUME",
    ]
    assert {states(provider)[name] for name in ("NIGHTLY", "LOAD", "REPORT")} == {"started"}


@pytest.mark.parametrize("state", ["started", "suspended"])
def test_a_change_of_a_graph_ends_in_its_former_state(provider: Provider, state: str):
    applied(provider, manifest(graph({"schedule": "1 HOUR"}, state=state)))
    before = states(provider)
    steps = [*STEPS, {"name": "mail", "procedure": "TELL", "after": ["report"]}]
    plan = applied(provider, manifest(graph({"schedule": "1 HOUR"}, steps, state=state)))
    assert {str(change.address): change.action for change in plan.changes} == {
        "task D.S.MAIL": Action.CREATE,
        "task D.S.NIGHTLY_FINISH": Action.ALTER,
    }
    assert states(provider) == {**before, "MAIL": "started"}
    assert [bool(guard.opening) for guard in plan.guards] == ([True] if state == "started" else [])


def test_what_is_taken_out_of_a_manifest_is_taken_off_the_tasks(provider: Provider):
    full = graph(
        {"schedule": "1 HOUR"},
        [{**STEPS[0], "timeout": "5 MINUTES", "comment": "c", "warehouse": "V"}],
        config={"a": 1}, timeout="2 HOURS", retries=3, comment="c", overlap_policy="ALLOW_ALL_OVERLAP",
    )  # fmt: skip
    applied(provider, manifest(full))
    plan = applied(provider, manifest(graph("on_demand", STEPS[:1])))
    root = [text for text in statements(plan, "NIGHTLY") if "UNSET" in text]
    for word in ("SCHEDULE", "CONFIG", "OVERLAP_POLICY", "COMMENT", "USER_TASK_TIMEOUT_MS", "TASK_AUTO_RETRY_ATTEMPTS"):
        assert any(word in text for text in root), word
    assert any("UNSET" in text and "COMMENT" in text for text in statements(plan, "LOAD"))
    assert states(provider)["NIGHTLY"] == "suspended"


def test_a_graph_goes_from_a_warehouse_to_none_and_back(provider: Provider):
    for warehouse in ("W", None, "V"):
        applied(provider, manifest(graph({"schedule": "1 HOUR"}, warehouse=warehouse)))


def test_a_step_that_is_taken_out_stays_until_pruning_is_asked_for_and_allowed(provider: Provider):
    applied(provider, manifest(graph({"schedule": "1 HOUR"})))
    fewer = manifest(graph({"schedule": "1 HOUR"}, [STEPS[0], {**STEPS[2], "after": ["load"]}]))
    plan = applied(provider, fewer)
    assert "task D.S.CLEAN" in {str(address) for address in plan.orphans}
    assert "ALTER TASK D.S.REPORT REMOVE AFTER D.S.CLEAN" in statements(plan, "REPORT")
    plan = provider.plan(fewer, prune=True)
    assert [(str(each.address), each.risk) for each in plan.changes] == [("task D.S.CLEAN", Risk.DESTRUCTIVE)]
    assert plan.blocked([])
    assert provider.apply(plan, allow=["destructive:task"]).ok
    assert "CLEAN" not in states(provider)
    assert states(provider)["NIGHTLY"] == "started"
    assert provider.plan(fewer, prune=True).empty


def test_a_graph_of_another_mode_leaves_the_former_root_to_pruning(provider: Provider):
    applied(provider, manifest(graph(MODES["files"])))
    plan = applied(provider, manifest(graph(MODES["schedule"])))
    assert "ALTER TASK D.S.LOAD REMOVE AFTER D.S.POLL_AND_DISPATCH" in statements(plan, "LOAD")
    assert states(provider)["NIGHTLY"] == "started"
