"""Keep the routes to announce: `ribd RUN_DIRECTORY`."""

from __future__ import annotations

import signal
from pathlib import Path

from bus.daemon import (
    EXIT_CONFIGURATION,
    RUN_DIRECTORY_MODE,
    AlreadyRunning,
    RunDirectory,
    arguments,
    die_with_parent,
    new_epoch,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.loop import Loop
from ribd.server import RibServer

WRITER_SECONDS = 2.0  # for a snapshot's writer to end after the ribd that died: its memory is as large


def main() -> None:
    """Serve until a signal ends it."""
    (run_directory,) = arguments("ribd RUN_DIRECTORY")
    run = RunDirectory(Path(run_directory))
    die_with_parent(parent_of_ours(run))
    log = start_logging("ribd")
    try:
        take_lock(run.lock("ribd"), WRITER_SECONDS)
        run.journal.mkdir(mode=RUN_DIRECTORY_MODE, parents=True, exist_ok=True)
        take_lock(run.journal / "lock", WRITER_SECONDS)  # a state on disk may be that of another run directory too
    except AlreadyRunning as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    loop = Loop()
    loop.on_signal(signal.SIGTERM, loop.stop)
    loop.on_signal(signal.SIGINT, loop.stop)
    RibServer(loop, run, new_epoch(), log, run.durable)
    log.info("ribd ready")
    loop.run()
    loop.close()


if __name__ == "__main__":
    main()
