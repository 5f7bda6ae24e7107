"""Run one program or one piece of work as a child with a deadline, and kill its whole process group at it."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Mapping

from msgspec import Struct

from apid.healthcheck.waiting import READ, Waiter

OUTPUT_KEPT = 4096  # octets of output, the last ones
READ_SIZE = 65536
MAX_UNKILLABLE = 8  # children in uninterruptible sleep, which even SIGKILL does not end, that we put up with
SYSTEM_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
RESTORED_SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)


class Outcome(Struct, frozen=True):
    """How a child ended: its exit status (minus the signal's number if a signal ended it), or None and why."""

    status: int | None
    output: str
    reason: str = ""


class Processes:
    """Starts children, waits for them, and reaps those that were slow to die."""

    def __init__(self, waiter: Waiter) -> None:
        self._waiter = waiter
        self._dying: list[int] = []

    def run(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        seconds: float,
        interrupted: Callable[[], bool] = lambda: False,
        keep: int = OUTPUT_KEPT,
    ) -> Outcome:
        """Run a program without input; after so many `seconds` (0: no limit), or when `interrupted`, it is killed.

        `output` is the end of its stdout and stderr, at most `keep` octets.
        """

        def start(output: int) -> int:
            return os.posix_spawn(
                find_program(arguments[0], environment),
                arguments,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                ],
                setpgroup=0,
                setsigdef=RESTORED_SIGNALS,
                setsigmask=(),
            )

        return self._supervise(start, seconds, interrupted, keep)

    def call(self, work: Callable[[], str], seconds: float, interrupted: Callable[[], bool]) -> Outcome:
        """Call `work` in a child of its own, so that nothing it waits for (names, TLS) can outlast the deadline.

        What it returns is the output; "" makes the exit status 0, all else 1.
        """

        def start(output: int) -> int:
            pid = os.fork()
            if pid == 0:
                _work_and_exit(work, output)
            os.setpgid(pid, pid)
            return pid

        return self._supervise(start, seconds, interrupted)

    def _supervise(
        self, start: Callable[[int], int], seconds: float, interrupted: Callable[[], bool], keep: int = OUTPUT_KEPT
    ) -> Outcome:
        self._reap()
        if len(self._dying) >= MAX_UNKILLABLE:
            return Outcome(None, "", f"{len(self._dying)} earlier ones are stuck in the kernel and cannot be killed")
        source, sink = os.pipe2(os.O_CLOEXEC)
        try:
            pid = start(sink)
        except OSError as error:
            os.close(source)
            return Outcome(None, "", f"cannot be started: {error.strerror}")
        finally:
            os.close(sink)
        os.set_blocking(source, False)
        child = _Child(pid, source, self._waiter, keep)
        self._waiter.watch(source, READ, lambda _: child.read())
        deadline = self._waiter.now() + seconds if seconds else math.inf
        self._waiter.wait(deadline, lambda: child.ended() or interrupted())
        if not child.ended():
            child.kill()
            self._dying.append(pid)
            self._reap()
            child.close()
            return Outcome(
                None, child.text(), "interrupted" if interrupted() else f"no result in {seconds:g} s, killed"
            )
        child.close()
        return Outcome(child.status, child.text())

    def _reap(self) -> None:
        self._dying = [pid for pid in self._dying if os.waitpid(pid, os.WNOHANG)[0] == 0]


class _Child:
    """One running child and the tail of its output."""

    def __init__(self, pid: int, source: int, waiter: Waiter, keep: int) -> None:
        self._pid, self._source, self._waiter, self._keep = pid, source, waiter, keep
        self._tail = b""
        self._open = True
        self.status: int | None = None

    def ended(self) -> bool:
        """Whether the child itself has ended; what it left in the background is not waited for."""
        if self.status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def read(self) -> None:
        """Take what the child has written."""
        while self._open:
            try:
                data = os.read(self._source, READ_SIZE)
            except BlockingIOError:
                return
            if not data:
                self._shut()
            self._tail = (self._tail + data)[-self._keep :]
            if len(data) < READ_SIZE:
                return

    def kill(self) -> None:
        """Kill the process group: the shell, what it started, and so on."""
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Take the rest of the output and close."""
        self.read()
        self._shut()

    def text(self) -> str:
        """Return the end of the output."""
        return self._tail.decode(errors="replace").strip()

    def _shut(self) -> None:
        if self._open:
            self._open = False
            self._waiter.forget(self._source)
            os.close(self._source)


def _work_and_exit(work: Callable[[], str], output: int) -> None:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in RESTORED_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        reason = work()
        os.write(output, reason.encode(errors="replace")[:OUTPUT_KEPT])
        status = 1 if reason else 0
    finally:
        os._exit(status)


def find_program(name: str, environment: Mapping[str, str]) -> str:
    """Return a program's path, also from where administrators' programs are; FileNotFoundError if it is nowhere."""
    if "/" in name:
        return name
    for folder in (*environment.get("PATH", "").split(":"), *SYSTEM_PATHS):
        path = os.path.join(folder, name)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(2, f"no program named {name}")
