"""``pinky local serve`` and ``advance``, ``pinky demo``: the embedded account as a server, and as a first look."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.options import CONNECTION, MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_cli.run import Run
    from pinky_core import Plan

local = typer.Typer(help="The embedded account.", rich_markup_mode=None, no_args_is_help=True)


@local.callback()
def _local() -> None:
    """The embedded account."""


@local.command("serve")
@with_options(OUTPUT)
def serve(
    settings: Settings,
    folder: Annotated[
        str | None, typer.Option("--folder", metavar="FOLDER", help="Keep the account here. Default: in memory.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="0: any free port.")] = 0,
    bucket: Annotated[
        list[str] | None,
        typer.Option(
            "--bucket",
            metavar="URL=FOLDER",
            help="A folder for a bucket, s3://acme-dev=/data/acme. Repeatable.",
        ),
    ] = None,
    no_data: Annotated[bool, typer.Option("--no-data", help="Catalog only, no rows.")] = False,
) -> int:
    """Serve the embedded account on loopback.

    Until it is interrupted. Clients connect with account pinky_local, this host and port, protocol http, user PINKY and
    any password: in connections.toml for `pinky -c`, or as arguments of the connector.
    """
    from pinky_cli.connect import CannotConnectError
    from pinky_cli.run import Run

    run = Run(settings)
    try:
        from pinky_local.__main__ import main as serve_account
    except ImportError:
        return run.failed(CannotConnectError("this needs the package pinky-local, from the same place as pinky-cli"))
    arguments = ["serve", "--port", str(port), *(["--folder", folder] if folder else [])]
    for text in bucket or []:
        arguments += ["--bucket", text]
    return serve_account([*arguments, *(["--no-data"] if no_data else [])])


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@local.command("advance")
@with_options(OUTPUT)
def advance(
    settings: Settings,
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="A number with s, m, h or d: 90s, 5m, 2h, 1d.")],
    port: Annotated[int, typer.Option("--port", min=1, max=65535, metavar="PORT", help="Where it listens.")],
) -> int:
    """Move the clock of a served account.

    Scheduled and triggered tasks that fall due until then run, each graph to its end, before this returns.
    """
    from pinky_cli.connect import CannotConnectError
    from pinky_cli.run import Run

    run = Run(settings)
    number, unit = duration[:-1], duration[-1:].lower()
    if not number.isdecimal() or unit not in _UNITS:
        raise typer.BadParameter(f"{duration} is not a number with s, m, h or d")
    try:
        clock = _moved_clock(port, int(number) * _UNITS[unit])
    except OSError as error:
        return run.failed(CannotConnectError(f"no embedded account answers on port {port}: {error}"))
    run.terminal.show(f"it is {clock['now']} there, {clock['offset']:.0f} seconds ahead")
    return 0


def _moved_clock(port: int, seconds: int) -> dict[str, Any]:
    """The answer of the control API; `OSError` where nothing answers. A proxy never stands before loopback."""
    import json
    import urllib.request

    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/pinky-local/clock",
        json.dumps({"advance": seconds}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@with_options(MANIFEST, CONNECTION, OUTPUT)
def demo(
    settings: Settings,
    folder: Annotated[str | None, typer.Argument(metavar="EXAMPLES", help="A manifest, or a folder of them.")] = None,
    examples: Annotated[str | None, typer.Option("--examples", metavar="FOLDER", help="The same.")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="One line a change; many of a kind are counted.")] = False,
) -> int:
    """Plan, apply and plan the examples.

    On an embedded account; the second plan says: No changes.
    """
    from pinky_cli.commands_plan import run_errors
    from pinky_cli.run import Run

    if settings.connection:
        raise typer.BadParameter("the demo runs on an embedded account; leave --connection out")
    manifests = examples_in(folder or examples or settings.manifest)
    if not manifests:
        raise typer.BadParameter("no example found: give the folder of one, with a manifest.yml")
    run = Run(settings)
    run.start_logging()
    try:
        return max(_demonstrate(run, manifest, brief=brief) for manifest in manifests)
    except run_errors() as error:
        return run.failed(error)


def examples_in(given: str | None) -> list[Path]:
    """Manifest folders: that one, those directly in it, or those of ``examples/`` beside the package or here."""
    places = [Path(given)] if given else [Path(__file__).resolve().parents[3] / "examples", Path("examples")]
    for place in places:
        if (place / "manifest.yml").is_file():
            return [place]
        found = sorted(each.parent for each in place.glob("*/manifest.yml"))
        if found:
            return found
    return []


def _demonstrate(run: Run, manifest: Path, *, brief: bool) -> int:
    import dataclasses

    from pinky_cli.commands_plan import exit_code_of, prepare_embedded, provider, run_apply, show_plan
    from pinky_cli.connect import connected_to, embedded_account
    from pinky_cli.manifests import declared
    from pinky_cli.render_human import render_report, summary_of

    env = run.settings.env or first_environment(manifest)
    run.settings = dataclasses.replace(run.settings, manifest=str(manifest), env=env, local=True)
    desired = declared(run)
    with (
        embedded_account(run.settings.local_folder, run.settings.local_buckets) as account,
        connected_to(account, run.id) as connection,
    ):
        pinky = provider(run, connection)
        prepare_embedded(run, connection, desired.target)
        command = f"pinky --local plan -m {manifest}" + (f" --env {env}" if env else "")
        run.terminal.show(f"$ {command}\n")
        made = pinky.plan_desired(desired)
        show_plan(run, made, brief=brief)
        invented = invent_secrets(made)
        if invented:
            run.terminal.show(f"\n(secrets invented for the demo: {', '.join(invented)})")
        run.terminal.show(f"\n$ {command.replace(' plan ', ' apply ')}\n")
        begin = time.monotonic()
        report = run_apply(run, pinky, made, [])
        run.terminal.show("")
        run.terminal.show(render_report(report, time.monotonic() - begin, command))
        if not report.ok:
            return exit_code_of(report)
        run.terminal.show(f"\n$ {command}\n")
        second = pinky.plan_desired(desired)
        show_plan(run, second, brief=brief)
        run.terminal.show("")
        if not second.empty:
            run.terminal.say(f"error: the second plan is not empty: {summary_of(second)}")
            return 1
        return 0


def first_environment(manifest: Path) -> str | None:
    """The environment to show: the first by name, or None where the manifest has none."""
    names = sorted(path.stem for path in manifest.glob("vars/*.yml"))
    return names[0] if names else None


def invent_secrets(made: Plan) -> list[str]:
    """Give a value to each environment variable a secret comes from and that is not set; the names."""
    from pinky_cli.commands_plan import unset_secrets

    names = unset_secrets(made)
    os.environ.update(dict.fromkeys(names, "demo"))
    return names
