"""Who may log in: the structure of credentials is checked, their truth only where the account was given passwords."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from pinky_local.wire import Code, WireError

_PASSWORD_AUTHENTICATORS = frozenset({"", "SNOWFLAKE", "USERNAME_PASSWORD_MFA"})
_TOKEN_AUTHENTICATORS = frozenset({"PROGRAMMATIC_ACCESS_TOKEN", "OAUTH"})
_JWT = "SNOWFLAKE_JWT"


class Credentials:
    """Checks the credentials of a login request.

    ``passwords`` maps user names (any case) to passwords; a user that is not in it may give any password.
    """

    def __init__(self, passwords: Mapping[str, str | None] | None = None) -> None:
        self._passwords = {
            name.upper(): password for name, password in (passwords or {}).items() if password is not None
        }

    def login_name(self, data: Mapping[str, Any]) -> str:
        """The user that a login request's ``data`` stands for. Raises `WireError` 390100, 390144 or 390400."""
        authenticator = _text(data, "AUTHENTICATOR").upper()
        name = _text(data, "LOGIN_NAME")
        if authenticator in _PASSWORD_AUTHENTICATORS:
            self._check_password(name, _text(data, "PASSWORD"))
            return name
        if authenticator in _TOKEN_AUTHENTICATORS:
            if not name or not _text(data, "TOKEN"):
                raise _refused()
            return name
        if authenticator == _JWT:
            return _jwt_user(_text(data, "TOKEN"), name)
        known = ", ".join(sorted(_PASSWORD_AUTHENTICATORS - {""} | _TOKEN_AUTHENTICATORS | {_JWT}))
        raise WireError(
            Code.BAD_REQUEST, f"The local account has no authenticator {authenticator}; supported: {known}."
        )

    def _check_password(self, name: str, password: str) -> None:
        if not name or not password:
            raise _refused()
        wanted = self._passwords.get(name.upper())
        if wanted is not None and not hmac.compare_digest(wanted.encode(), password.encode()):
            raise _refused()


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _refused() -> WireError:
    return WireError(Code.LOGIN_REFUSED, "Incorrect username or password was specified.")


def _jwt_user(token: str, name: str) -> str:
    """The user of a key-pair token: its subject is ``ACCOUNT.USER``; the signature is not verified.

    https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
    """
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError("a JWT has three parts")
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        subject, expires = payload["sub"], float(payload["exp"])
        user = subject.rpartition(".")[2]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise WireError(Code.JWT_INVALID, "JWT token is invalid.") from error
    if expires <= time.time() or not user or (name and name.upper() != user.upper()):
        raise WireError(Code.JWT_INVALID, "JWT token is invalid.")
    return name or user
