"""The event broker: `python -m bus RUN_DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path

from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    die_with_parent,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.transport import run_broker


def main() -> int:
    """Run the broker until a signal ends it."""
    if len(sys.argv) != 2:
        print("usage: python -m bus RUN_DIRECTORY", file=sys.stderr)
        return EXIT_CONFIGURATION
    run = RunDirectory(Path(sys.argv[1]))
    die_with_parent(parent_of_ours(run))
    log = start_logging("broker")
    try:
        take_lock(run.lock("broker"))
    except AlreadyRunning as error:
        log.error("%s", error)
        return EXIT_CONFIGURATION
    log.info("broker ready")
    run_broker(run.events_in, run.events)
    return 0


if __name__ == "__main__":
    sys.exit(main())
