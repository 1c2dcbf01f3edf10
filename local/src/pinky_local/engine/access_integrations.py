"""External access integrations and network rules: which rules may be named, and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-external-access-integration and desc-integration.
"""

from __future__ import annotations

from pinky_local.engine import errors, families
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.identifiers import parse_dotted
from pinky_local.engine.property_rows import properties_table
from pinky_local.engine.specs.access import check_rule
from pinky_local.engine.statement import Statement
from pinky_local.types import Result

_LISTS = ("ALLOWED_NETWORK_RULES", "ALLOWED_API_AUTHENTICATION_INTEGRATIONS", "ALLOWED_AUTHENTICATION_SECRETS")


def check(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise for a rule that is not for EGRESS, and without USAGE on a secret."""
    if "ALLOWED_NETWORK_RULES" in given:
        for name in item.properties["ALLOWED_NETWORK_RULES"]:
            rule = statement.find("network_rule", parse_dotted(name))
            if rule.properties.get("MODE", "INGRESS") != "EGRESS":
                raise errors.invalid_value(name, "ALLOWED_NETWORK_RULES")
    if "ALLOWED_AUTHENTICATION_SECRETS" in given:
        for name in item.properties.get("ALLOWED_AUTHENTICATION_SECRETS") or ():
            if name not in ("all", "none"):
                statement.require(statement.find("secret", parse_dotted(name)), "USAGE", "READ")


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE: one row for each property."""
    statement.require(item, "USAGE")
    given = item.properties
    lists = [[name, "List", f"[{','.join(given.get(name) or ())}]", "[]"] for name in _LISTS]
    enabled = ["ENABLED", "Boolean", "true" if given.get("ENABLED") else "false", "false"]
    return properties_table([enabled, *lists, ["COMMENT", "String", given.get("COMMENT") or "", ""]], parent=False)


families.VALUE_CHECK["external_access_integration"] = check
families.VALUE_CHECK["network_rule"] = check_rule
families.DESCRIBE["external_access_integration"] = describe
