"""supervisord as control needs it: signals to programs, restarts, and an end in which everybody stops at once.

Every call waits for supervisord, so all of this runs in the background thread.
"""

from __future__ import annotations

import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

from apid.programs import Supervisor
from bus.daemon import RunDirectory

SHUTDOWN_STATE = 6  # supervisord's fault code while it ends
ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
REMOVE_SECONDS = 35.0  # longer than supervisord waits until it kills
STOP_SECONDS = 4.5  # for the programs to end after SIGTERM
WATCH = 0.05  # seconds between looks at programs that are ending
OWN_NAME = "control"

Unreachable = (OSError, Fault, HTTPException)
"""What a call may raise: supervisord is away, or refuses."""


def adapt(run: RunDirectory, listener: bool) -> tuple[list[str], list[str]]:
    """Make supervisord run what the included files say now, and have the listener read its settings again.

    What is removed stops all at the same time, and before anything is added: a neighbor may have moved from one
    peerd to another. Return the programs added and removed.
    """
    supervisor = Supervisor(run)
    rpc = _rpc(supervisor)
    added, _changed, removed = rpc.reloadConfig()[0]
    for name in removed:
        rpc.stopProcessGroup(name, False)
    waiting, deadline = set(removed), time.monotonic() + REMOVE_SECONDS
    while waiting and time.monotonic() < deadline:
        # Each question also wakes supervisord, which by itself looks at its programs once a second.
        for process in supervisor.processes():
            if process["name"] in waiting and process["statename"] in ENDED:
                rpc.removeProcessGroup(process["name"])
                waiting.discard(process["name"])
        time.sleep(WATCH if waiting else 0)
    for name in added:
        rpc.addProcessGroup(name)
    if listener and "listener" not in added:
        with suppress(Fault):  # it is not running, and reads its settings when it starts
            rpc.signalProcess("listener", "HUP")
    if waiting:
        raise OSError(f"{', '.join(sorted(waiting))} did not stop in {REMOVE_SECONDS} seconds")
    return list(added), list(removed)


def restart(run: RunDirectory, names: list[str]) -> None:
    """Restart programs, all at the same time."""
    supervisor = Supervisor(run)
    running = {process["name"] for process in supervisor.processes() if _alive(process["pid"])}
    for name in names:
        if name in running:
            _rpc(supervisor).stopProcess(name, False)
    deadline = time.monotonic() + STOP_SECONDS
    pending = set(names)
    while pending and time.monotonic() < deadline:
        for process in supervisor.processes():
            if process["name"] in pending and process["statename"] in ENDED:
                _rpc(supervisor).startProcess(process["name"], False)
                pending.discard(process["name"])
        time.sleep(WATCH)


def stop_everything(run: RunDirectory) -> None:
    """Stop every program but ourselves, all at the same time, and wait until they are gone."""
    supervisor = Supervisor(run)
    processes = [process for process in supervisor.processes() if process["name"] != OWN_NAME and process["pid"]]
    for process in processes:
        with suppress(Fault):  # it has ended by itself
            _rpc(supervisor).stopProcess(f"{process['group']}:{process['name']}", False)
    deadline = time.monotonic() + STOP_SECONDS
    while any(_alive(process["pid"]) for process in processes) and time.monotonic() < deadline:
        time.sleep(WATCH)


def end(run: RunDirectory) -> None:
    """End supervisord, and us with it."""
    Supervisor(run).shutdown()


def is_ending(run: RunDirectory) -> bool:
    """Whether supervisord itself ends, rather than only our program."""
    try:
        Supervisor(run).processes()
    except Fault as fault:
        return fault.faultCode == SHUTDOWN_STATE
    except (OSError, HTTPException):
        return False
    return False


def _rpc(supervisor: Supervisor) -> Any:
    return supervisor._rpc


def _alive(pid: int) -> bool:
    """Whether a process is there and no zombie: supervisord itself notices an exit up to a second later."""
    if not pid:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
