"""Where the files of a manifest come from, and the folder on disk as the first such place."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Protocol

__all__ = ["FolderSource", "ManifestSource", "UnreadableFileError"]


class UnreadableFileError(ValueError):
    """A file that is there but may not or cannot be read as text; line and column count from 1."""

    def __init__(self, problem: str, line: int = 1, column: int = 1) -> None:
        super().__init__(problem)
        self.line = line
        self.column = column


def decoded(data: bytes) -> str:
    """A file's text: UTF-8 with or without a byte order mark. Raises `UnreadableFileError` with the place."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        problem = f"byte 0x{data[error.start]:02X} is not UTF-8"
        raise UnreadableFileError(problem, line, column) from None


class ManifestSource(Protocol):
    """Where the files of a manifest come from: a folder, a stage, the tree of a Git repository."""

    @property
    def name(self) -> str:
        """The folder's own path; its last part decides whether it is a client manifest."""
        ...

    def read(self, relative_path: str) -> str:
        """The text of one file. Raises OSError where there is none, `UnreadableFileError` where it must not be read."""
        ...

    def list(self, pattern: str) -> list[str]:
        """Relative paths of the files that match, sorted; ``*`` stays inside a folder, ``**/`` crosses folders."""
        ...


class FolderSource:
    """A folder on disk. Nothing outside it is read, whether by ``..``, by an absolute path or through a link.

    ``path`` may also be a manifest file: then its folder is the source and ``manifest_file`` its name; for a folder
    that is ``manifest.yml``, or ``manifest.yaml`` where only that exists.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        self.root = path.parent if path.is_file() else path
        self.manifest_file = path.name if path.is_file() else "manifest.yml"
        if not (self.root / self.manifest_file).exists() and (self.root / "manifest.yaml").is_file():
            self.manifest_file = "manifest.yaml"
        self._real_folders: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"FolderSource({str(self.root)!r})"

    @property
    def name(self) -> str:
        """The absolute path, links not followed."""
        return Path(os.path.normpath(self.root.absolute())).as_posix()

    def read(self, relative_path: str) -> str:
        """The text of a file of this folder, UTF-8 with or without a byte order mark."""
        return decoded(Path(self._confined(relative_path)).read_bytes())

    def list(self, pattern: str) -> list[str]:
        """Files of this folder that match, sorted by path."""
        if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise UnreadableFileError(f"the pattern {pattern!r} leaves the folder of the manifest")
        found = (each.relative_to(self.root).as_posix() for each in self.root.glob(pattern) if each.is_file())
        return sorted(found)

    def _confined(self, relative_path: str) -> str:
        """The path to open; a folder's real place is looked up once, a file's own link every time."""
        parts = PurePosixPath(relative_path).parts
        if not parts or relative_path.startswith("/") or ".." in parts or Path(relative_path).is_absolute():
            raise UnreadableFileError(f"{relative_path!r} leaves the folder of the manifest")
        folder, file = os.path.split(os.path.join(self.root, relative_path))  # noqa: PTH118  pathlib is slow here
        real = self._real(folder)
        path = f"{real}{os.sep}{file}"
        if os.path.islink(path):  # noqa: PTH114
            path = os.path.realpath(path)
        root = self._real(str(self.root))
        if path != root and not path.startswith(root.rstrip(os.sep) + os.sep):
            raise UnreadableFileError(f"{relative_path!r} is a link that leaves the folder of the manifest")
        return path

    def _real(self, folder: str) -> str:
        known = self._real_folders.get(folder)
        if known is None:
            known = self._real_folders[folder] = os.path.realpath(folder)
        return known
