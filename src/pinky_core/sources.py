"""Manifests that lie in Snowflake: the files of an internal stage, and of a Git repository at one commit.

Rests on https://docs.snowflake.com/en/sql-reference/sql/list,
https://docs.snowflake.com/en/developer-guide/git/git-operations and
https://docs.snowflake.com/en/sql-reference/sql/show-git-branches. Spellings::

    @DB.SCHEMA.STAGE/path/                              files of an internal stage
    DB.SCHEMA.REPO:/path/                               a Git repository, its default branch
    @DB.SCHEMA.REPO/branches/main/path/                 a branch; /tags/v1/… a tag; /commits/<sha>/… a commit

Names are written in full, since a stored procedure has no current schema to rely on. Everything in a name is quoted or
refused; a path holds folders and file names and nothing else.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs

from pinky_core.address import Identifier, parse_path, sql_path
from pinky_core.diagnostics import Diagnostic
from pinky_core.errors import DiagnosticsError, NotVisibleError, PinkyError, StatementError
from pinky_core.manifest_source import FolderSource, ManifestSource, UnreadableFileError, decoded
from pinky_core.session import Rows
from pinky_core.sql import string_literal

__all__ = ["GitSource", "StageSource", "lies_in_snowflake", "open_source"]

LARGEST = 16 * 1024 * 1024
"""Bytes of the largest file that a manifest may hold."""

_REFS = ("branches", "tags", "commits")
_PART = r'(?:"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_$]*)'
_NAME = rf"{_PART}(?:\.{_PART})*"
_STAGE = re.compile(rf"@(?P<name>{_NAME})(?P<rest>/.*)?\Z", re.DOTALL)
_REPOSITORY = re.compile(rf"(?P<name>{_PART}(?:\.{_PART})+):(?P<rest>/.*)\Z", re.DOTALL)
_FOLDER = re.compile(r"[^\x00-\x1f\x7f\\'\"%@{}]+\Z")
_SHA = re.compile(r"[0-9a-f]{40}\Z")

Name = tuple[Identifier, ...]


class Files(Protocol):
    """What a source needs of a session: statements, and the bytes of one staged file."""

    def execute(self, statement: str, parameters: Any = ()) -> Rows:
        """Run one statement."""
        ...

    def read_file(self, location: str, size: int) -> bytes:
        """The bytes of a file such as ``@DB.S.STAGE/a/b.yml``. Raises `SessionError`."""
        ...


def lies_in_snowflake(text: str) -> bool:
    """Whether a source is spelled as a stage or a Git repository; every other text is a path of this machine."""
    return text.startswith("@") or _REPOSITORY.match(text) is not None


def open_source(given: ManifestSource | str | Path, session: Files) -> ManifestSource:
    """The source that a caller means. Raises `DiagnosticsError` for one that cannot be read, before anything changes.

    What `lies_in_snowflake` has a manifest there, or is refused; every other text is a path of this machine.
    """
    if not isinstance(given, str):
        return FolderSource(given) if isinstance(given, Path) else given
    stage, repository = _STAGE.match(given), _REPOSITORY.match(given)
    if repository is not None:
        return _repository(given, _name(given, repository["name"]), "", repository["rest"], session)
    if stage is not None:
        name, rest = _name(given, stage["name"]), stage["rest"] or "/"
        first = rest.strip("/").partition("/")[0]
        if first in _REFS and _is_repository(name, session):
            return _repository(given, name, first, rest.strip("/").partition("/")[2], session)
        return StageSource(session, name, _folders(given, rest))
    if given.startswith("@") or "\0" in given or "\n" in given:
        raise _refused(given, "it is neither a stage such as @DB.SCHEMA.STAGE/folder/ nor a path")
    return FolderSource(given)


def _name(given: str, text: str) -> Name:
    try:
        name = parse_path(text)
    except ValueError as error:
        raise _refused(given, str(error)) from None
    if len(name) != 3:
        raise _refused(given, f"{text} has {len(name)} parts; write DB.SCHEMA.NAME in full")
    return name


def _folders(given: str, text: str) -> str:
    """A path without slashes at its ends. Raises for what could be anything but folders."""
    path = text.strip("/")
    for part in path.split("/") if path else ():
        if part in ("", ".", "..") or not _FOLDER.match(part):
            raise _refused(given, f"{part!r} is no folder that a source may name")
    if len(path) > 1024:
        raise _refused(given, f"its path has {len(path)} characters; at most 1024")
    return path


def _refused(given: str, why: str, hint: str = "") -> DiagnosticsError:
    shown = repr(given if len(given) <= 120 else given[:117] + "...")
    return DiagnosticsError([Diagnostic.error("source", f"{shown} is no source: {why}", hint=hint)])


# -- Git -----------------------------------------------------------------------------------------------------------


def _is_repository(name: Name, session: Files) -> bool:
    """Whether it is a Git repository that this role may read, and no stage; the listing of repositories may hide it."""
    try:
        session.execute(f"SHOW GIT BRANCHES IN {sql_path(name)}")
    except StatementError:
        return False
    return True


def _repository(given: str, name: Name, kind: str, rest: str, session: Files) -> GitSource:
    """A repository's tree at one commit; a branch or tag is looked up once, so that one run reads one commit."""
    if not kind:
        branches = _references(given, name, "BRANCHES", session)
        usual: list[str] = [each for each in branches if each in ("main", "master")] or list(branches)
        ref: str = min(usual, default="")
        if not ref or (len(usual) > 1 and ref != "main"):
            listed = ", ".join(sorted(branches)) or "there is none"
            raise _refused(given, f"which branch? {listed}", "Write @DB.SCHEMA.REPO/branches/NAME/….")
        return GitSource.at(session, name, _folders(given, rest), branches[ref], f"branch {ref}")
    if kind == "commits":
        commit, _, path = rest.partition("/")
        if not _SHA.match(commit):
            raise _refused(given, f"{commit!r} is no commit: 40 hexadecimal digits")
        return GitSource.at(session, name, _folders(given, path), commit, "commit")
    known = _references(given, name, "BRANCHES" if kind == "branches" else "TAGS", session)
    ref = max((each for each in known if f"{rest}/".startswith(f"{each}/")), key=len, default="")
    word = "branch" if kind == "branches" else "tag"
    if not ref:
        wanted = rest.partition("/")[0]
        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known)[:20]) or 'none'}."
        hint += " ALTER GIT REPOSITORY … FETCH brings new ones."
        raise _refused(given, f"no {word} {wanted!r} was fetched", hint)
    return GitSource.at(session, name, _folders(given, rest[len(ref) :]), known[ref], f"{word} {ref}")


