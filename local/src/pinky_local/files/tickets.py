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
        return f"{address}{PREFIX}{token}/{quote(name)}"

    def of(self, path: str) -> Ticket | None:
        """The ticket of a request's path."""
        return self._known.get(path.removeprefix(PREFIX).partition("/")[0])
