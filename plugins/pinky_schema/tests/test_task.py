"""Tasks and task graphs through the real connector on a local account."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount
from pinky_schema.dag_calls import arguments_in
from pinky_schema.task import Task
from pinky_schema.task_graph import Graph

from pinky_core import (
    Action,
    Address,
    Context,
    DiagnosticsError,
    Identifier,
    Names,
    Outcome,
    Provider,
    Risk,
    Schedule,
    SqlText,
    StalePlanError,
    hookimpl,
    make_registry,
)
from pinky_core.testing import Laboratory, check_resource_type


class OnlyTasks:
    """A plugin with the one kind under test."""

    @hookimpl
    def pinky_resource_types(self) -> list[Any]:
        return [Task]


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W"):
            connection.cursor().execute(statement)
        provider = Provider(connection, registry=make_registry({"tasks": OnlyTasks()}))
        yield Laboratory(provider, "schema", "D.S")
        assert not account.internal_errors


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "definition": "SELECT 1", "warehouse": "W", **fields}


def states(laboratory: Laboratory) -> dict[str, str]:
    rows = laboratory.provider.session.execute("SHOW TASKS IN SCHEMA D.S")
    return {row["name"]: row["state"] for row in rows}


def apply(laboratory: Laboratory, *tasks: dict[str, Any]) -> list[str]:
    """Apply tasks, check that the second plan is empty, and answer the statements of changes and guards in order."""
    plan = laboratory.plan({"task": tasks})
    laboratory.apply(plan)
    again = laboratory.plan({"task": tasks})
    assert again.empty, [(str(c.address), c.reason) for c in again.changes]
    opening = [s.text for guard in plan.guards for s in guard.opening]
    closing = [s.text for guard in plan.guards for s in guard.closing]
    return [*opening, *(s.text for s in plan.statements()), *closing]


def test_create_writes_clauses_in_the_order_of_the_grammar(laboratory: Laboratory) -> None:
    statements = apply(
        laboratory,
        task("root", schedule="5 minutes", config={"b": 1, "a": "x'y"}, query_tag="q", week_start=1, comment="it's"),
        task("child", after=["root"], when="SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') = 'go'"),
        task("last", finalize="root"),
    )
    assert statements == [
        "CREATE TASK D.S.ROOT WAREHOUSE = W SCHEDULE = '5 MINUTES' CONFIG = '{\"a\": \"x''y\", \"b\": 1}' "
        "COMMENT = 'it''s' QUERY_TAG = 'q', WEEK_START = 1 AS SELECT 1",
        "CREATE TASK D.S.CHILD WAREHOUSE = W AFTER D.S.ROOT "
        "WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') = 'go' AS SELECT 1",
        "CREATE TASK D.S.LAST WAREHOUSE = W FINALIZE = D.S.ROOT AS SELECT 1",
    ]


def test_new_graph_is_started_children_first(laboratory: Laboratory) -> None:
    graph = (
        task("root", schedule="5 MINUTES", state="started"),
        task("a", after=["root"], state="started"),
        task("b", after=["a"]),
    )
    statements = apply(laboratory, *graph)
    assert statements[-1] == "ALTER TASK D.S.ROOT RESUME"
    assert states(laboratory) == {"ROOT": "started", "A": "started", "B": "suspended"}


def test_started_root_is_suspended_and_restored_around_a_change_of_a_child(laboratory: Laboratory) -> None:
    root = task("root", schedule="5 MINUTES")
    apply(laboratory, root, task("a", after=["root"], state="started"))
    laboratory.execute("ALTER TASK D.S.ROOT RESUME")
    statements = apply(laboratory, root, task("a", after=["root"], definition="SELECT 2"))
    assert statements == [
        "ALTER TASK D.S.ROOT SUSPEND",
        "ALTER TASK D.S.A MODIFY AS SELECT 2",
        "ALTER TASK D.S.ROOT RESUME",
    ]
    assert states(laboratory) == {"ROOT": "started", "A": "started"}


def test_root_is_found_through_live_links_of_tasks_that_are_not_declared(laboratory: Laboratory) -> None:
    apply(laboratory, task("r", schedule="5 MINUTES"), task("a", after=["r"]), task("b", after=["a"]))
    laboratory.execute("ALTER TASK D.S.R RESUME")
    statements = apply(laboratory, {"name": "b", "definition": "SELECT 3"})
    assert statements[0] == "ALTER TASK D.S.R SUSPEND"
    assert statements[-1] == "ALTER TASK D.S.R RESUME"
    assert states(laboratory)["R"] == "started"


def test_root_is_restored_when_a_change_fails(laboratory: Laboratory) -> None:
    root = task("root", schedule="5 MINUTES", state="started")
    apply(laboratory, root)
    plan = laboratory.plan({"task": [root, task("a", after=["root"], warehouse="not_there")]})
    report = laboratory.provider.apply(plan)
    assert [event.name for event in report.of(Outcome.FAILED)] == ["task D.S.A"]
    assert states(laboratory) == {"ROOT": "started"}


def test_declared_state_restores_a_root_that_an_earlier_run_left_suspended(laboratory: Laboratory) -> None:
    root = task("root", schedule="5 MINUTES", state="started")
    apply(laboratory, root, task("a", after=["root"]))
    laboratory.execute("ALTER TASK D.S.ROOT SUSPEND")  # as a process killed between opening and closing leaves it
    assert apply(laboratory, root) == ["ALTER TASK D.S.ROOT RESUME"]
    assert states(laboratory)["ROOT"] == "started"


def test_root_declared_suspended_stays_suspended(laboratory: Laboratory) -> None:
    apply(laboratory, task("root", schedule="5 MINUTES", state="started"))
    assert apply(laboratory, task("root", state="suspended")) == ["ALTER TASK D.S.ROOT SUSPEND"]
    assert states(laboratory) == {"ROOT": "suspended"}


def test_state_that_is_not_declared_is_not_touched(laboratory: Laboratory) -> None:
    apply(laboratory, task("root", schedule="5 MINUTES"))
    assert states(laboratory) == {"ROOT": "suspended"}
    laboratory.execute("ALTER TASK D.S.ROOT RESUME")
    assert laboratory.plan({"task": [task("root", schedule="5 MINUTES")]}).empty


def test_predecessors_are_added_before_they_are_removed(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES")
    apply(laboratory, root, task("a", after=["r"]), task("b", after=["r"]), task("c", after=["a"], state="started"))
    statements = apply(laboratory, root, task("a", after=["r"]), task("b", after=["r"]), task("c", after=["b"]))
    assert statements == ["ALTER TASK D.S.C ADD AFTER D.S.B", "ALTER TASK D.S.C REMOVE AFTER D.S.A"]
    assert states(laboratory)["C"] == "started"


def test_order_of_predecessors_is_no_difference(laboratory: Laboratory) -> None:
    base = (task("r", schedule="5 MINUTES"), task("a", after=["r"]), task("b", after=["r"]))
    apply(laboratory, *base, task("c", after=["a", "b"]))
    assert laboratory.plan({"task": [*base, task("c", after=["B", "A"])]}).empty


def test_started_root_that_becomes_a_child_goes_on(laboratory: Laboratory) -> None:
    apply(laboratory, task("r", schedule="5 MINUTES", state="started"), task("x", schedule="1 HOUR", state="started"))
    moved = task("x", schedule=None, after=["r"])
    statements = apply(laboratory, task("r"), moved)
    assert "ALTER TASK D.S.X UNSET SCHEDULE" in statements
    assert statements.index("ALTER TASK D.S.X ADD AFTER D.S.R") > statements.index("ALTER TASK D.S.X UNSET SCHEDULE")
    assert states(laboratory) == {"R": "started", "X": "started"}


def test_child_that_becomes_a_root_is_told_and_can_be_started(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES", state="started")
    apply(laboratory, root, task("x", after=["r"], state="started"))
    plan = laboratory.plan({"task": [root, task("x", after=None, schedule="1 HOUR")]})
    assert [d.code for d in plan.diagnostics] == ["suspended"]
    apply(laboratory, root, task("x", after=None, schedule="1 HOUR", state="started"))
    assert states(laboratory) == {"R": "started", "X": "started"}


def test_scheduled_becomes_triggered_and_loses_its_warehouse(laboratory: Laboratory) -> None:
    apply(laboratory, task("t", schedule="5 MINUTES"))
    statements = apply(
        laboratory,
        {
            "name": "t",
            "definition": "SELECT 1",
            "warehouse": None,
            "schedule": None,
            "target_completion_interval": "10 minutes",
            "when": "SYSTEM$STREAM_HAS_DATA('D.S.X')",
        },
    )
    assert statements == [
        "ALTER TASK D.S.T UNSET WAREHOUSE, SCHEDULE",
        "ALTER TASK D.S.T SET TARGET_COMPLETION_INTERVAL = '10 MINUTES'",
        "ALTER TASK D.S.T MODIFY WHEN SYSTEM$STREAM_HAS_DATA('D.S.X')",
    ]


def test_dropping_a_task_of_a_started_graph_is_destructive_and_guarded(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES", state="started")
    apply(laboratory, root, task("x", after=["r"]))
    source = laboratory.source({"task": [root]})
    plan = laboratory.provider.plan(source, prune=True)
    (change,) = plan.changes
    assert (change.action, change.risk) == (Action.DROP, Risk.DESTRUCTIVE)
    laboratory.apply(plan)
    assert states(laboratory) == {"R": "started"}


def test_dropping_a_whole_started_graph(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES", state="started")
    apply(laboratory, root, task("x", after=["r"]), task("f", finalize="r"), task("kept"))
    plan = laboratory.provider.plan(laboratory.source({"task": [task("kept")]}), prune=True)
    (guard,) = plan.guards
    assert ([s.text for s in guard.opening], guard.closing) == (["ALTER TASK D.S.R SUSPEND"], ())
    laboratory.apply(plan)
    assert states(laboratory) == {"KEPT": "suspended"}


def test_user_that_a_task_runs_as(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE USER RUNNER")
    laboratory.execute("GRANT IMPERSONATE ON USER RUNNER TO ROLE ACCOUNTADMIN")
    apply(laboratory, task("t"))
    assert apply(laboratory, task("t", execute_as_user="runner")) == ["ALTER TASK D.S.T SET EXECUTE AS USER RUNNER"]
    assert apply(laboratory, task("t", execute_as_user=None)) == ["ALTER TASK D.S.T UNSET EXECUTE AS USER"]


def test_parameters_are_read_only_for_tasks_that_declare_one(laboratory: Laboratory) -> None:
    apply(laboratory, task("a", user_task_timeout_ms=1000), task("b"))
    statements = apply(laboratory, task("a", user_task_timeout_ms=None), task("b"))
    assert statements == ["ALTER TASK D.S.A UNSET USER_TASK_TIMEOUT_MS"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"after": ["r"], "schedule": "5 MINUTES"}, "'schedule' belongs to the root"),
        ({"after": ["r"], "config": {"a": 1}}, "'config' belongs to the root"),
        ({"after": ["r"], "finalize": "r"}, "a finalizer has no 'after'"),
        ({"target_completion_interval": "5 MINUTES"}, "is for serverless tasks"),
        ({"autocommit": False}, "AUTOCOMMIT"),
        ({"after": ["nobody"]}, "neither declared nor visible"),
        ({"renamed_from": "old"}, "cannot rename a task"),
        ({"schedule": "5 FORTNIGHTS"}, "FORTNIGHTS"),
        ({"config": "[1]"}, "the configuration is a mapping"),
        ({"state": "running"}, "started"),
    ],
)
def test_mistakes_are_told(laboratory: Laboratory, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(DiagnosticsError, match=text):
        laboratory.plan({"task": [task("r"), task("x", **fields)]})


def test_guard_of_a_root_that_somebody_else_changed_is_stale(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES")
    apply(laboratory, root, task("x", after=["r"]))
    laboratory.execute("ALTER TASK D.S.R RESUME")
    plan = laboratory.plan({"task": [root, task("x", after=["r"], definition="SELECT 2")]})
    laboratory.execute("ALTER TASK D.S.R SUSPEND")  # it would be resumed by a closing that knows nothing of this
    with pytest.raises(StalePlanError, match=r"task D\.S\.R .*state changed"):
        laboratory.provider.apply(plan)
    assert states(laboratory)["R"] == "suspended"


def test_moving_a_task_guards_both_graphs(laboratory: Laboratory) -> None:
    roots = tuple(task(name, schedule="5 MINUTES", state="started") for name in ("a", "b"))
    apply(laboratory, *roots, task("x", after=["a"], state="started"))
    plan = laboratory.plan({"task": [*roots, task("x", after=["b"])]})
    assert [guard.name for guard in plan.guards] == ["task graph D.S.A", "task graph D.S.B"]
    apply(laboratory, *roots, task("x", after=["b"]))
    assert states(laboratory) == {"A": "started", "B": "started", "X": "started"}


def test_finalizer_moves_with_its_root_suspended(laboratory: Laboratory) -> None:
    root = task("r", schedule="5 MINUTES", state="started")
    apply(laboratory, root, task("f", finalize="r"))
    statements = apply(laboratory, root, task("f", finalize=None))
    assert statements[1:-1] == ["ALTER TASK D.S.F UNSET FINALIZE"]
    assert states(laboratory)["R"] == "started"


def test_finalizer_that_goes_to_another_root_is_started_again(laboratory: Laboratory) -> None:
    roots = [task(name, schedule="5 MINUTES", state="started") for name in ("a", "b")]
    apply(laboratory, *roots, task("f", finalize="a", state="started"))
    document = {"task": [*roots, task("f", finalize="b", state="started")]}
    apply(laboratory, *document["task"])
    assert states(laboratory) == {"A": "started", "B": "started", "F": "started"}
    assert laboratory.plan(document).empty


@pytest.mark.parametrize(
    "definition",
    ["CALL P(PARSE_JSON('no json'))", "CALL P(PARSE_JSON('[1]'))", "CALL P(PARSE_JSON(X))", "SELECT PARSE_JSON"],
)
def test_call_without_a_json_object_names_nothing_more(definition: str) -> None:
    assert [each for each in arguments_in(definition) if each] == []


def test_text_that_names_a_later_task_is_no_cycle(laboratory: Laboratory) -> None:
    statements = apply(
        laboratory,
        task("r", schedule="5 MINUTES", definition="EXECUTE TASK D.S.X"),
        task("x", after=["r"]),
    )
    assert [text.split(" ", 3)[2] for text in statements] == ["D.S.R", "D.S.X"]


def test_graph_of_hundreds_is_planned_in_time(laboratory: Laboratory) -> None:
    tasks = [
        task("r", schedule="5 MINUTES"),
        *(task(f"x{i}", after=["r"] if i < 50 else [f"x{i - 50}"]) for i in range(300)),
    ]
    started = time.monotonic()
    plan = laboratory.plan({"task": tasks})
    assert len(plan.changes) == 301
    assert time.monotonic() - started < 20


def test_overlap_of_the_old_column_is_no_difference() -> None:
    row = {"name": "T", "definition": "SELECT 1", "allow_overlapping_execution": "true", "predecessors": "[]"}
    live = Task.from_raw(Task.from_row(row))
    both = ("ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP")
    for word, differs in ((both[0], False), (both[1], False), ("NO_OVERLAP", True)):
        body = Task(definition=SqlText("SELECT 1"), overlap_policy=Task.spec.by_name["overlap_policy"].type.parse(word))
        found = [change.path for change in body.changes(None, live, None) if change.path == "overlap_policy"]  # type: ignore[arg-type]  # neither is looked at here
        assert bool(found) is differs


def test_laws(laboratory: Laboratory) -> None:
    from hypothesis import strategies as st

    check_resource_type(
        Task,
        laboratory,
        values={"definition": st.sampled_from(("SELECT 1", "BEGIN\n  SELECT 'a;b';\nEND"))},
        skip={
            "warehouse",
            "timezone",
            "autocommit",
            "execute_as_user",
            "timestamp_type_mapping",
            *(name for name in Task.spec.by_name if name.endswith("_format") or name.startswith("serverless")),
            "error_integration",
            "success_integration",
            "multi_statement_count",
        },
        renames=False,
        max_examples=5,
    )


def test_what_this_version_cannot_read_is_a_difference_and_no_failure() -> None:
    row = {"name": "T", "definition": "it's odd", "schedule": "USING CRON 0 0 W * * UTC", "condition": None}
    live = Task.from_raw(Task.from_row(row))
    body = Task(definition=SqlText("SELECT 1"), schedule=Schedule.parse("5 MINUTES"))
    address = Address("task", (Identifier("D"), Identifier("S"), Identifier("T")))
    changes = body.changes(address, live, Context(Names(()), {}))
    assert [(change.path, change.before) for change in changes] == [
        ("schedule", "USING CRON 0 0 W * * UTC"),
        ("definition", "it's odd"),
    ]


def test_roots_are_found_in_chains_diamonds_and_never_in_cycles() -> None:
    address = {name: Address("task", (Identifier("D"), Identifier("S"), Identifier(name))) for name in "ABCDEF"}
    links = {"B": "A", "C": "AB", "D": "CB", "E": "F", "F": "E"}
    graph = Graph({address[name]: [address[each] for each in before] for name, before in links.items()})
    assert {name: sorted(root.name for root in graph.roots(address[name])) for name in "ABCDEF"} == {
        "A": ["A"],
        "B": ["A"],
        "C": ["A"],
        "D": ["A"],
        "E": [],
        "F": [],
    }
