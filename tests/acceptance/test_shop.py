"""The example over three scopes: applied, idempotent, safe against death, faults and a moving world."""

from __future__ import annotations

import random

import pytest
from pinky_local import LocalAccount
from pinky_local.faults import DropAfter, DropBefore, FaultRule, Status

from pinky_core import Action, Outcome, StalePlanError, plan_from_json, plan_to_json
from tests.acceptance.world import SHOP, DirectSession, DyingSession, Killed, differences, dump, engine, provider

SECRET = "planted-secret-7f3a"


@pytest.fixture(autouse=True)
def planted_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PAYMENT_API_KEY", SECRET)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch, engine() as account:
        patch.setenv("SHOP_PAYMENT_API_KEY", SECRET)
        session = DirectSession(account)
        assert provider(session).apply(SHOP, env="DEV").ok
        return dump(session)


def test_the_example_applies_through_the_connector_and_the_second_plan_is_empty():
    with LocalAccount() as account, account.connect() as connection:
        pinky = provider(connection)
        plan = pinky.plan(SHOP, env="DEV")
        assert len(plan.changes) >= 40
        assert {change.action for change in plan.changes} == {Action.CREATE}
        assert {pinky.registry.kinds[change.address.kind].spec.scope for change in plan.changes} == {
            "account",
            "database",
            "schema",
        }
        report = pinky.apply(plan)
        assert [(event.name, event.error, event.because) for event in report.of(Outcome.FAILED)] == []
        assert report.ok
        second = pinky.plan(SHOP, env="DEV")
        assert differences(second) == []
        assert second.unchanged == len(plan.changes)
        assert account.internal_errors == []


def test_the_other_environment_is_another_database_beside_the_first():
    with engine() as account:
        session = DirectSession(account)
        assert provider(session).apply(SHOP, env="DEV").ok
        assert provider(session).apply(SHOP, env="PROD").ok
        assert provider(session).plan(SHOP, env="DEV").empty
        names = {name for (name,) in session.execute("SHOW DATABASES").pick("name")}
        assert {"SHOP_DEV", "SHOP_PROD"} <= names


def test_the_secret_appears_nowhere_but_in_its_statement():
    with LocalAccount() as account, account.connect() as connection:
        pinky = provider(connection)
        plan = pinky.plan(SHOP, env="DEV")
        events = []
        report = pinky.apply(plan, on_event=events.append)
        shown = [plan_to_json(plan), repr(plan), repr(report), repr(events), *account.journal.statements()]
        assert [text[:80] for text in shown if SECRET in text] == []
        assert sum(SECRET in text for text in account.journal.statements(raw=True)) == 1


def changing_statements() -> int:
    with engine() as account:
        session = DirectSession(account)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SHOP_PAYMENT_API_KEY", SECRET)
            provider(session).apply(SHOP, env="DEV")
        return sum(not each.startswith(("SHOW", "DESC", "SELECT")) for each in session.statements)


@pytest.mark.parametrize("part", range(4))
def test_killed_before_any_statement_and_applied_again_the_end_is_the_same(part: int, undisturbed: dict[str, object]):
    count = changing_statements()
    assert count >= 40
    for survives in range(part, count, 4):
        with engine() as account:
            session = DirectSession(account)
            with pytest.raises(Killed):
                provider(DyingSession(session, survives)).apply(SHOP, env="DEV")
            assert provider(session).apply(SHOP, env="DEV").ok, f"after dying before statement {survives + 1}"
            assert dump(session) == undisturbed, f"after dying before statement {survives + 1}"


def test_a_saved_plan_is_refused_after_the_world_moved_and_says_what_changed():
    with engine() as account:
        session = DirectSession(account)
        pinky = provider(session)
        pinky.apply(SHOP, env="DEV")
        session.execute("ALTER WAREHOUSE SHOP_DEV_LOAD SET AUTO_SUSPEND = 999")
        saved = plan_from_json(plan_to_json(pinky.plan(SHOP, env="DEV")))
        session.execute("ALTER WAREHOUSE SHOP_DEV_LOAD SET AUTO_SUSPEND = 998")
        with pytest.raises(StalePlanError, match="warehouse SHOP_DEV_LOAD: auto_suspend changed"):
            pinky.apply(saved)
        assert pinky.apply(pinky.plan(SHOP, env="DEV")).ok


@pytest.mark.parametrize("seed", range(3))
def test_with_random_faults_the_end_is_the_same_and_nothing_is_applied_twice(seed: int, undisturbed: dict[str, object]):
    chance = random.Random(seed)
    actions = [Status(503), Status(429), DropBefore(), DropAfter()]
    with LocalAccount(data=False) as account, account.connect() as connection:
        for action in actions:
            account.faults.add(FaultRule(action=action, probability=0.03, times=None, seed=chance.randrange(1000)))
        report = provider(connection).apply(SHOP, env="DEV")
        account.faults.clear()
        assert report.ok, [event.error for event in report.of(Outcome.FAILED)]
        applied = [s for s in account.journal.statements() if not s.startswith(("SHOW", "DESC", "SELECT"))]
        assert sorted(set(applied)) == sorted(applied)
        assert dump(DirectSession(account.engine)) == undisturbed
        assert provider(connection).plan(SHOP, env="DEV").empty
