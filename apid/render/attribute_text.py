"""Text of attribute values that JSON and the text encoder share."""

from __future__ import annotations

from apid.render.names import COMMUNITIES, PMSI_TUNNELS
from apid.render.values import address_text, hex_text
from bgp.attribute.aggregator import Aggregator
from bgp.attribute.aigp import Aigp
from bgp.attribute.pmsi import PmsiTunnel
from bgp.attribute.registry import EXTENDED_LENGTH, OPTIONAL_TRANSITIVE, PARTIAL, Attribute

INGRESS_REPLICATION = 6


def aggregator_text(aggregator: Aggregator) -> str:
    """Render an aggregator as `asn:address`."""
    return f"{aggregator.asn}:{address_text(aggregator.address)}"


def community_text(value: int) -> str:
    """Render a community as `asn:number`, or by name where it is well known."""
    return COMMUNITIES.get(value) or f"{value >> 16}:{value & 0xFFFF}"


def large_community_text(value: tuple[int, int, int]) -> str:
    """Render a large community (RFC 8092)."""
    administrator, first, second = value
    return f"{administrator}:{first}:{second}"


def aigp_text(aigp: Aigp) -> str:
    """Render the accumulated metric in 16 hexadecimal digits (RFC 7311); without one, nothing but 0x."""
    return "0x" if aigp.metric is None else f"0x{aigp.metric:016x}"


def pmsi_text(pmsi: PmsiTunnel) -> str:
    """Render a PMSI tunnel as `pmsi:KIND:FLAGS:LABEL:TUNNEL` (RFC 6514 section 5)."""
    kind = PMSI_TUNNELS.get(pmsi.kind, "unknown")
    label = str(pmsi.label >> 4)
    tunnel = hex_text(pmsi.tunnel) if pmsi.tunnel else ""
    if pmsi.kind == INGRESS_REPLICATION and len(pmsi.tunnel) == 4:
        # The label may be a VNI, which has 24 bits: show both readings.
        label = f"{label}({pmsi.label})" if pmsi.label else label
        tunnel = address_text(pmsi.tunnel)
    return f"pmsi:{kind}:{pmsi.flags}:{label}:{tunnel}"


def generic_flags(flags: int) -> int:
    """Return an unknown attribute's flags as we would pass it on: Partial is set on optional transitive ones."""
    return flags | PARTIAL if flags & OPTIONAL_TRANSITIVE == OPTIONAL_TRANSITIVE else flags


def framed_flags(attribute: Attribute, octets: bytes) -> int:
    """Return the flags that an attribute with this value is framed with (RFC 4271 section 4.3)."""
    return attribute.FLAGS | (EXTENDED_LENGTH if len(octets) > 0xFF else 0)
