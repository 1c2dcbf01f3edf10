"""Reads what is live for the addresses of a run: containers first, then kinds side by side.

Not visible is not the same as not there: a container that this role cannot see, and that the manifest does not make, is
an error that names the role. What lies in a container that is about to be renamed is read under the former name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import attrs

from pinky_core.address import Address, Identifier, sql_path
from pinky_core.diagnostics import Diagnostic
from pinky_core.errors import DiagnosticsError, NotVisibleError
from pinky_core.read import Reader, Wanted
from pinky_core.refusal import privilege_hint
from pinky_core.resource import Resource

__all__ = ["read_live"]

Path = tuple[Identifier, ...]
_CONTAINERS = {1: "database", 2: "schema"}


def read_live(
    reader: Reader,
    kinds: Mapping[str, type[Resource]],
    wanted: Iterable[tuple[Address, Address | None, Sequence[str]]],
    role: str,
    expected: Iterable[tuple[str, Path]] = (),
) -> dict[Address, Resource]:
    """The live bodies by address.

    ``wanted`` are the address, the former address (before a rename) and the declared fields of each resource;
    ``expected`` are containers, as kind and path, that will be made besides. Raises `DiagnosticsError` for what this
    role cannot see.
    """
    items = list(wanted)
    reader.expected = frozenset((address.kind, address.path) for address, _, _ in items) | frozenset(expected)
    containers = _Containers(reader, {a.path: f.path for a, f, _ in items if f is not None and a.kind in _NAMES}, role)
    by_kind: dict[str, list[Wanted]] = {}
    for address, former, fields in items:
        for each in (address, former):
            if each is not None and (found := containers.where(each)) is not None:
                by_kind.setdefault(each.kind, []).append(Wanted(found, frozenset(fields)))
    if containers.problems:
        raise DiagnosticsError(list(dict.fromkeys(containers.problems)))
    live = _read_kinds(reader, kinds, by_kind, role)
    return {containers.renamed(address): body for address, body in live.items()} if containers.moved else live


_NAMES = frozenset(_CONTAINERS.values())


@attrs.define
class _Containers:
    """Which containers can be read, and under which name."""

    reader: Reader
    formers: Mapping[Path, Path]
    role: str
    problems: list[Diagnostic] = attrs.field(factory=list)
    moved: dict[Path, Path] = attrs.field(factory=dict)  # former path → the path it will have
    _known: dict[Path, Path | None] = attrs.field(factory=dict)

    def where(self, address: Address) -> Address | None:
        """The address to read: its own, one inside a container's former name, or None where nothing can be yet."""
        container = address.path[:-1][:2]
        if container not in self._known:
            self._known[container] = self._readable(container)
        place = self._known[container]
        if place is None or place == container:
            return address if place is not None else None
        return attrs.evolve(address, path=(*place, *address.path[len(container) :]))

    def renamed(self, address: Address) -> Address:
        """The address a live object will have once its container is renamed."""
        for length in (2, 1):
            new = self.moved.get(address.path[:length])
            if new is not None and len(address.path) > length:
                address = attrs.evolve(address, path=(*new, *address.path[length:]))
        return address

    def _readable(self, container: Path) -> Path | None:
        place: Path = ()
        for length, name in enumerate(container, start=1):
            here = (*place, name)
            if self.reader.container_exists(here):
                place = here
                continue
            former = self._former(container[:length], place)
            if former is not None:
                self.moved[former] = (*place, name)
                place = former
                continue
            self._note_missing(container[:length])
            return None
        return place

    def _former(self, path: Path, place: Path) -> Path | None:
        """The visible former name of a container that is declared with one."""
        former = self.formers.get(path)
        if former is None:
            return None
        found = (*place, former[-1])
        return found if self.reader.container_exists(found) else None

    def _note_missing(self, path: Path) -> None:
        word = _CONTAINERS[len(path)]
        if (word, path) in self.reader.expected:
            return
        summary = f"the {word} {sql_path(path)} does not exist, or role {self.role} may not see it"
        hint = f"Grant USAGE on it to {self.role}, choose another role, or declare the {word} in the manifest."
        self.problems.append(Diagnostic.error("not-visible", summary, hint=hint))


def _read_kinds(
    reader: Reader, kinds: Mapping[str, type[Resource]], by_kind: Mapping[str, Sequence[Wanted]], role: str
) -> dict[Address, Resource]:
    """All kinds at once: one thread per kind decides what to read, the reader's pool bounds what is under way."""
    live: dict[Address, Resource] = {}
    problems: list[Diagnostic] = []
    failures: list[BaseException] = []
    lock = threading.Lock()

    def read(kind: str) -> None:
        try:
            found = kinds[kind].read(reader, by_kind[kind])
            with lock:
                live.update(found)
        except NotVisibleError as error:
            summary = f"reading {kind} objects failed for role {role}: {error}"
            with lock:
                problems.append(Diagnostic.error("not-visible", summary, hint=privilege_hint(kinds[kind], role)))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            with lock:
                failures.append(error)

    threads = [threading.Thread(target=read, args=(kind,), name=f"pinky-{kind}") for kind in sorted(by_kind)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    if problems:
        raise DiagnosticsError(problems)
    return live
