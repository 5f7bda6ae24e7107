"""A neighbor that is a range: a session for each address that connects, all of them announced the range's routes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from bgp.message import MessageType
from bgp.notification import ADMINISTRATIVE_RESET, CEASE, PEER_DECONFIGURED
from peerd.tcp import sign_with_md5
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, prefix, route
from tests.system.peer import Peer

_ranges = count(1)


class Bed:
    """A daemon with one range, three peers of it, and a neighbor that has nothing to do with them."""

    def __init__(self, start: Callable[..., Daemon], helper: Helper, other: Peer) -> None:
        self.other = other
        self.helper, self.port, number = helper, free_port(), next(_ranges)
        self.range = f"127.0.{100 + number}.0/24"
        self.peers = [Peer(f"127.0.{100 + number}.{host}", free_port()) for host in (7, 8, 9)]
        self.daemon = start(
            helper.configuration("encoder json;")
            + f"neighbor {self.range} {{ router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;"
            " passive; family { ipv4 unicast; ipv6 unicast; } capability { route-refresh; }"
            " api { processes [ p ]; neighbor-changes; receive { parsed; update; } }"
            f" static {{ route {prefix(1)} next-hop 192.0.2.1; }} }}\n" + neighbor(other),
            exabgp_tcp_bind="127.0.0.1",
            exabgp_tcp_port=str(self.port),
        )
        self.events: list[dict[str, Any]] = []
        self.answers: list[str] = []

    def connect(self, *peers: Peer, sessions: int = 1) -> None:
        """Have peers dial, and wait until they are up."""
        for peer in peers:
            peer.dial("127.0.0.1", self.port)
            peer.established(sessions)

    def listen(self) -> None:
        """Take what the helper was told since the last time."""
        for line in self.helper.heard():
            if line.startswith("{"):
                self.events.append(json.loads(line))
            else:
                self.answers.append(line)

    def say(self, text: str) -> str:
        """Have the helper give a command; return its answer."""
        self.helper.say(f"{text.strip()}\n")
        return wait_for(self._answer, PATIENCE, f"an answer to {text}")

    def _answer(self) -> str | None:
        self.listen()
        return self.answers.pop(0) if self.answers else None

    def states(self, peer: Peer) -> list[str]:
        """Return what the helper was told of a peer's session."""
        self.listen()
        return [
            each["neighbor"]["state"]
            for each in self.events
            if each["type"] == "state" and each["neighbor"]["address"]["peer"] == peer.address
        ]

    def summary(self) -> dict[str, str]:
        """Return the state of each neighbor in `show neighbor summary`."""
        neighbors = json.loads(self.daemon.ask("show", "neighbor", "--json"))
        return {each["peer"]["address"]: each["fsm"] for each in neighbors}


@pytest.fixture
def bed(
    start: Callable[..., Daemon], make_helper: Callable[[str], Helper], make_peer: Callable[..., Peer]
) -> Iterator[Bed]:
    made = Bed(start, make_helper("p"), make_peer())
    made.daemon.wait_for_programs("listener")
    wait_for(lambda: "listening" in made.daemon.log.read_text(), PATIENCE, "the listener")
    made.other.established()
    yield made
    assert [session.ended for session in made.other.sessions] == [None]
    for peer in made.peers:
        peer.stop()


def numbers(*which: int) -> set[Any]:
    """Return the keys of routes."""
    return {route(number) for number in which}


def test_each_address_has_a_session_with_the_whole_table(bed: Bed) -> None:
    first, second, third = bed.peers
    assert bed.say(announce(2)) == "done"
    bed.connect(first, second)
    assert bed.say(f"neighbor {bed.range} {announce(3)}") == "done"
    assert bed.say(f"neighbor * {announce(4)}") == "done"
    bed.connect(third)
    for peer in bed.peers:
        peer.has(numbers(1, 2, 3, 4))
    wait_for(lambda: all("up" in bed.states(peer) for peer in bed.peers), PATIENCE, "the helper to hear of all")
    up = {peer.address: "ESTABLISHED" for peer in (*bed.peers, bed.other)}
    assert bed.summary() == {bed.range: "IDLE", **up}
    text = bed.daemon.ask("show", "neighbor", "summary")
    assert all(peer.address in text for peer in bed.peers)
    assert "4 of 4 sessions" in bed.daemon.ask("status")


