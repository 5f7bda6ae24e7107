"""Start control: `apid control RUN_DIRECTORY FILE…`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from apid.control.pipes import open_pipes
from apid.control.server import Control
from apid.load import LoadError, read_environment
from bus.daemon import (
    EXIT_CONFIGURATION,
    WORKING_DIRECTORY,
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


def main(run_directory: Path, sources: list[str]) -> None:
    """Run control until it is told to end; exit code 2 where the configuration is wrong."""
    run = RunDirectory(run_directory)
    die_with_parent(parent_of_ours(run))
    with suppress(OSError):  # it may be closed to us, and nothing is taken from there then
        os.chdir(os.environ.get(WORKING_DIRECTORY, "."))
    loop = Loop()
    try:
        environment, warnings = read_environment(os.environ)
        log = start_logging("control", environment.log.level)
        run.create()
        take_lock(run.lock("control"))
        control = Control(loop, run, sources, new_epoch(), environment.api.show_routes_format, log)
        control.start()
    except (AlreadyRunning, LoadError, SchemaError, OSError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_CONFIGURATION) from error
    for warning in warnings:
        log.warning("%s", warning)
    loop.on_signal(signal.SIGTERM, control.stop)
    loop.on_signal(signal.SIGINT, control.stop)
    if environment.api.cli:
        root = os.environ.get("EXABGP_ROOT") or sys.prefix
        pipes = open_pipes(loop, run, environment.api.pipename, root, log)  # noqa: F841 (lives on)
    collect_garbage_rarely()
    log.info("control ready")
    loop.run()
    control.close()
    loop.close()
