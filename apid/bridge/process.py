"""The helper as a process: started in a group of its own, restarted for ever with back-off, never left behind."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from typing import Protocol

from apid.privileges import PrivilegeError, find_user, strip
from bus.daemon import PR_SET_PDEATHSIG
from bus.loop import Loop, Timer
from bus.settings import HelperConfiguration

PIPE_SIZE = 1024 * 1024
READ_OCTETS = 64 * 1024  # in one read: of commands one batch for ribd, small enough for others to get their turn soon
BACK_OFF_MAXIMUM = 60.0  # seconds
STABLE = 60.0  # a helper that has lived so long is started again at once
TERMINATE_AFTER, KILL_AFTER = 0.1, 2.0  # seconds after the shutdown event (ExaBGP's own times)
CLOSING = 0.5  # seconds in which a helper that closed a pipe may turn out to have exited
OWN_VARIABLE = "exabgp_cli_pipe"  # by which ExaBGP tells its own command-line helper, and no other, where the pipes are
STDERR_LINE = 4096  # octets of a line of a helper's stderr that reach the log

_libc = ctypes.CDLL(None, use_errno=True)


class Owner(Protocol):
    """Who is told what happens to a helper."""

    def helper_started(self, pid: int) -> None:
        """It runs."""

    def helper_readable(self) -> None:
        """It has written commands, or closed its stdout: `read` tells."""

    def helper_writable(self) -> None:
        """Its stdin takes more."""

    def helper_complained(self, line: str) -> None:
        """It wrote a line to stderr, or cannot be started."""

    def helper_closed(self, name: str) -> None:
        """It goes on without its `stdin` or `stdout`."""

    def helper_killed(self, why: str) -> None:
        """It is killed, with all that it started."""

    def helper_exited(self, status: int) -> None:
        """It has ended."""


class HelperProcess:
    """One helper's process and pipes. Reading and writing never block; the owner is told what happens."""

    def __init__(self, loop: Loop, configuration: HelperConfiguration, owner: Owner) -> None:
        self._loop = loop
        self._configuration, self._owner = configuration, owner
        self._process: subprocess.Popen[bytes] | None = None
        self._stdin, self._stdout, self._stderr = -1, -1, -1
        self._stderr_rest = b""
        self._reading = True
        self._wants_write = False
        self._started = 0.0
        self._delay = 0.0
        self._stopping = self._restarting = False
        self._retry: Timer | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """Process id, 0 where it is not running."""
        return self._process.pid if self._process is not None else 0

    @property
    def uptime(self) -> float:
        """Seconds since it was started."""
        return self._loop.now() - self._started if self._process is not None else 0.0

    @property
    def starts_in(self) -> float | None:
        """Seconds until it is started again; None where it runs, and where it has ended for good."""
        return max(0.0, self._retry.when - self._loop.now()) if self._retry is not None else None

    def start(self) -> None:
        """Start the helper now."""
        self._retry, self._restarting = None, False
        parent = os.getpid()

        def prepare() -> None:
            strip()
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        try:
            user = find_user(self._configuration.user)
            process = subprocess.Popen(
                self._configuration.run,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env={**{name: value for name, value in os.environ.items() if name != OWN_VARIABLE}, "TERM": "dumb"},
                umask=self._configuration.umask,
                process_group=0,
                preexec_fn=prepare,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
        except (OSError, ValueError, subprocess.SubprocessError, PrivilegeError) as error:
            self._owner.helper_complained(f"cannot be started: {error}")
            self._delay = min(BACK_OFF_MAXIMUM, max(1.0, self._delay * 2))
            self._retry = self._loop.call_later(self._delay, self.start)
            return
        self._adopt(process)

    def _adopt(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin, self._stdout, self._stderr = (
            os.dup(stream.fileno()) for stream in (process.stdin, process.stdout, process.stderr)
        )
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        for descriptor in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(descriptor, False)
            # Many helpers of one unprivileged user may exceed its share of pipe memory: the usual size does then.
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self._started = self._loop.now()
        self.starts += 1
        self._loop.watch(self._stdout, lambda _events: self._owner.helper_readable(), read=self._reading)
        self._loop.watch(self._stderr, lambda _events: self._read_stderr())
        self._owner.helper_started(process.pid)

    @property
    def told(self) -> bool:
        """Whether we told it to end."""
        return self._stopping or self._restarting

    def read(self) -> bytes | None:
        """Read commands; None where nothing is there now, empty where the helper closed its stdout."""
        if self._stdout < 0:
            return None
        try:
            octets = os.read(self._stdout, READ_OCTETS)
        except BlockingIOError:
            return None
        except OSError:
            octets = b""
        if not octets:
            self._close("_stdout")
            self._tell_closed("stdout")
        return octets

    def pause_reading(self, paused: bool) -> None:
        """Let the pipe push back, or go on."""
        if self._reading == (not paused):
            return
        self._reading = not paused
        if self._stdout >= 0:
            if paused:
                self._loop.unwatch(self._stdout)
            else:
                self._loop.watch(self._stdout, lambda _events: self._owner.helper_readable())

    def write(self, octets: bytes) -> int:
        """Write to its stdin; return how much the pipe took (all of it where nobody reads any more)."""
        if self._stdin < 0:
            return len(octets)
        try:
            return os.write(self._stdin, octets)
        except BlockingIOError:
            return 0
        except OSError:
            self._close("_stdin")
            self._tell_closed("stdin")
            return len(octets)

    def want_write(self, wanted: bool) -> None:
        """Ask for `helper_writable`, or no more."""
        if self._stdin < 0 or wanted == self._wants_write:
            return
        self._wants_write = wanted
        if wanted:
            self._loop.watch(self._stdin, lambda _events: self._owner.helper_writable(), read=False, write=True)
        else:
            self._loop.unwatch(self._stdin)

    def _read_stderr(self) -> None:
        try:
            octets = os.read(self._stderr, READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._end_stderr()
            return
        *lines, rest = (self._stderr_rest + octets).split(b"\n")
        if len(rest) > STDERR_LINE:
            lines.append(rest)
            rest = b""
        self._stderr_rest = rest
        for line in lines:
            self._complained(line)

    def _end_stderr(self) -> None:
        """Close it; what it holds of a line without an end is a line."""
        self._close("_stderr")
        line, self._stderr_rest = self._stderr_rest, b""
        if line:
            self._complained(line)

    def _complained(self, line: bytes) -> None:
        self._owner.helper_complained(line[:STDERR_LINE].decode(errors="replace"))

    def _tell_closed(self, name: str) -> None:
        """Tell the owner that the helper goes on without a pipe, unless it is just exiting."""
        process = self._process
        self._loop.call_later(CLOSING, lambda: self._owner.helper_closed(name) if self._process is process else None)

    def _close(self, name: str) -> None:
        descriptor = getattr(self, name)
        if descriptor >= 0:
            self._loop.unwatch(descriptor)
            os.close(descriptor)
            setattr(self, name, -1)
            if name == "_stdin":
                self._wants_write = False

    def check(self) -> None:
        """Check whether the helper has exited (on SIGCHLD). A closed pipe is no exit: it may go on without."""
        process = self._process
        if process is None or (status := process.poll()) is None:
            return
        if self._signal_group(signal.SIGKILL) and not self._stopping:
            self._owner.helper_killed("it left processes behind")
        if not self._stopping:
            _drain(self._stdout, self._owner.helper_readable)  # paused or not: what is not read now is lost
        _drain(self._stderr, self._read_stderr)
        lived = self.uptime
        self._process = None
        self._close("_stdin")
        self._close("_stdout")
        self._end_stderr()
        self._owner.helper_exited(status)
        if self._stopping:
            return
        if self._restarting:
            self.start()
        elif self._configuration.respawn:
            self._delay = 0.0 if lived >= STABLE else min(BACK_OFF_MAXIMUM, max(0.25, self._delay * 2))
            self._retry = self._loop.call_later(self._delay, self.start)

    def _signal_group(self, number: int) -> bool:
        """Signal the helper and all that it started; return whether anybody was there."""
        if self._process is None:
            return False
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def stop(self) -> None:
        """End the helper: SIGTERM and end of file after a moment for its last event, SIGKILL if it does not listen."""
        self._stopping = True
        if self._retry is not None:
            self._retry.cancel()
        self._loop.call_later(TERMINATE_AFTER, self._terminate)
        process = self._process
        self._loop.call_later(TERMINATE_AFTER + KILL_AFTER, lambda: self._kill(process))

    def _terminate(self) -> None:
        self._signal_group(signal.SIGTERM)
        self._close("_stdin")

    def reconfigure(self, configuration: HelperConfiguration) -> None:
        """Go on with another configuration: the helper is ended and started anew."""
        self._configuration = configuration
        self.restart()

    def restart(self) -> None:
        """End the helper and start it again at once."""
        self._delay = 0.0
        if self._retry is not None:
            self._retry.cancel()
        if self._process is None:
            self.start()
            return
        self._restarting = True
        process = self._process
        self._signal_group(signal.SIGTERM)
        self._loop.call_later(KILL_AFTER, lambda: self._kill(process))

    def _kill(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None and self._process is process:
            self._owner.helper_killed("it did not end on SIGTERM")
            self._signal_group(signal.SIGKILL)


def _drain(descriptor: int, read: Callable[[], None]) -> None:
    """Have read what a pipe holds now, and no more: whoever left the helper's group may write to it for ever."""
    if descriptor >= 0:
        (octets,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
        for _ in range(0, octets, READ_OCTETS):
            read()
