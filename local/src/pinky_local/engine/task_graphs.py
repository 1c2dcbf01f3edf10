"""Task graphs: who runs after whom, and what may change while the root is started.

Links are object numbers: ``state["after"]`` of a child and ``state["finalize"]`` of a finalizer. ``state["children"]``
and ``state["finalizer"]`` are the way back and count only where the other end agrees, so that a link is one fact; the
number of a task that is gone is no link. https://docs.snowflake.com/en/user-guide/tasks-graphs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_local.engine import identifiers
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import CatalogObject
from pinky_local.types import SqlError

if TYPE_CHECKING:
    from pinky_local.engine.statement import Statement

MOST_LINKS = 100
MOST_TASKS = 1000
STARTED, SUSPENDED = "started", "suspended"


def predecessors(statement: Statement, task: CatalogObject) -> list[CatalogObject]:
    """The tasks this one runs after."""
    objects = statement.catalog.objects
    return [objects[number] for number in task.state.get("after", ()) if number in objects]


def children(statement: Statement, task: CatalogObject) -> list[CatalogObject]:
    """The tasks that run after this one."""
    objects = statement.catalog.objects
    known = (objects.get(number) for number in task.state.get("children", ()))
    return [other for other in known if other is not None and task.number in other.state.get("after", ())]


def finalized(statement: Statement, task: CatalogObject) -> CatalogObject | None:
    """The root that a finalizer belongs to."""
    number = task.state.get("finalize")
    return statement.catalog.objects.get(number) if number is not None else None


def finalizer(statement: Statement, task: CatalogObject) -> CatalogObject | None:
    """The task that finalizes graphs of this root."""
    number = task.state.get("finalizer")
    other = statement.catalog.objects.get(number) if number is not None else None
    return other if other is not None and other.state.get("finalize") == task.number else None


def note_links(statement: Statement, task: CatalogObject) -> None:
    """Write the way back to a task into those it is linked to."""
    for other in predecessors(statement, task):
        held = [child.number for child in children(statement, other)]
        if task.number not in held:
            other.state["children"] = [*held, task.number]
    root = finalized(statement, task)
    if root is not None:
        root.state["finalizer"] = task.number


def roots(statement: Statement, task: CatalogObject) -> list[CatalogObject]:
    """The roots of every graph a task is in: itself when nothing is before it. Safe against cycles."""
    waiting, seen, found = [task], {task.number}, []
    while waiting:
        current = waiting.pop()
        before = predecessors(statement, current)
        root = finalized(statement, current)
        if root is not None:
            before = [*before, root]
        if not before:
            found.append(current)
        for other in before:
            if other.number not in seen:
                seen.add(other.number)
                waiting.append(other)
    return found


def below(statement: Statement, root: CatalogObject) -> list[CatalogObject]:
    """A task, everything that runs after it, directly or not, and its finalizer."""
    found, waiting, seen = [], [root], {root.number}
    while waiting:
        current = waiting.pop()
        found.append(current)
        last = finalizer(statement, current)
        for other in (*children(statement, current), *((last,) if last is not None else ())):
            if other.number not in seen:
                seen.add(other.number)
                waiting.append(other)
    return found


def is_root(statement: Statement, task: CatalogObject) -> bool:
    """Whether nothing is before a task."""
    return not predecessors(statement, task) and finalized(statement, task) is None


def is_alone(statement: Statement, task: CatalogObject) -> bool:
    """Whether a task is in no graph with another."""
    return is_root(statement, task) and not children(statement, task) and finalizer(statement, task) is None


def graph_error(text: str) -> SqlError:
    """091421 (number a guess, texts as clients quote them): a refusal of a task graph."""
    return SqlError(91421, "23001", text)


def check_suspended(statement: Statement, task: CatalogObject) -> None:
    """Raise unless every root of the task's graphs is suspended.

    A task in no graph may change while it is started (behaviour change bundle 2026_06).
    """
    if is_alone(statement, task):
        return
    _check_roots(statement, task)


def not_suspended(statement: Statement, root: CatalogObject) -> SqlError:
    """091421: the graph's root is started."""
    name = statement.catalog.printed(root)
    return graph_error(f"Unable to update graph with root task {name} since that root task is not suspended.")


