"""The pipeline, as steps a reader can recite: load, expand, declare, check, read, plan, check again, apply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import attrs

from pinky_core.address import Address, Identifier, parse_path, sql_path
from pinky_core.apply import Event, Outcome, Report, check_fresh, run_plan
from pinky_core.boundary import check_boundary
from pinky_core.collector import collector_paused
from pinky_core.connection import as_session
from pinky_core.consequences import without_consequences
from pinky_core.declare import SCOPES, Declarer
from pinky_core.diagnostics import Diagnostic, Location, has_errors
from pinky_core.errors import BlockedPlanError, BoundaryError, DiagnosticsError, SecretError, StalePlanError
from pinky_core.live import read_live
from pinky_core.logs import LazyLogger
from pinky_core.manifest import FolderSource, Manifest, ManifestSource, SectionDocument, load_manifest, read_file
from pinky_core.plan import Plan, declared_fields, make_plan
from pinky_core.plugins import Registry, load_plugins
from pinky_core.read import Reader
from pinky_core.resource import Declared, Place, Resource
from pinky_core.secret import SecretReference, resolve_secret
from pinky_core.section import Expanded, Section, SectionContext, SectionError
from pinky_core.session import RetryingSession, RetryPolicy, Session
from pinky_core.validate import Validator, check_schema
from pinky_core.values import SqlText

__all__ = ["Desired", "Provider", "validate_manifest"]

log = LazyLogger("pinky.engine")

DEPTH_OF_SCOPE: Mapping[str, int] = {"account": 0, "database": 1, "schema": 2}


@attrs.frozen
class Desired:
    """What a manifest declares, sound and complete, before anything was read.

    ``env`` is the environment it was read for, ``variables`` the variables there.
    """

    scope: str
    target: tuple[Identifier, ...]
    resources: tuple[Declared, ...]
    warnings: tuple[Diagnostic, ...] = ()
    env: str | None = None
    variables: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


class _Locate(Protocol):
    def __call__(self, path: tuple[str | int, ...], *, key: bool = False) -> Location: ...


@attrs.frozen
class _Item:
    """A document on its way to the declarer: from a file, or expanded from a section."""

    kind: str
    plain: Mapping[str, Any]
    location: Location
    kind_location: Location
    locate: _Locate
    origin: str = ""

    def location_of(self, path: tuple[str | int, ...], *, key: bool = False) -> Location:
        """The place of the deepest part on a path; with ``key``, of the field's name."""
        return self.locate(path, key=key)


@collector_paused()
def validate_manifest(
    source: ManifestSource | str | Path,
    registry: Registry,
    *,
    target: str | None = None,
    env: str | None = None,
    variables: Mapping[str, Any] | None = None,
    scopes: Collection[str] = ("schema", "database", "account"),
) -> Desired:
    """Everything that can be known without a session. Raises `DiagnosticsError` with all mistakes at once.

    ``target`` overrides the manifest's; ``scopes`` are those the caller may act in.
    """
    manifest = load_manifest(
        as_source(source),
        env=env,
        variables=variables or {},
        sections=tuple(registry.sections),
        target=target,
        kinds=tuple(registry.kinds),
    )
    problems: list[Diagnostic] = list(manifest.diagnostics)
    scope = manifest.scope if manifest.scope in SCOPES else "account"
    if scope not in scopes:
        summary = f"this manifest has scope {scope}; what is installed and called here may act in: {', '.join(scopes)}"
        problems.append(Diagnostic.error("wrong-scope", summary, location=Location(manifest.file, 1, 1)))
        raise DiagnosticsError(in_file_order(problems))  # what the kinds may be depends on it
    path = _target_of(manifest, scope, problems)
    items = [*_written(manifest, registry, problems), *_expanded(manifest, registry, scope, path, problems)]
    declarer = Declarer(registry, scope, path, problems)
    declared = declarer.declare(items)
    if not has_errors(problems):
        for found in registry.manager.hook.pinky_check_resources(resources=declared):
            problems.extend(found)
    if has_errors(problems):
        raise DiagnosticsError(without_consequences(in_file_order(problems), manifest.file))
    return Desired(scope, path, tuple(declared), tuple(problems), manifest.env, manifest.variables)


