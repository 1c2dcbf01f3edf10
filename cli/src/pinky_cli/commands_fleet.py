"""``pinky fleet``: one manifest for all client schemas of a database: plan, apply, status."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.commands_plan import (
    CHANGES,
    AsJson,
    checked_allowance,
    refuse_unknown_kinds,
    run_errors,
)
from pinky_cli.connect import opened
from pinky_cli.manifests import opened_source
from pinky_cli.options import CONNECTION, MANIFEST, OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_cli.run import Run
    from pinky_core import Identifier
    from pinky_core.fleet import ClientPlan, ClientResult, Fleet, FleetReport

fleet = typer.Typer(
    help="One manifest for all client schemas: plan, apply, status.", rich_markup_mode=None, no_args_is_help=True
)
_SHOWN = 5  # names of clients in a line
_STYLES = {"current": "green", "behind": "yellow", "broken": "red", "ok": "green", "failed": "red", "refused": "red"}
_FLEET_MANIFEST = {name: option for name, option in MANIFEST.items() if name != "target"}

Database = Annotated[
    str, typer.Option("--database", metavar="DB", help="The database whose client schemas are brought up to date.")
]
Clients = Annotated[
    list[str] | None,
    typer.Option("--client", metavar="NAME", help="Only this client's schema. Repeatable. Default: every marked one."),
]
VarsFile = Annotated[
    str | None,
    typer.Option("--vars-file", metavar="FILE", help="YAML or JSON: client -> variables of that client alone."),
]


@fleet.callback()
def _fleet() -> None:
    """One manifest for all client schemas."""


@fleet.command("plan")
@with_options(_FLEET_MANIFEST, CONNECTION, OUTPUT)
def plan(
    settings: Settings,
    database: Database,
    client: Clients = None,
    vars_file: VarsFile = None,
    as_json: AsJson = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 0: nothing to do, 2: changes, 1: error.")
    ] = False,
) -> int:
    """Show what would change for which clients.

    Clients with the same changes are shown together. Changes nothing.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        with _ready(run, database, client, vars_file) as made:
            plans = made.plan()
    except run_errors() as error:
        return run.failed(error)
    if as_json:
        _write_json(run, {"clients": [_plan_json(each) for each in plans], "statements": made.statements})
    else:
        _show_groups(run, plans)
        _show_summary(run, plans, made.statements)
    if any(each.state == "broken" for each in plans):
        return 1
    return CHANGES if detailed_exitcode and any(each.state == "behind" for each in plans) else 0


@fleet.command("status")
@with_options(_FLEET_MANIFEST, CONNECTION, OUTPUT)
def status(
    settings: Settings, database: Database, client: Clients = None, vars_file: VarsFile = None, as_json: AsJson = False
) -> int:
    """Tell of each client whether it is at the manifest.

    current: as declared; behind: with how many changes; broken: why it cannot be planned.
    """
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        with _ready(run, database, client, vars_file) as made:
            plans = made.plan()
    except run_errors() as error:
        return run.failed(error)
    if as_json:
        _write_json(run, {"clients": [_plan_json(each, brief=True) for each in plans], "statements": made.statements})
    else:
        from rich.text import Text

        from pinky_cli.render_tables import show_table

        rows: list[list[str | Text]] = [
            [str(each.client), Text(each.state, _STYLES.get(each.state, "")), _changes(each), _why(each)]
            for each in plans
        ]
        show_table(run.terminal, [("CLIENT", "left"), ("STATE", "left"), ("CHANGES", "right"), ("WHY", "left")], rows)
        _show_summary(run, plans, made.statements)
    return 1 if any(each.state == "broken" for each in plans) else 0


