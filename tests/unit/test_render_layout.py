"""The two layouts of routes in JSON, and the short ways that lead to the same text as the long ones."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from apid.render import RECEIVE, SEND, Form, Renderer
from bgp.family import FAMILIES, IPV4_UNICAST, IPV6_UNICAST
from bgp.message import build
from bgp.negotiated import Negotiated
from tests.unit.test_render_strict import NEGOTIATED, NEIGHBOR, PROCESS, WHEN, strict

BASE = "40010100 400200 40050400000064"
NEXT_HOP = "400304c0000201"
ADD_PATH = replace(NEGOTIATED, add_path_receive=frozenset((IPV4_UNICAST,)), families=tuple(FAMILIES.values()))


def update(attributes: str = "", nlri: str = "", withdrawn: str = "") -> bytes:
    """Build an UPDATE from the hex of its fields."""
    fields = bytes.fromhex(withdrawn), bytes.fromhex(attributes)
    framed = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    return build(2, framed + bytes.fromhex(nlri))


def reach(family: str, next_hop: str, nlri: str) -> str:
    """Return MP_REACH_NLRI in hex."""
    afi, safi = FAMILIES[family]
    hop, routes = bytes.fromhex(next_hop), bytes.fromhex(nlri)
    value = afi.to_bytes(2, "big") + bytes((safi, len(hop))) + hop + b"\0" + routes
    return f"800e{len(value):02x}{value.hex()}"


def unreach(family: str, nlri: str) -> str:
    """Return MP_UNREACH_NLRI in hex."""
    afi, safi = FAMILIES[family]
    value = afi.to_bytes(2, "big") + bytes((safi,)) + bytes.fromhex(nlri)
    return f"800f{len(value):02x}{value.hex()}"


def said(message: bytes, negotiated: Negotiated = NEGOTIATED, direction: str = RECEIVE, **options: Any) -> Any:
    """Render one UPDATE and return its `update` object."""
    renderer = Renderer(NEIGHBOR, PROCESS, **options)
    (event,) = renderer.update(message, WHEN, direction, negotiated, 1, Form.PARSED)
    return strict(event)["neighbor"]["message"]["update"]


PREFIXES = "180a0001 00 080a 200a000001 0f0a02 1a0a0000c0"
TEXTS = ["10.0.1.0/24", "0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/32", "10.2.0.0/15", "10.0.0.192/26"]


def test_by_next_hop_announces_family_then_next_hop_then_routes() -> None:
    announce = said(update(BASE + NEXT_HOP, PREFIXES))["announce"]
    assert announce == {"ipv4 unicast": {"192.0.2.1": [{"nlri": text} for text in TEXTS]}}


def test_by_prefix_announces_family_then_prefix_then_paths() -> None:
    announce = said(update(BASE + NEXT_HOP, PREFIXES), layout="by-prefix")["announce"]
    assert announce == {"ipv4 unicast": {text: [{"next-hop": "192.0.2.1"}] for text in TEXTS}}


def test_withdrawals_are_a_list_or_keys() -> None:
    message = update(withdrawn="180a0001 180a0002")
    assert said(message) == {"withdraw": {"ipv4 unicast": [{"nlri": "10.0.1.0/24"}, {"nlri": "10.0.2.0/24"}]}}
    assert said(message, layout="by-prefix") == {"withdraw": {"ipv4 unicast": {"10.0.1.0/24": {}, "10.0.2.0/24": {}}}}


def test_compact_prefixes_are_strings_where_the_layout_has_a_list() -> None:
    assert said(update(BASE + NEXT_HOP, "180a0001"), compact=True)["announce"] == {
        "ipv4 unicast": {"192.0.2.1": ["10.0.1.0/24"]}
    }
    assert said(update(withdrawn="180a0001"), compact=True) == {"withdraw": {"ipv4 unicast": ["10.0.1.0/24"]}}
    message = update(BASE + reach("ipv6 unicast", "20010db8" + "00" * 11 + "01", "2020010db8"))
    assert said(message, compact=True)["announce"] == {"ipv6 unicast": {"2001:db8::1": ["2001:db8::/32"]}}
    labelled = update(BASE + reach("ipv4 nlri-mpls", "c0000201", "30 000641 0a0001"))
    assert said(labelled, compact=True)["announce"]["ipv4 nlri-mpls"]["192.0.2.1"] == [
        {"nlri": "10.0.1.0/24", "label": [[100]]}
    ]


@pytest.mark.parametrize("layout", ["by-next-hop", "by-prefix"])
def test_a_prefix_that_comes_twice_is_valid_json(layout: str) -> None:
    strict_update = said(update(BASE + NEXT_HOP, "180a0001 180a0001"), layout=layout)
    assert "10.0.1.0/24" in str(strict_update["announce"])
    said(update(withdrawn="180a0001 180a0001"), layout=layout)


def test_path_identifiers_are_shown_where_they_were_negotiated_and_only_there() -> None:
    message = update(BASE + NEXT_HOP, "00000007 180a0001 00000000 180a0001 01020304 180a0002")
    assert said(message, ADD_PATH)["announce"]["ipv4 unicast"]["192.0.2.1"] == [
        {"nlri": "10.0.1.0/24", "path-information": "0.0.0.7"},
        {"nlri": "10.0.1.0/24", "path-information": "0.0.0.0"},
        {"nlri": "10.0.2.0/24", "path-information": "1.2.3.4"},
    ]
    assert said(message, ADD_PATH, layout="by-prefix")["announce"]["ipv4 unicast"] == {
        "10.0.1.0/24": [
            {"next-hop": "192.0.2.1", "path-information": "0.0.0.7"},
            {"next-hop": "192.0.2.1", "path-information": "0.0.0.0"},
        ],
        "10.0.2.0/24": [{"next-hop": "192.0.2.1", "path-information": "1.2.3.4"}],
    }


def test_by_prefix_a_withdrawal_that_says_more_than_its_key_has_that_in_its_object() -> None:
    one = update(withdrawn="00000007 180a0001")
    assert said(one, ADD_PATH, layout="by-prefix")["withdraw"]["ipv4 unicast"] == {
        "10.0.1.0/24": {"path-information": "0.0.0.7"}
    }
    two = update(withdrawn="00000007 180a0001 00000008 180a0001")
    assert said(two, ADD_PATH, layout="by-prefix")["withdraw"]["ipv4 unicast"] == {
        "10.0.1.0/24": [{"path-information": "0.0.0.7"}, {"path-information": "0.0.0.8"}]
    }


def test_what_we_send_is_read_with_the_path_identifiers_that_we_send() -> None:
    sending = replace(NEGOTIATED, add_path_send=frozenset((IPV4_UNICAST,)))
    message = update(BASE + NEXT_HOP, "00000007 180a0001")
    assert said(message, sending, SEND)["announce"]["ipv4 unicast"]["192.0.2.1"] == [
        {"nlri": "10.0.1.0/24", "path-information": "0.0.0.7"}
    ]


def test_a_new_session_does_not_remember_attributes_of_the_last_one() -> None:
    renderer = Renderer(NEIGHBOR, PROCESS)
    attributes = "40010100 40020a 0202 0000 fde9 0000 fdea" + NEXT_HOP
    message = update(attributes + "40050400000064", "180a0001")
    paths = []
    for asn4 in (True, False):
        context = replace(NEGOTIATED, asn4=asn4)
        for event in renderer.update(message, WHEN, RECEIVE, context, 1, Form.PARSED):
            paths.append(strict(event)["neighbor"]["message"]["update"]["attribute"].get("as-path"))
    assert paths[0] == {"0": {"element": "as-sequence", "value": [65001, 65002]}}
    assert paths[0] not in paths[1:]


def test_vpn_routes_have_their_labels_and_distinguisher_beside_the_prefix() -> None:
    message = update(BASE + reach("ipv4 mpls-vpn", "00" * 8 + "c0000201", "70 000641 0000fde900000064 0a0001"))
    beside = {"label": [[100]], "rd": "65001:100"}
    assert said(message)["announce"]["ipv4 mpls-vpn"] == {"192.0.2.1": [{"nlri": "10.0.1.0/24", **beside}]}
    assert said(message, layout="by-prefix")["announce"]["ipv4 mpls-vpn"] == {
        "10.0.1.0/24": [{"next-hop": "192.0.2.1", **beside}]
    }


def test_by_prefix_a_flow_is_keyed_by_its_text_and_says_its_next_hop_once() -> None:
    message = update(BASE + reach("ipv4 flow", "c0000201", "0501180a0009"))
    assert said(message, layout="by-prefix")["announce"]["ipv4 flow"] == {
        "flow destination-ipv4 10.0.9.0/24": [
            {
                "next-hop": "192.0.2.1",
                "destination-ipv4": ["10.0.9.0/24"],
                "string": "flow destination-ipv4 10.0.9.0/24",
            }
        ]
    }


def test_without_next_hop_a_flow_says_so_by_next_hop_and_nothing_by_prefix() -> None:
    message = update(BASE + reach("ipv4 flow", "", "03038106"))
    route = {"protocol": ["=tcp"], "string": "flow protocol =tcp"}
    assert said(message)["announce"]["ipv4 flow"] == {"no-nexthop": [route]}
    assert said(message, layout="by-prefix")["announce"]["ipv4 flow"] == {"flow protocol =tcp": [route]}


def test_by_prefix_an_evpn_route_is_keyed_by_its_text() -> None:
    message = update(BASE + reach("l2vpn evpn", "c0000201", "0311 0000fde900000064 00000064 20 0a000001"))
    ((key, (route,)),) = said(message, layout="by-prefix")["announce"]["l2vpn evpn"].items()
    assert key == "evpn:multicast::65001:100:100:10.0.0.1"
    assert (route["next-hop"], route["ip"]) == ("192.0.2.1", "10.0.0.1")


def test_a_global_and_a_link_local_next_hop_are_two() -> None:
    hop = "20010db8" + "00" * 11 + "01" + "fe80" + "00" * 13 + "01"
    message = update(BASE + reach("ipv6 unicast", hop, "2020010db8"))
    route = [{"nlri": "2001:db8::/32"}]
    assert said(message)["announce"] == {"ipv6 unicast": {"2001:db8::1": route, "fe80::1": route}}
    assert said(message, layout="by-prefix")["announce"] == {
        "ipv6 unicast": {"2001:db8::/32": [{"next-hop": "2001:db8::1"}, {"next-hop": "fe80::1"}]}
    }


def test_routes_of_one_family_from_both_fields_are_one_object() -> None:
    message = update(BASE + NEXT_HOP + reach("ipv4 unicast", "c0000201", "180a0002"), "180a0001")
    assert said(message)["announce"] == {
        "ipv4 unicast": {"192.0.2.1": [{"nlri": "10.0.1.0/24"}, {"nlri": "10.0.2.0/24"}]}
    }


def test_withdrawals_beside_attributes_show_the_attributes() -> None:
    assert list(said(update(unreach("ipv6 unicast", "2020010db8")))) == ["withdraw"]
    assert list(said(update(BASE + unreach("ipv6 unicast", "2020010db8")))) == ["attribute", "withdraw"]


@pytest.mark.parametrize("layout", ["by-next-hop", "by-prefix"])
@pytest.mark.parametrize("compact", [False, True])
def test_the_short_way_of_plain_ipv4_routes_says_what_the_long_one_says(layout: str, compact: bool) -> None:
    plain = said(update(BASE + NEXT_HOP, "180a0001 100a02"), layout=layout, compact=compact)
    mixed = said(update(BASE + NEXT_HOP, "180a0001 100a02", withdrawn="180a0003"), layout=layout, compact=compact)
    assert mixed["announce"] == plain["announce"]
    assert mixed["attribute"] == plain["attribute"]
    alone = said(update(withdrawn="180a0003"), layout=layout, compact=compact)
    assert mixed["withdraw"] == alone["withdraw"]


def test_a_damaged_route_is_shown_as_octets() -> None:
    context = replace(NEGOTIATED, families=(IPV4_UNICAST, IPV6_UNICAST, FAMILIES["l2vpn evpn"]))
    message = update(BASE + reach("l2vpn evpn", "c0000201", "0302 aabb"))
    text = str(said(message, context))
    assert "AABB" in text or "withdraw" in text
