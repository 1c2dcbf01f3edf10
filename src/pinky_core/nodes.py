"""YAML text → nodes that know their place.

Nodes are built from parser events (libyaml's through ruamel.yaml.clib where installed, else ruamel.yaml's own), and
plain scalars are resolved here by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): ``on``,
``yes`` and dates are strings. Keys are always strings. Refused with a place: duplicate keys, tags, several documents,
keys that are not scalars. The only module that imports ruamel.yaml, and it does so at the first parse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NoReturn, TypeAlias

from pinky_core.diagnostics import Diagnostic, Location

__all__ = [
    "Mapping",
    "Node",
    "Parsed",
    "Scalar",
    "ScalarValue",
    "Sequence",
    "locate",
    "parse_yaml",
    "resolve_plain",
    "to_plain",
]

ScalarValue: TypeAlias = str | int | float | bool | None
Node: TypeAlias = "Scalar | Mapping | Sequence"

MAX_DEPTH = 100  # levels of nesting; no manifest comes near, and it bounds every recursive walk over nodes
MAX_ALIASED = 1_000_000  # nodes that aliases may stand for in one file: the bound against "billion laughs"
MAX_DIGITS = 4000  # of a number; int() of Python refuses more than 4300


class _Placed:
    """What all nodes share: the file, and line and column counted from 1."""

    __slots__ = ("column", "file", "line")

    file: str
    line: int
    column: int

    @property
    def location(self) -> Location:
        """Where the node begins."""
        return Location(self.file, self.line, self.column)


class Scalar(_Placed):
    """One value: ``value`` as resolved, ``text`` as written (unescaped), ``style`` one of ``"" ' " | >``."""

    __slots__ = ("style", "text", "value")

    def __init__(self, value: ScalarValue, text: str, style: str, file: str, line: int, column: int) -> None:
        self.value = value
        self.text = text
        self.style = style
        self.file = file
        self.line = line
        self.column = column

    def __repr__(self) -> str:
        return f"Scalar({self.value!r} at {self.location})"


class Mapping(_Placed):
    """``entries``: key text → (key, value), in the order of the file; what ``<<`` merges comes first."""

    __slots__ = ("entries",)

    def __init__(self, entries: dict[str, tuple[Scalar, Node]], file: str, line: int, column: int) -> None:
        self.entries = entries
        self.file = file
        self.line = line
        self.column = column

    def get(self, key: str) -> Node | None:
        """The value under a key, or None where the key is not there."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def __repr__(self) -> str:
        return f"Mapping({list(self.entries)!r} at {self.location})"


class Sequence(_Placed):
    """``items`` in the order of the file."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node], file: str, line: int, column: int) -> None:
        self.items = items
        self.file = file
        self.line = line
        self.column = column

    def __repr__(self) -> str:
        return f"Sequence({len(self.items)} at {self.location})"


class Parsed:
    """A parsed file: ``root`` is None where there is no document or it does not parse; ``diagnostics`` say why.

    ``texts`` are the different texts of its scalars.
    """

    __slots__ = ("diagnostics", "root", "texts")

    def __init__(self, root: Node | None, diagnostics: list[Diagnostic], texts: Collection[str] = ()) -> None:
        self.root = root
        self.diagnostics = diagnostics
        self.texts = texts


def parse_yaml(text: str, file: str, *, pure: bool = False) -> Parsed:
    """Parse one YAML document; ``file`` is the name its places carry, ``pure`` keeps to the Python parser.

    Nothing is raised for what the text holds. A syntax error ends the file it is in; every other mistake is collected.
    Both parsers give the same nodes: what libyaml refuses (it knows YAML 1.1, where ``[a:b]`` is an error) is parsed
    again by the Python parser, whose word is final.
    """
    text = text.removeprefix("\ufeff")
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        return Parsed(None, [_forbidden_character(text, forbidden.start(), file)])
    from ruamel.yaml.error import YAMLError

    c_events = None if pure else _c_events(text)
    if c_events is not None:
        try:
            return _Builder(c_events, file, final=False).build()
        except (YAMLError, _UndecidedError):
            pass  # the Python parser decides, below
    builder = _Builder(_pure_events(text), file, final=True)
    try:
        return builder.build()
    except YAMLError as error:
        return Parsed(None, [*builder.diagnostics, _syntax_error(error, text, file)])


# Control characters, lone surrogates, and the line separators on which YAML 1.1 and 1.2 differ.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _forbidden_character(text: str, index: int, file: str) -> Diagnostic:
    before = re.split(r"\r\n?|\n", text[:index])
    return Diagnostic.error(
        "yaml-syntax",
        f"character U+{ord(text[index]):04X} cannot stand in a YAML file",
        hint=f'Inside double quotes write it as "\\u{ord(text[index]):04X}".',
        location=Location(file, len(before), len(before[-1]) + 1),
    )


def _c_events(text: str) -> Iterator[Any] | None:
    import ruamel.yaml.main

    c_parser = getattr(ruamel.yaml.main, "CParser", None)  # None where ruamel.yaml.clib is not installed
    return None if c_parser is None else iter(c_parser(text).get_event, None)


