"""The Adj-RIB-In holds what the peer announced and has not withdrawn."""

from __future__ import annotations

import pytest

import peerd.adj_rib_in
from bgp.family import IPV4_MPLS_VPN, IPV4_UNICAST, Family
from bgp.nlri import VpnPrefix
from bgp.nlri.labelled import WITHDRAWN_LABEL
from bgp.update import AttributeSet, Reach, Unreach, Update
from peerd.adj_rib_in import LISTINGS, AdjRibIn, Row

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
    assert held.page(0, 10)[0] == [(IPV4_UNICAST, b"", NEXT_HOP, item)]
    held.take(update(IPV4_UNICAST, [], [item]))
    assert len(held) == 0


def test_a_labelled_route_is_withdrawn_whatever_the_label() -> None:
    held = AdjRibIn()
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641)], []))
    assert held.page(0, 10)[0] == [(IPV4_MPLS_VPN, b"", NEXT_HOP, vpn(0x641))]
    held.take(update(IPV4_MPLS_VPN, [], [vpn(WITHDRAWN_LABEL)]))
    assert held.page(0, 10)[0] == []
    assert held.counts() == {IPV4_MPLS_VPN: 0}


def test_a_new_label_replaces_the_former() -> None:
    held = AdjRibIn()
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641)], []))
    held.take(update(IPV4_MPLS_VPN, [vpn(0x651)], []))
    assert [row[3] for row in held.page(0, 10)[0]] == [vpn(0x651)]


def test_pages_continue_where_the_last_one_ended() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)]
    held.take(update(IPV4_UNICAST, items, []))
    assert [row[3] for row in everything(held, 4)] == items
    assert held._listings == {}


def test_two_listings_at_the_same_time_each_visit_every_route() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)]
    held.take(update(IPV4_UNICAST, items, []))
    rows, after = held.page(0, 4)
    assert [row[3] for row in everything(held, 3)] == items
    held.take(update(IPV4_UNICAST, [], items[:3]))
    assert [row[3] for row in rows + held.page(after, 100)[0]] == items


def test_listings_that_nobody_finishes_are_given_up() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)]
    held.take(update(IPV4_UNICAST, items, []))
    for _ in range(3 * LISTINGS):
        held.page(0, 4)
    assert len(held._listings) == LISTINGS


def test_what_is_hidden_counts_and_is_shown_when_it_comes_again() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(4)]
    held.take(update(IPV4_UNICAST, items, []))
    held.hide()
    assert everything(held, 10) == []
    held.take(update(IPV4_UNICAST, items[1:2], items[3:]))
    assert [row[3] for row in everything(held, 10)] == items[1:2]
    assert held.count(IPV4_UNICAST) == 3


def everything(held: AdjRibIn, limit: int) -> list[Row]:
    """Return all routes, page by page."""
    found, after = [], 0
    while after >= 0:
        rows, after = held.page(after, limit)
        found += rows
    return found


def test_changes_between_two_pages_lose_no_other_route() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)]
    held.take(update(IPV4_UNICAST, items[:8], []))
    rows, after = held.page(0, 4)
    held.take(update(IPV4_UNICAST, items[8:], [items[1], items[6]]))
    rest, after = held.page(after, 4)
    assert [row[3] for row in rows + rest] == [*items[:4], items[4], items[5], items[7]]
    assert after == -1


def test_a_page_fits_the_bus_however_long_the_attributes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peerd.adj_rib_in, "PAGE_OCTETS", 20)
    held = AdjRibIn()
    held.take(update(IPV4_UNICAST, [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(10)], []))
    assert len(held.page(0, 100)[0]) == 2
    assert len(everything(held, 100)) == 10
