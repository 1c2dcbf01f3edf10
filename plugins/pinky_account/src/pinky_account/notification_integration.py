"""Notification integrations: e-mail, and outbound queues of three clouds.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-email,
https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-queue-outbound-aws (and -azure, -gcp),
https://docs.snowflake.com/en/sql-reference/sql/alter-notification-integration,
https://docs.snowflake.com/en/sql-reference/sql/desc-notification-integration
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pinky_account.integrations import described, no_rename, split_list
from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
    statement,
)

__all__ = ["NotificationIntegration", "NotificationProvider", "NotificationType"]

_LOST = "grants on the integration, its tie to tasks and pipes, and what the cloud trusts"


class NotificationType(Keyword):
    """E-mail to users of the account, or a queue."""

    EMAIL = ("EMAIL",)
    QUEUE = ("QUEUE",)


class NotificationProvider(Keyword):
    """Whose queue it is."""

    AWS_SNS = ("AWS_SNS",)
    AZURE_EVENT_GRID = ("AZURE_EVENT_GRID",)
    GCP_PUBSUB = ("GCP_PUBSUB",)


class Direction(Keyword):
    """Which way messages go; those of a queue go out."""

    OUTBOUND = ("OUTBOUND",)


_OF_PROVIDER: Mapping[str, NotificationProvider] = {
    "aws_sns_topic_arn": NotificationProvider.AWS_SNS,
    "aws_sns_role_arn": NotificationProvider.AWS_SNS,
    "azure_event_grid_topic_endpoint": NotificationProvider.AZURE_EVENT_GRID,
    "azure_tenant_id": NotificationProvider.AZURE_EVENT_GRID,
    "gcp_pubsub_topic_name": NotificationProvider.GCP_PUBSUB,
}
_EMAIL = ("allowed_recipients", "default_recipients", "default_subject")
_QUEUE = ("direction", "notification_provider", *_OF_PROVIDER)


def _queue(doc: str) -> Any:
    return prop(default=None, source=Source.DESCRIBE, on_change=OnChange.REFUSE, loses=_LOST, doc=doc)


@resource("notification_integration", scope="account", stateful=False)
class NotificationIntegration(Resource):
    """Where notifications go out: by e-mail, or into a queue. Type, provider and topic cannot be altered.

    E-mail reaches verified users of this account only, fifty at most. Not covered: webhooks and inbound queues.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE INTEGRATION or CREATE NOTIFICATION INTEGRATION", "the account"),
        ("OWNERSHIP", "the notification integration"),
    )

    type: NotificationType = prop(on_change=OnChange.REFUSE, loses=_LOST, doc="EMAIL or QUEUE.")
    enabled: bool = prop(default=True, unset=False, doc="Whether it can be used.")
    direction: Direction | None = _queue("OUTBOUND (QUEUE; required there).")
    notification_provider: NotificationProvider | None = _queue("Whose queue it is (QUEUE; required there).")
    aws_sns_topic_arn: str | None = _queue("Topic (AWS_SNS).")
    aws_sns_role_arn: str | None = _queue("Role that may publish to it (AWS_SNS).")
    azure_event_grid_topic_endpoint: str | None = _queue("Endpoint of the topic (AZURE_EVENT_GRID).")
    azure_tenant_id: str | None = _queue("Tenant of the topic (AZURE_EVENT_GRID).")
    gcp_pubsub_topic_name: str | None = _queue("Topic (GCP_PUBSUB).")
    allowed_recipients: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="Addresses of verified users that alone may get mail (EMAIL)."
    )
    default_recipients: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="Addresses of verified users where a message names none (EMAIL)."
    )
    default_subject: str | None = prop(
        default=None, source=Source.DESCRIBE, doc="Subject where a message has none (EMAIL); at most 256 characters."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    former_address = classmethod(no_rename)

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What a type or provider needs and does not have, and what is another's."""
        others = _QUEUE if self.type is NotificationType.EMAIL else _EMAIL
        for name in others:
            if getattr(self, name) not in (ABSENT, None, ()):
                yield name, f"{name!r} does not exist for type {self.type}"
        if self.type is NotificationType.QUEUE:
            for name in ("direction", "notification_provider"):
                if not is_given(getattr(self, name)):
                    yield "type", f"a queue needs {name!r}"
            for name, provider in _OF_PROVIDER.items():
                given = is_given(getattr(self, name))
                if given is not (provider is self.notification_provider) and is_given(self.notification_provider):
                    text = f"{name!r} is for {provider}" if given else f"{provider} needs {name!r}"
                    yield name if given else "notification_provider", text
        for name in ("allowed_recipients", "default_recipients"):
            if len(getattr(self, name) or ()) > 50:
                yield name, "at most 50 addresses"
        if is_given(self.default_subject) and len(self.default_subject or "") > 256:
            yield "default_subject", "at most 256 characters"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE NOTIFICATION INTEGRATION; ENABLED is demanded."""
        return [self._create("CREATE", address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE NOTIFICATION INTEGRATION."""
        return [self._create("CREATE OR REPLACE", address)]

    def _create(self, words: str, address: Address) -> Statement:
        clauses = [f"{words} NOTIFICATION INTEGRATION {address.sql}"]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if field.name == "enabled":
                value = value if is_given(value) else True
            if is_given(value) and value != ():
                clauses.append(f"{field.sql} = {literal(value)}")
        return statement(" ".join(clauses))

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET, then UNSET; an empty list is unset."""
        by_name = self.spec.by_name
        given = [(by_name[c.path], c.after) for c in changes if c.after not in (None, ())]
        given += [(by_name[c.path], True) for c in changes if c.path == "enabled" and c.after is None]
        gone = [by_name[c.path].sql for c in changes if c.after in (None, ()) and c.path != "enabled"]
        head = f"ALTER NOTIFICATION INTEGRATION {address.sql}"
        pieces = [f"{field.sql} = {literal(value)}" for field, value in given]
        return [
            *([statement(f"{head} SET {' '.join(pieces)}")] if pieces else []),
            *([statement(f"{head} UNSET {', '.join(gone)}")] if gone else []),
        ]

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists counts for nothing."""
        found = super().changes(address, live, context)
        lists = ("allowed_recipients", "default_recipients")
        return [c for c in found if c.path not in lists or sorted(c.before or ()) != sorted(c.after or ())]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Whatever makes another integration of it loses its ties."""
        if action is Action.DROP or any(change.on_change is OnChange.REFUSE for change in changes):
            return Risk.DESTRUCTIVE, _LOST
        return Risk.SAFE, ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW, whose type says ``QUEUE - AWS_SNS``."""
        raw = super().from_row(row)
        return {**raw, "type": str(raw.get("type") or "").partition(" ")[0]}

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """The rows of DESCRIBE; lists are told with commas."""
        told = described(cls.spec, rows)
        lists = ("allowed_recipients", "default_recipients")
        return {**told, **{name: split_list(told[name]) for name in lists if name in told}}
