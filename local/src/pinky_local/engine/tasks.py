"""CREATE TASK, the verbs of ALTER TASK, and what else happens to tasks.

Rests on https://docs.snowflake.com/en/sql-reference/sql/create-task, alter-task, drop-task and
https://docs.snowflake.com/en/sql-reference/functions/system_task_dependents_enable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pinky_local.engine import context, errors, families, identifiers, properties, task_graphs
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.properties import Settings
from pinky_local.engine.specs import TYPES
from pinky_local.engine.statement import Statement
from pinky_local.engine.tokens import TokenStream

Change = Callable[[], None]


# reading ---------------------------------------------------------------------------------------------------------


def _name(tokens: TokenStream) -> tuple[str, ...]:
    """A task's name, bare or in a string."""
    return identifiers.parse_dotted(tokens.string()) if tokens.at_string() else tokens.name()


def _names(tokens: TokenStream) -> list[tuple[str, ...]]:
    found = [_name(tokens)]
    while tokens.accept_symbol(","):
        found.append(_name(tokens))
    return found


def _user(statement: Statement) -> str:
    (name,) = statement.tokens.name(1)
    statement.deferred_checks.append(lambda: statement.find("user", (name,)))
    return name


def _condition(tokens: TokenStream, *, stop: bool) -> str:
    """The text of a WHEN expression: up to AS outside of parentheses, or to the end of the statement."""
    first, depth = tokens.index, 0
    while not tokens.at_end():
        if tokens.is_symbol("("):
            depth += 1
        elif tokens.is_symbol(")"):
            depth -= 1
        elif stop and depth == 0 and tokens.word() == "AS":
            break
        tokens.index += 1
    text = tokens.text_between(first, tokens.index)
    if not text or depth:
        raise tokens.unexpected()
    return text


def _definition(tokens: TokenStream) -> str:
    if tokens.at_end():
        raise tokens.unexpected()
    return tokens.rest()


def _check_settings(settings: Settings) -> None:
    """Translate the old word for OVERLAP_POLICY and refuse session parameters that tasks do not take."""
    old = settings.properties.pop("ALLOW_OVERLAPPING_EXECUTION", None)
    if old is not None:
        if "OVERLAP_POLICY" in settings.properties:
            raise errors.duplicate_property("OVERLAP_POLICY")
        settings.properties["OVERLAP_POLICY"] = "ALLOW_CHILD_OVERLAP" if old else "NO_OVERLAP"
    if settings.parameters.get("SEARCH_PATH") is not None:
        raise errors.unsupported("SEARCH_PATH on TASK")
    if settings.parameters.get("AUTOCOMMIT") is False:
        raise errors.unsupported("AUTOCOMMIT = FALSE on TASK")


def _check_compute(task: CatalogObject) -> None:
    """A warehouse and the settings of serverless compute exclude each other."""
    if task.properties.get("WAREHOUSE") is None:
        return
    for name in ("USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE", "TARGET_COMPLETION_INTERVAL"):
        if name in task.parameters or task.properties.get(name) is not None:
            raise errors.compilation(2200, "22023", f"WAREHOUSE and {name} cannot be set on the same task.")


def _find(statement: Statement, names: list[tuple[str, ...]]) -> list[CatalogObject]:
    found: list[CatalogObject] = []
    for parts in names:
        task = statement.find("task", parts)
        if all(other.number != task.number for other in found):
            found.append(task)
    return found


