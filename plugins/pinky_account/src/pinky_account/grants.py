"""What the grants of this package share: documented privileges, their spelling, and reading what a role holds.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
https://docs.snowflake.com/en/user-guide/security-access-control-privileges,
https://docs.snowflake.com/en/sql-reference/sql/show-grants
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from pinky_core import Identifier, NotVisibleError, Reader, Rows, parse_path, sql_path

__all__ = ["PRIVILEGES", "expanded", "grants_to", "names_of", "privilege_of", "unknown"]

_CREATE = (
    "ACCOUNT", "APPLICATION", "APPLICATION PACKAGE", "COMPUTE POOL", "LISTING", "DATABASE", "EXTERNAL VOLUME",
    "FAILOVER GROUP", "INTEGRATION", "NETWORK POLICY", "NOTIFICATION INTEGRATION", "ORGANIZATION LISTING",
    "ORGANIZATION PROFILE", "PREVIEW APPLICATION", "PROVISIONED THROUGHPUT", "REPLICATION GROUP", "ROLE", "SHARE",
    "STORAGE INTEGRATION", "USER", "WAREHOUSE",
)  # fmt: skip
_APPLY = (
    "AGGREGATION POLICY", "AUTHENTICATION POLICY", "BACKUP POLICY", "BACKUP RETENTION LOCK", "CONTACT",
    "DATA MOVEMENT POLICY", "FEATURE POLICY", "JOIN POLICY", "LEGAL HOLD", "MASKING POLICY", "PACKAGES POLICY",
    "PASSWORD POLICY", "PRIVACY POLICY", "PROJECTION POLICY", "ROW ACCESS POLICY", "SESSION POLICY",
    "SNAPSHOT RETENTION LOCK", "STORAGE LIFECYCLE POLICY", "TAG",
)  # fmt: skip
_EXECUTE = ("ALERT", "AUTO CLASSIFICATION", "DATA METRIC FUNCTION", "MANAGED ALERT", "MANAGED TASK", "TASK")
_IMPORT = ("ORGANIZATION LISTING", "ORGANIZATION USER GROUPS", "SHARE")
_MANAGE = (
    "ACCOUNT SUPPORT CASES", "ACCOUNTS", "APPLICATION SPECIFICATIONS", "CALLER GRANTS",
    "CORTEX EXTENSION SECURITY SCAN", "EVENT SHARING", "GRANTS", "LISTING AUTO FULFILLMENT", "ORGANIZATION ACCESS",
    "ORGANIZATION CONTACTS", "ORGANIZATION SUPPORT CASES", "ORGANIZATION TERMS", "ORGANIZATION USER GROUPS",
    "ORGANIZATION USERS", "SERVICE CALLER ACCESS", "SHARE TARGET", "USER SUPPORT CASES", "VISIBILITY", "WAREHOUSES",
)  # fmt: skip
_MODIFY = (
    "EVENT TABLE", "LOG EVENT LEVEL", "LOG LEVEL", "METRIC LEVEL", "SESSION LOG EVENT LEVEL", "SESSION LOG LEVEL",
    "SESSION METRIC LEVEL", "SESSION TRACE LEVEL", "TRACE LEVEL",
)  # fmt: skip
_MONITOR = ("CORTEX EXTENSIONS", "EXECUTION", "ROLE", "SECURITY", "USAGE", "USER")

#: Privileges by type of object, as the documentation lists them.
PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "ACCOUNT": (
        *(f"CREATE {what}" for what in _CREATE),
        *(f"APPLY {what}" for what in _APPLY),
        *(f"EXECUTE {what}" for what in _EXECUTE),
        *(f"IMPORT {what}" for what in _IMPORT),
        *(f"MANAGE {what}" for what in _MANAGE),
        *(f"MODIFY {what}" for what in _MODIFY),
        *(f"MONITOR {what}" for what in _MONITOR),
        "ATTACH POLICY", "AUDIT", "BIND SERVICE ENDPOINT", "CANCEL QUERY", "OVERRIDE SHARE RESTRICTIONS",
        "PURCHASE DATA EXCHANGE LISTING", "READ SESSION", "READ UNREDACTED ERROR TABLE", "RESOLVE ALL",
        "USE AI FUNCTIONS",
    ),
    "APPLICATION PACKAGE": ("ATTACH LISTING", "DEVELOP", "INSTALL", "MANAGE VERSIONS", "MANAGE RELEASES"),
    "COMPUTE POOL": ("MODIFY", "MONITOR", "OPERATE", "USAGE"),
    "CONNECTION": ("FAILOVER",),
    "DATABASE": (
        "APPLYBUDGET", "CREATE DATABASE ROLE", "CREATE SCHEMA", "IMPORTED PRIVILEGES", "MODIFY", "MONITOR", "USAGE",
    ),
    "EXTERNAL VOLUME": ("USAGE",),
    "FAILOVER GROUP": ("FAILOVER", "MODIFY", "MONITOR", "REPLICATE"),
    "INTEGRATION": ("USAGE", "USE_ANY_ROLE"),
    "REPLICATION GROUP": ("MODIFY", "MONITOR", "REPLICATE"),
    "RESOURCE MONITOR": ("MODIFY", "MONITOR"),
    "USER": ("IMPERSONATE", "MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "MONITOR"),
    "WAREHOUSE": ("APPLYBUDGET", "MODIFY", "MONITOR", "OPERATE", "USAGE"),
}  # fmt: skip

# The name of one function, or one with the schema of Snowflake's functions before it.
_AI_FUNCTION = re.compile(r"USE AI FUNCTION [A-Z_][A-Z0-9_$]*(?:\.[A-Z_][A-Z0-9_$]*)*\Z")


def privilege_of(text: object, on: str) -> str:
    """A privilege on a type of object in its documented spelling, or ``ALL``; raises ValueError with the nearest."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`privilege` is missing")
    word = " ".join(text.upper().split())
    word = "ALL" if word == "ALL PRIVILEGES" else word
    if word == "OWNERSHIP":
        raise ValueError("OWNERSHIP is not a privilege to add: it moves by GRANT OWNERSHIP, which pinky does not do")
    if word == "ALL" and on == "ACCOUNT":
        raise ValueError("ALL on the account depends on who grants it; name each privilege")
    known = PRIVILEGES[on]
    if word == "ALL" or word in known or (on == "ACCOUNT" and _AI_FUNCTION.match(word)):
        return word
    near = difflib.get_close_matches(word, known, n=1)
    allowed = f"did you mean {near[0]}?" if near else f"allowed: ALL, {', '.join(known)}"
    raise ValueError(f"{text!r} is not a privilege on {on}; {allowed}")