def _pure_events(text: str) -> Iterator[Any]:
    import ruamel.yaml

    events: Iterator[Any] = ruamel.yaml.YAML(typ="safe", pure=True).parse(text)
    return events


def _syntax_error(error: Any, text: str, file: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    location = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file, 1, 1)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context_mark = getattr(error, "context_mark", None)
    context = f", {error.context} that begins at line {context_mark.line + 1}" if context_mark else ""
    lines = text.splitlines()
    line = lines[location.line - 1] if location.line <= len(lines) else ""
    hint = "YAML indents with spaces, never with tabs." if "\t" in line[: location.column] else ""
    return Diagnostic.error("yaml-syntax", f"not valid YAML: {problem}{context}", hint=hint, location=location)


_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INF = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")
_WORDS: dict[str, ScalarValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMERIC_START = frozenset("+-.0123456789")


def resolve_plain(text: str) -> ScalarValue:
    """What an unquoted scalar means: a number, a truth value, null, or the text itself.

    Raises ValueError for a number of more than 4000 digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if len(text) > MAX_DIGITS and (_INT.match(text) or _FLOAT.match(text)):
        raise ValueError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are read")
    if _INT.match(text):
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    if _FLOAT.match(text):
        return float(text)
    if _INF.match(text):
        return float("-inf" if text[0] == "-" else "inf")
    return text


class _UndecidedError(Exception):
    """Here the two parsers may differ: a name of an anchor ends before a colon in YAML 1.1, but not in 1.2."""


class _StopError(Exception):
    """Nothing after this place is worth reading; the diagnostics say why."""


class _Builder:
    """Events of one document → nodes, one method per event; collects every mistake that is not one of syntax.

    ``depth`` is how many collections are open around a node, ``owner`` the key or the collection that it belongs to.
    """

    def __init__(self, events: Iterator[Any], file: str, *, final: bool) -> None:
        from ruamel.yaml import events as kinds

        self.events = events
        self.file = file
        self.final = final
        self.diagnostics: list[Diagnostic] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}  # node, nodes in it, levels below it
        self.open_anchors: list[str] = []  # of collections whose end has not come yet
        self.texts: dict[str, str] = {}  # equal texts are one object: keys and types stand in a file again and again
        self.count = 0  # nodes so far, aliases counted with all they stand for
        self.aliased = 0
        self.line = 0  # of the node before; many nodes of a line share its number
        self.reached = 0  # depth of the deepest node of the collection that is being read, aliases followed
        self.document_event, self.alias_event = kinds.DocumentStartEvent, kinds.AliasEvent
        self.mapping_event, self.mapping_end = kinds.MappingStartEvent, kinds.MappingEndEvent
        self.sequence_end = kinds.SequenceEndEvent
        self.handlers: dict[type, Callable[[Any, int, Node | None], Node]] = {
            kinds.ScalarEvent: self._scalar,
            kinds.AliasEvent: self._alias,
            kinds.MappingStartEvent: self._collection,
            kinds.SequenceStartEvent: self._collection,
        }

    def build(self) -> Parsed:
        root: Node | None = None
        try:
            for event in self.events:
                if type(event) is self.document_event:
                    self._document(event, root)
                elif type(event) in self.handlers:
                    root = self.handlers[type(event)](event, 0, None)
        except _StopError:
            root = None
        return Parsed(root, self.diagnostics, self.texts)

    def _error(self, code: str, summary: str, line: int, column: int, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic.error(code, summary, hint=hint, location=Location(self.file, line, column)))

    def _stop(self, code: str, summary: str, line: int, column: int, hint: str = "") -> NoReturn:
        self._error(code, summary, line, column, hint)
        raise _StopError

    def _document(self, event: Any, root: Node | None) -> None:
        line = event.start_mark.line + 1
        if root is not None:
            self._stop("yaml-documents", "a second document in one file", line, 1, "Put it into a file of its own.")
        elif event.version is not None and tuple(event.version) != (1, 2):
            major, minor = event.version
            self._stop("yaml-version", f"YAML {major}.{minor} is declared; only YAML 1.2 is read", line, 1)

    def _scalar(self, event: Any, depth: int, owner: Node | None) -> Scalar:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if line == self.line:
            line = self.line
        else:
            self.line = line
        text = self.texts.setdefault(event.value, event.value)
        style = event.style or ""
        if not text and not style:  # it is not written at all, and stands where its key or collection does
            line, column = (owner.line, owner.column) if owner is not None else (1, 1)
            if event.anchor is not None and not self.final:
                raise _UndecidedError
        if not depth and style in ("|", ">"):  # the one scalar whose end the two parsers see differently
            self._stop("yaml-syntax", "a block text cannot be a file's only value", 1, 1, "Give it a key.")
        value: ScalarValue = text
        if event.tag is not None:
            self._tag(event, line, column)
        elif not style:
            try:
                value = resolve_plain(text)
            except ValueError as error:
                self._error("yaml-number", str(error), line, column)
        node = Scalar(value, text, style, self.file, line, column)
        self.count += 1
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, 1, 0)
        return node

    def _tag(self, event: Any, line: int, column: int) -> None:
        hint = "Remove it; quotes make a text of a number." if "yaml.org" in str(event.tag) else "Remove it."
        self._error("yaml-tag", f"the tag {event.tag} is not allowed: a value says its own type", line, column, hint)

    def _alias(self, event: Any, depth: int, _owner: Node | None) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        known = self.anchors.get(event.anchor)
        if known is None:
            problem = (
                "stands inside what it repeats" if event.anchor in self.open_anchors else "has no anchor before it"
            )
            self._error("yaml-alias", f"*{event.anchor} {problem}", line, column)
            return Scalar(None, "", "", self.file, line, column)
        node, size, height = known
        self.count += size
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            self._stop("yaml-alias", f"aliases repeat more than {MAX_ALIASED:,} values", line, column)
        if depth + height > MAX_DEPTH:
            self._stop("yaml-depth", f"nested deeper than {MAX_DEPTH} levels", line, column)
        self.reached = max(self.reached, depth + height)
        return Scalar(node.value, node.text, node.style, self.file, line, column) if isinstance(node, Scalar) else node

    def _collection(self, event: Any, depth: int, _owner: Node | None) -> Mapping | Sequence:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if event.tag is not None:
            self._tag(event, line, column)
        if depth >= MAX_DEPTH:
            self._stop("yaml-depth", f"nested deeper than {MAX_DEPTH} levels", line, column)
        start, reached_before = self.count, self.reached
        self.count += 1
        self.reached = depth + 1
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)  # until it is closed, the name means nothing
            self.open_anchors.append(event.anchor)
        node: Mapping | Sequence
        if type(event) is self.mapping_event:
            node = Mapping({}, self.file, line, column)
            self._fill_mapping(node, depth + 1)
        else:
            node = Sequence([], self.file, line, column)
            self._fill_sequence(node, depth + 1)
        if event.anchor is not None:
            self.open_anchors.pop()
            self.anchors[event.anchor] = (node, self.count - start, self.reached - depth)
        self.reached = max(self.reached, reached_before)
        return node

    def _fill_sequence(self, sequence: Sequence, depth: int) -> None:
        for event in self.events:
            if type(event) is self.sequence_end:
                return
            sequence.items.append(self.handlers[type(event)](event, depth, sequence))

    def _fill_mapping(self, mapping: Mapping, depth: int) -> None:
        merged: list[Mapping] = []
        for event in self.events:
            if type(event) is self.mapping_end:
                break
            key = self._key(event, mapping, depth)
            following = next(self.events)
            value = self.handlers[type(following)](following, depth, key or mapping)
            if key is None:
                continue  # it was refused, and its value with it
            if key.text == "<<" and not key.style:
                merged += self._to_merge(value)
            else:
                mapping.entries[key.text] = (key, value)
        if merged:
            _merge(mapping, merged)

    def _key(self, event: Any, mapping: Mapping, depth: int) -> Scalar | None:
        """The key that begins here, or None where it is refused."""
        if type(event) is self.alias_event and not self.final:
            raise _UndecidedError
        node = self.handlers[type(event)](event, depth, mapping)
        if not isinstance(node, Scalar):
            template = isinstance(node, Mapping) and (node.line, node.column) == (mapping.line, mapping.column + 1)
            hint = 'Quote a value that begins with a template: "{{ … }}".' if template else ""
            self._error("yaml-key", "a key must be one value, not a list or a mapping", node.line, node.column, hint)
        elif not node.text and not node.style:
            self._error("yaml-key", "a key is empty", node.line, node.column)
        elif node.text in mapping.entries:
            first = mapping.entries[node.text][0].location
            summary = f"key {node.text!r} stands twice; first at {first}"
            self._error("duplicate-key", summary, node.line, node.column, "Keep one of the two.")
        else:
            return node
        return None

    def _to_merge(self, node: Node) -> Iterator[Mapping]:
        for item in node.items if isinstance(node, Sequence) else [node]:
            if isinstance(item, Mapping):
                yield item
            else:
                self._error("yaml-merge", "<< merges a mapping or a list of mappings", item.line, item.column)


def _merge(node: Mapping, merged: list[Mapping]) -> None:
    """Own keys win over merged ones, and a mapping named earlier over a later one."""
    entries: dict[str, tuple[Scalar, Node]] = {}
    for mapping in reversed(merged):
        entries.update(mapping.entries)
    entries.update(node.entries)
    node.entries = entries


def to_plain(node: Node) -> Any:
    """The node as dicts, lists, strings, numbers, truth values and None; always new containers."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: to_plain(value) for key, (_, value) in node.entries.items()}
    return [to_plain(item) for item in node.items]


def locate(node: Node, path: tuple[str | int, ...], *, key: bool = False) -> Location:
    """The place of the deepest node that lies on ``path``; with ``key``, of the mapping key that the last step names.

    A path that leads further than the nodes do ends where they end, so a missing field is shown at its owner.
    """
    location = node.location
    for step in path:
        if isinstance(node, Mapping) and step in node.entries:
            name, node = node.entries[str(step)]
            location = name.location if key else node.location
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            location = node.location
        else:
            break
    return location
