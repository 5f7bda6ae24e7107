"""MP_REACH_NLRI and MP_UNREACH_NLRI as received (RFC 4760 sections 3 and 4, RFC 7606 section 7.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bgp.attribute.received import OPTIONAL_ATTRIBUTE_ERROR, UPDATE_MESSAGE_ERROR, next_hop_fault
from bgp.errors import NotifyError
from bgp.family import AFI, SAFI, Family
from bgp.negotiated import Negotiated
from bgp.nlri import decode, split, split_withdrawn
from bgp.nlri.distinguisher import RD_OCTETS

_PREFIXES = (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS)
_IP = (AFI.IPV4, AFI.IPV6)

# Families in which a malformed route is left out alone, where it ends where it says (RFC 9552 section 8.2.2).
_DISCARDING = (SAFI.BGP_LS, SAFI.BGP_LS_VPN)

# Families whose routes are whole once they are split: what is inside needs no second look.
_SELF_EVIDENT = (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN, SAFI.RTC)

# Legal lengths of the next hop where neither RFC 4760 nor RFC 8950 ties it to the AFI. Others are not checked.
_ADDRESS = (4, 16, 32)
_OTHER_NEXT_HOPS = {
    SAFI.MCAST_VPN: (4, 12, 16, 24, 32, 48),
    SAFI.MUP: _ADDRESS,
    SAFI.VPLS: _ADDRESS,
    SAFI.EVPN: _ADDRESS,
    SAFI.RTC: _ADDRESS,
    SAFI.SR_POLICY: _ADDRESS,
    SAFI.BGP_LS: _ADDRESS,  # RFC 9552 section 5.5, with a route distinguisher in front for VPNs
    SAFI.BGP_LS_VPN: (4, 12, 16, 24, 32, 40, 48),
    SAFI.FLOW: (0, *_ADDRESS),
    SAFI.FLOW_VPN: (0, 4, 12, 16, 24, 32, 48),
}


class Multiprotocol(NamedTuple):
    """The routes of one attribute.

    items: none where the family was not negotiated. empty: the attribute has no routes at all. fault: why the UPDATE is
    to be treated as withdraw; an item may then be one that cannot be decoded. discarded: how many routes were left
    out, and why.
    """

    family: Family
    next_hop: bytes
    items: list[bytes]
    empty: bool
    fault: str | None = None
    discarded: tuple[str, ...] = ()


def read_reach(value: bytes, attribute: bytes, negotiated: Negotiated) -> Multiprotocol:
    """Read MP_REACH_NLRI; `attribute` is the whole of it, for the NOTIFICATION.

    Raises NotifyError 3/9 where next hop or routes cannot be found.
    """
    start = 5 + value[3] if len(value) >= 5 else len(value) + 1
    if start > len(value):
        raise _error(f"MP_REACH_NLRI of {len(value)} octets ends within its next hop", attribute)
    family = Family(value[0] << 8 | value[1], value[2])
    next_hop = value[4 : start - 1]
    if family not in negotiated.families:
        return Multiprotocol(family, next_hop, [], start == len(value))
    if not next_hop_fits(family, len(next_hop), negotiated):
        raise _error(f"MP_REACH_NLRI for {family} has a next hop of {len(next_hop)} octets", attribute)
    items = _items(split, family, value[start:], attribute, negotiated)
    discarded: tuple[str, ...] = ()
    if family.safi in _DISCARDING:
        items, discarded = _readable(family, items)
        fault = None
    else:
        fault = _route_fault(family, items) or _host_fault(family, next_hop, negotiated)
    return Multiprotocol(family, next_hop, items, start == len(value), fault, discarded)


def read_unreach(value: bytes, attribute: bytes, negotiated: Negotiated) -> Multiprotocol:
    """Read MP_UNREACH_NLRI likewise. A route that cannot be decoded is withdrawn like others: its octets say which."""
    if len(value) < 3:
        raise _error(f"MP_UNREACH_NLRI of {len(value)} octets has no AFI and SAFI", attribute)
    family = Family(value[0] << 8 | value[1], value[2])
    if family not in negotiated.families:
        return Multiprotocol(family, b"", [], len(value) == 3)
    items = _items(split_withdrawn, family, value[3:], attribute, negotiated)
    return Multiprotocol(family, b"", items, len(value) == 3)


def _items(
    cut: Callable[[Family, bytes, bool], list[bytes]],
    family: Family,
    data: bytes,
    attribute: bytes,
    negotiated: Negotiated,
) -> list[bytes]:
    """Split routes; raises NotifyError 3/9 where they cannot be told apart (RFC 7606 section 5.3)."""
    if not data:  # also of a family whose codec takes all octets for one route
        return []
    try:
        return cut(family, data, family in negotiated.add_path_receive)
    except ValueError as error:
        raise _error(str(error), attribute) from error


def _route_fault(family: Family, items: list[bytes]) -> str | None:
    """Tell why an announced route is malformed within its own frame: a FlowSpec with an unknown component, for one.

    RFC 8955 sections 4.2 and 10: such a rule is malformed, and RFC 7606 applies.
    """
    if family.safi in _SELF_EVIDENT:
        return None
    return next(filter(None, (_damage(family, item) for item in items)), None)


def _readable(family: Family, items: list[bytes]) -> tuple[list[bytes], tuple[str, ...]]:
    """Leave out routes that are malformed within their own frame, and say how many and why."""
    damages = [_damage(family, item) for item in items]
    sound = [item for item, damage in zip(items, damages, strict=True) if damage is None]
    first = next(filter(None, damages), None)
    return sound, () if first is None else (f"{len(items) - len(sound)} of {len(items)} routes left out: {first}",)


def _damage(family: Family, item: bytes) -> str | None:
    """Tell why a route cannot be read, if it cannot."""
    try:
        decode(family, item)
    except ValueError as error:
        return f"a route of {family} cannot be read: {error}"
    return None


def next_hop_fits(family: Family, octets: int, negotiated: Negotiated) -> bool:
    """Whether a next hop may have this length (RFC 4760, 2545, 4364, 4659, 8950)."""
    afi, safi = family
    ipv6 = afi == AFI.IPV6 or (family, AFI.IPV6) in negotiated.next_hop
    if safi in _PREFIXES and afi in _IP:
        return (afi == AFI.IPV4 and octets == 4) or (ipv6 and octets in (16, 32))
    if safi == SAFI.MPLS_VPN and afi in _IP:
        # RFC 8950 section 3: for IPv4, next hops without route distinguisher are legal as well.
        with_ipv6 = (24, 48) if afi == AFI.IPV6 else (16, 24, 32, 48)
        return (afi == AFI.IPV4 and octets == 12) or (ipv6 and octets in with_ipv6)
    legal = _OTHER_NEXT_HOPS.get(safi)
    return legal is None or octets in legal


def _host_fault(family: Family, next_hop: bytes, negotiated: Negotiated) -> str | None:
    """Judge the address in the families that forward to it; of two IPv6 addresses the first, global one."""
    if family.safi == SAFI.MPLS_VPN and len(next_hop) in (12, 24, 48):
        next_hop = next_hop[RD_OCTETS:]
    elif family.safi not in _PREFIXES:
        return None
    address = next_hop[:16]
    return next_hop_fault(address, negotiated) if len(address) in (4, 16) else None


def _error(reason: str, attribute: bytes) -> NotifyError:
    return NotifyError(UPDATE_MESSAGE_ERROR, OPTIONAL_ATTRIBUTE_ERROR, reason, attribute)
