"""`bgpbus status` and `bgpbus helpers`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click

from apid.cli.ask import ask_json
from apid.cli.table import coloured, table
from bus.daemon import RunDirectory

UP = "ESTABLISHED"
SHOWN = {"pid", "uptime", "starts", "commands", "errors", "memory", "spool", "lost"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(run: RunDirectory, as_json: bool) -> None:
    """Show the daemon and how its sessions are.

    \b
    bgpbus status
    bgpbus status --json | jq .peers
    """
    answer: dict[str, Any] = ask_json(run, "status")
    if as_json:
        click.echo(json.dumps(answer))
        return
    configuration, peers = answer["configuration"], answer["peers"]
    up = sum(state == UP for state in peers.values())
    click.echo(f"bgpbus {answer['version']}, control up for {timedelta(seconds=answer['uptime'])}, {run.path}")
    click.echo(f"configuration {configuration['generation'] or 'none'} from {' '.join(configuration['sources'])}")
    if configuration["problem"]:
        click.echo(coloured(f"not as it should be: {configuration['problem']}", good=False))
    click.echo(coloured(f"{up} of {len(peers)} sessions established", good=up == len(peers)))
    for name, state in peers.items():
        if state != UP:
            click.echo(f"  {name}  {state.lower()}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def helpers(run: RunDirectory, as_json: bool) -> None:
    """Show the helpers: process, commands carried out and refused, events that wait or were lost.

    Starts, commands, errors and lost events are counted since the helper's bridge started: a restart begins anew.

    \b
    bgpbus helpers
    bgpbus helpers --json
    """
    answer: dict[str, dict[str, Any]] = ask_json(run, "helpers")
    if as_json:
        click.echo(json.dumps(answer))
        return
    rows = [_row(name, state) for name, state in answer.items()]
    head = ["helper", "pid", "up for", "starts", "commands", "errors", "waiting", "lost"]
    for line in table(head, rows):
        click.echo(line)


def _life(state: dict[str, Any]) -> str:
    if state["pid"]:
        return str(timedelta(seconds=int(state["uptime"])))
    return f"again in {state['starts_in']:.0f} s" if "starts_in" in state else "ended"


def _row(name: str, state: dict[str, Any]) -> list[str]:
    if not state.keys() >= SHOWN:
        return [name, "-", "its bridge is away", "", "", "", "", ""]
    waiting = state["memory"] + state["spool"]
    return [
        name,
        str(state["pid"] or "-"),
        _life(state),
        *(str(state[key]) for key in ("starts", "commands", "errors")),
        f"{waiting} octets" if waiting else "-",
        str(state["lost"]),
    ]
