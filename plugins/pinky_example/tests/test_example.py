"""The example plugin keeps the laws that pinky's own kinds keep, and its check blocks a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pinky_example
import pytest
from pinky_example import AcmeFileFormat
from pinky_local.account import LocalAccount

from pinky_core import Action, Diagnostic, DiagnosticsError, Provider, Severity, make_registry
from pinky_core.testing import Laboratory, check_resource_type

REGISTRY = make_registry({"pinky_example": pinky_example})


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with LocalAccount(data=False) as account, account.connect() as connection:
        for statement in ("CREATE DATABASE D", "CREATE SCHEMA D.S"):
            connection.cursor().execute(statement)
        yield Laboratory(Provider(connection, registry=REGISTRY), "schema", "D.S")
        assert not account.internal_errors


def test_laws(laboratory: Laboratory) -> None:
    check_resource_type(AcmeFileFormat, laboratory, fixed={"type": "JSON"}, max_examples=8)


def test_another_type_needs_a_permission(laboratory: Laboratory) -> None:
    document: dict[str, Any] = {"name": "f", "type": "csv"}
    assert laboratory.converge({"acme_file_format": [document]}).empty
    plan = laboratory.plan({"acme_file_format": [{**document, "type": "PARQUET"}]})
    (change,) = plan.changes
    assert (change.action, change.loses) == (Action.REPLACE, "the format's grants")
    assert len(plan.blocked(())) == 1
    laboratory.apply(plan)
    assert laboratory.plan({"acme_file_format": [{**document, "type": "PARQUET"}]}).empty


@pytest.mark.parametrize(("count", "codes"), [(pinky_example.LIMIT, []), (pinky_example.LIMIT + 1, ["acme-limit"])])
def test_too_much_destruction_blocks_a_plan(laboratory: Laboratory, count: int, codes: list[str]) -> None:
    for number in range(count):
        laboratory.execute(f"CREATE FILE FORMAT D.S.F{number} TYPE = CSV")
    source = laboratory.source({"acme_file_format": [{"name": "kept", "type": "CSV"}]})
    plan = laboratory.provider.plan(source, prune=True)
    errors: list[Diagnostic] = [each for each in plan.diagnostics if each.severity is Severity.ERROR]
    assert [each.code for each in errors] == codes
    if codes:
        with pytest.raises(DiagnosticsError, match=f"{count} destructive changes"):
            laboratory.provider.apply(plan, allow=("destructive",))
    else:
        assert laboratory.provider.apply(plan, allow=("destructive",)).ok
