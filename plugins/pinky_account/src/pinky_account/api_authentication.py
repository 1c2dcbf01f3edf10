"""How users authenticate through an API integration: the GitHub app, OAuth 2.0, or a client that registers itself.

https://docs.snowflake.com/en/sql-reference/sql/create-api-integration, API_USER_AUTHENTICATION
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pinky_core import (
    ABSENT,
    FieldChange,
    Keyword,
    Nested,
    OnChange,
    SecretReference,
    Statement,
    assignment,
    is_given,
    nested,
    prop,
    read_value,
    statement,
)

__all__ = ["ApiUserAuthentication", "AuthenticationType", "ClientAuthMethod", "authentication_of", "differences"]

SCOPES = ("read_api", "read_repository", "write_repository")
"""Scopes of a Git provider that Snowflake knows."""


class AuthenticationType(Keyword):
    """Snowflake's GitHub app, OAuth 2.0 with a client of one's own, or a client that registers itself (MCP)."""

    SNOWFLAKE_GITHUB_APP = ("SNOWFLAKE_GITHUB_APP",)
    OAUTH2 = ("OAUTH2",)
    OAUTH_DYNAMIC_CLIENT = ("OAUTH_DYNAMIC_CLIENT",)


class ClientAuthMethod(Keyword):
    """How the client tells its secret, if it has one."""

    CLIENT_SECRET_BASIC = ("CLIENT_SECRET_BASIC",)
    CLIENT_SECRET_POST = ("CLIENT_SECRET_POST",)
    NONE = ("NONE",)


@nested
class ApiUserAuthentication(Nested):
    """How users authenticate. It cannot be altered, and the client's secret cannot be read back."""

    type: AuthenticationType = prop(doc="SNOWFLAKE_GITHUB_APP (Git), OAUTH2 (Git, MCP) or OAUTH_DYNAMIC_CLIENT (MCP).")
    oauth_authorization_endpoint: str | None = prop(default=None, doc="Where users authorize (OAUTH2; required).")
    oauth_token_endpoint: str | None = prop(default=None, doc="Where tokens are had (OAUTH2; required).")
    oauth_client_id: str | None = prop(default=None, doc="The client's id (OAUTH2; required).")
    oauth_client_secret: SecretReference | None = prop(
        default=None, doc="The client's secret, as a reference (OAUTH2; required, except with the method NONE)."
    )
    oauth_client_auth_method: ClientAuthMethod | None = prop(
        default=None, doc="How the secret is told (OAUTH2 of MCP); Snowflake's default is CLIENT_SECRET_BASIC."
    )
    oauth_access_token_validity: int | None = prop(default=None, minimum=1, doc="Seconds (OAUTH2 of Git).")
    oauth_refresh_token_validity: int | None = prop(
        default=None, minimum=0, doc="Seconds (OAUTH2); 3600 to 7776000 unless Snowflake's support allows others."
    )
    oauth_allowed_scopes: tuple[str, ...] | None = prop(
        default=None, doc="Scopes, in any order (OAUTH2 of Git): read_api, read_repository, write_repository."
    )
    oauth_username: str | None = prop(default=None, doc="User of the repository (OAUTH2 of Git), x-token-auth say.")
    oauth_resource: str | None = prop(default=None, doc="Resource indicator of the server, a URI (OAUTH2 of MCP).")
    oauth_resource_url: str | None = prop(default=None, doc="URL of the server (OAUTH_DYNAMIC_CLIENT; required).")

    @property
    def has_secret(self) -> bool:
        """Whether a secret of the client is declared, which cannot be read back."""
        return is_given(self.oauth_client_secret)

    def statement(self) -> Statement:
        """``(TYPE = OAUTH2 OAUTH_CLIENT_ID = 'x' …)``; a secret stays a reference."""
        parts: list[str | Statement] = ["("]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if is_given(value):
                parts += [" " if len(parts) > 1 else "", assignment(field, value)]
        return statement(*parts, ")")

    def mistakes(self, *, mcp: bool) -> Iterable[str]:
        """What the type needs and does not have, and what is another's; ``mcp``: of an MCP server, not of Git."""
        allowed, needed = self._fields_of(mcp=mcp)
        if self.type is AuthenticationType.SNOWFLAKE_GITHUB_APP and mcp:
            yield "the GitHub app is for Git; an MCP server takes OAUTH2 or OAUTH_DYNAMIC_CLIENT"
        elif self.type is AuthenticationType.OAUTH_DYNAMIC_CLIENT and not mcp:
            yield "OAUTH_DYNAMIC_CLIENT is for EXTERNAL_MCP; Git takes SNOWFLAKE_GITHUB_APP or OAUTH2"
        else:
            whose = "of an MCP server" if mcp else "of Git"
            for name in needed:
                if not is_given(getattr(self, name)):
                    yield f"{self.type} {whose} needs {name!r}"
            for field in self.spec.fields:
                if is_given(getattr(self, field.name)) and field.name not in ("type", *allowed):
                    yield f"{self.type} {whose} has no {field.name!r}"
        if is_given(self.oauth_allowed_scopes):
            for scope in self.oauth_allowed_scopes or ():
                if scope not in SCOPES:
                    yield f"{scope!r} is no scope; known: {', '.join(SCOPES)}"

    def _fields_of(self, *, mcp: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What may be given beside the type, and what must."""
        if self.type is AuthenticationType.OAUTH_DYNAMIC_CLIENT:
            return ("oauth_resource_url",), ("oauth_resource_url",)
        if self.type is not AuthenticationType.OAUTH2:
            return (), ()
        needed = ("oauth_authorization_endpoint", "oauth_token_endpoint", "oauth_client_id")
        secret = ("oauth_client_secret",)
        of_mcp = ("oauth_client_auth_method", "oauth_refresh_token_validity", "oauth_resource")
        of_git = (
            "oauth_access_token_validity", "oauth_refresh_token_validity", "oauth_allowed_scopes", "oauth_username",
        )  # fmt: skip
        if mcp:
            public = self.oauth_client_auth_method is ClientAuthMethod.NONE
            return (*needed, *(() if public else secret), *of_mcp), needed if public else needed + secret
        return (*needed, *secret, *of_git), needed + secret


def differences(wanted: ApiUserAuthentication, live: ApiUserAuthentication | None) -> Iterable[FieldChange]:
    """Declared fields whose live value is another one; the secret, and what is not told at all, is not compared."""
    for field in wanted.spec.fields:
        after = getattr(wanted, field.name)
        if after is ABSENT or field.write_only:
            continue
        before = getattr(live, field.name) if live is not None else None
        if before is not ABSENT and _plain(before) != _plain(after):
            path = f"api_user_authentication.{field.name}"
            yield FieldChange(path, before, after, on_change=OnChange.REFUSE)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, tuple) else value or None


def authentication_of(cell: Any) -> ApiUserAuthentication | None:
    """The cell of DESCRIBE, ``{TYPE=OAUTH2, OAUTH_CLIENT_ID=x, OAUTH_ALLOWED_SCOPES=[a, b], …}``; none where empty."""
    told = _entries(str(cell or "").strip())
    if not told.get("type"):
        return None
    by_name: Mapping[str, Any] = ApiUserAuthentication.spec.by_name
    values = {
        name: read_value(by_name[name].type, value)
        for name, value in told.items()
        if name in by_name and not by_name[name].write_only
    }
    return ApiUserAuthentication(**values)


def _entries(text: str) -> dict[str, str]:
    """The entries by key in lower case; a comma before no key belongs to the value, as in a list or a URL."""
    inner = text.removeprefix("{").removesuffix("}")
    parts = re.split(r",\s*(?=[A-Z][A-Z0-9_]*=)", inner)
    return {key.strip().lower(): value for part in parts for key, found, value in (part.partition("="),) if found}
