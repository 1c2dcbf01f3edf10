"""Authentication, password, session and network policy.

https://docs.snowflake.com/en/sql-reference/sql/create-authentication-policy, create-password-policy,
create-session-policy, create-network-policy, and the pages for ALTER, SHOW, DESCRIBE and DROP beside them. They are
kept and attached; no login and no session here is judged by them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
_METHODS = (
    "ALL", "SAML", "OIDC", "PASSWORD", "OAUTH", "KEYPAIR", "PROGRAMMATIC_ACCESS_TOKEN", "WORKLOAD_IDENTITY",
)  # fmt: skip
_CLIENTS = ("ALL", "SNOWFLAKE_UI", "DRIVERS", "SNOWFLAKE_CLI", "SNOWSQL")
_ENROLLMENT = ("REQUIRED", "REQUIRED_PASSWORD_ONLY", "OPTIONAL")
_GROUPS = ("CLIENT_POLICY", "MFA_POLICY", "PAT_POLICY", "WORKLOAD_IDENTITY_POLICY")
_ON_USERS = ("authentication_policy", "password_policy", "session_policy")
ATTACHED = {kind.removesuffix("_policy").upper(): kind for kind in _ON_USERS}
"""The types that are attached to users, by the word of ALTER USER."""


def _not_here(statement: Statement, name: str) -> Any:
    raise errors.unsupported(f"{name} of an authentication policy")


def _rules(statement: Statement, name: str) -> list[str]:
    """('db.s.rule', …): network rules that exist, as full names."""
    full = []
    for text in values.text_list()(statement, name):
        parts = identifiers.parse_dotted(text)
        statement.deferred_checks.append(partial(statement.find, "network_rule", parts))
        full.append(identifiers.dotted(statement.qualified("network_rule", parts)))
    return full


def _show(kind: str) -> tuple[ShowColumn, ...]:
    return (
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("kind", columns.fixed(kind)),
        columns.OWNER,
        columns.COMMENT,
        columns.OWNER_ROLE_TYPE,
        ShowColumn("options", columns.fixed("")),
    )


AUTHENTICATION_POLICY = ObjectType(
    kind="authentication_policy",
    words="AUTHENTICATION POLICY",
    plural="AUTHENTICATION POLICIES",
    container="schema",
    properties=(
        Property("AUTHENTICATION_METHODS", values.words(*_METHODS), default=["ALL"]),
        Property("CLIENT_TYPES", values.words(*_CLIENTS), default=["ALL"]),
        Property("SECURITY_INTEGRATIONS", values.text_list(), default=["ALL"]),
        Property("MFA_ENROLLMENT", values.keyword(*_ENROLLMENT), default="OPTIONAL"),
        *(Property(name, _not_here) for name in _GROUPS),
        COMMENT,
    ),
    show=_show("AUTHENTICATION_POLICY"),
    privileges=("APPLY",),
    or_alter=False,
    citation=_DOCS + "create-authentication-policy",
    guesses=("MFA_ENROLLMENT is OPTIONAL by default, as in accounts without the enforced one",),
)

_PASSWORD = (
    ("PASSWORD_MIN_LENGTH", 8, 256, 14), ("PASSWORD_MAX_LENGTH", 8, 256, 256),
    ("PASSWORD_MIN_UPPER_CASE_CHARS", 0, 256, 1), ("PASSWORD_MIN_LOWER_CASE_CHARS", 0, 256, 1),
    ("PASSWORD_MIN_NUMERIC_CHARS", 0, 256, 1), ("PASSWORD_MIN_SPECIAL_CHARS", 0, 256, 0),
    ("PASSWORD_MIN_AGE_DAYS", 0, 999, 0), ("PASSWORD_MAX_AGE_DAYS", 0, 999, 90), ("PASSWORD_MAX_RETRIES", 1, 10, 5),
    ("PASSWORD_LOCKOUT_TIME_MINS", 1, 999, 15), ("PASSWORD_HISTORY", 0, 24, 5),
)  # fmt: skip

PASSWORD_POLICY = ObjectType(
    kind="password_policy",
    words="PASSWORD POLICY",
    plural="PASSWORD POLICIES",
    container="schema",
    properties=(
        *(Property(name, values.integer(least, most), default=usual) for name, least, most, usual in _PASSWORD),
        COMMENT,
    ),
    show=_show("PASSWORD_POLICY"),
    privileges=("APPLY",),
    or_alter=False,
    citation=_DOCS + "create-password-policy",
)

SESSION_POLICY = ObjectType(
    kind="session_policy",
    words="SESSION POLICY",
    plural="SESSION POLICIES",
    container="schema",
    properties=(
        Property("SESSION_IDLE_TIMEOUT_MINS", values.integer(5, 1440), default=240),
        Property("SESSION_UI_IDLE_TIMEOUT_MINS", values.integer(5, 1440), default=1080),
        Property("SESSION_MAX_LIFESPAN_MINS", values.integer(0, 43200), default=0),
        Property("SESSION_UI_MAX_LIFESPAN_MINS", values.integer(0, 43200), default=0),
        Property("ALLOWED_SECONDARY_ROLES", values.text_list(), default=["ALL"]),
        Property("BLOCKED_SECONDARY_ROLES", values.text_list(), default=[]),
        COMMENT,
    ),
    show=_show("SESSION_POLICY"),
    privileges=("APPLY",),
    or_alter=False,
    citation=_DOCS + "create-session-policy",
    guesses=("secondary roles are given as strings here",),
)


def _count(name: str) -> ShowColumn:
    def count(_: Statement, item: CatalogObject) -> int:
        return len(item.properties.get(name) or ())

    words = name.lower().replace("_network_rule_list", "_network_rules")
    return ShowColumn(f"entries_in_{words}", count, "fixed")


NETWORK_POLICY = ObjectType(
    kind="network_policy",
    words="NETWORK POLICY",
    plural="NETWORK POLICIES",
    container="account",
    properties=(
        Property("ALLOWED_NETWORK_RULE_LIST", _rules),
        Property("BLOCKED_NETWORK_RULE_LIST", _rules),
        Property("ALLOWED_IP_LIST", values.text_list()),
        Property("BLOCKED_IP_LIST", values.text_list()),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.COMMENT,
        _count("ALLOWED_IP_LIST"),
        _count("BLOCKED_IP_LIST"),
        _count("ALLOWED_NETWORK_RULE_LIST"),
        _count("BLOCKED_NETWORK_RULE_LIST"),
    ),
    privileges=("USAGE",),
    or_alter=False,
    show_limit=False,
    citation=_DOCS + "create-network-policy",
    guesses=("ALTER NETWORK POLICY … ADD and REMOVE do not exist here",),
)

TYPES = (AUTHENTICATION_POLICY, PASSWORD_POLICY, SESSION_POLICY, NETWORK_POLICY)