def _references(given: str, name: Name, what: str, session: Files) -> dict[str, str]:
    """Branches or tags with their commits."""
    try:
        rows = session.execute(f"SHOW GIT {what} IN {sql_path(name)}")
    except NotVisibleError as error:
        privilege = "READ on the Git repository, USAGE on its database and schema"
        raise _refused(given, "the Git repository is not there or may not be read", f"It takes {privilege}.") from error
    return {str(row["name"]): str(row["commit_hash"]) for row in rows}


# -- files ---------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class StageSource:
    """Files under a folder of an internal stage. They are listed once; a file is read once, when it is first asked for.

    A manifest is read as it was at one moment: `settled` lists once more, and refuses what changed in between.
    """

    session: Files = attrs.field(repr=False)
    stage: Name
    folder: str = ""
    _found: dict[str, tuple[int, str]] | None = attrs.field(default=None, init=False, repr=False)
    _texts: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)
    _settled: int = attrs.field(default=0, init=False, repr=False)

    @property
    def name(self) -> str:
        """``@DB.SCHEMA.STAGE/folder``, whose last part decides whether it is a client manifest."""
        return self._place

    @property
    def commit(self) -> str | None:
        """The commit it is read from; a stage has none."""
        return None

    @property
    def _place(self) -> str:
        return f"@{sql_path(self.stage)}/{self.folder}".rstrip("/")

    def read(self, relative_path: str) -> str:
        """The text of one file, UTF-8 with or without a byte order mark."""
        path = posixpath.normpath(relative_path)
        if path.startswith(("../", "/")) or path in ("..", "."):
            raise UnreadableFileError(f"{relative_path!r} leaves the folder of the manifest")
        if path not in self._texts:
            self._texts[path] = self._read(path, relative_path)
        return self._texts[path]

    def settled(self) -> None:
        """Raise `DiagnosticsError` if a file that was read has changed since it was listed; lists only after new reads.

        A commit of a Git repository never changes.
        """
        if self.commit is not None or len(self._texts) == self._settled:
            return
        now, before = dict(self._listed()), self._files()
        changed = sorted(path for path in self._texts if now.get(path) != before.get(path))
        if changed:
            summary = f"{', '.join(changed[:5])} changed while the source {self._place} was read"
            raise DiagnosticsError([Diagnostic.error("source", summary, hint="Try again when nothing is uploaded.")])
        self._settled = len(self._texts)

    def _read(self, path: str, relative_path: str) -> str:
        known = self._files().get(path)
        if known is None:
            raise FileNotFoundError(2, "No such file", relative_path)
        size, _ = known
        if size > LARGEST:
            raise UnreadableFileError(f"it has {size:,} bytes; a file of a manifest has at most {LARGEST:,}")
        try:
            data = self.session.read_file(f"{self._place}/{path}", size)
        except PinkyError as error:
            raise UnreadableFileError(f"Snowflake did not give it: {error}") from error
        if abs(len(data) - size) > 16:  # a stage that encrypts on the client lists up to 16 bytes of padding
            raise UnreadableFileError(f"it changed while it was read: {len(data)} bytes, listed as {size}")
        return decoded(data)

    def list(self, pattern: str) -> list[str]:
        """Files that match, sorted by path; ``*`` stays inside a folder, ``**/`` crosses folders."""
        if pattern.startswith("/") or ".." in pattern.split("/"):
            raise UnreadableFileError(f"the pattern {pattern!r} leaves the folder of the manifest")
        wanted = _glob(pattern)
        return sorted(path for path in self._files() if wanted.match(path))

    def _files(self) -> Mapping[str, tuple[int, str]]:
        if self._found is None:
            self._found = dict(self._listed())
        return self._found

    def _listed(self) -> Iterable[tuple[str, tuple[int, str]]]:
        """Path, size and hash of every file. A name in LIST begins with the stage's own name."""
        try:
            rows = self.session.execute(f"LIST {string_literal(self._place + '/')}")
        except NotVisibleError as error:
            where = sql_path(self.stage)
            hint = "It takes READ on it (stage or Git repository), and USAGE on its database and schema."
            summary = f"the source {self._place} cannot be read: {where} is not there, or this role may not read it"
            raise DiagnosticsError([Diagnostic.error("source", summary, hint=hint)]) from error
        prefix = f"{self.folder}/" if self.folder else ""
        for name, size, digest in rows.pick("name", "size", "md5"):
            path = str(name).partition("/")[2]
            if path.startswith(prefix):
                yield path[len(prefix) :], (int(size), str(digest or ""))


@attrs.define(eq=False)
class GitSource(StageSource):
    """A folder of a Git repository object at one commit. ``reference`` says how the commit was found."""

    pinned: str = ""
    reference: str = ""

    @classmethod
    def at(cls, session: Files, repository: Name, folder: str, commit: str, reference: str) -> GitSource:
        """A folder of a repository at a commit."""
        return cls(session, repository, f"commits/{commit}/{folder}".rstrip("/"), commit, reference)

    @property
    def commit(self) -> str:
        """The commit it is read from: 40 hexadecimal digits."""
        return self.pinned


def _glob(pattern: str) -> re.Pattern[str]:
    text = ""
    place = 0
    while place < len(pattern):
        if pattern.startswith("**/", place):
            text, place = text + "(?:[^/]+/)*", place + 3
        elif pattern.startswith("**", place):
            text, place = text + ".*", place + 2
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(pattern[place], re.escape(pattern[place]))
            place += 1
    return re.compile(text + r"\Z", re.DOTALL)
