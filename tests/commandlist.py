"""Every command of `afterscene`, by its name."""

from collections.abc import Iterator

import typer.main

from afterscene.cli import app

WHOLE = typer.main.get_command(app)


def commands(group=None, path=()) -> Iterator[tuple[str, object]]:
    """("gbd build", command) for every command."""
    group = group or WHOLE
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())
