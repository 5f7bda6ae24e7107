"""What decides the octets that a session is sent: sessions with equal shapes get equal messages."""

from __future__ import annotations

from typing import Any, Self

from msgspec import Struct

from bgp.capability.role import ROLE_NAMES
from bgp.family import IPV4_UNICAST, Family
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, MESSAGE_SIZE, Negotiated

WIRE_FIELDS = 12
MOST_FAMILIES = 256
IPV6_OCTETS = 16


class Shape(Struct, frozen=True):
    """The part of a session that its UPDATEs depend on; hashable, so that update groups are found by it.

    local_address: packed, 4 or 16 octets, what `next-hop self` becomes.
    next_hop: families whose next hop may have another AFI (RFC 8950).
    role: ours, None within an AS (RFC 9234).
    router_id: of an IPv6 session, what `next-hop self` becomes of an IPv4 route whose next hop must be IPv4.
    """

    ibgp: bool = True
    local_as: int = 65000
    local_address: bytes = bytes(4)
    asn4: bool = True
    message_size: int = MESSAGE_SIZE
    group_updates: bool = True
    families: tuple[Family, ...] = (IPV4_UNICAST,)
    add_path: tuple[Family, ...] = ()
    next_hop: tuple[tuple[Family, int], ...] = ()
    aigp: bool = False
    role: int | None = None
    router_id: bytes = bytes(4)

    @classmethod
    def of(cls, negotiated: Negotiated, group_updates: bool = True) -> Self:
        """Return the shape of an established session; families are sorted, so that equal sessions compare equal."""
        return cls(
            ibgp=negotiated.ibgp,
            local_as=negotiated.local_as,
            local_address=negotiated.local_address,
            asn4=negotiated.asn4,
            message_size=negotiated.message_size,
            group_updates=group_updates,
            families=tuple(sorted(negotiated.families)),
            add_path=tuple(sorted(negotiated.add_path_send)),
            next_hop=tuple(sorted(negotiated.next_hop)),
            aigp=negotiated.aigp,
            role=negotiated.role,
            router_id=negotiated.local_id if len(negotiated.local_address) == IPV6_OCTETS else bytes(4),
        )

    def to_wire(self) -> list[Any]:
        """Return the fields as msgpack can carry them."""
        return [
            self.ibgp,
            self.local_as,
            self.local_address,
            self.asn4,
            self.message_size,
            self.group_updates,
            [list(family) for family in self.families],
            [list(family) for family in self.add_path],
            [[*family, afi] for family, afi in self.next_hop],
            self.aigp,
            self.role,
            self.router_id,
        ]

    @classmethod
    def from_wire(cls, fields: list[Any]) -> Self:
        """Read what `to_wire` wrote; raises ValueError for anything else."""
        if len(fields) != WIRE_FIELDS:
            raise ValueError(f"a shape has {WIRE_FIELDS} fields, not {len(fields)}")
        ibgp, local_as, local_address, asn4, message_size, group_updates, *lists, aigp, role, router_id = fields
        for flag in (ibgp, asn4, group_updates, aigp):
            if type(flag) is not bool:
                raise ValueError("shape: booleans expected")
        if not (_is_number(local_as, 1, 0xFFFFFFFF) and _is_number(message_size, MESSAGE_SIZE, EXTENDED_MESSAGE_SIZE)):
            raise ValueError("shape: an AS number and a message size expected")
        if role is not None and not _is_number(role, 0, max(ROLE_NAMES)):
            raise ValueError("shape: a role expected")
        if type(router_id) is not bytes or len(router_id) != 4:
            raise ValueError("shape: a router-id of 4 octets expected")
        if type(local_address) is not bytes or len(local_address) not in (4, IPV6_OCTETS):
            raise ValueError("shape: an address of 4 or 16 octets expected")
        families, add_path, next_hop = (_rows(rows, width) for rows, width in zip(lists, (2, 2, 3), strict=True))
        return cls(
            ibgp=ibgp,
            local_as=local_as,
            local_address=local_address,
            asn4=asn4,
            message_size=message_size,
            group_updates=group_updates,
            families=tuple(Family(*row) for row in families),
            add_path=tuple(Family(*row) for row in add_path),
            next_hop=tuple((Family(afi, safi), next_hop_afi) for afi, safi, next_hop_afi in next_hop),
            aigp=aigp,
            role=role,
            router_id=router_id,
        )


def _is_number(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _rows(rows: object, width: int) -> list[list[int]]:
    """Check a list of AFI and SAFI, and an AFI besides where `width` is 3."""
    if not isinstance(rows, list) or len(rows) > MOST_FAMILIES:
        raise ValueError(f"shape: a list of at most {MOST_FAMILIES} families expected")
    for row in rows:
        if not (isinstance(row, list) and len(row) == width and all(map(_fits, row, (0xFFFF, 0xFF, 0xFFFF)))):
            raise ValueError(f"shape: {width} numbers of families expected")
    return rows


def _fits(value: object, most: int) -> bool:
    return _is_number(value, 0, most)
