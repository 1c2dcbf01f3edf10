"""Notifications: each event ends where the catalogue says, once, in the table and in the outbox of the account."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("snowflake.snowpark", reason="NOTIFY is a Python procedure and needs Snowpark")

import sys

from pinky_local.account import LocalAccount
from pinky_local.faults import EndProcedure, SqlFault
from pinky_schema import SchemaProvider
from pinky_schema.notification_events import EVENTS
from pinky_schema.notifications import notify
from snowflake.connector.errors import ProgrammingError

from pinky_core import DiagnosticsError
from pinky_core.testing import MemorySource

sys.path.insert(0, str(Path(__file__).parent))
from graph_world import graph_world, step

MANIFEST = {
    "scope": "schema",
    "contacts": {
        "STEWARD": {"email": "ana@acme.example"},
        "SUPPORT": {"url": "https://portal.example/support"},
        "APPROVER": {"url": "https://portal.example/users"},
        "SECURITY_COMPLIANCE": {"url": "https://portal.example/security"},
    },
    "notifications": {
        "email_integration": "MAIL",
        "events": {"REPORT_READY": {"title": "A report is ready", "severity": "WARNING"}},
    },
}
MAILED = {"FAILED_PAYMENT", "QUOTA_EXCEEDED", "UNSUBSCRIPTION_CONFIRMED"}
CENTRE = "SELECT EVENT, CHANNEL, STATUS, URL, SEVERITY FROM D.S.NOTIFICATIONS ORDER BY CREATED_AT, EVENT"


class Centre:
    """A schema with the section, and what became of notifications."""

    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        self.connection = account.connect(warehouse="W", paramstyle="qmark")

    def run(self, text: str, *values: Any) -> list[Any]:
        return list(self.connection.cursor().execute(text, values or None).fetchall())

    def apply(self, **sections: Any) -> None:
        provider = SchemaProvider(self.connection)
        source = MemorySource({"manifest.yml": json.dumps({**MANIFEST, **sections})})
        assert provider.apply(source, "D.S").ok
        assert provider.plan(source, "D.S").empty

    def notify(self, event: str, key: str | None = None, payload: Any = None) -> dict[str, Any]:
        with self.account.connect(warehouse="W", paramstyle="qmark") as connection:
            call = "CALL D.S.NOTIFY(?, PARSE_JSON(?), ?)"
            ((found,),) = connection.cursor().execute(call, (event, json.dumps(payload or {}), key)).fetchall()
        told: dict[str, Any] = json.loads(found)
        return told

    def mails(self) -> list[tuple[str, Sequence[str]]]:
        return [(each["message"]["subject"], each["message"]["to"]) for each in self.account.outbox]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAccount]:
    with LocalAccount() as account, account.connect() as connection:
        for text in (
            "CREATE DATABASE D", "CREATE WAREHOUSE W", "CREATE USER ANA EMAIL = 'ana@acme.example'",
            "CREATE NOTIFICATION INTEGRATION MAIL TYPE = EMAIL ENABLED = TRUE",
        ):  # fmt: skip
            connection.cursor().execute(text)
        account.verify_email("ANA")
        yield account
        assert not account.internal_errors


@pytest.fixture
def centre(running: LocalAccount) -> Iterator[Centre]:
    made = Centre(running)
    made.run("CREATE OR REPLACE SCHEMA D.S")
    made.apply()
    running.engine.scheduler.outbox.clear()  # type: ignore[attr-defined]
    yield made
    running.faults.clear()
    made.connection.close()


def test_each_event_ends_where_the_catalogue_says_and_only_there(centre: Centre) -> None:
    events = [*EVENTS, "REPORT_READY"]
    for event in events:
        assert centre.notify(event, "k")["duplicate"] is False
        assert centre.notify(event.lower(), "k")["duplicate"] is True
    rows = {row[0]: row[1:] for row in centre.run(CENTRE)}
    assert set(rows) == set(events)
    assert {event for event, row in rows.items() if row[:2] == ("EMAIL", "SENT")} == MAILED
    assert all(row[:2] == ("CENTRE", "NEW") for event, row in rows.items() if event not in MAILED)
    assert sorted(centre.mails()) == sorted((EVENTS[event]["title"], ["ana@acme.example"]) for event in MAILED)
    assert rows["ACCESS_REQUESTED"][2:] == ("https://portal.example/users", "INFO")
    assert rows["SECURITY_ALERT"][2:] == ("https://portal.example/security", "CRITICAL")
    assert rows["TASK_GRAPH_FAILED"][2] == "https://portal.example/support"
    assert rows["REPORT_READY"][2:] == ("https://portal.example/support", "WARNING")


def test_contacts_are_those_of_the_moment_and_inherited_ones_count(centre: Centre) -> None:
    centre.run("ALTER CONTACT D.S.SUPPORT SET URL = 'https://new.example'")
    centre.notify("MAINTENANCE_PLANNED")
    centre.run("CREATE CONTACT D.PUBLIC.EVERYBODYS URL = 'https://all.example'")
    centre.run("ALTER DATABASE D SET CONTACT SUPPORT = D.PUBLIC.EVERYBODYS")
    centre.run("ALTER SCHEMA D.S UNSET CONTACT SUPPORT")
    centre.notify("MAINTENANCE_PLANNED")
    assert [row[3] for row in centre.run(CENTRE)] == ["https://new.example", "https://all.example"]
    centre.run("ALTER DATABASE D UNSET CONTACT SUPPORT")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER SCHEMA D.S UNSET CONTACT STEWARD", "has no contact for STEWARD"),
        ("ALTER CONTACT D.S.STEWARD SET URL = 'https://x.example'", "is reached by a URL"),
        ("ALTER CONTACT D.S.STEWARD SET USERS = ('ANA')", "is users, whose addresses"),
        ("ALTER CONTACT D.S.STEWARD SET EMAIL_DISTRIBUTION_LIST = 'no@where.example'", "must be a verified one"),
        ("ALTER NOTIFICATION INTEGRATION MAIL SET ENABLED = FALSE", "no enabled integration"),
    ],
)
def test_where_no_mail_can_be_sent_the_centre_says_why_and_nothing_fails(
    centre: Centre, change: str, reason: str
) -> None:
    centre.run(change)
    try:
        told = centre.notify("FAILED_PAYMENT", "invoice 7", {"message": "Card declined"})
    finally:
        centre.run("ALTER NOTIFICATION INTEGRATION MAIL SET ENABLED = TRUE")
    assert (told["channel"], told["status"]) == ("EMAIL", "NOT_SENT")
    assert reason in told["reason"]
    assert centre.run("SELECT STATUS, BODY, REASON FROM D.S.NOTIFICATIONS") == [
        ("NOT_SENT", "Card declined", told["reason"])
    ]
    assert centre.mails() == []


def test_calls_at_once_tell_once(centre: Centre) -> None:
    told: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: told.append(centre.notify("FAILED_PAYMENT", "k"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each["duplicate"] for each in told) == [False, True, True, True]
    assert len(centre.run(CENTRE)) == 1
    assert len(centre.mails()) == 1


def test_a_call_that_ends_anywhere_is_made_good_by_the_next(centre: Centre) -> None:
    start = len(centre.account.journal)
    centre.notify("FAILED_PAYMENT", "first")
    sent = [each for each in centre.account.journal.entries(start) if each.procedure is not None]
    assert len(sent) >= 7
    for number in range(1, len(sent) + 1):
        key = f"k{number}"
        before = len(centre.mails())
        centre.account.faults.inject(EndProcedure(), at=number)
        with pytest.raises(ProgrammingError):
            centre.notify("FAILED_PAYMENT", key)
        centre.account.faults.clear()
        centre.notify("FAILED_PAYMENT", key)
        centre.account.advance(301)
        centre.notify("FAILED_PAYMENT", key)
        rows = centre.run("SELECT STATUS FROM D.S.NOTIFICATIONS WHERE EVENT_KEY = ?", key)
        assert rows == [("SENT",)], number
        # twice only where the call died between sending and marking: BEGIN, UPDATE, COMMIT
        assert len(centre.mails()) - before == (2 if number > len(sent) - 3 else 1), number


CALL = "CALL D.S.NOTIFY('FAILED_PAYMENT', NULL, 'k')"


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_transaction_of_the_caller_neither_stops_it_nor_undoes_it(centre: Centre, end: str) -> None:
    centre.run("CREATE TABLE D.S.PAYMENTS (ID INT)")
    centre.run("BEGIN TRANSACTION")
    centre.run("INSERT INTO D.S.PAYMENTS SELECT 1")
    assert json.loads(centre.run(CALL)[0][0])["status"] == "SENT"
    centre.run(end)
    assert centre.run("SELECT COUNT(*) FROM D.S.PAYMENTS") == [(1 if end == "COMMIT" else 0,)]
    assert centre.run("SELECT STATUS FROM D.S.NOTIFICATIONS") == [("SENT",)]
    assert json.loads(centre.run(CALL)[0][0])["duplicate"] is True
    assert len(centre.mails()) == 1


def test_without_autocommit_it_is_told_once_all_the_same(centre: Centre) -> None:
    centre.run("ALTER SESSION SET AUTOCOMMIT = FALSE")
    assert json.loads(centre.run(CALL)[0][0])["status"] == "SENT"
    centre.account.advance(301)
    assert json.loads(centre.run(CALL)[0][0])["duplicate"] is True
    centre.run("ROLLBACK")
    assert centre.notify("FAILED_PAYMENT", "k")["status"] == "SENT"
    assert len(centre.mails()) == 1


def test_a_mail_that_failed_is_sent_by_a_later_call(centre: Centre) -> None:
    centre.run("ALTER NOTIFICATION INTEGRATION MAIL SET ENABLED = FALSE")
    assert centre.notify("FAILED_PAYMENT", "k")["status"] == "NOT_SENT"
    centre.run("ALTER NOTIFICATION INTEGRATION MAIL SET ENABLED = TRUE")
    soon = centre.notify("FAILED_PAYMENT", "k")
    assert (soon["status"], soon["duplicate"]) == ("NOT_SENT", True)
    centre.account.advance(301)
    assert centre.notify("FAILED_PAYMENT", "k")["status"] == "SENT"
    centre.account.advance(301)
    assert centre.notify("FAILED_PAYMENT", "k")["duplicate"] is True
    assert len(centre.mails()) == 1


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        ("NULL", "Maintenance is planned"),
        ("PARSE_JSON('null')", "Maintenance is planned"),
        ("PARSE_JSON('[1, 2]')", "[1, 2]"),
        ("PARSE_JSON('5')", "5"),
        ("TO_VARIANT('At night')", "At night"),
        ("PARSE_JSON('{\"message\": [1], \"title\": {\"a\": 1}}')", "[1]"),
    ],
)
def test_any_payload_is_told(centre: Centre, payload: str, body: str) -> None:
    centre.run(f"CALL D.S.NOTIFY('MAINTENANCE_PLANNED', {payload}, 'k')")
    assert centre.run("SELECT BODY, URL FROM D.S.NOTIFICATIONS") == [(body, "https://portal.example/support")]


@pytest.mark.parametrize("url", [["x"], {"a": 1}, 5, "javascript:alert(1)", "", None])
def test_what_is_no_link_is_none(centre: Centre, url: Any) -> None:
    centre.notify("MAINTENANCE_PLANNED", "k", {"url": url})
    assert centre.run("SELECT URL FROM D.S.NOTIFICATIONS") == [("https://portal.example/support",)]


def test_without_contacts_it_is_told_all_the_same(centre: Centre) -> None:
    centre.account.faults.inject(SqlFault(3001, "42501", "no"), match="GET_CONTACTS", procedure="NOTIFY", times=1)
    told = centre.notify("FAILED_PAYMENT", "k")
    assert told["status"] == "NOT_SENT"
    assert "the contact for STEWARD cannot be read" in told["reason"]
    assert centre.run("SELECT STATUS, URL FROM D.S.NOTIFICATIONS") == [("NOT_SENT", None)]


def test_it_waits_where_too_many_wait(centre: Centre) -> None:
    centre.account.faults.inject(SqlFault(625, "57014", "too many"), match="^UPDATE", procedure="NOTIFY", times=2)
    assert centre.notify("MAINTENANCE_PLANNED", "k")["duplicate"] is False
    assert len(centre.run(CENTRE)) == 1


def test_payloads_are_data(centre: Centre) -> None:
    hostile = ["'); DROP TABLE D.S.NOTIFICATIONS; --", "a\nb", "{{ vars.x }}", '"', "\\", "é" * 100_000, ""]
    for number, text in enumerate(hostile):
        centre.notify("MAINTENANCE_PLANNED", f"k'{number}", {"message": text, "title": text[:200], "more": [text]})
    found = centre.run("SELECT PAYLOAD FROM D.S.NOTIFICATIONS ORDER BY CREATED_AT")
    assert [json.loads(row[0])["more"] for row in found] == [[text] for text in hostile]


@pytest.mark.parametrize("title", ["'''); raise SystemExit('''", '"""', "\\", "$$", "{x}", "é\n\\n"], ids=ascii)
def test_titles_of_events_are_data_in_the_body_of_the_procedure(centre: Centre, title: str) -> None:
    centre.apply(notifications={"events": {"REPORT_READY": {"title": title}}})
    centre.notify("REPORT_READY")
    assert centre.run("SELECT TITLE FROM D.S.NOTIFICATIONS") == [(title,)]


