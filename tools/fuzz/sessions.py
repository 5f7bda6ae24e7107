"""Target: the state machine of a neighbor, in any state, with any events, on any octets."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from bgp.action import Accept, Action, Close, Deliver, Dial, Opened, RefreshReceived, Send, Up
from bgp.errors import NotifyError
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    Failed,
    Incoming,
    PeerEvent,
    Received,
    SendBlocked,
    SendProgress,
    Start,
    Stop,
    Teardown,
    Tick,
)
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.message import HEADER_LENGTH, KEEPALIVE
from bgp.negotiated import Negotiated
from bgp.peer import Peer
from bgp.settings import SessionSettings
from bgp.update import UpdateDecoder
from tools.fuzz import mutate
from tools.fuzz.checks import require
from tools.fuzz.corpus import Corpus

LOCAL, REMOTE = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))
OURS = SessionSettings(
    bytes((10, 0, 0, 254)),
    65000,
    None,
    families=(IPV4_UNICAST, IPV6_UNICAST),
    route_refresh=True,
    graceful_restart=120,
    operational=True,
)
THEIRS = SessionSettings(bytes((10, 0, 0, 2)), 65001, 65000, route_refresh=True, operational=True).open().message()
SEED_OCTETS = 3


class Session:
    """A peer and what its driver would know: which connections are open, and which octets go where."""

    def __init__(self, random: Random, stream: bytes) -> None:
        self.peer = Peer(replace(OURS, passive=random.random() < 0.4))
        self.random = random
        self.stream = stream
        self.now = 0.0
        self.open: set[int] = set()
        self.closed: set[int] = set()
        self.negotiated: dict[int, Negotiated] = {}

    def handle(self, event: PeerEvent) -> None:
        """Feed one event, check the actions, and decode what is delivered as a driver does."""
        for action in self.peer.handle(event, self.now):
            self._take(action)
        deadline = self.peer.deadline()
        require(deadline is None or deadline >= 0, f"a deadline at {deadline}")
        require(len(self.peer.connections) <= 2, "more than two connections")

    def _take(self, action: Action) -> None:
        match action:
            case Dial(connection=handle) | Accept(connection=handle):
                require(handle not in self.open | self.closed, "a handle that was there before")
                self.open.add(handle)
            case Send(connection=handle, octets=octets):
                require(handle in self.open, "octets for a connection that is closed")
                require(int.from_bytes(octets[16:18], "big") == len(octets), "a message of another length")
            case Close(connection=handle):
                require(handle in self.open, "a connection is closed twice")
                self.open.remove(handle)
                self.closed.add(handle)
            case Opened(connection=handle, negotiated=negotiated):
                self.negotiated[handle] = negotiated
            case Up(connection=handle):
                require(handle in self.negotiated, "up before the OPENs crossed")
            case RefreshReceived(connection=handle, refresh=refresh):
                require(refresh.family in self.negotiated[handle].families, "a refresh of what was not negotiated")
            case Deliver(connection=handle, messages=messages):
                self._decode(handle, messages)

    def _decode(self, handle: int, messages: list[bytes]) -> None:
        decoder = UpdateDecoder(self.negotiated[handle])
        for message in messages:
            try:
                decoder.decode(message[HEADER_LENGTH:])
            except NotifyError as error:
                self.handle(Failed(handle, error))
                return

    def step(self) -> None:
        """Let something happen."""
        handle = self.random.choice([*sorted(self.open), 0, 99])
        match self.random.randrange(16):
            case 0:
                self.handle(Incoming(LOCAL, REMOTE))
            case 1 | 2:
                self.handle(Connected(handle, LOCAL, REMOTE))
            case 3:
                self.handle(self.random.choice((Closed(handle), ConnectFailed(handle, "refused"))))
            case 4:
                self.now += self.random.choice((0.1, 1, 29, 61, 91, 500, 10_000))
                self.handle(Tick())
            case 5:
                self.handle(self.random.choice((SendBlocked(handle), SendProgress(handle, True))))
            case 6 if self.random.random() < 0.3:
                self.handle(self.random.choice((Stop(), Start(), Teardown(4), Teardown(2, "later"))))
            case 7 | 8:
                self.handle(Received(handle, THEIRS))
            case 9:
                self.handle(Received(handle, KEEPALIVE))
            case _:
                size = self.random.choice((1, 19, 40, 200, 5000))
                piece, self.stream = self.stream[:size], self.stream[size:]
                self.handle(Received(handle, piece))


def check_peer(data: bytes) -> None:
    """Play a session: the first three octets seed the events, the rest is what the peer sends."""
    random = Random(int.from_bytes(data[:SEED_OCTETS], "big"))
    session = Session(random, data[SEED_OCTETS:])
    session.handle(Start())
    for _ in range(40):
        session.step()
    session.handle(Stop())
    require(not session.open, "connections outlive the end")
    require(not session.peer.connections and session.peer.deadline() is None, "something outlives the end")


def make_peer(random: Random, corpus: Corpus) -> bytes:
    """Damage what a peer sends."""
    kinds = corpus.messages if random.random() < 0.5 else [THEIRS, KEEPALIVE, *corpus.messages[:50]]
    stream = b"".join(random.choice(kinds) for _ in range(6))
    if random.random() < 0.5:
        stream = THEIRS + KEEPALIVE + stream
    if random.random() < 0.7:
        stream = mutate.octets(random, stream, corpus.messages)
    return random.randbytes(SEED_OCTETS) + stream
