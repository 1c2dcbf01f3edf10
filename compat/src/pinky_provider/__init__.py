"""The import paths of pinky-provider, over pinky-core and its plugins; nothing else.

``from pinky_provider import Provider`` and ``from pinky_provider.resources.schema import SchemaProvider``.
"""

from __future__ import annotations

from pinky_core import Provider

__all__ = ["Provider"]
