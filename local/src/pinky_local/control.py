"""The control API under ``/pinky-local/``: faults, journal, counters, notifications, clock and outbox over HTTP.

It has no credentials, so it answers only requests that name a loopback host and come from no web page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pinky_local.faults import FaultError, Faults, rule_from_json
from pinky_local.http11 import Request, Response
from pinky_local.journal import Counters, Journal
from pinky_local.sessions import SessionRegistry
from pinky_local.task_clock import Tasks
from pinky_local.wire import dumps

PREFIX = "/pinky-local"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Control:
    """Answers requests below `PREFIX`."""

    def __init__(
        self,
        faults: Faults,
        journal: Journal,
        counters: Counters,
        sessions: SessionRegistry,
        notify: Callable[..., list[str]],
        tasks: Tasks | None,
    ) -> None:
        self._faults = faults
        self._journal = journal
        self._counters = counters
        self._sessions = sessions
        self._tasks = tasks
        self._tell = notify
        self._endpoints: dict[str, dict[str, Callable[[Request], Any]]] = {
            "/status": {"GET": self._status},
            "/faults": {"GET": self._list_faults, "POST": self._add_fault, "DELETE": self._clear_faults},
            "/journal": {"GET": self._read_journal, "DELETE": self._clear_journal},
            "/notify": {"POST": self._notify},
            "/counters": {"GET": self._read_counters, "DELETE": self._reset_counters},
        }
        if tasks is not None:
            self._endpoints["/clock"] = {"GET": self._read_clock, "POST": self._advance}
            self._endpoints["/tasks"] = {"GET": self._read_tasks}
            self._endpoints["/outbox"] = {"GET": self._read_outbox, "DELETE": self._clear_outbox}

    def handle(self, request: Request) -> Response:
        """The answer, always JSON; mistakes are ``{"error": text}`` with status 400, 403, 404 or 405."""
        if not _is_local(request):
            return _error(403, "the control API answers loopback clients only")
        methods = self._endpoints.get(request.path.removeprefix(PREFIX))
        if methods is None:
            known = ", ".join(PREFIX + path for path in self._endpoints)
            return _error(404, f"no such endpoint {request.path}; known: {known}")
        endpoint = methods.get(request.method)
        if endpoint is None:
            return _error(405, f"{request.path} answers {', '.join(methods)}")
        try:
            return Response(dumps(endpoint(request)))
        except (FaultError, ValueError) as error:
            return _error(400, str(error))

    def _status(self, _request: Request) -> dict[str, Any]:
        sessions = len(self._sessions.sessions())
        return {"account": "PINKY_LOCAL", "sessions": sessions, "statements": self._counters.total}

    def _list_faults(self, _request: Request) -> list[dict[str, Any]]:
        return [rule.as_json() for rule in self._faults]

    def _add_fault(self, request: Request) -> dict[str, Any]:
        return self._faults.add(rule_from_json(json.loads(request.body))).as_json()

    def _clear_faults(self, _request: Request) -> list[Any]:
        self._faults.clear()
        return []

    def _read_journal(self, request: Request) -> list[dict[str, Any]]:
        return [entry.as_json() for entry in self._journal.entries(int(request.query.get("since", "0")))]

    def _clear_journal(self, _request: Request) -> list[Any]:
        self._journal.clear()
        return []

    def _read_counters(self, _request: Request) -> dict[str, Any]:
        return self._counters.as_json()

    def _reset_counters(self, _request: Request) -> dict[str, Any]:
        self._counters.reset()
        return self._counters.as_json()

    def _read_clock(self, _request: Request) -> dict[str, Any]:
        assert self._tasks is not None
        return self._tasks.clock_json()

    def _advance(self, request: Request) -> dict[str, Any]:
        assert self._tasks is not None
        body = json.loads(request.body)
        seconds = body.get("advance") if isinstance(body, dict) and set(body) == {"advance"} else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError('expected {"advance": seconds}')
        self._tasks.advance(seconds)
        return self._tasks.clock_json()

    def _read_tasks(self, _request: Request) -> list[dict[str, Any]]:
        assert self._tasks is not None
        return self._tasks.running_json()

    def _read_outbox(self, _request: Request) -> list[dict[str, Any]]:
        assert self._tasks is not None
        return self._tasks.outbox

    def _clear_outbox(self, _request: Request) -> list[Any]:
        assert self._tasks is not None
        self._tasks.clear_outbox()
        return []

    def _notify(self, request: Request) -> dict[str, Any]:
        """``{"stage": name}`` or ``{"bucket": url}``, or both: what a notification of the cloud is about."""
        body = json.loads(request.body or b"{}")
        if not isinstance(body, dict) or not set(body) <= {"stage", "bucket"}:
            raise ValueError("a notification is {'stage': name} or {'bucket': url}")
        return {"refreshed": self._tell(**body)}


def _is_local(request: Request) -> bool:
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name.strip("[]") in _LOOPBACK and "origin" not in request.headers


def _error(status: int, message: str) -> Response:
    return Response(dumps({"error": message}), status)
