"""Substitution of ``{{ expressions }}`` inside YAML scalars, after parsing: a value can never add structure.

An expression may use ``vars.key``, ``env``, and inside ``for_each`` ``each`` or ``each.key``, with the operators of
Jinja2, ``a if b else c`` and the filters in `FILTERS`; no calls, no statements, no loops. A scalar that is one
expression takes the value's own type; in a longer text the value is written as YAML would spell it. What a value holds
is never substituted again. A literal ``{{``, in SQL for instance, is written ``{{ '{{' }}``, and a literal ``{%`` is
``{{ '{%' }}``. The only module that imports jinja2, and it does so at the first expression.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from collections.abc import Mapping as AnyMapping
from typing import TYPE_CHECKING, Any

from pinky_core.diagnostics import Diagnostic, Location, nearest
from pinky_core.nodes import Mapping, Node, Scalar, ScalarValue, Sequence

if TYPE_CHECKING:
    from jinja2.nodes import Node as Syntax
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["FILTERS", "Bindings", "TemplateError", "has_template", "render", "substitute"]

MAX_GROWTH = 64 * 1024  # characters that substitution may add to one scalar
MAX_EXPRESSION_DEPTH = 40
_NOTHING: Any = object()


class TemplateError(Exception):
    """Why a text could not be substituted; ``offset`` counts characters from the beginning of the text."""

    def __init__(self, code: str, summary: str, hint: str = "", offset: int = 0) -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary
        self.hint = hint
        self.offset = offset


class Bindings:
    """The values that expressions see: ``variables`` as ``vars``, ``env`` where known, ``each`` inside ``for_each``."""

    __slots__ = ("context", "environments", "rendered")

    def __init__(
        self,
        variables: AnyMapping[str, Any],
        env: str | None = None,
        each: Any = _NOTHING,
        *,
        environments: Collection[str] = (),
    ) -> None:
        self.environments = environments  # those there are, for hints
        self.context: dict[str, Any] = {"vars": variables}
        if env is not None:
            self.context["env"] = env
        if each is not _NOTHING:
            self.context["each"] = each
        self.rendered: dict[str, ScalarValue] = {}

    def with_each(self, each: Any) -> Bindings:
        """The same values with ``each`` bound."""
        return Bindings(self.context["vars"], self.context.get("env"), each, environments=self.environments)


def has_template(text: str) -> bool:
    """Whether substitution has anything to do here."""
    return "{{" in text or "{%" in text


def substitute(node: Node, bindings: Bindings, diagnostics: list[Diagnostic]) -> Node:
    """The node with every scalar substituted; parts without templates are shared with the original.

    Every mistake is appended to ``diagnostics`` with the place of its scalar (of its line, in a ``|`` block), and that
    scalar stays as it was written.
    """
    if isinstance(node, Scalar):
        return _scalar(node, bindings, diagnostics) if has_template(node.text) else node
    if isinstance(node, Sequence):
        items = [substitute(item, bindings, diagnostics) for item in node.items]
        same = all(new is old for new, old in zip(items, node.items, strict=True))
        return node if same else Sequence(items, node.file, node.line, node.column)
    changed: dict[str, tuple[Scalar, Node]] = {}
    for text, (key, value) in node.entries.items():
        if has_template(text):
            hint = "Only values are substituted; write the key out."
            diagnostics.append(
                Diagnostic.error("template-in-key", "a template in a key", hint=hint, location=key.location)
            )
        new = substitute(value, bindings, diagnostics)
        if new is not value:
            changed[text] = (key, new)
    return Mapping(node.entries | changed, node.file, node.line, node.column) if changed else node


def _scalar(node: Scalar, bindings: Bindings, diagnostics: list[Diagnostic]) -> Scalar:
    text = node.text
    try:
        if text in bindings.rendered:
            value = bindings.rendered[text]
        else:
            value = bindings.rendered[text] = render(text, bindings)
    except TemplateError as first:
        for error in _mistakes(text, bindings) or [first]:
            location = _place(node, error.offset)
            diagnostics.append(Diagnostic.error(error.code, error.summary, hint=error.hint, location=location))
        return node
    spelled = "" if value is None else _spelled(value)
    return Scalar(value, spelled, '"', node.file, node.line, node.column)


def _mistakes(text: str, bindings: Bindings) -> list[TemplateError]:
    """What is wrong with each expression of a text; empty where the text itself is."""
    found: list[TemplateError] = []
    try:
        expressions = [each for each in _segments(text) if isinstance(each, _Expression)]
    except TemplateError:
        return found
    for each in expressions:
        try:
            _evaluate(each, bindings)
        except TemplateError as error:
            found.append(error)
    return found


def _place(node: Scalar, offset: int) -> Location:
    if node.style != "|":
        return node.location
    return Location(node.file, node.line + 1 + node.text.count("\n", 0, offset), 1)


def render(text: str, bindings: Bindings) -> ScalarValue:
    """Substitute one text.

    Raises TemplateError for the first mistake, code ``missing-variable``, ``template`` or ``template-structure``.
    """
    segments = _segments(text)
    if len(segments) == 1 and isinstance(segments[0], _Expression):
        value = _evaluate(segments[0], bindings)
        if isinstance(value, list | tuple | AnyMapping):
            raise TemplateError(
                "template-structure",
                f"{segments[0]} is a {_type_name(value)}; a value can never add structure",
                "Substitute its parts, or repeat the resource with for_each.",
            )
        if not isinstance(value, str | int | float | None):
            raise TemplateError("template", f"{segments[0]} is neither a text nor a number")
        if isinstance(value, str) and len(value) > MAX_GROWTH + len(text):
            raise _too_long(segments[0].offset)
        return value
    parts = [each if isinstance(each, str) else _written(each, bindings) for each in segments]
    if sum(map(len, parts)) > MAX_GROWTH + len(text):
        raise _too_long(0)
    return "".join(parts)


def _too_long(offset: int) -> TemplateError:
    return TemplateError("template", f"substitution adds more than {MAX_GROWTH} characters", offset=offset)


def _written(expression: _Expression, bindings: Bindings) -> str:
    value = _evaluate(expression, bindings)
    try:
        return _spelled(value)
    except TypeError as error:
        hint = "Use the filter default() where it may be null." if value is None else ""
        raise TemplateError("template-structure", f"{expression} {error}", hint, expression.offset) from None
    except ValueError as error:  # an integer of too many digits
        raise TemplateError("template", f"{expression}: {error}", "", expression.offset) from None


def _spelled(value: Any) -> str:
    """A value inside a longer text: truth values as YAML writes them; TypeError for what has no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, list | tuple | AnyMapping):
        raise TypeError(f"is {_type_name(value)} and cannot be part of a text")
    return str(value)


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    return "mapping" if isinstance(value, AnyMapping) else "list"


