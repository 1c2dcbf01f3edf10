from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pinky_core import (
    Action,
    BlockedPlanError,
    BoundaryError,
    Diagnostic,
    DiagnosticsError,
    Expanded,
    Plan,
    Provider,
    Registry,
    Risk,
    SecretError,
    Section,
    SectionContext,
    StalePlanError,
    hookimpl,
    make_registry,
    plan_from_json,
    plan_to_json,
)
from pinky_core.testing import FakeSession, MemorySource
from tests.kinds import REGISTRY, Plugin

BOX_A = {"name": "A", "colour": "R-e-d", "weight": "5", "comment": "", "material": "WOOD", "serial": ""}
STANDING = {"SHOW DATABASES": [{"name": "D"}], "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}]}


def manifest(scope: str = "account", target: str | None = None, **resources: Any) -> MemorySource:
    content = {"scope": scope, "resources": resources} | ({"target": target} if target else {})
    return MemorySource({"manifest.yml": json.dumps(content)})


def provider(answers: dict[str, Any] | None = None) -> Provider:
    return Provider(FakeSession(answers), registry=REGISTRY)


def statements(plan: Plan) -> list[str]:
    return [each.text for each in plan.statements()]


def codes(error: DiagnosticsError) -> list[str]:
    return [each.code for each in error.diagnostics]


def test_what_is_not_there_is_created_and_what_is_as_declared_is_left_alone():
    plan = provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).plan(
        manifest(box=[{"name": "a", "colour": "red"}, {"name": "b"}])
    )
    assert statements(plan) == ["CREATE BOX B"]
    assert plan.unchanged == 1


def test_absent_is_not_touched_and_null_unsets():
    live = {"SHOW BOXES IN ACCOUNT": [BOX_A | {"weight": "9", "comment": "old"}]}
    assert provider(live).plan(manifest(box=[{"name": "A"}])).empty
    plan = provider(live).plan(manifest(box=[{"name": "A", "weight": None, "label": None}]))
    assert statements(plan) == ["ALTER BOX A UNSET WEIGHT, COMMENT"]


def test_null_equals_what_snowflake_fills_in():
    assert provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).plan(manifest(box=[{"name": "A", "weight": None}])).empty


def test_an_inherited_parameter_is_not_a_difference_but_pinning_it_is():
    inherited = [{"key": "LIMIT", "value": "3", "level": "ACCOUNT"}]
    live = {"SHOW BOXES IN ACCOUNT": [BOX_A], "SHOW PARAMETERS IN BOX A": inherited}
    assert provider(live).plan(manifest(box=[{"name": "A", "limit": None}])).empty
    assert statements(provider(live).plan(manifest(box=[{"name": "A", "limit": 3}]))) == ["ALTER BOX A SET LIMIT = 3"]


def test_parameters_are_read_only_where_they_are_declared():
    session = FakeSession({"SHOW BOXES IN ACCOUNT": [BOX_A, BOX_A | {"name": "B"}]})
    Provider(session, registry=REGISTRY).plan(manifest(box=[{"name": "A", "limit": 1}, {"name": "B", "weight": 5}]))
    assert [each for each in session.statements if "PARAMETERS" in each] == ["SHOW PARAMETERS IN BOX A"]


def test_a_refused_change_is_destructive_and_blocked_unless_allowed():
    live = {"SHOW BOXES IN ACCOUNT": [BOX_A]}
    source = manifest(box=[{"name": "A", "serial": 7}])
    plan = provider(live).plan(source)
    [change] = plan.changes
    assert (change.action, change.risk, change.loses) == (Action.REPLACE, Risk.DESTRUCTIVE, "its serial number")
    with pytest.raises(BlockedPlanError, match="box A"):
        provider(live).apply(source)
    for allowed in ("destructive", "destructive:box", "destructive:box A"):
        assert not plan.blocked([allowed])
    assert plan.blocked(["destructive:item", "destructive:box B", "table"])


def test_a_rename_keeps_the_object_and_what_else_differs_follows():
    plan = provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).plan(
        manifest(box=[{"name": "B", "renamed_from": "A", "weight": 6}])
    )
    assert statements(plan) == ["ALTER BOX A RENAME TO B", "ALTER BOX B SET WEIGHT = 6"]
    assert plan.changes[0].action is Action.RENAME


