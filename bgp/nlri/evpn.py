"""EVPN NLRI: the family's frame, what identifies a route, and the checks that the route types share."""

from __future__ import annotations

from bgp.family import L2VPN_EVPN, Family
from bgp.nlri.distinguisher import RD_OCTETS
from bgp.nlri.prefix import clear_host_bits
from bgp.nlri.registry import PATH_ID_OCTETS, register
from bgp.nlri.typed import TypedNLRI


class EvpnKind:
    """Route types (IANA, EVPN route types)."""

    ETHERNET_AUTO_DISCOVERY = 1
    MAC_ADVERTISEMENT = 2
    INCLUSIVE_MULTICAST = 3
    ETHERNET_SEGMENT = 4
    IP_PREFIX = 5


ESI_OCTETS = 10
TAG_OCTETS = 4
MAC_OCTETS = 6
LABEL_OCTETS = 3
IPV4_PREFIX_OCTETS = 34  # RFC 9136 section 3.1: the length of a type 5 route tells its IP version
IPV6_PREFIX_OCTETS = 58

_BODY = PATH_ID_OCTETS + 2  # where a route's body begins in an item
_TAG = _BODY + RD_OCTETS + ESI_OCTETS  # the Ethernet tag of types 1, 2 and 5
_AFTER_TAG = _TAG + TAG_OCTETS
_MAC_END = _AFTER_TAG + 1 + MAC_OCTETS  # where the IP address length of type 2 stands


@register(L2VPN_EVPN)
class Evpn(TypedNLRI, frozen=True, kw_only=True):
    """What all EVPN routes share (RFC 7432 section 7)."""

    @classmethod
    def route_key(cls, family: Family, item: bytes) -> bytes:
        """Return path identifier, type, and what RFC 7432 section 7 and RFC 9136 section 3.1 call the key.

        A route that is too short for its type is identified by all its octets.
        """
        if len(item) <= _AFTER_TAG:
            return item
        kind = item[PATH_ID_OCTETS]
        head = item[: PATH_ID_OCTETS + 1] + item[_BODY : _BODY + RD_OCTETS]
        if kind == EvpnKind.ETHERNET_AUTO_DISCOVERY:
            return head + item[_BODY + RD_OCTETS : _AFTER_TAG]
        if kind == EvpnKind.MAC_ADVERTISEMENT and len(item) > _MAC_END:
            return head + item[_TAG : _MAC_END + 1 + item[_MAC_END] // 8]
        if kind == EvpnKind.IP_PREFIX:
            size = 4 if item[PATH_ID_OCTETS + 1] == IPV4_PREFIX_OCTETS else 16
            length = item[_AFTER_TAG]
            prefix = item[_AFTER_TAG + 1 : _AFTER_TAG + 1 + size]
            if length <= size * 8 and len(prefix) == size:
                return head + item[_TAG : _AFTER_TAG + 1] + clear_host_bits(prefix, length)
        return item


def check_esi(esi: bytes) -> None:
    """Raise ValueError unless there are 10 octets (RFC 7432 section 5)."""
    if len(esi) != ESI_OCTETS:
        raise ValueError(f"an Ethernet segment identifier has {ESI_OCTETS} octets, not {len(esi)}")


def check_tag(tag: int) -> None:
    """Raise ValueError unless the Ethernet tag fits 32 bits."""
    if not 0 <= tag < 1 << 32:
        raise ValueError(f"Ethernet tag {tag} does not fit 32 bits")


def check_label(label: int) -> None:
    """Raise ValueError unless the raw label word (an MPLS label or a VNI) fits 24 bits."""
    if not 0 <= label < 1 << 24:
        raise ValueError(f"label word {label:#x} does not fit 24 bits")
