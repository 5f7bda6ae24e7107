"""A peer that announces more than it may: warned of, ended with Cease, let in again; others never notice."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bgp.message import MessageType, build
from bus.schema import Event
from bus.transport import Subscriber
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, neighbor
from tests.system.peer import Peer, Session

ATTRIBUTES = bytes.fromhex("4001010040020602010000fdea400304c0000201")


def update(first: int, count: int) -> bytes:
    """Return an UPDATE that announces 10.x.y.z/32 for some numbers."""
    routes = b"".join(b"\x20\x0a" + number.to_bytes(3, "big") for number in range(first, first + count))
    return build(MessageType.UPDATE, bytes(2) + len(ATTRIBUTES).to_bytes(2, "big") + ATTRIBUTES + routes)


class Tap:
    """What the bus is told of a peer's limits."""

    def __init__(self, daemon: Daemon, peer: Peer, session: Session) -> None:
        self._tap = Subscriber(daemon.run.events, [f"limit/{peer.address}", f"update/{peer.address}"])

        def heard() -> Event | None:
            session.send(update(0, 1))
            return self._tap.next(0.2)

        wait_for(heard, PATIENCE, "the subscription to arrive")

    def next(self) -> Event:
        """Wait for the next event that is about a limit."""

        def found() -> Event | None:
            event = self._tap.next(0.2)
            return event if event is not None and event.topic.startswith("limit/") else None

        return wait_for(found, PATIENCE, "news of a limit")

    def close(self) -> None:
        """Hear no more."""
        self._tap.close()


def limited(daemon: Daemon, peer: Peer) -> dict[str, dict[str, int]]:
    """Return what `show neighbor` says of the limits, once control is there."""
    daemon.logs("control ready")
    told = json.loads(daemon.ask("show", "neighbor", peer.address, "json"))
    limits: dict[str, dict[str, int]] = told[0]["prefixes"]["limits"]
    return limits


@pytest.mark.parametrize("keep", ["", "adj-rib-in false;"])
def test_a_peer_beyond_its_limit_loses_the_session_and_gets_it_back_after_the_restart_time(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], keep: str
) -> None:
    peer, other = make_peer(), make_peer()
    body = f"{keep} maximum-prefix {{ ipv4 unicast 10 warn 80 restart 2; }}"
    daemon = start(neighbor(peer, body) + neighbor(other))
    session = peer.established()
    other.established()
    tap = Tap(daemon, peer, session)
    session.send(update(0, 8))
    session.send(update(0, 8))  # known routes count once
    warned = tap.next()
    assert (warned.data["what"], warned.data["count"]) == ("warning", 8)
    assert limited(daemon, peer) == {"ipv4 unicast": {"received": 8, "maximum": 10}}
    session.send(update(8, 2))
    session.send(update(100, 1))
    ended = peer.ended()
    assert ended.notification is not None
    assert (ended.notification.code, ended.notification.subcode) == (6, 1)
    assert ended.notification.data.hex() == "0001010000000a"
    told = tap.next()
    tap.close()
    assert (told.data["what"], told.data["count"], told.data["maximum"]) == ("teardown", 11, 10)
    again = peer.established(2)
    assert ended.ended is not None
    assert again.began - ended.ended > 1.5
    assert len(other.sessions) == 1
    assert other.session.ended is None
    received = f"many routes received peer={peer.address}"
    daemon.logs(received, 2)
    assert daemon.log.read_text().count(received) == 2


def test_a_limit_that_only_warns_ends_nothing(start: Callable[..., Daemon], make_peer: Callable[..., Peer]) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer, "maximum-prefix { ipv4 unicast 10 warning-only; }"))
    session = peer.established()
    session.send(update(0, 50))
    daemon.logs("maximum=10")
    assert limited(daemon, peer) == {"ipv4 unicast": {"received": 50, "maximum": 10}}
    assert session.ended is None
