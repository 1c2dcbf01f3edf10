"""An embedded Snowflake account on loopback, spoken to by the real connector."""

from __future__ import annotations

from pinky_local.account import LocalAccount

__all__ = ["LocalAccount"]
