"""Read items, and say next hops: what JSON and text need before they can say anything."""

from __future__ import annotations

from apid.render.values import address_text
from bgp.attribute import AttributeSet
from bgp.family import Family
from bgp.nlri import NLRI, OpaqueNlri, decode
from bgp.nlri.distinguisher import RD_OCTETS
from bgp.nlri.registry import PATH_ID_OCTETS
from bgp.route import decode_set

NO_NEXT_HOP = "no-nexthop"


def read_route(family: Family, item: bytes) -> NLRI:
    """Read an item; one that is damaged inside is shown as octets, not lost."""
    try:
        return decode(family, item)
    except ValueError:
        path_id = int.from_bytes(item[:PATH_ID_OCTETS], "big")
        return OpaqueNlri(family=family, path_id=path_id, data=item[PATH_ID_OCTETS:])


def next_hops(octets: bytes) -> list[str]:
    """Return the addresses of a next hop as on the wire: none, one, or a global and a link-local one.

    12, 24 and 48 octets have a route distinguisher before each address (RFC 4364, RFC 4659).
    """
    size = len(octets)
    if not size:
        return []
    if size == 32:
        return [address_text(octets[:16]), address_text(octets[16:])]
    if size == 48:
        return [address_text(octets[RD_OCTETS:24]), address_text(octets[24 + RD_OCTETS :])]
    if size in (12, 24):
        return [address_text(octets[RD_OCTETS:])]
    return [address_text(octets)]


def read_set(octets: bytes, local_address: bytes = b"") -> tuple[AttributeSet, str]:
    """Read a neutral attribute set (`bgp.route`) and the text of its next hop, empty where it has none.

    `next-hop self` is the local address; where that is not known, it stays `self`.
    """
    attributes, next_hop = decode_set(octets)
    hop = "" if next_hop is None else next(iter(next_hops(next_hop or local_address)), "self")
    return AttributeSet(octets, attributes), hop
