"""Users on the local account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_account.user import User
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"


@pytest.fixture
def laboratory(registry: Registry) -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
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
        },
        fixed={"type": "PERSON"},
        skip={"password"},
        keep={"type"},
        max_examples=10,
    )


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
    ],
)
def test_contradictions(laboratory: Laboratory, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticsError, match=message) as caught:
        laboratory.plan({"user": [{"name": "ANA", **fields}]})
    assert "hush" not in str(caught.value)
