"""How a command says that it failed."""

from __future__ import annotations

import click

from bus.daemon import EXIT_CONFIGURATION


class Failed(click.ClickException):
    """A command that could not be carried out: one message on stderr, exit code 1."""

    exit_code = 1


class Refused(Failed):
    """A command that control did not carry out, or not all of it; the message is what it said."""


class Misconfigured(click.ClickException):
    """A command, configuration or environment that is wrong: exit code 2."""

    exit_code = EXIT_CONFIGURATION
