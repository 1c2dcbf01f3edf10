"""SYSTEM$SEND_EMAIL and e-mail integrations, through the connector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local import LocalAccount

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as running:
        yield running
        assert not running.internal_errors


@pytest.fixture
def run(account: LocalAccount) -> Iterator[Any]:
    with account.connect(paramstyle="qmark") as connection:

        def run(text: str, *values: Any) -> list[Any]:
            return list(connection.cursor().execute(text, values or None).fetchall())

        run("CREATE USER ANA EMAIL = 'ana@acme.example'")
        run("CREATE USER BOB EMAIL = 'bob@acme.example'")
        account.verify_email("ANA")
        run("CREATE NOTIFICATION INTEGRATION MAIL TYPE = EMAIL ENABLED = TRUE")
        yield run


def refused(run: Any, errno: int, text: str) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        run(text)
    assert caught.value.errno == errno, caught.value


def test_a_mail_reaches_a_verified_user_and_lies_in_the_outbox(account: LocalAccount, run: Any) -> None:
    assert run("CALL SYSTEM$SEND_EMAIL('MAIL', ?, 'Invoice', 'It''s due')", "ana@acme.example") == [(True,)]
    message = {
        "channel": "email", "to": ["ana@acme.example"], "subject": "Invoice", "body": "It's due",
        "mime_type": "text/plain",
    }  # fmt: skip
    assert account.outbox == [{"integration": "MAIL", "message": message}]


def test_who_and_what_is_refused(account: LocalAccount, run: Any) -> None:
    refused(run, 394209, "CALL SYSTEM$SEND_EMAIL('MAIL', 'bob@acme.example', 's', 'b')")  # not verified
    refused(run, 394209, "CALL SYSTEM$SEND_EMAIL('MAIL', 'ana@acme.example, x@else.example', 's', 'b')")
    refused(run, 394207, "CALL SYSTEM$SEND_EMAIL('MAIL', 'ana@acme.example', '', 'b')")
    refused(run, 1422, "CALL SYSTEM$SEND_EMAIL('MAIL', 'ana@acme.example', 's', 'b', 'image/png')")
    refused(run, 2003, "CALL SYSTEM$SEND_EMAIL('NONE', 'ana@acme.example', 's', 'b')")
    run("ALTER USER ANA SET EMAIL = 'other@acme.example'")
    refused(run, 394209, "CALL SYSTEM$SEND_EMAIL('MAIL', 'other@acme.example', 's', 'b')")
    assert account.outbox == []


def test_recipients_of_an_integration_are_verified_users_and_the_only_ones(account: LocalAccount, run: Any) -> None:
    create = "CREATE NOTIFICATION INTEGRATION M2 TYPE = EMAIL ENABLED = TRUE"
    refused(run, 394209, f"{create} ALLOWED_RECIPIENTS = ('x@y.z')")
    account.verify_email("BOB")
    run("ALTER NOTIFICATION INTEGRATION MAIL SET ALLOWED_RECIPIENTS = ('bob@acme.example')")
    refused(run, 394209, "CALL SYSTEM$SEND_EMAIL('MAIL', 'ana@acme.example', 's', 'b')")
    run("CALL SYSTEM$SEND_EMAIL('MAIL', 'bob@acme.example', 's', 'b')")
    run("ALTER NOTIFICATION INTEGRATION MAIL SET ENABLED = FALSE")
    refused(run, 394208, "CALL SYSTEM$SEND_EMAIL('MAIL', 'bob@acme.example', 's', 'b')")
    described = {row[0]: row[2] for row in run("DESCRIBE NOTIFICATION INTEGRATION MAIL")}
    assert described["ALLOWED_RECIPIENTS"] == "bob@acme.example"
    assert [row[:4] for row in run("SHOW NOTIFICATION INTEGRATIONS")] == [("MAIL", "EMAIL", "NOTIFICATION", "false")]


def test_a_role_needs_usage_on_the_integration(account: LocalAccount, run: Any) -> None:
    run("CREATE ROLE R")
    run("GRANT ROLE R TO USER PINKY")
    with account.connect(role="R") as connection:
        connection.cursor().execute("USE SECONDARY ROLES NONE")
        call = "CALL SYSTEM$SEND_EMAIL('MAIL', 'ana@acme.example', 's', 'b')"
        with pytest.raises(connector.errors.ProgrammingError, match="does not exist or not authorized"):
            connection.cursor().execute(call)
        run("GRANT USAGE ON INTEGRATION MAIL TO ROLE R")
        connection.cursor().execute(call)
    assert len(account.outbox) == 1
