"""One run of a command: its id, its terminal, its plugins, and what its failures look like."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from pinky_cli.log import configure_logging
from pinky_cli.settings import Settings
from pinky_cli.terminal import Terminal

if TYPE_CHECKING:
    from pinky_core import Registry


class Run:
    """What a command works with. ``as_json`` says that standard output belongs to a program."""

    def __init__(self, settings: Settings, *, as_json: bool = False) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.settings = settings
        self.as_json = as_json
        self.terminal = Terminal(no_color=settings.no_color)
        self._registry: Registry | None = None
        if settings.log_format or settings.log_level:
            self.start_logging()

    def start_logging(self) -> None:
        """Log from here on. Without options that ask for a log only what connects does: structlog is slow to load."""
        configure_logging(self.id, form=self.settings.log_format, level=self.settings.log_level)

    @property
    def registry(self) -> Registry:
        """Every installed plugin, loaded once. Raises `PluginError` naming one that is broken."""
        if self._registry is None:
            self._registry = load_registry()
        return self._registry

    def failed(self, error: Exception) -> int:
        """Show why nothing more is done; the exit code."""
        from pinky_core import BlockedPlanError, DiagnosticsError, PinkyError, StalePlanError

        if isinstance(error, DiagnosticsError):
            self._show_diagnostics(error.diagnostics)
            return 1
        details: tuple[str, ...] = ()
        code = _CODES.get(type(error).__name__, "error")
        message = str(error)
        if isinstance(error, StalePlanError):
            details, message = error.changed, "the account changed since this plan was made; make a new plan"
        elif isinstance(error, BlockedPlanError):
            details, message = error.blocked, "these destructive changes are not allowed; nothing was run"
        statement = getattr(error, "statement", "") if isinstance(error, PinkyError) else ""
        self.refuse(code, message, [*details, *([statement] if statement else [])])
        return 1

    def refuse(self, code: str, message: str, details: list[str] | tuple[str, ...] = ()) -> None:
        """Show one reason why nothing is done."""
        from rich.text import Text

        from pinky_cli.render_human import clean
        from pinky_cli.render_json import error_json, to_text

        if self.as_json:
            self.terminal.write(to_text(error_json(code, message, details)))
            return
        text = Text().append("error: ", style="bold red").append(clean(message))
        for line in details:
            text.append(f"\n  {clean(line)}")
        self.terminal.say(text)

    def _show_diagnostics(self, diagnostics: Any) -> None:
        from pinky_cli.excerpt import Excerpts, write_only_fields
        from pinky_cli.render_human import render_diagnostics
        from pinky_cli.render_json import diagnostics_json, to_text

        if self.as_json:
            self.terminal.write(to_text(diagnostics_json(diagnostics)))
            return
        excerpts = Excerpts(self.settings.source, write_only_fields(self.registry))
        self.terminal.say(render_diagnostics(diagnostics, excerpts))


_CODES = {
    "BlockedPlanError": "blocked",
    "StalePlanError": "stale-plan",
    "PluginError": "plugin",
    "BoundaryError": "boundary",
    "SecretError": "secret",
    "CannotConnectError": "cannot-connect",
    "FlowError": "files",
    "GoldError": "gold",
    "NotVisibleError": "not-visible",
    "StatementError": "statement",
    "TransportError": "connection-lost",
}


def load_registry() -> Registry:
    """The registry of all installed plugins, with the command line's own hook specified."""
    from pinky_core import load_plugins

    return load_plugins()
