"""Names of classification profiles as a schema refers to them."""

from __future__ import annotations

from pinky_core import QualifiedName, string_literal

__all__ = ["ProfileName"]


class ProfileName(QualifiedName):
    """A name of three parts in canonical spelling; statements take it as a string."""

    __slots__ = ()

    @property
    def sql(self) -> str:
        """The spelling for a statement."""
        return string_literal(str(self))
