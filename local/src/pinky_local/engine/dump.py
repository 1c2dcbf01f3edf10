"""Everything an account's catalog holds as plain sorted data, so that a test can compare before and after."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pinky_local.engine import identifiers
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import Catalog, CatalogObject

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_FLEETING = frozenset({"assigned", "graph_version", "printed"})
"""What an account keeps for itself about an object and no statement shows."""


def dump(account: Account) -> dict[str, Any]:
    """``objects`` by type and qualified name, ``grants`` and ``memberships`` as sorted lists; no times, no numbers.

    What waits for UNDROP is not in it.
    """
    catalog = account.catalog
    with account.lock:
        names = {ACCOUNT: "ACCOUNT"} | {number: _name(catalog, item) for number, item in catalog.objects.items()}
        return {
            "objects": {names[item.number]: _object(names, item) for item in catalog.objects.values()},
            "grants": sorted(
                [grant.privilege, names[grant.on], names[grant.to], grant.grantable]
                for held in catalog.grants_on.values()
                for grant in held.values()
            ),
            "future_grants": sorted(
                [future.privilege, future.kind, names[number], names[future.to]]
                for number, held in catalog.future.items()
                for future in held
            ),
            "memberships": sorted(
                [names[role], names[to]] for role, members in catalog.members.items() for to in members
            ),
            "parameters": dict(account.parameters),
        }


def _name(catalog: Catalog, item: CatalogObject) -> str:
    return f"{item.kind} {identifiers.dotted(catalog.path(item))}{item.signature}"


def _object(names: dict[int, str], item: CatalogObject) -> dict[str, Any]:
    kept = {name: value for name, value in item.state.items() if not isinstance(value, datetime)}
    state = {name: value for name, value in kept.items() if name not in _FLEETING}
    if item.kind == "warehouse":
        state.pop("state", None)  # it starts and stops by itself
    for name in ("contacts", "after", "finalize", "base_tables", "source"):
        if name in state:
            state[name] = _named(names, state[name])
    return {
        "owner": names.get(item.owner or ACCOUNT, ""),
        "properties": dict(item.properties),
        "parameters": dict(item.parameters),
        "tags": dict(item.tags),
        "state": state,
        "columns": [[column.name, column.data_type, column.nullable, column.comment] for column in item.columns],
        "constraints": sorted(repr(key.kind) + repr(key.columns) for key in item.constraints),
    }


def _named(names: dict[int, str], value: Any) -> Any:
    """Numbers of objects as their names, for numbers differ between two accounts that hold the same."""
    if isinstance(value, dict):
        return {key: _named(names, one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [_named(names, one) for one in value]
    return names.get(value, "gone") if isinstance(value, int) else value
