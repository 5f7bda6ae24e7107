"""`bgpbus version`."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import click

import apid

DIALECT = "5.0.0"  # of ExaBGP's API, as in each JSON event


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Show the version of this command; 'bgpbus status' shows that of the daemon.

    \b
    bgpbus version
    bgpbus version --json
    """
    shown = {
        "bgpbus": apid.__version__,
        "ExaBGP API": DIALECT,
        "Python": platform.python_version(),
        "Uname": " ".join(platform.uname()),
        "From": str(Path(apid.__file__).resolve().parent),
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name:<10} : {value}")
