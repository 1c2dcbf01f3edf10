"""Find, load and name plugins; refuse broken ones and duplicates.

A plugin that fails to load stops the run and is named: a silently missing plugin would turn into a plan full of drops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pluggy

from pinky_core import hookspecs
from pinky_core.errors import PluginError
from pinky_core.resource import Resource
from pinky_core.secret import BUILT_IN_RESOLVERS, SecretResolver
from pinky_core.section import Section
from pinky_core.spec import Spec

__all__ = ["ENTRY_POINTS", "PluginInfo", "Registry", "load_plugins", "make_registry", "package_of"]

ENTRY_POINTS = "pinky"

# Which package brings a kind, for the hint of an error only; nothing here can create any of them.
_PACKAGES: Mapping[str, str] = {
    "pinky-schema": """table iceberg_table storage_lifecycle_policy tag view dynamic_table procedure
        user_defined_function task stage stream event_table alert streamlit secret contact contact_reference sequence
        file_format pipe masking_policy row_access_policy git_repository grant""",
    "pinky-database": "schema database_role database_grant database_contact_reference",
    "pinky-account": """database warehouse role user network_policy network_rule shared_secret shared_tag
        api_integration external_access_integration external_volume compute_pool notification_integration
        storage_integration resource_monitor account_parameter account_grant role_grant account_contact_reference""",
}
_PACKAGE_OF = {kind: package for package, kinds in _PACKAGES.items() for kind in kinds.split()}


def package_of(kind: str) -> str | None:
    """The distribution that brings a well-known kind, for a hint."""
    return _PACKAGE_OF.get(kind)


@attrs.frozen
class PluginInfo:
    """One loaded plugin: its name, the distribution and version it came from, and the hooks it implements."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]


@attrs.frozen
class Registry:
    """Everything the loaded plugins brought: kinds, sections, secret resolvers, and the manager for later hooks."""

    kinds: Mapping[str, type[Resource]]
    kind_plugins: Mapping[str, str]
    sections: Mapping[str, Section]
    resolvers: Mapping[str, SecretResolver]
    manager: pluggy.PluginManager
    plugins: tuple[PluginInfo, ...] = ()
    section_plugins: Mapping[str, str] = attrs.field(factory=dict)

    def section_schemas(self) -> dict[str, Mapping[str, Any]]:
        """The JSON Schema of every section's value, with what other plugins added to it."""
        return {key: _schema_of(section, self.manager) for key, section in self.sections.items()}


def load_plugins(group: str = ENTRY_POINTS) -> Registry:
    """Load every plugin announced in the entry-point group, in name order.

    Raises `PluginError` naming the plugin and its distribution when one does not load.
    """
    import importlib.metadata  # costs a tenth of importing the core, and a stored procedure never needs it

    found = sorted(importlib.metadata.entry_points(group=group), key=lambda each: each.name)
    plugins: dict[str, Any] = {}
    origins: dict[str, tuple[str, str]] = {}
    for entry in found:
        distribution = entry.dist
        origin = (distribution.name, distribution.version) if distribution else (entry.value, "")
        if entry.name in plugins:
            raise PluginError(f"{origins[entry.name][0]} and {origin[0]} both announce a plugin named {entry.name!r}")
        try:
            plugins[entry.name] = entry.load()
        except Exception as error:
            raise PluginError(
                f"the plugin {entry.name!r} of {' '.join(origin).strip()} does not load: "
                f"{type(error).__name__}: {error}"
            ) from error
        origins[entry.name] = origin
    return make_registry(plugins, origins)


def make_registry(plugins: Mapping[str, Any], origins: Mapping[str, tuple[str, str]] | None = None) -> Registry:
    """A registry of exactly these plugins, by name; raises `PluginError` where two claim one word."""
    manager = pluggy.PluginManager("pinky")
    manager.add_hookspecs(hookspecs)
    infos = []
    for name, plugin in plugins.items():
        _register(manager, name, plugin)
    manager.hook.pinky_add_hooks(manager=manager)
    _check_hooks(manager)
    for name, plugin in plugins.items():
        distribution, version = (origins or {}).get(name, (name, ""))
        hooks = tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))
        infos.append(PluginInfo(name, distribution, version, hooks))
    kinds: dict[str, type[Resource]] = {}
    kind_plugins: dict[str, str] = {}
    sections: dict[str, Section] = {}
    section_plugins: dict[str, str] = {}
    resolvers = dict(BUILT_IN_RESOLVERS)
    resolver_plugins = dict.fromkeys(resolvers, "pinky_core")
    for name, plugin in plugins.items():
        for kind in _ask(manager, name, plugin, "pinky_resource_types"):
            spec = _spec_of(name, kind)
            _claim(kind_plugins, spec.kind, name, "the kind")
            kinds[spec.kind] = kind
        for section in _ask(manager, name, plugin, "pinky_manifest_sections"):
            _claim(section_plugins, section.key, name, "the manifest section")
            sections[section.key] = section
        for scheme, resolver in dict(_ask(manager, name, plugin, "pinky_secret_resolvers")).items():
            _claim(resolver_plugins, scheme, name, "the secret scheme")
            resolvers[scheme] = resolver
    return Registry(kinds, kind_plugins, sections, resolvers, manager, tuple(infos), section_plugins)


def _schema_of(section: Section, manager: pluggy.PluginManager) -> Mapping[str, Any]:
    try:
        return section.schema_with(manager.hook)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"the schema of the section {section.key!r} cannot be made: {error}") from error


def _register(manager: pluggy.PluginManager, name: str, plugin: Any) -> None:
    try:
        manager.register(plugin, name=name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"the plugin {name!r} is not usable: {error}") from error


def _check_hooks(manager: pluggy.PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"a plugin implements a hook that nobody specified: {error}") from error


def _ask(manager: pluggy.PluginManager, name: str, plugin: Any, hook: str) -> Iterable[Any]:
    """The answer of one plugin to one hook; a hook that fails names its plugin."""
    others = [each for each in manager.get_plugins() if each is not plugin]
    try:
        answers = manager.subset_hook_caller(hook, others)()
        return [each for answer in answers for each in (answer.items() if isinstance(answer, Mapping) else answer)]
    except Exception as error:
        raise PluginError(f"the plugin {name!r} failed in {hook}: {type(error).__name__}: {error}") from error


def _spec_of(plugin: str, kind: Any) -> Spec:
    spec = getattr(kind, "spec", None)
    if not (isinstance(kind, type) and issubclass(kind, Resource) and isinstance(spec, Spec)):
        raise PluginError(f"the plugin {plugin!r} gives {kind!r}, which is not a class declared with @resource")
    return spec


def _claim(owners: dict[str, str], word: str, plugin: str, what: str) -> None:
    if word in owners:
        raise PluginError(f"{owners[word]} and {plugin} both define {what} {word!r}")
    owners[word] = plugin
