"""Another form of a route, for those neighbors only that are announced it."""

from __future__ import annotations

from bus.schema import ANNOUNCE, REPLACE, WITHDRAW, WITHDRAW_FORM
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, unicast

ONE, TWO, THREE = unicast(1), unicast(2), unicast(3)


def test_what_is_announced_is_replaced_and_nothing_else_is_announced(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [ONE, TWO])
    daemon.apply(["a"], WITHDRAW, UNICAST, 0, [TWO])
    peer.drain(daemon)
    daemon.apply(["a"], REPLACE, UNICAST, 2, [ONE, TWO, THREE])
    peer.drain(daemon)
    assert peer.table == {(UNICAST, ONE): (2, ONE)}


def test_a_replay_numbers_alike_though_tombstones_are_gone(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [ONE, TWO])
    daemon.apply(["a"], WITHDRAW, UNICAST, 0, [TWO])
    daemon.apply(["a"], REPLACE, UNICAST, 2, [TWO, ONE])
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [THREE])
    before = daemon.versions()
    daemon.start()
    assert daemon.versions() == before


def test_a_form_is_withdrawn_and_no_other_form_of_the_route(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [ONE])
    daemon.apply(["a"], ANNOUNCE, UNICAST, 2, [TWO])
    daemon.apply(["a"], WITHDRAW_FORM, UNICAST, 1, [ONE, TWO, THREE])
    before = daemon.versions()
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    assert peer.table == {(UNICAST, TWO): (2, TWO)}
    daemon.start()
    assert daemon.versions() == before
