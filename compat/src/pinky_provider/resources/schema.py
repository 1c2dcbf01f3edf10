"""What lives in a schema; needs ``pinky-provider[schema]``."""

from __future__ import annotations

try:
    from pinky_schema import SchemaProvider
except ImportError as error:
    raise ImportError("pinky_provider.resources.schema needs the package pinky-schema: pinky-provider[schema]") from error

__all__ = ["SchemaProvider"]
