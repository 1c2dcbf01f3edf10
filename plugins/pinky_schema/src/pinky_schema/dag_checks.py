"""What is wrong with the graphs of a section taken as a whole: names, links, limits, and whose files they take.

https://docs.snowflake.com/en/sql-reference/sql/create-task (100 predecessors and children, 1,000 tasks of a graph),
https://docs.snowflake.com/en/user-guide/tasks-triggered (a directory table must be refreshed for its stream to tell)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pinky_core import Identifier, SectionContext, nearest
from pinky_schema.dag_values import Graph, Mistakes, Mode, Path, Step, declared_slots
from pinky_schema.slots import Kept, Party, slots_of

__all__ = ["check_graphs"]

MAX_LINKS = 100  # predecessors of a task, and its children
MAX_TASKS = 1000  # of a graph


def check_graphs(graphs: Sequence[Graph], context: SectionContext, mistakes: Mistakes) -> None:
    """Add what no single value can be blamed for."""
    _check_names(graphs, mistakes)
    _check_slots(graphs, context, mistakes)
    for graph in graphs:
        for step in graph.steps:
            _check_body(step, mistakes)
        if _links_are_sound(graph, mistakes):
            _check_cycle(graph, mistakes)
        _check_limits(graph, mistakes)


def _names_of(graph: Graph) -> Iterator[tuple[Identifier, Path, str]]:
    """The names of a graph's tasks with their places and what they are."""
    name = (*graph.path, "name") if "name" in graph.plain else graph.path
    yield graph.root, name, f"the root of the graph {graph.name}"
    yield graph.finish, name, f"the finalizer of the graph {graph.name}"
    for step in graph.steps:
        yield step.name, (*step.path, "name"), f"a step of the graph {graph.name}"


def _check_names(graphs: Sequence[Graph], mistakes: Mistakes) -> None:
    """Tasks of one schema, and so all of them, have different names; so have graphs."""
    taken: dict[Identifier, str] = {}
    names: set[Identifier] = set()
    slots: set[str | None] = set()
    for graph in graphs:
        if graph.name in names:
            mistakes.add((*graph.path, "name"), f"two graphs are called {graph.name}", "Give each a `name`.")
            continue
        names.add(graph.name)
        same_files = graph.trigger.slot is not None and graph.trigger.slot in slots
        slots.add(graph.trigger.slot)
        for name, path, what in _names_of(graph):
            if name == graph.root and same_files and what.startswith("the root"):
                continue  # told once, as two graphs that take the same files
            if name in taken:
                mistakes.add(path, f"{name} is the name of {taken[name]} already; it cannot be {what} too")
            taken.setdefault(name, what)


def _check_body(step: Step, mistakes: Mistakes) -> None:
    plain = step.plain
    given = [key for key in ("procedure", "sql") if plain.get(key) is not None]
    if len(given) != 1:
        text = "has both a procedure and sql" if given else "has neither a procedure nor sql"
        mistakes.add(step.path, f"the step {step.name} {text}", "Give one of them.")
    if given == ["sql"]:
        for key in ("config", "multi_client_execution"):
            if plain.get(key):
                text = f"{key!r} is handed to a procedure; the step {step.name} has sql"
                mistakes.add((*step.path, key), text)


def _links_are_sound(graph: Graph, mistakes: Mistakes) -> bool:
    known = {graph.root, *(step.name for step in graph.steps)}
    sound = True
    for step in graph.steps:
        for index, name in enumerate(step.after):
            path = (*step.path, "after", index)
            if name == graph.finish:
                mistakes.add(path, f"{name} is the finalizer of the graph: nothing runs after it")
            elif name not in known:
                hint = nearest(name, known) or f"Steps: {', '.join(sorted(known))}."
                mistakes.add(path, f"the step {step.name} runs after {name}, which is no step of this graph", hint)
            elif name in step.after[:index]:
                mistakes.add(path, f"the step {step.name} runs after {name} twice")
            else:
                continue
            sound = False
    return sound


def _check_cycle(graph: Graph, mistakes: Mistakes) -> None:
    """One mistake for each circle of steps, at the first step of it in the file."""
    after = {step.name: step.after for step in graph.steps}
    done: set[Identifier] = {graph.root}
    for step in graph.steps:
        circle = _circle(step.name, after, done)
        if circle:
            text = " → ".join(circle)
            path = next(each.path for each in graph.steps if each.name in circle)
            mistakes.add((*path, "after"), f"these steps wait for each other: {text}")


