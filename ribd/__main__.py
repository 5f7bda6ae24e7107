"""Start ribd: `ribd RUN_DIRECTORY [--durable]`."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    die_with_parent,
    new_epoch,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.transport import Loop
from ribd.server import RibServer


@click.command()
@click.argument("run_directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--durable", is_flag=True, help="Sync the journal to disk before a command is acknowledged.")
@click.option("--journal", type=click.Path(file_okay=False, path_type=Path), help="Keep the journal elsewhere.")
@click.option("--log-level", default="INFO", show_default=True)
def main(run_directory: Path, durable: bool, journal: Path | None, log_level: str) -> None:
    """Keep the routes to announce. Started by supervisord; not for use by hand."""
    run = RunDirectory(run_directory)
    die_with_parent(parent_of_ours(run))
    if journal is not None:
        run.journal = journal
    log = start_logging("ribd", log_level)
    try:
        take_lock(run.lock("ribd"))
    except AlreadyRunning as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    loop = Loop()
    loop.on_signal(signal.SIGTERM, loop.stop)
    loop.on_signal(signal.SIGINT, loop.stop)
    RibServer(loop, run, new_epoch(), log, durable)
    log.info("ribd ready")
    loop.run()
    loop.close()


if __name__ == "__main__":
    main()
