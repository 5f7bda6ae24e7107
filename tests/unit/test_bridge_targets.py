"""Which neighbors a helper's command is for."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from msgspec.structs import replace

from apid.bridge.targets import REMEMBERED, Targets
from apid.grammar.command import parse_selector
from apid.memory import ENTRY_OCTETS
from bgp.family import IPV4_UNICAST, IPV6_UNICAST, Family
from bgp.route import encode_set
from bus.settings import ApiBinding

V4_NEXT_HOP = encode_set([], b"\xc0\x00\x02\x01")
SELF = encode_set([], b"")

BINDING = ApiBinding(
    neighbor="192.0.2.1",
    program="peerd-192.0.2.1",
    peer_address="192.0.2.1",
    local_address="192.0.2.2",
    local_as=65001,
    peer_as=65002,
    router_id="10.0.0.1",
    families=[[1, 1]],
    state=True,
    fsm=False,
    negotiated=False,
    signal=False,
    received=0,
    sent=0,
    received_parsed=False,
    received_packets=False,
    received_consolidate=False,
    sent_parsed=False,
    sent_packets=False,
    sent_consolidate=False,
)
OTHER = replace(BINDING, neighbor="192.0.2.9", peer_address="192.0.2.9", peer_as=65009)
SIXTH = replace(BINDING, neighbor="2001:db8::1", peer_address="2001:db8::1", local_address="2001:db8::2", peer_as=65006)


@pytest.fixture
def targets() -> Targets:
    found = Targets()
    found.configure([BINDING, OTHER, SIXTH])
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("192.0.2.1", "192.0.2.9", "2001:db8::1")),
        ("neighbor *", ("192.0.2.1", "192.0.2.9", "2001:db8::1")),
        ("neighbor 192.0.2.1", ("192.0.2.1",)),
        ("neighbor 2001:db8::1", ("2001:db8::1",)),
        ("neighbor 192.0.2.1, neighbor 192.0.2.9", ("192.0.2.1", "192.0.2.9")),
        ("neighbor 192.0.2.1 local-as 65001 peer-as 65002", ("192.0.2.1",)),
    ],
)
def test_a_selector_names_neighbors_in_the_order_of_the_configuration(
    targets: Targets, text: str, names: tuple[str, ...]
) -> None:
    for _ in range(2):  # the second time from memory
        assert targets.find_text(text, IPV4_UNICAST, V4_NEXT_HOP) == (names, "")


def test_an_ipv4_address_that_is_mapped_into_ipv6_names_its_neighbor_however_it_is_written() -> None:
    targets = Targets()
    name = str(ip_address("::ffff:1.2.3.4"))
    targets.configure([replace(BINDING, neighbor=name, peer_address=name)])
    for text in ("::ffff:1.2.3.4", "::ffff:102:304", "::FFFF:102:304"):
        assert targets.find_text(f"neighbor {text}", IPV4_UNICAST, V4_NEXT_HOP) == ((name,), "")


@pytest.mark.parametrize("text", ["neighbor 192.0.2.7", "neighbor 192.0.2.1 peer-as 1"])
def test_a_selector_that_matches_nobody_is_refused_with_those_that_there_are(targets: Targets, text: str) -> None:
    for _ in range(2):
        names, error = targets.find_text(text, IPV4_UNICAST, V4_NEXT_HOP)
        assert names == ()
        assert "192.0.2.1, 192.0.2.9, 2001:db8::1" in error


@pytest.mark.parametrize("text", ["neighbor", "neighbor x", "nonsense", "neighbor 192.0.2.1 nonsense"])
def test_a_selector_that_cannot_be_read_is_refused_every_time(targets: Targets, text: str) -> None:
    first = targets.find_text(text, IPV4_UNICAST, V4_NEXT_HOP)
    assert first[0] == ()
    assert first[1]
    assert targets.find_text(text, IPV4_UNICAST, V4_NEXT_HOP) == first


@pytest.mark.parametrize(
    ("text", "family", "good"),
    [
        ("neighbor 192.0.2.1", IPV4_UNICAST, True),
        ("neighbor 192.0.2.1", IPV6_UNICAST, False),
        ("neighbor 2001:db8::1", IPV6_UNICAST, True),
        ("neighbor 2001:db8::1", IPV4_UNICAST, True),  # RFC 8950, which the session knows
        ("", IPV6_UNICAST, False),
        ("", Family(25, 70), True),
    ],
)
def test_next_hop_self_needs_a_local_address_that_can_be_one(
    targets: Targets, text: str, family: Family, good: bool
) -> None:
    names, error = targets.find_text(text, family, SELF)
    assert bool(names) is good
    if not good:
        assert "192.0.2.2" in error
        assert "ipv6" in error


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("192.0.2.1", "192.0.2.0/24", "192.0.2.128/25", "2001:db8::/64")),
        ("neighbor 192.0.2.1", ("192.0.2.1",)),  # a neighbor of its own, whatever else holds its address
        ("neighbor 192.0.2.7", ("192.0.2.7@192.0.2.0/24",)),
        ("neighbor 192.0.2.129", ("192.0.2.129@192.0.2.128/25",)),  # the narrowest, as the listener has it
        ("neighbor 192.0.2.129 peer-as 65010", ("192.0.2.129@192.0.2.0/24",)),
        ("neighbor 192.0.2.7 peer-as 1", ()),
        ("neighbor 192.0.2.0/24", ("192.0.2.0/24",)),
        ("neighbor 2001:DB8::7", ("2001:db8::7@2001:db8::/64",)),
        ("neighbor 192.0.2.0/24, neighbor 192.0.2.8", ("192.0.2.0/24", "192.0.2.8@192.0.2.0/24")),
        ("neighbor *, neighbor 198.51.100.1", ("192.0.2.1", "192.0.2.0/24", "192.0.2.128/25", "2001:db8::/64")),
        ("neighbor 198.51.100.1", ()),
    ],
)
def test_an_address_within_a_range_is_the_session_with_that_address(text: str, names: tuple[str, ...]) -> None:
    def ranged(text: str, peer_as: int) -> ApiBinding:
        return replace(BINDING, neighbor=text, peer_address=text, peer_as=peer_as, flow_limit=1)

    ranges = [ranged("192.0.2.0/24", 65010), ranged("192.0.2.128/25", 65011), ranged("2001:db8::/64", 65012)]
    targets = Targets()
    targets.configure([BINDING, *ranges])
    found, error = targets.find_text(text, IPV4_UNICAST, V4_NEXT_HOP)
    assert found == names
    assert bool(error) is not bool(names)
    assert targets.limited(found) is any("/" in name for name in names)


def test_only_so_many_addresses_of_a_range_are_remembered() -> None:
    targets = Targets()
    targets.configure([replace(BINDING, neighbor="10.0.0.0/8", peer_address="10.0.0.0/8")])
    most = REMEMBERED // ENTRY_OCTETS
    for number in range(most):
        address = f"10.1.{number >> 8}.{number & 255}"
        found = targets.find_text(f"neighbor {address}", IPV4_UNICAST, V4_NEXT_HOP)
        assert found == ((f"{address}@10.0.0.0/8",), "")
        assert 2 * len(targets._known.known) <= most
    assert targets._known.known


def test_long_selectors_count_for_more() -> None:
    targets = Targets()
    targets.configure([BINDING])
    every = ", ".join(f"neighbor 10.0.{number >> 8}.{number & 255}" for number in range(1000))
    for number in range(40):
        assert targets.find_text(f"neighbor 192.0.2.1, neighbor 10.1.0.{number}, {every}", IPV4_UNICAST, SELF)[0]
        assert len(targets._known.known) <= REMEMBERED // 1000 // ENTRY_OCTETS
    for number in range(60):
        padded = f"neighbor {number} {' ' * 100_000} peer-as 1"
        targets.find_text(padded, IPV4_UNICAST, SELF)
        targets.find(parse_selector(f"neighbor {'x' * 100_000}{number}"), IPV4_UNICAST, SELF)
        assert len(targets._known.known) <= REMEMBERED // 100_000


def test_a_helper_without_neighbors_is_told_so() -> None:
    names, error = Targets().find_text("", IPV4_UNICAST, V4_NEXT_HOP)
    assert names == ()
    assert "none" in error


def test_another_configuration_changes_the_answers(targets: Targets) -> None:
    assert len(targets.find_text("", IPV4_UNICAST, V4_NEXT_HOP)[0]) == 3
    targets.configure([OTHER])
    assert targets.find_text("", IPV4_UNICAST, V4_NEXT_HOP) == (("192.0.2.9",), "")
    assert targets.find_text("neighbor 192.0.2.1", IPV4_UNICAST, V4_NEXT_HOP)[0] == ()