# CREATE ----------------------------------------------------------------------------------------------------------


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE TASK name."""
    tokens = statement.tokens
    if tokens.word() == "CLONE":
        raise errors.unsupported("CREATE TASK … CLONE")
    after: list[tuple[str, ...]] = []
    finalize: list[tuple[str, ...]] = []
    condition: str | None = None
    while tokens.word() != "AS":
        if tokens.at("WITH", "CONTACT"):
            raise errors.unsupported("WITH CONTACT in CREATE TASK")
        if creation.mode == "alter" and (tokens.at("WITH", "TAG") or tokens.at("TAG")):
            raise errors.unsupported("TAG in CREATE OR ALTER TASK")
        if tokens.accept("AFTER"):
            after += _names(tokens)
        elif tokens.accept("FINALIZE"):
            tokens.expect_symbol("=")
            finalize = [_name(tokens)]
        elif tokens.accept("EXECUTE", "AS", "USER"):
            creation.settings.properties["EXECUTE AS USER"] = _user(statement)
        elif tokens.accept("WHEN"):
            condition = _condition(tokens, stop=True)
            if tokens.word() != "AS":
                raise tokens.unexpected()
        else:
            before = tokens.index
            properties.read_settings(statement, TYPES["task"], creating=True, settings=creation.settings)
            if tokens.index == before and not properties.read_tags_clause(statement, creation.settings):
                raise tokens.unexpected()
    tokens.expect("AS")
    definition = _definition(tokens)
    _check_settings(creation.settings)
    replaced: list[CatalogObject] = []

    def build(task: CatalogObject) -> None:
        existing = statement.catalog.get(task.parent, "task", task.name)
        if existing is not None and existing.number != task.number:
            replaced.append(existing)
        task.state.setdefault("state", task_graphs.SUSPENDED)
        task.state.update(definition=definition, condition=condition)
        _link(statement, task, _find(statement, after), _find(statement, finalize), replaced)

    def change(task: CatalogObject) -> None:
        if "EXECUTE AS USER" not in creation.settings.properties:
            task.properties.pop("EXECUTE AS USER", None)
        had = task_graphs.predecessors(statement, task)
        was = task_graphs.finalized(statement, task)
        build(task)
        if had:
            task_graphs.orphaned(statement, task)
        if was is not None and not finalize:
            task_graphs.unfinalize(statement, task)

    def finish(task: CatalogObject) -> None:
        for old in replaced:
            task_graphs.relink(statement, old, task)

    creation.build.append(build)
    creation.alter.append(change)
    creation.finish.append(finish)


def _link(
    statement: Statement,
    task: CatalogObject,
    after: list[CatalogObject],
    finalize: list[CatalogObject],
    replaced: list[CatalogObject],
) -> None:
    """Give a new task or a draft its links and check them."""
    known = (*task.state.get("after", ()), task.state.get("finalize"))
    for other in (*after, *finalize):
        if other.number not in known:
            task_graphs.check_link(statement, task, other)
    task.state["after"] = [other.number for other in after]
    task.state["finalize"] = finalize[0].number if finalize else None
    _check_compute(task)
    task_graphs.check_shape(statement, task, replaced[0] if replaced else None)
    task_graphs.note_links(statement, task)


# ALTER -----------------------------------------------------------------------------------------------------------


def read_alter(statement: Statement, task: CatalogObject) -> Change | None:
    """Read a verb of ALTER TASK; SET TAG and UNSET TAG are every type's."""
    tokens = statement.tokens
    if tokens.word() in ("RESUME", "SUSPEND"):
        verb = tokens.any_word()
        return lambda: _resume(statement, task) if verb == "RESUME" else _suspend(statement, task)
    if tokens.accept("ADD", "AFTER"):
        names = _names(tokens)
        return lambda: _add_after(statement, task, names)
    if tokens.accept("REMOVE", "AFTER"):
        names = _names(tokens)
        return lambda: _remove_after(statement, task, names)
    if tokens.accept("MODIFY", "AS"):
        definition = _definition(tokens)
        return lambda: _edit(statement, task, lambda draft: draft.state.update(definition=definition))
    if tokens.accept("MODIFY", "WHEN"):
        condition = _condition(tokens, stop=False)
        return lambda: _edit(statement, task, lambda draft: draft.state.update(condition=condition))
    if tokens.accept("REMOVE", "WHEN"):
        return lambda: _edit(statement, task, lambda draft: draft.state.update(condition=None))
    if tokens.at("SET", "TAG") or tokens.at("UNSET", "TAG"):
        return None
    if tokens.accept("SET"):
        return _read_set(statement, task)
    if tokens.accept("UNSET"):
        return _read_unset(statement, task)
    return None


def _edit(statement: Statement, task: CatalogObject, edit: Callable[[CatalogObject], object]) -> None:
    """Change a copy of a task, check it, put it in the task's place."""
    statement.require(task, "OWNERSHIP")
    task_graphs.check_suspended(statement, task)
    draft = task.draft()
    edit(draft)
    _check_compute(draft)
    task_graphs.check_shape(statement, draft)
    statement.catalog.replace(task, draft)
    task_graphs.note_links(statement, draft)


def _resume(statement: Statement, task: CatalogObject) -> None:
    statement.require(task, "OPERATE")
    if task.state.get("state") == task_graphs.STARTED:
        return
    task_graphs.check_suspended(statement, task)
    task_graphs.check_resume(statement, task)
    task.state["state"] = task_graphs.STARTED
    if task_graphs.is_root(statement, task):
        for member in task_graphs.below(statement, task):
            member.state["last_committed_on"] = statement.now


def _suspend(statement: Statement, task: CatalogObject) -> None:
    statement.require(task, "OPERATE")
    if any(root.number != task.number for root in task_graphs.roots(statement, task)):
        task_graphs.check_suspended(statement, task)
    task_graphs.suspend(statement, task, "USER_SUSPENDED")


def _add_after(statement: Statement, task: CatalogObject, names: list[tuple[str, ...]]) -> None:
    others = _find(statement, names)
    statement.require(task, "OWNERSHIP")

    def edit(draft: CatalogObject) -> None:
        held = [other.number for other in task_graphs.predecessors(statement, draft)]
        for other in others:
            if other.number == draft.number:
                raise task_graphs.graph_error(f"Task {identifiers.printed(task.name)} cannot be its own predecessor.")
            task_graphs.check_link(statement, draft, other)
            if other.number not in held:
                held.append(other.number)
        draft.state["after"] = held

    if task.state.get("state") == task_graphs.STARTED and task_graphs.is_root(statement, task):
        raise task_graphs.not_suspended(statement, task)
    _edit(statement, task, edit)


