"""Directory tables: what a stage remembers of its files, changed by REFRESH alone.

The state of a stage holds ``directory`` (by relative path: size, last_modified as ISO text, md5, etag),
``directory_version``, one more with each refresh that changed something, and ``directory_log``, a list of [version,
INSERT or DELETE, relative path, row]; an overwritten file is a DELETE and an INSERT.

https://docs.snowflake.com/en/user-guide/data-load-dirtables, data-load-dirtables-manage and data-load-dirtables-query.
What the status column of a refresh says is a guess from ALTER EXTERNAL TABLE … REFRESH.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pinky_local.engine import errors, file_urls, stage_places
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.storage import is_external
from pinky_local.engine.statement import rows
from pinky_local.types import Result, ResultColumn

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

Row = tuple[str, int, datetime, str, str, str]
"""relative_path, size, last_modified, md5, etag, file_url."""

_NEW, _UPDATED, _GONE = "REGISTERED_NEW", "REGISTERED_UPDATE", "UNREGISTERED"
_SAID = {_NEW: "File registered successfully.", _UPDATED: "File updated successfully.",
         _GONE: "File unregistered successfully."}  # fmt: skip


def enabled(stage: CatalogObject) -> bool:
    """Whether a stage has a directory table."""
    return bool((stage.properties.get("DIRECTORY") or {}).get("ENABLE"))


def forget(stage: CatalogObject) -> None:
    """Drop the directory table; the version stays, so that streams notice."""
    for name in ("directory", "directory_log", "last_refreshed_on"):
        stage.state.pop(name, None)


def refresh(account: Account, stage: CatalogObject, subpath: str = "") -> list[tuple[str, str]]:
    """Bring the directory table up to the files below a path; file and status of each change."""
    with account.lock:
        known: dict[str, dict[str, Any]] = stage.state.setdefault("directory", {})
        place = stage_places.place_of(account, stage)
        prefix = subpath.lstrip("/")
        seen: dict[str, dict[str, Any]] = {}
        for file in stage_places.listed(place, prefix):
            held = known.get(file.key)
            modified = file.last_modified.isoformat()
            etag = place.etag(file)
            if held is not None and (held["size"], held["last_modified"], held["etag"]) == (file.size, modified, etag):
                seen[file.key] = held
            else:
                seen[file.key] = {"size": file.size, "last_modified": modified, "md5": etag, "etag": etag}
        changes = _changes(known, seen, prefix)
        if changes:
            _record(stage, known, seen, changes)
        stage.state["last_refreshed_on"] = account.now().isoformat(sep=" ", timespec="milliseconds")
        account.changed = True
        return changes


def _changes(known: dict[str, Any], seen: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found = [(key, _UPDATED if key in known else _NEW) for key, row in seen.items() if known.get(key) is not row]
    return found + [(key, _GONE) for key in known if key.startswith(prefix) and key not in seen]


def _record(
    stage: CatalogObject, known: dict[str, Any], seen: dict[str, Any], changes: Sequence[tuple[str, str]]
) -> None:
    version = stage.state["directory_version"] = int(stage.state.get("directory_version", 0)) + 1
    log = stage.state.setdefault("directory_log", [])
    for key, status in changes:
        if status != _NEW:
            log.append([version, "DELETE", key, known.pop(key)])
        if status != _GONE:
            known[key] = seen[key]
            log.append([version, "INSERT", key, seen[key]])


def refreshed(changes: Sequence[tuple[str, str]]) -> Result:
    """The answer of ALTER STAGE … REFRESH."""
    columns = [ResultColumn(name, length=16_777_216) for name in ("file", "status", "description")]
    return rows(columns, [[file, status, _SAID[status]] for file, status in changes], 0x6000)


def directory_row(account: Account, stage: CatalogObject, key: str, held: dict[str, Any]) -> Row:
    """A row as DIRECTORY(@stage) has it."""
    modified = datetime.fromisoformat(held["last_modified"])
    return key, held["size"], modified, held["md5"], held["etag"], file_urls.file_url(account, stage, key)


def directory_rows(account: Account, stage: CatalogObject) -> list[Row]:
    """The directory table's rows as of the last refresh. Raises 002220 (a guess) where the stage has none."""
    if not enabled(stage):
        raise errors.compilation(2220, "22000", f"Stage '{stage.name}' has no directory table enabled.")
    with account.lock:
        held = stage.state.get("directory", {})
        return [directory_row(account, stage, key, held[key]) for key in sorted(held)]


def rows_file(account: Account, stage: CatalogObject) -> Path:
    """The directory table as JSON lines that the data plane reads; one file for each version, kept until the end.

    100,000 rows as a literal of the query would take the parser longer than everything else.
    """
    version = f"{stage.number}-{int(stage.state.get('directory_version', 0))}-{'-'.join(account.catalog.path(stage))}"
    path = account.files.scratch() / f"directory-{quote(version, safe='')}.jsonl"
    if not path.exists():
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            for key, size, modified, md5, etag, url in directory_rows(account, stage):
                row = {"c1": key, "c2": size, "c3": int(modified.timestamp()), "c4": md5, "c5": etag, "c6": url}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        beside.replace(path)
    return path


def notify(account: Account, *, stage: str | None = None, bucket: str | None = None) -> list[str]:
    """Act as the cloud's notification: refresh the external stages with AUTO_REFRESH that are meant; their names.

    ``stage`` is a full name, ``bucket`` a URL: stages whose URL lies below it, or above it, are meant.
    """
    with account.lock:
        meant = [item for item in account.catalog.objects.values() if _is_meant(account, item, stage, bucket)]
        for item in meant:
            refresh(account, item)
        return sorted(account.catalog.printed(item) for item in meant)


def _is_meant(account: Account, item: CatalogObject, stage: str | None, bucket: str | None) -> bool:
    automatic = item.kind == "stage" and is_external(item) and enabled(item)
    if not automatic or not (item.properties.get("DIRECTORY") or {}).get("AUTO_REFRESH"):
        return False
    if stage is not None and account.catalog.printed(item) != stage:
        return False
    if bucket is None:
        return True
    url, changed = str(item.properties["URL"]).rstrip("/") + "/", bucket.rstrip("/") + "/"
    return url.startswith(changed) or changed.startswith(url)
