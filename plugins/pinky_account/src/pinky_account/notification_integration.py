"""Notification integrations: e-mail, webhooks, and queues of three clouds, outbound and inbound.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-email, -webhooks,
-queue-outbound-aws, -queue-outbound-azure, -queue-outbound-gcp, -queue-inbound-azure, -queue-inbound-gcp, the pages for
ALTER of the same names, and https://docs.snowflake.com/en/sql-reference/sql/desc-notification-integration
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_account.integrations import altered, created, described, no_rename, risk_of, split_list
from pinky_core import (
    ABSENT,
    Action,
    Address,
    Context,
    FieldChange,
    Keyword,
    OnChange,
    QualifiedName,
    Resource,
    Risk,
    Rows,
    Source,
    Statement,
    is_given,
    literal,
    prop,
    resource,
    string_literal,
)

__all__ = ["NotificationIntegration", "NotificationProvider", "NotificationType"]

_LOST = "grants on the integration, its tie to tasks and pipes, and what the cloud trusts"
_SECRET = "SNOWFLAKE_WEBHOOK_SECRET"


class NotificationType(Keyword):
    """E-mail to users of the account, a webhook, or a queue."""

    EMAIL = ("EMAIL",)
    QUEUE = ("QUEUE",)
    WEBHOOK = ("WEBHOOK",)


class NotificationProvider(Keyword):
    """Whose queue it is."""

    AWS_SNS = ("AWS_SNS",)
    AZURE_EVENT_GRID = ("AZURE_EVENT_GRID",)
    AZURE_STORAGE_QUEUE = ("AZURE_STORAGE_QUEUE",)
    GCP_PUBSUB = ("GCP_PUBSUB",)


class Direction(Keyword):
    """Which way messages go."""

    INBOUND = ("INBOUND",)
    OUTBOUND = ("OUTBOUND",)


_SNS, _GRID = NotificationProvider.AWS_SNS, NotificationProvider.AZURE_EVENT_GRID
_STORAGE, _PUBSUB = NotificationProvider.AZURE_STORAGE_QUEUE, NotificationProvider.GCP_PUBSUB
_NEEDED: Mapping[tuple[NotificationProvider, Direction], tuple[str, ...]] = {
    (_SNS, Direction.OUTBOUND): ("aws_sns_topic_arn", "aws_sns_role_arn"),
    (_GRID, Direction.OUTBOUND): ("azure_event_grid_topic_endpoint", "azure_tenant_id"),
    (_PUBSUB, Direction.OUTBOUND): ("gcp_pubsub_topic_name",),
    (_STORAGE, Direction.INBOUND): ("azure_storage_queue_primary_uri", "azure_tenant_id"),
    (_PUBSUB, Direction.INBOUND): ("gcp_pubsub_subscription_name",),
}
_OPTIONAL = {(_STORAGE, Direction.INBOUND): ("use_privatelink_endpoint",)}
_OF_QUEUES = tuple(dict.fromkeys(name for names in (*_NEEDED.values(), *_OPTIONAL.values()) for name in names))
_OF_TYPE: Mapping[NotificationType, tuple[str, ...]] = {
    NotificationType.EMAIL: ("allowed_recipients", "default_recipients", "default_subject"),
    NotificationType.QUEUE: ("direction", "notification_provider", *_OF_QUEUES),
    NotificationType.WEBHOOK: ("webhook_url", "webhook_secret", "webhook_body_template", "webhook_headers"),
}


def _queue(doc: str, *, alters: bool = False) -> Any:
    if alters:
        return prop(default=None, source=Source.DESCRIBE, unset=False, doc=doc)
    return prop(default=None, source=Source.DESCRIBE, on_change=OnChange.REFUSE, loses=_LOST, doc=doc)


@resource("notification_integration", scope="account", stateful=False)
class NotificationIntegration(Resource):
    """Where notifications go out: by e-mail, to a webhook, or into a queue; or the queue they come from.

    Type, provider, direction, and what an inbound queue is cannot be altered. E-mail reaches verified users of this
    account only, fifty at most; webhooks those of Slack, Teams, PagerDuty, Jira and ServiceNow.
    """

    show_pages = False
    privileges: ClassVar[tuple[tuple[str, str], ...]] = (
        ("CREATE INTEGRATION or CREATE NOTIFICATION INTEGRATION", "the account"),
        ("USAGE", "the secret of a webhook and its schema"),
        ("OWNERSHIP", "the notification integration"),
    )

    type: NotificationType = prop(on_change=OnChange.REFUSE, loses=_LOST, doc="EMAIL, WEBHOOK or QUEUE.")
    enabled: bool = prop(default=True, unset=False, doc="Whether it can be used.")
    direction: Direction | None = _queue("INBOUND or OUTBOUND (QUEUE); what the provider's other values say anyway.")
    notification_provider: NotificationProvider | None = _queue("Whose queue it is (QUEUE; required there).")
    aws_sns_topic_arn: str | None = _queue("Topic (AWS_SNS).", alters=True)
    aws_sns_role_arn: str | None = _queue("Role that may publish to it (AWS_SNS).", alters=True)
    azure_event_grid_topic_endpoint: str | None = _queue("Endpoint of the topic (AZURE_EVENT_GRID).", alters=True)
    azure_tenant_id: str | None = _queue("Tenant (AZURE_EVENT_GRID, AZURE_STORAGE_QUEUE).", alters=True)
    azure_storage_queue_primary_uri: str | None = _queue("URL of the queue (AZURE_STORAGE_QUEUE).")
    use_privatelink_endpoint: bool | None = _queue("Whether connectivity is private (AZURE_STORAGE_QUEUE).")
    gcp_pubsub_topic_name: str | None = _queue("Topic, outbound (GCP_PUBSUB).")
    gcp_pubsub_subscription_name: str | None = _queue("Subscription, inbound (GCP_PUBSUB).")
    allowed_recipients: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="Addresses of verified users that alone may get mail (EMAIL)."
    )
    default_recipients: tuple[str, ...] | None = prop(
        default=(), source=Source.DESCRIBE, doc="Addresses of verified users where a message names none (EMAIL)."
    )
    default_subject: str | None = prop(
        default=None, source=Source.DESCRIBE, doc="Subject where a message has none (EMAIL); at most 256 characters."
    )
    webhook_url: str | None = prop(
        default=None, source=Source.DESCRIBE, unset=False, doc=f"URL with https; {_SECRET} stands for the secret in it."
    )
    webhook_secret: QualifiedName | None = prop(
        default=None, source=Source.DESCRIBE, refers_to="secret", doc="Secret of the webhook, named in full."
    )
    webhook_body_template: str | None = prop(
        default=None, source=Source.DESCRIBE, doc="Body, with SNOWFLAKE_WEBHOOK_MESSAGE where the message goes."
    )
    webhook_headers: dict[str, str] = prop(
        default=None, source=Source.DESCRIBE, doc="Headers; a body template needs Content-Type."
    )
    comment: str | None = prop(default=None, doc="Free text.")

    former_address = classmethod(no_rename)

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What a type or provider needs and does not have, and what is another's."""
        for type_, names in _OF_TYPE.items():
            for name in names if type_ is not self.type else ():
                if getattr(self, name) not in (ABSENT, None, (), {}):
                    yield name, f"{name!r} does not exist for type {self.type}"
        if self.type is NotificationType.QUEUE:
            yield from self._queue_contradictions()
        if self.type is NotificationType.WEBHOOK:
            yield from self._webhook_contradictions()
        for name in ("allowed_recipients", "default_recipients"):
            if len(getattr(self, name) or ()) > 50:
                yield name, "at most 50 addresses"
        if is_given(self.default_subject) and len(self.default_subject or "") > 256:
            yield "default_subject", "at most 256 characters"

    def _queue_contradictions(self) -> Iterable[tuple[str, str]]:
        provider = self.notification_provider
        if not isinstance(provider, NotificationProvider):
            yield "type", "a queue needs 'notification_provider'"
            return
        way = self._direction(provider)
        if isinstance(self.direction, Direction) and self.direction is not way:
            if provider is _PUBSUB:
                name = _NEEDED[provider, self.direction][0]
                yield "direction", f"{provider} needs {name!r} for {self.direction}"
            else:
                yield "direction", f"{provider} is {way}"
            return
        for name in _NEEDED[provider, way]:
            if not is_given(getattr(self, name)):
                yield "notification_provider", f"{provider} needs {name!r}"
        for name in _OF_QUEUES:
            if is_given(getattr(self, name)) and name not in (
                *_NEEDED[provider, way],
                *_OPTIONAL.get((provider, way), ()),
            ):
                of = " or ".join(dict.fromkeys(str(each) for (each, _), names in _NEEDED.items() if name in names))
                yield name, f"{name!r} is for {of or _STORAGE}, {way} {provider} has none"

    def _direction(self, provider: NotificationProvider) -> Direction:
        """Which way, by what only one direction has."""
        if provider is _STORAGE or (provider is _PUBSUB and is_given(self.gcp_pubsub_subscription_name)):
            return Direction.INBOUND
        return Direction.OUTBOUND

    def _webhook_contradictions(self) -> Iterable[tuple[str, str]]:
        if not is_given(self.webhook_url):
            yield "type", "a webhook needs 'webhook_url'"
        elif not str(self.webhook_url).startswith("https://"):
            yield "webhook_url", "a webhook has https"
        headers = self.webhook_headers if isinstance(self.webhook_headers, Mapping) else {}
        if is_given(self.webhook_body_template) and "content-type" not in {name.lower() for name in headers}:
            yield "webhook_body_template", "a body template needs the header Content-Type in 'webhook_headers'"
        texts = [str(self.webhook_url or ""), str(self.webhook_body_template or ""), *headers.values()]
        used = any(_SECRET in text for text in texts)
        if is_given(self.webhook_secret) and not used:
            yield "webhook_secret", f"it is used nowhere: write {_SECRET} where it belongs"
        elif used and not is_given(self.webhook_secret):
            yield "webhook_url", f"{_SECRET} stands for 'webhook_secret', which is not given"

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE NOTIFICATION INTEGRATION; ENABLED is demanded."""
        return [self._created("CREATE", address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE NOTIFICATION INTEGRATION."""
        return [self._created("CREATE OR REPLACE", address)]

    def _created(self, words: str, address: Address) -> Statement:
        """An inbound queue is one that does not say OUTBOUND."""
        provider = self.notification_provider
        way = self._direction(provider) if isinstance(provider, NotificationProvider) else None
        instead = {"direction": way if way is Direction.OUTBOUND else None}
        return created(words, self, address, instead=instead, spell=_clause)

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET, then UNSET; an empty list is unset."""
        after = {change.path: change.after for change in changes}
        if after.keys() & {"aws_sns_topic_arn", "aws_sns_role_arn"}:  # ALTER wants both
            after |= {name: getattr(self, name) for name in ("aws_sns_topic_arn", "aws_sns_role_arn")}
        return altered(self, address, after, spell=_clause)

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs; the order in lists and of headers counts for nothing."""
        inbound = self.notification_provider is _STORAGE
        return [
            attrs.evolve(change, on_change=OnChange.REFUSE) if inbound and change.path == "azure_tenant_id" else change
            for change in super().changes(address, live, context)
            if not _same(change)
        ]

    def risk(self, address: Address, action: Action, live: Self, changes: Sequence[FieldChange]) -> tuple[Risk, str]:
        """Whatever makes another integration of it loses its ties."""
        return risk_of(action, changes, _LOST)

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
        found = {**told, **{name: split_list(told[name]) for name in lists if name in told}}
        if "webhook_headers" in told:
            found["webhook_headers"] = _headers(told["webhook_headers"])
        return found


def _same(change: FieldChange) -> bool:
    """Whether both sides mean the same, although they are written differently."""
    before, after = change.before, change.after
    if change.path in ("allowed_recipients", "default_recipients"):
        return sorted(before or ()) == sorted(after or ())
    if change.path == "webhook_headers":
        return (before or {}) == (after or {})
    if change.path == "use_privatelink_endpoint":
        return bool(before) == bool(after)
    return change.path == "direction" and after is None  # the provider says it


def _clause(name: str, value: Any) -> str:
    """Headers as ``('a'='b', …)``, names of secrets bare, everything else as everywhere."""
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{string_literal(k)}={string_literal(v)}" for k, v in value.items()) + ")"
    return literal(value)


def _headers(raw: Any) -> dict[str, str]:
    """What DESCRIBE prints of headers, as JSON or as ``{a=b, c=d}``; its page does not say how."""
    text = str(raw or "").strip()
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        pairs = (each.partition("=") for each in text.strip("{}()").split(",") if each.strip())
        return {name.strip(" '\""): value.strip(" '\"") for name, _, value in pairs}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
