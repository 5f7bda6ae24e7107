"""End-of-RIB and the end of a refresh follow everything that a peer would sweep otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import ribd.group
from bgp.family import Family
from peerd.outbound import LAPS
from tests.unit.rib_bench import FAMILIES, UNICAST, Daemon, SimulatedPeer, unicast

CREDIT = 64  # octets: an UPDATE or so for each answer


@pytest.mark.parametrize("withdrawn", [0, 5])
def test_end_of_rib_follows_all_that_there_was_at_its_release(daemon: Daemon, withdrawn: int) -> None:
    peer = SimulatedPeer("a", 1)
    peer.outbound.held = True
    daemon.apply(["a"], 1, UNICAST, 0, [unicast(number) for number in range(10)])
    peer.drain(daemon)
    assert not peer.ends
    for number in range(10, 40):
        daemon.apply(["a"], 1, UNICAST, number, [unicast(number)])
    if withdrawn:
        daemon.apply(["a"], 0, UNICAST, 0, [unicast(number) for number in range(withdrawn)])
    assert peer.outbound.release()
    while not peer.ends:
        assert len(peer.table) < 40 - withdrawn or peer.outbound.laps
        assert peer.pull(daemon, CREDIT)
    assert peer.ends == list(FAMILIES)
    assert len(peer.table) == 40 - withdrawn


SMALL = 1  # octets: a segment for each answer


@pytest.fixture
def fill(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Announce so many routes, in segments of a few."""
    monkeypatch.setattr(ribd.group, "SEGMENT_ENTRIES", 16)
    return lambda routes: daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(routes)])


def pull_until(said: list[Family], peer: SimulatedPeer, daemon: Daemon) -> None:
    """Have a peer ask, and get answers, until it has been told of an end."""
    while not said:
        assert peer.pull(daemon, SMALL)


def asked_again(daemon: Daemon) -> SimulatedPeer:
    """Return a peer that has the whole table and asks for it again."""
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    peer.ask_again(UNICAST)
    return peer


@pytest.mark.parametrize("changed", [0, 1, 10, 100])
def test_the_end_of_a_refresh_follows_the_routes_that_changed_meanwhile(
    daemon: Daemon, fill: Callable[[int], None], changed: int
) -> None:
    fill(100)
    peer = asked_again(daemon)
    if changed:
        daemon.apply(["a"], 1, UNICAST, 2, [unicast(number) for number in range(changed)])
    pull_until(peer.refreshed, peer, daemon)
    assert len(peer.fresh) == 100


def test_the_end_of_a_refresh_follows_a_route_that_changes_all_the_time(
    daemon: Daemon, fill: Callable[[int], None]
) -> None:
    fill(100)
    peer = asked_again(daemon)
    number = 0
    while not peer.refreshed:
        number += 1
        daemon.apply(["a"], 1, UNICAST, 100 + number, [unicast(7)])
        assert peer.pull(daemon, SMALL)
    assert len(peer.fresh) == 100


def test_end_of_rib_follows_the_routes_that_changed_while_the_first_table_was_sent(
    daemon: Daemon, fill: Callable[[int], None]
) -> None:
    fill(1000)
    peer = SimulatedPeer("a", 1)
    assert peer.pull(daemon, SMALL)
    daemon.apply(["a"], 1, UNICAST, 2, [unicast(number) for number in range(900, 1000)])
    pull_until(peer.ends, peer, daemon)
    assert len(peer.table) == 1000


def test_a_first_table_that_fits_one_answer_has_its_end_with_it(daemon: Daemon, fill: Callable[[int], None]) -> None:
    fill(100)
    peer = SimulatedPeer("a", 1)
    assert peer.pull(daemon)
    assert peer.ends == list(FAMILIES)


def test_the_end_comes_although_changes_come_faster_than_the_peer_takes_them(
    daemon: Daemon, fill: Callable[[int], None]
) -> None:
    fill(100)
    peer = SimulatedPeer("a", 1)
    rounds = 0
    while not peer.ends:
        assert peer.pull(daemon, CREDIT)
        rounds += 1
        daemon.apply(["a"], 1, UNICAST, rounds, [unicast(number) for number in range(100)])
        assert rounds < 10 * 2 * LAPS  # a lap is no more answers than the table takes