def test_one_that_leaves_and_comes_back_does_not_touch_the_others(bed: Bed) -> None:
    first, second, third = bed.peers
    bed.connect(*bed.peers)
    for peer in bed.peers:
        peer.has(numbers(1))
        peer.quiet()
    moment = time.monotonic()
    assert bed.say(f"neighbor {second.address} teardown {ADMINISTRATIVE_RESET}") == "done"
    session = second.ended()
    assert session.notification is not None
    assert (session.notification.code, session.notification.subcode) == (CEASE, ADMINISTRATIVE_RESET)
    wait_for(lambda: bed.states(second)[-1] == "down", PATIENCE, "the helper to hear of its end")
    assert bed.summary()[second.address] == "IDLE"
    bed.connect(second, sessions=2)
    second.has(numbers(1))
    for peer in (first, third):
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
        assert peer.session.updates_since(moment) == []
        assert bed.states(peer) == ["connected", "up"]


def test_a_route_for_one_address_is_for_that_one_only_connected_or_not_and_survives_ribd(bed: Bed) -> None:
    first, second, third = bed.peers
    bed.connect(first, second)
    assert bed.say(f"neighbor {second.address} {announce(5)}") == "done"
    assert bed.say(f"neighbor {third.address} {announce(6)}") == "done"
    assert bed.say(announce(7)) == "done"
    second.has(numbers(1, 5, 7))
    first.has(numbers(1, 7))
    bed.daemon.restarted("ribd", bed.daemon.kill("ribd"))
    assert bed.say(f"neighbor {bed.range} {announce(8)}") == "done"
    first.has(numbers(1, 7, 8))
    second.has(numbers(1, 5, 7, 8))
    bed.connect(third)
    third.has(numbers(1, 6, 7, 8))
    for peer in bed.peers:
        peer.quiet()
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
        assert set(peer.session.announced.values()) == {1}
    shown = bed.daemon.ask("show", "adj-rib", "out", "extensive")
    assert [line.split()[1] for line in shown.splitlines() if prefix(5) in line] == [second.address]
    assert [line.split()[1] for line in shown.splitlines() if prefix(8) in line] == [
        bed.range,
        *(peer.address for peer in bed.peers),
    ]
    assert bed.say("session sync") == "done"
    bed.daemon.ask("reload")
    second.quiet()
    assert second.session.ended is None
    assert set(second.session.table) == numbers(1, 5, 7, 8)


def test_the_death_of_its_process_ends_the_sessions_which_come_back_with_all_routes(bed: Bed) -> None:
    bed.connect(*bed.peers)
    assert bed.say(f"neighbor {bed.peers[0].address} {announce(5)}") == "done"
    bed.peers[0].has(numbers(1, 5))
    (program,) = (name for name in bed.daemon.programs() if "_24" in name)
    bed.daemon.restarted(program, bed.daemon.kill(program))
    for peer in bed.peers:
        peer.ended()
    bed.connect(*bed.peers, sessions=2)
    bed.peers[0].has(numbers(1, 5))
    bed.peers[1].has(numbers(1))
    assert bed.say("session sync") == "done"
    wait_for(lambda: bed.states(bed.peers[2])[-1] == "up", PATIENCE, "the helper to hear of it")


def test_what_a_peer_announces_is_told_and_shown_under_its_own_address(bed: Bed) -> None:
    first, second, _ = bed.peers
    bed.connect(first, second)
    update = bytes.fromhex("0000000e4001010040020040030401020304180a0101")
    second.session.send(b"\xff" * 16 + (19 + len(update)).to_bytes(2, "big") + bytes((MessageType.UPDATE,)) + update)

    def told() -> list[str]:
        bed.listen()
        return [each["neighbor"]["address"]["peer"] for each in bed.events if each["type"] == "update"]

    wait_for(told, PATIENCE, "the helper to be told")
    assert told() == [second.address]
    shown = bed.daemon.ask("show", "adj-rib", "in")
    assert shown.split()[0] == second.address
    (row,) = bed.daemon.ask("show", "neighbor", first.address, "summary").splitlines()[1:]
    assert row.split()[0] == first.address
    assert bed.daemon.ask("show", "neighbor", bed.peers[2].address, "summary").splitlines()[1:] == []


def test_a_range_that_is_shut_ends_its_sessions_and_refuses_new_ones_and_one_address_cannot_be(bed: Bed) -> None:
    first, second, _ = bed.peers
    bed.connect(first)
    assert bed.say(f"peer {first.address} shutdown") == "error"
    assert bed.say(f"neighbor {first.address} {announce(9, ' watchdog dog')}") == "error"
    assert bed.say(f"peer {bed.range} shutdown") == "done"
    first.ended()
    refused = second.dial("127.0.0.1", bed.port)
    second.wait(lambda: refused.notification, PATIENCE, "the connection to be refused")
    assert bed.say(f"peer {bed.range} enable") == "done"
    bed.connect(first, sessions=2)
    first.has(numbers(1))


