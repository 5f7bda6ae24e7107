"""`bgpbus env`."""

from __future__ import annotations

import os

import click

from apid.cli.errors import Misconfigured
from apid.config.environment import as_env, as_ini
from apid.load import LoadError, read_environment


@click.command()
@click.option("-d", "--diff", is_flag=True, help="Only what differs from the defaults.")
@click.option("-e", "--env", "as_variables", is_flag=True, help="As environment variables, not as an ini file.")
def env(diff: bool, as_variables: bool) -> None:
    """Show the options of the environment, as they are in force.

    Each can be set by a variable exabgp.SECTION.OPTION or exabgp_SECTION_OPTION, or in the file that EXABGP_ENVFILE
    names.

    \b
    bgpbus env -d
    exabgp_tcp_port=1179 bgpbus env -e -d
    """
    try:
        environment, warnings = read_environment(os.environ)
    except LoadError as error:
        raise Misconfigured(str(error)) from error
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo((as_env if as_variables else as_ini)(environment, differences=diff), nl=False)
