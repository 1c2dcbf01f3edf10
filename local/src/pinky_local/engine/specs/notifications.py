"""Notification integration: outbound queues, which tasks send their errors and successes to.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-queue-outbound-aws, …-azure and …-gcp,
show-notification-integrations. Inbound queues, email and webhooks are refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, Reader, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.statement import Statement

PROVIDERS = {
    "AWS_SNS": ("AWS_SNS_TOPIC_ARN", "AWS_SNS_ROLE_ARN"),
    "AZURE_EVENT_GRID": ("AZURE_EVENT_GRID_TOPIC_ENDPOINT", "AZURE_TENANT_ID"),
    "GCP_PUBSUB": ("GCP_PUBSUB_TOPIC_NAME",),
}
"""The properties that each provider needs."""


def _only(allowed: str, *known: str) -> Reader:
    """A word of which this account has one meaning; the other words that Snowflake knows are refused by name."""
    read_word = values.keyword(allowed, *known)

    def read(statement: Statement, name: str) -> str:
        word = str(read_word(statement, name))
        if word != allowed:
            raise errors.unsupported(f"{name} = {word} of NOTIFICATION INTEGRATION")
        return word

    return read


NOTIFICATION_INTEGRATION = ObjectType(
    kind="notification_integration",
    words="NOTIFICATION INTEGRATION",
    plural="NOTIFICATION INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("ENABLED", values.boolean(), required=True),
        Property("TYPE", _only("QUEUE", "EMAIL", "WEBHOOK"), required=True, create_only=True),
        Property("DIRECTION", _only("OUTBOUND", "INBOUND"), required=True, create_only=True),
        Property("NOTIFICATION_PROVIDER", values.keyword(*PROVIDERS), required=True, create_only=True),
        *(Property(name, values.text()) for names in PROVIDERS.values() for name in names),
        COMMENT,
    ),
    show=(
        columns.NAME,
        ShowColumn("type", lambda _, item: f"QUEUE - {item.properties['NOTIFICATION_PROVIDER']}"),
        ShowColumn("category", columns.fixed("NOTIFICATION")),
        ShowColumn("enabled", lambda _, item: "true" if item.properties.get("ENABLED") else "false"),
        columns.COMMENT,
        columns.CREATED_ON,
        ShowColumn("direction", columns.declared("DIRECTION")),
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation="https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration",
    guesses=("the types and defaults in DESCRIBE",),
)

TYPES = (NOTIFICATION_INTEGRATION,)
