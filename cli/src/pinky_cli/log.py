"""The log of a run: structlog to standard error, the run's id in every line. Configured here and nowhere else."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_IN_THE_REPORT = frozenset({"statement failed"})


class _StandardError:
    """Whatever standard error is when a line is written; a progress display replaces it for a while."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logging(run: str, *, form: str | None, level: str | None) -> None:
    """Log from ``level`` on, as ``form`` says (``text`` or ``json``).

    Where neither was asked for, what the report shows anyway is not logged a second time.
    """
    import structlog

    quiet = form is None and level is None
    threshold = LEVELS[level or ("info" if form else "warning")]

    def identify(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if quiet and event.get("event") in _IN_THE_REPORT:
            raise structlog.DropEvent
        event["run"] = run
        return event

    shared: list[Any] = [
        identify,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: Any
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
        final = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        final = structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, final],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(_StandardError()),  # type: ignore[arg-type]  # it writes and flushes
        cache_logger_on_first_use=False,
    )
    _configure_libraries(structlog, shared, final, logging.ERROR if quiet else max(threshold, logging.WARNING))


def _configure_libraries(structlog: Any, shared: list[Any], final: Any, threshold: int) -> None:
    """What libraries log goes the same way; never below a warning, since drivers write requests at lower levels."""
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        )
    )
    root = logging.getLogger()
    for former in list(root.handlers):
        if getattr(former, "of_pinky", False):
            root.removeHandler(former)
    handler.of_pinky = True  # type: ignore[attr-defined]  # so that a second configuration replaces it
    root.addHandler(handler)
    root.setLevel(threshold)
