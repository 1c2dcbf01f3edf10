"""PUT and GET: what the client is told, so that it sends or fetches the files itself.

https://docs.snowflake.com/en/sql-reference/sql/put and get. PUT is for internal stages. The text is read apart from the
rest of the engine, whose lexer takes the ``//`` of ``file://`` for the start of a comment.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from typing import Any

from pinky_local.engine import errors, stage_places
from pinky_local.engine.specs.storage import is_external
from pinky_local.engine.stage_places import Location
from pinky_local.engine.statement import Statement
from pinky_local.files.tickets import Ticket
from pinky_local.types import Result, ResultColumn

_PUT_TYPE, _GET_TYPE = 0x7101, 0x7102
_COMPRESSIONS = ("AUTO_DETECT", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE")
_WORD = re.compile(
    r"""\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*
    (?: '(?P<quoted>(?:[^'\\]|''|\\.)*)'
    | (?P<bare>(?:@|file://)(?:"[^"]*"|[^\s;])*) | (?P<word>\w+) | (?P<symbol>[=;]) )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Command:
    """PUT or GET as read: the local place without ``file://``, the stage, the options."""

    verb: str
    local: str
    stage: str
    options: dict[str, str] = field(default_factory=dict)


def put(statement: Statement) -> Result:
    """Answer PUT. Raises 000002 for an external stage."""
    command = _read(statement, ("PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE"))
    location = stage_places.locate(statement, command.stage, "WRITE")
    if is_external(location.stage):
        raise errors.unsupported("PUT to an external stage")
    options = command.options
    skipped = _skipped(location, command)
    if skipped is not None:
        return skipped
    ticket = Ticket(location.place, _target(location, command.local), upload=True)
    files = statement.account.files
    transfer = {
        "command": "UPLOAD",
        "src_locations": [command.local],
        "parallel": _parallel(options, 4),
        "autoCompress": _boolean(options, "AUTO_COMPRESS", default=True),
        "overwrite": _boolean(options, "OVERWRITE", default=False),
        "sourceCompression": _source_compression(options),
        "threshold": 209_715_200,
        "clientShowEncryptionParameter": False,
        "encryptionMaterial": None,
        "stageInfo": _stage_info(location) | {"presignedUrl": files.tickets.url(files.address, ticket)},
    }
    return _told(_PUT_TYPE, transfer)


def get(statement: Statement) -> Result:
    """Answer GET."""
    command = _read(statement, ("PARALLEL", "PATTERN"))
    location = stage_places.locate(statement, command.stage, "READ")
    found = location.files(command.options.get("PATTERN"))
    start = location.path.rpartition("/")[0]
    prefix = f"{start}/" if start else ""
    files = statement.account.files
    transfer = {
        "command": "DOWNLOAD",
        "src_locations": [one.key[len(prefix) :] for one in found],
        "localLocation": command.local,
        "parallel": _parallel(command.options, 10),
        "clientShowEncryptionParameter": False,
        "encryptionMaterial": [],
        "stageInfo": _stage_info(location) | {"presignedUrl": None},
        "presignedUrls": [files.tickets.url(files.address, Ticket(location.place, one.key)) for one in found],
    }
    return _told(_GET_TYPE, transfer)


_UPLOADED = ("source", "target", "source_size", "target_size", "source_compression", "target_compression", "status",
             "message")  # fmt: skip
_DOWNLOADED = ("file", "size", "status", "message")


def _columns(names: tuple[str, ...]) -> list[ResultColumn]:
    return [
        ResultColumn(name, "fixed", precision=38, scale=0) if name.endswith("size") else ResultColumn(name, length=4096)
        for name in names
    ]


def _told(kind: int, transfer: dict[str, Any]) -> Result:
    return Result(_columns(_UPLOADED if kind == _PUT_TYPE else _DOWNLOADED), [], kind, transfer=transfer)


def _skipped(location: Location, command: _Command) -> Result | None:
    """SKIPPED for one file whose name is taken, without OVERWRITE; None where it must be uploaded, or cannot be told.

    The client would find that out by itself from other storages than Google's, for which connector 4 overwrites
    always. The sizes of the source stay unknown then.
    """
    options, local = command.options, command.local.replace("\\", "/")
    if _boolean(options, "OVERWRITE", default=False) or "/" not in local or any(sign in local for sign in "*?["):
        return None
    source = local.rpartition("/")[2]
    given = _source_compression(options)
    found = mimetypes.guess_type(source)[1] if given == "auto_detect" else None if given == "none" else given
    compresses = found is None and _boolean(options, "AUTO_COMPRESS", default=True)
    target = f"{source}.gz" if compresses else source
    path = location.path.rstrip("/")
    if location.place.file(f"{path}/{target}" if path else target) is None:
        return None
    kind = (found or "none").upper()
    row = [source, target, None, 0, kind, "GZIP" if compresses else kind, "SKIPPED", ""]
    return Result(_columns(_UPLOADED), [row], _PUT_TYPE)


def _stage_info(location: Location) -> dict[str, Any]:
    folder = f"stages/{location.stage.number}/{location.path}"
    return {
        "locationType": "GCS", "location": f"pinky-local/{folder}", "path": folder, "region": "LOCAL",
        "storageAccount": None, "isClientSideEncrypted": False, "creds": {}, "endPoint": None,
    }  # fmt: skip


def _target(location: Location, local: str) -> str | None:
    """The key a single upload writes; None where the statement names a path of the client, not a name in the stage."""
    if "/" in local or "\\" in local or any(sign in local for sign in "*?["):
        return None
    path = location.path.rstrip("/")
    return f"{path}/{local}" if path else local


def _parallel(options: dict[str, str], default: int) -> int:
    text = options.get("PARALLEL", str(default))
    if not text.isdigit() or not 1 <= int(text) <= 99:
        raise errors.invalid_value(text, "PARALLEL")
    return int(text)


def _boolean(options: dict[str, str], name: str, *, default: bool) -> bool:
    text = options.get(name, str(default)).upper()
    if text not in ("TRUE", "FALSE"):
        raise errors.invalid_value(text, name)
    return text == "TRUE"


def _source_compression(options: dict[str, str]) -> str:
    text = options.get("SOURCE_COMPRESSION", "AUTO_DETECT").upper()
    if text not in _COMPRESSIONS:
        raise errors.invalid_value(text, "SOURCE_COMPRESSION")
    return text.lower()


def _read(statement: Statement, allowed: tuple[str, ...]) -> _Command:
    words = _words(statement)
    verb = words.pop(0)[1].upper()
    places = [words.pop(0) for _ in range(2) if words]
    if verb == "GET":
        places.reverse()
    if len(places) < 2 or not places[0][1].startswith("file://") or not places[1][1].startswith("@"):
        raise errors.syntax(1, 0, places[0][1] if places else "<EOF>")
    command = _Command(verb, places[0][1].removeprefix("file://"), places[1][1])
    while words:
        name = words.pop(0)[1].upper()
        if name == ";" and not words:
            break
        if name not in allowed or name in command.options:
            raise errors.invalid_property(name, verb) if name not in allowed else errors.duplicate_property(name)
        if len(words) < 2 or words.pop(0) != ("symbol", "="):
            raise errors.syntax(1, 0, name)
        command.options[name] = words.pop(0)[1]
    return command


def _words(statement: Statement) -> list[tuple[str, str]]:
    sql = statement.tokens.sql.strip()
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(sql):
        match = _WORD.match(sql, position)
        if match is None:
            raise errors.syntax(1, position, sql[position : position + 20])
        kind = match.lastgroup or ""
        text = match.group(kind)
        found.append((kind, text.replace("''", "'").replace("\\'", "'") if kind == "quoted" else text))
        position = match.end()
    return found