def expanded(privilege: str, on: str) -> tuple[str, ...]:
    """The single privileges that are meant: ALL is never compared as such."""
    if privilege != "ALL":
        return (privilege,)
    return tuple(each for each in PRIVILEGES[on] if each != "IMPORTED PRIVILEGES")


def grants_to(reader: Reader, role: Identifier) -> Rows:
    """What a role holds; nothing for one that the manifest is about to create.

    Raises `NotVisibleError` naming a role that is neither there nor declared.
    """
    statement = f"SHOW GRANTS TO ROLE {role.sql}"
    try:
        return reader.rows(statement)
    except NotVisibleError as error:
        if ("role", (role,)) in reader.expected:
            return Rows((), [])
        raise unknown(role, error) from error


def unknown(name: Identifier, error: NotVisibleError | None = None, kind: str = "role") -> NotVisibleError:
    """The error for a role, user or object that a grant names and nobody declares."""
    message = f"{kind} {name.sql} does not exist or may not be seen, and the manifest does not declare it"
    return NotVisibleError(message, errno=error.errno if error else 0, statement=error.statement if error else "")


def names_of(text: str) -> Iterator[Identifier]:
    """What the name of an account object in SHOW GRANTS can mean: as it stands, and read as SQL."""
    yield Identifier(text)
    try:
        path = parse_path(text)
    except ValueError:
        return
    if len(path) == 1 and path[0] != text and sql_path(path) == text:
        yield path[0]
