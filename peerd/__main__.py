"""Run the BGP sessions of a program: `peerd RUN_DIRECTORY PROGRAM`."""

from __future__ import annotations

import signal
from pathlib import Path

from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    arguments,
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


def main() -> None:
    """Serve until a signal ends it."""
    run_directory, program = arguments("peerd RUN_DIRECTORY PROGRAM")
    run = RunDirectory(Path(run_directory))
    die_with_parent(parent_of_ours(run))
    log = start_logging(program)
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
