"""What two OPENs agree upon, and whom we refuse."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bgp.capability import AddPath, ExtendedNextHop, FourOctetAsn, GracefulRestart, Multiprotocol, Role
from bgp.capability.role import CUSTOMER, PEER, PROVIDER, ROUTE_SERVER, ROUTE_SERVER_CLIENT
from bgp.errors import NotifyError
from bgp.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST, Family
from bgp.negotiate import SessionFacts, negotiate, negotiate_messages
from bgp.negotiated import Negotiated
from bgp.open import Open
from bgp.settings import SessionSettings

ID_1 = bytes((10, 0, 0, 1))
ID_2 = bytes((10, 0, 0, 2))
US = SessionSettings(ID_1, 65001, 65002, families=(IPV4_UNICAST, IPV6_UNICAST))
THEM = SessionSettings(ID_2, 65002, 65001, families=(IPV4_UNICAST, IPV6_UNICAST))
FACTS = SessionFacts(65001, 65002)


def agree(us: SessionSettings = US, them: SessionSettings = THEM, facts: SessionFacts = FACTS) -> Negotiated:
    return negotiate(us.open(), them.open(), facts)


def refusal(sent: Open, received: Open, facts: SessionFacts = FACTS) -> tuple[int, int, str]:
    with pytest.raises(NotifyError) as raised:
        negotiate(sent, received, facts)
    return raised.value.code, raised.value.subcode, raised.value.data.hex()


def test_two_default_speakers_agree() -> None:
    assert agree() == Negotiated(
        local_as=65001,
        peer_as=65002,
        local_id=ID_1,
        peer_id=ID_2,
        hold_time=180,
        message_size=65535,
        families=(IPV4_UNICAST, IPV6_UNICAST),
    )


def test_another_process_gets_the_same_from_the_octets() -> None:
    facts = SessionFacts(65001, 65002, bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2)), aigp=True)
    us = replace(US, add_path=3, route_refresh=True, graceful_restart=60)
    them = replace(THEM, add_path=1, route_refresh=True, graceful_restart=90)
    negotiated = agree(us, them, facts)
    assert negotiate_messages(us.open().message(), them.open().message(), facts) == negotiated
    assert negotiated.aigp
    assert negotiated.local_address == bytes((127, 0, 0, 1))
    assert negotiated.refresh == "enhanced"
    assert negotiated.graceful_restart
    assert negotiated.add_path_send == {IPV4_UNICAST, IPV6_UNICAST}
    assert negotiated.add_path_receive == frozenset()


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"), [(180, 90, 90), (30, 180, 30), (180, 0, 0), (0, 3, 0), (3, 3, 3)]
)
def test_the_hold_time_is_the_smaller(ours: int, theirs: int, expected: int) -> None:
    assert agree(replace(US, hold_time=ours), replace(THEM, hold_time=theirs)).hold_time == expected


@pytest.mark.parametrize("hold_time", [1, 2])
def test_a_hold_time_of_1_or_2_is_refused(hold_time: int) -> None:
    received = replace(THEM.open(), hold_time=hold_time)
    assert refusal(US.open(), received) == (2, 6, f"000{hold_time}")


def test_families_are_what_both_have_in_our_order() -> None:
    them = replace(THEM, families=(IPV6_UNICAST, IPV4_MULTICAST))
    assert agree(them=them).families == (IPV6_UNICAST,)


def test_no_multiprotocol_capability_means_ipv4_unicast() -> None:
    received = Open(65002, 90, ID_2)
    assert negotiate(US.open(), received, FACTS).families == (IPV4_UNICAST,)
    assert not negotiate(US.open(), received, FACTS).asn4


def test_no_common_family_is_no_error() -> None:
    assert agree(them=replace(THEM, families=(IPV4_MULTICAST,))).families == ()


ADD_PATH = [
    (1, 1, False, False),
    (1, 2, False, True),
    (2, 1, True, False),
    (2, 2, False, False),
    (3, 1, True, False),
    (3, 2, False, True),
    (3, 3, True, True),
]


@pytest.mark.parametrize(("ours", "theirs", "send", "receive"), ADD_PATH)
def test_add_path_needs_one_who_sends_and_one_who_receives(ours: int, theirs: int, send: bool, receive: bool) -> None:
    negotiated = agree(replace(US, add_path=ours), replace(THEM, add_path=theirs))
    assert (IPV4_UNICAST in negotiated.add_path_send) is send
    assert (IPV4_UNICAST in negotiated.add_path_receive) is receive


def test_the_first_add_path_entry_counts_and_undefined_modes_do_not() -> None:
    received = Open(
        65002,
        90,
        ID_2,
        (
            Multiprotocol(IPV4_UNICAST),
            Multiprotocol(IPV6_UNICAST),
            AddPath(((IPV4_UNICAST, 1), (IPV4_UNICAST, 3), (IPV6_UNICAST, 7))),
        ),
    )
    negotiated = negotiate(replace(US, add_path=3).open(), received, FACTS)
    assert negotiated.add_path_send == {IPV4_UNICAST}
    assert negotiated.add_path_receive == frozenset()


def test_extended_next_hops_are_what_both_have() -> None:
    ours = replace(US, next_hops=((IPV4_UNICAST, 2),)).open()
    theirs = (Multiprotocol(IPV4_UNICAST), ExtendedNextHop(((IPV4_UNICAST, 2), (Family(1, 128), 2))))
    received = Open(65002, 90, ID_2, theirs)
    assert negotiate(ours, received, FACTS).next_hop == {(IPV4_UNICAST, 2)}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("asn4", {"asn4": False}),
        ("extended message", {"extended_message": False}),
        ("refresh", {"route_refresh": False}),
        ("operational", {"operational": False}),
        ("multisession", {"multi_session": False}),
        ("graceful restart", {"graceful_restart": None}),
    ],
)
def test_what_one_side_lacks_is_not_agreed(name: str, changes: dict[str, Any]) -> None:
    everything: dict[str, Any] = {
        "route_refresh": True,
        "operational": True,
        "multi_session": True,
        "graceful_restart": 60,
    }
    us = replace(US, **everything)
    them = replace(THEM, **everything)
    both = agree(us, them)
    assert both.operational
    assert both.multisession
    assert both.refresh == "enhanced"
    assert agree(replace(us, **changes), them) == agree(us, replace(them, **changes)) != both


@pytest.mark.parametrize(
    ("ours", "theirs", "restarted", "stale"),
    [(60, 60, False, True), (60, 60, True, False), (60, None, False, False), (None, 60, False, False)],
)
def test_only_a_graceful_peer_that_went_on_may_hold_routes_of_a_former_session(
    ours: int | None, theirs: int | None, restarted: bool, stale: bool
) -> None:
    us = replace(US, graceful_restart=ours)
    assert agree(us, replace(THEM, graceful_restart=theirs, restarting=restarted)).stale_routes is stale


def test_a_peer_without_rfc_7313_refreshes_plainly() -> None:
    them = replace(THEM, route_refresh=True).open()
    plain = replace(them, capabilities=tuple(one for one in them.capabilities if one.code != 70))
    assert negotiate(replace(US, route_refresh=True).open(), plain, FACTS).refresh == "normal"


WRONG_AS = [
    ("another AS", Open(65003, 90, ID_2, (FourOctetAsn(65003),)), "0000fdeb"),
    ("another AS of 2 octets", Open(65003, 90, ID_2), "fdeb"),
    ("another AS in the capability", Open(65002, 90, ID_2, (FourOctetAsn(0xABCDEF12),)), "abcdef12"),
    ("AS 0", Open(0, 90, ID_2), "0000"),
    ("AS 0 in the capability", Open(65002, 90, ID_2, (FourOctetAsn(0),)), "00000000"),
    ("AS 0 in the field", Open(0, 90, ID_2, (FourOctetAsn(65002),)), "0000fdea"),
]


@pytest.mark.parametrize(("received", "data"), [row[1:] for row in WRONG_AS], ids=[row[0] for row in WRONG_AS])
def test_a_wrong_as_is_refused_and_named(received: Open, data: str) -> None:
    assert refusal(US.open(), received) == (2, 2, data)


def test_as_0_is_refused_even_where_any_as_would_do() -> None:
    assert refusal(US.open(), Open(0, 90, ID_2), SessionFacts(65001, None))[:2] == (2, 2)


def test_an_automatic_peer_as_is_what_the_peer_says() -> None:
    negotiated = negotiate(US.open(), Open(23456, 90, ID_2, (FourOctetAsn(196614),)), SessionFacts(65001))
    assert negotiated.peer_as == 196614


def test_a_2_octet_speaker_may_expect_as_trans() -> None:
    received = Open(23456, 90, ID_2, (FourOctetAsn(196614),))
    facts = SessionFacts(65001, 23456)
    assert negotiate(replace(US, asn4=False).open(), received, facts).peer_as == 23456
    assert refusal(US.open(), received, facts)[:2] == (2, 2)


def test_a_4_octet_local_as_is_kept_without_the_capability() -> None:
    us = replace(US, local_as=196614, asn4=False)
    negotiated = negotiate(us.open(), Open(65002, 90, ID_2), SessionFacts(196614, 65002))
    assert negotiated.local_as == 196614
    assert not negotiated.asn4


def test_identifier_zero_is_refused() -> None:
    assert refusal(US.open(), replace(THEM.open(), router_id=bytes(4))) == (2, 3, "00000000")


def test_our_own_identifier_is_refused_on_ibgp_only() -> None:
    received = Open(65001, 90, ID_1)
    assert refusal(US.open(), received, SessionFacts(65001, 65001)) == (2, 3, ID_1.hex())
    assert negotiate(US.open(), replace(received, asn=65002), FACTS).peer_id == ID_1


def test_ibgp_allows_aigp_without_a_switch() -> None:
    assert negotiate(US.open(), Open(65001, 90, ID_2), SessionFacts(65001, 65001)).aigp
    assert not agree().aigp


ROLES = [
    (PROVIDER, CUSTOMER, True),
    (CUSTOMER, PROVIDER, True),
    (ROUTE_SERVER, ROUTE_SERVER_CLIENT, True),
    (ROUTE_SERVER_CLIENT, ROUTE_SERVER, True),
    (PEER, PEER, True),
    (PROVIDER, PROVIDER, False),
    (PROVIDER, PEER, False),
    (ROUTE_SERVER, CUSTOMER, False),
    (PEER, 9, False),
]


@pytest.mark.parametrize(("ours", "theirs", "fit"), ROLES)
def test_roles_must_be_a_pair(ours: int, theirs: int, fit: bool) -> None:
    sent = replace(US, role=ours).open()
    received = replace(THEM, role=theirs).open()
    if fit:
        assert negotiate(sent, received, FACTS).role == ours
    else:
        assert refusal(sent, received) == (2, 11, "")


def test_graceful_restart_without_a_family_is_none() -> None:
    sent = replace(US, graceful_restart=60).open()
    for families, agreed in (((), False), (((IPV4_UNICAST, 0),), True)):
        received = Open(65002, 90, ID_2, (GracefulRestart(0, 60, families),))
        assert negotiate(sent, received, FACTS).graceful_restart is agreed


def test_a_missing_role_is_an_error_only_where_roles_are_strict() -> None:
    sent = replace(US, role=PROVIDER).open()
    assert negotiate(sent, THEM.open(), FACTS).role == PROVIDER
    assert refusal(sent, THEM.open(), replace(FACTS, role_strict=True)) == (2, 11, "")


def test_several_roles_that_differ_are_an_error_and_equal_ones_are_not() -> None:
    received = Open(65002, 90, ID_2, (Role(1), Role(3)))
    assert refusal(US.open(), received) == (2, 11, "")
    assert negotiate(US.open(), Open(65002, 90, ID_2, (Role(1), Role(1))), FACTS).role is None


def test_roles_do_not_matter_within_an_as() -> None:
    sent = replace(US, peer_as=65001, role=PROVIDER, role_strict=True).open()
    received = Open(65001, 90, ID_2, (Role(PROVIDER), Role(PEER)))
    assert negotiate(sent, received, SessionFacts(65001, 65001)).role is None
