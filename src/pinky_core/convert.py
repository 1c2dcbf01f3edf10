"""Documents → resources. cattrs does the structure; what it refuses becomes diagnostics with a path."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pinky_core.address import Identifier
from pinky_core.spec import Field, Nested, spec_of
from pinky_core.values import Keyword

__all__ = ["Mistake", "convert_body"]

Mistake = tuple[tuple[str | int, ...], str]
"""The path inside a document, and what is wrong there."""


class _NestedError(ValueError):
    """Mistakes inside a nested value."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("nested value")
        self.mistakes = mistakes


def convert_body(cls: Any, document: Mapping[str, Any]) -> tuple[Any, list[Mistake]]:
    """The body a document declares, or None with every mistake in it. Keys that are no fields are left alone."""
    spec, readers = spec_of(cls), _readers(cls)
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name, value in document.items():
        read = readers.get(name)
        if read is None:
            continue
        try:
            values[name] = read(value)
        except Exception as error:  # noqa: BLE001 - value types raise what they like; each becomes a diagnostic
            mistakes += [((name, *path), text) for path, text in _mistakes(error)]
    mistakes += [((name,), f"{name!r} is missing") for name in spec.required if name not in document]
    if mistakes:
        return None, mistakes
    try:
        return cls(**values), []
    except ValueError as error:  # a rule of the class about its fields taken together
        return None, [((), str(error))]


@functools.lru_cache(maxsize=1024)
def _readers(cls: Any) -> Mapping[str, Callable[[Any], Any]]:
    """What makes a value of each field of a class."""
    return {field.name: functools.partial(_structure, field, _hook(field.type)) for field in spec_of(cls).fields}


def _structure(field: Field, hook: Callable[[Any, Any], Any], value: Any) -> Any:
    if value is not None:
        return hook(value, field.type)
    if field.required:
        raise ValueError(f"{field.name!r} cannot be null")
    return None


def _hook(annotation: Any) -> Callable[[Any, Any], Any]:
    if _has_parse(annotation):
        return _parsed
    return _converter().get_structure_hook(annotation)  # type: ignore[no-any-return]  # cattrs is imported late


def _nested(value: Any, cls: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("expected a mapping")
    made, mistakes = convert_body(cls, value)
    if mistakes:
        raise _NestedError(mistakes)
    return made


def _parsed(value: Any, cls: Any) -> Any:
    return value if isinstance(value, cls) else cls.parse(value)


def _exactly(kind: Any) -> Callable[[Any, Any], Any]:
    """Scalars are what they are: text is never turned into a number, nor a number into truth."""

    def structure(value: Any, _cls: Any) -> Any:
        if type(value) is kind or (kind is float and type(value) is int):
            return kind(value)
        raise ValueError(f"expected {_WORDS[kind]}, found {value!r}")

    return structure


def _scalar(kind: Any) -> Callable[[Any, Any], Any]:
    """cattrs asks by class first, and an `Identifier` is a str too: a subclass is read by its own ``parse``."""
    exactly = _exactly(kind)
    return lambda value, cls: exactly(value, cls) if cls is kind else _parsed(value, cls)


_WORDS = {str: "text", int: "an integer", float: "a number", bool: "true or false"}


@functools.cache
def _converter() -> Any:
    import cattrs  # at the first document, so that importing the core stays light

    converter = cattrs.Converter(detailed_validation=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _scalar(kind))
    converter.register_structure_hook_func(_has_parse, _parsed)
    converter.register_structure_hook(Keyword, _parsed)  # cattrs asks by class before it asks predicates: an Enum here
    converter.register_structure_hook_func(lambda cls: isinstance(cls, type) and issubclass(cls, Nested), _nested)
    return converter


def _has_parse(cls: Any) -> bool:
    return isinstance(cls, type) and (cls is Identifier or hasattr(cls, "parse")) and cls is not enum.Enum


def _mistakes(error: BaseException) -> Iterator[Mistake]:
    """Flatten what cattrs groups: an element's mistake gets its index as path."""
    from cattrs.errors import IterableValidationError, IterableValidationNote

    if isinstance(error, _NestedError):
        yield from error.mistakes
    elif isinstance(error, IterableValidationError):
        for each in error.exceptions:
            notes = [note for note in getattr(each, "__notes__", ()) if isinstance(note, IterableValidationNote)]
            index = notes[-1].index if notes else 0
            for path, text in _mistakes(each):
                yield (index, *path), text
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _mistakes(inner)
    else:
        yield (), str(error)
