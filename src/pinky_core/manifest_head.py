"""The head of a manifest: its files, variables, environment, target and scope. What is wrong becomes diagnostics."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from collections.abc import Mapping as AnyMapping
from pathlib import PurePosixPath
from typing import Any

from pinky_core.address import parse_path
from pinky_core.diagnostics import Diagnostic, Location, nearest
from pinky_core.manifest_source import ManifestSource, UnreadableFileError
from pinky_core.nodes import Mapping, Node, Scalar, parse_yaml, to_plain
from pinky_core.variables import Bindings, has_template, substitute

__all__ = ["CLIENT_FOLDER", "EXTENSIONS", "KEYS", "SCOPES", "HeadReader", "why_unreadable"]

SCOPES = ("schema", "database", "account")
CLIENT_FOLDER = "manifest_client"  # a manifest folder of this name holds schema-scoped resources only

KEYS = ("scope", "target", "environment", "include", "vars", "resources")
EXTENSIONS = (".yml", ".yaml")


def why_unreadable(error: OSError | ValueError) -> str:
    """The reason alone: an operating system's message would name the machine's own paths."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, UnreadableFileError) and (error.line, error.column) != (1, 1):
        return f"{error} (line {error.line}, column {error.column})"
    return str(error)


class HeadReader:
    """Reads the head of one manifest; every method adds to ``diagnostics`` what it finds wrong."""

    def __init__(self, source: ManifestSource, file: str, sections: Collection[str], kinds: Collection[str]) -> None:
        self.source = source
        self.file = file
        self.section_keys = frozenset(sections)
        self.kinds = frozenset(kinds)
        self.diagnostics: list[Diagnostic] = []
        self.bindings = Bindings({})
        self.literal_files: set[str] = set()  # those without a template, in which there is nothing to substitute

    # -- files ---------------------------------------------------------------------------------------------------------

    def _error(self, code: str, summary: str, location: Location | None, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic.error(code, summary, hint=hint, location=location))

    def _read_root(self, file: str) -> Node | None:
        try:
            text = self.source.read(file)
        except (OSError, ValueError) as error:
            line, column = (error.line, error.column) if isinstance(error, UnreadableFileError) else (1, 1)
            hint = nearest(file, self._list("*")) if isinstance(error, OSError) else ""
            self._error(
                "unreadable-file", f"cannot read {file!r}: {why_unreadable(error)}", Location(file, line, column), hint
            )
            return None
        parsed = parse_yaml(text, file)
        self.diagnostics += parsed.diagnostics
        if not any(map(has_template, (file, *parsed.texts))):
            self.literal_files.add(file)
        return parsed.root

    def _read_mapping(self, file: str) -> Mapping:
        before = len(self.diagnostics)
        root = self._read_root(file)
        if isinstance(root, Mapping):
            return root
        if len(self.diagnostics) == before:
            location = root.location if root else Location(file, 1, 1)
            self._error("wrong-shape", f"{file} must hold a mapping of keys to values", location)
        return Mapping({}, file, 1, 1)

    def _list(self, pattern: str, location: Location | None = None) -> list[str]:
        try:
            return self.source.list(pattern)
        except (OSError, ValueError, NotImplementedError) as error:
            why = str(error) if isinstance(error, NotImplementedError) else why_unreadable(error)
            self._error("unreadable-file", f"cannot list {pattern!r}: {why}", location)
            return []

    def _check_keys(self, root: Mapping, known: tuple[str, ...]) -> None:
        for text, (key, _) in root.entries.items():
            if text in known or text in self.section_keys:
                continue
            if text in KEYS:
                self._error("unknown-key", f"{text!r} belongs into {self.file}, not here", key.location)
                continue
            if text in self.kinds:
                hint = f"Put it under resources:, as resources: {{{text}: [...]}}."
            else:
                hint = nearest(text, [*known, *self.section_keys]) or f"Known keys: {', '.join(self._known(known))}."
            self._error("unknown-key", f"unknown key {text!r}", key.location, hint)

    def _known(self, keys: tuple[str, ...]) -> list[str]:
        return [*keys, *sorted(self.section_keys)]

    # -- variables, environment, target, scope -------------------------------------------------------------------------

    def _environments(self) -> dict[str, str]:
        """Environment → its file of variables."""
        files = [file for extension in EXTENSIONS for file in self._list(f"vars/*{extension}")]
        found: dict[str, str] = {}
        for file in files:
            name = PurePosixPath(file).stem
            if name in found:
                self._error("duplicate-file", f"{file} and {found[name]} are for one environment", Location(file, 1, 1))
            found.setdefault(name, file)
        return found

    def _variables_of(self, node: Node | None) -> dict[str, Any]:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return {}
        if not isinstance(node, Mapping):
            self._error("wrong-shape", "variables must be a mapping of names to values", node.location)
            return {}
        for scalar in _scalars(node):
            if has_template(scalar.text):
                summary = "a variable's value is never substituted; the braces will stay as they are"
                self.diagnostics.append(Diagnostic.warning("template-in-variable", summary, location=scalar.location))
        plain: dict[str, Any] = to_plain(node)
        return plain

    def _given(self, variables: AnyMapping[str, Any]) -> dict[str, Any]:
        """The caller's variables as plain values."""
        values: dict[str, Any] = {}
        for name, value in variables.items():
            try:
                values[str(name)] = _plain(value, 0)
            except TypeError as error:
                self._error(
                    "variable", f"the variable {name!r} holds {error}", None, "Give texts, numbers, lists, mappings."
                )
        return values

    def _environment(
        self, root: Mapping, given: str | None, target: str | None, variables: dict[str, Any], known: dict[str, str]
    ) -> str | None:
        """The environment: the caller's, or what the pattern finds in the target's name."""
        naming = root.get("environment")
        place = naming.location if naming else None
        derived = self._derived_environment(naming, root, target, variables, given)
        if given is not None and derived is not None and derived in known and derived != given:
            hint = "Leave one of the two out, or make them agree."
            self._error("environment", f"the environment is {given}, but the target's name says {derived}", place, hint)
        env = given if given is not None else derived
        if env is not None and known and env not in known:
            hint = nearest(env, known) or f"Known environments: {', '.join(sorted(known))}."
            self._error("environment", f"there is no vars/{env}.yml", place if given is None else None, hint)
        return env

    def _derived_environment(
        self, naming: Node | None, root: Mapping, target: str | None, variables: dict[str, Any], env: str | None
    ) -> str | None:
        if naming is None:
            return None
        rule = self._naming_rule(naming)
        node = root.get("target")
        if target is None and isinstance(node, Scalar):
            # Without the variables of an environment, which is what we look for; mistakes are told by _target.
            rendered = substitute(node, Bindings(variables, env), [])
            target = rendered.value if isinstance(rendered, Scalar) and isinstance(rendered.value, str) else None
        if rule is None or target is None or has_template(target):
            return None
        pattern, index = rule
        try:
            path = parse_path(target)
        except ValueError:
            return None
        match = pattern.fullmatch(path[index]) if index < len(path) else None
        if match is None:
            summary = f"the target {target} does not follow the pattern of environment"
            self.diagnostics.append(Diagnostic.warning("environment", summary, location=naming.location))
            return None
        return match["env"]

    def _naming_rule(self, naming: Node) -> tuple[re.Pattern[str], int] | None:
        """``environment: {pattern: "{name}_{env}", of: database | schema}`` → a pattern, and the part it is for."""
        fields = naming.entries if isinstance(naming, Mapping) else {}
        unknown = [key for text, (key, _) in fields.items() if text not in ("pattern", "of")]
        for key in unknown:
            self._error("unknown-key", f"unknown key {key.text!r}", key.location, nearest(key.text, ("pattern", "of")))
        pattern = to_plain(fields["pattern"][1]) if "pattern" in fields else None
        of = to_plain(fields["of"][1]) if "of" in fields else "database"
        if not isinstance(pattern, str) or pattern.count("{name}") != 1 or pattern.count("{env}") != 1:
            hint = 'Write environment: {pattern: "{name}_{env}"}.'
            self._error("wrong-shape", "environment needs a pattern of {name} and {env}", naming.location, hint)
            return None
        if of not in ("database", "schema"):
            self._error("wrong-shape", "'of' must be database or schema", fields["of"][1].location)
            return None
        source = re.escape(pattern).replace(r"\{name\}", "(?P<name>.+)").replace(r"\{env\}", "(?P<env>[A-Za-z0-9]+)")
        return re.compile(source), 0 if of == "database" else 1

    def _target(self, root: Mapping, given: str | None) -> tuple[str | None, Location | None]:
        node = root.get("target")
        place = node.location if node else None
        if given is not None:
            return given, None
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return None, place
        before = len(self.diagnostics)
        value = to_plain(substitute(node, self.bindings, self.diagnostics))
        if len(self.diagnostics) > before:
            return None, place
        if not isinstance(value, str):
            self._error("target", "the target must be a name: DB.SCHEMA or DB", place)
            return None, place
        return value, place

    def _scope(self, root: Mapping, target: str | None) -> str:
        """What ``scope:`` says, or what the folder's name or the form of the target says in its place."""
        client = self._in_client_folder()
        entry = root.entries.get("scope")
        if entry is None:
            if client:
                return "schema"
            parts = _count_parts(target)
            if parts in (1, 2):
                return "database" if parts == 1 else "schema"
            if target is not None:
                return ""  # not the name of a database or a schema: told where targets are checked
            hint = "Write scope: schema, database or account."
            self._error("scope", "neither scope nor target is given", root.location, hint)
            return ""
        node = entry[1]
        value = to_plain(node)
        if value not in SCOPES:
            hint = nearest(str(value), SCOPES) or f"Allowed: {', '.join(SCOPES)}."
            self._error("scope", f"unknown scope {value!r}", node.location, hint)
            return "schema" if client else ""
        if client and value != "schema":
            hint = f"Move the manifest out of {CLIENT_FOLDER}/, or write scope: schema."
            self._error("scope", f"{CLIENT_FOLDER}/ holds schema-scoped resources only", node.location, hint)
            return "schema"
        return str(value)

    def _in_client_folder(self) -> bool:
        folder = PurePosixPath(posixpath.normpath(posixpath.join(self.source.name, self.file))).parent
        return folder.name == CLIENT_FOLDER


def _count_parts(target: str | None) -> int:
    try:
        return len(parse_path(target)) if target is not None else 0
    except ValueError:
        return 0


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for _, value in node.entries.values():
            yield from _scalars(value)
    else:
        for item in node.items:
            yield from _scalars(item)


def _plain(value: Any, depth: int) -> Any:
    """A caller's value as plain data; TypeError names what is not."""
    if depth > 100:
        raise TypeError("lists or mappings nested deeper than 100 levels")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, AnyMapping):
        return {str(key): _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value]
    raise TypeError(f"a {type(value).__name__}")
