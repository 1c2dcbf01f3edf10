"""Users on the local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_account.user import POLICIES, User
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry, Source
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"


@pytest.fixture
def laboratory(registry: Registry) -> Iterator[Laboratory]:
    with LocalAccount() as account, account.connect() as connection:
        yield Laboratory(Provider(connection, registry=registry))
        assert not account.internal_errors


def texts(laboratory: Laboratory, **fields: Any) -> list[str]:
    plan = laboratory.plan({"user": [{"name": "ANA", **fields}]})
    laboratory.apply(plan)
    return [str(each) for each in plan.statements()]


def test_laws(laboratory: Laboratory) -> None:
    names = st.sampled_from(("ana_1", "Ana B.", "x@y.example"))
    check_resource_type(
        User,
        laboratory,
        values={
            "login_name": st.uuids().map(str),
            "display_name": names,
            "default_namespace": st.sampled_from(("d", 'D."s"')),
            "default_secondary_roles": st.sampled_from((["ALL"], [])),
            "rsa_public_key": st.just(KEY),
            "rsa_public_key_2": st.just(KEY),
            "allowed_interfaces": st.sampled_from((["ALL"], ["streamlit", "SNOWFLAKE_INTELLIGENCE"])),
        },
        fixed={"type": "PERSON"},
        skip={"password", "workload_identity", *POLICIES, *PARAMETERS},
        keep={"type"},
        max_examples=10,
    )


PARAMETERS = {field.name for field in User.spec.fields if field.source is Source.PARAMETER}
TEXTS = {name for name in PARAMETERS if User.spec.by_name[name].type is str}


def test_laws_of_parameters(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE NETWORK POLICY N")
    check_resource_type(
        User,
        laboratory,
        values={**dict.fromkeys(TEXTS, st.sampled_from(("AUTO", "it's"))), "network_policy": st.just("N")},
        skip={field.name for field in User.spec.fields} - PARAMETERS - {"simulated_data_sharing_consumer"},
        max_examples=15,
    )


IDENTITIES = (
    {"type": "AWS", "arn": "arn:aws:iam::123456789012:role/team/loader"},
    {"type": "azure", "issuer": "https://login.microsoftonline.com/t/v2.0", "subject": "8f0c"},
    {"type": "GCP", "subject": "1234567890"},
    {"type": "OIDC", "issuer": "https://id.example", "subject": "repo:x", "oidc_audience_list": ["a", "b"]},
)


def test_laws_of_a_service(laboratory: Laboratory) -> None:
    with_policies(laboratory)
    check_resource_type(
        User,
        laboratory,
        values={
            "workload_identity": st.sampled_from(IDENTITIES),
            "authentication_policy": st.sampled_from(("D.S.A1", "d.s.a2")),
            "password_policy": st.just("D.S.P"),
            "session_policy": st.just("D.S.E"),
        },
        fixed={"type": "SERVICE"},
        skip={field.name for field in User.spec.fields} - {"workload_identity", *POLICIES, "type"},
        keep={"type"},
        renames=False,
        max_examples=10,
    )


def with_policies(laboratory: Laboratory) -> None:
    for text in (
        "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE AUTHENTICATION POLICY D.S.A1",
        "CREATE AUTHENTICATION POLICY D.S.A2", "CREATE PASSWORD POLICY D.S.P", "CREATE SESSION POLICY D.S.E",
    ):  # fmt: skip
        laboratory.execute(text)


def test_policies_are_attached_changed_and_taken_off(laboratory: Laboratory) -> None:
    with_policies(laboratory)
    assert texts(laboratory, authentication_policy="d.s.a1", session_policy="D.S.E", type="SERVICE") == [
        "CREATE USER ANA TYPE = SERVICE",
        "ALTER USER ANA SET AUTHENTICATION POLICY D.S.A1",
        "ALTER USER ANA SET SESSION POLICY D.S.E",
    ]
    assert texts(laboratory, authentication_policy="D.S.A1", session_policy="d.s.e", password_policy=None) == []
    assert texts(laboratory, authentication_policy="D.S.A2", session_policy=None) == [
        "ALTER USER ANA SET AUTHENTICATION POLICY D.S.A2 FORCE",
        "ALTER USER ANA UNSET SESSION POLICY",
    ]


def test_a_workload_identity_is_told_apart_by_what_snowflake_tells(laboratory: Laboratory) -> None:
    aws = {"type": "AWS", "arn": "arn:aws:iam::123456789012:role/team/loader"}
    assert texts(laboratory, type="SERVICE", workload_identity=aws) == [
        "CREATE USER ANA TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = AWS "
        "ARN = 'arn:aws:iam::123456789012:role/team/loader')"
    ]
    assert texts(laboratory, workload_identity=aws) == []
    oidc = {"type": "OIDC", "issuer": "https://id.example", "subject": "x", "oidc_audience_list": ["b", "a"]}
    assert texts(laboratory, workload_identity=oidc) == [
        "ALTER USER ANA SET WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = 'https://id.example' SUBJECT = 'x' "
        "OIDC_AUDIENCE_LIST = ('b', 'a'))"
    ]
    assert texts(laboratory, workload_identity={**oidc, "oidc_audience_list": ["a", "b"]}) == []
    assert texts(laboratory, workload_identity=None) == ["ALTER USER ANA UNSET WORKLOAD_IDENTITY"]


def test_of_days_to_expiry_it_counts_whether_there_are_any(laboratory: Laboratory) -> None:
    assert texts(laboratory, days_to_expiry=30, mins_to_unlock=5, mins_to_bypass_mfa=10) == [
        "CREATE USER ANA DAYS_TO_EXPIRY = 30 MINS_TO_UNLOCK = 5 MINS_TO_BYPASS_MFA = 10"
    ]
    assert texts(laboratory, days_to_expiry=90, mins_to_unlock=60) == []
    assert texts(laboratory, days_to_expiry=None) == ["ALTER USER ANA UNSET DAYS_TO_EXPIRY"]
    assert texts(laboratory, days_to_expiry=7) == ["ALTER USER ANA SET DAYS_TO_EXPIRY = 7"]


def test_days_to_expiry_are_told_with_fractions(registry: Registry) -> None:
    row = {"name": "ANA", "login_name": "ANA", "days_to_expiry": "29.993"}
    laboratory = Laboratory(Provider(FakeSession({"SHOW USERS": [row]}), registry=registry))
    assert laboratory.plan({"user": [{"name": "ANA", "days_to_expiry": 30}]}).empty


def test_many_users_take_one_statement_for_the_policies_of_a_hundred(registry: Registry) -> None:
    with LocalAccount() as account, account.connect() as connection:
        laboratory = Laboratory(Provider(connection, registry=registry))
        with_policies(laboratory)
        users = [{"name": f"U{n}", "authentication_policy": f"D.S.A{n % 2 + 1}"} for n in range(120)]
        laboratory.apply(laboratory.plan({"user": users}))
        before = len(account.journal)
        assert laboratory.plan({"user": users}).empty
        sent = account.journal.statements()[before:]
        assert sum("POLICY_REFERENCES" in text for text in sent) == 2
        assert len(sent) < 8
        assert not account.internal_errors


def test_the_type_of_a_user_is_person_unless_it_is_said(laboratory: Laboratory) -> None:
    texts(laboratory, comment="x")
    assert texts(laboratory, type="PERSON") == []
    assert texts(laboratory, type="SERVICE_AGENT") == ["ALTER USER ANA SET TYPE = SERVICE_AGENT"]
    assert texts(laboratory, type=None) == ["ALTER USER ANA UNSET TYPE"]


def test_a_user_from_the_first_day_to_the_last(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANA_PASSWORD", "hush")
    first = {"email": "ana@acme.example", "password": "env:ANA_PASSWORD", "must_change_password": True}
    assert texts(laboratory, **first) == [
        "CREATE USER ANA EMAIL = 'ana@acme.example' PASSWORD = '<env:ANA_PASSWORD>' MUST_CHANGE_PASSWORD = TRUE"
    ]
    assert texts(laboratory, **first) == []
    assert texts(laboratory, default_role="analyst", default_namespace="sales.core", disabled=True) == [
        "ALTER USER ANA SET DISABLED = TRUE DEFAULT_NAMESPACE = 'SALES.CORE' DEFAULT_ROLE = ANALYST"
    ]
    assert texts(laboratory, default_role="ANALYST", default_namespace="Sales.Core", login_name="ana") == []
    assert texts(laboratory, login_name="ana@acme") == ["ALTER USER ANA SET LOGIN_NAME = 'ana@acme'"]
    assert texts(laboratory, login_name="ANA@ACME") == []
    assert texts(laboratory, login_name=None, default_role=None) == [
        "ALTER USER ANA SET LOGIN_NAME = 'ANA'", "ALTER USER ANA UNSET DEFAULT_ROLE",
    ]  # fmt: skip


def test_a_user_of_whom_only_the_name_is_seen_is_no_difference_but_an_error(registry: Registry) -> None:
    hidden = FakeSession({"SHOW USERS": [{"name": "ANA", "login_name": None, "email": None}]})
    laboratory = Laboratory(Provider(hidden, registry=registry))
    with pytest.raises(DiagnosticsError, match=r"sees its name alone[\s\S]*MANAGE GRANTS"):
        laboratory.plan({"user": [{"name": "ANA", "email": "a@b.example"}]})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "SERVICE", "password": "env:X"}, "has no 'password'"),
        ({"type": "SERVICE", "first_name": "Ana"}, "has no 'first_name'"),
        ({"default_secondary_roles": ["SOME"]}, "an empty list"),
        ({"default_namespace": "a.b.c"}, "more than two parts"),
        ({"password": "hush"}, "no reference to a secret"),
        ({"type": "ROBOT"}, "PERSON"),
        ({"type": "SERVICE_AGENT", "mins_to_bypass_mfa": 5}, "SERVICE_AGENT has no 'mins_to_bypass_mfa'"),
        ({"type": "PERSON", "workload_identity": IDENTITIES[2]}, "it is for SERVICE and SERVICE_AGENT"),
        ({"workload_identity": {"type": "AWS", "subject": "x"}}, "AWS needs 'arn'"),
        ({"workload_identity": {"type": "AWS", "arn": "x", "subject": "x"}}, "'x' is no ARN"),
        ({"workload_identity": {"type": "GCP", "subject": "x", "issuer": "y"}}, "GCP has no 'issuer'"),
        ({"workload_identity": {"type": "IBM"}}, "IBM"),
        ({"allowed_interfaces": ["ALL", "STREAMLIT"]}, "or a list of others"),
        ({"allowed_interfaces": ["STREAMLET"]}, "STREAMLIT"),
        ({"authentication_policy": "SALES.A"}, "give database, schema and name"),
        ({"query_tag": ""}, "query_tag"),
        ({"timezon": "UTC"}, "Did you mean 'timezone'"),
        ({"week_start": 8}, "7"),
    ],
)
def test_contradictions(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message) as caught:
        laboratory.plan({"user": [{"name": "ANA", **fields}]})
    assert "hush" not in str(caught.value)
