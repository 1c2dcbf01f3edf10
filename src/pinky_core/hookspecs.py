"""The hooks: everything a plugin can add, on one page.

A plugin is a module (or object) with functions of these names, marked with `hookimpl`, announced in the entry-point
group ``pinky``. Hooks return values; they change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pinky_core.apply import Event
    from pinky_core.diagnostics import Diagnostic
    from pinky_core.plan import Plan
    from pinky_core.resource import Declared, Resource
    from pinky_core.secret import SecretResolver
    from pinky_core.section import Section

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("pinky")
hookimpl = pluggy.HookimplMarker("pinky")


@hookspec
def pinky_resource_types() -> Iterable[type[Resource]]:  # type: ignore[empty-body]  # a hook specification has no body
    """At start: the resource types of this plugin. Two plugins giving the same kind is an error that names both."""


@hookspec
def pinky_manifest_sections() -> Iterable[Section]:  # type: ignore[empty-body]  # see above
    """At start: the manifest sections of this plugin, each a key with a JSON Schema and a function that expands its
    value into documents."""


@hookspec
def pinky_add_hooks(manager: pluggy.PluginManager) -> None:
    """At start, before any other hook: add hook specifications of this plugin's own."""


@hookspec
def pinky_check_resources(resources: Sequence[Declared]) -> Iterable[Diagnostic]:  # type: ignore[empty-body]  # see above
    """After conversion, before anything is read: what is wrong with the declared resources taken together."""


@hookspec
def pinky_check_plan(plan: Plan) -> Iterable[Diagnostic]:  # type: ignore[empty-body]  # see above
    """After planning: an error keeps the plan from being applied, a warning is shown with it."""


@hookspec
def pinky_change_applied(event: Event) -> None:
    """After each change, whatever became of it; for audit, notification, metrics. An exception is logged, not raised:
    the account has changed already."""


@hookspec
def pinky_secret_resolvers() -> Mapping[str, SecretResolver]:  # type: ignore[empty-body]  # see above
    """At start: scheme → function from locator to value, for references such as ``vault:path``."""
