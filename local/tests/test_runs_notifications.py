"""What tasks would send, against tasks-errors-integrate and tasks-success-integrate, and the integrations they name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_account import speaker
from task_account import TaskAccount

QUEUE = (
    "CREATE NOTIFICATION INTEGRATION {} ENABLED = TRUE TYPE = QUEUE DIRECTION = OUTBOUND "
    "NOTIFICATION_PROVIDER = AWS_SNS AWS_SNS_TOPIC_ARN = 'arn:topic' AWS_SNS_ROLE_ARN = 'arn:role'"
)


@pytest.fixture
def account() -> Iterator[TaskAccount]:
    made = TaskAccount()
    made.set_up()
    made.run(QUEUE.format("errs"), QUEUE.format("good"))
    yield made
    made.close()


def test_every_failed_run_of_a_graph_is_told_to_the_root_s_integration(account: TaskAccount) -> None:
    account.graph(
        ("root", "SCHEDULE = '1 HOUR' ERROR_INTEGRATION = errs TASK_AUTO_RETRY_ATTEMPTS = 1"),
        ("a", "AFTER root", "SELECT 1 / 0"),
    )
    account.advance(3601)
    first, second = account.scheduler.outbox.messages()
    message = first["message"]
    assert (first["integration"], second["integration"]) == ("ERRS", "ERRS")
    assert message["messageType"] == "USER_TASK_FAILED"
    assert (message["taskName"], message["rootTaskName"]) == ("D.S.A", "D.S.ROOT")
    (about,) = message["messages"]
    assert (about["errorCode"], about["completedTime"]) == ("100051", "null")
    assert about["scheduledTime"].endswith("Z")
    assert about["queryId"] in account.history("QUERY_ID")
    assert message["messageId"] != second["message"]["messageId"]
    account.run("ALTER INTEGRATION errs SET ENABLED = FALSE")
    account.advance(3600)
    assert len(account.scheduler.outbox.messages()) == 2


def test_success_is_told_of_graphs_only(account: TaskAccount) -> None:
    account.task("alone", "SCHEDULE = '1 HOUR' SUCCESS_INTEGRATION = good")
    account.graph(("root", "SCHEDULE = '1 HOUR' SUCCESS_INTEGRATION = 'GOOD'"), ("a", "AFTER root"))
    account.advance(3601)
    (sent,) = account.scheduler.outbox.messages()
    assert sent["integration"] == "GOOD"
    assert sent["message"]["messageType"] == "GRAPH_SUCCEEDED"
    assert sent["message"]["rootTaskName"] == "D.S.ROOT"
    assert sent["message"]["messages"][0]["attemptNumber"] == 1


def test_a_task_needs_usage_on_the_integration_it_names(account: TaskAccount) -> None:
    account.run("CREATE ROLE worker", "GRANT ROLE worker TO USER pinky", "GRANT USAGE ON DATABASE d TO ROLE worker")
    account.run("GRANT USAGE, CREATE TASK ON SCHEMA d.s TO ROLE worker")
    worker = speaker(account.engine, "WORKER")
    assert worker.refused("CREATE TASK d.s.t ERROR_INTEGRATION = errs AS SELECT 1").errno == 2003
    account.run("GRANT USAGE ON INTEGRATION errs TO ROLE worker")
    worker.run("CREATE TASK d.s.t ERROR_INTEGRATION = errs AS SELECT 1")
    assert worker.one("SHOW TASKS IN SCHEMA d.s")["error_integration"] == "ERRS"


def test_integrations_are_shown_described_and_dropped(account: TaskAccount) -> None:
    shown = account.run("SHOW NOTIFICATION INTEGRATIONS")
    assert [row["name"] for row in shown] == ["ERRS", "GOOD"]
    assert {(row["type"], row["category"], row["enabled"], row["direction"]) for row in shown} == {
        ("QUEUE - AWS_SNS", "NOTIFICATION", "true", "OUTBOUND")
    }
    account.run("ALTER NOTIFICATION INTEGRATION errs SET ENABLED = FALSE COMMENT = 'off'")
    described = {row["property"]: row["property_value"] for row in account.run("DESC INTEGRATION errs")}
    assert described["ENABLED"] == "false"
    assert described["AWS_SNS_TOPIC_ARN"] == "arn:topic"
    account.run("DROP INTEGRATION errs", "DROP NOTIFICATION INTEGRATION good", "DROP INTEGRATION IF EXISTS errs")
    assert account.run("SHOW NOTIFICATION INTEGRATIONS") == []


@pytest.mark.parametrize(
    ("clauses", "errno"),
    [
        ("TYPE = EMAIL DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = AWS_SNS", 1420),
        ("TYPE = WEBHOOK", 2029),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'http://hooks.slack.com/services/x'", 1422),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'https://hooks.example.com/services/x'", 1422),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'https://a.b.logic.azure.com:443/workflows/x'", 1422),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'https://hooks.slack.com/services/x' WEBHOOK_BODY_TEMPLATE = '{}'", 2029),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'https://hooks.slack.com/services/x' WEBHOOK_SECRET = d.s.nothing", 2003),
        ("TYPE = WEBHOOK WEBHOOK_URL = 'https://hooks.slack.com/services/x' DEFAULT_SUBJECT = 'x'", 1420),
        ("TYPE = EMAIL WEBHOOK_URL = 'https://hooks.slack.com/services/x'", 1420),
        ("TYPE = QUEUE DIRECTION = INBOUND NOTIFICATION_PROVIDER = AWS_SNS", 1422),
        ("TYPE = QUEUE NOTIFICATION_PROVIDER = AWS_SNS AWS_SNS_TOPIC_ARN = 'x' AWS_SNS_ROLE_ARN = 'r'", 2029),
        ("TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = AZURE_STORAGE_QUEUE", 1422),
        ("TYPE = QUEUE NOTIFICATION_PROVIDER = AZURE_STORAGE_QUEUE AZURE_TENANT_ID = 't'", 2029),
        ("TYPE = QUEUE NOTIFICATION_PROVIDER = GCP_PUBSUB GCP_PUBSUB_TOPIC_NAME = 't'", 1420),
        ("TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = PIGEON", 1422),
        ("TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = AWS_SNS AWS_SNS_TOPIC_ARN = 'x'", 2029),
        ("TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = GCP_PUBSUB AZURE_TENANT_ID = 'x'", 1420),
        ("TYPE = QUEUE DIRECTION = OUTBOUND", 2029),
    ],
)
def test_integrations_that_are_refused(account: TaskAccount, clauses: str, errno: int) -> None:
    assert account.speaker.refused(f"CREATE NOTIFICATION INTEGRATION n ENABLED = TRUE {clauses}").errno == errno


def test_inbound_queues_are_properties_that_no_alter_sets(account: TaskAccount) -> None:
    create = "CREATE NOTIFICATION INTEGRATION {} TYPE = QUEUE ENABLED = TRUE NOTIFICATION_PROVIDER = {}"
    uri = "https://q.queue.core.windows.net/n"
    account.run(
        create.format("a", "AZURE_STORAGE_QUEUE") + f" AZURE_STORAGE_QUEUE_PRIMARY_URI = '{uri}' AZURE_TENANT_ID = 't'",
        create.format("g", "GCP_PUBSUB") + " GCP_PUBSUB_SUBSCRIPTION_NAME = 's'",
    )
    shown = {row["name"]: (row["type"], row["direction"]) for row in account.run("SHOW NOTIFICATION INTEGRATIONS")}
    assert shown["A"] == ("QUEUE - AZURE_STORAGE_QUEUE", "INBOUND")
    assert shown["G"] == ("QUEUE - GCP_PUBSUB", "INBOUND")
    described = {row["property"]: row["property_value"] for row in account.run("DESC NOTIFICATION INTEGRATION a")}
    assert described == {
        "ENABLED": "true", "DIRECTION": "INBOUND", "NOTIFICATION_PROVIDER": "AZURE_STORAGE_QUEUE", "COMMENT": "",
        "AZURE_STORAGE_QUEUE_PRIMARY_URI": uri, "AZURE_TENANT_ID": "t", "USE_PRIVATELINK_ENDPOINT": "false",
    }  # fmt: skip
    for change in ("AZURE_TENANT_ID = 'u'", f"AZURE_STORAGE_QUEUE_PRIMARY_URI = '{uri}'"):
        assert account.speaker.refused(f"ALTER NOTIFICATION INTEGRATION a SET {change}").errno == 1420
    account.run("ALTER NOTIFICATION INTEGRATION a SET ENABLED = FALSE COMMENT = 'c'")


def test_webhooks_are_altered_in_place(account: TaskAccount) -> None:
    account.run(
        "CREATE SECRET d.s.k TYPE = GENERIC_STRING SECRET_STRING = 'x'",
        "CREATE NOTIFICATION INTEGRATION w TYPE = WEBHOOK ENABLED = TRUE WEBHOOK_SECRET = d.s.k "
        "WEBHOOK_URL = 'https://hooks.slack.com/services/SNOWFLAKE_WEBHOOK_SECRET' "
        "WEBHOOK_BODY_TEMPLATE = '{\"text\": \"SNOWFLAKE_WEBHOOK_MESSAGE\"}' "
        "WEBHOOK_HEADERS = ('Content-Type'='application/json', 'X-A' = 'b')",
    )
    shown = account.run("SHOW NOTIFICATION INTEGRATIONS LIKE 'W'")
    assert [(row["type"], row["direction"]) for row in shown] == [("WEBHOOK", "OUTBOUND")]
    described = {row["property"]: row["property_value"] for row in account.run("DESC NOTIFICATION INTEGRATION w")}
    assert described["WEBHOOK_SECRET"] == "D.S.K"
    assert described["WEBHOOK_HEADERS"] == "{Content-Type=application/json,X-A=b}"
    assert account.speaker.refused("ALTER NOTIFICATION INTEGRATION w UNSET WEBHOOK_URL").errno == 1420
    assert account.speaker.refused("ALTER NOTIFICATION INTEGRATION w UNSET WEBHOOK_HEADERS").errno == 2029
    account.run("ALTER NOTIFICATION INTEGRATION w UNSET WEBHOOK_SECRET, WEBHOOK_BODY_TEMPLATE, WEBHOOK_HEADERS")
    account.run("ALTER NOTIFICATION INTEGRATION w SET WEBHOOK_URL = 'https://events.pagerduty.com/v2/enqueue'")
    described = {row["property"]: row["property_value"] for row in account.run("DESC NOTIFICATION INTEGRATION w")}
    assert (described["WEBHOOK_SECRET"], described["WEBHOOK_HEADERS"]) == ("", "{}")