def _check_roots(statement: Statement, task: CatalogObject) -> None:
    for root in roots(statement, task):
        if root.state.get("state") == STARTED:
            raise not_suspended(statement, root)


def check_link(statement: Statement, task: CatalogObject, other: CatalogObject) -> None:
    """Raise unless a task may be linked to another: same schema, same owner, no finalizer before it, root suspended."""
    name = statement.catalog.printed(other)
    if other.parent != task.parent:
        raise graph_error(f"Invalid graph: task {name} is in another schema than task {task.name}.")
    if other.owner != task.owner:
        raise graph_error(f"Invalid graph: task {name} and task {task.name} do not have the same owner.")
    if finalized(statement, other) is not None:
        raise graph_error(f"Finalizer task {name} cannot be a predecessor.")
    _check_roots(statement, other)


def check_shape(statement: Statement, task: CatalogObject, replaced: CatalogObject | None = None) -> None:
    """Raise where what a task declares contradicts its place in a graph.

    ``task`` may be a draft. ``replaced`` is the task whose place, children and finalizer it takes with OR REPLACE.
    """
    before = predecessors(statement, task)
    root = finalized(statement, task)
    shown = identifiers.printed(task.name)
    if root is not None:
        _check_finalizer(statement, task, root, replaced)
    if before and task.properties.get("SCHEDULE"):
        raise graph_error(f"Task {shown} cannot have both a schedule and a predecessor.")
    if len(before) > MOST_LINKS:
        raise graph_error(f"Task {shown} cannot have more than {MOST_LINKS} predecessors.")
    if before or root is not None:
        _check_root_only(task)
    own = {task.number, replaced.number if replaced is not None else task.number}
    for other in before:
        if len({child.number for child in children(statement, other)} - own) >= MOST_LINKS:
            raise graph_error(f"Task {identifiers.printed(other.name)} cannot have more than {MOST_LINKS} child tasks.")
    for top in roots(statement, task):
        if top.number != task.number and len({found.number for found in below(statement, top)} - own) >= MOST_TASKS:
            raise graph_error(f"A task graph cannot have more than {MOST_TASKS} tasks.")


def _check_finalizer(
    statement: Statement, task: CatalogObject, root: CatalogObject, replaced: CatalogObject | None
) -> None:
    shown, name = identifiers.printed(task.name), identifiers.printed(root.name)
    if task.properties.get("SCHEDULE") or predecessors(statement, task):
        raise graph_error(f"Finalizer task {shown} can have neither a schedule nor a predecessor.")
    if children(statement, task) or (replaced is not None and children(statement, replaced)):
        raise graph_error(f"Task {shown} has child tasks and cannot be a finalizer.")
    if not is_root(statement, root):
        raise graph_error(f"Task {name} is not a root task and cannot be finalized.")
    held = finalizer(statement, root)
    if held is not None and held.number not in (task.number, replaced.number if replaced is not None else task.number):
        raise graph_error(f"Root task {name} already has a finalizer task.")


def _check_root_only(task: CatalogObject) -> None:
    for name, word in (("OVERLAP_POLICY", "allow_overlapping_execution"), ("CONFIG", "config")):
        if task.properties.get(name) is not None:
            raise graph_error(f"Cannot set {word} on non-root task")
    if "TASK_AUTO_RETRY_ATTEMPTS" in task.parameters:
        raise graph_error("Cannot set task_auto_retry_attempts on non-root task")


def check_owner(statement: Statement, task: CatalogObject) -> None:
    """Raise unless the owner of a task may run it: EXECUTE TASK, and its warehouse or EXECUTE MANAGED TASK."""
    access = statement.access
    public = access.role_named("PUBLIC")
    roles: frozenset[int] = frozenset() if public is None else frozenset({public.number})
    if task.owner is not None:
        roles |= access.closure(task.owner)
    if not access.holds_account(roles, "EXECUTE TASK"):
        raise _may_not_run("EXECUTE TASK privilege")
    name = task.properties.get("WAREHOUSE")
    warehouse = statement.catalog.get(ACCOUNT, "warehouse", name) if name is not None else None
    if name is None and not access.holds_account(roles, "EXECUTE MANAGED TASK"):
        raise _may_not_run("EXECUTE MANAGED TASK privilege")
    if name is not None and (warehouse is None or not access.holds(roles, warehouse, "USAGE")):
        raise _may_not_run("USAGE privilege on the task's warehouse")


