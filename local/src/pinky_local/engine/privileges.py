"""Which privileges exist on what.

Rests on https://docs.snowflake.com/en/sql-reference/sql/grant-privilege. Privileges on an object type stand in its
specification; here are the account level ones and the rules of ALL.
"""

from __future__ import annotations

from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs import TYPES

_APPLY_POLICIES = (
    "AGGREGATION", "AUTHENTICATION", "JOIN", "MASKING", "PACKAGES", "PASSWORD", "PROJECTION", "ROW ACCESS", "SESSION",
    "STORAGE LIFECYCLE",
)  # fmt: skip
_CREATE = (
    "ACCOUNT", "APPLICATION", "APPLICATION PACKAGE", "COMPUTE POOL", "LISTING", "DATABASE", "EXTERNAL VOLUME",
    "FAILOVER GROUP", "INTEGRATION", "NETWORK POLICY", "ORGANIZATION LISTING", "ORGANIZATION PROFILE",
    "PREVIEW APPLICATION", "REPLICATION GROUP", "ROLE", "SHARE", "USER", "WAREHOUSE",
)  # fmt: skip

GLOBAL_PRIVILEGES: tuple[str, ...] = (
    *(f"CREATE {words}" for words in _CREATE),
    *(f"APPLY {words} POLICY" for words in _APPLY_POLICIES),
    "APPLY CONTACT", "APPLY TAG", "ATTACH POLICY", "AUDIT", "BIND SERVICE ENDPOINT", "EXECUTE ALERT",
    "EXECUTE DATA METRIC FUNCTION", "EXECUTE MANAGED ALERT", "EXECUTE MANAGED TASK", "EXECUTE TASK", "IMPORT SHARE",
    "IMPORT ORGANIZATION LISTING", "MANAGE ACCOUNT SUPPORT CASES", "MANAGE APPLICATION SPECIFICATIONS",
    "MANAGE CORTEX EXTENSION SECURITY SCAN", "MANAGE EVENT SHARING", "MANAGE GRANTS", "MANAGE LISTING AUTO FULFILLMENT",
    "MANAGE ORGANIZATION SUPPORT CASES", "MANAGE SHARE TARGET", "MANAGE USER SUPPORT CASES", "MANAGE VISIBILITY",
    "MANAGE WAREHOUSES", "MODIFY LOG LEVEL", "MODIFY TRACE LEVEL", "MODIFY SESSION LOG LEVEL",
    "MODIFY SESSION TRACE LEVEL", "MONITOR CORTEX EXTENSIONS", "MONITOR EXECUTION", "MONITOR SECURITY", "MONITOR USAGE",
    "OVERRIDE SHARE RESTRICTIONS", "PURCHASE DATA EXCHANGE LISTING", "READ SESSION", "READ UNREDACTED ERROR TABLE",
    "RESOLVE ALL", "USE AI FUNCTIONS",
)  # fmt: skip

_CLASSES = (
    "CORE.BUDGET", "DATA_PRIVACY.CLASSIFICATION_PROFILE", "DATA_PRIVACY.CUSTOM_CLASSIFIER", "ML.ANOMALY_DETECTION",
    "ML.CLASSIFICATION", "ML.FORECAST", "ML.TOP_INSIGHTS", "ML.DOCUMENT_INTELLIGENCE",
)  # fmt: skip

CLASS_PRIVILEGES = frozenset(f"CREATE SNOWFLAKE.{name}" for name in _CLASSES)
"""Privileges on a schema to make instances of classes; ALL does not include them."""

ALL_PRIVILEGES = (
    frozenset(GLOBAL_PRIVILEGES)
    | {privilege for spec in TYPES.values() for privilege in spec.privileges}
    | {"OWNERSHIP"}
    | CLASS_PRIVILEGES
)
"""Every privilege some object can have."""

_SPLIT = {"USAGE": "external", "READ": "internal", "WRITE": "internal"}


def privileges_of(kind: str) -> tuple[str, ...]:
    """The privileges that can be granted on a type; ``account`` for the account."""
    return GLOBAL_PRIVILEGES if kind == "account" else TYPES[kind].privileges


def fits(privilege: str, item: CatalogObject) -> bool:
    """Whether a privilege of the type fits this very object: stages split between internal and external ones."""
    if item.kind != "stage" or privilege not in _SPLIT:
        return True
    return _SPLIT[privilege] == ("external" if item.properties.get("URL") else "internal")
