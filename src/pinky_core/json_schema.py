"""`Spec` → JSON Schema (2020-12), for editors and for validation."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from typing import Any

from pinky_core.address import MAX_LENGTH, Identifier
from pinky_core.change import plain
from pinky_core.spec import Field, Nested, Spec, spec_of
from pinky_core.values import SqlText

__all__ = ["DIALECT", "document_schema", "manifest_schema", "value_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME = {
    "type": "string",
    "minLength": 1,
    "description": "Name of the object; folds to upper case unless it holds double quotes. May be qualified.",
}
_PART = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH + 2}
_COMMON: Mapping[str, Any] = {
    "renamed_from": {**_NAME, "description": "The former name: turns drop and create into a rename."},
    "depends_on": {
        "type": "array",
        "items": {"type": "string", "pattern": "^[a-z_]+ .+"},
        "description": "Declared resources that come first, as `<kind> <name>`.",
    },
}


def document_schema(cls: Any) -> dict[str, Any]:
    """The schema of one resource as it stands in a manifest."""
    spec = spec_of(cls)
    naming = dict(cls.naming) or default_naming(spec)
    properties = {**naming, **{f.name: _field_schema(f) for f in spec.fields}, **_COMMON}
    required = [name for name in ("name",) if name in naming] + [f.name for f in spec.fields if f.required]
    required += [name for name in cls.naming_required if name not in required]
    return {
        "title": spec.kind,
        "description": spec.doc,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def default_naming(spec: Spec) -> dict[str, Any]:
    """The naming keys of a kind: ``name``, and the containers it lives in."""
    naming: dict[str, Any] = {"name": _NAME}
    if spec.depth >= 2:
        naming["database"] = {**_PART, "description": "Database, where the target does not say it."}
    if spec.depth >= 3:
        naming["schema"] = {**_PART, "description": "Schema, where the target does not say it."}
    return naming


def manifest_schema(
    kinds: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]], scopes: Iterable[str]
) -> dict[str, Any]:
    """The schema of ``manifest.yml`` for these kinds and sections."""
    names = sorted(kinds)
    return {
        "$schema": DIALECT,
        "title": "pinky manifest",
        "type": "object",
        "properties": {
            "scope": {"enum": list(scopes), "description": "What the manifest has authority over."},
            "target": {"type": "string", "description": "The schema (DB.SCHEMA) or database (DB) it acts in."},
            "environment": {
                "type": "object",
                "properties": {"pattern": {"type": "string"}},
                "additionalProperties": False,
                "description": "How the environment's name is found in the target, such as {name}_{env}.",
            },
            "include": {"type": "array", "items": {"type": "string"}, "description": "More files, as patterns."},
            "vars": {"type": "object", "description": "Defaults of variables."},
            "resources": {
                "type": "object",
                "properties": {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in names},
                "additionalProperties": False,
            },
            **dict(sections),
        },
        "additionalProperties": False,
        "$defs": {name: _repeatable(document_schema(kinds[name])) for name in names},
    }


def _repeatable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with ``for_each``, which is gone before validation but may stand in a file."""
    repeat = {
        "for_each": {
            "type": ["string", "array", "object"],
            "description": "Repeats the resource: a list, or the name of a variable holding one.",
        }
    }
    return {**schema, "properties": {**schema["properties"], **repeat}}


def _field_schema(field: Field) -> dict[str, Any]:
    schema = _with_file(value_schema(field.type)) if field.type is SqlText or field.file else value_schema(field.type)
    if field.minimum is not None:
        schema["minimum"] = field.minimum
    if field.maximum is not None:
        schema["maximum"] = field.maximum
    if field.pattern is not None:
        schema["pattern"] = field.pattern
    if not field.required:
        schema = _nullable(schema)
    if field.doc:
        schema["description"] = field.doc
    if field.default is not None:
        schema["default"] = plain(field.default)
    return schema


def _with_file(schema: dict[str, Any]) -> dict[str, Any]:
    """A text that may also stand in a file beside the manifest."""
    file = {
        "type": "object",
        "properties": {"file": {"type": "string", "description": "Path relative to the YAML file."}},
        "required": ["file"],
        "additionalProperties": False,
    }
    return {"anyOf": [schema, file]}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and not {"anyOf", "oneOf", "enum", "const", "not"} & set(schema):
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


_SCALARS: Mapping[Any, Mapping[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Any: {},
}


def value_schema(annotation: Any) -> dict[str, Any]:
    """The schema of a field's type."""
    if annotation in _SCALARS:
        return dict(_SCALARS[annotation])
    if annotation is Identifier:
        return dict(_PART)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (list, tuple):
        return {"type": "array", "items": value_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": value_schema(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, Nested):
        spec = spec_of(annotation)
        return {
            "type": "object",
            "description": spec.doc,
            "properties": {f.name: _field_schema(f) for f in spec.fields},
            "required": [f.name for f in spec.fields if f.required],
            "additionalProperties": False,
        }
    return dict(annotation.json_schema())
