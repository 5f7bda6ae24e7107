"""Start real programs for tests and benchmarks, wait for what they do, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")

PATIENCE = 60.0  # seconds for what must come, on a machine that is busy with everything else
_PORTS = os.environ.get("BGPBUS_TEST_PORTS", "21000-21999")
_taken: set[int] = set()


class MissingProgram(Exception):
    """A router or tool that is not installed here."""


def find_program(*candidates: str | Path | None) -> str:
    """Return the first of `candidates` (names or paths) that can be run; raises MissingProgram."""
    wanted = [str(candidate) for candidate in candidates if candidate]
    for candidate in wanted:
        if found := shutil.which(candidate, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"):
            return found
    raise MissingProgram(f"none of {', '.join(wanted)} is installed")


def wait_for(
    condition: Callable[[], T | None],
    seconds: float,
    what: str | Callable[[], str],
    interval: float = 0.03,
    needs: Process | None = None,
) -> T:
    """Return the first true value of `condition`.

    Raises TimeoutError that says `what` was awaited, and ChildProcessError at once where `needs` has ended.
    """
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        ended = needs is not None and not needs.running()
        if ended or time.monotonic() > deadline:
            why = f"waited {seconds:g} s for {what() if callable(what) else what}"
            raise ChildProcessError(f"{why}, but the program has ended") if ended else TimeoutError(why)
        time.sleep(interval)


def free_port() -> int:
    """Return a TCP port that nobody listens on, below the ephemeral range, and never the same one twice."""
    first, last = (int(number) for number in _PORTS.split("-"))
    # Of several pytest workers, each has a part of the ports.
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    span = (last - first + 1) // workers
    first += span * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for step in range(span):
        port = first + (os.getpid() * 37 + len(_taken) * 3 + step) % span
        if port in _taken or not _can_bind(port, "0.0.0.0") or not _can_bind(port, "::1"):
            continue
        _taken.add(port)
        return port
    raise OSError(f"no free port in {_PORTS}")


def _can_bind(port: int, address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def listening(address: str, port: int) -> bool:
    """Tell whether some process listens on the port, without connecting to it; `address` only says which IP version."""
    table = Path("/proc/net/tcp6" if ":" in address else "/proc/net/tcp").read_text()
    rows = [line.split() for line in table.splitlines()[1:]]
    return any(row[3] == "0A" and row[1].endswith(f":{port:04X}") for row in rows)


def descendants(pid: int) -> dict[int, int]:
    """Return {pid: start time in clock ticks} of `pid` and of everything that descends from it."""
    parents: dict[int, int] = {}
    started: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := process_fields(int(entry))):
            parents[int(entry)], started[int(entry)] = int(fields[1]), int(fields[19])
    found = {pid: started[pid]} if pid in started else {}
    grew = True
    while grew:
        children = {child: started[child] for child, parent in parents.items() if parent in found} | found
        grew = len(children) > len(found)
        found = children
    return found


def process_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the state on (so that ppid is [1], utime [11], stime [12], start [19])."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


class Process:
    """A program of ours: its own session, its log in a file, killed by the kernel when the test dies.

    `death_signal` is what the kernel sends it when the thread that started it ends, so start from the main thread.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        death_signal: str = "KILL",
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> None:
        self.arguments = [str(argument) for argument in arguments]
        self.log = log
        guard = [find_program("setpriv"), "--pdeathsig", death_signal, "--"]
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                guard + self.arguments,
                stdin=stdin,
                stdout=output if stdout is None else stdout,
                stderr=output,
                env=dict(environment) if environment is not None else None,
                cwd=directory,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also that of its session and group."""
        return self._popen.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe to the program; only where it was asked for."""
        assert self._popen.stdin is not None
        return self._popen.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe from the program; only where it was asked for."""
        assert self._popen.stdout is not None
        return self._popen.stdout

    def running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._popen.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        self._popen.send_signal(number)

    def signal_group(self, number: int) -> None:
        """Send a signal to its whole group."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def wait(self, seconds: float) -> int:
        """Return its exit status; raises subprocess.TimeoutExpired."""
        return self._popen.wait(seconds)

    def stop(self, seconds: float = 5) -> None:
        """End it and everything it started: SIGTERM, then SIGKILL after `seconds`; also what it left behind."""
        family = descendants(self.pid)
        if self.running():
            self.signal_group(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                self.signal_group(signal.SIGKILL)
                self.wait(5)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        _kill(family.items())

    def tail(self, lines: int = 20) -> str:
        """Return the end of its log, for messages."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _kill(processes: Iterable[tuple[int, int]]) -> None:
    """Kill each (pid, start time) that is still the same process."""
    for pid, started in processes:
        fields = process_fields(pid)
        if fields and int(fields[19]) == started and fields[0] != "Z":
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def output_of(arguments: Sequence[str | Path], seconds: float = 30) -> str:
    """Run a query program; return its standard output, or "" where it failed (its router may not be up yet)."""
    try:
        done = subprocess.run(
            [str(argument) for argument in arguments], capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def tcp_counter(name: str) -> int:
    """Return a counter of this host's TCP, such as TCPMD5Failure or TCPMinTTLDrop (see /proc/net/netstat)."""
    names, values = (line.split() for line in Path("/proc/net/netstat").read_text().splitlines()[:2])
    return int(dict(zip(names, values, strict=True)).get(name, 0))
