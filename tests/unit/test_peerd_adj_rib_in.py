"""The Adj-RIB-In holds what the peer announced and has not withdrawn."""

from __future__ import annotations

from bgp.family import IPV4_MPLS_VPN, IPV4_UNICAST, Family
from bgp.nlri import VpnPrefix
from bgp.nlri.labelled import WITHDRAWN_LABEL
from bgp.update import AttributeSet, Reach, Unreach, Update
from peerd.adj_rib_in import AdjRibIn

NEXT_HOP = bytes((192, 0, 2, 1))


def update(family: Family, announced: list[bytes], withdrawn: list[bytes]) -> Update:
    reach = (Reach(family, NEXT_HOP, announced),) if announced else ()
    unreach = (Unreach(family, withdrawn),) if withdrawn else ()
    return Update(reach, unreach, AttributeSet(b"", {}), None, (), None)


def vpn(label: int) -> bytes:
    return VpnPrefix(family=IPV4_MPLS_VPN, labels=(label,), rd=bytes(8), length=24, address=bytes((10, 0, 0, 0))).item()


def test_a_route_is_held_until_it_is_withdrawn() -> None:
    held = AdjRibIn()
    item = bytes((0, 0, 0, 0, 24, 10, 0, 0))
    held.take(update(IPV4_UNICAST, [item], []))
    assert held.page(0, 10) == [(IPV4_UNICAST, b"", NEXT_HOP, item)]
    held.take(update(IPV4_UNICAST, [], [item]))
    assert len(held) == 0


def test_a_labelled_route_is_withdrawn_whatever_the_label() -> None:
    held = AdjRibIn()
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641)], []))
    assert held.page(0, 10) == [(IPV4_MPLS_VPN, b"", NEXT_HOP, vpn(0x641))]
    held.take(update(IPV4_MPLS_VPN, [], [vpn(WITHDRAWN_LABEL)]))
    assert held.page(0, 10) == []
    assert held.counts() == {IPV4_MPLS_VPN: 0}


def test_a_new_label_replaces_the_former() -> None:
    held = AdjRibIn()
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641)], []))
    held.take(update(IPV4_MPLS_VPN, [vpn(0x651)], []))
    assert [row[3] for row in held.page(0, 10)] == [vpn(0x651)]


def test_pages_continue_where_the_last_one_ended() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)]
    held.take(update(IPV4_UNICAST, items, []))
    rows = held.page(0, 4) + held.page(4, 4) + held.page(8, 4)
    assert [row[3] for row in rows] == items
