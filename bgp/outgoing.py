"""Turn a neutral attribute set into the attributes that one session is sent (RFC 4271 section 5, RFC 4760, RFC 6793).

Defaults and order are those of ExaBGP, octet for octet: attributes by code, MP_REACH_NLRI last. An AS4_PATH
stands behind AS_PATH and an AS4_AGGREGATOR behind AGGREGATOR.
"""

from __future__ import annotations

from typing import NamedTuple

from bgp.attribute import Aggregator, Aigp, As4Aggregator, As4Path, AsPath, LocalPref, OnlyToCustomer, Origin, Segment
from bgp.attribute.as_path import AS_SEQUENCE, CONFEDERATION, LARGEST_TWO_OCTET_AS
from bgp.attribute.next_hop import NextHop
from bgp.attribute.only_to_customer import adds_otc, withholds_otc
from bgp.attribute.walk import frame
from bgp.errors import BGPError
from bgp.family import AFI, FLOW_SAFIS, IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST, SAFI, Family
from bgp.negotiated import Negotiated
from bgp.route import NEUTRAL
from bgp.shape import IPV6_OCTETS, Shape
from bgp.wire import address_text

DEFAULT_LOCAL_PREF = 100

_TWO_OCTET_AS = Negotiated(asn4=False)
_ZERO_RD = bytes(8)  # before the next hop of VPN routes (RFC 4364 section 4.3.2)
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address as IPv6 (RFC 4798 section 2)
_NEXT_HOP_OCTETS = (4, 16, 32)
_IPV4_NEXT_HOP = bytes((NextHop.FLAGS, NextHop.CODE, 4))  # how such an attribute begins
_PREFIXES = (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN)
# Where each attribute stands: by code, but the 4-octet forms of two follow the 2-octet ones.
_BESIDE: dict[int, float] = {As4Path.CODE: AsPath.CODE + 0.5, As4Aggregator.CODE: Aggregator.CODE + 0.5}
_PLACE = [_BESIDE.get(code, code) for code in range(256)]
_LEAK_GUARDED = (IPV4_UNICAST, IPV6_UNICAST)
# Families whose routes are withheld where RFC 8950 was not negotiated for their IPv6 next hops. Labelled and VPN routes
# are sent all the same, as ExaBGP does: SRv6 VPNs (RFC 9252) are run that way, and their receivers go by the length.
_AGREED = (IPV4_UNICAST, IPV4_MULTICAST)


class Unsendable(ValueError):
    """Why a session cannot carry a route."""


class Outgoing(NamedTuple):
    """What stands before the routes.

    attributes: all but MP_REACH_NLRI. next_hop: what is in that, None where the routes are in the NLRI field.
    """

    attributes: bytes
    next_hop: bytes | None


class Translator:
    """Translate attribute sets for the sessions of one shape."""

    __slots__ = ("_local_pref", "_origin", "_path", "_path4", "_shape")

    def __init__(self, shape: Shape) -> None:
        path = AsPath(() if shape.ibgp else (Segment(AS_SEQUENCE, (shape.local_as,)),))
        self._shape = shape
        self._origin = frame(Origin.FLAGS, Origin.CODE, Origin(0).encode(NEUTRAL))
        self._local_pref = frame(LocalPref.FLAGS, LocalPref.CODE, LocalPref(DEFAULT_LOCAL_PREF).encode(NEUTRAL))
        self._path, self._path4 = _encode_path(path, shape.asn4)

    def translate(self, family: Family, attribute_set: bytes) -> Outgoing:
        """Return what precedes the routes of a set; raises Unsendable."""
        parts = _parts(attribute_set)
        given = parts.get(NextHop.CODE)
        if family == IPV4_UNICAST and given is not None and given.startswith(_IPV4_NEXT_HOP):
            return Outgoing(self._complete(family, parts), None)  # nearly all there are: it is sent as it is
        parts.pop(NextHop.CODE, None)
        next_hop, attribute = self._next_hop(family, None if given is None else given[3:])
        if attribute is not None:
            parts[NextHop.CODE] = attribute
        return Outgoing(self._complete(family, parts), next_hop)

    def withdrawal(self, family: Family, attribute_set: bytes) -> bytes:
        """Return the attributes that stand beside MP_UNREACH_NLRI; a next hop is not needed. Raises Unsendable."""
        parts = _parts(attribute_set)
        given = parts.pop(NextHop.CODE, None)
        if given is not None:
            _, attribute = self._next_hop(family, given[3:])
            if attribute is not None:
                parts[NextHop.CODE] = attribute
        return self._complete(family, parts)

    def _complete(self, family: Family, parts: dict[int, bytes]) -> bytes:
        """Add what every UPDATE has, and take away what this session is not sent."""
        shape = self._shape
        if Origin.CODE not in parts:
            parts[Origin.CODE] = self._origin
        if AsPath.CODE not in parts:
            parts[AsPath.CODE] = self._path
            if self._path4:
                parts[As4Path.CODE] = self._path4
        elif not shape.asn4:
            _shorten_path(parts)
        if not shape.asn4 and Aggregator.CODE in parts:
            _shorten_aggregator(parts)
        if not shape.ibgp:
            parts.pop(LocalPref.CODE, None)
            if not shape.aigp:
                parts.pop(Aigp.CODE, None)
        elif LocalPref.CODE not in parts:
            parts[LocalPref.CODE] = self._local_pref
        if shape.role is not None and family in _LEAK_GUARDED:
            self._guard(parts, shape.role)
        beside = As4Path.CODE in parts or As4Aggregator.CODE in parts
        return b"".join([parts[code] for code in sorted(parts, key=_PLACE.__getitem__ if beside else None)])

    def _guard(self, parts: dict[int, bytes], role: int) -> None:
        """Mark or withhold a route (RFC 9234 section 5)."""
        if OnlyToCustomer.CODE in parts:
            if withholds_otc(role):
                raise Unsendable("the route is marked only-to-customer, the peer is none")
        elif adds_otc(role):
            value = OnlyToCustomer(self._shape.local_as).encode(NEUTRAL)
            parts[OnlyToCustomer.CODE] = frame(OnlyToCustomer.FLAGS, OnlyToCustomer.CODE, value)

    def _next_hop(self, family: Family, given: bytes | None) -> tuple[bytes | None, bytes | None]:
        """Return the next hop for MP_REACH_NLRI, None for routes in the NLRI field, and NEXT_HOP, if it is sent."""
        afi, safi = family
        address = self._own_address(family) if given == b"" else given
        if address is None:
            if safi in FLOW_SAFIS:
                return b"", None
            raise Unsendable(f"{family} routes need a next hop")
        if len(address) not in _NEXT_HOP_OCTETS:
            raise Unsendable(f"a next hop has 4, 16 or 32 octets, not {len(address)}")
        ipv4 = len(address) == 4
        attribute = None
        if ipv4 and afi == AFI.IPV6 and (safi in _PREFIXES or safi == SAFI.MUP):
            if given == b"":
                raise Unsendable(f"next-hop self: {address_text(address)} is no address for {family}")
            address = _MAPPED + address
        elif ipv4 and safi not in FLOW_SAFIS and afi in (AFI.IPV4, AFI.IPV6):
            attribute = frame(NextHop.FLAGS, NextHop.CODE, address)
            if family == IPV4_UNICAST:
                return None, attribute
        elif not ipv4 and family in _AGREED and (family, AFI.IPV6) not in self._shape.next_hop:
            raise Unsendable(f"next hop {address_text(address[:16])}: no IPv6 next hops agreed for {family}")
        if safi == SAFI.MPLS_VPN:
            address = b"".join(_ZERO_RD + address[start : start + 16] for start in range(0, len(address), 16))
        return address, attribute

    def _own_address(self, family: Family) -> bytes:
        """Return what `next-hop self` is: over IPv6 an IPv4 route has the router-id, unless IPv6 was agreed for it."""
        shape = self._shape
        if family.afi != AFI.IPV4 or len(shape.local_address) != IPV6_OCTETS or (family, AFI.IPV6) in shape.next_hop:
            return shape.local_address
        return shape.router_id


