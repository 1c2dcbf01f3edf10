"""Notification integration: outbound queues, which tasks send their errors and successes to, and e-mail.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-queue-outbound-aws, …-azure and …-gcp,
create-notification-integration-email, show-notification-integrations. Inbound queues and webhooks are refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, Reader, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

PROVIDERS = {
    "AWS_SNS": ("AWS_SNS_TOPIC_ARN", "AWS_SNS_ROLE_ARN"),
    "AZURE_EVENT_GRID": ("AZURE_EVENT_GRID_TOPIC_ENDPOINT", "AZURE_TENANT_ID"),
    "GCP_PUBSUB": ("GCP_PUBSUB_TOPIC_NAME",),
}
"""The properties that each provider needs."""


def _only(*allowed: str, known: tuple[str, ...]) -> Reader:
    """Words that this account has a meaning for; the other words that Snowflake knows are refused by name."""
    read_word = values.keyword(*allowed, *known)

    def read(statement: Statement, name: str) -> str:
        word = str(read_word(statement, name))
        if word not in allowed:
            raise errors.unsupported(f"{name} = {word} of NOTIFICATION INTEGRATION")
        return word

    return read


RECIPIENTS = ("ALLOWED_RECIPIENTS", "DEFAULT_RECIPIENTS")
"""The properties of an e-mail integration that hold addresses."""


def _recipients(statement: Statement, name: str) -> list[str]:
    """Addresses, at most 50, each of a user of this account who has verified it."""
    found: list[str] = values.text_list()(statement, name)
    if len(found) > 50:
        raise errors.invalid_value(f"{len(found)} addresses", name)
    return found


def _shown_type(_: Statement, item: CatalogObject) -> str:
    provider = item.properties.get("NOTIFICATION_PROVIDER")
    return "EMAIL" if provider is None else f"QUEUE - {provider}"


NOTIFICATION_INTEGRATION = ObjectType(
    kind="notification_integration",
    words="NOTIFICATION INTEGRATION",
    plural="NOTIFICATION INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("ENABLED", values.boolean(), required=True),
        Property("TYPE", _only("QUEUE", "EMAIL", known=("WEBHOOK",)), required=True, create_only=True),
        Property("DIRECTION", _only("OUTBOUND", known=("INBOUND",)), create_only=True),
        Property("NOTIFICATION_PROVIDER", values.keyword(*PROVIDERS), create_only=True),
        *(Property(name, values.text()) for names in PROVIDERS.values() for name in names),
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
        ShowColumn("direction", columns.declared("DIRECTION")),
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation="https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration",
    guesses=("the types and defaults in DESCRIBE", "numbers and texts of the errors of SYSTEM$SEND_EMAIL"),
)

TYPES = (NOTIFICATION_INTEGRATION,)
