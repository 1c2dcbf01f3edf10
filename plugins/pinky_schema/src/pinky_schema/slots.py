"""Stage slots: named, opinionated stages, each a small declarative value.

A slot says what a place for files is for; naming it in the section ``stages`` is all the configuration there is. The
four slots of this package come by the same hook as anybody else's, ``pinky_stage_slots``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from pinky_core import Expanded, Identifier, PluginError
from pinky_schema.stage_facts import Facts

__all__ = ["Kept", "Party", "RegistryColumn", "Slot", "SlotUse", "slots_of"]


class Kept(enum.Enum):
    """Where the files of a slot lie."""

    EXTERNAL = "external"  # in cloud storage, in the bucket of the environment
    INTERNAL = "internal"  # in Snowflake


class Party(enum.Enum):
    """Whose files they are, which names the first two folders of a path: ``<party>/<flow>/<file>``."""

    PROVIDER = ("PROVIDER_REF", "REF_FLUX_PROVIDER")  # they come from a provider
    CONSUMER = ("CONSUMER_REF", "REF_FLUX_CONSUMER")  # they go to a consumer

    @property
    def columns(self) -> tuple[str, str]:
        """Names of the registry's columns that hold the first and second folder of a path."""
        return self.value


@attrs.frozen
class RegistryColumn:
    """A column that a slot's registry has beside those of every registry: its name, its data type, what it holds."""

    name: str
    type: str
    comment: str


@attrs.frozen
class SlotUse:
    """A slot as a manifest uses it, for what it needs besides its stage and registry.

    ``schema`` is the target; ``stage``, ``registry`` and ``stream`` are names in it. ``options`` are the slot's own, as
    the manifest gives them; ``sections`` the values of all sections of the manifest.
    """

    slot: Slot
    schema: tuple[Identifier, ...]
    facts: Facts
    options: Mapping[str, Any] = attrs.field(factory=dict)
    sections: Mapping[str, Any] = attrs.field(factory=dict)
    path: tuple[str | int, ...] = ()

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.slot.name.upper()

    @property
    def registry(self) -> str:
        """Name of the table that has a row for each version of a file."""
        return f"{self.stage}_REGISTRY"

    @property
    def stream(self) -> str:
        """Name of the stream on the stage's directory table."""
        return f"{self.stage}_STREAM"

    def qualified(self, name: str) -> str:
        """A name of the target schema as SQL writes it in full."""
        return ".".join(part.sql for part in (*self.schema, Identifier(name)))

    def expanded(self, kind: str, document: Mapping[str, Any]) -> Expanded:
        """A resource that this slot brings, which says so in the plan."""
        return Expanded(kind, document, f"slot {self.slot.name}", self.path)


def _nothing(_use: SlotUse) -> Iterable[Expanded]:
    return ()


@attrs.frozen
class Slot:
    """A named stage and what belongs to it.

    ``doc`` is its role in one sentence. ``registry``: whether a table follows its files; ``columns`` are those the
    registry has besides the common ones; ``party`` names the folders of its paths. ``stream``: whether a stream follows
    its directory table. ``options`` are the JSON Schemas of what the manifest may say about it, by name. ``also`` gives
    further resources: tasks, grants, whatever the slot is for.
    """

    name: str
    doc: str
    kept: Kept
    registry: bool = False
    columns: tuple[RegistryColumn, ...] = ()
    party: Party | None = None
    stream: bool = False
    options: Mapping[str, Any] = attrs.field(factory=dict)
    also: Callable[[SlotUse], Iterable[Expanded]] = _nothing


def slots_of(hooks: Any) -> Iterator[tuple[str, Slot]]:
    """Every slot with the name of the plugin that brings it; raises `PluginError` where two claim one name."""
    owners: dict[str, str] = {}
    for implementation in hooks.pinky_stage_slots.get_hookimpls():
        plugin = implementation.plugin_name
        for slot in implementation.function():
            if not isinstance(slot, Slot):
                raise PluginError(f"the plugin {plugin!r} gives {slot!r}, which is not a Slot")
            if slot.name in owners:
                raise PluginError(f"{owners[slot.name]} and {plugin} both define the slot {slot.name!r}")
            owners[slot.name] = plugin
            yield plugin, slot
