"""The section ``dag``: every mistake is told, all of them at once, each in its place."""

from __future__ import annotations

from typing import Any

import pinky_schema
import pytest
from pinky_schema import Kept, Party, Slot

from pinky_core import DiagnosticsError, hookimpl, make_registry, validate_manifest
from pinky_core.testing import MemorySource

HEAD = """\
scope: schema
target: D.S
vars:
  stages: {bucket: "s3://acme", storage_integration: ACME, viewer: NOBODY}
stages: [external_input_files, external_output_files, resources_static]
"""
DAG = """\
dag:
  trigger: on_demand
  steps:
    - {name: LOAD, procedure: LOAD}
"""


class Archive:
    """A plugin with slots of its own."""

    @hookimpl
    def pinky_stage_slots(self) -> list[Slot]:
        provider = {"registry": True, "party": Party.PROVIDER, "doc": "A slot."}
        return [
            Slot(name="inbox_files", kept=Kept.INTERNAL, stream=True, **provider),
            Slot(name="quiet_files", kept=Kept.EXTERNAL, **provider),
        ]


REGISTRY = make_registry({"pinky_schema": pinky_schema, "archive": Archive()})


def mistakes(text: str, head: str = HEAD) -> list[str]:
    """Line, column, summary and hint of every mistake."""
    with pytest.raises(DiagnosticsError) as caught:
        validate_manifest(MemorySource({"manifest.yml": head + text}), REGISTRY)
    placed = [(each.location, each) for each in caught.value.diagnostics]
    return [f"{place.line}:{place.column} {each.summary} {each.hint}".strip() for place, each in placed if place]


def sound(text: str, head: str = HEAD) -> bool:
    return bool(validate_manifest(MemorySource({"manifest.yml": head + text}), REGISTRY).resources)


def dag(trigger: str, *steps: str, more: str = "") -> str:
    lines = "".join(f"\n    - {{{step}}}" for step in steps or ("name: LOAD, procedure: LOAD",))
    return f"dag:\n  trigger: {trigger}\n  steps:{lines}\n{more}"


