"""Writes what is generated: JSON Schemas under schemas/, reference pages under docs/reference/.

`python docs/generate.py` writes; with `--check` it changes nothing and fails, naming every file that would change.
Everything comes from the plugins of this repository's packages, so the pages cannot tell anything else than the code.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pinky_schema.hookspecs
from pinky_local.engine.errors import GUESS, NUMBERS
from pinky_local.engine.specs import TYPES

from pinky_core import hookspecs
from pinky_core.change import plain
from pinky_core.declare import SCOPES
from pinky_core.json_schema import document_schema, manifest_schema
from pinky_core.plugins import Registry, make_registry, package_of
from pinky_core.section import Section
from pinky_core.spec import Field, OnChange, Source, Spec

ROOT = Path(__file__).resolve().parent.parent
OURS = ("pinky_schema", "pinky_database", "pinky_account")
THIRD = ("pinky_example",)  # what others bring has a page of its own, and stands on none of ours


def main() -> int:
    """Write or check every generated file; the exit code of the check."""
    registry = make_registry({name: importlib.import_module(name) for name in OURS})
    files = {ROOT / path: text for path, text in generated(registry)}
    stale = sorted(path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text)
    folders = ("schemas", "docs/reference/kinds", "docs/reference/sections", "docs/reference/plugins")
    extra = sorted(path for folder in folders for path in (ROOT / folder).glob("*.*"))
    stale += [path for path in extra if path not in files]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"would change: {path.relative_to(ROOT)} (run: nox -s generate)\n")
        return 1 if stale else 0
    for path in stale:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    sys.stderr.write(f"{len(files)} generated files, {len(stale)} changed\n")
    return 0


def generated(registry: Registry) -> Iterator[tuple[str, str]]:
    """Every generated file: relative path and text."""
    kinds = dict(sorted(registry.kinds.items()))
    sections = registry.section_schemas()
    yield "schemas/manifest.schema.json", _json(manifest_schema(kinds, sections, SCOPES))
    client = {kind: cls for kind, cls in kinds.items() if cls.spec.scope == "schema"}
    yield "schemas/manifest_client.schema.json", _json(manifest_schema(client, sections, ["schema"]))
    for kind, cls in kinds.items():
        yield f"schemas/{kind}.schema.json", _json(document_schema(cls))
        yield f"docs/reference/kinds/{kind}.md", kind_page(cls)
    yield "docs/reference/kinds/README.md", index_page(kinds)
    for key, section in sorted(registry.sections.items()):
        yield f"docs/reference/sections/{key}.md", section_page(section, sections[key], registry)
    yield "docs/reference/sections/README.md", sections_page(registry)
    for name in THIRD:
        yield f"docs/reference/plugins/{name}.md", plugin_page(name)
    yield "docs/reference/hooks.md", hooks_page()
    yield "docs/reference/local-account.md", parity_page()


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def index_page(kinds: dict[str, Any]) -> str:
    """The list of kinds by package."""
    lines = ["# Kinds", "", "| kind | scope | package | |", "|---|---|---|---|"]
    for kind, cls in kinds.items():
        first = cls.spec.doc.splitlines()[0] if cls.spec.doc else ""
        lines.append(f"| [{kind}]({kind}.md) | {cls.spec.scope} | {package_of(kind)} | {first} |")
    return "\n".join(lines) + "\n"


def kind_page(cls: Any) -> str:
    """The reference page of one kind."""
    spec: Spec = cls.spec
    lines = [f"# `{spec.kind}`", "", spec.doc, "", f"Scope: {spec.scope}. Package: `{package_of(spec.kind)}`.", ""]
    module = inspect.getdoc(inspect.getmodule(cls)) or ""
    pages = [
        word.strip("<>,.;()`") for word in module.split() if word.strip("<>(").startswith("https://docs.snowflake")
    ]
    lines += [f"Snowflake's pages: {', '.join(f'<{page}>' for page in pages)}", ""] if pages else []
    naming = [name for name in document_schema(cls)["properties"] if name not in spec.by_name]
    lines += ["Keys that name it: " + ", ".join(f"`{name}`" for name in naming) + ".", ""]
    lines += ["| field | type | default | when it changes | read from | |", "|---|---|---|---|---|---|"]
    lines += [_row(field) for field in spec.fields]
    if cls.privileges:
        needed = ", ".join(f"{privilege} on {what}" for privilege, what in cls.privileges)
        lines += ["", f"Privileges that reading and creating need: {needed}."]
    return "\n".join(lines) + "\n"


_CHANGES = {
    OnChange.ALTER: "altered in place",
    OnChange.REPLACE: "recreated, nothing is lost",
    OnChange.REFUSE: "needs permission (destructive)",
    OnChange.IGNORE: "counts at creation only",
}
_SOURCES = {
    Source.COLUMN: "SHOW",
    Source.DESCRIBE: "DESCRIBE",
    Source.PARAMETER: "SHOW PARAMETERS",
    Source.NOWHERE: "not readable",
}


def _row(field: Field) -> str:
    default = "required" if field.required else "" if field.default is None else f"`{plain(field.default)}`"
    kind = getattr(field.type, "__name__", str(field.type).replace("pinky_core.", "").replace("|", "or"))
    if getattr(field.type, "__args__", None):
        kind = (
            str(field.type).split("[")[0]
            + " of "
            + ", ".join(getattr(each, "__name__", str(each)) for each in field.type.__args__ if each is not Ellipsis)
        )
    doc = " ".join(field.doc.split()).replace("|", "\\|")
    return f"| `{field.name}` | {kind} | {default} | {_CHANGES[field.on_change]} | {_SOURCES[field.source]} | {doc} |"


def sections_page(registry: Registry) -> str:
    """The list of sections by package."""
    lines = ["# Sections", "", "| section | package | |", "|---|---|---|"]
    for key, section in sorted(registry.sections.items()):
        package = registry.section_plugins[key].replace("_", "-")
        lines.append(f"| [{key}]({key}.md) | {package} | {_cell(section.doc)} |")
    return "\n".join(lines) + "\n"


def section_page(section: Section, schema: Mapping[str, Any], registry: Registry) -> str:
    """The reference page of one section: every value it may hold, and the words that plugins brought to it."""
    package = registry.section_plugins[section.key].replace("_", "-")
    lines = [f"# The section `{section.key}`", "", section.doc, "", f"Package: `{package}`.", ""]
    lines += ["| field | type | default | |", "|---|---|---|---|"]
    rows = dict(_values("", schema))
    lines += [f"| `{path}` | {row} |" for path, row in rows.items()]
    words = list(section.words(registry.manager.hook)) if section.words else []
    if words:
        lines += ["", "Its words; other plugins may add some:", "", "| word | |", "|---|---|"]
        lines += [f"| `{each.name}` | {_cell(each.doc)} |" for each in words]
    return "\n".join(lines) + "\n"


def plugin_page(name: str) -> str:
    """The reference page of a plugin that is not ours: its kinds, and its words in the sections of others."""
    plugin = importlib.import_module(name)
    registry = make_registry({each: importlib.import_module(each) for each in (*OURS, name)})
    lines = [f"# The plugin `{name}`", "", inspect.getdoc(plugin) or "", ""]
    for kind, owner in sorted(registry.kind_plugins.items()):
        if owner == name:
            page = kind_page(registry.kinds[kind]).splitlines()
            lines += [f"#{page[0]}", *(line for line in page[1:] if not line.startswith("Scope:")), ""]
    for key, schema in registry.section_schemas().items():
        section = registry.sections[key]
        rows = dict(_values("", schema))
        for word in section.words(registry.manager.hook) if section.words else ():
            if word.brought_by == name:
                lines += [f"## `{word.name}` in the section `{key}`", "", word.doc, ""]
                own = {path: row for path, row in rows.items() if path.startswith(f"{word.name}.")}
                lines += ["| field | type | default | |", "|---|---|---|---|"] if own else []
                lines += [f"| `{path.partition('.')[2]}` | {row} |" for path, row in own.items()]
    return "\n".join(lines).rstrip() + "\n"


def _values(path: str, schema: Mapping[str, Any], *, required: bool = False) -> Iterator[tuple[str, str]]:
    """A value and what is in it, with paths such as ``steps[].name`` or ``events.NAME.title``, each with its cells."""
    if path:
        default = f"`{schema['default']}`" if "default" in schema else "required" if required else ""
        yield path, f"{_type_of(schema)} | {default} | {_cell(schema.get('description', ''))}"
    for name, each in schema.get("properties", {}).items():
        yield from _values(f"{path}.{name}" if path else name, each, required=name in schema.get("required", ()))
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from _inside(f"{path}.NAME" if path else "NAME", more)
    for each in schema.get("anyOf", ()):
        yield from _inside(path, each)
    if "items" in schema:
        # a list of what may also stand alone is told once
        yield from _inside(
            path if schema["items"].get("properties") == schema.get("properties") else f"{path}[]", schema["items"]
        )


def _inside(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((inner, row) for inner, row in _values(path, schema) if inner != path)


def _type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else list(types)
    for each in schema.get("anyOf", ()):
        names += [each["type"]] if isinstance(each.get("type"), str) else []
    if not names and "anyOf" in schema:
        names = ["string"]
    return " or ".join(dict.fromkeys(names))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def hooks_page() -> str:
    """The page of hooks, from their own docstrings."""
    lines = ["# Hooks", "", inspect.getdoc(hookspecs) or "", ""]
    for module in (hookspecs, pinky_schema.hookspecs):
        if module is not hookspecs:
            lines += [f"# Hooks of `{module.__name__.split('.')[0]}`", "", inspect.getdoc(module) or "", ""]
        for name, hook in vars(module).items():
            if name.startswith("pinky_") and inspect.isfunction(hook) and hook.__module__ == module.__name__:
                arguments = ", ".join(inspect.signature(hook).parameters)
                lines += [f"## `{name}({arguments})`", "", inspect.getdoc(hook) or "", ""]
    return "\n".join(lines)


def parity_page() -> str:
    """What the local account knows, and how well each type and each error number is known."""
    lines = [
        "# What the local account covers",
        "",
        "Every object type of the embedded account, from its declarations. Grade: *documented* is written from",
        "Snowflake's documentation, *provider* also from what clients of real accounts read and expect (Snowflake's",
        "Terraform provider above all), *guess* is neither. None of it was compared with a live account. What is not",
        "listed is refused by name.",
        "",
        "| type | lives in | CREATE | SHOW columns | privileges | grade | page |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, spec in sorted(TYPES.items()):
        words = ["OR REPLACE"] * spec.or_replace + ["OR ALTER"] * spec.or_alter + ["IF NOT EXISTS"] * spec.if_not_exists
        page = f"[{spec.citation.rsplit('/', 1)[-1]}]({spec.citation})" if spec.citation else ""
        cells = (
            kind.replace("_", " "), spec.container, ", ".join(words), str(len(spec.show)),
            str(len(spec.privileges)), spec.grade, page,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    for kind, spec in sorted(TYPES.items()):
        name = f"**{kind.replace('_', ' ')}**"
        if spec.properties:
            lines += ["", f"{name} takes {', '.join(f'`{each.name}`' for each in spec.properties)}."]
        if spec.guesses:
            lines += ["", f"Guessed about {name}: {'; '.join(spec.guesses)}."]
    return "\n".join([*lines, *_error_numbers()]) + "\n"


def _error_numbers() -> list[str]:
    """The table of error numbers with their grades."""
    guessed = sum(grade == GUESS for grade, _ in NUMBERS.values())
    lines = [
        "",
        "## Error numbers",
        "",
        f"The account answers {len(NUMBERS)} numbers. A client of real accounts names {len(NUMBERS) - guessed} of them",
        f"with their meaning; {guessed} are guesses: the refusal is Snowflake's, its number may be another. Do not",
        "build on those.",
        "",
        "| number | meaning | grade |",
        "|---|---|---|",
    ]
    return lines + [f"| {number:06d} | {meaning} | {grade} |" for number, (grade, meaning) in sorted(NUMBERS.items())]


if __name__ == "__main__":
    raise SystemExit(main())