def test_a_rename_to_a_name_that_is_taken_is_told():
    live = {"SHOW BOXES IN ACCOUNT": [BOX_A, BOX_A | {"name": "B"}]}
    [warning] = provider(live).plan(manifest(box=[{"name": "B", "renamed_from": "A"}])).diagnostics
    assert "nothing is renamed" in warning.summary
    swap = manifest(box=[{"name": "B", "renamed_from": "A"}, {"name": "A", "renamed_from": "B"}])
    with pytest.raises(DiagnosticsError, match="swap names"):
        provider(live).plan(swap)


def test_after_a_rename_the_hint_may_stay():
    live = {"SHOW BOXES IN ACCOUNT": [BOX_A | {"name": "B"}]}
    assert provider(live).plan(manifest(box=[{"name": "B", "renamed_from": "A"}])).empty


def test_order_of_the_manifest_does_not_matter():
    documents = [{"name": f"I{n}", "after": [f"I{n - 1}"] if n else []} for n in range(20)]
    plans = []
    for seed in range(3):
        shuffled = documents[:]
        random.Random(seed).shuffle(shuffled)
        plans.append(plan_to_json(provider(STANDING).plan(manifest("schema", "D.S", item=shuffled))))
    assert plans[0] == plans[1] == plans[2]
    assert [change.address.name for change in plan_from_json(plans[0]).changes] == [f"I{n}" for n in range(20)]


def test_a_plan_survives_json():
    plan = provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).plan(
        manifest(box=[{"name": "A", "weight": 6}, {"name": "N", "key": "env:K"}])
    )
    again = plan_from_json(plan_to_json(plan))
    assert plan_to_json(again) == plan_to_json(plan)
    assert again.statements() == plan.statements()


def test_a_saved_plan_is_refused_after_the_world_moved():
    source = manifest(box=[{"name": "A", "weight": 6}])
    plan = plan_from_json(plan_to_json(provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).plan(source)))
    assert provider({"SHOW BOXES IN ACCOUNT": [BOX_A]}).apply(plan).ok
    with pytest.raises(StalePlanError, match="box A: weight changed"):
        provider({"SHOW BOXES IN ACCOUNT": [BOX_A | {"weight": "7"}]}).apply(plan)
    with pytest.raises(StalePlanError, match="no longer there"):
        provider().apply(plan)


def test_orphans_are_listed_and_dropped_only_with_prune_and_permission():
    live = STANDING | {"SHOW ITEMS IN SCHEMA D.S": [{"name": "I"}, {"name": "OLD"}]}
    source = manifest("schema", "D.S", item=[{"name": "I"}])
    plan = provider(live).plan(source)
    assert plan.empty
    assert [str(each) for each in plan.orphans] == ["item D.S.OLD"]
    pruned = provider(live).plan(source, prune=True)
    assert statements(pruned) == ["DROP ITEM D.S.OLD"]
    with pytest.raises(BlockedPlanError):
        provider(live).apply(source, prune=True)


def test_what_others_need_is_dropped_after_them():
    rows = [{"name": "A"}, {"name": "B", "after": "A"}, {"name": "C", "after": "B"}, {"name": "KEPT"}]
    live = STANDING | {"SHOW ITEMS IN SCHEMA D.S": rows}
    plan = provider(live).plan(manifest("schema", "D.S", item=[{"name": "KEPT"}]), prune=True)
    assert statements(plan) == ["DROP ITEM D.S.C", "DROP ITEM D.S.B", "DROP ITEM D.S.A"]
    assert [[each.name for each in change.needs] for change in plan.changes] == [[], ["C"], ["B"]]


def test_a_container_that_is_neither_visible_nor_declared_is_an_error_and_nothing_is_planned():
    with pytest.raises(DiagnosticsError) as caught:
        provider({"SHOW DATABASES": [{"name": "D"}]}).plan(manifest("schema", "D.S", item=[{"name": "I"}]))
    assert codes(caught.value) == ["not-visible"]
    assert "TESTER_ROLE" in str(caught.value)
    assert "schema D.S" in str(caught.value)


def test_a_container_that_the_manifest_makes_is_simply_not_there_yet():
    plan = provider().plan(
        manifest("account", None, database=[{"name": "D"}], schema=[{"name": "D.S"}], item=[{"name": "D.S.I"}])
    )
    assert [str(change.address) for change in plan.changes] == ["database D", "schema D.S", "item D.S.I"]


