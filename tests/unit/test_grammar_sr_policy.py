"""Segments of an SR policy by their words, against the golden octets of the same names."""

from __future__ import annotations

import json

import pytest

from apid.grammar.command import RouteChange, parse_command
from apid.grammar.words import GrammarError
from bgp.attribute import TunnelEncapsulation
from bgp.attribute.tunnel_sr_policy import SrPolicyPath
from bgp.negotiated import Negotiated
from bgp.route import decode_set
from tests.shared import ROOT

POLICY = "announce ipv4 sr-policy distinguisher 1 color 2 endpoint 192.0.2.9 next-hop 192.0.2.1 {}"
GOLDEN = {
    row["id"]: row["hex"] for row in map(json.loads, (ROOT / "tests/golden/tunnel.jsonl").read_text().splitlines())
}
SEGMENTS = {
    "segment-c": "type-c 192.0.2.1",
    "segment-c-algorithm-and-label": "type-c 192.0.2.1 algorithm 128 mpls 16001",
    "segment-d": "type-d 2001:db8::1 mpls 16001",
    "segment-e": "type-e 192.0.2.1 interface 5",
    "segment-g": "type-g 2001:db8::1 interface 5 2001:db8::2 interface 6 mpls 16001",
    "segment-h": "type-h 2001:db8::1 2001:db8::2",
    "segment-j": "type-j 2001:db8::1 interface 5 2001:db8::2 interface 6 srv6 2001:db8:5::1",
    "segment-k": "type-k 2001:db8::1 2001:db8::2 algorithm 1",
}


def encapsulation(text: str) -> TunnelEncapsulation:
    """Parse a policy; return the attribute that holds its path."""
    command = parse_command(POLICY.format(text))
    assert isinstance(command, RouteChange)
    attributes, _ = decode_set(command.entries[0].attributes)
    found = attributes[TunnelEncapsulation.CODE]
    assert isinstance(found, TunnelEncapsulation)
    return found


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_segment_is_written_as_its_golden_octets(name: str) -> None:
    assert encapsulation(f"segment-list segment {SEGMENTS[name]}").encode(Negotiated()).hex() == GOLDEN[name]


def test_the_other_words_of_a_path() -> None:
    path = SrPolicyPath.of_tunnel(
        encapsulation(
            "srv6-binding-sid 2001:db8::5 endpoint-behavior 48 explicit-null both priority 7 "
            "segment-list segment type-i 2001:db8::1 srv6 2001:db8:5::1 endpoint-behavior 0x30"
        ).tunnels[0]
    )
    assert (path.explicit_null, path.priority) == (3, 7)
    assert path.srv6_binding_sid is not None
    assert path.srv6_binding_sid.endpoint is not None
    assert path.srv6_binding_sid.endpoint.behavior == 48


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type-x 192.0.2.1", "unknown segment type 'type-x'"),
        ("type-c 2001:db8::1", "'2001:db8::1' is not an IPv4 address"),
        ("type-e 192.0.2.1", "'interface' expected"),
        ("type-c 192.0.2.1 algorithm 256", "not within 0..255"),
        ("type-f 192.0.2.1", "IP address expected"),
    ],
)
def test_a_wrong_segment_is_named(text: str, reason: str) -> None:
    with pytest.raises(GrammarError, match=reason):
        encapsulation(f"segment-list segment {text}")
