"""Contacts of a database, on the local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import Laboratory


@pytest.fixture
def laboratory(registry: Registry) -> Iterator[Laboratory]:
    with LocalAccount() as account, account.connect() as connection:
        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE CONTACT D.PUBLIC.HELP URL = 'https://example.com/help'",
            "CREATE CONTACT D.S.HELP URL = 'https://example.com/help'",
            "CREATE CONTACT D.S.ANA EMAIL_DISTRIBUTION_LIST = 'ana@example.com'",
        ):  # fmt: skip
            connection.cursor().execute(text)
        yield Laboratory(Provider(connection, registry=registry), "database", "D")
        assert not account.internal_errors


def applied(laboratory: Laboratory, *references: dict[str, Any]) -> list[str]:
    document = {"database_contact_reference": list(references)}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    assert laboratory.plan(document).empty
    return [str(each) for each in plan.statements()]


def test_contacts_are_attached_read_back_and_taken_away(laboratory: Laboratory) -> None:
    assert applied(laboratory, {"support": "PUBLIC.HELP", "steward": "S.ANA"}) == [
        "ALTER DATABASE D SET CONTACT STEWARD = D.S.ANA, SUPPORT = D.PUBLIC.HELP"
    ]
    reached_alike = {"on": {"database": "D"}, "support": "S.HELP"}
    assert applied(laboratory, reached_alike) == ["ALTER DATABASE D SET CONTACT SUPPORT = D.S.HELP"]
    assert applied(laboratory, {"steward": None}) == ["ALTER DATABASE D UNSET CONTACT STEWARD"]
    assert applied(laboratory, {"support": "D.S.HELP"}) == []


def test_what_the_database_inherits_is_not_its_own(laboratory: Laboratory) -> None:
    laboratory.provider.session.execute("ALTER ACCOUNT SET CONTACT SUPPORT = D.PUBLIC.HELP")
    assert applied(laboratory, {"support": "PUBLIC.HELP"}) == ["ALTER DATABASE D SET CONTACT SUPPORT = D.PUBLIC.HELP"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"support": "HELP"}, "'HELP': say with its schema where the contact lies"),
        ({"support": "A.B.C.D"}, "more than three parts"),
        ({"support": "S.1"}, "is not a name"),
        ({"on": {"schema": "S"}, "support": "S.HELP"}, "schema"),
        ({"on": {"database": "E"}, "support": "S.HELP"}, "outside the target"),
    ],
)
def test_mistakes(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message):
        laboratory.plan({"database_contact_reference": [fields]})
