"""Python handlers: the code of a procedure or function as a module, called in this process.

Rests on https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-writing and
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-designing. The module exists while its code may run;
what it imports is what is installed beside the local account.
"""

from __future__ import annotations

import itertools
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

from pinky_local.engine import file_urls, snowflake_files
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.imports import importable
from pinky_local.types import SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account

_FILE = "_udf_code.py"
_numbers = itertools.count(1)


class HandlerEndedError(BaseException):
    """Raised inside a handler whose call was cancelled; no ``except Exception`` of its code stops it."""


@dataclass(frozen=True, slots=True)
class Files:
    """How a handler's code reads files: IMPORTS as ``owner``, in the routine's schema, others as ``session``."""

    account: Account
    session: SessionContext
    owner: SessionContext

    def open(self, location: str) -> BinaryIO:
        """A file by scoped URL, file URL or ``@stage/path``."""
        return file_urls.open_staged(self.account, location, self.session)


@contextmanager
def loaded(routine: CatalogObject, files: Files) -> Iterator[Callable[..., Any]]:
    """The handler of a routine, from its body or its IMPORTS. Raises 100357 where it does not load."""
    imports = [str(one) for one in routine.properties.get("IMPORTS") or ()]
    body = routine.state["body"]
    if body is None:
        body = f"import {str(routine.properties['HANDLER']).rpartition('.')[0].partition('.')[0]}"
    name = f"_udf_code_{next(_numbers)}"
    file = f"{name}.py"
    module = ModuleType(name)
    module.__file__ = file
    linecache.cache[file] = (len(body), None, body.splitlines(keepends=True), file)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    stack = ExitStack()
    module.__dict__["__builtins__"] = snowflake_files.builtins_for(files.open)
    try:
        try:
            stack.enter_context(importable(imports, lambda one: file_urls.open_staged(files.account, one, files.owner)))
            exec(compile(body, file, "exec"), module.__dict__)
            handler = _named(module, routine)
        except SqlError:
            raise
        except Exception as failure:
            raise failed(failure, routine) from failure
        yield handler
    finally:
        stack.close()
        sys.modules.pop(name, None)
        linecache.cache.pop(file, None)


def _named(module: ModuleType, routine: CatalogObject) -> Callable[..., Any]:
    wanted = str(routine.properties["HANDLER"])
    found: Any = module
    for part in wanted.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        text = f"Could not find handler function '{wanted}' in the code of {routine.name}."
        raise SqlError(100357, "P0000", f"Python Interpreter Error:\n{text}")
    return found  # type: ignore[no-any-return]  # callable() tells no more


def failed(failure: BaseException, routine: CatalogObject) -> SqlError:
    """100357: what the handler's code raised, with its traceback from the handler on."""
    handler = routine.properties["HANDLER"]
    told = traceback.TracebackException.from_exception(failure)
    while told.stack and "_udf_code_" not in told.stack[0].filename:
        del told.stack[0]
    text = "".join(told.format()).rstrip()
    module = next((frame.filename for frame in told.stack if "_udf_code_" in frame.filename), None)
    if module is not None:
        text = text.replace(module, _FILE)
    elif isinstance(failure, SyntaxError) and failure.filename:
        text = text.replace(failure.filename, _FILE)
    return SqlError(
        100357, "P0000", f"Python Interpreter Error:\n{text}\n in function {routine.name} with handler {handler}"
    )


def refused(text: str, routine: CatalogObject) -> SqlError:
    """100357: a value that the routine's declared type does not take."""
    handler = routine.properties["HANDLER"]
    return SqlError(
        100357,
        "P0000",
        f"Python Interpreter Error:\nTypeError: {text}\n in function {routine.name} with handler {handler}",
    )
