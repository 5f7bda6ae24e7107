"""`Sync` is answered once every live session has written what there was, and in bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.schema import Applied, Apply, Message, Pull, Refused, Sync, pack
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, attributes, unicast


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a", "b"])
    yield daemon
    daemon.close()


def sync(daemon: Daemon, *names: str, seconds: float = 5.0, number: int = 7) -> list[Message]:
    return daemon.say(b"waiting", Sync("helper", "e", number, list(names), seconds))


def answers(daemon: Daemon) -> list[Message]:
    return daemon.server.sent.pop(b"waiting", [])


def announce(daemon: Daemon, *numbers: int) -> None:
    daemon.apply(["a", "b"], 1, UNICAST, 1, [unicast(number) for number in numbers])


def pull(daemon: Daemon, peer: SimulatedPeer, written: list[int] | None = None) -> None:
    """Say where a session stands without taking an answer."""
    outbound = peer.outbound
    daemon.say(
        peer.identity,
        Pull(peer.neighbor, 99, outbound.lineage, peer.shape.to_wire(), outbound.to_wire(), 1, written or []),
    )


def test_nobody_is_waited_for_whose_session_is_known_to_be_down(daemon: Daemon) -> None:
    announce(daemon, 1)
    assert sync(daemon, "a", "b") == []  # their peerds have not said how they are
    for name in ("a", "b"):
        daemon.say(b"peerd", Pull(name, 0, "", [], [], 0, []))
    assert answers(daemon) == [Applied(7, "e")]


def test_a_session_counts_as_soon_as_it_asks_for_what_comes_after(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    announce(daemon, 1)
    assert sync(daemon, "a") == []
    daemon.server.sent.pop(peer.identity)  # the batch is under way, and nothing was said of it yet
    assert answers(daemon) == []
    peer.drain(daemon)
    assert answers(daemon) == [Applied(7, "e")]


def test_what_comes_after_the_request_is_not_waited_for(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    announce(daemon, 1)
    peer.drain(daemon)
    assert sync(daemon, "a") == [Applied(7, "e")]


def test_octets_that_tcp_has_not_taken_are_waited_for(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    announce(daemon, 1)
    assert sync(daemon, "a") == []
    peer.pull(daemon)  # takes the batch
    pull(daemon, peer, written=[0, 0])
    assert answers(daemon) == []
    pull(daemon, peer, written=[cursor.position for cursor in peer.outbound.cursors.values()])
    assert answers(daemon) == [Applied(7, "e")]


def test_a_session_that_ends_is_waited_for_no_longer_and_others_are(daemon: Daemon) -> None:
    peers = [SimulatedPeer("a", 1), SimulatedPeer("b", 1)]
    for peer in peers:
        peer.drain(daemon)
    announce(daemon, 1)
    assert sync(daemon, "a", "b") == []
    daemon.say(peers[0].identity, Pull("a", 0, "", [], [], 0))
    assert answers(daemon) == []
    peers[1].drain(daemon)
    assert answers(daemon) == [Applied(7, "e")]


def test_the_wait_is_bounded_and_the_error_names_who_was_late(daemon: Daemon) -> None:
    for name in ("a", "b"):
        SimulatedPeer(name, 1).drain(daemon)
    announce(daemon, 1)
    assert sync(daemon, "b", "a", seconds=5.0) == []
    daemon.loop.pass_time(5.0)
    assert answers(daemon) == [Refused(7, "not written after 5 s: a, b", "e")]


def test_after_our_death_a_neighbor_counts_until_it_is_heard_of(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    announce(daemon, 1)
    daemon.start()
    assert sync(daemon, "a", "b") == []
    daemon.say(b"b", Pull("b", 0, "", [], [], 0))
    assert answers(daemon) == []
    peer.drain(daemon)
    assert answers(daemon) == [Applied(7, "e")]


def test_requests_that_came_in_the_same_turn_are_waited_for(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    daemon.sequence += 1
    apply = Apply("client", "epoch", daemon.sequence, [["a"]], [[0, 1, *UNICAST, attributes(1), [unicast(1)]]])
    daemon.server.on_message(b"client", apply, pack(apply))
    assert sync(daemon, "a") == []
    peer.drain(daemon)
    assert answers(daemon) == [Applied(7, "e")]
