"""Run in the background, and let others know under which process id."""

from __future__ import annotations

import os
from pathlib import Path

from bus.daemon import EXIT_CONFIGURATION, EXIT_STOPPED, take_lock

PID_FILE_MODE = 0o644


def detach() -> int:
    """Go on as a process without a terminal; call `detached` with what is returned once all is well.

    The process that was started waits for that: it ends with 0 then, or with the code of a bad configuration where we
    end before.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    if os.fork():
        os.close(writing)
        os._exit(EXIT_STOPPED if os.read(reading, 1) else EXIT_CONFIGURATION)
    os.close(reading)
    os.setsid()
    if os.fork():
        os._exit(0)
    return writing


def detached(writing: int) -> None:
    """Let go of the terminal and of the directory, and tell who waits."""
    os.chdir("/")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    os.write(writing, b"\1")
    os.close(writing)


class PidFile:
    """The file that holds our process id, locked while we live. AlreadyRunning where another has it; OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._descriptor = take_lock(self.path)
        os.fchmod(self._descriptor, PID_FILE_MODE)

    def remove(self) -> None:
        """Remove it; where the directory does not let us, leave it empty."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
