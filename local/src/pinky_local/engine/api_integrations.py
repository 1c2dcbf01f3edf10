"""API integrations: rules between their properties, and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration; the rows of DESCRIBE are those that Snowflake's
Terraform provider reads. Its tests find ALLOWED_AUTHENTICATION_SECRETS empty whatever was set, so it is empty here.
"""

from __future__ import annotations

from typing import Any

from pinky_local.engine import errors, families, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.property_rows import properties_table
from pinky_local.engine.specs.api_integrations import AUTHENTICATION, MASKED, OPTIONAL, PROVIDERS
from pinky_local.engine.statement import Statement
from pinky_local.types import Result

_OF_A_PROVIDER = {name for names in (*PROVIDERS.values(), *OPTIONAL.values()) for name in names}
_WITH_TOKENS = ("ALLOWED_AUTHENTICATION_SECRETS", "USE_PRIVATELINK_ENDPOINT", "TLS_TRUSTED_CERTIFICATES")


def check(_: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where a property of another provider stands on an integration, or one of its own is missing."""
    del given
    provider = str(item.properties["API_PROVIDER"])
    fitting = (*PROVIDERS[provider], *OPTIONAL.get(provider, ()))
    for name in sorted(_OF_A_PROVIDER):
        if item.properties.get(name) not in (None, False) and name not in fitting:
            raise errors.invalid_property(name, f"{provider} API INTEGRATION")
    missing = [name for name in PROVIDERS[provider] if not item.properties.get(name)]
    if missing:
        raise errors.missing_option(", ".join(missing))
    how: Any = item.properties.get("API_USER_AUTHENTICATION")
    if how is not None:
        _check_authentication(provider, how)
        for name in _WITH_TOKENS:
            if item.properties.get(name) not in (None, False):
                raise errors.invalid_property(name, f"{provider} API INTEGRATION with API_USER_AUTHENTICATION")


def _check_authentication(provider: str, how: dict[str, Any]) -> None:
    known = AUTHENTICATION.get((provider, str(how["TYPE"])))
    if known is None:
        raise errors.invalid_value(str(how["TYPE"]), "API_USER_AUTHENTICATION.TYPE")
    needed, optional = known
    if how.get("OAUTH_CLIENT_AUTH_METHOD") == "NONE":
        needed = tuple(name for name in needed if name != "OAUTH_CLIENT_SECRET")
    missing = [name for name in needed if not how.get(name)]
    if missing:
        raise errors.missing_option(", ".join(f"API_USER_AUTHENTICATION.{name}" for name in missing))
    for name in how:
        if name not in ("TYPE", *needed, *optional):
            raise errors.invalid_property(f"API_USER_AUTHENTICATION.{name}", f"{provider} API INTEGRATION")


_ROWS = (
    "ENABLED:Boolean", "API_KEY:String", "API_PROVIDER:String", "API_AWS_ROLE_ARN:String", "AZURE_TENANT_ID:String",
    "AZURE_AD_APPLICATION_ID:String", "GOOGLE_AUDIENCE:String", "API_ALLOWED_PREFIXES:List",
    "API_BLOCKED_PREFIXES:List", "ALLOWED_AUTHENTICATION_SECRETS:List", "API_USER_AUTHENTICATION:String",
    "USE_PRIVATELINK_ENDPOINT:Boolean", "TLS_TRUSTED_CERTIFICATES:List", "COMMENT:String",
)  # fmt: skip


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE API INTEGRATION: one row for each property that the provider has."""
    statement.require(item, "USAGE")
    provider = str(item.properties["API_PROVIDER"])
    others = _OF_A_PROVIDER - {*PROVIDERS[provider], *OPTIONAL.get(provider, ())}
    found = []
    for name, _, kind in (declared.partition(":") for declared in _ROWS):
        if name not in others:
            default = "false" if kind == "Boolean" else "[]" if kind == "List" else ""
            found.append([name, kind, _shown(name, item.properties.get(name), kind), default])
    return properties_table(found, parent=False)


def _shown(name: str, value: Any, kind: str) -> str:
    if kind == "Boolean":
        return "true" if value else "false"
    if name == "ALLOWED_AUTHENTICATION_SECRETS" or not value:
        return ""
    if name == "API_KEY":
        return MASKED
    if name == "TLS_TRUSTED_CERTIFICATES":
        return ",".join(_quoted(each) for each in value)
    if isinstance(value, dict):
        return _group(value)
    return ",".join(value) if isinstance(value, list) else str(value)


def _quoted(secret: str) -> str:
    """``"DB"."SCHEMA".NAME``, as tests of Snowflake's Terraform provider find it."""
    database, schema, name = identifiers.parse_dotted(secret)
    return f'"{database}"."{schema}".{name}'


_TOLD = (
    "OAUTH_GRANT", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_AUTH_METHOD", "OAUTH_TOKEN_ENDPOINT",
    "OAUTH_AUTHORIZATION_ENDPOINT", "OAUTH_ACCESS_TOKEN_VALIDITY", "OAUTH_REFRESH_TOKEN_VALIDITY",
    "OAUTH_ALLOWED_SCOPES", "OAUTH_USERNAME", "OAUTH_ASSERTION_ISSUER", "OAUTH_RESOURCE_URL",
)  # fmt: skip
_NUMBERS = ("OAUTH_ACCESS_TOKEN_VALIDITY", "OAUTH_REFRESH_TOKEN_VALIDITY")


def _group(how: dict[str, Any]) -> str:
    """``{TYPE=OAUTH2, OAUTH_GRANT=AUTHORIZATION_CODE, …}`` with null for what is not given; no secret is in it."""
    told = [f"TYPE={how['TYPE']}"]
    if how["TYPE"] != "SNOWFLAKE_GITHUB_APP":
        given = how | {"OAUTH_GRANT": "AUTHORIZATION_CODE" if how["TYPE"] == "OAUTH2" else None}
        for name in (*_TOLD, *(("OAUTH_RESOURCE",) if "OAUTH_RESOURCE" in how else ())):
            value = given.get(name)
            empty = "0" if name in _NUMBERS else "null"
            told.append(f"{name}={_entry(value) if value not in (None, '') else empty}")
    return "{" + ", ".join(told) + "}"


def _entry(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


families.VALUE_CHECK["api_integration"] = check
families.DESCRIBE["api_integration"] = describe
