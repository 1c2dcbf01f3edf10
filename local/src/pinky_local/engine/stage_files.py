"""LIST, REMOVE and COPY FILES: statements on the files of stages as files.

https://docs.snowflake.com/en/sql-reference/sql/list, remove and copy-files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pinky_local.engine import errors, git_repositories, integrations, stage_places
from pinky_local.engine.statement import Statement, rows
from pinky_local.types import Result, ResultColumn

_LIST, _REMOVE = 0x4701, 0x4702
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_CHUNK = 1024 * 1024


def _pattern(statement: Statement) -> str | None:
    if not statement.tokens.accept("PATTERN"):
        return None
    statement.tokens.expect_symbol("=")
    return statement.tokens.string()


def list_files(statement: Statement) -> Result:
    """Run LIST (LS)."""
    tokens = statement.tokens
    tokens.any_word()
    text = stage_places.read(tokens)
    pattern = _pattern(statement)
    statement.finish_parsing()
    location = stage_places.locate(statement, text, "READ")
    integrations.require_usage(statement, location.stage)
    in_git = location.stage.kind == "git_repository"
    found = [
        [
            location.shown(one.key),
            one.size,
            None if in_git else location.place.etag(one),
            git_repositories.sha1(Path(one.path).read_bytes()) if in_git else None,
            one.last_modified.strftime(_HTTP_DATE),
        ]
        for one in location.files(pattern)
    ]
    columns = [
        ResultColumn("name", length=16_777_216), ResultColumn("size", "fixed", precision=38, scale=0),
        *(ResultColumn(name, length=16_777_216) for name in ("md5", "sha1", "last_modified")),
    ]  # fmt: skip
    return rows(columns, found, _LIST)


def remove_files(statement: Statement) -> Result:
    """Run REMOVE (RM)."""
    tokens = statement.tokens
    tokens.any_word()
    text = stage_places.read(tokens)
    pattern = _pattern(statement)
    statement.finish_parsing()
    location = stage_places.locate(statement, text, "WRITE")
    integrations.require_usage(statement, location.stage)
    found = location.files(pattern)
    done = [[location.shown(one.key), "removed"] for one in found if location.place.remove(one.key)]
    return rows([ResultColumn(name, length=16_777_216) for name in ("name", "result")], done, _REMOVE)


def copy_files(statement: Statement) -> Result:
    """Run COPY FILES INTO @stage FROM @stage; from a query it is refused by name."""
    tokens = statement.tokens
    tokens.expect("COPY", "FILES", "INTO")
    into = stage_places.read(tokens)
    tokens.expect("FROM")
    if tokens.is_symbol("("):
        raise errors.unsupported("COPY FILES from a query")
    source_text = stage_places.read(tokens)
    names: list[str] | None = None
    pattern = None
    detailed = True
    while tokens.word() in ("FILES", "PATTERN", "DETAILED_OUTPUT"):
        word = tokens.any_word()
        tokens.expect_symbol("=")
        if word == "FILES":
            names = read_names(statement)
        elif word == "PATTERN":
            pattern = tokens.string()
        else:
            detailed = tokens.one_of("TRUE", "FALSE") == "TRUE"
    statement.finish_parsing()
    source = stage_places.locate(statement, source_text, "READ")
    target = stage_places.locate(statement, into, "WRITE")
    folder = target.path if not target.path or target.path.endswith("/") else target.path + "/"
    copied = []
    for one in source.files(pattern):
        inside = one.key[len(source.path.rpartition("/")[0]) :].lstrip("/")
        if names is not None and inside not in names:
            continue
        target.place.write(folder + inside, _chunks(Path(one.path)))
        copied.append(folder + inside)
    if detailed:
        return rows([ResultColumn("file", length=16_777_216)], [[key] for key in copied], 0x6000)
    return rows([ResultColumn("numOfFilesCopied", "fixed", precision=38, scale=0)], [[len(copied)]], 0x6000)


def read_names(statement: Statement) -> list[str]:
    """('a', 'b'), at most a thousand."""
    tokens = statement.tokens
    tokens.expect_symbol("(")
    names = [tokens.string()]
    while tokens.accept_symbol(","):
        names.append(tokens.string())
    tokens.expect_symbol(")")
    if len(names) > 1000:
        raise errors.invalid_value(f"{len(names)} names", "FILES")
    return names


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