def test_the_password_of_a_range_is_that_of_each_of_its_addresses(start: Callable[..., Daemon]) -> None:
    port = free_port()
    daemon = start(
        "neighbor 127.0.99.0/24 { router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;"
        " passive; md5-password secret; }",
        exabgp_tcp_bind="127.0.0.1",
        exabgp_tcp_port=str(port),
    )
    daemon.logs(f"listening address=127.0.0.1 port={port}")

    def opened(host: int, key: str) -> int:
        with socket.socket() as sock:
            sock.bind((f"127.0.99.{host}", 0))
            if key:
                sign_with_md5(sock, "127.0.0.1", key.encode())
            sock.settimeout(1 if key != "secret" else 15)
            sock.connect(("127.0.0.1", port))
            return sock.recv(4096)[18]

    assert [opened(host, "secret") for host in (1, 2)] == [MessageType.OPEN] * 2
    for key in ("", "wrong"):
        with pytest.raises(TimeoutError):
            opened(3, key)


RELOAD, COMMAND = "reload", "peer create"


class Own:
    """A neighbor of its own for the address of a range's peer: it comes and goes by a reload, or by a command.

    The one of a reload dials.
    """

    def __init__(self, bed: Bed, peer: Peer, way: str) -> None:
        self.bed, self.peer, self.way = bed, peer, way
        self._without = bed.daemon.file.read_text()
        if way == RELOAD:
            peer.listen()

    def comes(self) -> None:
        """Have it, and its session in place of the range's."""
        self._added()
        assert ended_with(self.peer, 0) == (CEASE, PEER_DECONFIGURED)
        if self.way == COMMAND:
            self.bed.connect(self.peer, sessions=2)
        self.peer.established(2)
        self.peer.quiet()

    def _added(self) -> None:
        bed, peer = self.bed, self.peer
        if self.way == COMMAND:
            words = (
                f"peer create {peer.address} local-address 127.0.0.1 local-as 65001 peer-as 65002 router-id 10.0.0.1"
                f" connect {peer.port} family-allowed ipv4-unicast/ipv6-unicast api p"
            )
            bed.daemon.ask(*words.split())
        else:
            body = "api { processes [ p ]; neighbor-changes; }"
            body += f" static {{ route {prefix(20)} next-hop 192.0.2.1; }}"
            bed.daemon.file.write_text(self._without + neighbor(peer, body))
            bed.daemon.ask("reload")

    def goes(self) -> None:
        """Have it no more, and a session of the range again."""
        self._removed()
        assert ended_with(self.peer, 1) == (CEASE, PEER_DECONFIGURED)
        self.bed.connect(self.peer, sessions=3)
        self.peer.quiet()

    def _removed(self) -> None:
        if self.way == COMMAND:
            self.bed.daemon.ask("peer", "delete", self.peer.address)
        else:
            self.bed.daemon.file.write_text(self._without)
            self.bed.daemon.ask("reload")

    @property
    def routes(self) -> set[Any]:
        """What it is configured to announce."""
        return numbers(20) if self.way == RELOAD else set()


def ended_with(peer: Peer, number: int) -> tuple[int, int]:
    """Wait for the end of a peer's session; return the NOTIFICATION that it was sent."""
    session = peer.sessions[number]
    peer.wait(lambda: session.ended, PATIENCE, "the end")
    assert session.notification is not None
    return session.notification.code, session.notification.subcode


@pytest.mark.parametrize("way", [RELOAD, COMMAND])
def test_a_neighbor_takes_its_address_from_a_range_and_gives_it_back_at_once(bed: Bed, way: str) -> None:
    first, second, third = bed.peers
    bed.connect(*bed.peers)
    assert bed.say(f"neighbor {second.address} {announce(5)}") == "done"
    second.has(numbers(1, 5))
    for peer in (first, third):
        peer.has(numbers(1))
        peer.quiet()
    moment = time.monotonic()
    own = Own(bed, second, way)
    own.comes()
    assert set(second.session.table) == own.routes
    assert bed.say(f"neighbor {second.address} {announce(6)}") == "done"
    second.has({*own.routes, *numbers(6)})
    assert bed.say(f"neighbor {bed.range} {announce(7)}") == "done"
    for peer in (first, third):
        peer.has(numbers(1, 7))
    assert bed.summary() == {
        bed.range: "IDLE",
        **{peer.address: "ESTABLISHED" for peer in (*bed.peers, bed.other)},
    }
    own.goes()
    assert set(second.session.table) == numbers(1, 7)
    wait_for(lambda: len(bed.states(second)) == 8, PATIENCE, "the helper to hear of all")
    assert bed.states(second) == ["connected", "up", "down", "connected", "up", "down", "connected", "up"]
    for peer in (first, third):
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
        assert len(peer.session.updates_since(moment)) == 1
