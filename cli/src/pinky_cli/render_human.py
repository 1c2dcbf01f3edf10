"""Plans, reports and diagnostics as text for people. Styles are dropped where no terminal shows them."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from pinky_cli.excerpt import Excerpts
from pinky_core import Action, Change, Diagnostic, Event, FieldChange, Outcome, Plan, Report, Risk, Severity, sql_path
from pinky_core.change import plain

SYMBOLS = {
    Action.CREATE: ("+", "green"),
    Action.ALTER: ("~", "yellow"),
    Action.REPLACE: ("±", "magenta"),
    Action.RENAME: ("→", "cyan"),
    Action.DROP: ("-", "red"),
    Action.NONE: (" ", ""),
}
_OUTCOMES = {
    Outcome.STARTED: ("started", "dim"),
    Outcome.APPLIED: ("applied", "green"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.SKIPPED: ("skipped", "yellow"),
}
INTERRUPTED = "the run was interrupted"  # what an event of the core says; every other cause is a name
SHOWN_OF_A_CAUSE = 20  # names in a report; JSON has them all
#: A statement of more lines than this is shown by its first lines; only bodies of programs are that long.
LONG_STATEMENT, SHOWN_LINES = 40, 6
SHOWN_OF_A_KIND = 10  # lines of one kind and action in a brief plan
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Text of a manifest or an account without what a terminal would take as a command."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text.replace("\r\n", "\n"))


def render_plan(plan: Plan, *, brief: bool = False, trees: Mapping[str, Sequence[str]] | None = None) -> Text:
    """A plan in its order: what changes, why, at which risk, by which statements; then orphans and the summary.

    ``trees`` are lines to show below the name of a guard: the task graph it is about.
    """
    text = Text()
    where = sql_path(plan.target) if plan.target else "the account"
    text.append(f"Plan for {clean(where)} (account {clean(plan.account)}, role {clean(plan.role)})\n\n")
    if brief:
        _add_lines(text, plan.changes)
    else:
        for change in plan.changes:
            _add_change(text, change)
    if plan.guards and not brief:
        _add_guards(text, plan, trees or {})
    if plan.orphans:
        how = "; --prune drops them" if plan.scope == "schema" else ""
        text.append(f"Not declared, left alone{how}:\n")
        for address in plan.orphans:
            text.append(f"    {clean(str(address))}\n")
        text.append("\n")
    for diagnostic in plan.diagnostics:
        text.append_text(render_diagnostic(diagnostic)).append("\n")
    return text.append(summary_of(plan), style="bold")


def summary_of(plan: Plan) -> str:
    """``Plan: 41 to create, 2 to change, 0 to drop.``, or ``No changes.``"""
    if plan.empty:
        return f"No changes. {counted(plan.unchanged, 'resource is', 'resources are')} as declared."
    actions = Counter(change.action for change in plan.changes)
    risks = Counter(change.risk for change in plan.changes)
    changed = actions[Action.ALTER] + actions[Action.RENAME]
    parts = [f"{actions[Action.CREATE]} to create", f"{changed} to change"]
    if actions[Action.REPLACE]:
        parts.append(f"{actions[Action.REPLACE]} to replace")
    parts.append(f"{actions[Action.DROP]} to drop")
    notes = [f"{risks[risk]} {risk.value}" for risk in (Risk.DESTRUCTIVE, Risk.EXPENSIVE) if risks[risk]]
    if plan.unchanged:
        notes.append(f"{plan.unchanged} unchanged")
    return f"Plan: {', '.join(parts)}{' (' + ', '.join(notes) + ')' if notes else ''}."


def _add_lines(text: Text, changes: Iterable[Change]) -> None:
    """One line a change; of many safe ones of one kind the first, and how many more there are."""
    seen: Counter[tuple[Action, str]] = Counter()
    for change in changes:
        sort = (change.action, change.address.kind)
        seen[sort] += change.risk is Risk.SAFE
        if change.risk is not Risk.SAFE or seen[sort] <= SHOWN_OF_A_KIND:
            _add_title(text, change, file=False)
            _add_risk(text, change)
    for (action, kind), number in seen.items():
        if number > SHOWN_OF_A_KIND:
            symbol, style = SYMBOLS[action]
            more = number - SHOWN_OF_A_KIND
            text.append(f"  {symbol} ", style=style).append(f"{more} more of kind {clean(kind)}\n")
    if seen:
        text.append("\n")


def _add_title(text: Text, change: Change, *, file: bool) -> None:
    symbol, style = SYMBOLS[change.action]
    text.append(f"  {symbol} ", style=style).append(clean(str(change.address)), style="bold")
    text.append(f"  {clean(change.reason)}", style="dim")
    if change.file and file:
        text.append(f"  [{clean(change.file)}]", style="dim")
    text.append("\n")


def _add_risk(text: Text, change: Change) -> None:
    if change.risk is Risk.DESTRUCTIVE:
        loses = clean(change.loses) or "what cannot be brought back"
        text.append(f"      DESTRUCTIVE: loses {loses}\n", style="bold red")
    elif change.risk is Risk.EXPENSIVE:
        text.append(f"      EXPENSIVE: {clean(change.loses) or 'rebuilds the object'}\n", style="yellow")


def _add_change(text: Text, change: Change) -> None:
    _add_title(text, change, file=True)
    _add_risk(text, change)
    for field in change.fields:
        _add_field(text, field)
    for statement in change.statements:
        _add_statement(text, clean(statement.text))
    text.append("\n")


def _add_statement(text: Text, statement: str) -> None:
    """A statement in full, or, where a whole program stands in it, its beginning and how much follows."""
    lines = statement.splitlines()
    shown = lines if len(lines) <= LONG_STATEMENT else lines[:SHOWN_LINES]
    text.append(_indented("\n".join(shown), 6), style="cyan").append("\n")
    if len(shown) < len(lines):
        more = len(lines) - len(shown)
        text.append(f"      … {more} more lines; `pinky plan --json` writes them all\n", style="dim")


def _add_field(text: Text, field: FieldChange) -> None:
    before, after = plain(field.before), plain(field.after)
    text.append(f"      {clean(field.path)}: ")
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        text.append("\n")
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
        for line in list(lines)[2:]:
            style = {"+": "green", "-": "red"}.get(line[:1], "dim")
            text.append(f"        {clean(line)}\n", style=style)
    else:
        text.append(_shown(before), style="red").append(" → ").append(_shown(after), style="green")
    if field.note:
        text.append(f"  ({clean(field.note)})", style="dim")
    if not text.plain.endswith("\n"):
        text.append("\n")


def _shown(value: Any) -> str:
    if value is None:
        return "(not set)"
    return clean(json.dumps(value, ensure_ascii=False))


def _add_guards(text: Text, plan: Plan, trees: Mapping[str, Sequence[str]]) -> None:
    for guard in plan.guards:
        text.append(f"  ! {clean(guard.name)}\n", style="bold")
        for line in trees.get(guard.name, ()):
            text.append(f"      {line}\n", style="dim")
        for title, statements in (("before", guard.opening), ("after, whatever happens", guard.closing)):
            for statement in statements:
                text.append(f"      {title}: {clean(statement.text)}\n")
        text.append("\n")


def render_diagnostic(diagnostic: Diagnostic, excerpts: Excerpts | None = None) -> Text:
    """One mistake: its place, what was found, the line with a caret, and what to do."""
    text = Text()
    if diagnostic.location:
        text.append(f"{clean(str(diagnostic.location))}: ", style="bold")
    style = "bold red" if diagnostic.severity is Severity.ERROR else "bold yellow"
    text.append(f"{diagnostic.severity.value}[{diagnostic.code}]", style=style)
    if diagnostic.address is not None and not diagnostic.location:
        text.append(f": {clean(str(diagnostic.address))}")
    text.append(f": {clean(diagnostic.summary)}\n")
    shown = excerpts.of(diagnostic) if excerpts else None
    if shown is not None and diagnostic.location is not None:
        number = str(diagnostic.location.line)
        text.append(f"  {number} | ", style="dim").append(f"{clean(shown[0])}\n")
        text.append(f"  {' ' * len(number)} | ", style="dim").append(f"{shown[1]}\n", style="bold red")
    if diagnostic.hint:
        text.append(_indented(clean(diagnostic.hint), 2)).append("\n")
    return text


def render_diagnostics(diagnostics: Iterable[Diagnostic], excerpts: Excerpts | None = None) -> Text:
    """All mistakes and how many there are."""
    found = list(diagnostics)
    text = Text()
    for each in found:
        text.append_text(render_diagnostic(each, excerpts)).append("\n")
    counts = Counter(each.severity for each in found)
    parts = [counted(counts[Severity.ERROR], "error", "errors")] if counts[Severity.ERROR] else []
    parts += [counted(counts[Severity.WARNING], "warning", "warnings")] if counts[Severity.WARNING] else []
    return text.append(", ".join(parts) + ".", style="bold")


def render_event(event: Event) -> Text:
    """One line of an apply."""
    word, style = _OUTCOMES[event.outcome]
    symbol = SYMBOLS[event.action][0] if event.action else "!"
    text = Text().append(f"{word:<8}", style=style).append(f"{symbol} {clean(event.name)}")
    if event.outcome is Outcome.SKIPPED:
        text.append(f"  because of: {clean(event.because)}", style="dim")
    elif event.outcome is Outcome.FAILED:
        message = " ".join(
            line for line in event.error.splitlines() if not line.startswith(" ")
        )  # hints: in the report
        text.append(f"  {clean(message)}", style="red")
    elif event.outcome is Outcome.APPLIED:
        text.append(f"  {event.seconds:.1f} s", style="dim")
    return text


def render_report(report: Report, seconds: float, continue_with: str) -> Text:
    """The end of an apply: what failed and why, what was skipped because of it, the counts, and how to go on."""
    text = Text()
    failed, skipped = report.of(Outcome.FAILED), report.of(Outcome.SKIPPED)
    if failed:
        text.append("Failed:\n", style="bold red")
        for event in failed:
            text.append(f"  {clean(event.name)}\n    {_indented(clean(event.error), 4).lstrip()}\n")
            if event.statement:
                text.append(_indented(clean(event.statement), 4), style="cyan").append("\n")
        text.append("\n")
    for cause, waiting in _by_cause(skipped).items():
        title = f"Not started, because {cause}:\n" if cause == INTERRUPTED else f"Skipped, because of {cause}:\n"
        text.append(clean(title), style="bold yellow")
        for event in waiting[:SHOWN_OF_A_CAUSE]:
            text.append(f"  {clean(event.name)}\n")
        if more := len(waiting) - SHOWN_OF_A_CAUSE:
            text.append(f"  and {more} more\n" if more > 0 else "")
        text.append("\n")
    if report.interrupted:
        text.append("Interrupted: running statements were finished, nothing new was started.\n", style="bold yellow")
    applied = [event for event in report.of(Outcome.APPLIED) if event.address is not None]  # guards are no changes
    counts = f"{len(applied)} applied, {len(failed)} failed, {len(skipped)} skipped"
    text.append(f"Apply: {counts} in {seconds:.1f} s.", style="bold")
    if not report.ok:
        text.append(f"\nTo continue: {continue_with}")
    return text


def _by_cause(skipped: Iterable[Event]) -> dict[str, list[Event]]:
    causes: dict[str, list[Event]] = {}
    for event in skipped:
        causes.setdefault(event.because, []).append(event)
    return causes


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line if line else line for line in text.splitlines())


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: ``1 resource``, ``2 resources``."""
    return f"{number} {one if number == 1 else many}"
