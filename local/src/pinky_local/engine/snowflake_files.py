"""``snowflake.snowpark.files`` as the code of a handler imports it, with or without Snowpark.

Rests on https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-examples (dynamically specified files) and
https://docs.snowflake.com/en/developer-guide/snowpark/reference/python/latest/snowpark/api/snowflake.snowpark.files.SnowflakeFile.
Only the handler's own code sees it: its builtins have an ``__import__`` that knows this one name.
"""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

from pinky_local.engine import errors

_NAME = "snowflake.snowpark.files"
Opened = Callable[[str], BinaryIO]


def builtins_for(opened: Opened) -> dict[str, Any]:
    """The builtins of a handler's module."""
    files = _files_module(opened)

    def imported(
        name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0
    ) -> ModuleType:
        if level == 0 and name == _NAME and fromlist:
            return files
        if level == 0 and name == "snowflake.snowpark" and tuple(fromlist or ()) == ("files",):
            package = ModuleType(name)
            package.files = files  # type: ignore[attr-defined]  # a module is given what it holds
            return package
        return builtins.__import__(name, globals_, locals_, fromlist or (), level)

    return vars(builtins) | {"__import__": imported}


def _files_module(opened: Opened) -> ModuleType:
    module = ModuleType(_NAME)

    class SnowflakeFile:
        """An open file of a stage: what ``io`` gives, with Snowflake's way to open it."""

        def __init__(self, stream: io.TextIOBase | io.BufferedIOBase | BinaryIO) -> None:
            self._stream = stream

        @classmethod
        def open(
            cls,
            file_location: str,
            mode: str = "r",
            is_owner_file: bool = False,  # noqa: FBT001, FBT002  # as Snowflake has it
            *,
            require_scoped_url: bool = True,
        ) -> Any:
            """Open a file to read as text (r) or bytes (rb)."""
            if mode not in ("r", "rb"):
                raise ValueError(f"Invalid mode '{mode}' for SnowflakeFile: only 'r' and 'rb' are supported")
            if require_scoped_url and not is_owner_file and file_location.startswith("@"):
                raise ValueError("A scoped URL is required; pass require_scoped_url=False to open a stage path")
            stream = opened(file_location)
            return cls(stream if mode == "rb" else io.TextIOWrapper(stream, "utf-8"))

        @classmethod
        def open_new_result(cls, mode: str = "w") -> Any:
            """Not in the local account."""
            raise errors.unsupported(f"SnowflakeFile.open_new_result({mode!r})")

        def readall(self) -> Any:
            """Everything that is left."""
            return self._stream.read()

        def __enter__(self) -> SnowflakeFile:
            return self

        def __exit__(self, *_: object) -> None:
            self._stream.close()

        def __iter__(self) -> Any:
            return iter(self._stream)

        def __next__(self) -> Any:
            return next(self._stream)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

    SnowflakeFile.__module__ = _NAME
    module.SnowflakeFile = SnowflakeFile  # type: ignore[attr-defined]  # as above
    return module