class _Expression:
    """One ``{{ … }}`` of a text: its source without the braces, and where the braces open."""

    __slots__ = ("offset", "source")

    def __init__(self, source: str, offset: int) -> None:
        self.source = source
        self.offset = offset

    def __str__(self) -> str:
        source = self.source if len(self.source) <= 60 else self.source[:59] + "…"
        return "{{ " + source + " }}"


# The inside of {{ }}: strings may hold braces. Possessive, so that a missing end costs one pass.
_INSIDE = re.compile(r"""\{\{((?:[^'"}]|'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|\}(?!\}))*+)\}\}""", re.DOTALL)
_OPENING = re.compile(r"\{\{|\{%")


def _segments(text: str) -> tuple[str | _Expression, ...]:
    """Literal texts and expressions in turn; raises TemplateError for statements and braces without end."""
    segments: list[str | _Expression] = []
    position = 0
    while opening := _OPENING.search(text, position):
        start = opening.start()
        if opening.group() == "{%":
            hint = "Use for_each to repeat, 'a if b else c' to choose; a literal {% is written {{ '{%' }}."
            raise TemplateError("template", "statements {% … %} are not supported", hint, start)
        inside = _INSIDE.match(text, start)
        if inside is None:
            raise TemplateError("template", "{{ without }}", "A literal {{ is written {{ '{{' }}.", start)
        source = inside.group(1)
        if source[:1] in ("-", "+") or source[-1:] in ("-", "+"):
            raise TemplateError("template", "whitespace control {{- -}} is not supported", "Write {{ … }}.", start)
        if start > position:
            segments.append(text[position:start])
        segments.append(_Expression(source.strip(), start))
        position = inside.end()
    if position < len(text):
        segments.append(text[position:])
    return tuple(segments)


