"""What the section ``dag`` says, as values: graphs, their triggers and their steps, with every mistake in its place.

https://docs.snowflake.com/en/user-guide/tasks-graphs, https://docs.snowflake.com/en/user-guide/tasks-triggered
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pinky_core import Duration, Identifier, Place, Schedule, SectionContext, nearest, sql_path
from pinky_schema.dag_predicates import predicates_of

__all__ = ["Graph", "Mistakes", "Mode", "Path", "Step", "Trigger", "declared_slots", "graph_values", "read_graphs"]

Path = tuple[str | int, ...]

MAX_TIMEOUT_MS = 604_800_000  # of USER_TASK_TIMEOUT_MS: seven days
DEFAULT_TIMEOUT_MS = 3_600_000
DEFAULT_NAME = "PIPELINE"
INPUT_SLOT = "external_input_files"


class Mistakes(list[tuple[Path, str]]):
    """Mistakes found so far: paths in the section, and texts."""

    def add(self, path: Path, text: str, hint: str = "") -> None:
        """Remember a mistake, with a hint where there is one."""
        self.append((path, f"{text}. {hint}" if hint else text))


class Mode(enum.Enum):
    """What starts a graph."""

    SCHEDULE = "schedule"
    FILES = "files"  # a schedule, and what it finds are files of a slot
    STREAM = "stream"  # data in the stream of a slot
    ON_DEMAND = "on_demand"


@attrs.frozen
class Trigger:
    """When a graph runs: its mode, its schedule, the slot whose files it takes, the condition as SQL.

    ``options`` are those of the slot in the section ``stages``.
    """

    mode: Mode
    schedule: str | None = None
    slot: str | None = None
    when: str | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def root_suffix(self) -> str:
        """What tells the roots of two slots apart; nothing for the slot that everybody has."""
        return "" if self.slot in (None, INPUT_SLOT) else f"_{str(self.slot).upper()}"


@attrs.frozen
class Step:
    """One task of a graph; ``after`` are step names or the root's, ``path`` its place in the section."""

    name: Identifier
    path: Path
    after: tuple[Identifier, ...]
    procedure: str | None
    sql: str | None
    plain: Mapping[str, Any]
    timeout_ms: int | None


@attrs.frozen
class Graph:
    """A task graph as declared; ``schema`` is where all of it lives, ``plain`` the mapping as written."""

    name: Identifier
    path: Path
    schema: tuple[Identifier, ...]
    trigger: Trigger
    steps: tuple[Step, ...]
    plain: Mapping[str, Any]
    warehouse: str | None
    finalizer: str | None
    timeout_ms: int | None

    @property
    def root(self) -> Identifier:
        """Name of the root task: its own for files, the graph's for everything else."""
        word = {Mode.FILES: "POLL_AND_DISPATCH", Mode.STREAM: "CONSUME_STREAM"}.get(self.trigger.mode)
        return self.name if word is None else Identifier(word + self.trigger.root_suffix)

    @property
    def longest_ms(self) -> int:
        """How long the graph or one of its tasks may take, in milliseconds."""
        return max([self.timeout_ms or DEFAULT_TIMEOUT_MS, *(step.timeout_ms or 0 for step in self.steps)])

    @property
    def finish(self) -> Identifier:
        """Name of the finalizer task."""
        return Identifier(f"{self.name}_FINISH")

    def qualified(self, name: str) -> str:
        """A name of the graph's schema as SQL writes it in full."""
        return sql_path((*self.schema, Identifier(name)))


def graph_values(value: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The mappings of a section's value with their paths; what is no graph at all is left out."""
    if isinstance(value, Mapping):
        yield (), value
    for index, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, Mapping):
            yield (index,), each


def declared_slots(sections: Mapping[str, Any]) -> dict[str | None, Mapping[str, Any]]:
    """The slots in the section ``stages`` with their options, whether the section is sound or not."""
    value = sections.get("stages")
    found: dict[str | None, Mapping[str, Any]] = {}
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, str):
            found[entry] = {}
        for name, options in entry.items() if isinstance(entry, Mapping) else ():
            found[str(name)] = options if isinstance(options, Mapping) else {}
    return found


def read_graphs(value: Any, context: SectionContext, mistakes: Mistakes) -> list[Graph]:
    """The graphs of a section whose value fits its JSON Schema."""
    return [_Reader(path, plain, context, mistakes).graph() for path, plain in graph_values(value)]


