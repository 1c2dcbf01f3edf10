"""What lives in a schema; needs ``pinky-provider[schema]``."""

from __future__ import annotations

try:
    from pinky_schema import SchemaProvider
except ImportError as error:
    raise ImportError("this needs the package pinky-schema: install pinky-provider[schema]") from error

__all__ = ["SchemaProvider"]
