"""A neighbor with a rate limit gets its routes a few messages at a time, and all of them in the end."""

from __future__ import annotations

from collections.abc import Callable

from bgp.message import MessageType
from tests.routers.process import PATIENCE
from tests.system.bed import Daemon, neighbor, prefix, route
from tests.system.peer import Peer

RATE, ROUTES = 2, 6


def test_no_second_has_more_messages_than_the_limit(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    static = "".join(f"route {prefix(number)} next-hop 192.0.2.1;" for number in range(ROUTES))
    start(neighbor(peer, f"rate-limit {RATE}; group-updates false; static {{ {static} }}"))
    peer.established()
    peer.has({route(number) for number in range(ROUTES)})
    session = peer.wait(lambda: peer.session if len(peer.session.ends_of_rib) == 2 else None, PATIENCE, "End-of-RIB")
    times = [when for when, message in session.messages if message[18] == MessageType.UPDATE]
    assert len(times) == ROUTES + 2
    # What was on its way may catch up, so the whole tells: four seconds' worth of messages.
    assert times[-1] - times[0] > len(times) / RATE - 1 - 0.5
