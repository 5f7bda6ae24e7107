"""EVPN route types 1 to 4 (RFC 7432 section 7)."""

from __future__ import annotations

from typing import Self

from bgp.family import L2VPN_EVPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.evpn import (
    ESI_OCTETS,
    LABEL_OCTETS,
    MAC_OCTETS,
    TAG_OCTETS,
    Evpn,
    EvpnKind,
    check_esi,
    check_label,
    check_tag,
)
from bgp.nlri.registry import NLRI, register_kind
from bgp.nlri.typed import check_address, framed, read_sized_address, sized_address
from bgp.wire import Reader, Truncated


@register_kind(EvpnKind.ETHERNET_AUTO_DISCOVERY, L2VPN_EVPN)
class EthernetAutoDiscovery(Evpn, frozen=True, kw_only=True):
    """Type 1, Ethernet auto-discovery (RFC 7432 section 7.1). `label` is the raw 24-bit word."""

    rd: bytes
    esi: bytes
    ethernet_tag: int
    label: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_esi(self.esi)
        check_tag(self.ethernet_tag)
        check_label(self.label)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, ESI, Ethernet tag, label; raises ValueError."""
        reader = Reader(body)
        route = cls(
            family=family,
            path_id=path_id,
            rd=reader.take(RD_OCTETS),
            esi=reader.take(ESI_OCTETS),
            ethernet_tag=reader.u32(),
            label=reader.u24(),
        )
        reader.finish()
        return route

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, ESI, Ethernet tag, label."""
        tag = self.ethernet_tag.to_bytes(TAG_OCTETS, "big")
        return framed(
            EvpnKind.ETHERNET_AUTO_DISCOVERY, self.rd + self.esi + tag + self.label.to_bytes(LABEL_OCTETS, "big")
        )


@register_kind(EvpnKind.MAC_ADVERTISEMENT, L2VPN_EVPN)
class MacAdvertisement(Evpn, frozen=True, kw_only=True):
    """Type 2, MAC/IP advertisement (RFC 7432 section 7.2).

    `address` is None where only the MAC is advertised; `labels` are one or two raw 24-bit words.
    """

    rd: bytes
    esi: bytes
    ethernet_tag: int
    mac: bytes
    address: bytes | None
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_esi(self.esi)
        check_tag(self.ethernet_tag)
        if len(self.mac) != MAC_OCTETS:
            raise ValueError(f"a MAC address has {MAC_OCTETS} octets, not {len(self.mac)}")
        if self.address is not None:
            check_address("an address", self.address)
        if len(self.labels) not in (1, 2):
            raise ValueError(f"a MAC/IP advertisement has 1 or 2 labels, not {len(self.labels)}")
        for label in self.labels:
            check_label(label)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, ESI, Ethernet tag, MAC, IP address, labels; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        esi = reader.take(ESI_OCTETS)
        tag = reader.u32()
        mac_bits = reader.u8()
        if mac_bits != MAC_OCTETS * 8:
            raise ValueError(f"MAC address length is {MAC_OCTETS * 8} bits, not {mac_bits}")
        mac = reader.take(MAC_OCTETS)
        address_bits = reader.u8()
        if address_bits not in (0, 32, 128):
            raise ValueError(f"IP address length is 0, 32 or 128 bits, not {address_bits}")
        address = reader.take(address_bits // 8) or None
        if len(reader) not in (LABEL_OCTETS, 2 * LABEL_OCTETS):
            raise Truncated(f"3 or 6 octets of labels expected, {len(reader)} left")
        labels = tuple(reader.u24() for _ in range(len(reader) // LABEL_OCTETS))
        return cls(
            family=family,
            path_id=path_id,
            rd=rd,
            esi=esi,
            ethernet_tag=tag,
            mac=mac,
            address=address,
            labels=labels,
        )

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, ESI, Ethernet tag, MAC, IP address, labels."""
        return framed(
            EvpnKind.MAC_ADVERTISEMENT,
            self.rd
            + self.esi
            + self.ethernet_tag.to_bytes(TAG_OCTETS, "big")
            + bytes((MAC_OCTETS * 8,))
            + self.mac
            + sized_address(self.address or b"")
            + b"".join(label.to_bytes(LABEL_OCTETS, "big") for label in self.labels),
        )


@register_kind(EvpnKind.INCLUSIVE_MULTICAST, L2VPN_EVPN)
class InclusiveMulticast(Evpn, frozen=True, kw_only=True):
    """Type 3, inclusive multicast Ethernet tag (RFC 7432 section 7.3), from the router at `address`."""

    rd: bytes
    ethernet_tag: int
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_tag(self.ethernet_tag)
        check_address("an address", self.address)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, Ethernet tag, address; raises ValueError."""
        reader = Reader(body)
        route = cls(
            family=family,
            path_id=path_id,
            rd=reader.take(RD_OCTETS),
            ethernet_tag=reader.u32(),
            address=read_sized_address(reader),
        )
        reader.finish()
        return route

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, Ethernet tag, address."""
        tag = self.ethernet_tag.to_bytes(TAG_OCTETS, "big")
        return framed(EvpnKind.INCLUSIVE_MULTICAST, self.rd + tag + sized_address(self.address))


@register_kind(EvpnKind.ETHERNET_SEGMENT, L2VPN_EVPN)
class EthernetSegment(Evpn, frozen=True, kw_only=True):
    """Type 4, Ethernet segment (RFC 7432 section 7.4), from the router at `address`."""

    rd: bytes
    esi: bytes
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_esi(self.esi)
        check_address("an address", self.address)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, ESI, address; raises ValueError."""
        reader = Reader(body)
        route = cls(
            family=family,
            path_id=path_id,
            rd=reader.take(RD_OCTETS),
            esi=reader.take(ESI_OCTETS),
            address=read_sized_address(reader),
        )
        reader.finish()
        return route

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, ESI, address."""
        return framed(EvpnKind.ETHERNET_SEGMENT, self.rd + self.esi + sized_address(self.address))
