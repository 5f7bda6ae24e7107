"""The order of changes that wait together is ExaBGP's: what is here was seen on its wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgp.attribute import Med
from bgp.family import IPV4_FLOW, IPV4_UNICAST
from bgp.message import split_messages
from bgp.route import encode_set
from bgp.update import decode_update
from bus.schema import Batch, Pull
from ribd.order import Piece, alone, in_order, kin
from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, SimulatedPeer, labelled, unicast


def piece(attributes: bytes, version: int, place: int | None = None, withdrawal: bool = False) -> Piece:
    """Return a piece whose octets tell what it is."""
    text = f"{'-' if withdrawal else ''}{version}"
    return Piece(attributes, version, version if place is None else place, withdrawal, text.encode())


def test_kin_stand_together_where_the_first_of_them_is_and_by_family_among_themselves() -> None:
    labelled = [piece(b"a", 1), piece(b"a", 3), piece(b"b", 8)]
    unicast = [piece(b"a", 2, 0), piece(b"b", 5, 0)]
    six = [piece(b"c", 4), piece(b"c", 7)]
    assert in_order([six, unicast, labelled]) == [b"1", b"3", b"2", b"4", b"7", b"5", b"8"]


def test_what_is_withdrawn_has_its_turn_and_comes_first_where_routes_share_a_message() -> None:
    separate = [piece(b"a", 1), piece(b"a", 4), piece(b"a", 2, withdrawal=True)]
    assert in_order([separate]) == [b"1", b"-2", b"4"]
    shared = [piece(b"a", 1, 0), piece(b"a", 2, 0, withdrawal=True)]
    assert in_order([shared]) == [b"-2", b"1"]


def test_what_is_sent_again_comes_family_by_family_but_kin_stay_together() -> None:
    six, unicast = [piece(b"a", 1), piece(b"b", 4)], [piece(b"a", 2), piece(b"c", 3)]
    assert in_order([unicast, six], again=True) == [b"2", b"1", b"3", b"4"]
    assert in_order([alone(unicast), alone(six)], again=True) == [b"2", b"3", b"1", b"4"]


def test_next_hops_tell_routes_apart_but_not_rules() -> None:
    one, two = encode_set([Med(5)], bytes((192, 0, 2, 1))), encode_set([Med(5)], bytes((192, 0, 2, 2)))
    assert kin(IPV4_UNICAST, one) != kin(IPV4_UNICAST, two)
    assert kin(IPV4_FLOW, one) == kin(IPV4_FLOW, two) == encode_set([Med(5)], None)


def first_pull(peer: SimulatedPeer) -> Pull:
    """Return what a new session asks."""
    return Pull(peer.neighbor, 1, "", peer.shape.to_wire(), peer.outbound.to_wire(), 1 << 20)


def unpack_number(item: bytes) -> int:
    """Return the number that the address of a route was made of."""
    return int.from_bytes(item[-3:], "big")


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["n"])
    return daemon


def test_families_are_mixed_as_they_were_said(daemon: Daemon) -> None:
    daemon.apply(["n"], 1, LABELLED, 1, [labelled(1, 5)])
    daemon.apply(["n"], 1, UNICAST, 2, [unicast(1)])
    daemon.apply(["n"], 1, UNICAST, 1, [unicast(2)])
    daemon.apply(["n"], 1, LABELLED, 2, [labelled(2, 5)])
    daemon.apply(["n"], 1, LABELLED, 1, [labelled(3, 5)])
    peer = SimulatedPeer("n", 1)
    [batch] = [each for each in daemon.say(peer.identity, first_pull(peer)) if isinstance(each, Batch)]
    said = [
        (reach.family, unpack_number(reach.items[0]))
        for message in split_messages(batch.octets)
        for reach in decode_update(message[19:], peer.negotiated).announced
    ]
    assert said == [(LABELLED, 1), (LABELLED, 3), (UNICAST, 2), (UNICAST, 1), (LABELLED, 2)]
    daemon.close()


def test_a_session_that_comes_back_is_sent_one_family_after_the_other(daemon: Daemon) -> None:
    daemon.apply(["n"], 1, LABELLED, 1, [labelled(1, 5)])
    daemon.apply(["n"], 1, UNICAST, 2, [unicast(1)])
    for number, expected in enumerate(([LABELLED, UNICAST], [UNICAST, LABELLED])):
        peer = SimulatedPeer("n", number)
        [batch] = [each for each in daemon.say(peer.identity, first_pull(peer)) if isinstance(each, Batch)]
        updates = [decode_update(each[19:], peer.negotiated) for each in split_messages(batch.octets)]
        assert [reach.family for update in updates for reach in update.announced] == expected
    daemon.close()


def test_versions_go_on_across_families_after_a_death(daemon: Daemon) -> None:
    daemon.apply(["n"], 1, UNICAST, 1, [unicast(1)])
    daemon.apply(["n"], 1, LABELLED, 1, [labelled(1, 5)])
    daemon.start()
    daemon.apply(["n"], 1, UNICAST, 1, [unicast(2)])
    assert daemon.versions()["n"] == {UNICAST: (3, 2), LABELLED: (2, 1)}
    daemon.close()


NOBODY = Pull("n", 0, "", [], [], 0)  # the session waits for nothing, so that changes gather


def withdrawals(daemon: Daemon, peer: SimulatedPeer) -> list[list[int]]:
    """Have a session ask once; return the routes of each UPDATE that withdraws."""
    pull = Pull(peer.neighbor, 99, peer.outbound.lineage, peer.shape.to_wire(), peer.outbound.to_wire(), 1 << 20)
    [batch] = [each for each in daemon.say(peer.identity, pull) if isinstance(each, Batch)]
    peer.outbound.advance(batch)
    daemon.say(peer.identity, NOBODY)
    updates = [decode_update(each[19:], peer.negotiated) for each in split_messages(batch.octets)]
    return [[unpack_number(item) for item in gone.items] for update in updates for gone in update.withdrawn]


def test_a_few_withdrawals_go_apart_by_what_their_commands_name_and_many_go_together(daemon: Daemon) -> None:
    daemon.apply(["n"], 1, UNICAST, 9, [unicast(number) for number in range(1000)])
    peer = SimulatedPeer("n", 1)
    peer.drain(daemon)
    daemon.say(peer.identity, NOBODY)
    for number in range(6):
        daemon.apply(["n"], 0, UNICAST, 1 + number % 3, [unicast(number)])
    assert withdrawals(daemon, peer) == [[0, 3], [1, 4], [2, 5]]
    for number in range(6, 600):
        daemon.apply(["n"], 0, UNICAST, 1 + number % 3, [unicast(number)])
    (together,) = withdrawals(daemon, peer)
    assert together == list(range(6, 600))
    daemon.close()
