"""The files of stages on disk: internal stages in folders of the account, external ones in those that stand for a URL.

A path in a stage is a key as in object storage, with ``/`` between its parts; no key leads out of the stage's folder,
neither by ``..`` nor by a symbolic link.

What a file's ETag is: the MD5 of its content up to `HASHED_WHOLE` bytes; of a larger file one made of its size and the
time of its last change, with ``-1`` at the end as multipart uploads to S3 have it, which is no hash of the content
either. It is computed once for each size and time of change. MD5 is the ETag, as Snowflake reports it for S3
(https://docs.snowflake.com/en/sql-reference/sql/list).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pinky_local.files.conversion import Conversions
from pinky_local.files.places import Buckets
from pinky_local.files.tickets import Tickets

HASHED_WHOLE = 16 * 1024 * 1024


class BadKeyError(Exception):
    """A path that names no file of a stage: empty, with ``.`` or ``..`` as a part, or leading out of its folder."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file of a stage: its key, size in bytes, and when it changed (nanoseconds since 1970)."""

    key: str
    size: int
    changed_ns: int
    path: str

    @property
    def last_modified(self) -> datetime:
        """When it changed, in whole seconds, as object stores say it."""
        return datetime.fromtimestamp(self.changed_ns // 1_000_000_000, UTC)


class FolderPlace:
    """The files below one folder. The folder may be missing: then there are none."""

    def __init__(self, folder: Path, etags: dict[tuple[str, int, int], str]) -> None:
        self.folder = folder
        self._etags = etags

    def files(self, prefix: str = "") -> list[StagedFile]:
        """The files whose key begins with a text, by key; one pass over the folders that can hold them."""
        start, _, _ = prefix.rpartition("/")
        folder = str(self.folder.joinpath(*self._parts(start, prefix)) if start else self.folder)
        found = [one for one in self._below(folder, start + "/" if start else "") if one.key.startswith(prefix)]
        return sorted(found, key=lambda one: one.key)

    def file(self, key: str) -> StagedFile | None:
        """The file of this key, or None."""
        path = self.path(key)
        if not path.is_file():
            return None
        told = path.stat()
        return StagedFile(key, told.st_size, told.st_mtime_ns, str(path))

    def path(self, key: str) -> Path:
        """Where the file of a key lies or would lie. Raises `BadKeyError`."""
        path = self.folder.joinpath(*self._parts(key, key))
        root = self.folder.resolve()
        if not path.resolve().is_relative_to(root):
            raise BadKeyError(f"'{key}' leads out of the stage")
        return path

    def open(self, key: str) -> BinaryIO:
        """The file of a key to read. Raises `FileNotFoundError` and `BadKeyError`."""
        return self.path(key).open("rb")

    def write(self, key: str, chunks: Iterable[bytes]) -> StagedFile:
        """Put a file in place of an older one; readers see the one or the other, never a part."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_BESIDE, dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
            beside.chmod(0o644)
            beside.replace(path)
        except BaseException:
            beside.unlink()
            raise
        told = path.stat()
        return StagedFile(key, told.st_size, told.st_mtime_ns, str(path))

    def remove(self, key: str) -> bool:
        """Delete a file, and the folders that are empty then; False where there is none."""
        path = self.path(key)
        if not path.is_file():
            return False
        path.unlink()
        parent = path.parent
        while parent != self.folder and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
        return True

    def etag(self, file: StagedFile) -> str:
        """The ETag of a file as the module says; from memory where it was computed for this size and time."""
        mark = (file.path, file.size, file.changed_ns)
        known = self._etags.get(mark)
        if known is None:
            known = self._etags[mark] = _etag(file)
        return known

    @staticmethod
    def _parts(key: str, shown: str) -> list[str]:
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts) or (os.sep != "/" and os.sep in key):
            raise BadKeyError(f"'{shown}' is not a path of files in a stage")
        return parts

    def _below(self, folder: str, prefix: str) -> Iterator[StagedFile]:
        waiting = [(folder, prefix)]
        while waiting:
            here, before = waiting.pop()
            try:
                entries = os.scandir(here)
            except (FileNotFoundError, NotADirectoryError):
                continue
            with entries:
                for entry in entries:
                    if entry.name.startswith(_BESIDE) or (entry.is_symlink() and self._leads_out(entry.path)):
                        continue
                    if entry.is_dir():
                        waiting.append((entry.path, f"{before}{entry.name}/"))
                    elif entry.is_file():
                        told = entry.stat()
                        yield StagedFile(before + entry.name, told.st_size, told.st_mtime_ns, entry.path)

    def _leads_out(self, path: str) -> bool:
        """Whether a symbolic link leads out of the folder, or to a folder (which could contain itself)."""
        real = Path(path).resolve()
        return real.is_dir() or not real.is_relative_to(self.folder.resolve())


_BESIDE = ".pinky-new-"


def _etag(file: StagedFile) -> str:
    if file.size > HASHED_WHOLE:
        mark = f"{file.size}:{file.changed_ns}".encode()
        return hashlib.md5(mark, usedforsecurity=False).hexdigest() + "-1"
    handle = os.open(file.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # half the time of open(), for many files
    try:
        content = hashlib.md5(usedforsecurity=False)
        while part := os.read(handle, HASHED_WHOLE):
            content.update(part)
    finally:
        os.close(handle)
    return content.hexdigest()


class FileStore:
    """The files of all stages of an account.

    Internal stages lie in ``folder``/stages/<number of the object>; without a folder in a temporary one, which `close`
    removes. ``seal`` is the secret of this run's scoped URLs. ``address`` is the HTTP address under which clients
    reach the account, set when it listens.
    """

    def __init__(self, folder: Path | None = None, buckets: Buckets | None = None) -> None:
        self.buckets = buckets or Buckets()
        self.address = ""
        self.seal = secrets.token_hex(16)
        self.conversions = Conversions()
        self.tickets = Tickets()
        self._kept = folder
        self._temporary: Path | None = None
        self._scratch: Path | None = None
        self._etags: dict[tuple[str, int, int], str] = {}
        self._folders: list[weakref.finalize[[str], FileStore]] = []
        self._lock = threading.Lock()

    def internal(self, number: int) -> FolderPlace:
        """The files of the internal stage of this number."""
        return FolderPlace(self._stages() / str(number), self._etags)

    def external(self, url: str) -> FolderPlace:
        """The files below a URL. Raises `UnmappedUrlError`."""
        return FolderPlace(self.buckets.folder_of(url), self._etags)

    def delete_internal(self, number: int) -> None:
        """Delete an internal stage's files for good."""
        if self._kept is None and self._temporary is None:
            return  # nothing was ever stored
        folder = self._stages() / str(number)
        if folder.is_dir():
            shutil.rmtree(folder)

    def retain(self, numbers: Iterable[int]) -> None:
        """Delete the files of every internal stage but these."""
        kept = {str(number) for number in numbers}
        if self._kept is not None and self._stages().is_dir():
            for folder in self._stages().iterdir():
                if folder.name not in kept:
                    shutil.rmtree(folder)

    def scratch(self) -> Path:
        """A folder for files that live until the account stops."""
        with self._lock:
            if self._scratch is None:
                self._scratch = self._made("scratch")
            return self._scratch

    def close(self) -> None:
        """Remove everything temporary."""
        with self._lock:
            for remove in self._folders:
                remove()
            self._folders.clear()
            self._temporary = self._scratch = None

    def _stages(self) -> Path:
        if self._kept is not None:
            return self._kept / "stages"
        with self._lock:
            if self._temporary is None:
                self._temporary = self._made("stages")
            return self._temporary

    def _made(self, purpose: str) -> Path:
        """A temporary folder that goes with this object, closed or not."""
        folder = tempfile.mkdtemp(prefix=f"pinky-local-{purpose}-")
        self._folders.append(weakref.finalize(self, shutil.rmtree, folder))
        return Path(folder)
