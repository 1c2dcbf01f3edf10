"""What procedures and functions share: arguments, handlers, bodies, and how Snowflake tells them.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure,
https://docs.snowflake.com/en/sql-reference/sql/create-function,
https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-naming-conventions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from pinky_core import (
    ABSENT,
    Address,
    Context,
    DataType,
    Diagnostic,
    FieldChange,
    Identifier,
    LogLevel,
    MetricLevel,
    Names,
    Nested,
    OnChange,
    Place,
    Resource,
    Source,
    SqlText,
    Statement,
    TraceLevel,
    alter_set,
    alter_unset,
    assignment,
    is_given,
    literal,
    nested,
    prop,
    resource,
    sql_path,
    statement,
    string_literal,
)
from pinky_schema.procedure_values import (
    Body,
    Language,
    NullHandling,
    Returns,
    argument_types,
    as_multiset,
    completed,
    import_path,
    named_types,
    secret_map,
    stage_of_import,
)

__all__ = ["Argument", "Routine"]


@nested
class Argument(Nested):
    """One argument. A changed default is not seen: Snowflake only tells that there is one."""

    name: Identifier = prop(doc="Name of the argument.")
    type: DataType = prop(doc="Its data type.")
    default: str | None = prop(default=None, doc="SQL expression for when it is left out.")


@resource("routine", scope="schema", stateful=False)
class Routine(Resource):
    """Base of procedures and functions; no kind by itself. Name and argument types together are the address."""

    show_pages = False

    arguments: tuple[Argument, ...] = prop(
        default=(), on_change=OnChange.REPLACE, source=Source.DESCRIBE, column="signature", doc="Arguments, in order."
    )
    returns: Returns = prop(on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="What it returns.")
    language: Language = prop(
        default=Language.SQL, on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="What it is written in."
    )
    runtime_version: str | None = prop(
        default=None, on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="Version of Python, as text."
    )
    artifact_repository: str | None = prop(
        default=None, on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="Where packages come from."
    )
    packages: tuple[str, ...] = prop(
        default=(), on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="Packages it uses, in any order."
    )
    imports: tuple[str, ...] = prop(
        default=(), on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="Staged files it uses, in any order."
    )
    handler: str | None = prop(
        default=None, on_change=OnChange.REPLACE, source=Source.DESCRIBE, doc="The function or class that is called."
    )
    external_access_integrations: tuple[Identifier, ...] = prop(
        default=(), refers_to="external_access_integration", source=Source.DESCRIBE, doc="What it may reach outside."
    )
    secrets: dict[str, str] = prop(default=None, source=Source.DESCRIBE, doc="Names of secrets by variable.")
    null_handling: NullHandling = prop(
        default=NullHandling.CALLED,
        column="null handling",
        on_change=OnChange.REPLACE,
        source=Source.DESCRIBE,
        doc="What happens when an argument is NULL.",
    )
    secure: bool = prop(
        default=False, column="is_secure", on_change=OnChange.REPLACE, doc="Whether only its owner may see its body."
    )
    comment: str | None = prop(default=None, column="description", doc="Free text.")
    log_level: LogLevel | None = prop(default=None, source=Source.PARAMETER, doc="Which log messages are kept.")
    trace_level: TraceLevel | None = prop(default=None, source=Source.PARAMETER, doc="Which trace events are kept.")
    metric_level: MetricLevel | None = prop(default=None, source=Source.PARAMETER, doc="Whether metrics are kept.")
    body: Body | None = prop(
        default=None, on_change=OnChange.REPLACE, source=Source.DESCRIBE, file=True, doc="Source text of the handler."
    )

    #: What a message calls it.
    word: ClassVar[str]
    #: What SHOW prints where there is no comment.
    no_comment: ClassVar[str]
    #: Kept by CREATE OR REPLACE where a manifest does not declare them. A language that is not declared is SQL.
    carried: ClassVar[tuple[str, ...]] = (
        "arguments", "runtime_version", "artifact_repository", "packages", "imports", "handler",
        "external_access_integrations", "secrets", "null_handling", "secure", "comment", "body",
    )  # fmt: skip
    #: Of these, what means nothing, or something else, once the language is another.
    of_language: ClassVar[tuple[str, ...]] = (
        "runtime_version", "artifact_repository", "packages", "imports", "handler", "external_access_integrations",
        "secrets", "null_handling",
    )  # fmt: skip
    #: Not told of one that is written in SQL, and so neither compared nor kept there.
    untold_in_sql: ClassVar[tuple[str, ...]] = ("null_handling",)

    # -- naming and declaration --------------------------------------------------------------------------------------

    @classmethod
    def address_of(cls, document: Mapping[str, Any], place: Place) -> Address:
        """The name, and the argument types without their sizes."""
        types = [DataType.parse(str(each["type"])).signature for each in document.get("arguments") or ()]
        return attrs.evolve(super().address_of(document, place), detail=f"({', '.join(types)})")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What each language needs and cannot have."""
        python_only = ("runtime_version", "artifact_repository", "packages", "imports", "handler")
        if self.language is Language.PYTHON:
            for name in ("runtime_version", "handler"):
                if not is_given(getattr(self, name)):
                    yield "language", f"a Python {self.word} needs {name!r}"
            if not is_given(self.body) and not self.imports:
                yield "body", f"a Python {self.word} needs a 'body', or 'imports' with its code"
        else:
            for name in python_only:
                if getattr(self, name) not in (ABSENT, None, ()):
                    yield name, f"{name!r} is for Python; this {self.word} is written in SQL"
            if not is_given(self.body):
                yield "body", f"a SQL {self.word} needs a 'body'"
        yield from self._argument_mistakes()

    def _argument_mistakes(self) -> Iterator[tuple[str, str]]:
        optional = False
        for argument in self.arguments or ():
            if optional and not is_given(argument.default):
                yield "arguments", f"{argument.name}: arguments with a default come last"
            optional = optional or is_given(argument.default)
        names = [argument.name for argument in self.arguments or ()]
        for name in sorted({each for each in names if names.count(each) > 1}):
            yield "arguments", f"two arguments are named {name}"

    def needs(self, address: Address, names: Names) -> Iterator[Address]:
        """Containers, integrations, secrets and the stages of imports."""
        yield from super().needs(address, names)
        base = address.path[:-1]
        for name in (self.secrets or {}).values():
            yield from names.resolve(name, base, ("secret", "shared_secret"))
        for text in self.imports or ():
            found = stage_of_import(text)
            if found is not None:
                yield from names.resolve(found[0], base, ("stage", "git_repository"))

    # -- statements --------------------------------------------------------------------------------------------------

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE, then ALTER … SET for the parameters, which CREATE does not take."""
        return [self._create(address, replacing=False), *self._parameters(address)]

    def replace(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE … COPY GRANTS with what was there where nothing is declared."""
        lost = () if (self.language or Language.SQL) == live.language else self.of_language
        kept = {
            name: value
            for name in self.carried
            if name not in lost and getattr(self, name) is ABSENT and is_given(value := getattr(live, name))
        }
        whole: Any = self
        whole = attrs.evolve(whole, **kept)
        return [whole._create(address, replacing=True), *self._parameters(address)]

    def _create(self, address: Address, *, replacing: bool) -> Statement:
        words = ["CREATE OR REPLACE" if replacing else "CREATE", *self._modifiers(), self.spec.sql]
        arguments = ", ".join(_argument_sql(each) for each in self.arguments or ())
        clauses = [f"{' '.join(words)} {sql_path(address.path)}({arguments})"]
        clauses += ["COPY GRANTS"] if replacing else []
        clauses += [f"RETURNS {self.returns.sql}", *self._clauses(address)]
        if is_given(self.body):
            clauses.append(f"AS {Body(self.body).sql}")
        return statement(" ".join(clauses))

    def _modifiers(self) -> list[str]:
        """The words between CREATE and the type of object."""
        return ["SECURE"] if self.secure else []

    def _clauses(self, address: Address) -> list[str]:
        """The clauses between what it returns and its body."""
        raise NotImplementedError

    def _handler_clauses(self, address: Address) -> list[str]:
        base = address.path[:-1]
        found = []
        if is_given(self.runtime_version):
            found.append(f"RUNTIME_VERSION = {literal(self.runtime_version)}")
        if is_given(self.artifact_repository):
            found.append(f"ARTIFACT_REPOSITORY = {completed(str(self.artifact_repository), base)}")
        if self.packages or self._lists_no_packages():
            found.append(f"PACKAGES = {literal(tuple(self.packages or ()))}")
        if self.imports:
            found.append(f"IMPORTS = {literal(tuple(import_path(each, base) for each in self.imports))}")
        if is_given(self.handler):
            found.append(f"HANDLER = {literal(self.handler)}")
        if self.external_access_integrations:
            found.append(f"EXTERNAL_ACCESS_INTEGRATIONS = {literal(self.external_access_integrations)}")
        if self.secrets:
            found.append(self._secrets_clause(address))
        return found

    def _lists_no_packages(self) -> bool:
        """Whether the clause PACKAGES must be there even without any."""
        return False

    def _secrets_clause(self, address: Address) -> str:
        base = address.path[:-1]
        pairs = [f"{string_literal(key)} = {completed(name, base)}" for key, name in sorted(self.secrets.items())]
        return f"SECRETS = ({', '.join(pairs)})"

    def _parameters(self, address: Address) -> list[Statement]:
        assignments = [
            assignment(field, value)
            for field in self.spec.fields
            if field.source is Source.PARAMETER and is_given(value := getattr(self, field.name))
        ]
        return [alter_set(self.spec, address, assignments)] if assignments else []

    def alter(
        self, address: Address, live: Self, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """SET and UNSET of parameters and comment, SET of what it reaches, and what has a form of its own."""
        found: list[Statement] = []
        unset: list[str] = []
        for change in changes:
            own = self._own_form(address, change)
            if own is not None:
                found.append(own)
            elif change.path == "secrets":
                found.append(alter_set(self.spec, address, [statement(self._secrets_clause(address))]))
            elif change.after is None:
                unset.append(self.spec.by_name[change.path].sql)
            else:
                assigned = assignment(self.spec.by_name[change.path], change.after)
                found.append(alter_set(self.spec, address, [assigned]))
        return [*found, *(alter_unset(self.spec, address, [name]) for name in unset)]

    def _own_form(self, address: Address, change: FieldChange) -> Statement | None:
        """The statement of a change that is not spelled SET property = value."""
        return None

    def rename(self, former: Address, address: Address) -> Sequence[Statement]:
        """ALTER … old(types) RENAME TO new: the new name stands without types."""
        return [statement(f"ALTER {self.spec.sql} {former.sql} RENAME TO {sql_path(address.path)}")]

    # -- planning ----------------------------------------------------------------------------------------------------

    def changes(self, address: Address, live: Self, context: Context) -> Sequence[FieldChange]:
        """What differs once names are completed and lists are compared without order."""
        found = []
        for change in super().changes(address, live, context):
            if self._same(change.path, live, address):
                continue
            emptied = change.path in ("external_access_integrations", "secrets") and not change.after
            found.append(attrs.evolve(change, on_change=OnChange.REPLACE) if emptied else change)
        return found

    def check(self, address: Address, live: Self | None, context: Context) -> Iterable[Diagnostic]:
        """A body that only the owner may see cannot be compared; optional arguments exclude overloads.

        https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights,
        https://docs.snowflake.com/en/developer-guide/secure-udf-procedure
        """
        if live is not None and is_given(self.body) and not is_given(live.body) and not live.imports:
            yield Diagnostic.error(
                "not-visible",
                f"{address}: its body is shown to its owner only",
                hint=f"Use the role that owns the {self.word}.",
                address=address,
            )
        overloads = [each for each in context.names.at(address.path, (self.spec.kind,)) if each != address]
        if overloads and any(is_given(each.default) for each in self.arguments or ()):
            yield Diagnostic.error(
                "contradiction",
                f"{address}: one with optional arguments allows no other {self.word} of this name: {min(overloads)}",
                address=address,
                path=("arguments",),
            )

    def _same(self, path: str, live: Self, address: Address) -> bool:
        """Whether a field that is written differently means the same."""
        wanted, there, base = getattr(self, path), getattr(live, path), address.path[:-1]
        if path == "returns":
            return isinstance(there, Returns) and self.returns.means(there)
        if path == "arguments":
            return [_shape(each) for each in wanted or ()] == [_shape(each) for each in there or ()]
        if path == "body" and is_given(wanted) and is_given(there) and self.language is not Language.PYTHON:
            return SqlText(str.__str__(wanted)) == SqlText(str.__str__(there))
        if path == "packages":
            return as_multiset(wanted or ()) == as_multiset(there or ())
        if path == "imports":
            return as_multiset(import_path(e, base) for e in wanted or ()) == as_multiset(
                import_path(e, base) for e in there or ()
            )
        if path == "external_access_integrations":
            return set(wanted or ()) == set(there or ())
        if path == "secrets":
            return _complete_map(wanted, base) == _complete_map(there, base)
        if path == "artifact_repository" and is_given(wanted) and is_given(there):
            return completed(wanted, base) == completed(there, base)
        if path in self.untold_in_sql:
            return not is_given(there)
        return path == "comment" and not wanted and not there

    # -- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def lists(cls, row: Mapping[str, Any]) -> bool:
        """SHOW also lists what Snowflake brings along."""
        return str(row.get("is_builtin") or "N").upper() not in ("Y", "TRUE")

    @classmethod
    def address_of_row(cls, row: Mapping[str, Any], container: Sequence[str]) -> Address:
        """The name and the types of the column ``arguments``."""
        types = [type_ for type_, _ in argument_types(str(row["name"]), str(row["arguments"]))]
        return attrs.evolve(super().address_of_row(row, container), detail=f"({', '.join(types)})")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW; which arguments have a default is told here only."""
        raw = super().from_row(row)
        if raw.get("comment") == cls.no_comment:
            raw["comment"] = None
        raw["_defaults"] = [optional for _, optional in argument_types(str(row["name"]), str(row["arguments"]))]
        return raw

    @classmethod
    def from_description(cls, rows: Any) -> dict[str, Any]:
        """The rows of DESCRIBE; what they do not name is not set."""
        raw = super().from_description(rows)
        empty = {f.name: None for f in cls.spec.fields if f.source is Source.DESCRIBE}
        signature = str(raw.get("arguments") or "()").strip()
        arguments = [(name, type_) for name, type_ in named_types(signature[1:-1])]
        return {**empty, **raw, "secrets": secret_map(raw.get("secrets")), "arguments": arguments}

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Self:
        """A body whose arguments know whether they have a default, though not which."""
        cells = {name: value for name, value in raw.items() if name not in ("arguments", "_defaults")}
        untold = {field.name: None for field in cls.spec.fields if field.required}
        body: Any = super().from_raw({**untold, **cells})
        if "arguments" not in raw:
            return body  # type: ignore[no-any-return]  # only listed, not described
        defaults = [*raw.get("_defaults", ()), *[False] * len(raw["arguments"])]
        arguments = tuple(
            Argument(name=name, type=DataType.parse(type_), default="?" if optional else ABSENT)
            for (name, type_), optional in zip(raw["arguments"], defaults, strict=False)
        )
        described: Self = attrs.evolve(body, arguments=arguments)
        return described


def _argument_sql(argument: Argument) -> str:
    default = f" DEFAULT {argument.default}" if is_given(argument.default) else ""
    return f"{argument.name.sql} {argument.type}{default}"


def _shape(argument: Argument) -> tuple[Any, ...]:
    return argument.name, argument.type.signature, is_given(argument.default)


def _complete_map(names: Mapping[str, str] | None, base: Sequence[Identifier]) -> dict[str, str]:
    return {variable: completed(name, base) for variable, name in (names or {}).items()}