def _evaluate(expression: _Expression, bindings: Bindings) -> Any:
    """The value of an expression; every failure is a TemplateError at the expression's place."""
    from jinja2.exceptions import TemplateError as JinjaError
    from jinja2.runtime import Undefined

    try:
        value = _compiled(expression.source)(bindings.context)
        if isinstance(value, Undefined):
            str(value)  # raises _Missing, with what was looked for
        return value
    except _Missing as missing:
        summary, hint = _explain_missing(missing, bindings)
        raise TemplateError("missing-variable", f"{expression}: {summary}", hint, expression.offset) from None
    except TemplateError as error:
        raise TemplateError(error.code, f"{expression}: {error.summary}", error.hint, expression.offset) from None
    except (JinjaError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        text = "nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__
        raise TemplateError("template", f"{expression}: {text}", "", expression.offset) from None


class _Missing(Exception):
    """A lookup that found nothing: ``owner`` is what was looked into, or None for a name by itself."""

    def __init__(self, owner: Any, name: Any) -> None:
        super().__init__(name)
        self.owner = owner
        self.name = name


def _explain_missing(missing: _Missing, bindings: Bindings) -> tuple[str, str]:
    owner, name = missing.owner, missing.name
    variables: AnyMapping[str, Any] = bindings.context["vars"]
    if owner is variables:
        hint = nearest(str(name), variables) or "Define it in vars:, in vars/<ENV>.yml or with --var."
        if "env" not in bindings.context and bindings.environments:
            hint = f"Choose an environment with --env: {', '.join(bindings.environments)}. {hint}"
        return f"the variable {name!r} is not defined", hint
    if owner is not None:
        if isinstance(owner, AnyMapping):
            return f"there is no {name!r} in this mapping", nearest(str(name), map(str, owner))
        return f"a {type(owner).__name__} has no {name!r}", "Only mappings and lists can be looked into."
    if name == "env":
        if bindings.environments:
            return "no environment is known", f"Choose one with --env: {', '.join(bindings.environments)}."
        return "no environment is known", "Give one with --env, or name the target after it."
    if name == "each":
        return "'each' is known only inside for_each", ""
    if name in variables:
        return f"{name!r} is not defined", f"Did you mean 'vars.{name}'?"
    return f"{name!r} is not defined; expressions see vars, env and each", nearest(name, ("vars", "env", "each"))


@functools.lru_cache(maxsize=4096)
def _compiled(source: str) -> Callable[[AnyMapping[str, Any]], Any]:
    """Check an expression and compile it. Raises TemplateError or Jinja2's own error for what is not one."""
    environment = _environment()
    if not source:
        raise TemplateError("template", "an empty expression", "A literal {{ is written {{ '{{' }}.")
    tree = environment.parse("{{ " + source + " }}")
    if len(tree.body) != 1:
        raise TemplateError("template", "not one expression")
    _check_syntax(tree.body[0], 0)
    compiled: Callable[[AnyMapping[str, Any]], Any] = environment.compile_expression(source, undefined_to_none=False)
    return compiled


_OPERATORS = (
    "Add",
    "And",
    "Compare",
    "Concat",
    "CondExpr",
    "Div",
    "FloorDiv",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "Pos",
    "Sub",
)
_OPERANDS = ("Const", "Filter", "Getattr", "Getitem", "Keyword", "List", "Name", "Operand", "Slice", "Test", "Tuple")
_ALLOWED = frozenset(("Output", *_OPERATORS, *_OPERANDS))


def _check_syntax(node: Syntax, depth: int) -> None:
    from jinja2 import nodes

    kind = type(node).__name__
    if depth > MAX_EXPRESSION_DEPTH:
        raise TemplateError("template", f"nested deeper than {MAX_EXPRESSION_DEPTH} levels")
    if kind not in _ALLOWED:
        hint = "Use a filter: {{ value | upper }}." if kind == "Call" else ""
        raise TemplateError("template", f"{kind.lower()} is not allowed in an expression", hint)
    if isinstance(node, nodes.Name) and node.name not in ("vars", "env", "each"):
        raise _Missing(None, node.name)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("__"):
        raise TemplateError("template", f"access to {node.attr!r} is not allowed")
    if isinstance(node, nodes.Filter) and node.name not in _FILTER_NAMES:
        hint = nearest(node.name, _FILTER_NAMES) or f"Known filters: {', '.join(sorted(_FILTER_NAMES))}."
        raise TemplateError("template", f"there is no filter {node.name!r}", hint)
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise TemplateError("template", f"there is no test {node.name!r}", f"Known tests: {', '.join(sorted(_TESTS))}.")
    for child in node.iter_child_nodes():
        _check_syntax(child, depth + 1)


_TESTS = frozenset(("boolean", "defined", "none", "number", "string", "undefined"))


@functools.cache
def _environment() -> SandboxedEnvironment:
    from jinja2.filters import FILTERS as JINJA_FILTERS
    from jinja2.runtime import StrictUndefined, Undefined
    from jinja2.sandbox import SandboxedEnvironment
    from jinja2.tests import TESTS as JINJA_TESTS
    from jinja2.utils import missing as no_object

    class Strict(StrictUndefined):
        """Raises what was looked for, so that the nearest spelling can be shown."""

        __slots__ = ()

        def __init__(self, hint: str | None = None, obj: Any = no_object, name: str | None = None, *_: Any) -> None:
            owner = None if obj is no_object else obj
            failure: Any = lambda _message: _Missing(owner, name)  # noqa: E731  called in place of an exception class
            super().__init__(hint, obj, name, failure)

    class Environment(SandboxedEnvironment):
        """Looks into mappings and lists only, never at attributes, and calls nothing."""

        intercepted_binops = frozenset(("*", "%"))

        def getattr(self, obj: Any, attribute: str) -> Any:
            return self.getitem(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(obj, Undefined):
                str(obj)
            if isinstance(obj, AnyMapping | list | tuple | str) and not (isinstance(obj, str) and argument == ""):
                try:
                    return obj[argument]
                except (TypeError, LookupError):
                    pass
            return self.undefined(obj=obj, name=argument)

        def is_safe_callable(self, obj: Any) -> bool:
            return False

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if not (isinstance(left, int | float) and isinstance(right, int | float)):
                raise TypeError(f"{operator} takes two numbers")
            return super().call_binop(context, operator, left, right)

    environment = Environment(undefined=Strict, optimized=False, autoescape=False, cache_size=0)
    environment.globals.clear()
    environment.filters = {**FILTERS, "default": JINJA_FILTERS["default"]}
    environment.tests = {name: JINJA_TESTS[name] for name in _TESTS}
    return environment


def _text(value: Any) -> str:
    """What a text filter works on. An undefined value raises by being spelled."""
    return value if isinstance(value, str) else _spelled(value)


def _bounded(text_length: int) -> None:
    if text_length > MAX_GROWTH:
        raise ValueError(f"the result is longer than {MAX_GROWTH} characters")


def _replace(value: Any, old: str, new: str) -> str:
    text = _text(value)
    if not old:
        raise ValueError("replace needs a text to look for")
    _bounded(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _join(value: Any, separator: str = "") -> str:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise TypeError("join takes a list")
    parts = [_text(each) for each in value]
    _bounded(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _length(value: Any) -> int:
    return len(value)


def _int(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("the value is not a whole number") from None  # the value itself is nobody's business here


FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": lambda value: _text(value).capitalize(),
    "int": _int,
    "join": _join,
    "length": _length,
    "lower": lambda value: _text(value).lower(),
    "replace": _replace,
    "string": _text,
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}
"""The filters of expressions, besides Jinja2's ``default``."""

_FILTER_NAMES = frozenset((*FILTERS, "default"))
