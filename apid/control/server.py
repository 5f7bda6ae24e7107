"""Control on the bus: takes command lines, knows the bridges and peerds, keeps the configuration in force."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from apid.control.attempts import Attempts
from apid.control.background import Background
from apid.control.clean_end import forget
from apid.control.commands import carry_out
from apid.control.connection import Connection, ask_sessions
from apid.control.context import Context
from apid.control.enforce import read_applied
from apid.control.helpers import Helpers
from apid.control.in_force import Changed, InForce
from apid.control.jobs import Jobs
from apid.control.leaving import Session
from apid.control.neighbors import Directory
from apid.control.rib import RibChanges
from apid.control.supervise import Unreachable, end, is_ending, stop_everything
from apid.control.watchdogs import Watchdogs
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import AppliedConfiguration, Command, Message, Present, Reconfigure, SchemaError, Signalled
from bus.transport import Publisher, Server

WORKER_SECONDS = 3.0  # for what the background thread has begun, when we end
FORGET_SECONDS = 2.0  # for ribd to forget, at a clean end
LEAVE_SECONDS = 0.1  # for the answer to `shutdown` to leave
AGAIN = 5.0  # seconds until the end is tried again that supervisord did not help with


class Control:
    """The process that people and programs give orders to."""

    def __init__(
        self, loop: Loop, run: RunDirectory, sources: list[str], epoch: str, routes_format: str, log: logging.Logger
    ) -> None:
        self._loop, self._run, self._log = loop, run, log
        self._peerds: dict[str, Connection] = {}
        self._ending = False
        self._background = Background(loop)
        self._ender = Background(loop)  # what the other one is at may take for ever, as a file that does not answer
        self._directory = Directory(run)
        self._attempts = Attempts(lambda: self._directory.neighbors, self._all_spent)
        self._publisher = Publisher(loop, run.events_in, "control", epoch)
        self._server = Server(loop, run.control, self._message, self._bad)
        self._helpers = Helpers(loop, self._server.send)
        changed = Changed(self._read_directory, self._tell_daemons, self._leave_sessions)
        self._in_force = InForce(loop, run, sources, self._background, self._publisher, log, changed, self._bad)
        self._jobs = Jobs(loop, self._server.deliver, log)
        self._context = Context(
            run=run,
            log=log,
            directory=self._directory,
            in_force=self._in_force,
            helpers=self._helpers,
            watchdogs=Watchdogs(run.watchdogs, lambda: self._in_force.applied, run.durable),
            background=self._background,
            rib=Connection(loop, run.ribd, self._bad),
            changes=RibChanges(loop, run, epoch, self._bad),
            connection=self._peerd,
            shutdown=self._shut_down,
            epoch=epoch,
            started=time.time(),
            routes_format=routes_format,
        )

    def start(self) -> None:
        """Put in force what is pending; LoadError where nothing was ever compiled and the sources are wrong."""
        self._in_force.start()
        # Helpers may speak before ribd has answered; their neighbors are in the settings files already.
        target = read_applied(self._run.pending) or self._in_force.applied
        if target is not None:
            self._read_directory(target)

    def _read_directory(self, applied: AppliedConfiguration) -> None:
        self._directory.read(applied.neighbors, applied.programs)
        try:
            self._context.watchdogs.keep(applied.neighbors)
        except OSError as error:
            self._log.error("the file of watchdogs still has routes of neighbors that are gone: %s", error)
        for program in self._directory.peerds:
            self._peerd(program)

    def _peerd(self, program: str) -> Connection:
        """Return the connection to a peerd; whenever it is there (again), it reads its settings."""
        connection = self._peerds.get(program)
        if connection is None:
            connection = self._peerds[program] = Connection(
                self._loop,
                self._run.peerd(program),
                self._bad,
                lambda: Reconfigure("connected"),
                partial(self._attempts.heard, program),
            )
        return connection

    def _leave_sessions(self, sessions: list[Session], done: Callable[[], None]) -> None:
        """End sessions that are to begin anew with other settings."""
        questions: list[tuple[str, str, list[str]]] = [(program, name, []) for program, name in sessions]
        ask_sessions(self._peerd, "leave", questions)(lambda _replies: done())

    def _tell_daemons(self, removed: list[str]) -> None:
        """Have every daemon read its settings again."""
        for program in removed:
            self._attempts.forget(program)
            if (connection := self._peerds.pop(program, None)) is not None:
                connection.close()
        self._helpers.tell(Reconfigure("configuration applied"))
        for program in self._directory.peerds:
            self._attempts.forget(program)  # it answers
            self._peerd(program).tell(Reconfigure("configuration applied"))

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)
        self._publisher.publish("bad/control", {"reason": reason, "count": self._server.bad})

    def _message(self, identity: bytes, message: Message, _octets: bytes) -> None:
        match message:
            case Command():
                origin = f"{message.client}/{message.epoch}/{message.request}" if message.epoch else ""
                job = carry_out(replace(self._context, origin=origin), message.client, message.line)
                self._jobs.start(identity, message.request, job)
            case Present():
                try:
                    self._helpers.present(identity, message)
                except SchemaError as error:
                    self._server.reject(str(error))
            case Signalled():
                self._helpers.tell(message)
            case _:
                self._server.reject(f"{type(message).__name__} is not for control")

    # The end

    def _all_spent(self) -> None:
        if not self._ending:
            self._log.info("every session has used up its attempts: the daemon ends")
        self._shut_down()

    def _shut_down(self) -> None:
        """End every program at the same time, forget what they did, end supervisord and with it ourselves."""
        if self._ending:
            return
        self._ending = True
        self._log.info("shutting down")
        self._loop.call_later(LEAVE_SECONDS, self._stop_everything)

    def _stop_everything(self) -> None:
        self._ender.do(lambda: stop_everything(self._run), lambda _result, error: self._stopped(error), Unreachable)

    def _stopped(self, error: Exception | None) -> None:
        if error is not None:
            self._log.error("supervisord does not answer, nothing was ended: %s", error)
            self._ending = False
            self._loop.call_later(AGAIN, self._attempts.look)
            return
        forget(self._run, journal=True)
        self._ender.do(lambda: end(self._run), lambda _result, _error: None, Unreachable)

    def stop(self) -> None:
        """End ourselves; if supervisord ends, too, this is a clean end and nothing is remembered."""
        if self._ending:
            self._loop.stop()
            return
        self._ender.do(lambda: is_ending(self._run), lambda clean, _error: self._leave(bool(clean)))

    def _leave(self, clean: bool) -> None:
        if not clean:
            self._loop.stop()
            return
        forget(self._run, journal=False)
        if self._run.durable:
            self._loop.stop()
            return
        # ribd ends after us, and its journal is its own: it is told to forget.
        self._loop.call_later(FORGET_SECONDS, self._loop.stop)
        self._in_force.forget(self._loop.stop)

    def close(self) -> None:
        """Wait for the background thread."""
        self._background.close(WORKER_SECONDS)