def in_file_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Diagnostics as a reader meets their places."""
    nowhere = Location("", 0, 0)
    return sorted(diagnostics, key=lambda each: each.location or nowhere)


def as_source(given: ManifestSource | str | Path) -> ManifestSource:
    """A source from a path, or the source itself."""
    return FolderSource(Path(given)) if isinstance(given, (str, Path)) else given


def _target_of(manifest: Manifest, scope: str, problems: list[Diagnostic]) -> tuple[Identifier, ...]:
    depth = DEPTH_OF_SCOPE[scope]
    place = manifest.target_location
    if not manifest.target:
        if depth:
            summary = f"a manifest of scope {scope} needs a target: {'DB.SCHEMA' if depth == 2 else 'DB'}"
            problems.append(Diagnostic.error("no-target", summary, hint="Give `target:` or --target.", location=place))
        return ()
    try:
        path = parse_path(manifest.target)
    except ValueError as error:
        problems.append(Diagnostic.error("target", f"target: {error}", location=place))
        return ()
    if len(path) != depth:
        wanted = ("no target: it is about the account itself", "a database as its target", "DB.SCHEMA as its target")
        summary = f"a manifest of scope {scope} has {wanted[depth]}; found {manifest.target!r}"
        problems.append(Diagnostic.error("target", summary, location=place))
        return ()
    return path


def _written(manifest: Manifest, registry: Registry, problems: list[Diagnostic]) -> Iterable[_Item]:
    """The documents of the files, with file references replaced by what the files hold."""
    for document in manifest.documents:
        plain: Mapping[str, Any] = document.plain
        cls = registry.kinds.get(document.kind)
        references = list(_file_references(cls, plain)) if cls is not None else []
        for field, path in references:
            try:
                plain = {**plain, field: read_file(document, path, (field, "file"))}
            except DiagnosticsError as error:
                problems.extend(error.diagnostics)
                plain = {**plain, field: "(unreadable)"}  # so that nothing else is said about the field
        yield _Item(document.kind, plain, document.location, document.kind_location, document.location_of)


def _file_references(cls: type[Resource], plain: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Fields given as ``{file: path}``, with the path."""
    for field in cls.spec.fields:
        value = plain.get(field.name)
        if not (field.file or field.type is SqlText):
            continue
        if isinstance(value, Mapping) and set(value) == {"file"} and isinstance(value["file"], str):
            yield field.name, value["file"]


def _expanded(
    manifest: Manifest, registry: Registry, scope: str, target: tuple[Identifier, ...], problems: list[Diagnostic]
) -> Iterable[_Item]:
    """The resources that sections stand for; a section with mistakes expands to nothing."""
    values = {document.key: document.plain for document in manifest.sections}
    hooks = registry.manager.hook
    context = SectionContext(Place(target), manifest.variables, manifest.env, values, hooks)
    for document in manifest.sections:
        section = registry.sections[document.key]
        if section.scope not in SCOPES[scope]:
            summary = f"the section {section.key} needs a manifest of scope {section.scope}; this one has scope {scope}"
            problems.append(Diagnostic.error("wrong-scope", summary, location=document.key_location))
            continue
        found = check_schema(document, Validator(section.schema_with(hooks)), f"the section {section.key}")
        problems.extend(found)
        for each in () if found else _resources_of(section, document, context, problems):
            place = document.location_of(each.path)
            yield _Item(each.kind, each.document, place, place, _constant(place), each.origin)


def _resources_of(
    section: Section, document: SectionDocument, context: SectionContext, problems: list[Diagnostic]
) -> list[Expanded]:
    """What one section stands for; nothing where it has mistakes, which are told with their places."""
    try:
        return list(section.expand(document.plain, context))
    except SectionError as error:
        mistakes = error.mistakes
    except ValueError as error:
        mistakes = (((), str(error)),)
    for path, text in mistakes:
        place = document.location_of(path)
        problems.append(Diagnostic.error("section", f"{section.key}: {text}", path=path, location=place))
    return []


def _constant(place: Location) -> _Locate:
    return lambda _path, *, key=False: place


