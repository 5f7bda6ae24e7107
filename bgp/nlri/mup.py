"""Mobile user plane NLRI, 3GPP 5G architecture (draft-ietf-bess-mup-safi section 3.1)."""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from bgp.family import IPV4_MUP, IPV6_MUP, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.prefix import address_bits, check_prefix, octets_of, read_address
from bgp.nlri.registry import KINDS, NLRI, PATH_ID_OCTETS, KindNLRI, register, register_kind
from bgp.nlri.typed import check_address
from bgp.wire import Reader

ARCHITECTURE_3GPP_5G = 1
TEID_OCTETS = 4

_FRAME = struct.Struct("!BHB")
_BODY = PATH_ID_OCTETS + _FRAME.size  # where a route's body begins in an item
_LENGTH = _BODY + RD_OCTETS  # where the prefix length of types 1 and 3 stands


class MupKind:
    """Route types of the 3GPP 5G architecture (IANA, BGP-MUP route types)."""

    INTERWORK_SEGMENT_DISCOVERY = 1
    DIRECT_SEGMENT_DISCOVERY = 2
    TYPE_1_SESSION_TRANSFORMED = 3
    TYPE_2_SESSION_TRANSFORMED = 4


@register(IPV4_MUP, IPV6_MUP)
class Mup(KindNLRI, frozen=True, kw_only=True):
    """What all routes share: architecture (8 bits), route type (16), length (8)."""

    HEADER: ClassVar[int] = _FRAME.size

    architecture: int = ARCHITECTURE_3GPP_5G

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the route, architecture, type and length included."""
        return _FRAME.size + data[offset + 3]

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> KindNLRI:
        """Read one route; other architectures and types come out opaque. Raises ValueError."""
        architecture, kind, _ = _FRAME.unpack_from(data)
        body = data[_FRAME.size :]
        codec = KINDS.get((family, kind))
        if codec is None or architecture != ARCHITECTURE_3GPP_5G:
            return OpaqueMup(family=family, path_id=path_id, architecture=architecture, kind=kind, data=body)
        return codec.decode_body(family, kind, body, path_id)

    @classmethod
    def route_key(cls, family: Family, item: bytes) -> bytes:
        """Return all octets but, for type 1 session transformed, those behind the prefix (section 3.1.3).

        TEID, QFI, endpoint and source are what the route says, not which route it is.
        """
        header = _FRAME.pack(ARCHITECTURE_3GPP_5G, MupKind.TYPE_1_SESSION_TRANSFORMED, 0)[:3]
        if len(item) <= _LENGTH or item[PATH_ID_OCTETS : PATH_ID_OCTETS + 3] != header:
            return item
        prefix = item[_BODY : _LENGTH + 1 + octets_of(item[_LENGTH])]
        return item[: PATH_ID_OCTETS + 3] + prefix


class OpaqueMup(Mup, frozen=True, kw_only=True):
    """A route of an architecture or type that nobody here can read: `data` is what follows the length."""

    kind: int
    data: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.architecture <= 255:
            raise ValueError(f"MUP architecture {self.architecture} is not within 0..255")
        if not 0 <= self.kind <= 0xFFFF:
            raise ValueError(f"MUP route type {self.kind} is not within 0..65535")
        if len(self.data) > 255:
            raise ValueError(f"a MUP route has at most 255 octets, not {len(self.data)}")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Keep the octets of a 3GPP 5G route."""
        return cls(family=family, path_id=path_id, kind=kind, data=body)

    def encode(self) -> bytes:
        """Return architecture, type, length, octets."""
        return _FRAME.pack(self.architecture, self.kind, len(self.data)) + self.data


def check_architecture(route: Mup) -> None:
    """Raise ValueError unless the route is of the one architecture that is known here."""
    if route.architecture != ARCHITECTURE_3GPP_5G:
        raise ValueError(f"MUP architecture is {ARCHITECTURE_3GPP_5G}, not {route.architecture}")


def framed_mup(kind: int, body: bytes) -> bytes:
    """Return architecture, type, length and body of a route."""
    return _FRAME.pack(ARCHITECTURE_3GPP_5G, kind, len(body)) + body


def read_prefix(family: Family, reader: Reader) -> tuple[int, bytes]:
    """Read a prefix of the family behind its length in bits; raises ValueError."""
    length = reader.u8()
    return length, read_address(family, reader.take(octets_of(length)), length)


