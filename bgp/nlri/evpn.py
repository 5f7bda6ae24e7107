"""EVPN NLRI: the family's frame, what identifies a route, and the checks that the route types share."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, Self

from bgp.family import L2VPN_EVPN, Family
from bgp.nlri.distinguisher import RD_OCTETS
from bgp.nlri.prefix import clear_host_bits
from bgp.nlri.registry import KINDS, NLRI, PATH_ID_OCTETS, KindNLRI, register
from bgp.wire import Reader


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
@dataclass(frozen=True, slots=True, kw_only=True)
class Evpn(KindNLRI, ABC):
    """What all EVPN routes share: route type and length in one octet each (RFC 7432 section 7)."""

    HEADER: ClassVar[int] = 2

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the route, type and length included."""
        return 2 + data[offset + 1]

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> KindNLRI:
        """Read one route; types that nobody knows come out opaque. Raises ValueError."""
        kind = data[0]
        return KINDS.get((family, kind), OpaqueEvpn).decode_body(family, kind, data[2:], path_id)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueEvpn(Evpn):
    """A route of a type that nobody here can read: `data` is what follows type and length."""

    kind: int
    data: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.kind <= 255:
            raise ValueError(f"EVPN route type {self.kind} is not within 0..255")
        if len(self.data) > 255:
            raise ValueError(f"an EVPN route has at most 255 octets, not {len(self.data)}")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Keep the octets."""
        return cls(family=family, path_id=path_id, kind=kind, data=body)

    def encode(self) -> bytes:
        """Return type, length, octets."""
        return framed(self.kind, self.data)


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


def check_address(address: bytes) -> None:
    """Raise ValueError unless the address is packed IPv4 or IPv6."""
    if len(address) not in (4, 16):
        raise ValueError(f"an address has 4 or 16 octets, not {len(address)}")


def read_sized_address(reader: Reader) -> bytes:
    """Read an address behind its length in bits, 32 or 128; raises ValueError."""
    bits = reader.u8()
    if bits not in (32, 128):
        raise ValueError(f"IP address length is 32 or 128 bits, not {bits}")
    return reader.take(bits // 8)


def sized_address(address: bytes) -> bytes:
    """Return an address behind its length in bits."""
    return bytes((len(address) * 8,)) + address


def framed(kind: int, body: bytes) -> bytes:
    """Return type, length and body of a route."""
    return bytes((kind, len(body))) + body
