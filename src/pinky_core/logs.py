"""Loggers that cost nothing until something is logged, and say nothing unless the program configured structlog.

Importing structlog loads rich wherever rich is installed, and structlog prints by itself where nobody configured it; a
library in a stored procedure must do neither.
"""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["LazyLogger"]


class LazyLogger:
    """A structlog logger that is made at its first use; only a program configures structlog, never this package."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        import structlog

        if structlog.is_configured():
            return getattr(structlog.get_logger(self._name), method)
        return self._to_standard_logging if method == "exception" else _say_nothing

    def _to_standard_logging(self, event: str, **values: Any) -> None:
        """A defect that no report holds is never lost: without structlog it goes where the program's logging goes."""
        logging.getLogger(self._name).exception("%s %s", event, values)


def _say_nothing(*_arguments: Any, **_values: Any) -> None:
    """Where nobody asked for a log there is none."""
