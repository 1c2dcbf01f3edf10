"""``@db.schema.stage/path``: which stage a statement means, whether it may, and where the files lie.

https://docs.snowflake.com/en/sql-reference/sql/list and
https://docs.snowflake.com/en/user-guide/security-access-control-privileges (stage privileges: READ and WRITE of an
internal stage, USAGE of an external one). A path is a prefix of names, not a folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinky_local.engine import errors, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.specs.storage import is_external
from pinky_local.files import FolderPlace, StagedFile, UnmappedUrlError
from pinky_local.files.store import BadKeyError
from pinky_local.types import SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account
    from pinky_local.engine.statement import Statement
    from pinky_local.engine.tokens import TokenStream

_WRITTEN = re.compile(r'@(?:"(?:[^"]|"")*"|[^\s"\'();,])+')
_PART = re.compile(r'"((?:[^"]|"")+)"|([^\s"./]+)')


@dataclass(frozen=True, slots=True)
class Location:
    """A stage and a path in it, as resolved for one statement. ``path`` begins with no slash."""

    stage: CatalogObject
    path: str
    place: FolderPlace

    def shown(self, key: str) -> str:
        """A file as LIST and COPY name it: below the stage's name, or the URL of an external stage."""
        if is_external(self.stage):
            return f"{str(self.stage.properties['URL']).rstrip('/')}/{key}"
        return f"{self.stage.name.lower()}/{key}"

    def metadata_name(self, key: str) -> str:
        """A file as METADATA$FILENAME names it: its path in the stage, in an external one its path in the bucket."""
        if not is_external(self.stage):
            return key
        _, _, path = str(self.stage.properties["URL"]).partition("://")
        inside = [part for part in path.split("/")[1:] if part]
        return "/".join([*inside, key])

    def files(self, pattern: str | None = None) -> list[StagedFile]:
        """The files whose path begins with the path and, whole as `metadata_name` has it, matches the pattern."""
        found = listed(self.place, self.path)
        if pattern is None:
            return found
        wanted = compiled(pattern)
        return [one for one in found if wanted.fullmatch(self.metadata_name(one.key))]


def compiled(pattern: str) -> re.Pattern[str]:
    """A PATTERN; Java's syntax in Snowflake, Python's here, which is the same for all that is common."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as problem:
        text = f"Invalid regular expression: '{pattern}', {problem}"
        raise errors.compilation(1422, "22023", text) from problem


def split(text: str) -> tuple[tuple[str, ...], str]:
    """The parts of the stage's name, and the path without a slash in front. Raises 000002 for user and table stages."""
    if text[1:2] == "~":
        raise errors.unsupported("user stages (@~)")
    parts: list[str] = []
    position = 1
    while True:
        if text[position : position + 1] == "%":
            raise errors.unsupported("table stages (@%table)")
        found = _PART.match(text, position)
        if found is None:
            raise errors.compilation(1422, "22023", f"invalid stage '{text}'")
        quoted, bare = found.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else bare.upper())
        position = found.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    rest = text[position:]
    if rest and not rest.startswith("/"):
        raise errors.compilation(1422, "22023", f"invalid stage '{text}'")
    return tuple(parts), rest.lstrip("/")


def at_location(tokens: TokenStream) -> bool:
    """Whether a stage comes next, bare or between single quotes."""
    return tokens.is_symbol("@") or (tokens.at_string() and tokens.token.value.startswith("@"))


def read(tokens: TokenStream) -> str:
    """Read a stage with its path as written, from ``@`` to white space or punctuation; quoted, as quoted."""
    if tokens.at_string() and tokens.token.value.startswith("@"):
        return tokens.string()
    if not tokens.is_symbol("@"):
        if tokens.at_string() and "://" in tokens.token.value:
            raise errors.unsupported("a URL instead of a stage")
        raise tokens.unexpected()
    found = _WRITTEN.match(tokens.sql, tokens.token.start)
    if found is None:
        raise tokens.unexpected()
    while tokens.token.start < found.end() and not tokens.at_end():
        tokens.index += 1
    return found.group()


def locate(statement: Statement, text: str, privilege: str) -> Location:
    """The stage a text means, with READ or WRITE on it (USAGE where it is external). Raises 2003, 3001 and so on."""
    parts, path = split(text)
    with statement.account.lock:
        repository = statement.lookup("git_repository", parts)
        if repository is not None:
            from pinky_local.engine import git_repositories  # which needs this package's statements

            found = statement.find("git_repository", parts)
            if privilege == "WRITE":
                raise errors.unsupported("writing to a Git repository")
            statement.require(found, "READ", "WRITE")
            return Location(found, path, git_repositories.place_of(statement, found, path))
        stage = statement.find("stage", parts)
        require(statement, stage, privilege)
        return Location(stage, path, place_of(statement.account, stage))


def require(statement: Statement, stage: CatalogObject, privilege: str) -> None:
    """Raise 003001 unless the session holds READ or WRITE on an internal stage, or USAGE on an external one."""
    statement.require(stage, "USAGE" if is_external(stage) else privilege)


def place_of(account: Account, stage: CatalogObject) -> FolderPlace:
    """Where a stage's files lie. Raises 000002 where no folder stands for the URL, or the integration is disabled."""
    if not is_external(stage):
        return account.files.internal(stage.number)
    name = stage.properties.get("STORAGE_INTEGRATION")
    if name:
        found = account.catalog.get(0, "integration", identifiers.parse_dotted(name)[0])
        if found is not None and not found.properties.get("ENABLED", True):
            text = f"Failure using stage area. Cause: [Integration {found.name} is not enabled.]"
            raise SqlError(2, "0A000", text)
    try:
        return account.files.external(str(stage.properties["URL"]))
    except UnmappedUrlError as problem:
        raise SqlError(2, "0A000", str(problem)) from problem


def listed(place: FolderPlace, prefix: str) -> list[StagedFile]:
    """The files below a prefix. Raises 001422 (a guess) for a path that leads out."""
    try:
        return place.files(prefix)
    except BadKeyError as problem:
        raise bad_path(problem) from problem


def bad_path(problem: BadKeyError) -> SqlError:
    """001422 (a guess): a path that object storage would take and a folder cannot."""
    return errors.compilation(1422, "22023", f"invalid path of a stage: {problem}")