@fleet.command("apply")
@with_options(_FLEET_MANIFEST, CONNECTION, OUTPUT)
def apply(
    settings: Settings,
    database: Database,
    client: Clients = None,
    vars_file: VarsFile = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    canary: Annotated[
        int, typer.Option("--canary", min=0, metavar="N", help="So many clients first, one by one; all must succeed.")
    ] = 1,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=64, metavar="N", help="Clients at once.")] = 4,
    max_failures: Annotated[
        str, typer.Option("--max-failures", metavar="N|N%", help="Start nothing new once more clients failed.")
    ] = "5%",
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="WHAT", help='destructive, destructive:KIND or "destructive:KIND NAME".'),
    ] = None,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="Write a line of JSON for each client as it ends.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Bring every client to the manifest: canary first, then side by side.

    Run it again to go on where it ended: clients that are at the manifest cost nothing but reading.
    """
    from pinky_cli.run import Run

    allowed = [checked_allowance(word) for word in allow or ()]
    limit = _limit(max_failures)
    if as_json and not yes:
        raise typer.BadParameter("--json leaves no place for a question: give --yes")
    run = Run(settings, as_json=as_json)
    try:
        refuse_unknown_kinds(run, allowed)
        with _ready(run, database, client, vars_file) as made:
            plans = made.plan()
            behind = sum(each.state == "behind" for each in plans)
            if not as_json:
                _show_groups(run, plans)
                _show_summary(run, plans, made.statements)
            if behind and not yes and not _agreed(run, behind, database):
                return 1
            with _lines(report) as write:
                ended = _apply(run, made, plans, write, canary=canary, parallel=parallel, limit=limit, allowed=allowed)
    except run_errors() as error:
        return run.failed(error)
    _show_report(run, ended, report)
    if ended.ok:
        return 0
    from pinky_cli.interrupts import EXIT_CODE
    from pinky_cli.render_human import INTERRUPTED

    return EXIT_CODE if ended.stopped == INTERRUPTED else 1


def _apply(
    run: Run,
    made: Fleet,
    plans: Sequence[ClientPlan],
    write: Any,
    *,
    canary: int,
    parallel: int,
    limit: float,
    allowed: list[str],
) -> FleetReport:
    """Apply, telling of each client as it ends; a signal lets running clients finish."""
    from pinky_cli.interrupts import in_background, stopping

    def told(result: ClientResult) -> None:
        write(result)
        if result.status not in ("unchanged", "skipped") and not run.as_json:
            failures = "".join(f"\n  {each}" for each in result.failures)
            run.terminal.say(f"{result.client}: {result.status}, {len(result.changes)} changes{failures}")

    with stopping(run.terminal.say) as stop:
        return in_background(
            lambda: made.apply(
                plans,
                canary=canary,
                parallel=parallel,
                max_failures=limit,
                allow=allowed,
                on_result=told,
                stop=stop,
            )
        )


# -- pieces --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _ready(run: Run, database: str, names: list[str] | None, vars_file: str | None) -> Iterator[Fleet]:
    """The fleet on an open connection: every marked schema, or those that were named."""
    from pinky_core import Identifier, PinkyError, Provider
    from pinky_core.fleet import Fleet, client_schemas

    class SchemaOnly(Provider):
        """A client's manifest is one of scope schema, whatever is installed."""

        scopes = ("schema",)

    try:
        where = Identifier.parse(database)
        wanted = [Identifier.parse(name) for name in names or ()]
    except ValueError as error:
        raise PinkyError(str(error)) from None
    by_client = _read_vars(vars_file)
    run.start_logging()
    with opened(run.settings, run.id) as connection:
        provider = SchemaOnly(connection, registry=run.registry, workers=run.settings.parallel)
        source = opened_source(run, provider)
        clients: list[Identifier] = wanted or client_schemas(provider.session, where)
        unknown = sorted(set(by_client) - {str(each) for each in clients})
        if not clients:
            raise PinkyError(f"no schema of {where.sql} is marked as a client's; name them with --client")
        if unknown and not wanted:
            raise PinkyError(f"{vars_file} has variables for clients that are not there: {', '.join(unknown[:10])}")
        yield Fleet(
            provider,
            source,
            where,
            clients,
            variables=run.settings.given_variables(),
            by_client=by_client,
            env=run.settings.env,
            workers=run.settings.parallel,
        )


def _read_vars(path: str | None) -> Mapping[str, Mapping[str, Any]]:
    """Client -> variables of a file. Raises `PinkyError` for what is not that."""
    from pinky_core import DiagnosticsError, PinkyError
    from pinky_core.nodes import parse_yaml, to_plain

    if path is None:
        return {}
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PinkyError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    parsed = parse_yaml(text, path)
    if parsed.diagnostics or parsed.root is None:
        raise DiagnosticsError(parsed.diagnostics) if parsed.diagnostics else PinkyError(f"{path} is empty")
    found: Any = to_plain(parsed.root)
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise PinkyError(f"{path}: expected a mapping of clients, each with a mapping of variables")
    return {str(name).upper(): value for name, value in found.items()}


def _limit(text: str) -> float:
    """``5%`` as a share of one, ``3`` as a number of clients that is above one (so ``1`` is a little more than one)."""
    number = text.strip().removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        raise typer.BadParameter(f"--max-failures {text!r}: expected a number, or a share such as 5%") from None
    if value < 0 or (text.strip().endswith("%") and value > 100):
        raise typer.BadParameter(f"--max-failures {text!r}: expected 0 to 100%, or a number of clients")
    if text.strip().endswith("%"):
        return value / 100
    return 0.0 if value == 0 else max(value, 1.000001)


@contextlib.contextmanager
def _lines(path: str | None) -> Iterator[Any]:
    """Writes one line of JSON for a result; a file that cannot be opened is an error before anything runs."""
    from pinky_core import PinkyError

    if path is None:
        yield lambda result: None
        return
    try:
        file = Path(path).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115  (closed below)
    except OSError as error:
        raise PinkyError(f"cannot write {path}: {error.strerror}") from None
    with file:

        def write(result: ClientResult) -> None:
            file.write(json.dumps(result.as_json(), ensure_ascii=False) + "\n")
            file.flush()

        yield write


