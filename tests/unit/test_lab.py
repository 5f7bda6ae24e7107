"""The lab router's protocol side, against a peer in memory."""

from __future__ import annotations

from collections import deque

import pytest

from bgp.action import Accept, Action, Deliver, Dial, Send, Up
from bgp.event import Connected, Incoming, PeerEvent, Received, Start, Stop
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.pack import Packer
from bgp.peer import Peer
from bgp.refresh import Refresh
from bgp.settings import SessionSettings
from bgp.shape import Shape
from tools.lab.session import SHOWN, LabSession, read_announcement

US, LAB = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))
HANDLE = 1


class Joined:
    """A peer that dials the lab; octets travel at once, and `said` is what the lab told."""

    def __init__(self, *announced: str) -> None:
        families = (IPV4_UNICAST, IPV6_UNICAST)
        lab = SessionSettings(LAB, 65002, None, families=families, route_refresh=True, passive=True)
        self.said: list[tuple[str, str]] = []
        self.received: list[bytes] = []
        self.up: Up | None = None
        entries = tuple(entry for text in announced for entry in read_announcement(text))
        self.lab = LabSession(lab, entries, lambda what, more: self.said.append((what, more)))
        self.peer = Peer(SessionSettings(US, 65001, 65002, families=families, route_refresh=True))
        self.lab.handle(Start(), 0.0)
        dial = next(action for action in self.peer.handle(Start(), 0.0) if isinstance(action, Dial))
        accepted = self.lab.handle(Incoming(LAB, US), 0.0)
        assert accepted[0] == Accept(HANDLE)
        self.octets = deque(
            action.octets for action in accepted if isinstance(action, Send)
        )  # on their way to the peer
        self.tell(Connected(dial.connection, US, LAB))

    def tell(self, event: PeerEvent) -> None:
        """Let something happen to the peer."""
        self.from_peer(self.peer.handle(event, 0.0))

    def from_peer(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Up():
                    self.up = action
                case Deliver(messages=messages):
                    self.received += messages
                case Send(octets=octets):
                    self.to_peer(self.lab.handle(Received(HANDLE, octets), 0.0))
        while self.octets:
            self.tell(Received(HANDLE, self.octets.popleft()))

    def to_peer(self, actions: list[Action]) -> None:
        self.octets += [action.octets for action in actions if isinstance(action, Send)]

    def update(self, text: str, withdraw: bool = False) -> None:
        """Send the lab routes of one attribute set, or take them back."""
        assert self.up is not None
        packer = Packer(Shape.of(self.up.negotiated))
        for entry in read_announcement(text):
            send = packer.withdraw if withdraw else packer.announce
            for octets in send(entry.family, {entry.attributes: list(entry.items)}):
                self.to_peer(self.lab.handle(Received(HANDLE, octets), 0.0))

    def flush(self) -> None:
        """Let what is on its way arrive."""
        self.from_peer([])

    def words(self) -> list[str]:
        return [what for what, _ in self.said]


def test_a_session_comes_up_and_gets_what_the_lab_announces() -> None:
    joined = Joined("203.0.113.0/24", "2001:db8:5::/48 med 5")
    assert joined.words() == ["session up", "route announced", "route announced"]
    assert joined.said[0][1] == "AS 65001, hold time 180 s, ipv4 unicast, ipv6 unicast"
    assert joined.said[2][1] == "ipv6 unicast 2001:db8:5::/48 next-hop 2001:db8::2 med 5"
    assert len(joined.received) == 4  # two routes and two End-of-RIB


def test_a_route_arrives_is_repeated_changes_and_leaves() -> None:
    joined = Joined()
    joined.said.clear()
    joined.update("198.51.100.0/24 next-hop 192.0.2.1")
    joined.update("198.51.100.0/24 next-hop 192.0.2.1")
    joined.update("198.51.100.0/24 next-hop 192.0.2.1 med 7")
    joined.update("198.51.100.0/24", withdraw=True)
    joined.update("198.51.100.0/24", withdraw=True)
    assert joined.words() == ["route arrived", "route repeated", "route changed", "route left", "route left"]
    assert joined.said[0][1] == "ipv4 unicast 198.51.100.0/24 next-hop 192.0.2.1 origin igp as-path ( 65001 )"
    assert joined.said[4][1] == "ipv4 unicast 198.51.100.0/24 (it was not here)"


def test_of_many_routes_some_are_shown_and_the_others_counted() -> None:
    joined = Joined()
    joined.said.clear()
    joined.update("198.51.100.0/24 next-hop 192.0.2.1 split /30")
    assert joined.words() == ["route arrived"] * SHOWN + ["and more"]
    assert joined.said[-1][1] == "44 lines not shown; 64 routes held now"


def test_a_route_refresh_gets_the_routes_again() -> None:
    joined = Joined("203.0.113.0/24")
    joined.said.clear()
    joined.to_peer(joined.lab.handle(Received(HANDLE, Refresh(IPV4_UNICAST).message()), 0.0))
    assert joined.words() == ["refresh asked", "route announced"]


def test_a_route_announced_later_reaches_the_session() -> None:
    joined = Joined()
    before = len(joined.received)
    joined.to_peer(joined.lab.announce(read_announcement("203.0.113.0/24")))
    joined.flush()
    assert len(joined.received) == before + 1


def test_the_end_of_a_session_says_why() -> None:
    joined = Joined()
    joined.update("198.51.100.0/24 next-hop 192.0.2.1")
    joined.tell(Stop())
    what, more = joined.said[-1]
    assert what == "session down"
    assert more.startswith("received 6/2 Cease, Administrative Shutdown")
    assert more.endswith("; 1 route gone with it")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "203.0.113.0/24 med x", "nonsense"])
def test_what_is_no_route_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_announcement(text)
