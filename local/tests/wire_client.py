"""A client that speaks the protocol by hand, so that tests see every byte that a connector would hide."""

from __future__ import annotations

import gzip
import http.client
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from pinky_local.account import LocalAccount


@dataclass
class WireClient:
    account: LocalAccount
    token: str = "None"
    master: str = "None"
    session_id: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, zipped: bool = False
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.account.host, self.account.port, timeout=30)
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f'Snowflake Token="{self.token if token is None else token}"', **self.headers}
        if zipped:
            payload, headers["Content-Encoding"] = gzip.compress(payload), "gzip"
        try:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return response.status, json.loads(text) if text[:1] in (b"{", b"[") else {}, response.headers

    def post(self, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        return dict(self.request("POST", path, body, **more)[1])

    def get(self, path: str, **more: Any) -> dict[str, Any]:
        return dict(self.request("GET", path, **more)[1])

    def login(self, query: str = "", **data: Any) -> dict[str, Any]:
        data = {"LOGIN_NAME": "PINKY", "PASSWORD": "any"} | data
        answer = self.post(f"/session/v1/login-request{query}", {"data": data})
        if answer["success"]:
            self.token, self.master = answer["data"]["token"], answer["data"]["masterToken"]
            self.session_id = answer["data"]["sessionId"]
        return answer

    def sql(self, text: str, *, request_id: str | None = None, zipped: bool = False, **body: Any) -> dict[str, Any]:
        path = f"/queries/v1/query-request?requestId={request_id or uuid.uuid4()}"
        return self.post(path, {"sqlText": text, "asyncExec": False, "sequenceId": 1} | body, zipped=zipped)


def logged_in(account: LocalAccount, query: str = "") -> WireClient:
    client = WireClient(account)
    assert client.login(query)["success"]
    return client
