"""The words a resource type is declared with, and the frozen `Spec` derived from them.

A declaration is an attrs class whose fields are made with `prop`; one field is one line. From the class `resource`
derives a `Spec`, and JSON Schema, conversion, diff, DDL and reading are functions of that `Spec`. Declaring a type
registers nothing: a plugin hands the class over by the hook ``pinky_resource_types``.
"""

from __future__ import annotations

import enum
import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform

import attrs

from pinky_core.secret import SecretReference

__all__ = [
    "ABSENT",
    "Absent",
    "Field",
    "Nested",
    "OnChange",
    "Scope",
    "Source",
    "Spec",
    "is_given",
    "nested",
    "prop",
    "resource",
    "resource_base",
    "spec_of",
]

Scope = Literal["schema", "database", "account"]
DEPTH: Mapping[str, int] = {"account": 1, "database": 2, "schema": 3}


class Absent(enum.Enum):
    """The type of `ABSENT`: a field that was not declared, which is neither null nor a default."""

    ABSENT = "absent"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


# Any, so that a field keeps the type of its values: `is ABSENT` is how code asks, not the type checker.
ABSENT: Any = Absent.ABSENT
_REQUIRED: Any = object()


def is_given(value: Any) -> bool:
    """Whether a field was declared with a value: neither absent nor null."""
    return value is not ABSENT and value is not None


class OnChange(enum.Enum):
    """What a changed property means for the object."""

    ALTER = "alter"
    REPLACE = "replace"  # recreate: only where nothing is lost by it
    REFUSE = "refuse"  # recreating loses something; needs a permission for destructive changes
    IGNORE = "ignore"  # counts at creation only


class Source(enum.Enum):
    """Where the live value of a property is read."""

    COLUMN = "column"  # a column of SHOW <plural>
    DESCRIBE = "describe"  # a property of DESCRIBE, one statement per declared object
    PARAMETER = "parameter"  # SHOW PARAMETERS IN <object>; read only where a manifest declares it
    NOWHERE = "nowhere"  # Snowflake does not tell


@attrs.frozen
class Field:
    """One property of a kind.

    ``type`` is the resolved annotation without None. ``default`` is what Snowflake fills in (it never invents a
    desired value). ``sql`` is the property's name in statements, ``column`` where SHOW or DESCRIBE tells it.
    ``loses`` says what changing it destroys, for a change that is refused without permission. ``file``: the text may
    stand in a file beside the manifest.
    """

    name: str
    type: Any
    required: bool
    default: Any
    doc: str
    sql: str
    column: str
    on_change: OnChange
    source: Source
    minimum: int | None
    maximum: int | None
    pattern: str | None
    refers_to: tuple[str, ...]
    key: str | None
    unset: bool
    loses: str
    file: bool

    @property
    def write_only(self) -> bool:
        """Whether the value is a secret that Snowflake never tells."""
        return self.type is SecretReference


def prop(
    *,
    default: Any = _REQUIRED,
    doc: str = "",
    sql: str | None = None,
    column: str | None = None,
    on_change: OnChange = OnChange.ALTER,
    source: Source = Source.COLUMN,
    minimum: int | None = None,
    maximum: int | None = None,
    pattern: str | None = None,
    refers_to: str | tuple[str, ...] = (),
    key: str | None = None,
    unset: bool = True,
    loses: str = "",
    file: bool = False,
) -> Any:
    """Declare one property; without ``default`` it is required.

    ``default``: what Snowflake itself fills in, the meaning of an explicit null. ``minimum``/``maximum`` bound
    integers. ``refers_to`` names the kind (or kinds) the value is the name of. ``key`` names the field that
    identifies an element of a list of nested values. ``unset``: whether ALTER … UNSET exists for it (otherwise null
    sets the default). ``file``: the text may stand in a file, as ``{file: path}`` (always so for `SqlText`).
    """
    settings = {
        "default": default,
        "doc": doc,
        "sql": sql,
        "column": column,
        "on_change": on_change,
        "source": source,
        "minimum": minimum,
        "maximum": maximum,
        "pattern": pattern,
        "refers_to": (refers_to,) if isinstance(refers_to, str) else tuple(refers_to),
        "key": key,
        "unset": unset,
        "loses": loses,
        "file": file,
    }
    metadata = {"pinky": settings}
    if default is _REQUIRED:
        return attrs.field(metadata=metadata)
    return attrs.field(default=ABSENT, metadata=metadata)


