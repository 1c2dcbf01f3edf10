"""The plain bytes of a staged file, whatever it is compressed with.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format (COMPRESSION): AUTO looks at the first bytes.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path


class ContentError(Exception):
    """Content that cannot be read as its format says."""


class UnsupportedContentError(ContentError):
    """A compression or encoding that the local account does not read or write."""


def detected(head: bytes, name: str) -> str:
    """The compression that AUTO finds; Brotli is never found, as in Snowflake."""
    if head.startswith(b"\x1f\x8b"):
        return "GZIP"
    if head.startswith(b"BZh"):
        return "BZ2"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "ZSTD"
    if name.endswith(".deflate"):
        return "DEFLATE"
    return "RAW_DEFLATE" if name.endswith(".raw_deflate") else "NONE"


def plain(path: str, compression: str) -> bytes:
    """The content of a file, decompressed. Raises `ContentError`."""
    content = Path(path).read_bytes()
    if compression == "AUTO":
        compression = detected(content[:4], path)
    try:
        match compression:
            case "NONE":
                return content
            case "GZIP":
                return gzip.decompress(content)
            case "BZ2":
                return bz2.decompress(content)
            case "DEFLATE":
                return zlib.decompress(content)
            case "RAW_DEFLATE":
                return zlib.decompress(content, wbits=-zlib.MAX_WBITS)
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        raise ContentError(f"the content is not {compression}: {problem}") from problem
    raise UnsupportedContentError(f"COMPRESSION = {compression}")


_ENDINGS = {"NONE": "", "GZIP": ".gz", "BZ2": ".bz2", "DEFLATE": ".deflate", "RAW_DEFLATE": ".raw_deflate"}


def ending(compression: str) -> str:
    """What a compressed file's name ends with. Raises `UnsupportedContentError`."""
    if compression not in _ENDINGS:
        raise UnsupportedContentError(f"COMPRESSION = {compression}")
    return _ENDINGS[compression]


def compressed(content: bytes, compression: str) -> bytes:
    """Content as a file holds it. Raises `UnsupportedContentError`."""
    match compression:
        case "NONE":
            return content
        case "GZIP":
            return gzip.compress(content, mtime=0)
        case "BZ2":
            return bz2.compress(content)
        case "DEFLATE":
            return zlib.compress(content)
        case "RAW_DEFLATE":
            made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            return made.compress(content) + made.flush()
    raise UnsupportedContentError(f"COMPRESSION = {compression}")


def decoded(content: bytes, encoding: str, *, replace: bool, skip_mark: bool) -> str:
    """Text of plain bytes. Raises `ContentError` for bytes that are no text in the encoding."""
    name = {"UTF8": "utf-8", "UTF-8": "utf-8"}.get(encoding.upper(), encoding)
    try:
        text = content.decode(name, "replace" if replace else "strict")
    except LookupError as problem:
        raise UnsupportedContentError(f"ENCODING = {encoding}") from problem
    except UnicodeDecodeError as problem:
        raise ContentError(f"Invalid UTF8 detected in string, at byte {problem.start}") from problem
    return text.removeprefix("\ufeff") if skip_mark else text
