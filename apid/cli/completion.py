"""`bgpbus completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from apid.cli.errors import Failed
from apid.cli.main import PROGRAM, main


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bgpbus completion bash > /etc/bash_completion.d/bgpbus
    bgpbus completion fish > ~/.config/fish/completions/bgpbus.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise Failed(f"there is no completion for {shell}")
    click.echo(found(main, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())
