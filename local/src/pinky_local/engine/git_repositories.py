"""Git repository clones: what FETCH brings, SHOW GIT BRANCHES and TAGS, and the files of a branch, tag or commit.

https://docs.snowflake.com/en/developer-guide/git/git-operations. The remote is a real repository on this machine, which
``repositories`` of the account names for an origin; it is read with the ``git`` program. What was not fetched is not
seen: the commits of branches and tags are remembered as they were, and with them what can be reached from them.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from pinky_local.engine import errors, families, show
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.create import Creation
from pinky_local.engine.identifiers import parse_dotted
from pinky_local.engine.properties import read_settings
from pinky_local.engine.statement import Statement, rows
from pinky_local.files import FolderPlace
from pinky_local.types import Result, ResultColumn, SqlError

_LISTED = 0x4400


def check_repository(statement: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where the integration does not allow the origin or the secret, or is no Git integration."""
    integration = statement.find("api_integration", parse_dotted(str(item.properties["API_INTEGRATION"])))
    if {"API_INTEGRATION", "ORIGIN"} & given:
        statement.require(integration, "USAGE")
    origin = str(item.properties["ORIGIN"])
    if integration.properties["API_PROVIDER"] != "GIT_HTTPS_API":
        raise errors.invalid_value(integration.name, "API_INTEGRATION")
    allowed = integration.properties["API_ALLOWED_PREFIXES"]
    blocked = integration.properties.get("API_BLOCKED_PREFIXES") or []
    if not any(origin.startswith(each) for each in allowed) or any(origin.startswith(each) for each in blocked):
        raise _failure(f"API integration {integration.name} does not allow the origin '{origin}'.")
    secret = item.properties.get("GIT_CREDENTIALS")
    secrets = integration.properties.get("ALLOWED_AUTHENTICATION_SECRETS") or ["all"]
    named = {".".join(parse_dotted(each)) for each in secrets if each not in ("all", "none")}
    if secret is not None and secrets != ["all"] and ".".join(parse_dotted(str(secret))) not in named:
        raise _failure(f"API integration {integration.name} does not allow the secret {secret}.")


def _failure(text: str) -> SqlError:
    return SqlError(93545, "22023", f"Failed to access the Git Repository. {text}")


def read_create(statement: Statement, creation: Creation) -> None:
    """Read what follows CREATE GIT REPOSITORY name; creating fetches."""
    read_settings(statement, creation.spec, creating=True, settings=creation.settings)
    creation.finish.append(lambda item: fetch(statement, item))


def read_alter(statement: Statement, item: CatalogObject) -> Callable[[], None] | None:
    """Read FETCH."""
    if not statement.tokens.accept("FETCH"):
        return None

    def change() -> None:
        statement.require(item, "WRITE")
        fetch(statement, item)

    return change


def fetch(statement: Statement, item: CatalogObject) -> None:
    """Remember the remote's branches and tags as they are now, and lay out their files."""
    remote = _remote(statement, item)
    found: dict[str, dict[str, str]] = {"branches": {}, "tags": {}}
    form = "%(refname) %(objectname) %(*objectname)"
    for line in _git(remote, "for-each-ref", f"--format={form}", "refs/heads", "refs/tags").decode().splitlines():
        name, commit, *peeled = line.split(" ")
        kind = "branches" if name.startswith("refs/heads/") else "tags"
        found[kind][name.split("/", 2)[2]] = next((each for each in peeled if each), commit)
    root = statement.account.files.internal(item.number).folder
    shutil.rmtree(root, ignore_errors=True)
    for kind, references in found.items():
        for name, commit in references.items():
            _lay_out(remote, commit, root / kind / name)
    item.state.update(found, fetched_at=statement.now.isoformat())


def _remote(statement: Statement, item: CatalogObject) -> Path:
    origin = str(item.properties["ORIGIN"])
    integration = statement.catalog.get(0, "integration", parse_dotted(str(item.properties["API_INTEGRATION"]))[0])
    if integration is None or not integration.properties.get("ENABLED"):
        raise _failure("The API integration is not enabled.")
    folder = statement.account.repositories.get(origin)
    if folder is None:
        raise _failure(f"'{origin}' cannot be reached: no repository of this machine stands for it (repositories=).")
    return Path(folder)


def _git(remote: Path, *arguments: str) -> bytes:
    try:
        ran = subprocess.run(["git", "-C", str(remote), *arguments], capture_output=True, check=False)
    except FileNotFoundError as missing:
        raise errors.unsupported("Git repositories where the program git is not installed") from missing
    if ran.returncode:
        raise _failure(ran.stderr.decode(errors="replace").strip())
    return ran.stdout


def _lay_out(remote: Path, commit: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not _git(remote, "ls-tree", commit):
        return  # a commit without files
    content = _git(remote, "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        archive.extractall(folder, filter="data")


def place_of(statement: Statement, item: CatalogObject, path: str) -> FolderPlace:
    """Where the files of a repository lie; those of a commit are laid out when they are first asked for."""
    place = statement.account.files.internal(item.number)
    kind, _, rest = path.partition("/")
    commit = rest.partition("/")[0]
    if kind == "commits" and commit and not (place.folder / "commits" / commit).is_dir():
        remote = _remote(statement, item)
        heads = [*item.state.get("branches", {}).values(), *item.state.get("tags", {}).values()]
        if any(_reaches(remote, head, commit) for head in heads):
            _lay_out(remote, commit, place.folder / "commits" / commit)
    return place


def _reaches(remote: Path, head: str, commit: str) -> bool:
    if len(commit) != 40 or any(letter not in "0123456789abcdef" for letter in commit):
        return False
    command = ["git", "-C", str(remote), "merge-base", "--is-ancestor", commit, head]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def sha1(content: bytes) -> str:
    """What Git calls a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _show(what: str) -> Callable[[Statement], Result]:
    def references(statement: Statement) -> Result:
        """SHOW GIT BRANCHES | TAGS [LIKE '…'] IN [GIT REPOSITORY] name."""
        tokens = statement.tokens
        like = show.like_pattern(tokens.string()) if tokens.accept("LIKE") else None
        tokens.expect("IN")
        tokens.accept("GIT", "REPOSITORY")
        parts = tokens.name()
        statement.finish_parsing()
        item = statement.find("git_repository", parts)
        statement.require(item, "READ", "WRITE")
        held = sorted(item.state.get(what, {}).items())
        wanted = [(name, commit) for name, commit in held if like is None or like.fullmatch(name)]
        found: list[list[str | None]] = [[name, f"/{what}/{name}", "", commit] for name, commit in wanted]
        if what == "tags":
            found = [[name, f"/{what}/{name}", commit, None, None] for name, commit in wanted]
        names: tuple[str, ...] = ("name", "path", "checkouts", "commit_hash")
        if what == "tags":
            names = ("name", "path", "commit_hash", "author", "message")
        return rows([ResultColumn(name, length=16_777_216) for name in names], found, _LISTED)

    return references


def describe_repository(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE GIT REPOSITORY with the columns of SHOW."""
    return show.table(statement, statement.spec(item).show, [item], show.DESCRIBE_TYPE)


families.CREATE["git_repository"] = read_create
families.ALTER["git_repository"] = read_alter
families.VALUE_CHECK["git_repository"] = check_repository
families.DESCRIBE["git_repository"] = describe_repository
show.SPECIAL["GIT BRANCHES"] = _show("branches")
show.SPECIAL["GIT TAGS"] = _show("tags")