def test_the_smallest_graph_is_sound():
    assert sound(DAG)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # -- the trigger
        (dag("on_demnd"), "7:12 trigger: 'on_demnd' does not have the right form"),
        (dag("{when: always}"), "7:12 dag: trigger: give 'schedule', 'stream', or the word on_demand"),
        (dag("{schedule: 5 MINUTS}"), "7:23 dag: '5 MINUTS': unknown unit 'MINUTS'"),
        (dag("{schedule: USING CRON 0 0 * * UTC}"), "7:23 dag: 'USING CRON 0 0 * * UTC': cron takes five fields"),
        (
            dag("{schedul: 1 HOUR}"),
            "7:13 unknown field 'schedul' in trigger of the section dag Did you mean 'schedule'?",
        ),
        (
            dag("{stream: external_input_files, when: always}"),
            "7:49 dag: trigger: 'when' cannot stand beside 'stream'",
        ),
        (
            dag("{schedule: 1 HOUR, when: busines_day}"),
            "7:37 trigger.when: 'busines_day' is not allowed Did you mean 'business_day'?",
        ),
        # -- the files
        (
            dag("{schedule: 1 HOUR, files: extrnal_input_files}"),
            "7:38 trigger.files: 'extrnal_input_files' is not allowed Did you mean 'external_input_files'?",
        ),
        (
            dag("{schedule: 1 HOUR, files: internal_exposed_files}"),
            "7:38 dag: the slot internal_exposed_files is not declared in `stages`",
        ),
        (
            dag("{schedule: 1 HOUR, files: resources_static}"),
            "7:38 dag: the slot resources_static has no registry",
        ),
        (
            dag("{schedule: 1 HOUR, files: external_output_files}"),
            "7:38 dag: the slot external_output_files is not for files that come in",
        ),
        # -- names
        (dag("on_demand", "name: 1st, procedure: P"), "9:14 steps.0.name: '1st' does not have the right form"),
        (
            dag("on_demand", "name: A, procedure: P", "name: a, procedure: P"),
            "10:14 dag: A is the name of a step of the graph PIPELINE already; it cannot be a step of the graph",
        ),
        (
            dag("on_demand", "name: pipeline, procedure: P"),
            "9:14 dag: PIPELINE is the name of the root of the graph PIPELINE already",
        ),
        (
            dag("on_demand", "name: pipeline_finish, procedure: P"),
            "9:14 dag: PIPELINE_FINISH is the name of the finalizer of the graph PIPELINE already",
        ),
        (
            dag("{schedule: 1 HOUR, files: external_input_files}", "name: poll_and_dispatch, procedure: P"),
            "9:14 dag: POLL_AND_DISPATCH is the name of the root of the graph PIPELINE already",
        ),
        # -- what a step does
        (dag("on_demand", "name: A"), "9:7 dag: the step A has neither a procedure nor sql. Give one of them."),
        (
            dag("on_demand", "name: A, procedure: P, sql: SELECT 1"),
            "9:7 dag: the step A has both a procedure and sql. Give one of them.",
        ),
        (
            dag("on_demand", "name: A, sql: SELECT 1, config: {a: 1}"),
            "9:40 dag: 'config' is handed to a procedure; the step A has sql",
        ),
        (
            dag("on_demand", "name: A, sql: SELECT 1, multi_client_execution: true"),
            "9:56 dag: 'multi_client_execution' is handed to a procedure; the step A has sql",
        ),
        (dag("on_demand", "name: A, procedure: X.P"), "9:28 dag: procedure: X.P is outside the target D.S"),
        (dag("on_demand", "name: A, procedure: 1P"), "9:28 dag: procedure: '1P' is not a name"),
        (dag("on_demand", more="  finalizer: E.S.P\n"), "10:14 dag: finalizer: E.S.P is outside the target D.S"),
        (dag("on_demand", "name: A, procedure: P, timeout: 8 DAYS"), "9:40 dag: timeout: a task may run for 7 DAYS"),
        (dag("on_demand", "name: A, procedure: P, timeout: 8 YEARS"), "9:40 dag: timeout: '8 YEARS': unknown unit"),
        (dag("on_demand", "name: A, procedre: P"), "9:17 unknown field 'procedre' in steps.0 of the section dag"),
        (dag("on_demand", "procedure: P"), "9:7 'name' is missing in steps.0"),
        (dag("on_demand", more="  retries: 31\n"), "10:12 retries: 31 is not allowed; it must be at most 30"),
        (dag("on_demand", more="  version: 1.2\n"), "10:12 version: expected text, found 1.2"),
        (dag("on_demand", more="  state: startd\n"), "10:10 state: 'startd' is not allowed Did you mean 'started'?"),
        # -- links
        (
            dag("on_demand", "name: LOAD, procedure: P", "name: B, procedure: P, after: [LAOD]"),
            "10:39 dag: the step B runs after LAOD, which is no step of this graph. Did you mean 'LOAD'?",
        ),
        (
            dag("on_demand", "name: A, procedure: P, after: [pipeline_finish]"),
            "9:39 dag: PIPELINE_FINISH is the finalizer of the graph: nothing runs after it",
        ),
        (
            dag("on_demand", "name: A, procedure: P, after: [PIPELINE, pipeline]"),
            "9:49 dag: the step A runs after PIPELINE twice",
        ),
        (
            dag("on_demand", "name: A, procedure: P, after: [A]"),
            "9:38 dag: these steps wait for each other: A → A",
        ),
        (
            dag(
                "on_demand",
                "name: X, procedure: P",
                "name: A, procedure: P, after: [X, C]",
                "name: B, procedure: P, after: [A]",
                "name: C, procedure: P, after: [B]",
            ),
            "10:38 dag: these steps wait for each other: A → C → B → A",
        ),
    ],
)
def test_a_mistake_is_told_in_its_place(text: str, expected: str):
    found = mistakes(text)
    assert [each[: len(expected)] for each in found] == [expected]


def test_the_root_may_be_named_and_stands_for_no_predecessor():
    assert sound(dag("on_demand", "name: A, procedure: P, after: [PIPELINE]", "name: B, procedure: P, after: []"))


def test_all_mistakes_are_told_at_once():
    text = dag("{schedule: 1 HOURZ, files: resources_static}", "name: A", "name: B, sql: SELECT 1, after: [C]")
    assert [each.split(" ")[0] for each in mistakes(text)] == ["7:23", "7:39", "9:7", "10:40"]


def test_a_graph_needs_a_schema_as_its_target():
    (found,) = mistakes(DAG, "scope: database\ntarget: D\n")
    assert "3:" not in found[:1]
    assert "a task graph lives in one schema: give the manifest `scope: schema` and a target DB.SCHEMA" in found


TWO = """\
dag:
  - {name: A, trigger: TRIGGER, steps: [{name: X, procedure: P}]}
  - {name: B, trigger: TRIGGER, steps: [{name: Y, procedure: P}]}
"""


def test_two_graphs_cannot_take_the_same_files():
    text = TWO.replace("TRIGGER", "{schedule: 1 HOUR, files: external_input_files}")
    assert mistakes(text) == [
        "8:50 dag: the graph A takes the files of external_input_files already. A file is dispatched once: let one "
        "graph take them, with steps for both."
    ]


def test_two_graphs_have_different_names_and_steps():
    twice = TWO.replace("TRIGGER", "on_demand")
    assert mistakes(twice.replace("name: B", "name: a"))[0].startswith("8:12 dag: two graphs are called A.")
    assert mistakes(twice.replace("name: Y", "name: x"))[0].startswith(
        "8:50 dag: X is the name of a step of the graph A"
    )
    assert mistakes(twice.replace("name: Y", "name: a"))[0].startswith(
        "8:50 dag: A is the name of the root of the graph"
    )


