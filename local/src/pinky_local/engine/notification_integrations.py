"""Notification integrations: what goes with which provider, and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration and desc-notification-integration.
"""

from __future__ import annotations

from typing import Any

from pinky_local.engine import emails, errors, families, show
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.notifications import PROVIDERS, RECIPIENTS
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn


def check(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where a property of another provider stands on an integration, or one of its own is missing."""
    if item.properties["TYPE"] == "EMAIL":
        _check_email(statement, item, given)
        return
    for name in (*RECIPIENTS, "DEFAULT_SUBJECT"):
        if item.properties.get(name) is not None:
            raise errors.invalid_property(name, "NOTIFICATION INTEGRATION of TYPE = QUEUE")
    absent = [name for name in ("DIRECTION", "NOTIFICATION_PROVIDER") if item.properties.get(name) is None]
    if absent:
        raise errors.missing_option(absent[0])
    provider = str(item.properties["NOTIFICATION_PROVIDER"])
    for names in PROVIDERS.values():
        for name in names:
            if item.properties.get(name) is not None and name not in PROVIDERS[provider]:
                raise errors.invalid_property(name, f"{provider} NOTIFICATION INTEGRATION")
    missing = [name for name in PROVIDERS[provider] if not item.properties.get(name)]
    if missing:
        raise errors.missing_option(", ".join(missing))


def _check_email(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    queue = {"DIRECTION", "NOTIFICATION_PROVIDER", *(name for names in PROVIDERS.values() for name in names)}
    for name in sorted(queue):
        if item.properties.get(name) is not None:
            raise errors.invalid_property(name, "NOTIFICATION INTEGRATION of TYPE = EMAIL")
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
    values: list[list[Any]] = [
        ["ENABLED", "Boolean", enabled, "false"],
        ["DIRECTION", "String", given["DIRECTION"], ""],
        ["NOTIFICATION_PROVIDER", "String", given["NOTIFICATION_PROVIDER"], ""],
        *([name, "String", given[name], ""] for name in PROVIDERS[str(given["NOTIFICATION_PROVIDER"])]),
        ["COMMENT", "String", given.get("COMMENT") or "", ""],
    ]
    return _rows(values)


def _rows(values: list[list[Any]]) -> Result:
    names = ("property", "property_type", "property_value", "property_default")
    return rows([ResultColumn(name, length=16_777_216) for name in names], values, show.DESCRIBE_TYPE)


families.VALUE_CHECK["notification_integration"] = check
families.DESCRIBE["notification_integration"] = describe
