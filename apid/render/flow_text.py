"""Text of flow specifications (RFC 8955, RFC 8956): names of components, operators and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from apid.render.names import FRAGMENTS, ICMP_TYPES, PROTOCOLS, TCP_FLAGS
from apid.render.values import address_text, listed
from bgp.nlri.flow_component import (
    AND,
    BITMASK_KINDS,
    Component,
    FlowKind,
    OperatorComponent,
    PrefixComponent,
    Term,
)

NAMES = {
    FlowKind.DESTINATION: "destination-ipv4",
    FlowKind.SOURCE: "source-ipv4",
    FlowKind.PROTOCOL: "protocol",
    FlowKind.PORT: "port",
    FlowKind.DESTINATION_PORT: "destination-port",
    FlowKind.SOURCE_PORT: "source-port",
    FlowKind.ICMP_TYPE: "icmp-type",
    FlowKind.ICMP_CODE: "icmp-code",
    FlowKind.TCP_FLAGS: "tcp-flags",
    FlowKind.PACKET_LENGTH: "packet-length",
    FlowKind.DSCP: "dscp",
    FlowKind.FRAGMENT: "fragment",
    FlowKind.FLOW_LABEL: "flow-label",
}
IPV6_NAMES = NAMES | {
    FlowKind.DESTINATION: "destination-ipv6",
    FlowKind.SOURCE: "source-ipv6",
    FlowKind.PROTOCOL: "next-header",
    FlowKind.DSCP: "traffic-class",
}

# By the lowest three bits: less than, greater than, equal (RFC 8955 section 4.2.1.1).
NUMERIC = {0: "false", 1: "=", 2: ">", 3: ">=", 4: "<", 5: "<=", 6: "!=", 7: "true"}
WORDS = frozenset({0, 7})  # these two compare nothing, so no value follows

# By the lowest two bits: not, match (RFC 8955 section 4.2.1.2).
BITMASK = {0: "", 1: "=", 2: "!", 3: "!="}

VALUE_NAMES: Mapping[int, Mapping[int, str]] = {FlowKind.PROTOCOL: PROTOCOLS, FlowKind.ICMP_TYPE: ICMP_TYPES}
# RFC 8956 section 3.6: IPv6 has no bit that forbids fragments.
IPV6_FRAGMENTS = {bit: name for bit, name in FRAGMENTS.items() if name != "dont-fragment"}
PORTS = frozenset({FlowKind.PORT, FlowKind.DESTINATION_PORT, FlowKind.SOURCE_PORT})

Services = Mapping[int, str]
"""Names of ports, for those who show rules as they were configured."""


def tcp_flags_text(value: int) -> str:
    """Render TCP flags, nothing where there are none; ExaBGP tells the whole value behind bits without a name."""
    words = [name for bit, name in TCP_FLAGS.items() if value & bit]
    if value & ~sum(TCP_FLAGS):
        words.append(f"unknown tcp flag type {value}")
    return "+".join(words)


def fragment_text(value: int, ipv6: bool) -> str:
    """Render fragment bits; those without a name are ignored (RFC 8955 section 4.2.2.12)."""
    names = IPV6_FRAGMENTS if ipv6 else FRAGMENTS
    return "+".join(name for bit, name in names.items() if value & bit)


def numeric_text(kind: int, services: Services) -> Callable[[Term], str]:
    """Make the text function of a numeric component's terms."""
    names = services if kind in PORTS else VALUE_NAMES.get(kind, {})

    def text(term: Term) -> str:
        comparison = term.operator & 7
        if comparison in WORDS:
            return NUMERIC[comparison]
        return f"{NUMERIC[comparison]}{names.get(term.value, term.value)}"

    return text


def bitmask_text(kind: int, ipv6: bool) -> Callable[[Term], str]:
    """Make the text function of a bitmask component's terms."""

    def text(term: Term) -> str:
        flags = tcp_flags_text(term.value) if kind == FlowKind.TCP_FLAGS else fragment_text(term.value, ipv6)
        return f"{BITMASK[term.operator & 3]}{flags}"

    return text


def terms_text(component: OperatorComponent, ipv6: bool, services: Services) -> list[str]:
    """Render terms; those that are joined by AND are one text with `&` between them."""
    kind = component.kind
    text = bitmask_text(kind, ipv6) if kind in BITMASK_KINDS else numeric_text(kind, services)
    texts: list[str] = []
    for term in component.terms:
        if term.operator & AND and texts:
            texts[-1] = f"{texts[-1]}&{text(term)}"
        else:
            texts.append(text(term))
    return texts


def prefix_terms(component: PrefixComponent) -> list[str]:
    """Render a prefix; IPv6 with its offset."""
    prefix = f"{address_text(component.address)}/{component.length}"
    return [f"{prefix}/{component.offset}" if component.ipv6 else prefix]


def flow_components(
    components: tuple[Component, ...], ipv6: bool, services: Services | None = None
) -> list[tuple[str, list[str]]]:
    """Return names and terms of components; `ipv6` picks the names."""
    names = IPV6_NAMES if ipv6 else NAMES
    return [
        (
            names[component.kind],
            prefix_terms(component)
            if isinstance(component, PrefixComponent)
            else terms_text(component, ipv6, services or {}),
        )
        for component in components
    ]


def flow_text(components: tuple[Component, ...], ipv6: bool, services: Services | None = None) -> str:
    """Render components as configurations have them, after the word `flow`."""
    words = ["flow"]
    for (name, terms), component in zip(flow_components(components, ipv6, services), components, strict=True):
        several = isinstance(component, OperatorComponent) and len(component.terms) > 1
        words.append(f"{name} [ {' '.join(terms)} ]" if several else f"{name} {listed(terms)}")
    return " ".join(words)
