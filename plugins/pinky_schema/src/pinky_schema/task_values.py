"""Values that only tasks have: their configuration, their sizes, and how far runs may overlap.

https://docs.snowflake.com/en/sql-reference/sql/create-task
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from pinky_core import Keyword, QuotedKeyword, string_literal

__all__ = ["Config", "OverlapPolicy", "ServerlessSize"]


class ServerlessSize(QuotedKeyword):
    """A size of serverless compute, as warehouses have them."""

    XSMALL = "XSMALL", "X-SMALL"
    SMALL = ("SMALL",)
    MEDIUM = ("MEDIUM",)
    LARGE = ("LARGE",)
    XLARGE = "XLARGE", "X-LARGE"
    XXLARGE = "XXLARGE", "X2LARGE", "2X-LARGE"


class OverlapPolicy(Keyword):
    """How far runs of one task graph may overlap."""

    NO_OVERLAP = ("NO_OVERLAP",)
    ALLOW_CHILD_OVERLAP = ("ALLOW_CHILD_OVERLAP",)
    ALLOW_ALL_OVERLAP = ("ALLOW_ALL_OVERLAP",)


@attrs.frozen
class Config:
    """The configuration of a task graph: a JSON object, compared by what it holds and not by how it is written."""

    text: str

    @classmethod
    def parse(cls, value: str | Mapping[str, Any]) -> Config:
        """Read a mapping, or a JSON object as text; raises ValueError."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise ValueError(f"the configuration is not JSON: {error}") from None
        if not isinstance(value, Mapping):
            raise ValueError(f"the configuration is a mapping, or a JSON object as text, not {value!r}")
        return cls(json.dumps(value, sort_keys=True, ensure_ascii=False))

    @classmethod
    def read(cls, text: str) -> Config:
        """What a server printed, JSON or not."""
        try:
            return cls.parse(text)
        except ValueError:
            return cls(text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema fragment."""
        return {"type": ["object", "string"], "description": "A mapping, or a JSON object as text."}

    @property
    def sql(self) -> str:
        """The JSON as a literal."""
        return string_literal(self.text)

    def __str__(self) -> str:
        return self.text
