"""`bgpbus run`: prepare everything, then be supervisord's parent until the end.

supervisord would die of SIGUSR1 and restart everything on SIGHUP; so this process stands before it and turns
ExaBGP's signals into requests to control.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from xmlrpc.client import Fault

from apid.control import clean_end
from apid.daemonize import detach, detached
from apid.load import LoadError, read_environment
from apid.log_destination import Log
from apid.prepare import prepare
from apid.privileges import PrivilegeError
from apid.programs import Supervisor, is_alive, supervisord_file
from apid.signals import REQUESTS
from bus.daemon import (
    EXIT_CONFIGURATION,
    EXIT_CRASHED,
    EXIT_STOPPED,
    PR_SET_PDEATHSIG,
    AlreadyRunning,
    RunDirectory,
    default_run_directory,
)
from bus.loop import Loop
from bus.schema import Answer, Command, Message, Signalled
from bus.transport import Client

STOP_SECONDS = 4.5  # for everything to end after SIGTERM; then what is left is killed
LOG_READ = 65536  # octets
POKE = 0.02  # seconds between attempts to reach a supervisord that is starting
TELL = 0.02  # seconds for the news of a signal to reach the helpers before they are ended
WATCH = 0.05  # seconds between looks at programs that are stopping
ON_ITS_WAY = ("STARTING", "BACKOFF")  # states of supervisor's programs


class Runner:
    """The foreground process."""

    def __init__(self, run: RunDirectory, log: logging.Logger, output: Log) -> None:
        self._run, self._log, self._output = run, log, output
        self._loop = Loop()
        self._control = Client(self._loop, run.control, self._answered, self._reached, self._bad)
        self._supervisord: subprocess.Popen[bytes] | None = None
        self._stopping = 0.0
        self._stopped_programs = False
        self._request = 0
        self._asked: dict[int, str] = {}  # what control has not answered yet, by request
        self._wanted: list[int] = []  # signals that came while control was away, each once

    def start(self, configuration: Path, delay: float = 0.0) -> None:
        """Take the signals, and start supervisord after so many seconds."""
        for number in REQUESTS:
            self._loop.on_signal(number, lambda number=number: self._ask(number))  # type: ignore[misc]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._loop.on_signal(number, lambda number=number: self._stop(number))  # type: ignore[misc]
        self._loop.on_signal(signal.SIGCHLD, self._check)
        if delay:
            self._log.info("waiting for the time to connect seconds=%.0f", delay)
            self._loop.call_later(delay, lambda: self._start_supervisord(configuration))
        else:
            self._start_supervisord(configuration)

    def reload_after(self, seconds: float) -> None:
        """Do once what SIGUSR1 does."""
        self._loop.call_later(seconds, lambda: self._ask(signal.SIGUSR1))

    def _start_supervisord(self, configuration: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        parent = os.getpid()

        def prepare() -> None:
            # Our own death is no clean end. SIGTERM would make one of it: everything that was announced forgotten.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        # -P: whoever can write to the working directory must not choose what we import.
        command = [sys.executable, "-P", "-m", "supervisor.supervisord", "-n", "-c", str(configuration)]
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

    def _pass_on(self, reading: int) -> None:
        """Hand the daemons' log on."""
        try:
            octets = os.read(reading, LOG_READ)
        except BlockingIOError:
            return
        if not octets:
            self._loop.unwatch(reading)
            os.close(reading)
        self._output.write(octets)

    def _poke(self) -> None:
        """Wake supervisord: it first waits a second for a request before it starts its programs."""
        try:
            Supervisor(self._run).processes()
        except OSError:
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

    def _ask(self, number: int) -> None:
        """Have a signal's request carried out, once control is there."""
        if not self._control.connected:
            self._log.info("control is away, the signal waits request=%s", REQUESTS[number])
            self._wanted = [*(known for known in self._wanted if known != number), number]
            return
        self._control.send(Signalled(number))
        self._request += 1
        self._asked[self._request] = REQUESTS[number]
        self._control.send(Command(self._request, "", REQUESTS[number]))

    def _reached(self) -> None:
        """Send what came before control did. What it died over is not asked again: it might die again."""
        for request in self._asked.values():
            self._log.error("control ended before it answered, it may not have been carried out request=%s", request)
        self._asked = {}
        wanted, self._wanted = self._wanted, []
        for number in wanted:
            self._ask(number)

    def _answered(self, message: Message) -> None:
        if not isinstance(message, Answer) or not message.final:
            return
        request = self._asked.pop(message.request, "")
        if message.error:
            self._log.error("request failed request=%s: %s", request, message.error)

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)

    def _check(self) -> None:
        if self._supervisord is not None and self._supervisord.poll() is not None:
            if not self._stopping:
                self._log.info("supervisord ended status=%d", self._supervisord.returncode)
            self._loop.stop()
        self._bury_orphans()

    def _bury_orphans(self) -> None:
        """Take the status of processes that lost their parents: as process 1 of a container we get them all."""
        own = self._supervisord.pid if self._supervisord is not None else 0
        with suppress(ChildProcessError):
            # What has ended is looked at first: supervisord's status is not ours to take here.
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != own:
                os.waitpid(ended.si_pid, 0)

    def _stop(self, number: int) -> None:
        """Let the helpers hear of it, then stop."""
        if self._stopping:
            return
        self._stopping = self._loop.now()
        self._log.info("stopping")
        if self._supervisord is None:
            self._loop.stop()
            return
        self._control.send(Signalled(number))
        self._loop.call_later(TELL, self._stop_programs)

    def _stop_programs(self) -> None:
        """Stop every program at the same time, then supervisord (which by itself stops one after the other)."""
        try:
            Supervisor(self._run).stop_all()
        except (OSError, Fault) as error:
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
            return not any(is_alive(process["pid"]) for process in processes)
        except (OSError, Fault):
            return True

    def _end_supervisord(self, number: int) -> None:
        if self._supervisord is not None and self._supervisord.poll() is None:
            self._supervisord.send_signal(number)

    def _kill_all(self) -> None:
        try:
            pids = [process["pid"] for process in Supervisor(self._run).processes()]
        except (OSError, Fault):
            pids = []
        self._end_supervisord(signal.SIGKILL)
        for pid in pids:
            if is_alive(pid):
                with suppress(ProcessLookupError):  # it ends with supervisord, and may just have
                    os.kill(pid, signal.SIGKILL)


