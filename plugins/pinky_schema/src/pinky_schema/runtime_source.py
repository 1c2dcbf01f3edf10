"""The text of runtime modules as one body for a procedure or function, so that nothing has to be installed for it.

A body is what its modules import, in order, with the imports between them taken out; it may have 1 MB.
https://docs.snowflake.com/en/sql-reference/sql/create-procedure
"""

from __future__ import annotations

import functools
import importlib.resources
import re

__all__ = ["PACKAGE", "bundled"]

PACKAGE = "pinky_schema.runtime"
_IMPORT = re.compile(
    rf"^from {re.escape(PACKAGE)}\.(?P<module>\w+) import (\((?P<many>[^)]*)\)|(?P<one>[^\n]*))\n", re.M
)
_FUTURE = "from __future__ import annotations\n"
_DOCSTRING = re.compile(r'\A"""(?P<first>[^\n"]*).*?"""\n', re.S)


@functools.cache
def bundled(*modules: str) -> str:
    """The source of these modules of the runtime and of those they need, each once, the needed ones first."""
    order: list[str] = []
    for module in modules:
        _visit(module, order)
    parts = [_FUTURE]
    for module in order:
        text = _IMPORT.sub("", _source(module)).replace(_FUTURE, "")
        parts.append(_DOCSTRING.sub(lambda found: f"# {found['first'].rstrip('.')}.\n", text, count=1).strip() + "\n")
    return "\n\n".join(parts)


def _visit(module: str, order: list[str]) -> None:
    if module not in order:
        for found in _IMPORT.finditer(_source(module)):
            _visit(found["module"], order)
        order.append(module)


@functools.cache
def _source(module: str) -> str:
    return importlib.resources.files(PACKAGE).joinpath(f"{module}.py").read_text(encoding="utf-8")
