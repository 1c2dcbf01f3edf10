"""Sessions and the tokens that stand for them.

A login gives a session token (sent with every request) and a master token (good only for renewing the session token).
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass, field

from pinky_local.types import SessionContext
from pinky_local.wire import Code, WireError

_HEADER = re.compile(r'\s*Snowflake\s+Token="([^"]*)"\s*', re.IGNORECASE)


@dataclass(slots=True, eq=False)
class WireSession:
    """A session as the wire sees it: the engine's context, and whether it is still open.

    ``parameter_values`` are the parameters of the last answer, by name.
    """

    context: SessionContext
    lock: threading.Lock = field(default_factory=threading.Lock)
    parameter_values: dict[str, object] = field(default_factory=dict)
    closed: bool = False


@dataclass(slots=True, eq=False)
class _Token:
    value: str = field(repr=False)
    session: WireSession
    expires_at: float


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A session token and a master token with their validity in seconds."""

    session_token: str = field(repr=False)
    master_token: str = field(repr=False)
    session_seconds: int
    master_seconds: int


class SessionRegistry:
    """Who is logged in. Thread safe.

    ``session_seconds`` and ``master_seconds`` are how long new tokens are good for.
    """

    def __init__(self, session_seconds: int = 3_600, master_seconds: int = 14_400) -> None:
        self.session_seconds = session_seconds
        self.master_seconds = master_seconds
        self._session_tokens: dict[str, _Token] = {}
        self._master_tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()

    def open(self, context: SessionContext) -> TokenPair:
        """Register a session that the engine has opened."""
        return self._issue(WireSession(context))

    def authenticate(self, authorization: str) -> WireSession:
        """The session of an Authorization header.

        Raises `WireError` 390112 where its token has expired (the client renews it) and 390111 where there is no such
        session (any more).
        """
        token = self._session_tokens.get(token_of(authorization))
        if token is None or token.session.closed:
            raise WireError(Code.SESSION_GONE, "Session no longer exists. New login required to access the service.")
        if token.expires_at <= time.monotonic():
            raise WireError(
                Code.SESSION_TOKEN_EXPIRED, "Authentication token has expired. The user must authenticate again."
            )
        return token.session

    def renew(self, authorization: str, old_session_token: str) -> tuple[WireSession, TokenPair]:
        """New tokens for the session of a master token.

        Earlier tokens stay as they are, so that threads that renew at the same time do not lock each other out.
        Raises `WireError` 390113, 390114 or 390111.
        """
        master = self._master_tokens.get(token_of(authorization))
        if master is None:
            raise WireError(Code.MASTER_TOKEN_NOT_FOUND, "Master token not found. New login required.")
        if master.session.closed:
            raise WireError(Code.SESSION_GONE, "Session no longer exists. New login required to access the service.")
        if master.expires_at <= time.monotonic():
            raise WireError(Code.MASTER_TOKEN_EXPIRED, "Master token has expired. New login required.")
        old = self._session_tokens.get(old_session_token)
        if old is not None and old.session is not master.session:
            raise WireError(Code.MASTER_TOKEN_INVALID, "The master token does not belong to the session token.")
        return master.session, self._issue(master.session)

    def expire_session_token(self, authorization: str) -> None:
        """Make the token of this header expired from now on."""
        token = self._session_tokens.get(token_of(authorization))
        if token is not None:
            token.expires_at = 0.0

    def expire_all(self, *, masters: bool = False) -> None:
        """Expire every session token, and with ``masters`` every master token, that was given out."""
        with self._lock:
            for token in self._session_tokens.values():
                token.expires_at = 0.0
            for token in self._master_tokens.values() if masters else ():
                token.expires_at = 0.0

    def close(self, session: WireSession) -> None:
        """End a session; its tokens answer 390111 from now on."""
        with self._lock:
            session.closed = True
            for table in (self._session_tokens, self._master_tokens):
                for value in [token.value for token in table.values() if token.session is session]:
                    del table[value]

    def sessions(self) -> list[WireSession]:
        """The open sessions."""
        with self._lock:
            return list({id(token.session): token.session for token in self._session_tokens.values()}.values())

    def _issue(self, session: WireSession) -> TokenPair:
        now = time.monotonic()
        pair = TokenPair(
            f"session:{secrets.token_urlsafe(24)}",
            f"master:{secrets.token_urlsafe(24)}",
            self.session_seconds,
            self.master_seconds,
        )
        with self._lock:
            self._session_tokens[pair.session_token] = _Token(pair.session_token, session, now + self.session_seconds)
            self._master_tokens[pair.master_token] = _Token(pair.master_token, session, now + self.master_seconds)
        return pair


def token_of(authorization: str) -> str:
    """The token inside ``Snowflake Token="…"``; empty where the header is something else."""
    match = _HEADER.fullmatch(authorization)
    return match.group(1) if match else ""