def _remove_after(statement: Statement, task: CatalogObject, names: list[tuple[str, ...]]) -> None:
    gone = _find(statement, names)
    held = [other.number for other in task_graphs.predecessors(statement, task)]
    for other in gone:
        if other.number not in held:
            raise task_graphs.graph_error(
                f"Task {statement.catalog.printed(other)} is not a predecessor of task {identifiers.printed(task.name)}."
            )

    def edit(draft: CatalogObject) -> None:
        draft.state["after"] = [number for number in held if number not in {other.number for other in gone}]
        task_graphs.orphaned(statement, draft)

    _edit(statement, task, edit)


def _read_set(statement: Statement, task: CatalogObject) -> Change:
    tokens = statement.tokens
    settings = Settings()
    finalize: list[tuple[str, ...]] = []
    start = tokens.index
    while not tokens.at_end():
        before = tokens.index
        if tokens.word() == "CONTACT":
            raise errors.unsupported("SET CONTACT")
        if tokens.accept("FINALIZE"):
            tokens.expect_symbol("=")
            finalize = [_name(tokens)]
        elif tokens.accept("EXECUTE", "AS", "USER"):
            settings.properties["EXECUTE AS USER"] = _user(statement)
        else:
            properties.read_settings(statement, TYPES["task"], creating=False, settings=settings)
        if tokens.index == before:
            raise tokens.unexpected()
        tokens.accept_symbol(",")
    if tokens.index == start:
        raise tokens.unexpected()
    _check_settings(settings)

    def edit(draft: CatalogObject) -> None:
        settings.apply(draft)
        for root in _find(statement, finalize):
            task_graphs.check_link(statement, draft, root)
            draft.state["finalize"] = root.number

    return lambda: _edit(statement, task, edit)


def _read_unset(statement: Statement, task: CatalogObject) -> Change:
    tokens = statement.tokens
    if tokens.word() == "CONTACT" or tokens.at("DCM", "PROJECT"):
        raise errors.unsupported(f"UNSET {tokens.word()}")
    if tokens.accept("FINALIZE"):
        return lambda: _edit(statement, task, lambda draft: _unfinalize(statement, draft))
    if tokens.accept("EXECUTE", "AS", "USER"):
        return lambda: _edit(statement, task, lambda draft: draft.properties.pop("EXECUTE AS USER", None))
    if tokens.word() == "ALLOW_OVERLAPPING_EXECUTION":
        tokens.index += 1
        return lambda: _edit(statement, task, lambda draft: draft.properties.pop("OVERLAP_POLICY", None))
    names = properties.read_unset(statement, TYPES["task"])
    return lambda: _edit(statement, task, lambda draft: properties.unset(draft, names))


def _unfinalize(statement: Statement, draft: CatalogObject) -> None:
    if task_graphs.finalized(statement, draft) is not None:
        task_graphs.unfinalize(statement, draft)


# DROP, GRANT OWNERSHIP, system functions ----------------------------------------------------------------------


def leave(statement: Statement, task: CatalogObject) -> None:
    """Before DROP or OR REPLACE: the root must be suspended. DROP then cuts the links, OR REPLACE keeps them."""
    task_graphs.check_suspended(statement, task)
    if statement.tokens.tokens[0].value == "DROP":
        task_graphs.sever(statement, task)


def owner_changed(statement: Statement, task: CatalogObject) -> None:
    """GRANT OWNERSHIP suspends a task and, unless it is given ON ALL TASKS, cuts its links."""
    task_graphs.suspend(statement, task, "GRANT_OWNERSHIP")
    if statement.tokens.tokens[3].value != "ALL":
        task_graphs.sever(statement, task)


def enable_dependents(statement: Statement, arguments: Sequence[Any]) -> None:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: resume a task and everything after it."""
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise errors.compilation(
            938, "22023", f"invalid arguments for function [SYSTEM$TASK_DEPENDENTS_ENABLE], got {len(arguments)}"
        )
    task = statement.find("task", identifiers.parse_dotted(arguments[0]))
    members = task_graphs.below(statement, task)
    for member in members:
        statement.require(member, "OPERATE")
        task_graphs.check_resume(statement, member)
    if any(member.state.get("state") != task_graphs.STARTED for member in members):
        task_graphs.check_suspended(statement, task)
    for member in members:
        if member.state.get("state") != task_graphs.STARTED:
            member.state["state"] = task_graphs.STARTED
        member.state["last_committed_on"] = statement.now
    statement.account.changed = True


families.CREATE["task"] = read_create
families.ALTER["task"] = read_alter
families.CHANGE_CHECK["task"] = task_graphs.check_suspended
families.DROP_CHECK["task"] = leave
families.OWNER_CHANGED["task"] = owner_changed
context.NEEDS_STATEMENT["SYSTEM$TASK_DEPENDENTS_ENABLE"] = enable_dependents
