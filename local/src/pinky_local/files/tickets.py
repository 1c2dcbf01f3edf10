"""Presigned URLs: which file each is for."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pinky_local.files.store import FolderPlace

PREFIX = "/pinky-local-files/"

_SIGNED = ";".join(
    (
        "content-encoding", "content-length", "content-type", "host", "x-goog-if-generation-match",
        "x-goog-meta-encryptiondata", "x-goog-meta-matdesc", "x-goog-meta-sfc-digest",
    )
)  # fmt: skip
"""The headers that a URL allows; connector 5 asks for them before it uploads without OVERWRITE."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a presigned URL is for. ``key`` None: nothing, the URL has expired."""

    place: FolderPlace
    key: str | None
    upload: bool = False


class Tickets:
    """The presigned URLs of one account."""

    def __init__(self) -> None:
        self._known: dict[str, Ticket] = {}
        self._lock = threading.Lock()

    def url(self, address: str, ticket: Ticket) -> str:
        """A new URL for a ticket."""
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._known[token] = ticket
        name = (ticket.key or "expired").rpartition("/")[2]
        return f"{address}{PREFIX}{token}/{quote(name)}?X-Goog-SignedHeaders={quote(_SIGNED)}"

    def of(self, path: str) -> Ticket | None:
        """The ticket of a request's path."""
        return self._known.get(path.removeprefix(PREFIX).partition("/")[0])
