"""`bgpbus run`: check everything, prepare the run directory, be supervisord's parent until the end.

supervisord would die of SIGUSR1 and restart everything on SIGHUP; so this process stands before it and turns
ExaBGP's signals into requests to control.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path
from xmlrpc.client import Fault

from apid.control import clean_end
from apid.control.enforce import leave_pending
from apid.load import Loaded, LoadError, read_configuration
from apid.privileges import PrivilegeError, become, can_run_us, find_user, may_execute
from apid.programs import Supervisor, supervisord_file, write_files, write_supervisord
from bus.daemon import (
    EXIT_CONFIGURATION,
    EXIT_CRASHED,
    EXIT_STOPPED,
    PR_SET_PDEATHSIG,
    AlreadyRunning,
    RunDirectory,
    default_run_directory,
    start_logging,
    take_lock,
)
from bus.schema import Answer, Command, Message, Signalled
from bus.transport import Client, Loop

STOP_SECONDS = 4.5  # for everything to end after SIGTERM; then what is left is killed
SOCKET_PATH_LIMIT = 107  # octets of a UNIX socket's path (<sys/un.h>)
SOCKET_SUFFIX = ".accept"  # the longest that a program's name gets
FIXED_SOCKET = "supervisor.sock"
LOG_READ, LOG_WRITE = 65536, 4096  # octets; a pipe or terminal that is writable takes a write without blocking
POKE = 0.02  # seconds between attempts to reach a supervisord that is starting
TELL = 0.02  # seconds for the news of a signal to reach the helpers before they are ended
WATCH = 0.05  # seconds between looks at programs that are stopping
ON_ITS_WAY = ("STARTING", "BACKOFF")  # states of supervisor's programs

SIGNALS = {signal.SIGUSR1: "reload", signal.SIGUSR2: "reload helpers", signal.SIGALRM: "restart"}


class Runner:
    """The foreground process."""

    def __init__(self, run: RunDirectory, log: logging.Logger) -> None:
        self._run, self._log = run, log
        self._loop = Loop()
        self._control = Client(self._loop, run.control, self._answered, lambda: None, self._bad)
        self._supervisord: subprocess.Popen[bytes] | None = None
        self._stopping = 0.0
        self._stopped_programs = False
        self._request = 0

    def start(self, configuration: Path) -> None:
        """Start supervisord."""
        libc = ctypes.CDLL(None, use_errno=True)
        parent = os.getpid()

        def prepare() -> None:
            # Our own death is no clean end. SIGTERM would make one of it: everything that was announced forgotten.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)]
        # supervisord opens /dev/fd/2 once more, which a pipe of our own allows, and a journal's socket does not.
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        self._supervisord = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=writing,
            process_group=0,
            preexec_fn=prepare,
        )
        os.close(writing)
        self._loop.watch(reading, lambda _events: self._pass_on(reading))
        self._loop.call_later(POKE, self._poke)
        for number, line in SIGNALS.items():
            self._loop.on_signal(number, lambda number=number, line=line: self._ask(number, line))  # type: ignore[misc]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._loop.on_signal(number, lambda number=number: self._stop(number))  # type: ignore[misc]
        self._loop.on_signal(signal.SIGCHLD, self._check)

    def _pass_on(self, reading: int) -> None:
        """Copy the daemons' log to our stderr; what that does not take at once is lost, not waited for."""
        try:
            octets = os.read(reading, LOG_READ)
        except BlockingIOError:
            return
        if not octets:
            self._loop.unwatch(reading)
            os.close(reading)
        for start in range(0, len(octets), LOG_WRITE):
            if select.select([], [sys.stderr.fileno()], [], 0)[1]:
                with contextlib.suppress(OSError):
                    os.write(sys.stderr.fileno(), octets[start : start + LOG_WRITE])

    def _poke(self) -> None:
        """Wake supervisord: it first waits a second for a request before it starts its programs."""
        try:
            Supervisor(self._run).processes()
        except (OSError, HTTPException):
            self._loop.call_later(POKE, self._poke)
        except Fault as fault:
            self._log.debug("supervisord is not ready: %s", fault.faultString)

    def wait(self) -> int:
        """Serve until supervisord is gone; return its verdict."""
        self._loop.run()
        self._loop.close()
        return EXIT_STOPPED if self._stopping or self._stopped_by_command() else EXIT_CRASHED

    def _stopped_by_command(self) -> bool:
        return self._supervisord is not None and self._supervisord.returncode == 0

    def _ask(self, number: int, line: str) -> None:
        self._control.send(Signalled(number))
        self._request += 1
        if not self._control.send(Command(self._request, "", line)):
            self._log.error("control is away, the signal is ignored request=%s", line)

    def _answered(self, message: Message) -> None:
        if isinstance(message, Answer) and message.final and message.error:
            self._log.error("request failed: %s", message.error)

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)

    def _check(self) -> None:
        if self._supervisord is not None and self._supervisord.poll() is not None:
            if not self._stopping:
                self._log.info("supervisord ended status=%d", self._supervisord.returncode)
            self._loop.stop()

    def _stop(self, number: int) -> None:
        """Let the helpers hear of it, then stop."""
        if self._stopping:
            return
        self._stopping = self._loop.now()
        self._log.info("stopping")
        self._control.send(Signalled(number))
        self._loop.call_later(TELL, self._stop_programs)

    def _stop_programs(self) -> None:
        """Stop every program at the same time, then supervisord (which by itself stops one after the other)."""
        try:
            Supervisor(self._run).stop_all()
        except (OSError, Fault, HTTPException) as error:
            self._log.warning("supervisord does not answer: %s", error)
            self._end_supervisord(signal.SIGTERM)
        self._loop.call_later(WATCH, self._watch)

    def _watch(self) -> None:
        """Go on when all have stopped, or time is up."""
        late = self._loop.now() - self._stopping > STOP_SECONDS
        if late:
            self._log.error("programs did not end in time and are killed")
            self._kill_all()
            return
        # Asking also wakes supervisord, which otherwise looks at its programs only once a second.
        if self._all_stopped() and not self._stopped_programs:
            self._stopped_programs = True
            self._end_supervisord(signal.SIGTERM)
        self._loop.call_later(WATCH, self._watch)

    def _all_stopped(self) -> bool:
        supervisor = Supervisor(self._run)
        try:
            processes = supervisor.processes()
            if any(process["statename"] in ON_ITS_WAY for process in processes):
                supervisor.stop_all()  # control was restarting it when we said stop
            # supervisord itself notices an exit up to a second later; a pid that is gone is enough for us.
            return not any(_alive(process["pid"]) for process in processes)
        except (OSError, Fault, HTTPException):
            return True

    def _end_supervisord(self, number: int) -> None:
        if self._supervisord is not None and self._supervisord.poll() is None:
            self._supervisord.send_signal(number)

    def _kill_all(self) -> None:
        try:
            pids = [process["pid"] for process in Supervisor(self._run).processes()]
        except (OSError, Fault, HTTPException):
            pids = []
        self._end_supervisord(signal.SIGKILL)
        for pid in pids:
            if pid and _alive(pid):
                os.kill(pid, signal.SIGKILL)


