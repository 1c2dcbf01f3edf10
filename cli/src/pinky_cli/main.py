"""``pinky``: puts the commands together, and turns every ending into an exit code.

0: done, nothing to do. 1: a mistake or a failure. 2: changes, only for ``plan --detailed-exitcode``. 130: interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from pinky_cli import (
    commands_files,
    commands_fleet,
    commands_gold,
    commands_graph,
    commands_local,
    commands_plan,
    commands_setup,
)
from pinky_cli.interrupts import interrupted, terminable
from pinky_cli.options import ALL, settings_of, spelled_out
from pinky_cli.terminal import Terminal, use_utf8

__all__ = ["app", "main", "run"]

_USAGE_ERROR: Any = typer.BadParameter.__mro__[2]  # ClickException, wherever this version of typer has it


class PinkyCommands(TyperGroup):
    """Our own commands; plugins are asked only for a word that none of them is, so that `pinky --help` loads none."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or None."""
        return super().get_command(ctx, cmd_name) or plugin_commands().get(cmd_name)


def plugin_commands() -> dict[str, Any]:
    """Commands that plugins add, by name. Raises `PluginError` where two add one name, or one of ours."""
    from pinky_cli.run import load_registry
    from pinky_core import PluginError

    registry = load_registry()
    if not hasattr(registry.manager.hook, "pinky_commands"):
        return {}
    extra = typer.Typer(add_completion=False, rich_markup_mode=None)
    extra.callback()(lambda: None)
    registry.manager.hook.pinky_commands(app=extra)
    if not extra.registered_commands and not extra.registered_groups:
        return {}
    found: Any = typer.main.get_command(extra)
    names = [each.name or getattr(each.callback, "__name__", "") for each in extra.registered_commands]
    names = [name.replace("_", "-") for name in names] + [str(each.name) for each in extra.registered_groups]
    own = set(COMMANDS) | set(GROUPS)
    for name in names:
        if names.count(name) > 1 or name in own:
            raise PluginError(f"the command {name!r} is added twice")
    return dict(found.commands)


app = typer.Typer(
    name="pinky",
    cls=PinkyCommands,
    help="Declarative deployment of Snowflake objects from YAML.",
    epilog="Options may stand before or after the command. Plugins may add commands: `pinky plugins` lists them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS: dict[str, Any] = {
    "init": commands_setup.init,
    "validate": commands_plan.validate,
    "plan": commands_plan.plan,
    "apply": commands_plan.apply,
    "graph": commands_graph.graph,
    "files": commands_files.files,
    "schema": commands_setup.schema,
    "plugins": commands_setup.plugins,
    "demo": commands_local.demo,
}
GROUPS: dict[str, typer.Typer] = {
    "fleet": commands_fleet.fleet,
    "gold": commands_gold.gold,
    "local": commands_local.local,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        sys.stdout.write(f"pinky-cli {version('pinky-cli')}, pinky-core {version('pinky-core')}\n")
        raise typer.Exit


def _shared(ctx: typer.Context, **given: Any) -> None:
    given.pop("version", None)
    ctx.obj = settings_of(given)


def _callback() -> Any:
    """The callback of the group: the shared options before the command."""
    import inspect
    from typing import Annotated

    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    version = Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the versions and exit.")
    ]
    options = {**ALL, "version": (version, False)}
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]

    def callback(ctx: typer.Context, **given: Any) -> None:
        _shared(ctx, **given)

    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    callback.__annotations__ = {each.name: each.annotation for each in parameters}
    return callback


app.callback()(_callback())


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    use_utf8()
    command: Any = typer.main.get_command(app)
    try:
        with terminable():
            code = command.main(args=spelled_out(arguments), prog_name="pinky", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return interrupted()
    except typer.Exit as ending:
        return ending.exit_code
    except _USAGE_ERROR as error:
        _explain(error, arguments)
        error.show()
        return 1  # not click's 2, which means changes for `plan --detailed-exitcode`
    except BrokenPipeError:
        # the reader of our output went away; keep the interpreter from complaining at its end
        sys.stdout = open_nothing()
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort: a short message, and the traceback only on demand
        return _unexpected(error, arguments)


def _explain(error: Any, arguments: Sequence[str]) -> None:
    """Say in the words of the command line what `spelled_out` made other words of."""
    if "--local-folder" in error.message:
        error.message = "--local=FOLDER is for commands that connect; this one does not"
    elif "--local" in arguments and "extra argument" in error.message:
        error.message += "; an account that is kept in a folder is --local=FOLDER"


def open_nothing() -> Any:
    """A stream that swallows what is written after its reader is gone."""
    import os

    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  # lives until the process ends


def _unexpected(error: Exception, arguments: Sequence[str]) -> int:
    from pinky_core import PinkyError

    terminal = Terminal()
    if isinstance(error, PinkyError):
        terminal.say(f"error: {error}")
        return 1
    if "debug" in arguments or "--log-level=debug" in arguments:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(error)))
    terminal.say(f"error: a defect of pinky or of a plugin: {type(error).__name__}: {error}")
    terminal.say("Run again with --log-level debug for the traceback.")
    return 1


def run() -> NoReturn:
    """The program ``pinky``."""
    sys.exit(main(sys.argv[1:]))