@attrs.frozen
class Spec:
    """Everything pinky knows of one kind, or of one nested value (then ``kind`` is the class name, ``sql`` empty).

    ``sql`` is the object type in statements (``WAREHOUSE``), ``plural`` what SHOW lists (``WAREHOUSES``), ``depth``
    the number of identifiers of a name. ``stateful``: dropping or replacing loses rows, history or offsets.
    ``required`` are names of fields; ``secrets`` are the fields in which a reference to a secret can stand, at any
    depth.
    """

    kind: str
    scope: Scope
    cls: type
    fields: tuple[Field, ...]
    doc: str
    sql: str
    plural: str
    depth: int
    stateful: bool
    by_name: Mapping[str, Field] = attrs.field(init=False, eq=False, repr=False)
    required: tuple[str, ...] = attrs.field(init=False, eq=False, repr=False)
    secrets: tuple[Field, ...] = attrs.field(init=False, eq=False, repr=False)

    @by_name.default
    def _by_name(self) -> Mapping[str, Field]:
        return types.MappingProxyType({field.name: field for field in self.fields})

    @required.default
    def _required(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.required)

    @secrets.default
    def _secrets(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if _holds_secret(field.type))


_FIELDS_OF_BASE = "__pinky_fields_of_base__"


class Nested:
    """Base of values inside a resource, such as the column of a table; declare them with `nested`."""

    __slots__ = ()

    spec: ClassVar[Spec]


_T = TypeVar("_T")


@dataclass_transform(field_specifiers=(prop,), frozen_default=True, kw_only_default=True)
def resource(
    kind: str,
    *,
    scope: Scope,
    sql: str | None = None,
    plural: str | None = None,
    depth: int | None = None,
    stateful: bool = True,
) -> Callable[[type[_T]], type[_T]]:
    """Declare a resource type. ``sql`` defaults to the kind in upper case, ``plural`` to that with an S."""
    sql_type = sql if sql is not None else kind.upper().replace("_", " ")

    def decorate(cls: type[_T]) -> type[_T]:
        return _with_spec(
            cls, kind, scope, sql_type, plural or f"{sql_type}S", depth or DEPTH[scope], stateful=stateful
        )

    return decorate


@dataclass_transform(field_specifiers=(prop,), frozen_default=True, kw_only_default=True)
def nested(cls: type[_T]) -> type[_T]:
    """Declare a value inside a resource; it derives from `Nested`."""
    return _with_spec(cls, cls.__name__, "schema", "", "", 0, stateful=False)


@dataclass_transform(field_specifiers=(prop,), frozen_default=True, kw_only_default=True)
def resource_base(cls: type[_T]) -> type[_T]:
    """Declare fields that several kinds share, or that stand in a file of their own: a base of kinds, and none itself.

    They come after the fields of the kind, in its statements and on its page.
    """
    made: Any = attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False)(cls)  # never instantiated
    setattr(made, _FIELDS_OF_BASE, tuple(each.name for each in attrs.fields(made)))
    return typing.cast("type[_T]", made)


def spec_of(cls: Any) -> Spec:
    """The `Spec` of a declared class or of an instance of one; raises TypeError for anything else."""
    spec = getattr(cls, "spec", None)
    if not isinstance(spec, Spec):
        raise TypeError(f"{cls!r} is not declared with @resource or @nested")
    return spec


def _with_spec(
    cls: type[_T], kind: str, scope: Scope, sql: str, plural: str, depth: int, *, stateful: bool
) -> type[_T]:
    # Nested values come by the hundred thousand, so they do without a dict of their own.
    made: Any = attrs.frozen(kw_only=True, slots=issubclass(cls, Nested))(cls)
    hints = typing.get_type_hints(made, include_extras=True)
    last = {name for base in made.__mro__ for name in base.__dict__.get(_FIELDS_OF_BASE, ())}
    in_order = sorted(attrs.fields(made), key=lambda each: each.name in last)
    made.spec = Spec(
        kind=kind,
        scope=scope,
        cls=made,
        fields=tuple(_field_of(each, hints[each.name]) for each in in_order if "pinky" in each.metadata),
        doc=inspect.cleandoc(made.__doc__ or ""),
        sql=sql,
        plural=plural,
        depth=depth,
        stateful=stateful,
    )
    return typing.cast("type[_T]", made)


def _field_of(attribute: Any, annotation: Any) -> Field:
    settings = dict(attribute.metadata["pinky"])
    default = settings.pop("default")
    sql = settings.pop("sql")
    sql = attribute.name.upper() if sql is None else sql  # an empty one says: not a property of SQL
    column = settings.pop("column") or attribute.name
    return Field(
        name=attribute.name,
        type=without_none(annotation),
        required=default is _REQUIRED,
        default=None if default is _REQUIRED else default,
        sql=sql,
        column=column,
        **settings,
    )


def _holds_secret(annotation: Any) -> bool:
    """Whether a value of this type can be, or contain, a reference to a secret."""
    arguments = typing.get_args(annotation)
    if arguments:
        return any(_holds_secret(each) for each in arguments)
    spec = getattr(annotation, "spec", None)
    if isinstance(spec, Spec):
        return bool(spec.secrets)
    return annotation in (Any, object, Nested, SecretReference)


def without_none(annotation: Any) -> Any:
    """``int | None`` → ``int``; every property may be null in a manifest, so the None says nothing."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(annotation) if each is not type(None)]
        return functools.reduce(operator.or_, rest)
    return annotation
