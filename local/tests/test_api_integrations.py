"""API integrations, through the connector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pinky_local import LocalAccount

connector = pytest.importorskip("snowflake.connector", reason="no Snowflake client is installed here")
CREATE = "CREATE OR REPLACE API INTEGRATION I API_PROVIDER = "
GIT = CREATE + "git_https_api API_ALLOWED_PREFIXES = ('https://g') {} ENABLED = TRUE"
MCP = CREATE + "external_mcp API_ALLOWED_PREFIXES = ('https://m') {} ENABLED = TRUE"
AWS = CREATE + "aws_api_gateway API_AWS_ROLE_ARN = 'r' API_ALLOWED_PREFIXES = ('https://a') {} ENABLED = TRUE"
ENDPOINTS = "OAUTH_AUTHORIZATION_ENDPOINT = 'https://i/a' OAUTH_TOKEN_ENDPOINT = 'https://i/t' OAUTH_CLIENT_ID = 'c'"
CLIENT = f"TYPE = OAUTH2 {ENDPOINTS} OAUTH_CLIENT_SECRET = 'hush'"


@pytest.fixture
def account() -> Iterator[LocalAccount]:
    with LocalAccount(data=False) as account:
        yield account
        assert not account.internal_errors


@pytest.fixture
def run(account: LocalAccount) -> Iterator[Any]:
    with account.connect() as connection:

        def execute(text: str) -> list[Any]:
            return list(connection.cursor().execute(text).fetchall())

        for text in (
            "CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE SECRET D.S.K TYPE = GENERIC_STRING SECRET_STRING = 'x'",
            "CREATE SECRET D.S.P TYPE = PASSWORD USERNAME = 'a' PASSWORD = 'b'",
        ):  # fmt: skip
            execute(text)
        yield execute


def described(run: Any) -> dict[str, str]:
    return {row[0]: row[2] for row in run("DESCRIBE API INTEGRATION I")}


def refused(run: Any, errno: int, text: str) -> None:
    with pytest.raises(connector.errors.ProgrammingError) as caught:
        run(text)
    assert caught.value.errno == errno, caught.value


def test_how_users_authenticate_is_told_without_the_secret(run: Any, account: LocalAccount) -> None:
    run(GIT.format(f"API_USER_AUTHENTICATION = ({CLIENT} OAUTH_ALLOWED_SCOPES = ('read_api', 'write_repository'))"))
    assert described(run)["API_USER_AUTHENTICATION"] == (
        "{TYPE=OAUTH2, OAUTH_GRANT=AUTHORIZATION_CODE, OAUTH_CLIENT_ID=c, OAUTH_CLIENT_AUTH_METHOD=null, "
        "OAUTH_TOKEN_ENDPOINT=https://i/t, OAUTH_AUTHORIZATION_ENDPOINT=https://i/a, OAUTH_ACCESS_TOKEN_VALIDITY=0, "
        "OAUTH_REFRESH_TOKEN_VALIDITY=0, OAUTH_ALLOWED_SCOPES=[read_api, write_repository], OAUTH_USERNAME=null, "
        "OAUTH_ASSERTION_ISSUER=null, OAUTH_RESOURCE_URL=null}"
    )
    assert "hush" not in str(account.journal.statements())
    run(GIT.format("API_USER_AUTHENTICATION = (TYPE = SNOWFLAKE_GITHUB_APP)"))
    assert described(run)["API_USER_AUTHENTICATION"] == "{TYPE=SNOWFLAKE_GITHUB_APP}"
    refused(run, 1420, "ALTER API INTEGRATION I SET API_USER_AUTHENTICATION = (TYPE = SNOWFLAKE_GITHUB_APP)")
    run(MCP.format("API_USER_AUTHENTICATION = (TYPE = OAUTH_DYNAMIC_CLIENT OAUTH_RESOURCE_URL = 'https://m')"))
    assert described(run)["API_USER_AUTHENTICATION"].endswith("OAUTH_RESOURCE_URL=https://m}")
    run(MCP.format(f"API_USER_AUTHENTICATION = (TYPE = OAUTH2 {ENDPOINTS} OAUTH_CLIENT_AUTH_METHOD = NONE)"))


def test_keys_certificates_and_allowed_secrets(run: Any) -> None:
    run(AWS.format("API_KEY = 'hush'"))
    assert described(run)["API_KEY"] not in ("", "hush")
    run("ALTER API INTEGRATION I UNSET API_KEY")
    assert described(run)["API_KEY"] == ""
    run(GIT.format("USE_PRIVATELINK_ENDPOINT = TRUE TLS_TRUSTED_CERTIFICATES = (D.S.K)"))
    told = described(run)
    assert (told["USE_PRIVATELINK_ENDPOINT"], told["TLS_TRUSTED_CERTIFICATES"]) == ("true", '"D"."S".K')
    assert "API_KEY" not in told
    run("ALTER API INTEGRATION I SET ALLOWED_AUTHENTICATION_SECRETS = (D.S.P)")
    assert described(run)["ALLOWED_AUTHENTICATION_SECRETS"] == ""  # Snowflake does not tell them
    run("ALTER API INTEGRATION I UNSET USE_PRIVATELINK_ENDPOINT, TLS_TRUSTED_CERTIFICATES")


@pytest.mark.parametrize(
    ("errno", "text"),
    [
        (2029, MCP.format("")),
        (1422, MCP.format("API_USER_AUTHENTICATION = (TYPE = SNOWFLAKE_GITHUB_APP)")),
        (1422, GIT.format("API_USER_AUTHENTICATION = (TYPE = OAUTH_DYNAMIC_CLIENT OAUTH_RESOURCE_URL = 'x')")),
        (2029, GIT.format(f"API_USER_AUTHENTICATION = (TYPE = OAUTH2 {ENDPOINTS})")),
        (2029, GIT.format("API_USER_AUTHENTICATION = (OAUTH_CLIENT_ID = 'x')")),
        (1420, MCP.format(f"API_USER_AUTHENTICATION = ({CLIENT} OAUTH_USERNAME = 'x')")),
        (1422, GIT.format(f"API_USER_AUTHENTICATION = ({CLIENT} OAUTH_ALLOWED_SCOPES = ('write'))")),
        (1420, GIT.format(f"API_USER_AUTHENTICATION = ({CLIENT}) ALLOWED_AUTHENTICATION_SECRETS = ALL")),
        (1420, GIT.format("API_KEY = 'x'")),
        (1422, GIT.format("TLS_TRUSTED_CERTIFICATES = (D.S.P)")),
        (2003, GIT.format("TLS_TRUSTED_CERTIFICATES = (D.S.NOTHING)")),
        (1420, AWS.format("USE_PRIVATELINK_ENDPOINT = TRUE")),
    ],
)
def test_what_is_refused(run: Any, errno: int, text: str) -> None:
    refused(run, errno, text)
