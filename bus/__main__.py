"""The event broker: `python -m bus RUN_DIRECTORY`."""

from __future__ import annotations

from pathlib import Path

from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    arguments,
    die_with_parent,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.transport import run_broker


def main() -> None:
    """Run the broker until a signal ends it."""
    (run_directory,) = arguments("python -m bus RUN_DIRECTORY")
    run = RunDirectory(Path(run_directory))
    die_with_parent(parent_of_ours(run))
    log = start_logging("broker")
    try:
        take_lock(run.lock("broker"))
    except AlreadyRunning as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    log.info("broker ready")
    run_broker(run.events_in, run.events)


if __name__ == "__main__":
    main()
