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


def test_the_end_of_a_refresh_sweeps_what_has_not_come_again() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(6)]
    held.take(update(IPV4_UNICAST, items[:5], []))
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641)], []))
    held.begin_refresh(IPV4_UNICAST)
    held.take(update(IPV4_UNICAST, items[1:3], []))
    held.take(update(IPV4_UNICAST, items[5:], [items[2], items[3]]))
    assert held.end_refresh(IPV4_UNICAST)
    assert [row[3] for row in everything(held, 10)] == [items[1], items[5], vpn(0x641)]
    assert not held.end_refresh(IPV4_UNICAST)
    assert len(held) == 3


def test_a_refresh_knows_routes_by_their_keys_and_sweeps_what_is_hidden() -> None:
    held = AdjRibIn()
    others = [item[:-1] + b"\x01" for item in (vpn(0x641),)]
    held.take(update(IPV4_MPLS_VPN, [vpn(0x641), *others], []))
    held.hide()
    held.begin_refresh(IPV4_MPLS_VPN)
    held.take(update(IPV4_MPLS_VPN, [vpn(0x651)], []))
    assert held.end_refresh(IPV4_MPLS_VPN)
    assert [row[3] for row in everything(held, 10)] == [vpn(0x651)]
    assert held.counts() == {IPV4_MPLS_VPN: 1}


def test_a_refresh_that_begins_again_counts_from_there() -> None:
    held = AdjRibIn()
    items = [bytes((0, 0, 0, 0, 24, 10, 0, number)) for number in range(2)]
    held.begin_refresh(IPV4_UNICAST)
    held.take(update(IPV4_UNICAST, items, []))
    held.begin_refresh(IPV4_UNICAST)
    held.take(update(IPV4_UNICAST, items[:1], []))
    assert held.end_refresh(IPV4_UNICAST)
    assert [row[3] for row in everything(held, 10)] == items[:1]


def test_a_refresh_that_never_ends_remembers_no_more_than_there_is() -> None:
    held = AdjRibIn()
    held.begin_refresh(IPV4_UNICAST)
    for number in range(1000):
        item = bytes((0, 0, 0, 0, 32, 10, 0, number >> 8, number & 255))
        held.take(update(IPV4_UNICAST, [item], []))
        held.take(update(IPV4_UNICAST, [], [item]))
    assert held._fresh == {IPV4_UNICAST: set()}
