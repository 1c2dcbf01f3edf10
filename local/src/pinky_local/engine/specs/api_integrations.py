"""API integration: gateways of three clouds, Git by HTTPS, and servers of the Model Context Protocol.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration and alter-api-integration. Private link and
certificates are set and unset as Snowflake's Terraform provider does it; the page of ALTER does not list them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.lexer import WORD
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.statement import Statement

_AWS = ("AWS_API_GATEWAY", "AWS_PRIVATE_API_GATEWAY", "AWS_GOV_API_GATEWAY", "AWS_GOV_PRIVATE_API_GATEWAY")
PROVIDERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_AWS, ("API_AWS_ROLE_ARN",)),
    "AZURE_API_MANAGEMENT": ("AZURE_TENANT_ID", "AZURE_AD_APPLICATION_ID"),
    "GOOGLE_API_GATEWAY": ("GOOGLE_AUDIENCE",),
    "GIT_HTTPS_API": (),
    "EXTERNAL_MCP": ("API_USER_AUTHENTICATION",),
}
"""The properties that each provider needs besides."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*_AWS, "AZURE_API_MANAGEMENT"), ("API_KEY",)),
    "GIT_HTTPS_API": (
        "ALLOWED_AUTHENTICATION_SECRETS", "API_USER_AUTHENTICATION", "USE_PRIVATELINK_ENDPOINT",
        "TLS_TRUSTED_CERTIFICATES",
    ),
}  # fmt: skip
"""The properties that a provider may have besides what all have."""

MASKED = "☺☺☺☺☺☺☺☺☺☺"
"""What Snowflake's Terraform provider says that DESCRIBE prints for a key."""

_SCOPES = ("read_api", "read_repository", "write_repository")
_METHODS = ("CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST", "NONE")
_ENDPOINTS = ("OAUTH_AUTHORIZATION_ENDPOINT", "OAUTH_TOKEN_ENDPOINT", "OAUTH_CLIENT_ID")
_SECRET = "OAUTH_CLIENT_SECRET"  # the property's name
AUTHENTICATION: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("GIT_HTTPS_API", "SNOWFLAKE_GITHUB_APP"): ((), ()),
    ("GIT_HTTPS_API", "OAUTH2"): (
        (*_ENDPOINTS, _SECRET),
        ("OAUTH_ACCESS_TOKEN_VALIDITY", "OAUTH_REFRESH_TOKEN_VALIDITY", "OAUTH_ALLOWED_SCOPES", "OAUTH_USERNAME"),
    ),
    ("EXTERNAL_MCP", "OAUTH2"): (
        (*_ENDPOINTS, _SECRET),
        ("OAUTH_CLIENT_AUTH_METHOD", "OAUTH_REFRESH_TOKEN_VALIDITY", "OAUTH_RESOURCE"),
    ),
    ("EXTERNAL_MCP", "OAUTH_DYNAMIC_CLIENT"): (("OAUTH_RESOURCE_URL",), ()),
}
"""By provider and type of authentication: what must be given with it, and what may."""


def _secrets(statement: Statement, name: str) -> Any:
    """(a, db.s.b), ALL or NONE."""
    token = statement.tokens.token
    if token.kind == WORD and token.value in ("ALL", "NONE"):
        statement.tokens.index += 1
        return [token.value.lower()]
    return values.name_list()(statement, name)


def _certificates(statement: Statement, name: str) -> list[str]:
    """(db.s.a, …): secrets that exist, as full names."""
    full = []
    for text in values.name_list()(statement, name):
        parts = identifiers.parse_dotted(text)
        statement.deferred_checks.append(partial(_check_certificate, statement, parts, name))
        full.append(identifiers.dotted(statement.qualified("secret", parts)))
    return full


def _check_certificate(statement: Statement, parts: tuple[str, ...], name: str) -> None:
    secret = statement.find("secret", parts)
    if secret.properties.get("TYPE") != "GENERIC_STRING":
        raise errors.invalid_value(identifiers.dotted(parts), name)


def _scopes(statement: Statement, name: str) -> list[str]:
    found = values.text_list()(statement, name)
    for scope in found:
        if scope not in _SCOPES:
            raise errors.invalid_value(scope, name)
    return list(found)


_AUTHENTICATION = values.group(
    Property("TYPE", values.keyword("SNOWFLAKE_GITHUB_APP", "OAUTH2", "OAUTH_DYNAMIC_CLIENT")),
    *(Property(name, values.text()) for name in (*_ENDPOINTS, _SECRET, "OAUTH_USERNAME")),
    Property("OAUTH_CLIENT_AUTH_METHOD", values.keyword(*_METHODS)),
    Property("OAUTH_ACCESS_TOKEN_VALIDITY", values.integer(1)),
    Property("OAUTH_REFRESH_TOKEN_VALIDITY", values.integer(0)),
    Property("OAUTH_ALLOWED_SCOPES", _scopes),
    Property("OAUTH_RESOURCE", values.text()),
    Property("OAUTH_RESOURCE_URL", values.text()),
)


def _authentication(statement: Statement, name: str) -> dict[str, Any]:
    """The group, with the secret's value left out: nothing here uses it."""
    found: dict[str, Any] = _AUTHENTICATION(statement, name)
    if "TYPE" not in found:
        raise errors.missing_option(f"{name}.TYPE")
    return {key: MASKED if key == _SECRET else value for key, value in found.items()}


API_INTEGRATION = ObjectType(
    kind="api_integration",
    words="API INTEGRATION",
    plural="API INTEGRATIONS",
    container="account",
    space="integration",
    create_privilege="CREATE INTEGRATION",
    properties=(
        Property("API_PROVIDER", values.keyword(*PROVIDERS), required=True, create_only=True),
        Property("API_ALLOWED_PREFIXES", values.text_list(), required=True, unsettable=False),
        Property("API_BLOCKED_PREFIXES", values.text_list()),
        Property("ALLOWED_AUTHENTICATION_SECRETS", _secrets),
        Property("API_USER_AUTHENTICATION", _authentication, create_only=True),
        Property("USE_PRIVATELINK_ENDPOINT", values.boolean()),
        Property("TLS_TRUSTED_CERTIFICATES", _certificates),
        Property("ENABLED", values.boolean(), required=True),
        Property("API_AWS_ROLE_ARN", values.text(), unsettable=False),
        Property("API_KEY", values.text()),
        Property("AZURE_TENANT_ID", values.text(), unsettable=False),
        Property("AZURE_AD_APPLICATION_ID", values.text(), unsettable=False),
        Property("GOOGLE_AUDIENCE", values.text(), unsettable=False),
        COMMENT,
    ),
    show=(
        columns.NAME,
        ShowColumn("type", columns.fixed("EXTERNAL_API")),
        ShowColumn("category", columns.fixed("API")),
        ShowColumn("enabled", lambda _, item: "true" if item.properties.get("ENABLED") else "false"),
        columns.COMMENT,
        columns.CREATED_ON,
    ),
    privileges=("USAGE", "USE_ANY_ROLE"),
    or_alter=False,
    rename=False,
    show_limit=False,
    title="Integration",
    citation="https://docs.snowflake.com/en/sql-reference/sql/create-api-integration",
    guesses=(
        "the types and defaults in DESCRIBE",
        "OAUTH_RESOURCE in DESCRIBE",
        "tokens and API_USER_AUTHENTICATION exclude each other, as in the blocks of the syntax",
    ),
)

TYPES = (API_INTEGRATION,)
