"""Keeps statements with secrets out of the logs of the Snowflake drivers, whatever level a program has set for them.

The connector (before 5) and Snowpark write the text of a statement, cut off somewhere, to loggers below ``snowflake``.
A cut-off value cannot be found and masked, so nothing a driver says in the thread that sends a secret is kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["HIDDEN", "without_driver_logs"]

HIDDEN = "(not shown: a statement with a secret is being sent)"
_NAMESPACE = "snowflake"
_sending = threading.local()


class _Hide(logging.Filter):
    """Takes the text from records of a thread that is sending a secret; the record itself stays, with its place."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(_sending, "now", False):
            record.msg, record.args, record.exc_info, record.exc_text = HIDDEN, (), None, None
        return True


_HIDE = _Hide()


@contextmanager
def without_driver_logs() -> Iterator[None]:
    """While this lasts, drivers called from this thread log no texts."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and (name == _NAMESPACE or name.startswith(f"{_NAMESPACE}.")):
            logger.addFilter(_HIDE)  # a second time is no change; a filter sees its own logger's records only
    _sending.now = True
    try:
        yield
    finally:
        _sending.now = False
