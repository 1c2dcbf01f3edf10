"""Write-only values: what a manifest holds is a reference; the value exists only while its statement is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from pinky_core.errors import SecretError

__all__ = ["BUILT_IN_RESOLVERS", "SecretReference", "SecretResolver", "resolve_secret"]

SecretResolver = Callable[[str], str]


@attrs.frozen(order=True)
class SecretReference:
    """Where a secret is found: ``env:API_KEY``, ``file:/run/secrets/key``, or a scheme a plugin resolves."""

    scheme: str
    locator: str

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Read ``scheme:locator``; raises ValueError without repeating the text, which may be a secret itself."""
        scheme, colon, locator = text.partition(":")
        if not colon or not locator or not scheme.isidentifier() or not scheme.islower():
            raise ValueError("a secret is never written in a manifest: give a reference such as env:NAME or file:path")
        return cls(scheme, locator)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of a reference."""
        return {
            "type": "string",
            "pattern": "^[a-z_][a-z0-9_]*:.+",
            "description": "Reference to a secret, never the secret: env:NAME, file:path, or a plugin's scheme.",
            "examples": ["env:API_KEY"],
            "writeOnly": True,  # says to the validator: never repeat what stands here
        }

    def __str__(self) -> str:
        return f"{self.scheme}:{self.locator}"


def _from_environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise SecretError(f"the environment variable {name} is not set") from None


def _from_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretError(f"the secret file {path} cannot be read: {reason}") from None


BUILT_IN_RESOLVERS: Mapping[str, SecretResolver] = {"env": _from_environment, "file": _from_file}


def resolve_secret(reference: SecretReference, resolvers: Mapping[str, SecretResolver]) -> str:
    """The value behind a reference; raises `SecretError`, whose text never holds a value."""
    resolver = resolvers.get(reference.scheme)
    if resolver is None:
        known = ", ".join(sorted(resolvers))
        raise SecretError(f"nothing resolves the scheme {reference.scheme!r} of a secret; known schemes: {known}")
    return resolver(reference.locator)
