"""Contacts of the account, on the local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import FakeSession, Laboratory


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount() as account:
        yield account
        assert not account.internal_errors


@pytest.fixture
def laboratory(account: LocalAccount, registry: Registry) -> Iterator[Laboratory]:
    with account.connect() as connection:
        for text in (
            "CREATE DATABASE A", "CREATE DATABASE D", "CREATE SCHEMA D.S",
            "CREATE CONTACT D.S.HELP URL = 'https://example.com/help'",
            "CREATE CONTACT A.PUBLIC.HELP URL = 'https://example.com/help'",
            "CREATE CONTACT D.S.ANA EMAIL_DISTRIBUTION_LIST = 'ana@example.com'",
        ):  # fmt: skip
            connection.cursor().execute(text)
        yield Laboratory(Provider(connection, registry=registry), "account", None, {})


def applied(laboratory: Laboratory, **purposes: Any) -> list[str]:
    document = {"account_contact_reference": [purposes]}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    assert laboratory.plan(document).empty
    return [str(each) for each in plan.statements()]


def test_contacts_are_attached_read_back_and_taken_away(laboratory: Laboratory) -> None:
    assert applied(laboratory, support="D.S.HELP", steward="D.S.ANA", access_approval=None) == [
        "ALTER ACCOUNT SET CONTACT STEWARD = D.S.ANA, SUPPORT = D.S.HELP"
    ]
    assert applied(laboratory, support="A.PUBLIC.HELP", on={"account": True}) == [  # reached alike
        "ALTER ACCOUNT SET CONTACT SUPPORT = A.PUBLIC.HELP"
    ]
    assert applied(laboratory, steward=None) == ["ALTER ACCOUNT UNSET CONTACT STEWARD"]
    assert applied(laboratory, support="A.PUBLIC.HELP", steward=None) == []


def test_a_database_with_a_contact_of_its_own_hides_that_of_the_account_and_another_one_shows_it(
    laboratory: Laboratory, account: LocalAccount
) -> None:
    applied(laboratory, support="D.S.HELP")
    laboratory.provider.session.execute("ALTER DATABASE A SET CONTACT SUPPORT = D.S.ANA")
    before = len(account.journal)
    assert applied(laboratory, support="D.S.HELP") == []
    asked = [text for text in account.journal.statements()[before:] if "GET_CONTACTS" in text]
    assert len(asked) == 2 * 4  # for each of two plans: database A, the others, and which of two contacts it is


def test_a_database_that_may_not_be_asked_is_passed_over(registry: Registry) -> None:
    hidden = FakeSession({"SHOW DATABASES": [{"name": "A", "kind": "STANDARD", "origin": ""}]})
    laboratory = Laboratory(Provider(hidden, registry=registry), "account", None, {})
    plan = laboratory.plan({"account_contact_reference": [{"support": "D.S.HELP"}]})
    assert [str(each) for each in plan.statements()] == ["ALTER ACCOUNT SET CONTACT SUPPORT = D.S.HELP"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"support": "S.HELP"}, "'S.HELP': say with its database and schema"),
        ({"on": {"account": False}, "support": "D.S.HELP"}, "True"),
        ({"on": {"database": "D"}, "support": "D.S.HELP"}, "database"),
    ],
)
def test_mistakes(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message):
        laboratory.plan({"account_contact_reference": [fields]})
