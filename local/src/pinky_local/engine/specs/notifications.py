"""Notification integration: queues, outbound for errors and successes of tasks and inbound; e-mail; webhooks.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-queue-outbound-aws, …-azure and …-gcp,
…-queue-inbound-azure and …-gcp, …-email, …-webhooks and the pages for ALTER beside them, and
show-notification-integrations. Nothing is received here: an inbound queue is a name and its properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

PROVIDERS = {
    ("AWS_SNS", "OUTBOUND"): ("AWS_SNS_TOPIC_ARN", "AWS_SNS_ROLE_ARN"),
    ("AZURE_EVENT_GRID", "OUTBOUND"): ("AZURE_EVENT_GRID_TOPIC_ENDPOINT", "AZURE_TENANT_ID"),
    ("GCP_PUBSUB", "OUTBOUND"): ("GCP_PUBSUB_TOPIC_NAME",),
    ("AZURE_STORAGE_QUEUE", "INBOUND"): ("AZURE_STORAGE_QUEUE_PRIMARY_URI", "AZURE_TENANT_ID"),
    ("GCP_PUBSUB", "INBOUND"): ("GCP_PUBSUB_SUBSCRIPTION_NAME",),
}
"""The properties that a queue needs, by provider and direction."""

OUTBOUND = (
    "AWS_SNS_TOPIC_ARN", "AWS_SNS_ROLE_ARN", "AZURE_EVENT_GRID_TOPIC_ENDPOINT", "AZURE_TENANT_ID",
    "GCP_PUBSUB_TOPIC_NAME",
)  # fmt: skip
"""Properties of queues that ALTER sets on outbound ones."""

INBOUND = ("AZURE_STORAGE_QUEUE_PRIMARY_URI", "GCP_PUBSUB_SUBSCRIPTION_NAME")
PRIVATE = "USE_PRIVATELINK_ENDPOINT"
"""With INBOUND the properties of inbound queues, which no ALTER sets."""

WEBHOOK = ("WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_BODY_TEMPLATE", "WEBHOOK_HEADERS")
"""Properties of webhooks."""

RECIPIENTS = ("ALLOWED_RECIPIENTS", "DEFAULT_RECIPIENTS")
"""The properties of an e-mail integration that hold addresses."""


def _recipients(statement: Statement, name: str) -> list[str]:
    """Addresses, at most 50, each of a user of this account who has verified it."""
    found: list[str] = values.text_list()(statement, name)
    if len(found) > 50:
        raise errors.invalid_value(f"{len(found)} addresses", name)
    return found


def direction(item: CatalogObject) -> str:
    """INBOUND for queues that do not say DIRECTION = OUTBOUND."""
    return "INBOUND" if item.properties["TYPE"] == "QUEUE" and not item.properties.get("DIRECTION") else "OUTBOUND"


def _shown_type(_: Statement, item: CatalogObject) -> str:
    provider = item.properties.get("NOTIFICATION_PROVIDER")
    return str(item.properties["TYPE"]) if provider is None else f"QUEUE - {provider}"


NOTIFICATION_INTEGRATION = ObjectType(
    kind="notification_integration",
    words="NOTIFICATION INTEGRATION",
    plural="NOTIFICATION INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("ENABLED", values.boolean(), required=True),
        Property("TYPE", values.keyword("QUEUE", "EMAIL", "WEBHOOK"), required=True, create_only=True),
        Property("DIRECTION", values.keyword("OUTBOUND"), create_only=True),
        Property("NOTIFICATION_PROVIDER", values.keyword(*{name for name, _ in PROVIDERS}), create_only=True),
        *(Property(name, values.text(), unsettable=False) for name in OUTBOUND),
        *(Property(name, values.text(), create_only=True) for name in INBOUND),
        Property(PRIVATE, values.boolean(), create_only=True),
        Property("WEBHOOK_URL", values.text(), unsettable=False),
        Property("WEBHOOK_SECRET", values.reference("secret")),
        Property("WEBHOOK_BODY_TEMPLATE", values.text()),
        Property("WEBHOOK_HEADERS", values.text_map()),
        *(Property(name, _recipients) for name in RECIPIENTS),
        Property("DEFAULT_SUBJECT", values.text(256)),
        COMMENT,
    ),
    show=(
        columns.NAME,
        ShowColumn("type", _shown_type),
        ShowColumn("category", columns.fixed("NOTIFICATION")),
        ShowColumn("enabled", lambda _, item: "true" if item.properties.get("ENABLED") else "false"),
        columns.COMMENT,
        columns.CREATED_ON,
        ShowColumn("direction", lambda _, item: direction(item)),
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation="https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration",
    guesses=(
        "the types and defaults in DESCRIBE, and how it writes headers",
        "numbers and texts of the errors of SYSTEM$SEND_EMAIL",
    ),
)

TYPES = (NOTIFICATION_INTEGRATION,)
