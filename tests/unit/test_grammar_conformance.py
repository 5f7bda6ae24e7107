"""The routes of the conformance configurations against the messages that a peer must get."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apid.grammar.route import STATEMENTS, parse_entry
from apid.grammar.tokens import scan
from apid.grammar.words import Token, Words
from bgp.attribute.walk import walk
from bgp.family import IPV4_UNICAST, SAFI, Family
from bgp.nlri import split
from tests.shared import shared

NAMES = (
    "addpath",
    "attributes",
    "flow-redirect",
    "generic-attribute",
    "group-limit",
    "group",
    "ipv46routes4family",
    "ipv46routes6family",
    "l2vpn",
    "largecommunity",
    "mvpn",
    "split",
    "srv6-mup-v3",
    "vpn",
)
ADD_PATH = {"addpath"}
DEFAULTS = {2: b"", 5: (100).to_bytes(4, "big")}  # what an iBGP session adds: empty AS_PATH, LOCAL_PREF
NEXT_HOP, MP_REACH_NLRI = 3, 14

Route = tuple[Family, tuple[tuple[int, bytes], ...], bytes | None, bytes]


def statements(tokens: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """Yield (section, statement) of every statement in a section that holds routes."""
    path: list[str] = []
    start = index = 0
    while index < len(tokens):
        text = tokens[index].text
        kind = " ".join(path[-2:]) if path[-2:-1] == ["announce"] else path[-1] if path else ""
        if kind in STATEMENTS and text not in "{};":
            end, depth = index, 0
            while depth or tokens[end].text not in (";", "}"):
                depth += (tokens[end].text == "{") - (tokens[end].text == "}" and depth > 0)
                end += 1
                if not depth and tokens[end - 1].text == "}":
                    break
            yield kind, tokens[index:end]
            index = end
            start = index
            continue
        if text == "{":
            path.append(tokens[start].text)
        elif text == "}" and path:
            path.pop()
        if text in "{};":
            start = index + 1
        index += 1


def configured(name: str) -> set[Route]:
    text = shared(f"conformance/conf/conf-{name}.conf").read_text()
    routes: set[Route] = set()
    for kind, tokens in statements(list(scan(text))):
        for entry in parse_entry(kind, Words(tokens)):
            attributes = {code: entry.attributes[value:end] for _, code, _, value, end in walk(entry.attributes)}
            next_hop = attributes.pop(NEXT_HOP, None)
            found = tuple(sorted((DEFAULTS | attributes).items()))
            routes |= {(entry.family, found, next_hop, item) for item in entry.items}
    return routes


def on_the_wire(name: str) -> set[Route]:
    routes: set[Route] = set()
    for line in shared(f"conformance/encoding/conf-{name}.msg").read_text().splitlines():
        if ":raw:" not in line:
            continue
        body = bytes.fromhex(line.split(":raw:")[1].replace(":", ""))[19:]
        octets = body[4 : 4 + int.from_bytes(body[2:4], "big")]
        attributes = {code: octets[value:end] for _, code, _, value, end in walk(octets)}
        family, next_hop, nlri = IPV4_UNICAST, attributes.pop(NEXT_HOP, None), body[4 + len(octets) :]
        reach = attributes.pop(MP_REACH_NLRI, b"")
        if reach:
            family = Family(int.from_bytes(reach[:2], "big"), reach[2])
            next_hop = reach[4 : 4 + reach[3]] or None
            nlri = reach[5 + reach[3] :]
            if family.safi == SAFI.MPLS_VPN and next_hop:
                next_hop = next_hop[8:]
        found = tuple(sorted(attributes.items()))
        routes |= {(family, found, next_hop, item) for item in split(family, nlri, name in ADD_PATH)}
    return routes


@pytest.mark.parametrize("name", NAMES)
def test_a_conformance_configuration_means_the_routes_that_its_peer_gets(name: str) -> None:
    assert configured(name) == on_the_wire(name)
