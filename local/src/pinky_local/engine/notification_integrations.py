"""Notification integrations: what goes with which provider, and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration and desc-notification-integration.
"""

from __future__ import annotations

import re
from typing import Any

from pinky_local.engine import emails, errors, families, show
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.identifiers import parse_dotted
from pinky_local.engine.specs.notifications import INBOUND, OUTBOUND, PRIVATE, PROVIDERS, RECIPIENTS, WEBHOOK, direction
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_QUEUE = ("DIRECTION", "NOTIFICATION_PROVIDER", *OUTBOUND, *INBOUND, PRIVATE)
_EMAIL = (*RECIPIENTS, "DEFAULT_SUBJECT")
_HOSTS = re.compile(
    r"https://(hooks\.slack\.com/services/|[^/:]+\.logic\.azure\.com/workflows/|default[^/:]+\.api\.powerplatform\.com/"
    r"|events\.pagerduty\.com/v2/enqueue\Z|api-private\.atlassian\.com/automation/webhooks/jira/"
    r"|[^/:.]+\.service-now\.com/)"
)


def check(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where a property of another type or provider stands on an integration, or one of its own is missing."""
    kind = str(item.properties["TYPE"])
    own = {"QUEUE": _QUEUE, "EMAIL": _EMAIL, "WEBHOOK": WEBHOOK}
    for other, names in own.items():
        for name in names if other != kind else ():
            if item.properties.get(name) is not None:
                raise errors.invalid_property(name, f"NOTIFICATION INTEGRATION of TYPE = {kind}")
    {"QUEUE": _check_queue, "EMAIL": _check_email, "WEBHOOK": _check_webhook}[kind](statement, item, given)


def _check_queue(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    provider, way = item.properties.get("NOTIFICATION_PROVIDER"), direction(item)
    if provider is None:
        raise errors.missing_option("NOTIFICATION_PROVIDER")
    if (str(provider), way) not in PROVIDERS:
        if way == "INBOUND":
            raise errors.missing_option("DIRECTION")
        raise errors.invalid_value(way, "DIRECTION")
    needed = PROVIDERS[str(provider), way]
    allowed = {*needed, *((PRIVATE,) if provider == "AZURE_STORAGE_QUEUE" else ())}
    for name in (*OUTBOUND, *INBOUND, PRIVATE):
        if item.properties.get(name) is not None and name not in allowed:
            raise errors.invalid_property(name, f"{way} {provider} NOTIFICATION INTEGRATION")
    if "TYPE" not in given and way == "INBOUND":  # an ALTER
        for name in sorted(given & set(OUTBOUND)):
            raise errors.invalid_property(name, f"{way} {provider} NOTIFICATION INTEGRATION")
    missing = [name for name in needed if not item.properties.get(name)]
    if missing:
        raise errors.missing_option(", ".join(missing))


def _check_webhook(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    url = item.properties.get("WEBHOOK_URL")
    if url is None:
        raise errors.missing_option("WEBHOOK_URL")
    if not _HOSTS.match(str(url)):
        raise errors.invalid_value(str(url), "WEBHOOK_URL")
    headers = {name.lower() for name in item.properties.get("WEBHOOK_HEADERS") or {}}
    if item.properties.get("WEBHOOK_BODY_TEMPLATE") is not None and "content-type" not in headers:
        raise errors.missing_option("WEBHOOK_HEADERS with Content-Type")
    if "WEBHOOK_SECRET" in given:
        secret = statement.find("secret", parse_dotted(str(item.properties["WEBHOOK_SECRET"])))
        statement.require(secret, "USAGE")


def _check_email(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    for name in RECIPIENTS:
        if name in given:
            emails.check_verified(statement, item.properties.get(name) or [])


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE: one row for each property."""
    statement.require(item, "USAGE")
    given = item.properties
    enabled = "true" if given.get("ENABLED") else "false"
    if given["TYPE"] == "EMAIL":
        lists = [[name, "List", ",".join(given.get(name) or []), ""] for name in RECIPIENTS]
        subject = ["DEFAULT_SUBJECT", "String", given.get("DEFAULT_SUBJECT") or "", "Snowflake Email Notification"]
        comment = ["COMMENT", "String", given.get("COMMENT") or "", ""]
        return _rows([["ENABLED", "Boolean", enabled, "false"], *lists, subject, comment])
    head: list[list[Any]] = [["ENABLED", "Boolean", enabled, "false"], ["DIRECTION", "String", direction(item), ""]]
    comment = ["COMMENT", "String", given.get("COMMENT") or "", ""]
    if given["TYPE"] == "WEBHOOK":
        headers = ",".join(f"{name}={value}" for name, value in (given.get("WEBHOOK_HEADERS") or {}).items())
        told = {**given, "WEBHOOK_HEADERS": f"{{{headers}}}"}
        return _rows([*head, *([name, "String", told.get(name) or "", ""] for name in WEBHOOK), comment])
    provider = str(given["NOTIFICATION_PROVIDER"])
    own = [[name, "String", given[name], ""] for name in PROVIDERS[provider, direction(item)]]
    if provider == "AZURE_STORAGE_QUEUE":
        private = "true" if given.get(PRIVATE) else "false"
        own.append([PRIVATE, "Boolean", private, "false"])
    return _rows([*head, ["NOTIFICATION_PROVIDER", "String", provider, ""], *own, comment])


def _rows(values: list[list[Any]]) -> Result:
    names = ("property", "property_type", "property_value", "property_default")
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


families.VALUE_CHECK["notification_integration"] = check
families.DESCRIBE["notification_integration"] = describe
