"""OPEN messages: golden octets, damage of every kind, both forms of optional parameters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.capability import FourOctetAsn, Multiprotocol, SoftwareVersion, UnknownCapability
from bgp.errors import NotifyError
from bgp.family import IPV4_MPLS_VPN, IPV4_MULTICAST, IPV4_NLRI_MPLS, IPV4_UNICAST, IPV6_UNICAST, Family
from bgp.open import Open
from bgp.settings import SessionSettings
from tests.unit.session_vectors import plain, rows

ROWS = rows("open")
ROUTER_ID = bytes((10, 0, 0, 1))
HEAD = "04fde9005a0a000002"


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_golden_open_works_in_both_directions(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    message = Open.decode(octets)
    assert plain(message) == row["value"]
    assert message.encode() == octets
    assert Open.from_message(message.message()) == message


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_an_open_cut_at_any_octet_is_refused(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    for length in range(len(octets)):
        with pytest.raises(NotifyError) as raised:
            Open.decode(octets[:length])
        assert (raised.value.code, raised.value.subcode) in {(1, 2), (2, 0)}


@given(st.binary(max_size=60))
def test_random_parameters_raise_notify_error_or_reach_a_fixed_point(octets: bytes) -> None:
    outcome = None
    try:
        message = Open.decode(bytes.fromhex(HEAD) + bytes((len(octets),)) + octets)
    except NotifyError as error:
        outcome = (error.code, error.subcode)
    else:
        assert Open.decode(message.encode()) == message
    assert outcome in {None, (2, 0), (2, 4)}


DAMAGED = [
    ("version 3", "03fde9005a0a00000200", (2, 1, "0004")),
    ("version 5", "05fde9005a0a00000200", (2, 1, "0004")),
    ("length over what came", HEAD + "05" + "02020200", (2, 0, "")),
    ("length under what came", HEAD + "03" + "02020200", (2, 0, "")),
    ("octets after length 0", HEAD + "00" + "02020200", (2, 0, "")),
    ("a parameter that ends beyond", HEAD + "04" + "02030200", (2, 0, "")),
    ("a parameter without length", HEAD + "01" + "02", (2, 0, "")),
    ("a capability that ends beyond", HEAD + "04" + "02020201", (2, 0, "")),
    ("a capability without length", HEAD + "03" + "020102", (2, 0, "")),
    ("authentication", HEAD + "03" + "010100", (2, 4, "")),
    ("an unknown parameter", HEAD + "02" + "0900", (2, 4, "")),
    ("type 255 that is not first", HEAD + "06" + "02020200" + "ff00", (2, 4, "")),
    ("extended, shorter than its length", HEAD + "ff" + "ff00020001", (2, 0, "")),
    ("extended, without length", HEAD + "ff" + "ff00", (2, 0, "")),
    ("asn4 of 3 octets", HEAD + "07" + "02054103abcdef", (2, 0, "")),
    ("multiprotocol without value", HEAD + "04" + "02020100", (2, 0, "")),
    ("role without value", HEAD + "04" + "02020900", (2, 0, "")),
]


@pytest.mark.parametrize(("octets", "expected"), [row[1:] for row in DAMAGED], ids=[row[0] for row in DAMAGED])
def test_damage_is_refused_with_its_subcode(octets: str, expected: tuple[int, int, str]) -> None:
    with pytest.raises(NotifyError) as raised:
        Open.decode(bytes.fromhex(octets))
    assert (raised.value.code, raised.value.subcode, raised.value.data.hex()) == expected


@pytest.mark.parametrize("length", ["ff", "01", "07"])
def test_the_extended_form_is_known_by_its_type_whatever_the_short_length_says(length: str) -> None:
    message = Open.decode(bytes.fromhex(HEAD + length + "ff0009" + "020006" + "010400010001"))
    assert message.capabilities == (Multiprotocol(IPV4_UNICAST),)


def test_the_extended_form_may_be_empty() -> None:
    assert Open.decode(bytes.fromhex(HEAD + "ffff0000")).capabilities == ()


def test_several_capabilities_may_share_a_parameter() -> None:
    message = Open.decode(bytes.fromhex(HEAD + "0e" + "020c" + "010400010001" + "41040000fde9"))
    assert message.capabilities == (Multiprotocol(IPV4_UNICAST), FourOctetAsn(65001))


@pytest.mark.parametrize(("size", "extended"), [(251, False), (252, True)])
def test_parameters_over_255_octets_take_the_extended_form(size: int, extended: bool) -> None:
    message = Open(65001, 90, ROUTER_ID, (UnknownCapability(200, bytes(size)),))
    octets = message.encode()
    assert (octets[9:11] == b"\xff\xff") is extended
    assert Open.decode(octets) == message


def test_the_real_as_is_the_capabilitys() -> None:
    assert Open(23456, 90, ROUTER_ID, (FourOctetAsn(196614),)).real_asn == 196614
    assert Open(65001, 90, ROUTER_ID).real_asn == 65001


def golden(row_id: str) -> bytes:
    return bytes.fromhex(next(row["hex"] for row in ROWS if row["id"] == row_id))


SCRAMBLED = (
    Family(2, 128),
    IPV6_UNICAST,
    Family(2, 4),
    Family(25, 70),
    IPV4_MPLS_VPN,
    IPV4_NLRI_MPLS,
    IPV4_UNICAST,
    IPV4_MULTICAST,
)
CONFIGURED = [
    ("ipv4 unicast only", SessionSettings(ROUTER_ID, 65001, 65002, families=(IPV4_UNICAST,))),
    (
        "everything ExaBGP can offer for five families",
        SessionSettings(
            ROUTER_ID,
            65001,
            65002,
            families=(IPV4_UNICAST, IPV6_UNICAST, IPV4_NLRI_MPLS, IPV4_MPLS_VPN, Family(1, 133)),
            route_refresh=True,
            graceful_restart=120,
            add_path=3,
            operational=True,
            next_hops=((IPV4_UNICAST, 2),),
            software_version="ExaBGP/5.0.15",
            host_name="aye",
            domain_name="bee.example",
        ),
    ),
    (
        "multi-session and graceful restart at hold time",
        SessionSettings(
            ROUTER_ID,
            65001,
            65002,
            families=SCRAMBLED,
            route_refresh=True,
            graceful_restart=0,
            add_path=2,
            multi_session=True,
            next_hops=(
                (IPV4_MPLS_VPN, 2),
                (IPV6_UNICAST, 1),
                (IPV4_UNICAST, 2),
                (IPV4_NLRI_MPLS, 2),
            ),
        ),
    ),
    (
        "without asn4",
        SessionSettings(
            ROUTER_ID,
            65001,
            65002,
            families=SCRAMBLED,
            add_path=1,
            add_path_families=(IPV6_UNICAST, IPV4_UNICAST, IPV4_MULTICAST),
            asn4=False,
            extended_message=False,
            software_version="ExaBGP/5.0.15",
            host_name="aye",
        ),
    ),
    (
        "extended optional parameters",
        SessionSettings(
            ROUTER_ID,
            65001,
            65002,
            route_refresh=True,
            graceful_restart=65535,
            add_path=3,
            operational=True,
            next_hops=((IPV4_UNICAST, 2),),
            software_version="ExaBGP/5.0.15",
            host_name="aye",
            domain_name="0123456789" * 7,
        ),
    ),
    (
        "AS_TRANS and a 4-octet AS",
        SessionSettings(ROUTER_ID, 4200000001, 65002, families=(IPV4_UNICAST,)),
    ),
]


@pytest.mark.parametrize(("row_id", "settings"), CONFIGURED, ids=[row[0] for row in CONFIGURED])
def test_settings_give_the_open_that_exabgp_sends_for_them(row_id: str, settings: SessionSettings) -> None:
    assert settings.open().encode().hex() == golden(row_id).hex()


def test_an_automatic_local_as_is_the_peers() -> None:
    settings = SessionSettings(ROUTER_ID, None, None)
    assert settings.open(65007).real_asn == 65007
    with pytest.raises(ValueError, match="not known yet"):
        settings.open()


def test_what_exabgp_5_has_not_comes_after_what_it_has() -> None:
    settings = SessionSettings(
        ROUTER_ID,
        65001,
        65002,
        families=(IPV4_UNICAST,),
        graceful_restart=60,
        long_lived_time=3600,
        add_path=3,
        paths_limits=((IPV4_UNICAST, 10),),
        software_version="é" * 200,
        role=3,
        link_local=True,
        restarting=False,
    )
    message = settings.open()
    assert [capability.code for capability in message.capabilities] == [1, 65, 69, 64, 6, 75, 9, 71, 76, 77]
    assert message.capabilities[3].encode().hex() == "003c" + "00010180"
    software = message.last(SoftwareVersion)
    assert software is not None
    assert software.software.decode() == "é" * 126


def test_next_hops_can_be_switched_off() -> None:
    families = (IPV4_UNICAST, IPV6_UNICAST)
    settings = SessionSettings(ROUTER_ID, 1, 2, families=families, next_hop=False, next_hops=((IPV4_UNICAST, 2),))
    assert 5 not in [capability.code for capability in settings.open().capabilities]
