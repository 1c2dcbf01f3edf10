"""The catalog engine of the local account: every object, no row."""

from __future__ import annotations

from pinky_local.engine import programs
from pinky_local.engine.catalog_engine import CatalogEngine

FAMILIES = programs.FAMILIES
"""Modules of object types that `catalog_engine` does not name itself."""

__all__ = ["CatalogEngine"]
