"""A manifest → documents that know their place.

Layout, every path relative to the manifest's folder::

    manifest.yml                   scope, target, environment, include, vars, resources, and the sections of plugins
    vars/<ENV>.yml                 variables of one environment
    resources/<kind>/<name>.yml    one file, one object; `name` is the file's name where it does not say another

Variables: ``vars`` of the manifest, under ``vars/<ENV>.yml``, under the caller's; a later one replaces an earlier one
of the same name as a whole. Mistakes become diagnostics with places, all at once, and loading goes on with what is
sound.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence as AnySequence
from pathlib import PurePosixPath
from typing import Any

import attrs

from pinky_core.diagnostics import Diagnostic, Location, nearest
from pinky_core.errors import DiagnosticsError
from pinky_core.manifest_head import CLIENT_FOLDER, EXTENSIONS, KEYS, SCOPES, HeadReader, why_unreadable
from pinky_core.manifest_source import FolderSource, ManifestSource, UnreadableFileError
from pinky_core.nodes import Mapping, Node, Scalar, Sequence, locate, to_plain
from pinky_core.variables import Bindings, has_template, substitute

__all__ = [
    "CLIENT_FOLDER",
    "SCOPES",
    "Document",
    "FolderSource",
    "Manifest",
    "ManifestSource",
    "SectionDocument",
    "UnreadableFileError",
    "load_manifest",
    "read_file",
]


@attrs.frozen(eq=False)
class Document:
    """One resource as declared, variables substituted, ``for_each`` resolved.

    ``file`` and every location name the file relative to the manifest's folder: ``source.read(location.file)`` is the
    text a place points into.
    """

    kind: str
    body: Mapping
    plain: dict[str, Any]
    location: Location
    kind_location: Location
    file: str
    source: ManifestSource = attrs.field(repr=False)

    def location_of(self, path: AnySequence[str | int], *, key: bool = False) -> Location:
        """The place of a field, or of the deepest thing on the way to it; with ``key``, of the field's name."""
        return locate(self.body, tuple(path), key=key)


@attrs.frozen(eq=False)
class SectionDocument:
    """One section: a top-level key that a plugin owns, with its value of any shape."""

    key: str
    body: Node
    plain: Any
    location: Location
    key_location: Location
    file: str
    source: ManifestSource = attrs.field(repr=False)

    def location_of(self, path: AnySequence[str | int], *, key: bool = False) -> Location:
        """The place of a field, or of the deepest thing on the way to it; with ``key``, of the field's name."""
        return locate(self.body, tuple(path), key=key)


@attrs.frozen(eq=False)
class Manifest:
    """A loaded manifest; only without errors in ``diagnostics`` is it fit for planning.

    ``scope`` is empty where it could not be known, ``target`` None where none was given; whether the two fit, and
    whether the target is a name at all, is for the engine to say, which knows what the caller may do.
    """

    scope: str
    target: str | None
    target_location: Location | None
    env: str | None
    variables: dict[str, Any] = attrs.field(repr=False)
    documents: list[Document]
    sections: list[SectionDocument]
    diagnostics: list[Diagnostic]
    source: ManifestSource
    file: str


def load_manifest(
    source: ManifestSource,
    *,
    file: str | None = None,
    env: str | None = None,
    target: str | None = None,
    variables: AnyMapping[str, Any] | None = None,
    sections: Collection[str] = (),
    kinds: Collection[str] = (),
) -> Manifest:
    """Load the manifest ``file`` (by default ``manifest.yml``) and what lies beside it.

    Never raises for what the files hold. ``env``, ``target`` and ``variables`` are the caller's and win over the
    manifest's own. ``sections`` are the keys that plugins own. ``kinds`` only improve hints: a document of an unknown
    kind is kept, for validation to explain.
    """
    if file is None:
        file = source.manifest_file if isinstance(source, FolderSource) else "manifest.yml"
    return _Loader(source, file, sections, kinds).load(env, target, variables or {})


