"""JSON of OPENs: what ExaBGP 5.0.15 prints of the same octets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apid.render.decode import decode_event
from apid.render.json_open import open_json
from apid.render.text_open import open_text
from bgp.capability import CiscoMultiSession, GracefulRestart, MultiSession
from bgp.message import MessageType, build
from bgp.open import Open

# Capabilities in hexadecimal -> the object; all seen with `exabgp decode`.
RECEIVED = (
    ("010400050001", {"1": {"name": "multiprotocol", "families": ["unknown-afi-0x5/unicast"]}}),
    ("010400000000", {"1": {"name": "multiprotocol", "families": ["undefined/unknown safi 0"]}}),
    ("010440050047", {"1": {"name": "multiprotocol", "families": ["unknown-afi-0x4005/bgp-ls"]}}),
    ("450400010104", {"69": {"name": "addpath", "ipv4/unicast": "invalid (4)"}}),
    ("450400016301", {"69": {"name": "addpath", "ipv4/unknown safi 99": "receive"}}),
    ("0506000100010003", {"5": {"name": "nexthop", "conversion": ["ipv4/unicast/unknown-afi-0x3"]}}),
    (
        "0506000100010002 0506000100010002 050c 000100010002 000100800002",
        {"5": {"name": "nexthop", "conversion": ["ipv4/unicast/ipv6", "ipv4/mpls-vpn/ipv6"]}},
    ),
    ("440100", {"68": {"name": "multisession", "variant": "RFC", "capabilities": []}}),
    ("440101", {"68": {"name": "multisession", "variant": "RFC", "capabilities": []}}),
    (
        "4403000102",
        {"68": {"name": "multisession", "variant": "RFC", "capabilities": ["multiprotocol", "route-refresh"]}},
    ),
    (
        "4404 00034681",
        {
            "68": {
                "name": "multisession",
                "variant": "RFC",
                "capabilities": ["outbound-route-filtering", "enhanced-route-refresh", "reserved-0x81"],
            }
        },
    ),
    (
        "4405 00430742 63",
        {
            "68": {
                "name": "multisession",
                "variant": "RFC",
                "capabilities": ["dynamic-capability", "capability-0x7", "capability-0x42", "unassigned-0x63"],
            }
        },
    ),
    ("44020001440102", {"68": {"name": "multisession", "variant": "RFC", "capabilities": ["multiprotocol"]}}),
    ("83020001", {"131": {"name": "multisession", "variant": "Cisco", "capabilities": ["multiprotocol"]}}),
    ("4104000000014104000000 02", {"65": {"name": "asn4", "asn4": 2}}),
    ("49040161016249040163 0164", {"73": {"host-name": "c", "domain-name": "d"}}),
    ("4b0201614b020163", {"75": {"software": "c"}}),
    ("630161630162", {"99": {"name": "unknown", "iana": "unassigned", "value": 99, "raw": "62"}}),
    (
        "4002000140060002 00010180",
        {
            "64": {
                "name": "graceful restart",
                "time": 2,
                "address-family-flags": {"ipv4/unicast": ["restart"]},
                "restart-flags": [],
            }
        },
    ),
)


def open_message(capabilities: bytes) -> bytes:
    """Build an OPEN with these capabilities in one parameter."""
    parameter = bytes((2, len(capabilities))) + capabilities
    return build(MessageType.OPEN, bytes.fromhex("04fffd00b40a000002") + bytes((len(parameter),)) + parameter)


@pytest.mark.parametrize(("octets", "wanted"), RECEIVED)
def test_a_received_capability_is_told_as_exabgp_does(octets: str, wanted: dict[str, Any]) -> None:
    event = json.loads(decode_event(open_message(bytes.fromhex(octets))))
    assert event["neighbor"]["open"]["capabilities"] == wanted


def test_what_is_sent_of_sessions_is_told_although_it_stands_in_two_capabilities() -> None:
    message = Open(65001, 180, bytes(4), (MultiSession(0), MultiSession(1), CiscoMultiSession(0)))
    assert json.loads(open_json(message, received=False))["capabilities"] == {
        "multi-session": {"name": "multisession", "variant": "RFC", "capabilities": ["multiprotocol"]},
        "cisco-multi-sesion": {"name": "multisession", "variant": "Cisco", "capabilities": []},
    }


def test_of_several_capabilities_the_last_counts() -> None:
    """RFC 4724 section 3."""
    message = Open(65001, 180, bytes(4), (GracefulRestart(0, 1, ()), GracefulRestart(0, 2, ())))
    assert message.last(GracefulRestart) == GracefulRestart(0, 2, ())
    assert "time 2]" in open_text(message)
    assert '"time": 2,' in open_json(message, received=True)