def _parts(octets: bytes) -> dict[int, bytes]:
    """Cut neutral octets into whole attributes by code; raises Unsendable where they end too soon."""
    parts = {}
    offset, end = 0, len(octets)
    try:
        while offset < end:
            if octets[offset] & 0x10:
                stop = offset + 4 + (octets[offset + 2] << 8 | octets[offset + 3])
            else:
                stop = offset + 3 + octets[offset + 2]
            if stop > end:
                raise IndexError
            parts[octets[offset + 1]] = octets[offset:stop]
            offset = stop
    except IndexError as error:
        raise Unsendable("attribute set is cut off") from error
    return parts


def _value(attribute: bytes) -> bytes:
    return attribute[4:] if attribute[0] & 0x10 else attribute[3:]


def _encode_path(path: AsPath, asn4: bool) -> tuple[bytes, bytes]:
    """Return AS_PATH, and AS4_PATH where it is needed (RFC 6793 section 4.2.2), else nothing."""
    if asn4:
        return frame(AsPath.FLAGS, AsPath.CODE, path.encode(NEUTRAL)), b""
    short = frame(AsPath.FLAGS, AsPath.CODE, path.encode(_TWO_OCTET_AS))
    if all(asn <= LARGEST_TWO_OCTET_AS for segment in path.segments for asn in segment.asns):
        return short, b""
    path4 = As4Path(tuple(segment for segment in path.segments if segment.kind not in CONFEDERATION))
    return short, frame(As4Path.FLAGS, As4Path.CODE, path4.encode(_TWO_OCTET_AS)) if path4.segments else b""


def _shorten_path(parts: dict[int, bytes]) -> None:
    """Replace AS_PATH by what a peer that knows only 2-octet AS numbers can read."""
    try:
        path = AsPath.decode(_value(parts[AsPath.CODE]), NEUTRAL)
    except BGPError as error:
        raise Unsendable(str(error)) from error
    parts[AsPath.CODE], path4 = _encode_path(path, asn4=False)
    if path4:
        parts[As4Path.CODE] = path4


def _shorten_aggregator(parts: dict[int, bytes]) -> None:
    """Replace AGGREGATOR likewise."""
    try:
        aggregator = Aggregator.decode(_value(parts[Aggregator.CODE]), NEUTRAL)
    except BGPError as error:
        raise Unsendable(str(error)) from error
    parts[Aggregator.CODE] = frame(Aggregator.FLAGS, Aggregator.CODE, aggregator.encode(_TWO_OCTET_AS))
    if aggregator.asn > LARGEST_TWO_OCTET_AS:
        value = As4Aggregator(aggregator.asn, aggregator.address).encode(_TWO_OCTET_AS)
        parts[As4Aggregator.CODE] = frame(As4Aggregator.FLAGS, As4Aggregator.CODE, value)
