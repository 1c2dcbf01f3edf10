"""What integrations have in common: how DESCRIBE tells them, and that they cannot be renamed.

https://docs.snowflake.com/en/sql-reference/sql/desc-integration
"""

from __future__ import annotations

from typing import Any

from pinky_core import Address, Rows, Source, Spec

__all__ = ["described", "no_rename", "split_list"]


def described(spec: Spec, rows: Rows) -> dict[str, Any]:
    """Raw values by field from the rows of DESCRIBE INTEGRATION; an empty text is none."""
    told = {str(name).lower(): value for name, value in rows.pick("property", "property_value")}
    return {
        f.name: (told[f.name] if told[f.name] != "" else None)
        for f in spec.fields
        if f.source is Source.DESCRIBE and f.name in told
    }


def split_list(text: Any) -> tuple[str, ...]:
    """``a,b`` or ``[a,b]`` as its parts."""
    inner = str(text or "").strip().removeprefix("[").removesuffix("]")
    return tuple(each.strip() for each in inner.split(",") if each.strip())


def no_rename(cls: Any, text: str, address: Address) -> Address:
    """Refused: Snowflake cannot rename an integration."""
    raise ValueError("Snowflake cannot rename an integration: declare the new one, and drop the old one later")