def _agreed(run: Run, behind: int, database: str) -> bool:
    import sys

    if not sys.stdin.isatty():
        run.refuse("not-confirmed", "nobody can be asked here; to apply without a question give --yes")
        return False
    return typer.confirm(f"Apply to {behind} clients of {database}?", err=True)


def _plan_json(each: ClientPlan, *, brief: bool = False) -> dict[str, Any]:
    from pinky_core import plan_to_json, sql_path

    found: dict[str, Any] = {"client": str(each.client), "target": sql_path(each.target), "state": each.state}
    found["changes"] = 0 if each.plan is None else len(each.plan.changes)
    found["problems"] = [str(problem) for problem in each.problems]
    if each.plan is not None and not brief:
        found["plan"] = json.loads(plan_to_json(each.plan))
    return found


def _changes(each: ClientPlan) -> str:
    return "" if each.plan is None else str(len(each.plan.changes))


def _why(each: ClientPlan) -> str:
    problems = _problems(each)
    return problems[0].partition("\n")[0] if each.state == "broken" and problems else ""


def _show_groups(run: Run, plans: Sequence[ClientPlan]) -> None:
    """Clients with the same changes together, the largest group first; broken ones with their reasons."""
    from pinky_cli.render_human import clean, counted

    groups: dict[tuple[str, ...], list[ClientPlan]] = {}
    broken: dict[tuple[str, ...], list[ClientPlan]] = {}
    for each in plans:
        if each.state == "behind":
            groups.setdefault(_signature(each), []).append(each)
        elif each.state == "broken":
            broken.setdefault(_reasons(each), []).append(each)
    for lines, members in sorted(groups.items(), key=lambda group: -len(group[1])):
        run.terminal.show(f"{counted(len(members), 'client', 'clients')}: {_names(members)}")
        for line in lines:
            run.terminal.show(f"  {clean(line)}")
    for members in sorted(broken.values(), key=lambda group: -len(group)):
        many = "" if len(members) == 1 else f", {len(members)} clients"
        run.terminal.show(f"broken{many}: {clean(_names(members))}")
        for problem in _problems(members[0]):  # as it is told of the first one
            run.terminal.show(f"  {clean(problem)}")


def _problems(each: ClientPlan) -> list[str]:
    """Why a client cannot be planned or applied."""
    problems = each.problems or (each.plan.diagnostics if each.plan is not None else ())
    return [str(problem) for problem in problems]


def _reasons(each: ClientPlan) -> tuple[str, ...]:
    """The same without the name of its schema, so that clients with one trouble are told together."""
    from pinky_core import sql_path

    target = re.compile(rf"{re.escape(sql_path(each.target))}(?![A-Za-z0-9_$])")
    return tuple(target.sub("(schema)", problem) for problem in _problems(each))


def _signature(each: ClientPlan) -> tuple[str, ...]:
    """The changes of a client, without the name of its schema."""
    from pinky_core import sql_path

    assert each.plan is not None
    prefix = f"{sql_path(each.target)}."
    lines = []
    for change in each.plan.changes:
        name = str(change.address).replace(prefix, "").replace(prefix[:-1], "(schema)")
        risk = f"  [{change.risk.value}: {change.loses}]" if change.loses else ""
        lines.append(f"{change.action.value} {name}: {change.reason}{risk}")
    return tuple(lines)


def _names(members: Sequence[ClientPlan]) -> str:
    names = [str(each.client) for each in members[:_SHOWN]]
    more = len(members) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _show_summary(run: Run, plans: Sequence[ClientPlan], statements: int) -> None:
    from pinky_cli.render_human import counted

    states = {state: sum(each.state == state for each in plans) for state in ("current", "behind", "broken")}
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    clients = counted(len(plans), "client", "clients")
    run.terminal.show(f"{clients}: {told}. Read with {counted(statements, 'statement', 'statements')}.")


def _show_report(run: Run, ended: FleetReport, path: str | None) -> None:
    if run.as_json:
        found = {"counts": ended.counts(), "stopped": ended.stopped, "clients": [e.as_json() for e in ended.results]}
        _write_json(run, found)
        return
    from pinky_cli.render_human import INTERRUPTED

    told = ", ".join(f"{count} {status}" for status, count in ended.counts().items())
    run.terminal.show(f"{len(ended.results)} clients: {told}.")
    if ended.stopped:
        first = "" if ended.stopped == INTERRUPTED else "Mend what failed, or raise --max-failures. "
        run.terminal.say(f"error: stopped: {ended.stopped}. {first}Run the same command again to go on.")
    if path is not None:
        run.terminal.say(f"A line for each client: {path}")


def _write_json(run: Run, found: Mapping[str, Any]) -> None:
    from pinky_cli.render_json import to_text

    run.terminal.write(to_text(dict(found)))