@attrs.frozen
class _Reader:
    """Reads one graph."""

    path: Path
    plain: Mapping[str, Any]
    context: SectionContext
    mistakes: Mistakes

    def graph(self) -> Graph:
        plain = self.plain
        graph = Graph(
            name=Identifier.parse(plain.get("name") or DEFAULT_NAME),
            path=self.path,
            schema=self.context.place.target,
            trigger=self._trigger(plain["trigger"], (*self.path, "trigger")),
            steps=(),
            plain=plain,
            warehouse=self._warehouse(),
            finalizer=self._procedure(plain, self.path, "finalizer"),
            timeout_ms=self._timeout(plain, self.path),
        )
        steps = enumerate(plain["steps"])
        return attrs.evolve(graph, steps=tuple(self._step(each, (*self.path, "steps", n), graph) for n, each in steps))

    def _trigger(self, value: Any, path: Path) -> Trigger:
        if not isinstance(value, Mapping):
            return Trigger(Mode.ON_DEMAND)
        if "stream" in value:
            for name in sorted(set(value) - {"stream"}):
                text = "a graph that data in a stream starts has no schedule, and takes the files of that slot"
                self.mistakes.add((*path, name), f"trigger: {name!r} cannot stand beside 'stream': {text}")
            slot = value["stream"]
            return Trigger(Mode.STREAM, slot=slot, options=declared_slots(self.context.sections).get(slot, {}))
        if "schedule" not in value:
            self.mistakes.add(path, "trigger: give 'schedule', 'stream', or the word on_demand")
            return Trigger(Mode.ON_DEMAND)
        schedule = self._schedule(value["schedule"], (*path, "schedule"))
        mode = Mode.FILES if "files" in value else Mode.SCHEDULE
        when = self._when(value.get("when"), schedule, (*path, "when"))
        slot = value.get("files")
        options = declared_slots(self.context.sections).get(slot, {})
        return Trigger(mode, None if schedule is None else str(schedule), slot, when, options)

    def _schedule(self, text: str, path: Path) -> Schedule | None:
        try:
            return Schedule.parse(text)
        except ValueError as error:
            self.mistakes.add(path, str(error))
            return None

    def _when(self, name: str | None, schedule: Schedule | None, path: Path) -> str | None:
        if name is None:
            return None
        predicates = predicates_of(self.context.hooks)
        if name not in predicates:
            known = nearest(name, predicates) or f"Known: {', '.join(sorted(predicates))}."
            self.mistakes.add(path, f"no predicate is called {name!r}", known)
            return None
        zone = self.plain.get("timezone") or (schedule.time_zone if schedule is not None else "")
        return predicates[name].in_zone(zone or "UTC")

    def _warehouse(self) -> str | None:
        """What the graph says, null included; else the environment's."""
        if "warehouse" in self.plain:
            return self.plain["warehouse"]  # type: ignore[no-any-return]  # the schema has checked it
        facts = self.context.variables.get("stages")
        found = facts.get("warehouse") if isinstance(facts, Mapping) else None
        return found if isinstance(found, str) and found else None

    def _procedure(self, plain: Mapping[str, Any], path: Path, key: str) -> str | None:
        """The full name of a procedure, which lives in the target schema."""
        text = plain.get(key)
        if text is None:
            return None
        target = self.context.place.target
        try:
            found: tuple[Identifier, ...] = Place(target).complete(text, 3)
        except ValueError as error:
            self.mistakes.add((*path, key), f"{key}: {error}")
            return None
        if found[:2] != target:
            where = sql_path(target)
            self.mistakes.add((*path, key), f"{key}: {text} is outside the target {where}; a graph calls what is in it")
        return sql_path(found)

    def _timeout(self, plain: Mapping[str, Any], path: Path) -> int | None:
        if plain.get("timeout") is None:
            return None
        try:
            found = Duration.parse(plain["timeout"]).seconds * 1000
        except ValueError as error:
            self.mistakes.add((*path, "timeout"), f"timeout: {error}")
            return None
        if found > MAX_TIMEOUT_MS:
            self.mistakes.add((*path, "timeout"), "timeout: a task may run for 7 DAYS at most")
        return found

    def _step(self, plain: Mapping[str, Any], path: Path, graph: Graph) -> Step:
        return Step(
            name=Identifier.parse(plain["name"]),
            path=path,
            after=tuple(Identifier.parse(each) for each in plain.get("after") or ()) or (graph.root,),
            procedure=self._procedure(plain, path, "procedure"),
            sql=plain.get("sql"),
            plain=plain,
            timeout_ms=self._timeout(plain, path),
        )
