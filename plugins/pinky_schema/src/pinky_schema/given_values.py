"""Values that a caller of provisioning gives are data: they may fill texts and names, and never change what SQL means.

A manifest may write ``WHERE OWNER = '{{ vars.email }}'``, and whoever calls chooses the e-mail. So what is declared is
made a second time with every character that could matter to SQL replaced in the given values, and the statements of
both are compared token by token: outside of string literals nothing may differ, and in the bodies of procedures nothing
at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pinky_core import Address, Desired, Diagnostic, DiagnosticsError, tokenize
from pinky_core.plan import make_plan

__all__ = ["changed_structure", "harmless", "risky"]

_RISKY = re.compile(r"[^A-Za-z0-9_@.+:/?&=%~,-]|--|(?<!:)//")
_ROUTINES = ("procedure", "user_defined_function")
Shape = tuple[tuple[str, str], ...]


def risky(values: Mapping[str, Any]) -> list[str]:
    """Names of the values that hold anything but letters, digits and what addresses are written with."""
    return [name for name, value in values.items() if harmless(value) != value]


def harmless(value: Any) -> Any:
    """The same value with an ``x`` for every character that could matter to SQL."""
    if isinstance(value, str):
        return _RISKY.sub(lambda found: "x" * len(found.group()), value)
    if isinstance(value, Mapping):
        return {harmless(name): harmless(each) for name, each in value.items()}
    return [harmless(each) for each in value] if isinstance(value, (list, tuple)) else value


def changed_structure(desired: Desired, again: Callable[[], Desired], names: list[str]) -> list[Diagnostic]:
    """A diagnostic for each resource whose statements the given values change; ``again`` declares harmless ones."""
    told = ", ".join(names)
    hint = "Take the value out of SQL texts, bodies and quoted names, or give one without such characters."
    try:
        other = _shapes(again())
    except DiagnosticsError as error:
        first = error.diagnostics[0]
        text = f"values with quotes, blanks or the like ({told}) cannot be told from SQL: {first.summary}"
        return [Diagnostic.error("unsafe-value", text, hint=hint, location=first.location)]
    places = {each.address: each.location for each in desired.resources}
    mine = _shapes(desired)
    return [
        Diagnostic.error(
            "unsafe-value",
            f"{address.kind} {address.sql}: a value that was given ({told}) would become part of its SQL",
            hint=hint,
            address=address,
            location=places.get(address),
        )
        for address, shape in mine.items()
        if other.get(address) != shape
    ]


def _shapes(desired: Desired) -> dict[Address, list[Shape]]:
    """The tokens of every statement that makes what is declared, without the content of literals."""
    written = {each.address for each in desired.resources if not each.origin}
    found: dict[Address, list[Shape]] = {}
    kinds = {each.address.kind for each in desired.resources}
    plan = make_plan(
        desired.resources, {}, scope=desired.scope, target=desired.target, prune=False, managed_kinds=kinds
    )
    for change in plan.changes:
        whole = change.address.kind in _ROUTINES and change.address in written
        found[change.address] = [_shape(each.text, whole=whole) for each in change.statements]
    return found


def _shape(text: str, *, whole: bool) -> Shape:
    literals = () if whole else ("string", "dollar")
    return tuple((token.kind, "" if token.kind in literals else token.text) for token in tokenize(text))