def with_section(scope: str = "schema") -> Registry:
    def expand(value: Any, context: SectionContext) -> Iterable[Expanded]:
        for index, name in enumerate(value):
            if name == "forbidden":
                raise ValueError("a pile may not be named so")
            yield Expanded("item", {"name": name, "text": "SELECT 1"}, "piles", (index,))

    class Piles:
        @hookimpl
        def pinky_manifest_sections(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            return [Section("piles", {"type": "array", "items": {"type": "string"}}, expand, scope)]

    return make_registry({"kinds": Plugin(), "piles": Piles()})


def test_hook_manifest_sections_expand_into_resources_that_say_where_they_come_from():
    source = MemorySource({"manifest.yml": "scope: schema\ntarget: D.S\npiles: [a, b]\n"})
    plan = Provider(FakeSession(STANDING), registry=with_section()).plan(source)
    assert [(str(each.address), each.reason) for each in plan.changes] == [
        ("item D.S.A", "declared, not there (from piles)"),
        ("item D.S.B", "declared, not there (from piles)"),
    ]


@pytest.mark.parametrize(
    ("text", "scope", "message"),
    [
        ("piles: [a, 5]", "schema", "manifest.yml:3:12: error[wrong-type]"),
        ("piles: [forbidden]", "schema", "a pile may not be named so"),
        ("piles: [a, a]", "schema", "manifest.yml:3:12: error[duplicate]"),
        ("piles: [a]", "account", "the section piles needs a manifest of scope account"),
        ("pile: [a]", "schema", "Did you mean 'piles'?"),
    ],
)
def test_mistakes_in_a_section_have_places(text: str, scope: str, message: str):
    source = MemorySource({"manifest.yml": f"scope: schema\ntarget: D.S\n{text}\n"})
    session = FakeSession(STANDING)
    with pytest.raises(DiagnosticsError) as caught:
        Provider(session, registry=with_section(scope)).plan(source)
    assert message in str(caught.value)
    assert session.statements == []


def test_what_lies_in_a_renamed_container_is_known_under_its_new_name():
    live = {
        "SHOW DATABASES": [{"name": "D"}],
        "SHOW SCHEMAS IN DATABASE D": [{"name": "S"}],
        "SHOW ITEMS IN SCHEMA D.S": [{"name": "I"}],
    }
    source = manifest(
        database=[{"name": "E", "renamed_from": "D"}],
        schema=[{"name": "E.T", "renamed_from": "S"}],
        item=[{"name": "E.T.I"}, {"name": "E.T.NEW"}],
    )
    plan = provider(live).plan(source)
    assert statements(plan) == [
        "ALTER DATABASE D RENAME TO E",
        "ALTER SCHEMA E.S RENAME TO E.T",
        "CREATE ITEM E.T.NEW",
    ]
    assert provider(live).apply(plan).ok


def test_a_plan_of_another_scope_is_refused_by_a_narrow_provider():
    class Narrow(Provider):
        scopes = ("schema",)

    plan = provider().plan(manifest(box=[{"name": "A"}]))
    session = FakeSession()
    with pytest.raises(BoundaryError, match="scope account"):
        Narrow(session, registry=REGISTRY).apply(plan)
    assert session.statements == []


def test_nine_mistakes_at_once_each_with_its_place_and_not_one_statement(tmp_path: Path):
    (tmp_path / "manifest.yml").write_text(
        """\
scope: schema
target: D.S
resources:
  item:
    - {name: unknown_field, colour: red}
    - {name: wrong_type, after: 3}
    - {name: "{{ vars.missing }}"}
    - {name: twice}
    - {name: twice}
    - {name: c1, after: [c2]}
    - {name: c2, after: [c1]}
    - {name: lost, depends_on: [item twise]}
    - {name: wrong_form, renamed_from: "no name"}
  box:
    - {name: B}
  itme:
    - {name: X}
""",
        encoding="utf-8",
    )
    session = FakeSession()
    with pytest.raises(DiagnosticsError) as caught:
        Provider(session, registry=REGISTRY).plan(tmp_path)
    found = {each.code: each for each in caught.value.diagnostics}
    assert set(found) == {
        "unknown-field", "wrong-type", "missing-variable", "duplicate", "cycle", "unknown-reference", "wrong-scope",
        "unknown-kind", "bad-name",
    }  # fmt: skip
    assert len(caught.value.diagnostics) == 9
    assert all(each.location is not None and each.location.line > 3 for each in caught.value.diagnostics)
    assert "Did you mean 'item'?" in found["unknown-kind"].hint
    assert "Did you mean 'item TWICE'?" in found["unknown-reference"].hint
    assert session.statements == []


def test_a_wrong_keyword_names_the_nearest():
    with pytest.raises(DiagnosticsError) as caught:
        provider().plan(manifest(box=[{"name": "A", "colour": "blu"}]))
    assert "Did you mean 'BLUE'?" in str(caught.value)


def test_a_secret_is_a_reference_never_a_value():
    with pytest.raises(DiagnosticsError) as caught:
        provider().plan(manifest(box=[{"name": "A", "key": "hunter2-plain-text"}]))
    assert "reference" in str(caught.value).lower()


def test_a_secret_without_a_value_stops_the_run_before_its_first_statement(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PINKY_TEST_ONE", raising=False)
    monkeypatch.delenv("PINKY_TEST_TWO", raising=False)
    source = manifest(
        box=[{"name": "A"}, {"name": "B", "key": "env:PINKY_TEST_ONE"}, {"name": "C", "key": "env:PINKY_TEST_TWO"}]
    )
    session = FakeSession()
    with pytest.raises(SecretError, match=r"nothing was run.*PINKY_TEST_ONE.*PINKY_TEST_TWO"):
        Provider(session, registry=REGISTRY).apply(source)
    assert session.changes == []


def test_a_secret_that_was_written_out_is_never_repeated():
    planted = "AKIA-planted 0815"
    with pytest.raises(DiagnosticsError) as caught:
        provider().plan(
            manifest(
                box=[{"name": "A", "key": planted}, {"name": "B", "key": 4711}, {"name": "C", "key": f"me:{planted}"}]
            )
        )
    assert codes(caught.value) == ["secret-written-out"] * 3
    assert planted not in str(caught.value)
    assert "4711" not in str(caught.value)


def test_hook_check_resources_and_check_plan_can_stop_a_run():
    class Checks:
        @hookimpl
        def pinky_check_resources(self, resources):  # type: ignore[no-untyped-def]  # a plugin in a test
            return [Diagnostic.error("x", f"{len(resources)} resources")]

    class PlanChecks:
        @hookimpl
        def pinky_check_plan(self, plan):  # type: ignore[no-untyped-def]  # a plugin in a test
            return [Diagnostic.error("y", f"{len(plan.changes)} changes")]

    source = manifest(box=[{"name": "A"}])
    with pytest.raises(DiagnosticsError, match="1 resources"):
        Provider(FakeSession(), registry=make_registry({"kinds": Plugin(), "checks": Checks()})).plan(source)
    checked = Provider(FakeSession(), registry=make_registry({"kinds": Plugin(), "checks": PlanChecks()}))
    assert [each.summary for each in checked.plan(source).diagnostics] == ["1 changes"]
    with pytest.raises(DiagnosticsError, match="1 changes"):
        checked.apply(source)


def test_hook_change_applied_hears_of_every_change_and_cannot_break_the_run():
    heard = []

    class Listener:
        @hookimpl
        def pinky_change_applied(self, event):  # type: ignore[no-untyped-def]  # a plugin in a test
            heard.append((event.name, event.outcome.value))
            raise RuntimeError("listener is broken")

    registry = make_registry({"kinds": Plugin(), "listener": Listener()})
    report = Provider(FakeSession(), registry=registry).apply(manifest(box=[{"name": "A"}, {"name": "B"}]))
    assert report.ok
    assert heard == [("box A", "applied"), ("box B", "applied")]


def test_statements_of_a_plan_do_not_grow_with_the_objects():
    def count(n: int) -> int:
        rows = [{"name": f"I{i}"} for i in range(n)]
        session = FakeSession(STANDING | {"SHOW ITEMS IN SCHEMA D.S": rows})
        Provider(session, registry=REGISTRY).plan(manifest("schema", "D.S", item=[{"name": f"I{i}"} for i in range(n)]))
        return len(session.statements)

    assert count(10) == count(1000)
