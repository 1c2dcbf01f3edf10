"""Scoped URLs and file URLs: made for queries, opened for functions that read files.

https://docs.snowflake.com/en/user-guide/unstructured-intro (types of URLs). A scoped URL is a permission in itself and
lasts for 24 hours in Snowflake; here it lasts as long as the account runs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote

from pinky_local.engine import errors, stage_places
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.storage import is_external
from pinky_local.engine.statement import Statement
from pinky_local.files.store import BadKeyError
from pinky_local.types import SessionContext, SqlError, StageHandle

if TYPE_CHECKING:
    from pinky_local.engine.account import Account


def _host(account: Account) -> str:
    return f"https://{account.name.lower().replace('_', '-')}.snowflakecomputing.com/api/files/"


def file_url(account: Account, stage: CatalogObject, key: str) -> str:
    """The file URL of a file; no server answers it."""
    path = "/".join(quote(part, safe="") for part in account.catalog.path(stage))
    return f"{_host(account)}{path}/{quote(key)}"


def stage_url(stage: CatalogObject) -> str:
    """What GET_STAGE_LOCATION says; an internal stage's is made up."""
    return f"{str(stage.properties['URL']).rstrip('/')}/" if is_external(stage) else f"s3://pinky-local/{stage.number}/"


def handle(account: Account, stage: CatalogObject) -> StageHandle:
    """A stage as the file functions need it."""
    seal = account.files.seal
    return StageHandle(stage_url(stage), file_url(account, stage, ""), _host(account), str(stage.number), seal)


def open_staged(account: Account, url: str, session: SessionContext) -> BinaryIO:
    """The file that a scoped URL, a file URL or ``@stage/path`` means, to read.

    A scoped URL needs no privilege; the others need READ or USAGE on the stage. Raises 002003 (a guess) where there is
    no such file and 000002 for a URL of another kind.
    """
    stage, key = _meant(account, url, session)
    try:
        return stage_places.place_of(account, stage).open(key)
    except FileNotFoundError as problem:
        raise _missing(url) from problem
    except BadKeyError as problem:
        raise stage_places.bad_path(problem) from problem


def _missing(url: str) -> SqlError:
    return errors.compilation(2003, "02000", f"Remote file '{url}' was not found.")


def _meant(account: Account, url: str, session: SessionContext) -> tuple[CatalogObject, str]:
    statement = Statement(account, session, "SELECT 1", (), "")
    if url.startswith("@"):
        location = stage_places.locate(statement, url, "READ")
        return location.stage, location.path
    if not url.startswith(_host(account)):
        raise errors.unsupported(f"the URL {url}")
    parts = url.removeprefix(_host(account)).split("/")
    if len(parts) == 2:
        return _scoped(account, url, parts[1])
    names = tuple(unquote(part) for part in parts[:3])
    with account.lock:
        stage = statement.find("stage", names)
        stage_places.require(statement, stage, "READ")
    return stage, unquote("/".join(parts[3:]))


def _scoped(account: Account, url: str, token: str) -> tuple[CatalogObject, str]:
    encoded, _, seal = token.rpartition(".")
    try:
        named = base64.b64decode(encoded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as problem:
        raise _missing(url) from problem
    made = hashlib.sha256((account.files.seal + named).encode()).hexdigest()[:32]
    number, _, key = named.partition("/")
    stage = account.catalog.objects.get(int(number)) if hmac.compare_digest(made, seal) else None
    if stage is None:
        raise _missing(url)
    return stage, key
