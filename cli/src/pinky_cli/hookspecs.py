"""The hook that the command line adds for plugins; announced as a plugin of its own.

A plugin that must also work where the command line is not installed marks its function
``@hookimpl(optionalhook=True)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinky_core import hookimpl, hookspec

if TYPE_CHECKING:
    import pluggy
    import typer


class CommandHooks:
    """What a plugin can add to the command line."""

    @hookspec
    def pinky_commands(self, app: typer.Typer) -> None:
        """When `pinky` is asked for a command that is not its own: add commands to ``app``."""


@hookimpl
def pinky_add_hooks(manager: pluggy.PluginManager) -> None:
    """Add the hooks of the command line."""
    manager.add_hookspecs(CommandHooks)
