"""Segments that are given by addresses, which the head end resolves: types C to K (RFC 9831 section 2)."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from bgp.attribute.tunnel_behavior import ENDPOINT_GIVEN, EndpointBehavior, check_flags, read_behavior
from bgp.wire import Reader

ALGORITHM_GIVEN = 0x40  # the A flag
SID_GIVEN = 0x20  # the S flag
IPV4, IPV6 = 4, 16  # octets of an address
LABEL_ENTRY, SRV6_SID = 4, 16  # octets of a SID


class Layout(Struct, frozen=True):
    """How a type stands on the wire: which fields, whether it has an algorithm, and the octets of its SID.

    `interfaces` says for each address whether the identifier of an interface belongs to it; type E has it before
    its only address, as types G and J have it before both.
    """

    letter: str
    address: int
    interfaces: tuple[bool, ...]
    algorithm: bool
    sid: int


LAYOUTS: dict[int, Layout] = {
    3: Layout("C", IPV4, (False,), True, LABEL_ENTRY),
    4: Layout("D", IPV6, (False,), True, LABEL_ENTRY),
    5: Layout("E", IPV4, (True,), False, LABEL_ENTRY),
    6: Layout("F", IPV4, (False, False), False, LABEL_ENTRY),
    7: Layout("G", IPV6, (True, True), False, LABEL_ENTRY),
    8: Layout("H", IPV6, (False, False), False, LABEL_ENTRY),
    14: Layout("I", IPV6, (False,), True, SRV6_SID),
    15: Layout("J", IPV6, (True, True), True, SRV6_SID),
    16: Layout("K", IPV6, (False, False), True, SRV6_SID),
}


class AddressSegment(Struct, frozen=True):
    """One segment: addresses, local first, and the identifiers of their interfaces where the type has them.

    `sid` is empty, a label stack entry or an SRv6 SID; the flags A, S and B follow from what is given.
    """

    kind: int
    addresses: tuple[bytes, ...]
    interfaces: tuple[int, ...] = ()
    algorithm: int | None = None
    sid: bytes = b""
    endpoint: EndpointBehavior | None = None
    flags: int = 0

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        layout = LAYOUTS.get(self.kind)
        if layout is None:
            raise ValueError(f"segment type {self.kind} is not one of {sorted(LAYOUTS)}")
        what = f"segment type {layout.letter}"
        if [len(address) for address in self.addresses] != [layout.address] * len(layout.interfaces):
            raise ValueError(f"{what} has {len(layout.interfaces)} address(es) of {layout.address} octets")
        if len(self.interfaces) != sum(layout.interfaces):
            raise ValueError(f"{what} has {sum(layout.interfaces)} interface(s), not {len(self.interfaces)}")
        if any(not 0 <= interface < 1 << 32 for interface in self.interfaces):
            raise ValueError(f"{what}: interfaces {self.interfaces} do not fit 32 bits")
        if self.algorithm is not None and not (layout.algorithm and 0 <= self.algorithm <= 255):
            raise ValueError(f"{what}: algorithm {self.algorithm} is not within 0..255, or the type has none")
        if len(self.sid) not in (0, layout.sid):
            raise ValueError(f"{what} has a SID of {layout.sid} octets, not {len(self.sid)}")
        if self.endpoint is not None and not (self.sid and layout.sid == SRV6_SID):
            raise ValueError(f"{what} has an endpoint behavior without an SRv6 SID")
        check_flags(self.flags)

    @classmethod
    def decode(cls, kind: int, data: bytes) -> Self:
        """Read flags, algorithm, fields, SID and endpoint behavior if any; raises ValueError."""
        layout, reader = LAYOUTS[kind], Reader(data)
        flags, algorithm = reader.u8(), reader.u8()
        addresses, interfaces = [], []
        for interface in layout.interfaces:
            if interface:
                interfaces.append(reader.u32())
            addresses.append(reader.take(layout.address))
        sid = reader.take(layout.sid) if len(reader) else b""
        return cls(
            kind,
            tuple(addresses),
            tuple(interfaces),
            algorithm if layout.algorithm and flags & ALGORITHM_GIVEN else None,
            sid,
            read_behavior(reader),
            flags & ~(ALGORITHM_GIVEN | SID_GIVEN | ENDPOINT_GIVEN),
        )

    def sub_tlv(self) -> tuple[int, bytes]:
        """Return type, and flags, algorithm, fields, SID, endpoint behavior."""
        flags, interfaces = self.flags, iter(self.interfaces)
        flags |= ALGORITHM_GIVEN if self.algorithm is not None else 0
        flags |= SID_GIVEN if self.sid else 0
        flags |= ENDPOINT_GIVEN if self.endpoint is not None else 0
        fields = [
            (next(interfaces).to_bytes(4, "big") if interface else b"") + address
            for interface, address in zip(LAYOUTS[self.kind].interfaces, self.addresses, strict=True)
        ]
        behavior = b"" if self.endpoint is None else self.endpoint.encode()
        return self.kind, bytes((flags, self.algorithm or 0)) + b"".join(fields) + self.sid + behavior