def _alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    if not pid:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def check_ports(loaded: Loaded) -> None:
    """Raise LoadError where an address to listen on cannot be had."""
    listener = loaded.compiled.listener
    for address, port in listener.listener["endpoints"] if listener is not None else []:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((address, port))
                sock.listen(1)
            except OSError as error:
                hint = " (set exabgp.tcp.port to a port above 1023, or run as root)" if error.errno == 13 else ""
                raise LoadError(f"cannot listen on {address} port {port}: {error.strerror}{hint}") from error


def check_helpers(loaded: Loaded) -> None:
    """Raise LoadError where the user that helpers run as does not exist, or may not run one of them."""
    user = find_user(daemon_user(loaded))
    for name, settings in loaded.compiled.helpers.items() if user is not None else ():
        program = settings.helper["run"][0]
        if user is not None and not may_execute(user, program):
            raise LoadError(
                f"process {name}: {program} cannot be executed by the user '{user.pw_name}' that helpers run as: "
                "let that user read it, or set exabgp.daemon.user (exabgp_daemon_user=root keeps root)"
            )


def daemon_user(loaded: Loaded) -> str:
    """Return whom to run as, where we are root."""
    options = loaded.environment.daemon
    return options.user if options.drop else ""


def state_on_disk(loaded: Loaded) -> Path | None:
    """Return where routes are kept that shall survive the host; None where they shall not."""
    options = loaded.environment.daemon
    return Path(options.state) if options.durability == "disk" else None


