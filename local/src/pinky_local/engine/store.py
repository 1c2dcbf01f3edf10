"""The catalog in a folder: one JSON file, replaced as a whole after each change."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pinky_local.engine.account import Account
from pinky_local.engine.catalog import CatalogObject, Column, Constraint, FutureGrant, Grant, Membership

FORMAT = 1


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"the catalog holds a value JSON cannot: {type(value).__name__}")


def _revive(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["$time"]) if set(value) == {"$time"} else value


_SECRET = ("PASSWORD", "SECRET_STRING", "OAUTH_REFRESH_TOKEN", "CREDENTIALS", "API_KEY")


def _without_secrets(values: dict[str, Any]) -> dict[str, Any]:
    """Write-only values never reach the disk; that there was one does."""
    held = values["properties"]
    values["properties"] = {
        name: (dict.fromkeys(value, "") if isinstance(value, dict) else "********") if name in _SECRET else value
        for name, value in held.items()
    }
    return values


class Store:
    """``catalog.json`` in a folder. Neither dropped and temporary objects nor write-only values outlive the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "catalog.json"

    def save(self, account: Account) -> None:
        """Write everything beside the file, then put it in its place."""
        catalog = account.catalog
        lasting = {item.number for item in catalog.objects.values() if "session" not in item.state}
        content = {
            "format": FORMAT,
            "next_number": catalog.next_number,
            "parameters": account.parameters,
            "contacts": account.contacts,
            "objects": [_without_secrets(asdict(item)) for item in catalog.objects.values() if item.number in lasting],
            "grants": [
                asdict(entry)
                for held in catalog.grants_on.values()
                for entry in held.values()
                if entry.on in lasting or entry.on == 0
            ],
            "future": [asdict(entry) for entries in catalog.future.values() for entry in entries],
            "members": [asdict(entry) for held in catalog.members.values() for entry in held.values()],
        }
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(content, file, default=_plain)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def load(self, account: Account) -> bool:
        """Fill an empty account. False where there is no file; ValueError for one of another format."""
        if not self.path.exists():
            return False
        content = json.loads(self.path.read_text(encoding="utf-8"), object_hook=_revive)
        if content.get("format") != FORMAT:
            raise ValueError(f"{self.path} has format {content.get('format')}, this version reads {FORMAT}")
        catalog = account.catalog
        catalog.next_number = content["next_number"]
        account.parameters = content["parameters"]
        account.contacts = content.get("contacts", {})
        for values in content["objects"]:
            columns = [Column(**self._column(column)) for column in values.pop("columns")]
            constraints = [Constraint(**constraint) for constraint in values.pop("constraints")]
            catalog.add(CatalogObject(**values, columns=columns, constraints=constraints))
        for values in content["grants"]:
            catalog.grant(Grant(**values))
        for values in content["future"]:
            catalog.future.setdefault(values["container"], []).append(FutureGrant(**values))
        for values in content["members"]:
            catalog.join(Membership(**values))
        return True

    @staticmethod
    def _column(values: dict[str, Any]) -> dict[str, Any]:
        identity = values["identity"]
        return values | {"identity": tuple(identity) if identity is not None else None}
