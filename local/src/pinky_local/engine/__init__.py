"""The catalog engine of the local account: every object, no row."""

from __future__ import annotations

from pinky_local.engine.catalog_engine import CatalogEngine

__all__ = ["CatalogEngine"]
