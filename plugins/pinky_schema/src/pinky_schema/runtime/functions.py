"""Handlers of the functions HASH_RAW and HASH_SORTED in Snowflake.

They take a scoped URL (``BUILD_SCOPED_FILE_URL(@stage, path)``), which proves that the caller may read the file.
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-examples
https://docs.snowflake.com/en/sql-reference/functions/build_scoped_file_url
"""

from __future__ import annotations

from typing import Any

from pinky_schema.runtime.hashes import FORMATS, format_of, hash_raw, hash_sorted


def hash_raw_of_url(url: str | None) -> str | None:
    """The hash_raw of the file at a scoped URL; NULL for NULL."""
    if url is None:
        return None
    with _open_scoped(url) as file:
        return hash_raw(file)


def hash_sorted_of_url(url: str | None, name_or_format: str | None = None) -> str | None:
    """The hash_sorted of the file at a scoped URL; NULL for NULL.

    Snowflake encodes the path in a scoped URL, so the file's name cannot be seen there: ``name_or_format`` is a format
    (``csv``) or the file's name or path (``RELATIVE_PATH`` of a directory table), whose suffix tells it. Without it the
    URL's own suffix is used where it is a known one; otherwise this is a `ValueError`: a guess would give another hash.
    """
    if url is None:
        return None
    if name_or_format is None:
        chosen = format_of(url.partition("?")[0])
        if chosen == "lines":
            raise ValueError(
                "the URL does not tell the file's format: give it, or the file's name, as the second argument; "
                f"the formats are {', '.join(FORMATS)}"
            )
    else:
        chosen = name_or_format if name_or_format in FORMATS else format_of(name_or_format)
    with _open_scoped(url) as file:
        return hash_sorted(file, chosen)


def _open_scoped(url: str) -> Any:
    from snowflake.snowpark.files import SnowflakeFile

    return SnowflakeFile.open(url, "rb", require_scoped_url=True)
