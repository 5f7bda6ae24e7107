"""EVPN route type 5, IP prefix (RFC 9136 section 3)."""

from __future__ import annotations

from typing import Self

from bgp.family import L2VPN_EVPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.evpn import (
    ESI_OCTETS,
    IPV4_PREFIX_OCTETS,
    IPV6_PREFIX_OCTETS,
    LABEL_OCTETS,
    TAG_OCTETS,
    Evpn,
    EvpnKind,
    check_esi,
    check_label,
    check_tag,
)
from bgp.nlri.prefix import clear_host_bits
from bgp.nlri.registry import NLRI, PATH_ID_OCTETS, register_kind
from bgp.nlri.typed import check_address, framed
from bgp.wire import Reader

_ESI = PATH_ID_OCTETS + 2 + RD_OCTETS  # where the Ethernet segment identifier stands in an item


def leads_somewhere(item: bytes) -> bool:
    """Tell whether a well-formed item has an Ethernet segment, a gateway or a label: whether one is not zero."""
    gateway_octets = 4 if item[PATH_ID_OCTETS + 1] == IPV4_PREFIX_OCTETS else 16
    return any(item[_ESI : _ESI + ESI_OCTETS]) or any(item[-LABEL_OCTETS - gateway_octets :])


def check_length(length: int, address: bytes) -> None:
    """Raise ValueError unless the prefix length suits the address."""
    if not 0 <= length <= len(address) * 8:
        raise ValueError(f"IP prefix length {length} is not within 0..{len(address) * 8}")


@register_kind(EvpnKind.IP_PREFIX, L2VPN_EVPN)
class IpPrefix(Evpn, frozen=True, kw_only=True):
    """Type 5, IP prefix (RFC 9136 section 3.1).

    `address` (zero beyond `length` bits) and `gateway` are both IPv4 or both IPv6; a gateway of zeros is
    none. `label` is the raw 24-bit word.
    """

    rd: bytes
    esi: bytes
    ethernet_tag: int
    length: int
    address: bytes
    gateway: bytes
    label: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_esi(self.esi)
        check_tag(self.ethernet_tag)
        check_address("an address", self.address)
        if len(self.gateway) != len(self.address):
            raise ValueError(f"a gateway has {len(self.address)} octets like its prefix, not {len(self.gateway)}")
        check_length(self.length, self.address)
        if clear_host_bits(self.address, self.length) != self.address:
            raise ValueError(f"IP prefix {self.address.hex()}/{self.length} has bits set beyond its length")
        check_label(self.label)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, ESI, Ethernet tag, prefix, gateway, label; raises ValueError."""
        if len(body) not in (IPV4_PREFIX_OCTETS, IPV6_PREFIX_OCTETS):
            raise ValueError(
                f"an IP prefix route has {IPV4_PREFIX_OCTETS} or {IPV6_PREFIX_OCTETS} octets, not {len(body)}"
            )
        size = 4 if len(body) == IPV4_PREFIX_OCTETS else 16
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        esi = reader.take(ESI_OCTETS)
        tag = reader.u32()
        length = reader.u8()
        address = reader.take(size)
        check_length(length, address)
        return cls(
            family=family,
            path_id=path_id,
            rd=rd,
            esi=esi,
            ethernet_tag=tag,
            length=length,
            address=clear_host_bits(address, length),
            gateway=reader.take(size),
            label=reader.u24(),
        )

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, ESI, Ethernet tag, prefix, gateway, label."""
        return framed(
            EvpnKind.IP_PREFIX,
            self.rd
            + self.esi
            + self.ethernet_tag.to_bytes(TAG_OCTETS, "big")
            + bytes((self.length,))
            + self.address
            + self.gateway
            + self.label.to_bytes(LABEL_OCTETS, "big"),
        )
