"""Another form of a route, for those neighbors only that are announced it."""

from __future__ import annotations

import pytest

from bgp.family import IPV4_FLOW
from bus.schema import ANNOUNCE, REPLACE, REPLACE_FORM, WITHDRAW, WITHDRAW_FORM, Applied, Apply, Enrol, Refused
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, attributes, unicast

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


def replace_form(daemon: Daemon, *more: object) -> list[object]:
    daemon.sequence += 1
    change = [0, REPLACE_FORM, *UNICAST, attributes(3), [ONE, TWO, THREE], *more]
    return [*daemon.request(Apply("client", "epoch", daemon.sequence, [["a"]], [change]))]


def test_a_form_is_replaced_and_no_other_form_of_the_route(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [ONE])
    daemon.apply(["a"], ANNOUNCE, UNICAST, 2, [TWO])
    assert replace_form(daemon, attributes(1)) == [Applied(daemon.sequence, "epoch")]
    before = daemon.versions()
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    assert peer.table == {(UNICAST, ONE): (3, ONE), (UNICAST, TWO): (2, TWO)}
    daemon.start()
    assert daemon.versions() == before


@pytest.mark.parametrize("more", [[], [10], [None]])
def test_a_former_form_is_octets(daemon: Daemon, more: list[object]) -> None:
    (answer,) = replace_form(daemon, *more)
    assert isinstance(answer, Refused)
    assert "former form" in answer.reason


def test_what_takes_the_place_of_a_form_is_no_rule_more_and_no_rule_less(daemon: Daemon) -> None:
    daemon.sequence += 1
    daemon.request(Enrol("client", "epoch", daemon.sequence, ["a"], {"a": 1}))
    daemon.apply(["a"], ANNOUNCE, IPV4_FLOW, 1, [ONE])
    daemon.sequence += 1
    another = [0, REPLACE_FORM, *IPV4_FLOW, attributes(3), [ONE], attributes(1)]
    one_more = [0, ANNOUNCE, *IPV4_FLOW, attributes(1), [TWO]]
    (answer,) = daemon.request(Apply("client", "epoch", daemon.sequence, [["a"]], [another, one_more]))
    assert isinstance(answer, Refused)
    assert "no room for 1 more" in answer.reason
    assert daemon.request(Apply("other", "epoch", 1, [["a"]], [another])) == [Applied(1, "epoch")]
