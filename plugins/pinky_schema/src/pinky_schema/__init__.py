"""Resource types that live in a Snowflake schema, and `SchemaProvider`, which can do nothing beyond one schema."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pinky_core import Resource, hookimpl

if TYPE_CHECKING:
    from pinky_schema.provider import SchemaProvider

__all__ = ["KINDS", "SchemaProvider", "pinky_resource_types"]

#: Module and class of every kind.
KINDS: tuple[tuple[str, str], ...] = (
    ("grant", "Grant"),
    ("procedure", "Procedure"),
    ("secret", "Secret"),
    ("stage", "Stage"),
    ("stream", "Stream"),
    ("table", "Table"),
    ("tag", "Tag"),
    ("task", "Task"),
    ("user_defined_function", "UserDefinedFunction"),
    ("view", "View"),
)


@hookimpl
def pinky_resource_types() -> list[type[Resource]]:
    """The kinds of this package."""
    return [getattr(importlib.import_module(f"pinky_schema.{module}"), name) for module, name in KINDS]


def __getattr__(name: str) -> Any:
    if name == "SchemaProvider":
        from pinky_schema.provider import SchemaProvider

        return SchemaProvider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
