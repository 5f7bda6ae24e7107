"""Routes of families that a session has not negotiated: it is told, for its log."""

from __future__ import annotations

from bgp.shape import Shape
from bus.schema import ANNOUNCE, WITHDRAW, Batch
from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, SimulatedPeer, labelled, unicast

REASON = f"{LABELLED} was not negotiated"


def test_a_session_that_waits_is_told_at_once_and_waits_on(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1, Shape(families=(UNICAST,)))
    peer.drain(daemon)
    daemon.apply(["a"], ANNOUNCE, LABELLED, 1, [labelled(1, 1)])
    [told] = daemon.server.sent.pop(peer.identity)
    assert isinstance(told, Batch)
    peer.take(told)
    assert peer.withheld == [REASON]
    assert not peer.pull(daemon)
    daemon.apply(["a"], ANNOUNCE, LABELLED, 1, [labelled(2, 1)])
    assert peer.identity not in daemon.server.sent


def test_what_comes_later_tells_it_again_for_it_may_not_have_been_heard(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1, Shape(families=(UNICAST,)))
    peer.drain(daemon)
    daemon.apply(["a"], ANNOUNCE, LABELLED, 1, [labelled(1, 1)])
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [unicast(1)])
    peer.drain(daemon)
    assert peer.withheld == [REASON]
    assert peer.table.keys() == {(UNICAST, unicast(1))}


def test_its_first_answer_tells_of_what_was_there_before(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, LABELLED, 1, [labelled(1, 1)])
    for number in (1, 2):
        peer = SimulatedPeer("a", number, Shape(families=(UNICAST,)))
        peer.drain(daemon)
        assert peer.withheld == [REASON]


def test_nobody_is_told_of_routes_that_are_gone_or_carried(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, LABELLED, 1, [labelled(1, 1)])
    carries = SimulatedPeer("a", 1)
    carries.drain(daemon)
    daemon.apply(["a"], WITHDRAW, LABELLED, 1, [labelled(1, 1)])
    does_not = SimulatedPeer("a", 2, Shape(families=(UNICAST,)))
    does_not.drain(daemon)
    assert carries.withheld == does_not.withheld == []
