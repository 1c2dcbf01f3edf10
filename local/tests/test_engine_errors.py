"""The table of error numbers is complete: every number in the sources is in it, and the other way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pinky_local
from pinky_local.data.refusals import _RULES
from pinky_local.engine.errors import GUESS, NUMBERS, PROVIDER

_MAKERS = {"compilation", "access_control", "SqlError", "raising"}


def _numbers_in(call: ast.Call) -> Iterator[int]:
    """The integers of the argument that is the number: the first one, or ``errno=``."""
    places = [keyword.value for keyword in call.keywords if keyword.arg == "errno"] or call.args[:1]
    for place in places:
        choices = [place.body, place.orelse] if isinstance(place, ast.IfExp) else [place]
        for choice in choices:
            if isinstance(choice, ast.Constant) and isinstance(choice.value, int):
                yield choice.value


def _numbers_raised() -> set[int]:
    found = {errno for _, errno, _, _ in _RULES}
    for path in Path(str(pinky_local.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in _MAKERS:
                    found.update(_numbers_in(node))
    return found


def test_every_number_is_graded() -> None:
    raised = _numbers_raised()
    assert len(raised) > 80
    assert raised == set(NUMBERS)
    assert {grade for grade, _ in NUMBERS.values()} == {GUESS, PROVIDER}
