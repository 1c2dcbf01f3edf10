"""``pinky init``, ``schema`` and ``plugins``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinky_cli.options import OUTPUT, with_options
from pinky_cli.settings import Settings

if TYPE_CHECKING:
    from pinky_core import Registry

MODELINE = "# yaml-language-server: $schema="

_ACCOUNT_MANIFEST = """\
# What this folder declares.
# Try it without an account:  pinky --local plan
# On an account:              pinky plan -c <connection>
scope: account

vars:
  database: PLAYGROUND

resources:
  database:
    - name: "{{ vars.database }}"
      comment: Made by pinky

  schema:
    - name: CORE
      database: "{{ vars.database }}"

# Larger objects have a file of their own: resources/<kind>/<name>.yml
"""
_SCHEMA_MANIFEST = """\
# What this folder declares, inside one schema that is there already.
# Try it without an account:  pinky --local plan
# On an account:              pinky plan -c <connection>
# For another schema:         pinky plan -c <connection> --target OTHER_DB.OTHER_SCHEMA
scope: schema
target: {target}

resources: {{}}

# Larger objects have a file of their own: resources/<kind>/<name>.yml
"""
_TABLE = """\
{placement}columns:
  - {{name: CUSTOMER_ID, type: "NUMBER(38,0)", not_null: true}}
  - {{name: NAME, type: VARCHAR}}
  - {{name: SINCE, type: DATE}}
