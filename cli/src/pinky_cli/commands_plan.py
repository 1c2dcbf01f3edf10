"""``pinky validate``, ``plan`` and ``apply``."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.connect import CannotConnectError, opened
from pinky_cli.manifests import declared, declared_in_snowflake, lies_in_snowflake
from pinky_cli.options import CONNECTION, MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_cli.run import Run
    from pinky_core import Desired, Identifier, Plan, Provider, Report

CHANGES = 2  # the exit code of `plan --detailed-exitcode` where there is something to do

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")]
Brief = Annotated[bool, typer.Option("--brief", help="One line a change; many of a kind are counted.")]
Prune = Annotated[bool, typer.Option("--prune", help="Drop what is not declared (only with scope: schema).")]


@with_options(MANIFEST, OUTPUT)
def validate(settings: Settings, as_json: AsJson = False) -> int:
    """Check a manifest, without an account.

    Shows every mistake at once, each with its place.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        desired = declared(run)
    except run_errors() as error:
        return run.failed(error)
    if as_json:
        from pinky_cli.render_json import diagnostics_json, to_text

        run.terminal.write(to_text({**diagnostics_json(desired.warnings), "resources": len(desired.resources)}))
        return 0
    for warning in desired.warnings:
        _show_diagnostic(run, warning)
    from pinky_cli.render_human import counted

    resources = counted(len(desired.resources), "resource", "resources")
    run.terminal.show(f"Valid: {resources}, scope {desired.scope}.")
    return 0


