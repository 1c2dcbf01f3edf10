"""What the shared options say, whether they stand before the command or after it."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Any

import typer


@dataclasses.dataclass(frozen=True)
class Settings:
    """The shared options. None or empty means: not given. ``variables`` are as written, ``key=text`` or ``key:=json``.

    ``local`` asks for an embedded account, kept in ``local_folder`` or, without one, in memory. ``local_buckets`` are
    as written, ``URL=FOLDER``.
    """

    manifest: str | None = None
    env: str | None = None
    variables: tuple[str, ...] = ()
    target: str | None = None
    connection: str | None = None
    local: bool = False
    local_folder: str | None = None
    local_buckets: tuple[str, ...] = ()
    workers: int | None = None
    log_format: str | None = None
    log_level: str | None = None
    no_color: bool = False

    def over(self, below: Settings) -> Settings:
        """These settings where they are given, else those of ``below``; variables and buckets are added."""
        several = ("variables", "local_buckets")
        names = [field.name for field in dataclasses.fields(self) if field.name not in several]
        merged: dict[str, Any] = {name: getattr(self, name) or getattr(below, name) for name in names}
        added: dict[str, Any] = {name: (*getattr(below, name), *getattr(self, name)) for name in several}
        return Settings(**added, **merged)

    @property
    def source(self) -> str:
        """The folder or file of the manifest."""
        return self.manifest or "."

    @property
    def parallel(self) -> int:
        """How many statements may run at once."""
        return self.workers or 8

    @property
    def embedded(self) -> bool:
        """Whether an embedded account was asked for."""
        return self.local or self.local_folder is not None

    def given_variables(self) -> dict[str, Any]:
        """Variables by name; a later one replaces an earlier one. Raises `typer.BadParameter` for what is not one."""
        return dict(parse_variable(text) for text in self.variables)

    def as_arguments(self) -> str:
        """These options as they would be typed, for a command that continues."""
        words: list[str] = []
        pairs: Mapping[str, str | None] = {"-m": self.manifest, "--env": self.env, "--target": self.target}
        for option, value in {**pairs, "-c": self.connection}.items():
            words += [option, value] if value is not None else []
        for text in self.variables:
            words += ["--var", text]
        if self.local_folder is not None:
            words.append(f"--local={self.local_folder}")
        elif self.local:
            words.append("--local")
        for text in self.local_buckets:
            words += ["--local-bucket", text]
        return shlex.join(words)


def parse_variable(text: str) -> tuple[str, Any]:
    """``key=value`` → text, ``key:=json`` → the value that the JSON says; raises `typer.BadParameter` otherwise."""
    name, equals, value = text.partition("=")
    is_json = name.endswith(":")
    name = name.removesuffix(":").strip()
    if not equals or not name.isidentifier():
        raise typer.BadParameter(f"--var {name or text!r}: expected key=value, or key:=json for what is not text")
    if not is_json:
        return name, value
    try:
        return name, json.loads(value)
    except ValueError as error:
        raise typer.BadParameter(f"--var {name}:= is not JSON: {error}; for text write {name}=…") from None
