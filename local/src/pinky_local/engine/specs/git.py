"""API integration and Git repository.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration (Git, and the gateways of three clouds),
create-git-repository, alter-git-repository, show-git-repositories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, values
from pinky_local.engine import show_columns as columns
from pinky_local.engine.lexer import WORD
from pinky_local.engine.spec import ObjectType, Property, ShowColumn
from pinky_local.engine.specs.account import COMMENT

if TYPE_CHECKING:
    from pinky_local.engine.catalog import CatalogObject
    from pinky_local.engine.statement import Statement

_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"
_AWS = ("AWS_API_GATEWAY", "AWS_PRIVATE_API_GATEWAY", "AWS_GOV_API_GATEWAY", "AWS_GOV_PRIVATE_API_GATEWAY")
PROVIDERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_AWS, ("API_AWS_ROLE_ARN",)),
    "AZURE_API_MANAGEMENT": ("AZURE_TENANT_ID", "AZURE_AD_APPLICATION_ID"),
    "GOOGLE_API_GATEWAY": ("GOOGLE_AUDIENCE",),
    "GIT_HTTPS_API": (),
}
"""The properties that each provider needs besides."""


def _secrets(statement: Statement, name: str) -> Any:
    """(a, db.s.b), ALL or NONE."""
    token = statement.tokens.token
    if token.kind == WORD and token.value in ("ALL", "NONE"):
        statement.tokens.index += 1
        return [token.value.lower()]
    return values.name_list()(statement, name)


def _authentication(statement: Statement, name: str) -> dict[str, Any]:
    found = values.group(Property("TYPE", values.keyword("SNOWFLAKE_GITHUB_APP", "OAUTH2")))(statement, name)
    if found.get("TYPE") == "OAUTH2":
        raise errors.unsupported("API_USER_AUTHENTICATION with TYPE = OAUTH2")
    return dict(found)


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
        Property("API_USER_AUTHENTICATION", _authentication, unsettable=False),
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
    citation=_DOCS + "create-api-integration",
    guesses=("the types and defaults in DESCRIBE",),
)


def _https(statement: Statement, name: str) -> str:
    text = str(values.text()(statement, name) or "")
    if not text.lower().startswith("https://"):
        raise errors.invalid_value(text, name)
    return text


GIT_REPOSITORY = ObjectType(
    kind="git_repository",
    words="GIT REPOSITORY",
    plural="GIT REPOSITORIES",
    container="schema",
    space="stage",
    properties=(
        Property("ORIGIN", _https, required=True, create_only=True),
        Property("API_INTEGRATION", values.reference("api_integration"), required=True, unsettable=False),
        Property("GIT_CREDENTIALS", values.reference("secret")),
        COMMENT,
    ),
    show=(
        columns.CREATED_ON,
        columns.NAME,
        columns.DATABASE_NAME,
        columns.SCHEMA_NAME,
        ShowColumn("origin", columns.declared("ORIGIN")),
        ShowColumn("api_integration", columns.declared("API_INTEGRATION")),
        ShowColumn("git_credentials", columns.declared("GIT_CREDENTIALS")),
        columns.OWNER,
        columns.OWNER_ROLE_TYPE,
        columns.COMMENT,
        ShowColumn("last_fetched_at", lambda _, item: _fetched(item), "timestamp_ltz"),
    ),
    privileges=("READ", "WRITE"),
    or_alter=False,
    rename=False,
    silent_ceiling=True,
    citation=_DOCS + "create-git-repository",
    guesses=("a repository shares the name space of stages", "numbers and texts of errors about the remote"),
)


def _fetched(item: CatalogObject) -> Any:
    from datetime import datetime

    text = item.state.get("fetched_at")
    return None if text is None else datetime.fromisoformat(str(text))


TYPES = (API_INTEGRATION, GIT_REPOSITORY)
