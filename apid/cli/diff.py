"""`bgpbus diff`."""

from __future__ import annotations

import json
import os
import sys

import click

from apid.cli.ask import ask
from apid.cli.errors import Failed, Misconfigured, Refused
from bus.daemon import RunDirectory

COLOURS = {"+": "green", "-": "red", "~": "yellow"}
WORDS = {"+": "added", "-": "removed", "~": "changed"}


@click.command()
@click.argument("files", nargs=-1)
@click.option("--summary", is_flag=True, help="Count routes instead of listing them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object on each line.")
@click.pass_obj
def diff(run: RunDirectory, files: tuple[str, ...], summary: bool, as_json: bool) -> None:
    """Show what a reload would change, if the configuration were FILES (by default, what the daemon was started with).

    The daemon reads them itself, because its environment may be another one than yours.

    \b
    bgpbus diff
    bgpbus diff new.conf --summary
    """
    lines = _differences(run, [os.path.abspath(file) for file in files], summary)
    for line in lines:
        click.echo(_json_line(line) if as_json else _line(line))
    if not lines and not as_json:
        click.echo("nothing would change")


def _differences(run: RunDirectory, files: list[str], summary: bool) -> list[str]:
    """Have control compare. Raises Misconfigured: it does nothing else than to read the configuration."""
    lines: list[str] = []
    try:
        ask(run, f"diff {json.dumps({'files': files, 'summary': summary})}", lines.extend)
    except Refused as error:
        raise Misconfigured(error.message) from error
    return lines


def fault_of_configuration(run: RunDirectory) -> str:
    """Return what is wrong with the configuration that the daemon was started with, or nothing."""
    try:
        _differences(run, [], summary=True)
    except Misconfigured as error:
        return error.message
    except Failed:  # it is not there any more to tell
        return ""
    return ""


def _line(row: str) -> str:
    sign, kind, name, text = json.loads(row)
    line = f"{sign} {kind} {name} {text}".rstrip()
    return click.style(line, fg=COLOURS[sign]) if sys.stdout.isatty() else line


def _json_line(row: str) -> str:
    sign, kind, name, text = json.loads(row)
    return json.dumps({"change": WORDS[sign], "kind": kind, "name": name, "text": text})
