"""Attribute sets on their way from a command or configuration to the packer, as neutral octets.

Neutral means: the same for every session. Attributes are in code order, AS numbers have 4 octets, MP_REACH_NLRI and
MP_UNREACH_NLRI are absent, NEXT_HOP holds the next hop of any family: 4, 16 or 32 octets, none for `next-hop self`;
routes without next hop have no NEXT_HOP. Equal routes have equal octets.
"""

from __future__ import annotations

from collections.abc import Iterable

from bgp.attribute import (
    ATTRIBUTES,
    Attribute,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
    NextHop,
    UnknownAttribute,
)
from bgp.attribute.community import words
from bgp.attribute.registry import EXTENDED_LENGTH
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI, frame, walk
from bgp.errors import BGPError
from bgp.negotiated import Negotiated

NEUTRAL = Negotiated(asn4=True, aigp=True)  # iBGP, so that nothing is refused for where it comes from
NEXT_HOP_OCTETS = (0, 4, 16, 32)
_SELF = frame(NextHop.FLAGS, NextHop.CODE, b"")

# Communities are sets: their order is ours to choose, and sorted they compare equal. Octets of one community:
_SORTED = {Communities: 4, ExtendedCommunities: 8, Ipv6ExtendedCommunities: 20, LargeCommunities: 12}


def encode_set(attributes: Iterable[Attribute], next_hop: bytes | None) -> bytes:
    """Return neutral octets. `next_hop` is packed, b"" for `next-hop self`, None where the route has none.

    Raises ValueError for NEXT_HOP, MP_REACH_NLRI or MP_UNREACH_NLRI among the attributes, and for two of one code.
    """
    found: dict[int, bytes] = {}
    if next_hop is not None:
        if len(next_hop) not in NEXT_HOP_OCTETS:
            raise ValueError(f"a next hop has 0, 4, 16 or 32 octets, not {len(next_hop)}")
        found[NextHop.CODE] = frame(NextHop.FLAGS, NextHop.CODE, next_hop)
    for attribute in attributes:
        if isinstance(attribute, UnknownAttribute):
            code, flags = attribute.code, attribute.flags
        else:
            code, flags = attribute.CODE, attribute.FLAGS
        if code in (NextHop.CODE, MP_REACH_NLRI, MP_UNREACH_NLRI):
            raise ValueError(f"attribute {code} is made from the next hop and the routes, it cannot be given")
        if code in found:
            raise ValueError(f"attribute {code} occurs more than once")
        found[code] = frame(flags, code, _canonical(attribute))
    return b"".join([found[code] for code in sorted(found)])


def _canonical(attribute: Attribute) -> bytes:
    """Encode one attribute so that equal meaning gives equal octets."""
    octets = attribute.encode(NEUTRAL)
    size = _SORTED.get(type(attribute))
    if size is None:
        return octets
    values = sorted(words(octets, size))
    if isinstance(attribute, LargeCommunities):
        values = list(dict.fromkeys(values))  # RFC 8092 section 5: no duplicates
    return b"".join(values)


def decode_set(octets: bytes) -> tuple[dict[int, Attribute], bytes | None]:
    """Return the attributes by code, without NEXT_HOP, and the next hop as `encode_set` takes it.

    An attribute that is malformed or has other flags, as raw ones may, comes as `UnknownAttribute`. Raises ValueError
    where the octets end within an attribute.
    """
    attributes: dict[int, Attribute] = {}
    next_hop = None
    for flags, code, _, value, stop in walk(octets):
        data = octets[value:stop]
        row = ATTRIBUTES.get(code)
        if code == NextHop.CODE:
            next_hop = data
        elif row is None or (flags & ~EXTENDED_LENGTH) != row.flags:
            attributes[code] = UnknownAttribute(code, flags, data)
        else:
            attributes[code] = _decode(code, flags, data)
    return attributes, next_hop


def _decode(code: int, flags: int, data: bytes) -> Attribute:
    """Read one attribute; what was given in raw octets and is malformed stays as it is."""
    try:
        return ATTRIBUTES[code].attribute.decode(data, NEUTRAL)
    except BGPError:
        return UnknownAttribute(code, flags, data)


def check_set(octets: bytes) -> None:
    """Raise ValueError unless octets are whole attributes in code order: cheap, and enough not to harm a packer."""
    offset, end, before = 0, len(octets), 0
    while offset < end:
        header = 4 if octets[offset] & 0x10 else 3
        if offset + header > end:
            raise ValueError(f"attribute header cut off at octet {offset} of {end}")
        code = octets[offset + 1]
        if code <= before:
            raise ValueError(f"attribute {code} after attribute {before}")
        before = code
        length = octets[offset + 2] if header == 3 else octets[offset + 2] << 8 | octets[offset + 3]
        offset += header + length
    if offset != end:
        raise ValueError(f"attribute {before} ends {offset - end} octets after the set")


def next_hop_is_self(octets: bytes) -> bool:
    """Tell whether a neutral set says `next-hop self`: a NEXT_HOP without octets."""
    # Asked for every set of a full table: the first test, which may be wrong about octets inside a value, is cheap.
    return _SELF in octets and any(code == NextHop.CODE and value == stop for _, code, _, value, stop in walk(octets))
