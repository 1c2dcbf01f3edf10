"""The options that several commands share, declared once and accepted before the command or after it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from pinky_cli.interrupts import interrupted
from pinky_cli.settings import Settings

LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")


def _one_of(words: tuple[str, ...]) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        if value is not None and value not in words:
            raise typer.BadParameter(f"{value!r} is not one of: {', '.join(words)}")
        return value

    return check


def _given(value: str | None) -> str | None:
    """An empty value is an unset variable of a script, and never means the default: that may be another account."""
    if value is not None and not value.strip():
        raise typer.BadParameter("the value is empty; leave the option out for its default")
    return value


# name → (annotation, default); the names are the fields of `Settings`
MANIFEST: dict[str, tuple[Any, Any]] = {
    "manifest": (
        Annotated[
            str | None,
            typer.Option(
                "--manifest",
                "-m",
                callback=_given,
                metavar="PATH",
                help="Folder of the manifest, or its file. plan, apply, fleet: also @DB.SCHEMA.STAGE/path/. Default: .",
            ),
        ],
        None,
    ),
    "env": (
        Annotated[
            str | None,
            typer.Option("--env", callback=_given, metavar="NAME", help="Environment; adds vars/<NAME>.yml."),
        ],
        None,
    ),
    "variables": (
        Annotated[
            list[str] | None,
            typer.Option("--var", metavar="KEY=VALUE", help="A variable (text); KEY:=JSON for others. Repeatable."),
        ],
        None,
    ),
    "target": (
        Annotated[
            str | None,
            typer.Option(
                "--target", callback=_given, metavar="NAME", help="DB or DB.SCHEMA, instead of the manifest's target."
            ),
        ],
        None,
    ),
}
CONNECTION: dict[str, tuple[Any, Any]] = {
    "connection": (
        Annotated[
            str | None,
            typer.Option(
                "--connection",
                "-c",
                callback=_given,
                metavar="NAME",
                help="Connection of connections.toml or config.toml.",
            ),
        ],
        None,
    ),
    "local": (
        Annotated[
            bool, typer.Option("--local", help="Use an embedded account in memory; --local=FOLDER keeps it there.")
        ],
        False,
    ),
    "local_folder": (
        Annotated[
            str | None,
            typer.Option("--local-folder", callback=_given, metavar="FOLDER", help="As --local=FOLDER.", hidden=True),
        ],
        None,
    ),
    "local_buckets": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--local-bucket",
                metavar="URL=FOLDER",
                help="With --local: let a folder stand for a bucket, s3://acme-dev=/data/acme. Repeatable.",
            ),
        ],
        None,
    ),
    "workers": (
        Annotated[
            int | None,
            typer.Option("--workers", min=1, max=64, metavar="N", help="Statements at once. Default: 8."),
        ],
        None,
    ),
}
OUTPUT: dict[str, tuple[Any, Any]] = {
    "log_format": (
        Annotated[
            str | None,
            typer.Option("--log-format", callback=_one_of(LOG_FORMATS), metavar="FORMAT", help="text or json."),
        ],
        None,
    ),
    "log_level": (
        Annotated[
            str | None,
            typer.Option(
                "--log-level",
                callback=_one_of(LOG_LEVELS),
                metavar="LEVEL",
                help="debug, info, warning or error. Default: warning.",
            ),
        ],
        None,
    ),
    "no_color": (Annotated[bool, typer.Option("--no-color", help="No colours; so does NO_COLOR.")], False),
}
ALL = {**MANIFEST, **CONNECTION, **OUTPUT}


def with_options(*groups: dict[str, tuple[Any, Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of these groups; its parameter ``settings`` receives them merged into one object."""
    shared = {name: option for group in groups for name, option in group.items()}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(function, eval_str=True)
        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.parameters.values()),
            *(
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
                for name, (annotation, default) in shared.items()
            ),
        ]
        parameters = [each for each in parameters if each.name != "settings"]

        @functools.wraps(function)
        def command(**given: Any) -> Any:
            context: typer.Context = given.pop("ctx")
            settings = settings_of({name: given.pop(name) for name in shared})
            below = context.find_root().obj
            settings = settings.over(below if isinstance(below, Settings) else Settings())
            try:
                return function(settings=settings, **given)
            except KeyboardInterrupt:  # typer would make a silent exit of it
                return interrupted()

        command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


def settings_of(given: dict[str, Any]) -> Settings:
    """Settings from the values of options."""
    several = {name: tuple(given.get(name) or ()) for name in ("variables", "local_buckets")}
    return Settings(**{**given, **several})


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """``--local=FOLDER`` as the option that takes a folder; everything after ``--`` stays."""
    spelled: list[str] = []
    for position, word in enumerate(arguments):
        if word == "--":
            return spelled + list(arguments[position:])
        if word.startswith("--local="):
            spelled += ["--local-folder", word.removeprefix("--local=")]
        else:
            spelled.append(word)
    return spelled
