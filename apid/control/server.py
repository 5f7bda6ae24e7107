"""Control on the bus: carries out command lines, keeps supervisor's programs in step with the configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.client import HTTPException
from xmlrpc.client import Fault

from apid.control.enforce import Enforcer, leave_pending, read_applied
from apid.control.jobs import Job, Jobs
from apid.load import LoadError, read_configuration
from apid.programs import Supervisor, write_files
from bus.daemon import RunDirectory
from bus.schema import (
    Answer,
    Applied,
    AppliedConfiguration,
    Command,
    Message,
    Present,
    Reconfigure,
    Refused,
    RoutePage,
    SessionReply,
)
from bus.transport import Client, Loop, Publisher, Server


class Control:
    """The process that people and programs give orders to."""

    def __init__(self, loop: Loop, run: RunDirectory, sources: list[str], epoch: str, log: logging.Logger) -> None:
        self._loop, self._run, self._log = loop, run, log
        self._sources = sources
        self._helpers: dict[str, tuple[bytes, Present]] = {}
        self._enforcer: Enforcer | None = None
        self._peerds: dict[str, Client] = {}
        self._publisher = Publisher(loop, run.events_in, "control", epoch)
        self._server = Server(loop, run.control, self._message, self._bad)
        self._ribd = Client(loop, run.ribd, self._from_ribd, self._ribd_connected, self._bad)
        self.jobs = Jobs(self)

    def start(self) -> None:
        """Put in force what is pending; compile the sources where nothing has been compiled yet."""
        if read_applied(self._run.pending) is None and read_applied(self._run.applied) is None:
            self._prepare()
        self._enforce(lambda: None)

    def _prepare(self) -> None:
        """Read the sources and leave their configuration pending; LoadError changes nothing."""
        compiled = read_configuration(self._sources).compiled
        write_files(self._run, compiled)
        leave_pending(self._run, compiled.applied)

    def _enforce(self, done: Callable[[], None]) -> None:
        def finished(applied: AppliedConfiguration) -> None:
            self._publisher.publish("config", {"generation": applied.generation, "reason": ""})
            self._adapt()
            done()

        self._enforcer = Enforcer(self._run, self._ribd.send, self._log, finished)
        self._enforcer.start()

    def reload(self, done: Callable[[str], None]) -> None:
        """Read the configuration again; a bad one changes nothing. `done` gets an error or nothing."""
        try:
            self._prepare()
        except LoadError as error:
            for line in str(error).splitlines():
                self._log.error("reload refused: %s", line)
            self._publisher.publish("config", {"generation": "", "reason": str(error)})
            done(str(error))
            return
        self._enforce(lambda: done(""))

    def _adapt(self) -> None:
        """Let supervisord and the daemons look at their files again."""
        try:
            added, removed = Supervisor(self._run).adapt()
        except (OSError, Fault, HTTPException) as error:
            self._log.error("supervisord does not answer, programs may be out of step: %s", error)
            return
        for name in added:
            self._log.info("program added name=%s", name)
        for name in removed:
            self._log.info("program removed name=%s", name)
            if (client := self._peerds.pop(name, None)) is not None:
                client.close()

    def tell_daemons(self) -> None:
        """Have every daemon read its settings again."""
        for identity, _ in self._helpers.values():
            self._server.send(identity, Reconfigure("configuration applied"))
        for name in self.programs():
            if name.startswith("peerd-"):
                self.peerd(name).send(Reconfigure("configuration applied"))

    def programs(self) -> list[str]:
        """Return the supervisor programs of the applied configuration."""
        applied = read_applied(self._run.applied)
        return applied.programs if applied is not None else []

    def peerd(self, program: str) -> Client:
        """Return the connection to a peerd."""
        client = self._peerds.get(program)
        if client is None:
            client = self._peerds[program] = Client(
                self._loop, self._run.peerd(program), self._from_peerd, lambda: self.jobs.connected(program), self._bad
            )
        return client

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)
        self._publisher.publish("bad/control", {"reason": reason, "count": self._server.bad})

    def _ribd_connected(self) -> None:
        if self._enforcer is not None and self._enforcer.link is not None:
            self._enforcer.link.connected()

    def _from_ribd(self, message: Message) -> None:
        match message:
            case Applied() | Refused():
                if self._enforcer is not None and self._enforcer.link is not None:
                    self._enforcer.link.answered(message)
            case RoutePage():
                self.jobs.replied(message)
            case _:
                self._bad(f"{type(message).__name__} is not for control")

    def _from_peerd(self, message: Message) -> None:
        if isinstance(message, SessionReply):
            self.jobs.replied(message)
        else:
            self._bad(f"{type(message).__name__} is not for control")

    def _message(self, identity: bytes, message: Message, _octets: bytes) -> None:
        match message:
            case Command():
                self.jobs.start(identity, message)
            case Present():
                self._helpers[message.helper] = (identity, message)
            case _:
                self._server.reject(f"{type(message).__name__} is not for control")

    def answer(self, identity: bytes, answer: Answer) -> bool:
        """Send a part of an answer; False where the asker is gone."""
        return self._server.send(identity, answer)
