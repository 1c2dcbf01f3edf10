"""API, notification and external access integrations, and network rules: laws, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from pinky_account.api_authentication import (
    ApiUserAuthentication,
    AuthenticationType,
    authentication_of,
    differences,
)
from pinky_account.api_integration import ApiIntegration
from pinky_account.external_access_integration import ExternalAccessIntegration
from pinky_account.network_policy import NetworkPolicy
from pinky_account.network_rule import NetworkRule
from pinky_account.notification_integration import NotificationIntegration
from pinky_local.account import LocalAccount

from pinky_core import DiagnosticsError, Provider, Registry, Risk
from pinky_core.testing import FakeSession, Laboratory, check_resource_type

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
            "allowed_authentication_secrets": st.sampled_from((["D.S.K"], ["all"], ["none"])),
            "tls_trusted_certificates": st.just(["D.S.K"]),
        },
        fixed={"api_provider": "git_https_api"},
        skip={*GATEWAYS, "api_user_authentication", "version"},
        renames=False,
        max_examples=12,
    )


GATEWAYS = {"api_aws_role_arn", "azure_tenant_id", "azure_ad_application_id", "google_audience", "api_key"}
ENDPOINTS = {
    "oauth_authorization_endpoint": "https://id.example/authorize", "oauth_token_endpoint": "https://id.example/token",
    "oauth_client_id": "pinky",
}  # fmt: skip
ANYTHING = ("destructive",)
OAUTH = {"type": "oauth2", **ENDPOINTS, "oauth_client_secret": "env:CLIENT_SECRET"}
GIT = {"api_provider": "git_https_api", "api_allowed_prefixes": ["https://git.example/"]}
MCP = {"api_provider": "external_mcp", "api_allowed_prefixes": ["https://mcp.example/"]}
AWS = {"api_provider": "aws_api_gateway", "api_allowed_prefixes": ["https://a.example/"], "api_aws_role_arn": "arn:r"}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "hush")
    monkeypatch.setenv("KEY", "hush")


def api(laboratory: Laboratory, allow: tuple[str, ...] = (), **fields: Any) -> list[str]:
    """Apply one API integration, check that the second plan is empty, and answer the statements."""
    document = {"api_integration": [{"name": "N", **fields}]}
    plan = laboratory.plan(document)
    report = laboratory.provider.apply(plan, allow=allow)
    assert report.ok
    assert laboratory.plan(document).empty
    return [each.text for each in plan.statements()]


def test_allowed_secrets_that_snowflake_does_not_tell_are_told_apart_by_a_mark_in_the_comment(
    laboratory: Laboratory,
) -> None:
    (text,) = api(laboratory, **GIT, allowed_authentication_secrets=["d.s.k"], comment="x")
    assert " ALLOWED_AUTHENTICATION_SECRETS = (D.S.K) " in text
    mark = text.split("[pinky secrets ")[1][:8]
    assert text.endswith(f" COMMENT = 'x [pinky secrets {mark}]'")
    assert api(laboratory, **GIT, allowed_authentication_secrets=["D.S.K"]) == []
    (text,) = api(laboratory, **GIT, allowed_authentication_secrets=["none"])
    assert text.startswith("ALTER API INTEGRATION N SET ALLOWED_AUTHENTICATION_SECRETS = NONE COMMENT = 'x [pinky s")
    assert mark not in text
    assert api(laboratory, **GIT, comment="y")[0].startswith(text.split(" SET ")[0] + " SET COMMENT = 'y [pinky secr")
    assert api(laboratory, **GIT, allowed_authentication_secrets=None) == [
        "ALTER API INTEGRATION N SET ALLOWED_AUTHENTICATION_SECRETS = ALL COMMENT = 'y'"
    ]


def test_an_api_key_is_set_again_when_its_version_rises(laboratory: Laboratory, secrets: None) -> None:
    assert api(laboratory, **AWS, api_key="env:KEY") == [
        "CREATE API INTEGRATION N API_PROVIDER = AWS_API_GATEWAY API_ALLOWED_PREFIXES = ('https://a.example/') "
        "API_AWS_ROLE_ARN = 'arn:r' API_KEY = '<env:KEY>' ENABLED = TRUE"
    ]
    assert api(laboratory, **AWS, api_key="env:KEY", version=2) == [
        "ALTER API INTEGRATION N SET API_KEY = '<env:KEY>' COMMENT = '[pinky version 2]'"
    ]
    with pytest.raises(DiagnosticsError, match="version 1 is lower than version 2"):
        api(laboratory, **AWS, api_key="env:KEY", version=1)
    assert api(laboratory, **AWS, comment="x") == [
        "ALTER API INTEGRATION N SET COMMENT = 'x [pinky version 2]'"
    ]


def test_how_users_authenticate_is_read_back_and_replaced(laboratory: Laboratory, secrets: None) -> None:
    more = {"oauth_allowed_scopes": ["read_api", "write_repository"], "oauth_access_token_validity": 3600}
    (text,) = api(laboratory, **GIT, api_user_authentication={**OAUTH, **more}, comment="x")
    assert (
        "API_USER_AUTHENTICATION = (TYPE = OAUTH2 OAUTH_AUTHORIZATION_ENDPOINT = 'https://id.example/authorize' "
        "OAUTH_TOKEN_ENDPOINT = 'https://id.example/token' OAUTH_CLIENT_ID = 'pinky' "
        "OAUTH_CLIENT_SECRET = '<env:CLIENT_SECRET>' OAUTH_ACCESS_TOKEN_VALIDITY = 3600 "
        "OAUTH_ALLOWED_SCOPES = ('read_api', 'write_repository'))"
    ) in text
    scopes = {"oauth_allowed_scopes": ["write_repository", "read_api"]}
    assert api(laboratory, **GIT, api_user_authentication={**OAUTH, **scopes}) == []
    document = {"api_integration": [{"name": "N", **GIT, "api_user_authentication": {"type": "snowflake_github_app"}}]}
    plan = laboratory.plan(document)
    assert [change.risk for change in plan.changes] == [Risk.DESTRUCTIVE]
    assert plan.blocked([])
    (text,) = api(laboratory, ANYTHING, **GIT, api_user_authentication={"type": "snowflake_github_app"})
    assert text.startswith("CREATE OR REPLACE API INTEGRATION N API_PROVIDER = GIT_HTTPS_API")
    assert text.endswith("(TYPE = SNOWFLAKE_GITHUB_APP) ENABLED = TRUE COMMENT = 'x'")


def test_of_authentication_what_is_not_told_is_not_compared() -> None:
    wanted = authentication({"type": "oauth2", "oauth_client_id": "a", "oauth_resource": "https://x"})
    cell = "{TYPE=OAUTH2, OAUTH_CLIENT_ID=b, OAUTH_TOKEN_ENDPOINT=https://t/?a=1,2, OAUTH_USERNAME=null}"
    live = authentication_of(cell)
    assert live is not None
    assert live.oauth_token_endpoint == "https://t/?a=1,2"
    assert [change.path for change in differences(wanted, live)] == ["api_user_authentication.oauth_client_id"]
    assert [change.path for change in differences(wanted, None)] == [
        f"api_user_authentication.{name}" for name in ("type", "oauth_client_id", "oauth_resource")
    ]
    assert authentication_of("") is None


def authentication(document: dict[str, Any]) -> ApiUserAuthentication:
    return ApiUserAuthentication(**{**document, "type": AuthenticationType.parse(document["type"])})


def test_servers_of_the_model_context_protocol(laboratory: Laboratory, secrets: None) -> None:
    dynamic = {"type": "oauth_dynamic_client", "oauth_resource_url": "https://mcp.example/v1/mcp"}
    (text,) = api(laboratory, **MCP, api_user_authentication=dynamic)
    assert "(TYPE = OAUTH_DYNAMIC_CLIENT OAUTH_RESOURCE_URL = 'https://mcp.example/v1/mcp')" in text
    public = {"type": "oauth2", **ENDPOINTS, "oauth_client_auth_method": "none"}
    (text,) = api(laboratory, ANYTHING, **MCP, api_user_authentication=public)
    assert "OAUTH_CLIENT_ID = 'pinky' OAUTH_CLIENT_AUTH_METHOD = NONE)" in text
    again = {"type": "oauth2", **ENDPOINTS, "oauth_client_secret": "env:CLIENT_SECRET"}
    assert api(laboratory, **MCP, api_user_authentication=again) == []  # what is not declared is not compared
    (text,) = api(laboratory, ANYTHING, **MCP, api_user_authentication=again, version=1)
    assert text.startswith("CREATE OR REPLACE API INTEGRATION N ")
    assert text.endswith("OAUTH_CLIENT_SECRET = '<env:CLIENT_SECRET>') ENABLED = TRUE COMMENT = '[pinky version 1]'")


def test_notification_integrations_keep_the_laws(laboratory: Laboratory) -> None:
    email = {"allowed_recipients", "default_recipients", "default_subject"}
    webhook = {"webhook_url", "webhook_secret", "webhook_body_template", "webhook_headers"}
    queue = {
        "direction", "notification_provider", "aws_sns_topic_arn", "aws_sns_role_arn", "azure_tenant_id",
        "azure_event_grid_topic_endpoint", "azure_storage_queue_primary_uri", "use_privatelink_endpoint",
        "gcp_pubsub_topic_name", "gcp_pubsub_subscription_name",
    }  # fmt: skip
    mails = {"allowed_recipients": MAILS, "default_recipients": MAILS}
    check(laboratory, {"type": "EMAIL"}, skip=queue | webhook, values=mails, max_examples=8)
    urls = st.sampled_from(("https://hooks.slack.com/services/x", "https://events.pagerduty.com/v2/enqueue"))
    headers = st.dictionaries(st.sampled_from(("Content-Type", "X-A")), st.sampled_from(("a", "b/c")), min_size=1)
    fixed = {"type": "WEBHOOK", "webhook_url": "https://events.pagerduty.com/v2/enqueue"}
    skip = {*queue, *email, "webhook_secret", "webhook_body_template"}
    check(laboratory, fixed, skip=skip, values={"webhook_headers": headers, "webhook_url": urls}, max_examples=8)
    for provider, properties in (
        ("AWS_SNS", {"aws_sns_topic_arn": "t", "aws_sns_role_arn": "r"}),
        ("AZURE_EVENT_GRID", {"azure_event_grid_topic_endpoint": "e", "azure_tenant_id": "t"}),
        ("AZURE_STORAGE_QUEUE", {"azure_storage_queue_primary_uri": "u", "azure_tenant_id": "t"}),
        ("GCP_PUBSUB", {"gcp_pubsub_topic_name": "t"}),
        ("GCP_PUBSUB", {"gcp_pubsub_subscription_name": "s"}),
    ):
        fixed = {"type": "QUEUE", "notification_provider": provider, **properties}
        check(laboratory, fixed, skip=(queue | email | webhook) - set(fixed), max_examples=3)


def check(laboratory: Laboratory, fixed: dict[str, Any], *, skip: set[str], **more: Any) -> None:
    """The laws for one type of notification integration."""
    check_resource_type(
        NotificationIntegration, laboratory, fixed=fixed, skip=skip, keep=set(fixed), renames=False, **more
    )


def applied(laboratory: Laboratory, **fields: Any) -> list[str]:
    """Apply one notification integration, check that the second plan is empty, and answer the statements."""
    document = {"notification_integration": [{"name": "N", **fields}]}
    plan = laboratory.plan(document)
    laboratory.apply(plan)
    assert laboratory.plan(document).empty
    return [each.text for each in plan.statements()]


def test_a_webhook_with_its_secret_changes_in_place(laboratory: Laboratory) -> None:
    url = "https://hooks.slack.com/services/SNOWFLAKE_WEBHOOK_SECRET"
    secret = {"webhook_url": url, "webhook_secret": "D.S.K"}
    assert applied(laboratory, type="WEBHOOK", **secret) == [
        "CREATE NOTIFICATION INTEGRATION N TYPE = WEBHOOK ENABLED = TRUE "
        f"WEBHOOK_URL = '{url}' WEBHOOK_SECRET = D.S.K"
    ]
    body = '{"text": "SNOWFLAKE_WEBHOOK_MESSAGE"}'
    headers = {"Content-Type": "a/b"}
    assert applied(laboratory, type="WEBHOOK", **secret, webhook_body_template=body, webhook_headers=headers) == [
        "ALTER NOTIFICATION INTEGRATION N SET WEBHOOK_BODY_TEMPLATE = '{\"text\": \"SNOWFLAKE_WEBHOOK_MESSAGE\"}' "
        "WEBHOOK_HEADERS = ('Content-Type'='a/b')"
    ]
    bare = {"webhook_url": "https://hooks.slack.com/services/x", "webhook_secret": None, "webhook_body_template": None}
    assert applied(laboratory, type="WEBHOOK", **bare, webhook_headers={}) == [
        "ALTER NOTIFICATION INTEGRATION N SET WEBHOOK_URL = 'https://hooks.slack.com/services/x'",
        "ALTER NOTIFICATION INTEGRATION N UNSET WEBHOOK_SECRET, WEBHOOK_BODY_TEMPLATE, WEBHOOK_HEADERS",
    ]


def test_topics_of_outbound_queues_change_in_place_and_inbound_queues_do_not(laboratory: Laboratory) -> None:
    sns = {"type": "QUEUE", "notification_provider": "AWS_SNS", "aws_sns_role_arn": "r"}
    assert applied(laboratory, **sns, aws_sns_topic_arn="t") == [
        "CREATE NOTIFICATION INTEGRATION N TYPE = QUEUE ENABLED = TRUE DIRECTION = OUTBOUND "
        "NOTIFICATION_PROVIDER = AWS_SNS AWS_SNS_TOPIC_ARN = 't' AWS_SNS_ROLE_ARN = 'r'"
    ]
    assert applied(laboratory, **sns, aws_sns_topic_arn="u", direction="OUTBOUND") == [
        "ALTER NOTIFICATION INTEGRATION N SET AWS_SNS_TOPIC_ARN = 'u' AWS_SNS_ROLE_ARN = 'r'"
    ]
    queue = {"type": "QUEUE", "notification_provider": "AZURE_STORAGE_QUEUE", "azure_storage_queue_primary_uri": "q"}
    documents = [{"name": "Q", **queue, "azure_tenant_id": tenant} for tenant in ("a", "b")]
    laboratory.apply(laboratory.plan({"notification_integration": documents[:1]}))
    plan = laboratory.plan({"notification_integration": documents[1:]})
    assert [change.risk for change in plan.changes] == [Risk.DESTRUCTIVE]
    assert plan.blocked([])


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


def test_network_policies_keep_the_laws(laboratory: Laboratory) -> None:
    laboratory.execute("CREATE NETWORK RULE D.S.I1 TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8')")
    laboratory.execute("CREATE NETWORK RULE D.S.I2 TYPE = IPV4 VALUE_LIST = ('11.0.0.0/8')")
    rules = st.lists(st.sampled_from(("D.S.I1", "d.s.i2")), max_size=2, unique=True)
    addresses = st.lists(st.sampled_from(("10.0.0.1", "10.1.0.0/16")), max_size=2, unique=True)
    check_resource_type(
        NetworkPolicy,
        laboratory,
        values={
            "allowed_network_rule_list": rules, "blocked_network_rule_list": rules, "allowed_ip_list": addresses,
            "blocked_ip_list": addresses,
        },
        max_examples=10,
    )  # fmt: skip


def test_a_rule_its_policy_and_the_user_that_names_it_come_in_this_order(laboratory: Laboratory) -> None:
    documents = {
        "user": [{"name": "U", "type": "SERVICE", "network_policy": "P"}],
        "network_policy": [{"name": "P", "allowed_network_rule_list": ["D.S.R"]}],
        "network_rule": [{"name": "D.S.R", "type": "IPV4", "value_list": ["10.0.0.0/8"]}],
    }
    plan = laboratory.plan(documents)
    assert [str(each) for each in plan.statements()] == [
        "CREATE NETWORK RULE D.S.R TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8')",
        "CREATE NETWORK POLICY P ALLOWED_NETWORK_RULE_LIST = ('D.S.R')",
        "CREATE USER U TYPE = SERVICE NETWORK_POLICY = P",
    ]
    laboratory.apply(plan)
    assert laboratory.plan(documents).empty
    documents["network_policy"][0]["allowed_network_rule_list"] = []
    documents["network_policy"][0]["allowed_ip_list"] = ["10.0.0.0/8"]
    plan = laboratory.plan(documents)
    assert [str(each) for each in plan.statements()] == [
        "ALTER NETWORK POLICY P SET ALLOWED_NETWORK_RULE_LIST = () ALLOWED_IP_LIST = ('10.0.0.0/8')"
    ]


def test_external_access_integrations_keep_the_laws(laboratory: Laboratory) -> None:
    rules = st.lists(st.sampled_from(("D.S.N1", "D.S.N2")), min_size=1, unique=True)
    check_resource_type(
        ExternalAccessIntegration,
        laboratory,
        values={
            "allowed_network_rules": rules,
            "allowed_authentication_secrets": st.sampled_from((["d.s.k"], ["ALL"], ["none"])),
        },
        skip={"allowed_api_authentication_integrations"},
        renames=False,
        max_examples=8,
    )


def test_security_integrations_whose_secrets_may_be_used(registry: Registry) -> None:
    described = [
        {"property": "ALLOWED_NETWORK_RULES", "property_value": "[D.S.N1]"},
        {"property": "ALLOWED_API_AUTHENTICATION_INTEGRATIONS", "property_value": "[OAUTH_B,OAUTH_A]"},
        {"property": "ALLOWED_AUTHENTICATION_SECRETS", "property_value": "[]"},
    ]
    session = FakeSession(
        {
            "SHOW EXTERNAL ACCESS INTEGRATIONS": [{"name": "E", "enabled": "true", "comment": None}],
            "DESCRIBE EXTERNAL ACCESS INTEGRATION E": described,
        }
    )
    laboratory = Laboratory(Provider(session, registry=registry))

    def planned(*names: str) -> list[str]:
        fields = {"allowed_network_rules": ["D.S.N1"], "allowed_api_authentication_integrations": list(names)}
        plan = laboratory.plan({"external_access_integration": [{"name": "E", **fields}]})
        return [str(each) for each in plan.statements()]

    assert planned("oauth_a", "oauth_b") == []
    assert planned("oauth_c") == [
        "ALTER EXTERNAL ACCESS INTEGRATION E SET ALLOWED_API_AUTHENTICATION_INTEGRATIONS = (OAUTH_C)"
    ]
    assert planned() == ["ALTER EXTERNAL ACCESS INTEGRATION E UNSET ALLOWED_API_AUTHENTICATION_INTEGRATIONS"]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("api_integration", {"api_provider": "git_https_api", "api_allowed_prefixes": []}, "at least one prefix"),
        ("api_integration", {"api_provider": "aws_api_gateway", "api_allowed_prefixes": ["https://a"]}, "needs 'api_a"),
        ("api_integration", {"api_provider": "git_https_api", "api_allowed_prefixes": ["http://a"]}, "with https"),
        ("api_integration", {**GIT, "allowed_authentication_secrets": ["ALL", "D.S.K"]}, "'ALL' stands alone"),
        ("api_integration", {**GIT, "allowed_authentication_secrets": ["S.K"]}, "database, schema and name"),
        ("api_integration", {**GIT, "allowed_authentication_secrets": []}, "an empty list says nothing"),
        ("api_integration", {**GIT, "api_key": "env:KEY"}, "'api_key' is for AWS_API_GATEWAY"),
        ("api_integration", {**GIT, "version": 1}, "there is none here"),
        ("api_integration", {**AWS, "comment": "x [pinky version 3]"}, "may not end in a mark"),
        ("api_integration", MCP, "EXTERNAL_MCP needs 'api_user_authentication'"),
        ("api_integration", {**MCP, "api_user_authentication": {"type": "snowflake_github_app"}}, "app is for Git"),
        ("api_integration", {**GIT, "api_user_authentication": {"type": "oauth_dynamic_client"}}, "is for EXTERN"),
        ("api_integration", {**GIT, "api_user_authentication": {"type": "oauth2"}}, "needs 'oauth_token_endpoint'"),
        ("api_integration", {**MCP, "api_user_authentication": {**OAUTH, "oauth_username": "x"}}, "has no 'oauth_user"),
        (
            "api_integration",
            {**GIT, "api_user_authentication": {**OAUTH, "oauth_allowed_scopes": ["write"]}},
            "'write' is no scope; known: read_api",
        ),
        (
            "api_integration",
            {**GIT, "api_user_authentication": OAUTH, "allowed_authentication_secrets": ["D.S.K"]},
            "is for tokens in secrets",
        ),
        ("api_integration", {**AWS, "tls_trusted_certificates": ["D.S.K"]}, "is for GIT_HTTPS_API"),
        ("notification_integration", {"type": "QUEUE"}, "a queue needs 'notification_provider'"),
        ("notification_integration", {"type": "QUEUE", "notification_provider": "AWS_SNS"}, "AWS_SNS needs 'aws_sns_t"),
        (
            "notification_integration",
            {
                "type": "QUEUE", "notification_provider": "GCP_PUBSUB", "gcp_pubsub_topic_name": "t",
                "azure_tenant_id": "x",
            },
            "is for AZURE_EVENT_GRID or AZURE_STORAGE_QUEUE, OUTBOUND GCP_PUBSUB has none",
        ),
        (
            "notification_integration",
            {"type": "QUEUE", "notification_provider": "AZURE_STORAGE_QUEUE", "direction": "OUTBOUND"},
            "AZURE_STORAGE_QUEUE is INBOUND",
        ),
        (
            "notification_integration",
            {"type": "QUEUE", "notification_provider": "GCP_PUBSUB", "direction": "INBOUND"},
            "GCP_PUBSUB needs 'gcp_pubsub_subscription_name' for INBOUND",
        ),
        ("notification_integration", {"type": "WEBHOOK"}, "a webhook needs 'webhook_url'"),
        ("notification_integration", {"type": "WEBHOOK", "webhook_url": "http://a"}, "a webhook has https"),
        (
            "notification_integration",
            {"type": "WEBHOOK", "webhook_url": "https://a", "webhook_body_template": "x"},
            "needs the header Content-Type",
        ),
        (
            "notification_integration",
            {"type": "WEBHOOK", "webhook_url": "https://a", "webhook_secret": "D.S.K"},
            "it is used nowhere: write SNOWFLAKE_WEBHOOK_SECRET",
        ),
        (
            "notification_integration",
            {"type": "WEBHOOK", "webhook_url": "https://SNOWFLAKE_WEBHOOK_SECRET"},
            "which is not given",
        ),
        ("notification_integration", {"type": "EMAIL", "direction": "OUTBOUND"}, "does not exist for type EMAIL"),
        ("network_policy", {"allowed_ip_list": ["10.0.0.300"]}, "no IPv4 address or range"),
        ("network_policy", {"allowed_ip_list": ["2001:db8::1"]}, "IPv6 takes a network rule"),
        ("network_policy", {"blocked_ip_list": ["0.0.0.0/0"]}, "shuts everybody out"),
        ("network_policy", {"allowed_network_rule_list": ["RULE_A"]}, "give database, schema and name"),
        ("network_rule", {"type": "HOST_PORT", "value_list": ["a"]}, "has mode EGRESS, not INGRESS"),
        ("network_rule", {"type": "IPV4", "mode": "EGRESS", "value_list": ["a"]}, "is not for EGRESS"),
        (
            "external_access_integration",
            {"allowed_network_rules": ["D.S.N1"], "allowed_authentication_secrets": ["all", "D.S.K"]},
            "'all' stands alone",
        ),
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