def check_resume(statement: Statement, task: CatalogObject) -> None:
    """Raise unless a task may be started: owner's privileges, something to run it, one root, no cycle."""
    check_owner(statement, task)
    if not is_root(statement, task):
        return
    name = task.properties.get("WAREHOUSE")
    triggered = task.state.get("condition") and not task.properties.get("SCHEDULE")
    if name is None and triggered and not task.properties.get("TARGET_COMPLETION_INTERVAL"):
        raise graph_error("TARGET_COMPLETION_INTERVAL must be set for a serverless triggered task.")
    check_graph(statement, task)


def _may_not_run(privilege: str) -> SqlError:
    """091089: the owner of a task lacks what running it takes (the text is known for EXECUTE TASK)."""
    return SqlError(91089, "23001", f"Cannot execute task , {privilege} must be granted to owner role")


def check_graph(statement: Statement, root: CatalogObject) -> None:
    """Raise where a graph about to start has a cycle or a second root."""
    members = {task.number: task for task in below(statement, root)}
    done = {root.number}
    while True:
        ready = [
            task.number
            for task in members.values()
            if task.number not in done
            and all(other.number in done or other.number not in members for other in predecessors(statement, task))
        ]
        if not ready:
            break
        done.update(ready)
    stuck = sorted(task.name for task in members.values() if task.number not in done)
    if stuck:
        raise graph_error(f"Graph has at least one cycle containing task {identifiers.printed(stuck[0])}.")
    for task in members.values():
        if len(roots(statement, task)) > 1:
            raise graph_error(f"Task {identifiers.printed(task.name)} has more than one root task.")


def suspend(statement: Statement, task: CatalogObject, reason: str) -> None:
    """Suspend a started task and note when and why; an already suspended one keeps its note."""
    if task.state.get("state") == STARTED or reason == "USER_SUSPENDED":
        task.state.update(state=SUSPENDED, last_suspended_on=statement.now, last_suspended_reason=reason)


def orphaned(statement: Statement, task: CatalogObject) -> None:
    """A child that lost its last predecessor is a suspended root."""
    if not predecessors(statement, task):
        task.state.update(state=SUSPENDED, last_suspended_on=statement.now, last_suspended_reason="CHILD_BECAME_ROOT")


def sever(statement: Statement, task: CatalogObject) -> None:
    """Cut every link of a task that is dropped or changes hands."""
    for child in children(statement, task):
        child.state["after"] = [number for number in child.state["after"] if number != task.number]
        orphaned(statement, child)
    last = finalizer(statement, task)
    if last is not None:
        unfinalize(statement, last)
    task.state.update(after=[], finalize=None)


def unfinalize(statement: Statement, task: CatalogObject) -> None:
    """A finalizer that lost its root is a suspended task of its own."""
    task.state.update(
        finalize=None,
        state=SUSPENDED,
        last_suspended_on=statement.now,
        last_suspended_reason="FINALIZER_BECAME_ROOT",
    )


def relink(statement: Statement, old: CatalogObject, new: CatalogObject) -> None:
    """Point the links of a replaced task at the one that replaced it (a guess: no page says they are cut)."""
    objects = statement.catalog.objects
    for number in old.state.get("children", ()):
        child = objects.get(number)
        if child is not None and old.number in child.state.get("after", ()):
            child.state["after"] = [new.number if entry == old.number else entry for entry in child.state["after"]]
            note_links(statement, child)
    last = objects.get(old.state.get("finalizer") or 0)
    if last is not None and last.state.get("finalize") == old.number:
        last.state["finalize"] = new.number
        note_links(statement, last)
    note_links(statement, new)
