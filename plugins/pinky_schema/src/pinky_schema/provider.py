"""The provider for one schema: what a procedure such as PROVISION_CLIENT() uses, and all that it can use."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from pinky_core import Provider, RetryPolicy, make_registry

__all__ = ["SchemaProvider"]


class SchemaProvider(Provider):
    """Plans and applies manifests whose target is one schema, with the kinds of this package and those passed in.

    Entry points are never looked at: whatever else is installed, a warehouse stays an unknown word here. A statement
    outside the target schema is refused before anything runs, whichever plugin wrote it.

    ``session`` is the Snowpark session a procedure is given, a connection, or any `pinky_core.Session`; ``plugins``
    are further plugins by name.
    """

    scopes: ClassVar[tuple[str, ...]] = ("schema",)

    def __init__(
        self,
        session: Any,
        plugins: Mapping[str, Any] | None = None,
        *,
        workers: int = 8,
        retry: RetryPolicy | None = None,
    ) -> None:
        registry = make_registry({"pinky_schema": sys.modules["pinky_schema"], **(plugins or {})})
        super().__init__(session, registry=registry, workers=workers, retry=retry)
