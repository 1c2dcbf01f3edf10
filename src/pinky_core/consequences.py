"""Mistakes that only follow from other mistakes, which a reader need not see.

One forgotten ``--env`` makes every name that holds ``{{ env }}`` wrong; a reader wants the one cause, not a hundred
effects. Nothing is hidden for good: what is left out here comes back by itself when it was no consequence.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from pinky_core.diagnostics import Diagnostic, Severity
from pinky_core.variables import has_template

__all__ = ["without_consequences"]

_UNREADABLE = ("unreadable-file", "yaml-syntax")
_WITHOUT_TARGET = "or a target that has one"  # how the mistake of an incomplete name ends
_VARIABLES = ("missing-variable", "template", "template-structure")


def without_consequences(found: Iterable[Diagnostic], manifest_file: str) -> list[Diagnostic]:
    """The mistakes in their order, without those that others explain; ``manifest_file`` is the head's own."""
    problems = list(dict.fromkeys(found))
    if any(_hides_the_head(each, manifest_file) for each in problems):
        return [each for each in problems if each.code in _UNREADABLE]
    if any(each.code == "environment" and each.severity is Severity.ERROR for each in problems):
        problems = [each for each in problems if each.code != "missing-variable"]
        problems = [each for each in problems if not has_template(each.summary)]
    if any(each.code in ("target", "no-target") for each in problems):
        problems = [each for each in problems if not each.summary.endswith(_WITHOUT_TARGET)]
    if any(each.code in _VARIABLES for each in problems):
        problems = [each for each in problems if each.code in _VARIABLES or not has_template(each.summary)]
    return _once_each(problems)


def _hides_the_head(problem: Diagnostic, file: str) -> bool:
    """Whether the manifest itself cannot be read; files that it names have their mistakes at its lines, too."""
    if problem.code == "unreadable-file":
        return problem.summary.startswith(f"cannot read {file!r}:")
    return problem.code == "yaml-syntax" and problem.location is not None and problem.location.file == file


def _once_each(problems: list[Diagnostic]) -> list[Diagnostic]:
    """A variable that is missing in many places is one mistake, at the first of them."""
    further: dict[str, int] = {}
    first: dict[str, Diagnostic] = {}
    kept: list[Diagnostic] = []
    for each in problems:
        if each.code == "missing-variable" and each.summary in first:
            further[each.summary] = further.get(each.summary, 0) + 1
            continue
        if each.code == "missing-variable":
            first[each.summary] = each
        kept.append(each)
    return [_with_count(each, further.get(each.summary, 0)) if each in first.values() else each for each in kept]


def _with_count(problem: Diagnostic, further: int) -> Diagnostic:
    if not further:
        return problem
    places = "one further place" if further == 1 else f"{further} further places"
    return attrs.evolve(problem, summary=f"{problem.summary} (here and in {places})")
