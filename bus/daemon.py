"""What every daemon does at its start: take its lock, arrange to die with its parent, log without ever blocking."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import logging
import os
import shlex
import shutil
import signal
import stat
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
EXIT_STOPPED, EXIT_CRASHED, EXIT_CONFIGURATION = 0, 1, 2
RUN_DIRECTORY_MODE = 0o750
LOCK_LOOK = 0.02  # seconds between attempts to take a lock
LOG_LEVEL = "BGPBUS_LOG_LEVEL"  # the variable by which `bgpbus run` tells every daemon what to log
WORKING_DIRECTORY = "BGPBUS_WORKING_DIRECTORY"  # ... and tells control from where a user gave names of files
CONTROL_CHARACTERS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class AlreadyRunning(RuntimeError):
    """Another process holds the lock of this program in this run directory."""


class RunDirectory:
    """The places in the run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events_in = path / "events-in"
        self.events = path / "events"
        self.ribd = path / "ribd"
        self.control = path / "control"
        self.settings = path / "settings"
        self.programs = path / "programs"
        self.env_file = path / "exabgp.env"  # the ini file as `bgpbus run` has read it
        self.state = path / "state"  # survives every process; a link where it survives the host too
        self.journal = self.state / "journal"
        self.pending = self.state / "pending"
        self.applied = self.state / "applied"
        self.watchdogs = self.state / "watchdogs"
        self.live = self.state / "live"
        self.lineage = self.state / "lineage"
        # Files of a configuration that is about to be left for all to read: before that is decided, and after.
        self.staged = path / "staged"
        self.decided = path / "decided"
        self.staged_state = self.state / "staged"

    def peerd(self, program: str) -> Path:
        """Return the ROUTER socket of a peerd."""
        return self.path / program

    def handover(self, program: str) -> Path:
        """Return the UNIX socket on which a peerd takes accepted TCP connections."""
        return self.path / f"{program}.accept"

    def lock(self, program: str) -> Path:
        """Return the lock file of a program."""
        return self.path / f"{program}.lock"

    def create(self) -> None:
        """Make the directories, closed to others. OSError where one of them is a link to another place."""
        for path in (self.path, self.settings, self.programs, self.state, self.journal):
            path.mkdir(mode=RUN_DIRECTORY_MODE, parents=True, exist_ok=True)
            follow = 0 if path in (self.path, self.state) else os.O_NOFOLLOW
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | follow)
            try:
                os.fchmod(descriptor, RUN_DIRECTORY_MODE)  # whatever the umask was, or whoever made it before
            finally:
                os.close(descriptor)

    @property
    def durable(self) -> bool:
        """Whether the state survives the host."""
        return self.state.is_symlink()

    def keep_state(self, disk: Path | None) -> None:
        """Keep the state in a directory on disk, or here; what was kept in the other place is not taken over."""
        if self.durable:
            self.state.unlink()
        elif disk is not None:
            shutil.rmtree(self.state, ignore_errors=True)
        if disk is not None:
            disk.mkdir(mode=RUN_DIRECTORY_MODE, parents=True, exist_ok=True)
            self.state.symlink_to(disk.absolute())
        self.create()


def default_run_directory(environment: dict[str, str]) -> Path:
    """Return /run/bgpbus where it can be written, else the user's own run directory."""
    system = Path("/run/bgpbus")
    if os.access(system if system.exists() else system.parent, os.W_OK):
        return system
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "bgpbus"
    return Path(f"/tmp/bgpbus-{os.getuid()}")


def arguments(usage: str) -> list[str]:
    """Return a daemon's arguments, as many as `usage` has words in capitals; with others, print it and end.

    No library reads them: loading it would be a fifth of the time in which a daemon starts.
    """
    given = sys.argv[1:]
    if given in (["--help"], ["-h"]):
        print(f"usage: {usage}")
        raise SystemExit(EXIT_STOPPED)
    if len(given) != sum(map(str.isupper, usage.split())):
        print(f"usage: {usage}, not {shlex.join(given) or 'nothing'}", file=sys.stderr)
        raise SystemExit(EXIT_CONFIGURATION)
    return given


def take_lock(path: Path, seconds: float = 0.0) -> int:
    """Hold an exclusive lock for the life of this process; `AlreadyRunning` if somebody has it, after so many seconds.

    No program that we start inherits the descriptor, so that one which outlives us does not keep the lock. A link is
    not followed: root may take a lock in a directory of somebody else.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    deadline = time.monotonic() + seconds
    while not _lock(descriptor):
        if time.monotonic() >= deadline:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise AlreadyRunning(f"{path} is locked by process {holder or 'unknown'}")
        time.sleep(LOCK_LOOK)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether somebody holds a lock that `take_lock` takes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def parent_of_ours(run: RunDirectory) -> int:
    """Return the pid of the parent that started this process: supervisord, even if it has died since."""
    if "SUPERVISOR_ENABLED" in os.environ:
        with contextlib.suppress(OSError, ValueError):
            return int((run.path / "supervisord.pid").read_text())
    return os.getppid()


def die_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Get a signal when the parent dies, even by kill -9; `parent` is the pid that it is known to have had."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def collect_garbage_rarely() -> None:
    """Exclude from garbage collection what there is now, and collect the rest less often.

    Routes and attributes are many, live long, and have no cycles: with Python's own thresholds (700, 10, 10) decoding a
    table of 40,000 attribute sets takes 1.7 times as long.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


def new_epoch() -> str:
    """Return a name for this life of the process."""
    return os.urandom(8).hex()


def one_line(text: str) -> str:
    """Make text from outside safe for a log line: no control characters, bounded."""
    return text.translate(CONTROL_CHARACTERS)[:2000]


class _DroppingHandler(logging.Handler):
    """Write to stderr without ever waiting: what the pipe does not take is dropped and counted."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0
        descriptor = sys.stderr.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.set_blocking(descriptor, False)
        elif not os.isatty(descriptor):
            # Several processes write to one file: none may overwrite another's lines.
            fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)

    def emit(self, record: logging.LogRecord) -> None:
        line = one_line(self.format(record))
        if self.dropped:
            line += f" (log_lines_dropped={self.dropped})"
        try:
            os.write(sys.stderr.fileno(), line.encode(errors="backslashreplace") + b"\n")
            self.dropped = 0
        except OSError:
            self.dropped += 1


def start_logging(program: str, level: str = "INFO") -> logging.Logger:
    """Log to stderr, one line a record: `time program level what key=value …`; a variable overrides the level.

    A variable that names no level is no reason not to start.
    """
    handler = _DroppingHandler()
    handler.setFormatter(logging.Formatter(f"%(asctime)s {program} %(levelname)s %(message)s"))
    logger = logging.getLogger("bgpbus")
    logger.handlers = [handler]
    wanted = os.environ.get(LOG_LEVEL, "").upper()
    logger.setLevel(wanted if wanted in logging.getLevelNamesMapping() else level)
    logger.propagate = False
    return logger
