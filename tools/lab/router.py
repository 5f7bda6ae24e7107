"""The lab router's sockets: accept sessions on one address, carry out what their state machines say."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address

from msgspec import Struct, field

from apid.grammar.route import RouteEntry
from bgp import action as act
from bgp import event as ev
from bgp.settings import SessionSettings
from tools.lab.session import LabSession

READ_OCTETS = 65536
DRAIN_SECONDS = 1.0  # for which a closed connection is still read, so that a NOTIFICATION is not lost to a RST

Print = Callable[[str], None]


class Line(Struct, eq=False):
    """One TCP connection: to whom it belongs, what waits to be written, and until when it drains (0: it is in use)."""

    sock: socket.socket
    session: LabSession
    handle: int
    queue: bytearray = field(default_factory=bytearray)
    draining: float = 0.0


class LabRouter:
    """A BGP speaker that waits for connections from anybody. The owner calls `turn` for as long as it likes."""

    def __init__(self, address: str, port: int, local_as: int, announced: tuple[RouteEntry, ...], say: Print) -> None:
        """Listen; where the port is taken, on any free one. OSError where even that fails."""
        self._say, self._announced = say, announced
        self._settings = SessionSettings(
            router_id=_router_id(address),
            local_as=local_as,
            peer_as=None,
            hold_time=90,
            route_refresh=True,
            passive=True,
        )
        self._sessions: dict[str, LabSession] = {}
        self._lines: dict[tuple[LabSession, int], Line] = {}
        self._accepted: socket.socket | None = None
        self.selector = selectors.DefaultSelector()
        self._listener = _listen(address, port)
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.address, self.port = self._listener.getsockname()[:2]

    def turn(self, longest: float = 1.0) -> None:
        """Wait for the next thing for at most `longest` seconds, and see to everything that is due."""
        now = time.monotonic()
        deadlines = [deadline for each in self._sessions.values() if (deadline := each.peer.deadline()) is not None]
        deadlines += [line.draining for line in self._lines.values() if line.draining]
        wait = max(0.0, min([*deadlines, now + longest]) - now)
        for key, events in self.selector.select(wait):
            key.data(events)
        now = time.monotonic()
        for session in self._sessions.values():
            if (deadline := session.peer.deadline()) is not None and now >= deadline:
                self._handle(session, ev.Tick())
        for line in [line for line in self._lines.values() if line.draining and now >= line.draining]:
            self._drop(line)

    def announce(self, entries: tuple[RouteEntry, ...]) -> None:
        """Announce more routes, to the neighbors that are here and to those that will come."""
        self._announced += entries
        for session in self._sessions.values():
            self._carry_out(session, session.announce(entries))

    def stop(self) -> None:
        """End all sessions with a Cease, and wait a moment until the neighbors have read it."""
        for session in self._sessions.values():
            self._handle(session, ev.Stop())
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._lines and time.monotonic() < deadline:
            self.turn(0.05)
        self.selector.unregister(self._listener)
        self._listener.close()

    def _accept(self, _events: int) -> None:
        sock, address = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = address[0]
        session = self._sessions.get(peer)
        if session is None:
            session = LabSession(
                self._settings, self._announced, lambda what, more: self._say(f"{peer} {what:15} {more}")
            )
            self._sessions[peer] = session
            self._handle(session, ev.Start())
        self._accepted = sock
        self._handle(session, ev.Incoming(ip_address(sock.getsockname()[0]).packed, ip_address(peer).packed))

    def _handle(self, session: LabSession, event: ev.PeerEvent) -> None:
        self._carry_out(session, session.handle(event, time.monotonic()))

    def _carry_out(self, session: LabSession, actions: list[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.Accept):
                self._adopt(session, action.connection)
                continue
            if isinstance(action, act.Send | act.Close) and (line := self._lines.get((session, action.connection))):
                if isinstance(action, act.Send):
                    line.queue += action.octets
                    self._write(line)
                else:
                    self._close(line, action.abort)

    def _adopt(self, session: LabSession, handle: int) -> None:
        sock, self._accepted = self._accepted, None
        if sock is not None:
            line = self._lines[session, handle] = Line(sock, session, handle)
            self.selector.register(sock, selectors.EVENT_READ, lambda events: self._ready(line, events))

    def _ready(self, line: Line, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._write(line)
        if events & selectors.EVENT_READ and self._lines.get((line.session, line.handle)) is line:
            self._read(line)

    def _read(self, line: Line) -> None:
        try:
            octets = line.sock.recv(READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets and not line.draining:
            self._handle(line.session, ev.Received(line.handle, octets))
        elif not octets:
            self._drop(line)
            self._handle(line.session, ev.Closed(line.handle))

    def _write(self, line: Line) -> None:
        sent = 0
        try:
            sent = line.sock.send(line.queue) if line.queue else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            line.queue.clear()  # reading tells why
        del line.queue[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.queue else 0)
        self.selector.modify(line.sock, wanted, self.selector.get_key(line.sock).data)
        if line.draining and not line.queue:
            self._finish(line)

    def _close(self, line: Line, abort: bool) -> None:
        if abort:
            self._drop(line)
        elif not line.draining:
            line.draining = time.monotonic() + DRAIN_SECONDS
            if not line.queue:
                self._finish(line)

    def _finish(self, line: Line) -> None:
        """Say that nothing more comes; the peer closes in its turn."""
        try:
            line.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(line)

    def _drop(self, line: Line) -> None:
        if self._lines.pop((line.session, line.handle), None) is not None:
            self.selector.unregister(line.sock)
            line.sock.close()


def _router_id(address: str) -> bytes:
    """Return the address where it is IPv4, else an identifier of documentation."""
    packed = ip_address(address).packed
    return packed if len(packed) == 4 else bytes((192, 0, 2, 2))


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for wanted in (port, 0):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, wanted))
            sock.listen(16)
        except OSError as error:
            sock.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES) or not wanted:
                raise
            continue
        sock.setblocking(False)
        return sock
    raise OSError(errno.EADDRINUSE, f"no port to be had on {address}")
