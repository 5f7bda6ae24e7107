"""How a command says that it failed."""

from __future__ import annotations

import click

from bus.daemon import EXIT_CONFIGURATION


class Failed(click.ClickException):
    """A command that could not be carried out: one message on stderr, exit code 1."""

    exit_code = 1


class Misconfigured(click.ClickException):
    """A configuration or environment that is wrong: exit code 2."""

    exit_code = EXIT_CONFIGURATION
