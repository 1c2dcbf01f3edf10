"""Which local folder stands for a cloud URL.

URLs are those of stages: ``s3://bucket/path/``, ``gcs://bucket/path/``,
``azure://account.blob.core.windows.net/container/path/``
(https://docs.snowflake.com/en/sql-reference/sql/create-stage).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_URL = re.compile(r"(?:s3|s3china|s3gov|s3compat|gcs|azure)://[^/]+(?:/.*)?\Z")


class UnmappedUrlError(Exception):
    """A URL that no folder stands for."""

    def __init__(self, url: str) -> None:
        text = f"No local folder stands for {url}. Map it with LocalAccount(buckets={{'<url>': folder}}), "
        super().__init__(text + "pinky local serve --bucket URL=FOLDER, or pinky --local --local-bucket URL=FOLDER.")
        self.url = url


class Buckets:
    """URL prefixes and the folders that stand for them; the longest prefix of a URL counts."""

    def __init__(self, folders: Mapping[str, Path | str] | None = None) -> None:
        self._folders: dict[str, Path] = {}
        for url, folder in (folders or {}).items():
            self.add(url, folder)

    def add(self, url: str, folder: Path | str) -> None:
        """Let a folder stand for a URL; it is created where it is missing. Raises `ValueError` for no stage URL."""
        if not _URL.match(url):
            raise ValueError(f"{url!r} is no URL of a stage; s3://bucket, gcs://bucket or azure://account/container")
        place = Path(folder).expanduser().resolve()
        place.mkdir(parents=True, exist_ok=True)
        self._folders[url.rstrip("/")] = place

    def stands_for(self, url: str) -> bool:
        """Whether a folder stands for a URL."""
        try:
            self.folder_of(url)
        except UnmappedUrlError:
            return False
        return True

    def folder_of(self, url: str) -> Path:
        """The folder for a URL; it need not exist. Raises `UnmappedUrlError`; ``..`` in a URL is a name as another."""
        wanted = url.rstrip("/")
        fitting = [known for known in self._folders if wanted == known or wanted.startswith(known + "/")]
        if not fitting:
            raise UnmappedUrlError(url)
        best = max(fitting, key=len)
        parts = [part for part in wanted[len(best) :].split("/") if part]
        if any(part in (".", "..") for part in parts):
            raise UnmappedUrlError(url)
        return self._folders[best].joinpath(*parts)


def bucket_option(text: str) -> tuple[str, Path]:
    """URL and folder of ``URL=FOLDER``, as the command line options have it. Raises `ValueError`."""
    url, equals, folder = text.partition("=")
    if not equals or not folder or not _URL.match(url):
        raise ValueError(f"{text!r} is not URL=FOLDER, for example s3://acme-dev=/tmp/acme-dev")
    return url, Path(folder)