def read_file(document: Document | SectionDocument, relative_path: str, path: tuple[str | int, ...] = ()) -> str:
    """The text of a file that a resource names, relative to the YAML file that names it.

    ``path`` leads to the field that holds the name, for the place of an error. Raises DiagnosticsError, code
    ``unreadable-file``, where the file is missing, not text, or outside the manifest's folder.
    """
    full = posixpath.normpath(posixpath.join(posixpath.dirname(document.file), relative_path))
    try:
        if posixpath.isabs(relative_path) or full.startswith("../") or full in (".", ".."):
            raise UnreadableFileError("it is outside the folder of the manifest")
        return document.source.read(full)
    except (OSError, ValueError) as error:
        summary = f"cannot read {relative_path!r}: {why_unreadable(error)}"
        beside = (
            document.source.list(posixpath.join(posixpath.dirname(full), "*")) if isinstance(error, OSError) else []
        )
        hint = nearest(full, beside)
        place = document.location_of(path)
        raise DiagnosticsError(
            [Diagnostic.error("unreadable-file", summary, hint=hint, path=path, location=place)]
        ) from error


class _Loader(HeadReader):
    """The steps of one load: the head, then the contents of every file."""

    def __init__(self, source: ManifestSource, file: str, sections: Collection[str], kinds: Collection[str]) -> None:
        super().__init__(source, file, sections, kinds)
        self.documents: list[Document] = []
        self.sections: dict[str, SectionDocument] = {}

    def load(self, env: str | None, target: str | None, variables: AnyMapping[str, Any]) -> Manifest:
        root = self._read_mapping(self.file)
        self._check_keys(root, KEYS)
        environments = self._environments()
        own = self._variables_of(root.get("vars"))
        given = self._given(variables)
        env = self._environment(root, env, target, {**own, **given}, environments)
        of_env = self._variables_of(self._read_root(environments[env])) if env in environments else {}
        values = {**own, **of_env, **given}
        self.bindings = Bindings(values, env, environments=sorted(environments))
        text, place = self._target(root, target)
        scope = self._scope(root, text)
        self._contents(root, self.file)
        for included in self._included(root):
            mapping = self._read_mapping(included)
            self._check_keys(mapping, ("resources",))
            self._contents(mapping, included)
        self._resource_files()
        return Manifest(
            scope=scope,
            target=text,
            target_location=place,
            env=env,
            variables=values,
            documents=self.documents,
            sections=list(self.sections.values()),
            diagnostics=list(dict.fromkeys(self.diagnostics)),  # for_each repeats what is wrong in a body
            source=self.source,
            file=self.file,
        )

    # -- contents ------------------------------------------------------------------------------------------------------

    def _included(self, root: Mapping) -> list[str]:
        node = root.get("include")
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return []
        patterns = node.items if isinstance(node, Sequence) else [node]
        files: dict[str, None] = {}
        for each in patterns:
            pattern = to_plain(each)
            if not isinstance(pattern, str):
                self._error("wrong-shape", "include must list file patterns", each.location)
                continue
            before = len(self.diagnostics)
            found = self._list(pattern, each.location)
            if not found and len(self.diagnostics) == before:
                self._error("include", f"no file matches {pattern!r}", each.location)
            files.update(dict.fromkeys(found))
        return [file for file in files if file != self.file and not _has_own_place(file)]

    def _contents(self, root: Mapping, file: str) -> None:
        resources = root.get("resources")
        if isinstance(resources, Mapping):
            for kind, (key, node) in resources.entries.items():
                self._resources_of(kind, key, node, file)
        elif resources is not None and not (isinstance(resources, Scalar) and resources.value is None):
            hint = "Write resources: {table: [{name: ...}]}."
            self._error("wrong-shape", "resources must be a mapping of kinds to lists", resources.location, hint)
        for text, (key, node) in root.entries.items():
            if text in self.section_keys:
                self._section(text, key, node, file)

    def _section(self, text: str, key: Scalar, node: Node, file: str) -> None:
        first = self.sections.get(text)
        if first is not None:
            self._error("duplicate-section", f"{text!r} stands twice; first at {first.key_location}", key.location)
            return
        body = self._substituted(node, self.bindings)
        plain = to_plain(body)
        self.sections[text] = SectionDocument(text, body, plain, node.location, key.location, file, self.source)

    def _resources_of(self, kind: str, key: Scalar, node: Node, file: str) -> None:
        if has_template(kind):
            self._error("template-in-key", "a template in a key", key.location, "Only values are substituted.")
        elif isinstance(node, Sequence):
            for item in node.items:
                self._resource(kind, key.location, item, file)
            if not node.items and self.kinds and kind not in self.kinds:  # no document is left to tell it
                hint = nearest(kind, self.kinds) or f"Installed kinds: {', '.join(sorted(self.kinds))}."
                self._error("unknown-kind", f"unknown kind {kind!r}", key.location, hint)
        elif not (isinstance(node, Scalar) and node.value is None):
            hint = "Begin each resource with a dash: - name: ..."
            self._error("wrong-shape", f"{kind} must be a list of resources", node.location, hint)

    def _resource_files(self) -> None:
        files = [file for extension in EXTENSIONS for file in self._list(f"resources/**/*{extension}")]
        for file in sorted(files):
            parts = PurePosixPath(file).parts
            if len(parts) == 3:
                self._resource_file(file, parts[1])
            elif len(parts) == 2 and not self._was_read(file):
                hint = "Move it into resources/<kind>/, or name it under include:."
                self._error("misplaced-file", "a file directly in resources/ has no kind", Location(file, 1, 1), hint)

    def _was_read(self, file: str) -> bool:
        return any(each.file == file for each in self.documents) or any(
            each.file == file for each in self.sections.values()
        )

    def _resource_file(self, file: str, kind: str) -> None:
        before = len(self.diagnostics)
        root = self._read_root(file)
        if root is None:
            if len(self.diagnostics) > before:
                return
            root = Mapping({}, file, 1, 1)  # an empty file: everything by default, named after the file
        if isinstance(root, Mapping) and "name" not in root.entries:
            name = Scalar(PurePosixPath(file).stem, PurePosixPath(file).stem, '"', file, root.line, root.column)
            root = Mapping({"name": (name, name), **root.entries}, file, root.line, root.column)
        self._resource(kind, Location(file, 1, 1), root, file)

    def _resource(self, kind: str, kind_location: Location, node: Node, file: str) -> None:
        if not isinstance(node, Mapping):
            self._error("wrong-shape", f"a {kind} must be a mapping of fields", node.location)
            return
        repeat = node.entries.get("for_each")
        if repeat is None:
            self._document(kind, kind_location, node, file, self.bindings)
            return
        entries = {key: entry for key, entry in node.entries.items() if key != "for_each"}
        body = Mapping(entries, node.file, node.line, node.column)
        for each in self._items(repeat[1]):
            self._document(kind, kind_location, body, file, self.bindings.with_each(each))

    def _document(self, kind: str, kind_location: Location, node: Mapping, file: str, bindings: Bindings) -> None:
        body = self._substituted(node, bindings)
        if isinstance(body, Mapping):  # it is: substitution keeps the shape
            plain = to_plain(body)
            self.documents.append(Document(kind, body, plain, node.location, kind_location, file, self.source))

    def _substituted(self, node: Node, bindings: Bindings) -> Node:
        return node if node.file in self.literal_files else substitute(node, bindings, self.diagnostics)

    def _items(self, node: Node) -> Iterator[Any]:
        """What ``for_each`` repeats over: a list in place, or the dotted name of a variable that holds one."""
        if isinstance(node, Sequence):
            values = to_plain(substitute(node, self.bindings, self.diagnostics))
            places = [item.location for item in node.items]
        else:
            values = self._named_list(node)
            places = [node.location] * len(values)
        for value, place in zip(values, places, strict=True):
            if isinstance(value, list):
                self._error("for-each", "an item of for_each is a list", place, "Use a value or a mapping.")
            else:
                yield value

    def _named_list(self, node: Node) -> list[Any]:
        name = node.value if isinstance(node, Scalar) else None
        if not isinstance(name, str) or not re.fullmatch(r"vars(\.[^.\s{}]+)+", name):
            hint = "Write a list, or the name of a variable that holds one: for_each: vars.clients"
            self._error("for-each", "for_each is neither a list nor the name of one", node.location, hint)
            return []
        value: Any = self.bindings.context["vars"]
        for part in name.split(".")[1:]:
            if not isinstance(value, AnyMapping) or part not in value:
                hint = nearest(part, value) if isinstance(value, AnyMapping) else ""
                self._error("missing-variable", f"{name}: {part!r} is not defined", node.location, hint)
                return []
            value = value[part]
        if not isinstance(value, list):
            self._error("for-each", f"{name} does not hold a list", node.location)
            return []
        return value


def _has_own_place(file: str) -> bool:
    """Whether the layout already gives a file its meaning, so that ``include`` need not."""
    parts = PurePosixPath(file).parts
    return (parts[0] == "vars" and len(parts) == 2) or (parts[0] == "resources" and len(parts) == 3)
