"""Resource types that live in a Snowflake schema, and `SchemaProvider`, which can do nothing beyond one schema."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pinky_core import Resource, SecretError, Section, hookimpl

if TYPE_CHECKING:
    import pluggy

    from pinky_core import Diagnostic, Plan
    from pinky_schema.dag_predicates import Predicate
    from pinky_schema.provider import SchemaProvider
    from pinky_schema.slots import Kept, Party, RegistryColumn, Slot, SlotUse

__all__ = [
    "KINDS",
    "Kept",
    "Party",
    "Predicate",
    "RegistryColumn",
    "SchemaProvider",
    "Slot",
    "SlotUse",
    "pinky_add_hooks",
    "pinky_check_plan",
    "pinky_dag_predicates",
    "pinky_manifest_sections",
    "pinky_resource_types",
    "pinky_secret_resolvers",
    "pinky_stage_slots",
]

#: Module and class of every kind.
KINDS: tuple[tuple[str, str], ...] = (
    ("contact", "Contact"),
    ("contact_reference", "ContactReference"),
    ("event_table", "EventTable"),
    ("file_format", "FileFormat"),
    ("git_repository", "GitRepository"),
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


@hookimpl
def pinky_add_hooks(manager: pluggy.PluginManager) -> None:
    """The hooks that this package adds for others."""
    from pinky_schema import hookspecs

    manager.add_hookspecs(hookspecs)


@hookimpl
def pinky_manifest_sections() -> list[Section]:
    """The sections of this package."""
    from pinky_schema.contacts import CONTACTS
    from pinky_schema.dag import DAG
    from pinky_schema.notifications import NOTIFICATIONS
    from pinky_schema.stages import STAGES

    return [STAGES, DAG, CONTACTS, NOTIFICATIONS]


@hookimpl
def pinky_dag_predicates() -> tuple[Predicate, ...]:
    """The predicates of this package."""
    from pinky_schema.dag_predicates import BUILT_IN

    return BUILT_IN


@hookimpl
def pinky_secret_resolvers() -> Mapping[str, Callable[[str], str]]:
    """``given:NAME``: a value that is passed when a client is provisioned; nowhere else is there one."""

    def missing(name: str) -> str:
        raise SecretError(f"the secret {name} is given when a client is provisioned; this run has no value for it")

    return {"given": missing}


@hookimpl
def pinky_check_plan(plan: Plan) -> Iterable[Diagnostic]:
    """Warnings about tasks of slots that were left behind."""
    from pinky_schema.left_tasks import tasks_left_behind

    return tasks_left_behind(plan)


@hookimpl
def pinky_stage_slots() -> tuple[Slot, ...]:
    """The four slots of this package."""
    from pinky_schema.builtin_slots import SLOTS

    return SLOTS


#: Public names that are looked up when they are first used, since most programs need none of them.
_LATE = {
    "SchemaProvider": "provider",
    "Kept": "slots",
    "Party": "slots",
    "Predicate": "dag_predicates",
    "RegistryColumn": "slots",
    "Slot": "slots",
    "SlotUse": "slots",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(f"pinky_schema.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
