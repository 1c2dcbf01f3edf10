"""Where laws are tried: an account, plugins and a target, driven by documents instead of files."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from pinky_core.address import Address
from pinky_core.apply import Report
from pinky_core.engine import Provider, validate_manifest
from pinky_core.plan import Plan
from pinky_core.read import Reader, Wanted
from pinky_core.resource import Resource

__all__ = ["Laboratory", "MemorySource"]

Resources = Mapping[str, Sequence[Mapping[str, Any]]]


@attrs.frozen
class MemorySource:
    """A manifest's files as texts by relative path."""

    files: Mapping[str, str]
    name: str = "memory"

    def read(self, relative_path: str) -> str:
        """The text of a file; raises FileNotFoundError."""
        try:
            return self.files[relative_path]
        except KeyError:
            raise FileNotFoundError(relative_path) from None

    def list(self, pattern: str) -> list[str]:
        """Relative paths that match, sorted."""
        return sorted(path for path in self.files if fnmatch.fnmatchcase(path, pattern))


@attrs.frozen
class Laboratory:
    """A provider and the manifest head that documents are put under.

    ``scope`` and ``target`` are those of the manifest; ``ground`` are resources that must stand besides the one under
    test (a database and a schema for a table, say) and that are part of every manifest here.
    """

    provider: Provider
    scope: str = "account"
    target: str | None = None
    ground: Resources = attrs.field(factory=dict)

    def source(self, resources: Resources) -> MemorySource:
        """The manifest with these resources and the ground they stand on."""
        together: dict[str, list[Any]] = {kind: list(documents) for kind, documents in self.ground.items()}
        for kind, documents in resources.items():
            together.setdefault(kind, []).extend(documents)
        manifest: dict[str, Any] = {"scope": self.scope, "resources": together}
        if self.target is not None:
            manifest["target"] = self.target
        return MemorySource({"manifest.yml": json.dumps(manifest, ensure_ascii=False)})

    def plan(self, resources: Resources) -> Plan:
        """The plan for these resources."""
        return self.provider.plan(self.source(resources))

    def apply(self, plan: Plan, *, allow: Collection[str] = ("destructive",)) -> Report:
        """Apply a plan; raises AssertionError with every failure where something was not applied."""
        report = self.provider.apply(plan, allow=allow)
        failures = [f"{e.name}: {e.error or e.because} ({e.statement})" for e in report.events if e.error or e.because]
        assert report.ok, "\n".join(failures)
        return report

    def converge(self, resources: Resources) -> Plan:
        """Apply what the resources need, then plan again; the law is that this second plan is empty."""
        self.apply(self.plan(resources))
        return self.plan(resources)

    def addresses(self, resources: Resources) -> list[Address]:
        """The addresses of these resources and of the ground."""
        desired = validate_manifest(self.source(resources), self.provider.registry)
        return [each.address for each in desired.resources]

    def live(self, address: Address) -> Resource:
        """The live body at an address; raises KeyError where there is none."""
        kind = self.provider.registry.kinds[address.kind]
        with Reader(self.provider.session) as reader:
            return kind.read(reader, [Wanted(address, frozenset())])[address]

    def execute(self, statement: str) -> None:
        """Run one statement outside any plan."""
        self.provider.session.execute(statement)
