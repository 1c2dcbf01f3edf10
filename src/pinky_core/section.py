"""Manifest sections: top-level keys that a plugin owns and expands into ordinary resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core.resource import Place

__all__ = ["Expanded", "Section", "SectionContext", "SectionError", "SectionWord"]


@attrs.frozen
class SectionContext:
    """What expanding a section may use.

    ``place`` is the target, ``variables`` and ``env`` are the environment's. ``sections`` holds the values of all
    sections of the manifest by key, variables substituted, whether they are sound or not. ``hooks`` calls the hooks of
    all plugins, those that the section's plugin added itself among them.
    """

    place: Place
    variables: Mapping[str, Any]
    env: str | None
    sections: Mapping[str, Any] = attrs.field(factory=dict)
    hooks: Any = None


@attrs.frozen
class Expanded:
    """One resource a section stands for: its kind, its document, who it comes from, and the path in the section."""

    kind: str
    document: Mapping[str, Any]
    origin: str
    path: tuple[str | int, ...] = ()


@attrs.frozen
class SectionWord:
    """A word that may stand in a section because a plugin brought it, such as the name of a slot.

    ``brought_by`` names that plugin; both are for listings.
    """

    name: str
    doc: str
    brought_by: str


class SectionError(ValueError):
    """Several mistakes in a section's value: the path of each in the section, and a text about it."""

    def __init__(self, mistakes: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(text for _, text in self.mistakes))


@attrs.frozen
class Section:
    """A top-level key of the manifest.

    ``schema`` is the JSON Schema of its value, or makes it from the hooks once all plugins are there. ``expand`` gives
    the resources it stands for; it raises ValueError for what a schema cannot say, `SectionError` for several such
    mistakes with their paths. ``scope`` is the smallest scope of a manifest in which it may stand. ``words`` lists what
    other plugins added to it.
    """

    key: str
    schema: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
    expand: Callable[[Any, SectionContext], Iterable[Expanded]]
    scope: str = "schema"
    doc: str = ""
    words: Callable[[Any], Iterable[SectionWord]] | None = None

    def schema_with(self, hooks: Any) -> Mapping[str, Any]:
        """The JSON Schema of the section's value where these hooks are installed."""
        return self.schema(hooks) if callable(self.schema) else self.schema
