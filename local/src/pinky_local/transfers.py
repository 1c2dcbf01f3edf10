"""Uploads and downloads of PUT and GET: the answers of a storage with presigned URLs, and the files behind them.

The clients are told that the stage is in Google Cloud Storage, with one presigned URL for each file: of the storages
they know it is the only one whose URLs the server chooses whole, and so may be plain HTTP on loopback. Both the
Python connector 4.8 and 5.2 speak it. A ticket in the URL says which file is meant and may be used until the account
stops. No page of Snowflake's documents this; it is what the connectors send and read.

A PUT statement is sent once as written and once for each file with ``file://<name in the stage>``, from which the URL
of that file is made. The first answer has a URL that is always expired, so that clients which try it ask again.
"""

from __future__ import annotations

import base64
import hashlib

from pinky_local.files.store import BadKeyError, FileStore
from pinky_local.files.tickets import PREFIX, Ticket
from pinky_local.http11 import Request, Response

__all__ = ["PREFIX", "handle"]


def handle(files: FileStore, request: Request) -> Response:
    """Answer a request for a presigned URL as Google Cloud Storage would; 400 stands for an expired one."""
    ticket = files.tickets.of(request.path)
    if ticket is None:
        return Response(status=403)
    if ticket.key is None:
        return Response(status=400)
    try:
        return _answer(ticket, ticket.key, request)
    except BadKeyError as problem:
        return Response(str(problem).encode(), 403, content_type="text/plain")


def _answer(ticket: Ticket, key: str, request: Request) -> Response:
    if request.method == "PUT" and ticket.upload:
        if request.headers.get("x-goog-if-generation-match") == "0" and ticket.place.file(key) is not None:
            return Response(status=412)
        ticket.place.write(key, [request.body])
        return Response(content_type="text/plain")
    if request.method not in ("GET", "HEAD"):
        return Response(status=405, headers={"Allow": "PUT, GET, HEAD" if ticket.upload else "GET, HEAD"})
    found = ticket.place.file(key)
    if found is None:
        return Response(status=404)
    with ticket.place.open(key) as file:
        content = file.read()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    answer = Response(content, headers={"x-goog-meta-sfc-digest": digest}, content_type="application/octet-stream")
    if request.method == "HEAD":
        answer.length, answer.body = len(content), b""
    return answer
