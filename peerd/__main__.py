"""Start a peerd: `peerd RUN_DIRECTORY PROGRAM`."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    collect_garbage_rarely,
    die_with_parent,
    new_epoch,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.loop import Loop
from bus.schema import SchemaError
from peerd.server import PeerServer


@click.command()
@click.argument("run_directory", type=click.Path(file_okay=False, path_type=Path))
@click.argument("program")
@click.option("--log-level", default="INFO", show_default=True)
def main(run_directory: Path, program: str, log_level: str) -> None:
    """Run the BGP sessions of PROGRAM. Started by supervisord; not for use by hand."""
    run = RunDirectory(run_directory)
    die_with_parent(parent_of_ours(run))
    log = start_logging(program, log_level)
    loop = Loop()
    try:
        take_lock(run.lock(program))
        server = PeerServer(loop, run, program, new_epoch(), log)
        server.configure()
    except (AlreadyRunning, SchemaError, ValueError, OSError) as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    loop.on_signal(signal.SIGTERM, server.stop)
    loop.on_signal(signal.SIGINT, server.stop)
    collect_garbage_rarely()
    loop.run()
    loop.close()


if __name__ == "__main__":
    main()
