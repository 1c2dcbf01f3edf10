"""Non-regression: a graph is proven to make from known inputs what it made when that was known to be good.

`record` writes to the table GOLD what runs made of their inputs, mostly those of production, and keeps the inputs.
`verify` runs these inputs through the graph of a schema that is not production and compares hash by hash. `junit_xml`
makes a test report of that. Everything works on one `pinky_core.Session`; a command line and a test use the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinky_core import Identifier, Session
from pinky_schema.gold_compare import compare, match_of
from pinky_schema.gold_record import UNVERSIONED, record
from pinky_schema.gold_registries import Place, gold_rows
from pinky_schema.gold_report import junit_xml
from pinky_schema.gold_values import Compared, GoldError, GoldRow, InputState, Match, Output, Recording, Verification
from pinky_schema.gold_verify import TIMEOUT, verify
from pinky_schema.stage_facts import Facts, facts_of

__all__ = [
    "TIMEOUT",
    "UNVERSIONED",
    "Compared",
    "GoldError",
    "GoldRow",
    "InputState",
    "Match",
    "Output",
    "Recording",
    "Verification",
    "compare",
    "environment",
    "junit_xml",
    "list_gold",
    "match_of",
    "record",
    "verify",
]


def environment(variables: Mapping[str, Any], env: str | None) -> Facts:
    """The facts of an environment. Raises `GoldError` for mistakes in them: whether it is production must be known."""
    facts, mistakes = facts_of(variables, env)
    if mistakes:
        raise GoldError("; ".join(mistakes))
    return facts


def list_gold(session: Session, schema: str | Sequence[Identifier]) -> list[GoldRow]:
    """The rows of the table GOLD of a schema, those recorded last first. Raises `GoldError` where there is none."""
    return gold_rows(session, Place.of(schema))
