"""API, notification and external access integrations, and network rules: laws, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_account.api_integration import ApiIntegration
from pinky_account.external_access_integration import ExternalAccessIntegration
from pinky_account.network_rule import NetworkRule
from pinky_account.notification_integration import NotificationIntegration
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry
from pinky_core.testing import Laboratory, check_resource_type

PREFIXES = st.lists(st.sampled_from(("https://a.example/", "https://b.example/x")), min_size=1, max_size=2, unique=True)
MAILS = st.lists(st.sampled_from(("ana@acme.example", "bob@acme.example")), min_size=1, max_size=2, unique=True)


@pytest.fixture
def laboratory(registry: Registry) -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE USER ANA EMAIL = 'ana@acme.example'",
            "CREATE USER BOB EMAIL = 'bob@acme.example'",
            "CREATE NETWORK RULE D.S.N1 TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('a.example')",
            "CREATE NETWORK RULE D.S.N2 TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('b.example')",
            "CREATE SECRET D.S.K TYPE = GENERIC_STRING SECRET_STRING = 'x'",
        ):  # fmt: skip
            connection.cursor().execute(text)
        for user in ("ANA", "BOB"):
            account.verify_email(user)
        yield Laboratory(Provider(connection, registry=registry))
        assert not account.internal_errors


def test_api_integrations_keep_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(
        ApiIntegration,
        laboratory,
        values={
            "api_allowed_prefixes": PREFIXES,
            "api_blocked_prefixes": st.just(["https://a.example/no"]),
            "allowed_authentication_secrets": st.sampled_from((["D.S.K"], ["all"])),
        },
        fixed={"api_provider": "git_https_api"},
        skip={"api_aws_role_arn", "azure_tenant_id", "azure_ad_application_id", "google_audience"},
        renames=False,
        max_examples=8,
    )


def test_notification_integrations_keep_the_laws(laboratory: Laboratory) -> None:
    queue = {"direction", "notification_provider", "aws_sns_topic_arn", "aws_sns_role_arn", "azure_tenant_id"}
    queue |= {"azure_event_grid_topic_endpoint", "gcp_pubsub_topic_name"}
    values = {"allowed_recipients": MAILS, "default_recipients": MAILS}
    check_resource_type(
        NotificationIntegration, laboratory, values=values, fixed={"type": "EMAIL"}, skip=queue, renames=False,
        max_examples=8,
    )  # fmt: skip
    fixed = {
        "type": "QUEUE", "direction": "OUTBOUND", "notification_provider": "AWS_SNS", "aws_sns_topic_arn": "t",
        "aws_sns_role_arn": "r",
    }  # fmt: skip
    others = {"allowed_recipients", "default_recipients", "default_subject", *queue} - set(fixed)
    check_resource_type(
        NotificationIntegration, laboratory, fixed=fixed, skip=others, renames=False, max_examples=4,
        keep=set(fixed),
    )  # fmt: skip


def test_network_rules_keep_the_laws(laboratory: Laboratory) -> None:
    check_resource_type(
        NetworkRule,
        Laboratory(laboratory.provider, "account", None, {}),
        values={"value_list": st.lists(st.sampled_from(("a.example", "b.example:443")), min_size=1, unique=True)},
        fixed={"type": "HOST_PORT", "mode": "EGRESS", "database": "D", "schema": "S"},
        keep={"mode"},
        renames=False,
        max_examples=8,
    )


def test_external_access_integrations_keep_the_laws(laboratory: Laboratory) -> None:
    rules = st.lists(st.sampled_from(("D.S.N1", "D.S.N2")), min_size=1, unique=True)
    check_resource_type(
        ExternalAccessIntegration,
        laboratory,
        values={"allowed_network_rules": rules, "allowed_authentication_secrets": st.just(["D.S.K"])},
        renames=False,
        max_examples=8,
    )


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("api_integration", {"api_provider": "git_https_api", "api_allowed_prefixes": []}, "at least one prefix"),
        ("api_integration", {"api_provider": "aws_api_gateway", "api_allowed_prefixes": ["https://a"]}, "needs 'api_a"),
        ("api_integration", {"api_provider": "git_https_api", "api_allowed_prefixes": ["http://a"]}, "with https"),
        ("notification_integration", {"type": "QUEUE"}, "a queue needs 'direction'"),
        ("notification_integration", {"type": "EMAIL", "direction": "OUTBOUND"}, "does not exist for type EMAIL"),
        ("network_rule", {"type": "HOST_PORT", "value_list": ["a"]}, "has mode EGRESS, not INGRESS"),
        ("network_rule", {"type": "IPV4", "mode": "EGRESS", "value_list": ["a"]}, "is not for EGRESS"),
        ("external_access_integration", {"allowed_network_rules": []}, "at least one rule"),
        ("external_access_integration", {"allowed_network_rules": ["S.RULE"]}, "give database, schema and name"),
    ],
)
def test_contradictions(laboratory: Laboratory, kind: str, fields: dict[str, Any], message: str) -> None:
    name = "D.S.X" if kind == "network_rule" else "X"
    with pytest.raises(DiagnosticsError, match=message):
        laboratory.plan({kind: [{"name": name, **fields}]})


def test_rules_come_before_the_integration_that_names_them(laboratory: Laboratory) -> None:
    documents = {
        "external_access_integration": [{"name": "E", "allowed_network_rules": ["D.S.NEW"]}],
        "network_rule": [{"name": "D.S.NEW", "type": "HOST_PORT", "mode": "EGRESS", "value_list": ["c.example"]}],
    }
    plan = laboratory.plan(documents)
    assert [change.address.kind for change in plan.changes] == ["network_rule", "external_access_integration"]
    laboratory.apply(plan)
    assert laboratory.plan(documents).empty
