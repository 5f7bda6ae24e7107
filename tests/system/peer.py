"""A scriptable BGP peer: it does what a router must, and remembers every message with its time.

What it remembers makes exact statements possible: no UPDATE after a moment, every route announced once, one session.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct, field

from bgp.errors import NotifyError
from bgp.family import IPV4_UNICAST, IPV6_UNICAST, Family
from bgp.message import Framer, MessageType, build
from bgp.negotiate import SessionFacts, negotiate
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.open import Open
from bgp.settings import SessionSettings
from bgp.update import UpdateDecoder
from tests.routers.process import PATIENCE

FAMILIES = (IPV4_UNICAST, IPV6_UNICAST)
READ = 1 << 20
Route = tuple[Family, bytes]
T = TypeVar("T")


class Session(Struct):
    """One TCP connection and all that was said on it."""

    sock: socket.socket
    remote: str  # the address at the other end
    began: float
    negotiated: Negotiated | None = None
    established: float | None = None
    ended: float | None = None
    messages: list[tuple[float, bytes]] = field(default_factory=list)
    announced: Counter[Route] = field(default_factory=Counter)
    withdrawn: Counter[Route] = field(default_factory=Counter)
    table: dict[Route, bytes] = field(default_factory=dict)
    ends_of_rib: list[Family] = field(default_factory=list)
    notification: Notification | None = None
    reset: OSError | None = None

    def updates_since(self, moment: float) -> list[bytes]:
        """Return the UPDATEs that came after a moment (of `time.monotonic`)."""
        return [message for when, message in self.messages if when > moment and message[18] == MessageType.UPDATE]

    def send(self, octets: bytes) -> None:
        """Send whole messages."""
        self.sock.sendall(octets)


class Peer:
    """A BGP speaker on an address of its own. It listens, or dials when told to, and answers every session."""

    def __init__(
        self, address: str, port: int, asn: int = 65002, hold_time: int = 90, settings: SessionSettings | None = None
    ) -> None:
        self.address, self.port = address, port
        self.settings = settings or SessionSettings(
            router_id=socket.inet_aton(address),
            local_as=asn,
            peer_as=None,
            hold_time=hold_time,
            families=FAMILIES,
            route_refresh=True,
        )
        self.sessions: list[Session] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._threads: list[threading.Thread] = []

    # What a test says

    def listen(self) -> Peer:
        """Take connections from now on."""
        self._listening.bind((self.address, self.port))
        self._listening.listen(8)
        self._start(self._accept)
        return self

    def dial(self, address: str, port: int) -> Session:
        """Connect; return the new session, not yet established."""
        sock = socket.create_connection((address, port), 5, (self.address, 0))
        return self._begin(sock, address)

    def stop(self) -> None:
        """Close everything."""
        self._stopping = True
        _shut(self._listening)
        self._listening.close()
        for session in self.sessions:
            _shut(session.sock)
        for thread in self._threads:
            thread.join(5)

    @property
    def session(self) -> Session:
        """The newest session."""
        return self.sessions[-1]

    def established(self, count: int = 1, seconds: float = PATIENCE) -> Session:
        """Wait until the `count`-th session that was ever established is; return it."""

        def found() -> Session | None:
            up = [session for session in self.sessions if session.established is not None]
            return up[count - 1] if len(up) >= count else None

        return self.wait(found, seconds, f"session {count} to be established")

    def ended(self, seconds: float = PATIENCE) -> Session:
        """Wait until the newest session is over and all that was said on it has been read."""
        return self.wait(lambda: self.session if self.session.ended is not None else None, seconds, "the end")

    def has(self, items: set[Route], seconds: float = PATIENCE) -> None:
        """Wait until the newest session's table holds exactly these routes."""
        self.wait(lambda: self._table() == items, seconds, lambda: self._differs(items))

    def _table(self) -> set[Route]:
        return set(self.session.table) if self.sessions else set()

    def _differs(self, items: set[Route]) -> str:
        table = self._table()
        return (
            f"{len(items)} routes; missing {len(items - table)}: {sorted(items - table)[:3]}, "
            f"too many {len(table - items)}: {sorted(table - items)[:3]}"
        )

    def wait(self, condition: Callable[[], T | None], seconds: float, what: str | Callable[[], str]) -> T:
        """Wait for a condition on the sessions; return what it returned."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (value := condition()):
                left = deadline - time.monotonic()
                assert left > 0, f"waited {seconds:g} s for {what() if callable(what) else what}"
                self._changed.wait(min(left, 0.2))
        return value

    def quiet(self, seconds: float = 0.3) -> None:
        """Wait until no message but KEEPALIVEs has come for a while; the End-of-RIBs, which come last, must have."""
        while True:
            self.wait(self._sent_all, PATIENCE, "every End-of-RIB")
            before = self._count()
            time.sleep(seconds)
            if self._count() == before:
                return

    def _sent_all(self) -> bool:
        """Whether every session that is up has been sent the End-of-RIB of each family."""
        return all(
            session.negotiated is not None and set(session.ends_of_rib) >= set(session.negotiated.families)
            for session in self.sessions
            if session.established is not None and session.ended is None
        )

    def _count(self) -> int:
        return sum(message[18] != MessageType.KEEPALIVE for session in self.sessions for _, message in session.messages)

    # What it does by itself

    def _start(self, function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping:
            try:
                sock, address = self._listening.accept()
            except OSError:
                return
            self._begin(sock, address[0])

    def _begin(self, sock: socket.socket, remote: str) -> Session:
        session = Session(sock, remote, time.monotonic())
        with self._changed:
            self.sessions.append(session)
            self._changed.notify_all()
        if self._stopping:  # since it was accepted: `stop` may not have seen it
            _shut(sock)
        self._start(self._serve, session)
        return session

    def _serve(self, session: Session) -> None:
        framer = Framer()
        ours = self.settings.open()
        sock = session.sock
        sock.settimeout(None)  # whoever sends waits until the other side reads
        pause = min(1.0, self.settings.hold_time / 3)
        try:
            session.send(ours.message())
            while True:
                octets = sock.recv(READ) if select.select([sock], [], [], pause)[0] else None
                if octets == b"":
                    break
                framer.append(octets or b"")
                messages, error = framer.take_all()
                with self._changed:
                    now = time.monotonic()
                    for message in messages:
                        self._heard(session, ours, framer, message, now)
                    self._changed.notify_all()
                if error is not None:
                    session.send(Notification.from_error(error).message())
                    break
                if session.established is not None and session.notification is None:
                    session.send(build(MessageType.KEEPALIVE))
        except OSError as error:  # the other side closed first
            session.reset = error
        finally:
            with self._changed:
                session.ended = time.monotonic()
                self._changed.notify_all()
            _shut(sock)
            sock.close()

    def _heard(self, session: Session, ours: Open, framer: Framer, message: bytes, now: float) -> None:
        session.messages.append((now, message))
        match message[18]:
            case MessageType.OPEN:
                theirs = Open.from_message(message)
                session.negotiated = negotiated = negotiate(ours, theirs, SessionFacts())
                framer.negotiated(negotiated.message_size, negotiated.operational)
                session.send(build(MessageType.KEEPALIVE))
            case MessageType.KEEPALIVE:
                if session.established is None:
                    session.established = now
            case MessageType.UPDATE:
                self._update(session, message)
            case MessageType.NOTIFICATION:
                session.notification = Notification.decode(message[19:])

    def _update(self, session: Session, message: bytes) -> None:
        assert session.negotiated is not None
        update = UpdateDecoder(session.negotiated).decode(message[19:])
        if update.error is not None:
            raise NotifyError(3, 0, update.error)
        if update.eor is not None:
            session.ends_of_rib.append(update.eor)
        for withdrawn in update.withdrawn:
            for item in withdrawn.items:
                session.withdrawn[withdrawn.family, item] += 1
                session.table.pop((withdrawn.family, item), None)
        for reach in update.announced:
            for item in reach.items:
                session.announced[reach.family, item] += 1
                session.table[reach.family, item] = update.attributes.octets


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