def forget(run: RunDirectory) -> None:
    """Clear what a clean end leaves nothing of."""
    clean_end.forget(run, journal=True)
    supervisord_file(run).unlink(missing_ok=True)
    run.env_file.unlink(missing_ok=True)


def until_minutes(minutes: int, now: float) -> float:
    """Return the seconds until the clock reaches a multiple of so many minutes; 0 for 0."""
    return -now % (minutes * 60) if minutes else 0.0


def run(
    paths: list[str], run_directory: Path | None, log_level: str | None = None, reload_after: int | None = None
) -> int:
    """Run in the foreground; return an exit code (0 told to stop, 1 crashed, 2 bad configuration).

    After so many seconds it reloads once.
    """
    started = time.monotonic()
    run_dir = RunDirectory((run_directory or default_run_directory(dict(os.environ))).absolute())
    try:
        waiting = detach() if read_environment(os.environ)[0].daemon.daemonize else None
        prepared = prepare(paths, run_dir, log_level)
    except AlreadyRunning as error:
        print(f"bgpbus is already running in {run_dir.path}: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except (LoadError, PrivilegeError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIGURATION
    # A thousand neighbors need more descriptors than a shell gives; supervisord passes its limit on.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loaded, log = prepared.loaded, prepared.log
    runner = Runner(run_dir, log, prepared.output)
    runner.start(supervisord_file(run_dir), until_minutes(loaded.environment.tcp.delay, time.time()))
    if reload_after is not None:
        runner.reload_after(reload_after)
    if waiting is not None:
        detached(waiting)
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
    if prepared.pid_file is not None:
        prepared.pid_file.remove()
    os.close(prepared.lock)
    return status