@with_options(MANIFEST, CONNECTION, OUTPUT)
def plan(
    settings: Settings,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="Save the plan for `apply`.")] = None,
    as_json: AsJson = False,
    brief: Brief = False,
    prune: Prune = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 0: nothing to do, 2: changes, 1: error.")
    ] = False,
) -> int:
    """Show what would change.

    With the finished statements. Changes nothing.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        desired = None if lies_in_snowflake(settings) else declared(run, prune=prune)
        run.start_logging()
        with opened(settings, run.id) as connection:
            pinky = provider(run, connection)
            desired = desired or declared_in_snowflake(run, pinky, prune=prune)
            prepare_embedded(run, connection, desired.target)
            made = pinky.plan_desired(desired, prune=prune)
    except run_errors() as error:
        return run.failed(error)
    show_plan(run, made, brief=brief, desired=desired)
    if out is not None:
        from pinky_core import plan_to_json

        try:
            write_file(Path(out), plan_to_json(made))
        except OSError as error:
            run.terminal.say(f"error: cannot write {out}: {error.strerror}")
            return 1
        if not as_json:
            run.terminal.show(f"Saved. To apply exactly this: pinky apply {out}")
    if refused(made):
        return 1
    return CHANGES if detailed_exitcode and not made.empty else 0


@with_options(MANIFEST, CONNECTION, OUTPUT)
def apply(
    settings: Settings,
    saved: Annotated[str | None, typer.Argument(metavar="PLAN.json", help="A plan saved by `plan --out`.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="WHAT",
            help='destructive, destructive:KIND or "destructive:KIND NAME". Repeatable.',
        ),
    ] = None,
    as_json: AsJson = False,
    brief: Brief = False,
    prune: Prune = False,
) -> int:
    """Plan, ask, and change the account.

    Makes the account as the manifest says, or does exactly what a saved plan says.
    """
    from pinky_cli.run import Run

    allowed = [checked_allowance(word) for word in allow or ()]
    refuse_options_of_manifest(settings, saved, prune=prune)
    if as_json and not yes:
        raise typer.BadParameter("--json leaves no place for a question: give --yes")
    run = Run(settings, as_json=as_json)
    try:
        refuse_unknown_kinds(run, allowed)
        made = read_plan(saved) if saved is not None else None
        remote = lies_in_snowflake(settings)
        desired = declared(run, prune=prune) if made is None and not remote else None
        run.start_logging()
        with opened(settings, run.id) as connection:
            pinky = provider(run, connection)
            if made is None:
                desired = desired or declared_in_snowflake(run, pinky, prune=prune)
                prepare_embedded(run, connection, desired.target)
                made = pinky.plan_desired(desired, prune=prune)
            return _apply_plan(
                run, pinky, made, desired=desired, allowed=allowed, yes=yes, brief=brief, saved=saved, prune=prune
            )
    except run_errors() as error:
        return run.failed(error)


def _apply_plan(
    run: Run,
    pinky: Provider,
    made: Plan,
    *,
    desired: Desired | None,
    allowed: list[str],
    yes: bool,
    brief: bool,
    saved: str | None,
    prune: bool,
) -> int:
    if not run.as_json:
        show_plan(run, made, brief=brief, desired=desired)
    if refused(made):
        if run.as_json:
            show_plan(run, made, brief=brief)
        return 1
    if blocked := made.blocked(allowed):
        losses = [f"{each.address}: {each.reason}; loses {each.loses}" for each in blocked]
        details = [*losses, *ways_to_allow([str(each.address) for each in blocked])]
        run.refuse("blocked", "these destructive changes are not allowed; nothing was run", details)
        return 1
    if unset := unset_secrets(made):
        message = "secrets of this plan have no value here; nothing was run"
        run.refuse("secret", message, [f"the environment variable {name} is not set" for name in unset])
        return 1
    if made.empty:
        if run.as_json:
            from pinky_cli.render_json import report_json, to_text
            from pinky_core import Report

            run.terminal.write(to_text(report_json(Report(()), run.id)))
        return 0
    if not yes and not _agreed(run, made):
        return 1
    begin = time.monotonic()
    report = run_apply(run, pinky, made, allowed)
    _show_report(run, report, time.monotonic() - begin, continuing(run.settings, allowed, saved=saved, prune=prune))
    return exit_code_of(report)


def run_apply(run: Run, pinky: Provider, made: Plan, allowed: list[str]) -> Report:
    """Apply a plan, showing what happens; a signal lets running statements finish and guards close."""
    from pinky_cli.interrupts import in_background, stopping
    from pinky_cli.progress import watching

    with (
        watching(run.terminal, len(made.changes), silent=run.as_json) as on_event,
        stopping(run.terminal.say) as stop,
    ):
        return in_background(lambda: pinky.apply(made, allow=allowed, on_event=on_event, stop=stop))


def exit_code_of(report: Report) -> int:
    """0: all applied, 130: interrupted, 1: something failed."""
    from pinky_cli.interrupts import EXIT_CODE

    if report.ok:
        return 0
    return EXIT_CODE if report.interrupted else 1


def prepare_embedded(run: Run, connection: Any, target: tuple[Identifier, ...]) -> None:
    """An embedded account in memory starts empty: make the target that a manifest takes for granted, and say so."""
    from pinky_core import sql_path

    if run.settings.local_folder is not None or not run.settings.embedded or not target:
        return
    for depth, word in enumerate(("DATABASE", "SCHEMA")[: len(target)], 1):
        connection.cursor().execute(f"CREATE {word} IF NOT EXISTS {sql_path(target[:depth])}")
    run.terminal.say(f"The embedded account is empty: {sql_path(target)} was made as the target.")


def provider(run: Run, connection: Any) -> Provider:
    """The engine on a connection, with the installed plugins."""
    from pinky_core import Provider

    return Provider(connection, registry=run.registry, workers=run.settings.parallel)


def refused(made: Plan) -> bool:
    """Whether a plugin's check keeps a plan from being applied."""
    from pinky_core import Severity

    return any(each.severity is Severity.ERROR for each in made.diagnostics)


def show_plan(run: Run, made: Plan, *, brief: bool = False, desired: Desired | None = None) -> None:
    """A plan as people or programs read it; with what it was made from, the task graphs of sections are drawn."""
    from pinky_cli.render_graph import trees_by_guard
    from pinky_cli.render_human import render_plan
    from pinky_core import plan_to_json

    if run.as_json:
        run.terminal.write(plan_to_json(made))
    else:
        trees = trees_by_guard(desired.resources) if desired is not None and made.guards else {}
        run.terminal.show(render_plan(made, brief=brief, trees=trees))


def read_plan(path: str) -> Plan:
    """A saved plan. Raises `PinkyError` for what is none."""
    from pinky_core import PinkyError, plan_from_json

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PinkyError(f"cannot read the plan {path}: {reason}") from None
    return plan_from_json(text)


