"""`bgpbus run`, with the options of ExaBGP's `server`."""

from __future__ import annotations

import os

import click

from apid.run import run as run_in_foreground
from bus.daemon import RunDirectory

LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")


def _refuse_profile(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Say what to do instead: a file of ours would hold one process of many."""
    if value is not None:
        raise click.UsageError(
            "there is no --profile here: attach a profiler such as py-spy to the process in question"
        )


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), help="The lowest level that is logged.")
@click.option("-v", "--verbose", is_flag=True, help="Log everything, as --log-level DEBUG.")
@click.option("-d", "--debug", is_flag=True, hidden=True)
@click.option("-1", "--once", is_flag=True, help="Try each connection once, then end.")
@click.option("-P", "--passive", is_flag=True, help="Wait for every peer to connect.")
@click.option("-s", "--signal", type=click.IntRange(min=1), metavar="SECONDS", help="Reload once after so long.")
@click.option("--profile", hidden=True, callback=_refuse_profile, expose_value=False)
@click.option("-p", "--pdb", is_flag=True, hidden=True)
@click.option("-m", "--memory", is_flag=True, hidden=True)
@click.pass_obj
def run(
    directory: RunDirectory,
    files: tuple[str, ...],
    log_level: str | None,
    verbose: bool,
    debug: bool,
    once: bool,
    passive: bool,
    signal: int | None,
    pdb: bool,
    memory: bool,
) -> None:
    """Run configurations in the foreground; '-' reads one from standard input.

    Signals: USR1 reloads, USR2 reloads and restarts helpers, ALRM restarts everything, TERM and HUP end it.

    \b
    bgpbus run bgpbus.conf
    exabgp_tcp_port=1179 bgpbus run -v lab.conf
    bgpbus --run-dir /tmp/lab run lab.conf
    """
    if once:
        os.environ.update({"exabgp.tcp.attempts": "1"})
    if passive:
        os.environ.update({"exabgp.bgp.passive": "true"})
    level = "DEBUG" if verbose or debug else log_level
    # The daemon reads them again at a reload, from another working directory.
    paths = [file if file == "-" else os.path.abspath(file) for file in files]
    raise SystemExit(run_in_foreground(paths, directory.path, level, signal))
