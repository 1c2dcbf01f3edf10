"""What the manifest of a command declares: from a folder of this machine, or from a stage or Git repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_cli.run import Run
    from pinky_core import Desired, ManifestSource, Provider


def lies_in_snowflake(settings: Settings) -> bool:
    """Whether -m names a stage or a Git repository: ``@DB.SCHEMA.STAGE/…`` or ``DB.SCHEMA.REPO:/…``."""
    from pinky_core import sources

    return sources.lies_in_snowflake(settings.source)


def declared(run: Run, *, prune: bool = False) -> Desired:
    """What a manifest of this machine declares. Raises `DiagnosticsError` with all mistakes."""
    from pinky_core import PinkyError, validate_manifest

    settings = run.settings
    if lies_in_snowflake(settings):
        raise PinkyError(f"{settings.source} lies in Snowflake; plan, apply and fleet read from there, this does not")
    check_manifest_is_there(settings)
    desired = validate_manifest(
        settings.source, run.registry, target=settings.target, env=settings.env, variables=settings.given_variables()
    )
    return _prunable(desired) if prune else desired


def declared_in_snowflake(run: Run, pinky: Provider, *, prune: bool = False) -> Desired:
    """What a manifest on a stage or in a Git repository declares."""
    settings = run.settings
    source = opened_source(run, pinky)
    desired = pinky.validate(source, settings.target, settings.given_variables(), env=settings.env)
    return _prunable(desired) if prune else desired


def opened_source(run: Run, pinky: Provider) -> ManifestSource:
    """Where the manifest lies; tells which commit of a Git repository is read. `PinkyError` where there is none."""
    settings = run.settings
    if not lies_in_snowflake(settings):
        check_manifest_is_there(settings)
    source = pinky.open(settings.source)
    reference, commit = getattr(source, "reference", ""), getattr(source, "commit", None)
    if commit is not None:
        where = "" if reference == "commit" else f" ({reference})"
        run.terminal.say(f"Read at commit {commit}{where}.")
    return source


def check_manifest_is_there(settings: Settings) -> None:
    """`PinkyError` that says where a manifest was looked for, which the core does not tell of a machine's folders."""
    from pinky_core import PinkyError

    path = Path(settings.source)
    if path.is_file() or any((path / name).exists() for name in ("manifest.yml", "manifest.yaml")):
        return
    if not path.is_dir():
        raise PinkyError(f"there is no folder or file {settings.source!r}; -m names the folder of a manifest")
    where = "here" if settings.manifest is None else f"in {settings.source!r}"
    raise PinkyError(f"there is no manifest.yml {where}; -m names the folder of one, `pinky init` writes a first one")


def _prunable(desired: Desired) -> Desired:
    if desired.scope != "schema":
        raise typer.BadParameter(f"--prune drops only inside one schema; this manifest has scope {desired.scope}")
    return desired