def read_sized(reader: Reader, *allowed: int) -> bytes:
    """Read an address behind its length in bits, one of those allowed; raises ValueError."""
    bits = reader.u8()
    if bits not in allowed:
        raise ValueError(f"MUP address length is one of {allowed}, not {bits}")
    return reader.take(bits // 8)


def prefix_octets(length: int, address: bytes) -> bytes:
    """Return a prefix behind its length in bits."""
    return bytes((length,)) + address[: octets_of(length)]


@register_kind(MupKind.INTERWORK_SEGMENT_DISCOVERY, IPV4_MUP, IPV6_MUP)
class InterworkSegmentDiscovery(Mup, frozen=True, kw_only=True):
    """Type 1, the prefix of an interwork segment (section 3.1.1)."""

    rd: bytes
    length: int
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_architecture(self)
        check_rd(self.rd)
        check_prefix(self.family, self.address, self.length)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, prefix; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        length, address = read_prefix(family, reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, length=length, address=address)

    def encode(self) -> bytes:
        """Return architecture, type, length, route distinguisher, prefix."""
        body = self.rd + prefix_octets(self.length, self.address)
        return framed_mup(MupKind.INTERWORK_SEGMENT_DISCOVERY, body)


@register_kind(MupKind.DIRECT_SEGMENT_DISCOVERY, IPV4_MUP, IPV6_MUP)
class DirectSegmentDiscovery(Mup, frozen=True, kw_only=True):
    """Type 2, the router of a direct segment (section 3.1.2)."""

    rd: bytes
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_architecture(self)
        check_rd(self.rd)
        check_address("MUP address", self.address)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, address; raises ValueError."""
        reader = Reader(body)
        return cls(family=family, path_id=path_id, rd=reader.take(RD_OCTETS), address=reader.rest())

    def encode(self) -> bytes:
        """Return architecture, type, length, route distinguisher, address."""
        return framed_mup(MupKind.DIRECT_SEGMENT_DISCOVERY, self.rd + self.address)


@register_kind(MupKind.TYPE_1_SESSION_TRANSFORMED, IPV4_MUP, IPV6_MUP)
class Type1SessionTransformed(Mup, frozen=True, kw_only=True):
    """Type 3, a user's prefix and the tunnel to it (section 3.1.3).

    `endpoint` may be of the other IP version than the prefix; `source` is None where it is not given.
    """

    rd: bytes
    length: int
    address: bytes
    teid: int
    qfi: int
    endpoint: bytes
    source: bytes | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_architecture(self)
        check_rd(self.rd)
        check_prefix(self.family, self.address, self.length)
        if not 0 <= self.teid < 1 << 32:
            raise ValueError(f"MUP TEID {self.teid} does not fit 32 bits")
        if not 0 <= self.qfi <= 255:
            raise ValueError(f"MUP QFI {self.qfi} is not within 0..255")
        check_address("MUP endpoint", self.endpoint)
        if self.source is not None:
            check_address("MUP source", self.source)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, prefix, TEID, QFI, endpoint, source if any; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        length, address = read_prefix(family, reader)
        teid = reader.u32()
        qfi = reader.u8()
        endpoint = read_sized(reader, 32, 128)
        source = read_sized(reader, 0, 32, 128) if len(reader) else b""
        reader.finish()
        return cls(
            family=family,
            path_id=path_id,
            rd=rd,
            length=length,
            address=address,
            teid=teid,
            qfi=qfi,
            endpoint=endpoint,
            source=source or None,
        )

    def encode(self) -> bytes:
        """Return architecture, type, length, route distinguisher, prefix, TEID, QFI, endpoint, source if any."""
        body = self.rd + prefix_octets(self.length, self.address)
        body += self.teid.to_bytes(TEID_OCTETS, "big") + bytes((self.qfi,))
        body += prefix_octets(len(self.endpoint) * 8, self.endpoint)
        if self.source is not None:
            body += prefix_octets(len(self.source) * 8, self.source)
        return framed_mup(MupKind.TYPE_1_SESSION_TRANSFORMED, body)


@register_kind(MupKind.TYPE_2_SESSION_TRANSFORMED, IPV4_MUP, IPV6_MUP)
class Type2SessionTransformed(Mup, frozen=True, kw_only=True):
    """Type 4, a tunnel endpoint and as many bits of the TEID as are given (section 3.1.4).

    `length` counts the bits of endpoint and TEID together, as on the wire. `teid` stands at the low end
    of its octets.
    """

    rd: bytes
    length: int
    endpoint: bytes
    teid: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_architecture(self)
        check_rd(self.rd)
        bits = address_bits(self.family)
        if len(self.endpoint) * 8 != bits:
            raise ValueError(f"{self.family} endpoint has {bits // 8} octets, not {len(self.endpoint)}")
        if not bits <= self.length <= bits + TEID_OCTETS * 8:
            raise ValueError(f"{self.family} endpoint length {self.length} is not within {bits}..{bits + 32}")
        if not 0 <= self.teid < 1 << (self.teid_octets * 8):
            raise ValueError(f"MUP TEID {self.teid} does not fit {self.length - bits} bits")

    @property
    def teid_octets(self) -> int:
        """How many octets hold the TEID, 0 to 4."""
        return octets_of(self.length) - len(self.endpoint)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, length, endpoint, TEID; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        length = reader.u8()
        endpoint = reader.take(address_bits(family) // 8)
        teid_octets = octets_of(length) - len(endpoint)
        teid = int.from_bytes(reader.take(max(teid_octets, 0)), "big")
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, length=length, endpoint=endpoint, teid=teid)

    def encode(self) -> bytes:
        """Return architecture, type, length, route distinguisher, endpoint and TEID behind their length."""
        body = self.rd + bytes((self.length,)) + self.endpoint
        return framed_mup(MupKind.TYPE_2_SESSION_TRANSFORMED, body + self.teid.to_bytes(self.teid_octets, "big"))