def test_an_unknown_event_is_refused_with_the_nearest(centre: Centre) -> None:
    with pytest.raises(ProgrammingError, match="did you mean FAILED_PAYMENT"):
        centre.notify("FAILED_PAYMENTS")
    assert centre.run(CENTRE) == []


def test_what_expired_is_deleted_by_the_next_notification(centre: Centre) -> None:
    centre.apply(notifications={"retention_days": 1})
    centre.notify("MAINTENANCE_PLANNED", "old")
    centre.run("UPDATE D.S.NOTIFICATIONS SET EXPIRES_AT = DATEADD(DAY, -1, CURRENT_TIMESTAMP())")
    centre.notify("MAINTENANCE_PLANNED", "new")
    assert centre.run("SELECT EVENT_KEY FROM D.S.NOTIFICATIONS") == [("new",)]


def test_the_library_calls_the_procedure(centre: Centre) -> None:
    from snowflake.snowpark import Session

    session = Session.builder.configs(centre.account.connection_parameters(warehouse="W", paramstyle="qmark")).create()
    try:
        told = notify(session, "ACCESS_REQUESTED", schema="D.S", payload={"who": "bob"}, key="1")
        with pytest.raises(ValueError, match=r"expected DB\.SCHEMA"):
            notify(session, "ACCESS_REQUESTED", schema="S")
    finally:
        session.close()
    assert (told["status"], told["duplicate"]) == ("NEW", False)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"events": {"FAILED_PAYMENT": {"title": "x"}}}, "is an event of the catalogue"),
        ({"events": {"A B": {"title": "x"}}}, "is no name of an event"),
        ({"email_integration": "D.S.MAIL"}, "an integration has one"),
        ({"retention": 3}, "Did you mean 'retention_days'"),
    ],
)
def test_mistakes_have_places(centre: Centre, section: Any, message: str) -> None:
    source = MemorySource({"manifest.yml": json.dumps({"scope": "schema", "notifications": section})})
    with pytest.raises(DiagnosticsError, match=message) as caught:
        SchemaProvider(centre.connection).plan(source, "D.S")
    assert all(each.location for each in caught.value.diagnostics)


def test_a_failed_task_graph_is_told_once(tmp_path: Path) -> None:
    dag = {"name": "NIGHTLY", "trigger": {"schedule": "10 MINUTES"}, "steps": [step("LOAD"), step("SUM", "LOAD")]}
    with graph_world(tmp_path) as place:
        import graph_world as module

        whole = json.loads(module.manifest(dag))
        whole["notifications"] = {}
        source = MemorySource({"manifest.yml": json.dumps(whole)})
        assert place.provider.apply(source).ok
        assert place.provider.plan(source).empty
        place.account.advance(601)
        assert place.run("SELECT EVENT FROM NOTIFICATIONS") == []
        place.breaks("SUM", "division by zero")
        place.account.advance(600)
        (row,) = place.run("SELECT EVENT, STATUS, TITLE, BODY, PAYLOAD FROM NOTIFICATIONS")
        assert row[:3] == ("TASK_GRAPH_FAILED", "NEW", "The task graph NIGHTLY failed")
        assert "division by zero" in row[3]
        assert json.loads(row[4])["graph"] == "NIGHTLY"
        place.account.advance(600)
        assert len(place.run("SELECT EVENT FROM NOTIFICATIONS")) == 2
