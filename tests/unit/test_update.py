"""UPDATE messages as received: what they say, and what RFC 7606 makes of damaged ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.attribute import Aggregator, As4Path, AsPath, Med, Segment, UnknownAttribute
from bgp.errors import NotifyError
from bgp.family import (
    BGP_LS,
    BGP_LS_VPN,
    FAMILIES,
    IPV4_FLOW,
    IPV4_MPLS_VPN,
    IPV4_UNICAST,
    IPV6_UNICAST,
    L2VPN_EVPN,
    L2VPN_VPLS,
    Family,
)
from bgp.negotiated import Negotiated
from bgp.nlri import decode, route_key
from bgp.update import CACHED_OCTETS, Update, UpdateDecoder, decode_update

ORIGIN = "40010100"
AS_PATH = "4002060201 0000fde9"
NEXT_HOP = "4003040a000002"
MANDATORY = ORIGIN + AS_PATH + NEXT_HOP
PREFIX = "180a0101"
ITEM = bytes.fromhex("00000000" + PREFIX)
IPV6_ITEM = bytes.fromhex("000000003020010db80001")
IPV6_HOST = "20010db8" + "00" * 11 + "01"

EXTERNAL = Negotiated(
    local_as=65000,
    peer_as=65001,
    local_address=bytes((10, 0, 0, 1)),
    families=(IPV4_UNICAST, IPV6_UNICAST, IPV4_FLOW, L2VPN_EVPN),
)
INTERNAL = Negotiated(families=(IPV4_UNICAST, IPV6_UNICAST))
EVERYTHING = Negotiated(families=tuple(FAMILIES.values()), local_as=65000, peer_as=65001)


def body(attributes: str = "", nlri: str = "", withdrawn: str = "") -> bytes:
    gone, octets = bytes.fromhex(withdrawn), bytes.fromhex(attributes)
    lengths = len(gone).to_bytes(2, "big"), len(octets).to_bytes(2, "big")
    return lengths[0] + gone + lengths[1] + octets + bytes.fromhex(nlri)


def attribute(flags: int, code: int, value: str) -> str:
    octets = bytes.fromhex(value)
    return f"{flags:02x}{code:02x}{len(octets):02x}{octets.hex()}"


def reach(value: str) -> str:
    return attribute(0x80, 14, value)


def unreach(value: str) -> str:
    return attribute(0x80, 15, value)


IPV6_REACH = reach("000201 10" + IPV6_HOST + "00" + "3020010db80001")


def test_ipv4_routes_are_announced_with_their_next_hop() -> None:
    update = decode_update(body(MANDATORY, PREFIX + "00"), EXTERNAL)
    assert update.announced == ((IPV4_UNICAST, bytes((10, 0, 0, 2)), [ITEM, bytes(5)]),)
    assert (update.withdrawn, update.error, update.discarded, update.eor) == ((), None, (), None)
    assert update.attributes.octets == bytes.fromhex(MANDATORY)
    assert update.attributes.get(2) == AsPath((Segment(2, (65001,)),))


def test_withdrawn_routes_need_no_attributes() -> None:
    update = decode_update(body(withdrawn=PREFIX), EXTERNAL)
    assert update == Update((), ((IPV4_UNICAST, [ITEM]),), update.attributes)
    assert len(update.attributes) == 0


def test_multiprotocol_routes_are_announced_and_leave_no_attribute() -> None:
    update = decode_update(body(ORIGIN + IPV6_REACH + AS_PATH), EXTERNAL)
    assert update.announced == ((IPV6_UNICAST, bytes.fromhex(IPV6_HOST), [IPV6_ITEM]),)
    assert update.attributes.octets == bytes.fromhex(ORIGIN + AS_PATH)


def test_multiprotocol_withdrawals_keep_the_attributes_of_the_message() -> None:
    update = decode_update(body(ORIGIN + AS_PATH + unreach("0002013020010db80001")), EXTERNAL)
    assert update.withdrawn == ((IPV6_UNICAST, [IPV6_ITEM]),)
    assert update.attributes.get(1) is not None
    assert update.error is None


def test_one_message_may_carry_two_families_both_ways() -> None:
    octets = MANDATORY + IPV6_REACH + unreach("00020100")
    update = decode_update(body(octets, PREFIX, "00"), EXTERNAL)
    assert [part.family for part in update.announced] == [IPV4_UNICAST, IPV6_UNICAST]
    assert [part.family for part in update.withdrawn] == [IPV4_UNICAST, IPV6_UNICAST]


def test_path_identifiers_stay_in_front_of_the_item() -> None:
    negotiated = Negotiated(peer_as=65001, add_path_receive=frozenset({IPV4_UNICAST}))
    update = decode_update(body(MANDATORY, "00000007" + PREFIX), negotiated)
    assert update.announced[0].items == [bytes((0, 0, 0, 7)) + ITEM[4:]]


@pytest.mark.parametrize(
    ("octets", "family"),
    [(body(), IPV4_UNICAST), (body(unreach("000201")), IPV6_UNICAST), (body(unreach("001a46")), Family(26, 70))],
    ids=["ipv4-unicast", "ipv6-unicast", "not-negotiated"],
)
def test_end_of_rib_is_recognised(octets: bytes, family: Family) -> None:
    update = decode_update(octets, EXTERNAL)
    assert update.eor == family
    assert not update.announced
    assert not update.withdrawn


def test_no_end_of_rib_where_something_else_is_in_the_message() -> None:
    assert decode_update(body(unreach("000201"), "", PREFIX), EXTERNAL).eor is None
    assert decode_update(body(ORIGIN + unreach("000201")), EXTERNAL).eor is None


@pytest.mark.parametrize("flags", [0x40, 0x60, 0xC0])
def test_no_end_of_rib_where_its_flags_are_wrong(flags: int) -> None:
    update = decode_update(body(attribute(flags, 15, "000201")), EXTERNAL)
    assert (update.eor, update.withdrawn) == (None, ())
    assert update.error == f"MP_UNREACH_NLRI flags 0x{flags:02x} are not 0x80"


def test_routes_of_a_family_that_was_not_negotiated_are_ignored() -> None:
    ipv6_only = Negotiated(peer_as=65001, families=(IPV6_UNICAST,))
    ipv4_only = Negotiated(peer_as=65001, families=(IPV4_UNICAST,))
    update = decode_update(body(MANDATORY + IPV6_REACH, PREFIX, PREFIX), ipv6_only)
    assert [part.family for part in update.announced] == [IPV6_UNICAST]
    assert update.withdrawn == ()
    update = decode_update(body(MANDATORY + IPV6_REACH + unreach("000201ff"), PREFIX), ipv4_only)
    assert [part.family for part in update.announced] == [IPV4_UNICAST]
    assert update.error is None


WITHDRAWS = [
    ("missing-origin", AS_PATH + NEXT_HOP, "ORIGIN is missing"),
    ("missing-as-path", ORIGIN + NEXT_HOP, "AS_PATH is missing"),
    ("missing-next-hop", ORIGIN + AS_PATH, "NEXT_HOP is missing"),
    ("no-attributes", "", "ORIGIN is missing"),
    ("wrong-flags", "c0010100" + AS_PATH + NEXT_HOP, "ORIGIN flags 0xc0 are not 0x40"),
    ("wrong-med-flags", MANDATORY + "c00404" + "00" * 4, "MULTI_EXIT_DISC flags 0xc0 are not 0x80"),
    (
        "length-overrun",
        MANDATORY + "40050400",
        "attribute 5: 4 octets expected, 1 left",
    ),
    ("short-header", MANDATORY + "4005", "3 octets of attribute header expected, 2 left"),
    ("short-extended-header", MANDATORY + "500500", "attribute 5: 4 octets of header expected, 3 left"),
    ("next-hop-zero", ORIGIN + AS_PATH + "40030400000000", "next hop 0.0.0.0 is not an address of a host"),
    (
        "next-hop-multicast",
        ORIGIN + AS_PATH + "400304e0000001",
        "next hop 224.0.0.1 is not an address of a host",
    ),
    ("next-hop-ours", ORIGIN + AS_PATH + "4003040a000001", "next hop 10.0.0.1 is our own address"),
    ("mp-flags", MANDATORY + "c0" + unreach("000201")[2:], "MP_UNREACH_NLRI flags 0xc0 are not 0x80"),
]


@pytest.mark.parametrize(("name", "octets", "reason"), WITHDRAWS, ids=[case[0] for case in WITHDRAWS])
def test_routes_of_a_damaged_update_are_withdrawn(name: str, octets: str, reason: str) -> None:
    update = decode_update(body(octets, PREFIX), EXTERNAL)
    assert update.announced == ()
    assert (IPV4_UNICAST, [ITEM]) in update.withdrawn
    assert update.error == reason


@pytest.mark.parametrize(
    "beside", [reach("400447 04 0a000002 00"), reach("000201 10" + IPV6_HOST + "00"), unreach("000201")]
)
def test_multiprotocol_attributes_without_routes_do_not_stand_in_for_the_next_hop(beside: str) -> None:
    update = decode_update(body(ORIGIN + AS_PATH + beside, PREFIX), EXTERNAL)
    assert (update.announced, update.withdrawn) == ((), ((IPV4_UNICAST, [ITEM]),))
    assert update.error == "NEXT_HOP is missing"


def test_routes_of_all_families_are_withdrawn_together() -> None:
    update = decode_update(body("40010103" + AS_PATH + NEXT_HOP + IPV6_REACH, PREFIX), EXTERNAL)
    assert update.withdrawn == ((IPV4_UNICAST, [ITEM]), (IPV6_UNICAST, [IPV6_ITEM]))


RESETS = [
    ("three-octets", b"\0\0\0", "3/1"),
    ("withdrawn-overrun", b"\0\x05\0\0", "3/1"),
    ("attributes-overrun", b"\0\0\0\x05\0", "3/1"),
    ("duplicate-reach", body(MANDATORY + IPV6_REACH + IPV6_REACH), "3/1"),
    ("duplicate-unreach", body(unreach("000201") + unreach("000201")), "3/1"),
    ("unrecognised-well-known", body(MANDATORY + "40fd0101", PREFIX), "3/2"),
    ("reach-cut-off", body(ORIGIN + AS_PATH + IPV6_REACH[:-2]), "3/9"),
    ("reach-without-next-hop-length", body(ORIGIN + AS_PATH + reach("000201")), "3/9"),
    ("reach-next-hop-overrun", body(ORIGIN + AS_PATH + reach("0002011020010db800")), "3/9"),
    ("reach-next-hop-of-15-octets", body(ORIGIN + AS_PATH + reach("0002010f" + "20" * 15 + "0000")), "3/9"),
    ("ipv4-next-hop-for-ipv6", body(ORIGIN + AS_PATH + reach("000201040a00000200" + "00")), "3/9"),
    ("ipv6-next-hop-not-agreed", body(ORIGIN + AS_PATH + reach("00010110" + IPV6_HOST + "00" + PREFIX)), "3/9"),
    ("reach-prefix-of-129-bits", body(ORIGIN + AS_PATH + reach("00020110" + IPV6_HOST + "0081" + "00" * 17)), "3/9"),
    ("unreach-without-safi", body(unreach("0002")), "3/9"),
    ("unreach-truncated-prefix", body(unreach("0002014020010db8")), "3/9"),
    ("prefix-of-33-bits", body(MANDATORY, "210a00000000"), "3/10"),
    ("prefix-truncated", body(MANDATORY, "180a01"), "3/10"),
    ("withdrawn-prefix-truncated", body(withdrawn="180a01"), "3/10"),
    ("error-without-routes", body("40010103" + AS_PATH), "3/6"),
    ("flags-error-beside-withdrawals", body("c0010100", "", PREFIX), "3/4"),
    ("length-error-without-routes", body("400304"), "3/1"),
    ("as-path-error-beside-unreach", body("400201ff" + unreach("0002013020010db80001")), "3/11"),
]


@pytest.mark.parametrize(("name", "octets", "code"), RESETS, ids=[case[0] for case in RESETS])
def test_the_session_is_reset_only_where_it_must_be(name: str, octets: bytes, code: str) -> None:
    with pytest.raises(NotifyError) as caught:
        decode_update(octets, EXTERNAL)
    assert f"{caught.value.code}/{caught.value.subcode}" == code


def test_notification_carries_the_attribute() -> None:
    with pytest.raises(NotifyError) as caught:
        decode_update(body(MANDATORY + "40fd0101", PREFIX), EXTERNAL)
    assert caught.value.data == bytes.fromhex("40fd0101")


DISCARDS = [
    ("atomic-aggregate-length", "40060100", 6, "ATOMIC_AGGREGATE length 1 is not 0"),
    ("aggregator-length", "c00706fde90a000001", 7, "AGGREGATOR length 6 is not 8"),
]


@pytest.mark.parametrize(("name", "octets", "code", "reason"), DISCARDS, ids=[case[0] for case in DISCARDS])
def test_some_malformed_attributes_are_discarded_and_the_routes_kept(
    name: str, octets: str, code: int, reason: str
) -> None:
    update = decode_update(body(MANDATORY + octets, PREFIX), EXTERNAL)
    assert update.announced[0].items == [ITEM]
    assert update.attributes.get(code) is None
    assert update.discarded == (reason,)


UNWELCOME = [
    ("local-pref-from-outside", "40050400000064", 5),
    ("originator-id-from-outside", "80090401020304", 9),
    ("malformed-cluster-list-from-outside", "800a03010203", 10),
    ("as4-path-in-a-4-octet-session", "c01106020100011170", 17),
    ("aigp-from-outside", "801a0b01000b0000000000000064", 26),
]


@pytest.mark.parametrize(("name", "octets", "code"), UNWELCOME, ids=[case[0] for case in UNWELCOME])
def test_attributes_that_this_peer_may_not_send_are_dropped_in_silence(name: str, octets: str, code: int) -> None:
    update = decode_update(body(MANDATORY + octets, PREFIX), EXTERNAL)
    assert update.announced[0].items == [ITEM]
    assert update.attributes.get(code) is None
    assert (update.error, update.discarded) == (None, ())


def test_a_malformed_link_state_route_is_left_out_alone() -> None:
    node = "0001000d" + "03" + "00" * 8 + "01000000"
    damaged = "0001000d" + "03" + "00" * 8 + "01000001"
    head = "4004470401020304" + "00"
    update = decode_update(body(MANDATORY + reach(head + damaged + node + damaged)), EVERYTHING)
    assert [each.items for each in update.announced] == [[bytes.fromhex("00000000" + node)]]
    assert (update.withdrawn, update.error, len(update.discarded)) == ((), None, 1)
    assert update.discarded[0].startswith("2 of 3 routes left out: a route of bgp-ls bgp-ls cannot be read")
    update = decode_update(body(MANDATORY + reach(head + damaged)), EVERYTHING)
    assert (update.announced, update.withdrawn, update.error) == ((), (), None)


def test_what_is_announced_is_not_withdrawn_by_the_same_message() -> None:
    update = decode_update(body(MANDATORY, PREFIX, PREFIX + "180a0102"), EXTERNAL)
    assert [each.items for each in update.announced] == [[ITEM]]
    assert [each.items for each in update.withdrawn] == [[bytes.fromhex("00000000180a0102")]]
    update = decode_update(body(MANDATORY, PREFIX, PREFIX), EXTERNAL)
    assert (len(update.announced), update.withdrawn) == (1, ())


def test_another_label_does_not_withdraw_what_the_same_message_announces() -> None:
    route = "70 {} 0000fde800000001 0a0000"
    announced = reach("0001800c" + "00" * 8 + "0a000002" + "00" + route.format("001011"))
    gone = unreach("000180" + route.format("800000"))
    update = decode_update(body(MANDATORY + announced + gone), EVERYTHING)
    assert (len(update.announced), update.withdrawn) == (1, ())


def test_a_route_that_is_both_withdrawn_and_malformed_is_withdrawn_once() -> None:
    update = decode_update(body("40010103" + AS_PATH + NEXT_HOP, PREFIX, PREFIX), EXTERNAL)
    assert update.error is not None
    assert [each.items for each in update.withdrawn] == [[ITEM]]


def test_a_route_that_stands_twice_in_a_malformed_update_is_withdrawn_once() -> None:
    damage = "80 04 00"
    again = attribute(0x80, 14, "000101 04 0a000002 00" + PREFIX) + unreach("000101" + "180a0102")
    update = decode_update(body(MANDATORY + again + damage, PREFIX + PREFIX, "180a0102"), EXTERNAL)
    other = bytes.fromhex("00000000" + "180a0102")
    assert update.withdrawn == ((IPV4_UNICAST, [other, ITEM]),)


def test_what_is_remembered_is_bounded_by_octets() -> None:
    decoder = UpdateDecoder(EXTERNAL)
    size = 4000 // 4
    for number in range(CACHED_OCTETS // 4000 + 100):
        values = b"".join((number << 16 | place).to_bytes(4, "big") for place in range(size)).hex()
        decoder.decode(body(MANDATORY + f"d008{4 * size:04x}" + values, PREFIX))
        assert sum(map(len, decoder._cache)) <= CACHED_OCTETS
        assert sum(map(len, decoder._known)) <= CACHED_OCTETS


def test_discards_need_no_routes() -> None:
    assert decode_update(body("40060100" + unreach("000201")), EXTERNAL).error is None


def test_of_repeated_attributes_the_first_counts() -> None:
    update = decode_update(body(MANDATORY + "80040400000001" + "80040400000002", PREFIX), EXTERNAL)
    assert update.attributes.get(4) == Med(1)
    assert (update.error, update.discarded) == (None, ())


def test_unknown_transitive_attributes_are_kept_with_the_partial_bit() -> None:
    update = decode_update(body(MANDATORY + "c0fe02beef", PREFIX), EXTERNAL)
    assert update.attributes.get(254) == UnknownAttribute(254, 0xE0, b"\xbe\xef")


def test_unknown_non_transitive_attributes_are_ignored_quietly() -> None:
    update = decode_update(body(MANDATORY + "80fd02beef", PREFIX), EXTERNAL)
    assert update.attributes.get(253) is None
    assert update.discarded == ()


def test_lower_flag_bits_and_a_stray_partial_bit_are_ignored() -> None:
    assert decode_update(body("6f010100" + AS_PATH + NEXT_HOP, PREFIX), EXTERNAL).error is None


def test_extended_length_may_be_used_for_short_values() -> None:
    update = decode_update(body("5001000100" + AS_PATH + NEXT_HOP, PREFIX), EXTERNAL)
    assert update.announced[0].items == [ITEM]


def test_attributes_iterate_in_code_order() -> None:
    update = decode_update(body("80040400000001" + NEXT_HOP + AS_PATH + ORIGIN, PREFIX), EXTERNAL)
    assert [item.CODE for item in update.attributes] == [1, 2, 3, 4]


AS_TRANS_PATH = "40020a0204" + "fde95ba05ba00005"
AS4_PATH = attribute(0xC0, 17, "0203" + "00011170" + "00011171" + "00000005")
OLD = Negotiated(local_as=65000, peer_as=65001, asn4=False)


def test_four_octet_paths_are_rebuilt_from_old_speakers() -> None:
    update = decode_update(body(ORIGIN + AS_TRANS_PATH + NEXT_HOP + AS4_PATH, PREFIX), OLD)
    assert update.attributes.get(2) == AsPath((Segment(2, (65001, 70000, 70001, 5)),))
    assert update.attributes.get(As4Path.CODE) is None


def test_aggregator_is_rebuilt_from_old_speakers() -> None:
    octets = ORIGIN + AS_TRANS_PATH + NEXT_HOP + "c007065ba00a000001" + "c01208000111700a000001"
    update = decode_update(body(octets, PREFIX), OLD)
    assert update.attributes.get(7) == Aggregator(70000, bytes((10, 0, 0, 1)))
    assert update.attributes.get(18) is None


def test_as4_attributes_are_ignored_where_an_old_speaker_aggregated_last() -> None:
    octets = ORIGIN + AS_TRANS_PATH + NEXT_HOP + "c00706fde90a000001" + AS4_PATH + "c01208000111700a000001"
    update = decode_update(body(octets, PREFIX), OLD)
    assert update.attributes.get(7) == Aggregator(65001, bytes((10, 0, 0, 1)))
    assert update.attributes.get(2) == AsPath((Segment(2, (65001, 23456, 23456, 5)),))


def test_malformed_as4_path_is_discarded() -> None:
    update = decode_update(body(ORIGIN + AS_TRANS_PATH + NEXT_HOP + "c0110102", PREFIX), OLD)
    assert update.error is None
    assert update.discarded == ("AS4_PATH ends within a segment header",)


@pytest.mark.parametrize(
    ("role", "asn", "leaked"),
    [(0, 65009, True), (1, 65009, True), (2, 65009, False), (3, 65009, False), (4, 65009, True), (4, 65001, False)],
)
def test_only_to_customer_reveals_leaks_by_role(role: int, asn: int, leaked: bool) -> None:
    negotiated = Negotiated(local_as=65000, peer_as=65001, role=role)
    update = decode_update(body(MANDATORY + f"c02304{asn:08x}", PREFIX), negotiated)
    assert (update.error is not None and "route leak" in update.error) == leaked
    assert bool(update.announced) != leaked


NEXT_HOPS = [
    (IPV4_UNICAST, 4, False, True),
    (IPV4_UNICAST, 16, False, False),
    (IPV4_UNICAST, 16, True, True),
    (IPV4_UNICAST, 32, True, True),
    (IPV4_UNICAST, 24, True, False),
    (IPV6_UNICAST, 16, False, True),
    (IPV6_UNICAST, 32, False, True),
    (IPV6_UNICAST, 4, False, False),
    (IPV6_UNICAST, 24, False, False),
    (IPV4_MPLS_VPN, 12, False, True),
    (IPV4_MPLS_VPN, 4, False, False),
    (IPV4_MPLS_VPN, 24, False, False),
    (IPV4_MPLS_VPN, 24, True, True),
    (IPV4_MPLS_VPN, 48, True, True),
    (FAMILIES["ipv6 mpls-vpn"], 24, False, True),
    (FAMILIES["ipv6 mpls-vpn"], 48, False, True),
    (FAMILIES["ipv6 mpls-vpn"], 12, False, False),
    (IPV4_FLOW, 0, False, True),
    (IPV4_FLOW, 5, False, False),
    (L2VPN_VPLS, 4, False, True),
    (L2VPN_EVPN, 16, False, True),
    (BGP_LS, 4, False, True),
    (BGP_LS, 32, False, True),
    (BGP_LS, 7, False, False),
    (BGP_LS, 12, False, False),
    (BGP_LS_VPN, 12, False, True),
    (BGP_LS_VPN, 40, False, True),
    (BGP_LS_VPN, 7, False, False),
    (Family(1, 66), 7, False, True),  # a family that nobody here can read
]


@pytest.mark.parametrize(("family", "octets", "extended", "fits"), NEXT_HOPS)
def test_next_hop_lengths_by_family(family: Family, octets: int, extended: bool, fits: bool) -> None:
    agreed = frozenset({(family, 2)}) if extended else frozenset()
    negotiated = Negotiated(peer_as=65001, families=(family,), next_hop=agreed)
    value = family.octets.hex() + f"{octets:02x}" + "20" * octets + "00"
    message = body(ORIGIN + AS_PATH + reach(value))
    if fits:
        assert decode_update(message, negotiated).error is None
    else:
        with pytest.raises(NotifyError, match=f"next hop of {octets} octets"):
            decode_update(message, negotiated)


def test_unspecified_ipv6_next_hop_withdraws() -> None:
    update = decode_update(body(ORIGIN + AS_PATH + reach("00020110" + "00" * 17 + "3020010db80001")), EXTERNAL)
    assert update.withdrawn == ((IPV6_UNICAST, [IPV6_ITEM]),)


GOOD_RULE, BAD_RULE = "0601200a000001", "030e8101"
RULES = [bytes(4) + bytes.fromhex(rule) for rule in (BAD_RULE, GOOD_RULE)]


def test_a_rule_with_an_unknown_component_withdraws_all_rules_of_the_message() -> None:
    update = decode_update(body(ORIGIN + AS_PATH + reach("0001850000" + BAD_RULE + GOOD_RULE)), EXTERNAL)
    assert update.announced == ()
    assert update.withdrawn == ((IPV4_FLOW, RULES),)
    assert update.error is not None
    assert update.error.startswith("a route of ipv4 flow cannot be read")


@pytest.mark.parametrize("attributes", ["", ORIGIN + AS_PATH])
def test_a_rule_with_an_unknown_component_can_be_withdrawn(attributes: str) -> None:
    update = decode_update(body(attributes + unreach("000185" + BAD_RULE + GOOD_RULE)), EXTERNAL)
    assert update.withdrawn == ((IPV4_FLOW, RULES),)
    assert update.error is None


def test_a_decoder_remembers_attribute_sets() -> None:
    decoder = UpdateDecoder(EXTERNAL)
    first = decoder.decode(body(MANDATORY, PREFIX))
    again = decoder.decode(body(MANDATORY, "00"))
    assert again.attributes is first.attributes
    multiprotocol = decoder.decode(body(MANDATORY + IPV6_REACH))
    assert multiprotocol.attributes is first.attributes


def test_a_decoder_remembers_faults() -> None:
    decoder = UpdateDecoder(EXTERNAL)
    for _ in range(2):
        update = decoder.decode(body("40010103" + AS_PATH + NEXT_HOP, PREFIX))
        assert update.error == "ORIGIN value 3 is not 0, 1 or 2"
        assert not update.announced


def check(octets: bytes, negotiated: Negotiated) -> None:
    """Decode hostile octets: NotifyError or an update whose every announced item decodes."""
    try:
        update = decode_update(octets, negotiated)
    except NotifyError:
        return
    if update.error is not None:
        assert not update.announced
    for family, _, items in update.announced:
        for item in items:
            decode(family, item)
    for family, items in update.withdrawn:
        for item in items:
            route_key(family, item)


@given(octets=st.binary(max_size=120))
def test_any_octets_end_in_an_update_or_a_notification(octets: bytes) -> None:
    check(octets, EVERYTHING)


@given(
    family=st.sampled_from(sorted(FAMILIES.values())),
    next_hop=st.sampled_from((0, 4, 12, 16, 24)),
    routes=st.binary(max_size=60),
    code=st.sampled_from((14, 15)),
)
def test_any_routes_end_in_an_update_or_a_notification(family: Family, next_hop: int, routes: bytes, code: int) -> None:
    hop = bytes((next_hop,)) + b"\x0a" * next_hop + b"\0" if code == 14 else b""
    value = (family.octets + hop + routes).hex()
    check(body(ORIGIN + AS_PATH + attribute(0x80, code, value)), EVERYTHING)


MESSAGE = body(MANDATORY + "80040400000001" + "c00804fde80001" + IPV6_REACH, PREFIX)


@pytest.mark.parametrize("length", range(len(MESSAGE)))
def test_truncation_at_each_octet_is_answered(length: int) -> None:
    check(MESSAGE[:length], EXTERNAL)


@pytest.mark.parametrize("offset", range(len(MESSAGE)))
def test_damage_of_each_octet_is_answered(offset: int) -> None:
    for value in (0, 1, 0x7F, 0xFF, MESSAGE[offset] ^ 0x10):
        check(MESSAGE[:offset] + bytes((value,)) + MESSAGE[offset + 1 :], EXTERNAL)