def write_file(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def checked_allowance(word: str) -> str:
    """A word of ``--allow``, or `typer.BadParameter`."""
    if word == "destructive" or (word.startswith("destructive:") and word.removeprefix("destructive:").strip()):
        return word
    raise typer.BadParameter(f'--allow {word!r}: expected destructive, destructive:KIND or "destructive:KIND NAME"')


def unset_secrets(made: Plan) -> list[str]:
    """The environment variables that secrets of a plan come from and that are not set, in the plan's order."""
    references: list[Any] = [part for each in made.statements() for part in each.parts if not isinstance(part, str)]
    names = [each.locator for each in references if each.scheme == "env" and each.locator not in os.environ]
    return list(dict.fromkeys(names))


def refuse_unknown_kinds(run: Run, allowed: list[str]) -> None:
    """`typer.BadParameter` for a permission that names a kind nobody knows: it would allow nothing, silently."""
    from pinky_core.diagnostics import nearest

    for word in allowed:
        kind = word.removeprefix("destructive:").split()[0]
        if word != "destructive" and kind not in run.registry.kinds:
            hint = nearest(kind, run.registry.kinds)
            raise typer.BadParameter(f"--allow {word!r}: the kind {kind!r} is not installed. {hint}".rstrip())


def ways_to_allow(addresses: list[str]) -> list[str]:
    """The options that allow destructive changes, as they are typed."""
    import shlex

    words = [f"destructive:{each}" for each in addresses]
    quoted = [shlex.quote(each) if set(each) & set('"$`\\!') else f'"{each}"' for each in words]
    one_by_one = [f"To allow one:   --allow {each}" for each in quoted[:1]] + [
        f"                --allow {each}" for each in quoted[1:]
    ]
    return [*one_by_one, *(["To allow all:   --allow destructive"] if quoted[1:] else [])]


def refuse_options_of_manifest(settings: Settings, saved: str | None, *, prune: bool) -> None:
    """A saved plan is finished: options that would make another one are refused rather than ignored."""
    given = {
        "--manifest": settings.manifest,
        "--env": settings.env,
        "--var": settings.variables,
        "--target": settings.target,
        "--prune": prune,
    }
    if saved is not None and (names := [name for name, value in given.items() if value]):
        raise typer.BadParameter(f"a saved plan is finished; it cannot be combined with {', '.join(names)}")


def continuing(settings: Settings, allowed: list[str], *, saved: str | None, prune: bool) -> str:
    """The command that goes on where an apply ended. A saved plan is stale by then, so it starts from the manifest."""
    import shlex

    words = [word for allowance in allowed for word in ("--allow", allowance)]
    if settings.embedded and settings.local_folder is None:
        return "with --local=FOLDER, which keeps the account; this one was in memory and is gone"
    command = " ".join(
        part for part in ("pinky apply", settings.as_arguments(), "--prune" if prune else "", shlex.join(words)) if part
    )
    return command if saved is None else f"{command}  (with the options the saved plan was made with)"


def run_errors() -> tuple[type[Exception], ...]:
    """What ends a command with a message instead of a traceback."""
    from pinky_core import PinkyError

    return (PinkyError, CannotConnectError)


def _agreed(run: Run, made: Plan) -> bool:
    import sys

    if not sys.stdin.isatty():
        run.refuse("not-confirmed", "nobody can be asked here; to apply without a question give --yes")
        return False
    where = f"account {made.account} as {made.role}"
    what = "this change" if len(made.changes) == 1 else f"these {len(made.changes)} changes"
    try:
        answer = input(f"\nApply {what} to {where}? Only 'yes' is accepted: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() == "yes":
        return True
    run.terminal.say("Nothing was changed.")
    return False


def _show_report(run: Run, report: Report, seconds: float, continue_with: str) -> None:
    from pinky_cli.render_human import render_report
    from pinky_cli.render_json import report_json, to_text

    if run.as_json:
        run.terminal.write(to_text(report_json(report, run.id)))
    else:
        run.terminal.show("")
        run.terminal.show(render_report(report, seconds, continue_with))


def _show_diagnostic(run: Run, diagnostic: Any) -> None:
    from pinky_cli.excerpt import Excerpts, write_only_fields
    from pinky_cli.render_human import render_diagnostic

    excerpts = Excerpts(run.settings.source, write_only_fields(run.registry))
    run.terminal.say(render_diagnostic(diagnostic, excerpts))
