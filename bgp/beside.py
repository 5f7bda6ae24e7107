"""What the routes of some families demand of the attributes beside them, and the reverse."""

from __future__ import annotations

from bgp.attribute.attribute_set import AttributeSet
from bgp.attribute.community import ExtendedCommunities
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.tunnel_sr_policy import SR_POLICY_TUNNEL, SrPolicyPath
from bgp.family import SAFI, Family
from bgp.nlri.evpn import EvpnKind
from bgp.nlri.evpn_prefix import leads_somewhere
from bgp.nlri.registry import PATH_ID_OCTETS

_ROUTERS_MAC = b"\x06\x03"  # type and sub-type of the EVPN Router's MAC extended community (RFC 9135)
_GROUP_BIT = 0x01  # of a MAC's first octet: broadcast and multicast


def beside_fault(family: Family, items: list[bytes], attributes: AttributeSet) -> str | None:
    """Tell why announced routes, each well-formed in itself, are to be treated as withdrawn with these attributes."""
    if family.safi == SAFI.SR_POLICY:
        return _sr_policy_fault(attributes)
    if family.safi == SAFI.EVPN:
        return _evpn_fault(items, attributes)
    return None


def _sr_policy_fault(attributes: AttributeSet) -> str | None:
    """Demand one candidate path, whose sub-TLVs can be read (RFC 9830 sections 2.2, 4.2.1 and 5)."""
    encapsulation = attributes.get(TunnelEncapsulation.CODE)
    if not isinstance(encapsulation, TunnelEncapsulation):
        return "an SR policy has no TUNNEL_ENCAP"
    kinds = [tunnel.kind for tunnel in encapsulation.tunnels]
    if kinds != [SR_POLICY_TUNNEL]:
        return f"an SR policy has one tunnel of type {SR_POLICY_TUNNEL}, not of types {', '.join(map(str, kinds))}"
    try:
        SrPolicyPath.of_tunnel(encapsulation.tunnels[0])
    except ValueError as error:
        return f"an SR policy's candidate path is malformed: {error}"
    return None


def _evpn_fault(items: list[bytes], attributes: AttributeSet) -> str | None:
    """Judge IP prefix routes: each has a label, or an overlay index to find one (RFC 9136 sections 3.1 and 3.2).

    One with two overlay indexes, Ethernet segment and gateway, passes: it SHOULD be withdrawn, and ExaBGP shows it.
    """
    prefixes = [item for item in items if item[PATH_ID_OCTETS] == EvpnKind.IP_PREFIX]
    if not prefixes:
        return None
    communities = attributes.get(ExtendedCommunities.CODE)
    values = communities.values if isinstance(communities, ExtendedCommunities) else ()
    macs = [value[2:] for value in values if value[:2] == _ROUTERS_MAC]
    if any(mac[0] & _GROUP_BIT for mac in macs):
        return "an EVPN Router's MAC is no address of one router"
    if any(map(any, macs)) or all(map(leads_somewhere, prefixes)):
        return None
    return "an EVPN IP prefix has neither a label nor an overlay index"