def test_a_task_that_is_written_out_cannot_have_the_name_of_a_step():
    (found,) = mistakes(DAG + "resources:\n  task: [{name: load, definition: SELECT 1}]\n")
    assert "task D.S.LOAD is declared twice" in found


@pytest.mark.parametrize(
    ("bucket", "more", "is_sound"),
    [
        ("gcs://acme", "", False),
        ("azure://a.blob.core.windows.net/c", "", False),
        ("gcs://acme", ", notification_integration: N", True),
        ("s3://acme", "", True),
    ],
)
def test_a_graph_that_a_stream_starts_needs_somebody_who_tells_of_new_files(bucket: str, more: str, is_sound: bool):
    head = HEAD.replace('"s3://acme"', f'"{bucket}"{more}')
    text = dag("{stream: external_input_files}")
    if is_sound:
        assert sound(text, head)
    else:
        (found,) = mistakes(text, head)  # told by the section `stages`, whose stage it is
        assert "vars.stages.notification_integration" in found


def test_a_slot_of_another_plugin_is_taken_by_the_same_rules():
    head = HEAD.replace("[external_input_files", "[inbox_files, quiet_files")
    desired = validate_manifest(
        MemorySource({"manifest.yml": head + dag("{schedule: 1 HOUR, files: inbox_files}")}), REGISTRY
    )
    tasks = {str(each.address.name): each.body for each in desired.resources if each.address.kind == "task"}
    assert '"slot": "inbox_files"' in tasks["POLL_AND_DISPATCH_INBOX_FILES"].definition  # type: ignore[attr-defined]
    (internal,) = mistakes(dag("{stream: inbox_files}"), head)
    assert "nothing refreshes the directory table of the internal stage of inbox_files by itself" in internal
    (quiet,) = mistakes(dag("{stream: quiet_files}"), head)
    assert "the slot quiet_files has no stream that could start a graph" in quiet


@pytest.mark.parametrize(
    ("option", "trigger", "expected"),
    [
        ("procedure: P", "{schedule: 1 HOUR, files: external_input_files}", "has 'procedure', and the graph PIPELINE"),
        ("trigger: stream", "{schedule: 1 HOUR, files: external_input_files}", "has 'trigger', and the graph"),
        ("trigger: schedule", "{stream: external_input_files}", "has 'trigger', and the graph"),
        ("trigger: stream", "{stream: external_input_files}", ""),
        ("lease_seconds: 3600", "{stream: external_input_files}", "may take 3600 seconds, and lease_seconds is 3600"),
    ],
)
def test_options_of_a_slot_that_a_graph_decides_are_refused(option: str, trigger: str, expected: str):
    head = HEAD.replace("[external_input_files,", f"[external_input_files: {{{option}}},")
    if expected:
        (found,) = mistakes(dag(trigger), head)
        assert expected in found
    else:
        assert sound(dag(trigger), head)


def many(count: int, after: str = "") -> list[str]:
    return [f"name: T{number}, procedure: P{after}" for number in range(count)]


def test_snowflakes_limits_are_known_before_anything_is_sent():
    assert sound(dag("on_demand", *many(100)))
    (children,) = mistakes(dag("on_demand", *many(101)))
    assert children == "9:5 dag: 101 steps run after PIPELINE; Snowflake allows 100"
    hundred = ", ".join(f"T{number}" for number in range(100))
    two_levels = [*many(100), *(f"name: U{n}, procedure: P, after: [T{n}]" for n in range(2))]
    assert sound(dag("on_demand", *two_levels, f"name: LAST, procedure: P, after: [{hundred}]"))
    (before,) = mistakes(dag("on_demand", *two_levels, f"name: LAST, procedure: P, after: [{hundred}, U0]"))
    assert "the step LAST runs after 101 tasks; Snowflake allows 100" in before
    rows = [f"name: R{n}, procedure: P, after: [{'R' + str(n - 1) if n else 'PIPELINE'}]" for n in range(999)]
    assert sound(dag("on_demand", *rows[:998]))
    (total,) = mistakes(dag("on_demand", *rows))
    assert total == "9:5 dag: the graph PIPELINE has 1001 tasks with its root and finalizer; Snowflake allows 1000"


def test_a_number_that_json_cannot_hold_is_refused():
    (found,) = mistakes(dag("on_demand", "name: A, procedure: P, config: {a: .nan}"))
    assert "not JSON compliant" in found


def schema() -> Any:
    return REGISTRY.section_schemas()["dag"]


def test_the_schema_knows_the_slots_and_predicates_of_all_plugins():
    trigger = schema()["properties"]["trigger"]["properties"]
    assert "inbox_files" in trigger["files"]["enum"]
    assert {"always", "business_day", "last_business_day"} <= set(trigger["when"]["enum"])
    assert schema()["items"]["properties"] == schema()["properties"]
