"""A peerd on the bus: its sessions, their bridges, ribd, and the listener that hands over connections."""

from __future__ import annotations

import array
import logging
import os
import socket
from collections.abc import Iterable

from bgp.notification import PEER_DECONFIGURED
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.names import neighbor_of
from bus.schema import (
    Batch,
    Credit,
    Incoming,
    Message,
    Reconfigure,
    Resync,
    SchemaError,
    SessionReply,
    SessionRequest,
    Settled,
    Spent,
    Spoken,
    Subscribe,
    unpack,
)
from bus.settings import SessionConfiguration, read_peerd
from bus.transport import Client, Publisher, Server
from peerd.expected import Owners
from peerd.range import Range
from peerd.remembered import Remembered, Word
from peerd.requests import act, act_on_range
from peerd.session import Session

STOP_SECONDS = 2.0  # for NOTIFICATIONs to leave before the process goes
INCOMING_OCTETS = 4096
ORIGINS_KEPT = 256  # commands whose actions are remembered; a bridge has one on the way at a time


class PeerServer:
    """The sessions of one process."""

    def __init__(self, loop: Loop, run: RunDirectory, program: str, epoch: str, log: logging.Logger) -> None:
        self._loop, self._run, self._program, self._log = loop, run, program, log
        self._sessions: dict[str, Session | Range] = {}
        self._leaving: list[Session | Range] = []  # their NOTIFICATIONs may still be on the way
        self._stopping = False
        self._control = b""  # whoever had us read our settings last
        self._remembered = Remembered()
        self._owners = Owners(run.settings / "listener")
        self._done: dict[str, set[tuple[str, ...]]] = {}  # neighbor, action and arguments, by the command's origin
        self._publisher = Publisher(loop, run.events_in, program, epoch)
        self._server = Server(loop, run.peerd(program), self._message, self._bad)
        self._ribd = Client(loop, run.ribd, self._from_ribd, self._ribd_connected, self._bad)
        self._handover = self._open_handover()

    def _open_handover(self) -> socket.socket:
        path = self._run.handover(self._program)
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        previous = os.umask(0o117)
        try:
            sock.bind(str(path))
        finally:
            os.umask(previous)
        self._loop.watch(sock.fileno(), self._handed_over)
        return sock

    def configure(self) -> None:
        """Read the settings; touch only the sessions that changed."""
        if self._stopping:
            return
        wanted = {each.name: each for each in read_peerd(self._run.settings / self._program)}
        if any(each.is_range for each in wanted.values()):
            self._owners.read()
        for name, session in list(self._sessions.items()):
            changed = name in wanted
            if not changed or not session.configuration.same_session(wanted[name]):
                self._leave(name, returns=changed)
                continue
            if isinstance(session, Range):
                session.update(wanted[name])
            if wanted[name].shut != session.configuration.shut:
                session.shut(wanted[name].shut)
        for name, configuration in wanted.items():
            words = self._remembered.of(configuration)
            if name not in self._sessions:
                self._add(configuration, words)

    def _leave(self, name: str, returns: bool) -> None:
        """End a session for good: the neighbor is removed, or returns with other settings."""
        session = self._sessions.pop(name)
        session.stop("configuration changed" if returns else "removed", PEER_DECONFIGURED, returns)
        self._leaving = [each for each in [*self._leaving, session] if not each.closed]

    def _add(self, configuration: SessionConfiguration, words: list[tuple[bytes, Word]]) -> None:
        """Begin a session, with what bridges have said about its neighbor."""
        neighbor: Session | Range
        if configuration.is_range:
            neighbor = Range(self._loop, configuration, self._owners, self._new_session, self._ribd.send, self._log)
        else:
            neighbor = self._new_session(configuration)
            neighbor.start()
        self._sessions[configuration.name] = neighbor
        for identity, word in words:
            _tell(neighbor, identity, word)

    def _new_session(self, configuration: SessionConfiguration) -> Session:
        return Session(
            self._loop,
            configuration,
            self._ribd.send,
            self._server.deliver,
            self._publisher,
            self._log,
            self._tell_spent,
        )

    def _tell_spent(self) -> None:
        """Tell control which sessions have used up their attempts."""
        if self._control:
            spent = [name for name, session in self._sessions.items() if session.spent]
            self._server.send(self._control, Spent(spent))

    def _session(self, name: str) -> Session | None:
        """Return the session of this name, which may be one of a range."""
        neighbor = self._sessions.get(neighbor_of(name))
        if isinstance(neighbor, Range):
            return neighbor.sessions.get(name)
        return neighbor if neighbor_of(name) == name else None

    def stop(self) -> None:
        """End every session with a NOTIFICATION, then the loop."""
        self._stopping = True  # control may just tell us to read the settings, which would begin all sessions anew
        # The listener keeps what comes now for who has the neighbor, or its address, next.
        self._run.handover(self._program).unlink(missing_ok=True)
        # Control removes the settings of a program before it has it stopped.
        removed = not (self._run.settings / self._program).exists()
        for session in self._sessions.values():
            session.stop("removed", PEER_DECONFIGURED) if removed else session.stop()
        self._leaving += self._sessions.values()
        self._sessions = {}
        self._loop.call_later(STOP_SECONDS, self._loop.stop)
        self._stop_when_closed()

    def _stop_when_closed(self) -> None:
        if all(session.closed for session in self._leaving):
            self._loop.stop()
        else:
            self._loop.call_later(0.01, self._stop_when_closed)

    def _handed_over(self, _events: int) -> None:
        """Take a connection from the listener; whatever goes wrong, no descriptor is leaked."""
        descriptors = array.array("i")
        try:
            octets, ancillary, _flags, _address = self._handover.recvmsg(INCOMING_OCTETS, socket.CMSG_SPACE(4))
        except BlockingIOError:
            return
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        sockets = _tcp_sockets(descriptors)
        try:
            message = unpack(octets)
        except SchemaError as error:
            message = None
            self._server.reject(str(error))
        session = self._sessions.get(message.neighbor) if isinstance(message, Incoming) else None
        if session is not None and len(sockets) == 1:
            session.incoming(sockets[0])
            return
        if message is not None:
            self._server.reject(f"{type(message).__name__} with {len(sockets)} TCP connections is not for peerd")
        for sock in sockets:
            sock.close()

    # The bus

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)
        self._publisher.publish(f"bad/{self._program}", {"reason": reason, "count": self._server.bad})

    def _ribd_connected(self) -> None:
        for session in self._sessions.values():
            session.connected_to_ribd()

    def _from_ribd(self, message: Message) -> None:
        match message:
            case Batch():
                if (session := self._session(message.neighbor)) is not None:
                    session.batch(message)
            case Resync():
                if (session := self._session(message.neighbor)) is not None:
                    session.resync(message)
            case _:
                self._bad(f"{type(message).__name__} is not for peerd")

    def _message(self, identity: bytes, message: Message, _octets: bytes) -> None:
        match message:
            case Credit():
                if (session := self._session(message.neighbor)) is not None:
                    session.credit(identity, message.octets)
            case Subscribe() | Spoken() | Settled():
                self._remembered.note(identity, message)
                if (neighbor := self._sessions.get(message.neighbor)) is not None:
                    _tell(neighbor, identity, message)
            case SessionRequest():
                self._server.send(identity, self._request(message))
            case Reconfigure():
                self._control = identity
                self._reconfigure()
                self._tell_spent()
            case _:
                self._server.reject(f"{type(message).__name__} is not for peerd")

    def _reconfigure(self) -> None:
        try:
            self.configure()
        except (OSError, SchemaError, ValueError) as error:
            self._log.error("settings cannot be read, the old ones stay: %s", error)

    def _request(self, request: SessionRequest) -> SessionReply:
        neighbor = self._sessions.get(request.neighbor)
        session = neighbor or self._session(request.neighbor)
        if (request.neighbor, request.action, *request.arguments) in self._done.get(request.origin, ()):
            return SessionReply(request.request, request.neighbor, "", {})
        if session is None:
            return SessionReply(request.request, request.neighbor, f"{request.neighbor} is not here", {})
        if neighbor is not None and request.action == "leave":
            # Its new settings follow; until then it must not be sent what only those allow.
            self._leave(request.neighbor, returns=True)
            return SessionReply(request.request, request.neighbor, "", {})
        try:
            if isinstance(session, Range):
                error, data = act_on_range(session, request.action, request.arguments)
            else:
                error, data = act(session, request.action, request.arguments)
        except (ValueError, IndexError) as problem:
            error, data = f"{request.action} {' '.join(request.arguments)}: {problem}", {}
        if request.origin and not error and not data:
            self._remember(request)
        return SessionReply(request.request, request.neighbor, error, data)

    def _remember(self, request: SessionRequest) -> None:
        """Remember what a command has had done: it comes again where control died over it, and is done once."""
        self._done.setdefault(request.origin, set()).add((request.neighbor, request.action, *request.arguments))
        if len(self._done) > ORIGINS_KEPT:
            self._done.pop(next(iter(self._done)))


def _tell(neighbor: Session | Range, identity: bytes, word: Word) -> None:
    """Tell a neighbor what a bridge said."""
    match word:
        case Subscribe():
            neighbor.subscribe(identity, word)
        case Spoken():
            neighbor.spoken(identity, word.helper)
        case Settled():
            neighbor.settled(word.helper)


def _tcp_sockets(descriptors: Iterable[int]) -> list[socket.socket]:
    """Return those descriptors that are TCP sockets; close the others."""
    found = []
    for descriptor in descriptors:
        try:
            sock = socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            continue
        if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM:
            found.append(sock)
        else:
            sock.close()
    return found
