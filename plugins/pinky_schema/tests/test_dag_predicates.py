"""Predicates of conditional schedules: what they mean on every day, and those of other plugins."""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from datetime import date, timedelta

import pinky_schema
import pytest
from pinky_local.account import LocalAccount
from pinky_schema import Predicate
from pinky_schema.dag_predicates import BUILT_IN, predicate_words

from pinky_core import PluginError, hookimpl, make_registry, validate_manifest
from pinky_core.testing import MemorySource

pytest.importorskip("duckdb")


def business(day: date) -> bool:
    return day.weekday() < 5


def days_of_month(day: date) -> list[date]:
    return [day.replace(day=number) for number in range(1, calendar.monthrange(day.year, day.month)[1] + 1)]


MEANINGS: dict[str, Callable[[date], bool]] = {
    "always": lambda day: True,
    "business_day": business,
    "weekend": lambda day: not business(day),
    "first_of_month": lambda day: day.day == 1,
    "last_of_month": lambda day: day == days_of_month(day)[-1],
    "first_business_day": lambda day: day == next(filter(business, days_of_month(day))),
    "last_business_day": lambda day: day == list(filter(business, days_of_month(day)))[-1],
}


def test_every_predicate_holds_on_the_days_it_says_and_on_no_other():
    days = [date(2023, 12, 1) + timedelta(days=number) for number in range(1200)]
    columns = ", ".join(f"{each.sql.replace('{today}', 'D')} AS {each.name}" for each in BUILT_IN)
    rows = ", ".join(f"('{day}'::DATE)" for day in days)
    with LocalAccount() as account, account.connect() as connection:
        cursor = connection.cursor().execute(f"SELECT {columns} FROM (VALUES {rows}) AS T (D) ORDER BY D")
        found = cursor.fetchall()
    assert {each.name for each in BUILT_IN} == set(MEANINGS)
    for column, predicate in enumerate(BUILT_IN):
        wrong = [day for day, row in zip(days, found, strict=True) if row[column] != MEANINGS[predicate.name](day)]
        assert wrong == [], predicate.name


@pytest.mark.parametrize("predicate", BUILT_IN, ids=lambda each: each.name)
def test_the_time_zone_decides_which_day_it_is(predicate: Predicate):
    """Between these two zones lie 26 hours, so that they never have the same date."""
    today = "TO_DATE(CONVERT_TIMEZONE('{}', CURRENT_TIMESTAMP()))"
    zones = ("Etc/GMT+12", "Pacific/Kiritimati")
    columns = [f"{today.format(zone)}::VARCHAR, {predicate.in_zone(zone)}" for zone in zones]
    with LocalAccount() as account, account.connect() as connection:
        row = connection.cursor().execute(f"SELECT {', '.join(columns)}").fetchone()
    assert row[0] < row[2]
    for text, holds in (row[:2], row[2:]):
        assert holds == MEANINGS[predicate.name](date.fromisoformat(text))


class Closing:
    """A plugin with a predicate of its own."""

    predicate = Predicate(
        "quarter_end", "MONTH({today}) % 3 = 0 AND {now} IS NOT NULL", "In the last month of a quarter."
    )

    @hookimpl
    def pinky_dag_predicates(self):  # type: ignore[no-untyped-def]  # a plugin in a test
        return [self.predicate]


def test_a_predicate_of_another_plugin_is_a_word_like_ours():
    registry = make_registry({"pinky_schema": pinky_schema, "acme": Closing()})
    dag = {
        "trigger": {"schedule": "1 HOUR", "when": "quarter_end"},
        "timezone": "Europe/Paris",
        "steps": [{"name": "A", "procedure": "P"}],
    }
    text = json.dumps({"scope": "schema", "target": "D.S", "dag": dag})
    desired = validate_manifest(MemorySource({"manifest.yml": text}), registry)
    (root,) = (each.body for each in desired.resources if str(each.address) == "task D.S.PIPELINE")
    now = "CONVERT_TIMEZONE(''Europe/Paris'', CURRENT_TIMESTAMP())"
    assert f'"when": "MONTH(TO_DATE({now})) % 3 = 0 AND {now} IS NOT NULL"' in root.definition  # type: ignore[attr-defined]
    schema = registry.section_schemas()["dag"]["properties"]["trigger"]["properties"]["when"]
    assert "quarter_end" in schema["enum"]
    assert "quarter_end: In the last month of a quarter." in schema["description"]
    words = {word.name: word.brought_by for word in predicate_words(registry.manager.hook)}
    assert (words["quarter_end"], words["weekend"]) == ("acme", "pinky_schema")


def test_two_plugins_that_claim_one_predicate_are_both_named():
    class Twice(Closing):
        predicate = Predicate("weekend", "TRUE", "Whenever.")

    registry = make_registry({"pinky_schema": pinky_schema, "acme": Twice()})
    with pytest.raises(PluginError, match="pinky_schema and acme both define the predicate 'weekend'"):
        registry.section_schemas()


def test_a_plugin_that_gives_something_else_is_named():
    class Wrong(Closing):
        predicate = "weekend"  # type: ignore[assignment]  # what a plugin may do wrong

    registry = make_registry({"pinky_schema": pinky_schema, "acme": Wrong()})
    with pytest.raises(PluginError, match="'acme' gives 'weekend', which is not a Predicate"):
        registry.section_schemas()
