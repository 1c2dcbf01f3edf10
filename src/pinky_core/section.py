"""Manifest sections: top-level keys that a plugin owns and expands into ordinary resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from pinky_core.resource import Place

__all__ = ["Expanded", "Section", "SectionContext"]


@attrs.frozen
class SectionContext:
    """What expanding a section may use: the target, the variables and the environment's name."""

    place: Place
    variables: Mapping[str, Any]
    env: str | None


@attrs.frozen
class Expanded:
    """One resource a section stands for: its kind, its document, who it comes from, and the path in the section."""

    kind: str
    document: Mapping[str, Any]
    origin: str
    path: tuple[str | int, ...] = ()


@attrs.frozen
class Section:
    """A top-level key of the manifest.

    ``schema`` is the JSON Schema of its value; ``expand`` gives the resources it stands for and raises ValueError for
    what a schema cannot say. ``scope`` is the smallest scope of a manifest in which it may stand.
    """

    key: str
    schema: Mapping[str, Any]
    expand: Callable[[Any, SectionContext], Iterable[Expanded]]
    scope: str = "schema"
    doc: str = ""
