"""Documents × schemas → diagnostics. jsonschema decides and explains.

Where jsonschema-rs is installed it may answer "valid" first, many times faster; a law keeps the two in agreement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pinky_core.diagnostics import Diagnostic, Location, nearest
from pinky_core.json_schema import DIALECT

__all__ = ["SECRET", "Located", "Validator", "check_schema"]

#: Code of a diagnostic about a secret written out: nobody may show the line it stands in.
SECRET = "secret-written-out"


class Located(Protocol):
    """A document that knows where each of its parts stands."""

    @property
    def plain(self) -> Mapping[str, Any]:
        """The document as plain data."""

    def location_of(self, path: tuple[str | int, ...], *, key: bool = False) -> Location:
        """The place of the deepest part on a path; with ``key``, of the field's name."""


class Validator:
    """One schema, compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema: dict[str, Any] = {"$schema": DIALECT, **schema}
        self._slow: Any = None
        self._fast = _fast_validator(self._schema)

    def errors(self, instance: Any) -> list[Any]:
        """What jsonschema objects to; empty for a valid instance."""
        if self._fast is not None and self._fast.is_valid(instance):
            return []
        if self._slow is None:
            import jsonschema

            self._slow = jsonschema.Draft202012Validator(self._schema)
        return sorted(self._slow.iter_errors(instance), key=lambda error: [str(each) for each in error.absolute_path])


def _fast_validator(schema: dict[str, Any]) -> Any:
    try:
        import jsonschema_rs
    except ImportError:  # optional: the command line brings it
        return None
    return jsonschema_rs.Draft202012Validator(schema)


def check_schema(document: Located, validator: Validator, what: str) -> list[Diagnostic]:
    """Every way in which a document breaks its schema, with places; ``what`` names the document in the messages."""
    return [found for error in validator.errors(document.plain) for found in _explain(error, document, what)]


def _explain(error: Any, document: Located, what: str) -> Iterable[Diagnostic]:
    path = tuple(error.absolute_path)
    if error.validator == "anyOf" and error.context:
        for each in _telling(error.context):
            yield from _explain(each, document, what)
        return
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for name in sorted(set(error.instance) - set(known)):
            where = f"in {_dotted(path)} of {what}" if path else f"of {what}"
            allowed = nearest(str(name), known) or f"Allowed here: {', '.join(sorted(known))}."
            yield Diagnostic.error(
                "unknown-field",
                f"unknown field {name!r} {where}",
                hint=allowed,
                path=(*path, name),
                location=document.location_of((*path, name), key=True),
            )
        return
    if isinstance(error.schema, Mapping) and error.schema.get("writeOnly"):  # the value may be the secret itself
        summary = f"{_dotted(path)}: this is no reference to a secret"
        hint = "Give a reference such as env:NAME or file:path; a secret is never written in a manifest."
        yield Diagnostic.error(SECRET, summary, hint=hint, path=path, location=document.location_of(path))
        return
    code, summary, hint = _message(error, path, what)
    yield Diagnostic.error(code, summary, hint=hint, path=path, location=document.location_of(path))


def _telling(context: Sequence[Any]) -> Sequence[Any]:
    """Of the branches of an anyOf, what people need to hear: the allowed words, or the branch of the right type."""
    branches: dict[Any, list[Any]] = {}
    for each in context:
        branches.setdefault(each.schema_path[0], []).append(each)
    fitting = [errors for errors in branches.values() if all(each.validator != "type" or each.path for each in errors)]
    for errors in fitting or branches.values():
        for each in errors:
            if each.validator == "enum":
                return [each]
    return fitting[0] if fitting else next(iter(branches.values()))


def _message(error: Any, path: tuple[str | int, ...], what: str) -> tuple[str, str, str]:
    field = _dotted(path) or what
    found = _shown(error.instance)
    value = error.validator_value
    if error.validator == "required":
        missing = next(name for name in value if name not in error.instance and f"'{name}'" in error.message)
        return "missing-field", f"{missing!r} is missing in {field if path else what}", ""
    if error.validator == "type":
        kinds = [value] if isinstance(value, str) else value
        wanted = " or ".join(_WORDS.get(each, each) for each in kinds if each != "null")
        return "wrong-type", f"{field}: expected {wanted}, found {found}", ""
    if error.validator == "enum":
        allowed = [str(each) for each in value if each is not None]
        close = nearest(str(error.instance), allowed)
        return "wrong-value", f"{field}: {found} is not allowed", f"{close} Allowed: {', '.join(allowed)}.".strip()
    if error.validator in ("minimum", "maximum"):
        bound = "at least" if error.validator == "minimum" else "at most"
        return "out-of-range", f"{field}: {found} is not allowed; it must be {bound} {value}", ""
    if error.validator == "pattern":
        return "wrong-value", f"{field}: {found} does not have the right form", str(error.schema.get("description", ""))
    return "invalid", f"{field}: {error.message}", ""


_WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(each) for each in path)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
