"""Calls of a procedure with one JSON argument: how a task says what its wrapper does, and which procedure that calls.

https://docs.snowflake.com/en/sql-reference/functions/parse_json
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pinky_core import string_literal, tokenize

__all__ = ["arguments_in", "call_text"]


def call_text(procedure: str, argument: Mapping[str, Any]) -> str:
    """``CALL <procedure>(PARSE_JSON('…'))``, with sorted keys: the same argument is always the same text.

    Raises ValueError for numbers that JSON cannot hold.
    """
    text = json.dumps(argument, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"CALL {procedure}(PARSE_JSON({string_literal(text)}))"


def arguments_in(definition: str) -> Iterator[Mapping[str, Any]]:
    """The JSON arguments of the calls in a statement; none for what is no such call, or no SQL at all.

    A procedure or a statement that stands in them is used by the task, though no token of its own SQL says so.
    """
    if "PARSE_JSON" not in definition.upper():
        return
    try:
        tokens = list(tokenize(definition))
    except ValueError:
        return
    for function, bracket, argument in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if function.text.upper() == "PARSE_JSON" and bracket.text == "(" and argument.kind == "string":
            yield _object(argument.text[1:-1].replace("''", "'").replace("\\\\", "\\"))


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
