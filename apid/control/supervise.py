"""supervisord as control needs it: signals to programs, restarts, and an end in which all stop at once.

Every call waits for supervisord, so all of this runs in the background thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from xmlrpc.client import Fault

from apid.programs import Supervisor, is_alive
from bus.daemon import RunDirectory

SHUTDOWN_STATE = 6  # supervisord's fault code while it ends
NOT_RUNNING = 70  # likewise, for a program that cannot be signalled
ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
END_SECONDS = 35.0  # for a program to end: longer than supervisord waits until it kills it
STOP_SECONDS = 4.5  # for all programs to end after SIGTERM, when everything ends
WATCH = 0.05  # seconds between looks at programs that are ending
OWN_NAME = "control"

Unreachable = (OSError, Fault)
"""What a call may raise: supervisord is away, or refuses."""


def adapt(run: RunDirectory, listener: bool) -> tuple[list[str], list[str]]:
    """Make supervisord run what the included files say now, and have the listener read its settings again.

    The listener is first: a peer whose session ends now is to come to who has its address next. What is removed stops
    before anything is added: a neighbor may have moved from one peerd to another. Return the programs added and
    removed.
    """
    supervisor = Supervisor(run)
    added, _changed, removed = supervisor.rpc.reloadConfig()[0]
    if listener and "listener" not in added:
        with suppress(Fault):  # it is not running, and reads its settings when it starts
            supervisor.rpc.signalProcess("listener", "HUP")
    for name in _stopped(supervisor, removed):
        supervisor.rpc.removeProcessGroup(name)
    for name in added:
        supervisor.rpc.addProcessGroup(name)
    return list(added), list(removed)


def restart(run: RunDirectory, names: list[str]) -> None:
    """Restart programs, all at the same time; OSError names those that have not ended, even when killed.

    They are only signalled: supervisord starts them again by itself, though we may have died meanwhile.
    """
    supervisor = Supervisor(run)
    former = {each["name"]: each["pid"] for each in supervisor.processes() if each["name"] in names}
    for name, pid in former.items():
        if pid:
            _signal(supervisor, name, "TERM")
        else:
            _start(supervisor, name)
    if late := _unchanged(supervisor, former):
        for name in late:
            _signal(supervisor, name, "KILL")
        if late := _unchanged(supervisor, late):
            raise OSError(f"{', '.join(sorted(late))} did not end in {END_SECONDS:g} seconds")


def _signal(supervisor: Supervisor, name: str, signal: str) -> None:
    try:
        supervisor.rpc.signalProcess(name, signal)
    except Fault as fault:
        if fault.faultCode != NOT_RUNNING:  # it had just ended by itself
            raise


def _start(supervisor: Supervisor, name: str) -> None:
    """Start a program that somebody has stopped; supervisord tries by itself again and again where it fails."""
    with suppress(Fault):
        supervisor.rpc.startProcess(name, False)


def _unchanged(supervisor: Supervisor, former: Mapping[str, int]) -> dict[str, int]:
    """Wait until programs have other processes than these, or none; return those that still have them."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        # Each question also wakes supervisord, which by itself looks at its programs once a second.
        now = {each["name"]: each["pid"] for each in supervisor.processes()}
        left = {name: pid for name, pid in former.items() if pid and now.get(name) == pid}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(WATCH)


def _stopped(supervisor: Supervisor, names: list[str]) -> Iterator[str]:
    """Stop programs, all at the same time, and yield each when it has ended; OSError names those that have not."""
    waiting = {process["name"] for process in supervisor.processes()} & set(names)
    for name in waiting:
        supervisor.rpc.stopProcessGroup(name, False)
    deadline = time.monotonic() + END_SECONDS
    while waiting:
        # Each question also wakes supervisord, which by itself looks at its programs once a second.
        states = {process["name"]: process["statename"] for process in supervisor.processes()}
        ended = sorted(name for name in waiting if states.get(name, ENDED[0]) in ENDED)
        yield from ended
        waiting -= set(ended)
        if waiting and time.monotonic() > deadline:
            raise OSError(f"{', '.join(sorted(waiting))} did not stop in {END_SECONDS:g} seconds")
        time.sleep(WATCH if waiting else 0)


def stop_everything(run: RunDirectory) -> None:
    """Stop every program but ourselves, all at the same time, and wait until they are gone."""
    supervisor = Supervisor(run)
    processes = [process for process in supervisor.processes() if process["name"] != OWN_NAME and process["pid"]]
    for process in processes:
        with suppress(Fault):  # it has ended by itself
            supervisor.rpc.stopProcess(f"{process['group']}:{process['name']}", False)
    deadline = time.monotonic() + STOP_SECONDS
    while any(is_alive(process["pid"]) for process in processes) and time.monotonic() < deadline:
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
    except OSError:
        return False
    return False