def _circle(start: Identifier, after: Mapping[Identifier, Sequence[Identifier]], done: set[Identifier]) -> list[str]:
    """A circle that is reached from a step, if there is one; everything that was looked at is done then."""
    way: dict[Identifier, Iterator[Identifier]] = {}
    current = start
    if start in done:
        return []
    way[start] = iter(after[start])
    while way:
        current = next(reversed(way))
        following = next(way[current], None)
        if following is None:
            way.pop(current)
            done.add(current)
        elif following in way:
            names = list(way)
            done.update(names)
            return [*names[names.index(following) :], following]
        elif following not in done:
            way[following] = iter(after[following])
    return []


def _check_limits(graph: Graph, mistakes: Mistakes) -> None:
    tasks = len(graph.steps) + 2
    if tasks > MAX_TASKS:
        text = f"the graph {graph.name} has {tasks} tasks with its root and finalizer; Snowflake allows {MAX_TASKS}"
        mistakes.add((*graph.path, "steps"), text)
    children: dict[Identifier, int] = {}
    for step in graph.steps:
        if len(step.after) > MAX_LINKS:
            text = f"the step {step.name} runs after {len(step.after)} tasks; Snowflake allows {MAX_LINKS}"
            mistakes.add((*step.path, "after"), text)
        for name in step.after:
            children[name] = children.get(name, 0) + 1
    places = {step.name: step.path for step in graph.steps}
    for name, count in children.items():
        if count > MAX_LINKS:
            path = places.get(name, (*graph.path, "steps"))
            mistakes.add(path, f"{count} steps run after {name}; Snowflake allows {MAX_LINKS}")


# -- files -------------------------------------------------------------------------------------------------------------


def _check_slots(graphs: Sequence[Graph], context: SectionContext, mistakes: Mistakes) -> None:
    taken: dict[str, Graph] = {}
    for graph in graphs:
        slot = graph.trigger.slot
        if slot is None:
            continue
        key = "stream" if graph.trigger.mode is Mode.STREAM else "files"
        path = (*graph.path, "trigger", key)
        other = taken.setdefault(slot, graph)
        if other is not graph:
            text = f"the graph {other.name} takes the files of {slot} already"
            mistakes.add(path, text, "A file is dispatched once: let one graph take them, with steps for both.")
        else:
            _check_slot(slot, graph.trigger.mode, path, context, mistakes)
            _check_options(graph, path, mistakes)


def _check_options(graph: Graph, path: Path, mistakes: Mistakes) -> None:
    """What a slot says about the task that it would have without a graph is for nothing."""
    options = graph.trigger.options
    mode = "stream" if graph.trigger.mode is Mode.STREAM else "schedule"
    others = [name for name in ("procedure", "schedule", "state") if options.get(name) is not None]
    others += ["trigger"] if options.get("trigger") not in (None, mode) else []
    if others:
        names = ", ".join(repr(name) for name in others)
        text = f"in `stages` the slot {graph.trigger.slot} has {names}, and the graph {graph.name} takes its files"
        mistakes.add(path, text, "Say it in the graph.")
    lease = options.get("lease_seconds")
    if isinstance(lease, int) and lease * 1000 <= graph.longest_ms:
        longest = graph.longest_ms // 1000
        text = f"a run of the graph {graph.name} may take {longest} seconds, and lease_seconds is {lease}"
        mistakes.add(path, text, "Files of a run that still runs would be offered again: make the lease longer.")


def _check_slot(name: str, mode: Mode, path: Path, context: SectionContext, mistakes: Mistakes) -> None:
    declared = [str(each) for each in declared_slots(context.sections)]
    slot = {each.name: each for _, each in slots_of(context.hooks)}.get(name)
    if name not in declared or slot is None:
        text = f"the slot {name} is not declared in `stages`"
        mistakes.add(path, text, nearest(name, declared) or f"Add `{name}` to `stages`.")
        return
    if not slot.registry:
        mistakes.add(path, f"the slot {name} has no registry, so nobody knows which of its files are new")
    elif slot.party is not Party.PROVIDER:
        mistakes.add(path, f"the slot {name} is not for files that come in, so there are none to take")
    elif mode is Mode.STREAM and not slot.stream:
        mistakes.add(path, f"the slot {name} has no stream that could start a graph")
    elif mode is Mode.STREAM and slot.kept is Kept.INTERNAL:
        text = f"nothing refreshes the directory table of the internal stage of {name} by itself"
        mistakes.add(path, text, "Use `schedule` with `files`.")
