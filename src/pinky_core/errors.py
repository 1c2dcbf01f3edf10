"""Every exception of pinky.

::

    PinkyError
    ├── DiagnosticsError        user mistakes, each with its place; the step that found them sent nothing
    ├── PluginError             a plugin failed to load, or two claim one name
    ├── StalePlanError          the account changed after the plan was made
    ├── BlockedPlanError        the plan holds destructive changes that were not allowed
    ├── BoundaryError           a statement would act outside the target, or reading would change something
    ├── SecretError             a secret's value could not be resolved
    └── SessionError            a statement failed
        ├── StatementError      Snowflake refused it: errno, sqlstate, query id
        │   └── NotVisibleError not there or not authorized (2003, 2043, 3001)
        └── TransportError      it may or may not have run: connection, rate limit, service unavailable
"""

from __future__ import annotations

from collections.abc import Sequence

from pinky_core.diagnostics import Diagnostic

__all__ = [
    "BlockedPlanError",
    "BoundaryError",
    "DiagnosticsError",
    "NotVisibleError",
    "PinkyError",
    "PluginError",
    "SecretError",
    "SessionError",
    "StalePlanError",
    "StatementError",
    "TransportError",
]


class PinkyError(Exception):
    """What every error of pinky is."""


class DiagnosticsError(PinkyError):
    """The run stops because of these diagnostics, all of them at once."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(each) for each in self.diagnostics))


class PluginError(PinkyError):
    """A plugin that does not load, or two that claim the same name."""


class StalePlanError(PinkyError):
    """The account is no longer as the plan saw it; ``changed`` names each address with what differs."""

    def __init__(self, changed: Sequence[str]) -> None:
        self.changed = tuple(changed)
        super().__init__("the account changed since this plan was made:\n  " + "\n  ".join(self.changed))


class BlockedPlanError(PinkyError):
    """Destructive changes that nobody allowed; nothing was run."""

    def __init__(self, blocked: Sequence[str]) -> None:
        self.blocked = tuple(blocked)
        super().__init__("these destructive changes are not allowed:\n  " + "\n  ".join(self.blocked))


class BoundaryError(PinkyError):
    """A statement that must not run: it leaves the target, or it would change something while reading."""


class SecretError(PinkyError):
    """A secret reference that cannot be resolved. The text never holds a value."""


class SessionError(PinkyError):
    """A statement failed; ``statement`` is its text without secret values."""

    def __init__(self, message: str, *, statement: str = "") -> None:
        super().__init__(message)
        self.statement = statement


class StatementError(SessionError):
    """Snowflake answered with an error. ``errno`` is its number (2003), ``sqlstate`` its class, ``query_id`` its id."""

    def __init__(
        self, message: str, *, errno: int = 0, sqlstate: str = "", query_id: str = "", statement: str = ""
    ) -> None:
        super().__init__(message, statement=statement)
        self.errno = errno
        self.sqlstate = sqlstate
        self.query_id = query_id


class NotVisibleError(StatementError):
    """The object does not exist or this role may not see it; Snowflake does not tell which."""


class TransportError(SessionError):
    """The connection failed. Whether the statement ran is unknown."""
