"""The content of a file as a stream: gzip taken off, every byte hashed as it passes, one block at a time."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

BLOCK = 1 << 18
"""Bytes asked for at a time."""

ROW_LIMIT = 8 << 20
"""Bytes that one row may have: memory is bounded only where rows are."""


class HashError(ValueError):
    """A file whose rows cannot be told apart: not what its format says, or with a row beyond the limit."""


class Readable(Protocol):
    """A binary stream. Only ``read`` is relied on, and it may return less than was asked for."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class Content:
    """A file's bytes without their gzip, if any, and the SHA-256 of what was read so far.

    Gzip is recognised by its first bytes (1F 8B 08), never by the file's name; one layer of it is taken off, of any
    number of members. A damaged or truncated member is a `HashError`.
    """

    def __init__(self, stream: Readable) -> None:
        source = _Whole(stream)
        zipped = source.peek(len(_GZIP)) == _GZIP
        # GzipFile asks for a file object of which it uses `read` alone.
        unzipped: Any = gzip.GzipFile(fileobj=source, mode="rb") if zipped else source  # type: ignore[call-overload]
        self._source: Readable = unzipped
        self._raw = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer only at the end."""
        try:
            data = self._source.read(size)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise HashError(f"damaged gzip: {error}") from error
        self._raw.update(data)
        return data

    def blocks(self) -> Iterator[bytes]:
        """What is left, block by block."""
        while block := self.read(BLOCK):
            yield block

    def raw(self) -> str:
        """The SHA-256 of what was read, as 64 hexadecimal digits."""
        return self._raw.hexdigest()


_GZIP = b"\x1f\x8b\x08"


class _Whole:
    """A stream that returns as many bytes as were asked for, whatever sizes the one below returns."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        self._ahead = self.read(size)
        return self._ahead

    def read(self, size: int) -> bytes:
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(ahead) == size:
            return ahead
        parts, missing = [ahead], size - len(ahead)
        while missing and (part := self._stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)