class Provider:
    """Plans and applies manifests with every installed plugin, or with those given.

    ``session`` is a connection of the connector, a Snowpark session, or any `Session`; the attribute is that session
    under the retry policy. ``scopes`` are the scopes a manifest may have here.
    """

    scopes: ClassVar[tuple[str, ...]] = ("schema", "database", "account")

    def __init__(
        self,
        session: Any,
        *,
        registry: Registry | None = None,
        workers: int = 8,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.registry = registry if registry is not None else load_plugins()
        self.session: Session = RetryingSession(as_session(session, concurrency=workers), retry)
        self._workers = workers

    def plan(
        self,
        source: ManifestSource | str | Path,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - the public word of the product
        *,
        env: str | None = None,
        prune: bool = False,
    ) -> Plan:
        """What applying a manifest would do. Raises `DiagnosticsError` for mistakes, before anything is sent."""
        desired = self.validate(source, target, vars, env=env)
        return self.plan_desired(desired, prune=prune)

    def validate(
        self,
        source: ManifestSource | str | Path,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - the public word of the product
        *,
        env: str | None = None,
    ) -> Desired:
        """What a manifest declares. Raises `DiagnosticsError` with all mistakes.

        ``source`` may also be a stage or a Git repository (`pinky_core.sources`); then its files are read, and nothing
        else is sent.
        """
        opened = self.open(source)
        desired = validate_manifest(
            opened, self.registry, target=target, env=env, variables=vars, scopes=self.scopes
        )
        if hasattr(opened, "settled"):  # a stage, whose files may change while they are read
            opened.settled()
        return desired

    def open(self, given: ManifestSource | str | Path) -> ManifestSource:
        """The source that is meant; a branch or tag of a Git repository is looked up, so that it is one commit.

        Raises `DiagnosticsError` for a stage or repository that cannot be read, or that has no manifest there.
        """
        if isinstance(given, str) and (given.startswith("@") or ":/" in given):
            from pinky_core.sources import StageSource, open_source  # only where a manifest may lie in Snowflake

            opened = open_source(given, self.session)  # type: ignore[arg-type]  # a RetryingSession reads files
            if isinstance(opened, StageSource) and not opened.list("manifest.y*ml"):
                raise DiagnosticsError([Diagnostic.error("source", f"there is no manifest.yml in {opened.name}/")])
            return opened
        return as_source(given)

    @collector_paused()
    def plan_desired(
        self, desired: Desired, *, prune: bool = False, expected: Iterable[tuple[str, tuple[Identifier, ...]]] = ()
    ) -> Plan:
        """The plan for what is declared: reads what is live and compares.

        ``expected`` are containers, as kind and path, that the caller makes before it runs the plan: that they are not
        there is no mistake.
        """
        if prune and desired.scope != "schema":
            summary = f"pruning needs a target schema; this manifest has scope {desired.scope}"
            raise DiagnosticsError([Diagnostic.error("prune", summary)])
        with Reader(self.session, workers=self._workers) as reader:
            context = reader.context()
            wanted = [(each.address, each.former, declared_fields(each.body)) for each in desired.resources]
            live = read_live(reader, self.registry.kinds, wanted, str(context["role"]), expected)
            log.info("read", statements=reader.statements, live=len(live))
        return self.plan_from(desired, live, context, prune=prune)

    def plan_from(
        self,
        desired: Desired,
        live: Mapping[Address, Resource],
        context: Mapping[str, Any],
        *,
        prune: bool = False,
    ) -> Plan:
        """The plan for what is declared beside what was read: ``context`` tells account and role."""
        kinds = {each.address.kind for each in desired.resources}
        plan = make_plan(
            desired.resources, live, scope=desired.scope, target=desired.target, prune=prune, managed_kinds=kinds
        )
        plan = attrs.evolve(
            plan,
            account=str(context["account"]),
            role=str(context["role"]),
            diagnostics=(*desired.warnings, *plan.diagnostics),
        )
        self._check_boundary(plan)
        found = [each for answer in self.registry.manager.hook.pinky_check_plan(plan=plan) for each in answer]
        return attrs.evolve(plan, diagnostics=(*plan.diagnostics, *found))

    def apply(
        self,
        source: Plan | ManifestSource | str | Path,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - the public word of the product
        *,
        env: str | None = None,
        allow: Collection[str] = (),
        prune: bool = False,
        on_event: Callable[[Event], None] = lambda event: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """Apply a manifest, or a plan made before.

        A plan is refused with `StalePlanError` when the account has changed since. Destructive changes are refused
        with `BlockedPlanError` unless ``allow`` covers them (see `Plan.blocked`). A ``target`` given with a plan must
        be the plan's own.
        """
        if isinstance(source, Plan):
            plan = source
            if plan.scope not in self.scopes:
                raise BoundaryError(f"this is a plan of scope {plan.scope}; allowed here: {', '.join(self.scopes)}")
            if target is not None and parse_path(target) != plan.target:
                raise BoundaryError(f"this is a plan for {sql_path(plan.target) or 'the account'}, not for {target}")
            self._check_boundary(plan)
            self._check_fresh(plan)
        else:
            plan = self.plan(source, target, vars, env=env, prune=prune)
        return self.run(plan, allow=allow, on_event=on_event, stop=stop)

    def run(
        self,
        plan: Plan,
        *,
        allow: Collection[str] = (),
        on_event: Callable[[Event], None] = lambda event: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """Run a plan of this provider that was made just now: whether the account has moved since is not asked."""
        self.check(plan, allow)

        def tell(event: Event) -> None:
            on_event(event)
            if event.outcome is not Outcome.STARTED:
                self._tell_plugins(event)

        return run_plan(
            plan,
            self.session,
            resolve=lambda reference: resolve_secret(reference, self.registry.resolvers),
            workers=self._workers,
            on_event=tell,
            stop=stop,
            kinds=self.registry.kinds,
        )

    def check(self, plan: Plan, allow: Collection[str] = ()) -> None:
        """Raise what keeps a plan from running, before anything runs.

        `BoundaryError`, `DiagnosticsError`, `BlockedPlanError` or `SecretError`.
        """
        self._check_boundary(plan)
        if has_errors(plan.diagnostics):
            raise DiagnosticsError(plan.diagnostics)
        blocked = plan.blocked(allow)
        if blocked:
            raise BlockedPlanError([f"{c.address}: {c.reason}; loses {c.loses}" for c in blocked])
        self._check_secrets(plan)

    def _check_secrets(self, plan: Plan) -> None:
        """Every secret has a value before the first statement runs; raise `SecretError` naming all that have none."""
        statements = [*plan.statements(), *(s for guard in plan.guards for s in (*guard.opening, *guard.closing))]
        references = {part for each in statements for part in each.parts if isinstance(part, SecretReference)}
        missing = []
        for reference in sorted(references):
            try:
                resolve_secret(reference, self.registry.resolvers)
            except SecretError as error:
                missing.append(str(error))
        if missing:
            raise SecretError("secrets of this plan have no value here; nothing was run: " + "; ".join(missing))

    def _tell_plugins(self, event: Event) -> None:
        try:
            self.registry.manager.hook.pinky_change_applied(event=event)
        except Exception:
            log.exception("a plugin failed in pinky_change_applied", change=event.name)

    def _check_boundary(self, plan: Plan) -> None:
        """A plan for one schema never leaves it, whoever wrote its statements."""
        if plan.scope == "schema":
            check_boundary(plan.changes, plan.guards, plan.target)

    def _check_fresh(self, plan: Plan) -> None:
        """Read again what the plan touches; raise `StalePlanError` when it is not as the plan saw it."""
        with Reader(self.session, workers=self._workers) as reader:
            context = reader.context()
            if str(context["account"]) != plan.account:
                raise StalePlanError([f"the plan was made on account {plan.account}, this is {context['account']}"])
            if str(context["role"]) != plan.role:
                raise StalePlanError([f"the plan was made by role {plan.role}, this is {context['role']}"])
            wanted = [(each.address, each.former, each.read_fields) for each in plan.changes]
            planned = {address for address, _, _ in wanted}
            roots = {guard.root for guard in plan.guards if guard.root is not None} - planned
            wanted += [(root, None, ()) for root in sorted(roots)]
            live = read_live(reader, self.registry.kinds, wanted, plan.role)
        check_fresh(plan, live)