comment: People who bought something
"""
_PLACEMENT = 'database: "{{ vars.database }}"\nschema: CORE\n'


@with_options(OUTPUT)
def init(
    settings: Settings,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where to write. Default: here.")] = ".",
    target: Annotated[
        str | None, typer.Option("--target", metavar="DB.SCHEMA", help="Write a manifest for one schema.")
    ] = None,
) -> int:
    """Write a small working manifest.

    Nothing that exists is overwritten.
    """
    from pinky_cli.run import Run

    if target is not None:
        _check_target(target)
    run = Run(settings)
    try:
        kinds = run.registry.kinds
    except _plugin_error() as error:
        return run.failed(error)
    files = manifest_files(frozenset(kinds), target)
    if not files:
        run.refuse("no-plugins", "no plugin that brings tables is installed: install pinky-schema, at least")
        return 1
    root = Path(folder)
    if existing := [name for name in files if (root / name).exists()]:
        run.refuse("exists", f"these files are there already: {', '.join(existing)}")
        return 1
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        run.terminal.show(f"wrote {path}")
    where = "" if folder == "." else f" -m {folder}"
    run.terminal.show(f"Next: pinky --local plan{where}")
    return 0


def _check_target(target: str) -> None:
    """`typer.BadParameter` for what is not the name of a schema."""
    from pinky_core import parse_path

    try:
        parts = len(parse_path(target))
    except ValueError as error:
        raise typer.BadParameter(f"--target: {error}") from None
    if parts != 2:
        raise typer.BadParameter(f"--target {target!r}: expected DB.SCHEMA")


def manifest_files(kinds: frozenset[str], target: str | None) -> dict[str, str]:
    """The files of a first manifest for the installed kinds, by relative path; none where there are no tables."""
    if "table" not in kinds:
        return {}
    if target is None and {"database", "schema"} <= kinds:
        return {
            "manifest.yml": _ACCOUNT_MANIFEST,
            "resources/table/customers.yml": _TABLE.format(placement=_PLACEMENT),
        }
    named = target or "MY_DB.MY_SCHEMA"
    return {
        "manifest.yml": _SCHEMA_MANIFEST.format(target=json.dumps(named) if '"' in named else named),
        "resources/table/customers.yml": _TABLE.format(placement=""),
    }


@with_options(OUTPUT)
def schema(
    settings: Settings,
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="Print the schema of one kind.")] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FOLDER", help="Write all schemas into this folder.")
    ] = None,
) -> int:
    """Print JSON Schemas, for editors.

    That of manifests as installed here, or of one kind; or write all of them into a folder.
    """
    from pinky_cli.run import Run

    run = Run(settings)
    try:
        files = schema_files(run.registry)
    except _plugin_error() as error:
        return run.failed(error)
    if kind is not None and f"{kind}.schema.json" not in files:
        from pinky_core.diagnostics import nearest

        hint = nearest(kind, run.registry.kinds)
        raise typer.BadParameter(f"the kind {kind!r} is not installed. {hint}".rstrip())
    if out is None:
        run.terminal.write(files[f"{kind or 'manifest'}.schema.json"])
        return 0
    if kind is not None:
        raise typer.BadParameter("--out writes all schemas; leave KIND out")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    run.terminal.show(f"{len(files)} schemas in {folder}. First line of manifest.yml, for the editor:")
    run.terminal.show(f"{MODELINE}{(folder / 'manifest.schema.json').as_posix()}")
    run.terminal.show("First line of resources/<kind>/<name>.yml:")
    run.terminal.show(f"{MODELINE}{_from_resource(folder)}/<kind>.schema.json")
    return 0


def _from_resource(folder: Path) -> str:
    """A folder as a file two levels below the manifest names it."""
    return folder.as_posix() if folder.is_absolute() else f"../../{folder.as_posix()}"


def schema_files(registry: Registry) -> dict[str, str]:
    """Every JSON Schema of what is installed, by file name."""
    from pinky_core.json_schema import document_schema, manifest_schema

    kinds = dict(sorted(registry.kinds.items()))
    sections = registry.section_schemas()
    client = {name: cls for name, cls in kinds.items() if cls.spec.scope == "schema"}
    documents: dict[str, Any] = {
        "manifest": manifest_schema(kinds, sections, ("schema", "database", "account")),
        "manifest_client": manifest_schema(client, sections, ["schema"]),
    }
    documents |= {name: document_schema(cls) for name, cls in kinds.items()}
    return {
        f"{name}.schema.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }


@with_options(OUTPUT)
def plugins(
    settings: Settings,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
) -> int:
    """List the installed plugins and kinds.

    Where they come from, and the kinds, hooks and commands they bring.
    """
    from pinky_cli.main import plugin_commands
    from pinky_cli.render_json import to_text
    from pinky_cli.run import Run

    run = Run(settings, as_json=as_json)
    try:
        listed = plugin_list(run.registry)
        commands = sorted(plugin_commands())
    except _plugin_error() as error:
        return run.failed(error)
    if as_json:
        run.terminal.write(to_text({"plugins": listed, "commands": commands}))
        return 0
    for each in listed:
        run.terminal.show(f"{each['name']}  {each['version']}  (distribution {each['distribution']})")
        for what in ("kinds", "sections", "words", "hooks"):
            if each[what]:
                run.terminal.show(f"    {what}: {', '.join(each[what])}")
    if commands:
        run.terminal.show(f"commands of plugins: {', '.join(commands)}")
    if not any(each["kinds"] for each in listed):
        run.terminal.say("no plugin brings any kind; pinky's own are pinky-schema, pinky-database and pinky-account")
    return 0


def plugin_list(registry: Registry) -> list[dict[str, Any]]:
    """The loaded plugins as JSON can hold them; words are what a plugin brought to a section, such as a slot."""
    words: dict[str, list[str]] = {}
    for section in registry.sections.values():
        for word in section.words(registry.manager.hook) if section.words else ():
            words.setdefault(word.brought_by, []).append(f"{section.key}.{word.name}")
    return [
        {
            "name": each.name,
            "version": each.version,
            "distribution": each.distribution,
            "kinds": sorted(kind for kind, plugin in registry.kind_plugins.items() if plugin == each.name),
            "sections": sorted(key for key, plugin in registry.section_plugins.items() if plugin == each.name),
            "words": sorted(words.get(each.name, ())),
            "hooks": list(each.hooks),
        }
        for each in registry.plugins
    ]


def _plugin_error() -> type[Exception]:
    from pinky_core import PinkyError

    return PinkyError
