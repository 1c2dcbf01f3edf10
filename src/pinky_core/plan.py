"""Desired × live → `Plan`. Pure: it reads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core.address import Address, Identifier
from pinky_core.change import Action, Change, Guard, Risk, field_digests
from pinky_core.diagnostics import Diagnostic, has_errors
from pinky_core.diff import FieldChange
from pinky_core.errors import DiagnosticsError
from pinky_core.graph import in_order
from pinky_core.resource import Context, Declared, Names, Resource
from pinky_core.spec import ABSENT, Nested, OnChange
from pinky_core.sql import Statement

__all__ = ["Plan", "declared_fields", "make_plan", "needs_of"]


@attrs.frozen
class Plan:
    """What would be done, finished: applying it decides nothing.

    ``account`` and ``role`` are those it was made with. ``changes`` are in an order in which they can run; resources
    that are as declared are only counted, in ``unchanged``. ``orphans`` are objects in the target, of kinds the
    manifest manages, that it does not declare. ``diagnostics`` are shown beside the plan; an error among them (from a
    plugin's check) keeps it from being applied.
    """

    scope: str
    target: tuple[Identifier, ...]
    account: str = ""
    role: str = ""
    changes: tuple[Change, ...] = ()
    guards: tuple[Guard, ...] = ()
    unchanged: int = 0
    orphans: tuple[Address, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes

    def destructive(self) -> tuple[Change, ...]:
        """Changes that need a permission."""
        return tuple(change for change in self.changes if change.risk is Risk.DESTRUCTIVE)

    def blocked(self, allow: Collection[str]) -> tuple[Change, ...]:
        """Destructive changes that ``allow`` does not cover.

        An entry is ``destructive`` (all), ``destructive:<kind>``, or ``destructive:<address>`` such as
        ``destructive:table DB.S.T``.
        """
        if "destructive" in allow:
            return ()
        return tuple(
            change
            for change in self.destructive()
            if f"destructive:{change.address.kind}" not in allow and f"destructive:{change.address}" not in allow
        )

    def statements(self) -> tuple[Statement, ...]:
        """Every statement, in the order of a run with one worker."""
        return tuple(statement for change in self.changes for statement in change.statements)


def make_plan(
    declared: Sequence[Declared],
    live: Mapping[Address, Resource],
    *,
    scope: str,
    target: tuple[Identifier, ...],
    prune: bool = False,
    managed_kinds: Collection[str] = (),
) -> Plan:
    """Compare what is declared with what is live.

    ``live`` may hold more than what is declared; such objects inside the target and of ``managed_kinds`` are orphans,
    dropped with ``prune``. Raises `DiagnosticsError` with everything the kinds object to.
    """
    names = Names(each.address for each in declared)
    context = Context(names, live, {each.address: each for each in declared})
    needs = {each.address: needs_of(each, names) for each in declared}
    order = in_order(needs)
    changes: list[Change] = []
    problems: list[Diagnostic] = []
    for address in order:
        item = context.declared[address]
        change, found = _change_of(item, needs[address], context)
        problems.extend(found)
        if change is not None:
            changes.append(change)
    if has_errors(problems):
        raise DiagnosticsError(problems)
    orphans = sorted(_orphans(declared, live, target, managed_kinds)) if target or prune else []
    drops = _drops(orphans, live) if prune and len(target) == 2 else []
    kept = _without_unchanged_needs([*changes, *drops])
    guards = _guards(kept, context)
    return Plan(
        scope=scope,
        target=target,
        changes=tuple(kept),
        guards=guards,
        unchanged=len(declared) - len(changes),
        orphans=() if drops else tuple(orphans),
        diagnostics=tuple(problems),
    )


def needs_of(item: Declared, names: Names) -> frozenset[Address]:
    """What must exist before a resource: what it refers to and what the manifest says."""
    return frozenset({*item.body.needs(item.address, names), *item.depends_on} - {item.address})


def _change_of(item: Declared, needs: Collection[Address], context: Context) -> tuple[Change | None, list[Diagnostic]]:
    body, address = item.body, item.address
    live = context.live.get(address)
    former = item.former if live is None and item.former in context.live else None
    before = context.live[former] if former is not None else live
    problems = [
        each if each.location or not item.location else attrs.evolve(each, location=item.location)
        for each in body.check(address, before, context)
    ]
    problems.extend(_about_rename(item, context))
    if has_errors(problems):
        return None, problems
    differing = tuple(body.changes(address, before, context)) if before is not None else ()
    if before is not None and former is None and not differing:
        return None, problems
    common: dict[str, Any] = {
        "needs": tuple(sorted(needs)),
        "read_fields": declared_fields(body),
        "observed": field_digests(before) if before is not None else {},
        "file": item.location.file if item.location else "",
    }
    origin = f" (from {item.origin})" if item.origin else ""
    if before is None:
        statements = tuple(body.create(address, context))
        return Change(address, Action.CREATE, f"declared, not there{origin}", statements=statements, **common), problems
    return _existing(item, before, former, differing, context, common, origin), problems


def _about_rename(item: Declared, context: Context) -> Iterable[Diagnostic]:
    """A rename that cannot be done because the new name is taken; silent once it has been done."""
    former = item.former
    if former is None or former not in context.live or item.address not in context.live:
        return
    other = context.declared.get(former)
    if other is not None and other.former == item.address:
        summary = f"{item.address} and {former} are to swap names; Snowflake renames one object at a time"
        hint = "Rename one to a third name first, and apply; then the other."
        yield Diagnostic.error("rename", summary, hint=hint, address=item.address, location=item.location)
    elif other is None:
        summary = f"{item.address} is there already, and so is {former}: nothing is renamed"
        hint = "Drop or rename one of them by hand, or take `renamed_from` away."
        yield Diagnostic.warning("rename", summary, hint=hint, address=item.address, location=item.location)


def _existing(
    item: Declared,
    before: Resource,
    former: Address | None,
    differing: tuple[FieldChange, ...],
    context: Context,
    common: dict[str, Any],
    origin: str,
) -> Change:
    body, address = item.body, item.address
    statements: list[Statement] = []
    action = Action.ALTER
    reason = "differs: " + ", ".join(change.path for change in differing) + origin
    if former is not None:
        action = Action.RENAME
        reason = f"renamed from {former.sql}" + (f"; {reason}" if differing else origin)
        statements.extend(body.rename(former, address))
    if any(change.on_change in (OnChange.REPLACE, OnChange.REFUSE) for change in differing):
        action = Action.REPLACE
        statements.extend(body.replace(address, before, differing, context))
    elif differing:
        statements.extend(body.alter(address, before, differing, context))
    risk, loses = body.risk(address, action, before, differing)
    return Change(address, action, reason, risk, loses, differing, tuple(statements), former=former, **common)


def declared_fields(body: Resource) -> tuple[str, ...]:
    """Names of the fields a manifest gave, null or not; of nested values also what is in them, ``directory.enable``."""
    names: list[str] = []
    for field in body.spec.fields:
        value = getattr(body, field.name)
        if value is not ABSENT:
            names.append(field.name)
        if isinstance(value, Nested):
            inner = (each.name for each in value.spec.fields if getattr(value, each.name) is not ABSENT)
            names += [f"{field.name}.{name}" for name in inner]
    return tuple(names)


def _orphans(
    declared: Iterable[Declared],
    live: Mapping[Address, Resource],
    target: tuple[Identifier, ...],
    kinds: Collection[str],
) -> Iterable[Address]:
    wanted = {each.address for each in declared} | {each.former for each in declared}
    for address in live:
        if address not in wanted and address.kind in kinds and address.path[: len(target)] == target:
            yield address


def _drops(orphans: Sequence[Address], live: Mapping[Address, Resource]) -> list[Change]:
    """Drops in the reverse of the order of creation: what needs another goes first."""
    among = Names(orphans)
    needs = {address: frozenset(live[address].needs(address, among)) - {address} for address in orphans}
    dependants: dict[Address, list[Address]] = {address: [] for address in orphans}
    for address, wanted in needs.items():
        for each in wanted & dependants.keys():
            dependants[each].append(address)
    drops: list[Change] = []
    for address in reversed(in_order(needs)):
        body = live[address]
        risk, loses = body.risk(address, Action.DROP, body, ())
        first = tuple(sorted(dependants[address]))
        drops.append(
            Change(
                address,
                Action.DROP,
                "not declared",
                risk,
                loses,
                (),
                tuple(body.drop(address)),
                first,
                field_digests(body),
            )
        )
    return drops


def _without_unchanged_needs(changes: Sequence[Change]) -> list[Change]:
    """Needs that are satisfied already are not part of the plan."""
    planned = {change.address for change in changes}
    return [attrs.evolve(c, needs=tuple(n for n in c.needs if n in planned)) for c in changes]


def _guards(changes: Sequence[Change], context: Context) -> tuple[Guard, ...]:
    by_class: dict[type[Resource], list[Change]] = {}
    for change in changes:
        by_class.setdefault(_class_of(change.address, context), []).append(change)
    return tuple(guard for cls, members in by_class.items() for guard in cls.guards(members, context))


def _class_of(address: Address, context: Context) -> type[Resource]:
    item = context.declared.get(address)
    return type(item.body if item is not None else context.live[address])
