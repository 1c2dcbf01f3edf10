"""Policies on users, workload identities and the types of users, through the connector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local import LocalAccount

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")
REFERENCES = "SELECT * FROM TABLE({}INFORMATION_SCHEMA.POLICY_REFERENCES({}))"


@pytest.fixture
def run() -> Iterator[Any]:
    with LocalAccount() as account, account.connect() as connection:

        def execute(text: str) -> list[Any]:
            return list(connection.cursor().execute(text).fetchall())

        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE USER ANA",
            "CREATE AUTHENTICATION POLICY D.S.A CLIENT_TYPES = ('snowflake_ui') COMMENT = 'x'",
            "CREATE AUTHENTICATION POLICY D.S.B", "CREATE PASSWORD POLICY D.S.P PASSWORD_MIN_LENGTH = 10",
            "CREATE SESSION POLICY D.S.E SESSION_IDLE_TIMEOUT_MINS = 30",
            "CREATE NETWORK POLICY N ALLOWED_IP_LIST = ('10.0.0.0/8') BLOCKED_IP_LIST = ('10.0.0.1', '10.0.0.2')",
        ):  # fmt: skip
            execute(text)
        yield execute
        assert not account.internal_errors


def refused(run: Any, errno: int, text: str) -> str:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        run(text)
    assert caught.value.errno == errno, caught.value
    return str(caught.value)


def test_policies_are_listed_and_described(run: Any) -> None:
    shown = [row[1:] for row in run("SHOW AUTHENTICATION POLICIES IN SCHEMA D.S")]
    assert shown == [
        ("A", "D", "S", "AUTHENTICATION_POLICY", "ACCOUNTADMIN", "x", "ROLE", ""),
        ("B", "D", "S", "AUTHENTICATION_POLICY", "ACCOUNTADMIN", "", "ROLE", ""),
    ]
    described = {row[0]: row[1:3] for row in run("DESCRIBE AUTHENTICATION POLICY D.S.A")}
    assert described["CLIENT_TYPES"] == ("[SNOWFLAKE_UI]", "[ALL]")
    assert {row[0]: row[1] for row in run("DESCRIBE PASSWORD POLICY D.S.P")}["PASSWORD_MIN_LENGTH"] == "10"
    run("ALTER SESSION POLICY D.S.E UNSET SESSION_IDLE_TIMEOUT_MINS")
    assert {row[0]: row[1] for row in run("DESCRIBE SESSION POLICY D.S.E")}["SESSION_IDLE_TIMEOUT_MINS"] == "240"
    assert [row[1:] for row in run("SHOW NETWORK POLICIES")] == [("N", "", 1, 2, 0, 0)]
    assert run("DESCRIBE NETWORK POLICY N") == [
        ("ALLOWED_IP_LIST", "10.0.0.0/8"), ("BLOCKED_IP_LIST", "10.0.0.1,10.0.0.2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("errno", "text"),
    [
        (1422, "CREATE AUTHENTICATION POLICY D.S.X CLIENT_TYPES = ('BROWSER')"),
        (1422, "CREATE PASSWORD POLICY D.S.X PASSWORD_MIN_LENGTH = 7"),
        (1422, "CREATE SESSION POLICY D.S.X SESSION_IDLE_TIMEOUT_MINS = 4"),
        (2, "CREATE AUTHENTICATION POLICY D.S.X MFA_POLICY = (ALLOWED_METHODS = ('TOTP'))"),
        (2003, "CREATE NETWORK POLICY X ALLOWED_NETWORK_RULE_LIST = ('D.S.NOTHING')"),
        (2003, "ALTER USER ANA SET NETWORK_POLICY = NOTHING"),
        (2003, "ALTER USER ANA SET PASSWORD POLICY D.S.A"),
        (3534, "ALTER USER ANA UNSET PASSWORD POLICY"),
        (1420, "CREATE USER X TYPE = SERVICE FIRST_NAME = 'x'"),
        (1420, "CREATE USER X TYPE = SERVICE_AGENT MINS_TO_BYPASS_MFA = 5"),
        (1420, "CREATE USER X WORKLOAD_IDENTITY = (TYPE = GCP SUBJECT = '1')"),
        (2029, "CREATE USER X TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = OIDC SUBJECT = '1')"),
        (1420, "CREATE USER X TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = GCP SUBJECT = '1' ISSUER = 'x')"),
        (1422, "CREATE USER X TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = AWS ARN = 'x')"),
        (1422, "CREATE USER X ALLOWED_INTERFACES = ('EVERYTHING')"),
        (1422, "CREATE USER X TYPE = ROBOT"),
    ],
)
def test_what_is_refused(run: Any, errno: int, text: str) -> None:
    refused(run, errno, text)


def test_a_second_policy_takes_force(run: Any) -> None:
    run("ALTER USER ANA SET AUTHENTICATION POLICY D.S.A")
    run("ALTER USER ANA SET AUTHENTICATION POLICY D.S.A")
    refused(run, 3546, "ALTER USER ANA SET AUTHENTICATION POLICY D.S.B")
    run("ALTER USER ANA SET AUTHENTICATION POLICY D.S.B FORCE")
    run("ALTER USER ANA SET PASSWORD POLICY D.S.P")
    run("ALTER USER ANA SET NETWORK_POLICY = N")
    arguments = "REF_ENTITY_NAME => 'ANA', REF_ENTITY_DOMAIN => 'USER'"
    found = {row[3]: row[:3] for row in run(REFERENCES.format("SNOWFLAKE.", arguments))}
    assert found == {
        "AUTHENTICATION_POLICY": ("D", "S", "B"), "PASSWORD_POLICY": ("D", "S", "P"),
        "NETWORK_POLICY": (None, None, "N"),
    }  # fmt: skip
    by_policy = run(REFERENCES.format("D.", "POLICY_NAME => 'D.S.P'"))
    assert [(row[6], row[7], row[13]) for row in by_policy] == [("ANA", "USER", "ACTIVE")]
    assert len(run(REFERENCES.format("D.", "POLICY_NAME => 'N', POLICY_KIND => 'NETWORK_POLICY'"))) == 1
    run("ALTER USER ANA UNSET AUTHENTICATION POLICY")
    assert len(run(REFERENCES.format("SNOWFLAKE.", arguments))) == 2
    refused(run, 2003, REFERENCES.format("D.", "REF_ENTITY_NAME => 'BOB', REF_ENTITY_DOMAIN => 'USER'"))
    refused(run, 938, REFERENCES.format("D.", "REF_ENTITY_NAME => 'ANA'"))


def test_what_is_set_on_a_user_cannot_be_dropped(run: Any) -> None:
    run("ALTER USER ANA SET PASSWORD POLICY D.S.P")
    run("ALTER USER ANA SET NETWORK_POLICY = N")
    assert "policy 'D.S.P' is set on user 'ANA'" in refused(run, 3537, "DROP PASSWORD POLICY D.S.P")
    for text in ("DROP SCHEMA D.S", "DROP DATABASE D", "DROP NETWORK POLICY N"):
        refused(run, 3537, text)
    run("ALTER USER ANA UNSET PASSWORD POLICY")
    run("ALTER USER ANA UNSET NETWORK_POLICY")
    run("DROP NETWORK POLICY N")
    run("DROP DATABASE D")


def test_who_may_attach_a_policy(run: Any) -> None:
    for text in (
        "CREATE ROLE R", "GRANT ROLE R TO USER PINKY", "GRANT CREATE USER ON ACCOUNT TO ROLE R",
        "GRANT USAGE ON DATABASE D TO ROLE R", "GRANT USAGE ON SCHEMA D.S TO ROLE R",
        "USE SECONDARY ROLES NONE", "USE ROLE R", "CREATE USER BOB",
    ):  # fmt: skip
        run(text)
    refused(run, 2003, "ALTER USER BOB SET PASSWORD POLICY D.S.P")
    run("USE ROLE ACCOUNTADMIN")
    run("GRANT APPLY ON PASSWORD POLICY D.S.P TO ROLE R")
    run("USE ROLE R")
    run("ALTER USER BOB SET PASSWORD POLICY D.S.P")
    refused(run, 3001, "ALTER USER ANA SET PASSWORD POLICY D.S.P")


def test_workload_identities_are_told_apart(run: Any) -> None:
    run("CREATE USER X TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = AWS ARN = 'arn:aws:iam::123456789012:role/a/LOADER')")
    show = "SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS FOR USER X"
    ((name, kind, *_, info),) = run(show)
    assert (name, kind, json.loads(info)) == (
        "X", "AWS",
        {"awsPartition": "aws", "awsAccount": "123456789012", "type": "IAM_ROLE", "iamRole": "LOADER"},
    )  # fmt: skip
    users = {row[0]: row for row in run("SHOW USERS")}
    assert users["X"][-1] == "true"
    assert users["ANA"][-1] == "false"
    run("ALTER USER X SET WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = 'https://i' SUBJECT = 's')")
    assert json.loads(run(show)[0][-1]) == {"issuer": "https://i", "subject": "s", "audienceList": []}
    run("ALTER USER X UNSET WORKLOAD_IDENTITY")
    assert run(show) == []


def test_a_user_is_a_person_unless_it_is_said_and_services_hide_what_they_cannot_have(run: Any) -> None:
    run("ALTER USER ANA SET FIRST_NAME = 'Ana' DAYS_TO_EXPIRY = 30")
    described = {row[0]: row[1] for row in run("DESCRIBE USER ANA")}
    assert (described["TYPE"], described["FIRST_NAME"], described["DAYS_TO_EXPIRY"]) == ("PERSON", "Ana", "30")
    run("ALTER USER ANA SET TYPE = SERVICE")
    assert {row[0]: row[1] for row in run("DESCRIBE USER ANA")}["FIRST_NAME"] == "null"
    run("ALTER USER ANA SET TYPE = NULL")
    described = {row[0]: row[1] for row in run("DESCRIBE USER ANA")}
    assert (described["TYPE"], described["FIRST_NAME"]) == ("PERSON", "Ana")
