"""Where a type's own grammar and rules are found; the tables are filled by the modules of each family."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pinky_local.engine import errors, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs import TYPES

if TYPE_CHECKING:
    from pinky_local.engine.create import Creation
    from pinky_local.engine.statement import Statement
    from pinky_local.types import Result

CREATE: dict[str, Callable[[Statement, Creation], None]] = {}
"""By kind: reads what follows the name in CREATE."""

ALTER: dict[str, Callable[[Statement, CatalogObject], Callable[[], Result | None] | None]] = {}
"""By kind: reads a verb of ALTER that only this type has, or returns None without reading anything."""

CLAUSES: dict[str, tuple[str, ...]] = {"task": ("FINALIZE",)}
"""By kind: words before an equals sign that are no properties but clauses of the type's own grammar."""

DESCRIBE: dict[str, Callable[[Statement, CatalogObject], Result]] = {}
"""By kind: answers DESCRIBE."""

DROP_CHECK: dict[str, Callable[[Statement, CatalogObject], None]] = {}
"""By kind: raises when the object must not be dropped or replaced now."""

VALUE_CHECK: dict[str, Callable[[Statement, CatalogObject, frozenset[str]], None]] = {}
"""By kind: rules between properties of the finished draft; gets the names that the statement gave."""

CHANGE_CHECK: dict[str, Callable[[Statement, CatalogObject], None]] = {}
"""By kind: raises when the object must not be changed now."""


UNKNOWN_KINDS = frozenset({
    "AGENT", "AGGREGATION", "ALERT", "API", "APPLICATION", "AUTHENTICATION", "CATALOG", "COMPUTE", "CONNECTION",
    "CORTEX", "DATA", "DATASET", "DYNAMIC", "EVENT", "EXTERNAL", "FAILOVER", "FUNCTION", "HYBRID",
    "ICEBERG", "IMAGE", "INTEGRATION", "LIFECYCLE", "MANAGED", "MASKING", "MATERIALIZED", "METRIC", "MODEL",
    "NETWORK", "NOTEBOOK", "NOTIFICATION", "PACKAGES", "PASSWORD", "PIPE", "POLICY", "POOL", "PROJECTION",
    "REPLICATION", "REPOSITORY", "ROW", "ACCESS", "RULE", "SECURITY", "SEMANTIC", "SERVICE", "SESSION", "SHARE",
    "SNAPSHOT", "STORAGE", "STREAMLIT", "VOLUME", "GROUP",
})  # fmt: skip
"""First and second words of object types that exist in Snowflake and not here."""


def check_drop(statement: Statement, item: CatalogObject) -> None:
    """Raise when the object must not be dropped or replaced now."""
    if item.kind in DROP_CHECK:
        DROP_CHECK[item.kind](statement, item)


def check_change(statement: Statement, item: CatalogObject) -> None:
    """Raise when the object must not be changed now."""
    if item.kind in CHANGE_CHECK:
        CHANGE_CHECK[item.kind](statement, item)


def created_message(statement: Statement, item: CatalogObject) -> str:
    """What CREATE answers."""
    name = identifiers.printed(item.name)
    if item.kind == "stage":
        return f"Stage area {name} successfully created."
    return f"{TYPES[item.kind].label} {name} successfully created."


def altered_message(statement: Statement, item: CatalogObject, *, created: bool = False) -> str:
    """What ALTER, or CREATE OR ALTER of something that exists, answers."""
    if created:
        return f"{TYPES[item.kind].label} {identifiers.printed(item.name)} successfully altered."
    return "Statement executed successfully."


SIGNATURE: dict[str, Callable[[Statement], str]] = {}
"""By kind: reads the argument types that are part of a routine's name."""


def read_signature(statement: Statement, kind: str) -> str:
    """The signature after a name; empty for types that have none."""
    return SIGNATURE[kind](statement) if kind in SIGNATURE else ""


def check_restrict(statement: Statement, item: CatalogObject) -> None:
    """DROP … RESTRICT: raise where foreign keys of tables that stay point at a table that goes."""
    catalog = statement.catalog
    going = {child.number for child in catalog.below(item)}
    for other in catalog.objects.values():
        if other.number not in going and any(key.target in going for key in other.constraints):
            raise errors.compilation(
                3539, "2BP01", f"Cannot drop {TYPES[item.kind].words.lower()} '{item.name}': foreign keys refer to it."
            )


def rename_tag(statement: Statement, tag: CatalogObject) -> None:
    """Carry a tag's new name to where it is set."""
    catalog = statement.catalog
    new = catalog.printed(tag)
    old = tag.state.get("printed")
    for item in catalog.objects.values():
        for tags in (item.tags, *(column.tags for column in item.columns)):
            if old in tags:
                tags[new] = tags.pop(old)
    tag.state["printed"] = new


RESTORED: dict[str, Callable[[Statement, CatalogObject], None]] = {}
"""By kind: what UNDROP does besides, for the object and for everything in it."""

OWNER_CHANGED: dict[str, Callable[[Statement, CatalogObject], None]] = {}
"""By kind: what GRANT OWNERSHIP does besides."""