def drop_privileges(loaded: Loaded, run: RunDirectory, log: logging.Logger) -> None:
    """Become the configured user, who gets the run directory."""
    user = find_user(daemon_user(loaded))
    if user is None:
        return
    if not can_run_us(user):
        log.warning(
            "the daemons stay root, only helpers run as %s: that user cannot read %s or its packages",
            user.pw_name,
            sys.executable,
        )
        return
    for path in (run.path, *run.path.rglob("*"), *run.state.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    become(user)
    log.info("running as user=%s", user.pw_name)


def check_directory(run: RunDirectory, programs: list[str]) -> None:
    """Raise LoadError where sockets in this directory would have names that are too long."""
    longest = max(len(FIXED_SOCKET), *(len(name + SOCKET_SUFFIX) for name in programs), 0)
    room = SOCKET_PATH_LIMIT - longest - 1
    if len(os.fsencode(run.path)) > room:
        raise LoadError(f"the run directory {run.path} is too long for socket names: at most {room} octets")


def forget(run: RunDirectory) -> None:
    """Clear what a clean end leaves nothing of."""
    clean_end.forget(run, journal=True)
    supervisord_file(run).unlink(missing_ok=True)


def prepare(paths: list[str], run_dir: RunDirectory, log_level: str | None) -> tuple[Loaded, logging.Logger, int]:
    """Check everything and take the run directory; return the configuration, the log and the lock.

    LoadError, PrivilegeError, AlreadyRunning and OSError say what is wrong; nothing was started then.
    """
    loaded = read_configuration(paths)
    check_directory(run_dir, loaded.compiled.programs)
    check_helpers(loaded)
    run_dir.create()
    lock = take_lock(run_dir.lock("run"))
    run_dir.keep_state(state_on_disk(loaded))
    check_ports(loaded)
    log = start_logging("bgpbus", log_level or loaded.environment.log.level)
    drop_privileges(loaded, run_dir, log)
    for warning in loaded.warnings:
        log.warning("%s", warning)
    write_supervisord(run_dir, paths)
    write_files(run_dir, loaded.compiled)
    leave_pending(run_dir, loaded.compiled.applied)
    return loaded, log, lock


def run(paths: list[str], run_directory: Path | None, log_level: str | None = None) -> int:
    """Run in the foreground; return an exit code (0 told to stop, 1 crashed, 2 bad configuration)."""
    started = time.monotonic()
    run_dir = RunDirectory((run_directory or default_run_directory(dict(os.environ))).absolute())
    try:
        loaded, log, lock = prepare(paths, run_dir, log_level)
    except AlreadyRunning as error:
        print(f"bgpbus is already running in {run_dir.path}: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except (LoadError, PrivilegeError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIGURATION
    # A thousand neighbors need more descriptors than a shell gives; supervisord passes its limit on.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    runner = Runner(run_dir, log)
    runner.start(supervisord_file(run_dir))
    log.info(
        "started run_directory=%s neighbors=%d helpers=%d checked_in=%.2fs",
        run_dir.path,
        len(loaded.configuration.neighbors),
        len(loaded.configuration.processes),
        time.monotonic() - started,
    )
    status = runner.wait()
    if status == EXIT_STOPPED:
        forget(run_dir)
    log.info("ended status=%d", status)
    os.close(lock)
    return status
